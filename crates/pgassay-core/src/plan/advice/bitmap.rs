//! Bitmaps that no longer fit in memory.

use super::{Confidence, Context, Tip, amount, subject};
use crate::plan::NodeId;
use crate::plan::condition;
use crate::plan::node::{ConditionKind, KnownType, Node};

/// Lossy blocks among all that the bitmap named.
const LOSSY: f64 = 0.1;

/// Runs of a bitmap that is the same each time.
const RUNS: f64 = 10.0;

/// Of the time of the whole.
const REBUILT: f64 = 0.2;

pub(super) fn tips(context: &Context) -> Vec<Tip> {
    let mut tips = lossy(context);
    let indexes =
        context.nodes().filter(|(id, node)| node.is(KnownType::BitmapIndexScan) && context.is_material_alone(*id));
    tips.extend(indexes.filter_map(|(id, node)| rebuilt(context, id, node)));
    tips
}

/// A bitmap that does not depend on the outer row is built again for each.
fn rebuilt(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let runs = node.loops() / context.use_of(id).processes.max(1.0);
    let share = context.use_of(id).own_share;
    let condition = node.condition(ConditionKind::Index)?;
    let depends = condition::names_others(condition) || condition::has_parameter(condition);
    if runs < RUNS || share < REBUILT || depends {
        return None;
    }
    let rows = node.actual?.rows;
    Some(Tip {
        kind: "bitmap-rebuilt",
        node: Some(id),
        share,
        confidence: Confidence::High,
        message: format!(
            "The bitmap of {} ({condition}) is the same each time, and is built {} times, {}",
            subject(node),
            amount::count(runs),
            context.share_text(share)
        ),
        numbers: vec![("runs", runs), ("rows", rows)],
        advice: "An index with the columns of both conditions finds the rows at once; where the types allow none (a range beside a number takes btree_gist), a subquery with this condition that is MATERIALIZED runs once.".to_owned(),
        sql: Vec::new(),
    })
}

fn lossy(context: &Context) -> Vec<Tip> {
    let scans =
        context.nodes().filter(|(id, node)| node.is(KnownType::BitmapHeapScan) && context.is_material_alone(*id));
    scans
        .filter_map(|(id, node)| {
            let workers = node.workers.iter().map(|worker| &worker.counters);
            let all = std::iter::once(&node.counters).chain(workers);
            let (exact, lossy) = all.fold((0.0, 0.0), |(exact, lossy), counters| {
                (exact + counters.exact_heap_blocks, lossy + counters.lossy_heap_blocks)
            });
            let removed = node.removed_by_recheck.unwrap_or(0.0) * node.loops();
            let kilobytes = bitmap_kilobytes(exact + lossy);
            // What would have fit is noted by ranges of blocks because the index has no more: BRIN.
            if exact == 0.0 && lossy > 0.0 && kilobytes < context.work_mem() {
                return coarse(context, id, node, lossy, removed);
            }
            (lossy >= LOSSY * (exact + lossy) && lossy > 0.0).then(|| Tip {
                kind: "lossy-bitmap",
                node: Some(id),
                share: context.use_of(id).own_share,
                confidence: Confidence::High,
                message: format!(
                    "The bitmap of {} did not fit in work_mem: {} of {} blocks were noted as a whole, and {} rows in them had to be checked again in vain",
                    subject(node),
                    amount::count(lossy),
                    amount::count(exact + lossy),
                    amount::count(removed)
                ),
                numbers: vec![("lossy-blocks", lossy), ("exact-blocks", exact), ("rows-removed-by-recheck", removed)],
                advice: format!("About {} of work_mem would hold it.", amount::kilobytes(kilobytes)),
                sql: vec![format!("SET work_mem = '{}MB';", (kilobytes / 1024.0).ceil().max(1.0))],
            })
        })
        .collect()
}

/// An index of ranges of blocks that leads to many rows which do not match.
fn coarse(context: &Context, id: NodeId, node: &Node, blocks: f64, removed: f64) -> Option<Tip> {
    let rows = node.actual_rows()?;
    if removed < 1000.0 || removed < 10.0 * rows {
        return None;
    }
    let share = context.use_of(id).own_share;
    Some(Tip {
        kind: "coarse-index",
        node: Some(id),
        share,
        confidence: Confidence::Low,
        message: format!(
            "The index names ranges of blocks (BRIN): {} of {} are read for {}, and {} are checked in vain, {}",
            amount::counted(blocks, "block", "blocks"),
            subject(node),
            amount::counted(rows, "row", "rows"),
            amount::counted(removed, "row", "rows"),
            context.share_text(share)
        ),
        numbers: vec![("blocks", blocks), ("rows", rows), ("rows-removed-by-recheck", removed)],
        advice: "Such an index serves values that lie in the table in their order: CLUSTER it, or have fewer blocks in a range (pages_per_range); from 14 on the operator \
                 classes minmax_multi and bloom suit values that do not. A B-tree leads to the rows themselves, and is larger."
            .to_owned(),
        sql: Vec::new(),
    })
}

/// A page's entry of a bitmap: 40 to 56 bytes with a hash table that is at most 90 % full and grows by doubling (tidbitmap.c).
fn bitmap_kilobytes(blocks: f64) -> f64 {
    const BYTES_OF_PAGE: f64 = 128.0;
    blocks * BYTES_OF_PAGE / 1024.0
}
