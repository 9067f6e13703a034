//! How large an index will be.

use serde::Serialize;

use super::definition::{Definition, Key, Method};
use super::tables::TableInfo;

/// What an index takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    pub entries: f64,
    pub bytes: f64,
    /// Bytes of a key.
    pub key_width: f64,
}

impl Estimate {
    pub fn pages(&self) -> u64 {
        ((self.bytes / PAGE).ceil() as u64).max(1) + 1
    }
}

/// Bytes of a page.
pub(super) const PAGE: f64 = 8192.0;
/// BTREE_DEFAULT_FILLFACTOR.
const FILL: f64 = 0.9;
/// ItemIdData and IndexTupleData.
const TUPLE: f64 = 4.0 + 8.0;
/// ItemPointerData.
const POINTER: f64 = 6.0;
/// An index of a jsonb document, an array or a text has about so many entries a row, for want of better knowledge.
const WORDS: f64 = 8.0;
/// Bytes of a value of which nothing is known.
pub(super) const UNKNOWN_WIDTH: f64 = 32.0;

/// Entries and bytes; `rows` are those that a partial index holds.
pub fn entries_and_bytes(definition: &Definition, table: &TableInfo, rows: f64) -> Estimate {
    let width = |column: &str| table.columns.get(column).map_or(UNKNOWN_WIDTH, |it| it.width.max(1.0));
    let key_width: f64 = definition.keys.iter().map(|key| key.column.as_deref().map_or(UNKNOWN_WIDTH, width)).sum();
    let include: f64 = definition.include.iter().map(|column| width(column)).sum();
    let bytes = match definition.method {
        Method::BTree => btree(definition, table, rows, key_width, include),
        Method::Gin => gin(definition, table, rows),
        Method::Gist | Method::Spgist => rows * (TUPLE + aligned(key_width)) / 0.7,
        // A hash of 4 bytes; HASH_DEFAULT_FILLFACTOR, and buckets double.
        Method::Hash => rows * (TUPLE + 8.0) / 0.75 * 1.3,
        Method::Brin => (table.pages as f64 / 128.0).ceil() * (TUPLE + 2.0 * aligned(key_width)) + 2.0 * PAGE,
    };
    Estimate { entries: rows, bytes: bytes.max(PAGE), key_width }
}

/// A posting for each word of each row, half as large as a pointer once compressed, and the words themselves.
fn gin(definition: &Definition, table: &TableInfo, rows: f64) -> f64 {
    let words = |key: &Key| {
        let column = key.column.as_deref().and_then(|column| table.columns.get(column));
        let trigrams = key.operator_class.as_deref().is_some_and(|class| class.ends_with("trgm_ops"));
        match column {
            // A text has about as many trigrams as characters.
            Some(known) if trigrams => known.width,
            // Values with their paths, but not the names of keys.
            Some(_) if key.operator_class.as_deref() == Some("jsonb_path_ops") => WORDS * 0.6,
            Some(known) => known.elements.unwrap_or(WORDS),
            None => WORDS,
        }
    };
    let words: f64 = definition.keys.iter().map(words).sum();
    rows * words * POINTER / 2.0 + rows.sqrt() * words * (TUPLE + 16.0)
}

/// Equal keys share one copy of the key (deduplication, since 13), but not with INCLUDE, nor for types whose equal values may differ.
fn btree(definition: &Definition, table: &TableInfo, rows: f64, key: f64, include: f64) -> f64 {
    let same_image = definition.keys.iter().filter_map(|key| key.column.as_deref()).all(|column| {
        let of = table.columns.get(column).map(|it| it.data_type.as_str()).unwrap_or_default();
        !(of.starts_with("numeric") || of == "jsonb" || of == "real" || of == "double precision" || of.ends_with("[]"))
    });
    let distinct = |column: Option<&str>| column.map_or(rows.sqrt(), |column| table.distinct(column));
    let keys: f64 = definition.keys.iter().map(|key| distinct(key.column.as_deref())).product();
    let keys = keys.clamp(1.0, rows.max(1.0));
    // NULLs are alike too.
    let null = match &definition.keys[..] {
        [key] if definition.predicate.is_none() => key.column.as_deref().and_then(|column| table.columns.get(column)),
        _ => None,
    };
    let (shares, null) = (same_image && include == 0.0, null.map_or(0.0, |it| it.null_fraction * rows));
    let plain = rows * (TUPLE + aligned(key + include));
    let leaves = match shares {
        true if (rows - null) / keys >= 2.0 => (keys * (TUPLE + aligned(key)) + rows * POINTER).min(plain),
        true => (rows - null) * (TUPLE + aligned(key)) + null * POINTER,
        false => plain,
    };
    leaves / FILL
}

fn aligned(bytes: f64) -> f64 {
    (bytes / 8.0).ceil() * 8.0
}
