//! The first run on a project with a long past, and how to go on from there.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Twenty migrations with three findings or more each.
fn long_past() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(folder.path()).args(["-c", "user.name=a", "-c", "user.email=a@example.com"]);
        assert!(git.args(arguments).status().unwrap().success(), "{arguments:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    for number in 1..=20 {
        let table = format!("t{number}");
        write(folder.path(), number * 2, &format!("CREATE TABLE {table} (id bigint PRIMARY KEY, a text, b text);\n"));
        let text = format!(
            "ALTER TABLE {table} ALTER COLUMN a SET NOT NULL;\nALTER TABLE {table} DROP COLUMN b;\nCREATE INDEX ON {table} (a);\n"
        );
        write(folder.path(), number * 2 + 1, &text);
    }
    git(&["add", "."]);
    git(&["commit", "-qm", "past"]);
    folder
}

fn write(folder: &Path, number: usize, text: &str) {
    std::fs::write(folder.join(format!("migrations/{number:04}_change.sql")), text).unwrap();
}

fn check(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    let output = command.current_dir(folder).args(["check", "--no-config"]).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn count(text: &str, what: &str) -> usize {
    text.lines().filter(|line| line.starts_with(what)).count()
}

#[test]
fn a_long_past_is_shortened_and_says_how_to_go_on() {
    let past = long_past();
    let short = check(past.path(), &[]);
    assert!(short.lines().count() < 300, "{} lines", short.lines().count());
    assert!(short.starts_with("The ") && short.contains("that matter most"), "{short}");
    for way in ["--full", "--since main ", "--write-baseline", "pgassay rules NAME"] {
        assert!(short.contains(way), "{way}");
    }
    let json: Value = serde_json::from_str(&check(past.path(), &["--format", "json"])).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let dropped = findings.iter().filter(|finding| finding["rule"] == "dropped-data").count();
    assert!(short.lines().any(|line| line.contains("dropped-data") && line.contains(&dropped.to_string())), "{short}");
    // No rule fills the list.
    assert!(count(&short, "error[dropped-data]") <= 2);
    // The latest first.
    assert!(short.contains("0041_change.sql"));
}

#[test]
fn the_branch_to_compare_with_is_the_repository_s_own() {
    let past = long_past();
    let git = |arguments: &[&str]| {
        assert!(Command::new("git").arg("-C").arg(past.path()).args(arguments).status().unwrap().success())
    };
    git(&["branch", "-m", "master"]);
    assert!(check(past.path(), &[]).contains("pgassay check --since master "));
    git(&["update-ref", "refs/remotes/origin/develop", "HEAD"]);
    git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/develop"]);
    assert!(check(past.path(), &[]).contains("pgassay check --since origin/develop "));
    std::fs::remove_dir_all(past.path().join(".git")).unwrap();
    assert!(check(past.path(), &[]).contains("pgassay check --since origin/main "));
}

#[test]
fn everything_is_shown_where_it_is_asked_for() {
    let past = long_past();
    let full = check(past.path(), &["--full"]);
    assert_eq!(count(&full, "error[dropped-data]"), 20);
    assert!(!full.contains("that matter most"));
    check(past.path(), &["--output", "text=all.txt"]);
    let file = std::fs::read_to_string(past.path().join("all.txt")).unwrap();
    assert_eq!(count(&file, "error[dropped-data]"), 20);
    let summary = check(past.path(), &["--summary"]);
    assert!(summary.lines().count() < 40, "{summary}");
    assert!(summary.contains("dropped-data"));
}

#[test]
fn what_is_new_is_never_shortened() {
    let past = long_past();
    let drops: String =
        (1..=20).map(|number| format!("ALTER TABLE t{number} DROP COLUMN a;\nDROP TABLE t{number};\n")).collect();
    write(past.path(), 50, &drops);
    let new = check(past.path(), &["--since", "main"]);
    assert!(!new.contains("that matter most"), "{new}");
    assert!(count(&new, "error[dropped-data]") >= 20, "{new}");
}

#[test]
fn a_line_per_finding_for_editors() {
    let past = long_past();
    let lines = check(past.path(), &["--format", "gcc"]);
    assert!(lines.contains("migrations/0003_change.sql:2:28: error: "), "{lines}");
    assert!(lines.lines().all(|line| line.contains(": ") && line.ends_with(']')), "{lines}");
}

#[test]
fn rules_as_data() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    let output = command.args(["rules", "--format", "json"]).output().unwrap();
    let rules: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&str> = rules.as_array().unwrap().iter().map(|rule| rule["name"].as_str().unwrap()).collect();
    assert_eq!(names, pgassay::rules::ALL.iter().map(|rule| rule.name).collect::<Vec<_>>());
}
