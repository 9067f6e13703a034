//! Which migrations are found in a tree of each framework, in which order, split how and in which transaction.
//!
//! The trees stand in `migrations-examples/frameworks`. What is asserted there about transactions was held against the tools
//! themselves where `docs/frameworks.md` says so.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use pgassay::migration::{CollectOptions, Collected, Direction, Framework, collect, find};
use pgassay::sql::Sources;

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
    ];
    for (framework, place) in places {
        assert_eq!(find(&tree(framework)), Ok(tree(framework).join(place)), "{framework}");
    }
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
            let of = collected.migrations.iter().filter(|migration| migration.framework == framework);
            of.map(|migration| migration.name.clone()).collect()
        };
        assert_eq!(names(&whole), names(&alone), "{framework}");
    }
}
