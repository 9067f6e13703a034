//! The queries that an application sends.
//!
//! In: the text of a file, or what pg_stat_statements counted. Out: one [`Query`] a statement, with what the comments before it say:
//! `-- calls: 1200` how often it is called, `-- new` that only the new code sends it.

use std::collections::BTreeMap;

use super::prepare::Way;
use crate::facts::Workload;
use crate::source::{SourceFile, Sources};
use crate::sql::read_script;
use crate::whatif::is_plannable;

/// One query of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Where it begins in the file, from 1; `None` if it comes from pg_stat_statements.
    pub line: Option<u32>,
    /// Parameters as `$1`.
    pub text: String,
    pub calls: Option<u64>,
    /// Sent by the new code only.
    pub new: bool,
}

/// Reads a file of queries. A comment speaks of the statement that follows it. What only concerns the session is left out.
pub fn read_queries(text: &str) -> Vec<Query> {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("queries", text));
    let script = read_script(file, sources.file(file));
    let mut behind = 0;
    let mut queries = Vec::new();
    for statement in &script.statements {
        let mut query = Query {
            line: Some(sources.positions(statement.span).0.line),
            text: sources.slice(statement.span).to_owned(),
            calls: None,
            new: false,
        };
        let before = script.comments.iter().filter(|it| it.start >= behind && it.end <= statement.span.start);
        for comment in before {
            for line in sources.slice(*comment).lines() {
                let words = line.trim().trim_start_matches("--").trim_start_matches("/*").trim_end_matches("*/").trim();
                match words.split_once(':') {
                    Some((key, value)) if key.trim().eq_ignore_ascii_case("calls") => {
                        query.calls = value.trim().replace('_', "").parse().ok().or(query.calls);
                    }
                    _ if words.eq_ignore_ascii_case("new") => query.new = true,
                    _ => {}
                }
            }
        }
        behind = statement.span.end;
        if Way::of(&query.text).is_some() {
            queries.push(query);
        }
    }
    queries
}

/// Of what a database counted, the queries of clients, the most called first. Those of the same text by several users are one.
pub fn counted_queries(workload: &Workload, most: usize) -> Vec<Query> {
    let mut calls: BTreeMap<&str, u64> = BTreeMap::new();
    // Other DDL is that of migrations.
    let is_sent = |text: &str| match Way::of(text) {
        Some(Way::Prepare) => is_plannable(text),
        Some(Way::Parse | Way::Run) => true,
        None => false,
    };
    for statement in workload.statements.iter().filter(|it| it.top_level && it.calls > 0 && is_sent(&it.query)) {
        *calls.entry(statement.query.as_str()).or_default() += statement.calls;
    }
    let mut counted: Vec<(&str, u64)> = calls.into_iter().collect();
    counted.sort_by_key(|(text, calls)| (std::cmp::Reverse(*calls), *text));
    let query =
        |(text, calls): (&str, u64)| Query { line: None, text: text.to_owned(), calls: Some(calls), new: false };
    counted.into_iter().take(most).map(query).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_speak_of_the_statement_behind_them() {
        let text = "-- calls: 1_200\nSELECT 1 FROM t WHERE a = $1;\n\n-- new\n-- calls: 3\nSELECT ';' , $$;$$ FROM u; -- new? no\nSELECT 3";
        let found = read_queries(text);
        let short: Vec<_> = found.iter().map(|it| (it.line, it.text.as_str(), it.calls, it.new)).collect();
        assert_eq!(
            short,
            [
                (Some(2), "SELECT 1 FROM t WHERE a = $1", Some(1200), false),
                (Some(6), "SELECT ';' , $$;$$ FROM u", Some(3), true),
                (Some(7), "SELECT 3", None, false),
            ]
        );
    }
}
