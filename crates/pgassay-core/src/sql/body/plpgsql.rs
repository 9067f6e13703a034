//! PL/pgSQL: the SQL statements of a DO block or function body, and the way through them (manual, chapter 41).
//!
//! In: the body, and what is known of its parameters. Out: [`Code`]: the statements that can be seen, the places of those that are put
//! together when the body runs, and what decides which of them run. The values of variables are followed as far as they are literals.

use sqlparser::ast;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::dynamic;
use super::variables::Variables;
use crate::change::{Arm, Change, Code, Condition, Flow, Handler, Name, Statement, Unreadable};
use crate::source::Span;
use crate::sql::lex::literal::Literal;
use crate::sql::lex::token::{Text, tokenize};
use crate::sql::newer::newer_in_body;
use crate::sql::read::reader::{Reader, Result, is_word};
use crate::sql::script::{read_text, read_tokens};

/// How deep blocks may nest.
const DEEPEST: usize = 200;

/// What can be seen of a body.
pub(in crate::sql) fn read_plpgsql(text: &Text, variables: Variables) -> Code {
    let whole = text.span(0, text.text.len());
    let unreadable =
        |error: Unreadable| Statement { span: whole, change: Err(error), conditional: false, newer: Vec::new() };
    let tokens = match tokenize(text) {
        Ok(tokens) => tokens,
        Err(error) => return Code::sequence(vec![unreadable(error)]),
    };
    let reader = Reader::new(*text, tokens);
    let (code, flow) = (Code::default(), vec![Vec::new()]);
    let mut body = Body { reader, code, flow, variables, conditions: 0, depth: 0 };
    let outcome = body.whole();
    // What was open where reading stopped is over.
    while body.flow.len() > 1 {
        let inner = body.flow.pop().unwrap_or_default();
        body.step(Flow::Loop { label: None, body: inner });
    }
    if let Err(error) = outcome {
        body.statement_read(unreadable(error));
    }
    body.code.flow = body.flow.pop().unwrap_or_default();
    body.code
}

struct Body<'a> {
    reader: Reader<'a>,
    code: Code,
    /// The steps of what is open, the innermost last.
    flow: Vec<Vec<Flow>>,
    variables: Variables,
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
        let label = self.label()?;
        self.block(label)?;
        self.reader.take(&Token::SemiColon);
        self.reader.expect_end()
    }

    fn step(&mut self, step: Flow) {
        if let Some(open) = self.flow.last_mut() {
            open.push(step);
        }
    }

    fn statement_read(&mut self, statement: Statement) {
        let index = self.code.statements.len();
        let conditional = self.conditions > 0 || statement.conditional;
        self.code.statements.push(Statement { conditional, ..statement });
        self.step(Flow::Statement(index));
    }

    /// Reads a part of the body; what it says is a list of steps of its own.
    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<()>) -> Result<Vec<Flow>> {
        self.flow.push(Vec::new());
        let outcome = read(self);
        outcome.map(|()| self.flow.pop().unwrap_or_default())
    }

    fn label(&mut self) -> Result<Option<Name>> {
        let mut label = None;
        if self.reader.take(&Token::ShiftLeft) {
            label = Some(self.reader.ident_or_any_keyword()?.name);
            self.reader.expect(&Token::ShiftRight)?;
        }
        Ok(label)
    }

    /// [DECLARE …] BEGIN … [EXCEPTION …] END [label]
    fn block(&mut self, label: Option<Name>) -> Result<()> {
        if self.reader.take_word("DECLARE") {
            while !self.reader.at_word("BEGIN") && !self.reader.at_end() {
                if !self.reader.take_word("DECLARE") {
                    self.declaration()?;
                }
            }
        }
        self.reader.expect_word("BEGIN")?;
        let before = self.variables.clone();
        let body = self.nested(Body::statements)?;
        let mut handlers = Vec::new();
        if self.reader.take_word("EXCEPTION") {
            let after = std::mem::replace(&mut self.variables, before);
            self.variables.meet(&after);
            while self.reader.take_word("WHEN") {
                let conditions = self.handled()?;
                self.reader.expect_word("THEN")?;
                let body = self.conditional(Body::statements)?;
                handlers.push(Handler { conditions, body });
            }
            self.variables.meet(&after);
        }
        self.reader.expect_word("END")?;
        self.step(Flow::Block { label, body, handlers });
        self.end_label()
    }

    /// `name type := value;`: the value, where it can be known.
    fn declaration(&mut self) -> Result<()> {
        let name = self.reader.ident_or_any_keyword()?.name;
        while !self.reader.at_end() && !matches!(self.reader.peek(), Token::SemiColon | Token::Assignment | Token::Eq) {
            if self.reader.at_word("DEFAULT") {
                break;
            }
            self.reader.advance();
        }
        let value = match self.reader.at(&Token::SemiColon) {
            true => None,
            false => {
                self.reader.advance();
                self.value()?
            }
        };
        self.variables.declare(name.clone());
        self.variables.assign(&name, value);
        self.reader.expect(&Token::SemiColon)
    }

    /// The value of the expression up to the semicolon, where it is put together from what is known.
    fn value(&mut self) -> Result<Option<Literal>> {
        let start = self.reader.position();
        self.condition(&[])?;
        let end = self.reader.position();
        self.reader.restore(start);
        let value = dynamic::evaluate(&mut self.reader, end, &self.variables);
        self.reader.restore(end);
        Ok(value)
    }

    /// The conditions of an EXCEPTION clause, up to THEN.
    fn handled(&mut self) -> Result<Vec<std::sync::Arc<str>>> {
        let mut conditions = Vec::new();
        while !self.reader.at_word("THEN") && !self.reader.at_end() {
            match self.reader.peek() {
                Token::SingleQuotedString(state) => conditions.push(state.to_uppercase().into()),
                Token::Word(word) if !["or", "sqlstate"].contains(&word.value.to_lowercase().as_str()) => {
                    conditions.push(word.value.to_lowercase().into());
                }
                _ => {}
            }
            self.reader.advance();
        }
        Ok(conditions)
    }

    fn end_label(&mut self) -> Result<()> {
        if !self.reader.at(&Token::SemiColon) && !self.reader.at_end() {
            self.reader.ident_or_any_keyword()?;
        }
        Ok(())
    }

    /// What may run or not; values that it changes are not known after it.
    fn conditional(&mut self, read: impl FnOnce(&mut Self) -> Result<()>) -> Result<Vec<Flow>> {
        self.conditions += 1;
        let before = self.variables.clone();
        let outcome = self.nested(read);
        let after = std::mem::replace(&mut self.variables, before);
        self.variables.meet(&after);
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
        let label = self.label()?;
        if self.reader.take(&Token::SemiColon) {
            return Ok(());
        }
        if self.is_assignment() {
            return self.assignment();
        }
        let word = self.reader.peek().to_string().to_ascii_lowercase();
        match word.as_str() {
            "declare" | "begin" => {
                self.block(label)?;
                self.reader.expect(&Token::SemiColon)
            }
            "if" => self.if_statement(),
            "case" => self.case_statement(),
            "loop" => self.loop_body(label),
            "while" => {
                self.reader.advance();
                self.condition(&["LOOP"])?;
                self.loop_body(label)
            }
            "for" | "foreach" => self.for_statement(label),
            "return" => self.return_statement(),
            "open" => self.open_statement(),
            "execute" => self.execute(&[]),
            "perform" => self.sql_statement(true),
            "exit" | "continue" => self.exit_statement(),
            "raise" => self.raise_statement(),
            "null" | "assert" | "move" | "close" => self.skip_statement(),
            // Their targets are not known any more.
            "get" | "fetch" => {
                let start = self.reader.position();
                self.skip_statement()?;
                self.forget_named(start, self.reader.position());
                Ok(())
            }
            _ => self.sql_statement(false),
        }
    }

    /// EXIT | CONTINUE [label] [WHEN condition]
    fn exit_statement(&mut self) -> Result<()> {
        self.reader.advance();
        let mut label = None;
        if !self.reader.at(&Token::SemiColon) && !self.reader.at_word("WHEN") {
            label = Some(self.reader.ident_or_any_keyword()?.name);
        }
        let conditional = self.reader.at_word("WHEN");
        self.step(Flow::Exit { label, conditional });
        self.skip_statement()
    }

    /// RAISE without a level, or with EXCEPTION, does not come back.
    fn raise_statement(&mut self) -> Result<()> {
        self.reader.advance();
        const GOES_ON: &[&str] = &["DEBUG", "LOG", "INFO", "NOTICE", "WARNING"];
        if !self.reader.at_any_word(GOES_ON) {
            self.step(Flow::Raise);
        }
        self.skip_statement()
    }

    /// IF … THEN … ELSIF … ELSE … END IF
    fn if_statement(&mut self) -> Result<()> {
        self.reader.advance();
        let mut arms = vec![self.arm(true)?];
        while self.reader.take_any_word(&["ELSIF", "ELSEIF"]).is_some() {
            arms.push(self.arm(true)?);
        }
        self.otherwise(&mut arms)?;
        self.step(Flow::Branch(arms));
        self.reader.expect_words(&["END", "IF"])?;
        self.reader.expect(&Token::SemiColon)
    }

    /// CASE [expression] WHEN … THEN … ELSE … END CASE
    fn case_statement(&mut self) -> Result<()> {
        self.reader.advance();
        let searched = self.reader.at_word("WHEN");
        self.skip_until(&["WHEN"])?;
        let mut arms = Vec::new();
        while self.reader.take_word("WHEN") {
            arms.push(self.arm(searched)?);
        }
        self.otherwise(&mut arms)?;
        self.step(Flow::Branch(arms));
        self.reader.expect_words(&["END", "CASE"])?;
        self.reader.expect(&Token::SemiColon)
    }

    /// `condition THEN statements`.
    fn arm(&mut self, searched: bool) -> Result<Arm> {
        let condition = self.condition(&["THEN"])?.filter(|_| searched);
        let condition = condition.map_or(Condition::Unknown, |tree| Condition::Known(tree.into()));
        self.reader.expect_word("THEN")?;
        Ok(Arm { condition, body: self.conditional(Body::statements)? })
    }

    fn otherwise(&mut self, arms: &mut Vec<Arm>) -> Result<()> {
        if self.reader.take_word("ELSE") {
            arms.push(Arm { condition: Condition::Otherwise, body: self.conditional(Body::statements)? });
        }
        Ok(())
    }

    fn loop_body(&mut self, label: Option<Name>) -> Result<()> {
        self.reader.expect_word("LOOP")?;
        self.forget_assigned_later();
        let body = self.conditional(Body::statements)?;
        self.step(Flow::Loop { label, body });
        self.reader.expect_words(&["END", "LOOP"])?;
        self.end_label()?;
        self.reader.expect(&Token::SemiColon)
    }

    /// FOR target IN numbers | query | EXECUTE … LOOP, FOREACH target IN ARRAY … LOOP
    fn for_statement(&mut self, label: Option<Name>) -> Result<()> {
        self.reader.advance();
        while !self.reader.at_word("IN") && !self.reader.at_end() {
            if matches!(self.reader.peek(), Token::Word(_)) {
                let name = self.reader.ident_or_any_keyword()?.name;
                self.variables.declare(name);
            } else {
                self.reader.advance();
            }
        }
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
        self.loop_body(label)
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
        if self.reader.at_word("NEXT") {
            return self.skip_statement();
        }
        if !self.reader.take_word("QUERY") {
            self.condition(&[])?;
            self.step(Flow::Return);
            return self.reader.expect(&Token::SemiColon);
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
        let text = dynamic::evaluate(&mut self.reader, end, &self.variables);
        self.reader.restore(start);
        let reach = dynamic::reach(&mut self.reader);
        self.reader.restore(end);
        self.skip_until(ends)?;
        self.forget_named(end, self.reader.position());
        match text {
            Some(literal) => read_text(&literal.text()).into_iter().for_each(|found| self.statement_read(found)),
            None => {
                let place = self.reader.span_from(statement);
                self.code.dynamic.push(place);
                self.step(Flow::Dynamic { place, reach });
            }
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
        let start = self.reader.position();
        let name = self.reader.ident_or_any_keyword().map(|ident| ident.name);
        while !matches!(self.reader.peek(), Token::Assignment | Token::Eq) {
            self.reader.advance();
        }
        let whole = self.reader.position() == start + 1;
        self.reader.advance();
        let value = self.value()?.filter(|_| whole);
        if let Ok(name) = name {
            self.variables.assign(&name, value);
        }
        self.reader.expect(&Token::SemiColon)
    }

    /// An expression up to one of the words. It is a statement of its own where a query in it reads relations, or it calls functions.
    fn condition(&mut self, ends: &[&str]) -> Result<Option<ast::Expr>> {
        let start = self.reader.position();
        self.skip_until(ends)?;
        let end = self.reader.position();
        Ok(self.read_expression(start, end))
    }

    /// Variables that are assigned somewhere in the rest of the body.
    fn forget_assigned_later(&mut self) {
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
    fn forget_named(&mut self, start: usize, end: usize) {
        for at in start..end {
            if let Token::Word(word) = &self.reader.parser.token_at(at).token {
                let name = word_name(word);
                self.variables.forget(&name);
            }
        }
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
        let mut change = read_tokens(self.reader.text, without_into(tokens), None);
        if let Ok(change) = &mut change {
            self.variables.bind(change);
        }
        let into = (start..end).find(|at| is_word(&self.reader.parser.token_at(*at).token, "INTO"));
        if let Some(into) = into {
            self.forget_named(into, end);
        }
        self.statement_read(Statement { span, change, conditional: false, newer });
    }

    /// Reads an expression as the query SELECT expression, which is a statement of the code where it may do something. One that is not
    /// understood is left out: it changes nothing.
    fn read_expression(&mut self, start: usize, end: usize) -> Option<ast::Expr> {
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
            self.statement_read(Statement { span, change: Ok(change), conditional: false, newer });
        }
        tree
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

#[cfg(test)]
#[path = "plpgsql_tests.rs"]
mod tests;
