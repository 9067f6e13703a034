//! tern: `<number>_<name>.sql`, the way back below `---- create above / drop below ----`.
//!
//! Recognised by that line, or by `tern.conf` in the folder. Each half is one string, in a transaction unless the file has the line
//! `---- tern: disable-tx ----`; then its statements are sent one by one.

use super::folder::Folder;
use super::line::lines;
use super::order::has_version;
use super::tools::{Entry, Input, Order, Part, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Tern;

const MARK: &str = "---- create above / drop below ----";
const NO_TRANSACTION: &str = "---- tern: disable-tx ----";

impl Tool for Tern {
    fn framework(&self) -> Framework {
        Framework::Tern
    }

    fn fails_on_byte_order_mark(&self) -> bool {
        true
    }

    fn detect(&self, folder: &Folder) -> bool {
        let configured = folder.file("tern.conf").is_some();
        folder.is_mostly(|file| has_version(file.name()) && (configured || file.text().contains(MARK)))
    }

    fn order(&self, folder: &Folder) -> Order {
        let files = folder.own_sql().filter(|file| has_version(file.name()));
        let mut order = Order::by_number("tern", files.map(|file| Entry::new(file.stem(), file)));
        order.note_ignored("tern", "its name does not start with a number and _", folder.own_sql());
        order
    }

    /// The mark is looked for everywhere, in literals too (`SplitN` in migrate.go).
    fn split(&self, input: &Input<'_>) -> Split {
        let text = input.text;
        let transaction = match lines(text).any(|line| line.text == NO_TRANSACTION) {
            true => TransactionMode::None,
            false => TransactionMode::WrappedString,
        };
        let at = text.find(MARK);
        let part = |range| vec![Part { range, transaction }];
        let split = Split::default().with(Direction::Up, part(0..at.unwrap_or(text.len())));
        match at {
            Some(at) => split.with(Direction::Down, part(at + MARK.len()..text.len())),
            None => split,
        }
    }
}
