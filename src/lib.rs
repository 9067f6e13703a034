//! pgassay assays PostgreSQL migrations, schemas and query plans.
//!
//! Three models carry what is known of PostgreSQL, and the rules only read them:
//!
//! ```text
//! files ─► migration ─► sql ─► change ─┐
//!                                       ├─► effect    what the server does: locks, rewrites, scans   ─┐
//! history, db (catalog, snapshot) ─► schema                                                            ├─► rules ─► report
//!                                       ├─► contract  what clients may rely on, before and after      ─┤
//! db (statistics, workload) ─────────► facts                                                          ─┘
//! ```
//!
//! [`check`] judges migrations, [`audit`] a schema as it is; [`prove`] runs migrations on a [`shadow`] server and corrects what was
//! predicted by what was seen. [`plan`] reads one query plan; [`advisor`] picks indexes, with costs asked of [`whatif`], which plans in the
//! [`twin`] of a database. [`config`], [`baseline`] and [`git`] say what is wanted and what is new.
//!
//! A module imports those below it only, and none beside it; `cli` is the binary's:
//!
//! ```text
//! cli
//! prove
//! whatif
//! twin
//! db
//! shadow
//! examples
//! audit, baseline, check
//! report
//! config
//! rules
//! facts, history
//! effect, finding
//! advisor, apply, contract
//! expression, migration, plan
//! area, schema, sql
//! change
//! catalog
//! git, source, stack, text, version
//! ```
//!
//! Only `migration`, `git`, `db`, `shadow`, `prove`, `twin` and `whatif` do I/O; the rest is deterministic.

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
pub mod db;
pub mod effect;
pub mod examples;
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
pub mod source;
pub mod sql;
pub mod stack;
pub mod text;
pub mod twin;
pub mod version;
pub mod whatif;
