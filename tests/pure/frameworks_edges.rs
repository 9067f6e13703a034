//! What real folders hold beside the usual: marks, empty files, unusual names, several tools at once, and what cannot be read.

use std::path::{Path, PathBuf};

use pgassay::collect::{CollectOptions, Collected, FindError, Variables, collect, find};
use pgassay::migration::{Direction, Framework, TransactionMode, TransactionOverride};
use pgassay::source::Sources;

use crate::repository::repository_of_bytes;

struct Read {
    collected: Collected,
    sources: Sources,
}

fn read(paths: &[PathBuf], options: &CollectOptions) -> Read {
    let mut sources = Sources::default();
    let collected = collect(paths, options, &mut sources);
    Read { collected, sources }
}

fn read_folder(files: &[(&str, &[u8])]) -> Read {
    let folder = repository_of_bytes(files);
    read(&[folder.path().to_owned()], &CollectOptions::default())
}

impl Read {
    fn names(&self) -> Vec<&str> {
        self.collected.migrations.iter().map(|migration| migration.name.as_str()).collect()
    }

    /// Every section's transaction and text.
    fn sections(&self) -> Vec<(TransactionMode, String)> {
        let sections = self.collected.migrations.iter().flat_map(|migration| &migration.sections);
        sections.map(|section| (section.transaction, self.sources.slice(section.span).trim().to_owned())).collect()
    }

    fn notes(&self) -> Vec<String> {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.collected.notes.iter().map(|note| format!("{}: {}", name(&note.path), note.message)).collect()
    }

    fn errors(&self) -> Vec<String> {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = |error: &pgassay::collect::ReadError| {
            let place = error.position.map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default();
            format!("{}{place}: {}", name(&error.path), error.message)
        };
        self.collected.errors.iter().map(text).collect()
    }
}

#[test]
fn one_bad_file_does_not_hide_the_others() {
    let read = read_folder(&[
        ("1.sql", b"select 1;"),
        ("2.sql", b"select 1;\n  -- \xC3\xA9\xFF"),
        ("3.sql", b"\xFF\xFEs\0e\0"),
        ("4.sql", b"select 4;"),
    ]);
    assert_eq!(read.names(), ["1.sql", "4.sql"]);
    assert_eq!(read.errors(), ["2.sql:2:7: is not UTF-8: byte 0xFF", "3.sql:1:1: is UTF-16; save it as UTF-8"]);
}

#[test]
fn a_path_that_is_not_there_is_an_error_of_its_own() {
    let folder = repository_of_bytes(&[("1.sql", b"select 1;")]);
    let paths = [folder.path().join("none.sql"), folder.path().join("1.sql")];
    let read = read(&paths, &CollectOptions::default());
    assert_eq!(read.names(), ["1.sql"]);
    assert_eq!(read.errors().len(), 1);
    assert!(read.errors()[0].starts_with("none.sql: "));
}

#[test]
fn byte_order_mark_and_line_ends() {
    let read = read_folder(&[("1.sql", b"\xEF\xBB\xBFselect 1;\r\nselect 2;\r\n")]);
    assert_eq!(read.sections(), [(TransactionMode::None, "select 1;\r\nselect 2;".to_owned())]);
    let span = read.collected.migrations[0].sections[0].span;
    assert_eq!(read.sources.positions(span).0.column, 1);

    let read =
        read_folder(&[("1_a.sql", b"\xEF\xBB\xBF-- migrate:up transaction:false\r\nselect 1;\r\n-- migrate:down\r\n")]);
    assert_eq!(read.sections(), [(TransactionMode::OneString, "select 1;".to_owned())]);
    assert_eq!(read.notes(), ["1_a.sql: starts with a byte order mark, on which dbmate fails"]);
}

#[test]
fn a_byte_order_mark_hides_the_marker_from_sqlx() {
    let marked = b"\xEF\xBB\xBF-- no-transaction\nselect 1;";
    let manifest = b"[dependencies]\nsqlx = \"0.8\"\n";
    let read = read_folder(&[("Cargo.toml", manifest), ("migrations/1_a.sql", marked)]);
    assert_eq!(read.sections()[0].0, TransactionMode::WrappedString);
}

#[test]
fn empty_files_and_comments_are_migrations_without_statements() {
    let read = read_folder(&[("1.sql", b""), ("2.sql", b"-- nothing yet\n")]);
    assert_eq!(read.names(), ["1.sql", "2.sql"]);
    assert!(read.notes().is_empty());
}

#[test]
fn a_folder_without_migrations_is_said() {
    let empty = repository_of_bytes(&[
        ("readme.md", b"none"),
        ("node_modules/x/1.sql", b"select 1;"),
        (".hidden/1.sql", b"select 1;"),
    ]);
    let read = read(&[empty.path().to_owned()], &CollectOptions::default());
    assert!(read.collected.migrations.is_empty());
    assert_eq!(read.collected.empty[0].1, "contains no SQL migrations");
}

#[test]
fn only_a_down_half() {
    let read = read_folder(&[("1_a.sql", b"-- migrate:down\ndrop table orders;\n")]);
    assert!(read.collected.migrations.is_empty());
    assert!(read.notes()[0].contains("dbmate refuses a file"));

    let read = read_folder(&[("1_a.sql", b"-- Down Migration\ndrop table orders;\n")]);
    assert_eq!(read.sections().len(), 1);
}

#[test]
fn two_files_of_one_version_are_noted() {
    let read = read_folder(&[("1_a.up.sql", b"select 1;"), ("001_b.up.sql", b"select 2;"), ("1_a.down.sql", b"")]);
    assert_eq!(read.names().len(), 2);
    assert!(read.notes()[0].contains("takes this for the same version as"), "{:?}", read.notes());
}

#[test]
fn numbers_order_as_the_tool_orders_them() {
    let up: &[u8] = b"-- +goose Up\nselect 1;\n";
    let goose = read_folder(&[("10_b.sql", up), ("9_a.sql", up)]);
    assert_eq!(goose.names(), ["9_a", "10_b"]);

    let up: &[u8] = b"-- migrate:up\nselect 1;\n-- migrate:down\n";
    let dbmate = read_folder(&[("10_b.sql", up), ("9_a.sql", up)]);
    assert_eq!(dbmate.names(), ["10_b", "9_a"]);
}

#[test]
fn services_with_different_tools_in_one_repository() {
    let read = read_folder(&[
        ("orders/db/migrations/1_a.sql", b"-- migrate:up\nselect 1;\n-- migrate:down\n"),
        ("payments/migrations/00001_a.sql", b"-- +goose Up\nselect 2;\n"),
        ("payments/migrations/archive/old.sql", b"select 0;"),
        ("users/prisma/migrations/20240101000000_a/migration.sql", b"select 3;"),
        ("users/prisma/migrations/migration_lock.toml", b"provider = \"postgresql\"\n"),
        ("web/V1__a.sql", b"select 4;"),
        ("zone/1.sql", b"select 5;"),
    ]);
    let found: Vec<Framework> = read.collected.frameworks.iter().map(|found| found.framework).collect();
    // A repository's root is searched: one SQL file in a folder of any name is no migration.
    assert_eq!(found, [Framework::Flyway, Framework::Goose, Framework::Dbmate, Framework::Prisma]);
    assert_eq!(read.collected.migrations.len(), 4);
    assert!(read.notes().iter().any(|note| note == "archive: goose does not run what is in this folder"));
}

#[test]
fn goose_cuts_at_every_line_that_ends_with_a_semicolon() {
    let text = b"-- +goose NO TRANSACTION\n-- +goose Up\ncreate function f() returns int as $$\n  begin\n    return 1;\n  end\n$$ language plpgsql;\n";
    let read = read_folder(&[("1_a.sql", text)]);
    assert_eq!(read.sections().len(), 2);
    assert!(read.notes()[0].contains("inside of a quoted text"), "{:?}", read.notes());
}

/// In a transaction too, the server gets the halves of a body.
#[test]
fn what_goose_cuts_inside_of_a_body_is_refused() {
    let text = "-- +goose Up\ncreate function f() returns int as $$\nbegin\n  return 1;\nend;\n$$ language plpgsql;\n";
    let errors = check_errors(&[("1_a.sql", text)]);
    assert_eq!(errors, ["1_a.sql unreadable-statement"]);
    let whole = text.replace("create", "-- +goose StatementBegin\ncreate") + "-- +goose StatementEnd\n";
    assert_eq!(check_errors(&[("1_a.sql", &whole)]), [""; 0]);
}

#[test]
fn the_marker_of_a_tool_in_a_literal_of_another_is_text() {
    let read = read_folder(&[("1.sql", b"insert into notes values ('see -- migrate:up in the manual');")]);
    assert_eq!(read.collected.migrations[0].framework, Framework::Plain);
}

#[test]
fn the_transaction_can_be_told() {
    let text = b"-- +goose NO TRANSACTION\n-- +goose Up\nselect 1;\nselect 2;\n";
    let folder = repository_of_bytes(&[("1_a.sql", text)]);
    let with = |transaction| {
        read(&[folder.path().to_owned()], &CollectOptions { transaction, ..CollectOptions::default() }).sections()
    };
    assert_eq!(with(TransactionOverride::Auto).len(), 2);
    assert_eq!(with(TransactionOverride::PerFile), [(TransactionMode::Wrapped, "select 1;\nselect 2;".to_owned())]);
    assert_eq!(with(TransactionOverride::None), [(TransactionMode::None, "select 1;\nselect 2;".to_owned())]);
}

#[test]
fn the_framework_can_be_told() {
    let folder = repository_of_bytes(&[("db/1_a.up.sql", b"select 1;"), ("db/1_a.down.sql", b"select 2;")]);
    let options = CollectOptions { framework: Some(Framework::Sqlx), down: true, ..CollectOptions::default() };
    let read = read(&[folder.path().to_owned()], &options);
    assert_eq!(read.sections()[0], (TransactionMode::WrappedString, "select 1;".to_owned()));
    assert_eq!(read.collected.migrations[1].direction, Direction::Down);

    let options = CollectOptions { framework: Some(Framework::Prisma), ..CollectOptions::default() };
    let read = self::read(&[folder.path().to_owned()], &options);
    assert!(read.collected.empty[0].1.starts_with("contains no SQL migrations of prisma"));
}

#[test]
fn standard_input_is_one_migration() {
    let options = CollectOptions { stdin: Some(b"-- +goose Up\nselect 1;\n".to_vec()), ..CollectOptions::default() };
    let read = read(&["-".into()], &options);
    assert_eq!(read.collected.migrations[0].path, Path::new("<stdin>"));
    assert_eq!(read.sections(), [(TransactionMode::Wrapped, "select 1;".to_owned())]);
}

#[test]
fn placeholders_keep_their_places() {
    let folder = repository_of_bytes(&[("V1__a.sql", b"create table ${schema}.orders (id int);\nselect ${other};")]);
    let variables = Variables::from_iter([("schema", "a_long_name")]);
    let read = read(&[folder.path().to_owned()], &CollectOptions { variables, ..CollectOptions::default() });
    let (_, text) = &read.sections()[0];
    assert_eq!(text, "create table a_long_name.orders (id int);\nselect ${other};");
    let span = read.collected.migrations[0].sections[0].span;
    let (_, end) = read.sources.positions(span);
    assert_eq!((end.line, end.column), (2, 17));
}

#[test]
fn a_file_by_path_is_taken_whatever_its_name() {
    let folder = repository_of_bytes(&[
        ("change.txt", b"select 1;"),
        ("1_a.up.sql", b"select 2;"),
        ("1_a.down.sql", b"select 3;"),
    ]);
    let paths = ["change.txt", "1_a.up.sql", "1_a.down.sql", "1_a.up.sql"].map(|name| folder.path().join(name));
    let read = read(&paths, &CollectOptions::default());
    assert_eq!(read.names(), ["change.txt", "1_a"]);
    assert_eq!(read.notes(), ["1_a.down.sql: is a down migration: it is read with --down"]);
}

#[test]
fn without_paths_the_migrations_folders_are_found() {
    let none = repository_of_bytes(&[("src/query.sql", b"select 1;")]);
    assert!(matches!(find(none.path()), Err(FindError::None(_))));
    let plain = repository_of_bytes(&[("migrations/1.sql", b"select 1;"), ("src/query.sql", b"select 1;")]);
    assert_eq!(find(plain.path()).map(|found| found.folders), Ok(vec![plain.path().join("migrations")]));
    let services = repository_of_bytes(&[("migrations/orders/1_a.up.sql", b""), ("migrations/users/1_a.up.sql", b"")]);
    assert_eq!(find(services.path()).map(|found| found.folders.len()), Ok(2));
}

/// Every example, cut at many places and with a wide character put in, read as every tool: nothing panics, and every section lies
/// inside of its text.
#[test]
fn no_text_is_too_broken() {
    let mut texts = Vec::new();
    for entry in walk(Path::new("migrations-examples/frameworks")) {
        let text = std::fs::read_to_string(entry).unwrap();
        for (at, _) in text.char_indices().step_by(23) {
            texts.push(text[..at].to_owned());
            texts.push(format!("{}é\u{1F600}'$${}", &text[..at], &text[at..]));
        }
    }
    for framework in Framework::ALL {
        for text in &texts {
            let options = CollectOptions {
                framework: Some(framework),
                down: true,
                variables: Variables::from_iter([("schema", "é"), ("note", "")]),
                stdin: Some(text.clone().into_bytes()),
                ..CollectOptions::default()
            };
            let read = read(&["-".into()], &options);
            for section in read.collected.migrations.iter().flat_map(|migration| &migration.sections) {
                assert!(
                    read.sources.file(section.span.file).text.get(section.span.range()).is_some(),
                    "{framework}: {text}"
                );
                read.sources.positions(section.span);
            }
        }
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_folder_of_ups_and_plain_files_is_run_as_a_whole() {
    // A home-made runner that took over from golang-migrate and kept its first files.
    let files: &[(&str, &[u8])] = &[
        ("1_a.up.sql", b"CREATE TABLE a (id int);"),
        ("2_b.sql", b"CREATE TABLE b (id int);"),
        ("3_c.sql", b"CREATE TABLE c (id int);"),
    ];
    let read = read_folder(files);
    assert!(read.collected.migrations.iter().all(|migration| migration.framework == Framework::Plain));
    assert_eq!(read.collected.migrations.len(), 3, "{:?}", read.names());
    // The module that golang-migrate is says that it is golang-migrate, which passes over the others.
    let module: (&str, &[u8]) = ("go.mod", b"module x\n\nrequire github.com/golang-migrate/migrate/v4 v4.18.1\n");
    let read = read_folder(&[files, &[module]].concat());
    assert_eq!(read.collected.migrations.len(), 1);
    assert_eq!(read.collected.migrations[0].framework, Framework::GolangMigrate);
    // A way back is golang-migrate's too, and a file without a number is nobody's.
    let read = read_folder(&[files[0], ("1_a.down.sql", b"DROP TABLE a;"), files[1], files[2]]);
    assert_eq!(read.collected.migrations.iter().filter(|migration| migration.direction == Direction::Up).count(), 1);
    let read = read_folder(&[files[0], ("seed.sql", b"SELECT 1;")]);
    assert_eq!(read.collected.migrations[0].framework, Framework::GolangMigrate);
}

/// The errors of a project's check, as `file rule`.
fn check_errors(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    let folder = repository_of_bytes(&files);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.current_dir(folder.path()).args(["check", "--no-config", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let name = |finding: &serde_json::Value| {
        let file = Path::new(finding["file"].as_str().unwrap());
        format!("{} {}", file.file_name().unwrap().to_string_lossy(), finding["rule"].as_str().unwrap())
    };
    let errors = report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error");
    errors.filter(|finding| finding["category"] == "failing").map(name).collect()
}

const EMPTY_PATH: &str =
    "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.pond (id bigint PRIMARY KEY);\n";

#[test]
fn a_search_path_lasts_as_long_as_the_tools_session() {
    let add = "ALTER TABLE pond ADD COLUMN x int;\n";
    let two = |before: &str, first: &str, second: &str, third: &str, paths: [&str; 3], more: &[(&str, &str)]| {
        let texts = [first, second, third].map(|text| format!("{before}{text}"));
        let mut files: Vec<(&str, &str)> = paths.iter().copied().zip(texts.iter().map(String::as_str)).collect();
        files.extend(more);
        check_errors(&files)
    };
    let go = ["migrations/1_a.up.sql", "migrations/2_b.up.sql", "migrations/3_c.up.sql"];
    let plain = ["migrations/1_a.sql", "migrations/2_b.sql", "migrations/3_c.sql"];
    let fly = ["db/migration/V1__a.sql", "db/migration/V2__b.sql", "db/migration/V3__c.sql"];
    let supabase = [
        "supabase/migrations/20240101000000_a.sql",
        "supabase/migrations/20240102000000_b.sql",
        "supabase/migrations/20240103000000_c.sql",
    ];
    let go_mod = [("go.mod", "require github.com/golang-migrate/migrate/v4 v4.1.0\n")];
    // The tool stops at the second: of the third nothing is known that holds when it is deployed by itself.
    assert_eq!(two("", EMPTY_PATH, add, add, go, &go_mod), ["2_b.up.sql missing-object"]);
    assert_eq!(two("-- migrate:up\n", EMPTY_PATH, add, add, plain, &[]), ["2_b.sql missing-object"]);
    assert_eq!(two("-- +goose Up\n", EMPTY_PATH, add, add, plain, &[]), ["2_b.sql missing-object"]);
    let create = "CREATE TABLE lake (id int);\n";
    assert_eq!(two("-- migrate:up\n", EMPTY_PATH, create, "SELECT 1;", plain, &[]), ["2_b.sql refused-statement"]);
    // A path that leads somewhere reaches on until it is set back.
    let app = "CREATE SCHEMA app;\nSET search_path TO app;\nCREATE TABLE pond (id int);\n";
    assert_eq!(two("", app, "ALTER TABLE app.pond ADD y int;\n", add, go, &go_mod), [""; 0]);
    assert_eq!(two("", app, "RESET search_path;\n", add, go, &go_mod), ["3_c.up.sql missing-object"]);
    // What ends with the transaction, with the tool's own RESET, or with psql, does not.
    let local = "SET LOCAL search_path = '';\nCREATE TABLE public.pond (id bigint PRIMARY KEY);\n";
    assert_eq!(two("", local, add, "SELECT 1;", go, &go_mod), [""; 0]);
    assert_eq!(two("", EMPTY_PATH, add, "SELECT 1;", fly, &[]), [""; 0]);
    assert_eq!(two("", EMPTY_PATH, add, "SELECT 1;", supabase, &[]), [""; 0]);
    assert_eq!(two("", EMPTY_PATH, add, "SELECT 1;", plain, &[]), [""; 0]);
}

#[test]
fn nothing_is_made_where_the_search_path_is_empty() {
    let errors = |text: &str| check_errors(&[("migrations/1_a.sql", text), ("migrations/2_b.sql", "SELECT 1;")]);
    for made in ["TABLE a (n int)", "VIEW a AS SELECT 1", "SEQUENCE a", "TYPE a AS ENUM ('x')", "DOMAIN a AS int"] {
        assert_eq!(errors(&format!("SET search_path = '';\nCREATE {made};")), ["1_a.sql refused-statement"], "{made}");
        let in_public = made.replacen(" a", " public.a", 1);
        assert_eq!(errors(&format!("SET search_path = '';\nCREATE {in_public};")), [""; 0], "{in_public}");
    }
    assert_eq!(errors("SET search_path = '';\nCREATE TEMP TABLE a (n int);"), [""; 0]);
}

#[test]
fn a_history_that_begins_with_what_it_does_not_make_is_a_part() {
    let first = "CREATE TABLE tokens (id int PRIMARY KEY, member int REFERENCES members (id));\nCREATE INDEX ON tokens (member);\nCREATE INDEX ON tokens (id, member);\n";
    assert_eq!(check_errors(&[("migrations/001_tokens.sql", first)]), [""; 0]);
    let typo = "CREATE TABLE members (id int PRIMARY KEY);\nCREATE TABLE tokens (id int PRIMARY KEY, member int REFERENCES membres (id));\n";
    assert_eq!(check_errors(&[("migrations/001_tokens.sql", typo)]), ["001_tokens.sql missing-object"]);
}

#[test]
fn placeholders_of_graphile_migrate_have_values() {
    let text = "--! Previous: -\n--! Hash: sha1:0\n\nCREATE TABLE a (n int);\nGRANT ALL ON a TO :DATABASE_OWNER;\nGRANT SELECT ON a TO :VISITOR;\n";
    let folder = repository_of_bytes(&[("migrations/committed/000001.sql", text.as_bytes())]);
    let variables = Variables::from_iter([("VISITOR", "guest")]);
    let options = CollectOptions { variables, ..CollectOptions::default() };
    let read = read(&[folder.path().join("migrations")], &options);
    let sections = read.sections();
    assert!(sections[0].1.contains("TO database_owner;") && sections[0].1.contains("TO guest;"), "{sections:?}");
}

#[test]
fn prisma_sends_statements_apart_from_its_version_on() {
    let build = "SET LOCAL lock_timeout = '2s';\nCREATE INDEX CONCURRENTLY pond_x ON pond (x);\n";
    let drop = "CREATE INDEX CONCURRENTLY pond_y ON pond (x, id);\nDROP INDEX CONCURRENTLY pond_x;\n";
    let with = |manifest: &str, second: &str| {
        let files = [
            ("package.json", manifest),
            ("prisma/migrations/20240101000000_a/migration.sql", "CREATE TABLE pond (id int PRIMARY KEY, x int);\n"),
            ("prisma/migrations/20240102000000_b/migration.sql", second),
        ];
        check_errors(&files).contains(&"migration.sql transaction-forbidden".to_owned())
    };
    assert!(with("{}", build));
    assert!(with(r#"{"devDependencies": {"prisma": "^6.19.0"}}"#, build));
    assert!(with(r#"{"dependencies": {"prisma": "7.3.0"}}"#, build));
    assert!(!with(r#"{"devDependencies": {"prisma": "^7.0.0"}}"#, build));
    assert!(!with(r#"{"dependencies": {"prisma": "7.4.0"}}"#, build));
    // What its parser cannot read goes as one string.
    assert!(with(r#"{"dependencies": {"prisma": "7.4.0"}}"#, drop));
}

/// The rules of all errors of a check of some paths, and what is wrong with the run itself.
fn told(files: &[(&str, &str)], paths: &[&str]) -> String {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    let folder = repository_of_bytes(&files);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.current_dir(folder.path()).args(["check", "--no-config", "--format", "json"]).args(paths);
    let report: serde_json::Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let errors = report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error");
    let rules: Vec<String> = errors.map(|finding| finding["rule"].to_string()).collect();
    format!("{} {}", rules.join(" "), report["errors"])
}

#[test]
fn what_graphile_migrate_includes_is_read_in_its_place() {
    let committed = b"--! Previous: -\n--! Hash: sha1:aa\n\nCREATE TABLE a (id bigint);\n";
    let read = read_folder(&[
        (".gmrc", b"{ \"placeholders\": { \":OWNER\": \"app\", \":SECRET\": \"!ENV\" } }"),
        ("migrations/committed/000001.sql", committed),
        ("migrations/current/1.sql", b"SELECT 1;\n--!include drops.sql\n--! include not/there.sql\n"),
        ("migrations/fixtures/drops.sql", b"DROP TABLE a;\n--!include inner.sql\n"),
        ("migrations/fixtures/inner.sql", b"ALTER SCHEMA public OWNER TO :OWNER;\n"),
    ]);
    let (_, text) = read.sections().pop().unwrap();
    assert!(text.starts_with("SELECT 1;\nDROP TABLE a;\nALTER SCHEMA public OWNER TO app;"), "{text}");
    assert!(read.notes().iter().any(|note| note.contains("no fixtures/not/there.sql")), "{:?}", read.notes());
}

#[test]
fn a_script_of_ef_core_is_its_migrations() {
    let script = "CREATE TABLE IF NOT EXISTS \"__EFMigrationsHistory\" (\"MigrationId\" text NOT NULL);\n\nSTART TRANSACTION;\nCREATE TABLE \"Blogs\" (\"Id\" bigint PRIMARY KEY, \"Url\" text);\nINSERT INTO \"__EFMigrationsHistory\" (\"MigrationId\") VALUES ('1_A');\nCOMMIT;\n\nSTART TRANSACTION;\nCREATE INDEX \"IX\" ON \"Blogs\" (\"Url\");\nINSERT INTO \"__EFMigrationsHistory\" (\"MigrationId\") VALUES ('2_B');\nCOMMIT;\n";
    let read = read_folder(&[("script.sql", script.as_bytes())]);
    assert_eq!(read.names(), ["1_A", "2_B"]);
    let found = told(&[("script.sql", script)], &["script.sql"]);
    assert!(found.contains("blocking-index-build"), "{found}");
}

#[test]
fn flyway_is_read_in_the_words_of_its_settings() {
    let sql: [(&str, &[u8]); 4] = [
        ("sql/M1--init.sql", b"CREATE TABLE @@t@@ (id bigint);"),
        ("sql/M2--more.sql", b"ALTER TABLE ${t} ADD COLUMN v text;"),
        ("sql/D1--init.sql", b"DROP TABLE things;"),
        ("sql/X--view.sql", b"CREATE VIEW tv AS SELECT id FROM things;"),
    ];
    let toml: (&str, &[u8]) = ("flyway.toml", b"[flyway]\nlocations = [\"filesystem:sql\"]\nsqlMigrationPrefix = \"M\"\nundoSqlMigrationPrefix = \"D\"\nrepeatableSqlMigrationPrefix = \"X\"\nsqlMigrationSeparator = \"--\"\nplaceholderPrefix = \"@@\"\nplaceholderSuffix = \"@@\"\n[flyway.placeholders]\nt = \"things\"\n");
    let mut files = sql.to_vec();
    files.push(toml);
    let read = read_folder(&files);
    assert_eq!(read.names(), ["M1--init", "M2--more", "X--view"]);
    assert_eq!(read.sections()[0].1, "CREATE TABLE things (id bigint);");
    assert_eq!(read.collected.frameworks[0].framework, Framework::Flyway);
}

/// What check says of files besides findings.
fn noted(files: &[(&str, &str)]) -> String {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    let folder = repository_of_bytes(&files);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pgassay"));
    let output = command.current_dir(folder.path()).args(["check", "--no-config", "db"]).output().unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

#[test]
fn a_callback_and_a_baseline_of_flyway_are_told_once_for_what_they_are() {
    let table = "CREATE TABLE a (id bigint PRIMARY KEY);\n";
    let said = noted(&[
        ("db/migration/V1__a.sql", table),
        ("db/migration/B1__base.sql", table),
        ("db/migration/afterMigrate__grants.sql", "GRANT SELECT ON a TO PUBLIC;\n"),
        ("db/migration/notes.sql", "SELECT 1;\n"),
    ]);
    assert_eq!(said.matches("B1__base").count(), 1, "{said}");
    assert!(said.contains("a callback is run besides the migrations and not read"), "{said}");
    assert!(said.contains("notes.sql: flyway does not run this file"), "{said}");
}

#[test]
fn a_way_back_without_a_way_forth_is_run() {
    let file = "CREATE TABLE n (id bigint PRIMARY KEY);\n-- Down Migration\nDROP TABLE n;\n";
    let said = noted(&[("db/1_n.sql", file), ("package.json", "{\"dependencies\": {\"node-pg-migrate\": \"^7\"}}")]);
    assert!(said.contains("runs the whole file, the way back too"), "{said}");
}

/// Flyway makes its default schema, and puts it first in the search_path.
#[test]
fn the_schema_of_flyway_is_where_its_migrations_work() {
    let files = |settings: &'static str| {
        vec![
            ("flyway.toml", settings),
            ("sql/V1__a.sql", "CREATE TABLE things (id bigint PRIMARY KEY, v text);"),
            (
                "sql/V2__b.sql",
                "SET lock_timeout = '2s';\nALTER TABLE shop.things DROP COLUMN v;\nALTER TABLE public.things ADD COLUMN w text;",
            ),
        ]
    };
    let shop = check_errors(&files("[flyway]\ndefaultSchema = \"shop\"\nlocations = [\"filesystem:sql\"]\n"));
    // `public.things` is not there.
    assert_eq!(shop, ["V2__b.sql missing-object"]);
}

#[test]
fn locations_of_flyway_are_one_history() {
    let files = [
        ("flyway.conf", "flyway.locations=filesystem:sql,filesystem:more\n"),
        ("more/V2__b.sql", "SET lock_timeout = '1s';\nALTER TABLE a ALTER COLUMN v SET NOT NULL;\n"),
        ("sql/V1__a.sql", "CREATE TABLE a (id bigint PRIMARY KEY, v text);\n"),
        ("sql/V3__c.sql", "SET lock_timeout = '1s';\nDROP TABLE a;\n"),
    ];
    let folder = repository_of_bytes(&files.map(|(path, text)| (path, text.as_bytes())));
    let found = find(folder.path()).unwrap();
    assert_eq!(found.folders.len(), 2);
    assert_eq!(read(&[folder.path().to_owned()], &CollectOptions::default()).names(), ["V1__a", "V2__b", "V3__c"]);
}

#[test]
fn placeholders_of_flyway_have_the_values_of_the_build() {
    let files = |name: &'static str, text: &'static str| {
        let all: [(&str, &[u8]); 2] = [
            (name, text.as_bytes()),
            ("src/main/resources/db/migration/V1__a.sql", b"CREATE TABLE ${flyway:defaultSchema}.${t} (id bigint);"),
        ];
        read_folder(&all).sections()[0].1.clone()
    };
    let expected = "CREATE TABLE app.a (id bigint);";
    let gradle = "plugins { id \"org.flywaydb.flyway\" version \"10.0.0\" }\nflyway { schemas = ['app']\n placeholders = [ t: 'a' ] }\n";
    assert_eq!(files("build.gradle", gradle), expected);
    assert_eq!(
        files("build.gradle.kts", "flyway {\n defaultSchema = \"app\"\n placeholders = mapOf(\"t\" to \"a\")\n}\n"),
        expected
    );
    let yaml = "spring:\n  flyway:\n    default-schema: app\n    placeholders:\n      t: a\n";
    assert_eq!(files("src/main/resources/application.yml", yaml), expected);
    let properties = "spring.flyway.default-schema=app\nspring.flyway.placeholders.t=a\n";
    assert_eq!(files("src/main/resources/application.properties", properties), expected);
    let pom = "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><build><plugins><plugin><artifactId>flyway-maven-plugin</artifactId><configuration><schemas><schema>app</schema></schemas><defaultSchema>app</defaultSchema><placeholders><t>a</t></placeholders></configuration></plugin></plugins></build></project>";
    assert_eq!(files("pom.xml", pom), expected);
}

#[test]
fn statements_end_where_the_tool_says() {
    let read = read_folder(&[
        ("environments/development.properties", b"delimiter=@@\nfull_line_delimiter=true\n"),
        ("scripts/20240101000000_a.sql", b"-- // a\nCREATE TABLE a (v text)\n@@\nALTER TABLE a ALTER COLUMN v SET NOT NULL\n@@\n-- //@UNDO\nDROP TABLE a\n@@\n"),
    ]);
    let (_, text) = &read.sections()[0];
    assert_eq!(text.matches(';').count(), 2, "{text}");

    let read = read_folder(&[
        ("atlas.sum", b"h1:x\n"),
        (
            "1_a.sql",
            b"-- atlas:delimiter -- end\n\nCREATE TABLE a (v text)\n-- end\nALTER TABLE a ADD COLUMN w text\n-- end\n",
        ),
    ]);
    let (_, text) = &read.sections()[0];
    assert_eq!(text.matches(';').count(), 2, "{text}");
}

#[test]
fn where_nothing_was_read_there_is_no_verdict() {
    let files = [
        ("migrations/0001_a.sql", "CREATE TABLE ${t} (id bigint);\n"),
        ("migrations/0002_b.sql", "DROP TABLE ${t};\n"),
    ];
    let found = told(&files, &[]);
    assert!(found.contains("no verdict"), "{found}");
    let found = told(&[files[0], ("migrations/0002_b.sql", "CREATE TABLE b (id bigint);\n")], &[]);
    assert!(!found.contains("no verdict"), "{found}");
}

#[test]
fn sql_migrate_says_which_server_a_folder_is_for() {
    let up = "-- +migrate Up\nCREATE TABLE a (id bigint PRIMARY KEY);\n";
    let config = "production:\n  dialect: mysql\n  dir: mig/my\ndevelopment:\n  dialect: postgres\n  dir: mig/pg\n";
    let folder = repository_of_bytes(&[
        ("dbconfig.yml", config.as_bytes()),
        ("mig/my/1-a.sql", b"-- +migrate Up\nCREATE TABLE `a` (id int) ENGINE=InnoDB;\n"),
        ("mig/pg/1-a.sql", up.as_bytes()),
    ]);
    let found = find(folder.path()).unwrap();
    assert_eq!(found.folders, [folder.path().join("mig/pg")]);
    assert_eq!(found.others.iter().map(|other| other.server.as_str()).collect::<Vec<_>>(), ["mysql"]);
}
