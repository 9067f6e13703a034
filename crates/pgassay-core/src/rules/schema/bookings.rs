//! Bookings of one thing that may overlap: a part of the rule about bounds.

use super::ask::{keys, steps};
use super::bounds::{RULE, excludes, speaks_of_both};
use super::{Discovery, SchemaContext};
use crate::change::Name;
use crate::contract::Subject;
use crate::finding::{Confidence, FixStep, Severity};
use crate::schema::{Column, Relation};
use crate::text::words;

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
    "staff",
    "vet",
    "dentist",
    "therapist",
    "trainer",
    "coach",
    "tutor",
    "barber",
    "nurse",
    "surgeon",
    "consultant",
    "guide",
    "interpreter",
];

/// What holds one thing at a time.
const PLACES: &[&str] = &[
    "room", "court", "studio", "hall", "berth", "bed", "desk", "runway", "pitch", "theatre", "bay", "dock", "quay",
    "kennel", "stall", "chair", "crane",
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
    let is_known = |column: &&Column| {
        let named = words::ends_with_word(column.name.as_str(), &["id", "no"]);
        words::has_word(column.name.as_str(), RESOURCES) && (named || keys::is_foreign_key(table, column.id))
    };
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

/// `bullid` of `bullhire`: the name of the table is the column's and a word for a booking, without anything between them.
fn named_after(table: &Relation) -> Option<&Column> {
    let name = table.name.name.as_str().to_ascii_lowercase();
    let is_booking = |rest: &str| BOOKED.contains(&&*words::singular(rest.trim_start_matches('_')));
    table.columns.iter().find(|column| {
        let own = column.name.as_str().to_ascii_lowercase();
        let stem = ["id", "no"].iter().find_map(|end| own.strip_suffix(end));
        let stem = stem.map(|stem| stem.trim_end_matches('_')).filter(|stem| stem.len() > 2);
        stem.and_then(|stem| name.strip_prefix(stem)).is_some_and(is_booking) && keys::primary_key(table) != [column.id]
    })
}

/// A place that holds one thing at a time, whatever happens there: `room_no` beside a beginning and an end that every row has. What was
/// seen or counted there may overlap.
fn place<'t>(
    context: &SchemaContext<'t>,
    table: &'t Relation,
    pairs: &[(&'t Column, &'t Column)],
) -> Option<&'t Column> {
    const SEEN: &[&str] = &[
        "log",
        "history",
        "event",
        "measurement",
        "reading",
        "visit",
        "session",
        "metric",
        "alert",
        "incident",
        "price",
        "tariff",
        "rate",
        "report",
        "audit",
        "member",
        "membership",
        "participant",
        "attendee",
        "message",
        "job",
        "outage",
        "maintenance",
        "availability",
        "opening",
        "summary",
        "stat",
    ];
    let [(start, end)] = pairs else { return None };
    let moments = matches!(context.type_name(start), Some("timestamptz" | "timestamp"));
    if !moments || context.is_nullable(start) || context.is_nullable(end) {
        return None;
    }
    if words::has_word(table.name.name.as_str(), SEEN) {
        return None;
    }
    table.columns.iter().find(|column| {
        let words = words::words(column.name.as_str());
        let is_key = matches!(&words[..], [.., last] if ["id", "no", "number", "code"].contains(&last.as_str()))
            || keys::is_foreign_key(table, column.id);
        is_key && words::has_word(column.name.as_str(), PLACES) && keys::primary_key(table) != [column.id]
    })
}

/// Things that only one can have at a time.
pub(super) fn overlap<'t>(
    context: &SchemaContext<'t>,
    table: &'t Relation,
    pairs: &[(&'t Column, &'t Column)],
) -> Option<Discovery> {
    if excludes(table) {
        return None;
    }
    let column = match words::has_word(table.name.name.as_str(), BOOKED) {
        true => resource(context, table)?,
        false => named_after(table).or_else(|| place(context, table, pairs))?,
    };
    let (name, own) = (&table.name, &column.name);
    let period = match when(context, table, pairs)? {
        When::Slot(begin) => return slot(context, table, column, begin),
        When::Range(of) => Period::stored(of),
        When::Pair(start, end) => Period::between(context, table, start, end)?,
    };
    let state = table
        .columns
        .iter()
        .any(|column| words::has_word(column.name.as_str(), &["status", "state", "cancelled", "canceled", "deleted"]));
    let only = if state { " WHERE (… it is not cancelled)" } else { "" };
    let look = format!(
        "SELECT one.{own}, {}, {} FROM {name} AS one JOIN {name} AS other ON one.{own} = other.{own} AND one.ctid < other.ctid AND {} && {} LIMIT 20;",
        period.of("one."),
        period.of("other."),
        period.of("one."),
        period.of("other.")
    );
    let steps = if context.facts.is_some() && !table.is_partitioned() && period.is_certain {
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
            .declared(format!("{}, and there is no exclusion constraint", period.known))
            .advice(
                format!("Let the server refuse the second one (the extension btree_gist brings = for gist): EXCLUDE USING gist ({own} WITH =, {} WITH &&){only}. It is built under ACCESS EXCLUSIVE.", period.of("")),
                steps,
            ),
    )
}

/// From when to when a row is about.
struct Period {
    /// A range type, and what its bounds are; of a column that is a range, nothing.
    made_of: Option<(&'static str, Name, Name)>,
    column: Name,
    /// The columns are a range for sure.
    is_certain: bool,
    /// How that is known.
    known: String,
}

impl Period {
    fn between(context: &SchemaContext, table: &Relation, start: &Column, end: &Column) -> Option<Period> {
        let range = match context.type_name(start)? {
            "timestamptz" => "tstzrange",
            "timestamp" => "tsrange",
            "date" => "daterange",
            _ => return None,
        };
        Some(Period {
            made_of: Some((range, start.name.clone(), end.name.clone())),
            column: start.name.clone(),
            is_certain: speaks_of_both(table, start, end),
            known: format!("{} and {} are a range by their names", start.name, end.name),
        })
    }

    fn stored(of: &Column) -> Period {
        let known = format!("{} is a {}", of.name, of.data_type.written);
        Period { made_of: None, column: of.name.clone(), is_certain: true, known }
    }

    /// The range of a row; `row` is what its columns are qualified with.
    fn of(&self, row: &str) -> String {
        match &self.made_of {
            Some((range, from, to)) => format!("{range}({row}{from}, {row}{to})"),
            None => format!("{row}{}", self.column),
        }
    }
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
