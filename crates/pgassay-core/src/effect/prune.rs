//! Which partitions a condition or a row can concern, and whether an index answers a condition: what the planner decides before it opens
//! tables. Only what is certain is said: constants compared with the partition key.

use std::cmp::Ordering;
use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast::{self, Visit, Visitor};

use super::predictor::Predictor;
use crate::catalog::Volatility;
use crate::change::{Name, ObjectName, PartitionBound};
use crate::expression::{self, Comparison};
use crate::schema::{Column, ColumnId, Relation, RelationKind, ResolvedType};
use crate::source::Span;

/// A constant of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Constant(String);

impl Constant {
    /// Numbers by value, everything else as text: partition bounds are written as the constants are (dates in ISO form).
    fn compare(&self, other: &Constant) -> Ordering {
        match (self.0.parse::<i64>(), other.0.parse::<i64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => self.0.cmp(&other.0),
        }
    }
}

/// The values of a column that a condition leaves, or the one that a row has. Each end says whether it belongs to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Demand {
    from: Option<(Constant, bool)>,
    to: Option<(Constant, bool)>,
}

impl Demand {
    pub fn exactly(value: Constant) -> Demand {
        Demand { from: Some((value.clone(), true)), to: Some((value, true)) }
    }

    fn is_exact(&self) -> bool {
        self.from.is_some() && self.from == self.to
    }

    /// Both hold.
    fn and(self, other: Demand) -> Demand {
        if self.is_exact() {
            return self;
        }
        if other.is_exact() {
            return other;
        }
        Demand { from: other.from.or(self.from), to: other.to.or(self.to) }
    }
}

impl Predictor<'_> {
    /// The table and those of its partitions that rows with these values can be in.
    pub fn live(&self, table: &Relation, only: bool, value: &dyn Fn(&Name) -> Option<Demand>) -> Vec<Arc<Relation>> {
        let whole = || self.family(table, only);
        let RelationKind::PartitionedTable(key) = &table.kind else { return whole() };
        let [column] = key.columns[..] else { return whole() };
        let Some(column) = table.column_by_id(column) else { return whole() };
        let (Some(demand), 1) = (value(&column.name), key.elements.len()) else { return whole() };
        if !demand.is_exact() && !has_plain_order(column) {
            return whole();
        }
        let children: Vec<_> = table.children.iter().filter_map(|id| self.relation(*id)).collect();
        let mut chosen = Vec::new();
        for child in &children {
            match child.bound.as_ref().map(|bound| accepts(bound, &demand)) {
                Some(Some(true)) => chosen.push(*child),
                Some(Some(false)) => {}
                _ => return whole(),
            }
        }
        if !covers(&chosen, &demand) {
            chosen.extend(children.iter().find(|child| child.bound == Some(PartitionBound::Default)));
        }
        let own = self.family(table, true);
        own.into_iter().chain(chosen.into_iter().flat_map(|child| self.live(child, false, value))).collect()
    }

    /// Whether an AND-ed part of a condition compares the first column of an index with a constant for equality.
    pub fn finds_by_index(&self, table: &Relation, condition: &ast::Expr) -> bool {
        match condition {
            ast::Expr::Nested(inner) => self.finds_by_index(table, inner),
            ast::Expr::BinaryOp { left, op: ast::BinaryOperator::And, right } => {
                self.finds_by_index(table, left) || self.finds_by_index(table, right)
            }
            ast::Expr::BinaryOp { left, op: ast::BinaryOperator::Eq, right } => {
                self.is_indexed_column(table, left) && self.is_looked_up(table, left, right)
                    || self.is_indexed_column(table, right) && self.is_looked_up(table, right, left)
            }
            ast::Expr::InList { expr, list, negated: false } => {
                self.is_indexed_column(table, expr) && list.iter().all(|value| self.is_looked_up(table, expr, value))
            }
            ast::Expr::Between { expr, low, high, negated: false } => {
                let ends = [low, high];
                self.is_indexed_column(table, expr) && ends.iter().any(|end| self.is_looked_up(table, expr, end))
            }
            _ => false,
        }
    }

    /// Whether an index on the column finds the value: it is one for the whole scan, and is compared with the column as it is.
    fn is_looked_up(&self, table: &Relation, column: &ast::Expr, value: &ast::Expr) -> bool {
        let scope = self.scope(None);
        let of = column_name(column).and_then(|name| table.column(&name)).map(|it| &it.data_type);
        is_given(value)
            && expression::least_volatility(value, scope) != Volatility::Volatile
            && of.is_none_or(|of| expression::is_compared_as_it_is(of, value, scope))
    }

    fn is_indexed_column(&self, table: &Relation, expression: &ast::Expr) -> bool {
        let column = column_name(expression).and_then(|name| table.column(&name));
        column.is_some_and(|column| self.is_indexed(table, column.id))
    }

    pub fn is_indexed(&self, table: &Relation, column: ColumnId) -> bool {
        self.schema().indexes_of(table.id).any(|index| {
            index.as_index().is_some_and(|it| it.columns.first() == Some(&Some(column)) && it.predicate.is_none())
        })
    }
}

/// Not a column of a table that is read; a trigger's NEW and OLD are given.
fn is_given(expression: &ast::Expr) -> bool {
    let row = |row: &ast::Ident| ["new", "old"].iter().any(|name| row.value.eq_ignore_ascii_case(name));
    let of_trigger = matches!(expression, ast::Expr::CompoundIdentifier(parts) if parts.first().is_some_and(row));
    of_trigger || column_name(expression).is_none()
}

/// The values that AND-ed parts of a condition leave of a column.
pub(super) fn demanded(condition: &ast::Expr, column: &Name) -> Option<Demand> {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    match condition {
        ast::Expr::Nested(inner) => demanded(inner, column),
        ast::Expr::BinaryOp { left, op: ast::BinaryOperator::And, right } => {
            match (demanded(left, column), demanded(right, column)) {
                (Some(left), Some(right)) => Some(left.and(right)),
                (left, right) => left.or(right),
            }
        }
        ast::Expr::BinaryOp { left, op, right } => {
            let is = |side: &ast::Expr| column_name(side).is_some_and(|name| name == *column);
            let comparison = Comparison::of(op)?;
            let (comparison, value) = if is(left) { (comparison, right) } else { (comparison.commuted(), left) };
            if !is(left) && !is(right) {
                return None;
            }
            match comparison {
                Equal => constant(value).map(Demand::exactly),
                Less | LessOrEqual => {
                    Some(Demand { from: None, to: Some((bare_constant(value)?, comparison == LessOrEqual)) })
                }
                Greater | GreaterOrEqual => {
                    Some(Demand { from: Some((bare_constant(value)?, comparison == GreaterOrEqual)), to: None })
                }
                NotEqual => None,
            }
        }
        ast::Expr::Between { expr, negated: false, low, high }
            if column_name(expr).is_some_and(|name| name == *column) =>
        {
            Some(Demand { from: Some((bare_constant(low)?, true)), to: Some((bare_constant(high)?, true)) })
        }
        _ => None,
    }
}

/// A constant without a cast: one to another type may make the comparison one that is not decided when the query is planned.
fn bare_constant(expression: &ast::Expr) -> Option<Constant> {
    match expression {
        ast::Expr::Cast { .. } => None,
        ast::Expr::Nested(inner) => bare_constant(inner),
        other => constant(other),
    }
}

/// Whether the planner sees that a condition holds for no row.
pub(super) fn never(condition: &ast::Expr) -> bool {
    match condition {
        ast::Expr::Nested(inner) => never(inner),
        ast::Expr::Value(value) => matches!(value.value, ast::Value::Boolean(false) | ast::Value::Null),
        ast::Expr::BinaryOp { left, op: ast::BinaryOperator::And, right } => never(left) || never(right),
        ast::Expr::BinaryOp { left, op: ast::BinaryOperator::Or, right } => never(left) && never(right),
        ast::Expr::BinaryOp { left, op, right } => {
            let number = |side: &ast::Expr| bare_constant(side).and_then(|it| it.0.parse::<i64>().ok());
            let (Some(left), Some(right)) = (number(left), number(right)) else { return false };
            match op {
                ast::BinaryOperator::Eq => left != right,
                ast::BinaryOperator::NotEq => left == right,
                _ => false,
            }
        }
        _ => false,
    }
}

/// Tables that a statement reads only for the least or the greatest value of columns, with these columns: an index on each gives it
/// without reading the table (planagg.c).
pub(super) fn answered_by_index(tree: &impl Visit) -> Vec<(ObjectName, Vec<Name>)> {
    let mut ends = Ends::default();
    let _ = crate::walk::walk(tree, &mut ends);
    let Ends { mut found, named } = ends;
    let times = |name: &ObjectName, list: &[ObjectName]| {
        list.iter().filter(|it| (&it.schema, &it.name) == (&name.schema, &name.name)).count()
    };
    let asked: Vec<ObjectName> = found.iter().map(|(name, _)| name.clone()).collect();
    found.retain(|(name, _)| times(name, &asked) == times(name, &named));
    found
}

#[derive(Default)]
struct Ends {
    found: Vec<(ObjectName, Vec<Name>)>,
    named: Vec<ObjectName>,
}

impl Visitor for Ends {
    type Break = ();

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
        if let ast::SetExpr::Select(select) = &*query.body {
            self.found.extend(ends_of(select));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ast::ObjectName) -> ControlFlow<()> {
        self.named.extend(table_name(relation));
        ControlFlow::Continue(())
    }
}

/// The one table and the columns of `SELECT min(a), max(b) FROM t`.
fn ends_of(select: &ast::Select) -> Option<(ObjectName, Vec<Name>)> {
    let grouped = !matches!(&select.group_by, ast::GroupByExpr::Expressions(by, _) if by.is_empty());
    if grouped || select.selection.is_some() || select.having.is_some() {
        return None;
    }
    let [ast::TableWithJoins { relation: ast::TableFactor::Table { name, args: None, .. }, joins }] = &select.from[..]
    else {
        return None;
    };
    let columns: Option<Vec<Name>> = select.projection.iter().map(end_of).collect();
    let name = table_name(name).filter(|_| joins.is_empty())?;
    columns.filter(|columns| !columns.is_empty()).map(|columns| (name, columns))
}

fn end_of(item: &ast::SelectItem) -> Option<Name> {
    let (ast::SelectItem::UnnamedExpr(expr) | ast::SelectItem::ExprWithAlias { expr, .. }) = item else { return None };
    let ast::Expr::Function(call) = expr else { return None };
    let name = call.name.to_string().to_ascii_lowercase();
    let ast::FunctionArguments::List(list) = &call.args else { return None };
    let [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(argument))] = &list.args[..] else { return None };
    let plain = call.over.is_none() && call.filter.is_none() && list.clauses.is_empty();
    column_name(argument).filter(|_| plain && matches!(name.as_str(), "min" | "max"))
}

fn table_name(name: &ast::ObjectName) -> Option<ObjectName> {
    let mut parts = name.0.iter().rev().filter_map(|part| part.as_ident()).map(Name::of_ident);
    let own = parts.next()?;
    Some(ObjectName { schema: parts.next(), name: own, span: Span::new(crate::source::FileId(0), 0, 0) })
}

pub(super) fn constant(expression: &ast::Expr) -> Option<Constant> {
    match expression {
        ast::Expr::Nested(inner) => constant(inner),
        ast::Expr::Cast { expr, .. } => constant(expr),
        ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => {
            constant(expr).map(|positive| Constant(format!("-{}", positive.0)))
        }
        ast::Expr::Value(value) => match &value.value {
            ast::Value::Number(number, _) => Some(Constant(number.to_string())),
            ast::Value::SingleQuotedString(text) => Some(Constant(text.clone())),
            _ => None,
        },
        _ => None,
    }
}

fn column_name(expression: &ast::Expr) -> Option<Name> {
    match expression {
        ast::Expr::Identifier(ident) => Some(Name::of_ident(ident)),
        ast::Expr::CompoundIdentifier(parts) => parts.last().map(Name::of_ident),
        _ => None,
    }
}

/// Types whose constants sort as they are written: numbers by value, dates in ISO form by their text.
fn has_plain_order(column: &Column) -> bool {
    let of_type = &column.data_type;
    of_type.resolved == ResolvedType::BuiltIn
        && of_type.written.array_dimensions == 0
        && matches!(of_type.written.name.as_str(), "int2" | "int4" | "int8" | "date" | "timestamp")
}

/// Whether some value of the demand fits the bound; `None`: it cannot be told.
fn accepts(bound: &PartitionBound, demand: &Demand) -> Option<bool> {
    match bound {
        PartitionBound::Default => Some(false),
        PartitionBound::List(values) => {
            let constants: Option<Vec<_>> = values.iter().map(|it| constant(&it.tree)).collect();
            Some(constants?.iter().any(|value| above(value, demand) && below(value, demand)))
        }
        PartitionBound::Range { .. } => {
            let (from, to) = range(bound)?;
            // The upper bound is not in the partition, the lower one is.
            let reaches_down = from.is_none_or(|from| match &demand.to {
                Some((to, inclusive)) => match from.compare(to) {
                    Ordering::Less => true,
                    Ordering::Equal => *inclusive,
                    Ordering::Greater => false,
                },
                None => true,
            });
            let reaches_up =
                to.is_none_or(|to| demand.from.as_ref().is_none_or(|(from, _)| to.compare(from) == Ordering::Greater));
            Some(reaches_down && reaches_up)
        }
        PartitionBound::Hash { .. } => None,
    }
}

fn above(value: &Constant, demand: &Demand) -> bool {
    demand.from.as_ref().is_none_or(|(from, inclusive)| match value.compare(from) {
        Ordering::Greater => true,
        Ordering::Equal => *inclusive,
        Ordering::Less => false,
    })
}

fn below(value: &Constant, demand: &Demand) -> bool {
    demand.to.as_ref().is_none_or(|(to, inclusive)| match value.compare(to) {
        Ordering::Less => true,
        Ordering::Equal => *inclusive,
        Ordering::Greater => false,
    })
}

/// The ends of a range of one column; without a constant it is open. `None`: it cannot be told.
fn range(bound: &PartitionBound) -> Option<(Option<Constant>, Option<Constant>)> {
    let PartitionBound::Range { from, to } = bound else { return None };
    let ([from], [to]) = (&from[..], &to[..]) else { return None };
    let end = |bound: &ast::Expr, open: &str| {
        if column_name(bound).is_some_and(|name| name.as_str().eq_ignore_ascii_case(open)) {
            return Some(None);
        }
        constant(bound).map(Some)
    };
    Some((end(&from.tree, "minvalue")?, end(&to.tree, "maxvalue")?))
}

/// Whether the chosen partitions take every value of the demand, so that none is left for the default partition.
fn covers(chosen: &[&Arc<Relation>], demand: &Demand) -> bool {
    if demand.is_exact() {
        return !chosen.is_empty();
    }
    let ranges: Option<Vec<_>> = chosen.iter().map(|child| child.bound.as_ref().and_then(range)).collect();
    let Some(mut ranges) = ranges.filter(|ranges| !ranges.is_empty()) else { return false };
    ranges.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) => a.compare(b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    });
    let starts = match (&ranges[0].0, &demand.from) {
        (None, _) => true,
        (Some(first), Some((from, _))) => first.compare(from) != Ordering::Greater,
        (Some(_), None) => false,
    };
    let joined = ranges.windows(2).all(|pair| pair[0].1.is_some() && pair[0].1 == pair[1].0);
    let ends = match (ranges.last().and_then(|last| last.1.as_ref()), &demand.to) {
        (None, _) => true,
        (Some(last), Some((to, inclusive))) => match last.compare(to) {
            Ordering::Greater => true,
            Ordering::Equal => !inclusive,
            Ordering::Less => false,
        },
        (Some(_), None) => false,
    };
    starts && joined && ends
}
