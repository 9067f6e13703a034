//! What is left of an expression when constants are folded.

use sqlparser::ast;

use crate::expression::{Constants, Value, plain_arguments, truth, value};

/// The part of an expression that is left when constants are folded (`eval_const_expressions`): the server asks for volatile functions
/// only then (`ATExecAddColumn`).
pub(super) fn folded(expression: &ast::Expr) -> &ast::Expr {
    match expression {
        ast::Expr::Nested(inner) => folded(inner),
        ast::Expr::Case { operand: None, conditions, .. } => match conditions.first() {
            Some(first) if truth(&first.condition, &Constants) == Some(true) => folded(&first.result),
            _ => expression,
        },
        ast::Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("coalesce") => {
            match plain_arguments(call).first() {
                Some(first) if matches!(value(first, &Constants), Value::Number(_) | Value::Text(_)) => first,
                _ => expression,
            }
        }
        _ => expression,
    }
}
