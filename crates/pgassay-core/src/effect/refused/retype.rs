//! ALTER COLUMN … TYPE: the cast, the default, and what is made again for the new type (ATPrepAlterColumnType, ATExecAlterColumnType and
//! ATPostAlterTypeCleanup, tablecmds.c).

use sqlparser::ast;

use super::super::predictor::Predictor;
use crate::catalog::Volatility;
use crate::change::{AlterTable, AlterTableActionKind, Expression, Ident, IndexTarget, TypeName};
use crate::expression::{self, Place, Unfit};
use crate::schema::{Column, ConstraintKind, Relation, RelationKind, Schema};
use crate::source::Span;

impl Predictor<'_> {
    pub(super) fn refuse_retype(
        &mut self,
        alter: &AlterTable,
        table: &Relation,
        (after, later): (&Schema, &Relation),
        (column, written, using): (&Ident, &TypeName, Option<&Expression>),
    ) {
        let Some(old) = table.column(&column.name).cloned() else { return };
        if self.refuse_column_of_partition_key(table, &old, column) {
            return;
        }
        if old.inherited > 0 && !old.local && !alter.only {
            let message = format!("cannot alter inherited column \"{}\"", column.name.as_str());
            return self.refused(column.span, &column.name, message);
        }
        if let Some(using) = using.filter(|_| old.generated.is_some()) {
            let message = "cannot specify USING when altering type of generated column";
            return self.refused(using.span, &column.name, message);
        }
        let new = expression::resolve_type(written, self.scope_on(after, None));
        if self.refuse_column_type(column, &new, written) {
            return;
        }
        if old.identity.is_some() {
            self.refuse_identity_type(column.name.as_str(), &new, after, written.span);
        }
        if self.refuse_values(table, &old, &new, column, written.span, using) {
            return;
        }
        if self.refuse_old_default(alter, table, &old, &new, column) {
            return;
        }
        self.refuse_remade(table, &old, (after, later), written.span);
        self.refuse_unlike_keys(table, &old, (after, later), written.span);
    }

    fn refuse_column_of_partition_key(&mut self, table: &Relation, old: &Column, column: &Ident) -> bool {
        let RelationKind::PartitionedTable(key) = &table.kind else { return false };
        let in_expression = key.elements.iter().any(|element| match &element.target {
            IndexTarget::Expression(it) => crate::schema::columns_named(&it.tree, table).contains(&old.id),
            IndexTarget::Column(_) => false,
        });
        let part = key.columns.contains(&old.id) || in_expression;
        if part {
            let message = format!(
                "cannot alter column \"{}\" because it is part of the partition key of relation \"{}\"",
                column.name.as_str(),
                table.name.name.as_str()
            );
            self.refused(column.span, &column.name, message);
        }
        part
    }

    /// The values: cast by assignment, or computed by USING.
    fn refuse_values(
        &mut self,
        table: &Relation,
        old: &Column,
        new: &crate::schema::ColumnType,
        column: &Ident,
        span: Span,
        using: Option<&Expression>,
    ) -> bool {
        let name = column.name.as_str();
        let schema = self.context.schema;
        let wanted = expression::type_word(new, self.scope_on(schema, None));
        let Some(using) = using else {
            let fits = expression::is_assignable(&old.data_type, new, self.scope_on(schema, None));
            if !fits {
                let message = format!("column \"{name}\" cannot be cast automatically to type {wanted}");
                self.refused(span, name, message);
            }
            return !fits;
        };
        let scope = self.scope_on(schema, Some(table));
        if self.refuse_expression(using, Place::Transform, scope) {
            return true;
        }
        match expression::unfit(&using.tree, new, scope) {
            Some(Unfit::Type(_)) => {
                let message = format!(
                    "result of USING clause for column \"{name}\" cannot be cast automatically to type {wanted}"
                );
                self.refused(using.span, name, message);
                true
            }
            Some(Unfit::Literal(message)) => {
                self.refused(using.span, name, message);
                true
            }
            None => false,
        }
    }

    /// The default stays, cast by assignment, unless the statement drops it.
    fn refuse_old_default(
        &mut self,
        alter: &AlterTable,
        table: &Relation,
        old: &Column,
        new: &crate::schema::ColumnType,
        column: &Ident,
    ) -> bool {
        let dropped = alter.actions.iter().any(|action| {
            matches!(&action.kind, AlterTableActionKind::DropDefault { column: other } if other.name == column.name)
        });
        let Some(default) = old.default.as_ref().filter(|_| !dropped) else { return false };
        let schema = self.context.schema;
        let scope = self.scope_on(schema, Some(table));
        if is_null(&default.tree) {
            return false;
        }
        // What the default was cast to implicitly is stripped: a literal has the column's old type.
        let of = match expression::is_literal(&default.tree, scope) {
            true => Some(old.data_type.clone()),
            false => expression::type_of(&default.tree, scope),
        };
        let Some(of) = of else { return false };
        let fits = expression::is_assignable(&of, new, scope);
        if !fits {
            let wanted = expression::type_word(new, scope);
            let message = format!(
                "default for column \"{}\" cannot be cast automatically to type {wanted}",
                column.name.as_str()
            );
            self.refused(column.span, &column.name, message);
        }
        !fits
    }

    /// Indexes and checks are printed and read again, with the column's new type.
    fn refuse_remade(&mut self, table: &Relation, old: &Column, (after, later): (&Schema, &Relation), span: Span) {
        let before = self.context.schema;
        let stored = |expression: &Expression| -> Expression {
            let tree = expression::as_stored(&expression.tree, self.scope_on(before, Some(table)));
            Expression { tree: tree.into(), ..expression.clone() }
        };
        let mut remade: Vec<(Expression, Place)> = Vec::new();
        for index in before.indexes_of(table.id).filter(|it| after.relation(it.id).is_some()) {
            let Some(it) = index.as_index().filter(|it| it.mentions.contains(&old.id)) else { continue };
            remade.extend(it.predicate.iter().map(|it| (stored(it), Place::IndexPredicate)));
            remade.extend(it.elements.iter().filter_map(|element| match &element.target {
                IndexTarget::Expression(it) => Some((stored(it), Place::IndexExpression)),
                IndexTarget::Column(_) => None,
            }));
        }
        let kept =
            |it: &&crate::schema::Constraint| later.constraint(&it.name).is_some_and(|kept| kept.kind == it.kind);
        for constraint in table.constraints.iter().filter(kept) {
            if let ConstraintKind::Check { expression, columns } = &constraint.kind
                && columns.contains(&old.id)
            {
                remade.push((stored(expression), Place::Check));
            }
        }
        for (expression, place) in remade {
            let scope = self.scope_on(after, Some(later));
            if let Some(first) = expression::refusals(&expression.tree, place, scope).first() {
                return self.refused(span, &table.name, first.message.clone());
            }
            let mutable = after.complete
                && place != Place::Check
                && expression::least_volatility(&expression.tree, scope) != Volatility::Immutable;
            if mutable {
                let what = if place == Place::IndexPredicate { "predicate" } else { "expression" };
                return self.refused(span, &table.name, format!("functions in index {what} must be marked IMMUTABLE"));
            }
        }
    }

    /// Foreign keys on either side are made again.
    fn refuse_unlike_keys(&mut self, table: &Relation, old: &Column, (after, later): (&Schema, &Relation), span: Span) {
        let mut keys: Vec<(&Relation, &crate::schema::Constraint)> = Vec::new();
        keys.extend(later.constraints.iter().map(|constraint| (later, constraint)));
        for (other, constraint) in after.foreign_keys_to(table.id) {
            keys.extend(after.relation(other).map(|other| (&**other, constraint)));
        }
        for (owner, constraint) in keys {
            let ConstraintKind::ForeignKey(key) = &constraint.kind else { continue };
            let Some(referenced) = after.relation(key.referenced) else { continue };
            let concerned = owner.id == table.id && key.columns.contains(&old.id)
                || key.referenced == table.id && key.referenced_columns.contains(&old.id);
            let types = key.columns.iter().zip(&key.referenced_columns).filter_map(|(own, other)| {
                Some((&owner.column_by_id(*own)?.data_type, &referenced.column_by_id(*other)?.data_type))
            });
            let scope = self.scope_on(after, None);
            if concerned && types.into_iter().any(|(own, other)| !expression::can_reference(own, other, scope)) {
                let message = format!("foreign key constraint \"{}\" cannot be implemented", constraint.name.as_str());
                return self.refused(span, &table.name, message);
            }
        }
    }
}

fn is_null(tree: &ast::Expr) -> bool {
    match tree {
        ast::Expr::Nested(inner) | ast::Expr::Cast { expr: inner, .. } => is_null(inner),
        ast::Expr::Value(value) => value.value == ast::Value::Null,
        _ => false,
    }
}
