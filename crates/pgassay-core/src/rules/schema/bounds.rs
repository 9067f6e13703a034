//! What a trade takes for granted of its values, and no CHECK says: a percentage is up to 100, an end comes after its beginning, two
//! bookings of one thing do not overlap.

use super::ask::{keys, steps};
use super::{Discovery, SchemaContext};
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
        found.extend(overlap(context, table, &pairs));
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
                && is_pair(&words, &words::words(end.name.as_str()))
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

fn speaks_of_both(table: &Relation, start: &Column, end: &Column) -> bool {
    table.constraints.iter().any(|constraint| {
        matches!(&constraint.kind, ConstraintKind::Check { columns, .. } if columns.contains(&start.id) && columns.contains(&end.id))
    })
}

fn excludes(table: &Relation) -> bool {
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

/// Tables of bookings.
const BOOKED: &[&str] = &[
    "booking",
    "reservation",
    "appointment",
    "lease",
    "rental",
    "shift",
    "assignment",
    "slot",
    "stay",
    "tenancy",
    "allocation",
    "hire",
    "occupancy",
];

/// What is booked.
const RESOURCES: &[&str] = &[
    "room",
    "vehicle",
    "car",
    "bike",
    "desk",
    "table",
    "court",
    "resource",
    "doctor",
    "physician",
    "practitioner",
    "seat",
    "bay",
    "unit",
    "apartment",
    "property",
    "machine",
    "equipment",
    "chair",
    "boat",
    "employee",
    "stylist",
    "instructor",
    "driver",
    "item",
    "asset",
    "field",
    "berth",
    "crane",
    "quay",
    "dock",
    "studio",
    "hall",
    "lab",
    "van",
    "truck",
    "stand",
    "locker",
    "pitch",
    "kennel",
    "stall",
    "gate",
    "runway",
    "bed",
];

/// Who books, and what a booking belongs to.
const BOOKERS: &[&str] = &[
    "customer",
    "client",
    "guest",
    "user",
    "member",
    "order",
    "invoice",
    "tenant",
    "organization",
    "organisation",
    "company",
    "account",
    "agent",
    "person",
    "contact",
    "patient",
    "payment",
    "parent",
    "created",
    "updated",
    "booked",
    "status",
    "type",
    "kind",
    "plan",
    "project",
    "team",
    "branch",
    "site",
    "shop",
    "store",
    "owner",
    "event",
    "trip",
];

/// When a row holds the thing that is booked.
enum When<'t> {
    Pair(&'t Column, &'t Column),
    Range(&'t Column),
    /// The beginning of a slot, all of which are equally long.
    Slot(&'t Column),
}

fn when<'t>(context: &SchemaContext<'t>, table: &'t Relation, pairs: &[(&'t Column, &'t Column)]) -> Option<When<'t>> {
    let of_type = |types: &'static [&str]| {
        table.columns.iter().filter(move |column| context.type_name(column).is_some_and(|name| types.contains(&name)))
    };
    let ranges: Vec<&Column> = of_type(&["tstzrange", "tsrange", "daterange"]).collect();
    if let [only] = ranges[..] {
        return Some(When::Range(only));
    }
    match pairs {
        [(start, end)] => Some(When::Pair(start, end)),
        [] if words::has_word(table.name.name.as_str(), &["slot"]) => {
            let begins = |column: &&Column| {
                words::has_word(column.name.as_str(), &["slot", "start", "starts", "begin", "begins", "from"])
            };
            let moments: Vec<&Column> = of_type(&["timestamptz", "timestamp"]).filter(begins).collect();
            matches!(moments[..], [_]).then(|| When::Slot(moments[0]))
        }
        _ => None,
    }
}

/// The thing that only one can have at a time: it gives the table its name, or is a known one.
fn resource<'t>(context: &SchemaContext<'t>, table: &'t Relation) -> Option<&'t Column> {
    let of_table = words::words(table.name.name.as_str());
    let is_key = |column: &&Column| {
        keys::is_foreign_key(table, column.id)
            || matches!(context.type_name(column), Some("int2" | "int4" | "int8" | "uuid" | "text" | "varchar"))
    };
    let names_table = |column: &&Column| {
        let words = words::words(column.name.as_str());
        let stem: Vec<&String> =
            words.iter().filter(|word| !["id", "no", "code", "ref"].contains(&word.as_str())).collect();
        let in_table = |word: &&String| of_table.iter().any(|it| it == *word || *words::singular(it) == ***word);
        let is_booked = |word: &&String| BOOKED.contains(&word.as_str()) || BOOKERS.contains(&word.as_str());
        matches!(stem[..], [_, ..]) && stem.iter().all(in_table) && !stem.iter().any(is_booked)
    };
    let is_row_id = |column: &&Column| keys::primary_key(table) == [column.id];
    let columns = || table.columns.iter().filter(|column| !is_row_id(column) && is_key(column));
    let is_known =
        |column: &&Column| words::has_word(column.name.as_str(), RESOURCES) && keys::is_foreign_key(table, column.id);
    // A role is assigned to many, and a budget allocated to several ends.
    let named = || {
        columns()
            .find(names_table)
            .filter(|_| !words::has_word(table.name.name.as_str(), &["assignment", "allocation"]))
    };
    // tasting_room of a tasting_slot.
    let in_list = |column: &&Column| {
        let words = words::words(column.name.as_str());
        words::has_word(column.name.as_str(), RESOURCES) && words.iter().any(|word| of_table.contains(word))
    };
    named().or_else(|| columns().find(is_known)).or_else(|| columns().find(in_list))
}

/// Things that only one can have at a time.
fn overlap<'t>(
    context: &SchemaContext<'t>,
    table: &'t Relation,
    pairs: &[(&'t Column, &'t Column)],
) -> Option<Discovery> {
    if !words::has_word(table.name.name.as_str(), BOOKED) || excludes(table) {
        return None;
    }
    let column = resource(context, table)?;
    let (name, own) = (&table.name, &column.name);
    let (range, range_of, known) = match when(context, table, pairs)? {
        When::Pair(start, end) => {
            let range = match context.type_name(start)? {
                "timestamptz" => "tstzrange",
                "timestamp" => "tsrange",
                "date" => "daterange",
                _ => return None,
            };
            let (from, to) = (start.name.clone(), end.name.clone());
            let of = move |row: &str| format!("{range}({row}{from}, {row}{to})");
            let look = speaks_of_both(table, start, end);
            (
                Box::new(of) as Box<dyn Fn(&str) -> String>,
                look,
                format!("{} and {} are a range by their names", start.name, end.name),
            )
        }
        When::Range(of) => {
            let name = of.name.clone();
            (
                Box::new(move |row: &str| format!("{row}{name}")) as Box<dyn Fn(&str) -> String>,
                true,
                format!("{} is a {}", of.name, of.data_type.written),
            )
        }
        When::Slot(begin) => return slot(context, table, column, begin),
    };
    let state = table
        .columns
        .iter()
        .any(|column| words::has_word(column.name.as_str(), &["status", "state", "cancelled", "canceled", "deleted"]));
    let only = if state { " WHERE (… it is not cancelled)" } else { "" };
    let look = format!(
        "SELECT one.{own}, {}, {} FROM {name} AS one JOIN {name} AS other ON one.{own} = other.{own} AND one.ctid < other.ctid AND {} && {} LIMIT 20;",
        range("one."),
        range("other."),
        range("one."),
        range("other.")
    );
    let steps = if context.facts.is_some() && !table.is_partitioned() && range_of {
        vec![FixStep::any(look)]
    } else {
        Vec::new()
    };
    Some(
        context
            .discovery(
                &RULE,
                Subject::Relation(table.id),
                format!("two rows of {name} may have the same {own} at the same time: no EXCLUDE keeps them apart"),
            )
            .severity(Severity::Info)
            .confidence(Confidence::Medium)
            .declared(format!("{known}, and there is no exclusion constraint"))
            .advice(
                format!("Let the server refuse the second one (the extension btree_gist brings = for gist): EXCLUDE USING gist ({own} WITH =, {} WITH &&){only}. It is built under ACCESS EXCLUSIVE.", range("")),
                steps,
            ),
    )
}

/// Slots are kept apart by their beginning.
fn slot(context: &SchemaContext, table: &Relation, column: &Column, begin: &Column) -> Option<Discovery> {
    let keeps = |(_, index): (&Relation, &crate::schema::Index)| {
        index.columns.contains(&Some(column.id)) && index.columns.contains(&Some(begin.id))
    };
    if keys::unique_keys(context, table).any(keeps) {
        return None;
    }
    let columns = format!("{}, {}", column.name, begin.name);
    Some(
        context
            .discovery(
                &RULE,
                Subject::Relation(table.id),
                format!(
                    "two rows of {} may be the same slot of one {}: no unique key keeps ({columns}) apart",
                    table.name, column.name
                ),
            )
            .severity(Severity::Info)
            .confidence(Confidence::Medium)
            .declared("that it is a slot is read from the names, and no unique key has both columns")
            .advice(
                "Settle what the first step lists, then build the key while others work:",
                steps::unique_index(context, table, &columns, "key", None),
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
