//! Plans that stand side by side, as somebody compares them: the left one first, then the right one.
//!
//! Where the second column begins shows in the lines that have a node in both. A text where that cannot be told is left as it is: a line
//! with the numbers of two nodes is refused by whoever reads it.

use super::{Line, is_node_start};
use crate::plan::read::number_line;

/// Takes columns apart.
pub(super) fn split(lines: &mut Vec<Line>) {
    if !lines.iter().any(|line| second(&line.text).is_some()) {
        return;
    }
    let mut out = Vec::with_capacity(lines.len() * 2);
    let mut chunk = Vec::new();
    for line in lines.drain(..) {
        if line.text.trim().is_empty() {
            split_chunk(std::mem::take(&mut chunk), &mut out);
            out.push(line);
        } else {
            chunk.push(line);
        }
    }
    split_chunk(chunk, &mut out);
    *lines = out;
}

fn split_chunk(chunk: Vec<Line>, out: &mut Vec<Line>) {
    let Some(parts) = parts(&chunk) else { return out.extend(chunk) };
    let between = chunk.last().map(|line| Line { text: String::new(), begins_entry: false, ..line.clone() });
    let mut right = Vec::new();
    for (line, (left, start)) in chunk.into_iter().zip(parts) {
        let offset = line.offset + line.text[..start.min(line.text.len())].chars().count();
        let behind = line.text.get(start..).unwrap_or_default().to_owned();
        right.push(Line { text: behind, number: line.number, offset, begins_entry: false });
        out.push(Line { text: line.text[..left].trim_end().to_owned(), ..line });
    }
    out.extend(between);
    out.extend(right.into_iter().filter(|line| !line.text.trim().is_empty()));
}

/// By line: where the left column ends and where the right one begins, in bytes.
fn parts(chunk: &[Line]) -> Option<Vec<(usize, usize)>> {
    let seconds: Vec<(usize, usize)> =
        chunk.iter().enumerate().filter_map(|(at, line)| Some((at, second(&line.text)?))).collect();
    // A plan on one line has arrows there; in a column of its own the root has none.
    let root = seconds.iter().find(|(at, start)| !chunk[*at].text[*start..].starts_with("->"))?;
    if seconds.iter().all(|(at, start)| gap(&chunk[*at].text, *start).contains('\t')) {
        return chunk.iter().map(|line| at_tab(&line.text)).collect();
    }
    let column = chunk[root.0].text[..root.1].chars().count();
    let border = gap(&chunk[root.0].text, root.1).trim().chars().next();
    chunk.iter().map(|line| at_column(&line.text, column, border)).collect()
}

/// `paste` puts one tab between the columns.
fn at_tab(text: &str) -> Option<(usize, usize)> {
    Some(text.find('\t').map_or((text.len(), text.len()), |at| (at, at + 1)))
}

/// A line that ends before the column, or has nothing but blanks and the border just before it.
fn at_column(text: &str, column: usize, border: Option<char>) -> Option<(usize, usize)> {
    let Some((start, _)) = text.char_indices().nth(column) else {
        let whole = text.trim_end().trim_end_matches(|c| Some(c) == border);
        return Some((whole.len(), text.len()));
    };
    let before = text[..start].trim_end();
    let left = before.trim_end_matches(|c| Some(c) == border);
    let apart = text[left.len()..start].chars().count() >= 2;
    apart.then_some((left.len(), start))
}

/// Where a second node begins behind the numbers of a first one and some room, if there are two.
fn second(text: &str) -> Option<usize> {
    let tail = number_line::tail(text).filter(|_| is_node_start(text))?;
    let at = text.trim_end().len() - tail.len();
    let name = tail.trim_start_matches([' ', '\t', '|', '│', '║']);
    let room = &tail[..tail.len() - name.len()];
    let wide = room.chars().count() >= 2 || room.contains('\t');
    let another = number_line::start(name).is_some() && is_node_start(name);
    let third = number_line::tail(name).is_some_and(number_line::is_marked);
    (wide && another && !third).then_some(at + room.len())
}

/// What is between the first node and the second.
fn gap(text: &str, start: usize) -> &str {
    let first = text[..start].rfind(')').map_or(0, |at| at + 1);
    &text[first..start]
}
