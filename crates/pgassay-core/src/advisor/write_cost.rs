//! What an index costs whoever writes to its table.

use super::definition::{Definition, Method};
use super::tables::TableInfo;

/// An entry of a B-tree on a number.
const MILLISECONDS: f64 = 0.006;

/// Milliseconds that an entry takes, without waiting for a disk: measured with a primary key and one more B-tree on random values, on a
/// machine of 2 cores, 6 µs a number and 18 µs a text. A GIN index takes an entry for every word.
fn milliseconds_an_entry(definition: &Definition, table: &TableInfo) -> f64 {
    let is_text = definition.keys.iter().filter_map(|key| key.column.as_deref()).any(|column| {
        table
            .columns
            .get(column)
            .is_some_and(|it| it.data_type.starts_with("text") || it.data_type.starts_with("character"))
    });
    match definition.method {
        Method::BTree if is_text || definition.has_expressions() => 0.018,
        Method::BTree | Method::Hash => MILLISECONDS,
        Method::Gin => 0.1,
        Method::Gist | Method::Spgist => 0.04,
        Method::Brin => 0.0005,
    }
}

/// Writes of a table over some time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Writes {
    pub inserts: f64,
    /// Updates that write to every index of the table anyway.
    pub updates: f64,
    /// Updates that were HOT and would be so no longer, because they set a column of the index: they would write to every index.
    pub broken: f64,
}

/// Entries and the milliseconds they take; `share` of the rows are in the index.
pub fn of(definition: &Definition, table: &TableInfo, share: f64, writes: Writes) -> (f64, f64) {
    let entries = (writes.inserts + writes.updates + writes.broken) * share;
    // An update is HOT no longer whether or not its row is in the index.
    let others = writes.broken * table.indexes.len() as f64;
    (entries, entries * milliseconds_an_entry(definition, table) + others * MILLISECONDS)
}
