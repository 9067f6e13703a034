//! What stands in for things that the shadow server lacks: roles, and extensions that are not installed there.
//!
//! In: the server's refusal. Out: an object of the same name that lets the migration go on, and a sentence about it.

use super::ProveError;
use super::ground::{Ground, quote};
use crate::catalog::{self, Function};
use crate::change::{Change, CreateExtension, Volatility};
use crate::shadow::{ServerError, Session};

/// What was missing.
pub(super) enum Missing<'a> {
    Role(String),
    Extension(&'a CreateExtension),
}

/// What a refusal says is missing, if something can stand in for it.
pub(super) fn missing<'a>(error: &ServerError, change: Option<&'a Change>) -> Option<Missing<'a>> {
    if error.code == "42704" {
        let name = error.message.strip_prefix("role \"")?.strip_suffix("\" does not exist")?;
        return Some(Missing::Role(name.to_owned()));
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
pub(super) async fn role(ground: &mut Ground, name: &str) -> Result<String, ProveError> {
    ground.create_role(name).await?;
    Ok(role_note(name))
}

pub(super) fn role_note(name: &str) -> String {
    format!("the role {name} is not there: an empty one stands in")
}

/// Makes what is known of the extension: its types as domains over text, its functions as ones that answer NULL.
/// Each by itself, as what cannot be made is left out.
pub(super) async fn extension(session: &Session, create: &CreateExtension, open: bool) -> Result<String, ProveError> {
    let name = &create.name.name;
    let mut made = 0;
    if let Some(contents) = catalog::extension(name.as_str()) {
        let schema = match (contents.schema, &create.schema) {
            (Some(fixed), _) => format!("{}.", quote(fixed)),
            (None, Some(chosen)) => format!("{}.", chosen.name),
            (None, None) => String::new(),
        };
        let mut texts: Vec<String> = Vec::new();
        if let Some(fixed) = contents.schema {
            texts.push(format!("CREATE SCHEMA IF NOT EXISTS {}", quote(fixed)));
        }
        let types = contents.types.iter().filter(|known| !known.name.starts_with('_'));
        texts.extend(types.map(|known| format!("CREATE DOMAIN {schema}{} AS text", quote(known.name))));
        texts.extend(contents.functions.iter().map(|function| null_function(&schema, function)));
        for text in texts {
            made += usize::from(attempt(session, &text, open).await?);
        }
    }
    Ok(match made {
        0 => format!("the extension {name} is not installed: what it brings is missing"),
        _ => {
            format!("the extension {name} is not installed: domains over text and functions that answer NULL stand in")
        }
    })
}

fn null_function(schema: &str, function: &Function) -> String {
    let arguments: Vec<String> = function.arguments.iter().map(|name| quote(name)).collect();
    let answer = if function.returns == "void" {
        "SELECT".to_owned()
    } else {
        format!("SELECT NULL::{}", quote(function.returns))
    };
    format!(
        "CREATE FUNCTION {schema}{}({}) RETURNS {} LANGUAGE sql {} AS $pgassay${answer}$pgassay$",
        quote(function.name),
        arguments.join(", "),
        quote(function.returns),
        match function.volatility {
            Volatility::Immutable => "IMMUTABLE",
            Volatility::Stable => "STABLE",
            Volatility::Volatile => "VOLATILE",
        }
    )
}

/// Whether the server took the statement; a refusal undoes nothing else.
async fn attempt(session: &Session, sql: &str, open: bool) -> Result<bool, ProveError> {
    if !open {
        return Ok(session.batch_execute(sql).await.is_ok());
    }
    session.batch_execute("SAVEPOINT pgassay_stand_in").await?;
    let taken = session.batch_execute(sql).await.is_ok();
    session.batch_execute(if taken { "RELEASE pgassay_stand_in" } else { "ROLLBACK TO pgassay_stand_in" }).await?;
    Ok(taken)
}
