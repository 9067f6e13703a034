//! sql-migrate: `*.sql` with `-- +migrate Up` and `-- +migrate Down`.
//!
//! Recognised by a line `-- +migrate Up`. sql-migrate reads line by line, as [goose](super::goose) does, and sends one statement at a time, in a
//! transaction unless the mark says `notransaction`.

use super::folder::{File, Folder};
use super::line::lines;
use super::order::{leading_digits, number};
use super::tools::{Entry, Input, Order, Part, Split, Tool};
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
        let entry = |file: &File| Entry { name: file.stem().to_owned(), file: file.clone(), direction: None };
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
        let mut split = Split::default();
        let (mut up, mut down): (Vec<Part>, Vec<Part>) = (Vec::new(), Vec::new());
        let mut open: Option<Direction> = None;
        for line in lines(input.text) {
            let mut words = mark(line.text);
            let direction = match words.as_mut().and_then(Iterator::next) {
                Some("Up") => Some(Direction::Up),
                Some("Down") => Some(Direction::Down),
                _ => None,
            };
            let parts = |direction, up, down| if direction == Direction::Up { up } else { down };
            if let Some(direction) = direction {
                let transaction = match words.is_some_and(|mut words| words.any(|word| word == "notransaction")) {
                    true => TransactionMode::None,
                    false => TransactionMode::Wrapped,
                };
                parts(direction, &mut up, &mut down).push(Part { range: line.next..line.next, transaction });
                open = Some(direction);
            } else if let Some(part) = open.and_then(|open| parts(open, &mut up, &mut down).last_mut()) {
                part.range.end = line.next;
            }
        }
        if up.is_empty() {
            split.notes.push((0..0, "sql-migrate refuses a file without -- +migrate Up".to_owned()));
        }
        for (direction, parts) in [(Direction::Up, up), (Direction::Down, down)] {
            if !parts.is_empty() {
                split = split.with(direction, parts);
            }
        }
        split
    }
}
