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
//!
//! # As a library
//!
//! What is documented here is meant to be called: [`check`], [`audit`], [`plan`], [`sql`], [`schema`] and [`apply`] with what they take and give
//! ([`migration`], [`source`], [`finding`], [`report`], [`config`], [`version`]). The other modules are public for the binary and the
//! tests, are left out of these pages, and may change in any release.
//!
//! A history is judged, and a report printed in any format:
//!
//! ```
//! use pgassay::check::{Job, check};
//! use pgassay::migration::Migration;
//! use pgassay::report::{Json, Renderer};
//! use pgassay::source::{SourceFile, Sources};
//!
//! let mut sources = Sources::default();
//! let mut migration = |name: &str, text: &str| {
//!     let file = sources.add(SourceFile::new(name, text));
//!     Migration::plain(name, file, text.len())
//! };
//! let base = vec![migration("1.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, note text);")];
//! let migrations = vec![migration("2.sql", "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;")];
//!
//! let report = check(&Job { base, migrations, ..Job::default() }, &sources);
//! let scan = report.findings.iter().find(|finding| finding.rule.name == "blocking-scan").unwrap();
//! assert_eq!(scan.object.as_deref(), Some("public.orders"));
//!
//! let mut json = Vec::new();
//! Json.render(&report, &sources, &mut json)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A schema is audited as it is:
//!
//! ```
//! use pgassay::audit::{AuditJob, audit};
//! use pgassay::migration::Migration;
//! use pgassay::source::{SourceFile, Sources};
//!
//! let mut sources = Sources::default();
//! let text = "CREATE TABLE payments (amount real);";
//! let file = sources.add(SourceFile::new("schema.sql", text));
//! let job = AuditJob { migrations: vec![Migration::plain("schema.sql", file, text.len())], ..AuditJob::default() };
//!
//! let report = audit(&job, &sources);
//! assert!(report.findings.iter().any(|finding| finding.rule.name == "missing-primary-key"));
//! ```
//!
//! A plan is read from what EXPLAIN printed, and its slow nodes are explained:
//!
//! ```
//! use pgassay::plan::{self, Shares};
//!
//! let text = "Seq Scan on orders  (cost=0.00..1693.00 rows=1 width=8) (actual time=6.022..9.317 rows=1 loops=1)
//!   Filter: (customer_id = 42)
//!   Rows Removed by Filter: 99999
//! Execution Time: 9.341 ms";
//! let plan = plan::read(text)?.remove(0);
//! let tips = plan::advise(&plan, &Shares::of(&plan));
//! assert_eq!(tips[0].kind, "sequential-scan-filter");
//! # Ok::<(), plan::ReadError>(())
//! ```
//!
//! SQL is read into what its statements ask for, with the place of each:
//!
//! ```
//! use pgassay::source::{FileId, SourceFile};
//! use pgassay::sql::read_script;
//!
//! let source = SourceFile::new("1.sql", "DROP TABLE orders; SELECT 1;");
//! let script = read_script(FileId(0), &source);
//! let first = script.statements[0].change.as_ref().unwrap();
//! assert_eq!(first.names(), ["drop-table"]);
//! ```
//!
//! Applied to a schema, they make what a server would have; a copy costs next to nothing:
//!
//! ```
//! use pgassay::apply::apply;
//! use pgassay::schema::{Schema, Session};
//! use pgassay::source::{FileId, SourceFile};
//! use pgassay::sql::read_script;
//! use pgassay::version::PgVersion;
//!
//! let source = SourceFile::new("1.sql", "CREATE TABLE orders (id bigint PRIMARY KEY); ALTER TABLE orders ADD note text;");
//! let (mut schema, session) = (Schema::new(true), Session::default());
//! for statement in read_script(FileId(0), &source).statements {
//!     let applied = apply(&mut schema, &statement.change.unwrap(), &session, PgVersion::default());
//!     assert!(applied.problems.is_empty());
//! }
//! let orders = schema.relations.values().find(|relation| relation.name.name == "orders").unwrap();
//! let columns: Vec<&str> = orders.columns.iter().map(|column| column.name.as_str()).collect();
//! assert_eq!(columns, ["id", "note"]);
//! assert!(orders.primary_key().is_some());
//! ```

#[doc(hidden)]
pub use pgassay_core::{
    advisor, area, baseline, catalog, change, contract, effect, examples, expression, facts, fix, history, rules,
    stack, text,
};
pub use pgassay_core::{apply, audit, check, config, finding, migration, plan, report, schema, source, sql, version};
#[doc(hidden)]
pub use pgassay_live::{collect, db, git, prove, run, shadow, twin, whatif};
