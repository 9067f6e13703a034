//! What pgassay knows without looking: SQL read into changes, schemas, what the server does, what clients lose, and the rules about it.
//!
//! Pure: no files, no network, no clock. The same input gives the same output. The map of the modules is in the documentation of the
//! crate `pgassay`.

pub mod advisor;
pub mod apply;
pub mod area;
pub mod audit;
pub mod baseline;
pub mod catalog;
pub mod change;
pub mod check;
pub mod config;
pub mod contract;
pub mod effect;
pub mod examples;
pub mod expression;
pub mod facts;
pub mod finding;
pub mod fix;
pub mod history;
pub mod migration;
pub mod plan;
pub mod report;
pub mod rules;
pub mod schema;
pub mod source;
pub mod sql;
pub mod stack;
pub mod text;
pub mod version;
pub mod walk;
