//! shmig: `<number>-<name>.sql` with the lines `-- ====  UP  ====` and `-- ==== DOWN ====`.
//!
//! Recognised by the first of these. psql runs each half, without the lines that begin with `--`.

use super::folder::{File, Folder};
use super::line::lines;
use super::order::{leading_digits, number};
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Shmig;

const UP: &str = "-- ====  UP  ====";
const DOWN: &str = "-- ==== DOWN ====";

fn is_numbered(file: &File) -> bool {
    let digits = leading_digits(file.name());
    !digits.is_empty() && file.name()[digits.len()..].starts_with('-')
}

impl Tool for Shmig {
    fn framework(&self) -> Framework {
        Framework::Shmig
    }

    fn detect(&self, folder: &Folder) -> bool {
        folder.is_mostly(|file| is_numbered(file) && lines(file.text()).any(|line| line.text == UP))
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        let entry = |file: &File| Entry::new(file.stem(), file);
        order.entries = folder.own_sql().filter(|file| is_numbered(file)).map(entry).collect();
        order.entries.sort_by(|a, b| number(leading_digits(&a.name), leading_digits(&b.name)));
        order.note_duplicates("shmig", |entry| leading_digits(&entry.name).trim_start_matches('0').to_owned());
        order.note_ignored("shmig", "its name does not start with a number and -", folder.own_sql());
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        Split::by_marks(input.text, |line| match line {
            UP => Some((Direction::Up, TransactionMode::None)),
            DOWN => Some((Direction::Down, TransactionMode::None)),
            _ => None,
        })
    }
}
