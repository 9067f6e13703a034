//! Constraints: keys over partitions, USING INDEX, foreign keys between types that nothing compares.

use super::super::predictor::Predictor;
use crate::change::{self, IndexTarget, Key, Name};
use crate::expression;
use crate::schema::{ColumnId, ConstraintKind, Index, NotNull, PartitionKey, Relation, RelationKind, Schema};
use crate::source::Span;

impl Predictor<'_> {
    /// A constraint of CREATE TABLE or ADD CONSTRAINT, on the table as it is afterwards.
    pub(super) fn refuse_constraint(&mut self, after: &Schema, table: &Relation, constraint: &change::Constraint) {
        match &constraint.kind {
            change::ConstraintKind::Check(check) => {
                let scope = self.scope_on(after, Some(table));
                self.refuse_check(check, scope);
            }
            change::ConstraintKind::Unique(key) => self.refuse_key(table, key, false, constraint.span),
            change::ConstraintKind::PrimaryKey(key) => self.refuse_key(table, key, true, constraint.span),
            change::ConstraintKind::UsingIndex { index, .. } => {
                self.refuse_using_index(table, index, constraint.span);
            }
            change::ConstraintKind::Exclude { elements, predicate, .. } => {
                if table.is_partitioned() && !self.at_least(17) {
                    let message = "exclusion constraints are not supported on partitioned tables";
                    return self.refused(constraint.span, &table.name, message);
                }
                let elements: Vec<_> = elements.iter().map(|(element, _)| element.clone()).collect();
                let scope = self.scope_on(after, Some(table));
                self.refuse_index_expressions(&elements, predicate.as_ref(), scope);
            }
            change::ConstraintKind::ForeignKey(key) => self.refuse_foreign_key(after, table, key, constraint),
            change::ConstraintKind::NotNull(column) => self.refuse_not_null(table, column, constraint),
        }
    }

    fn refuse_key(&mut self, table: &Relation, key: &Key, primary: bool, span: Span) {
        let columns: Vec<ColumnId> =
            key.columns.iter().filter_map(|it| table.column(&it.name).map(|it| it.id)).collect();
        if columns.len() != key.columns.len() {
            return;
        }
        let is_virtual = |id: &ColumnId| {
            let column = table.column_by_id(*id);
            column.is_some_and(|it| it.generated.as_ref().is_some_and(|it| !it.stored))
        };
        if self.at_least(18) && columns.iter().any(is_virtual) {
            let kind = if primary { "primary keys" } else { "unique constraints" };
            let message = format!("{kind} on virtual generated columns are not supported");
            return self.refused(span, &table.name, message);
        }
        for (at, column) in key.columns.iter().enumerate() {
            if key.columns[..at].iter().any(|other| other.name == column.name) {
                let kind = if primary { "primary key" } else { "unique" };
                let message = format!("column \"{}\" appears twice in {kind} constraint", column.name.as_str());
                return self.refused(column.span, &table.name, message);
            }
        }
        if primary && self.at_least(18) {
            let before = self.relation(table.id).cloned();
            let not_valid = |name: &Name| {
                before.as_ref().and_then(|it| it.column(name)).is_some_and(|it| it.not_null == NotNull::NotValid)
            };
            if let Some(column) = key.columns.iter().find(|it| not_valid(&it.name)) {
                let message = format!("cannot create primary key on column \"{}\"", column.name.as_str());
                return self.refused(column.span, &table.name, message);
            }
        }
        self.refuse_key_of_partitioned(table, &columns, span);
    }

    /// A key over partitions is the sum of the partitions' own: it holds only where the partition key is a part of it (DefineIndex).
    pub(super) fn refuse_key_of_partitioned(&mut self, table: &Relation, columns: &[ColumnId], span: Span) {
        let RelationKind::PartitionedTable(PartitionKey { elements, columns: wanted, .. }) = &table.kind else {
            return;
        };
        if !table.known || elements.is_empty() {
            return;
        }
        if elements.iter().any(|element| matches!(element.target, IndexTarget::Expression(_))) {
            let message = "unsupported UNIQUE constraint with partition key definition";
            return self.refused(span, &table.name, message);
        }
        if wanted.iter().any(|column| !columns.contains(column)) {
            let message = "unique constraint on partitioned table must include all partitioning columns";
            self.refused(span, &table.name, message);
        }
    }

    /// `transformIndexConstraint` (parse_utilcmd.c).
    fn refuse_using_index(&mut self, table: &Relation, index: &change::Ident, span: Span) {
        if table.is_partitioned() {
            let message = "ALTER TABLE / ADD CONSTRAINT USING INDEX is not supported on partitioned tables";
            return self.refused(span, &table.name, message);
        }
        let name = index.name.as_str();
        let Some(found) = self.schema().indexes_of(table.id).find(|it| it.name.name == index.name).cloned() else {
            if self.is_index_of_other(table, &index.name) {
                let message = format!("index \"{name}\" does not belong to table \"{}\"", table.name.name.as_str());
                self.refused(index.span, name, message);
            }
            return;
        };
        let Some(it) = found.as_index() else { return };
        if let Some(message) = unfit_for_constraint(it, name) {
            self.refused(index.span, name, message);
        }
    }

    /// Whether the schema of a table has an index of a name on another table.
    pub(super) fn is_index_of_other(&self, table: &Relation, index: &Name) -> bool {
        let at = change::QualifiedName { schema: table.name.schema.clone(), name: index.clone() };
        let found = self.schema().relation_at(&at).filter(|it| it.known);
        found.and_then(|it| it.as_index()).is_some_and(|it| it.table != table.id)
    }

    fn refuse_foreign_key(
        &mut self,
        after: &Schema,
        table: &Relation,
        key: &change::ForeignKey,
        constraint: &change::Constraint,
    ) {
        let Some(referenced) = after.find_relation(&key.referenced, self.context.session).cloned() else { return };
        if constraint.not_valid && table.is_partitioned() && !self.at_least(18) && self.relation(table.id).is_some() {
            let message = format!(
                "cannot add NOT VALID foreign key on partitioned table \"{}\" referencing relation \"{}\"",
                table.name.name.as_str(),
                referenced.name.name.as_str()
            );
            return self.refused(constraint.span, &table.name, message);
        }
        if let Some(message) = unlike_persistence(table, &referenced) {
            return self.refused(constraint.span, &table.name, message);
        }
        let own: Vec<_> = key.columns.iter().filter_map(|it| table.column(&it.name)).collect();
        if own.len() != key.columns.len() {
            return;
        }
        if let Some(message) = unfit_action(key, own.iter().any(|it| it.generated.is_some())) {
            return self.refused(constraint.span, &table.name, message);
        }
        if self.at_least(18) && own.iter().any(|it| it.generated.as_ref().is_some_and(|it| !it.stored)) {
            let message = "foreign key constraints on virtual generated columns are not supported";
            return self.refused(constraint.span, &table.name, message);
        }
        let other: Vec<ColumnId> = match &key.referenced_columns[..] {
            [] => match referenced.primary_key().map(|it| &it.kind) {
                Some(ConstraintKind::PrimaryKey { columns, .. }) => columns.clone(),
                _ => return,
            },
            columns => columns.iter().filter_map(|it| referenced.column(&it.name).map(|it| it.id)).collect(),
        };
        if other.len() != own.len() {
            return;
        }
        self.refuse_deferrable_reference(after, &referenced, &other, constraint.span);
        let scope = self.scope_on(after, None);
        let pairs = own.iter().zip(&other);
        let unlike = pairs.filter_map(|(own, other)| Some((*own, referenced.column_by_id(*other)?)));
        let unlike =
            unlike.into_iter().find(|(own, other)| !expression::can_reference(&own.data_type, &other.data_type, scope));
        if let Some((own, _)) = unlike {
            let name = constraint.name.as_ref().map(|it| it.name.as_str().to_owned());
            let name = name.unwrap_or_else(|| format!("{}_{}_fkey", table.name.name.as_str(), own.name.as_str()));
            let message = format!("foreign key constraint \"{name}\" cannot be implemented");
            self.refused(constraint.span, &table.name, message);
        }
    }

    /// The key that is referenced has to hold at every moment (transformFkeyCheckAttrs, tablecmds.c).
    fn refuse_deferrable_reference(&mut self, after: &Schema, referenced: &Relation, columns: &[ColumnId], span: Span) {
        let same = |of: &[ColumnId]| of.len() == columns.len() && columns.iter().all(|it| of.contains(it));
        let keys: Vec<_> = referenced
            .constraints
            .iter()
            .filter(|it| match &it.kind {
                ConstraintKind::Unique { columns, .. } | ConstraintKind::PrimaryKey { columns, .. } => same(columns),
                _ => false,
            })
            .collect();
        let plain_index = after
            .indexes_of(referenced.id)
            .any(|it| it.as_index().is_some_and(|it| it.unique && it.constraint.is_none() && it.predicate.is_none()));
        if !keys.is_empty() && keys.iter().all(|it| it.deferrable) && !plain_index {
            let message = format!(
                "cannot use a deferrable unique constraint for referenced table \"{}\"",
                referenced.name.name.as_str()
            );
            self.refused(span, &referenced.name, message);
        }
    }

    /// 18: one NOT NULL constraint for each column (`AdjustNotNullInheritance`, pg_constraint.c).
    fn refuse_not_null(&mut self, table: &Relation, column: &change::Ident, constraint: &change::Constraint) {
        let Some(before) = self.relation(table.id).cloned() else { return };
        let Some(found) = before.column(&column.name) else { return };
        let existing = before.constraints.iter().find(|it| it.kind == ConstraintKind::NotNull(found.id));
        if let (Some(existing), Some(name)) = (existing, &constraint.name)
            && existing.name != name.name
            && self.at_least(18)
        {
            let message = format!(
                "cannot create not-null constraint \"{}\" on column \"{}\" of table \"{}\"",
                name.name.as_str(),
                column.name.as_str(),
                table.name.name.as_str()
            );
            self.refused(constraint.span, &table.name, message);
        }
    }

    /// REPLICA IDENTITY USING INDEX (ATExecReplicaIdentity, tablecmds.c).
    pub(super) fn refuse_replica_identity(&mut self, table: &Relation, index: &change::Ident) {
        if !table.known {
            return;
        }
        let name = index.name.as_str();
        let Some(found) = self.schema().indexes_of(table.id).find(|it| it.name.name == index.name).cloned() else {
            if self.schema().complete {
                let message = format!("index \"{name}\" for table \"{}\" does not exist", table.name.name.as_str());
                self.refused(index.span, name, message);
            }
            return;
        };
        let Some(it) = found.as_index() else { return };
        let deferrable = self.schema().constraint_of_index(found.id).is_some_and(|(_, it)| it.deferrable);
        let nullable = it.columns.iter().flatten().find_map(|id| {
            let column = table.column_by_id(*id)?;
            (column.not_null == NotNull::No).then(|| column.name.as_str().to_owned())
        });
        let message = if !it.unique {
            format!("cannot use non-unique index \"{name}\" as replica identity")
        } else if deferrable {
            format!("cannot use non-immediate index \"{name}\" as replica identity")
        } else if it.columns.contains(&None) {
            format!("cannot use expression index \"{name}\" as replica identity")
        } else if it.predicate.is_some() {
            format!("cannot use partial index \"{name}\" as replica identity")
        } else if let Some(column) = nullable {
            format!("index \"{name}\" cannot be used as replica identity because column \"{column}\" is nullable")
        } else {
            return;
        };
        self.refused(index.span, name, message);
    }
}

fn unfit_for_constraint(index: &Index, name: &str) -> Option<String> {
    if !index.valid {
        return Some(format!("index \"{name}\" is not valid"));
    }
    if !index.unique {
        return Some(format!("\"{name}\" is not a unique index"));
    }
    if index.columns.contains(&None) {
        return Some(format!("index \"{name}\" contains expressions"));
    }
    if index.predicate.is_some() {
        return Some(format!("\"{name}\" is a partial index"));
    }
    if index.method != "btree" {
        return Some(format!("index \"{name}\" is not a btree"));
    }
    let unusual = index.elements.iter().position(|element| {
        let pattern = element.operator_class.as_ref().is_some_and(|it| it.name.as_str().ends_with("_pattern_ops"));
        element.descending || element.nulls_first == Some(true) || pattern
    });
    unusual.map(|at| format!("index \"{name}\" column number {} does not have default sorting behavior", at + 1))
}

/// What a referential action may set (`validateFkOnDeleteSetColumns` and ATAddForeignKeyConstraint, tablecmds.c).
fn unfit_action(key: &change::ForeignKey, generated: bool) -> Option<String> {
    use change::ReferentialAction::{Cascade, SetDefault, SetNull};
    if let Some(other) = key.set_columns.iter().find(|it| !key.columns.iter().any(|own| own.name == it.name)) {
        let name = other.name.as_str();
        return Some(format!("column \"{name}\" referenced in ON DELETE SET action must be part of foreign key"));
    }
    let words = match () {
        () if !generated => return None,
        () if matches!(key.on_update, Cascade | SetNull | SetDefault) => "ON UPDATE",
        () if matches!(key.on_delete, SetNull | SetDefault) => "ON DELETE",
        () => return None,
    };
    Some(format!("invalid {words} action for foreign key constraint containing generated column"))
}

/// What is kept references what is kept (ATAddForeignKeyConstraint, tablecmds.c).
fn unlike_persistence(table: &Relation, referenced: &Relation) -> Option<&'static str> {
    use crate::change::Persistence::{Permanent, Temporary, Unlogged};
    if !referenced.known || !table.known {
        return None;
    }
    match (table.persistence, referenced.persistence) {
        (Permanent, Unlogged | Temporary) => {
            Some("constraints on permanent tables may reference only permanent tables")
        }
        (Unlogged, Temporary) => Some("constraints on unlogged tables may reference only permanent or unlogged tables"),
        (Temporary, Permanent | Unlogged) => {
            Some("constraints on temporary tables may reference only temporary tables")
        }
        _ => None,
    }
}
