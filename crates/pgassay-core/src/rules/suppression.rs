//! `-- pgassay: allow(rule, …) reason` and `-- pgassay: allow-file(rule) reason`.
//!
//! Only real comments count: text inside a string never switches anything off. An allow comment before a statement, or behind it on
//! its last line, covers that statement; allow-file covers the file.

use crate::area::Area;
use crate::change::{Change, Statement};
use crate::finding::{Advice, Finding};
use crate::source::{SourceFile, Sources, Span};
use crate::sql::{Script, comments_of_body};

use super::migration::{ALLOW_WITHOUT_REASON, UNKNOWN_RULE, UNUSED_SUPPRESSION};

/// The allow comments of a file.
#[derive(Debug, Default)]
pub struct Suppressions {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    rule: String,
    /// Where the rule's name stands.
    span: Span,
    /// The statement it covers; `None` for the whole file.
    covers: Option<Span>,
    used: bool,
    /// Words behind the list of rules say why.
    has_reason: bool,
    /// The area of a finding that it would have allowed, had it a reason.
    refused: Option<Area>,
}

/// Reads the allow comments of the scripts of one migration.
pub fn read_suppressions<'s>(sources: &Sources, scripts: impl IntoIterator<Item = &'s Script>) -> Suppressions {
    let mut entries = Vec::new();
    for script in scripts {
        read_comments(sources, &script.comments, &script.statements, &mut entries);
        for statement in &script.statements {
            let Ok(Change::Do(block)) = &statement.change else { continue };
            let text = sources.slice(block.body);
            if text.contains(MARK) {
                read_comments(sources, &comments_of_body(block.body, text), &block.code.statements, &mut entries);
            }
        }
    }
    Suppressions { entries }
}

/// Reads the comments of statements that follow each other.
fn read_comments(sources: &Sources, comments: &[Span], statements: &[Statement], entries: &mut Vec<Entry>) {
    for comment in comments {
        let source = sources.file(comment.file);
        let text = source.slice(*comment);
        let Some(Directive { whole_file, list, reason }) = directive(text) else { continue };
        let covers = if whole_file { None } else { Some(covered(source, statements, *comment)) };
        for (rule, at) in names(list) {
            let start = comment.start as usize + (list.as_ptr() as usize - text.as_ptr() as usize) + at;
            let span = Span::new(comment.file, start, start + rule.len());
            let (rule, has_reason) = (rule.to_owned(), reason.contains(char::is_alphanumeric));
            entries.push(Entry { rule, span, covers, used: false, has_reason, refused: None });
        }
    }
}

/// How a comment for pgassay begins.
const MARK: &str = "pgassay:";

/// What an allow comment says.
struct Directive<'c> {
    /// For the file, not for a statement.
    whole_file: bool,
    /// Between the parentheses.
    list: &'c str,
    /// Behind them.
    reason: &'c str,
}

fn directive(comment: &str) -> Option<Directive<'_>> {
    let body = comment.trim_start_matches(['-', '/', '*', ' ', '\t']);
    let order = body.strip_prefix(MARK)?.trim_start();
    let (whole_file, rest) = match order.strip_prefix("allow-file") {
        Some(rest) => (true, rest),
        None => (false, order.strip_prefix("allow")?),
    };
    let list = rest.trim_start().strip_prefix('(')?;
    list.split_once(')').map(|(list, reason)| Directive { whole_file, list, reason })
}

/// The names in a list, each with its offset.
fn names(list: &str) -> impl Iterator<Item = (&str, usize)> {
    list.split(',').filter_map(move |part| {
        let name = part.trim();
        (!name.is_empty()).then(|| (name, name.as_ptr() as usize - list.as_ptr() as usize))
    })
}

/// The statement on whose last line the comment stands, else the one that contains it, else the next one.
fn covered(source: &SourceFile, statements: &[Statement], comment: Span) -> Span {
    let line = |offset: u32| source.position(offset).line;
    let here = |span: &Span| span.file == comment.file;
    let statements = || statements.iter().map(|statement| statement.span).filter(here);
    let inside = statements().find(|span| span.contains(comment));
    // Before its semicolon.
    let unfinished = || {
        let last = statements().rfind(|span| span.end <= comment.start);
        last.filter(|_| is_followed_by_semicolon(source, comment.end as usize))
    };
    let same_line = || {
        statements()
            .rfind(|span| span.end <= comment.start)
            .filter(|span| line(span.end.saturating_sub(1)) == line(comment.start))
    };
    let next = || statements().find(|span| span.start >= comment.end);
    inside.or_else(unfinished).or_else(same_line).or_else(next).unwrap_or(comment)
}

/// Whether nothing but space and comments stands before the next semicolon.
fn is_followed_by_semicolon(source: &SourceFile, at: usize) -> bool {
    let mut rest = source.text.get(at..).unwrap_or_default();
    loop {
        rest = rest.trim_start();
        let behind = match rest {
            line if line.starts_with("--") => line.find('\n'),
            block if block.starts_with("/*") => block.find("*/").map(|end| end + 2),
            _ => return rest.starts_with(';'),
        };
        let Some(behind) = behind else { return false };
        rest = &rest[behind..];
    }
}

impl Suppressions {
    /// Adds those of other parts of the file.
    pub fn extend(&mut self, others: Suppressions) {
        self.entries.extend(others.entries);
    }

    /// Takes out the findings that are allowed. In a protected area a comment without a reason allows nothing.
    pub fn allow(&mut self, mut findings: Vec<Finding>) -> Vec<Finding> {
        findings.retain(|finding| {
            let mut allowed = false;
            for entry in
                self.entries.iter_mut().filter(|entry| entry.rule == finding.rule.name && entry.covers_finding(finding))
            {
                entry.used = true;
                let protected = finding.area.filter(|area| area.is_protected() && !entry.has_reason);
                entry.refused = entry.refused.or(protected);
                allowed |= protected.is_none();
            }
            !allowed
        });
        findings
    }

    /// As [`Suppressions::allow`], of findings that carry something along.
    pub fn allow_ranked<T>(&mut self, findings: Vec<(T, Finding)>) -> Vec<(T, Finding)> {
        let kept = |(rank, finding)| self.allow(vec![finding]).pop().map(|finding| (rank, finding));
        findings.into_iter().filter_map(kept).collect()
    }

    /// What is wrong with the comments themselves, once every finding of the file was offered to [`Suppressions::allow`].
    pub fn complaints(&self) -> Vec<Finding> {
        self.entries.iter().filter_map(Entry::complaint).collect()
    }
}

impl Entry {
    fn covers_finding(&self, finding: &Finding) -> bool {
        match self.covers {
            None => finding.span.file == self.span.file,
            Some(statement) => statement.contains(finding.span),
        }
    }

    fn complaint(&self) -> Option<Finding> {
        if super::find(&self.rule).is_none() {
            let nearest = nearest(&self.rule);
            let mut finding = UNKNOWN_RULE.finding(self.span, format!("there is no rule {:?}", self.rule));
            finding.advice = Advice::text(match nearest {
                Some(name) => format!("Did you mean {name}?"),
                None => "pgassay rules lists them.".to_owned(),
            });
            return Some(finding);
        }
        if let Some(area) = self.refused {
            let message = format!("gives no reason to allow {} on a table of {area}, so it allows nothing", self.rule);
            let mut finding = ALLOW_WITHOUT_REASON.finding(self.span, message);
            finding.area = Some(area);
            finding.advice = Advice::text(format!("Say why after the list: -- pgassay: allow({}) reason", self.rule));
            return Some(finding);
        }
        // What only an audit looks for is not there to be allowed.
        let elsewhere = super::find(&self.rule).is_some_and(|rule| rule.is_audit_only());
        (!self.used && !elsewhere).then(|| {
            let mut finding =
                UNUSED_SUPPRESSION.finding(self.span, format!("allows {}, but there is nothing to allow", self.rule));
            finding.advice = Advice::text("Remove it, so that it does not hide a later finding.");
            finding
        })
    }
}

/// The rule whose name differs least, within a third of its letters.
pub fn nearest(name: &str) -> Option<&'static str> {
    nearest_of(name, super::ALL.iter().map(|rule| rule.name))
}

/// The one of some names that differs least, within a third of its letters.
pub fn nearest_of<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    known
        .map(|known| (strsim::levenshtein(name, known), known))
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}
