//! What stands around a plan as JSON: marks before each of its lines, quotes of SQL and of programs around the whole, ends of lines that
//! are written as `\n`.
//!
//! Its strings may hold anything, also what looks like a line of a plan: they are left alone.

use super::Line;
use super::prefix::Prefix;

/// What stands before a document on its line is no longer than this, in bytes.
const MOST_BEFORE: usize = 120;

/// A literal goes on over no more lines than this.
const MOST_LINES: usize = 20_000;

/// Whether a run of lines holds a plan as JSON.
pub(super) fn is_json(chunk: &[Line]) -> bool {
    chunk.iter().any(|line| line.text.contains("\"Node Type\":"))
}

/// Opens documents that are written as literals.
pub(super) fn open(lines: &mut Vec<Line>) {
    if !lines.iter().any(|line| line.text.contains("Node Type")) {
        return;
    }
    let all = std::mem::take(lines);
    let mut out: Vec<Line> = Vec::with_capacity(all.len());
    let mut at = 0;
    while let Some(line) = all.get(at) {
        at += 1;
        if let Some(document) = string(&line.text) {
            out.extend(pieces(&document, line, 0));
            continue;
        }
        if let Some(start) = quoted(&line.text)
            && let Some((document, used)) = sql_literal(&line.text[start..], &all[at..])
        {
            out.extend(pieces(&document, line, start));
            at += used;
            continue;
        }
        if line.text.contains("\"Node Type\":") && line.text.contains("{\\n") {
            let mut parts = pieces(&with_ends(&line.text), line, 0);
            if let Some(first) = parts.first_mut() {
                lead_in(first);
            }
            out.extend(parts);
            continue;
        }
        out.push(line.clone());
    }
    *lines = out;
}

fn pieces(text: &str, line: &Line, before: usize) -> Vec<Line> {
    let offset = line.offset + line.text[..before].chars().count();
    let parts = text.split('\n').enumerate();
    parts
        .map(|(at, text)| Line {
            text: text.trim_end_matches('\r').to_owned(),
            number: line.number + if before > 0 { at } else { 0 },
            offset: if at == 0 { offset } else { line.offset },
            begins_entry: line.begins_entry && at == 0,
        })
        .collect()
}

/// A document in a literal of JSON, C or JavaScript on one line: `"[{\"Plan\": …"`.
fn string(text: &str) -> Option<String> {
    if !text.contains("\\\"Node Type\\\":") {
        return None;
    }
    let open = ["\"[", "\"{"].iter().filter_map(|open| text.find(open)).min()?;
    let mut values = serde_json::Deserializer::from_str(&text[open..]).into_iter::<String>();
    values.next()?.ok().filter(|document| document.contains("\"Node Type\":"))
}

/// Where a document in one single quote begins: `'[`, `PLAN='{`; not Python's three.
fn quoted(text: &str) -> Option<usize> {
    let open = ["'[", "'{"].iter().filter_map(|open| text.find(open)).min()?;
    let inside = text[open + 1..].trim_start_matches(['[', '{', ' ']);
    let is_document = inside.is_empty() || inside.starts_with("\"Plan\":");
    (open <= MOST_BEFORE && is_document && !text[..open].ends_with('\'')).then_some(open + 1)
}

/// The rest of a literal of SQL or of a shell, and how many of the following lines it takes.
fn sql_literal(first: &str, after: &[Line]) -> Option<(String, usize)> {
    let mut out = String::new();
    let texts = std::iter::once(first).chain(after.iter().map(|line| line.text.as_str()));
    for (count, text) in texts.take(MOST_LINES).enumerate() {
        let mut at = 0;
        while let Some(found) = text[at..].find('\'').map(|found| at + found) {
            out.push_str(&text[at..found]);
            let behind = &text[found + 1..];
            let doubled = ["'", "\\''"].iter().find(|escape| behind.starts_with(**escape));
            let Some(doubled) = doubled else {
                let whole = serde_json::from_str::<serde::de::IgnoredAny>(out.trim()).is_ok();
                return (whole && out.contains("\"Node Type\":")).then_some((out, count));
            };
            out.push('\'');
            at = found + 1 + doubled.len();
        }
        out.push_str(&text[at..]);
        out.push('\n');
    }
    None
}

/// `\n` outside of strings as the end of a line.
fn with_ends(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut string = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if string => {
                out.push(c);
                out.extend(chars.next());
            }
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t' | 'r') => {}
                other => out.extend(std::iter::once('\\').chain(other)),
            },
            c => {
                string ^= c == '"';
                out.push(c);
            }
        }
    }
    out
}

/// A program's own words before the document.
fn lead_in(line: &mut Line) {
    let trimmed = line.text.trim_end();
    let start = trimmed.trim_end_matches(['[', '{', ' ']).len();
    let blanks = trimmed[start..].len() - trimmed[start..].trim_start().len();
    if start > 0 && start < trimmed.len() && start <= MOST_BEFORE {
        line.skip(start + blanks);
        line.begins_entry = true;
    }
}

/// Takes off what all lines of the documents have before them, or around them; whether there was something.
pub(super) fn strip(chunk: &mut [Line]) -> bool {
    let Some(range) = extent(chunk) else { return false };
    if range.len() < 2 {
        return false;
    }
    if ends(&mut chunk[range.clone()]) {
        return true;
    }
    let framed = |line: &Line| {
        let text = line.text.trim_end().trim_end_matches([',', ';', '+']).trim_end();
        text.len() > 1 && text.starts_with('\'') && text.ends_with('\'')
    };
    if chunk[range.clone()].iter().all(framed) {
        for line in chunk[range].iter_mut() {
            let end = line.text.rfind('\'').unwrap_or(line.text.len());
            line.text.truncate(end);
            line.skip(1);
        }
        return true;
    }
    let begins = |line: &Line| {
        let text = line.text.trim_start();
        text.starts_with(['"', '{', '[', '}', ']']) && !text.starts_with("[pod/")
    };
    if chunk[range.clone()].iter().all(begins) {
        return false;
    }
    let all = |prefix: &Prefix| chunk[range.clone()].iter().all(|line| prefix(&line.text).is_some());
    let Some(prefix) = super::prefix::ALL.iter().copied().find(all) else { return false };
    for line in chunk.iter_mut() {
        match prefix(&line.text) {
            Some(bytes) => line.skip(bytes),
            None => line.begins_entry = true,
        }
    }
    true
}

/// Takes off what a client's table has behind each line of a document: its border, and psql's mark of a line that goes on. Whether there was
/// something. No line of JSON or YAML ends so.
pub(super) fn ends(document: &mut [Line]) -> bool {
    let mut changed = false;
    for end in ['|', '│', '+'] {
        // Behind the last line psql has no mark.
        let marked = match end {
            '+' => document.len().saturating_sub(1).max(1),
            _ => document.len(),
        };
        if document[..marked].iter().all(|line| line.text.trim_end().ends_with(end)) {
            for line in document.iter_mut() {
                let content = line.text.trim_end();
                line.text = content.strip_suffix(end).map_or(content, str::trim_end).to_owned();
            }
            changed = true;
        }
    }
    changed
}

/// The lines from the first of a document to the last.
fn extent(chunk: &[Line]) -> Option<std::ops::Range<usize>> {
    let is_field = |line: &Line| line.text.contains("\": ");
    let first =
        chunk.iter().position(|line| line.text.contains("\"Plan\": ") || line.text.contains("\"Node Type\": "))?;
    let last = chunk.iter().rposition(is_field)?;
    let opens = |line: &Line| line.text.trim_end().trim_end_matches(['\'', '+', '|', '│', ' ']).ends_with(['[', '{']);
    let before = chunk[..first].iter().rev().take(2).take_while(|line| opens(line)).count();
    let closes = |line: &Line| {
        let text = line.text.trim_end().trim_end_matches([',', '\'', '+', '|', '│', ' ']);
        text.ends_with(['}', ']']) && !is_field(line)
    };
    let behind = chunk[last + 1..].iter().take_while(|line| closes(line)).count();
    Some(first - before..last + 1 + behind)
}
