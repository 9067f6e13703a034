//! Takes off what carries a plan: what a log, a client, a mail, a web page or an editor puts around its lines.
//!
//! In: a text. Out: its lines as EXPLAIN printed them, each with the place where it stood. Web pages lose their tags, envelopes (JSON and CSV records,
//! literals of programs) are opened, plans side by side are taken apart,
//! then each run of lines loses what all of its plan lines have in common: prefixes, quotes, borders, tabs. Lines that were broken are
//! put together again. Knows what a line of a plan looks like, but not what it says.

mod columns;
mod encoding;
mod envelope;
mod flat;
mod frame;
mod json_frame;
mod literal;
mod object;
mod page;
mod prefix;
mod wrap;
mod yaml_frame;

pub(super) use frame::is_rule;

use super::{number_line, text_node};

/// A line without what stood around it, and where it stood.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub text: String,
    /// From 1.
    pub number: usize,
    /// Characters that were taken off at the start.
    pub offset: usize,
    /// The first of a log entry, or outside of what is quoted: nothing goes on across it.
    pub begins_entry: bool,
}

/// Layers around layers: a log in JSON inside of a container's log, a quoted mail inside of a comment.
const MOST_LAYERS: usize = 5;

/// The lines of a text, undecorated.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let opened = envelope::open_document(text).or_else(|| object::open(text));
    if opened.is_none() && is_json(text) {
        return encoding::plain(text);
    }
    let mut lines = opened.unwrap_or_else(|| encoding::plain(text));
    page::strip(&mut lines);
    columns::split(&mut lines);
    frame::psql(&mut lines);
    for _ in 0..MOST_LAYERS {
        json_frame::open(&mut lines);
        let opened = envelope::open_records(&mut lines) | literal::open(&mut lines);
        let stripped = chunks(&mut lines, |chunk| {
            if json_frame::is_json(chunk) {
                json_frame::strip(chunk)
            } else if yaml_frame::is_yaml(chunk) {
                yaml_frame::strip(chunk)
            } else {
                frame::strip(chunk) | prefix::strip(chunk)
            }
        });
        lines.iter_mut().for_each(frame::escaped_tabs);
        if !stripped && !opened {
            break;
        }
    }
    frame::psql(&mut lines);
    chunks(&mut lines, |chunk| {
        frame::tabs(chunk);
        false
    });
    json_frame::open(&mut lines);
    let lines = wrap::join(flat::split(lines));
    lines
        .into_iter()
        .map(|line| Line { begins_entry: line.begins_entry || begins_log_entry(&line.text), ..line })
        .collect()
}

/// A plan in JSON with nothing around it: its strings may look like decoration. In a log's record the quotes of a plan's keys are escaped.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['[', '{'])
        && text.contains("\"Node Type\":")
        && serde_json::from_str::<serde::de::IgnoredAny>(text.trim()).is_ok()
}

/// Runs a step on each run of lines between empty ones; whether it changed something.
fn chunks(lines: &mut [Line], mut step: impl FnMut(&mut [Line]) -> bool) -> bool {
    let chunks = lines.split_mut(|line| line.text.is_empty());
    chunks.filter(|chunk| !chunk.is_empty()).fold(false, |changed, chunk| step(chunk) | changed)
}

/// Lines of a chunk that surely belong to a plan: those with costs or times, or else those with an arrow.
fn plan_lines(chunk: &[Line]) -> Vec<usize> {
    let having = |is: fn(&str) -> bool| -> Vec<usize> {
        (0..chunk.len()).filter(|at| is(&chunk[*at].text) && !prefix::is_prose(&chunk[*at].text)).collect()
    };
    let numbers = having(number_line::is_one);
    // Without costs, what follows an arrow has to be a node.
    let arrow = |text: &str| text.split_once("->  ").is_some_and(|(_, name)| text_node::begins_with_known(name));
    if numbers.is_empty() { having(arrow) } else { numbers }
}

/// Whether a text begins with a node, with its arrow or without.
fn is_node_start(text: &str) -> bool {
    let content = text.trim_start();
    match content.strip_prefix("->") {
        Some(name) => text_node::begins_with_known(name.trim_start()) || number_line::is_marked(name),
        None => text_node::begins_with_known(content),
    }
}

impl Line {
    /// Takes bytes off the start.
    fn skip(&mut self, bytes: usize) {
        self.offset += self.text[..bytes].chars().count();
        self.text.replace_range(..bytes, "");
    }
}

/// What `log_line_prefix` may hold cannot be told; how serious a message is, always follows it.
fn begins_log_entry(content: &str) -> bool {
    const LEVELS: &[&str] = &[
        "LOG:  ",
        "NOTICE:  ",
        "WARNING:  ",
        "ERROR:  ",
        "INFO:  ",
        "CONTEXT:  ",
        "STATEMENT:  ",
        "DETAIL:  ",
        "HINT:  ",
        "FATAL:  ",
        "PANIC:  ",
        "DEBUG:  ",
    ];
    !content.starts_with(' ')
        && LEVELS
            .iter()
            .any(|level| content.split_once(level).is_some_and(|(prefix, _)| !prefix.contains(['\'', '"', '('])))
}
