//! One file a command; prints and exit codes live only here.

mod check;
mod format;
mod output;
mod rules;
mod selection;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Assays PostgreSQL migrations: what a change does to a running system, how that is known, and what to do instead.
#[derive(Debug, Parser)]
#[command(name = "pgassay", version, about, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Arguments),
    Rules(rules::Arguments),
}

/// How a run ended.
pub enum Outcome {
    Clean,
    /// Findings at or above --fail-on.
    Findings,
    /// The run itself failed.
    Failed,
}

/// Runs the command that the arguments name. Exit codes: 0 clean, 1 findings, 2 the run itself failed.
pub fn run() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Check(arguments) => check::run(arguments),
        Command::Rules(arguments) => rules::run(arguments),
    };
    match result {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Ok(Outcome::Failed) => ExitCode::from(2),
        // The reader of a pipe has gone (`| head`): nobody is left to tell.
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
