//! What could not be read, and what that leaves unchecked.

use serde::{Deserialize, Serialize};

/// Something that could not be read of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    pub topic: Topic,
    /// What: "column statistics of 12 tables".
    pub fact: String,
    /// Why, and how to let pgassay read it: "the role app may not SELECT from them; GRANT pg_read_all_data would let it".
    pub reason: String,
    /// What is not checked because of it.
    pub unchecked: String,
    /// Printed names of the objects concerned, where it is about some only; the first hundred.
    pub objects: Vec<String>,
}

/// What an unread fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// A part of the schema is not in the model: an object that our DDL or its reader cannot express.
    Definitions,
    /// Sizes in bytes.
    Sizes,
    /// null_frac, n_distinct, most common values …
    ColumnStatistics,
    ExtendedStatistics,
    /// Scans, tuples inserted, vacuum times …
    Counters,
    Sequences,
    /// pg_stat_statements.
    Workload,
    /// Sessions, transactions and locks at the moment.
    Activity,
    Settings,
    /// Which migrations the framework's table says were applied.
    AppliedMigrations,
}
