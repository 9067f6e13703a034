//! Which partitions a condition or a row can concern, and whether an index answers a condition: what the planner decides before it opens
//! tables. Only what is certain is said: constants compared with the partition key.

use std::cmp::Ordering;
use std::sync::Arc;

use sqlparser::ast;

use super::predictor::Predictor;
use crate::change::{Name, PartitionBound};
use crate::schema::{ColumnId, Relation, RelationKind};

/// A constant of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Constant(String);

impl Constant {
    /// Numbers by value, everything else as text: partition bounds are written as the constants are (dates in ISO form).
    fn compare(&self, other: &Constant) -> Ordering {
        match (self.0.parse::<i64>(), other.0.parse::<i64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => self.0.cmp(&other.0),
        }
    }
}

impl Predictor<'_> {
    /// The table and those of its partitions that rows with these values can be in.
    pub fn live(&self, table: &Relation, only: bool, value: &dyn Fn(&Name) -> Option<Constant>) -> Vec<Arc<Relation>> {
        let whole = || self.family(table, only);
        let RelationKind::PartitionedTable(key) = &table.kind else { return whole() };
        let [column] = key.columns[..] else { return whole() };
        let constant = table.column_by_id(column).and_then(|column| value(&column.name));
        let (Some(constant), 1) = (constant, key.elements.len()) else { return whole() };
        let children = || table.children.iter().filter_map(|id| self.relation(*id));
        let mut chosen = None;
        for child in children() {
            match child.bound.as_ref().map(|bound| accepts(bound, &constant)) {
                Some(Some(true)) => chosen = Some(child),
                Some(Some(false)) => {}
                _ => return whole(),
            }
        }
        let chosen = chosen.or_else(|| children().find(|child| child.bound == Some(PartitionBound::Default)));
        let own = self.family(table, true);
        own.into_iter().chain(chosen.into_iter().flat_map(|child| self.live(child, false, value))).collect()
    }

    /// Whether an AND-ed part of a condition compares the first column of an index with a constant for equality.
    pub fn finds_by_index(&self, table: &Relation, condition: &ast::Expr) -> bool {
        match condition {
            ast::Expr::Nested(inner) => self.finds_by_index(table, inner),
            ast::Expr::BinaryOp { left, op: ast::BinaryOperator::And, right } => {
                self.finds_by_index(table, left) || self.finds_by_index(table, right)
            }
            ast::Expr::BinaryOp { left, op: ast::BinaryOperator::Eq, right } => {
                self.is_indexed_column(table, left) && column_name(right).is_none()
                    || self.is_indexed_column(table, right) && column_name(left).is_none()
            }
            ast::Expr::InList { expr, negated: false, .. } => self.is_indexed_column(table, expr),
            ast::Expr::Between { expr, negated: false, .. } => self.is_indexed_column(table, expr),
            _ => false,
        }
    }

    fn is_indexed_column(&self, table: &Relation, expression: &ast::Expr) -> bool {
        let column = column_name(expression).and_then(|name| table.column(&name));
        column.is_some_and(|column| self.is_indexed(table, column.id))
    }

    pub fn is_indexed(&self, table: &Relation, column: ColumnId) -> bool {
        self.schema().indexes_of(table.id).any(|index| {
            index.as_index().is_some_and(|it| it.columns.first() == Some(&Some(column)) && it.predicate.is_none())
        })
    }
}

/// The constant that AND-ed parts of a condition demand for a column.
pub(super) fn demanded(condition: &ast::Expr, column: &Name) -> Option<Constant> {
    match condition {
        ast::Expr::Nested(inner) => demanded(inner, column),
        ast::Expr::BinaryOp { left, op: ast::BinaryOperator::And, right } => {
            demanded(left, column).or_else(|| demanded(right, column))
        }
        ast::Expr::BinaryOp { left, op: ast::BinaryOperator::Eq, right } => {
            let is = |side: &ast::Expr| column_name(side).is_some_and(|name| name == *column);
            if is(left) {
                constant(right)
            } else if is(right) {
                constant(left)
            } else {
                None
            }
        }
        _ => None,
    }
}

pub(super) fn constant(expression: &ast::Expr) -> Option<Constant> {
    match expression {
        ast::Expr::Nested(inner) => constant(inner),
        ast::Expr::Cast { expr, .. } => constant(expr),
        ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => {
            constant(expr).map(|positive| Constant(format!("-{}", positive.0)))
        }
        ast::Expr::Value(value) => match &value.value {
            ast::Value::Number(number, _) => Some(Constant(number.to_string())),
            ast::Value::SingleQuotedString(text) => Some(Constant(text.clone())),
            _ => None,
        },
        _ => None,
    }
}

fn column_name(expression: &ast::Expr) -> Option<Name> {
    let ident = match expression {
        ast::Expr::Identifier(ident) => ident,
        ast::Expr::CompoundIdentifier(parts) => parts.last()?,
        _ => return None,
    };
    Some(if ident.quote_style.is_some() { Name::new(&ident.value) } else { Name::folded(&ident.value) })
}

/// `None`: it cannot be told.
fn accepts(bound: &PartitionBound, value: &Constant) -> Option<bool> {
    match bound {
        PartitionBound::Default => Some(false),
        PartitionBound::List(values) => {
            let constants: Option<Vec<_>> = values.iter().map(|it| constant(&it.tree)).collect();
            Some(constants?.iter().any(|it| it.compare(value) == Ordering::Equal))
        }
        PartitionBound::Range { from, to } => {
            let ([from], [to]) = (&from[..], &to[..]) else { return None };
            let is = |bound: &ast::Expr, word: &str| {
                column_name(bound).is_some_and(|name| name.as_str().eq_ignore_ascii_case(word))
            };
            let above = is(&from.tree, "minvalue") || constant(&from.tree)?.compare(value) != Ordering::Greater;
            let below = is(&to.tree, "maxvalue") || constant(&to.tree)?.compare(value) == Ordering::Greater;
            Some(above && below)
        }
        PartitionBound::Hash { .. } => None,
    }
}
