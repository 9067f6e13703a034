//! pgassay assays PostgreSQL migrations, schemas and query plans.

pub mod advisor;
pub mod audit;
pub mod baseline;
pub mod catalog;
pub mod change;
pub mod check;
pub mod config;
pub mod contract;
pub mod db;
pub mod effect;
pub mod expression;
pub mod facts;
pub mod finding;
pub mod git;
pub mod history;
pub mod migration;
pub mod plan;
pub mod prove;
pub mod report;
pub mod rules;
pub mod schema;
pub mod shadow;
pub mod sql;
pub mod twin;
pub mod version;
pub mod whatif;
