//! Putting objects in and taking them out, with the names and edges that go with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::overload::Overload;
use super::{
    Column, ColumnId, ColumnType, Constraint, ConstraintKind, List, NotNull, Object, ObjectId, Relation, RelationId,
    RelationKind, ResolvedType, Routine, RoutineId, Schema, Type, TypeDefinition, TypeId,
};
use crate::change::{Name, Persistence, QualifiedName, ReplicaIdentity, TypeName};
use crate::source::Span;

impl Schema {
    pub(crate) fn next_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// A relation to change in place; copied first when a saved state shares it.
    pub(crate) fn edit(&mut self, id: RelationId) -> Option<&mut Relation> {
        self.relations.get_mut(&id).map(Arc::make_mut)
    }

    /// Notes what no statement says: a concurrent build of this index failed.
    pub fn mark_invalid_index(&mut self, name: &QualifiedName) {
        let id = self.relation_at(name).map(|relation| relation.id);
        if let Some(RelationKind::Index(index)) = id.and_then(|id| self.edit(id)).map(|relation| &mut relation.kind) {
            index.valid = false;
        }
    }

    pub(crate) fn edit_type(&mut self, id: TypeId) -> Option<&mut Type> {
        self.types.get_mut(&id).map(Arc::make_mut)
    }

    pub(crate) fn edit_routine(&mut self, id: RoutineId) -> Option<&mut Routine> {
        self.routines.get_mut(&id).map(Arc::make_mut)
    }

    /// Relations, and composite types, share one set of names in a schema.
    pub(crate) fn relation_name_taken(&self, name: &QualifiedName) -> bool {
        self.relation_names.contains_key(name)
            || self.type_at(name).is_some_and(|found| matches!(found.definition, TypeDefinition::Composite(_)))
    }

    /// Types share their names with the row types of tables and views.
    pub(crate) fn type_name_taken(&self, name: &QualifiedName) -> bool {
        self.type_names.contains_key(name) || self.relation_at(name).is_some_and(|relation| relation.is_queryable())
    }

    pub(crate) fn insert_relation(&mut self, mut relation: Relation) -> RelationId {
        let id = relation.id;
        // A large schema is mostly columns, and few of them change.
        relation.columns.shrink_to_fit();
        self.relation_names.insert(relation.name.clone(), id);
        self.gone.remove(&relation.name);
        for constraint in &relation.constraints {
            self.count_constraint(&relation.name.schema, &constraint.name);
        }
        self.relations.insert(id, Arc::new(relation));
        id
    }

    pub(crate) fn insert_type(&mut self, found: Type) -> TypeId {
        let id = found.id;
        self.type_names.insert(found.name.clone(), id);
        self.types.insert(id, Arc::new(found));
        id
    }

    pub(crate) fn insert_routine(&mut self, routine: Routine) -> RoutineId {
        let id = routine.id;
        self.routine_names.entry(routine.name.clone()).or_default().push(Overload::of(&routine));
        self.routines.insert(id, Arc::new(routine));
        id
    }

    /// Gives a relation a new name or schema; its constraints' names move along.
    pub(crate) fn move_relation(&mut self, id: RelationId, name: QualifiedName) {
        let Some(relation) = self.edit(id) else { return };
        let old = std::mem::replace(&mut relation.name, name.clone());
        let moved = old.schema != name.schema;
        let constraints: Vec<Name> = relation.constraints.iter().map(|it| it.name.clone()).filter(|_| moved).collect();
        self.relation_names.remove(&old);
        self.gone.remove(&name);
        self.relation_names.insert(name.clone(), id);
        self.has_lost(&old);
        for constraint in constraints {
            self.discount_constraint(&old.schema, &constraint);
            self.count_constraint(&name.schema, &constraint);
        }
    }

    pub(crate) fn move_type(&mut self, id: TypeId, name: QualifiedName) {
        let Some(found) = self.edit_type(id) else { return };
        let old = std::mem::replace(&mut found.name, name.clone());
        self.type_names.remove(&old);
        self.type_names.insert(name, id);
    }

    pub(crate) fn move_routine(&mut self, id: RoutineId, name: QualifiedName) {
        let Some(routine) = self.edit_routine(id) else { return };
        let old = std::mem::replace(&mut routine.name, name.clone());
        let overload = Overload::of(routine);
        self.forget_routine_name(&old, id);
        self.routine_names.entry(name).or_default().push(overload);
    }

    /// Puts another definition in the place of a routine's, under the same name.
    pub(crate) fn replace_routine(&mut self, routine: Routine) {
        let overloads = self.routine_names.get_mut(&routine.name);
        if let Some(overload) = overloads.and_then(|it| it.iter_mut().find(|it| it.id == routine.id)) {
            *overload = Overload::of(&routine);
        }
        self.routines.insert(routine.id, Arc::new(routine));
    }

    fn forget_routine_name(&mut self, name: &QualifiedName, id: RoutineId) {
        if let Some(overloads) = self.routine_names.get_mut(name) {
            overloads.retain(|other| other.id != id);
            if overloads.is_empty() {
                self.routine_names.remove(name);
            }
        }
    }

    fn count_constraint(&mut self, schema: &Name, name: &Name) {
        *self.constraint_names.entry(QualifiedName { schema: schema.clone(), name: name.clone() }).or_default() += 1;
    }

    fn discount_constraint(&mut self, schema: &Name, name: &Name) {
        let key = QualifiedName { schema: schema.clone(), name: name.clone() };
        match self.constraint_names.get_mut(&key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => _ = self.constraint_names.remove(&key),
        }
    }

    pub(crate) fn constraint_name_taken(&self, name: &QualifiedName) -> bool {
        self.constraint_names.contains_key(name)
    }

    /// Domain constraints have their names beside those of tables.
    pub(crate) fn count_domain_constraint(&mut self, domain: &QualifiedName, name: &Name) {
        self.count_constraint(&domain.schema, name);
    }

    pub(crate) fn discount_domain_constraint(&mut self, domain: &QualifiedName, name: &Name) {
        self.discount_constraint(&domain.schema, name);
    }

    pub(crate) fn add_constraint(&mut self, id: RelationId, constraint: Constraint) {
        let Some(relation) = self.relation(id) else { return };
        let schema = relation.name.schema.clone();
        self.count_constraint(&schema, &constraint.name);
        if let ConstraintKind::ForeignKey(key) = &constraint.kind
            && let Some(referenced) = self.edit(key.referenced)
            && !referenced.referenced_by.contains(&id)
        {
            referenced.referenced_by.push(id);
        }
        if let Some(relation) = self.edit(id) {
            relation.constraints.push(constraint);
        }
    }

    pub(crate) fn remove_constraint(&mut self, id: RelationId, name: &Name) -> Option<Constraint> {
        let relation = self.edit(id)?;
        let at = relation.constraints.iter().position(|constraint| constraint.name == *name)?;
        let constraint = relation.constraints.remove(at);
        let schema = relation.name.schema.clone();
        self.discount_constraint(&schema, name);
        self.dependencies.forget(&Object::Constraint(id, name.clone()));
        if let ConstraintKind::ForeignKey(key) = &constraint.kind {
            self.forget_reference(id, key.referenced);
        }
        Some(constraint)
    }

    fn forget_reference(&mut self, from: RelationId, to: RelationId) {
        let others = self.relation(from).is_some_and(|it| it.foreign_keys().any(|(_, key)| key.referenced == to));
        if !others && let Some(referenced) = self.edit(to) {
            referenced.referenced_by.retain(|table| *table != from);
        }
    }

    pub(crate) fn rename_constraint(&mut self, id: RelationId, old: &Name, new: &Name) {
        let Some(relation) = self.edit(id) else { return };
        let schema = relation.name.schema.clone();
        if let Some(constraint) = relation.constraints.find_mut(|constraint| constraint.name == *old) {
            constraint.name = new.clone();
            self.discount_constraint(&schema, old);
            self.count_constraint(&schema, new);
            self.dependencies.rename(&Object::Constraint(id, old.clone()), Object::Constraint(id, new.clone()));
        }
    }

    pub(crate) fn add_index(&mut self, table: RelationId, index: Relation) -> RelationId {
        let id = self.insert_relation(index);
        if let Some(table) = self.edit(table) {
            table.indexes.push(id);
        }
        id
    }

    /// Takes one object out. What depends on it must go by itself: see `dropped_with`.
    pub(crate) fn remove(&mut self, object: &Object) {
        self.dependencies.forget(object);
        match object {
            Object::Relation(id) => self.remove_relation(*id),
            Object::Column(id, column) => self.remove_column(*id, *column),
            Object::Default(id, column) => {
                if let Some(column) = self.edit(*id).and_then(|it| it.column_mut(*column)) {
                    column.default = None;
                }
            }
            Object::Constraint(id, name) => _ = self.remove_constraint(*id, name),
            Object::Trigger(id, name) => self.edit_parts(*id, |it| it.triggers.retain(|trigger| trigger.name != *name)),
            Object::Rule(id, name) => self.edit_parts(*id, |it| it.rules.retain(|rule| rule.name != *name)),
            Object::Policy(id, name) => self.edit_parts(*id, |it| it.policies.retain(|policy| policy.name != *name)),
            Object::Type(id) => self.remove_type(*id),
            Object::Attribute(id, name) => self.remove_attribute(*id, name),
            Object::Routine(id) => self.remove_routine(*id),
            Object::Namespace(name) => _ = self.namespaces.remove(name),
            Object::Statistics(name) => _ = self.statistics.remove(name),
            Object::EventTrigger(name) => _ = self.event_triggers.remove(name),
        }
    }

    fn edit_parts(&mut self, id: RelationId, change: impl FnOnce(&mut Relation)) {
        if let Some(relation) = self.edit(id) {
            change(relation);
        }
    }

    /// Where all is known, what is not there is gone.
    pub(crate) fn has_lost(&mut self, name: &QualifiedName) {
        if !self.complete {
            self.gone.insert(name.clone());
        }
    }

    fn remove_relation(&mut self, id: RelationId) {
        let Some(relation) = self.relations.remove(&id) else { return };
        if self.relation_names.get(&relation.name) == Some(&id) {
            self.relation_names.remove(&relation.name);
            self.has_lost(&relation.name);
        }
        for object in relation.parts() {
            self.dependencies.forget(&object);
        }
        for constraint in &relation.constraints {
            self.discount_constraint(&relation.name.schema, &constraint.name);
            if let ConstraintKind::ForeignKey(key) = &constraint.kind {
                self.edit_parts(key.referenced, |it| it.referenced_by.retain(|table| *table != id));
            }
        }
        for parent in &relation.parents {
            self.remove_bound(*parent, &relation);
            self.edit_parts(*parent, |it| it.children.retain(|child| *child != id));
        }
        for child in &relation.children {
            self.edit_parts(*child, |it| it.parents.retain(|parent| *parent != id));
        }
        match &relation.kind {
            RelationKind::Index(index) => self.edit_parts(index.table, |it| it.indexes.retain(|index| *index != id)),
            RelationKind::Sequence(sequence) => self.forget_sequence(id, sequence.owned_by),
            _ => {}
        }
        self.forget_published(id);
    }

    fn forget_sequence(&mut self, id: RelationId, owner: Option<(RelationId, ColumnId)>) {
        let Some((table, column)) = owner else { return };
        if let Some(column) = self.edit(table).and_then(|it| it.column_mut(column))
            && column.sequence == Some(id)
        {
            column.sequence = None;
        }
    }

    fn forget_published(&mut self, id: RelationId) {
        let publishes = |publication: &super::Publication| publication.tables.contains(&id);
        let names: Vec<Name> =
            self.publications.iter().filter(|(_, it)| publishes(it)).map(|(name, _)| name.clone()).collect();
        for name in names {
            if let Some(publication) = self.publications.get_mut(&name) {
                publication.tables.retain(|table| *table != id);
            }
        }
    }

    fn remove_column(&mut self, id: RelationId, column: ColumnId) {
        self.dependencies.forget(&Object::Default(id, column));
        self.edit_parts(id, |it| {
            it.columns.retain(|other| other.id != column);
            it.privileges.retain(|privilege| privilege.column != Some(column));
        });
    }

    fn remove_attribute(&mut self, id: TypeId, name: &Name) {
        let Some(found) = self.edit_type(id) else { return };
        let TypeDefinition::Composite(fields) = &mut found.definition else { return };
        fields.retain(|(field, _)| field != name);
        let on = fields.iter().filter_map(|(_, of)| Schema::type_target(of)).collect();
        self.dependencies.set(Object::Type(id), on);
    }

    fn remove_type(&mut self, id: TypeId) {
        let Some(found) = self.types.remove(&id) else { return };
        if self.type_names.get(&found.name) == Some(&id) {
            self.type_names.remove(&found.name);
        }
        if let TypeDefinition::Domain(domain) = &found.definition {
            for constraint in &domain.constraints {
                self.discount_constraint(&found.name.schema, &constraint.name);
            }
        }
    }

    fn remove_routine(&mut self, id: RoutineId) {
        if let Some(routine) = self.routines.remove(&id) {
            self.forget_routine_name(&routine.name, id);
        }
    }

    /// Keeps the edge from a column to its type.
    pub(crate) fn link_column(&mut self, id: RelationId, column: ColumnId) {
        let on =
            self.relation(id).and_then(|it| it.column_by_id(column)).and_then(|it| Schema::type_target(&it.data_type));
        self.dependencies.set(Object::Column(id, column), on.into_iter().collect());
    }

    /// Keeps the edge from an owned sequence to its table.
    pub(crate) fn own_sequence(&mut self, id: RelationId, owner: Option<(RelationId, ColumnId)>) {
        if let Some(RelationKind::Sequence(sequence)) = self.edit(id).map(|relation| &mut relation.kind) {
            let old = std::mem::replace(&mut sequence.owned_by, owner);
            self.forget_sequence(id, old);
        }
        if let Some((table, column)) = owner {
            self.dependencies.set(Object::Relation(id), vec![ObjectId::Relation(table)]);
            if let Some(column) = self.edit(table).and_then(|it| it.column_mut(column)) {
                column.sequence = Some(id);
            }
        } else {
            self.dependencies.forget(&Object::Relation(id));
        }
    }
}

impl Relation {
    pub(crate) fn new(id: RelationId, name: QualifiedName, kind: RelationKind) -> Relation {
        Relation {
            id,
            name,
            kind,
            persistence: Persistence::Permanent,
            known: true,
            owner: None,
            columns: Vec::new(),
            next_column: 1,
            constraints: List::default(),
            indexes: Vec::new(),
            referenced_by: Vec::new(),
            parents: Vec::new(),
            children: Vec::new(),
            bound: None,
            bounds: None,
            triggers: List::default(),
            system_triggers_off: false,
            rules: List::default(),
            policies: List::default(),
            row_security: false,
            force_row_security: false,
            replica_identity: ReplicaIdentity::Default,
            options: BTreeMap::new(),
            access_method: None,
            tablespace: None,
            privileges: List::default(),
            comment: None,
            of_type: None,
            server: None,
            clustered_on: None,
        }
    }

    pub(crate) fn column_mut(&mut self, id: ColumnId) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| column.id == id)
    }

    pub(crate) fn constraint_mut(&mut self, name: &Name) -> Option<&mut Constraint> {
        self.constraints.find_mut(|constraint| constraint.name == *name)
    }

    /// Appends a column under the next number.
    pub(crate) fn push_column(&mut self, mut column: Column) -> ColumnId {
        let id = ColumnId(self.next_column);
        self.next_column = self.next_column.saturating_add(1);
        column.id = id;
        self.columns.push(column);
        id
    }

    /// Everything of this relation that edges may start from.
    fn parts(&self) -> Vec<Object> {
        let id = self.id;
        let columns = self.columns.iter().flat_map(|it| [Object::Column(id, it.id), Object::Default(id, it.id)]);
        columns
            .chain(self.constraints.iter().map(|it| Object::Constraint(id, it.name.clone())))
            .chain(self.triggers.iter().map(|it| Object::Trigger(id, it.name.clone())))
            .chain(self.rules.iter().map(|it| Object::Rule(id, it.name.clone())))
            .chain(self.policies.iter().map(|it| Object::Policy(id, it.name.clone())))
            .collect()
    }
}

impl Column {
    /// A plain nullable column; `push_column` numbers it.
    pub(crate) fn new(name: Name, data_type: ColumnType) -> Column {
        Column {
            id: ColumnId(0),
            name,
            data_type,
            collation: None,
            not_null: NotNull::No,
            default: None,
            identity: None,
            generated: None,
            sequence: None,
            local: true,
            inherited: 0,
            comment: None,
            statistics_target: None,
            storage: None,
            compression: None,
            options: Default::default(),
        }
    }
}

impl ColumnType {
    /// A type that cannot be told.
    pub(crate) fn unknown(span: Span) -> ColumnType {
        ColumnType { written: TypeName::plain("unknown", span).into(), resolved: ResolvedType::Unknown }
    }

    /// The type of an array's elements.
    pub fn element(&self) -> ColumnType {
        self.with_dimensions(0)
    }

    /// The array of this type.
    pub fn array(&self) -> ColumnType {
        self.with_dimensions(1)
    }

    fn with_dimensions(&self, array_dimensions: u8) -> ColumnType {
        let written = TypeName { array_dimensions, ..TypeName::clone(&self.written) };
        ColumnType { written: written.into(), resolved: self.resolved }
    }
}

impl TypeName {
    fn plain(name: &str, span: Span) -> TypeName {
        TypeName {
            schema: None,
            name: Name::from(name),
            modifiers: Vec::new(),
            other_modifiers: Vec::new(),
            array_dimensions: 0,
            set_of: false,
            span,
        }
    }
}

impl Constraint {
    /// A valid, enforced constraint of the relation's own.
    pub(crate) fn new(name: Name, kind: ConstraintKind) -> Constraint {
        Constraint {
            name,
            kind,
            validated: true,
            enforced: true,
            no_inherit: false,
            deferrable: false,
            initially_deferred: false,
            local: true,
            comment: None,
        }
    }
}

impl TypeName {
    /// A type that an object's name means.
    pub(crate) fn named(name: &crate::change::ObjectName) -> TypeName {
        TypeName { schema: name.schema.clone(), name: name.name.clone(), ..TypeName::plain("", name.span) }
    }
}
