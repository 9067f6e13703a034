//! CREATE TABLE in all its forms, CREATE TABLE AS, CREATE FOREIGN TABLE.

use sqlparser::tokenizer::Token;

use super::column::{self, Column};
use super::reader::{Reader, Result};
use super::{constraint, partition};
use crate::catalog::LockMode;
use crate::change::{
    Change, CreateTable, CreateTableAs, Ident, LikeClause, LikeOptions, LockTable, ObjectName, Persistence,
    StorageOption, Truncate,
};

pub(super) fn create_table(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("CREATE")?;
    let persistence = reader.persistence()?;
    reader.expect_word("TABLE")?;
    let if_not_exists = reader.if_not_exists();
    let name = reader.object_name_as("the name of a table")?;
    if at_table_as(reader) {
        return create_table_as(reader, name, if_not_exists, persistence);
    }
    let mut table = empty(name, if_not_exists, persistence);
    body(reader, &mut table)?;
    if reader.at_words(&["PARTITION", "BY"]) {
        table.partition_by = Some(partition::key(reader)?);
    }
    let storage = storage(reader)?;
    table.access_method = storage.access_method;
    table.options = storage.options;
    table.tablespace = storage.tablespace;
    table.until_commit = storage.until_commit;
    Ok(Change::CreateTable(Box::new(table)))
}

pub(super) fn create_foreign_table(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["CREATE", "FOREIGN", "TABLE"])?;
    let if_not_exists = reader.if_not_exists();
    let name = reader.object_name_as("the name of a table")?;
    let mut table = empty(name, if_not_exists, Persistence::Permanent);
    if reader.at_word("OF") {
        return Err(reader.error("'(' or PARTITION OF"));
    }
    body(reader, &mut table)?;
    reader.expect_word("SERVER")?;
    table.foreign_server = Some(reader.ident()?);
    if reader.at_word("OPTIONS") {
        reader.generic_options()?;
    }
    Ok(Change::CreateTable(Box::new(table)))
}

fn empty(name: ObjectName, if_not_exists: bool, persistence: Persistence) -> CreateTable {
    CreateTable {
        name,
        if_not_exists,
        persistence,
        foreign_server: None,
        columns: Vec::new(),
        constraints: Vec::new(),
        like: Vec::new(),
        inherits: Vec::new(),
        of_type: None,
        partition_of: None,
        partition_by: None,
        access_method: None,
        tablespace: None,
        options: Vec::new(),
        until_commit: false,
    }
}

/// The elements with INHERITS, or OF a type, or PARTITION OF a parent with its bound.
fn body(reader: &mut Reader, table: &mut CreateTable) -> Result<()> {
    if reader.take_word("OF") {
        table.of_type = Some(reader.object_name_as("the name of a type")?);
        typed_elements(reader, table)
    } else if reader.take_words(&["PARTITION", "OF"]) {
        let parent = reader.object_name_as("the name of a table")?;
        typed_elements(reader, table)?;
        table.partition_of = Some((parent, partition::bound(reader)?));
        Ok(())
    } else if reader.take(&Token::LParen) {
        if !reader.at(&Token::RParen) {
            reader.comma_separated(|reader| element(reader, table))?;
        }
        reader.expect(&Token::RParen)?;
        if reader.take_word("INHERITS") {
            table.inherits = reader.parenthesized(|reader| reader.comma_separated(Reader::object_name))?;
        }
        Ok(())
    } else {
        Err(reader.error("'(', OF, PARTITION OF or AS"))
    }
}

fn element(reader: &mut Reader, table: &mut CreateTable) -> Result<()> {
    if constraint::at_table_constraint(reader) {
        table.constraints.push(constraint::table_constraint(reader)?);
    } else if reader.at_word("LIKE") {
        table.like.push(like(reader)?);
    } else {
        add_column(table, column::column(reader)?);
    }
    Ok(())
}

fn typed_elements(reader: &mut Reader, table: &mut CreateTable) -> Result<()> {
    if !reader.take(&Token::LParen) {
        return Ok(());
    }
    reader.comma_separated(|reader| {
        if constraint::at_table_constraint(reader) {
            table.constraints.push(constraint::table_constraint(reader)?);
        } else {
            add_column(table, column::typed_column(reader)?);
        }
        Ok(())
    })?;
    reader.expect(&Token::RParen)
}

fn add_column(table: &mut CreateTable, column: Column) {
    table.columns.push(column.definition);
    table.constraints.extend(column.constraints);
}

fn like(reader: &mut Reader) -> Result<LikeClause> {
    reader.expect_word("LIKE")?;
    let source = reader.object_name_as("the name of a table")?;
    let mut including = LikeOptions::default();
    while let Some(word) = reader.take_any_word(&["INCLUDING", "EXCLUDING"]) {
        like_option(reader, &mut including, word == "INCLUDING")?;
    }
    Ok(LikeClause { source, including })
}

fn like_option(reader: &mut Reader, options: &mut LikeOptions, on: bool) -> Result<()> {
    const WORDS: &[&str] = &[
        "COMMENTS",
        "COMPRESSION",
        "CONSTRAINTS",
        "DEFAULTS",
        "GENERATED",
        "IDENTITY",
        "INDEXES",
        "STATISTICS",
        "STORAGE",
        "ALL",
    ];
    match reader.take_any_word(WORDS) {
        Some("COMMENTS") => options.comments = on,
        Some("COMPRESSION") => options.compression = on,
        Some("CONSTRAINTS") => options.constraints = on,
        Some("DEFAULTS") => options.defaults = on,
        Some("GENERATED") => options.generated = on,
        Some("IDENTITY") => options.identity = on,
        Some("INDEXES") => options.indexes = on,
        Some("STATISTICS") => options.statistics = on,
        Some("STORAGE") => options.storage = on,
        Some(_) => {
            *options = LikeOptions {
                comments: on,
                compression: on,
                constraints: on,
                defaults: on,
                generated: on,
                identity: on,
                indexes: on,
                statistics: on,
                storage: on,
            }
        }
        None => return Err(reader.error("COMMENTS, CONSTRAINTS, DEFAULTS, INDEXES or another kind of property")),
    }
    Ok(())
}

/// The clauses behind the columns, in the order that the grammar asks for.
#[derive(Debug, Default)]
pub(super) struct Storage {
    pub access_method: Option<Ident>,
    pub options: Vec<StorageOption>,
    pub tablespace: Option<Ident>,
    /// ON COMMIT DROP.
    pub until_commit: bool,
}

/// `[USING method] [WITH (…) | WITHOUT OIDS] [ON COMMIT …] [TABLESPACE name]`.
pub(super) fn storage(reader: &mut Reader) -> Result<Storage> {
    let mut storage = Storage::default();
    if reader.take_word("USING") {
        storage.access_method = Some(reader.ident()?);
    }
    if reader.take_word("WITH") {
        storage.options = reader.storage_options()?;
    } else if reader.take_word("WITHOUT") {
        reader.expect_word("OIDS")?;
    }
    if reader.take_words(&["ON", "COMMIT"]) {
        storage.until_commit = reader.take_word("DROP");
        let known =
            storage.until_commit || reader.take_words(&["DELETE", "ROWS"]) || reader.take_words(&["PRESERVE", "ROWS"]);
        if !known {
            return Err(reader.error("DROP, DELETE ROWS or PRESERVE ROWS"));
        }
    }
    if reader.take_word("TABLESPACE") {
        storage.tablespace = Some(reader.ident()?);
    }
    Ok(storage)
}

/// Whether what follows the name is CREATE TABLE AS: it may begin with a list of names in parentheses, as a list of
/// columns does.
fn at_table_as(reader: &mut Reader) -> bool {
    const CLAUSES: &[&str] = &["AS", "USING", "WITH", "ON", "TABLESPACE"];
    if !reader.at(&Token::LParen) {
        return reader.at_any_word(CLAUSES);
    }
    let start = reader.position();
    let names_only = reader.parenthesized_idents().is_ok() && reader.at_any_word(CLAUSES);
    reader.restore(start);
    names_only
}

fn create_table_as(
    reader: &mut Reader,
    name: ObjectName,
    if_not_exists: bool,
    persistence: Persistence,
) -> Result<Change> {
    let columns = if reader.at(&Token::LParen) { reader.parenthesized_idents()? } else { Vec::new() };
    let until_commit = storage(reader)?.until_commit;
    reader.expect_word("AS")?;
    let query = if reader.take_word("EXECUTE") {
        reader.ident()?;
        if reader.at(&Token::LParen) {
            reader.parenthesized(|reader| reader.comma_separated(Reader::expression))?;
        }
        None
    } else {
        Some(reader.reading_query()?)
    };
    let with_no_data = with_no_data(reader)?;
    let create = CreateTableAs { name, if_not_exists, persistence, columns, query, with_no_data, until_commit };
    Ok(Change::CreateTableAs(create))
}

/// `WITH [NO] DATA` at the end, and whether it says NO.
pub(super) fn with_no_data(reader: &mut Reader) -> Result<bool> {
    if !reader.take_word("WITH") {
        return Ok(false);
    }
    let no = reader.take_word("NO");
    reader.expect_word("DATA")?;
    Ok(no)
}

pub(super) fn truncate(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("TRUNCATE")?;
    reader.take_word("TABLE");
    let tables = reader.comma_separated(Reader::relation)?;
    let restart_identity = match reader.take_any_word(&["RESTART", "CONTINUE"]) {
        Some(word) => {
            reader.expect_word("IDENTITY")?;
            word == "RESTART"
        }
        None => false,
    };
    Ok(Change::Truncate(Truncate { tables, restart_identity, cascade: reader.cascade() }))
}

pub(super) fn lock_table(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("LOCK")?;
    reader.take_word("TABLE");
    let tables = reader.comma_separated(Reader::relation)?;
    let mode = if reader.take_word("IN") { lock_mode(reader)? } else { LockMode::AccessExclusive };
    Ok(Change::LockTable(LockTable { tables, mode, nowait: reader.take_word("NOWAIT") }))
}

fn lock_mode(reader: &mut Reader) -> Result<LockMode> {
    const MODES: &[(&[&str], LockMode)] = &[
        (&["ACCESS", "SHARE", "MODE"], LockMode::AccessShare),
        (&["ROW", "SHARE", "MODE"], LockMode::RowShare),
        (&["ROW", "EXCLUSIVE", "MODE"], LockMode::RowExclusive),
        (&["SHARE", "UPDATE", "EXCLUSIVE", "MODE"], LockMode::ShareUpdateExclusive),
        (&["SHARE", "MODE"], LockMode::Share),
        (&["SHARE", "ROW", "EXCLUSIVE", "MODE"], LockMode::ShareRowExclusive),
        (&["EXCLUSIVE", "MODE"], LockMode::Exclusive),
        (&["ACCESS", "EXCLUSIVE", "MODE"], LockMode::AccessExclusive),
    ];
    let mode = MODES.iter().find(|(words, _)| reader.take_words(words));
    mode.map(|(_, mode)| *mode).ok_or_else(|| reader.error("a lock mode, such as ACCESS EXCLUSIVE MODE"))
}
