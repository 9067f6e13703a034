//! `pgassay init` in a folder of every framework: what it finds, what it writes, and that `pgassay check` then reads the same.

use std::path::Path;
use std::process::{Command, Output};

fn pgassay(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.args(arguments).current_dir(folder).env("NO_COLOR", "1").output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A copy of the framework's tree, in a repository of its own.
fn project(framework: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new("migrations-examples/frameworks").join(framework), folder.path());
    let git = Command::new("git").args(["init", "--quiet"]).current_dir(folder.path()).output().unwrap();
    assert!(git.status.success());
    folder
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The keys that are set, without comments.
fn set_keys(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("pgassay.toml")).unwrap();
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

/// Writes the configuration; the findings with it are those of the paths without it.
fn written(framework: &str, paths: &[&str]) -> String {
    let folder = project(framework);
    let before = pgassay(folder.path(), &[&["check", "--format", "json", "--no-config"], paths].concat());
    let init = pgassay(folder.path(), &[&["init"], paths].concat());
    assert!(init.status.success(), "{}", stderr(&init));
    let after = pgassay(folder.path(), &["check", "--format", "json"]);
    let count = |output: &Output| {
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        format!("{}", report["summary"])
    };
    assert_eq!(count(&before), count(&after), "{framework}: {}", set_keys(folder.path()));
    format!("{}{}", stdout(&init), set_keys(folder.path()))
}

#[test]
fn knows_every_framework() {
    let found_alone = [
        "sqlx",
        "diesel",
        "refinery",
        "flyway",
        "prisma",
        "drizzle",
        "golang-migrate",
        "goose",
        "dbmate",
        "sqitch",
        "atlas",
        "supabase",
        "hasura",
        "node-pg-migrate",
        "liquibase",
    ];
    let alone = found_alone.map(|framework| format!("== {framework}\n{}", written(framework, &[])));
    let named = ["plain"].map(|framework| format!("== {framework} .\n{}", written(framework, &["."])));
    insta::assert_snapshot!("frameworks", [alone.as_slice(), named.as_slice()].concat().join("\n"));
}

#[test]
fn takes_a_dump_of_the_schema_as_base() {
    let folder = project("structure-sql");
    let init = pgassay(folder.path(), &["init"]);
    insta::assert_snapshot!("structure_sql", format!("{}{}", stdout(&init), set_keys(folder.path())));
}

#[test]
fn says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let init = pgassay(folder.path(), &["init"]);
    assert_eq!(init.status.code(), Some(2));
    assert!(stderr(&init).contains("found no migrations here or below"), "{}", stderr(&init));
    let missing = pgassay(folder.path(), &["init", "nowhere"]);
    assert_eq!(stderr(&missing), "error: nowhere: there is no such file or folder\n");
}

#[test]
fn writes_every_file() {
    let folder = project("dbmate");
    let arguments = ["init", "--github", "--gitlab", "--pre-commit", "--hook"];
    let dry = stdout(&pgassay(folder.path(), &[&arguments[..], &["--dry-run"]].concat()));
    assert!(!folder.path().join("pgassay.toml").exists());
    insta::assert_snapshot!("files", dry.replace(env!("CARGO_PKG_VERSION"), "VERSION"));

    let init = pgassay(folder.path(), &arguments);
    assert!(init.status.success(), "{}", stderr(&init));
    for block in dry.split("\n--- ").skip(1) {
        let (path, text) = block.split_once('\n').unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join(path)).unwrap().trim_end(), text.trim_end(), "{path}");
    }
    // The whole template is valid, comments taken away too.
    let text = std::fs::read_to_string(folder.path().join("pgassay.toml")).unwrap();
    let examples = text.lines().skip(1).filter_map(|line| line.strip_prefix("# ").or(Some(line)));
    let without_prose: Vec<&str> =
        examples.filter(|line| line.contains('=') || line.starts_with('[') || line.is_empty()).collect();
    pgassay::config::parse(&without_prose.join("\n")).unwrap();
}

#[cfg(unix)]
#[test]
fn the_hook_can_be_run() {
    use std::os::unix::fs::PermissionsExt;
    let folder = project("sqlx");
    assert!(pgassay(folder.path(), &["init", "--hook"]).status.success());
    let mode = std::fs::metadata(folder.path().join(".git/hooks/pre-commit")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111);
    let outside = tempfile::tempdir().unwrap();
    std::fs::create_dir(outside.path().join("migrations")).unwrap();
    std::fs::write(outside.path().join("migrations/1.sql"), "SELECT 1;").unwrap();
    let init = pgassay(outside.path(), &["init", "--hook"]);
    assert_eq!(stderr(&init), "error: this isn't a git repository, so there is nowhere to put a hook\n");
    assert!(!outside.path().join("pgassay.toml").exists());
}

#[test]
fn a_hook_of_others_gets_a_line_to_add() {
    let folder = project("sqlx");
    let hook = folder.path().join(".git/hooks/pre-commit");
    std::fs::write(&hook, "#!/bin/sh\nnpm run lint\n").unwrap();
    for arguments in [&["init", "--hook"][..], &["init", "--hook", "--force"]] {
        let init = pgassay(folder.path(), arguments);
        assert!(init.status.success(), "{}", stderr(&init));
        assert!(stdout(&init).contains("add:\n\n    pgassay check --staged"), "{}", stdout(&init));
        assert_eq!(std::fs::read_to_string(&hook).unwrap(), "#!/bin/sh\nnpm run lint\n");
    }
}

#[test]
fn husky_gets_its_hook_in_the_folder_of_people() {
    let folder = project("sqlx");
    std::fs::create_dir_all(folder.path().join(".husky/_")).unwrap();
    let set =
        Command::new("git").args(["config", "core.hooksPath", ".husky/_"]).current_dir(folder.path()).status().unwrap();
    assert!(set.success());
    assert!(pgassay(folder.path(), &["init", "--hook"]).status.success());
    assert!(folder.path().join(".husky/pre-commit").exists());
}

#[test]
fn keeps_what_is_there() {
    let folder = project("goose");
    let files = [("pgassay.toml", "fail-on = \"info\"\n"), (".gitlab-ci.yml", "stages: [test]\n")];
    for (path, text) in files {
        std::fs::write(folder.path().join(path), text).unwrap();
    }
    let read = |path: &str| std::fs::read_to_string(folder.path().join(path)).unwrap();
    let init = pgassay(folder.path(), &["init", "--gitlab"]);
    insta::assert_snapshot!("kept", stdout(&init));
    assert_eq!(read("pgassay.toml"), files[0].1);
    assert!(pgassay(folder.path(), &["init", "--gitlab", "--force"]).status.success());
    assert!(read("pgassay.toml").contains("framework = \"goose\""));
    assert_eq!(read(".gitlab-ci.yml"), files[1].1);
}

#[test]
fn several_tools_get_no_framework() {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new("migrations-examples/frameworks/prisma"), folder.path());
    copy(Path::new("migrations-examples/frameworks/supabase"), folder.path());
    let init = pgassay(folder.path(), &["init"]);
    assert!(init.status.success(), "{}", stderr(&init));
    assert_eq!(set_keys(folder.path()), "paths = [\"prisma/migrations\", \"supabase/migrations\"]\n");
}

#[path = "init/in_code.rs"]
mod in_code;

mod generated {
    use super::*;

    #[test]
    fn completions_and_manual_pages() {
        let folder = tempfile::tempdir().unwrap();
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let script = pgassay(folder.path(), &["completions", shell]);
            assert!(stdout(&script).contains("fail-on"), "{shell}");
        }
        assert!(stdout(&pgassay(folder.path(), &["man"])).contains(".TH pgassay 1"));
        assert!(pgassay(folder.path(), &["man", "pages"]).status.success());
        let check = std::fs::read_to_string(folder.path().join("pages/pgassay-check.1")).unwrap();
        assert!(check.contains("fail\\-on"), "{check}");
    }
}
