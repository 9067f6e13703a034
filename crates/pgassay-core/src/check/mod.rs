//! Judging a list of migrations: parse, replay, ask the rules, apply the allow comments.
//!
//! In: migrations and the files they stand in. Out: a [`Report`]. Does no I/O; the same input gives the same report.

#[cfg(test)]
mod alarm_tests;
mod areas;
#[cfg(test)]
mod call_tests;
mod impact;
#[cfg(test)]
mod judged;
#[cfg(test)]
mod loss_tests;
mod lots;
mod other_server;
mod resume;

pub use resume::{Beginning, begin, check_after};

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::change::{Change, Name, Unreadable, UnreadableKind};
use crate::config::Settings;
use crate::facts::Live;
use crate::finding::{Advice, Category, Cause, Evidence, FailureWhen, Finding, Severity};
use crate::history::{self, Completeness, History, MigrationRun, Options, Replayer, Unit, read, separate};
use crate::migration::{Age, Direction, Migration};
use crate::report::{Impact, Observed, Report, StatementRecord};
use crate::rules;
use crate::schema::Schema;
use crate::source::{FileId, Sources, Span};

use crate::stack::with_stack;
use crate::version::PgVersion;

use lots::Lots;

/// What to judge.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// What exists before: read, not judged. That of a folder is before the migrations of that folder.
    pub base: Vec<Migration>,
    /// In the order in which they run. Those of one folder are one history: they do not see what another folder's make.
    pub migrations: Vec<Migration>,
    pub version: PgVersion,
    pub completeness: Completeness,
    /// The new migrations go out together, behind all that ran before. Otherwise each migration is a deploy of its own.
    pub one_deploy: bool,
    /// What was found around the migrations before any of them was read as SQL.
    pub findings: Vec<Finding>,
    /// An unreadable statement is an error.
    pub strict: bool,
    /// What the configuration says of findings.
    pub settings: Settings,
    /// The database that the migrations will run on: its schema is what exists, and `base` is not read.
    pub live: Option<Live>,
}

/// Runs what is judged somewhere else, and corrects what was found by what it saw.
pub trait Observer {
    /// A history begins: what exists before it.
    fn begin(&mut self, base: &[Unit], sources: &Sources);

    /// The next migration. `findings` are those of the rules if it is judged, else there are none and nothing is wanted.
    /// Returns what the statements did, by the index of their step.
    fn migration(
        &mut self,
        run: &MigrationRun,
        sources: &Sources,
        findings: &mut Vec<Finding>,
    ) -> BTreeMap<usize, Observed>;

    /// The history has ended; the last findings about it.
    fn end(&mut self, sources: &Sources) -> Vec<Finding>;
}

/// Judges every migration of the job.
pub fn check(job: &Job, sources: &Sources) -> Report {
    check_observed(job, sources, None)
}

/// As [`check`], with an observer beside it.
pub fn check_observed(job: &Job, sources: &Sources, observer: Option<&mut dyn Observer>) -> Report {
    let mut report = Report::new(job.version);
    let histories = separate(&job.base, &job.migrations);
    let parts: Vec<Report> = match observer {
        Some(observer) => {
            let check = |history| with_stack(|| check_history(job, history, sources, Some(observer)));
            histories.into_iter().map(check).collect()
        }
        None => histories.into_par_iter().map(|it| with_stack(|| check_history(job, it, sources, None))).collect(),
    };
    // A report that grows step by step is in memory twice where it is longest.
    report.findings.reserve_exact(parts.iter().map(|part| part.findings.len()).sum());
    report.statements.reserve_exact(parts.iter().map(|part| part.statements.len()).sum());
    parts.into_iter().for_each(|part| report.absorb(part));
    settle(job, &mut report, sources);
    report
}

/// Hears the configuration, sorts, and counts.
fn settle(job: &Job, report: &mut Report, sources: &Sources) {
    job.settings.apply(&mut report.findings, sources);
    report
        .findings
        .sort_by_cached_key(|finding| (finding.span.file, finding.span.start, std::cmp::Reverse(finding.severity)));
    report.count(job.migrations.iter().filter(|migration| migration.is_judged()).map(|migration| migration.file));
}

fn check_history(
    job: &Job,
    mut history: History,
    sources: &Sources,
    mut observer: Option<&mut dyn Observer>,
) -> Report {
    let mut report = Report::new(job.version);
    let mut around = around(job, &history);
    if job.one_deploy {
        // So they run where all others have run.
        history.migrations.sort_by_key(|migration| migration.age == Age::New);
    }
    let base = if job.live.is_some() { Vec::new() } else { read(&history.base, sources, false) };
    let mut lots = Lots::new(&history.migrations, &around, sources);
    let schema = schema_before(job, &base, &history.migrations, &mut lots);
    let options = Options { version: job.version, one_deploy: job.one_deploy, older_steps: observer.is_some() };
    if let Some(observer) = &mut observer {
        observer.begin(&base, sources);
    }
    drop(base);
    let mut replayer = Replayer::new(schema, options);
    let all = match &mut observer {
        Some(observer) => judge_observed(job, &mut lots, &mut replayer, sources, *observer),
        None => judge_all(job, &mut lots, &mut replayer, sources),
    };
    if let Some(observer) = &mut observer {
        around.extend(observer.end(sources));
    }
    hear(&mut report, all, around, lots, &history.migrations);
    report
}

/// Takes what was found into the report, but for what allow comments allow, and what is wrong with those.
fn hear(report: &mut Report, all: Vec<Judged>, mut around: Vec<Finding>, lots: Lots, migrations: &[Migration]) {
    let mut suppressions = lots.suppressions();
    for judged in all {
        report.mostly_unread.extend(judged.mostly_unread);
        let findings = match suppressions.get_mut(&judged.file) {
            Some(suppressions) => suppressions.allow(judged.findings),
            None => judged.findings,
        };
        report.findings.extend(findings);
        report.statements.extend(judged.statements);
    }
    for (file, suppressions) in &mut suppressions {
        let (here, rest) = around.into_iter().partition(|finding| finding.span.file == *file);
        around = rest;
        report.findings.extend(suppressions.allow(here));
        let judged = |complaint: &Finding| is_judged(complaint.span, migrations);
        report.findings.extend(suppressions.complaints().into_iter().filter(judged));
    }
    report.findings.extend(around);
}

/// What is wrong with the history itself, whatever its SQL does.
fn around(job: &Job, history: &History) -> Vec<Finding> {
    let is_here = |finding: &&Finding| history.migrations.iter().any(|migration| migration.file == finding.span.file);
    let mut findings: Vec<Finding> = job.findings.iter().filter(is_here).cloned().collect();
    if job.one_deploy {
        findings.extend(rules::migration::out_of_order_migration::check(&history.migrations));
    }
    findings
}

/// Whether a place is in a migration that is judged, rather than in an older one of the same file.
fn is_judged(place: Span, migrations: &[Migration]) -> bool {
    let sections = |judged: bool| {
        let those = migrations.iter().filter(move |migration| migration.is_judged() == judged);
        those.flat_map(|migration| &migration.sections).any(|section| section.span.contains(place))
    };
    sections(true) || !sections(false)
}

fn schema_before(job: &Job, base: &[Unit], migrations: &[Migration], lots: &mut Lots) -> Schema {
    if let Some(live) = &job.live {
        let mut schema = live.schema.clone();
        schema.complete &= job.completeness != Completeness::Partial;
        return schema;
    }
    let mut empty = Schema::new(true);
    let all = base.iter().map(|unit| &unit.migration).chain(migrations);
    let tables = all.flat_map(|migration| migration.framework.own_tables());
    empty.outside.extend(tables.map(|table| Name::from(*table)));
    let options = Options { version: job.version, one_deploy: false, older_steps: false };
    // A base says what exists, unless it is itself the tail of something.
    let mut schema = history::replay(base, empty, options, |_| {});
    schema.complete = match job.completeness {
        Completeness::Complete => true,
        Completeness::Partial => false,
        Completeness::Auto if !base.is_empty() => schema.complete,
        Completeness::Auto => lots.decide_completeness(&schema, job.version),
    };
    schema.vouched = schema.complete && (job.completeness == Completeness::Complete || !base.is_empty());
    schema
}

/// What was found in one migration, before its allow comments are heard.
struct Judged {
    file: FileId,
    findings: Vec<Finding>,
    statements: Vec<StatementRecord>,
    /// The place of the finding that most of it could not be read.
    mostly_unread: Option<Span>,
}

/// Migrations that may be replayed and not yet judged.
const MOST_WAITING: usize = 12;

/// Replays and judges the migrations, some at a time; meanwhile the next are read.
fn judge_all(job: &Job, lots: &mut Lots, replayer: &mut Replayer, sources: &Sources) -> Vec<Judged> {
    let mut all = Vec::new();
    let mut lot = lots.next();
    while let Some(units) = lot {
        let (judged, next) = rayon::join(|| judge_lot(job, &units, replayer, sources), || lots.next());
        all.extend(judged);
        lot = next;
    }
    all
}

/// Replays the migrations one after the other, and judges those that are done meanwhile.
fn judge_lot(job: &Job, units: &[Unit], replayer: &mut Replayer, sources: &Sources) -> Vec<Judged> {
    let judged = Mutex::new(BTreeMap::new());
    let waiting = AtomicUsize::new(0);
    rayon::in_place_scope(|scope| {
        for (place, unit) in units.iter().enumerate() {
            let run = replayer.run(unit);
            if !run.judged {
                continue;
            }
            let (judged, waiting) = (&judged, &waiting);
            let work = move || {
                // With the run itself, so that it is dropped there too.
                let found = with_stack(move || judge(run, job, sources, None));
                judged.lock().unwrap_or_else(PoisonError::into_inner).insert(place, found);
                waiting.fetch_sub(1, Ordering::Relaxed);
            };
            // A run that waits keeps its schemas: where many do, the next is judged before anything else is replayed.
            if waiting.fetch_add(1, Ordering::Relaxed) < MOST_WAITING {
                scope.spawn(move |_| work());
            } else {
                work();
            }
        }
    });
    judged.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

/// Replays the migrations and lets the observer run each, one after the other.
fn judge_observed(
    job: &Job,
    lots: &mut Lots,
    replayer: &mut Replayer,
    sources: &Sources,
    observer: &mut dyn Observer,
) -> Vec<Judged> {
    let mut all = Vec::new();
    while let Some(units) = lots.next() {
        for unit in &units {
            let run = replayer.run(unit);
            if run.judged {
                all.push(judge(run, job, sources, Some(observer)));
            } else {
                observer.migration(&run, sources, &mut Vec::new());
            }
        }
    }
    all
}

fn judge(run: MigrationRun, job: &Job, sources: &Sources, observer: Option<&mut dyn Observer>) -> Judged {
    let mut findings = rules::check(&run, sources, &job.settings.options, &job.settings.areas, job.live.as_ref());
    findings.extend(rules::migration::ended_transaction::check(&run));
    if run.migration.direction == Direction::Down {
        // A way back is judged by what it destroys.
        findings.retain(|finding| finding.category == Category::DataLoss);
    }
    let unread = unreadable(&run, job.strict, sources);
    let mostly_unread = unread.whole;
    findings.extend(unread.findings);
    findings.extend(dynamic(&run));
    let observed = match observer {
        Some(observer) => observer.migration(&run, sources, &mut findings),
        None => BTreeMap::new(),
    };
    areas::mark(&job.settings.areas, &mut findings, &run);
    findings.iter_mut().for_each(Finding::shrink);
    let impacts = impact::of_run(&run, &job.settings.options, job.live.as_ref(), sources);
    Judged { file: run.migration.file, findings, statements: records(run, impacts, observed), mostly_unread }
}

/// What is said of statements that could not be read.
struct Unread {
    findings: Vec<Finding>,
    /// Where most of the migration could not be read: the place of a finding that says so.
    whole: Option<Span>,
}

fn unreadable(run: &MigrationRun, strict: bool, sources: &Sources) -> Unread {
    let unread: Vec<_> = run.steps.iter().filter_map(|step| step.statement.change.as_ref().err()).collect();
    match mostly_unreadable(run, &unread, sources) {
        Some(finding) => Unread { whole: Some(finding.span), findings: vec![finding] },
        None => Unread { findings: each_unreadable(run, strict, sources), whole: wholly_unread(run) },
    }
}

/// The first statement of a migration of which none could be read.
fn wholly_unread(run: &MigrationRun) -> Option<Span> {
    let mut all = run.steps.iter().filter(|step| step.block.is_none()).peekable();
    let unread = |error: &Unreadable| (error.kind == UnreadableKind::Text).then_some(error.span);
    let first = all.peek().and_then(|step| unread(step.statement.change.as_ref().err()?))?;
    all.all(|step| step.statement.change.as_ref().is_err_and(|error| error.kind == UnreadableKind::Text))
        .then_some(first)
}

fn each_unreadable(run: &MigrationRun, strict: bool, sources: &Sources) -> Vec<Finding> {
    run.steps
        .iter()
        .filter_map(|step| Some((step, step.statement.change.as_ref().err().cloned().or_else(|| unread_body(step))?)))
        .map(|(step, error)| {
            let error = &error;
            if matches!(error.kind, UnreadableKind::Refused | UnreadableKind::Invalid) {
                return refused(run, error);
            }
            let mut finding = rules::migration::UNREADABLE_STATEMENT.finding(error.span, format!("could not be read: {error}"));
            if strict {
                finding.severity = Severity::Error;
            }
            finding.evidence.push(Evidence::assumed("the statement is not judged; everything else in the file is"));
            let around = if step.span().file == error.span.file { step.span().to(error.span) } else { error.span };
            finding.evidence.extend(unseen_character(sources.slice(around)).map(Evidence::declared));
            finding.advice = Advice::text(
                "If the server rejects it too, fix it. If the server accepts it, please report the statement, and allow the finding after a look at what it does.",
            );
            finding
        })
        .collect()
}

/// What of the body of a new routine could not be read: the server reads it when it makes the routine.
fn unread_body(step: &history::Step) -> Option<Unreadable> {
    let Ok(Change::CreateRoutine(create)) = &step.statement.change else { return None };
    if !step.session.check_function_bodies || step.conditional {
        return None;
    }
    let read = match create.language.as_str() {
        "plpgsql" => crate::sql::read_routine_body("plpgsql", &create.body, &[], create.body_span)?.statements,
        _ => create.statements.clone(),
    };
    read.into_iter().find_map(|statement| statement.change.err())
}

/// What is written for another reader than the server, or what no server reads.
fn refused(run: &MigrationRun, error: &Unreadable) -> Finding {
    let mut finding = rules::migration::REFUSED_STATEMENT.finding(error.span, format!("fails: {error}"));
    finding.cause = Some(Cause::Failure { when: FailureWhen::Always });
    if error.kind == UnreadableKind::Refused {
        finding.evidence.push(Evidence::declared(format!("{} sends the file's text", run.migration.framework)));
        finding.advice = Advice::text("Take the command out, or run the file with psql.");
    } else {
        finding.evidence.push(Evidence::declared("no version of PostgreSQL reads it"));
    }
    finding
}

/// A character that does not show, or looks like a blank: to the server, any that is not ASCII is a letter (`ident_start`, scan.l).
fn unseen_character(text: &str) -> Option<String> {
    let is_unseen = |it: &char| {
        !it.is_ascii() && (it.is_whitespace() || matches!(it, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'))
    };
    let found = text.chars().find(is_unseen)?;
    let name = match found {
        '\u{a0}' => ", a no-break space,",
        '\u{200b}' => ", a space of no width,",
        '\u{feff}' => ", a byte order mark,",
        _ => "",
    };
    Some(format!("U+{:04X}{name} is in it, and PostgreSQL takes it for a letter of a name", u32::from(found)))
}

/// One error for a migration most of which could not be read: what is left of it is no verdict.
fn mostly_unreadable(run: &MigrationRun, unread: &[&Unreadable], sources: &Sources) -> Option<Finding> {
    let unread: Vec<_> =
        unread.iter().filter(|error| matches!(error.kind, UnreadableKind::Text | UnreadableKind::Invalid)).collect();
    let first = unread.first()?;
    let all = run.steps.iter().filter(|step| step.block.is_none()).count();
    let texts: String = run.migration.sections.iter().map(|section| sources.slice(section.span)).collect();
    let server = other_server::looks_like(&texts);
    // One statement by itself may be a form that is not known yet.
    if unread.len() * 2 <= all || (all < 2 && server.is_none()) {
        return None;
    }
    let like = server.map(|server| format!(": it looks like {server}")).unwrap_or_default();
    let message = format!("{} of {all} statements could not be read as PostgreSQL's{like}", unread.len());
    let mut finding = rules::migration::UNREADABLE_STATEMENT.finding(first.span, message);
    finding.severity = Severity::Error;
    finding.evidence.push(Evidence::assumed(format!("the first: {first}; what could not be read is not judged")));
    finding.advice = Advice::text(match server {
        Some(_) => "Leave the file out: name the folders to read, or set `paths` in pgassay.toml.",
        None => {
            "Check which tool runs the file and what language it is in; if the server accepts it, please report the forms."
        }
    });
    Some(finding)
}

fn dynamic(run: &MigrationRun) -> Vec<Finding> {
    let texts = run.steps.iter().filter_map(|step| {
        let first = step.dynamic.iter().find(|it| it.removes.is_some()).or(step.dynamic.first())?;
        Some((first, step.dynamic.len(), if step.is_block() { "runs" } else { "calls a routine that runs" }))
    });
    texts
        .map(|(first, number, runs)| {
            let begins = first.removes.as_ref().map(|words| format!(", and begins with {words}")).unwrap_or_default();
            let message = match number {
                1 => format!("{runs} a statement whose text is only known when it runs{begins}"),
                many if first.removes.is_some() => format!(
                    "{runs} {many} statements whose text is only known when they run; one begins with {}",
                    first.removes.as_deref().unwrap_or_default()
                ),
                many => format!("{runs} {many} statements whose text is only known when they run"),
            };
            let mut finding = rules::migration::DYNAMIC_STATEMENT.finding(first.place, message);
            if first.removes.is_none() {
                finding.severity = Severity::Info;
            }
            finding.evidence.push(Evidence::assumed("nothing is known of what it does"));
            finding.advice =
                Advice::text("Write the statement out where its text does not depend on data, or look at it yourself.");
            finding
        })
        .collect()
}

fn sent_alone(migration: &Migration, place: Span) -> bool {
    let section = migration.sections.iter().find(|section| section.span.contains(place));
    section.is_some_and(|section| !section.transaction.is_one_string())
}

/// One record a statement of the file; what a DO block's statements do is in the block's.
fn records(run: MigrationRun, impacts: Vec<Impact>, mut observed: BTreeMap<usize, Observed>) -> Vec<StatementRecord> {
    let migration: Arc<str> = run.migration.name.as_str().into();
    let own = run.migration;
    let top = run.steps.into_iter().enumerate().filter(|(_, step)| step.block.is_none());
    top.zip(impacts)
        .map(|((index, step), impact)| StatementRecord {
            observed: observed.remove(&index).map(Box::new),
            span: step.span(),
            migration: migration.clone(),
            transaction: step.transaction,
            commits_alone: step.transaction.is_none() && sent_alone(own, step.span()),
            changes: step.change().map(Change::names).unwrap_or_default(),
            conditional: step.conditional,
            effect: step.prediction.effect.into(),
            impact,
        })
        .collect()
}
