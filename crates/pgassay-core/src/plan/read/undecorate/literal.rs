//! Lines of a plan as literals of a program: Python's, Ruby's and JavaScript's lists of rows, one string with `\n` in it, strings that
//! are put together.

use super::{Line, is_node_start};
use crate::plan::read::number_line;

/// Opens the literals of a run of lines if all nodes are inside of some; whether that is so.
pub(super) fn open(lines: &mut Vec<Line>) -> bool {
    let mut changed = false;
    let mut out = Vec::with_capacity(lines.len());
    let mut chunk: Vec<Line> = Vec::new();
    for line in lines.drain(..) {
        let ends = line.text.is_empty();
        chunk.push(line);
        if ends {
            changed |= open_chunk(&mut chunk, &mut out);
        }
    }
    changed |= open_chunk(&mut chunk, &mut out);
    *lines = out;
    changed
}

fn open_chunk(chunk: &mut Vec<Line>, out: &mut Vec<Line>) -> bool {
    let is_inside = |line: &&Line| number_line::is_marked(&line.text) && first_node(&line.text).is_some();
    let inside: Vec<&Line> = chunk.iter().filter(is_inside).collect();
    if super::json_frame::is_json(chunk) {
        out.append(chunk);
        return false;
    }
    let outside = chunk.iter().any(|line| number_line::is_one(&line.text) && !is_inside(&line));
    // Quotes at both ends of a line and nothing more are a client's, and opened elsewhere.
    let more = inside.iter().any(|line| {
        let text = line.text.trim_end().trim_end_matches([',', ';']);
        let framed =
            ['"', '\''].iter().any(|quote| text.len() > 1 && text.starts_with(*quote) && text.ends_with(*quote));
        !framed || text.contains("\\n")
    });
    if inside.is_empty() || outside || !more {
        out.append(chunk);
        return false;
    }
    for line in chunk.drain(..) {
        let found = literals(&line.text);
        if found.is_empty() {
            // Brackets between rows.
            if line.text.is_empty() || line.text.contains(char::is_alphanumeric) {
                out.push(Line { begins_entry: !line.text.is_empty(), ..line });
            }
            continue;
        }
        for (offset, literal) in found {
            let literal = literal.strip_suffix('\n').unwrap_or(&literal);
            out.extend(literal.split('\n').map(|text| Line {
                text: text.to_owned(),
                offset: line.offset + offset,
                number: line.number,
                begins_entry: false,
            }));
        }
    }
    true
}

/// Where the literal begins that has a node in it, and ends on the same line.
fn first_node(text: &str) -> Option<usize> {
    let mut places = text.char_indices().filter(|(_, c)| matches!(c, '"' | '\'' | '`'));
    let place = places.find(|(at, _)| is_node_start(&text[at + 1..])).map(|(at, _)| at)?;
    literal(&text[place..]).filter(|(content, _)| number_line::is_marked(content)).map(|_| place)
}

/// The literals of a line, with where they begin in characters, without names of fields.
fn literals(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(['"', '\'', '`']).map(|found| at + found) {
        let Some((literal, length)) = literal(&text[start..]) else { break };
        at = start + length;
        let behind = text[at..].trim_start();
        let is_name = behind.starts_with(':') && !behind.starts_with("::") || behind.starts_with("=>");
        if !is_name && !literal.trim().eq_ignore_ascii_case("query plan") {
            found.push((text[..start].chars().count() + 1, literal));
        }
    }
    found
}

/// The content of the literal that a text begins with, and its length in bytes with its quotes; `None` if it does not end.
fn literal(text: &str) -> Option<(String, usize)> {
    let mut chars = text.char_indices().peekable();
    let (_, quote) = chars.next()?;
    let mut out = String::new();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, 'r')) => {}
                Some((at, 'u')) => {
                    let code = text.get(at + 1..at + 5).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                    match code.and_then(char::from_u32) {
                        Some(c) => {
                            out.push(c);
                            chars.nth(3);
                        }
                        None => out.push_str("\\u"),
                    }
                }
                Some((_, c @ ('"' | '\'' | '\\' | '/' | '`'))) => out.push(c),
                Some((_, c)) => out.extend(['\\', c]),
                None => out.push('\\'),
            },
            c if c == quote => {
                // SQL doubles a quote inside.
                if !out.is_empty() && chars.peek().is_some_and(|(_, next)| *next == quote) {
                    chars.next();
                    out.push(quote);
                } else {
                    return Some((out, at + c.len_utf8()));
                }
            }
            c => out.push(c),
        }
    }
    None
}
