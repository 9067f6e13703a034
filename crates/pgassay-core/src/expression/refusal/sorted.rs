//! What is sorted or grouped: the type must have an order, or an equality (`get_sort_group_operators`, parse_oper.c).

use sqlparser::ast::{self, Expr, Spanned};

use super::super::overload::{self, Kind};
use super::super::query::Output;
use super::super::scope::Environment;
use super::super::types;
use super::{Refusal, has_own, solid, word};
use crate::catalog;
use crate::change::ObjectKind;
use crate::schema::{ColumnType, ResolvedType};

/// GROUP BY and DISTINCT ON.
pub(in super::super) fn grouped(expression: &Expr, env: &Environment) -> Option<Refusal> {
    let Kind::Known(of) = types::kind(expression, env) else { return None };
    no_equality(&of, env).map(|message| Refusal { message, span: expression.span() })
}

/// SELECT DISTINCT, of all columns of the output.
pub(in super::super) fn distinct(select: &ast::Select, output: &Output, env: &Environment) -> Option<Refusal> {
    if !matches!(select.distinct, Some(ast::Distinct::Distinct)) {
        return None;
    }
    let mut columns = output.iter().flatten().filter_map(|(_, of)| of.as_ref());
    let message = columns.find_map(|of| no_equality(of, env))?;
    Some(Refusal { message, span: select.span() })
}

/// ORDER BY.
pub(in super::super) fn ordered(expression: &Expr, env: &Environment) -> Option<Refusal> {
    let Kind::Known(of) = types::kind(expression, env) else { return None };
    let lacks = lacks(&of, &["btree"], env);
    let message = format!("could not identify an ordering operator for type {}", word(&of, env));
    lacks.then(|| Refusal { message, span: expression.span() })
}

fn no_equality(of: &ColumnType, env: &Environment) -> Option<String> {
    let lacks = lacks(of, &["btree", "hash"], env);
    lacks.then(|| format!("could not identify an equality operator for type {}", word(of, env)))
}

/// Whether the type is one of pg_catalog without a default operator class for any of the methods.
fn lacks(of: &ColumnType, methods: &[&str], env: &Environment) -> bool {
    let Some(base) = solid(of, env) else { return false };
    let element = if overload::is_array(&base) { base.element() } else { base };
    let class = |method: &&str| catalog::default_operator_class(method, element.written.name.as_str()).is_some();
    element.resolved == ResolvedType::BuiltIn
        && !has_own(ObjectKind::OperatorClass, env.scope)
        && !methods.iter().any(class)
}
