//! Runs case files on a throwaway PostgreSQL and prints what each statement did, one JSON object a line.
//!
//!     cargo run --example observe -- [--version MAJOR]... [FILE | -]...
//!
//! Without files: all of tests/effects. `-` reads cases from stdin. Without a version: the newest server.
//! The format of case files is described in tests/support/cases.rs.

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::{Read, Write};
use std::path::Path;

use pgassay::shadow::{Observation, ShadowError};
use serde_json::{Value, json};

use support::cases::{self, Case, CaseFile};
use support::{runner, servers};

fn main() {
    let mut majors = Vec::new();
    let mut files: Vec<CaseFile> = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--version" => majors.push(arguments.next().and_then(|text| text.parse().ok()).expect("a major version")),
            "-" => files.push(from_stdin()),
            path => files.push(cases::read(Path::new(path))),
        }
    }
    if files.is_empty() {
        files = cases::all();
    }
    let servers = if majors.is_empty() { vec![servers::newest()] } else { servers::of_versions(&majors) };
    for server in servers {
        runner::observe_all(&server, &files, |case, outcome| print(server.major(), case, outcome));
    }
}

fn from_stdin() -> CaseFile {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("text on stdin");
    cases::parse("stdin", &text).unwrap_or_else(|message| panic!("stdin: {message}"))
}

fn print(version: u16, case: &Case, outcome: Result<Observation, ShadowError>) {
    let (effect, error) = match outcome {
        Ok(Observation { effect, error }) => (
            json!({
                "locks": effect.locks,
                "rewrites": effect.rewrites,
                "scans": effect.scans,
                "index_builds": effect.index_builds,
                "in_transaction_block": effect.in_transaction_block,
            }),
            error.map_or(Value::Null, |error| json!(error.to_string())),
        ),
        Err(error) => (Value::Null, json!(format!("HARNESS: {error}"))),
    };
    let line = json!({
        "case": case.name, "version": version, "given": case.given.concat().trim(), "sql": case.run,
        "effect": effect, "error": error,
    });
    // A closed pipe is no reason to complain.
    let _ = writeln!(std::io::stdout(), "{line}");
}
