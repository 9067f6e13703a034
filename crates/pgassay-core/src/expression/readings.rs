//! The type that string literals are read as: a literal takes the type of what it is compared with, given to or joined to
//! (`coerce_type`, parse_coerce.c).
//!
//! In: an expression and what surrounds it. Out: the literals of which the type is known; what is left out may be of any.

use sqlparser::ast::{self, Expr, Value};
use sqlparser::tokenizer::Span;

use super::overload::{self, Kind};
use super::scope::{Environment, base_type, resolve_type};
use super::{assigned, names, types, volatility};
use crate::change::ObjectKind;
use crate::schema::ColumnType;

/// A string literal, and what it is read as.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub text: String,
    /// Read it with [`crate::sql::tree_span`].
    pub span: Span,
    /// Domains are opened.
    pub of: ColumnType,
}

/// A value that a column of this type takes.
pub(super) fn given(value: &Expr, of: &ColumnType, env: &Environment) -> Vec<Reading> {
    literal(value).map(|(text, span)| Reading { text, span, of: base_type(of, env.scope) }).into_iter().collect()
}

/// The literals that are operands, branches or arguments of this part, those of its own parts aside.
pub(super) fn of_part(part: &Expr, env: &Environment) -> Vec<Reading> {
    match part {
        Expr::BinaryOp { left, op, right } => match types::operator_name(op) {
            Some(_) => operands([left, right], env),
            None => Vec::new(),
        },
        Expr::Like { expr: one, pattern: other, .. }
        | Expr::ILike { expr: one, pattern: other, .. }
        | Expr::IsDistinctFrom(one, other)
        | Expr::IsNotDistinctFrom(one, other) => operands([one, other], env),
        Expr::Between { expr, low, high, .. } => {
            [low, high].into_iter().flat_map(|bound| operands([expr, bound], env)).collect()
        }
        Expr::InList { expr, list, .. } => list.iter().flat_map(|item| operands([expr, item], env)).collect(),
        Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => {
            let array = types::of(left, env).map(|of| given(right, &of.array(), env));
            let element = types::of(right, env).map(|of| base_type(&of, env.scope)).filter(overload::is_array);
            array
                .into_iter()
                .flatten()
                .chain(element.into_iter().flat_map(|of| given(left, &of.element(), env)))
                .collect()
        }
        Expr::Case { operand, conditions, else_result, .. } => {
            let tested = operand
                .iter()
                .flat_map(|operand| conditions.iter().flat_map(move |when| operands([operand, &when.condition], env)));
            let results = conditions.iter().map(|when| &when.result).chain(else_result.as_deref());
            tested.chain(branches(&results.collect::<Vec<_>>(), env)).collect()
        }
        Expr::Array(array) => branches(&array.elem.iter().collect::<Vec<_>>(), env),
        Expr::Cast { expr, data_type, .. } => match names::type_name(data_type) {
            Some(written) => given(expr, &resolve_type(&written, env.scope), env),
            None => Vec::new(),
        },
        Expr::TypedString(typed) => {
            let value = Expr::Value(typed.value.clone());
            names::type_name(&typed.data_type)
                .map(|written| given(&value, &resolve_type(&written, env.scope), env))
                .unwrap_or_default()
        }
        Expr::Function(function) => arguments(function, env),
        _ => Vec::new(),
    }
}

/// The rows of INSERT, from VALUES or a list of SELECT.
pub(super) fn of_rows(
    insert: &ast::Insert,
    source: &ast::Query,
    target: &super::scope::Source,
    env: &Environment,
) -> Vec<Reading> {
    let Some(columns) = assigned::listed(insert, target) else { return Vec::new() };
    let rows: Vec<Vec<&Expr>> = match &*source.body {
        ast::SetExpr::Values(values) => values.rows.iter().map(|row| row.content.iter().collect()).collect(),
        ast::SetExpr::Select(select) => {
            let items: Option<Vec<_>> = select.projection.iter().map(assigned::plain_item).collect();
            items.into_iter().collect()
        }
        _ => Vec::new(),
    };
    let pairs = rows.into_iter().flat_map(|row| row.into_iter().zip(&columns).collect::<Vec<_>>());
    pairs
        .flat_map(|(value, column)| column.data_type.iter().flat_map(|of| given(value, of, env)).collect::<Vec<_>>())
        .collect()
}

/// A literal takes the type of the other operand; only an operator of the user's takes another.
fn operands(operands: [&Expr; 2], env: &Environment) -> Vec<Reading> {
    if env.scope.schema.others.iter().any(|(kind, _)| *kind == ObjectKind::Operator) {
        return Vec::new();
    }
    let [one, other] = operands;
    match (types::kind(one, env), types::kind(other, env)) {
        (Kind::Literal, Kind::Known(of)) => given(one, &of, env),
        (Kind::Known(of), Kind::Literal) => given(other, &of, env),
        (Kind::Literal, Kind::Literal) => branches(&operands, env),
        _ => Vec::new(),
    }
}

/// Branches of one type: text where all are literals.
fn branches(branches: &[&Expr], env: &Environment) -> Vec<Reading> {
    let Some(of) = types::common(branches.iter().map(|branch| types::kind(branch, env)), env) else {
        return Vec::new();
    };
    branches.iter().flat_map(|branch| given(branch, &of, env)).collect()
}

fn arguments(function: &ast::Function, env: &Environment) -> Vec<Reading> {
    let (arguments, named) = volatility::arguments(function);
    let name = names::object_name(&function.name);
    let is = |one: &str| name.as_ref().is_some_and(|name| name.schema.is_none() && name.name == *one);
    if ["coalesce", "greatest", "least", "nullif"].into_iter().any(is) {
        return branches(&arguments, env);
    }
    let kinds: Vec<Kind> = arguments.iter().map(|argument| types::kind(argument, env)).collect();
    match &overload::choose(overload::functions(&function.name, env), &kinds, env)[..] {
        [only] if !named => {
            let declared = arguments.iter().zip(&only.parameters);
            let plain = declared.filter(|(_, of)| !of.written.name.as_str().starts_with("any"));
            plain.flat_map(|(argument, of)| given(argument, of, env)).collect()
        }
        _ => Vec::new(),
    }
}

fn literal(expression: &Expr) -> Option<(String, Span)> {
    match expression {
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => literal(inner),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some((text.clone(), value.span)),
            Value::DollarQuotedString(quoted) => Some((quoted.value.clone(), value.span)),
            _ => None,
        },
        _ => None,
    }
}
