//! What the planner knows of a database, as plain data that a snapshot can carry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything the planner looks at besides the schema. Holds values of columns: it is as private as the rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// `server_version_num`.
    pub version_number: u32,
    /// Bytes of a page.
    pub block_size: u32,
    pub locale: Locale,
    /// Settings of the planner, in the units of pg_settings.
    pub settings: BTreeMap<String, String>,
    /// Tables, materialized views, partitioned tables and indexes.
    pub relations: Vec<RelationStatistics>,
    /// Rows of pg_statistic.
    pub columns: Vec<ColumnStatistics>,
    pub extended: Vec<ExtendedStatistics>,
    /// Names of types that are not built in, by the OID they have in the database.
    pub types: BTreeMap<u32, String>,
    /// Type and label of values of enums, by OID.
    pub enum_labels: BTreeMap<u32, (String, String)>,
    /// What could not be read, in words.
    pub unread: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Locale {
    pub encoding: String,
    pub collate: String,
    pub ctype: String,
    /// `c` libc, `i` ICU, `b` builtin (pg_database.datlocprovider).
    pub provider: String,
    /// Of ICU and the builtin provider.
    pub locale: Option<String>,
}

/// A row of pg_class, and the size of the file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RelationStatistics {
    pub schema: String,
    pub name: String,
    /// pg_class.relkind.
    pub kind: String,
    pub access_method: Option<String>,
    /// relpages.
    pub pages: i64,
    /// reltuples.
    pub rows: f64,
    /// relallvisible.
    pub all_visible_pages: i64,
    /// Pages of the main fork when it was read.
    pub blocks: u64,
    /// Of an index; in the same schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Key columns of an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<KeyColumn>>,
    /// The head of an index's first page, in hexadecimal, where the role could read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metapage: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyColumn {
    /// The table's column; `None` for an expression.
    pub column: Option<String>,
    /// pg_attribute.attlen: negative where the length varies.
    pub length: i16,
}

/// What the planner reads from the first page of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metapage {
    BTree {
        /// Levels above the leaves.
        height: u32,
    },
    Gin {
        pending_pages: u32,
        total_pages: u32,
        entry_pages: u32,
        data_pages: u32,
        entries: i64,
    },
}

/// A row of pg_statistic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnStatistics {
    pub schema: String,
    pub relation: String,
    /// In an index the name may differ after a rename: there the number counts.
    pub column: String,
    pub number: i16,
    pub of_index: bool,
    pub inherited: bool,
    pub null_fraction: f64,
    pub width: i32,
    pub distinct: f64,
    pub slots: Vec<Slot>,
}

/// One of the five slots; in the order they stand, those that are not used included (kind 0).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    pub kind: i16,
    /// As regoperator prints it.
    pub operator: String,
    /// As regcollation prints it.
    pub collation: String,
    pub numbers: Option<String>,
    pub values: Option<String>,
    /// Element type of `values`.
    pub value_type: Option<String>,
}

/// A row of pg_statistic_ext_data. Bytes are in hexadecimal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExtendedStatistics {
    pub schema: String,
    pub name: String,
    pub inherited: bool,
    /// Number and name of the columns.
    pub columns: Vec<(i16, String)>,
    pub n_distinct: Option<String>,
    pub dependencies: Option<String>,
    pub most_common: Option<String>,
    /// Of expressions, in order.
    pub expressions: Option<Vec<ColumnStatistics>>,
}
