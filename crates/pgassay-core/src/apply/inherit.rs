//! Inheritance: merged columns and checks, INHERIT and NO INHERIT.

use super::Applier;
use crate::change::ObjectName;
use crate::schema::{Column, ColumnId, Constraint, Relation, RelationId};

impl Applier<'_> {
    /// CREATE TABLE … INHERITS: columns of the parent that are not there yet are added, others merged (`MergeAttributes`).
    pub(super) fn inherit_definition(&mut self, child: RelationId, parent: &ObjectName) {
        let name = parent;
        let Some(parent) = self.relation(name, false) else { return };
        let Some(source) = self.schema.relation(parent).cloned() else { return };
        self.refuse_parent(&source, name);
        for column in &source.columns {
            self.inherit_column(child, column, true);
            self.inherit_not_null_name(&source, column, child);
        }
        if !source.known
            && let Some(relation) = self.schema.edit(child)
        {
            relation.known = false;
        }
        self.link_parent(parent, child);
        for constraint in &source.constraints {
            // A new table has no rows that could break it.
            let born = crate::schema::Constraint { validated: constraint.enforced, ..constraint.clone() };
            self.inherit_check(parent, &born, child);
        }
    }

    /// Gives a child a column of its parent, or counts the parent on the one it has.
    pub(super) fn inherit_column(
        &mut self,
        child: RelationId,
        column: &Column,
        with_default: bool,
    ) -> Option<ColumnId> {
        if let Some(existing) = self.column_id(child, &column.name) {
            if let Some(existing) = self.schema.edit(child).and_then(|it| it.column_mut(existing)) {
                existing.inherited += 1;
            }
            if column.not_null.enforced() {
                self.set_not_null(child, existing, None, column.not_null);
            }
            return Some(existing);
        }
        let mut copy = Column::new(column.name.clone(), column.data_type.clone());
        copy.collation = column.collation.clone();
        copy.not_null = column.not_null;
        copy.generated = column.generated.clone();
        copy.local = false;
        copy.inherited = 1;
        let id = self.schema.edit(child)?.push_column(copy);
        self.schema.link_column(child, id);
        if with_default && column.default.is_some() {
            self.set_default(child, id, column.default.clone());
        }
        if column.not_null.enforced() {
            self.set_not_null(child, id, None, column.not_null);
        }
        Some(id)
    }

    /// Since 18 the NOT NULL of a column has the parent's name (`MergeAttributes`, tablecmds.c).
    pub(super) fn inherit_not_null_name(&mut self, parent: &Relation, column: &Column, child: RelationId) {
        let named = |it: &&crate::schema::Constraint| it.kind == crate::schema::ConstraintKind::NotNull(column.id);
        let Some(name) = parent.constraints.iter().find(named).map(|it| it.name.clone()) else { return };
        let Some(own) = self.column_id(child, &column.name) else { return };
        let born = self.schema.relation(child).and_then(|it| {
            let of_it = it.constraints.iter().find(|it| it.kind == crate::schema::ConstraintKind::NotNull(own))?;
            it.column_by_id(own).filter(|it| !it.local)?;
            Some(of_it.name.clone())
        });
        if let Some(born) = born.filter(|born| *born != name) {
            self.schema.rename_constraint(child, &born, &name);
        }
    }

    /// Partitioned tables and partitions have no other children (`MergeAttributes`, tablecmds.c).
    fn refuse_parent(&mut self, parent: &Relation, name: &ObjectName) -> bool {
        let message = if parent.is_partitioned() {
            format!("cannot inherit from partitioned table \"{}\"", parent.name.name.as_str())
        } else if parent.is_partition() {
            format!("cannot inherit from partition \"{}\"", parent.name.name.as_str())
        } else {
            return false;
        };
        self.problem(super::ProblemKind::Invalid, name.span, name, message);
        true
    }

    pub(super) fn link_parent(&mut self, parent: RelationId, child: RelationId) {
        if let Some(relation) = self.schema.edit(child)
            && !relation.parents.contains(&parent)
        {
            relation.parents.push(parent);
            if let Some(relation) = self.schema.edit(parent) {
                relation.children.push(child);
            }
            self.schema.add_bound(parent, child);
        }
    }

    /// ALTER TABLE … INHERIT.
    pub(super) fn add_parent(&mut self, child: RelationId, parent: &ObjectName) {
        let Some(id) = self.relation(parent, false) else { return };
        if self.schema.relation(child).is_some_and(|it| it.parents.contains(&id)) {
            let message = format!("relation \"{}\" would be inherited from more than once", parent.name.as_str());
            return self.problem(super::ProblemKind::Duplicate, parent.span, parent, message);
        }
        if self.would_be_a_circle(child, id, parent) {
            return;
        }
        let Some(source) = self.schema.relation(id).cloned() else { return };
        if self.refuse_parent(&source, parent) {
            return;
        }
        self.adopt_columns(child, &source, parent);
        self.link_parent(id, child);
    }

    /// A table cannot be below itself; says so.
    pub(super) fn would_be_a_circle(&mut self, child: RelationId, parent: RelationId, name: &ObjectName) -> bool {
        let circle = child == parent || self.schema.parents_closure(parent).contains(&child);
        if circle {
            self.problem(super::ProblemKind::Invalid, name.span, name, "circular inheritance not allowed");
        }
        circle
    }

    /// The child must have every column of the parent (`MergeAttributesIntoExisting`).
    pub(super) fn adopt_columns(&mut self, child: RelationId, parent: &Relation, name: &ObjectName) {
        let known = self.is_known(child);
        for column in &parent.columns {
            match self.column_id(child, &column.name) {
                Some(existing) => {
                    if let Some(existing) = self.schema.edit(child).and_then(|it| it.column_mut(existing)) {
                        existing.inherited += 1;
                        existing.local &= !parent.is_partitioned();
                    }
                }
                None if known => {
                    let message = format!("child table is missing column \"{}\"", column.name.as_str());
                    self.problem(
                        super::ProblemKind::Missing,
                        name.span,
                        self.column_path(child, &column.name),
                        message,
                    );
                }
                None => _ = self.inherit_column(child, column, false),
            }
        }
    }

    /// ALTER TABLE … NO INHERIT (`RemoveInheritance`, tablecmds.c).
    pub(super) fn leave_parent(&mut self, child: RelationId, name: &ObjectName) {
        let Some(parent) = self.relation(name, false) else { return };
        let (Some(above), Some(below)) = (self.schema.relation(parent), self.schema.relation(child)) else { return };
        if below.known && !below.parents.contains(&parent) {
            let (above_name, below_name) = (above.name.name.as_str(), below.name.name.as_str());
            let message = if above.is_partitioned() {
                format!("relation \"{below_name}\" is not a partition of relation \"{above_name}\"")
            } else {
                format!("relation \"{above_name}\" is not a parent of relation \"{below_name}\"")
            };
            return self.problem(super::ProblemKind::Missing, name.span, name, message);
        }
        if below.is_partition() {
            return self.problem(
                super::ProblemKind::Invalid,
                name.span,
                name,
                "cannot change inheritance of a partition",
            );
        }
        self.remove_parent(child, parent);
    }

    /// The end of an inheritance or a partition: the columns stay, as the child's own.
    pub(super) fn remove_parent(&mut self, child: RelationId, parent: RelationId) {
        let Some(source) = self.schema.relation(parent).cloned() else { return };
        if let Some(partition) = self.schema.relation(child).cloned() {
            self.schema.remove_bound(parent, &partition);
        }
        if let Some(relation) = self.schema.edit(child) {
            relation.parents.retain(|it| *it != parent);
            for column in relation.columns.iter_mut().filter(|it| source.column(&it.name).is_some()) {
                column.inherited = column.inherited.saturating_sub(1);
                column.local |= column.inherited == 0;
            }
            let was_inherited = |it: &Constraint| source.constraint(&it.name).is_some();
            relation.constraints.change(was_inherited, |it| it.local = true);
        }
        if let Some(relation) = self.schema.edit(parent) {
            relation.children.retain(|it| *it != child);
        }
    }
}
