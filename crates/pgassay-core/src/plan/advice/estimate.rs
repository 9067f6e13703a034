//! Estimates of rows that are far off, where the error begins.

use super::{Confidence, Context, Tip, amount, subject};
use crate::plan::node::{ConditionKind, KnownType, Node, Relationship};
use crate::plan::{NodeId, Plan, condition};

/// Actual over estimated rows, or the other way round, from which an estimate is wrong.
const FACTOR: f64 = 10.0;

/// Fewer rows than this on both sides are not worth it.
const ROWS: f64 = 1000.0;

/// What a better plan could save at most, in milliseconds, from which a wrong estimate matters.
const HARM_TIME: f64 = 5.0;

pub(super) fn tips(context: &Context) -> Vec<Tip> {
    let below = wrong_below(context.plan);
    let lowest = context.nodes().filter(|(id, node)| {
        is_wrong(context.plan, *id, node)
            && !below[id.0]
            && matters(context.plan, *id)
            && !is_recursive(context.plan, *id)
    });
    let total = context.plan.total_time().filter(|_| context.shares.timed).unwrap_or(f64::INFINITY);
    lowest
        .filter(|(id, _)| {
            let harm = harm(context, *id);
            harm >= super::MATERIAL_SHARE && harm * total >= HARM_TIME
        })
        .filter_map(|(id, node)| tip(context, id, node))
        .collect()
}

/// The lowest node at or below this one whose estimate is off although those of its inputs are right.
pub(super) fn lowest_wrong(plan: &Plan, id: NodeId) -> Option<NodeId> {
    let below = wrong_below(plan);
    std::iter::once(id).chain(plan.below(id)).find(|id| is_wrong(plan, *id, plan.node(*id)) && !below[id.0])
}

/// Whether the estimate is off, however few rows there are: where an error begins, they may be few.
fn is_wrong(plan: &Plan, id: NodeId, node: &Node) -> bool {
    let (Some(actual), Some(estimate)) = (node.actual, node.estimate) else { return false };
    let Some(ratio) = plan.rows_ratio(id).filter(|_| counts_rows(node)) else { return false };
    // As far as the rounded average of a loop tells.
    let rounding = plan.rounding(id);
    let most = (actual.rows + rounding).max(1.0) / estimate.rows.max(1.0);
    let least = (actual.rows - rounding).max(1.0) / estimate.rows.max(1.0);
    ratio >= FACTOR && least >= FACTOR || ratio <= 1.0 / FACTOR && most <= 1.0 / FACTOR
}

/// Whether many rows were expected or came, at the node or where its error has grown.
fn matters(plan: &Plan, id: NodeId) -> bool {
    std::iter::once(id).chain(plan.ancestors(id)).any(|at| {
        let node = plan.node(at);
        let rows = node.actual_rows().unwrap_or(0.0).max(node.expected_rows().unwrap_or(0.0));
        rows >= ROWS && is_wrong(plan, at, node)
    })
}

/// A bitmap's rows are not the table's; some nodes only hand on what others return; what writes returns no rows unless it is asked to.
fn counts_rows(node: &Node) -> bool {
    let hands_on = [
        KnownType::BitmapIndexScan,
        KnownType::BitmapAnd,
        KnownType::BitmapOr,
        KnownType::Hash,
        KnownType::Materialize,
        KnownType::Memoize,
        KnownType::ModifyTable,
        KnownType::WorkTableScan,
    ];
    !node.is_any(&hands_on) && node.condition(ConditionKind::Run).is_none()
}

/// How many rows a recursion's next round has, nobody can tell.
fn is_recursive(plan: &Plan, id: NodeId) -> bool {
    let node = plan.node(id);
    let cte = node.cte.as_deref().map(|name| format!("CTE {name}"));
    let of_recursion = |at: NodeId| plan.node(at).is(KnownType::RecursiveUnion);
    of_recursion(id)
        || plan.below(id).any(|below| plan.node(below).is(KnownType::WorkTableScan) || of_recursion(below))
        || cte.is_some_and(|name| {
            plan.ids().any(|at| plan.node(at).subplan_name.as_deref() == Some(name.as_str()) && of_recursion(at))
        })
}

/// By node: whether the estimate of one below it is wrong.
fn wrong_below(plan: &Plan) -> Vec<bool> {
    let mut below = vec![false; plan.nodes.len()];
    for at in (0..plan.nodes.len()).rev() {
        let wrong = below[at] || is_wrong(plan, NodeId(at), &plan.nodes[at]);
        if let Some(parent) = plan.nodes[at].parent {
            below[parent.0] |= wrong;
        }
    }
    below
}

/// Nodes that are there whatever the estimate: workers are chosen for the size of a table, the others by the statement.
const NOT_CHOSEN: &[KnownType] =
    &[KnownType::Gather, KnownType::GatherMerge, KnownType::Limit, KnownType::LockRows, KnownType::ModifyTable];

/// An estimate that is off harms the nodes above, which were chosen for it, and the inner sides that they run for its rows.
fn harm(context: &Context, id: NodeId) -> f64 {
    let plan = context.plan;
    let mut harm = 0.0;
    let mut below = id;
    for above in plan.ancestors(id) {
        let node = plan.node(above);
        if !node.is_any(NOT_CHOSEN) {
            harm += context.use_of(above).own_share;
        }
        if node.is_any(&[KnownType::NestedLoop]) && plan.node(below).relationship == Some(Relationship::Outer) {
            let inner =
                node.children.iter().filter(|child| plan.node(**child).relationship == Some(Relationship::Inner));
            harm += inner.map(|inner| context.use_of(*inner).share).sum::<f64>();
        }
        below = above;
    }
    // Groups are formed by sorting where many are expected.
    let grouped = plan.node(id);
    if grouped.is_any(&[KnownType::Aggregate, KnownType::Group])
        && grouped.strategy.as_deref() == Some("Sorted")
        && grouped.rows_ratio().is_some_and(|ratio| ratio < 1.0)
    {
        let sorts = grouped.children.iter().filter(|child| plan.node(**child).is(KnownType::Sort));
        harm += sorts.map(|sort| context.use_of(*sort).own_share).sum::<f64>();
    }
    // How a table is scanned was chosen for the estimate too, unless it is looked up for each row of another.
    let node = plan.node(id);
    let is_scan = node.relation.is_some() && node.loops() <= context.use_of(id).processes && !is_read_anyway(node);
    if is_scan { harm.max(context.use_of(id).own_share) } else { harm }
}

/// Whether the table would be read in full with the right estimate too: for more rows than expected all the more; where the filter asks
/// for an expression, statistics bring no index on it; and where it keeps little of much, an index is wanted first.
fn is_read_anyway(node: &Node) -> bool {
    let more = node.rows_ratio().is_some_and(|ratio| ratio > 1.0);
    let removed = node.removed_by_filter.unwrap_or(0.0) * node.loops();
    let wants_index = removed >= super::scan::REMOVED_ROWS && removed >= 9.0 * node.actual_rows().unwrap_or(0.0);
    let filter = node.condition(ConditionKind::Filter);
    // For more rows, an index that has them all is as good.
    node.is(KnownType::IndexOnlyScan) && more
        || node.is(KnownType::SeqScan)
            && filter.is_some_and(|filter| more || wants_index || asks_for_expression(node, filter))
}

/// What the planner assumes of a condition that it knows nothing of (selfuncs.h): as a share of the rows.
fn is_default_selectivity(node: &Node) -> bool {
    let (Some(estimate), Some(rows)) = (node.estimate, node.rows_before_filter()) else { return false };
    let all = rows * node.loops();
    const DEFAULTS: [f64; 7] = [0.005, 1.0 / 3.0, 0.5, 0.1, 0.005 / 3.0, 0.001, 0.01];
    // Of workers each is expected to return its part; the leader does less than one of them (get_parallel_divisor in costsize.c).
    let workers = node.loops() - 1.0;
    let leader = (1.0 - 0.3 * workers).max(0.0);
    let parts = if node.parallel_aware && workers > 0.0 {
        [node.loops(), workers + leader]
    } else {
        [node.loops().max(1.0); 2]
    };
    let is = |expected: f64, share: f64| (expected - all * share).abs() <= (all * share * 0.05).max(1.0);
    all >= ROWS && parts.iter().any(|parts| DEFAULTS.iter().any(|share| is(estimate.rows * parts, *share)))
}

/// Whether statistics of columns cannot tell what a filter keeps: it asks for an expression, a function or a subquery.
fn asks_for_expression(node: &Node, filter: &str) -> bool {
    let atoms = condition::atoms(node, filter);
    atoms.iter().any(|atom| atom.column.is_none() || atom.as_text.as_deref().is_some_and(condition::is_doubtful))
        || atoms.len() < condition::clauses(filter)
}

fn tip(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let (estimate, actual, ratio) = (node.estimate?, node.actual?, node.rows_ratio()?);
    let (direction, factor) = if ratio > 1.0 { ("too few", ratio) } else { ("too many", 1.0 / ratio) };
    let loops =
        if actual.loops > 1.0 { format!(" in each of {} loops", amount::count(actual.loops)) } else { String::new() };
    let message = format!(
        "{}: {} expected, {} came{loops}: {} {direction}",
        subject(node),
        amount::counted(estimate.rows, "row", "rows"),
        amount::count(actual.rows),
        amount::factor(factor)
    );
    if let Some(filter) = node.condition(ConditionKind::Filter)
        && is_default_selectivity(node)
        && asks_for_expression(node, filter)
    {
        return expression_tip(context, id, node, filter, message);
    }
    let numbers = vec![
        ("rows-expected", estimate.rows),
        ("rows-actual", actual.rows),
        ("factor", factor),
        ("loops", actual.loops),
    ];
    let (kind, confidence, advice, sql) = cause(context, node, ratio > 1.0);
    Some(Tip { kind, node: Some(id), share: harm(context, id).min(1.0), confidence, message, numbers, advice, sql })
}

/// What misled the planner, with a tip's kind, how sure that is, the advice and its SQL.
fn cause(context: &Context, node: &Node, too_few: bool) -> (&'static str, Confidence, String, Vec<String>) {
    let filters = [ConditionKind::Index, ConditionKind::Recheck, ConditionKind::Filter];
    let clauses: Vec<_> = filters.iter().filter_map(|kind| node.condition(*kind)).collect();
    let atoms: Vec<_> = clauses.iter().flat_map(|clause| condition::atoms(node, clause)).collect();
    let mut columns: Vec<&str> = atoms.iter().filter_map(|atom| atom.column.as_deref()).collect();
    columns.sort_unstable();
    columns.dedup();
    let table = node.qualified_relation();
    let parameter = clauses.iter().find_map(|clause| super::parameter(context.plan, clause));
    let fixed = clauses.iter().any(|clause| condition::has_operator_without_statistics(clause));
    match (&table, columns.len()) {
        (Some(_), _) if parameter.is_some() => (
            "rows-misestimated",
            Confidence::Medium,
            format!(
                "The plan is a generic one, made for an average value of {}. SET plan_cache_mode = force_custom_plan, or a statement that is \
                 not prepared, has one made for each value.",
                parameter.unwrap_or_default()
            ),
            Vec::new(),
        ),
        (Some(_), _) if fixed => (
            "rows-misestimated",
            Confidence::Low,
            "The planner takes a fixed share of the rows for an operator of an extension, or tries it on the values that ANALYZE kept. No statistics tell it more."
                .to_owned(),
            Vec::new(),
        ),
        (Some(table), 2..) if too_few && clauses.iter().map(|clause| condition::clauses(clause)).sum::<usize>() > 1 => {
            let names: Vec<String> = columns.iter().map(|column| crate::plan::node::quote(column)).collect();
            (
                "correlated-columns",
                Confidence::Medium,
                format!("The planner multiplies the shares of {} as if they were independent. If they are not, extended statistics say so.", names.join(" and ")),
                vec![
                    // Names may be left out from 16 on only.
                    format!("CREATE STATISTICS {} ON {} FROM {table};", statistics_name(node, &columns), names.join(", ")),
                    format!("ANALYZE {table};"),
                ],
            )
        }
        (Some(table), _) => (
            "rows-misestimated",
            Confidence::Medium,
            "The statistics of the table do not tell how many rows match: it may have changed since ANALYZE ran, or its values are \
             distributed in a way that the sample misses (raise the column's statistics target)."
                .to_owned(),
            vec![format!("ANALYZE {table};")],
        ),
        (None, _) => ("rows-misestimated", Confidence::Low, unknown_source(context.plan, node), Vec::new()),
    }
}

/// The planner guessed since it has no statistics of an expression. Without an expression that it could keep some of, nothing helps.
fn expression_tip(context: &Context, id: NodeId, node: &Node, filter: &str, message: String) -> Option<Tip> {
    let wrapped = condition::wrapped_column(node, filter).filter(|wrapped| wrapped.immutable)?;
    let table = node.qualified_relation()?;
    let name = crate::plan::node::quote(&format!(
        "{}_{}_expression",
        node.relation.as_deref().unwrap_or_default(),
        wrapped.column
    ));
    Some(Tip {
        kind: "rows-misestimated",
        node: Some(id),
        share: harm(context, id).min(1.0),
        confidence: Confidence::Medium,
        message,
        numbers: vec![("rows-expected", node.estimate?.rows), ("rows-actual", node.actual?.rows)],
        advice: format!(
            "The planner has no statistics of {} and took a fixed share of the rows. Statistics of the expression, or an index on it, tell it.",
            wrapped.expression
        ),
        sql: vec![
            format!("CREATE STATISTICS {name} ON ({}) FROM {table};", wrapped.expression),
            format!("ANALYZE {table};"),
        ],
    })
}

fn unknown_source(plan: &Plan, node: &Node) -> String {
    if node.is_any(&[KnownType::FunctionScan, KnownType::ProjectSet]) {
        return "The planner guesses how many rows a function returns: say it with ROWS in CREATE FUNCTION, or put the rows in a temporary table and ANALYZE it.".to_owned();
    }
    if node.is_any(&[KnownType::CteScan, KnownType::WorkTableScan, KnownType::RecursiveUnion]) {
        return "The planner knows no statistics of this CTE. A temporary table with ANALYZE, or a CTE that is not materialized, has them.".to_owned();
    }
    if node.is_any(&[KnownType::NestedLoop, KnownType::HashJoin, KnownType::MergeJoin]) {
        if node.children.len() < 2 {
            return "Its inputs are not here: the error may begin in them.".to_owned();
        }
        let right = |id: &NodeId| plan.node(*id).rows_ratio().is_some_and(|ratio| (0.5..=2.0).contains(&ratio));
        if !node.children.iter().all(right) {
            return "Its inputs are somewhat misjudged too, and a join multiplies that; statistics of what they are filtered by come first."
                .to_owned();
        }
        return "The inputs are estimated well, so the join's condition is not: the joined columns are skewed, or correlated with what the inputs are filtered by. Statistics of more values (ALTER TABLE … SET STATISTICS) help with skew.".to_owned();
    }
    if node.is_any(&[KnownType::Aggregate, KnownType::Group, KnownType::Unique]) {
        if node.group_keys.iter().flatten().any(|key| key.contains('(')) {
            return "The number of groups of an expression is guessed (200, or a share of the rows): statistics of the expression (CREATE STATISTICS, from 14 on) tell it where it is one of a table's columns.".to_owned();
        }
        return "The number of groups is misjudged: extended statistics (ndistinct) on the grouped columns tell it."
            .to_owned();
    }
    "The rows are misjudged here first; what is above was chosen for the wrong number.".to_owned()
}

fn statistics_name(node: &Node, columns: &[&str]) -> String {
    crate::plan::node::quote(&format!("{}_{}", node.relation.as_deref().unwrap_or_default(), columns.join("_")))
}
