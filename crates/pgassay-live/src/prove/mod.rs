//! Running migrations on a shadow server: what was predicted is watched, and corrected where it was wrong.
//!
//! In: a server, and the runs that [`check_observed`](crate::check::check_observed) hands over one by one. Out: findings
//! with observed evidence, those that were withdrawn, those that only a server can find, and a [`Proof`](crate::report::Proof).
//!
//! [`Prover`] leads. `server` is where databases are made and dropped, and does without roles and extensions that are missing; `run`
//! runs a migration, watches it, and holds it against what was predicted; `clients` tries what clients do before and after; `rows` makes
//! up rows.

mod clients;
mod error;
mod prover;
mod rows;
mod run;
mod server;

pub use clients::plans::PlanWatch;
pub use clients::queries::{Query, counted_queries, read_queries};
pub use error::ProveError;
pub use prover::{Options, Prover};
pub use server::cleanup::{Cleanup, GUARD_COMMAND, guard};
pub use server::ground::{Ground, Place};
