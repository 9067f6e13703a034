//! The twin: a throwaway server whose planner sees the statistics, sizes and settings of a real database, and so plans as it does.
//!
//! In: the DDL of a schema, and the [`Statistics`](crate::facts::planner::Statistics) that [`capture`](crate::db::planner::capture) read from the real database. Out: a [`Twin`], which answers
//! EXPLAIN as the real database would, and tries indexes that the real one does not have. It has no rows: the files of its tables and
//! indexes are holes of the right size, its B-trees are trees of the right height without entries. Nothing may be executed on it.

mod after;
mod btree;
mod build;
mod carry;
mod error;
mod extended;
mod files;
mod indexes;
mod locale;
mod metapage;
mod restore;

pub use build::{Gap, Twin};
pub use error::TwinError;
pub use indexes::TrialIndex;
