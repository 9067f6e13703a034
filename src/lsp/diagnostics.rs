//! Findings as diagnostics.

use lsp_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location,
    NumberOrString, Range,
};
use pgassay::finding::{Finding, Severity};
use pgassay::rules::migration::UNUSED_SUPPRESSION;
use pgassay::rules::{PAGES, page};
use pgassay::source::Span;

use super::place::{Lines, uri_of};
use super::server::View;

/// The findings of a document, at their places.
pub fn diagnostics(view: &View) -> Vec<Diagnostic> {
    let lines = view.lines();
    view.judged.report.findings.iter().map(|finding| diagnostic(finding, view, &lines)).collect()
}

pub fn diagnostic(finding: &Finding, view: &View, lines: &Lines) -> Diagnostic {
    Diagnostic {
        range: range(finding.span, view, lines),
        severity: Some(match finding.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Info => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(finding.rule.name.to_owned())),
        code_description: PAGES
            .and_then(|pages| page(pages, finding.rule.name).parse().ok())
            .map(|href| CodeDescription { href }),
        source: Some("pgassay".to_owned()),
        message: message(finding),
        related_information: related(finding, view),
        tags: (*finding.rule == UNUSED_SUPPRESSION).then(|| vec![DiagnosticTag::UNNECESSARY]),
        ..Diagnostic::default()
    }
}

/// The first line of a place: a squiggle below a whole CREATE TABLE says nothing.
pub fn range(span: Span, view: &View, lines: &Lines) -> Range {
    let file = view.project.sources.file(span.file);
    let bytes = file.original_range(span);
    let text = file.original().get(bytes.clone()).unwrap_or_default();
    let first = text.find('\n').map_or(text.len(), |end| text[..end].trim_end().len());
    lines.range(bytes.start..bytes.start + first)
}

fn message(finding: &Finding) -> String {
    let mut text = finding.message.clone();
    for evidence in &finding.evidence {
        text.push('\n');
        text.push_str(&evidence.text);
    }
    if let Some(witness) = &finding.witness {
        text.push_str(&format!("\nFor example: {}\n  {}", witness.sql, witness.after));
    }
    if !finding.advice.text.is_empty() {
        text.push_str(&format!("\nInstead: {}", finding.advice.text));
    }
    text
}

fn related(finding: &Finding, view: &View) -> Option<Vec<DiagnosticRelatedInformation>> {
    let all: Vec<_> = finding
        .related
        .iter()
        .filter_map(|(span, label)| {
            let location = location(*span, view)?;
            Some(DiagnosticRelatedInformation { location, message: label.clone() })
        })
        .collect();
    (!all.is_empty()).then_some(all)
}

/// A place in any file of the project.
pub fn location(span: Span, view: &View) -> Option<Location> {
    let file = view.project.sources.file(span.file);
    let own = view.judged.statements.iter().any(|at| at.explanation.span.file == span.file);
    let uri = if own { view.document.uri.clone() } else { uri_of(&view.project.path_of(span.file))? };
    Some(Location { uri, range: Lines::of(file.original(), view.encoding).of_span(file, span) })
}
