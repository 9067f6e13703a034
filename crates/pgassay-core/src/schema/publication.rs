//! Which publications have a table, and how its rows are told apart on the other side.

use super::{ColumnId, ConstraintKind, Publication, Relation, Schema};
use crate::change::{Persistence, ReplicaIdentity};

impl Schema {
    /// Whether a publication has the table, itself or through a table that it is a partition of (GetRelationPublications,
    /// pg_publication.c).
    pub fn publishes(&self, publication: &Publication, table: &Relation) -> bool {
        let listed = |table: &Relation| {
            publication.tables.contains(&table.id) || publication.schemas.contains(&table.name.schema)
        };
        // Rows of partitions are their parents'; the children of a table are members by themselves.
        let above = if table.is_partition() { self.parents_closure(table.id) } else { Vec::new() };
        let mut above = above.into_iter().filter_map(|id| self.relation(id));
        table.persistence == Persistence::Permanent
            && (publication.all_tables || listed(table) || above.any(|parent| listed(parent)))
    }

    /// Whether UPDATE and DELETE can say which row they mean (RelationGetReplicaIndex, and relreplident = 'f').
    pub fn has_replica_identity(&self, table: &Relation) -> bool {
        table.replica_identity == ReplicaIdentity::Full || self.replica_columns(table).is_some()
    }

    /// The columns of the index that identifies rows; `None` without one.
    pub fn replica_columns(&self, table: &Relation) -> Option<Vec<ColumnId>> {
        match &table.replica_identity {
            ReplicaIdentity::Full | ReplicaIdentity::Nothing => None,
            ReplicaIdentity::Default => match table.primary_key().filter(|key| !key.deferrable).map(|it| &it.kind) {
                Some(ConstraintKind::PrimaryKey { columns, .. }) => Some(columns.clone()),
                _ => None,
            },
            ReplicaIdentity::UsingIndex(name) => {
                let index = self.indexes_of(table.id).find(|index| index.name.name == name.name);
                let of_index =
                    index.and_then(|it| it.as_index()).map(|it| it.columns.iter().flatten().copied().collect());
                of_index.or_else(|| match table.constraint(&name.name).map(|it| &it.kind) {
                    Some(ConstraintKind::Unique { columns, .. } | ConstraintKind::PrimaryKey { columns, .. }) => {
                        Some(columns.clone())
                    }
                    _ => None,
                })
            }
        }
    }
}
