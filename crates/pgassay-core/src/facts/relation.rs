//! Tables and sequences.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ColumnFacts, Timestamp};
use crate::change::{Name, QualifiedName};

/// What is measured of a table, a materialized view or a view. The definition is in the schema, not here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RelationFacts {
    /// Live rows as ANALYZE, VACUUM or CREATE INDEX last estimated them (`reltuples`); `None` before the first time. Of a partitioned
    /// table those of all its partitions, if each has been analysed.
    pub rows: Option<f64>,
    /// Pages at that time.
    pub pages: u64,
    pub all_visible_pages: u64,
    /// Bytes of the main fork now; where the table was locked, `pages` times the page size.
    pub heap_bytes: Option<u64>,
    /// Bytes of the TOAST table, without its index.
    pub toast_bytes: Option<u64>,
    /// Bytes of all indexes.
    pub index_bytes: Option<u64>,
    /// The sizes are those of `pages`, because the table was locked.
    pub bytes_estimated: bool,
    /// `None` for views, and where the counters cannot be read.
    pub activity: Option<Use>,
    /// Transactions since relfrozenxid (or that of the TOAST table, if older).
    pub transaction_id_age: Option<u64>,
    /// Statistics of columns, of this relation's own rows.
    pub columns: BTreeMap<Name, ColumnFacts>,
    /// Statistics of columns over this relation and all its children.
    pub inherited_columns: BTreeMap<Name, ColumnFacts>,
    /// The role may not read column statistics of this table.
    pub columns_hidden: bool,
    /// Another session held or waited for ACCESS EXCLUSIVE while the facts were read.
    pub locked: bool,
}

/// Counters since the last reset of statistics.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Use {
    pub live_rows: u64,
    pub dead_rows: u64,
    pub modified_since_analyze: u64,
    pub inserted_since_vacuum: u64,
    pub sequential_scans: u64,
    /// Rows read by sequential scans.
    pub sequential_rows: u64,
    pub index_scans: u64,
    pub index_rows: u64,
    pub inserts: u64,
    pub updates: u64,
    pub hot_updates: u64,
    pub deletes: u64,
    pub last_vacuum: Option<Timestamp>,
    pub last_autovacuum: Option<Timestamp>,
    pub last_analyze: Option<Timestamp>,
    pub last_autoanalyze: Option<Timestamp>,
    pub vacuums: u64,
    pub analyzes: u64,
    /// 16 and later.
    pub last_scan: Option<Timestamp>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SequenceFacts {
    /// `None`: never called, or not readable.
    pub last_value: Option<i64>,
    pub data_type: String,
    pub start: i64,
    pub min_value: i64,
    pub max_value: i64,
    pub increment: i64,
    pub cycle: bool,
    /// The column that owns it: serial or identity.
    pub owner: Option<(QualifiedName, Name)>,
}

impl RelationFacts {
    /// Heap, TOAST and indexes.
    pub fn total_bytes(&self) -> Option<u64> {
        Some(self.heap_bytes? + self.toast_bytes.unwrap_or(0) + self.index_bytes.unwrap_or(0))
    }

    /// Heap and TOAST.
    pub fn table_bytes(&self) -> Option<u64> {
        Some(self.heap_bytes? + self.toast_bytes.unwrap_or(0))
    }

    /// The best known number of live rows: the last estimate, unless the table has grown to more than twice as many since.
    pub fn row_estimate(&self) -> Option<f64> {
        let counted = self.activity.as_ref().map(|activity| activity.live_rows as f64).filter(|rows| *rows > 0.0);
        match (self.rows, counted) {
            (Some(rows), Some(counted)) => Some(if counted > rows * 2.0 { counted } else { rows }),
            (rows, counted) => rows.or(counted),
        }
    }

    /// Rows inserted, changed or deleted since ANALYZE. The server counts what a session did when that session says so, which may be
    /// after its own ANALYZE (pgstat_report_analyze): where nothing was ever changed or deleted, and ANALYZE saw every row that was
    /// inserted, the counter is wrong, and nothing has changed.
    pub fn modified_since_analyze(&self) -> u64 {
        let Some(activity) = &self.activity else { return 0 };
        let seen = self.rows.unwrap_or(0.0);
        let only_inserted = activity.updates == 0 && activity.deletes == 0 && activity.inserts > 0;
        if only_inserted && self.analyzed_at().is_some() && seen >= activity.inserts as f64 * 0.99 {
            return 0;
        }
        activity.modified_since_analyze
    }

    /// When ANALYZE last ran, by hand or by itself.
    pub fn analyzed_at(&self) -> Option<Timestamp> {
        let activity = self.activity.as_ref()?;
        match (activity.last_analyze, activity.last_autoanalyze) {
            (Some(one), Some(other)) => Some(if one > other { one } else { other }),
            (one, other) => one.or(other),
        }
    }
}

impl Use {
    pub fn writes(&self) -> u64 {
        self.inserts + self.updates + self.deletes
    }

    pub fn scans(&self) -> u64 {
        self.sequential_scans + self.index_scans
    }
}
