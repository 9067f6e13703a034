//! Conditions on the catalog, decided on the model: `IF NOT EXISTS (SELECT … FROM pg_constraint WHERE conname = 'c')`.
//!
//! In: a condition of PL/pgSQL, the schema and the session where it is asked. Out: whether it holds; `None` where the model cannot know:
//! it asks for rows of tables, for what the model does not keep, or for objects that may have been changed by what nobody could read.

mod catalog;
mod value;

use sqlparser::ast::{self, BinaryOperator, Expr, UnaryOperator};

use crate::schema::{Schema, Session};
use catalog::Row;
use value::{Value, World};

/// Combinations of rows that are tried before the model gives up.
const MOST_ROWS: usize = 50_000;

/// Whether the condition holds.
pub(super) fn decide(condition: &Expr, schema: &Schema, session: &Session) -> Option<bool> {
    truth(condition, &World { schema, session }, &[])
}

/// A condition on the rows at hand; NULL counts as unknown.
fn truth(condition: &Expr, world: &World, rows: &[Row]) -> Option<bool> {
    match condition {
        Expr::Nested(inner) => truth(inner, world, rows),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => truth(expr, world, rows).map(|holds| !holds),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            match (truth(left, world, rows), truth(right, world, rows)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            }
        }
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            match (truth(left, world, rows), truth(right, world, rows)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            }
        }
        Expr::Exists { subquery, negated } => exists(subquery, world, rows).map(|found| found != *negated),
        Expr::IsNull(inner) => is_null(inner, world, rows),
        Expr::IsNotNull(inner) => is_null(inner, world, rows).map(|null| !null),
        Expr::BinaryOp { left, op, right } => compare(left, op, right, world, rows),
        Expr::InList { expr, list, negated } => {
            let one = |item: &Expr| compare(expr, &BinaryOperator::Eq, item, world, rows);
            any(list.iter().map(one)).map(|found| found != *negated)
        }
        Expr::Like { expr, pattern, negated, any: false, escape_char: None } => {
            let (Value::Text(text), Value::Text(pattern)) =
                (value::of(expr, world, rows), value::of(pattern, world, rows))
            else {
                return None;
            };
            like(&text, &pattern).map(|matches| matches != *negated)
        }
        Expr::Subquery(query) => match &*query.body {
            // `(SELECT EXISTS (…))`, `(SELECT count(*) …)` as a condition has one row.
            ast::SetExpr::Select(select) if select.from.is_empty() => match &select.projection[..] {
                [ast::SelectItem::UnnamedExpr(only)] => truth(only, world, rows),
                _ => None,
            },
            _ => None,
        },
        other => match value::of(other, world, rows) {
            Value::Text(text) => match text.as_str() {
                "true" | "t" => Some(true),
                "false" | "f" => Some(false),
                _ => None,
            },
            _ => None,
        },
    }
}

/// True if one is, false if all are.
fn any(found: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(false);
    for one in found {
        match one {
            Some(true) => return Some(true),
            Some(false) => {}
            None => all = None,
        }
    }
    all
}

fn is_null(expression: &Expr, world: &World, rows: &[Row]) -> Option<bool> {
    match value::of(expression, world, rows) {
        Value::Null => Some(true),
        Value::Text(_) => Some(false),
        Value::Unknown => None,
    }
}

fn compare(left: &Expr, op: &BinaryOperator, right: &Expr, world: &World, rows: &[Row]) -> Option<bool> {
    use BinaryOperator::*;
    if let Some(found) = counted(left, op, right, world, rows) {
        return found;
    }
    let (Value::Text(left), Value::Text(right)) = (value::of(left, world, rows), value::of(right, world, rows)) else {
        return None;
    };
    match op {
        Eq => Some(left == right),
        NotEq => Some(left != right),
        Lt | Gt | LtEq | GtEq => {
            let (left, right): (f64, f64) = (left.parse().ok()?, right.parse().ok()?);
            Some(match op {
                Lt => left < right,
                Gt => left > right,
                LtEq => left <= right,
                _ => left >= right,
            })
        }
        _ => None,
    }
}

/// `(SELECT count(*) FROM …) = 0` and its kin.
fn counted(left: &Expr, op: &BinaryOperator, right: &Expr, world: &World, rows: &[Row]) -> Option<Option<bool>> {
    use BinaryOperator::*;
    let Expr::Subquery(query) = left else { return None };
    let ast::SetExpr::Select(select) = &*query.body else { return None };
    let [ast::SelectItem::UnnamedExpr(Expr::Function(function))] = &select.projection[..] else { return None };
    if !function.name.to_string().eq_ignore_ascii_case("count") {
        return None;
    }
    let Value::Text(number) = value::of(right, world, rows) else { return Some(None) };
    let found = exists(query, world, rows);
    Some(match (op, number.as_str()) {
        (Eq, "0") | (Lt, "1") => found.map(|found| !found),
        (Gt | NotEq, "0") | (GtEq, "1") => found,
        // One row or more is not known to be one.
        (Eq, "1") if found == Some(false) => Some(false),
        _ => None,
    })
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
                    combined.retain(|rows| truth(condition, world, rows) != Some(false));
                    conditions.push(condition);
                }
                ast::JoinConstraint::None => {}
                _ => return None,
            }
        }
    }
    let holds = |rows: &Vec<Row>| {
        let all = conditions.iter().map(|condition| truth(condition, world, rows).map(|holds| !holds));
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

/// LIKE with `%` only; a pattern with `_` or an escape is left alone unless it is the text itself.
fn like(text: &str, pattern: &str) -> Option<bool> {
    if !pattern.contains(['%', '_', '\\']) {
        return Some(text == pattern);
    }
    if pattern.contains('\\') {
        return None;
    }
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let mut reach = vec![false; text.len() + 1];
    reach[0] = true;
    for part in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match part {
                '%' => reach[at] || at > 0 && next[at - 1],
                '_' => at > 0 && reach[at - 1],
                letter => at > 0 && reach[at - 1] && text[at - 1] == letter,
            };
        }
        reach = next;
    }
    reach.last().copied()
}
