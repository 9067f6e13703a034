//! The bounds of a table's partitions, in order: a new one is compared with its neighbours, not with every partition.

use std::sync::Arc;

use imbl::OrdMap;
use sqlparser::ast;

use super::{PartitionKey, Relation, RelationId, RelationKind, Schema};
use crate::change::{Expression, IndexTarget, PartitionBound};

/// A value of a bound that can be compared: of the kinds that sort alike everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BoundValue {
    Least,
    Number(i128),
    /// A date, with a time perhaps, in ISO form.
    Time(String),
    /// Compared for equality only: the order is the collation's.
    Text(String),
    Most,
}

/// What the partitions of one table take.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bounds {
    /// In the order of their making; the server allows one.
    defaults: Vec<RelationId>,
    /// The partition of each listed value.
    listed: OrdMap<BoundValue, RelationId>,
    /// Ranges that do not overlap, by where they start: where they end, and whose they are.
    ranges: OrdMap<Vec<BoundValue>, (Vec<BoundValue>, RelationId)>,
    /// Those that have no place in an order, or overlap another: each of them is looked at.
    unordered: Vec<RelationId>,
}

impl Bounds {
    pub fn default_partition(&self) -> Option<RelationId> {
        self.defaults.first().copied()
    }

    pub fn unordered(&self) -> &[RelationId] {
        &self.unordered
    }

    /// The partition that lists the value.
    pub fn lists(&self, value: &BoundValue) -> Option<RelationId> {
        self.listed.get(value).copied()
    }

    /// The ranges that have a point in common with one; both ends have to be of values with an order.
    pub fn overlapping<'a>(
        &'a self,
        from: &'a [BoundValue],
        to: &'a [BoundValue],
    ) -> impl Iterator<Item = RelationId> + 'a {
        let before = self.ranges.range(..to.to_vec()).rev();
        before.take_while(move |(_, (end, _))| &end[..] > from).map(|(_, (_, partition))| *partition)
    }

    /// Whether one of the ranges holds a value.
    pub fn holds(&self, value: &BoundValue) -> bool {
        let key = vec![value.clone()];
        self.ranges.range(..=key.clone()).next_back().is_some_and(|(_, (end, _))| *end > key)
    }

    fn add(&mut self, partition: RelationId, bound: &PartitionBound, read: Reader) {
        let placed = match bound {
            PartitionBound::Default => {
                self.defaults.push(partition);
                true
            }
            PartitionBound::List(values) => {
                let mut alone = true;
                for value in values.iter().filter_map(|it| read.value(0, it)) {
                    match self.listed.get(&value) {
                        Some(other) if *other != partition => alone = false,
                        _ => _ = self.listed.insert(value, partition),
                    }
                }
                alone
            }
            PartitionBound::Range { from, to } => match read.range(from, to) {
                Some((from, to)) => {
                    let alone = from < to && self.overlapping(&from, &to).next().is_none();
                    if alone {
                        self.ranges.insert(from, (to, partition));
                    }
                    alone
                }
                // Nothing can be said of it.
                None => true,
            },
            PartitionBound::Hash { .. } => false,
        };
        if !placed {
            self.unordered.push(partition);
        }
    }

    fn remove(&mut self, partition: RelationId, bound: &PartitionBound, read: Reader) {
        self.defaults.retain(|it| *it != partition);
        self.unordered.retain(|it| *it != partition);
        match bound {
            PartitionBound::List(values) => {
                for value in values.iter().filter_map(|it| read.value(0, it)) {
                    if self.listed.get(&value) == Some(&partition) {
                        self.listed.remove(&value);
                    }
                }
            }
            PartitionBound::Range { from, to } => {
                if let Some((from, _)) = read.range(from, to)
                    && self.ranges.get(&from).is_some_and(|(_, it)| *it == partition)
                {
                    self.ranges.remove(&from);
                }
            }
            PartitionBound::Default | PartitionBound::Hash { .. } => {}
        }
    }
}

/// Reads what bounds say, by the types of a partition key's columns.
#[derive(Clone, Copy)]
struct Reader<'a> {
    schema: &'a Schema,
    parent: &'a Relation,
}

impl Reader<'_> {
    fn value(&self, at: usize, written: &Expression) -> Option<BoundValue> {
        let RelationKind::PartitionedTable(key) = &self.parent.kind else { return None };
        self.schema.bound_value(self.parent, key, at, written)
    }

    /// Both ends of a range, where all of their values have an order.
    fn range(&self, from: &[Expression], to: &[Expression]) -> Option<(Vec<BoundValue>, Vec<BoundValue>)> {
        let values = |list: &[Expression]| -> Option<Vec<BoundValue>> {
            list.iter().enumerate().map(|(at, it)| self.value(at, it)).collect()
        };
        let (from, to) = (values(from)?, values(to)?);
        (orders(&from) && orders(&to)).then_some((from, to))
    }
}

impl Schema {
    /// A bound's value, by the type of its column.
    pub fn bound_value(
        &self,
        parent: &Relation,
        key: &PartitionKey,
        at: usize,
        written: &Expression,
    ) -> Option<BoundValue> {
        let IndexTarget::Column(column) = &key.elements.get(at)?.target else { return None };
        let column = parent.column(&column.name)?;
        value_of(&written.tree, self.base_type(&column.data_type).written.name.as_str())
    }

    /// Puts a partition's bound among those of its parent.
    pub(crate) fn add_bound(&mut self, parent: RelationId, partition: RelationId) {
        if let Some(partition) = self.relation(partition).filter(|it| it.bound.is_some()).cloned() {
            self.edit_bounds(parent, &partition, Bounds::add);
        }
    }

    /// Takes it out again; the partition has its bound still.
    pub(crate) fn remove_bound(&mut self, parent: RelationId, partition: &Relation) {
        self.edit_bounds(parent, partition, Bounds::remove);
    }

    fn edit_bounds(
        &mut self,
        id: RelationId,
        partition: &Relation,
        change: fn(&mut Bounds, RelationId, &PartitionBound, Reader),
    ) {
        let (Some(parent), Some(bound)) = (self.relation(id), &partition.bound) else { return };
        let mut bounds = parent.bounds.clone().unwrap_or_default();
        change(Arc::make_mut(&mut bounds), partition.id, bound, Reader { schema: self, parent });
        if let Some(parent) = self.edit(id) {
            parent.bounds = Some(bounds);
        }
    }
}

/// Whether the order of the values is known.
pub fn orders(values: &[BoundValue]) -> bool {
    !values.iter().any(|it| matches!(it, BoundValue::Text(_)))
}

/// What a literal says as a value of a type of pg_catalog.
pub fn value_of(tree: &ast::Expr, of: &str) -> Option<BoundValue> {
    let number = |text: &str| text.trim().parse::<i128>().ok().map(BoundValue::Number);
    match tree {
        ast::Expr::Nested(inner) => value_of(inner, of),
        ast::Expr::Identifier(ident) if ident.value.eq_ignore_ascii_case("minvalue") => Some(BoundValue::Least),
        ast::Expr::Identifier(ident) if ident.value.eq_ignore_ascii_case("maxvalue") => Some(BoundValue::Most),
        ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => match value_of(expr, of)? {
            BoundValue::Number(it) => Some(BoundValue::Number(-it)),
            _ => None,
        },
        ast::Expr::Value(value) => match (&value.value, of) {
            (ast::Value::Number(digits, _), "int2" | "int4" | "int8") => number(digits),
            (ast::Value::SingleQuotedString(text), "int2" | "int4" | "int8") => number(text),
            (ast::Value::SingleQuotedString(text), "date") => is_iso_date(text).then(|| BoundValue::Time(text.clone())),
            (ast::Value::SingleQuotedString(text), "timestamp") => iso_time(text).map(BoundValue::Time),
            // With a zone in none, or in all, the order is that of the text where only days are written.
            (ast::Value::SingleQuotedString(text), "timestamptz") => {
                is_iso_date(text).then(|| BoundValue::Time(format!("{text} 00:00:00")))
            }
            (ast::Value::SingleQuotedString(text), "text" | "varchar" | "uuid") => Some(BoundValue::Text(text.clone())),
            _ => None,
        },
        _ => None,
    }
}

fn is_iso_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() })
}

/// A day, or a day with hours, minutes and seconds, as the longer of both.
fn iso_time(text: &str) -> Option<String> {
    let (day, time) = (text.get(..10)?, text.get(10..)?);
    if !is_iso_date(day) {
        return None;
    }
    let time = time.trim_start_matches([' ', 'T']);
    let clock = |time: &str| {
        time.len() == 8
            && time
                .bytes()
                .enumerate()
                .all(|(at, byte)| if at == 2 || at == 5 { byte == b':' } else { byte.is_ascii_digit() })
    };
    match time {
        "" => Some(format!("{day} 00:00:00")),
        time if clock(time) => Some(format!("{day} {time}")),
        _ => None,
    }
}
