//! PL/pgSQL: the SQL statements of a DO block or function body, and the way through them (manual, chapter 41).
//!
//! In: the body, and what is known of its parameters. Out: [`Code`]: the statements that can be seen, the places of those that are put
//! together when the body runs, and what decides which of them run. The values of variables are followed as far as they are literals.

use sqlparser::ast;
use sqlparser::tokenizer::Token;

use super::dynamic;
use super::variables::Variables;
use crate::change::{Arm, Code, Condition, Dynamic, Flow, Handler, Name, Statement, Unreadable};
use crate::sql::lex::literal::Literal;
use crate::sql::lex::token::{Text, tokenize};
use crate::sql::read::reader::{Reader, Result};
use crate::sql::script::read_text;

/// How deep blocks may nest.
const DEEPEST: usize = 200;

/// What can be seen of a body.
pub(in crate::sql) fn read_plpgsql(text: &Text, variables: Variables) -> Code {
    let whole = text.span(0, text.text.len());
    let unreadable = |error: Unreadable| Statement {
        span: whole,
        change: Err(error),
        conditional: false,
        newer: Vec::new(),
        sent: None,
    };
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
        body.step(Flow::Loop { label: None, condition: Condition::Unknown, body: inner });
    }
    if let Err(error) = outcome {
        body.statement_read(unreadable(error));
    }
    body.code.flow = body.flow.pop().unwrap_or_default();
    body.code
}

pub(super) struct Body<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) code: Code,
    /// The steps of what is open, the innermost last.
    pub(super) flow: Vec<Vec<Flow>>,
    pub(super) variables: Variables,
    /// How many IF, CASE, LOOP and EXCEPTION are open.
    pub(super) conditions: usize,
    pub(super) depth: usize,
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

    pub(super) fn step(&mut self, step: Flow) {
        if let Some(open) = self.flow.last_mut() {
            open.push(step);
        }
    }

    pub(super) fn statement_read(&mut self, statement: Statement) {
        let index = self.code.statements.len();
        let conditional = self.conditions > 0 || statement.conditional;
        self.code.statements.push(Statement { conditional, ..statement });
        self.step(Flow::Statement(index));
    }

    /// Reads a part of the body; what it says is a list of steps of its own.
    pub(super) fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<()>) -> Result<Vec<Flow>> {
        self.flow.push(Vec::new());
        let outcome = read(self);
        outcome.map(|()| self.flow.pop().unwrap_or_default())
    }

    fn label(&mut self) -> Result<Option<Name>> {
        let mut label = None;
        if self.reader.take(&Token::ShiftLeft) {
            let name = self.reader.ident_or_any_keyword()?.name;
            self.reader.expect(&Token::ShiftRight)?;
            // `label.variable`.
            self.variables.declare(name.clone());
            label = Some(name);
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
        let (value, elements) = match self.reader.at(&Token::SemiColon) {
            true => (None, None),
            false => {
                self.reader.advance();
                let start = self.reader.position();
                let value = self.value()?;
                (value, self.elements(start, self.reader.position()))
            }
        };
        self.variables.declare(name.clone());
        self.variables.assign(&name, value);
        if let Some(elements) = elements {
            self.variables.assign_array(&name, elements);
        }
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

    pub(super) fn end_label(&mut self) -> Result<()> {
        if !self.reader.at(&Token::SemiColon) && !self.reader.at_end() {
            self.reader.ident_or_any_keyword()?;
        }
        Ok(())
    }

    /// What may run or not; values that it changes are not known after it.
    pub(super) fn conditional(&mut self, read: impl FnOnce(&mut Self) -> Result<()>) -> Result<Vec<Flow>> {
        self.conditions += 1;
        let before = self.variables.clone();
        let outcome = self.nested(read);
        let after = std::mem::replace(&mut self.variables, before);
        self.variables.meet(&after);
        self.conditions -= 1;
        outcome
    }

    /// Statements up to a word that ends the list.
    pub(super) fn statements(&mut self) -> Result<()> {
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
            "loop" => self.loop_body(label, Condition::Unknown),
            "while" => {
                self.reader.advance();
                let condition = self.condition(&["LOOP"])?;
                self.loop_body(label, condition.map_or(Condition::Unknown, |tree| Condition::Known(tree.into())))
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
        let mut arms = vec![self.arm()?];
        while self.reader.take_any_word(&["ELSIF", "ELSEIF"]).is_some() {
            arms.push(self.arm()?);
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
        let operand = if searched { None } else { self.condition(&["WHEN"])? };
        let mut arms = Vec::new();
        while self.reader.take_word("WHEN") {
            let mut arm = self.arm()?;
            if !searched {
                arm.condition = equal(operand.as_ref(), arm.condition);
            }
            arms.push(arm);
        }
        self.otherwise(&mut arms)?;
        self.step(Flow::Branch(arms));
        self.reader.expect_words(&["END", "CASE"])?;
        self.reader.expect(&Token::SemiColon)
    }

    /// `condition THEN statements`.
    fn arm(&mut self) -> Result<Arm> {
        let condition = self.condition(&["THEN"])?.map_or(Condition::Unknown, |tree| Condition::Known(tree.into()));
        self.reader.expect_word("THEN")?;
        Ok(Arm { condition, body: self.conditional(Body::statements)? })
    }

    fn otherwise(&mut self, arms: &mut Vec<Arm>) -> Result<()> {
        if self.reader.take_word("ELSE") {
            arms.push(Arm { condition: Condition::Otherwise, body: self.conditional(Body::statements)? });
        }
        Ok(())
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
        self.code.returned.push(self.code.statements.len());
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
    pub(super) fn execute(&mut self, ends: &[&str]) -> Result<()> {
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
        self.reader.restore(start);
        let removes = dynamic::removes(&mut self.reader, &self.variables);
        self.reader.restore(end);
        self.skip_until(ends)?;
        self.forget_named(end, self.reader.position());
        match text {
            Some(literal) => read_text(&literal.text()).into_iter().for_each(|found| self.statement_read(found)),
            None => {
                let place = self.reader.span_from(statement);
                self.code.dynamic.push(place);
                self.step(Flow::Dynamic(Dynamic { place, reach, removes }));
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
}

/// `operand = value`, of one WHEN of a CASE with an operand.
fn equal(operand: Option<&ast::Expr>, value: Condition) -> Condition {
    match (operand, value) {
        (Some(operand), Condition::Known(value)) => {
            let nested = |part: &ast::Expr| Box::new(ast::Expr::Nested(Box::new(part.clone())));
            let op = ast::BinaryOperator::Eq;
            Condition::Known(ast::Expr::BinaryOp { left: nested(operand), op, right: nested(&value) }.into())
        }
        _ => Condition::Unknown,
    }
}

#[cfg(test)]
#[path = "plpgsql_tests.rs"]
mod tests;
