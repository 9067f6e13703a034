//! What INSERT and UPDATE give to columns: how many values, and of which types.

use sqlparser::ast::{self, Expr, SetExpr, Spanned};

use super::query::Output;
use super::refusal::{self, Refusal, Unfit};
use super::scope::{Environment, Source, SourceColumn};
use super::{names, overload, types};
use crate::sql::kept;

/// `SET column = value`; parts of a column are left alone.
pub(super) fn refused(name: &ast::ObjectName, value: &Expr, target: &Source, env: &Environment) -> Option<Refusal> {
    if kept::is_element(name) {
        return refused_element(target.column(&names::name(name.0[0].as_ident()?))?, value, env);
    }
    let column = target_of(name, target)?;
    let of = column.data_type.as_ref()?;
    let unfit = refusal::unfit(value, of, env)?;
    Some(Refusal { message: message(column, unfit, env)?, span: value.span() })
}

/// The column that a target of SET names as a whole.
pub(super) fn target_of<'s>(name: &ast::ObjectName, target: &'s Source) -> Option<&'s SourceColumn> {
    let [part] = &name.0[..] else { return None };
    target.column(&names::name(part.as_ident()?))
}

/// `SET (a, b) = …`: a row of as many values, or a query of as many columns (transformMultiAssignRef, parse_expr.c).
pub(super) fn refused_list(names: &[ast::ObjectName], value: &Expr, env: &Environment) -> Option<Refusal> {
    let given = match value {
        Expr::Tuple(values) => Some(values.len()),
        Expr::Subquery(query) => super::query::output_of(query, env).map(|output| output.len()),
        Expr::Nested(_) | Expr::Value(_) => {
            let message = "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression";
            return Some(Refusal { message: message.to_owned(), span: value.span() });
        }
        _ => None,
    };
    let message = "number of columns does not match number of values";
    given.filter(|given| *given != names.len()).map(|_| Refusal { message: message.to_owned(), span: value.span() })
}

/// A column that SET gives a value twice; only parts of it may come after each other (process_matched_tle, rewriteHandler.c).
pub(super) fn twice(assignments: &[ast::Assignment]) -> Option<Refusal> {
    let targets = assignments.iter().flat_map(|assignment| match &assignment.target {
        ast::AssignmentTarget::ColumnName(name) => std::slice::from_ref(name),
        ast::AssignmentTarget::Tuple(names) => names,
    });
    let mut seen = Vec::new();
    for target in targets {
        let column = names::name(target.0.first()?.as_ident()?);
        let is_part = target.0.len() > 1;
        if seen.iter().any(|(other, was_part)| *other == column && !(is_part && *was_part)) {
            let message = format!("multiple assignments to same column \"{}\"", column.as_str());
            return Some(Refusal { message, span: target.span() });
        }
        seen.push((column, is_part));
    }
    None
}

/// `SET column[1] = value`, (transformAssignmentIndirection, parse_target.c).
fn refused_element(column: &SourceColumn, value: &Expr, env: &Environment) -> Option<Refusal> {
    let of = column.data_type.as_ref()?;
    let base = super::scope::base_type(of, env.scope);
    let element = overload::is_array(&base).then(|| base.element())?;
    let message = match refusal::unfit(value, &element, env)? {
        Unfit::Literal(message) => message,
        Unfit::Type(is) => {
            let (name, wanted) = (column.name.as_str(), refusal::word(&element, env));
            format!("subscripted assignment to \"{name}\" requires type {wanted} but expression is of type {is}")
        }
    };
    Some(Refusal { message, span: value.span() })
}

/// The rows of INSERT: from VALUES, or from a query whose columns are known.
pub(super) fn refused_rows(
    insert: &ast::Insert,
    source: &ast::Query,
    output: &Output,
    target: &Source,
    env: &Environment,
) -> Option<Refusal> {
    if !target.known || target.relation.is_none() {
        return None;
    }
    let written = !insert.columns.is_empty();
    let refused = |message: &str, span| Some(Refusal { message: message.to_owned(), span });
    for (at, name) in insert.columns.iter().enumerate() {
        let column = |name: &ast::ObjectName| name.0.first().and_then(|part| part.as_ident()).map(names::name);
        // Only parts of a column may come after each other (checkInsertTargets, parse_target.c).
        let again =
            |other: &ast::ObjectName| column(other) == column(name) && (other.0.len() == 1 || name.0.len() == 1);
        if insert.columns[..at].iter().any(again) {
            let name = column(name)?;
            return refused(&format!("column \"{}\" specified more than once", name.as_str()), source.span());
        }
    }
    let columns = listed(insert, target)?;
    let (too_many, too_few) =
        ("INSERT has more expressions than target columns", "INSERT has more target columns than expressions");
    if let (None, SetExpr::Values(values)) = (&source.with, &*source.body) {
        for row in &values.rows {
            if row.content.len() > columns.len() {
                return refused(too_many, row.content[columns.len()].span());
            }
            if written && row.content.len() < columns.len() {
                return refused(too_few, source.span());
            }
            for (value, column) in row.content.iter().zip(&columns) {
                let unfit = column.data_type.as_ref().and_then(|of| refusal::unfit(value, of, env));
                if let Some(message) = unfit.and_then(|unfit| message(column, unfit, env)) {
                    return Some(Refusal { message, span: value.span() });
                }
            }
        }
        return None;
    }
    let output = output.as_ref()?;
    if output.len() > columns.len() {
        return refused(too_many, source.span());
    }
    if written && output.len() < columns.len() {
        return refused(too_few, source.span());
    }
    let SetExpr::Select(select) = &*source.body else { return None };
    // Literals of a list take the type of their column.
    let items: Option<Vec<&Expr>> = select.projection.iter().map(plain_item).collect();
    let items = items.filter(|items| items.len() == output.len() && select.distinct.is_none())?;
    items.iter().zip(output).zip(&columns).find_map(|((item, (_, from)), column)| {
        let to = column.data_type.as_ref()?;
        if matches!(types::kind(item, env), overload::Kind::Literal) {
            let unfit = refusal::unfit(item, to, env)?;
            return Some(Refusal { message: message(column, unfit, env)?, span: item.span() });
        }
        let from = from.as_ref()?;
        let fits = refusal::assignable(from, to, env);
        let unfit = (!fits).then(|| Unfit::Type(refusal::word(from, env)))?;
        Some(Refusal { message: message(column, unfit, env)?, span: item.span() })
    })
}

pub(super) fn plain_item(item: &ast::SelectItem) -> Option<&Expr> {
    match item {
        ast::SelectItem::UnnamedExpr(expression) | ast::SelectItem::ExprWithAlias { expr: expression, .. } => {
            Some(expression)
        }
        _ => None,
    }
}

/// The columns that take the values, in order.
pub(super) fn listed<'s>(insert: &ast::Insert, target: &'s Source) -> Option<Vec<&'s SourceColumn>> {
    if !target.known || target.relation.is_none() {
        return None;
    }
    if insert.columns.is_empty() {
        return Some(target.columns.iter().collect());
    }
    let column = |name: &ast::ObjectName| match &name.0[..] {
        [part] => target.column(&names::name(part.as_ident()?)),
        _ => None,
    };
    insert.columns.iter().map(column).collect()
}

fn message(column: &SourceColumn, unfit: Unfit, env: &Environment) -> Option<String> {
    Some(match unfit {
        Unfit::Literal(message) => message,
        Unfit::Type(is) => {
            let wanted = refusal::word(column.data_type.as_ref()?, env);
            format!("column \"{}\" is of type {wanted} but expression is of type {is}", column.name.as_str())
        }
    })
}
