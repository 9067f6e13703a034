//! pgassay assays PostgreSQL migrations, schemas and query plans.

pub mod change;
pub mod effect;
pub mod sql;
