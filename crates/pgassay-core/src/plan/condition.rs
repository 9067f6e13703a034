//! What a condition of a plan asks of the columns of one relation, so that an index can be suggested for it.
//!
//! The server prints conditions as SQL of its own spelling; sqlparser reads them. What it cannot read gives no suggestion.

use sqlparser::ast::{BinaryOperator, Expr, Value, visit_expressions};

use super::expression::{conjuncts, parse, plain};
use super::node::{Node, quote};

/// What is asked of one column or expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Atom {
    /// The column as SQL, or an expression in parentheses.
    pub key: String,
    /// The column, where it is one by itself.
    pub column: Option<String>,
    pub use_: Use,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Equal,
    Range,
    /// LIKE 'abc%'.
    Prefix,
    /// LIKE '%abc%', regular expressions.
    Pattern,
    /// @>, @@, && and the like.
    Contains,
    /// `<>`, NOT …: no index helps much.
    Other,
}

/// The parts that are AND-ed, each about one column or expression of the node's relation. The condition is the node's own: names
/// without a qualifier are its columns.
pub(super) fn atoms(node: &Node, condition: &str) -> Vec<Atom> {
    read_atoms(&Names { reference: node.reference(), own: true }, condition)
}

/// The same for a condition of another node, where only qualified names are columns of this one.
pub(super) fn atoms_elsewhere(node: &Node, condition: &str) -> Vec<Atom> {
    read_atoms(&Names { reference: node.reference(), own: false }, condition)
}

/// How a relation's columns are written.
struct Names<'a> {
    reference: Option<&'a str>,
    /// Without a qualifier too.
    own: bool,
}

fn read_atoms(node: &Names, condition: &str) -> Vec<Atom> {
    let Some(expression) = parse(condition) else { return Vec::new() };
    let mut parts = Vec::new();
    conjuncts(&expression, &mut parts);
    parts.iter().filter_map(|part| atom(node, part)).collect()
}

/// How many parts are AND-ed.
pub(super) fn clauses(condition: &str) -> usize {
    let Some(expression) = parse(condition) else { return 0 };
    let mut parts = Vec::new();
    conjuncts(&expression, &mut parts);
    parts.len()
}

fn atom(node: &Names, part: &Expr) -> Option<Atom> {
    let of = |key: &Expr, use_: Use| {
        let key = plain(key);
        let column = column(node, key);
        let key = match &column {
            Some(column) => quote(column),
            None if names_columns(node, key) => format!("({})", unqualified(node, &key.to_string())),
            None => return None,
        };
        Some(Atom { key, column, use_ })
    };
    match part {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => of(part, Use::Equal),
        Expr::IsNull(key) => of(key, Use::Equal),
        Expr::UnaryOp { expr, .. } | Expr::IsNotNull(expr) => of(expr, Use::Other),
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, .. } => of(left, Use::Equal),
        Expr::BinaryOp { left, op, right } => {
            let use_ = usage(op, right);
            // The side that names this relation's columns is the key; both sides do not make one.
            match (names_columns(node, left), names_columns(node, right)) {
                (true, false) => of(left, use_),
                (false, true) if matches!(use_, Use::Equal | Use::Range) => of(right, use_),
                (true, true) => of(left, Use::Other),
                _ => None,
            }
        }
        other => of(other, Use::Other),
    }
}

fn usage(op: &BinaryOperator, right: &Expr) -> Use {
    match op {
        BinaryOperator::Eq => Use::Equal,
        BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq => Use::Range,
        BinaryOperator::PGLikeMatch if pattern(right).is_some_and(|text| is_prefix(&text)) => Use::Prefix,
        BinaryOperator::PGLikeMatch
        | BinaryOperator::PGILikeMatch
        | BinaryOperator::PGRegexMatch
        | BinaryOperator::PGRegexIMatch => Use::Pattern,
        BinaryOperator::AtArrow | BinaryOperator::AtAt | BinaryOperator::PGOverlap | BinaryOperator::Question => {
            Use::Contains
        }
        _ => Use::Other,
    }
}

fn pattern(expression: &Expr) -> Option<String> {
    match plain(expression) {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        Expr::Cast { expr, .. } => pattern(expr),
        _ => None,
    }
}

fn is_prefix(pattern: &str) -> bool {
    !pattern.starts_with(['%', '_']) && pattern.find(['%', '_']) == pattern.len().checked_sub(1)
}

/// The column of the node's relation that an expression is, also behind a cast that changes nothing for an index (varchar to text).
fn column(node: &Names, expression: &Expr) -> Option<String> {
    match expression {
        Expr::Identifier(name) => node.own.then(|| name.value.clone()),
        Expr::CompoundIdentifier(names) => match &names[..] {
            [qualifier, name] if node.reference == Some(qualifier.value.as_str()) => Some(name.value.clone()),
            _ => None,
        },
        Expr::Cast { expr, data_type, .. } if data_type.to_string().eq_ignore_ascii_case("text") => {
            column(node, plain(expr))
        }
        _ => None,
    }
}

fn names_columns(node: &Names, expression: &Expr) -> bool {
    let found = visit_expressions(expression, |part| match column(node, part) {
        Some(_) => std::ops::ControlFlow::Break(()),
        None => std::ops::ControlFlow::Continue(()),
    });
    found.is_break()
}

/// An expression without the qualifier of its columns, as an index has them.
fn unqualified(node: &Names, text: &str) -> String {
    let text = with_small_types(text);
    match node.reference {
        Some(reference) => text.replace(&format!("{}.", quote(reference)), ""),
        None => text,
    }
}

/// sqlparser prints types in capitals, PostgreSQL in small letters. What stands in quotes stays.
fn with_small_types(text: &str) -> String {
    let (mut out, mut quote, mut in_type) = (String::with_capacity(text.len()), None, false);
    for c in text.chars() {
        match quote {
            Some(open) if open == c => quote = None,
            Some(_) => {}
            None if matches!(c, '\'' | '"') => (quote, in_type) = (Some(c), false),
            None if out.ends_with("::") => in_type = true,
            None => {}
        }
        in_type &= c.is_ascii_alphanumeric() || matches!(c, ' ' | '_');
        out.push(if in_type && quote.is_none() { c.to_ascii_lowercase() } else { c });
    }
    out
}

/// A cast or a function around a column, which keeps a plain index on the column from being used.
pub(super) fn wrapped_column(node: &Node, condition: &str) -> Option<(String, String)> {
    let node = &Names { reference: node.reference(), own: true };
    let expression = parse(condition)?;
    let mut parts = Vec::new();
    conjuncts(&expression, &mut parts);
    parts.iter().find_map(|part| {
        let Expr::BinaryOp { left, op, right } = part else { return None };
        if !matches!(usage(op, right), Use::Equal | Use::Range) {
            return None;
        }
        [left, right].into_iter().find_map(|side| {
            let side = plain(side);
            let wrapped = matches!(
                side,
                Expr::Cast { .. } | Expr::Function(_) | Expr::BinaryOp { op: BinaryOperator::LongArrow, .. }
            );
            let inside = (wrapped && column(node, side).is_none()).then(|| first_column(node, side)).flatten()?;
            Some((unqualified(node, &side.to_string()), inside))
        })
    })
}

fn first_column(node: &Names, expression: &Expr) -> Option<String> {
    let mut found = None;
    let _ = visit_expressions(expression, |part| match column(node, part) {
        Some(name) => {
            found = Some(name);
            std::ops::ControlFlow::Break(())
        }
        None => std::ops::ControlFlow::Continue(()),
    });
    found
}
