//! Reading a live database, whole.

use super::catalog::{self, Catalog, Locked};
use super::{DbError, Limits, Parameters, Session, build, ddl, measure};
use crate::change::QualifiedName;
use crate::facts::{Facts, Samples, Topic, Unread, Values, Workload};

/// What was read of a database: enough for a [`Database`](super::Database), and what a snapshot holds.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The DDL of the schema.
    pub ddl: String,
    pub facts: Facts,
    pub workload: Workload,
    /// What the frameworks' own tables say.
    pub applied: Vec<super::AppliedMigrations>,
    /// What its planner looks at, where that was wanted: what a twin is made of.
    pub planner: Option<crate::facts::planner::Statistics>,
    /// What a sample of rows says: of a snapshot that was written with one.
    pub samples: Option<Samples>,
}

/// What to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    pub values: Values,
    pub limits: Limits,
    /// What the planner looks at too, with the values in it.
    pub planner: bool,
}

/// Reads a database in one read-only transaction.
///
/// # Errors
/// [`DbError`] if it cannot be reached, is no PostgreSQL that pgassay knows, or the connection is lost. What the role may not read is no
/// error: [`Facts::unread`] says what it is.
pub async fn read(parameters: &Parameters, wanted: Wanted) -> Result<Reading, DbError> {
    read_noting(parameters, wanted, |_, ddl| ddl).await
}

/// The databases of a server that the role may connect to, but for templates and for `postgres`, which is there for maintenance.
///
/// # Errors
/// [`DbError`] if the server cannot be reached or asked.
pub async fn databases(parameters: &Parameters, limits: &Limits) -> Result<Vec<String>, DbError> {
    const SQL: &str = "SELECT d.datname::text FROM pg_catalog.pg_database d
        WHERE d.datallowconn AND NOT d.datistemplate AND d.datname <> 'postgres' AND pg_catalog.has_database_privilege(d.oid, 'CONNECT')
        ORDER BY 1";
    let session = Session::open(parameters, limits).await?;
    let mut names = Vec::new();
    let result = session
        .each("the databases of the server", SQL, None, |row| {
            names.push(row.get(0)?);
            Ok(())
        })
        .await;
    session.close().await;
    result.map(|()| names)
}

/// As [`read`]. `note` is given the DDL as soon as it is written, before the rest is read, and what it returns is kept of it.
pub(super) async fn read_noting(
    parameters: &Parameters,
    wanted: Wanted,
    note: impl FnOnce(&Facts, String) -> String,
) -> Result<Reading, DbError> {
    let session = Session::open(parameters, &wanted.limits).await?;
    let second = session.second(parameters, &wanted.limits).await?;
    let reading = read_with(&session, second.as_ref(), wanted, note).await;
    if let Some(second) = second {
        second.close().await;
    }
    session.close().await;
    reading
}

/// As [`read`], in an open session.
///
/// # Errors
/// As [`read`].
pub async fn read_in(session: &Session, wanted: Wanted) -> Result<Reading, DbError> {
    read_with(session, None, wanted, |_, ddl| ddl).await
}

/// What the catalog says, once it is written as DDL.
struct Defined {
    ddl: String,
    indexes: Vec<(QualifiedName, String)>,
    locked: Locked,
    unread: Vec<Unread>,
}

async fn define(
    session: &Session,
    server: &Facts,
    note: impl FnOnce(&Facts, String) -> String,
) -> Result<Defined, DbError> {
    let mut catalog: Catalog = catalog::read(session, server.server.major()).await?;
    let title = format!(
        "Schema of the database {}, PostgreSQL {}, read at {}.",
        server.database.name, server.server.version, server.server.read_at
    );
    let ddl = note(server, ddl::write(&catalog, &title));
    let (locked, unread) = (std::mem::take(&mut catalog.locked), std::mem::take(&mut catalog.unread));
    Ok(Defined { ddl, indexes: build::index_definitions(&catalog), locked, unread })
}

/// The second session measures while the first reads the catalog.
async fn read_with(
    session: &Session,
    second: Option<&Session>,
    wanted: Wanted,
    note: impl FnOnce(&Facts, String) -> String,
) -> Result<Reading, DbError> {
    let server = measure::server(session).await?;
    let mut facts = server.clone();
    let Defined { ddl, indexes, mut locked, unread } = match second {
        Some(second) => {
            let measured = async {
                let mut locked = Locked::read(second).await?;
                measure::measure(second, &mut facts, &mut locked, wanted.values).await
            };
            tokio::try_join!(define(session, &server, note), measured)?.0
        }
        None => define(session, &server, note).await?,
    };
    facts.unread.splice(server.unread.len()..server.unread.len(), unread);
    if second.is_none() {
        measure::measure(session, &mut facts, &mut locked, wanted.values).await?;
    }
    for (name, definition) in indexes {
        if let Some(index) = facts.indexes.get_mut(&name) {
            index.definition = definition;
        }
    }
    let workload = measure::workload(session, &mut facts).await?;
    let applied = super::applied::read(session, &mut facts).await?;
    // The last: it changes settings of the session, and where it fails, the transaction is over.
    let planner = if wanted.planner { planner(session, &mut facts).await } else { None };
    Ok(Reading { ddl, facts, workload, applied, planner, samples: None })
}

/// What the planner of a database looks at, of which the rest is known already. `None` where the facts say why it could not be read.
///
/// # Errors
/// [`DbError`] if the database cannot be reached.
pub async fn read_planner(
    parameters: &Parameters,
    limits: &Limits,
    facts: &mut Facts,
) -> Result<Option<crate::facts::planner::Statistics>, DbError> {
    let session = Session::open(parameters, limits).await?;
    let statistics = planner(&session, facts).await;
    session.close().await;
    Ok(statistics)
}

async fn planner(session: &Session, facts: &mut Facts) -> Option<crate::facts::planner::Statistics> {
    match super::planner::capture(session).await {
        Ok(statistics) => Some(statistics),
        Err(error) => {
            facts.unread.push(Unread {
                topic: Topic::ColumnStatistics,
                fact: "what the planner looks at".to_owned(),
                reason: error.to_string(),
                unchecked: "plans: no twin can be made".to_owned(),
                objects: Vec::new(),
            });
            None
        }
    }
}
