//! Judging a list of migrations: parse, replay, ask the rules, apply the allow comments.
//!
//! In: migrations and the files they stand in. Out: a [`Report`]. Does no I/O; the same input gives the same report.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::change::Change;
use crate::finding::{Advice, Evidence, Finding, Severity};
use crate::history::{self, Completeness, History, MigrationRun, Options, Unit, decide_completeness, separate};
use crate::migration::{Direction, Migration};
use crate::report::{Report, StatementRecord};
use crate::rules::{self, Suppressions, read_suppressions};
use crate::schema::Schema;
use crate::sql::{FileId, Script, Sources, read_section};
use crate::version::PgVersion;

/// What to judge.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// What exists before: read, not judged. That of a folder is before the migrations of that folder.
    pub base: Vec<Migration>,
    /// In the order in which they run. Those of one folder are one history: they do not see what another folder's make.
    pub migrations: Vec<Migration>,
    pub version: PgVersion,
    pub completeness: Completeness,
    /// An unreadable statement is an error.
    pub strict: bool,
}

/// Judges every migration of the job.
pub fn check(job: &Job, sources: &Sources) -> Report {
    let mut report = Report::new(job.version);
    for history in separate(&job.base, &job.migrations) {
        check_history(job, &history, sources, &mut report);
    }
    report.statements.sort_by_key(|statement| statement.span.file);
    report.findings.sort_by_key(|finding| (finding.span.file, finding.span.start, std::cmp::Reverse(finding.severity)));
    report.count(job.migrations.iter().map(|migration| migration.file));
    report
}

fn check_history(job: &Job, history: &History, sources: &Sources, report: &mut Report) {
    let base = read(&history.base, sources, false);
    let units = read(&history.migrations, sources, true);
    let schema = schema_before(job, &base, &units);
    let mut suppressions = suppressions(&units, sources);
    let options = Options { version: job.version, one_deploy: false };
    history::replay(&units, schema, options, |run| judge(&run, job, sources, &mut suppressions, report));
    report.findings.extend(suppressions.values().flat_map(Suppressions::complaints));
}

/// Parses the sections of migrations, in parallel.
pub fn read(migrations: &[Migration], sources: &Sources, judged: bool) -> Vec<Unit> {
    let unit = |migration: &Migration| {
        let source = sources.file(migration.file);
        let scripts = migration.sections.iter().map(|section| read_section(source, section.span)).collect();
        Unit { migration: migration.clone(), scripts, judged }
    };
    migrations.par_iter().map(unit).collect()
}

fn schema_before(job: &Job, base: &[Unit], units: &[Unit]) -> Schema {
    let empty = Schema::new(true);
    let options = Options { version: job.version, one_deploy: false };
    // A base says what exists, unless it is itself the tail of something.
    let mut schema = history::replay(base, empty, options, |_| {});
    schema.complete = match job.completeness {
        Completeness::Complete => true,
        Completeness::Partial => false,
        Completeness::Auto if !base.is_empty() => schema.complete,
        Completeness::Auto => decide_completeness(units, &schema, job.version),
    };
    schema
}

/// The allow comments of every file; a file can hold several migrations.
fn suppressions(units: &[Unit], sources: &Sources) -> BTreeMap<FileId, Suppressions> {
    let mut scripts: BTreeMap<FileId, Vec<&Script>> = BTreeMap::new();
    for unit in units {
        scripts.entry(unit.migration.file).or_default().extend(&unit.scripts);
    }
    scripts.into_iter().map(|(file, scripts)| (file, read_suppressions(sources.file(file), scripts))).collect()
}

fn judge(
    run: &MigrationRun,
    job: &Job,
    sources: &Sources,
    suppressions: &mut BTreeMap<FileId, Suppressions>,
    report: &mut Report,
) {
    let mut findings = match run.migration.direction {
        Direction::Up => rules::check(run, sources),
        // A way back is judged by what it destroys.
        Direction::Down => {
            let mut findings = rules::check(run, sources);
            findings.retain(|finding| finding.category == crate::finding::Category::DataLoss);
            findings
        }
    };
    findings.extend(unreadable(run, job.strict));
    findings.extend(dynamic(run));
    if let Some(suppressions) = suppressions.get_mut(&run.migration.file) {
        findings = suppressions.allow(findings);
    }
    report.findings.extend(findings);
    report.statements.extend(records(run));
}

fn unreadable(run: &MigrationRun, strict: bool) -> Vec<Finding> {
    let unread = run.steps.iter().filter_map(|step| step.statement.change.as_ref().err());
    unread
        .map(|error| {
            let mut finding = rules::migration::UNREADABLE_STATEMENT.finding(error.span, format!("could not be read: {error}"));
            if strict {
                finding.severity = Severity::Error;
            }
            finding.evidence.push(Evidence::assumed("the statement is not judged; everything else in the file is"));
            finding.advice = Advice::text(
                "If the server refuses it too, mend it. If the server accepts it, please report the form, and allow the finding once you have looked at the statement.",
            );
            finding
        })
        .collect()
}

fn dynamic(run: &MigrationRun) -> Vec<Finding> {
    let blocks = run.steps.iter().filter_map(|step| match step.change() {
        Some(Change::Do(block)) => block.dynamic.first().map(|first| (*first, block.dynamic.len())),
        _ => None,
    });
    blocks
        .map(|(first, number)| {
            let message = match number {
                1 => "runs a statement whose text is only known when it runs".to_owned(),
                many => format!("runs {many} statements whose text is only known when they run"),
            };
            let mut finding = rules::migration::DYNAMIC_STATEMENT.finding(first, message);
            finding.evidence.push(Evidence::assumed("nothing is known of what it does"));
            finding.advice =
                Advice::text("Write the statement out where its text does not depend on data, or look at it yourself.");
            finding
        })
        .collect()
}

/// One record a statement of the file; what a DO block's statements do is in the block's.
fn records(run: &MigrationRun) -> impl Iterator<Item = StatementRecord> {
    let top = run.steps.iter().filter(|step| step.block.is_none());
    top.map(|step| StatementRecord {
        span: step.span(),
        changes: step.change().map(Change::names).unwrap_or_default(),
        conditional: step.conditional,
        effect: step.prediction.effect.clone(),
    })
}
