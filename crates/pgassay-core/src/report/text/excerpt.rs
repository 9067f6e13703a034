//! A finding with the lines that it is about.

use std::cmp::Reverse;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer as Snippets, Snippet};

use super::Text;
use crate::finding::{Evidence, Finding, Severity};
use crate::report::prose;
use crate::report::window::{clipped, first_line, window};
use crate::rules;
use crate::source::{Position, Sources, Span};
use crate::text::{layout, plain};

/// How much of the source is shown with a finding.
enum Place<'f> {
    None,
    /// The line of an excerpt that is above it.
    Line,
    /// The lines around it, with marks of the other findings about the same statement.
    Excerpt(&'f [&'f Finding]),
}

/// The other places in a window that findings about its statement point to, each with the rules that do. A mark around the main one
/// would only hide it.
fn others_marks<'f>(
    main: &Finding,
    others: &[&'f Finding],
    window: Span,
    sources: &Sources,
) -> impl Iterator<Item = (Span, String)> + use<'f> {
    let own = first_line(main.span, sources);
    let mut marks: Vec<(Span, Vec<&'static str>)> = Vec::new();
    for other in others {
        let span = first_line(other.span, sources);
        let overlaps = span.start < own.end && own.start < span.end;
        if overlaps || !window.contains(span) || main.related.iter().any(|(related, _)| *related == other.span) {
            continue;
        }
        match marks.iter_mut().find(|(mark, _)| *mark == span) {
            Some((_, rules)) if rules.contains(&other.rule.name) => {}
            Some((_, rules)) => rules.push(other.rule.name),
            None => marks.push((span, vec![other.rule.name])),
        }
    }
    marks.into_iter().map(|(span, rules)| (span, rules.join(", ")))
}

impl Text {
    /// The text in lines that fit beside the gutter and the note's name.
    fn wrapped(&self, text: &str) -> String {
        let width = usize::from(self.width).saturating_sub(NOTE_INDENT).max(40);
        layout::wrap(text, width)
    }

    /// What is said of one statement, worst first: what points to the same lines stands under one excerpt, and what one of them says is
    /// not said again by the next.
    pub(super) fn statement(&self, findings: &[&Finding], sources: &Sources, snippets: &Snippets) -> String {
        let mut findings = findings.to_vec();
        findings.sort_by_key(|finding| Reverse(finding.severity));
        let mut text = String::new();
        let mut groups: Vec<Group> = Vec::new();
        let mut shown: Option<Span> = None;
        for (at, finding) in findings.iter().enumerate() {
            let earlier = &findings[..at];
            let place = match shown {
                Some(window) if window.contains(first_line(finding.span, sources)) => Place::Line,
                _ => {
                    if !groups.is_empty() {
                        text.push_str(&format!("{}\n\n", snippets.render(&groups)));
                        groups.clear();
                    }
                    shown = Some(window(finding, sources));
                    Place::Excerpt(&findings[at + 1..])
                }
            };
            let is_new = |evidence: &&Evidence| !earlier.iter().any(|other| other.evidence.contains(evidence));
            let evidence: Vec<&Evidence> = finding.evidence.iter().filter(is_new).collect();
            let is_advised = earlier.iter().any(|other| other.advice == finding.advice);
            let advice = if is_advised { String::new() } else { self.advice(finding) };
            groups.push(self.block(finding, &evidence, advice, place, sources));
        }
        text + &snippets.render(&groups) + "\n"
    }

    /// A finding that no text is the cause of.
    pub(super) fn of_server(&self, finding: &Finding, sources: &Sources, snippets: &Snippets) -> String {
        let evidence: Vec<&Evidence> = finding.evidence.iter().collect();
        let group = self.block(finding, &evidence, self.advice(finding), Place::None, sources);
        snippets.render(&[group]) + "\n"
    }

    /// A finding with its place, how it is known and what to do.
    fn block<'s>(
        &self,
        finding: &'s Finding,
        evidence: &[&Evidence],
        advice: String,
        shown: Place,
        sources: &'s Sources,
    ) -> Group<'s> {
        let level = match finding.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Info => Level::INFO,
        };
        let file = sources.file(finding.span.file);
        let window = window(finding, sources);
        let clip = clipped(window, finding, sources);
        let window = clip.unwrap_or(window);
        let snippet = Snippet::source(file.slice(window))
            .line_start(sources.positions(window).0.line as usize)
            .fold(true)
            .annotations(annotations(finding, &shown, window, sources));
        let mut title = level.primary_title(plain::one_line(&finding.message)).id(finding.rule.name);
        if let Some(pages) = self.pages {
            title = title.id_url(rules::page(pages, finding.rule.name));
        }
        let path = plain::one_line(&file.name);
        let at = sources.positions(finding.span).0;
        let is_as_written = !file.is_substituted() || at == place_in(window, finding.span, sources);
        let origin = || Origin::path(path.clone()).line(at.line as usize).char_column(at.column as usize);
        let mut group = match (&shown, clip) {
            (Place::None, _) => Group::with_title(title),
            (Place::Line, _) => title.element(origin()),
            (Place::Excerpt(_), None) if is_as_written => title.element(snippet.path(path.clone())),
            _ => title.element(origin()).element(snippet),
        };
        if matches!(shown, Place::Line) {
            group = see_also(group, finding, sources);
        }
        for evidence in evidence {
            group = group.element(
                Level::NOTE
                    .with_name(Some(prose::kind_name(evidence.kind)))
                    .message(self.wrapped(&plain::one_line(&evidence.text))),
            );
        }
        group = notes(group, finding);
        if !advice.is_empty() {
            let label = prose::advice_label(finding).to_lowercase();
            group = group.element(Level::HELP.with_name(Some(label)).message(advice));
        }
        group
    }

    /// What to do, and the SQL for it as it can be copied.
    fn advice(&self, finding: &Finding) -> String {
        let mut text = self.wrapped(&plain::visible(&finding.advice.text));
        if !finding.advice.steps.is_empty() {
            text.push_str("\n    ");
            text.push_str(&plain::visible(&prose::steps_of(finding)).replace('\n', "\n    "));
        }
        text
    }
}

/// The marks in the excerpt: the finding, what belongs to it, and the other findings of the statement.
fn annotations<'s>(finding: &'s Finding, shown: &Place, window: Span, sources: &Sources) -> Vec<Annotation<'s>> {
    let place = |span: Span| (span.start - window.start) as usize..(span.end.min(window.end) - window.start) as usize;
    let mut annotations = vec![AnnotationKind::Primary.span(place(first_line(finding.span, sources)))];
    for (span, label) in finding.related.iter().filter(|(span, _)| window.contains(*span)) {
        let label = plain::one_line(label);
        annotations.push(AnnotationKind::Context.span(place(first_line(*span, sources))).label(label));
    }
    if let Place::Excerpt(others) = shown {
        let others = others_marks(finding, others, window, sources);
        annotations.extend(others.map(|(span, rule)| AnnotationKind::Context.span(place(span)).label(rule)));
    }
    annotations
}

/// The related places, where no excerpt shows them.
fn see_also<'s>(mut group: Group<'s>, finding: &'s Finding, sources: &'s Sources) -> Group<'s> {
    for (span, label) in &finding.related {
        let (file, at) = (sources.file(span.file), sources.positions(*span).0);
        let place = format!("{}:{}:{} {label}", file.name, at.line, at.column);
        group = group.element(Level::NOTE.with_name(Some("see also")).message(plain::one_line(&place)));
    }
    group
}

/// What else there is to say of it: how sure it is, what it touches, an example.
fn notes<'s>(mut group: Group<'s>, finding: &'s Finding) -> Group<'s> {
    if let Some(confidence) = finding.confidence {
        group = group.element(Level::NOTE.with_name(Some("confidence")).message(confidence.to_string()));
    }
    if let Some(area) = finding.area {
        group = group.element(Level::NOTE.with_name(Some("area")).message(format!("{area}: {}", area.meaning())));
    }
    if let Some(witness) = &finding.witness {
        group = group.element(
            Level::NOTE
                .with_name(Some("for example"))
                .message(plain::visible(&format!("{}\n{}", witness.sql, witness.after))),
        );
    }
    group
}

/// Columns of "  = instead: ", with a gutter of some digits.
const NOTE_INDENT: usize = 18;

/// Where a place in a window is as far as the lines of the window tell.
fn place_in(window: Span, span: Span, sources: &Sources) -> Position {
    let before = sources.slice(Span { end: span.start, ..window });
    let line = sources.positions(window).0.line + before.matches('\n').count() as u32;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
    Position { line, column }
}
