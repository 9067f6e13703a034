//! Holds what pgassay predicts of random histories against what servers do: refused or not, locks, rewrites, scans, index builds, and the
//! catalog at the end against the schema. What differs is shrunk to the fewest statements.
//!
//!     scripts/differential --seed N --histories M --version V
//!
//! One line for each difference; the share of what was right for each version at the end. Ends with 1 where a statement that runs was
//! called refused.

// The tests use more of it.
#[allow(dead_code)]
#[path = "../../tests/support/servers.rs"]
mod servers;

mod catalog;
mod clients;
mod compare;
mod generate;
mod history;
mod random;
mod report;
mod server;

use std::process::ExitCode;

use report::{Arguments, Tally};

fn main() -> ExitCode {
    let arguments = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("differential: {message}");
            eprintln!("usage: differential [--seed N] [--histories M] [--version V]... [--length L] [--show K]");
            return ExitCode::from(2);
        }
    };
    let mut false_refusals = 0;
    for installation in servers::of_versions(&arguments.versions) {
        let tally: Tally = server::run(&installation, &arguments);
        tally.print(installation.major(), &arguments);
        false_refusals += tally.false_refusals();
    }
    if false_refusals == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut found = Arguments { seed: 1, histories: 200, versions: Vec::new(), length: 12, show: 20 };
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64, String> {
            let value = words.next().ok_or_else(|| format!("{word} wants a number"))?;
            value.parse().map_err(|_| format!("{word} wants a number, not {value:?}"))
        };
        match word.as_str() {
            "--seed" => found.seed = number()?,
            "--histories" => found.histories = number()?,
            "--version" => found.versions.push(u16::try_from(number()?).map_err(|error| error.to_string())?),
            "--length" => found.length = usize::try_from(number()?).map_err(|error| error.to_string())?,
            "--show" => found.show = usize::try_from(number()?).map_err(|error| error.to_string())?,
            _ => return Err(format!("unknown argument {word:?}")),
        }
    }
    Ok(found)
}
