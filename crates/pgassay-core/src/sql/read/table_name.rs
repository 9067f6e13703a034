//! How queries name tables where sqlparser's tree has no place for it: `ONLY t`, `TABLE t`.
//!
//! In: the tokens of a query, before they are parsed. Out: the same tokens without ONLY, and with `SELECT * FROM t` for `TABLE t`. The
//! text stays: whether ONLY was written is read from it.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::reader::{self, Reader, is_word};
use crate::sql::lex::keyword::{QUERY, can_name_column};

/// What may be before ONLY, besides a comma: the same word may be a label.
const BEFORE_ONLY: &[&str] = &["FROM", "JOIN", "UPDATE", "INTO", "USING", "LATERAL"];

/// Words after which TABLE is no query: `SELECT … INTO [TEMPORARY] TABLE t`, `GRANT … ON TABLE t`.
const BEFORE_NO_QUERY: &[&str] = &["INTO", "TEMP", "TEMPORARY", "UNLOGGED", "LOCAL", "GLOBAL", "ON"];

impl Reader<'_> {
    /// Rewrites the names of tables in the queries of the expression that begins at a position, and says whether there are any queries.
    pub(super) fn rewrite_names_in_expression(&mut self, start: usize) -> bool {
        let (mut depth, mut asks, mut end) = (0usize, false, start);
        loop {
            match self.token(end) {
                Token::LParen => {
                    depth += 1;
                    asks |= QUERY.iter().any(|word| is_word(self.token(end + 1), word));
                }
                Token::RParen if depth > 0 => depth -= 1,
                Token::RParen | Token::EOF => break,
                Token::Comma if depth == 0 => break,
                _ => {}
            }
            end += 1;
        }
        if asks {
            self.rewrite_names(start, end);
        }
        asks
    }

    /// Rewrites the names of tables from a position to another, or to the end.
    pub(super) fn rewrite_names(&mut self, start: usize, end: usize) {
        let end = (start..end).find(|position| *self.token(*position) == Token::EOF).unwrap_or(end);
        let tables: Vec<usize> = (start..end).filter(|position| self.is_table_query(*position)).collect();
        let only: Vec<usize> = (start..end).filter(|position| self.is_only(*position, &tables)).collect();
        if only.is_empty() && tables.is_empty() {
            return;
        }
        let here = self.position();
        let tokens = std::mem::replace(&mut self.parser, reader::parser(Vec::new())).into_tokens();
        let mut parenthesized = false;
        let mut kept = Vec::with_capacity(tokens.len());
        for (position, token) in tokens.into_iter().enumerate() {
            let behind_only = position.checked_sub(1).is_some_and(|before| only.binary_search(&before).is_ok());
            match &token.token {
                _ if only.binary_search(&position).is_ok() => continue,
                Token::LParen if behind_only => parenthesized = true,
                Token::RParen if parenthesized => parenthesized = false,
                _ if tables.binary_search(&position).is_ok() => {
                    let words = [Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")];
                    kept.extend(words.map(|word| TokenWithSpan { token: word, span: token.span }));
                }
                _ => kept.push(token),
            }
        }
        self.parser = reader::parser(kept);
        self.restore(here);
    }

    /// Whether TABLE begins a query here. It is a reserved word: elsewhere it is a label, which no name follows, or a name's last part.
    fn is_table_query(&self, position: usize) -> bool {
        let names = match self.token(position + 1) {
            Token::Word(word) if word.quote_style.is_some() || can_name_column(&word.value) => true,
            only if is_word(only, "ONLY") => self.names_table(position + 2),
            _ => false,
        };
        let before = position.checked_sub(1).map(|before| self.token(before));
        let query = before
            .is_none_or(|before| *before != Token::Period && !BEFORE_NO_QUERY.iter().any(|word| is_word(before, word)));
        names && query && is_word(self.token(position), "TABLE")
    }

    fn is_only(&self, position: usize, tables: &[usize]) -> bool {
        let Some(before) = position.checked_sub(1) else { return false };
        let after = self.token(before);
        is_word(self.token(position), "ONLY")
            && (*after == Token::Comma
                || BEFORE_ONLY.iter().any(|word| is_word(after, word))
                || tables.binary_search(&before).is_ok())
            && self.names_table(position + 1)
    }

    fn names_table(&self, position: usize) -> bool {
        matches!(self.token(position), Token::Word(_) | Token::LParen)
    }

    fn token(&self, position: usize) -> &Token {
        &self.parser.token_at(position).token
    }
}
