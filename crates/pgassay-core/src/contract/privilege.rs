//! Privileges that roles had on an object that is still there.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::ordmap::DiffItem;

use super::pair::Pair;
use super::witness::{differs, insert, refused};
use super::{Breakage, BreakageKind, Context, Subject, certain, possible, routine, witness};
use crate::change::{GrantObjects, Name, ObjectKind, PrintedName, QualifiedName};
use crate::schema::{
    Column, ColumnId, List, Object, Privilege, Relation, RelationId, RelationKind, Routine, Schema, rewrite,
};
use crate::text::quoting;

pub(super) fn of_relation(pair: Pair, found: &mut Vec<Breakage>) {
    let now_of = |privilege: &Privilege| match privilege.column {
        Some(id) => pair.successor(id).map(|it| Extent::Column(it.id)),
        None => Some(Extent::Whole),
    };
    let held = Held::of_relation(pair.context.after, pair.new);
    let mut lost: BTreeMap<Name, Vec<Privilege>> = BTreeMap::new();
    for privilege in pair.old.privileges.iter() {
        let is_lost = |extent| !held.by(&privilege.grantee, privilege.privilege.as_str(), extent);
        if now_of(privilege).is_some_and(is_lost) {
            lost.entry(privilege.grantee.clone()).or_default().push(privilege.clone());
        }
    }
    for (grantee, privileges) in lost {
        found.push(of_grantee(pair, &grantee, &privileges));
    }
    found.extend(owner_lost(pair));
}

/// The role that owned a table, and could do everything, is left with what it was granted.
fn owner_lost(pair: Pair) -> Option<Breakage> {
    let (old, new) = (pair.old.owner.as_ref()?, pair.new.owner.as_ref()?);
    if old == new || !pair.same() || !pair.old.is_queryable() {
        return None;
    }
    let roles = pair.context.after.roles_of(old);
    let may = |it: &Privilege| roles.contains(&it.grantee) || it.grantee == "public";
    if roles.contains(new) || pair.new.privileges.iter().any(may) {
        return None;
    }
    let name = &pair.old.name;
    let answer = format!("permission denied for {} {}", permission_noun(pair.new), name.name.as_str());
    Some(possible(
        BreakageKind::PrivilegeRevoked,
        Subject::Relation(pair.new.id),
        name,
        format!(
            "{name} belongs to {new} now, and {old}, which owned it, has no privilege on it: its statements are refused"
        ),
        refused(format!("{}{}", as_role(old), witness::select(pair.old, "*")), "42501", answer),
    ))
}

/// Routines, types and schemas that roles could use.
pub(super) fn diff(context: &Context, found: &mut Vec<Breakage>) {
    for item in context.before.routines.diff(&context.after.routines) {
        let DiffItem::Update { old: (_, old), new: (_, new) } = item else { continue };
        if routine::is_called_by_clients(old) && old.name == new.name {
            let sql = routine::call(context.before, old);
            let of = Of {
                object: (&old.name).into(),
                noun: routine::noun(old),
                name: &old.name.name,
                sql,
                privilege: "execute",
            };
            let held = Held { schema: context.after, owner: new.owner.as_ref(), privileges: &new.privileges };
            found.extend(of.lost(Subject::Routine(old.id), &old.privileges, held));
        }
    }
    for item in context.before.types.diff(&context.after.types) {
        let DiffItem::Update { old: (_, old), new: (_, new) } = item else { continue };
        let sql = format!("CREATE TEMPORARY TABLE uses_it (value {})", old.name);
        let of = Of { object: (&old.name).into(), noun: "type", name: &old.name.name, sql, privilege: "usage" };
        let held = Held { schema: context.after, owner: new.owner.as_ref(), privileges: &new.privileges };
        found.extend(of.lost(Subject::Type(old.id), &old.privileges, held));
    }
    for item in context.before.namespaces.diff(&context.after.namespaces) {
        let DiffItem::Update { old: (name, old), new: (_, new) } = item else { continue };
        let of = Of { object: name.into(), noun: "schema", name, sql: sample(context, name), privilege: "usage" };
        let held = Held { schema: context.after, owner: new.owner.as_ref(), privileges: &new.privileges };
        found.extend(of.lost(Subject::Schema(name.clone()), &old.privileges, held));
    }
    for (role, member) in context.before.memberships.iter() {
        if !context.after.memberships.contains(&(role.clone(), member.clone())) {
            found.extend(left_role(context, role, member));
        }
    }
    for closed in context.before.closed.iter() {
        found.extend(opened_to_public(context, closed));
    }
    for closed in context.after.closed.iter().filter(|it| !context.before.closed.contains(*it)) {
        found.extend(closed_to_public(context, closed));
    }
}

/// A role that is no member of another any more: what it could do as one, and cannot do otherwise.
fn left_role(context: &Context, role: &Name, member: &Name) -> Option<Breakage> {
    let gives = context.before.roles_of(role);
    let mut lost: Vec<(&Arc<Relation>, String)> = Vec::new();
    for old in context.before.relations.values() {
        let Some(new) = context.after.relation(old.id).filter(|new| new.owner.as_ref() != Some(member)) else {
            continue;
        };
        let given = old.privileges.iter().filter(|it| gives.contains(&it.grantee));
        let held = Held::of_relation(context.after, new);
        let of = |column: Option<ColumnId>| column.map_or(Extent::Whole, Extent::Column);
        let gone = given.filter(|it| !held.by(member, it.privilege.as_str(), of(it.column)));
        let mut names: Vec<String> = gone.map(|it| it.privilege.as_str().to_uppercase()).collect();
        names.dedup();
        if !names.is_empty() {
            lost.push((old, names.join(", ")));
        }
    }
    let (first, privileges) = lost.first()?;
    let more = match lost.len() - 1 {
        0 => String::new(),
        more => format!(" and more on {more} other relations"),
    };
    let message = format!(
        "{member} is no member of {role} any more, and has no {privileges} on {}{more}: its statements are refused",
        first.name
    );
    let pair = Pair { context, old: first, new: context.after.relation(first.id)? };
    let privilege = first.privileges.iter().find(|it| gives.contains(&it.grantee))?;
    let answer = format!("permission denied for {} {}", permission_noun(pair.new), first.name.name.as_str());
    let sql = format!("{}{}", as_role(member), statement(pair, first, privilege));
    let kind = BreakageKind::PrivilegeRevoked;
    Some(certain(kind, Subject::Relation(first.id), &first.name, message, refused(sql, "42501", answer)))
}

/// Defaults that call nextval of a sequence which a role that inserts may not use; an identity column asks for no privilege of its own.
pub(super) fn of_defaults(pair: Pair, found: &mut Vec<Breakage>) {
    for column in &pair.new.columns {
        let old = pair.origin(column.id);
        let called = |schema: &Schema, column: &Column| -> Vec<RelationId> {
            let default = column.default.iter().filter(|_| column.identity.is_none());
            let names = default.flat_map(|default| rewrite::sequences(&default.tree));
            let own = &pair.new.name.schema;
            let at = |(namespace, name): (Option<Name>, Name)| {
                let name = QualifiedName { schema: namespace.unwrap_or_else(|| own.clone()), name };
                schema.relation_at(&name).map(|it| it.id)
            };
            names.filter_map(at).collect()
        };
        let before = old.map(|old| called(pair.context.before, old)).unwrap_or_default();
        for sequence in called(pair.context.after, column).into_iter().filter(|id| !before.contains(id)) {
            let Some(sequence) = pair.context.after.relation(sequence) else { continue };
            let is_left_out = old.is_none_or(|old| old.default.is_some() || !old.not_null.enforced());
            found.extend(without_sequence(pair, column, is_left_out, sequence));
        }
    }
}

/// The roles that insert, and may not use the sequence of a default (`nextval_internal`, sequence.c: USAGE or UPDATE).
fn without_sequence(pair: Pair, column: &Column, is_left_out: bool, sequence: &Relation) -> Option<Breakage> {
    let schema = pair.context.after;
    let writers = pair.old.privileges.iter().filter(|it| matches!(it.privilege.as_str(), "insert" | "all"));
    let mut refused_roles: Vec<&Name> = writers
        .map(|it| &it.grantee)
        .filter(|role| **role != "public" && pair.new.owner.as_ref() != Some(*role))
        .filter(|role| {
            let roles = schema.roles_of(role);
            let held = Held::of_relation(schema, sequence);
            let may = ["usage", "update"].iter().any(|privilege| held.by(role, privilege, Extent::Whole));
            // What a column makes along with itself has them too.
            let by_default = schema.default_privileges.iter().any(|grant| {
                matches!(grant.objects, GrantObjects::Future { kind: ObjectKind::Sequence, .. })
                    && !grant.revoke
                    && grant.grantees.iter().any(|it| roles.contains(&it.name) || it.name == "public")
            });
            !by_default && !may
        })
        .collect();
    refused_roles.sort();
    refused_roles.dedup();
    let role = *refused_roles.first()?;
    let names = refused_roles.iter().map(|it| it.to_string()).collect::<Vec<_>>().join(", ");
    let what = if pair.origin(column.id).is_none() { "INSERTs" } else { "INSERTs without the column" };
    let message = format!(
        "the default of {}.{} takes numbers of {}, which {names} may not use: {what} of {names} are refused",
        pair.old.name, column.name, sequence.name
    );
    let sql = format!("{}{}", as_role(role), insert(pair.context.before, pair.old, &[], 1));
    let answer = format!("permission denied for sequence {}", sequence.name.name.as_str());
    let build = if is_left_out { certain } else { possible };
    let object = PrintedName::part(&pair.old.name, &column.name);
    let subject = Subject::Column(pair.new.id, column.id);
    Some(build(BreakageKind::PrivilegeRevoked, subject, object, message, refused(sql, "42501", answer)))
}

/// A routine that PUBLIC was kept from, made anew under its name: EXECUTE is PUBLIC's again (manual, DDL, Privileges).
fn opened_to_public(context: &Context, object: &Object) -> Option<Breakage> {
    let Object::Routine(id) = object else { return None };
    let old = context.before.routines.get(id).filter(|_| !context.after.routines.contains_key(id))?;
    let is_new = |new: &&Arc<Routine>| !context.before.routines.contains_key(&new.id);
    let is_open = |new: &&Arc<Routine>| !context.after.closed.contains(&Object::Routine(new.id));
    let new = context.after.routines_at(&old.name).filter(is_new).find(is_open)?;
    let (name, noun) = (&old.name, routine::noun(new));
    let message = format!(
        "everybody may call {noun} {name} again: it was made anew, without the REVOKE that kept PUBLIC from it"
    );
    let sql = format!(
        "SELECT has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc WHERE oid = to_regproc({})",
        quoting::literal(&name.to_string())
    );
    let build = if new.security_definer { certain } else { possible };
    Some(build(
        BreakageKind::RoutineOpened,
        Subject::Routine(new.id),
        name,
        message,
        differs(sql, "answers t instead of f"),
    ))
}

fn sample(context: &Context, schema: &Name) -> String {
    let table = context.before.relations_in(schema).find(|it| it.is_queryable());
    table.map_or_else(|| format!("CREATE TABLE {schema}.in_it ()"), |table| witness::select(table, "*"))
}

/// What the server gives PUBLIC with each routine, type and the schema `public`.
fn closed_to_public(context: &Context, object: &Object) -> Option<Breakage> {
    let public = Name::from("public");
    let (of, subject) = match object {
        Object::Routine(id) => {
            let old = context.before.routines.get(id).filter(|old| routine::is_called_by_clients(old))?;
            context.after.routines.get(id)?;
            let sql = routine::call(context.before, old);
            (
                Of {
                    object: (&old.name).into(),
                    noun: routine::noun(old),
                    name: &old.name.name,
                    sql,
                    privilege: "execute",
                },
                Subject::Routine(*id),
            )
        }
        Object::Type(id) => {
            let old = context.before.types.get(id)?;
            context.after.types.get(id)?;
            let sql = format!("CREATE TEMPORARY TABLE uses_it (value {})", old.name);
            (
                Of { object: (&old.name).into(), noun: "type", name: &old.name.name, sql, privilege: "usage" },
                Subject::Type(*id),
            )
        }
        Object::Namespace(name) => {
            context.after.namespaces.get(name)?;
            let of = Of { object: name.into(), noun: "schema", name, sql: sample(context, name), privilege: "usage" };
            (of, Subject::Schema(name.clone()))
        }
        // Who may use a table or a view is its own privileges; parts have none.
        Object::Relation(_)
        | Object::Column(..)
        | Object::Default(..)
        | Object::Constraint(..)
        | Object::Trigger(..)
        | Object::Rule(..)
        | Object::Policy(..)
        | Object::Attribute(..)
        | Object::Statistics(_)
        | Object::EventTrigger(_) => return None,
    };
    Some(of.revoked(subject, &public))
}

/// An object that is no relation, and the privilege that clients need of it.
struct Of<'a> {
    object: PrintedName,
    noun: &'static str,
    name: &'a Name,
    /// What needs the privilege.
    sql: String,
    privilege: &'static str,
}

impl Of<'_> {
    fn lost(&self, subject: Subject, old: &List<Privilege>, now: Held) -> Vec<Breakage> {
        let is_it = |it: &&Privilege| it.privilege == self.privilege && it.grantee != "public";
        let lost = old.iter().filter(is_it).filter(|it| !now.by(&it.grantee, self.privilege, Extent::Whole));
        lost.map(|it| self.revoked(subject.clone(), &it.grantee)).collect()
    }

    fn revoked(&self, subject: Subject, grantee: &Name) -> Breakage {
        let is_public = *grantee == "public";
        let (who, rest) = match is_public {
            true => ("PUBLIC".to_owned(), "roles without a grant of their own are refused"),
            false => (grantee.to_string(), "its statements are refused"),
        };
        let message =
            format!("{who} has no {} on {} {} any more: {rest}", self.privilege.to_uppercase(), self.noun, self.object);
        let answer = format!("permission denied for {} {}", self.noun, self.name.as_str());
        let sql = format!("{}{}", as_role(grantee), self.sql);
        let (kind, witness) = (BreakageKind::PrivilegeRevoked, refused(sql, "42501", answer));
        match is_public {
            true => possible(kind, subject, self.object.clone(), message, witness),
            false => certain(kind, subject, self.object.clone(), message, witness),
        }
    }
}

/// The owner of an object and what is granted on it.
#[derive(Clone, Copy)]
pub(super) struct Held<'a> {
    pub schema: &'a Schema,
    pub owner: Option<&'a Name>,
    pub privileges: &'a List<Privilege>,
}

/// What of a relation a privilege is wanted on; a grant on the whole is one on each column.
#[derive(Clone, Copy)]
pub(super) enum Extent {
    Whole,
    Column(ColumnId),
    /// Some column is enough.
    Part,
}

impl<'a> Held<'a> {
    pub fn of_relation(schema: &'a Schema, relation: &'a Relation) -> Held<'a> {
        Held { schema, owner: relation.owner.as_ref(), privileges: &relation.privileges }
    }

    /// Whether a role has a privilege: as the owner, by a grant of its own, as a member of a role that has it, or through PUBLIC
    /// (pg_class_aclmask_ext, aclchk.c).
    pub fn by(self, role: &Name, privilege: &str, extent: Extent) -> bool {
        let roles = self.schema.roles_of(role);
        let covers = |column: Option<ColumnId>| match extent {
            Extent::Whole => column.is_none(),
            Extent::Column(wanted) => column.is_none_or(|it| it == wanted),
            Extent::Part => true,
        };
        self.owner.is_some_and(|owner| roles.contains(owner))
            || self.privileges.iter().any(|it| {
                (roles.contains(&it.grantee) || it.grantee == "public")
                    && (it.privilege == privilege || it.privilege == "all")
                    && covers(it.column)
            })
    }
}

fn of_grantee(pair: Pair, grantee: &Name, privileges: &[Privilege]) -> Breakage {
    let old = pair.old;
    let mut names: Vec<String> = privileges.iter().map(|it| it.privilege.as_str().to_uppercase()).collect();
    names.dedup();
    let list = names.join(", ");
    let role = if *grantee == "public" { "PUBLIC".to_owned() } else { grantee.to_string() };
    let anew = if pair.same() { "" } else { " (it was made anew, without the old grants)" };
    let build = if *grantee == "public" { possible } else { certain };
    build(
        BreakageKind::PrivilegeRevoked,
        Subject::Relation(pair.new.id),
        &old.name,
        format!("{role} has no {list} on {} any more{anew}: its statements are refused", old.name),
        refused(
            format!("{}{}", as_role(grantee), statement(pair, old, &privileges[0])),
            "42501",
            format!("permission denied for {} {}", permission_noun(pair.new), old.name.name.as_str()),
        ),
    )
}

/// As acl_kind names it (aclcheck_error, catalog/aclchk.c).
fn permission_noun(relation: &Relation) -> &'static str {
    match relation.noun() {
        noun @ ("view" | "materialized view" | "foreign table" | "sequence") => noun,
        _ => "table",
    }
}

fn as_role(grantee: &Name) -> String {
    if *grantee == "public" { String::new() } else { format!("SET ROLE {grantee}; ") }
}

fn statement(pair: Pair, old: &Relation, privilege: &Privilege) -> String {
    let column = privilege.column.and_then(|id| old.column_by_id(id)).or(old.columns.first());
    let column = column.map_or("*".to_owned(), |it| it.name.to_string());
    if let RelationKind::Sequence(_) = old.kind {
        return format!("SELECT nextval({})", quoting::literal(&old.name.to_string()));
    }
    match privilege.privilege.as_str() {
        "insert" => insert(pair.context.before, old, &[], 1),
        "update" if column != "*" => format!("UPDATE {} SET {column} = DEFAULT", old.name),
        "delete" => format!("DELETE FROM {}", old.name),
        "truncate" => format!("TRUNCATE {}", old.name),
        _ if privilege.column.is_some() => witness::select(old, column),
        _ => witness::select(old, "*"),
    }
}
