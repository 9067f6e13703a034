//! Transactions, settings and DO blocks.

use std::sync::Arc;

use super::{Code, Name, ObjectName, Tree};
use crate::source::Span;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionControl {
    Begin,
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    Savepoint(Name),
    Release(Name),
    RollbackTo(Name),
    /// PREPARE TRANSACTION: the transaction leaves the session with its locks held.
    PrepareTransaction,
    /// COMMIT PREPARED, ROLLBACK PREPARED.
    FinishPrepared {
        commit: bool,
    },
    /// SET CONSTRAINTS; no names are ALL.
    Constraints {
        names: Vec<ObjectName>,
        deferred: bool,
    },
    /// SET TRANSACTION: nothing that the models follow.
    Characteristics,
}

impl TransactionControl {
    pub fn name(&self) -> &'static str {
        match self {
            TransactionControl::Begin => "begin",
            TransactionControl::Commit { .. } => "commit",
            TransactionControl::Rollback { .. } => "rollback",
            TransactionControl::Savepoint(_) => "savepoint",
            TransactionControl::Release(_) => "release-savepoint",
            TransactionControl::RollbackTo(_) => "rollback-to-savepoint",
            TransactionControl::PrepareTransaction => "prepare-transaction",
            TransactionControl::FinishPrepared { commit: true } => "commit-prepared",
            TransactionControl::FinishPrepared { commit: false } => "rollback-prepared",
            TransactionControl::Constraints { .. } => "set-constraints",
            TransactionControl::Characteristics => "set-transaction",
        }
    }
}

/// SET and set_config().
#[derive(Debug, Clone, PartialEq)]
pub struct Set {
    /// Lower case; `role` and `session_authorization` for those forms, `timezone` for SET TIME ZONE.
    pub parameter: Arc<str>,
    /// Each value without quotes; empty for TO DEFAULT.
    pub values: Vec<Arc<str>>,
    /// SET LOCAL, or set_config(…, true).
    pub local: bool,
    pub span: Span,
}

/// RESET parameter, RESET ALL, DISCARD.
#[derive(Debug, Clone, PartialEq)]
pub struct Reset {
    /// `None` for all.
    pub parameter: Option<Arc<str>>,
    /// DISCARD ALL, which a transaction block refuses.
    pub discard_all: bool,
}

/// CALL of a procedure.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub procedure: ObjectName,
    /// `SELECT procedure(…)`: the arguments.
    pub tree: Tree,
}

/// A DO block.
#[derive(Debug, Clone, PartialEq)]
pub struct Do {
    pub language: Name,
    pub code: Code,
    pub body: Span,
}

/// A statement that touches no relation; `name` is kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nothing {
    pub name: &'static str,
    /// Whether the server refuses it in a transaction block.
    pub forbidden_in_transaction: bool,
}
