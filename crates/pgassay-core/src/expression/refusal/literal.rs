//! Literals that the input function of their type refuses.
//!
//! Only what is certain: a text that no version of the server, with no setting, reads as a value of the type.

use sqlparser::ast::{Expr, Value};

use super::super::overload;
use super::super::scope::{Environment, base_type};
use super::{is_closed, word};
use crate::schema::{ColumnType, ResolvedType, TypeDefinition};

/// The server's message about the literal, where its type refuses it; NULL is of any type.
pub(super) fn refused(expression: &Expr, target: &ColumnType, env: &Environment) -> Option<String> {
    let text = text_of(expression)?;
    let base = base_type(target, env.scope);
    if overload::is_array(&base) {
        return (!may_be_array(text)).then(|| format!("malformed array literal: \"{text}\""));
    }
    match base.resolved {
        ResolvedType::BuiltIn => built_in(text, base.written.name.as_str(), &word(&base, env), env),
        ResolvedType::User(id) => match &env.scope.schema.types.get(&id)?.definition {
            TypeDefinition::Enum(labels) if is_closed(env.scope) && !labels.iter().any(|label| **label == *text) => {
                Some(format!("invalid input value for enum {}: \"{text}\"", word(&base, env)))
            }
            // `record_in` (rowtypes.c).
            TypeDefinition::Composite(_) if !text.trim_start().starts_with('(') => {
                Some(format!("malformed record literal: \"{text}\""))
            }
            _ => None,
        },
        ResolvedType::Row(_) | ResolvedType::Unknown => None,
    }
}

/// `{…}`, or with bounds before it, with the braces that it opens closed at its end (`array_in`).
fn may_be_array(text: &str) -> bool {
    let trimmed = text.trim();
    let body = match (trimmed.starts_with('['), trimmed.split_once('=')) {
        (true, Some((_, body))) => body.trim_start(),
        _ => trimmed,
    };
    // After a quoted item comes a comma or the end.
    let item_goes_on = || {
        let mut quoted = body.split('"').skip(1);
        let simple = !body.contains('\\') && body.matches('"').count() % 2 == 0;
        simple && {
            let _ = quoted.next();
            quoted.step_by(2).any(|after| !after.trim_start().starts_with([',', '}']))
        }
    };
    body.starts_with('{') && body.ends_with('}') && !item_goes_on()
}

fn text_of(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => text_of(inner),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text)
            | Value::EscapedStringLiteral(text)
            | Value::UnicodeStringLiteral(text)
            | Value::NationalStringLiteral(text) => Some(text),
            Value::DollarQuotedString(quoted) => Some(&quoted.value),
            _ => None,
        },
        _ => None,
    }
}

fn built_in(text: &str, name: &str, word: &str, env: &Environment) -> Option<String> {
    let invalid = || Some(format!("invalid input syntax for type {word}: \"{text}\""));
    let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    match name {
        "int2" | "int4" | "int8" => match integer(trimmed) {
            Integer::No => invalid(),
            Integer::Value(value) if !fits(value, name) => {
                Some(format!("value \"{text}\" is out of range for type {word}"))
            }
            Integer::Value(_) | Integer::Other => None,
        },
        "numeric" | "float4" | "float8" => (!may_be_number(trimmed)).then(invalid).flatten(),
        "bool" => (!is_boolean(trimmed)).then(invalid).flatten(),
        "uuid" => (!is_uuid(text)).then(invalid).flatten(),
        "json" | "jsonb" => (!may_be_json(text)).then(|| format!("invalid input syntax for type {word}")),
        "date" | "timestamp" | "timestamptz" if !is_day(trimmed) => {
            Some(format!("date/time field value out of range: \"{text}\""))
        }
        "date" | "timestamp" | "timestamptz" => (!may_be_time(trimmed)).then(invalid).flatten(),
        "int4range" | "int8range" | "numrange" | "daterange" if ends_before_it_begins(trimmed) => {
            Some("range lower bound must be less than or equal to range upper bound".to_owned())
        }
        "inet" => (!may_be_address(trimmed) || !may_be_host(trimmed)).then(invalid).flatten(),
        "cidr" => (!may_be_address(trimmed)).then(invalid).flatten(),
        "interval" => (!may_be_interval(trimmed)).then(invalid).flatten(),
        "regclass" => missing_relation(trimmed, env),
        _ => None,
    }
}

enum Integer {
    No,
    Value(i128),
    /// In another base, or with underscores: 16 reads what 15 refuses.
    Other,
}

fn integer(text: &str) -> Integer {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // What is longer than this is out of every range.
        let value = digits.parse::<i128>().unwrap_or(i128::MAX);
        return Integer::Value(if negative { -value } else { value });
    }
    let other_base = digits.len() > 2 && digits.starts_with('0') && "xXoObB".contains(&digits[1..2]);
    let other = other_base || digits.starts_with(|c: char| c.is_ascii_digit()) && digits.contains('_');
    if other { Integer::Other } else { Integer::No }
}

fn fits(value: i128, name: &str) -> bool {
    match name {
        "int2" => i16::try_from(value).is_ok(),
        "int4" => i32::try_from(value).is_ok(),
        _ => i64::try_from(value).is_ok(),
    }
}

fn may_be_number(text: &str) -> bool {
    let unsigned = text.trim_start_matches(['+', '-']);
    let lower = unsigned.to_ascii_lowercase();
    let digits = unsigned.starts_with(|c: char| c.is_ascii_digit())
        || unsigned.starts_with('.') && unsigned[1..].starts_with(|c: char| c.is_ascii_digit());
    let special = ["nan", "inf", "infinity"].contains(&lower.as_str());
    let hexadecimal = lower.starts_with("0x") || lower.starts_with("0o") || lower.starts_with("0b");
    // Digits with one point, and an exponent, which may have a sign.
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let all = |text: &str, others: &[u8]| text.bytes().all(|byte| byte.is_ascii_digit() || others.contains(&byte));
    let plain = all(mantissa, b"._") && all(exponent, b"_") && mantissa.matches('.').count() <= 1;
    special || digits && (plain || hexadecimal)
}

/// A prefix of a word that is not one of another (`parse_bool_with_len`, bool.c).
fn is_boolean(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let prefix = |word: &str, least: usize| lower.len() >= least && word.starts_with(&lower);
    prefix("true", 1)
        || prefix("false", 1)
        || prefix("yes", 1)
        || prefix("no", 1)
        || prefix("on", 2)
        || prefix("off", 2)
        || lower == "1"
        || lower == "0"
}

fn is_uuid(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(|byte| !b"{}-".contains(byte)).collect();
    digits.len() == 32 && digits.iter().all(u8::is_ascii_hexdigit)
}

/// A UUID as the server prints it.
fn is_identifier(text: &str) -> bool {
    text.len() == 36 && is_uuid(text)
}

/// serde_json has limits of its own: those refuse nothing.
fn may_be_json(text: &str) -> bool {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => true,
        Err(error) => {
            let message = error.to_string();
            text.contains("\\u") || message.contains("recursion limit") || message.contains("out of range")
        }
    }
}

fn may_be_address(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|it| it.is_ascii_hexdigit() || ".:/".contains(it))
}

/// Without the length of a network, an address of version 4 has all its four numbers (`inet_net_pton_ipv4`, inet_net_pton.c).
fn may_be_host(text: &str) -> bool {
    text.contains([':', '/']) || text.split('.').filter(|part| part.parse::<u8>().is_ok()).count() == 4
}

/// What has digits and is no point in time: a short number, a decimal number whose whole part is no year, the four numbers of an
/// address, an identifier (`DecodeDateTime`, datetime.c).
fn is_other_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split('.').collect::<Vec<_>>()[..] {
        [whole] => digits(whole) && whole.len() < 6 || is_identifier(text),
        [whole, fraction] => digits(whole) && whole.len() < 4 && digits(fraction),
        [_, _, _, _] => text.split('.').all(digits),
        _ => false,
    }
}

/// A time has a digit, or is one of the words.
fn may_be_time(text: &str) -> bool {
    const WORDS: &[&str] =
        &["now", "today", "tomorrow", "yesterday", "epoch", "infinity", "allballs", "current", "invalid"];
    let lower = text.to_ascii_lowercase();
    // An amount of time with its unit alone is no point in time. Punctuation is passed over (`ParseDateTime`, datetime.c).
    let amount = lower.split_once(' ').is_some_and(|(number, unit)| {
        number.parse::<u64>().is_ok() && UNITS.contains(&unit.strip_suffix('s').unwrap_or(unit))
    });
    let known = lower.bytes().any(|byte| byte.is_ascii_digit()) || WORDS.iter().any(|word| lower.contains(word));
    // A day and a month are the least that digits alone say.
    let too_few =
        !lower.bytes().any(|it| it.is_ascii_alphabetic()) && lower.bytes().filter(u8::is_ascii_digit).count() < 3;
    known && !amount && !too_few && !is_other_number(text)
}

const UNITS: &[&str] = &["second", "minute", "hour", "day", "week", "month", "year"];

/// False of a year, month and day that no calendar has; what is written otherwise is not looked at (`ValidateDate`, datetime.c).
fn is_day(text: &str) -> bool {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split('-').collect();
    let [year, month, day] = parts[..] else { return true };
    let written = |part: &str, width: usize| part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
    if !(written(year, 4) && written(month, 2) && written(day, 2)) {
        return true;
    }
    let number = |part: &str| part.parse::<u32>().unwrap_or_default();
    let leap = number(year) % 4 == 0 && (number(year) % 100 != 0 || number(year) % 400 == 0);
    let days = match number(month) {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    number(year) > 0 && (1..=days).contains(&number(day))
}

/// `[5,1]`: numbers, or days of one form.
fn ends_before_it_begins(text: &str) -> bool {
    let inner = text.strip_prefix(['[', '(']).and_then(|text| text.strip_suffix([']', ')']));
    let Some((from, to)) = inner.and_then(|inner| inner.split_once(',')) else { return false };
    match (from.trim().parse::<f64>(), to.trim().parse::<f64>()) {
        (Ok(from), Ok(to)) => from > to,
        _ => {
            let is_date = |text: &str| text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2;
            is_date(from) && is_date(to) && from > to
        }
    }
}

/// Whether a number with one word is no amount of time (deltatktbl, datetime.c): words count up to ten letters.
fn is_of_no_unit(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "ago",
        "c",
        "cent",
        "centuries",
        "century",
        "d",
        "day",
        "days",
        "dec",
        "decade",
        "decades",
        "decs",
        "h",
        "hour",
        "hours",
        "hr",
        "hrs",
        "m",
        "microsecon",
        "mil",
        "millennia",
        "millennium",
        "millisecon",
        "mils",
        "min",
        "mins",
        "minute",
        "minutes",
        "mon",
        "mons",
        "month",
        "months",
        "ms",
        "msec",
        "msecond",
        "mseconds",
        "msecs",
        "qtr",
        "quarter",
        "s",
        "sec",
        "second",
        "seconds",
        "secs",
        "timezone",
        "us",
        "usec",
        "usecond",
        "useconds",
        "usecs",
        "w",
        "week",
        "weeks",
        "y",
        "year",
        "years",
        "yr",
        "yrs",
    ];
    let Some((number, word)) = text.split_once(' ') else { return false };
    let letters = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let word = word.to_ascii_lowercase();
    number.parse::<u64>().is_ok() && letters && !WORDS.contains(&&word[..word.len().min(10)])
}

/// Something with a digit, or infinity.
fn may_be_interval(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    // Years and months at most, or seconds with a fraction (`DecodeInterval`).
    let numbers = lower.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte));
    let too_many = lower.matches('.').count() > 1 || lower.trim_start_matches('-').matches('-').count() > 1;
    let other = is_identifier(text) || numbers && too_many || is_of_no_unit(text);
    !other && (lower.bytes().any(|byte| byte.is_ascii_digit()) || lower.contains("infinity"))
}

/// `'t'::regclass`: the relation is looked up when the statement is parsed.
fn missing_relation(text: &str, env: &Environment) -> Option<String> {
    let schema = env.scope.schema;
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.\"".contains(&byte));
    if !plain || text.bytes().all(|byte| byte.is_ascii_digit()) || !is_closed(env.scope) {
        return None;
    }
    let parts: Vec<crate::change::Name> = text
        .split('.')
        .map(|part| match part.strip_prefix('"').and_then(|part| part.strip_suffix('"')) {
            Some(quoted) => crate::change::Name::new(quoted),
            None => crate::change::Name::folded(part),
        })
        .collect();
    let (namespace, name) = match &parts[..] {
        [name] => (None, name.clone()),
        [namespace, name] => (Some(namespace.clone()), name.clone()),
        _ => return None,
    };
    let of_system = crate::catalog::is_system_relation(namespace.as_ref().map(|it| it.as_str()), name.as_str())
        || name.as_str().starts_with("pg_")
        || schema.outside.contains(&name)
        || namespace.as_ref().is_some_and(|it| !schema.namespaces.contains_key(it));
    let of_extension = schema.extensions.keys().any(|extension| {
        crate::catalog::extension(extension.as_str())
            .is_none_or(|it| it.relations.iter().any(|it| it.ends_with(name.as_str())))
    });
    let written = crate::change::ObjectName { schema: namespace, name, span: super::super::names::NOWHERE };
    let found = schema.find_relation(&written, env.scope.session).is_some();
    (!found && !of_system && !of_extension).then(|| format!("relation \"{}\" does not exist", text.replace('"', "")))
}
