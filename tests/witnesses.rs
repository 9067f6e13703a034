//! Every breakage has a witness that works before and fails, or answers differently, after: each is run on real servers, on the schema
//! before and after the migration, and the server must say what the witness says it says.

#[path = "contract/cases.rs"]
mod cases;
mod support;

use std::sync::Mutex;

use pgassay::change::Change;
use pgassay::contract::{Breakage, diff};
use pgassay::finding::Category;
use pgassay::rules;
use pgassay::schema::{Schema, Session as Settings, apply};
use pgassay::shadow::{Installation, Options, Server, Session};
use pgassay::sql::{SourceFile, Sources, Statement, read_script};
use pgassay::version::PgVersion;
use tokio_postgres::SimpleQueryMessage;

const RESET: &str = "RESET ROLE; DO $$ DECLARE s text; BEGIN
    FOR s IN SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' LOOP
        EXECUTE 'DROP SCHEMA ' || s || ' CASCADE';
    END LOOP;
    CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC; END $$";

/// A schema and a migration.
struct Pair {
    before: String,
    migration: String,
}

fn pairs() -> Vec<Pair> {
    let pair = |before: &str, migration: &str| Pair { before: before.to_owned(), migration: migration.to_owned() };
    let cases = cases::CASES.iter().filter(|case| !case.kinds.is_empty());
    let examples = rules::ALL.iter().filter(|rule| rule.category == Category::Breaking).map(|rule| &rule.fires);
    cases
        .map(|case| pair(case.before, case.migration))
        .chain(examples.map(|example| pair(example.given, example.migration)))
        .collect()
}

#[test]
fn every_witness_works_before_and_not_after() {
    let all = support::servers::all();
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
        let roles = "CREATE ROLE app; CREATE ROLE reader; CREATE ROLE writer; CREATE ROLE reporting; CREATE ROLE client";
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
    let before = answer(&session, &breakage.witness.sql).await;
    let before = before.map_err(|error| format!("does not work before: {error}"))?;
    run(&session, &pair.migration).await.map_err(|error| format!("migration: {error}"))?;
    let after = answer(&session, &breakage.witness.sql).await;
    session.close().await;
    match (after, breakage.witness.after.strip_prefix("ERROR ")) {
        (Err(error), Some(said)) if error == said => Ok(()),
        (Err(error), _) => Err(format!("the server says {error}")),
        (Ok(_), Some(_)) => Err("still works after".to_owned()),
        (Ok(after), None) if after == before => Err(format!("answers the same: {before:?}")),
        (Ok(_), None) => Ok(()),
    }
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
    session.batch_execute("ROLLBACK").await.map_err(|error| message(&error))?;
    for answer in outcome.map_err(|error| message(&error))? {
        match answer {
            SimpleQueryMessage::Row(row) => lines.push(format!("{:?}", (0..row.len()).map(|at| row.get(at)).collect::<Vec<_>>())),
            SimpleQueryMessage::CommandComplete(rows) => lines.push(format!("{rows} rows")),
            _ => {}
        }
    }
    Ok(lines)
}

fn message(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{}: {}", error.code().code(), error.message()),
        None => error.to_string(),
    }
}
