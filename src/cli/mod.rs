//! One file a command; prints and exit codes live only here.

/// Formats a text and says it on standard error.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::output::say(&format!($($text)*)) };
}

mod audit;
mod baseline;
mod check;
mod config;
mod database;
mod doctor;
mod explain;
mod fix;
mod fleet;
mod format;
mod generate;
mod in_force;
mod init;
mod lsp;
mod mcp;
mod output;
mod plan;
mod prove;
mod queries;
mod recorded;
mod rules;
mod selection;
mod snapshot;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use pgassay::prove::{GUARD_COMMAND, guard};
use pgassay::stack;

/// Assays PostgreSQL migrations: what a change does to a running system, how that is known, and what to do instead.
#[derive(Debug, Parser)]
#[command(name = "pgassay", version, about, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Box<check::Arguments>),
    Fix(Box<fix::Arguments>),
    Explain(Box<explain::Arguments>),
    Plan(Box<plan::Arguments>),
    Audit(Box<audit::Arguments>),
    Queries(queries::Arguments),
    Snapshot(snapshot::Arguments),
    Rules(rules::Arguments),
    Config(config::Arguments),
    Doctor(doctor::Arguments),
    Init(init::Arguments),
    Lsp(lsp::Arguments),
    Mcp(mcp::Arguments),
    Completions(generate::Completions),
    Man(generate::Man),
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
    // Called by check --prove itself, and by nobody else: no command of the command line.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == GUARD_COMMAND) {
        return if guard(std::io::stdin().lock()).is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) };
    }
    let command = Arguments::parse().command;
    let result = match rayon::ThreadPoolBuilder::new().stack_size(stack::ROOMY).build() {
        // On one of the threads that share the work: a thread beside them would take turns with them.
        Ok(threads) => threads.install(|| run_command(command)),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Ok(Outcome::Failed) => ExitCode::from(2),
        // The reader of a pipe has gone (`| head`): nobody is left to tell.
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::tell(&error);
            ExitCode::from(2)
        }
    }
}

fn run_command(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Check(arguments) => check::run(*arguments),
        Command::Fix(arguments) => fix::run(*arguments),
        Command::Explain(arguments) => explain::run(*arguments),
        Command::Plan(arguments) => plan::run(*arguments),
        Command::Audit(arguments) => audit::run(*arguments),
        Command::Queries(arguments) => queries::run(arguments),
        Command::Snapshot(arguments) => snapshot::run(arguments),
        Command::Rules(arguments) => rules::run(arguments),
        Command::Config(arguments) => config::run(arguments),
        Command::Doctor(arguments) => doctor::run(arguments),
        Command::Init(arguments) => init::run(arguments),
        Command::Lsp(arguments) => lsp::run(arguments),
        Command::Mcp(arguments) => mcp::run(arguments),
        Command::Completions(arguments) => generate::completions(&arguments, Arguments::command()),
        Command::Man(arguments) => generate::man(&arguments, Arguments::command()),
    }
}

/// What talks to servers, on the command's own thread.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
