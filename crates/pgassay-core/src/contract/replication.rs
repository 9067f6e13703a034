//! Logical replication: UPDATE and DELETE on a published table need a way to say which row they mean.

use imbl::ordmap::DiffItem;

use super::witness::{differs, quoted, refused};
use super::{Breakage, BreakageKind, Context, Subject, certain};
use crate::change::ReplicaIdentity;
use crate::schema::{Relation, Schema};
use crate::text::quoting;

/// Tables that are published and have no replica identity, while before one or the other was not so
/// (CheckCmdReplicaIdentity, executor/execReplication.c).
pub(super) fn diff(context: &Context, found: &mut Vec<Breakage>) {
    let Context { before, after, .. } = *context;
    if before.publications.is_empty() && after.publications.is_empty() {
        return;
    }
    if before.publications != after.publications {
        found.extend(after.relations.values().filter_map(|table| refuses_updates(context, table)));
        found.extend(after.relations.values().filter_map(|table| leaves_publication(context, table)));
        return;
    }
    for item in before.relations.diff(&after.relations) {
        if let DiffItem::Update { new: (_, table), .. } = item {
            let indexed = table.as_index().and_then(|index| after.relation(index.table)).unwrap_or(table);
            found.extend(refuses_updates(context, indexed));
        }
        if let DiffItem::Remove(_, gone) = item
            && let Some(table) = gone.as_index().and_then(|index| after.relation(index.table))
        {
            found.extend(refuses_updates(context, table));
        }
    }
    found.dedup();
}

/// A row filter or column list that does not go with the replica identity (CheckCmdReplicaIdentity).
fn part_refuses_updates(context: &Context, old: &Relation, new: &Relation) -> Option<Breakage> {
    let misfit = |schema: &Schema, table: &Relation| {
        let parts = schema.publications.values().filter(|it| it.updates.any()).flat_map(|it| &it.parts);
        let mut of_table = parts.filter(|part| part.table == table.id);
        let full = table.replica_identity == ReplicaIdentity::Full;
        let identity = schema.replica_columns(table).unwrap_or_default();
        of_table.find_map(|part| {
            let filter = !full && part.filter.iter().any(|column| !identity.contains(column));
            let list =
                !part.columns.is_empty() && (full || identity.iter().any(|column| !part.columns.contains(column)));
            match (filter, list) {
                (true, _) => Some("its row filter names a column outside of the replica identity"),
                (_, true) => Some("its column list leaves columns of the replica identity out"),
                (false, false) => None,
            }
        })
    };
    let why = misfit(context.after, new).filter(|_| misfit(context.before, old).is_none())?;
    lost(old, new, &format!(", and {why}"), "42P10", "")
}

/// Every UPDATE of a published table fails: why, and what the server's error has beside its first words.
fn lost(old: &Relation, new: &Relation, why: &str, code: &str, rest: &str) -> Option<Breakage> {
    let column = old.columns.iter().find(|column| column.generated.is_none() && column.identity.is_none())?;
    let name = &old.name;
    let answer = format!("cannot update table {}{rest}", quoted(&new.name.name));
    Some(certain(
        BreakageKind::ReplicaIdentityLost,
        Subject::Relation(new.id),
        name,
        format!("{name} is published{why}: every UPDATE and DELETE on it fails"),
        refused(format!("UPDATE {name} SET {0} = {0}", column.name), code, answer),
    ))
}

/// A table that a publication has no more: subscribers keep what they have, and get no changes of it.
fn leaves_publication(context: &Context, table: &Relation) -> Option<Breakage> {
    let Context { before, after, .. } = *context;
    let old = before.relation(table.id).filter(|old| old.is_table())?;
    let left = before.publications.iter().find(|(name, publication)| {
        let now = after.publications.get(*name);
        before.publishes(publication, old) && now.is_some_and(|now| !after.publishes(now, table))
    });
    let (publication, _) = left?;
    let name = &old.name;
    Some(certain(
        BreakageKind::Unpublished,
        Subject::Relation(table.id),
        name,
        format!(
            "{name} is not in publication {publication} any more: its subscribers get no changes of it, and no error"
        ),
        differs(
            format!(
                "SELECT count(*) FROM pg_publication_tables WHERE pubname = {} AND schemaname = {} AND tablename = {}",
                quoting::literal(publication.as_str()),
                quoting::literal(name.schema.as_str()),
                quoting::literal(name.name.as_str())
            ),
            "answers 0 instead of 1",
        ),
    ))
}

fn refuses_updates(context: &Context, new: &Relation) -> Option<Breakage> {
    let Context { before, after, .. } = *context;
    let old = before.relation(new.id)?;
    let fails = |schema: &Schema, table: &Relation| {
        schema.publications.values().any(|it| it.updates.any() && schema.publishes(it, table))
            && !schema.has_replica_identity(table)
    };
    // A partitioned table stores nothing: its partitions are asked.
    if !new.is_table() || new.is_partitioned() || !new.known || fails(before, old) {
        return None;
    }
    if !fails(after, new) {
        return part_refuses_updates(context, old, new);
    }
    let rest = " because it does not have a replica identity and publishes updates";
    lost(old, new, " and has no replica identity", "55000", rest)
}
