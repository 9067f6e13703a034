//! Which migrations are found in a tree of each framework, in which order, split how and in which transaction.
//!
//! The trees stand in `migrations-examples/frameworks`. What is asserted there about transactions was held against the tools
//! themselves where `docs/frameworks.md` says so.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use pgassay::collect::{CollectOptions, Collected, FindError, collect, find};
use pgassay::migration::{Direction, Framework};
use pgassay::source::Sources;

use crate::repository::repository;

fn tree(framework: &str) -> PathBuf {
    Path::new("migrations-examples/frameworks").join(framework)
}

/// One block a migration: direction, name, file; then each section's transaction and text.
fn describe(collected: &Collected, sources: &Sources) -> String {
    let mut text = String::new();
    for found in &collected.frameworks {
        let _ = writeln!(text, "{} in {}", found.framework, found.folder.display());
    }
    for migration in &collected.migrations {
        let direction = if migration.direction == Direction::Up { "up" } else { "down" };
        let path = migration.path.display();
        let _ = writeln!(text, "\n== {direction} {} ({}, {path})", migration.name, migration.framework);
        for section in &migration.sections {
            let (start, _) = sources.positions(section.span);
            let _ = writeln!(text, "-- {:?} from {}:{}", section.transaction, start.line, start.column);
            for line in sources.slice(section.span).trim().lines().map(str::trim_end) {
                let _ = writeln!(text, "   {line}");
            }
        }
    }
    for error in &collected.errors {
        let _ = writeln!(text, "\nerror: {error}");
    }
    for note in &collected.notes {
        let line = note.span.map(|span| format!(":{}", sources.positions(span).0.line)).unwrap_or_default();
        let _ = writeln!(text, "\nnote: {}{line}: {}", note.path.display(), note.message);
    }
    text
}

fn check(framework: &str) -> String {
    let mut sources = Sources::default();
    let options = CollectOptions { down: true, ..CollectOptions::default() };
    let collected = collect(&[tree(framework)], &options, &mut sources);
    assert!(collected.errors.is_empty(), "{:?}", collected.errors);
    describe(&collected, &sources)
}

/// A test a framework, each with a snapshot of its tree.
macro_rules! trees {
    ($($test:ident $framework:literal)*) => {
        $(#[test]
        fn $test() {
            insta::assert_snapshot!($framework, check($framework));
        })*
    };
}

trees! {
    plain "plain"
    sqlx "sqlx"
    diesel "diesel"
    refinery "refinery"
    flyway "flyway"
    liquibase "liquibase"
    liquibase_changelog "liquibase-changelog"
    prisma "prisma"
    drizzle "drizzle"
    golang_migrate "golang-migrate"
    goose "goose"
    dbmate "dbmate"
    sqitch "sqitch"
    atlas "atlas"
    supabase "supabase"
    hasura "hasura"
    node_pg_migrate "node-pg-migrate"
    sql_migrate "sql-migrate"
    tern "tern"
    graphile_migrate "graphile-migrate"
    postgres_migrations "postgres-migrations"
    mybatis "mybatis"
    shmig "shmig"
    rambler "rambler"
    play "play"
    postgrator "postgrator"
    db_migrate "db-migrate"
    yoyo "yoyo"
    pop "pop"
    structure_sql "structure-sql"
}

#[test]
fn every_framework_has_a_tree_that_is_recognised() {
    for framework in Framework::ALL {
        let collected = collect(&[tree(framework.name())], &CollectOptions::default(), &mut Sources::default());
        let found = collected.migrations.iter().all(|migration| migration.framework == framework);
        assert!(found && !collected.migrations.is_empty(), "{framework}: {:?}", collected.frameworks);
        assert!(collected.migrations.iter().all(|migration| migration.direction == Direction::Up));
    }
}

#[test]
fn the_migrations_folder_of_a_project_is_found() {
    let places = [
        ("sqlx", "migrations"),
        ("flyway", "src/main/resources/db/migration"),
        ("prisma", "prisma/migrations"),
        ("drizzle", "drizzle"),
        ("golang-migrate", "db/migrations"),
        ("goose", "migrations"),
        ("dbmate", "db/migrations"),
        ("sqitch", ""),
        ("supabase", "supabase/migrations"),
        ("hasura", "migrations/default"),
        ("diesel", "migrations"),
        ("liquibase", ""),
    ];
    for (framework, place) in places {
        let folders = find(&tree(framework)).map(|found| found.folders);
        assert_eq!(folders, Ok(vec![tree(framework).join(place)]), "{framework}");
    }
}

/// Files by their paths in a repository of their own, and where migrations are found from one of its folders.
fn found(files: &[(&str, &str)], from: &str) -> Result<Vec<String>, FindError> {
    let repository = repository(files);
    let folders = find(&repository.path().join(from))?.folders;
    let full = repository.path().canonicalize().unwrap();
    let relative = |folder: PathBuf| {
        let folder = folder.canonicalize().unwrap();
        folder.strip_prefix(&full).unwrap().to_string_lossy().into_owned()
    };
    Ok(folders.into_iter().map(relative).collect())
}

const GOOSE: &str = "-- +goose Up\nSELECT 1;\n";

#[test]
fn every_service_of_a_repository_is_found() {
    let files = [
        ("migrations/1_a.sql", "SELECT 1;"),
        ("services/billing/migrations/00001_a.sql", GOOSE),
        ("services/web/prisma/migrations/20240110093000_a/migration.sql", "SELECT 1;"),
        ("services/web/node_modules/x/migrations/1_a.sql", "SELECT 1;"),
        ("services/web/tests/migrations/00001_a.sql", GOOSE),
        ("services/web/queries/customers.sql", "SELECT 1;"),
    ];
    let all = ["migrations", "services/billing/migrations", "services/web/prisma/migrations"];
    assert_eq!(found(&files, "").unwrap(), all);
    assert_eq!(found(&files, "services/billing").unwrap(), all[1..2]);
    // Where there is nothing below, the folders around are looked at.
    assert_eq!(found(&files, "services/web/queries").unwrap(), all[2..]);
    assert_eq!(found(&files, "services/billing/migrations").unwrap(), all[1..2]);
}

#[test]
fn migrations_for_other_servers_are_not_found() {
    let files = [
        ("a/prisma/migrations/migration_lock.toml", "provider = \"mysql\"\n"),
        ("a/prisma/migrations/20240110093000_a/migration.sql", "SELECT 1;"),
        ("b/drizzle/meta/_journal.json", "{\n  \"dialect\": \"sqlite\", \"entries\": []}"),
        ("b/drizzle/0000_a.sql", "SELECT 1;"),
        ("c/clickhouse/migrations/1_a.up.sql", "SELECT 1;"),
    ];
    let Err(FindError::None(left_out)) = found(&files, "") else { panic!("something was found") };
    assert_eq!(left_out.len(), 3, "{left_out:?}");
    let own = [&files[..], &[("mysql-to-postgres/prisma/migrations/migration_lock.toml", "provider = \"postgresql\"")]];
    let own = [own.concat(), vec![("mysql-to-postgres/prisma/migrations/20240110093000_a/migration.sql", "SELECT 1;")]];
    assert_eq!(found(&own.concat(), "").unwrap(), ["mysql-to-postgres/prisma/migrations"]);
}

#[test]
fn numbered_files_are_the_last_resort() {
    let numbered = [("sql/001_a.sql", "SELECT 1;"), ("sql/002_b.sql", "SELECT 1;")];
    assert_eq!(found(&numbered, "").unwrap(), ["sql"]);
    let mixed = found(&[numbered[0], ("sql/readme.sql", "SELECT 1;")], "");
    assert!(matches!(mixed, Err(FindError::None(_))), "{mixed:?}");
    let with_tool = [numbered[0], numbered[1], ("deploy/00001_a.sql", GOOSE)];
    assert_eq!(found(&with_tool, "").unwrap(), ["deploy"]);
}

#[test]
fn a_dump_alone_is_no_migration() {
    let error = found(&[("db/structure.sql", "CREATE TABLE a ();")], "").unwrap_err().to_string();
    assert!(error.contains("structure.sql; migrations in another language"), "{error}");
}

/// A file given by path, as with a list of changed files, is read as in its folder.
#[test]
fn a_file_by_path_is_read_as_in_its_folder() {
    for framework in Framework::ALL {
        let whole = collect(&[tree(framework.name())], &CollectOptions::default(), &mut Sources::default());
        let mut paths: Vec<PathBuf> = whole.migrations.iter().map(|migration| migration.path.clone()).collect();
        paths.dedup();
        let alone = collect(&paths, &CollectOptions::default(), &mut Sources::default());
        let shape = |collected: &Collected| -> Vec<_> {
            let modes = |sections: &[pgassay::migration::Section]| -> Vec<_> {
                sections.iter().map(|section| section.transaction).collect()
            };
            let of = |migration: &pgassay::migration::Migration| (migration.name.clone(), modes(&migration.sections));
            collected.migrations.iter().map(of).collect()
        };
        assert_eq!(shape(&alone), shape(&whole), "{framework}");
    }
}

#[test]
fn all_of_them_in_one_repository() {
    let whole = collect(&[tree("")], &CollectOptions::default(), &mut Sources::default());
    assert!(whole.errors.is_empty(), "{:?}", whole.errors);
    for framework in Framework::ALL {
        let alone = collect(&[tree(framework.name())], &CollectOptions::default(), &mut Sources::default());
        let names = |collected: &Collected| -> Vec<String> {
            let own = tree(framework.name());
            let of = collected.migrations.iter().filter(|migration| migration.path.starts_with(&own));
            of.map(|migration| migration.name.clone()).collect()
        };
        assert_eq!(names(&whole), names(&alone), "{framework}");
    }
}
