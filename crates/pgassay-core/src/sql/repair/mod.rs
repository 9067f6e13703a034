//! Rewrites constructs of PostgreSQL that sqlparser does not know into ones that it reads.
//!
//! Tried only for a statement that could not be read as it is. A rewritten statement names the same relations and columns and keeps
//! the place of every token that is left; what is lost (a collation, a sampling method, the shape of JSON) no model looks at. Every
//! rule looks at one token and those around it; what no rule knows stays, so an error stays an error.

mod clause;
mod json;
mod operator;

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::read::reader::is_word;

/// The tokens rewritten; `None` when no rule had anything to do.
pub(super) fn repair(tokens: Vec<TokenWithSpan>) -> Option<Vec<TokenWithSpan>> {
    let mut rewrite = Rewrite { defines: defines(&tokens), out: Vec::with_capacity(tokens.len() + 8), tokens };
    let (mut at, mut changed) = (0, false);
    while at < rewrite.tokens.len() {
        match RULES.iter().find_map(|rule| rule(&mut rewrite, at)) {
            // A rule may ask to go on inside what it opened, but always moves on.
            Some(next) => {
                changed = true;
                at = next.max(at + 1);
            }
            None => {
                rewrite.keep(at);
                at += 1;
            }
        }
    }
    changed.then_some(rewrite.out)
}

/// Looks at the token at an offset; writes what replaces it and says where to go on, or does nothing.
type Rule = fn(&mut Rewrite, usize) -> Option<usize>;

const RULES: &[Rule] = &[
    clause::variadic,
    clause::operator,
    clause::star_of_value,
    clause::collate,
    clause::star_of_table,
    clause::trim_from,
    clause::row_lock,
    clause::frame_bound,
    clause::empty_select,
    clause::typed_literal,
    clause::substring_similar,
    clause::table_sample,
    clause::grouping,
    clause::conflict_target,
    clause::assigned_element,
    clause::current_of,
    clause::rows_from,
    clause::table_query,
    clause::at_local,
    clause::left_out,
    operator::is_null,
    operator::search_and_cycle,
    operator::join_alias,
    operator::typed_columns,
    operator::list_of_queries,
    operator::any_operator,
    operator::custom_operator,
    operator::xml,
    json::is_json,
    json::json_function,
];

/// Whether the statement defines something: there a COLLATE or a word before a string means something else.
fn defines(tokens: &[TokenWithSpan]) -> bool {
    let first = tokens.first().map(|token| &token.token);
    first.is_some_and(|first| ["CREATE", "ALTER", "COMMENT", "SECURITY"].iter().any(|word| is_word(first, word)))
}

pub(super) struct Rewrite {
    pub tokens: Vec<TokenWithSpan>,
    pub out: Vec<TokenWithSpan>,
    pub defines: bool,
}

impl Rewrite {
    pub(super) fn token(&self, at: usize) -> &Token {
        self.tokens.get(at).map_or(&Token::EOF, |token| &token.token)
    }

    /// The token before an offset, as it was written.
    pub(super) fn before(&self, at: usize) -> &Token {
        at.checked_sub(1).map_or(&Token::EOF, |before| self.token(before))
    }

    pub(super) fn is(&self, at: usize, word: &str) -> bool {
        is_word(self.token(at), word)
    }

    pub(super) fn is_any(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    pub(super) fn is_all(&self, at: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(n, word)| self.is(at + n, word))
    }

    pub(super) fn keep(&mut self, at: usize) {
        self.out.extend(self.tokens.get(at).cloned());
    }

    /// Writes a token in the place of another.
    pub(super) fn put(&mut self, at: usize, token: Token) {
        if let Some(old) = self.tokens.get(at).or(self.tokens.last()) {
            self.out.push(TokenWithSpan { token, span: old.span });
        }
    }

    pub(super) fn put_word(&mut self, at: usize, word: &str) {
        self.put(at, Token::make_keyword(word));
    }

    /// The offset of the bracket that closes the one at an offset; `None` when it is not one, or never closed.
    pub(super) fn closing(&self, at: usize) -> Option<usize> {
        let mut depth = 0usize;
        for (offset, token) in self.tokens.iter().enumerate().skip(at) {
            match token.token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                return (offset > at).then_some(offset);
            }
        }
        None
    }

    /// Behind a name with its dots.
    pub(super) fn name_end(&self, at: usize) -> usize {
        let mut end = at + 1;
        while *self.token(end) == Token::Period && matches!(self.token(end + 1), Token::Word(_)) {
            end += 2;
        }
        end
    }
}

#[cfg(test)]
mod tests;
