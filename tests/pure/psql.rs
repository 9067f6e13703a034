//! Files that psql runs, and files for psql that a tool sends to the server.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::repository::repository;

const BASE: &str = "CREATE TABLE carts (id bigint PRIMARY KEY, note text);\n";

fn check(folder: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.current_dir(folder).args(["check", "--no-config", "--format", "json"]).args(arguments);
    serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
}

/// `file:line rule` of every finding but those of style.
fn findings(report: &Value) -> Vec<String> {
    let all = report["findings"].as_array().unwrap().iter();
    let line = |finding: &Value| {
        format!("{}:{} {}", finding["file"].as_str().unwrap(), finding["line"], finding["rule"].as_str().unwrap())
    };
    let mut lines: Vec<String> = all
        .filter(|finding| finding["severity"] != "info")
        .map(line)
        .filter(|line| !line.contains("timeout"))
        .collect();
    lines.sort();
    lines
}

#[test]
fn included_files_are_judged_where_they_are() {
    let files = [
        (
            "db/1_base.sql",
            "CREATE TABLE carts (id bigint PRIMARY KEY);\nCREATE TABLE bags (id bigint PRIMARY KEY, note text);\n",
        ),
        ("db/2_more.sql", "\\ir parts/a.sql\n\\i db/parts/b.psql\n"),
        ("db/parts/a.sql", "-- pgassay: allow(dropped-data) empty since 2019\nDROP TABLE carts;\n\\ir c.sql"),
        ("db/parts/b.psql", "ALTER TABLE bags DROP COLUMN note;\n"),
        ("db/parts/c.sql", "CREATE TABLE boxes (id bigint PRIMARY KEY);\n"),
    ];
    let project = repository(&files);
    let report = check(project.path(), &["db"]);
    let found = findings(&report);
    assert!(found.contains(&"db/parts/b.psql:1 dropped-data".to_owned()), "{found:?}");
    assert!(!found.iter().any(|line| line.contains("a.sql:2 dropped-data") || line.contains("missing")), "{found:?}");
    // What another file includes does not run once more by itself.
    assert!(!found.iter().any(|line| line.contains("duplicate-object")), "{found:?}");
}

#[test]
fn what_psql_runs_elsewhere_is_never_passed_over() {
    for (text, rule) in [
        ("\\ir gone.sql\n", "unreadable-statement"),
        ("\\i :folder/gone.sql\n", "unreadable-statement"),
        ("\\ir 2_new.sql\n", "unreadable-statement"),
        ("\\! dropdb shop\n", "unreadable-statement"),
        ("\\c other\n", "unreadable-statement"),
    ] {
        let project = repository(&[("db/1_base.sql", BASE), ("db/2_new.sql", text)]);
        let found = findings(&check(project.path(), &["db"]));
        assert_eq!(found, [format!("db/2_new.sql:1 {rule}")], "{text}");
    }
    let gexec = "SELECT format('DROP TABLE %I', 'carts') \\gexec\n";
    let project = repository(&[("db/1_base.sql", BASE), ("db/2_new.sql", gexec)]);
    let report = check(project.path(), &["db"]);
    let rules: Vec<&Value> = report["findings"].as_array().unwrap().iter().map(|found| &found["rule"]).collect();
    assert_eq!(rules, ["dynamic-statement"]);
}

#[test]
fn conditions_and_the_end_of_a_script_count() {
    let text = "\\if :{?small}\nALTER TABLE carts DROP COLUMN gone;\n\\else\nALTER TABLE carts DROP COLUMN note;\n\\endif\n\\q\nDROP TABLE carts;\n";
    let project = repository(&[("db/1_base.sql", BASE), ("db/2_new.sql", text)]);
    let found = findings(&check(project.path(), &["db"]));
    assert!(found.iter().all(|line| line.starts_with("db/2_new.sql:4 ")), "{found:?}");
    assert!(!found.is_empty());
}

#[test]
fn nothing_outside_of_the_repository_is_included() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("keys"), "hunter2;\n").unwrap();
    let text = format!(
        "\\i {}\n\\ir ../../../../../..{}\n",
        outside.path().join("keys").display(),
        outside.path().join("keys").display()
    );
    let project = repository(&[("db/1_base.sql", BASE), ("db/2_new.sql", &text)]);
    let report = check(project.path(), &["db"]);
    assert!(!report.to_string().contains("hunter2"), "{report}");
    assert_eq!(findings(&report), ["db/2_new.sql:1 unreadable-statement", "db/2_new.sql:2 unreadable-statement"]);
}

#[test]
fn a_tool_sends_psql_commands_to_the_server() {
    let dump = "\\restrict key\nCREATE TABLE ponds (id bigint PRIMARY KEY);\nCOPY ponds (id) FROM stdin;\n1\n\\.\n";
    let tools: [(&str, &str, &str); 4] = [
        ("sqlx", "migrations/20240101000000_ponds.sql", ""),
        ("goose", "migrations/00001_ponds.sql", "-- +goose Up\n"),
        ("dbmate", "db/migrations/20240101000000_ponds.sql", "-- migrate:up\n"),
        ("golang-migrate", "migrations/000001_ponds.up.sql", ""),
    ];
    for (tool, path, mark) in tools {
        let project = repository(&[(path, &format!("{mark}{dump}"))]);
        let folder = Path::new(path).parent().unwrap().to_str().unwrap();
        let report = check(project.path(), &[folder, "--framework", tool]);
        let found = findings(&report);
        let first = mark.lines().count() + 1;
        assert!(found.contains(&format!("{path}:{first} refused-statement")), "{tool}: {found:?}");
        assert!(found.contains(&format!("{path}:{} refused-statement", first + 4)), "{tool}: {found:?}");
    }
    let project = repository(&[("sql/V1__ponds.sql", dump)]);
    let found = findings(&check(project.path(), &["sql", "--framework", "flyway"]));
    assert_eq!(found, ["sql/V1__ponds.sql:1 refused-statement"]);
}

/// The findings of one file that psql runs, without its name.
fn in_psql(sql: &str) -> Vec<String> {
    let project = repository(&[("db/1_base.sql", BASE), ("db/2_more.sql", sql), ("db/psql.sql", "\\echo done\n")]);
    let found = findings(&check(project.path(), &["db"]));
    found.into_iter().filter_map(|line| line.strip_prefix("db/2_more.sql:").map(str::to_owned)).collect()
}

#[test]
fn a_branch_that_constants_leave_out_does_not_run() {
    let branch = |condition: &str| {
        format!(
            "\\set off 0\n\\if {condition}\nDROP TABLE carts;\n\\else\nALTER TABLE carts DROP COLUMN note;\n\\endif\n"
        )
    };
    for condition in ["false", "off", "0", ":off"] {
        assert_eq!(in_psql(&branch(condition)), ["5 dropped-data"], "{condition}");
    }
    assert_eq!(in_psql(&branch("true")), ["3 dropped-data"]);
    // It may be given by whoever runs psql.
    assert_eq!(in_psql(&branch(":unset")), ["3 dropped-data", "5 dropped-data"]);
    let chosen = "\\if no\nDROP TABLE carts;\n\\elif yes\nSELECT 1;\n\\else\nDROP TABLE carts;\n\\endif\n";
    assert_eq!(in_psql(chosen), [""; 0]);
}

#[test]
fn what_is_described_or_thrown_away_does_not_run() {
    assert_eq!(in_psql("\\echo x\nDROP TABLE carts \\gdesc\nSELECT 1;\n"), [""; 0]);
    assert_eq!(in_psql("\\echo x\nDROP TABLE carts\n\\r\nSELECT 1;\n"), [""; 0]);
    assert_eq!(in_psql("\\echo x\nDROP TABLE carts \\g\n"), ["2 dropped-data"]);
}

#[test]
fn variables_that_the_script_sets_have_their_values() {
    assert_eq!(in_psql("\\set tab carts\nALTER TABLE :tab DROP COLUMN note;\n"), ["2 dropped-data"]);
    assert_eq!(in_psql("\\set t 'car' ts\n\\set c no te\nALTER TABLE :\"t\" DROP COLUMN :c;\n"), ["3 dropped-data"]);
    assert_eq!(in_psql("\\set whole 'DROP TABLE carts'\n:whole;\n"), ["2 dropped-data"]);
    assert_eq!(in_psql("\\set n 1\nSELECT (ARRAY[1, 2])[1::int], (ARRAY[1, 2])[:n:2], ':n';\n"), [""; 0]);
    assert_eq!(in_psql("\\set tab carts\n\\set f gone.sql\n\\ir :f\n"), ["3 unreadable-statement"]);
    // What runs psql may set it, and what reads it may have changed it.
    for unknown in
        ["", "\\if :x\n\\set tab carts\n\\endif\n", "\\set tab carts\n\\getenv tab TAB\n", "\\set tab `id`\n"]
    {
        let line = unknown.lines().count() + 1;
        let text = format!("SELECT 1;\n{unknown}ALTER TABLE :tab DROP COLUMN note;\n");
        assert_eq!(in_psql(&text), [format!("{} unreadable-statement", line + 1)], "{unknown}");
    }
}

#[test]
fn without_autocommit_psql_begins_by_itself() {
    let dropped = "ALTER TABLE carts DROP COLUMN note;\n";
    assert_eq!(
        in_psql(&format!("\\set AUTOCOMMIT off\n{dropped}ROLLBACK;\nSELECT note FROM carts;\nCOMMIT;\n")),
        [""; 0]
    );
    assert_eq!(in_psql(&format!("\\set AUTOCOMMIT off\n{dropped}COMMIT;\nVACUUM carts;\n")), ["2 dropped-data"]);
    let in_block = in_psql("\\set AUTOCOMMIT off\nSELECT 1;\nVACUUM carts;\n");
    assert!(in_block.contains(&"3 transaction-forbidden".to_owned()), "{in_block:?}");
    assert_eq!(in_psql(&format!("\\set AUTOCOMMIT off\n\\set AUTOCOMMIT on\n{dropped}ROLLBACK;\n")).len(), 2);
}

#[test]
fn code_that_always_raises_is_refused() {
    for (code, refused) in [
        ("RAISE EXCEPTION 'stop';", true),
        ("RAISE NOTICE 'go';", false),
        ("IF random() < 0.5 THEN RAISE EXCEPTION 'stop'; END IF;", false),
        ("IF NOT EXISTS (SELECT FROM pg_class WHERE relname = 'carts') THEN RAISE EXCEPTION 'stop'; END IF;", false),
        ("IF EXISTS (SELECT FROM pg_class WHERE relname = 'carts') THEN RAISE EXCEPTION 'stop'; END IF;", true),
        ("BEGIN RAISE EXCEPTION 'stop'; EXCEPTION WHEN others THEN NULL; END;", false),
        ("BEGIN RAISE EXCEPTION 'stop'; EXCEPTION WHEN others THEN RAISE; END;", true),
        ("BEGIN COMMIT; EXCEPTION WHEN others THEN RAISE; END;", true),
        ("BEGIN COMMIT; EXCEPTION WHEN others THEN NULL; END;", false),
    ] {
        let found = in_psql(&format!("DO $$ BEGIN {code} END $$;\n"));
        assert_eq!(found.contains(&"1 refused-statement".to_owned()), refused, "{code}: {found:?}");
    }
}

#[test]
fn the_version_decides_conditions_on_it() {
    let dropped = |condition: &str| {
        let found = in_psql(&format!("DO $$ BEGIN IF {condition} THEN DROP TABLE carts; END IF; END $$;\n"));
        found.iter().any(|line| line.ends_with("dropped-data"))
    };
    for holds in [
        "current_setting('server_version_num')::int >= 100000",
        "190000 > current_setting('server_version_num')::integer",
        "pg_catalog.current_setting('server_version_num')::int <> 90600",
        "current_setting('server_version_num')::int >= 140005",
    ] {
        assert!(dropped(holds), "{holds}");
    }
    for never in
        ["current_setting('server_version_num')::int < 100000", "current_setting('server_version_num')::int >= 190000"]
    {
        assert!(!dropped(never), "{never}");
    }
}

/// The form that can be run again: the name is taken, so nothing is read.
#[test]
fn what_is_there_already_is_not_checked_again() {
    let key = "ALTER TABLE bags ADD CONSTRAINT k FOREIGN KEY (cart) REFERENCES carts";
    let base = format!("CREATE TABLE carts (id bigint PRIMARY KEY);\nCREATE TABLE bags (cart bigint);\n{key};\n");
    let again = format!("DO $$ BEGIN {key}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;\n");
    let project = repository(&[("db/1_base.sql", &base), ("db/2_more.sql", &again), ("db/psql.sql", "\\echo done\n")]);
    let found = findings(&check(project.path(), &["db"]));
    assert!(!found.iter().any(|line| line.starts_with("db/2_more.sql")), "{found:?}");
}

/// A table that the migration makes has the rows that it puts there.
#[test]
fn new_tables_that_are_filled_have_rows() {
    for (fill, fails) in [
        ("CREATE TABLE bags AS SELECT id FROM carts;", true),
        ("CREATE TABLE bags (id bigint);\nINSERT INTO bags SELECT id FROM carts;", true),
        ("CREATE TABLE bags (id bigint);\nINSERT INTO bags VALUES (1);", true),
        ("CREATE TABLE bags AS SELECT id FROM carts WITH NO DATA;", false),
        ("CREATE TABLE bags (id bigint);", false),
        ("CREATE TABLE bags AS SELECT id FROM carts;\nTRUNCATE bags;", false),
    ] {
        let found = in_psql(&format!("{fill}\nALTER TABLE bags ADD COLUMN n int NOT NULL;\n"));
        assert_eq!(found.iter().any(|line| line.ends_with("fails-on-rows")), fails, "{fill}: {found:?}");
    }
}
