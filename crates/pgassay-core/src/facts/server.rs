//! The server, the database, its settings and roles.

use serde::{Deserialize, Serialize};

use super::Timestamp;
use crate::change::Name;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerFacts {
    /// `server_version_num`, such as 150010.
    pub version_number: u32,
    /// `server_version`, such as `15.10 (Debian 15.10-0+deb12u1)`.
    pub version: String,
    /// A replica: its counters of scans are its own, those of writes and vacuum are the primary's or zero.
    pub in_recovery: bool,
    pub started_at: Option<Timestamp>,
    /// When the facts were read.
    pub read_at: Timestamp,
    /// Bytes of a page.
    pub block_size: u32,
    /// The role that read the facts.
    pub current_user: String,
    /// That role is a superuser, or a member of pg_monitor, pg_read_all_stats, pg_read_all_data.
    pub superuser: bool,
    pub monitor: bool,
    pub reads_all_stats: bool,
    pub reads_all_data: bool,
    /// What that role has that a look does not need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rights: Vec<String>,
    /// Something between us and the server hands out server connections by transaction.
    pub pooled: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DatabaseFacts {
    pub name: String,
    pub owner: String,
    pub encoding: String,
    pub collation: String,
    /// Bytes; `None` without CONNECT on it or pg_read_all_stats.
    pub bytes: Option<u64>,
    /// Transactions since datfrozenxid; at 2^31 the server stops.
    pub transaction_id_age: Option<u64>,
    /// The same of multixact ids.
    pub multixact_id_age: Option<u64>,
    /// When the counters of this database were last set to zero; `None` if never.
    pub stats_reset: Option<Timestamp>,
    pub commits: Option<u64>,
    pub rollbacks: Option<u64>,
    pub deadlocks: Option<u64>,
    pub temp_files: Option<u64>,
    pub temp_bytes: Option<u64>,
    pub blocks_hit: Option<u64>,
    pub blocks_read: Option<u64>,
    /// Milliseconds; zero unless track_io_timing is on.
    pub block_read_milliseconds: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    pub value: String,
    /// The unit of `value`: `8kB`, `ms`, `s` …
    pub unit: Option<String>,
    /// As pg_settings says: `default`, `configuration file`, `database`, `user` …; `reset` for what sessions of this role start with,
    /// where our own session had set something else.
    pub source: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Role {
    pub superuser: bool,
    pub login: bool,
    pub bypasses_row_security: bool,
    pub inherits: bool,
    /// Roles that were granted to it.
    #[serde(default)]
    pub member_of: Vec<Name>,
    /// `name=value` of ALTER ROLE … SET, for this database or all; other roles' too.
    pub settings: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExtensionFacts {
    /// `None`: available, not installed.
    pub installed_version: Option<String>,
    /// The schema it is installed in.
    pub schema: Option<String>,
    /// What CREATE EXTENSION would install now.
    pub default_version: Option<String>,
}

impl ServerFacts {
    /// The major version: 15.
    pub fn major(&self) -> u16 {
        u16::try_from(self.version_number / 10_000).unwrap_or(u16::MAX)
    }
}

impl Setting {
    /// The value as a number in its unit.
    pub fn number(&self) -> Option<f64> {
        self.value.parse().ok()
    }

    pub fn is_on(&self) -> bool {
        self.value == "on"
    }
}
