//! SQL that a command prints: `python manage.py sqlmigrate app 0042`, `alembic upgrade --sql`, `dotnet ef migrations script`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};

use super::read::{ReadError, decode};
use super::{Age, Direction, Framework, Migration, Section, TransactionMode};
use crate::source::{SourceFile, Sources, Span};

/// Why a command gave no migration.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("cannot run `{command}`: {source}")]
    Start { command: String, source: std::io::Error },
    #[error("`{command}` failed ({status}){}", after_colon(stderr))]
    Failed { command: String, status: ExitStatus, stderr: String },
    #[error("`{command}` printed no SQL{}", after_colon(stderr))]
    Nothing { command: String, stderr: String },
    #[error("what `{command}` printed cannot be read: {source}")]
    Unreadable { command: String, source: ReadError },
}

/// How much of what a command said on standard error is kept, in lines.
const STDERR_LINES: usize = 20;

fn after_colon(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(":\n{stderr}") }
}

/// Runs a shell command and takes what it prints as one migration. Its standard error is part of every error.
pub fn from_command(
    command: &str,
    transaction: TransactionMode,
    sources: &mut Sources,
) -> Result<Migration, CommandError> {
    let started = shell(command).output();
    let output = started.map_err(|source| CommandError::Start { command: command.to_owned(), source })?;
    let stderr = tail(&output);
    if !output.status.success() {
        return Err(CommandError::Failed { command: command.to_owned(), status: output.status, stderr });
    }
    let name = format!("`{command}`");
    let text = decode(Path::new(&name), output.stdout)
        .map_err(|source| CommandError::Unreadable { command: command.to_owned(), source })?
        .text;
    if text.trim().is_empty() {
        return Err(CommandError::Nothing { command: command.to_owned(), stderr });
    }
    let end = text.len();
    let file = sources.add(SourceFile::new(name.clone(), text));
    let sections = vec![Section { span: Span::new(file, 0, end), transaction, conditional: false }];
    let (path, direction, framework) = (PathBuf::from(&name), Direction::Up, Framework::Plain);
    Ok(Migration {
        path,
        folder: None,
        name,
        file,
        sections,
        included: Vec::new(),
        direction,
        framework,
        age: Age::New,
        schema: None,
    })
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(std::process::Stdio::null());
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.args(["/C", command]).stdin(std::process::Stdio::null());
    shell
}

/// The last lines of standard error.
fn tail(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(STDERR_LINES)..].join("\n")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_prints_is_a_migration() {
        let mut sources = Sources::default();
        let found = from_command("echo 'select 1;'; echo warn >&2", TransactionMode::Wrapped, &mut sources).unwrap();
        assert_eq!(sources.slice(found.sections[0].span), "select 1;\n");
        assert_eq!(found.sections[0].transaction, TransactionMode::Wrapped);
    }

    #[test]
    fn failure_is_never_hidden() {
        let run =
            |command| from_command(command, TransactionMode::None, &mut Sources::default()).unwrap_err().to_string();
        let failed = run("echo 'select 1;'; echo 'no such app' >&2; exit 3");
        assert_eq!(failed, "`echo 'select 1;'; echo 'no such app' >&2; exit 3` failed (exit status: 3):\nno such app");
        assert_eq!(run("echo nothing >&2"), "`echo nothing >&2` printed no SQL:\nnothing");
        assert!(run("printf 'a\\377'").contains(":1:2: is not UTF-8: byte 0xFF"));
        assert!(run("no-such-command-anywhere").contains("failed (exit status: 127)"));
        let long = run("seq 1 1000 >&2; exit 1");
        assert!(long.ends_with("\n999\n1000") && long.contains("\n981\n") && !long.contains("\n980\n"));
    }
}
