//! ATTACH and DETACH PARTITION, of tables and of indexes.

use super::Applier;
use crate::change::{ObjectName, PartitionBound};
use crate::schema::{ConstraintKind, NotNull, RelationId, RelationKind};

impl Applier<'_> {
    pub(super) fn attach_partition(&mut self, parent: RelationId, partition: &ObjectName, bound: &PartitionBound) {
        let Some(child) = self.relation(partition, false) else { return };
        let Some(source) = self.schema.relation(parent).cloned() else { return };
        if source.known && !source.is_partitioned() {
            let message = format!("table \"{}\" is not partitioned", source.name.name.as_str());
            return self.invalid(partition.span, &source.name, message);
        }
        if self.schema.relation(child).is_some_and(|it| it.is_partition()) {
            let message = format!("\"{}\" is already a partition", partition.name.as_str());
            return self.invalid(partition.span, partition, message);
        }
        if self.would_be_a_circle(child, parent, partition) {
            return;
        }
        let identity = self.schema.relation(child).and_then(|it| it.columns.iter().find(|it| it.identity.is_some()));
        if let (true, Some(column)) = (self.version.at_least(17), identity) {
            let message = format!(
                "table \"{}\" being attached contains an identity column \"{}\"",
                partition.name.as_str(),
                column.name.as_str()
            );
            self.invalid(partition.span, partition, message);
        }
        self.adopt_columns(child, &source, partition);
        self.adopt_checks(parent, child, partition);
        self.become_partition(child, parent, bound);
        for column in source.columns.iter().filter(|column| column.not_null.enforced()) {
            if let Some(id) = self.column_id(child, &column.name) {
                self.set_not_null(child, id, None, NotNull::Yes);
            }
        }
        self.clone_from_parent(parent, child);
    }

    /// The partition must have every check of its parent.
    fn adopt_checks(&mut self, parent: RelationId, child: RelationId, name: &ObjectName) {
        let Some(source) = self.schema.relation(parent).cloned() else { return };
        let known = self.is_known(child);
        for constraint in source.constraints.iter().filter(|it| matches!(it.kind, ConstraintKind::Check { .. })) {
            if constraint.no_inherit {
                continue;
            }
            match self.schema.edit(child).and_then(|it| it.constraint_mut(&constraint.name)) {
                Some(existing) => existing.local = false,
                None if known => {
                    let message = format!("child table is missing constraint \"{}\"", constraint.name.as_str());
                    self.invalid(name.span, name, message);
                }
                None => self.inherit_check(parent, constraint, child),
            }
        }
    }

    pub(super) fn detach_partition(&mut self, parent: RelationId, partition: &ObjectName) {
        let Some(child) = self.relation(partition, false) else { return };
        let attached = self.schema.relation(child).is_some_and(|it| it.parents.contains(&parent));
        if !attached {
            if self.is_known(parent) && self.is_known(child) {
                let parent = self.short_name(parent);
                let message =
                    format!("relation \"{}\" is not a partition of relation \"{parent}\"", partition.name.as_str());
                self.invalid(partition.span, partition, message);
            }
            return;
        }
        self.remove_parent(child, parent);
        if let Some(relation) = self.schema.edit(child) {
            relation.bound = None;
            relation.constraints.change(|it| !it.local, |it| it.local = true);
        }
        self.detach_indexes(parent, child);
        self.drop_cloned_triggers(parent, child);
    }

    fn detach_indexes(&mut self, parent: RelationId, child: RelationId) {
        let parents: Vec<RelationId> = self.schema.indexes_of(parent).map(|it| it.id).collect();
        let children: Vec<RelationId> = self.schema.indexes_of(child).map(|it| it.id).collect();
        for index in &children {
            if let Some(relation) = self.schema.edit(*index) {
                relation.parents.retain(|it| !parents.contains(it));
            }
        }
        for index in parents {
            if let Some(relation) = self.schema.edit(index) {
                relation.children.retain(|it| !children.contains(it));
            }
        }
    }

    /// Row triggers that came from the parent go with it.
    fn drop_cloned_triggers(&mut self, parent: RelationId, child: RelationId) {
        let Some(source) = self.schema.relation(parent).cloned() else { return };
        for trigger in source.triggers.iter().filter(|trigger| trigger.for_each_row) {
            self.schema.remove(&crate::schema::Object::Trigger(child, trigger.name.clone()));
        }
    }

    /// ALTER INDEX … ATTACH PARTITION: the parent becomes valid with its last part.
    pub(super) fn attach_index_partition(&mut self, parent: RelationId, index: &ObjectName) {
        let Some(child) = self.schema.find_relation(index, self.session).map(|it| it.id) else {
            if !self.is_foreign_relation(index) {
                self.missing_relation(index);
            }
            return;
        };
        self.attach_index(parent, child);
        let Some(relation) = self.schema.relation(parent) else { return };
        let Some(table) = relation.as_index().map(|it| it.table) else { return };
        let all = relation.children.len() >= self.partitions_of(table).len();
        if let Some(RelationKind::Index(index)) = self.schema.edit(parent).map(|it| &mut it.kind) {
            index.valid |= all;
        }
    }
}
