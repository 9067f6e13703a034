//! Hasura: `migrations/<database>/<version>_<name>/up.sql` and `down.sql`.
//!
//! Recognised by versions of 13 digits (milliseconds), as `hasura migrate create` makes them, or by the project's `config.yaml`. The
//! server runs each file in a transaction.

use super::folder::{File, Folder};
use super::order::{leading_digits, number};
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Hasura;

/// The name of the migration's folder.
fn folder_name(file: &File) -> Option<&str> {
    let is_migration = file.depth() == 2 && matches!(file.name(), "up.sql" | "down.sql");
    let name = file.relative.parent().filter(|_| is_migration)?.to_str()?;
    name[leading_digits(name).len()..].starts_with('_').then_some(name)
}

impl Tool for Hasura {
    fn framework(&self) -> Framework {
        Framework::Hasura
    }

    fn detect(&self, folder: &Folder) -> bool {
        let declared = folder.project.declares("config.yaml", "metadata_directory");
        let mut versions = folder.files.iter().filter_map(folder_name).map(leading_digits);
        versions.any(|version| version.len() == 13 || (declared && !version.is_empty()))
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        for file in &folder.files {
            let Some(name) = folder_name(file) else { continue };
            let direction = if file.name() == "up.sql" { Direction::Up } else { Direction::Down };
            order.entries.push(Entry {
                name: name.to_owned(),
                file: file.clone(),
                direction: Some(direction),
                listed: None,
            });
        }
        order.entries.sort_by(|a, b| number(leading_digits(&a.name), leading_digits(&b.name)));
        order.note_duplicates("hasura", |entry| leading_digits(&entry.name).to_owned());
        order.note_ignored("hasura", "it runs <version>_<name>/up.sql", folder.own_sql());
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        Split::whole(input, TransactionMode::WrappedString)
    }
}
