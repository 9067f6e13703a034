//! `pgassay explain`: what one statement does to a project.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// A project of golang-migrate with two tables.
fn project() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let migrations = folder.path().join("migrations");
    std::fs::create_dir(&migrations).expect("a folder");
    let files = [
        ("0001_start.up.sql", "CREATE TABLE customers (id bigint PRIMARY KEY, email text);"),
        ("0001_start.down.sql", "DROP TABLE customers;"),
        ("0002_orders.up.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);"),
        ("0002_orders.down.sql", "DROP TABLE orders;"),
    ];
    for (name, text) in files {
        std::fs::write(migrations.join(name), text).expect("a file");
    }
    folder
}

fn explain(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pgassay"))
        .arg("explain")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

#[test]
fn a_statement_is_explained_on_the_schema_of_the_history() {
    let folder = project();
    let (code, out, err) = explain(folder.path(), &["ALTER TABLE orders ALTER COLUMN id TYPE text"]);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out);
}

#[test]
fn json_says_the_same_with_stable_names() {
    let folder = project();
    let statement = "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers";
    let (code, out, _) = explain(folder.path(), &[statement, "--format", "json"]);
    assert_eq!(code, 0);
    let answer: Value = serde_json::from_str(&out).expect("JSON");
    let explained = &answer["statements"][0];
    let locks: Vec<(&str, &str)> = explained["locks"]
        .as_array()
        .expect("locks")
        .iter()
        .map(|lock| (lock["relation"].as_str().unwrap(), lock["mode"].as_str().unwrap()))
        .collect();
    assert_eq!(locks, [("public.customers", "SHARE ROW EXCLUSIVE"), ("public.orders", "SHARE ROW EXCLUSIVE")],);
    let conflicts = explained["locks"][0]["conflictsWith"].as_array().expect("modes");
    assert!(
        conflicts.iter().any(|mode| mode == "ROW EXCLUSIVE") && !conflicts.iter().any(|mode| mode == "ACCESS SHARE")
    );
    assert_eq!(explained["work"][0]["kind"], "scan");
    assert_eq!(answer["migrations"], 2);
}

#[test]
fn what_clients_lose_is_said_and_a_missing_name_is_refused() {
    let folder = project();
    let lost = |statement: &str| -> Value {
        let (_, out, _) = explain(folder.path(), &[statement, "--format", "json"]);
        serde_json::from_str::<Value>(&out).expect("JSON")["statements"][0].clone()
    };
    let renamed = lost("ALTER TABLE customers RENAME COLUMN email TO mail");
    let loss = &renamed["clientsLose"][0];
    assert_eq!(loss["object"], "public.customers.email");
    assert!(loss["answer"].as_str().unwrap().contains("42703"), "{loss}");
    let missing = lost("ALTER TABLE customers DROP COLUMN phone");
    assert!(missing["problems"][0].as_str().unwrap().contains("phone"), "{missing}");
    assert!(missing["clientsLose"].as_array().unwrap().is_empty());
}

#[test]
fn the_tools_transaction_is_that_of_the_statement() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let migrations = folder.path().join("migrations");
    std::fs::create_dir(&migrations).expect("a folder");
    let text = "-- +goose Up\nCREATE TABLE orders (id bigint PRIMARY KEY, at timestamptz);\n-- +goose Down\nDROP TABLE orders;\n";
    std::fs::write(migrations.join("0001_start.sql"), text).expect("a file");
    let (_, out, _) = explain(folder.path(), &["CREATE INDEX CONCURRENTLY ON orders (at)", "--format", "json"]);
    let answer: Value = serde_json::from_str(&out).expect("JSON");
    let explained = &answer["statements"][0];
    assert_eq!(explained["transaction"], "in the transaction that the migration tool opens");
    assert_eq!(explained["allowedInTransactionBlock"], false);
    assert_eq!(explained["findings"][0]["rule"], "transaction-forbidden");
}

#[test]
fn passwords_are_not_shown() {
    let folder = project();
    for format in ["text", "json"] {
        let (_, out, err) = explain(folder.path(), &["CREATE ROLE app PASSWORD 'hunter22'", "--format", format]);
        assert!(!out.contains("hunter22") && !err.contains("hunter22"), "{out}{err}");
        assert!(out.contains("CREATE ROLE app"), "{out}");
    }
}

#[test]
fn no_statement_and_no_sql_are_failures() {
    let folder = project();
    let (code, _, err) = explain(folder.path(), &["  -- nothing"]);
    assert_eq!(code, 2, "{err}");
    let (code, out, _) = explain(folder.path(), &["ALTER THING orders ADD x int"]);
    assert_eq!(code, 2);
    assert!(out.contains("could not be read"), "{out}");
}
