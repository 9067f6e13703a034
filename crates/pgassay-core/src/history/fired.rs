//! Event triggers of the history: what a command of a migration fires.
//!
//! In: a statement that ran, and the schema it ran on. Out: the calls of the triggers' functions, with what they are told of the command.
//! What a function does itself fires none here: a trigger that did not tell its own commands apart would never end.

use super::replay::{Place, Replay};
use crate::change::{AlterTableActionKind, Change, Event, Name, ObjectKind};
use crate::effect::{Call, WorkKind};
use crate::schema::{Schema, Session};
use crate::sql::Parameter;
use crate::version::PgVersion;

impl Replay<'_, '_> {
    /// Runs the event triggers of a command.
    pub(super) fn fire_event_triggers(&mut self, change: &Change, index: usize, before: &Schema, place: Place) {
        if self.fires.is_some() || before.event_triggers.is_empty() {
            return;
        }
        let step = &self.steps[index];
        let rewrites = step.prediction.work.iter().any(|work| work.kind == WorkKind::Rewrite);
        let done = Done { drops: drops(change, !step.applied.dropped.is_empty()), rewrites };
        let (span, session) = (step.statement.span, step.session.clone());
        for (name, call) in calls(change, done, before, &session, self.version) {
            let block = place.block.unwrap_or(index);
            let dynamic = self.steps[block].dynamic.len();
            self.fires = Some(name.clone());
            self.calls(vec![call], index, span, place);
            self.fires = None;
            // Its code is the same for every command: what is not known of it is said once.
            if self.told.contains(&name) {
                self.steps[block].dynamic.truncate(dynamic);
            } else if self.steps[block].dynamic.len() > dynamic {
                self.told.push(name);
            }
        }
    }
}

/// What a command does, as far as events ask.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    /// It dropped something, itself or along with what it names.
    pub drops: bool,
    pub rewrites: bool,
}

/// The calls before and after a command, in the order of the server (`EventTriggerCommonSetup`, event_trigger.c).
pub(super) fn calls(
    change: &Change,
    done: Done,
    before: &Schema,
    session: &Session,
    version: PgVersion,
) -> Vec<(Name, Call)> {
    if before.event_triggers.is_empty() {
        return Vec::new();
    }
    let Some(tag) = change.event_tag(version) else { return Vec::new() };
    let happens = |event: Event| match event {
        Event::Login => false,
        Event::CommandStart | Event::CommandEnd => true,
        Event::SqlDrop => done.drops,
        Event::TableRewrite => done.rewrites,
    };
    const ORDER: [Event; 4] = [Event::CommandStart, Event::TableRewrite, Event::SqlDrop, Event::CommandEnd];
    let mut found = Vec::new();
    for event in ORDER.into_iter().filter(|event| happens(*event)) {
        for (name, trigger) in &before.event_triggers {
            let fires = trigger.event == event
                && trigger.mode.fires(session.replica_role)
                && (trigger.tags.is_empty() || trigger.tags.iter().any(|it| **it == *tag));
            if let Some(routine) = trigger.function.filter(|_| fires) {
                let told = [("tg_event", event.name()), ("tg_tag", tag.as_str())];
                let parameters =
                    told.map(|(name, value)| Parameter { name: Some(Name::new(name)), value: Some(value.into()) });
                found.push((name.clone(), Call { routine, parameters: parameters.into(), certain: true }));
            }
        }
    }
    found
}

/// Whether a command drops something; `found`: relations, types or routines went.
pub(super) fn drops(change: &Change, found: bool) -> bool {
    found
        || match change {
            // Parts of a table are not among what is counted.
            Change::Drop(drop) => matches!(drop.kind, ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy),
            Change::AlterTable(alter) => alter.actions.iter().any(|action| {
                let drops_column = matches!(action.kind, AlterTableActionKind::DropColumn { .. });
                drops_column || matches!(action.kind, AlterTableActionKind::DropConstraint { .. })
            }),
            _ => false,
        }
}
