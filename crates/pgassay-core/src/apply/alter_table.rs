//! ALTER TABLE: its actions, in the order the server runs them.

use super::constraint::Birth;
use super::{Applier, ProblemKind};
use crate::change::{
    AlterTable, AlterTableAction, AlterTableActionKind, ColumnDefinition, Expression, Ident, ObjectName, PrintedName,
    RelationKeyword, SequenceOptions, TypeName,
};
use crate::schema::{ColumnId, Generated, IdentityKind, NotNull, Object, RelationId, RelationKind};
use crate::source::Span;

impl Applier<'_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        let stub = stub_kind(alter.object);
        let Some(id) = self.relation_or_stub(&alter.relation, alter.if_exists, stub) else { return };
        if self.is_of_another_kind(id, alter.object, &alter.relation) {
            return;
        }
        let mut actions: Vec<&AlterTableAction> = alter.actions.iter().collect();
        actions.sort_by_key(|action| action.kind.pass());
        for action in actions {
            self.alter_action(id, action, alter);
        }
    }

    /// ALTER VIEW, INDEX, SEQUENCE … of something else (`RangeVarCallbackForAlterRelation`, tablecmds.c); ALTER TABLE takes most kinds, and ALTER
    /// INDEX may rename all of them.
    pub(super) fn is_of_another_kind(&mut self, id: RelationId, keyword: RelationKeyword, name: &ObjectName) -> bool {
        use RelationKeyword::{ForeignTable, Index, MaterializedView, Sequence, Table, View};
        let Some(relation) = self.schema.relation(id).filter(|it| it.known) else { return false };
        let (fits, wanted) = match keyword {
            Table | Index => return false,
            View => (matches!(relation.kind, RelationKind::View(_)), "a view"),
            MaterializedView => (matches!(relation.kind, RelationKind::MaterializedView(_)), "a materialized view"),
            Sequence => (matches!(relation.kind, RelationKind::Sequence(_)), "a sequence"),
            ForeignTable => (matches!(relation.kind, RelationKind::ForeignTable), "a foreign table"),
        };
        if !fits {
            let message = format!("\"{}\" is not {wanted}", name.name.as_str());
            self.invalid(name.span, name, message);
        }
        !fits
    }

    #[deny(clippy::wildcard_enum_match_arm, reason = "a new action says what it changes")]
    fn alter_action(&mut self, id: RelationId, action: &AlterTableAction, alter: &AlterTable) {
        use AlterTableActionKind::*;
        match &action.kind {
            AddColumn { column, if_not_exists } => self.alter_add_column(id, column, *if_not_exists),
            DropColumn { column, if_exists, cascade } => self.drop_column(id, column, *if_exists, *cascade, alter.only),
            SetDataType { column, data_type, collation, .. } => {
                collation.iter().for_each(|collation| self.check_collation(collation));
                let collation = collation.as_ref().map(|it| it.name.clone());
                self.set_data_type(id, column, data_type, collation, action.span);
            }
            SetDefault { column, default } => self.alter_default(id, column, Some(default), alter.only),
            DropDefault { column } => self.alter_default(id, column, None, alter.only),
            SetNotNull { column } => self.alter_not_null(id, column, alter.only),
            DropNotNull { column } => self.drop_not_null(id, column, alter.only),
            SetExpression { column, expression } => self.set_expression(id, column, expression),
            DropExpression { column, .. } => self.drop_expression(id, column),
            AddIdentity { column, identity } => {
                if let Some(column) = self.column(id, column) {
                    self.give_identity(id, column, identity);
                }
            }
            SetIdentity { column, always, options } => self.set_identity(id, column, *always, options),
            DropIdentity { column, if_exists } => self.drop_identity(id, column, *if_exists),
            AddConstraint(constraint) => self.alter_add_constraint(id, constraint, alter),
            AlterConstraint { constraint, deferrable, enforced, inherit } => {
                self.alter_constraint(id, constraint, *deferrable, *enforced, *inherit);
            }
            ValidateConstraint { constraint } => self.validate_constraint(id, constraint),
            DropConstraint { constraint, if_exists, cascade } => {
                self.drop_constraint(id, constraint, *if_exists, *cascade, alter.only);
            }
            RenameRelation { new_name } => self.rename_relation(id, new_name),
            RenameColumn { column, new_name } => self.rename_column(id, column, new_name),
            RenameConstraint { constraint, new_name } => self.rename_constraint(id, constraint, new_name),
            SetSchema { schema } => self.set_relation_schema(id, schema),
            AttachPartition { partition, bound } => self.attach_partition(id, partition, bound),
            DetachPartition { partition, .. } => self.detach_partition(id, partition),
            AttachIndexPartition { index } => self.attach_index_partition(id, index),
            Inherit { parent } => self.add_parent(id, parent),
            NoInherit { parent } => self.leave_parent(id, parent),
            OfType { type_name } => self.set_of_type(id, type_name),
            OwnerTo { .. }
            | SetTrigger { .. }
            | SetRule { .. }
            | ClusterOn { .. }
            | SetStatistics { .. }
            | SetColumnOptions { .. }
            | SetStorage { .. }
            | SetCompression { .. }
            | SetRowSecurity { .. }
            | ForceRowSecurity { .. }
            | ReplicaIdentity(_)
            | SetWithoutCluster
            | NotOf
            | SetAccessMethod { .. }
            | SetTablespace { .. }
            | SetLogged
            | SetUnlogged
            | SetOptions { .. }
            | ResetOptions { .. }
            | SetWithoutOids
            | SetForeignOptions { .. }
            | DependsOnExtension { .. } => self.alter_setting(id, &action.kind),
        }
    }

    fn alter_add_column(&mut self, id: RelationId, definition: &ColumnDefinition, if_not_exists: bool) {
        let name = &definition.name;
        if self.column_id(id, &name.name).is_some() {
            if !if_not_exists && self.is_known(id) {
                let table = self.short_name(id);
                let message = format!("column \"{}\" of relation \"{table}\" already exists", name.name.as_str());
                self.problem(ProblemKind::Duplicate, name.span, self.column_path(id, &name.name), message);
            }
            return;
        }
        let Some(column) = self.define_column(id, definition) else { return };
        let Some(made) = self.schema.relation(id).and_then(|it| it.column_by_id(column)).cloned() else { return };
        let mut parents = vec![id];
        while let Some(parent) = parents.pop() {
            let children = self.schema.relation(parent).map(|it| it.children.clone()).unwrap_or_default();
            for child in children {
                let existed = self.column_id(child, &made.name).is_some();
                self.inherit_column(child, &made, true);
                if !existed {
                    parents.push(child);
                }
            }
        }
    }

    fn alter_add_constraint(&mut self, id: RelationId, constraint: &crate::change::Constraint, alter: &AlterTable) {
        // With the column it belongs to skipped by IF NOT EXISTS, an inline constraint is skipped too.
        let with_column = constraint.inline && alter.actions.iter().any(|it| adds_column_of(&it.kind, constraint));
        let existed = constraint.inline && self.inline_twice(id, constraint, alter);
        if !existed {
            let birth = if with_column { Birth::WithTable } else { Birth::Later };
            self.add_constraint(id, constraint, birth, alter.only);
        }
    }

    /// ADD COLUMN IF NOT EXISTS found the column: it existed before this statement when its definition stands elsewhere.
    fn inline_twice(&self, id: RelationId, constraint: &crate::change::Constraint, alter: &AlterTable) -> bool {
        let skipped = |column: &ColumnDefinition| {
            let existing = self.schema.relation(id).and_then(|it| it.column(&column.name.name));
            existing.is_some_and(|existing| {
                column.data_type.as_ref().is_some_and(|written| existing.data_type.written.span != written.span)
            })
        };
        alter.actions.iter().any(|action| match &action.kind {
            AlterTableActionKind::AddColumn { column, if_not_exists: true } => {
                column.span.contains(constraint.span) && skipped(column)
            }
            _ => false,
        })
    }

    fn set_data_type(
        &mut self,
        id: RelationId,
        column: &Ident,
        written: &TypeName,
        collation: Option<crate::change::Name>,
        span: Span,
    ) {
        let Some(column_id) = self.column(id, column) else { return };
        let data_type = self.column_type(written);
        self.refuse_view_dependents(id, column_id, span);
        let mut targets = vec![(id, column_id)];
        targets.extend(self.column_below(id, column_id));
        for (table, column) in targets {
            if let Some(column) = self.schema.edit(table).and_then(|it| it.column_mut(column)) {
                column.data_type = data_type.clone();
                column.collation = collation.clone();
                // Both become the new type's own (`ATExecAlterColumnType`, tablecmds.c).
                (column.storage, column.compression) = (None, None);
            }
            self.schema.link_column(table, column);
        }
        self.need_classes_again(id, column_id, span);
    }

    /// `cannot alter type of a column used by a view or rule`.
    fn refuse_view_dependents(&mut self, id: RelationId, column: ColumnId, span: Span) {
        // The server names one; each kind is told once, with all that it is about.
        let mut told: Vec<(&str, Vec<String>)> = Vec::new();
        for (dependent, _) in self.schema.dependents(&Object::Column(id, column)) {
            let message = match &dependent {
                Object::Relation(view) if self.schema.relation(*view).is_some_and(|it| it.as_view().is_some()) => {
                    "cannot alter type of a column used by a view or rule"
                }
                Object::Rule(..) => "cannot alter type of a column used by a view or rule",
                Object::Policy(..) => "cannot alter type of a column used in a policy definition",
                Object::Routine(..) => "cannot alter type of a column used by a function or procedure",
                Object::Trigger(..) => "cannot alter type of a column used in a trigger definition",
                Object::Column(..) => "cannot alter type of a column used by a generated column",
                _ => continue,
            };
            let described = self.schema.describe(&dependent, self.session);
            match told.iter_mut().find(|(of, _)| *of == message) {
                Some((_, objects)) => objects.push(described),
                None => told.push((message, vec![described])),
            }
        }
        for (message, objects) in told {
            let path = self
                .schema
                .relation(id)
                .and_then(|table| Some(PrintedName::part(&table.name, &table.column_by_id(column)?.name)));
            let message = format!("{message} ({})", objects.join(", "));
            self.problem(ProblemKind::Dependent, span, path.unwrap_or_else(|| PrintedName::other("")), message);
        }
    }

    fn alter_default(&mut self, id: RelationId, column: &Ident, default: Option<&Expression>, only: bool) {
        let Some(column_id) = self.column(id, column) else { return };
        let generated =
            self.schema.relation(id).and_then(|it| it.column_by_id(column_id)).is_some_and(|it| it.generated.is_some());
        if generated {
            let table = self.short_name(id);
            let message = format!("column \"{}\" of relation \"{table}\" is a generated column", column.name.as_str());
            return self.invalid(column.span, self.column_path(id, &column.name), message);
        }
        self.set_default(id, column_id, default.cloned());
        if !only {
            for (child, column) in self.column_below(id, column_id) {
                self.set_default(child, column, default.cloned());
            }
        }
    }

    fn alter_not_null(&mut self, id: RelationId, column: &Ident, only: bool) {
        let Some(column) = self.column(id, column) else { return };
        if only {
            self.set_not_null(id, column, None, NotNull::Yes);
        } else {
            self.set_not_null_below(id, column);
        }
    }

    fn drop_not_null(&mut self, id: RelationId, column: &Ident, only: bool) {
        let Some(column_id) = self.column(id, column) else { return };
        let Some(relation) = self.schema.relation(id) else { return };
        let in_key = relation.primary_key().is_some_and(|it| self.schema.constraint_uses(it, column_id));
        let identity = relation.column_by_id(column_id).is_some_and(|it| it.identity.is_some());
        if in_key {
            let message = format!("column \"{}\" is in a primary key", column.name.as_str());
            return self.invalid(column.span, self.column_path(id, &column.name), message);
        }
        if identity {
            let table = self.short_name(id);
            let message = format!("column \"{}\" of relation \"{table}\" is an identity column", column.name.as_str());
            return self.invalid(column.span, self.column_path(id, &column.name), message);
        }
        let mut targets = vec![(id, column_id)];
        if !only {
            targets.extend(self.column_below(id, column_id));
        }
        for (table, column) in targets {
            self.forget_not_null(table, column);
        }
    }

    pub(super) fn forget_not_null(&mut self, table: RelationId, column: ColumnId) {
        let Some(relation) = self.schema.edit(table) else { return };
        let kind = crate::schema::ConstraintKind::NotNull(column);
        let name = relation.constraints.iter().find(|it| it.kind == kind).map(|it| it.name.clone());
        if let Some(column) = relation.column_mut(column) {
            column.not_null = NotNull::No;
        }
        if let Some(name) = name {
            self.schema.remove_constraint(table, &name);
        }
    }

    fn set_expression(&mut self, id: RelationId, column: &Ident, expression: &Expression) {
        let Some(column) = self.column(id, column) else { return };
        let targets = self.expression_targets(Some(id), expression);
        if let Some(found) = self.schema.edit(id).and_then(|it| it.column_mut(column)) {
            let stored = found.generated.as_ref().is_none_or(|it| it.stored);
            found.generated = Some(Generated { expression: expression.clone(), stored });
        }
        self.schema.dependencies.set(Object::Default(id, column), targets);
    }

    fn drop_expression(&mut self, id: RelationId, column: &Ident) {
        let Some(column) = self.column(id, column) else { return };
        let mut targets = vec![(id, column)];
        targets.extend(self.column_below(id, column));
        for (table, column) in targets {
            if let Some(found) = self.schema.edit(table).and_then(|it| it.column_mut(column)) {
                found.generated = None;
            }
            self.schema.dependencies.forget(&Object::Default(table, column));
        }
    }

    fn set_identity(&mut self, id: RelationId, column: &Ident, always: Option<bool>, options: &SequenceOptions) {
        let Some(column) = self.column(id, column) else { return };
        let Some(found) = self.schema.edit(id).and_then(|it| it.column_mut(column)) else { return };
        if let Some(always) = always {
            found.identity = Some(if always { IdentityKind::Always } else { IdentityKind::ByDefault });
        }
        if let Some(sequence) = found.sequence {
            self.set_sequence_options(sequence, options);
        }
    }

    fn drop_identity(&mut self, id: RelationId, column: &Ident, if_exists: bool) {
        let Some(column_id) = self.column(id, column) else { return };
        let known = self.is_known(id);
        let Some(found) = self.schema.edit(id).and_then(|it| it.column_mut(column_id)) else { return };
        let was = found.identity.take();
        let sequence = found.sequence.filter(|_| was.is_some());
        if let Some(sequence) = sequence {
            self.schema.remove(&Object::Relation(sequence));
        }
        if was.is_none() && known && !if_exists {
            let table = self.short_name(id);
            let message =
                format!("column \"{}\" of relation \"{table}\" is not an identity column", column.name.as_str());
            self.invalid(column.span, self.column_path(id, &column.name), message);
        }
    }

    fn alter_constraint(
        &mut self,
        id: RelationId,
        constraint: &Ident,
        deferrable: Option<bool>,
        enforced: Option<bool>,
        inherit: Option<bool>,
    ) {
        if !self.has_constraint(id, constraint, false) {
            return;
        }
        let Some(found) = self.schema.edit(id).and_then(|it| it.constraint_mut(&constraint.name)) else { return };
        found.deferrable = deferrable.unwrap_or(found.deferrable);
        found.enforced = enforced.unwrap_or(found.enforced);
        // Enforcing checks the rows; a constraint that is not enforced is not valid.
        found.validated = enforced.unwrap_or(found.validated);
        found.no_inherit = inherit.map_or(found.no_inherit, |inherit| !inherit);
    }

    fn validate_constraint(&mut self, id: RelationId, constraint: &Ident) {
        if !self.has_constraint(id, constraint, false) {
            return;
        }
        let mut tables = vec![id];
        tables.extend(self.schema.children_closure(id));
        for table in tables {
            let Some(relation) = self.schema.edit(table) else { continue };
            let Some(found) = relation.constraint_mut(&constraint.name) else { continue };
            found.validated = true;
            if let crate::schema::ConstraintKind::NotNull(column) = found.kind
                && let Some(column) = relation.column_mut(column)
            {
                column.not_null = NotNull::Yes;
            }
        }
    }

    /// Whether a relation has the constraint; says so when it does not.
    pub(super) fn has_constraint(&mut self, id: RelationId, constraint: &Ident, if_exists: bool) -> bool {
        let found = self.schema.relation(id).is_some_and(|it| it.constraint(&constraint.name).is_some());
        // The names that 18 gives to NOT NULL are not kept for older servers.
        if !found && !if_exists && self.is_known(id) {
            let (name, table) = (constraint.name.as_str(), self.short_name(id));
            let message = format!("constraint \"{name}\" of relation \"{table}\" does not exist");
            self.problem(ProblemKind::Missing, constraint.span, self.column_path(id, &constraint.name), message);
        }
        found
    }
}

fn adds_column_of(kind: &AlterTableActionKind, constraint: &crate::change::Constraint) -> bool {
    matches!(kind, AlterTableActionKind::AddColumn { column, .. } if column.span.contains(constraint.span))
}

/// What a statement of a partial history lets one guess of a relation that it names. A view's query is not known, so that its
/// stub is a table's.
fn stub_kind(keyword: RelationKeyword) -> RelationKind {
    match keyword {
        RelationKeyword::Table | RelationKeyword::View | RelationKeyword::MaterializedView => RelationKind::Table,
        RelationKeyword::ForeignTable => RelationKind::ForeignTable,
        RelationKeyword::Sequence => RelationKind::Sequence(super::sequence::plain_sequence()),
        RelationKeyword::Index => RelationKind::Index(super::index::unseen()),
    }
}
