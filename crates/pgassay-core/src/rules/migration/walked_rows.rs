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
    let row = match context.change()? {
        Change::Update(update) => row_beside_others(&update.tree.0, &table.name),
        _ => None,
    };
    let is_repeatable = match context.change()? {
        Change::Update(update) => {
            let targets = Targets { columns: &update.columns, row: row.as_ref() };
            is_repeatable_update(context, relation, &update.tree.0, targets, predicate)
        }
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
    let key = key.into_iter().map(ToString::to_string).collect();
    Some(Walk { table, change, key, row: row.map(|row| row.to_string()) })
}

/// What an UPDATE calls a row of its table, where FROM names other tables.
fn row_beside_others(tree: &ast::Statement, table: &Name) -> Option<Name> {
    let ast::Statement::Update(update) = tree else { return None };
    update.from.as_ref()?;
    match &update.table.relation {
        ast::TableFactor::Table { alias: Some(alias), .. } => Some(Name::of_ident(&alias.name)),
        _ => Some(table.clone()),
    }
}

/// The columns that an UPDATE sets, and what it calls their row where others have columns of the same name.
#[derive(Clone, Copy)]
struct Targets<'a> {
    columns: &'a [Ident],
    row: Option<&'a Name>,
}

impl Targets<'_> {
    fn is_one(self, expression: &Expr) -> bool {
        let is_column = |name: &ast::Ident| self.columns.iter().any(|column| column.name == Name::of_ident(name));
        match expression {
            Expr::Identifier(name) => is_column(name),
            Expr::CompoundIdentifier(parts) => match (parts.as_slice(), self.row) {
                ([row, column], Some(own)) => Name::of_ident(row) == *own && is_column(column),
                _ => parts.iter().any(is_column),
            },
            Expr::Nested(inner) => self.is_one(inner),
            _ => false,
        }
    }

    fn are_in(self, expression: &Expr) -> bool {
        let found = walk::visit_expressions(expression, |part| {
            if self.is_one(part) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        found.is_break()
    }
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
    targets: Targets,
    predicate: &Option<Expression>,
) -> bool {
    let ast::Statement::Update(update) = tree else { return false };
    let is_plain = update.returning.is_none()
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
    let passes_over = predicate.as_ref().is_some_and(|condition| asks_for_null(&condition.tree, targets));
    let is_same_again = |value: &Expr| {
        !targets.are_in(value) && (passes_over || expression::volatility(value, scope) != Volatility::Volatile)
    };
    is_plain && update.assignments.iter().all(|it| is_same_again(&it.value))
}

/// Whether a row with a value in one of the columns is passed over.
fn asks_for_null(condition: &Expr, targets: Targets) -> bool {
    match condition {
        Expr::Nested(inner) => asks_for_null(inner, targets),
        Expr::BinaryOp { left, op: ast::BinaryOperator::And, right } => {
            asks_for_null(left, targets) || asks_for_null(right, targets)
        }
        Expr::IsNull(inner) => targets.is_one(inner),
        _ => false,
    }
}
