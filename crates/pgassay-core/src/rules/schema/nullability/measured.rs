//! Reasons that statistics give.

use super::{Reason, Remedy};
use crate::facts::{ColumnFacts, RelationFacts};
use crate::finding::{Confidence, Evidence, Severity};
use crate::rules::schema::SchemaContext;
use crate::rules::schema::ask::keys;
use crate::schema::{Column, Relation};
use crate::text::{numbers, words};

/// Rows that ANALYZE reads for every unit of the statistics target (`std_typanalyze`, analyze.c).
const ROWS_PER_TARGET: f64 = 300.0;

/// Fewer sampled rows than this prove nothing about what is rare.
const SMALLEST_SAMPLE: f64 = 10_000.0;

pub const NEVER_NULL: &str = "is never NULL";

pub fn reasons(context: &SchemaContext, table: &Relation, reasons: &mut Vec<Reason>) {
    let Some(facts) = context.table_facts(table) else { return };
    let Some(sample) = Sample::of(context, facts) else { return };
    for column in table.columns.iter().filter(|column| context.is_nullable(column)) {
        let Some(statistics) = context.column_facts(table, column) else { continue };
        let before = reasons.len();
        never_null(context, table, column, statistics, &sample, reasons);
        two_spellings(context, column, statistics, &sample, reasons);
        mostly_null(context, table, column, statistics, &sample, reasons);
        for reason in &mut reasons[before..] {
            // Statistics of a table that has changed since say less.
            if sample.stale {
                reason.confidence = reason.confidence.min(Confidence::Low);
            }
        }
    }
}

/// What the statistics of a table rest on.
struct Sample {
    rows: f64,
    /// Rows that ANALYZE looked at.
    size: f64,
    stale: bool,
    as_of: String,
}

impl Sample {
    /// None where the table was never analysed, or has changed by half since.
    fn of(context: &SchemaContext, facts: &RelationFacts) -> Option<Sample> {
        let rows = facts.rows.filter(|rows| *rows > 0.0)?;
        let target =
            context.facts?.setting("default_statistics_target").and_then(|setting| setting.number()).unwrap_or(100.0);
        let modified = facts.modified_since_analyze() as f64 / rows;
        let as_of = facts.analyzed_at().map(|at| format!(" as of {at}")).unwrap_or_default();
        (modified <= 0.5).then(|| Sample {
            rows,
            size: rows.min(target * ROWS_PER_TARGET),
            stale: modified > 0.1,
            as_of,
        })
    }

    fn evidence(&self, fact: String) -> Evidence {
        Evidence::measured(format!(
            "{fact} in a sample of {} of {} rows{}",
            numbers::count(self.size),
            numbers::count(self.rows),
            self.as_of
        ))
    }
}

fn never_null(
    context: &SchemaContext,
    table: &Relation,
    column: &Column,
    facts: &ColumnFacts,
    sample: &Sample,
    reasons: &mut Vec<Reason>,
) {
    if facts.null_fraction > 0.0 || sample.size < SMALLEST_SAMPLE || fills_later(column) {
        return;
    }
    // The last column may be too young to have seen a NULL.
    if table.columns.last().is_some_and(|last| last.id == column.id)
        && column.default.is_none()
        && sample.rows < 100_000.0
    {
        return;
    }
    let backed = column.default.is_some()
        || keys::is_foreign_key(table, column.id)
        || keys::unique_keys(context, table).any(|(_, index)| index.columns.contains(&Some(column.id)));
    let confidence = if backed && sample.size >= 30_000.0 { Confidence::High } else { Confidence::Medium };
    reasons.push(Reason {
        column: column.id,
        says: NEVER_NULL.to_owned(),
        evidence: sample.evidence(format!(
            "no NULL (so under {} of all rows, with 95 % certainty)",
            numbers::percent(3.0 / sample.size)
        )),
        severity: Severity::Info,
        confidence,
        remedy: Remedy::Require { fill: None },
    });
}

/// Columns whose value comes with a later event: no row being NULL today says nothing of tomorrow's.
fn fills_later(column: &Column) -> bool {
    words::ends_with_word(column.name.as_str(), &["at", "on", "until", "by"])
        || words::has_word(
            column.name.as_str(),
            &[
                "deleted",
                "ended",
                "parent",
                "approved",
                "cancelled",
                "canceled",
                "finished",
                "closed",
                "expires",
                "note",
                "notes",
                "comment",
            ],
        )
}

fn two_spellings(
    context: &SchemaContext,
    column: &Column,
    facts: &ColumnFacts,
    sample: &Sample,
    reasons: &mut Vec<Reason>,
) {
    let nulls = f64::from(facts.null_fraction);
    let text = context.is_text(column);
    let document = context.is_json(column) || column.data_type.written.array_dimensions > 0;
    for (value, share) in &facts.sentinels {
        let share = f64::from(*share);
        let empty = matches!(value.as_str(), "" | " " | "{}" | "[]");
        let least = if empty { 0.001 } else { 0.005 };
        let fits = if document { matches!(value.as_str(), "{}" | "[]") } else { text || !empty };
        // Zero is a number like any other, unless it takes the place of a reference.
        // A few rows are a slip of the hand.
        let rows = sample.rows;
        let few = (share * rows).min(nulls * rows) < 3.0;
        if few
            || share < least
            || nulls < least
            || !fits
            || value == "0" && !words::ends_with_word(column.name.as_str(), &["id"])
        {
            continue;
        }
        let strong = share >= 0.01 && nulls >= 0.01;
        let shown = if value.is_empty() { "''".to_owned() } else { format!("'{value}'") };
        reasons.push(Reason {
            column: column.id,
            says: format!(
                "says that there is nothing in two ways: {shown} in {} of the rows, NULL in {}",
                numbers::percent(share),
                numbers::percent(nulls)
            ),
            evidence: sample.evidence(format!("{shown} {}, NULL {}", numbers::percent(share), numbers::percent(nulls))),
            severity: if strong && value.trim().is_empty() { Severity::Warning } else { Severity::Info },
            confidence: if strong { Confidence::High } else { Confidence::Medium },
            remedy: if document {
                Remedy::Empty { value: literal(context, column, value) }
            } else {
                Remedy::OneSpelling { value: literal(context, column, value) }
            },
        });
        return;
    }
}

fn literal(context: &SchemaContext, column: &Column, value: &str) -> String {
    match context.type_name(column) {
        Some("int2" | "int4" | "int8" | "numeric" | "float4" | "float8") => value.to_owned(),
        _ => crate::text::quoting::literal(value),
    }
}

fn mostly_null(
    context: &SchemaContext,
    table: &Relation,
    column: &Column,
    facts: &ColumnFacts,
    sample: &Sample,
    reasons: &mut Vec<Reason>,
) {
    // Nearly no row has it: a mark of deletion is meant to be so.
    if facts.null_fraction < 0.99
        || sample.rows < 100_000.0
        || fills_later(column)
        || keys::is_foreign_key(table, column.id)
    {
        return;
    }
    let indexed = context.indexes(table).any(|(_, index)| index.uses_column(column.id));
    if indexed {
        return;
    }
    reasons.push(Reason {
        column: column.id,
        says: format!(
            "is NULL in {} of the rows",
            if facts.null_fraction >= 1.0 {
                "all".to_owned()
            } else {
                numbers::percent(f64::from(facts.null_fraction))
            }
        ),
        evidence: sample.evidence(format!("NULL {}", numbers::percent(f64::from(facts.null_fraction)))),
        severity: Severity::Info,
        confidence: Confidence::Low,
        remedy: Remedy::MoveAway,
    });
}
