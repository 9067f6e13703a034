//! The readers of DDL against two lists of statements: tests/ddl/accepted.sql, all of which PostgreSQL takes, and
//! tests/ddl/rejected.sql, where a line of comment under each statement points at the place of the error and says what
//! is reported.

use pgassay::source::{SourceFile, Sources};
use pgassay::sql::read_script;

/// Each statement's text, with the error's place and message if it has one.
fn read(text: &str) -> Vec<(String, Option<(usize, String)>)> {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("statements.sql", text));
    let script = read_script(file, sources.file(file));
    script
        .statements
        .iter()
        .map(|statement| {
            let error = statement.change.as_ref().err().map(|error| (error.span.start as usize, error.message.clone()));
            (sources.slice(statement.span).to_string(), error)
        })
        .collect()
}

#[test]
fn every_valid_statement_is_read() {
    let text = include_str!("../ddl/accepted.sql");
    let statements = read(text);
    let failed: Vec<_> = statements.iter().filter_map(|(sql, error)| Some((sql, error.as_ref()?))).collect();
    let shown: Vec<String> =
        failed.iter().map(|(sql, (at, message))| format!("{sql}\n    {message}: {:.30}", &text[*at..])).collect();
    assert!(failed.is_empty(), "{} of {} are not read:\n{}", failed.len(), statements.len(), shown.join("\n"));
    assert!(statements.len() >= 600, "only {} statements were found", statements.len());
}

#[test]
fn every_invalid_statement_is_refused_at_its_place() {
    let text = include_str!("../ddl/rejected.sql");
    let mut lines = text.lines().filter(|line| !line.starts_with("-- Not ")).peekable();
    let mut wrong = Vec::new();
    while let Some(sql) = lines.next() {
        let expected = lines.next().unwrap_or_default();
        let found = match read(sql).into_iter().next().and_then(|(_, error)| error) {
            Some((at, message)) => format!("--{}^ {message}", " ".repeat(at.saturating_sub(2))),
            None => "it is read".to_string(),
        };
        if expected != found {
            wrong.push(format!("{sql}\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
