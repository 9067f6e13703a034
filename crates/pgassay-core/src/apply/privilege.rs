//! GRANT, REVOKE, REASSIGN OWNED and DROP OWNED.

use std::sync::Arc;

use super::Applier;
use crate::change::{Grant, GrantObjects, Ident, Name, ObjectKind, ObjectReference, Owned};
use crate::schema::{ColumnId, Grantable, List, Object, Privilege, RelationId, RelationKind, RoutineId};

/// What ALL means for each kind of object (manual, "Privileges").
const TABLE: &[&str] = &["select", "insert", "update", "delete", "truncate", "references", "trigger"];
const SEQUENCE: &[&str] = &["select", "update", "usage"];
const SCHEMA: &[&str] = &["usage", "create"];

impl Applier<'_> {
    pub(super) fn grant(&mut self, grant: &Grant) {
        if grant.option_only {
            return;
        }
        match &grant.objects {
            GrantObjects::Named { kind, objects } => {
                for object in objects {
                    self.grant_on(grant, *kind, object);
                }
            }
            GrantObjects::AllInSchema { kind, schemas } => {
                for schema in schemas {
                    self.grant_in_schema(grant, *kind, schema);
                }
            }
            GrantObjects::Membership(roles) => self.grant_membership(grant, roles),
            GrantObjects::Future { .. } => {}
        }
    }

    fn grant_membership(&mut self, grant: &Grant, roles: &[Ident]) {
        for (role, member) in roles.iter().flat_map(|role| grant.grantees.iter().map(move |member| (role, member))) {
            let pair = (role.name.clone(), member.name.clone());
            match grant.revoke {
                true => self.schema.memberships.remove(&pair),
                false => self.schema.memberships.insert(pair),
            };
        }
    }

    /// What ALTER DEFAULT PRIVILEGES gives to the objects that the change made. For which role's objects it was said is not followed: those
    /// who say it mean what migrations make.
    pub(super) fn grant_defaults(&mut self) {
        if self.schema.default_privileges.is_empty() || self.applied.created.is_empty() {
            return;
        }
        let defaults = self.schema.default_privileges.clone();
        for created in self.applied.created.clone() {
            for grant in defaults.iter().filter(|grant| !grant.option_only) {
                let GrantObjects::Future { kind, schemas } = &grant.objects else { continue };
                let here = |schema: &Name| schemas.is_empty() || schemas.iter().any(|it| it.name == *schema);
                match created {
                    super::ObjectId::Relation(id) => {
                        let Some(relation) = self.schema.relation(id).filter(|it| here(&it.name.schema)) else {
                            continue;
                        };
                        let fits = match relation.kind {
                            RelationKind::Index(_) => false,
                            RelationKind::Sequence(_) => *kind == ObjectKind::Sequence,
                            RelationKind::Table
                            | RelationKind::PartitionedTable(_)
                            | RelationKind::ForeignTable
                            | RelationKind::View(_)
                            | RelationKind::MaterializedView(_) => *kind == ObjectKind::Table,
                        };
                        if fits {
                            self.grant_on_relation(grant, id);
                        }
                    }
                    super::ObjectId::Routine(id) => {
                        let fits = matches!(kind, ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine);
                        if fits && self.schema.routines.get(&id).is_some_and(|it| here(&it.name.schema)) {
                            self.grant_on_routine(grant, id);
                        }
                    }
                    super::ObjectId::Type(_) => {}
                }
            }
        }
    }

    fn grant_on(&mut self, grant: &Grant, kind: ObjectKind, object: &ObjectReference) {
        use ObjectKind::*;
        match kind {
            Table | View | MaterializedView | ForeignTable | Sequence => {
                if let Some(id) = self.relation(&object.name, false) {
                    self.grant_on_relation(grant, id);
                }
            }
            Schema => self.grant_on_schema(grant, &object.name.name, object),
            Function | Procedure | Routine => {
                if let Some(id) = self.routine_named(kind, object) {
                    self.grant_on_routine(grant, id);
                }
            }
            Type | Domain => {
                let Some(id) = self.type_named(&object.name) else { return };
                if let Some(found) = self.schema.edit_type(id) {
                    change_privileges(&mut found.privileges, grant, &[(Name::from("usage"), Vec::new())]);
                    self.close_to_public(grant, Object::Type(id));
                }
            }
            _ => {}
        }
    }

    fn grant_in_schema(&mut self, grant: &Grant, kind: ObjectKind, schema: &Ident) {
        if !self.namespace_exists(&schema.name) {
            return self.missing(schema.span, schema, format!("schema \"{}\" does not exist", schema.name.as_str()));
        }
        match kind {
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
                let routines: Vec<RoutineId> = self.schema.routines_in(&schema.name).map(|it| it.id).collect();
                routines.into_iter().for_each(|id| self.grant_on_routine(grant, id));
            }
            _ => {
                let sequences = kind == ObjectKind::Sequence;
                let wanted = |kind: &RelationKind| match kind {
                    RelationKind::Sequence(_) => sequences,
                    RelationKind::Index(_) => false,
                    RelationKind::Table
                    | RelationKind::PartitionedTable(_)
                    | RelationKind::ForeignTable
                    | RelationKind::View(_)
                    | RelationKind::MaterializedView(_) => !sequences,
                };
                let relations = self.schema.relations_in(&schema.name).filter(|it| wanted(&it.kind));
                let relations: Vec<RelationId> = relations.map(|it| it.id).collect();
                relations.into_iter().for_each(|id| self.grant_on_relation(grant, id));
            }
        }
    }

    fn grant_on_relation(&mut self, grant: &Grant, id: RelationId) {
        let Some(relation) = self.schema.relation(id) else { return };
        let all = if matches!(relation.kind, RelationKind::Sequence(_)) { SEQUENCE } else { TABLE };
        let mut privileges = Vec::new();
        if grant.privileges.is_empty() {
            privileges.extend(all.iter().map(|name| (Name::from(*name), Vec::new())));
            if all == TABLE && self.version.at_least(17) {
                privileges.push((Name::from("maintain"), Vec::new()));
            }
        }
        for (privilege, columns) in &grant.privileges {
            privileges.push((privilege.clone(), self.columns(id, columns)));
        }
        self.edit_relation(id, |it| change_privileges(&mut it.privileges, grant, &privileges));
    }

    fn grant_on_routine(&mut self, grant: &Grant, id: RoutineId) {
        if let Some(routine) = self.schema.edit_routine(id) {
            change_privileges(&mut routine.privileges, grant, &[(Name::from("execute"), Vec::new())]);
            self.close_to_public(grant, Object::Routine(id));
        }
    }

    fn grant_on_schema(&mut self, grant: &Grant, name: &Name, object: &ObjectReference) {
        let Some(namespace) = self.schema.namespaces.get_mut(name) else {
            if !self.namespace_exists(name) {
                self.missing(object.span, name, format!("schema \"{}\" does not exist", name.as_str()));
            }
            return;
        };
        let all = SCHEMA.iter().map(|name| (Name::from(*name), Vec::new()));
        let named = grant.privileges.iter().map(|(privilege, _)| (privilege.clone(), Vec::new()));
        let privileges: Vec<_> = if grant.privileges.is_empty() { all.collect() } else { named.collect() };
        change_privileges(&mut Arc::make_mut(namespace).privileges, grant, &privileges);
        if *name == "public" && privileges.iter().any(|(privilege, _)| *privilege == "usage") {
            self.close_to_public(grant, Object::Namespace(name.clone()));
        }
    }

    /// What PUBLIC has by itself (`acldefault`, acl.c) is no privilege that was granted: EXECUTE, USAGE of types and of the schema `public`.
    fn close_to_public(&mut self, grant: &Grant, object: Object) {
        if grant.grantees.iter().any(|grantee| grantee.name == "public") {
            if grant.revoke {
                self.schema.closed.insert(object);
            } else {
                self.schema.closed.remove(&object);
            }
        }
    }

    /// REASSIGN OWNED and DROP OWNED, of relations: owners of other objects are not followed.
    pub(super) fn owned(&mut self, owned: &Owned) {
        let relations = self.schema.owned_by(owned);
        if owned.drop {
            let named: Vec<_> = relations.into_iter().map(|id| (Object::Relation(id), owned.span)).collect();
            self.drop_objects(&named, owned.cascade);
            return self.revoke_everything(&owned.roles);
        }
        let Some(new_owner) = &owned.new_owner else { return };
        for id in relations {
            self.edit_relation(id, |it| it.owner = Some(new_owner.name.clone()));
        }
    }
}

impl Applier<'_> {
    /// DROP OWNED also takes every privilege of the roles back (manual, DROP OWNED).
    fn revoke_everything(&mut self, roles: &[Ident]) {
        let theirs = |privilege: &Privilege| roles.iter().any(|role| role.name == privilege.grantee);
        let has = |privileges: &List<Privilege>| privileges.iter().any(theirs);
        let relations: Vec<_> =
            self.schema.relations.values().filter(|it| has(&it.privileges)).map(|it| it.id).collect();
        for id in relations {
            self.edit_relation(id, |it| it.privileges.retain(|privilege| !theirs(privilege)));
        }
        let types: Vec<_> = self.schema.types.values().filter(|it| has(&it.privileges)).map(|it| it.id).collect();
        for id in types {
            if let Some(found) = self.schema.types.get_mut(&id) {
                Arc::make_mut(found).privileges.retain(|privilege| !theirs(privilege));
            }
        }
        let routines: Vec<_> = self.schema.routines.values().filter(|it| has(&it.privileges)).map(|it| it.id).collect();
        for id in routines {
            if let Some(found) = self.schema.routines.get_mut(&id) {
                Arc::make_mut(found).privileges.retain(|privilege| !theirs(privilege));
            }
        }
        let schemas: Vec<Name> =
            self.schema.namespaces.iter().filter(|(_, it)| has(&it.privileges)).map(|(name, _)| name.clone()).collect();
        for name in schemas {
            if let Some(found) = self.schema.namespaces.get_mut(&name) {
                Arc::make_mut(found).privileges.retain(|privilege| !theirs(privilege));
            }
        }
    }
}

fn change_privileges(held: &mut List<Privilege>, grant: &Grant, privileges: &[(Name, Vec<ColumnId>)]) {
    for grantee in &grant.grantees {
        for (privilege, columns) in privileges {
            let columns: Vec<Option<ColumnId>> =
                if columns.is_empty() { vec![None] } else { columns.iter().copied().map(Some).collect() };
            for column in columns {
                let one = Privilege {
                    grantee: grantee.name.clone(),
                    privilege: privilege.clone(),
                    column,
                    grantable: Grantable(grant.with_option),
                };
                if grant.revoke {
                    // Without a column list the privilege goes from the columns too.
                    held.retain(|it| {
                        *it != one && !(column.is_none() && Privilege { column: None, ..it.clone() } == one)
                    });
                } else if let Some(known) = held.find_mut(|it| *it == one) {
                    known.grantable.0 |= grant.with_option;
                } else {
                    held.push(one);
                }
            }
        }
    }
}
