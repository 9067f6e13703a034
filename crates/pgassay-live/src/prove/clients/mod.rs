//! What clients do, tried before and after a migration: queries, calls, writes, and the types of their parameters.

mod cached;
mod call;
mod guess;
pub(super) mod plans;
pub(super) mod prepare;
pub(super) mod probe;
pub(super) mod queries;
pub(super) mod routine;
pub(super) mod witness;
pub(super) mod workload;
