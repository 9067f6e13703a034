//! CREATE of what is only tracked by name: roles, casts, operators, collations, servers, languages …

use super::ddl::unqualified;
use super::reader::{Reader, Result};
use super::{foreign, operator, publication, reference, role, setting};
use crate::change::{Change, CreateOther, ObjectKind, ObjectName};

pub(super) fn create_other(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("CREATE")?;
    let or_replace = reader.or_replace()?;
    // CREATE DEFAULT CONVERSION, CREATE TRUSTED LANGUAGE.
    if reader.at_words(&["DEFAULT", "CONVERSION"]) || reader.at_word("TRUSTED") {
        reader.advance();
    }
    let at_kind = reader.position();
    let kind = reference::kind(reader)?;
    let can_exist = matches!(kind, ObjectKind::Collation | ObjectKind::Server | ObjectKind::UserMapping);
    let if_not_exists = can_exist && reader.if_not_exists();
    let mut forbidden_in_transaction = false;
    let name = match kind {
        ObjectKind::Tablespace => {
            forbidden_in_transaction = true;
            tablespace(reader)?
        }
        ObjectKind::Subscription => {
            let (name, makes_slot) = publication::create_subscription(reader)?;
            forbidden_in_transaction = makes_slot;
            name
        }
        _ => match named(reader, kind)? {
            Some(name) => name,
            None => {
                reader.restore(at_kind);
                return Err(reader.error("a kind of object that can be created this way, such as TABLE"));
            }
        },
    };
    Ok(Change::CreateOther(CreateOther { kind, name: Some(name), if_not_exists, or_replace, forbidden_in_transaction }))
}

/// What follows the kind; `None` for the kinds that are not created here.
fn named(reader: &mut Reader, kind: ObjectKind) -> Result<Option<ObjectName>> {
    use ObjectKind::*;
    let name = match kind {
        AccessMethod => access_method(reader)?,
        Aggregate => operator::create_aggregate(reader)?,
        Cast => operator::create_cast(reader)?,
        Collation => collation(reader)?,
        Conversion => conversion(reader)?,
        ForeignDataWrapper => foreign::create_wrapper(reader)?,
        Language => language(reader)?,
        Operator => {
            let name = reader.operator_name()?;
            operator::create_with_definition(reader, name)?
        }
        OperatorClass => operator::create_class(reader)?,
        OperatorFamily => operator::create_family(reader)?,
        Role => role::create(reader)?,
        Server => foreign::create_server(reader)?,
        TextSearchConfiguration | TextSearchDictionary | TextSearchParser | TextSearchTemplate => {
            let name = reader.object_name_as("the name of a text search object")?;
            operator::create_with_definition(reader, name)?
        }
        Transform => operator::create_transform(reader)?,
        UserMapping => foreign::create_user_mapping(reader)?,
        _ => return Ok(None),
    };
    Ok(Some(name))
}

/// `name TYPE INDEX | TABLE HANDLER function`.
fn access_method(reader: &mut Reader) -> Result<ObjectName> {
    let name = unqualified(reader.ident_as("the name of an access method")?);
    reader.expect_word("TYPE")?;
    if reader.take_any_word(&["INDEX", "TABLE"]).is_none() {
        return Err(reader.error("INDEX or TABLE"));
    }
    reader.expect_word("HANDLER")?;
    reader.object_name_as("the name of a function")?;
    Ok(name)
}

/// `name (definition)` or `name FROM other`.
fn collation(reader: &mut Reader) -> Result<ObjectName> {
    let name = reader.object_name_as("the name of a collation")?;
    if reader.take_word("FROM") {
        reader.object_name_as("the name of a collation")?;
        return Ok(name);
    }
    operator::create_with_definition(reader, name)
}

/// `name FOR 'encoding' TO 'encoding' FROM function`.
fn conversion(reader: &mut Reader) -> Result<ObjectName> {
    let name = reader.object_name_as("the name of a conversion")?;
    reader.expect_word("FOR")?;
    reader.string_literal()?;
    reader.expect_word("TO")?;
    reader.string_literal()?;
    reader.expect_word("FROM")?;
    reader.object_name_as("the name of a function")?;
    Ok(name)
}

/// `name [HANDLER function [INLINE function] [VALIDATOR function | NO VALIDATOR]]`.
fn language(reader: &mut Reader) -> Result<ObjectName> {
    let span = reader.span();
    let name = ObjectName { schema: None, name: setting::word_or_string(reader)?, span };
    if !reader.take_word("HANDLER") {
        return Ok(name);
    }
    reader.object_name_as("the name of a function")?;
    for word in ["INLINE", "VALIDATOR"] {
        if reader.take_word(word) {
            reader.object_name_as("the name of a function")?;
        }
    }
    reader.take_words(&["NO", "VALIDATOR"]);
    Ok(name)
}

/// `name [OWNER role] LOCATION 'folder' [WITH (options)]`.
fn tablespace(reader: &mut Reader) -> Result<ObjectName> {
    let name = unqualified(reader.ident_as("the name of a tablespace")?);
    if reader.take_word("OWNER") {
        reader.role()?;
    }
    reader.expect_word("LOCATION")?;
    reader.string_literal()?;
    if reader.take_word("WITH") {
        reader.storage_options()?;
    }
    Ok(name)
}
