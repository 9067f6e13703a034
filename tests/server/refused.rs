//! Statements that a server refuses, with the finding that says so in the server's words, held against the server itself;
//! and input so deep that no stack holds it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::support::servers;
use pgassay::check::{Job, check};
use pgassay::history::Completeness;
use pgassay::migration::Migration;
use pgassay::report::Report;
use pgassay::shadow::{Options, Server};
use pgassay::source::{FileId, SourceFile, Sources};
use pgassay::sql::read_script;
use pgassay::version::PgVersion;

const GIVEN: &str = "
CREATE TABLE accounts (id bigint PRIMARY KEY, code varchar(20), amount numeric(10,2), note text, k int, during int4range, short varchar(20));
CREATE TABLE events (id bigint) PARTITION BY RANGE (id);
CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY);
CREATE TABLE plain_numbers (id bigint);
CREATE MATERIALIZED VIEW totals AS SELECT id, code FROM accounts;
CREATE MATERIALIZED VIEW keyed_totals AS SELECT id, code FROM accounts;
CREATE UNIQUE INDEX keyed_totals_id ON keyed_totals (id);
CREATE MATERIALIZED VIEW partly_keyed AS SELECT id, code FROM accounts;
CREATE UNIQUE INDEX partly_keyed_id ON partly_keyed (id) WHERE id > 0;
CREATE UNIQUE INDEX partly_keyed_code ON partly_keyed (lower(code));
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION doubled(accounts) RETURNS int LANGUAGE sql AS 'SELECT 1';
";

fn judged(version: u16, migration: &str) -> Report {
    let mut sources = Sources::default();
    let mut plain = |name: &str, text: &str| {
        let file = sources.add(SourceFile::new(name, text));
        Migration::plain(name, file, text.len())
    };
    let (base, migrations) = (vec![plain("given.sql", GIVEN)], vec![plain("migration.sql", migration)]);
    let version = PgVersion::new(version).expect("a supported version");
    let job = Job { base, migrations, version, completeness: Completeness::Complete, ..Job::default() };
    check(&job, &sources)
}

/// The messages of findings that say the statement fails whatever the rows are.
fn refusals(version: u16, migration: &str) -> Vec<String> {
    const RULES: &[&str] = &["refused-statement", "missing-object", "unreadable-statement", "duplicate-object"];
    let findings = judged(version, migration).findings;
    findings.into_iter().filter(|it| RULES.contains(&it.rule.name)).map(|it| it.message).collect()
}

thread_local! {
    /// The servers of a test, stopped when it ends.
    static SERVERS: RefCell<BTreeMap<u16, Server>> = const { RefCell::new(BTreeMap::new()) };
}

/// The first error of a server, in a database of its own.
fn error_of(version: u16, migration: &str) -> Option<String> {
    SERVERS.with_borrow_mut(|servers| {
        let server = servers.entry(version).or_insert_with(|| {
            let installation = servers::of_versions(&[version]).remove(0);
            Server::start(&installation, &Options::default()).expect("a server")
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let admin = server.connect("postgres").await.expect("a session");
            admin.batch_execute("DROP DATABASE IF EXISTS trial").await.expect("dropped");
            admin.batch_execute("CREATE DATABASE trial").await.expect("a database");
            let session = server.connect("trial").await.expect("a session");
            session.batch_execute(GIVEN).await.expect("given");
            let source = SourceFile::new("migration", migration);
            let mut error = None;
            for statement in read_script(FileId(0), &source).statements {
                let text = &migration[statement.span.start as usize..statement.span.end as usize];
                if let Err(refusal) = session.batch_execute(text).await {
                    error = Some(refusal.as_db_error().map_or(refusal.to_string(), |it| it.message().to_owned()));
                    break;
                }
            }
            session.close().await;
            admin.close().await;
            error
        })
    })
}

#[track_caller]
fn refused(version: u16, migration: &str, message: &str) {
    let found = refusals(version, migration);
    assert!(found.iter().any(|it| it.contains(message)), "{migration}: {found:?}");
    let error = error_of(version, migration).unwrap_or_default();
    assert!(error.contains(message), "{migration}: {version} says {error:?}");
}

#[track_caller]
fn accepted(version: u16, migration: &str) {
    not_refused(version, migration);
    assert_eq!(error_of(version, migration), None, "{migration}");
}

/// No finding, whether or not the server has what it takes.
#[track_caller]
fn not_refused(version: u16, migration: &str) {
    let found = refusals(version, migration);
    assert!(found.is_empty(), "{migration}: {found:?}");
}

#[test]
fn concurrently_needs_what_the_server_asks_for() {
    refused(
        15,
        "CREATE INDEX CONCURRENTLY ON events (id)",
        "cannot create index on partitioned table \"events\" concurrently",
    );
    accepted(15, "CREATE INDEX CONCURRENTLY ON accounts (k)");
    accepted(15, "CREATE INDEX ON ONLY events (id)");
    let message = "cannot refresh materialized view \"public.totals\" concurrently";
    refused(15, "REFRESH MATERIALIZED VIEW CONCURRENTLY totals", message);
    refused(15, "REFRESH MATERIALIZED VIEW CONCURRENTLY partly_keyed", "concurrently");
    accepted(15, "REFRESH MATERIALIZED VIEW CONCURRENTLY keyed_totals");
    accepted(15, "REFRESH MATERIALIZED VIEW totals");
    let message = "CONCURRENTLY cannot be used when the materialized view is not populated";
    let emptied =
        "REFRESH MATERIALIZED VIEW keyed_totals WITH NO DATA; REFRESH MATERIALIZED VIEW CONCURRENTLY keyed_totals";
    refused(15, emptied, message);
}

#[test]
fn a_subquery_in_from_needs_an_alias_before_16() {
    let message = "subquery in FROM must have an alias";
    let sql = "CREATE FUNCTION of_sql() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM (SELECT 1)'";
    let plpgsql =
        "CREATE FUNCTION of_plpgsql() RETURNS void LANGUAGE plpgsql AS 'BEGIN PERFORM a FROM (SELECT 1 AS a); END'";
    for migration in [
        "CREATE TABLE made AS SELECT * FROM (SELECT id FROM accounts)",
        "CREATE VIEW made AS SELECT * FROM accounts JOIN LATERAL (SELECT accounts.k AS more) ON true",
        "INSERT INTO plain_numbers SELECT id FROM (SELECT id FROM accounts)",
        "UPDATE accounts SET k = (SELECT count(*) FROM (SELECT 1))",
        "DO $$ BEGIN INSERT INTO plain_numbers SELECT id FROM (SELECT id FROM accounts); END $$",
        sql,
        plpgsql,
    ] {
        for version in [14, 15] {
            // What PL/pgSQL holds is not read for this.
            if migration != plpgsql {
                refused(version, migration, message);
            }
        }
        accepted(16, migration);
        accepted(
            15,
            &migration
                .replace("SELECT 1)", "SELECT 1) x")
                .replace("accounts)", "accounts) x")
                .replace("more)", "more) x")
                .replace("AS a)", "AS a) x"),
        );
    }
}

#[test]
fn lock_table_needs_a_transaction_block() {
    refused(15, "LOCK TABLE accounts", "LOCK TABLE can only be used in transaction blocks");
    accepted(15, "BEGIN; LOCK TABLE accounts; COMMIT");
    accepted(15, "DO $$BEGIN LOCK TABLE accounts; END$$");
}

#[test]
fn an_index_needs_an_operator_class() {
    let message = "data type bigint has no default operator class for access method \"gist\"";
    refused(15, "ALTER TABLE accounts ADD EXCLUDE USING gist (id WITH =)", message);
    accepted(15, "ALTER TABLE accounts ADD EXCLUDE USING gist (during WITH &&)");
    accepted(15, "CREATE EXTENSION btree_gist; ALTER TABLE accounts ADD EXCLUDE USING gist (id WITH =)");
    not_refused(15, "CREATE EXTENSION unknown_one; ALTER TABLE accounts ADD EXCLUDE USING gist (id WITH =)");
    refused(
        15,
        "CREATE TABLE t (a json UNIQUE)",
        "data type json has no default operator class for access method \"btree\"",
    );
    refused(15, "CREATE INDEX ON accounts USING gin (note)", "data type text has no default operator class");
    accepted(
        15,
        "CREATE TABLE t (a jsonb UNIQUE, b int[], c varchar(3) UNIQUE, d uuid[] UNIQUE); CREATE INDEX ON t USING gin (a, b)",
    );
    let message = "operator class \"gin_trgm_ops\" does not exist for access method \"gin\"";
    refused(15, "CREATE INDEX ON accounts USING gin (note gin_trgm_ops)", message);
    accepted(15, "CREATE EXTENSION pg_trgm; CREATE INDEX ON accounts USING gin (note gin_trgm_ops)");
}

#[test]
fn a_partition_has_no_identity_column() {
    let attach = "ALTER TABLE events ATTACH PARTITION numbered FOR VALUES FROM (1) TO (5)";
    refused(17, attach, "table \"numbered\" being attached contains an identity column \"id\"");
    accepted(16, attach);
    accepted(17, "ALTER TABLE events ATTACH PARTITION plain_numbers FOR VALUES FROM (1) TO (5)");
}

#[test]
fn no_table_is_below_itself() {
    let message = "circular inheritance not allowed";
    refused(15, "CREATE TABLE a (x int); ALTER TABLE a INHERIT a", message);
    refused(15, "CREATE TABLE a (x int); CREATE TABLE b () INHERITS (a); ALTER TABLE a INHERIT b", message);
    let ring = "CREATE TABLE p (x int) PARTITION BY LIST (x); \
        CREATE TABLE q PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (x); ALTER TABLE q ATTACH PARTITION p DEFAULT";
    refused(15, ring, message);
}

#[test]
fn what_children_inherit_may_be_said_again() {
    let parent = "CREATE TABLE a (x int CONSTRAINT positive CHECK (x > 0));";
    accepted(15, &format!("{parent} CREATE TABLE b (x int CONSTRAINT positive CHECK (x > 0)) INHERITS (a)"));
    let other = format!("{parent} CREATE TABLE b (x int CONSTRAINT positive CHECK (x > 1)) INHERITS (a)");
    refused(15, &other, "constraint \"positive\" for relation \"b\" already exists");
    accepted(15, "CREATE TYPE pair AS (x int, y text); CREATE TABLE c (LIKE pair); ALTER TABLE c DROP COLUMN y");
}

#[test]
fn a_column_that_is_not_there_is_missing() {
    for statement in [
        "CREATE VIEW v AS SELECT nope FROM accounts",
        "CREATE VIEW v AS SELECT a.nope FROM accounts a",
        "CREATE MATERIALIZED VIEW v AS SELECT id FROM accounts WHERE nope > 1",
        "CREATE TABLE t AS SELECT x.nope FROM (SELECT id FROM accounts) x",
        "CREATE POLICY p ON accounts USING (nope = 1)",
        "CREATE POLICY p ON accounts USING (id IN (SELECT nope FROM events))",
        "ALTER TABLE accounts ADD CHECK (nope > 1)",
        "CREATE INDEX ON accounts ((lower(nope)))",
        "CREATE INDEX ON accounts (id) WHERE nope",
        "UPDATE accounts SET nope = 1",
        "UPDATE accounts SET k = nope",
        "DELETE FROM accounts WHERE nope IS NULL",
        "INSERT INTO accounts (id, nope) VALUES (1, 2)",
        "SELECT nope FROM accounts",
        "SELECT (SELECT nope FROM events) FROM accounts",
        "SELECT nope",
        "PREPARE q AS SELECT nope FROM accounts",
    ] {
        assert!(refusals(15, statement).iter().any(|it| it.contains("column \"nope\"")), "{statement}");
        // The server names it as the statement does: nope, "nope", a.nope.
        let error = error_of(15, statement).unwrap_or_default();
        assert!(error.starts_with("column ") && error.contains("nope"), "{statement}: {error:?}");
    }
}

#[test]
fn a_name_that_means_something_is_not_missing() {
    for statement in [
        "SELECT id AS nope FROM accounts ORDER BY nope",
        "SELECT id % 3 AS nope, count(*) FROM accounts GROUP BY nope",
        "SELECT accounts FROM accounts",
        "SELECT ctid, xmin, tableoid FROM accounts",
        "SELECT a.doubled FROM accounts a",
        "SELECT current_user, current_date, user, localtime",
        "SELECT nope FROM not_made_here.t",
        "SELECT relname FROM pg_class",
        "SELECT x.nope FROM generate_series(1, 3) AS x(nope)",
        "SELECT nope FROM unnest(ARRAY[1]) nope",
        "SELECT nope FROM (VALUES (1)) v(nope)",
        "WITH c(nope) AS (SELECT 1) SELECT nope FROM c",
        "WITH RECURSIVE c AS (SELECT 1 AS nope UNION ALL SELECT nope + 1 FROM c WHERE nope < 3) SELECT * FROM c",
        "SELECT id FROM accounts a WHERE EXISTS (SELECT FROM events WHERE events.id = a.k AND note = '')",
        "SELECT b.id, q.nope FROM accounts b, LATERAL (SELECT b.k AS nope) q",
        "SELECT make_interval(days => k) FROM accounts",
        "SELECT (totals).code FROM totals",
        "SELECT EXTRACT(epoch FROM now())",
        "SELECT count(*) FILTER (WHERE k > 1) OVER w FROM accounts WINDOW w AS (PARTITION BY code ORDER BY id)",
        "SELECT id, k FROM accounts JOIN events USING (id)",
        "INSERT INTO accounts (id, k) VALUES (1, DEFAULT) ON CONFLICT (id) DO UPDATE SET k = excluded.k + accounts.k RETURNING note",
        "UPDATE accounts a SET k = e.id FROM events e WHERE e.id = a.id",
        "DO $$DECLARE nope int; BEGIN UPDATE accounts SET k = nope; END$$",
        "CREATE FUNCTION f(nope int) RETURNS bigint LANGUAGE sql AS 'SELECT id FROM accounts WHERE k = nope'",
        "ALTER TABLE accounts ADD CHECK (accounts.k > 1), ADD CHECK (accounts IS NOT NULL)",
        "CREATE DOMAIN d AS int CHECK (VALUE > 0)",
    ] {
        let found = refusals(15, statement);
        let columns: Vec<_> = found.iter().filter(|it| it.contains("column")).collect();
        assert!(columns.is_empty(), "{statement}: {columns:?}");
        let error = error_of(15, statement).filter(|it| it.contains("column"));
        assert_eq!(error, None, "{statement}");
    }
}

#[test]
fn a_trigger_needs_its_function() {
    let trigger = |function: &str| {
        format!("CREATE TRIGGER t BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION {function}()")
    };
    refused(15, &trigger("nothing_here"), "function nothing_here() does not exist");
    accepted(15, &trigger("touch"));
}

#[test]
fn a_narrower_type_may_fail_on_rows() {
    let may_fail = |migration: &str| {
        let report = judged(15, migration);
        report.findings.iter().any(|it| it.rule.name == "may-fail-on-rows")
    };
    assert!(may_fail("ALTER TABLE accounts ALTER short TYPE varchar(10)"));
    assert!(may_fail("ALTER TABLE accounts ALTER amount TYPE numeric(6,2)"));
    assert!(may_fail("ALTER TABLE accounts ALTER note TYPE int USING note::int"));
    assert!(!may_fail("ALTER TABLE accounts ALTER short TYPE varchar(30)"));
    assert!(!may_fail("ALTER TABLE accounts ALTER amount TYPE numeric(12,2)"));
    assert!(!may_fail("ALTER TABLE accounts ALTER k TYPE text"));
}

#[test]
fn a_reserved_word_names_no_table() {
    for statement in
        ["CREATE TABLE select (id int)", "SELECT FROM WHERE", "SELECT * FROM order", "UPDATE table SET a = 1"]
    {
        assert!(refusals(15, statement).iter().any(|it| it.contains("could not be read")), "{statement}");
        assert!(error_of(15, statement).is_some_and(|it| it.starts_with("syntax error")), "{statement}");
    }
    accepted(15, "CREATE TABLE \"select\" (id int); SELECT * FROM \"select\"; SELECT * FROM current_date");
}

/// Chains and brackets, each of its own kind, far longer than anybody writes.
#[test]
fn no_depth_ends_the_program() {
    let chain = |part: &str, between: &str, times: usize| vec![part; times].join(between);
    let within = |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(3_000), close.repeat(3_000));
    let deep = [
        format!("SELECT {}", within("(", "1", ")")),
        format!("SELECT {}", within("ARRAY[", "1", "]")),
        format!("SELECT {}", within("f(", "1", ")")),
        format!("SELECT {}", within("CASE WHEN true THEN ", "1", " END")),
        format!("SELECT {}true", "NOT ".repeat(3_000)),
        format!("SELECT {}1", "- ".repeat(3_000)),
        format!("SELECT 1{}", "::int".repeat(3_000)),
        format!("SELECT now(){}", " AT TIME ZONE 'UTC'".repeat(3_000)),
        format!("SELECT * FROM {}", within("(SELECT * FROM ", "accounts", ") x")),
        format!("SELECT * FROM accounts {}", chain("JOIN events ON true", " ", 3_000)),
        format!("CREATE TABLE t (a int DEFAULT {})", within("(", "1", ")")),
        format!("DO $$BEGIN {} END$$", within("IF true THEN ", "NULL;", " END IF;")),
        format!("{}SELECT 1", "EXPLAIN ".repeat(3_000)),
        chain("SELECT 1", " EXCEPT ", 3_000),
        chain("SELECT 1", " INTERSECT ", 3_000),
        chain("SELECT 1", " UNION ALL ", 3_000),
        format!("SELECT * FROM accounts WHERE {}", chain("k = 1", " AND ", 3_000)),
    ];
    for statement in &deep {
        let report = judged(15, statement);
        assert!(!report.findings.is_empty(), "{}", &statement[..60]);
    }
}

#[test]
fn the_longest_chains_that_are_read_are_walked_too() {
    let condition = vec!["k IS NULL"; 200].join(" AND ");
    for statement in [
        format!(
            "CREATE VIEW v AS SELECT * FROM accounts WHERE {condition}; ALTER TABLE accounts RENAME k TO n; DROP VIEW v"
        ),
        format!("ALTER TABLE accounts ADD CHECK ({condition})"),
        format!("CREATE POLICY p ON accounts USING ({condition})"),
        format!("CREATE INDEX ON accounts (id) WHERE {condition}"),
        format!("UPDATE accounts SET note = '' WHERE {condition}"),
        format!("ALTER TABLE accounts ADD COLUMN n int DEFAULT {}", vec!["1"; 100].join(" + ")),
    ] {
        let found = refusals(15, &statement);
        assert!(found.is_empty(), "{}: {found:?}", &statement[..60]);
    }
}
