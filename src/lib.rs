//! pgassay assays PostgreSQL migrations, schemas and query plans.

pub mod effect;
pub mod shadow;
