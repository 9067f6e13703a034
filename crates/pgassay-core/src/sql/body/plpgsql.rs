//! PL/pgSQL: the SQL statements of a DO block or function body (manual, chapter 41).
//!
//! In: the body. Out: the statements that can be seen, and the places of those that are put together when the body runs. Variables
//! are not followed; a statement under IF, CASE, LOOP or in an EXCEPTION handler is marked conditional.

use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::dynamic;
use crate::change::{Statement, Unreadable};
use crate::source::{FileId, Span};
use crate::sql::lex::token::{Origin, Text, tokenize};
use crate::sql::newer::newer_in_body;
use crate::sql::read::reader::{Reader, Result, is_word};
use crate::sql::script::{read_text, read_tokens};

/// How deep blocks may nest.
const DEEPEST: usize = 200;

/// The statements of a body in the order of the text, and the places of EXECUTE whose text is not known.
pub(in crate::sql) fn read_plpgsql(text: &Text) -> (Vec<Statement>, Vec<Span>) {
    let whole = text.span(0, text.text.len());
    let unreadable =
        |error: Unreadable| Statement { span: whole, change: Err(error), conditional: false, newer: Vec::new() };
    let tokens = match tokenize(text) {
        Ok(tokens) => tokens,
        Err(error) => return (vec![unreadable(error)], Vec::new()),
    };
    let reader = Reader::new(text.clone(), tokens);
    let mut body = Body { reader, statements: Vec::new(), dynamic: Vec::new(), conditions: 0, depth: 0 };
    if let Err(error) = body.whole() {
        body.statements.push(unreadable(error));
    }
    (body.statements, body.dynamic)
}

/// The statements of a function's body. Their spans are offsets in the body, in no file.
pub fn read_plpgsql_body(body: &str) -> Vec<Statement> {
    read_plpgsql(&Text { file: FileId(0), text: body, origin: Origin::Slice(0) }).0
}

struct Body<'a> {
    reader: Reader<'a>,
    statements: Vec<Statement>,
    dynamic: Vec<Span>,
    /// How many IF, CASE, LOOP and EXCEPTION are open.
    conditions: usize,
    depth: usize,
}

impl Body<'_> {
    fn whole(&mut self) -> Result<()> {
        // Compiler options: `#variable_conflict use_column`.
        while self.reader.at(&Token::Sharp) {
            (0..3).for_each(|_| self.reader.advance());
        }
        self.label()?;
        self.block()?;
        self.reader.take(&Token::SemiColon);
        self.reader.expect_end()
    }

    fn label(&mut self) -> Result<()> {
        if self.reader.take(&Token::ShiftLeft) {
            self.reader.ident_or_any_keyword()?;
            self.reader.expect(&Token::ShiftRight)?;
        }
        Ok(())
    }

    /// [DECLARE …] BEGIN … [EXCEPTION …] END [label]
    fn block(&mut self) -> Result<()> {
        if self.reader.take_word("DECLARE") {
            while !self.reader.at_word("BEGIN") && !self.reader.at_end() {
                if !self.reader.take_word("DECLARE") {
                    self.skip_statement()?;
                }
            }
        }
        self.reader.expect_word("BEGIN")?;
        self.statements()?;
        if self.reader.take_word("EXCEPTION") {
            while self.reader.take_word("WHEN") {
                self.skip_until(&["THEN"])?;
                self.reader.expect_word("THEN")?;
                self.conditional(Body::statements)?;
            }
        }
        self.reader.expect_word("END")?;
        self.end_label()
    }

    fn end_label(&mut self) -> Result<()> {
        if !self.reader.at(&Token::SemiColon) && !self.reader.at_end() {
            self.reader.ident_or_any_keyword()?;
        }
        Ok(())
    }

    fn conditional(&mut self, read: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.conditions += 1;
        let outcome = read(self);
        self.conditions -= 1;
        outcome
    }

    /// Statements up to a word that ends the list.
    fn statements(&mut self) -> Result<()> {
        const ENDS: &[&str] = &["END", "ELSE", "ELSIF", "ELSEIF", "EXCEPTION", "WHEN"];
        if self.depth >= DEEPEST {
            return Err(self.reader.error("blocks that nest less deeply"));
        }
        self.depth += 1;
        while !self.reader.at_end() && !self.reader.at_any_word(ENDS) {
            self.statement()?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn statement(&mut self) -> Result<()> {
        self.label()?;
        if self.reader.take(&Token::SemiColon) {
            return Ok(());
        }
        if self.is_assignment() {
            return self.assignment();
        }
        let word = self.reader.peek().to_string().to_ascii_lowercase();
        match word.as_str() {
            "declare" | "begin" => {
                self.block()?;
                self.reader.expect(&Token::SemiColon)
            }
            "if" => self.if_statement(),
            "case" => self.case_statement(),
            "loop" => self.loop_body(),
            "while" => {
                self.reader.advance();
                self.condition(&["LOOP"])?;
                self.loop_body()
            }
            "for" | "foreach" => self.for_statement(),
            "return" => self.return_statement(),
            "open" => self.open_statement(),
            "execute" => self.execute(&[]),
            "perform" => self.sql_statement(true),
            "null" | "raise" | "assert" | "exit" | "continue" | "get" | "fetch" | "move" | "close" => {
                self.skip_statement()
            }
            _ => self.sql_statement(false),
        }
    }

    /// IF … THEN … ELSIF … ELSE … END IF
    fn if_statement(&mut self) -> Result<()> {
        self.reader.advance();
        self.condition(&["THEN"])?;
        self.reader.expect_word("THEN")?;
        self.conditional(|body| {
            body.statements()?;
            while body.reader.take_any_word(&["ELSIF", "ELSEIF"]).is_some() {
                body.condition(&["THEN"])?;
                body.reader.expect_word("THEN")?;
                body.statements()?;
            }
            if body.reader.take_word("ELSE") {
                body.statements()?;
            }
            Ok(())
        })?;
        self.reader.expect_words(&["END", "IF"])?;
        self.reader.expect(&Token::SemiColon)
    }

    /// CASE [expression] WHEN … THEN … ELSE … END CASE
    fn case_statement(&mut self) -> Result<()> {
        self.reader.advance();
        self.skip_until(&["WHEN"])?;
        self.conditional(|body| {
            while body.reader.take_word("WHEN") {
                body.condition(&["THEN"])?;
                body.reader.expect_word("THEN")?;
                body.statements()?;
            }
            if body.reader.take_word("ELSE") {
                body.statements()?;
            }
            Ok(())
        })?;
        self.reader.expect_words(&["END", "CASE"])?;
        self.reader.expect(&Token::SemiColon)
    }

    fn loop_body(&mut self) -> Result<()> {
        self.reader.expect_word("LOOP")?;
        self.conditional(Body::statements)?;
        self.reader.expect_words(&["END", "LOOP"])?;
        self.end_label()?;
        self.reader.expect(&Token::SemiColon)
    }

    /// FOR target IN numbers | query | EXECUTE … LOOP, FOREACH target IN ARRAY … LOOP
    fn for_statement(&mut self) -> Result<()> {
        self.reader.advance();
        self.skip_until(&["IN"])?;
        self.reader.expect_word("IN")?;
        if self.reader.at_word("EXECUTE") {
            self.execute(&["LOOP"])?;
        } else {
            let start = self.reader.position();
            let is_query = self.reader.at(&Token::LParen) || self.reader.at_any_word(QUERY);
            self.skip_until(&["LOOP"])?;
            if is_query && !self.is_range(start) {
                self.read_sql(start, self.reader.position(), None);
            }
        }
        self.loop_body()
    }

    /// `a .. b` of numbers rather than a query in parentheses.
    fn is_range(&self, start: usize) -> bool {
        let text = self.reader.text_from(start);
        !text.trim_start_matches('(').trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("select"))
            && text.contains("..")
    }

    /// RETURN QUERY runs a query.
    fn return_statement(&mut self) -> Result<()> {
        self.reader.advance();
        if !self.reader.take_word("QUERY") {
            return self.skip_statement();
        }
        if self.reader.at_word("EXECUTE") {
            return self.execute(&[]);
        }
        self.sql_statement(false)
    }

    /// OPEN cursor [[NO] SCROLL] FOR query | EXECUTE …
    fn open_statement(&mut self) -> Result<()> {
        let start = self.reader.position();
        self.skip_until(&["FOR"])?;
        if !self.reader.take_word("FOR") {
            self.reader.restore(start);
            return self.skip_statement();
        }
        if self.reader.at_word("EXECUTE") { self.execute(&[]) } else { self.sql_statement(false) }
    }

    /// EXECUTE text [INTO …] [USING …]: the text, where it can be known.
    fn execute(&mut self, ends: &[&str]) -> Result<()> {
        let statement = self.reader.position();
        self.reader.advance();
        let start = self.reader.position();
        let mut stops = vec!["INTO", "USING"];
        stops.extend(ends);
        self.skip_until(&stops)?;
        let end = self.reader.position();
        self.reader.restore(start);
        let text = dynamic::evaluate(&mut self.reader, end);
        self.reader.restore(end);
        self.skip_until(ends)?;
        match text {
            Some(literal) => {
                let conditional = self.conditions > 0;
                let found = read_text(&literal.text());
                let mark = |found: Statement| Statement { conditional: conditional || found.conditional, ..found };
                self.statements.extend(found.into_iter().map(mark));
            }
            None => self.dynamic.push(self.reader.span_from(statement)),
        }
        if ends.is_empty() { self.reader.expect(&Token::SemiColon) } else { Ok(()) }
    }

    /// `x := …`, `x = …`, `x.y[1] := …`
    fn is_assignment(&self) -> bool {
        if !matches!(self.reader.peek(), Token::Word(_) | Token::Placeholder(_)) {
            return false;
        }
        let mut brackets = 0usize;
        for ahead in 1.. {
            match self.reader.peek_nth(ahead) {
                Token::Assignment | Token::Eq if brackets == 0 => return true,
                Token::LBracket => brackets += 1,
                Token::RBracket if brackets > 0 => brackets -= 1,
                Token::EOF | Token::SemiColon => return false,
                Token::Period => {}
                Token::Word(_) if brackets == 0 && *self.reader.peek_nth(ahead - 1) != Token::Period => return false,
                Token::Word(_) => {}
                _ if brackets > 0 => {}
                _ => return false,
            }
        }
        false
    }

    fn assignment(&mut self) -> Result<()> {
        while !matches!(self.reader.peek(), Token::Assignment | Token::Eq) {
            self.reader.advance();
        }
        self.reader.advance();
        self.condition(&[])?;
        self.reader.expect(&Token::SemiColon)
    }

    /// An expression up to one of the words: a query in it reads relations.
    fn condition(&mut self, ends: &[&str]) -> Result<()> {
        let start = self.reader.position();
        self.skip_until(ends)?;
        let end = self.reader.position();
        if (start..end).any(|position| is_word(&self.reader.parser.token_at(position).token, "SELECT")) {
            self.read_expression(start, end);
        }
        Ok(())
    }

    /// A statement of SQL up to its semicolon; PERFORM stands for SELECT.
    fn sql_statement(&mut self, perform: bool) -> Result<()> {
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
    fn read_sql(&mut self, start: usize, end: usize, first: Option<&str>) {
        let mut tokens = self.tokens(start, end);
        if let (Some(word), Some(token)) = (first, tokens.first_mut()) {
            token.token = Token::make_keyword(word);
        }
        let span = self.span(start, end);
        let newer = newer_in_body(&self.reader.text, &tokens);
        let change = read_tokens(self.reader.text.clone(), without_into(tokens), None);
        self.statements.push(Statement { span, change, conditional: self.conditions > 0, newer });
    }

    /// Reads an expression as the query SELECT expression. One that is not understood is left out: it changes nothing.
    fn read_expression(&mut self, start: usize, end: usize) {
        let mut tokens = self.tokens(start, end);
        if let Some(first) = tokens.first() {
            let select = TokenWithSpan { token: Token::make_keyword("SELECT"), span: first.span };
            tokens.insert(0, select);
        }
        let newer = newer_in_body(&self.reader.text, &tokens);
        if let Ok(change) = read_tokens(self.reader.text.clone(), tokens, None) {
            let span = self.span(start, end);
            self.statements.push(Statement { span, change: Ok(change), conditional: self.conditions > 0, newer });
        }
    }

    fn tokens(&self, start: usize, end: usize) -> Vec<TokenWithSpan> {
        (start..end).map(|position| self.reader.parser.token_at(position).clone()).collect()
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let (first, last) = (self.reader.bytes_at(start).0, self.reader.bytes_at(end.saturating_sub(1)).1);
        self.reader.text.span(first, last)
    }

    fn skip_statement(&mut self) -> Result<()> {
        self.skip_until(&[])?;
        self.reader.expect(&Token::SemiColon)
    }

    /// Steps up to one of the words, outside parentheses and CASE … END, or to the semicolon.
    fn skip_until(&mut self, words: &[&str]) -> Result<()> {
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

const QUERY: &[&str] = &["SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE"];

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

#[cfg(test)]
#[path = "plpgsql_tests.rs"]
mod tests;
