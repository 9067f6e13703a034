//! Plans whose line breaks were lost: a chat or a page put all of a plan on one line.
//!
//! The lines are found again by the arrows and by what begins a property. Their indentation is lost: whether the tree can be told
//! without it is for the reader of the text to see.

use super::{Line, is_node_start};
use crate::plan::read::number_line;

/// What begins a line of its own, in the order in which a longer one comes before what it ends with.
const BEGINNINGS: &[&str] = &[
    "-> ",
    "Planning Time: ",
    "Planning time: ",
    "Execution Time: ",
    "Execution time: ",
    "Total runtime: ",
    "Planning: ",
    "Full-sort Groups: ",
    "Pre-sorted Groups: ",
    "Rows Removed by Conflict Filter: ",
    "Conflict Filter: ",
    "Run Condition: ",
    "Cache Mode: ",
    "Params Evaluated: ",
    "Single Copy: ",
    "Function Call: ",
    "Table Function Call: ",
    "Sampling: ",
    "Repeatable Seed: ",
    "Subplans Removed: ",
    "Remote SQL: ",
    "Disabled: ",
    "Storage: ",
    "Window: ",
    "Hits: ",
    "Query Identifier: ",
    "JIT: ",
    "Functions: ",
    "Options: ",
    "Timing: ",
    "Trigger ",
    "Settings: ",
    "Output: ",
    "Rows Removed by Join Filter: ",
    "Rows Removed by Index Recheck: ",
    "Rows Removed by Filter: ",
    "Join Filter: ",
    "One-Time Filter: ",
    "Filter: ",
    "Index Cond: ",
    "Recheck Cond: ",
    "Hash Cond: ",
    "Merge Cond: ",
    "TID Cond: ",
    "Order By: ",
    "Sort Key: ",
    "Presorted Key: ",
    "Sort Method: ",
    "Group Key: ",
    "Hash Key: ",
    "Cache Key: ",
    "Buckets: ",
    "Batches: ",
    "Heap Fetches: ",
    "Heap Blocks: ",
    "Workers Planned: ",
    "Workers Launched: ",
    "Inner Unique: ",
    "Index Searches: ",
    "Buffers: ",
    "I/O Timings: ",
    "WAL: ",
    "Conflict Resolution: ",
    "Conflict Arbiter Indexes: ",
    "Tuples: ",
    "Tuples Inserted: ",
    "Conflicting Tuples: ",
    "CTE ",
    "InitPlan ",
    "SubPlan ",
];

/// Breaks lines that hold more than one node, or a node and what is said of it.
pub(super) fn split(lines: Vec<Line>) -> Vec<Line> {
    if !lines.iter().any(|line| is_flat(&line.text)) {
        return lines;
    }
    let mut out = Vec::with_capacity(lines.len() * 2);
    for line in lines {
        if !is_flat(&line.text) {
            out.push(line);
            continue;
        }
        let mut start = 0;
        for at in places(&line.text).into_iter().chain([line.text.len()]) {
            let part = line.text[start..at].trim();
            if !part.is_empty() {
                out.push(Line {
                    text: part.to_owned(),
                    number: line.number,
                    offset: line.offset + line.text[..start].chars().count(),
                    begins_entry: line.begins_entry && start == 0,
                });
            }
            start = at;
        }
    }
    out
}

fn is_flat(text: &str) -> bool {
    let Some(start) = number_line::start(text).filter(|_| is_node_start(text)) else { return false };
    let behind = &text[start..];
    behind.contains(" -> ") && number_line::is_marked(behind.split_once(" -> ").map_or("", |(_, rest)| rest))
        // A lone node and what is said of it.
        || number_line::tail(text).is_some_and(|tail| {
            let tail = tail.trim_start();
            BEGINNINGS.iter().any(|beginning| beginning.ends_with(": ") && tail.starts_with(beginning))
        })
        || behind.contains(" Execution Time: ")
        || behind.contains(" Planning Time: ")
}

/// Where lines begin behind the first, outside of quotes.
fn places(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut quoted = false;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let begins = at > 0 && !quoted && text[..at].ends_with(' ');
        if begins && let Some(beginning) = BEGINNINGS.iter().find(|beginning| rest.starts_with(**beginning)) {
            // `Buckets: 1024 Batches: 1` is one line, as `Full-sort Groups: 1  Sort Method: quicksort` is.
            let on_line_of: &[&str] = match *beginning {
                "Batches: " => &["Buckets: ", "Planned Partitions: "],
                "Sort Method: " => &["Full-sort Groups: ", "Pre-sorted Groups: "],
                _ => &[],
            };
            let same = found
                .last()
                .is_some_and(|last: &usize| on_line_of.iter().any(|other| text[*last..at].starts_with(other)));
            if !same {
                found.push(at);
            }
            at += beginning.len();
            continue;
        }
        let Some(c) = rest.chars().next() else { break };
        quoted ^= c == '\'';
        at += c.len_utf8();
    }
    found
}
