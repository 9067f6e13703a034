//! Names and constants.

use std::sync::Arc;

use sqlparser::tokenizer::{Token, Word};

use super::reader::{Reader, Result};
use crate::change::{Ident, Name, ObjectName};
use crate::sql::lex::keyword::{can_name_column, can_name_function};

impl Reader<'_> {
    /// `(a, b, c)`.
    pub(super) fn parenthesized_idents(&mut self) -> Result<Vec<Ident>> {
        self.parenthesized(|reader| reader.comma_separated(Reader::ident))
    }

    // Names.

    /// A name of a column, table, constraint …: quoted, or a word that is not reserved.
    pub(in crate::sql) fn ident(&mut self) -> Result<Ident> {
        self.ident_where(can_name_column)
    }

    /// A name of a type or function.
    pub(super) fn function_ident(&mut self) -> Result<Ident> {
        self.ident_where(can_name_function)
    }

    /// A name where every key word is allowed: behind AS, behind a dot, in option lists.
    pub(in crate::sql) fn ident_or_any_keyword(&mut self) -> Result<Ident> {
        self.ident_where(|_| true)
    }

    fn ident_where(&mut self, allowed: impl Fn(&str) -> bool) -> Result<Ident> {
        let name = match self.peek() {
            Token::Word(Word { value, quote_style: Some(_), .. }) => Name::new(value),
            Token::Word(Word { value, .. }) if allowed(value) => Name::folded(value),
            _ => return Err(self.error("a name")),
        };
        let span = self.span();
        self.advance();
        Ok(Ident { name, span })
    }

    pub(super) fn object_name(&mut self) -> Result<ObjectName> {
        self.object_name_from(Reader::ident)
    }

    pub(super) fn function_name(&mut self) -> Result<ObjectName> {
        self.object_name_from(Reader::function_ident)
    }

    fn object_name_from(&mut self, first: impl FnOnce(&mut Self) -> Result<Ident>) -> Result<ObjectName> {
        let start = self.position();
        let mut schema = None;
        let mut name = first(self)?.name;
        while self.at(&Token::Period) && matches!(self.peek_nth(1), Token::Word(_)) {
            self.advance();
            schema = Some(name);
            name = self.ident_or_any_keyword()?.name;
        }
        Ok(ObjectName { schema, name, span: self.span_from(start) })
    }

    // Literals.

    /// A string in any of its spellings, without quotes and escapes.
    pub(in crate::sql) fn string_literal(&mut self) -> Result<Arc<str>> {
        let value: Arc<str> = match self.peek() {
            Token::SingleQuotedString(value)
            | Token::EscapedStringLiteral(value)
            | Token::UnicodeStringLiteral(value)
            | Token::NationalStringLiteral(value) => value.as_str().into(),
            Token::DollarQuotedString(quoted) => quoted.value.as_str().into(),
            _ => return Err(self.error("a string")),
        };
        self.advance();
        Ok(value)
    }

    /// A whole number with an optional sign.
    pub(super) fn integer(&mut self) -> Result<i64> {
        let start = self.position();
        let negative = self.take(&Token::Minus);
        if !negative {
            self.take(&Token::Plus);
        }
        let digits = match self.peek() {
            Token::Number(digits, _) => digits.replace('_', ""),
            _ => return Err(self.error("a whole number")),
        };
        let sign = if negative { "-" } else { "" };
        // A dump may write the bounds of a sequence with a decimal point.
        let value = format!("{sign}{digits}").parse::<i64>();
        let value = value.or_else(|error| {
            digits.parse::<f64>().map_err(|_| error).map(|v| if negative { -v as i64 } else { v as i64 })
        });
        match value {
            Ok(value) => {
                self.advance();
                Ok(value)
            }
            Err(_) => {
                self.restore(start);
                Err(self.error("a whole number"))
            }
        }
    }
}
