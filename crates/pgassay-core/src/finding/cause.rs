//! What of the models a finding reports, in fields: its message says the same in words.

use serde::Serialize;

use super::StepWork;
use crate::catalog::LockMode;
use crate::change::PrintedName;
use crate::contract::BreakageKind;

/// JSON gives it as `cause`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Cause {
    /// Others wait while stored rows are worked on.
    Work {
        work: StepWork,
        /// The table, or the index that is built.
        relation: PrintedName,
        /// The strongest lock on the table while the work runs.
        lock: LockMode,
        /// With a live database.
        #[serde(flatten, skip_serializing_if = "Option::is_none")]
        measured: Option<Measured>,
    },
    /// Others wait behind a lock, or it waits for them.
    Lock { relation: PrintedName, lock: LockMode },
    /// The server refuses it, or may.
    Failure { when: FailureWhen },
    /// Running clients lose it; some of them only, where it is not certain.
    Breakage { breakage: BreakageKind, certain: bool },
}

/// How much there is to work on, and how long that takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measured {
    pub bytes: u64,
    pub least_seconds: f64,
    pub most_seconds: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureWhen {
    /// Whatever the rows are.
    Always,
    /// On every table that has a row.
    AnyRow,
    /// If some row breaks it.
    SomeRow,
}
