//! DROP: everything that goes with it is locked, and so is what it pointed at.

use super::predictor::Predictor;
use crate::catalog::LockMode::{AccessExclusive, ShareUpdateExclusive};
use crate::change::{self, Drop, ObjectKind, ObjectReference};
use crate::schema::{ConstraintKind, ForeignKey, Object, Relation, RelationId, RelationKind};
use crate::source::Span;

impl Predictor<'_> {
    pub fn drop(&mut self, drop: &Drop) {
        if matches!(drop.kind, ObjectKind::Database | ObjectKind::Tablespace) {
            let Some(first) = drop.objects.first() else { return };
            let command = if drop.kind == ObjectKind::Database { "DROP DATABASE" } else { "DROP TABLESPACE" };
            return self.forbid_in_transaction(first.span, &first.name, command);
        }
        if drop.concurrently {
            return self.drop_index_concurrently(drop);
        }
        for reference in &drop.objects {
            // The lock on the table of a part that is not there is released (`get_object_address_relobject`).
            if drop.if_exists && self.lacks_part(drop.kind, reference) {
                continue;
            }
            for object in self.named(drop.kind, reference) {
                self.lock_below_index(&object, reference.span);
                self.lock_dropped(&object, reference.span);
            }
            self.lock_unknown(drop.kind, reference);
        }
    }

    /// DROP INDEX of a partitioned index locks all that is below its table, whatever the index is attached to (RemoveRelations, tablecmds.c).
    fn lock_below_index(&mut self, dropped: &Object, span: Span) {
        let Object::Relation(id) = dropped else { return };
        let Some(table) = self.relation(*id).and_then(|it| it.as_index()).map(|index| index.table) else { return };
        if self.relation(table).is_some_and(|it| it.is_partitioned()) {
            self.schema().children_closure(table).into_iter().for_each(|id| self.lock_id(id, AccessExclusive, span));
        }
    }

    /// Whether a table that is known has no such trigger, rule or policy.
    fn lacks_part(&self, kind: ObjectKind, reference: &ObjectReference) -> bool {
        let on = reference.on.as_ref().and_then(|name| self.schema().find_relation(name, self.context.session));
        let Some(table) = on.filter(|table| table.known) else { return false };
        let name = &reference.name.name;
        match kind {
            ObjectKind::Trigger => !table.triggers.iter().any(|it| it.name == *name),
            ObjectKind::Rule => !table.rules.iter().any(|it| it.name == *name),
            ObjectKind::Policy => !table.policies.iter().any(|it| it.name == *name),
            _ => false,
        }
    }

    fn drop_index_concurrently(&mut self, drop: &Drop) {
        for reference in &drop.objects {
            self.forbid_in_transaction(reference.span, &reference.name, "DROP INDEX CONCURRENTLY");
            let table = self.find(&reference.name).and_then(|index| index.as_index().map(|it| it.table));
            if let Some(table) = table {
                self.lock_id(table, ShareUpdateExclusive, reference.span);
            }
        }
    }

    /// A relation that a partial history does not know is locked by its name.
    fn lock_unknown(&mut self, kind: ObjectKind, reference: &ObjectReference) {
        use ObjectKind::*;
        let relation = match kind {
            Table | View | MaterializedView | ForeignTable => Some(&reference.name),
            Trigger | Rule | Policy => reference.on.as_ref(),
            _ => None,
        };
        if let Some(relation) = relation.and_then(|name| self.find(name)) {
            self.lock(&relation, AccessExclusive, reference.span);
        }
    }

    fn named(&self, kind: ObjectKind, reference: &ObjectReference) -> Vec<Object> {
        use ObjectKind::*;
        let session = self.context.session;
        let on = reference.on.as_ref().and_then(|name| self.schema().find_relation(name, session));
        let name = &reference.name;
        match kind {
            Table | ForeignTable | View | MaterializedView | Index | Sequence => {
                self.schema().find_relation(name, session).map(|it| Object::Relation(it.id)).into_iter().collect()
            }
            Trigger => on.map(|it| Object::Trigger(it.id, name.name.clone())).into_iter().collect(),
            Rule => on.map(|it| Object::Rule(it.id, name.name.clone())).into_iter().collect(),
            Policy => on.map(|it| Object::Policy(it.id, name.name.clone())).into_iter().collect(),
            Type | Domain => self
                .schema()
                .find_type(&name.schema, &name.name, session)
                .map(|it| Object::Type(it.id))
                .into_iter()
                .collect(),
            Schema => vec![Object::Namespace(name.name.clone())],
            Statistics => vec![Object::Statistics(self.schema().qualify(name, session))],
            Function | Procedure | Routine => self.named_routines(reference),
            _ => Vec::new(),
        }
    }

    fn named_routines(&self, reference: &ObjectReference) -> Vec<Object> {
        let matching = |arguments: &Vec<change::TypeName>, routine: &crate::schema::Routine| {
            let inputs: Vec<_> = routine.inputs().map(|it| &it.data_type).collect();
            inputs.len() == arguments.len() && inputs.iter().zip(arguments).all(|(a, b)| a.name == b.name)
        };
        self.schema()
            .find_routines(&reference.name, self.context.session)
            .filter(|routine| reference.arguments.as_ref().is_none_or(|it| matching(it, routine)))
            .map(|routine| Object::Routine(routine.id))
            .collect()
    }

    /// Locks what a DROP of one object reaches (`AcquireDeletionLock`, dependency.c, and the removal functions).
    pub fn lock_dropped(&mut self, named: &Object, span: Span) {
        let closure = self.schema().dropped_with(std::slice::from_ref(named));
        for object in &closure.objects {
            match object {
                Object::Relation(id) => self.lock_dropped_relation(*id, span),
                Object::Constraint(id, name) => self.lock_dropped_constraint(*id, name, span),
                Object::Column(id, _) | Object::Rule(id, _) | Object::Policy(id, _) => {
                    self.lock_id(*id, AccessExclusive, span);
                }
                Object::Default(id, _) => self.lock_id(*id, AccessExclusive, span),
                Object::Trigger(id, name) => self.lock_dropped_trigger(*id, name, span),
                Object::Statistics(name) => {
                    let table = self.schema().statistics.get(name).and_then(|it| it.table);
                    table.into_iter().for_each(|table| self.lock_id(table, ShareUpdateExclusive, span));
                }
                Object::Type(id) => {
                    let relations = self.schema().relations.values();
                    let typed: Vec<_> = relations.filter(|it| it.of_type == Some(*id)).map(|it| it.id).collect();
                    typed.into_iter().for_each(|table| self.lock_dropped_relation(table, span));
                }
                Object::Attribute(..) | Object::Routine(_) | Object::Namespace(_) | Object::EventTrigger(_) => {}
            }
        }
    }

    #[deny(clippy::wildcard_enum_match_arm, reason = "a new kind of relation says what it is")]
    fn lock_dropped_relation(&mut self, id: RelationId, span: Span) {
        let Some(relation) = self.relation(id) else { return };
        match &relation.kind {
            // index_drop (index.c) locks the heap as it does the index.
            RelationKind::Index(index) => self.lock_id(index.table, AccessExclusive, span),
            RelationKind::Sequence(_) => {}
            RelationKind::Table
            | RelationKind::PartitionedTable(_)
            | RelationKind::ForeignTable
            | RelationKind::View(_)
            | RelationKind::MaterializedView(_) => {
                self.lock(relation, AccessExclusive, span);
                self.lock_around_dropped_table(relation, span);
            }
        }
    }

    fn lock_around_dropped_table(&mut self, relation: &Relation, span: Span) {
        // heap_drop_with_catalog (heap.c): the parent of a partition, and its default partition.
        if relation.is_partition() {
            for parent in &relation.parents {
                self.lock_id(*parent, AccessExclusive, span);
                if let Some(default) = self.default_partition(*parent) {
                    self.lock(&default, AccessExclusive, span);
                }
            }
        }
        for (constraint, key) in relation.foreign_keys() {
            // The triggers on the referenced table belong to the key of the topmost partitioned table.
            if constraint.local || !relation.is_partition() {
                self.lock_foreign_key_partners(relation.id, key, span);
            }
        }
    }

    fn lock_dropped_constraint(&mut self, id: RelationId, name: &change::Name, span: Span) {
        let Some(relation) = self.relation(id) else { return };
        self.lock(relation, AccessExclusive, span);
        if let Some(ConstraintKind::ForeignKey(key)) = relation.constraint(name).map(|it| &it.kind) {
            self.lock_foreign_key_partners(id, key, span);
        }
    }

    /// Removing a foreign key removes its triggers, those on the other table and on all partitions included (`RemoveTriggerById`).
    pub fn lock_foreign_key_partners(&mut self, id: RelationId, key: &ForeignKey, span: Span) {
        self.lock_partitions(id, span);
        // Before 15 only the partitions have the triggers of a key, the partitioned table itself has none.
        if self.at_least(15) || !self.relation(key.referenced).is_some_and(|it| it.is_partitioned()) {
            self.lock_id(key.referenced, AccessExclusive, span);
        }
        self.lock_partitions(key.referenced, span);
    }

    fn lock_partitions(&mut self, id: RelationId, span: Span) {
        let Some(table) = self.relation(id).filter(|it| it.is_partitioned()) else { return };
        for part in self.family(table, false) {
            if self.at_least(15) || !part.is_partitioned() {
                self.lock(&part, AccessExclusive, span);
            }
        }
    }

    fn lock_dropped_trigger(&mut self, id: RelationId, name: &change::Name, span: Span) {
        let Some(relation) = self.relation(id) else { return };
        let cloned = relation.triggers.iter().any(|it| it.name == *name && it.for_each_row);
        self.lock(relation, AccessExclusive, span);
        if relation.is_partitioned() && cloned {
            self.lock_family(id, AccessExclusive, span);
        }
    }
}
