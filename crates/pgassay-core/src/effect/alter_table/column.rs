//! Actions on columns: ADD, DROP, SET NOT NULL, SET EXPRESSION, SET DATA TYPE.

use std::borrow::Cow;

use super::Alter;
use crate::catalog::LockMode::AccessExclusive;
use crate::catalog::Volatility;
use crate::change::{
    AlterTableActionKind, Change, ColumnDefinition, Expression, Ident, Name, ObjectName, PrintedName, TypeName,
};
use crate::effect::FailsWhen;
use crate::effect::fold::folded;
use crate::effect::predictor::{Predictor, rows_of};
use crate::effect::type_change::{self, TypeChange};
use crate::expression;
use crate::schema::{Column, ConstraintKind, Index, NotNull, Object, Relation, ResolvedType, TypeDefinition, TypeId};
use crate::source::Span;

impl Predictor<'_> {
    pub(super) fn add_column(&mut self, state: &mut Alter, column: &ColumnDefinition, if_not_exists: bool) {
        if if_not_exists && state.relation.column(&column.name.name).is_some() && !state.drops(&column.name.name) {
            state.existing.push(column.name.name.clone());
            return;
        }
        state.added.push(column.name.name.clone());
        let rewrite = self.new_column_rewrites(&state.relation, column);
        if let Some(default) = &column.default {
            self.run_called_in(&default.tree, false, default.span);
        }
        // Columns are dropped in a pass before any is added (AT_PASS_DROP, tablecmds.c).
        let dropped = state.drops(&column.name.name);
        let has_it = |table: &Relation| table.column(&column.name.name).is_some() && !dropped;
        // A child that has the column is merged, and what is below it left alone (ATExecAddColumn).
        for table in self.descend(state, has_it) {
            if has_it(&table) {
                continue;
            }
            match &rewrite {
                Some((span, reason)) => self.rewrite(&table, *span, reason),
                None => self.new_column_not_null(&table, column),
            }
        }
    }

    /// NOT NULL without a default: no row there is can have a value.
    fn new_column_not_null(&mut self, table: &Relation, column: &ColumnDefinition) {
        let Some(not_null) = column.not_null else { return };
        if column.generated.as_ref().is_some_and(|it| !it.stored) {
            return self.scan(table, not_null, "the generated value of every row is checked for NULL");
        }
        if column.default.as_ref().is_some_and(|it| !it.is_null())
            || column.generated.is_some()
            || self.domain_default(column).is_some()
        {
            return;
        }
        self.scan(table, not_null, "NOT NULL is checked on every row");
        let message = format!(
            "column \"{}\" of relation \"{}\" contains null values",
            column.name.name.as_str(),
            table.name.name.as_str()
        );
        self.fail_on_rows(
            table,
            FailsWhen::AnyRow,
            not_null,
            PrintedName::part(&table.name, &column.name.name),
            message,
        );
    }

    /// Why a new column needs every row to be written (ATExecAddColumn, tablecmds.c).
    fn new_column_rewrites(&self, relation: &Relation, column: &ColumnDefinition) -> Option<(Span, String)> {
        let data_type = column.data_type.as_ref()?;
        if matches!(data_type.name.as_str(), "serial" | "serial4" | "serial8" | "serial2" | "bigserial" | "smallserial")
        {
            return Some((data_type.span, format!("{} takes a new number for every row", data_type.name.as_str())));
        }
        if let Some(identity) = &column.identity {
            return Some((identity.span, "the identity takes a new number for every row".to_owned()));
        }
        if let Some(generated) = &column.generated {
            let stored = generated.stored || !self.at_least(18);
            return stored.then(|| (generated.span, "the generated value is stored in every row".to_owned()));
        }
        let domain = self.schema().find_type(&data_type.schema, &data_type.name, self.context.session);
        let domain = domain.filter(|_| data_type.array_dimensions == 0);
        if domain.is_some_and(|it| self.has_constraints(it.id)) {
            let reason = format!("the domain {data_type} has constraints, so every row's value is checked");
            return Some((data_type.span, reason));
        }
        let written = column.default.as_ref();
        let default = written.cloned().or_else(|| self.domain_default(column))?;
        let scope = self.scope(None);
        let scope = crate::expression::Scope { relation: Some(relation), ..scope };
        if expression::volatility(folded(&default.tree), scope) != Volatility::Volatile {
            return None;
        }
        let span = if written.is_some() { default.span } else { data_type.span };
        Some((span, format!("the default {} is volatile, so every row gets its own value", default.text)))
    }

    pub fn domain_default(&self, column: &ColumnDefinition) -> Option<Expression> {
        let data_type = column.data_type.as_ref()?;
        let mut id = self.schema().find_type(&data_type.schema, &data_type.name, self.context.session)?.id;
        for _ in 0..32 {
            let TypeDefinition::Domain(domain) = &self.schema().types.get(&id)?.definition else { return None };
            if domain.default.is_some() {
                return domain.default.clone();
            }
            let ResolvedType::User(base) = domain.base.resolved else { return None };
            id = base;
        }
        None
    }

    /// `DomainHasConstraints` (typcache.c): its own or those of a domain it is based on.
    pub fn has_constraints(&self, mut id: TypeId) -> bool {
        for _ in 0..32 {
            let Some(found) = self.schema().types.get(&id) else { return false };
            let TypeDefinition::Domain(domain) = &found.definition else { return false };
            if domain.not_null || !domain.constraints.is_empty() {
                return true;
            }
            let ResolvedType::User(base) = domain.base.resolved else { return false };
            id = base;
        }
        false
    }

    pub(super) fn drop_column(&mut self, state: &Alter, column: &Ident) {
        // ATExecDropColumn (tablecmds.c) makes the column the children's own with ONLY.
        for child in state.relation.children.iter().filter(|_| state.only) {
            self.lock_id(*child, state.mode, state.action.span);
        }
        // A child keeps a column that is its own too, or another parent's.
        let keeps = |child: &Relation| child.column(&column.name).is_some_and(|it| it.local || it.inherited > 1);
        for table in self.descend(state, keeps) {
            if let Some(found) = table.column(&column.name) {
                self.lock_dropped(&Object::Column(table.id, found.id), state.action.span);
            }
        }
    }

    /// What is NOT NULL already is left alone, children and all, by partitioned tables (ATPrepSetNotNull, tablecmds.c) and since 18 by
    /// every table (ATExecSetNotNull).
    pub(super) fn set_not_null(&mut self, state: &Alter, column: &Ident) {
        let done = state.relation.column(&column.name).is_some_and(|it| it.not_null == NotNull::Yes);
        if done && (state.relation.is_partitioned() || self.at_least(18)) {
            return;
        }
        self.recurse(state);
        for table in self.targets(state) {
            if state.added.contains(&column.name) {
                self.scan(&table, column.span, "every row is checked for NULL");
            } else if self.may_hold_nulls(&without_dropped(&table, state), &column.name) {
                self.check_not_null(&table, column, column.span);
            }
        }
    }

    pub(super) fn check_not_null(&mut self, table: &Relation, column: &Ident, span: Span) {
        self.scan(table, span, "every row is checked for NULL");
        if table.has_storage() {
            let query = format!("SELECT * FROM {} WHERE {column} IS NULL LIMIT 1", rows_of(table));
            let (name, relation) = (column.name.as_str(), table.name.name.as_str());
            let message = format!("column \"{name}\" of relation \"{relation}\" contains null values");
            self.fail_on_rows(
                table,
                FailsWhen::SomeRow { query },
                span,
                PrintedName::part(&table.name, &column.name),
                message,
            );
        }
    }

    /// ALTER COLUMN … SET EXPRESSION (17+): stored values are computed anew; virtual ones (18+) are not stored.
    pub(super) fn set_expression(&mut self, state: &Alter, column: &Ident, expression: &Expression) {
        self.recurse(state);
        for table in self.targets(state) {
            let generated = table.column(&column.name).and_then(|it| it.generated.as_ref());
            if generated.is_none_or(|it| it.stored) {
                self.rewrite(&table, expression.span, "the generated value of every row is computed anew");
            }
        }
    }

    pub(super) fn set_data_type(
        &mut self,
        state: &Alter,
        column: &Ident,
        data_type: &TypeName,
        collation: Option<&ObjectName>,
        using: Option<&Expression>,
    ) {
        for table in self.targets(state) {
            let Some(found) = table.column(&column.name) else {
                if !table.known {
                    self.rewrite(&table, data_type.span, "the column's present type is not known");
                }
                continue;
            };
            if let Some(using) = using {
                self.run_called_in(&using.tree, false, using.span);
            }
            let verdict = type_change::judge(self, &table, found, data_type, using);
            let collation = collation.map(|it| it.name.clone());
            self.lock_keys_of_column(&table, found, state.action.span);
            match verdict {
                TypeChange::Rewrite(reason) => {
                    let span = using.map_or(data_type.span, |it| it.span);
                    self.rewrite(&table, span, &reason);
                    self.fail_on_cast(&table, found, data_type, using, span);
                    self.recheck_foreign_keys(&table, found, data_type.span);
                }
                TypeChange::Same => {
                    let of_partition = state.relation.is_partitioned();
                    let collation = collation.as_ref();
                    self.rebuild_changed_indexes(&table, found, (data_type, collation), of_partition, data_type.span);
                }
            }
            self.recheck_constraints(&table, found, data_type.span);
        }
    }

    /// Foreign keys on either side are dropped and made again (`RememberConstraintForRebuilding`): both tables are locked.
    fn lock_keys_of_column(&mut self, table: &Relation, column: &Column, span: Span) {
        for (_, key) in table.foreign_keys().filter(|(_, key)| key.columns.contains(&column.id)) {
            self.lock_foreign_key_partners(table.id, key, span);
        }
        for (other, constraint) in self.schema().foreign_keys_to(table.id) {
            let ConstraintKind::ForeignKey(key) = &constraint.kind else { continue };
            if key.referenced_columns.contains(&column.id) {
                self.lock_id(other, AccessExclusive, span);
                self.lock_foreign_key_partners(other, key, span);
            }
        }
    }

    /// After a rewrite the keys are checked again (`TryReuseForeignKey` is not asked).
    fn recheck_foreign_keys(&mut self, table: &Relation, column: &Column, span: Span) {
        let own = table.foreign_keys().filter(|(it, key)| it.validated && key.columns.contains(&column.id));
        for (_, key) in own {
            if let Some(referenced) = self.relation(key.referenced) {
                self.check_orphans(table, referenced, span);
            }
        }
        for (other, constraint) in self.schema().foreign_keys_to(table.id) {
            let ConstraintKind::ForeignKey(key) = &constraint.kind else { continue };
            let checked = constraint.validated && key.referenced_columns.contains(&column.id);
            if let Some(other) = self.relation(other).filter(|_| checked) {
                self.check_orphans(other, table, span);
            }
        }
    }

    /// A CHECK that names the column is made again and checked on every row.
    fn recheck_constraints(&mut self, table: &Relation, column: &Column, span: Span) {
        let rechecked = table.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::Check { columns, .. } => constraint.validated && columns.contains(&column.id),
            _ => false,
        });
        if rechecked {
            self.scan(table, span, "a CHECK on the column is checked again");
        }
    }

    /// Without a rewrite an index on the column is kept where its definition stays compatible (`CheckIndexCompatible`,
    /// indexcmds.c). The index of a partitioned table is dropped with its partitions and made anew, whatever it is like.
    fn rebuild_changed_indexes(
        &mut self,
        table: &Relation,
        column: &Column,
        (data_type, collation): (&TypeName, Option<&crate::change::Name>),
        of_partition: bool,
        span: Span,
    ) {
        let same_class = type_change::same_operator_class(self, column, data_type);
        // The types of strings have the database's own collation (pg_type.typcollation), and "default" is its name.
        let own = |of: &TypeName| matches!(of.name.as_str(), "text" | "varchar" | "bpchar");
        let named = |name: &&crate::change::Name| **name != "default";
        let same_collation = match own(data_type) && own(&column.data_type.written) {
            true => collation.filter(named) == column.collation.as_ref().filter(named),
            false => collation == column.collation.as_ref(),
        };
        let indexes: Vec<_> = self.schema().indexes_of(table.id).cloned().collect();
        for relation in indexes.iter().filter(|it| it.has_storage()) {
            let Some(index) = relation.as_index() else { continue };
            let kept = is_compatible(index, column, same_class, same_collation)
                && (!of_partition || relation.parents.is_empty());
            if index.uses_column(column.id) && !kept {
                self.scan(table, span, "an index on the column is rebuilt");
                self.build(table, &relation.name, span, "the index does not fit the column's new type or collation");
            }
        }
    }
}

fn is_compatible(index: &Index, column: &Column, same_class: bool, same_collation: bool) -> bool {
    let has_expressions = index.columns.iter().any(Option::is_none);
    if index.predicate.is_some() || has_expressions {
        return false;
    }
    let positions = index.columns.iter().zip(&index.elements).filter(|(id, _)| **id == Some(column.id));
    positions.into_iter().all(|(_, element)| {
        (element.operator_class.is_some() || same_class) && (element.collation.is_some() || same_collation)
    })
}

/// The table as the later passes of the command meet it: the constraints that it drops are gone in its first one.
fn without_dropped<'t>(table: &'t Relation, state: &Alter) -> Cow<'t, Relation> {
    let Change::AlterTable(alter) = state.change else { return Cow::Borrowed(table) };
    let is_dropped = |name: &Name| {
        alter.actions.iter().any(|action| match &action.kind {
            AlterTableActionKind::DropConstraint { constraint, .. } => constraint.name == *name,
            _ => false,
        })
    };
    if !table.constraints.iter().any(|constraint| is_dropped(&constraint.name)) {
        return Cow::Borrowed(table);
    }
    let mut left = table.clone();
    left.constraints.retain(|constraint| !is_dropped(&constraint.name));
    Cow::Owned(left)
}
