//! Nested loops that run their inner side too often, and joins that throw most pairs away.

use super::filter_index::{Suggestion, index_for};
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

/// A side that is read in full to be joined with this many times fewer rows.
const UNMATCHED: f64 = 100.0;

/// Fewer rows than this are read in full at no cost.
const READ_IN_FULL: f64 = 10_000.0;

const JOINS: &[KnownType] = &[KnownType::NestedLoop, KnownType::HashJoin, KnownType::MergeJoin];

pub(super) fn tips(context: &Context) -> Vec<Tip> {
    let joins = context.nodes().filter(|(id, node)| node.is_any(JOINS) && context.is_material(*id));
    joins
        .filter_map(|(id, node)| {
            let looped = node.is(KnownType::NestedLoop);
            let first = looped.then(|| inner_sequential_scan(context, id, node)).flatten();
            first
                .or_else(|| side_in_full(context, id, node))
                .or_else(|| looped.then(|| many_loops(context, id, node)).flatten())
                .or_else(|| looped.then(|| compares_all(context, id, node)).flatten())
                .or_else(|| looped.then(|| pairs_all(context, id, node)).flatten())
        })
        .collect()
}

/// Pairs of rows that a join throws away.
const PAIRS: f64 = 1_000_000.0;

/// A nested loop that compares every row of one side with every row of the other.
fn compares_all(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let removed = node.removed_by_join_filter? * node.loops();
    let condition = node.condition(ConditionKind::Join)?;
    let kept = node.actual_rows()?;
    let held =
        context.plan.node(id).children.iter().filter(|child| context.plan.node(**child).is(KnownType::Materialize));
    let share = context.use_of(id).own_share + held.map(|child| context.use_of(*child).own_share).sum::<f64>();
    if removed < PAIRS || removed < UNMATCHED * kept || share < INNER_SHARE {
        return None;
    }
    let hashable = condition.contains(" = ") && !condition.contains(" OR ");
    let advice = if hashable {
        "A hash join would find the pairs without comparing all; the planner expected too few rows for one: mend that estimate first. SET enable_nestloop = off shows what it would take."
    } else {
        "Only an equality can be hashed or merged. Fewer pairs come from an equality besides (a day, an area, a customer), an index of one side on this condition (GiST for ranges and shapes), fewer rows on one side, or a UNION of joins in the place of OR."
    };
    Some(Tip {
        kind: "join-compares-all",
        node: Some(id),
        share: share.min(1.0),
        confidence: Confidence::Low,
        message: format!(
            "{} pairs of rows are compared one by one, and {} kept, {}",
            amount::count(removed + kept),
            amount::count(kept),
            context.share_text(share)
        ),
        numbers: vec![("pairs-removed", removed), ("rows-kept", kept)],
        advice: advice.to_owned(),
        sql: Vec::new(),
    })
}

/// Rows of a side from which all pairs with the other are many.
const SIDE: f64 = 10.0;

/// A nested loop without a condition: each row of one side beside each of the other.
fn pairs_all(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let plan = context.plan;
    let (outer, inner) = (side(plan, node, Relationship::Outer)?, side(plan, node, Relationship::Inner)?);
    let pairs = node.actual_rows().filter(|pairs| *pairs >= PAIRS)?;
    let (left, right) = (plan.node(outer).actual_rows()?, plan.node(inner).actual?.rows);
    let share = context.use_of(id).own_share + context.use_of(inner).share;
    let joined = node.condition(ConditionKind::Join).or(node.condition(ConditionKind::Filter)).is_some();
    if joined || left < SIDE || right < SIDE || share < INNER_SHARE || !is_independent(plan, inner) {
        return None;
    }
    let few =
        plan.ancestors(id).find(|above| plan.node(*above).actual_rows().is_some_and(|rows| rows * UNMATCHED <= pairs));
    let kept = few.and_then(|above| plan.node(above).actual_rows());
    let left_over = match (few, kept) {
        (Some(above), Some(kept)) => format!("; node {} leaves {} of them", above.number(), amount::count(kept)),
        _ => String::new(),
    };
    Some(Tip {
        kind: "join-without-condition",
        node: Some(id),
        share: share.min(1.0),
        confidence: Confidence::Low,
        message: format!(
            "Each of {} rows is paired with each of {}, without a condition: {} pairs{left_over}, {}",
            amount::count(left),
            amount::count(right),
            amount::count(pairs),
            context.share_text(share.min(1.0))
        ),
        numbers: vec![("pairs", pairs), ("rows-left", kept.unwrap_or(pairs))],
        advice: "If the query has no condition between the two sides, one may be missing. If it has one that needs both of them and a third (a + b = c), pairs cannot be avoided, but be fewer: filter each side first, and bound one by the other (a < c)."
            .to_owned(),
        sql: Vec::new(),
    })
}

/// Whether a side is the same for each row of the other, as far as the plan tells: the arguments of functions are not in it.
fn is_independent(plan: &Plan, inner: NodeId) -> bool {
    const PLAIN: &[KnownType] = &[
        KnownType::Materialize,
        KnownType::SeqScan,
        KnownType::IndexScan,
        KnownType::IndexOnlyScan,
        KnownType::BitmapHeapScan,
        KnownType::CteScan,
        KnownType::Sort,
    ];
    std::iter::once(inner).chain(plan.below(inner)).all(|id| {
        let node = plan.node(id);
        let depends = |text: &str| condition::depends_on_others(node, text) || condition::has_parameter(text);
        // Its condition is the table's, which is looked at.
        node.is(KnownType::BitmapIndexScan)
            || node.is_any(PLAIN) && node.conditions.iter().all(|condition| !depends(&condition.text))
    })
}

/// A table that is read from end to end although few of its rows meet any of the other side.
fn side_in_full(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let plan = context.plan;
    let sides = [side(plan, node, Relationship::Outer)?, side(plan, node, Relationship::Inner)?];
    let joined = node.actual_rows()?;
    // An outer join returns the rows that meet none as well.
    let (read_id, other) = [(sides[0], sides[1]), (sides[1], sides[0])].into_iter().find_map(|(side, other)| {
        let scan = scan_below(plan, side)?;
        let read = plan.node(scan).actual_rows()?;
        let few = distinct_rows(plan.node(other)).max(joined);
        let wasted = read >= READ_IN_FULL && read >= UNMATCHED * few.max(1.0)
            // Once, or a part by each of the processes.
            && plan.node(scan).loops() <= context.use_of(scan).processes;
        wasted.then_some((scan, other))
    })?;
    let scan = plan.node(read_id);
    let share = context.use_of(read_id).own_share + context.use_of(id).own_share;
    if !context.is_material_alone(read_id) {
        return None;
    }
    let keys: Vec<String> = join_conditions(plan, id, other)
        .iter()
        .flat_map(|condition| condition::atoms_elsewhere(scan, condition))
        .filter(|atom| atom.use_ == Use::Equal)
        .map(|atom| atom.key)
        .collect();
    let read = scan.actual_rows()?;
    if keys.is_empty() {
        return None;
    }
    Some(Tip {
        kind: "join-reads-all",
        node: Some(read_id),
        share: share.min(1.0),
        confidence: Confidence::High,
        message: format!(
            "All {} rows of {} are read, and {} remain after the join, {}",
            amount::count(read),
            subject(scan),
            amount::count(joined),
            context.share_text(share.min(1.0))
        ),
        numbers: vec![("rows-read", read), ("rows-joined", joined)],
        advice: format!(
            "With an index on the joined column, only the rows that meet the other side need be read.{} {PROVE}",
            super::on_partitions(scan)
        ),
        sql: super::create_index(scan, &format!("({})", keys.join(", "))).into_iter().collect(),
    })
}

/// The unfiltered scan that a side is, behind nodes that keep its rows as they are.
fn scan_below(plan: &Plan, id: NodeId) -> Option<NodeId> {
    let node = plan.node(id);
    if node.is(KnownType::SeqScan) {
        node.removed_by_filter.is_none().then_some(id)
    } else if node.is_any(&[KnownType::Hash, KnownType::Sort, KnownType::Materialize]) {
        node.children.iter().find_map(|child| scan_below(plan, *child))
    } else {
        None
    }
}

/// Rows of a side; of one that is looked up again and again, the rows that were found.
fn distinct_rows(node: &Node) -> f64 {
    node.actual_rows().unwrap_or(f64::INFINITY)
}

/// The conditions that join: the node's own, or those that the inner side is looked up by.
fn join_conditions(plan: &Plan, id: NodeId, other: NodeId) -> Vec<String> {
    let own = [ConditionKind::Hash, ConditionKind::Merge, ConditionKind::Join];
    let node = plan.node(id);
    let mut conditions: Vec<String> = own.iter().filter_map(|kind| node.condition(*kind)).map(str::to_owned).collect();
    let below = std::iter::once(other).chain(plan.below(other));
    conditions.extend(below.filter_map(|below| plan.node(below).condition(ConditionKind::Index)).map(str::to_owned));
    conditions
}

fn side(plan: &Plan, node: &Node, relationship: Relationship) -> Option<NodeId> {
    node.children.iter().copied().find(|child| plan.node(*child).relationship == Some(relationship))
}

/// The sequential scan that the inner side is, behind nodes that keep its rows as they are.
fn scan_of(plan: &Plan, inner: NodeId) -> Option<NodeId> {
    let node = plan.node(inner);
    if node.is(KnownType::SeqScan) {
        Some(inner)
    } else if node.is_any(&[KnownType::Materialize, KnownType::Memoize]) {
        node.children.iter().find_map(|child| scan_of(plan, *child))
    } else {
        None
    }
}

fn inner_sequential_scan(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let plan = context.plan;
    let (outer, inner) = (side(plan, node, Relationship::Outer)?, side(plan, node, Relationship::Inner)?);
    let scan = plan.node(scan_of(plan, inner)?);
    // A filter that is the same for each row of the outer side joins nothing, and is worth an index if it removes most.
    let removes = scan.removed_by_filter.unwrap_or(0.0) > scan.actual.map_or(f64::INFINITY, |actual| actual.rows);
    let filter = scan
        .condition(ConditionKind::Filter)
        .filter(|filter| removes || scan.actual.is_none() || condition::depends_on_others(scan, filter));
    let condition = node.condition(ConditionKind::Join).or(filter)?;
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
        const SHAPES: &[&str] =
            &[" && ", " @> ", " <@ ", "st_intersects(", "st_contains(", "st_within(", "st_dwithin(", "st_covers("];
        let advice = match SHAPES.iter().any(|operator| condition.to_lowercase().contains(operator)) {
            true => {
                "A GiST index on the shape or range that is compared serves this condition (of arrays a GIN index). An equality besides, of plain columns, would do so too."
            }
            false => {
                "No index serves the join's condition as it is written: look for a comparison of plain columns that could be added."
            }
        };
        (advice.to_owned(), Vec::new())
    } else {
        let on = super::on_partitions(scan);
        let advice =
            format!("An index on the joined column finds the matching rows of {} directly.{on} {PROVE}", subject(scan));
        (advice, super::create_index(scan, &format!("({})", keys.join(", "))).into_iter().collect())
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
    for atom in condition::atoms_elsewhere(scan, condition).into_iter().chain(condition::atoms(scan, condition)) {
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
        advice: format!(
            "The nested loop was chosen for few rows. Mend the estimate of {}; a hash join would then be taken.",
            match super::estimate::lowest_wrong(plan, outer) {
                Some(root) => format!("node {} ({}), where the error begins", root.number(), subject(plan.node(root))),
                None => "its outer side".to_owned(),
            }
        ),
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
    let Suggestion { advice, sql, .. } =
        index_for(node, node.condition(ConditionKind::Filter)?, &index.unwrap_or_default());
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
