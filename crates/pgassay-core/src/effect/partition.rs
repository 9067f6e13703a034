//! Partitions: PARTITION OF, ATTACH, DETACH, and the default partition that each of them concerns.

use std::sync::Arc;

use super::FailsWhen;
use super::predictor::{Predictor, rows_of};
use crate::catalog::LockMode;
use crate::catalog::LockMode::{AccessExclusive, RowShare, ShareRowExclusive};
use crate::change::{Change, ObjectName, PartitionBound};
use crate::expression;
use crate::schema::{ConstraintKind, NotNull, Relation, RelationId, RelationKind, bound_condition};
use crate::source::Span;

impl Predictor<'_> {
    pub fn default_partition(&self, parent: RelationId) -> Option<Arc<Relation>> {
        let default = self.relation(parent)?.bounds.as_deref()?.default_partition()?;
        self.relation(default).cloned()
    }

    /// CREATE TABLE … PARTITION OF: DefineRelation (tablecmds.c) locks the parent and its default partition.
    pub fn create_partition(&mut self, parent: &ObjectName, bound: &PartitionBound) {
        let Some(parent_table) = self.find(parent) else { return };
        self.lock(&parent_table, AccessExclusive, parent.span);
        self.check_default_partition(&parent_table, bound, parent.span);
        self.clone_foreign_keys(&parent_table, None, parent.span);
    }

    /// A new partition takes values that the default partition may hold now: it is locked and read
    /// (`check_default_partition_contents`, partbounds.c).
    fn check_default_partition(&mut self, parent: &Relation, bound: &PartitionBound, span: Span) {
        if *bound == PartitionBound::Default {
            return;
        }
        let Some(default) = self.default_partition(parent.id) else { return };
        if let RelationKind::PartitionedTable(key) = &parent.kind
            && expression::excludes_partition_bound(&checks(&default), &default, parent, key, bound)
        {
            return self.lock(&default, AccessExclusive, span);
        }
        for part in self.family(&default, false) {
            self.lock(&part, AccessExclusive, span);
            self.scan(&part, span, "rows of the new partition may be in the default partition");
            if let Some(condition) = bound_condition(parent, bound).filter(|_| part.has_storage()) {
                let message = format!(
                    "updated partition constraint for default partition \"{}\" would be violated by some row",
                    default.name.name.as_str()
                );
                let query = format!("SELECT * FROM {} WHERE {condition} LIMIT 1", rows_of(&part));
                self.fail_on_rows(&part, FailsWhen::SomeRow { query }, span, &default.name, message);
            }
        }
    }

    /// A new partition gets the parent's foreign keys, and becomes a target of those that reference the parent
    /// (`CloneForeignKeyConstraints`, tablecmds.c).
    fn clone_foreign_keys(&mut self, parent: &Relation, attached: Option<&Arc<Relation>>, span: Span) {
        for (_, key) in parent.foreign_keys() {
            let Some(referenced) = self.relation(key.referenced) else { continue };
            for part in self.family(referenced, !referenced.is_partitioned()) {
                self.lock(&part, ShareRowExclusive, span);
            }
            let Some(child) = attached else { continue };
            let has = child.foreign_keys().any(|(_, own)| own.referenced == key.referenced);
            if has {
                // tryAttachPartitionForeignKey drops the child's own triggers on the referenced table.
                self.lock(&referenced.clone(), AccessExclusive, span);
            } else {
                self.check_orphans(child, referenced, span);
            }
        }
        let referencing: Vec<RelationId> = self.schema().foreign_keys_to(parent.id).map(|(table, _)| table).collect();
        for table in referencing {
            // Before 15 the referencing table gets no new trigger.
            let weak = !self.at_least(15);
            self.lock_id(table, if weak { LockMode::AccessShare } else { ShareRowExclusive }, span);
        }
    }

    /// `RI_Initial_Check` (ri_triggers.c): one query joins both tables.
    pub fn check_orphans(&mut self, table: &Relation, referenced: &Relation, span: Span) {
        for part in self.family(table, !table.is_partitioned()) {
            self.scan(&part, span, "every row's key is looked up in the referenced table");
        }
        self.lock(referenced, RowShare, span);
        // Every plan of that join asks for a row of the referencing table first, and stops where there is none; for a few it looks into the
        // index of the key, unless the referenced table is small itself.
        let few = self.schema().holds_few_rows(table);
        for part in self.family(referenced, !referenced.is_partitioned()) {
            self.lock(&part, LockMode::AccessShare, span);
            if few {
                continue;
            }
            self.scan(&part, span, "the keys of the referencing table are looked up in it");
        }
    }

    pub fn attach_partition(
        &mut self,
        parent: &Relation,
        partition: &ObjectName,
        bound: &PartitionBound,
        change: &Change,
    ) {
        let span = partition.span;
        let Some(child) = self.find(partition) else { return };
        let family = self.family(&child, false);
        for part in &family {
            self.lock(part, AccessExclusive, span);
        }
        // The bounds above are a part of the partition's own (`generate_partition_qual`, partcache.c).
        for above in self.partitioned_above(parent.id) {
            self.lock_id(above, LockMode::AccessShare, span);
        }
        self.check_default_partition(parent, bound, span);
        for part in &family {
            if !self.bound_is_proved(parent, part, bound) {
                self.scan(part, span, "no CHECK proves that its rows fit the partition's bound");
                self.fail_on_bound(parent, part, bound, span);
            }
        }
        let after = self.after(change);
        self.build_new_indexes(&family, &after, span, "the partition needs the parent's index");
        self.clone_foreign_keys(parent, Some(&child), span);
    }

    fn fail_on_bound(&mut self, parent: &Relation, part: &Relation, bound: &PartitionBound, span: Span) {
        let Some(condition) = bound_condition(parent, bound).filter(|_| part.has_storage()) else { return };
        let name = part.name.name.as_str();
        let message = format!("partition constraint of relation \"{name}\" is violated by some row");
        let query = format!("SELECT * FROM {} WHERE ({condition}) IS NOT TRUE LIMIT 1", rows_of(part));
        self.fail_on_rows(part, FailsWhen::SomeRow { query }, span, &part.name, message);
    }

    fn bound_is_proved(&self, parent: &Relation, child: &Relation, bound: &PartitionBound) -> bool {
        let RelationKind::PartitionedTable(key) = &parent.kind else { return false };
        expression::proves_partition_bound(&checks(child), child, parent, key, bound, self.scope(None))
    }

    /// ATExecDetachPartition (tablecmds.c).
    pub fn detach_partition(&mut self, parent: &Relation, partition: &ObjectName, concurrently: bool, finalize: bool) {
        let span = partition.span;
        if concurrently {
            self.forbid_in_transaction(span, partition, "ALTER TABLE ... DETACH CONCURRENTLY");
        }
        let child = self.find(partition);
        if let Some(child) = &child {
            self.lock(child, AccessExclusive, span);
        }
        // The detached table's constraint is read through all parents (generate_partition_qual, partcache.c).
        for ancestor in self.schema().parents_closure(parent.id).into_iter().filter(|_| concurrently) {
            self.lock_id(ancestor, LockMode::AccessShare, span);
        }
        // Clones of the parent's row triggers are looked for in all of the partition's tree (DropClonedTriggersFromPartition).
        if let Some(child) = child.as_ref().filter(|_| !concurrently && !finalize) {
            self.lock_family(child.id, AccessExclusive, span);
        }
        if let (Some(default), false) = (self.default_partition(parent.id), concurrently || finalize) {
            self.lock(&default, AccessExclusive, span);
        }
        self.detach_foreign_keys(parent, child.as_deref(), span);
    }

    fn detach_foreign_keys(&mut self, parent: &Relation, child: Option<&Relation>, span: Span) {
        // Rows that reference the partition are looked for (RI_PartitionRemove_Check).
        let referencing: Vec<RelationId> = self.schema().foreign_keys_to(parent.id).map(|(table, _)| table).collect();
        for id in referencing {
            let Some(table) = self.relation(id) else { continue };
            for part in self.family(table, !table.is_partitioned()) {
                self.lock(&part, AccessExclusive, span);
                self.scan(&part, span, "its rows may reference the partition");
            }
            for part in child.map(|child| self.family(child, false)).unwrap_or_default() {
                self.scan(&part, span, "the keys of referencing rows are looked up in it");
            }
        }
        // The partition's own keys get triggers of their own on the referenced table.
        let keys = child.map(|child| child.foreign_keys().map(|(_, key)| key.referenced).collect::<Vec<_>>());
        for referenced in keys.unwrap_or_default() {
            self.lock_id(referenced, ShareRowExclusive, span);
        }
    }

    /// A column that a SET NOT NULL of the whole tree still has to check.
    pub fn may_hold_nulls(&self, relation: &Relation, column: &crate::change::Name) -> bool {
        match relation.column(column) {
            None if relation.known => return false,
            Some(found) if found.not_null == NotNull::Yes => return false,
            _ => {}
        }
        // NotNullImpliedByRelConstraints (tablecmds.c) believes validated constraints only.
        !relation.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::Check { expression, .. } => {
                constraint.validated && constraint.enforced && expression::proves_not_null(&expression.tree, column)
            }
            _ => false,
        })
    }
}

/// The conditions of a table's CHECKs that every row is known to pass.
fn checks(table: &Relation) -> Vec<&sqlparser::ast::Expr> {
    let trusted = table.constraints.iter().filter(|constraint| constraint.validated && constraint.enforced);
    let conditions = trusted.filter_map(|constraint| match &constraint.kind {
        ConstraintKind::Check { expression, .. } => Some(&*expression.tree),
        _ => None,
    });
    conditions.collect()
}
