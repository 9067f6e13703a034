//! What is wrong with a plan, and what to do: one file a family of conditions.
//!
//! In: a [`Plan`] and its [`Shares`]. Out: [`Tip`]s with the numbers that triggered them, those that matter most first. Nothing is
//! said of a part that hardly counts in the whole; a plan that is fast has no tips.

mod all_clear;
mod bitmap;
mod cache;
mod estimate;
mod filter_index;
mod fold;
mod index;
mod join;
mod limit;
mod memory;
mod overhead;
mod scan;
mod subquery;
mod whole;

pub use all_clear::{Verdict, verdict};

use serde::Serialize;

use super::node::{KnownType, Node, NodeType};
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

impl Tip {
    /// Whether one of its statements builds an index.
    pub fn suggests_index(&self) -> bool {
        self.sql.iter().any(|sql| builds_index(sql))
    }
}

pub(crate) fn builds_index(sql: &str) -> bool {
    sql.starts_with("CREATE INDEX ")
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

/// The tips for a plan, those that touch most of it first. Like siblings are judged as one.
pub fn advise(plan: &Plan, shares: &Shares) -> Vec<Tip> {
    let Some(folded) = fold::fold(plan) else { return of_plan(plan, shares) };
    let mut tips = of_plan(&folded.plan, &Shares::of(&folded.plan));
    for tip in &mut tips {
        tip.node = tip.node.map(|id| folded.origin[id.0]);
    }
    tips
}

fn of_plan(plan: &Plan, shares: &Shares) -> Vec<Tip> {
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
        whole::tips,
        overhead::tips,
    ];
    let mut tips: Vec<Tip> = families.iter().flat_map(|family| family(&context)).collect();
    // What is not here of a plan that was cut, counts as the node's own.
    let of_missing = |tip: &Tip| {
        let table = tip.node.is_some_and(|id| plan.node(id).relation.is_some());
        plan.cut.is_some() && !table && ["read-from-disk", "temporary-blocks"].contains(&tip.kind)
    };
    tips.retain(|tip| !of_missing(tip));
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
    ("filtered-cte", &["temporary-blocks"]),
    ("sort-on-disk", &["temporary-blocks"]),
    ("hash-in-batches", &["temporary-blocks"]),
    ("aggregate-on-disk", &["temporary-blocks"]),
    ("correlated-columns", &["rows-misestimated"]),
    ("dead-entries", &["rows-misestimated"]),
    ("read-from-disk", &["many-blocks-per-row"]),
    ("many-blocks-per-row", &["code-per-row"]),
    ("filter-behind-index", &["many-blocks-per-row", "index-read-beyond"]),
    ("index-read-beyond", &["many-blocks-per-row", "slow-lookups"]),
    ("filter-behind-index", &["slow-lookups"]),
    ("heap-fetches", &["slow-lookups"]),
    ("sort-for-limit", &["sort-on-disk"]),
    // Its index has the columns of the condition first.
    ("sort-for-limit", &["sequential-scan-filter", "filter-behind-index", "column-in-expression"]),
    ("large-offset", &["sort-on-disk", "sort-for-limit"]),
    ("ends-by-full-scan", &["sequential-scan-filter", "filter-behind-index"]),
    ("column-in-expression", &["code-per-row"]),
    ("bloated-table", &["code-per-row"]),
    ("sequential-scan-filter", &["code-per-row"]),
    ("heap-fetches", &["many-blocks-per-row"]),
    ("subplan-not-hashed", &["subplan-per-row"]),
];

fn drop_weaker(plan: &Plan, tips: &mut Vec<Tip>) {
    // Without a remedy of its own, an expression leaves the other conditions their index.
    let stands = |tip: &&Tip| tip.kind != "column-in-expression" || !tip.sql.is_empty() || !suggests_other(tips, tip);
    let said: std::collections::HashSet<(&'static str, Option<NodeId>)> =
        tips.iter().filter(stands).map(|tip| (tip.kind, tip.node)).collect();
    tips.retain(|tip| {
        // A node says it of its own children too: the scan in a join's inner side; what only gathers is between them.
        let near: Vec<Option<NodeId>> = match tip.node {
            Some(id) => {
                let above = plan.ancestors(id).filter(|above| !gathers(plan.node(*above)));
                std::iter::once(id).chain(above).take(3).map(Some).collect()
            }
            None => vec![None],
        };
        let stronger = SAID_BY.iter().filter(|(_, weaker)| weaker.contains(&tip.kind));
        !stronger.into_iter().any(|(stronger, _)| near.iter().any(|near| said.contains(&(*stronger, *near))))
    });
}

/// Whether another tip for the same node has an index for it.
fn suggests_other(tips: &[Tip], tip: &Tip) -> bool {
    tips.iter().any(|other| other.kind != tip.kind && other.node == tip.node && other.suggests_index())
}

/// Whether a node hands on what parallel processes return, or is a process's part of an aggregate.
fn gathers(node: &Node) -> bool {
    let partial = node.partial_mode.as_deref() == Some("Partial");
    node.is_any(&[KnownType::Gather, KnownType::GatherMerge]) || node.is(KnownType::Aggregate) && partial
}

/// What a node works on, in words: `orders`, `the result of Sort`.
fn subject(node: &Node) -> String {
    if node.siblings > 1 && node.relation.is_some() {
        let count = amount::count(node.siblings as f64);
        return match &node.partitioned {
            Some(table) => format!("{count} partitions of {}", super::node::quote(table)),
            None => format!("{count} partitions ({} and the like)", node.qualified_relation().unwrap_or_default()),
        };
    }
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

/// The first parameter of a prepared statement in a condition, whose value the planner did not know: `$1` that no InitPlan returns.
fn parameter(plan: &Plan, condition: &str) -> Option<String> {
    condition.match_indices('$').find_map(|(at, _)| {
        let digits: String = condition[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        let name = format!("${digits}");
        let returned = plan.nodes.iter().filter_map(|node| node.subplan_name.as_deref());
        let mut returned = returned.filter_map(|name| name.split_once("(returns ")).map(|(_, names)| names);
        let is_returned = returned.any(|names| names.trim_end_matches(')').split(',').any(|it| it.trim() == name));
        (!digits.is_empty() && condition[..at].matches('\'').count().is_multiple_of(2) && !is_returned).then_some(name)
    })
}

/// What is said below every suggestion of an index: the plan alone cannot know what an index costs, and whether it is used.
pub(crate) const PROVE: &str = "pgassay queries can prove whether the planner would use it, and what it costs to keep.";

/// The statement that builds an index: `keys` in parentheses, with the method before and a condition behind where they are wanted.
/// None for partitions whose table is not known.
fn create_index(node: &Node, keys: &str) -> Option<String> {
    if node.siblings <= 1 {
        return Some(format!("CREATE INDEX CONCURRENTLY ON {} {keys};", node.qualified_relation()?));
    }
    // CONCURRENTLY is refused for partitioned tables.
    let table = super::node::quote(node.partitioned.as_deref()?);
    Some(match &node.schema {
        Some(schema) => format!("CREATE INDEX ON {}.{table} {keys};", super::node::quote(schema)),
        None => format!("CREATE INDEX ON {table} {keys};"),
    })
}

/// How a condition has to be written for the index of a tip to serve it.
pub(crate) fn rewrite_of(plan: &Plan, tip: &Tip) -> Option<String> {
    let node = plan.node(tip.node?);
    tip.sql.iter().any(|sql| sql.contains("USING gin")).then(|| filter_index::rewrite_of(node))?
}

/// What to know of an index on partitions.
fn on_partitions(node: &Node) -> &'static str {
    match (node.siblings > 1, &node.partitioned) {
        (false, _) => "",
        (true, Some(_)) => {
            " It goes on the partitioned table and locks out writes of each partition while it is built there; on a busy table build it \
             CONCURRENTLY on each partition first, and attach those."
        }
        (true, None) => " It goes on the partitioned table, whose name the plan does not tell.",
    }
}
