//! What a run on a shadow server adds to a report.

use serde::Serialize;

use super::EffectRecord;
use crate::source::Span;

/// What one statement did on the shadow server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// Locks are those that the statement added to what its transaction held.
    pub effect: EffectRecord,
    /// The server's refusal: `column "a" contains null values (SQLSTATE 23502)`.
    pub error: Option<String>,
    pub milliseconds: u64,
}

/// Something that was predicted and went otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The statement.
    pub span: Span,
    pub field: DifferenceField,
    pub predicted: String,
    pub observed: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceField {
    Locks,
    Rewrites,
    Scans,
    IndexBuilds,
    InTransactionBlock,
    /// Whether the server takes the statement.
    Outcome,
    /// What clients lose.
    Breakage,
}

impl DifferenceField {
    pub fn name(self) -> &'static str {
        match self {
            DifferenceField::Locks => "locks",
            DifferenceField::Rewrites => "rewrites",
            DifferenceField::Scans => "scans",
            DifferenceField::IndexBuilds => "index builds",
            DifferenceField::InTransactionBlock => "transaction block",
            DifferenceField::Outcome => "outcome",
            DifferenceField::Breakage => "breakage",
        }
    }
}

/// In which order schema and code may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Old queries run on the new schema, new ones on the old.
    Either,
    /// New queries need the new schema; old ones run on it.
    SchemaFirst,
    /// Old queries break on the new schema; new ones run on the old.
    CodeFirst,
    /// Old queries break on the new schema, and new ones on the old: the migration has to be split.
    Neither,
}

/// The verdict of `--rolling`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rolling {
    pub order: Order,
    /// Queries of the running code that do not work on the new schema, with the server's error.
    pub old_on_new: Vec<QueryProblem>,
    /// Queries of the new code that do not work on the old schema.
    pub new_on_old: Vec<QueryProblem>,
}

/// A query, and what the server says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueryProblem {
    /// Line of the file of queries; `None` for one that pg_stat_statements counted.
    pub line: Option<u32>,
    pub query: String,
    pub calls: Option<u64>,
    pub error: String,
}

/// One migration on the shadow server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProvedMigration {
    pub name: String,
    pub file: String,
    pub statements: usize,
    pub differences: usize,
    pub milliseconds: u64,
}

/// All that the shadow server showed besides the findings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proof {
    /// `PostgreSQL 15.10`.
    pub server: String,
    /// What the reader has to know: another version, what stands in for a role or an extension, older statements refused.
    pub notes: Vec<String>,
    pub migrations: Vec<ProvedMigration>,
    pub differences: Vec<Difference>,
    /// Predicted findings that the server did not bear out: rule, place and why.
    pub withdrawn: Vec<Withdrawn>,
    /// Queries that could not be prepared before the first migration: nothing is known of them.
    pub unprepared: Vec<QueryProblem>,
    /// Queries that were prepared before and after.
    pub queries: usize,
    /// Those of them that were also run, with made-up values.
    pub executed: usize,
    pub rolling: Option<Rolling>,
}

/// A predicted finding that did not come true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    pub rule: &'static str,
    pub span: Span,
    pub message: String,
    pub reason: String,
}
