//! What changed between two plans of one query: scans, joins, their order, rows, and which node accounts for the difference.
//!
//! Nodes of both plans are the same when they do the same for the same tables: a scan of `orders o`, the join of `o` and `c`, the sort
//! of what was joined. Nodes that only serve another (Hash, Materialize, Memoize, bitmaps) belong to it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::draw::{Assayed, node_title};
use super::node::{KnownType, Node};
use super::{NodeId, amount};

/// What changed from one plan to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Totals and differences are milliseconds; else the planner's cost.
    pub timed: bool,
    pub before: f64,
    pub after: f64,
    pub changes: Vec<PlanChange>,
    /// Parts of the plan by how much more or less they take for themselves, the greatest difference first.
    pub differences: Vec<Difference>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanChange {
    pub kind: ChangeKind,
    pub before: Option<NodeId>,
    pub after: Option<NodeId>,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    ScanMethod,
    Index,
    JoinMethod,
    JoinOrder,
    Added,
    Removed,
    ExpectedRows,
    ActualRows,
}

impl ChangeKind {
    pub fn name(self) -> &'static str {
        match self {
            ChangeKind::ScanMethod => "scan",
            ChangeKind::Index => "index",
            ChangeKind::JoinMethod => "join",
            ChangeKind::JoinOrder => "join order",
            ChangeKind::Added => "added",
            ChangeKind::Removed => "removed",
            ChangeKind::ExpectedRows => "expected rows",
            ChangeKind::ActualRows => "actual rows",
        }
    }
}

/// A part of the plan before and after, with what it took for itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    pub before: Option<NodeId>,
    pub after: Option<NodeId>,
    pub own_before: f64,
    pub own_after: f64,
    /// The nodes' names; with an arrow where they differ.
    pub text: String,
}

/// Rows that differ by this factor are worth a line.
const ROWS_FACTOR: f64 = 2.0;

/// Fewer rows than this on both sides are not.
const ROWS: f64 = 10.0;

/// Compares a plan with a later one of the same query.
pub fn compare(before: &Assayed, after: &Assayed) -> Comparison {
    let timed = before.shares.timed && after.shares.timed;
    let (old, new) = (units(before, timed), units(after, timed));
    let pairs = pairs(&old, &new);
    let mut changes = Vec::new();
    for (old, new) in &pairs {
        match (old, new) {
            (Some(old), Some(new)) => changes.extend(changed(before, after, old, new)),
            (Some(old), None) => changes.push(lone(ChangeKind::Removed, before, old)),
            (None, Some(new)) => changes.push(lone(ChangeKind::Added, after, new)),
            (None, None) => {}
        }
    }
    join_order(&mut changes);
    changes.sort_by_key(|change| change.kind);
    let mut differences: Vec<Difference> =
        pairs.iter().map(|(old, new)| difference(before, after, old.as_ref(), new.as_ref())).collect();
    differences.sort_by(|a, b| (b.own_after - b.own_before).abs().total_cmp(&(a.own_after - a.own_before).abs()));
    let total = |assayed: &Assayed| {
        let root = assayed.plan.ids().next().map(|root| assayed.shares[root].cost);
        if timed { assayed.shares.total } else { root.unwrap_or(0.0) }
    };
    Comparison { timed, before: total(before), after: total(after), changes, differences }
}

/// A node with those that only serve it.
#[derive(Debug, Clone)]
struct Unit {
    id: NodeId,
    key: Key,
    own: f64,
    index: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    class: String,
    /// The tables below, by their names in the query.
    covers: BTreeSet<String>,
    /// Tells further nodes of the same kind apart.
    ordinal: usize,
}

fn serves_another(node: &Node) -> bool {
    node.is_any(&[
        KnownType::Hash,
        KnownType::Materialize,
        KnownType::Memoize,
        KnownType::BitmapIndexScan,
        KnownType::BitmapAnd,
        KnownType::BitmapOr,
    ])
}

fn is_join(node: &Node) -> bool {
    node.is_any(&[KnownType::NestedLoop, KnownType::HashJoin, KnownType::MergeJoin])
}

fn leaf(node: &Node) -> Option<String> {
    let named = node.alias.as_ref().or(node.relation.as_ref()).or(node.cte.as_ref()).or(node.function.as_ref())?;
    (node.kind.name().ends_with("Scan") && !node.is(KnownType::BitmapIndexScan)).then(|| named.clone())
}

fn class(node: &Node) -> String {
    if leaf(node).is_some() {
        "scan".to_owned()
    } else if is_join(node) {
        "join".to_owned()
    } else if node.is_any(&[KnownType::Sort, KnownType::IncrementalSort]) {
        "sort".to_owned()
    } else if node.is_any(&[KnownType::Gather, KnownType::GatherMerge]) {
        "gather".to_owned()
    } else if node.is_any(&[KnownType::Aggregate, KnownType::Group]) {
        format!("{}aggregate", node.partial_mode.as_deref().unwrap_or_default())
    } else {
        node.kind.name().to_owned()
    }
}

fn units(assayed: &Assayed, timed: bool) -> Vec<Unit> {
    let plan = &assayed.plan;
    let mut covers: Vec<BTreeSet<String>> = vec![BTreeSet::new(); plan.nodes.len()];
    let mut own = vec![0.0; plan.nodes.len()];
    let mut index: Vec<Option<String>> = plan.nodes.iter().map(|node| node.index.clone()).collect();
    // Children stand behind their parents.
    for id in plan.ids().collect::<Vec<_>>().into_iter().rev() {
        let node = plan.node(id);
        covers[id.0].extend(leaf(node));
        let share = assayed.shares[id];
        own[id.0] += if timed { share.own_time.unwrap_or(0.0) } else { share.own_cost };
        let Some(parent) = node.parent else { continue };
        let below = covers[id.0].clone();
        covers[parent.0].extend(below);
        if serves_another(node) {
            own[parent.0] += own[id.0];
            if !is_join(plan.node(parent)) {
                let served = index[id.0].clone();
                index[parent.0] = index[parent.0].take().or(served);
            }
        }
    }
    let mut ordinals: BTreeMap<(String, BTreeSet<String>), usize> = BTreeMap::new();
    let kept = plan.ids().filter(|id| !serves_another(plan.node(*id)));
    kept.map(|id| {
        let (class, covers) = (class(plan.node(id)), covers[id.0].clone());
        let ordinal = ordinals.entry((class.clone(), covers.clone())).or_default();
        *ordinal += 1;
        Unit { id, key: Key { class, covers, ordinal: *ordinal }, own: own[id.0], index: index[id.0].clone() }
    })
    .collect()
}

fn pairs(old: &[Unit], new: &[Unit]) -> Vec<(Option<Unit>, Option<Unit>)> {
    let mut later: BTreeMap<&Key, &Unit> = new.iter().map(|unit| (&unit.key, unit)).collect();
    let mut pairs: Vec<_> = old.iter().map(|unit| (Some(unit.clone()), later.remove(&unit.key).cloned())).collect();
    pairs.extend(new.iter().filter(|unit| later.contains_key(&unit.key)).map(|unit| (None, Some(unit.clone()))));
    pairs
}

fn changed(before: &Assayed, after: &Assayed, old: &Unit, new: &Unit) -> Vec<PlanChange> {
    let (was, is) = (before.plan.node(old.id), after.plan.node(new.id));
    let change = |kind, text| PlanChange { kind, before: Some(old.id), after: Some(new.id), text };
    let mut changes = Vec::new();
    let what = subject(&new.key);
    if was.kind != is.kind || was.join_type != is.join_type {
        let kind = if is_join(is) { ChangeKind::JoinMethod } else { ChangeKind::ScanMethod };
        changes.push(change(kind, format!("{what}: {} → {}", node_title(was), node_title(is))));
    } else if old.index != new.index {
        let name = |index: &Option<String>| index.clone().unwrap_or_else(|| "none".to_owned());
        changes.push(change(ChangeKind::Index, format!("{what}: {} → {}", name(&old.index), name(&new.index))));
    }
    let expected = (was.estimate.map(|estimate| estimate.rows), is.estimate.map(|estimate| estimate.rows));
    if let Some(text) = rows_changed(expected) {
        changes.push(change(ChangeKind::ExpectedRows, format!("{what}: {text}")));
    }
    if let Some(text) = rows_changed((was.actual_rows(), is.actual_rows())) {
        changes.push(change(ChangeKind::ActualRows, format!("{what}: {text}")));
    }
    changes
}

fn rows_changed(rows: (Option<f64>, Option<f64>)) -> Option<String> {
    let (was, is) = (rows.0?, rows.1?);
    let factor = was.max(1.0) / is.max(1.0);
    let differs = was.max(is) >= ROWS && !(1.0 / ROWS_FACTOR..=ROWS_FACTOR).contains(&factor);
    differs.then(|| format!("{} → {} rows", amount::count(was), amount::count(is)))
}

fn lone(kind: ChangeKind, assayed: &Assayed, unit: &Unit) -> PlanChange {
    let node = assayed.plan.node(unit.id);
    let over = if unit.key.class == "scan" { String::new() } else { format!(" over {}", tables(&unit.key.covers)) };
    let id = Some(unit.id);
    let (before, after) = if kind == ChangeKind::Removed { (id, None) } else { (None, id) };
    let kind = if is_join(node) { ChangeKind::JoinOrder } else { kind };
    PlanChange { kind, before, after, text: format!("{}{over}", node_title(node)) }
}

/// Joins of tables that the other plan does not join first: one line for all of them.
fn join_order(changes: &mut Vec<PlanChange>) {
    let joins: Vec<PlanChange> = changes.extract_if(.., |change| change.kind == ChangeKind::JoinOrder).collect();
    let of = |side: fn(&PlanChange) -> Option<NodeId>| {
        let joins = joins.iter().filter(|join| side(join).is_some()).map(|join| join.text.as_str());
        joins.collect::<Vec<_>>().join("; ")
    };
    let (was, is) = (of(|join| join.before), of(|join| join.after));
    let Some(first) = joins.first() else { return };
    let name = |text: String| if text.is_empty() { "no such join".to_owned() } else { text };
    changes.push(PlanChange {
        kind: ChangeKind::JoinOrder,
        before: joins.iter().find_map(|join| join.before).or(first.before),
        after: joins.iter().find_map(|join| join.after),
        text: format!("{} → {}", name(was), name(is)),
    });
}

fn subject(key: &Key) -> String {
    match key.class.as_str() {
        "scan" => tables(&key.covers),
        "join" => format!("join of {}", tables(&key.covers)),
        class => format!("{class} over {}", tables(&key.covers)),
    }
}

fn tables(covers: &BTreeSet<String>) -> String {
    let names: Vec<&str> = covers.iter().map(String::as_str).collect();
    match names.as_slice() {
        [] => "no table".to_owned(),
        [names @ .., last] if !names.is_empty() && names.len() < 5 => format!("{} and {last}", names.join(", ")),
        [one] => (*one).to_owned(),
        [first, second, rest @ ..] => format!("{first}, {second} and {} more", rest.len()),
    }
}

fn difference(before: &Assayed, after: &Assayed, old: Option<&Unit>, new: Option<&Unit>) -> Difference {
    let was = old.map(|unit| node_title(before.plan.node(unit.id)));
    let is = new.map(|unit| node_title(after.plan.node(unit.id)));
    let text = match (was, is) {
        (Some(was), Some(is)) if was == is => is,
        (Some(was), Some(is)) => format!("{was} → {is}"),
        (Some(was), None) => format!("{was} → gone"),
        (None, Some(is)) => format!("new: {is}"),
        (None, None) => String::new(),
    };
    Difference {
        before: old.map(|unit| unit.id),
        after: new.map(|unit| unit.id),
        own_before: old.map_or(0.0, |unit| unit.own),
        own_after: new.map_or(0.0, |unit| unit.own),
        text,
    }
}
