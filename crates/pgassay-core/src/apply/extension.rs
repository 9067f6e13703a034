//! Extensions, and what depends on their members.

use super::{Applier, ProblemKind};
use crate::catalog::{self, ExtensionContents};
use crate::change::{
    AlterExtension, AlterExtensionAction, CreateExtension, Drop, Expression, IndexTarget, Name, ObjectReference,
    TypeName,
};
use crate::schema::{ColumnId, ConstraintKind, Extension, Object, Relation, RelationId};

impl Applier<'_> {
    pub(super) fn create_extension(&mut self, create: &CreateExtension) {
        let name = &create.name;
        if self.schema.extensions.contains_key(&name.name) {
            if !create.if_not_exists {
                self.duplicate(name.span, name, format!("extension \"{}\" already exists", name.name.as_str()));
            }
            return;
        }
        if let Some(schema) = &create.schema
            && !self.namespace_exists(&schema.name)
        {
            self.missing(schema.span, schema, format!("schema \"{}\" does not exist", schema.name.as_str()));
        }
        let written = create.schema.as_ref().map(|schema| schema.name.clone());
        let schema = written.unwrap_or_else(|| self.schema.creation_schema(self.session));
        self.schema.extensions.insert(name.name.clone(), Extension { schema });
    }

    pub(super) fn alter_extension(&mut self, alter: &AlterExtension) {
        let Some(extension) = self.schema.extensions.get_mut(&alter.name.name) else {
            // plpgsql is there from the start.
            if alter.name.name != "plpgsql" {
                let message = format!("extension \"{}\" does not exist", alter.name.name.as_str());
                self.missing(alter.name.span, &alter.name, message);
            }
            return;
        };
        if let AlterExtensionAction::SetSchema(schema) = &alter.action {
            extension.schema = schema.name.clone();
        }
    }

    /// DROP EXTENSION takes its members, and with CASCADE what depends on them: columns of its types first of all.
    pub(super) fn drop_extension(&mut self, drop: &Drop, reference: &ObjectReference) {
        let name = &reference.name.name;
        if !self.schema.extensions.contains_key(name) {
            if !drop.if_exists && *name != "plpgsql" {
                self.missing(reference.span, name, format!("extension \"{}\" does not exist", name.as_str()));
            }
            return;
        }
        let dependents = catalog::extension(name.as_str()).map(|it| self.dependents_of_members(it)).unwrap_or_default();
        if !drop.cascade
            && let Some(first) = dependents.first()
        {
            let what = self.schema.describe(first, self.session);
            let name = name.as_str();
            let message = format!(
                "cannot drop extension {name} because other objects depend on it: {what} depends on extension {name}"
            );
            return self.problem(ProblemKind::Dependent, reference.span, name, message);
        }
        let named: Vec<_> = dependents.into_iter().map(|object| (object, reference.span)).collect();
        self.take(&named);
        self.schema.extensions.remove(name);
    }

    /// Columns, defaults, constraints, indexes and routines that need a type, a function or an operator class of the extension.
    fn dependents_of_members(&self, contents: &ExtensionContents) -> Vec<Object> {
        let mut found = Vec::new();
        for relation in self.schema.relations.values() {
            self.dependents_in(relation, contents, &mut found);
        }
        for routine in self.schema.routines.values() {
            let types = routine.arguments.iter().map(|it| &it.data_type).chain(&routine.returns);
            let typed = types.chain(routine.returns_table.iter().map(|(_, of)| of)).any(|of| has_type(contents, of));
            if typed {
                found.push(Object::Routine(routine.id));
            }
        }
        found
    }

    #[deny(clippy::wildcard_enum_match_arm, reason = "a new constraint says what it does")]
    fn dependents_in(&self, relation: &Relation, contents: &ExtensionContents, found: &mut Vec<Object>) {
        for column in relation.columns.iter().filter(|_| relation.is_table()) {
            let calls = |it: &Expression| calls(contents, it);
            if has_type(contents, &column.data_type.written)
                || column.generated.as_ref().is_some_and(|it| calls(&it.expression))
            {
                found.push(Object::Column(relation.id, column.id));
            } else if column.default.as_ref().is_some_and(calls) {
                found.push(Object::Default(relation.id, column.id));
            }
        }
        for constraint in &relation.constraints {
            match &constraint.kind {
                ConstraintKind::Check { expression, .. } if calls(contents, expression) => {
                    found.push(Object::Constraint(relation.id, constraint.name.clone()));
                }
                ConstraintKind::Exclude { index } if self.index_needs(*index, contents) => {
                    found.push(Object::Constraint(relation.id, constraint.name.clone()));
                }
                ConstraintKind::Check { .. }
                | ConstraintKind::Exclude { .. }
                | ConstraintKind::NotNull(_)
                | ConstraintKind::Unique { .. }
                | ConstraintKind::PrimaryKey { .. }
                | ConstraintKind::ForeignKey(_) => {}
            }
        }
        if relation.as_view().is_some_and(|view| names_member(contents, &*view.query.tree)) {
            found.push(Object::Relation(relation.id));
        }
        for policy in &relation.policies {
            if policy.using.iter().chain(&policy.with_check).any(|it| calls(contents, it)) {
                found.push(Object::Policy(relation.id, policy.name.clone()));
            }
        }
        let of_constraint = relation.as_index().is_some_and(|it| it.constraint.is_some());
        if !of_constraint && self.index_needs(relation.id, contents) {
            found.push(Object::Relation(relation.id));
        }
    }

    fn index_needs(&self, id: RelationId, contents: &ExtensionContents) -> bool {
        let Some(index) = self.schema.relation(id).and_then(|it| it.as_index()) else { return false };
        let table = self.schema.relation(index.table);
        let method = index.method.as_str();
        let needs = |(element, column): (&crate::change::IndexElement, &Option<ColumnId>)| {
            if let Some(class) = &element.operator_class {
                return contents.has_operator_class(class.name.as_str());
            }
            let of = column.and_then(|id| table?.column_by_id(id)).map(|it| &it.data_type.written);
            let by_default = of.is_some_and(|of| {
                let stored = if of.array_dimensions > 0 {
                    format!("_{}", of.name.as_str())
                } else {
                    of.name.as_str().to_owned()
                };
                catalog::default_operator_class(method, &stored).is_none()
                    && contents.default_operator_class(method, &stored).is_some()
            });
            by_default || matches!(&element.target, IndexTarget::Expression(it) if calls(contents, it))
        };
        index.elements.iter().zip(&index.columns).any(needs)
            || index.predicate.as_ref().is_some_and(|it| calls(contents, it))
    }
}

fn has_type(contents: &ExtensionContents, of: &TypeName) -> bool {
    contents.type_named(of.name.as_str()).is_some() && catalog::built_in_type(of.name.as_str()).is_none()
}

fn calls(contents: &ExtensionContents, expression: &Expression) -> bool {
    names_member(contents, &*expression.tree)
}

/// Whether an expression or a query calls a function or an operator that only the extension has, or casts to one of its types.
fn names_member<V: sqlparser::ast::Visit>(contents: &ExtensionContents, tree: &V) -> bool {
    use crate::walk::visit_expressions;
    use sqlparser::ast::Expr;
    use std::ops::ControlFlow;
    let every = crate::version::PgVersion::all;
    visit_expressions(tree, |part| {
        let needs = match part {
            Expr::Function(function) => {
                let name = function.name.0.last().and_then(|part| part.as_ident()).map(Name::of_ident);
                name.is_some_and(|name| {
                    let own = !contents.functions_named(name.as_str()).is_empty();
                    own && every().all(|it| catalog::functions(name.as_str(), it).is_empty())
                })
            }
            Expr::BinaryOp { op, .. } => {
                let name = op.to_string();
                contents.operators.iter().any(|it| it.name == name)
                    && every().all(|it| catalog::operators(&name, it).next().is_none())
            }
            Expr::Cast { data_type, .. } => {
                crate::expression::type_name(data_type).is_some_and(|of| has_type(contents, &of))
            }
            _ => false,
        };
        if needs { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .is_break()
}
