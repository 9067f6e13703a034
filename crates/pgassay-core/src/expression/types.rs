//! The type of an expression, where it can be told.

use std::sync::Arc;

use sqlparser::ast::{self, BinaryOperator, Expr, FunctionArguments, UnaryOperator, Value};

use super::overload::{self, Candidate, Kind};
use super::scope::{Environment, Meaning, base_type, built_in_type, resolve_type};
use super::{names, query, volatility};
use crate::catalog;
use crate::catalog::Volatility;
use crate::change::Name;
use crate::schema::{ColumnType, ResolvedType, TypeDefinition};

/// Queries nested deeper than this have no type.
const DEEPEST_QUERY: usize = 5;

pub(super) fn of(expression: &Expr, env: &Environment) -> Option<ColumnType> {
    match kind(expression, env) {
        Kind::Known(found) => Some(found),
        Kind::Literal | Kind::Opaque => None,
    }
}

pub(super) fn kind(expression: &Expr, env: &Environment) -> Kind {
    match expression {
        Expr::Value(value) => literal(&value.value),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => kind(inner, env),
        other => typed(other, env).map_or(Kind::Opaque, Kind::Known),
    }
}

fn literal(value: &Value) -> Kind {
    match value {
        Value::Number(number, _) => Kind::Known(built_in_type(number_type(number))),
        Value::Boolean(_) => Kind::Known(built_in_type("bool")),
        Value::Placeholder(_) => Kind::Opaque,
        Value::HexStringLiteral(_) | Value::SingleQuotedByteStringLiteral(_) => Kind::Known(built_in_type("bit")),
        _ => Kind::Literal,
    }
}

/// The narrowest of int4, int8 and numeric (manual, 4.1.2.6).
fn number_type(number: &str) -> &'static str {
    match number.parse::<i64>() {
        Ok(number) if i32::try_from(number).is_ok() => "int4",
        Ok(_) => "int8",
        Err(_) => "numeric",
    }
}

fn typed(expression: &Expr, env: &Environment) -> Option<ColumnType> {
    let built_in = |name| Some(built_in_type(name));
    match expression {
        Expr::Identifier(ident) => column(&[names::name(ident)], env),
        Expr::CompoundIdentifier(path) => column(&path.iter().map(names::name).collect::<Vec<_>>(), env),
        Expr::CompoundFieldAccess { root, access_chain } => access(root, access_chain, env),
        Expr::Cast { data_type, .. } => Some(resolve_type(&names::type_name(data_type)?, env.scope)),
        Expr::TypedString(typed) => Some(resolve_type(&names::type_name(&typed.data_type)?, env.scope)),
        Expr::Interval(_) => built_in("interval"),
        Expr::BinaryOp { left, op, right } => match operator_name(op) {
            Some(name) => operator(&name, &[left, right], env),
            None => built_in("bool"),
        },
        Expr::UnaryOp { op: UnaryOperator::Not, .. } => built_in("bool"),
        Expr::UnaryOp { op, expr } => operator(&op.to_string(), &[expr], env),
        Expr::Function(function) => call(function, env),
        Expr::Case { conditions, else_result, .. } => {
            let results = conditions.iter().map(|when| &when.result).chain(else_result.as_deref());
            common(results.map(|result| kind(result, env)), env)
        }
        Expr::Array(array) => {
            let element = common(array.elem.iter().map(|item| kind(item, env)), env)?;
            Some(element.array())
        }
        Expr::Tuple(_) => built_in("record"),
        Expr::Subquery(inner) => single_column(inner, env),
        Expr::Extract { .. } => built_in("numeric"),
        Expr::Position { .. } => built_in("int4"),
        Expr::Ceil { expr, .. } => named("ceil", &[kind(expr, env)], env),
        Expr::Floor { expr, .. } => named("floor", &[kind(expr, env)], env),
        Expr::AtTimeZone { timestamp, time_zone } => {
            named("timezone", &[kind(time_zone, env), kind(timestamp, env)], env)
        }
        Expr::Substring { expr, .. } | Expr::Overlay { expr, .. } => {
            Some(match of(expr, env).map(|found| base_type(&found, env.scope)) {
                Some(found) if found.written.name == "bytea" || found.written.name == "bit" => found,
                _ => built_in_type("text"),
            })
        }
        Expr::Trim { .. } => built_in("text"),
        other => is_condition(other).then(|| built_in_type("bool")),
    }
}

fn is_condition(expression: &Expr) -> bool {
    matches!(
        expression,
        Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::IsJson { .. }
            | Expr::IsNormalized { .. }
            | Expr::InList { .. }
            | Expr::InSubquery { .. }
            | Expr::Between { .. }
            | Expr::Like { .. }
            | Expr::ILike { .. }
            | Expr::SimilarTo { .. }
            | Expr::AnyOp { .. }
            | Expr::AllOp { .. }
            | Expr::Exists { .. }
    )
}

fn column(path: &[Name], env: &Environment) -> Option<ColumnType> {
    match env.resolve(path) {
        Some(Meaning::Column(_, column)) => column.data_type.clone(),
        Some(Meaning::WholeRow(source)) => {
            let relation = env.scope.schema.relation(source.relation?)?;
            let written = crate::change::TypeName {
                schema: Some(relation.name.schema.clone()),
                name: relation.name.name.clone(),
                ..names::built_in("record")
            };
            Some(ColumnType { written: written.into(), resolved: ResolvedType::Row(relation.id) })
        }
        None if *path == [Name::from("value")] => env.scope.value.cloned(),
        None => None,
    }
}

/// `a[1]`, `(row).field`.
fn access(root: &Expr, chain: &[ast::AccessExpr], env: &Environment) -> Option<ColumnType> {
    let mut found = base_type(&of(root, env)?, env.scope);
    for step in chain {
        found = match step {
            ast::AccessExpr::Subscript(ast::Subscript::Index { .. }) if overload::is_array(&found) => found.element(),
            ast::AccessExpr::Subscript(ast::Subscript::Slice { .. }) if overload::is_array(&found) => found,
            ast::AccessExpr::Subscript(_) if found.written.name == "jsonb" => found,
            ast::AccessExpr::Dot(Expr::Identifier(field)) => field_type(&found, &names::name(field), env)?,
            _ => return None,
        };
    }
    Some(found)
}

/// The attributes of composite types that `(row).field` names.
pub(super) fn attributes(expression: &Expr, env: &Environment) -> Vec<(crate::schema::TypeId, Name)> {
    let Expr::CompoundFieldAccess { root, access_chain } = expression else { return Vec::new() };
    let mut found = Vec::new();
    for (at, step) in access_chain.iter().enumerate() {
        let ast::AccessExpr::Dot(Expr::Identifier(field)) = step else { continue };
        let row = access(root, &access_chain[..at], env).map(|row| base_type(&row, env.scope));
        if let Some(ResolvedType::User(id)) = row.map(|row| row.resolved) {
            found.push((id, names::name(field)));
        }
    }
    found
}

fn field_type(row: &ColumnType, field: &Name, env: &Environment) -> Option<ColumnType> {
    match row.resolved {
        ResolvedType::Row(id) => env.scope.schema.relation(id)?.column(field).map(|column| column.data_type.clone()),
        ResolvedType::User(id) => match &env.scope.schema.types.get(&id)?.definition {
            TypeDefinition::Composite(fields) => {
                fields.iter().find(|(name, _)| name == field).map(|(_, of)| of.clone())
            }
            _ => None,
        },
        _ => None,
    }
}

/// The operator's name; `None` for AND, OR and XOR.
pub(super) fn operator_name(op: &BinaryOperator) -> Option<String> {
    match op {
        BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor => None,
        BinaryOperator::PGCustomBinaryOperator(path) => path.last().cloned(),
        other => Some(other.to_string()),
    }
}

fn operator(name: &str, operands: &[&Expr], env: &Environment) -> Option<ColumnType> {
    let kinds: Vec<_> = operands.iter().map(|operand| kind(operand, env)).collect();
    agreed(overload::operators_for(name, &kinds, env), &kinds, env)
}

fn named(name: &str, arguments: &[Kind], env: &Environment) -> Option<ColumnType> {
    let name = ast::ObjectName::from(vec![ast::Ident::new(name)]);
    agreed(overload::choose(overload::functions(&name, env), arguments, env), arguments, env)
}

/// The type that all candidates return.
fn agreed(candidates: Vec<Candidate>, arguments: &[Kind], env: &Environment) -> Option<ColumnType> {
    let mut returned = candidates.iter().map(|candidate| returned(candidate, arguments, env));
    let first = returned.next()??;
    returned.all(|other| other.is_some_and(|other| overload::same_type(&first, &other))).then_some(first)
}

/// The candidate's result, polymorphic types bound by the arguments.
fn returned(candidate: &Candidate, arguments: &[Kind], env: &Environment) -> Option<ColumnType> {
    let declared = candidate.returns.clone()?;
    let bound = |names: &[&str]| {
        candidate.parameters.iter().zip(arguments).find_map(|(parameter, argument)| match argument {
            Kind::Known(found) if names.contains(&parameter.written.name.as_str()) => Some(found.clone()),
            _ => None,
        })
    };
    let element = || {
        bound(&["anyelement", "anynonarray", "anyenum", "anycompatible", "anycompatiblenonarray"])
            .or_else(|| bound(&["anyarray", "anycompatiblearray"]).map(|array| array.element()))
            .or_else(|| range_element(&bound(&["anyrange", "anymultirange", "anycompatiblerange"])?))
    };
    match declared.written.name.as_str() {
        "anyelement" | "anynonarray" | "anyenum" | "anycompatible" | "anycompatiblenonarray" => element(),
        "anyarray" | "anycompatiblearray" => {
            let array = bound(&["anyarray", "anycompatiblearray"]).or_else(element)?;
            Some(base_type(&array.array(), env.scope))
        }
        "anyrange" | "anymultirange" => bound(&[declared.written.name.as_str()]),
        _ => Some(declared),
    }
}

fn range_element(range: &ColumnType) -> Option<ColumnType> {
    catalog::built_in_type(range.written.name.as_str())?.element.map(built_in_type)
}

/// Syntax that looks like a call but is no function.
pub(super) struct SpecialForm {
    /// Of itself; its arguments count besides.
    pub volatility: Volatility,
    /// Whether it is no less volatile than that.
    pub is_certain: bool,
    returns: Option<&'static str>,
}

pub(super) fn special_form(function: &ast::Function) -> Option<SpecialForm> {
    let [ast::ObjectNamePart::Identifier(ident)] = &function.name.0[..] else { return None };
    if ident.quote_style.is_some() {
        return None;
    }
    let name = ident.value.to_ascii_lowercase();
    let is_certain = !name.starts_with("xml");
    let form = |volatility, returns| Some(SpecialForm { volatility, is_certain, returns });
    let without_arguments = matches!(function.args, FunctionArguments::None);
    match name.as_str() {
        "coalesce" | "greatest" | "least" | "nullif" | "grouping" => form(Volatility::Immutable, None),
        "row" => form(Volatility::Immutable, Some("record")),
        "current_date" => form(Volatility::Stable, Some("date")),
        "current_time" => form(Volatility::Stable, Some("timetz")),
        "current_timestamp" => form(Volatility::Stable, Some("timestamptz")),
        "localtime" => form(Volatility::Stable, Some("time")),
        "localtimestamp" => form(Volatility::Stable, Some("timestamp")),
        "current_user" | "session_user" | "user" | "current_role" | "current_catalog" | "current_schema"
            if without_arguments =>
        {
            form(Volatility::Stable, Some("name"))
        }
        // JSON_TABLE and XMLTABLE as they are read (`sql::repair::table_function`).
        "json_table_function" | "xml_table_function" => form(Volatility::Stable, Some("record")),
        "xmlconcat" | "xmlelement" | "xmlforest" | "xmlparse" | "xmlpi" | "xmlroot" => {
            form(Volatility::Stable, Some("xml"))
        }
        "xmlserialize" => form(Volatility::Stable, None),
        // `x IS DOCUMENT`: no function is called so.
        "is document" => form(Volatility::Immutable, Some("bool")),
        "json_exists" => form(Volatility::Immutable, Some("bool")),
        "json_value" | "json_query" => form(Volatility::Immutable, None),
        _ => None,
    }
}

/// The kinds of a call's arguments, and whether any is passed by name.
pub(super) fn argument_kinds(function: &ast::Function, env: &Environment) -> (Vec<Kind>, bool) {
    let (arguments, named) = volatility::arguments(function);
    (arguments.into_iter().map(|argument| kind(argument, env)).collect(), named)
}

fn call(function: &ast::Function, env: &Environment) -> Option<ColumnType> {
    let (mut kinds, named) = argument_kinds(function, env);
    if let Some(form) = special_form(function) {
        return match function.name.to_string().to_ascii_lowercase().as_str() {
            "coalesce" | "greatest" | "least" => common(kinds.into_iter(), env),
            "nullif" => kinds.into_iter().next().and_then(|first| common([first].into_iter(), env)),
            "grouping" => Some(built_in_type("int4")),
            _ => form.returns.map(built_in_type),
        };
    }
    kinds.extend(function.within_group.iter().map(|order| kind(&order.expr, env)));
    let candidates = overload::functions(&function.name, env);
    let candidates = if named {
        candidates.into_iter().filter(|candidate| candidate.parameters.len() >= kinds.len()).collect()
    } else {
        overload::choose(candidates, &kinds, env)
    };
    if candidates.is_empty() { conversion_target(function, env) } else { agreed(candidates, &kinds, env) }
}

/// The type that `type(expression)` converts to.
pub(super) fn conversion_target(function: &ast::Function, env: &Environment) -> Option<ColumnType> {
    let name = names::object_name(&function.name)?;
    let written = crate::change::TypeName { schema: name.schema, name: name.name, ..names::built_in("text") };
    let one = volatility::arguments(function).0.len() == 1;
    Some(resolve_type(&written, env.scope)).filter(|target| one && target.resolved != ResolvedType::Unknown)
}

/// The one type of CASE, COALESCE, ARRAY and UNION branches (`select_common_type`): text when all are literals.
pub(super) fn common(kinds: impl Iterator<Item = Kind>, env: &Environment) -> Option<ColumnType> {
    let mut found: Option<ColumnType> = None;
    for kind in kinds {
        let next = match kind {
            Kind::Literal => continue,
            Kind::Opaque => return None,
            Kind::Known(next) => next,
        };
        found = Some(match found {
            None => next,
            Some(current) if overload::same_type(&current, &next) => {
                if current.written.modifiers == next.written.modifiers { current } else { without_modifiers(current) }
            }
            Some(current) => wider(base_type(&current, env.scope), base_type(&next, env.scope), env)?,
        });
    }
    Some(found.unwrap_or_else(|| built_in_type("text")))
}

fn without_modifiers(mut of: ColumnType) -> ColumnType {
    if !of.written.modifiers.is_empty() {
        Arc::make_mut(&mut of.written).modifiers.clear();
    }
    of
}

fn wider(current: ColumnType, next: ColumnType, env: &Environment) -> Option<ColumnType> {
    if overload::category(&current, env)? != overload::category(&next, env)? {
        return None;
    }
    let takes_next = !overload::is_preferred(&current, env)
        && overload::implicitly_coercible(&current, &next, env)
        && !overload::implicitly_coercible(&next, &current, env);
    Some(without_modifiers(if takes_next { next } else { current }))
}

fn single_column(inner: &ast::Query, env: &Environment) -> Option<ColumnType> {
    let mut depth = 0;
    let mut outer = env.outer;
    while let Some(next) = outer {
        depth += 1;
        outer = next.outer;
    }
    if depth >= DEEPEST_QUERY {
        return None;
    }
    let output = query::output_of(inner, env)?;
    output.into_iter().next()?.1
}
