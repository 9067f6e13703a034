//! What other sessions do at the moment of reading.

use serde::{Deserialize, Serialize};

use crate::change::QualifiedName;

/// Sessions of this database while the facts were read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Open transactions of a second or longer, the oldest first. Their queries are not kept.
    pub transactions: Vec<Transaction>,
    pub lock_waits: Vec<LockWait>,
    /// Client sessions of the server, and those that run a statement.
    pub sessions: Option<u32>,
    pub active_sessions: Option<u32>,
    /// Transactions of this database that are prepared and not finished, the oldest first.
    #[serde(default)]
    pub prepared: Vec<Prepared>,
    #[serde(default)]
    pub slots: Vec<Slot>,
    /// Replicas that stream from this server.
    pub replicas: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    pub process_id: i32,
    pub user: String,
    pub application: String,
    /// `active`, `idle in transaction` … empty where it cannot be read.
    pub state: String,
    /// Seconds since it began.
    pub seconds: f64,
    /// Tables of this database that it holds a lock on, with the mode as pg_locks spells it; indexes and catalogs are left out.
    pub locks: Vec<(QualifiedName, String)>,
}

/// A transaction after PREPARE TRANSACTION.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// The identifier that COMMIT PREPARED takes.
    pub identifier: String,
    pub owner: String,
    /// Seconds since it was prepared.
    pub seconds: f64,
}

/// A replication slot of the server. It keeps the WAL that its reader has not confirmed, and rows that died since.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    pub name: String,
    /// Somebody reads it now.
    pub active: bool,
    /// `wal_status` of pg_replication_slots: `reserved`, `extended`, `unreserved` or `lost`; empty where the slot keeps no WAL.
    pub wal_status: String,
    /// Bytes of WAL that only this slot may still need.
    pub retained_bytes: Option<u64>,
    /// Seconds since its reader went; servers before 17 do not keep it.
    pub inactive_seconds: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LockWait {
    pub process_id: i32,
    pub blocked_by: Vec<i32>,
    pub relation: Option<QualifiedName>,
    /// The mode it waits for, as pg_locks spells it.
    pub mode: String,
    /// Seconds so far, since the statement began where the server does not say.
    pub seconds: f64,
}
