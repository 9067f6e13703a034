//! rambler: `*.sql` with `-- rambler up` and `-- rambler down`.
//!
//! Recognised by the first of these. What is below each mark is one string, outside of any other transaction.

use super::folder::{File, Folder};
use super::line::lines;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Rambler;

/// The word behind `-- rambler`, which begins a line. Any other one than the two ends what is above.
fn mark(line: &str) -> Option<&str> {
    line.strip_prefix("-- rambler").map(str::trim)
}

impl Tool for Rambler {
    fn framework(&self) -> Framework {
        Framework::Rambler
    }

    fn detect(&self, folder: &Folder) -> bool {
        folder.is_mostly(|file| lines(file.text()).any(|line| mark(line.text) == Some("up")))
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut entries: Vec<Entry> = folder.own_sql().map(|file: &File| Entry::new(file.stem(), file)).collect();
        entries.sort_by(|a, b| a.file.name().cmp(b.file.name()));
        Order { entries, ..Order::default() }
    }

    fn split(&self, input: &Input<'_>) -> Split {
        Split::by_marks(input.text, |line| match mark(line)? {
            "up" => Some((Direction::Up, TransactionMode::OneString)),
            "down" => Some((Direction::Down, TransactionMode::OneString)),
            _ => None,
        })
    }
}
