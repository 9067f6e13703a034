//! What depends on what, as `pg_depend` keeps it: what a DROP takes along, and what stands in its way.
//!
//! Edges that the objects themselves show (an index and its table, a foreign key and what it references, partitions) are read from
//! them; edges out of expressions, queries and types are kept in [`Dependencies`], under the names' meaning when they were made.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::{OrdMap, OrdSet};

use super::{
    ColumnId, ConstraintKind, ObjectId, Relation, RelationId, RelationKind, RoutineId, Schema, Session, TypeDefinition,
    TypeId,
};
use crate::change::{Name, QualifiedName};

/// Anything that can be dropped or depend on something else, as `pg_depend`'s rows name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    Relation(RelationId),
    Column(RelationId, ColumnId),
    /// The default expression of a column.
    Default(RelationId, ColumnId),
    Constraint(RelationId, Name),
    Trigger(RelationId, Name),
    Rule(RelationId, Name),
    Policy(RelationId, Name),
    Type(TypeId),
    /// A field of a composite type.
    Attribute(TypeId, Name),
    Routine(RoutineId),
    Namespace(Name),
    Statistics(QualifiedName),
    EventTrigger(Name),
}

/// How an object depends on another (manual, "pg_depend").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DependencyKind {
    /// DROP … RESTRICT is refused, CASCADE takes the dependent along.
    Normal,
    /// The dependent goes along without a word.
    Automatic,
}

/// What a DROP reaches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DropClosure {
    /// Everything that goes with CASCADE: the named objects first, each once.
    pub objects: Vec<Object>,
    /// What RESTRICT (the default) refuses: a dependent, and the object it depends on.
    pub blockers: Vec<(Object, Object)>,
}

/// Edges that are not evident from the objects' own fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dependencies {
    /// By dependent.
    forward: OrdMap<Object, Arc<[ObjectId]>>,
    /// By what is depended on.
    reverse: OrdMap<ObjectId, OrdSet<Object>>,
}

impl Dependencies {
    /// Replaces all edges of a dependent.
    pub(crate) fn set(&mut self, dependent: Object, mut on: Vec<ObjectId>) {
        on.sort_unstable();
        on.dedup();
        self.forget(&dependent);
        for referenced in &on {
            self.reverse.entry(*referenced).or_default().insert(dependent.clone());
        }
        if !on.is_empty() {
            self.forward.insert(dependent, on.into());
        }
    }

    pub(crate) fn forget(&mut self, dependent: &Object) {
        let Some(on) = self.forward.remove(dependent) else { return };
        for referenced in on.iter() {
            if let Some(dependents) = self.reverse.get_mut(referenced) {
                dependents.remove(dependent);
                if dependents.is_empty() {
                    self.reverse.remove(referenced);
                }
            }
        }
    }

    /// Moves the edges of a dependent that is known by a new name.
    pub(crate) fn rename(&mut self, old: &Object, new: Object) {
        if let Some(on) = self.forward.get(old).cloned() {
            self.forget(old);
            self.set(new, on.to_vec());
        }
    }

    /// What an object depends on.
    pub(crate) fn of(&self, dependent: &Object) -> &[ObjectId] {
        self.forward.get(dependent).map_or(&[], |on| on)
    }

    pub(crate) fn on(&self, referenced: ObjectId) -> impl Iterator<Item = &Object> {
        self.reverse.get(&referenced).into_iter().flatten()
    }
}

impl Object {
    /// The relation it is, or is a part of.
    pub fn relation(&self) -> Option<RelationId> {
        match self {
            Object::Relation(id)
            | Object::Column(id, _)
            | Object::Default(id, _)
            | Object::Constraint(id, _)
            | Object::Trigger(id, _)
            | Object::Rule(id, _)
            | Object::Policy(id, _) => Some(*id),
            Object::Type(_)
            | Object::Attribute(..)
            | Object::Routine(_)
            | Object::Namespace(_)
            | Object::Statistics(_)
            | Object::EventTrigger(_) => None,
        }
    }
}

impl Schema {
    /// What depends directly on an object. Parts of a relation that cannot outlive it (columns, constraints, triggers …)
    /// are not listed for the relation itself.
    pub fn dependents(&self, object: &Object) -> Vec<(Object, DependencyKind)> {
        let mut found = match object {
            Object::Relation(id) => self.dependents_of_relation(*id),
            Object::Column(id, column) => self.dependents_of_column(*id, *column),
            Object::Constraint(id, name) => self.dependents_of_constraint(*id, name),
            Object::Type(id) => {
                let typed = self.relations.values().filter(|it| it.of_type == Some(*id));
                let typed = typed.map(|it| (Object::Relation(it.id), DependencyKind::Normal));
                typed.chain(self.normal_dependents(ObjectId::Type(*id))).collect()
            }
            Object::Routine(id) => self.normal_dependents(ObjectId::Routine(*id)),
            Object::Namespace(name) => self.contents(name),
            Object::Default(..)
            | Object::Trigger(..)
            | Object::Rule(..)
            | Object::Policy(..)
            | Object::Attribute(..)
            | Object::Statistics(_)
            | Object::EventTrigger(_) => Vec::new(),
        };
        found.sort();
        found.dedup();
        found
    }

    /// The routines that a query calls which reads this view, its own and those of the views beneath.
    pub fn called_by_view(&self, id: RelationId) -> Vec<RoutineId> {
        let (mut pending, mut seen, mut called) = (vec![id], Vec::new(), Vec::new());
        let asked = id;
        while let Some(id) = pending.pop() {
            // A materialized view has its rows: only a REFRESH runs its query.
            let runs = self.relation(id).is_some_and(|it| match it.kind {
                RelationKind::View(_) => true,
                RelationKind::MaterializedView(_) => id == asked,
                _ => false,
            });
            if !runs || seen.contains(&id) {
                continue;
            }
            seen.push(id);
            for on in self.dependencies.of(&Object::Relation(id)) {
                match on {
                    ObjectId::Relation(beneath) => pending.push(*beneath),
                    ObjectId::Routine(routine) => called.push(*routine),
                    ObjectId::Type(_) => {}
                }
            }
        }
        called
    }

    /// Everything that a DROP of these objects reaches, and what RESTRICT would refuse (`findDependentObjects` and
    /// `reportDependentObjects`, dependency.c): an object that is reached by a normal dependency only.
    pub fn dropped_with(&self, named: &[Object]) -> DropClosure {
        let mut closure = DropClosure::default();
        // For every object reached: what it depends on while no automatic dependency covers it.
        let mut reached: BTreeMap<Object, Option<Object>> = BTreeMap::new();
        for object in named {
            if reached.insert(object.clone(), None).is_none() {
                closure.objects.push(object.clone());
            }
        }
        let mut next = 0;
        while let Some(object) = closure.objects.get(next).cloned() {
            next += 1;
            for (dependent, kind) in self.dependents(&object) {
                let covered = kind == DependencyKind::Automatic || self.goes_with_relation(&dependent, &reached);
                match reached.get_mut(&dependent) {
                    Some(on) if covered => *on = None,
                    Some(_) => {}
                    None => {
                        closure.objects.push(dependent.clone());
                        reached.insert(dependent, (!covered).then(|| object.clone()));
                    }
                }
            }
        }
        closure.blockers = closure
            .objects
            .iter()
            .filter(|dependent| !self.goes_with_relation(dependent, &reached))
            .filter_map(|dependent| Some((dependent.clone(), reached.get(dependent)?.clone()?)))
            .collect();
        closure
    }

    /// Drops what is temporary: another session does not have it.
    pub fn end_session(&mut self) {
        let temp = Name::from("pg_temp");
        let first = QualifiedName { schema: temp.clone(), name: Name::from("") };
        let names = self.relation_names.range(first..).take_while(|(name, _)| name.schema == temp);
        let temporary: Vec<Object> = names.map(|(_, id)| Object::Relation(*id)).collect();
        self.remove_with_dependents(&temporary);
    }

    /// ON COMMIT DROP.
    pub(crate) fn drop_at_commit(&mut self, table: RelationId) {
        self.until_commit.insert(table);
    }

    /// Drops what is kept until the end of the transaction.
    pub fn end_transaction(&mut self) {
        if !self.until_commit.is_empty() {
            let tables = std::mem::take(&mut self.until_commit);
            let tables: Vec<Object> = tables.into_iter().map(Object::Relation).collect();
            self.remove_with_dependents(&tables);
        }
    }

    fn remove_with_dependents(&mut self, objects: &[Object]) {
        for object in self.dropped_with(objects).objects.iter().rev() {
            self.remove(object);
        }
    }

    /// A part of a relation that is dropped itself.
    fn goes_with_relation(&self, part: &Object, reached: &BTreeMap<Object, Option<Object>>) -> bool {
        let column = match part {
            Object::Relation(_) => return false,
            Object::Default(relation, column) => Some(Object::Column(*relation, *column)),
            _ => None,
        };
        part.relation().is_some_and(|relation| reached.contains_key(&Object::Relation(relation)))
            || column.is_some_and(|column| reached.contains_key(&column))
    }

    /// Whether the name without its schema finds this relation.
    pub fn is_visible(&self, relation: &Relation, session: &Session) -> bool {
        session
            .search_path
            .iter()
            .find_map(|schema| self.relation_at(&QualifiedName::new(schema.clone(), relation.name.name.clone())))
            .is_some_and(|found| found.id == relation.id)
    }

    fn is_generated(&self, id: RelationId, column: ColumnId) -> bool {
        let column = self.relation(id).and_then(|it| it.column_by_id(column));
        column.is_some_and(|it| it.generated.is_some())
    }

    fn normal_dependents(&self, referenced: ObjectId) -> Vec<(Object, DependencyKind)> {
        let parts = self.dependencies.on(referenced).flat_map(|object| self.that_go(object, referenced));
        parts.map(|object| (object, DependencyKind::Normal)).collect()
    }

    /// What goes of a dependent: a generated column with its expression, and of a composite type the fields.
    fn that_go(&self, dependent: &Object, referenced: ObjectId) -> Vec<Object> {
        match dependent {
            Object::Default(id, column) if self.is_generated(*id, *column) => vec![Object::Column(*id, *column)],
            Object::Type(id) => match self.types.get(id).map(|it| &it.definition) {
                Some(TypeDefinition::Composite(fields)) => {
                    let of = fields.iter().filter(|(_, of)| Schema::type_target(of) == Some(referenced));
                    of.map(|(name, _)| Object::Attribute(*id, name.clone())).collect()
                }
                _ => vec![dependent.clone()],
            },
            other => vec![other.clone()],
        }
    }

    fn dependents_of_relation(&self, id: RelationId) -> Vec<(Object, DependencyKind)> {
        use DependencyKind::{Automatic, Normal};
        let Some(relation) = self.relation(id) else { return Vec::new() };
        let mut found: Vec<_> = relation.indexes.iter().map(|index| (Object::Relation(*index), Automatic)).collect();
        for child in &relation.children {
            let partition =
                self.relation(*child).is_some_and(|child| child.bound.is_some() || child.as_index().is_some());
            found.push((Object::Relation(*child), if partition { Automatic } else { Normal }));
        }
        for object in self.dependencies.on(ObjectId::Relation(id)) {
            if object.relation() != Some(id) {
                let kind = if self.is_owned_sequence(object, id) { Automatic } else { Normal };
                found.extend(self.that_go(object, ObjectId::Relation(id)).into_iter().map(|object| (object, kind)));
            }
        }
        if let RelationKind::Index(index) = &relation.kind {
            let owner = self.constraint_of_index(id);
            found.extend(owner.map(|(table, it)| (Object::Constraint(table, it.name.clone()), Automatic)));
            found.extend(self.foreign_keys_needing(index.table, id));
        }
        for (table, constraint) in self.foreign_keys_to(id).filter(|(table, _)| *table != id) {
            found.push((Object::Constraint(table, constraint.name.clone()), Normal));
        }
        found.extend(self.statistics_of(id, None));
        found
    }

    fn is_owned_sequence(&self, object: &Object, table: RelationId) -> bool {
        let Object::Relation(id) = object else { return false };
        match self.relation(*id).map(|relation| &relation.kind) {
            Some(RelationKind::Sequence(sequence)) => sequence.owned_by.is_some_and(|(owner, _)| owner == table),
            _ => false,
        }
    }

    fn statistics_of(
        &self,
        table: RelationId,
        column: Option<ColumnId>,
    ) -> impl Iterator<Item = (Object, DependencyKind)> {
        self.statistics
            .iter()
            .filter(move |(_, it)| it.table == Some(table) && column.is_none_or(|column| it.columns.contains(&column)))
            .map(|(name, _)| (Object::Statistics(name.clone()), DependencyKind::Automatic))
    }

    /// Foreign keys that rest on a unique index. Of several that fit, the server takes the oldest (`transformFkeyCheckAttrs`).
    fn foreign_keys_needing(&self, table: RelationId, index: RelationId) -> Vec<(Object, DependencyKind)> {
        self.foreign_keys_to(table)
            .filter(|(_, constraint)| match &constraint.kind {
                ConstraintKind::ForeignKey(key) => self.index_behind(table, &key.referenced_columns) == Some(index),
                _ => false,
            })
            .map(|(owner, constraint)| (Object::Constraint(owner, constraint.name.clone()), DependencyKind::Normal))
            .collect()
    }

    /// The unique index that a foreign key to these columns rests on.
    pub fn index_behind(&self, table: RelationId, columns: &[ColumnId]) -> Option<RelationId> {
        let fits = |index: &&Arc<Relation>| {
            index.as_index().is_some_and(|it| {
                it.unique
                    && it.predicate.is_none()
                    && it.columns.len() == columns.len()
                    && columns.iter().all(|column| it.columns.contains(&Some(*column)))
            })
        };
        self.indexes_of(table).filter(fits).map(|index| index.id).min()
    }

    fn dependents_of_column(&self, id: RelationId, column: ColumnId) -> Vec<(Object, DependencyKind)> {
        use DependencyKind::{Automatic, Normal};
        let Some(relation) = self.relation(id) else { return Vec::new() };
        let mut found = self.parts_with_column(relation, column);
        for index in self.indexes_of(id) {
            if index.as_index().is_some_and(|it| it.uses_column(column)) {
                found.push((Object::Relation(index.id), Automatic));
            }
        }
        for (table, constraint) in self.foreign_keys_to(id) {
            if matches!(&constraint.kind, ConstraintKind::ForeignKey(key) if key.referenced_columns.contains(&column)) {
                found.push((Object::Constraint(table, constraint.name.clone()), Normal));
            }
        }
        for object in self.dependencies.on(ObjectId::Relation(id)) {
            if self.is_owned_sequence(object, id) {
                if self.owner_column(object) == Some(column) {
                    found.push((object.clone(), Automatic));
                }
            } else if self.names_column(object, id, column) {
                found.push((object.clone(), Normal));
            }
        }
        found.extend(self.statistics_of(id, Some(column)));
        found
    }

    fn owner_column(&self, object: &Object) -> Option<ColumnId> {
        let Object::Relation(id) = object else { return None };
        match &self.relation(*id)?.kind {
            RelationKind::Sequence(sequence) => sequence.owned_by.map(|(_, column)| column),
            _ => None,
        }
    }

    /// Constraints, triggers and generated columns of a table that mention one of its columns.
    fn parts_with_column(&self, relation: &Relation, column: ColumnId) -> Vec<(Object, DependencyKind)> {
        let mut found = Vec::new();
        for constraint in relation.constraints.iter().filter(|it| self.constraint_uses(it, column)) {
            found.push((Object::Constraint(relation.id, constraint.name.clone()), DependencyKind::Automatic));
        }
        for trigger in relation.triggers.iter().filter(|trigger| trigger.uses_column(relation, column)) {
            found.push((Object::Trigger(relation.id, trigger.name.clone()), DependencyKind::Normal));
        }
        for other in relation.columns.iter().filter(|other| other.id != column) {
            let Some(generated) = &other.generated else { continue };
            if super::columns_named(&generated.expression.tree, relation).contains(&column) {
                found.push((Object::Column(relation.id, other.id), DependencyKind::Normal));
            }
        }
        found
    }

    /// Whether a constraint of a table is on, or mentions, one of its columns.
    pub fn constraint_uses(&self, constraint: &super::Constraint, column: ColumnId) -> bool {
        match &constraint.kind {
            ConstraintKind::NotNull(of) => *of == column,
            ConstraintKind::Check { columns, .. }
            | ConstraintKind::Unique { columns, .. }
            | ConstraintKind::PrimaryKey { columns, .. } => columns.contains(&column),
            ConstraintKind::ForeignKey(key) => key.columns.contains(&column),
            ConstraintKind::Exclude { index } => {
                self.relation(*index).and_then(|index| index.as_index()).is_some_and(|it| it.uses_column(column))
            }
        }
    }

    /// Whether a view, rule, policy or routine names a column of a relation.
    fn names_column(&self, object: &Object, id: RelationId, column: ColumnId) -> bool {
        let named = |uses: &[(RelationId, Vec<ColumnId>)]| {
            uses.iter().any(|(of, columns)| *of == id && columns.contains(&column))
        };
        match object {
            Object::Relation(view) => {
                self.relation(*view).and_then(|view| view.as_view()).is_some_and(|view| named(&view.uses))
            }
            Object::Rule(table, name) => self
                .relation(*table)
                .is_some_and(|table| table.rules.iter().any(|rule| rule.name == *name && named(&rule.uses))),
            Object::Routine(id) => self.routines.get(id).is_some_and(|routine| named(&routine.uses)),
            Object::Policy(table, name) => self
                .relation(*table)
                .is_some_and(|table| table.policies.iter().any(|policy| policy.name == *name && named(&policy.uses))),
            _ => false,
        }
    }

    fn dependents_of_constraint(&self, id: RelationId, name: &Name) -> Vec<(Object, DependencyKind)> {
        let constraint = self.relation(id).and_then(|relation| relation.constraint(name));
        constraint
            .and_then(|constraint| constraint.kind.index())
            .map(|index| (Object::Relation(index), DependencyKind::Automatic))
            .into_iter()
            .collect()
    }

    /// Everything in a schema; indexes and the like come with what they belong to.
    fn contents(&self, namespace: &Name) -> Vec<(Object, DependencyKind)> {
        let relations = self.relations_in(namespace).map(|relation| Object::Relation(relation.id));
        let types = self.types_in(namespace).map(|found| Object::Type(found.id));
        let routines = self.routines_in(namespace).map(|routine| Object::Routine(routine.id));
        let statistics = self.statistics.keys().filter(|name| name.schema == *namespace);
        relations
            .chain(types)
            .chain(routines)
            .chain(statistics.map(|name| Object::Statistics(name.clone())))
            .map(|object| (object, DependencyKind::Normal))
            .collect()
    }
}
