//! SET and RESET of parameters, as functions, roles, databases and the system have them.

use std::sync::Arc;

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use crate::change::{AlterObjectAction, Name};

/// A parameter and its value; no value for RESET and TO DEFAULT.
pub(super) type Setting = (Arc<str>, Option<Arc<str>>);

/// `SET …` or `RESET …`; `None` for RESET ALL.
pub(super) fn set_or_reset(reader: &mut Reader) -> Result<Option<Setting>> {
    if reader.take_word("RESET") {
        return reset(reader);
    }
    reader.expect_word("SET")?;
    set(reader).map(Some)
}

/// SET and RESET of ALTER DATABASE and ALTER ROLE.
pub(super) fn action(reader: &mut Reader) -> Result<AlterObjectAction> {
    Ok(match set_or_reset(reader)? {
        Some((parameter, value)) => AlterObjectAction::Setting { parameter: Some(parameter), value },
        None => AlterObjectAction::Setting { parameter: None, value: None },
    })
}

fn reset(reader: &mut Reader) -> Result<Option<Setting>> {
    if reader.take_word("ALL") {
        return Ok(None);
    }
    if reader.take_words(&["TIME", "ZONE"]) {
        return Ok(Some(("timezone".into(), None)));
    }
    if reader.take_words(&["SESSION", "AUTHORIZATION"]) {
        return Ok(Some(("session_authorization".into(), None)));
    }
    Ok(Some((parameter(reader)?, None)))
}

/// What follows SET; FROM CURRENT is kept as these words.
fn set(reader: &mut Reader) -> Result<Setting> {
    const SPECIAL: &[(&[&str], &str)] = &[
        (&["TIME", "ZONE"], "timezone"),
        (&["SESSION", "AUTHORIZATION"], "session_authorization"),
        (&["XML", "OPTION"], "xmloption"),
    ];
    for (words, name) in SPECIAL {
        if reader.take_words(words) {
            return Ok(((*name).into(), value(reader)?));
        }
    }
    let word_then_value = matches!(reader.peek_nth(1), Token::Word(_) | Token::SingleQuotedString(_));
    if word_then_value && !reader.at_nth_word(1, "TO") && !reader.at_nth_word(1, "FROM") {
        match reader.take_any_word(&["ROLE", "SCHEMA", "NAMES", "CATALOG"]) {
            Some("ROLE") => return Ok(("role".into(), value(reader)?)),
            Some("SCHEMA") => return Ok(("search_path".into(), value(reader)?)),
            Some("NAMES") => return Ok(("client_encoding".into(), value(reader)?)),
            _ => {}
        }
    }
    let name = parameter(reader)?;
    if reader.take_words(&["FROM", "CURRENT"]) {
        return Ok((name, Some("FROM CURRENT".into())));
    }
    if !reader.take(&Token::Eq) && !reader.take_word("TO") {
        return Err(reader.error("'=' or TO"));
    }
    Ok((name, value(reader)?))
}

/// A name with dots, in lower case.
pub(super) fn parameter(reader: &mut Reader) -> Result<Arc<str>> {
    let path = reader.path()?;
    let names: Vec<String> = path.iter().map(|part| part.name.as_str().to_ascii_lowercase()).collect();
    Ok(names.join(".").into())
}

/// `DEFAULT`, or values with commas between.
fn value(reader: &mut Reader) -> Result<Option<Arc<str>>> {
    if reader.take_word("DEFAULT") {
        return Ok(None);
    }
    let values = reader.comma_separated(Reader::setting_value)?;
    Ok(Some(values.join(", ").into()))
}

/// A name that may be written as a string, such as a language.
pub(super) fn word_or_string(reader: &mut Reader) -> Result<Name> {
    if matches!(reader.peek(), Token::Word(_)) {
        return Ok(reader.ident_or_any_keyword()?.name);
    }
    Ok(Name::new(&reader.string_literal()?.to_ascii_lowercase()))
}
