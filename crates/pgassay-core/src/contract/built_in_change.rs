//! Values of the types of pg_catalog under another of them: which are refused, and which read back differently.

use super::type_change::{INTEGERS, Misfit, Probe, certain, is_integer, is_number, is_text, possible, spoken};
use crate::catalog::{self, CastContext};
use crate::schema::ColumnType;
use crate::text::quoting;

pub(super) fn built_in(old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
    let (a, b) = (old.written.name.as_str(), new.written.name.as_str());
    match (a, b) {
        _ if is_text(a) && is_text(b) => text_to_text(old, new),
        _ if is_number(a) && is_number(b) => number_to_number(old, new),
        _ if is_text(a) => text_to_other(old, new),
        _ if is_text(b) => other_to_text(old, new),
        ("json", "jsonb") => possible(
            "key order, spaces and duplicate keys are not kept",
            Probe::Store(
                "'{\"b\": 1, \"a\": 2, \"a\": 3}'".to_owned(),
                "{}",
                "answers {\"a\": 3, \"b\": 1} instead of {\"b\": 1, \"a\": 2, \"a\": 3}".to_owned(),
            ),
        ),
        ("jsonb", "json") => certain(
            "comparison, containment and existence operators are gone",
            Probe::Filter("{} @> '[]'".to_owned(), "42883", "operator does not exist: json @> unknown".to_owned()),
        ),
        ("timestamp", "timestamptz") | ("timestamptz", "timestamp") => {
            possible("clients read and write it with other time zone rules", Probe::Type)
        }
        ("date", "timestamp" | "timestamptz") => possible("reads back with a time of day", Probe::Type),
        ("timestamp" | "timestamptz", "date") => certain("the time of day is cut off", Probe::Type),
        _ if a == b => modifiers(old, new),
        _ => by_cast(old, new),
    }
}

fn length(data_type: &ColumnType) -> Option<i32> {
    data_type.written.modifiers.first().copied()
}

fn text_to_text(old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
    let narrower = match (length(old), length(new)) {
        (_, None) => None,
        (None, Some(n)) => Some(n),
        (Some(m), Some(n)) => (n < m).then_some(n),
    };
    let (padded_before, padded_after) = (old.written.name == "bpchar", new.written.name == "bpchar");
    match narrower {
        Some(n) => {
            let value =
                if n < 60 { quoting::literal(&"x".repeat(n as usize + 1)) } else { format!("repeat('x', {})", n + 1) };
            let answer = format!("value too long for type {}", new.written);
            certain(format!("values longer than {n} characters are refused"), Probe::Write(value, "22001", answer))
        }
        None if padded_after && (!padded_before || length(old) != length(new)) => possible(
            "values come back padded with spaces to the new length",
            Probe::Store("'x'".to_owned(), "octet_length({})", "answers the padded length".to_owned()),
        ),
        None if padded_before && !padded_after => possible(
            "values are no longer padded, and trailing spaces count in comparisons",
            Probe::Store("'x'".to_owned(), "octet_length({})", "answers 1 instead of the padded length".to_owned()),
        ),
        None => None,
    }
}

fn number_to_number(old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
    let (a, b) = (old.written.name.as_str(), new.written.name.as_str());
    let width = |name: &str| INTEGERS.iter().position(|it| *it == name);
    match (width(a), width(b)) {
        (Some(from), Some(to)) if from < to => {
            return possible("drivers that are strict about types read it as another type", Probe::Type);
        }
        (_, Some(to)) => return to_integer(old, to),
        _ => {}
    }
    match (a, b) {
        ("numeric", "numeric") => numeric_to_numeric(old, new),
        (_, "numeric") if is_integer(a) => match numeric_overflow(new, integer_digits(a)) {
            Some((value, answer)) => certain("large values are refused", Probe::Write(value, "22003", answer)),
            None => possible("clients read a decimal number instead of an integer", Probe::Type),
        },
        ("float8", "float4") => certain(
            "large values are refused and digits are lost",
            Probe::Write("'1e300'".to_owned(), "22003", "\"1e300\" is out of range for type real".to_owned()),
        ),
        ("float4", "float8") => possible("values come back with other digits", Probe::Type),
        _ => possible("values are rounded differently and read as another type", Probe::Type),
    }
}

fn integer_digits(name: &str) -> i32 {
    match name {
        "int2" => 5,
        "int4" => 10,
        _ => 19,
    }
}

fn to_integer(old: &ColumnType, to: usize) -> Option<Misfit> {
    let (largest, name) = [("32767", "smallint"), ("2147483647", "integer"), ("9223372036854775807", "bigint")][to];
    let too_large = ["32768", "2147483648", "9223372036854775808"][to];
    let fits = match old.written.name.as_str() {
        "numeric" => match old.written.modifiers[..] {
            [precision, scale] => precision - scale < [5, 10, 19][to],
            [precision] => precision < [5, 10, 19][to],
            _ => false,
        },
        _ => false,
    };
    if fits {
        return possible("fractions are rounded away and clients read an integer", Probe::Type);
    }
    let code = "22003";
    certain(
        format!("values above {largest} are refused"),
        Probe::Write(too_large.to_owned(), code, format!("{name} out of range")),
    )
}

fn numeric_to_numeric(old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
    let digits = |it: &ColumnType| match it.written.modifiers[..] {
        [precision, scale] => Some((precision - scale, scale)),
        [precision] => Some((precision, 0)),
        _ => None,
    };
    let (whole, scale) = digits(new)?;
    let before = digits(old);
    if before.is_none_or(|(before, _)| before > whole) {
        let (value, answer) = numeric_overflow(new, before.map_or(i32::MAX, |it| it.0))?;
        return certain(
            format!("values of more than {whole} digits before the point are refused"),
            Probe::Write(value, "22003", answer),
        );
    }
    if before.is_some_and(|(_, before)| before > scale) {
        return possible(
            format!("values are rounded to {scale} digits after the point"),
            Probe::Store(
                format!("0.{}6", "0".repeat(scale.max(0) as usize)),
                "{}",
                "answers the value rounded".to_owned(),
            ),
        );
    }
    None
}

/// The smallest power of ten that a numeric type refuses, when the old type could hold it.
fn numeric_overflow(new: &ColumnType, old_digits: i32) -> Option<(String, String)> {
    let whole = match new.written.modifiers[..] {
        [precision, scale] => precision - scale,
        [precision] => precision,
        _ => return None,
    };
    let possible = (0..40).contains(&whole) && old_digits > whole;
    possible.then(|| (format!("1{}", "0".repeat(whole as usize)), "numeric field overflow".to_owned()))
}

fn text_to_other(old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
    let name = new.written.name.as_str();
    if name == "citext" || name == "name" {
        return possible("comparisons follow the rules of the new type", Probe::Type);
    }
    let spoken = spoken(new);
    let value = if length(old).is_some_and(|it| it < 1) { "" } else { "x" };
    let quoted = quoting::literal(value);
    let why = format!("text that is not a valid {spoken} is refused");
    let answer = match name {
        "json" | "jsonb" => "invalid input syntax for type json".to_owned(),
        "bytea" | "bit" | "varbit" | "tsvector" => return certain("clients read and write another type", Probe::Type),
        _ => format!("invalid input syntax for type {spoken}: \"{value}\""),
    };
    let code = if matches!(name, "date" | "timestamp" | "timestamptz" | "time" | "timetz" | "interval") {
        "22007"
    } else {
        "22P02"
    };
    match catalog_knows_text_input(name) {
        true => certain(why, Probe::Write(quoted, code, answer)),
        false => certain(why, Probe::Type),
    }
}

/// Types whose input function refuses `x` with "invalid input syntax".
fn catalog_knows_text_input(name: &str) -> bool {
    is_number(name)
        || matches!(
            name,
            "uuid"
                | "json"
                | "jsonb"
                | "bool"
                | "inet"
                | "cidr"
                | "date"
                | "timestamp"
                | "timestamptz"
                | "time"
                | "timetz"
                | "interval"
                | "macaddr"
        )
}

fn other_to_text(old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
    let spoken_new = spoken(new);
    let name = old.written.name.as_str();
    match name {
        "bool" => certain(
            "conditions on it fail, and clients read text",
            Probe::Filter(
                "{}".to_owned(),
                "42804",
                format!("argument of WHERE must be type boolean, not type {spoken_new}"),
            ),
        ),
        "json" | "jsonb" => certain(
            "JSON operators on it fail, and clients read text",
            Probe::Filter(
                "{} ->> 'a' = 'b'".to_owned(),
                "42883",
                format!("operator does not exist: {spoken_new} ->> unknown"),
            ),
        ),
        _ if is_number(name) => certain(
            "comparisons with numbers and arithmetic fail, and clients read text",
            Probe::Filter("{} > 0".to_owned(), "42883", format!("operator does not exist: {spoken_new} > integer")),
        ),
        "date" | "timestamp" | "timestamptz" => certain(
            "comparisons with times fail, and clients read text",
            Probe::Filter(
                "{} < now()".to_owned(),
                "42883",
                format!("operator does not exist: {spoken_new} < timestamp with time zone"),
            ),
        ),
        "citext" | "name" => possible("comparisons tell upper from lower case", Probe::Type),
        _ => {
            let value = if name == "uuid" {
                "00000000-0000-4000-8000-000000000001"
            } else {
                return possible("clients read text", Probe::Type);
            };
            possible(
                "comparisons with values of the old type fail, and clients read text",
                Probe::Filter(
                    format!("{{}} = '{value}'::{}", old.written),
                    "42883",
                    format!("operator does not exist: {spoken_new} = {}", spoken(old)),
                ),
            )
        }
    }
}

/// The same type with other modifiers: precision of times, length of bit strings, dimensions of vectors.
fn modifiers(old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
    let (a, b) = (length(old), length(new));
    match new.written.name.as_str() {
        "timestamp" | "timestamptz" | "time" | "timetz" | "interval" => {
            let narrower = b.is_some_and(|b| a.unwrap_or(6) > b);
            let why = "fractions of a second are rounded";
            let value = match new.written.name.as_str() {
                "interval" => "'1.654321 seconds'",
                "time" | "timetz" => "'12:00:01.654321'",
                _ => "'2024-01-02 12:00:01.654321'",
            };
            let probe = Probe::Store(value.to_owned(), "{}", "answers the time rounded".to_owned());
            narrower.then(|| possible(why, probe))?
        }
        "bit" => certain(
            "bit strings of the old length are refused",
            Probe::Write(
                quoting::literal(&"0".repeat(a.unwrap_or(1).clamp(1, 200) as usize)),
                "22026",
                format!("bit string length {} does not match type {}", a.unwrap_or(1), new.written),
            ),
        ),
        "varbit" => {
            let n = b.filter(|b| a.is_none_or(|a| a > *b))?;
            certain(
                format!("bit strings longer than {n} are refused"),
                Probe::Write(
                    quoting::literal(&"0".repeat(n.clamp(0, 200) as usize + 1)),
                    "22001",
                    format!("bit string too long for type {}", new.written),
                ),
            )
        }
        _ => certain("values of the old type may be refused", Probe::Type),
    }
}

fn by_cast(old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
    let cast = catalog::cast(old.written.name.as_str(), new.written.name.as_str());
    match cast {
        Some(cast) if cast.context >= CastContext::Assignment => {
            possible("values are converted, and clients read another type", Probe::Type)
        }
        _ => certain("values of the old type are refused", Probe::Type),
    }
}
