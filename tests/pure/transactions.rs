//! Which statements a tool's transaction holds together, and what fails in it: as `scripts/against-tools` saw the tools do.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::repository::write_all;

/// The statements and findings of a project with these files.
struct Run(Value);

fn check(files: &[(&str, &str)]) -> Run {
    let project = tempfile::tempdir().unwrap();
    write_all(project.path(), files);
    Run::of(project.path(), &[])
}

impl Run {
    fn of(folder: &Path, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
        let command = command.current_dir(folder).args(["check", "--format", "json", "--no-config"]).args(arguments);
        let output = command.output().unwrap();
        Run(serde_json::from_slice(&output.stdout).unwrap())
    }

    /// Who opened the transaction of each statement, with its number.
    fn transactions(&self) -> Vec<String> {
        let of = |statement: &Value| match &statement["transaction"] {
            Value::Null => "none".to_owned(),
            open => format!("{} {}", open["opened_by"].as_str().unwrap(), open["number"]),
        };
        self.0["statements"].as_array().unwrap().iter().map(of).collect()
    }

    /// The findings on what fails: line, severity, rule.
    fn failing(&self) -> Vec<String> {
        let findings = self.0["findings"].as_array().unwrap().iter();
        let failing = findings.filter(|finding| finding["category"] == "failing");
        failing
            .map(|it| format!("{} {} {}", it["line"], it["severity"].as_str().unwrap(), it["rule"].as_str().unwrap()))
            .collect()
    }
}

const SQLX: (&str, &str) = ("Cargo.toml", "[dependencies]\nsqlx = \"0.8\"\n");

#[test]
fn a_commit_in_a_file_sent_as_one_string_is_followed_by_the_servers_own_block() {
    let text = "CREATE TABLE a (id int);\nCOMMIT;\nCREATE TABLE b (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);\n";
    let run = check(&[SQLX, ("migrations/1_a.sql", text)]);
    assert_eq!(run.transactions(), ["tool 1", "tool 1", "server 2", "server 2"]);
    assert_eq!(run.failing(), ["2 warning ended-transaction", "4 error transaction-forbidden"]);
}

#[test]
fn a_commit_in_a_file_sent_statement_by_statement_leaves_the_rest_on_its_own() {
    let text = "CREATE TABLE a (id int);\n--> statement-breakpoint\nCOMMIT;\n--> statement-breakpoint\nCREATE INDEX CONCURRENTLY i ON a (id);";
    let journal = r#"{"dialect": "postgresql", "entries": [{"idx": 0, "when": 1, "tag": "0_a"}, {"idx": 1, "when": 2, "tag": "1_b"}]}"#;
    let files = [
        ("drizzle/meta/_journal.json", journal),
        ("drizzle/0_a.sql", text),
        ("drizzle/1_b.sql", "CREATE TABLE b (id int);"),
    ];
    let run = check(&files);
    // Drizzle began once, for all files.
    assert_eq!(run.transactions(), ["tool 1", "tool 1", "none", "none"]);
    assert_eq!(run.failing(), ["3 warning ended-transaction"]);
}

#[test]
fn a_driver_without_autocommit_begins_again_behind_a_commit() {
    let text = "--liquibase formatted sql\n--changeset ann:1\nCREATE TABLE a (id int);\nCOMMIT;\nCREATE INDEX CONCURRENTLY i ON a (id);\n";
    let list = "databaseChangeLog:\n  - include: { file: changes/1_a.sql, relativeToChangelogFile: true }\n";
    let run = check(&[("db.changelog-master.yaml", list), ("changes/1_a.sql", text)]);
    assert_eq!(run.transactions(), ["tool 1", "tool 1", "tool 2"]);
    assert_eq!(run.failing(), ["4 warning ended-transaction", "5 error transaction-forbidden"]);
}

#[test]
fn diesel_and_dbmate_fail_where_their_transaction_was_ended() {
    let text = "-- migrate:up\nBEGIN;\nCREATE TABLE a (id int);\nCOMMIT;\n-- migrate:down\n";
    let dbmate = check(&[("db/migrations/1_a.sql", text)]);
    assert_eq!(dbmate.failing(), ["4 error ended-transaction"]);
    let diesel = check(&[("diesel.toml", ""), ("migrations/1_a/up.sql", "CREATE TABLE a (id int);\nROLLBACK;\n")]);
    assert_eq!(diesel.failing(), ["2 error ended-transaction"]);
    // Told not to open one, dbmate does not look.
    let without = check(&[("db/migrations/1_a.sql", &text.replace(":up", ":up transaction:false"))]);
    assert_eq!(without.failing(), Vec::<String>::new());
}

#[test]
fn only_the_record_is_lost_where_commit_is_the_last_word() {
    let run = check(&[SQLX, ("migrations/1_a.sql", "BEGIN;\nCREATE TABLE a (id int);\nCOMMIT;\n")]);
    assert_eq!(run.failing(), ["3 info ended-transaction"]);
}

#[test]
fn savepoints_need_a_block() {
    let text = "SAVEPOINT a;\nBEGIN;\nSAVEPOINT a;\nROLLBACK TO b;\nROLLBACK TO a;\nRELEASE a;\nRELEASE a;\nCOMMIT;\n";
    let run = check(&[("migrations/1_a.sql", text)]);
    assert_eq!(run.failing(), ["1 error refused-statement", "4 error missing-object", "7 error missing-object"]);
    // The server's own block has none either (golang-migrate sends one string).
    let run = check(&[("migrations/1_a.up.sql", "SELECT 1;\nSAVEPOINT a;\n")]);
    assert_eq!(run.failing(), ["2 error refused-statement"]);
}

#[test]
fn the_way_back_is_listed_as_it_runs() {
    let files = [
        ("db/migrations/1_a.sql", "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n"),
        ("db/migrations/2_b.sql", "-- migrate:up\nCREATE TABLE b (id int);\n-- migrate:down\nDROP TABLE b;\n"),
    ];
    let project = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(project.path().join("db/migrations")).unwrap();
    for (path, text) in files {
        std::fs::write(project.path().join(path), text).unwrap();
    }
    let Run(report) = Run::of(project.path(), &["--down"]);
    let sql: Vec<&str> =
        report["statements"].as_array().unwrap().iter().map(|statement| statement["sql"].as_str().unwrap()).collect();
    assert_eq!(sql, ["CREATE TABLE a (id int)", "CREATE TABLE b (id int)", "DROP TABLE b", "DROP TABLE a"]);
    assert_eq!(report["statements"][2]["migration"], "2_b");
}

#[test]
fn a_local_limit_does_nothing_as_the_first_statement_of_a_batch() {
    let base = "CREATE TABLE t (id bigint PRIMARY KEY);\n";
    let timeouts = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        let migrations = folder.path().join("supabase/migrations");
        std::fs::create_dir_all(&migrations).unwrap();
        std::fs::write(migrations.join("20240101000000_base.sql"), base).unwrap();
        std::fs::write(migrations.join("20240102000000_note.sql"), text).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pgassay"));
        command.current_dir(folder.path()).args(["check", "--no-config", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        let all = report["findings"].as_array().unwrap().clone().into_iter();
        all.filter(|finding| finding["rule"] == "missing-lock-timeout")
            .map(|finding| finding.to_string())
            .collect::<Vec<_>>()
    };
    let local = timeouts("SET LOCAL lock_timeout = '2s';\nALTER TABLE t ADD COLUMN note text;\n");
    assert!(local.len() == 1 && local[0].contains("SET lock_timeout = '2s';"), "{local:?}");
    assert_eq!(timeouts("SET lock_timeout = '2s';\nALTER TABLE t ADD COLUMN note text;\n"), [""; 0]);
    assert_eq!(timeouts("SELECT 1;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE t ADD COLUMN note text;\n"), [""; 0]);
}

#[test]
fn a_table_that_is_dropped_on_commit_is_there_until_then() {
    let text = "BEGIN;\nCREATE TEMP TABLE t (a int) ON COMMIT DROP;\nINSERT INTO t VALUES (1);\nCOMMIT;\nINSERT INTO t VALUES (1);\n\
        CREATE TEMP TABLE u ON COMMIT DROP AS SELECT 1 AS a;\nSELECT a FROM u;\n";
    let run = check(&[("migrations/1.sql", text)]);
    assert_eq!(run.failing(), ["5 error missing-object", "7 error missing-object"]);
    let kept = "BEGIN;\nCREATE TEMP TABLE t (a int) ON COMMIT PRESERVE ROWS;\nCOMMIT;\nINSERT INTO t VALUES (1);\n";
    assert_eq!(check(&[("migrations/1.sql", kept)]).failing(), [""; 0]);
    let together = "CREATE TEMP TABLE t (a int) ON COMMIT DROP;\nINSERT INTO t VALUES (1);\n";
    assert_eq!(check(&[SQLX, ("migrations/1_a.sql", together)]).failing(), [""; 0]);
    let undone = "BEGIN;\nSAVEPOINT s;\nCREATE TEMP TABLE t (a int) ON COMMIT DROP;\nROLLBACK TO s;\nCREATE TABLE t (a int);\nCOMMIT;\nINSERT INTO t VALUES (1);\n";
    assert_eq!(check(&[("migrations/1.sql", undone)]).failing(), [""; 0]);
}
