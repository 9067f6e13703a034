//! `pgassay check`: gate migrations.

use std::io::Read;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use pgassay::check::{Job, check};
use pgassay::finding::Severity;
use pgassay::history::Completeness;
use pgassay::migration::{CollectOptions, Collected, Direction, Framework, Migration, TransactionOverride, collect};
use pgassay::report::Report;
use pgassay::sql::Sources;
use pgassay::version::PgVersion;

use super::Outcome;
use super::format::{FormatArguments, show};
use super::selection::Selection;

/// Judge migrations: locks, rewrites, long scans, broken clients, lost data, statements that will fail
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing at or above --fail-on; 1 findings; 2 the run itself failed (bad arguments, unreadable files)."
)]
pub struct Arguments {
    /// Files and folders of migrations, or - for standard input [default: the migrations folder found here]
    paths: Vec<PathBuf>,

    /// Major version of the server the migrations will run on, 14 to 18
    #[arg(long, value_name = "VERSION", default_value_t)]
    pg_version: PgVersion,

    /// What exists before: a pg_dump --schema-only file, or earlier migrations; read, not judged (repeatable)
    #[arg(long, value_name = "PATH")]
    base: Vec<PathBuf>,

    /// Whether the migrations, with the base, make everything that exists
    #[arg(long, value_enum, default_value_t = History::Auto)]
    history: History,

    /// Which transaction the statements run in
    #[arg(long, value_enum, default_value_t = Transaction::Auto)]
    transaction: Transaction,

    /// The migration tool [default: recognised by its files]
    #[arg(long, value_name = "NAME", value_parser = framework)]
    framework: Option<Framework>,

    /// Judge the down migrations too, by what they destroy
    #[arg(long)]
    down: bool,

    /// Value of a placeholder such as ${schema} or :schema (repeatable)
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,

    #[command(flatten)]
    selection: Selection,

    /// Fail on statements that could not be read
    #[arg(long)]
    strict: bool,

    /// The least severity that makes the exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    fail_on: FailOn,

    #[command(flatten)]
    format: FormatArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum History {
    /// Found out from the migrations
    Auto,
    /// They start from an empty database, or from the base
    Complete,
    /// Earlier ones are missing
    Partial,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Transaction {
    /// As the migration tool does; plain files commit statement by statement
    Auto,
    /// One around each file
    PerFile,
    /// None but those that the files open
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

impl FailOn {
    fn severity(self) -> Option<Severity> {
        match self {
            FailOn::Error => Some(Severity::Error),
            FailOn::Warning => Some(Severity::Warning),
            FailOn::Info => Some(Severity::Info),
            FailOn::Never => None,
        }
    }
}

fn framework(name: &str) -> Result<Framework, String> {
    Framework::ALL.into_iter().find(|framework| framework.name() == name).ok_or_else(|| {
        let names: Vec<&str> = Framework::ALL.iter().map(|framework| framework.name()).collect();
        format!("known are {}", names.join(", "))
    })
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if name.is_empty() { Err("the name is empty".to_owned()) } else { Ok((name.to_owned(), value.to_owned())) }
}

pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let mut sources = Sources::default();
    let base = read_base(&arguments, &mut sources)?;
    let selected = arguments.selection.collect(&arguments.paths, collect_options(&arguments)?, &mut sources)?;
    let mut collected = selected.collected;
    let (dumps, migrations): (Vec<_>, Vec<_>) =
        collected.migrations.drain(..).partition(|migration| migration.framework.is_base());
    let job = Job {
        base: base.into_iter().chain(dumps).collect(),
        migrations,
        version: arguments.pg_version,
        completeness: match arguments.history {
            History::Auto => Completeness::Auto,
            History::Complete => Completeness::Complete,
            History::Partial => Completeness::Partial,
        },
        one_deploy: selected.one_deploy,
        findings: selected.findings,
        strict: arguments.strict,
    };
    let mut report = check(&job, &sources);
    report.errors.extend(collected.errors.iter().map(ToString::to_string));
    tell_notes(&collected);
    // The output is whole even where the baseline is not.
    if let Err(error) = arguments.selection.apply_baseline(&mut report, &job.migrations, &sources) {
        report.errors.push(format!("{error:#}"));
    }
    let limit = arguments.fail_on.severity();
    show(&arguments.format, limit, &report, &sources)?;
    Ok(outcome(limit, &report))
}

fn collect_options(arguments: &Arguments) -> anyhow::Result<CollectOptions> {
    let wants_stdin = arguments.paths.iter().any(|path| path.as_os_str() == "-");
    let stdin = wants_stdin.then(|| {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes).context("standard input could not be read")
    });
    Ok(CollectOptions {
        framework: arguments.framework,
        transaction: match arguments.transaction {
            Transaction::Auto => TransactionOverride::Auto,
            Transaction::PerFile => TransactionOverride::PerFile,
            Transaction::None => TransactionOverride::None,
        },
        down: arguments.down,
        variables: arguments.variables.iter().cloned().collect(),
        stdin: stdin.transpose()?,
        ..CollectOptions::default()
    })
}

/// What the base's files say exists. A base that cannot be read would make every finding doubtful: the run fails.
fn read_base(arguments: &Arguments, sources: &mut Sources) -> anyhow::Result<Vec<Migration>> {
    if arguments.base.is_empty() {
        return Ok(Vec::new());
    }
    let options =
        CollectOptions { variables: arguments.variables.iter().cloned().collect(), ..CollectOptions::default() };
    let collected = collect(&arguments.base, &options, sources);
    if let Some(error) = collected.errors.first() {
        anyhow::bail!("the base could not be read: {error}");
    }
    let up = collected.migrations.into_iter().filter(|migration| migration.direction == Direction::Up);
    // What the user names as the base is that of every history.
    Ok(up.map(|migration| Migration { folder: None, ..migration }).collect())
}

fn tell_notes(collected: &Collected) {
    for note in &collected.notes {
        anstream::eprintln!("note: {}: {}", note.path.display(), note.message);
    }
}

fn outcome(limit: Option<Severity>, report: &Report) -> Outcome {
    if !report.errors.is_empty() {
        return Outcome::Failed;
    }
    match (limit, report.worst()) {
        (Some(limit), Some(worst)) if worst >= limit => Outcome::Findings,
        _ => Outcome::Clean,
    }
}
