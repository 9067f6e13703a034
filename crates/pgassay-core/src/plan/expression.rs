//! The expressions that a plan prints, read: conditions and keys.
//!
//! The server prints them as SQL of its own spelling; sqlparser reads them. What it cannot read is `None`.

use sqlparser::ast::{BinaryOperator, Expr};
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
