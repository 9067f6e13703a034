//! `check --prove` end to end: what a shadow server shows, and that nothing of it stays.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pgassay::shadow::{Options, Server};
use serde_json::Value;
use tempfile::TempDir;

/// Version 15 where it is there: its extensions come with it.
fn installation() -> pgassay::shadow::Installation {
    let all = crate::support::servers::all();
    all.iter().find(|server| server.major() == 15).unwrap_or(&all[0]).clone()
}

fn bin() -> PathBuf {
    installation().bin().to_owned()
}

/// Migrations, one file each, by the order of their names.
struct Case {
    folder: TempDir,
    arguments: Vec<String>,
}

impl Case {
    fn new(files: &[(&str, &str)]) -> Case {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        Case { folder, arguments: Vec::new() }
    }

    fn with(mut self, arguments: &[&str]) -> Case {
        self.arguments.extend(arguments.iter().map(|one| (*one).to_owned()));
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
        let major = installation().major().to_string();
        command.current_dir(self.folder.path()).args(["check", "--no-config", "--prove", "--pg-version", &major]);
        command.arg("--pg-bin").arg(bin()).args(&self.arguments);
        if !self.arguments.iter().any(|one| one.ends_with(".sql")) {
            command.arg(".");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The JSON report, and the exit code.
    fn json(&self) -> (Value, i32) {
        let done = self.command().args(["--format", "json"]).output().expect("the binary runs");
        let code = done.status.code().expect("no signal");
        let text = String::from_utf8_lossy(&done.stdout);
        let report = serde_json::from_str(&text);
        (report.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&done.stderr))), code)
    }
}

/// The findings of a rule, as `object: message`.
fn findings(report: &Value, rule: &str) -> Vec<String> {
    let list = report["findings"].as_array().expect("findings");
    let of_rule = list.iter().filter(|finding| finding["rule"] == rule);
    of_rule.map(|it| it["message"].as_str().unwrap_or_default().to_owned()).collect()
}

fn kinds(report: &Value, rule: &str) -> Vec<String> {
    let list = report["findings"].as_array().expect("findings");
    let of_rule = list.iter().filter(|finding| finding["rule"] == rule);
    of_rule.map(|it| it["evidence"][0]["kind"].as_str().unwrap_or_default().to_owned()).collect()
}

fn differences(report: &Value) -> Vec<String> {
    let list = report["differences"].as_array().expect("differences");
    list.iter().map(|it| format!("{} {} | {}", it["field"], it["predicted"], it["observed"])).collect()
}

const ACCOUNTS: &str = "CREATE TABLE accounts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL, plan text CHECK (plan IN ('free', 'paid')), age int);";

#[test]
fn effects_are_watched_and_findings_are_observed() {
    let case = Case::new(&[
        ("1.sql", ACCOUNTS),
        (
            "2.sql",
            "BEGIN;\nALTER TABLE accounts ALTER COLUMN age TYPE bigint;\nALTER TABLE accounts ADD COLUMN note text;\nCOMMIT;",
        ),
        ("3.sql", "CREATE INDEX CONCURRENTLY accounts_age ON accounts (age);\nVACUUM accounts;"),
    ]);
    let (report, _) = case.json();
    assert_eq!(differences(&report), [""; 0]);
    assert_eq!(kinds(&report, "blocking-rewrite"), ["observed"]);
    let statements = report["statements"].as_array().expect("statements");
    let observed = |words: &str| {
        let found = statements.iter().find(|it| it["sql"].as_str().is_some_and(|sql| sql.starts_with(words)));
        found.unwrap_or_else(|| panic!("{words}"))["observed"].clone()
    };
    assert_eq!(observed("ALTER TABLE accounts ALTER")["rewrites"][0], "public.accounts");
    // The transaction has the lock already.
    assert_eq!(observed("ALTER TABLE accounts ADD COLUMN note")["locks"], serde_json::json!([]));
    let concurrent = observed("CREATE INDEX CONCURRENTLY");
    assert_eq!(concurrent["locks"][0]["mode"], "SHARE UPDATE EXCLUSIVE");
    assert_eq!(concurrent["in_transaction_block"], "forbidden");
    assert_eq!(concurrent["index_builds"][0], "public.accounts_age");
}

#[test]
fn what_the_server_refuses_is_a_finding_and_a_difference() {
    let case = Case::new(&[
        ("1.sql", ACCOUNTS),
        (
            "2.sql",
            "SET lock_timeout = '2s';\nALTER TABLE accounts SET (autovacuum_vacuum_scale_factor = 200);\nALTER TABLE accounts ADD COLUMN more int;",
        ),
    ]);
    let (report, code) = case.json();
    let found = findings(&report, "refused-by-server");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("value 200 out of bounds for option \"autovacuum_vacuum_scale_factor\""), "{found:?}");
    assert_eq!(code, 1);
    assert_eq!(differences(&report).len(), 1);
    let strict = Case::new(&[("1.sql", "CREATE TABLE t (id int PRIMARY KEY);")]).with(&["--strict-prove"]);
    assert_eq!(strict.json().1, 0);
}

#[test]
fn a_refusal_that_does_not_come_is_withdrawn() {
    // Functions that defaults call are not followed.
    let case = Case::new(&[
        ("1.sql", "CREATE FUNCTION make() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'CREATE TABLE made (id int)'; RETURN 1; END $$;\nCREATE TABLE other (id int PRIMARY KEY, made int DEFAULT make());"),
        ("2.sql", "INSERT INTO other VALUES (1);\nSET lock_timeout = '2s';\nALTER TABLE made ADD COLUMN note text;"),
    ])
    .with(&["--history", "complete", "--strict-prove", "--fail-on", "never"]);
    let (report, code) = case.json();
    assert_eq!(findings(&report, "missing-object"), [""; 0]);
    assert_eq!(report["proof"]["withdrawn"][0]["rule"], "missing-object");
    assert_eq!(code, 1, "--strict-prove fails on the difference: {:?}", differences(&report));
}

#[test]
fn the_databases_own_name_is_not_missed() {
    let migration = "CREATE TABLE t (id bigint PRIMARY KEY);\nALTER DATABASE shop SET timezone TO 'UTC';\n\
        GRANT CONNECT ON DATABASE shop TO PUBLIC;\nCOMMENT ON DATABASE shop IS 'orders';\n";
    let (report, _) = Case::new(&[("1.sql", migration)]).json();
    assert_eq!(differences(&report), Vec::<String>::new());
    assert_eq!(findings(&report, "refused-by-server"), Vec::<String>::new());
    assert!(
        report["proof"]["notes"]
            .to_string()
            .contains("the database shop does not exist here: an empty one takes its place")
    );
}

#[test]
fn made_up_rows_show_what_fails_on_rows() {
    let tables = "CREATE TYPE state AS ENUM ('new', 'done');
        CREATE DOMAIN positive AS int CHECK (VALUE > 0);
        CREATE TABLE parents (id serial PRIMARY KEY, code varchar(6) NOT NULL UNIQUE);
        CREATE TABLE rows (id int PRIMARY KEY, parent int NOT NULL REFERENCES parents, state state NOT NULL, n positive NOT NULL,
            size numeric(4,2) CHECK (size BETWEEN 3 AND 4), kind text NOT NULL CHECK (kind IN ('a', 'b')), note text);";
    let case = Case::new(&[
        ("1.sql", tables),
        ("2.sql", "SET lock_timeout = '2s';\nALTER TABLE rows ADD COLUMN must text NOT NULL;"),
        ("3.sql", "SET lock_timeout = '2s';\nCREATE UNIQUE INDEX rows_kind ON rows (kind);"),
        ("4.sql", "SET lock_timeout = '2s';\nALTER TABLE rows ALTER COLUMN note TYPE int USING note::int;"),
    ])
    .with(&["--seed", "20"]);
    let (report, _) = case.json();
    assert_eq!(report["proof"]["notes"], serde_json::json!([]), "all tables are filled");
    assert_eq!(kinds(&report, "fails-on-rows"), ["observed"]);
    let errors: Vec<&str> = report["statements"]
        .as_array()
        .expect("statements")
        .iter()
        .filter_map(|it| it["observed"]["error"].as_str())
        .collect();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(errors[0].contains("23502") && errors[1].contains("23505") && errors[2].contains("22P02"), "{errors:?}");
}

#[test]
fn witnesses_are_run_and_broken_functions_and_triggers_found() {
    let case = Case::new(&[
        ("1.sql", ACCOUNTS),
        (
            "2.sql",
            "CREATE FUNCTION mail(bigint) RETURNS text LANGUAGE sql AS 'SELECT email FROM accounts WHERE id = $1';
             CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.email := lower(NEW.email); RETURN NEW; END $$;
             CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION touch();",
        ),
        ("3.sql", "SET lock_timeout = '2s';\nALTER TABLE accounts RENAME COLUMN email TO mail;"),
    ]);
    let (report, _) = case.json();
    assert_eq!(kinds(&report, "renamed-object"), ["observed"]);
    // Read and tried: told once.
    let list = report["findings"].as_array().expect("findings");
    let broken: Vec<&Value> = list.iter().filter(|finding| finding["rule"] == "broken-routine").collect();
    assert_eq!(broken.len(), 1, "{broken:#?}");
    let seen: Vec<&str> = broken[0]["evidence"]
        .as_array()
        .expect("evidence")
        .iter()
        .filter(|it| it["kind"] == "observed")
        .filter_map(|it| it["text"].as_str())
        .collect();
    assert!(seen.iter().any(|it| it.starts_with("the function mail(bigint)")), "{broken:#?}");
    assert!(seen.iter().any(|it| it.starts_with("UPDATE of public.accounts")), "{broken:#?}");
    assert_eq!(differences(&report), [""; 0]);
}

const QUERIES: &str = "-- calls: 500
SELECT id, email FROM accounts WHERE email = $1 LIMIT $2;
-- calls: 20
INSERT INTO accounts (email, plan) VALUES ($1, $2);
INSERT INTO accounts (email) VALUES ($1) ON CONFLICT (email) DO UPDATE SET age = $2;
SELECT count(*) FROM accounts WHERE age = ANY(ARRAY[$1, $2]);
SELECT * FROM nowhere;
-- new
SELECT note FROM accounts;
";

fn replay(migration: &str) -> Value {
    let unique = format!("{ACCOUNTS}\nCREATE UNIQUE INDEX accounts_email ON accounts (email);");
    let migration = format!("SET lock_timeout = '2s';\n{migration}");
    let case =
        Case::new(&[("1.sql", &unique), ("queries.txt", QUERIES)]).with(&["--queries", "queries.txt", "--rolling"]);
    std::fs::write(case.folder.path().join("2.sql"), migration).expect("a file");
    let case = case.with(&["--base", "1.sql", "--history", "complete", "2.sql"]);
    case.json().0
}

#[test]
fn a_compatible_migration_breaks_no_query() {
    let report = replay("ALTER TABLE accounts ADD COLUMN note text;");
    assert_eq!(findings(&report, "broken-query"), [""; 0]);
    let proof = &report["proof"];
    assert_eq!((&proof["queries"], &proof["executed"]), (&4.into(), &2.into()), "{proof}");
    assert_eq!(proof["unprepared"][0]["line"], 7);
    assert_eq!(proof["rolling"]["order"], "schema-first");
}

#[test]
fn broken_queries_are_found_by_preparing_planning_and_running() {
    let broken = |migration: &str| findings(&replay(migration), "broken-query");
    let dropped =
        broken("ALTER TABLE accounts RENAME COLUMN email TO mail; ALTER TABLE accounts ADD COLUMN note text;");
    assert_eq!(dropped.len(), 3, "{dropped:?}");
    assert!(dropped[0].contains("called 500 times") && dropped[0].contains("42703"), "{dropped:?}");
    let required = broken("ALTER TABLE accounts ADD COLUMN note text NOT NULL;");
    assert_eq!(required.len(), 2, "{required:?}");
    assert!(required.iter().all(|it| it.contains("23502")), "{required:?}");
    let target = broken("DROP INDEX accounts_email; ALTER TABLE accounts ADD COLUMN note text;");
    assert!(target.len() == 1 && target[0].contains("42P10"), "{target:?}");
    let value = broken(
        "ALTER TABLE accounts ADD COLUMN note text; ALTER TABLE accounts DROP CONSTRAINT accounts_plan_check, ADD CHECK (plan IN ('free'));",
    );
    assert!(value.len() == 1 && value[0].contains("23514"), "{value:?}");
}

#[test]
fn neither_order_works_where_both_directions_break() {
    let report = replay("ALTER TABLE accounts DROP COLUMN age; ALTER TABLE accounts ADD COLUMN note text;");
    assert_eq!(report["proof"]["rolling"]["order"], "neither");
    let new = replay("SELECT 1;");
    assert!(findings(&new, "broken-query")[0].contains("of the new code"), "{}", new["findings"]);
}

#[test]
fn a_base_is_run_with_stand_ins() {
    let dump = "\\restrict x\nSET client_encoding = 'UTF8';\nCREATE EXTENSION pgassay_unknown;\nCREATE TABLE public.t (id int, s text);\nALTER TABLE public.t OWNER TO nobody_here;\nCOPY public.t (id, s) FROM stdin;\n1\tone\n2\t\\N\n\\.\n\nALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);\n";
    let case = Case::new(&[
        ("base.sql", dump),
        ("1.sql", "SET lock_timeout = '2s';\nALTER TABLE t ALTER COLUMN s SET NOT NULL;"),
    ])
    .with(&["--base", "base.sql", "1.sql"]);
    let (report, _) = case.json();
    let notes = report["proof"]["notes"].to_string();
    assert!(notes.contains("pgassay_unknown") && notes.contains("nobody_here"), "{notes}");
    assert!(!notes.contains("refused"), "{notes}");
    // The dump's rows are there.
    let error = report["statements"][1]["observed"]["error"].as_str().unwrap_or_default();
    assert!(error.contains("23502"), "{report}");
}

/// Folders of shadow servers whose temporary folder is told by the process that made them.
fn leftovers(marker: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let command = |entry: &std::fs::DirEntry| std::fs::read_to_string(entry.path().join("cmdline")).ok();
    processes.filter_map(|entry| command(&entry)).filter(|text| text.contains(marker)).collect()
}

/// The folder that a child's server lives in, once there is one.
fn shadow_folder(child: &Child) -> Option<PathBuf> {
    let mine = format!("{}", child.id());
    let guards = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    guards
        .filter_map(|entry| {
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.to_owned();
            let line = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
            let folder = line.split('\0').find(|word| word.starts_with("/") && word.contains("/pgassay-"))?;
            (parent == mine && line.contains("pgassay-guard")).then(|| PathBuf::from(folder))
        })
        .next()
}

fn wait_for<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(found) = look() {
            return Some(found);
        }
        thread::sleep(Duration::from_millis(10));
    }
    None
}

#[test]
fn killed_at_any_moment_nothing_is_left() {
    let slow = "CREATE TABLE t (id int);\nSELECT pg_sleep(30);";
    for (signal, after) in [("KILL", 0), ("TERM", 40), ("KILL", 300), ("INT", 900), ("KILL", 2500), ("TERM", 6000)] {
        let case = Case::new(&[("1.sql", slow)]);
        let mut child = case.command().spawn().expect("the binary runs");
        let folder = wait_for(Duration::from_secs(20), || shadow_folder(&child)).expect("a shadow's folder");
        thread::sleep(Duration::from_millis(after));
        let killed = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().expect("kill");
        assert!(killed.success());
        child.wait().expect("it ends");
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let gone =
            wait_for(Duration::from_secs(20), || (!folder.exists() && leftovers(&name).is_empty()).then_some(()));
        assert!(gone.is_some(), "{signal} after {after} ms leaves {folder:?} {:?}", leftovers(&name));
    }
}

#[test]
fn a_panic_leaves_nothing() {
    let (told, folder) = std::sync::mpsc::channel();
    let panicked = thread::spawn(move || {
        let server = Server::start(&installation(), &Options::default()).expect("a server");
        let folder = server.config("postgres").get_hosts().iter().find_map(|host| match host {
            tokio_postgres::config::Host::Unix(path) => Some(path.clone()),
            _ => None,
        });
        told.send(folder.expect("a socket")).expect("the test waits");
        panic!("on purpose");
    })
    .join();
    assert!(panicked.is_err());
    let folder: PathBuf = folder.recv().expect("the server's folder");
    assert!(!Path::new(&folder).exists());
    let name = folder.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    assert!(wait_for(Duration::from_secs(10), || leftovers(&name).is_empty().then_some(())).is_some());
}

#[test]
fn many_at_once_do_not_disturb_each_other() {
    let run = |number: usize| {
        let table = format!("CREATE TABLE t{number} (id int PRIMARY KEY);\nCREATE ROLE r{number};");
        let case = Case::new(&[("1.sql", &table)]).with(&["--strict-prove"]);
        let (report, code) = case.json();
        assert_eq!((differences(&report), code), (Vec::new(), 0), "{report}");
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..20).map(|number| scope.spawn(move || run(number))).collect();
        workers.into_iter().for_each(|worker| worker.join().expect("a run"));
    });
}

#[test]
fn a_server_of_others_keeps_nothing() {
    let server = Server::start(&installation(), &Options::default()).expect("a server");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let socket = server.config("postgres").get_hosts().iter().find_map(|host| match host {
        tokio_postgres::config::Host::Unix(path) => Some(path.display().to_string()),
        _ => None,
    });
    let url = format!("host={} user=postgres password=secret-word dbname=postgres", socket.expect("a socket"));
    let databases = || {
        runtime.block_on(async {
            let session = server.connect("postgres").await.expect("a session");
            let sql = "SELECT datname::text FROM pg_database UNION ALL SELECT rolname::text FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1";
            let rows = session.query(sql, &[]).await.expect("rows");
            rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
        })
    };
    let before = databases();
    let folder = tempfile::tempdir().expect("a folder");
    let command = |text: &str| {
        let file = folder.path().join("1.sql");
        std::fs::File::create(&file).and_then(|mut file| file.write_all(text.as_bytes())).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
        command.current_dir(folder.path()).args([
            "check",
            "--no-config",
            "--prove",
            "--format",
            "json",
            "--allow-superuser-shadow",
            "--shadow-url",
            &url,
            "1.sql",
        ]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let roles = "CREATE TABLE t (id int);\nALTER TABLE t OWNER TO stranger;\nDO $$ BEGIN CREATE ROLE plain; END $$;
        DO $$ DECLARE name text := 'hidden'; BEGIN EXECUTE 'CREATE ROLE ' || name; END $$;\nGRANT SELECT ON t TO plain, hidden;
        COMMENT ON ROLE postgres IS 'ours';\nGRANT postgres TO stranger;";
    let done = command(roles).output().expect("the binary runs");
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(
        text.contains("stranger") && text.contains("1.sql:3 changes what") && !text.contains("secret-word"),
        "{text}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(!text.contains("SQLSTATE"), "{text}");
    assert_eq!(databases(), before);
    for (signal, after) in [("TERM", 300), ("INT", 300), ("KILL", 300), ("KILL", 0), ("TERM", 0), ("QUIT", 10)] {
        let slow = "CREATE TABLE t (id int);\nALTER TABLE t OWNER TO stranger;\nSELECT pg_sleep(30);";
        let mut child = command(slow).spawn().expect("the binary runs");
        wait_for(Duration::from_secs(20), || (databases() != before).then_some(())).expect("a database of the run");
        thread::sleep(Duration::from_millis(after));
        Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().expect("kill");
        child.wait().expect("it ends");
        // Killed, it has left that to its guard.
        let gone = wait_for(Duration::from_secs(20), || (databases() == before).then_some(()));
        assert!(gone.is_some(), "{signal} after {after} ms leaves {:?}", databases());
    }
}

#[test]
fn what_a_function_changed_on_a_server_of_others_is_an_error() {
    let server = Server::start(&installation(), &Options::default()).expect("a server");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let session = server.connect("postgres").await.expect("a session");
        session.batch_execute("CREATE ROLE other").await.expect("a role");
        session.batch_execute("CREATE DATABASE prod").await.expect("a database");
    });
    let run = |text: &str| {
        let done = on_server_of_others(&server, text);
        (String::from_utf8_lossy(&done.stderr).into_owned(), done.status.code())
    };
    let by_function = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE other SUPERUSER; END $$;\nSELECT f();";
    let (said, code) = run(by_function);
    assert!(said.contains("not as it was: role other") && code == Some(2), "{said}");
    let (said, code) = run("UPDATE pg_database SET datallowconn = false WHERE datname = 'prod';");
    assert!(said.contains("not as it was: database prod") && code == Some(2), "{said}");
    // What it was set to before is how it was.
    let (said, code) = run("CREATE TABLE t (id int PRIMARY KEY);");
    assert!(!said.contains("not as it was") && code == Some(0), "{said}");
}

/// A proof on a server that is not the run's own, by its superuser.
fn on_server_of_others(server: &Server, text: &str) -> Output {
    let socket = server.socket();
    let url = format!("host={} user=postgres dbname=postgres", socket.parent().expect("a folder").display());
    let case = Case::new(&[("1.sql", text)]).with(&["--allow-superuser-shadow", "--shadow-url", &url]);
    // Without --pg-bin, which names a throwaway server.
    Command::new(env!("CARGO_BIN_EXE_pgassay"))
        .current_dir(case.folder.path())
        .args(["check", "--no-config", "--prove", "1.sql"])
        .args(&case.arguments)
        .output()
        .expect("the binary runs")
}

#[test]
fn what_is_left_out_on_a_server_of_others_bears_nothing_out() {
    let server = Server::start(&installation(), &Options::default()).expect("a server");
    let text =
        "CREATE ROLE leaver;\nCREATE TABLE t (id int PRIMARY KEY);\nGRANT SELECT ON t TO leaver;\nDROP ROLE leaver;";
    let done = on_server_of_others(&server, text);
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(said.contains("1.sql:4 changes what belongs to the whole server: not run"), "{said}");
    assert!(said.contains("error[dependent-object]: fails: role \"leaver\" cannot be dropped"), "{said}");
    assert!(!said.contains("withdrawn") && !said.contains("difference") && done.status.code() == Some(1), "{said}");
}

#[test]
fn the_doctor_names_the_servers() {
    let bin = bin();
    let run = |folder: &Path| {
        let done = Command::new(env!("CARGO_BIN_EXE_pgassay"))
            .args(["doctor", "--pg-bin"])
            .arg(folder)
            .output()
            .expect("it runs");
        (String::from_utf8_lossy(&done.stdout).into_owned(), done.status.code())
    };
    let (text, code) = run(&bin);
    assert!(text.contains("starts in ") && text.contains(installation().version()), "{text}");
    assert_eq!(code, Some(0));
    let (text, code) = run(Path::new("/nonexistent"));
    assert!(text.contains("servers: none") && text.contains("/nonexistent"), "{text}");
    assert_eq!(code, Some(1));
}

/// What the server refuses of a COPY from the client ends that statement, and nothing else.
#[test]
fn after_a_refused_copy_the_proof_goes_on() {
    let table = "CREATE TABLE t (a int PRIMARY KEY);\n";
    for copy in [
        "COPY t (nothing) FROM stdin;\n1\n\\.\n",
        "COPY missing FROM stdin;\n\\.\n",
        "COPY t FROM stdin WITH (FORMAT nothing);\n1\n\\.\n",
        "COPY t (a) FROM stdin;\n1\nno number\n\\.\n",
        "BEGIN READ ONLY;\nCOPY t (a) FROM stdin;\n1\n\\.\nCOMMIT;\n",
        "BEGIN;\nCOPY t (a) FROM stdin;\n1\n1\n\\.\nROLLBACK;\n",
    ] {
        let case =
            Case::new(&[("1.sql", table), ("2.sql", copy), ("3.sql", "CREATE TABLE after (a int PRIMARY KEY);\n")]);
        let (report, code) = case.json();
        assert_ne!(code, 2, "{copy}: {report:#}");
        assert_eq!(report["errors"].as_array().map(Vec::len), Some(0), "{copy}: {report:#}");
        let migrations = report["proof"]["migrations"].as_array().expect("the migrations");
        assert_eq!(migrations.len(), 3, "{copy}: {report:#}");
        let findings = report["findings"].as_array().expect("findings");
        let of_it = |finding: &Value| finding["file"].as_str().is_some_and(|file| file.ends_with("2.sql"));
        let seen = report["differences"].to_string().contains("refused") || findings.iter().any(of_it);
        assert!(seen, "{copy}: {report:#}");
    }
}

/// A role that a migration takes on may read less than the watch has to know.
#[test]
fn a_role_without_privileges_does_not_end_the_run() {
    let case = Case::new(&[
        (
            "1.sql",
            "CREATE SCHEMA inner_shop; CREATE ROLE reader; CREATE TABLE parent (a int) PARTITION BY LIST (a);
             CREATE TABLE inner_shop.part PARTITION OF parent FOR VALUES IN (1); GRANT SELECT ON parent TO reader;",
        ),
        (
            "2.sql",
            "INSERT INTO parent VALUES (1);\nSET ROLE reader;\nSELECT a FROM parent;\nRESET ROLE;\nALTER TABLE parent ADD COLUMN b int;",
        ),
    ]);
    let (report, _) = case.json();
    assert_eq!(differences(&report), [""; 0]);
    let observed = report["statements"].as_array().expect("statements").iter().filter(|it| it["observed"].is_object());
    assert!(observed.count() >= 5, "{report:#}");
}

/// Where earlier migrations are not here, their objects are not on the server: that is said once, with what to do.
#[test]
fn a_part_of_a_history_needs_a_base() {
    let case = Case::new(&[(
        "0042_more.sql",
        "SET lock_timeout = '2s';\nALTER TABLE accounts ADD COLUMN note text;\nDROP TABLE old_accounts;",
    )])
    .with(&["--history", "partial", "0042_more.sql"]);
    let (report, _) = case.json();
    let notes = report["proof"]["notes"].to_string();
    assert!(notes.contains("--base") && notes.matches("only a part").count() == 1, "{notes}");
    let list = report["findings"].as_array().expect("findings");
    let refused: Vec<&Value> = list.iter().filter(|finding| finding["rule"] == "refused-by-server").collect();
    assert_eq!(refused.len(), 2, "{refused:#?}");
    assert!(refused.iter().all(|finding| finding["advice"].to_string().contains("--base")), "{refused:#?}");
}
