//! Where the model and the server differ over one text.

use pgassay::catalog::LockMode;
use pgassay::contract::Breakage;
use pgassay::effect::{Effect, InTransactionBlock};
use pgassay::shadow::{Observation, ServerError};

use super::clients::Client;
use super::history::Said;
use super::report::Kind;

/// What came of one text on both sides.
pub struct Step {
    pub observed: Observation,
    pub said: Said,
    /// Whether the effects were observed: those of a transaction of several statements are not.
    pub effects: bool,
}

/// One difference: its kind, what tells alike ones together, and the words.
pub type Found = (Kind, String, String);

/// Refusals that rows decide: integrity, and data that does not fit. What has a place in the text was refused when it was read.
pub fn is_of_rows(error: &ServerError) -> bool {
    error.position.is_none() && (error.code.starts_with("23") || error.code.starts_with("22"))
}

/// The first difference in outcome or effects.
pub fn of_step(step: &Step, text: &str) -> Option<Found> {
    let (observed, said) = (&step.observed, &step.said);
    match (&observed.error, said.refusals.first()) {
        (None, Some(refusal)) => return Some((Kind::FalseRefusal, shape(refusal), said.refusals.join("; "))),
        (Some(_), Some(_)) => return None,
        (Some(error), None) if is_of_rows(error) || said.may_fail => return None,
        (Some(error), None) => {
            return Some((Kind::Missed, format!("{} {}", error.code, shape(&error.message)), error.message.clone()));
        }
        (None, None) => {}
    }
    let watched = step.effects && observed.effect.in_transaction_block != InTransactionBlock::Forbidden;
    watched.then(|| of_effects(&said.effect, &observed.effect, text)).flatten()
}

fn of_effects(predicted: &Effect, observed: &Effect, text: &str) -> Option<Found> {
    let verb = verb(text);
    if !same_locks(predicted, observed, text) {
        return Some((Kind::Locks, verb, both(&predicted.locks, &observed.locks)));
    }
    if predicted.rewrites != observed.rewrites {
        return Some((Kind::Rewrites, verb, both(&predicted.rewrites, &observed.rewrites)));
    }
    if predicted.index_builds != observed.index_builds {
        return Some((Kind::IndexBuilds, verb, both(&predicted.index_builds, &observed.index_builds)));
    }
    // A scan of an empty table may be counted or not: only what was not predicted is a difference.
    let unseen = !observed.scans.is_subset(&predicted.scans);
    unseen.then(|| (Kind::Scans, verb, both(&predicted.scans, &observed.scans)))
}

/// What a statement on rows locks when it meets one may be missing where it met none: the parent of a partition, the other side of a
/// foreign key.
fn same_locks(predicted: &Effect, observed: &Effect, text: &str) -> bool {
    let on_rows = ["INSERT", "UPDATE", "DELETE", "DO"].iter().any(|verb| text.starts_with(verb));
    let optional = |name: &String, mode: &LockMode| {
        on_rows && !observed.locks.contains_key(name) && matches!(mode, LockMode::AccessShare | LockMode::RowShare)
    };
    let predicted = predicted.locks.iter().filter(|(name, mode)| !optional(name, mode));
    predicted.eq(observed.locks.iter())
}

/// The reason of a refusal in both words, if neither side has the other's: the server's, and the model's first.
pub fn of_reasons(step: &Step) -> Option<(String, String)> {
    let error = step.observed.error.as_ref()?;
    let first = step.said.refusals.first()?;
    let alike = |refusal: &String| bare(refusal).contains(&bare(&error.message));
    (!step.said.refusals.iter().any(alike)).then(|| (format!("{} {}", error.code, error.message), first.clone()))
}

/// A client's statement that the server took before and refuses after, of whose relation no loss was reported.
pub fn of_clients(said: &Said, lost: &[(Client, String)], text: &str) -> Option<Found> {
    let told = |client: &Client| {
        let of = |object: &str, name: &str| object.strip_prefix(name).is_some_and(|rest| !rest.starts_with(is_word));
        let names = |breakage: &Breakage| {
            client.names.iter().any(|name| of(&breakage.object, name) || breakage.message.contains(name))
                || client.text.contains(&*breakage.object)
        };
        said.breakages.iter().any(names)
    };
    let (client, code) = lost.iter().find(|(client, _)| !told(client))?;
    let key = format!("{} {code}", verb(text));
    let losses: Vec<&str> = said.breakages.iter().map(|it| it.message.as_str()).collect();
    Some((Kind::Clients, key, format!("{} is refused ({code}); reported: {losses:?}", client.text)))
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn both(predicted: &impl std::fmt::Debug, observed: &impl std::fmt::Debug) -> String {
    format!("predicted {predicted:?}, observed {observed:?}")
}

fn verb(text: &str) -> String {
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// A message without the schema that all objects are in.
fn bare(message: &str) -> String {
    message.replace("public.", "")
}

/// A message without what is quoted and without numbers.
pub fn shape(message: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    for character in message.chars() {
        match character {
            '"' => {
                quoted = !quoted;
                if quoted {
                    out.push_str("\"…\"");
                }
            }
            _ if quoted => {}
            digit if digit.is_ascii_digit() => {}
            other => out.push(other),
        }
    }
    out
}
