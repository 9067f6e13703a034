//! postgres-migrations: `<number>[_-]<name>.sql`, below a `package.json` that names it.
//!
//! Each file is one string, in a transaction unless it has `-- postgres-migrations disable-transaction` anywhere.

use super::folder::{File, Folder};
use super::order::leading_digits;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Framework, TransactionMode};

pub(super) struct PostgresMigrations;

const NO_TRANSACTION: &str = "-- postgres-migrations disable-transaction";

fn is_numbered(file: &File) -> bool {
    !leading_digits(file.name()).is_empty()
}

impl Tool for PostgresMigrations {
    fn framework(&self) -> Framework {
        Framework::PostgresMigrations
    }

    fn detect(&self, folder: &Folder) -> bool {
        let declared = folder.project.declares("package.json", "postgres-migrations");
        folder.is_mostly(|file| is_numbered(file) && (declared || file.text().contains(NO_TRANSACTION)))
    }

    fn order(&self, folder: &Folder) -> Order {
        let files = folder.own_sql().filter(|file| is_numbered(file));
        let mut order = Order::by_number("postgres-migrations", files.map(|file| Entry::new(file.stem(), file)));
        order.note_ignored("postgres-migrations", "its name does not start with a number", folder.own_sql());
        for file in folder.own().filter(|file| file.has_extension("js") && is_numbered(file)) {
            order.notes.push((file.path.clone(), "a migration written in JavaScript is not read".to_owned()));
        }
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let transaction = match input.text.contains(NO_TRANSACTION) {
            true => TransactionMode::OneString,
            false => TransactionMode::WrappedString,
        };
        Split::whole(input, transaction)
    }
}
