//! Statements with `$1` for constants, as something that a server plans.
//!
//! pg_stat_statements replaces constants without regard to grammar: `interval $1` and `LIMIT $2` stand there, and types that followed
//! from a constant are gone. What the server refuses is repaired from what it says, a few times for each parameter.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::rewording::{
    cast_literals, expected_type, is_exact, other_type, parameters, quoted_parameter, with_constants_of_groups,
    with_limit, without_comments,
};
use super::standing::Standing;
use crate::change::Name;
use crate::plan::Plan;
use sqlparser::ast::{AssignmentTarget, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

/// How often a statement is repaired besides once for each parameter, from each beginning.
const TRIES: usize = 5;
/// What parameters are taken for where the server's errors lead nowhere: nothing, then all of them numbers, texts, times. Errors then tell which
/// of them are not.
const BEGINNINGS: &[&str] = &["integer", "text", "timestamp with time zone"];

/// A statement with the types of its parameters, as far as they had to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    pub text: String,
    /// Types by the number of the parameter.
    types: BTreeMap<usize, String>,
    parameters: usize,
    /// Schemas that are searched besides those of the session.
    schemas: Vec<String>,
    /// Beginnings that were tried.
    begun: usize,
    /// Partitions that the executor would leave out when it starts: then all are planned for, so that it is seen how they are read.
    removed: Option<f64>,
    pub(super) standing: Standing,
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
    /// Partitions that cannot hold rows are left out.
    pub pruning: bool,
    /// The role to plan as, where it is not the session's.
    pub role: Option<String>,
    /// Settings that the session lacks.
    pub settings: Vec<(String, String)>,
}

impl Asking {
    /// An EXPLAIN of a text.
    pub fn explain(head: String, text: &str) -> Asking {
        let sql = format!("{head}{text}");
        let (schemas, settings) = (Vec::new(), Vec::new());
        Asking { schemas, sql, head: head.len(), execute: None, pruning: true, role: None, settings }
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
    let calls_only = !words.iter().any(|word| opens(word) || word == "into");
    if calls_only && words.first().is_some_and(|word| word == "select") {
        // What a tool asks of a session: SELECT pg_export_snapshot(), set_config($1, $2, $3).
        let first = words[1..].iter().find(|word| !word.is_empty());
        return first.is_some_and(|word| word.starts_with("pg_") || word == "set_config" || word == "current_setting");
    }
    let is_system = |name: &String| name.starts_with("pg_") || name == "information_schema";
    let direct = words.windows(2).any(|pair| opens(&pair[0]) && is_system(&pair[1]));
    // An extension's views may be in any schema.
    let qualified = |four: &[String]| opens(&four[0]) && four[2].is_empty() && is_system(&four[3]);
    direct || words.windows(4).any(qualified)
}

/// With `$n` for numbers and texts, after the parameters that there are: what statements have in common that differ by their constants.
pub fn without_constants(text: &str) -> String {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, text).with_unescape(false).tokenize() else {
        return text.to_owned();
    };
    let mut next = parameters(text).map(|(_, number)| number).max().unwrap_or(0) + 1;
    let mut result = String::new();
    for token in &tokens {
        match token {
            Token::Number(..) | Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_) => {
                result.push_str(&format!("${next}"));
                next += 1;
            }
            Token::Whitespace(_) if result.ends_with(' ') => {}
            Token::Whitespace(_) => result.push(' '),
            other => result.push_str(&other.to_string()),
        }
    }
    result.trim_end().to_owned()
}

/// The columns that an UPDATE sets.
pub fn set_columns(text: &str) -> Vec<String> {
    let Ok(statements) = Parser::parse_sql(&PostgreSqlDialect {}, text) else { return Vec::new() };
    let mut found = Vec::new();
    let _: ControlFlow<()> = crate::walk::visit_statements(&statements, |statement| {
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
        let highest = |text: &str| parameters(text).map(|(_, number)| number).max().unwrap_or(0);
        let (limited, gone) = with_limit(text, rows);
        let text = cast_literals(&with_constants_of_groups(&limited));
        // A parameter that is gone keeps its number, unless it is the last.
        let parameters = highest(&text);
        let types = gone.filter(|number| *number < parameters).map(|number| (number, "bigint".to_owned()));
        let (types, standing) = (types.into_iter().collect(), Standing::default());
        Prepared { text, types, parameters, schemas: Vec::new(), begun: 0, removed: None, standing }
    }

    /// The role that runs it, if policies of row security bind it.
    pub fn role(&self) -> Option<&str> {
        self.standing.role()
    }

    /// Run by a role whom policies of row security bind.
    #[must_use]
    pub fn run_by(mut self, role: Option<String>) -> Prepared {
        self.standing = Standing::of(role);
        self
    }

    /// How often it may be repaired before all its parameters are taken for something else.
    pub(super) fn tries(&self) -> usize {
        self.parameters + TRIES
    }

    /// Takes all parameters for something else. False if there is nothing left to take them for.
    pub(super) fn start_over(&mut self) -> bool {
        let Some(type_) = BEGINNINGS.get(self.begun).filter(|_| self.parameters > 0) else { return false };
        self.begun += 1;
        self.types = (1..=self.parameters).map(|number| (number, (*type_).to_owned())).collect();
        true
    }

    /// Whether a plan lacks partitions that the executor leaves out, so that it has to be made again with all of them.
    pub(super) fn prune(&mut self, plan: &Plan) -> bool {
        let removed = plan.nodes.iter().filter_map(|node| node.subplans_removed).fold(0.0, f64::max);
        let new = self.removed.is_none() && removed > 0.0;
        if new {
            self.removed = Some(removed);
        }
        new
    }

    /// Partitions that are left out when the executor starts.
    pub(super) fn removed(&self) -> Option<f64> {
        self.removed
    }

    /// What has a server plan it.
    pub(super) fn asking(&self) -> Asking {
        const OPTIONS: &str = "FORMAT JSON, VERBOSE";
        let (schemas, pruning) = (self.schemas.clone(), self.removed.is_none());
        let (role, settings) = (self.standing.acting().map(str::to_owned), self.standing.settings());
        if self.parameters == 0 {
            let asking = Asking::explain(format!("EXPLAIN ({OPTIONS}) "), &self.text);
            return Asking { schemas, pruning, role, settings, ..asking };
        }
        let last_told = self.types.keys().max().copied().unwrap_or(0);
        let types: Vec<&str> =
            (1..=last_told).map(|at| self.types.get(&at).map_or("unknown", String::as_str)).collect();
        let types = if types.is_empty() { String::new() } else { format!("({})", types.join(", ")) };
        let head = format!("PREPARE pgassay{types} AS ");
        let values = vec!["NULL"; self.parameters].join(", ");
        let execute = format!("EXPLAIN ({OPTIONS}) EXECUTE pgassay({values})");
        let sql = format!("{head}{}", self.text);
        Asking { schemas, sql, head: head.len(), execute: Some(execute), pruning, role, settings }
    }

    /// Looks for names in this schema too. False if it was there already.
    pub(super) fn search_in(&mut self, schema: &str) -> bool {
        let new = !self.schemas.iter().any(|it| it == schema);
        if new {
            self.schemas.push(schema.to_owned());
        }
        new
    }

    /// As it is sent to the server, repaired so far.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Numbers of the parameters that stand in the text.
    pub(super) fn open_parameters(&self) -> Vec<usize> {
        let mut numbers: Vec<usize> = parameters(&self.text).map(|(_, number)| number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
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
        let expected = expected_type(message);
        let choices = [expected.as_deref().unwrap_or("text"), "interval", "text", "integer", "jsonb"];
        let type_ = choices[attempt % choices.len()];
        let type_ = expected.as_deref().filter(|_| is_exact(message)).unwrap_or(type_);
        let from = position.unwrap_or(0);
        let near: Vec<usize> = {
            let after: Vec<(usize, usize)> = parameters(&self.text).filter(|(at, _)| *at >= from).collect();
            let first = after.first().map(|(at, _)| *at).unwrap_or(0);
            // An array of parameters is told as a whole; an error at a parameter is about it alone.
            let closing = self.text[first..].find([')', ']']).map_or(self.text.len(), |end| first + end);
            let closing = if Some(first) == position { first + 1 } else { closing };
            after.iter().filter(|(at, _)| *at < closing).map(|(_, number)| *number).collect()
        };
        if near.is_empty() {
            return false;
        }
        let mut changed = false;
        for number in near {
            changed |= self.types.insert(number, type_.to_owned()).as_deref() != Some(type_);
        }
        changed || !is_exact(message)
    }

    /// The same with literals in the place of some parameters. Their types stay declared: nothing else would tell them.
    pub(super) fn with_values(&self, values: &BTreeMap<usize, String>) -> Prepared {
        let mut prepared = self.clone();
        let places: Vec<(usize, usize)> = parameters(&self.text).collect();
        for (at, number) in places.into_iter().rev() {
            let Some(value) = values.get(&number) else { continue };
            let end = at + 1 + number.to_string().len();
            prepared.text.replace_range(at..end, &crate::text::quoting::literal(value));
            prepared.types.entry(number).or_insert_with(|| "text".to_owned());
        }
        prepared
    }
}

#[cfg(test)]
mod tests {
    use super::super::rewording::limit_of;
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
        assert!(reads_catalogs("SELECT pg_export_snapshot(), $1") && reads_catalogs("SELECT set_config($1, $2, $3)"));
        assert!(reads_catalogs("SELECT dealloc FROM public.pg_stat_statements_info"));
        assert!(!reads_catalogs("SELECT set_price($1)"));
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
        assert_eq!([0.2, 1.0, 7.0, 3.3, 49.9, 12_345.5].map(limit_of), [1.0, 1.0, 7.0, 10.0, 50.0, 12_346.0]);
        let before = Prepared::new("SELECT a FROM t LIMIT $1 OFFSET $2", Some(3.0));
        assert_eq!(before.text, "SELECT a FROM t LIMIT 3 OFFSET $2");
        assert!(before.asking().sql.starts_with("PREPARE pgassay(bigint) AS"), "$2 keeps its number");
    }

    #[test]
    fn a_constant_that_is_a_key_of_groups_is_one_everywhere() {
        let text = |sql: &str| Prepared::new(sql, None).text;
        assert_eq!(
            text("SELECT a / $1, count(*) FROM t WHERE b > $2 GROUP BY a / 10 ORDER BY a / 10"),
            "SELECT a / 10, count(*) FROM t WHERE b > $2 GROUP BY a / 10 ORDER BY a / 10"
        );
        assert_eq!(text("SELECT a / $1 FROM t GROUP BY a, 2"), "SELECT a / $1 FROM t GROUP BY a, 2");
    }

    #[test]
    fn errors_tell_types() {
        let mut query = Prepared::new("SELECT a FROM t WHERE id = ANY (ARRAY[$1, $2]) AND b = $3", None);
        let at = query.text.find("= ANY").unwrap();
        assert!(query.repair("42883", "operator does not exist: bigint = text", Some(at), 0));
        assert!(query.asking().sql.contains("PREPARE pgassay(bigint, bigint) AS"));
        let mut query = Prepared::new("SELECT a FROM t LIMIT coalesce($1, $2) OFFSET $3", None);
        let at = query.text.find("coalesce");
        assert!(query.repair("42804", "argument of LIMIT must be type bigint, not type text", at, 0));
        assert!(query.asking().sql.contains("PREPARE pgassay(bigint, bigint) AS"));
        let mut query = Prepared::new("INSERT INTO t (a, b) SELECT DISTINCT $1, $2", None);
        let at = query.text.find("$1");
        let refusal = "column \"a\" is of type integer but expression is of type text";
        assert!(query.repair("42804", refusal, at, 3));
        assert!(query.asking().sql.contains("PREPARE pgassay(integer) AS"), "the error is about $1 alone");
        let mut query = Prepared::new("SELECT jsonb_build_object($1, a) FROM t", None);
        assert!(query.repair("42P18", "could not determine data type of parameter $1", None, 0));
        assert!(query.asking().sql.contains("PREPARE pgassay(text) AS"));
    }
}
