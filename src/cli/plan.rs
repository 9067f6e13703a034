//! `pgassay plan`: read one plan in the terminal, with what is wrong with it.

use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use pgassay::plan::draw::{self, Assayed, Options};
use pgassay::plan::{self, Plan};

use super::{Outcome, output};

/// Read a plan in the terminal: where its time goes, what is wrong with it, what to do
#[derive(Debug, Args)]
#[command(
    after_help = "Reads EXPLAIN's text format and its JSON, with or without ANALYZE, also in psql's output and in logs of auto_explain.\n\
    Exit codes: 0 drawn; 2 the plan could not be read."
)]
pub struct Arguments {
    /// A plan: a file, or - for standard input, where it is read from without an argument
    #[arg(value_name = "FILE", conflicts_with = "compare")]
    plan: Option<String>,

    /// What changed between two plans of the same query
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"])]
    compare: Option<Vec<PathBuf>>,

    /// How to show it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Whole conditions, output columns, blocks and costs of each node
    #[arg(long, short)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// All there is, with stable field names
    Json,
    /// For a comment or a page
    Markdown,
}

pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    match &arguments.compare {
        Some(files) => compare(&arguments, files)?,
        None => show(&arguments)?,
    }
    Ok(Outcome::Clean)
}

fn show(arguments: &Arguments) -> anyhow::Result<()> {
    let plans = match arguments.plan.as_deref() {
        None | Some("-") => read_plans("standard input", &standard_input()?)?,
        Some(file) => read_file(Path::new(file))?,
    };
    let plans: Vec<Assayed> = plans.into_iter().map(Assayed::new).collect();
    write(arguments, |out| match arguments.format {
        Format::Text => draw::text(&plans, arguments.options(), out),
        Format::Json => draw::json(&plans, out),
        Format::Markdown => draw::markdown(&plans, arguments.verbose, out),
    })
}

fn compare(arguments: &Arguments, files: &[PathBuf]) -> anyhow::Result<()> {
    let mut plans = Vec::new();
    for file in files {
        let read = if file.as_os_str() == "-" { read_plans("standard input", &standard_input()?)? } else { read_file(file)? };
        let number = read.len();
        let one: [Plan; 1] = read.try_into().map_err(|_| {
            anyhow::anyhow!("{} holds {number} plans; to compare, give files with one plan each", file.display())
        })?;
        plans.extend(one.map(Assayed::new));
    }
    let [before, after] = &plans[..] else { anyhow::bail!("two plans are needed to compare") };
    let comparison = plan::compare(before, after);
    write(arguments, |out| match arguments.format {
        Format::Text => draw::comparison_text(before, after, &comparison, arguments.options(), out),
        Format::Json => draw::comparison_json(before, after, &comparison, out),
        Format::Markdown => draw::comparison_markdown(&comparison, out),
    })
}

impl Arguments {
    fn options(&self) -> Options {
        Options { width: output::width().into(), verbose: self.verbose }
    }
}

fn standard_input() -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes).context("standard input could not be read")?;
    Ok(bytes)
}

fn read_file(file: &Path) -> anyhow::Result<Vec<Plan>> {
    let bytes = std::fs::read(file).with_context(|| format!("{} could not be read", file.display()))?;
    read_plans(&file.display().to_string(), &bytes)
}

fn read_plans(name: &str, bytes: &[u8]) -> anyhow::Result<Vec<Plan>> {
    plan::read(&String::from_utf8_lossy(bytes)).with_context(|| name.to_owned())
}

fn write(arguments: &Arguments, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out: Box<dyn Write> = match arguments.format {
        Format::Text => Box::new(BufWriter::new(anstream::stdout())),
        Format::Json | Format::Markdown => Box::new(BufWriter::new(io::stdout())),
    };
    write(&mut out)?;
    out.flush()?;
    Ok(())
}
