//! The shape of a query: its WITH, set operations, numbers in ORDER BY, LIMIT and row locks (analyze.c, parse_clause.c, parse_cte.c).

use sqlparser::ast::{self, Expr, Query, SelectItem, SetExpr, Spanned};

use super::super::names;
use super::super::overload::Kind;
use super::super::query::Output;
use super::super::scope::{Environment, Meaning, Source, built_in_type};
use super::super::types;
use super::{Refusal, literal, part, place, sorted};
use crate::schema::ColumnType;

/// What is said twice, or of more columns than there are, in WITH.
pub(in super::super) fn ctes(query: &Query) -> Option<Refusal> {
    let tables = query.with.as_ref().map_or(&[][..], |with| &with.cte_tables);
    let twice = tables.iter().enumerate().find(|(at, cte)| {
        tables[..*at].iter().any(|other| names::name(&other.alias.name) == names::name(&cte.alias.name))
    });
    twice.map(|(_, cte)| {
        let message = format!("WITH query name \"{}\" specified more than once", names::name(&cte.alias.name));
        Refusal { message, span: cte.alias.name.span }
    })
}

/// More names than columns, of a WITH query or a table.
pub(in super::super) fn aliases(what: &str, alias: &ast::TableAlias, output: &Output) -> Option<Refusal> {
    let (has, named) = (output.as_ref()?.len(), alias.columns.len());
    let message = || {
        let name = names::name(&alias.name);
        format!("{what} \"{name}\" has {has} columns available but {named} columns specified")
    };
    (named > has).then(|| Refusal { message: message(), span: alias.name.span })
}

/// What a branch of a set operation gives: the types of its columns, where they can be told.
pub(in super::super) fn branch(body: &SetExpr, output: &Output, env: &Environment) -> Option<Vec<Kind>> {
    let SetExpr::Select(select) = body else { return None };
    let expressions: Option<Vec<&Expr>> = select.projection.iter().map(expression).collect();
    match expressions {
        Some(expressions) => Some(expressions.into_iter().map(|it| types::kind(it, env)).collect()),
        // A column of a table is never a literal.
        None if select.projection.len() == 1 => {
            let kind = |of: &Option<ColumnType>| of.clone().map_or(Kind::Opaque, Kind::Known);
            Some(output.as_ref()?.iter().map(|(_, of)| kind(of)).collect())
        }
        None => None,
    }
}

fn expression(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

/// UNION, INTERSECT or EXCEPT of two branches (`transformSetOperationTree`, analyze.c).
pub(in super::super) fn united(
    operation: (&ast::SetOperator, &ast::SetQuantifier),
    (left, right): (&Output, &Output),
    kinds: Option<(Vec<Kind>, Vec<Kind>)>,
    span: sqlparser::tokenizer::Span,
    env: &Environment,
) -> Option<Refusal> {
    let word = operation.0.to_string().to_uppercase();
    let (left, right) = (left.as_ref()?, right.as_ref()?);
    if left.len() != right.len() {
        return Some(Refusal { message: format!("each {word} query must have the same number of columns"), span });
    }
    let (one, other) = kinds?;
    let pairs = one.into_iter().zip(other);
    let message = pairs.into_iter().find_map(|(one, other)| {
        let unlike = part::no_common_type(&word, &[one.clone(), other.clone()], env);
        let distinct = !matches!(operation.1, ast::SetQuantifier::All);
        unlike.or_else(|| match (one, other) {
            (Kind::Known(one), Kind::Known(_)) if distinct => sorted::no_equality(&one, env),
            _ => None,
        })
    })?;
    Some(Refusal { message, span })
}

/// A number in ORDER BY or GROUP BY is the place of a column of the output.
pub(in super::super) fn position(item: &Expr, clause: &str, output: &Output) -> Option<Refusal> {
    let Expr::Value(value) = item else { return None };
    match &value.value {
        ast::Value::Number(number, _) => {
            let (at, columns) = (number.parse::<usize>().ok()?, output.as_ref()?.len());
            let message = format!("{clause} position {at} is not in select list");
            (at == 0 || at > columns).then(|| Refusal::new(message, item))
        }
        ast::Value::SingleQuotedString(_) => Some(Refusal::new(format!("non-integer constant in {clause}"), item)),
        _ => None,
    }
}

/// LIMIT and OFFSET.
pub(in super::super) fn count(value: &Expr, clause: &str, env: &Environment) -> Option<Refusal> {
    let mut column = false;
    place::each_part(value, |part| {
        let path: Vec<_> = match part {
            Expr::Identifier(ident) => vec![names::name(ident)],
            Expr::CompoundIdentifier(path) => path.iter().map(names::name).collect(),
            _ => return,
        };
        column |= matches!(env.resolve(&path), Some(Meaning::Column(source, _)) if env.sources.iter().any(|it| std::ptr::eq(it, source)));
    });
    if column {
        return Some(Refusal::new(format!("argument of {clause} must not contain variables"), value));
    }
    let is_literal = types::kind(value, env) == Kind::Literal;
    let message = is_literal.then(|| literal::refused(value, &built_in_type("int8"), env)).flatten()?;
    Some(Refusal::new(message, value))
}

/// FETCH … WITH TIES, and FOR UPDATE of rows that are no rows of a table any more (`CheckSelectLocking`, analyze.c).
pub(in super::super) fn ends(query: &Query, sources: &[Source]) -> Option<Refusal> {
    if query.fetch.as_ref().is_some_and(|it| it.with_ties) && query.order_by.is_none() {
        let message = "WITH TIES cannot be specified without ORDER BY clause".to_owned();
        return Some(Refusal { message, span: query.span() });
    }
    let lock = query.locks.first()?;
    let word = format!("FOR {}", lock.lock_type);
    let refusal = |message: String| Some(Refusal { message, span: query.span() });
    let not_with = |what: &str| refusal(format!("{word} is not allowed with {what}"));
    let select = match &*query.body {
        SetExpr::SetOperation { .. } => return not_with("UNION/INTERSECT/EXCEPT"),
        SetExpr::Select(select) => select,
        _ => return None,
    };
    if select.distinct.as_ref().is_some_and(|it| !matches!(it, ast::Distinct::All)) {
        return not_with("DISTINCT clause");
    }
    if !matches!(&select.group_by, ast::GroupByExpr::Expressions(by, _) if by.is_empty()) {
        return not_with("GROUP BY clause");
    }
    if select.having.is_some() {
        return not_with("HAVING clause");
    }
    if let Some(of) = query.locks.iter().filter_map(|lock| lock.of.as_ref()).filter_map(names::object_name).next()
        && !sources.iter().any(|source| source.name == of.name)
    {
        return refusal(format!("relation \"{}\" in {word} clause not found in FROM clause", of.name.as_str()));
    }
    None
}

/// Two tables of one FROM that a name means (`checkNameSpaceConflicts`, parse_relation.c). Joins in parentheses may have a name of
/// their own, which hides those in it.
pub(in super::super) fn named_twice(from: &[ast::TableWithJoins], sources: &[Source]) -> Option<Refusal> {
    let factors =
        || from.iter().flat_map(|it| std::iter::once(&it.relation).chain(it.joins.iter().map(|it| &it.relation)));
    if factors().any(|it| matches!(it, ast::TableFactor::NestedJoin { .. })) || factors().count() != sources.len() {
        return None;
    }
    let same = |one: &Source, other: &Source| {
        let two_tables = one.schema.is_some() && other.schema.is_some() && one.relation != other.relation;
        one.name == other.name && !one.name.as_str().is_empty() && !two_tables
    };
    let (at, factor) =
        factors().enumerate().find(|(at, _)| sources[..*at].iter().any(|other| same(&sources[*at], other)))?;
    let message = format!("table name \"{}\" specified more than once", sources[at].name.as_str());
    Some(Refusal { message, span: factor.span() })
}

/// USING of what one side does not have, or what nothing compares.
pub(in super::super) fn using(
    columns: &[ast::ObjectName],
    (left, right): (&[Source], &[Source]),
    env: &Environment,
) -> Option<Refusal> {
    let known = |side: &[Source]| side.iter().all(|source| source.known);
    columns.iter().find_map(|written| {
        let name = names::object_name(written)?.name;
        for (side, word) in [(left, "left"), (right, "right")] {
            if known(side) && side.iter().all(|source| source.column(&name).is_none()) {
                let message = format!("column \"{name}\" specified in USING clause does not exist in {word} table");
                return Some(Refusal { message, span: written.span() });
            }
        }
        let of = |side: &[Source]| side.iter().find_map(|source| source.column(&name)?.data_type.clone());
        let message = part::compared(of(left)?, of(right)?, env)?;
        Some(Refusal { message, span: written.span() })
    })
}

/// A qualifier that no table of the query has (`errorMissingRTE`, parse_relation.c).
pub(in super::super) fn no_table(path: &[ast::Ident], env: &Environment) -> Option<String> {
    let [qualifier, _] = path else { return None };
    let name = names::name(qualifier);
    let special = matches!(name.as_str(), "new" | "old" | "excluded" | "value");
    let routine = env.scope.schema.routines.values().any(|it| it.name.name == name);
    if special
        || routine
        || env.resolve(std::slice::from_ref(&name)).is_some()
        || !env.is_known()
        || !super::is_closed(env.scope)
    {
        return None;
    }
    let hidden = env.sources.iter().any(|source| source.is_alias_of(&name, env.scope));
    Some(match hidden {
        true => format!("invalid reference to FROM-clause entry for table \"{name}\""),
        false => format!("missing FROM-clause entry for table \"{name}\""),
    })
}

/// A name that columns of several tables have (`colNameToVar`, parse_relation.c).
pub(in super::super) fn ambiguous(ident: &ast::Ident, env: &Environment) -> Option<Refusal> {
    if env.sources.iter().any(|source| !source.known) {
        return None;
    }
    let name = names::name(ident);
    let has = |source: &&Source| source.columns.iter().any(|column| column.name == name && !column.merged);
    match env.sources.iter().filter(has).count() {
        0 => env.outer.and_then(|outer| ambiguous(ident, outer)),
        1 => None,
        _ => Some(Refusal { message: format!("column reference \"{name}\" is ambiguous"), span: ident.span }),
    }
}

/// Rows of one VALUES list (`transformValuesClause`, analyze.c).
pub(in super::super) fn values(values: &ast::Values) -> Option<Refusal> {
    let first = values.rows.first()?.content.len();
    let other = values.rows.iter().find(|row| row.content.len() != first)?;
    let span = other.content.first()?.span();
    Some(Refusal { message: "VALUES lists must all be the same length".to_owned(), span })
}
