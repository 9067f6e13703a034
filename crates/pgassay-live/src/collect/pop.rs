//! pop (Buffalo, Ory): `<number>_<name>.up.sql` and `.down.sql`, with a server's name or `autocommit` before the direction.
//!
//! Recognised by a `go.mod` that names pop, or by such names. Each file is one string, in a transaction; in none with `.autocommit.`, which
//! Ory's runner knows.

use super::folder::{File, Folder};
use super::order::{has_version, leading_digits};
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Pop;

const MODULES: [&str; 4] =
    ["github.com/gobuffalo/pop", "github.com/gobuffalo/pop/v5", "github.com/gobuffalo/pop/v6", "github.com/ory/pop/v6"];

fn direction(file: &File) -> Option<Direction> {
    match file.stem().rsplit('.').next()? {
        "up" if has_version(file.name()) => Some(Direction::Up),
        "down" if has_version(file.name()) => Some(Direction::Down),
        _ => None,
    }
}

fn is_autocommit(file: &File) -> bool {
    file.stem().split('.').any(|part| part == "autocommit")
}

impl Tool for Pop {
    fn framework(&self) -> Framework {
        Framework::Pop
    }

    fn detect(&self, folder: &Folder) -> bool {
        let is_declared = MODULES.iter().any(|module| folder.project.declares("go.mod", module));
        let has_own_name = |file: &File| is_autocommit(file) || file.stem().contains(".postgres.");
        folder.is_mostly(|file| direction(file).is_some()) && (is_declared || folder.own_sql().any(has_own_name))
    }

    /// By version as text.
    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        for file in folder.own_sql() {
            let Some(direction) = direction(file) else { continue };
            let name = file.stem().split('.').next().unwrap_or_default();
            order.entries.push(Entry { direction: Some(direction), ..Entry::new(name, file) });
        }
        order
            .entries
            .sort_by(|a, b| leading_digits(&a.name).cmp(leading_digits(&b.name)).then_with(|| a.name.cmp(&b.name)));
        order.note_duplicates("pop", |entry| leading_digits(&entry.name).to_owned());
        for file in folder.own().filter(|file| file.name().ends_with(".up.fizz")) {
            order.unread.push((file.path.clone(), "a migration is in fizz".to_owned()));
        }
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let transaction = match is_autocommit(&input.entry.file) {
            true => TransactionMode::OneString,
            false => TransactionMode::WrappedString,
        };
        Split::whole(input, transaction)
    }
}
