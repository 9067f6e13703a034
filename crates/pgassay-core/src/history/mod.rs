//! Replays migrations in order: the state of the schema, the session and the transaction at every statement, what each statement
//! does there, and what clients lose by each migration.
//!
//! In: migrations with their statements, the schema before them. Out: one [`MigrationRun`] a migration, handed to a callback so that
//! a long history need not be kept. Does no I/O and judges nothing: that is for the rules.

mod code;
mod completeness;
mod control;
mod fired;
mod guard;
mod inside;
mod left_path;
mod losses;
mod pending;
mod places;
mod raised;
mod read;
mod replay;
mod separate;
mod transaction;

pub use completeness::{Completeness, Decision, decide_completeness};
pub use places::Before;
pub use places::Places;
pub use read::read;
pub use replay::{Options, Ran, Replayer, Unit, replay};
pub use separate::{History, separate};
pub use transaction::{HeldLock, TransactionId, TransactionKind};

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};

use crate::apply::Applied;
use crate::change::{Change, Dynamic};
use crate::contract::Breakage;
use crate::effect::{FailsWhen, Failure, Prediction};
use crate::migration::Migration;
use crate::schema::{RelationId, Schema, Session, TypeId};
use crate::source::Span;
use crate::sql::Script;
use crate::version::PgVersion;

/// One migration as it runs on the schema that the earlier ones left.
#[derive(Debug)]
pub struct MigrationRun<'a> {
    pub migration: &'a Migration,
    pub scripts: &'a [Script],
    /// Whether findings are wanted; an older migration only builds the schema.
    pub judged: bool,
    pub version: PgVersion,
    pub steps: Vec<Step<'a>>,
    pub before: Schema,
    pub after: Schema,
    /// Where what exists after it is defined; what a base made is not in it.
    pub places: Places,
    /// The migration before left its search_path to this one, which its tool runs in the same session.
    pub search_path_from: Option<Arc<str>>,
    /// Net losses of the migration, with the step that caused each.
    pub breakages: Vec<(Breakage, Option<usize>)>,
}

/// One statement at work. Statements of a DO block, and of the routines that a statement calls, are steps of their own that follow it.
#[derive(Debug)]
pub struct Step<'a> {
    pub statement: Ran<'a>,
    /// The step of the DO block or call that this statement is part of.
    pub block: Option<usize>,
    /// May not run, or not fail the migration: it stands under a guard, in a loop, after an early RETURN or under an EXCEPTION clause, or
    /// its block does.
    pub conditional: bool,
    pub prediction: Prediction,
    pub applied: Applied,
    /// The places of statements in it, or in what it calls, whose text is only known when they run.
    pub dynamic: Vec<Dynamic>,
    /// Settings when the statement starts.
    pub session: Arc<Session>,
    /// `None`: it commits by itself.
    pub transaction: Option<(TransactionId, TransactionKind)>,
    /// Locks that earlier statements of the transaction took on relations that others can see, by printed name.
    pub held: OrdMap<Arc<str>, HeldLock>,
    /// Relations made by this migration before this statement: nobody uses them yet.
    pub fresh: OrdSet<RelationId>,
    /// Enum labels added in this transaction and not committed yet.
    pub uncommitted_labels: OrdSet<(TypeId, Arc<str>)>,
    /// The schema when the statement starts; shares all that did not change.
    pub schema: Schema,
}

impl<'a> Step<'a> {
    pub fn change(&self) -> Option<&Change> {
        self.statement.change.as_ref().ok()
    }

    /// The text is that of a routine; the place is that of the statement that calls it.
    pub fn is_called(&self) -> bool {
        matches!(self.statement, Ran::Called(..))
    }

    pub fn span(&self) -> Span {
        self.statement.span
    }

    /// Whether the server surely refuses it.
    pub fn is_refused(&self) -> bool {
        let always = |failure: &Failure| failure.when == FailsWhen::Always;
        !self.conditional && (!self.applied.problems.is_empty() || self.prediction.failures.iter().any(always))
    }

    /// A DO block: its statements have steps of their own.
    pub fn is_block(&self) -> bool {
        matches!(self.change(), Some(Change::Do(_)))
    }

    /// Whether others may use the relation: it was there before the migration, and is not temporary.
    pub fn is_shared(&self, relation: Option<RelationId>) -> bool {
        let Some(id) = relation else { return true };
        !self.fresh.contains(&id) && self.schema.relation(id).is_none_or(|relation| relation.name.schema != "pg_temp")
    }
}
