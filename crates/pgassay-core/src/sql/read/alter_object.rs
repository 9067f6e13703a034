//! ALTER of what is no relation: RENAME TO, SET SCHEMA, OWNER TO of every kind, and the options of each.

use sqlparser::tokenizer::Token;

use super::ddl::{reference, unqualified};
use super::reader::{Reader, Result};
use super::{operator, reference, role, setting};
use crate::change::{
    AlterObject, AlterObjectAction, Change, FiringMode, Ident, ObjectKind, ObjectName, ObjectReference,
};

pub(super) fn alter_object(reader: &mut Reader) -> Result<Change> {
    let start = reader.position();
    reader.expect_word("ALTER")?;
    if reader.take_word("SYSTEM") {
        return alter_system(reader, start);
    }
    let at_kind = reader.position();
    let kind = reference::kind(reader)?;
    if matches!(kind, ObjectKind::Cast | ObjectKind::Column | ObjectKind::Constraint | ObjectKind::Transform) {
        reader.restore(at_kind);
        return Err(reader.error("a kind of object that can be altered, such as TABLE"));
    }
    if kind == ObjectKind::Statistics {
        reader.if_exists();
    }
    let object = if kind == ObjectKind::Role && reader.at_word("ALL") {
        reference(unqualified(reader.ident_or_any_keyword()?))
    } else {
        reference::object(reader, kind)?
    };
    match own_options(reader, kind)? {
        Some(action) => Ok(change(reader, start, kind, object, action)),
        None => shared(reader, start, kind, object),
    }
}

fn change(
    reader: &Reader,
    start: usize,
    kind: ObjectKind,
    object: ObjectReference,
    action: AlterObjectAction,
) -> Change {
    Change::AlterObject(AlterObject { kind, object, action, span: reader.span_from(start) })
}

/// `RENAME TO`, `SET SCHEMA`, `OWNER TO`, `[NO] DEPENDS ON EXTENSION`.
pub(super) fn shared(reader: &mut Reader, start: usize, kind: ObjectKind, object: ObjectReference) -> Result<Change> {
    let action = if reader.take_word("RENAME") {
        reader.expect_word("TO")?;
        AlterObjectAction::Rename(if kind == ObjectKind::Role { reader.role()? } else { reader.ident()? })
    } else if reader.take_word("OWNER") {
        reader.expect_word("TO")?;
        AlterObjectAction::Owner(reader.role()?)
    } else if reader.take_words(&["SET", "SCHEMA"]) {
        AlterObjectAction::SetSchema(reader.ident_as("the name of a schema")?)
    } else if reader.take_words(&["DEPENDS", "ON", "EXTENSION"])
        || reader.take_words(&["NO", "DEPENDS", "ON", "EXTENSION"])
    {
        reader.ident_as("the name of an extension")?;
        AlterObjectAction::DependsOnExtension
    } else {
        return Err(reader.error("RENAME TO, OWNER TO, SET SCHEMA or an option of the object"));
    };
    Ok(change(reader, start, kind, object, action))
}

/// As [`shared`], or `SET (options)`.
pub(super) fn options_or_shared(
    reader: &mut Reader,
    start: usize,
    kind: ObjectKind,
    name: ObjectName,
) -> Result<Change> {
    if reader.at_word("SET") && *reader.peek_nth(1) == Token::LParen {
        reader.advance();
        reader.definition()?;
        return Ok(change(reader, start, kind, reference(name), AlterObjectAction::Options));
    }
    shared(reader, start, kind, reference(name))
}

/// The options that only this kind has; `None`, with nothing read, when none stands here.
fn own_options(reader: &mut Reader, kind: ObjectKind) -> Result<Option<AlterObjectAction>> {
    let start = reader.position();
    match kind {
        ObjectKind::Role => return role::alter(reader),
        ObjectKind::Database => return database(reader),
        ObjectKind::Subscription => return super::publication::alter_subscription(reader),
        ObjectKind::Collation => {
            reader.take_words(&["REFRESH", "VERSION"]);
        }
        ObjectKind::EventTrigger => return Ok(event_trigger(reader)),
        ObjectKind::Operator if reader.take_word("SET") => {
            if reader.at_word("SCHEMA") {
                reader.restore(start);
            } else {
                reader.definition()?;
            }
        }
        ObjectKind::OperatorFamily => operator::alter_family(reader)?,
        ObjectKind::Server | ObjectKind::ForeignDataWrapper | ObjectKind::UserMapping => {
            super::foreign::alter(reader, kind)?
        }
        ObjectKind::Statistics => statistics_target(reader)?,
        ObjectKind::Tablespace if reader.take_any_word(&["SET", "RESET"]).is_some() => {
            reader.storage_options()?;
        }
        ObjectKind::TextSearchDictionary if reader.at(&Token::LParen) => {
            reader.definition()?;
        }
        ObjectKind::TextSearchConfiguration => text_search_mapping(reader)?,
        _ => {}
    }
    Ok((reader.position() > start).then_some(AlterObjectAction::Options))
}

/// `SET STATISTICS number | DEFAULT`.
fn statistics_target(reader: &mut Reader) -> Result<()> {
    if reader.take_words(&["SET", "STATISTICS"]) && !reader.take_word("DEFAULT") {
        reader.integer()?;
    }
    Ok(())
}

/// `ENABLE [ALWAYS | REPLICA] | DISABLE`.
fn event_trigger(reader: &mut Reader) -> Option<AlterObjectAction> {
    if reader.take_word("DISABLE") {
        return Some(AlterObjectAction::Fires(FiringMode::Disabled));
    }
    reader.take_word("ENABLE").then(|| match reader.take_any_word(&["ALWAYS", "REPLICA"]) {
        Some("ALWAYS") => AlterObjectAction::Fires(FiringMode::Always),
        Some(_) => AlterObjectAction::Fires(FiringMode::Replica),
        None => AlterObjectAction::Fires(FiringMode::Enabled),
    })
}

/// `ADD | ALTER | DROP MAPPING …`.
fn text_search_mapping(reader: &mut Reader) -> Result<()> {
    let Some(word) = reader.take_any_word(&["ADD", "ALTER", "DROP"]) else { return Ok(()) };
    reader.expect_word("MAPPING")?;
    if word == "DROP" {
        reader.if_exists();
        reader.expect_word("FOR")?;
        reader.comma_separated(Reader::ident)?;
        return Ok(());
    }
    let tokens = reader.take_word("FOR");
    if tokens {
        reader.comma_separated(Reader::ident)?;
    } else if word == "ADD" {
        return Err(reader.error("FOR"));
    }
    if word == "ALTER" && reader.take_word("REPLACE") {
        reader.object_name_as("a dictionary")?;
    } else if !tokens {
        return Err(reader.error("FOR or REPLACE"));
    }
    reader.expect_word("WITH")?;
    reader.comma_separated(|reader| reader.object_name_as("a dictionary"))?;
    Ok(())
}

/// Options with an optional `=`, settings, a tablespace.
fn database(reader: &mut Reader) -> Result<Option<AlterObjectAction>> {
    if reader.take_words(&["SET", "TABLESPACE"]) {
        reader.ident_as("the name of a tablespace")?;
        return Ok(Some(AlterObjectAction::OptionsOutsideTransaction));
    }
    if reader.at_any_word(&["SET", "RESET"]) {
        return setting::action(reader).map(Some);
    }
    if reader.take_words(&["REFRESH", "COLLATION", "VERSION"]) {
        return Ok(Some(AlterObjectAction::Options));
    }
    if reader.at_any_word(&["RENAME", "OWNER"]) {
        return Ok(None);
    }
    database_options(reader)?;
    Ok(Some(AlterObjectAction::Options))
}

/// `[WITH] name [=] value …`, as CREATE and ALTER DATABASE have them.
pub(super) fn database_options(reader: &mut Reader) -> Result<()> {
    reader.take_word("WITH");
    while !reader.at_end() {
        if !reader.take_words(&["CONNECTION", "LIMIT"]) {
            let _: Ident = reader.ident_as("an option of the database")?;
        }
        reader.take(&Token::Eq);
        if !reader.take_word("DEFAULT") {
            reader.setting_value()?;
        }
    }
    Ok(())
}

/// Writes postgresql.auto.conf at once, so no transaction block takes it.
fn alter_system(reader: &mut Reader, start: usize) -> Result<Change> {
    let at_parameter = reader.position() + 1;
    if !reader.at_any_word(&["SET", "RESET"]) {
        return Err(reader.error("SET or RESET"));
    }
    let setting = setting::set_or_reset(reader)?;
    let (first, last) = reader.bytes_at(at_parameter);
    let parameter = setting.map_or("all".into(), |(parameter, _)| parameter);
    let name = ObjectName { schema: None, name: parameter.as_ref().into(), span: reader.text.span(first, last) };
    let action = AlterObjectAction::OptionsOutsideTransaction;
    Ok(change(reader, start, ObjectKind::Parameter, reference(name), action))
}
