//! Scans that read many rows to keep few, and conditions that no plain index serves.

use super::{Confidence, Context, PROVE, Tip, amount, subject};
use crate::plan::condition::{self, Atom, Use};
use crate::plan::node::{ConditionKind, KnownType, Node};
use crate::plan::{NodeId, Plan};

/// A filter that keeps more than this share of the rows is no work for an index.
const KEPT_BY_FILTER: f64 = 0.1;

/// Fewer removed rows than this are not worth an index.
const REMOVED_ROWS: f64 = 10_000.0;

/// A filter behind an index condition removes this many times what it keeps.
const REMOVED_BEHIND_INDEX: f64 = 10.0;

/// Without ANALYZE: what the planner expects to keep of a table, whose size is not printed, is guessed from the cost of reading
/// it; below this many rows in a scan this expensive it is selective.
const COST_PER_KEPT_ROW: f64 = 50.0;

pub(super) fn tips(context: &Context) -> Vec<Tip> {
    let mut tips = Vec::new();
    for (id, node) in context.nodes() {
        if !context.is_material_alone(id) {
            continue;
        }
        if node.is(KnownType::SeqScan) {
            tips.extend(sequential_scan(context, id, node));
        }
        if node.is_any(&[KnownType::IndexScan, KnownType::IndexOnlyScan, KnownType::BitmapHeapScan]) {
            tips.extend(filter_behind_index(context, id, node));
        }
        tips.extend(column_in_expression(context, id, node));
    }
    tips
}

/// Rows that all loops removed and kept.
fn removed_and_kept(node: &Node) -> Option<(f64, f64)> {
    let actual = node.actual.filter(|actual| actual.loops > 0.0)?;
    Some((node.removed_by_filter.unwrap_or(0.0) * actual.loops, actual.rows * actual.loops))
}

/// What a selective scan does in words, the numbers, and how sure they are.
type Selective = (String, Vec<(&'static str, f64)>, Confidence);

/// Whether a scan reads much to keep little; with the numbers.
fn is_selective(context: &Context, id: NodeId, node: &Node) -> Option<Selective> {
    match removed_and_kept(node) {
        Some((removed, kept)) => {
            let selective = removed >= REMOVED_ROWS && kept <= KEPT_BY_FILTER * (removed + kept);
            let read = amount::count(removed + kept);
            let text = format!("reads {read} rows to keep {}", amount::count(kept));
            selective.then(|| (text, vec![("rows-removed", removed), ("rows-kept", kept)], Confidence::High))
        }
        None => {
            let (estimate, cost) = (node.estimate?, context.use_of(id).cost);
            let selective = estimate.total_cost >= COST_PER_KEPT_ROW * estimate.rows.max(10.0);
            let text =
                format!("costs {} to keep {}", amount::count(cost), amount::counted(estimate.rows, "row", "rows"));
            selective.then(|| (text, vec![("cost", cost), ("rows-expected", estimate.rows)], Confidence::Low))
        }
    }
}

fn sequential_scan(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let filter = node.condition(ConditionKind::Filter)?;
    let (what, numbers, confidence) = is_selective(context, id, node)?;
    let share = context.use_of(id).own_share;
    let (advice, sql) = index_for(node, &condition::atoms(node, filter), &[]);
    Some(Tip {
        kind: "sequential-scan-filter",
        node: Some(id),
        share,
        confidence: if sql.is_empty() { Confidence::Low } else { confidence },
        message: format!("The scan of {} {what}, {}", subject(node), context.share_text(share)),
        numbers,
        advice,
        sql,
    })
}

fn filter_behind_index(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let filter = node.condition(ConditionKind::Filter)?;
    let (removed, kept) = removed_and_kept(node)?;
    if removed < REMOVED_BEHIND_INDEX * kept.max(1.0) || removed < 1000.0 {
        return None;
    }
    let used = index_conditions(context.plan, id, node);
    let served: Vec<Atom> = used.iter().flat_map(|condition| condition::atoms(node, condition)).collect();
    let share = context.use_of(id).own_share;
    let (advice, sql) = index_for(node, &condition::atoms(node, filter), &served);
    let index = node.index.as_deref().map_or_else(|| "The index".to_owned(), |name| format!("The index {name}"));
    Some(Tip {
        kind: "filter-behind-index",
        node: Some(id),
        share,
        confidence: if sql.is_empty() { Confidence::Low } else { Confidence::High },
        message: format!(
            "{index} finds {} rows of {}, and the filter then removes all but {}, {}",
            amount::count(removed + kept),
            subject(node),
            amount::count(kept),
            context.share_text(share)
        ),
        numbers: vec![("rows-removed", removed), ("rows-kept", kept)],
        advice,
        sql,
    })
}

/// The conditions that indexes serve for a scan: its own, or those of the bitmaps below.
fn index_conditions(plan: &Plan, id: NodeId, node: &Node) -> Vec<String> {
    let own = node.condition(ConditionKind::Index).map(str::to_owned);
    let below = plan.ids().filter(|below| plan.ancestors(*below).any(|above| above == id));
    let below = below.filter(|below| plan.node(*below).is(KnownType::BitmapIndexScan));
    let bitmap = below.filter_map(|below| plan.node(below).condition(ConditionKind::Index).map(str::to_owned));
    own.into_iter().chain(bitmap).collect()
}

/// A function or a cast around a column, which hides it from an index on the column.
fn column_in_expression(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let table = node.qualified_relation()?;
    let filter = node.condition(ConditionKind::Filter)?;
    if !node.is_any(&[KnownType::SeqScan, KnownType::IndexScan, KnownType::BitmapHeapScan]) {
        return None;
    }
    let (expression, column) = condition::wrapped_column(node, filter)?;
    let (what, numbers, confidence) = is_selective(context, id, node)?;
    let share = context.use_of(id).own_share;
    let cast = expression.contains("::") && !expression.contains("->");
    let advice = if cast {
        format!(
            "An index on {column} cannot serve ({expression}). Compare {column} with a value of its own type: cast the value, or \
             have the driver send it in the column's type. Where the cast is meant, index the expression. {PROVE}"
        )
    } else {
        format!(
            "An index on {column} cannot serve {expression}. Index the expression, and ANALYZE the table afterwards so that the planner knows its values. {PROVE}"
        )
    };
    Some(Tip {
        kind: "column-in-expression",
        node: Some(id),
        share,
        confidence: confidence.min(Confidence::Medium),
        message: format!("The condition on {expression} {what} of {}, {}", subject(node), context.share_text(share)),
        numbers,
        advice,
        sql: vec![format!("CREATE INDEX CONCURRENTLY ON {table} (({expression}));"), format!("ANALYZE {table};")],
    })
}

/// What to say about an index for the filter's conditions, behind what an index already serves.
pub(super) fn index_for(node: &Node, filter: &[Atom], served: &[Atom]) -> (String, Vec<String>) {
    let Some(table) = node.qualified_relation() else { return (no_index(), Vec::new()) };
    let of = |uses: &[Use]| {
        let mut keys: Vec<String> = Vec::new();
        for atom in served.iter().chain(filter).filter(|atom| uses.contains(&atom.use_)) {
            if !keys.contains(&atom.key) {
                keys.push(atom.key.clone());
            }
        }
        keys
    };
    let mut keys = of(&[Use::Equal]);
    // Behind the first range, a further column is of little use.
    let range = served.iter().chain(filter).find(|atom| matches!(atom.use_, Use::Range | Use::Prefix));
    if let Some(range) = range.filter(|range| !keys.contains(&range.key)) {
        keys.push(match range.use_ {
            Use::Prefix => format!("{} text_pattern_ops", range.key),
            _ => range.key.clone(),
        });
    }
    let helped = filter.iter().any(|atom| keys.iter().any(|key| key.trim_end_matches(" text_pattern_ops") == atom.key));
    if helped {
        let sql = format!("CREATE INDEX CONCURRENTLY ON {table} ({});", keys.join(", "));
        let what = if served.is_empty() {
            "An index on the condition finds those rows"
        } else {
            "An index that has the filter's columns too finds those rows"
        };
        return (format!("{what} without reading the others. {PROVE}"), vec![sql]);
    }
    if let Some(contains) = filter.iter().find(|atom| atom.use_ == Use::Contains) {
        let sql = format!("CREATE INDEX CONCURRENTLY ON {table} USING gin ({});", contains.key);
        return (format!("A GIN index serves this operator. {PROVE}"), vec![sql]);
    }
    if let Some(pattern) = filter.iter().find(|atom| atom.use_ == Use::Pattern) {
        let sql = vec![
            "CREATE EXTENSION IF NOT EXISTS pg_trgm;".to_owned(),
            format!("CREATE INDEX CONCURRENTLY ON {table} USING gin ({} gin_trgm_ops);", pattern.key),
        ];
        let advice = "A search for a part of a text is served by an index of trigrams, if the pattern has at least three letters.";
        return (format!("{advice} {PROVE}"), sql);
    }
    (no_index(), Vec::new())
}

fn no_index() -> String {
    "The plan does not show a condition that a plain index would serve; a partial index whose WHERE says what the filter says may.".to_owned()
}
