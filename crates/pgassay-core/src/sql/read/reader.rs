//! The cursor that every statement reader works with.
//!
//! In: the tokens of one statement. Out: words, names, types, expressions and queries, each with its span, or [`Unreadable`] at the
//! token where reading stopped. Expressions and queries are sqlparser's; everything else is read here.

use std::cell::Cell;
use std::sync::Arc;

use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::uses::{Source, reserved_name};
use crate::change::{Expression, Query, Unreadable};
use crate::source::Span;
use crate::sql::lex::token::{DIALECT, Text, bytes_of, nth};

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;

pub(in crate::sql) type Result<T> = std::result::Result<T, Unreadable>;

/// How deep expressions and queries may nest; sqlparser grows the stack as it goes, but whoever walks the tree later does not.
const DEEPEST: usize = 400;

pub(crate) struct Reader<'a> {
    pub(in crate::sql) parser: Parser<'static>,
    /// The text that the tokens were cut from.
    pub(in crate::sql) text: Text<'a>,
    /// The rows of COPY … FROM stdin behind this statement.
    pub(in crate::sql) copy_data: Option<Span>,
    /// Where the last error was, in bytes of the text.
    stopped: Cell<usize>,
}

impl<'a> Reader<'a> {
    pub(in crate::sql) fn new(text: Text<'a>, tokens: Vec<TokenWithSpan>) -> Reader<'a> {
        Reader { parser: parser(tokens), text, copy_data: None, stopped: Cell::new(0) }
    }

    /// Where the error was that reading ended with, in bytes of the text.
    pub(in crate::sql) fn stopped(&self) -> usize {
        self.stopped.get()
    }

    // Looking ahead.

    pub(in crate::sql) fn peek(&self) -> &Token {
        self.peek_nth(0)
    }

    pub(in crate::sql) fn peek_nth(&self, n: usize) -> &Token {
        nth(&self.parser, n)
    }

    pub(in crate::sql) fn at_end(&self) -> bool {
        matches!(self.peek(), Token::EOF)
    }

    pub(in crate::sql) fn at_word(&self, word: &str) -> bool {
        self.at_nth_word(0, word)
    }

    pub(super) fn at_nth_word(&self, n: usize, word: &str) -> bool {
        is_word(self.peek_nth(n), word)
    }

    /// Whether these words come next, in this order.
    pub(super) fn at_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(n, word)| self.at_nth_word(n, word))
    }

    pub(in crate::sql) fn at_any_word(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.at_word(word))
    }

    pub(in crate::sql) fn at(&self, token: &Token) -> bool {
        self.peek() == token
    }

    // Moving.

    /// A place to come back to with [`Reader::restore`].
    pub(in crate::sql) fn position(&self) -> usize {
        self.parser.index()
    }

    pub(in crate::sql) fn restore(&mut self, position: usize) {
        while self.parser.index() > position {
            self.parser.prev_token();
        }
        while self.parser.index() < position {
            self.parser.advance_token();
        }
    }

    /// Steps over one token; stays at the end.
    pub(in crate::sql) fn advance(&mut self) {
        if !self.at_end() {
            self.parser.advance_token();
        }
    }

    pub(in crate::sql) fn take_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.advance();
        }
        found
    }

    /// All of the words, or none.
    pub(super) fn take_words(&mut self, words: &[&str]) -> bool {
        let found = self.at_words(words);
        if found {
            words.iter().for_each(|_| self.advance());
        }
        found
    }

    /// The first of the words that comes next, taken.
    pub(in crate::sql) fn take_any_word(&mut self, words: &[&'static str]) -> Option<&'static str> {
        let found = words.iter().find(|word| self.at_word(word)).copied();
        if found.is_some() {
            self.advance();
        }
        found
    }

    pub(in crate::sql) fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.take_word(word) { Ok(()) } else { Err(self.error(word)) }
    }

    pub(in crate::sql) fn expect_words(&mut self, words: &[&str]) -> Result<()> {
        words.iter().try_for_each(|word| self.expect_word(word))
    }

    pub(in crate::sql) fn take(&mut self, token: &Token) -> bool {
        let found = self.at(token);
        if found {
            self.advance();
        }
        found
    }

    pub(in crate::sql) fn expect(&mut self, token: &Token) -> Result<()> {
        if self.take(token) { Ok(()) } else { Err(self.error(&format!("'{token}'"))) }
    }

    pub(in crate::sql) fn expect_end(&self) -> Result<()> {
        if self.at_end() { Ok(()) } else { Err(self.error("the end of the statement")) }
    }

    /// Steps over everything that is left.
    pub(super) fn skip_rest(&mut self) {
        while !self.at_end() {
            self.parser.advance_token();
        }
    }

    /// Steps over `( … )` with everything in it.
    pub(super) fn skip_parenthesized(&mut self) -> Result<()> {
        if !self.at(&Token::LParen) {
            return Err(self.error("'('"));
        }
        let mut depth = 0usize;
        while !self.at_end() {
            match self.peek() {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ => {}
            }
            self.advance();
            if depth == 0 {
                return Ok(());
            }
        }
        Err(self.error("')'"))
    }

    // Spans and errors.

    /// The bytes of the token at a position, in the text.
    pub(in crate::sql) fn bytes_at(&self, position: usize) -> (usize, usize) {
        let token = self.parser.token_at(position);
        if token.token == Token::EOF {
            // sqlparser may have stepped over the end more than once.
            let before = (0..position).rev().map(|n| self.parser.token_at(n)).find(|token| token.token != Token::EOF);
            let end = before.map_or(0, |last| bytes_of(last).1);
            return (end, end);
        }
        bytes_of(token)
    }

    /// The span of the next token; empty, behind the last one, at the end.
    pub(in crate::sql) fn span(&self) -> Span {
        let (start, end) = self.bytes_at(self.position());
        self.text.span(start, end)
    }

    /// From the token at a saved position to the last token taken.
    pub(in crate::sql) fn span_from(&self, position: usize) -> Span {
        let (start, end) = self.bytes_from(position);
        self.text.span(start, end)
    }

    /// The text from a saved position to the last token taken.
    pub(in crate::sql) fn text_from(&self, position: usize) -> &'a str {
        let (start, end) = self.bytes_from(position);
        self.text.text.get(start..end).unwrap_or_default()
    }

    /// As [`Reader::span_from`], in bytes of the text.
    pub(super) fn bytes_from(&self, position: usize) -> (usize, usize) {
        let start = self.bytes_at(position).0;
        let end = self.position().checked_sub(1).filter(|last| *last >= position).map(|last| self.bytes_at(last).1);
        (start, end.unwrap_or(start))
    }

    /// "expected a column name, found ')'", at the next token. Words are given as written, kinds of things with their article.
    pub(in crate::sql) fn error(&self, expected: &str) -> Unreadable {
        let (start, end) = self.bytes_at(self.position());
        self.stopped.set(start);
        let found = self.text.text.get(start..end).unwrap_or_default();
        let found = match found.char_indices().nth(40) {
            _ if self.at_end() => "the end of the statement".to_string(),
            Some((cut, _)) => format!("'{}…'", &found[..cut]),
            None => format!("'{found}'"),
        };
        Unreadable::new(format!("expected {expected}, found {found}"), self.text.span(start, end))
    }

    /// sqlparser's error, at the token that its message names.
    fn parser_error(&self, error: ParserError) -> Unreadable {
        let message = match error {
            ParserError::RecursionLimitExceeded => "it is nested too deeply to be read".to_string(),
            ParserError::ParserError(message) | ParserError::TokenizerError(message) => message,
        };
        let Some((message, place)) = message.rsplit_once(" at Line: ") else {
            let message = message.replacen("Expected: ", "expected ", 1).replacen(", found: EOF", "", 1);
            let end_reached = message.starts_with("expected ");
            let message = if end_reached { format!("{message}, found the end of the statement") } else { message };
            self.stopped.set(self.bytes_at(self.position()).0);
            return Unreadable::new(message, self.span());
        };
        let line = place.split(',').next().and_then(|line| line.parse::<usize>().ok());
        let start = line.unwrap_or_default().saturating_sub(1);
        let end = (0..).map(|n| self.parser.token_at(n)).take_while(|token| token.token != Token::EOF);
        let end = end.map(bytes_of).find(|(token_start, _)| *token_start == start).map_or(start, |(_, end)| end);
        let message = match message.split_once(", found: ") {
            Some((expected, found)) => format!("{}, found '{found}'", expected.replacen("Expected: ", "expected ", 1)),
            None => message.to_string(),
        };
        self.stopped.set(start);
        Unreadable::new(message, self.text.span(start, end))
    }

    // Lists.

    /// One or more, with commas between.
    pub(in crate::sql) fn comma_separated<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut items = vec![read(self)?];
        while self.take(&Token::Comma) {
            items.push(read(self)?);
        }
        Ok(items)
    }

    pub(in crate::sql) fn parenthesized<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.expect(&Token::LParen)?;
        let item = read(self)?;
        self.expect(&Token::RParen)?;
        Ok(item)
    }

    // Expressions and queries.

    /// A whole expression; it ends where sqlparser finds nothing more to add.
    pub(in crate::sql) fn expression(&mut self) -> Result<Expression> {
        let start = self.position();
        let asks = self.rewrite_names_in_expression(start);
        let tree = self.parser.parse_expr().map_err(|error| self.parser_error(error))?;
        let source = Source { span: self.span_from(start), text: self.text_from(start) };
        if let Some(error) = asks.then(|| reserved_name(&tree, source)).flatten() {
            return Err(error);
        }
        Ok(Expression { span: self.span_from(start), text: self.text_from(start).into(), tree: Arc::new(tree) })
    }

    /// The expression of DEFAULT in a column or domain definition: it stops before the next constraint (`b_expr` in the
    /// server's grammar, which knows no NOT, IN, LIKE, IS NULL, COLLATE outside parentheses).
    pub(super) fn b_expression(&mut self) -> Result<Expression> {
        // A b_expr has no NOT of its own (gram.y).
        if self.at_word("NOT") {
            return Err(self.error("an expression; NOT needs parentheses here"));
        }
        let end = self.end_of_b_expression();
        self.expression_until(end)
    }

    /// The expression in the tokens up to a position, all of them.
    pub(super) fn expression_until(&mut self, end: usize) -> Result<Expression> {
        let start = self.position();
        if end <= start {
            return Err(self.error("an expression"));
        }
        let tokens = (start..end).map(|n| self.parser.token_at(n).clone()).collect();
        let mut part = Reader::new(self.text, tokens);
        let expression = part.expression();
        let behind = if part.at_end() { end } else { start + part.position().min(end - start) };
        self.restore(behind);
        self.stopped.set(part.stopped.get());
        let expression = expression?;
        if self.position() < end {
            return Err(self.error("the end of the expression"));
        }
        Ok(expression)
    }

    fn end_of_b_expression(&self) -> usize {
        const STOPS: &[&str] = &[
            "NOT",
            "NULL",
            "CHECK",
            "UNIQUE",
            "PRIMARY",
            "REFERENCES",
            "GENERATED",
            "CONSTRAINT",
            "COLLATE",
            "DEFERRABLE",
            "INITIALLY",
            "ENFORCED",
            "STORAGE",
            "COMPRESSION",
            "OPTIONS",
            "DEFAULT",
        ];
        let (start, mut depth, mut cases) = (self.position(), 0usize, 0usize);
        for position in start.. {
            let token = &self.parser.token_at(position).token;
            let outside = depth == 0 && cases == 0;
            match token {
                Token::EOF => return position,
                Token::Comma | Token::RParen | Token::RBracket | Token::SemiColon if outside => return position,
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
                Token::Word(word) if word.quote_style.is_none() => {
                    let behind = position.checked_sub(1).map(|before| &self.parser.token_at(before).token);
                    let begins_value = position == start || behind.is_some_and(wants_value);
                    if outside && !begins_value && STOPS.iter().any(|stop| word.value.eq_ignore_ascii_case(stop)) {
                        return position;
                    }
                    cases += usize::from(word.value.eq_ignore_ascii_case("case"));
                    cases = cases.saturating_sub(usize::from(word.value.eq_ignore_ascii_case("end")));
                }
                _ => {}
            }
        }
        start
    }

    /// SELECT, VALUES, TABLE or WITH.
    pub(in crate::sql) fn query(&mut self) -> Result<Query> {
        let start = self.position();
        self.rewrite_names(start, usize::MAX);
        let tree = self.parser_query()?;
        let source = Source { span: self.span_from(start), text: self.text_from(start) };
        if let Some(error) = reserved_name(&*tree, source) {
            return Err(error);
        }
        Ok(Query { span: self.span_from(start), text: self.text_from(start).into(), tree: Arc::from(tree) })
    }

    pub(super) fn parser_query(&mut self) -> Result<Box<sqlparser::ast::Query>> {
        self.parser.parse_query().map_err(|error| self.parser_error(error))
    }

    /// A statement that sqlparser reads whole.
    pub(super) fn parser_statement(&mut self) -> Result<sqlparser::ast::Statement> {
        self.parser.parse_statement().map_err(|error| self.parser_error(error))
    }
}

/// A parser at the start of the tokens.
pub(super) fn parser(tokens: Vec<TokenWithSpan>) -> Parser<'static> {
    Parser::new(&DIALECT).with_recursion_limit(DEEPEST).with_tokens_with_locations(tokens)
}

/// Whether the token is this word, unquoted, in any case.
pub(in crate::sql) fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}

/// Whether a value has to follow: behind an operator, and `IS NOT` of IS NOT DISTINCT FROM.
fn wants_value(token: &Token) -> bool {
    match token {
        Token::Word(_) => ["IS", "AND", "OR", "FROM"].iter().any(|word| is_word(token, word)),
        Token::Number(..) | Token::RParen | Token::RBracket | Token::DollarQuotedString(_) => false,
        Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_) | Token::UnicodeStringLiteral(_) => false,
        Token::NationalStringLiteral(_) | Token::HexStringLiteral(_) | Token::SingleQuotedByteStringLiteral(_) => false,
        Token::Placeholder(_) => false,
        _ => true,
    }
}
