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
        let Some(start) = number_line::start(&line.text) else { return false };
        let head = without_entities(&text_only(&line.text[..start]).replace('\n', " "));
        let node = head.trim_matches(['|', ' ']).trim_start_matches("->").trim_start();
        let behind = &line.text[start..];
        (begins_with_tag(line) || behind.contains("</") || behind.contains("<br")) && text_node::begins_with_known(node)
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
