//! Statements that control transactions, and settings.

use std::sync::Arc;

use super::replay::Replay;
use super::transaction::TransactionKind;
use crate::apply::{Problem, ProblemKind};
use crate::change::{PrintedName, Set, TransactionControl};

impl Replay<'_, '_> {
    /// RequireTransactionBlock and the savepoint functions of xact.c: an implicit block has no savepoints.
    pub(super) fn refuse_control(&mut self, control: &TransactionControl, index: usize) {
        self.refuse_end_in_block(control, index);
        let (what, name) = match control {
            TransactionControl::Savepoint(name) => ("SAVEPOINT", name),
            TransactionControl::Release(name) => ("RELEASE SAVEPOINT", name),
            TransactionControl::RollbackTo(name) => ("ROLLBACK TO SAVEPOINT", name),
            _ => return,
        };
        let open = self.world.transaction.as_ref().filter(|open| open.kind != TransactionKind::Implicit);
        let (kind, message) = match open {
            None => (ProblemKind::Invalid, format!("{what} can only be used in transaction blocks")),
            Some(open) if what != "SAVEPOINT" && !open.has_savepoint(name) => {
                (ProblemKind::Missing, format!("savepoint \"{name}\" does not exist"))
            }
            Some(_) => return,
        };
        let (span, object) = (self.steps[index].statement.span, PrintedName::from(name));
        self.steps[index].applied.problems.push(Problem { kind, span, object, message });
    }

    /// A block inside a transaction cannot end it (SPI_commit, spi.c).
    pub(super) fn refuse_end_in_block(&mut self, control: &TransactionControl, index: usize) {
        let ends = matches!(control, TransactionControl::Commit { .. } | TransactionControl::Rollback { .. });
        let step = &mut self.steps[index];
        if ends && step.block.is_some() && (!self.block_is_alone || self.subtransactions > 0) {
            let message = match (self.block_is_alone, control) {
                (false, _) => "invalid transaction termination",
                (true, TransactionControl::Rollback { .. }) => "cannot roll back while a subtransaction is active",
                (true, _) => "cannot commit while a subtransaction is active",
            };
            let (span, message) = (step.statement.span, message.to_owned());
            step.applied.problems.push(Problem {
                kind: ProblemKind::Invalid,
                span,
                object: PrintedName::other(""),
                message,
            });
        }
    }

    pub(super) fn control(&mut self, control: &TransactionControl) {
        match control {
            TransactionControl::Begin => self.world.begin(TransactionKind::Explicit),
            TransactionControl::Commit { chain } => {
                self.world.commit();
                if *chain {
                    self.world.begin(TransactionKind::Explicit);
                }
            }
            TransactionControl::Rollback { chain } => {
                self.world.rollback();
                if *chain {
                    self.world.begin(TransactionKind::Explicit);
                }
            }
            TransactionControl::Savepoint(name) => self.world.savepoint(name),
            TransactionControl::Release(name) => self.world.release(name),
            TransactionControl::RollbackTo(name) => self.world.rollback_to(name),
            TransactionControl::PrepareTransaction => self.world.commit(),
            TransactionControl::Constraints { .. } => {
                if let Some(open) = &mut self.world.transaction {
                    open.pending.set(control);
                }
            }
            TransactionControl::FinishPrepared { .. } | TransactionControl::Characteristics => {}
        }
    }

    pub(super) fn set(&mut self, set: &Set) {
        // Outside a transaction block SET LOCAL does nothing but warn.
        if set.local && (self.world.transaction.is_none() || self.opens_batch) {
            return;
        }
        Arc::make_mut(&mut self.world.session).set(set);
        if let Some(open) = &mut self.world.transaction
            && !set.local
        {
            Arc::make_mut(&mut open.lasting).set(set);
        }
    }
}
