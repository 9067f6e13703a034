//! Running a migration as its framework runs it, statement by statement, and watching.
//!
//! In: the steps of a [`MigrationRun`], which say the transaction of each. Out: one [`Outcome`] a statement. A refused
//! statement is rolled back to a savepoint and the rest goes on, so that one mistake does not hide the others.

pub(super) mod compare;
mod made_up;
pub(super) mod replay;
mod transaction;
pub(super) mod verdict;

pub(super) use made_up::is_about_rows;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio_postgres::SimpleQueryMessage;

use super::ProveError;
use super::rows::Memory;
use super::server::ground::Ground;
use super::server::lack::StandIn;
use super::server::shared::{belongs_to_server, is_about_machine};
use super::server::stand_in;
use crate::change::Change;
use crate::history::{MigrationRun, Step, TransactionId};
use crate::migration::Framework;
use crate::shadow::{Access, Picture, ServerError, Session, ShadowError, Watched, observe_outside_block_in, refusal};
use crate::source::{Sources, Span};
use crate::sql::Script;
use crate::text::quoting::literal;

/// No statement takes long on a shadow unless it hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// What stands in for so many things at most in one statement.
const MOST_STAND_INS: usize = 20;

/// What one statement did.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// `None`: nothing was watched, because the statement changes only the session, or something stood in for it.
    pub watched: Option<Watched>,
    pub error: Option<ServerError>,
    /// The error came from made-up rows; `watched` is that of the second try, without them.
    pub on_rows: bool,
    /// Rows were made up before, here or where the statement's rows come from.
    pub beside_rows: bool,
    /// It needs what this server lacks, or changes what others use: what follows may miss what it makes.
    pub not_run: bool,
    pub took: Duration,
}

/// The transaction that the session is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    No,
    /// Opened by the file; the next step tells its id.
    Yes(Option<TransactionId>),
}

/// A database and the session in which migrations run.
pub(super) struct Runner {
    pub access: Access,
    pub database: String,
    pub session: Session,
    /// Others use the server too.
    pub is_foreign: bool,
    open: Open,
    /// What stands in for what.
    pub notes: Vec<String>,
    /// Object identifiers of the tables that hold made-up rows: names change.
    pub made_up: BTreeSet<String>,
    /// Rows were made up: statements may have copied them.
    pub has_seeded: bool,
    /// What made up rows before.
    pub memory: RefCell<Memory>,
    /// Functions that take too long to be called again.
    pub slow: RefCell<BTreeSet<String>>,
    /// Frameworks whose own tables are there.
    tools: BTreeSet<Framework>,
    /// Extensions that something stands in for.
    pub lacking: BTreeSet<String>,
    /// A judged statement was not run.
    pub has_left_out: bool,
    /// A statement other than of transaction control ran in the open transaction.
    worked: bool,
    /// The first judged statement that the server refused, as `file:line`.
    pub refused: Option<String>,
    /// The statement_timeout that the migration set, until the end of the transaction or not. It holds for its statements, not for ours.
    timeout: Option<(String, bool)>,
}

impl Runner {
    pub async fn new(ground: &mut Ground) -> Result<Runner, ProveError> {
        let database = ground.create_database().await?;
        let access = ground.access().clone();
        let session = access.connect(&database).await?;
        Ok(Runner {
            access,
            database,
            session,
            is_foreign: ground.is_foreign(),
            open: Open::No,
            notes: Vec::new(),
            made_up: BTreeSet::new(),
            has_seeded: false,
            memory: RefCell::default(),
            slow: RefCell::default(),
            tools: BTreeSet::new(),
            lacking: BTreeSet::new(),
            has_left_out: false,
            worked: false,
            refused: None,
            timeout: None,
        })
    }

    /// Whether a transaction is open: what reads the schema now must do so in this session.
    pub fn is_open(&self) -> bool {
        self.open != Open::No
    }

    /// Gets ready for the next migration: what was open is committed, and the session is as the tool's connection opens it.
    pub async fn prepare(&mut self, run: &MigrationRun<'_>) -> Result<(), ProveError> {
        if !is_shared(run) {
            self.commit().await?;
            self.session.batch_execute("DISCARD ALL").await?;
            self.timeout = None;
            if let Some(schema) = &run.migration.schema {
                let path = format!("SET search_path TO {schema}, \"$user\", public");
                self.session.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema}; {path}")).await?;
            }
            if let Some(first) = run.steps.first().filter(|_| run.search_path_from.is_some()) {
                let path = first.session.search_path.iter().filter(|schema| **schema != "pg_temp");
                let path: Vec<String> = path.map(ToString::to_string).collect();
                let path = if path.is_empty() { "''".to_owned() } else { path.join(", ") };
                self.session.batch_execute(&format!("SET search_path TO {path}")).await?;
            }
        }
        // The tool notes what it ran in tables that it made before the first migration.
        let framework = run.migration.framework;
        if !self.is_open() && self.tools.insert(framework) && !framework.own_tables_ddl().is_empty() {
            let refused = self.send(framework.own_tables_ddl()).await?;
            if let Some(error) = refused {
                self.note(format!("the tables of {framework} could not be made: {error}"));
            }
        }
        Ok(())
    }

    /// Runs every statement. `watch` says whether effects are wanted.
    pub async fn migration(
        &mut self,
        ground: &mut Ground,
        run: &MigrationRun<'_>,
        sources: &Sources,
        watch: bool,
    ) -> Result<Vec<(usize, Outcome)>, ProveError> {
        let mut outcomes: Vec<(usize, Outcome)> = Vec::new();
        for (index, step) in run.steps.iter().enumerate().filter(|(_, step)| step.block.is_none()) {
            let ended = self.align(step).await?;
            blame(&mut outcomes, ended);
            let started = Instant::now();
            let mut outcome = self.statement(ground, step, sources, watch).await?;
            outcome.took = started.elapsed();
            let is_control = matches!(step.change(), Some(Change::Transaction(_)));
            self.worked = self.is_open() && (self.worked || !is_control);
            outcome.beside_rows = self.has_seeded;
            self.has_left_out |= outcome.not_run;
            outcomes.push((index, outcome));
        }
        if !is_shared(run) {
            let ended = self.commit().await?;
            blame(&mut outcomes, ended);
        }
        Ok(outcomes)
    }

    /// Runs the statements of a dump or of a text of DDL one by one; what is refused is noted, and settings are forgotten.
    pub async fn script(&mut self, ground: &mut Ground, script: &Script, sources: &Sources) -> Result<(), ProveError> {
        for statement in &script.statements {
            let sql = statement.sent.as_deref().unwrap_or_else(|| sources.slice(statement.span));
            let change = statement.change.as_ref().ok();
            if statement.is_psql_command() {
                self.for_psql(statement.span, sources);
                continue;
            }
            if ground.is_foreign() && change.is_some_and(belongs_to_server) {
                self.not_run(statement.span, sources);
                continue;
            }
            if change.is_some_and(is_about_machine) {
                self.not_here(statement.span, sources);
                continue;
            }
            for _ in 0..MOST_STAND_INS {
                let Some(error) = self.run(change, sql, sources).await? else { break };
                let is_made = match stand_in::missing(&error, change, ground) {
                    Some(missing) => self.stand_in(ground, missing).await?,
                    None => {
                        self.refused_base(statement, &error, sources).await?;
                        StandIn::None
                    }
                };
                if is_made != StandIn::Complete {
                    break;
                }
            }
        }
        self.session.batch_execute("DISCARD ALL").await?;
        Ok(())
    }

    async fn statement(
        &mut self,
        ground: &mut Ground,
        step: &Step<'_>,
        sources: &Sources,
        watch: bool,
    ) -> Result<Outcome, ProveError> {
        let sql = step.statement.sent.as_deref().unwrap_or_else(|| sources.slice(step.span()));
        if step.statement.is_psql_command() {
            self.for_psql(step.span(), sources);
            return Ok(Outcome::default());
        }
        match step.change() {
            Some(Change::Transaction(control)) => self.control(control, sql).await,
            Some(Change::Set(_) | Change::Reset(_) | Change::Nothing(_)) => {
                let error = self.guarded(step, sql, sources).await?;
                if error.is_none() && sql.to_ascii_lowercase().contains("statement_timeout") {
                    self.take_timeout(sql).await?;
                }
                Ok(Outcome { error, ..Outcome::default() })
            }
            Some(change) if ground.is_foreign() && belongs_to_server(change) => {
                self.not_run(step.span(), sources);
                Ok(Outcome { not_run: true, ..Outcome::default() })
            }
            Some(change) if is_about_machine(change) => {
                self.not_here(step.span(), sources);
                Ok(Outcome { not_run: true, ..Outcome::default() })
            }
            _ => self.standing_in(ground, step, sql, sources, watch).await,
        }
    }

    /// Runs a statement, again and again as long as something can stand in for what it lacks.
    async fn standing_in(
        &mut self,
        ground: &mut Ground,
        step: &Step<'_>,
        sql: &str,
        sources: &Sources,
        watch: bool,
    ) -> Result<Outcome, ProveError> {
        let mut outcome = self.watched(ground, step, sql, sources, watch).await?;
        for _ in 0..MOST_STAND_INS {
            let missing = outcome.error.as_ref().and_then(|error| stand_in::missing(error, step.change(), ground));
            let Some(missing) = missing else { break };
            if self.stand_in(ground, missing).await? == StandIn::Extension {
                return Ok(Outcome::default());
            }
            outcome = self.watched(ground, step, sql, sources, watch).await?;
        }
        let mut sql = std::borrow::Cow::Borrowed(sql);
        for _ in 0..MOST_STAND_INS {
            let lacks = |error: &&ServerError| matches!(error.code.as_str(), "0A000" | "58P01" | "55000");
            let Some(error) = outcome.error.clone().filter(|error| lacks(&error)) else { break };
            let Some(text) = self.without_making_extension(step, &sql, &error).await? else { break };
            sql = text.into();
            outcome = self.watched(ground, step, &sql, sources, watch).await?;
        }
        if let Some(error) = self.for_want_of_extension(step, &outcome) {
            return self.without_extension(ground, step, &error, sources, watch).await;
        }
        if outcome.error.as_ref().is_some_and(is_about_rows) && !self.made_up.is_empty() {
            outcome = self.without_rows(ground, step, &sql, sources, watch, outcome).await?;
        }
        Ok(outcome)
    }

    pub async fn watched(
        &mut self,
        ground: &Ground,
        step: &Step<'_>,
        sql: &str,
        sources: &Sources,
        watch: bool,
    ) -> Result<Outcome, ProveError> {
        let open = self.is_open();
        // The server refuses it outside of a block, which must not be made for it here.
        if !open && wants_block(step.change()) {
            return self.outside(ground, step, sql, false).await;
        }
        if !open {
            self.session.batch_execute("BEGIN").await?;
        }
        let before = if watch { Some(Picture::take(&self.session).await?) } else { None };
        if open {
            self.session.batch_execute("SAVEPOINT pgassay").await?;
        }
        let error = self.run(step.change(), sql, sources).await?;
        match error {
            None => {
                let watched = match &before {
                    Some(before) => Some(before.since(&self.session).await?),
                    None => None,
                };
                // What a block does is not all known, nor what a function does.
                if ground.is_foreign()
                    && matches!(step.change(), Some(Change::Do(_) | Change::Call(_) | Change::Select(_)))
                {
                    ground.note_roles_of(&self.session).await?;
                }
                let error = self.send(if open { "RELEASE SAVEPOINT pgassay" } else { "COMMIT" }).await?;
                Ok(Outcome { watched, error, ..Outcome::default() })
            }
            Some(error) => {
                let undo = if open { "ROLLBACK TO SAVEPOINT pgassay; RELEASE SAVEPOINT pgassay" } else { "ROLLBACK" };
                self.session.batch_execute(undo).await?;
                if !open && (error.forbids_block() || ends_transactions(&error)) {
                    return self.outside(ground, step, sql, watch && error.forbids_block()).await;
                }
                Ok(Outcome { error: Some(error), ..Outcome::default() })
            }
        }
    }

    /// Runs what the server refuses in a transaction block.
    async fn outside(
        &mut self,
        ground: &Ground,
        step: &Step<'_>,
        sql: &str,
        watch: bool,
    ) -> Result<Outcome, ProveError> {
        if !watch {
            let error = self.send(sql).await?;
            return Ok(Outcome { error, ..Outcome::default() });
        }
        let expected: BTreeSet<String> = step.prediction.effect.locks.keys().cloned().collect();
        let (access, database) = (ground.access(), self.database.as_str());
        let seen =
            observe_outside_block_in(access, database, ground.major(), &self.session, &expected, sql, LIMIT).await?;
        let watched = Watched { effect: seen.effect, ..Watched::default() };
        Ok(Outcome { watched: Some(watched), error: seen.error, ..Outcome::default() })
    }

    /// Runs a statement that is not watched; in a transaction, a refusal does not end it.
    async fn guarded(
        &mut self,
        step: &Step<'_>,
        sql: &str,
        sources: &Sources,
    ) -> Result<Option<ServerError>, ProveError> {
        if !self.is_open() {
            return self.run(step.change(), sql, sources).await;
        }
        self.session.batch_execute("SAVEPOINT pgassay").await?;
        let error = self.run(step.change(), sql, sources).await?;
        let end = if error.is_some() {
            "ROLLBACK TO SAVEPOINT pgassay; RELEASE SAVEPOINT pgassay"
        } else {
            "RELEASE SAVEPOINT pgassay"
        };
        self.session.batch_execute(end).await?;
        Ok(error)
    }

    async fn run(
        &self,
        change: Option<&Change>,
        sql: &str,
        sources: &Sources,
    ) -> Result<Option<ServerError>, ProveError> {
        let rows = match change {
            Some(Change::Copy(copy)) if copy.from => copy.data.map(|span| sources.slice(span)),
            _ => None,
        };
        if let Some((timeout, _)) = &self.timeout {
            self.send(&format!("SET LOCAL statement_timeout = {}", literal(timeout))).await?;
        }
        let work = crate::shadow::send_with_rows(&self.session, sql, rows.unwrap_or_default());
        match tokio::time::timeout(LIMIT, work).await {
            Ok(outcome) => {
                let refused = refusal(outcome)?;
                // After a refusal, the transaction goes back to where there was none.
                if refused.is_none() && self.timeout.is_some() {
                    self.send("SET LOCAL statement_timeout = 0").await?;
                }
                Ok(refused)
            }
            Err(_) => Err(ProveError::Shadow(ShadowError::TooSlow { after: LIMIT })),
        }
    }

    /// Sends a text; the inner value is the server's refusal.
    pub async fn send(&self, sql: &str) -> Result<Option<ServerError>, ProveError> {
        Ok(refusal(self.session.batch_execute(sql).await)?)
    }

    /// Asks for rows of text.
    pub async fn rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, ProveError> {
        let messages = self.session.simple_query(sql).await?;
        let row = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect()),
            _ => None,
        };
        Ok(messages.iter().filter_map(row).collect())
    }

    fn not_run(&mut self, span: Span, sources: &Sources) {
        let place = place(span, sources);
        self.note(format!("{place} changes what belongs to the whole server: not run on a server of others"));
    }

    fn for_psql(&mut self, span: Span, sources: &Sources) {
        let place = place(span, sources);
        self.note(format!("{place} is a command of psql: not run"));
    }

    fn not_here(&mut self, span: Span, sources: &Sources) {
        let place = place(span, sources);
        self.note(format!("{place} needs a file or a program of the database's machine: not run on a shadow server"));
    }

    pub fn note(&mut self, text: String) {
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }
}

/// `file:line`.
pub(super) fn place(span: Span, sources: &Sources) -> String {
    format!("{}:{}", sources.file(span.file).name, sources.positions(span).0.line)
}

/// A COMMIT that is refused is told of the last statement before it.
fn blame(outcomes: &mut [(usize, Outcome)], error: Option<ServerError>) {
    if let (Some(error), Some((_, last))) = (error, outcomes.last_mut()) {
        last.error.get_or_insert(error);
    }
}

fn is_shared(run: &MigrationRun) -> bool {
    let sections = &run.migration.sections;
    !sections.is_empty() && sections.iter().all(|section| section.transaction.is_shared())
}

/// COMMIT or ROLLBACK inside a procedure or a DO block, which a block around them forbids.
fn ends_transactions(error: &ServerError) -> bool {
    error.code == "2D000"
}

/// LOCK TABLE and cursors that end with their transaction (`RequireTransactionBlock`, xact.c).
fn wants_block(change: Option<&Change>) -> bool {
    matches!(change, Some(Change::LockTable(_) | Change::DeclareCursor { hold: false, .. }))
}
