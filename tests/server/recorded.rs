//! `check --run`: a command that speaks to the server by psql, recorded, cut and judged.

use std::path::Path;
use std::process::Command;

use crate::support::servers;
use serde_json::Value;

const MIGRATE: &str = r#"
set -e
run() { psql -v ON_ERROR_STOP=1 -qAt "$@"; }
run -c 'CREATE TABLE IF NOT EXISTS schema_migrations (version text PRIMARY KEY)'
for file in migrate/*.rb; do
  version=$(basename "$file" .rb | cut -d_ -f1)
  { echo 'BEGIN;'; sed -n 's/^ *execute "\(.*\)"$/\1;/p' "$file"; echo "INSERT INTO schema_migrations (version) VALUES ('$version');"; echo 'COMMIT;'; } | run
done
"#;

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("migrate.sh", MIGRATE);
    write("migrate/20240101000000_people.rb", "def up\n  execute \"CREATE TABLE people (id int, name text)\"\nend\n");
    write(
        "migrate/20240102000000_name.rb",
        "def up\n\n  execute \"ALTER TABLE people ALTER COLUMN name SET NOT NULL\"\nend\n",
    );
    write(
        "migrate/20240103000000_index.rb",
        "def up\n  # pgassay: allow(blocking-index-build) ten rows\n  execute \"CREATE INDEX people_name ON people (name)\"\nend\n",
    );
    folder
}

fn check(folder: &Path, command: &str, arguments: &[&str]) -> (i32, Value, String) {
    let installation = servers::newest();
    let mut call = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    call.current_dir(folder).args(["check", "--no-config", "--format", "json", "--run", command]).args(arguments);
    call.arg("--pg-bin").arg(installation.bin());
    let path = format!("{}:{}", installation.bin().display(), std::env::var("PATH").unwrap_or_default());
    let output = call.env("PATH", path).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default(), errors)
}

#[test]
fn what_a_command_sends_is_judged_at_its_source_files() {
    let project = project();
    let (exit, report, errors) = check(project.path(), "sh migrate.sh", &[]);
    assert_eq!(exit, 1, "{errors}");
    let found: Vec<(&str, &str, u64)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["severity"] == "error")
        .map(|it| (it["rule"].as_str().unwrap(), it["file"].as_str().unwrap(), it["line"].as_u64().unwrap()))
        .collect();
    assert_eq!(found, [("blocking-scan", "migrate/20240102000000_name.rb", 3)]);
    let statements = report["statements"].as_array().unwrap();
    let names: Vec<&str> = statements.iter().map(|it| it["migration"].as_str().unwrap()).collect();
    assert_eq!(names, ["20240101000000", "20240102000000", "20240103000000"]);
    assert!(statements.iter().all(|it| it["transaction"]["opened_by"] == "tool"), "{statements:?}");
}

#[test]
fn migrations_of_libraries_and_rows_after_the_last_one_are_not_judged() {
    let project = project();
    let library = "psql -qc \"CREATE TABLE IF NOT EXISTS schema_migrations (version text PRIMARY KEY)\" -c 'CREATE TABLE things (n int)' \
        -c 'ALTER TABLE things ALTER COLUMN n TYPE bigint' -c \"INSERT INTO schema_migrations (version) VALUES ('library_1')\"";
    let after = "psql -qc \"INSERT INTO things SELECT count(*) FROM people HAVING count(*) = 1 / 1\"";
    let command = format!("{library}; sh migrate.sh; {after}");
    let (exit, report, errors) = check(project.path(), &command, &[]);
    assert_eq!(exit, 1, "{errors}");
    assert!(errors.contains("1 migration has no source file here") && errors.contains("library_1"), "{errors}");
    let statements = report["statements"].as_array().unwrap();
    let names: Vec<&str> = statements.iter().map(|it| it["migration"].as_str().unwrap()).collect();
    assert_eq!(names, ["20240101000000", "20240102000000", "20240103000000"]);
}

#[test]
fn a_command_that_fails_or_sends_nothing_fails_the_run() {
    let project = project();
    let (exit, _, errors) = check(project.path(), "echo before; echo no such task >&2; exit 3", &[]);
    assert!(exit == 2 && errors.contains("no such task") && errors.contains("exit status: 3"), "{errors}");
    assert!(errors.contains("It did not connect") && errors.contains("DB_HOST={host} "), "{errors}");
    let (exit, _, errors) = check(project.path(), "true", &[]);
    assert!(exit == 2 && errors.contains("sent nothing") && errors.contains("DB_HOST={host} "), "{errors}");
    let (exit, _, errors) = check(project.path(), "psql '{url}' -qc 'CREATE TABLE a (n int)'; exit 3", &[]);
    assert!(exit == 2 && errors.contains("exit status: 3") && !errors.contains("did not connect"), "{errors}");
    let (exit, _, errors) = check(project.path(), "sleep 60", &["--run-timeout", "1"]);
    assert!(exit == 2 && errors.contains("did not end within 1 s"), "{errors}");
}

#[test]
fn the_command_is_told_the_address_and_nobody_else_gets_in() {
    let project = project();
    let (exit, _, errors) = check(
        project.path(),
        "PGPASSWORD=wrong PGPASSFILE=/dev/null psql -c 'SELECT 1' 2>&1; psql '{url}' -c 'CREATE TABLE a (n int)'",
        &[],
    );
    assert_eq!(exit, 0, "{errors}");
    assert!(errors.contains("password authentication failed"), "{errors}");
}
