//! What exists: relations, types, routines and the rest, as built by applying changes in order or as read from a catalog.
//!
//! In: [`Change`](crate::change::Change)s. Out: [`Schema`], a value that costs next to nothing to copy: a savepoint, a rollback and the state
//! before every migration are plain copies, and a difference visits only what changed. Does no I/O.

mod bound_condition;
mod bounds;
mod columns;
mod dependency;
mod describe;
mod doubt;
mod kept;
mod list;
pub(crate) mod naming;
mod object;
mod overload;
mod publication;
mod query;
mod registry;
mod relation;
pub(crate) mod rewrite;
mod rows;
mod session;
mod share;
mod stored;

pub use bound_condition::bound_condition;
pub use bounds::{BoundValue, Bounds, orders, value_of};
pub use columns::columns_named;
pub use dependency::{DependencyKind, DropClosure, Object};
pub use kept::Kept;
pub use list::List;
pub(crate) use naming::make_object_name;
pub use object::*;
pub use relation::*;
pub(crate) use rewrite::rename_column;
pub use session::*;
pub use share::Shared;

use std::sync::Arc;

use imbl::OrdMap;

use crate::change::{Name, ObjectName, QualifiedName, TypeName};

/// Everything a database holds that statements can name.
#[derive(Debug, Clone)]
pub struct Schema {
    /// Whether an object that is not here does not exist. False for a partial history: anything may have been made before.
    pub complete: bool,
    /// Somebody said that it is complete, or a catalog did: it is not only likely.
    pub vouched: bool,
    pub namespaces: OrdMap<Name, Arc<Namespace>>,
    pub relations: OrdMap<RelationId, Arc<Relation>>,
    pub types: OrdMap<TypeId, Arc<Type>>,
    pub routines: OrdMap<RoutineId, Arc<Routine>>,
    pub extensions: OrdMap<Name, Extension>,
    pub publications: OrdMap<Name, Publication>,
    /// They fire in the order of their names.
    pub event_triggers: OrdMap<Name, EventTrigger>,
    pub statistics: OrdMap<QualifiedName, ExtendedStatistics>,
    /// Roles, casts, operators … of which only the name matters: (kind, printed name).
    pub others: imbl::OrdSet<(crate::change::ObjectKind, Arc<str>)>,
    /// Members of roles: (role, member).
    pub memberships: imbl::OrdSet<(Name, Name)>,
    /// Tables that something outside the history makes, in any schema: the migration tool's own.
    pub outside: imbl::OrdSet<Name>,
    relation_names: OrdMap<QualifiedName, RelationId>,
    type_names: OrdMap<QualifiedName, TypeId>,
    routine_names: OrdMap<QualifiedName, Vec<overload::Overload>>,
    pub(crate) dependencies: dependency::Dependencies,
    /// How many constraints of a schema have a name: names that the server makes up avoid them all.
    constraint_names: OrdMap<QualifiedName, u32>,
    /// Routines, types and schemas that PUBLIC may not use any more: what the server gives it with each was revoked.
    pub closed: imbl::OrdSet<Object>,
    /// ALTER DEFAULT PRIVILEGES, in order: what objects made later get.
    pub(crate) default_privileges: Arc<Vec<crate::change::Grant>>,
    /// Temporary tables that the end of the transaction drops.
    until_commit: imbl::OrdSet<RelationId>,
    /// Names that relations had and lost: nothing is there, however little is known of the rest.
    gone: imbl::OrdSet<QualifiedName>,
    /// Parameters that sessions start with, other than the server's: of the database and of who connects.
    pub session_settings: Arc<Vec<(Arc<str>, Arc<str>)>>,
    empty: rows::KnownEmpty,
    doubt: doubt::Doubt,
    next_id: u32,
}

impl Schema {
    /// An empty database as CREATE DATABASE makes it: the schema `public` and nothing in it.
    pub fn new(complete: bool) -> Schema {
        Schema {
            complete,
            vouched: complete,
            namespaces: OrdMap::unit(Name::from("public"), Arc::new(Namespace::default())),
            relations: OrdMap::new(),
            types: OrdMap::new(),
            routines: OrdMap::new(),
            extensions: OrdMap::new(),
            publications: OrdMap::new(),
            event_triggers: OrdMap::new(),
            statistics: OrdMap::new(),
            others: imbl::OrdSet::new(),
            memberships: imbl::OrdSet::new(),
            outside: imbl::OrdSet::new(),
            relation_names: OrdMap::new(),
            type_names: OrdMap::new(),
            routine_names: OrdMap::new(),
            dependencies: dependency::Dependencies::default(),
            constraint_names: OrdMap::new(),
            closed: imbl::OrdSet::new(),
            default_privileges: Arc::default(),
            until_commit: imbl::OrdSet::new(),
            gone: imbl::OrdSet::new(),
            session_settings: Arc::default(),
            empty: rows::KnownEmpty::default(),
            doubt: doubt::Doubt::default(),
            next_id: 1,
        }
    }

    pub fn relation(&self, id: RelationId) -> Option<&Arc<Relation>> {
        self.relations.get(&id)
    }

    pub fn relation_at(&self, name: &QualifiedName) -> Option<&Arc<Relation>> {
        self.relation_names.get(name).and_then(|id| self.relations.get(id))
    }

    pub fn type_at(&self, name: &QualifiedName) -> Option<&Arc<Type>> {
        self.type_names.get(name).and_then(|id| self.types.get(id))
    }

    /// Overloads of a name, in the order of their creation.
    pub fn routines_at(&self, name: &QualifiedName) -> impl Iterator<Item = &Arc<Routine>> {
        self.routine_names.get(name).into_iter().flatten().filter_map(|it| self.routines.get(&it.id))
    }

    /// The overloads of a name whose arguments may be of these types; what they mean is the caller's to see.
    pub(crate) fn overloads_like(&self, name: &QualifiedName, arguments: &[TypeName]) -> Vec<RoutineId> {
        overload::like(self.routine_names.get(name).map_or(&[], |it| &it[..]), arguments)
    }

    /// The relation a name means to this session: the first schema of the search_path that has it.
    pub fn find_relation(&self, name: &ObjectName, session: &Session) -> Option<&Arc<Relation>> {
        self.lookup_path(&name.schema, session)
            .find_map(|schema| self.relation_at(&QualifiedName { schema: schema.clone(), name: name.name.clone() }))
    }

    pub fn find_type(&self, schema: &Option<Name>, name: &Name, session: &Session) -> Option<&Arc<Type>> {
        self.lookup_path(schema, session)
            .find_map(|schema| self.type_at(&QualifiedName { schema: schema.clone(), name: name.clone() }))
    }

    /// All overloads that a name can mean, nearest schema first.
    pub fn find_routines<'a>(
        &'a self,
        name: &'a ObjectName,
        session: &'a Session,
    ) -> impl Iterator<Item = &'a Arc<Routine>> {
        self.lookup_path(&name.schema, session).flat_map(move |schema| {
            let name = QualifiedName { schema: schema.clone(), name: name.name.clone() };
            self.routine_names.get(&name).into_iter().flatten().filter_map(|it| self.routines.get(&it.id))
        })
    }

    /// The name an unresolved or new object has or would get: its schema as written, else the first of the search_path that
    /// exists (any, where the schema is incomplete).
    pub fn qualify(&self, name: &ObjectName, session: &Session) -> QualifiedName {
        let schema = name.schema.clone().unwrap_or_else(|| self.creation_schema(session));
        QualifiedName { schema, name: name.name.clone() }
    }

    /// Where CREATE without a schema puts an object. Few roles have a schema of their name: one that is not known is passed over.
    pub fn creation_schema(&self, session: &Session) -> Name {
        session
            .search_path
            .iter()
            .find(|schema| {
                **schema != "pg_temp"
                    && **schema != "pg_catalog"
                    && (self.namespaces.contains_key(*schema)
                        || !self.complete && session.role.as_ref() != Some(*schema))
            })
            .cloned()
            .unwrap_or_else(|| Name::from("public"))
    }

    /// The role and those that it is a member of, through others too. NOINHERIT is not followed.
    pub fn roles_of(&self, member: &Name) -> Vec<Name> {
        let mut found = vec![member.clone()];
        let mut at = 0;
        while let Some(role) = found.get(at).cloned() {
            let above = self.memberships.iter().filter(|(_, member)| *member == role).map(|(role, _)| role);
            let above: Vec<Name> = above.filter(|role| !found.contains(role)).cloned().collect();
            found.extend(above);
            at += 1;
        }
        found
    }

    /// Printed name of a relation, for effects and messages.
    pub fn relation_name(&self, id: RelationId) -> String {
        self.relation(id).map(|relation| relation.name.to_string()).unwrap_or_default()
    }

    fn lookup_path<'a>(&self, schema: &'a Option<Name>, session: &'a Session) -> impl Iterator<Item = &'a Name> {
        let written = schema.iter();
        let path = if schema.is_some() { &[][..] } else { &session.search_path[..] };
        written.chain(path)
    }
}

/// For tests of what reads a schema: puts an object in place under its own id.
#[cfg(test)]
impl Schema {
    pub(crate) fn put_relation(&mut self, relation: Relation) {
        self.relation_names.insert(relation.name.clone(), relation.id);
        self.relations.insert(relation.id, Arc::new(relation));
    }

    pub(crate) fn put_routine(&mut self, routine: Routine) {
        let mut overloads = self.routine_names.get(&routine.name).cloned().unwrap_or_default();
        overloads.push(overload::Overload::of(&routine));
        self.routine_names.insert(routine.name.clone(), overloads);
        self.routines.insert(routine.id, Arc::new(routine));
    }

    pub(crate) fn put_type(&mut self, user: Type) {
        self.type_names.insert(user.name.clone(), user.id);
        self.types.insert(user.id, Arc::new(user));
    }
}
