//! Whether a condition holds, as far as its constants and what is known of its parts tell.
//!
//! In: a condition, and a [`Known`] that answers for columns, calls and subqueries. Out: true, false, or `None` where it may be either
//! or NULL. Nothing is guessed: texts have no order here (it depends on the collation), and a number is compared with a number only.

use std::cmp::Ordering;

use sqlparser::ast::{self, BinaryOperator, Expr, UnaryOperator};

use super::comparison::Comparison;
use crate::change::Name;
use crate::schema::{Column, NotNull, Relation};

/// What an expression is known to give.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Number(String),
    /// Truth values as the server prints them when they are cast to text.
    Text(String),
    Unknown,
}

/// What is known beside the constants.
pub trait Known {
    /// The value of a part that is no constant.
    fn value(&self, _part: &Expr) -> Value {
        Value::Unknown
    }

    /// Whether a part holds, where that does not follow from its values: EXISTS, `IN (SELECT …)`.
    fn holds(&self, _part: &Expr) -> Option<bool> {
        None
    }

    fn is_never_null(&self, _part: &Expr) -> bool {
        false
    }
}

/// Nothing but the constants.
pub struct Constants;

impl Known for Constants {}

/// Any row of a table: columns that are NOT NULL have a value.
pub struct AnyRow<'a>(pub Option<&'a Relation>);

impl AnyRow<'_> {
    /// The column of the table that an expression is.
    pub fn column(&self, expression: &Expr) -> Option<&Column> {
        let name = match expression {
            Expr::Nested(inner) => return self.column(inner),
            Expr::Identifier(name) => name,
            Expr::CompoundIdentifier(path) => path.last()?,
            _ => return None,
        };
        self.0?.column(&Name::of_ident(name))
    }
}

impl Known for AnyRow<'_> {
    fn is_never_null(&self, part: &Expr) -> bool {
        self.column(part).is_some_and(|column| column.not_null == NotNull::Yes)
    }
}

/// Whether a condition holds.
pub fn truth(condition: &Expr, known: &dyn Known) -> Option<bool> {
    use BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq, NotEq, Or};
    if let Some(holds) = known.holds(condition) {
        return Some(holds);
    }
    match condition {
        Expr::Nested(inner) | Expr::IsTrue(inner) | Expr::IsNotFalse(inner) => truth(inner, known),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } | Expr::IsFalse(expr) | Expr::IsNotTrue(expr) => {
            truth(expr, known).map(|holds| !holds)
        }
        Expr::BinaryOp { left, op: And, right } => match (truth(left, known), truth(right, known)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Expr::BinaryOp { left, op: Or, right } => match (truth(left, known), truth(right, known)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => is_null_or_not(left, right).then_some(true),
        },
        Expr::BinaryOp { left, op: op @ (Eq | NotEq | Lt | LtEq | Gt | GtEq), right } => {
            compare(left, op, right, known)
        }
        Expr::IsNotDistinctFrom(left, right) if left == right && is_stable(left) => Some(true),
        Expr::IsDistinctFrom(left, right) if left == right && is_stable(left) => Some(false),
        Expr::IsNull(inner) => is_null(inner, known),
        Expr::IsNotNull(inner) => is_null(inner, known).map(|null| !null),
        Expr::InList { expr, list, negated } => {
            let one = |item: &Expr| compare(expr, &Eq, item, known);
            any(list.iter().map(one)).map(|found| found != *negated)
        }
        Expr::Between { expr, negated, low, high } => {
            match (compare(expr, &GtEq, low, known), compare(expr, &LtEq, high, known)) {
                (Some(true), Some(true)) => Some(!negated),
                (Some(false), _) | (_, Some(false)) => Some(*negated),
                _ => None,
            }
        }
        Expr::Like { expr, pattern, negated, any: false, escape_char: None } => {
            let Value::Text(pattern) = value(pattern, known) else { return None };
            let matches = match value(expr, known) {
                Value::Text(text) => like(&text, &pattern)?,
                _ if pattern == "%" && known.is_never_null(expr) => true,
                _ => return None,
            };
            Some(matches != *negated)
        }
        Expr::Case { operand: None, conditions, else_result, .. } => {
            for arm in conditions {
                match truth(&arm.condition, known) {
                    Some(true) => return truth(&arm.result, known),
                    Some(false) => {}
                    None => return None,
                }
            }
            truth(else_result.as_deref()?, known)
        }
        other => match value(other, known) {
            Value::Text(text) => boolean(&text),
            Value::Null | Value::Number(_) | Value::Unknown => None,
        },
    }
}

/// What an expression gives.
pub fn value(expression: &Expr, known: &dyn Known) -> Value {
    match known.value(expression) {
        Value::Unknown => {}
        found => return found,
    }
    match expression {
        Expr::Nested(inner) => value(inner, known),
        Expr::Value(constant) => match &constant.value {
            ast::Value::SingleQuotedString(text) | ast::Value::EscapedStringLiteral(text) => Value::Text(text.clone()),
            ast::Value::Number(number, _) => Value::Number(number.to_string()),
            ast::Value::Boolean(boolean) => Value::Text(boolean.to_string()),
            ast::Value::Null => Value::Null,
            _ => Value::Unknown,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match value(expr, known) {
            Value::Number(number) => Value::Number(format!("-{number}")),
            Value::Null => Value::Null,
            Value::Text(_) | Value::Unknown => Value::Unknown,
        },
        Expr::Cast { expr, data_type, .. } => {
            cast(value(expr, known), data_type.to_string().to_ascii_lowercase().trim_start_matches("pg_catalog."))
        }
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("coalesce") => {
            let given = plain_arguments(function).into_iter().map(|argument| value(argument, known));
            given.into_iter().find(|it| *it != Value::Null).unwrap_or(Value::Null)
        }
        _ => Value::Unknown,
    }
}

/// The arguments of a call that are given by place.
pub fn plain_arguments(function: &ast::Function) -> Vec<&Expr> {
    let ast::FunctionArguments::List(list) = &function.args else { return Vec::new() };
    let plain = |argument| match argument {
        &ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(ref expression)) => Some(expression),
        _ => None,
    };
    list.args.iter().filter_map(plain).collect()
}

fn cast(given: Value, to: &str) -> Value {
    match (given, to) {
        (Value::Null, _) => Value::Null,
        (Value::Number(text) | Value::Text(text), "text" | "name" | "varchar" | "character varying") => {
            Value::Text(text)
        }
        (Value::Text(text), "bool" | "boolean") => {
            boolean(&text).map_or(Value::Unknown, |it| Value::Text(it.to_string()))
        }
        (Value::Number(text) | Value::Text(text), "int" | "integer" | "bigint" | "smallint") => {
            if text.parse::<i64>().is_ok() { Value::Number(text) } else { Value::Unknown }
        }
        _ => Value::Unknown,
    }
}

/// What `boolin` reads of it, of the spellings that are in use.
fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn is_null(expression: &Expr, known: &dyn Known) -> Option<bool> {
    match value(expression, known) {
        Value::Null => Some(true),
        Value::Text(_) | Value::Number(_) => Some(false),
        Value::Unknown => known.is_never_null(expression).then_some(false),
    }
}

fn compare(left: &Expr, op: &BinaryOperator, right: &Expr, known: &dyn Known) -> Option<bool> {
    if left == right && known.is_never_null(left) {
        return Comparison::of(op).map(|it| it.holds(Ordering::Equal));
    }
    match (value(left, known), value(right, known)) {
        (Value::Text(left), Value::Text(right)) => match op {
            BinaryOperator::Eq => Some(left == right),
            BinaryOperator::NotEq => Some(left != right),
            _ => None,
        },
        (Value::Number(left) | Value::Text(left), Value::Number(right)) | (Value::Number(left), Value::Text(right)) => {
            Some(Comparison::of(op)?.holds(order(left.trim(), right.trim())?))
        }
        _ => None,
    }
}

/// The order of two numbers; a double tells numbers of up to 15 digits apart (`DBL_DIG`).
fn order(left: &str, right: &str) -> Option<Ordering> {
    match (left.parse::<i128>(), right.parse::<i128>()) {
        (Ok(left), Ok(right)) => Some(left.cmp(&right)),
        _ if left.len().max(right.len()) <= 15 => left.parse::<f64>().ok()?.partial_cmp(&right.parse::<f64>().ok()?),
        _ => None,
    }
}

/// True if one is, false if all are.
pub fn any(found: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(false);
    for one in found {
        match one {
            Some(true) => return Some(true),
            Some(false) => {}
            None => all = None,
        }
    }
    all
}

/// `a IS NULL OR a IS NOT NULL`.
fn is_null_or_not(left: &Expr, right: &Expr) -> bool {
    match (left, right) {
        (Expr::IsNull(one), Expr::IsNotNull(other)) | (Expr::IsNotNull(one), Expr::IsNull(other)) => {
            one == other && is_stable(one)
        }
        _ => false,
    }
}

/// A column: asked twice, it is the same, which a call need not be.
fn is_stable(expression: &Expr) -> bool {
    matches!(expression, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

/// LIKE without an escape.
fn like(text: &str, pattern: &str) -> Option<bool> {
    if pattern.contains('\\') {
        return None;
    }
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let mut reach = vec![false; text.len() + 1];
    reach[0] = true;
    for part in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match part {
                '%' => reach[at] || at > 0 && next[at - 1],
                '_' => at > 0 && reach[at - 1],
                letter => at > 0 && reach[at - 1] && text[at - 1] == letter,
            };
        }
        reach = next;
    }
    reach.last().copied()
}
