//! CREATE INDEX and CREATE STATISTICS.

use sqlparser::tokenizer::Token;

use super::constraint;
use super::reader::{Reader, Result};
use crate::change::{Change, CreateIndex, CreateStatistics, Ident, IndexElement, Name};

pub(super) fn create_index(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("CREATE")?;
    let unique = reader.take_word("UNIQUE");
    reader.expect_word("INDEX")?;
    let concurrently = reader.take_word("CONCURRENTLY");
    let (name, if_not_exists) = index_name(reader)?;
    reader.expect_word("ON")?;
    let (table, only) = reader.relation()?;
    let method = if reader.take_word("USING") { reader.ident()?.name } else { Name::new("btree") };
    let elements = reader.parenthesized(|reader| reader.comma_separated(Reader::index_element))?;
    let include = constraint::include(reader)?;
    let nulls_not_distinct = constraint::nulls_not_distinct(reader)?;
    let storage = if reader.take_word("WITH") { reader.storage_options()? } else { Vec::new() };
    let tablespace = if reader.take_word("TABLESPACE") { Some(reader.ident()?) } else { None };
    let predicate = if reader.take_word("WHERE") { Some(reader.expression()?) } else { None };
    Ok(Change::CreateIndex(Box::new(CreateIndex {
        name,
        table,
        only,
        unique,
        concurrently,
        if_not_exists,
        method,
        elements,
        include,
        nulls_not_distinct,
        predicate,
        storage,
        tablespace,
    })))
}

/// The index is made in its table's schema, so its name has none.
fn index_name(reader: &mut Reader) -> Result<(Option<Ident>, bool)> {
    if reader.at_word("ON") {
        return Ok((None, false));
    }
    let if_not_exists = reader.if_not_exists();
    Ok((Some(reader.ident_as("the name of an index")?), if_not_exists))
}

pub(super) fn create_statistics(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["CREATE", "STATISTICS"])?;
    let if_not_exists = reader.if_not_exists();
    let unnamed = !if_not_exists && (reader.at_word("ON") || reader.at(&Token::LParen));
    let name = if unnamed { None } else { Some(reader.object_name_as("the name of the statistics")?) };
    let kinds = if reader.at(&Token::LParen) { reader.parenthesized_idents()? } else { Vec::new() };
    reader.expect_word("ON")?;
    let elements = reader.comma_separated(statistics_element)?;
    reader.expect_word("FROM")?;
    let table = Some(reader.object_name_as("the name of a table")?);
    let kinds = kinds.into_iter().map(|kind| kind.name).collect();
    Ok(Change::CreateStatistics(CreateStatistics { name, if_not_exists, kinds, elements, table }))
}

/// A column, a call, or an expression in parentheses; nothing may follow it.
fn statistics_element(reader: &mut Reader) -> Result<IndexElement> {
    let start = reader.position();
    let target = reader.index_target()?;
    Ok(IndexElement {
        target,
        collation: None,
        operator_class: None,
        descending: false,
        nulls_first: None,
        span: reader.span_from(start),
    })
}
