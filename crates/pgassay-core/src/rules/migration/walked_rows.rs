//! An UPDATE or DELETE of all rows as a walk: the same change of a few thousand rows at a time, in the order of the key.
//!
//! In: the statement and what it meets. Out: how a script walks through it, which can be stopped and run again. None where a second run would change a row once
//! more (`n = n + 1`), or where what is done to one row depends on what was done to others.

use std::ops::ControlFlow;

use sqlparser::ast::{self, AssignmentTarget, Expr};

use crate::catalog::Volatility;
use crate::change::{Change, Expression, Ident, Name, RelationUse};
use crate::expression;
use crate::finding::Walk;
use crate::rules::context::StepContext;
use crate::schema::{ConstraintKind, Relation};
use crate::source::Span;
use crate::walk;

pub(super) fn walked(context: &StepContext) -> Option<Walk> {
    let (table, predicate, uses) = match context.change()? {
        Change::Update(update) => (&update.table, &update.predicate, &update.uses),
        Change::Delete(delete) => (&delete.table, &delete.predicate, &delete.uses),
        _ => return None,
    };
    let found = context.step.schema.find_relation(table, &context.step.session)?;
    let relation: &Relation = found;
    let key = key(relation)?;
    let is_repeatable = match context.change()? {
        Change::Update(update) => is_repeatable_update(context, relation, &update.tree.0, &update.columns, predicate),
        Change::Delete(delete) => is_plain_delete(&delete.tree.0),
        _ => false,
    };
    let meets_itself = uses.iter().any(|it: &RelationUse| it.relation.name == table.name);
    let assigns_key =
        matches!(context.change()?, Change::Update(update) if update.columns.iter().any(|it| key.contains(&&it.name)));
    if !is_repeatable || meets_itself || assigns_key {
        return None;
    }
    let statement = context.step.span();
    let text = context.text(statement).trim_end_matches([';', ' ', '\n', '\r', '\t']);
    let change = match predicate {
        Some(condition) => {
            let before = context.text(Span { end: condition.span.start, ..statement });
            format!("{before}({})", condition.text)
        }
        None => format!("{text} WHERE true"),
    };
    // With its schema where the statement writes it.
    let table = context.text(table.span).to_owned();
    Some(Walk { table, change, key: key.into_iter().map(ToString::to_string).collect() })
}

fn key(relation: &Relation) -> Option<Vec<&Name>> {
    let ConstraintKind::PrimaryKey { columns, .. } = &relation.primary_key()?.kind else { return None };
    let names: Vec<&Name> =
        columns.iter().filter_map(|id| relation.column_by_id(*id)).map(|column| &column.name).collect();
    (relation.known && !names.is_empty() && names.len() == columns.len()).then_some(names)
}

fn is_plain_delete(tree: &ast::Statement) -> bool {
    matches!(tree, ast::Statement::Delete(delete) if delete.using.is_none() && delete.returning.is_none())
}

/// Whether a row that it met before is the same after a second time, or is passed over.
fn is_repeatable_update(
    context: &StepContext,
    relation: &Relation,
    tree: &ast::Statement,
    columns: &[Ident],
    predicate: &Option<Expression>,
) -> bool {
    let ast::Statement::Update(update) = tree else { return false };
    let is_plain = update.from.is_none()
        && update.returning.is_none()
        && update.limit.is_none()
        && update.table.joins.is_empty()
        && update.assignments.iter().all(|it| matches!(it.target, AssignmentTarget::ColumnName(_)));
    let scope = expression::Scope {
        schema: &context.step.schema,
        session: &context.step.session,
        version: context.run.version,
        relation: Some(relation),
        value: None,
    };
    let passes_over = predicate.as_ref().is_some_and(|condition| asks_for_null(&condition.tree, columns));
    let is_same_again = |value: &Expr| {
        !columns.iter().any(|column| names(value, column))
            && (passes_over || expression::volatility(value, scope) != Volatility::Volatile)
    };
    is_plain && update.assignments.iter().all(|it| is_same_again(&it.value))
}

/// Whether a row with a value in one of the columns is passed over.
fn asks_for_null(condition: &Expr, columns: &[Ident]) -> bool {
    match condition {
        Expr::Nested(inner) => asks_for_null(inner, columns),
        Expr::BinaryOp { left, op: ast::BinaryOperator::And, right } => {
            asks_for_null(left, columns) || asks_for_null(right, columns)
        }
        Expr::IsNull(inner) => columns.iter().any(|column| is_column(inner, column)),
        _ => false,
    }
}

fn is_column(expression: &Expr, column: &Ident) -> bool {
    let is_it = |name: &ast::Ident| match name.quote_style {
        None => Name::folded(&name.value) == column.name,
        Some(_) => Name::new(&name.value) == column.name,
    };
    match expression {
        Expr::Identifier(name) => is_it(name),
        Expr::CompoundIdentifier(parts) => parts.iter().any(is_it),
        Expr::Nested(inner) => is_column(inner, column),
        _ => false,
    }
}

fn names(expression: &Expr, column: &Ident) -> bool {
    let found = walk::visit_expressions(expression, |part| {
        if is_column(part, column) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found.is_break()
}
