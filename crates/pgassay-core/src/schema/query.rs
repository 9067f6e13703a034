//! Questions to a [`Schema`] that more than one model asks.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;

use super::{
    ColumnId, ColumnType, Constraint, ConstraintKind, Index, Object, ObjectId, Relation, RelationId, ResolvedType,
    Routine, Schema, Trigger, Type, TypeDefinition, TypeId,
};
use crate::change::{Name, ObjectKind, ObjectName, QualifiedName, TriggerEvent};

impl Schema {
    /// Whether a name meant a relation that the history dropped or renamed, and means nothing since: in every schema that is looked into.
    pub fn is_gone(&self, name: &crate::change::ObjectName, session: &super::Session) -> bool {
        let mut places = self.lookup_path(&name.schema, session).filter(|schema| **schema != "pg_temp").peekable();
        let lost = |schema: &Name| self.gone.contains(&QualifiedName::new(schema.clone(), name.name.clone()));
        !self.gone.is_empty() && !self.is_disturbed() && places.peek().is_some() && places.all(lost)
    }

    /// Whether nothing can be there that a name means.
    pub fn lacks(&self, name: &crate::change::ObjectName, session: &super::Session) -> bool {
        self.complete || self.is_gone(name, session)
    }

    /// Whether a relation of the name exists, or may without having been made here: of the system, of an extension, of the migration tool.
    pub fn may_have_relation(&self, name: &crate::change::ObjectName, session: &super::Session) -> bool {
        let schema = name.schema.as_ref().map(Name::as_str);
        let of_extension = |extension: &Name| match crate::catalog::extension(extension.as_str()) {
            Some(contents) => contents.relations.iter().any(|it| {
                *it == name.name.as_str()
                    || it.rsplit_once('.').is_some_and(|(_, relation)| relation == name.name.as_str())
            }),
            None => true,
        };
        self.find_relation(name, session).is_some()
            || matches!(schema, Some("pg_catalog" | "information_schema" | "pg_toast"))
            || crate::catalog::is_system_relation(schema, name.name.as_str())
            || schema.is_none() && name.name.as_str().starts_with("pg_")
            || self.outside.contains(&name.name)
            || self.extensions.keys().any(of_extension)
    }

    /// What the server says of a collation that does not exist (`get_collation_oid`, namespace.c; the encoding is taken to be UTF-8).
    /// It brings collations of its own, called as the locales of its machine are: those may be there.
    pub fn missing_collation(&self, name: &ObjectName) -> Option<String> {
        let last = name.name.as_str();
        let may_be_of_server = name.schema.is_some() || crate::catalog::may_be_locale(last);
        let is_it = |(kind, printed): &(ObjectKind, Arc<str>)| {
            *kind == ObjectKind::Collation && printed.rsplit('.').next() == Some(last)
        };
        let listed = |extension: &Name| crate::catalog::extension(extension.as_str()).is_some_and(|it| it.complete);
        let closed = self.complete && self.vouched && self.extensions.keys().all(listed);
        let missing = closed && !may_be_of_server && !self.others.iter().any(is_it);
        missing.then(|| format!("collation \"{last}\" for encoding \"UTF8\" does not exist"))
    }

    /// All inheritance descendants or partitions of a relation, at every depth, parents before children, each once; for a
    /// partitioned index its partitions. The relation itself is not in it.
    pub fn children_closure(&self, id: RelationId) -> Vec<RelationId> {
        self.closure(id, |relation| &relation.children)
    }

    /// All ancestors by inheritance or partitioning, nearest first.
    pub fn parents_closure(&self, id: RelationId) -> Vec<RelationId> {
        self.closure(id, |relation| &relation.parents)
    }

    fn closure(&self, id: RelationId, step: impl Fn(&Relation) -> &[RelationId]) -> Vec<RelationId> {
        let mut seen = BTreeSet::from([id]);
        let mut found = vec![id];
        let mut next = 0;
        while let Some(at) = found.get(next).copied() {
            next += 1;
            let Some(relation) = self.relation(at) else { continue };
            found.extend(step(relation).iter().filter(|other| seen.insert(**other)));
        }
        found.remove(0);
        found
    }

    /// The indexes on a table or materialized view, oldest first.
    pub fn indexes_of(&self, id: RelationId) -> impl Iterator<Item = &Arc<Relation>> {
        self.relation(id).into_iter().flat_map(|relation| &relation.indexes).filter_map(|index| self.relation(*index))
    }

    /// Whether a table has the very constraints and indexes that it had in an earlier state.
    pub fn has_keys_of(&self, earlier: &Schema, table: RelationId) -> bool {
        let (Some(old), Some(new)) = (earlier.relation(table), self.relation(table)) else { return false };
        let same = |id: &RelationId| match (earlier.relation(*id), self.relation(*id)) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            _ => false,
        };
        old.indexes == new.indexes && new.indexes.iter().all(same) && old.constraints == new.constraints
    }

    /// The constraint that an index belongs to.
    pub fn constraint_of_index(&self, index: RelationId) -> Option<(RelationId, &Constraint)> {
        let table = self.relation(index)?.as_index()?.table;
        let mut constraints = self.relation(table)?.constraints.iter();
        constraints.find(|constraint| constraint.kind.index() == Some(index)).map(|constraint| (table, constraint))
    }

    /// Foreign keys that reference a table (its own included), with the table that has them.
    pub fn foreign_keys_to(&self, id: RelationId) -> impl Iterator<Item = (RelationId, &Constraint)> {
        let tables = self.relation(id).into_iter().flat_map(|relation| &relation.referenced_by);
        tables.filter_map(|table| self.relation(*table)).flat_map(move |table| {
            table
                .foreign_keys()
                .filter(move |(_, key)| key.referenced == id)
                .map(|(constraint, _)| (table.id, constraint))
        })
    }

    /// Columns of tables and materialized views whose type is, or holds (array, domain, composite, range, row type), a type.
    pub fn tables_using_type(&self, id: TypeId) -> Vec<(RelationId, ColumnId)> {
        let mut seen = BTreeSet::from([ObjectId::Type(id)]);
        let mut waiting = vec![ObjectId::Type(id)];
        let mut found = BTreeSet::new();
        while let Some(used) = waiting.pop() {
            for object in self.dependencies.on(used) {
                let next = match object {
                    Object::Column(relation, column) => {
                        found.insert((*relation, *column));
                        ObjectId::Relation(*relation)
                    }
                    Object::Type(other) => ObjectId::Type(*other),
                    _ => continue,
                };
                // Columns only hold a relation's row type, its other dependents are no columns.
                if seen.insert(next) {
                    waiting.push(next);
                }
            }
        }
        let stored = |id: &RelationId| self.relation(*id).is_some_and(|it| it.as_view().is_none() || it.has_storage());
        found.into_iter().filter(|(relation, _)| stored(relation)).collect()
    }

    /// Views and materialized views whose query names a relation, or one of its columns; views on those views are not in it.
    pub fn views_using(&self, id: RelationId, column: Option<ColumnId>) -> Vec<RelationId> {
        let uses = |view: &super::View| {
            view.uses.iter().any(|(of, columns)| *of == id && column.is_none_or(|column| columns.contains(&column)))
        };
        let views = self.dependencies.on(ObjectId::Relation(id)).filter_map(|object| match object {
            Object::Relation(view) => Some(*view),
            _ => None,
        });
        views.filter(|view| self.relation(*view).and_then(|it| it.as_view()).is_some_and(&uses)).collect()
    }

    /// Sequences that go when the table goes: serial, identity and OWNED BY.
    pub fn owned_sequences(&self, id: RelationId) -> Vec<RelationId> {
        let relations = self.dependencies.on(ObjectId::Relation(id)).filter_map(|object| match object {
            Object::Relation(other) => Some(*other),
            _ => None,
        });
        relations.filter(|other| matches!(self.sequence_owner(*other), Some((table, _)) if table == id)).collect()
    }

    /// The column that owns a sequence.
    pub fn sequence_owner(&self, id: RelationId) -> Option<(RelationId, ColumnId)> {
        match &self.relation(id)?.kind {
            super::RelationKind::Sequence(sequence) => sequence.owned_by,
            _ => None,
        }
    }

    /// What names the type of a column, by identity: a user type, or a relation's row type.
    pub(crate) fn type_target(data_type: &ColumnType) -> Option<ObjectId> {
        match data_type.resolved {
            ResolvedType::User(id) => Some(ObjectId::Type(id)),
            ResolvedType::Row(id) => Some(ObjectId::Relation(id)),
            ResolvedType::BuiltIn | ResolvedType::Unknown => None,
        }
    }

    /// The type beneath a column's type when domains are looked through; the type itself otherwise.
    pub fn base_type<'a>(&'a self, data_type: &'a ColumnType) -> &'a ColumnType {
        let mut at = data_type;
        // A domain's base exists before it, so there is no circle; the bound is for damaged input.
        for _ in 0..32 {
            let ResolvedType::User(id) = at.resolved else { return at };
            match self.types.get(&id).map(|found| &found.definition) {
                Some(TypeDefinition::Domain(domain)) if at.written.array_dimensions == 0 => at = &domain.base,
                _ => return at,
            }
        }
        at
    }

    /// The relations that DROP OWNED and REASSIGN OWNED concern.
    pub fn owned_by(&self, owned: &crate::change::Owned) -> Vec<RelationId> {
        let theirs = |owner: &Name| owned.roles.iter().any(|role| role.name == *owner);
        self.relations.values().filter(|it| it.owner.as_ref().is_some_and(theirs)).map(|it| it.id).collect()
    }

    /// Relations of a schema, by name.
    pub fn relations_in(&self, namespace: &Name) -> impl Iterator<Item = &Arc<Relation>> {
        named_in(&self.relation_names, namespace).filter_map(|id| self.relations.get(id))
    }

    /// The relations of a name, whatever schema they are in: by jumps from one schema's names to the next one's.
    pub fn relations_named(&self, name: &str) -> impl Iterator<Item = &Arc<Relation>> {
        let name = Name::from(name);
        let mut next = self.relation_names.get_min().map(|(first, _)| first.schema.clone());
        let schemas = std::iter::from_fn(move || {
            let schema = next.take()?;
            // The least name after all of this schema's.
            let after = Name::from(&*format!("{}\0", schema.as_str()));
            let behind = QualifiedName { schema: after, name: Name::from("") };
            next = self.relation_names.range(behind..).next().map(|(first, _)| first.schema.clone());
            Some(schema)
        });
        schemas.filter_map(move |schema| self.relation_at(&QualifiedName { schema, name: name.clone() }))
    }

    /// Types of a schema, by name.
    pub fn types_in(&self, namespace: &Name) -> impl Iterator<Item = &Arc<Type>> {
        named_in(&self.type_names, namespace).filter_map(|id| self.types.get(id))
    }

    /// Routines of a schema, by name.
    pub fn routines_in(&self, namespace: &Name) -> impl Iterator<Item = &Arc<Routine>> {
        named_in(&self.routine_names, namespace).flatten().filter_map(|it| self.routines.get(&it.id))
    }
}

fn named_in<'a, T: Clone>(names: &'a OrdMap<QualifiedName, T>, namespace: &Name) -> impl Iterator<Item = &'a T> {
    let first = QualifiedName { schema: namespace.clone(), name: Name::from("") };
    let namespace = namespace.clone();
    names
        .range((Bound::Included(first), Bound::Unbounded))
        .take_while(move |(name, _)| name.schema == namespace)
        .map(|(_, found)| found)
}

impl ConstraintKind {
    /// The index that the constraint is made of.
    pub fn index(&self) -> Option<RelationId> {
        match self {
            ConstraintKind::Unique { index, .. }
            | ConstraintKind::PrimaryKey { index, .. }
            | ConstraintKind::Exclude { index } => Some(*index),
            ConstraintKind::NotNull(_) | ConstraintKind::Check { .. } | ConstraintKind::ForeignKey(_) => None,
        }
    }
}

impl Index {
    /// Whether a column is indexed, included, or mentioned by an expression or the predicate.
    pub fn uses_column(&self, column: ColumnId) -> bool {
        self.columns.contains(&Some(column)) || self.include.contains(&column) || self.mentions.contains(&column)
    }
}

impl Trigger {
    /// Whether UPDATE OF or WHEN names a column of the trigger's table.
    pub fn uses_column(&self, table: &Relation, column: ColumnId) -> bool {
        let Some(column) = table.column_by_id(column) else { return false };
        self.events.iter().any(|event| match event {
            TriggerEvent::Update(columns) => columns.iter().any(|it| it.name == column.name),
            _ => false,
        }) || self
            .condition
            .as_ref()
            .is_some_and(|condition| super::rewrite::mentions_row_column(&condition.tree, &column.name))
    }
}
