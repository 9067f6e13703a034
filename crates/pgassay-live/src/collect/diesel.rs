//! Diesel: a folder a migration, with `up.sql`, `down.sql` and perhaps `metadata.toml`.
//!
//! Recognised by folders that hold an `up.sql` below a `diesel.toml`, a `Cargo.toml` that mentions diesel, or with the names that
//! `diesel migration generate` gives.

use super::folder::{File, Folder};
use super::order::leading_digits;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Diesel;

/// `2024-01-31-101500-0000_x` and `20240131101500_x`.
fn is_generated_name(name: &str) -> bool {
    let version = name.split('_').next().unwrap_or_default();
    let digits = version.bytes().filter(u8::is_ascii_digit).count();
    digits >= 14 && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && digits != version.len()
        || leading_digits(name).len() == 14
}

/// The name of the migration's folder, for `<name>/up.sql` and `<name>/down.sql`.
fn folder_name(file: &File) -> Option<String> {
    let parent = file.relative.parent()?.to_str()?;
    (file.depth() == 2 && matches!(file.name(), "up.sql" | "down.sql")).then(|| parent.to_owned())
}

/// Compared as text, as Diesel does.
fn version(name: &str) -> String {
    name.split('_').next().unwrap_or_default().replace('-', "")
}

impl Tool for Diesel {
    fn framework(&self) -> Framework {
        Framework::Diesel
    }

    fn detect(&self, folder: &Folder) -> bool {
        let declared = folder.project.has("diesel.toml") || folder.project.declares("Cargo.toml", "diesel");
        let mut names = folder.files.iter().filter(|file| file.name() == "up.sql").filter_map(folder_name);
        names.any(|name| declared || is_generated_name(&name))
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        for file in &folder.files {
            let Some(name) = folder_name(file) else { continue };
            let direction = if file.name() == "up.sql" { Direction::Up } else { Direction::Down };
            order.entries.push(Entry { name, file: file.clone(), direction: Some(direction), listed: None });
        }
        order.entries.sort_by_cached_key(|entry| version(&entry.name));
        order.note_duplicates("diesel", |entry| version(&entry.name));
        order.note_ignored("diesel", "it runs <VERSION>_<NAME>/up.sql", folder.own_sql());
        order
    }

    /// The whole file is one string; in a transaction unless `metadata.toml` says otherwise.
    fn split(&self, input: &Input<'_>) -> Split {
        let wrapped = runs_in_transaction(input);
        let mut split =
            Split::whole(input, if wrapped { TransactionMode::WrappedString } else { TransactionMode::OneString });
        if input.text.is_empty() {
            split.notes.push((0..0, "diesel refuses an empty migration".to_owned()));
        }
        split
    }

    fn fails_on_byte_order_mark(&self) -> bool {
        true
    }
}

/// A `metadata.toml` that does not name the key turns the transaction off; one that cannot be read leaves it on.
fn runs_in_transaction(input: &Input<'_>) -> bool {
    let path = input.entry.file.relative.with_file_name("metadata.toml");
    let Some(metadata) = input.folder.file(path) else { return true };
    let Ok(table) = metadata.text().parse::<toml::Table>() else { return true };
    match table.get("run_in_transaction") {
        Some(value) => value.as_bool().unwrap_or(true),
        None => false,
    }
}
