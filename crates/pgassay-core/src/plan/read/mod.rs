//! Text to plans: EXPLAIN's formats, by themselves or in what a log, a client or a person put around them.
//!
//! What carries a plan is taken off first (`undecorate`), then plans are found among the lines (`find`). All formats are read into the same raw properties (`raw`), and one place (`build`) says what those mean.

mod build;
mod find;
mod group;
mod json;
mod markup;
mod measure;
mod number_line;
mod pieces;
mod raw;
mod shape;
mod text;
mod text_node;
mod text_property;
mod text_summary;
mod undecorate;

use super::Plan;
use find::{Finder, Format, Found};
use group::{Groups, Item};
use raw::RawPlan;
use undecorate::Line;

pub use pieces::{Piece, Pieces};

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
    // Without a mark too: Latin letters have every second byte empty.
    let empty = |from: usize| bytes.len() >= 8 && bytes[..8].iter().skip(from).step_by(2).all(|byte| *byte == 0);
    match bytes {
        _ if empty(0) != empty(1) => match empty(1) {
            true => String::from_utf16_lossy(&units_of(bytes, u16::from_le_bytes)),
            false => String::from_utf16_lossy(&units_of(bytes, u16::from_be_bytes)),
        },
        [0xFF, 0xFE, ..] => String::from_utf16_lossy(&units_of(&bytes[2..], u16::from_le_bytes)),
        [0xFE, 0xFF, ..] => String::from_utf16_lossy(&units_of(&bytes[2..], u16::from_be_bytes)),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn units_of(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect()
}

/// Whether a text is written in 16 bits a character: its lines are told apart once all of it is read.
pub fn is_wide(start: &[u8]) -> bool {
    start.contains(&0) || matches!(start, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..])
}

/// What was found in a text.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// In order.
    pub plans: Vec<Plan>,
    /// What looks like a plan and could not be read; it costs none of the others.
    pub problems: Vec<ReadError>,
}

/// Every plan of a text, and what could not be read.
pub fn read_all(text: &str) -> Reading {
    let mut reading = Reading::default();
    each(text, |plan| match plan {
        Ok(plan) => reading.plans.push(plan),
        Err(problem) => reading.problems.push(problem),
    });
    reading
}

/// Hands over every plan of a text as it is read, or why one could not be, so that a long log need not be held as plans.
pub fn each(text: &str, take: impl FnMut(Result<Plan, ReadError>)) {
    each_in(text, &[false, true], take);
}

/// The same of a piece of a long log, with the places that its problems have there. In a part, a plan has costs or times.
pub fn each_of(piece: &Piece, mut take: impl FnMut(Result<Plan, ReadError>)) {
    let bare: &[bool] = if piece.whole { &[false, true] } else { &[false] };
    each_in(&piece.text, bare, |plan| {
        take(plan.map_err(|problem| ReadError { line: problem.line + piece.lines_before, ..problem }));
    });
}

fn each_in(text: &str, modes: &[bool], mut take: impl FnMut(Result<Plan, ReadError>)) {
    if undecorate::is_json(text)
        && let Ok(plans) = json::read(text.trim())
    {
        return plans.into_iter().map(build::plan).for_each(|plan| take(Ok(plan)));
    }
    let lines = undecorate::lines(text);
    let mut any = false;
    for bare in modes.iter().copied() {
        let mut groups = Groups::new(&lines);
        let mut hand_over = |results: Vec<Result<Vec<Plan>, ReadError>>| {
            for result in results {
                match result {
                    Ok(plans) => plans.into_iter().for_each(|plan| take(Ok(plan))),
                    Err(problem) => take(Err(problem)),
                }
            }
        };
        for (range, found) in Finder::new(&lines, bare) {
            any = true;
            let result = found.and_then(|found| read_found(&lines, &found));
            hand_over(groups.add(Item { lines: range, result }));
        }
        hand_over(groups.finish());
        if any {
            return;
        }
    }
}

/// Every plan of a text, in order.
///
/// # Errors
/// With the place, when there is none that can be read.
pub fn read(text: &str) -> Result<Vec<Plan>, ReadError> {
    let reading = read_all(text);
    match reading.problems.into_iter().next() {
        _ if !reading.plans.is_empty() => Ok(reading.plans),
        Some(problem) => Err(problem),
        None => Err(nothing_in(text)),
    }
}

fn nothing_in(text: &str) -> ReadError {
    let (line, column) = first_content(text);
    let message = if text.trim().is_empty() {
        "there is nothing to read; a plan as EXPLAIN prints it was expected".to_owned()
    } else {
        "no plan was found: none of EXPLAIN's formats".to_owned()
    };
    ReadError { message, line, column }
}

/// Whether a text holds a plan, or a broken one: it is no SQL.
pub fn is_plan(text: &str) -> bool {
    let reading = read_all(text);
    !reading.plans.is_empty() || !reading.problems.is_empty()
}

fn first_content(text: &str) -> (usize, usize) {
    let line = text.lines().position(|line| !line.trim().is_empty());
    let column = line.and_then(|line| text.lines().nth(line)).and_then(|line| line.find(|c: char| !c.is_whitespace()));
    (line.unwrap_or(0) + 1, column.unwrap_or(0) + 1)
}

fn read_found(lines: &[Line], found: &Found) -> Result<Vec<Plan>, ReadError> {
    let lines = &lines[found.lines.clone()];
    let line = |number: usize| &lines[number.saturating_sub(1).min(lines.len() - 1)];
    let plans = match found.format {
        Format::Text => {
            let read = text::read(lines, found.bare)?;
            // A root has no arrow.
            let part = text::is_arrow(lines[0].text.trim_start())
                .then(|| "the plan is cut: what is above node 1 is not here".to_owned());
            return Ok(vec![Plan { cut: part.or(read.cut), ..build(read.plan, found) }]);
        }
        Format::Json => {
            let text = find::join(lines);
            let blanks = text.len() - text.trim_start().len();
            let end = json::value_end(text.trim_start()).map_or(text.len(), |end| end + blanks);
            json::read(&text[..end]).map_err(|error| {
                let line = line(error.line);
                // serde_json counts columns in bytes.
                let column = line.text.char_indices().take_while(|(at, _)| at + 1 < error.column).count();
                ReadError::at(line, column, error.message)
            })?
        }
        Format::Yaml => {
            markup::yaml(&find::join(lines)).map_err(|error| ReadError::at(line(error.line), 0, error.message))?
        }
        Format::Xml => {
            let text = find::join(lines);
            let end = text.find("</explain>").map_or(text.len(), |at| at + "</explain>".len());
            markup::xml(text[..end].trim_start()).map_err(|error| ReadError::at(line(error.line), 0, error.message))?
        }
    };
    // The other documents do not end before they are whole.
    let cut = |plan: &RawPlan| (found.format == Format::Yaml).then(|| shape::missing(plan)).flatten();
    Ok(plans.into_iter().map(|plan| Plan { cut: cut(&plan), ..build(plan, found) }).collect())
}

fn build(raw: RawPlan, found: &Found) -> Plan {
    let mut plan = build::plan(raw);
    plan.query = plan.query.or_else(|| found.query.clone());
    plan.duration = found.duration;
    plan
}
