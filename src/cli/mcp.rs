//! `pgassay mcp`: the server for coding agents.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::Outcome;
use super::in_force::Settable;
use crate::mcp::serve;
use crate::project::Setup;

/// Serve a coding agent: judge what it wrote, plan what it intends, read the schema (MCP, over standard input and output)
///
/// It reads files below the roots, and nothing else: no file is written, no database is connected to, no SQL is run.
#[derive(Debug, Args)]
#[command(
    after_help = "docs/agents.md has the settings of agents. Exit codes: 0 after the agent has gone; 2 where it could not be served."
)]
pub struct Arguments {
    /// Read only files below this folder (repeatable) [default: the working directory]
    #[arg(long, value_name = "FOLDER")]
    root: Vec<PathBuf>,

    /// A snapshot of the database, for sizes and durations: pgassay snapshot writes it
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
}

pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let named = if arguments.root.is_empty() { vec![PathBuf::from(".")] } else { arguments.root };
    let mut roots = Vec::new();
    for root in named {
        roots.push(root.canonicalize().with_context(|| format!("the root {}", root.display()))?);
    }
    let snapshot =
        arguments.snapshot.map(|path| path.canonicalize().with_context(|| format!("the snapshot {}", path.display())));
    let snapshot = snapshot.transpose()?;
    let opener = move |root: &std::path::Path| {
        let in_force = Settable::default().resolve(None)?;
        Ok(Setup { snapshot: snapshot.clone(), ..in_force.setup(root) })
    };
    super::runtime()?.block_on(serve(Box::new(opener), roots))?;
    Ok(Outcome::Clean)
}
