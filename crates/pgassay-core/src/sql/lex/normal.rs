//! One spelling for statements that differ only in layout.
//!
//! In: the text of a statement. Out: its tokens with one space between them, without comments, unquoted words in lower case
//! (PostgreSQL folds them, manual, 4.1.1). The inside of a dollar-quoted string is treated alike, so that the body of a DO block
//! may be laid out anew. Meant for comparing, not for running: a dollar-quoted string can be data, whose spaces count.

use super::lexer::{Lexeme, Rules, Unclosed, lexeme};

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
        let (lexeme, mut end) = lexeme(bytes, at, Rules::default());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        let token = &text[at..end];
        at = end;
        if matches!(lexeme, Lexeme::Space | Lexeme::LineComment | Lexeme::BlockComment)
            || lexeme == Lexeme::Unclosed(Unclosed::Comment)
        {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        match lexeme {
            Lexeme::DollarString(opening) => dollar(token, opening, depth, out),
            Lexeme::Word => out.push_str(&token.to_lowercase()),
            _ => out.push_str(token),
        }
    }
}

/// A dollar-quoted string: its tag does not count, its text does.
fn dollar(token: &str, opening: usize, depth: usize, out: &mut String) {
    match token.get(opening..token.len() - opening) {
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
