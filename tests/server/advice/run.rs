//! Runs the migration of a case and the steps of its findings, and compares.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use pgassay::check::{Job, check};
use pgassay::finding::{Category, Finding, FixStep, Severity, StepTransaction};
use pgassay::history::Completeness;
use pgassay::migration::Migration;
use pgassay::report::Report;
use pgassay::rules;
use pgassay::shadow::{Installation, Options, Server, Session};
use pgassay::source::{SourceFile, Sources};
use pgassay::version::PgVersion;
use tokio_postgres::SimpleQueryMessage;

use super::cases::Case;
use super::catalog;

/// Findings whose steps stand in for a part of the migration.
const REPLACING: &[&str] = &[
    "blocking-rewrite",
    "blocking-scan",
    "blocking-index-build",
    "fails-on-rows",
    "unbatched-backfill",
    "retry-skips-invalid-index",
    "renamed-object",
];

const RESET: &str = "DO $$ DECLARE s text; BEGIN
    FOR s IN SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' LOOP
        EXECUTE 'DROP SCHEMA ' || s || ' CASCADE';
    END LOOP;
    CREATE SCHEMA public; END $$";

/// What was run.
#[derive(Debug, Default)]
pub struct Tally {
    cases: usize,
    findings: usize,
    steps: usize,
    queries: usize,
    /// Rounds of clients while steps ran.
    beside: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { cases, findings, steps, queries, beside } = self;
        write!(
            f,
            "{cases} cases, {findings} findings with steps, {steps} steps run, {queries} queries asked, {beside} rounds of clients beside"
        )
    }
}

/// Runs all cases that the version can run; the texts say what is wrong.
pub fn on(installation: &Installation, cases: &[Case]) -> (Tally, Vec<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let server = Server::start(installation, &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let major = installation.major();
    let mut trial = Trial { server: &server, major, tally: Tally::default() };
    let mut wrong = Vec::new();
    runtime.block_on(async {
        let admin = trial.connect().await;
        admin.batch_execute("CREATE ROLE app; CREATE ROLE reader; CREATE ROLE reporting").await.expect("roles");
        for case in cases.iter().filter(|case| case.runs_on(major)) {
            trial.tally.cases += 1;
            let found = trial.case(case).await;
            wrong.extend(found.into_iter().map(|text| format!("{} on {major}: {text}", case.name)));
        }
    });
    (trial.tally, wrong)
}

/// The report on migrations that run one after the other, each in a file of its own.
fn report(base: &str, migrations: &[String], version: u16, partial: bool) -> Report {
    let mut sources = Sources::default();
    let mut plain = |name: &str, text: &str| {
        let file = sources.add(SourceFile::new(name, text));
        Migration::plain(name, file, text.len())
    };
    let base = if partial { Vec::new() } else { vec![plain("given.sql", base)] };
    let migrations =
        migrations.iter().enumerate().map(|(at, text)| plain(&format!("{at}.sql"), text)).collect::<Vec<_>>();
    let completeness = if partial { Completeness::Partial } else { Completeness::Complete };
    let version = PgVersion::new(version).expect("a supported version");
    check(&Job { base, migrations, version, completeness, strict: true, ..Job::default() }, &sources)
}

struct Trial<'a> {
    server: &'a Server,
    major: u16,
    tally: Tally,
}

impl Trial<'_> {
    async fn connect(&self) -> Session {
        self.server.connect("postgres").await.expect("a session")
    }

    /// A session in a database that holds what `given` makes.
    async fn fresh(&self, given: &str) -> Result<Session, String> {
        let session = self.connect().await;
        session.batch_execute(RESET).await.map_err(|error| format!("reset: {error:?}"))?;
        statements(&session, given).await.map_err(|error| format!("given: {error}"))?;
        Ok(session)
    }

    async fn case(&mut self, case: &Case) -> Vec<String> {
        match self.try_case(case).await {
            Ok(wrong) => wrong,
            Err(error) => vec![error],
        }
    }

    async fn try_case(&mut self, case: &Case) -> Result<Vec<String>, String> {
        let report = report(&case.given, std::slice::from_ref(&case.run), self.major, case.partial);
        let mut wrong = Vec::new();
        let replacing: Vec<&Finding> =
            report.findings.iter().filter(|finding| REPLACING.contains(&finding.rule.name)).collect();
        let without = replacing.iter().filter(|finding| finding.advice.steps.is_empty());
        if !case.text_only {
            wrong.extend(without.map(|finding| format!("{} has no steps: {}", finding.rule, finding.message)));
            if replacing.is_empty() && !report.findings.iter().any(|finding| finding.rule.name == "may-fail-on-rows") {
                let rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule.name).collect();
                wrong.push(format!("nothing to advise, only {rules:?}"));
            }
        }
        // Findings on one statement all tell how to replace the whole of it.
        let mut lists: Vec<&[FixStep]> = replacing.iter().map(|finding| finding.advice.steps.as_slice()).collect();
        lists.dedup();
        let steps: Vec<FixStep> = lists.concat();
        if !steps.is_empty() {
            wrong.extend(self.steps(case, &steps).await?);
            wrong.extend(self.quiet(case, &steps));
            wrong.extend(self.with_clients(case, &steps).await?);
        }
        for finding in report.findings.iter().filter(|finding| !REPLACING.contains(&finding.rule.name)) {
            wrong.extend(self.beside(case, finding).await?);
        }
        wrong.extend(self.queries(case, &report).await?);
        self.tally.findings += report.findings.iter().filter(|finding| !finding.advice.steps.is_empty()).count();
        Ok(wrong)
    }

    /// The steps leave what the migration leaves.
    async fn steps(&mut self, case: &Case, steps: &[FixStep]) -> Result<Vec<String>, String> {
        let session = self.fresh(&case.given).await?;
        // Rows that are there make some migrations fail: then only the steps must succeed.
        let expected = match statements(&session, &case.run).await {
            Ok(()) => {
                meanwhile(&session, case, steps.len()).await?;
                Some(catalog::describe(&session, &case.differs).await)
            }
            Err(_) => None,
        };
        session.close().await;
        let mut wrong = Vec::new();
        let any = steps.iter().any(|step| step.transaction == StepTransaction::Any);
        for block in [true, false].into_iter().filter(|block| *block || any) {
            let session = self.fresh(&case.given).await?;
            statements(&session, &case.rest).await.map_err(|error| format!("rest: {error}"))?;
            for (at, step) in steps.iter().enumerate() {
                self.tally.steps += 1;
                run_step(&session, step, block).await.map_err(|error| refused(steps, at, &error))?;
                let written = write(&session, &case.meanwhile, at).await;
                written.map_err(|error| refused(steps, at, &format!("clients: {error}")))?;
            }
            let found = catalog::describe(&session, &case.differs).await;
            if let Some(expected) = &expected {
                wrong.extend(difference(expected, &found, steps));
            }
            session.close().await;
        }
        Ok(wrong)
    }

    /// No client fails that works while the steps run, over and over in a session of its own. Where a deploy begins the clients are
    /// others: what the step waits for is that none of these is left.
    async fn with_clients(&mut self, case: &Case, steps: &[FixStep]) -> Result<Vec<String>, String> {
        if case.meanwhile.trim().is_empty() {
            return Ok(Vec::new());
        }
        let session = self.fresh(&case.given).await?;
        statements(&session, &case.rest).await.map_err(|error| format!("rest: {error}"))?;
        let border = steps.iter().position(|step| step.code_before.is_some()).unwrap_or(steps.len());
        let client = self.connect().await;
        let is_done = Cell::new(false);
        let clients = async {
            let (mut errors, mut number) = (Vec::new(), 0);
            while !is_done.get() && number < 2000 {
                number += 1;
                if let Err(error) = write(&client, &case.meanwhile, 10_000 + number).await {
                    errors.push(error);
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            (errors, number)
        };
        let work = async {
            let mut outcome = Ok(());
            for (at, step) in steps[..border].iter().enumerate() {
                outcome = run_step(&session, step, true).await.map_err(|error| refused(steps, at, &error));
                if outcome.is_err() {
                    break;
                }
            }
            is_done.set(true);
            outcome
        };
        let ((mut errors, number), outcome) = tokio::join!(clients, work);
        self.tally.beside += number;
        errors.dedup();
        let wrong = errors.iter().map(|error| format!("a client beside the steps fails: {error}\n{}", print(steps)));
        let mut wrong: Vec<String> = wrong.collect();
        wrong.extend(outcome.err().map(|error| format!("beside clients: {error}")));
        client.close().await;
        session.close().await;
        Ok(wrong)
    }

    /// What the steps do is not what pgassay warns of.
    fn quiet(&self, case: &Case, steps: &[FixStep]) -> Vec<String> {
        let migrations: Vec<String> = steps.iter().map(as_migration).collect();
        let base = format!("{}\n{}", case.given, case.rest);
        let report = report(&base, &migrations, self.major, case.partial);
        let bad = report.findings.iter().filter(|finding| {
            finding.severity == Severity::Error && matches!(finding.category, Category::Blocking | Category::Failing)
                || finding.rule.name == "unreadable-statement"
        });
        bad.map(|finding| format!("{} on a step: {}\n{}", finding.rule, finding.message, print(steps))).collect()
    }

    /// Steps that go with the migration, or after it, are at least accepted.
    async fn beside(&mut self, case: &Case, finding: &Finding) -> Result<Vec<String>, String> {
        if finding.advice.steps.is_empty() {
            return Ok(Vec::new());
        }
        let session = self.fresh(&case.given).await?;
        // What a schema lacks is added to what the migration leaves.
        let adds = matches!(finding.rule.check(), Some(rules::Check::Schema(..)));
        if adds || finding.rule.name == "validate-in-same-transaction" {
            statements(&session, &case.run).await?;
        }
        for (at, step) in finding.advice.steps.iter().enumerate() {
            self.tally.steps += 1;
            // Rows that have to be settled before the next step can run.
            if step.sql.starts_with("SELECT") && shows_rows(&session, &step.sql).await? {
                break;
            }
            let done = run_step(&session, step, true).await;
            done.map_err(|error| format!("{}: {}", finding.rule, refused(&finding.advice.steps, at, &error)))?;
        }
        session.close().await;
        Ok(Vec::new())
    }

    /// The queries return rows exactly when the migration fails.
    async fn queries(&mut self, case: &Case, report: &Report) -> Result<Vec<String>, String> {
        let queries: Vec<&str> = report
            .findings
            .iter()
            .filter(|finding| finding.rule.name == "may-fail-on-rows")
            .flat_map(|finding| finding.advice.steps.iter().map(|step| step.sql.as_str()))
            .collect();
        let mut wrong = Vec::new();
        // What fails whatever the rows are tells nothing of the queries.
        let refused = report.findings.iter().any(|finding| finding.rule.name == "refused-statement");
        if refused || (queries.is_empty() && case.breaks.is_empty()) {
            return Ok(wrong);
        }
        for rows in ["", &case.breaks] {
            let session = self.fresh(&case.given).await?;
            statements(&session, rows).await.map_err(|error| format!("breaks: {error}"))?;
            let mut hits = false;
            for query in &queries {
                self.tally.queries += 1;
                let answer = session.simple_query(query).await;
                let answer = answer.map_err(|error| format!("{query}\n  refused: {}", message(&error)))?;
                hits |= answer.iter().any(|message| matches!(message, SimpleQueryMessage::Row(_)));
            }
            let outcome = statements(&session, &case.run).await;
            if hits != outcome.is_err() {
                wrong.push(format!(
                    "{queries:?} {} rows, and the migration: {outcome:?}",
                    if hits { "return" } else { "return no" }
                ));
            }
            session.close().await;
            if case.breaks.is_empty() {
                break;
            }
        }
        Ok(wrong)
    }
}

async fn shows_rows(session: &Session, query: &str) -> Result<bool, String> {
    let answer = session.simple_query(query).await.map_err(|error| format!("{query}: {}", message(&error)))?;
    Ok(answer.iter().any(|message| matches!(message, SimpleQueryMessage::Row(_))))
}

/// Each statement by itself, as a plain file runs.
async fn statements(session: &Session, sql: &str) -> Result<(), String> {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("case", sql));
    let script = pgassay::sql::read_script(file, sources.file(file));
    for statement in &script.statements {
        let text = sources.slice(statement.span);
        let done = session.batch_execute(text).await;
        if let Err(error) = done {
            let _ = session.batch_execute("ROLLBACK").await;
            return Err(format!("{text}\n  {}", message(&error)));
        }
    }
    Ok(())
}

/// A batch is repeated until it changes no row.
async fn run_step(session: &Session, step: &FixStep, any_in_block: bool) -> Result<(), String> {
    let block = match step.transaction {
        StepTransaction::Own => true,
        StepTransaction::Any => any_in_block,
        StepTransaction::None => false,
    };
    for _ in 0..20 {
        if block {
            session.batch_execute("BEGIN").await.map_err(|error| message(&error))?;
        }
        let outcome = session.simple_query(&step.sql).await;
        if block {
            let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
            session.batch_execute(end).await.map_err(|error| message(&error))?;
        }
        let answer = outcome.map_err(|error| message(&error))?;
        let changed = answer.iter().map(|message| match message {
            SimpleQueryMessage::CommandComplete(rows) => *rows,
            _ => 0,
        });
        if !step.repeat || changed.sum::<u64>() == 0 {
            return Ok(());
        }
    }
    Err("the batch never comes to an end".to_owned())
}

async fn meanwhile(session: &Session, case: &Case, steps: usize) -> Result<(), String> {
    for at in 0..steps {
        write(session, &case.meanwhile, at).await.map_err(|error| format!("meanwhile: {error}"))?;
    }
    Ok(())
}

async fn write(session: &Session, sql: &str, at: usize) -> Result<(), String> {
    session.batch_execute(&sql.replace(":n", &(1000 + at).to_string())).await.map_err(|error| message(&error))
}

/// A step as a file of its own.
fn as_migration(step: &FixStep) -> String {
    match step.transaction {
        StepTransaction::None => step.sql.clone(),
        _ => format!("BEGIN;\nSET LOCAL lock_timeout = '2s';\n{}\nCOMMIT;", step.sql),
    }
}

fn difference(expected: &BTreeSet<String>, found: &BTreeSet<String>, steps: &[FixStep]) -> Option<String> {
    let missing = expected.difference(found).map(|line| format!("  - {line}"));
    let added = found.difference(expected).map(|line| format!("  + {line}"));
    let lines: Vec<String> = missing.chain(added).collect();
    (!lines.is_empty()).then(|| format!("the steps leave something else:\n{}\n{}", lines.join("\n"), print(steps)))
}

fn refused(steps: &[FixStep], at: usize, error: &str) -> String {
    format!("step {} is refused: {error}\n{}", at + 1, print(steps))
}

fn print(steps: &[FixStep]) -> String {
    steps.iter().map(|step| format!("    {} -- {:?}", step.sql, step.transaction)).collect::<Vec<_>>().join("\n")
}

fn message(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{} {}", error.code().code(), error.message()),
        None => error.to_string(),
    }
}
