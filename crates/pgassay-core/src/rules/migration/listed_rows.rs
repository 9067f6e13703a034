//! Whether an UPDATE or DELETE changes only the rows that are joined to a short list: a batch that a query with LIMIT picks, or VALUES.

use sqlparser::ast::{self, BinaryOperator, Expr, SetExpr, Statement, TableFactor};

use crate::change::Name;

/// `FROM` or `USING` has such a list, and an AND-ed part of the condition equates a column of it.
pub(super) fn joins_short_list(tree: &Statement) -> bool {
    let (with, statement) = match tree {
        Statement::Query(query) => match &*query.body {
            SetExpr::Update(inner) | SetExpr::Delete(inner) => (query.with.as_ref(), inner),
            _ => return false,
        },
        statement => (None, statement),
    };
    let (from, condition) = match statement {
        Statement::Update(update) => match &update.from {
            Some(ast::UpdateTableFromKind::BeforeSet(from) | ast::UpdateTableFromKind::AfterSet(from)) => {
                (&from[..], update.selection.as_ref())
            }
            None => return false,
        },
        Statement::Delete(delete) => (delete.using.as_deref().unwrap_or_default(), delete.selection.as_ref()),
        _ => return false,
    };
    let Some(condition) = condition else { return false };
    let ctes = with.map(|with| &with.cte_tables[..]).unwrap_or_default();
    from.iter().filter_map(|item| short_list(&item.relation, ctes)).any(|name| equates(condition, &name))
}

/// The name of an item of FROM that gives few rows.
fn short_list(item: &TableFactor, ctes: &[ast::Cte]) -> Option<Name> {
    match item {
        TableFactor::Derived { subquery, alias: Some(alias), .. } => {
            is_short(subquery).then(|| Name::of_ident(&alias.name))
        }
        TableFactor::Table { name, alias, args: None, .. } => {
            let [part] = &name.0[..] else { return None };
            let written = Name::of_ident(part.as_ident()?);
            let cte = ctes.iter().find(|cte| Name::of_ident(&cte.alias.name) == written)?;
            let name = alias.as_ref().map_or(written, |alias| Name::of_ident(&alias.name));
            is_short(&cte.query).then_some(name)
        }
        _ => None,
    }
}

fn is_short(query: &ast::Query) -> bool {
    let limited = match &query.limit_clause {
        Some(ast::LimitClause::LimitOffset { limit, .. }) => limit.is_some(),
        Some(ast::LimitClause::OffsetCommaLimit { .. }) => true,
        None => false,
    };
    limited || query.fetch.is_some() || matches!(&*query.body, SetExpr::Values(_))
}

/// `list.column = …` in a part that has to hold.
fn equates(condition: &Expr, list: &Name) -> bool {
    match condition {
        Expr::Nested(inner) => equates(inner, list),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => equates(left, list) || equates(right, list),
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => is_of(left, list) != is_of(right, list),
        _ => false,
    }
}

fn is_of(expression: &Expr, list: &Name) -> bool {
    match expression {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => is_of(inner, list),
        Expr::CompoundIdentifier(path) => path.len() == 2 && Name::of_ident(&path[0]) == *list,
        _ => false,
    }
}
