//! Attributes of composite types, and what names them: `(home).zip` in a view, a CHECK, an index, a policy.
//!
//! The server keeps a dependency on the attribute for each (`find_expr_references_walker`, dependency.c, of a FieldSelect): it is not
//! dropped while something needs it, and its type stays while a view reads it.

use super::{Applier, ProblemKind};
use crate::change::{AttributeAction, Expression, Ident, IndexTarget, Name, PrintedName};
use crate::expression::{self, QueryAnalysis};
use crate::schema::{ColumnType, ConstraintKind, Object, Relation, RelationId, TypeDefinition, TypeId};

impl Applier<'_> {
    pub(super) fn alter_attribute(&mut self, id: TypeId, action: &AttributeAction, cascade: bool) {
        let Some(found) = self.schema.types.get(&id).cloned() else { return };
        let TypeDefinition::Composite(attributes) = &found.definition else { return };
        let mut attributes = attributes.clone();
        let path = |attribute: &Ident| PrintedName::part(&found.name, &attribute.name);
        let at = |attribute: &Ident| attributes.iter().position(|(name, _)| *name == attribute.name);
        match action {
            AttributeAction::Add { attribute, data_type } => {
                if at(attribute).is_some() {
                    let message = format!(
                        "column \"{}\" of relation \"{}\" already exists",
                        attribute.name.as_str(),
                        found.name.name.as_str()
                    );
                    return self.problem(ProblemKind::Duplicate, attribute.span, path(attribute), message);
                }
                let data_type = self.column_type(data_type);
                attributes.push((attribute.name.clone(), data_type));
            }
            AttributeAction::Drop { attribute, if_exists } => match at(attribute) {
                Some(_) if !self.drop_what_names(id, attribute, cascade) => return,
                Some(at) => _ = attributes.remove(at),
                None if *if_exists => {}
                None => return self.missing_attribute(path(attribute), attribute),
            },
            AttributeAction::SetDataType { attribute, data_type } => {
                let Some(at) = at(attribute) else { return self.missing_attribute(path(attribute), attribute) };
                if self.is_read_by_view(id, attribute) {
                    return;
                }
                attributes[at].1 = self.column_type(data_type);
            }
            AttributeAction::Rename { attribute, new_name } => {
                let Some(at) = at(attribute) else { return self.missing_attribute(path(attribute), attribute) };
                attributes[at].0 = new_name.name.clone();
            }
        }
        self.set_attributes(id, attributes);
    }

    fn set_attributes(&mut self, id: TypeId, attributes: Vec<(Name, ColumnType)>) {
        if let Some(found) = self.schema.edit_type(id) {
            found.definition = TypeDefinition::Composite(attributes);
        }
    }

    fn missing_attribute(&mut self, path: PrintedName, attribute: &Ident) {
        let message = format!("column \"{}\" does not exist", attribute.name.as_str());
        self.problem(ProblemKind::Missing, attribute.span, path, message);
    }

    /// Takes along what names an attribute, or says that it is in the way: false, and the attribute stays.
    fn drop_what_names(&mut self, id: TypeId, attribute: &Ident, cascade: bool) -> bool {
        let users = self.naming(id, &attribute.name);
        let Some(first) = users.first().filter(|_| !cascade) else {
            let named: Vec<_> = users.into_iter().map(|object| (object, attribute.span)).collect();
            self.take(&named);
            return true;
        };
        let column = self.attribute_name(id, &attribute.name);
        let needs = self.schema.describe(first, self.session);
        let message = format!("cannot drop {column} because other objects depend on it: {needs} depends on {column}");
        self.problem(ProblemKind::Dependent, attribute.span, &attribute.name, message);
        false
    }

    fn is_read_by_view(&mut self, id: TypeId, attribute: &Ident) -> bool {
        let is_view = |object: &Object| match object {
            Object::Relation(id) => self.schema.relation(*id).is_some_and(|it| it.as_view().is_some()),
            _ => false,
        };
        let Some(view) = self.naming(id, &attribute.name).into_iter().find(is_view) else { return false };
        let message = format!(
            "cannot alter type of a column used by a view or rule: {} depends on column \"{}\"",
            self.schema.describe(&view, self.session),
            attribute.name.as_str()
        );
        self.problem(ProblemKind::Dependent, attribute.span, &attribute.name, message);
        true
    }

    /// `column zip of composite type addr`, as messages say it.
    fn attribute_name(&self, id: TypeId, attribute: &Name) -> String {
        let of = self.schema.describe(&Object::Type(id), self.session);
        format!("column {attribute} of composite {of}")
    }

    /// What names an attribute of a type.
    fn naming(&self, id: TypeId, attribute: &Name) -> Vec<Object> {
        let names = |analysis: &QueryAnalysis| analysis.attributes.iter().any(|(of, it)| *of == id && it == attribute);
        let mut found = Vec::new();
        for relation in self.schema.relations.values() {
            let of = relation.as_index().map_or(relation.id, |index| index.table);
            let scope = self.scope(self.schema.relation(of).map(|it| &**it));
            let expression = |it: &Expression| names(&expression::analyze_expression(&it.tree, scope));
            if let Some(view) = relation.as_view()
                && names(&expression::analyze_query(&view.query.tree, self.scope(None)))
            {
                found.push(Object::Relation(relation.id));
            }
            parts_naming(relation, &expression, &mut found);
        }
        found
    }
}

/// The parts of a relation that an expression of theirs speaks for.
fn parts_naming(relation: &Relation, names: &impl Fn(&Expression) -> bool, found: &mut Vec<Object>) {
    let id: RelationId = relation.id;
    for column in relation.columns.iter().filter(|_| relation.is_table()) {
        if column.generated.as_ref().is_some_and(|it| names(&it.expression)) {
            found.push(Object::Column(id, column.id));
        } else if column.default.as_ref().is_some_and(names) {
            found.push(Object::Default(id, column.id));
        }
    }
    for constraint in &relation.constraints {
        if matches!(&constraint.kind, ConstraintKind::Check { expression, .. } if names(expression)) {
            found.push(Object::Constraint(id, constraint.name.clone()));
        }
    }
    for policy in &relation.policies {
        if policy.using.iter().chain(&policy.with_check).any(names) {
            found.push(Object::Policy(id, policy.name.clone()));
        }
    }
    if let Some(index) = relation.as_index().filter(|it| it.constraint.is_none()) {
        let elements = index.elements.iter().filter_map(|element| match &element.target {
            IndexTarget::Expression(expression) => Some(expression),
            IndexTarget::Column(_) => None,
        });
        if elements.chain(&index.predicate).any(names) {
            found.push(Object::Relation(id));
        }
    }
}
