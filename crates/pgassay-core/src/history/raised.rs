//! Which EXCEPTION clause takes an error (manual, appendix A): the SQLSTATE of what the model says is refused.
//!
//! In: the server's message, as the model words it. Out: the condition's name and state, where the message is that of one condition only.

use crate::change::Handler;

/// A condition as handlers name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Raised {
    name: &'static str,
    state: &'static str,
}

/// Messages by how they begin and end, with their condition. The first that fits counts.
const MESSAGES: &[(&str, &str, Raised)] = &[
    ("column ", " already exists", of("duplicate_column", "42701")),
    ("relation ", " already exists", of("duplicate_table", "42P07")),
    ("schema ", " already exists", of("duplicate_schema", "42P06")),
    ("function ", " already exists with same argument types", of("duplicate_function", "42723")),
    ("constraint ", " already exists", of("duplicate_object", "42710")),
    ("type ", " already exists", of("duplicate_object", "42710")),
    ("trigger ", " already exists", of("duplicate_object", "42710")),
    ("policy ", " already exists", of("duplicate_object", "42710")),
    ("extension ", " already exists", of("duplicate_object", "42710")),
    ("column ", " does not exist", of("undefined_column", "42703")),
    ("relation ", " does not exist", of("undefined_table", "42P01")),
    ("table ", " does not exist", of("undefined_table", "42P01")),
    ("view ", " does not exist", of("undefined_table", "42P01")),
    ("function ", " does not exist", of("undefined_function", "42883")),
    ("procedure ", " does not exist", of("undefined_function", "42883")),
    ("constraint ", " does not exist", of("undefined_object", "42704")),
    ("type ", " does not exist", of("undefined_object", "42704")),
    ("index ", " does not exist", of("undefined_object", "42704")),
    ("schema ", " does not exist", of("invalid_schema_name", "3F000")),
    ("cannot drop ", "", of("dependent_objects_still_exist", "2BP01")),
    ("invalid transaction termination", "", of("invalid_transaction_termination", "2D000")),
    ("cannot commit while a subtransaction is active", "", of("invalid_transaction_termination", "2D000")),
    ("cannot roll back while a subtransaction is active", "", of("invalid_transaction_termination", "2D000")),
];

const fn of(name: &'static str, state: &'static str) -> Raised {
    Raised { name, state }
}

/// What a message is raised as; `None` where it is not known.
pub(super) fn raised(message: &str) -> Option<Raised> {
    // "relation "x" does not exist" at the end of a message about a column in it is that of the column.
    let found = MESSAGES.iter().find(|(start, end, _)| message.starts_with(start) && message.ends_with(end));
    found.map(|(_, _, raised)| *raised)
}

/// Whether one of the handlers takes the error (`exception_matches_conditions`, pl_exec.c).
pub(super) fn is_taken(raised: Raised, handlers: &[Handler]) -> bool {
    let class = |state: &str| state.len() == 5 && state.ends_with("000") && raised.state.starts_with(&state[..2]);
    handlers.iter().flat_map(|handler| &handler.conditions).any(|condition| {
        let condition = &**condition;
        condition == "others"
            || condition == raised.name
            || condition == raised.state
            || class(condition)
            || CLASSES.iter().any(|(name, state)| *name == condition && class(state))
    })
}

/// Names of whole classes.
const CLASSES: &[(&str, &str)] = &[
    ("syntax_error_or_access_rule_violation", "42000"),
    ("dependent_privilege_descriptors_still_exist", "2B000"),
    ("invalid_transaction_termination", "2D000"),
    ("invalid_schema_name", "3F000"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(message: &str, conditions: &[&str]) -> Option<bool> {
        let conditions = conditions.iter().map(|it| (*it).into()).collect();
        Some(is_taken(raised(message)?, &[Handler { conditions, body: Vec::new() }]))
    }

    #[test]
    fn a_handler_takes_its_own_conditions_classes_and_others() {
        let message = "column \"a\" of relation \"t\" already exists";
        assert_eq!(taken(message, &["duplicate_column"]), Some(true));
        assert_eq!(taken(message, &["42701"]), Some(true));
        assert_eq!(taken(message, &["syntax_error_or_access_rule_violation"]), Some(true));
        assert_eq!(taken(message, &["others"]), Some(true));
        assert_eq!(taken(message, &["undefined_table", "duplicate_table"]), Some(false));
        assert_eq!(taken("cannot change name of view column", &["undefined_table"]), None);
    }
}
