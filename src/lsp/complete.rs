//! Names of relations and columns as they are where the statement is typed.

use lsp_types::{CompletionItem, CompletionItemKind, CompletionParams, CompletionResponse};
use pgassay::change::Name;
use pgassay::schema::{Relation, Schema, Session};
use pgassay::source::Span;
use pgassay::sql::{SourceToken, SourceTokenKind, source_tokens};
use serde_json::Value;

use super::Refused;
use super::place::judged_offset;
use super::server::{Server, View, value};
use crate::project::named_relations;

/// More are no help; the editor asks again as more is typed.
const MOST: usize = 500;

/// After these words a relation is named.
const BEFORE_RELATIONS: [&str; 12] =
    ["from", "join", "update", "into", "references", "table", "only", "truncate", "on", "view", "using", "exists"];

/// What is typed, and what is there.
struct Point {
    /// The statement with its place, as far as it is typed and beyond.
    span: Span,
    text: String,
    /// The words and signs before the one that is typed.
    before: Vec<SourceToken>,
    schema: Schema,
    session: Session,
}

pub fn complete(server: &mut Server, params: CompletionParams) -> Result<Value, Refused> {
    let place = params.text_document_position;
    let Some(view) = server.view(&place.text_document.uri) else { return Ok(Value::Null) };
    let Some(point) = point(&view, &place) else { return Ok(Value::Null) };
    let mut items = candidates(&point);
    items.truncate(MOST);
    value(CompletionResponse::Array(items))
}

fn point(view: &View, place: &lsp_types::TextDocumentPositionParams) -> Option<Point> {
    let statements = &view.judged.statements;
    let byte = view.lines().offset(place.position);
    // The statement that is typed, else the one before the place: what is typed may be no statement yet.
    let before = statements.iter().rfind(|at| {
        let span = at.explanation.span;
        view.project.sources.file(span.file).original_range(span).start <= byte
    });
    let at = before.or(statements.first())?;
    let span = at.explanation.span;
    let file = view.project.sources.file(span.file);
    let offset = judged_offset(file, span.file, byte);
    let inside = span.start <= offset && offset <= span.end;
    let begun = if inside { span.start } else { span.end };
    let typed = Span { start: begun, end: offset.max(begun), ..span };
    let mut before = source_tokens(typed, file.slice(typed));
    if before.last().is_some_and(|last| last.span.end == offset && matches!(last.kind, SourceTokenKind::Word { .. })) {
        before.pop();
    }
    let whole = if inside { span } else { typed };
    let schema = if inside { at.schema.clone() } else { at.after.clone() };
    Some(Point { span: whole, text: file.slice(whole).to_owned(), before, schema, session: (*at.session).clone() })
}

fn candidates(point: &Point) -> Vec<CompletionItem> {
    let named = named_relations(point.span, &point.text, &point.schema, &point.session);
    if let Some(qualifier) = qualifier(&point.before) {
        let of_relation: Vec<_> = named
            .iter()
            .filter(|(words, _)| words.contains(&qualifier))
            .flat_map(|(_, relation)| columns(relation))
            .collect();
        return if of_relation.is_empty() { relations(point, Some(&qualifier)) } else { of_relation };
    }
    let names_relation = matches!(point.before.last().map(|last| &last.kind), Some(SourceTokenKind::Word { name, quoted: false })
        if BEFORE_RELATIONS.contains(&name.as_str()));
    let of_relations = named.iter().flat_map(|(_, relation)| columns(relation));
    match names_relation {
        true => relations(point, None),
        false => of_relations.chain(relations(point, None)).collect(),
    }
}

/// `orders` of `orders.`.
fn qualifier(before: &[SourceToken]) -> Option<Name> {
    match before {
        [
            ..,
            SourceToken { kind: SourceTokenKind::Word { name, .. }, .. },
            SourceToken { kind: SourceTokenKind::Sign(dot), .. },
        ] => (dot == ".").then(|| name.clone()),
        _ => None,
    }
}

fn columns(relation: &Relation) -> Vec<CompletionItem> {
    let item = |column: &pgassay::schema::Column| CompletionItem {
        label: column.name.to_string(),
        kind: Some(CompletionItemKind::FIELD),
        detail: Some(format!("{} of {}", column.data_type.written, relation.name)),
        sort_text: Some(format!("0{}", column.name)),
        ..CompletionItem::default()
    };
    relation.columns.iter().map(item).collect()
}

/// Those of one schema, or all: without its schema where the search path finds it.
fn relations(point: &Point, of: Option<&Name>) -> Vec<CompletionItem> {
    let wanted = |relation: &&std::sync::Arc<Relation>| {
        relation.is_queryable() && of.is_none_or(|schema| relation.name.schema == *schema)
    };
    let item = |relation: &std::sync::Arc<Relation>| {
        let short = of.is_some() || point.session.search_path.contains(&relation.name.schema);
        let label = if short { relation.name.name.to_string() } else { relation.name.to_string() };
        CompletionItem {
            sort_text: Some(format!("1{label}")),
            label,
            kind: Some(CompletionItemKind::STRUCT),
            detail: Some(relation.noun().to_owned()),
            ..CompletionItem::default()
        }
    };
    point.schema.relations.values().filter(wanted).map(item).collect()
}
