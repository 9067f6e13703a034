//! shmig: `<number>-<name>.sql` with the lines `-- ====  UP  ====` and `-- ==== DOWN ====`.
//!
//! Recognised by the first of these. psql runs each half, without the lines that begin with `--`.

use super::folder::{File, Folder};
use super::line::lines;
use super::order::leading_digits;
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
        let files = folder.own_sql().filter(|file| is_numbered(file));
        let mut order = Order::by_number("shmig", files.map(|file| Entry::new(file.stem(), file)));
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
