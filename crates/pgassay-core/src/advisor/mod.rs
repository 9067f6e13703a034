//! Which indexes pay: candidates from plans, judged by a planner, chosen over the whole workload.
//!
//! In: [`Query`]s with their weights, [`Tables`] (what is measured of tables, columns and indexes), and a [`Planner`] that plans a query
//! as if some indexes were there or not. Out: [`Advice`]. Does no I/O but for what the planner does.
//!
//! Candidates come from what the server itself prints of its plans (EXPLAIN VERBOSE): there every column is written with the relation it
//! belongs to, views are gone, and nothing has to be guessed about names.

mod atom;
mod budget;
mod candidate;
mod cautious;
mod choose;
mod definition;
mod describe;
mod foreign_key;
mod merge;
mod needed;
mod observe;
mod outcome;
mod pace;
mod reduce;
mod redundant;
mod rewrite;
mod size;
mod special;
mod tables;
mod trial;
mod variant;
mod weigh;
mod write_cost;
mod writes;

pub use atom::{Atom, Use};
pub use candidate::candidates;
pub use choose::{Advice, Advised, Gain, Outcome, Query, Reason, Unused, advise};
pub use definition::{Definition, Key, Method};
pub use observe::{Counted, Observation, observe, skew};
pub use pace::{Cause, causes};
pub use rewrite::rewrites;
pub use size::{Estimate, entries_and_bytes};
pub use tables::{ColumnInfo, IndexInfo, Operator, Reference, TableInfo, Tables};
pub use trial::{Brings, tell_tried, try_tips};
pub use variant::{Compared, Values, array_of, compared, typical_values};

use std::collections::BTreeMap;

use crate::change::QualifiedName;
use crate::plan::Plan;

/// Plans queries as if indexes were there that are not, and the other way round.
pub trait Planner {
    /// Makes indexes that can be tried, once. `Err` tells why one cannot be.
    fn offer(&mut self, indexes: &[Offer]) -> Vec<Result<(), String>>;

    /// Whether an index is the part that an offered one has on a partition.
    fn is_part_of(&self, index: &str, offered: &str) -> bool;

    /// The plan of a query (by its place in the workload) with some of the offered indexes and without some of the existing ones.
    fn plan(&mut self, query: usize, with: &[String], without: &[QualifiedName]) -> Result<Plan, String>;

    /// The plan of a query with literals in the place of some parameters, by their numbers.
    fn plan_with_values(&mut self, query: usize, values: &BTreeMap<usize, String>) -> Result<Plan, String>;

    /// A query with literals in the place of some parameters as one more query: its number, the next that is free.
    fn with_values(&mut self, query: usize, values: &BTreeMap<usize, String>) -> Option<usize>;

    /// One more statement: its number, the next that is free.
    fn add(&mut self, text: &str) -> Option<usize>;

    /// The role that a query is planned as, where policies bind it and not us.
    fn planned_as(&self, _query: usize) -> Option<&str> {
        None
    }

    /// Rows of a table for which a condition holds.
    fn rows(&mut self, table: &QualifiedName, condition: &str) -> Option<f64>;
}

/// A candidate that a planner can be asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// In the schema of its table.
    pub name: String,
    pub definition: Definition,
    pub estimate: Estimate,
}

/// What to choose by.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Bytes that all new indexes together may take.
    pub size_budget: Option<u64>,
    /// Tables with fewer pages are read whole in no time.
    pub smallest_table_pages: u64,
    /// The same for a query that is hot: many calls and much of all time.
    pub smallest_hot_table_pages: u64,
    /// Least share of a query's cost that its indexes must save: what costs say is no better than that.
    pub least_gain: f64,
    /// A plan that costs more by this share is not felt to be slower.
    pub not_felt: f64,
    /// Least share of the time of all queries that an index must save, of what is left with the others.
    pub least_share: f64,
    /// The same for an index as large as all tables together: what it takes in memory, in backups and in replication others lack.
    pub rent: f64,
}

impl Limits {
    /// With so many bytes for all new indexes.
    pub fn within(size_budget: Option<u64>) -> Limits {
        Limits { size_budget, ..Limits::default() }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            size_budget: None,
            smallest_table_pages: 100,
            smallest_hot_table_pages: 8,
            least_gain: 0.2,
            not_felt: 0.1,
            least_share: 0.005,
            rent: 0.1,
        }
    }
}
