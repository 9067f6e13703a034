//! Where aggregates and window functions may be called (`check_agglevels_and_constraints`, parse_agg.c; `ParseFuncOrColumn`,
//! parse_func.c).

use sqlparser::ast::{self, Expr};

use super::super::names;
use super::super::overload::{self, Candidate};
use super::super::scope::Environment;
use super::super::types;
use super::{Refusal, has_own_named, place};
use crate::change::ObjectKind;

/// pg_proc's functions of kind `w`.
const WINDOW_FUNCTIONS: &[&str] = &[
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "lag",
    "lead",
    "first_value",
    "last_value",
    "nth_value",
];

/// What a clause such as WHERE does not take; nothing is said in a subquery, whose aggregates may be those of the query around it.
pub(in super::super) fn in_clause(expression: &Expr, clause: &str, env: &Environment) -> Option<Refusal> {
    if is_inner(env) {
        return None;
    }
    let mut found = None;
    place::each_part(expression, |part| {
        let Expr::Function(function) = part else { return };
        if found.is_some() {
            return;
        }
        let what = match () {
            () if function.over.is_some() => "window functions",
            () if is_aggregate(function, env) => "aggregate functions",
            () => return,
        };
        found = Some(Refusal::new(format!("{what} are not allowed in {clause}"), part));
    });
    found
}

/// Whether a query around this one has columns.
fn is_inner(env: &Environment) -> bool {
    env.outer.is_some_and(|outer| !outer.sources.is_empty() || is_inner(outer))
}

fn is_aggregate(function: &ast::Function, env: &Environment) -> bool {
    if types::special_form(function).is_some() {
        return false;
    }
    let (kinds, _) = types::argument_kinds(function, env);
    let candidates = overload::functions(&function.name, env);
    let name = names::object_name(&function.name);
    // count(*) passes nothing that could be resolved.
    let star = name.is_some_and(|name| name.schema.is_none() && name.name == "count" && kinds.is_empty());
    let all = |found: &[Candidate]| !found.is_empty() && found.iter().all(|it| it.aggregate);
    star || all(&candidates)
}

/// What refuses one call: aggregates in an aggregate, a window function without its window, a window of what has none.
pub(super) fn refused(function: &ast::Function, env: &Environment) -> Option<String> {
    let name = names::object_name(&function.name)?;
    let called = name.name.as_str();
    let of_server = name.schema.as_ref().is_none_or(|it| *it == "pg_catalog");
    let own = env.scope.schema.routines.values().any(|it| it.name.name == name.name)
        || has_own_named(ObjectKind::Aggregate, called, env.scope)
        || has_own_named(ObjectKind::Function, called, env.scope);
    if !of_server || own || !super::is_closed(env.scope) || !function.within_group.is_empty() {
        return None;
    }
    let window = WINDOW_FUNCTIONS.contains(&called);
    let aggregate = !window && is_aggregate(function, env);
    if window && function.over.is_none() {
        return Some(format!("window function {called} requires an OVER clause"));
    }
    let known = !overload::functions(&function.name, env).is_empty();
    if function.over.is_some() && !window && !aggregate && known {
        return Some(format!("OVER specified, but {called} is not a window function nor an aggregate function"));
    }
    if !aggregate || function.over.is_some() || is_inner(env) {
        return None;
    }
    let ast::FunctionArguments::List(list) = &function.args else { return None };
    let mut message = None;
    for argument in &list.args {
        let ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(argument)) = argument else { continue };
        place::each_part(argument, |part| {
            let Expr::Function(inner) = part else { return };
            if inner.over.is_some() {
                message.get_or_insert("aggregate function calls cannot contain window function calls");
            } else if is_aggregate(inner, env) {
                message.get_or_insert("aggregate function calls cannot be nested");
            }
        });
    }
    message.map(str::to_owned)
}

/// A window that the query does not name (`transformWindowFuncCall`, parse_agg.c).
pub(in super::super) fn windows(select: &ast::Select) -> Option<Refusal> {
    let named = |ident: &ast::Ident| {
        select.named_window.iter().any(|ast::NamedWindowDefinition(name, _)| names::name(name) == names::name(ident))
    };
    let mut found = None;
    let items = select.projection.iter().filter_map(|item| match item {
        ast::SelectItem::UnnamedExpr(expr) | ast::SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    });
    for item in items {
        place::each_part(item, |part| {
            let Expr::Function(ast::Function { over: Some(over), .. }) = part else { return };
            let name = match over {
                ast::WindowType::NamedWindow(name) => Some(name),
                ast::WindowType::WindowSpec(window) => window.window_name.as_ref(),
            };
            if let Some(name) = name.filter(|name| !named(name)) {
                let message = format!("window \"{}\" does not exist", names::name(name).as_str());
                found.get_or_insert(Refusal::new(message, part));
            }
        });
    }
    found
}
