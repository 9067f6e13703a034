//! An expression around a column in a condition, which keeps an index on the column from being used.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr};

use super::{Names, Use, column, conjuncts, immutable, names_columns, parse, pattern, plain, unqualified, usage};
use crate::plan::node::Node;
use crate::walk::visit_expressions;

/// An expression around a column, which keeps a plain index on the column from being used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plan) struct Wrapped {
    pub expression: String,
    pub column: String,
    /// An index may be built on it.
    pub immutable: bool,
    pub way: Way,
    /// Compared with a range of values, not with one.
    pub is_range: bool,
    /// The rest of the condition, where there is more.
    pub rest: Option<String>,
}

/// What else than an index on the expression there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) enum Way {
    /// A day, a month or a part of a time: a range of the column says the same.
    RangeOfTime,
    /// A time that something is added to: the other side says the same.
    Moved,
    /// A month of every year, a day of every week: no range says the same.
    PartOfTime,
    /// The column as text: a value of its own type says the same.
    OwnType,
    Expression,
}

pub(in crate::plan) fn wrapped_column(node: &Node, condition: &str) -> Option<Wrapped> {
    let node = &Names { reference: node.reference(), own: true };
    let expression = parse(condition)?;
    let mut parts = Vec::new();
    conjuncts(&expression, &mut parts);
    parts.iter().find_map(|part| {
        let Expr::BinaryOp { left, op, right } = part else { return None };
        let use_ = usage(op, right);
        if !matches!(use_, Use::Equal | Use::Range | Use::Prefix) {
            return None;
        }
        [(left, right), (right, left)].into_iter().find_map(|(side, other)| {
            let side = plain(side);
            let column = column(node, side);
            // The server prints a comparison of varchar as one of text.
            let doubtful = column.is_some()
                && matches!(side, Expr::Cast { .. })
                && is_doubtful(&pattern(other).unwrap_or_default());
            let wrapped = matches!(
                side,
                Expr::Cast { .. }
                    | Expr::Function(_)
                    | Expr::Extract { .. }
                    | Expr::BinaryOp {
                        op: BinaryOperator::LongArrow
                            | BinaryOperator::Minus
                            | BinaryOperator::Plus
                            | BinaryOperator::Multiply
                            | BinaryOperator::Divide
                            | BinaryOperator::Modulo
                            | BinaryOperator::BitwiseAnd,
                        ..
                    }
            );
            if !wrapped || column.is_some() && !doubtful || names_columns(node, other) || immutable::is_volatile(side) {
                return None;
            }
            let text = unqualified(node, &side.to_string());
            Some(Wrapped {
                column: first_column(node, side)?,
                immutable: immutable::is(side) && !doubtful,
                way: if doubtful { Way::OwnType } else { way(side) },
                expression: text,
                is_range: use_ == Use::Range,
                rest: rest(&parts, part),
            })
        })
    })
}

/// The other parts, as one condition.
fn rest(parts: &[&Expr], without: &Expr) -> Option<String> {
    let others = parts.iter().filter(|part| !std::ptr::eq(**part, without)).map(|part| format!("({part})"));
    let others: Vec<String> = others.collect();
    (!others.is_empty()).then(|| others.join(" AND "))
}

fn way(side: &Expr) -> Way {
    match side {
        Expr::Cast { data_type, .. } => match data_type.to_string().to_lowercase() {
            to if to == "date" || to.starts_with("time") => Way::RangeOfTime,
            to if to == "text" || to.starts_with("varchar") || to.starts_with("character varying") => Way::OwnType,
            _ => Way::Expression,
        },
        Expr::Extract { field, .. } if !field.to_string().eq_ignore_ascii_case("year") => Way::PartOfTime,
        Expr::Function(function)
            if function.name.to_string().eq_ignore_ascii_case("date_part")
                && !function.args.to_string().to_lowercase().starts_with("('year'") =>
        {
            Way::PartOfTime
        }
        Expr::Extract { .. } => Way::RangeOfTime,
        Expr::Function(function) => match function.name.to_string().to_lowercase().as_str() {
            "date_trunc" | "date_part" | "to_char" | "date" | "age" => Way::RangeOfTime,
            _ => Way::Expression,
        },
        Expr::BinaryOp { op: BinaryOperator::Minus | BinaryOperator::Plus, .. } if !immutable::is(side) => Way::Moved,
        _ => Way::Expression,
    }
}

/// A text that is a number, a time or a UUID: the column that is cast to be compared with it is hardly varchar.
pub(in crate::plan) fn is_doubtful(literal: &str) -> bool {
    let number_or_time =
        |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | ':' | ' ' | '/' | 'T' | 'Z' | '%');
    let uuid = literal.len() == 36 && literal.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    uuid || literal.starts_with(|c: char| c.is_ascii_digit()) && literal.chars().all(number_or_time)
}

pub(super) fn first_column(node: &Names, expression: &Expr) -> Option<String> {
    let mut found = None;
    let _ = visit_expressions(expression, |part| match column(node, part) {
        Some(name) => {
            found = Some(name);
            ControlFlow::Break(())
        }
        None => ControlFlow::Continue(()),
    });
    found
}
