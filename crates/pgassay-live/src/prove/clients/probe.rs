//! Trying statements on the schema as it is at a moment, so that nothing of it stays.
//!
//! In: the session in which migrations run, in a transaction or not. Out: what a client would get.

use tokio_postgres::SimpleQueryMessage;

use crate::prove::ProveError;
use crate::prove::run::Runner;
use crate::shadow::{ServerError, refusal, send_with_rows};

/// A stretch of trying: everything until [`Probe::end`] is undone. Names mean what they mean to a client's session.
pub(in crate::prove) struct Probe<'r> {
    runner: &'r Runner,
    nested: bool,
}

/// What a client gets: a line a row, and the types of the columns.
pub(super) type Answer = Result<Vec<String>, ServerError>;

impl<'r> Probe<'r> {
    pub async fn begin(runner: &'r Runner) -> Result<Probe<'r>, ProveError> {
        let nested = runner.is_open();
        let start = if nested { "SAVEPOINT pgassay_probe" } else { "BEGIN" };
        runner.session.batch_execute(start).await?;
        runner.session.batch_execute("SET LOCAL search_path TO DEFAULT; SET LOCAL statement_timeout = '10s'").await?;
        Ok(Probe { runner, nested })
    }

    /// For work that stays: the session is in a transaction, and whoever opened it ends it.
    pub fn within(runner: &'r Runner) -> Probe<'r> {
        Probe { runner, nested: true }
    }

    pub fn runner(&self) -> &'r Runner {
        self.runner
    }

    pub async fn end(self) -> Result<(), ProveError> {
        let end = if self.nested {
            "ROLLBACK TO SAVEPOINT pgassay_probe; RELEASE SAVEPOINT pgassay_probe"
        } else {
            "ROLLBACK"
        };
        Ok(self.runner.session.batch_execute(end).await?)
    }

    /// Runs a text and undoes it.
    pub async fn answer(&self, sql: &str) -> Result<Answer, ProveError> {
        let session = &self.runner.session;
        session.batch_execute("SAVEPOINT pgassay_try").await?;
        let mut lines = Vec::new();
        if let Ok(statement) = session.prepare(sql).await {
            lines.extend(statement.columns().iter().map(|it| format!("{} {}", it.name(), it.type_())));
        } else {
            session.batch_execute("ROLLBACK TO SAVEPOINT pgassay_try").await?;
        }
        let mut outcome = session.simple_query(sql).await;
        // What is checked at COMMIT fails the client there.
        if outcome.is_ok()
            && let Err(error) = session.batch_execute("SET CONSTRAINTS ALL IMMEDIATE").await
        {
            outcome = Err(error);
        }
        session.batch_execute("ROLLBACK TO SAVEPOINT pgassay_try; RELEASE SAVEPOINT pgassay_try").await?;
        match outcome {
            Err(error) => match refusal(Err(error))? {
                Some(refused) => Ok(Err(refused)),
                None => Ok(Ok(lines)),
            },
            Ok(messages) => {
                for message in messages {
                    match message {
                        SimpleQueryMessage::Row(row) => {
                            let values: Vec<Option<&str>> = (0..row.len()).map(|at| row.get(at)).collect();
                            lines.push(format!("{values:?}"));
                        }
                        SimpleQueryMessage::CommandComplete(rows) => lines.push(format!("{rows} rows")),
                        _ => {}
                    }
                }
                Ok(Ok(lines))
            }
        }
    }

    /// Runs a text without looking at its answer, and undoes it.
    pub async fn run(&self, sql: &str) -> Result<Option<ServerError>, ProveError> {
        let session = &self.runner.session;
        // Sent one behind the other without waiting: the server answers all three in turn.
        let (begun, outcome, ended) = tokio::join!(
            session.batch_execute("SAVEPOINT pgassay_try"),
            session.batch_execute(sql),
            session.batch_execute("ROLLBACK TO SAVEPOINT pgassay_try; RELEASE SAVEPOINT pgassay_try")
        );
        begun?;
        let error = refusal(outcome)?;
        ended?;
        Ok(error)
    }

    /// Runs a text and undoes it; the rows that it returned or changed.
    pub async fn rows(&self, sql: &str) -> Result<Result<u64, ServerError>, ProveError> {
        let session = &self.runner.session;
        let (begun, outcome, ended) = tokio::join!(
            session.batch_execute("SAVEPOINT pgassay_try"),
            session.simple_query(sql),
            session.batch_execute("ROLLBACK TO SAVEPOINT pgassay_try; RELEASE SAVEPOINT pgassay_try")
        );
        begun?;
        let rows = match outcome {
            Ok(messages) => {
                let counted = |message: &SimpleQueryMessage| match message {
                    SimpleQueryMessage::CommandComplete(rows) => *rows,
                    _ => 0,
                };
                Ok(messages.iter().map(counted).sum())
            }
            Err(error) => Err(refusal(Err(error))?),
        };
        ended?;
        match rows {
            Ok(rows) => Ok(Ok(rows)),
            Err(Some(refused)) => Ok(Err(refused)),
            // Not a word of the server's: the session is gone.
            Err(None) => Ok(Ok(0)),
        }
    }

    /// Has a text looked at as a driver does before it sends values: names and types, no run.
    pub async fn parse(&self, sql: &str) -> Result<Option<ServerError>, ProveError> {
        let session = &self.runner.session;
        session.batch_execute("SAVEPOINT pgassay_try").await?;
        let error = refusal(session.prepare(sql).await.map(drop))?;
        session.batch_execute("ROLLBACK TO SAVEPOINT pgassay_try; RELEASE SAVEPOINT pgassay_try").await?;
        Ok(error)
    }

    /// Runs a text that may be COPY from or to the client, without rows, and undoes it.
    pub async fn send(&self, sql: &str) -> Result<Option<ServerError>, ProveError> {
        let session = &self.runner.session;
        session.batch_execute("SAVEPOINT pgassay_try").await?;
        let error = refusal(send_with_rows(session, sql, "").await)?;
        session.batch_execute("ROLLBACK TO SAVEPOINT pgassay_try; RELEASE SAVEPOINT pgassay_try").await?;
        Ok(error)
    }

    /// Runs statements of our own; what they did stays until the probe ends, unless the server refuses them.
    pub async fn keep(&self, sql: &str) -> Result<Option<ServerError>, ProveError> {
        self.kept(self.runner.session.batch_execute(sql)).await
    }

    /// The same for one statement with a text from outside in it, which the server refuses if it is several.
    pub async fn keep_one(&self, sql: &str) -> Result<Option<ServerError>, ProveError> {
        let run = async { self.runner.session.execute_typed(sql, &[]).await.map(drop) };
        self.kept(run).await
    }

    async fn kept(
        &self,
        run: impl Future<Output = Result<(), tokio_postgres::Error>>,
    ) -> Result<Option<ServerError>, ProveError> {
        let session = &self.runner.session;
        let (begun, outcome) = tokio::join!(session.batch_execute("SAVEPOINT pgassay_keep"), run);
        begun?;
        let error = refusal(outcome)?;
        let end = if error.is_some() {
            "ROLLBACK TO SAVEPOINT pgassay_keep; RELEASE SAVEPOINT pgassay_keep"
        } else {
            "RELEASE SAVEPOINT pgassay_keep"
        };
        session.batch_execute(end).await?;
        Ok(error)
    }
}
