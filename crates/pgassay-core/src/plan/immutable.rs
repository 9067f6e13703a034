//! Whether an index may be built on an expression: the server takes only what is immutable.
//!
//! A plan does not say the types of columns. What depends on them is taken for immutable only if it is so for every type that the
//! expression can have.

use std::ops::ControlFlow;

use crate::walk::visit_expressions;
use sqlparser::ast::{BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::expression::plain;

/// Functions that are immutable whatever they are called with (pg_proc.provolatile).
const IMMUTABLE: &[&str] = &[
    "lower",
    "upper",
    "abs",
    "length",
    "char_length",
    "character_length",
    "octet_length",
    "md5",
    "btrim",
    "ltrim",
    "rtrim",
    "left",
    "right",
    "substr",
    "substring",
    "replace",
    "coalesce",
    "nullif",
    "round",
    "floor",
    "ceil",
    "ceiling",
    "trunc",
    "mod",
    "sqrt",
    "reverse",
    "split_part",
    "jsonb_extract_path_text",
    "jsonb_array_length",
    "jsonb_typeof",
    "array_length",
    "cardinality",
    "initcap",
    "regexp_replace",
];

/// Functions that return something else each time, or for each row.
const VOLATILE: &[&str] = &[
    "random",
    "random_normal",
    "clock_timestamp",
    "timeofday",
    "gen_random_uuid",
    "uuid_generate_v4",
    "nextval",
    "currval",
    "setval",
    "pg_sleep",
];

/// Types that a cast to is immutable from whatever an expression of a plan has.
const TYPES: &[&str] = &[
    "numeric",
    "integer",
    "int",
    "bigint",
    "smallint",
    "double precision",
    "real",
    "boolean",
    "uuid",
    "jsonb",
    "float8",
    "int4",
    "int8",
];

/// Whether an index takes the expression for sure.
pub(super) fn is(expression: &Expr) -> bool {
    match expression {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::TypedString { .. } => true,
        Expr::Value(value) => !value.to_string().starts_with('$'),
        Expr::Nested(inside)
        | Expr::IsNull(inside)
        | Expr::IsNotNull(inside)
        | Expr::IsTrue(inside)
        | Expr::IsFalse(inside) => is(inside),
        Expr::UnaryOp { expr, .. } => is(expr),
        Expr::Cast { expr, data_type, .. } => {
            let to = data_type.to_string().to_lowercase();
            let literal = matches!(plain(expr), Expr::Value(_));
            let text =
                ["text", "character varying", "varchar", "bpchar", "\"char\""].iter().any(|text| to.starts_with(text));
            let known = TYPES.iter().any(|known| to == *known || to.starts_with(&format!("{known}(")));
            // A column of any type may be cast to text; that of a time depends on settings.
            is(expr) && (known || literal && !to.starts_with("interval") || text && is_text(plain(expr)))
        }
        Expr::BinaryOp { left, op, right } => {
            let known = matches!(
                op,
                BinaryOperator::Plus
                    | BinaryOperator::Minus
                    | BinaryOperator::Multiply
                    | BinaryOperator::Divide
                    | BinaryOperator::Modulo
                    | BinaryOperator::Arrow
                    | BinaryOperator::LongArrow
                    | BinaryOperator::HashArrow
                    | BinaryOperator::HashLongArrow
                    | BinaryOperator::And
                    | BinaryOperator::Or
                    | BinaryOperator::Eq
                    | BinaryOperator::NotEq
                    | BinaryOperator::Lt
                    | BinaryOperator::LtEq
                    | BinaryOperator::Gt
                    | BinaryOperator::GtEq
                    | BinaryOperator::PGLikeMatch
            );
            known && is(left) && is(right)
        }
        Expr::AllOp { left, right, .. } | Expr::AnyOp { left, right, .. } => is(left) && is(right),
        Expr::Function(function) => {
            let name = function.name.to_string().to_lowercase();
            let arguments = match &function.args {
                FunctionArguments::List(list) => list.args.iter().all(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => is(expression),
                    _ => false,
                }),
                FunctionArguments::None => true,
                FunctionArguments::Subquery(_) => false,
            };
            // With a configuration named; else it is the session's.
            let configured = matches!(&function.args, FunctionArguments::List(list) if list.args.len() == 2);
            (IMMUTABLE.contains(&name.as_str()) || name == "to_tsvector" && configured) && arguments
        }
        Expr::Substring { expr, .. } | Expr::Trim { expr, .. } | Expr::Floor { expr, .. } | Expr::Ceil { expr, .. } => {
            is(expr)
        }
        _ => false,
    }
}

/// What is text whatever its columns are.
fn is_text(expression: &Expr) -> bool {
    match expression {
        Expr::Value(_) => true,
        Expr::Function(function) => {
            ["lower", "upper", "md5", "btrim"].contains(&function.name.to_string().to_lowercase().as_str())
        }
        Expr::BinaryOp { op: BinaryOperator::LongArrow | BinaryOperator::HashLongArrow, .. } => true,
        // The server prints a comparison of varchar as one of text.
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => true,
        _ => false,
    }
}

/// Whether the value may differ from row to row for the same row of the table.
pub(super) fn is_volatile(expression: &Expr) -> bool {
    let found = visit_expressions(expression, |part| match part {
        Expr::Function(function) if VOLATILE.contains(&function.name.to_string().to_lowercase().as_str()) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}
