//! From a name to where the history defines what it means, and to the statements that changed it later.

use lsp_types::{GotoDefinitionParams, GotoDefinitionResponse, Location, ReferenceParams, TextDocumentPositionParams};
use pgassay::contract::Subject;
use pgassay::source::Span;
use serde_json::Value;

use super::Refused;
use super::diagnostics::location;
use super::server::{Server, View, value};
use crate::project::{At, Kind, targets};

/// What the name at a place means, and where that is defined.
struct Meant {
    kind: Kind,
    defined: Option<Span>,
}

fn meant(view: &View, place: &TextDocumentPositionParams) -> Option<Meant> {
    let (at, _, offset) = view.at(place.position)?;
    let span = at.explanation.span;
    let text = view.project.sources.slice(span);
    // What the statement makes itself is only there after it.
    let found = [&at.schema, &at.after].into_iter().find_map(|schema| {
        let all = targets(span, text, schema, &at.session);
        all.into_iter().find(|target| target.span.start <= offset && offset <= target.span.end)
    })?;
    Some(Meant { kind: found.kind, defined: defined(at, found.kind) })
}

fn defined(at: &At, kind: Kind) -> Option<Span> {
    match kind {
        Kind::Relation(relation) => at.places.of(&Subject::Relation(relation)),
        Kind::Column(relation, column) => at.places.of(&Subject::Column(relation, column)),
    }
}

pub fn definition(server: &mut Server, params: GotoDefinitionParams) -> Result<Value, Refused> {
    let place = params.text_document_position_params;
    let Some(view) = server.view(&place.text_document.uri) else { return Ok(Value::Null) };
    let place = meant(&view, &place).and_then(|meant| location(meant.defined?, &view));
    place.map_or(Ok(Value::Null), |place| value(GotoDefinitionResponse::Scalar(place)))
}

pub fn references(server: &mut Server, params: ReferenceParams) -> Result<Value, Refused> {
    let place = params.text_document_position;
    let uri = place.text_document.uri.clone();
    let found = server.view(&uri).and_then(|view| meant(&view, &place));
    let Some(found) = found else { return Ok(Value::Null) };
    let Some((project, path)) = server.project_of(&uri) else { return Ok(Value::Null) };
    let (relation, column) = match found.kind {
        Kind::Relation(relation) => (relation, None),
        Kind::Column(relation, column) => (relation, Some(column)),
    };
    let mut places = project.touches(&path, relation, column);
    if !params.context.include_declaration {
        places.retain(|place| !found.defined.is_some_and(|defined| place.contains(defined)));
    }
    let Some(view) = server.view(&uri) else { return Ok(Value::Null) };
    let places: Vec<Location> = places.into_iter().filter_map(|place| location(place, &view)).collect();
    value(places)
}
