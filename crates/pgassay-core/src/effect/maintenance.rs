//! TRUNCATE, LOCK, CLUSTER, VACUUM, ANALYZE, statistics, publications and comments.

use std::collections::BTreeSet;

use super::predictor::Predictor;
use crate::catalog::LockMode;
use crate::catalog::LockMode::{AccessExclusive, AccessShare, ShareUpdateExclusive};
use crate::change::{
    AlterExtension, AlterExtensionAction, AlterObject, AlterObjectAction, AlterPublication, AlterPublicationAction,
    Cluster, Comment, CreateOther, CreateStatistics, Grant, GrantObjects, LockTable, ObjectKind, ObjectName,
    ObjectReference, Owned, PublicationObjects, Truncate, Vacuum,
};
use crate::schema::{Object, Relation, RelationId, RelationKind};
use crate::source::Span;

impl Predictor<'_> {
    pub fn truncate(&mut self, truncate: &Truncate) {
        let mut seen = BTreeSet::new();
        for (name, only) in &truncate.tables {
            let Some(table) = self.find(name) else { continue };
            for table in self.family(&table, *only) {
                seen.insert(table.id);
                self.truncate_one(&table, name.span);
            }
        }
        if truncate.cascade {
            let span = truncate.tables.first().map(|(name, _)| name.span);
            span.into_iter().for_each(|span| self.truncate_referencing(seen.clone(), span));
        }
    }

    /// heap_truncate_find_FKs (heap.c), until nothing new is found.
    fn truncate_referencing(&mut self, mut seen: BTreeSet<RelationId>, span: Span) {
        let mut waiting: Vec<RelationId> = seen.iter().copied().collect();
        while let Some(id) = waiting.pop() {
            // A key to a partitioned table is one to each of its partitions too.
            let referenced = std::iter::once(id).chain(self.partitioned_above(id));
            let referencing: Vec<_> =
                referenced.flat_map(|id| self.schema().foreign_keys_to(id)).map(|(table, _)| table).collect();
            for id in referencing {
                let Some(table) = self.relation(id) else { continue };
                for part in self.family(table, false) {
                    if seen.insert(part.id) {
                        waiting.push(part.id);
                        self.truncate_one(&part, span);
                    }
                }
            }
        }
    }

    fn truncate_one(&mut self, table: &Relation, span: Span) {
        self.lock(table, AccessExclusive, span);
        if !matches!(table.kind, RelationKind::Table) {
            return;
        }
        self.new_storage(table, span, "TRUNCATE gives the table new, empty storage");
        self.rebuild_all(table, span, "the table is emptied");
        if !table.indexes.is_empty() {
            self.scan(table, span, "the indexes of the emptied table are built anew");
        }
    }

    pub fn lock_table(&mut self, lock: &LockTable) {
        if let Some((first, _)) = lock.tables.first() {
            let message = "LOCK TABLE can only be used in transaction blocks".to_owned();
            self.fail(super::FailsWhen::OutsideTransactionBlock, first.span, first, message);
        }
        for (name, only) in &lock.tables {
            let Some(relation) = self.find(name) else { continue };
            let mut locked = BTreeSet::new();
            for relation in self.family(&relation, *only) {
                self.lock_through_views(&relation, lock.mode, name.span, &mut locked);
            }
        }
    }

    /// LockViewRecurse (lockcmds.c).
    fn lock_through_views(
        &mut self,
        relation: &Relation,
        mode: LockMode,
        span: Span,
        locked: &mut BTreeSet<RelationId>,
    ) {
        if !locked.insert(relation.id) {
            return;
        }
        self.lock(relation, mode, span);
        let RelationKind::View(view) = &relation.kind else { return };
        for (id, _) in &view.uses {
            let Some(used) = self.relation(*id) else { continue };
            for used in self.family(used, false) {
                self.lock_through_views(&used, mode, span, locked);
            }
        }
    }

    pub fn cluster(&mut self, cluster: &Cluster) {
        let Some(name) = &cluster.table else {
            let clustered: Vec<_> =
                self.schema().relations.values().filter(|it| it.clustered_on.is_some()).cloned().collect();
            self.out.effect.in_transaction_block = super::InTransactionBlock::Forbidden;
            let span = Span::new(crate::source::FileId(0), 0, 0);
            for table in clustered {
                self.lock(&table, AccessExclusive, span);
                self.rewrite(&table, span, "CLUSTER writes it in the index's order");
            }
            self.rewrite_unseen(
                "every table that was clustered before",
                "CLUSTER writes it in the index's order",
                span,
            );
            return;
        };
        let Some(table) = self.find(name) else { return };
        if table.is_partitioned() {
            self.forbid_in_transaction(name.span, name, "CLUSTER");
        }
        for (at, table) in self.family(&table, !table.is_partitioned()).into_iter().enumerate() {
            // cluster_multiple_rels (cluster.c) takes the leaves.
            if at > 0 && !table.has_storage() {
                continue;
            }
            self.lock(&table, AccessExclusive, name.span);
            self.rewrite(&table, name.span, "CLUSTER writes it in the index's order");
        }
    }

    pub fn vacuum(&mut self, vacuum: &Vacuum) {
        self.out.effect.in_transaction_block = super::InTransactionBlock::Forbidden;
        let mode = if vacuum.full { AccessExclusive } else { ShareUpdateExclusive };
        if let Some(first) = vacuum.tables.first() {
            self.forbid_in_transaction(first.span, first, "VACUUM");
        }
        for (at, name) in vacuum.tables.iter().enumerate() {
            let only = vacuum.only.get(at).copied().unwrap_or(false);
            let Some(table) = self.find(name) else { continue };
            if matches!(table.kind, RelationKind::View(_) | RelationKind::ForeignTable) {
                continue;
            }
            for part in self.family(&table, only || (!table.is_partitioned() && !self.at_least(18))) {
                self.lock(&part, mode, name.span);
                if vacuum.full {
                    self.rewrite(&part, name.span, "VACUUM FULL copies it into new storage");
                }
            }
        }
        if vacuum.tables.is_empty() {
            self.vacuum_everything(vacuum.full, mode);
        }
    }

    fn vacuum_everything(&mut self, full: bool, mode: LockMode) {
        let span = Span::new(crate::source::FileId(0), 0, 0);
        let tables: Vec<_> = self.schema().relations.values().cloned().collect();
        for table in tables
            .iter()
            .filter(|it| it.is_queryable() && !matches!(it.kind, RelationKind::View(_) | RelationKind::ForeignTable))
        {
            self.lock(table, mode, span);
            if full {
                self.rewrite(table, span, "VACUUM FULL copies it into new storage");
            }
        }
        if full {
            self.rewrite_unseen("every table of the database", "VACUUM FULL copies it into new storage", span);
        }
    }

    pub fn analyze_tables(&mut self, tables: &[ObjectName], only: &[bool]) {
        for (at, name) in tables.iter().enumerate() {
            let only = only.get(at).copied().unwrap_or(false);
            let Some(table) = self.find(name) else { continue };
            // Skipped with a warning, its lock released (`analyze_rel`, analyze.c).
            if matches!(table.kind, RelationKind::View(_)) {
                continue;
            }
            self.lock(&table, ShareUpdateExclusive, name.span);
            let own = !only && (self.at_least(18) || table.is_partitioned());
            for child in self.family(&table, false).iter().skip(1) {
                // acquire_inherited_sample_rows (analyze.c) reads children under ACCESS SHARE; partitions are analyzed themselves.
                self.lock(child, if own { ShareUpdateExclusive } else { AccessShare }, name.span);
            }
        }
        if tables.is_empty() {
            let span = Span::new(crate::source::FileId(0), 0, 0);
            let all: Vec<_> = self.schema().relations.values().filter(|it| it.is_queryable()).cloned().collect();
            for table in all.iter().filter(|it| !matches!(it.kind, RelationKind::View(_))) {
                self.lock(table, ShareUpdateExclusive, span);
            }
        }
    }

    pub fn create_statistics(&mut self, create: &CreateStatistics) {
        // The lock comes before the look whether the statistics exist (`CreateStatistics`, statscmds.c).
        let Some(name) = &create.table else { return };
        if let Some(table) = self.find(name) {
            self.lock(&table, ShareUpdateExclusive, name.span);
        }
    }

    pub fn publication_objects(&mut self, objects: &PublicationObjects) {
        let PublicationObjects::Named { tables, .. } = objects else { return };
        for named in tables {
            let Some(table) = self.find(&named.table) else { continue };
            // OpenTableList (publicationcmds.c): children of plain inheritance, no partitions.
            for table in self.family(&table, named.only || table.is_partitioned()) {
                self.lock(&table, ShareUpdateExclusive, named.table.span);
            }
        }
    }

    pub fn alter_publication(&mut self, alter: &AlterPublication) {
        match &alter.action {
            AlterPublicationAction::Add(objects) | AlterPublicationAction::Drop(objects) => {
                self.publication_objects(objects);
            }
            AlterPublicationAction::Set(objects) => {
                self.publication_objects(objects);
                let published = self.schema().publications.get(&alter.name.name).map(|it| it.tables.clone());
                for id in published.unwrap_or_default() {
                    self.lock_id(id, ShareUpdateExclusive, alter.name.span);
                }
            }
            AlterPublicationAction::Options { .. } => {}
        }
    }

    pub fn comment(&mut self, comment: &Comment) {
        self.lock_object(comment.kind, &comment.object);
    }

    pub fn alter_extension(&mut self, alter: &AlterExtension) {
        if let AlterExtensionAction::Member { kind, object } = &alter.action {
            self.lock_object(*kind, object);
        }
    }

    /// get_object_address (objectaddress.c): relations under SHARE UPDATE EXCLUSIVE, tables of parts under ACCESS SHARE.
    fn lock_object(&mut self, kind: ObjectKind, object: &ObjectReference) {
        use ObjectKind::*;
        let (name, mode) = match kind {
            Table | View | MaterializedView | ForeignTable => (Some(&object.name), ShareUpdateExclusive),
            Column => (Some(object.on.as_ref().unwrap_or(&object.name)), ShareUpdateExclusive),
            Constraint | Trigger | Rule | Policy => (object.on.as_ref(), AccessShare),
            _ => (None, AccessShare),
        };
        let Some(name) = name else { return };
        if let Some(relation) =
            self.schema().find_relation(name, self.context.session).cloned().or_else(|| self.find(name))
        {
            self.lock(&relation, mode, object.span);
        }
    }

    /// REASSIGN OWNED changes the owner of each relation; DROP OWNED drops it.
    pub fn owned(&mut self, owned: &Owned) {
        for id in self.schema().owned_by(owned) {
            if owned.drop {
                self.lock_dropped(&Object::Relation(id), owned.span);
            } else {
                self.lock_id(id, AccessExclusive, owned.span);
            }
        }
    }

    pub fn create_other(&mut self, create: &CreateOther) {
        if let (true, Some(name)) = (create.forbidden_in_transaction, &create.name) {
            self.forbid_in_transaction(name.span, name, &format!("CREATE {}", create.kind.noun().to_uppercase()));
        } else if create.forbidden_in_transaction {
            self.out.effect.in_transaction_block = super::InTransactionBlock::Forbidden;
        }
    }

    /// RENAME and the like of triggers, rules and policies lock their table.
    pub fn alter_object(&mut self, alter: &AlterObject) {
        use ObjectKind::*;
        if alter.action == AlterObjectAction::OptionsOutsideTransaction {
            let command = format!("ALTER {}", alter.kind.noun().to_uppercase());
            return self.forbid_in_transaction(alter.span, &alter.object.name, &command);
        }
        if let AlterObjectAction::MoveAll { tablespace, .. } = &alter.action {
            return self.move_all(alter, &tablespace.name);
        }
        if !matches!(alter.kind, Trigger | Rule | Policy) {
            return;
        }
        let Some(table) = alter.object.on.as_ref().and_then(|name| self.find(name)) else { return };
        if alter.action == AlterObjectAction::DependsOnExtension {
            return self.lock(&table, AccessShare, alter.object.span);
        }
        self.lock(&table, AccessExclusive, alter.object.span);
        // renametrig (trigger.c) locks the partitions since 15, whether they have clones or not.
        let named = table.triggers.iter().any(|it| it.name == alter.object.name.name);
        if alter.kind == Trigger && table.is_partitioned() && named && self.at_least(15) {
            self.lock_family(table.id, AccessExclusive, alter.object.span);
        }
    }

    /// ALTER TABLE ALL IN TABLESPACE (AlterTableMoveAll, tablecmds.c).
    #[deny(clippy::wildcard_enum_match_arm, reason = "a new kind of relation says what it is")]
    fn move_all(&mut self, alter: &AlterObject, target: &crate::change::Name) {
        let default = crate::change::Name::from("pg_default");
        let relations: Vec<_> = self.schema().relations.values().cloned().collect();
        for relation in relations {
            let wanted = match relation.kind {
                RelationKind::Table | RelationKind::PartitionedTable(_) => alter.kind == ObjectKind::Table,
                RelationKind::MaterializedView(_) => alter.kind == ObjectKind::MaterializedView,
                RelationKind::Index(_) => alter.kind == ObjectKind::Index,
                RelationKind::ForeignTable | RelationKind::View(_) | RelationKind::Sequence(_) => false,
            };
            let from = relation.tablespace.as_ref().unwrap_or(&default);
            if !wanted || *from != alter.object.name.name || from == target {
                continue;
            }
            self.lock(&relation, AccessExclusive, alter.span);
            let table = relation.as_index().and_then(|index| self.relation(index.table));
            match table {
                Some(table) if relation.has_storage() => {
                    self.build(table, &relation.name, alter.span, "it moves to another tablespace");
                }
                None if relation.has_storage() => {
                    self.new_storage(&relation, alter.span, "its files move to another tablespace");
                }
                _ => {}
            }
        }
    }

    /// 18 locks what privileges are given on (`objectNamesToOids`, aclchk.c); older servers lock nothing.
    fn grant_target(&mut self, name: &ObjectName) {
        if let Some(relation) = self.find(name) {
            self.lock(&relation, AccessShare, name.span);
        }
    }

    pub fn grant(&mut self, grant: &Grant) {
        let GrantObjects::Named { kind: ObjectKind::Table, objects } = &grant.objects else { return };
        if self.at_least(18) {
            objects.iter().for_each(|object| self.grant_target(&object.name));
        }
    }
}
