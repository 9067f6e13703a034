//! Liquibase's changelogs in XML, YAML and JSON: which changesets run, as which SQL, and where their findings stand.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::repository::repository;

fn check(folder: &Path, arguments: &[&str]) -> (Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.current_dir(folder).args(["check", "--no-config", "--format", "json"]).args(arguments);
    let output = command.output().unwrap();
    (serde_json::from_slice(&output.stdout).unwrap_or_default(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// `file:line SQL` of every statement.
fn statements(report: &Value) -> Vec<String> {
    let all = report["statements"].as_array().map(Vec::as_slice).unwrap_or_default().iter();
    let sql = |one: &Value| one["sql"].as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    all.map(|one| format!("{}:{} {}", one["file"].as_str().unwrap(), one["line"], sql(one))).collect()
}

fn rules(report: &Value) -> Vec<String> {
    let all = report["findings"].as_array().map(Vec::as_slice).unwrap_or_default().iter();
    let shown =
        |one: &Value| format!("{}:{} {}", one["file"].as_str().unwrap(), one["line"], one["rule"].as_str().unwrap());
    all.filter(|one| one["severity"] == "error").map(shown).collect()
}

fn xml(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<databaseChangeLog xmlns=\"http://www.liquibase.org/xml/ns/dbchangelog\">\n{body}\n</databaseChangeLog>\n"
    )
}

const PEOPLE: &str = "<changeSet id=\"1\" author=\"a\">\n<createTable tableName=\"people\">\n<column name=\"id\" type=\"bigint\"><constraints primaryKey=\"true\"/></column>\n<column name=\"name\" type=\"text\"/>\n</createTable>\n</changeSet>";

#[test]
fn files_and_changesets_run_in_the_order_of_the_changelog() {
    let master = "databaseChangeLog:\n  - include:\n      file: db/changelog/001.sql\n  - changeSet:\n      id: 2\n      author: a\n      changes:\n        - addNotNullConstraint:\n            tableName: people\n            columnName: name\n  - include:\n      file: changes/003.xml\n      relativeToChangelogFile: true\n  - changeSet:\n      id: 4\n      author: a\n      changes:\n        - sqlFile:\n            path: db/changelog/raw/004.sql\n  - changeSet:\n      id: 5\n      author: a\n      changes:\n        - dropTable: {tableName: people}\n";
    let changes = xml(
        "<changeSet id=\"3\" author=\"a\"><addColumn tableName=\"people\"><column name=\"age\" type=\"int\"/></addColumn></changeSet>",
    );
    let project = repository(&[
        ("db/changelog/db.changelog-master.yaml", master),
        (
            "db/changelog/001.sql",
            "--liquibase formatted sql\n--changeset a:1\nCREATE TABLE people (id bigint PRIMARY KEY, name text);\n",
        ),
        ("db/changelog/changes/003.xml", &changes),
        ("db/changelog/raw/004.sql", "ALTER TABLE people ALTER COLUMN age SET NOT NULL;\n"),
    ]);
    let (report, _) = check(project.path(), &[]);
    assert_eq!(
        statements(&report),
        [
            "db/changelog/001.sql:3 CREATE TABLE people (id bigint PRIMARY KEY, name text)",
            "db/changelog/db.changelog-master.yaml:8 ALTER TABLE people ALTER COLUMN name SET NOT NULL",
            "db/changelog/changes/003.xml:3 ALTER TABLE people ADD age INTEGER",
            "db/changelog/raw/004.sql:1 ALTER TABLE people ALTER COLUMN age SET NOT NULL",
            "db/changelog/db.changelog-master.yaml:24 DROP TABLE people",
        ]
    );
    assert_eq!(
        rules(&report),
        [
            "db/changelog/db.changelog-master.yaml:8 blocking-scan",
            "db/changelog/raw/004.sql:1 blocking-scan",
            "db/changelog/db.changelog-master.yaml:24 dropped-data",
        ]
    );
}

#[test]
fn what_does_not_run_on_postgresql_is_said_and_not_judged() {
    let body = format!(
        "{PEOPLE}\n<changeSet id=\"2\" author=\"a\" dbms=\"mysql\"><dropTable tableName=\"people\"/></changeSet>\n<changeSet id=\"3\" author=\"a\"><preConditions onFail=\"MARK_RAN\"><dbms type=\"h2\"/></preConditions><dropTable tableName=\"people\"/></changeSet>\n<changeSet id=\"4\" author=\"a\"><sql dbms=\"oracle\">DROP TABLE people</sql></changeSet>\n<changeSet id=\"5\" author=\"a\" context=\"test\"><dropTable tableName=\"people\"/></changeSet>\n<changeSet id=\"6\" author=\"a\"><customChange class=\"x.Y\"/><tagDatabase tag=\"v1\"/></changeSet>"
    );
    let files = [("db/changelog.xml", xml(&body)), ("liquibase.properties", "contexts=prod\n".to_owned())];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let project = repository(&files);
    let (report, notes) = check(project.path(), &[]);
    assert_eq!(statements(&report).len(), 1, "{report}");
    for why in
        ["a:2: its dbms is another", "a:3: its precondition asks for another server", "a:5: its context is not among"]
    {
        assert!(notes.contains(why), "{why}: {notes}");
    }
    assert!(report["coverage"]["not_read"].to_string().contains("customChange is not in SQL"), "{report}");
}

#[test]
fn a_precondition_that_may_let_a_changeset_pass_makes_it_conditional() {
    let guarded = "<changeSet id=\"2\" author=\"a\"><preConditions onFail=\"MARK_RAN\"><not><tableExists tableName=\"people\"/></not></preConditions><createTable tableName=\"people\"><column name=\"id\" type=\"int\"/></createTable></changeSet>";
    let project = repository(&[("db/changelog.xml", &xml(&format!("{PEOPLE}\n{guarded}")))]);
    let (report, _) = check(project.path(), &[]);
    assert_eq!(rules(&report), Vec::<String>::new());
    assert_eq!(report["statements"][1]["conditional"], true);
}

#[test]
fn transactions_are_those_of_the_changeset() {
    let index = |attributes: &str| {
        format!(
            "<changeSet id=\"2\" author=\"a\" {attributes}><sql>CREATE INDEX CONCURRENTLY i ON people (name);</sql></changeSet>"
        )
    };
    let of = |attributes: &str| {
        let project = repository(&[("db/changelog.xml", &xml(&format!("{PEOPLE}\n{}", index(attributes))))]);
        rules(&check(project.path(), &[]).0)
    };
    assert_eq!(of(""), ["db/changelog.xml:9 transaction-forbidden"]);
    assert_eq!(of("runInTransaction=\"false\""), Vec::<String>::new());
}

#[test]
fn placeholders_are_replaced_and_allow_comments_count() {
    let body = format!(
        "<property name=\"old\" value=\"people\"/>\n{PEOPLE}\n<changeSet id=\"2\" author=\"a\">\n<!-- pgassay: allow(dropped-data) empty since 2019 -->\n<dropColumn tableName=\"${{old}}\" columnName=\"name\"/>\n</changeSet>"
    );
    let project = repository(&[("db/changelog.xml", &xml(&body))]);
    let (report, _) = check(project.path(), &[]);
    assert_eq!(statements(&report)[1], "db/changelog.xml:12 ALTER TABLE people DROP COLUMN name");
    assert_eq!(rules(&report), Vec::<String>::new());
}

#[test]
fn a_changelog_that_cannot_be_read_is_an_error_with_its_place() {
    let broken =
        "<databaseChangeLog>\n<changeSet id=\"1\" author=\"a\">\n<sql>SELECT 1</sq>\n</changeSet></databaseChangeLog>";
    let project = repository(&[
        (
            "db/changelog-master.xml",
            &xml("<include file=\"db/one.xml\"/><include file=\"db/two.sql\"/><include file=\"db/gone.xml\"/>"),
        ),
        ("db/one.xml", broken),
        ("db/two.sql", "--liquibase formatted sql\n--changeset a:2\nCREATE TABLE t (id int PRIMARY KEY);\n"),
    ]);
    let (report, notes) = check(project.path(), &[]);
    assert!(report["errors"].to_string().contains("db/one.xml:3:"), "{report}");
    assert!(notes.contains("db/gone.xml, which it includes, is not there"), "{notes}");
    assert_eq!(statements(&report).len(), 1);
}

#[test]
fn the_way_back_is_read_with_down() {
    let body = format!(
        "{PEOPLE}\n<changeSet id=\"2\" author=\"a\"><addColumn tableName=\"people\"><column name=\"age\" type=\"int\"/></addColumn><rollback><dropColumn tableName=\"people\" columnName=\"age\"/></rollback></changeSet>"
    );
    let project = repository(&[("db/changelog.xml", &xml(&body))]);
    assert_eq!(statements(&check(project.path(), &[]).0).len(), 2);
    let down = statements(&check(project.path(), &["--down"]).0);
    assert_eq!(down[2], "db/changelog.xml:9 ALTER TABLE people DROP COLUMN age");
}

#[test]
fn a_changelog_given_by_path_is_followed() {
    let master = xml(
        "<include file=\"parts/people.xml\" relativeToChangelogFile=\"true\"/>\n<changeSet id=\"2\" author=\"a\"><dropTable tableName=\"people\"/></changeSet>\n<include file=\"db/more/raw.sql\"/>",
    );
    let people = xml(PEOPLE);
    let raw = "--liquibase formatted sql\n--changeset a:3\nCREATE TABLE shops (n int);\n";
    let files = [("db/changes.xml", &*master), ("db/parts/people.xml", &*people), ("db/more/raw.sql", raw)];
    let called = files.map(|(path, text)| (if path == "db/changes.xml" { "db/db.changelog.xml" } else { path }, text));
    for (files, root) in [(files, "db/changes.xml"), (called, "db/db.changelog.xml")] {
        let project = repository(&files);
        let (report, said) = check(project.path(), &[root]);
        let found = statements(&report);
        assert_eq!(found.len(), 3, "{root}: {found:?} {said}");
        assert!(found[0].starts_with("db/parts/people.xml:") && found[2].starts_with("db/more/raw.sql:"), "{found:?}");
        assert!(rules(&report).iter().any(|rule| rule.ends_with("dropped-data")), "{report:#}");
    }
    let lost = xml("<include file=\"parts/none.xml\" relativeToChangelogFile=\"true\"/>");
    let project = repository(&[("db/changes.xml", &lost)]);
    let (_, said) = check(project.path(), &["db/changes.xml"]);
    assert!(said.contains("parts/none.xml, which it includes, is not there"), "{said}");
}

#[test]
fn a_part_of_a_changelog_by_path_comes_after_what_is_older() {
    let master = xml(
        "<include file=\"1.xml\" relativeToChangelogFile=\"true\"/>\n<include file=\"2.xml\" relativeToChangelogFile=\"true\"/>",
    );
    let first = xml(PEOPLE);
    let second = xml("<include file=\"3.xml\" relativeToChangelogFile=\"true\"/>");
    let third = xml(
        "<changeSet id=\"3\" author=\"a\"><addNotNullConstraint tableName=\"people\" columnName=\"name\"/></changeSet>",
    );
    let project = repository(&[
        ("changelog/master.xml", &master),
        ("changelog/1.xml", &first),
        ("changelog/2.xml", &second),
        ("changelog/3.xml", &third),
    ]);
    let (report, said) = check(project.path(), &["changelog/2.xml"]);
    let judged: Vec<String> = rules(&report);
    assert_eq!(judged, ["changelog/3.xml:3 blocking-scan"], "{report:#} {said}");
}
