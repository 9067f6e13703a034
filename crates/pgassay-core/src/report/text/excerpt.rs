//! A finding with the lines that it is about.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer as Snippets, Snippet};

use super::Text;
use crate::finding::{Finding, Severity};
use crate::report::prose;
use crate::source::{Sources, Span};
use crate::text::{layout, plain};

impl Text {
    /// The text in lines that fit beside the gutter and the note's name.
    fn wrapped(&self, text: &str) -> String {
        let width = usize::from(self.width).saturating_sub(NOTE_INDENT).max(40);
        layout::wrap(text, width)
    }

    /// The source excerpt with what happens, how it is known and what to do.
    pub(super) fn excerpt(
        &self,
        finding: &Finding,
        advice: String,
        has_place: bool,
        sources: &Sources,
        snippets: &Snippets,
    ) -> String {
        let level = match finding.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Info => Level::INFO,
        };
        let file = sources.file(finding.span.file);
        let window = window(finding, sources);
        let clip = clipped(window, finding, sources);
        let window = clip.unwrap_or(window);
        let place =
            |span: Span| (span.start - window.start) as usize..(span.end.min(window.end) - window.start) as usize;
        let mut annotations: Vec<Annotation> =
            vec![AnnotationKind::Primary.span(place(first_line(finding.span, sources)))];
        for (span, label) in &finding.related {
            if window.contains(*span) {
                annotations.push(
                    AnnotationKind::Context.span(place(first_line(*span, sources))).label(plain::one_line(label)),
                );
            }
        }
        let snippet = Snippet::source(file.slice(window))
            .line_start(sources.positions(window).0.line as usize)
            .fold(true)
            .annotations(annotations);
        let title = level.primary_title(plain::one_line(&finding.message)).id(finding.rule);
        let path = plain::one_line(&file.name);
        let mut group = match clip {
            _ if !has_place => Group::with_title(title),
            None => title.element(snippet.path(path)),
            Some(_) => {
                let at = sources.positions(finding.span).0;
                let origin = Origin::path(path).line(at.line as usize).char_column(at.column as usize);
                title.element(origin).element(snippet)
            }
        };
        for evidence in &finding.evidence {
            group = group.element(
                Level::NOTE
                    .with_name(Some(prose::kind_name(evidence.kind)))
                    .message(self.wrapped(&plain::one_line(&evidence.text))),
            );
        }
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
        if !finding.advice.text.is_empty() {
            let label = prose::advice_label(finding).to_lowercase();
            group = group.element(Level::HELP.with_name(Some(label)).message(advice));
        }
        let report: [Group; 1] = [group];
        snippets.render(&report)
    }

    /// What to do, and the SQL for it as it can be copied.
    pub(super) fn advice(&self, finding: &Finding) -> String {
        let mut text = self.wrapped(&plain::visible(&finding.advice.text));
        if !finding.advice.steps.is_empty() {
            text.push_str("\n    ");
            text.push_str(&plain::visible(&prose::steps_of(finding)).replace('\n', "\n    "));
        }
        text
    }
}

/// Columns of "  = instead: ", with a gutter of some digits.
const NOTE_INDENT: usize = 18;

/// More lines than this between two places, and only the finding's own is shown.
const WINDOW_LINES: u32 = 40;

/// Bytes of source that an excerpt may have; statements that a tool wrote can stand on one line of many thousands.
const LONGEST_WINDOW: usize = 16 * 1024;

/// Bytes on either side of the finding that are left of a longer one.
const CLIPPED_TO: usize = 200;

/// Whole lines around the finding, and around the related places that are near.
fn window(finding: &Finding, sources: &Sources) -> Span {
    let file = sources.file(finding.span.file);
    let line = |offset: u32| file.position(offset).line;
    let mut span = first_line(finding.span, sources);
    for (related, _) in &finding.related {
        let related = first_line(*related, sources);
        let joined = span.to(related);
        if related.file == span.file && line(joined.end).saturating_sub(line(joined.start)) <= WINDOW_LINES {
            span = joined;
        }
    }
    let start = file.text[..span.start as usize].rfind('\n').map_or(0, |at| at + 1);
    let end = file.text[span.end as usize..].find('\n').map_or(file.text.len(), |at| span.end as usize + at);
    let end = start + file.text[start..end].trim_end_matches('\r').len();
    Span::new(span.file, start, end.max(span.end as usize))
}

/// Of a window that is too long to be laid out: what is near the finding.
fn clipped(window: Span, finding: &Finding, sources: &Sources) -> Option<Span> {
    if (window.end - window.start) as usize <= LONGEST_WINDOW {
        return None;
    }
    let text = &sources.file(window.file).text;
    let place = first_line(finding.span, sources);
    let mut start = (place.start as usize).saturating_sub(CLIPPED_TO).max(window.start as usize);
    let mut end = (place.end as usize).min(place.start as usize + CLIPPED_TO) + CLIPPED_TO;
    end = end.min(window.end as usize);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    // Only the line itself.
    start += text[start..place.start as usize].rfind('\n').map_or(0, |at| at + 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Some(Span::new(window.file, start, end))
}

/// A span of several lines is shown by its first.
fn first_line(span: Span, sources: &Sources) -> Span {
    let text = sources.slice(span);
    match text.find('\n') {
        Some(at) => Span { end: span.start + text[..at].trim_end().len() as u32, ..span },
        None => span,
    }
}
