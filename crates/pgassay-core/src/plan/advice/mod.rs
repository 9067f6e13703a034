//! What is wrong with a plan, and what to do: one file a family of conditions.
//!
//! In: a [`Plan`] and its [`Shares`]. Out: [`Tip`]s with the numbers that triggered them, those that matter most first. Nothing is
//! said of a part that hardly counts in the whole; a plan that is fast has no tips.

mod bitmap;
mod cache;
mod estimate;
mod index;
mod join;
mod limit;
mod memory;
mod overhead;
mod scan;
mod subquery;

use serde::Serialize;

use super::node::{Node, NodeType};
use super::{NodeId, OwnUse, Plan, Shares, amount};

/// How sure it is that what the tip says to do would help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Estimates alone say so, or what helps depends on what the plan does not tell.
    Low,
    Medium,
    /// Measured.
    High,
}

impl Confidence {
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// One thing that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tip {
    /// A stable name of what was found, such as `sort-on-disk`.
    pub kind: &'static str,
    /// Where; none for the plan as a whole.
    pub node: Option<NodeId>,
    /// The share of the whole, 0 to 1, that it touches.
    pub share: f64,
    pub confidence: Confidence,
    /// What happens, with the numbers that triggered the tip.
    pub message: String,
    /// The same numbers for programs.
    pub numbers: Vec<(&'static str, f64)>,
    /// What to do.
    pub advice: String,
    /// Statements that do it, where it can be told.
    pub sql: Vec<String>,
}

/// A part below this share of the whole is not worth a tip.
const MATERIAL_SHARE: f64 = 0.05;

/// Nor is one that takes less, in milliseconds.
const MATERIAL_TIME: f64 = 0.5;

/// Nor is one whose cost is less where only costs are known (a sequential scan of 100 pages costs more).
const MATERIAL_COST: f64 = 100.0;

/// A plan that has no times has to be sure of more.
const MATERIAL_COST_SHARE: f64 = 0.1;

/// What every family looks at.
struct Context<'a> {
    plan: &'a Plan,
    shares: &'a Shares,
}

impl Context<'_> {
    fn use_of(&self, id: NodeId) -> OwnUse {
        self.shares[id]
    }

    /// Whether the node with all below it counts.
    fn is_material(&self, id: NodeId) -> bool {
        let own = self.shares[id];
        self.counts(own.share, own.time.unwrap_or(own.cost))
    }

    /// Whether the node by itself counts.
    fn is_material_alone(&self, id: NodeId) -> bool {
        let own = self.shares[id];
        self.counts(own.own_share, own.own_time.unwrap_or(own.own_cost))
    }

    fn counts(&self, share: f64, size: f64) -> bool {
        if self.shares.timed {
            share >= MATERIAL_SHARE && size >= MATERIAL_TIME
        } else {
            share >= MATERIAL_COST_SHARE && size >= MATERIAL_COST
        }
    }

    fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.plan.ids().map(|id| (id, self.plan.node(id)))
    }

    /// `, 84% of the time`, `, 84% of the cost`.
    fn share_text(&self, share: f64) -> String {
        format!("{} of the {}", amount::percent(share), if self.shares.timed { "time" } else { "cost" })
    }

    /// work_mem in kilobytes: as the plan's settings have it, or the default of 4 MB.
    fn work_mem(&self) -> f64 {
        let text = self.plan.setting("work_mem").unwrap_or("4MB");
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let number: f64 = digits.trim().parse().unwrap_or(4096.0);
        match text[digits.len()..].trim() {
            "GB" => number * 1024.0 * 1024.0,
            "MB" => number * 1024.0,
            _ => number,
        }
    }
}

/// The tips for a plan, those that touch most of it first.
pub fn advise(plan: &Plan, shares: &Shares) -> Vec<Tip> {
    let context = Context { plan, shares };
    let families: &[fn(&Context) -> Vec<Tip>] = &[
        estimate::tips,
        scan::tips,
        join::tips,
        index::tips,
        bitmap::tips,
        memory::tips,
        subquery::tips,
        limit::tips,
        cache::tips,
        overhead::tips,
    ];
    let mut tips: Vec<Tip> = families.iter().flat_map(|family| family(&context)).collect();
    drop_weaker(plan, &mut tips);
    tips.sort_by(|a, b| b.share.total_cmp(&a.share).then(b.confidence.cmp(&a.confidence)).then(a.node.cmp(&b.node)));
    tips
}

/// Tips that say of the same rows what a stronger one says already, the stronger first.
const SAID_BY: &[(&str, &[&str])] = &[
    ("inner-sequential-scan", &["sequential-scan-filter", "column-in-expression", "many-loops"]),
    ("join-reads-all", &["many-loops", "memoize-evictions"]),
    ("order-by-limit-filter", &["filter-behind-index", "sequential-scan-filter", "column-in-expression"]),
    ("column-in-expression", &["sequential-scan-filter", "filter-behind-index"]),
    ("sort-on-disk", &["temporary-blocks"]),
    ("hash-in-batches", &["temporary-blocks"]),
    ("aggregate-on-disk", &["temporary-blocks"]),
    ("correlated-columns", &["rows-misestimated"]),
    ("read-from-disk", &["many-blocks-per-row"]),
    ("filter-behind-index", &["many-blocks-per-row"]),
    ("heap-fetches", &["many-blocks-per-row"]),
    ("subplan-not-hashed", &["subplan-per-row"]),
];

fn drop_weaker(plan: &Plan, tips: &mut Vec<Tip>) {
    // A node says it of its own children too: the scan in a join's inner side.
    let near = |a: Option<NodeId>, b: Option<NodeId>| match (a, b) {
        (Some(a), Some(b)) => a == b || plan.ancestors(a).take(2).any(|above| above == b),
        _ => a == b,
    };
    let said: Vec<(&'static str, Option<NodeId>)> = tips.iter().map(|tip| (tip.kind, tip.node)).collect();
    tips.retain(|tip| {
        !SAID_BY.iter().any(|(stronger, weaker)| {
            weaker.contains(&tip.kind) && said.iter().any(|(kind, node)| kind == stronger && near(*node, tip.node))
        })
    });
}

/// What a node works on, in words: `orders`, `the result of Sort`.
fn subject(node: &Node) -> String {
    match (node.qualified_relation(), &node.index, &node.cte) {
        (Some(relation), ..) => relation,
        (None, Some(index), _) => super::node::quote(index),
        (None, None, Some(cte)) => format!("CTE {cte}"),
        _ => match &node.kind {
            NodeType::Known(kind) => kind.name().to_owned(),
            NodeType::Other(name) => name.clone(),
        },
    }
}

/// What is said below every suggestion of an index: the plan alone cannot know what an index costs, and whether it is used.
const PROVE: &str = "pgassay queries can prove whether the planner would use it, and what it costs to keep.";
