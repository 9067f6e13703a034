//! LIMIT: rows skipped by OFFSET, and an order taken from an index that hardly ever matches.

use super::{Confidence, Context, PROVE, Tip, amount, subject};
use crate::plan::condition::{self, Use};
use crate::plan::node::{ConditionKind, KnownType, Node};
use crate::plan::{NodeId, Plan};

/// Rows skipped.
const SKIPPED: f64 = 1000.0;

/// Rows read in the index's order for each that was returned.
const REMOVED: f64 = 100.0;

/// Without ANALYZE: what a matching row costs, if hundreds are read for each.
const COST_OF_MATCH: f64 = 10.0;

pub(super) fn tips(context: &Context) -> Vec<Tip> {
    let limits = context
        .nodes()
        .filter(|(id, node)| node.is(KnownType::Limit) && (!context.shares.timed || context.is_material(*id)));
    limits
        .filter_map(|(id, node)| {
            offset(context, id, node)
                .or_else(|| wrong_order(context, id, node))
                .or_else(|| filtered_scan(context, id, node))
        })
        .collect()
}

/// The plan does not print the offset: it is what came from below and was not returned.
fn offset(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    if !context.is_material(id) {
        return None;
    }
    let below = context.plan.children(id).next()?;
    let share = context.use_of(id).share;
    let (skipped, returned, confidence) = match (below.actual, node.actual) {
        (Some(below), Some(limit)) if limit.loops > 0.0 => {
            (below.rows * below.loops / limit.loops - limit.rows, limit.rows, Confidence::High)
        }
        (None, None) => {
            // Rows are skipped before the first is returned: they are in the startup cost.
            let (below, limit) = (below.estimate?, node.estimate?);
            let per_row = (below.total_cost - below.startup_cost) / below.rows.max(1.0);
            let skipped = (limit.startup_cost - below.startup_cost) / per_row.max(f64::MIN_POSITIVE);
            (skipped.min(below.rows).round(), limit.rows, Confidence::Low)
        }
        _ => return None,
    };
    if skipped < SKIPPED || skipped < returned {
        return None;
    }
    Some(Tip {
        kind: "large-offset",
        node: Some(id),
        share,
        confidence,
        message: format!(
            "OFFSET: {} rows are read and thrown away to return {}, {}",
            amount::count(skipped),
            amount::count(returned),
            context.share_text(share)
        ),
        numbers: vec![("rows-skipped", skipped), ("rows-returned", returned)],
        advice: "Page by the last key seen: WHERE (sort columns) > (values of the last row) ORDER BY the same columns LIMIT n. With an index on them each page costs the same.".to_owned(),
        sql: Vec::new(),
    })
}

/// A scan of a whole table that a LIMIT is expected to end early, if enough rows pass the filter.
fn filtered_scan(context: &Context, id: NodeId, limit: &Node) -> Option<Tip> {
    const MUCH: f64 = 100.0;
    let mut scan_id = *context.plan.node(id).children.first()?;
    while context.plan.node(scan_id).is_any(&[
        KnownType::Result,
        KnownType::SubqueryScan,
        KnownType::LockRows,
        KnownType::Gather,
    ]) {
        scan_id = *context.plan.node(scan_id).children.first()?;
    }
    let scan = context.plan.node(scan_id);
    let filter = scan.condition(ConditionKind::Filter).filter(|_| scan.is(KnownType::SeqScan))?;
    let (all, expected) = (scan.estimate?, limit.estimate?);
    // With ANALYZE it shows whether it ended early.
    if limit.actual.is_some() || all.total_cost < MUCH * expected.total_cost || all.total_cost < COST_OF_ALL {
        return None;
    }
    let super::filter_index::Suggestion { advice, sql, .. } = super::filter_index::index_for(scan, filter, &[]);
    Some(Tip {
        kind: "limit-of-filtered-scan",
        node: Some(scan_id),
        share: 1.0,
        confidence: Confidence::Low,
        message: format!(
            "{} is read from its start until {} passed the filter: at a cost of {} if they come evenly, of up to {} if they come late or not at all",
            subject(scan),
            amount::counted(expected.rows, "row has", "rows have"),
            amount::count(expected.total_cost),
            amount::count(all.total_cost)
        ),
        numbers: vec![("cost-expected", expected.total_cost), ("cost-of-all", all.total_cost)],
        advice,
        sql,
    })
}

/// A scan that costs less is read in full in no time.
const COST_OF_ALL: f64 = 10_000.0;

fn wrong_order(context: &Context, id: NodeId, limit: &Node) -> Option<Tip> {
    let scan_id = ordered_scan(context.plan, id)?;
    let scan = context.plan.node(scan_id);
    let filter = scan.condition(ConditionKind::Filter)?;
    let index = scan.index.as_deref().unwrap_or_default();
    let share = context.use_of(scan_id).own_share;
    if !context.is_material(id) {
        return None;
    }
    let (message, numbers, confidence) = match limit.actual {
        Some(actual) => {
            let (returned, removed) = (actual.rows, scan.removed_by_filter? * scan.loops());
            if removed < REMOVED * returned.max(1.0) || removed < 1000.0 {
                return None;
            }
            let message = format!(
                "To return {} in the order of {index}, {} rows of {} were read and removed by the filter, {}",
                amount::counted(returned, "row", "rows"),
                amount::count(removed),
                subject(scan),
                context.share_text(share)
            );
            (message, vec![("rows-removed", removed), ("rows-returned", returned)], Confidence::High)
        }
        None => {
            let (matching, limit) = (scan.estimate?, limit.estimate?);
            let each = matching.total_cost / matching.rows.max(1.0);
            if each < COST_OF_MATCH || limit.rows >= matching.rows {
                return None;
            }
            let message = format!(
                "{} is read in the order of {index} until {} passed the filter: at a cost of {} if they come evenly, of up to {} if they come late",
                subject(scan),
                amount::counted(limit.rows, "row has", "rows have"),
                amount::count(limit.total_cost),
                amount::count(matching.total_cost)
            );
            let numbers = vec![("cost-expected", limit.total_cost), ("cost-of-all", matching.total_cost)];
            (message, numbers, Confidence::Low)
        }
    };
    let equal = condition::atoms(scan, filter).into_iter().filter(|atom| atom.use_ == Use::Equal);
    let keys: Vec<String> = equal.map(|atom| atom.key).collect();
    let why = "The planner expected matching rows to be spread evenly along the order.";
    // Which columns the order has is not in the plan: they are those of the index.
    let advice = if keys.is_empty() {
        format!("{why} An index on the filter's columns would find them first, to be sorted then. {PROVE}")
    } else {
        let (table, keys) = (scan.qualified_relation().unwrap_or_default(), keys.join(", "));
        format!(
            "{why} An index on {table} ({keys}, then the columns of {index}) gives the rows in order, and only those. {PROVE}"
        )
    };
    Some(Tip {
        kind: "order-by-limit-filter",
        node: Some(scan_id),
        share,
        confidence,
        message,
        numbers,
        advice,
        sql: Vec::new(),
    })
}

/// The scan in the order of an index that a Limit reads from, through nodes that keep the order.
fn ordered_scan(plan: &Plan, id: NodeId) -> Option<NodeId> {
    let below = *plan.node(id).children.first()?;
    let node = plan.node(below);
    if node.is_any(&[KnownType::IndexScan, KnownType::IndexOnlyScan]) {
        return node.condition(ConditionKind::Index).is_none().then_some(below);
    }
    node.is_any(&[KnownType::SubqueryScan, KnownType::Result, KnownType::LockRows, KnownType::NestedLoop])
        .then(|| ordered_scan(plan, below))?
}
