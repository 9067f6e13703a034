//! Running a script of pg_dump's, without psql: its commands run programs and write files as whoever runs psql, outside of every box.
//!
//! In: a server, and the script. Out: what the server refused. All that the script says is sent to the server, or the script is refused.

use std::io::{self, BufRead};

use super::Server;
use super::wire::Wire;
use crate::sql::{Cut, Cutter, Part};

/// What psql does for these changes nothing in the database: it says something, or keeps itself from running other commands.
const HARMLESS: &[&str] = &["restrict", "unrestrict", "echo", "qecho", "warn", "timing", "pset", "."];

/// psql's own variables that scripts set. Others would stand in statements, where the server refuses `:name`.
const PSQL_VARIABLES: &[&str] = &["ON_ERROR_STOP", "ON_ERROR_ROLLBACK", "QUIET", "ECHO", "VERBOSITY"];

/// Statements that the server refused.
#[derive(Debug, Default)]
pub struct Refusals {
    pub count: usize,
    /// The first, with its line.
    pub first: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    #[error("line {line}: {command} is for psql, which is not run: only scripts as pg_dump writes them are restored")]
    Command { line: usize, command: String },
    #[error("line {line}: \\connect begins a second database: dump one with pg_dump")]
    SecondDatabase { line: usize },
    #[error("line {line}: a statement begins on the line of COPY … FROM stdin and ends after its rows")]
    Divided { line: usize },
    #[error("line {line}: not UTF-8. Dump with pg_dump --encoding=UTF8")]
    Encoding { line: usize },
    #[error("line {line}: {source}")]
    Read { line: usize, source: io::Error },
    #[error("line {line}: the server is gone: {source}")]
    Server { line: usize, source: io::Error },
}

impl Server {
    /// Runs a script in a database statement by statement, as psql does without ON_ERROR_STOP.
    ///
    /// # Errors
    /// [`ScriptError`] where it says what only psql could do, cannot be read, or the connection is lost.
    pub fn run_script(&self, database: &str, script: impl BufRead) -> Result<Refusals, ScriptError> {
        let wire = Wire::connect(self, database).map_err(|source| ScriptError::Server { line: 1, source })?;
        let lines = Lines { script, number: 0 };
        let mut run = Run { wire, lines, databases: Databases::None, refusals: Refusals::default() };
        let mut cutter = Cutter::default();
        let mut bytes = Vec::new();
        while run.lines.read(&mut bytes)? {
            let line = run.lines.number;
            let text = std::str::from_utf8(&bytes).map_err(|_| ScriptError::Encoding { line })?;
            // A byte order mark is none of the statement's.
            let text = if line == 1 { text.trim_start_matches('\u{feff}') } else { text };
            if let Some(cut) = cutter.line(text) {
                run.send(&cut)?;
            }
            bytes.clear();
        }
        if let Some(cut) = cutter.end() {
            run.send(&cut)?;
        }
        Ok(run.refusals)
    }
}

struct Lines<S> {
    script: S,
    /// Of the line that was read last.
    number: usize,
}

impl<S: BufRead> Lines<S> {
    /// Adds the next line to `bytes`; false where there is none.
    fn read(&mut self, bytes: &mut Vec<u8>) -> Result<bool, ScriptError> {
        let read = self.script.read_until(b'\n', bytes);
        let length = read.map_err(|source| ScriptError::Read { line: self.number + 1, source })?;
        self.number += usize::from(length > 0);
        Ok(length > 0)
    }

    /// The same of a row of COPY, whose rows end at `\.` or with the script.
    fn row(&mut self, bytes: &mut Vec<u8>) -> Result<bool, ScriptError> {
        let start = bytes.len();
        let is_row = self.read(bytes)? && !matches!(&bytes[start..], b"\\.\n" | b"\\.\r\n" | b"\\.");
        if !is_row {
            bytes.truncate(start);
        }
        Ok(is_row)
    }
}

/// `pg_dump --create` makes the database and connects to it; here it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Databases {
    None,
    Made,
    Connected,
}

struct Run<S> {
    wire: Wire,
    lines: Lines<S>,
    databases: Databases,
    refusals: Refusals,
}

impl<S: BufRead> Run<S> {
    fn send(&mut self, cut: &Cut) -> Result<(), ScriptError> {
        // It ends with the line that was read last.
        let begins = (self.lines.number + 1).saturating_sub(cut.text.split_inclusive('\n').count()).max(1);
        for part in &cut.parts {
            let text = cut.text.get(part.range()).unwrap_or_default();
            let line = begins + cut.text[..part.range().start].matches('\n').count();
            let refused = match part {
                Part::Divided(_) => return Err(ScriptError::Divided { line }),
                Part::Command(_) => {
                    self.command(line, text)?;
                    None
                }
                Part::Statement(_) if is_about_databases(text) => {
                    self.databases = self.databases.max(Databases::Made);
                    None
                }
                // The server may wait for rows where none follow.
                Part::Statement(_) => self.wire.send(text, |_| Ok(false)).map_err(|source| lost(line, source))?,
                Part::TakesRows(_) => self.copy(line, text)?,
            };
            if let Some(message) = refused {
                self.refusals.count += 1;
                self.refusals.first.get_or_insert_with(|| format!("line {line}: {message}"));
            }
        }
        Ok(())
    }

    /// Sends COPY and its rows. Where the server does not ask for them, they are left out.
    fn copy(&mut self, line: usize, sql: &str) -> Result<Option<String>, ScriptError> {
        let mut unread = None;
        let mut more = true;
        let lines = &mut self.lines;
        let refused = self.wire.send(sql, |lot| match lines.row(lot) {
            Ok(is_row) => {
                more = is_row;
                Ok(is_row)
            }
            Err(error) => {
                unread = Some(error);
                Err(io::ErrorKind::InvalidData.into())
            }
        });
        if let Some(error) = unread {
            return Err(error);
        }
        let refused = refused.map_err(|source| lost(line, source))?;
        let mut skipped = Vec::new();
        while more && self.lines.row(&mut skipped)? {
            skipped.clear();
        }
        Ok(refused)
    }

    fn command(&mut self, line: usize, text: &str) -> Result<(), ScriptError> {
        let mut words = text.trim_start_matches('\\').split_whitespace();
        let name = words.next().unwrap_or_default();
        match name {
            _ if HARMLESS.contains(&name) => Ok(()),
            "set" if words.next().is_some_and(|variable| PSQL_VARIABLES.contains(&variable)) => Ok(()),
            "c" | "connect" if self.databases == Databases::Made => {
                self.databases = Databases::Connected;
                Ok(())
            }
            "c" | "connect" => Err(ScriptError::SecondDatabase { line }),
            _ => Err(ScriptError::Command { line, command: text.to_owned() }),
        }
    }
}

/// CREATE, ALTER and DROP DATABASE.
fn is_about_databases(sql: &str) -> bool {
    let mut words = sql.split_whitespace();
    let verb = words.next().unwrap_or_default();
    ["CREATE", "ALTER", "DROP"].iter().any(|of| verb.eq_ignore_ascii_case(of))
        && words.next().is_some_and(|word| word.eq_ignore_ascii_case("DATABASE"))
}

fn lost(line: usize, source: io::Error) -> ScriptError {
    ScriptError::Server { line, source }
}
