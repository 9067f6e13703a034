//! Web pages: tags and entities around and inside of the lines of a plan.

use super::Line;
use crate::plan::read::{number_line, text_node};

/// Tags behind which a new line begins.
const BREAKS: &[&str] = &["br", "p", "div", "tr", "td", "th", "li", "pre", "table", "ul", "ol", "blockquote"];

/// Further tags that pages put around text.
const INLINE: &[&str] = &[
    "a", "b", "i", "u", "em", "strong", "span", "code", "tt", "samp", "kbd", "font", "mark", "small", "tbody", "thead",
    "html", "body", "section", "article", "details", "summary", "h1", "h2", "h3", "h4", "hr", "caption",
];

/// Takes the tags off if there are some before or behind a node; whether there were.
pub(super) fn strip(lines: &mut Vec<Line>) -> bool {
    let begins_with_tag = |line: &Line| {
        let content = line.text.trim_start();
        content.starts_with('<') && tag(content).is_some()
    };
    let marked = |line: &Line| {
        // Cheap first: most texts have no tags. A name or a literal may look like one.
        if !line.text.contains('<') {
            return false;
        }
        let numbers = number_line::start(&line.text).map(|start| &line.text[start..]);
        let tagged = match numbers {
            Some(numbers) => numbers.contains("</") || numbers.contains("<br"),
            None => ["(cost=<", "(actual time=<", "(actual rows=<"].iter().any(|start| line.text.contains(start)),
        };
        if !tagged && !begins_with_tag(line) {
            return false;
        }
        let text = text_only(&line.text);
        text.split('\n').any(|part| {
            let part = without_entities(part);
            let Some(start) = number_line::start(&part) else { return false };
            let head = part[..start].trim_matches(|c: char| c == '|' || c == ' ' || c.is_ascii_digit());
            text_node::begins_with_known(head.trim_start_matches("->").trim_start())
        })
    };
    if !lines.iter().any(marked) {
        return false;
    }
    let mut out = Vec::with_capacity(lines.len());
    for line in lines.drain(..) {
        if !line.text.contains(['<', '&']) {
            out.push(line);
            continue;
        }
        let had_tags = line.text.contains('<');
        let text = text_only(&line.text);
        for part in text.split('\n') {
            // What held nothing but tags is no empty line.
            if !had_tags || !part.trim().is_empty() {
                out.push(Line { text: without_entities(part), ..line.clone() });
            }
        }
    }
    *lines = out;
    true
}

/// A text without its tags, with a line break for those that begin a new line.
fn text_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match tag(rest) {
            Some((name, length)) => {
                // Cells of a row beside each other.
                if let Some(length) = next_cell(rest) {
                    out.push_str("  ");
                    rest = &rest[length..];
                    continue;
                }
                if BREAKS.contains(&name.as_str()) {
                    out.push('\n');
                }
                rest = &rest[length..];
            }
            None => {
                out.push('<');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The length of the end of a cell and the start of the next one.
fn next_cell(text: &str) -> Option<usize> {
    let behind = ["</td>", "</th>"].iter().find_map(|end| text.strip_prefix(end))?;
    let next = ["<td", "<th"].iter().any(|start| behind.starts_with(start));
    let close = behind.find('>').filter(|_| next)?;
    Some(text.len() - behind.len() + close + 1)
}

/// The name of the tag that a text begins with, and its length in bytes.
fn tag(text: &str) -> Option<(String, usize)> {
    let inside = text.strip_prefix('<')?;
    let name = inside.strip_prefix('/').unwrap_or(inside);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    let name = name[..end].to_ascii_lowercase();
    let known = BREAKS.contains(&name.as_str()) || INLINE.contains(&name.as_str());
    let close = inside.find('>').filter(|close| !inside[..*close].contains('<'))?;
    known.then_some((name, close + 2))
}

/// Entities by the characters that they stand for.
pub(super) fn without_entities(text: &str) -> String {
    const NAMED: &[(&str, &str)] =
        &[("gt", ">"), ("lt", "<"), ("quot", "\""), ("apos", "'"), ("nbsp", " "), ("rarr", "->"), ("amp", "&")];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let name = rest.split_once(';').map(|(name, _)| name).filter(|name| name.len() <= 8);
        let character = name.and_then(|name| {
            let number = |digits: &str| match digits.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
                None => digits.parse().ok(),
            };
            let named = NAMED.iter().find(|(known, _)| *known == name).map(|(_, character)| (*character).to_owned());
            named.or_else(|| char::from_u32(number(name.strip_prefix('#')?)?).map(String::from))
        });
        match (name, character) {
            (Some(name), Some(character)) => {
                out.push_str(&character.replace('\u{a0}', " "));
                rest = &rest[name.len() + 1..];
            }
            _ => out.push('&'),
        }
    }
    out.push_str(rest);
    out
}
