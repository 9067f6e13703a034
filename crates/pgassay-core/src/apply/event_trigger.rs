//! Event triggers.

use std::sync::Arc;

use super::{Applier, ProblemKind};
use crate::change::{
    AlterObject, AlterObjectAction, BORN, CreateEventTrigger, Drop, Event, Ident, ObjectKind, ObjectReference,
};
use crate::schema::{EventTrigger, Object, ObjectId};

impl Applier<'_> {
    pub(super) fn create_event_trigger(&mut self, create: &CreateEventTrigger) {
        let functions = self.find_routines(&create.function);
        if functions.is_empty() && !self.is_foreign_routine(&create.function) {
            let name = super::resolve::plain(&create.function);
            self.missing(create.function.span, &create.function, format!("function {name}() does not exist"));
        }
        let name = &create.name;
        if self.schema.event_triggers.contains_key(&name.name) {
            return self.event_trigger_exists(name);
        }
        // An event that the version does not have is refused.
        let Some(event) = Event::of(&create.event.name, self.version) else { return };
        let function = functions.iter().copied().find(|id| self.takes(*id, &[], true)).or(functions.first().copied());
        let tags = Arc::from(create.tags.clone());
        self.schema.event_triggers.insert(name.name.clone(), EventTrigger { event, tags, function, mode: BORN });
        let targets = function.map(ObjectId::Routine).into_iter().collect();
        self.schema.dependencies.set(Object::EventTrigger(name.name.clone()), targets);
    }

    fn event_trigger_exists(&mut self, name: &Ident) {
        let message = format!("event trigger \"{}\" already exists", name.name.as_str());
        self.problem(ProblemKind::Duplicate, name.span, &name.name, message);
    }

    #[deny(clippy::wildcard_enum_match_arm, reason = "a new action says what it changes")]
    pub(super) fn alter_event_trigger(&mut self, alter: &AlterObject) {
        let name = &alter.object.name.name;
        let Some(found) = self.schema.event_triggers.get(name).cloned() else {
            return self.missing_object(ObjectKind::EventTrigger, &alter.object);
        };
        match &alter.action {
            AlterObjectAction::Fires(mode) => {
                self.schema.event_triggers.insert(name.clone(), EventTrigger { mode: *mode, ..found });
            }
            AlterObjectAction::Rename(new) if self.schema.event_triggers.contains_key(&new.name) => {
                self.event_trigger_exists(new);
            }
            AlterObjectAction::Rename(new) => {
                self.schema.event_triggers.remove(name);
                self.schema.event_triggers.insert(new.name.clone(), found);
                let renamed = Object::EventTrigger(new.name.clone());
                self.schema.dependencies.rename(&Object::EventTrigger(name.clone()), renamed);
            }
            // Who owns it decides nothing but who may alter it.
            AlterObjectAction::Owner(_)
            | AlterObjectAction::SetSchema(_)
            | AlterObjectAction::DependsOnExtension
            | AlterObjectAction::Options
            | AlterObjectAction::Setting { .. }
            | AlterObjectAction::OptionsOutsideTransaction
            | AlterObjectAction::MoveAll { .. } => {}
        }
    }

    pub(super) fn event_trigger_to_drop(&mut self, drop: &Drop, reference: &ObjectReference) -> Option<Object> {
        let name = &reference.name.name;
        if self.schema.event_triggers.contains_key(name) {
            return Some(Object::EventTrigger(name.clone()));
        }
        if !drop.if_exists {
            self.missing_object(drop.kind, reference);
        }
        None
    }
}
