//! What a statement writes into rows, and the foreign keys that are looked up for it (ri_triggers.c).

use std::sync::Arc;

use sqlparser::ast;

use super::predictor::Predictor;
use crate::catalog::LockMode::{RowExclusive, RowShare};
use crate::change::{Name, ReferentialAction};
use crate::schema::{ColumnId, ConstraintKind, Relation};
use crate::source::Span;

/// `column = value` of SET; a value that cannot be told apart from others of the same subquery is `None`.
pub(super) struct Assignment<'a> {
    pub column: Name,
    pub value: Option<&'a ast::Expr>,
}

impl Assignment<'_> {
    /// `a = a`: keys that stay as they are are not looked up (`RI_FKey_fk_upd_check_required`).
    pub fn is_unchanged(&self) -> bool {
        self.value.and_then(named).is_some_and(|name| name == self.column)
    }

    fn is_null(&self) -> bool {
        self.value.is_some_and(is_null)
    }
}

pub(super) fn assignments(list: &[ast::Assignment]) -> Vec<Assignment<'_>> {
    let mut found = Vec::new();
    for assignment in list {
        match &assignment.target {
            ast::AssignmentTarget::ColumnName(name) => {
                let value = Some(&assignment.value);
                found.extend(column(name).map(|column| Assignment { column, value }));
            }
            ast::AssignmentTarget::Tuple(names) => {
                let values = match &assignment.value {
                    ast::Expr::Tuple(values) => &values[..],
                    _ => &[],
                };
                for (at, name) in names.iter().enumerate() {
                    found.extend(column(name).map(|column| Assignment { column, value: values.get(at) }));
                }
            }
        }
    }
    found
}

/// The rows that a query gives, value by value, where they can be seen: VALUES, and lists of SELECT without `*`.
pub(super) fn rows(query: &ast::Query) -> Vec<Vec<&ast::Expr>> {
    body_rows(&query.body)
}

fn body_rows(body: &ast::SetExpr) -> Vec<Vec<&ast::Expr>> {
    match body {
        ast::SetExpr::Values(values) => values.rows.iter().map(|row| row.content.iter().collect()).collect(),
        ast::SetExpr::Query(query) => rows(query),
        ast::SetExpr::Select(select) => {
            let item = |item| match item {
                &ast::SelectItem::UnnamedExpr(ref expr) | &ast::SelectItem::ExprWithAlias { ref expr, .. } => {
                    Some(expr)
                }
                _ => None,
            };
            select.projection.iter().map(item).collect::<Option<Vec<_>>>().into_iter().collect()
        }
        _ => Vec::new(),
    }
}

impl Predictor<'_> {
    /// RI_FKey_check: the referenced row of every new key without NULLs is locked FOR KEY SHARE. Without rows nothing is known of
    /// the values of the listed columns.
    pub fn look_up_inserted(
        &mut self,
        table: &Relation,
        listed: &[Name],
        rows: &[Vec<&ast::Expr>],
        shown: impl Fn(ColumnId) -> bool,
        span: Span,
    ) {
        if self.context.session.replica_role {
            return;
        }
        let given = |column: ColumnId, row: Option<&Vec<&ast::Expr>>| {
            let Some(column) = table.column_by_id(column).filter(|_| shown(column)) else { return false };
            let value = listed.iter().position(|name| *name == column.name).map(|at| row.and_then(|row| row.get(at)));
            match value {
                Some(Some(value)) if is_null(value) => false,
                Some(Some(value)) if is_default(value) => column.default.is_some(),
                Some(_) => true,
                None => column.default.is_some(),
            }
        };
        for (_, key) in table.foreign_keys().filter(|(constraint, _)| constraint.enforced) {
            let complete = |row: Option<&Vec<&ast::Expr>>| key.columns.iter().all(|column| given(*column, row));
            let written = if rows.is_empty() { complete(None) } else { rows.iter().any(|row| complete(Some(row))) };
            if written {
                self.lock_id(key.referenced, RowShare, span);
            }
        }
    }

    /// RI_FKey_check after an UPDATE: only where the key changes, and to one without NULLs.
    pub fn look_up_assigned(&mut self, table: &Relation, assignments: &[Assignment], span: Span) {
        if self.context.session.replica_role {
            return;
        }
        for (constraint, key) in table.foreign_keys() {
            let names = key.columns.iter().filter_map(|id| table.column_by_id(*id)).map(|column| &column.name);
            let of_key: Vec<_> = names.filter_map(|name| assignments.iter().find(|it| it.column == *name)).collect();
            let changes = of_key.iter().any(|it| !it.is_unchanged()) && !of_key.iter().any(|it| it.is_null());
            if constraint.enforced && changes {
                self.lock_id(key.referenced, RowShare, span);
            }
        }
    }

    /// What a referential action does to the tables that reference a changed or deleted key.
    pub fn tell_referencing(&mut self, table: &Relation, changed: Option<&[ColumnId]>, span: Span) {
        if self.context.session.replica_role {
            return;
        }
        let keys: Vec<_> = self.schema().foreign_keys_to(table.id).map(|(id, it)| (id, it.clone())).collect();
        for (id, constraint) in keys {
            let ConstraintKind::ForeignKey(key) = &constraint.kind else { continue };
            if changed.is_some_and(|it| !key.referenced_columns.iter().any(|column| it.contains(column))) {
                continue;
            }
            let action = if changed.is_some() { key.on_update } else { key.on_delete };
            let mode = match action {
                ReferentialAction::NoAction | ReferentialAction::Restrict => RowShare,
                _ => RowExclusive,
            };
            let Some(other): Option<Arc<Relation>> = self.relation(id).cloned() else { continue };
            for part in self.family(&other, !other.is_partitioned()) {
                self.lock(&part, mode, span);
                let indexed = key.columns.first().is_some_and(|column| self.is_indexed(&part, *column));
                if !indexed {
                    self.scan(&part, span, "no index finds the rows that reference a key");
                }
            }
        }
    }
}

/// The column that a target of SET or of an INSERT's list names; `a.field` is a part of `a`.
pub(super) fn column(name: &ast::ObjectName) -> Option<Name> {
    name.0.first().and_then(|part| part.as_ident()).map(Name::of_ident)
}

/// The column that an expression is, without its table.
fn named(expression: &ast::Expr) -> Option<Name> {
    match expression {
        ast::Expr::Nested(inner) => named(inner),
        ast::Expr::Identifier(ident) => Some(Name::of_ident(ident)),
        _ => None,
    }
}

fn is_null(value: &ast::Expr) -> bool {
    match value {
        ast::Expr::Nested(inner) | ast::Expr::Cast { expr: inner, .. } => is_null(inner),
        ast::Expr::Value(value) => value.value == ast::Value::Null,
        _ => false,
    }
}

fn is_default(value: &ast::Expr) -> bool {
    named(value).is_some_and(|name| name == "default")
}
