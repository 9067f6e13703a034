//! Text to plans: EXPLAIN's JSON and text formats, by themselves or in what a log, psql or a person put around them.
//!
//! Both formats are read into the same raw properties (`raw`), and one place (`build`) says what those mean.

mod build;
mod find;
mod json;
mod raw;
mod text;
mod text_node;
mod text_property;

use super::Plan;
use find::{Found, Line};
use raw::RawPlan;

/// Why a text could not be read as a plan, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ReadError {
    pub message: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl ReadError {
    fn at(line: &Line, column: usize, message: impl Into<String>) -> ReadError {
        ReadError { message: message.into(), line: line.number, column: line.offset + column + 1 }
    }
}

/// The text of a file: UTF-8, or UTF-16 as PowerShell's redirection writes it.
pub fn text_of(bytes: &[u8]) -> String {
    let units = |read: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes[2..].chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect()
    };
    match bytes {
        [0xFF, 0xFE, ..] => String::from_utf16_lossy(&units(u16::from_le_bytes)),
        [0xFE, 0xFF, ..] => String::from_utf16_lossy(&units(u16::from_be_bytes)),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Every plan of a text, in order.
///
/// # Errors
/// With the place, when there is none, or one of them cannot be read.
pub fn read(text: &str) -> Result<Vec<Plan>, ReadError> {
    let found = find::find(text)?;
    let mut plans = Vec::new();
    for found in found {
        if found.json {
            plans.extend(read_json(&found)?);
        } else {
            plans.push(build(text::read(&found.lines, found.bare)?, &found));
        }
    }
    if plans.is_empty() {
        let (line, column) = first_content(text);
        let message = if text.trim().is_empty() {
            "there is nothing to read; a plan as EXPLAIN prints it was expected".to_owned()
        } else {
            "no plan was found: neither EXPLAIN's text format nor its JSON".to_owned()
        };
        return Err(ReadError { message, line, column });
    }
    Ok(plans)
}

/// Whether a text holds a plan, or a broken one: it is no SQL.
pub fn is_plan(text: &str) -> bool {
    !matches!(read(text), Err(ReadError { message, .. }) if message.starts_with("no plan was found") || message.starts_with("there is nothing"))
}

fn first_content(text: &str) -> (usize, usize) {
    let line = text.lines().position(|line| !line.trim().is_empty());
    let column = line.and_then(|line| text.lines().nth(line)).and_then(|line| line.find(|c: char| !c.is_whitespace()));
    (line.unwrap_or(0) + 1, column.unwrap_or(0) + 1)
}

fn read_json(found: &Found) -> Result<Vec<Plan>, ReadError> {
    let text = find::join(&found.lines);
    let end = json::value_end(text.trim_start()).map_or(text.len(), |end| end + text.len() - text.trim_start().len());
    let plans = json::read(&text[..end]).map_err(|error| {
        let line = &found.lines[(error.line - 1).min(found.lines.len() - 1)];
        // serde_json counts columns in bytes.
        let column = line.text.char_indices().take_while(|(at, _)| at + 1 < error.column).count();
        ReadError::at(line, column, error.message)
    })?;
    Ok(plans.into_iter().map(|plan| build(plan, found)).collect())
}

fn build(raw: RawPlan, found: &Found) -> Plan {
    let mut plan = build::plan(&raw);
    plan.query = plan.query.or_else(|| found.query.clone());
    plan.duration = found.duration;
    plan
}
