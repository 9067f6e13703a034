//! ALTER … RENAME TO, SET SCHEMA and OWNER TO of what is no relation, COMMENT, and objects that are tracked by name only.

use std::sync::Arc;

use super::{Applier, ProblemKind};
use crate::change::{
    AlterObject, AlterObjectAction, Comment, CreateOther, Ident, Name, ObjectKind, ObjectReference, QualifiedName,
    RelationKeyword,
};
use crate::schema::{Object, RelationId};

impl Applier<'_> {
    pub(super) fn create_other(&mut self, create: &CreateOther) {
        let Some(name) = &create.name else { return };
        let key = (create.kind, Arc::from(name.to_string()));
        // Overloads of operators and aggregates share a name, roles and the like belong to the whole server.
        self.schema.others.insert(key);
    }

    #[deny(clippy::wildcard_enum_match_arm, reason = "a new kind of object says what it keeps")]
    pub(super) fn alter_object(&mut self, alter: &AlterObject) {
        use ObjectKind::*;
        match alter.kind {
            Type | Domain => self.alter_type_object(alter),
            Function | Procedure | Routine => self.alter_routine_object(alter),
            Trigger | Rule | Policy => self.rename_part(alter),
            Schema => self.alter_schema_object(alter),
            Table | ForeignTable | View | MaterializedView | Index | Sequence => self.alter_relation_object(alter),
            Statistics => self.alter_statistics_object(alter),
            Database | Role => {
                if let AlterObjectAction::Setting { parameter, value } = &alter.action {
                    self.start_sessions_with(alter, parameter.as_ref(), value.as_ref());
                }
                self.rename_other(alter);
            }
            EventTrigger => self.alter_event_trigger(alter),
            Publication => {
                if let AlterObjectAction::Rename(new) = &alter.action
                    && let Some(found) = self.schema.publications.remove(&alter.object.name.name)
                {
                    self.schema.publications.insert(new.name.clone(), found);
                }
            }
            AccessMethod
            | Aggregate
            | Cast
            | Collation
            | Column
            | Constraint
            | Conversion
            | Extension
            | ForeignDataWrapper
            | Language
            | LargeObject
            | Operator
            | OperatorClass
            | OperatorFamily
            | Parameter
            | Server
            | Subscription
            | Tablespace
            | TextSearchConfiguration
            | TextSearchDictionary
            | TextSearchParser
            | TextSearchTemplate
            | Transform
            | UserMapping => self.rename_other(alter),
        }
    }

    /// ALTER DATABASE … SET, which is taken to be about the database at hand, and ALTER ROLE … SET of who runs the migrations: other
    /// roles are those of clients.
    fn start_sessions_with(&mut self, alter: &AlterObject, parameter: Option<&Arc<str>>, value: Option<&Arc<str>>) {
        const ONES_OWN: &[&str] = &["current_user", "current_role", "session_user", "user", "all"];
        if alter.kind == ObjectKind::Role && !ONES_OWN.contains(&alter.object.name.name.as_str()) {
            return;
        }
        let settings = Arc::make_mut(&mut self.schema.session_settings);
        match parameter {
            Some(parameter) => settings.retain(|(other, _)| other != parameter),
            None => settings.clear(),
        }
        // FROM CURRENT takes what this session happens to have.
        if let (Some(parameter), Some(value)) = (parameter, value.filter(|value| &***value != "FROM CURRENT")) {
            settings.push((parameter.clone(), value.clone()));
        }
    }

    #[deny(clippy::wildcard_enum_match_arm, reason = "a new action says what it changes")]
    fn alter_relation_object(&mut self, alter: &AlterObject) {
        let Some(id) = self.relation(&alter.object.name, false) else { return };
        match &alter.action {
            AlterObjectAction::Rename(new) => self.rename_relation(id, new),
            AlterObjectAction::SetSchema(schema) => self.set_relation_schema(id, schema),
            AlterObjectAction::Owner(owner) => self.set_relation_owner(id, &owner.name),
            AlterObjectAction::DependsOnExtension
            | AlterObjectAction::Options
            | AlterObjectAction::Fires(_)
            | AlterObjectAction::Setting { .. }
            | AlterObjectAction::OptionsOutsideTransaction
            | AlterObjectAction::MoveAll { .. } => {}
        }
    }

    #[deny(clippy::wildcard_enum_match_arm, reason = "a new action says what it changes")]
    fn alter_type_object(&mut self, alter: &AlterObject) {
        let Some(id) = self.type_named(&alter.object.name) else { return };
        let Some(old) = self.schema.types.get(&id).map(|found| found.name.clone()) else { return };
        let found_at = old.clone();
        let new = match &alter.action {
            AlterObjectAction::Rename(new) => QualifiedName { schema: old.schema, name: new.name.clone() },
            AlterObjectAction::SetSchema(schema) => QualifiedName { schema: schema.name.clone(), name: old.name },
            AlterObjectAction::Owner(owner) => {
                if let Some(found) = self.schema.edit_type(id) {
                    found.owner = Some(owner.name.clone());
                }
                return;
            }
            AlterObjectAction::DependsOnExtension
            | AlterObjectAction::Options
            | AlterObjectAction::Fires(_)
            | AlterObjectAction::Setting { .. }
            | AlterObjectAction::OptionsOutsideTransaction
            | AlterObjectAction::MoveAll { .. } => return,
        };
        // SET SCHEMA to where it is does nothing (AlterTypeNamespaceInternal).
        let stays = matches!(alter.action, AlterObjectAction::SetSchema(_)) && new == found_at;
        if !stays && self.free_for_type(&new, alter.span) {
            self.schema.move_type(id, new);
        }
    }

    #[deny(clippy::wildcard_enum_match_arm, reason = "a new action says what it changes")]
    fn alter_routine_object(&mut self, alter: &AlterObject) {
        let Some(id) = self.routine_named(alter.kind, &alter.object) else { return };
        let Some(old) = self.schema.routines.get(&id).map(|routine| routine.name.clone()) else { return };
        match &alter.action {
            AlterObjectAction::Rename(new) => {
                self.schema.move_routine(id, QualifiedName { schema: old.schema, name: new.name.clone() });
            }
            AlterObjectAction::SetSchema(schema) => {
                self.schema.move_routine(id, QualifiedName { schema: schema.name.clone(), name: old.name });
            }
            AlterObjectAction::Owner(owner) => {
                if let Some(routine) = self.schema.edit_routine(id) {
                    routine.owner = Some(owner.name.clone());
                }
            }
            AlterObjectAction::DependsOnExtension
            | AlterObjectAction::Options
            | AlterObjectAction::Fires(_)
            | AlterObjectAction::Setting { .. }
            | AlterObjectAction::OptionsOutsideTransaction
            | AlterObjectAction::MoveAll { .. } => {}
        }
    }

    /// Triggers, rules and policies; a row trigger on its partitions too.
    fn rename_part(&mut self, alter: &AlterObject) {
        let AlterObjectAction::Rename(new) = &alter.action else { return };
        let Some(table) = self.on_table(&alter.object.on) else { return };
        let old = Ident { name: alter.object.name.name.clone(), span: alter.object.span };
        if alter.kind == ObjectKind::Trigger && !self.has_trigger(table, &old, false) {
            return;
        }
        let mut tables = vec![table];
        if alter.kind == ObjectKind::Trigger {
            tables.extend(self.partitions_below(table));
        }
        for table in tables {
            self.rename_part_of(table, alter.kind, &old.name, &new.name);
        }
    }

    fn rename_part_of(&mut self, table: RelationId, kind: ObjectKind, old: &Name, new: &Name) {
        let (Some(from), Some(to)) = (part_of(kind, table, old), part_of(kind, table, new)) else { return };
        self.edit_relation(table, |it| match kind {
            ObjectKind::Trigger => it.triggers.change(|it| it.name == *old, |it| it.name = new.clone()),
            ObjectKind::Rule => it.rules.change(|it| it.name == *old, |it| it.name = new.clone()),
            ObjectKind::Policy => it.policies.change(|it| it.name == *old, |it| it.name = new.clone()),
            _ => {}
        });
        self.schema.dependencies.rename(&from, to);
    }

    #[deny(clippy::wildcard_enum_match_arm, reason = "a new action says what it changes")]
    fn alter_schema_object(&mut self, alter: &AlterObject) {
        let name = &alter.object.name.name;
        if !self.namespace_exists(name) {
            let message = format!("schema \"{}\" does not exist", name.as_str());
            return self.missing(alter.object.span, name, message);
        }
        match &alter.action {
            AlterObjectAction::Rename(new) => self.rename_schema(name, new),
            AlterObjectAction::Owner(owner) => {
                if let Some(namespace) = self.schema.namespaces.get_mut(name) {
                    Arc::make_mut(namespace).owner = Some(owner.name.clone());
                }
            }
            AlterObjectAction::SetSchema(_)
            | AlterObjectAction::DependsOnExtension
            | AlterObjectAction::Options
            | AlterObjectAction::Fires(_)
            | AlterObjectAction::Setting { .. }
            | AlterObjectAction::OptionsOutsideTransaction
            | AlterObjectAction::MoveAll { .. } => {}
        }
    }

    #[deny(clippy::wildcard_enum_match_arm, reason = "a new action says what it changes")]
    fn alter_statistics_object(&mut self, alter: &AlterObject) {
        let old = self.schema.qualify(&alter.object.name, self.session);
        let new = match &alter.action {
            AlterObjectAction::Rename(new) => QualifiedName { schema: old.schema.clone(), name: new.name.clone() },
            AlterObjectAction::SetSchema(schema) => {
                QualifiedName { schema: schema.name.clone(), name: old.name.clone() }
            }
            AlterObjectAction::Owner(_)
            | AlterObjectAction::DependsOnExtension
            | AlterObjectAction::Options
            | AlterObjectAction::Fires(_)
            | AlterObjectAction::Setting { .. }
            | AlterObjectAction::OptionsOutsideTransaction
            | AlterObjectAction::MoveAll { .. } => return,
        };
        if let Some(found) = self.schema.statistics.remove(&old) {
            self.schema.statistics.insert(new, found);
        }
    }

    fn rename_other(&mut self, alter: &AlterObject) {
        let AlterObjectAction::Rename(new) = &alter.action else { return };
        let old = (alter.kind, Arc::from(alter.object.name.to_string()));
        if self.schema.others.remove(&old).is_some() {
            self.schema.others.insert((alter.kind, Arc::from(new.to_string())));
        }
    }

    pub(super) fn comment(&mut self, comment: &Comment) {
        use ObjectKind::*;
        let reference = &comment.object;
        match comment.kind {
            Column => self.comment_column(comment),
            Table | ForeignTable | View | MaterializedView | Index | Sequence => {
                let keyword = match comment.kind {
                    View => RelationKeyword::View,
                    MaterializedView => RelationKeyword::MaterializedView,
                    Sequence => RelationKeyword::Sequence,
                    ForeignTable => RelationKeyword::ForeignTable,
                    _ => RelationKeyword::Table,
                };
                if let Some(id) = self.relation(&reference.name, false)
                    && !self.is_of_another_kind(id, keyword, &reference.name)
                {
                    self.edit_relation(id, |it| it.comment = comment.text.clone());
                }
            }
            Constraint => self.comment_constraint(comment),
            Type | Domain => {
                if let Some(found) = self.type_named(&reference.name).and_then(|id| self.schema.edit_type(id)) {
                    found.comment = comment.text.clone();
                }
            }
            Function | Procedure | Routine => {
                let id = self.routine_named(comment.kind, reference);
                if let Some(routine) = id.and_then(|id| self.schema.edit_routine(id)) {
                    routine.comment = comment.text.clone();
                }
            }
            Schema => self.comment_schema(comment),
            Trigger => {
                if let Some(table) = self.on_table(&reference.on) {
                    let name = Ident { name: reference.name.name.clone(), span: reference.span };
                    self.has_trigger(table, &name, false);
                }
            }
            _ => {}
        }
    }

    fn comment_column(&mut self, comment: &Comment) {
        let Some(column) = &comment.column else { return };
        let table = comment.object.on.as_ref().unwrap_or(&comment.object.name);
        // A composite type has columns too.
        let composite = self.schema.find_relation(table, self.session).is_none()
            && self.schema.find_type(&table.schema, &table.name, self.session).is_some();
        if composite {
            return;
        }
        let Some(id) = self.relation(table, false) else { return };
        let Some(column) = self.column(id, column) else { return };
        if let Some(column) = self.schema.edit(id).and_then(|it| it.column_mut(column)) {
            column.comment = comment.text.clone();
        }
    }

    fn comment_constraint(&mut self, comment: &Comment) {
        let Some(on) = &comment.object.on else { return };
        // The constraint may be a domain's.
        if self.schema.find_relation(on, self.session).is_none()
            && self.schema.find_type(&on.schema, &on.name, self.session).is_some()
        {
            return;
        }
        let Some(table) = self.relation(on, false) else { return };
        let name = Ident { name: comment.object.name.name.clone(), span: comment.object.span };
        if self.has_constraint(table, &name, false)
            && let Some(constraint) = self.schema.edit(table).and_then(|it| it.constraint_mut(&name.name))
        {
            constraint.comment = comment.text.clone();
        }
    }

    fn comment_schema(&mut self, comment: &Comment) {
        let name = &comment.object.name.name;
        if !self.namespace_exists(name) {
            return self.missing_schema(&comment.object);
        }
        if let Some(namespace) = self.schema.namespaces.get_mut(name) {
            Arc::make_mut(namespace).comment = comment.text.clone();
        }
    }

    fn missing_schema(&mut self, reference: &ObjectReference) {
        let message = format!("schema \"{}\" does not exist", reference.name.name.as_str());
        self.problem(ProblemKind::Missing, reference.span, &reference.name, message);
    }
}

/// A trigger, rule or policy of a table.
pub(super) fn part_of(kind: ObjectKind, table: RelationId, name: &Name) -> Option<Object> {
    match kind {
        ObjectKind::Trigger => Some(Object::Trigger(table, name.clone())),
        ObjectKind::Rule => Some(Object::Rule(table, name.clone())),
        ObjectKind::Policy => Some(Object::Policy(table, name.clone())),
        _ => None,
    }
}
