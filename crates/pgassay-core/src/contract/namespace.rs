//! Schemas that are dropped or renamed: told once, not for every object in them.

use super::{Breakage, BreakageKind, Context, Subject, certain, witness};
use crate::change::Name;
use crate::schema::Relation;

pub(super) fn diff(context: &Context, found: &mut Vec<Breakage>) {
    for name in context.before.namespaces.keys() {
        if *name != "pg_temp" && context.namespace_is_gone(name) {
            found.extend(gone(context, name));
        }
    }
}

/// `None` for a schema that held nothing a client could name.
fn gone(context: &Context, name: &Name) -> Option<Breakage> {
    let inside: Vec<&Relation> =
        context.before.relations.values().map(|relation| &**relation).filter(|it| it.name.schema == *name).collect();
    let sql = sample(context, name, &inside)?;
    let is_call = sql.contains('(') || !sql.starts_with("SELECT * FROM");
    let (code, answer) = if is_call {
        ("3F000", format!("schema {} does not exist", witness::quoted(name)))
    } else {
        let table = inside.iter().find(|it| it.is_queryable())?;
        ("42P01", format!("relation \"{}.{}\" does not exist", name.as_str(), table.name.name.as_str()))
    };
    let witness = witness::refused(sql, code, answer);
    let subject = Subject::Schema(name.clone());
    Some(match new_name(context, name, &inside) {
        Some(new) => certain(
            BreakageKind::SchemaRenamed,
            subject,
            name,
            format!(
                "schema {name} is now called {new}: statements that name {name}.… fail, and so does a search_path that lists it"
            ),
            witness,
        ),
        None => {
            let names: Vec<String> =
                inside.iter().filter(|it| it.is_queryable()).take(5).map(|it| it.name.name.to_string()).collect();
            let more = inside.iter().filter(|it| it.is_queryable()).count().saturating_sub(names.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let list = if names.is_empty() { String::new() } else { format!(" ({}{more})", names.join(", ")) };
            certain(
                BreakageKind::SchemaDropped,
                subject,
                name,
                format!("schema {name} is gone with everything in it{list}"),
                witness,
            )
        }
    })
}

/// The one schema, unknown before, that everything of the old one is in now.
fn new_name(context: &Context, old: &Name, inside: &[&Relation]) -> Option<Name> {
    let mut new = inside.iter().map(|relation| context.after.relation(relation.id).map(|it| &it.name.schema));
    let mut routines = context
        .before
        .routines
        .values()
        .filter(|routine| routine.name.schema == *old)
        .map(|routine| context.after.routines.get(&routine.id).map(|it| &it.name.schema));
    let first = new.next().or_else(|| routines.next())??;
    let all_there = new.chain(routines).all(|schema| schema == Some(first));
    (all_there && !context.before.namespaces.contains_key(first)).then(|| first.clone())
}

/// A statement that names something in the schema.
fn sample(context: &Context, name: &Name, inside: &[&Relation]) -> Option<String> {
    if let Some(relation) = inside.iter().find(|relation| relation.is_queryable()) {
        return Some(format!("SELECT * FROM {} LIMIT 1", relation.name));
    }
    if let Some(routine) = context.before.routines.values().find(|routine| routine.name.schema == *name) {
        return Some(super::routine::call(context.before, routine));
    }
    let named = context.before.types.values().find(|it| it.name.schema == *name)?;
    Some(format!("SELECT NULL::{}", named.name))
}
