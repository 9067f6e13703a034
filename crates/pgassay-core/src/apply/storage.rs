//! ALTER TABLE's settings: what is switched, owned, stored.

use super::Applier;
use crate::change::{AlterTableActionKind, FiringMode, Ident, Name, ObjectName, Persistence, TriggerSelection};
use crate::schema::{RelationId, Trigger};

impl Applier<'_> {
    #[deny(clippy::wildcard_enum_match_arm, reason = "a new action says what it changes")]
    pub(super) fn alter_setting(&mut self, id: RelationId, kind: &AlterTableActionKind) {
        use AlterTableActionKind::*;
        match kind {
            OwnerTo { owner } => self.set_relation_owner(id, &owner.name),
            SetTrigger { trigger, mode } => self.set_trigger_mode(id, trigger, *mode),
            SetRule { rule, mode } => self.set_rule_mode(id, rule, *mode),
            ClusterOn { index } => {
                let index = self.index_named(id, index);
                self.edit_relation(id, |it| it.clustered_on = index);
            }
            SetStatistics { column, .. } if column.name.as_str().parse::<u16>().is_ok() => {}
            SetStatistics { column, target } => {
                self.edit_column(id, column, |it| it.statistics_target = Some(*target).filter(|target| *target >= 0));
            }
            SetColumnOptions { column, options, reset } => self.edit_column(id, column, |it| match reset {
                true => it.options.retain(|name, _| !options.iter().any(|option| option.name == *name)),
                false => it.options.extend(options.iter().map(|option| (option.name.clone(), option.value.clone()))),
            }),
            SetStorage { column, storage } => {
                let storage = unless_default(&storage.name);
                self.edit_column(id, column, |it| it.storage = storage);
            }
            SetCompression { column, method } => {
                let method = unless_default(&method.name);
                self.edit_column(id, column, |it| it.compression = method);
            }
            SetForeignOptions { column: Some(column) } => _ = self.column(id, column),
            SetRowSecurity { enabled } => self.edit_relation(id, |it| it.row_security = *enabled),
            ForceRowSecurity { forced } => self.edit_relation(id, |it| it.force_row_security = *forced),
            ReplicaIdentity(identity) => self.edit_relation(id, |it| it.replica_identity = identity.clone()),
            SetWithoutCluster => self.edit_relation(id, |it| it.clustered_on = None),
            NotOf => self.edit_relation(id, |it| it.of_type = None),
            SetAccessMethod { method } => {
                let method = method.as_ref().map(|it| it.name.clone());
                self.edit_relation(id, |it| it.access_method = method);
            }
            SetTablespace { tablespace, .. } => {
                self.edit_relation(id, |it| it.tablespace = Some(tablespace.name.clone()));
            }
            SetLogged => self.set_persistence(id, Persistence::Permanent),
            SetUnlogged => self.set_persistence(id, Persistence::Unlogged),
            SetOptions { options } => self.edit_relation(id, |it| {
                it.options.extend(options.iter().map(|option| (option.name.clone(), option.value.clone())));
            }),
            ResetOptions { options } => self.edit_relation(id, |it| {
                it.options.retain(|name, _| !options.iter().any(|option| option.name == *name));
            }),
            // Nothing of it is in the model: oids are gone since 12, options of a foreign server, and an index that goes with an extension.
            SetWithoutOids | SetForeignOptions { column: None } | DependsOnExtension { .. } => {}
            // No settings.
            AddColumn { .. }
            | DropColumn { .. }
            | SetDataType { .. }
            | SetDefault { .. }
            | DropDefault { .. }
            | SetNotNull { .. }
            | DropNotNull { .. }
            | SetExpression { .. }
            | DropExpression { .. }
            | AddIdentity { .. }
            | SetIdentity { .. }
            | DropIdentity { .. }
            | AddConstraint(_)
            | AlterConstraint { .. }
            | ValidateConstraint { .. }
            | DropConstraint { .. }
            | RenameRelation { .. }
            | RenameColumn { .. }
            | RenameConstraint { .. }
            | SetSchema { .. }
            | AttachPartition { .. }
            | DetachPartition { .. }
            | AttachIndexPartition { .. }
            | Inherit { .. }
            | NoInherit { .. }
            | OfType { .. } => {}
        }
    }

    fn edit_column(&mut self, id: RelationId, column: &Ident, change: impl FnOnce(&mut crate::schema::Column)) {
        let Some(column) = self.column(id, column) else { return };
        self.edit_relation(id, |it| {
            if let Some(found) = it.columns.iter_mut().find(|found| found.id == column) {
                change(found);
            }
        });
    }

    pub(super) fn edit_relation(&mut self, id: RelationId, change: impl FnOnce(&mut crate::schema::Relation)) {
        if let Some(relation) = self.schema.edit(id) {
            change(relation);
        }
    }

    /// The owner of a table owns its indexes and sequences.
    pub(super) fn set_relation_owner(&mut self, id: RelationId, owner: &Name) {
        let mut owned = self.schema.owned_sequences(id);
        owned.extend(self.schema.indexes_of(id).map(|index| index.id));
        owned.push(id);
        for relation in owned {
            self.edit_relation(relation, |it| it.owner = Some(owner.clone()));
        }
    }

    /// SET LOGGED and UNLOGGED reach the indexes, and from 15 on the owned sequences.
    fn set_persistence(&mut self, id: RelationId, persistence: Persistence) {
        let mut reached: Vec<RelationId> = self.schema.indexes_of(id).map(|index| index.id).collect();
        if self.version.at_least(15) {
            reached.extend(self.schema.owned_sequences(id));
        }
        reached.push(id);
        for relation in reached {
            self.edit_relation(relation, |it| it.persistence = persistence);
        }
    }

    fn set_trigger_mode(&mut self, id: RelationId, selection: &TriggerSelection, mode: FiringMode) {
        if let TriggerSelection::Named(name) = selection
            && !self.has_trigger(id, name, false)
        {
            return;
        }
        let mut tables = vec![id];
        tables.extend(self.partitions_of(id));
        for table in tables {
            self.edit_relation(table, |it| {
                let chosen = |trigger: &Trigger| match selection {
                    TriggerSelection::Named(name) => trigger.name == name.name,
                    TriggerSelection::All | TriggerSelection::User => true,
                };
                it.triggers.change(chosen, |trigger| trigger.mode = mode);
                if *selection == TriggerSelection::All {
                    it.system_triggers_off = mode == FiringMode::Disabled;
                }
            });
        }
    }

    fn set_rule_mode(&mut self, id: RelationId, rule: &Ident, mode: FiringMode) {
        self.edit_relation(id, |it| {
            it.rules.change(|found| found.name == rule.name, |found| found.mode = mode);
        });
    }

    pub(super) fn set_of_type(&mut self, id: RelationId, name: &ObjectName) {
        let found = self.schema.find_type(&name.schema, &name.name, self.session).map(|found| found.id);
        self.edit_relation(id, |it| it.of_type = found);
    }
}

/// STORAGE DEFAULT and COMPRESSION DEFAULT are the type's own.
pub(super) fn unless_default(name: &Name) -> Option<Name> {
    (!name.as_str().eq_ignore_ascii_case("default")).then(|| name.clone())
}
