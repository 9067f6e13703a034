//! Rewrites clauses of PostgreSQL that sqlparser does not know into ones that it reads.
//!
//! Tried only where reading stopped, one rule at one token at a time: the rest of the statement stays as it was written. What is
//! rewritten names the same relations and columns, keeps the place of every token that is left, and keeps what is true of a row: an
//! expression that sqlparser lacks is read in `lex::special`, never rewritten here. What is lost (a sampling method, a window's
//! exclusion) no model looks at. What no rule knows stays, so an error stays an error.

mod clause;
mod operator;
mod table_function;

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::read::reader::is_word;

/// The tokens with what begins at an offset rewritten; `None` when no rule knows it.
pub(super) fn repair_at(tokens: &[TokenWithSpan], at: usize) -> Option<Vec<TokenWithSpan>> {
    let mut out = Vec::with_capacity(tokens.len() + 8);
    out.extend_from_slice(tokens.get(..at)?);
    let mut rewrite = Rewrite { defines: defines(tokens), out, tokens };
    let next = RULES.iter().find_map(|rule| rule(&mut rewrite, at))?;
    rewrite.out.extend_from_slice(tokens.get(next..).unwrap_or_default());
    Some(rewrite.out)
}

/// Looks at the token at an offset; writes what replaces it and says where to go on, or does nothing.
type Rule = for<'a> fn(&mut Rewrite<'a>, usize) -> Option<usize>;

const RULES: &[Rule] = &[
    clause::star_of_value,
    clause::star_of_table,
    clause::returned_rows,
    clause::merged_join,
    clause::row_lock,
    clause::frame_bound,
    clause::empty_select,
    clause::table_sample,
    clause::grouping,
    clause::conflict_target,
    clause::assigned_element,
    clause::current_of,
    clause::rows_from,
    clause::word_as_name,
    clause::fetch_expression,
    clause::table_query,
    clause::left_out,
    operator::search_and_cycle,
    operator::join_alias,
    operator::typed_columns,
    table_function::table_function,
];

/// Whether the statement defines something: there a COLLATE or a word before a string means something else.
fn defines(tokens: &[TokenWithSpan]) -> bool {
    let first = tokens.first().map(|token| &token.token);
    first.is_some_and(|first| ["CREATE", "ALTER", "COMMENT", "SECURITY"].iter().any(|word| is_word(first, word)))
}

pub(super) struct Rewrite<'a> {
    pub tokens: &'a [TokenWithSpan],
    pub out: Vec<TokenWithSpan>,
    pub defines: bool,
}

impl Rewrite<'_> {
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
