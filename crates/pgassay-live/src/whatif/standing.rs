//! What a statement needs of the session that plans it besides its text: a role, and settings that the application makes.
//!
//! Policies of row security bind the role that runs a statement, and not the one that plans it here. They often ask for a setting of the application's
//! own (`current_setting('app.tenant')`), which the planner reads to guess how many rows pass: where the server does not know it, something stands in
//! for it that no column is likely to hold.

use std::collections::BTreeMap;

/// Stands for a setting that is not known: text that is a number too, and rare.
const STAND_IN: u32 = 987_654_321;
/// How often a setting's value is changed for the sake of its type.
const CHANGES: usize = 2;

/// The role and the settings of a statement's sessions.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Standing {
    /// The role that runs the statement, if policies bind it.
    role: Option<String>,
    /// It is planned as that role: it reads a table that has policies.
    acts: bool,
    /// Values of settings by name, and how often each was changed.
    settings: BTreeMap<String, (String, usize)>,
}

impl Standing {
    pub fn of(role: Option<String>) -> Standing {
        Standing { role, ..Standing::default() }
    }

    pub fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// The role that it is planned as.
    pub fn acting(&self) -> Option<&str> {
        self.role.as_deref().filter(|_| self.acts)
    }

    /// Plans as the role from now on. False if it did already, or there is none.
    pub fn act(&mut self) -> bool {
        let new = self.role.is_some() && !self.acts;
        self.acts |= new;
        new
    }

    /// The role may not plan it here: it is planned as before. False if it was no role's plan.
    pub fn step_back(&mut self) -> bool {
        let acted = self.acting().is_some();
        if acted {
            *self = Standing { settings: std::mem::take(&mut self.settings), ..Standing::default() };
        }
        acted
    }

    pub fn settings(&self) -> Vec<(String, String)> {
        self.settings.iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect()
    }

    /// Takes over settings that other statements missed.
    pub fn adopt(&mut self, settings: &BTreeMap<String, String>) {
        for (name, value) in settings {
            self.settings.entry(name.clone()).or_insert_with(|| (value.clone(), 0));
        }
    }

    /// Makes the setting that the server missed, or gives it a value of the type that it is cast to. False if the refusal is about something else.
    pub fn repair(&mut self, code: &str, message: &str) -> bool {
        if code == "42704"
            && let Some(name) = between(message, "unrecognized configuration parameter \"", "\"")
        {
            let value = (STAND_IN - self.settings.len() as u32).to_string();
            return self.settings.insert(name.to_owned(), (value, 0)).is_none();
        }
        // invalid_text_representation, numeric_value_out_of_range, invalid_datetime_format
        if !matches!(code, "22P02" | "22003" | "22007") {
            return false;
        }
        let Some(value) = stand_in(message) else { return false };
        let named = |held: &String| message.contains(&format!("\"{held}\""));
        for (held, changes) in self.settings.values_mut().filter(|(held, _)| named(held)) {
            if *changes < CHANGES && *held != value {
                *changes += 1;
                *held = value;
                return true;
            }
        }
        false
    }
}

/// A value of the type that the server could not read ours as.
fn stand_in(message: &str) -> Option<String> {
    let named = between(message, "for type ", ":");
    let data_type = named.or_else(|| message.rsplit_once("for type ").map(|(_, rest)| rest))?;
    let value = match data_type {
        "uuid" => "98765432-1098-4765-8321-098765432109",
        "boolean" => "true",
        "json" | "jsonb" => "{}",
        "inet" | "cidr" => "192.0.2.1",
        it if it.starts_with("timestamp") || it == "date" => "1999-12-31",
        it if it.ends_with("[]") => "{}",
        _ => "1",
    };
    Some(value.to_owned())
}

fn between<'m>(text: &'m str, start: &str, end: &str) -> Option<&'m str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_is_missed_stands_for_something_rare_of_its_type() {
        let mut standing = Standing::default();
        assert!(standing.repair("42704", "unrecognized configuration parameter \"app.tenant\""));
        assert!(standing.repair("42704", "unrecognized configuration parameter \"app.person\""));
        assert_eq!(standing.settings()[0].1, "987654320");
        assert!(standing.repair("22P02", "invalid input syntax for type uuid: \"987654320\""));
        assert!(!standing.repair("22P02", "invalid input syntax for type uuid: \"abc\""), "not ours");
        assert_eq!(
            standing.settings()[0],
            ("app.person".to_owned(), "98765432-1098-4765-8321-098765432109".to_owned())
        );
        assert_eq!(standing.settings()[1], ("app.tenant".to_owned(), "987654321".to_owned()));
        assert!(standing.repair("22003", "value \"987654321\" is out of range for type smallint"));
        assert!(!standing.repair("42704", "unrecognized configuration parameter \"app.tenant\""), "it is there");
        assert!(!standing.repair("42704", "type \"app\" does not exist"));
    }

    #[test]
    fn a_role_that_may_not_plan_is_let_go() {
        let mut standing = Standing::of(Some("app".to_owned()));
        assert_eq!((standing.act(), standing.acting()), (true, Some("app")));
        assert!(!standing.act() && standing.step_back() && !standing.step_back() && !standing.act());
    }
}
