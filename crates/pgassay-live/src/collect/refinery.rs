//! refinery: `V<version>__<name>.sql` and `U<version>__<name>.sql`, also in folders below.
//!
//! Recognised by that name under a `Cargo.toml` that mentions refinery. Both letters go up: `U` stands for "unversioned", a migration
//! that may be applied late, not for undo. Each migration runs in a transaction, without an opt-out.

use super::folder::{File, Folder};
use super::order::{leading_digits, number};
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Refinery;

/// The version of a file that refinery takes.
fn version(file: &File) -> Option<&str> {
    let rest = file.name().strip_prefix(['V', 'U'])?;
    let version = leading_digits(rest);
    let name = rest[version.len()..].strip_prefix("__")?.strip_suffix(".sql")?;
    let is_name = !name.is_empty() && name.chars().all(|character| character.is_alphanumeric() || character == '_');
    (!version.is_empty() && is_name).then_some(version)
}

impl Tool for Refinery {
    fn framework(&self) -> Framework {
        Framework::Refinery
    }

    fn detect(&self, folder: &Folder) -> bool {
        folder.project.declares("Cargo.toml", "refinery") && folder.own_sql().any(|file| version(file).is_some())
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        for file in folder.files.iter().filter(|file| version(file).is_some()) {
            order.entries.push(Entry {
                name: file.stem().to_owned(),
                file: file.clone(),
                direction: Some(Direction::Up),
                listed: None,
            });
        }
        let of = |entry: &Entry| version(&entry.file).unwrap_or_default().to_owned();
        order.entries.sort_by(|a, b| number(&of(a), &of(b)));
        order.note_duplicates("refinery", |entry| of(entry).trim_start_matches('0').to_owned());
        let ignored = folder.files.iter().filter(|file| file.is_sql());
        order.note_ignored("refinery", "its name is not V<number>__<name>.sql", ignored);
        for file in folder.files.iter().filter(|file| file.has_extension("rs") && file.name().starts_with(['V', 'U'])) {
            order.notes.push((file.path.clone(), "a migration written in Rust is not read".to_owned()));
        }
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        Split::whole(input, TransactionMode::WrappedString)
    }

    fn fails_on_byte_order_mark(&self) -> bool {
        true
    }
}
