//! What counters and sizes say of indexes: those that nobody reads, those that are mostly air.

use super::ask::keys;
use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::facts::{ColumnFacts, IndexFacts};
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Index, Relation};
use crate::text::numbers;

pub static UNUSED: Rule = Rule {
    name: "unused-index",
    category: Category::Indexes,
    severity: Severity::Warning,
    summary: "An index has not been read since the counters were reset",
    explanation: "It takes room, slows every write and keeps updates from being heap-only. Reported from 10 MB on, after at least 7 days of counting; indexes of keys and \
        constraints, unique ones, replica identities and those that a foreign key's checks need are never reported. A report at the end of a quarter may be its only \
        reader, and replicas count for themselves: ask each of them first. From 1 GB on it is a warning.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\nCREATE INDEX orders_note ON orders (note);\n\
            -- measured: table public.orders rows=40000000 bytes=8000000000\n-- measured: index public.orders_note bytes=2100000000 scans=0",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\nCREATE INDEX orders_note ON orders (note);\n\
            -- measured: table public.orders rows=40000000 bytes=8000000000\n-- measured: index public.orders_note bytes=2100000000 scans=7100",
    },
};

pub static BLOATED: Rule = Rule {
    name: "bloated-index",
    category: Category::Indexes,
    severity: Severity::Warning,
    summary: "A btree index is more than twice as large as its entries need",
    explanation: "Estimated from the number of rows and the width of the columns, with the fill factor; equal keys are stored once since 13, so the estimate errs on the side of \
        silence. Reported from 10 MB of waste on, a warning from 100 MB on. REINDEX CONCURRENTLY builds a new one while others work. If it is back after some weeks, \
        long transactions or too rare a vacuum are the cause.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE orders (id bigint PRIMARY KEY, at timestamptz NOT NULL);\nCREATE INDEX orders_at ON orders (at);\n\
            -- measured: table public.orders rows=1000000 bytes=80000000\n-- measured: column public.orders.at width=8 distinct=-1\n\
            -- measured: index public.orders_at bytes=180000000 scans=7100",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE orders (id bigint PRIMARY KEY, at timestamptz NOT NULL);\nCREATE INDEX orders_at ON orders (at);\n\
            -- measured: table public.orders rows=1000000 bytes=80000000\n-- measured: column public.orders.at width=8 distinct=-1\n\
            -- measured: index public.orders_at bytes=24000000 scans=7100",
    },
};

/// Seconds: what runs once a week has run.
pub(crate) const WEEK: f64 = 7.0 * 86_400.0;

pub(super) fn unused(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let Some(facts) = context.facts else { return };
    let Some(seconds) = facts.counting_seconds().filter(|seconds| *seconds >= WEEK) else { return };
    let replicas = facts.activity.replicas.unwrap_or(0);
    for table in context.tables() {
        for (relation, _) in context.indexes(table).filter(|(it, index)| is_unused(context, table, it, index)) {
            let Some(bytes) = context.index_facts(relation).and_then(|measured| measured.bytes) else { continue };
            let elsewhere = match (replicas, facts.server.in_recovery) {
                (_, true) => "; these are the counters of a replica".to_owned(),
                (0, _) => String::new(),
                (number, _) => format!("; {number} replicas count for themselves and were not asked"),
            };
            let sure = replicas == 0 && !facts.server.in_recovery;
            found.push(
                context
                    .discovery(&UNUSED, Subject::Relation(relation.id), format!("{} of {} was not read once in {}", relation.name.name, table.name, numbers::duration(seconds)))
                    .severity(if sure && bytes >= 1_000_000_000 { Severity::Warning } else { Severity::Info })
                    .confidence(if sure && seconds >= 4.0 * WEEK { Confidence::High } else { Confidence::Medium })
                    .measured(format!("0 scans in {} of counting, {}{elsewhere}", numbers::duration(seconds), numbers::bytes(bytes)))
                    .advice(
                        "Ask every replica for its counters first. Then drop it while others work; its definition brings it back:",
                        vec![FixStep::none(format!("DROP INDEX CONCURRENTLY {};", relation.name))],
                    ),
            );
        }
    }
}

/// Whether `unused-index` tells of it.
pub fn is_unused(context: &SchemaContext, table: &Relation, relation: &Relation, index: &Index) -> bool {
    let Some(measured) = context.index_facts(relation) else { return false };
    let counted = context.facts.and_then(|facts| facts.counting_seconds()).is_some_and(|seconds| seconds >= WEEK);
    counted
        && measured.scans == Some(0)
        && measured.bytes.is_some_and(|bytes| bytes >= 10_000_000)
        && may_go(index, measured)
        && !serves_foreign_key(context, table, relation, index)
        && !repeats_another(context, table, relation, index)
}

fn may_go(index: &Index, measured: &IndexFacts) -> bool {
    !index.unique
        && !index.primary
        && index.constraint.is_none()
        && !index.partitioned
        && measured.parent.is_none()
        && !measured.constraint
        && !measured.replica_identity
        && index.valid
}

/// The only index that finds a foreign key's rows.
fn serves_foreign_key(context: &SchemaContext, table: &Relation, relation: &Relation, index: &Index) -> bool {
    table.foreign_keys().any(|(_, key)| {
        keys::finds(index, &key.columns)
            && !context.indexes(table).any(|(other, of)| other.id != relation.id && keys::finds(of, &key.columns))
    })
}

/// Told as a duplicate already.
fn repeats_another(context: &SchemaContext, table: &Relation, relation: &Relation, index: &Index) -> bool {
    context.indexes(table).any(|(other, of)| {
        other.id != relation.id
            && of.valid
            && of.columns == index.columns
            && of.predicate == index.predicate
            && of.elements.len() == index.elements.len()
            && index.columns.iter().all(Option::is_some)
    })
}

pub(super) fn bloated(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.tables() {
        for (relation, index) in
            context.indexes(table).filter(|(_, index)| index.method == "btree" && index.valid && !index.partitioned)
        {
            let Some(measured) = context.index_facts(relation) else { continue };
            let Some(bytes) = measured.bytes else { continue };
            let Some(needed) = needed_bytes(context, table, relation, index, measured) else { continue };
            let wasted = bytes.saturating_sub(needed);
            if wasted < 10_000_000 || wasted * 2 <= bytes {
                continue;
            }
            found.push(
                context
                    .discovery(
                        &BLOATED,
                        Subject::Relation(relation.id),
                        format!(
                            "{} of {} takes {} and needs about {}",
                            relation.name.name,
                            table.name,
                            numbers::bytes(bytes),
                            numbers::bytes(needed)
                        ),
                    )
                    .severity(if wasted >= 100_000_000 { Severity::Warning } else { Severity::Info })
                    .confidence(Confidence::Medium)
                    .measured(format!(
                        "about {} of {} are not used, by the number of entries and the width of their columns",
                        numbers::bytes(wasted),
                        numbers::bytes(bytes)
                    ))
                    .advice(
                        "Build it anew while others work; for that time there is room needed for both:",
                        vec![FixStep::none(format!("REINDEX INDEX CONCURRENTLY {};", relation.name))],
                    ),
            );
        }
    }
}

/// Bytes of a btree at its fill factor, without what deduplication saves. An entry has a line pointer (4), a header (8) and its
/// columns, aligned to 8 (nbtree.h, itup.h).
fn needed_bytes(
    context: &SchemaContext,
    table: &Relation,
    relation: &Relation,
    index: &Index,
    measured: &IndexFacts,
) -> Option<u64> {
    let rows =
        if index.predicate.is_some() { measured.rows? } else { measured.rows.or_else(|| context.rows(table))? };
    let live = if index.predicate.is_some() { rows } else { rows.max(context.rows(table)?) };
    let of_column = |id: &crate::schema::ColumnId| {
        let column = table.column_by_id(*id)?;
        Some(width(context.column_facts(table, column)?))
    };
    let mut expressions = measured.columns.values();
    let mut bytes = 0.0;
    for column in &index.columns {
        bytes += match column {
            Some(id) => of_column(id)?,
            None => width(expressions.next()?),
        };
    }
    for id in &index.include {
        bytes += of_column(id)?;
    }
    let fill =
        relation.options.get("fillfactor").and_then(|value| value.as_deref()?.parse::<f64>().ok()).unwrap_or(90.0)
            / 100.0;
    let entry = 4.0 + 8.0 + (bytes / 8.0).ceil() * 8.0;
    Some((live * entry / fill * 1.01) as u64 + 8192 * 2)
}

fn width(facts: &ColumnFacts) -> f64 {
    f64::from(facts.average_width.max(0)) * (1.0 - f64::from(facts.null_fraction))
}
