//! Statements as a report keeps them: all of a run, to its end.

use std::sync::Arc;

use super::{Observed, Report};
use crate::catalog::LockMode;
use crate::effect::{Effect, InTransactionBlock};
use crate::facts;
use crate::history::{TransactionId, TransactionKind};
use crate::rules::migration::LockWait;
use crate::source::Span;

/// One statement of a judged migration.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementRecord {
    pub span: Span,
    /// The migration's own name or version.
    pub migration: Arc<str>,
    /// The transaction block that it runs in; `None`: it commits by itself.
    pub transaction: Option<(TransactionId, TransactionKind)>,
    /// The tool sends the statements around it one by one: others in its place would commit by themselves too.
    pub commits_alone: bool,
    pub changes: Vec<&'static str>,
    pub conditional: bool,
    pub effect: EffectRecord,
    /// What others notice of it.
    pub impact: Impact,
    /// What it did on a shadow server, where it was run there.
    pub observed: Option<Box<Observed>>,
}

/// An [`Effect`] in the room that it needs: each list in the order of its names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EffectRecord {
    pub locks: Box<[(Box<str>, LockMode)]>,
    pub rewrites: Box<[Box<str>]>,
    pub scans: Box<[Box<str>]>,
    pub index_builds: Box<[Box<str>]>,
    pub in_transaction_block: InTransactionBlock,
}

impl EffectRecord {
    /// The lock on a relation.
    pub fn lock(&self, relation: &str) -> Option<LockMode> {
        self.locks.iter().find(|(name, _)| **name == *relation).map(|(_, mode)| *mode)
    }

    /// The strongest lock taken on any relation.
    pub fn strongest(&self) -> Option<LockMode> {
        self.locks.iter().map(|(_, mode)| *mode).max()
    }
}

impl From<Effect> for EffectRecord {
    fn from(effect: Effect) -> EffectRecord {
        EffectRecord {
            locks: effect.locks.into_iter().map(|(name, mode)| (name.into(), mode)).collect(),
            rewrites: effect.rewrites.into_iter().map(Into::into).collect(),
            scans: effect.scans.into_iter().map(Into::into).collect(),
            index_builds: effect.index_builds.into_iter().map(Into::into).collect(),
            in_transaction_block: effect.in_transaction_block,
        }
    }
}

/// What others notice of one statement: those who use the relations that were there before the migration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Impact {
    /// From SHARE UPDATE EXCLUSIVE on, in the order of their names; ROW EXCLUSIVE where rows of a whole table are changed.
    pub locks: Box<[SharedLock]>,
    /// Locks of its transaction that ROLLBACK TO released before it, with the mode that is left.
    pub released: Box<[(Box<str>, Option<LockMode>)]>,
    pub work: Box<[SharedWork]>,
    /// How long it waits for a lock that makes writers wait; `None`: it takes none.
    pub lock_wait: Option<LockWait>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SharedLock {
    pub relation: Box<str>,
    pub mode: LockMode,
    /// Where something is measured.
    pub table: Option<Box<Measured>>,
}

/// What is known of a table from the database.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub bytes: Option<u64>,
    pub rows: Option<f64>,
    pub calls: Option<facts::Calls>,
}

/// Work that takes the longer, the more rows there are.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedWork {
    /// "rewrites public.orders".
    pub what: Box<str>,
    /// `None`: nothing is known of the size.
    pub duration: Option<facts::Span>,
}

/// Where the statements of a report are, to find the one around a place.
pub(super) struct StatementPlaces(Vec<(Span, usize)>);

impl StatementPlaces {
    pub fn of(report: &Report) -> StatementPlaces {
        let mut places: Vec<_> = report.statements.iter().enumerate().map(|(at, record)| (record.span, at)).collect();
        places.sort_by_key(|(span, at)| (span.file, span.start, *at));
        StatementPlaces(places)
    }

    /// The index of the statement that contains a place.
    pub fn around(&self, place: Span) -> Option<usize> {
        let behind = self.0.partition_point(|(span, _)| (span.file, span.start) <= (place.file, place.start));
        let (span, at) = self.0.get(behind.checked_sub(1)?)?;
        span.contains(place).then_some(*at)
    }
}
