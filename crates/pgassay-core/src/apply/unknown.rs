//! Names of columns that mean nothing: in views, checks, policies, index expressions and statements on rows.

use sqlparser::ast;

use super::{Applied, Applier, Problem};
use crate::change::{Change, Copy, Expression};
use crate::expression;
use crate::schema::{RelationId, Schema, Session};
use crate::source::{FileId, Span};
use crate::sql::{can_name_column, tree_span};
use crate::version::PgVersion;

/// The columns that a statement on rows names and that do not exist, where the schema is complete. Not for a statement of a PL/pgSQL
/// body or a function: there a name may be a variable.
pub fn unknown_columns(
    schema: &Schema,
    change: &Change,
    session: &Session,
    version: PgVersion,
    span: Span,
) -> Vec<Problem> {
    let tree = match change {
        Change::Insert(insert) => &insert.tree,
        Change::Update(update) => &update.tree,
        Change::Delete(delete) => &delete.tree,
        Change::Merge(merge) => &merge.tree,
        Change::Select(select) => &select.tree,
        Change::Copy(copy) => return unknown_to_copy(schema, copy, session, version),
        Change::Prepare { change, .. } | Change::DeclareCursor { change, .. } | Change::Explain { change, .. } => {
            return unknown_columns(schema, change, session, version, span);
        }
        _ => return Vec::new(),
    };
    if !schema.complete {
        return Vec::new();
    }
    // The schema stays as it is; what applies needs one that it may change.
    let mut schema = schema.clone();
    let mut applier = Applier { schema: &mut schema, session, version, applied: Applied::default() };
    let analysis = expression::analyze_statement(&tree.0, applier.scope(None));
    applier.missing_in(&analysis, span);
    applier.applied.problems
}

/// The columns of COPY's list, of its WHERE or of its query.
fn unknown_to_copy(schema: &Schema, copy: &Copy, session: &Session, version: PgVersion) -> Vec<Problem> {
    if !schema.complete {
        return Vec::new();
    }
    let mut schema = schema.clone();
    let mut applier = Applier { schema: &mut schema, session, version, applied: Applied::default() };
    if let Some(query) = &copy.query {
        let analysis = expression::analyze_query(&query.tree, applier.scope(None));
        applier.missing_in(&analysis, query.span);
    }
    let table = copy.table.as_ref().and_then(|name| applier.schema.find_relation(name, session)).cloned();
    let Some(table) = table.filter(|it| it.known && !applier.schema.is_doubtful(it)) else {
        return applier.applied.problems;
    };
    for column in copy.columns.iter().filter(|it| table.column(&it.name).is_none()) {
        let (name, table) = (column.name.as_str(), table.name.name.as_str());
        let message = format!("column \"{name}\" of relation \"{table}\" does not exist");
        applier.missing(column.span, &column.name, message);
    }
    if let Some(predicate) = &copy.predicate {
        applier.check_columns(table.id, predicate);
    }
    applier.applied.problems
}

/// The relations that a statement on rows reads and that do not exist, where the schema is complete; its target is told when it is
/// applied.
pub fn missing_relations(schema: &Schema, change: &Change, session: &Session, version: PgVersion) -> Vec<Problem> {
    let uses = match change {
        Change::Insert(insert) => &insert.uses,
        Change::Update(update) => &update.uses,
        Change::Delete(delete) => &delete.uses,
        Change::Merge(merge) => &merge.uses,
        Change::Select(select) => &select.uses,
        Change::Copy(copy) => &copy.uses,
        Change::Prepare { change, .. } | Change::DeclareCursor { change, .. } | Change::Explain { change, .. } => {
            return missing_relations(schema, change, session, version);
        }
        _ => return Vec::new(),
    };
    // `FROM current_date` calls a function.
    let missing = |name: &crate::change::ObjectName| {
        let doubtful = schema.is_disturbed() || schema.is_doubtful_name(name.name.as_str());
        schema.find_relation(name, session).is_none() && can_name_column(name.name.as_str()) && !doubtful
    };
    let missing: Vec<_> = uses.iter().map(|used| &used.relation).filter(|name| missing(name)).collect();
    let missing: Vec<_> = missing.into_iter().filter(|name| schema.lacks(name, session)).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let mut schema = schema.clone();
    let mut applier = Applier { schema: &mut schema, session, version, applied: Applied::default() };
    applier.tables_named(missing);
    applier.applied.problems
}

impl Applier<'_> {
    /// Says which columns of a statement on rows do not exist, where its relations are known.
    fn missing_in(&mut self, analysis: &expression::QueryAnalysis, span: Span) {
        let doubtful = |id: &RelationId| self.schema.relation(*id).is_some_and(|it| self.schema.is_doubtful(it));
        if !analysis.uses.iter().any(|(id, _)| doubtful(id)) && !self.schema.is_disturbed() {
            self.missing_columns(&analysis.unknown_columns, span.file, span);
        }
    }

    /// Says that columns do not exist; `whole` is the place where a name has none of its own.
    pub(super) fn missing_columns(&mut self, unknown: &[ast::Ident], file: FileId, whole: Span) {
        for ident in unknown {
            let span = tree_span(file, ident.span).filter(|span| whole.contains(*span)).unwrap_or(whole);
            let name = if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_ascii_lowercase() };
            self.missing(span, name.as_str(), format!("column \"{name}\" does not exist"));
        }
    }

    /// Columns that an expression over a table names, and that the table does not have.
    pub(super) fn check_columns(&mut self, table: RelationId, expression: &Expression) {
        let Some(relation) = self.schema.relation(table).filter(|relation| relation.known).cloned() else { return };
        let unknown = expression::analyze_expression(&expression.tree, self.scope(Some(&relation))).unknown_columns;
        self.missing_columns(&unknown, expression.span.file, expression.span);
    }
}
