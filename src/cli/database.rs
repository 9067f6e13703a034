//! The options of every command that looks at a live database, or at a snapshot of one.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use pgassay::config::Settings;
use pgassay::db::sample::{self, Bounds, What};
use pgassay::db::{self, Database, Limits, Parameters, Reading, Wanted, snapshot};
use pgassay::facts::planner::Statistics;
use pgassay::facts::{Facts, Samples, Values};
use pgassay::source::Sources;
use pgassay::version::PgVersion;

/// Which database to look at.
#[derive(Debug, Args)]
pub struct DatabaseArguments {
    /// Connect to this database, read-only: a URL, "host=… dbname=…", a database's name, or env:NAME for the value of an environment variable
    #[arg(long, value_name = "URL", conflicts_with = "snapshot")]
    db: Option<String>,

    /// Read this snapshot instead of connecting: pgassay snapshot writes it
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,

    #[command(flatten)]
    limits: LimitArguments,
}

/// How long pgassay's own statements may take.
#[derive(Debug, Clone, Copy, Args)]
pub struct LimitArguments {
    /// Seconds that a statement of pgassay's own may take on the server
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    statement_timeout: u64,
}

impl LimitArguments {
    pub fn limits(&self) -> Limits {
        Limits { statement: Duration::from_secs(self.statement_timeout), ..Limits::default() }
    }
}

impl DatabaseArguments {
    pub fn new(db: Option<String>, snapshot: Option<PathBuf>, limits: LimitArguments) -> DatabaseArguments {
        DatabaseArguments { db, snapshot, limits }
    }

    pub fn is_given(&self) -> bool {
        self.db.is_some() || self.snapshot.is_some()
    }

    /// The live database that is named.
    pub fn url(&self) -> Option<&str> {
        self.db.as_deref()
    }

    pub fn limits(&self) -> Limits {
        self.limits.limits()
    }

    /// Reads the database or the snapshot with what its planner looks at.
    pub fn read_for_plans(&self, values: Values) -> anyhow::Result<Option<Reading>> {
        match (&self.db, &self.snapshot) {
            (Some(url), _) => read(url, Wanted { values, limits: self.limits(), planner: true }).map(Some),
            (None, Some(path)) => Ok(Some(snapshot::read(path)?)),
            (None, None) => Ok(None),
        }
    }

    /// What the planner of a database looks at, of which the rest was read without: a snapshot has it already.
    pub fn read_planner(&self, facts: &mut Facts) -> anyhow::Result<Option<Statistics>> {
        let Some(url) = &self.db else { return Ok(None) };
        let parameters = Parameters::read(url)?;
        let runtime = super::runtime()?;
        Ok(runtime.block_on(db::read_planner(&parameters, &self.limits(), facts))?)
    }

    /// The same as a database with its schema; tells on stderr what could not be read.
    pub fn load_for_plans(&self, values: Values, sources: &mut Sources) -> anyhow::Result<Option<Database>> {
        let Some(reading) = self.read_for_plans(values)? else { return Ok(None) };
        let database = Database::new(reading, sources);
        tell(&database.facts);
        Ok(Some(database))
    }

    /// Samples documents, NULLs and references, those of the largest tables first; says on stderr what it is bound to.
    pub fn sample(&self, database: &Database, settings: &Settings) -> anyhow::Result<Samples> {
        let Some(url) = &self.db else { return Ok(Samples::default()) };
        let bounds = Bounds::default();
        let references = database.references(settings);
        let targets = sample::targets(&database.schema, &database.facts, &references);
        let number = |wanted: fn(&What) -> bool| targets.iter().filter(|target| wanted(&target.what)).count();
        say!(
            "note: {}: samples {} JSON columns, the NULLs of {} tables, and {} columns that look like references: each at most {} rows, {} pages, {} MB and {} s, {} s in all",
            database.facts.database.name,
            number(|what| matches!(what, What::Documents { .. })),
            number(|what| matches!(what, What::Nulls { .. })),
            number(|what| matches!(what, What::Reference(_))),
            bounds.rows,
            bounds.pages,
            bounds.bytes / 1_000_000,
            3 * bounds.statement.as_secs(),
            bounds.total.as_secs(),
        );
        let parameters = Parameters::read(url)?;
        let runtime = super::runtime()?;
        Ok(runtime.block_on(sample::sample(&parameters, &targets, &bounds))?)
    }

    /// Reads the database or the snapshot, and tells on stderr what could not be read.
    pub fn load(&self, values: Values, sources: &mut Sources) -> anyhow::Result<Option<Database>> {
        let database = match (&self.db, &self.snapshot) {
            (Some(url), _) => {
                let wanted = Wanted { values, limits: self.limits(), planner: false };
                let parameters = Parameters::read(url)?;
                let runtime = super::runtime()?;
                runtime.block_on(Database::read(&parameters, wanted, sources))?
            }
            (None, Some(path)) => Database::new(snapshot::read(path)?, sources),
            (None, None) => return Ok(None),
        };
        tell(&database.facts);
        Ok(Some(database))
    }
}

/// Connects and reads.
pub fn read(url: &str, wanted: Wanted) -> anyhow::Result<Reading> {
    let parameters = Parameters::read(url)?;
    let runtime = super::runtime()?;
    Ok(runtime.block_on(db::read(&parameters, wanted))?)
}

/// What a reader of the findings has to know of how they were come by.
pub fn tell(facts: &Facts) {
    let note = |text: String| say!("note: {}: {text}", facts.database.name);
    let server = &facts.server;
    if server.major() > PgVersion::NEWEST.major() {
        note(format!(
            "PostgreSQL {} is newer than pgassay knows; it is taken for {}",
            server.major(),
            PgVersion::NEWEST
        ));
    }
    if let Some(warning) = db::rights::warning(&server.current_user, &server.rights) {
        say!("warning: {}: {warning}", facts.database.name);
    }
    if server.in_recovery {
        note("this server is a standby: its counters of scans are its own, and those of writes are the primary's or zero".to_owned());
    }
    for unread in &facts.unread {
        note(format!("could not read {}: {}; not checked: {}", unread.fact, unread.reason, unread.unchecked));
    }
}
