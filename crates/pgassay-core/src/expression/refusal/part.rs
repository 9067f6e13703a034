//! One function, operator or cast that means nothing.

use sqlparser::ast::{self, Expr, FunctionArguments};

use super::super::overload::{self, Candidate, Kind};
use super::super::scope::{Environment, built_in_type, resolve_type};
use super::super::{names, types};
use super::{castable, has_own_named, is_closed, literal, not_boolean, solid, word};
use crate::catalog::{self, CastContext};
use crate::change::{ObjectKind, TypeName};
use crate::schema::{ColumnType, ResolvedType, Seen};

/// Syntax that sqlparser reads as a call, or that was rewritten into one.
const NO_FUNCTIONS: &[&str] = &[
    "all",
    "any",
    "array",
    "cast",
    "collation",
    "exists",
    "extract",
    "grouping",
    "if",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_function",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "merge_action",
    "normalize",
    "overlay",
    "position",
    "some",
    "substring",
    "treat",
    "trim",
    "values",
    "xmlagg",
    "xmlattributes",
    "xmlexists",
    "xmltable",
];

/// Why the server refuses this part, the parts in it aside.
pub(super) fn refused(part: &Expr, env: &Environment) -> Option<String> {
    match part {
        Expr::Function(function) => call(function, env),
        Expr::BinaryOp { left, op, right } => match types::operator_name(op) {
            Some(name) => operator(&name, left, right, env),
            None => [left, right].into_iter().find_map(|operand| {
                let is = not_boolean(operand, env)?;
                Some(format!("argument of {op} must be type boolean, not type {is}"))
            }),
        },
        Expr::UnaryOp { op: ast::UnaryOperator::Not, expr } => {
            not_boolean(expr, env).map(|is| format!("argument of NOT must be type boolean, not type {is}"))
        }
        Expr::Like { expr, pattern, escape_char: None, any: false, negated } => {
            operator(if *negated { "!~~" } else { "~~" }, expr, pattern, env)
        }
        Expr::ILike { expr, pattern, escape_char: None, any: false, negated } => {
            operator(if *negated { "!~~*" } else { "~~*" }, expr, pattern, env)
        }
        Expr::Between { expr, low, high, .. } => {
            operator(">=", expr, low, env).or_else(|| operator("<=", expr, high, env))
        }
        Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => operator("=", left, right, env),
        Expr::InList { expr, list, .. } => in_list(expr, list, env),
        Expr::InSubquery { expr, subquery, .. } => in_query(expr, subquery, env),
        Expr::Case { operand, conditions, else_result, .. } => {
            let refused = conditions.iter().filter(|_| operand.is_none()).find_map(|when| {
                let is = not_boolean(&when.condition, env)?;
                Some(format!("argument of CASE/WHEN must be type boolean, not type {is}"))
            });
            // ELSE comes first (`transformCaseExpr`, parse_expr.c).
            let branches = else_result.as_deref().into_iter().chain(conditions.iter().map(|when| &when.result));
            refused.or_else(|| common("CASE", &branches.collect::<Vec<_>>(), env))
        }
        Expr::Cast { expr, data_type, .. } => cast(Some(expr), data_type, env),
        Expr::Collate { expr, collation } => {
            let missing = names::object_name(collation).and_then(|name| env.scope.schema.missing_collation(&name));
            missing.or_else(|| without_collations(expr, env))
        }
        Expr::TypedString(typed) => cast(None, &typed.data_type, env),
        _ => None,
    }
}

/// COLLATE of a value that is no text (transformCollateClause, parse_expr.c).
fn without_collations(expression: &Expr, env: &Environment) -> Option<String> {
    let Kind::Known(of) = types::kind(expression, env) else { return None };
    let base = solid(&of, env).filter(|it| it.resolved == ResolvedType::BuiltIn && !overload::is_array(it))?;
    let category = catalog::built_in_type(base.written.name.as_str())?.category;
    matches!(category, 'N' | 'D' | 'B' | 'T')
        .then(|| format!("collations are not supported by type {}", word(&of, env)))
}

fn operator(name: &str, left: &Expr, right: &Expr, env: &Environment) -> Option<String> {
    let kinds = [types::kind(left, env), types::kind(right, env)];
    let mut certain = 0;
    for kind in &kinds {
        match kind {
            Kind::Known(found) => {
                solid(found, env)?;
                certain += 1;
            }
            Kind::Literal => {}
            Kind::Opaque => return None,
        }
    }
    if certain == 0 || has_own_named(ObjectKind::Operator, name, env.scope) {
        return None;
    }
    let chosen = overload::operators_for(name, &kinds, env);
    // A name that nothing has may be one that sqlparser made up.
    if chosen.is_empty() && overload::operators(name, false, env).is_empty() {
        return None;
    }
    match &chosen[..] {
        [] => {
            let [left, right] = kinds.map(|kind| described(&kind, env));
            Some(format!("operator does not exist: {left} {name} {right}"))
        }
        [only] => [left, right].into_iter().zip(&only.parameters).zip(&kinds).find_map(|((operand, wanted), kind)| {
            let other = kinds.iter().find(|kind| matches!(kind, Kind::Known(_)));
            let any = wanted.written.name.as_str();
            let wanted = match (any.starts_with("any"), other) {
                // Both are of the one type; where one is the array of the other, the literal may be either.
                (true, Some(Kind::Known(other))) if only.parameters.iter().all(|it| it.written.name == *any) => {
                    super::base_type(other, env.scope)
                }
                (true, _) => return None,
                (false, _) => wanted.clone(),
            };
            (*kind == Kind::Literal).then(|| literal::refused(operand, &wanted, env)).flatten()
        }),
        _ => None,
    }
}

/// The items are brought to one type, that of the tested value where they are literals (`transformAExprIn`, parse_expr.c).
fn in_list(tested: &Expr, list: &[Expr], env: &Environment) -> Option<String> {
    let Kind::Known(found) = types::kind(tested, env) else { return None };
    let base = solid(&found, env)?;
    if list.iter().all(|item| types::kind(item, env) == Kind::Literal) {
        return operator("=", tested, list.first()?, env)
            .or_else(|| list.iter().find_map(|item| literal::refused(item, &base, env)));
    }
    let known = |item| match types::kind(item, env) {
        Kind::Known(of) => solid(&of, env),
        _ => None,
    };
    let first = known(list.first()?)?;
    let alike = list.iter().all(|item| known(item).is_some_and(|of| overload::same_type(&of, &first)));
    if alike { operator("=", tested, &list[0], env) } else { None }
}

/// The one column of the subquery is compared with the tested value.
fn in_query(tested: &Expr, query: &ast::Query, env: &Environment) -> Option<String> {
    let Kind::Known(found) = types::kind(tested, env) else { return None };
    let column = types::of(&Expr::Subquery(Box::new(query.clone())), env)?;
    compared(found, column, env)
}

fn cast(source: Option<&Expr>, data_type: &ast::DataType, env: &Environment) -> Option<String> {
    let written = names::type_name(data_type)?;
    let target = resolve_type(&written, env.scope);
    if target.resolved == ResolvedType::Unknown {
        return missing_type(&written, env);
    }
    let source = source?;
    match types::kind(source, env) {
        Kind::Literal => literal::refused(source, &target, env),
        Kind::Known(from) => {
            let (base, wanted) = (solid(&from, env)?, solid(&target, env)?);
            let fits = castable(&base, &wanted, CastContext::Explicit, env);
            (!fits).then(|| format!("cannot cast type {} to {}", word(&from, env), word(&target, env)))
        }
        Kind::Opaque => None,
    }
}

fn missing_type(written: &TypeName, env: &Environment) -> Option<String> {
    let name = written.name.as_str();
    let schema = written.schema.as_ref();
    // Array types have names with an underscore, `%TYPE` is no name, and what another schema holds is not known.
    let special = name.starts_with('_') || name.contains('%') || name.contains('.');
    let known_schema = schema.is_none_or(|schema| env.scope.schema.namespaces.contains_key(schema));
    if special || !known_schema || !is_closed(env.scope) || !env.scope.schema.vouched {
        return None;
    }
    let schema = schema.map(|schema| format!("{}.", schema.as_str())).unwrap_or_default();
    Some(format!("type \"{schema}{name}\" does not exist"))
}

/// COALESCE, GREATEST, LEAST and NULLIF, by the rules of `select_common_type` (parse_coerce.c).
fn of_one_type(name: &str, function: &ast::Function, env: &Environment) -> Option<String> {
    let arguments = crate::expression::volatility::arguments(function).0;
    if name == "nullif" {
        return match arguments[..] {
            [left, right] => operator("=", left, right, env),
            _ => None,
        };
    }
    common(&name.to_ascii_uppercase(), &arguments, env)
}

/// Why the branches have no common type; the literals among them are read by it.
fn common(what: &str, branches: &[&Expr], env: &Environment) -> Option<String> {
    let kinds: Vec<Kind> = branches.iter().map(|branch| types::kind(branch, env)).collect();
    let chosen = match common_type(what, &kinds, env)? {
        Ok(chosen) => chosen,
        Err(message) => return Some(message),
    };
    branches
        .iter()
        .zip(&kinds)
        .find_map(|(branch, kind)| (*kind == Kind::Literal).then(|| literal::refused(branch, &chosen, env)).flatten())
}

/// Why values of these types are of no common one.
pub(super) fn no_common_type(what: &str, kinds: &[Kind], env: &Environment) -> Option<String> {
    common_type(what, kinds, env)?.err()
}

/// The common type, or why there is none; `None` where that cannot be told.
fn common_type(what: &str, kinds: &[Kind], env: &Environment) -> Option<Result<ColumnType, String>> {
    let mut known: Vec<ColumnType> = Vec::new();
    for kind in kinds {
        match kind {
            Kind::Known(found) => known.push(solid(found, env)?),
            Kind::Literal => {}
            Kind::Opaque => return None,
        }
    }
    let mut chosen = known.first()?.clone();
    for next in &known[1..] {
        if overload::same_type(&chosen, next) {
            continue;
        }
        if overload::category(&chosen, env)? != overload::category(next, env)? {
            let (one, other) = (word(&chosen, env), word(next, env));
            return Some(Err(format!("{what} types {one} and {other} cannot be matched")));
        }
        let takes = !overload::is_preferred(&chosen, env)
            && castable(&chosen, next, CastContext::Implicit, env)
            && !castable(next, &chosen, CastContext::Implicit, env);
        if takes {
            chosen = next.clone();
        }
    }
    if let Some(other) = known.iter().find(|it| !castable(it, &chosen, CastContext::Implicit, env)) {
        let message = format!("{what} could not convert type {} to {}", word(other, env), word(&chosen, env));
        return Some(Err(message));
    }
    Some(Ok(chosen))
}

/// Why no `=` compares values of two types.
pub(super) fn compared(left: ColumnType, right: ColumnType, env: &Environment) -> Option<String> {
    operator_of("=", [Kind::Known(left), Kind::Known(right)], env)
}

/// Why no operator of the name takes values of two types; literals are not read.
pub(super) fn operator_of(name: &str, kinds: [Kind; 2], env: &Environment) -> Option<String> {
    for kind in &kinds {
        let Kind::Known(found) = kind else { return None };
        solid(found, env)?;
    }
    let own = has_own_named(ObjectKind::Operator, name, env.scope);
    let none = !own && overload::operators_for(name, &kinds, env).is_empty();
    let there = !overload::operators(name, false, env).is_empty();
    let [left, right] = kinds.map(|kind| described(&kind, env));
    (none && there).then(|| format!("operator does not exist: {left} {name} {right}"))
}

fn call(function: &ast::Function, env: &Environment) -> Option<String> {
    let name = names::object_name(&function.name)?;
    if name.schema.is_none() && matches!(name.name.as_str(), "coalesce" | "greatest" | "least" | "nullif") {
        return of_one_type(name.name.as_str(), function, env);
    }
    // A prefix operator is read as the call of a function of its name.
    let is_operator = !name.name.as_str().starts_with(|first: char| first.is_alphanumeric() || first == '_');
    let is_there = || !overload::operators(name.name.as_str(), true, env).is_empty();
    if is_operator && (has_own_named(ObjectKind::Operator, name.name.as_str(), env.scope) || is_there()) {
        return None;
    }
    let plain = name.schema.is_none() && NO_FUNCTIONS.contains(&name.name.as_str());
    let FunctionArguments::List(list) = &function.args else { return None };
    let every =
        list.args.iter().all(|argument| matches!(argument, ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(_))));
    if plain || types::special_form(function).is_some() || !function.within_group.is_empty() || !list.clauses.is_empty()
    {
        return None;
    }
    let (kinds, _) = types::argument_kinds(function, env);
    let candidates = overload::functions(&function.name, env);
    let certain = kinds.iter().all(|kind| match kind {
        Kind::Known(found) => solid(found, env).is_some(),
        Kind::Literal => true,
        Kind::Opaque => false,
    });
    let missing = || {
        let types: Vec<String> = kinds.iter().map(|kind| described(kind, env)).collect();
        let schema = name.schema.as_ref().map(|schema| format!("{}.", schema.as_str())).unwrap_or_default();
        format!("function {schema}{}({}) does not exist", name.name.as_str(), types.join(", "))
    };
    if candidates.is_empty() {
        // `f(row)` is also the column f of the row.
        let of_row = kinds.len() == 1 && !certain;
        let absent = !of_row && may_be_told(&name, env) && types::conversion_target(function, env).is_none();
        return absent.then(|| match kinds.contains(&Kind::Opaque) {
            true => format!("function {}(…) does not exist", name.name.as_str()),
            false => missing(),
        });
    }
    // `f(VARIADIC a)` is read as `f(a)`.
    let variadic = candidates.iter().any(|candidate| candidate.variadic);
    let own_aggregate = has_own_named(ObjectKind::Aggregate, name.name.as_str(), env.scope);
    if !every || !certain || variadic || !is_closed(env.scope) || own_aggregate {
        return None;
    }
    match &overload::choose(candidates, &kinds, env)[..] {
        [] if types::conversion_target(function, env).is_none() => Some(missing()),
        [only] if only.routine.is_some_and(|it| it.procedure) => {
            let types: Vec<String> = kinds.iter().map(|kind| described(kind, env)).collect();
            Some(format!("{}({}) is a procedure", name.name.as_str(), types.join(", ")))
        }
        [only] => arguments(list, only, &kinds, env),
        [first, others @ ..]
            if !others.is_empty() && [first].into_iter().chain(others).all(|it| is_plain_beside(it, first, env)) =>
        {
            let types: Vec<String> = kinds.iter().map(|kind| described(kind, env)).collect();
            let schema = name.schema.as_ref().map(|schema| format!("{}.", schema.as_str())).unwrap_or_default();
            Some(format!("function {schema}{}({}) is not unique", name.name.as_str(), types.join(", ")))
        }
        _ => None,
    }
}

/// A routine of the same schema as another, whose parameters are of types of which all is known.
fn is_plain_beside(candidate: &Candidate, other: &Candidate, env: &Environment) -> bool {
    let schema = |it: &Candidate| it.routine.filter(|it| it.seen == Seen::Whole).map(|it| it.name.schema.clone());
    schema(candidate).is_some()
        && schema(candidate) == schema(other)
        && candidate.parameters.iter().all(|it| solid(it, env).is_some())
}

/// Whether a function that is not found is certainly not there.
fn may_be_told(name: &crate::change::ObjectName, env: &Environment) -> bool {
    let scope = env.scope;
    let aggregate = scope.schema.others.iter().any(|(kind, other)| {
        matches!(kind, ObjectKind::Aggregate | ObjectKind::Function) && other.contains(name.name.as_str())
    });
    let known_schema = match &name.schema {
        Some(schema) => scope.schema.namespaces.contains_key(schema) || *schema == "pg_catalog",
        None => true,
    };
    let has_it = |extension: &crate::change::Name| {
        catalog::extension(extension.as_str()).is_some_and(|it| !it.functions_named(name.name.as_str()).is_empty())
    };
    let installed: Vec<_> = scope.schema.extensions.iter().filter(|(extension, _)| has_it(extension)).collect();
    // Hosts that put extensions into a schema of this name put it into the search_path of every role.
    if installed.iter().any(|(_, installed)| installed.schema == "extensions") {
        return false;
    }
    let out_of_path = !installed.is_empty();
    // What only another version has, or an extension that is in a schema out of the path, is known to be missing. Other functions may
    // have been made by hand where nobody said that the history is whole.
    let elsewhere = || {
        let versions = crate::version::PgVersion::all();
        let of_other_version = versions.into_iter().any(|it| !catalog::functions(name.name.as_str(), it).is_empty());
        of_other_version || out_of_path
    };
    known_schema && !aggregate && is_closed(scope) && (scope.schema.vouched || name.schema.is_none() && elsewhere())
}

/// Literals as arguments are read by the type that the function wants.
fn arguments(list: &ast::FunctionArgumentList, only: &Candidate, kinds: &[Kind], env: &Environment) -> Option<String> {
    let expressions = list.args.iter().filter_map(|argument| match argument {
        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expression)) => Some(expression),
        _ => None,
    });
    expressions.zip(&only.parameters).zip(kinds).find_map(|((argument, wanted), kind)| {
        let own = !wanted.written.name.as_str().starts_with("any") && *kind == Kind::Literal;
        own.then(|| literal::refused(argument, wanted, env)).flatten()
    })
}

fn described(kind: &Kind, env: &Environment) -> String {
    match kind {
        Kind::Known(found) => word(found, env),
        Kind::Literal | Kind::Opaque => word(&unknown(), env),
    }
}

fn unknown() -> ColumnType {
    built_in_type("unknown")
}
