//! Conditions on the catalog, decided on the model: `IF NOT EXISTS (SELECT … FROM pg_constraint WHERE conname = 'c')`.
//!
//! In: a condition of PL/pgSQL, the schema and the session where it is asked. Out: whether it holds; `None` where the model cannot know:
//! it asks for rows of tables, for what the model does not keep, or for objects that may have been changed by what nobody could read.

mod catalog;
mod value;

use sqlparser::ast::{self, BinaryOperator, Expr};

use crate::expression::{self, Comparison, Known, Value, any, truth};
use crate::schema::{Schema, Session};
use crate::version::PgVersion;
use catalog::Row;
use value::{OnRows, World};

/// Combinations of rows that are tried before the model gives up.
const MOST_ROWS: usize = 50_000;

/// Whether the condition holds.
pub(super) fn decide(condition: &Expr, schema: &Schema, session: &Session, version: PgVersion) -> Option<bool> {
    truth(condition, &OnRows { world: &World { schema, session, version }, rows: &[] })
}

impl Known for OnRows<'_> {
    fn value(&self, part: &Expr) -> Value {
        value::of(part, self)
    }

    fn holds(&self, part: &Expr) -> Option<bool> {
        match part {
            Expr::Exists { subquery, negated } => {
                exists(subquery, self.world, self.rows).map(|found| found != *negated)
            }
            Expr::BinaryOp { left, op, right } => {
                of_server(left, op, right, self).or_else(|| counted(left, op, right, self))
            }
            Expr::Subquery(query) => match &*query.body {
                // `(SELECT EXISTS (…))` as a condition has one row.
                ast::SetExpr::Select(select) if select.from.is_empty() => match &select.projection[..] {
                    [ast::SelectItem::UnnamedExpr(only)] => truth(only, self),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }
}

/// `current_setting('server_version_num')::int >= 150000`: it holds where it does for every release of the version.
fn of_server(left: &Expr, op: &BinaryOperator, right: &Expr, on: &OnRows) -> Option<bool> {
    let first = f64::from(on.world.version.major()) * 10_000.0;
    let last = first + 9_999.0;
    let (number, turned) = match (value::is_server_version(left), value::is_server_version(right)) {
        (true, false) => (right, false),
        (false, true) => (left, true),
        _ => return None,
    };
    let Value::Number(number) = expression::value(number, on) else { return None };
    let number: f64 = number.parse().ok()?;
    let comparison = Comparison::of(op).map(|it| if turned { it.commuted() } else { it })?;
    let holds = |release: f64| comparison.holds(release.total_cmp(&number));
    let of_one = matches!(comparison, Comparison::Equal | Comparison::NotEqual) && (first..=last).contains(&number);
    (holds(first) == holds(last) && !of_one).then(|| holds(first))
}

/// `(SELECT count(*) FROM …) = 0` and its kin.
fn counted(left: &Expr, op: &BinaryOperator, right: &Expr, on: &OnRows) -> Option<bool> {
    use BinaryOperator::*;
    let Expr::Subquery(query) = left else { return None };
    let ast::SetExpr::Select(select) = &*query.body else { return None };
    let [ast::SelectItem::UnnamedExpr(Expr::Function(function))] = &select.projection[..] else { return None };
    if !function.name.to_string().eq_ignore_ascii_case("count") {
        return None;
    }
    let Value::Number(number) = expression::value(right, on) else { return None };
    let found = exists(query, on.world, on.rows);
    match (op, number.as_str()) {
        (Eq, "0") | (Lt, "1") => found.map(|found| !found),
        (Gt | NotEq, "0") | (GtEq, "1") => found,
        // One row or more is not known to be one.
        (Eq, "1") if found == Some(false) => Some(false),
        _ => None,
    }
}

/// Whether a query on the catalog returns a row.
fn exists(query: &ast::Query, world: &World, outer: &[Row]) -> Option<bool> {
    let ast::SetExpr::Select(select) = &*query.body else { return None };
    let limited = select.having.is_some() || query.with.is_some() || query.fetch.is_some();
    let grouped = matches!(&select.group_by, ast::GroupByExpr::Expressions(by, _) if !by.is_empty());
    if limited || grouped {
        return None;
    }
    let mut conditions: Vec<&Expr> = select.selection.iter().collect();
    let asked = conditions.clone();
    let mut combined: Vec<Vec<Row>> = vec![outer.to_vec()];
    for table in &select.from {
        combined = joined(combined, &table.relation, &asked, world)?;
        for join in &table.joins {
            let on = match &join.join_operator {
                ast::JoinOperator::Join(on) | ast::JoinOperator::Inner(on) => on,
                ast::JoinOperator::CrossJoin(on) => on,
                _ => return None,
            };
            combined = joined(combined, &join.relation, &asked, world)?;
            match on {
                ast::JoinConstraint::On(condition) => {
                    combined.retain(|rows| truth(condition, &OnRows { world, rows }) != Some(false));
                    conditions.push(condition);
                }
                ast::JoinConstraint::None => {}
                _ => return None,
            }
        }
    }
    let holds = |rows: &Vec<Row>| {
        let all = conditions.iter().map(|condition| truth(condition, &OnRows { world, rows }).map(|holds| !holds));
        let certain = rows.iter().all(|row| row.certain);
        match any(all) {
            Some(false) => certain.then_some(true),
            Some(true) => Some(false),
            None => None,
        }
    };
    match any(combined.iter().map(holds)) {
        Some(false) => (world.knows_all() && !conditions.iter().any(|it| world.doubts_text(it))).then_some(false),
        found => found,
    }
}

/// Every combination with the rows of one more table.
fn joined(
    before: Vec<Vec<Row>>,
    factor: &ast::TableFactor,
    conditions: &[&Expr],
    world: &World,
) -> Option<Vec<Vec<Row>>> {
    let ast::TableFactor::Table { name, alias, args: None, .. } = factor else { return None };
    let rows = catalog::rows(name, alias.as_ref(), conditions, world)?;
    if before.len() * rows.len() > MOST_ROWS {
        return None;
    }
    let with = |have: &Vec<Row>| -> Vec<Vec<Row>> {
        rows.iter().map(|row| have.iter().cloned().chain([row.clone()]).collect()).collect()
    };
    Some(before.iter().flat_map(with).collect())
}
