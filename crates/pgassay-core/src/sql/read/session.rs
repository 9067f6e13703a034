//! Transactions, settings and DO blocks.

use std::sync::Arc;

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use crate::change::{Change, Code, Do, Dynamic, Flow, Name, Reach, Reset, Set, TransactionControl};
use crate::sql::body::plpgsql;
use crate::sql::body::variables::Variables;
use crate::sql::script::read_text;

/// BEGIN, COMMIT, ROLLBACK, SAVEPOINT and their spellings.
pub(super) fn transaction(reader: &mut Reader) -> Result<Change> {
    let word = reader.peek().to_string().to_ascii_lowercase();
    reader.advance();
    let control = match word.as_str() {
        "begin" => {
            reader.take_any_word(&["WORK", "TRANSACTION"]);
            modes(reader)?;
            TransactionControl::Begin
        }
        "start" => {
            reader.expect_word("TRANSACTION")?;
            modes(reader)?;
            TransactionControl::Begin
        }
        "prepare" => {
            reader.expect_word("TRANSACTION")?;
            reader.string_literal()?;
            TransactionControl::PrepareTransaction
        }
        "savepoint" => TransactionControl::Savepoint(reader.ident()?.name),
        "release" => {
            reader.take_word("SAVEPOINT");
            TransactionControl::Release(reader.ident()?.name)
        }
        "commit" | "end" => finish(reader, word == "commit", true)?,
        _ => finish(reader, word == "rollback", false)?,
    };
    Ok(Change::Transaction(control))
}

fn finish(reader: &mut Reader, may_be_prepared: bool, commit: bool) -> Result<TransactionControl> {
    if may_be_prepared && reader.take_word("PREPARED") {
        reader.string_literal()?;
        return Ok(TransactionControl::FinishPrepared { commit });
    }
    reader.take_any_word(&["WORK", "TRANSACTION"]);
    if may_be_prepared && !commit && reader.take_word("TO") {
        reader.take_word("SAVEPOINT");
        return Ok(TransactionControl::RollbackTo(reader.ident()?.name));
    }
    let mut chain = false;
    if reader.take_word("AND") {
        chain = !reader.take_word("NO");
        reader.expect_word("CHAIN")?;
    }
    Ok(if commit { TransactionControl::Commit { chain } } else { TransactionControl::Rollback { chain } })
}

/// ISOLATION LEVEL, READ ONLY, DEFERRABLE, with or without commas.
fn modes(reader: &mut Reader) -> Result<()> {
    const LEVELS: [&[&str]; 4] =
        [&["SERIALIZABLE"], &["REPEATABLE", "READ"], &["READ", "COMMITTED"], &["READ", "UNCOMMITTED"]];
    const MODES: [&[&str]; 4] = [&["READ", "ONLY"], &["READ", "WRITE"], &["NOT", "DEFERRABLE"], &["DEFERRABLE"]];
    while !reader.at_end() {
        if reader.take_words(&["ISOLATION", "LEVEL"]) {
            if !LEVELS.iter().any(|level| reader.take_words(level)) {
                return Err(reader.error("an isolation level"));
            }
        } else if !MODES.iter().any(|mode| reader.take_words(mode)) {
            return Err(reader.error("a transaction mode"));
        }
        if reader.take(&Token::Comma) && reader.at_end() {
            return Err(reader.error("a transaction mode"));
        }
    }
    Ok(())
}

/// SET in all its forms.
pub(super) fn set(reader: &mut Reader) -> Result<Change> {
    let start = reader.position();
    reader.expect_word("SET")?;
    if reader.take_word("CONSTRAINTS") {
        let all = reader.take_word("ALL");
        let names = if all { Vec::new() } else { reader.comma_separated(|reader| reader.object_name())? };
        let Some(mode) = reader.take_any_word(&["DEFERRED", "IMMEDIATE"]) else {
            return Err(reader.error("DEFERRED or IMMEDIATE"));
        };
        return Ok(Change::Transaction(TransactionControl::Constraints { names, deferred: mode == "DEFERRED" }));
    }
    if reader.take_words(&["SESSION", "CHARACTERISTICS", "AS", "TRANSACTION"]) {
        modes(reader)?;
        return Ok(Change::Transaction(TransactionControl::Characteristics));
    }
    let local = reader.at_word("LOCAL") && reader.take_word("LOCAL");
    if !local && reader.at_word("SESSION") && !reader.at_nth_word(1, "AUTHORIZATION") {
        reader.advance();
    }
    if reader.take_word("TRANSACTION") {
        if reader.take_word("SNAPSHOT") {
            reader.string_literal()?;
        } else {
            modes(reader)?;
        }
        return Ok(Change::Transaction(TransactionControl::Characteristics));
    }
    let (parameter, values) = setting(reader)?;
    Ok(Change::Set(Set { parameter, values, local, span: reader.span_from(start) }))
}

/// A parameter and its values, as SET and the SET clauses of functions, roles and databases write them. FROM CURRENT has no values.
pub(super) fn setting(reader: &mut Reader) -> Result<(Arc<str>, Vec<Arc<str>>)> {
    const SPECIAL: [(&[&str], &str); 8] = [
        (&["SESSION", "AUTHORIZATION"], "session_authorization"),
        (&["TIME", "ZONE"], "timezone"),
        (&["XML", "OPTION"], "xmloption"),
        (&["ROLE"], "role"),
        (&["NAMES"], "client_encoding"),
        (&["SCHEMA"], "search_path"),
        (&["CATALOG"], "catalog"),
        (&["SEED"], "seed"),
    ];
    for (words, name) in SPECIAL {
        let plain = matches!(reader.peek_nth(words.len()), Token::Eq) || reader.at_nth_word(words.len(), "TO");
        if !plain && reader.take_words(words) {
            return Ok((name.into(), special_value(reader)?));
        }
    }
    let mut parameter = reader.ident()?.name.as_str().to_lowercase();
    while reader.take(&Token::Period) {
        parameter = format!("{parameter}.{}", reader.ident_or_any_keyword()?.name.as_str().to_lowercase());
    }
    if reader.take_words(&["FROM", "CURRENT"]) {
        return Ok((parameter.into(), Vec::new()));
    }
    if !reader.take(&Token::Eq) && !reader.take_word("TO") {
        return Err(reader.error("TO or '='"));
    }
    let values = match reader.take_word("DEFAULT") {
        true => Vec::new(),
        false => reader.comma_separated(|reader| setting_value(reader))?,
    };
    Ok((parameter.into(), values))
}

/// The value of SET ROLE, SET TIME ZONE and the like, which has no `=`.
fn special_value(reader: &mut Reader) -> Result<Vec<Arc<str>>> {
    if reader.take_word("DEFAULT") || reader.at_end() {
        return Ok(Vec::new());
    }
    if reader.take_word("INTERVAL") {
        let start = reader.position();
        reader.skip_rest();
        return Ok(vec![reader.text_from(start).into()]);
    }
    setting_value(reader).map(|value| vec![value])
}

fn setting_value(reader: &mut Reader) -> Result<Arc<str>> {
    if let Ok(text) = reader.string_literal() {
        return Ok(text);
    }
    let start = reader.position();
    if matches!(reader.peek(), Token::Plus | Token::Minus) {
        reader.advance();
    }
    if matches!(reader.peek(), Token::Number(..)) {
        reader.advance();
        return Ok(reader.text_from(start).into());
    }
    Ok(reader.ident_or_any_keyword()?.name.as_str().into())
}

/// RESET and DISCARD.
pub(super) fn reset(reader: &mut Reader) -> Result<Change> {
    if reader.take_word("DISCARD") {
        return match reader.take_any_word(&["ALL", "PLANS", "SEQUENCES", "TEMP", "TEMPORARY"]) {
            Some(what) => {
                let discard_all = what == "ALL";
                let parameter = (!discard_all).then(|| format!("discard {}", what.to_ascii_lowercase()).into());
                Ok(Change::Reset(Reset { parameter, discard_all }))
            }
            None => Err(reader.error("ALL, PLANS, SEQUENCES or TEMPORARY")),
        };
    }
    reader.expect_word("RESET")?;
    let parameter: Option<Arc<str>> = if reader.take_word("ALL") {
        None
    } else if reader.take_words(&["TIME", "ZONE"]) {
        Some("timezone".into())
    } else if reader.take_words(&["SESSION", "AUTHORIZATION"]) {
        Some("session_authorization".into())
    } else if reader.take_words(&["TRANSACTION", "ISOLATION", "LEVEL"]) {
        Some("transaction_isolation".into())
    } else {
        let start = reader.position();
        reader.ident()?;
        while reader.take(&Token::Period) {
            reader.ident_or_any_keyword()?;
        }
        Some(reader.text_from(start).to_lowercase().into())
    };
    Ok(Change::Reset(Reset { parameter, discard_all: false }))
}

/// DO [LANGUAGE name] 'body' [LANGUAGE name].
pub(super) fn do_block(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("DO")?;
    let mut language = None;
    if reader.take_word("LANGUAGE") {
        language = Some(language_name(reader)?);
    }
    let body = reader.literal()?;
    if reader.take_word("LANGUAGE") {
        language = Some(language_name(reader)?);
    }
    let language = language.unwrap_or_else(|| Name::new("plpgsql"));
    let code = match language.as_str() {
        "plpgsql" => plpgsql::read_plpgsql(&body.text(), Variables::of_plpgsql()),
        "sql" => Code::sequence(read_text(&body.text())),
        _ => Code {
            flow: vec![Flow::Dynamic(Dynamic { place: body.span, reach: Reach::All, removes: None })],
            dynamic: vec![body.span],
            ..Code::default()
        },
    };
    Ok(Change::Do(Do { language, code, body: body.span }))
}

/// A language may be named in quotes of either kind.
fn language_name(reader: &mut Reader) -> Result<Name> {
    match reader.string_literal() {
        Ok(text) => Ok(Name::folded(&text)),
        Err(_) => reader.ident().map(|name| name.name),
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
