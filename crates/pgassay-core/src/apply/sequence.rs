//! Sequences.

use super::{Applier, ObjectId};
use crate::change::{AlterSequence, CreateSequence, Name, Persistence, QualifiedName, SequenceOptions, SequenceOwner};
use crate::schema::{Relation, RelationId, RelationKind, Sequence};

impl Applier<'_> {
    pub(super) fn create_sequence(&mut self, create: &CreateSequence) {
        let mut name = self.new_name(&create.name);
        if create.persistence == Persistence::Temporary {
            name.schema = Name::from("pg_temp");
        }
        if !self.free_for_relation(&name, create.if_not_exists, create.name.span) {
            return;
        }
        let id = self.insert_sequence(name, &create.options, Name::from("int8"), false);
        if let Some(relation) = self.schema.edit(id) {
            relation.persistence = create.persistence;
        }
        self.applied.created.push(ObjectId::Relation(id));
        self.own(id, &create.options);
    }

    pub(super) fn insert_sequence(
        &mut self,
        name: QualifiedName,
        options: &SequenceOptions,
        data_type: Name,
        identity: bool,
    ) -> RelationId {
        let sequence = Sequence {
            data_type: options.data_type.as_ref().map_or(data_type, |it| it.name.clone()),
            increment: options.increment.unwrap_or(1),
            min_value: options.min_value,
            max_value: options.max_value,
            start: options.start,
            cache: options.cache,
            cycle: options.cycle.unwrap_or(false),
            owned_by: None,
            identity,
        };
        let id = RelationId(self.schema.next_id());
        self.schema.insert_relation(Relation::new(id, name, RelationKind::Sequence(sequence)))
    }

    pub(super) fn alter_sequence(&mut self, alter: &AlterSequence) {
        let Some(id) = self.relation_or_stub(&alter.name, alter.if_exists, RelationKind::Sequence(plain_sequence()))
        else {
            return;
        };
        self.set_sequence_options(id, &alter.options);
        self.own(id, &alter.options);
    }

    pub(super) fn set_sequence_options(&mut self, id: RelationId, options: &SequenceOptions) {
        let Some(RelationKind::Sequence(sequence)) = self.schema.edit(id).map(|relation| &mut relation.kind) else {
            return;
        };
        if let Some(data_type) = &options.data_type {
            sequence.data_type = data_type.name.clone();
        }
        sequence.increment = options.increment.unwrap_or(sequence.increment);
        sequence.min_value = options.min_value.or(sequence.min_value);
        sequence.max_value = options.max_value.or(sequence.max_value);
        sequence.start = options.start.or(sequence.start);
        sequence.cache = options.cache.or(sequence.cache);
        sequence.cycle = options.cycle.unwrap_or(sequence.cycle);
    }

    fn own(&mut self, id: RelationId, options: &SequenceOptions) {
        match &options.owned_by {
            None => {}
            Some(SequenceOwner::None) => self.schema.own_sequence(id, None),
            Some(SequenceOwner::Column { table, column }) => {
                let Some(table) = self.relation(table, false) else { return };
                let Some(column) = self.column(table, column) else { return };
                self.schema.own_sequence(id, Some((table, column)));
            }
        }
    }
}

/// A sequence with nothing said about it.
pub(super) fn plain_sequence() -> Sequence {
    Sequence {
        data_type: Name::from("int8"),
        increment: 1,
        min_value: None,
        max_value: None,
        start: None,
        cache: None,
        cycle: false,
        owned_by: None,
        identity: false,
    }
}
