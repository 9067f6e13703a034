//! A finding with the lines that it is about.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer as Snippets, Snippet};

use super::Text;
use crate::finding::{Finding, Severity};
use crate::report::prose;
use crate::report::window::{clipped, first_line, window};
use crate::rules;
use crate::source::{Position, Sources, Span};
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
        let mut title = level.primary_title(plain::one_line(&finding.message)).id(finding.rule);
        if let Some(pages) = self.pages {
            title = title.id_url(rules::page(pages, finding.rule));
        }
        let path = plain::one_line(&file.name);
        let at = sources.positions(finding.span).0;
        let is_as_written = !file.is_substituted() || at == place_in(window, finding.span, sources);
        let mut group = match clip {
            _ if !has_place => Group::with_title(title),
            None if is_as_written => title.element(snippet.path(path)),
            _ => {
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

/// Where a place in a window is as far as the lines of the window tell.
fn place_in(window: Span, span: Span, sources: &Sources) -> Position {
    let before = sources.slice(Span { end: span.start, ..window });
    let line = sources.positions(window).0.line + before.matches('\n').count() as u32;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
    Position { line, column }
}
