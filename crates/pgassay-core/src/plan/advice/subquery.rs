//! Subqueries that run for each row, and CTEs that are computed in full to be filtered.

use super::{Confidence, Context, Tip, amount, subject};
use crate::plan::NodeId;
use crate::plan::node::{ConditionKind, KnownType, Node, Relationship};

/// Runs of a subquery.
const RUNS: f64 = 1000.0;

/// What a filter removes from a materialized CTE.
const REMOVED: f64 = 0.9;

pub(super) fn tips(context: &Context) -> Vec<Tip> {
    let mut tips = Vec::new();
    for (id, node) in context.nodes().filter(|(id, _)| context.is_material(*id)) {
        tips.extend(not_hashed(context, id, node));
        tips.extend(per_row(context, id, node));
        tips.extend(filtered_cte(context, id, node));
    }
    tips
}

fn is_subplan(node: &Node) -> bool {
    node.relationship == Some(Relationship::SubPlan)
}

/// NOT IN of a subquery whose result does not fit in work_mem is gone through for each row.
fn not_hashed(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let parent = context.plan.node(node.parent.filter(|_| is_subplan(node))?);
    let name = node.subplan_name.as_deref()?;
    let filter = parent.condition(ConditionKind::Filter)?;
    // `NOT (SubPlan 1)` before 17, `NOT (ANY (id = (SubPlan 1).col1))` since.
    let negated = filter.contains(&format!("NOT ({name})"))
        || filter.contains("NOT (ANY (") && filter.contains(&format!("({name}).col"));
    // NOT EXISTS is written the same way, but its subquery depends on the row: no rows are kept to go through again.
    if !negated || !node.is(KnownType::Materialize) {
        return None;
    }
    let loops =
        node.actual.map_or_else(|| parent.estimate.map_or(0.0, |estimate| estimate.rows), |actual| actual.loops);
    let share = context.use_of(id).share.max(context.use_of(node.parent?).own_share);
    Some(Tip {
        kind: "subplan-not-hashed",
        node: Some(id),
        share,
        confidence: if node.actual.is_some() { Confidence::High } else { Confidence::Medium },
        message: format!(
            "NOT IN goes through the subquery's rows one by one, for each of {} rows, {}",
            amount::count(loops),
            context.share_text(share)
        ),
        numbers: vec![("loops", loops)],
        advice: "Write NOT EXISTS (SELECT … WHERE the columns are equal): it becomes an anti-join, and NULLs in the subquery no longer make the result empty. More work_mem would let the subquery be hashed."
            .to_owned(),
        sql: Vec::new(),
    })
}

fn per_row(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let actual = node.actual.filter(|_| is_subplan(node))?;
    let share = context.use_of(id).share;
    if actual.loops < RUNS || share < 0.2 {
        return None;
    }
    Some(Tip {
        kind: "subplan-per-row",
        node: Some(id),
        share,
        confidence: Confidence::Medium,
        message: format!(
            "{} ran {} times, once for each row, {}",
            node.subplan_name.as_deref().unwrap_or("The subquery"),
            amount::count(actual.loops),
            context.share_text(share)
        ),
        numbers: vec![("loops", actual.loops), ("milliseconds-each", actual.total_time.unwrap_or(0.0))],
        advice: "Join the subquery instead, grouped by what it is correlated with: it then runs once. Where only few rows are needed, limit them before the subquery runs.".to_owned(),
        sql: Vec::new(),
    })
}

fn filtered_cte(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let (filter, cte) = (node.condition(ConditionKind::Filter)?, node.cte.as_deref()?);
    if !node.is(KnownType::CteScan) {
        return None;
    }
    let (removed, kept, loops, confidence) = match (node.actual, node.estimate) {
        (Some(actual), _) if actual.loops > 0.0 => {
            (node.removed_by_filter?, actual.rows, actual.loops, Confidence::Medium)
        }
        (None, Some(estimate)) => {
            let all = context.plan.node(defined(context, cte)?).estimate?.rows;
            (all - estimate.rows, estimate.rows, 1.0, Confidence::Low)
        }
        _ => return None,
    };
    let share = cte_share(context, cte).max(context.use_of(id).own_share);
    if removed < REMOVED * (removed + kept) || removed * loops < 1000.0 {
        return None;
    }
    Some(Tip {
        kind: "filtered-cte",
        node: Some(id),
        share,
        confidence,
        message: format!(
            "{} is computed in full, and {filter} then removes {} of its {} rows, {}",
            subject(node),
            amount::count(removed),
            amount::count(removed + kept),
            context.share_text(share)
        ),
        numbers: vec![("rows-removed", removed * loops), ("rows-kept", kept * loops)],
        advice: "Put the condition into the CTE, or let the planner do it: WITH … AS NOT MATERIALIZED.".to_owned(),
        sql: Vec::new(),
    })
}

/// The share of the subquery that a CTE is.
fn cte_share(context: &Context, cte: &str) -> f64 {
    defined(context, cte).map_or(0.0, |id| context.use_of(id).share)
}

/// The top of the subquery that a CTE is.
fn defined(context: &Context, cte: &str) -> Option<NodeId> {
    let name = format!("CTE {cte}");
    context.nodes().find(|(_, node)| node.subplan_name.as_deref() == Some(name.as_str())).map(|(id, _)| id)
}
