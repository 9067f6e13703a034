//! CREATE VIEW, CREATE MATERIALIZED VIEW, REFRESH.

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use super::table;
use crate::change::{
    Change, CreateMaterializedView, CreateView, Ident, Persistence, RefreshMaterializedView, Unreadable,
};

pub(super) fn create_view(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("CREATE")?;
    let or_replace = reader.or_replace()?;
    let temporary = reader.persistence()? == Persistence::Temporary;
    let recursive = reader.take_word("RECURSIVE");
    reader.expect_word("VIEW")?;
    let name = reader.object_name_as("the name of a view")?;
    let columns = if recursive { reader.parenthesized_idents()? } else { columns(reader)? };
    let options = if reader.take_word("WITH") { reader.storage_options()? } else { Vec::new() };
    reader.expect_word("AS")?;
    let query = reader.reading_query()?;
    let check_option = check_option(reader)?;
    Ok(Change::CreateView(CreateView { name, or_replace, recursive, temporary, columns, query, options, check_option }))
}

fn columns(reader: &mut Reader) -> Result<Vec<Ident>> {
    if reader.at(&Token::LParen) { reader.parenthesized_idents() } else { Ok(Vec::new()) }
}

/// `WITH [CASCADED | LOCAL] CHECK OPTION`.
fn check_option(reader: &mut Reader) -> Result<bool> {
    if !reader.take_word("WITH") {
        return Ok(false);
    }
    reader.take_any_word(&["CASCADED", "LOCAL"]);
    reader.expect_words(&["CHECK", "OPTION"])?;
    Ok(true)
}

pub(super) fn create_materialized_view(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("CREATE")?;
    if reader.at_word("UNLOGGED") {
        return Err(Unreadable::invalid("materialized views cannot be unlogged", reader.span()));
    }
    reader.expect_words(&["MATERIALIZED", "VIEW"])?;
    let if_not_exists = reader.if_not_exists();
    let name = reader.object_name_as("the name of a materialized view")?;
    let columns = columns(reader)?;
    table::storage(reader)?;
    reader.expect_word("AS")?;
    let query = reader.reading_query()?;
    let with_no_data = table::with_no_data(reader)?;
    Ok(Change::CreateMaterializedView(CreateMaterializedView { name, if_not_exists, columns, query, with_no_data }))
}

pub(super) fn refresh_materialized_view(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["REFRESH", "MATERIALIZED", "VIEW"])?;
    let concurrently = reader.take_word("CONCURRENTLY");
    let name = reader.object_name_as("the name of a materialized view")?;
    let with_no_data = table::with_no_data(reader)?;
    Ok(Change::RefreshMaterializedView(RefreshMaterializedView { name, concurrently, with_no_data }))
}
