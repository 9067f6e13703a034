//! Running migrations on a shadow server: what was predicted is watched, and corrected where it was wrong.
//!
//! In: a server, and the runs that [`check_observed`](crate::check::check_observed) hands over one by one. Out: findings
//! with observed evidence, those that were withdrawn, those that only a server can find, and a [`Proof`](crate::report::Proof).
//!
//! [`Prover`] leads; `ground` is where databases stand, `cleanup` that none stays, `run` runs and watches, `compare` and `verdict` hold it against what
//! was predicted, `witness`, `routine`, `call`, `workload` and `cached` try what clients do before and after, `prepare` and `guess` find
//! the types of their parameters,
//! `plans` holds hot queries' plans against each other, `stand_in` and `lack` do without roles and extensions, and `seed` makes up rows.

mod cached;
mod call;
mod cleanup;
mod compare;
mod error;
mod ground;
mod guess;
mod lack;
mod matching;
mod plans;
mod prepare;
mod probe;
mod prover;
mod queries;
mod replay;
mod routine;
mod run;
mod seed;
mod seed_read;
mod seed_table;
mod seed_value;
mod shared;
mod stand_in;
mod stand_in_extension;
mod verdict;
mod witness;
mod workload;

pub use cleanup::{Cleanup, GUARD_COMMAND, guard};
pub use error::ProveError;
pub use ground::{Ground, Place};
pub use plans::PlanWatch;
pub use prover::{Options, Prover};
pub use queries::{Query, counted_queries, read_queries};
