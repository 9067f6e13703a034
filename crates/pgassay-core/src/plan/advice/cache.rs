//! Blocks: read from outside the cache, or many for each row.

use super::{Confidence, Context, Tip, amount, subject};
use crate::plan::NodeId;
use crate::plan::node::{ConditionKind, KnownType, Node};

/// Blocks that were read, of all that were asked for.
const READ: f64 = 0.5;

/// Fewer read blocks than this are no matter: 8 MB.
const BLOCKS: f64 = 1024.0;

/// Of the node's time.
const IO_TIME: f64 = 0.5;

/// Blocks for each row that a scan returned.
const BLOCKS_PER_ROW: f64 = 20.0;

/// Fewer entries of an index than this are no matter.
const ENTRIES: f64 = 10_000.0;

pub(super) fn tips(context: &Context) -> Vec<Tip> {
    let material = context.nodes().filter(|(id, _)| context.is_material_alone(*id));
    material
        .filter_map(|(id, node)| {
            dead_entries(context, id, node)
                .or_else(|| read(context, id, node))
                .or_else(|| many_blocks(context, id, node))
                .or_else(|| slow_lookups(context, id, node))
        })
        .collect()
}

fn read(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let own = context.use_of(id);
    let blocks = own.own_buffers;
    let io = node.counters.io.read / own.processes;
    let slow = io >= IO_TIME * own.time.unwrap_or(f64::INFINITY) && io >= 1.0 && node.children.is_empty();
    if !(slow || blocks.read() >= BLOCKS && blocks.read() >= READ * blocks.accessed()) {
        return None;
    }
    let waited = if io > 0.0 { format!(", waiting {} for them", amount::time(io)) } else { String::new() };
    // Temporary tables have a cache of their own.
    let (cache, more) = match blocks.local_read > blocks.shared_read {
        true => {
            ("temp_buffers", "SET temp_buffers, before the session uses a temporary table first, holds more of it.")
        }
        false => (
            "shared_buffers",
            "Run it again: a second run shows what it takes with a warm cache. Where it is always cold, read less (a narrower index, fewer columns, partitions), or give shared_buffers more memory.",
        ),
    };
    Some(Tip {
        kind: "read-from-disk",
        node: Some(id),
        share: own.own_share,
        confidence: if slow { Confidence::High } else { Confidence::Low },
        message: format!(
            "{}: {} of {} came from outside {cache}{waited}, {}",
            subject(node),
            amount::blocks(blocks.read()),
            amount::blocks(blocks.accessed()),
            context.share_text(own.own_share)
        ),
        numbers: vec![("blocks-read", blocks.read()), ("blocks-hit", blocks.shared_hit), ("read-milliseconds", io)],
        advice: more.to_owned(),
        sql: Vec::new(),
    })
}

/// Entries of a bitmap that lead to no row.
const DEAD: f64 = 0.9;

/// A bitmap of many entries of which hardly any row is visible, without a condition that could have removed them.
fn dead_entries(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let own = context.use_of(id);
    let [bitmap] = node.children[..] else { return None };
    let bitmap = context.plan.node(bitmap);
    if !node.is(KnownType::BitmapHeapScan) || !bitmap.is(KnownType::BitmapIndexScan) {
        return None;
    }
    // An unfinished scan, as of a LIMIT, does not come to all of its rows.
    let whole = !context.plan.ancestors(id).any(|above| context.plan.node(above).is(KnownType::Limit));
    let dropped = node.removed_by_filter.unwrap_or(0.0) + node.removed_by_recheck.unwrap_or(0.0);
    let (entries, rows) = (bitmap.actual_rows()?, node.actual_rows()? + dropped * node.loops());
    let lossy = node.counters.lossy_heap_blocks > 0.0;
    if entries < ENTRIES || rows > entries * (1.0 - DEAD) || lossy || !whole {
        return None;
    }
    let table = node.qualified_relation()?;
    Some(Tip {
        kind: "dead-entries",
        node: Some(id),
        share: own.own_share,
        confidence: Confidence::High,
        message: format!(
            "The index finds {} entries, which lead to {} of {}: the others belong to rows that were deleted or updated, {}",
            amount::count(entries),
            amount::counted(rows, "row", "rows"),
            subject(node),
            context.share_text(own.own_share)
        ),
        numbers: vec![("entries", entries), ("rows", rows)],
        advice: "VACUUM removes them, unless something holds it back (an old transaction, a replication slot, hot_standby_feedback, a prepared transaction). Where many rows are deleted at once, run it right after."
            .to_owned(),
        sql: vec![format!("VACUUM (ANALYZE) {table};")],
    })
}

fn many_blocks(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let own = context.use_of(id);
    let rows = node.actual.filter(|actual| actual.loops == 1.0)?.rows;
    let blocks = own.own_buffers.accessed();
    // A sequential scan that keeps few rows has a tip of its own, and an aggregate is meant to read many.
    let looked_up = node.is_any(&[KnownType::IndexScan, KnownType::IndexOnlyScan]);
    if !looked_up || blocks < BLOCKS_PER_ROW * rows.max(1.0) || blocks < BLOCKS {
        return None;
    }
    Some(Tip {
        kind: "many-blocks-per-row",
        node: Some(id),
        share: own.own_share,
        confidence: Confidence::Low,
        message: format!(
            "{}: {} blocks for {} rows, {}",
            subject(node),
            amount::count(blocks),
            amount::count(rows),
            context.share_text(own.own_share)
        ),
        numbers: vec![("blocks", blocks), ("rows", rows)],
        advice: "Dead rows may be in the way: VACUUM, and look whether an old transaction holds it back; a bloated index is rebuilt by REINDEX CONCURRENTLY.".to_owned(),
        sql: Vec::new(),
    })
}

/// What a lookup in memory takes hardly ever, in milliseconds: a disk takes 0.1 (flash) to 10.
const SLOW_LOOKUP: f64 = 0.1;

/// What a search for hardly any row takes hardly ever.
const SLOW_SEARCH: f64 = 20.0;

/// Without BUFFERS: rows or blocks that take as long as a disk does.
fn slow_lookups(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    const LOOKUPS: f64 = 100.0;
    let own = context.use_of(id);
    let time =
        own.own_time.filter(|time| *time >= SLOW_SEARCH && !context.plan.has_buffers())? * own.processes.max(1.0);
    if !node.is_any(&[KnownType::IndexScan, KnownType::IndexOnlyScan, KnownType::BitmapHeapScan]) {
        return None;
    }
    let rows = (node.rows_before_filter()? + node.removed_by_recheck.unwrap_or(0.0)) * node.loops();
    let heap = node.counters.exact_heap_blocks + node.counters.lossy_heap_blocks;
    let (lookups, what) = match node.is(KnownType::BitmapHeapScan) {
        true => (heap, "block"),
        false => (rows.max(node.loops()), "lookup"),
    };
    let searched = node.condition(ConditionKind::Index).is_some();
    let message = if lookups >= LOOKUPS && time >= lookups * SLOW_LOOKUP && time >= rows * SLOW_LOOKUP / 2.0 {
        format!("Each of {} {what}s of {} took {}", amount::count(lookups), subject(node), amount::time(time / lookups))
    } else if !node.is(KnownType::BitmapHeapScan) && searched && time >= (rows + 1.0).max(node.loops()) * SLOW_SEARCH {
        format!(
            "The search of {} took {} for {}",
            node.index.as_deref().unwrap_or("the index"),
            amount::time(time),
            amount::counted(rows, "row", "rows")
        )
    } else {
        return None;
    };
    Some(Tip {
        kind: "slow-lookups",
        node: Some(id),
        share: own.own_share,
        confidence: Confidence::Low,
        message: format!("{message}, {}", context.share_text(own.own_share)),
        numbers: vec![("lookups", lookups), ("rows", rows), ("milliseconds", time)],
        advice: "In memory it takes a hundredth. EXPLAIN (ANALYZE, BUFFERS) tells why: blocks that are read come from the disk, and a second run shows what they take from the cache; many blocks that are hit are dead entries (VACUUM), or an index whose operator hardly narrows the search; and few blocks a function that runs for each row, or a wait."
            .to_owned(),
        sql: Vec::new(),
    })
}
