//! Enums, composite types, ranges and base types.

use super::resolve::plain;
use super::{Applier, ObjectId, ProblemKind};
use crate::change::{
    self, AlterCompositeType, AlterEnum, AlterEnumAction, AttributeAction, CreateType, EnumPosition, ObjectName,
    PrintedName, QualifiedName,
};
use crate::schema::{Column, Object, RelationId, ResolvedType, Schema, Type, TypeDefinition, TypeId};

impl Applier<'_> {
    pub(super) fn create_type(&mut self, create: &CreateType) {
        let name = self.new_name(&create.name);
        let shell = self.schema.type_at(&name).filter(|it| it.definition == TypeDefinition::Shell).map(|it| it.id);
        let completes =
            matches!(create.definition, change::TypeDefinition::Base | change::TypeDefinition::Range { .. });
        if let Some(id) = shell.filter(|_| completes) {
            let definition = self.type_definition(&create.definition);
            if let Some(found) = self.schema.edit_type(id) {
                found.definition = definition;
            }
            return;
        }
        if !self.free_for_type(&name, create.name.span) {
            return;
        }
        let definition = self.type_definition(&create.definition);
        if let TypeDefinition::Composite(_) = definition
            && !self.free_for_relation(&name, false, create.name.span)
        {
            return;
        }
        self.insert_type(name, definition);
    }

    pub(super) fn insert_type(&mut self, name: QualifiedName, definition: TypeDefinition) -> TypeId {
        let id = TypeId(self.schema.next_id());
        let owner = self.session.role.clone();
        let made = Type {
            id,
            name,
            definition,
            known: true,
            owner,
            privileges: crate::schema::List::default(),
            comment: None,
        };
        self.schema.insert_type(made);
        self.link_type(id);
        self.applied.created.push(ObjectId::Type(id));
        id
    }

    /// Keeps the edges from a type to the types it is made of.
    pub(super) fn link_type(&mut self, id: TypeId) {
        let Some(found) = self.schema.types.get(&id).cloned() else { return };
        let mut targets = Vec::new();
        match &found.definition {
            TypeDefinition::Composite(attributes) => {
                targets.extend(attributes.iter().filter_map(|(_, data_type)| Schema::type_target(data_type)));
            }
            TypeDefinition::Domain(domain) => {
                targets.extend(Schema::type_target(&domain.base));
                let checks = domain.constraints.iter().map(|it| &it.expression);
                targets.extend(checks.chain(&domain.default).flat_map(|it| self.expression_targets(None, it)));
            }
            TypeDefinition::Range { subtype: Some(subtype) } => {
                targets.extend(Schema::type_target(&self.resolve_type(subtype)));
            }
            TypeDefinition::Range { .. } | TypeDefinition::Enum(_) | TypeDefinition::Base | TypeDefinition::Shell => {}
        }
        self.schema.dependencies.set(Object::Type(id), targets);
    }

    fn type_definition(&mut self, definition: &change::TypeDefinition) -> TypeDefinition {
        match definition {
            change::TypeDefinition::Enum(labels) => {
                TypeDefinition::Enum(labels.iter().map(|(label, _)| label.clone()).collect())
            }
            change::TypeDefinition::Composite(attributes) => TypeDefinition::Composite(
                attributes.iter().map(|(name, written)| (name.name.clone(), self.column_type(written))).collect(),
            ),
            change::TypeDefinition::Range { subtype, .. } => TypeDefinition::Range { subtype: subtype.clone() },
            change::TypeDefinition::Base => TypeDefinition::Base,
            change::TypeDefinition::Shell => TypeDefinition::Shell,
        }
    }

    /// A type that a statement changes.
    pub(super) fn type_named(&mut self, name: &ObjectName) -> Option<TypeId> {
        if let Some(found) = self.schema.find_type(&name.schema, &name.name, self.session) {
            return Some(found.id);
        }
        let resolved = self.resolve_type(&change::TypeName::named(name)).resolved;
        if resolved == ResolvedType::Unknown && !self.opaque_extension() {
            self.missing_type(name.span, name, &plain(name));
        }
        None
    }

    pub(super) fn alter_enum(&mut self, alter: &AlterEnum) {
        let Some(id) = self.type_named(&alter.name) else { return };
        let Some(found) = self.schema.types.get(&id) else { return };
        let TypeDefinition::Enum(labels) = &found.definition else {
            let message = format!("{} is not an enum", alter.name);
            return self.invalid(alter.name.span, &alter.name, message);
        };
        let mut labels = labels.clone();
        let known = found.known;
        let object = PrintedName::from(&found.name);
        match &alter.action {
            AlterEnumAction::AddValue { value, if_not_exists, neighbour } => {
                if labels.contains(value) {
                    if !if_not_exists {
                        let message = format!("enum label \"{value}\" already exists");
                        self.problem(ProblemKind::Duplicate, alter.span, object, message);
                    }
                    return;
                }
                let mut at = labels.len();
                if let Some((neighbour, position)) = neighbour {
                    match labels.iter().position(|label| label == neighbour) {
                        Some(found) => at = found + usize::from(*position == EnumPosition::After),
                        None if !known => {}
                        None => {
                            let message = format!("\"{neighbour}\" is not an existing enum label");
                            return self.problem(ProblemKind::Missing, alter.span, object, message);
                        }
                    }
                }
                labels.insert(at, value.clone());
            }
            AlterEnumAction::RenameValue { from, to } => {
                let at = labels.iter().position(|label| label == from);
                if at.is_none() && !known {
                    labels.push(from.clone());
                }
                let Some(at) = at.or((!known).then(|| labels.len() - 1)) else {
                    let message = format!("\"{from}\" is not an existing enum label");
                    return self.problem(ProblemKind::Missing, alter.span, object, message);
                };
                if labels.contains(to) {
                    let message = format!("enum label \"{to}\" already exists");
                    return self.problem(ProblemKind::Duplicate, alter.span, object, message);
                }
                labels[at] = to.clone();
            }
        }
        if let Some(found) = self.schema.edit_type(id) {
            found.definition = TypeDefinition::Enum(labels);
        }
    }

    pub(super) fn alter_composite_type(&mut self, alter: &AlterCompositeType) {
        let Some(id) = self.type_named(&alter.name) else { return };
        let typed: Vec<RelationId> =
            self.schema.relations.values().filter(|it| it.of_type == Some(id)).map(|it| it.id).collect();
        // Without CASCADE the server refuses (find_typed_table_dependencies, tablecmds.c).
        if !typed.is_empty() && !alter.cascade {
            return;
        }
        for (action, _) in &alter.actions {
            self.alter_attribute(id, action, alter.cascade);
            typed.iter().for_each(|table| self.alter_typed_table(*table, action));
        }
        self.link_type(id);
    }

    /// What a typed table takes over from its type.
    fn alter_typed_table(&mut self, table: RelationId, action: &AttributeAction) {
        match action {
            AttributeAction::Add { attribute, data_type } => {
                let column = Column::new(attribute.name.clone(), self.column_type(data_type));
                if self.column_id(table, &attribute.name).is_none()
                    && let Some(column) = self.schema.edit(table).map(|relation| relation.push_column(column))
                {
                    self.schema.link_column(table, column);
                }
            }
            AttributeAction::Drop { attribute, .. } => self.drop_column(table, attribute, true, true, false),
            AttributeAction::SetDataType { attribute, data_type } => {
                let data_type = self.column_type(data_type);
                let Some(column) = self.column_id(table, &attribute.name) else { return };
                if let Some(found) = self.schema.edit(table).and_then(|it| it.column_mut(column)) {
                    found.data_type = data_type;
                }
                self.schema.link_column(table, column);
            }
            AttributeAction::Rename { attribute, new_name } => {
                if self.column_id(table, &attribute.name).is_some() {
                    self.rename_column(table, attribute, new_name);
                }
            }
        }
    }
}
