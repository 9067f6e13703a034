//! Drizzle: the order of `meta/_journal.json`, or a folder a migration with `migration.sql` and `snapshot.json`.
//!
//! Recognised by the journal, or by such folders. `--> statement-breakpoint` separates what is sent at once, wherever it stands. All
//! pending migrations run in one transaction.

use super::folder::{File, Folder};
use super::prisma::folder_name;
use super::tools::{Entry, Input, Order, Part, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Drizzle;

const JOURNAL: &str = "meta/_journal.json";
const BREAKPOINT: &str = "--> statement-breakpoint";

fn has_snapshot(folder: &Folder, file: &File) -> bool {
    folder_name(file).is_some_and(|name| folder.file(format!("{name}/snapshot.json")).is_some())
}

impl Tool for Drizzle {
    fn framework(&self) -> Framework {
        Framework::Drizzle
    }

    fn detect(&self, folder: &Folder) -> bool {
        // Most folders of migrations have none, and to look beside each file costs.
        let is_snapshot = |file: &File| file.depth() == 2 && file.name() == "snapshot.json";
        folder.file(JOURNAL).is_some()
            || folder.files.iter().any(is_snapshot) && folder.files.iter().any(|file| has_snapshot(folder, file))
    }

    fn order(&self, folder: &Folder) -> Order {
        match folder.file(JOURNAL) {
            Some(journal) => journal_order(folder, journal),
            None => folder_order(folder),
        }
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let mut parts = Vec::new();
        let mut start = 0;
        for (at, _) in input.text.match_indices(BREAKPOINT) {
            parts.push(Part { range: start..at, transaction: TransactionMode::SharedString });
            start = at + BREAKPOINT.len();
        }
        parts.push(Part { range: start..input.text.len(), transaction: TransactionMode::SharedString });
        Split::default().with(Direction::Up, parts)
    }

    fn fails_on_byte_order_mark(&self) -> bool {
        true
    }
}

fn journal_order(folder: &Folder, journal: &File) -> Order {
    let mut order = Order::default();
    let parsed = serde_json::from_str::<serde_json::Value>(journal.text());
    let entries = parsed.as_ref().ok().and_then(|journal| journal.get("entries")?.as_array());
    let Some(entries) = entries else {
        order.notes.push((journal.path.clone(), "drizzle's journal cannot be read: no list of entries".to_owned()));
        return folder_order_of(folder, order);
    };
    let mut latest = i64::MIN;
    for entry in entries {
        let Some(tag) = entry.get("tag").and_then(|tag| tag.as_str()) else { continue };
        let Some(file) = folder.file(format!("{tag}.sql")) else {
            let message = format!("drizzle stops: its journal names {tag}.sql, which is missing");
            order.notes.push((journal.path.clone(), message));
            continue;
        };
        let when = entry.get("when").and_then(|when| when.as_i64()).unwrap_or(latest);
        if when < latest {
            let message =
                "drizzle skips this migration where a later one of its journal ran: its `when` is smaller".to_owned();
            order.notes.push((file.path.clone(), message));
        }
        latest = latest.max(when);
        order.entries.push(Entry {
            name: tag.to_owned(),
            file: file.clone(),
            direction: Some(Direction::Up),
            listed: None,
        });
    }
    order.note_ignored("drizzle", "its journal does not name it", folder.own_sql());
    order
}

fn folder_order(folder: &Folder) -> Order {
    let mut order = Order::default();
    for file in folder.files.iter().filter(|file| has_snapshot(folder, file)) {
        let name = folder_name(file).unwrap_or_default().to_owned();
        order.entries.push(Entry { name, file: file.clone(), direction: Some(Direction::Up), listed: None });
    }
    order.entries.sort_by(|a, b| a.name.cmp(&b.name));
    order
}

/// Without a journal that can be read: by name.
fn folder_order_of(folder: &Folder, mut order: Order) -> Order {
    let entry = |file: &File| Entry {
        name: file.stem().to_owned(),
        file: file.clone(),
        direction: Some(Direction::Up),
        listed: None,
    };
    order.entries = folder.own_sql().map(entry).collect();
    order
}
