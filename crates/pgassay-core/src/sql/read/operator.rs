//! Operators, operator classes and families, casts, transforms, aggregates.

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use super::{reference, routine};
use crate::change::ObjectName;

/// `(…)` behind the name of an operator, collation or text search object.
pub(super) fn create_with_definition(reader: &mut Reader, name: ObjectName) -> Result<ObjectName> {
    reader.definition()?;
    Ok(name)
}

/// `name (arguments) (definition)`, or the old form with a BASETYPE in the definition.
pub(super) fn create_aggregate(reader: &mut Reader) -> Result<ObjectName> {
    let name = reader.function_name().map_err(|_| reader.error("the name of an aggregate"))?;
    let old_form = matches!(reader.peek_nth(1), Token::Word(_)) && *reader.peek_nth(2) == Token::Eq;
    if !old_form {
        reference::aggregate_arguments(reader)?;
    }
    reader.definition()?;
    Ok(name)
}

/// `(source AS target) WITH FUNCTION … | WITHOUT FUNCTION | WITH INOUT [AS ASSIGNMENT | AS IMPLICIT]`.
pub(super) fn create_cast(reader: &mut Reader) -> Result<ObjectName> {
    let name = reference::cast(reader)?.name;
    if reader.take_words(&["WITH", "FUNCTION"]) {
        routine::routine_name(reader)?;
    } else if !reader.take_words(&["WITHOUT", "FUNCTION"]) && !reader.take_words(&["WITH", "INOUT"]) {
        return Err(reader.error("WITH FUNCTION, WITHOUT FUNCTION or WITH INOUT"));
    }
    if reader.take_word("AS") && reader.take_any_word(&["ASSIGNMENT", "IMPLICIT"]).is_none() {
        return Err(reader.error("ASSIGNMENT or IMPLICIT"));
    }
    Ok(name)
}

/// `FOR type LANGUAGE name (FROM SQL WITH FUNCTION …, TO SQL WITH FUNCTION …)`.
pub(super) fn create_transform(reader: &mut Reader) -> Result<ObjectName> {
    let name = reference::transform(reader)?.name;
    reader.parenthesized(|reader| {
        reader.comma_separated(|reader| {
            if reader.take_any_word(&["FROM", "TO"]).is_none() {
                return Err(reader.error("FROM SQL or TO SQL"));
            }
            reader.expect_words(&["SQL", "WITH", "FUNCTION"])?;
            routine::routine_name(reader)
        })
    })?;
    Ok(name)
}

/// `name [DEFAULT] FOR TYPE type USING method [FAMILY name] AS items`.
pub(super) fn create_class(reader: &mut Reader) -> Result<ObjectName> {
    let name = reader.object_name_as("the name of an operator class")?;
    reader.take_word("DEFAULT");
    reader.expect_words(&["FOR", "TYPE"])?;
    reader.type_name()?;
    reader.expect_word("USING")?;
    reader.ident_as("an access method")?;
    if reader.take_word("FAMILY") {
        reader.object_name_as("the name of an operator family")?;
    }
    reader.expect_word("AS")?;
    reader.comma_separated(item)?;
    Ok(name)
}

pub(super) fn create_family(reader: &mut Reader) -> Result<ObjectName> {
    let name = reader.object_name_as("the name of an operator family")?;
    reader.expect_word("USING")?;
    reader.ident_as("an access method")?;
    Ok(name)
}

/// `ADD items` or `DROP items`; nothing when neither word stands here.
pub(super) fn alter_family(reader: &mut Reader) -> Result<()> {
    match reader.take_any_word(&["ADD", "DROP"]) {
        Some("ADD") => reader.comma_separated(item).map(|_| ()),
        Some(_) => reader.comma_separated(dropped_item).map(|_| ()),
        None => Ok(()),
    }
}

fn item(reader: &mut Reader) -> Result<()> {
    match reader.take_any_word(&["OPERATOR", "FUNCTION", "STORAGE"]) {
        Some("OPERATOR") => operator_item(reader),
        Some("FUNCTION") => {
            reader.integer()?;
            if reader.at(&Token::LParen) {
                types(reader)?;
            }
            routine::routine_name(reader).map(|_| ())
        }
        Some(_) => reader.type_name().map(|_| ()),
        None => Err(reader.error("OPERATOR, FUNCTION or STORAGE")),
    }
}

fn operator_item(reader: &mut Reader) -> Result<()> {
    reader.integer()?;
    reader.operator_name()?;
    if reader.at(&Token::LParen) {
        reference::operator_arguments(reader)?;
    }
    if reader.take_word("FOR") && !reader.take_word("SEARCH") {
        reader.expect_words(&["ORDER", "BY"])?;
        reader.object_name_as("the name of an operator family")?;
    }
    reader.take_word("RECHECK");
    Ok(())
}

fn dropped_item(reader: &mut Reader) -> Result<()> {
    if reader.take_any_word(&["OPERATOR", "FUNCTION"]).is_none() {
        return Err(reader.error("OPERATOR or FUNCTION"));
    }
    reader.integer()?;
    types(reader)
}

fn types(reader: &mut Reader) -> Result<()> {
    reader.parenthesized(|reader| reader.comma_separated(Reader::type_name))?;
    Ok(())
}
