//! postgrator: `<number>.do.<name>.sql` and `<number>.undo.<name>.sql`.
//!
//! Recognised by these names. Each file is one string, outside of any other transaction.

use super::folder::{File, Folder};
use super::order::leading_digits;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Postgrator;

fn direction(file: &File) -> Option<Direction> {
    let digits = leading_digits(file.name());
    let action = file.name()[digits.len()..].strip_prefix('.')?.split('.').next()?;
    match action {
        "do" if !digits.is_empty() => Some(Direction::Up),
        "undo" if !digits.is_empty() => Some(Direction::Down),
        _ => None,
    }
}

impl Tool for Postgrator {
    fn framework(&self) -> Framework {
        Framework::Postgrator
    }

    fn detect(&self, folder: &Folder) -> bool {
        folder.is_mostly(|file| direction(file).is_some())
    }

    fn order(&self, folder: &Folder) -> Order {
        let entry = |file: &File| {
            let direction = direction(file)?;
            Some(Entry { direction: Some(direction), ..Entry::new(file.stem(), file) })
        };
        let mut order = Order::by_number("postgrator", folder.own_sql().filter_map(entry));
        order.note_ignored("postgrator", "its name is not <number>.do or <number>.undo", folder.own_sql());
        let is_code =
            |file: &&File| ["js", "cjs", "mjs"].iter().any(|it| file.has_extension(it)) && direction(file).is_some();
        for file in folder.own().filter(is_code) {
            order.notes.push((file.path.clone(), "a migration written in JavaScript is not read".to_owned()));
        }
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        Split::whole(input, TransactionMode::OneString)
    }
}
