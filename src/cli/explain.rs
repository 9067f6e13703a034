//! `pgassay explain`: what a statement does to this project's database.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use pgassay::text::plain;

use super::in_force::{Origin, Settable};
use super::{Outcome, output};
use crate::project::{Explanation, Judged, Project, Setup, words};

/// Say what statements do here: locks and who waits, rewrites, scans, failures, what clients lose, and how to do it instead
///
/// The statements are taken to come after all migrations of the project, in the transaction that its tool opens. Nothing is run.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 explained, whatever the statement does; 2 not (a statement that could not be read, unreadable files)."
)]
pub struct Arguments {
    /// One statement or more, or - for standard input: pgassay explain "ALTER TABLE orders ADD note text"
    statement: String,

    #[command(flatten)]
    settable: Settable,

    /// A snapshot of the database, for sizes and durations: pgassay snapshot writes it
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,

    /// How to show it
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let text = match arguments.statement.as_str() {
        "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("standard input could not be read")?;
            text
        }
        statement => statement.to_owned(),
    };
    let in_force = arguments.settable.resolve(None)?;
    if in_force.run.origin == Origin::CommandLine {
        anyhow::bail!("explain runs no command: give migrations as SQL, or what they make with --base");
    }
    let setup = Setup { snapshot: arguments.snapshot.clone(), ..in_force.setup(&std::env::current_dir()?) };
    let mut project = Project::open(setup, &HashMap::new());
    let judged = project.judge_text("<statement>", &text);
    if judged.statements.is_empty() {
        anyhow::bail!("there is no statement in {:?}", plain::cut(&plain::one_line(&text), 60));
    }
    let mut out = output::stdout(false);
    match arguments.format {
        Format::Text => show(&project, &judged, &mut out)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &document(&project, &judged))?;
            writeln!(out)?;
        }
    }
    out.flush()?;
    for left in project.left_out() {
        anstream::eprintln!("note: not read: {left}");
    }
    for trouble in &project.troubles {
        anstream::eprintln!("error: {trouble}");
    }
    let unread = judged.statements.iter().any(|at| at.explanation.unread.is_some());
    Ok(if unread || !project.troubles.is_empty() { Outcome::Failed } else { Outcome::Clean })
}

fn show(project: &Project, judged: &Judged, out: &mut dyn Write) -> std::io::Result<()> {
    let width = usize::from(output::width());
    for at in &judged.statements {
        writeln!(out, "{}\n", plain::visible(at.explanation.statement.trim()))?;
        write!(out, "{}", words::text(&at.explanation, width))?;
        for finding in &at.explanation.findings {
            writeln!(out, "\n{}[{}]: {}", finding.severity, finding.rule, plain::one_line(&finding.message))?;
            if !finding.instead.is_empty() {
                writeln!(out, "Instead: {}", plain::visible(&finding.instead))?;
            }
            for line in words::steps(&finding.steps).lines() {
                writeln!(out, "    {}", plain::visible(line))?;
            }
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", on_what(project))
}

/// "For PostgreSQL 16, after 12 migrations of goose in db/migrations."
fn on_what(project: &Project) -> String {
    let histories: Vec<String> = project
        .histories()
        .iter()
        .map(|(folder, tool, number)| {
            format!("{} of {tool} in {}", plain::counted(*number, "migration"), folder.display())
        })
        .collect();
    match histories.as_slice() {
        [] => format!(
            "For PostgreSQL {}; no migrations found here, so nothing is known of what exists.",
            project.version()
        ),
        some => format!("For PostgreSQL {}, after {}.", project.version(), some.join("; ")),
    }
}

fn document(project: &Project, judged: &Judged) -> serde_json::Value {
    let statements: Vec<&Explanation> = judged.statements.iter().map(|at| &at.explanation).collect();
    serde_json::json!({
        "pgVersion": project.version().major(),
        "migrations": project.migrations(),
        "statements": statements,
        "errors": project.troubles,
    })
}
