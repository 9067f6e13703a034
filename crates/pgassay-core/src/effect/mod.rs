//! What PostgreSQL does when a change runs: the locks it takes on every relation, what it rewrites, scans and builds,
//! and whether it may run in a transaction block.
//!
//! In: a `Change`, the `Schema` before it, the server's major version. Out: an [`Effect`]. The same type describes what
//! is observed on a shadow server, so that a test can hold one against the other. Knows nothing of rules or output.

mod alter_table;
mod call;
mod create_table;
mod data;
mod drop;
mod fire;
mod fold;
mod index;
mod maintenance;
mod partition;
mod predict;
mod prediction;
mod predictor;
mod prune;
mod refused;
mod routine;
mod type_change;
mod types;
mod unmodelled;
mod view;
mod written;

pub use call::Call;
pub use predict::{predict, predict_statement, predict_without_calls};
pub use prediction::*;
pub use routine::in_sequence;
pub use unmodelled::{UnmodelledCall, unmodelled_calls};

use crate::catalog::LockMode;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// What one statement does to the relations that existed before it.
///
/// Relations and indexes are named `schema.name` as PostgreSQL prints them (`quote_ident` applied to each part).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// The strongest lock on each pre-existing table, partitioned table, foreign table, view and materialized view.
    pub locks: BTreeMap<String, LockMode>,
    /// Tables and materialized views that get new storage.
    pub rewrites: BTreeSet<String>,
    /// Pre-existing tables that are read in full.
    pub scans: BTreeSet<String>,
    /// Indexes that are built or rebuilt, by the name they have after the statement.
    pub index_builds: BTreeSet<String>,
    /// Whether the statement may run inside a transaction block.
    pub in_transaction_block: InTransactionBlock,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InTransactionBlock {
    #[default]
    Allowed,
    Forbidden,
}

impl Effect {
    /// Records a lock, keeping the strongest mode of each relation.
    pub fn lock(&mut self, relation: impl Into<String>, mode: LockMode) {
        let held = self.locks.entry(relation.into()).or_insert(mode);
        *held = (*held).max(mode);
    }

    /// Adds everything that `other` does: the effect of both, one after the other.
    pub fn merge(&mut self, other: Effect) {
        for (relation, mode) in other.locks {
            self.lock(relation, mode);
        }
        self.rewrites.extend(other.rewrites);
        self.scans.extend(other.scans);
        self.index_builds.extend(other.index_builds);
        self.in_transaction_block = self.in_transaction_block.max(other.in_transaction_block);
    }

    /// The strongest lock taken on any relation.
    pub fn strongest(&self) -> Option<(&str, LockMode)> {
        self.locks.iter().max_by_key(|(_, mode)| **mode).map(|(relation, mode)| (relation.as_str(), *mode))
    }
}
