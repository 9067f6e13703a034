//! Estimates of rows that are far off, where the error begins.

use super::{Confidence, Context, Tip, amount, subject};
use crate::plan::node::{ConditionKind, KnownType, Node};
use crate::plan::{NodeId, Plan, condition};

/// Actual over estimated rows, or the other way round, from which an estimate is wrong.
const FACTOR: f64 = 10.0;

/// Fewer rows than this on both sides are not worth it.
const ROWS: f64 = 1000.0;

pub(super) fn tips(context: &Context) -> Vec<Tip> {
    let lowest =
        context.nodes().filter(|(id, node)| is_wrong(context.plan, *id, node) && !comes_from_below(context.plan, *id));
    lowest
        .filter(|(id, _)| harm(context, *id) >= super::MATERIAL_SHARE)
        .filter_map(|(id, node)| tip(context, id, node))
        .collect()
}

fn is_wrong(plan: &Plan, id: NodeId, node: &Node) -> bool {
    let Some(ratio) = plan.rows_ratio(id) else { return false };
    let (actual, expected) = (node.actual_rows().unwrap_or(0.0), node.expected_rows().unwrap_or(0.0));
    let enough = actual.max(expected) >= ROWS;
    (ratio >= FACTOR || ratio <= 1.0 / FACTOR) && enough && counts_rows(node)
}

/// A bitmap's rows are not the table's; some nodes only hand on what others return; how many rows a recursion's next round has,
/// nobody can tell.
fn counts_rows(node: &Node) -> bool {
    !node.is_any(&[
        KnownType::BitmapIndexScan,
        KnownType::BitmapAnd,
        KnownType::BitmapOr,
        KnownType::Hash,
        KnownType::Materialize,
        KnownType::Memoize,
        KnownType::ModifyTable,
        KnownType::WorkTableScan,
    ])
}

fn comes_from_below(plan: &Plan, id: NodeId) -> bool {
    let mut open: Vec<NodeId> = plan.node(id).children.clone();
    while let Some(below) = open.pop() {
        let node = plan.node(below);
        if is_wrong(plan, below, node) {
            return true;
        }
        // What a bitmap's index returned is the estimate of the scan above it.
        open.extend(&node.children);
    }
    false
}

/// An estimate that is off harms the nodes above, which were chosen for it.
fn harm(context: &Context, id: NodeId) -> f64 {
    let above = context.plan.ancestors(id).map(|above| context.use_of(above).own_share);
    let above: f64 = above.sum();
    // How a table is scanned was chosen for the estimate too.
    let is_scan = context.plan.node(id).relation.is_some();
    if is_scan { above.max(context.use_of(id).own_share) } else { above }
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
    let filters = [ConditionKind::Index, ConditionKind::Recheck, ConditionKind::Filter];
    let clauses: Vec<_> = filters.iter().filter_map(|kind| node.condition(*kind)).collect();
    let atoms: Vec<_> = clauses.iter().flat_map(|clause| condition::atoms(node, clause)).collect();
    let mut columns: Vec<&str> = atoms.iter().filter_map(|atom| atom.column.as_deref()).collect();
    columns.sort_unstable();
    columns.dedup();
    let numbers = vec![
        ("rows-expected", estimate.rows),
        ("rows-actual", actual.rows),
        ("factor", factor),
        ("loops", actual.loops),
    ];
    let table = node.qualified_relation();
    let (kind, confidence, advice, sql) = match (&table, columns.len()) {
        (Some(table), 2..) if ratio > 1.0 && clauses.iter().map(|clause| condition::clauses(clause)).sum::<usize>() > 1 => {
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
        (None, _) => ("rows-misestimated", Confidence::Low, unknown_source(node), Vec::new()),
    };
    Some(Tip { kind, node: Some(id), share: harm(context, id).min(1.0), confidence, message, numbers, advice, sql })
}

fn unknown_source(node: &Node) -> String {
    if node.is_any(&[KnownType::FunctionScan, KnownType::ProjectSet]) {
        return "The planner guesses how many rows a function returns: say it with ROWS in CREATE FUNCTION, or put the rows in a temporary table and ANALYZE it.".to_owned();
    }
    if node.is_any(&[KnownType::CteScan, KnownType::WorkTableScan, KnownType::RecursiveUnion]) {
        return "The planner knows no statistics of this CTE. A temporary table with ANALYZE, or a CTE that is not materialized, has them.".to_owned();
    }
    if node.is_any(&[KnownType::NestedLoop, KnownType::HashJoin, KnownType::MergeJoin]) {
        return "The inputs are estimated well, so the join's condition is not: the joined columns are skewed, or correlated with what the inputs are filtered by. Statistics of more values (ALTER TABLE … SET STATISTICS) help with skew.".to_owned();
    }
    if node.is_any(&[KnownType::Aggregate, KnownType::Group, KnownType::Unique]) {
        return "The number of groups is misjudged: extended statistics (ndistinct) on the grouped columns tell it."
            .to_owned();
    }
    "The rows are misjudged here first; what is above was chosen for the wrong number.".to_owned()
}

fn statistics_name(node: &Node, columns: &[&str]) -> String {
    crate::plan::node::quote(&format!("{}_{}", node.relation.as_deref().unwrap_or_default(), columns.join("_")))
}
