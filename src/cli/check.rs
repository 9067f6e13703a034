//! `pgassay check`: gate migrations.

use std::io::{Read, Write};

use anyhow::Context;
use clap::{Args, ValueEnum};
use pgassay::check::{Job, check};
use pgassay::config::FailOn;
use pgassay::migration::{CollectOptions, Collected, Direction, collect};
use pgassay::report::{Json, Renderer, Report, Text};
use pgassay::sql::Sources;

use super::in_force::{InForce, Settable};
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

    /// How to show the result [default: text]
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// A table for files without findings too
    #[arg(long, short)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let in_force = arguments.settable.resolve(arguments.format.map(Format::name))?;
    let mut sources = Sources::default();
    let base = read_base(&in_force, &mut sources)?;
    let mut collected = collect(&in_force.paths.value, &collect_options(&arguments, &in_force)?, &mut sources);
    let (dumps, migrations): (Vec<_>, Vec<_>) =
        collected.migrations.drain(..).partition(|migration| migration.framework.is_base());
    let job = Job {
        base: base.into_iter().chain(dumps).collect(),
        migrations,
        version: in_force.pg_version.value,
        completeness: in_force.history.value,
        strict: in_force.strict.value,
        settings: in_force.settings.clone(),
    };
    let mut report = check(&job, &sources);
    report.errors.extend(collected.errors.iter().map(ToString::to_string));
    tell_notes(&collected);
    render(&arguments, &in_force, &report, &sources)?;
    Ok(outcome(&in_force, &report))
}

fn collect_options(arguments: &Arguments, in_force: &InForce) -> anyhow::Result<CollectOptions> {
    let wants_stdin = in_force.paths.value.iter().any(|path| path.as_os_str() == "-");
    let stdin = wants_stdin.then(|| {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes).context("standard input could not be read")
    });
    Ok(CollectOptions {
        framework: in_force.framework.value,
        transaction: in_force.transaction.value,
        down: arguments.down,
        variables: in_force.variables(),
        stdin: stdin.transpose()?,
    })
}

/// What the base's files say exists. A base that cannot be read would make every finding doubtful: the run fails.
fn read_base(in_force: &InForce, sources: &mut Sources) -> anyhow::Result<Vec<pgassay::migration::Migration>> {
    if in_force.base.value.is_empty() {
        return Ok(Vec::new());
    }
    let options = CollectOptions { variables: in_force.variables(), ..CollectOptions::default() };
    let collected = collect(&in_force.base.value, &options, sources);
    if let Some(error) = collected.errors.first() {
        anyhow::bail!("the base could not be read: {error}");
    }
    Ok(collected.migrations.into_iter().filter(|migration| migration.direction == Direction::Up).collect())
}

fn tell_notes(collected: &Collected) {
    for note in &collected.notes {
        anstream::eprintln!("note: {}: {}", note.path.display(), note.message);
    }
}

fn render(arguments: &Arguments, in_force: &InForce, report: &Report, sources: &Sources) -> anyhow::Result<()> {
    let renderer: Box<dyn Renderer> = match Format::named(in_force.format.value) {
        Format::Text => Box::new(Text { verbose: arguments.verbose, width: output::width() }),
        Format::Json => Box::new(Json),
    };
    let mut out = std::io::BufWriter::new(anstream::stdout());
    renderer.render(report, sources, &mut out)?;
    out.flush()?;
    Ok(())
}

fn outcome(in_force: &InForce, report: &Report) -> Outcome {
    if !report.errors.is_empty() {
        return Outcome::Failed;
    }
    match (in_force.fail_on.value, report.worst()) {
        (FailOn::At(limit), Some(worst)) if worst >= limit => Outcome::Findings,
        _ => Outcome::Clean,
    }
}

impl Format {
    /// As the command line and the configuration file spell it.
    fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
        }
    }

    fn named(name: &str) -> Format {
        Format::value_variants().iter().copied().find(|format| format.name() == name).unwrap_or(Format::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_knows_every_format() {
        let names: Vec<&str> = Format::value_variants().iter().map(|format| format.name()).collect();
        assert_eq!(names, pgassay::config::keys::FORMATS);
    }
}
