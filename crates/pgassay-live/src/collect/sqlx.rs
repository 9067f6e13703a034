//! sqlx: `<VERSION>_<DESCRIPTION>.sql`, or `.up.sql` with a `.down.sql`.
//!
//! Recognised by a `sqlx.toml` or a `Cargo.toml` that mentions sqlx above the folder, and a file of that name in it.

use super::folder::{File, Folder};
use super::order::number;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Sqlx;

/// The version and the rest of the name.
fn parts(file: &File) -> Option<(&str, &str)> {
    let (version, rest) = file.name().split_once('_')?;
    let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && rest.ends_with(".sql")).then_some((version, rest))
}

impl Tool for Sqlx {
    fn framework(&self) -> Framework {
        Framework::Sqlx
    }

    fn detect(&self, folder: &Folder) -> bool {
        let declared = folder.project.has("sqlx.toml") || folder.project.declares("Cargo.toml", "sqlx");
        declared && folder.own_sql().any(|file| parts(file).is_some())
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        for file in folder.own_sql() {
            let Some((_, rest)) = parts(file) else { continue };
            let direction = if rest.ends_with(".down.sql") { Direction::Down } else { Direction::Up };
            let name = file.stem().trim_end_matches(".up").trim_end_matches(".down").to_owned();
            order.entries.push(Entry { name, file: file.clone(), direction: Some(direction), listed: None });
        }
        order.entries.sort_by(|a, b| number(version(a), version(b)));
        order.note_duplicates("sqlx", |entry| version(entry).trim_start_matches('0').to_owned());
        order.note_ignored("sqlx", "its name is not <VERSION>_<DESCRIPTION>.sql", folder.own_sql());
        order
    }

    /// The whole file is one string; inside of a transaction unless it starts with the marker, to the byte.
    fn split(&self, input: &Input<'_>) -> Split {
        let opted_out = input.text.starts_with("-- no-transaction") && !input.entry.file.byte_order_mark;
        Split::whole(input, if opted_out { TransactionMode::OneString } else { TransactionMode::WrappedString })
    }

    fn fails_on_byte_order_mark(&self) -> bool {
        true
    }
}

fn version(entry: &Entry) -> &str {
    parts(&entry.file).map(|(version, _)| version).unwrap_or_default()
}
