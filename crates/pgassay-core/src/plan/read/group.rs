//! What stands beside each other in a text belongs together: a plan that goes on in lines that could not be read, or that begins in its
//! middle, was not read right. Such plans are refused as a whole.

use std::ops::Range;

use super::undecorate::Line;
use super::{ReadError, text};
use crate::plan::Plan;

/// So many lines beside a plan are looked at.
const MOST_LINES: usize = 20;

/// One thing that was found, and where.
pub(super) struct Item {
    pub lines: Range<usize>,
    pub result: Result<Vec<Plan>, ReadError>,
}

/// Gathers what stands beside each other.
pub(super) struct Groups<'a> {
    lines: &'a [Line],
    pending: Vec<Item>,
}

impl<'a> Groups<'a> {
    pub fn new(lines: &'a [Line]) -> Groups<'a> {
        Groups { lines, pending: Vec::new() }
    }

    /// Adds what was found next, and gives back what is known to be whole.
    pub fn add(&mut self, item: Item) -> Vec<Result<Vec<Plan>, ReadError>> {
        let before = self.pending.last();
        let beside = before.is_some_and(|before| self.is_beside(before.lines.end, item.lines.start));
        let done = if beside { Vec::new() } else { self.finish() };
        self.pending.push(item);
        done
    }

    /// Nothing but blanks, or nothing that ends a plan, is between.
    fn is_beside(&self, end: usize, start: usize) -> bool {
        let between = self.lines.get(end..start).unwrap_or_default();
        let ends =
            |line: &Line| line.text.trim().is_empty() || line.text.contains("```") || line.text.contains("plan:");
        between.iter().all(|line| line.text.trim().is_empty()) || !between.iter().any(ends)
    }

    /// What is left.
    pub fn finish(&mut self) -> Vec<Result<Vec<Plan>, ReadError>> {
        let items = std::mem::take(&mut self.pending);
        let mut wrong: Vec<Option<ReadError>> = vec![None; items.len()];
        for (at, item) in items.iter().enumerate() {
            if let Some(orphan) = self.orphan(&items, at).filter(|_| item.result.is_ok()) {
                wrong[at] = Some(orphan);
            }
            if let Some(after) = items.get(at + 1)
                && let Some(error) =
                    self.broken(item, after).or_else(|| wrong[at].clone().filter(|_| self.is_part(after)))
            {
                let whole = item.result.as_ref().is_ok_and(|plans| is_whole(plans)) && self.is_part(after);
                wrong[at + 1].get_or_insert(error.clone());
                if !whole {
                    wrong[at].get_or_insert(error);
                }
            }
        }
        self.spread(&items, &mut wrong);
        self.spread_on_line(&items, &mut wrong);
        let mut results = Vec::with_capacity(items.len());
        let mut before = false;
        for (item, wrong) in items.into_iter().zip(wrong) {
            let is_wrong = wrong.is_some();
            match (wrong, item.result) {
                // Of what is wrong beside each other, the first is named.
                (Some(error), result) if !before => results.push(Err(result.err().unwrap_or(error))),
                (Some(_), _) => {}
                (None, result) => results.push(result),
            }
            before = is_wrong;
        }
        results
    }

    /// What is not whole and stands in one run of lines with what is wrong, is wrong too.
    fn spread(&self, items: &[Item], wrong: &mut [Option<ReadError>]) {
        let apart = |at: usize| {
            let between = self.lines.get(items[at].lines.end..items[at + 1].lines.start).unwrap_or_default();
            between.iter().any(|line| line.text.trim().is_empty())
        };
        let forth = (0..items.len().saturating_sub(1)).map(|at| (at, at, at + 1));
        let back = forth.clone().rev().map(|(at, from, to)| (at, to, from));
        for (at, from, to) in forth.chain(back) {
            let error = wrong[from].clone().or_else(|| items[from].result.as_ref().err().cloned());
            let half = items[to].result.as_ref().is_ok_and(|plans| !is_whole(plans) || self.is_part(&items[to]));
            if half && !apart(at) && wrong[to].is_none() {
                wrong[to] = error;
            }
        }
    }

    /// Of what was one line of the text, all is wrong if a part is.
    fn spread_on_line(&self, items: &[Item], wrong: &mut [Option<ReadError>]) {
        for at in 1..items.len() {
            let (Some(before), Some(after)) =
                (self.lines.get(items[at - 1].lines.end - 1), self.lines.get(items[at].lines.start))
            else {
                continue;
            };
            if before.number != after.number {
                continue;
            }
            let of = |at: usize| wrong[at].clone().or_else(|| items[at].result.as_ref().err().cloned());
            let (first, second) = (of(at - 1), of(at));
            if let Some(error) = first.or(second) {
                wrong[at - 1].get_or_insert_with(|| error.clone());
                wrong[at].get_or_insert(error);
            }
        }
    }

    /// Why two items that stand beside each other are parts of one plan that was not read right.
    fn broken(&self, before: &Item, after: &Item) -> Option<ReadError> {
        let line = &self.lines[after.lines.start];
        let column = indentation(&line.text);
        let touching = before.lines.end == after.lines.start;
        let wrong = match (&before.result, &after.result) {
            (Err(_), _) => self.is_part(after),
            // A part of a plan may have several nodes side by side, but none left of the first.
            (Ok(_), Ok(_)) if self.is_part(before) => column < indentation(&self.lines[before.lines.start].text),
            (Ok(plans), Ok(others)) if touching && (is_cut(plans) || !is_whole(plans) && is_whole(others)) => true,
            (Ok(plans), Ok(_)) => self.is_part(after) && (!is_whole(plans) || touching),
            (Ok(plans), Err(_)) => is_cut(plans) || line.text.contains("->") && !is_whole(plans),
        };
        let message = "what was read up to here goes on in these lines: the plan is damaged, or the text around its lines is not understood";
        wrong.then(|| match (&before.result, &after.result) {
            (Err(error), _) | (_, Err(error)) => error.clone(),
            _ => ReadError::at(line, column, message),
        })
    }

    /// A line beside a plan that only plans have, and that belongs to none.
    fn orphan(&self, items: &[Item], at: usize) -> Option<ReadError> {
        let lines = &items[at].lines;
        let ends = |line: &&Line| {
            line.text.trim().is_empty() || ["plan:", "```", "~~~"].iter().any(|end| line.text.contains(end))
        };
        let from = items[..at].last().map_or(0, |item| item.lines.end);
        let to = items.get(at + 1).map_or(self.lines.len(), |item| item.lines.start);
        let above = self.lines.get(from..lines.start)?.iter().rev().take_while(|line| !ends(line)).take(MOST_LINES);
        let below = self.lines.get(lines.end..to)?.iter().take_while(|line| !ends(line)).take(MOST_LINES);
        let line = below.chain(above).find(|line| is_of_plan(&line.text))?;
        let message =
            "this line is a plan's, and was not understood: the text around the lines hides which node it belongs to";
        Some(ReadError::at(line, indentation(&line.text), message))
    }

    fn is_part(&self, item: &Item) -> bool {
        text::is_arrow(self.lines[item.lines.start].text.trim_start())
    }
}

/// Nothing is missing, and what follows the nodes was read too.
fn is_whole(plans: &[Plan]) -> bool {
    plans.iter().all(|plan| plan.cut.is_none() && (plan.planning_time.is_some() || plan.execution_time.is_some()))
}

fn is_cut(plans: &[Plan]) -> bool {
    plans.iter().any(|plan| plan.cut.is_some())
}

/// Whether a line has what EXPLAIN alone prints so.
fn is_of_plan(text: &str) -> bool {
    const MARKS: &[&str] = &[
        "Planning Time: ",
        "Execution Time: ",
        "Buffers: shared ",
        "Buffers: local ",
        "Buffers: temp ",
        "Rows Removed by ",
        "Sort Method: ",
        "Sort Key: ",
        "Group Key: ",
        "Index Cond: (",
        "Hash Cond: (",
        "Merge Cond: (",
        "Recheck Cond: (",
        "Join Filter: (",
        " Filter: (",
        "Heap Fetches: ",
        "Heap Blocks: ",
        "Workers Planned: ",
        "Workers Launched: ",
    ];
    MARKS.iter().any(|mark| text.contains(mark))
}

fn indentation(text: &str) -> usize {
    text.chars().take_while(|c| c.is_whitespace()).count()
}
