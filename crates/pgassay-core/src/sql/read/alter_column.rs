//! ALTER TABLE … ALTER [COLUMN] and ALTER CONSTRAINT.

use sqlparser::tokenizer::Token;

use super::constraint::{self, Attribute};
use super::reader::{Reader, Result};
use super::{column, sequence};
use crate::change::AlterTableActionKind::*;
use crate::change::{AlterTableActionKind, Ident, Identity, Name, SequenceOptions, Unreadable};

/// What follows ALTER.
pub(super) fn alter_column_or_constraint(reader: &mut Reader) -> Result<AlterTableActionKind> {
    if reader.take_word("CONSTRAINT") {
        return alter_constraint(reader);
    }
    reader.take_word("COLUMN");
    if matches!(reader.peek(), Token::Number(..)) {
        let column = number_as_column(reader)?;
        reader.expect_words(&["SET", "STATISTICS"])?;
        return set_statistics(reader, column);
    }
    let column = reader.ident_as("a column name")?;
    match reader.take_any_word(&["TYPE", "SET", "DROP", "ADD", "RESET", "RESTART", "OPTIONS"]) {
        Some("TYPE") => set_data_type(reader, column),
        Some("SET") => set(reader, column),
        Some("DROP") => drop(reader, column),
        Some("ADD") => add_identity(reader, column),
        Some("RESET") => Ok(SetColumnOptions { column, options: reader.storage_options()?, reset: true }),
        Some("RESTART") => {
            reader.restore(reader.position() - 1);
            set_identity(reader, column)
        }
        Some(_) => {
            reader.restore(reader.position() - 1);
            reader.alter_generic_options()?;
            Ok(SetForeignOptions { column: Some(column) })
        }
        None => Err(reader.error("TYPE, SET, DROP or another action on a column")),
    }
}

/// A column of an index is known by its number.
fn number_as_column(reader: &mut Reader) -> Result<Ident> {
    let start = reader.position();
    let number = reader.integer()?;
    if !(1..=32767).contains(&number) {
        let message = "column number must be in range from 1 to 32767".to_string();
        return Err(Unreadable::invalid(message, reader.span_from(start)));
    }
    Ok(Ident { name: Name::new(&number.to_string()), span: reader.span_from(start) })
}

fn set_data_type(reader: &mut Reader, column: Ident) -> Result<AlterTableActionKind> {
    let data_type = reader.type_name()?;
    let collation = if reader.take_word("COLLATE") { Some(reader.object_name_as("a collation")?) } else { None };
    let using = if reader.take_word("USING") { Some(reader.expression()?) } else { None };
    Ok(SetDataType { column, data_type, collation, using })
}

fn set(reader: &mut Reader, column: Ident) -> Result<AlterTableActionKind> {
    if reader.at(&Token::LParen) {
        return Ok(SetColumnOptions { column, options: reader.storage_options()?, reset: false });
    }
    const WORDS: &[&str] = &["DATA", "DEFAULT", "NOT", "EXPRESSION", "STATISTICS", "STORAGE", "COMPRESSION"];
    match reader.take_any_word(WORDS) {
        Some("DATA") => {
            reader.expect_word("TYPE")?;
            set_data_type(reader, column)
        }
        Some("DEFAULT") => Ok(SetDefault { column, default: reader.expression()? }),
        Some("NOT") => reader.expect_word("NULL").map(|()| SetNotNull { column }),
        Some("EXPRESSION") => {
            reader.expect_word("AS")?;
            Ok(SetExpression { column, expression: reader.parenthesized(Reader::expression)? })
        }
        Some("STATISTICS") => set_statistics(reader, column),
        Some("STORAGE") => Ok(SetStorage { column, storage: column::ident_or_default(reader)? }),
        Some(_) => Ok(SetCompression { column, method: column::ident_or_default(reader)? }),
        None if at_identity_option(reader) => {
            reader.restore(reader.position() - 1);
            set_identity(reader, column)
        }
        None => Err(reader.error("DATA TYPE, DEFAULT, NOT NULL or another property of a column")),
    }
}

/// DEFAULT is the server's own target, kept as -1 before 17.
fn set_statistics(reader: &mut Reader, column: Ident) -> Result<AlterTableActionKind> {
    let start = reader.position();
    let target = if reader.take_word("DEFAULT") { -1 } else { reader.integer()? };
    let target = i32::try_from(target).map_err(|_| {
        Unreadable::invalid(format!("statistics target {target} is out of range"), reader.span_from(start))
    })?;
    Ok(SetStatistics { column, target })
}

fn drop(reader: &mut Reader, column: Ident) -> Result<AlterTableActionKind> {
    match reader.take_any_word(&["DEFAULT", "NOT", "EXPRESSION", "IDENTITY"]) {
        Some("DEFAULT") => Ok(DropDefault { column }),
        Some("NOT") => reader.expect_word("NULL").map(|()| DropNotNull { column }),
        Some("EXPRESSION") => Ok(DropExpression { column, if_exists: reader.if_exists() }),
        Some(_) => Ok(DropIdentity { column, if_exists: reader.if_exists() }),
        None => Err(reader.error("DEFAULT, NOT NULL, EXPRESSION or IDENTITY")),
    }
}

fn add_identity(reader: &mut Reader, column: Ident) -> Result<AlterTableActionKind> {
    let start = reader.position();
    let always = column::generated_when(reader)?;
    reader.expect_words(&["AS", "IDENTITY"])?;
    let options = column::identity_options(reader)?;
    Ok(AddIdentity { column, identity: Identity { always, options, span: reader.span_from(start) } })
}

/// Behind SET: GENERATED, or an option of sequences.
fn at_identity_option(reader: &Reader) -> bool {
    reader.at_any_word(&["GENERATED", "SEQUENCE"]) || sequence::at_option(reader)
}

/// `SET GENERATED …`, `SET option` and `RESTART …`, one or more without commas.
fn set_identity(reader: &mut Reader, column: Ident) -> Result<AlterTableActionKind> {
    let mut always = None;
    let mut options = SequenceOptions::default();
    loop {
        if reader.at_word("RESTART") {
            sequence::option(reader, &mut options)?;
        } else if reader.take_word("SET") {
            if reader.at_word("GENERATED") {
                always = Some(column::generated_when(reader)?);
            } else {
                sequence::option(reader, &mut options)?;
            }
        } else {
            return Ok(SetIdentity { column, always, options });
        }
    }
}

fn alter_constraint(reader: &mut Reader) -> Result<AlterTableActionKind> {
    let constraint = reader.ident_as("the name of a constraint")?;
    if reader.take_word("INHERIT") {
        return Ok(AlterConstraint { constraint, deferrable: None, enforced: None, inherit: Some(true) });
    }
    let (mut deferrable, mut enforced, mut inherit) = (None, None, None);
    let start = reader.position();
    while let Some(attribute) = constraint::attribute(reader)? {
        match attribute {
            Attribute::Deferrable(on) => deferrable = Some(on),
            Attribute::InitiallyDeferred(true) if deferrable == Some(false) => {
                return Err(constraint::conflict(reader.span_from(reader.position() - 2)));
            }
            Attribute::InitiallyDeferred(on) => deferrable = Some(on || deferrable.unwrap_or(false)),
            Attribute::Enforced(on) => enforced = Some(on),
            Attribute::NoInherit => inherit = Some(false),
            Attribute::NotValid => {
                let message = "constraints cannot be altered to be NOT VALID".to_string();
                return Err(Unreadable::invalid(message, reader.span_from(reader.position() - 2)));
            }
        }
    }
    if reader.position() == start {
        return Err(reader.error("DEFERRABLE, ENFORCED, INHERIT or another attribute"));
    }
    Ok(AlterConstraint { constraint, deferrable, enforced, inherit })
}
