//! Column types that the manual or experience advises against.

use super::{Discovery, Needs, SchemaContext, words};
use crate::contract::Subject;
use crate::finding::{Category, Severity};
use crate::rules::{Check, Example, Rule};
use crate::schema::{Column, Relation};

pub const RULE: Rule = Rule {
    name: "discouraged-types",
    category: Category::Types,
    severity: Severity::Info,
    summary: "A column has a type that is regretted later: timestamp without time zone, char(n), money, json, serial, timetz, a UUID as text",
    explanation: "timestamp without time zone does not say which moment it means; char(n) pads and compares without trailing spaces; money follows the server's locale; \
        json keeps text and cannot be indexed or compared; serial leaves its sequence with separate privileges; a 32-bit key runs out; a UUID in varchar(36) takes \
        more than twice its 16 bytes, in the table and in every index, and is not checked. Changing the type later rewrites the table. One finding a table lists its columns.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamp NOT NULL);",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL);",
    },
    check: Check::Schema(check, Needs::Schema),
};

fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        for column in table.columns.iter().filter(|column| column.local) {
            let Some((known_as, better)) = better(context, table, column) else { continue };
            if context.options.accepted_types.contains(&known_as) {
                continue;
            }
            let named = match known_as {
                // A key word: printed as a type it would be quoted.
                "serial" | "json" => known_as.to_owned(),
                _ => column.data_type.written.to_string(),
            };
            let item = format!("{} {named}", column.name);
            let subject = Subject::Column(table.id, column.id);
            let place = context.places.type_of(table.id, column.id);
            let discovery = context.discovery(&RULE, subject, "").declared("the type of the column").at(place);
            found.push(
                discovery.grouped(format!("{} has", table.name), item).advice(format!("{named}: {better}"), Vec::new()),
            );
        }
    }
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
        "bpchar" | "varchar" if is_uuid_text(context, column) => {
            Some(("uuid-text", "use uuid, which takes 16 bytes and is checked"))
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
        "int4" | "int2" if is_serial(context, table, column) => Some(("serial", SERIAL)),
        _ => None,
    }
}

/// What serial leaves in a catalog: an integer whose default is the next number of a sequence that it owns.
fn is_serial(context: &SchemaContext, table: &Relation, column: &Column) -> bool {
    let numbered = column.identity.is_none()
        && column.sequence.is_some_and(|id| context.schema.sequence_owner(id) == Some((table.id, column.id)));
    numbered && column.default.as_ref().is_some_and(|default| default.text.contains("nextval"))
}

/// varchar(36) holds a UUID with its dashes, varchar(32) one without; the name or the key says that it is one.
fn is_uuid_text<'a>(context: &SchemaContext<'a>, column: &'a Column) -> bool {
    let length = context.schema.base_type(&column.data_type).written.modifiers.first().copied();
    let named = words::has_word(column.name.as_str(), &["uuid", "guid"]);
    match length {
        Some(36) => named || words::ends_with_word(column.name.as_str(), &["id"]),
        Some(32 | 38) => named,
        _ => false,
    }
}

fn is_code(column: &Column) -> bool {
    words::has_word(column.name.as_str(), &["country", "currency", "language", "locale", "lang", "iso", "code"])
}
