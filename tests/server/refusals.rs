//! Statements with what servers say of them: what is refused is told, and what runs is not called refused.

use crate::support::servers;
use pgassay::check::{Job, check};
use pgassay::finding::Severity;
use pgassay::history::Completeness;
use pgassay::migration::Migration;
use pgassay::shadow::{Installation, Options, Server};
use pgassay::source::{FileId, SourceFile, Sources};
use pgassay::sql::read_script;
use pgassay::version::PgVersion;

/// Schemas, each with the statements that are asked of it.
const ASKED: [(&str, &[&str]); 2] = [
    (
        include_str!("../refusals/given.sql"),
        &[
            include_str!("../refusals/statements.sql"),
            include_str!("../refusals/relations.sql"),
            include_str!("../refusals/definitions.sql"),
            include_str!("../refusals/rows.sql"),
            include_str!("../refusals/event_triggers.sql"),
        ],
    ),
    (include_str!("../refusals/firm_given.sql"), &[include_str!("../refusals/firm.sql")]),
];

/// What is certain to fail, in the words of the findings.
fn told(version: PgVersion, given: &str, migration: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let mut plain = |name: &str, text: &str| {
        let file = sources.add(SourceFile::new(name, text));
        Migration::plain(name, file, text.len())
    };
    let (base, migrations) = (vec![plain("given.sql", given)], vec![plain("migration.sql", migration)]);
    let job = Job { base, migrations, version, completeness: Completeness::Complete, ..Job::default() };
    let findings = check(&job, &sources).findings;
    let refusals = findings.into_iter().filter(|it| {
        it.severity == Severity::Error && it.message.starts_with("fails") || it.rule.name == "unreadable-statement"
    });
    refusals.map(|it| it.message).collect()
}

/// The first error of each line, in a transaction that is rolled back where the line can stand in one.
fn errors(server: &Installation, given: &str, lines: &[&str]) -> Vec<Option<String>> {
    let server = Server::start(server, &Options::default()).expect("a server");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let session = server.connect("postgres").await.expect("a session");
        session.batch_execute(given).await.expect("given");
        let mut found = Vec::new();
        for line in lines {
            let alone = line.contains("CONCURRENTLY");
            if !alone {
                session.batch_execute("BEGIN").await.expect("a transaction");
            }
            let source = SourceFile::new("line", *line);
            let mut error = None;
            for statement in read_script(FileId(0), &source).statements {
                let text = &line[statement.span.start as usize..statement.span.end as usize];
                if let Err(refusal) = session.batch_execute(text).await {
                    error = Some(refusal.as_db_error().map_or(refusal.to_string(), |it| it.message().to_owned()));
                    break;
                }
            }
            if !alone {
                session.batch_execute("ROLLBACK").await.expect("rolled back");
            }
            found.push(error);
        }
        session.close().await;
        found
    })
}

#[test]
fn what_a_server_refuses_is_told_and_nothing_else() {
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for (given, statements) in ASKED {
        let lines = statements.iter().flat_map(|it| it.lines());
        let lines: Vec<&str> = lines.filter(|line| !line.is_empty() && !line.starts_with("--")).collect();
        asked += lines.len();
        for server in servers::all() {
            let version = PgVersion::new(server.major()).expect("a supported version");
            for (line, error) in lines.iter().zip(errors(&server, given, &lines)) {
                let told = told(version, given, line);
                match (&error, told.is_empty()) {
                    (None, false) => {
                        wrong.push(format!("{version} runs, and is called refused: {line}\n    {told:?}"));
                    }
                    (Some(error), true) => {
                        wrong.push(format!("{version} refuses, and nothing is said: {line}\n    {error}"));
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked} lines:\n{}", wrong.len(), wrong.join("\n"));
}
