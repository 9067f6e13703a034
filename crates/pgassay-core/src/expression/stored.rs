//! An expression as the server keeps and prints it: the casts that it added are written out, and literals have the type that was found
//! for them (ruleutils.c). Read again on another schema it means what it meant, or is refused.

use crate::walk::visit_expressions_mut;
use sqlparser::ast::{self, BinaryOperator, Expr};
use std::ops::ControlFlow;

use super::overload::{self, Candidate, Kind};
use super::scope::{Environment, base_type};
use super::{types, volatility};
use crate::schema::ColumnType;

/// The expression with its implicit casts; parts whose types are not known stay as they are.
pub(super) fn of(expression: &Expr, env: &Environment) -> Expr {
    let mut tree = expression.clone();
    let _ = visit_expressions_mut(&mut tree, |part| {
        write_casts(part, env);
        ControlFlow::<()>::Continue(())
    });
    tree
}

/// Visited from the inside out: the operands of a part have their casts already.
fn write_casts(part: &mut Expr, env: &Environment) {
    match part {
        Expr::BinaryOp { left, op, right } => {
            let Some(name) = types::operator_name(op) else { return };
            operands(&name, left, right, env);
        }
        Expr::Like { expr, pattern, .. } | Expr::ILike { expr, pattern, .. } => operands("~~", expr, pattern, env),
        Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => operands("=", left, right, env),
        Expr::Between { .. } => compared_twice(part, env),
        Expr::InList { expr, list, .. } => {
            let Kind::Known(found) = types::kind(expr, env) else { return };
            let item = base_type(&found, env.scope);
            if list.iter().all(|item| types::kind(item, env) == Kind::Literal) {
                list.iter_mut().for_each(|literal| cast(literal, &item));
                if let Some(first) = list.first_mut() {
                    operands("=", expr, first, env);
                }
            }
        }
        Expr::Function(function) if types::special_form(function).is_none() => arguments(function, env),
        _ => {}
    }
}

/// BETWEEN is kept as the two comparisons that it stands for (`transformAExprBetween`, parse_expr.c), each with casts of its own.
fn compared_twice(part: &mut Expr, env: &Environment) {
    let Expr::Between { expr, negated, low, high } = part else { return };
    let compared = |op: BinaryOperator, bound: &Expr| {
        let (mut left, mut right) = (expr.clone(), Box::new(bound.clone()));
        if let Some(name) = types::operator_name(&op) {
            operands(&name, &mut left, &mut right, env);
        }
        Box::new(Expr::BinaryOp { left, op, right })
    };
    let both = match negated {
        false => Expr::BinaryOp {
            left: compared(BinaryOperator::GtEq, low),
            op: BinaryOperator::And,
            right: compared(BinaryOperator::LtEq, high),
        },
        true => Expr::BinaryOp {
            left: compared(BinaryOperator::Lt, low),
            op: BinaryOperator::Or,
            right: compared(BinaryOperator::Gt, high),
        },
    };
    *part = Expr::Nested(Box::new(both));
}

fn operands(name: &str, left: &mut Expr, right: &mut Expr, env: &Environment) {
    let kinds = [types::kind(left, env), types::kind(right, env)];
    if kinds.contains(&Kind::Opaque) {
        return;
    }
    let chosen = overload::operators_for(name, &kinds, env);
    if let [only] = &chosen[..] {
        let other = kinds.iter().find_map(|kind| match kind {
            Kind::Known(of) => Some(base_type(of, env.scope)),
            _ => None,
        });
        for ((operand, kind), wanted) in [left, right].into_iter().zip(&kinds).zip(&only.parameters) {
            bring(operand, kind, wanted, other.as_ref(), env);
        }
    }
}

fn arguments(function: &mut ast::Function, env: &Environment) {
    let (kinds, named) = types::argument_kinds(function, env);
    if named || kinds.contains(&Kind::Opaque) || volatility::arguments(function).0.len() != kinds.len() {
        return;
    }
    let chosen: Vec<Candidate> = overload::choose(overload::functions(&function.name, env), &kinds, env);
    let [only] = &chosen[..] else { return };
    let parameters = only.parameters.clone();
    let ast::FunctionArguments::List(list) = &mut function.args else { return };
    for ((argument, kind), wanted) in list.args.iter_mut().zip(&kinds).zip(&parameters) {
        if let ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expression)) = argument {
            bring(expression, kind, wanted, None, env);
        }
    }
}

/// Writes the cast to the type that is wanted, where the operand is not of it.
fn bring(operand: &mut Expr, kind: &Kind, wanted: &ColumnType, other: Option<&ColumnType>, env: &Environment) {
    let polymorphic = wanted.written.name.as_str().starts_with("any");
    match kind {
        Kind::Literal if polymorphic => other.into_iter().for_each(|other| cast(operand, other)),
        Kind::Literal => cast(operand, wanted),
        Kind::Known(of) if !polymorphic && !overload::same_type(&base_type(of, env.scope), wanted) => {
            cast(operand, wanted);
        }
        _ => {}
    }
}

fn cast(operand: &mut Expr, to: &ColumnType) {
    let ident = |name: &crate::change::Name| ast::Ident::with_quote('"', name.as_str());
    let path: Vec<ast::Ident> = to.written.schema.iter().chain([&to.written.name]).map(ident).collect();
    let named = ast::DataType::Custom(ast::ObjectName::from(path), Vec::new());
    let data_type = match to.written.array_dimensions {
        0 => named,
        _ => ast::DataType::Array(ast::ArrayElemTypeDef::SquareBracket(Box::new(named), None)),
    };
    let inner = std::mem::replace(operand, Expr::Value(ast::Value::Null.into()));
    *operand = Expr::Cast { kind: ast::CastKind::DoubleColon, expr: Box::new(inner), data_type, format: None };
}
