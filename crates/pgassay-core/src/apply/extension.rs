//! Extensions.

use super::Applier;
use crate::change::{AlterExtension, AlterExtensionAction, CreateExtension, Drop, ObjectReference};
use crate::schema::Extension;

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

    /// What depends on an extension's types and functions is not followed.
    pub(super) fn drop_extension(&mut self, drop: &Drop, reference: &ObjectReference) {
        let name = &reference.name.name;
        let existed = self.schema.extensions.remove(name).is_some();
        if !existed && !drop.if_exists && *name != "plpgsql" {
            self.missing(reference.span, name, format!("extension \"{}\" does not exist", name.as_str()));
        }
    }
}
