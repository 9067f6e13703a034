//! Hover, inlay hints and document symbols: what the statements of a document do.

use lsp_types::{
    DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, Hover, HoverContents, HoverParams, InlayHint,
    InlayHintLabel, InlayHintParams, MarkupContent, MarkupKind, SymbolKind,
};
use pgassay::text::plain;
use serde_json::Value;

use super::Refused;
use super::server::{Server, value};
use crate::project::words;

pub fn hover(server: &mut Server, params: HoverParams) -> Result<Value, Refused> {
    let place = params.text_document_position_params;
    let Some(view) = server.view(&place.text_document.uri) else { return Ok(Value::Null) };
    let Some((at, file, _)) = view.at(place.position) else { return Ok(Value::Null) };
    let range = view.lines().of_span(view.project.sources.file(file), at.explanation.span);
    let contents = MarkupContent { kind: MarkupKind::Markdown, value: words::hover(&at.explanation) };
    value(Hover { contents: HoverContents::Markup(contents), range: Some(range) })
}

pub fn hints(server: &mut Server, params: InlayHintParams) -> Result<Value, Refused> {
    let Some(view) = server.view(&params.text_document.uri) else { return value(Vec::<InlayHint>::new()) };
    let lines = view.lines();
    let mut hints = Vec::new();
    for at in &view.judged.statements {
        let Some(label) = words::hint(&at.explanation) else { continue };
        let range = super::diagnostics::range(at.explanation.span, &view, &lines);
        if range.end < params.range.start || params.range.end < range.start {
            continue;
        }
        hints.push(InlayHint {
            position: range.end,
            label: InlayHintLabel::String(label),
            kind: None,
            text_edits: None,
            tooltip: None,
            padding_left: Some(true),
            padding_right: None,
            data: None,
        });
    }
    value(hints)
}

pub fn symbols(server: &mut Server, params: DocumentSymbolParams) -> Result<Value, Refused> {
    let Some(view) = server.view(&params.text_document.uri) else { return value(Vec::<DocumentSymbol>::new()) };
    let lines = view.lines();
    let symbol = |at: &crate::project::At| {
        let span = at.explanation.span;
        let words: Vec<&str> = at.explanation.statement.split_whitespace().collect();
        #[allow(deprecated)] // The type has no constructor, and the field no replacement in it.
        DocumentSymbol {
            name: plain::cut(&plain::one_line(&words.join(" ")), 80),
            detail: words::hint(&at.explanation),
            kind: kind(&words),
            tags: None,
            deprecated: None,
            range: lines.of_span(view.project.sources.file(span.file), span),
            selection_range: super::diagnostics::range(span, &view, &lines),
            children: None,
        }
    };
    let named = view.judged.statements.iter().filter(|at| !at.explanation.statement.trim().is_empty());
    value(DocumentSymbolResponse::Nested(named.map(symbol).collect()))
}

/// By what the statement is about.
fn kind(words: &[&str]) -> SymbolKind {
    let has = |wanted: &str| words.iter().take(5).any(|word| word.eq_ignore_ascii_case(wanted));
    if has("function") || has("procedure") || has("trigger") {
        SymbolKind::FUNCTION
    } else if has("type") || has("domain") {
        SymbolKind::ENUM
    } else if has("index") {
        SymbolKind::KEY
    } else if has("schema") {
        SymbolKind::NAMESPACE
    } else if has("table") || has("view") {
        SymbolKind::STRUCT
    } else {
        SymbolKind::EVENT
    }
}
