//! Planning a workload as if indexes were there that are not: the planners that the [advisor](crate::advisor) asks.
//!
//! In: statements as pg_stat_statements keeps them, with `$1` for constants. Out: generic plans, from a [`Twin`](crate::twin::Twin)
//! ([`TwinPlanner`]), from the database itself ([`HypopgPlanner`]), or from each what it does better ([`BothPlanner`]).

mod both;
mod copy_server;
mod given;
mod hypopg_planner;
mod planning;
mod prepare;
mod rewording;
mod standing;
mod tables;
mod twin_planner;
mod verify;

pub use both::{BothPlanner, MakeTwin};
pub use hypopg_planner::HypopgPlanner;
pub use prepare::{Prepared, is_plannable, reads_catalogs, set_columns, without_constants};
pub use tables::read_tables;
pub use twin_planner::TwinPlanner;
pub use verify::{Made, Measured, Verified, VerifyError, verify};
