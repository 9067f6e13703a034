//! COPY.

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use super::uses::relation_uses;
use crate::change::{Change, Copy, Expression};

pub(super) fn copy(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("COPY")?;
    if reader.at(&Token::LParen) {
        let (uses, query) = reader.parenthesized(|reader| reader.writing_query())?;
        reader.expect_word("TO")?;
        let (on_server, _) = target(reader)?;
        return Ok(Change::Copy(Copy {
            table: None,
            columns: Vec::new(),
            from: false,
            uses,
            query: Some(query),
            predicate: None,
            data: None,
            on_server,
        }));
    }
    reader.take_word("BINARY");
    let table = reader.object_name()?;
    let columns = if reader.at(&Token::LParen) { reader.parenthesized_idents()? } else { Vec::new() };
    let from = reader.take_word("FROM");
    if !from {
        reader.expect_word("TO")?;
    }
    let (on_server, predicate) = target(reader)?;
    let data = reader.copy_data;
    let (table, uses) = (Some(table), Vec::new());
    Ok(Change::Copy(Copy { table, columns, from, uses, query: None, predicate, data, on_server }))
}

/// `'file'`, `PROGRAM 'command'`, `STDIN` or `STDOUT`, with the options: true of the first two. And WHERE.
fn target(reader: &mut Reader) -> Result<(bool, Option<Expression>)> {
    let on_server = reader.take_any_word(&["STDIN", "STDOUT"]).is_none();
    if on_server {
        reader.take_word("PROGRAM");
        reader.string_literal()?;
    }
    reader.take_word("WITH");
    while !reader.at_end() && !reader.at_word("WHERE") {
        match reader.peek() {
            Token::LParen => reader.skip_parenthesized()?,
            Token::Word(_) | Token::Comma | Token::Mul => reader.advance(),
            _ => drop(reader.string_literal()?),
        }
    }
    let predicate = if reader.take_word("WHERE") { Some(reader.expression()?) } else { None };
    Ok((on_server, predicate))
}

impl Reader<'_> {
    /// A query that may be INSERT, UPDATE, DELETE or MERGE with RETURNING: the relations it uses, and its query.
    fn writing_query(&mut self) -> Result<(Vec<crate::change::RelationUse>, crate::change::Query)> {
        let query = self.query()?;
        Ok((relation_uses(&query), query))
    }
}
