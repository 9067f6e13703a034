//! The tree: a line for each node with its numbers, and the conditions below it.

use std::io::{self, Write};

use super::super::{Node, NodeId};
use super::columns::Columns;
use super::detail::Detail;
use super::line::{self, BOLD, CYAN, DIM, PLAIN, RED, YELLOW};
use super::{Assayed, Options, detail, title};
use crate::text::{layout, plain};

pub(super) fn write(assayed: &Assayed, options: Options, out: &mut dyn Write) -> io::Result<()> {
    let columns = Columns::of(assayed, options);
    let indent = columns.number_width + 2;
    let header = format!("{}{}", " ".repeat(indent + columns.tree_width), columns.header());
    if !header.trim().is_empty() {
        writeln!(out, "{}", line::paint(DIM, header.trim_end()))?;
    }
    for id in assayed.plan.ids() {
        let prefix = prefix(assayed, id);
        let node = assayed.plan.node(id);
        let mark = match assayed.tips_of(id).map(|tip| tip.share).max_by(f64::total_cmp) {
            Some(share) if share >= 0.3 => line::paint(RED, "●"),
            Some(_) => line::paint(YELLOW, "●"),
            None => " ".to_owned(),
        };
        let number = line::right(&id.number().to_string(), columns.number_width);
        let width = columns.tree_width.saturating_sub(line::columns(&prefix.own));
        let style = if node.never_executed() {
            DIM
        } else if assayed.tips_of(id).next().is_some() {
            BOLD
        } else {
            PLAIN
        };
        let (title, moved) = fitting(node, width);
        let row = columns.row(assayed, id);
        let line = format!(
            "{mark}{} {}{}{row}",
            line::paint(DIM, &number),
            line::paint(DIM, &prefix.own),
            line::paint(style, &title)
        );
        writeln!(out, "{}", line.trim_end())?;
        let moved = moved.map(|text| Detail { text, behind: String::new() });
        for detail in moved.into_iter().chain(detail::lines(assayed, id, options.verbose)) {
            let room = options.width.saturating_sub(indent + line::columns(&prefix.below));
            let lines = if options.verbose {
                let text = plain::one_line(&format!("{}{}", detail.text, detail.behind));
                layout::wrap(&text, room.max(20)).lines().map(str::to_owned).collect()
            } else {
                let kept = room.saturating_sub(line::columns(&detail.behind));
                let text = format!("{}{}", shortened(&detail.text, kept), detail.behind);
                vec![line::cut(&text, room)]
            };
            for text in lines {
                writeln!(out, "{}{}{}", " ".repeat(indent), line::paint(DIM, &prefix.below), line::paint(CYAN, &text))?;
            }
        }
    }
    Ok(())
}

/// The title in exactly so many columns; where it does not fit, the name of the index goes to a line of its own. How often the node
/// ran is never cut off.
fn fitting(node: &Node, width: usize) -> (String, Option<String>) {
    let full = title::full(node);
    if line::columns(&full) <= width {
        return (line::left(&full, width), None);
    }
    let runs = title::runs(node);
    let room = width.saturating_sub(line::columns(&runs));
    let (name, index) = title::without_index(node);
    (line::left(&format!("{}{runs}", line::cut(&name, room)), width), index)
}

struct Prefix {
    own: String,
    /// Of the lines below the node.
    below: String,
}

/// The lines of the tree that run past a node.
fn prefix(assayed: &Assayed, id: NodeId) -> Prefix {
    let plan = &assayed.plan;
    let mut above: Vec<NodeId> = plan.ancestors(id).collect();
    above.reverse();
    let mut own = String::new();
    // Which ancestors have further children to come; the root has no branch of its own.
    for pair in above.iter().skip(1).chain(std::iter::once(&id)) {
        let Some(parent) = plan.node(*pair).parent else { continue };
        let last = plan.node(parent).children.last() == Some(pair);
        own.push_str(match (*pair == id, last) {
            (true, true) => "└─ ",
            (true, false) => "├─ ",
            (false, true) => "   ",
            (false, false) => "│  ",
        });
    }
    let base: String = own
        .chars()
        .map(|c| match c {
            '├' => '│',
            '└' | '─' => ' ',
            c => c,
        })
        .collect();
    let below = if plan.node(id).children.is_empty() { format!("{base}   ") } else { format!("{base}│  ") };
    Prefix { own, below }
}

/// A condition in one line: what is cut is cut in its middle, since both ends tell something.
fn shortened(text: &str, room: usize) -> String {
    let text = plain::one_line(text);
    if line::columns(&text) <= room {
        return text;
    }
    let characters: Vec<char> = text.chars().collect();
    let end = room / 4;
    let head = line::cut(&text, room.saturating_sub(end));
    let tail: String = characters[characters.len().saturating_sub(end)..].iter().collect();
    line::cut(&format!("{head}{tail}"), room)
}
