//! The heart of the suite: on every installed version, each case is predicted and observed, and the two must agree.

mod support;

use std::sync::Mutex;

use pgassay::change::{Change, Name, Set};
use pgassay::effect::{Context, Effect, predict};
use pgassay::schema::{Schema, Session, apply};
use pgassay::sql::{SourceFile, Sources, Statement, read_script};
use pgassay::version::PgVersion;
use support::{cases, runner, servers};

/// What the model says of `run`, after `setup` and `given`.
fn predicted(setup: &str, given: &str, run: &str, version: u16) -> Result<Effect, String> {
    let version = PgVersion::new(version).ok_or("not a supported version")?;
    let mut schema = Schema::new(true);
    let mut session = Session { time_zone: Some("UTC".into()), ..Session::default() };
    for statement in statements(&format!("{setup}\n{given}")) {
        match statement.change.map_err(|error| error.to_string())? {
            Change::Set(set) => configure(&mut session, &set),
            change => {
                apply(&mut schema, &change, &session, version);
            }
        }
    }
    let mut effect = Effect::default();
    for statement in statements(run) {
        let change = statement.change.map_err(|error| error.to_string())?;
        effect.merge(predict(&change, Context { schema: &schema, session: &session, version }).effect);
    }
    Ok(effect)
}

fn statements(text: &str) -> Vec<Statement> {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("case", text));
    read_script(file, sources.file(file)).statements
}

/// The settings that the cases use.
fn configure(session: &mut Session, set: &Set) {
    let first = set.values.first();
    match &*set.parameter {
        "timezone" => session.time_zone = first.cloned(),
        "check_function_bodies" => session.check_function_bodies = first.is_some_and(|it| &**it != "off"),
        "session_replication_role" => session.replica_role = first.is_some_and(|it| &**it == "replica"),
        "search_path" => {
            let temporary = std::iter::once(Name::from("pg_temp"));
            session.search_path = temporary.chain(set.values.iter().map(|value| Name::new(value))).collect();
        }
        _ => {}
    }
}

/// What only the rows decide, so that no model of the schema can know it: compared in locks, rewrites and builds, not in scans.
const ROWS_DECIDE_SCANS: [&str; 2] =
    ["alter_table/add foreign key on empty table", "alter_table/add foreign key to partitioned"];

#[test]
fn every_prediction_is_what_the_server_does() {
    let files = cases::all();
    let waiting = Mutex::new(servers::all());
    let differences = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(server) = waiting.lock().expect("servers").pop() else { break };
                    compare(&server, &files, &differences);
                }
            });
        }
    });
    let differences = differences.into_inner().expect("differences");
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

fn compare(server: &pgassay::shadow::Installation, files: &[cases::CaseFile], differences: &Mutex<Vec<String>>) {
    let version = server.major();
    runner::observe_all(server, files, |case, outcome| {
        let setup = files.iter().find(|file| case.name.starts_with(&format!("{}/", file.name)));
        let setup = setup.map_or("", |file| file.setup.as_str());
        let mut found = Vec::new();
        match outcome {
            Err(error) => found.push(format!("harness: {error}")),
            // A refused statement has no effect to compare.
            Ok(observation) if observation.error.is_some() => {}
            Ok(observation) => match predicted(setup, &case.given.concat(), &case.run, version) {
                Err(message) => found.push(format!("predicted nothing: {message}")),
                Ok(mut effect) => {
                    if ROWS_DECIDE_SCANS.contains(&case.name.as_str()) {
                        effect.scans.clone_from(&observation.effect.scans);
                    }
                    found.extend(fields(&effect, &observation.effect));
                }
            },
        }
        let lines = found.into_iter().map(|text| format!("{} on {version}: {text}\n    {}", case.name, case.run));
        differences.lock().expect("differences").extend(lines);
    });
}
/// One line for each field that differs.
fn fields(predicted: &Effect, observed: &Effect) -> Vec<String> {
    let pairs = [
        ("locks", format!("{:?}", predicted.locks), format!("{:?}", observed.locks)),
        ("rewrites", format!("{:?}", predicted.rewrites), format!("{:?}", observed.rewrites)),
        ("scans", format!("{:?}", predicted.scans), format!("{:?}", observed.scans)),
        ("index_builds", format!("{:?}", predicted.index_builds), format!("{:?}", observed.index_builds)),
        (
            "in_transaction_block",
            format!("{:?}", predicted.in_transaction_block),
            format!("{:?}", observed.in_transaction_block),
        ),
    ];
    let differing = pairs.into_iter().filter(|(_, predicted, observed)| predicted != observed);
    differing.map(|(field, p, o)| format!("{field}\n    predicted {p}\n    observed  {o}")).collect()
}
