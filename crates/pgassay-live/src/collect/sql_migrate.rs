//! sql-migrate: `*.sql` with `-- +migrate Up` and `-- +migrate Down`.
//!
//! Recognised by a line `-- +migrate Up`. sql-migrate reads line by line, as [goose](super::goose) does, and sends one statement at a time, in a
//! transaction unless the mark says `notransaction`.

use super::folder::{File, Folder};
use super::line::lines;
use super::order::{leading_digits, number};
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct SqlMigrate;

/// The words behind `-- +migrate `, which begins a line.
fn mark(line: &str) -> Option<std::str::SplitWhitespace<'_>> {
    line.strip_prefix("-- +migrate ").map(str::split_whitespace)
}

fn is_up(line: &str) -> bool {
    mark(line).is_some_and(|mut words| words.next() == Some("Up"))
}

impl Tool for SqlMigrate {
    fn framework(&self) -> Framework {
        Framework::SqlMigrate
    }

    fn fails_on_byte_order_mark(&self) -> bool {
        true
    }

    fn detect(&self, folder: &Folder) -> bool {
        let has_mark = |text: &str| text.contains("+migrate ") && lines(text).any(|line| is_up(line.text));
        folder.is_mostly(|file| has_mark(file.text()))
    }

    /// By the number in front, then by name (`Migration.Less`).
    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        let entry = |file: &File| Entry::new(file.stem(), file);
        order.entries = folder.own_sql().map(entry).collect();
        order.entries.sort_by(|a, b| {
            let (left, right) = (leading_digits(&a.name), leading_digits(&b.name));
            match left.is_empty() || right.is_empty() {
                true => a.name.cmp(&b.name),
                false => number(left, right).then_with(|| a.name.cmp(&b.name)),
            }
        });
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let mut split = Split::by_marks(input.text, |line| {
            let mut words = mark(line)?;
            let direction = match words.next()? {
                "Up" => Direction::Up,
                "Down" => Direction::Down,
                _ => return None,
            };
            let alone = words.any(|word| word == "notransaction");
            Some((direction, if alone { TransactionMode::None } else { TransactionMode::Wrapped }))
        });
        if split.parts(Direction::Up) == 0 {
            split.notes.push((0..0, "sql-migrate refuses a file without -- +migrate Up".to_owned()));
        }
        split
    }
}
