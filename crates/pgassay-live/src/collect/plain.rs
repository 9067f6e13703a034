//! SQL files of no tool: run with psql, by hand or by something unknown.
//!
//! Each statement commits by itself unless the file says BEGIN, as in psql without `--single-transaction`. What goes back is known by
//! the names of the files, or by marks in them, whatever tool they are for.

use std::ops::Range;

use super::folder::{File, Folder};
use super::tools::{Entry, Input, Order, Part, Split, Tool, Unit};
use super::variables::Style;
use super::{Direction, Framework, TransactionMode, ef_core, halves};

pub(super) struct Plain;

impl Tool for Plain {
    fn framework(&self) -> Framework {
        Framework::Plain
    }

    fn detect(&self, _folder: &Folder) -> bool {
        true
    }

    fn order(&self, folder: &Folder) -> Order {
        let sql = folder.files.iter().filter(|file| file.is_sql());
        let entry =
            |file: &File| Entry { name: file.name().to_owned(), file: file.clone(), direction: None, listed: None };
        Order { entries: sql.map(entry).collect(), ..Order::default() }
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let printed = ef_core::migrations(input.text);
        if !printed.is_empty() && input.entry.direction.is_none() {
            let unit = |(name, range): (String, Range<usize>)| {
                let part = Part { range, transaction: TransactionMode::None };
                Unit { name: Some(name), ..Unit::new(Direction::Up, vec![part]) }
            };
            return Split { units: printed.into_iter().map(unit).collect(), ..Split::default() };
        }
        let Some(found) = halves::halves(input.text).filter(|_| input.entry.direction.is_none()) else {
            return Split::whole(input, TransactionMode::None);
        };
        let parts = |ranges: Vec<Range<usize>>| {
            ranges.into_iter().map(|range| Part { range, transaction: TransactionMode::None }).collect()
        };
        Split::default().with(Direction::Up, parts(found.up)).with(Direction::Down, parts(found.down))
    }

    fn placeholders(&self, _file: &File) -> Style {
        Style::Both
    }
}
