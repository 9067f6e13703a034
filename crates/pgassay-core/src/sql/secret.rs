//! Passwords in SQL text: where they stand, so that they can be told and not be shown.
//!
//! In: the text of a file. Out: the span of every password in it: what follows PASSWORD in CREATE ROLE, ALTER ROLE and in OPTIONS, and
//! the password of a connection string, also inside of function bodies and of strings that are executed. Other strings are not
//! looked into: a value in a table is data.

use sqlparser::tokenizer::Token;

use super::lex::lexer::{Lexeme, lexeme};
use super::lex::split::{Sender, split};
use super::lex::token::{Text, bytes_of, tokenize};
use crate::source::{SourceFile, Sources, Span};

/// How deep bodies within bodies are looked into.
const DEEPEST: usize = 3;

/// The passwords in a part of a file, in the order of the text.
pub fn secrets(source: &SourceFile, section: Span) -> Vec<Span> {
    let whole = Text::whole(section.file, &source.text);
    let mut found = Vec::new();
    let section = whole.part(section.start as usize, section.end as usize);
    if may_hold_one(section.text) {
        statements(&section, DEEPEST, &mut found);
    }
    found
}

/// Puts asterisks in the place of passwords: from here on the files may be shown, and not be run.
pub fn hide_secrets(sources: &mut Sources) {
    sources.hide(secrets);
}

/// A quick look that most texts do not pass. Whole words in other mixtures of cases nobody writes.
fn may_hold_one(text: &str) -> bool {
    ["assword", "ASSWORD", "assWord", "://"].iter().any(|part| text.contains(part))
}

fn statements(text: &Text, depth: usize, found: &mut Vec<Span>) {
    for piece in split(text.text, text.rules, Sender::Psql).pieces {
        let piece = Text { rules: piece.rules, ..text.part(piece.range.start, piece.range.end) };
        if may_hold_one(piece.text) {
            statement(&piece, depth, found);
        }
    }
}

fn statement(text: &Text, depth: usize, found: &mut Vec<Span>) {
    let tokens = tokenize(text).unwrap_or_default();
    let mut behind_password = false;
    for token in &tokens {
        let (start, end) = bytes_of(token);
        let Some(inner) = contents(text, start, end) else {
            behind_password = matches!(&token.token, Token::Word(word) if word.value.eq_ignore_ascii_case("password"));
            continue;
        };
        let value = text.part(inner.start, inner.end);
        if std::mem::take(&mut behind_password) {
            if !value.text.is_empty() {
                found.push(value.span(0, value.text.len()));
            }
        } else if let Some(password) = in_connection_string(value.text) {
            found.push(value.span(password.start, password.end));
        } else if depth > 0 && may_hold_one(value.text) {
            inside(&value, depth - 1, found);
        }
    }
}

/// The bytes between the quotes of a string constant.
fn contents(text: &Text, start: usize, end: usize) -> Option<std::ops::Range<usize>> {
    let raw = text.text.get(start..end)?;
    let (opening, closing) = match lexeme(raw.as_bytes(), 0, text.rules).0 {
        Lexeme::DollarString(opening) => (opening, opening),
        Lexeme::String(_) => (raw.find('\'')? + 1, 1),
        _ => return None,
    };
    let inner = start + opening..end.checked_sub(closing)?;
    (inner.start <= inner.end).then_some(inner)
}

/// A body, or a statement that is executed: quotes in a string constant are written twice, which [`doubled`] reads.
fn inside(text: &Text, depth: usize, found: &mut Vec<Span>) {
    match text.text.contains("''") {
        true => doubled(text, found),
        false => statements(text, depth, found),
    }
}

/// `PASSWORD ''…''` in a string constant that holds a statement.
fn doubled(text: &Text, found: &mut Vec<Span>) {
    let lower = text.text.to_ascii_lowercase();
    if !["create", "alter"].iter().any(|word| lower.contains(word)) {
        return;
    }
    let mut from = 0;
    while let Some(at) = lower.get(from..).and_then(|rest| rest.find("password")) {
        from += at + "password".len();
        let rest = &text.text[from..];
        let start = from + rest.len() - rest.trim_start().len();
        let Some(value) = text.text.get(start..).and_then(|rest| rest.strip_prefix("''")) else { continue };
        let length = value.find("''").unwrap_or(value.len());
        if start > from && length > 0 {
            found.push(text.span(start + 2, start + 2 + length));
        }
        from = start + 2 + length;
    }
}

/// `password=…` beside other words of a connection string, or `scheme://user:password@host`.
fn in_connection_string(text: &str) -> Option<std::ops::Range<usize>> {
    in_url(text).or_else(|| in_pairs(text))
}

fn in_url(text: &str) -> Option<std::ops::Range<usize>> {
    let authority = text.find("://")? + "://".len();
    let rest = &text[authority..];
    let end = rest.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(rest.len());
    let user = &rest[..rest[..end].rfind('@')?];
    let colon = user.find(':')?;
    (colon + 1 < user.len()).then_some(authority + colon + 1..authority + user.len())
}

/// As libpq reads it (conninfo_parse, fe-connect.c): spaces may stand around `=`, and quotes around the value.
fn in_pairs(text: &str) -> Option<std::ops::Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let key = |name: &str| {
        lower.match_indices(name).find_map(|(at, _)| {
            let starts = !lower[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let rest = lower[at + name.len()..].trim_start();
            (starts && rest.starts_with('=')).then(|| lower.len() - rest.len() + 1)
        })
    };
    let value = key("password")?;
    ["host", "hostaddr", "user", "dbname", "port", "service"].iter().find_map(|name| key(name))?;
    let start = value + text[value..].len() - text[value..].trim_start().len();
    let quotes = text[start..].len() - text[start..].trim_start_matches('\'').len();
    let start = start + quotes;
    let stops = |c: char| if quotes > 0 { c == '\'' } else { c.is_whitespace() || c == '\'' };
    let length = text[start..].find(stops).unwrap_or(text.len() - start);
    (length > 0).then_some(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Substitution};

    fn found(text: &str) -> Vec<String> {
        let mut sources = Sources::default();
        let file = sources.add(SourceFile::new("a.sql", text));
        let whole = Span::new(FileId(0), 0, text.len());
        secrets(sources.file(file), whole).into_iter().map(|span| sources.slice(span).to_owned()).collect()
    }

    #[test]
    fn passwords_are_found_wherever_they_are_written() {
        for (text, password) in [
            ("CREATE ROLE app LOGIN PASSWORD 'hunter2';", "hunter2"),
            ("ALTER USER app WITH ENCRYPTED PASSWORD E'hun\\'ter2' VALID UNTIL 'infinity'", "hun\\'ter2"),
            ("create role app password $x$hunter2$x$", "hunter2"),
            ("CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'a', password 'hunter2')", "hunter2"),
            ("CREATE SUBSCRIPTION s CONNECTION 'host=db user=a password=hunter2 dbname=x' PUBLICATION p", "hunter2"),
            ("CREATE SUBSCRIPTION s CONNECTION 'host=db password = ''hun ter2'' dbname=x' PUBLICATION p", "hun ter2"),
            ("SELECT dblink_connect('postgres://app:hunter2@db:5432/x')", "hunter2"),
            ("DO $$ BEGIN CREATE ROLE app PASSWORD 'hunter2'; END $$", "hunter2"),
            ("DO $$ BEGIN EXECUTE 'CREATE ROLE app PASSWORD ''hunter2'''; END $$", "hunter2"),
            ("CREAT ROLE app PASSWORD 'hunter2'", "hunter2"),
        ] {
            assert_eq!(found(text), [password], "{text}");
        }
    }

    #[test]
    fn words_about_passwords_are_none() {
        for text in [
            "CREATE ROLE app PASSWORD NULL",
            "CREATE TABLE users (password text DEFAULT '', password_hash text)",
            "UPDATE users SET password = 'reset' WHERE name = 'a'",
            "INSERT INTO texts VALUES ('forgot_password', 'Forgot your password ''really''?')",
            "COMMENT ON COLUMN users.password IS 'bcrypt'",
            "INSERT INTO links VALUES ('https://example.org/a:b@c', '/reset?password=1')",
            "SELECT 'password' 'x'",
        ] {
            assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        }
    }

    #[test]
    fn passwords_are_not_shown_and_placeholders_keep_their_names() {
        let original = "CREATE ROLE a PASSWORD 'grün';\nCREATE ROLE b PASSWORD '${word}';";
        let at = original.find("${word}").unwrap() as u32;
        let value = Substitution { start: at, end: at + 7, value: "hunter2".to_owned() };
        let mut sources = Sources::default();
        let file = sources.add(SourceFile::substituted("a.sql", original, &[value]));
        let mut shown = sources.clone();
        hide_secrets(&mut shown);
        assert_eq!(&*shown.file(file).text, "CREATE ROLE a PASSWORD '*****';\nCREATE ROLE b PASSWORD '*******';");
        assert_eq!(shown.file(file).original(), "CREATE ROLE a PASSWORD '*****';\nCREATE ROLE b PASSWORD '${word}';");
        let b = Span::new(file, shown.file(file).text.rfind("ROLE").unwrap(), shown.file(file).text.len());
        assert_eq!(shown.positions(b), sources.positions(b));
    }
}
