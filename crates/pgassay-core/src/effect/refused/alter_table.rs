//! The actions of ALTER TABLE.

use super::super::predictor::Predictor;
use super::inherit;
use crate::change::{AlterTable, AlterTableAction, AlterTableActionKind, Change, Ident, RelationKeyword};
use crate::schema::{ConstraintKind, Relation, Schema};

impl Predictor<'_> {
    pub(super) fn refuse_alter_table(&mut self, change: &Change, alter: &AlterTable) {
        if self.refuse_kind(alter) || !matches!(alter.object, RelationKeyword::Table | RelationKeyword::ForeignTable) {
            return;
        }
        let Some(found) = self.find(&alter.relation) else { return };
        // A stub has nothing that could be refused, but what it is told in the statement itself.
        let Some(table) = self.relation(found.id).cloned() else { return };
        let after = self.after(change);
        let Some(later) = after.relation(table.id).cloned() else { return };
        for action in &alter.actions {
            let refused = self.refuse_system_column(action)
                || self.refuse_typed(action, &table)
                || self.refuse_only(alter, action, &table)
                || self.refuse_stored_rows(alter, action, &table, &later);
            if !refused {
                self.refuse_action(alter, action, &table, (&after, &*later));
            }
        }
    }

    fn refuse_action(
        &mut self,
        alter: &AlterTable,
        action: &AlterTableAction,
        table: &Relation,
        (after, later): (&Schema, &Relation),
    ) {
        use AlterTableActionKind::*;
        match &action.kind {
            AddColumn { column, if_not_exists } => {
                if *if_not_exists && table.column(&column.name.name).is_some() {
                    return;
                }
                if table.is_partition() {
                    return self.refused(column.name.span, &column.name.name, "cannot add column to a partition");
                }
                let recurses = !alter.only && !table.children.is_empty();
                if let Some(identity) = column.identity.as_ref().filter(|_| recurses)
                    && !(table.is_partitioned() && self.at_least(17))
                {
                    let message = "cannot recursively add identity column to table that has child tables";
                    return self.refused(identity.span, &column.name.name, message);
                }
                self.refuse_column(after, later, column);
                self.refuse_filled(alter, table, later, column);
                self.refuse_children_of_another_type(alter, table, later, column);
            }
            RenameColumn { new_name, .. } if super::output::is_system_column(&new_name.name) => {
                self.refused(new_name.span, &new_name.name, super::output::system_column(&new_name.name));
            }
            SetStorage { column, storage } => self.refuse_storage(table, column, storage),
            SetCompression { column, method } => self.refuse_compression(table, column, method),
            SetColumnOptions { options, reset: false, .. } => {
                let taken = |name: &str| matches!(name, "n_distinct" | "n_distinct_inherited");
                if let Some(option) = options.iter().find(|it| !taken(&it.name)) {
                    self.refused(option.span, &*option.name, format!("unrecognized parameter \"{}\"", option.name));
                }
            }
            DropColumn { column, cascade: false, .. } => {
                self.refuse_published_column(table, column, true, action.span);
            }
            SetDataType { column, data_type, using, .. } => {
                self.refuse_published_column(table, column, false, action.span);
                self.refuse_retype(alter, table, (after, later), (column, data_type, using.as_ref()));
            }
            SetDefault { column, default } => {
                let Some(found) = later.column(&column.name) else { return };
                if table.column(&column.name).is_some_and(|it| it.identity.is_some()) {
                    return self.refuse_identity_column(table, column);
                }
                let of = found.data_type.clone();
                self.refuse_default(column.name.as_str(), &of, default, self.scope_on(after, Some(later)));
            }
            DropDefault { column } if table.column(&column.name).is_some_and(|it| it.identity.is_some()) => {
                self.refuse_identity_column(table, column);
            }
            SetExpression { column, expression } => {
                self.refuse_set_expression(table, (after, later), column, expression)
            }
            DropExpression { column, if_exists } => self.refuse_drop_expression(table, column, *if_exists),
            AddIdentity { column, identity } => {
                let dropped = |kind: &AlterTableActionKind| matches!(kind, DropDefault { column: other } if other.name == column.name);
                let cleared = alter.actions.iter().any(|it| dropped(&it.kind));
                if self.refuse_identity_of_partition(table, column, "add identity to a column") {
                    return;
                }
                let required = |kind: &AlterTableActionKind| matches!(kind, SetNotNull { column: other } if other.name == column.name);
                let required = alter.actions.iter().any(|it| required(&it.kind));
                self.refuse_add_identity(after, table, column, identity.span, cleared, required);
            }
            SetIdentity { column, .. } => {
                let identity = table.column(&column.name).is_some_and(|it| it.identity.is_some());
                let added = alter
                    .actions
                    .iter()
                    .any(|it| matches!(&it.kind, AddIdentity { column: other, .. } if other.name == column.name));
                if self.refuse_identity_of_partition(table, column, "change identity column") {
                    return;
                }
                if table.known && table.column(&column.name).is_some() && !identity && !added {
                    let message = not_identity(table, column);
                    self.refused(column.span, &column.name, message);
                }
            }
            // IF NOT EXISTS passes over the column with all that is said of it.
            AddConstraint(constraint) if is_of_column_at_hand(alter, table, constraint) => {}
            AddConstraint(constraint) => {
                self.refuse_constraint(after, later, constraint);
            }
            DropNotNull { column } => self.refuse_drop_not_null(table, column),
            DropIdentity { column, .. } => {
                self.refuse_identity_of_partition(table, column, "drop identity from a column");
            }
            Inherit { parent } => self.refuse_inherit(table, parent),
            ValidateConstraint { constraint } => {
                let found = table.constraint(&constraint.name);
                if found.is_some_and(|it| it.kind.index().is_some()) {
                    let (name, relation) = (constraint.name.as_str(), table.name.name.as_str());
                    let message = format!(
                        "constraint \"{name}\" of relation \"{relation}\" is not a foreign key or check constraint"
                    );
                    self.refused(constraint.span, name, message);
                } else if found.is_some_and(|it| !it.enforced) {
                    self.refused(constraint.span, &constraint.name, "cannot validate NOT ENFORCED constraint");
                }
            }
            AlterConstraint { constraint, enforced, deferrable, .. } => {
                self.refuse_alter_constraint(table, constraint, *enforced, *deferrable);
            }
            DropConstraint { constraint, .. } => self.refuse_drop_constraint(alter, table, constraint),
            AttachPartition { partition, bound } => self.refuse_attach(table, partition, bound),
            DetachPartition { partition, concurrently, .. } => self.refuse_detach(table, partition, *concurrently),
            SetLogged | SetUnlogged => self.refuse_persistence(table, action),
            SetWithoutCluster if table.is_partitioned() => {
                self.refused(action.span, &table.name, "cannot mark index clustered in partitioned table");
            }
            ClusterOn { index } => self.refuse_cluster_on(table, index),
            RenameConstraint { constraint, .. } => self.refuse_renamed_constraint(table, constraint),
            ReplicaIdentity(crate::change::ReplicaIdentity::UsingIndex(index)) => {
                self.refuse_replica_identity(table, index);
            }
            SetOptions { options } if table.is_partitioned() => self.refuse_options_of_partitioned(options),
            SetOptions { options } => self.refuse_options(options),
            _ => {}
        }
    }

    fn refuse_identity_column(&mut self, table: &Relation, column: &Ident) {
        let message = format!(
            "column \"{}\" of relation \"{}\" is an identity column",
            column.name.as_str(),
            table.name.name.as_str()
        );
        self.refused(column.span, &column.name, message);
    }

    /// ATExecAddIdentity (tablecmds.c).
    fn refuse_add_identity(
        &mut self,
        after: &Schema,
        table: &Relation,
        column: &Ident,
        span: crate::source::Span,
        cleared: bool,
        required: bool,
    ) {
        let Some(found) = table.column(&column.name) else { return };
        let (name, relation) = (column.name.as_str(), table.name.name.as_str());
        if found.identity.is_some() {
            let message = format!("column \"{name}\" of relation \"{relation}\" is already an identity column");
            return self.refused(span, name, message);
        }
        let of = found.data_type.clone();
        self.refuse_identity_type(name, &of, after, span);
        if found.not_null == crate::schema::NotNull::No && !required {
            let message = format!(
                "column \"{name}\" of relation \"{relation}\" must be declared NOT NULL before identity can be added"
            );
            return self.refused(span, name, message);
        }
        if found.default.is_some() && !cleared {
            let message = format!("column \"{name}\" of relation \"{relation}\" already has a default value");
            self.refused(span, name, message);
        }
    }

    fn refuse_set_expression(
        &mut self,
        table: &Relation,
        (after, later): (&Schema, &Relation),
        column: &Ident,
        expression: &crate::change::Expression,
    ) {
        let Some(found) = table.column(&column.name).filter(|_| table.known) else { return };
        let name = column.name.as_str();
        match &found.generated {
            None => {
                let message =
                    format!("column \"{name}\" of relation \"{}\" is not a generated column", table.name.name.as_str());
                self.refused(column.span, name, message);
            }
            Some(generated) => {
                let (stored, scope) = (generated.stored, self.scope_on(after, Some(later)));
                self.refuse_generated(later, name, expression, stored, scope);
            }
        }
    }

    fn refuse_drop_expression(&mut self, table: &Relation, column: &Ident, if_exists: bool) {
        let Some(found) = table.column(&column.name).filter(|_| table.known) else { return };
        let name = column.name.as_str();
        match &found.generated {
            None if !if_exists => {
                let message =
                    format!("column \"{name}\" of relation \"{}\" is not a generated column", table.name.name.as_str());
                self.refused(column.span, name, message);
            }
            Some(generated) if !generated.stored => {
                let message = "ALTER TABLE / DROP EXPRESSION is not supported for virtual generated columns";
                self.refused(column.span, name, message);
            }
            _ => {}
        }
    }

    fn refuse_alter_constraint(
        &mut self,
        table: &Relation,
        constraint: &Ident,
        enforced: Option<bool>,
        deferrable: Option<bool>,
    ) {
        let Some(found) = table.constraint(&constraint.name) else { return };
        let foreign = matches!(found.kind, ConstraintKind::ForeignKey(_));
        let (name, relation) = (constraint.name.as_str(), table.name.name.as_str());
        if enforced.is_some() && !foreign {
            let message = format!("cannot alter enforceability of constraint \"{name}\" of relation \"{relation}\"");
            return self.refused(constraint.span, name, message);
        }
        if deferrable.is_some() && !foreign {
            let message = format!("constraint \"{name}\" of relation \"{relation}\" is not a foreign key constraint");
            self.refused(constraint.span, name, message);
        }
    }

    /// A NOT NULL that the primary key or the identity needs (dropconstraint_internal, tablecmds.c; 18).
    fn refuse_drop_constraint(&mut self, alter: &AlterTable, table: &Relation, constraint: &Ident) {
        let Some(found) = table.constraint(&constraint.name) else { return };
        let ConstraintKind::NotNull(column) = found.kind else { return };
        let Some(column) = table.column_by_id(column).filter(|_| self.at_least(18)) else { return };
        let key_goes = |name: &crate::change::Name| {
            alter.actions.iter().any(|it| {
                matches!(&it.kind, AlterTableActionKind::DropConstraint { constraint, .. } if constraint.name == *name)
            })
        };
        let in_key = table.primary_key().filter(|key| !key_goes(&key.name));
        let in_key = in_key.is_some_and(|it| self.schema().constraint_uses(it, column.id));
        let (name, relation) = (column.name.as_str(), table.name.name.as_str());
        if self.is_demanded(table, &column.name) {
            self.refused(constraint.span, name, inherit::kept(found, table));
        } else if in_key {
            self.refused(constraint.span, name, format!("column \"{name}\" is in a primary key"));
        } else if column.identity.is_some() {
            let message = format!("column \"{name}\" of relation \"{relation}\" is an identity column");
            self.refused(constraint.span, name, message);
        }
    }

    /// Permanent tables reference permanent tables only (ATPrepChangePersistence, tablecmds.c).
    fn refuse_persistence(&mut self, table: &Relation, action: &AlterTableAction) {
        use crate::change::Persistence::{Permanent, Temporary, Unlogged};
        let name = table.name.name.as_str();
        // Before 18 the words are taken and do nothing (ATPrepCmd, tablecmds.c).
        if table.is_partitioned() && self.at_least(18) {
            let what = if matches!(action.kind, AlterTableActionKind::SetUnlogged) { "UNLOGGED" } else { "LOGGED" };
            let message = format!("ALTER action SET {what} cannot be performed on relation \"{name}\"");
            return self.refused(action.span, &table.name, message);
        }
        if table.persistence == Temporary {
            let message = format!("cannot change logged status of table \"{name}\" because it is temporary");
            return self.refused(action.span, &table.name, message);
        }
        let unlogged = matches!(action.kind, AlterTableActionKind::SetUnlogged);
        let (to, other, others) =
            if unlogged { ("unlogged", "logged", Permanent) } else { ("logged", "unlogged", Unlogged) };
        if (table.persistence == Unlogged) == unlogged {
            return;
        }
        let schema = self.schema();
        if unlogged && schema.publications.values().any(|it| it.tables.contains(&table.id)) {
            let message = format!("cannot change table \"{name}\" to unlogged because it is part of a publication");
            return self.refused(action.span, &table.name, message);
        }
        let related: Vec<_> = match unlogged {
            true => schema.foreign_keys_to(table.id).map(|(id, _)| id).collect(),
            false => table.foreign_keys().map(|(_, key)| key.referenced).collect(),
        };
        let hindrance = related.into_iter().filter(|id| *id != table.id).filter_map(|id| self.relation(id));
        let hindrance = hindrance.into_iter().find(|it| it.known && it.persistence == others);
        if let Some(hindrance) = hindrance {
            let message = format!(
                "could not change table \"{name}\" to {to} because it references {other} table \"{}\"",
                hindrance.name.name.as_str()
            );
            self.refused(action.span, &table.name, message);
        }
    }

    /// A partitioned table has no storage (`partitioned_table_reloptions`, reloptions.c).
    pub(super) fn refuse_options_of_partitioned(&mut self, options: &[crate::change::StorageOption]) {
        let Some(option) = options.first() else { return };
        let message = match self.at_least(16) {
            true => "cannot specify storage parameters for a partitioned table".to_owned(),
            false => format!("unrecognized parameter \"{}\"", option.name),
        };
        self.refused(option.span, &*option.name, message);
    }

    /// Storage parameters of tables and their ranges (reloptions.c).
    pub(super) fn refuse_options(&mut self, options: &[crate::change::StorageOption]) {
        for option in options {
            let number = option.value.as_deref().and_then(|value| value.parse::<i64>().ok());
            let range = match &*option.name {
                "fillfactor" => Some((10, 100)),
                "autovacuum_vacuum_cost_limit" => Some((1, 10_000)),
                _ => None,
            };
            if let (Some((least, most)), Some(number)) = (range, number)
                && !(least..=most).contains(&number)
            {
                let message = format!("value {number} out of bounds for option \"{}\"", option.name);
                self.refused(option.span, &*option.name, message);
            }
            if !option.name.contains('.') && !TABLE_OPTIONS.contains(&&*option.name) && self.schema().vouched {
                self.refused(option.span, &*option.name, format!("unrecognized parameter \"{}\"", option.name));
            }
        }
    }
}

/// The constraint belongs to a column that is there already, and that ADD COLUMN IF NOT EXISTS passes over.
fn is_of_column_at_hand(alter: &AlterTable, table: &Relation, constraint: &crate::change::Constraint) -> bool {
    let passed_over = |kind: &AlterTableActionKind| match kind {
        AlterTableActionKind::AddColumn { column, if_not_exists: true } => {
            column.span.contains(constraint.span) && table.column(&column.name.name).is_some()
        }
        _ => false,
    };
    constraint.inline && alter.actions.iter().any(|action| passed_over(&action.kind))
}

fn not_identity(table: &Relation, column: &Ident) -> String {
    format!(
        "column \"{}\" of relation \"{}\" is not an identity column",
        column.name.as_str(),
        table.name.name.as_str()
    )
}

/// What heap tables and views take, in any version.
const TABLE_OPTIONS: &[&str] = &[
    "autovacuum_analyze_scale_factor",
    "autovacuum_analyze_threshold",
    "autovacuum_enabled",
    "autovacuum_freeze_max_age",
    "autovacuum_freeze_min_age",
    "autovacuum_freeze_table_age",
    "autovacuum_multixact_freeze_max_age",
    "autovacuum_multixact_freeze_min_age",
    "autovacuum_multixact_freeze_table_age",
    "autovacuum_vacuum_cost_delay",
    "autovacuum_vacuum_cost_limit",
    "autovacuum_vacuum_insert_scale_factor",
    "autovacuum_vacuum_insert_threshold",
    "autovacuum_vacuum_max_threshold",
    "autovacuum_vacuum_scale_factor",
    "autovacuum_vacuum_threshold",
    "check_option",
    "fillfactor",
    "log_autovacuum_min_duration",
    "oids",
    "parallel_workers",
    "security_barrier",
    "security_invoker",
    "toast_tuple_target",
    "user_catalog_table",
    "vacuum_index_cleanup",
    "vacuum_max_eager_freeze_failure_rate",
    "vacuum_truncate",
];
