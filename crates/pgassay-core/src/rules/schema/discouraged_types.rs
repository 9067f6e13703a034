//! Column types that the manual or experience advises against.

use std::collections::{BTreeMap, BTreeSet};

use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::finding::{Category, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, Relation};
use crate::text::words;

pub static RULE: Rule = Rule {
    name: "discouraged-types",
    category: Category::Types,
    severity: Severity::Info,
    summary: "A column has a type that is regretted later: timestamp without time zone, char(n), money, json, serial, integer as identity, timetz, a UUID as text",
    explanation: "timestamp without time zone does not say which moment it means; char(n) pads and compares without trailing spaces; money follows the server's locale; \
        json keeps text and cannot be indexed or compared; serial leaves its sequence with separate privileges; a 32-bit key runs out; a UUID in varchar(36) takes \
        more than twice its 16 bytes, in the table and in every index, and is not checked. Changing the type later rewrites the table. One finding a table lists its columns; \
        what more than five tables have is a habit, and an audit tells it once for the schema.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamp NOT NULL);",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL);",
    },
};

/// A type that more tables than this have is a habit of the whole schema, and told once.
const HABIT: usize = 5;

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let mut habits: BTreeMap<&'static str, Vec<(&Relation, &Column)>> = BTreeMap::new();
    if context.scope.is_none() {
        for (table, column, known_as, _) in all(context) {
            habits.entry(known_as).or_default().push((table, column));
        }
        habits.retain(|_, columns| columns.iter().map(|(table, _)| table.id).collect::<BTreeSet<_>>().len() > HABIT);
    }
    for (table, column, known_as, better) in all(context) {
        match habits.get(known_as) {
            Some(columns) if columns.first().is_some_and(|(_, first)| std::ptr::eq(*first, column)) => {
                found.push(habit(context, known_as, better, columns));
            }
            Some(_) => {}
            None => {
                let named = named(known_as, column);
                let item = format!("{} {named}", column.name);
                let subject = Subject::Column(table.id, column.id);
                let place = context.places.type_of(table.id, column.id);
                let discovery = context.discovery(&RULE, subject, "").declared("the type of the column").at(place);
                found.push(
                    discovery
                        .grouped(format!("{} has", table.name), item)
                        .advice(format!("{named}: {better}"), Vec::new()),
                );
            }
        }
    }
}

/// Columns of such a type, but for what the configuration accepts: with what the type is known as, and what to use instead.
fn all<'a>(
    context: &SchemaContext<'a>,
) -> impl Iterator<Item = (&'a Relation, &'a Column, &'static str, &'static str)> + use<'a> {
    let context = *context;
    context.any_tables().flat_map(move |table| {
        context.changed_columns(table).filter(|column| column.local).filter_map(move |column| {
            let (known_as, better) = better(&context, table, column)?;
            (!context.options.accepted_types.contains(&known_as)).then_some((table, column, known_as, better))
        })
    })
}

fn named(known_as: &'static str, column: &Column) -> String {
    match known_as {
        // A key word: printed as a type it would be quoted.
        "serial" | "json" => known_as.to_owned(),
        "timestamp-for-day" => format!("{}, all at midnight by name or values", column.data_type.written),
        "integer-identity" => format!("{} as identity", column.data_type.written),
        _ => column.data_type.written.to_string(),
    }
}

/// One finding for the whole schema.
fn habit(context: &SchemaContext, known_as: &'static str, better: &str, columns: &[(&Relation, &Column)]) -> Discovery {
    let (first, column) = columns[0];
    let tables: BTreeSet<_> = columns.iter().map(|(table, _)| table.id).collect();
    let shown: Vec<String> =
        columns.iter().take(6).map(|(table, column)| format!("{}.{}", table.name, column.name)).collect();
    let more = if columns.len() > shown.len() { " …" } else { "" };
    let known_as = match known_as {
        "timestamp" => "timestamp without time zone",
        "timestamp-for-day" => "timestamp for a day",
        "timetz" => "time with time zone",
        "uuid-text" => "text for a UUID",
        "integer-identity" => "integer as identity",
        other => other,
    };
    let mut discovery = context
        .discovery(
            &RULE,
            Subject::Column(first.id, column.id),
            format!("{} columns of {} tables are {known_as}", columns.len(), tables.len()),
        )
        .declared(format!("the types of {}{more}", shown.join(", ")))
        .advice(format!("In what is made from now on: {better}."), Vec::new())
        .at(context.places.type_of(first.id, column.id));
    discovery.table = None;
    discovery.finding.object = None;
    discovery
}

const SERIAL: &str = "use bigint GENERATED ALWAYS AS IDENTITY; a smaller key runs out";

/// The name that people write, and what to use instead.
fn better<'a>(
    context: &SchemaContext<'a>,
    table: &Relation,
    column: &'a Column,
) -> Option<(&'static str, &'static str)> {
    let written = &column.data_type.written;
    if written.schema.as_ref().is_some_and(|schema| *schema != "pg_catalog") || written.array_dimensions > 0 {
        return None;
    }
    match written.name.as_str() {
        "bpchar" | "varchar" | "text" if is_uuid_text(context, table, column) => {
            Some(("uuid-text", "use uuid, which takes 16 bytes and is checked"))
        }
        // A day has no moment: in timestamptz a birthday would move with the reader's time zone.
        "timestamp" if is_day(context, table, column) => {
            Some(("timestamp-for-day", "use date: it is a day, and has no time of day"))
        }
        "timestamp" => Some(("timestamp", "use timestamptz, which stores the moment")),
        "timetz" => Some(("timetz", "use time, or timestamptz for a moment")),
        // A country's two letters, a currency's three: of a fixed length by a standard, nothing is ever padded.
        "bpchar" if written.modifiers.first().is_some_and(|length| *length <= 3) && is_code(column) => None,
        "bpchar" => Some(("char", "use text, with a CHECK on the length if it matters")),
        "money" => Some(("money", "use numeric with a currency column, or an integer of the smallest unit")),
        "json" => Some(("json", "use jsonb, which can be indexed and compared")),
        "serial4" => Some(("serial", SERIAL)),
        "serial2" => Some(("smallserial", SERIAL)),
        "int4" | "int2" if column.identity.is_some() => Some((
            "integer-identity",
            "use bigint: the numbers of a 32-bit key run out at 2,147,483,647, of a 16-bit one at 32,767",
        )),
        "int4" | "int2" if is_serial(context, table, column) => Some(("serial", SERIAL)),
        _ => None,
    }
}

/// The name is a day's, or all values that are known are at midnight.
fn is_day(context: &SchemaContext, table: &Relation, column: &Column) -> bool {
    let words = words::words(column.name.as_str());
    let last = words.last().map(String::as_str);
    let named = matches!(last, Some("birthday" | "dob" | "birthdate" | "day"))
        || last == Some("date") && words.iter().any(|word| DAYS.contains(&word.as_str()));
    let Some(facts) = context.column_facts(table, column) else { return named };
    let histogram = facts.histogram.iter().flat_map(|values| values.values());
    let values: Vec<String> = facts.common().map(|(value, _)| value).chain(histogram).collect();
    match values.len() {
        0 => named,
        few if few < 10 => named && values.iter().all(|value| is_midnight(value)),
        _ => values.iter().all(|value| is_midnight(value)),
    }
}

/// What happens on a day.
const DAYS: &[&str] = &[
    "birth",
    "hire",
    "hired",
    "invoice",
    "due",
    "issue",
    "holiday",
    "value",
    "settlement",
    "death",
    "start",
    "end",
    "expiry",
];

fn is_midnight(value: &str) -> bool {
    value.ends_with(" 00:00:00")
}

/// What serial leaves in a catalog: an integer whose default is the next number of a sequence that it owns.
fn is_serial(context: &SchemaContext, table: &Relation, column: &Column) -> bool {
    let numbered = column.identity.is_none()
        && column.sequence.is_some_and(|id| context.schema.sequence_owner(id) == Some((table.id, column.id)));
    numbered && column.default.as_ref().is_some_and(|default| default.text.contains("nextval"))
}

/// varchar(36) holds a UUID with its dashes, varchar(32) one without; the name or the key says that it is one.
fn is_uuid_text<'a>(context: &SchemaContext<'a>, table: &Relation, column: &'a Column) -> bool {
    let length = context.schema.base_type(&column.data_type).written.modifiers.first().copied();
    let named = words::has_word(column.name.as_str(), &["uuid", "guid"]);
    // 36 characters and a byte of length, in every row that was looked at.
    let measured = || context.column_facts(table, column).is_some_and(|facts| facts.average_width == 37);
    match length {
        None if named => measured(),
        Some(36) => named || words::ends_with_word(column.name.as_str(), &["id"]),
        Some(32 | 38) => named,
        _ => false,
    }
}

fn is_code(column: &Column) -> bool {
    words::has_word(column.name.as_str(), &["country", "currency", "language", "locale", "lang", "iso", "code"])
}
