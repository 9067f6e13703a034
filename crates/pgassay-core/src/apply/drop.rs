//! DROP, with everything that goes along.

use super::object::part_of;
use super::resolve::plain;
use super::{Applier, ObjectId, ProblemKind};
use crate::change::{Drop, Ident, ObjectKind, ObjectName, ObjectReference};
use crate::schema::{ColumnId, ConstraintKind, Object, RelationId, RelationKind, RoutineId};
use crate::source::Span;

impl Applier<'_> {
    pub(super) fn drop(&mut self, drop: &Drop) {
        let mut named = Vec::new();
        for reference in &drop.objects {
            named.extend(self.drop_target(drop, reference).map(|object| (object, reference.span)));
        }
        self.drop_objects(&named, drop.cascade);
    }

    /// The object to drop; the kinds that nothing depends on are taken out at once.
    fn drop_target(&mut self, drop: &Drop, reference: &ObjectReference) -> Option<Object> {
        use ObjectKind::*;
        match drop.kind {
            Table | ForeignTable | View | MaterializedView | Index | Sequence => self.relation_to_drop(drop, reference),
            Type | Domain => self.type_to_drop(drop, reference),
            Function | Procedure | Routine | Aggregate => self.routine_to_drop(drop, reference),
            Trigger | Rule | Policy => self.part_to_drop(drop, reference),
            Schema => self.namespace_to_drop(drop, reference),
            Statistics => self.statistics_to_drop(drop, reference),
            EventTrigger => self.event_trigger_to_drop(drop, reference),
            Extension => {
                self.drop_extension(drop, reference);
                None
            }
            Publication => {
                if self.schema.publications.remove(&reference.name.name).is_none() && !drop.if_exists {
                    self.missing_object(drop.kind, reference);
                }
                None
            }
            Role => {
                self.refuse_role(reference);
                let name = reference.name.to_string();
                self.schema.others.remove(&(drop.kind, name.as_str().into()));
                None
            }
            Collation | TextSearchConfiguration | Operator | OperatorClass | Server | ForeignDataWrapper | Language => {
                self.drop_looked_up(drop, reference);
                let name = reference.name.to_string();
                self.schema.others.remove(&(drop.kind, name.as_str().into()));
                None
            }
            _ => {
                let name = reference.name.to_string();
                self.schema.others.remove(&(drop.kind, name.as_str().into()));
                None
            }
        }
    }

    pub(super) fn missing_object(&mut self, kind: ObjectKind, reference: &ObjectReference) {
        let name = plain(&reference.name);
        self.missing(reference.span, &reference.name, format!("{} \"{name}\" does not exist", kind.noun()));
    }

    fn relation_to_drop(&mut self, drop: &Drop, reference: &ObjectReference) -> Option<Object> {
        let name = &reference.name;
        let Some(found) = self.schema.find_relation(name, self.session).cloned() else {
            if !drop.if_exists && !self.is_foreign_relation(name) && self.schema.lacks(name, self.session) {
                let message = format!("{} \"{}\" does not exist", drop.kind.noun(), plain(name));
                self.problem(ProblemKind::Missing, reference.span, name, message);
            }
            // Whether it was there or not, it is not any more.
            self.schema.has_lost(&self.schema.qualify(name, self.session));
            return None;
        };
        if found.known && !is_of_kind(&found.kind, drop.kind) {
            let article = if drop.kind == ObjectKind::Index { "an" } else { "a" };
            let message = format!("\"{}\" is not {article} {}", name.name.as_str(), drop.kind.noun());
            self.invalid(reference.span, name, message);
            return None;
        }
        if let Some(needed_by) = self.required_by(found.id) {
            let dropped = self.schema.describe(&Object::Relation(found.id), self.session);
            let message = format!("cannot drop {dropped} because {needed_by} requires it");
            self.problem(ProblemKind::Dependent, reference.span, &found.name, message);
            return None;
        }
        Some(Object::Relation(found.id))
    }

    /// What a relation is a part of, when it cannot be dropped on its own.
    fn required_by(&self, id: RelationId) -> Option<String> {
        let relation = self.schema.relation(id)?;
        let owner = match &relation.kind {
            RelationKind::Index(_) => match relation.parents.first() {
                Some(parent) => Object::Relation(*parent),
                None => {
                    let (table, constraint) = self.schema.constraint_of_index(id)?;
                    Object::Constraint(table, constraint.name.clone())
                }
            },
            RelationKind::Sequence(sequence) if sequence.identity => {
                let (table, column) = sequence.owned_by?;
                Object::Column(table, column)
            }
            _ => return None,
        };
        Some(self.schema.describe(&owner, self.session))
    }

    fn type_to_drop(&mut self, drop: &Drop, reference: &ObjectReference) -> Option<Object> {
        let name = &reference.name;
        if let Some(found) = self.schema.find_type(&name.schema, &name.name, self.session) {
            return Some(Object::Type(found.id));
        }
        let row_type = self.schema.find_relation(name, self.session).filter(|it| it.known && it.is_queryable());
        if let Some(relation) = row_type {
            let described = self.schema.describe(&Object::Relation(relation.id), self.session);
            let message = format!("cannot drop type {} because {described} requires it", name.name);
            self.problem(ProblemKind::Dependent, reference.span, name, message);
        } else if !drop.if_exists {
            let written = crate::change::TypeName::named(name);
            let resolved = self.resolve_type(&written).resolved;
            if resolved == crate::schema::ResolvedType::Unknown && !self.opaque_extension() {
                self.missing_type(reference.span, name, &plain(name));
            }
        }
        None
    }

    fn routine_to_drop(&mut self, drop: &Drop, reference: &ObjectReference) -> Option<Object> {
        if self.has_aggregate(reference) && drop.kind == ObjectKind::Aggregate {
            self.drop_looked_up(drop, reference);
            return None;
        }
        let overloads = self.find_routines(&reference.name);
        let picked = self.pick_routine(&overloads, reference);
        if !drop.if_exists && (overloads.is_empty() || self.has_none(&overloads, picked, reference)) {
            self.missing_routine(drop.kind, reference);
        }
        picked.map(Object::Routine)
    }

    pub(super) fn missing_routine(&mut self, kind: ObjectKind, reference: &ObjectReference) {
        // Aggregates are tracked by name only.
        if kind == ObjectKind::Aggregate || self.is_foreign_routine(&reference.name) || self.has_aggregate(reference) {
            return;
        }
        let arguments = reference.arguments.as_deref().unwrap_or_default();
        let arguments: Vec<String> = arguments.iter().map(|it| it.to_string()).collect();
        let noun = if kind == ObjectKind::Routine { "routine" } else { kind.noun() };
        let name = plain(&reference.name);
        let message = match reference.arguments {
            Some(_) => format!("{noun} {name}({}) does not exist", arguments.join(", ")),
            None => format!("could not find a {noun} named \"{name}\""),
        };
        self.missing(reference.span, &reference.name, message);
    }

    fn has_aggregate(&self, reference: &ObjectReference) -> bool {
        self.schema.others.iter().any(|(kind, name)| {
            *kind == ObjectKind::Aggregate && name.rsplit('.').next() == Some(reference.name.name.to_string().as_str())
        })
    }

    /// The overload that a list of argument types means: by types, else the only one there is.
    pub(super) fn pick_routine(&self, overloads: &[RoutineId], reference: &ObjectReference) -> Option<RoutineId> {
        let Some(arguments) = &reference.arguments else {
            return if let [only] = overloads { Some(*only) } else { None };
        };
        let exact = overloads.iter().find(|id| self.takes(**id, arguments, true));
        // A type that is not known may be the one that is meant.
        let may_take = |id: &&RoutineId| self.takes(**id, arguments, false) && !self.differs(**id, arguments);
        let by_count: Vec<_> = overloads.iter().filter(may_take).collect();
        exact.copied().or(if let [only] = by_count[..] { Some(*only) } else { None })
    }

    /// Whether none of the overloads is the one that a list of argument types means.
    pub(super) fn has_none(
        &self,
        overloads: &[RoutineId],
        picked: Option<RoutineId>,
        reference: &ObjectReference,
    ) -> bool {
        let Some(arguments) = &reference.arguments else { return false };
        picked.is_none() && overloads.iter().all(|id| self.differs(*id, arguments))
    }

    fn part_to_drop(&mut self, drop: &Drop, reference: &ObjectReference) -> Option<Object> {
        let table = reference.on.as_ref()?;
        let Some(id) = self.schema.find_relation(table, self.session).map(|it| it.id) else {
            if !drop.if_exists && !self.is_foreign_relation(table) {
                self.missing_relation(table);
            }
            return None;
        };
        let relation = self.schema.relation(id)?;
        let name = reference.name.name.clone();
        let object = part_of(drop.kind, id, &name)?;
        let exists = relation.triggers.iter().any(|it| drop.kind == ObjectKind::Trigger && it.name == name)
            || relation.rules.iter().any(|it| drop.kind == ObjectKind::Rule && it.name == name)
            || relation.policies.iter().any(|it| drop.kind == ObjectKind::Policy && it.name == name);
        if !exists && !drop.if_exists && relation.known {
            let noun = drop.kind.noun();
            let preposition = if drop.kind == ObjectKind::Rule { "relation" } else { "table" };
            let message =
                format!("{noun} \"{}\" for {preposition} \"{}\" does not exist", name.as_str(), table.name.as_str());
            self.missing(reference.span, &reference.name, message);
        }
        if exists && drop.kind == ObjectKind::Trigger {
            for partition in self.partitions_below(id) {
                self.schema.remove(&Object::Trigger(partition, name.clone()));
            }
        }
        exists.then_some(object)
    }

    pub(super) fn partitions_below(&self, id: RelationId) -> Vec<RelationId> {
        let partitioned = self.schema.relation(id).is_some_and(|it| it.is_partitioned());
        if partitioned { self.schema.children_closure(id) } else { Vec::new() }
    }

    fn namespace_to_drop(&mut self, drop: &Drop, reference: &ObjectReference) -> Option<Object> {
        let name = &reference.name.name;
        if !self.schema.namespaces.contains_key(name) && self.schema.complete {
            if !drop.if_exists {
                self.missing_object(drop.kind, reference);
            }
            return None;
        }
        Some(Object::Namespace(name.clone()))
    }

    fn statistics_to_drop(&mut self, drop: &Drop, reference: &ObjectReference) -> Option<Object> {
        let path: Vec<_> = match &reference.name.schema {
            Some(schema) => vec![schema.clone()],
            None => self.session.search_path.clone(),
        };
        let at = |schema| crate::change::QualifiedName { schema, name: reference.name.name.clone() };
        let found = path.into_iter().map(at).find(|name| self.schema.statistics.contains_key(name));
        if found.is_none() && !drop.if_exists {
            self.missing_object(drop.kind, reference);
        }
        found.map(Object::Statistics)
    }

    /// Takes objects out with what depends on them; without CASCADE says what the server refuses, and goes on as if
    /// CASCADE had been written.
    pub(super) fn drop_objects(&mut self, named: &[(Object, Span)], cascade: bool) {
        let Some((_, span)) = named.first() else { return };
        let objects: Vec<Object> = named.iter().map(|(object, _)| object.clone()).collect();
        let mut closure = self.schema.dropped_with(&objects);
        // Before 15 a generated column goes with the columns that it is computed from (StoreAttrDefault, heap.c).
        if !self.version.at_least(15) {
            let columns = |(dependent, on): &(Object, Object)| {
                matches!((dependent, on), (Object::Column(..), Object::Column(..)))
            };
            closure.blockers.retain(|blocker| !columns(blocker));
        }
        if !cascade && !closure.blockers.is_empty() {
            self.refuse_drop(named, &closure.blockers, *span);
        }
        let taken = closure.objects.iter().skip(objects.len()).filter(|object| self.is_taken(object, &closure.objects));
        let taken: Vec<Object> = taken.cloned().collect();
        self.applied.taken.extend(taken);
        for object in closure.objects.iter().rev() {
            self.schema.remove(object);
        }
        self.applied.dropped.extend(closure.objects.iter().filter_map(|object| match object {
            Object::Relation(id) => Some(ObjectId::Relation(*id)),
            Object::Type(id) => Some(ObjectId::Type(*id)),
            Object::Routine(id) => Some(ObjectId::Routine(*id)),
            _ => None,
        }));
    }

    /// Takes out what depends on something that is kept by name only.
    pub(super) fn take(&mut self, dependents: &[(Object, Span)]) {
        self.applied.taken.extend(dependents.iter().map(|(object, _)| object.clone()));
        self.drop_objects(dependents, true);
    }

    /// A role that owns something, or has a privilege, stays (`checkSharedDependencies`, pg_shdepend.c).
    fn refuse_role(&mut self, reference: &ObjectReference) {
        let role = &reference.name.name;
        let owns = |owner: &Option<crate::change::Name>| owner.as_ref() == Some(role);
        let has = |privileges: &crate::schema::List<crate::schema::Privilege>| {
            privileges.iter().any(|it| it.grantee == *role)
        };
        let schema = &self.schema;
        let needed = schema.relations.values().any(|it| owns(&it.owner) || has(&it.privileges))
            || schema.types.values().any(|it| owns(&it.owner) || has(&it.privileges))
            || schema.routines.values().any(|it| owns(&it.owner) || has(&it.privileges))
            || schema.namespaces.values().any(|it| owns(&it.owner) || has(&it.privileges));
        if needed {
            let name = role.as_str();
            let message = format!("role \"{name}\" cannot be dropped because some objects depend on it");
            self.problem(ProblemKind::Dependent, reference.span, name, message);
        }
    }

    /// Whether an object that goes along is worth a word of its own, beside all that goes.
    #[deny(clippy::wildcard_enum_match_arm, reason = "a new kind of relation says what it is")]
    fn is_taken(&self, object: &Object, all: &[Object]) -> bool {
        let goes = |id: RelationId| all.contains(&Object::Relation(id));
        match object {
            Object::Relation(id) => {
                let Some(relation) = self.schema.relation(*id) else { return false };
                match &relation.kind {
                    RelationKind::Index(index) => index.constraint.is_none() && !goes(index.table),
                    RelationKind::Sequence(sequence) => sequence.owned_by.is_none(),
                    RelationKind::Table
                    | RelationKind::PartitionedTable(_)
                    | RelationKind::ForeignTable
                    | RelationKind::View(_)
                    | RelationKind::MaterializedView(_) => {
                        !(relation.is_partition() && relation.parents.iter().any(|it| goes(*it)))
                    }
                }
            }
            Object::Default(id, column) => !goes(*id) && !all.contains(&Object::Column(*id, *column)),
            Object::Statistics(_) | Object::EventTrigger(_) => true,
            Object::Column(id, _)
            | Object::Constraint(id, _)
            | Object::Trigger(id, _)
            | Object::Rule(id, _)
            | Object::Policy(id, _) => !goes(*id),
            Object::Attribute(id, _) => !all.contains(&Object::Type(*id)),
            Object::Type(_) | Object::Routine(_) | Object::Namespace(_) => true,
        }
    }

    fn refuse_drop(&mut self, named: &[(Object, Span)], blockers: &[(Object, Object)], span: Span) {
        let describe = |object: &Object| self.schema.describe(object, self.session);
        let list: Vec<String> = blockers
            .iter()
            .map(|(dependent, on)| format!("{} depends on {}", describe(dependent), describe(on)))
            .collect();
        let (object, message) = match named {
            [(only, _)] => {
                let only = describe(only);
                let message = format!("cannot drop {only} because other objects depend on it: {}", list.join("; "));
                (only, message)
            }
            _ => {
                let message =
                    format!("cannot drop desired object(s) because other objects depend on them: {}", list.join("; "));
                (named.iter().map(|(it, _)| describe(it)).collect::<Vec<_>>().join(", "), message)
            }
        };
        self.problem(ProblemKind::Dependent, span, object.as_str(), message);
    }

    pub(super) fn drop_column(&mut self, id: RelationId, column: &Ident, if_exists: bool, cascade: bool, only: bool) {
        let Some(column_id) = self.column_id(id, &column.name) else {
            if !if_exists {
                _ = self.column(id, column).map(|learnt| self.schema.remove(&Object::Column(id, learnt)));
            }
            return;
        };
        if self.refuse_column_drop(id, column, column_id) {
            return;
        }
        let mut named = vec![(Object::Column(id, column_id), column.span)];
        self.drop_below(id, column_id, only, column.span, &mut named);
        self.drop_objects(&named, cascade);
    }

    fn refuse_column_drop(&mut self, id: RelationId, column: &Ident, column_id: ColumnId) -> bool {
        let Some(relation) = self.schema.relation(id) else { return true };
        let inherited = relation.column_by_id(column_id).is_some_and(|it| it.inherited > 0);
        let in_key = matches!(&relation.kind, RelationKind::PartitionedTable(key) if key.columns.contains(&column_id));
        let name = column.name.as_str();
        let message = if inherited {
            format!("cannot drop inherited column \"{name}\"")
        } else if in_key {
            let table = relation.name.name.as_str();
            format!("cannot drop column \"{name}\" because it is part of the partition key of relation \"{table}\"")
        } else {
            return false;
        };
        self.invalid(column.span, self.column_path(id, &column.name), message);
        true
    }

    /// Children lose the column too, unless it is theirs or comes from another parent.
    fn drop_below(
        &mut self,
        id: RelationId,
        column: ColumnId,
        only: bool,
        span: Span,
        named: &mut Vec<(Object, Span)>,
    ) {
        let children = self.schema.relation(id).map(|it| it.children.clone()).unwrap_or_default();
        for child in children {
            let Some(theirs) = self.same_column(id, column, child) else { continue };
            let Some(found) = self.schema.edit(child).and_then(|it| it.column_mut(theirs)) else { continue };
            found.inherited = found.inherited.saturating_sub(1);
            if only {
                found.local = true;
            } else if found.inherited == 0 && !found.local {
                named.push((Object::Column(child, theirs), span));
                self.drop_below(child, theirs, only, span, named);
            }
        }
    }

    pub(super) fn drop_constraint(
        &mut self,
        id: RelationId,
        constraint: &Ident,
        if_exists: bool,
        cascade: bool,
        only: bool,
    ) {
        if !self.has_constraint(id, constraint, if_exists) {
            return;
        }
        let Some(found) = self.schema.relation(id).and_then(|it| it.constraint(&constraint.name)).cloned() else {
            return;
        };
        let has_parent = self.schema.relation(id).is_some_and(|it| !it.parents.is_empty());
        if !found.local && has_parent {
            let table = self.short_name(id);
            let message =
                format!("cannot drop inherited constraint \"{}\" of relation \"{table}\"", constraint.name.as_str());
            return self.invalid(constraint.span, self.column_path(id, &constraint.name), message);
        }
        let mut named = vec![(Object::Constraint(id, constraint.name.clone()), constraint.span)];
        if matches!(
            found.kind,
            ConstraintKind::Check { .. } | ConstraintKind::ForeignKey(_) | ConstraintKind::NotNull(_)
        ) {
            for child in self.schema.children_closure(id) {
                self.drop_constraint_below(child, &constraint.name, only, constraint.span, &mut named);
            }
        }
        let not_null: Vec<(RelationId, ColumnId)> = named.iter().filter_map(|(it, _)| self.not_null_of(it)).collect();
        self.drop_objects(&named, cascade);
        for (table, column) in not_null {
            self.forget_not_null(table, column);
        }
    }

    fn drop_constraint_below(
        &mut self,
        child: RelationId,
        name: &crate::change::Name,
        only: bool,
        span: Span,
        named: &mut Vec<(Object, Span)>,
    ) {
        let Some(found) = self.schema.edit(child).and_then(|it| it.constraint_mut(name)) else { return };
        if only {
            found.local = true;
        } else if !found.local {
            named.push((Object::Constraint(child, name.clone()), span));
        }
    }

    fn not_null_of(&self, object: &Object) -> Option<(RelationId, ColumnId)> {
        let Object::Constraint(id, name) = object else { return None };
        match self.schema.relation(*id)?.constraint(name)?.kind {
            ConstraintKind::NotNull(column) => Some((*id, column)),
            _ => None,
        }
    }

    /// The table of a reference, for messages about its parts.
    pub(super) fn on_table(&mut self, on: &Option<ObjectName>) -> Option<RelationId> {
        on.as_ref().and_then(|table| self.relation(table, false))
    }
}

/// Whether DROP of a kind may drop this relation.
fn is_of_kind(relation: &RelationKind, kind: ObjectKind) -> bool {
    match relation {
        RelationKind::Table | RelationKind::PartitionedTable(_) => kind == ObjectKind::Table,
        RelationKind::ForeignTable => kind == ObjectKind::ForeignTable,
        RelationKind::View(_) => kind == ObjectKind::View,
        RelationKind::MaterializedView(_) => kind == ObjectKind::MaterializedView,
        RelationKind::Index(_) => kind == ObjectKind::Index,
        RelationKind::Sequence(_) => kind == ObjectKind::Sequence,
    }
}
