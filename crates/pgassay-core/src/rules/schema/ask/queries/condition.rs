//! What conditions and expressions do with columns.

use sqlparser::ast::{self, BinaryOperator, Expr, SetExpr, UnaryOperator};

use super::UseKind;
use super::tree::{Constant, arguments, compares, constant, is_coalesce, is_count};
use super::walk::Walk;
use crate::schema::{ColumnId, RelationId};

impl Walk<'_, '_> {
    /// An expression that is true, false or neither, and leaves out rows where it is not true.
    pub(super) fn condition(&mut self, expr: &Expr) {
        match expr {
            Expr::Nested(inner) => self.condition(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, right } => {
                self.condition(left);
                self.condition(right);
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => match self.column(expr) {
                Some(column) => self.put(column, UseKind::NegatedBoolean),
                None => self.condition(expr),
            },
            Expr::IsNull(inner) => match self.column(inner) {
                Some(column) if self.is_anti_join(inner, column) => self.put(column, UseKind::AntiJoin),
                Some(column) => self.tested(inner, column),
                None => self.value(inner),
            },
            Expr::IsNotNull(inner) => match self.column(inner) {
                Some(column) => self.tested(inner, column),
                None => self.value(inner),
            },
            Expr::IsFalse(inner) | Expr::IsTrue(inner) => self.value(inner),
            Expr::InSubquery { expr, subquery, negated } => {
                self.value(expr);
                self.query(subquery);
                if *negated {
                    self.returned(subquery);
                }
            }
            Expr::InList { expr, list, negated } => {
                self.compared(expr, if *negated { UseKind::Negated } else { UseKind::Equal });
                list.iter().for_each(|item| self.value(item));
            }
            Expr::Like { negated, expr, pattern, .. } | Expr::ILike { negated, expr, pattern, .. } => {
                self.compared(expr, if *negated { UseKind::Negated } else { UseKind::Compared });
                self.value(pattern);
            }
            Expr::Between { expr, low, high, .. } => {
                self.compared(expr, UseKind::Compared);
                self.value(low);
                self.value(high);
            }
            Expr::BinaryOp { left, op, right } => self.comparison(left, op, right),
            other => match self.column(other) {
                Some(column) => self.put(column, UseKind::Compared),
                None => self.value(other),
            },
        }
    }

    pub(super) fn comparison(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) {
        let kind = match op {
            BinaryOperator::Eq => UseKind::Equal,
            BinaryOperator::NotEq | BinaryOperator::PGRegexNotMatch | BinaryOperator::PGRegexNotIMatch => {
                UseKind::Negated
            }
            BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq => UseKind::Compared,
            BinaryOperator::AtArrow
            | BinaryOperator::Question
            | BinaryOperator::QuestionAnd
            | BinaryOperator::QuestionPipe => {
                match self.column(left) {
                    Some(column) => self.put(column, UseKind::Reached(op.to_string())),
                    None => self.value(left),
                }
                return self.value(right);
            }
            _ => {
                self.value(left);
                return self.value(right);
            }
        };
        for (one, other) in [(left, right), (right, left)] {
            if let Some(column) = self.column(one) {
                match constant(other) {
                    Some(Constant::Null) => return self.put(column, UseKind::EqualsNull),
                    Some(Constant::Boolean(value)) if value != (kind == UseKind::Equal) => {
                        return self.put(column, UseKind::NegatedBoolean);
                    }
                    _ => {}
                }
            }
        }
        self.compared(left, kind.clone());
        self.compared(right, kind);
    }

    /// One side of a comparison.
    pub(super) fn compared(&mut self, expr: &Expr, kind: UseKind) {
        match expr {
            Expr::Nested(inner) => self.compared(inner, kind),
            Expr::Function(call) if !is_coalesce(call) => {
                let arguments = arguments(call);
                for argument in &arguments {
                    match self.column(argument) {
                        Some(column) => self.put(column, UseKind::Wrapped(expr.to_string())),
                        None => self.value(argument),
                    }
                }
            }
            Expr::Cast { expr: inner, .. } => match self.column(inner) {
                Some(column) => self.put(column, UseKind::Wrapped(expr.to_string())),
                None => self.value(inner),
            },
            Expr::BinaryOp {
                left,
                op:
                    BinaryOperator::Arrow
                    | BinaryOperator::LongArrow
                    | BinaryOperator::HashArrow
                    | BinaryOperator::HashLongArrow,
                right,
            } => {
                match self.column(left) {
                    Some(column) => self.put(column, UseKind::Reached("->>".to_owned())),
                    None => self.value(left),
                }
                self.value(right);
            }
            _ => match self.column(expr) {
                Some(column) => self.put(column, kind),
                None => self.value(expr),
            },
        }
    }

    /// An expression of which only the value matters.
    pub(super) fn value(&mut self, expr: &Expr) {
        if let Some(column) = self.column(expr) {
            return self.put(column, UseKind::Read);
        }
        match expr {
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::UnaryOp { expr: inner, .. } => {
                self.value(inner)
            }
            Expr::BinaryOp { left, op, right } => self.operation(left, op, right),
            Expr::Function(call) => {
                let coalesce = is_coalesce(call);
                let count = is_count(call);
                for (number, argument) in arguments(call).into_iter().enumerate() {
                    match self.column(argument) {
                        Some(column) if coalesce && number == 0 => self.put(column, UseKind::Coalesced),
                        Some(column) if count && !self.is_outer(argument, column) => self.put(column, UseKind::Counted),
                        _ => self.value(argument),
                    }
                }
            }
            Expr::Case { conditions, else_result, .. } => {
                for when in conditions {
                    self.condition(&when.condition);
                    self.value(&when.result);
                }
                else_result.iter().for_each(|result| self.value(result));
            }
            Expr::Subquery(query) => self.query(query),
            Expr::Exists { subquery, .. } => self.query(subquery),
            Expr::InSubquery { .. } | Expr::InList { .. } | Expr::Like { .. } | Expr::Between { .. } => {
                self.condition(expr)
            }
            _ => {}
        }
    }

    /// What NOT IN (SELECT c …) returns.
    pub(super) fn returned(&mut self, query: &ast::Query) {
        let SetExpr::Select(select) = &*query.body else { return };
        let [ast::SelectItem::UnnamedExpr(expr) | ast::SelectItem::ExprWithAlias { expr, .. }] = &select.projection[..]
        else {
            return;
        };
        let before = self.found.len();
        self.scopes.push((Vec::new(), Vec::new()));
        select.from.iter().for_each(|table| self.table_with_joins(table));
        let column = self.column(expr);
        let guarded =
            column.is_some_and(|it| select.selection.iter().any(|condition| self.leaves_out_null(condition, it)));
        self.scopes.pop();
        self.found.truncate(before);
        if let Some(column) = column.filter(|_| !guarded) {
            self.put(column, UseKind::NotInSubquery);
        }
    }

    /// Whether a row passes only if the column is not NULL there.
    fn leaves_out_null(&self, condition: &Expr, column: (RelationId, ColumnId)) -> bool {
        let is_it = |expr: &Expr| self.column(expr) == Some(column);
        match condition {
            Expr::Nested(inner) => self.leaves_out_null(inner, column),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.leaves_out_null(left, column) || self.leaves_out_null(right, column)
            }
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
                self.leaves_out_null(left, column) && self.leaves_out_null(right, column)
            }
            Expr::BinaryOp { left, op, right } if compares(op) => is_it(left) || is_it(right),
            Expr::IsNotNull(inner) => is_it(inner),
            Expr::InList { expr, .. }
            | Expr::Between { expr, .. }
            | Expr::Like { expr, .. }
            | Expr::ILike { expr, .. } => is_it(expr),
            _ => false,
        }
    }
}
