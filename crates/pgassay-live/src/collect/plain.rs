//! SQL files of no tool: run with psql, by hand or by something unknown.
//!
//! Each statement commits by itself unless the file says BEGIN, as in psql without `--single-transaction`.

use super::folder::{File, Folder};
use super::tools::{Entry, Input, Order, Split, Tool};
use super::variables::Style;
use super::{Framework, TransactionMode};

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
        let entry = |file: &File| Entry { name: file.name().to_owned(), file: file.clone(), direction: None };
        Order { entries: sql.map(entry).collect(), ..Order::default() }
    }

    fn split(&self, input: &Input<'_>) -> Split {
        Split::whole(input, TransactionMode::None)
    }

    fn placeholders(&self, _file: &File) -> Style {
        Style::Both
    }
}
