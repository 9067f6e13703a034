//! The expressions that a plan prints, read: conditions and keys.
//!
//! The server prints them as SQL of its own spelling; sqlparser reads them. What it cannot read is `None`.

use sqlparser::ast::{BinaryOperator, DateTimeField, Expr, Value};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

/// Deeper than anything that a person writes.
const DEEPEST: usize = 200;

/// A condition or key as a tree.
pub fn parse(text: &str) -> Option<Expr> {
    let text = without_subplans(text);
    let mut parser = Parser::new(&PostgreSqlDialect {}).with_recursion_limit(DEEPEST).try_with_sql(&text).ok()?;
    parser.parse_expr().ok()
}

/// `(InitPlan 1).col1`, `(SubPlan 2)`, `(hashed SubPlan 1).col1`: values from elsewhere, written like parameters.
fn without_subplans(condition: &str) -> String {
    let mut text = condition.to_owned();
    for mark in ["(InitPlan ", "(SubPlan ", "(hashed SubPlan "] {
        while let Some(start) = text.find(mark) {
            let Some(length) = text[start..].find(')') else { break };
            let mut end = start + length + 1;
            if let Some(column) = text[end..].strip_prefix(".col") {
                end += ".col".len() + column.chars().take_while(char::is_ascii_digit).count();
            }
            text.replace_range(start..end, "$1");
        }
    }
    text
}

/// The parts that are AND-ed.
pub fn conjuncts<'e>(expression: &'e Expr, parts: &mut Vec<&'e Expr>) {
    match expression {
        Expr::Nested(inside) => conjuncts(inside, parts),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            conjuncts(left, parts);
            conjuncts(right, parts);
        }
        other => parts.push(other),
    }
}

/// The expression without the parentheses around it.
pub fn plain(expression: &Expr) -> &Expr {
    match expression {
        Expr::Nested(inside) => plain(inside),
        other => other,
    }
}

/// Whether an expression has so few values that each is one of many rows: `id % 2`, a day of the week. An index on it finds too much.
pub fn has_few_values(expression: &Expr) -> bool {
    const FEW: u64 = 10;
    match plain(expression) {
        Expr::BinaryOp { op: BinaryOperator::Modulo, right, .. } => number(right).is_some_and(|divisor| divisor <= FEW),
        Expr::Extract { field, .. } => matches!(
            field,
            DateTimeField::Dow | DateTimeField::DayOfWeek | DateTimeField::Isodow | DateTimeField::Quarter
        ),
        _ => false,
    }
}

/// A number, also as the server prints one of another type: `'2'::bigint`.
fn number(expression: &Expr) -> Option<u64> {
    match plain(expression) {
        Expr::Cast { expr, .. } => number(expr),
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) | Value::SingleQuotedString(digits) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_and_days_of_the_week_have_few_values() {
        let few = |text: &str| parse(text).is_some_and(|expression| has_few_values(&expression));
        assert!(few("id % 2") && few("(id % '7'::bigint)") && few("EXTRACT(dow FROM at)"));
        assert!(!few("id % 4096") && !few("id % $1") && !few("EXTRACT(year FROM at)") && !few("lower(name)"));
    }
}
