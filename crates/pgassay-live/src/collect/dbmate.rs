//! dbmate: `<version>*.sql` with `-- migrate:up` and `-- migrate:down`.
//!
//! Recognised by a line `-- migrate:up`. dbmate finds its markers with a pattern over lines, inside of literals too, and so does this
//! reader. A file may hold several pairs of up and down. Each half is one string, in a transaction unless its marker says
//! `transaction:false`.

use super::folder::Folder;
use super::line::lines;
use super::order::leading_digits;
use super::tools::{Entry, Input, Order, Split, Tool};
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
            order.entries.push(Entry::new(file.stem(), file));
        }
        order.entries.sort_by(|a, b| a.file.name().cmp(b.file.name()));
        order.note_duplicates("dbmate", |entry| leading_digits(&entry.name).to_owned());
        order.note_ignored("dbmate", "its name does not start with a version", folder.own_sql());
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let mut split = Split::by_marks(input.text, |line| {
            marker(line).map(|(direction, options)| (direction, transaction(options)))
        });
        for line in lines(input.text).take_while(|line| marker(line.text).is_none()) {
            if !line.text.trim().is_empty() && !line.text.trim_start().starts_with("--") {
                split.notes.push((line.range(), "dbmate refuses SQL before -- migrate:up".to_owned()));
            }
        }
        let up = split.parts(Direction::Up);
        if up == 0 || split.parts(Direction::Down) != up {
            let message = "dbmate refuses a file without one -- migrate:down for each -- migrate:up".to_owned();
            split.notes.push((0..0, message));
        }
        split
    }
}
