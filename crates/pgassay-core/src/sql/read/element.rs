//! Pieces that several statements share: storage parameters, index elements.

use std::sync::Arc;

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use crate::change::{IndexElement, IndexTarget, StorageOption};

/// Calls that are written without parentheses (gram.y, `func_expr_common_subexpr`).
const VALUE_FUNCTIONS: &[&str] = &[
    "CURRENT_CATALOG",
    "CURRENT_DATE",
    "CURRENT_ROLE",
    "CURRENT_SCHEMA",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "SESSION_USER",
    "SYSTEM_USER",
    "USER",
];

impl Reader<'_> {
    /// `(fillfactor = 70, toast.autovacuum_enabled = false, security_barrier)`; also the names alone, as RESET has them.
    pub(super) fn storage_options(&mut self) -> Result<Vec<StorageOption>> {
        self.parenthesized(|reader| reader.comma_separated(Reader::storage_option))
    }

    fn storage_option(&mut self) -> Result<StorageOption> {
        let start = self.position();
        let mut name = self.ident_or_any_keyword()?.name.as_str().to_string();
        if self.take(&Token::Period) {
            name = format!("{name}.{}", self.ident_or_any_keyword()?.name.as_str());
        }
        let value = if self.take(&Token::Eq) { Some(self.option_value()?) } else { None };
        Ok(StorageOption { name: name.to_lowercase().into(), value, span: self.span_from(start) })
    }

    /// A string without its quotes, or everything up to the next comma as it is written.
    fn option_value(&mut self) -> Result<Arc<str>> {
        if let Ok(text) = self.string_literal() {
            return Ok(text);
        }
        let start = self.position();
        while !matches!(self.peek(), Token::Comma | Token::RParen | Token::EOF | Token::SemiColon) {
            if self.at(&Token::LParen) {
                self.skip_parenthesized()?;
            } else {
                self.advance();
            }
        }
        if self.position() == start { Err(self.error("a value")) } else { Ok(self.text_from(start).into()) }
    }

    /// A column or expression of an index, a partition key, an exclusion constraint or statistics, with all that may follow it.
    pub(super) fn index_element(&mut self) -> Result<IndexElement> {
        let start = self.position();
        let target = self.index_target()?;
        let collation = if self.take_word("COLLATE") { Some(self.object_name()?) } else { None };
        let operator_class = match self.peek() {
            Token::Word(_) if !self.at_any_word(&["ASC", "DESC", "NULLS", "WITH", "USING"]) => {
                Some(self.object_name()?)
            }
            _ => None,
        };
        if operator_class.is_some() && self.at(&Token::LParen) {
            self.skip_parenthesized()?;
        }
        let order = self.take_any_word(&["ASC", "DESC"]);
        // ASC USING … and USING operator are ORDER BY's only.
        let nulls_first = match (self.take_words(&["NULLS", "FIRST"]), self.take_words(&["NULLS", "LAST"])) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        };
        let descending = order == Some("DESC");
        Ok(IndexElement { target, collation, operator_class, descending, nulls_first, span: self.span_from(start) })
    }

    /// A column, a call, or an expression in parentheses.
    pub(super) fn index_target(&mut self) -> Result<IndexTarget> {
        if self.at(&Token::LParen) {
            return self.parenthesized(Reader::expression).map(IndexTarget::Expression);
        }
        let start = self.position();
        if self.at_any_word(VALUE_FUNCTIONS) && *self.peek_nth(1) != Token::LParen {
            return self.expression_until(start + 1).map(IndexTarget::Expression);
        }
        if !matches!(self.peek_nth(1), Token::LParen | Token::Period) {
            return self.ident().map(IndexTarget::Column);
        }
        // A call without parentheses around it: it ends with its own.
        self.ident_or_any_keyword()?;
        while self.take(&Token::Period) {
            self.ident_or_any_keyword()?;
        }
        self.skip_parenthesized()?;
        let end = self.position();
        self.restore(start);
        self.expression_until(end).map(IndexTarget::Expression)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::read::testing::read;

    #[test]
    fn index_elements_with_everything() {
        let elements = read(
            "(name, lower(e) COLLATE \"C\" public.text_pattern_ops (siglen = 3) DESC NULLS LAST, (a + b))",
            |reader| reader.parenthesized(|reader| reader.comma_separated(Reader::index_element)),
        )
        .unwrap();
        let [IndexTarget::Column(name), IndexTarget::Expression(call), IndexTarget::Expression(sum)] =
            [&elements[0].target, &elements[1].target, &elements[2].target]
        else {
            panic!("{elements:?}");
        };
        assert_eq!((name.name.as_str(), &*call.text, &*sum.text), ("name", "lower(e)", "a + b"));
        assert_eq!(elements[1].collation.as_ref().unwrap().to_string(), "\"C\"");
        assert_eq!(elements[1].operator_class.as_ref().unwrap().to_string(), "public.text_pattern_ops");
        assert_eq!((elements[1].descending, elements[1].nulls_first), (true, Some(false)));
        assert_eq!((elements[2].span.start, elements[2].span.end), (82, 89));
    }

    #[test]
    fn storage_options_keep_their_values_as_text() {
        let options =
            read("(FillFactor=70, toast.x = 'a b', security_barrier, n = -1)", |reader| reader.storage_options())
                .unwrap();
        let shown: Vec<_> = options.iter().map(|option| (&*option.name, option.value.as_deref())).collect();
        assert_eq!(
            shown,
            [("fillfactor", Some("70")), ("toast.x", Some("a b")), ("security_barrier", None), ("n", Some("-1"))]
        );
    }
}
