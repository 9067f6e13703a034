//! Index-only scans that visit the table after all, and index scans that need not.

use super::{Confidence, Context, PROVE, Tip, amount, subject};
use crate::plan::node::{ConditionKind, KnownType, Node, quote};
use crate::plan::{NodeId, Plan, condition};

/// Rows of an index-only scan that were looked up in the table.
const FETCHED: f64 = 0.4;

/// Fewer fetches than this cost nothing worth a VACUUM.
const FETCHES: f64 = 1000.0;

/// Rows from which reading the table besides the index is worth avoiding.
const ROWS: f64 = 1000.0;

/// Wider rows than this do not belong into an index, in bytes.
const WIDTH: f64 = 32.0;

pub(super) fn tips(context: &Context) -> Vec<Tip> {
    let material = context.nodes().filter(|(id, _)| context.is_material_alone(*id));
    material
        .filter_map(|(id, node)| heap_fetches(context, id, node).or_else(|| index_only(context, id, node)))
        .collect()
}

fn heap_fetches(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let (fetches, rows) = (node.heap_fetches?, node.actual_rows()?);
    let rows = rows + node.removed_by_filter.unwrap_or(0.0) * node.loops();
    if !node.is(KnownType::IndexOnlyScan) || fetches < FETCHES || fetches < FETCHED * rows {
        return None;
    }
    let share = context.use_of(id).own_share;
    let table = node.qualified_relation()?;
    Some(Tip {
        kind: "heap-fetches",
        node: Some(id),
        share,
        confidence: Confidence::High,
        message: match fetches > rows {
            // Entries of rows that are gone lead there too.
            true => format!(
                "The index-only scan looked {} entries up in {table} to find {} rows: the others belong to rows that were deleted or updated, {}",
                amount::count(fetches),
                amount::count(rows),
                context.share_text(share)
            ),
            false => format!(
                "The index-only scan looked {} of {} rows up in {table} all the same, {}",
                amount::count(fetches),
                amount::count(rows),
                context.share_text(share)
            ),
        },
        numbers: vec![("heap-fetches", fetches), ("rows", rows)],
        advice: "Pages that changed since the last VACUUM are not marked as visible to all. VACUUM marks them, unless something holds it back (an old transaction, a replication slot, hot_standby_feedback, a prepared transaction); where the table changes all the time, lower its autovacuum_vacuum_scale_factor and autovacuum_vacuum_insert_scale_factor."
            .to_owned(),
        sql: vec![format!("VACUUM (ANALYZE) {table};")],
    })
}

/// With VERBOSE, the columns that the scan returns are known: few narrow ones can be put into the index.
fn index_only(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let index = node.index.as_deref()?;
    node.relation.as_ref()?;
    let rows = node.actual_rows().or(node.estimate.map(|estimate| estimate.rows))?;
    let estimate = node.estimate?;
    if !node.is(KnownType::IndexScan) || rows < ROWS || estimate.width > WIDTH || is_written(context.plan, id) {
        return None;
    }
    let condition = node.condition(ConditionKind::Index)?;
    let keys: Vec<String> = condition::atoms(node, condition).into_iter().filter_map(|atom| atom.column).collect();
    let mut columns = plain_columns(node)?;
    if let Some(filter) = node.condition(ConditionKind::Filter) {
        columns.extend(condition::atoms(node, filter).into_iter().filter_map(|atom| atom.column));
    }
    columns.retain(|column| !keys.contains(column));
    columns.sort();
    columns.dedup();
    if keys.is_empty() || columns.is_empty() || columns.len() > 3 {
        return None;
    }
    let share = context.use_of(id).own_share;
    let sql = |columns: &[String]| columns.iter().map(|column| quote(column)).collect::<Vec<_>>().join(", ");
    Some(Tip {
        kind: "index-only-possible",
        node: Some(id),
        share,
        confidence: Confidence::Low,
        message: format!(
            "{} rows are found by {} and read from {} for {} only, {}",
            amount::count(rows),
            quote(index),
            subject(node),
            columns.join(", "),
            context.share_text(share)
        ),
        numbers: vec![("rows", rows), ("width", estimate.width)],
        advice: format!("An index that includes them need not read the table, as long as VACUUM keeps up. {PROVE}"),
        sql: super::create_index(node, &format!("({}) INCLUDE ({})", sql(&keys), sql(&columns))).into_iter().collect(),
    })
}

/// The table is updated or locked above: its rows are needed.
fn is_written(plan: &Plan, id: NodeId) -> bool {
    plan.ancestors(id).any(|above| plan.node(above).is_any(&[KnownType::ModifyTable, KnownType::LockRows]))
}

/// The output, if it is made of the relation's own columns and nothing else.
fn plain_columns(node: &Node) -> Option<Vec<String>> {
    let columns: Vec<_> = node.output.iter().flat_map(|output| condition::atoms(node, output)).collect();
    let plain: Option<Vec<String>> = columns.iter().map(|atom| atom.column.clone()).collect();
    plain.filter(|plain| !plain.is_empty() && plain.len() == node.output.len())
}
