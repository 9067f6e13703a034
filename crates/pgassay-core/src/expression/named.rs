//! Which routines an expression calls, and whether it asks for NULL.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, Visit};

use super::scope::Environment;
use super::{names, overload, types, volatility};
use crate::change::Name;
use crate::schema::RoutineId;
use crate::walk;

/// See [`super::row_columns`].
pub(super) fn of_rows(condition: &impl Visit) -> Vec<(bool, Option<Name>)> {
    let row = |ident: &ast::Ident| match names::name(ident).as_str() {
        "new" => Some(true),
        "old" => Some(false),
        _ => None,
    };
    let mut found = Vec::new();
    let _ = walk::visit_expressions(condition, |part| {
        match part {
            Expr::Identifier(ident) => found.extend(row(ident).map(|new| (new, None))),
            Expr::CompoundIdentifier(path) => {
                if let [first, second, ..] = &path[..] {
                    found.extend(row(first).map(|new| (new, Some(names::name(second)))));
                }
            }
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
    found
}

/// The routines that a call means; several where the types of the arguments are not known.
pub(super) fn called(function: &ast::Function, env: &Environment) -> Vec<RoutineId> {
    if types::special_form(function).is_some() {
        return Vec::new();
    }
    let (_, named) = volatility::arguments(function);
    let (kinds, _) = types::argument_kinds(function, env);
    let candidates = overload::functions(&function.name, env);
    let chosen = if named { candidates } else { overload::choose(candidates, &kinds, env) };
    chosen.iter().filter_map(|candidate| candidate.routine_id()).collect()
}

pub(super) fn routines(expression: &Expr, env: &Environment) -> Vec<RoutineId> {
    let mut found = Vec::new();
    let _ = walk::visit_expressions(expression, |part| {
        if let Expr::Function(function) = part {
            for id in called(function, env) {
                if !found.contains(&id) {
                    found.push(id);
                }
            }
        }
        ControlFlow::<()>::Continue(())
    });
    found
}

/// See [`super::tests_null`].
pub(super) fn tests_null(condition: &Expr, column: &Name) -> bool {
    let is_it = |expr: &Expr| {
        let mut at = expr;
        while let Expr::Nested(inner) = at {
            at = inner;
        }
        match at {
            Expr::Identifier(ident) => names::name(ident) == *column,
            Expr::CompoundIdentifier(parts) => parts.last().is_some_and(|last| names::name(last) == *column),
            _ => false,
        }
    };
    walk::visit_expressions(condition, |part| {
        let tests = match part {
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => is_it(inner),
            Expr::Function(call) => {
                let counts = names::object_name(&call.name)
                    .is_some_and(|name| matches!(name.name.as_str(), "num_nulls" | "num_nonnulls"));
                let arguments = match &call.args {
                    ast::FunctionArguments::List(list) => list.args.as_slice(),
                    _ => &[],
                };
                counts
                    && arguments.iter().any(|argument| {
                        matches!(argument, ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) if is_it(expr))
                    })
            }
            _ => false,
        };
        if tests { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    })
    .is_break()
}
