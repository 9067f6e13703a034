//! Tables that are mostly air.

use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::facts::RelationFacts;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, Relation, RelationKind};
use crate::text::numbers;

pub static RULE: Rule = Rule {
    name: "bloated-table",
    category: Category::Operations,
    severity: Severity::Warning,
    summary: "More than half of a table's pages hold nothing",
    explanation: "Estimated from the rows, living and dead, and the width of the columns in the statistics, with alignment and fill factor; TOAST is left out. Reported from 100 MB of free space on, \
        a warning from 1 GB on. Vacuum makes the room of dead rows usable, and gives nothing back to the disk but empty pages at the end: what a large DELETE or a long transaction left stays, \
        every sequential scan reads it, and the cache holds it. New rows fill it again; where none will come, the table has to be written anew. \
        Dead rows that vacuum has not removed yet are another matter (autovacuum-behind).",
    fires: Example {
        given: "",
        migration: "CREATE TABLE carts (id bigint PRIMARY KEY, customer_id bigint NOT NULL, changed_at timestamptz NOT NULL);\n\
            -- measured: table public.carts rows=1000000 bytes=600000000\n-- measured: column public.carts.id width=8 distinct=-1\n\
            -- measured: column public.carts.customer_id width=8 distinct=-0.2\n-- measured: column public.carts.changed_at width=8 distinct=-1",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE carts (id bigint PRIMARY KEY, customer_id bigint NOT NULL, changed_at timestamptz NOT NULL);\n\
            -- measured: table public.carts rows=9000000 bytes=600000000\n-- measured: column public.carts.id width=8 distinct=-1\n\
            -- measured: column public.carts.customer_id width=8 distinct=-0.2\n-- measured: column public.carts.changed_at width=8 distinct=-1",
    },
};

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let tables = context.schema.relations.values().map(|relation| &**relation);
    for table in tables.filter(|table| matches!(table.kind, RelationKind::Table) && table.known) {
        let Some(facts) = context.table_facts(table).filter(|facts| !facts.bytes_estimated) else { continue };
        let (Some(bytes), Some(needed)) = (facts.heap_bytes, needed_bytes(context, table, facts)) else { continue };
        let air = bytes.saturating_sub(needed);
        if air < 100_000_000 || air * 2 <= bytes {
            continue;
        }
        let dead = facts.activity.as_ref().map_or(0, |activity| activity.dead_rows);
        found.push(
            context
                .discovery(
                    &RULE,
                    Subject::Relation(table.id),
                    format!(
                        "{} takes {}, and its rows need about {}",
                        table.name,
                        numbers::bytes(bytes),
                        numbers::bytes(needed)
                    ),
                )
                .severity(if air >= 1_000_000_000 { Severity::Warning } else { Severity::Info })
                .confidence(Confidence::Medium)
                .measured(format!(
                    "{} rows and {} dead ones, by the width of their columns; TOAST is left out",
                    numbers::count(facts.row_estimate().unwrap_or(0.0)),
                    numbers::count(dead as f64)
                ))
                .advice(
                    "New rows fill it again. If none will come, write it anew: pg_repack does that while others work, and \
                     VACUUM FULL keeps everybody out until it is done:",
                    vec![FixStep::none(format!("VACUUM (FULL, ANALYZE) {};", table.name))],
                ),
        );
    }
}

/// Line pointer of a row (bufpage.h), its header (htup_details.h), and what a page keeps for itself.
const POINTER: f64 = 4.0;
const HEADER: f64 = 23.0;
const PAGE_HEADER: f64 = 24.0;

/// Bytes of the pages that the rows fill at the fill factor. `None` where a column has no statistics, or they are old.
fn needed_bytes(context: &SchemaContext, table: &Relation, facts: &RelationFacts) -> Option<u64> {
    let activity = facts.activity.as_ref()?;
    let analyzed = facts.rows.filter(|rows| *rows >= 1.0)?;
    if facts.modified_since_analyze() as f64 > analyzed * 0.5 {
        return None;
    }
    let rows = facts.row_estimate()?.max(activity.live_rows as f64) + activity.dead_rows as f64;
    let columns = table.columns.iter().filter(|column| column.generated.as_ref().is_none_or(|it| it.stored));
    let (mut width, mut has_nulls) = (0.0_f64, false);
    for column in columns {
        let statistics = context.column_facts(table, column)?;
        let filled = 1.0 - f64::from(statistics.null_fraction);
        has_nulls |= filled < 1.0;
        let padded = (width / alignment(context, column)).ceil() * alignment(context, column);
        width = padded + f64::from(statistics.average_width.max(0)) * filled;
    }
    let bitmap = if has_nulls { (table.columns.len() as f64 / 8.0).ceil() } else { 0.0 };
    let aligned = |bytes: f64| (bytes / 8.0).ceil() * 8.0;
    let row = POINTER + aligned(HEADER + bitmap) + aligned(width);
    let fill = table.options.get("fillfactor").and_then(|value| value.as_deref()?.parse::<f64>().ok()).unwrap_or(100.0);
    let page = f64::from(context.facts?.server.block_size.max(1024));
    let page = if context.facts?.server.block_size == 0 { 8192.0 } else { page };
    let per_page = ((page - PAGE_HEADER) * fill / 100.0 / row).floor().max(1.0);
    Some(((rows / per_page).ceil() * page) as u64)
}

/// Of a value that is not NULL (`typalign`): short text has none.
fn alignment<'a>(context: &SchemaContext<'a>, column: &'a Column) -> f64 {
    match context.type_name(column) {
        Some("int8" | "float8" | "timestamp" | "timestamptz" | "time" | "timetz" | "interval" | "money") => 8.0,
        Some(
            "bool" | "char" | "uuid" | "name" | "text" | "varchar" | "bpchar" | "citext" | "bytea" | "jsonb" | "json"
            | "numeric",
        ) => 1.0,
        Some("int2") => 2.0,
        _ => 4.0,
    }
}
