//! What a condition that holds proves: a condition taken apart into AND, OR and simple facts, as predtest.c of the server reads it.

use sqlparser::ast::{self, BinaryOperator, Expr, UnaryOperator, Value};

use super::comparison::Comparison;
use super::names;
use crate::change::Name;

/// A condition. Names of columns lose their qualifiers; expressions are compared by their text.
#[derive(Debug, Clone)]
pub(super) enum Fact<'a> {
    And(Vec<Fact<'a>>),
    Or(Vec<Fact<'a>>),
    NotNull(String),
    Null(String),
    Compare(String, Comparison, &'a Expr),
    Never,
    /// Says nothing that can be used.
    Other,
}

/// The text under which a column or expression is found again.
pub(super) fn subject(expression: &Expr) -> String {
    match expression {
        Expr::Nested(inner) => subject(inner),
        Expr::Identifier(ident) => column_subject(&names::name(ident)),
        Expr::CompoundIdentifier(path) => {
            path.last().map(|ident| column_subject(&names::name(ident))).unwrap_or_default()
        }
        other => format!("({other})"),
    }
}

pub(super) fn column_subject(column: &Name) -> String {
    column.as_str().to_owned()
}

/// Takes a condition apart; `holds` is false below a NOT, which the server pushes down (`negate_clause`, clauses.c).
pub(super) fn fact(condition: &Expr, holds: bool) -> Fact<'_> {
    match condition {
        Expr::Nested(inner) => fact(inner, holds),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => fact(expr, !holds),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => junction([left, right], holds, holds),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => junction([left, right], holds, !holds),
        Expr::IsNotNull(inner) => null_test(inner, !holds),
        Expr::IsNull(inner) => null_test(inner, holds),
        Expr::IsDistinctFrom(inner, null) if is_null(null) => null_test(inner, !holds),
        Expr::IsNotDistinctFrom(inner, null) if is_null(null) => null_test(inner, holds),
        Expr::Value(value) => match value.value {
            Value::Boolean(truth) if truth != holds => Fact::Never,
            _ => Fact::Other,
        },
        Expr::BinaryOp { left, op, right } => comparison(left, op, right, holds),
        Expr::Between { expr, negated, low, high } => {
            let parts = vec![
                compare(expr, Comparison::GreaterOrEqual, low, holds != *negated),
                compare(expr, Comparison::LessOrEqual, high, holds != *negated),
            ];
            if holds != *negated { Fact::And(parts) } else { Fact::Or(parts) }
        }
        Expr::InList { expr, list, negated } if holds != *negated => one_of(expr, list),
        Expr::InList { expr, list, .. } => none_of(expr, list),
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } if holds => match elements(right) {
            Some(list) => one_of(left, list),
            None => Fact::Other,
        },
        Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } if holds => match elements(right) {
            Some(list) => none_of(left, list),
            None => Fact::Other,
        },
        _ => Fact::Other,
    }
}

fn junction<'a>(parts: [&'a Expr; 2], holds: bool, all: bool) -> Fact<'a> {
    let parts = parts.into_iter().map(|part| fact(part, holds)).collect();
    if all { Fact::And(parts) } else { Fact::Or(parts) }
}

/// A row is NOT NULL when all its fields are; that it is NULL says nothing of use.
fn null_test(tested: &Expr, null: bool) -> Fact<'_> {
    match tested {
        Expr::Nested(inner) => null_test(inner, null),
        Expr::Tuple(fields) if !null => Fact::And(fields.iter().map(|field| Fact::NotNull(subject(field))).collect()),
        Expr::Tuple(_) => Fact::Other,
        tested if null => Fact::Null(subject(tested)),
        tested => Fact::NotNull(subject(tested)),
    }
}

fn comparison<'a>(left: &'a Expr, op: &BinaryOperator, right: &'a Expr, holds: bool) -> Fact<'a> {
    let Some(comparison) = Comparison::of(op) else { return Fact::Other };
    // `condition = true` is folded into the condition.
    if let (Some(truth), Comparison::Equal | Comparison::NotEqual) = (boolean(right), comparison) {
        return fact(left, holds == (truth == (comparison == Comparison::Equal)));
    }
    if is_constant(left) && !is_constant(right) {
        return compare(right, comparison.commuted(), left, holds);
    }
    compare(left, comparison, right, holds)
}

fn compare<'a>(left: &Expr, comparison: Comparison, right: &'a Expr, holds: bool) -> Fact<'a> {
    if !is_constant(right) {
        return Fact::Other;
    }
    let comparison = if holds { comparison } else { comparison.negated() };
    Fact::Compare(subject(left), comparison, right)
}

fn one_of<'a>(tested: &Expr, list: &'a [Expr]) -> Fact<'a> {
    Fact::Or(list.iter().map(|item| compare(tested, Comparison::Equal, item, true)).collect())
}

fn none_of<'a>(tested: &Expr, list: &'a [Expr]) -> Fact<'a> {
    Fact::And(list.iter().map(|item| compare(tested, Comparison::Equal, item, false)).collect())
}

fn elements(array: &Expr) -> Option<&[Expr]> {
    match array {
        Expr::Nested(inner) => elements(inner),
        Expr::Cast { expr, .. } => elements(expr),
        Expr::Array(array) => Some(&array.elem),
        _ => None,
    }
}

fn boolean(expression: &Expr) -> Option<bool> {
    match expression {
        Expr::Value(ast::ValueWithSpan { value: Value::Boolean(truth), .. }) => Some(*truth),
        _ => None,
    }
}

fn is_null(expression: &Expr) -> bool {
    matches!(expression, Expr::Value(ast::ValueWithSpan { value: Value::Null, .. }))
}

fn is_constant(expression: &Expr) -> bool {
    match expression {
        Expr::Value(_) | Expr::TypedString(_) => true,
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => is_constant(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => is_constant(expr),
        _ => false,
    }
}

/// Observed on 14, 16 and 18: IS NOT NULL, NOT (… IS NULL), rows, both sides of an OR prove it; strict operators (a CHECK
/// passes when it is NULL), IS TRUE and its kin, and calls do not.
pub(super) fn proves_not_null(check: &Expr, column: &Name) -> bool {
    implies_not_null(&fact(check, true), &column_subject(column))
}

pub(super) fn implies_not_null(fact: &Fact, wanted: &str) -> bool {
    match fact {
        Fact::NotNull(subject) => subject == wanted,
        Fact::And(parts) => parts.iter().any(|part| implies_not_null(part, wanted)),
        Fact::Or(parts) => !parts.is_empty() && parts.iter().all(|part| implies_not_null(part, wanted)),
        Fact::Never => true,
        Fact::Null(_) | Fact::Compare(..) | Fact::Other => false,
    }
}
