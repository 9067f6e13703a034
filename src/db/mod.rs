//! A live database, read-only by construction: connecting, and reading catalogs, statistics and workload.
//!
//! In: connection parameters, or a snapshot file. Out: a [`Database`]: the catalog as DDL text, the [`Schema`] that our own reader makes
//! of that text, [`Facts`] and [`Workload`]. There is one way into a schema: the DDL is read and applied as a migration is, so a
//! finding on a live database points into it with file, line and column.

mod catalog;
mod connect;
mod error;
mod places;

pub use connect::{Limits, Parameters, Row, Session};
pub use error::DbError;
pub use places::Places;

use crate::facts::{Facts, Workload};
use crate::schema::Schema;
use crate::sql::FileId;
use crate::version::PgVersion;

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
}
