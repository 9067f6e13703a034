//! What CREATE EVENT TRIGGER may name (`CreateEventTrigger`, event_trigger.c).

use super::super::predictor::Predictor;
use crate::change::{CreateEventTrigger, Event};

/// Commands that fire no event triggers, as tags that a WHEN could name.
const NOT_SUPPORTED: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "MERGE",
    "TRUNCATE TABLE",
    "LOCK TABLE",
    "COPY",
    "VACUUM",
    "ANALYZE",
    "CLUSTER",
    "DO",
    "CALL",
    "SET",
    "RESET",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "CREATE DATABASE",
    "ALTER DATABASE",
    "DROP DATABASE",
    "CREATE ROLE",
    "ALTER ROLE",
    "DROP ROLE",
    "GRANT ROLE",
    "REVOKE ROLE",
    "CREATE TABLESPACE",
    "ALTER TABLESPACE",
    "DROP TABLESPACE",
    "CREATE EVENT TRIGGER",
    "ALTER EVENT TRIGGER",
    "DROP EVENT TRIGGER",
];

/// Commands that may rewrite a table, as events count it.
const REWRITES: &[&str] = &["ALTER MATERIALIZED VIEW", "ALTER TABLE", "ALTER TYPE"];

impl Predictor<'_> {
    pub(super) fn refuse_event_trigger(&mut self, create: &CreateEventTrigger) {
        let name = &create.name;
        let Some(event) = Event::of(&create.event.name, self.context.version) else {
            let message = format!("unrecognized event name \"{}\"", create.event.name.as_str());
            return self.refused(create.event.span, &create.event.name, message);
        };
        if event == Event::Login && !create.tags.is_empty() {
            let message = "tag filtering is not supported for login event triggers";
            return self.refused(name.span, &name.name, message);
        }
        let reindex = !self.at_least(17);
        let refused = create.tags.iter().find(|tag| match event {
            Event::TableRewrite => !REWRITES.contains(&&***tag),
            Event::Login | Event::CommandStart | Event::CommandEnd | Event::SqlDrop => {
                NOT_SUPPORTED.contains(&&***tag) || reindex && ***tag == *"REINDEX"
            }
        });
        if let Some(tag) = refused {
            return self.refused(name.span, &name.name, format!("event triggers are not supported for {tag}"));
        }
        let function = &create.function;
        let found: Vec<_> = self.schema().find_routines(function, self.context.session).cloned().collect();
        if let [only] = &found[..]
            && only.returns.as_ref().is_none_or(|of| of.name != "event_trigger")
        {
            let message = format!("function {} must return type event_trigger", function.name.as_str());
            self.refused(function.span, function, message);
        }
    }
}
