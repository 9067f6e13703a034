//! What is measured of tables, as far as the advisor needs it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::change::QualifiedName;

/// Tables of a database by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tables {
    pub tables: BTreeMap<QualifiedName, TableInfo>,
    /// pg_trgm is installed, in this schema.
    pub trigrams: Option<String>,
    /// Major version of the server.
    #[serde(default)]
    pub major: u16,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TableInfo {
    pub rows: f64,
    pub pages: u64,
    pub partitioned: bool,
    /// `RANGE (at)`, of a partitioned table.
    #[serde(default)]
    pub partition_key: Option<String>,
    /// The table that it is a partition of, at the top of the tree.
    pub root: Option<QualifiedName>,
    /// Partitions that hold rows.
    pub partitions: Vec<QualifiedName>,
    pub columns: BTreeMap<String, ColumnInfo>,
    pub indexes: Vec<IndexInfo>,
    /// Writes a day; `None` where not counted.
    pub inserts: Option<f64>,
    pub updates: Option<f64>,
    pub hot_updates: Option<f64>,
    /// The table was filled while writes were counted, so that `inserts` are no rate.
    #[serde(default)]
    pub loaded: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnInfo {
    /// As format_type prints it, of the base type of a domain.
    pub data_type: String,
    /// Bytes on average.
    pub width: f64,
    /// As pg_stats has it; 0 is unknown.
    pub n_distinct: f64,
    pub correlation: f64,
    pub null_fraction: f64,
    /// The share of the most common value.
    pub most_common: f64,
    /// Elements of an array, words of a document, on average; `None` where statistics do not tell.
    #[serde(default)]
    pub elements: Option<f64>,
    /// The most common value as text, where statistics have it. It is as private as the rows.
    #[serde(default, skip_serializing)]
    pub most_common_value: Option<String>,
    /// A value as common as those are that are in no list of the most common ones, or the last of the list. As private.
    #[serde(default, skip_serializing)]
    pub rare_value: Option<String>,
    /// Values above 5, 50 and 95 % of those in the histogram. As private.
    #[serde(default, skip_serializing)]
    pub quantiles: Option<[String; 3]>,
    /// Texts of this column are compared as bytes, so that a plain index serves LIKE 'abc%'.
    pub c_collation: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IndexInfo {
    pub name: String,
    /// As pg_get_indexdef writes it.
    pub definition: String,
    pub unique: bool,
    /// Of a primary key, unique or exclusion constraint, or the replica identity.
    pub needed: bool,
    pub valid: bool,
    pub bytes: u64,
}

impl TableInfo {
    /// Distinct values of a column; a tenth of the rows where unknown, as the planner assumes at most 200.
    pub fn distinct(&self, column: &str) -> f64 {
        let rows = self.rows.max(1.0);
        match self.columns.get(column).map(|it| it.n_distinct) {
            Some(n) if n > 0.0 => n.min(rows),
            Some(n) if n < 0.0 => (-n * rows).max(1.0),
            _ => rows.min(200.0),
        }
    }
}
