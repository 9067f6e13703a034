//! Roles: CREATE and ALTER ROLE, USER and GROUP.

use super::reader::{Reader, Result};
use super::setting;
use crate::change::{AlterObjectAction, ObjectName};

/// `name [WITH] options`.
pub(super) fn create(reader: &mut Reader) -> Result<ObjectName> {
    let name = reader.role()?;
    options(reader)?;
    Ok(super::ddl::unqualified(name))
}

/// Options, settings, or the members of a group; `None` for RENAME TO.
pub(super) fn alter(reader: &mut Reader) -> Result<Option<AlterObjectAction>> {
    if reader.at_word("RENAME") {
        return Ok(None);
    }
    let in_database = reader.take_words(&["IN", "DATABASE"]);
    if in_database {
        reader.ident_as("the name of a database")?;
    }
    if reader.at_any_word(&["SET", "RESET"]) {
        return setting::action(reader).map(Some);
    } else if in_database {
        return Err(reader.error("SET or RESET"));
    } else if reader.take_words(&["ADD", "USER"]) || reader.take_words(&["DROP", "USER"]) {
        reader.roles()?;
    } else {
        options(reader)?;
    }
    Ok(Some(AlterObjectAction::Options))
}

fn options(reader: &mut Reader) -> Result<()> {
    reader.take_word("WITH");
    while !reader.at_end() {
        option(reader)?;
    }
    Ok(())
}

fn option(reader: &mut Reader) -> Result<()> {
    const FLAGS: &[&str] = &[
        "SUPERUSER",
        "NOSUPERUSER",
        "CREATEDB",
        "NOCREATEDB",
        "CREATEROLE",
        "NOCREATEROLE",
        "INHERIT",
        "NOINHERIT",
        "LOGIN",
        "NOLOGIN",
        "REPLICATION",
        "NOREPLICATION",
        "BYPASSRLS",
        "NOBYPASSRLS",
        "CREATEUSER",
        "NOCREATEUSER",
    ];
    if reader.take_any_word(FLAGS).is_some() {
        return Ok(());
    }
    const WITH_VALUE: &[&str] =
        &["PASSWORD", "ENCRYPTED", "UNENCRYPTED", "CONNECTION", "VALID", "IN", "ROLE", "USER", "ADMIN", "SYSID"];
    match reader.take_any_word(WITH_VALUE) {
        Some("PASSWORD") => password(reader),
        Some("ENCRYPTED" | "UNENCRYPTED") => reader.expect_word("PASSWORD").and_then(|()| password(reader)),
        Some("CONNECTION") => {
            reader.expect_word("LIMIT")?;
            reader.integer().map(|_| ())
        }
        Some("VALID") => {
            reader.expect_word("UNTIL")?;
            reader.string_literal().map(|_| ())
        }
        Some("IN") if reader.take_any_word(&["ROLE", "GROUP"]).is_some() => reader.roles().map(|_| ()),
        Some("IN") => Err(reader.error("ROLE or GROUP")),
        Some("SYSID") => reader.integer().map(|_| ()),
        Some(_) => reader.roles().map(|_| ()),
        None => Err(reader.error("an option of a role, such as LOGIN or PASSWORD")),
    }
}

fn password(reader: &mut Reader) -> Result<()> {
    if reader.take_word("NULL") { Ok(()) } else { reader.string_literal().map(|_| ()) }
}
