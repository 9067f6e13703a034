//! The heart of the suite: on every installed version, each case is predicted and observed, and the two must agree.
//!
//! To look at a part of it: `PGASSAY_CASES=dml/,object/prepare` runs the cases whose `file/name` contains one of these,
//! `PGASSAY_VERSIONS=14,18` runs them on these major versions only.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use crate::support::world::World;
use crate::support::{cases, runner, servers};
use pgassay::effect::Effect;
use pgassay::shadow::Installation;
use pgassay::version::PgVersion;

/// What the model says of a case, on top of what its file's setup left.
fn predicted(setup: &Result<World, String>, case: &cases::Case) -> Result<Effect, String> {
    let mut world = setup.clone()?;
    world.run(&case.given.concat())?;
    world.predict(&case.run)
}

#[test]
fn every_prediction_is_what_the_server_does() {
    let files = cases::chosen(&listed("PGASSAY_CASES"));
    let versions: Vec<u16> = listed("PGASSAY_VERSIONS").iter().map(|it| it.parse().expect("a major version")).collect();
    let waiting = Mutex::new(servers::of_versions(&versions));
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
    let mut differences = differences.into_inner().expect("differences");
    differences.sort();
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// The parts of an environment variable, a comma between them; none where it is not set.
fn listed(variable: &str) -> Vec<String> {
    let value = std::env::var(variable).unwrap_or_default();
    value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn compare(server: &Installation, files: &[cases::CaseFile], differences: &Mutex<Vec<String>>) {
    let started = Instant::now();
    let major = server.major();
    let version = PgVersion::new(major).expect("a supported version");
    let setups: BTreeMap<&str, Result<World, String>> = files
        .iter()
        .map(|file| {
            let mut world = World::new(version);
            let outcome = world.run(&file.setup);
            (file.name.as_str(), outcome.map(|()| world).map_err(|message| format!("setup: {message}")))
        })
        .collect();
    runner::observe_all(server, files, |case, outcome| {
        let file = case.name.split('/').next().unwrap_or_default();
        let found = match outcome {
            Err(error) => vec![format!("harness: {error}")],
            // A refused statement has no effect to compare.
            Ok(observation) if observation.error.is_some() => Vec::new(),
            Ok(observation) => match predicted(&setups[file], case) {
                Err(message) => vec![format!("unreadable: {message}")],
                Ok(effect) => fields(&effect, &observation.effect, &case.differs),
            },
        };
        let lines = found.into_iter().map(|text| format!("{} on {major}: {text}\n    {}", case.name, case.run));
        differences.lock().expect("differences").extend(lines);
    });
    println!("version {major}: {:.0?}", started.elapsed());
}

/// One line for each field that differs.
fn fields(predicted: &Effect, observed: &Effect, excepted: &[String]) -> Vec<String> {
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
    let differing = pairs.into_iter().filter(|(field, predicted, observed)| {
        predicted != observed && !excepted.iter().any(|excepted| excepted == field)
    });
    differing.map(|(field, p, o)| format!("{field}\n    predicted {p}\n    observed  {o}")).collect()
}

#[test]
fn every_exception_is_explained() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/effects.md")).expect("docs/effects.md");
    let files = cases::all();
    let excepted = files.iter().flat_map(|file| &file.cases).filter(|case| !case.differs.is_empty());
    let missing: Vec<_> = excepted.map(|case| &case.name).filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "not in docs/effects.md: {missing:?}");
}
