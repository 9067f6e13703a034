//! Every breakage has a witness that works before and fails, or answers differently, after: each is run on real servers, on the schema
//! before and after the migration, and the server must say what the witness says it says.

use std::sync::Mutex;

use pgassay::apply::apply;
use pgassay::change::{Change, Statement};
use pgassay::contract::{Breakage, BreakageKind, diff};
use pgassay::finding::Category;
use pgassay::rules;
use pgassay::schema::{Schema, Session as Settings};
use pgassay::shadow::{Installation, Options, Server, Session};
use pgassay::source::{SourceFile, Sources};
use pgassay::sql::read_script;
use pgassay::version::PgVersion;
use tokio_postgres::SimpleQueryMessage;

/// How a witness begins that is a query for rows rather than a statement that fails.
const ROWS_LIKE_THESE: &str = "rows like these are refused when written: ";

const RESET: &str = "RESET ROLE; DO $$ DECLARE s text; BEGIN
    FOR s IN SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' LOOP
        EXECUTE 'DROP SCHEMA ' || s || ' CASCADE';
    END LOOP;
    FOR s IN SELECT quote_ident(pubname) FROM pg_publication LOOP EXECUTE 'DROP PUBLICATION ' || s; END LOOP;
    CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC; END $$";

/// Rows for witnesses that only rows can show; named by the migration, or by the kind of breakage where there is none.
const ROWS: &[(&str, &str)] = &[
    ("s ~ '^[a-z]+$'", "INSERT INTO t VALUES ('!')"),
    ("has_at", "INSERT INTO accounts VALUES (1, 'nobody')"),
    ("ADD CONSTRAINT b_a_fk", "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)"),
    ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "INSERT INTO t VALUES (1)"),
    ("ALTER TABLE accounts ENABLE ROW LEVEL SECURITY", "INSERT INTO accounts VALUES (1)"),
    ("DROP POLICY p ON t", "INSERT INTO t VALUES (1)"),
    ("ALTER TABLE t DISABLE ROW LEVEL SECURITY", "INSERT INTO t VALUES (1)"),
    ("ALTER TABLE notes DISABLE ROW LEVEL SECURITY", "INSERT INTO notes VALUES (1, 'somebody')"),
    ("CREATE POLICY q ON t USING (true)", "INSERT INTO t VALUES (1)"),
    ("DROP POLICY r ON t", "INSERT INTO t VALUES (1)"),
    ("CREATE POLICY q ON t AS RESTRICTIVE", "INSERT INTO t VALUES (-1)"),
    ("ALTER POLICY p ON t USING (a > 9 AND b = 1)", "INSERT INTO t VALUES (10, 2)"),
    ("ALTER POLICY p ON t", "INSERT INTO t VALUES (1, 1)"),
    ("CREATE POLICY r ON t AS RESTRICTIVE USING (b = 1)", "INSERT INTO t VALUES (10, 2)"),
    ("CREATE POLICY q ON t FOR SELECT USING", "INSERT INTO t VALUES (1, 1)"),
    ("CREATE POLICY q ON t FOR SELECT TO reader", "INSERT INTO t VALUES (1, 1)"),
    ("ALTER TABLE t OWNER TO reader", "INSERT INTO t VALUES (1, 1)"),
    ("FUNCTION may_see", "INSERT INTO t VALUES (1)"),
    ("AS 'SELECT upper(x)'", "INSERT INTO t VALUES ('x')"),
];

/// A schema and a migration.
struct Pair {
    before: String,
    migration: String,
}

fn pairs() -> Vec<Pair> {
    let pair = |before: &str, migration: &str| Pair { before: before.to_owned(), migration: migration.to_owned() };
    let cases = crate::contract_cases::CASES.iter().filter(|case| !case.kinds.is_empty());
    let examples = rules::ALL.iter().filter(|rule| rule.category == Category::Breaking).map(|rule| &rule.fires);
    cases
        .map(|case| pair(case.before, case.migration))
        .chain(examples.map(|example| pair(example.given, example.migration)))
        .collect()
}

#[test]
fn every_witness_works_before_and_not_after() {
    let all = crate::support::servers::all();
    let last = all.len() - 1;
    let chosen = |(at, server): &(usize, Installation)| *at == 0 || *at == last || server.major() == 15;
    let waiting: Vec<Installation> = all.into_iter().enumerate().filter(chosen).map(|(_, server)| server).collect();
    let waiting = Mutex::new(waiting);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(server) = waiting.lock().expect("servers").pop() else { break };
                    let (tried, found) = on(&server);
                    println!("{}: {tried} witnesses", server.major());
                    wrong.lock().expect("wrong").extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("wrong");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

fn on(installation: &Installation) -> (usize, Vec<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let server = Server::start(installation, &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let version = PgVersion::new(installation.major()).expect("a supported version");
    let (mut tried, mut wrong) = (0, Vec::new());
    runtime.block_on(async {
        let admin = server.connect("postgres").await.expect("a session");
        let roles =
            "CREATE ROLE app; CREATE ROLE reader; CREATE ROLE writer; CREATE ROLE reporting; CREATE ROLE client IN ROLE reader";
        admin.batch_execute(roles).await.expect("roles");
        for pair in pairs() {
            for breakage in lost(&pair, version) {
                tried += 1;
                if let Err(text) = check(&server, &pair, &breakage).await {
                    wrong.push(format!(
                        "{version}: {:?}: {}\n  {}\n  {}\n  witness {}\n  says {}",
                        breakage.kind, text, pair.before, pair.migration, breakage.witness.sql, breakage.witness.after
                    ));
                }
            }
        }
    });
    (tried, wrong)
}

fn statements(text: &str) -> (Sources, Vec<Statement>) {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("case.sql", text));
    let script = read_script(file, sources.file(file));
    (sources, script.statements)
}

fn lost(pair: &Pair, version: PgVersion) -> Vec<Breakage> {
    let mut schema = Schema::new(true);
    let run = |schema: &mut Schema, text: &str| {
        for statement in statements(text).1 {
            if let Ok(change) = &statement.change
                && !matches!(change, Change::Insert(_))
            {
                apply(schema, change, &Settings::default(), version);
            }
        }
    };
    run(&mut schema, &pair.before);
    let before = schema.clone();
    run(&mut schema, &pair.migration);
    diff(&before, &schema, version)
}

async fn check(server: &Server, pair: &Pair, breakage: &Breakage) -> Result<(), String> {
    let session = server.connect("postgres").await.expect("a session");
    session.batch_execute(RESET).await.expect("a reset");
    run(&session, &pair.before).await.map_err(|error| format!("given: {error}"))?;
    let rows = ROWS.iter().find(|(words, _)| pair.migration.contains(words)).map(|(_, rows)| *rows);
    // Rows of which the witness is a query: they must be refused after.
    let witness = match rows.filter(|_| breakage.witness.after.starts_with(ROWS_LIKE_THESE)) {
        Some(rows) => rows,
        None => {
            run(&session, rows.unwrap_or_default()).await.map_err(|error| format!("rows: {error}"))?;
            &breakage.witness.sql
        }
    };
    let before = as_client(&session, breakage.kind, witness).await;
    let before = before.map_err(|error| format!("does not work before: {error}"))?;
    run(&session, &pair.migration).await.map_err(|error| format!("migration: {error}"))?;
    let after = as_client(&session, breakage.kind, witness).await;
    session.close().await;
    let says = breakage.witness.after.strip_prefix(ROWS_LIKE_THESE).unwrap_or(&breakage.witness.after);
    match (after, says.strip_prefix("ERROR ")) {
        (Err(error), Some(said)) if error == said => Ok(()),
        (Err(error), _) => Err(format!("the server says {error}")),
        (Ok(_), Some(_)) => Err("still works after".to_owned()),
        (Ok(after), None) if after == before => Err(format!("answers the same: {before:?}")),
        (Ok(_), None) => Ok(()),
    }
}

/// Row security does not concern the superuser.
async fn as_client(session: &Session, kind: BreakageKind, sql: &str) -> Result<Vec<String>, String> {
    if !kind.is_about_row_security() {
        return answer(session, sql).await;
    }
    let grant = "GRANT ALL ON ALL TABLES IN SCHEMA public TO client; SET ROLE client";
    session.batch_execute(grant).await.map_err(|error| message(&error))?;
    let outcome = answer(session, sql).await;
    session.batch_execute("RESET ROLE").await.map_err(|error| message(&error))?;
    outcome
}

async fn run(session: &Session, sql: &str) -> Result<(), String> {
    let (sources, statements) = statements(sql);
    for statement in statements {
        let text = sources.slice(statement.span);
        session.batch_execute(text).await.map_err(|error| format!("{text}: {}", message(&error)))?;
    }
    Ok(())
}

/// What a client gets: the rows, and the types of their columns where it is one query. Nothing of it stays.
async fn answer(session: &Session, sql: &str) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    let types = match session.prepare(sql).await {
        Ok(statement) => statement.columns().iter().map(|it| format!("{} {}", it.name(), it.type_().oid())).collect(),
        Err(_) => Vec::new(),
    };
    lines.extend(types);
    session.batch_execute("BEGIN").await.map_err(|error| message(&error))?;
    let outcome = session.simple_query(sql).await;
    if outcome.is_ok() {
        lines.extend(contents(session).await);
    }
    session.batch_execute("ROLLBACK").await.map_err(|error| message(&error))?;
    for answer in outcome.map_err(|error| message(&error))? {
        match answer {
            SimpleQueryMessage::Row(row) => {
                lines.push(format!("{:?}", (0..row.len()).map(|at| row.get(at)).collect::<Vec<_>>()))
            }
            SimpleQueryMessage::CommandComplete(rows) => lines.push(format!("{rows} rows")),
            _ => {}
        }
    }
    Ok(lines)
}

/// The rows of every table that can be read, in the transaction that the witness ran in.
async fn contents(session: &Session) -> Vec<String> {
    let sql = "SELECT c.oid::regclass::text, query_to_xml('SELECT * FROM ' || c.oid::regclass, true, false, '')::text
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND has_table_privilege(c.oid, 'SELECT')";
    let messages = session.simple_query(sql).await.unwrap_or_default();
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(format!("{:?} {:?}", row.get(0), row.get(1))),
        _ => None,
    });
    rows.collect()
}

fn message(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{}: {}", error.code().code(), error.message()),
        None => error.to_string(),
    }
}
