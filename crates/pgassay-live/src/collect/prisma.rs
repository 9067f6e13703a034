//! Prisma Migrate: `<timestamp>_<name>/migration.sql`.
//!
//! Recognised by `migration_lock.toml`, or by folders that start with a timestamp of 14 digits and hold a `migration.sql` (and no
//! `snapshot.json`, which is Drizzle's). The engine sends the whole script as one simple query.

use super::folder::{File, Folder};
use super::order::leading_digits;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Prisma;

/// The name of the migration's folder.
pub(super) fn folder_name(file: &File) -> Option<&str> {
    let is_migration = file.depth() == 2 && file.name() == "migration.sql";
    file.relative.parent().filter(|_| is_migration)?.to_str()
}

impl Tool for Prisma {
    fn framework(&self) -> Framework {
        Framework::Prisma
    }

    fn detect(&self, folder: &Folder) -> bool {
        let mut names = folder.files.iter().filter_map(folder_name).peekable();
        names.peek().is_some()
            && (folder.file("migration_lock.toml").is_some() || names.any(|name| leading_digits(name).len() == 14))
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        for file in &folder.files {
            let Some(name) = folder_name(file) else { continue };
            order.entries.push(Entry {
                name: name.to_owned(),
                file: file.clone(),
                direction: Some(Direction::Up),
                listed: None,
            });
        }
        order.entries.sort_by(|a, b| a.name.cmp(&b.name));
        order.note_ignored("prisma", "it runs <timestamp>_<name>/migration.sql", folder.own_sql());
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        Split::whole(input, TransactionMode::OneString)
    }

    fn fails_on_byte_order_mark(&self) -> bool {
        true
    }
}
