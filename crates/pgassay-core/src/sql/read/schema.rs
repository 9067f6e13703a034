//! Schemas, extensions and databases.

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use super::{alter_object, reference};
use crate::change::{
    AlterExtension, AlterExtensionAction, Change, CreateDatabase, CreateExtension, CreateSchema, Unreadable,
};

pub(super) fn create_schema(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["CREATE", "SCHEMA"])?;
    let if_not_exists = reader.if_not_exists();
    let name = if reader.at_word("AUTHORIZATION") {
        None
    } else {
        Some(reader.ident_as("the name of a schema or AUTHORIZATION")?)
    };
    let authorization = if reader.take_word("AUTHORIZATION") { Some(reader.role()?) } else { None };
    let mut elements = Vec::new();
    while reader.at_any_word(&["CREATE", "GRANT"]) {
        if if_not_exists {
            let message = "CREATE SCHEMA IF NOT EXISTS cannot include schema elements".to_string();
            return Err(Unreadable::invalid(message, reader.span()));
        }
        let end = end_of_element(reader);
        for element in reader.statements_until(end) {
            elements.push(element.change?);
        }
    }
    elements.sort_by_key(turn);
    Ok(Change::CreateSchema(CreateSchema { name, if_not_exists, authorization, elements }))
}

/// The server makes elements kind by kind, in whatever order they are written (`transformCreateSchemaStmtElements`, parse_utilcmd.c).
fn turn(element: &Change) -> u8 {
    match element {
        Change::CreateSequence(_) => 0,
        Change::CreateTable(_) => 1,
        Change::CreateView(_) => 2,
        Change::CreateIndex(_) => 3,
        Change::CreateTrigger(_) => 4,
        _ => 5,
    }
}

/// An element ends where the next one begins: at CREATE or GRANT, which are reserved, unless they are words of a GRANT.
fn end_of_element(reader: &mut Reader) -> usize {
    let start = reader.position();
    let mut within = true;
    while !reader.at_end() && (within || !reader.at_any_word(&["CREATE", "GRANT"])) {
        within = reader.at_any_word(&["WITH", "GRANT"]) || reader.at(&Token::Comma);
        reader.advance();
    }
    let end = reader.position();
    reader.restore(start);
    end
}

pub(super) fn create_extension(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["CREATE", "EXTENSION"])?;
    let if_not_exists = reader.if_not_exists();
    let name = reader.ident_as("the name of an extension")?;
    reader.take_word("WITH");
    let mut extension = CreateExtension { name, if_not_exists, schema: None, version: None, cascade: false };
    loop {
        match reader.take_any_word(&["SCHEMA", "VERSION", "CASCADE"]) {
            Some("SCHEMA") => extension.schema = Some(reader.ident_as("the name of a schema")?),
            Some("VERSION") => extension.version = Some(version(reader)?),
            Some(_) => extension.cascade = true,
            None => return Ok(Change::CreateExtension(extension)),
        }
    }
}

/// A word or a string.
fn version(reader: &mut Reader) -> Result<std::sync::Arc<str>> {
    if matches!(reader.peek(), Token::Word(_)) {
        return Ok(reader.ident_or_any_keyword()?.name.as_str().into());
    }
    reader.string_literal().map_err(|_| reader.error("a version"))
}

pub(super) fn alter_extension(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["ALTER", "EXTENSION"])?;
    let name = reader.ident_as("the name of an extension")?;
    let action = if reader.take_word("UPDATE") {
        if reader.take_word("TO") {
            version(reader)?;
        }
        AlterExtensionAction::Update
    } else if reader.take_words(&["SET", "SCHEMA"]) {
        AlterExtensionAction::SetSchema(reader.ident_as("the name of a schema")?)
    } else if reader.take_any_word(&["ADD", "DROP"]).is_some() {
        let kind = reference::kind(reader)?;
        let object = reference::object(reader, kind)?;
        AlterExtensionAction::Member { kind, object }
    } else {
        return Err(reader.error("UPDATE, SET SCHEMA, ADD or DROP"));
    };
    Ok(Change::AlterExtension(AlterExtension { name, action }))
}

pub(super) fn create_database(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["CREATE", "DATABASE"])?;
    let name = reader.ident_as("the name of a database")?;
    alter_object::database_options(reader)?;
    Ok(Change::CreateDatabase(CreateDatabase { name }))
}
