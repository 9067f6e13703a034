//! One session that can only read, and never waits long.

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::task::JoinHandle;
use tokio_postgres::types::{FromSql, ToSql, Type};
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

/// For the start of a session. The rest is set in the transaction: given here it would be our session's default, and hide what the server,
/// the database or the role has. Between two transactions nothing else holds.
pub(super) const START_OPTIONS: &str =
    "-c default_transaction_read_only=on -c standard_conforming_strings=on -c idle_session_timeout=0";

/// No function, operator, type or table of a user's is found by its name alone. pg_temp is searched first unless it is named.
const SEARCH_PATH: &str = "SET LOCAL search_path = pg_catalog, pg_temp";

/// The first message of every session. The server analyzes a string of statements one by one, and none before the search_path is set names
/// anything that could be a user's.
const WHO_IS_THERE: &str = "BEGIN READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp; \
    SELECT pg_catalog.version(), pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('default_transaction_read_only'); \
    ROLLBACK";

/// What our queries' answers are printed like, and how they are planned. Names are printed with their schema, because no schema of
/// the user's is in the [`SEARCH_PATH`].
const SETTINGS: &[(&str, &str)] = &[
    // Where a pooler forgot it.
    ("standard_conforming_strings", "on"),
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("quote_all_identifiers", "off"),
    // A table with policies is refused to whom they bind: they would run a user's functions, and hide rows that are counted.
    ("row_security", "off"),
    ("jit", "off"),
    // Nothing of ours could be excluded, and the planner would evaluate CHECK constraints.
    ("constraint_exclusion", "off"),
    // The catalogs of a large database are sorted and joined in memory.
    ("work_mem", "32MB"),
    ("max_parallel_workers_per_gather", "0"),
];

/// Bytes of pg_class from which on a second session pays: some ten thousand tables, indexes and sequences.
const LARGE_CATALOG: u32 = 2_000_000;

/// How long the second session may take to come. A pooler may have no other server to give.
const PATIENCE: Duration = Duration::from_secs(2);

/// What an answer may take besides the statement: the way there and back, and the server's own limit.
const GRACE: Duration = Duration::from_secs(5);

/// A READ ONLY transaction on a server. Dropping it closes the connection; the server then rolls back.
pub struct Session {
    client: Client,
    connection: JoinHandle<()>,
    place: String,
    pooled: bool,
    limits: Limits,
    /// As the server counts: 170004.
    version_number: u32,
    /// The server did not answer in time, and the connection was given up.
    silent: AtomicBool,
}

/// A value for `$n`, with the type that it has there.
pub type Parameter<'v> = (&'v (dyn ToSql + Sync), Type);

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
            "SELECT pg_export_snapshot() WHERE pg_relation_size('pg_catalog.pg_class') > {LARGE_CATALOG} AND NOT pg_is_in_recovery()"
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
        let mut session = Session {
            client,
            connection,
            place,
            pooled,
            limits: *limits,
            version_number: 0,
            silent: AtomicBool::new(false),
        };
        session.refuse_others().await?;
        let mut begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned();
        if let Some(snapshot) = snapshot {
            begin.push_str(&format!("; SET TRANSACTION SNAPSHOT '{snapshot}'"));
        }
        session.own("the start of the transaction", &format!("{begin}; {}", session.settings())).await?;
        Ok(session)
    }

    /// What each of our transactions begins with.
    fn settings(&self) -> String {
        let fixed = SETTINGS.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let set = self.limits.settings().into_iter().chain(fixed);
        let set: String = set.map(|(name, value)| format!("; SET LOCAL {name} = '{value}'")).collect();
        format!("{}{SEARCH_PATH}{set}", self.no_limit())
    }

    /// Since 17 a whole transaction has a limit: ours reads all of a database, and each statement has its own.
    fn no_limit(&self) -> &'static str {
        if self.version_number >= 170_000 { "SET LOCAL transaction_timeout = 0; " } else { "" }
    }

    /// Ends the transaction and begins one in which a statement is planned as the application would have it planned, but for our limits on
    /// time. Names are looked up in the role's own search_path: nothing of ours that is looked up may follow, unless `searched` is false.
    pub async fn begin_to_plan(&self, writes: bool, searched: bool) -> Result<(), tokio_postgres::Error> {
        let mode = if writes { "READ WRITE" } else { "READ ONLY" };
        let path = if searched { String::new() } else { format!("; {SEARCH_PATH}") };
        // A string has no escapes, as our own reader has it, whatever the role prefers.
        let begin = format!(
            "ROLLBACK; BEGIN ISOLATION LEVEL READ COMMITTED {mode}; {}SET LOCAL standard_conforming_strings = on; \
             SET LOCAL quote_all_identifiers = off{path}",
            self.no_limit()
        );
        let limits = self.limits.settings();
        let limits: String = limits
            .into_iter()
            .filter(|(name, _)| *name != "default_transaction_read_only")
            .map(|(name, value)| format!("; SET LOCAL {name} = '{value}'"))
            .collect();
        self.within(self.client.batch_execute(&format!("{begin}{limits}"))).await
    }

    /// How long a statement may take.
    pub fn limit(&self) -> Duration {
        self.limits.statement
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
        let _ = tokio::time::timeout(GRACE, self.client.batch_execute("ROLLBACK")).await;
        drop(self.client);
        let _ = tokio::time::timeout(GRACE, self.connection).await;
    }

    /// Waits for the server no longer than it may take: its own limits hold only while it runs, and a server that was stopped, or is gone
    /// without a word, never answers.
    async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, tokio_postgres::Error> {
        let mut answer = std::pin::pin!(answer);
        match tokio::time::timeout(self.limits.statement + GRACE, answer.as_mut()).await {
            Ok(answered) => answered,
            Err(_) => {
                self.silent.store(true, Ordering::Relaxed);
                // The end of the connection is the answer then.
                self.connection.abort();
                answer.await
            }
        }
    }

    /// What calls itself PostgreSQL and is another server would be misjudged.
    async fn refuse_others(&mut self) -> Result<(), DbError> {
        let answer = match self.within(self.client.simple_query(WHO_IS_THERE)).await {
            Ok(answer) => answer,
            // What calls itself PostgreSQL and is another server may not know all of it.
            Err(error) if error.as_db_error().is_some() => {
                let only_version = "ROLLBACK; SELECT pg_catalog.version()";
                self.within(self.client.simple_query(only_version))
                    .await
                    .map_err(|_| self.error("the version", &error))?
            }
            Err(error) => return Err(self.error("the version", &error)),
        };
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
        self.version_number = number;
        // Some poolers take the options and forget them.
        self.pooled |= column(2) != "on";
        Ok(())
    }

    /// Sends statements of our own by the simple protocol, which takes several: nothing that comes from outside may be in them.
    async fn own(&self, part: &'static str, sql: &str) -> Result<(), DbError> {
        self.within(self.client.batch_execute(sql)).await.map_err(|error| self.error(part, &error))
    }

    /// Runs a statement that returns nothing.
    pub async fn run(&self, part: &'static str, sql: &str) -> Result<(), DbError> {
        self.ask(part, sql, &[]).await.map(drop)
    }

    /// As [`Session::send`], with what was asked for in the error.
    pub async fn ask(
        &self,
        part: &'static str,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<String>, DbError> {
        self.send(sql, parameters).await.map_err(|error| self.error(part, &error))
    }

    /// Sends one statement and returns the first column of its rows. It goes in a Parse message, in which the server takes no second
    /// one (`exec_parse_message`, postgres.c), whatever the text has in it. The error is the server's own, for those who can act on its
    /// code and position; the transaction is then aborted.
    pub async fn send(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<String>, tokio_postgres::Error> {
        let parameters = parameters.iter().map(|(value, data_type)| (*value, data_type.clone()));
        let mut rows = std::pin::pin!(self.within(self.client.query_typed_raw(sql, parameters)).await?);
        let mut found = Vec::new();
        while let Some(row) = self.within(rows.try_next()).await? {
            if !row.is_empty() {
                found.extend(row.try_get::<_, Option<AnyText>>(0)?.map(|AnyText(text)| text));
            }
        }
        Ok(found)
    }

    /// Sends statements one by one without waiting for answers in between, and returns what each of them returned. In a transaction nothing
    /// runs after the first that fails.
    pub async fn send_all(
        &self,
        statements: &[(&str, Vec<Parameter<'_>>)],
    ) -> Result<Vec<Vec<String>>, tokio_postgres::Error> {
        let sent = statements.iter().map(|(sql, parameters)| self.send(sql, parameters));
        futures_util::future::join_all(sent).await.into_iter().collect()
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
        let rows = self.within(self.client.query_typed_raw(sql, parameters)).await.map_err(failed)?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = self.within(rows.try_next()).await.map_err(failed)? {
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
        self.savepoint(part).await?;
        let result = self.each(part, sql, oids, visit).await;
        self.back_to_savepoint(part, result).await
    }

    pub(super) async fn savepoint(&self, part: &'static str) -> Result<(), DbError> {
        self.own(part, "SAVEPOINT pgassay").await
    }

    pub(super) async fn back_to_savepoint(
        &self,
        part: &'static str,
        result: Result<(), DbError>,
    ) -> Result<(), DbError> {
        if !matches!(result, Err(DbError::Lost { .. })) {
            self.own(part, "ROLLBACK TO SAVEPOINT pgassay; RELEASE SAVEPOINT pgassay").await?;
        }
        result
    }

    /// From here on, each statement sees what is there when it begins.
    pub(in crate::db) async fn read_committed(&self) -> Result<(), DbError> {
        let begin = format!("ROLLBACK; BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; {}", self.settings());
        self.own("the start of the transaction", &begin).await
    }

    /// What was to be read is something that is not read.
    pub(in crate::db) fn wrong_object(&self, part: &'static str, message: String) -> DbError {
        DbError::Query { place: self.place.clone(), part, code: "42809".to_owned(), message }
    }

    pub(in crate::db) fn error(&self, part: &'static str, error: &tokio_postgres::Error) -> DbError {
        let (place, message) = (self.place.clone(), describe(error));
        match error.as_db_error() {
            // Class 57P0: terminated by an administrator, a crash, or a shutdown.
            Some(server) if !server.code().code().starts_with("57P0") => {
                DbError::Query { place, part, code: server.code().code().to_owned(), message }
            }
            _ if self.silent.load(Ordering::Relaxed) => {
                let seconds = (self.limits.statement + GRACE).as_secs();
                DbError::Lost { place, part, message: format!("the server has not answered for {seconds} s") }
            }
            _ => DbError::Lost { place, part, message },
        }
    }
}

/// Text, or what is sent as text: EXPLAIN (FORMAT JSON) returns json.
pub(crate) struct AnyText(pub String);

impl FromSql<'_> for AnyText {
    fn from_sql(data_type: &Type, raw: &[u8]) -> Result<AnyText, Box<dyn std::error::Error + Sync + Send>> {
        let data_type = if *data_type == Type::JSON { &Type::TEXT } else { data_type };
        String::from_sql(data_type, raw).map(AnyText)
    }

    fn accepts(data_type: &Type) -> bool {
        *data_type == Type::JSON || <String as FromSql>::accepts(data_type)
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
