//! One spelling for statements that differ only in layout.
//!
//! In: the text of a statement. Out: its tokens with one space between them, without comments, unquoted words in lower case
//! (PostgreSQL folds them, manual, 4.1.1). The inside of a dollar-quoted string is treated alike, so that the body of a DO block
//! may be laid out anew. Meant for comparing, not for running: a dollar-quoted string can be data, whose spaces count.

use super::lexis;

/// How deep dollar quotes stand in one another before their text is taken as it is.
const DEPTH: usize = 4;

/// The tokens of a text, in one spelling. Never fails: what is not closed reaches to the end.
pub fn normalize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    append(text, DEPTH, &mut out);
    out
}

fn append(text: &str, depth: usize, out: &mut String) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if let Some(end) = blank_end(bytes, at) {
            at = end;
            continue;
        }
        let end = token_end(text, at);
        let token = text.get(at..end).unwrap_or_default();
        if !out.is_empty() {
            out.push(' ');
        }
        match bytes[at] {
            b'$' => dollar(token, depth, out),
            byte if lexis::begins_word(byte) && !token.ends_with('\'') => out.push_str(&token.to_lowercase()),
            _ => out.push_str(token),
        }
        at = end;
    }
}

/// The end of the spaces or the comment at an offset; `None` where a token stands.
fn blank_end(bytes: &[u8], at: usize) -> Option<usize> {
    let line_end = || bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length);
    match (bytes[at], bytes.get(at + 1)) {
        (b' ' | b'\t' | b'\r' | b'\n' | b'\x0b' | b'\x0c', _) => Some(at + 1),
        (b'-', Some(b'-')) => Some(line_end()),
        (b'/', Some(b'*')) => Some(lexis::block_comment_end(bytes, at).unwrap_or(bytes.len())),
        _ => None,
    }
}

fn token_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let end = match bytes[at] {
        b'\'' => lexis::string_end(bytes, at, false),
        b'"' => lexis::quoted_end(bytes, at),
        b'$' => match lexis::dollar_tag(bytes, at) {
            Some(opening) => lexis::dollar_quote_end(text, at, opening),
            None => Some(lexis::word_end(bytes, at + 1)),
        },
        byte if lexis::begins_word(byte) || byte.is_ascii_digit() => {
            let end = lexis::word_end(bytes, at);
            let escapes = bytes.get(end) == Some(&b'\'') && bytes[at..end].eq_ignore_ascii_case(b"e");
            if escapes { lexis::string_end(bytes, end, true) } else { Some(end) }
        }
        _ => Some(at + 1),
    };
    end.unwrap_or(bytes.len()).min(bytes.len())
}

/// A dollar-quoted string: its tag does not count, its text does.
fn dollar(token: &str, depth: usize, out: &mut String) {
    let inside = lexis::dollar_tag(token.as_bytes(), 0).and_then(|opening| {
        let end = token.len().checked_sub(opening).filter(|end| *end >= opening)?;
        token.get(opening..end)
    });
    match inside {
        Some(inside) if depth > 0 => {
            out.push_str("$$");
            append(inside, depth - 1, out);
            out.push_str(" $$");
        }
        _ => out.push_str(token),
    }
}

#[cfg(test)]
mod tests {
    use super::normalize;

    #[test]
    fn layout_case_and_comments_do_not_count() {
        let one = "ALTER TABLE Orders\n  -- why\n  ADD COLUMN \"Note\" text /* x /* y */ */ DEFAULT 'A  b'";
        assert_eq!(normalize(one), "alter table orders add column \"Note\" text default 'A  b'");
        assert_eq!(normalize("a=1"), normalize("A = 1"));
        assert_eq!(normalize("do $x$begin  null;end$x$"), normalize("DO $$ BEGIN\n NULL; -- x\nEND $$"));
    }

    #[test]
    fn literals_and_quoted_names_count() {
        assert_ne!(normalize("select 'a b'"), normalize("select 'a  b'"));
        assert_ne!(normalize("select E'\\'a'"), normalize("select E'\\'A'"));
        assert_ne!(normalize("drop table \"T\""), normalize("drop table \"t\""));
        assert_ne!(normalize("select $1"), normalize("select $2"));
    }

    #[test]
    fn what_is_not_closed_reaches_to_the_end() {
        for text in ["'a", "\"a", "$a$ b", "/* a", "e'\\", "e'a\\", "$", "é$$ß", "$$", "$$ $", "--", ""] {
            normalize(text);
        }
        assert_eq!(normalize("select $a$ B"), "select $a$ B");
    }
}
