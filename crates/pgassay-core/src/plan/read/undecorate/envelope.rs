//! Records that hold lines of a log or rows of a result: JSON documents, JSON lines, CSV.

use serde_json::Value;

use super::Line;
use crate::plan::read::{find, number_line};

/// Keys whose value is a message of a log or a row of EXPLAIN's result.
const KEYS: &[&str] = &["message", "log", "textpayload", "query plan", "@message", "line", "body"];

/// What stands before a record on its line is no longer than this, in bytes.
const MOST_BEFORE_RECORD: usize = 120;

/// Columns of CSV files with such values.
const COLUMNS: &[&str] = &["message", "textpayload", "query plan", "@message"];

/// Opens a text that is one JSON document or one CSV file around lines; `None` if it is neither.
pub(super) fn open_document(text: &str) -> Option<Vec<Line>> {
    let trimmed = text.trim_start_matches('\u{feff}').trim_start();
    match trimmed.chars().next()? {
        '{' | '[' | '"' if !text.contains("\"Node Type\"") && may_be_json(trimmed) => {
            let Ok(value) = serde_json::from_str::<Value>(trimmed.trim_end()) else { return csv_document(text) };
            let mut lines = Vec::new();
            if names_key(text) {
                messages(&value, 1, &mut lines);
            }
            if !lines.iter().any(|line| holds_plan(&line.text)) {
                lines.clear();
                strings(&value, MOST_NESTED, &mut lines);
            }
            (!lines.is_empty()).then_some(lines)
        }
        _ => csv_document(text),
    }
}

/// Cheap: a log begins with a bracket too.
fn may_be_json(trimmed: &str) -> bool {
    trimmed.trim_end().ends_with([']', '}', '"'])
}

/// Whether a string has a node of a plan in it, or a plan as JSON or YAML.
fn holds_plan(text: &str) -> bool {
    number_line::is_marked(text) || text.contains("\"Node Type\"") || text.contains("Node Type: \"")
}

/// Documents in strings of documents, which are in strings of documents.
const MOST_NESTED: usize = 4;

/// The plans of a JSON value as lines, those of its strings too, with the line of the text that the value stands on.
pub(super) fn plans_in(value: &Value, number: usize, lines: &mut Vec<Line>) {
    let from = lines.len();
    strings(value, MOST_NESTED, lines);
    lines[from..].iter_mut().for_each(|line| line.number = number);
}

/// The strings of a JSON value that hold a plan, whatever their keys; those of a list are its lines.
fn strings(value: &Value, nested: usize, lines: &mut Vec<Line>) {
    let mut push = |text: &str, begins: bool| {
        let text = text.strip_suffix('\n').unwrap_or(text);
        lines.extend(text.split('\n').enumerate().map(|(at, text)| Line {
            text: text.strip_suffix('\r').unwrap_or(text).to_owned(),
            number: 1,
            offset: 0,
            begins_entry: begins && at == 0,
        }));
    };
    match value {
        Value::String(text) => match document_in(text).filter(|_| nested > 0) {
            Some(document) => strings(&document, nested - 1, lines),
            None if holds_plan(text) => push(text, true),
            None => {}
        },
        Value::Array(items) => {
            let rows: Option<Vec<&str>> = items.iter().map(only_string).collect();
            match rows {
                Some(rows) if rows.iter().any(|row| holds_plan(row)) => {
                    rows.iter().enumerate().for_each(|(at, row)| push(row, at == 0));
                }
                _ => items.iter().for_each(|item| strings(item, nested, lines)),
            }
        }
        Value::Object(object) if object.get("Plan").is_some_and(|plan| plan.get("Node Type").is_some()) => {
            push(&serde_json::to_string_pretty(value).unwrap_or_default(), true);
        }
        Value::Object(object) => object.values().for_each(|value| strings(value, nested, lines)),
        _ => {}
    }
}

/// The document that a string holds, if that is no plan by itself but has one in its strings.
fn document_in(text: &str) -> Option<Value> {
    let begins = text.trim_start().starts_with(['[', '{', '"']);
    let escaped = text.contains("\\\"Node Type\\") || number_line::is_marked(text) || text.contains("Node Type: \\\"");
    let value = || serde_json::from_str(text.trim()).ok();
    (begins && escaped && !text.contains("\"Node Type\":")).then(value)?
}

/// A string, or a row with nothing but one, or with a stamp in digits before it (Loki).
fn only_string(value: &Value) -> Option<&str> {
    let is_stamp = |value: &Value| value.as_str().is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match value {
        Value::String(text) => Some(text),
        Value::Array(items) if items.len() == 1 => items[0].as_str(),
        Value::Array(items) if items.len() == 2 && is_stamp(&items[0]) => items[1].as_str(),
        Value::Object(object) if object.len() == 1 => object.values().next()?.as_str(),
        _ => None,
    }
}

fn names_key(text: &str) -> bool {
    let head: String = text.chars().take(100_000).collect::<String>().to_lowercase();
    KEYS.iter().any(|key| head.contains(&format!("\"{key}\"")))
}

/// Opens lines that are JSON records, and messages of the server's CSV log; whether there were any.
pub(super) fn open_records(lines: &mut Vec<Line>) -> bool {
    // A stamp may stand before it.
    let record = |line: &Line| line.text.find("{\"").filter(|at| *at <= MOST_BEFORE_RECORD);
    let is_json = |line: &Line| line.text.ends_with('}') && record(line).is_some() && names_key(&line.text);
    let is_csv = |line: &Line| message_field(&line.text).is_some();
    if !lines.iter().any(|line| is_json(line) || is_csv(line)) {
        return false;
    }
    let mut opened = Vec::with_capacity(lines.len());
    let mut changed = false;
    // Inside of a field that goes on over lines.
    let mut field = false;
    // The line after a field's end is another record's.
    let mut ended_before = false;
    // A container's log breaks long lines: the next record goes on with it.
    let mut partial = false;
    for line in lines.drain(..) {
        if field || is_csv(&line) {
            let start = if field { 0 } else { message_field(&line.text).unwrap_or(0) };
            let (text, ended) = csv_field(&line.text[start..]);
            opened.push(Line { text, begins_entry: !field, offset: line.offset + start, ..line });
            (field, changed, ended_before) = (!ended, true, ended);
            continue;
        }
        let start = record(&line).filter(|_| is_json(&line));
        let value = start.and_then(|start| serde_json::from_str::<Value>(&line.text[start..]).ok());
        let begins_entry = std::mem::take(&mut ended_before) || line.begins_entry;
        let line = Line { begins_entry, ..line };
        let mut found = Vec::new();
        if let Some(value) = &value {
            messages(value, line.number, &mut found);
        }
        if found.is_empty() {
            opened.push(line);
            continue;
        }
        changed = true;
        let unfinished = value.as_ref().and_then(|value| value.get("log")).and_then(Value::as_str);
        let unfinished = unfinished.is_some_and(|log| !log.ends_with('\n') && log.len() > 8192);
        for message in found {
            match opened.last_mut().filter(|_| std::mem::take(&mut partial)) {
                Some(last) => last.text.push_str(&message.text),
                None => opened.push(message),
            }
        }
        partial = unfinished;
    }
    *lines = opened;
    changed
}

/// Where the quoted field of a CSV record begins that goes on with a plan in the next lines: the message of the server's own log, or a line
/// of any log in a column of an export.
fn message_field(text: &str) -> Option<usize> {
    let at = text.find("duration: ")?;
    find::logged_duration(text)?;
    let start = text[..at].rfind('"')? + 1;
    let before = &text[..start - 1];
    (before.is_empty() || before.ends_with(',')).then_some(start)
}

/// The lines of all messages of a JSON value, in order.
fn messages(value: &Value, number: usize, lines: &mut Vec<Line>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| messages(item, number, lines)),
        Value::Object(object) => {
            let found =
                object.iter().find(|(key, value)| value.is_string() && KEYS.contains(&key.to_lowercase().as_str()));
            match found {
                Some((key, Value::String(text))) => {
                    let text = text.strip_suffix('\n').unwrap_or(text);
                    // The server's own records are an entry each; a container's are a line each.
                    let is_row = key.eq_ignore_ascii_case("query plan");
                    let entry = !is_row
                        && (object.contains_key("error_severity")
                            || text.contains('\n')
                            || text.starts_with("duration: "));
                    lines.extend(text.split('\n').enumerate().map(|(at, text)| Line {
                        text: text.strip_suffix('\r').unwrap_or(text).to_owned(),
                        number,
                        offset: 0,
                        begins_entry: entry && at == 0,
                    }));
                }
                _ => object.values().for_each(|value| messages(value, number, lines)),
            }
        }
        _ => {}
    }
}

/// A CSV file with a header that names a column of messages or rows, or one field with a plan as JSON.
fn csv_document(text: &str) -> Option<Vec<Line>> {
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = text.lines();
    let first = lines.next()?;
    // A table of psql begins alike.
    if first.starts_with(' ') || lines.next().is_some_and(|second| second.starts_with("--")) {
        return None;
    }
    let bare = first.starts_with('"')
        && ["\"\"Plan\"\"", "\"\"Node Type\"\"", "Node Type: \"\""].iter().any(|mark| text.contains(mark));
    let header: Vec<String> = records(first).next()?.1.iter().map(|name| name.trim().to_lowercase()).collect();
    let column = header.iter().position(|name| COLUMNS.contains(&name.as_str()));
    let quoted = text.lines().any(|line| line.starts_with('"') || line.contains(",\""));
    let (column, rows) = match column {
        Some(column) if (quoted || header.len() > 1) && (header.len() > 1 || header[column] == "query plan") => {
            (column, header[column] == "query plan")
        }
        // A header in quotes of its own, or none.
        _ if bare => (0, true),
        _ => return None,
    };
    let mut lines = Vec::new();
    for (number, fields) in records(text).skip(usize::from(!bare || column > 0)) {
        let Some(field) = fields.get(column) else { continue };
        let entry = !rows && (field.contains('\n') || field.starts_with("duration: "));
        lines.extend(field.strip_suffix('\n').unwrap_or(field).split('\n').enumerate().map(|(at, text)| Line {
            text: text.strip_suffix('\r').unwrap_or(text).to_owned(),
            number: number + at,
            offset: 0,
            begins_entry: entry && at == 0,
        }));
    }
    // Rows of a plan that has no times or costs may be anything; then nothing is lost by leaving the text as it is.
    (!lines.is_empty()).then_some(lines)
}

/// The records of a CSV text, with the line where each begins.
fn records(text: &str) -> impl Iterator<Item = (usize, Vec<String>)> {
    let mut rest = text;
    let mut number = 1;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let begin = number;
        let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
        let mut end = rest.len();
        let mut chars = rest.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' if quoted && chars.peek().is_some_and(|(_, next)| *next == '"') => {
                    chars.next();
                    field.push('"');
                }
                '"' if quoted => quoted = false,
                '"' if field.is_empty() => quoted = true,
                ',' if !quoted => fields.push(std::mem::take(&mut field)),
                '\n' if !quoted => {
                    end = at + 1;
                    break;
                }
                '\r' if !quoted => {}
                c => field.push(c),
            }
        }
        number += rest[..end].matches('\n').count();
        rest = &rest[end..];
        fields.push(field);
        Some((begin, fields))
    })
}

/// The text of a quoted field up to its end or the end of the line, and whether it ended.
fn csv_field(raw: &str) -> (String, bool) {
    let mut field = String::new();
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => return (field, true),
            c => field.push(c),
        }
    }
    (field, false)
}
