//! How volatile an expression is: the worst of its functions, operators and casts.

use std::ops::ControlFlow;

use crate::walk::visit_expressions;
use sqlparser::ast::{self, Expr, FunctionArguments};

use super::overload::{self, Candidate, Kind};
use super::scope::{Environment, built_in_type, resolve_type};
use super::{names, types};
use crate::catalog::Volatility;
use crate::change::Change;
use crate::schema::Routine;

/// Bodies of SQL functions are looked into this deep.
const DEEPEST_BODY: u8 = 3;

pub(super) fn of(expression: &Expr, env: &Environment, depth: u8) -> Volatility {
    let mut worst = Volatility::Immutable;
    let _ = visit_expressions(expression, |part| {
        worst = worst.max(own(part, env, depth));
        if worst == Volatility::Volatile { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    worst
}

/// Of the outermost function, operator or cast alone.
fn own(expression: &Expr, env: &Environment, depth: u8) -> Volatility {
    use Volatility::{Immutable, Stable, Volatile};
    match expression {
        Expr::Function(function) => call(function, env, depth),
        Expr::BinaryOp { left, op, right } => match types::operator_name(op) {
            Some(name) => worst_operator(&name, &[left, right], env),
            None => Immutable,
        },
        Expr::UnaryOp { op: ast::UnaryOperator::Not, .. } => Immutable,
        Expr::UnaryOp { op, expr } => worst_operator(&op.to_string(), &[expr], env),
        Expr::AnyOp { compare_op, .. } | Expr::AllOp { compare_op, .. } => match types::operator_name(compare_op) {
            Some(name) => comparison(&name, env),
            None => Volatile,
        },
        Expr::Between { expr, low, high, .. } => {
            worst_operator(">=", &[expr, low], env).max(worst_operator("<=", &[expr, high], env))
        }
        Expr::InList { expr, list, .. } => {
            list.iter().map(|item| worst_operator("=", &[expr, item], env)).max().unwrap_or(Immutable)
        }
        Expr::IsDistinctFrom(a, b) | Expr::IsNotDistinctFrom(a, b) => worst_operator("=", &[a, b], env),
        Expr::Cast { expr, data_type, .. } => cast(expr, data_type, env),
        Expr::Extract { expr, .. } => named_function("extract", &[Kind::Literal, types::kind(expr, env)], env),
        Expr::AtTimeZone { timestamp, time_zone } => {
            named_function("timezone", &[types::kind(time_zone, env), types::kind(timestamp, env)], env)
        }
        // `date = any (subquery)` and the like compare what cannot be seen here.
        Expr::InSubquery { .. } => Stable,
        Expr::Convert { .. } | Expr::Lambda(_) | Expr::MatchAgainst { .. } => Volatile,
        _ => Immutable,
    }
}

/// How volatile an expression is at least, once the planner has folded what is constant: what is not known counts as immutable.
pub(super) fn least(expression: &Expr, env: &Environment) -> Volatility {
    if may_fold_away(expression) {
        return Volatility::Immutable;
    }
    let mut most = Volatility::Immutable;
    let _ = visit_expressions(expression, |part| {
        most = most.max(own_least(part, env, 0));
        ControlFlow::<()>::Continue(())
    });
    most
}

/// Whether a constant may make a part of the expression go away (`eval_const_expressions`, clauses.c): a branch that is never taken, an
/// argument NULL of a strict function.
fn may_fold_away(expression: &Expr) -> bool {
    let constant = |part: &Expr| {
        visit_expressions(part, |inner| match inner {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .is_continue()
    };
    visit_expressions(expression, |part| {
        let folds = match part {
            Expr::Value(value) => matches!(value.value, ast::Value::Null | ast::Value::Boolean(_)),
            Expr::Case { conditions, .. } => conditions.iter().any(|when| constant(&when.condition)),
            Expr::Function(function) => {
                let name = function.name.to_string().to_ascii_lowercase();
                // What stands after a constant is dropped.
                let (arguments, _) = arguments(function);
                name == "coalesce"
                    && arguments.split_last().is_some_and(|(_, before)| before.iter().any(|it| constant(it)))
            }
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => true,
            _ => false,
        };
        if folds { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .is_break()
}

fn own_least(part: &Expr, env: &Environment, depth: u8) -> Volatility {
    use Volatility::Immutable;
    let of_operator = |name: &str, operands: &[&Expr]| {
        let kinds: Vec<_> = operands.iter().map(|operand| types::kind(operand, env)).collect();
        let chosen = overload::operators_for(name, &kinds, env);
        match overload::turned_into_text(name, &chosen, &kinds) {
            Some(kind) => least_as_text(kind, env),
            None => mildest(&chosen, env, depth),
        }
    };
    let of_function = |name: &str, kinds: &[Kind]| {
        let name = ast::ObjectName::from(vec![ast::Ident::new(name)]);
        mildest(&overload::choose(overload::functions(&name, env), kinds, env), env, depth)
    };
    match part {
        Expr::Function(function) => {
            if let Some(form) = types::special_form(function) {
                return if form.is_certain { form.volatility } else { Immutable };
            }
            let (kinds, named) = types::argument_kinds(function, env);
            if named || !function.within_group.is_empty() {
                return Immutable;
            }
            // `type(value)` of a value that needs no function is asked for before overloads are (func_get_detail, parse_func.c).
            let target = types::conversion_target(function, env);
            if let (Some(target), [Kind::Known(source)]) = (&target, &kinds[..])
                && overload::relabels(source, target, env)
            {
                return Immutable;
            }
            let chosen = overload::choose(overload::functions(&function.name, env), &kinds, env);
            let name = names::object_name(&function.name).map(|it| it.name);
            let name = name.as_ref().map_or("", |it| it.as_str());
            if let Some(kind) = overload::turned_into_text(name, &chosen, &kinds) {
                return least_as_text(kind, env);
            }
            if !chosen.is_empty() {
                return mildest(&chosen, env, depth);
            }
            match (target, kinds.first()) {
                (Some(target), Some(Kind::Known(source))) => overload::least_cast_volatility(source, &target, env),
                _ => Immutable,
            }
        }
        Expr::BinaryOp { left, op, right } => match types::operator_name(op) {
            Some(name) => of_operator(&name, &[left, right]),
            None => Immutable,
        },
        Expr::Between { expr, low, high, .. } => of_operator(">=", &[expr, low]).max(of_operator("<=", &[expr, high])),
        Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => of_operator("=", &[left, right]),
        Expr::Extract { expr, .. } => of_function("extract", &[Kind::Literal, types::kind(expr, env)]),
        Expr::AtTimeZone { timestamp, time_zone } => {
            of_function("timezone", &[types::kind(time_zone, env), types::kind(timestamp, env)])
        }
        Expr::Cast { expr, data_type, .. } => {
            let target = names::type_name(data_type).map(|written| resolve_type(&written, env.scope));
            match (types::kind(expr, env), target) {
                (Kind::Known(source), Some(target)) => overload::least_cast_volatility(&source, &target, env),
                _ => Immutable,
            }
        }
        _ => Immutable,
    }
}

fn least_as_text(kind: &Kind, env: &Environment) -> Volatility {
    match kind {
        Kind::Known(source) => overload::least_cast_volatility(source, &built_in_type("text"), env),
        Kind::Literal | Kind::Opaque => Volatility::Immutable,
    }
}

/// The least volatile of the functions that a call may mean.
fn mildest(candidates: &[Candidate], env: &Environment, depth: u8) -> Volatility {
    let of = |candidate: &Candidate| match candidate.routine {
        // The planner may put the body in place of the call, and the body be less volatile than it is declared.
        Some(routine) if routine.language == "sql" => match expression_of(routine) {
            Some(body) if depth < DEEPEST_BODY => {
                let env = Environment { sources: &[], outer: None, ..*env };
                let mut inner = Volatility::Immutable;
                let _ = visit_expressions(body, |part| {
                    inner = inner.max(own_least(part, &env, depth + 1));
                    ControlFlow::<()>::Continue(())
                });
                routine.volatility.min(inner)
            }
            Some(_) => Volatility::Immutable,
            None => routine.volatility,
        },
        _ => candidate.volatility,
    };
    candidates.iter().map(of).min().unwrap_or(Volatility::Immutable)
}

fn expression_of(routine: &Routine) -> Option<&Expr> {
    let [statement] = &routine.statements[..] else { return None };
    let Ok(Change::Select(select)) = &statement.change else { return None };
    let ast::Statement::Query(query) = &*select.tree.0 else { return None };
    single_expression(query)
}

fn worst(candidates: &[Candidate]) -> Volatility {
    candidates.iter().map(|candidate| candidate.volatility).max().unwrap_or(Volatility::Volatile)
}

fn worst_operator(name: &str, operands: &[&Expr], env: &Environment) -> Volatility {
    let kinds: Vec<_> = operands.iter().map(|operand| types::kind(operand, env)).collect();
    let chosen = overload::operators_for(name, &kinds, env);
    match overload::turned_into_text(name, &chosen, &kinds) {
        Some(Kind::Known(source)) => overload::cast_volatility(source, &built_in_type("text"), env),
        _ => worst(&chosen),
    }
}

/// A comparison with the elements of an array.
fn comparison(name: &str, env: &Environment) -> Volatility {
    worst(&overload::operators(name, false, env))
}

fn named_function(name: &str, arguments: &[Kind], env: &Environment) -> Volatility {
    let name = ast::ObjectName::from(vec![ast::Ident::new(name)]);
    worst(&overload::choose(overload::functions(&name, env), arguments, env))
}

/// A literal is read when the statement is parsed: `'now'::timestamptz` is a constant.
fn cast(source: &Expr, data_type: &ast::DataType, env: &Environment) -> Volatility {
    let target = names::type_name(data_type).map(|written| resolve_type(&written, env.scope));
    match (types::kind(source, env), target) {
        (Kind::Literal, _) => Volatility::Immutable,
        (Kind::Known(source), Some(target)) => overload::cast_volatility(&source, &target, env),
        _ => Volatility::Stable,
    }
}

fn call(function: &ast::Function, env: &Environment, depth: u8) -> Volatility {
    if let Some(volatility) = types::special_form(function).map(|form| form.volatility) {
        return volatility;
    }
    let (kinds, named) = types::argument_kinds(function, env);
    let candidates = overload::functions(&function.name, env);
    let candidates = if named {
        candidates.into_iter().filter(|candidate| candidate.parameters.len() >= kinds.len()).collect()
    } else {
        overload::choose(candidates, &kinds, env)
    };
    if candidates.is_empty() {
        return conversion(function, env).unwrap_or(Volatility::Volatile);
    }
    let of_candidate = |candidate: &Candidate| {
        let declared = match candidate.routine {
            Some(routine) => inlined(routine, env, depth).unwrap_or(routine.volatility),
            None => candidate.volatility,
        };
        let defaults = candidate.filled_in(if named { 0 } else { kinds.len() });
        defaults.map(|default| of(&default.tree, env, depth)).fold(declared, Volatility::max)
    };
    candidates.iter().map(of_candidate).max().unwrap_or(Volatility::Volatile)
}

/// `date('…')`, `text(x)`: a type's name used as a function.
fn conversion(function: &ast::Function, env: &Environment) -> Option<Volatility> {
    let target = types::conversion_target(function, env)?;
    match types::argument_kinds(function, env).0.first()? {
        Kind::Literal => Some(Volatility::Immutable),
        Kind::Known(source) => Some(overload::cast_volatility(source, &target, env)),
        Kind::Opaque => Some(Volatility::Stable),
    }
}

/// What counts once the planner has put the body of a volatile SQL function in place of its call (`inline_function`, clauses.c):
/// the body of a single expression, without settings of its own.
fn inlined(routine: &Routine, env: &Environment, depth: u8) -> Option<Volatility> {
    let simple = routine.volatility == Volatility::Volatile
        && routine.language == "sql"
        && !routine.security_definer
        && !routine.strict
        && routine.settings.is_empty()
        && !routine.returns.as_ref().is_none_or(|returns| returns.set_of);
    if !simple || depth >= DEEPEST_BODY {
        return None;
    }
    let [statement] = &routine.statements[..] else { return None };
    let Ok(Change::Select(select)) = &statement.change else { return None };
    let ast::Statement::Query(query) = &*select.tree.0 else { return None };
    let expression = single_expression(query)?;
    Some(of(expression, &Environment { sources: &[], outer: None, ..*env }, depth + 1))
}

fn single_expression(query: &ast::Query) -> Option<&Expr> {
    let ast::SetExpr::Select(select) = &*query.body else { return None };
    let plain = query.with.is_none()
        && query.order_by.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && select.from.is_empty()
        && select.selection.is_none()
        && select.distinct.is_none()
        && select.having.is_none()
        && matches!(&select.group_by, ast::GroupByExpr::Expressions(by, _) if by.is_empty());
    match &select.projection[..] {
        [ast::SelectItem::UnnamedExpr(expression) | ast::SelectItem::ExprWithAlias { expr: expression, .. }]
            if plain =>
        {
            Some(expression)
        }
        _ => None,
    }
}

/// Arguments of a call, with whether any is named.
pub(super) fn arguments(function: &ast::Function) -> (Vec<&Expr>, bool) {
    let FunctionArguments::List(list) = &function.args else { return (Vec::new(), false) };
    let named = list.args.iter().any(|argument| !matches!(argument, ast::FunctionArg::Unnamed(_)));
    let expressions = list.args.iter().filter_map(|argument| match argument {
        ast::FunctionArg::Named { arg, .. }
        | ast::FunctionArg::ExprNamed { arg, .. }
        | ast::FunctionArg::Unnamed(arg) => match arg {
            ast::FunctionArgExpr::Expr(expression) => Some(expression),
            _ => None,
        },
    });
    (expressions.collect(), named)
}
