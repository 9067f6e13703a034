//! Nested loops that run their inner side too often, and joins that throw most pairs away.

use super::scan::index_for;
use super::{Confidence, Context, PROVE, Tip, amount, subject};
use crate::plan::condition::{self, Use};
use crate::plan::node::{ConditionKind, KnownType, Node, Relationship};
use crate::plan::{NodeId, Plan};

/// Runs of the inner side from which a nested loop is looked at.
const LOOPS: f64 = 1000.0;

/// The inner side's share of the whole.
const INNER_SHARE: f64 = 0.4;

/// The outer side has this many times the rows that were expected.
const OUTER_FACTOR: f64 = 10.0;

/// Rows that the inner scans read, in all loops.
const SCANNED_ROWS: f64 = 100_000.0;

pub(super) fn tips(context: &Context) -> Vec<Tip> {
    let loops = context.nodes().filter(|(id, node)| node.is(KnownType::NestedLoop) && context.is_material(*id));
    loops
        .filter_map(|(id, node)| inner_sequential_scan(context, id, node).or_else(|| many_loops(context, id, node)))
        .collect()
}

fn side(plan: &Plan, node: &Node, relationship: Relationship) -> Option<NodeId> {
    node.children.iter().copied().find(|child| plan.node(*child).relationship == Some(relationship))
}

/// The sequential scan that the inner side is, behind nodes that keep its rows as they are.
fn scan_of(plan: &Plan, inner: NodeId) -> Option<NodeId> {
    let node = plan.node(inner);
    match () {
        () if node.is(KnownType::SeqScan) => Some(inner),
        () if node.is_any(&[KnownType::Materialize, KnownType::Memoize]) => {
            node.children.iter().find_map(|child| scan_of(plan, *child))
        }
        () => None,
    }
}

fn inner_sequential_scan(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let plan = context.plan;
    let (outer, inner) = (side(plan, node, Relationship::Outer)?, side(plan, node, Relationship::Inner)?);
    let scan = plan.node(scan_of(plan, inner)?);
    let condition = node.condition(ConditionKind::Join).or(scan.condition(ConditionKind::Filter))?;
    let (loops, read, numbers, confidence) = match plan.node(inner).actual {
        Some(actual) => {
            let rows = plan.node(inner).rows_before_filter()?;
            let numbers = vec![("loops", actual.loops), ("rows-read", rows * actual.loops)];
            (actual.loops, rows * actual.loops, numbers, Confidence::High)
        }
        None => {
            let loops = plan.node(outer).estimate?.rows;
            let rows = plan.node(inner).estimate?.rows;
            (loops, loops * rows, vec![("loops-expected", loops), ("rows-expected", loops * rows)], Confidence::Low)
        }
    };
    if read < SCANNED_ROWS || loops < 2.0 {
        return None;
    }
    let share = context.use_of(id).own_share + context.use_of(inner).share;
    let keys = join_keys(scan, condition);
    let (advice, sql) = if keys.is_empty() {
        let advice = "No index serves the join's condition as it is written: look for a comparison of plain columns that could be added.";
        (advice.to_owned(), Vec::new())
    } else {
        let table = scan.qualified_relation()?;
        let advice = format!("An index on the joined column finds the matching rows of {} directly. {PROVE}", subject(scan));
        (advice, vec![format!("CREATE INDEX CONCURRENTLY ON {table} ({});", keys.join(", "))])
    };
    Some(Tip {
        kind: "inner-sequential-scan",
        node: scan_of(plan, inner),
        share: share.min(1.0),
        confidence: if sql.is_empty() { Confidence::Low } else { confidence },
        message: format!(
            "All rows of {} are gone through {} times, {} rows in total, {}",
            subject(scan),
            amount::count(loops),
            amount::count(read),
            context.share_text(share.min(1.0))
        ),
        numbers,
        advice,
        sql,
    })
}

/// Columns of the scanned table that the join compares with the other side.
fn join_keys(scan: &Node, condition: &str) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for atom in condition::atoms(scan, condition) {
        if atom.use_ == Use::Equal && !keys.contains(&atom.key) {
            keys.push(atom.key);
        }
    }
    keys
}

fn many_loops(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let plan = context.plan;
    let (outer, inner) = (side(plan, node, Relationship::Outer)?, side(plan, node, Relationship::Inner)?);
    let loops = plan.node(inner).actual?.loops;
    let share = context.use_of(inner).share;
    let factor = plan.node(outer).rows_ratio()?;
    if loops < LOOPS || share < INNER_SHARE || factor < OUTER_FACTOR {
        // Many loops that were expected were found cheaper than the alternatives; but an index that removes most rows is not.
        return inner_filter(context, inner, loops);
    }
    Some(Tip {
        kind: "many-loops",
        node: Some(id),
        share,
        confidence: Confidence::High,
        message: format!(
            "The inner side ran {} times, {} as often as expected, {}",
            amount::count(loops),
            amount::factor(factor),
            context.share_text(share)
        ),
        numbers: vec![("loops", loops), ("factor", factor)],
        advice: "The nested loop was chosen for few rows. Mend the estimate of its outer side; a hash join would then be taken.".to_owned(),
        sql: Vec::new(),
    })
}

/// An index scan inside a loop that finds many rows and keeps few in each loop.
fn inner_filter(context: &Context, inner: NodeId, loops: f64) -> Option<Tip> {
    let node = context.plan.node(inner);
    let (actual, removed) = (node.actual?, node.removed_by_filter?);
    let share = context.use_of(inner).share;
    if !node.is(KnownType::IndexScan) || loops < LOOPS || share < INNER_SHARE || removed < 3.0 * actual.rows.max(1.0) {
        return None;
    }
    let index = node.condition(ConditionKind::Index).map(|condition| condition::atoms(node, condition));
    let filter = condition::atoms(node, node.condition(ConditionKind::Filter)?);
    let (advice, sql) = index_for(node, &filter, &index.unwrap_or_default());
    Some(Tip {
        kind: "filter-behind-index",
        node: Some(inner),
        share,
        confidence: Confidence::Medium,
        message: format!(
            "Each of {} loops finds {} rows of {} by the index and keeps {}, {}",
            amount::count(loops),
            amount::count(removed + actual.rows),
            subject(node),
            amount::count(actual.rows),
            context.share_text(share)
        ),
        numbers: vec![("loops", loops), ("rows-removed", removed), ("rows-kept", actual.rows)],
        advice,
        sql,
    })
}
