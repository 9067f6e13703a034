//! Partitions: what they take from their parent.

use std::sync::Arc;

use super::Applier;
use super::index::{Deferral, IndexRole};
use crate::change::{ObjectName, PartitionBound};
use crate::schema::{Relation, RelationId};

impl Applier<'_> {
    /// CREATE TABLE … PARTITION OF: the columns and checks of the parent.
    pub(super) fn partition_definition(
        &mut self,
        child: RelationId,
        parent: RelationId,
        bound: &PartitionBound,
        name: &ObjectName,
    ) {
        let Some(source) = self.schema.relation(parent).cloned() else { return };
        if source.known && !source.is_partitioned() {
            let message = format!("\"{}\" is not partitioned", source.name.name.as_str());
            self.invalid(name.span, &source.name, message);
            return;
        }
        for column in &source.columns {
            self.inherit_column(child, column, true);
            self.inherit_not_null_name(&source, column, child);
        }
        if let Some(relation) = self.schema.edit(child) {
            relation.known &= source.known;
            relation.bound = Some(bound.clone());
            relation.owner = relation.owner.take().or(source.owner.clone());
        }
        self.link_parent(parent, child);
        for constraint in &source.constraints {
            // A new table has no rows that could break it.
            let born = crate::schema::Constraint { validated: constraint.enforced, ..constraint.clone() };
            self.inherit_check(parent, &born, child);
        }
    }

    /// Indexes, row triggers and foreign keys of the parent (`DefineRelation`, tablecmds.c).
    pub(super) fn clone_from_parent(&mut self, parent: RelationId, child: RelationId) {
        let Some(source) = self.schema.relation(parent).cloned() else { return };
        self.clone_indexes(&source, child);
        for trigger in source.triggers.iter().filter(|trigger| trigger.for_each_row) {
            self.clone_trigger(parent, trigger, child);
        }
        for (constraint, _) in source.foreign_keys() {
            self.clone_foreign_key(parent, constraint, child);
        }
    }

    /// Indexes that the partition has already are attached, the others made.
    pub(super) fn clone_indexes(&mut self, parent: &Arc<Relation>, child: RelationId) {
        for id in &parent.indexes {
            let Some(index) = self.schema.relation(*id).and_then(|it| it.as_index()).cloned() else { continue };
            let owner = self.schema.constraint_of_index(*id).map(|(_, constraint)| constraint);
            let deferral = owner.map_or(Deferral::default(), |it| Deferral {
                deferrable: it.deferrable,
                initially_deferred: it.initially_deferred,
            });
            let role = index_role(owner.map(|it| &it.kind));
            self.index_partition(parent.id, *id, &index, child, role, deferral);
        }
    }

    /// The bound and links of a table that becomes a partition.
    pub(super) fn become_partition(&mut self, child: RelationId, parent: RelationId, bound: &PartitionBound) {
        if let Some(relation) = self.schema.edit(child) {
            relation.bound = Some(bound.clone());
        }
        self.link_parent(parent, child);
    }
}

pub(super) fn index_role(kind: Option<&crate::schema::ConstraintKind>) -> IndexRole {
    use crate::schema::ConstraintKind::*;
    match kind {
        Some(PrimaryKey { .. }) => IndexRole::PrimaryKey,
        Some(Unique { .. }) => IndexRole::Unique,
        Some(Exclude { .. }) => IndexRole::Exclude,
        _ => IndexRole::Plain,
    }
}
