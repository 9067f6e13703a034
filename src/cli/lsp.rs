//! `pgassay lsp`: the language server for editors.

use std::path::PathBuf;

use clap::Args;

use super::Outcome;
use super::in_force::Settable;
use crate::lsp::serve;
use crate::project::Setup;

/// Serve an editor: findings while typing, what a statement locks, and what to write instead (LSP, over standard input and output)
#[derive(Debug, Args)]
#[command(
    after_help = "Each project's pgassay.toml says what holds for its files; docs/editors.md has the settings of editors. Exit codes: 0 after shutdown and exit; 1 after exit alone."
)]
pub struct Arguments {
    /// A snapshot of the database, for sizes and durations: pgassay snapshot writes it
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,

    /// Standard input and output, which is the only way: some editors pass it on
    #[arg(long, hide = true)]
    stdio: bool,
}

pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let snapshot = arguments.snapshot.map(|path| path.canonicalize().unwrap_or(path));
    let opener = move |root: &std::path::Path| {
        let in_force = Settable::default().resolve(None)?;
        Ok(Setup { snapshot: snapshot.clone(), ..in_force.setup(root) })
    };
    Ok(if serve(Box::new(opener))? { Outcome::Clean } else { Outcome::Findings })
}
