//! First words that no grammar of PostgreSQL has, one slip away from one that it has: `CREAT INDEX`, `ALTER TABEL`.
//!
//! No extension adds to the grammar, so the server refuses them. A word that is like none of these may be newer than this list, or
//! another tool's, and is left alone.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::lex::token::{Text, bytes_of};
use crate::change::Unreadable;

/// What a statement begins with (`stmt`, gram.y).
const STATEMENTS: &[&str] = &[
    "ABORT",
    "ALTER",
    "ANALYSE",
    "ANALYZE",
    "BEGIN",
    "CALL",
    "CHECKPOINT",
    "CLOSE",
    "CLUSTER",
    "COMMENT",
    "COMMIT",
    "COPY",
    "CREATE",
    "DEALLOCATE",
    "DECLARE",
    "DELETE",
    "DISCARD",
    "DROP",
    "EXECUTE",
    "EXPLAIN",
    "FETCH",
    "GRANT",
    "IMPORT",
    "INSERT",
    "LISTEN",
    "LOAD",
    "LOCK",
    "MERGE",
    "MOVE",
    "NOTIFY",
    "PREPARE",
    "REASSIGN",
    "REFRESH",
    "REINDEX",
    "RELEASE",
    "REPACK",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "SECURITY",
    "SELECT",
    "SHOW",
    "START",
    "TABLE",
    "TRUNCATE",
    "UNLISTEN",
    "UPDATE",
    "VACUUM",
    "VALUES",
    "WAIT",
    "WITH",
];

/// What stands behind CREATE, ALTER or DROP.
const OBJECTS: &[&str] = &[
    "ACCESS",
    "AGGREGATE",
    "ASSERTION",
    "CAST",
    "COLLATION",
    "CONSTRAINT",
    "CONVERSION",
    "DATABASE",
    "DEFAULT",
    "DOMAIN",
    "EVENT",
    "EXTENSION",
    "FOREIGN",
    "FUNCTION",
    "GLOBAL",
    "GROUP",
    "INDEX",
    "LANGUAGE",
    "LARGE",
    "LOCAL",
    "MATERIALIZED",
    "OPERATOR",
    "OWNED",
    "POLICY",
    "PROCEDURAL",
    "PROCEDURE",
    "PROPERTY",
    "PUBLICATION",
    "RECURSIVE",
    "ROLE",
    "ROUTINE",
    "RULE",
    "SCHEMA",
    "SEQUENCE",
    "SERVER",
    "STATISTICS",
    "SUBSCRIPTION",
    "SYSTEM",
    "TABLE",
    "TABLESPACE",
    "TEMP",
    "TEMPORARY",
    "TEXT",
    "TRANSFORM",
    "TRIGGER",
    "TRUSTED",
    "TYPE",
    "UNIQUE",
    "UNLOGGED",
    "USER",
    "VIEW",
];

/// Words behind CREATE that the kind of object follows.
const BEFORE_KIND: &[&str] =
    &["GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED", "UNIQUE", "RECURSIVE", "CONSTRAINT", "TRUSTED", "PROCEDURAL"];

/// Shorter words are near too many others.
const SHORTEST: usize = 4;

/// Why the server refuses a statement that could not be read, where its first words say so.
pub(super) fn refused(text: Text, tokens: &[TokenWithSpan]) -> Option<Unreadable> {
    let mut words = tokens.iter().filter(|it| !matches!(it.token, Token::Whitespace(_)));
    let first = words.next()?;
    let second = words.next()?;
    let verb = word(first)?;
    // A PL/pgSQL assignment, a label or a marker of a tool goes on otherwise.
    if !matches!(second.token, Token::Word(_) | Token::Mul | Token::Number(..)) {
        return None;
    }
    if let Some(meant) = meant(&verb, STATEMENTS) {
        return Some(told(text, first, format!("no statement begins with {verb}"), meant));
    }
    if !matches!(verb.as_str(), "CREATE" | "ALTER" | "DROP") {
        return None;
    }
    let mut kind = second;
    while word(kind).is_some_and(|it| verb == "CREATE" && BEFORE_KIND.contains(&it.as_str())) {
        kind = words.next()?;
    }
    let written = word(kind)?;
    let meant = meant(&written, OBJECTS)?;
    Some(told(text, kind, format!("there is no {verb} {written}"), meant))
}

fn told(text: Text, token: &TokenWithSpan, what: String, meant: &str) -> Unreadable {
    let (start, end) = bytes_of(token);
    Unreadable::invalid(format!("{what}: a syntax error; did you mean {meant}?"), text.span(start, end))
}

fn word(token: &TokenWithSpan) -> Option<String> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_uppercase()),
        _ => None,
    }
}

/// The word that was meant, unless what is written is one.
fn meant(written: &str, known: &'static [&'static str]) -> Option<&'static str> {
    // What does not show is named where the statement could not be read.
    if written.len() < SHORTEST || !written.is_ascii() || known.contains(&written) {
        return None;
    }
    // One letter too many, too few or another, or two that changed places.
    known.iter().copied().filter(|it| it.len() >= SHORTEST).find(|it| strsim::osa_distance(written, it) == 1)
}

#[cfg(test)]
mod tests {
    use crate::change::UnreadableKind;
    use crate::source::{FileId, SourceFile};
    use crate::sql::read_script;

    fn refused(text: &str) -> Option<String> {
        let script = read_script(FileId(0), &SourceFile::new("a.sql", text));
        let error = script.statements.into_iter().find_map(|it| it.change.err())?;
        (error.kind == UnreadableKind::Invalid).then_some(error.message)
    }

    #[test]
    fn a_slip_in_the_first_words_is_refused() {
        for (text, meant) in [
            ("ALTER TABEL accounts ADD COLUMN note text", "TABLE"),
            ("CREAT INDEX i ON t (a)", "CREATE"),
            ("CREATE UNIQUE INDX i ON t (a)", "INDEX"),
            ("DROP TABEL t", "TABLE"),
            ("SELCT * FROM t", "SELECT"),
            ("INSERTT INTO t VALUES (1)", "INSERT"),
            ("updaet t SET a = 1", "UPDATE"),
        ] {
            let message = refused(text).unwrap_or_default();
            assert!(message.ends_with(&format!("did you mean {meant}?")), "{text}: {message}");
        }
    }

    #[test]
    fn what_may_be_newer_or_another_tools_is_not() {
        for text in [
            "CREATE SYNONYM a FOR b",
            "CREATE PACKAGE p AS x",
            "CREATE PROPERTY GRAPH g",
            "OPTIMIZE TABLE t",
            "PRINT 'x'",
            "CREATE \"TABEL\" t (a int)",
            "DROP ${kind} t",
            "creat: next",
            "ALTER TABLE t ADD COLUMN note text WITH LOVE",
        ] {
            assert_eq!(refused(text), None, "{text}");
        }
    }
}
