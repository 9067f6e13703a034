//! Scans that read many rows to keep few, and conditions that no plain index serves.

use std::fmt::Write as _;

use super::filter_index::{Suggestion, index_for};
use super::{Confidence, Context, PROVE, Tip, amount, subject};
use crate::plan::condition::{self, Atom, Use, Way, Wrapped};
use crate::plan::node::{ConditionKind, KnownType, Node};
use crate::plan::{NodeId, Plan};

/// A filter that keeps more than this share of the rows is no work for an index.
const KEPT_BY_FILTER: f64 = 0.1;

/// Fewer removed rows than this are not worth an index.
pub(super) const REMOVED_ROWS: f64 = 10_000.0;

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
            tips.extend(sequential_scan(context, id, node).or_else(|| bloated(context, id, node)));
        }
        if node.is_any(&[KnownType::IndexScan, KnownType::IndexOnlyScan, KnownType::BitmapHeapScan]) {
            tips.extend(filter_behind_index(context, id, node));
        }
        tips.extend(column_in_expression(context, id, node));
    }
    tips
}

/// Rows that all loops removed at least, and kept at most. The server rounds the average of a loop (to whole rows before 18).
fn removed_and_kept(context: &Context, id: NodeId, node: &Node) -> Option<(f64, f64)> {
    let actual = node.actual.filter(|actual| actual.loops > 0.0)?;
    let rounding = context.plan.rounding(id);
    let removed = (node.removed_by_filter.unwrap_or(0.0) - rounding).max(0.0);
    Some((removed * actual.loops, (actual.rows + rounding) * actual.loops))
}

/// What a selective scan does in words, the numbers, and how sure they are.
type Selective = (String, Vec<(&'static str, f64)>, Confidence);

/// Whether a scan reads much to keep little; with the numbers.
fn is_selective(context: &Context, id: NodeId, node: &Node) -> Option<Selective> {
    match removed_and_kept(context, id, node) {
        Some((removed, kept)) => {
            let selective = removed >= REMOVED_ROWS && kept <= KEPT_BY_FILTER * (removed + kept);
            // As they are printed: what they may be off by only decides.
            let passed = node.actual_rows().unwrap_or(kept);
            let read = passed + node.removed_by_filter.unwrap_or(0.0) * node.loops();
            let text = format!("reads {} rows to keep {}", amount::count(read), amount::count(passed));
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

/// A table of fewer rows is a few blocks, which the planner reads rather than an index, however often.
pub(super) const SMALL_TABLE: f64 = 500.0;

fn sequential_scan(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let filter = node.condition(ConditionKind::Filter)?;
    if node.rows_before_filter().is_some_and(|rows| rows < SMALL_TABLE) {
        return None;
    }
    let (what, numbers, mut confidence) = is_selective(context, id, node)?;
    let share = context.use_of(id).own_share;
    let wrapped = condition::wrapped_column(node, filter).filter(|it| it.rest.is_some());
    let kept = wrapped.as_ref().and_then(|wrapped| Kept::of(node, wrapped));
    // The rest of the condition keeps about every row: what is to be said is said of the expression.
    if wrapped.as_ref().is_some_and(|it| !it.immutable)
        && kept.as_ref().is_some_and(|kept| kept.by_rest > KEPT_BY_FILTER)
    {
        return None;
    }
    let rest =
        wrapped.as_ref().filter(|_| kept.as_ref().is_some_and(Kept::is_by_rest)).and_then(|it| it.rest.as_deref());
    let Suggestion { mut advice, sql, is_of_constants } = index_for(node, rest.unwrap_or(filter), &[]);
    if is_of_constants {
        confidence = confidence.min(Confidence::Medium);
    }
    // What the index leaves to the filter may be what keeps few.
    if sql.iter().any(|sql| !sql.contains("USING gin")) && leaves_search(node, filter) {
        confidence = Confidence::Low;
    }
    if let Some(parameter) = super::parameter(context.plan, filter) {
        confidence = confidence.min(Confidence::Medium);
        let _ = write!(
            advice,
            " The plan is a generic one, made without the value of {parameter}: where such an index exists already, SET plan_cache_mode = \
             force_custom_plan lets the planner see the value."
        );
    }
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

/// The shares of the rows that the parts of a filter keep, one of which asks an expression that the planner has no statistics of.
struct Kept {
    by_expression: f64,
    by_rest: f64,
}

impl Kept {
    /// What the planner expects is its guess for the expression (DEFAULT_EQ_SEL, DEFAULT_INEQ_SEL; selfuncs.h) times what it knows of the
    /// rest; what was kept is told.
    fn of(node: &Node, wrapped: &Wrapped) -> Option<Kept> {
        const EQUAL: f64 = 0.005;
        const RANGE: f64 = 1.0 / 3.0;
        let (read, actual) = (node.rows_before_filter()?, node.actual?);
        let guess = if wrapped.is_range { RANGE } else { EQUAL };
        let by_rest = (node.estimate?.rows / read.max(1.0) / guess).min(1.0);
        let by_expression = (actual.rows / read.max(1.0) / by_rest.max(f64::MIN_POSITIVE)).min(1.0);
        Some(Kept { by_expression, by_rest })
    }

    /// Whether the rest removes what is removed.
    fn is_by_rest(&self) -> bool {
        self.by_rest <= KEPT_BY_FILTER && self.by_expression > 0.5
    }
}

/// Whether a filter searches texts or documents besides, or asks for an expression, which an index on other columns does not serve.
fn leaves_search(node: &Node, filter: &str) -> bool {
    condition::atoms(node, filter).iter().any(|atom| matches!(atom.use_, Use::Pattern | Use::Contains))
        || condition::wrapped_column(node, filter).is_some_and(|wrapped| !wrapped.immutable)
}

/// Blocks that a scan read for each row that it found there, from which most of them hold none: a row that is wider than a quarter of a
/// block has its values moved out of it (TOAST).
const BLOCKS_OF_ROW: f64 = 1.2;

/// A table of many blocks and few rows.
fn bloated(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    const BLOCKS: f64 = 1024.0;
    let rows = node.rows_before_filter()? * node.loops();
    let blocks = context.use_of(id).own_buffers.accessed();
    if blocks < BLOCKS || blocks < BLOCKS_OF_ROW * rows.max(1.0) {
        return None;
    }
    let share = context.use_of(id).own_share;
    let table = node.qualified_relation()?;
    Some(Tip {
        kind: "bloated-table",
        node: Some(id),
        share,
        confidence: Confidence::High,
        message: format!(
            "{} of {} are read for {}, {} blocks for each: most of them hold no live row, {}",
            amount::blocks(blocks),
            subject(node),
            amount::counted(rows, "row", "rows"),
            amount::count(blocks / rows.max(1.0)),
            context.share_text(share)
        ),
        numbers: vec![("blocks", blocks), ("rows", rows)],
        advice: "VACUUM makes the room usable again, and says what holds it back: old transactions, replication slots, prepared transactions. It gives back only what is free at the end: VACUUM FULL writes the table anew and locks out reads and writes meanwhile, pg_repack does so without."
            .to_owned(),
        sql: vec![format!("VACUUM (VERBOSE) {table};"), format!("VACUUM (FULL, ANALYZE) {table};")],
    })
}

fn filter_behind_index(context: &Context, id: NodeId, node: &Node) -> Option<Tip> {
    let filter = node.condition(ConditionKind::Filter)?;
    let (removed, kept) = removed_and_kept(context, id, node)?;
    if removed < REMOVED_BEHIND_INDEX * kept.max(1.0) || removed < 1000.0 {
        return None;
    }
    let used = index_conditions(context.plan, id, node);
    let served: Vec<Atom> = used.iter().flat_map(|condition| condition::atoms(node, condition)).collect();
    let share = context.use_of(id).own_share;
    let Suggestion { advice, sql, is_of_constants } = index_for(node, filter, &served);
    let sure = if is_of_constants { Confidence::Medium } else { Confidence::High };
    let index = node.index.as_deref().map_or_else(|| "The index".to_owned(), |name| format!("The index {name}"));
    Some(Tip {
        kind: "filter-behind-index",
        node: Some(id),
        share,
        confidence: if sql.is_empty() { Confidence::Low } else { sure },
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
    let below = plan.below(id).filter(|below| plan.node(*below).is(KnownType::BitmapIndexScan));
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
    let wrapped = condition::wrapped_column(node, filter)?;
    // That no row can match is said of the scan.
    let mut numbers = condition::atoms(node, filter).into_iter().filter_map(|atom| atom.as_number);
    if numbers.any(|number| number.is_beyond_integers()) {
        return None;
    }
    if wrapped.rest.is_some() && Kept::of(node, &wrapped).is_some_and(|kept| kept.is_by_rest()) {
        return None;
    }
    let (what, numbers, confidence) = is_selective(context, id, node)?;
    let share = context.use_of(id).own_share;
    let (advice, sql) = instead_of_expression(node, &table, &wrapped);
    Some(Tip {
        kind: "column-in-expression",
        node: Some(id),
        share,
        confidence: confidence.min(Confidence::Medium),
        message: format!(
            "The condition on {} {what} of {}, {}",
            wrapped.expression,
            subject(node),
            context.share_text(share)
        ),
        numbers,
        advice,
        sql,
    })
}

fn instead_of_expression(node: &Node, table: &str, wrapped: &Wrapped) -> (String, Vec<String>) {
    let (expression, column) = (&wrapped.expression, &wrapped.column);
    let first = format!("An index on {column} cannot serve {expression}.");
    match wrapped.way {
        Way::RangeOfTime => (
            format!(
                "{first} Write the condition as a range: {column} >= the first moment AND {column} < the moment after the last (for a day, \
                 {column} >= day AND {column} < day + 1), which an index on {column} serves. The expression itself can be indexed only if \
                 {column} is a timestamp without time zone: else it depends on the session's time zone, and the server refuses it."
            ),
            Vec::new(),
        ),
        Way::PartOfTime => (
            format!(
                "{first} No range says the same. The server takes an index on ({expression}) if {column} is a date or a timestamp without time zone: of one \
                 with time zone it depends on the session's, unless the expression says AT TIME ZONE."
            ),
            Vec::new(),
        ),
        Way::OwnType if !wrapped.immutable => (
            format!(
                "{first} Compare {column} with a value of its own type: cast the value, not the column, or have the driver send it in the \
                 column's type."
            ),
            Vec::new(),
        ),
        Way::Moved => (
            format!(
                "{first} Move what is added to it to the other side, so that {column} stands alone: an index on {column} serves that."
            ),
            Vec::new(),
        ),
        _ if !wrapped.immutable => (
            format!(
                "{first} An expression can be indexed only if it is IMMUTABLE, which the plan does not tell of this one."
            ),
            Vec::new(),
        ),
        _ => {
            let sql = super::create_index(node, &format!("(({expression}))"));
            let sql = sql.map_or_else(Vec::new, |index| vec![index, format!("ANALYZE {table};")]);
            let cast = matches!(wrapped.way, Way::OwnType | Way::Expression) && is_cast(expression);
            let first = if cast {
                format!(
                    "{first} Compare {column} with a value of its own type: cast the value, not the column. Where the cast is meant, index the expression,"
                )
            } else {
                format!("{first} Index the expression,")
            };
            (
                format!(
                    "{first} and ANALYZE the table afterwards so that the planner knows its values.{} {PROVE}",
                    super::on_partitions(node)
                ),
                sql,
            )
        }
    }
}

/// Whether an expression as a whole is a cast of a column: those inside of a call are the server's own.
fn is_cast(expression: &str) -> bool {
    let Some(at) = expression.rfind("::") else { return false };
    let before = &expression[..at];
    before.matches('(').count() == before.matches(')').count() && !expression.contains("->")
}
