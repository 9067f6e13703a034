//! What a plan is taken to cost where indexes are held against each other.
//!
//! The planner's cost is that of the rows it expects. Two of its guesses are worse than the rest: how often the inner side of a nested loop runs, and how
//! soon a LIMIT finds its rows. Both make a plan look cheap that may not be.

use super::choose::cost;
use crate::plan::node::{ConditionKind, KnownType, Relationship};
use crate::plan::{NodeId, Plan};

/// How often a run of a nested loop's inner side counts.
const NESTED_LOOP: f64 = 3.0;

/// Nodes that read all that is below them before they return a row.
const READ_ALL: &[KnownType] =
    &[KnownType::Sort, KnownType::Hash, KnownType::Aggregate, KnownType::WindowAgg, KnownType::SetOp];

/// `returned` rows are what a call returns on average.
pub(super) fn cautious_cost(plan: &Plan, returned: Option<f64>) -> f64 {
    let loops = plan.ids().filter(|id| plan.node(*id).is(KnownType::NestedLoop));
    let runs = loops.map(|id| {
        let below: f64 = plan.children(id).map(|child| child.estimate.map_or(0.0, |it| it.total_cost)).sum();
        (total(plan, id) - below).max(0.0) * share_run(plan, id)
    });
    let limits = plan.ids().filter(|id| plan.node(*id).is(KnownType::Limit));
    let late =
        limits.filter_map(|id| Some((late_cost(plan, id, waited_for(plan, id)?, returned) - total(plan, id)).max(0.0)));
    cost(plan) + (NESTED_LOOP - 1.0) * runs.sum::<f64>() + late.sum::<f64>()
}

fn total(plan: &Plan, id: NodeId) -> f64 {
    plan.node(id).estimate.map_or(0.0, |estimate| estimate.total_cost)
}

/// The share of a node that runs before a LIMIT above has its rows.
fn share_run(plan: &Plan, id: NodeId) -> f64 {
    let (mut share, mut below) = (1.0, id);
    for above in plan.ancestors(id) {
        let node = plan.node(above);
        let once = matches!(
            plan.node(below).relationship,
            Some(Relationship::Inner | Relationship::InitPlan | Relationship::SubPlan)
        );
        if once || node.is_any(READ_ALL) {
            break;
        }
        if let (true, Some(limit), Some(whole)) = (node.is(KnownType::Limit), node.estimate, plan.node(below).estimate)
            && whole.total_cost > whole.startup_cost
        {
            let run = (limit.total_cost - whole.startup_cost) / (whole.total_cost - whole.startup_cost);
            share *= run.clamp(0.0, 1.0);
        }
        below = above;
    }
    share
}

/// Rows that a LIMIT waits for may come at once or at the end: somewhere between the two costs. Calls that return fewer rows than the LIMIT allows have
/// read to the end: those on average half as many.
fn late_cost(plan: &Plan, limit: NodeId, scan: NodeId, returned: Option<f64>) -> f64 {
    let (soon, end) = (total(plan, limit), total(plan, scan));
    let allowed = plan.node(limit).estimate.map_or(1.0, |estimate| estimate.rows.max(1.0));
    let is_top = plan.node(limit).parent.is_none();
    let to_the_end = returned.filter(|_| is_top).map_or(0.0, |rows| (2.0 * (1.0 - rows / allowed)).clamp(0.0, 1.0));
    to_the_end * end.max(soon) + (1.0 - to_the_end) * (soon * end).sqrt()
}

/// The scan that a LIMIT reads, in the order of the table or of an index, until enough rows have passed its filter.
fn waited_for(plan: &Plan, id: NodeId) -> Option<NodeId> {
    let below = *plan.node(id).children.first()?;
    let node = plan.node(below);
    if node.is_any(&[KnownType::IndexScan, KnownType::IndexOnlyScan, KnownType::SeqScan]) {
        let waits = node.condition(ConditionKind::Filter).is_some() && node.condition(ConditionKind::Index).is_none();
        return waits.then_some(below);
    }
    node.is_any(&[KnownType::SubqueryScan, KnownType::Result, KnownType::LockRows, KnownType::NestedLoop])
        .then(|| waited_for(plan, below))?
}
