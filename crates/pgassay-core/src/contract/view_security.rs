//! What a view kept from roles: row security of the tables beneath, which a view passes by unless it reads as its caller
//! (security_invoker), the rows that security_barrier hides from a query's functions, and writes that CHECK OPTION refuses.

use super::pair::Pair;
use super::privilege::{Extent, Held};
use super::witness::{differs, insert, refused, select};
use super::{Breakage, BreakageKind, Context, Subject, certain, possible};
use crate::change::Name;
use crate::schema::{Privilege, Relation, RelationId, RelationKind, Schema};
use crate::text::quoting;

/// Views on views on views, further than anybody builds them.
const DEEPEST_VIEW: usize = 64;

pub(super) fn diff(pair: Pair, found: &mut Vec<Breakage>) {
    let (RelationKind::View(_), RelationKind::View(_)) = (&pair.old.kind, &pair.new.kind) else { return };
    let (old, new) = (pair.old, pair.new);
    let name = &old.name;
    let lost = |option: &str| is_on(old, option) && !is_on(new, option);
    if lost("security_invoker") {
        found.push(now_as_owner(pair));
    }
    if is_on(new, "security_invoker") && !is_on(old, "security_invoker") {
        found.extend(now_as_caller(pair));
    }
    if lost("security_barrier") {
        found.push(possible(
            BreakageKind::PolicyLoosened,
            Subject::Relation(new.id),
            name,
            format!("view {name} is no security barrier any more: a function in a query's WHERE may see the rows that it hides"),
            differs(select(old, "*"), "hands hidden rows to functions in WHERE"),
        ));
    }
    check_option(pair, found);
}

/// A view that reads with its owner's rights from now on.
fn now_as_owner(pair: Pair) -> Breakage {
    let (old, new) = (pair.old, pair.new);
    let name = &old.name;
    let protected = protected_beneath(pair.context.after, new);
    let sql = select(old, "*");
    match protected.first() {
        Some(table) => certain(
            BreakageKind::RowSecurityDisabled,
            Subject::Relation(new.id),
            name,
            format!(
                "view {name} reads with its owner's rights from now on (security_invoker is gone): row security of {table} no \
                 longer holds for who reads the view"
            ),
            differs(sql, "answers rows that the policies hid from the caller"),
        ),
        None => possible(
            BreakageKind::RowSecurityDisabled,
            Subject::Relation(new.id),
            name,
            format!(
                "view {name} reads with its owner's rights from now on (security_invoker is gone): who reads it needs no privilege \
                 on what is beneath"
            ),
            differs(sql, "answers roles that have no privilege on the tables"),
        ),
    }
}

fn check_option(pair: Pair, found: &mut Vec<Breakage>) {
    let (old, new) = (pair.old, pair.new);
    let name = &old.name;
    if new.options.contains_key("check_option") && !old.options.contains_key("check_option") {
        found.push(possible(
            BreakageKind::CheckAdded,
            Subject::Relation(new.id),
            name,
            format!("view {name} has a CHECK OPTION now: writes through it of rows that it does not show are refused"),
            differs(
                format!(
                    "SELECT check_option FROM information_schema.views WHERE table_schema = {} AND table_name = {}",
                    quoting::literal(name.schema.as_str()),
                    quoting::literal(name.name.as_str())
                ),
                "answers which one instead of NONE",
            ),
        ));
    }
    if old.options.contains_key("check_option") && !new.options.contains_key("check_option") {
        found.push(possible(
            BreakageKind::CheckDropped,
            Subject::Relation(new.id),
            name,
            format!("view {name} lost its CHECK OPTION: rows that the view does not show can be written through it"),
            differs(insert(pair.context.before, old, &[], 1), "is accepted, wherever the row belongs"),
        ));
    }
}

/// A view that reads with its caller's rights from now on: roles that may read the view and not what is beneath.
fn now_as_caller(pair: Pair) -> Vec<Breakage> {
    let (old, new) = (pair.old, pair.new);
    let name = &old.name;
    let reads = |it: &Privilege| matches!(it.privilege.as_str(), "select" | "all");
    let beneath: Vec<&Relation> = new
        .as_view()
        .into_iter()
        .flat_map(|view| &view.uses)
        .filter_map(|(id, _)| pair.context.after.relation(*id).map(|it| &**it))
        .filter(|it| it.is_queryable())
        .collect();
    let may_read =
        |role: &Name, table: &Relation| Held::of_relation(pair.context.after, table).by(role, "select", Extent::Part);
    let mut roles: Vec<&Name> = new.privileges.iter().filter(|it| reads(it)).map(|it| &it.grantee).collect();
    roles.dedup();
    let refused_to = roles.into_iter().filter_map(|role| {
        let table = beneath.iter().find(|table| !may_read(role, table))?;
        let who = if *role == "public" { "PUBLIC".to_owned() } else { role.to_string() };
        let answer = format!("permission denied for {} {}", table.noun(), table.name.name.as_str());
        let witness = match *role == "public" {
            true => differs(select(old, "*"), format!("is refused to roles without a grant of their own: ERROR 42501: {answer}")),
            false => refused(format!("SET ROLE {role}; {}", select(old, "*")), "42501", answer),
        };
        Some(possible(
            BreakageKind::PrivilegeRevoked,
            Subject::Relation(new.id),
            name,
            format!(
                "view {name} reads with its caller's rights from now on (security_invoker): {who} may read the view, and has no SELECT on {}",
                table.name
            ),
            witness,
        ))
    });
    let hidden = protected_beneath(pair.context.after, new).into_iter().next().map(|table| {
        possible(
            BreakageKind::RowSecurityEnabled,
            Subject::Relation(new.id),
            name,
            format!(
                "view {name} reads with its caller's rights from now on (security_invoker): row security of {table} holds for who reads the view"
            ),
            differs(select(old, "*"), "answers only the rows that a policy passes"),
        )
    });
    refused_to.chain(hidden).collect()
}

/// A view in the place of a table that row security protected: who reads it reads as the view's owner.
pub(super) fn took_place(pair: Pair) -> Option<Breakage> {
    let (old, new) = (pair.old, pair.new);
    let passes = match new.kind {
        RelationKind::View(_) => !is_on(new, "security_invoker"),
        RelationKind::MaterializedView(_) => true,
        _ => false,
    };
    if !passes || !old.is_table() || !old.row_security {
        return None;
    }
    let table = protected_beneath(pair.context.after, new).into_iter().next()?;
    let name = &old.name;
    Some(certain(
        BreakageKind::RowSecurityDisabled,
        Subject::Relation(new.id),
        name,
        format!(
            "{name} is now a {} that reads with its owner's rights: row security of {table} does not hold for who reads it",
            new.noun()
        ),
        differs(select(old, "*"), "answers rows that the policies hid from the caller"),
    ))
}

/// A new view or materialized view that shows everybody the rows that row security keeps from them.
pub(super) fn exposed_by(context: &Context, new: &Relation) -> Option<Breakage> {
    let passes = match new.kind {
        RelationKind::View(_) => !is_on(new, "security_invoker"),
        RelationKind::MaterializedView(_) => true,
        _ => false,
    };
    let reads = |privilege: &crate::schema::Privilege| {
        privilege.grantee == "public" && matches!(privilege.privilege.as_str(), "select" | "all")
    };
    if !passes || !new.privileges.iter().any(reads) {
        return None;
    }
    let table = protected_beneath(context.after, new).into_iter().next()?;
    let name = &new.name;
    Some(certain(
        BreakageKind::RowSecurityDisabled,
        Subject::Relation(new.id),
        name,
        format!(
            "{} {name} is for PUBLIC and reads with its owner's rights: it shows everybody the rows of {table} that row security hides",
            new.noun()
        ),
        differs(select(new, "*"), "answers rows that the policies hide"),
    ))
}

/// Off unless it is set; a name without a value is `true`.
fn is_on(view: &Relation, option: &str) -> bool {
    match view.options.get(option) {
        Some(Some(value)) => matches!(value.to_ascii_lowercase().as_str(), "true" | "on" | "yes" | "1"),
        Some(None) => true,
        None => false,
    }
}

/// The tables with row security that a view reads, directly or through views.
fn protected_beneath(schema: &Schema, view: &Relation) -> Vec<String> {
    let mut seen: Vec<RelationId> = Vec::new();
    let mut found = Vec::new();
    let mut open: Vec<RelationId> = view.as_view().into_iter().flat_map(|it| &it.uses).map(|(id, _)| *id).collect();
    while let Some(id) = open.pop() {
        if seen.contains(&id) || seen.len() > DEEPEST_VIEW {
            continue;
        }
        seen.push(id);
        let Some(relation) = schema.relation(id) else { continue };
        if relation.row_security {
            found.push(relation.name.to_string());
        }
        open.extend(relation.as_view().into_iter().flat_map(|it| &it.uses).map(|(id, _)| *id));
    }
    found
}
