//! Privileges that roles had on an object that is still there.

use std::collections::BTreeMap;

use super::pair::Pair;
use super::witness::{insert, refused};
use super::{Breakage, BreakageKind, Subject, certain, possible, witness};
use crate::change::Name;
use crate::schema::{List, Privilege, Relation};

pub(super) fn of_relation(pair: Pair, found: &mut Vec<Breakage>) {
    let renamed = |privilege: &Privilege| match privilege.column {
        Some(id) => pair.successor(id).map(|it| Privilege { column: Some(it.id), ..privilege.clone() }),
        None => Some(privilege.clone()),
    };
    let owner = pair.new.owner.as_ref();
    let mut lost: BTreeMap<Name, Vec<Privilege>> = BTreeMap::new();
    for privilege in pair.old.privileges.iter().filter(|it| Some(&it.grantee) != owner) {
        if renamed(privilege).is_some_and(|now| !is_held(&pair.new.privileges, &now)) {
            lost.entry(privilege.grantee.clone()).or_default().push(privilege.clone());
        }
    }
    for (grantee, privileges) in lost {
        found.push(of_grantee(pair, &grantee, &privileges));
    }
}

/// By itself, through the whole table, or through PUBLIC.
fn is_held(privileges: &List<Privilege>, wanted: &Privilege) -> bool {
    privileges.iter().any(|it| {
        (it.grantee == wanted.grantee || it.grantee == "public")
            && (it.privilege == wanted.privilege || it.privilege.as_str() == "all")
            && (it.column.is_none() || it.column == wanted.column)
    })
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
    match privilege.privilege.as_str() {
        "insert" => insert(pair.context.before, old, &[], 1),
        "update" if column != "*" => format!("UPDATE {} SET {column} = DEFAULT", old.name),
        "delete" => format!("DELETE FROM {}", old.name),
        "truncate" => format!("TRUNCATE {}", old.name),
        _ if privilege.column.is_some() => witness::select(old, column),
        _ => witness::select(old, "*"),
    }
}
