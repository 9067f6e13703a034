//! Constraints: added by CREATE TABLE and ALTER TABLE, with what they bring on partitions and children.

use std::collections::BTreeSet;

use super::index::{Deferral, IndexRole};
use super::{Applier, ProblemKind};
use crate::change::{self, Ident, IndexElement, IndexTarget, Key, Name, PrintedName, QualifiedName};
use crate::schema::{ColumnId, Constraint, ConstraintKind, ForeignKey, NotNull, Object, RelationId, RelationKind};

/// Where a constraint is born.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Birth {
    /// With its table, or inline with a new column: there are no rows that could break it, it is born valid.
    WithTable,
    Later,
}

impl Applier<'_> {
    pub(super) fn add_constraint(&mut self, table: RelationId, added: &change::Constraint, birth: Birth, only: bool) {
        let deferral = Deferral { deferrable: added.deferrable, initially_deferred: added.initially_deferred };
        if let Some(name) = &added.name
            && !matches!(added.kind, change::ConstraintKind::NotNull(_))
            && (self.merges_with_inherited(table, name, added, birth) || self.constraint_exists(table, name))
        {
            return;
        }
        match &added.kind {
            change::ConstraintKind::NotNull(column) => self.add_not_null(table, column, added, birth),
            change::ConstraintKind::Check(expression) => self.add_check(table, added, expression, birth, only),
            change::ConstraintKind::Unique(key) => self.add_key(table, added, key, IndexRole::Unique, deferral, only),
            change::ConstraintKind::PrimaryKey(key) => {
                if self.may_have_primary_key(table, added) {
                    self.add_key(table, added, key, IndexRole::PrimaryKey, deferral, only);
                }
            }
            change::ConstraintKind::UsingIndex { primary_key, index } => {
                self.add_using_index(table, added, *primary_key, index, deferral);
            }
            change::ConstraintKind::Exclude { .. } => self.add_exclusion(table, added, deferral, only),
            change::ConstraintKind::ForeignKey(key) => self.add_foreign_key(table, added, key, birth),
        }
    }

    /// A CHECK that says the same as an inherited one of its name makes that the table's own. A partition takes one with its table only,
    /// and it stays the parent's (MergeWithExistingConstraint, heap.c).
    fn merges_with_inherited(
        &mut self,
        table: RelationId,
        name: &Ident,
        added: &change::Constraint,
        birth: Birth,
    ) -> bool {
        let change::ConstraintKind::Check(expression) = &added.kind else { return false };
        let Some(relation) = self.schema.relation(table) else { return false };
        let partition = relation.is_partition();
        if partition && birth != Birth::WithTable {
            return false;
        }
        let same = relation.constraint(&name.name).is_some_and(|it| {
            let same = matches!(&it.kind, ConstraintKind::Check { expression: other, .. } if other == expression);
            same && !it.local && it.no_inherit == added.no_inherit && it.enforced != added.not_enforced
        });
        if same
            && !partition
            && let Some(existing) = self.schema.edit(table).and_then(|it| it.constraint_mut(&name.name))
        {
            existing.local = true;
        }
        same
    }

    fn constraint_exists(&mut self, table: RelationId, name: &Ident) -> bool {
        let exists = self.schema.relation(table).is_some_and(|it| it.constraint(&name.name).is_some());
        if exists {
            let message = format!(
                "constraint \"{}\" for relation \"{}\" already exists",
                name.name.as_str(),
                self.short_name(table)
            );
            self.problem(ProblemKind::Duplicate, name.span, self.column_path(table, &name.name), message);
        }
        exists
    }

    fn marked(&self, name: Name, kind: ConstraintKind, added: &change::Constraint, birth: Birth) -> Constraint {
        let born_valid = birth == Birth::WithTable || !added.not_valid;
        Constraint {
            validated: born_valid && !added.not_enforced,
            enforced: !added.not_enforced,
            no_inherit: added.no_inherit,
            deferrable: added.deferrable || added.initially_deferred,
            initially_deferred: added.initially_deferred,
            ..Constraint::new(name, kind)
        }
    }

    fn add_not_null(&mut self, table: RelationId, column: &Ident, added: &change::Constraint, birth: Birth) {
        let Some(column) = self.column(table, column) else { return };
        let valid = birth == Birth::WithTable || !added.not_valid;
        self.set_not_null(table, column, added.name.as_ref(), if valid { NotNull::Yes } else { NotNull::NotValid });
        for (child, column) in self.column_below(table, column) {
            self.set_not_null(child, column, added.name.as_ref(), if valid { NotNull::Yes } else { NotNull::NotValid });
        }
    }

    /// 18+: the named constraint behind NOT NULL; made once a column.
    pub(super) fn name_not_null(&mut self, table: RelationId, column: ColumnId, name: Option<Name>, validated: bool) {
        let Some(relation) = self.schema.relation(table) else { return };
        let existing = relation.constraints.iter().find(|it| it.kind == ConstraintKind::NotNull(column));
        if let Some(existing) = existing.map(|it| it.name.clone()) {
            if let Some(constraint) = self.schema.edit(table).and_then(|it| it.constraint_mut(&existing)) {
                constraint.validated |= validated;
            }
            return;
        }
        let of = relation.name.clone();
        let Some(label) = relation.column_by_id(column).map(|it| it.name.clone()) else { return };
        let choose = || {
            let none = BTreeSet::new();
            self.schema.choose_constraint_name(&of.name, Some(label.as_str()), "not_null", &of.schema, &none)
        };
        let name = name.unwrap_or_else(choose);
        let made = Constraint { validated, ..Constraint::new(name, ConstraintKind::NotNull(column)) };
        self.schema.add_constraint(table, made);
    }

    fn add_check(
        &mut self,
        table: RelationId,
        added: &change::Constraint,
        expression: &change::Expression,
        birth: Birth,
        only: bool,
    ) {
        self.check_columns(table, expression);
        let columns = self.expression_columns(table, expression);
        let of = self.full_name(table);
        let name = added.name.as_ref().map(|name| name.name.clone()).unwrap_or_else(|| {
            // AddRelationNewConstraints: the column's name when there is exactly one.
            let names = self.column_names(table, &columns);
            let single = if let [name] = &names[..] { Some(name.as_str()) } else { None };
            self.schema.choose_constraint_name(&of.name, single, "check", &of.schema, &BTreeSet::new())
        });
        let kind = ConstraintKind::Check { expression: expression.clone(), columns };
        let constraint = self.marked(name, kind, added, birth);
        self.insert_check(table, constraint.clone());
        if !added.no_inherit && !only {
            for child in self.schema.children_closure(table) {
                self.inherit_check(table, &constraint, child);
            }
        }
    }

    fn insert_check(&mut self, table: RelationId, constraint: Constraint) {
        if let ConstraintKind::Check { expression, .. } = &constraint.kind {
            let targets = self.expression_targets(Some(table), expression);
            self.schema.dependencies.set(Object::Constraint(table, constraint.name.clone()), targets);
        }
        self.schema.add_constraint(table, constraint);
    }

    /// Gives a child its copy of a CHECK; one of the same name is merged.
    pub(super) fn inherit_check(&mut self, parent: RelationId, constraint: &Constraint, child: RelationId) {
        let ConstraintKind::Check { expression, columns } = &constraint.kind else { return };
        if constraint.no_inherit
            || self.schema.relation(child).is_some_and(|it| it.constraint(&constraint.name).is_some())
        {
            return;
        }
        let kind = ConstraintKind::Check {
            expression: expression.clone(),
            columns: self.same_columns(parent, columns, child),
        };
        self.insert_check(child, Constraint { kind, local: false, comment: None, ..constraint.clone() });
    }

    fn may_have_primary_key(&mut self, table: RelationId, added: &change::Constraint) -> bool {
        let taken = self.schema.relation(table).is_some_and(|it| it.primary_key().is_some());
        if taken {
            let message = format!("multiple primary keys for table \"{}\" are not allowed", self.short_name(table));
            self.invalid(added.span, self.full_name(table), message);
        }
        !taken
    }

    fn free_index_name(&mut self, table: RelationId, added: &change::Constraint) -> bool {
        let Some(name) = &added.name else { return true };
        let at = QualifiedName { schema: self.full_name(table).schema, name: name.name.clone() };
        self.free_for_relation(&at, false, name.span)
    }

    fn add_key(
        &mut self,
        table: RelationId,
        added: &change::Constraint,
        key: &Key,
        role: IndexRole,
        deferral: Deferral,
        only: bool,
    ) {
        if !self.free_index_name(table, added) {
            return;
        }
        let elements: Vec<IndexElement> = key.columns.iter().map(plain_element).collect();
        let method = if key.without_overlaps { "gist" } else { "btree" };
        let mut index = self.index_on(table, Name::from(method), &elements, &key.include);
        index.nulls_not_distinct = key.nulls_not_distinct;
        let name = added.name.as_ref().map(|name| name.name.clone());
        self.build_index(table, index, name, role, deferral, only);
    }

    fn add_exclusion(&mut self, table: RelationId, added: &change::Constraint, deferral: Deferral, only: bool) {
        let change::ConstraintKind::Exclude { method, elements, include, predicate, .. } = &added.kind else { return };
        if !self.free_index_name(table, added) {
            return;
        }
        let elements: Vec<IndexElement> = elements.iter().map(|(element, _)| element.clone()).collect();
        let method = method.as_ref().map_or_else(|| Name::from("btree"), |method| method.name.clone());
        let mut index = self.index_on(table, method, &elements, include);
        self.give_predicate(table, &mut index, predicate.clone());
        let name = added.name.as_ref().map(|name| name.name.clone());
        self.build_index(table, index, name, IndexRole::Exclude, deferral, only);
    }

    /// UNIQUE or PRIMARY KEY USING INDEX: the index takes the constraint's name.
    fn add_using_index(
        &mut self,
        table: RelationId,
        added: &change::Constraint,
        primary_key: bool,
        index: &Ident,
        deferral: Deferral,
    ) {
        if primary_key && !self.may_have_primary_key(table, added) {
            return;
        }
        let Some(id) = self.index_named(table, index) else { return };
        let Some(mut found) = self.schema.relation(id).and_then(|it| it.as_index()).cloned() else { return };
        if let Some(owner) = &found.constraint {
            let message = format!("index \"{}\" is already associated with a constraint", index.name.as_str());
            return self.invalid(index.span, owner, message);
        }
        let name = added.name.as_ref().map_or_else(|| index.name.clone(), |name| name.name.clone());
        let at = QualifiedName { schema: self.full_name(table).schema, name: name.clone() };
        if name != index.name {
            if !self.free_for_relation(&at, false, added.span) {
                return;
            }
            self.schema.move_relation(id, at);
        }
        found.primary = primary_key;
        found.constraint = Some(name.clone());
        let columns: Vec<ColumnId> = found.columns.iter().flatten().copied().collect();
        if let Some(relation) = self.schema.edit(id) {
            relation.kind = RelationKind::Index(found);
        }
        let kind = if primary_key {
            columns.iter().for_each(|column| self.set_not_null_below(table, *column));
            ConstraintKind::PrimaryKey { columns, index: id }
        } else {
            ConstraintKind::Unique { columns, index: id }
        };
        let constraint = Constraint {
            deferrable: deferral.deferrable || deferral.initially_deferred,
            initially_deferred: deferral.initially_deferred,
            ..Constraint::new(name, kind)
        };
        self.schema.add_constraint(table, constraint);
    }

    fn add_foreign_key(
        &mut self,
        table: RelationId,
        added: &change::Constraint,
        key: &change::ForeignKey,
        birth: Birth,
    ) {
        let Some(referenced) = self.relation(&key.referenced, false) else { return };
        let columns = self.columns(table, &key.columns);
        let Some(referenced_columns) = self.referenced_columns(referenced, key, columns.len(), added) else { return };
        let of = self.full_name(table);
        let name = added.name.as_ref().map(|name| name.name.clone()).unwrap_or_else(|| {
            let joined = self.joined_names(table, &columns);
            self.schema.choose_constraint_name(&of.name, Some(&joined), "fkey", &of.schema, &BTreeSet::new())
        });
        let kind = ConstraintKind::ForeignKey(ForeignKey {
            columns,
            referenced,
            referenced_columns,
            match_full: key.match_full,
            on_delete: key.on_delete,
            on_update: key.on_update,
            set_columns: self.columns(table, &key.set_columns),
        });
        let constraint = self.marked(name, kind, added, birth);
        self.schema.add_constraint(table, constraint.clone());
        for partition in self.partitions_of(table) {
            self.clone_foreign_key(table, &constraint, partition);
        }
    }

    /// The columns referenced, or `None` when the server refuses them.
    fn referenced_columns(
        &mut self,
        referenced: RelationId,
        key: &change::ForeignKey,
        count: usize,
        added: &change::Constraint,
    ) -> Option<Vec<ColumnId>> {
        let relation = self.schema.relation(referenced)?;
        let known = relation.known;
        if !relation.is_table() && known {
            let message = format!("referenced relation \"{}\" is not a table", relation.name.name.as_str());
            self.invalid(key.referenced.span, &key.referenced, message);
            return None;
        }
        if key.referenced_columns.is_empty() {
            let primary = relation.primary_key().map(|it| it.kind.clone());
            return match primary {
                Some(ConstraintKind::PrimaryKey { columns, .. }) => self.same_count(columns, count, added),
                _ if !known => Some(Vec::new()),
                _ => {
                    let message =
                        format!("there is no primary key for referenced table \"{}\"", key.referenced.name.as_str());
                    self.invalid(key.referenced.span, &key.referenced, message);
                    None
                }
            };
        }
        let columns = self.columns(referenced, &key.referenced_columns);
        if columns.len() < key.referenced_columns.len() {
            return None;
        }
        if known && self.schema.index_behind(referenced, &columns).is_none() {
            let table = key.referenced.name.as_str();
            let message = format!("there is no unique constraint matching given keys for referenced table \"{table}\"");
            self.invalid(key.referenced.span, &key.referenced, message);
        }
        self.same_count(columns, count, added)
    }

    fn same_count(
        &mut self,
        columns: Vec<ColumnId>,
        count: usize,
        added: &change::Constraint,
    ) -> Option<Vec<ColumnId>> {
        if columns.len() == count {
            return Some(columns);
        }
        let message = "number of referencing and referenced columns for foreign key disagree";
        self.invalid(added.span, added.name.as_ref().map_or(PrintedName::other(""), PrintedName::from), message);
        None
    }

    /// Gives a partition its copy of a foreign key (`CloneFkReferencing`, tablecmds.c).
    pub(super) fn clone_foreign_key(&mut self, parent: RelationId, constraint: &Constraint, partition: RelationId) {
        let ConstraintKind::ForeignKey(key) = &constraint.kind else { return };
        let columns = self.same_columns(parent, &key.columns, partition);
        let key =
            &ForeignKey { columns, set_columns: self.same_columns(parent, &key.set_columns, partition), ..key.clone() };
        let Some(relation) = self.schema.relation(partition) else { return };
        let same = |other: &ForeignKey| key == other;
        let existing = relation.foreign_keys().find(|(_, other)| same(other)).map(|(it, _)| it.name.clone());
        let name = match existing {
            Some(name) => {
                if let Some(constraint) = self.schema.edit(partition).and_then(|it| it.constraint_mut(&name)) {
                    constraint.local = false;
                }
                name
            }
            None => self.insert_cloned_key(constraint, key, partition),
        };
        let made = self.schema.relation(partition).and_then(|it| it.constraint(&name)).cloned();
        for below in self.partitions_of(partition) {
            if let Some(made) = &made {
                self.clone_foreign_key(partition, made, below);
            }
        }
    }

    fn insert_cloned_key(&mut self, constraint: &Constraint, key: &ForeignKey, partition: RelationId) -> Name {
        let of = self.full_name(partition);
        let taken = self.schema.relation(partition).is_some_and(|it| it.constraint(&constraint.name).is_some());
        let name = if taken {
            let joined = self.joined_names(partition, &key.columns);
            self.schema.choose_constraint_name(&of.name, Some(&joined), "fkey", &of.schema, &BTreeSet::new())
        } else {
            constraint.name.clone()
        };
        let kind = ConstraintKind::ForeignKey(key.clone());
        let made = Constraint { name: name.clone(), kind, local: false, comment: None, ..constraint.clone() };
        self.schema.add_constraint(partition, made);
        name
    }

    /// SET NOT NULL on a table and everything below it.
    pub(super) fn set_not_null_below(&mut self, table: RelationId, column: ColumnId) {
        self.set_not_null(table, column, None, NotNull::Yes);
        for (child, column) in self.column_below(table, column) {
            self.set_not_null(child, column, None, NotNull::Yes);
        }
    }

    /// A column in all descendants of a table.
    pub(super) fn column_below(&self, table: RelationId, column: ColumnId) -> Vec<(RelationId, ColumnId)> {
        let children = self.schema.children_closure(table);
        children.into_iter().filter_map(|child| Some((child, self.same_column(table, column, child)?))).collect()
    }
}

pub(super) fn plain_element(column: &Ident) -> IndexElement {
    IndexElement {
        target: IndexTarget::Column(column.clone()),
        collation: None,
        operator_class: None,
        descending: false,
        nulls_first: None,
        span: column.span,
    }
}
