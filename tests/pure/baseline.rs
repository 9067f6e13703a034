//! Known findings, written and left out through the command line.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::repository::write_all;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path(), files);
    folder
}

fn write(folder: &Path, path: &str, text: &str) {
    write_all(folder, &[(path, text)]);
}

struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn check(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    let output = command.current_dir(folder).arg("check").args(arguments).output().unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Run {
    fn summary(&self) -> &str {
        self.stdout.lines().rfind(|line| line.contains("for PostgreSQL")).unwrap_or_default()
    }
}

const ORDERS: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, note text, total int);\n";
const DROPS: &str = "SET lock_timeout = '2s';\nALTER TABLE orders DROP COLUMN IF EXISTS note;\nALTER TABLE orders DROP COLUMN IF EXISTS total;\n";

fn written() -> TempDir {
    let folder = folder(&[("db/1.sql", ORDERS), ("db/2.sql", DROPS)]);
    assert_eq!(check(folder.path(), &["db"]).code, Some(1));
    let run = check(folder.path(), &["--write-baseline", "known.json", "db"]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    assert!(run.stderr.contains("known.json: holds 2 findings now"), "{}", run.stderr);
    folder
}

#[test]
fn one_line_a_finding() {
    let folder = written();
    let text = std::fs::read_to_string(folder.path().join("known.json")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("rule")).collect();
    assert!(
        lines[0]
            .starts_with(r#"{"file":"db/2.sql","rule":"dropped-data","object":"public.orders.note","fingerprint":""#)
    );
    assert!(lines[1].contains("public.orders.total"));
    assert_eq!(lines.len(), 2, "{text}");
    check(folder.path(), &["--write-baseline", "again.json", "db"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("again.json")).unwrap(), text);
}

#[test]
fn what_is_known_is_left_out_and_counted() {
    let folder = written();
    let run = check(folder.path(), &["--baseline", "known.json", "db"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert!(run.summary().ends_with("0 errors, 0 warnings, 0 infos; 2 known findings left out by the baseline"));
    write(folder.path(), "db/3.sql", "SET lock_timeout = '2s';\nDROP TABLE orders;\n");
    let run = check(folder.path(), &["--baseline", "known.json", "db"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("drops public.orders and every row") && !run.stdout.contains("orders.note"));
}

#[test]
fn moved_lines_and_another_layout_change_nothing() {
    let folder = written();
    let moved = "-- why\n\n\nset lock_timeout = '2s';\nalter table ORDERS\n  drop column if exists note; -- gone\n\n/* and */ alter table orders\n\tdrop column if exists total;\n";
    write(folder.path(), "db/2.sql", moved);
    let run = check(folder.path(), &["--baseline", "known.json", "db"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
    std::fs::rename(folder.path().join("db"), folder.path().join("schema")).unwrap();
    assert_eq!(check(folder.path(), &["--baseline", "known.json", "schema"]).code, Some(0));
}

#[test]
fn what_is_found_no_more_is_a_note() {
    let folder = written();
    write(folder.path(), "db/2.sql", "SET lock_timeout = '2s';\nALTER TABLE orders DROP COLUMN IF EXISTS note;\n");
    let run = check(folder.path(), &["--baseline", "known.json", "db"]);
    assert_eq!(run.code, Some(0));
    let expected = "dropped-data for public.orders.total in db/2.sql is found no more; the entry can go";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
    write(folder.path(), "other/1.sql", ORDERS);
    let elsewhere = check(folder.path(), &["--baseline", "known.json", "other"]);
    assert_eq!(elsewhere.stderr, "", "what was not judged is not stale");
    std::fs::remove_file(folder.path().join("db/2.sql")).unwrap();
    assert_eq!(check(folder.path(), &["--baseline", "known.json", "db"]).stderr.lines().count(), 2);
}

#[test]
fn writing_on_top_of_a_baseline_keeps_what_is_still_found() {
    let folder = written();
    write(folder.path(), "db/3.sql", "SET lock_timeout = '2s';\nDROP TABLE orders;\n");
    let run = check(folder.path(), &["--baseline", "known.json", "--write-baseline", "known.json", "db"]);
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.contains("holds 3 findings now"), "{}", run.stderr);
    assert_eq!(check(folder.path(), &["--baseline", "known.json", "db"]).code, Some(0));
}

#[test]
fn a_baseline_that_cannot_be_used_fails_the_run() {
    let folder = written();
    let missing = check(folder.path(), &["--baseline", "none.json", "db"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stdout.contains("--write-baseline makes it"), "{}", missing.stdout);
    write(folder.path(), "broken.json", "{\"findings\": [");
    assert!(check(folder.path(), &["--baseline", "broken.json", "db"]).stdout.contains("it is not a baseline"));
    write(folder.path(), "old.json", "{\"fingerprints\": \"pgassay/v0\", \"findings\": []}");
    assert!(check(folder.path(), &["--baseline", "old.json", "db"]).stdout.contains("write it anew"));
    std::fs::write(folder.path().join("db/4.sql"), b"select '\xFF';").unwrap();
    let unreadable = check(folder.path(), &["--write-baseline", "new.json", "db"]);
    assert_eq!(unreadable.code, Some(2));
    assert!(!folder.path().join("new.json").exists());
}

#[test]
fn named_in_the_configuration_and_protected_areas_want_a_reason() {
    let settings = "baseline = \"known.json\"\npaths = [\"db\"]\n[areas]\npayments = [\"public.orders\"]\n";
    let folder = folder(&[("db/1.sql", ORDERS), ("db/2.sql", DROPS), ("pgassay.toml", settings)]);
    let missing = check(folder.path(), &[]);
    assert_eq!(missing.code, Some(2), "{}", missing.stderr);
    let run = check(folder.path(), &["--write-baseline", "known.json"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stderr.contains(" of them touch payments"), "{}", run.stderr);
    let path = folder.path().join("known.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"reason\":\"\"", "\"reason\":\"nobody has read it since May\"", 1)).unwrap();
    let run = check(folder.path(), &[]);
    assert_eq!(run.code, Some(1));
    assert!(run.summary().ends_with("1 known finding left out by the baseline"), "{}", run.summary());
    // Writing it anew keeps the reason.
    check(folder.path(), &["--write-baseline", "known.json"]);
    assert!(std::fs::read_to_string(&path).unwrap().contains("nobody has read it since May"));
}
