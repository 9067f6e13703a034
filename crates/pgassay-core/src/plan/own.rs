//! What each node took for itself.
//!
//! EXPLAIN's times are averages of one loop and include what is below; blocks are sums and include it too. Three things make
//! simple subtraction wrong. In a parallel part the loops of all processes are counted, which ran side by side: their average is
//! what the query waited for. A CTE hangs on the node that defines it, but runs while it is scanned. An InitPlan hangs on the top
//! of its query, but runs in the node that first needs its value.

use serde::Serialize;

use super::node::{Buffers, KnownType, Node, Relationship};
use super::{NodeId, Plan};

/// What one node took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct OwnUse {
    /// Milliseconds that the query waited for the node and all below it, in all loops; none without times.
    pub time: Option<f64>,
    /// Of that, without what is below.
    pub own_time: Option<f64>,
    /// The planner's cost of all expected loops, and without what is below.
    pub cost: f64,
    pub own_cost: f64,
    /// Share of the whole, 0 to 1, by time or else by cost: of the node alone, and with all below.
    pub own_share: f64,
    pub share: f64,
    pub own_buffers: Buffers,
    /// Processes that ran the node side by side.
    pub processes: f64,
}

/// What all nodes took, by [`NodeId`].
#[derive(Debug, Clone, PartialEq)]
pub struct Shares {
    uses: Vec<OwnUse>,
    /// Shares are of time; else of cost.
    pub timed: bool,
    /// Milliseconds or cost of the whole.
    pub total: f64,
}

impl std::ops::Index<NodeId> for Shares {
    type Output = OwnUse;

    fn index(&self, id: NodeId) -> &OwnUse {
        &self.uses[id.0]
    }
}

impl Shares {
    pub fn of(plan: &Plan) -> Shares {
        let mut uses = vec![OwnUse { processes: 1.0, ..OwnUse::default() }; plan.nodes.len()];
        processes(plan, &mut uses);
        let timed = plan.is_timed();
        if timed {
            times(plan, &mut uses);
        }
        blocks(plan, &mut uses);
        costs(plan, &mut uses);
        let root = uses.first().copied().unwrap_or_default();
        let total = if timed { plan.total_time().unwrap_or(0.0).max(root.time.unwrap_or(0.0)) } else { root.cost };
        for own in &mut uses {
            let (part, whole) =
                if timed { (own.own_time.unwrap_or(0.0), own.time.unwrap_or(0.0)) } else { (own.own_cost, own.cost) };
            if total > 0.0 {
                (own.own_share, own.share) = ((part / total).min(1.0), (whole / total).min(1.0));
            }
        }
        Shares { uses, timed, total }
    }
}

/// Below a Gather, as many as ran its child once for each of its own loops.
fn processes(plan: &Plan, uses: &mut [OwnUse]) {
    for id in plan.ids() {
        let node = plan.node(id);
        let Some(parent) = node.parent else { continue };
        let gather = plan.node(parent);
        let above = uses[parent.0].processes;
        let gathered = gather.is_any(&[KnownType::Gather, KnownType::GatherMerge]) && is_plain(node);
        uses[id.0].processes = if gathered && gather.loops() > 0.0 && node.loops() > 0.0 {
            (node.loops() / gather.loops()).max(1.0)
        } else if node.relationship == Some(Relationship::InitPlan) {
            // Only the leader runs it.
            1.0
        } else {
            above
        };
    }
}

/// Runs as a part of its parent, rather than when its value or rows are first needed.
fn is_plain(node: &Node) -> bool {
    node.relationship != Some(Relationship::InitPlan)
}

fn times(plan: &Plan, uses: &mut [OwnUse]) {
    for id in plan.ids() {
        let whole =
            plan.node(id).actual.map(|actual| actual.total_time.unwrap_or(0.0) * actual.loops / uses[id.0].processes);
        uses[id.0].time = whole;
        uses[id.0].own_time = whole;
    }
    for id in plan.ids() {
        let below: f64 = plain_children(plan, id).filter_map(|child| uses[child.0].time).sum();
        uses[id.0].own_time = uses[id.0].own_time.map(|own| (own - below).max(0.0));
    }
    for id in plan.ids().filter(|id| !is_plain(plan.node(*id))) {
        let mut left = uses[id.0].time.unwrap_or(0.0);
        for user in users(plan, id, uses) {
            let own = uses[user.0].own_time.unwrap_or(0.0);
            let taken = own.min(left);
            uses[user.0].own_time = Some(own - taken);
            left -= taken;
        }
    }
}

fn blocks(plan: &Plan, uses: &mut [OwnUse]) {
    for id in plan.ids() {
        let children = plain_children(plan, id).map(|child| plan.node(child).counters.buffers);
        let below = children.fold(Buffers::default(), |sum, buffers| sum.plus(&buffers));
        uses[id.0].own_buffers = plan.node(id).counters.buffers.minus(&below);
    }
    for id in plan.ids().filter(|id| !is_plain(plan.node(*id))) {
        let mut left = plan.node(id).counters.buffers;
        for user in users(plan, id, uses) {
            let own = uses[user.0].own_buffers;
            let rest = own.minus(&left);
            left = left.minus(&own.minus(&rest));
            uses[user.0].own_buffers = rest;
        }
    }
}

fn plain_children(plan: &Plan, id: NodeId) -> impl Iterator<Item = NodeId> {
    plan.node(id).children.iter().copied().filter(|child| is_plain(plan.node(*child)))
}

/// The nodes in whose time a CTE or an InitPlan ran, most likely first.
fn users(plan: &Plan, id: NodeId, uses: &[OwnUse]) -> Vec<NodeId> {
    let node = plan.node(id);
    let Some(holder) = node.parent else { return Vec::new() };
    let name = node.subplan_name.as_deref().unwrap_or_default();
    if let Some(cte) = name.strip_prefix("CTE ") {
        let scans = |at: &NodeId| plan.node(*at).is(KnownType::CteScan) && plan.node(*at).cte.as_deref() == Some(cte);
        let mut scans: Vec<NodeId> = plan.ids().filter(scans).collect();
        // The scan that came first waited for the rows: it took longest.
        scans.sort_by(|a, b| uses[b.0].time.unwrap_or(0.0).total_cmp(&uses[a.0].time.unwrap_or(0.0)));
        return scans;
    }
    let marks = marks(name);
    let within: std::collections::HashSet<NodeId> = std::iter::once(id).chain(plan.below(id)).collect();
    let below = std::iter::once(holder).chain(plan.below(holder));
    let mut found: Vec<NodeId> = below.filter(|at| !within.contains(at) && mentions(plan.node(*at), &marks)).collect();
    // A Gather evaluates what its workers need before it starts them.
    found.sort_by_key(|at| !plan.node(*at).is_any(&[KnownType::Gather, KnownType::GatherMerge]));
    if !found.contains(&holder) {
        found.push(holder);
    }
    found
}

/// How conditions name the value of an InitPlan: `$0` before 17, `(InitPlan 1)` since.
fn marks(name: &str) -> Vec<String> {
    match name.split_once(" (returns ") {
        Some((_, parameters)) => parameters.trim_end_matches(')').split(',').map(str::to_owned).collect(),
        None => vec![format!("({name})")],
    }
}

fn mentions(node: &Node, marks: &[String]) -> bool {
    let conditions = node.conditions.iter().map(|condition| &condition.text);
    let keys = node.output.iter().chain(&node.sort_key).chain(node.group_keys.iter().flatten());
    let others = node.other.iter().map(|(_, value)| value);
    conditions.chain(keys).chain(others).any(|text| marks.iter().any(|mark| mentions_mark(text, mark)))
}

/// `$1` is not in `$12`.
fn mentions_mark(text: &str, mark: &str) -> bool {
    text.match_indices(mark).any(|(at, _)| !text[at + mark.len()..].starts_with(|c: char| c.is_ascii_digit()))
}

/// Every disabled node adds this to its cost before 18 (`disable_cost`, costsize.c).
pub(super) const DISABLE_COST: f64 = 1e10;

/// The planner adds the cost of InitPlans and CTEs to the node they hang on. The inner side of a nested loop and a SubPlan cost
/// as often as they are expected to run, but never more than their parent has: a Limit stops early, a Memoize remembers.
fn costs(plan: &Plan, uses: &mut [OwnUse]) {
    let cost = |node: &Node| node.estimate.map_or(0.0, |estimate| estimate.total_cost % DISABLE_COST);
    if let Some(root) = uses.first_mut() {
        root.cost = cost(plan.root());
    }
    for id in plan.ids() {
        let node = plan.node(id);
        let (whole, once) = (uses[id.0].cost, cost(node));
        // How much of itself the node runs, in all: less than once below a Limit, often inside of a loop.
        let runs = if once > 0.0 { whole / once } else { 1.0 };
        // What is kept is read again and again, what is below it runs once.
        let runs = if node.is(KnownType::Materialize) { runs.min(1.0) } else { runs };
        let children = node.children.iter();
        let wanted: Vec<(NodeId, f64)> =
            children.map(|child| (*child, cost(plan.node(*child)) * expected_runs(plan, *child) * runs)).collect();
        let sum: f64 = wanted.iter().map(|(_, cost)| cost).sum();
        let scale = if sum > whole { whole / sum } else { 1.0 };
        for (child, cost) in wanted {
            uses[child.0].cost = cost * scale;
        }
        uses[id.0].own_cost = (whole - sum * scale).max(0.0);
    }
}

/// How often a node is expected to run for each run of its parent.
fn expected_runs(plan: &Plan, id: NodeId) -> f64 {
    let node = plan.node(id);
    let Some(parent) = node.parent.map(|parent| plan.node(parent)) else { return 1.0 };
    let rows = |node: Option<&Node>| node.and_then(|node| node.estimate).map_or(1.0, |estimate| estimate.rows.max(1.0));
    match node.relationship {
        Some(Relationship::SubPlan) => rows(Some(parent)),
        Some(Relationship::Inner) if parent.is(KnownType::NestedLoop) && !node.is(KnownType::Materialize) => {
            let outer = parent.children.iter().map(|child| plan.node(*child));
            rows(outer.into_iter().find(|child| child.relationship == Some(Relationship::Outer)))
        }
        _ => 1.0,
    }
}
