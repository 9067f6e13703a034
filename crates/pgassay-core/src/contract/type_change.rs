//! Column types that changed: whether old values, old parameters and old reads still fit.
//!
//! Judged by what the server does with a value on its way in (assignment casts, length and range checks) and on its way out (the
//! type that drivers see), not by the name of the target alone.

use super::pair::Pair;
use super::witness::{differs, insert, refused, select};
use super::{Breakage, BreakageKind, Grade, check, values};
use crate::catalog::{self, CastContext};
use crate::change::TypeName;
use crate::schema::{Column, ColumnType, ResolvedType, Schema, TypeDefinition};
use crate::text::quoting;

/// Why the new type does not do for clients of the old one.
struct Misfit {
    grade: Grade,
    why: String,
    probe: Probe,
}

/// What shows it.
enum Probe {
    /// A literal that the old type took: SQLSTATE and message.
    Write(String, &'static str, String),
    /// A predicate on the column, written with `{}` for its name.
    Filter(String, &'static str, String),
    /// A literal that both take, what is read of it (`{}` for the column), and how that differs.
    Store(String, &'static str, String),
    /// `pg_typeof` differs.
    Type,
}

pub(super) fn diff(pair: Pair, old: &Column, new: &Column) -> Option<Breakage> {
    if old.data_type == new.data_type && pair.same() {
        return None;
    }
    let types = Types { before: pair.context.before, after: pair.context.after };
    let misfit = types.misfit(&old.data_type, &new.data_type)?;
    let object = pair.column_object(old);
    let from = values::type_name(pair.context.before, &old.data_type);
    let to = values::type_name(pair.context.after, &new.data_type);
    let writable = pair.old.is_table() && old.generated.is_none();
    let schema = pair.context.before;
    let witness = match misfit.probe {
        Probe::Write(value, code, message) if writable => {
            refused(insert(schema, pair.old, &[(old.id, value)], 1), code, message)
        }
        Probe::Filter(predicate, code, message) => {
            let predicate = predicate.replace("{}", &old.name.to_string());
            refused(format!("SELECT * FROM {} WHERE {predicate}", pair.old.name), code, message)
        }
        Probe::Store(value, read, after) if writable => {
            let returning = read.replace("{}", &old.name.to_string());
            differs(format!("{} RETURNING {returning}", insert(schema, pair.old, &[(old.id, value)], 1)), after)
        }
        Probe::Type | Probe::Write(..) | Probe::Store(..) => differs(
            format!("SELECT pg_typeof(({}))", select(pair.old, &old.name)),
            match is_unknown(&old.data_type) {
                true => format!("answers {to}, whatever it was before"),
                false => format!("answers {to} instead of {from}"),
            },
        ),
    };
    Some(Breakage {
        kind: if pair.old.is_table() { BreakageKind::ColumnTypeChanged } else { BreakageKind::ViewColumnsChanged },
        grade: misfit.grade,
        subject: pair.column_subject(old),
        message: match is_unknown(&old.data_type) {
            true => format!("{object} is now {to}: {}", misfit.why),
            false => format!("{object} changes from {from} to {to}: {}", misfit.why),
        },
        object,
        witness,
    })
}

/// Whether clients see another type in a routine's result or an attribute.
pub(super) fn reads_differently(before: &Schema, after: &Schema, old: &ColumnType, new: &ColumnType) -> bool {
    (Types { before, after }).misfit(old, new).is_some()
}

/// The type of a column that a partial history only names.
fn is_unknown(data_type: &ColumnType) -> bool {
    data_type.resolved == ResolvedType::Unknown
        && data_type.written.schema.is_none()
        && data_type.written.name == "unknown"
}

struct Types<'a> {
    before: &'a Schema,
    after: &'a Schema,
}

fn certain(why: impl Into<String>, probe: Probe) -> Option<Misfit> {
    Some(Misfit { grade: Grade::Certain, why: why.into(), probe })
}

fn possible(why: impl Into<String>, probe: Probe) -> Option<Misfit> {
    Some(Misfit { grade: Grade::Possible, why: why.into(), probe })
}

const INTEGERS: [&str; 3] = ["int2", "int4", "int8"];
const FLOATS: [&str; 2] = ["float4", "float8"];

fn is_integer(name: &str) -> bool {
    INTEGERS.contains(&name)
}

fn is_number(name: &str) -> bool {
    is_integer(name) || FLOATS.contains(&name) || name == "numeric"
}

fn is_text(name: &str) -> bool {
    matches!(name, "text" | "varchar" | "bpchar")
}

impl Types<'_> {
    fn misfit(&self, old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
        if self.same_to_clients(old, new) {
            return None;
        }
        if is_unknown(old) {
            return possible("what its type was is not known here", Probe::Type);
        }
        if (old.written.array_dimensions > 0) != (new.written.array_dimensions > 0) {
            return certain("values of the old type are refused and the new one reads back differently", Probe::Type);
        }
        if old.written.array_dimensions > 0 {
            let grade = self.misfit(&old.element(), &new.element())?.grade;
            return Some(Misfit {
                grade,
                why: "elements are taken and read differently".to_owned(),
                probe: Probe::Type,
            });
        }
        let base_old = values::base_type(self.before, old);
        let base_new = values::base_type(self.after, new);
        let misfit = match (base_old.resolved, base_new.resolved) {
            _ if self.same_to_clients(base_old, base_new) => None,
            (ResolvedType::BuiltIn, ResolvedType::BuiltIn) => built_in(base_old, base_new),
            (ResolvedType::User(_), ResolvedType::BuiltIn) if is_text(base_new.written.name.as_str()) => {
                self.enum_to_text(base_old, base_new)
            }
            (_, ResolvedType::User(_)) => self.to_user_type(base_old, base_new),
            _ => certain("values and reads of the old type do not fit", Probe::Type),
        };
        misfit.or_else(|| self.domain_refuses(old, new))
    }

    /// The same type under the same name, whatever its id: what became of its labels is told of the type.
    fn same_to_clients(&self, old: &ColumnType, new: &ColumnType) -> bool {
        let arrays = (old.written.array_dimensions > 0) == (new.written.array_dimensions > 0);
        match (old.resolved, new.resolved) {
            (ResolvedType::User(a), ResolvedType::User(b)) => {
                let name = self.before.types.get(&a).map(|it| &it.name);
                arrays && (a == b || name.is_some() && name == self.after.types.get(&b).map(|it| &it.name))
            }
            (ResolvedType::Row(a), ResolvedType::Row(b)) => arrays && a == b,
            _ => old.written == new.written,
        }
    }

    fn labels(&self, schema: &Schema, data_type: &ColumnType) -> Option<Vec<String>> {
        let ResolvedType::User(id) = data_type.resolved else { return None };
        match &schema.types.get(&id)?.definition {
            TypeDefinition::Enum(labels) => Some(labels.iter().map(|label| label.to_string()).collect()),
            _ => None,
        }
    }

    fn enum_to_text(&self, old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
        let name = values::type_name(self.before, old);
        let shown = name.strip_prefix("public.").unwrap_or(&name).to_owned();
        match self.labels(self.before, old) {
            Some(labels) => possible(
                "comparisons with values cast to the old type fail, and labels sort as text",
                Probe::Filter(
                    format!("{{}} = {}::{name}", quoting::literal(labels.first().map_or("", String::as_str))),
                    "42883",
                    format!("operator does not exist: {} = {shown}", spoken(new)),
                ),
            ),
            None => certain("values and reads of the old type do not fit", Probe::Type),
        }
    }

    fn to_user_type(&self, old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
        let name = values::type_name(self.after, new);
        let shown = name.strip_prefix("public.").unwrap_or(&name).to_owned();
        let answer = |value: &str| format!("invalid input value for enum {shown}: \"{value}\"");
        let Some(after) = self.labels(self.after, new) else {
            return certain("values and reads of the old type do not fit", Probe::Type);
        };
        match self.labels(self.before, old) {
            Some(before) => match before.iter().find(|label| !after.contains(label)) {
                Some(lost) => certain(
                    format!("'{lost}' is not a value of {name}"),
                    Probe::Write(quoting::literal(lost), "22P02", answer(lost)),
                ),
                None => possible("values cast to the old type are refused", Probe::Type),
            },
            None if is_text(old.written.name.as_str()) => {
                let stranger = if after.iter().any(|label| label == "x") { "y" } else { "x" };
                certain(
                    format!("anything but {} is refused", after.join(", ")),
                    Probe::Write(quoting::literal(stranger), "22P02", answer(stranger)),
                )
            }
            None => certain("values and reads of the old type do not fit", Probe::Type),
        }
    }

    /// The base fits: what the domain's own checks and NOT NULL refuse.
    fn domain_refuses(&self, old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
        let ResolvedType::User(id) = new.resolved else { return None };
        let domain = values::domain(self.after, id)?;
        let constraint = domain.constraints.first()?;
        let parts = check::conjuncts(&constraint.expression.tree, &|_| None);
        let name = values::type_name(self.after, new);
        let shown = name.strip_prefix("public.").unwrap_or(&name).to_owned();
        let why = format!("values outside {} are refused", constraint.expression.text);
        let value = parts.iter().find_map(|part| check::violating_value(self.before, old, part, &[]));
        let answer = format!("value for domain {shown} violates check constraint \"{}\"", constraint.name.as_str());
        match value {
            Some(value) => certain(why, Probe::Write(value, "23514", answer)),
            None => certain(why, Probe::Type),
        }
    }
}

/// The type as operators' messages name it: without length.
fn spoken(data_type: &ColumnType) -> String {
    let mut plain = TypeName::clone(&data_type.written);
    plain.modifiers.clear();
    plain.to_string()
}

fn built_in(old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
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
