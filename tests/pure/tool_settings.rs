//! What a tool's own settings, or the names in a project, say of its migrations: endings, templates, several sources, variables, modules.

use std::path::PathBuf;

use pgassay::collect::{CollectOptions, Collected, FindError, collect, coverage, find};
use pgassay::source::Sources;

use crate::repository::repository;

struct Read {
    collected: Collected,
    sources: Sources,
}

/// What is read of a repository that is named as a whole.
fn read(files: &[(&str, &str)]) -> Read {
    let (folder, mut sources) = (repository(files), Sources::default());
    let collected = collect(&[folder.path().to_owned()], &CollectOptions::default(), &mut sources);
    Read { collected, sources }
}

impl Read {
    fn names(&self) -> Vec<&str> {
        self.collected.migrations.iter().map(|migration| migration.name.as_str()).collect()
    }

    fn tools(&self) -> Vec<&str> {
        self.collected.frameworks.iter().map(|found| found.framework.name()).collect()
    }

    fn texts(&self) -> Vec<String> {
        let sections = self.collected.migrations.iter().flat_map(|migration| &migration.sections);
        sections.map(|section| self.sources.slice(section.span).trim().to_owned()).collect()
    }

    fn notes(&self) -> Vec<&str> {
        self.collected.notes.iter().map(|note| note.message.as_str()).collect()
    }

    fn not_read(&self) -> Vec<String> {
        let coverage = coverage(&self.collected, &self.collected.migrations);
        coverage.not_read.into_iter().map(|gap| gap.what).collect()
    }
}

#[test]
fn an_ending_that_all_files_have_is_the_projects() {
    let own = read(&[("migrations/1_a.pgsql", "select 1;"), ("migrations/2_b.pgsql", "select 2;")]);
    assert_eq!((own.texts(), own.not_read()), (vec!["select 1;".to_owned(), "select 2;".to_owned()], Vec::new()));
    let mixed = read(&[("migrations/1_a.sql", "select 1;"), ("migrations/2_b.ddl", "select 2;")]);
    assert_eq!(mixed.names(), ["1_a.sql"]);
    assert_eq!(mixed.not_read(), ["1 .ddl file beside .sql files is not read"]);
}

#[test]
fn flyway_runs_the_endings_that_it_is_told() {
    let files = [
        ("db/migration/V1__a.sql", "select 1;"),
        ("db/migration/V2__b.pks", "select 2;"),
        ("db/migration/V3__c.fnc", "select 3;"),
    ];
    assert_eq!(read(&files).names(), ["V1__a"]);
    assert_eq!(read(&files).not_read(), ["1 .pks file beside .sql files is not read"]);
    let told = [&files[..], &[("flyway.conf", "flyway.sqlMigrationSuffixes=.sql,.pks,.fnc\n")]].concat();
    let told = read(&told);
    assert_eq!((told.names(), told.not_read()), (vec!["V1__a", "V2__b", "V3__c"], Vec::new()));
}

#[test]
fn tern_fills_its_templates_from_its_settings() {
    let mark = "---- create above / drop below ----";
    let first = format!("create table {{{{.prefix}}}}_a (id int);\n{mark}\ndrop table {{{{.prefix}}}}_a;\n");
    let files = [
        ("db/001_a.sql", first.as_str()),
        ("db/002_b.sql", "{{ template \"shared/v.sql\" . }}\n---- create above / drop below ----\n"),
        ("db/003_c.sql", "{{if .x}}select 3;{{end}}\n---- create above / drop below ----\n"),
        ("db/shared/v.sql", "create view v as select id from {{.prefix}}_a;"),
        ("db/tern.conf", "[database]\nhost = x\n\n[data]\nprefix = shop\n"),
    ];
    let found = read(&files);
    assert_eq!(found.tools(), ["tern"]);
    assert_eq!(found.texts()[0], "create table shop_a (id int);");
    assert_eq!(found.texts()[1], "create view v as select id from shop_a;");
    assert_eq!(found.notes(), ["what {{if .x}} prints is not read", "what {{end}} prints is not read"]);
}

#[test]
fn yoyo_joins_its_sources() {
    let files = [
        ("yoyo.ini", "[DEFAULT]\nsources = ./base %(here)s/shop\ndatabase = postgresql://x/y\n"),
        ("base/0002-b.sql", "select 2;"),
        ("shop/0001-c.sql", "select 3;"),
        ("shop/0000-d.sql", "-- depends: 0001-c\nselect 4;"),
        ("shop/0000-d.rollback.sql", "select -4;"),
        ("base/post-apply.sql", "select 5;"),
    ];
    let found = read(&files);
    assert_eq!(found.tools(), ["yoyo"]);
    assert_eq!(found.names(), ["0002-b", "0001-c", "0000-d", "post-apply"]);
    let twice = [&files[..], &[("shop/0002-b.sql", "select 6;")]].concat();
    assert!(read(&twice).notes().iter().any(|note| note.starts_with("yoyo stops: it has the name of")));
}

#[test]
fn sqitch_sets_the_variables_of_its_settings() {
    let files = [
        ("sqitch.plan", "%syntax-version=1.0.0\n%project=shop\n\na 2024-01-01T00:00:00Z A <a@b> # a\n"),
        ("sqitch.conf", "[core]\n\tengine = pg\n[deploy \"variables\"]\n\tschema = shop\n"),
        ("deploy/a.sql", "CREATE TABLE :\"schema\".a (id int);"),
    ];
    assert_eq!(read(&files).texts(), ["CREATE TABLE \"shop\".a (id int);"]);
}

#[test]
fn code_for_another_server_is_left_out() {
    let files = [
        ("util/MySqlMigrations/Migrations/20240101000000_A.cs", ""),
        ("util/PostgresMigrations/Migrations/20240101000000_A.cs", ""),
        ("db/migrations-sqlite/20240101000000_a.js", ""),
    ];
    let folder = repository(&files);
    let Err(error @ FindError::OnlyCode(..)) = find(folder.path()) else { panic!("SQL was found") };
    let said = error.to_string();
    assert!(said.contains("1 C# migration (EF Core) in") && said.contains("PostgresMigrations"), "{said}");
    assert!(said.contains("(for MySQL)") && said.contains("(for SQLite)"), "{said}");
    let beside = read(&[&files[..], &[("db/migrations/1_a.sql", "select 1;")]].concat());
    assert_eq!(beside.names(), ["1_a.sql"]);
    let mut gaps = beside.not_read();
    gaps.sort();
    let expected =
        ["1 C# migration (EF Core) is not read", "1 file for MySQL is left out", "1 file for SQLite is left out"];
    assert_eq!(gaps, expected);
}

fn changelog(inside: &str) -> String {
    format!("<databaseChangeLog xmlns=\"http://www.liquibase.org/xml/ns/dbchangelog\">{inside}</databaseChangeLog>")
}

#[test]
fn a_classpath_is_that_of_all_modules() {
    let place = "src/main/resources/db/changelog";
    let master = changelog("<include file=\"db/changelog/loan/module.xml\"/>");
    let module = changelog("<changeSet id=\"1\" author=\"a\"><sql>select 1;</sql></changeSet>");
    let files = [
        (format!("provider/{place}/db.changelog-master.xml"), master),
        (format!("loan/{place}/loan/module.xml"), module),
        (format!("savings/{place}/savings/module-changelog-master.xml"), changelog("")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let found = read(&files);
    assert!(found.texts()[0].starts_with("select 1;") && found.texts().len() == 1, "{:?}", found.texts());
    // A module that holds nothing yet is said to be empty, and fails nothing.
    assert!(found.notes().contains(&"contains no SQL migrations"), "{:?}", found.notes());
    assert_eq!(found.collected.empty, Vec::<(PathBuf, String)>::new());
    let empty = read(&files[2..]);
    assert_eq!(empty.collected.empty.len(), 1, "{:?}", empty.collected.empty);
}
