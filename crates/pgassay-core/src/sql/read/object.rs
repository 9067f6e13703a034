//! DROP, COMMENT, SECURITY LABEL, DROP OWNED and REASSIGN OWNED.

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use super::reference;
use crate::change::{Change, Comment, Drop, Nothing, ObjectKind, Owned};

pub(super) fn drop(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("DROP")?;
    let at_kind = reader.position();
    let kind = reference::kind(reader)?;
    if matches!(kind, ObjectKind::Column | ObjectKind::Constraint | ObjectKind::LargeObject) {
        reader.restore(at_kind);
        return Err(reader.error("a kind of object, such as TABLE"));
    }
    let concurrently = kind == ObjectKind::Index && reader.take_word("CONCURRENTLY");
    let if_exists = reader.if_exists();
    let objects = if named_alone(kind) {
        vec![reference::object(reader, kind)?]
    } else {
        reader.comma_separated(|reader| reference::object(reader, kind))?
    };
    let cascade = match kind {
        ObjectKind::Role | ObjectKind::Tablespace | ObjectKind::UserMapping => false,
        ObjectKind::Database => drop_database_options(reader)?,
        _ => reader.cascade(),
    };
    Ok(Change::Drop(Drop { kind, objects, if_exists, cascade, concurrently }))
}

/// The kinds of which one DROP takes one object.
fn named_alone(kind: ObjectKind) -> bool {
    use ObjectKind::*;
    matches!(
        kind,
        Cast | Database
            | OperatorClass
            | OperatorFamily
            | Policy
            | Rule
            | Subscription
            | Tablespace
            | Transform
            | Trigger
            | UserMapping
    )
}

/// `[WITH] (FORCE)`; there is no CASCADE.
fn drop_database_options(reader: &mut Reader) -> Result<bool> {
    if reader.take_word("WITH") || reader.at(&Token::LParen) {
        reader.parenthesized(|reader| reader.comma_separated(|reader| reader.expect_word("FORCE")))?;
    }
    Ok(false)
}

pub(super) fn comment(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["COMMENT", "ON"])?;
    let kind = labelled_kind(reader)?;
    let object = reference::object(reader, kind)?;
    let column = (kind == ObjectKind::Column)
        .then(|| crate::change::Ident { name: object.name.name.clone(), span: object.name.span });
    reader.expect_word("IS")?;
    let text = if reader.take_word("NULL") {
        None
    } else {
        Some(reader.string_literal().map_err(|_| reader.error("a string or NULL"))?)
    };
    Ok(Change::Comment(Comment { kind, object, column, text }))
}

fn labelled_kind(reader: &mut Reader) -> Result<ObjectKind> {
    let start = reader.position();
    let kind = reference::kind(reader)?;
    if kind == ObjectKind::UserMapping {
        reader.restore(start);
        return Err(reader.error("a kind of object, such as TABLE"));
    }
    Ok(kind)
}

/// Kept by an external provider: nothing that the models follow.
pub(super) fn security_label(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["SECURITY", "LABEL"])?;
    if reader.take_word("FOR") {
        super::setting::word_or_string(reader)?;
    }
    reader.expect_word("ON")?;
    let kind = labelled_kind(reader)?;
    reference::object(reader, kind)?;
    reader.expect_word("IS")?;
    if !reader.take_word("NULL") {
        reader.string_literal()?;
    }
    Ok(Change::Nothing(Nothing { name: "security-label", forbidden_in_transaction: false }))
}

/// `DROP OWNED BY roles` and `REASSIGN OWNED BY roles TO role`.
pub(super) fn owned(reader: &mut Reader) -> Result<Change> {
    let start = reader.position();
    let mut cascade = false;
    let drop = reader.take_word("DROP");
    if !drop {
        reader.expect_word("REASSIGN")?;
    }
    reader.expect_words(&["OWNED", "BY"])?;
    let roles = reader.roles()?;
    let new_owner = if drop {
        cascade = reader.cascade();
        None
    } else {
        reader.expect_word("TO")?;
        Some(reader.role()?)
    };
    Ok(Change::Owned(Owned { drop, roles, new_owner, cascade, span: reader.span_from(start) }))
}
