//! What is new, asked of real git repositories through the command line.

mod includes;
mod places;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::repository::write_all;

/// A repository in a folder of its own; it goes when the test ends.
pub(crate) struct Repository {
    folder: TempDir,
}

impl Repository {
    pub(crate) fn new() -> Repository {
        let repository = Repository { folder: tempfile::tempdir().unwrap() };
        repository.git(&["init", "-q", "-b", "main"]);
        repository.identify();
        repository
    }

    fn identify(&self) {
        self.git(&["config", "user.name", "A Tester"]);
        self.git(&["config", "user.email", "tester@example.org"]);
        self.git(&["config", "commit.gpgsign", "false"]);
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        git(self.path(), arguments);
    }

    pub(crate) fn write(&self, path: impl AsRef<Path>, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }

    /// `pgassay check` in the repository, as JSON.
    fn check(&self, arguments: &[&str]) -> Run {
        Run::of(self.path(), arguments)
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

struct Run {
    output: Output,
}

impl Run {
    fn of(folder: &Path, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
        command.current_dir(folder).args(["check", "--format", "json"]).args(arguments);
        Run { output: command.output().unwrap() }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.output.stdout).unwrap_or_else(|_| panic!("{}", self.stderr()))
    }

    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Every finding: rule, and the file's own name.
    fn findings(&self) -> Vec<String> {
        let json = self.json();
        let line = |finding: &Value| {
            let file = Path::new(finding["file"].as_str().unwrap()).file_name().and_then(OsStr::to_str).unwrap();
            format!("{} {file}", finding["rule"].as_str().unwrap())
        };
        json["findings"].as_array().unwrap().iter().map(line).collect()
    }

    /// The files of the judged statements.
    fn judged(&self) -> Vec<String> {
        let json = self.json();
        let file = |statement: &Value| statement["file"].as_str().unwrap().to_owned();
        let mut files: Vec<String> = json["statements"].as_array().unwrap().iter().map(file).collect();
        files.dedup();
        files
    }

    fn messages(&self) -> String {
        let json = self.json();
        let texts = json["findings"].as_array().unwrap().iter().map(|finding| finding["message"].as_str().unwrap());
        texts.collect::<Vec<_>>().join("\n")
    }
}

const ORDERS: &str = "CREATE TABLE orders (id bigint PRIMARY KEY);\n";
const DROP: &str = "SET lock_timeout = '2s';\nDROP TABLE orders;\n";

/// One migration on main; a branch is checked out.
fn branch() -> Repository {
    let repository = Repository::new();
    repository.write("migrations/001_orders.sql", ORDERS);
    repository.commit("orders");
    repository.git(&["checkout", "-q", "-b", "branch"]);
    repository
}

const SINCE: [&str; 3] = ["--since", "main", "migrations"];

#[test]
fn only_what_was_added_is_judged_on_what_was_there() {
    let repository = branch();
    assert_eq!(repository.check(&SINCE).judged(), [""; 0]);
    repository.write("migrations/002_drop.sql", DROP);
    repository.commit("drop");
    let run = repository.check(&SINCE);
    assert_eq!(run.judged(), ["migrations/002_drop.sql"]);
    assert_eq!(run.findings(), ["dropped-data 002_drop.sql"]);
    assert_eq!(repository.check(&["--since", "main"]).findings(), ["dropped-data 002_drop.sql"]);
}

#[test]
fn what_is_not_committed_counts() {
    let repository = branch();
    repository.write("migrations/002_untracked.sql", DROP);
    assert_eq!(repository.check(&SINCE).findings(), ["dropped-data 002_untracked.sql"]);
    repository.git(&["add", "-A"]);
    assert_eq!(repository.check(&SINCE).findings(), ["dropped-data 002_untracked.sql"]);
    repository.write("migrations/.gitignore", "003*\n");
    repository.write("migrations/003_ignored.sql", "DROP TABLE nothing;");
    let run = repository.check(&SINCE);
    assert_eq!(run.findings(), ["dropped-data 002_untracked.sql"]);
}

#[test]
fn new_migrations_go_out_together() {
    let repository = branch();
    repository.write("migrations/002_notes.sql", "CREATE TABLE notes (id bigint PRIMARY KEY, body varchar(10));\n");
    repository.write("migrations/003_wider.sql", "ALTER TABLE notes ALTER COLUMN body TYPE integer USING 1;\n");
    repository.write("migrations/004_drop.sql", "ALTER TABLE notes DROP COLUMN body;\n");
    assert_eq!(repository.check(&SINCE).findings(), [""; 0]);
    assert!(!repository.check(&["migrations"]).findings().is_empty());
    repository.write("migrations/005_drop.sql", DROP);
    assert_eq!(repository.check(&SINCE).findings(), ["dropped-data 005_drop.sql"]);
}

#[test]
fn a_changed_migration_is_a_finding() {
    let repository = branch();
    repository.write("migrations/001_orders.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n");
    repository.commit("note");
    let run = repository.check(&SINCE);
    assert_eq!(run.findings(), ["changed-migration 001_orders.sql"]);
    assert!(run.messages().contains("differs from what ran before"), "{}", run.messages());
    assert_eq!(run.json()["findings"][0]["severity"], "warning");
}

#[test]
fn layout_and_comments_matter_only_to_tools_that_count_bytes() {
    let repository = branch();
    let laid_out = "-- every order\r\ncreate table ORDERS\r\n(\r\n  id bigint primary key\r\n);\r\n";
    repository.write("migrations/001_orders.sql", laid_out);
    assert_eq!(repository.check(&SINCE).findings(), [""; 0]);

    let repository = Repository::new();
    repository.write("db/migration/V1__orders.sql", ORDERS);
    repository.commit("orders");
    repository.write("db/migration/V1__orders.sql", &ORDERS.replace('\n', "\r\n"));
    assert_eq!(repository.check(&["--since", "main"]).findings(), [""; 0], "line ends are git's to choose");
    repository.write("db/migration/V1__orders.sql", &format!("-- every order\n{ORDERS}"));
    let run = repository.check(&["--since", "main"]);
    assert_eq!(run.findings(), ["changed-migration V1__orders.sql"]);
    assert_eq!(run.json()["findings"][0]["severity"], "error");
    assert!(run.messages().contains("checksum mismatch"));
}

#[test]
fn a_changed_migration_can_be_allowed() {
    let repository = branch();
    let text = "-- pgassay: allow(changed-migration) no database has it yet\n\
                CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n";
    repository.write("migrations/001_orders.sql", text);
    assert_eq!(repository.check(&SINCE).findings(), [""; 0]);
}

#[test]
fn repeatable_migrations_are_meant_to_change() {
    let repository = Repository::new();
    repository.write("db/migration/V1__orders.sql", ORDERS);
    repository.write("db/migration/R__totals.sql", "CREATE OR REPLACE VIEW totals AS SELECT id FROM orders;\n");
    repository.commit("orders");
    repository.write("db/migration/R__totals.sql", "CREATE OR REPLACE VIEW totals AS SELECT id, 1 AS n FROM orders;\n");
    let run = repository.check(&["--since", "main"]);
    assert_eq!(run.judged(), ["db/migration/R__totals.sql"]);
    assert!(!run.findings().iter().any(|finding| finding.starts_with("changed-migration")));
}

#[test]
fn only_the_changeset_that_was_added_to_a_file_is_new() {
    let repository = Repository::new();
    let first = format!("--liquibase formatted sql\n\n--changeset me:1\n{ORDERS}");
    repository.write("changes/orders.sql", &first);
    repository.commit("orders");
    repository.write("changes/orders.sql", &format!("{first}\n--changeset me:2\n{DROP}"));
    let run = repository.check(&["--since", "main", "changes"]);
    assert_eq!(run.findings(), ["dropped-data orders.sql"]);
    assert_eq!(run.json()["statements"].as_array().unwrap().len(), 2);
    let changed = first.replace("bigint", "integer").replace("me:1", "me:1 runOnChange:true");
    repository.write("changes/orders.sql", &changed);
    assert_eq!(repository.check(&["--since", "main", "changes"]).findings(), [""; 0]);
}

#[test]
fn a_changed_way_back_does_not_change_the_way_there() {
    let repository = Repository::new();
    let text = |down: &str| format!("-- migrate:up\n{ORDERS}\n-- migrate:down\n{down}\n");
    repository.write("db/migrations/1_orders.sql", &text("DROP TABLE order;"));
    repository.commit("orders");
    repository.write("db/migrations/1_orders.sql", &text("DROP TABLE orders;"));
    assert_eq!(repository.check(&["--since", "main"]).findings(), [""; 0]);
}

#[test]
fn a_renamed_migration_is_followed() {
    let repository = branch();
    repository.git(&["mv", "migrations", "schema"]);
    repository.commit("move the folder");
    let run = repository.check(&["--since", "main", "schema"]);
    assert_eq!((run.judged().len(), run.findings().len()), (0, 0), "{:?}", run.findings());
    repository.git(&["mv", "schema/001_orders.sql", "schema/002_orders.sql"]);
    let run = repository.check(&["--since", "main", "schema"]);
    assert_eq!((run.judged().len(), run.findings()), (0, vec!["changed-migration 002_orders.sql".to_owned()]));
    assert!(run.messages().contains("was called 001_orders.sql before"));
}

#[test]
fn a_deleted_migration_is_noted() {
    let repository = branch();
    repository.write("migrations/002_notes.sql", "CREATE TABLE notes (id bigint PRIMARY KEY);\n");
    repository.git(&["rm", "-q", "migrations/001_orders.sql"]);
    let run = repository.check(&SINCE);
    assert!(run.stderr().contains("migrations/001_orders.sql: was deleted"), "{}", run.stderr());
}

#[test]
fn a_new_migration_before_one_that_ran_is_out_of_order() {
    let repository = Repository::new();
    repository.write("db/migration/V1__orders.sql", ORDERS);
    repository.write("db/migration/V3__drop.sql", DROP);
    repository.commit("orders");
    repository
        .write("db/migration/V2__note.sql", "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN note text;\n");
    let run = repository.check(&["--since", "main"]);
    // It runs where V3 has run.
    assert_eq!(run.findings(), ["out-of-order-migration V2__note.sql", "missing-object V2__note.sql"]);
    assert_eq!(run.json()["findings"][0]["severity"], "error");
}

#[test]
fn only_what_is_staged_is_judged_as_it_is_staged() {
    let repository = branch();
    repository.write("migrations/002_drop.sql", DROP);
    repository.git(&["add", "-A"]);
    repository.write("migrations/002_drop.sql", "SELECT 1;\n");
    repository.write("migrations/003_untracked.sql", "DROP TABLE nothing;\n");
    let run = repository.check(&["--staged", "migrations"]);
    assert_eq!(run.findings(), ["dropped-data 002_drop.sql"]);
    assert!(run.stderr().contains("003_untracked.sql: is not staged"), "{}", run.stderr());
    repository.git(&["commit", "-q", "-m", "drop"]);
    assert_eq!(repository.check(&["--staged", "migrations"]).judged(), [""; 0]);
}

#[test]
fn staged_before_the_first_commit() {
    let repository = Repository::new();
    repository.write("migrations/001_orders.sql", ORDERS);
    repository.git(&["add", "-A"]);
    assert_eq!(repository.check(&["--staged", "migrations"]).judged(), ["migrations/001_orders.sql"]);
    let run = repository.check(&["--since", "HEAD", "migrations"]);
    assert_eq!(run.output.status.code(), Some(2));
}

#[test]
fn what_main_got_since_is_not_new() {
    let repository = branch();
    repository.write("migrations/002_branch.sql", DROP);
    repository.commit("drop");
    repository.git(&["checkout", "-q", "main"]);
    repository.write("migrations/001_orders.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, main int);\n");
    repository.write("migrations/002_main.sql", "CREATE TABLE notes (id bigint PRIMARY KEY);\n");
    repository.commit("main goes on");
    repository.git(&["checkout", "-q", "branch"]);
    assert_eq!(repository.check(&SINCE).findings(), ["dropped-data 002_branch.sql"]);
}

#[test]
fn errors_say_what_to_do() {
    let repository = branch();
    let unknown = repository.check(&["--since", "trunk", "migrations"]);
    assert_eq!(unknown.output.status.code(), Some(2));
    assert!(unknown.stderr().contains("git knows no commit \"trunk\""), "{}", unknown.stderr());
    let option = repository.check(&["--since=--output=x", "migrations"]);
    assert!(option.stderr().contains("git knows no commit"), "{}", option.stderr());

    repository.git(&["checkout", "-q", "--orphan", "other"]);
    repository.commit("another beginning");
    let unrelated = repository.check(&SINCE);
    assert!(unrelated.stderr().contains("main and HEAD have no common commit"), "{}", unrelated.stderr());

    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    std::fs::write(folder.path().join("migrations/1.sql"), ORDERS).unwrap();
    let outside = Run::of(folder.path(), &SINCE);
    assert_eq!(outside.output.status.code(), Some(2));
    assert!(outside.stderr().contains("is not in a git repository"), "{}", outside.stderr());
}

#[test]
fn without_git_it_says_so() {
    let repository = branch();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.current_dir(repository.path()).arg("check").args(SINCE).env("PATH", repository.path());
    let stderr = String::from_utf8_lossy(&command.output().unwrap().stderr).into_owned();
    assert!(stderr.contains("the git program was not found"), "{stderr}");
}

/// As a CI job's checkout does it: the last commit of the branch, and perhaps that of main.
#[test]
fn a_shallow_clone_asks_for_the_rest() {
    let repository = branch();
    repository.write("migrations/002_drop.sql", DROP);
    repository.commit("drop");
    repository.commit("nothing");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repository.path().display());
    git(folder.path(), &["clone", "-q", "--depth", "1", "--branch", "branch", &url, "clone"]);
    let clone = folder.path().join("clone");
    let unknown = Run::of(&clone, &["--since", "origin/main", "migrations"]);
    assert!(unknown.stderr().contains("fetch-depth: 0"), "{}", unknown.stderr());
    git(&clone, &["fetch", "-q", "--depth", "1", "origin", "main:refs/remotes/origin/main"]);
    let apart = Run::of(&clone, &["--since", "origin/main", "migrations"]);
    assert!(
        apart.stderr().contains("no common commit") && apart.stderr().contains("fetch-depth: 0"),
        "{}",
        apart.stderr()
    );
    git(&clone, &["fetch", "-q", "--unshallow", "origin"]);
    assert_eq!(Run::of(&clone, &["--since", "origin/main", "migrations"]).findings(), ["dropped-data 002_drop.sql"]);
    let remote = Run::of(&clone, &SINCE);
    assert!(remote.stderr().contains("did you mean origin/main?"), "{}", remote.stderr());
}

#[test]
fn a_main_branch_of_another_name_is_named() {
    let repository = branch();
    repository.git(&["branch", "-m", "main", "master"]);
    for asked in ["main", "origin/main"] {
        let unknown = Run::of(repository.path(), &["--since", asked, "migrations"]);
        assert!(unknown.stderr().contains("did you mean master?"), "{}", unknown.stderr());
    }
    let folder = tempfile::tempdir().unwrap();
    git(
        folder.path(),
        &["clone", "-q", "--branch", "master", &format!("file://{}", repository.path().display()), "clone"],
    );
    let unknown = Run::of(&folder.path().join("clone"), &["--since", "origin/main", "migrations"]);
    assert!(unknown.stderr().contains("did you mean origin/"), "{}", unknown.stderr());
    let typo = Run::of(repository.path(), &["--since", "v1", "migrations"]);
    assert!(!typo.stderr().contains("did you mean"), "{}", typo.stderr());
}

#[test]
fn a_submodule_is_compared_with_what_was_recorded() {
    let inner = Repository::new();
    inner.write("001_orders.sql", ORDERS);
    inner.commit("orders");
    let outer = Repository::new();
    let url = format!("file://{}", inner.path().display());
    outer.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", &url, "migrations"]);
    outer.commit("migrations");
    outer.git(&["checkout", "-q", "-b", "branch"]);
    assert_eq!(outer.check(&SINCE).judged(), [""; 0]);
    outer.write("migrations/002_drop.sql", DROP);
    assert_eq!(outer.check(&SINCE).findings(), ["dropped-data 002_drop.sql"]);
    let submodule = outer.path().join("migrations");
    git(&submodule, &["-c", "user.name=x", "-c", "user.email=x@example.org", "add", "-A"]);
    git(&submodule, &["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-q", "-m", "drop"]);
    outer.commit("take the drop");
    assert_eq!(outer.check(&SINCE).findings(), ["dropped-data 002_drop.sql"]);
}

/// A hook is told by variables where its repository is.
#[test]
fn in_a_hook() {
    let repository = branch();
    repository.write("migrations/002_drop.sql", DROP);
    repository.git(&["add", "-A"]);
    let hook = format!("#!/bin/sh\nexec '{}' check --staged migrations\n", env!("CARGO_BIN_EXE_pgassay"));
    repository.write(".git/hooks/pre-commit", &hook);
    let hook = repository.path().join(".git/hooks/pre-commit");
    std::fs::set_permissions(hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut commit = Command::new("git");
    let output = commit.arg("-C").arg(repository.path()).args(["commit", "-q", "-m", "drop"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("dropped-data"), "{text}");
}

#[test]
fn unusual_file_names() {
    let repository = branch();
    let names =
        ["002 with spaces.sql", "003\nnew line.sql", "004_größe_注文.sql", "005_\"quoted\".sql", "006\ttab.sql"];
    for (number, name) in names.iter().enumerate() {
        let text = format!("SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN c{number} int;\n");
        repository.write(PathBuf::from("migrations").join(name), &text);
    }
    assert_eq!(repository.check(&SINCE).judged().len(), names.len());
    repository.commit("names");
    assert_eq!(repository.check(&SINCE).judged().len(), names.len());
    assert_eq!(repository.check(&["--since", "HEAD", "migrations"]).judged(), [""; 0]);
    repository.write("migrations/003\nnew line.sql", "DROP TABLE orders;\n");
    let found = repository.check(&["--since", "HEAD", "migrations"]).findings();
    assert!(found.contains(&"changed-migration 003\nnew line.sql".to_owned()), "{found:?}");
}

#[test]
fn from_another_folder_and_through_a_link() {
    let repository = branch();
    repository.write("migrations/002_drop.sql", DROP);
    repository.write("deep/down/x", "");
    let deep = repository.path().join("deep/down");
    assert_eq!(Run::of(&deep, &["--since", "main", "../../migrations"]).findings(), ["dropped-data 002_drop.sql"]);
    std::os::unix::fs::symlink("../../migrations", deep.join("link")).unwrap();
    assert_eq!(Run::of(&deep, &["--since", "main", "link"]).findings(), ["dropped-data 002_drop.sql"]);
}

#[test]
fn a_reworked_sqitch_change_is_new_and_its_old_script_is_not() {
    let repository = Repository::new();
    let plan = "%syntax-version=1.0.0\n%project=shop\n\norders 2024-01-01T00:00:00Z A <a@b.c> # orders\n";
    repository.write("sqitch.plan", plan);
    repository.write("deploy/orders.sql", ORDERS);
    repository.commit("orders");
    let tag = "@v1 2024-01-02T00:00:00Z A <a@b.c> # one\norders [orders@v1] 2024-01-03T00:00:00Z A <a@b.c> # again\n";
    repository.write("sqitch.plan", &format!("{plan}{tag}"));
    repository.write("deploy/orders@v1.sql", ORDERS);
    repository.write("deploy/orders.sql", DROP);
    let run = repository.check(&["--since", "main"]);
    assert_eq!(run.judged(), ["./deploy/orders.sql"]);
    assert_eq!(run.findings(), ["dropped-data orders.sql"]);
}

/// As a pre-commit hook gives them.
#[test]
fn a_file_that_is_named_is_judged_on_its_older_ones() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| write_all(folder.path(), &[(path, text)]);
    write("db/migrations/1_a.sql", &format!("-- migrate:up\n{ORDERS}"));
    write("db/migrations/2_b.sql", &format!("-- migrate:up\n{DROP}"));
    write("db/migrations/3_c.sql", "-- migrate:up\nCREATE TABLE orders (id int PRIMARY KEY);\n");
    let run = Run::of(folder.path(), &["db/migrations/2_b.sql"]);
    assert_eq!(run.judged(), ["db/migrations/2_b.sql"]);
    assert_eq!(run.findings(), ["dropped-data 2_b.sql"]);
    write("plain/1.sql", ORDERS);
    write("plain/2.sql", ORDERS);
    assert_eq!(Run::of(folder.path(), &["plain/2.sql"]).findings(), [""; 0]);
}

#[test]
fn what_a_command_prints_is_judged_behind_the_history() {
    let repository = branch();
    let drop = "printf 'SET lock_timeout = 1000;\\nDROP TABLE orders;\\n'";
    let run = repository.check(&["--since", "main", "--from-command", drop, "migrations"]);
    assert_eq!(run.json()["findings"][0]["rule"], "dropped-data");
    assert_eq!(run.json()["findings"].as_array().unwrap().len(), 1, "{}", run.json());

    let folder = tempfile::tempdir().unwrap();
    let index = "echo 'CREATE INDEX CONCURRENTLY i ON orders (id);'";
    let rules = |arguments: &[&str]| Run::of(folder.path(), arguments).messages();
    assert!(!rules(&["--from-command", index]).contains("transaction"));
    let wrapped = rules(&["--from-command", index, "--transaction", "per-file"]);
    assert!(wrapped.contains("transaction"), "{wrapped}");
    let failed = Run::of(folder.path(), &["--from-command", "echo no such app >&2; exit 3"]);
    assert_eq!(failed.output.status.code(), Some(2));
    assert!(failed.stderr().contains("no such app"), "{}", failed.stderr());
}
