//! Plausible literals for types.

use crate::schema::{ColumnType, Domain, ResolvedType, Schema, TypeDefinition, TypeId};
use crate::text::quoting;

/// Where a literal stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// In VALUES or SET: the column's type gives the literal its own.
    Assign,
    /// In a call: the literal must say its type, so that the overload is found.
    Argument,
}

/// The type's name as it can be written in a cast.
pub(super) fn type_name(schema: &Schema, data_type: &ColumnType) -> String {
    let array = if data_type.written.array_dimensions > 0 { "[]" } else { "" };
    match data_type.resolved {
        ResolvedType::User(id) => match schema.types.get(&id) {
            Some(found) => format!("{}{array}", found.name),
            None => data_type.written.to_string(),
        },
        ResolvedType::Row(id) => format!("{}{array}", schema.relation_name(id)),
        ResolvedType::BuiltIn | ResolvedType::Unknown => data_type.written.to_string(),
    }
}

pub(super) fn domain(schema: &Schema, id: TypeId) -> Option<&Domain> {
    match &schema.types.get(&id)?.definition {
        TypeDefinition::Domain(domain) => Some(domain),
        _ => None,
    }
}

pub(super) fn domain_has_default(schema: &Schema, data_type: &ColumnType) -> bool {
    match data_type.resolved {
        ResolvedType::User(id) if data_type.written.array_dimensions == 0 => {
            domain(schema, id).is_some_and(|domain| domain.default.is_some())
        }
        _ => false,
    }
}

/// The type below all domains.
pub(super) fn base_type<'a>(schema: &'a Schema, data_type: &'a ColumnType) -> &'a ColumnType {
    let mut found = data_type;
    // A domain over a domain over …: as many steps as there are types is more than enough.
    for _ in 0..=schema.types.len() {
        match found.resolved {
            ResolvedType::User(id) if found.written.array_dimensions == 0 => match domain(schema, id) {
                Some(domain) => found = &domain.base,
                None => return found,
            },
            _ => return found,
        }
    }
    found
}

/// A literal of the type; another one for every `number`.
pub(super) fn literal(schema: &Schema, data_type: &ColumnType, number: usize, purpose: Purpose) -> String {
    let base = base_type(schema, data_type);
    let text = if base.written.array_dimensions > 0 {
        "'{}'".to_owned()
    } else {
        match base.resolved {
            ResolvedType::User(id) => of_user_type(schema, id, number),
            ResolvedType::BuiltIn | ResolvedType::Unknown => built_in(base, number),
            ResolvedType::Row(_) => "NULL".to_owned(),
        }
    };
    let bare = matches!(data_type.written.name.as_str(), "int4" | "bool") && data_type.written.array_dimensions == 0;
    match purpose {
        Purpose::Assign => text,
        Purpose::Argument if bare => text,
        Purpose::Argument => format!("{text}::{}", type_name(schema, data_type)),
    }
}

fn of_user_type(schema: &Schema, id: TypeId, number: usize) -> String {
    match schema.types.get(&id).map(|found| &found.definition) {
        Some(TypeDefinition::Enum(labels)) => {
            labels.get(number % labels.len().max(1)).map_or("NULL".to_owned(), |label| quoting::literal(label))
        }
        Some(TypeDefinition::Composite(attributes)) => {
            quoting::literal(&format!("({})", ",".repeat(attributes.len().saturating_sub(1))))
        }
        Some(TypeDefinition::Range { .. }) => "'empty'".to_owned(),
        _ => "NULL".to_owned(),
    }
}

fn built_in(data_type: &ColumnType, number: usize) -> String {
    let modifiers = &data_type.written.modifiers;
    let n = number + 1;
    match data_type.written.name.as_str() {
        "int2" | "int4" | "int8" | "oid" | "float4" | "float8" => n.to_string(),
        "numeric" => match modifiers[..] {
            [precision, scale] if precision <= scale => "0".to_owned(),
            _ => n.to_string(),
        },
        "money" => format!("'{n}.00'"),
        "bool" => (number.is_multiple_of(2)).to_string(),
        "text" | "citext" | "name" => format!("'example {n}'"),
        "varchar" | "bpchar" => quoting::literal(&short_text(modifiers.first().copied(), n)),
        "char" => quoting::literal(&((b'a' + (number % 26) as u8) as char).to_string()),
        "uuid" => format!("'00000000-0000-4000-8000-{n:012}'"),
        "date" => format!("'2024-01-{:02}'", n % 28 + 1),
        "timestamp" => format!("'2024-01-{:02} 12:00:00'", n % 28 + 1),
        "timestamptz" => format!("'2024-01-{:02} 12:00:00+00'", n % 28 + 1),
        "time" => format!("'12:{:02}:00'", n % 60),
        "timetz" => format!("'12:{:02}:00+00'", n % 60),
        "interval" => format!("'{n} days'"),
        "json" | "jsonb" => format!("'{{\"example\": {n}}}'"),
        "bytea" => format!("'\\x{n:02x}'"),
        "xml" => format!("'<example>{n}</example>'"),
        "inet" | "cidr" => format!("'192.0.2.{}'", n % 255),
        "macaddr" => format!("'08:00:2b:01:02:{:02x}'", n % 256),
        "macaddr8" => format!("'08:00:2b:01:02:03:04:{:02x}'", n % 256),
        "bit" => quoting::literal(&"0".repeat(modifiers.first().map_or(1, |length| (*length).max(1) as usize))),
        "varbit" => "'0'".to_owned(),
        "point" => format!("'({n},0)'"),
        "line" => "'{1,-1,0}'".to_owned(),
        "lseg" | "box" | "path" => format!("'((0,0),({n},1))'"),
        "polygon" => format!("'((0,0),({n},0),(0,1))'"),
        "circle" => format!("'<(0,0),{n}>'"),
        "tsvector" => format!("'example{n}'"),
        "tsquery" => "'example'".to_owned(),
        "hstore" => format!("'example=>{n}'"),
        "ltree" => format!("'example.n{n}'"),
        "pg_lsn" => format!("'0/{n:X}'"),
        "int4range" | "int8range" | "numrange" => format!("'[{n},{})'", n + 1),
        "daterange" | "tsrange" | "tstzrange" => format!("'[2024-01-{:02},2024-02-01)'", n % 28 + 1),
        name if name.ends_with("multirange") => "'{}'".to_owned(),
        _ => "NULL".to_owned(),
    }
}

fn short_text(length: Option<i32>, number: usize) -> String {
    let text = format!("example {number}");
    match length.and_then(|length| usize::try_from(length).ok()) {
        Some(length) if length < text.len() => {
            let digits = number.to_string();
            digits[digits.len().saturating_sub(length)..].to_owned()
        }
        _ => text,
    }
}

/// A value found by reasoning, as a literal of the type: numbers bare, all else quoted.
pub(super) fn quote_for(schema: &Schema, data_type: &ColumnType, value: &str) -> String {
    match base_type(schema, data_type).written.name.as_str() {
        "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" => value.to_owned(),
        _ => quoting::literal(value),
    }
}
