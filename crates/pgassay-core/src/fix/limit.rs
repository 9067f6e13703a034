//! A file that lacks nothing but a limit: the statement that sets one, below what its tool reads and above the first statement.

use super::Ways;
use crate::migration::{Framework, Migration};
use crate::source::Sources;

/// The text as it is, with a limit before its first statement and the comments of that.
pub(super) fn with_limit(sources: &Sources, migration: &Migration, limit: &str) -> String {
    let source = sources.file(migration.file);
    let text = source.original();
    let first = migration.sections.first().map_or(0, |it| source.original_range(it.span).start);
    let statements = crate::sql::read_script(migration.file, source).statements;
    let inside = |at: u32| migration.sections.iter().any(|it| it.span.start <= at && at < it.span.end);
    let statement = statements.iter().find(|it| inside(it.span.start));
    let start = statement.map_or(first, |it| source.original_range(it.span).start);
    let mut at = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    while let Some(before) = at.checked_sub(1).and_then(|end| text.get(..end)) {
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        let words = before.get(line..).unwrap_or_default().trim();
        let is_comment = words.is_empty() || words.starts_with("--") && !is_marker(words);
        if !is_comment && !words.contains("StatementBegin") {
            break;
        }
        at = line;
    }
    // What is sent by itself, or first of a batch, is in no transaction block yet: SET LOCAL would do nothing.
    let alone = migration.framework == Framework::Supabase
        || migration.framework == Framework::Goose && Ways::of(migration).unwrapped;
    // Two statements of one string are a transaction: the limit goes no further.
    let is_string = migration.sections.iter().all(|section| section.transaction.is_one_string());
    let limit = match limit.strip_prefix("SET ").filter(|rest| !rest.starts_with("LOCAL ")) {
        _ if alone => limit.replacen("SET LOCAL ", "SET ", 1),
        Some(rest) if is_string => format!("SET LOCAL {rest}"),
        _ => limit.to_owned(),
    };
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    format!("{}{limit};{end}{}", text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default())
}

/// What a tool reads, and has to stay above all statements.
fn is_marker(line: &str) -> bool {
    let tool = [
        "+goose",
        "+migrate",
        "migrate:",
        "no-transaction",
        "atlas:",
        "changeset",
        "liquibase",
        "-- rambler",
        "====",
        "!Ups",
        "transactional:",
        "depends:",
    ];
    tool.iter().any(|word| line.contains(word)) || line.to_lowercase().contains("up migration")
}
