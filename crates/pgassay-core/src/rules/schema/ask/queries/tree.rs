//! Small questions to sqlparser's trees.

use sqlparser::ast::{self, BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Value};

pub(super) enum Constant {
    Null,
    Boolean(bool),
}

pub(super) fn constant(expr: &Expr) -> Option<Constant> {
    match expr {
        Expr::Nested(inner) => constant(inner),
        Expr::Value(value) => match value.value {
            Value::Null => Some(Constant::Null),
            Value::Boolean(truth) => Some(Constant::Boolean(truth)),
            _ => None,
        },
        _ => None,
    }
}

/// `=`, `<>`, `<`, `<=`, `>`, `>=`: neither true nor false where one side is NULL.
pub(super) fn compares(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

pub(super) fn is_coalesce(call: &ast::Function) -> bool {
    call.name.to_string().eq_ignore_ascii_case("coalesce")
}

/// `count(c)`, each row once: `count(DISTINCT c)` is about values.
pub(super) fn is_count(call: &ast::Function) -> bool {
    let distinct = matches!(
        &call.args,
        FunctionArguments::List(list) if list.duplicate_treatment == Some(ast::DuplicateTreatment::Distinct)
    );
    call.name.to_string().eq_ignore_ascii_case("count") && !distinct
}

pub(super) fn arguments(call: &ast::Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &call.args else { return Vec::new() };
    list.args
        .iter()
        .filter_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. } => Some(expr),
            _ => None,
        })
        .collect()
}
