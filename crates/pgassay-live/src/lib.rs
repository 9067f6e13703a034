//! What pgassay learns by looking: files and git, live databases, throwaway servers, and what is tried on them.
//!
//! The map of the modules is in the documentation of the crate `pgassay`.

pub mod collect;
pub mod db;
pub mod git;
mod machine;
pub mod prove;
pub mod run;
pub mod shadow;
pub mod twin;
pub mod whatif;

// So that `crate::sql` is the same in both libraries.
use pgassay_core::{
    advisor, apply, area, audit, catalog, change, check, config, contract, effect, facts, finding, history, migration,
    plan, report, rules, schema, source, sql, stack, text, version, walk,
};
