//! LOOP, WHILE, FOR and FOREACH of PL/pgSQL, and what leaves them.

use sqlparser::tokenizer::Token;

use super::dynamic;
use super::embedded::QUERY;
use super::plpgsql::Body;
use crate::change::{Condition, Flow, Name};
use crate::sql::lex::literal::Literal;
use crate::sql::read::reader::Result;

/// A FOREACH over more elements is read once, as a loop over what is not known.
const MOST_ELEMENTS: usize = 64;

impl Body<'_> {
    pub(super) fn loop_body(&mut self, label: Option<Name>, condition: Condition) -> Result<()> {
        self.reader.expect_word("LOOP")?;
        self.forget_assigned_later();
        let body = self.conditional(Body::statements)?;
        self.step(Flow::Loop { label, condition, body });
        self.reader.expect_words(&["END", "LOOP"])?;
        self.end_label()?;
        self.reader.expect(&Token::SemiColon)
    }

    /// FOR target IN numbers | query | EXECUTE … LOOP, FOREACH target IN ARRAY … LOOP
    pub(super) fn for_statement(&mut self, label: Option<Name>) -> Result<()> {
        let foreach = self.reader.at_word("FOREACH");
        self.reader.advance();
        let mut target = None;
        while !self.reader.at_word("IN") && !self.reader.at_end() {
            if matches!(self.reader.peek(), Token::Word(_)) {
                let name = self.reader.ident_or_any_keyword()?.name;
                self.variables.declare(name.clone());
                target.get_or_insert(name);
            } else {
                self.reader.advance();
            }
        }
        self.reader.expect_word("IN")?;
        if let Some(target) = target.filter(|_| foreach && self.reader.take_word("ARRAY")) {
            return self.for_each(label, &target);
        }
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
        self.loop_body(label, Condition::Unknown)
    }

    /// The rest of FOREACH target IN ARRAY: the body once for each element, where they are known.
    fn for_each(&mut self, label: Option<Name>, target: &Name) -> Result<()> {
        let start = self.reader.position();
        self.skip_until(&["LOOP"])?;
        let end = self.reader.position();
        let Some(elements) = self.elements(start, end) else { return self.loop_body(label, Condition::Unknown) };
        let mut rounds = Vec::new();
        for element in elements {
            self.reader.restore(end);
            self.reader.expect_word("LOOP")?;
            self.variables.assign(target, Some(element));
            rounds.push(self.nested(Body::statements)?);
        }
        self.variables.forget(target);
        if rounds.iter().flatten().any(may_exit) {
            let body = rounds.into_iter().flatten().collect();
            self.step(Flow::Loop { label, condition: Condition::Unknown, body });
        } else {
            for body in rounds {
                self.step(Flow::Block { label: label.clone(), body, handlers: Vec::new() });
            }
        }
        self.reader.expect_words(&["END", "LOOP"])?;
        self.end_label()?;
        self.reader.expect(&Token::SemiColon)
    }

    /// `a .. b` of numbers rather than a query in parentheses.
    fn is_range(&self, start: usize) -> bool {
        let text = self.reader.text_from(start);
        !text.trim_start_matches('(').trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("select"))
            && text.contains("..")
    }

    /// EXIT | CONTINUE [label] [WHEN condition]
    pub(super) fn exit_statement(&mut self) -> Result<()> {
        self.reader.advance();
        let mut label = None;
        if !self.reader.at(&Token::SemiColon) && !self.reader.at_word("WHEN") {
            label = Some(self.reader.ident_or_any_keyword()?.name);
        }
        let conditional = self.reader.at_word("WHEN");
        self.step(Flow::Exit { label, conditional });
        self.skip_statement()
    }

    /// The elements of the array between two positions, where all are known.
    pub(super) fn elements(&mut self, start: usize, end: usize) -> Option<Vec<Literal>> {
        let here = self.reader.position();
        self.reader.restore(start);
        let elements = dynamic::elements(&mut self.reader, end, &self.variables);
        self.reader.restore(here);
        elements.filter(|elements| elements.len() <= MOST_ELEMENTS)
    }
}

/// Whether a loop, or a round of it, may be left before its end.
fn may_exit(step: &Flow) -> bool {
    match step {
        Flow::Exit { .. } => true,
        Flow::Branch(arms) => arms.iter().flat_map(|arm| &arm.body).any(may_exit),
        Flow::Loop { body, .. } => body.iter().any(may_exit),
        Flow::Block { body, handlers, .. } => {
            body.iter().chain(handlers.iter().flat_map(|handler| &handler.body)).any(may_exit)
        }
        Flow::Statement(_) | Flow::Dynamic(_) | Flow::Return | Flow::Raise => false,
    }
}
