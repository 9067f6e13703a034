//! The first page of an index: what the planner reads from it, or what stands there as far as can be told from outside.
//!
//! Structures: BTMetaPageData (nbtree.h), GinMetaPageData (ginblock.h).

use std::collections::HashMap;

use super::extended::unhex;
use crate::facts::planner::{Metapage, RelationStatistics, Statistics};

/// Bytes of PageHeaderData.
pub(super) const PAGE_HEADER: usize = 24;

const BTREE_MAGIC: u32 = 0x05_31_62;

/// What the database's own page says of an index. `None` where it was not read, or not yet written.
pub(super) fn read(index: &RelationStatistics) -> Option<Metapage> {
    let bytes = unhex(index.metapage.as_deref()?)?;
    let u32_at = |at: usize| {
        let from = PAGE_HEADER + at;
        Some(u32::from_le_bytes(bytes.get(from..from + 4)?.try_into().ok()?))
    };
    match index.access_method.as_deref()? {
        "btree" if u32_at(0)? == BTREE_MAGIC => Some(Metapage::BTree { height: u32_at(20)? }),
        // A version of 0 is no GIN index: the page was not yet written to the file.
        "gin" if u32_at(48)? != 0 => Some(Metapage::Gin {
            pending_pages: u32_at(12)?,
            total_pages: u32_at(24)?,
            entry_pages: u32_at(28)?,
            data_pages: u32_at(32)?,
            entries: i64::from(u32_at(40)?) | (i64::from(u32_at(44)?) << 32),
        }),
        _ => None,
    }
}

/// Heights of B-trees from their size and the width of their keys.
pub(super) struct Heights<'s> {
    widths: HashMap<(&'s str, &'s str, &'s str), i32>,
}

impl<'s> Heights<'s> {
    pub(super) fn of(statistics: &'s Statistics) -> Heights<'s> {
        let width = |it: &'s crate::facts::planner::ColumnStatistics| {
            ((it.schema.as_str(), it.relation.as_str(), it.column.as_str()), it.width)
        };
        Heights { widths: statistics.columns.iter().map(width).collect() }
    }

    /// Levels above the leaves: what the first page says, or the estimate.
    pub(super) fn height(&self, index: &RelationStatistics) -> u32 {
        if let Some(Metapage::BTree { height }) = read(index) {
            return height;
        }
        let table = index.table.as_deref();
        let keys = index.keys.as_deref().unwrap_or_default();
        let width = |key: &crate::facts::planner::KeyColumn| match usize::try_from(key.length) {
            Ok(length) => length,
            Err(_) => {
                let known = table.zip(key.column.as_deref());
                let known = known.and_then(|(table, column)| self.widths.get(&(index.schema.as_str(), table, column)));
                known.map_or(DEFAULT_WIDTH, |width| usize::try_from(*width).unwrap_or(DEFAULT_WIDTH))
            }
        };
        height(index.blocks, keys.iter().map(width).sum())
    }
}

/// Of a value of varying length that nothing is known of, as get_typavgwidth has it.
const DEFAULT_WIDTH: usize = 32;

/// BTREE_NONLEAF_FILLFACTOR: pages above the leaves are filled to 70 %.
const NONLEAF_FILL: f64 = 0.7;

/// The space of a page without its header and the special space of a B-tree.
pub(super) const USABLE: f64 = 8152.0;

/// The height of a B-tree with so many pages and keys of so many bytes.
pub(super) fn height(pages: u64, key_width: usize) -> u32 {
    // Header of the tuple, the key aligned, and the line pointer.
    let tuple = 8 + key_width.next_multiple_of(8) + 4;
    let fan_out = (USABLE * NONLEAF_FILL / tuple as f64).max(2.0);
    let (mut level, mut height) = (pages.saturating_sub(1) as f64, 0);
    while level > 1.0 {
        // Of the pages that are left, those of the level below the next.
        level = (level / fan_out).ceil();
        height += 1;
        if level <= 1.0 {
            break;
        }
    }
    height
}
