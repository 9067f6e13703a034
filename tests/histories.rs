//! Every migrations folder is a history of its own: what one makes is not there for another.

use std::path::Path;

use pgassay::check::{Job, check};
use pgassay::migration::{CollectOptions, collect};
use pgassay::report::Report;
use pgassay::sql::Sources;

/// Writes the files to a folder, judges it, and gives each finding's rule and object.
fn judge(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let report = judge_folder(folder.path());
    let line = |finding: &pgassay::finding::Finding| {
        format!("{} {}", finding.rule, finding.object.as_deref().unwrap_or_default())
    };
    report.findings.iter().map(line).collect()
}

fn judge_folder(folder: &Path) -> Report {
    let mut sources = Sources::default();
    let collected = collect(&[folder.to_owned()], &CollectOptions::default(), &mut sources);
    assert!(collected.errors.is_empty(), "{:?}", collected.errors);
    let (base, migrations) = collected.migrations.into_iter().partition(|migration| migration.framework.is_base());
    check(&Job { base, migrations, ..Job::default() }, &sources)
}

const CUSTOMERS: &str = "CREATE TABLE customers (id bigint PRIMARY KEY);";

#[test]
fn the_same_table_in_two_folders_is_no_duplicate() {
    assert_eq!(judge(&[("shop/1.sql", CUSTOMERS), ("blog/1.sql", CUSTOMERS)]), [""; 0]);
    let goose = format!("-- +goose Up\n{CUSTOMERS}");
    assert_eq!(judge(&[("shop/1.sql", CUSTOMERS), ("shop/other/1_a.sql", &goose)]), [""; 0]);
}

#[test]
fn plain_folders_below_a_plain_folder_are_one_history() {
    let drop = "SET lock_timeout = '2s';\nDROP TABLE customers;";
    let dropped = ["dropped-data public.customers"];
    let found = judge(&[("shop/1.sql", CUSTOMERS), ("shop/more/2.sql", drop)]);
    assert_eq!(found, dropped);
    assert_eq!(judge(&[("2023/1.sql", CUSTOMERS), ("2024/1.sql", drop)]), dropped);
    assert_eq!(judge(&[("1.sql", CUSTOMERS), ("x/2.sql", CUSTOMERS)]), ["duplicate-object public.customers"]);
}

#[test]
fn a_dump_belongs_to_the_folder_that_it_stands_in() {
    let add = "SET lock_timeout = '2s';\nALTER TABLE customers ADD COLUMN name text;";
    let own = "CREATE TABLE orders (id bigint PRIMARY KEY);\n";
    let found = judge(&[
        ("shop/db/structure.sql", CUSTOMERS),
        ("shop/db/migrate/1.sql", add),
        ("blog/migrations/1.sql", own),
        ("blog/migrations/2.sql", add),
    ]);
    assert_eq!(found, ["missing-object customers"]);
}
