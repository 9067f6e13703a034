//! Reading a live database, whole.

use super::catalog::{self, Catalog};
use super::{DbError, Limits, Parameters, Session, build, ddl, measure};
use crate::facts::{Facts, Topic, Unread, Values, Workload};
use crate::twin;

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
    pub planner: Option<twin::Statistics>,
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
    let session = Session::open(parameters, &wanted.limits).await?;
    let reading = read_in(&session, wanted).await;
    session.close().await;
    reading
}

/// The same in an open session.
pub async fn read_in(session: &Session, wanted: Wanted) -> Result<Reading, DbError> {
    let mut facts = measure::server(session).await?;
    let mut catalog: Catalog = catalog::read(session, facts.server.major()).await?;
    let title = format!(
        "Schema of the database {}, PostgreSQL {}, read at {}.",
        facts.database.name, facts.server.version, facts.server.read_at
    );
    let ddl = ddl::write(&catalog, &title);
    facts.unread.append(&mut catalog.unread);
    let mut locked = std::mem::take(&mut catalog.locked);
    let definitions = build::index_definitions(&catalog);
    drop(catalog);
    measure::measure(session, &mut facts, &mut locked, wanted.values).await?;
    for (name, definition) in definitions {
        if let Some(index) = facts.indexes.get_mut(&name) {
            index.definition = definition;
        }
    }
    let workload = measure::workload(session, &mut facts).await?;
    let applied = super::applied::read(session, &mut facts).await?;
    // The last: it changes settings of the session, and where it fails, the transaction is over.
    let planner = if wanted.planner { planner(session, &mut facts).await } else { None };
    Ok(Reading { ddl, facts, workload, applied, planner })
}

async fn planner(session: &Session, facts: &mut Facts) -> Option<twin::Statistics> {
    match twin::capture(session).await {
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
