//! Queries as drivers and pg_stat_statements leave them, under `check --prove --queries`: which are prepared, which are listed, and
//! that nothing is said to break that does not.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/workload")
}

fn prove(major: u16, migration: &str) -> Value {
    let installation = crate::support::servers::of_versions(&[major]).remove(0);
    let work = tempfile::tempdir().expect("a folder");
    std::fs::write(work.path().join("1.sql"), migration).expect("a file");
    let done = Command::new(env!("CARGO_BIN_EXE_pgassay"))
        .current_dir(work.path())
        .args(["check", "--no-config", "--prove", "--format", "json", "--rolling", "--pg-version", &major.to_string()])
        .arg("--pg-bin")
        .arg(installation.bin())
        .arg("--base")
        .arg(folder().join("tables.sql"))
        .arg("--queries")
        .arg(folder().join("queries.sql"))
        .arg("1.sql")
        .output()
        .expect("the binary runs");
    let text = String::from_utf8_lossy(&done.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&done.stderr)))
}

fn texts(list: &Value, key: &str) -> Vec<String> {
    let of = |it: &Value| it[key].as_str().unwrap_or_default().to_owned();
    list.as_array().expect("a list").iter().map(of).collect()
}

fn broken(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings");
    let of_rule = findings.iter().filter(|it| it["rule"] == "broken-query" && it["severity"] == "error");
    of_rule.map(|it| format!("{} {}", it["line"], it["message"].as_str().unwrap_or_default())).collect()
}

#[test]
fn parameters_without_types_are_told_and_nothing_breaks_by_chance() {
    let migration = "SET lock_timeout = '1s';\nALTER TABLE customers ADD COLUMN extra int;\nALTER TABLE orders ADD COLUMN extra int DEFAULT 0;\nALTER TYPE state ADD VALUE 'lost';";
    // What takes MERGE, and the newest.
    for major in [15, 18] {
        let report = prove(major, migration);
        let proof = &report["proof"];
        let unprepared = texts(&proof["unprepared"], "query");
        // The text that was cut off.
        assert_eq!(unprepared.len(), 1, "{unprepared:#?}");
        assert!(unprepared[0].ends_with("(created_at >"), "{unprepared:?}");
        assert!(proof["queries"].as_u64() >= Some(100), "{}", proof["queries"]);
        assert_eq!(broken(&report), [""; 0]);
        assert_eq!(proof["rolling"]["order"], "either");
        assert_eq!(report["differences"], serde_json::json!([]));
    }
}

#[test]
fn what_breaks_is_told_at_its_statement() {
    let migration = std::fs::read_to_string(folder().join("breaking.sql")).expect("a file");
    let report = prove(15, &migration);
    let found = broken(&report);
    let told = |line: u32, words: &[&str]| {
        let fits = |it: &&String| it.starts_with(&format!("{line} ")) && words.iter().all(|word| it.contains(word));
        assert!(found.iter().filter(fits).count() > 0, "line {line}, {words:?} in {found:#?}");
    };
    told(2, &["42703", "name"]);
    told(3, &["23502", "channel"]);
    told(4, &["42P10", "ON CONFLICT"]);
    told(5, &["42883", "settle"]);
    told(6, &["pair"]);
    told(7, &["text ->> unknown"]);
    assert!(!found.iter().any(|it| it.starts_with("1 ")), "SET breaks nothing: {found:#?}");
    assert_eq!(report["proof"]["rolling"]["order"], "code-first");
}
