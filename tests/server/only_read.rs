//! A live database is only read: no text from outside is run there, and no code that its users left.
//!
//! Each text that tries to be more than one statement goes through every way to the server; a table is bait, a function says in the server's
//! log that it was called, and the log holds every statement that came.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::servers;
use pgassay::advisor::Planner;
use pgassay::db::{self, ExplainMode, Limits, Parameters, Session};
use pgassay::plan::Query;
use pgassay::shadow::{Options, Server};
use pgassay::whatif::{HypopgPlanner, Prepared};

mod settings;

const TRAPS: &str = include_str!("only_read/traps.sql");

/// What a second statement would be.
const PAYLOAD: &str = "; commit; begin read write; drop table public.bait; select public.canary('text'); commit; ";

/// Ways to make a reader of SQL believe that the payload is part of a string, a name or a comment, when the server takes it for statements;
/// and plain ones.
fn hostile() -> Vec<String> {
    let openers = [
        "select E'a'\n'\\''",
        "select E'a'\r'\\''",
        "select '\\''",
        "select E'\\\\\\''",
        "select U&'\\005c\\''",
        "select N'\\''",
        "select 'a' -- \n'\\''",
        "select 1 --x\r",
        "select 1 --x\n",
        "select 1 /* /* */",
        "select 1 /* */",
        "select $a$ $A$",
        "select $a$ $a$",
        "select $é$ $é$",
        "select \"a\"",
        "select U&\"a\" UESCAPE '!'",
        "select 1",
        "select B'1'\n'\\'",
        "select e'\\'' ",
        "select 1\u{b}",
        "select 'a'\u{c}'\\''",
        "values (1)",
        "table public.bait",
        "with a as (select 1) select 1",
        "select $1::int",
    ];
    let ends = ["--', $1", "-- ", "/*", "select 1\n, $1", "', $1", "select '\\'', $1"];
    openers.iter().flat_map(|open| ends.iter().map(move |end| format!("{open}{PAYLOAD}{end}"))).collect()
}

struct Place {
    server: Server,
    runtime: tokio::runtime::Runtime,
}

impl Place {
    fn start(setup: &[&str]) -> Place {
        Place::on(15, &[("shared_preload_libraries", "pg_stat_statements")], setup)
    }

    fn on(major: u16, more: &[(&str, &str)], setup: &[&str]) -> Place {
        let installation = servers::of_versions(&[major]).remove(0);
        let settings = [&[("log_statement", "all"), ("log_min_messages", "log")], more].concat();
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let server = Server::start(&installation, &Options { settings, ..Options::default() }).expect("a server");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let place = Place { server, runtime };
        place.run("postgres", "CREATE DATABASE shop");
        setup.iter().for_each(|sql| place.run("shop", sql));
        place
    }

    fn run(&self, database: &str, sql: &str) {
        self.runtime.block_on(async {
            let session = self.server.connect(database).await.expect("a session");
            session.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?} in {sql:.200}"));
            session.close().await;
        });
    }

    fn value(&self, sql: &str) -> String {
        self.runtime.block_on(async {
            let session = self.server.connect("shop").await.expect("a session");
            let row = session.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{error:?} in {sql}"));
            row.get::<_, String>(0)
        })
    }

    fn folder(&self) -> PathBuf {
        self.server.data().parent().map(Path::to_owned).expect("a folder")
    }

    fn url(&self, user: &str) -> String {
        format!("host={} user={user} dbname=shop", self.folder().display())
    }

    /// What the server wrote since `from`.
    fn log(&self, from: usize) -> String {
        let bytes = fs::read(self.folder().join("log")).expect("the log");
        String::from_utf8_lossy(&bytes[from.min(bytes.len())..]).into_owned()
    }

    fn log_length(&self) -> usize {
        fs::read(self.folder().join("log")).map_or(0, |bytes| bytes.len())
    }

    fn is_untouched(&self, what: &str, from: usize) {
        // Without an operator: the database may have one of its own.
        let there = "SELECT CASE WHEN pg_catalog.to_regclass('public.bait') IS NULL THEN '0' ELSE '1' END";
        assert_eq!(self.value(there), "1", "{what}: the bait is gone");
        let log = self.log(from);
        let called: Vec<&str> = log.lines().filter(|line| line.contains("canary: ")).take(5).collect();
        assert!(called.is_empty(), "{what}: {called:#?}");
    }

    /// The server's own record: nothing but looking came in.
    fn was_only_read(&self, from: usize) {
        const LOOKS: &[&str] = &[
            "SELECT",
            "WITH",
            "SHOW",
            "BEGIN",
            "ROLLBACK",
            "SET LOCAL",
            "SAVEPOINT",
            "EXPLAIN",
            "PREPARE",
            "DEALLOCATE",
            "LOCK TABLE ONLY",
        ];
        let log = self.log(from);
        // Statements of several lines are one record.
        let statements = log.split("LOG:  ").filter_map(|record| {
            let sql = record.strip_prefix("statement: ").or_else(|| record.strip_prefix("execute <unnamed>: "))?;
            (!sql.contains("to_regclass('public.bait')")).then_some(sql.trim_start())
        });
        let others: Vec<&str> =
            statements.filter(|sql| !LOOKS.iter().any(|look| sql.starts_with(look))).take(5).collect();
        assert!(others.is_empty(), "{others:#?}");
    }
}

fn pgassay(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.args(arguments).env("NO_COLOR", "1");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG") && name != "PGASSAY_SERVERS") {
        command.env_remove(name);
    }
    command.output().expect("pgassay runs")
}

const BAIT: &str = "CREATE TABLE bait (i int); CREATE TABLE orders (id int PRIMARY KEY, code int); INSERT INTO bait VALUES (1);
    CREATE EXTENSION hypopg; CREATE EXTENSION pg_stat_statements;
    CREATE FUNCTION canary(what text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE LOG 'canary: %', what; RETURN what; END $$;
    CREATE ROLE careless SUPERUSER LOGIN; ALTER ROLE careless SET standard_conforming_strings = off;";

#[test]
fn no_text_is_more_than_one_statement() {
    let place = Place::start(&[BAIT]);
    for user in ["postgres", "careless"] {
        let parameters = Parameters::read(&place.url(user)).expect("parameters");
        let from = place.log_length();
        for text in hostile() {
            // As `plan --db` does, and also where our own reader counts otherwise than the server.
            for query in [Query::read(&text).ok(), Some(of(&text))].into_iter().flatten() {
                let _ = place.runtime.block_on(db::explain(
                    &parameters,
                    &Limits::default(),
                    &query,
                    ExplainMode::Plan,
                    true,
                ));
            }
        }
        place.is_untouched(&format!("plan --db as {user}"), from);

        let prepared = hostile().iter().map(|text| Prepared::new(text, Some(3.0))).collect();
        let session = place.runtime.block_on(Session::open(&parameters, &Limits::default())).expect("a session");
        let planner = HypopgPlanner::new(&place.runtime, session, None, prepared, true).expect("a planner");
        let (mut planner, _) = planner.expect("hypopg of PostgreSQL 15 is installed (postgresql-15-hypopg)");
        for number in 0..hostile().len() {
            let _ = planner.plan(number, &[], &[]);
            let _ = planner.plan_with_values(number, &[(1, PAYLOAD.to_owned())].into());
            let _ = planner.rows(&"public.orders".parse().expect("a name"), &format!("code = 1{PAYLOAD}"));
        }
        drop(planner);
        place.is_untouched(&format!("queries --planner hypopg as {user}"), from);
    }
}

/// Without a look at how many statements it is.
fn of(text: &str) -> Query {
    let parameters = usize::from(text.contains("$1"));
    Query { sql: text.to_owned(), parameters, ..Query::default() }
}

#[test]
fn commands_with_hostile_files_change_nothing() {
    let place = Place::start(&[BAIT]);
    let folder = tempfile::tempdir().expect("a folder");
    let queries = folder.path().join("queries.sql");
    let text: String = hostile().iter().map(|text| format!("-- calls: 100, mean: 2.5 ms\n{text};\n")).collect();
    fs::write(&queries, text).expect("a file");
    let migrations = folder.path().join("migrations");
    fs::create_dir(&migrations).expect("a folder");
    fs::write(migrations.join("1.sql"), "ALTER TABLE orders ADD COLUMN note text;").expect("a file");
    let (queries, migrations, url) =
        (queries.display().to_string(), migrations.display().to_string(), place.url("postgres"));
    let from = place.log_length();
    for arguments in [
        &["queries", "--db", &url, "--queries", &queries][..],
        &["queries", "--db", &url, "--queries", &queries, "--planner", "hypopg", "--run-functions"],
        &["queries", "--db", &url, "--queries", &queries, "--planner", "twin"],
        &["check", "--no-config", "--prove", "--db", &url, "--queries", &queries, &migrations],
    ] {
        let output = pgassay(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("unexpected argument") && !said.contains("panicked"), "{arguments:?}: {said}");
        place.is_untouched(&format!("{arguments:?}"), from);
    }
    place.was_only_read(from);
}

#[test]
fn nothing_that_users_left_is_called() {
    let place = Place::start(&[
        "CREATE EXTENSION hypopg; CREATE EXTENSION pg_stat_statements; CREATE TABLE bait (i int)",
        TRAPS,
    ]);
    let schema = "CREATE ROLE weak LOGIN; GRANT pg_monitor, pg_read_all_data TO weak; ALTER DATABASE shop SET search_path = public, pg_catalog";
    place.run("postgres", schema);
    let session_of_application = "SET search_path = pg_catalog, public;
        SELECT count(*) FROM public.orders WHERE customer_id = public.priced(3);
        SELECT id FROM public.orders WHERE customer_id = 7;
        SELECT id FROM public.customers WHERE id = 7; SELECT price FROM public.prices";
    place.run("shop", session_of_application);
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let migrations = path("migrations");
    fs::create_dir(&migrations).expect("a folder");
    fs::write(format!("{migrations}/1.sql"), "ALTER TABLE public.customers ADD COLUMN note text;").expect("a file");
    for user in ["postgres", "weak"] {
        let url = place.url(user);
        let snapshot = path(user);
        for arguments in [
            &["audit", "--no-config", "--db", &url][..],
            &["audit", "--no-config", "--db", &url, "--sample"],
            &["check", "--no-config", "--db", &url, &migrations],
            &["snapshot", "--db", &url, "-o", &snapshot],
            &["queries", "--db", &url, "--planner", "hypopg"],
            &["plan", "--db", &url, "SELECT count(*) FROM public.orders WHERE customer_id = public.priced(3)"],
            &["plan", "--db", &url, "SELECT price FROM public.prices"],
            &["plan", "--db", &url, "SELECT '{5}'::public.positive[]"],
            &["plan", "--db", &url, "SELECT p.priced FROM (SELECT 5 AS x) p"],
        ] {
            let from = place.log_length();
            let output = pgassay(arguments);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!said.contains("unexpected argument") && !said.contains("panicked"), "{arguments:?}: {said}");
            // What is refused says nothing else.
            let warns = user == "postgres" && arguments[0] != "plan";
            assert!(said.contains("pgassay init --role") == warns, "{arguments:?}: {said}");
            place.is_untouched(&format!("{arguments:?} as {user}"), from);
            if arguments[0] == "plan" {
                assert!(said.contains("--run-functions"), "{arguments:?}: {said}");
            }
            if arguments.contains(&"check") {
                assert!(said.contains("public.schema_migrations is not an ordinary table"), "{said}");
                assert!(said.contains("has no column of PostgreSQL's own types"), "{said}");
            }
        }
    }
    // The bait works: asked for by its flag, the function is called.
    let from = place.log_length();
    let text = "SELECT count(*) FROM public.customers WHERE id = public.priced(3)";
    pgassay(&["plan", "--db", &place.url("postgres"), "--run-functions", text]);
    assert!(place.log(from).contains("canary: immutable"), "{}", place.log(from));
}

#[test]
fn the_role_that_is_printed_can_be_made_and_is_enough() {
    let place = Place::start(&["CREATE TABLE bait (i int); CREATE TABLE pgmigrations (name text)"]);
    let printed = pgassay(&["init", "--role"]);
    let sql = String::from_utf8(printed.stdout).expect("text");
    place.run("shop", &sql);
    let output = pgassay(&["audit", "--no-config", "--db", &place.url("pgassay")]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("warning") && !said.contains("init --role"), "{said}");
    assert_ne!(output.status.code(), Some(2), "{said}");
}
