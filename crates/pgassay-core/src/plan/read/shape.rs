//! How many inputs a node has: what tells a plan that was cut, and what rebuilds one that lost its indentation.

use serde_json::Value;

use super::raw::{RawNode, RawPlan, get};

/// The least and the most inputs of a type of node, without InitPlans and SubPlans; `None` where they may be any.
pub(super) fn inputs(node_type: &str) -> Option<(usize, usize)> {
    Some(match node_type {
        "Seq Scan"
        | "Sample Scan"
        | "Index Scan"
        | "Index Only Scan"
        | "Bitmap Index Scan"
        | "Tid Scan"
        | "Tid Range Scan"
        | "Function Scan"
        | "Table Function Scan"
        | "Values Scan"
        | "CTE Scan"
        | "Named Tuplestore Scan"
        | "WorkTable Scan" => (0, 0),
        "Bitmap Heap Scan" | "Subquery Scan" | "Hash" | "Materialize" | "Memoize" | "Sort" | "Incremental Sort"
        | "Group" | "Aggregate" | "WindowAgg" | "Unique" | "LockRows" | "Limit" | "Gather" | "Gather Merge"
        | "ProjectSet" => (1, 1),
        "Nested Loop" | "Merge Join" | "Hash Join" | "Recursive Union" => (2, 2),
        "Result" => (0, 1),
        "SetOp" => (1, 2),
        "ModifyTable" => (1, usize::MAX),
        "BitmapAnd" | "BitmapOr" => (2, usize::MAX),
        _ => return None,
    })
}

/// The inputs of a node where nothing but their number tells the tree. What is written has several only before 14, where a further one is
/// then left over and refused.
pub(super) fn inputs_without_indentation(node_type: &str) -> Option<usize> {
    let (least, most) = inputs(node_type)?;
    (least == most || node_type == "ModifyTable").then_some(least)
}

pub(super) fn node_type(node: &RawNode) -> &str {
    get(&node.properties, "Node Type").and_then(Value::as_str).unwrap_or_default()
}

fn is_input(node: &RawNode) -> bool {
    let relationship = get(&node.properties, "Parent Relationship").and_then(Value::as_str);
    !matches!(relationship, Some("InitPlan" | "SubPlan"))
}

fn counted(plan: &RawPlan) -> Vec<usize> {
    let mut counts = vec![0; plan.nodes.len()];
    for node in plan.nodes.iter().filter(|node| is_input(node)) {
        if let Some(parent) = node.parent {
            counts[parent] += 1;
        }
    }
    counts
}

/// Somebody left `loops=` out: what is neither an inner side nor below workers runs once, of anything else the times say nothing of the
/// whole. Whether all are known then.
pub(super) fn complete_loops(plan: &mut RawPlan) -> bool {
    const RUNS_ONCE: &[&str] =
        &["Aggregate", "Sort", "Limit", "Unique", "Hash", "Hash Join", "Merge Join", "Bitmap Heap Scan", "ModifyTable"];
    let mut once = vec![true; plan.nodes.len()];
    for at in 0..plan.nodes.len() {
        let node = &plan.nodes[at];
        once[at] = node
            .parent
            .is_none_or(|parent| once[parent] && is_input(node) && RUNS_ONCE.contains(&node_type(&plan.nodes[parent])));
        let has = |key: &str| get(&node.properties, key).is_some();
        if !has("Actual Total Time") || has("Actual Loops") {
            continue;
        }
        if !once[at] || !has("Actual Rows") {
            return false;
        }
        plan.nodes[at].properties.push(("Actual Loops".to_owned(), 1.into()));
    }
    true
}

/// Whether a node has more inputs than its type can have: what hangs on it belongs elsewhere.
pub(super) fn has_too_many(plan: &RawPlan) -> bool {
    let counts = counted(plan);
    plan.nodes.iter().zip(counts).any(|(node, count)| inputs(node_type(node)).is_some_and(|(_, most)| count > most))
}

/// What is missing of the nodes that are there: the times of a statement that ran, or the blocks of its last scan.
fn lost_at_end(plan: &RawPlan) -> Option<&'static str> {
    let (root, last) = (plan.nodes.first()?, plan.nodes.last()?);
    let has = |node: &RawNode, key: &str| get(&node.properties, key).is_some();
    let ran = plan.properties.iter().any(|(key, _)| key == "Execution Time");
    if ran && has(root, "Plan Rows") && !has(root, "Actual Rows") {
        return Some("the plan is cut: the statement ran, and the times of its nodes are not here");
    }
    if names_lost_subplan(plan) {
        return Some("the plan is cut: a SubPlan that a condition names is not here");
    }
    // With BUFFERS, every scan of a table that found rows has some.
    let scans = ["Seq Scan", "Sample Scan", "Index Scan", "Bitmap Heap Scan"].contains(&node_type(last));
    let blocks = |node: &RawNode| node.properties.iter().any(|(key, _)| key.ends_with(" Blocks"));
    let found = get(&last.properties, "Actual Rows").and_then(Value::as_f64).is_some_and(|rows| rows > 0.0);
    let ended = plan.properties.iter().any(|(key, _)| key.ends_with(" Time") || key == "Planning");
    (!ended && scans && found && blocks(root) && !blocks(last))
        .then_some("the plan is cut: its last scan has no blocks")
}

/// Whether a filter asks a SubPlan that stands nowhere.
fn names_lost_subplan(plan: &RawPlan) -> bool {
    let names = plan.nodes.iter().filter_map(|node| get(&node.properties, "Subplan Name").and_then(Value::as_str));
    let known: Vec<&str> = names.collect();
    let filters = plan.nodes.iter().filter_map(|node| get(&node.properties, "Filter").and_then(Value::as_str));
    filters.flat_map(|filter| filter.match_indices("SubPlan ").map(move |(at, _)| &filter[at..])).any(|named| {
        let digits =
            named["SubPlan ".len()..].find(|c: char| !c.is_ascii_digit()).unwrap_or(named.len() - "SubPlan ".len());
        let name = &named[.."SubPlan ".len() + digits];
        digits > 0 && !known.contains(&name)
    })
}

/// What is missing, if a node has fewer inputs than its type has.
pub(super) fn missing(plan: &RawPlan) -> Option<String> {
    let counts = counted(plan);
    if let Some(lost) = lost_at_end(plan) {
        return Some(lost.to_owned());
    }
    let nodes = plan.nodes.iter().zip(counts).enumerate();
    let (at, name, least, count) = nodes
        .filter_map(|(at, (node, count))| {
            let (least, _) = inputs(node_type(node))?;
            (count < least).then(|| (at, node_type(node), least, count))
        })
        .next()?;
    let has = match (least, count) {
        (2, 1) => "has two inputs, and one is here",
        (2, _) => "has two inputs, and none is here",
        _ => "has an input that is not here",
    };
    Some(format!("the plan is cut: {name} (node {}) {has}", at + 1))
}
