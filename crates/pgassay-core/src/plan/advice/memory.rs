//! Sorts, hashes and aggregates that did not fit in work_mem and went to disk.

use std::fmt::Write as _;

use super::{Confidence, Context, Tip, amount, subject};
use crate::plan::NodeId;
use crate::plan::node::{Counters, KnownType, Node};

/// What a sort writes to disk is this much smaller than the same rows in memory: tuples there carry headers and pointers.
const SORT_IN_MEMORY: f64 = 2.5;

/// So is what a CTE, a Materialize or a window keeps: each row is allocated by itself, up to twice its size (tuplestore.c, aset.c).
const STORE_IN_MEMORY: f64 = 2.5;

/// A group of a hash table has its key, its state and an entry besides, in bytes.
const GROUP: f64 = 200.0;

/// More work_mem than this is no advice for every session, in kilobytes.
const MUCH_MEMORY: f64 = 256.0 * 1024.0;

/// Temporary blocks that matter: 8 MB.
const TEMPORARY_BLOCKS: f64 = 1024.0;

/// Evictions of a Memoize, as a share of its misses.
const EVICTED: f64 = 0.5;

pub(super) fn tips(context: &Context) -> Vec<Tip> {
    let mut tips = Vec::new();
    for (id, node) in context.nodes() {
        // A hash is filled by its child and read by its join, where the batches are written and read again.
        let join = node.is(KnownType::Hash).then_some(node.parent).flatten();
        let counted = join.unwrap_or(id);
        if context.is_material_alone(id) || context.is_material_alone(counted) {
            let share = context.use_of(id).own_share.max(context.use_of(counted).own_share);
            tips.extend(measured(context, id, node, share).and_then(|tip| weighed(context, id, counted, tip)));
        }
    }
    tips
}

/// Temporary files that are read from a slow disk: 200 MB a second, in milliseconds for each block. In less of the time than counts even so,
/// memory saves nothing.
const SLOW_BLOCK: f64 = 0.04;

/// Of the node's time, the wait for its files from which memory is sure to help.
const WAITED: f64 = 0.5;

/// From the system's cache: 1 GB a second.
const CACHED_BLOCK: f64 = 0.008;

/// How sure it is that memory helps: the wait for temporary files is measured with track_io_timing, else they may have been in the system's
/// cache all the time. None where they cannot count.
fn weighed(context: &Context, id: NodeId, counted: NodeId, mut tip: Tip) -> Option<Tip> {
    const SPILLS: &[&str] = &["sort-on-disk", "hash-in-batches", "aggregate-on-disk", "temporary-blocks"];
    let total = context.plan.total_time().filter(|total| context.shares.timed && *total > 0.0);
    let (Some(total), true) = (total, SPILLS.contains(&tip.kind)) else { return Some(tip) };
    let processes = context.use_of(id).processes.max(1.0);
    let io = |id: NodeId| context.plan.node(id).counters.io;
    let waited = (io(id).temp_read + io(id).temp_write).max(io(counted).temp_read + io(counted).temp_write);
    let mut blocks = context.use_of(id).own_buffers.temp();
    if counted != id {
        blocks += context.use_of(counted).own_buffers.temp();
    }
    if blocks == 0.0 {
        // Without BUFFERS: written and read once.
        blocks = all_counters(context.plan.node(id)).map(spilled_kilobytes).fold(0.0, f64::max) * 2.0 / 8.0;
    }
    if blocks == 0.0 {
        return Some(tip);
    }
    let share = |per_block: f64| blocks * per_block / processes / total;
    if waited > 0.0 {
        let waited = waited / processes / total;
        // What is left is the sorting or hashing itself, which in memory takes as long or longer.
        if waited < WAITED * tip.share {
            tip.confidence = Confidence::Low;
            tip.sql.clear();
        }
        tip.share = waited.min(1.0);
        let _ = write!(tip.message, "; the files took {} of it", amount::percent(waited));
        return (waited >= super::MATERIAL_SHARE).then_some(tip);
    }
    if share(SLOW_BLOCK) < super::MATERIAL_SHARE {
        return None;
    }
    tip.advice.push_str(
        " What the files cost is shown with track_io_timing, from 15 on: in the system's cache it is little.",
    );
    if share(CACHED_BLOCK) >= 2.0 * super::MATERIAL_SHARE {
        tip.confidence = Confidence::Medium;
    } else {
        // A sort or a hash in memory may be slower than one in files that are in the cache: a setting is for what was measured.
        tip.confidence = Confidence::Low;
        tip.sql.clear();
    }
    Some(tip)
}

fn spilled_kilobytes(counters: &Counters) -> f64 {
    let sort = counters.sort.as_ref().filter(|sort| sort.on_disk).map_or(0.0, |sort| sort.kilobytes);
    let aggregate = counters.hash_aggregate.map_or(0.0, |aggregate| aggregate.disk_kilobytes);
    let hash =
        counters.hash.filter(|hash| hash.batches > 1.0).map_or(0.0, |hash| hash.kilobytes * (hash.batches - 1.0));
    sort.max(aggregate).max(hash)
}

/// The node's own counters, or those of the worker that needed most.
fn all_counters(node: &Node) -> impl Iterator<Item = &Counters> {
    std::iter::once(&node.counters).chain(node.workers.iter().map(|worker| &worker.counters))
}

fn measured(context: &Context, id: NodeId, node: &Node, share: f64) -> Option<Tip> {
    let tip = |kind, message: String, numbers, advice: String, sql| {
        Some(Tip { kind, node: Some(id), share, confidence: Confidence::High, message, numbers, advice, sql })
    };
    let spilled = all_counters(node).filter_map(|counters| counters.sort.as_ref()).filter(|sort| sort.on_disk);
    if let Some(most) = spilled.map(|sort| sort.kilobytes).max_by(f64::total_cmp) {
        let needed = most * SORT_IN_MEMORY;
        let message = format!(
            "The sort did not fit in work_mem and wrote {} to disk, {}",
            amount::kilobytes(most),
            context.share_text(share)
        );
        let (advice, sql) = more_memory(needed, instead_of_sorting(context, id));
        return tip("sort-on-disk", message, vec![("disk-kilobytes", most)], advice, sql);
    }
    let hash = all_counters(node).filter_map(|counters| counters.hash).max_by(|a, b| a.batches.total_cmp(&b.batches));
    if let Some(hash) = hash.filter(|hash| hash.batches > 1.0) {
        let misjudged = hash.batches > hash.planned_batches;
        let planned = if misjudged {
            format!(" ({} were planned: more rows came than expected)", amount::count(hash.planned_batches))
        } else {
            String::new()
        };
        let message = format!(
            "The hash table did not fit in memory and was split into {} batches{planned}, {}",
            amount::count(hash.batches),
            context.share_text(share)
        );
        let (advice, sql) =
            more_memory(hash.kilobytes * hash.batches, "hash_mem_multiplier gives more memory to hashes alone.");
        let numbers = vec![("batches", hash.batches), ("planned-batches", hash.planned_batches)];
        return tip("hash-in-batches", message, numbers, advice, sql);
    }
    let aggregates = all_counters(node).filter_map(|counters| counters.hash_aggregate);
    if let Some(aggregate) = aggregates.max_by(|a, b| a.disk_kilobytes.total_cmp(&b.disk_kilobytes))
        && aggregate.disk_kilobytes > 0.0
    {
        let message = format!(
            "The groups did not fit in memory: {} went to disk in {} batches, {}",
            amount::kilobytes(aggregate.disk_kilobytes),
            amount::count(aggregate.batches),
            context.share_text(share)
        );
        // On disk are rows, of which a group may have many.
        let groups = (node.actual_rows().unwrap_or(f64::INFINITY)
            + node.removed_by_filter.unwrap_or(0.0) * node.loops())
            * (node.estimate.map_or(0.0, |estimate| estimate.width) + GROUP)
            / 1024.0;
        let needed = ((aggregate.kilobytes + aggregate.disk_kilobytes) * 1.5).min(groups * 1.5);
        let (advice, sql) = more_memory(needed, "hash_mem_multiplier gives more memory to hashes alone.");
        let numbers = vec![("disk-kilobytes", aggregate.disk_kilobytes), ("batches", aggregate.batches)];
        return tip("aggregate-on-disk", message, numbers, advice, sql);
    }
    memoize(context, id, node, share)
        .or_else(|| temporary_blocks(context, id, node, share))
        .or_else(|| expected_spill(context, id, node, share))
        .or_else(|| expected_batches(context, id, node, share))
}

fn memoize(context: &Context, id: NodeId, node: &Node, share: f64) -> Option<Tip> {
    let memoize = all_counters(node)
        .filter_map(|counters| counters.memoize)
        .max_by(|a, b| a.evictions.total_cmp(&b.evictions))?;
    if memoize.evictions < EVICTED * memoize.misses || memoize.evictions < 1000.0 {
        return None;
    }
    let (advice, sql) = more_memory(memoize.kilobytes * 4.0, "With more rows remembered, fewer are looked up again.");
    Some(Tip {
        kind: "memoize-evictions",
        node: Some(id),
        share,
        confidence: Confidence::Medium,
        message: format!(
            "The cache of the inner side was too small: {} entries were thrown out, and {} of {} lookups missed, {}",
            amount::count(memoize.evictions),
            amount::count(memoize.misses),
            amount::count(memoize.misses + memoize.hits),
            context.share_text(share)
        ),
        numbers: vec![("evictions", memoize.evictions), ("misses", memoize.misses), ("hits", memoize.hits)],
        advice,
        sql,
    })
}

/// What a Materialize, a CTE or a window wrote because its rows did not fit.
fn temporary_blocks(context: &Context, id: NodeId, node: &Node, share: f64) -> Option<Tip> {
    let own = context.use_of(id).own_buffers;
    let written = own.temp_written;
    if written < TEMPORARY_BLOCKS || node.is_any(&[KnownType::HashJoin]) {
        return None;
    }
    let (advice, sql) = more_memory(written * 8.0 * STORE_IN_MEMORY, FEWER_ROWS);
    Some(Tip {
        kind: "temporary-blocks",
        node: Some(id),
        share,
        confidence: Confidence::High,
        message: format!(
            "{} did not fit in work_mem: {} written to temporary files, {} read back, {}",
            subject(node),
            amount::blocks(written),
            amount::blocks(own.temp_read),
            context.share_text(share)
        ),
        numbers: vec![("blocks-written", written), ("blocks-read", own.temp_read)],
        advice,
        sql,
    })
}

/// Without ANALYZE: rows times width tell whether a sort will fit.
fn expected_spill(context: &Context, id: NodeId, node: &Node, share: f64) -> Option<Tip> {
    if context.plan.is_analyzed() || !node.is(KnownType::Sort) {
        return None;
    }
    let above = node.parent.map(|parent| context.plan.node(parent));
    // Behind a LIMIT only the first rows are kept.
    if above.is_some_and(|above| above.is(KnownType::Limit)) {
        return None;
    }
    let estimate = node.estimate?;
    // A sorted tuple has its header and a pointer besides (tuplesort.c).
    let kilobytes = estimate.rows * (estimate.width + 48.0) / 1024.0;
    if kilobytes <= context.work_mem() {
        return None;
    }
    let (advice, sql) = more_memory(kilobytes * 1.2, instead_of_sorting(context, id));
    Some(Tip {
        kind: "sort-on-disk",
        node: Some(id),
        share,
        confidence: Confidence::Low,
        message: format!(
            "The sort of {} rows of {} bytes will take about {}, more than work_mem ({})",
            amount::count(estimate.rows),
            amount::count(estimate.width),
            amount::kilobytes(kilobytes),
            amount::kilobytes(context.work_mem())
        ),
        numbers: vec![("kilobytes-expected", kilobytes), ("work-mem-kilobytes", context.work_mem())],
        advice,
        sql,
    })
}

/// Without ANALYZE: the rows of a hash table beside what it may take.
fn expected_batches(context: &Context, id: NodeId, node: &Node, share: f64) -> Option<Tip> {
    if context.plan.is_analyzed() || !node.is(KnownType::Hash) {
        return None;
    }
    let estimate = node.estimate?;
    // A hashed tuple has its header and its place in a chain besides (nodeHash.c).
    let kilobytes = estimate.rows * (estimate.width + 40.0) / 1024.0;
    let multiplier = context.plan.setting("hash_mem_multiplier").and_then(|it| it.parse().ok()).unwrap_or(2.0);
    let room = context.work_mem() * multiplier;
    if kilobytes <= room {
        return None;
    }
    let (advice, sql) = more_memory(kilobytes / multiplier, "hash_mem_multiplier gives more memory to hashes alone.");
    Some(Tip {
        kind: "hash-in-batches",
        node: Some(id),
        share,
        confidence: Confidence::Low,
        message: format!(
            "The hash table of {} rows of {} bytes will take about {}, more than it may in memory ({})",
            amount::count(estimate.rows),
            amount::count(estimate.width),
            amount::kilobytes(kilobytes),
            amount::kilobytes(room)
        ),
        numbers: vec![("kilobytes-expected", kilobytes), ("memory-kilobytes", room)],
        advice,
        sql,
    })
}

/// An index has the order of one table's rows, not that of a join's.
fn instead_of_sorting(context: &Context, id: NodeId) -> &'static str {
    let sorts_table = context.plan.children(id).all(|below| below.relation.is_some());
    if sorts_table { "An index in the sort's order would save the sort altogether." } else { FEWER_ROWS }
}

const FEWER_ROWS: &str = "Fewer or narrower rows help as well.";

/// What to set, or what to do instead where that would be a lot.
fn more_memory(kilobytes: f64, besides: &str) -> (String, Vec<String>) {
    let needed = amount::kilobytes(kilobytes);
    if kilobytes > MUCH_MEMORY {
        let besides = if besides == FEWER_ROWS { String::new() } else { format!(" {besides}") };
        return (format!("About {needed} would be needed: work on fewer or narrower rows.{besides}"), Vec::new());
    }
    let advice = format!("About {needed} of work_mem would hold it; set it for this session or role only. {besides}");
    (advice, vec![format!("SET work_mem = '{}MB';", (kilobytes / 1024.0).ceil().max(1.0))])
}
