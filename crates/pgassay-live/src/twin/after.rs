//! The twin of a database behind statements that have not run there yet.
//!
//! The statements run while the tables are empty; then the statistics are given to what became of their tables, columns and indexes
//! ([`carry`](super::carry)). Whatever the statements do to rows is not done: the tables are taken to hold what they hold now.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::TwinError;
use super::build::Gap;
use super::locale::refused;
use crate::db::planner::CaptureError;
use crate::db::server_message;
use crate::facts::planner::KeyColumn;
use crate::shadow::Session;

/// What there is in a database, by what stays the same when it is renamed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Inventory {
    pub relations: BTreeMap<u32, Item>,
    /// Statistics of several columns, by schema and name.
    pub extended: BTreeSet<(String, String)>,
}

/// A table or an index.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Item {
    pub oid: u32,
    pub schema: String,
    pub name: String,
    /// pg_class.relkind.
    pub kind: String,
    pub access_method: Option<String>,
    /// Of an index.
    pub table: Option<u32>,
    /// Of a partition.
    pub parent: Option<u32>,
    /// Key columns of an index, and its further columns.
    pub keys: Option<Vec<KeyColumn>>,
    pub include: Option<Vec<KeyColumn>>,
    /// What follows the table's name in the text of an index, from USING on.
    #[serde(default)]
    pub definition: Option<String>,
    pub columns: Vec<ItemColumn>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct ItemColumn {
    pub number: i16,
    pub name: String,
    /// As format_type prints it without modifiers, of the base type of a domain.
    pub data_type: String,
    /// pg_type.typlen.
    pub length: i16,
}

impl Inventory {
    pub async fn read(session: &Session) -> Result<Inventory, TwinError> {
        // Definitions are printed with the schemas of all that they name, before and after.
        let path = "SET search_path = pg_catalog";
        session.batch_execute(path).await.map_err(|error| refused("its search_path", &error))?;
        let rows = session.query(INVENTORY, &[]).await.map_err(|error| refused("its relations", &error))?;
        let mut relations = BTreeMap::new();
        for row in &rows {
            let item: Item = serde_json::from_str(row.get(0))
                .map_err(|error| CaptureError::Answer { part: "relations of the twin", message: error.to_string() })?;
            relations.insert(item.oid, item);
        }
        let rows = session.query(EXTENDED, &[]).await.map_err(|error| refused("its extended statistics", &error))?;
        let extended = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        Ok(Inventory { relations, extended })
    }

    pub fn named(&self, schema: &str, name: &str) -> Option<&Item> {
        self.relations.values().find(|item| item.schema == schema && item.name == name)
    }

    /// Partitions that hold rows, of a partitioned table; the relation itself otherwise.
    pub fn leaves<'i>(&'i self, item: &'i Item) -> Vec<&'i Item> {
        let children = self.relations.values().filter(|child| child.parent == Some(item.oid));
        match item.kind.as_str() {
            "p" | "I" => children.flat_map(|child| self.leaves(child)).collect(),
            _ => vec![item],
        }
    }
}

/// Runs statements one after the other, as in a new session of the database; those that are refused are gaps.
pub(super) async fn run(session: &Session, search_path: &str, statements: &[String]) -> Result<Vec<Gap>, TwinError> {
    let start = format!("RESET ALL; SET search_path = {search_path}");
    session.batch_execute(&start).await.map_err(|error| refused("its search_path", &error))?;
    let mut gaps = Vec::new();
    for statement in statements {
        if let Err(error) = session.batch_execute(statement).await {
            let (code, reason) = server_message(&error);
            if code.is_none() {
                return Err(refused("the migration", &error));
            }
            let what = statement.lines().next().unwrap_or_default().chars().take(80).collect();
            gaps.push(Gap { what, reason });
        }
    }
    // Whatever they have left open, or set.
    let end = "ROLLBACK; RESET ALL; RESET ROLE";
    session.batch_execute(end).await.map_err(|error| refused("the end of the migration", &error))?;
    Ok(gaps)
}

const EXTENDED: &str = "SELECT n.nspname::text, e.stxname::text FROM pg_catalog.pg_statistic_ext e
                          JOIN pg_catalog.pg_namespace n ON n.oid = e.stxnamespace";

const INVENTORY: &str = "
WITH RECURSIVE base(oid, base) AS (
    SELECT oid, oid FROM pg_catalog.pg_type WHERE typtype <> 'd'
    UNION ALL
    SELECT d.oid, b.base FROM pg_catalog.pg_type d JOIN base b ON b.oid = d.typbasetype WHERE d.typtype = 'd')
SELECT row_to_json(q)::text FROM (
    SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind, am.amname AS access_method,
           i.indrelid::int8 AS table,
           (SELECT h.inhparent::int8 FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid AND c.relispartition) AS parent,
           (SELECT json_agg(json_build_object('column', t.attname, 'length', k.attlen) ORDER BY k.attnum)
              FROM pg_catalog.pg_attribute k
              LEFT JOIN pg_catalog.pg_attribute t
                ON t.attrelid = i.indrelid AND t.attnum = i.indkey[k.attnum - 1] AND t.attnum > 0
             WHERE k.attrelid = i.indexrelid AND k.attnum <= i.indnkeyatts) AS keys,
           (SELECT json_agg(json_build_object('column', t.attname, 'length', k.attlen) ORDER BY k.attnum)
              FROM pg_catalog.pg_attribute k
              LEFT JOIN pg_catalog.pg_attribute t
                ON t.attrelid = i.indrelid AND t.attnum = i.indkey[k.attnum - 1] AND t.attnum > 0
             WHERE k.attrelid = i.indexrelid AND k.attnum > i.indnkeyatts) AS include,
           substring(pg_catalog.pg_get_indexdef(i.indexrelid) FROM ' USING .*') AS definition,
           (SELECT coalesce(json_agg(json_build_object('number', a.attnum, 'name', a.attname,
                       'data_type', pg_catalog.format_type(b.base, NULL), 'length', y.typlen) ORDER BY a.attnum), '[]')
              FROM pg_catalog.pg_attribute a
              JOIN base b ON b.oid = a.atttypid
              JOIN pg_catalog.pg_type y ON y.oid = b.base
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
      LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
     WHERE c.relkind IN ('r', 'm', 'p', 'i', 'I') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
       AND n.nspname <> 'information_schema') q";
