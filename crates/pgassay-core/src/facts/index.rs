//! Indexes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ColumnFacts, Timestamp};
use crate::change::{Name, QualifiedName};

/// What is measured of an index. Its elements, predicate and options are in the schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IndexFacts {
    pub table: QualifiedName,
    /// Entries as VACUUM last estimated them; `None` before.
    pub rows: Option<f64>,
    pub pages: u64,
    pub bytes: Option<u64>,
    pub bytes_estimated: bool,
    pub unique: bool,
    pub primary: bool,
    /// Of a primary key, unique or exclusion constraint.
    pub constraint: bool,
    pub replica_identity: bool,
    pub valid: bool,
    /// Takes new entries.
    pub ready: bool,
    /// False while DROP INDEX CONCURRENTLY takes it away.
    pub live: bool,
    /// A CREATE INDEX or REINDEX works on it at this moment, so that it may be invalid rightly.
    pub being_built: bool,
    /// The index of a partitioned table that this one is attached to.
    pub parent: Option<QualifiedName>,
    /// `CREATE INDEX …` as pg_get_indexdef writes it.
    pub definition: String,
    /// Key columns (not INCLUDE columns).
    pub key_columns: u16,
    /// Counters; `None` where they cannot be read, and for indexes of partitioned tables.
    pub scans: Option<u64>,
    pub entries_read: Option<u64>,
    pub rows_fetched: Option<u64>,
    /// 16 and later.
    pub last_scan: Option<Timestamp>,
    pub blocks_hit: Option<u64>,
    pub blocks_read: Option<u64>,
    /// Statistics of expressions, by the name of the index's column.
    pub columns: BTreeMap<Name, ColumnFacts>,
}

impl IndexFacts {
    /// A valid index of which nothing is measured yet.
    pub fn new(table: QualifiedName) -> IndexFacts {
        IndexFacts {
            table,
            rows: None,
            pages: 0,
            bytes: None,
            bytes_estimated: false,
            unique: false,
            primary: false,
            constraint: false,
            replica_identity: false,
            valid: true,
            ready: true,
            live: true,
            being_built: false,
            parent: None,
            definition: String::new(),
            key_columns: 0,
            scans: None,
            entries_read: None,
            rows_fetched: None,
            last_scan: None,
            blocks_hit: None,
            blocks_read: None,
            columns: BTreeMap::new(),
        }
    }
}
