//! What a condition of a plan asks of the columns of one relation, so that an index can be suggested for it.
//!
//! The server prints conditions as SQL of its own spelling; sqlparser reads them. What it cannot read gives no suggestion.

mod obstacle;
mod wrapped;

pub(super) use obstacle::{Obstacle, obstacle};
pub(super) use wrapped::{Way, Wrapped, is_doubtful, wrapped_column};

use crate::walk::visit_expressions;
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};

use super::expression::{conjuncts, has_few_values, parse, plain};
use super::immutable;
use super::node::{Node, quote};

/// What is asked of one column or expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Atom {
    /// The column as SQL, or an expression in parentheses.
    pub key: String,
    /// The column, where it is one by itself.
    pub column: Option<String>,
    pub use_: Use,
    /// The column is cast to text, which changes nothing only if it is varchar; with the literal that it is compared with.
    pub as_text: Option<String>,
    /// What the condition has to be written as for an index to serve it.
    pub rewrite: Option<String>,
    /// For [`Use::Flag`]: the condition itself.
    pub predicate: Option<String>,
    /// For [`Use::Contains`]: GiST serves it, and GIN does not.
    pub gist: bool,
    /// The key is a column that is cast to numeric or to a floating-point number.
    pub as_number: Option<AsNumber>,
    /// Compared with several values: rows of an index come in no order of its further columns.
    pub several: bool,
}

/// A column as a number of another type, mostly because a driver sent the value so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AsNumber {
    pub column: String,
    /// What it is compared with, where that is a constant.
    pub value: String,
}

impl AsNumber {
    /// Whether no integer column can hold the value.
    pub fn is_beyond_integers(&self) -> bool {
        let digits = self.value.trim_start_matches('-').split('.').next().unwrap_or_default();
        digits.chars().all(|c| c.is_ascii_digit()) && digits.len() >= 19 && self.value.parse::<i64>().is_err()
    }
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
    /// IS NULL, IS NOT NULL, a boolean column: better the condition of a partial index than its column.
    Flag,
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

/// Whether one part is an operator that only extensions have: similarity (`%` has no truth value otherwise) and what is not known.
pub(super) fn has_operator_without_statistics(condition: &str) -> bool {
    let Some(expression) = parse(condition) else { return false };
    let mut parts = Vec::new();
    conjuncts(&expression, &mut parts);
    parts.iter().any(|part| match plain(part) {
        Expr::BinaryOp { op, .. } => {
            matches!(op, BinaryOperator::Modulo | BinaryOperator::Custom(_) | BinaryOperator::PGCustomBinaryOperator(_))
        }
        _ => false,
    })
}

fn atom(node: &Names, part: &Expr) -> Option<Atom> {
    let of = |key: &Expr, use_: Use| key_atom(node, key, use_);
    let flag = |key: &Expr| {
        let atom = of(key, Use::Flag)?;
        let predicate = Some(unqualified(node, &plain(part).to_string()));
        Some(Atom { use_: if atom.column.is_some() { Use::Flag } else { Use::Other }, predicate, ..atom })
    };
    match part {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => flag(part),
        Expr::IsNull(key) | Expr::IsNotNull(key) | Expr::IsTrue(key) | Expr::IsFalse(key) => flag(key),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } if column(node, plain(expr)).is_some() => flag(expr),
        Expr::UnaryOp { expr, .. } => of(expr, Use::Other),
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => match column(node, plain(right)) {
            // A value that is in an array of the row.
            Some(_) if !names_columns(node, left) => {
                let atom = of(right, Use::Contains)?;
                let value = plain(left);
                Some(Atom { rewrite: Some(format!("{} @> ARRAY[{value}]", atom.key)), ..atom })
            }
            _ => of(left, Use::Equal).map(|atom| Atom { several: true, ..atom }),
        },
        Expr::BinaryOp { left, op, right } => compared(node, left, op, right),
        other => of(other, Use::Other),
    }
}

/// What is asked of a column, or of an expression that names some.
fn key_atom(node: &Names, key: &Expr, use_: Use) -> Option<Atom> {
    let key = plain(key);
    let column = column(node, key);
    let (text, use_) = match &column {
        Some(column) => (quote(column), use_),
        // An index takes immutable expressions only.
        None if names_columns(node, key) => {
            let serves = immutable::is(key) && !has_few_values(key);
            (format!("({})", unqualified(node, &key.to_string())), if serves { use_ } else { Use::Other })
        }
        None => return None,
    };
    let as_text = matches!(key, Expr::Cast { .. }).then(String::new).filter(|_| column.is_some());
    let as_number = number_of(node, key).map(|column| AsNumber { column, value: String::new() });
    Some(Atom {
        key: text,
        column,
        use_,
        as_text,
        rewrite: None,
        predicate: None,
        gist: false,
        as_number,
        several: false,
    })
}

fn compared(node: &Names, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Atom> {
    let of = |key: &Expr, use_: Use| key_atom(node, key, use_);
    let use_ = usage(op, right);
    // The side that names this relation's columns is the key; both sides do not make one.
    let (atom, other) = match (names_columns(node, left), names_columns(node, right)) {
        (true, false) if *op != BinaryOperator::ArrowAt => (of(left, use_)?, right),
        // Below a node of a tree, within a range or a shape.
        (true, false) if contains_shapes(right) => (of(left, Use::Contains)?, right),
        (true, false) => (of(left, Use::Other)?, right),
        (false, true) if matches!(use_, Use::Equal | Use::Range) => (of(right, use_)?, left),
        (false, true) if matches!(op, BinaryOperator::ArrowAt | BinaryOperator::PGOverlap) => {
            (of(right, Use::Contains)?, left)
        }
        (true, true) => (of(left, Use::Other)?, right),
        _ => return None,
    };
    let as_text = atom.as_text.map(|_| pattern(other).unwrap_or_default());
    let value = || number(other).unwrap_or_default();
    let as_number = atom.as_number.map(|number| AsNumber { value: value(), ..number });
    // What changes from row to row is no key to look up by.
    let use_ = if immutable::is_volatile(other) { Use::Other } else { atom.use_ };
    let gist = use_ == Use::Contains && (is_spatial(other) || is_scalar(other) && *op == BinaryOperator::AtArrow);
    Some(Atom { as_text, as_number, use_, gist, ..atom })
}

/// Ranges, shapes and paths of a tree, which have operator classes of GiST only.
fn is_spatial(value: &Expr) -> bool {
    const TYPES: &[&str] =
        &["box", "polygon", "circle", "point", "path", "lseg", "geometry", "geography", "ltree", "lquery", "cube"];
    type_of(value).is_some_and(|name| {
        name.ends_with("range") || TYPES.iter().any(|known| name == *known || name.starts_with(&format!("{known}(")))
    })
}

/// Types within whose values GiST finds others: of a range it is not known whether the column is one too, or a moment.
fn contains_shapes(value: &Expr) -> bool {
    type_of(value).is_some_and(|name| ["box", "polygon", "circle", "ltree", "cube"].contains(&name.as_str()))
}

/// A moment or a number: what a range contains. Arrays and documents contain arrays and documents.
fn is_scalar(value: &Expr) -> bool {
    const TYPES: &[&str] = &[
        "date",
        "integer",
        "bigint",
        "smallint",
        "numeric",
        "now",
        "current_date",
        "current_timestamp",
        "localtimestamp",
    ];
    match plain(value) {
        Expr::Value(value) => matches!(value.value, Value::Number(..)),
        _ => type_of(value).is_some_and(|name| {
            !name.ends_with(']') && (name.starts_with("timestamp") || TYPES.contains(&name.as_str()))
        }),
    }
}

/// The type that a value says it has, or the function that returns it.
fn type_of(value: &Expr) -> Option<String> {
    match plain(value) {
        Expr::Cast { data_type, .. } => Some(data_type.to_string().to_lowercase()),
        Expr::TypedString(typed) => Some(typed.data_type.to_string().to_lowercase()),
        Expr::Function(function) => Some(function.name.to_string().to_lowercase()),
        _ => None,
    }
}

/// The column that is cast to numeric or to a floating-point number.
fn number_of(node: &Names, key: &Expr) -> Option<String> {
    let Expr::Cast { expr, data_type, .. } = key else { return None };
    let to = data_type.to_string().to_lowercase();
    ["numeric", "double precision", "float8", "real"].contains(&to.as_str()).then(|| column(node, plain(expr)))?
}

/// A constant as the server prints one of numeric: `'17'::numeric`, `17.5`.
fn number(expression: &Expr) -> Option<String> {
    match plain(expression) {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => Some(number.to_string()),
            _ => pattern(expression),
        },
        Expr::Cast { expr, .. } => number(expr),
        _ => None,
    }
}

/// Whether a condition has the value of a subquery or a parameter in it: `$1`, not in a literal (a path of jsonb has some).
pub(super) fn has_parameter(condition: &str) -> bool {
    condition.match_indices('$').any(|(at, _)| {
        condition[at + 1..].starts_with(|c: char| c.is_ascii_digit())
            && condition[..at].matches('\'').count().is_multiple_of(2)
    })
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
        BinaryOperator::AtArrow
        | BinaryOperator::AtAt
        | BinaryOperator::AtQuestion
        | BinaryOperator::PGOverlap
        | BinaryOperator::Question => Use::Contains,
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

/// Whether a condition names a column of another relation: those are qualified. One that cannot be read may.
pub(super) fn names_others(condition: &str) -> bool {
    let Some(expression) = parse(condition) else { return true };
    let found = visit_expressions(&expression, |part| match part {
        Expr::CompoundIdentifier(_) => std::ops::ControlFlow::Break(()),
        _ => std::ops::ControlFlow::Continue(()),
    });
    found.is_break()
}

/// Whether a condition of a relation names columns of another one. What cannot be read may.
pub(super) fn depends_on_others(node: &Node, condition: &str) -> bool {
    let names = Names { reference: node.reference(), own: true };
    parse(condition).is_none_or(|expression| names_others_than(&names, &expression))
}

fn names_columns(node: &Names, expression: &Expr) -> bool {
    let found = visit_expressions(expression, |part| match column(node, part) {
        Some(_) => std::ops::ControlFlow::Break(()),
        None => std::ops::ControlFlow::Continue(()),
    });
    found.is_break()
}

/// An expression of the node's own columns, as an index has it, if it takes it.
pub(super) fn key_expression(node: &Node, text: &str) -> Option<String> {
    let names = &Names { reference: node.reference(), own: true };
    let expression = parse(text)?;
    let key = plain(&expression);
    (names_columns(names, key) && !names_others_than(names, key) && immutable::is(key))
        .then(|| unqualified(names, &key.to_string()))
}

/// A condition as that of a partial index, and a column that it asks.
pub(super) fn predicate(node: &Node, condition: &str) -> Option<(String, String)> {
    let names = &Names { reference: node.reference(), own: true };
    let expression = parse(condition)?;
    let column = wrapped::first_column(names, &expression)?;
    // What is cast to text may be a time, whose text depends on the session.
    if read_atoms(names, condition).iter().any(|atom| atom.as_text.is_some()) {
        return None;
    }
    Some((quote(&column), unqualified(names, &plain(&expression).to_string())))
}

fn names_others_than(node: &Names, expression: &Expr) -> bool {
    let found = visit_expressions(expression, |part| match part {
        Expr::CompoundIdentifier(_) if column(node, part).is_none() => std::ops::ControlFlow::Break(()),
        _ => std::ops::ControlFlow::Continue(()),
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
