//! A live database, read-only by construction: connecting, and reading catalogs, statistics and workload.
//!
//! In: connection parameters, or a snapshot file. Out: a [`Database`]: the catalog as DDL text, the [`Schema`] that our own reader makes
//! of that text, [`Facts`] and [`Workload`]. There is one way into a schema: the DDL is read and applied as a migration is, so a
//! finding on a live database points into it with file, line and column.

pub mod applied;
mod build;
mod catalog;
mod connect;
mod ddl;
mod error;
mod explain;
mod live;
mod measure;
pub mod sample;
pub mod snapshot;

pub use applied::AppliedMigrations;
pub use connect::{Limits, Parameters, Row, Session};
pub use error::DbError;
pub use explain::{Explained, Mode as ExplainMode, explain};
pub use live::{Reading, Wanted, read, read_in};

use crate::facts::{Facts, Live, Workload};
use crate::history::Places;
use crate::schema::Schema;
use crate::sql::{FileId, SourceFile, Sources};
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
    pub planner: Option<crate::twin::Statistics>,
}

impl Database {
    /// Builds the schema of what was read, or of what a snapshot held. The DDL becomes a file among the sources.
    pub fn new(reading: Reading, sources: &mut Sources) -> Database {
        let Reading { ddl, mut facts, workload, applied, planner } = reading;
        let label = format!("database {}", facts.database.name);
        let major = facts.server.major().clamp(PgVersion::OLDEST.major(), PgVersion::NEWEST.major());
        let version = PgVersion::new(major).unwrap_or_default();
        let file = sources.add(SourceFile::new(&label, ddl));
        let built = build::build(file, sources.file(file), version, &facts);
        facts.unread.extend(built.unread);
        Database { label, version, file, schema: built.schema, places: built.places, facts, workload, applied, planner }
    }

    /// What `check` needs of it.
    pub fn live(self) -> Live {
        Live::new(self.schema, self.facts, &self.workload)
    }
}
