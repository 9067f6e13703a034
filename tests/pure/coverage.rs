//! What was read and what was not: never green over nothing, and what a project's folders are taken for.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::repository::write_all;

/// A project in a repository of its own.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path(), files);
    let done = Command::new("git").arg("-C").arg(folder.path()).args(["init", "-q"]).status().unwrap();
    assert!(done.success());
    folder
}

/// The exit code and the report of `pgassay check` in a folder.
fn check(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.current_dir(folder).args(["check", "--no-config", "--format", "json"]).args(arguments);
    let output = command.output().unwrap();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

fn files(report: &Value) -> Vec<&str> {
    let mut files: Vec<&str> =
        report["statements"].as_array().unwrap().iter().map(|statement| statement["file"].as_str().unwrap()).collect();
    files.dedup();
    files
}

fn rules(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect()
}

const TABLE: &str = "CREATE TABLE people (id int PRIMARY KEY, name text);\n";
const HAZARD: &str = "ALTER TABLE people ALTER COLUMN name SET NOT NULL;\n";

#[test]
fn nothing_to_judge_is_no_success() {
    let code = project(&[("db/migrate/20240101000000_people.rb", "class People; end")]);
    for arguments in [&[][..], &["db/migrate"], &["."]] {
        let (exit, report) = check(code.path(), arguments);
        assert_eq!(exit, 2, "{arguments:?}");
        let errors = report["errors"].to_string();
        assert!(
            errors.contains("Ruby") && errors.contains("Rails") && errors.contains("--run"),
            "{arguments:?}: {errors}"
        );
    }
    assert_eq!(check(code.path(), &["db/migrate", "--allow-empty"]).0, 0);
    let empty = project(&[("migrations/readme.txt", "")]);
    assert_eq!(check(empty.path(), &["migrations"]).0, 2);
}

#[test]
fn what_is_not_read_is_in_the_report() {
    let mixed =
        project(&[("migrations/001_a.sql", TABLE), ("migrations/002_b.py", "pass"), ("migrations/003_c.rb", "")]);
    let (exit, report) = check(mixed.path(), &[]);
    assert_eq!(exit, 0);
    let kinds: Vec<&str> = report["coverage"]["not_read"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| kind["reason"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["code", "code"]);
    assert_eq!(report["coverage"]["read"][0]["judged"], 1);
    assert_eq!(check(mixed.path(), &["--strict"]).0, 2);
    for format in ["text", "sarif", "github", "junit", "markdown"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
        let output =
            command.current_dir(mixed.path()).args(["check", "--no-config", "--format", format]).output().unwrap();
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(shown.contains("1 Python migration"), "{format}: {shown}");
    }
}

#[test]
fn another_servers_sql_is_one_error() {
    let text = "CREATE TABLE `a` (`id` int AUTO_INCREMENT) ENGINE=InnoDB;\nALTER TABLE `a` ADD `b` int UNSIGNED;\n";
    let mysql = project(&[("migrations/001.sql", text), ("migrations/002.sql", text)]);
    let (exit, report) = check(mysql.path(), &[]);
    assert_eq!(exit, 2);
    assert_eq!(rules(&report), ["unreadable-statement", "unreadable-statement"]);
    assert!(report["findings"][0]["message"].as_str().unwrap().contains("looks like MySQL"), "{report}");
}

#[test]
fn ways_back_are_left_out_whatever_their_tool() {
    for (up, down) in [
        ("migrations/001.do.a.sql", "migrations/001.undo.a.sql"),
        ("migrations/V1.a.up.sql", "migrations/V1.a.down.sql"),
        ("migrations/1-a.sql", "migrations/1-a.rollback.sql"),
        ("migrations/001_a/up.sql", "migrations/001_a/down.sql"),
    ] {
        let project = project(&[(up, TABLE), (down, "DROP TABLE people;\n")]);
        let (exit, report) = check(project.path(), &[]);
        assert_eq!((exit, files(&report)), (0, vec![up]), "{down}");
    }
    for (before, between) in [
        ("-- +migrate Up\n", "-- +migrate Down\n"),
        ("", "---- create above / drop below ----\n"),
        ("", "-- //@UNDO\n"),
        ("# --- !Ups\n", "# --- !Downs\n"),
        ("-- ==== UP ====\n", "-- ==== DOWN ====\n"),
    ] {
        let text = |up: &str, down: &str| format!("{before}{up}\n{between}{down}\n");
        let (first, second) =
            (text(TABLE, "DROP TABLE people;"), text(HAZARD, "ALTER TABLE people ALTER name DROP NOT NULL;"));
        let project = project(&[("migrations/1_a.sql", &first), ("migrations/2_b.sql", &second)]);
        let (exit, report) = check(project.path(), &[]);
        assert_eq!(exit, 1, "{between}");
        assert!(rules(&report).contains(&"blocking-scan") && !rules(&report).contains(&"dropped-data"), "{between}");
    }
}

#[test]
fn the_projects_own_postgresql_migrations_are_found() {
    let project = project(&[
        (".gitignore", "venv/\n"),
        ("venv/lib/site-packages/x/migrations/001.sql", "DROP TABLE x;"),
        ("services/price-oracle/migrations/001_a.sql", TABLE),
        ("migrations/h2/V1__a.sql", "CREATE TABLE b (n int);"),
        ("lite/Cargo.toml", "[dependencies]\nsqlx = { version = \"0.8\", features = [\"sqlite\"] }\n"),
        ("lite/migrations/1_a.sql", "CREATE TABLE c (n int);"),
        ("Cargo.toml", "[workspace.dependencies]\nsqlx = { version = \"0.8\", features = [\"runtime-tokio\"] }\n"),
        (
            "kv/Cargo.toml",
            "[package]\nname = \"kv\"\n\n[dependencies]\nsqlx = { workspace = true }\nlite = { path = \"../lite\" }\n",
        ),
        ("kv/migrations/1_a.sql", "CREATE TABLE d (n int);"),
    ]);
    for arguments in [&[][..], &["."]] {
        let (exit, report) = check(project.path(), arguments);
        assert_eq!(exit, 0, "{arguments:?}");
        assert_eq!(files(&report).len(), 1, "{arguments:?}: {:?}", files(&report));
        assert!(files(&report)[0].ends_with("price-oracle/migrations/001_a.sql"));
        let left = report["coverage"]["not_read"].to_string();
        assert!(left.contains("H2") && left.contains("SQLite"), "{left}");
    }
}

#[test]
fn dialects_in_file_names_are_seen() {
    let file = |dialect: &str| format!("migrations/20240101000000_a.{dialect}.up.sql");
    let (postgres, mysql, sqlite) = (file("postgres"), file("mysql"), file("sqlite3"));
    let project = project(&[(&postgres, TABLE), (&mysql, TABLE), (&sqlite, TABLE)]);
    let (exit, report) = check(project.path(), &[]);
    assert_eq!((exit, files(&report)), (0, vec![postgres.as_str()]));
}

#[test]
fn folders_of_numbers_and_versions_are_one_history() {
    let project = project(&[
        ("schema/0.9/01.sql", TABLE),
        ("schema/0.10/01.sql", HAZARD),
        ("schema/0.10/02.sql", "ALTER TABLE people ADD age int;"),
    ]);
    let (exit, report) = check(project.path(), &[]);
    assert_eq!(exit, 1);
    assert_eq!(files(&report), ["schema/0.9/01.sql", "schema/0.10/01.sql", "schema/0.10/02.sql"]);
    assert!(rules(&report).contains(&"blocking-scan"));
    assert_eq!(report["coverage"]["read"].as_array().unwrap().len(), 1);
}

#[test]
fn one_file_does_not_choose_the_tool() {
    let seven: Vec<(String, String)> = (1..=7)
        .map(|number| (format!("migrations/{number}_a.sql"), format!("CREATE TABLE t{number} (n int);")))
        .collect();
    let with = |extra: (&str, &str)| {
        let mut all: Vec<(&str, &str)> = seven.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        all.retain(|(path, _)| *path != extra.0);
        all.push(extra);
        check(project(&all).path(), &[])
    };
    for extra in [
        ("migrations/sqitch.plan", ""),
        ("migrations/meta/_journal.json", ""),
        ("migrations/3_a.sql", "-- migrate:up\nCREATE TABLE t3 (n int);\n"),
    ] {
        let (exit, report) = with(extra);
        assert_eq!((exit, files(&report).len()), (0, 7), "{}", extra.0);
    }
}

#[test]
fn printed_sql_is_one_migration_for_each_revision() {
    let printed = format!(
        "BEGIN;\nCREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);\n-- Running upgrade  -> 0001\n{TABLE}INSERT INTO alembic_version (version_num) VALUES ('0001') RETURNING alembic_version.version_num;\n-- Running upgrade 0001 -> 0002\n{HAZARD}UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';\nCOMMIT;\n"
    );
    let revision =
        "revision = \"0002\"\n\n\ndef upgrade():\n    op.alter_column(\"people\", \"name\", nullable=False)\n";
    let project = project(&[
        ("head.sql", &printed),
        ("versions/0001_a.py", "revision = '0001'"),
        ("versions/0002_b.py", revision),
    ]);
    let (exit, report) = check(project.path(), &["--from-command", "cat head.sql"]);
    assert_eq!(exit, 1);
    let scan =
        report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "blocking-scan").unwrap();
    assert_eq!((scan["file"].as_str(), scan["line"].as_u64()), (Some("versions/0002_b.py"), Some(5)));
}

#[test]
fn changelogs_are_read_by_their_format() {
    let changelog = "<databaseChangeLog>\n  <!-- <include file=\"002_old.sql\"/> -->\n  <include file=\"001.sql\"/>\n  <changeSet id=\"3\" author=\"me\"><loadData tableName=\"t\" file=\"t.csv\"/></changeSet>\n</databaseChangeLog>\n";
    let formatted = |text: &str| format!("--liquibase formatted sql\n--changeset me:1\n{text}");
    let (first, old) = (formatted(TABLE), formatted("DROP TABLE people;\n"));
    let project = project(&[("db/changelog-master.xml", changelog), ("db/001.sql", &first), ("db/002_old.sql", &old)]);
    let (exit, report) = check(project.path(), &[]);
    assert_eq!((exit, files(&report)), (0, vec!["db/001.sql"]));
    assert!(report["coverage"]["not_read"].to_string().contains("loadData is not in SQL"), "{report}");
}

#[test]
fn a_project_is_searched_though_it_is_named() {
    let code = ("alembic/versions/0001_people.py", "revision = \"1\"");
    for (others, said) in [
        (&[code, ("fix_tenants.sql", "DELETE FROM tenants;")][..], "Alembic"),
        (&[("warehouse/clickhouse/migrations/001_a.sql", TABLE), ("bin/load.sql", TABLE)][..], "ClickHouse"),
        (&[("driver/shopsqlite/migrations/001_a.sql", TABLE), ("queries/all.sql", "SELECT 1;")][..], "SQLite"),
        (
            &[code, ("fixes/01.py", ""), ("fixes/02.py", ""), ("fixes/03.py", ""), ("fixes/04.sql", TABLE)][..],
            "Alembic",
        ),
    ] {
        let project = project(others);
        for arguments in [&[][..], &["."]] {
            let (exit, report) = check(project.path(), arguments);
            let errors = report["errors"].to_string();
            assert_eq!((exit, files(&report)), (2, vec![]), "{arguments:?} {others:?}");
            assert!(errors.contains(said), "{arguments:?} {others:?}: {errors}");
        }
    }
    let bare = project(&[("sql/people.sql", TABLE), ("sql/shops.sql", "CREATE TABLE shops (n int);")]);
    assert_eq!(files(&check(bare.path(), &["."]).1).len(), 2, "SQL is all there is");
}

#[test]
fn migrations_deep_below_a_java_package_are_found() {
    let package = "services/identity/server/src/main/resources/org/example/identity/store/db";
    let (postgres, mysql) = (format!("{package}/postgresql/V1_2__a.sql"), format!("{package}/mysql/V1_2__a.sql"));
    let project = project(&[(&postgres, TABLE), (&mysql, TABLE)]);
    let (exit, report) = check(project.path(), &["."]);
    assert_eq!((exit, files(&report)), (0, vec![postgres.as_str()]));
    assert_eq!(report["coverage"]["read"][0]["tool"], "flyway");
}

#[test]
fn numbered_folders_of_a_tools_files_are_one_history() {
    let project = project(&[
        ("internal/migrations/oss/postgres/0/01_people.up.sql", TABLE),
        ("internal/migrations/oss/postgres/0/02_shops.up.sql", "CREATE TABLE shops (n int);"),
        ("internal/migrations/oss/postgres/9/01_name.up.sql", HAZARD),
        ("internal/migrations/oss/postgres/10/01_drop.up.sql", "DROP TABLE shops;"),
    ]);
    let (exit, report) = check(project.path(), &[]);
    assert_eq!(exit, 1);
    let read = report["coverage"]["read"].as_array().unwrap();
    assert_eq!((read.len(), &read[0]["judged"]), (1, &Value::from(4)), "{read:?}");
    assert!(files(&report)[3].ends_with("10/01_drop.up.sql"), "{:?}", files(&report));
    assert!(
        rules(&report).contains(&"blocking-scan") && rules(&report).contains(&"dropped-data"),
        "{:?}",
        rules(&report)
    );
}

#[test]
fn the_prefix_of_flyways_names_is_that_of_the_settings() {
    for (manifest, settings, first, second) in [
        ("src/main/resources/application.properties", "spring.flyway.sql-migration-prefix=\n", "10__a", "9__b"),
        ("build.gradle", "flyway {\n    sqlMigrationPrefix = ''\n}\n", "10__a", "9__b"),
        ("flyway.conf", "flyway.sqlMigrationPrefix=M\n", "M10__a", "M9__b"),
        (
            "src/main/resources/application.yml",
            "spring:\n  flyway:\n    sql-migration-prefix: SQL\n",
            "SQL10__a",
            "SQL9__b",
        ),
        ("pom.xml", "<configuration><sqlMigrationPrefix>X</sqlMigrationPrefix></configuration>", "X10__a", "X9__b"),
    ] {
        let path = |name: &str| format!("src/main/resources/db/migration/{name}.sql");
        let (first, second, again) = (path(first), path(second), path("R__c"));
        let project = project(&[(manifest, settings), (&first, HAZARD), (&second, TABLE), (&again, "SELECT 1;")]);
        let (_, report) = check(project.path(), &[]);
        assert_eq!(report["coverage"]["read"][0]["tool"], "flyway", "{manifest}: {report}");
        assert_eq!(files(&report), [second, first, again], "{manifest}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_an_error_where_it_may_be_a_migration() {
    for (link, expected) in [("migrations/README.md", 0), ("migrations/notes.txt", 0), ("migrations/002_b.sql", 2)] {
        let project = project(&[("migrations/001_a.sql", TABLE)]);
        std::os::unix::fs::symlink("nowhere", project.path().join(link)).unwrap();
        assert_eq!(check(project.path(), &["."]).0, expected, "{link}");
    }
}

/// The reason and the number of files of what was left out.
fn left_out(report: &Value) -> Vec<(String, u64)> {
    let kinds = report["coverage"]["not_read"].as_array().unwrap();
    kinds.iter().map(|kind| (kind["reason"].as_str().unwrap().to_owned(), kind["files"].as_u64().unwrap())).collect()
}

#[test]
fn seeds_tests_and_archives_beside_migrations_are_left_out() {
    let rows = "INSERT INTO people (id) VALUES (1);\n";
    let plain = project(&[
        ("migrations/001_people.sql", TABLE),
        ("migrations/002_seed_people.sql", rows),
        ("migrations/seed.sql", rows),
        ("migrations/seeds/people.sql", rows),
        ("migrations/test-data/001_people.sql", rows),
        ("migrations/tests/001_people_test.sql", "SELECT plan(1);\n"),
        ("migrations/archive/000_old.sql", TABLE),
        ("migrations/views/people.sql", "CREATE VIEW names AS SELECT name FROM people;\n"),
    ]);
    let (exit, report) = check(plain.path(), &[]);
    assert_eq!(exit, 0, "{report}");
    let read = ["migrations/001_people.sql", "migrations/002_seed_people.sql", "migrations/views/people.sql"];
    assert_eq!(files(&report), read);
    assert_eq!(left_out(&report), [("trial".to_owned(), 4), ("put-away".to_owned(), 1)]);
    // Whoever names them means them.
    let (_, report) = check(plain.path(), &["migrations/seeds"]);
    assert_eq!(files(&report), ["migrations/seeds/people.sql"]);
}

#[test]
fn a_tool_does_not_run_the_fixtures_below_its_folder() {
    let up = "-- +goose Up\nCREATE TABLE people (id int PRIMARY KEY);\n";
    let goose = project(&[("migrations/00001_a.sql", up), ("migrations/fixtures/00001_b.sql", up)]);
    assert_eq!(files(&check(goose.path(), &[]).1), ["migrations/00001_a.sql"]);
    let flyway = project(&[("db/migration/V1__a.sql", TABLE), ("db/migration/seeds/V2__b.sql", HAZARD)]);
    assert_eq!(files(&check(flyway.path(), &[]).1).len(), 2);
}
