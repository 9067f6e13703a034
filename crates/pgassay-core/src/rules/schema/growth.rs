//! What ends, or gets slow, as rows come: keys that run out, random keys, wide rows.

use super::ask::{keys, type_change};
use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::facts::{Facts, SequenceFacts};
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, Relation, RelationKind};
use crate::text::numbers;

pub static KEY: Rule = Rule {
    name: "key-runs-out",
    category: Category::Keys,
    severity: Severity::Error,
    summary: "A sequence, or the integer column that it numbers, nears its last number",
    explanation: "At the last number every INSERT fails, and the way out, a wider column, is slow on a large table: start while there is time. A warning from half of the numbers on, \
        an error from three quarters, or if at the measured rate there are fewer than 90 days left; what lasts two years more is a warning at most, what lasts ten an info. Columns that reference the key have to grow with it.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE events (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL);\n\
            -- measured: table public.events rows=1700000000 bytes=90000000000 inserts=60000000\n-- measured: sequence public.events_id_seq last=1720000000 max=2147483647",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL);\n\
            -- measured: table public.events rows=1700000000 bytes=90000000000 inserts=60000000\n-- measured: sequence public.events_id_seq last=1720000000 max=9223372036854775807",
    },
};

pub static RANDOM: Rule = Rule {
    name: "random-uuid-key",
    category: Category::Keys,
    severity: Severity::Info,
    summary: "A large table's primary key is a random UUID",
    explanation: "New rows go to random pages of the index: all of it has to stay in memory, and after every checkpoint a full page is written to the WAL for nearly every row. \
        UUIDs that begin with the time (version 7, in the server from 18 on, or made by the application) go to the end, as numbers do. Reported from a million rows and 100 MB of index on.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE events (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz NOT NULL);\n\
            -- measured: table public.events rows=90000000 bytes=9000000000\n-- measured: index public.events_pkey bytes=3500000000 scans=120000",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE events (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz NOT NULL);\n\
            -- measured: table public.events rows=9000 bytes=900000\n-- measured: index public.events_pkey bytes=350000 scans=120000",
    },
};

pub static WIDE: Rule = Rule {
    name: "wide-rows",
    category: Category::Types,
    severity: Severity::Info,
    summary: "Rows are so wide that a page holds few of them",
    explanation: "Whatever reads some columns of many rows reads all the others along, and every UPDATE writes the whole row anew. Columns that are wide, and not needed where the others are, \
        belong into a table of their own; wide values that compress badly are moved out by SET STORAGE EXTERNAL. Reported from 1 kB a row in the main part of the table and 100,000 rows on.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE pages (id bigint PRIMARY KEY, title text NOT NULL, html text NOT NULL);\n\
            -- measured: table public.pages rows=2000000 bytes=3400000000\n-- measured: column public.pages.html width=1500 distinct=-1\n-- measured: column public.pages.title width=60 distinct=-1",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE pages (id bigint PRIMARY KEY, title text NOT NULL, html text NOT NULL);\n\
            -- measured: table public.pages rows=2000000 bytes=340000000\n-- measured: column public.pages.html width=100 distinct=-1\n-- measured: column public.pages.title width=60 distinct=-1",
    },
};

pub(super) fn runs_out(context: &SchemaContext, found: &mut Vec<Discovery>) {
    super::key_range::without_sequence(context, &KEY, found);
    let Some(facts) = context.facts else { return };
    for relation in context.schema.relations.values() {
        let RelationKind::Sequence(sequence) = &relation.kind else { continue };
        let Some(measured) = facts.sequences.get(&relation.name) else { continue };
        if sequence.cycle || measured.cycle || measured.increment <= 0 {
            continue;
        }
        let owner = sequence
            .owned_by
            .and_then(|(table, column)| Some((&**context.schema.relation(table)?, column)))
            .and_then(|(table, column)| Some((table, table.column_by_id(column)?)))
            .or_else(|| only(keys::numbered_by(context, relation)));
        if let Some(discovery) = judge_sequence(context, facts, relation, measured, owner) {
            found.push(discovery);
        }
    }
}

/// The column that a sequence numbers, if it numbers one alone.
fn only<'a>(columns: Vec<(&'a Relation, &'a Column)>) -> Option<(&'a Relation, &'a Column)> {
    columns.first().copied().filter(|_| columns.len() == 1)
}

fn judge_sequence(
    context: &SchemaContext,
    facts: &Facts,
    sequence: &Relation,
    measured: &SequenceFacts,
    owner: Option<(&Relation, &Column)>,
) -> Option<Discovery> {
    let last = measured.last_value? as f64;
    let column_end = owner.and_then(|(_, column)| largest(&context.schema.base_type(&column.data_type).written.name));
    let end = (measured.max_value as f64).min(column_end.unwrap_or(f64::MAX));
    let used = last / end;
    if used < 0.5 {
        return None;
    }
    // Less than a day of counting shows a load of rows, not a rate.
    let counted = facts.counting_seconds().map(|seconds| seconds / 86_400.0).filter(|days| *days >= 1.0);
    let rate = owner.zip(counted).and_then(|((table, _), days)| {
        let inserts = context.table_facts(table)?.activity.as_ref()?.inserts as f64;
        Some(inserts / days)
    });
    let days = rate.filter(|rate| *rate > 0.0).map(|rate| (end - last) / measured.increment as f64 / rate);
    let severity = match days {
        Some(days) if days < 90.0 => Severity::Error,
        Some(days) if days > 3650.0 => Severity::Info,
        Some(days) if days > 730.0 => Severity::Warning,
        _ if used >= 0.75 => Severity::Error,
        _ => Severity::Warning,
    };
    let when = days.map(|days| {
        let at = crate::facts::Timestamp(facts.server.read_at.0 + days.min(200_000.0) * 86_400.0).to_string();
        format!("; at the present rate the last one goes on {}", at.split(' ').next().unwrap_or_default())
    });
    let when = when.unwrap_or_default();
    let (subject, what) = match owner {
        Some((table, column)) => (Subject::Column(table.id, column.id), format!("{}.{}", table.name, column.name)),
        None => (Subject::Relation(sequence.id), sequence.name.to_string()),
    };
    let (widen, steps) = widen(context, sequence, owner);
    let rate = match rate {
        Some(rate) => format!(", {} rows a day", numbers::count(rate)),
        None if owner.is_some() => "; rows are not counted for long enough to say until when that lasts".to_owned(),
        None => String::new(),
    };
    Some(
        context
            .discovery(&KEY, subject, format!("{what} has used {} of its numbers{when}", numbers::percent(used)))
            .severity(severity)
            .measured(format!("{} of {}{rate}", numbers::count(last), numbers::count(end)))
            .advice(widen, steps),
    )
}

fn widen(context: &SchemaContext, sequence: &Relation, owner: Option<(&Relation, &Column)>) -> (String, Vec<FixStep>) {
    let referencing = owner.map(|(table, column)| references(context, table, column)).unwrap_or_default();
    match owner {
        Some((table, column)) => {
            let change = type_change::advice(context, table, column, "bigint").unwrap_or_default();
            (
                format!(
                    "Give {} the type bigint, and so what references it. {}{referencing}",
                    column.name, change.text
                ),
                change.steps,
            )
        }
        None => (
            "Raise its MAXVALUE, or give it a wider type; that takes an instant:".to_owned(),
            vec![FixStep::own(format!("ALTER SEQUENCE {} AS bigint NO MAXVALUE;", sequence.name))],
        ),
    }
}

/// The largest number of an integer type.
fn largest(name: &crate::change::Name) -> Option<f64> {
    match name.as_str() {
        "int2" | "serial2" => Some(f64::from(i16::MAX)),
        "int4" | "serial4" => Some(f64::from(i32::MAX)),
        "int8" | "serial8" => Some(i64::MAX as f64),
        _ => None,
    }
}

fn references(context: &SchemaContext, table: &Relation, column: &Column) -> String {
    let mut names: Vec<String> = context
        .schema
        .foreign_keys_to(table.id)
        .filter_map(|(from, constraint)| {
            let crate::schema::ConstraintKind::ForeignKey(key) = &constraint.kind else { return None };
            let at = key.referenced_columns.iter().position(|id| *id == column.id)?;
            let from = context.schema.relation(from)?;
            Some(format!("{}.{}", from.name, context.column_name(from, *key.columns.get(at)?)))
        })
        .collect();
    names.sort();
    match names.len() {
        0 => String::new(),
        _ => format!(" What references it: {}.", names.join(", ")),
    }
}

pub(super) fn random_keys(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.tables() {
        let [id] = keys::primary_key(table) else { continue };
        let Some(column) = table.column_by_id(*id).filter(|column| context.type_name(column) == Some("uuid")) else {
            continue;
        };
        let random = column.default.as_ref().is_some_and(|default| {
            let text = default.text.to_ascii_lowercase();
            text.contains("gen_random_uuid") || text.contains("uuid_generate_v4")
        });
        let Some(rows) = context.rows(table).filter(|rows| random && *rows >= 1_000_000.0) else { continue };
        let index = table.primary_key().and_then(|key| context.schema.relation(key.kind.index()?));
        let Some(bytes) =
            index.and_then(|index| context.index_facts(index)?.bytes).filter(|bytes| *bytes >= 100_000_000)
        else {
            continue;
        };
        let default = column.default.as_ref().map(|default| default.text.to_string()).unwrap_or_default();
        let next = if context.version.at_least(18) {
            vec![crate::finding::FixStep::own(format!(
                "ALTER TABLE {} ALTER COLUMN {} SET DEFAULT uuidv7();",
                table.name, column.name
            ))]
        } else {
            Vec::new()
        };
        found.push(
            context
                .discovery(
                    &RANDOM,
                    Subject::Column(table.id, column.id),
                    format!(
                        "{}.{} is random: new rows go to random pages of an index of {}",
                        table.name,
                        column.name,
                        numbers::bytes(bytes)
                    ),
                )
                .confidence(Confidence::High)
                .declared(format!("DEFAULT {default}"))
                .measured(format!("{} rows; the key's index takes {}", numbers::count(rows), numbers::bytes(bytes)))
                .advice("Let new keys begin with the time (UUID version 7): old ones stay as they are.", next),
        );
    }
}

pub(super) fn wide(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.tables() {
        let Some(facts) = context.table_facts(table) else { continue };
        let (Some(rows), Some(bytes)) = (facts.row_estimate(), facts.heap_bytes) else { continue };
        let mut widths: Vec<(f64, &Column)> = table
            .columns
            .iter()
            .filter_map(|column| {
                let facts = context.column_facts(table, column)?;
                Some((f64::from(facts.average_width) * (1.0 - f64::from(facts.null_fraction)), column))
            })
            .collect();
        let row: f64 = widths.iter().map(|(width, _)| width).sum();
        // Air between the rows is not width.
        if rows < 100_000.0 || (bytes as f64 / rows) < 1000.0 || row < 1000.0 {
            continue;
        }
        widths.sort_by(|one, other| other.0.total_cmp(&one.0));
        let widest: Vec<String> = widths
            .iter()
            .take(3)
            .filter(|(width, _)| *width >= 100.0)
            .map(|(width, column)| format!("{} {}", column.name, numbers::bytes(*width as u64)))
            .collect();
        found.push(
            context
                .discovery(
                    &WIDE,
                    Subject::Relation(table.id),
                    format!(
                        "a row of {} takes {}, so a page holds {}",
                        table.name,
                        numbers::bytes(row as u64),
                        (8100.0 / row).floor().max(1.0)
                    ),
                )
                .measured(format!(
                    "{} rows in {}; the widest columns: {}",
                    numbers::count(rows),
                    numbers::bytes(bytes),
                    widest.join(", ")
                ))
                .advice(
                    "If the wide columns are rarely read with the others, move them into a table with the same key.",
                    Vec::new(),
                ),
        );
    }
}
