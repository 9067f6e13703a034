//! The prediction of a change's effect, with what the rules need to explain it.

use super::Effect;
use crate::catalog::LockMode;
use crate::change::PrintedName;
use crate::schema::{RelationId, Schema, Session};
use crate::source::Span;
use crate::version::PgVersion;

/// An [`Effect`] with its reasons.
#[derive(Debug, Clone, Default)]
pub struct Prediction {
    pub effect: Effect,
    /// Every long piece of work, with the part of the statement that causes it.
    pub work: Vec<Work>,
    /// Which part of the statement takes which lock; the strongest of a relation first.
    pub locks: Vec<Lock>,
    /// Ways in which the statement fails, or may fail.
    pub failures: Vec<Failure>,
}

impl Prediction {
    /// Gives what the text of a routine brings about the place of the statement that calls it.
    pub fn confine_to(&mut self, statement: Span) {
        let locks = self.locks.iter_mut().map(|lock| &mut lock.span);
        let work = self.work.iter_mut().map(|work| &mut work.span);
        let failures = self.failures.iter_mut().map(|failure| &mut failure.span);
        for span in locks.chain(work).chain(failures).filter(|span| !statement.contains(**span)) {
            *span = statement;
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// `None`: a relation that the schema does not know.
    pub relation: Option<RelationId>,
    pub name: PrintedName,
    pub mode: LockMode,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    pub kind: WorkKind,
    /// The table worked on (for an index build the table that is read).
    pub relation: Option<RelationId>,
    /// Printed name of the table, or of the index for a build.
    pub name: PrintedName,
    /// The strongest lock on the table while the work runs.
    pub under: LockMode,
    /// The smallest part of the statement that causes it: the default, the type, the constraint.
    pub span: Span,
    /// Why, as a clause that follows "because": "the default gen_random_uuid() is volatile".
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkKind {
    Rewrite,
    Scan,
    IndexBuild,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub when: FailsWhen,
    pub span: Span,
    pub object: PrintedName,
    /// What the server says or does: `column "a" of relation "t" contains null values`.
    pub message: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailsWhen {
    /// Whatever the rows are.
    Always,
    /// Inside a transaction block only.
    InTransactionBlock,
    /// Outside a transaction block only.
    OutsideTransactionBlock,
    /// On every table that has a row.
    AnyRow,
    /// If some row breaks it; the query returns such rows.
    SomeRow { query: String },
}

/// What the world looks like when the statement starts.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub schema: &'a Schema,
    pub session: &'a Session,
    pub version: PgVersion,
}
