//! Preparing a query whose parameters' types the server may not be able to tell.
//!
//! In: a query with `$n` where a driver or pg_stat_statements had values. Out: a prepared statement of a name, with the
//! types declared or the text rewritten that made it possible. The order of tries is that of the errors seen in practice.

use super::ProveError;
use super::probe::Probe;
use crate::shadow::ServerError;

/// The name of the statement that is being tried.
pub(super) const NAME: &str = "pgassay_query";

const TRIES: usize = 5;

/// How a query can be prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub text: String,
    /// By number from 1; `unknown` where the server can tell.
    pub declared: Vec<String>,
}

impl Form {
    pub fn new(text: &str) -> Form {
        let highest = parameters(text).into_iter().max().unwrap_or(0);
        Form { text: text.to_owned(), declared: vec!["unknown".to_owned(); highest] }
    }

    /// The PREPARE of a name.
    pub fn statement(&self, name: &str) -> String {
        let types = match self.declared.iter().all(|it| it == "unknown") {
            true => String::new(),
            false => format!("({})", self.declared.join(", ")),
        };
        format!("PREPARE {name}{types} AS {}", self.text)
    }
}

/// Prepares it as it stands; the statement stays until [`forget`].
pub(super) async fn prepare(probe: &Probe<'_>, form: &Form) -> Result<Option<ServerError>, ProveError> {
    probe.keep(&form.statement(NAME)).await
}

/// Finds a form that can be prepared. The error is the first one, which is about the query as it was given.
pub(super) async fn find(probe: &Probe<'_>, text: &str) -> Result<Result<Form, ServerError>, ProveError> {
    let mut form = Form::new(text);
    let Some(first) = prepare(probe, &form).await? else { return Ok(Ok(form)) };
    let mut error = first.clone();
    for attempt in 0..TRIES {
        let Some(next) = repaired(&form, &error, attempt) else { break };
        form = next;
        match prepare(probe, &form).await? {
            None => return Ok(Ok(form)),
            Some(again) => error = again,
        }
    }
    Ok(Err(first))
}

/// Gives up the prepared statement, if there is one.
pub(super) async fn forget(probe: &Probe<'_>) -> Result<(), ProveError> {
    probe.keep(&format!("DEALLOCATE {NAME}")).await.map(drop)
}

/// The types of the parameters of the prepared statement.
pub(super) async fn types(probe: &Probe<'_>) -> Result<Vec<String>, ProveError> {
    let sql = format!(
        "SELECT t::text FROM pg_catalog.pg_prepared_statements, pg_catalog.unnest(parameter_types) WITH ORDINALITY AS p(t, place)
          WHERE name = '{NAME}' ORDER BY place"
    );
    Ok(probe.runner().rows(&sql).await?.into_iter().flatten().flatten().collect())
}

/// The form to try after an error.
fn repaired(form: &Form, error: &ServerError, attempt: usize) -> Option<Form> {
    let mut next = form.clone();
    match error.code.as_str() {
        // syntax error: a type's name in front of what was a literal.
        "42601" => next.text = rewritten(&form.text)?,
        // could not determine data type of parameter $2
        "42P18" => declare(&mut next, named_parameter(&error.message)?, "text"),
        // inconsistent types deduced for parameter $1: the detail has both, and the column's is the later one.
        "42P08" => {
            let types = ["text", "bigint", "timestamptz", "uuid", "numeric"];
            declare(&mut next, named_parameter(&error.message)?, types.get(attempt)?);
        }
        // operator does not exist: bigint = text
        "42883" | "42725" | "42804" => {
            let operand = operand_types(&error.message)
                .into_iter()
                .find(|it| !matches!(it.as_str(), "text" | "unknown" | "text[]" | "interval"));
            let choice = match attempt {
                0 => operand.unwrap_or_else(|| "integer".to_owned()),
                1 => "interval".to_owned(),
                2 => "integer".to_owned(),
                _ => "text".to_owned(),
            };
            next.declared = vec![choice; form.declared.len()];
        }
        _ => return None,
    }
    (next != *form).then_some(next)
}

fn declare(form: &mut Form, number: usize, data_type: &str) {
    if let Some(declared) = number.checked_sub(1).and_then(|at| form.declared.get_mut(at)) {
        *declared = data_type.to_owned();
    }
}

fn named_parameter(message: &str) -> Option<usize> {
    let at = message.find("parameter $")? + "parameter $".len();
    let digits: String = message[at..].chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The two sides in `operator does not exist: bigint = text`.
fn operand_types(message: &str) -> Vec<String> {
    let Some((_, operands)) = message.split_once(": ") else { return Vec::new() };
    let is_sign = |word: &&str| word.chars().all(|c| "+-*/<>=~!@#%^&|`?".contains(c));
    let mut sides = vec![String::new()];
    for word in operands.split_whitespace() {
        match is_sign(&word) {
            true => sides.push(String::new()),
            false => {
                if let Some(side) = sides.last_mut() {
                    side.push_str(if side.is_empty() { "" } else { " " });
                    side.push_str(word);
                }
            }
        }
    }
    sides.retain(|side| !side.is_empty());
    sides
}

/// `interval $1` becomes `$1::interval`, `extract($1 FROM c)` becomes `date_part($1, c)`.
fn rewritten(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    if let Some(at) = lower.find("extract($") {
        let from = lower[at..].find(" from ")? + at;
        return Some(format!(
            "{}date_part{},{}",
            &text[..at],
            &text[at + "extract".len()..from],
            &text[from + " from".len()..]
        ));
    }
    for name in ["interval", "timestamp", "timestamptz", "date", "time"] {
        let pattern = format!("{name} $");
        let Some(at) = lower.find(&pattern) else { continue };
        if at > 0 && lower.as_bytes()[at - 1].is_ascii_alphanumeric() {
            continue;
        }
        let number = at + pattern.len() - 1;
        let digits = lower[number + 1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len() - number - 1);
        let end = number + 1 + digits;
        return Some(format!("{}{}::{name}{}", &text[..at], &text[number..end], &text[end..]));
    }
    None
}

/// The numbers of the parameters of a query, outside its strings and comments as far as that is simple to tell.
fn parameters(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut in_string = false;
    let mut rest = text;
    while let Some(at) = rest.find(['$', '\'']) {
        let behind = &rest[at + 1..];
        if rest[at..].starts_with('\'') {
            in_string = !in_string;
        } else if !in_string {
            let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
            found.extend(digits.parse::<usize>().ok().filter(|number| *number <= 65_535));
        }
        rest = behind;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_rewritten() {
        let after = |text: &str| rewritten(text).unwrap_or_default();
        assert_eq!(after("SELECT now() - interval $1 FROM t"), "SELECT now() - $1::interval FROM t");
        assert_eq!(after("SELECT EXTRACT($2 from c) FROM t"), "SELECT date_part($2, c) FROM t");
        assert_eq!(rewritten("SELECT myinterval $1"), None);
    }

    #[test]
    fn operands_and_parameters() {
        assert_eq!(
            operand_types("operator does not exist: timestamp with time zone > interval"),
            ["timestamp with time zone", "interval"]
        );
        assert_eq!(parameters("SELECT $1, '$7', $12"), [1, 12]);
        assert_eq!(named_parameter("could not determine data type of parameter $2"), Some(2));
    }
}
