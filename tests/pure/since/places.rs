//! A migration is its history and its place in it: what comes into a history from elsewhere is new, whatever else held its text before.

use super::*;

const LOCKED: &str = "SET lock_timeout = '2s';\n";

/// A history of one migration on main, and a draft beside it; a branch is checked out.
fn drafted() -> Repository {
    let repository = Repository::new();
    repository.write("migrations/0001.sql", ORDERS);
    repository.write("pending/drop.sql", DROP);
    repository.write("pending/fine.sql", "SELECT 1;\n");
    repository.commit("orders, and a draft");
    repository.git(&["checkout", "-q", "-b", "branch"]);
    repository
}

impl Repository {
    fn link(&self, target: &str, link: &str) {
        let link = self.path().join(link);
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(target, link).unwrap();
    }

    /// The findings of what is staged, and then of what is committed, on which both must agree.
    fn found(&self, paths: &[&str]) -> Vec<String> {
        self.git(&["add", "-A"]);
        let staged = self.check(&[&["--staged"][..], paths].concat());
        self.git(&["commit", "-q", "--allow-empty", "-m", "branch"]);
        let since = self.check(&[&["--since", "main"][..], paths].concat());
        assert_eq!(staged.findings(), since.findings(), "{} {}", staged.stderr(), since.stderr());
        assert_eq!(staged.output.status.code(), since.output.status.code());
        since.findings()
    }

    /// What is on the branch so far is main's too.
    fn merge(&self) {
        self.commit("merged");
        self.git(&["branch", "-f", "main"]);
    }
}

#[test]
fn moved_in() {
    for name in ["drop.sql", "0002_drop.sql"] {
        let repository = drafted();
        repository.git(&["mv", "pending/drop.sql", &format!("migrations/{name}")]);
        assert_eq!(repository.found(&["migrations"]), [format!("dropped-data {name}")]);
    }
}

#[test]
fn copied_in() {
    let repository = drafted();
    repository.write("migrations/0002.sql", DROP);
    assert_eq!(repository.found(&["migrations"]), ["dropped-data 0002.sql"]);
}

#[test]
fn a_file_that_is_named_was_moved_in() {
    let repository = drafted();
    repository.git(&["mv", "pending/drop.sql", "migrations/0002.sql"]);
    let found = repository.found(&["migrations/0001.sql", "migrations/0002.sql"]);
    assert!(found.contains(&"dropped-data 0002.sql".to_owned()), "{found:?}");
}

#[test]
fn a_folder_of_drafts_was_moved_in() {
    let repository = drafted();
    repository.git(&["mv", "pending", "migrations/0002"]);
    assert_eq!(repository.found(&["migrations"]), ["dropped-data drop.sql"]);
    let repository = Repository::new();
    repository.write("drafts/0001.sql", "SET lock_timeout = '2s';\nDROP TABLE orders;\n");
    repository.commit("a draft");
    repository.git(&["checkout", "-q", "-b", "branch"]);
    repository.git(&["mv", "drafts", "migrations"]);
    assert_eq!(repository.found(&["migrations"]).len(), 1);
}

#[test]
fn renamed_in_its_history() {
    let repository = drafted();
    repository.git(&["mv", "migrations/0001.sql", "migrations/0001_orders.sql"]);
    assert_eq!(repository.found(&["migrations"]), ["changed-migration 0001_orders.sql"]);
}

#[test]
fn what_was_no_migration_under_its_old_name() {
    for old in ["0002.sql.off", "0002_orders.down.sql", "notes.txt"] {
        let repository = drafted();
        repository.write("migrations/0002_orders.up.sql", "SELECT 1;\n");
        repository.write(format!("migrations/{old}"), DROP);
        repository.merge();
        repository.git(&["mv", &format!("migrations/{old}"), "migrations/0003_drop.up.sql"]);
        assert_eq!(repository.found(&["migrations"]), ["dropped-data 0003_drop.up.sql"], "{old}");
    }
}

#[test]
fn moved_between_two_histories() {
    let repository = Repository::new();
    let drop = format!("{LOCKED}DROP TABLE items;\n");
    repository.write("a/migrations/0001.sql", "CREATE TABLE items (id bigint PRIMARY KEY);\n");
    repository.write("a/migrations/0002.sql", &drop);
    repository.write("b/migrations/0001.sql", "CREATE TABLE items (id bigint PRIMARY KEY, n int);\n");
    repository.commit("two services");
    repository.git(&["checkout", "-q", "-b", "branch"]);
    repository.git(&["mv", "a/migrations/0002.sql", "b/migrations/0002.sql"]);
    assert_eq!(repository.found(&[]), ["dropped-data 0002.sql"]);
}

#[test]
fn a_new_link() {
    let repository = drafted();
    repository.link("../pending/drop.sql", "migrations/0002.sql");
    assert_eq!(repository.found(&["migrations"]), ["dropped-data 0002.sql"]);
    repository.merge();
    assert_eq!(repository.found(&["migrations"]), [""; 0], "it is old now");
}

#[test]
fn a_link_to_an_older_migration_runs_it_again() {
    let repository = drafted();
    repository.link("0001.sql", "migrations/0002.sql");
    assert_eq!(repository.found(&["migrations"]), ["duplicate-object 0002.sql"]);
}

#[test]
fn a_linked_folder() {
    let repository = drafted();
    repository.link("../pending", "migrations/0002");
    assert_eq!(repository.found(&["migrations"]), ["dropped-data drop.sql"]);
    repository.merge();
    assert_eq!(repository.found(&["migrations"]), [""; 0]);
    repository.write("pending/late.sql", &format!("{LOCKED}CREATE TABLE late (n int);\nDROP TABLE late;\n"));
    repository.write("pending/next.sql", &format!("{LOCKED}TRUNCATE late;\n"));
    let found = repository.found(&["migrations"]);
    assert!(found.iter().all(|found| found.ends_with("late.sql") || found.ends_with("next.sql")), "{found:?}");
    assert!(!found.is_empty());
}

#[test]
fn a_link_with_another_target() {
    let repository = drafted();
    repository.link("../pending/fine.sql", "migrations/0002.sql");
    repository.merge();
    repository.link("../pending/drop.sql", "migrations/0002.sql");
    let found = repository.found(&["migrations"]);
    assert_eq!(found, ["changed-migration 0002.sql", "dropped-data 0002.sql"]);
}

#[test]
fn a_linked_folder_with_another_target() {
    let repository = drafted();
    repository.write("other/drop.sql", "SELECT 1;\n");
    repository.link("../other", "migrations/0002");
    repository.merge();
    repository.link("../pending", "migrations/0002");
    let found = repository.found(&["migrations"]);
    assert!(found.contains(&"dropped-data drop.sql".to_owned()), "{found:?}");
}

#[test]
fn the_history_itself_is_a_link_with_another_target() {
    let repository = Repository::new();
    repository.write("v1/0001.sql", ORDERS);
    repository.write("v2/0001.sql", ORDERS);
    repository.write("v2/0002.sql", DROP);
    repository.link("v1", "migrations");
    repository.commit("v1 is in force");
    repository.git(&["checkout", "-q", "-b", "branch"]);
    repository.link("v2", "migrations");
    assert_eq!(repository.found(&["migrations"]), ["dropped-data 0002.sql"]);
}

#[test]
fn the_target_of_a_link_changed() {
    let repository = drafted();
    repository.link("../pending/fine.sql", "migrations/0002.sql");
    repository.merge();
    repository.write("pending/fine.sql", DROP);
    let found = repository.found(&["migrations"]);
    assert_eq!(found, ["changed-migration 0002.sql", "dropped-data 0002.sql"]);
}

#[test]
fn a_file_that_becomes_a_link_to_the_same_text_is_the_same() {
    let repository = drafted();
    repository.git(&["mv", "migrations/0001.sql", "pending/orders.sql"]);
    repository.link("../pending/orders.sql", "migrations/0001.sql");
    assert_eq!(repository.found(&["migrations"]), [""; 0]);
    repository.link("../pending/drop.sql", "migrations/0001.sql");
    let found = repository.found(&["migrations"]);
    assert_eq!(found[0], "changed-migration 0001.sql", "{found:?}");
}

#[test]
fn a_script_that_only_now_is_in_the_plan() {
    let repository = Repository::new();
    let plan = "%syntax-version=1.0.0\n%project=shop\n\norders 2024-01-01T00:00:00Z A <a@b.c> # orders\n";
    repository.write("sqitch.plan", plan);
    repository.write("deploy/orders.sql", ORDERS);
    repository.write("deploy/drop.sql", DROP);
    repository.commit("orders, and a script that nothing names");
    repository.git(&["checkout", "-q", "-b", "branch"]);
    repository.write("sqitch.plan", &format!("{plan}drop 2024-01-02T00:00:00Z A <a@b.c> # drop\n"));
    assert_eq!(repository.found(&["."]), ["dropped-data drop.sql"]);
}

#[test]
fn what_is_staged_counts_where_the_working_tree_says_otherwise() {
    let repository = drafted();
    repository.link("../pending/drop.sql", "migrations/0002.sql");
    repository.git(&["add", "-A"]);
    repository.link("../pending/fine.sql", "migrations/0002.sql");
    assert_eq!(repository.check(&["--staged", "migrations"]).findings(), ["dropped-data 0002.sql"]);
    std::fs::remove_file(repository.path().join("migrations/0002.sql")).unwrap();
    let run = repository.check(&["--staged", "migrations"]);
    assert_eq!(run.output.status.code(), Some(2));
    assert!(run.json()["errors"].to_string().contains("is not in the working tree"), "{}", run.json());
}

/// Only what the migrations hold is downloaded.
#[test]
fn a_clone_without_blobs_downloads_no_others() {
    let repository = drafted();
    repository.write("assets/large.bin", &"x".repeat(10_000));
    repository.merge();
    repository.write("assets/large.bin", &"y".repeat(10_000));
    repository.git(&["mv", "pending/drop.sql", "migrations/0002.sql"]);
    repository.commit("drop");
    repository.git(&["config", "uploadpack.allowFilter", "true"]);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repository.path().display());
    let clone = ["clone", "-q", "--filter=blob:none", "--branch", "branch", &url, "clone"];
    git(folder.path(), &clone);
    let clone = folder.path().join("clone");
    // Whatever is not there by now cannot be had.
    std::fs::rename(repository.path(), folder.path().join("gone")).unwrap();
    let run = Run::of(&clone, &["--since", "origin/main", "migrations"]);
    std::fs::rename(folder.path().join("gone"), repository.path()).unwrap();
    assert_eq!(run.findings(), ["dropped-data 0002.sql"], "{}", run.stderr());
}

#[test]
fn what_stands_beside_the_migrations_is_in_the_ledger() {
    let repository = drafted();
    repository.write("migrations/.gitignore", "0003*\n");
    repository.write("migrations/0003_local.sql", DROP);
    repository.write("migrations/0004_view.psql", "SELECT 1;\n");
    let run = repository.check(&["migrations"]);
    let json = run.json();
    let not_read = json["coverage"]["not_read"].as_array().unwrap();
    let kinds: Vec<(&str, &str)> =
        not_read.iter().map(|kind| (kind["reason"].as_str().unwrap(), kind["examples"][0].as_str().unwrap())).collect();
    assert_eq!(kinds, [("ignored", "migrations/0003_local.sql"), ("ending", "migrations/0004_view.psql")]);
    assert_eq!(run.output.status.code(), Some(0));
    assert_eq!(repository.check(&["--strict", "migrations"]).output.status.code(), Some(2));
}
