//! `pgassay check`: gate migrations.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use pgassay::check::Job;
use pgassay::collect::{CollectOptions, Collected, collect};
use pgassay::db::{Database, applied};
use pgassay::facts::Values;
use pgassay::finding::Severity;
use pgassay::git::Repository;
use pgassay::migration::{Coverage, Direction, Framework, Migration};
use pgassay::report::{Report, View};
use pgassay::run::Made;
use pgassay::source::{Sources, Span};
use pgassay::version::PgVersion;

use super::database::DatabaseArguments;
use super::format::{FormatArguments, show, show_failure};
use super::in_force::{InForce, Origin, Settable};
use super::prove::Proof;
use super::recorded::RunArguments;
use super::selection::Selection;
use super::{Outcome, output};

/// Judge migrations: locks, rewrites, long scans, broken clients, lost data, statements that will fail
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing at or above --fail-on; 1 findings; 2 the run itself failed (bad arguments, unreadable files)."
)]
pub struct Arguments {
    #[command(flatten)]
    settable: Settable,

    /// Judge the down migrations too, by what they destroy
    #[arg(long)]
    down: bool,

    /// Exit with 0 where no migration was found
    #[arg(long)]
    allow_empty: bool,

    /// Read this file's text from standard input, and judge it with the migrations of its folder that run before it; it need not be saved
    #[arg(long, value_name = "FILE", conflicts_with = "staged")]
    stdin_filename: Option<PathBuf>,

    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    run: RunArguments,

    #[command(flatten)]
    database: DatabaseArguments,

    #[command(flatten)]
    format: FormatArguments,

    /// In text: how many findings there are of each rule, and the worst in a line each
    #[arg(long, conflicts_with_all = ["full", "verbose"])]
    summary: bool,

    /// In text: every finding, also where there are many and the past was never judged before
    #[arg(long)]
    full: bool,

    #[command(flatten)]
    proof: Proof,
}

impl Arguments {
    fn view(&self) -> View {
        match (self.summary, self.full) {
            (true, _) => View::Summary,
            (_, true) => View::Full,
            _ => View::Auto,
        }
    }
}

pub fn run(mut arguments: Arguments) -> anyhow::Result<Outcome> {
    let in_force = arguments.settable.resolve(arguments.format.name());
    if in_force.as_ref().is_ok_and(|in_force| in_force.run.value.is_some()) {
        // What was recorded is there to be watched: its effects are observed.
        arguments.proof.prove_too();
    }
    let format = in_force.as_ref().map_or(arguments.format.name().unwrap_or("text"), |in_force| in_force.format.value);
    let mut sources = Sources::default();
    let judged = in_force.and_then(|in_force| judge(&arguments, in_force, &mut sources));
    let Judged { report, limit } = match judged {
        Ok(judged) => judged,
        Err(error) => {
            show_failure(&arguments.format, format, &error)?;
            return Err(error);
        }
    };
    show(&arguments.format, format, arguments.view(), limit, &report, &sources)?;
    let outcome = match outcome(limit, &report) {
        Outcome::Clean if arguments.proof.fails(&report) => Outcome::Findings,
        outcome => outcome,
    };
    output::leave((report, sources));
    Ok(outcome)
}

/// A report, and the least severity that fails the run.
struct Judged {
    report: Report,
    limit: Option<Severity>,
}

fn judge(arguments: &Arguments, in_force: InForce, sources: &mut Sources) -> anyhow::Result<Judged> {
    let database = read_database(arguments, &in_force, sources)?;
    let base = if database.is_some() { Vec::new() } else { read_base(&in_force, sources)? };
    let options = collect_options(arguments, &in_force)?;
    let recorded = record(arguments, &in_force, &base, sources)?;
    let selected = arguments.selection.collect(&paths(arguments, &in_force), options, recorded, sources)?;
    let mut collected = selected.collected;
    if let Some(database) = &database {
        mark_applied(&mut collected.migrations, database);
    }
    let mut coverage = pgassay::collect::coverage(&collected, &collected.migrations);
    coverage.assumed = assumed_version(&in_force, database.as_ref());
    coverage.nothing_new = selected.nothing_new;
    coverage.of_libraries = selected.of_libraries;
    let gaps = gaps(arguments, &in_force, &collected, &selected.unread_news, &coverage);
    let (dumps, migrations): (Vec<_>, Vec<_>) =
        collected.migrations.drain(..).partition(|migration| migration.framework.is_base());
    let target = match &database {
        Some(database) => arguments.proof.target(database, sources)?,
        None => None,
    };
    let mut settings = in_force.settings.clone();
    settings.options.version_assumed = in_force.pg_version.origin == Origin::Default && database.is_none();
    let job = Job {
        base: base.into_iter().chain(dumps).collect(),
        migrations,
        version: version(&in_force, database.as_ref()),
        completeness: in_force.history.value,
        one_deploy: selected.one_deploy,
        findings: selected.findings,
        strict: in_force.strict.value,
        settings,
        live: database.map(Database::live),
    };
    let mut report = arguments.proof.check(&job, target, sources)?;
    pgassay::sql::hide_secrets(sources);
    report.errors.extend(collected.errors.iter().map(ToString::to_string));
    report.errors.extend(gaps);
    report.errors.extend(mostly_unread(&report));
    if !report.findings.is_empty() && !coverage.past_is_set_aside() {
        coverage.main_branch = Repository::around(Path::new(".")).ok().and_then(|repository| repository.main_branch());
    }
    report.coverage = Some(coverage);
    tell_notes(&collected);
    // The output is whole even where the baseline is not.
    if let Err(error) =
        arguments.selection.apply_baseline(in_force.baseline.value.as_deref(), &mut report, &job.migrations, sources)
    {
        report.errors.push(format!("{error:#}"));
    }
    output::leave(job);
    Ok(Judged { report, limit: in_force.fail_on.value.severity() })
}

/// What the team's own command sends, where one is named.
fn record(
    arguments: &Arguments,
    in_force: &InForce,
    base: &[Migration],
    sources: &mut Sources,
) -> anyhow::Result<Option<Made>> {
    let Some(command) = &in_force.run.value else { return Ok(None) };
    if arguments.database.is_given() {
        anyhow::bail!(
            "--run starts from an empty database, or from --base: it cannot be given with --db or --snapshot"
        );
    }
    let bin = arguments.proof.bin();
    arguments.run.record(command, in_force.pg_version.value, base, bin, sources).map(Some)
}

/// The database that the migrations will run on, where one is named.
fn read_database(arguments: &Arguments, in_force: &InForce, sources: &mut Sources) -> anyhow::Result<Option<Database>> {
    if arguments.database.is_given() && in_force.base.origin == Origin::CommandLine {
        anyhow::bail!("--base and a database both say what exists: give one of them");
    }
    if arguments.proof.is_wanted() {
        return arguments.database.load_for_plans(Values::None, sources);
    }
    arguments.database.load(Values::None, sources)
}

/// The version that someone named, else the database's.
fn version(in_force: &InForce, database: Option<&Database>) -> PgVersion {
    match database {
        Some(database) if !in_force.pg_version.is_named() => database.version,
        _ => in_force.pg_version.value,
    }
}

/// What the frameworks' tables say ran is not judged, and not run again on the schema that has it.
fn mark_applied(migrations: &mut [Migration], database: &Database) {
    let all = migrations.iter().filter(|it| it.direction == Direction::Up && !it.framework.is_base());
    let mut frameworks: Vec<Framework> = all.map(|migration| migration.framework).collect();
    frameworks.sort();
    frameworks.dedup();
    let marked = applied::mark(migrations, &database.applied);
    for framework in frameworks {
        if framework != Framework::Plain && !database.applied.iter().any(|table| table.is_of(framework)) {
            say!(
                "note: {}: it has no table of {framework} that could be read: all its migrations are taken for new",
                database.label
            );
        }
    }
    if marked > 0 {
        say!("note: {}: {marked} migrations ran there before and are not judged", database.label);
    }
}

fn collect_options(arguments: &Arguments, in_force: &InForce) -> anyhow::Result<CollectOptions> {
    let wants_stdin = in_force.paths.value.iter().any(|path| path.as_os_str() == "-");
    let mut contents = HashMap::new();
    if let Some(file) = &arguments.stdin_filename {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input could not be read")?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder =
            folder.canonicalize().with_context(|| format!("{} is in no folder that is there", file.display()))?;
        let name = file.file_name().with_context(|| format!("{} names no file", file.display()))?;
        let in_folder = folder.join(name);
        contents.insert(in_folder.canonicalize().unwrap_or(in_folder), text.into());
    }
    let stdin = (wants_stdin && arguments.stdin_filename.is_none()).then(|| {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes).context("standard input could not be read")
    });
    Ok(CollectOptions {
        framework: in_force.framework.value,
        transaction: in_force.transaction.value,
        no_transaction: in_force.no_transaction.value.clone(),
        down: arguments.down,
        variables: in_force.variables(),
        stdin: stdin.transpose()?,
        contents,
        ..CollectOptions::default()
    })
}

/// The paths to judge; the name that standard input goes by stands for `-`.
fn paths(arguments: &Arguments, in_force: &InForce) -> Vec<PathBuf> {
    let given = &in_force.paths.value;
    let Some(file) = &arguments.stdin_filename else { return given.clone() };
    let others = given.iter().filter(|path| path.as_os_str() != "-" && in_force.paths.origin == Origin::CommandLine);
    others.cloned().chain([file.clone()]).collect()
}

/// What the base's files say exists. A base that cannot be read would make every finding doubtful: the run fails.
pub(super) fn read_base(in_force: &InForce, sources: &mut Sources) -> anyhow::Result<Vec<Migration>> {
    if in_force.base.value.is_empty() {
        return Ok(Vec::new());
    }
    let options = CollectOptions { variables: in_force.variables(), ..CollectOptions::default() };
    let collected = collect(&in_force.base.value, &options, sources);
    if let Some(error) = collected.errors.first() {
        anyhow::bail!("the base could not be read: {error}");
    }
    let up = collected.migrations.into_iter().filter(|migration| migration.direction == Direction::Up);
    // What the user names as the base is that of every history.
    Ok(up.map(|migration| Migration { folder: None, ..migration }).collect())
}

/// What kept the run from judging what it was asked to judge: never green over nothing.
fn gaps(
    arguments: &Arguments,
    in_force: &InForce,
    collected: &Collected,
    unread_news: &[String],
    coverage: &Coverage,
) -> Vec<String> {
    let mut gaps: Vec<String> = unread_news.to_vec();
    if in_force.strict.value {
        gaps.extend(coverage.gaps().map(|kind| format!("not judged: {}", kind.line())));
    }
    if !arguments.allow_empty {
        gaps.extend(collected.empty.iter().map(|(path, found)| format!("{}: {found}", path.display())));
        let is_empty = collected.migrations.iter().all(|migration| migration.framework.is_base());
        if is_empty && gaps.is_empty() && collected.errors.is_empty() {
            gaps.push("there is no migration to judge (--allow-empty takes that for success)".to_owned());
        }
    }
    gaps
}

/// Where most statements could not be read, nothing is known of the migrations.
fn mostly_unread(report: &Report) -> Option<String> {
    let rule = pgassay::rules::migration::UNREADABLE_STATEMENT.name;
    let told =
        |place: &&Span| report.findings.iter().any(|finding| finding.span == **place && finding.rule.name == rule);
    let unread = report.mostly_unread.iter().filter(told).map(|place| place.file).collect::<BTreeSet<_>>().len();
    let all = report.summary.files;
    // One statement by itself may be a form that is not known yet: the finding about it is enough.
    let is_one = report.statements.len() < 2;
    (unread * 2 > all && !is_one).then(|| {
        format!(
            "most of {unread} of {all} files could not be read as PostgreSQL's: this is no verdict on the migrations"
        )
    })
}

fn assumed_version(in_force: &InForce, database: Option<&Database>) -> String {
    let version = version(in_force, database);
    let origin = match &in_force.pg_version.origin {
        Origin::Default | Origin::Project { .. } if database.is_some() => "the database's".to_owned(),
        Origin::Default => "default; --pg-version".to_owned(),
        Origin::CommandLine => "--pg-version".to_owned(),
        origin => origin.to_string(),
    };
    format!("PostgreSQL {version} ({origin})")
}

/// Notes on standard error; of many that say the same, the first.
pub(super) fn tell_notes(collected: &Collected) {
    let mut by_message: Vec<(&str, Vec<&Path>)> = Vec::new();
    for note in &collected.notes {
        match by_message.iter_mut().find(|(message, _)| *message == note.message) {
            Some((_, paths)) => paths.push(&note.path),
            None => by_message.push((&note.message, vec![&note.path])),
        }
    }
    for (message, paths) in by_message {
        let shown = if paths.len() > MOST_ALIKE + 1 { MOST_ALIKE } else { paths.len() };
        for path in &paths[..shown] {
            say!("note: {}: {message}", path.display());
        }
        if shown < paths.len() {
            say!("note: the same holds for {} more files", paths.len() - shown);
        }
    }
}

/// How many notes that say the same are shown.
const MOST_ALIKE: usize = 3;

pub(super) fn outcome(limit: Option<Severity>, report: &Report) -> Outcome {
    if !report.errors.is_empty() {
        return Outcome::Failed;
    }
    match (limit, report.worst()) {
        (Some(limit), Some(worst)) if worst >= limit => Outcome::Findings,
        _ => Outcome::Clean,
    }
}
