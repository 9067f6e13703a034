//! What a plan is taken to cost where indexes are held against each other.
//!
//! The planner's cost is that of the rows it expects. Two of its guesses are worse than the rest: how often the inner side of a nested loop runs, and how
//! soon a LIMIT finds its rows. Both make a plan look cheap that may not be. And a row that an index leads to is nearly free for the planner once its
//! page is in memory (index_pages_fetched in costsize.c counts each page once), while a server takes about a microsecond to come to it.

use crate::plan::node::{ConditionKind, KnownType, Relationship};
use crate::plan::{NodeId, Plan};

/// How often a run of a nested loop's inner side counts.
const NESTED_LOOP: f64 = 3.0;

/// What coming to a row of a table by an index takes, and to an entry of an index that is not followed: in units of cost, beyond what the planner counts.
/// Fitted to the times of two workloads with several sets of indexes each, with all pages in memory.
const FETCH: f64 = 0.3;
const ENTRY: f64 = 0.05;

/// Nodes that read all that is below them before they return a row.
const READ_ALL: &[KnownType] =
    &[KnownType::Sort, KnownType::Hash, KnownType::Aggregate, KnownType::WindowAgg, KnownType::SetOp];

/// What nested loops may cost more than the planner thinks.
pub(super) fn of_loops(plan: &Plan) -> f64 {
    let loops = plan.ids().filter(|id| plan.node(*id).is(KnownType::NestedLoop));
    let runs = loops.map(|id| {
        let below: f64 = plan.children(id).map(|child| child.estimate.map_or(0.0, |it| it.total_cost)).sum();
        (total(plan, id) - below).max(0.0) * share_run(plan, id)
    });
    (NESTED_LOOP - 1.0) * runs.sum::<f64>()
}

/// What LIMITs may wait longer; `returned` rows are what a call returns on average.
pub(super) fn of_limits(plan: &Plan, returned: Option<f64>) -> f64 {
    let limits = plan.ids().filter(|id| plan.node(*id).is(KnownType::Limit));
    let late =
        limits.filter_map(|id| Some((late_cost(plan, id, waited_for(plan, id)?, returned) - total(plan, id)).max(0.0)));
    late.sum()
}

/// What coming to rows by indexes takes more than the planner counts.
pub(super) fn of_fetches(plan: &Plan) -> f64 {
    let of = |id: NodeId| {
        let node = plan.node(id);
        let each = if node.is_any(&[KnownType::IndexScan, KnownType::BitmapHeapScan]) {
            FETCH
        } else if node.is(KnownType::IndexOnlyScan) {
            ENTRY
        } else {
            return 0.0;
        };
        each * rows(plan, id) * runs(plan, id) * share_run(plan, id)
    };
    plan.ids().map(of).sum()
}

fn rows(plan: &Plan, id: NodeId) -> f64 {
    plan.node(id).estimate.map_or(0.0, |estimate| estimate.rows)
}

/// How often a node runs: for each row of the outer sides of nested loops above it, and of what a subplan belongs to. What is remembered (Memoize) is
/// counted once, because a plan does not say how often it is asked for again.
fn runs(plan: &Plan, id: NodeId) -> f64 {
    let (mut runs, mut below) = (1.0, id);
    for above in plan.ancestors(id) {
        if plan.node(above).is(KnownType::Memoize) {
            break;
        }
        match plan.node(below).relationship {
            Some(Relationship::Inner) if plan.node(above).is(KnownType::NestedLoop) => {
                let outer = plan.node(above).children.iter().find(|child| **child != below);
                runs *= outer.map_or(1.0, |outer| rows(plan, *outer).max(1.0));
            }
            Some(Relationship::SubPlan) => runs *= rows(plan, above).max(1.0),
            Some(Relationship::InitPlan) => break,
            _ => {}
        }
        below = above;
    }
    runs
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
