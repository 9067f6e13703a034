//! Publications and subscriptions.

use sqlparser::tokenizer::Token;

use super::ddl::unqualified;
use super::reader::{Reader, Result};
use crate::change::{
    AlterObjectAction, AlterPublication, AlterPublicationAction, Change, CreatePublication, Ident, ObjectKind,
    ObjectName, PublicationObjects, PublicationTable, Published, StorageOption,
};

pub(super) fn create_publication(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["CREATE", "PUBLICATION"])?;
    let name = reader.ident_as("the name of a publication")?;
    let objects = if !reader.take_word("FOR") {
        PublicationObjects::None
    } else if reader.take_words(&["ALL", "TABLES"]) {
        PublicationObjects::AllTables
    } else {
        objects(reader)?
    };
    let options = if reader.take_word("WITH") { reader.storage_options()? } else { Vec::new() };
    let updates = publishes_updates(&options).unwrap_or(Published::BOTH);
    Ok(Change::CreatePublication(CreatePublication { name, objects, updates }))
}

/// What `publish = 'insert, update'` says of UPDATE and DELETE.
fn publishes_updates(options: &[StorageOption]) -> Option<Published> {
    let option = options.iter().find(|option| &*option.name == "publish")?;
    let kinds = option.value.as_deref().unwrap_or_default().to_ascii_lowercase();
    let has = |wanted: &str| kinds.split(',').any(|kind| kind.trim() == wanted);
    Some(Published { update: has("update"), delete: has("delete") })
}

/// `TABLE a, b, TABLES IN SCHEMA c, d, TABLE e`: each word holds until the next one.
fn objects(reader: &mut Reader) -> Result<PublicationObjects> {
    let (mut tables, mut schemas) = (Vec::new(), Vec::new());
    let mut in_schemas = None;
    loop {
        if reader.take_words(&["TABLES", "IN", "SCHEMA"]) {
            in_schemas = Some(true);
        } else if reader.take_word("TABLE") {
            in_schemas = Some(false);
        }
        match in_schemas {
            Some(true) => schemas.push(schema(reader)?),
            Some(false) => tables.push(table(reader)?),
            None => return Err(reader.error("TABLE, TABLES IN SCHEMA or ALL TABLES")),
        }
        if !reader.take(&Token::Comma) {
            return Ok(PublicationObjects::Named { tables, schemas });
        }
    }
}

fn schema(reader: &mut Reader) -> Result<Ident> {
    if reader.at_word("CURRENT_SCHEMA") {
        reader.ident_or_any_keyword()
    } else {
        reader.ident_as("the name of a schema")
    }
}

fn table(reader: &mut Reader) -> Result<PublicationTable> {
    let (table, only) = reader.relation()?;
    let columns = if reader.at(&Token::LParen) { reader.parenthesized_idents()? } else { Vec::new() };
    let filter = if reader.take_word("WHERE") { Some(reader.parenthesized(Reader::expression)?) } else { None };
    Ok(PublicationTable { table, only, columns, filter })
}

pub(super) fn alter_publication(reader: &mut Reader) -> Result<Change> {
    let start = reader.position();
    reader.expect_words(&["ALTER", "PUBLICATION"])?;
    let name = reader.ident_as("the name of a publication")?;
    let action = if reader.take_word("ADD") {
        AlterPublicationAction::Add(objects(reader)?)
    } else if reader.take_word("DROP") {
        AlterPublicationAction::Drop(objects(reader)?)
    } else if reader.at_word("SET") && *reader.peek_nth(1) == Token::LParen {
        reader.advance();
        AlterPublicationAction::Options { updates: publishes_updates(&reader.storage_options()?) }
    } else if reader.take_word("SET") {
        AlterPublicationAction::Set(objects(reader)?)
    } else {
        let object = super::ddl::reference(unqualified(name));
        return super::alter_object::shared(reader, start, ObjectKind::Publication, object);
    };
    Ok(Change::AlterPublication(AlterPublication { name, action }))
}

/// The name, and whether a replication slot is made on the publisher, which no transaction block allows.
pub(super) fn create_subscription(reader: &mut Reader) -> Result<(ObjectName, bool)> {
    let name = unqualified(reader.ident_as("the name of a subscription")?);
    reader.expect_word("CONNECTION")?;
    reader.string_literal()?;
    reader.expect_word("PUBLICATION")?;
    reader.comma_separated(Reader::ident_or_any_keyword)?;
    let options = if reader.take_word("WITH") { reader.storage_options()? } else { Vec::new() };
    let makes_slot = flag(&options, "create_slot").or(flag(&options, "connect")).unwrap_or(true);
    Ok((name, makes_slot))
}

/// The value of a boolean option, if it is given.
fn flag(options: &[StorageOption], name: &str) -> Option<bool> {
    let option = options.iter().find(|option| &*option.name == name)?;
    let value = option.value.as_deref().unwrap_or("true");
    Some(!["false", "off", "0"].iter().any(|no| value.eq_ignore_ascii_case(no)))
}

/// A change of the publications refreshes what is copied, unless told not to, and a refresh makes slots.
pub(super) fn alter_subscription(reader: &mut Reader) -> Result<Option<AlterObjectAction>> {
    let refreshes = if reader.take_words(&["REFRESH", "PUBLICATION"]) {
        subscription_options(reader)?;
        true
    } else if reader.at_any_word(&["ADD", "DROP", "SET"]) && reader.at_nth_word(1, "PUBLICATION") {
        reader.advance();
        reader.advance();
        reader.comma_separated(Reader::ident_or_any_keyword)?;
        flag(&subscription_options(reader)?, "refresh").unwrap_or(true)
    } else if reader.take_word("CONNECTION") {
        reader.string_literal()?;
        false
    } else if reader.take_any_word(&["SET", "SKIP"]).is_some() {
        reader.storage_options()?;
        false
    } else if reader.take_any_word(&["ENABLE", "DISABLE"]).is_some() {
        false
    } else {
        return Ok(None);
    };
    Ok(Some(if refreshes { AlterObjectAction::OptionsOutsideTransaction } else { AlterObjectAction::Options }))
}

fn subscription_options(reader: &mut Reader) -> Result<Vec<StorageOption>> {
    if reader.take_word("WITH") { reader.storage_options() } else { Ok(Vec::new()) }
}
