//! Indexes that the database does not have, to see whether its planner would use them.
//!
//! They are real indexes of the twin, without entries, as large as they would be. All are invalid, so that no plan uses them, until an
//! EXPLAIN asks for some: see [`Twin::with_indexes`].

use std::path::PathBuf;

use super::build::READS_CATALOGS;
use super::files::{Head, Shape};
use super::locale::refused;
use super::{Twin, TwinError, metapage, restore};
use crate::db::server_message;
use crate::facts::planner::RelationStatistics;
use crate::shadow::Session;

/// An index to try.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialIndex {
    pub schema: String,
    pub table: String,
    /// In the schema of the table; no relation may have it.
    pub name: String,
    /// `CREATE INDEX name ON schema.table …`
    pub create: String,
    /// Pages that it would have; of all partitions together.
    pub blocks: u64,
    /// Entries that it would have.
    pub entries: f64,
    /// Bytes of a key.
    pub key_width: usize,
}

/// A table that holds rows, with its share of the trial index.
struct Leaf {
    schema: String,
    name: String,
    path: PathBuf,
}

impl Twin {
    /// Makes indexes on one table. Returns, for each, the error with which the server refuses it, if it does.
    ///
    /// # Errors
    /// [`TwinError`] if the server is gone or a file cannot be written.
    pub async fn add_indexes(&self, indexes: &[TrialIndex]) -> Result<Vec<Option<String>>, TwinError> {
        let Some(first) = indexes.first() else { return Ok(Vec::new()) };
        // A session that has not seen the table yet: it does not know how long the file was.
        let session = self.connect_to_read().await?;
        let failed = |error: tokio_postgres::Error| refused("the search_path", &error);
        let leaves = leaves(&session, &first.schema, &first.table).await?;
        let data = self.server.data();
        for leaf in &leaves {
            leaf.shape(0).clear(&data)?;
        }
        let mut results = Vec::new();
        // What an index is on is found as the database finds it.
        session.batch_execute("RESET search_path").await.map_err(failed)?;
        for index in indexes {
            let outcome = session.batch_execute(&index.create).await;
            results.push(outcome.err().map(|error| server_message(&error).1));
        }
        session.batch_execute(READS_CATALOGS).await.map_err(failed)?;
        let known = |leaf: &Leaf| self.relations.get(&(leaf.schema.clone(), leaf.name.clone()));
        for leaf in &leaves {
            leaf.shape(known(leaf).map_or(0, |it| it.blocks)).write(&data)?;
        }
        let made = indexes.iter().zip(&results).filter(|(_, error)| error.is_none());
        for (index, _) in made {
            self.size(&session, index).await?;
        }
        restore::sizes(&session, leaves.iter().filter_map(known)).await?;
        // Building an index also counts the rows of the table it is on, though it be partitioned.
        let top = self.relations.get(&(first.schema.clone(), first.table.clone()));
        restore::sizes(&session, top.into_iter()).await?;
        session.close().await;
        Ok(results)
    }

    /// Gives the files of an index, one for each partition, their size, and hides it.
    async fn size(&self, session: &Session, index: &TrialIndex) -> Result<(), TwinError> {
        let failed = |error: tokio_postgres::Error| refused(&index.name, &error);
        let sql = "SELECT n.nspname::text, c.relname::text, t.relname::text, pg_relation_filepath(c.oid)::text, am.amname::text, c.oid
                     FROM pg_partition_tree($1::text::regclass) p
                     JOIN pg_class c ON c.oid = p.relid
                     JOIN pg_namespace n ON n.oid = c.relnamespace
                     JOIN pg_index i ON i.indexrelid = c.oid
                     JOIN pg_class t ON t.oid = i.indrelid
                     JOIN pg_am am ON am.oid = c.relam
                    UNION ALL
                   SELECT n.nspname::text, c.relname::text, t.relname::text, pg_relation_filepath(c.oid)::text, am.amname::text, c.oid
                     FROM pg_class c
                     JOIN pg_namespace n ON n.oid = c.relnamespace
                     JOIN pg_index i ON i.indexrelid = c.oid
                     JOIN pg_class t ON t.oid = i.indrelid
                     JOIN pg_am am ON am.oid = c.relam
                    WHERE c.oid = $1::text::regclass AND NOT c.relispartition AND c.relkind = 'i'";
        let name = restore::qualified(&index.schema, &index.name);
        let rows = session.query(sql, &[&name]).await.map_err(failed)?;
        let mut seen = std::collections::BTreeSet::new();
        let table_rows = |schema: &str, table: &str| {
            self.relations.get(&(schema.to_owned(), table.to_owned())).map_or(0.0, |it| it.rows.max(0.0))
        };
        let all: f64 = {
            let mut tables: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(2))).collect();
            tables.sort();
            tables.dedup();
            // The partitioned table counts its partitions' rows once more.
            let leaves = tables.iter().filter(|it| self.relations.get(it).is_none_or(|it| it.kind != "p"));
            leaves.map(|(schema, table)| table_rows(schema, table)).sum()
        };
        let mut sizes = Vec::new();
        for row in &rows {
            let (schema, name, table): (String, String, String) = (row.get(0), row.get(1), row.get(2));
            let (path, method): (Option<String>, String) = (row.get(3), row.get(4));
            let oid: u32 = row.get(5);
            if !seen.insert(oid) {
                continue;
            }
            let Some(path) = path else { continue };
            let share = if all > 0.0 { table_rows(&schema, &table) / all } else { 1.0 };
            let blocks = ((index.blocks as f64 * share).ceil() as u64).max(1);
            let head = match method.as_str() {
                "btree" => Head::BTree { height: metapage::height(blocks, index.key_width) },
                _ => Head::AsItIs,
            };
            Shape { path: PathBuf::from(path), blocks, head }.write(&self.server.data())?;
            sizes.push(RelationStatistics {
                schema,
                name,
                pages: i64::try_from(blocks).unwrap_or(i64::MAX),
                rows: (index.entries * share).round(),
                ..RelationStatistics::default()
            });
        }
        restore::sizes(session, sizes.iter()).await?;
        let hide = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = ANY ($1)";
        let oids: Vec<u32> = seen.into_iter().collect();
        session.execute(hide, &[&oids]).await.map_err(failed)?;
        Ok(())
    }

    /// Statements that show some trial indexes to the planner, and hide some of the database's own, until the transaction ends.
    pub fn with_indexes(shown: &[(String, String)], hidden: &[(String, String)]) -> String {
        let toggle = |names: &[(String, String)], valid: bool| {
            let mut text = String::new();
            for (schema, name) in names {
                let literal = crate::text::quoting::literal(&restore::qualified(schema, name));
                // pg_partition_tree has no rows for an index that is not of a partitioned table.
                text.push_str(&format!(
                    "UPDATE pg_catalog.pg_index SET indisvalid = {valid} WHERE indexrelid IN (SELECT {literal}::pg_catalog.regclass::pg_catalog.oid \
                     UNION ALL SELECT relid::pg_catalog.oid FROM pg_catalog.pg_partition_tree({literal}::pg_catalog.regclass));\n"
                ));
            }
            text
        };
        toggle(shown, true) + &toggle(hidden, false)
    }
}

impl Leaf {
    fn shape(&self, blocks: u64) -> Shape {
        Shape { path: self.path.clone(), blocks, head: Head::AsItIs }
    }
}

async fn leaves(session: &Session, schema: &str, table: &str) -> Result<Vec<Leaf>, TwinError> {
    let sql = "SELECT n.nspname::text, c.relname::text, pg_relation_filepath(c.oid)::text
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'm')
                  AND (c.oid = $1::text::regclass OR c.oid IN (SELECT relid FROM pg_partition_tree($1::text::regclass)))";
    let name = restore::qualified(schema, table);
    let rows = session.query(sql, &[&name]).await.map_err(|error| refused(&name, &error))?;
    let leaf = |row: &tokio_postgres::Row| {
        Some(Leaf { schema: row.get(0), name: row.get(1), path: PathBuf::from(row.get::<_, Option<String>>(2)?) })
    };
    Ok(rows.iter().filter_map(leaf).collect())
}
