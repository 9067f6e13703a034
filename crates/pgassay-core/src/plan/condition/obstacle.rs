//! Why no index can serve a condition as it is written.

use sqlparser::ast::{BinaryOperator, Expr, Value};

use super::{Atom, Names, Use, atom, conjuncts, has_parameter, immutable, parse, plain};
use crate::plan::node::Node;

/// Why no index can serve a condition as it is written, and what it may be written as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plan) enum Obstacle {
    /// Alternatives on several columns, each of which an index serves.
    Alternatives(Vec<String>),
    NotDistinct,
    /// A function that returns something else for each row.
    Volatile,
    Subquery,
    /// `$1 IS NULL OR column = $1`: these columns.
    Optional(Vec<String>),
    /// Compared with nothing but constants: a partial index can hold those rows.
    Constant,
    Unknown,
}

pub(in crate::plan) fn obstacle(node: &Node, condition: &str) -> Obstacle {
    let names = &Names { reference: node.reference(), own: true };
    if ["SubPlan ", "InitPlan "].iter().any(|mark| condition.contains(mark)) {
        return Obstacle::Subquery;
    }
    let Some(expression) = parse(condition) else { return Obstacle::Unknown };
    if let Some(keys) = optional(names, &expression) {
        return Obstacle::Optional(keys);
    }
    if has_parameter(condition) {
        return Obstacle::Subquery;
    }
    if immutable::is_volatile(&expression) {
        return Obstacle::Volatile;
    }
    let mut alternatives = Vec::new();
    disjuncts(&expression, &mut alternatives);
    let keys: Vec<Option<Atom>> = alternatives.iter().map(|part| atom(names, plain(part))).collect();
    let served = keys.iter().all(|atom| {
        atom.as_ref().is_some_and(|atom| matches!(atom.use_, Use::Equal | Use::Range) && atom.as_text.is_none())
    });
    if alternatives.len() > 1 && served {
        let mut keys: Vec<String> = keys.into_iter().flatten().map(|atom| atom.key).collect();
        keys.dedup();
        return Obstacle::Alternatives(keys);
    }
    if condition.contains("IS NOT DISTINCT FROM") || condition.contains("IS DISTINCT FROM") {
        Obstacle::NotDistinct
    } else if immutable::is(&expression) {
        Obstacle::Constant
    } else {
        Obstacle::Unknown
    }
}

/// The columns of `$1 IS NULL OR column = $1`.
fn optional(names: &Names, expression: &Expr) -> Option<Vec<String>> {
    let is_parameter =
        |part: &Expr| matches!(plain(part), Expr::Value(value) if matches!(value.value, Value::Placeholder(_)));
    let without_cast = |part: &Expr| match plain(part) {
        Expr::Cast { expr, .. } => is_parameter(expr),
        part => is_parameter(part),
    };
    let mut parts = Vec::new();
    conjuncts(expression, &mut parts);
    let mut keys = Vec::new();
    for part in parts {
        let mut alternatives = Vec::new();
        disjuncts(part, &mut alternatives);
        if alternatives.iter().any(|part| matches!(plain(part), Expr::IsNull(value) if without_cast(value))) {
            let atoms = alternatives.iter().filter_map(|part| atom(names, plain(part)));
            keys.extend(atoms.filter(|atom| matches!(atom.use_, Use::Equal | Use::Range)).map(|atom| atom.key));
        }
    }
    keys.dedup();
    (!keys.is_empty()).then_some(keys)
}

fn disjuncts<'e>(expression: &'e Expr, parts: &mut Vec<&'e Expr>) {
    match expression {
        Expr::Nested(inside) => disjuncts(inside, parts),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            disjuncts(left, parts);
            disjuncts(right, parts);
        }
        other => parts.push(other),
    }
}
