//! One session that can only read, and never waits long.

use std::error::Error as _;
use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::task::JoinHandle;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::super::DbError;
use super::open;
use super::parameters::Parameters;

/// How long our own statements may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A statement.
    pub statement: Duration,
    /// A wait for a lock.
    pub lock: Duration,
    /// Between two statements.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { statement: Duration::from_secs(60), lock: Duration::from_secs(1), idle: Duration::from_secs(60) }
    }
}

impl Limits {
    fn settings(&self) -> Vec<(&'static str, String)> {
        let milliseconds = |limit: Duration| limit.as_millis().to_string();
        vec![
            ("default_transaction_read_only", "on".to_owned()),
            ("statement_timeout", milliseconds(self.statement)),
            ("lock_timeout", milliseconds(self.lock)),
            ("idle_in_transaction_session_timeout", milliseconds(self.idle)),
        ]
    }
}

/// For the start of a session. The limits are set in the transaction: given here they would be our session's defaults, and hide those
/// that the server, the database or the role has.
pub(super) const START_OPTIONS: &str = "-c default_transaction_read_only=on";

/// What our queries' answers are printed like, and how they are planned. Names are printed with their schema, because no schema of
/// the user's is in the search_path.
const SETTINGS: &[(&str, &str)] = &[
    ("search_path", "pg_catalog"),
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("quote_all_identifiers", "off"),
    ("row_security", "on"),
    ("jit", "off"),
    // The catalogs of a large database are sorted and joined in memory.
    ("work_mem", "32MB"),
    ("max_parallel_workers_per_gather", "0"),
];

/// Bytes of pg_class from which on a second session pays: some ten thousand tables, indexes and sequences.
const LARGE_CATALOG: u32 = 2_000_000;

/// How long the second session may take to come. A pooler may have no other server to give.
const PATIENCE: Duration = Duration::from_secs(2);

/// A READ ONLY transaction on a server. Dropping it closes the connection; the server then rolls back.
pub struct Session {
    client: Client,
    connection: JoinHandle<()>,
    place: String,
    pooled: bool,
}

/// A row of an answer.
pub struct Row<'s> {
    row: tokio_postgres::Row,
    session: &'s Session,
    part: &'static str,
}

impl Session {
    /// Connects, and opens the transaction in which everything is read.
    ///
    /// # Errors
    /// [`DbError::Parameters`], [`DbError::Connect`], or [`DbError::Refused`] for what is no PostgreSQL.
    pub async fn open(parameters: &Parameters, limits: &Limits) -> Result<Session, DbError> {
        Session::begin(parameters, limits, None).await
    }

    /// A second session that sees what this one does, where the catalog is so large that two read it sooner. None where the server, or a
    /// pooler before it, has no room for one.
    ///
    /// # Errors
    /// Those of a query of this session; what becomes of the second one is none.
    pub async fn second(&self, parameters: &Parameters, limits: &Limits) -> Result<Option<Session>, DbError> {
        let sql = format!(
            "SELECT pg_export_snapshot() WHERE pg_relation_size('pg_class') > {LARGE_CATALOG} AND NOT pg_is_in_recovery()"
        );
        let mut snapshot: Option<String> = None;
        self.each("the size of the catalog", &sql, None, |row| {
            snapshot = row.get(0)?;
            Ok(())
        })
        .await?;
        let Some(snapshot) = snapshot else { return Ok(None) };
        let session = Session::begin(parameters, limits, Some(&snapshot));
        Ok(tokio::time::timeout(PATIENCE, session).await.ok().and_then(Result::ok))
    }

    async fn begin(parameters: &Parameters, limits: &Limits, snapshot: Option<&str>) -> Result<Session, DbError> {
        let open::Opened { client, connection, place, pooled } = open::open(parameters).await?;
        let mut session = Session { client, connection, place, pooled };
        session.refuse_others().await?;
        let mut begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned();
        if let Some(snapshot) = snapshot {
            begin.push_str(&format!("; SET TRANSACTION SNAPSHOT '{snapshot}'"));
        }
        let fixed = SETTINGS.iter().map(|(name, value)| (*name, (*value).to_owned()));
        for (name, value) in limits.settings().into_iter().chain(fixed) {
            begin.push_str(&format!("; SET LOCAL {name} = '{value}'"));
        }
        session.run("the start of the transaction", &begin).await?;
        Ok(session)
    }

    /// Host, port, user and database, for messages.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Whether something between us and the server hands out its sessions transaction by transaction.
    pub fn pooled(&self) -> bool {
        self.pooled
    }

    /// Ends the transaction and the connection.
    pub async fn close(self) {
        let _ = self.client.batch_execute("ROLLBACK").await;
        drop(self.client);
        let _ = self.connection.await;
    }

    /// What calls itself PostgreSQL and is another server would be misjudged.
    async fn refuse_others(&mut self) -> Result<(), DbError> {
        let sql =
            "SELECT version(), current_setting('server_version_num'), current_setting('default_transaction_read_only')";
        let answer = self.client.simple_query(sql).await.map_err(|error| self.error("the version", &error))?;
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let column = |at: usize| row.and_then(|row| row.get(at)).unwrap_or_default().to_owned();
        let refused = |reason: String| DbError::Refused { place: self.place.clone(), reason };
        let version = column(0);
        const OTHERS: &[&str] = &["CockroachDB", "Redshift", "Yugabyte", "-YB-", "Greenplum", "Materialize", "QuestDB"];
        let other = OTHERS.iter().find(|other| version.contains(**other));
        if !version.starts_with("PostgreSQL") || other.is_some() {
            let name = other.map_or("another server", |other| other.trim_matches('-'));
            return Err(refused(format!("it is {name}, and pgassay knows PostgreSQL 14 to 18")));
        }
        let number: u32 = column(1).parse().map_err(|_| refused(format!("{version:?} has no version number")))?;
        if number < 140_000 {
            let shown = version.split_whitespace().nth(1).unwrap_or_default();
            return Err(refused(format!("it is PostgreSQL {shown}, and pgassay knows 14 to 18")));
        }
        // Some poolers take the options and forget them.
        self.pooled |= column(2) != "on";
        Ok(())
    }

    /// Runs statements that return nothing.
    pub async fn run(&self, part: &'static str, sql: &str) -> Result<(), DbError> {
        self.client.batch_execute(sql).await.map_err(|error| self.error(part, &error))
    }

    /// Sends statements together and returns the first column of every row that they return. The error is the server's own, for those
    /// who can act on its code and position; the transaction is then aborted.
    pub async fn together(&self, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
        let answer = self.client.simple_query(sql).await?;
        let text = |message: SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        };
        Ok(answer.into_iter().filter_map(text).collect())
    }

    /// Hands every row of a query to `visit`. The statement has no name, so that it never meets one that a pooler's other client left.
    /// `oids` is `$1`.
    pub async fn each(
        &self,
        part: &'static str,
        sql: &str,
        oids: Option<&[u32]>,
        mut visit: impl FnMut(&Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        let failed = |error: tokio_postgres::Error| self.error(part, &error);
        let parameters = oids.map(|oids| (oids, Type::OID_ARRAY));
        let rows = self.client.query_typed_raw(sql, parameters).await.map_err(failed)?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            visit(&Row { row, session: self, part })?;
        }
        Ok(())
    }

    /// The same, in a savepoint: locks that it takes are given back, and after an error the transaction goes on.
    pub async fn each_in_savepoint(
        &self,
        part: &'static str,
        sql: &str,
        oids: Option<&[u32]>,
        visit: impl FnMut(&Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        self.run(part, "SAVEPOINT pgassay").await?;
        let result = self.each(part, sql, oids, visit).await;
        if !matches!(result, Err(DbError::Lost { .. })) {
            self.run(part, "ROLLBACK TO SAVEPOINT pgassay; RELEASE SAVEPOINT pgassay").await?;
        }
        result
    }

    fn error(&self, part: &'static str, error: &tokio_postgres::Error) -> DbError {
        let (place, message) = (self.place.clone(), describe(error));
        match error.as_db_error() {
            // Class 57P0: terminated by an administrator, a crash, or a shutdown.
            Some(server) if !server.code().code().starts_with("57P0") => {
                DbError::Query { place, part, code: server.code().code().to_owned(), message }
            }
            _ => DbError::Lost { place, part, message },
        }
    }
}

impl Row<'_> {
    /// A column of the row by its position.
    ///
    /// # Errors
    /// [`DbError::Answer`] if it is of another type, or NULL where the type has none.
    pub fn get<'r, T: FromSql<'r>>(&'r self, at: usize) -> Result<T, DbError> {
        self.row.try_get(at).map_err(|error| {
            let (place, part) = (self.session.place.clone(), self.part);
            DbError::Answer { place, part, message: describe(&error) }
        })
    }
}

/// An error with its causes, each once.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(server) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", server.message(), server.code().code());
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}
