//! Partitions: their keys and bounds, and what a table of a partitioned family cannot do alone.

use sqlparser::ast;

use super::super::predictor::Predictor;
use super::super::written;
use crate::change::{
    self, Drop, Expression, Insert, Name, ObjectKind, ObjectName, PartitionBound, PartitionStrategy, Truncate,
};
use crate::expression::{Place, Scope};
use crate::schema::{PartitionKey, Relation, RelationId, RelationKind, Schema};

/// A value of a bound that can be compared: of the kinds that sort alike everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Least,
    Number(i128),
    /// A date, with a time perhaps, in ISO form.
    Time(String),
    /// Compared for equality only: the order is the collation's.
    Text(String),
    Most,
}

impl Predictor<'_> {
    pub(super) fn refuse_partition_key(&mut self, after: &Schema, table: &Relation, key: &change::PartitionKey) {
        let scope = self.scope_on(after, Some(table));
        if key.strategy == PartitionStrategy::List && key.elements.len() > 1 {
            let message = "cannot use \"list\" partition strategy with more than one column";
            return self.refused(key.span, &table.name, message);
        }
        for element in &key.elements {
            match &element.target {
                change::IndexTarget::Expression(expression) => self.refuse_key_expression(expression, scope),
                change::IndexTarget::Column(column) => {
                    let generated = table.column(&column.name).is_some_and(|it| it.generated.is_some());
                    if generated {
                        self.refused(column.span, &column.name, "cannot use generated column in partition key");
                    }
                }
            }
        }
    }

    fn refuse_key_expression(&mut self, expression: &Expression, scope: Scope) {
        if !self.refuse_expression(expression, Place::PartitionKey, scope)
            && self.is_certainly_mutable(expression, scope)
        {
            self.refused(expression.span, "", "functions in partition key expression must be marked IMMUTABLE");
        }
    }

    /// PARTITION OF, and the bound of ATTACH PARTITION (check_new_partition_bound, partbounds.c).
    pub(super) fn refuse_partition(&mut self, parent: &ObjectName, partition: &ObjectName, bound: &PartitionBound) {
        let Some(found) = self.find(parent) else { return };
        let Some(parent_table) = self.relation(found.id).filter(|it| it.known).cloned() else { return };
        let RelationKind::PartitionedTable(key) = &parent_table.kind else {
            let message = format!("\"{}\" is not partitioned", parent_table.name.name.as_str());
            return self.refused(parent.span, &parent_table.name, message);
        };
        if let Some(message) = self.unfit_bound(&parent_table, key, partition, bound) {
            self.refused(partition.span, partition, message);
        }
    }

    fn unfit_bound(
        &self,
        parent: &Relation,
        key: &PartitionKey,
        partition: &ObjectName,
        bound: &PartitionBound,
    ) -> Option<String> {
        let name = partition.name.as_str();
        let wrong = |strategy: &str| Some(format!("invalid bound specification for a {strategy} partition"));
        match (key.strategy, bound) {
            (PartitionStrategy::Hash, PartitionBound::Default) => {
                return Some("a hash-partitioned table may not have a default partition".to_owned());
            }
            (_, PartitionBound::Default) => {
                let other = self.default_partition(parent.id)?;
                let other = other.name.name.as_str();
                return Some(format!("partition \"{name}\" conflicts with existing default partition \"{other}\""));
            }
            (PartitionStrategy::List, PartitionBound::List(_))
            | (PartitionStrategy::Range, PartitionBound::Range { .. })
            | (PartitionStrategy::Hash, PartitionBound::Hash { .. }) => {}
            (PartitionStrategy::List, _) => return wrong("list"),
            (PartitionStrategy::Range, _) => return wrong("range"),
            (PartitionStrategy::Hash, _) => return wrong("hash"),
        }
        if let PartitionBound::Range { from, to } = bound {
            let width = key.elements.len();
            if from.len() != width {
                return Some("FROM must specify exactly one value per partitioning column".to_owned());
            }
            if to.len() != width {
                return Some("TO must specify exactly one value per partitioning column".to_owned());
            }
            let (from, to) = (self.values(parent, key, from)?, self.values(parent, key, to)?);
            if from >= to && orders(&from) && orders(&to) {
                return Some(format!("empty range bound specified for partition \"{name}\""));
            }
        }
        if let PartitionBound::Hash { modulus, remainder } = bound
            && (*modulus == 0 || remainder >= modulus)
        {
            return Some("remainder for hash partition must be less than modulus".to_owned());
        }
        let overlapping = parent.children.iter().filter_map(|child| self.relation(*child)).find(|child| {
            child.bound.as_ref().is_some_and(|other| self.overlap(parent, key, bound, other) == Some(true))
        })?;
        Some(format!("partition \"{name}\" would overlap partition \"{}\"", overlapping.name.name.as_str()))
    }

    /// Whether two bounds take a row in common, where that can be told.
    fn overlap(
        &self,
        parent: &Relation,
        key: &PartitionKey,
        one: &PartitionBound,
        other: &PartitionBound,
    ) -> Option<bool> {
        match (one, other) {
            (PartitionBound::List(one), PartitionBound::List(other)) => {
                let other: Vec<_> = other.iter().filter_map(|it| self.value(parent, key, 0, it)).collect();
                Some(one.iter().filter_map(|it| self.value(parent, key, 0, it)).any(|it| other.contains(&it)))
            }
            (PartitionBound::Range { from, to }, PartitionBound::Range { from: other_from, to: other_to }) => {
                let all = [from, to, other_from, other_to].map(|it| self.values(parent, key, it));
                let [Some(from), Some(to), Some(other_from), Some(other_to)] = all else { return None };
                let sorted = [&from, &to, &other_from, &other_to].into_iter().all(|it| orders(it));
                sorted.then(|| from < other_to && other_from < to)
            }
            (
                PartitionBound::Hash { modulus, remainder },
                PartitionBound::Hash { modulus: other_modulus, remainder: other_remainder },
            ) => {
                let common = gcd(*modulus, *other_modulus).max(1);
                Some(remainder % common == other_remainder % common)
            }
            _ => None,
        }
    }

    fn values(&self, parent: &Relation, key: &PartitionKey, list: &[Expression]) -> Option<Vec<Value>> {
        list.iter().enumerate().map(|(at, it)| self.value(parent, key, at, it)).collect()
    }

    /// A bound's value, by the type of its column.
    fn value(&self, parent: &Relation, key: &PartitionKey, at: usize, written: &Expression) -> Option<Value> {
        let change::IndexTarget::Column(column) = &key.elements.get(at)?.target else { return None };
        let column = parent.column(&column.name)?;
        let of = self.schema().base_type(&column.data_type).written.name.as_str();
        value_of(&written.tree, of)
    }

    /// Rows of plain values that no partition takes (ExecFindPartition, execPartition.c).
    pub(super) fn refuse_unrouted(&mut self, insert: &Insert) {
        let Some(found) = self.find(&insert.table) else { return };
        let Some(table) = self.relation(found.id).filter(|it| it.known).cloned() else { return };
        let RelationKind::PartitionedTable(key) = &table.kind else { return };
        let redirected = !table.rules.is_empty() || table.triggers.iter().any(|it| it.for_each_row);
        let (ast::Statement::Insert(tree), [_]) = (&*insert.tree.0, &key.elements[..]) else { return };
        let change::IndexTarget::Column(column) = &key.elements[0].target else { return };
        let listed: Vec<Name> = match &insert.columns[..] {
            [] => table.columns.iter().map(|column| column.name.clone()).collect(),
            columns => columns.iter().map(|column| column.name.clone()).collect(),
        };
        let Some(at) = listed.iter().position(|name| *name == column.name) else { return };
        if redirected || insert.rows.is_none() || self.default_partition(table.id).is_some() {
            return;
        }
        let Some(of) = table.column(&column.name).map(|it| self.schema().base_type(&it.data_type)) else { return };
        let of = of.written.name.as_str().to_owned();
        for row in tree.source.as_ref().map(|source| written::rows(source)).unwrap_or_default() {
            let Some(value) = row.get(at).and_then(|it| value_of(it, &of)) else { continue };
            let taken = table.children.iter().filter_map(|child| self.relation(*child)).any(|child| {
                child.bound.as_ref().is_none_or(|bound| self.takes_value(&table, key, bound, &value) != Some(false))
            });
            if !taken {
                let message = format!("no partition of relation \"{}\" found for row", table.name.name.as_str());
                return self.refused(insert.table.span, &table.name, message);
            }
        }
    }

    fn takes_value(
        &self,
        parent: &Relation,
        key: &PartitionKey,
        bound: &PartitionBound,
        value: &Value,
    ) -> Option<bool> {
        match bound {
            PartitionBound::List(list) => {
                let values: Option<Vec<_>> = list.iter().map(|it| self.value(parent, key, 0, it)).collect();
                Some(values?.contains(value))
            }
            PartitionBound::Range { from, to } => {
                let (from, to) = (self.values(parent, key, from)?, self.values(parent, key, to)?);
                let value = vec![value.clone()];
                (orders(&from) && orders(&to) && orders(&value)).then(|| from <= value && value < to)
            }
            PartitionBound::Hash { .. } | PartitionBound::Default => None,
        }
    }

    /// ATTACH PARTITION (ATExecAttachPartition, MergeAttributesIntoExisting, tablecmds.c).
    pub(super) fn refuse_attach(&mut self, parent: &Relation, partition: &ObjectName, bound: &PartitionBound) {
        let Some(found) = self.find(partition) else { return };
        let Some(child) = self.relation(found.id).filter(|it| it.known && parent.known).cloned() else { return };
        let RelationKind::PartitionedTable(key) = &parent.kind else { return };
        let name = child.name.name.as_str();
        if child.is_partition() {
            return self.refused(partition.span, partition, format!("\"{name}\" is already a partition"));
        }
        if let Some(extra) = child.columns.iter().find(|it| parent.column(&it.name).is_none()) {
            let message = format!(
                "table \"{name}\" contains column \"{}\" not found in parent \"{}\"",
                extra.name.as_str(),
                parent.name.name.as_str()
            );
            return self.refused(partition.span, partition, message);
        }
        if self.refuse_merge(parent, &child, partition) {
            return;
        }
        if let Some(message) = self.unfit_bound(parent, key, partition, bound) {
            self.refused(partition.span, partition, message);
        }
    }

    /// Columns and checks that a child must have to be put below a parent (MergeAttributesIntoExisting, MergeConstraintsIntoExisting).
    pub(super) fn refuse_detach(&mut self, parent: &Relation, partition: &ObjectName, concurrently: bool) {
        // One that is only known by being detached has some bound.
        let named = self.find(partition).filter(|it| !it.known).map(|it| it.id);
        let default = self.default_partition(parent.id).filter(|it| Some(it.id) != named);
        if concurrently && default.is_some() {
            let message = "cannot detach partitions concurrently when a default partition exists";
            self.refused(partition.span, partition, message);
        }
    }

    /// TRUNCATE of what a foreign key references (heap_truncate_check_FKs, heap.c).
    pub(super) fn refuse_truncate(&mut self, truncate: &Truncate) {
        if truncate.cascade {
            return;
        }
        let named: Vec<_> =
            truncate.tables.iter().filter_map(|(name, only)| Some((self.find(name)?, name, *only))).collect();
        let mut emptied: Vec<RelationId> = Vec::new();
        for (table, _, only) in &named {
            emptied.extend(self.family(table, *only).iter().map(|it| it.id));
        }
        for (table, name, _) in &named {
            // A key that references a partitioned table references its partitions.
            let mut referenced = vec![table.id];
            referenced.extend(self.partitioned_above(table.id));
            let keys = referenced.iter().flat_map(|id| self.schema().foreign_keys_to(*id));
            let outside = keys.into_iter().any(|(owner, _)| !emptied.contains(&owner));
            if outside {
                let message = "cannot truncate a table referenced in a foreign key constraint";
                self.refused(name.span, *name, message);
            }
        }
    }

    /// DROP TABLE of a partition that a key of another table references through its parent; DROP INDEX CONCURRENTLY of a partitioned
    /// index.
    pub(super) fn refuse_drop(&mut self, drop: &Drop) {
        for reference in &drop.objects {
            let Some(found) = self.schema().find_relation(&reference.name, self.context.session).cloned() else {
                continue;
            };
            let name = found.name.name.as_str();
            if drop.kind == ObjectKind::Index && drop.concurrently && found.as_index().is_some_and(|it| it.partitioned)
            {
                let message = format!("cannot drop partitioned index \"{name}\" concurrently");
                self.refused(reference.span, &reference.name, message);
            }
            if drop.kind == ObjectKind::Table && !drop.cascade && found.is_partition() {
                let dropped = |id: RelationId| {
                    drop.objects.iter().any(|it| {
                        self.schema().find_relation(&it.name, self.context.session).is_some_and(|it| it.id == id)
                    })
                };
                let above = self.partitioned_above(found.id);
                let keys = above
                    .iter()
                    .flat_map(|id| self.schema().foreign_keys_to(*id).map(|(owner, it)| (owner, it.name.clone())));
                let key = keys.into_iter().find(|(owner, _)| !dropped(*owner) && !above.contains(owner));
                if let Some((owner, constraint)) = key.filter(|_| !above.iter().any(|id| dropped(*id))) {
                    let owner = self.schema().relation_name(owner);
                    let message = format!(
                        "cannot drop table {name} because other objects depend on it: constraint {constraint} on table {owner} depends on table {name}"
                    );
                    self.refused(reference.span, &reference.name, message);
                }
            }
        }
    }
}

/// Whether the order of the values is known.
fn orders(values: &[Value]) -> bool {
    !values.iter().any(|it| matches!(it, Value::Text(_)))
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn value_of(tree: &ast::Expr, of: &str) -> Option<Value> {
    let number = |text: &str| text.trim().parse::<i128>().ok().map(Value::Number);
    match tree {
        ast::Expr::Nested(inner) => value_of(inner, of),
        ast::Expr::Identifier(ident) if ident.value.eq_ignore_ascii_case("minvalue") => Some(Value::Least),
        ast::Expr::Identifier(ident) if ident.value.eq_ignore_ascii_case("maxvalue") => Some(Value::Most),
        ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => match value_of(expr, of)? {
            Value::Number(it) => Some(Value::Number(-it)),
            _ => None,
        },
        ast::Expr::Value(value) => match (&value.value, of) {
            (ast::Value::Number(digits, _), "int2" | "int4" | "int8") => number(digits),
            (ast::Value::SingleQuotedString(text), "int2" | "int4" | "int8") => number(text),
            (ast::Value::SingleQuotedString(text), "date") => is_iso_date(text).then(|| Value::Time(text.clone())),
            (ast::Value::SingleQuotedString(text), "timestamp") => iso_time(text).map(Value::Time),
            // With a zone in none, or in all, the order is that of the text where only days are written.
            (ast::Value::SingleQuotedString(text), "timestamptz") => {
                is_iso_date(text).then(|| Value::Time(format!("{text} 00:00:00")))
            }
            (ast::Value::SingleQuotedString(text), "text" | "varchar" | "uuid") => Some(Value::Text(text.clone())),
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
