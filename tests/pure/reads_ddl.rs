//! The readers of DDL against two lists of statements: tests/ddl/accepted.sql, all of which PostgreSQL takes, and
//! tests/ddl/rejected.sql, where a line of comment under each statement points at the place of the error and says what
//! is reported.

use std::collections::BTreeSet;
use std::path::Path;

use pgassay::change::Change;
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

/// Every step that a statement can be read into is read from one of the list, or from a case about what statements do.
#[test]
fn every_form_has_a_statement() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut paths = vec![tests.join("ddl/accepted.sql"), tests.join("refusals/statements.sql")];
    paths.extend(std::fs::read_dir(tests.join("effects")).expect("tests/effects").flatten().map(|entry| entry.path()));
    let mut sources = Sources::default();
    let mut read: BTreeSet<&str> = BTreeSet::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a list of statements");
        let file = sources.add(SourceFile::new("statements.sql", text));
        let script = read_script(file, sources.file(file));
        read.extend(script.statements.iter().filter_map(|it| it.change.as_ref().ok()).flat_map(Change::names));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/pgassay-core/src/change");
    let text = |file: &str| std::fs::read_to_string(folder.join(file)).expect("a source file");
    let (changes, actions) = (text("mod.rs"), text("alter_table.rs"));
    let named = changes.split("one(\"").skip(1).chain(actions.split("=> \"").skip(1));
    let named: BTreeSet<&str> = named.filter_map(|rest| rest.split('"').next()).collect();
    assert!(named.len() >= 90, "{} names", named.len());
    let unread: Vec<&&str> = named.difference(&read).collect();
    assert!(unread.is_empty(), "no statement of tests/ddl/accepted.sql or tests/effects is read as {unread:?}");
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
