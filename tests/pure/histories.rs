//! Every migrations folder is a history of its own: what one makes is not there for another.

use std::path::Path;

use pgassay::check::{Job, check};
use pgassay::collect::{CollectOptions, collect};
use pgassay::migration::Migration;
use pgassay::report::Report;
use pgassay::source::{SourceFile, Sources};

use crate::repository::write_all;

/// Writes the files to a folder, judges it, and gives each finding's rule and object.
fn judge(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path(), files);
    let report = judge_folder(folder.path());
    let line = |finding: &pgassay::finding::Finding| {
        format!("{} {}", finding.rule, finding.object.as_deref().unwrap_or_default())
    };
    report.findings.iter().map(line).collect()
}

fn judge_folder(folder: &Path) -> Report {
    let mut sources = Sources::default();
    let collected = collect(&[folder.to_owned()], &CollectOptions::default(), &mut sources);
    assert!(collected.errors.is_empty(), "{:?}", collected.errors);
    let (base, migrations) = collected.migrations.into_iter().partition(|migration| migration.framework.is_base());
    check(&Job { base, migrations, ..Job::default() }, &sources)
}

const CUSTOMERS: &str = "CREATE TABLE customers (id bigint PRIMARY KEY);";

#[test]
fn the_same_table_in_two_folders_is_no_duplicate() {
    assert_eq!(judge(&[("shop/1.sql", CUSTOMERS), ("blog/1.sql", CUSTOMERS)]), [""; 0]);
    let goose = format!("-- +goose Up\n{CUSTOMERS}");
    assert_eq!(judge(&[("shop/1.sql", CUSTOMERS), ("shop/other/1_a.sql", &goose)]), [""; 0]);
}

#[test]
fn plain_folders_below_a_plain_folder_are_one_history() {
    let drop = "SET lock_timeout = '2s';\nDROP TABLE customers;";
    let dropped = ["dropped-data public.customers"];
    let found = judge(&[("shop/1.sql", CUSTOMERS), ("shop/more/2.sql", drop)]);
    assert_eq!(found, dropped);
    assert_eq!(judge(&[("2023/1.sql", CUSTOMERS), ("2024/1.sql", drop)]), dropped);
    assert_eq!(judge(&[("1.sql", CUSTOMERS), ("x/2.sql", CUSTOMERS)]), ["duplicate-object public.customers"]);
}

#[test]
fn a_dump_belongs_to_the_folder_that_it_stands_in() {
    let add = "SET lock_timeout = '2s';\nALTER TABLE customers ADD COLUMN name text;";
    let own = "CREATE TABLE orders (id bigint PRIMARY KEY);\n";
    let found = judge(&[
        ("shop/db/structure.sql", CUSTOMERS),
        ("shop/db/migrate/1.sql", add),
        ("blog/migrations/1.sql", own),
        ("blog/migrations/2.sql", add),
    ]);
    assert_eq!(found, ["missing-object customers"]);
}

/// ALTER DATABASE … SET reaches the sessions that begin after it.
#[test]
fn a_database_gives_its_sessions_a_search_path() {
    let base = "CREATE SCHEMA app;\nCREATE TABLE app.customers (id bigint PRIMARY KEY, name text);\n\
        CREATE TABLE customers (id bigint PRIMARY KEY, note text);\n";
    let drop = "SET lock_timeout = '2s';\nALTER TABLE customers DROP COLUMN name;";
    let here = |setting: &str| judge(&[("1.sql", &format!("{base}{setting}")), ("2.sql", drop)]);
    for setting in [
        "ALTER DATABASE shop SET search_path = app, public;",
        "ALTER DATABASE shop SET search_path TO 'app, public';",
        "ALTER ROLE CURRENT_USER SET search_path = app;",
        "ALTER ROLE ALL IN DATABASE shop SET search_path = \"$user\", app;",
        "BEGIN; ALTER DATABASE shop SET search_path = app; COMMIT;",
    ] {
        assert!(
            here(setting).contains(&"dropped-data app.customers.name".to_owned()),
            "{setting}: {:?}",
            here(setting)
        );
    }
    for setting in [
        "ALTER DATABASE shop SET search_path = app; ALTER DATABASE shop RESET search_path;",
        "ALTER DATABASE shop SET search_path = app; ALTER DATABASE shop RESET ALL;",
        "BEGIN; ALTER DATABASE shop SET search_path = app; ROLLBACK;",
        "ALTER ROLE clients SET search_path = app;",
    ] {
        let found = here(setting);
        assert!(found.iter().any(|line| line.starts_with("missing-object")), "{setting}: {found:?}");
    }
    // The session at hand keeps its own.
    let same = format!("{base}ALTER DATABASE shop SET search_path = app;\n{drop}");
    assert!(judge(&[("1.sql", &same)]).iter().any(|line| line.starts_with("missing-object")));
}

#[test]
fn the_tools_own_tables_are_not_missing() {
    let guard = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';\n\
                 CREATE TRIGGER t BEFORE INSERT ON __diesel_schema_migrations FOR EACH ROW EXECUTE FUNCTION refuse();";
    let folder = [("m/2024-01-01-000000_a/up.sql", CUSTOMERS), ("m/2024-01-02-000000_b/up.sql", guard)];
    assert_eq!(judge(&folder).iter().filter(|line| line.starts_with("missing")).count(), 0);
    let plain = judge(&[("m/1_a.sql", CUSTOMERS), ("m/2_b.sql", guard)]);
    assert!(plain.contains(&"missing-object __diesel_schema_migrations".to_owned()), "{plain:?}");
}

/// What is found in a statement of which nothing is known but what it says itself.
#[test]
fn a_statement_alone() {
    let statements = [
        "ALTER TABLE users RENAME COLUMN a TO b;",
        "ALTER TABLE users RENAME TO people;",
        "BEGIN; ALTER TABLE users RENAME TO people; CREATE VIEW users AS SELECT * FROM people; COMMIT;",
        "ALTER TABLE users SET SCHEMA archive;",
        "ALTER TABLE users ALTER COLUMN a DROP NOT NULL;",
        "ALTER TABLE users ALTER COLUMN a SET NOT NULL;",
        "ALTER TABLE users ALTER COLUMN a TYPE bigint;",
        "ALTER TABLE users ALTER COLUMN a DROP DEFAULT;",
        "ALTER TABLE users ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY;",
        "ALTER TABLE users ADD COLUMN a int NOT NULL;",
        "ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0);",
        "ALTER TABLE users ADD CONSTRAINT c UNIQUE (a);",
        "ALTER TABLE users ADD FOREIGN KEY (a) REFERENCES teams (id);",
        "ALTER TABLE users DROP COLUMN a;",
        "ALTER TABLE users ADD COLUMN scratch int; ALTER TABLE users DROP COLUMN scratch;",
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY;",
        "ALTER TABLE users DETACH PARTITION users_2020;",
        "ALTER VIEW v RENAME TO w;",
        "DROP TABLE users;",
        "DROP VIEW v;",
        "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT 1 AS x;",
        "DROP FUNCTION f(int);",
        "ALTER FUNCTION f(int) RENAME TO g;",
        "DROP TYPE mood;",
        "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';",
        "ALTER DOMAIN d ADD CHECK (value > 0);",
        "ALTER SEQUENCE s RENAME TO t;",
        "REVOKE SELECT ON users FROM app;",
        "CREATE UNIQUE INDEX CONCURRENTLY users_a_key ON users (a);",
    ];
    let mut text = String::new();
    for statement in statements {
        let mut sources = Sources::default();
        let file = sources.add(SourceFile::new("alone.sql", statement));
        let migrations = vec![Migration::plain("alone.sql", file, statement.len())];
        let report = check(&Job { migrations, ..Job::default() }, &sources);
        text.push_str(&format!("{statement}\n"));
        for finding in report.findings.iter().filter(|finding| finding.rule.name != "missing-lock-timeout") {
            text.push_str(&format!("    {} {}: {}\n", finding.severity, finding.rule, finding.message));
        }
    }
    insta::assert_snapshot!(text);
}
