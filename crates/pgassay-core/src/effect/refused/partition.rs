//! Partitions: their keys and bounds, and what a table of a partitioned family cannot do alone.

use std::sync::Arc;

use sqlparser::ast;

use super::super::predictor::Predictor;
use super::super::written;
use crate::change::{
    self, Drop, Expression, Insert, Name, ObjectKind, ObjectName, PartitionBound, PartitionStrategy, Truncate,
};
use crate::expression::{Place, Scope};
use crate::schema::{BoundValue, PartitionKey, Relation, RelationId, RelationKind, Schema, orders, value_of};

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
        let overlapping = self.overlapping(parent, key, bound)?;
        Some(format!("partition \"{name}\" would overlap partition \"{}\"", overlapping.name.name.as_str()))
    }

    /// The first partition that takes rows which a bound takes too.
    fn overlapping(&self, parent: &Relation, key: &PartitionKey, bound: &PartitionBound) -> Option<&Arc<Relation>> {
        let bounds = parent.bounds.as_deref()?;
        let mut found: Vec<RelationId> = match bound {
            PartitionBound::List(values) => {
                let values = values.iter().filter_map(|it| self.schema().bound_value(parent, key, 0, it));
                values.filter_map(|value| bounds.lists(&value)).collect()
            }
            PartitionBound::Range { from, to } => {
                let (from, to) = (self.values(parent, key, from), self.values(parent, key, to));
                match (from, to) {
                    (Some(from), Some(to)) if orders(&from) && orders(&to) => bounds.overlapping(&from, &to).collect(),
                    _ => Vec::new(),
                }
            }
            PartitionBound::Hash { .. } | PartitionBound::Default => Vec::new(),
        };
        found.extend(bounds.unordered().iter().copied().filter(|id| {
            let other = self.relation(*id).and_then(|it| it.bound.as_ref());
            other.is_some_and(|other| self.overlap(parent, key, bound, other) == Some(true))
        }));
        if found.is_empty() {
            return None;
        }
        parent.children.iter().find(|child| found.contains(child)).and_then(|id| self.relation(*id))
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
                let other: Vec<_> =
                    other.iter().filter_map(|it| self.schema().bound_value(parent, key, 0, it)).collect();
                Some(
                    one.iter()
                        .filter_map(|it| self.schema().bound_value(parent, key, 0, it))
                        .any(|it| other.contains(&it)),
                )
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

    fn values(&self, parent: &Relation, key: &PartitionKey, list: &[Expression]) -> Option<Vec<BoundValue>> {
        list.iter().enumerate().map(|(at, it)| self.schema().bound_value(parent, key, at, it)).collect()
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
            let bounds = table.bounds.as_deref();
            if bounds.is_some_and(|bounds| bounds.lists(&value).is_some() || bounds.holds(&value)) {
                continue;
            }
            let taken = table.children.iter().filter_map(|child| self.relation(*child)).any(|child| {
                child.bound.as_ref().is_none_or(|bound| self.takes_value(&table, key, bound, &value) != Some(false))
            });
            if !taken {
                let message = format!("no partition of relation \"{}\" found for row", table.name.name.as_str());
                return self.refused(insert.table.span, &table.name, message);
            }
        }
    }

    /// Rows of plain values for a partition that is named itself and does not take them (ExecPartitionCheck, execMain.c).
    pub(super) fn refuse_outside_of_partition(&mut self, insert: &Insert) {
        let Some(found) = self.find(&insert.table) else { return };
        let Some(table) = self.relation(found.id).filter(|it| it.known).cloned() else { return };
        let (Some(bound), [parent], RelationKind::Table) = (&table.bound, &table.parents[..], &table.kind) else {
            return;
        };
        let Some(parent) = self.relation(*parent).filter(|it| it.known).cloned() else { return };
        let RelationKind::PartitionedTable(key) = &parent.kind else { return };
        let redirected = !table.rules.is_empty() || table.triggers.iter().any(|it| it.for_each_row);
        let (ast::Statement::Insert(tree), [element]) = (&*insert.tree.0, &key.elements[..]) else { return };
        let change::IndexTarget::Column(column) = &element.target else { return };
        let listed: Vec<Name> = match &insert.columns[..] {
            [] => table.columns.iter().map(|column| column.name.clone()).collect(),
            columns => columns.iter().map(|column| column.name.clone()).collect(),
        };
        let Some(at) = listed.iter().position(|name| *name == column.name) else { return };
        let Some(of) = parent.column(&column.name).map(|it| self.schema().base_type(&it.data_type)) else { return };
        if redirected || insert.rows.is_none() {
            return;
        }
        let of = of.written.name.as_str().to_owned();
        for row in tree.source.as_ref().map(|source| written::rows(source)).unwrap_or_default() {
            let Some(value) = row.get(at).and_then(|it| value_of(it, &of)) else { continue };
            if self.takes_value(&parent, key, bound, &value) == Some(false) {
                let message =
                    format!("new row for relation \"{}\" violates partition constraint", table.name.name.as_str());
                return self.refused(insert.table.span, &table.name, message);
            }
        }
    }

    fn takes_value(
        &self,
        parent: &Relation,
        key: &PartitionKey,
        bound: &PartitionBound,
        value: &BoundValue,
    ) -> Option<bool> {
        match bound {
            PartitionBound::List(list) => {
                let values: Option<Vec<_>> =
                    list.iter().map(|it| self.schema().bound_value(parent, key, 0, it)).collect();
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
        // RemoveRelations (tablecmds.c).
        if let Some(second) = drop.objects.get(1).filter(|_| drop.concurrently) {
            let message = "DROP INDEX CONCURRENTLY does not support dropping multiple objects";
            return self.refused(second.span, &second.name, message);
        }
        if let Some(index) = drop.objects.first().filter(|_| drop.concurrently && drop.cascade) {
            return self.refused(index.span, &index.name, "DROP INDEX CONCURRENTLY does not support CASCADE");
        }
        for reference in &drop.objects {
            let Some(found) = self.schema().find_relation(&reference.name, self.context.session).cloned() else {
                continue;
            };
            let name = found.name.name.as_str();
            // CONCURRENTLY says nothing of a temporary table's index (RemoveRelations, tablecmds.c).
            let temporary = found.name.schema == "pg_temp";
            if drop.kind == ObjectKind::Index
                && drop.concurrently
                && !temporary
                && found.as_index().is_some_and(|it| it.partitioned)
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

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
