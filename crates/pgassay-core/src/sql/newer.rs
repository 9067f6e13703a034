//! Forms of the language that not every supported server reads, each with the first version that does.
//!
//! In: the tokens of one statement. Out: every such form in it, with its place. What a name means is not known here: functions and
//! types that came with a version are for `expression`, and what only some tables refuse for `effect`.
//!
//! The versions are from the release notes of PostgreSQL 15 to 18 ("Migration" and "Changes").

mod forms;

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::lex::token::{Text, bytes_of};
use super::read::reader::is_word;
use crate::change::{Form, Newer};

/// A form, and how it is found.
struct Wanted {
    /// The words to look for: the first one finds it.
    word: &'static str,
    /// Whether the form stands at a token; where it does, the offset behind it.
    test: fn(&Tokens, usize) -> Option<usize>,
    form: Form,
}

/// The newer forms of a statement, in the order of its words.
pub(super) fn newer(text: &Text, tokens: &[TokenWithSpan]) -> Vec<Newer> {
    let all = Tokens(tokens);
    let mut found: Vec<Newer> = Vec::new();
    for at in 0..tokens.len() {
        match all.token(at) {
            Token::Word(word) if word.quote_style.is_none() => {
                for wanted in forms::starting_with(&word.value) {
                    if let Some(end) = all.ends(wanted, at) {
                        let (start, last) =
                            (bytes_of(&tokens[at]).0, bytes_of(&tokens[end.clamp(at + 1, tokens.len()) - 1]).1);
                        found.push(Newer { form: &wanted.form, span: text.span(start, last) });
                    }
                }
            }
            Token::Number(..) => found.extend(number(text, tokens, at)),
            _ => {}
        }
    }
    found
}

/// A number as only some servers read it. Its token has plain digits whatever the text has.
fn number(text: &Text, tokens: &[TokenWithSpan], at: usize) -> Option<Newer> {
    let (start, end) = bytes_of(&tokens[at]);
    let raw = text.text.get(start..end)?;
    if raw.contains(['_', 'x', 'X', 'o', 'O', 'b', 'B']) {
        return Some(Newer { form: &forms::BASED_NUMBER, span: text.span(start, end) });
    }
    let next =
        tokens.get(at + 1).filter(|next| matches!(&next.token, Token::Word(word) if word.quote_style.is_none()))?;
    let (first, last) = bytes_of(next);
    (first == end).then(|| Newer { form: &forms::JOINED_NUMBER, span: text.span(start, last) })
}

/// As [`newer`], of a statement of PL/pgSQL: there OLD and NEW may be the rows of a trigger.
pub(super) fn newer_in_body(text: &Text, tokens: &[TokenWithSpan]) -> Vec<Newer> {
    let mut found = newer(text, tokens);
    found.retain(|newer| newer.form.name != forms::OLD_AND_NEW);
    found
}

/// The tokens of a statement; behind the last one there is nothing but ends.
struct Tokens<'a>(&'a [TokenWithSpan]);

impl Tokens<'_> {
    fn ends(&self, wanted: &Wanted, at: usize) -> Option<usize> {
        let first = wanted.word.is_empty() || self.is(at, wanted.word);
        first.then(|| (wanted.test)(self, at)).flatten()
    }

    fn token(&self, at: usize) -> &Token {
        self.0.get(at).map_or(&Token::EOF, |token| &token.token)
    }

    fn before(&self, at: usize, distance: usize) -> &Token {
        at.checked_sub(distance).map_or(&Token::EOF, |before| self.token(before))
    }

    fn is(&self, at: usize, word: &str) -> bool {
        is_word(self.token(at), word)
    }

    fn is_any(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    /// The words in this order; the offset behind them.
    fn words(&self, at: usize, words: &[&str]) -> Option<usize> {
        words.iter().enumerate().all(|(n, word)| self.is(at + n, word)).then_some(at + words.len())
    }

    fn follows(&self, at: usize, word: &str) -> bool {
        at > 0 && self.is(at - 1, word)
    }

    /// Whether the statement begins with these words; words of no weight between them are skipped.
    fn begins(&self, words: &[&str]) -> bool {
        const SKIPPED: &[&str] = &["OR", "REPLACE", "TEMP", "TEMPORARY", "UNLOGGED", "LOCAL", "GLOBAL"];
        let mut at = 0;
        words.iter().enumerate().all(|(n, word)| {
            while n > 0 && self.is_any(at, SKIPPED) && !self.is(at, word) {
                at += 1;
            }
            let found = self.is(at, word);
            at += 1;
            found
        })
    }

    /// CREATE TABLE, ALTER TABLE and their foreign kin: where columns and constraints are defined.
    fn defines_table(&self) -> bool {
        [&["CREATE", "TABLE"][..], &["ALTER", "TABLE"], &["CREATE", "FOREIGN", "TABLE"], &["ALTER", "FOREIGN", "TABLE"]]
            .iter()
            .any(|words| self.begins(words))
    }

    /// The offset of the parenthesis that closes the one at an offset.
    fn closing(&self, at: usize) -> Option<usize> {
        let mut depth = 0usize;
        for offset in at..self.0.len() {
            match self.token(offset) {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                return (offset > at).then_some(offset);
            }
        }
        None
    }

    /// The offset of the parenthesis that an offset stands in.
    fn opening(&self, at: usize) -> Option<usize> {
        let mut depth = 0usize;
        for offset in (0..at).rev() {
            match self.token(offset) {
                Token::RParen => depth += 1,
                Token::LParen if depth == 0 => return Some(offset),
                Token::LParen => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// How deep in parentheses an offset stands.
    fn depth(&self, at: usize) -> usize {
        let mut depth = 0usize;
        for offset in 0..at {
            match self.token(offset) {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        depth
    }
}

#[cfg(test)]
mod tests;
