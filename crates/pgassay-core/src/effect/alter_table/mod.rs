//! ALTER TABLE and its kin: the statement's lock is the strongest of its actions; a table is rewritten at most once.

mod cast;
mod column;
mod constraint;
mod level;
mod same_command;

use std::sync::Arc;

use super::predictor::Predictor;
use crate::catalog::LockMode::{self, AccessExclusive, AccessShare, ShareRowExclusive};
use crate::change::{
    AlterTable, AlterTableAction, AlterTableActionKind, Change, Ident, Name, RelationKeyword, TriggerSelection,
};
use crate::schema::{Relation, RelationKind};

/// One ALTER TABLE while it is predicted.
pub(super) struct Alter<'c> {
    pub change: &'c Change,
    pub relation: Arc<Relation>,
    pub only: bool,
    /// The lock of the whole statement.
    pub mode: LockMode,
    pub action: &'c AlterTableAction,
    /// Columns that ADD COLUMN IF NOT EXISTS finds; the constraints written on them are left out.
    pub existing: Vec<Name>,
    /// Columns that this statement adds.
    pub added: Vec<Name>,
}

impl Alter<'_> {
    /// Whether the statement drops the column of that name.
    fn drops(&self, name: &Name) -> bool {
        let Change::AlterTable(alter) = self.change else { return false };
        let is_dropped = |action: &AlterTableAction| matches!(&action.kind, AlterTableActionKind::DropColumn { column, .. } if column.name == *name);
        alter.actions.iter().any(is_dropped)
    }
}

impl Predictor<'_> {
    pub fn alter_table(&mut self, change: &Change, alter: &AlterTable) {
        if matches!(alter.object, RelationKeyword::Sequence) {
            return;
        }
        let Some(relation) = self.find(&alter.relation) else { return };
        if let RelationKind::Index(_) = relation.kind {
            return self.alter_index(&relation, alter);
        }
        // ALTER INDEX takes the name of a table for RENAME alone (RenameRelation, tablecmds.c).
        let renames = |action: &AlterTableAction| matches!(action.kind, AlterTableActionKind::RenameRelation { .. });
        if alter.object == RelationKeyword::Index && !alter.actions.iter().any(renames) {
            return;
        }
        let mode = alter.actions.iter().map(|action| level::of(&action.kind, &relation)).max();
        let mode = mode.unwrap_or(AccessExclusive);
        self.lock(&relation, mode, alter.relation.span);
        let Some(first) = alter.actions.first() else { return };
        let mut state = Alter {
            change,
            relation: relation.clone(),
            only: alter.only,
            mode,
            action: first,
            existing: Vec::new(),
            added: Vec::new(),
        };
        for action in &alter.actions {
            state.action = action;
            self.lock(&relation, level::of(&action.kind, &relation), action.span);
            self.alter_action(&mut state);
        }
        self.finish_alter(&state, alter);
    }

    /// Work that is done once, after all actions: indexes added to the tables.
    fn finish_alter(&mut self, state: &Alter, alter: &AlterTable) {
        let key = alter.actions.iter().find(|action| level::adds_index(&action.kind));
        if key.is_none() && self.out.effect.rewrites.is_empty() {
            return;
        }
        let family = self.family(&state.relation, alter.only && !state.relation.is_partitioned());
        let rewritten = |it: &&Arc<Relation>| self.out.effect.rewrites.contains(&it.name.to_string());
        let rewritten: Vec<_> = family.iter().filter(rewritten).cloned().collect();
        let span = key.map_or(alter.relation.span, |action| action.span);
        if key.is_some() || !rewritten.is_empty() {
            let after = self.after(state.change);
            self.forget_dropped_indexes(&rewritten, &after);
            let tables = if key.is_some() { &family[..] } else { &rewritten[..] };
            self.build_new_indexes(tables, &after, span, "it enforces the constraint");
        }
    }

    fn alter_index(&mut self, index: &Relation, alter: &AlterTable) {
        let Some(table) = index.as_index().map(|it| it.table) else { return };
        for action in &alter.actions {
            match &action.kind {
                AlterTableActionKind::AttachIndexPartition { index: child } => {
                    self.lock_id(table, AccessShare, action.span);
                    let child = self.find(child).and_then(|it| it.as_index().map(|it| it.table));
                    child.into_iter().for_each(|it| self.lock_id(it, AccessShare, action.span));
                }
                AlterTableActionKind::SetTablespace { tablespace, .. }
                    if moves(index, &tablespace.name) && index.has_storage() =>
                {
                    if let Some(table) = self.relation(table) {
                        self.build(table, &index.name, action.span, "it moves to another tablespace");
                    }
                }
                _ => {}
            }
        }
    }

    #[deny(clippy::wildcard_enum_match_arm, reason = "a new action says what it does")]
    fn alter_action(&mut self, state: &mut Alter) {
        use AlterTableActionKind::*;
        let span = state.action.span;
        match &state.action.kind {
            AddColumn { column, if_not_exists } => self.add_column(state, column, *if_not_exists),
            SetDataType { column, data_type, collation, using } => {
                self.recurse(state);
                self.set_data_type(state, column, data_type, collation.as_ref(), using.as_ref());
            }
            SetNotNull { column } => self.set_not_null(state, column),
            DropColumn { column, .. } => self.drop_column(state, column),
            SetExpression { column, expression } => self.set_expression(state, column, expression),
            // 18 made NOT NULL a constraint, which children inherit: without one there is nothing to do (ATExecDropNotNull).
            DropNotNull { column } if self.at_least(18) => match (is_not_null(&state.relation, column), state.only) {
                (false, _) => {}
                (true, true) => state.relation.children.iter().for_each(|child| self.lock_id(*child, state.mode, span)),
                (true, false) => self.recurse(state),
            },
            SetDefault { .. } | DropDefault { .. } | DropNotNull { .. } | SetStatistics { .. } | SetStorage { .. } => {
                self.recurse(state);
            }
            RenameColumn { .. } | DropExpression { .. } => self.recurse(state),
            // 17 gave identity columns to partitions (tablecmds.c, ATExecAddIdentity).
            AddIdentity { .. } | SetIdentity { .. } | DropIdentity { .. }
                if self.at_least(17) && state.relation.is_partitioned() =>
            {
                self.recurse(state);
            }
            AddConstraint(constraint) => self.add_constraint(state, constraint),
            ValidateConstraint { constraint } => self.validate_constraint(state, constraint),
            DropConstraint { constraint, .. } => self.drop_constraint(state, &constraint.name),
            RenameConstraint { constraint, .. } => self.rename_constraint(state, &constraint.name),
            AlterConstraint { constraint, enforced, .. } => self.alter_constraint(state, &constraint.name, *enforced),
            AttachPartition { partition, bound } => {
                self.attach_partition(&state.relation.clone(), partition, bound, state.change);
            }
            DetachPartition { partition, concurrently, finalize } => {
                self.detach_partition(&state.relation.clone(), partition, *concurrently, *finalize);
            }
            Inherit { parent } => {
                if let Some(parent_table) = self.find(parent) {
                    self.lock(&parent_table, LockMode::ShareUpdateExclusive, parent.span);
                }
            }
            NoInherit { parent } => {
                if let Some(parent_table) = self.find(parent) {
                    self.lock(&parent_table, AccessShare, parent.span);
                }
            }
            SetTrigger { trigger, .. } => self.set_trigger(state, trigger),
            SetAccessMethod { method } => self.set_access_method(state, method.as_ref().map(|it| &it.name)),
            SetLogged | SetUnlogged => self.set_persistence(state),
            SetTablespace { tablespace, .. }
                if moves(&state.relation, &tablespace.name) && state.relation.has_storage() =>
            {
                self.new_storage(&state.relation.clone(), span, "its files move to another tablespace");
            }
            // Catalog rows only, under the lock of the action.
            AddIdentity { .. }
            | SetIdentity { .. }
            | DropIdentity { .. }
            | SetColumnOptions { .. }
            | SetCompression { .. }
            | RenameRelation { .. }
            | SetSchema { .. }
            | OwnerTo { .. }
            | AttachIndexPartition { .. }
            | OfType { .. }
            | NotOf
            | SetRule { .. }
            | SetRowSecurity { .. }
            | ForceRowSecurity { .. }
            | ReplicaIdentity(_)
            | ClusterOn { .. }
            | SetWithoutCluster
            | SetWithoutOids
            | SetTablespace { .. }
            | SetOptions { .. }
            | ResetOptions { .. }
            | SetForeignOptions { .. }
            | DependsOnExtension { .. } => {}
        }
    }

    /// Children are locked as the table itself is (`find_all_inheritors(…, lockmode)`, tablecmds.c).
    pub(super) fn recurse(&mut self, state: &Alter) {
        if !state.only {
            for child in self.family(&state.relation, false) {
                self.lock(&child, state.mode, state.action.span);
            }
        }
    }

    /// The tables that an action reaches which goes down as long as `stops` does not hold of a child; all children of those are
    /// locked, also where it stops.
    pub(super) fn descend(&mut self, state: &Alter, stops: impl Fn(&Relation) -> bool) -> Vec<Arc<Relation>> {
        let mut reached = self.family(&state.relation, true);
        let mut at = 0;
        while at < reached.len() && !state.only {
            for child in reached[at].children.clone() {
                self.lock_id(child, state.mode, state.action.span);
                let Some(child) = self.relation(child).cloned() else { continue };
                if !stops(&child) && reached.iter().all(|it| it.id != child.id) {
                    reached.push(child);
                }
            }
            at += 1;
        }
        reached
    }

    /// The tables that an action works on.
    pub(super) fn targets(&self, state: &Alter) -> Vec<Arc<Relation>> {
        self.family(&state.relation, state.only)
    }

    fn set_trigger(&mut self, state: &Alter, selection: &TriggerSelection) {
        let has_clones = state.relation.triggers.iter().any(|trigger| {
            trigger.for_each_row
                && match selection {
                    TriggerSelection::Named(name) => trigger.name == name.name,
                    TriggerSelection::All | TriggerSelection::User => true,
                }
        });
        if state.relation.is_partitioned() && has_clones && !state.only {
            for child in self.family(&state.relation, false) {
                self.lock(&child, ShareRowExclusive, state.action.span);
            }
        }
    }

    fn set_access_method(&mut self, state: &Alter, method: Option<&Name>) {
        let heap = Name::from("heap");
        let default = self.context.session.default_access_method.clone().unwrap_or_else(|| heap.clone());
        let old = state.relation.access_method.as_ref().unwrap_or(&heap);
        if method.unwrap_or(&default) != old {
            let relation = state.relation.clone();
            self.rewrite(&relation, state.action.span, "its access method changes");
        }
    }

    fn set_persistence(&mut self, state: &Alter) {
        use crate::change::Persistence;
        let wanted = match state.action.kind {
            AlterTableActionKind::SetLogged => Persistence::Permanent,
            _ => Persistence::Unlogged,
        };
        let relation = state.relation.clone();
        if relation.persistence != wanted && relation.persistence != Persistence::Temporary {
            let reason = if wanted == Persistence::Permanent { "it becomes logged" } else { "it becomes unlogged" };
            self.rewrite(&relation, state.action.span, reason);
        }
    }
}

fn moves(relation: &Relation, tablespace: &Name) -> bool {
    let default = Name::from("pg_default");
    relation.tablespace.as_ref().unwrap_or(&default) != tablespace
}

fn is_not_null(relation: &Relation, column: &Ident) -> bool {
    relation.column(&column.name).is_some_and(|it| it.not_null.enforced())
}
