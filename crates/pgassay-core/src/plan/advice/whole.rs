//! What goes through all of something to return little of it: the first rows of an order, distinct values, the ends of a column, an
//! index that is not searched by its first column; and code that runs for each row.

use std::ops::ControlFlow;

use crate::walk::visit_expressions;
use sqlparser::ast::Expr;

use super::{Confidence, Context, PROVE, Tip, amount, subject};
use crate::plan::condition::{self, Use};
use crate::plan::expression::parse;
use crate::plan::node::{ConditionKind, KnownType, Node, quote};
use crate::plan::{NodeId, Plan};

/// Rows that are sorted or read from which it matters that few are needed.
const ROWS: f64 = 10_000.0;

/// So many times more than are needed.
const TIMES: f64 = 10.0;

/// A filter that keeps less of an order than this does not end soon.
const KEPT: f64 = 0.1;

pub(super) fn tips(context: &Context) -> Vec<Tip> {
    let material = context.nodes().filter(|(id, _)| context.is_material(*id));
    material
        .filter_map(|(id, node)| {
            first_rows(context, id, node)
                .or_else(|| distinct(context, id, node))
                .or_else(|| few_groups(context, id, node))
                .or_else(|| ends(context, id, node))
                .or_else(|| read_beyond(context, id, node))
                .or_else(|| code_per_row(context, id, node))
        })
        .collect()
}

/// A sort of much for a LIMIT of little.
fn first_rows(context: &Context, id: NodeId, limit: &Node) -> Option<Tip> {
    if !limit.is(KnownType::Limit) {
        return None;
    }
    let sort_id = through(context.plan, id, &[KnownType::GatherMerge])?;
    let sort = context.plan.node(sort_id);
    let (scan_id, scan) = scan_below(context.plan, sort_id).filter(|_| sort.is(KnownType::Sort))?;
    let (sorted, returned) = (rows(scan)?, rows(limit)?);
    let equal = equal_columns(scan);
    if sorted < ROWS || sorted < TIMES * returned.max(1.0) || !ends_soon(scan, equal.len()) {
        return None;
    }
    let order: Option<Vec<String>> =
        sort.sort_key.iter().map(|key| column_of(scan, key).or_else(|| expression_of(scan, key))).collect();
    let order = order.filter(|order| !order.is_empty())?;
    let keys: Vec<String> = equal.into_iter().chain(order).collect();
    let share = context.use_of(id).share;
    Some(Tip {
        kind: "sort-for-limit",
        node: Some(sort_id),
        share,
        confidence: if limit.actual.is_some() { Confidence::Medium } else { Confidence::Low },
        message: format!(
            "All {} rows of {} are read and sorted to return {}, {}",
            amount::count(sorted),
            subject(scan),
            amount::count(returned),
            context.share_text(share)
        ),
        numbers: vec![("rows-sorted", sorted), ("rows-returned", returned)],
        advice: format!(
            "An index in this order gives the first rows without reading the others.{} {PROVE}",
            super::on_partitions(scan)
        ),
        sql: super::create_index(context.plan.node(scan_id), &format!("({})", keys.join(", "))).into_iter().collect(),
    })
}

/// A sort of all rows to keep one of each value.
fn distinct(context: &Context, id: NodeId, unique: &Node) -> Option<Tip> {
    if !unique.is(KnownType::Unique) {
        return None;
    }
    let sort_id = through(context.plan, id, &[KnownType::GatherMerge])?;
    let sort = context.plan.node(sort_id);
    let (_, scan) = scan_below(context.plan, sort_id).filter(|_| sort.is(KnownType::Sort))?;
    let (sorted, kept) = (rows(scan)?, rows(unique)?);
    if sorted < ROWS || sorted < TIMES * kept.max(1.0) {
        return None;
    }
    let share = context.use_of(id).share;
    let keys = sort.sort_key.join(", ");
    Some(Tip {
        kind: "distinct-over-sort",
        node: Some(sort_id),
        share,
        confidence: Confidence::Low,
        message: format!(
            "All {} rows of {} are sorted to keep {} of them, {}",
            amount::count(sorted),
            subject(scan),
            amount::count(kept),
            context.share_text(share)
        ),
        numbers: vec![("rows-sorted", sorted), ("rows-kept", kept)],
        advice: format!(
            "An index on ({keys}) saves the sort, if the table's rows lie about in its order or the index has all columns that are asked for. Where few values have many rows each, a recursive query that goes from one value to the next by that index reads one row of each."
        ),
        sql: Vec::new(),
    })
}

/// Rows that are read for each group from which going from one value to the next is worth a query that looks odd.
const ROWS_OF_GROUP: f64 = 1000.0;

/// A whole table that is read for few values of it.
fn few_groups(context: &Context, id: NodeId, aggregate: &Node) -> Option<Tip> {
    let [keys] = &aggregate.group_keys[..] else { return None };
    let partial = aggregate.partial_mode.as_deref() == Some("Partial");
    if !aggregate.is(KnownType::Aggregate) || partial || keys.is_empty() {
        return None;
    }
    let (scan_id, scan) = scan_below(context.plan, id)?;
    let (all, groups) = (rows(scan)?, rows(aggregate)?);
    let columns: Option<Vec<String>> = keys.iter().map(|key| column_of(scan, key)).collect();
    let columns = columns?;
    let unfiltered = scan.condition(ConditionKind::Filter).is_none() && scan.condition(ConditionKind::Index).is_none();
    if !unfiltered || all < ROWS * TIMES || all < ROWS_OF_GROUP * groups.max(1.0) {
        return None;
    }
    // What is above, such as a sort of the groups, is not it.
    let share = context.use_of(id).share;
    let between = context.plan.ancestors(scan_id).take_while(|above| *above != id);
    let alone: f64 = between.chain([id, scan_id]).map(|at| context.use_of(at).own_share).sum();
    if alone < 0.5 * share {
        return None;
    }
    let adds_up = aggregate.output.iter().any(|output| !keys.contains(output));
    let next = "Where only the values are asked for (DISTINCT), or the first or last row of each, a recursive query goes from one value to the next";
    let keep = "Counts and sums need all rows: keep them in a table or a materialized view, or let an index-only scan read less.";
    let by = columns.join(", ");
    Some(Tip {
        kind: "few-groups",
        node: Some(id),
        share,
        confidence: Confidence::Low,
        message: format!(
            "All {} rows of {} are read for {}, {}",
            amount::count(all),
            subject(scan),
            amount::counted(groups, "group", "groups"),
            context.share_text(share)
        ),
        numbers: vec![("rows", all), ("groups", groups)],
        advice: match (aggregate.output.is_empty(), adds_up) {
            (false, true) => keep.to_owned(),
            (false, false) => format!("{next} by an index on ({by}), and reads one row of each."),
            (true, _) => format!("{next} by an index on ({by}), and reads one row of each. {keep}"),
        },
        sql: Vec::new(),
    })
}

/// min() and max() over a table that is read in full.
fn ends(context: &Context, id: NodeId, aggregate: &Node) -> Option<Tip> {
    let grouped = aggregate.group_keys.iter().any(|keys| !keys.is_empty());
    if !aggregate.is(KnownType::Aggregate) || grouped || aggregate.partial_mode.as_deref() == Some("Partial") {
        return None;
    }
    let (_, scan) = scan_below(context.plan, id)?;
    let all = rows(scan)?;
    let columns = ends_in_output(scan, aggregate).or_else(|| ends_in_query(context.plan))?;
    let equal = equal_columns(scan);
    if all < ROWS || !scan.is(KnownType::SeqScan) || !ends_soon(scan, equal.len()) {
        return None;
    }
    let share = context.use_of(id).share;
    let index = |column: &String| {
        let keys: Vec<&str> = equal.iter().chain([column]).map(String::as_str).collect();
        super::create_index(scan, &format!("({})", keys.join(", ")))
    };
    Some(Tip {
        kind: "ends-by-full-scan",
        node: Some(id),
        share,
        confidence: if scan.actual.is_some() { Confidence::Medium } else { Confidence::Low },
        message: format!(
            "All {} rows of {} are read for the least or greatest {}, {}",
            amount::count(all),
            subject(scan),
            columns.join(" and "),
            context.share_text(share)
        ),
        numbers: vec![("rows", all)],
        advice: format!(
            "The first and the last entry of an index are read without the others.{} {PROVE}",
            super::on_partitions(scan)
        ),
        sql: columns.iter().filter_map(index).collect(),
    })
}

/// The columns of which the aggregate takes the ends, if it does nothing else (VERBOSE).
fn ends_in_output(scan: &Node, aggregate: &Node) -> Option<Vec<String>> {
    let of = |output: &String| {
        let inner = output.strip_prefix("min(").or_else(|| output.strip_prefix("max("))?.strip_suffix(')')?;
        // Above a Gather: max((max(votes))).
        let inner = inner.trim_matches(['(', ')']);
        let inner = inner.strip_prefix("min(").or_else(|| inner.strip_prefix("max(")).unwrap_or(inner);
        column_of(scan, inner)
    };
    let columns: Option<Vec<String>> = aggregate.output.iter().map(of).collect();
    columns.map(sorted).filter(|columns| !columns.is_empty())
}

/// The same of a query whose text is known: `SELECT max(a) FROM t …`.
fn ends_in_query(plan: &Plan) -> Option<Vec<String>> {
    let query = plan.query.as_deref()?;
    let list = query.trim_start().get("SELECT ".len()..).filter(|_| {
        query.trim_start().get(.."SELECT ".len()).is_some_and(|first| first.eq_ignore_ascii_case("SELECT "))
    })?;
    let end = list.to_ascii_lowercase().find(" from ")?;
    // One table, in no subquery: its columns are written without a doubt.
    let others = ["join", "select", "union"].iter().any(|word| list[end..].to_ascii_lowercase().contains(word));
    let of = |item: &str| {
        let item = item.trim().to_ascii_lowercase();
        let inner = item.strip_prefix("min(").or_else(|| item.strip_prefix("max("))?;
        let (column, rest) = inner.split_once(')')?;
        let named = rest.trim().is_empty() || rest.trim_start().starts_with("as ");
        let plain = !column.is_empty() && column.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        (named && plain).then(|| quote(column))
    };
    let columns: Option<Vec<String>> = list[..end].split(',').map(of).collect();
    columns.map(sorted).filter(|_| !others)
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

/// What an entry that an index finds costs at most, by the planner's estimate, with the page of its row.
const COST_OF_ENTRY: f64 = 30.0;

/// Searching an index costs about this before the first entry.
const COST_OF_SEARCH: f64 = 1000.0;

/// An index whose condition does not limit how much of it is read.
fn read_beyond(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    if !node.is_any(&[KnownType::IndexScan, KnownType::IndexOnlyScan, KnownType::BitmapIndexScan]) {
        return None;
    }
    // What a filter and its subqueries cost is in it too.
    if node.condition(ConditionKind::Filter).is_some() || !node.children.is_empty() {
        return None;
    }
    let estimate = node.estimate?;
    let found = estimate.rows.max(1.0);
    let condition = node.condition(ConditionKind::Index)?;
    let table = match node.is(KnownType::BitmapIndexScan) {
        false => node,
        true => context
            .plan
            .node(context.plan.ancestors(id).find(|above| context.plan.node(*above).is(KnownType::BitmapHeapScan))?),
    };
    let atoms = condition::atoms(table, condition);
    // Other access methods look at more than they find.
    let ordered =
        !atoms.is_empty() && atoms.iter().all(|atom| matches!(atom.use_, Use::Equal | Use::Range | Use::Flag));
    let beyond = estimate.total_cost > COST_OF_SEARCH + COST_OF_ENTRY * found;
    // Fewer rows were expected than came: the cost says nothing of the rows.
    let as_expected = node.actual_rows().is_none_or(|rows| rows <= TIMES * found * node.loops().max(1.0));
    if !ordered || !beyond || !as_expected || !context.is_material_alone(id) {
        return None;
    }
    let mut keys: Vec<String> = Vec::new();
    for atom in
        atoms.iter().filter(|atom| atom.use_ == Use::Equal).chain(atoms.iter().filter(|atom| atom.use_ == Use::Range))
    {
        if !keys.contains(&atom.key) {
            keys.push(atom.key.clone());
        }
    }
    let share = context.use_of(id).own_share;
    let index = node.index.as_deref().unwrap_or_default();
    Some(Tip {
        kind: "index-read-beyond",
        node: Some(id),
        share,
        confidence: if node.actual.is_some() { Confidence::Medium } else { Confidence::Low },
        message: format!(
            "The index {index} is read at a cost of {} to find {} rows, {}",
            amount::count(estimate.total_cost),
            amount::count(found),
            context.share_text(share)
        ),
        numbers: vec![("cost", estimate.total_cost), ("rows-expected", found)],
        advice: format!(
            "So much is read where the condition does not name the index's first column, or names it by no more than a wide range. An index that begins with the columns of the condition is read at the right place only.{} {PROVE}",
            super::on_partitions(table)
        ),
        sql: match keys.is_empty() {
            true => Vec::new(),
            false => super::create_index(table, &format!("({})", keys.join(", "))).into_iter().collect(),
        },
    })
}

/// What a row takes at least, in milliseconds, where code is run for it and nothing is waited for.
const TIME_OF_CODE: f64 = 0.004;

/// Time that reading does not explain.
fn code_per_row(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let kinds =
        [KnownType::SeqScan, KnownType::Result, KnownType::ProjectSet, KnownType::SubqueryScan, KnownType::IndexScan];
    let own = context.use_of(id);
    // Compilation is in the time of the nodes.
    if context.plan.jit.is_some() {
        return None;
    }
    let time = own.own_time.filter(|_| node.is_any(&kinds) && own.own_share >= 0.5)?;
    let rows = node.rows_before_filter()? * node.loops();
    let read = own.own_buffers.read() + node.counters.io.total();
    if rows < 100.0 || time < rows * TIME_OF_CODE || !context.plan.has_buffers() || read > 0.0 {
        return None;
    }
    // A plan that was shortened lost the blocks of its scans.
    if node.relation.is_some() && own.own_buffers.accessed() == 0.0 {
        return None;
    }
    // Most of its blocks hold dead rows, which are looked at too.
    let read_blocks = own.own_buffers.accessed();
    if node.is(KnownType::SeqScan) && read_blocks * 2.0 > rows {
        return None;
    }
    // What was found in memory takes about a thousandth of a millisecond for each block.
    if read_blocks * 0.002 > time / 2.0 {
        return None;
    }
    let calls: Vec<String> = sorted(node.output.iter().flat_map(|output| calls(output)).collect());
    let what = match &calls[..] {
        [] => "a function in its conditions or in the list of columns, or large values that are fetched and unpacked"
            .to_owned(),
        calls => format!("{} in the list of columns, or large values that are fetched and unpacked", calls.join(", ")),
    };
    Some(Tip {
        kind: "code-per-row",
        node: Some(id),
        share: own.own_share,
        confidence: Confidence::Low,
        message: format!(
            "Each of {} takes {} without waiting for the disk, {}",
            amount::counted(rows, "row", "rows"),
            amount::time(time / rows),
            context.share_text(own.own_share)
        ),
        numbers: vec![("rows", rows), ("ms-per-row", time / rows)],
        advice: format!(
            "That is the time of code that runs for each row: {what}. Run it for fewer rows (after LIMIT, after the other conditions), or keep its result in a column."
        ),
        sql: Vec::new(),
    })
}

/// The functions that an expression calls.
fn calls(output: &str) -> Vec<String> {
    let mut names = Vec::new();
    let Some(expression) = parse(output) else { return names };
    let _: ControlFlow<()> = visit_expressions(&expression, |part| {
        if let Expr::Function(function) = part {
            names.push(format!("{}()", function.name));
        }
        ControlFlow::Continue(())
    });
    names
}

/// The node below, through those of some kinds.
fn through(plan: &Plan, id: NodeId, kinds: &[KnownType]) -> Option<NodeId> {
    let below = *plan.node(id).children.first()?;
    if plan.node(below).is_any(kinds) { through(plan, below, kinds) } else { Some(below) }
}

/// The scan of a table below, through what only gathers and adds up.
fn scan_below(plan: &Plan, id: NodeId) -> Option<(NodeId, &Node)> {
    let [below] = plan.node(id).children[..] else { return None };
    let node = plan.node(below);
    let scans = [KnownType::SeqScan, KnownType::BitmapHeapScan, KnownType::IndexScan];
    if node.is_any(&scans) {
        return node.relation.is_some().then_some((below, node));
    }
    let is_partial = |node: &Node| node.is(KnownType::Aggregate) && node.partial_mode.as_deref() == Some("Partial");
    // Each worker sorts its groups, for the leader to merge them.
    let sorts_groups = node.is(KnownType::Sort) && plan.children(below).all(is_partial);
    let gathers = node.is_any(&[KnownType::Gather, KnownType::GatherMerge]) || is_partial(node) || sorts_groups;
    gathers.then(|| scan_below(plan, below))?
}

fn rows(node: &Node) -> Option<f64> {
    node.actual_rows().or_else(|| node.expected_rows())
}

/// The columns that a scan's conditions compare with one value each.
fn equal_columns(scan: &Node) -> Vec<String> {
    let texts = [ConditionKind::Filter, ConditionKind::Index, ConditionKind::Recheck];
    let conditions = texts.iter().filter_map(|kind| scan.condition(*kind));
    let mut keys = Vec::new();
    let atoms = conditions.flat_map(|condition| condition::atoms(scan, condition));
    for atom in atoms.filter(|atom| atom.use_ == Use::Equal && !atom.several) {
        if !keys.contains(&atom.key) {
            keys.push(atom.key);
        }
    }
    keys
}

/// Whether an index of some columns and the order finds its first rows soon: no other condition, or one that many rows pass.
fn ends_soon(scan: &Node, equal: usize) -> bool {
    let Some(filter) = scan.condition(ConditionKind::Filter) else { return true };
    let kept = scan.actual.map_or(0.0, |actual| actual.rows);
    let all = kept + scan.removed_by_filter.unwrap_or(0.0);
    condition::clauses(filter) <= equal || all > 0.0 && kept >= KEPT * all
}

/// Splits a sort key before its direction.
fn split_direction(key: &str) -> (&str, &str) {
    let directions = [" DESC", " NULLS FIRST", " NULLS LAST", " DESC NULLS LAST"];
    let length = directions.iter().filter(|direction| key.ends_with(**direction)).map(|it| it.len()).max();
    key.split_at(key.len() - length.unwrap_or(0))
}

/// A sort key that is an expression of the scan's columns which an index takes.
fn expression_of(scan: &Node, key: &str) -> Option<String> {
    let (text, direction) = split_direction(key);
    condition::key_expression(scan, text).map(|expression| format!("({expression}){direction}"))
}

/// A sort key that is a column of the scan, as a key of an index.
fn column_of(scan: &Node, key: &str) -> Option<String> {
    let (name, direction) = split_direction(key);
    let column = match scan.reference().and_then(|reference| name.strip_prefix(&format!("{}.", quote(reference)))) {
        Some(column) => column,
        None => name,
    };
    let plain =
        column.chars().all(|c| c.is_alphanumeric() || c == '_') || column.starts_with('"') && column.ends_with('"');
    (plain && !column.is_empty()).then(|| format!("{column}{direction}"))
}
