//! `-- pgassay: allow(rule, …) reason` and `-- pgassay: allow-file(rule) reason`.
//!
//! Only real comments count: text inside a string never switches anything off. An allow comment before a statement, or behind it on
//! its last line, covers that statement; allow-file covers the file.

use crate::finding::{Advice, Finding};
use crate::sql::{Script, SourceFile, Span};

use super::migration::{UNKNOWN_RULE, UNUSED_SUPPRESSION};

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
}

/// Reads the allow comments of the scripts of one file.
pub fn read_suppressions<'s>(source: &SourceFile, scripts: impl IntoIterator<Item = &'s Script>) -> Suppressions {
    let mut entries = Vec::new();
    for script in scripts {
        for comment in &script.comments {
            let text = source.slice(*comment);
            let Some((whole_file, list)) = directive(text) else { continue };
            let covers = if whole_file { None } else { Some(covered(source, script, *comment)) };
            for (rule, at) in names(list) {
                let start = comment.start as usize + (list.as_ptr() as usize - text.as_ptr() as usize) + at;
                let span = Span::new(comment.file, start, start + rule.len());
                entries.push(Entry { rule: rule.to_owned(), span, covers, used: false });
            }
        }
    }
    Suppressions { entries }
}

/// Whether the comment is an allow for the file, and the text between the parentheses.
fn directive(comment: &str) -> Option<(bool, &str)> {
    let body = comment.trim_start_matches(['-', '/', '*', ' ', '\t']);
    let order = body.strip_prefix("pgassay:")?.trim_start();
    let (whole_file, rest) = match order.strip_prefix("allow-file") {
        Some(rest) => (true, rest),
        None => (false, order.strip_prefix("allow")?),
    };
    let list = rest.trim_start().strip_prefix('(')?;
    list.find(')').map(|end| (whole_file, &list[..end]))
}

/// The names in a list, each with its offset.
fn names(list: &str) -> impl Iterator<Item = (&str, usize)> {
    list.split(',').filter_map(move |part| {
        let name = part.trim();
        (!name.is_empty()).then(|| (name, name.as_ptr() as usize - list.as_ptr() as usize))
    })
}

/// The statement on whose last line the comment stands, else the one that contains it, else the next one.
fn covered(source: &SourceFile, script: &Script, comment: Span) -> Span {
    let line = |offset: u32| source.position(offset).line;
    let statements = || script.statements.iter().map(|statement| statement.span);
    let inside = statements().find(|span| span.contains(comment));
    let same_line = || {
        statements()
            .filter(|span| span.end <= comment.start)
            .last()
            .filter(|span| line(span.end.saturating_sub(1)) == line(comment.start))
    };
    let next = || statements().find(|span| span.start >= comment.end);
    inside.or_else(same_line).or_else(next).unwrap_or(comment)
}

impl Suppressions {
    /// Takes out the findings that are allowed.
    pub fn allow(&mut self, mut findings: Vec<Finding>) -> Vec<Finding> {
        findings.retain(|finding| {
            let mut allowed = false;
            for entry in
                self.entries.iter_mut().filter(|entry| entry.rule == finding.rule && entry.covers_finding(finding))
            {
                entry.used = true;
                allowed = true;
            }
            !allowed
        });
        findings
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
        (!self.used).then(|| {
            let mut finding =
                UNUSED_SUPPRESSION.finding(self.span, format!("allows {}, but there is nothing to allow", self.rule));
            finding.advice = Advice::text("Remove it, so that it does not hide a later finding.");
            finding
        })
    }
}

/// The rule whose name differs least, within a third of its letters.
pub fn nearest(name: &str) -> Option<&'static str> {
    super::ALL
        .iter()
        .map(|rule| (distance(name, rule.name), rule.name))
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance in bytes: names of rules are ASCII.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let cost = if x == y { diagonal } else { 1 + diagonal.min(row[j]).min(row[j + 1]) };
            diagonal = row[j + 1];
            row[j + 1] = cost;
        }
    }
    row[b.len()]
}
