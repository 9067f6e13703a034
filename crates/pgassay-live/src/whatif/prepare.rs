//! Statements with `$1` for constants, as something that a server plans.
//!
//! pg_stat_statements replaces constants without regard to grammar: `interval $1` and `LIMIT $2` stand there, and types that followed
//! from a constant are gone. What the server refuses is repaired from what it says, at most [`TRIES`] times.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::change::Name;
use sqlparser::ast::{AssignmentTarget, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

/// How often a statement is repaired before it is given up.
pub(super) const TRIES: usize = 5;

/// A statement with the types of its parameters, as far as they had to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    pub text: String,
    /// Types by the number of the parameter.
    types: BTreeMap<usize, String>,
    parameters: usize,
    /// Schemas that are searched besides those of the session.
    schemas: Vec<String>,
}

/// Statements that plan another. What comes from outside stands in `sql`, which a server must be sent by itself: it may turn out to be
/// several statements, which the server then refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asking {
    /// Schemas that are searched besides those of the session.
    pub schemas: Vec<String>,
    /// An EXPLAIN (FORMAT JSON), or a PREPARE.
    pub sql: String,
    /// Bytes of `sql` before the text that is planned.
    pub head: usize,
    /// After a PREPARE, the EXPLAIN of what it prepared.
    pub execute: Option<String>,
}

impl Asking {
    /// An EXPLAIN of a text.
    pub fn explain(head: String, text: &str) -> Asking {
        Asking { schemas: Vec::new(), sql: format!("{head}{text}"), head: head.len(), execute: None }
    }

    /// A search_path with the schemas at its end.
    pub fn search_path(&self, path: &str) -> String {
        let names = self.schemas.iter().map(|schema| Name::new(schema).to_string());
        let path = Some(path.to_owned()).filter(|path| !path.is_empty());
        path.into_iter().chain(names).collect::<Vec<_>>().join(", ")
    }
}

/// Only these have plans.
pub fn is_plannable(text: &str) -> bool {
    const VERBS: &[&str] = &["select", "with", "insert", "update", "delete", "merge", "values", "table"];
    let start = without_comments(text);
    let word: String =
        start.trim_start_matches(['(', ' ', '\n']).chars().take_while(char::is_ascii_alphabetic).collect();
    VERBS.iter().any(|verb| word.eq_ignore_ascii_case(verb))
}

/// Whether a statement looks into the system's catalogs: those of tools, such as this one. Names that begin with `pg_` are the system's.
pub fn reads_catalogs(text: &str) -> bool {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize() else { return false };
    let words = tokens.iter().filter_map(|token| match token {
        Token::Word(word) => Some(word.value.to_ascii_lowercase()),
        Token::Whitespace(_) => None,
        _ => Some(String::new()),
    });
    let words: Vec<String> = words.collect();
    let opens = |word: &String| word == "from" || word == "join";
    words.windows(2).any(|pair| opens(&pair[0]) && (pair[1].starts_with("pg_") || pair[1] == "information_schema"))
}

/// The columns that an UPDATE sets.
pub fn set_columns(text: &str) -> Vec<String> {
    let Ok(statements) = Parser::parse_sql(&PostgreSqlDialect {}, text) else { return Vec::new() };
    let mut found = Vec::new();
    let _: ControlFlow<()> = sqlparser::ast::visit_statements(&statements, |statement| {
        if let Statement::Update(update) = statement {
            for assignment in &update.assignments {
                let names = match &assignment.target {
                    AssignmentTarget::ColumnName(name) => std::slice::from_ref(name),
                    AssignmentTarget::Tuple(names) => names.as_slice(),
                };
                let last = names.iter().filter_map(|name| name.0.last()?.as_ident());
                found.extend(last.map(|ident| match ident.quote_style {
                    Some(_) => ident.value.clone(),
                    None => ident.value.to_lowercase(),
                }));
            }
        }
        ControlFlow::Continue(())
    });
    found
}

impl Prepared {
    /// `rows` are those that a call returns on average: what a LIMIT has been.
    pub fn new(text: &str, rows: Option<f64>) -> Prepared {
        let text = text.trim().trim_end_matches(';').trim_end();
        let text = cast_literals(&with_limit(text, rows));
        let parameters = parameters(&text).map(|(_, number)| number).max().unwrap_or(0);
        Prepared { text, types: BTreeMap::new(), parameters, schemas: Vec::new() }
    }

    /// What has a server plan it.
    pub(super) fn asking(&self) -> Asking {
        const OPTIONS: &str = "FORMAT JSON, VERBOSE";
        let schemas = self.schemas.clone();
        if self.parameters == 0 {
            return Asking { schemas, ..Asking::explain(format!("EXPLAIN ({OPTIONS}) "), &self.text) };
        }
        let last_told = self.types.keys().max().copied().unwrap_or(0);
        let types: Vec<&str> =
            (1..=last_told).map(|at| self.types.get(&at).map_or("unknown", String::as_str)).collect();
        let types = if types.is_empty() { String::new() } else { format!("({})", types.join(", ")) };
        let head = format!("PREPARE pgassay{types} AS ");
        let values = vec!["NULL"; self.parameters].join(", ");
        let execute = format!("EXPLAIN ({OPTIONS}) EXECUTE pgassay({values})");
        Asking { schemas, sql: format!("{head}{}", self.text), head: head.len(), execute: Some(execute) }
    }

    /// Looks for names in this schema too. False if it was there already.
    pub(super) fn search_in(&mut self, schema: &str) -> bool {
        let new = !self.schemas.iter().any(|it| it == schema);
        if new {
            self.schemas.push(schema.to_owned());
        }
        new
    }

    /// Changes what the server complained about. `position` is that of the error in the text, in bytes, where it was told. False if nothing
    /// is left to try.
    pub(super) fn repair(&mut self, code: &str, message: &str, position: Option<usize>, attempt: usize) -> bool {
        const KNOWN: &[&str] = &["42883", "42P18", "42725", "42P08", "42804", "22P02", "42846"];
        if !KNOWN.contains(&code) {
            return false;
        }
        if let Some(number) = quoted_parameter(message) {
            let type_ = if code == "42P08" { other_type(message).unwrap_or("text") } else { "text" };
            return self.types.insert(number, type_.to_owned()).as_deref() != Some(type_);
        }
        // `operator does not exist: bigint = text`: the type of the other operand, else one that takes part in much.
        let operand = message.split_once(": ").map(|(_, rest)| rest).unwrap_or_default();
        let operand = operand.split_once(' ').and_then(|_| first_operand(operand)).unwrap_or("text");
        let choices = [operand, "interval", "text", "integer", "jsonb"];
        let type_ = choices.get(attempt).copied().unwrap_or("text");
        let from = position.unwrap_or(0);
        let near: Vec<usize> = {
            let after: Vec<(usize, usize)> = parameters(&self.text).filter(|(at, _)| *at >= from).collect();
            let first = after.first().map(|(at, _)| *at).unwrap_or(0);
            // An array of parameters is told as a whole.
            let closing = self.text[first..].find([')', ']']).map_or(self.text.len(), |end| first + end);
            after.iter().filter(|(at, _)| *at < closing).map(|(_, number)| *number).collect()
        };
        if near.is_empty() {
            return false;
        }
        for number in near {
            self.types.insert(number, type_.to_owned());
        }
        true
    }

    /// The same with literals in the place of some parameters. Their types stay declared: nothing else would tell them.
    pub(super) fn with_values(&self, values: &BTreeMap<usize, String>) -> Prepared {
        let mut prepared = self.clone();
        let places: Vec<(usize, usize)> = parameters(&self.text).collect();
        for (at, number) in places.into_iter().rev() {
            let Some(value) = values.get(&number) else { continue };
            let end = at + 1 + number.to_string().len();
            prepared.text.replace_range(at..end, &format!("'{}'", value.replace('\'', "''")));
            prepared.types.entry(number).or_insert_with(|| "text".to_owned());
        }
        prepared
    }
}

/// `could not determine data type of parameter $2`, `inconsistent types deduced for parameter $1`.
fn quoted_parameter(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once("parameter $")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// `… parameter $1: text versus bigint`
fn other_type(message: &str) -> Option<&str> {
    message.split_once(" versus ").map(|(_, rest)| rest.trim())
}

/// The left side of `timestamp with time zone > interval`.
fn first_operand(text: &str) -> Option<&str> {
    let words = text.split(' ');
    let mut length = 0;
    for word in words {
        if !word.is_empty() && word.chars().all(|c| "+-*/<>=~!@#%^&|`?".contains(c)) {
            return text.get(..length).map(str::trim_end).filter(|it| !it.is_empty());
        }
        length += word.len() + 1;
    }
    None
}

/// Places of `$n` outside quotes and comments, with n.
fn parameters(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'\'' | b'"') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += 1;
                }
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                while at < bytes.len() && bytes[at] != b'\n' {
                    at += 1;
                }
            }
            b'$' => {
                let digits: String = text[at + 1..].chars().take_while(char::is_ascii_digit).collect();
                let inside = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
                if let (Ok(number), false) = (digits.parse(), inside) {
                    found.push((at, number));
                }
            }
            _ => {}
        }
        at += 1;
    }
    found.into_iter()
}

/// Types that stand before a constant: the grammar takes no parameter there.
const LITERAL_TYPES: &[&str] =
    &["interval", "timestamptz", "timestamp", "date", "time", "jsonb", "json", "uuid", "inet", "numeric"];

/// `interval $1` to `$1::interval`, `extract($1 FROM c)` to `date_part($1, c)`.
fn cast_literals(text: &str) -> String {
    let mut result = text.to_owned();
    let places: Vec<(usize, usize)> = parameters(text).collect();
    for (at, number) in places.into_iter().rev() {
        let before = result[..at].trim_end();
        let word_start = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |place| place + 1);
        let word = before[word_start..].to_lowercase();
        let end = at + 1 + number.to_string().len();
        if LITERAL_TYPES.contains(&word.as_str()) && before.len() < at {
            result.replace_range(word_start..end, &format!("${number}::{word}"));
        } else if before.to_lowercase().ends_with("extract(")
            && let Some(rest) = result[end..].trim_start().get(..5)
            && rest.eq_ignore_ascii_case("from ")
        {
            let start = before.len() - "extract(".len();
            let skipped = result[end..].len() - result[end..].trim_start().len() + 5;
            result.replace_range(start..end + skipped, &format!("date_part(${number}, "));
        }
    }
    result
}

/// `LIMIT $3` to `LIMIT 10`: of a parameter the planner assumes a tenth of all rows.
fn with_limit(text: &str, rows: Option<f64>) -> String {
    let Some(rows) = rows else { return text.to_owned() };
    let rows = rows.ceil().max(1.0);
    let places: Vec<(usize, usize)> = parameters(text).collect();
    let mut numbers: Vec<usize> = places.iter().map(|(_, number)| *number).collect();
    numbers.sort_unstable();
    let last = numbers.last().copied();
    let Some((at, number)) = places.into_iter().rev().find(|(at, _)| {
        let before = text[..*at].trim_end();
        before.len() < *at
            && before.len() >= 5
            && before.get(before.len() - 5..).is_some_and(|word| word.eq_ignore_ascii_case("limit"))
    }) else {
        return text.to_owned();
    };
    // Numbers must stay without gaps: one in between stays a parameter.
    if Some(number) != last || numbers.iter().filter(|it| **it == number).count() > 1 {
        return text.to_owned();
    }
    format!("{}{rows}{}", &text[..at], &text[at + 1 + number.to_string().len()..])
}

fn without_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let skipped = match rest {
            it if it.starts_with("/*") => it.find("*/").map(|end| &it[end + 2..]),
            it if it.starts_with("--") => it.find('\n').map(|end| &it[end + 1..]),
            _ => None,
        };
        match skipped {
            Some(skipped) => rest = skipped.trim_start(),
            None => return rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_grammar_does_not_take_is_written_as_a_cast() {
        let text = |sql: &str| Prepared::new(sql, None).text;
        assert_eq!(text("SELECT now() - interval $1, '$2'"), "SELECT now() - $1::interval, '$2'");
        assert_eq!(text("SELECT extract($1 FROM at) FROM t"), "SELECT date_part($1, at) FROM t");
        assert_eq!(text("SELECT a FROM t WHERE interval_x = $1"), "SELECT a FROM t WHERE interval_x = $1");
    }

    #[test]
    fn statements_of_tools_are_known_by_the_catalogs_they_read() {
        assert!(reads_catalogs("SELECT a FROM pg_catalog.pg_class c JOIN t ON true"));
        assert!(reads_catalogs("WITH b AS (SELECT $1 FROM t JOIN pg_type ON true) SELECT * FROM b"));
        assert!(!reads_catalogs("SELECT extract(epoch FROM at), 'FROM pg_class' FROM t WHERE id = pg_backend_pid()"));
    }

    #[test]
    fn values_stand_in_for_parameters() {
        let query = Prepared::new("SELECT a FROM t WHERE s = $1 AND b = $2", None);
        let values = BTreeMap::from([(1, "it's".to_owned())]);
        assert!(
            query
                .with_values(&values)
                .asking()
                .sql
                .contains("PREPARE pgassay(text) AS SELECT a FROM t WHERE s = 'it''s' AND b = $2")
        );
    }

    #[test]
    fn a_limit_is_what_calls_returned() {
        assert_eq!(
            Prepared::new("SELECT a FROM t WHERE b = $1 LIMIT $2", Some(9.5)).text,
            "SELECT a FROM t WHERE b = $1 LIMIT 10"
        );
        assert_eq!(
            Prepared::new("SELECT a FROM t LIMIT $1 OFFSET $2", Some(3.0)).text,
            "SELECT a FROM t LIMIT $1 OFFSET $2"
        );
    }

    #[test]
    fn errors_tell_types() {
        let mut query = Prepared::new("SELECT a FROM t WHERE id = ANY (ARRAY[$1, $2]) AND b = $3", None);
        let at = query.text.find("= ANY").unwrap();
        assert!(query.repair("42883", "operator does not exist: bigint = text", Some(at), 0));
        assert!(query.asking().sql.contains("PREPARE pgassay(bigint, bigint) AS"));
        let mut query = Prepared::new("SELECT jsonb_build_object($1, a) FROM t", None);
        assert!(query.repair("42P18", "could not determine data type of parameter $1", None, 0));
        assert!(query.asking().sql.contains("PREPARE pgassay(text) AS"));
    }
}
