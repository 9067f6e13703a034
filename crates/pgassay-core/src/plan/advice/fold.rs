//! Like siblings as one: what is judged of the scans of a table's partitions is judged of all of them together.
//!
//! In: a plan. Out: a plan for judging, in which the children of an Append that do the same are one node with the sum of their rows,
//! times and blocks, and for each of its nodes the first one that it stands for.

use std::collections::HashMap;
use std::fmt::Write;

use crate::plan::node::{KnownType, Node};
use crate::plan::{NodeId, Plan};

pub(super) struct Folded {
    pub plan: Plan,
    /// By node of `plan`: its place in the plan that was read.
    pub origin: Vec<NodeId>,
}

/// The plan with like siblings folded; `None` where there are none.
pub(super) fn fold(plan: &Plan) -> Option<Folded> {
    let appends = plan.ids().filter(|id| {
        let node = plan.node(*id);
        node.is_any(&[KnownType::Append, KnownType::MergeAppend]) && node.children.len() > 1
    });
    // By node: the node that stands for it; itself where it is not folded.
    let mut stands_for: Vec<usize> = (0..plan.nodes.len()).collect();
    let mut names: HashMap<usize, String> = HashMap::new();
    let ends = ends(plan);
    let mut any = false;
    for id in appends {
        let mut groups: HashMap<String, Vec<NodeId>> = HashMap::new();
        let mut order = Vec::new();
        for child in &plan.node(id).children {
            let Some(signature) = signature(plan, *child, ends[child.0]) else { continue };
            let group = groups.entry(signature.clone()).or_default();
            if group.is_empty() {
                order.push(signature);
            }
            group.push(*child);
        }
        for group in order.iter().map(|signature| &groups[signature]).filter(|group| group.len() > 1) {
            let first = group[0];
            let length = ends[first.0] - first.0;
            for member in &group[1..] {
                for below in 0..length {
                    stands_for[member.0 + below] = first.0 + below;
                }
            }
            for below in 0..length {
                if let Some(name) = parent_name(plan, group, below) {
                    names.insert(first.0 + below, name);
                }
            }
            any = true;
        }
    }
    any.then(|| folded(plan, &stands_for, &names))
}

/// By node: behind the last node below it. Nodes are in the order of the plan.
fn ends(plan: &Plan) -> Vec<usize> {
    let mut ends: Vec<usize> = (1..=plan.nodes.len()).collect();
    for at in (0..plan.nodes.len()).rev() {
        if let Some(parent) = plan.nodes[at].parent {
            ends[parent.0] = ends[parent.0].max(ends[at]);
        }
    }
    ends
}

/// What a part of a plan does, without the names of partitions. Parts of more than a few nodes are not folded.
fn signature(plan: &Plan, id: NodeId, end: usize) -> Option<String> {
    const MOST_NODES: usize = 8;
    if end - id.0 > MOST_NODES {
        return None;
    }
    let mut signature = String::new();
    for at in id.0..end {
        let node = &plan.nodes[at];
        let name = node.reference().unwrap_or_default();
        let plain = |text: &str| if name.is_empty() { text.to_owned() } else { text.replace(&format!("{name}."), "") };
        write!(
            signature,
            "{}|{:?}|{}|",
            node.kind.name(),
            node.join_type,
            if at == id.0 { 0 } else { at - node.parent.map_or(at, |parent| parent.0) }
        )
        .ok()?;
        // The first of several aliases has no number: `o`, `o_1`.
        if node.relation.is_some() {
            // Partitions have an alias of their own, made of their table's; it is not printed where it is the partition's name (`o_10`).
            if node.alias.is_none() && base(name) == name {
                return None;
            }
            write!(signature, "{}|", base(name)).ok()?;
        }
        for condition in &node.conditions {
            write!(signature, "{:?}{}|", condition.kind, plain(&condition.text)).ok()?;
        }
        for key in &node.sort_key {
            write!(signature, "{}|", plain(key)).ok()?;
        }
        if node.never_executed() {
            signature.push_str("never");
        }
    }
    Some(signature)
}

/// `o` of `o_12`.
fn base(alias: &str) -> &str {
    match alias.rsplit_once('_') {
        Some((base, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => base,
        _ => alias,
    }
}

/// The name of the partitioned table: what the partitions' aliases are made of, if their own names begin with it.
fn parent_name(plan: &Plan, group: &[NodeId], below: usize) -> Option<String> {
    let nodes: Vec<&Node> = group.iter().map(|id| &plan.nodes[id.0 + below]).collect();
    let name = base(nodes[0].reference()?);
    let alike = nodes.iter().all(|node| {
        node.reference().map(base) == Some(name)
            && node.relation.as_deref().and_then(|relation| relation.strip_prefix(name)).is_some_and(|rest| {
                // `o_1` is of `o`, and `orders_1 o_1` is not.
                rest.starts_with(|c: char| c == '_' || c.is_ascii_digit())
            })
    });
    alike.then(|| name.to_owned())
}

fn folded(plan: &Plan, stands_for: &[usize], names: &HashMap<usize, String>) -> Folded {
    let mut out = plan.without_nodes();
    let mut place = vec![0; plan.nodes.len()];
    let mut origin = Vec::new();
    for (at, node) in plan.nodes.iter().enumerate() {
        if stands_for[at] != at {
            place[at] = place[stands_for[at]];
            add(&mut out.nodes[place[at]], node);
            continue;
        }
        place[at] = out.nodes.len();
        origin.push(NodeId(at));
        out.nodes.push(Node {
            parent: node.parent.map(|parent| NodeId(place[parent.0])),
            children: Vec::new(),
            siblings: 1,
            ..node.clone()
        });
    }
    for (at, first) in origin.iter().enumerate() {
        if let Some(parent) = out.nodes[at].parent {
            out.nodes[parent.0].children.push(NodeId(at));
        }
        if out.nodes[at].siblings > 1 && out.nodes[at].relation.is_some() {
            out.nodes[at].partitioned = names.get(&first.0).cloned();
        }
    }
    Folded { plan: out, origin }
}

/// Adds what a sibling took to the node that stands for it.
fn add(sum: &mut Node, node: &Node) {
    sum.siblings += 1;
    let loops = sum.loops().max(1.0);
    // Averages of one loop of the first.
    let scaled = |value: f64| value * node.loops() / loops;
    if let (Some(sum), Some(actual)) = (&mut sum.actual, node.actual) {
        sum.rows += scaled(actual.rows);
        sum.total_time = sum.total_time.map(|time| time + scaled(actual.total_time.unwrap_or(0.0)));
    }
    for (sum, removed) in [
        (&mut sum.removed_by_filter, node.removed_by_filter),
        (&mut sum.removed_by_join_filter, node.removed_by_join_filter),
        (&mut sum.removed_by_recheck, node.removed_by_recheck),
    ] {
        if let Some(removed) = removed {
            *sum = Some(sum.unwrap_or(0.0) + scaled(removed));
        }
    }
    if let (Some(sum), Some(estimate)) = (&mut sum.estimate, node.estimate) {
        sum.total_cost += estimate.total_cost;
        sum.rows += estimate.rows;
    }
    if let Some(fetches) = node.heap_fetches {
        sum.heap_fetches = Some(sum.heap_fetches.unwrap_or(0.0) + fetches);
    }
    let counters = &mut sum.counters;
    counters.buffers = counters.buffers.plus(&node.counters.buffers);
    counters.io.read += node.counters.io.read;
    counters.exact_heap_blocks += node.counters.exact_heap_blocks;
    counters.lossy_heap_blocks += node.counters.lossy_heap_blocks;
}
