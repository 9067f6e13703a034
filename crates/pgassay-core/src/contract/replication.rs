//! Logical replication: UPDATE and DELETE on a published table need a way to say which row they mean.

use imbl::ordmap::DiffItem;

use super::witness::{quoted, refused};
use super::{Breakage, BreakageKind, Context, Subject, certain};
use crate::schema::{Relation, Schema};

/// Tables that are published and have no replica identity, while before one or the other was not so
/// (CheckCmdReplicaIdentity, executor/execReplication.c).
pub(super) fn diff(context: &Context, found: &mut Vec<Breakage>) {
    let Context { before, after, .. } = *context;
    if !after.publications.values().any(|it| it.updates.any()) {
        return;
    }
    if before.publications != after.publications {
        found.extend(after.relations.values().filter_map(|table| refuses_updates(context, table)));
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

fn refuses_updates(context: &Context, new: &Relation) -> Option<Breakage> {
    let Context { before, after, .. } = *context;
    let old = before.relation(new.id)?;
    let fails = |schema: &Schema, table: &Relation| {
        schema.publications.values().any(|it| it.updates.any() && schema.publishes(it, table))
            && !schema.has_replica_identity(table)
    };
    // A partitioned table stores nothing: its partitions are asked.
    if !new.is_table() || new.is_partitioned() || !new.known || fails(before, old) || !fails(after, new) {
        return None;
    }
    let column = old.columns.iter().find(|column| column.generated.is_none() && column.identity.is_none())?;
    let name = &old.name;
    Some(certain(
        BreakageKind::ReplicaIdentityLost,
        Subject::Relation(new.id),
        name,
        format!("{name} is published and has no replica identity: every UPDATE and DELETE on it fails"),
        refused(
            format!("UPDATE {name} SET {0} = {0}", column.name),
            "55000",
            format!(
                "cannot update table {} because it does not have a replica identity and publishes updates",
                quoted(&new.name.name)
            ),
        ),
    ))
}
