//! What a statement makes of standard_conforming_strings: text behind it is read under other rules (manual, 19.13.1).

use sqlparser::tokenizer::Token;

use super::lexer::Rules;
use super::token::{Text, tokenize};
use crate::source::FileId;
use crate::sql::read::reader::is_word;

pub(super) const NAME: &str = "standard_conforming_strings";

/// The rules behind a statement, which stands under these. SET LOCAL counts as SET: where its transaction ends is not known here.
pub(super) fn behind(statement: &str, rules: Rules) -> Rules {
    let text = Text { rules, ..Text::whole(FileId(0), statement) };
    let tokens: Vec<Token> = tokenize(&text).unwrap_or_default().into_iter().map(|token| token.token).collect();
    let value = match tokens.first() {
        Some(first) if is_word(first, "SET") => set(&tokens),
        Some(first) if is_word(first, "RESET") || is_word(first, "DISCARD") => reset(&tokens),
        Some(first) if is_word(first, "SELECT") => set_config(&tokens),
        _ => None,
    };
    value.map_or(rules, |standard_conforming_strings| Rules { standard_conforming_strings })
}

/// `SET [SESSION | LOCAL] standard_conforming_strings TO value`.
fn set(tokens: &[Token]) -> Option<bool> {
    let scope = usize::from(tokens.get(1).is_some_and(|token| is_word(token, "SESSION") || is_word(token, "LOCAL")));
    match tokens.get(1 + scope..)? {
        [name, equals, value, ..] if is_name(name) && (*equals == Token::Eq || is_word(equals, "TO")) => boolean(value),
        _ => None,
    }
}

/// `RESET standard_conforming_strings`, `RESET ALL`, `DISCARD ALL`: the server's own value is on.
fn reset(tokens: &[Token]) -> Option<bool> {
    tokens.get(1).filter(|name| is_name(name) || is_word(name, "ALL")).map(|_| true)
}

/// `set_config('standard_conforming_strings', value, …)`, wherever it is in the statement.
fn set_config(tokens: &[Token]) -> Option<bool> {
    let mut calls = tokens.windows(5).filter_map(|call| match call {
        [function, Token::LParen, Token::SingleQuotedString(name), Token::Comma, value]
            if is_word(function, "set_config") && name.eq_ignore_ascii_case(NAME) =>
        {
            boolean(value)
        }
        _ => None,
    });
    calls.next_back()
}

fn is_name(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case(NAME))
}

/// As the server reads a boolean (parse_bool, bool.c): a beginning of the word is enough where it is no beginning of another.
fn boolean(value: &Token) -> Option<bool> {
    let text = match value {
        Token::Word(word) => &word.value,
        Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) | Token::Number(text, _) => text,
        _ => return None,
    };
    let text = text.to_ascii_lowercase();
    let begins = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    let on = text == "1" || text == "on" || text == "default" || begins("true", 1) || begins("yes", 1);
    let off = text == "0" || begins("off", 2) || begins("false", 1) || begins("no", 1);
    (on || off).then_some(on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_set_it_are_known() {
        let on = Rules::default();
        let off = Rules { standard_conforming_strings: false };
        for text in [
            "SET standard_conforming_strings = off",
            "set session Standard_Conforming_Strings to 'of'",
            "SET LOCAL \"standard_conforming_strings\" TO 0",
            "SELECT pg_catalog.set_config('standard_conforming_strings', 'f', false)",
        ] {
            assert_eq!(behind(text, on), off, "{text}");
        }
        for text in [
            "RESET standard_conforming_strings",
            "DISCARD ALL",
            "SET standard_conforming_strings TO DEFAULT",
            "SET standard_conforming_strings = 'on'",
        ] {
            assert_eq!(behind(text, off), on, "{text}");
        }
        for text in ["SET search_path = standard_conforming_strings", "SHOW standard_conforming_strings", "RESET x"] {
            assert_eq!((behind(text, on), behind(text, off)), (on, off), "{text}");
        }
    }
}
