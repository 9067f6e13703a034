//! What stands in for things that the shadow server lacks: roles, databases, and extensions that are not installed there.
//!
//! In: the server's refusal. Out: an object of the same name that lets the migration go on, and a sentence about it.

use super::ground::Ground;
use super::stand_in_extension;
use crate::catalog;
use crate::change::{Change, CreateExtension};
use crate::prove::ProveError;
use crate::shadow::{ServerError, Session, refusal};

/// What was missing.
pub(in crate::prove) enum Missing<'a> {
    Role(String),
    /// Mostly the one that the migrations are for, by its real name.
    Database(String),
    Extension(&'a CreateExtension),
}

/// What a refusal says is missing, if something can stand in for it.
pub(in crate::prove) fn missing<'a>(
    error: &ServerError,
    change: Option<&'a Change>,
    ground: &Ground,
) -> Option<Missing<'a>> {
    if error.code == "42704" {
        let name = error.message.strip_prefix("role \"")?.strip_suffix("\" does not exist")?;
        return Some(Missing::Role(name.to_owned()));
    }
    // On a server of others, what belongs to no database is not touched.
    if error.code == "3D000" && !ground.is_foreign() {
        let name = error.message.strip_prefix("database \"")?.strip_suffix("\" does not exist")?;
        return Some(Missing::Database(name.to_owned()));
    }
    match change {
        // 0A000: no such control file (14 and later say it is not available); 58P01: its library is not there.
        Some(Change::CreateExtension(create)) if matches!(error.code.as_str(), "0A000" | "58P01" | "55000") => {
            Some(Missing::Extension(create))
        }
        _ => None,
    }
}

/// Makes the role.
pub(in crate::prove) async fn role(ground: &mut Ground, name: &str) -> Result<String, ProveError> {
    ground.create_role(name).await?;
    Ok(role_note(name))
}

/// Makes the database. What is set for it has no effect on the one that the migrations run in.
pub(in crate::prove) async fn database(ground: &Ground, name: &str) -> Result<String, ProveError> {
    ground.create_stand_in(name).await?;
    Ok(format!("the database {name} does not exist here: an empty one takes its place"))
}

pub(in crate::prove) fn role_note(name: &str) -> String {
    format!("the role {name} does not exist here: an empty one takes its place")
}

/// Makes what is known of the extension. What a migration needs of the rest cannot be run.
pub(in crate::prove) async fn extension(session: &Session, create: &CreateExtension) -> Result<String, ProveError> {
    let name = &create.name.name;
    let Some(contents) = catalog::extension(name.as_str()) else {
        return Ok(format!("the extension {name} is not installed: what it brings is missing"));
    };
    let chosen = create.schema.as_ref().map(|schema| schema.name.to_string());
    refusal(session.batch_execute(&stand_in_extension::text(contents, chosen.as_deref())).await)?;
    Ok(format!(
        "the extension {name} is not installed: types that keep their text, and functions and operators that return NULL, take its place"
    ))
}

/// Whether a refusal may be for what an extension brings and its stand-in does not: a function, a type, an operator class, an access
/// method, a schema, a relation; or for the kind of thing that stands in.
pub(in crate::prove) fn may_be_for_want_of(error: &ServerError) -> bool {
    matches!(
        error.code.as_str(),
        "42883" | "42704" | "3F000" | "42P01" | "42703" | "42601" | "42804" | "42846" | "0A000" | "42725"
    )
}

/// An index in the place of one whose operator class or access method is missing: of its name and on its table, and of nothing else.
/// `predicted` is the name that the server would make up.
pub(super) fn index(change: Option<&Change>, predicted: Option<&str>) -> Option<String> {
    let Some(Change::CreateIndex(create)) = change else { return None };
    let made_up = || predicted?.rsplit('.').next().map(str::to_owned);
    let name = create.name.as_ref().map(|name| name.to_string()).or_else(made_up)?;
    Some(format!(
        "CREATE INDEX {}{}{name} ON {}{} ((1))",
        if create.concurrently { "CONCURRENTLY " } else { "" },
        if create.if_not_exists { "IF NOT EXISTS " } else { "" },
        if create.only { "ONLY " } else { "" },
        create.table
    ))
}
