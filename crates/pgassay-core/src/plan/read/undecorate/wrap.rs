//! Lines that a mail, a terminal or a page broke, put together again.
//!
//! Whether a line was broken shows where numbers of a node begin on one line and end on the next. Only in a run of lines where that
//! is so are conditions put together too.

use super::super::{find, number_line, text, text_node, text_summary};
use super::Line;

/// A node is broken into no more lines than this.
const MOST_PARTS: usize = 8;

/// Joins broken lines.
pub(super) fn join(lines: Vec<Line>) -> Vec<Line> {
    let mut out = Vec::with_capacity(lines.len());
    let mut chunk: Vec<Line> = Vec::new();
    for line in lines {
        if line.text.is_empty() || line.begins_entry {
            join_chunk(std::mem::take(&mut chunk), &mut out);
        }
        chunk.push(line);
    }
    join_chunk(chunk, &mut out);
    out
}

fn join_chunk(chunk: Vec<Line>, out: &mut Vec<Line>) {
    if !chunk.windows(2).any(is_broken) {
        out.extend(chunk);
        return;
    }
    let hard = hard_width(&chunk);
    let indents = chunk.iter().filter(|line| !line.text.trim().is_empty()).map(|line| indent(&line.text));
    let least = indents.min().unwrap_or(0);
    let mut joined: Vec<Line> = Vec::with_capacity(chunk.len());
    let mut lines = chunk.into_iter().peekable();
    while let Some(mut line) = lines.next() {
        let mut last = line.text.clone();
        let mut parts = 1;
        while let Some(next) = lines.peek().filter(|_| parts < MOST_PARTS) {
            let Some(text) = continued(&line.text, &last, &next.text, hard, least) else { break };
            last.clone_from(&next.text);
            line.text = text;
            parts += 1;
            lines.next();
        }
        joined.push(line);
    }
    out.extend(joined);
}

/// The width at which lines were broken without regard to words, if they were: every broken line is as long, but for blanks that
/// were lost at its end.
fn hard_width(chunk: &[Line]) -> Option<usize> {
    let width = |line: &Line| line.text.chars().count();
    let broken = chunk.windows(2).filter(|pair| is_broken(pair));
    let widths: Vec<usize> = broken.map(|pair| width(&pair[0])).collect();
    let longest = widths.iter().copied().max()?;
    let alike = chunk.iter().all(|line| width(line) <= longest) && widths.iter().all(|width| width + 2 >= longest);
    // A mail breaks before the word that no longer fits; a terminal in the middle of words.
    let in_word = chunk.windows(2).any(|pair| {
        let (before, after) = (&pair[0].text, &pair[1].text);
        width(&pair[0]) == longest
            && !before.ends_with(' ')
            && !after.starts_with(' ')
            && number_line::is_open(before)
            && !is_valid(&format!("{before} {}", after.trim_end()))
            && is_valid(&format!("{before}{}", after.trim_end()))
    });
    let at_blank =
        chunk.windows(2).any(|pair| is_broken(pair) && (pair[0].text.ends_with(' ') || pair[1].text.starts_with(' ')));
    (alike && (in_word || at_blank || widths.iter().filter(|width| **width == longest).count() > 2)).then_some(longest)
}

fn indent(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

fn is_broken(pair: &[Line]) -> bool {
    number_line::is_open(&pair[0].text) || number_line::is_rest(pair[1].text.trim_start())
}

/// A node, or what may become one with a further part.
fn is_valid(text: &str) -> bool {
    node(text).is_some() || number_line::is_open(text) && number_line::open_is_plausible(text)
}

fn node(text: &str) -> Option<()> {
    let content = text.trim_start();
    let arrow = content.strip_prefix("->").map(str::trim_start);
    let content = arrow.unwrap_or(content);
    (number_line::is_one(content) && text_node::read(content, arrow.is_some()).is_some()).then_some(())
}

/// The line with the next one, if that goes on with it.
fn continued(line: &str, last: &str, next: &str, hard: Option<usize>, least: usize) -> Option<String> {
    let spaced = format!("{} {}", line.trim_end(), next.trim());
    let full = hard.is_some_and(|width| last.chars().count() + 1 >= width);
    let exact = hard.filter(|_| full).map(|width| {
        let blanks = width.saturating_sub(last.chars().count());
        format!("{line}{}{}", " ".repeat(blanks), next.trim_end())
    });
    if number_line::is_open(line) {
        let glued = format!("{}{}", line.trim_end(), next.trim());
        let candidates = [exact.clone(), Some(glued.clone()), Some(spaced.clone())];
        let whole = candidates.iter().flatten().find(|text| node(text).is_some()).cloned();
        return whole.or_else(|| candidates.into_iter().flatten().find(|text| is_valid(text)));
    }
    let content = next.trim_start();
    if node(line).is_some() {
        let goes_on = ["(actual ", "(never executed)"].iter().any(|start| content.starts_with(start));
        return (goes_on && node(&spaced).is_some()).then_some(spaced);
    }
    let is_node = content.starts_with("->") || node(next).is_some();
    if is_node || content.is_empty() || find::is_footer(content) {
        return None;
    }
    // The name of a node, whose numbers follow.
    let name = line.trim_start();
    if name.starts_with("->") || text_node::begins_with_known(name) {
        let candidates = [exact.clone(), Some(spaced.clone())];
        let whole = candidates.into_iter().flatten().find(|text| is_valid(text));
        // A name in three parts.
        let part = || {
            (name.starts_with("->") && !text::begins_property(content)).then(|| exact.clone().unwrap_or(spaced.clone()))
        };
        if whole.is_some() || name.starts_with("->") {
            return whole.or_else(part);
        }
    }
    // A mail puts what goes on at the margin, where no property stands: `Memory Usage: 9kB` behind `Buckets: 1024  Batches: 1`.
    let at_margin = match hard {
        None => indent(next) <= least && indent(line) > least,
        // A terminal goes on at its first column, with the blank that it broke at.
        Some(_) => full && indent(next) < 2 && indent(line) > 1,
    };
    let field = at_margin && !text::is_header(content);
    if text_summary::is_summary(content) || !field && text::begins_property(content) {
        // Broken before its value.
        return None;
    }
    // A key broken between its words.
    if !text::begins_property(name) && text::begins_property(spaced.trim_start()) && is_key_part(name) {
        return Some(spaced);
    }
    if is_key_part(content) && !text::begins_property(content) && is_balanced(name) {
        return None;
    }
    // A condition in a run of lines where nodes were broken too.
    if hard.is_some() && !full {
        None
    } else {
        exact.or(Some(spaced)).filter(|_| !line.trim().is_empty() && text::begins_property(name))
    }
}

/// The first words of a key of several.
fn is_key_part(content: &str) -> bool {
    const KEYS: &[&str] = &["Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck"];
    KEYS.iter().any(|key| content.len() >= "Rows Removed".len() && key.starts_with(content.trim_end()))
}

/// Whether all parentheses and quotes of a condition are closed.
fn is_balanced(text: &str) -> bool {
    let (mut depth, mut quoted) = (0i64, false);
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
    }
    depth == 0 && !quoted
}
