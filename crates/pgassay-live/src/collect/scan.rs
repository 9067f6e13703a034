//! The least of a SQL lexer that a tool's own view of a file needs: where statements end, and their first words.
//!
//! Knows comments, string literals, quoted names and dollar quotes; nothing of psql and nothing of grammar.

use std::ops::Range;

/// A statement of a text, without its semicolon, and with blank and comments before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub range: Range<usize>,
    /// Its words in upper case, without comments, literals and quoted names; only the first few.
    pub words: Vec<String>,
}

impl Piece {
    /// Whether PostgreSQL refuses the statement in a transaction block, as far as its first words tell.
    pub fn runs_alone(&self) -> bool {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["CREATE" | "DROP", "INDEX", "CONCURRENTLY", ..] | ["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY", ..] => {
                true
            }
            ["REINDEX", rest @ ..] => {
                rest.contains(&"CONCURRENTLY") || matches!(rest.first(), Some(&("DATABASE" | "SYSTEM" | "SCHEMA")))
            }
            ["CREATE" | "DROP", "DATABASE" | "TABLESPACE", ..] | ["VACUUM", ..] | ["ALTER", "SYSTEM", ..] => true,
            ["CREATE" | "DROP", "SUBSCRIPTION", ..] | ["CLUSTER"] | ["DISCARD", "ALL"] => true,
            _ => false,
        }
    }

    /// Whether it begins or ends a transaction block; savepoints do not.
    pub fn controls_transaction(&self) -> bool {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["ROLLBACK", "TO", ..] | ["ROLLBACK", "WORK" | "TRANSACTION", "TO", ..] => false,
            ["BEGIN" | "COMMIT" | "END" | "ABORT" | "ROLLBACK", ..] => true,
            ["START", "TRANSACTION", ..] => true,
            _ => false,
        }
    }
}

/// As many words as any test on a statement's head looks at.
const WORDS: usize = 8;

/// Splits at semicolons outside of literals, comments and parentheses. A piece without a word is left out.
pub(super) fn pieces(text: &str, range: Range<usize>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut piece = Piece { range: range.start..range.start, words: Vec::new() };
    let mut at = range.start;
    while at < range.end {
        let end = token_end(text, at).min(range.end);
        let token = &text[at..end];
        if token == ";" {
            piece.range.end = at;
            let next = Piece { range: end..end, words: Vec::new() };
            let done = std::mem::replace(&mut piece, next);
            pieces.extend((!done.words.is_empty()).then_some(done));
        } else if piece.words.len() < WORDS
            && token.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            && !token.ends_with('\'')
        {
            piece.words.push(token.to_ascii_uppercase());
        }
        at = end;
    }
    piece.range.end = range.end;
    pieces.extend((!piece.words.is_empty()).then_some(piece));
    pieces
}

/// Whether an offset stands inside of a literal, a quoted name, a dollar quote or a block comment.
pub(super) fn is_quoted(text: &str, offset: usize) -> bool {
    let mut at = 0;
    while at < offset {
        let end = token_end(text, at);
        if offset < end {
            return text[at..].starts_with(['\'', '"', '$', '/', 'E', 'e']);
        }
        at = end;
    }
    false
}

/// The tokens of a text, blank and comments too: a parameter such as `$1` is one.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        (start < text.len()).then(|| {
            at = token_end(text, at);
            let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
            if &text[start..at] == "$" {
                at += digits;
            }
            start..at
        })
    })
}

/// Where every statement of a text is, with the blank and the comments before it.
pub(crate) fn statements_of(text: &str) -> Vec<Range<usize>> {
    pieces(text, 0..text.len()).into_iter().map(|piece| piece.range).collect()
}

/// The first words of every statement of a text, in upper case.
pub(crate) fn words_of(text: &str) -> Vec<Vec<String>> {
    pieces(text, 0..text.len()).into_iter().map(|piece| piece.words).collect()
}

/// The places of colons outside of literals, quoted names, dollar quotes and comments.
pub(super) fn colons(text: &str, range: Range<usize>) -> impl Iterator<Item = usize> + '_ {
    let mut at = range.start;
    std::iter::from_fn(move || {
        while at < range.end {
            let start = at;
            at = token_end(text, at);
            if text[start..].starts_with(':') {
                return Some(start);
            }
        }
        None
    })
}

/// Where the token that starts at `at` ends; `at` is inside of the text.
fn token_end(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let length = if rest.starts_with("--") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        block_comment(rest)
    } else if rest.starts_with(['E', 'e']) && rest[1..].starts_with('\'') {
        1 + quoted(&rest[1..], '\'', true)
    } else if rest.starts_with('\'') {
        quoted(rest, '\'', false)
    } else if rest.starts_with('"') {
        quoted(rest, '"', false)
    } else if rest.starts_with('$') {
        dollar_quoted(rest)
    } else {
        word(rest)
    };
    at + length
}

/// A word with the `$` that it may hold, or one character.
fn word(rest: &str) -> usize {
    let is_word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '$');
    match rest.find(|character: char| !is_word(character)) {
        Some(0) => rest.chars().next().map_or(1, char::len_utf8),
        Some(end) => end,
        None => rest.len(),
    }
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut at, mut depth) = (0, 0);
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => (at, depth) = (at + 2, depth + 1),
            (b'*', Some(b'/')) => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// A doubled quote reads as an end and a beginning, which comes to the same.
fn quoted(rest: &str, quote: char, backslashes: bool) -> usize {
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        if character == '\\' && backslashes {
            characters.next();
        } else if character == quote {
            return at + 1;
        }
    }
    rest.len()
}

fn dollar_quoted(rest: &str) -> usize {
    let Some(close) = rest[1..].find('$') else { return 1 };
    let tag = &rest[..close + 2];
    let name = &rest[1..=close];
    if !name.chars().all(|c| c.is_alphanumeric() || c == '_') || name.starts_with(|c: char| c.is_ascii_digit()) {
        return 1;
    }
    rest[tag.len()..].find(tag).map_or(rest.len(), |end| tag.len() * 2 + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(text: &str) -> Vec<String> {
        pieces(text, 0..text.len()).into_iter().map(|piece| piece.words.join(" ")).collect()
    }

    #[test]
    fn splits_outside_of_literals_and_comments() {
        let text =
            "-- a; b\nselect ';', $$;$$, $x$;$$;$x$, E'\\';' /* ; /* ; */ ; */;\n\ncreate index \"a;b\" on t (a);;";
        assert_eq!(heads(text), ["SELECT", "CREATE INDEX ON T A"]);
    }

    #[test]
    fn ends_with_whatever_is_left_open() {
        assert_eq!(heads("select 'a"), ["SELECT"]);
        assert_eq!(heads("select $a$ b $c$"), ["SELECT"]);
        assert_eq!(heads("select $1 /* é"), ["SELECT 1"]);
        assert_eq!(heads(""), Vec::<String>::new());
    }

    #[test]
    fn knows_what_is_inside_of_a_literal() {
        let text = "select $$ -- x $$; -- y";
        assert!(is_quoted(text, text.find('x').unwrap()));
        assert!(!is_quoted(text, text.find('y').unwrap()));
    }
}
