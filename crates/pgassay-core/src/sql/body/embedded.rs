//! The SQL statements and expressions inside PL/pgSQL.

use sqlparser::ast;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::plpgsql::Body;
use crate::change::{Change, Name, Statement};
use crate::source::Span;
use crate::sql::newer::newer_in_body;
use crate::sql::read::reader::{Result, is_word};
use crate::sql::script::read_tokens;

impl Body<'_> {
    /// An expression up to one of the words. It is a statement of its own where a query in it reads relations, or it calls functions.
    pub(super) fn condition(&mut self, ends: &[&str]) -> Result<Option<ast::Expr>> {
        let start = self.reader.position();
        self.skip_until(ends)?;
        let end = self.reader.position();
        Ok(self.read_expression(start, end))
    }

    /// Variables that are assigned somewhere in the rest of the body.
    pub(super) fn forget_assigned_later(&mut self) {
        let start = self.reader.position();
        let token = |at: usize| &self.reader.parser.token_at(at).token;
        let mut assigned = Vec::new();
        for at in start.. {
            match (token(at), token(at + 1)) {
                (Token::EOF, _) => break,
                (Token::Word(word), Token::Assignment | Token::Eq | Token::Comma) => assigned.push(word_name(word)),
                (Token::Word(into), Token::Word(word)) if into.value.eq_ignore_ascii_case("into") => {
                    assigned.push(word_name(word));
                }
                _ => {}
            }
        }
        assigned.iter().for_each(|name| self.variables.forget(name));
    }

    /// Variables that tokens name: they are targets of INTO, FETCH, GET DIAGNOSTICS.
    pub(super) fn forget_named(&mut self, start: usize, end: usize) {
        for at in start..end {
            if let Token::Word(word) = &self.reader.parser.token_at(at).token {
                let name = word_name(word);
                self.variables.forget(&name);
            }
        }
    }

    /// A statement of SQL up to its semicolon; PERFORM stands for SELECT.
    pub(super) fn sql_statement(&mut self, perform: bool) -> Result<()> {
        let start = self.reader.position();
        self.skip_until(&[])?;
        let end = self.reader.position();
        if end == start {
            return Err(self.reader.error("a statement"));
        }
        self.read_sql(start, end, perform.then_some("SELECT"));
        self.reader.expect(&Token::SemiColon)
    }

    /// Reads the tokens as a statement, with the first replaced by a word if one is given.
    pub(super) fn read_sql(&mut self, start: usize, end: usize, first: Option<&str>) {
        let mut tokens = self.tokens(start, end);
        if let (Some(word), Some(token)) = (first, tokens.first_mut()) {
            token.token = Token::make_keyword(word);
        }
        let span = self.span(start, end);
        let newer = newer_in_body(&self.reader.text, &tokens);
        let mut change = read_tokens(self.reader.text, without_into(tokens), None);
        if let Ok(change) = &mut change {
            self.variables.bind(change);
        }
        let into = (start..end).find(|at| is_word(&self.reader.parser.token_at(*at).token, "INTO"));
        if let Some(into) = into {
            self.forget_named(into, end);
        }
        self.statement_read(Statement { span, change, conditional: false, newer, sent: None });
    }

    /// Reads an expression as the query SELECT expression, which is a statement of the code where it may do something. One that is not
    /// understood is left out: it changes nothing.
    pub(super) fn read_expression(&mut self, start: usize, end: usize) -> Option<ast::Expr> {
        let mut tokens = self.tokens(start, end);
        let calls =
            tokens.windows(2).any(|pair| matches!(pair[0].token, Token::Word(_)) && pair[1].token == Token::LParen);
        let acts = calls || tokens.iter().any(|token| is_word(&token.token, "SELECT"));
        let select = TokenWithSpan { token: Token::make_keyword("SELECT"), span: tokens.first()?.span };
        tokens.insert(0, select);
        let newer = newer_in_body(&self.reader.text, &tokens);
        let mut change = read_tokens(self.reader.text, tokens, None).ok()?;
        self.variables.bind(&mut change);
        let tree = only_expression(&change);
        if acts {
            let span = self.span(start, end);
            self.statement_read(Statement { span, change: Ok(change), conditional: false, newer, sent: None });
        }
        tree
    }

    pub(super) fn tokens(&self, start: usize, end: usize) -> Vec<TokenWithSpan> {
        (start..end).map(|position| self.reader.parser.token_at(position).clone()).collect()
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let (first, last) = (self.reader.bytes_at(start).0, self.reader.bytes_at(end.saturating_sub(1)).1);
        self.reader.text.span(first, last)
    }

    pub(super) fn skip_statement(&mut self) -> Result<()> {
        self.skip_until(&[])?;
        self.reader.expect(&Token::SemiColon)
    }

    /// Steps up to one of the words, outside parentheses and CASE … END, or to the semicolon.
    pub(super) fn skip_until(&mut self, words: &[&str]) -> Result<()> {
        let (mut depth, mut cases) = (0usize, 0usize);
        while !self.reader.at_end() {
            let outside = depth == 0 && cases == 0;
            match self.reader.peek() {
                Token::SemiColon if depth == 0 => return Ok(()),
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
                Token::Word(_) if outside && self.reader.at_any_word(words) => return Ok(()),
                Token::Word(Word { value, quote_style: None, .. }) => {
                    cases += usize::from(value.eq_ignore_ascii_case("case"));
                    cases = cases.saturating_sub(usize::from(value.eq_ignore_ascii_case("end")));
                }
                _ => {}
            }
            self.reader.advance();
        }
        Err(self.reader.error(words.first().unwrap_or(&"';'")))
    }
}

pub(super) const QUERY: &[&str] = &["SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE"];

fn word_name(word: &Word) -> Name {
    if word.quote_style.is_some() { Name::new(&word.value) } else { Name::folded(&word.value) }
}

/// The expression of SELECT expression.
fn only_expression(change: &Change) -> Option<ast::Expr> {
    let Change::Select(select) = change else { return None };
    let ast::Statement::Query(query) = &*select.tree.0 else { return None };
    let ast::SetExpr::Select(select) = &*query.body else { return None };
    match &select.projection[..] {
        [ast::SelectItem::UnnamedExpr(expression)] if select.from.is_empty() => Some(expression.clone()),
        _ => None,
    }
}

/// Takes the targets of INTO out of a query or of RETURNING: they are variables.
fn without_into(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !tokens.first().is_some_and(|token| QUERY.iter().any(|word| is_word(&token.token, word))) {
        return tokens;
    }
    let mut depth = 0usize;
    let into = tokens.iter().enumerate().position(|(index, token)| {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        let before = index.checked_sub(1).map(|before| &tokens[before].token);
        let inserts = before.is_some_and(|before| is_word(before, "INSERT") || is_word(before, "MERGE"));
        depth == 0 && !inserts && is_word(&token.token, "INTO")
    });
    if let Some(start) = into {
        let end = end_of_targets(&tokens, start + 1);
        tokens.drain(start..end);
    }
    tokens
}

/// Behind `[STRICT] a, b.c, d[1]`.
fn end_of_targets(tokens: &[TokenWithSpan], start: usize) -> usize {
    let token = |at: usize| tokens.get(at).map_or(&Token::EOF, |token| &token.token);
    let mut at = start + usize::from(is_word(token(start), "STRICT"));
    loop {
        at += 1;
        while *token(at) == Token::Period {
            at += 2;
        }
        if *token(at) == Token::LBracket {
            let mut length = 0;
            while !matches!(token(at + length), Token::RBracket | Token::EOF) {
                length += 1;
            }
            at += length + 1;
        }
        if *token(at) != Token::Comma {
            return at.min(tokens.len());
        }
        at += 1;
    }
}
