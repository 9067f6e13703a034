//! Statements that read and write rows, and those that touch no relation.
//!
//! sqlparser reads queries and INSERT, UPDATE, DELETE, MERGE; what the models need is taken out of its tree here.

use std::sync::Arc;

use sqlparser::ast::{self, AssignmentTarget, OnConflictAction, OnInsert, SetExpr, Statement, TableObject};
use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result, is_word};
use super::uses::{Source, collect, factor_name, ident, is_only, object_name, reserved_name};
use super::{command, copy, set_config};
use crate::change::{
    Change, CreateTableAs, Delete, Expression, Ident, Insert, Merge, OnConflict, Persistence, Query, Select, Tree,
    Update,
};
use crate::sql::kept;

pub(super) fn read(reader: &mut Reader) -> Result<Change> {
    let Token::Word(word) = reader.peek() else {
        return if reader.at(&Token::LParen) { rows(reader) } else { Err(reader.error("a statement")) };
    };
    match word.value.to_ascii_lowercase().as_str() {
        "select" | "values" | "table" | "with" | "insert" | "update" | "delete" | "merge" => rows(reader),
        "copy" => copy::copy(reader),
        _ => command::read(reader),
    }
}

/// A query, or a statement that writes rows, perhaps behind WITH.
pub(super) fn rows(reader: &mut Reader) -> Result<Change> {
    let start = reader.position();
    reader.rewrite_names(start, usize::MAX);
    // `TABLE t` is a query that sqlparser does not take for a statement.
    let tree = match reader.at_any_word(&["INSERT", "UPDATE", "DELETE", "MERGE"]) {
        true => reader.parser_statement()?,
        false => Statement::Query(reader.parser_query()?),
    };
    reader.expect_end()?;
    let source = Source { span: reader.span_from(start), text: reader.text_from(start) };
    if let Some(error) = reserved_name(&tree, source) {
        return Err(error);
    }
    change(reader, start, tree, source)
}

fn change(reader: &Reader, start: usize, tree: Statement, source: Source) -> Result<Change> {
    let tree = Arc::new(tree);
    let statement = match &*tree {
        Statement::Query(query) => match &*query.body {
            SetExpr::Insert(inner) | SetExpr::Update(inner) | SetExpr::Delete(inner) | SetExpr::Merge(inner) => inner,
            _ => return Ok(select(&tree, query, source)),
        },
        statement => statement,
    };
    let uses = collect(&*tree, Some(statement), source);
    let tree = Tree(tree.clone());
    let no_table = || reader.error("the name of a table");
    match statement {
        Statement::Insert(insert) => insert_change(insert, uses, tree.clone(), source).ok_or_else(no_table),
        Statement::Update(update) => {
            let table =
                factor_name(&update.table.relation).map(|name| object_name(source, name)).ok_or_else(no_table)?;
            let columns =
                update.assignments.iter().flat_map(|assignment| assigned(&assignment.target, source)).collect();
            let predicate = update.selection.as_ref().map(|tree| predicate(reader, start, tree));
            let only = is_only(source, &table);
            Ok(Change::Update(Update { table, only, columns, predicate, uses, tree: tree.clone() }))
        }
        Statement::Delete(delete) => {
            let (ast::FromTable::WithFromKeyword(from) | ast::FromTable::WithoutKeyword(from)) = &delete.from;
            let table = from.first().and_then(|table| factor_name(&table.relation));
            let table = table.map(|name| object_name(source, name)).ok_or_else(no_table)?;
            let predicate = delete.selection.as_ref().map(|tree| predicate(reader, start, tree));
            let only = is_only(source, &table);
            Ok(Change::Delete(Delete { table, only, predicate, uses, tree: tree.clone() }))
        }
        Statement::Merge(merge) => {
            let table = factor_name(&merge.table).map(|name| object_name(source, name)).ok_or_else(no_table)?;
            let only = is_only(source, &table);
            Ok(Change::Merge(Merge { table, only, uses, tree: tree.clone() }))
        }
        _ => Err(reader.error("SELECT, INSERT, UPDATE, DELETE or MERGE")),
    }
}

fn select(tree: &Arc<Statement>, query: &ast::Query, source: Source) -> Change {
    if let Some(set) = set_config::set_config(query, source.span) {
        return Change::Set(set);
    }
    match into(query, source) {
        Some(create) => Change::CreateTableAs(create),
        None => {
            Change::Select(Select { span: source.span, uses: collect(&**tree, None, source), tree: Tree(tree.clone()) })
        }
    }
}

/// SELECT … INTO is CREATE TABLE … AS of the query without INTO.
fn into(query: &ast::Query, source: Source) -> Option<CreateTableAs> {
    let into = query.body.as_select()?.into.as_ref()?;
    let name = match into.targets.first()? {
        ast::Expr::Identifier(name) => ast::ObjectName::from(vec![name.clone()]),
        ast::Expr::CompoundIdentifier(parts) => ast::ObjectName::from(parts.clone()),
        _ => return None,
    };
    let persistence = match (into.temporary, into.unlogged) {
        (true, _) => Persistence::Temporary,
        (_, true) => Persistence::Unlogged,
        _ => Persistence::Permanent,
    };
    let mut tree = query.clone();
    if let SetExpr::Select(select) = &mut *tree.body {
        select.into = None;
    }
    let query = Query { span: source.span, text: source.text.into(), tree: Arc::new(tree) };
    let name = object_name(source, &name);
    Some(CreateTableAs {
        name,
        if_not_exists: false,
        persistence,
        columns: Vec::new(),
        query: Some(query),
        with_no_data: false,
        until_commit: false,
    })
}

fn insert_change(
    insert: &ast::Insert,
    uses: Vec<crate::change::RelationUse>,
    tree: Tree,
    source: Source,
) -> Option<Change> {
    let TableObject::TableName(name) = &insert.table else { return None };
    let rows = match insert.source.as_ref().map(|query| (&query.with, &*query.body)) {
        None => Some(1),
        Some((None, SetExpr::Values(values))) => Some(values.rows.len()),
        Some(_) => None,
    };
    let on_conflict = match &insert.on {
        Some(OnInsert::OnConflict(conflict)) => Some(on_conflict(conflict, source)),
        _ => None,
    };
    let columns = insert.columns.iter().filter_map(|column| first_ident(column, source)).collect();
    // The tree does not keep it. In doubt it is there.
    let overrides = source.text.to_ascii_lowercase().contains("overriding");
    let table = object_name(source, name);
    Some(Change::Insert(Insert { table, columns, rows, on_conflict, overrides, uses, tree }))
}

fn on_conflict(conflict: &ast::OnConflict, source: Source) -> OnConflict {
    let inferred = kept::inference(conflict).unwrap_or_default();
    let of_file = |column: &ast::Ident| ident(source.span.file, column);
    let (columns, constraint) = match &conflict.conflict_target {
        Some(ast::ConflictTarget::Columns(columns)) => (columns.iter().map(of_file).collect(), None),
        Some(ast::ConflictTarget::OnConstraint(name)) if inferred.elements.is_empty() => {
            (Vec::new(), first_ident(name, source))
        }
        Some(ast::ConflictTarget::OnConstraint(_)) => {
            let plain = |element: &&ast::Expr| match element {
                ast::Expr::Identifier(column) => Some(of_file(column)),
                _ => None,
            };
            (inferred.elements.iter().map(plain).collect::<Option<_>>().unwrap_or_default(), None)
        }
        None => (Vec::new(), None),
    };
    OnConflict {
        columns,
        expressions: !inferred.elements.iter().all(|element| is_column(element)),
        constraint,
        has_predicate: inferred.predicate.is_some(),
        do_update: matches!(conflict.action, OnConflictAction::DoUpdate(_)),
    }
}

/// A column, perhaps with its collation and operator class.
fn is_column(element: &ast::Expr) -> bool {
    match element {
        ast::Expr::Identifier(_) => true,
        ast::Expr::Nested(inner) => is_column(inner),
        ast::Expr::Collate { expr, .. } | ast::Expr::Named { expr, .. } => is_column(expr),
        _ => false,
    }
}

/// The columns that SET assigns: `a`, `a.field`, `(a, b)`.
fn assigned(target: &AssignmentTarget, source: Source) -> Vec<Ident> {
    match target {
        AssignmentTarget::ColumnName(name) => first_ident(name, source).into_iter().collect(),
        AssignmentTarget::Tuple(names) => names.iter().filter_map(|name| first_ident(name, source)).collect(),
    }
}

fn first_ident(name: &ast::ObjectName, source: Source) -> Option<Ident> {
    name.0.first().and_then(|part| part.as_ident()).map(|part| ident(source.span.file, part))
}

/// The condition behind the WHERE that is in no parentheses: sqlparser's tree does not know where it begins and ends.
fn predicate(reader: &Reader, start: usize, tree: &ast::Expr) -> Expression {
    let (mut depth, mut first, mut last) = (0usize, start, reader.position());
    for position in start..reader.position() {
        match &reader.parser.token_at(position).token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            token if depth == 0 && is_word(token, "WHERE") => first = position + 1,
            token if depth == 0 && first > start && is_word(token, "RETURNING") => {
                last = position;
                break;
            }
            _ => {}
        }
    }
    let (from, to) = (reader.bytes_at(first).0, reader.bytes_at(last.saturating_sub(1)).1);
    let text = reader.text.text.get(from..to).unwrap_or_default().into();
    Expression { span: reader.text.span(from, to), text, tree: Arc::new(tree.clone()) }
}

#[cfg(test)]
#[path = "data_tests.rs"]
mod tests;
