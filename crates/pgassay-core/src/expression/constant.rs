//! A constant that is given to a column: what is stored, or what the column's type or domain says against it.
//!
//! In: an expression and a type with its modifiers. Out: the value, where it is known. Constants are computed when a statement is
//! planned (`eval_const_expressions`, clauses.c), but a domain is asked for each row that the value is stored in.

use sqlparser::ast::Expr;

use super::scope::base_type;
use super::truth::{self, Constants, Known, Value};
use super::{Scope, overload, type_word};
use crate::schema::{ColumnType, ResolvedType, TypeDefinition};

/// What becomes of a constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// It is stored; unknown where it is no constant, or changed on the way in.
    Value(Value),
    /// The type has no such value, which the planner finds out whether there are rows or not; the server's message.
    OutOfType(String),
    /// A domain refuses it for every row that it is stored in; the server's message.
    OutOfDomain(String),
}

/// What becomes of an expression that is assigned to a column of this type.
pub fn store(expression: &Expr, of: &ColumnType, scope: Scope) -> Stored {
    let base = base_type(of, scope);
    let value = match truth::value(expression, &Constants) {
        Value::Null => Value::Null,
        _ if overload::is_array(&base) => Value::Unknown,
        given => match fitted(given, &base, scope) {
            Ok(value) => value,
            Err(message) => return Stored::OutOfType(message),
        },
    };
    match out_of_domain(&value, of, scope) {
        Some(message) => Stored::OutOfDomain(message),
        None => Stored::Value(value),
    }
}

/// The value as the type has it, its modifiers applied as an assignment does.
fn fitted(given: Value, base: &ColumnType, scope: Scope) -> Result<Value, String> {
    if let ResolvedType::User(id) = base.resolved {
        let is_enum = matches!(scope.schema.types.get(&id).map(|it| &it.definition), Some(TypeDefinition::Enum(_)));
        return Ok(if is_enum { given } else { Value::Unknown });
    }
    if base.resolved != ResolvedType::BuiltIn {
        return Ok(Value::Unknown);
    }
    let modifier = |at: usize| base.written.modifiers.get(at).copied();
    match (base.written.name.as_str(), given) {
        ("text", Value::Text(text)) => Ok(Value::Text(text)),
        ("varchar", Value::Text(text)) => text_of_length(text, modifier(0), "character varying"),
        ("bpchar", Value::Text(text)) => text_of_length(text, modifier(0), "character").map(|_| Value::Unknown),
        ("int2", Value::Number(number)) => integer(number, i16::MIN.into(), i16::MAX.into(), "smallint"),
        ("int4", Value::Number(number)) => integer(number, i32::MIN.into(), i32::MAX.into(), "integer"),
        ("int8", Value::Number(number)) => integer(number, i64::MIN.into(), i64::MAX.into(), "bigint"),
        ("int2" | "int4" | "int8", Value::Text(text)) => {
            Ok(text.trim().parse::<i64>().map_or(Value::Unknown, |it| Value::Number(it.to_string())))
        }
        ("numeric", Value::Number(number) | Value::Text(number)) => match modifier(0) {
            Some(precision) => decimal(&number, precision, modifier(1).unwrap_or_default()),
            None => Ok(if parts(&number).is_some() { Value::Number(number) } else { Value::Unknown }),
        },
        _ => Ok(Value::Unknown),
    }
}

/// Spaces at the end are cut off rather than refused (`varchar`, varchar.c).
fn text_of_length(text: String, length: Option<i32>, word: &str) -> Result<Value, String> {
    let Some(length) = length.and_then(|it| usize::try_from(it).ok()) else { return Ok(Value::Text(text)) };
    if text.trim_end_matches(' ').chars().count() > length {
        return Err(format!("value too long for type {word}({length})"));
    }
    Ok(if text.chars().count() > length { Value::Unknown } else { Value::Text(text) })
}

fn integer(number: String, least: i128, most: i128, word: &str) -> Result<Value, String> {
    let Some(value) = parts(&number).and_then(|it| rounded(it, 0)) else { return Ok(Value::Unknown) };
    if value < least || value > most {
        return Err(format!("{word} out of range"));
    }
    Ok(Value::Number(value.to_string()))
}

/// `apply_typmod` (numeric.c).
fn decimal(number: &str, precision: i32, scale: i32) -> Result<Value, String> {
    let limit = u32::try_from(precision).ok().and_then(|it| 10_i128.checked_pow(it));
    let value = parts(number).filter(|_| scale >= 0).and_then(|it| rounded(it, scale));
    let (Some(limit), Some(value)) = (limit, value) else { return Ok(Value::Unknown) };
    if value.abs() >= limit {
        return Err("numeric field overflow".to_owned());
    }
    let fraction = number.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let exact = !number.contains(['e', 'E']) && i32::try_from(fraction).is_ok_and(|it| it <= scale);
    Ok(if exact { Value::Number(number.trim().to_owned()) } else { Value::Unknown })
}

/// A number as its digits, and how many of them are behind the point.
fn parts(number: &str) -> Option<(i128, i32)> {
    let lower = number.trim().to_ascii_lowercase();
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let value = digits.parse::<i128>().ok()?;
    Some((value, i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?))
}

/// The number times ten to the `scale`, rounded half away from zero (`round_var`, numeric.c).
fn rounded((digits, behind): (i128, i32), scale: i32) -> Option<i128> {
    let moved = behind.checked_sub(scale)?;
    let factor = 10_i128.checked_pow(moved.unsigned_abs());
    match (moved > 0, factor) {
        (false, factor) => digits.checked_mul(factor?),
        // What is so small is nothing.
        (true, None) => Some(0),
        (true, Some(factor)) => {
            let rest = digits % factor;
            let up = i128::from(rest.abs() >= factor - rest.abs());
            Some(digits / factor + up * digits.signum())
        }
    }
}

/// The message of the first domain, of those on top of each other, that has no such value.
fn out_of_domain(value: &Value, of: &ColumnType, scope: Scope) -> Option<String> {
    if of.written.array_dimensions > 0 {
        return None;
    }
    let mut at = of.clone();
    for _ in 0..32 {
        let ResolvedType::User(id) = at.resolved else { return None };
        let TypeDefinition::Domain(domain) = &scope.schema.types.get(&id)?.definition else { return None };
        if domain.not_null && *value == Value::Null {
            return Some(format!("domain {} does not allow null values", type_word(&at, scope)));
        }
        let broken = |check: &Expr| truth::truth(check, &Given(value)) == Some(false);
        if let Some(check) = domain.constraints.iter().find(|it| broken(&it.expression.tree)) {
            let (name, word) = (check.name.as_str(), type_word(&at, scope));
            return Some(format!("value for domain {word} violates check constraint \"{name}\""));
        }
        at = domain.base.clone();
    }
    None
}

/// VALUE of a domain's CHECK.
struct Given<'a>(&'a Value);

impl Known for Given<'_> {
    fn value(&self, part: &Expr) -> Value {
        match part {
            Expr::Identifier(name) if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("value") => {
                self.0.clone()
            }
            _ => Value::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_and_held_against_their_types() {
        let overflows = |number: &str| decimal(number, 3, 1).is_err();
        assert!(["100", "99.95", "-99.95", "1e2", " 100 "].iter().all(|it| overflows(it)));
        assert!(!["99.94", "-99.94", "0", "1e-40", "NaN", ""].iter().any(|it| overflows(it)));
        let small = |number: &str| integer(number.to_owned(), -32768, 32767, "smallint");
        assert!(["32768", "32767.5", "-32768.5", "4e4"].iter().all(|it| small(it).is_err()));
        assert_eq!(small("32767.4"), Ok(Value::Number("32767".to_owned())));
        assert_eq!(small("-0.5"), Ok(Value::Number("-1".to_owned())));
    }

    #[test]
    fn texts_are_as_long_as_they_may_be_without_their_spaces() {
        let fits = |text: &str| text_of_length(text.to_owned(), Some(3), "character varying");
        assert_eq!(fits("äöü"), Ok(Value::Text("äöü".to_owned())));
        assert_eq!(fits("abc  "), Ok(Value::Unknown));
        assert_eq!(fits("abcd"), Err("value too long for type character varying(3)".to_owned()));
    }
}
