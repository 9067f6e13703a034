//! EF Core's scripts, `dotnet ef migrations script`: all migrations in one file, each of which ends with its row in
//! `__EFMigrationsHistory`. With `--idempotent` every statement is in a DO block that asks for that row first.

use std::ops::Range;

use super::scan::{is_quoted, pieces};

const TABLE: &str = "__EFMigrationsHistory";

/// The migrations of a script, each with its id. Empty for any other file.
pub(super) fn migrations(text: &str) -> Vec<(String, Range<usize>)> {
    if !text.contains(TABLE) {
        return Vec::new();
    }
    let mut found: Vec<(String, Range<usize>)> = Vec::new();
    let (mut start, mut ended) = (0, false);
    for piece in pieces(text, 0..text.len()) {
        let end = (piece.range.end + 1).min(text.len());
        let is_commit = piece.words.first().is_some_and(|word| word == "COMMIT");
        if ended && is_commit {
            if let Some((_, last)) = found.last_mut() {
                last.end = end;
            }
            start = end;
            continue;
        }
        ended = false;
        if let Some(id) = text.get(piece.range.clone()).and_then(noted) {
            found.push((id, start..end));
            (start, ended) = (end, true);
        }
    }
    let rest = pieces(text, start..text.len());
    if !found.is_empty() && !rest.is_empty() {
        // Not noted: whatever it is, it runs after the others.
        found.push(("the end of the script".to_owned(), start..text.len()));
    }
    found
}

/// The id that a statement writes into the table, if it does.
fn noted(statement: &str) -> Option<String> {
    let is_insert = |at: &usize| {
        let before = statement.get(..*at).unwrap_or_default().trim_end_matches(['"', '.']);
        let words: Vec<String> = before.split_whitespace().map(str::to_ascii_uppercase).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        matches!(words.as_slice(), [.., "INSERT", "INTO"] | [.., "INSERT", "INTO", _])
    };
    let at = statement.match_indices(TABLE).map(|(at, _)| at).find(is_insert)?;
    let is_do = pieces(statement, 0..statement.len()).first()?.words.first().is_some_and(|word| word == "DO");
    if !is_do && is_quoted(statement, at.saturating_sub(1)) {
        return None;
    }
    let values = statement.get(at..)?;
    let values = values.get(values.to_ascii_uppercase().find("VALUES")?..)?;
    let id = values.split_once('\'')?.1.split_once('\'')?.0;
    Some(id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::migrations;

    fn named(text: &str) -> Vec<(String, &str)> {
        migrations(text).into_iter().map(|(id, range)| (id, text[range].trim())).collect()
    }

    #[test]
    fn a_row_in_the_history_ends_a_migration() {
        let text = "START TRANSACTION;\nCREATE TABLE a ();\nINSERT INTO \"__EFMigrationsHistory\" (\"MigrationId\") VALUES ('1_A');\nCOMMIT;\n\
            START TRANSACTION;\nDROP TABLE a;\nINSERT INTO app.\"__EFMigrationsHistory\" VALUES ('2_B', '8');\nCOMMIT;\n";
        let found = named(text);
        assert_eq!(found.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["1_A", "2_B"]);
        assert!(found[1].1.starts_with("START TRANSACTION;\nDROP TABLE a;") && found[1].1.ends_with("COMMIT;"));
        assert!(named("CREATE TABLE \"__EFMigrationsHistory\" (id text); SELECT 1;").is_empty());
    }

    #[test]
    fn the_row_may_be_in_a_block() {
        let text = "DO $EF$\nBEGIN\n IF NOT EXISTS(SELECT 1 FROM \"__EFMigrationsHistory\" WHERE \"MigrationId\" = '1_A') THEN\n CREATE TABLE a ();\n END IF;\nEND $EF$;\n\
            DO $EF$\nBEGIN\n INSERT INTO \"__EFMigrationsHistory\" (\"MigrationId\") VALUES ('1_A');\nEND $EF$;\nCOMMIT;\nDROP TABLE a;\n";
        let found = named(text);
        assert_eq!(found.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["1_A", "the end of the script"]);
        assert_eq!(found[1].1, "DROP TABLE a;");
    }
}
