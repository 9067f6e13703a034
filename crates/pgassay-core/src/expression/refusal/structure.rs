//! Parts that are about the structure of their operands: rows, arrays, fields, subqueries in the place of values (parse_expr.c).

use sqlparser::ast::{self, Expr};

use super::super::names;
use super::super::overload::{self, Kind};
use super::super::query::output_of;
use super::super::scope::Environment;
use super::super::types;
use super::{has_own_named, not_boolean, part, solid, word};
use crate::catalog;
use crate::change::ObjectKind;
use crate::schema::{ColumnType, ResolvedType, TypeDefinition};

pub(super) fn refused(expression: &Expr, env: &Environment) -> Option<String> {
    match expression {
        Expr::BinaryOp { left, right, .. } => {
            rows(left, right).or_else(|| one_column(left, env)).or_else(|| one_column(right, env))
        }
        Expr::InSubquery { expr, subquery, .. } => in_query(expr, subquery, env),
        Expr::AnyOp { left, compare_op, right, .. } | Expr::AllOp { left, compare_op, right } => {
            any(left, compare_op, right, env)
        }
        Expr::Array(array) => {
            let kinds: Vec<Kind> = array.elem.iter().map(|it| types::kind(it, env)).collect();
            let nested = array.elem.iter().any(|it| matches!(it, Expr::Array(_)));
            if nested { None } else { part::no_common_type("ARRAY", &kinds, env) }
        }
        Expr::IsTrue(of) => condition(of, "IS TRUE", env),
        Expr::IsNotTrue(of) => condition(of, "IS NOT TRUE", env),
        Expr::IsFalse(of) => condition(of, "IS FALSE", env),
        Expr::IsNotFalse(of) => condition(of, "IS NOT FALSE", env),
        Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => minus(expr, env),
        Expr::CompoundFieldAccess { root, access_chain } => access(root, access_chain, env),
        _ => None,
    }
}

fn condition(of: &Expr, words: &str, env: &Environment) -> Option<String> {
    not_boolean(of, env).map(|is| format!("argument of {words} must be type boolean, not type {is}"))
}

/// `(a, b) = (c, d)`.
fn rows(left: &Expr, right: &Expr) -> Option<String> {
    let (Expr::Tuple(left), Expr::Tuple(right)) = (left, right) else { return None };
    (left.len() != right.len()).then(|| "unequal number of entries in row expressions".to_owned())
}

/// A subquery as an operand gives one column.
fn one_column(operand: &Expr, env: &Environment) -> Option<String> {
    let Expr::Subquery(query) = operand else { return None };
    let columns = output_of(query, env)?.len();
    (columns > 1).then(|| "subquery must return only one column".to_owned())
}

fn in_query(tested: &Expr, query: &ast::Query, env: &Environment) -> Option<String> {
    let wanted = match tested {
        Expr::Tuple(parts) => parts.len(),
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) | Expr::Cast { .. } => 1,
        _ => return None,
    };
    // A whole row is compared with the columns of the other.
    if wanted == 1 && !matches!(types::kind(tested, env), Kind::Known(of) if solid(&of, env).is_some()) {
        return None;
    }
    match output_of(query, env)?.len() {
        columns if columns > wanted => Some("subquery has too many columns".to_owned()),
        columns if columns < wanted => Some("subquery has too few columns".to_owned()),
        _ => None,
    }
}

/// `left op ANY (right)`: an array, or a subquery.
fn any(left: &Expr, op: &ast::BinaryOperator, right: &Expr, env: &Environment) -> Option<String> {
    let right = match right {
        Expr::Nested(inner) => inner,
        other => other,
    };
    if matches!(right, Expr::Subquery(_)) {
        return None;
    }
    let Kind::Known(found) = types::kind(right, env) else { return None };
    let base = solid(&found, env)?;
    if !overload::is_array(&base) {
        let scalar = is_scalar(&base);
        return scalar.then(|| "op ANY/ALL (array) requires array on right side".to_owned());
    }
    part::operator_of(&types::operator_name(op)?, [types::kind(left, env), Kind::Known(base.element())], env)
}

/// A type of pg_catalog that is neither an array nor read as one.
fn is_scalar(base: &ColumnType) -> bool {
    let name = base.written.name.as_str();
    let category = catalog::built_in_type(name).map(|it| it.category);
    base.resolved == ResolvedType::BuiltIn
        && !overload::is_array(base)
        && matches!(category, Some('N' | 'D' | 'B' | 'S' | 'T'))
        && name != "name"
}

fn minus(operand: &Expr, env: &Environment) -> Option<String> {
    let Kind::Known(found) = types::kind(operand, env) else { return None };
    let base = solid(&found, env).filter(is_scalar)?;
    let none = overload::operators_for("-", &[Kind::Known(base)], env).is_empty();
    let own = has_own_named(ObjectKind::Operator, "-", env.scope);
    (none && !own).then(|| format!("operator does not exist: - {}", word(&found, env)))
}

/// `(value).field` and `value[…]`, the first step of the chain.
fn access(root: &Expr, chain: &[ast::AccessExpr], env: &Environment) -> Option<String> {
    let Kind::Known(found) = types::kind(root, env) else { return None };
    let base = solid(&found, env)?;
    match chain.first()? {
        ast::AccessExpr::Dot(Expr::Identifier(field)) => {
            let name = names::name(field);
            if is_scalar(&base) {
                let of = word(&found, env);
                return Some(format!("column notation .{name} applied to type {of}, which is not a composite type"));
            }
            let ResolvedType::User(id) = base.resolved else { return None };
            let Some(TypeDefinition::Composite(fields)) = env.scope.schema.types.get(&id).map(|it| &it.definition)
            else {
                return None;
            };
            let called = env.scope.schema.routines.values().any(|it| it.name.name == name);
            let absent = !overload::is_array(&base) && !called && !fields.iter().any(|(it, _)| *it == name);
            absent.then(|| format!("column \"{name}\" not found in data type {}", word(&found, env)))
        }
        ast::AccessExpr::Subscript(_) if is_scalar(&base) => {
            let of = word(&found, env);
            Some(format!("cannot subscript type {of} because it does not support subscripting"))
        }
        _ => None,
    }
}
