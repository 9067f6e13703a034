//! Running one statement in a transaction block and watching what it does.
//!
//! In: a session and a statement. Out: an [`Observation`]; the transaction is rolled back.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::SinkExt;
use tokio_postgres::Client;
use tokio_postgres::error::ErrorPosition;

use super::relations::{self, Counters, effect_between, row};
use super::{Session, ShadowError};
use crate::catalog::LockMode;
use crate::effect::{Effect, InTransactionBlock};

/// What a statement did on a real server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// What it did. If the server refused it, only `in_transaction_block` means anything.
    pub effect: Effect,
    /// Why the server refused the statement, if it did.
    pub error: Option<ServerError>,
}

/// An error that the server raised.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{message} (SQLSTATE {code})")]
pub struct ServerError {
    /// The five characters of SQLSTATE (manual, appendix "PostgreSQL Error Codes").
    pub code: String,
    /// The primary message, untranslated.
    pub message: String,
    /// What the server says besides.
    pub detail: Option<String>,
    /// The place in what was sent, in characters from 1.
    pub position: Option<u32>,
    /// The column that it is about, where the server names it.
    pub column: Option<String>,
    /// The constraint that it is about.
    pub constraint: Option<String>,
    /// The data type that it is about: a domain whose check refused a value.
    pub data_type: Option<String>,
}

impl ServerError {
    /// Disk full, out of memory, too many connections, an error of input or output: none of it is the statement's fault.
    fn is_about_the_machine(&self) -> bool {
        matches!(self.code.as_str(), "53100" | "53200" | "53300" | "58030")
    }

    /// Whether the statement was refused only because it stood in a transaction block. SQLSTATE 25001 also covers
    /// other complaints, such as a late SET TRANSACTION.
    pub fn forbids_block(&self) -> bool {
        self.code == "25001" && self.message.contains("cannot run inside a transaction block")
    }
}

/// Runs a statement in a transaction block of its own, watches it, and rolls it back.
///
/// The session must not be in a transaction. If the statement may not run in a block, the effect says so and nothing
/// else: see [`observe_outside_block`](super::observe_outside_block).
///
/// - Locks are those of `pg_locks` that this session holds on relations that existed before, right after the statement.
/// - A rewrite or an index build is a changed `pg_relation_filenode`; TRUNCATE has that too.
/// - A scan is a counted sequential scan: VACUUM and ANALYZE read a table without counting one.
///
/// # Errors
/// [`ShadowError::Connection`] if the server is gone, [`ShadowError::TooSlow`] past the limit.
pub async fn observe_in_block(client: &Session, sql: &str, limit: Duration) -> Result<Observation, ShadowError> {
    client.batch_execute("BEGIN").await?;
    let before = relations::read(client, Counters::Transaction).await?;
    let outcome = run(client, sql, limit).await;
    let observation = match outcome {
        Ok(None) => {
            let locks = own_locks(client).await?;
            let after = relations::read(client, Counters::Transaction).await?;
            Ok(Observation { effect: effect_between(&before, &after, &locks), error: None })
        }
        Ok(Some(error)) if error.forbids_block() => {
            let effect = Effect { in_transaction_block: InTransactionBlock::Forbidden, ..Effect::default() };
            Ok(Observation { effect, error: None })
        }
        Ok(Some(error)) => Ok(Observation { effect: Effect::default(), error: Some(error) }),
        Err(error) => Err(error),
    };
    client.batch_execute("ROLLBACK").await?;
    observation
}

/// The table-level locks that this session holds.
pub(super) async fn own_locks(client: &Client) -> Result<BTreeSet<(u32, LockMode)>, ShadowError> {
    let sql = "SELECT relation, mode FROM pg_catalog.pg_locks
                WHERE locktype OPERATOR(pg_catalog.=) 'relation' AND granted
                  AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()";
    let messages = client.simple_query(sql).await?;
    let locks = messages.iter().filter_map(row);
    Ok(locks.filter_map(|row| Some((row.get(0)?.parse().ok()?, LockMode::from_pg_locks(row.get(1)?)?))).collect())
}

/// Runs one statement. The inner value is the server's refusal, if it refused; past the limit it is cancelled.
pub(super) async fn run(client: &Session, sql: &str, limit: Duration) -> Result<Option<ServerError>, ShadowError> {
    let mut running = pin!(send(client, sql));
    if let Ok(outcome) = tokio::time::timeout(limit, running.as_mut()).await {
        return refusal(outcome);
    }
    cancel(client, running).await?;
    Err(ShadowError::TooSlow { after: limit })
}

/// Cancels what runs in a session, and waits until it has ended.
pub(super) async fn cancel<T>(client: &Session, running: impl Future<Output = T>) -> Result<(), ShadowError> {
    client.cancel().await?;
    running.await;
    Ok(())
}

/// Tells a refusal by the server from a failure to talk to it.
pub fn refusal(outcome: Result<(), tokio_postgres::Error>) -> Result<Option<ServerError>, ShadowError> {
    let Err(error) = outcome else { return Ok(None) };
    let Some(refused) = error.as_db_error() else { return Err(error.into()) };
    let text = |part: Option<&str>| part.map(str::to_owned);
    let refused = ServerError {
        code: refused.code().code().to_owned(),
        message: refused.message().to_owned(),
        detail: text(refused.detail()),
        position: match refused.position() {
            Some(ErrorPosition::Original(position)) => Some(*position),
            _ => None,
        },
        column: text(refused.column()),
        constraint: text(refused.constraint()),
        data_type: text(refused.datatype()),
    };
    match refused.is_about_the_machine() {
        true => Err(ShadowError::Exhausted(Box::new(refused))),
        false => Ok(Some(refused)),
    }
}

/// Sends one statement. COPY from and to the client is answered with no rows: the server waits for them otherwise.
pub(super) async fn send(client: &Client, sql: &str) -> Result<(), tokio_postgres::Error> {
    send_with_rows(client, sql, "").await
}

/// Sends one statement; COPY from the client gets the rows, in its text format.
pub(crate) async fn send_with_rows(client: &Client, sql: &str, rows: &str) -> Result<(), tokio_postgres::Error> {
    let mut words = sql.split_whitespace().map(|word| word.trim_end_matches(';').to_ascii_uppercase());
    let copies = words.next().as_deref() == Some("COPY");
    if !copies {
        return client.batch_execute(sql).await;
    }
    let end = words.find(|word| word == "STDIN" || word == "STDOUT");
    match end.as_deref() {
        Some("STDIN") => {
            let mut sink = pin!(client.copy_in::<_, bytes::Bytes>(sql).await?);
            if !rows.is_empty() {
                sink.send(bytes::Bytes::copy_from_slice(rows.as_bytes())).await?;
            }
            sink.as_mut().finish().await.map(drop)
        }
        Some(_) => client.copy_out(sql).await.map(drop),
        None => client.batch_execute(sql).await,
    }
}
