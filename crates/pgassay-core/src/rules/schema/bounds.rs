//! What a trade takes for granted of its values, and no CHECK says: a percentage is up to 100, an end comes after its beginning, two
//! bookings of one thing do not overlap.

use super::ask::{keys, steps};
use super::{Discovery, SchemaContext, bookings};
use crate::contract::Subject;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, ConstraintKind, Relation};
use crate::text::words;

pub static RULE: Rule = Rule {
    name: "missing-bounds",
    category: Category::Keys,
    severity: Severity::Info,
    summary: "A percentage has no bounds, a range may end before it starts, or bookings of one thing may overlap",
    explanation: "percent_off = 500 makes a price negative, an end before its beginning makes a duration negative and is found by no query for what is open today, and two bookings of one room at one time are two angry guests: \
        the application checks that until two requests come at once. A CHECK on a percentage and on each pair of beginning and end costs nothing; overlaps are what EXCLUDE USING gist is for (btree_gist, or WITHOUT OVERLAPS from 18 on). \
        Recognised by the names of the columns; the first step counts the rows that break the rule.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE promo_codes (id bigint PRIMARY KEY, code text NOT NULL UNIQUE, percent_off integer NOT NULL);",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE promo_codes (id bigint PRIMARY KEY, code text NOT NULL UNIQUE, percent_off integer NOT NULL CHECK (percent_off BETWEEN 0 AND 100));",
    },
};

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.tables() {
        for column in table.columns.iter().filter(|column| column.local) {
            found.extend(percentage(context, table, column));
        }
        let pairs = ranges(context, table);
        for (start, end) in &pairs {
            found.extend(backwards(context, table, start, end));
        }
        found.extend(bookings::overlap(context, table, &pairs));
    }
}

fn percentage(context: &SchemaContext, table: &Relation, column: &Column) -> Option<Discovery> {
    let number = matches!(context.type_name(column), Some("int2" | "int4" | "int8" | "numeric" | "float4" | "float8"));
    let words = words::words(column.name.as_str());
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    // A change may be of any size and sign; so may a share of something that grows.
    let is_change = has(&[
        "change", "growth", "increase", "delta", "diff", "trend", "return", "yield", "variance", "markup", "gain",
        "roi", "yoy",
    ]);
    if !number || !has(&["percent", "percentage", "pct"]) || is_change || keys::has_check(context, table, column.id) {
        return None;
    }
    // Somebody stores more than a whole: it is no share.
    if super::key_range::largest(context, table, column).is_some_and(|largest| largest > 100) {
        return None;
    }
    let condition = format!("{} BETWEEN 0 AND 100", column.name);
    Some(
        context
            .discovery(
                &RULE,
                Subject::Column(table.id, column.id),
                format!(
                    "{}.{} is a percentage without bounds: no CHECK keeps it from 0 to 100",
                    table.name, column.name
                ),
            )
            .confidence(Confidence::Medium)
            .declared(format!("type {}, and no CHECK; what it is is read from its name", column.data_type.written))
            .advice(
                "If more than a whole cannot be meant, say so:",
                guarded(context, table, column.name.as_str(), "range", &condition),
            ),
    )
}

/// Counts what breaks the condition, then adds it.
fn guarded(context: &SchemaContext, table: &Relation, part: &str, label: &str, condition: &str) -> Vec<FixStep> {
    let mut steps = vec![FixStep::any(format!("SELECT count(*) FROM {} WHERE NOT ({condition});", table.name))];
    steps.extend(steps::check_constraint(context, table, &format!("{part}_{label}"), condition));
    steps
}

const PAIRS: &[(&str, &str)] = &[
    ("start", "end"),
    ("starts", "ends"),
    ("started", "ended"),
    ("start", "stop"),
    ("begin", "end"),
    ("begins", "ends"),
    ("from", "to"),
    ("from", "until"),
    ("valid", "until"),
    ("check", "check"),
    ("checkin", "checkout"),
    ("arrival", "departure"),
    ("departs", "arrives"),
    ("opens", "closes"),
    ("opened", "closed"),
    ("picked", "dropped"),
    ("pickup", "dropoff"),
    ("departure", "arrival"),
    ("min", "max"),
    ("arrives", "leaves"),
    ("arrives", "departs"),
    ("arrived", "left"),
    ("arrival", "leaving"),
    ("starts", "finishes"),
    ("start", "finish"),
    ("started", "finished"),
    ("since", "until"),
    ("from", "through"),
    ("from", "thru"),
    ("issued", "expires"),
    ("born", "died"),
    ("birth", "death"),
    ("joined", "left"),
    ("hired", "left"),
    ("installed", "removed"),
    ("admitted", "discharged"),
    ("entered", "left"),
    ("entered", "exited"),
    ("enrolled", "withdrawn"),
    ("borrowed", "returned"),
    ("launched", "retired"),
];

/// Pairs of a beginning and an end of one type: starts_at and ends_at, valid_from and valid_to.
fn ranges<'t>(context: &SchemaContext<'t>, table: &'t Relation) -> Vec<(&'t Column, &'t Column)> {
    let is_time =
        |column: &&Column| matches!(context.type_name(column), Some("timestamptz" | "timestamp" | "date" | "time"));
    let columns: Vec<&Column> = table.columns.iter().filter(is_time).collect();
    let mut found: Vec<(&Column, &Column)> = Vec::new();
    for start in &columns {
        let words = words::words(start.name.as_str());
        let end = columns.iter().find(|end| {
            end.id != start.id
                && end.data_type.written == start.data_type.written
                && (is_pair(&words, &words::words(end.name.as_str()))
                    || is_joined_pair(start.name.as_str(), end.name.as_str()))
        });
        if let Some(end) = end.filter(|end| !found.iter().any(|(_, known)| known.id == end.id)) {
            found.push((start, end));
        }
    }
    found
}

/// The names are the same but for one word that says beginning in one and end in the other.
fn is_pair(start: &[String], end: &[String]) -> bool {
    if start.len() != end.len() {
        return false;
    }
    let differ: Vec<(&str, &str)> = start
        .iter()
        .zip(end)
        .filter(|(one, other)| one != other)
        .map(|(one, other)| (one.as_str(), other.as_str()))
        .collect();
    matches!(differ[..], [pair] if PAIRS.contains(&pair) || pair == ("in", "out"))
}

/// The same without separators: `letfrom` and `letto`.
fn is_joined_pair(start: &str, end: &str) -> bool {
    const ENDINGS: &[(&str, &str)] =
        &[("from", "to"), ("from", "until"), ("from", "till"), ("start", "end"), ("begin", "end")];
    ENDINGS.iter().any(|(first, last)| match (start.strip_suffix(first), end.strip_suffix(last)) {
        (Some(one), Some(other)) => one == other && one.len() > 2 && !one.ends_with('_'),
        _ => false,
    })
}

pub(super) fn speaks_of_both(table: &Relation, start: &Column, end: &Column) -> bool {
    table.constraints.iter().any(|constraint| {
        matches!(&constraint.kind, ConstraintKind::Check { columns, .. } if columns.contains(&start.id) && columns.contains(&end.id))
    })
}

pub(super) fn excludes(table: &Relation) -> bool {
    table.constraints.iter().any(|constraint| matches!(constraint.kind, ConstraintKind::Exclude { .. }))
}

fn backwards(context: &SchemaContext, table: &Relation, start: &Column, end: &Column) -> Option<Discovery> {
    // An exclusion constraint makes a range of the two, which refuses an end before its beginning.
    if speaks_of_both(table, start, end) || excludes(table) {
        return None;
    }
    // A time of day goes past midnight.
    if context.type_name(start) == Some("time") {
        return None;
    }
    let condition = format!("{} >= {}", end.name, start.name);
    Some(
        context
            .discovery(
                &RULE,
                Subject::Column(table.id, end.id),
                format!("{}.{} may be before {}: no CHECK keeps the two in order", table.name, end.name, start.name),
            )
            .confidence(Confidence::Medium)
            .declared("no CHECK speaks of both; that they are a range is read from their names")
            .related(Subject::Column(table.id, start.id), "its beginning")
            .advice(
                "Say it; an end that is NULL passes:",
                guarded(context, table, end.name.as_str(), "order", &condition),
            ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_differ_in_one_word() {
        let pair = |one: &str, other: &str| is_pair(&words::words(one), &words::words(other));
        for (start, end) in [
            ("starts_at", "ends_at"),
            ("valid_from", "valid_to"),
            ("start_date", "end_date"),
            ("check_in", "check_out"),
            ("startsAt", "endsAt"),
        ] {
            assert!(pair(start, end), "{start} {end}");
        }
        for (start, end) in [
            ("created_at", "updated_at"),
            ("ends_at", "starts_at"),
            ("start_date", "end_time"),
            ("starts_at", "trial_ends_at"),
        ] {
            assert!(!pair(start, end), "{start} {end}");
        }
    }
}
