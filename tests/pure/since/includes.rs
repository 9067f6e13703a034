//! What psql's `\i` and `\ir` include is a part of the migration that includes it.

use crate::since::Repository;

const MAIN: &str = "\\ir ../functions/total.sql\nCREATE TABLE orders (id bigint PRIMARY KEY);\n";
const TOTAL: &str = "CREATE TABLE totals (id bigint PRIMARY KEY, sum numeric);\n";
const WITHOUT: &str = "CREATE TABLE totals (id bigint PRIMARY KEY);\n";
const SINCE: [&str; 3] = ["--since", "main", "migrations"];
const STAGED: [&str; 2] = ["--staged", "migrations"];

fn branch() -> Repository {
    let repository = Repository::new();
    repository.write("migrations/001_orders.sql", MAIN);
    repository.write("functions/total.sql", TOTAL);
    repository.commit("orders");
    repository.git(&["checkout", "-q", "-b", "branch"]);
    repository
}

#[test]
fn a_changed_included_file_is_a_changed_migration() {
    let repository = branch();
    assert_eq!(repository.check(&SINCE).findings(), [""; 0]);
    repository.write("functions/total.sql", &format!("-- a comment\n{TOTAL}"));
    assert_eq!(repository.check(&SINCE).findings(), [""; 0], "layout is of no matter to psql");
    repository.write("functions/total.sql", WITHOUT);
    let run = repository.check(&SINCE);
    assert_eq!(run.findings(), ["changed-migration 001_orders.sql"]);
    repository.write("functions/total.sql", "\\ir part.sql\n");
    repository.write("functions/part.sql", TOTAL);
    assert_eq!(repository.check(&SINCE).findings(), ["changed-migration 001_orders.sql"]);
    repository.commit("part");
    repository.git(&["checkout", "-q", "main"]);
    repository.git(&["merge", "-q", "branch"]);
    repository.git(&["checkout", "-q", "branch"]);
    assert_eq!(repository.check(&SINCE).findings(), [""; 0]);
    repository.write("functions/part.sql", WITHOUT);
    assert_eq!(
        repository.check(&SINCE).findings(),
        ["changed-migration 001_orders.sql"],
        "an inclusion in an inclusion"
    );
}

#[test]
fn a_new_migration_that_includes_it_again_brings_the_change() {
    let repository = branch();
    repository.write("functions/total.sql", "CREATE TABLE IF NOT EXISTS totals (id bigint PRIMARY KEY);\n");
    repository.write("migrations/002_again.sql", "\\ir ../functions/total.sql\n");
    assert_eq!(repository.check(&SINCE).findings(), [""; 0]);
}

#[test]
fn what_is_staged_of_an_included_file_counts() {
    let repository = branch();
    repository.write("functions/drop.sql", "SET lock_timeout = '2s';\nDROP TABLE orders;\n");
    repository.write("migrations/002_drop.sql", "\\ir ../functions/drop.sql\n");
    repository.git(&["add", "-A"]);
    repository.write("functions/drop.sql", "SELECT 1;\n");
    assert_eq!(repository.check(&STAGED).findings(), ["dropped-data drop.sql"]);
    repository.git(&["commit", "-q", "-m", "drop"]);
    repository.git(&["checkout", "-q", "functions"]);
    repository.write("functions/total.sql", WITHOUT);
    assert_eq!(repository.check(&STAGED).findings(), [""; 0], "a change that is not staged");
    repository.git(&["add", "-A"]);
    assert_eq!(repository.check(&STAGED).findings(), ["changed-migration 001_orders.sql"]);
    repository.git(&["reset", "-q", "--hard"]);
    repository.write("functions/new.sql", "SELECT 1;\n");
    repository.write("migrations/003_new.sql", "\\ir ../functions/new.sql\n");
    repository.git(&["add", "migrations"]);
    let run = repository.check(&STAGED);
    assert!(run.stderr().contains("new.sql: is included, and is not staged"), "{}", run.stderr());
}
