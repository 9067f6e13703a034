//! The transactions of a run: opened and ended as the tool does, with what COMMIT refuses.

use super::ProveError;
use super::{Open, Outcome, Runner};
use crate::change::TransactionControl;
use crate::history::Step;
use crate::shadow::ServerError;

impl Runner {
    /// Takes a limit that the migration set off our own statements.
    pub(super) async fn take_timeout(&mut self, sql: &str) -> Result<(), ProveError> {
        let value = self.rows("SHOW statement_timeout").await?.into_iter().flatten().flatten().next();
        let local = sql.split_whitespace().nth(1).is_some_and(|word| word.eq_ignore_ascii_case("local"));
        self.timeout = value.filter(|value| value != "0").map(|value| (value, local));
        if self.timeout.is_some() {
            self.send(if local { "SET LOCAL statement_timeout = 0" } else { "SET statement_timeout = 0" }).await?;
        }
        Ok(())
    }

    /// Commits what is open.
    pub async fn commit(&mut self) -> Result<Option<ServerError>, ProveError> {
        self.timeout.take_if(|(_, local)| *local);
        self.worked = false;
        match std::mem::replace(&mut self.open, Open::No) {
            Open::No => Ok(None),
            Open::Yes(_) => self.send("COMMIT").await,
        }
    }

    /// Makes the session's transaction the one that the step runs in; the error is that of a COMMIT in between.
    pub(super) async fn align(&mut self, step: &Step<'_>) -> Result<Option<ServerError>, ProveError> {
        let wanted = step.transaction;
        match (self.open, wanted) {
            (Open::Yes(None), Some((id, _))) => {
                self.open = Open::Yes(Some(id));
                Ok(None)
            }
            (Open::Yes(Some(open)), Some((id, _))) if open == id => Ok(None),
            (_, wanted) => {
                let ended = self.commit().await?;
                if let Some((id, _)) = wanted {
                    self.session.batch_execute("BEGIN").await?;
                    self.open = Open::Yes(Some(id));
                }
                Ok(ended)
            }
        }
    }

    pub(super) async fn control(&mut self, control: &TransactionControl, sql: &str) -> Result<Outcome, ProveError> {
        let error = match control {
            // A refusal must not end the transaction that the rest runs in.
            TransactionControl::Constraints { .. }
            | TransactionControl::Characteristics
            | TransactionControl::FinishPrepared { .. } => self.in_savepoint(sql, true).await?,
            // What they do ends the savepoint too.
            TransactionControl::Release(_) | TransactionControl::RollbackTo(_) => self.in_savepoint(sql, false).await?,
            _ => self.send(sql).await?,
        };
        match control {
            // It has to come first in a transaction, where the shadow has looked at the schema.
            TransactionControl::Characteristics
                if !self.worked && error.as_ref().is_some_and(|error| error.code == "25001") =>
            {
                return Ok(Outcome { not_run: true, ..Outcome::default() });
            }
            _ if error.is_some() => {}
            TransactionControl::Begin if self.open == Open::No => self.open = Open::Yes(None),
            TransactionControl::Commit { chain } | TransactionControl::Rollback { chain } => {
                self.open = if *chain { Open::Yes(None) } else { Open::No };
            }
            TransactionControl::PrepareTransaction => self.open = Open::No,
            _ => {}
        }
        // A refused COMMIT has rolled back, and so has a refused PREPARE TRANSACTION.
        let ends = matches!(control, TransactionControl::Commit { .. } | TransactionControl::PrepareTransaction);
        if error.is_some() && ends {
            self.send("ROLLBACK").await?;
            self.open = Open::No;
        }
        Ok(Outcome { error, ..Outcome::default() })
    }

    /// Sends a text so that a refusal leaves the transaction as it was. `stays` says that the savepoint is still there after it.
    pub(super) async fn in_savepoint(&mut self, sql: &str, stays: bool) -> Result<Option<ServerError>, ProveError> {
        if !self.is_open() {
            return self.send(sql).await;
        }
        self.session.batch_execute("SAVEPOINT pgassay").await?;
        let error = self.send(sql).await?;
        match (&error, stays) {
            (Some(_), _) => {
                self.session.batch_execute("ROLLBACK TO SAVEPOINT pgassay; RELEASE SAVEPOINT pgassay").await?;
            }
            (None, true) => self.session.batch_execute("RELEASE SAVEPOINT pgassay").await?,
            (None, false) => {}
        }
        Ok(error)
    }
}
