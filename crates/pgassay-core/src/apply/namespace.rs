//! Schemas, in PostgreSQL's sense.

use std::sync::Arc;

use super::{Applier, apply};
use crate::change::{CreateSchema, Ident, Name, QualifiedName};
use crate::schema::{Namespace, RelationId};

impl Applier<'_> {
    pub(super) fn create_schema(&mut self, create: &CreateSchema) {
        let Some(name) = create.name.as_ref().or(create.authorization.as_ref()) else { return };
        if self.schema.namespaces.contains_key(&name.name) {
            if !create.if_not_exists {
                self.duplicate(name.span, name, format!("schema \"{}\" already exists", name.name.as_str()));
            }
        } else {
            let owner = create.authorization.as_ref().map(|role| role.name.clone()).or(self.session.role.clone());
            self.schema.namespaces.insert(name.name.clone(), Arc::new(Namespace { owner, ..Namespace::default() }));
        }
        let mut session = self.session.clone();
        session.search_path.insert(0, name.name.clone());
        for element in &create.elements {
            let made = apply(self.schema, element, &session, self.version);
            self.applied.created.extend(made.created);
            self.applied.problems.extend(made.problems);
        }
    }

    /// ALTER SCHEMA … RENAME TO: everything in it has a new name.
    pub(super) fn rename_schema(&mut self, old: &Name, new: &Ident) {
        if self.schema.namespaces.contains_key(&new.name) {
            return self.duplicate(new.span, new, format!("schema \"{}\" already exists", new.name.as_str()));
        }
        let namespace = self.schema.namespaces.remove(old).unwrap_or_default();
        self.schema.namespaces.insert(new.name.clone(), namespace);
        let at = |name: &QualifiedName| QualifiedName { schema: new.name.clone(), name: name.name.clone() };
        let relations: Vec<RelationId> = self.schema.relations_in(old).map(|it| it.id).collect();
        let types: Vec<_> = self.schema.types_in(old).map(|it| (it.id, at(&it.name))).collect();
        let routines: Vec<_> = self.schema.routines_in(old).map(|it| (it.id, at(&it.name))).collect();
        for id in relations {
            let name = at(&self.full_name(id));
            self.move_relation(id, name);
        }
        types.into_iter().for_each(|(id, name)| self.schema.move_type(id, name));
        routines.into_iter().for_each(|(id, name)| self.schema.move_routine(id, name));
        let statistics: Vec<_> = self.schema.statistics.keys().filter(|it| it.schema == *old).cloned().collect();
        for name in statistics {
            if let Some(found) = self.schema.statistics.remove(&name) {
                self.schema.statistics.insert(at(&name), found);
            }
        }
    }
}
