//! What a condition of a plan asks of one relation.
//!
//! The server prints conditions as SQL; sqlparser reads them. What it cannot read gives no atom.

use std::ops::ControlFlow;

use crate::walk::{visit_expressions, visit_expressions_mut};
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::tables::TableInfo;
use crate::change::Name;
use crate::plan::expression::{conjuncts, has_few_values, parse, plain};

/// One of the parts of a condition that are AND-ed.
#[derive(Debug, Clone, PartialEq)]
pub struct Atom {
    /// The column as SQL, or an expression in parentheses.
    pub key: String,
    pub column: Option<String>,
    pub usage: Use,
    /// The whole part with plain names of columns, where it holds no parameter: what a partial index can be restricted to.
    pub predicate: Option<String>,
    /// It compares with another relation.
    pub join: bool,
    /// The parameter that it is compared with, where it is compared with one and nothing else.
    pub parameter: Option<Parameter>,
    /// On which side of what it is compared with it is; `None` for what is no comparison.
    pub side: Option<Side>,
    /// As the server prints it; empty where there is none.
    pub operator: String,
    /// The key is on the right of the operator.
    pub commuted: bool,
    /// It is compared with a list.
    pub list: bool,
}

impl Atom {
    /// The pattern of a LIKE is a parameter: whether it begins with a wildcard is not known.
    pub(super) fn parameter_is_pattern(&self) -> bool {
        self.usage == Use::Pattern && self.predicate.is_none() && !self.join
    }
}

/// A parameter that a column is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    pub number: usize,
    pub side: Side,
}

/// On which side of a parameter a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Equal,
    Above,
    Below,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Use {
    Equal,
    /// IS NULL, a boolean column, or its negation.
    Flag,
    Range,
    /// LIKE 'abc%'.
    Prefix,
    /// LIKE '%abc%', or a pattern that is not known.
    Pattern,
    /// Any other operator: which indexes serve it is told by the catalog.
    Operator,
    NotNull,
}

/// The atoms of a condition about the relation that columns are qualified with as `alias`.
pub fn atoms(condition: &str, alias: &str, table: &TableInfo) -> Vec<Atom> {
    with_stack(condition, || {
        let Some(expression) = parse(condition) else { return Vec::new() };
        let mut parts = Vec::new();
        conjuncts(&expression, &mut parts);
        parts.iter().filter_map(|part| Reader { alias, table }.atom(part)).collect()
    })
}

/// Of each part that is an OR, the atoms of its sides: indexes on all of them can be combined. Only where every side has some.
pub fn alternatives(condition: &str, alias: &str, table: &TableInfo) -> Vec<Vec<Atom>> {
    with_stack(condition, || {
        let Some(expression) = parse(condition) else { return Vec::new() };
        let mut parts = Vec::new();
        conjuncts(&expression, &mut parts);
        let reader = Reader { alias, table };
        let sides_of = |part: &&Expr| {
            let mut sides = Vec::new();
            disjuncts(part, &mut sides);
            let atoms = |side: &&Expr| {
                let mut parts = Vec::new();
                conjuncts(side, &mut parts);
                parts.iter().filter_map(|part| reader.atom(part)).filter(|atom| !atom.join).collect()
            };
            let found: Vec<Vec<Atom>> = sides.iter().map(atoms).collect();
            (found.len() > 1 && found.iter().all(|atoms| !atoms.is_empty())).then_some(found)
        };
        parts.iter().filter_map(sides_of).flatten().collect()
    })
}

/// A chain of operators makes a tree as deep as it is long.
fn with_stack<T>(text: &str, read: impl FnOnce() -> T) -> T {
    if text.len() > 1000 { stacker::grow(crate::stack::DEEPEST, read) } else { read() }
}

/// A column or expression of a sort or group key: SQL without the qualifier, and the column.
pub fn key(text: &str, alias: &str, table: &TableInfo) -> Option<(String, Option<String>)> {
    with_stack(text, || Reader { alias, table }.key(&parse(text)?))
}

/// The side of a comparison that is an expression over a column and a parameter, such as `(t.meta ->> $1)`.
pub fn expression_with_parameter(condition: &str, alias: &str) -> Option<String> {
    with_stack(condition, || {
        let expression = parse(condition)?;
        let mut parts = Vec::new();
        conjuncts(&expression, &mut parts);
        let names = |side: &&&Expr| !matches!(plain(side), Expr::CompoundIdentifier(_)) && columns_in(side, alias);
        parts.iter().find_map(|part| {
            let Expr::BinaryOp { left, op, right } = plain(part) else { return None };
            usage(op, right).or_else(|| commuted(op, left))?;
            let sides: [&Expr; 2] = [left, right];
            let side = sides.iter().find(|side| names(side) && has_parameter(side))?;
            Some(plain(side).to_string())
        })
    })
}

fn columns_in(expression: &Expr, alias: &str) -> bool {
    visit_expressions(expression, |part| match column_of(part, alias) {
        Some(_) => ControlFlow::Break(()),
        None => ControlFlow::Continue(()),
    })
    .is_break()
}

/// Columns in `value = ANY (t.column)`.
pub fn searched_arrays(condition: &str, alias: &str) -> Vec<String> {
    with_stack(condition, || {
        let Some(expression) = parse(condition) else { return Vec::new() };
        let mut parts = Vec::new();
        conjuncts(&expression, &mut parts);
        let column = |part: &&Expr| match plain(part) {
            Expr::AnyOp { compare_op: BinaryOperator::Eq, right, .. } => {
                column_of(plain(right), alias).map(str::to_owned)
            }
            _ => None,
        };
        parts.iter().filter_map(column).collect()
    })
}

fn disjuncts<'e>(expression: &'e Expr, sides: &mut Vec<&'e Expr>) {
    match expression {
        Expr::Nested(inside) => disjuncts(inside, sides),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            disjuncts(left, sides);
            disjuncts(right, sides);
        }
        other => sides.push(other),
    }
}

/// The column that `max(t.c)` or `min(t.c)` of a plan's output is of, as an index would have it.
pub fn extreme(output: &str, alias: &str, table: &TableInfo) -> Option<(String, Option<String>)> {
    let output = output.strip_prefix("PARTIAL ").unwrap_or(output);
    let inside = ["max(", "min("].iter().find_map(|name| output.strip_prefix(name))?.strip_suffix(')')?;
    key(inside, alias, table)
}

fn column_of<'e>(expression: &'e Expr, alias: &str) -> Option<&'e str> {
    match expression {
        Expr::CompoundIdentifier(names) => match &names[..] {
            [qualifier, name] if qualifier.value == alias => Some(&name.value),
            _ => None,
        },
        _ => None,
    }
}

struct Reader<'t> {
    alias: &'t str,
    table: &'t TableInfo,
}

impl Reader<'_> {
    fn atom(&self, part: &Expr) -> Option<Atom> {
        match plain(part) {
            Expr::IsNull(key) => self.of(key, Use::Flag, part, &[]),
            Expr::IsNotNull(key) => self.of(key, Use::NotNull, part, &[]),
            flag @ Expr::CompoundIdentifier(_) => self.of(flag, Use::Flag, part, &[]),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } if column_of(plain(expr), self.alias).is_some() => {
                self.of(expr, Use::Flag, part, &[])
            }
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => {
                let parameter = parameter(right).map(|number| Parameter { number, side: Side::Equal });
                let atom = self.of(left, Use::Equal, part, &[right])?;
                Some(Atom { list: true, operator: "=".to_owned(), parameter, ..atom })
            }
            Expr::BinaryOp { left, op, right } => match (self.names(left), self.names(right)) {
                (true, false) => {
                    Some(Atom { operator: op.to_string(), ..self.of(left, usage(op, right)?, part, &[right])? })
                }
                (false, true) => {
                    let atom = self.of(right, commuted(op, left)?, part, &[left])?;
                    Some(Atom { operator: op.to_string(), commuted: true, ..atom })
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn of(&self, key: &Expr, usage: Use, part: &Expr, others: &[&Expr]) -> Option<Atom> {
        let (key, column) = self.key(key)?;
        let join = others.iter().any(|other| names_any(other));
        let constant = !others.iter().any(|other| names_any(other) || has_parameter(other));
        let predicate = constant.then(|| self.unqualified(part));
        let other = if let [other] = others { Some(*other) } else { None };
        let side = other.and_then(|other| side(part, other));
        let number = other.and_then(parameter);
        let parameter = side.zip(number).map(|(side, number)| Parameter { number, side });
        let (operator, commuted, list) = (String::new(), false, false);
        Some(Atom { key, column, usage, predicate, join, parameter, side, operator, commuted, list })
    }

    /// The column, also behind a cast that changes nothing for an index, or the expression.
    fn key(&self, expression: &Expr) -> Option<(String, Option<String>)> {
        let expression = plain(expression);
        let bare = match expression {
            Expr::Cast { expr, data_type, .. } if data_type.to_string().eq_ignore_ascii_case("text") => {
                let varying = |name: &&str| {
                    self.table.columns.get(*name).is_some_and(|it| it.data_type.starts_with("character varying"))
                };
                column_of(plain(expr), self.alias).filter(varying)
            }
            other => column_of(other, self.alias),
        };
        if let Some(column) = bare {
            return Some((Name::new(column).to_string(), Some(column.to_owned())));
        }
        // A column as another type: the value should be cast, not the column.
        if let Expr::Cast { expr, data_type, .. } = expression
            && let Some(column) = column_of(plain(expr), self.alias)
            && !self.is_day_of(column, &data_type.to_string())
        {
            return None;
        }
        // An expression over this relation alone.
        let own = self.names(expression) && !self.names_others(expression) && !has_parameter(expression);
        // The planner, without statistics, would take one of them for one in two hundred.
        let own = own && !has_few_values(expression);
        own.then(|| (format!("({})", self.unqualified(expression)), None))
    }

    /// The day of a time: many times have the same, so that no other value stands for it.
    fn is_day_of(&self, column: &str, data_type: &str) -> bool {
        let known = self.table.columns.get(column);
        data_type.eq_ignore_ascii_case("date") && known.is_some_and(|it| it.data_type == "timestamp without time zone")
    }

    fn names(&self, expression: &Expr) -> bool {
        columns_in(expression, self.alias)
    }

    fn names_others(&self, expression: &Expr) -> bool {
        visit_expressions(expression, |part| match part {
            Expr::CompoundIdentifier(_) if column_of(part, self.alias).is_none() => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .is_break()
    }

    fn unqualified(&self, expression: &Expr) -> String {
        let mut copy = plain(expression).clone();
        let _ = visit_expressions_mut(&mut copy, |part| {
            if let Expr::CompoundIdentifier(names) = part
                && let [qualifier, name] = &names[..]
                && qualifier.value == self.alias
            {
                *part = Expr::Identifier(name.clone());
            }
            ControlFlow::<()>::Continue(())
        });
        with_plain_types(&copy.to_string())
    }
}

/// sqlparser writes `'a'::TEXT`, PostgreSQL `'a'::text`.
fn with_plain_types(sql: &str) -> String {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, sql).with_unescape(false).tokenize() else {
        return sql.to_owned();
    };
    let mut text = String::new();
    let mut in_type = false;
    for token in &tokens {
        match token {
            Token::DoubleColon => in_type = true,
            Token::Word(word) if in_type && word.quote_style.is_none() => {
                text.push_str(&word.value.to_lowercase());
                continue;
            }
            Token::Word(_) | Token::Whitespace(_) => {}
            _ => in_type = false,
        }
        text.push_str(&token.to_string());
    }
    text
}

fn names_any(expression: &Expr) -> bool {
    visit_expressions(expression, |part| match part {
        Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

fn has_parameter(expression: &Expr) -> bool {
    visit_expressions(expression, |part| match part {
        Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

/// On which side of `other` the rest of a comparison is.
fn side(part: &Expr, other: &Expr) -> Option<Side> {
    let Expr::BinaryOp { left, op, .. } = plain(part) else { return None };
    let commuted = std::ptr::eq(&**left, other);
    if usage(op, other) == Some(Use::Operator) {
        return Some(Side::Equal);
    }
    match (op, commuted) {
        (BinaryOperator::Eq, _) | (BinaryOperator::PGLikeMatch, false) => Some(Side::Equal),
        (BinaryOperator::Gt | BinaryOperator::GtEq, false) | (BinaryOperator::Lt | BinaryOperator::LtEq, true) => {
            Some(Side::Above)
        }
        (BinaryOperator::Lt | BinaryOperator::LtEq, false) | (BinaryOperator::Gt | BinaryOperator::GtEq, true) => {
            Some(Side::Below)
        }
        _ => None,
    }
}

/// The number of `$n`, also behind a cast.
fn parameter(expression: &Expr) -> Option<usize> {
    match plain(expression) {
        Expr::Cast { expr, .. } => parameter(expr),
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => name.strip_prefix('$')?.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

fn usage(op: &BinaryOperator, right: &Expr) -> Option<Use> {
    Some(match op {
        BinaryOperator::Eq => Use::Equal,
        BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq => Use::Range,
        BinaryOperator::PGLikeMatch => match literal(right) {
            Some(pattern) if !pattern.starts_with(['%', '_']) => Use::Prefix,
            _ => Use::Pattern,
        },
        BinaryOperator::PGILikeMatch | BinaryOperator::PGRegexMatch | BinaryOperator::PGRegexIMatch => Use::Pattern,
        BinaryOperator::NotEq
        | BinaryOperator::PGNotLikeMatch
        | BinaryOperator::PGNotILikeMatch
        | BinaryOperator::PGRegexNotMatch
        | BinaryOperator::PGRegexNotIMatch
        | BinaryOperator::Or
        | BinaryOperator::And => return None,
        _ => Use::Operator,
    })
}

fn commuted(op: &BinaryOperator, left: &Expr) -> Option<Use> {
    match usage(op, left)? {
        // The pattern is on the right: here a column is one.
        Use::Prefix | Use::Pattern => None,
        usage => Some(usage),
    }
}

/// What rows are ordered by where it is a distance from a column: the column, the operator, whether the column is on its right.
pub fn distance(text: &str, alias: &str, table: &TableInfo) -> Option<Atom> {
    with_stack(text, || {
        let expression = parse(text)?;
        let atom = Reader { alias, table }.atom(&expression)?;
        (atom.usage == Use::Operator && !atom.join).then_some(atom)
    })
}

fn literal(expression: &Expr) -> Option<&str> {
    match plain(expression) {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        Expr::Cast { expr, .. } => literal(expr),
        _ => None,
    }
}
