//! New names and schemas for relations, columns and constraints, followed in everything that holds the old one.

use super::{Applier, ProblemKind};
use crate::change::{Expression, Ident, IndexElement, IndexTarget, Name, QualifiedName, TriggerEvent};
use crate::schema::{
    ColumnId, Constraint, ConstraintKind, Index, Object, ObjectId, Relation, RelationId, RelationKind, rewrite,
};

impl Applier<'_> {
    pub(super) fn rename_relation(&mut self, id: RelationId, new_name: &Ident) {
        let old = self.full_name(id);
        let at = QualifiedName { schema: old.schema.clone(), name: new_name.name.clone() };
        if !self.free_for_relation(&at, false, new_name.span) {
            return;
        }
        let owner = self.schema.constraint_of_index(id).map(|(table, constraint)| (table, constraint.name.clone()));
        self.move_relation(id, at);
        if let Some((table, constraint)) = owner {
            self.schema.rename_constraint(table, &constraint, &new_name.name);
            self.name_index_constraint(id, &new_name.name);
        }
    }

    /// Moves a relation, and the defaults that name it when it is a sequence.
    pub(super) fn move_relation(&mut self, id: RelationId, name: QualifiedName) {
        self.schema.move_relation(id, name.clone());
        let defaults = self.schema.dependencies.on(ObjectId::Relation(id)).filter_map(|object| match object {
            Object::Default(table, column) => Some((*table, *column)),
            _ => None,
        });
        for (table, column) in defaults.collect::<Vec<_>>() {
            if let Some(column) = self.schema.edit(table).and_then(|it| it.column_mut(column))
                && let Some(default) = &column.default
                && rewrite::is_nextval(&default.tree)
            {
                column.default = Some(rewrite::nextval(&name, default.span));
            }
        }
    }

    fn name_index_constraint(&mut self, index: RelationId, name: &Name) {
        if let Some(RelationKind::Index(index)) = self.schema.edit(index).map(|it| &mut it.kind) {
            index.constraint = Some(name.clone());
        }
    }

    pub(super) fn rename_constraint(&mut self, id: RelationId, constraint: &Ident, new_name: &Ident) {
        if !self.has_constraint(id, constraint, false) {
            return;
        }
        let Some(found) = self.schema.relation(id).and_then(|it| it.constraint(&constraint.name)).cloned() else {
            return;
        };
        if self.schema.relation(id).is_some_and(|it| it.constraint(&new_name.name).is_some()) {
            let table = self.short_name(id);
            let message = format!("constraint \"{}\" for relation \"{table}\" already exists", new_name.name.as_str());
            return self.problem(ProblemKind::Duplicate, new_name.span, self.column_path(id, &new_name.name), message);
        }
        if let Some(index) = found.kind.index() {
            let at = QualifiedName { schema: self.full_name(id).schema, name: new_name.name.clone() };
            if !self.free_for_relation(&at, false, new_name.span) {
                return;
            }
            self.schema.move_relation(index, at);
            self.name_index_constraint(index, &new_name.name);
        }
        self.schema.rename_constraint(id, &constraint.name, &new_name.name);
        if matches!(found.kind, ConstraintKind::Check { .. } | ConstraintKind::NotNull(_)) && !found.no_inherit {
            for child in self.schema.children_closure(id) {
                self.schema.rename_constraint(child, &constraint.name, &new_name.name);
            }
        }
    }

    pub(super) fn rename_column(&mut self, id: RelationId, column: &Ident, new_name: &Ident) {
        let Some(column_id) = self.column(id, column) else { return };
        if self.column_id(id, &new_name.name).is_some() {
            let table = self.short_name(id);
            let message = format!("column \"{}\" of relation \"{table}\" already exists", new_name.name.as_str());
            return self.problem(ProblemKind::Duplicate, new_name.span, self.column_path(id, &new_name.name), message);
        }
        let inherited =
            self.schema.relation(id).and_then(|it| it.column_by_id(column_id)).is_some_and(|it| it.inherited > 0);
        if inherited {
            let message = format!("cannot rename inherited column \"{}\"", column.name.as_str());
            self.invalid(column.span, self.column_path(id, &column.name), message);
        }
        let mut targets = vec![(id, column_id)];
        targets.extend(self.column_below(id, column_id));
        for (table, column_id) in targets {
            self.rename_one_column(table, column_id, &column.name, &new_name.name);
        }
    }

    fn rename_one_column(&mut self, table: RelationId, id: ColumnId, old: &Name, new: &Name) {
        let indexes: Vec<RelationId> = self.schema.indexes_of(table).map(|index| index.id).collect();
        let Some(relation) = self.schema.edit(table) else { return };
        if let Some(column) = relation.column_mut(id) {
            column.name = new.clone();
        }
        rename_in_relation(relation, id, old, new);
        for index in indexes {
            let Some(relation) = self.schema.edit(index) else { continue };
            if let RelationKind::Index(index) = &mut relation.kind
                && index.uses_column(id)
            {
                rename_in_index(index, old, new);
            }
        }
    }

    pub(super) fn set_relation_schema(&mut self, id: RelationId, schema: &Ident) {
        if !self.namespace_exists(&schema.name) {
            self.missing(schema.span, schema, format!("schema \"{}\" does not exist", schema.name.as_str()));
        }
        let name = self.full_name(id);
        if name.schema == schema.name {
            return;
        }
        let at = QualifiedName { schema: schema.name.clone(), name: name.name.clone() };
        if self.schema.relation_name_taken(&at) {
            let message =
                format!("relation \"{}\" already exists in schema \"{}\"", name.name.as_str(), schema.name.as_str());
            return self.duplicate(schema.span, &at, message);
        }
        let mut moved = vec![id];
        moved.extend(self.schema.indexes_of(id).map(|index| index.id));
        moved.extend(self.schema.owned_sequences(id));
        for relation in moved {
            let name = QualifiedName { schema: schema.name.clone(), name: self.full_name(relation).name };
            self.move_relation(relation, name);
        }
    }
}

fn rename_in(expression: &mut Expression, old: &Name, new: &Name) {
    *expression = rewrite::rename_column(expression, old, new);
}

fn rename_in_relation(relation: &mut Relation, id: ColumnId, old: &Name, new: &Name) {
    let names_it = |constraint: &Constraint| matches!(&constraint.kind, ConstraintKind::Check { columns, .. } if columns.contains(&id));
    relation.constraints.change(names_it, |constraint| {
        if let ConstraintKind::Check { expression, .. } = &mut constraint.kind {
            rename_in(expression, old, new);
        }
    });
    for generated in relation.columns.iter_mut().filter_map(|column| column.generated.as_mut()) {
        rename_in(&mut generated.expression, old, new);
    }
    relation.policies.change(
        |_| true,
        |policy| policy.using.iter_mut().chain(policy.with_check.iter_mut()).for_each(|it| rename_in(it, old, new)),
    );
    relation.triggers.change(
        |_| true,
        |trigger| {
            trigger.condition.iter_mut().for_each(|it| rename_in(it, old, new));
            for event in &mut trigger.events {
                if let TriggerEvent::Update(columns) = event {
                    columns.iter_mut().filter(|it| it.name == *old).for_each(|it| it.name = new.clone());
                }
            }
        },
    );
    if let RelationKind::PartitionedTable(key) = &mut relation.kind {
        key.elements.iter_mut().for_each(|it| rename_in_element(it, old, new));
    }
}

fn rename_in_index(index: &mut Index, old: &Name, new: &Name) {
    index.elements.iter_mut().for_each(|it| rename_in_element(it, old, new));
    index.predicate.iter_mut().for_each(|it| rename_in(it, old, new));
}

fn rename_in_element(element: &mut IndexElement, old: &Name, new: &Name) {
    match &mut element.target {
        IndexTarget::Column(column) if column.name == *old => column.name = new.clone(),
        IndexTarget::Column(_) => {}
        IndexTarget::Expression(expression) => rename_in(expression, old, new),
    }
}
