//! A plan as the object that a program prints: Python's `repr` and `pprint`, Ruby's `inspect`, JavaScript with bare names.
//!
//! In: a text. Out: the lines of the plans in it, as JSON. What is no object to the end of its brackets is left alone.

use std::iter::Peekable;
use std::str::CharIndices;

use serde_json::Value;

use super::{Line, envelope};
use crate::plan::read::json;

/// Opens a text whose plans are such objects; `None` where there is none.
pub(super) fn open(text: &str) -> Option<Vec<Line>> {
    const MARKS: &[&str] = &["'Node Type':", "\"Node Type\"=>", "\"Node Type\" =>"];
    // A document in a string of such an object.
    let quoted = || ["'[\\n", "'{\\n"].iter().any(|mark| text.contains(mark)) && text.contains("\"Node Type\":");
    if !MARKS.iter().any(|mark| text.contains(mark)) && !quoted() {
        return None;
    }
    let mut lines = Vec::new();
    let mut at = 0;
    // What stands between the objects may have brackets too, but not many.
    let mut failures = 0;
    while let Some(start) = text[at..].find(['[', '(', '{']).map(|found| at + found) {
        let opened = as_json(&text[start..]);
        let value = opened.as_ref().and_then(|(json, _)| serde_json::from_str::<Value>(json).ok());
        match (opened, value) {
            (Some((json, length)), Some(value)) => {
                let number = text[..start].matches('\n').count() + 1;
                // As it stands, if it is a plan: its fields keep their order.
                match json::read(&json) {
                    Ok(_) => lines.push(Line { text: json, number, offset: 0, begins_entry: true }),
                    Err(_) => envelope::plans_in(&value, number, &mut lines),
                }
                at = start + length;
            }
            _ => {
                failures += 1;
                at = start + 1;
            }
        }
        if failures > 20 {
            return None;
        }
    }
    (!lines.is_empty()).then_some(lines)
}

/// The object that a text begins with as JSON, and its length in bytes.
fn as_json(text: &str) -> Option<(String, usize)> {
    let mut out = String::with_capacity(text.len());
    let mut closing = Vec::new();
    let mut chars = text.char_indices().peekable();
    // Strings that follow each other are one.
    let mut after_string = false;
    while let Some((at, c)) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        let was_string = std::mem::take(&mut after_string);
        match c {
            '[' | '(' | '{' => {
                closing.push(if c == '{' { '}' } else { ']' });
                out.push(if c == '{' { '{' } else { '[' });
            }
            ']' | ')' | '}' => {
                let close = if c == '}' { '}' } else { ']' };
                if closing.pop() != Some(close) {
                    return None;
                }
                out.truncate(out.trim_end_matches(',').len());
                out.push(close);
                if closing.is_empty() {
                    return Some((out, at + 1));
                }
            }
            '\'' | '"' => {
                let string = serde_json::to_string(&string(c, &mut chars)?).ok()?;
                match was_string {
                    true => {
                        out.pop();
                        out.push_str(&string[1..]);
                    }
                    false => out.push_str(&string),
                }
                after_string = true;
            }
            '=' if chars.next_if(|(_, next)| *next == '>').is_some() => out.push(':'),
            ':' | ',' => out.push(c),
            '-' | '0'..='9' => {
                out.push(c);
                while let Some((_, digit)) =
                    chars.next_if(|(_, c)| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'))
                {
                    out.push(digit);
                }
            }
            c if c.is_alphabetic() => {
                let mut word = String::from(c);
                while let Some((_, letter)) = chars.next_if(|(_, c)| c.is_alphanumeric() || *c == '_') {
                    word.push(letter);
                }
                let behind = chars.peek().map(|(_, c)| *c);
                match (word.as_str(), behind) {
                    // The name of a type: its value is in the parentheses. Marks of a string: b'', u''.
                    (_, Some('(')) | ("b" | "u" | "r", Some('\'' | '"')) => {}
                    (_, Some(':')) => out.push_str(&serde_json::to_string(&word).ok()?),
                    ("True" | "true", _) => out.push_str("true"),
                    ("False" | "false", _) => out.push_str("false"),
                    ("None" | "null" | "nil" | "undefined", _) => out.push_str("null"),
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
    None
}

/// The rest of a string after its first quote.
fn string(quote: char, chars: &mut Peekable<CharIndices<'_>>) -> Option<String> {
    let mut out = String::new();
    let code = |chars: &mut Peekable<CharIndices<'_>>, digits: usize| {
        let digits: String = chars.by_ref().take(digits).map(|(_, c)| c).collect();
        u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
    };
    while let Some((_, c)) = chars.next() {
        match c {
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'x' => out.push(code(chars, 2)?),
                'u' => out.push(code(chars, 4)?),
                c @ ('\\' | '\'' | '"' | '#' | '/') => out.push(c),
                c => out.extend(['\\', c]),
            },
            c if c == quote => return Some(out),
            c => out.push(c),
        }
    }
    None
}
