//! Supabase: `supabase/migrations/<version>_<name>.sql`.
//!
//! Recognised by the folder's place. The command line tool splits a file into statements and sends them as one batch of the extended
//! protocol, without a transaction of its own: PostgreSQL runs the batch in an implicit transaction block.

use super::folder::{File, Folder};
use super::order::leading_digits;
use super::tools::{Entry, Input, Order, Split, Tool, batch};
use super::{Direction, Framework};

pub(super) struct Supabase;

fn is_migration(file: &File) -> bool {
    let digits = leading_digits(file.name());
    !digits.is_empty() && file.name()[digits.len()..].starts_with('_')
}

impl Tool for Supabase {
    fn framework(&self) -> Framework {
        Framework::Supabase
    }

    fn detect(&self, folder: &Folder) -> bool {
        let path = folder.path.canonicalize().unwrap_or_else(|_| folder.path.clone());
        path.ends_with("supabase/migrations") && folder.own_sql().any(is_migration)
    }

    /// By file name, as text.
    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        for file in folder.own_sql().filter(|file| is_migration(file)) {
            order.entries.push(Entry {
                name: file.stem().to_owned(),
                file: file.clone(),
                direction: Some(Direction::Up),
            });
        }
        order.entries.sort_by(|a, b| a.file.name().cmp(b.file.name()));
        order.note_duplicates("supabase", |entry| leading_digits(&entry.name).to_owned());
        order.note_ignored("supabase", "its name is not <version>_<name>.sql", folder.own_sql());
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        Split::default().with(Direction::Up, batch(input.text, 0..input.text.len()))
    }
}
