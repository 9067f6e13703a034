//! A live database, read-only by construction: connecting, and reading catalogs, statistics and workload.
//!
//! In: connection parameters, or a snapshot file. Out: a [`Database`]: the catalog as DDL text, the [`Schema`] that our own reader makes
//! of that text, [`Facts`] and [`Workload`]. There is one way into a schema: the DDL is read and applied as a migration is, so a
//! finding on a live database points into it with file, line and column.

pub mod applied;
mod audited;
mod build;
mod catalog;
mod connect;
mod ddl;
mod error;
mod explain;
mod live;
mod measure;
pub mod planner;
pub mod rights;
pub mod sample;
pub mod snapshot;
mod user_code;

pub use applied::AppliedMigrations;
pub(crate) use connect::AnyText;
pub use connect::{Limits, Parameter, Parameters, Row, Session};
pub use error::DbError;
pub(crate) use error::server_message;
pub use explain::{Explained, Mode as ExplainMode, explain};
pub use live::{Reading, Wanted, databases, read, read_in, read_planner};
pub use user_code::UserCode;

use tokio::sync::oneshot;

use crate::facts::{Facts, Live, Workload};
use crate::history::Places;
use crate::schema::Schema;
use crate::source::{FileId, SourceFile, Sources};
use crate::version::PgVersion;

/// Marks statements that read rows of tables: pg_stat_statements keeps the comment, and an audit does not judge itself.
pub(crate) const OWN: &str = "/* pgassay */";

/// A database as it was at one moment, live or from a snapshot.
#[derive(Debug, Clone)]
pub struct Database {
    /// As messages call it: `database shop`. Also the name of the file that holds the DDL.
    pub label: String,
    /// The server's major version, or the closest one that pgassay knows.
    pub version: PgVersion,
    /// The DDL among the sources of the run.
    pub file: FileId,
    /// What the DDL makes; complete.
    pub schema: Schema,
    /// Where in the DDL objects are.
    pub places: Places,
    pub facts: Facts,
    pub workload: Workload,
    pub applied: Vec<AppliedMigrations>,
    /// What its planner looks at, where that was read.
    pub planner: Option<crate::facts::planner::Statistics>,
    pub samples: Option<crate::facts::Samples>,
}

impl Database {
    /// Builds the schema of what was read, or of what a snapshot held. The DDL becomes a file among the sources.
    pub fn new(mut reading: Reading, sources: &mut Sources) -> Database {
        let ddl = std::mem::take(&mut reading.ddl);
        let file = sources.add(SourceFile::new(label(&reading.facts), ddl));
        let built = build::build(file, sources.file(file), version(&reading.facts));
        Database::of(reading, file, built)
    }

    /// Reads a database, and builds the schema on another thread of rayon's while the rest is read.
    ///
    /// # Errors
    /// As [`read`].
    pub async fn read(parameters: &Parameters, wanted: Wanted, sources: &mut Sources) -> Result<Database, DbError> {
        // Places in the schema name the file, and its text is yet to come.
        let file = sources.reserve();
        let (sender, built) = oneshot::channel();
        let build = move |facts: &Facts, ddl: String| {
            let (source, version) = (SourceFile::new(label(facts), ddl), version(facts));
            let work = move || {
                let built = build::build(file, &source, version);
                // Nobody waits for it where the connection was lost meanwhile.
                let _ = sender.send((source, built));
            };
            // This thread may be the only one of rayon's, and it waits for the server.
            if rayon::current_num_threads() > 1 {
                rayon::spawn(work)
            } else {
                work()
            }
            String::new()
        };
        let reading = live::read_noting(parameters, wanted, build).await?;
        let (source, built) = built.await.map_err(|_| DbError::Build { place: label(&reading.facts) })?;
        sources.fill(file, source);
        Ok(Database::of(reading, file, built))
    }

    fn of(reading: Reading, file: FileId, mut built: build::Built) -> Database {
        let Reading { ddl: _, mut facts, workload, applied, planner, samples } = reading;
        built.complete_by(&facts);
        facts.unread.extend(built.unread);
        let (label, version) = (label(&facts), version(&facts));
        let build::Built { schema, places, .. } = built;
        Database { label, version, file, schema, places, facts, workload, applied, planner, samples }
    }

    /// What `check` needs of it.
    pub fn live(self) -> Live {
        Live::new(self.schema, self.facts, &self.workload)
    }
}

fn label(facts: &Facts) -> String {
    format!("database {}", facts.database.name)
}

/// The server's version, or the closest one that pgassay knows.
fn version(facts: &Facts) -> PgVersion {
    let major = facts.server.major().clamp(PgVersion::OLDEST.major(), PgVersion::NEWEST.major());
    PgVersion::new(major).unwrap_or_default()
}
