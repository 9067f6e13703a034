//! The shop's history on real servers: what pgassay says will fail fails, and nothing else does.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use pgassay::check::{Job, check};
use pgassay::collect::{CollectOptions, collect};
use pgassay::finding::{Category, Severity};
use pgassay::shadow::{Installation, Options, Server};
use pgassay::source::Sources;
use pgassay::sql::read_script;
use pgassay::version::PgVersion;

/// File and line of a statement.
type Place = (String, u32);

#[test]
fn what_is_said_to_fail_fails_and_nothing_else() {
    for installation in crate::support::servers::all() {
        let version = PgVersion::from_str(&installation.major().to_string()).expect("a known version");
        assert_eq!(predicted(version), observed(&installation), "PostgreSQL {version}");
    }
}

fn shop() -> (Job, Sources) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("migrations-examples/shop");
    let mut sources = Sources::default();
    let collected = collect(&[folder], &CollectOptions::default(), &mut sources);
    (Job { migrations: collected.migrations, ..Job::default() }, sources)
}

/// Statements that a finding says will fail.
fn predicted(version: PgVersion) -> BTreeSet<Place> {
    let (job, sources) = shop();
    let report = check(&Job { version, ..job }, &sources);
    let failing = report
        .findings
        .iter()
        .filter(|finding| finding.category == Category::Failing && finding.severity == Severity::Error);
    failing
        .map(|finding| (sources.file(finding.span.file).name.clone(), sources.positions(finding.span).0.line))
        .collect()
}

/// Statements that the server refuses, sent as psql sends them; the first of each transaction.
fn observed(installation: &Installation) -> BTreeSet<Place> {
    let (_, sources) = shop();
    let server = Server::start(installation, &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut refused = BTreeSet::new();
        for (file, source) in sources.iter() {
            let session = server.connect("postgres").await.expect("a session");
            for statement in read_script(file, source).statements {
                let Err(error) = session.batch_execute(sources.slice(statement.span)).await else { continue };
                let error = error.as_db_error().expect("the server's own answer").clone();
                if error.code().code() == "25P02" {
                    continue;
                }
                let start = statement.span.start as usize;
                let inside = match error.position() {
                    Some(tokio_postgres::error::ErrorPosition::Original(at)) => *at as usize - 1,
                    _ => 0,
                };
                let line = source.position((start + inside) as u32).line;
                refused.insert((source.name.clone(), line));
            }
            session.close().await;
        }
        refused
    })
}
