//! Statements as a report keeps them: all of a run, to its end.

use std::sync::Arc;

use super::Observed;
use crate::catalog::LockMode;
use crate::effect::{Effect, InTransactionBlock};
use crate::history::{TransactionId, TransactionKind};
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
