//! `check --prove` with what clients do: an application's queries, prepared statements, functions and policies, on the schema that a
//! database or a snapshot has.

use std::path::{Path, PathBuf};
use std::process::Command;

use pgassay::shadow::{Installation, Options, Server};
use serde_json::Value;
use tempfile::TempDir;

/// Version 15 where it is there: its extensions come with it.
fn installation() -> Installation {
    let all = crate::support::servers::all();
    all.iter().find(|server| server.major() == 15).unwrap_or(&all[0]).clone()
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

fn pgassay(folder: &Path, arguments: &[&str]) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.current_dir(folder).args(arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
        command.env_remove(name);
    }
    let done = command.output().expect("the binary runs");
    let code = done.status.code().expect("no signal");
    assert!(code != 2, "{}", String::from_utf8_lossy(&done.stderr));
    (String::from_utf8_lossy(&done.stdout).into_owned(), code)
}

fn prove_as(format: &str, folder: &Path, arguments: &[&str]) -> (String, i32) {
    let installation = installation();
    let (major, bin) = (installation.major().to_string(), installation.bin().display().to_string());
    let mut all = vec!["check", "--no-config", "--prove", "--pg-version", &major, "--pg-bin", &bin];
    all.extend(["--history", "complete", "--format", format]);
    all.extend(arguments);
    pgassay(folder, &all)
}

fn prove(folder: &Path, arguments: &[&str]) -> Value {
    let text = prove_as("json", folder, arguments).0;
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Severity, line and message of a rule's findings.
fn findings<'r>(report: &'r Value, rule: &str) -> Vec<(&'r str, u64, &'r str)> {
    let list = report["findings"].as_array().expect("findings");
    let of_rule = list.iter().filter(|finding| finding["rule"] == rule);
    let text = |it: &'r Value, key: &str| it[key].as_str().expect("a text");
    of_rule.map(|it| (text(it, "severity"), it["line"].as_u64().expect("a line"), text(it, "message"))).collect()
}

const DIFFERENCES: fn(&Value) -> usize = |report| report["differences"].as_array().expect("differences").len();

fn pgbench(base: &[&str], migration: &str) -> Value {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("migrations-examples/pgbench");
    let mut arguments = vec!["--queries", "queries.txt", "--rolling"];
    arguments.extend(base.iter().flat_map(|file| ["--base", *file]));
    arguments.push(migration);
    prove(&folder, &arguments)
}

#[test]
fn a_column_more_breaks_connections_only() {
    let report = pgbench(&["0001_tables.sql"], "0002_note.sql");
    let found = findings(&report, "broken-query");
    let [("warning", 3, message)] = found[..] else { panic!("{found:?}") };
    assert!(message.contains("(line 20, called 900 times): cached plan must not change result type"), "{message}");
    let proof = &report["proof"];
    assert_eq!((&proof["queries"], &proof["executed"]), (&10.into(), &7.into()), "{proof}");
    assert_eq!(proof["unprepared"][0]["line"], 26);
    assert_eq!(proof["rolling"]["order"], "schema-first");
    assert_eq!(proof["rolling"]["new_on_old"][0]["line"], 30);
}

#[test]
fn every_query_of_the_workload_that_breaks_is_told_with_its_statement() {
    let report = pgbench(&["0001_tables.sql", "0002_note.sql"], "0003_clean_up.sql");
    let found = findings(&report, "broken-query");
    let told = |line: u64, words: &[&str]| {
        let fits = |(severity, at, message): &&(&str, u64, &str)| {
            *severity == "error" && *at == line && words.iter().all(|word| message.contains(word))
        };
        assert_eq!(found.iter().filter(fits).count(), 1, "line {line}, {words:?} in {found:#?}");
    };
    told(3, &["line 7, called 120000 times", "42703", "tbalance"]);
    told(4, &["line 11, called 120000 times", "23502", "channel"]);
    told(5, &["line 15, called 4000 times", "42P10"]);
    told(7, &["line 18, called 3500 times", "23514", "transfers_state_check"]);
    told(8, &["line 24, called 15 times", "22P02", "cheque"]);
    assert_eq!(found.len(), 5, "{found:#?}");
    assert_eq!(report["proof"]["rolling"]["order"], "code-first");
    assert_eq!(DIFFERENCES(&report), 0, "{}", report["differences"]);
}

/// A server with a database that has roles, tables and counted queries, and how to reach it.
fn live(installation: &Installation) -> (Server, String) {
    let settings = vec![("shared_preload_libraries".to_owned(), "pg_stat_statements".to_owned())];
    let server = Server::start(installation, &Options { settings, ..Options::default() }).expect("a server");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let statements = [
        "CREATE EXTENSION pg_stat_statements; CREATE ROLE shopkeeper",
        "CREATE TYPE plan AS ENUM ('free', 'paid')",
        "CREATE TABLE accounts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL, plan plan NOT NULL, age int)",
        "ALTER TABLE accounts OWNER TO shopkeeper",
        "CREATE VIEW emails AS SELECT id, email FROM accounts",
        "SELECT email FROM accounts WHERE id = 7",
        "SELECT email FROM accounts WHERE id = 8",
        "SELECT count(*) FROM accounts WHERE age > 30",
    ];
    runtime.block_on(async {
        let session = server.connect("postgres").await.expect("a session");
        for statement in statements {
            session.batch_execute(statement).await.unwrap_or_else(|error| panic!("{error:?} in {statement}"));
        }
        session.close().await;
    });
    let socket = server.config("postgres").get_hosts().iter().find_map(|host| match host {
        tokio_postgres::config::Host::Unix(path) => Some(path.display().to_string()),
        _ => None,
    });
    let url = format!("host={} user=postgres password=secret-word dbname=postgres", socket.expect("a socket"));
    (server, url)
}

#[test]
fn a_database_or_its_snapshot_says_what_exists_and_which_queries_run() {
    let installation = installation();
    let (_server, url) = live(&installation);
    let migration = "SET lock_timeout = '2s';\nDROP VIEW emails;\nALTER TABLE accounts DROP COLUMN email;\n";
    let folder = folder(&[("1.sql", migration)]);
    pgassay(folder.path(), &["snapshot", "--db", &url, "--output", "shop.snapshot"]);
    for place in [["--db", url.as_str()], ["--snapshot", "shop.snapshot"]] {
        let report = prove(folder.path(), &[place[0], place[1], "--rolling", "1.sql"]);
        assert_eq!(DIFFERENCES(&report), 0, "{}", report["differences"]);
        let errors: Vec<&Value> =
            report["statements"].as_array().expect("statements").iter().map(|it| &it["observed"]["error"]).collect();
        assert_eq!(errors, [&Value::Null; 3]);
        let found = findings(&report, "broken-query");
        let [("error", 3, message)] = found[..] else { panic!("{found:?}") };
        assert!(message.contains("(called 2 times): column \"email\" does not exist"), "{message}");
        let proof = &report["proof"];
        assert_eq!(proof["rolling"]["order"], "code-first");
        let notes = proof["notes"].to_string();
        assert!(notes.contains("the role shopkeeper does not exist here: an empty one takes its place"), "{notes}");
        assert!(!notes.contains("refused"), "{notes}");
        assert!(!report.to_string().contains("secret-word"));
    }
}

#[test]
fn functions_in_plpgsql_and_policies_are_tried() {
    let folder = folder(&[
        (
            "1.sql",
            "CREATE TABLE accounts (id bigint PRIMARY KEY, email text NOT NULL, owner text);
             CREATE TABLE log (at timestamptz NOT NULL DEFAULT now(), email text);
             CREATE FUNCTION mail(wanted bigint) RETURNS text LANGUAGE plpgsql AS $$ DECLARE found_mail text; BEGIN SELECT email INTO found_mail FROM accounts WHERE id = wanted; RETURN found_mail; END $$;
             CREATE PROCEDURE rename(wanted bigint, new_mail text) LANGUAGE plpgsql AS $$ BEGIN UPDATE accounts SET email = new_mail WHERE id = wanted; END $$;
             CREATE FUNCTION picky(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF n < 1000 THEN RAISE EXCEPTION 'too small'; END IF; RETURN n; END $$;
             CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (email) VALUES (NEW.owner); RETURN NEW; END $$;
             CREATE TRIGGER note AFTER INSERT OR UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION note();",
        ),
        (
            "2.sql",
            "SET lock_timeout = '2s';
ALTER TABLE accounts RENAME COLUMN email TO mail;
ALTER TABLE log ADD COLUMN kind text NOT NULL;
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;",
        ),
    ]);
    let report = prove(folder.path(), &["--base", "1.sql", "2.sql"]);
    let found = findings(&report, "broken-routine");
    let evidence = report["findings"].as_array().expect("findings").iter().filter_map(|it| it["evidence"].as_array());
    let seen = evidence.flatten().filter(|it| it["kind"] == "observed").filter_map(|it| it["text"].as_str());
    let broken: Vec<&str> = found.iter().map(|(_, _, message)| *message).chain(seen).collect();
    for name in ["the function mail(bigint)", "the function rename(bigint,text)", "UPDATE of public.accounts"] {
        assert!(broken.iter().any(|message| message.starts_with(name)), "{name} in {broken:#?}");
    }
    assert!(!broken.iter().any(|message| message.contains("picky")), "{broken:#?}");
    let security: Vec<&Value> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|finding| {
            finding["message"].as_str().is_some_and(|text| text.contains("row security of public.accounts is on"))
        })
        .collect();
    assert_eq!(security.len(), 1);
    assert_eq!(security[0]["evidence"][0]["kind"], "observed", "{}", security[0]);
}

#[test]
fn data_that_a_trigger_refuses_is_not_broken() {
    let folder = folder(&[
        (
            "1.sql",
            "CREATE TABLE states (id int PRIMARY KEY); CREATE TABLE jobs (id int PRIMARY KEY, state int NOT NULL);
             CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
             CREATE TRIGGER guard BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION guard();",
        ),
        (
            "2.sql",
            "SET lock_timeout = '2s';
CREATE OR REPLACE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;
ALTER TABLE jobs ADD COLUMN note text;",
        ),
    ]);
    let report = prove(folder.path(), &["--base", "1.sql", "2.sql"]);
    assert_eq!(findings(&report, "broken-routine"), []);
}

#[test]
fn triggers_that_end_without_return_or_run_themselves_are_broken() {
    let folder = folder(&[
        ("1.sql", "CREATE TABLE jobs (id int PRIMARY KEY, state int); CREATE TABLE marks (id int PRIMARY KEY, state int);"),
        (
            "2.sql",
            "SET lock_timeout = '2s';
CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.state := 1; END $$;
CREATE TRIGGER guard BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION guard();
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE marks SET state = 1 WHERE id = NEW.id; RETURN NULL; END $$;
CREATE TRIGGER again AFTER UPDATE ON marks FOR EACH ROW EXECUTE FUNCTION again();",
        ),
    ]);
    let report = prove(folder.path(), &["--base", "1.sql", "2.sql"]);
    let text = format!("{report:?}");
    assert!(text.contains("without RETURN"), "{text}");
    assert!(text.contains("UPDATE of public.marks no longer works"), "{text}");
}

#[test]
fn the_tools_own_tables_are_there() {
    let folder = folder(&[
        ("diesel.toml", ""),
        (
            "migrations/2024-01-01-000000_a/up.sql",
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER no BEFORE TRUNCATE ON __diesel_schema_migrations EXECUTE FUNCTION no();",
        ),
        ("migrations/2024-01-01-000000_a/down.sql", "DROP FUNCTION no() CASCADE;"),
        ("migrations/2024-01-02-000000_b/up.sql", "ANALYZE;"),
        ("migrations/2024-01-02-000000_b/down.sql", ""),
    ]);
    let report = prove(folder.path(), &["migrations"]);
    assert_eq!(DIFFERENCES(&report), 0, "{}", report["differences"]);
    assert_eq!(findings(&report, "refused-by-server"), []);
}

#[test]
fn as_many_rows_are_made_up_as_are_wanted() {
    let table = |number: usize| {
        let parent = match number {
            0 => String::new(),
            _ => format!("parent bigint NOT NULL REFERENCES t{},", (number - 1) / 2),
        };
        format!(
            "CREATE TABLE t{number} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {parent} email text NOT NULL UNIQUE CHECK (email LIKE '%@%'), note text);\n"
        )
    };
    let alter = |number: usize| format!("ALTER TABLE t{number} ADD COLUMN more text;\n");
    let count = |number: usize| {
        format!(
            "DO $$ BEGIN IF (SELECT count(*) FROM t{number}) <> 1000 THEN RAISE EXCEPTION 'not all rows'; END IF; END $$;\n"
        )
    };
    let tables: String = (0..20).map(table).collect();
    let migration: String = std::iter::once("SET lock_timeout = '2s';\n".to_owned())
        .chain((0..20).map(alter))
        .chain((0..20).map(count))
        .collect();
    let folder = folder(&[("1.sql", &tables), ("2.sql", &migration)]);
    let report = prove(folder.path(), &["--base", "1.sql", "--seed", "1000", "2.sql"]);
    assert_eq!(report["proof"]["notes"], serde_json::json!([]));
    assert_eq!(findings(&report, "refused-by-server"), []);
}

#[test]
fn every_format_shows_what_went_otherwise() {
    let folder = folder(&[
        (
            "1.sql",
            "CREATE FUNCTION make() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'CREATE TABLE made (id int)'; RETURN 1; END $$;\nCREATE TABLE other (id int PRIMARY KEY, made int DEFAULT make());",
        ),
        ("2.sql", "INSERT INTO other VALUES (1);\nSET lock_timeout = '2s';\nALTER TABLE made ADD COLUMN note text;"),
    ]);
    let shown = |format: &str| prove_as(format, folder.path(), &["--base", "1.sql", "2.sql"]).0;
    let markdown = shown("markdown");
    assert!(
        markdown.contains("<summary>proved on PostgreSQL") && markdown.contains("difference: 2.sql:3"),
        "{markdown}"
    );
    let github = shown("github");
    assert!(github.contains("::warning file=2.sql,line=3") && github.contains("not as predicted"), "{github}");
    let junit = shown("junit");
    assert!(junit.contains("<testsuite name=\"proved on PostgreSQL") && junit.contains("line 3: "), "{junit}");
    let sarif: Value = serde_json::from_str(&shown("sarif")).expect("JSON");
    let told = &sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(told["descriptor"]["id"], "not-as-predicted", "{told}");
    assert_eq!(told["locations"][0]["physicalLocation"]["region"]["startLine"], 3);
    assert_eq!(sarif["runs"][0]["properties"]["proof"]["migrations"][0]["statements"], 3);
    // An array of findings has no place for it, and stays one.
    assert!(serde_json::from_str::<Value>(&shown("gitlab")).expect("JSON").is_array());
}
