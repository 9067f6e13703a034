//! Foreign-data wrappers, servers, user mappings, IMPORT FOREIGN SCHEMA.

use super::ddl::unqualified;
use super::reader::{Reader, Result};
use super::reference;
use crate::change::{Change, Nothing, ObjectKind, ObjectName};

/// `name [HANDLER …] [VALIDATOR …] [OPTIONS (…)]`.
pub(super) fn create_wrapper(reader: &mut Reader) -> Result<ObjectName> {
    let name = unqualified(reader.ident_as("the name of a foreign-data wrapper")?);
    wrapper_functions(reader)?;
    optional_options(reader)?;
    Ok(name)
}

fn wrapper_functions(reader: &mut Reader) -> Result<()> {
    loop {
        if reader.take_any_word(&["HANDLER", "VALIDATOR"]).is_some() {
            reader.object_name_as("the name of a function")?;
        } else if !reader.take_words(&["NO", "HANDLER"]) && !reader.take_words(&["NO", "VALIDATOR"]) {
            return Ok(());
        }
    }
}

/// `name [TYPE …] [VERSION …] FOREIGN DATA WRAPPER name [OPTIONS (…)]`.
pub(super) fn create_server(reader: &mut Reader) -> Result<ObjectName> {
    let name = unqualified(reader.ident_as("the name of a server")?);
    if reader.take_word("TYPE") {
        reader.string_literal()?;
    }
    version(reader)?;
    reader.expect_words(&["FOREIGN", "DATA", "WRAPPER"])?;
    reader.ident_as("the name of a foreign-data wrapper")?;
    optional_options(reader)?;
    Ok(name)
}

fn version(reader: &mut Reader) -> Result<()> {
    if reader.take_word("VERSION") && !reader.take_word("NULL") {
        reader.string_literal()?;
    }
    Ok(())
}

pub(super) fn create_user_mapping(reader: &mut Reader) -> Result<ObjectName> {
    let name = reference::user_mapping(reader)?.name;
    optional_options(reader)?;
    Ok(name)
}

fn optional_options(reader: &mut Reader) -> Result<()> {
    if reader.at_word("OPTIONS") { reader.generic_options() } else { Ok(()) }
}

/// The options that stand here, if any do.
pub(super) fn alter(reader: &mut Reader, kind: ObjectKind) -> Result<()> {
    match kind {
        ObjectKind::Server => version(reader)?,
        ObjectKind::ForeignDataWrapper => wrapper_functions(reader)?,
        _ => {}
    }
    if reader.at_word("OPTIONS") { reader.alter_generic_options() } else { Ok(()) }
}

/// Which tables it makes is known to the foreign server only.
pub(super) fn import_schema(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["IMPORT", "FOREIGN", "SCHEMA"])?;
    reader.ident_as("the name of a schema")?;
    if reader.take_words(&["LIMIT", "TO"]) || reader.take_word("EXCEPT") {
        reader.parenthesized(|reader| reader.comma_separated(Reader::relation))?;
    }
    reader.expect_words(&["FROM", "SERVER"])?;
    reader.ident_as("the name of a server")?;
    reader.expect_word("INTO")?;
    reader.ident_as("the name of a schema")?;
    optional_options(reader)?;
    Ok(Change::Nothing(Nothing { name: "import-foreign-schema", forbidden_in_transaction: false }))
}
