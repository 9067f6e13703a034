//! pgassay assays PostgreSQL migrations, schemas and query plans.
//!
//! Three models carry what is known of PostgreSQL, and the rules only read them:
//!
//! ```text
//! files ──► collect ──► sql ─► change ─┐
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
//! A module imports those below it only, and none beside it. The crate `pgassay-core` holds those up to `examples` and `fix`, which do no I/O;
//! `pgassay-live` holds `git` to `prove`; `project` to `cli` are the binary's:
//!
//! ```text
//! cli
//! lsp, mcp
//! project
//! prove
//! whatif
//! twin
//! db
//! run
//! collect, shadow
//! git
//! examples, fix
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
//! machine, source, stack, text, version, walk
//! ```

pub use pgassay_core::{
    advisor, apply, area, audit, baseline, catalog, change, check, config, contract, effect, examples, expression,
    facts, finding, fix, history, migration, plan, report, rules, schema, source, sql, stack, text, version,
};
pub use pgassay_live::{collect, db, git, prove, run, shadow, twin, whatif};
