//! What is sorted or grouped: the type must have an order, or an equality (`get_sort_group_operators`, parse_oper.c).

use sqlparser::ast::{self, Expr, Spanned};

use super::super::names;
use super::super::overload::{self, Kind};
use super::super::query::{Output, output_name};
use super::super::scope::Environment;
use super::super::types;
use super::{Refusal, has_own, solid, word};
use crate::catalog;
use crate::change::{Name, ObjectKind};
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

/// ORDER BY of a column that DISTINCT does not keep (`transformDistinctClause` and `transformDistinctOnClause`, parse_clause.c). What
/// is no plain column is left alone.
pub(in super::super) fn distinct_order(query: &ast::Query) -> Option<Refusal> {
    let ast::SetExpr::Select(select) = &*query.body else { return None };
    let Some(ast::OrderBy { kind: ast::OrderByKind::Expressions(by), .. }) = &query.order_by else { return None };
    let kept: Vec<(Option<Name>, Option<Name>)> = select.projection.iter().map(shown).collect::<Option<_>>()?;
    match &select.distinct {
        Some(ast::Distinct::Distinct) => {
            let is_kept = |name: &Name| {
                kept.iter().any(|(column, called)| column.as_ref() == Some(name) || called.as_ref() == Some(name))
            };
            let stray = by.iter().find(|item| column(&item.expr).is_some_and(|name| !is_kept(&name)))?;
            let message = "for SELECT DISTINCT, ORDER BY expressions must appear in select list";
            Some(Refusal { message: message.to_owned(), span: stray.expr.span() })
        }
        Some(ast::Distinct::On(on)) => {
            let on: Vec<Name> = on.iter().map(column).collect::<Option<_>>()?;
            let renamed =
                |name: &Name| kept.iter().any(|(column, called)| called.as_ref() == Some(name) && called != column);
            let stray = by
                .iter()
                .take(on.len())
                .find(|item| column(&item.expr).is_some_and(|name| !on.contains(&name) && !renamed(&name)))?;
            let message = "SELECT DISTINCT ON expressions must match initial ORDER BY expressions";
            Some(Refusal { message: message.to_owned(), span: stray.expr.span() })
        }
        _ => None,
    }
}

/// The column that an item shows, and the name that it gives it; `None` for `*`.
fn shown(item: &ast::SelectItem) -> Option<(Option<Name>, Option<Name>)> {
    match item {
        ast::SelectItem::UnnamedExpr(expression) => Some((column(expression), Some(output_name(expression)))),
        ast::SelectItem::ExprWithAlias { expr, alias } => Some((column(expr), Some(names::name(alias)))),
        _ => None,
    }
}

fn column(expression: &Expr) -> Option<Name> {
    match expression {
        Expr::Identifier(ident) => Some(names::name(ident)),
        Expr::CompoundIdentifier(path) => path.last().map(names::name),
        _ => None,
    }
}

/// ORDER BY.
pub(in super::super) fn ordered(expression: &Expr, env: &Environment) -> Option<Refusal> {
    let Kind::Known(of) = types::kind(expression, env) else { return None };
    let lacks = lacks(&of, &["btree"], env);
    let message = format!("could not identify an ordering operator for type {}", word(&of, env));
    lacks.then(|| Refusal { message, span: expression.span() })
}

pub(in super::super) fn no_equality(of: &ColumnType, env: &Environment) -> Option<String> {
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
