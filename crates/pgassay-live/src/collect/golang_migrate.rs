//! golang-migrate: `<version>_<title>.up.sql` and `.down.sql`.
//!
//! Recognised by that name, in a project that sqlx does not claim. A folder that has as many numbered files of other names and no way back is
//! some other tool's, unless go.mod names this one: a tool that runs every file. Each file is sent as one string, without a transaction of its own.

use super::folder::{File, Folder};
use super::order::leading_digits;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct GolangMigrate;

const MODULES: [&str; 2] = ["github.com/golang-migrate/migrate/v4", "github.com/golang-migrate/migrate"];

/// The name without direction and ending, and the direction.
fn parts(file: &File) -> Option<(&str, Direction)> {
    let digits = leading_digits(file.name());
    let has_version = !digits.is_empty() && file.name()[digits.len()..].starts_with('_');
    let up = file.stem().strip_suffix(".up").map(|name| (name, Direction::Up));
    up.or_else(|| Some((file.stem().strip_suffix(".down")?, Direction::Down))).filter(|_| has_version)
}

impl Tool for GolangMigrate {
    fn framework(&self) -> Framework {
        Framework::GolangMigrate
    }

    fn detect(&self, folder: &Folder) -> bool {
        let directions: Vec<Direction> = folder.own_sql().filter_map(|file| Some(parts(file)?.1)).collect();
        let others = folder.own_sql().filter(|file| parts(file).is_none() && !leading_digits(file.name()).is_empty());
        let is_mixed = others.count() >= directions.len() && !directions.contains(&Direction::Down);
        !directions.is_empty() && (!is_mixed || MODULES.iter().any(|name| folder.project.declares("go.mod", name)))
    }

    fn order(&self, folder: &Folder) -> Order {
        let entry = |file: &File| {
            let (name, direction) = parts(file)?;
            Some(Entry { direction: Some(direction), ..Entry::new(name, file) })
        };
        let mut order = Order::by_number("golang-migrate", folder.own_sql().filter_map(entry));
        order.note_ignored("golang-migrate", "its name is not <version>_<title>.up.sql", folder.own_sql());
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        Split::whole(input, TransactionMode::OneString)
    }

    fn fails_on_byte_order_mark(&self) -> bool {
        true
    }
}
