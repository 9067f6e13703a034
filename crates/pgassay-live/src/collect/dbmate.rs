//! dbmate: `<version>*.sql` with `-- migrate:up` and `-- migrate:down`.
//!
//! Recognised by a line `-- migrate:up`. dbmate finds its markers with a pattern over lines, inside of literals too, and so does this
//! reader. A file may hold several pairs of up and down. Each half is one string, in a transaction unless its marker says
//! `transaction:false`.

use super::folder::Folder;
use super::line::lines;
use super::order::leading_digits;
use super::tools::{Entry, Input, Order, Part, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Dbmate;

/// The direction of a marker line and its options.
fn marker(line: &str) -> Option<(Direction, &str)> {
    let rest = line.strip_prefix("--")?.trim_start().strip_prefix("migrate:")?;
    let up = rest.strip_prefix("up").map(|options| (Direction::Up, options));
    let found = up.or_else(|| Some((Direction::Down, rest.strip_prefix("down")?)));
    found.filter(|(_, options)| options.is_empty() || options.starts_with(char::is_whitespace))
}

fn transaction(options: &str) -> TransactionMode {
    let mut pairs = options.split_whitespace().filter_map(|option| option.split_once(':'));
    match pairs.rfind(|(name, _)| *name == "transaction") {
        Some((_, "false")) => TransactionMode::OneString,
        _ => TransactionMode::WrappedString,
    }
}

impl Tool for Dbmate {
    fn framework(&self) -> Framework {
        Framework::Dbmate
    }

    fn fails_on_byte_order_mark(&self) -> bool {
        true
    }

    fn detect(&self, folder: &Folder) -> bool {
        let has_marker = |text: &str| text.contains("migrate:") && lines(text).any(|line| marker(line.text).is_some());
        folder.is_mostly(|file| has_marker(file.text()))
    }

    /// By the whole file name, as text.
    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        for file in folder.own_sql().filter(|file| !leading_digits(file.name()).is_empty()) {
            order.entries.push(Entry { name: file.stem().to_owned(), file: file.clone(), direction: None });
        }
        order.entries.sort_by(|a, b| a.file.name().cmp(b.file.name()));
        order.note_duplicates("dbmate", |entry| leading_digits(&entry.name).to_owned());
        order.note_ignored("dbmate", "its name does not start with a version", folder.own_sql());
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let mut split = Split::default();
        let (mut up, mut down): (Vec<Part>, Vec<Part>) = (Vec::new(), Vec::new());
        let mut open: Option<Direction> = None;
        for line in lines(input.text) {
            let part = match open {
                Some(Direction::Up) => up.last_mut(),
                Some(Direction::Down) => down.last_mut(),
                None => None,
            };
            if let Some((direction, options)) = marker(line.text) {
                let new = Part { range: line.next..line.next, transaction: transaction(options) };
                match direction {
                    Direction::Up => up.push(new),
                    Direction::Down => down.push(new),
                }
                open = Some(direction);
            } else if let Some(part) = part {
                part.range.end = line.next;
            } else if !line.text.trim().is_empty() && !line.text.trim_start().starts_with("--") {
                split.notes.push((line.range(), "dbmate refuses SQL before -- migrate:up".to_owned()));
            }
        }
        if up.is_empty() || down.len() != up.len() {
            let message = "dbmate refuses a file without one -- migrate:down for each -- migrate:up".to_owned();
            split.notes.push((0..0, message));
        }
        for (direction, parts) in [(Direction::Up, up), (Direction::Down, down)] {
            if !parts.is_empty() {
                split = split.with(direction, parts);
            }
        }
        split
    }
}
