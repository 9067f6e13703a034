//! What is left of an expression when constants are folded.

use sqlparser::ast;

/// The part of an expression that is left when constants are folded (`eval_const_expressions`): the server asks for volatile functions
/// only then (`ATExecAddColumn`).
pub(super) fn folded(expression: &ast::Expr) -> &ast::Expr {
    match expression {
        ast::Expr::Nested(inner) => folded(inner),
        ast::Expr::Case { operand: None, conditions, .. } => match conditions.first() {
            Some(first) if is_true(&first.condition) => folded(&first.result),
            _ => expression,
        },
        ast::Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("coalesce") => match &call.args {
            ast::FunctionArguments::List(list) => match list.args.first() {
                Some(ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(first))) if is_constant(first) => first,
                _ => expression,
            },
            _ => expression,
        },
        _ => expression,
    }
}

fn is_true(expression: &ast::Expr) -> bool {
    matches!(expression, ast::Expr::Value(value) if value.value == ast::Value::Boolean(true))
}

fn is_constant(expression: &ast::Expr) -> bool {
    matches!(expression, ast::Expr::Value(value) if value.value != ast::Value::Null)
}
