//! What is said of a node below its line.

use super::super::node::{Buffers, ConditionKind, Counters, Node};
use super::super::{NodeId, amount};
use super::Assayed;

/// A line below a node: a text that may be cut, and what is shown behind it in any case.
pub(super) struct Detail {
    pub text: String,
    pub behind: String,
}

/// The conditions and keys that say what a node does; with `verbose` all that EXPLAIN said.
pub(super) fn lines(assayed: &Assayed, id: NodeId, verbose: bool) -> Vec<Detail> {
    let mut details = conditions(assayed.plan.node(id));
    let others = others(assayed, id, verbose);
    details.extend(others.into_iter().map(|text| Detail { text, behind: String::new() }));
    details
}

fn others(assayed: &Assayed, id: NodeId, verbose: bool) -> Vec<String> {
    let node = assayed.plan.node(id);
    let mut lines = keys(node);
    lines.extend(used(&node.counters));
    if let Some(subplans) = node.subplans_removed {
        lines.push(format!("{} pruned", amount::counted(subplans, "subplan", "subplans")));
    }
    if node.disabled {
        lines.push("disabled by a setting".to_owned());
    }
    if verbose {
        lines.extend(all(assayed, id));
    }
    lines
}

fn conditions(node: &Node) -> Vec<Detail> {
    let rows = |rows: Option<f64>| {
        rows.map(|rows| format!(" → removed {}", amount::count(rows * node.loops()))).unwrap_or_default()
    };
    let shown = node.conditions.iter().filter(|condition| {
        // A bitmap scan checks again what its index says already.
        condition.kind != ConditionKind::Recheck || node.removed_by_recheck.is_some() || node.children.is_empty()
    });
    shown
        .map(|condition| {
            let (name, removed) = match condition.kind {
                ConditionKind::Index => ("index", None),
                ConditionKind::Recheck => ("recheck", node.removed_by_recheck),
                ConditionKind::Filter => ("filter", node.removed_by_filter),
                ConditionKind::Hash | ConditionKind::Merge => ("on", None),
                ConditionKind::Join => ("on", node.removed_by_join_filter),
                ConditionKind::OneTime => ("once", None),
                ConditionKind::Tid => ("tid", None),
                ConditionKind::Run => ("run while", None),
                ConditionKind::OrderBy => ("order by", None),
                ConditionKind::Conflict => ("on conflict where", None),
            };
            Detail { text: format!("{name} {}", condition.text), behind: rows(removed) }
        })
        .collect()
}

fn keys(node: &Node) -> Vec<String> {
    let mut lines = Vec::new();
    if !node.sort_key.is_empty() {
        lines.push(format!("by {}", node.sort_key.join(", ")));
    }
    for keys in &node.group_keys {
        let keys = if keys.is_empty() { "all rows".to_owned() } else { keys.join(", ") };
        lines.push(format!("group by {keys}"));
    }
    if let Some(key) = &node.cache_key {
        lines.push(format!("by {key}"));
    }
    lines.extend(node.other.iter().map(|(key, value)| format!("{}: {value}", key.to_lowercase())));
    lines
}

/// Memory and disk, where it went beyond the ordinary.
fn used(counters: &Counters) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(sort) = counters.sort.as_ref().filter(|sort| sort.on_disk) {
        lines.push(format!("{} on disk: {}", sort.methods.join(", "), amount::kilobytes(sort.kilobytes)));
    }
    if let Some(hash) = counters.hash.filter(|hash| hash.batches > 1.0) {
        lines.push(format!("{} batches, {} of memory", amount::count(hash.batches), amount::kilobytes(hash.kilobytes)));
    }
    if let Some(aggregate) = counters.hash_aggregate.filter(|aggregate| aggregate.disk_kilobytes > 0.0) {
        let disk = amount::kilobytes(aggregate.disk_kilobytes);
        lines.push(format!("{} batches, {disk} on disk", amount::count(aggregate.batches)));
    }
    if let Some(memoize) = counters.memoize {
        let evicted = if memoize.evictions > 0.0 {
            format!(", {} evicted", amount::count(memoize.evictions))
        } else {
            String::new()
        };
        lines.push(format!("{} hits, {} misses{evicted}", amount::count(memoize.hits), amount::count(memoize.misses)));
    }
    if counters.lossy_heap_blocks > 0.0 {
        lines.push(format!(
            "{} blocks exact, {} lossy",
            amount::count(counters.exact_heap_blocks),
            amount::count(counters.lossy_heap_blocks)
        ));
    }
    lines
}

fn all(assayed: &Assayed, id: NodeId) -> Vec<String> {
    let (node, own) = (assayed.plan.node(id), assayed.shares[id]);
    let mut lines = Vec::new();
    if !node.output.is_empty() {
        lines.push(format!("output {}", node.output.join(", ")));
    }
    if let Some(estimate) = node.estimate {
        let (startup, total) = (estimate.startup_cost, estimate.total_cost);
        lines.push(format!("cost {startup:.2} to {total:.2}, {} bytes a row", amount::count(estimate.width)));
    }
    if let Some(time) = own.time {
        let first = node.actual.and_then(|actual| actual.startup_time).unwrap_or(0.0);
        lines.push(format!("{} with all below, first row after {}", amount::time(time), amount::time(first)));
    }
    if let Some(sort) = &node.counters.sort {
        let groups = sort.groups.map(|groups| format!(" in {} groups", amount::count(groups))).unwrap_or_default();
        lines.push(format!("{}{groups}: {}", sort.methods.join(", "), amount::kilobytes(sort.kilobytes)));
    }
    if let Some(hash) = node.counters.hash {
        lines.push(format!("{} buckets, {}", amount::count(hash.buckets), amount::kilobytes(hash.kilobytes)));
    }
    if let Some((kind, kilobytes)) = &node.counters.storage {
        lines.push(format!("stored in {}: {}", kind.to_lowercase(), amount::kilobytes(*kilobytes)));
    }
    if let Some(fetches) = node.heap_fetches {
        lines.push(format!("{} heap fetches", amount::count(fetches)));
    }
    if let Some(searches) = node.index_searches {
        lines.push(amount::counted(searches, "index search", "index searches"));
    }
    let blocks = blocks(&own.own_buffers);
    if !blocks.is_empty() {
        lines.push(format!("own blocks: {blocks}"));
    }
    let wal = node.counters.wal;
    if wal.records > 0.0 {
        lines.push(format!("WAL: {} records, {}", amount::count(wal.records), amount::kilobytes(wal.bytes / 1024.0)));
    }
    if node.counters.io.total() > 0.0 {
        lines.push(format!("{} of input and output with all below", amount::time(node.counters.io.total())));
    }
    for worker in &node.workers {
        let actual = worker.actual.map(|actual| {
            let time = actual.total_time.map(|time| format!(" in {}", amount::time(time * actual.loops)));
            format!("{}{}", amount::counted(actual.rows * actual.loops, "row", "rows"), time.unwrap_or_default())
        });
        lines.push(format!("worker {}: {}", worker.number, actual.unwrap_or_default()));
    }
    lines
}

/// `1.2 MB cached, 8 kB read, 16 kB to temporary files`.
pub(super) fn blocks(buffers: &Buffers) -> String {
    let parts = [
        (buffers.shared_hit + buffers.local_hit, "cached"),
        (buffers.read(), "read"),
        (buffers.shared_dirtied + buffers.local_dirtied, "dirtied"),
        (buffers.shared_written + buffers.local_written, "written"),
        (buffers.temp_read, "read from temporary files"),
        (buffers.temp_written, "written to temporary files"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(blocks, _)| *blocks > 0.0)
        .map(|(blocks, what)| format!("{} {what}", amount::blocks(*blocks)))
        .collect();
    parts.join(", ")
}
