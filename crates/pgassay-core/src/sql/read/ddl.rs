//! What the readers of DDL share: names with special rules, roles, option lists, the words that open a statement.

use std::sync::Arc;

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use crate::change::{Ident, Name, ObjectName, ObjectReference, Persistence, Query, Unreadable};

impl Reader<'_> {
    /// A name, with its own words when there is none: "expected a column name, found ')'".
    pub(super) fn ident_as(&mut self, what: &str) -> Result<Ident> {
        self.ident().map_err(|_| self.error(what))
    }

    /// As [`Reader::object_name`], with its own words when there is none, and no more than the three parts of
    /// `database.schema.name`.
    pub(super) fn object_name_as(&mut self, what: &str) -> Result<ObjectName> {
        let start = self.position();
        let name = self.object_name().map_err(|_| self.error(what))?;
        if self.at(&Token::Period) {
            self.advance();
            return Err(self.error("a name"));
        }
        let tokens = self.position() - start;
        if tokens > 5 {
            return Err(Unreadable::new(format!("improper qualified name: {}", self.text_from(start)), name.span));
        }
        Ok(name)
    }

    /// All parts of a qualified name.
    pub(super) fn path(&mut self) -> Result<Vec<Ident>> {
        let mut path = vec![self.ident()?];
        while self.take(&Token::Period) {
            path.push(self.ident_or_any_keyword()?);
        }
        Ok(path)
    }

    pub(super) fn if_exists(&mut self) -> bool {
        self.take_words(&["IF", "EXISTS"])
    }

    pub(super) fn if_not_exists(&mut self) -> bool {
        self.take_words(&["IF", "NOT", "EXISTS"])
    }

    /// `CASCADE`, `RESTRICT` or nothing.
    pub(in crate::sql) fn cascade(&mut self) -> bool {
        self.take_any_word(&["CASCADE", "RESTRICT"]) == Some("CASCADE")
    }

    pub(super) fn or_replace(&mut self) -> Result<bool> {
        if !self.take_word("OR") {
            return Ok(false);
        }
        self.expect_word("REPLACE")?;
        Ok(true)
    }

    /// `[GLOBAL | LOCAL] TEMP[ORARY]`, `UNLOGGED` or nothing.
    pub(super) fn persistence(&mut self) -> Result<Persistence> {
        if self.take_word("UNLOGGED") {
            return Ok(Persistence::Unlogged);
        }
        let scope = self.take_any_word(&["GLOBAL", "LOCAL"]).is_some();
        if self.take_any_word(&["TEMP", "TEMPORARY"]).is_some() {
            return Ok(Persistence::Temporary);
        }
        if scope { Err(self.error("TEMPORARY")) } else { Ok(Persistence::Permanent) }
    }

    /// `[ONLY] name [*]` or `ONLY (name)`: a table, and whether its children are left out.
    pub(super) fn relation(&mut self) -> Result<(ObjectName, bool)> {
        if self.take_word("ONLY") {
            let name = if self.at(&Token::LParen) {
                self.parenthesized(|reader| reader.object_name_as("the name of a table"))?
            } else {
                self.object_name_as("the name of a table")?
            };
            return Ok((name, true));
        }
        let name = self.object_name_as("the name of a table")?;
        self.take(&Token::Mul);
        Ok((name, false))
    }

    /// A role: a name, PUBLIC, or CURRENT_USER and its kin, which become names of that spelling.
    pub(super) fn role(&mut self) -> Result<Ident> {
        if self.at_any_word(&["CURRENT_USER", "CURRENT_ROLE", "SESSION_USER"]) {
            return self.ident_or_any_keyword();
        }
        self.function_ident().map_err(|_| self.error("a role"))
    }

    pub(super) fn roles(&mut self) -> Result<Vec<Ident>> {
        self.comma_separated(Reader::role)
    }

    /// An operator, with its schema: `=`, `s.@@`.
    pub(super) fn operator_name(&mut self) -> Result<ObjectName> {
        let start = self.position();
        let mut schema: Option<Name> = None;
        while matches!(self.peek(), Token::Word(_)) && *self.peek_nth(1) == Token::Period {
            schema = Some(self.ident()?.name);
            self.expect(&Token::Period)?;
        }
        let at_symbol = self.position();
        // The tokenizer may have cut one operator of the server into several.
        while self.at_operator_part() && self.touches(at_symbol) {
            self.advance();
        }
        if self.position() == at_symbol {
            return Err(self.error("an operator"));
        }
        Ok(ObjectName { schema, name: Name::new(self.text_from(at_symbol)), span: self.span_from(start) })
    }

    fn at_operator_part(&self) -> bool {
        let (start, end) = self.bytes_at(self.position());
        let text = self.text.text.get(start..end).unwrap_or_default();
        !text.is_empty() && text.chars().all(|c| "+-*/<>=~!@#%^&|`?".contains(c))
    }

    /// Whether the next token stands right behind the one before it, or is the first of those from `start` on.
    fn touches(&self, start: usize) -> bool {
        self.position() == start || self.bytes_at(self.position()).0 == self.bytes_at(self.position() - 1).1
    }

    /// Any number with an optional sign.
    pub(super) fn number(&mut self) -> Result<f64> {
        let negative = self.take(&Token::Minus);
        if !negative {
            self.take(&Token::Plus);
        }
        let value = match self.peek() {
            Token::Number(digits, _) => digits.replace('_', "").parse::<f64>().ok(),
            _ => None,
        };
        let Some(value) = value else { return Err(self.error("a number")) };
        self.advance();
        Ok(if negative { -value } else { value })
    }

    pub(super) fn at_integer(&self) -> bool {
        let sign = matches!(self.peek(), Token::Plus | Token::Minus);
        matches!(self.peek_nth(usize::from(sign)), Token::Number(..))
    }

    /// `OPTIONS (name 'value', …)` of foreign objects, as CREATE has it.
    pub(super) fn generic_options(&mut self) -> Result<()> {
        self.expect_word("OPTIONS")?;
        self.parenthesized(|reader| reader.comma_separated(Reader::generic_option))?;
        Ok(())
    }

    fn generic_option(&mut self) -> Result<()> {
        self.ident_or_any_keyword()?;
        self.string_literal()?;
        Ok(())
    }

    /// As [`Reader::generic_options`] for ALTER: `ADD name 'value'`, `SET name 'value'`, `DROP name`.
    pub(super) fn alter_generic_options(&mut self) -> Result<()> {
        self.expect_word("OPTIONS")?;
        self.parenthesized(|reader| {
            reader.comma_separated(|reader| {
                // Each of the three words may be the name itself, followed by its value.
                let named = matches!(reader.peek_nth(1), Token::Word(_));
                match reader.take_any_word(if named { &["ADD", "SET", "DROP"] } else { &[] }) {
                    Some("DROP") => reader.ident_or_any_keyword().map(|_| ()),
                    _ => reader.generic_option(),
                }
            })
        })?;
        Ok(())
    }

    /// `(name [= value], …)`, where a value is anything up to the next comma: what CREATE TYPE, AGGREGATE, OPERATOR and
    /// the like are given. Returns the names.
    pub(super) fn definition(&mut self) -> Result<Vec<Name>> {
        self.parenthesized(|reader| reader.comma_separated(Reader::definition_element))
    }

    fn definition_element(&mut self) -> Result<Name> {
        let name = self.ident_or_any_keyword()?.name;
        if self.take(&Token::Eq) {
            let start = self.position();
            while !matches!(self.peek(), Token::Comma | Token::RParen | Token::EOF | Token::SemiColon) {
                if self.at(&Token::LParen) { self.skip_parenthesized()? } else { self.advance() }
            }
            if self.position() == start {
                return Err(self.error("a value"));
            }
        }
        Ok(name)
    }

    /// A query that only reads: the body of a view or of CREATE TABLE AS.
    pub(super) fn reading_query(&mut self) -> Result<Query> {
        if !self.at_any_word(&["SELECT", "VALUES", "TABLE", "WITH"]) && !self.at(&Token::LParen) {
            return Err(self.error("SELECT, VALUES, TABLE or WITH"));
        }
        self.query()
    }

    /// A value in a list of settings: a word, number or string.
    pub(super) fn setting_value(&mut self) -> Result<Arc<str>> {
        if let Ok(text) = self.string_literal() {
            return Ok(text);
        }
        let start = self.position();
        if self.at_integer() {
            self.take(&Token::Minus);
            self.take(&Token::Plus);
        } else if !matches!(self.peek(), Token::Word(_)) {
            return Err(self.error("a value"));
        } else if self.at_word("INTERVAL") && matches!(self.peek_nth(1), Token::SingleQuotedString(_)) {
            self.advance();
        } else {
            return Ok(self.ident_or_any_keyword()?.name.as_str().into());
        }
        self.advance();
        Ok(self.text_from(start).into())
    }
}

/// A plain object: no arguments, no table.
pub(super) fn reference(name: ObjectName) -> ObjectReference {
    ObjectReference { span: name.span, name, arguments: None, on: None }
}

/// A name without schema as the name of an object.
pub(super) fn unqualified(ident: Ident) -> ObjectName {
    ObjectName { schema: None, name: ident.name, span: ident.span }
}
