//! What an index costs whoever writes to its table.

use super::definition::{Definition, Method};
use super::tables::TableInfo;

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
        Method::BTree => 0.006,
        Method::Gin => 0.1,
        Method::Gist => 0.04,
        Method::Brin => 0.0005,
    }
}

/// Writes of a table in a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Writes {
    pub inserts: f64,
    pub updates: f64,
    pub hot_updates: f64,
    /// A statement of the workload sets a column of the index: then updates that were HOT are so no longer, and write to every index of
    /// the table.
    pub updated: bool,
}

/// Entries a day and the milliseconds they take; `share` of the rows are in the index.
pub fn a_day(definition: &Definition, table: &TableInfo, share: f64, writes: Writes) -> (f64, f64) {
    let broken = if writes.updated { writes.hot_updates } else { 0.0 };
    let entries = (writes.inserts + (writes.updates - writes.hot_updates).max(0.0) + broken) * share;
    let others = table.indexes.len() as f64;
    let milliseconds = entries * milliseconds_an_entry(definition, table) + broken * share * others * 0.006;
    (entries, milliseconds)
}
