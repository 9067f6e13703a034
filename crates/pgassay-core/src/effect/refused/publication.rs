//! Published tables: rows that cannot be told apart, and columns that a publication names.

use super::super::predictor::Predictor;
use crate::change::{Ident, ObjectName, ReplicaIdentity};
use crate::schema::{Publication, Relation};
use crate::source::Span;

/// What is done to rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    Update,
    Delete,
}

impl Predictor<'_> {
    /// UPDATE and DELETE of a published table, whether they meet a row or not (CheckCmdReplicaIdentity, execReplication.c).
    pub(super) fn refuse_unidentified(&mut self, name: &ObjectName, write: Write) {
        let Some(found) = self.find(name) else { return };
        let Some(table) = self.relation(found.id).filter(|it| it.known && it.is_table()).cloned() else { return };
        let redirected = !table.rules.is_empty() || !table.children.is_empty();
        if table.is_partitioned() || redirected || table.replica_identity == ReplicaIdentity::Full {
            return;
        }
        let schema = self.schema();
        let concerns = |it: &&Publication| match write {
            Write::Update => it.updates.update,
            Write::Delete => it.updates.delete,
        };
        let publishing: Vec<&Publication> =
            schema.publications.values().filter(concerns).filter(|it| schema.publishes(it, &table)).collect();
        if publishing.is_empty() {
            return;
        }
        let (verb, kind) = match write {
            Write::Update => ("update", "updates"),
            Write::Delete => ("delete from", "deletes"),
        };
        let relation = table.name.name.as_str();
        let Some(identity) = schema.replica_columns(&table) else {
            let message = format!(
                "cannot {verb} table \"{relation}\" because it does not have a replica identity and publishes {kind}"
            );
            return self.refused(name.span, &table.name, message);
        };
        let parts = publishing.iter().flat_map(|it| &it.parts).filter(|part| part.table == table.id);
        let reason = parts.into_iter().find_map(|part| {
            if part.filter.iter().any(|column| !identity.contains(column)) {
                return Some("a column in the publication's WHERE is not part of the replica identity");
            }
            let covered = part.columns.is_empty() || identity.iter().all(|column| part.columns.contains(column));
            (!covered).then_some("the publication's column list does not cover the replica identity")
        });
        if let Some(reason) = reason {
            self.refused(name.span, &table.name, format!("cannot {verb} table \"{relation}\": {reason}"));
        }
    }

    /// DROP COLUMN, or ALTER TYPE, of a column that a column list or a row filter names.
    pub(super) fn refuse_published_column(&mut self, table: &Relation, column: &Ident, drops: bool, span: Span) {
        let Some(found) = table.column(&column.name) else { return };
        let names = |it: &Publication| {
            it.parts.iter().any(|part| {
                part.table == table.id && (part.columns.contains(&found.id) || part.filter.contains(&found.id))
            })
        };
        let publication = self.schema().publications.iter().find(|(_, it)| names(it)).map(|(name, _)| name.clone());
        let Some(publication) = publication else { return };
        let (name, relation) = (column.name.as_str(), table.name.name.as_str());
        let message = match drops {
            true => format!(
                "cannot drop column {name} of table {relation} because other objects depend on it: publication of table {relation} in \
                 publication {} depends on column {name} of table {relation}",
                publication.as_str()
            ),
            false => "cannot alter type of a column used by a publication WHERE clause".to_owned(),
        };
        self.refused(span, name, message);
    }
}
