//! What triggers put into new rows before the server checks them.
//!
//! In: a table after the migration, and a column that an INSERT may leave out. Out: whether a BEFORE INSERT trigger gives it a value, as
//! far as the text of its function tells. Runs nothing: a condition in the function is taken to be met.

use crate::change::{FiringMode, Name, TriggerEvent, TriggerTiming};
use crate::schema::{Relation, Routine, Schema, Trigger};
use crate::source::{FileId, Span};
use crate::sql::{SourceToken, SourceTokenKind, source_tokens};

/// What triggers do to a column of a new row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Filled<'a> {
    No,
    /// A trigger assigns it.
    By,
    /// This trigger may: its function is not PL/pgSQL, or is not known.
    Perhaps(&'a Trigger),
}

/// Whether a row that is inserted without the column has a value there when it is checked.
pub(super) fn filled<'a>(schema: &Schema, table: &'a Relation, column: &Name) -> Filled<'a> {
    let runs = |trigger: &&Trigger| {
        trigger.timing == TriggerTiming::Before
            && trigger.for_each_row
            && matches!(trigger.mode, FiringMode::Enabled | FiringMode::Always)
            && trigger.events.iter().any(|event| matches!(event, TriggerEvent::Insert))
    };
    let mut perhaps = Filled::No;
    for trigger in table.triggers.iter().filter(runs) {
        match trigger.function.and_then(|id| schema.routines.get(&id)) {
            Some(routine) if routine.language == "plpgsql" => {
                if assigns(routine, column) {
                    return Filled::By;
                }
            }
            _ => perhaps = Filled::Perhaps(trigger),
        }
    }
    perhaps
}

/// Whether the function gives a value to the column of NEW, to NEW as a whole, or answers another row.
pub(super) fn assigns(routine: &Routine, column: &Name) -> bool {
    let place = Span::new(FileId(0), 0, routine.body.len());
    let tokens = source_tokens(place, &routine.body);
    let mut is_into = false;
    for (at, token) in tokens.iter().enumerate() {
        match &token.kind {
            SourceTokenKind::Word { name, quoted: false } if *name == "into" => is_into = true,
            SourceTokenKind::Word { name, quoted: false } if *name == "new" => {
                let (target, after) = field(&tokens, at);
                let is_it = target.is_none_or(|target| target == column);
                if is_it && (is_into || starts_a_statement(&tokens, at) && is_assignment(tokens.get(after))) {
                    return true;
                }
            }
            SourceTokenKind::Word { name, quoted: false }
                if *name == "return" && answers_another_row(tokens.get(at + 1), tokens.get(at + 2)) =>
            {
                return true;
            }
            // A list of targets ends where the statement goes on.
            SourceTokenKind::Word { quoted: false, name } if ENDS_TARGETS.iter().any(|word| *name == *word) => {
                is_into = false;
            }
            SourceTokenKind::Sign(sign) if sign == ";" => is_into = false,
            _ => {}
        }
    }
    false
}

const ENDS_TARGETS: [&str; 9] = ["from", "where", "group", "order", "limit", "using", "values", "select", "having"];

/// `.column` after NEW, and the place behind it.
fn field(tokens: &[SourceToken], at: usize) -> (Option<&Name>, usize) {
    match (tokens.get(at + 1).map(|token| &token.kind), tokens.get(at + 2).map(|token| &token.kind)) {
        (Some(SourceTokenKind::Sign(dot)), Some(SourceTokenKind::Word { name, .. })) if dot == "." => {
            (Some(name), at + 3)
        }
        _ => (None, at + 1),
    }
}

fn is_assignment(token: Option<&SourceToken>) -> bool {
    token.is_some_and(|token| matches!(&token.kind, SourceTokenKind::Sign(sign) if sign == ":=" || sign == "="))
}

/// Where an assignment may begin: elsewhere `=` compares.
fn starts_a_statement(tokens: &[SourceToken], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|at| tokens.get(at)) else { return true };
    match &before.kind {
        SourceTokenKind::Sign(sign) => sign == ";" || sign == ">>",
        SourceTokenKind::Word { name, quoted: false } => {
            ["begin", "then", "else", "loop"].iter().any(|word| *name == *word)
        }
        _ => false,
    }
}

/// `RETURN row`, where that is neither NEW, OLD nor NULL.
fn answers_another_row(row: Option<&SourceToken>, after: Option<&SourceToken>) -> bool {
    let ends = after.is_none_or(|token| matches!(&token.kind, SourceTokenKind::Sign(sign) if sign == ";"));
    let is_other = |name: &Name| !["new", "old", "null", "query", "next"].iter().any(|word| *name == *word);
    row.is_some_and(|token| matches!(&token.kind, SourceTokenKind::Word { name, .. } if is_other(name) || !ends))
}
