//! Plans: EXPLAIN's output read, its times and blocks given to the nodes that used them, advice, and drawing.
//!
//! In: the text of a plan, in any of the places where one is found ([`read`]). Out: a [`Plan`]; what each node took for itself
//! ([`Shares`]); [`Tip`]s, each with the numbers that triggered it; and pictures of them ([`draw`]). Does no I/O and asks no
//! server: what the plan does not say is not known here.

pub mod advice;
pub(crate) mod amount;
mod anonymize;
mod compare;
mod condition;
pub mod draw;
pub mod expression;
mod immutable;
mod log;
pub mod node;
mod own;
mod query;
mod read;

pub use advice::{Tip, Verdict, advise, verdict};
pub use anonymize::Anonymizer;
pub use compare::{ChangeKind, Comparison, Difference, PlanChange, compare};
pub use log::{Log, LoggedQuery};
pub use node::{Node, NodeId, NodeType};
pub use own::{OwnUse, Shares};
pub use query::{Query, QueryError};
pub use read::{Piece, Pieces, ReadError, Reading, each, each_of, is_plan, is_wide, read, read_all, text_of};

use node::{Buffers, KnownType};
use serde::Serialize;

/// What EXPLAIN printed of one statement. Times are milliseconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The root first, every node before its children. Never empty.
    pub nodes: Vec<Node>,
    /// Where it is known: from auto_explain.
    pub query: Option<String>,
    pub parameters: Option<String>,
    /// As pg_stat_statements has it.
    pub identifier: Option<String>,
    pub planning_time: Option<f64>,
    pub execution_time: Option<f64>,
    /// What the log says the statement took.
    pub duration: Option<f64>,
    /// What is missing, where the text was cut.
    pub cut: Option<String>,
    /// Rows of a loop are printed with two digits behind the point (18+).
    pub fractional_rows: bool,
    pub planning: Planning,
    pub serialization: Option<Serialization>,
    pub triggers: Vec<Trigger>,
    pub jit: Option<Jit>,
    /// Settings of the planner that are not the defaults.
    pub settings: Vec<(String, String)>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Planning {
    pub buffers: Buffers,
    /// Kilobytes (17+).
    pub memory_used: Option<f64>,
    pub memory_allocated: Option<f64>,
}

/// What it took to turn the result into text or binary (17+).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Serialization {
    pub time: Option<f64>,
    pub kilobytes: f64,
    pub format: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trigger {
    /// None for the trigger of a constraint.
    pub name: Option<String>,
    pub constraint: Option<String>,
    pub relation: Option<String>,
    pub time: Option<f64>,
    pub calls: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Jit {
    pub functions: f64,
    pub inlining: bool,
    pub optimization: bool,
    pub generation_time: f64,
    pub inlining_time: f64,
    pub optimization_time: f64,
    pub emission_time: f64,
    pub total_time: f64,
}

impl Plan {
    /// What is said of the plan as a whole.
    fn without_nodes(&self) -> Plan {
        Plan {
            nodes: Vec::new(),
            query: self.query.clone(),
            parameters: self.parameters.clone(),
            identifier: self.identifier.clone(),
            cut: self.cut.clone(),
            planning: self.planning.clone(),
            serialization: self.serialization.clone(),
            triggers: self.triggers.clone(),
            jit: self.jit.clone(),
            settings: self.settings.clone(),
            ..*self
        }
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    pub fn root(&self) -> &Node {
        &self.nodes[0]
    }

    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// The children of a node in order.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = &Node> {
        self.node(id).children.iter().map(|child| self.node(*child))
    }

    /// The nodes above a node, nearest first.
    pub fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(self.node(id).parent, |above| self.node(*above).parent)
    }

    /// The nodes below a node, in the order of the plan.
    pub fn below(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let mut open: Vec<NodeId> = self.node(id).children.iter().rev().copied().collect();
        std::iter::from_fn(move || {
            let next = open.pop()?;
            open.extend(self.node(next).children.iter().rev());
            Some(next)
        })
    }

    /// By how much the rows of one loop may be off, since the server rounds their average: to whole ones before 18.
    pub fn rounding(&self, id: NodeId) -> f64 {
        if self.node(id).loops() <= 1.0 {
            return 0.0;
        }
        if self.fractional_rows { 0.005 } else { 0.5 }
    }

    /// Actual over estimated rows of one loop; none where fewer rows than expected only mean that a node above stopped asking.
    pub fn rows_ratio(&self, id: NodeId) -> Option<f64> {
        // What writes returns no rows unless it is asked to, which its output tells.
        let silent = self.node(id).is(KnownType::ModifyTable) && self.node(id).actual_rows() == Some(0.0);
        self.node(id).rows_ratio().filter(|ratio| !silent && (*ratio >= 1.0 || !self.stopped_early(id)))
    }

    /// A Limit, a semi-join, a merge or a subquery above may not have asked for all rows.
    fn stopped_early(&self, id: NodeId) -> bool {
        let below = std::iter::once(id).chain(self.ancestors(id));
        for (below, above) in below.zip(self.ancestors(id)) {
            let node = self.node(above);
            let is_semi = node.join_type.as_deref().is_some_and(|join| join.contains("Semi") || join.contains("Anti"));
            let stops = node.is(KnownType::MergeJoin) || node.is(KnownType::Limit) && is_reached(node) || is_semi || {
                // A window stops when its condition no longer holds.
                node.condition(node::ConditionKind::Run).is_some()
            };
            if stops || self.node(below).subplan_name.is_some() {
                return true;
            }
            // These read all of their input.
            if node.is_any(&[KnownType::Sort, KnownType::Hash, KnownType::Aggregate]) {
                return false;
            }
        }
        false
    }

    pub fn is_analyzed(&self) -> bool {
        self.root().actual.is_some()
    }

    /// ANALYZE with TIMING: times of nodes are known.
    pub fn is_timed(&self) -> bool {
        self.nodes.iter().any(|node| node.actual.is_some_and(|actual| actual.total_time.is_some()))
    }

    pub fn has_buffers(&self) -> bool {
        self.nodes.iter().any(|node| !node.counters.buffers.is_zero())
    }

    /// Milliseconds of the execution: as printed, or of the root where a plan was logged or cut.
    pub fn total_time(&self) -> Option<f64> {
        let root = self.root().actual.and_then(|actual| Some(actual.total_time? * actual.loops));
        let triggers: f64 = self.triggers.iter().filter_map(|trigger| trigger.time).sum();
        self.execution_time.or(self.duration).or(root.map(|root| root + triggers))
    }

    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Whether a Limit got the rows it was for: one that did not ran its input to the end.
fn is_reached(limit: &Node) -> bool {
    match (limit.actual, limit.estimate) {
        // Of many loops the average tells nothing: some may have reached it.
        (Some(actual), Some(estimate)) if actual.loops <= 1.0 => actual.rows >= estimate.rows,
        _ => true,
    }
}
