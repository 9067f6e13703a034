//! Constraints of tables and domains, and the attributes that follow them in any order.

use std::sync::Arc;

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use crate::change::{
    Constraint, ConstraintKind, ForeignKey, Ident, IndexElement, Key, ObjectName, ReferentialAction, StorageOption,
    Unreadable,
};
use crate::source::Span;

/// Whether a table constraint starts here, rather than a column: EXCLUDE and the like may be a column's name.
pub(super) fn at_table_constraint(reader: &Reader) -> bool {
    ["CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN", "NOT"].iter().any(|word| reader.at_word(word))
        || reader.at_words(&["EXCLUDE", "USING"])
        || (reader.at_word("EXCLUDE") && *reader.peek_nth(1) == Token::LParen)
}

/// `[CONSTRAINT name] CHECK … | UNIQUE … | …` with its attributes, as CREATE TABLE and ADD have it.
pub(super) fn table_constraint(reader: &mut Reader) -> Result<Constraint> {
    let start = reader.position();
    let name = constraint_name(reader)?;
    let kind = table_constraint_kind(reader)?;
    let mut constraint = plain(reader, start, name, kind);
    attributes(reader, &mut constraint)?;
    constraint.span = reader.span_from(start);
    Ok(constraint)
}

pub(super) fn constraint_name(reader: &mut Reader) -> Result<Option<Ident>> {
    if reader.take_word("CONSTRAINT") { reader.ident().map(Some) } else { Ok(None) }
}

/// A constraint without attributes.
pub(super) fn plain(reader: &Reader, start: usize, name: Option<Ident>, kind: ConstraintKind) -> Constraint {
    Constraint {
        name,
        kind,
        inline: false,
        not_valid: false,
        not_enforced: false,
        no_inherit: false,
        deferrable: false,
        initially_deferred: false,
        span: reader.span_from(start),
    }
}

fn table_constraint_kind(reader: &mut Reader) -> Result<ConstraintKind> {
    if reader.take_word("CHECK") {
        Ok(ConstraintKind::Check(reader.parenthesized(Reader::expression)?))
    } else if reader.take_word("UNIQUE") {
        unique(reader)
    } else if reader.take_word("PRIMARY") {
        reader.expect_word("KEY")?;
        primary_key(reader)
    } else if reader.take_word("FOREIGN") {
        reader.expect_word("KEY")?;
        let columns = period_columns(reader)?;
        Ok(ConstraintKind::ForeignKey(references(reader, columns)?))
    } else if reader.take_word("EXCLUDE") {
        exclude(reader)
    } else if reader.take_words(&["NOT", "NULL"]) {
        Ok(ConstraintKind::NotNull(reader.ident()?))
    } else {
        Err(reader.error("CHECK, UNIQUE, PRIMARY KEY, FOREIGN KEY, EXCLUDE or NOT NULL"))
    }
}

fn unique(reader: &mut Reader) -> Result<ConstraintKind> {
    if let Some(index) = using_index(reader)? {
        return Ok(ConstraintKind::UsingIndex { primary_key: false, index });
    }
    let nulls_not_distinct = nulls_not_distinct(reader)?;
    Ok(ConstraintKind::Unique(Key { nulls_not_distinct, ..key(reader)? }))
}

fn primary_key(reader: &mut Reader) -> Result<ConstraintKind> {
    if let Some(index) = using_index(reader)? {
        return Ok(ConstraintKind::UsingIndex { primary_key: true, index });
    }
    Ok(ConstraintKind::PrimaryKey(key(reader)?))
}

fn using_index(reader: &mut Reader) -> Result<Option<Ident>> {
    if reader.take_words(&["USING", "INDEX"]) { reader.ident().map(Some) } else { Ok(None) }
}

/// `NULLS [NOT] DISTINCT`, and whether it says NOT.
pub(super) fn nulls_not_distinct(reader: &mut Reader) -> Result<bool> {
    if !reader.take_word("NULLS") {
        return Ok(false);
    }
    let not = reader.take_word("NOT");
    reader.expect_word("DISTINCT")?;
    Ok(not)
}

fn key(reader: &mut Reader) -> Result<Key> {
    reader.expect(&Token::LParen)?;
    let mut columns = vec![reader.ident()?];
    let mut without_overlaps = reader.take_words(&["WITHOUT", "OVERLAPS"]);
    while !without_overlaps && reader.take(&Token::Comma) {
        columns.push(reader.ident()?);
        without_overlaps = reader.take_words(&["WITHOUT", "OVERLAPS"]);
    }
    reader.expect(&Token::RParen)?;
    let include = include(reader)?;
    let (storage, tablespace) = key_storage(reader)?;
    Ok(Key { columns, include, nulls_not_distinct: false, without_overlaps, storage, tablespace })
}

/// `INCLUDE (columns)`, or nothing.
pub(super) fn include(reader: &mut Reader) -> Result<Vec<Ident>> {
    if reader.take_word("INCLUDE") { reader.parenthesized_idents() } else { Ok(Vec::new()) }
}

/// `WITH (…)` and `USING INDEX TABLESPACE name` of a key's index.
pub(super) fn key_storage(reader: &mut Reader) -> Result<(Vec<StorageOption>, Option<Ident>)> {
    let storage = if reader.take_word("WITH") { reader.storage_options()? } else { Vec::new() };
    let tablespace = if reader.take_words(&["USING", "INDEX", "TABLESPACE"]) { Some(reader.ident()?) } else { None };
    Ok((storage, tablespace))
}

fn exclude(reader: &mut Reader) -> Result<ConstraintKind> {
    let method = if reader.take_word("USING") { Some(reader.ident()?) } else { None };
    let elements = reader.parenthesized(|reader| reader.comma_separated(exclude_element))?;
    let include = include(reader)?;
    let (storage, tablespace) = key_storage(reader)?;
    let predicate = if reader.take_word("WHERE") { Some(reader.parenthesized(Reader::expression)?) } else { None };
    Ok(ConstraintKind::Exclude { method, elements, include, predicate, storage, tablespace })
}

/// An operator as an expression names it: its symbol is no identifier that could be quoted.
fn written_operator(name: &ObjectName) -> Arc<str> {
    match &name.schema {
        Some(schema) => format!("OPERATOR({schema}.{})", name.name.as_str()).into(),
        None => name.name.as_str().into(),
    }
}

/// `element WITH operator`.
fn exclude_element(reader: &mut Reader) -> Result<(IndexElement, Arc<str>)> {
    let element = reader.index_element()?;
    reader.expect_word("WITH")?;
    if reader.take_word("OPERATOR") {
        return Ok((element, written_operator(&reader.parenthesized(Reader::operator_name)?)));
    }
    Ok((element, written_operator(&reader.operator_name()?)))
}

/// `(a, b, PERIOD c)`.
fn period_columns(reader: &mut Reader) -> Result<Vec<Ident>> {
    reader.parenthesized(|reader| {
        reader.comma_separated(|reader| {
            // PERIOD may be a column's name.
            if reader.at_word("PERIOD") && !matches!(reader.peek_nth(1), Token::Comma | Token::RParen) {
                reader.expect_word("PERIOD")?;
            }
            reader.ident()
        })
    })
}

/// `REFERENCES table [(columns)] [MATCH …] [ON …]` for these columns.
pub(super) fn references(reader: &mut Reader, columns: Vec<Ident>) -> Result<ForeignKey> {
    reader.expect_word("REFERENCES")?;
    let referenced: ObjectName = reader.object_name()?;
    let referenced_columns = if reader.at(&Token::LParen) { period_columns(reader)? } else { Vec::new() };
    let match_full = match_type(reader)?;
    let (on_delete, set_columns, on_update) = referential_actions(reader)?;
    Ok(ForeignKey { columns, referenced, referenced_columns, match_full, on_delete, on_update, set_columns })
}

fn match_type(reader: &mut Reader) -> Result<bool> {
    if !reader.take_word("MATCH") {
        return Ok(false);
    }
    if reader.take_word("FULL") {
        return Ok(true);
    }
    if reader.take_word("SIMPLE") { Ok(false) } else { Err(reader.error("FULL or SIMPLE")) }
}

/// ON DELETE with the columns that it changes, and ON UPDATE, each at most once, in either order.
fn referential_actions(reader: &mut Reader) -> Result<(ReferentialAction, Vec<Ident>, ReferentialAction)> {
    let (mut on_delete, mut on_update) = (None, None);
    let mut set_columns = Vec::new();
    while reader.at_word("ON") {
        if on_delete.is_none() && reader.take_words(&["ON", "DELETE"]) {
            let action = referential_action(reader)?;
            // Only ON DELETE may name the columns that SET NULL and SET DEFAULT change (manual, CREATE TABLE; 15+).
            if matches!(action, ReferentialAction::SetNull | ReferentialAction::SetDefault) && reader.at(&Token::LParen)
            {
                set_columns = reader.parenthesized_idents()?;
            }
            on_delete = Some(action);
        } else if on_update.is_none() && reader.take_words(&["ON", "UPDATE"]) {
            on_update = Some(referential_action(reader)?);
        } else {
            reader.expect_word("ON")?;
            return Err(reader.error("DELETE or UPDATE, each once"));
        }
    }
    Ok((on_delete.unwrap_or_default(), set_columns, on_update.unwrap_or_default()))
}

fn referential_action(reader: &mut Reader) -> Result<ReferentialAction> {
    if reader.take_words(&["NO", "ACTION"]) {
        return Ok(ReferentialAction::NoAction);
    } else if reader.take_word("RESTRICT") {
        return Ok(ReferentialAction::Restrict);
    } else if reader.take_word("CASCADE") {
        return Ok(ReferentialAction::Cascade);
    } else if !reader.take_word("SET") {
        return Err(reader.error("NO ACTION, RESTRICT, CASCADE, SET NULL or SET DEFAULT"));
    }
    if reader.take_word("NULL") {
        Ok(ReferentialAction::SetNull)
    } else if reader.take_word("DEFAULT") {
        Ok(ReferentialAction::SetDefault)
    } else {
        Err(reader.error("NULL or DEFAULT"))
    }
}

/// Reads the attributes behind a constraint and checks that its kind may have them, as the server does right after
/// parsing (`processCASbits` in src/backend/parser/gram.y).
pub(super) fn attributes(reader: &mut Reader, constraint: &mut Constraint) -> Result<()> {
    let mut not_deferrable = false;
    loop {
        let start = reader.position();
        let Some(attribute) = attribute(reader)? else { return Ok(()) };
        if !attribute.is_allowed(&constraint.kind) {
            let span = reader.span_from(start);
            let message =
                format!("{} constraints cannot be marked {}", kind_words(&constraint.kind), attribute.words());
            return Err(Unreadable::invalid(message, span));
        }
        attribute.apply(constraint);
        if attribute == Attribute::Deferrable(false) {
            not_deferrable = true;
        }
        if not_deferrable && constraint.initially_deferred {
            return Err(conflict(reader.span_from(start)));
        }
    }
}

/// DEFERRABLE was denied in so many words.
pub(super) fn conflict(span: Span) -> Unreadable {
    Unreadable::invalid("constraint declared INITIALLY DEFERRED must be DEFERRABLE".to_string(), span)
}

/// One attribute of a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    Deferrable(bool),
    InitiallyDeferred(bool),
    NotValid,
    NoInherit,
    Enforced(bool),
}

impl Attribute {
    fn words(self) -> &'static str {
        match self {
            Attribute::Deferrable(true) => "DEFERRABLE",
            Attribute::Deferrable(false) => "NOT DEFERRABLE",
            Attribute::InitiallyDeferred(true) => "INITIALLY DEFERRED",
            Attribute::InitiallyDeferred(false) => "INITIALLY IMMEDIATE",
            Attribute::NotValid => "NOT VALID",
            Attribute::NoInherit => "NO INHERIT",
            Attribute::Enforced(true) => "ENFORCED",
            Attribute::Enforced(false) => "NOT ENFORCED",
        }
    }

    /// The negative forms say what is so anyway: the server takes them everywhere.
    pub(super) fn is_allowed(self, kind: &ConstraintKind) -> bool {
        use ConstraintKind::{Check, ForeignKey, NotNull};
        match self {
            Attribute::Deferrable(false) | Attribute::InitiallyDeferred(false) => true,
            Attribute::Deferrable(true) | Attribute::InitiallyDeferred(true) => !matches!(kind, Check(_) | NotNull(_)),
            Attribute::NotValid => matches!(kind, Check(_) | ForeignKey(_) | NotNull(_)),
            Attribute::NoInherit => matches!(kind, Check(_) | NotNull(_)),
            Attribute::Enforced(_) => matches!(kind, Check(_) | ForeignKey(_)),
        }
    }

    pub(super) fn apply(self, constraint: &mut Constraint) {
        match self {
            Attribute::Deferrable(on) => constraint.deferrable = on,
            Attribute::InitiallyDeferred(on) => {
                constraint.initially_deferred = on;
                constraint.deferrable |= on;
            }
            Attribute::NotValid => constraint.not_valid = true,
            Attribute::NoInherit => constraint.no_inherit = true,
            Attribute::Enforced(on) => constraint.not_enforced = !on,
        }
    }
}

/// The attribute that stands here, if one does. NO INHERIT and NOT VALID are taken too, which columns do not have.
pub(super) fn attribute(reader: &mut Reader) -> Result<Option<Attribute>> {
    const FORMS: &[(&[&str], Attribute)] = &[
        (&["DEFERRABLE"], Attribute::Deferrable(true)),
        (&["NOT", "DEFERRABLE"], Attribute::Deferrable(false)),
        (&["INITIALLY", "DEFERRED"], Attribute::InitiallyDeferred(true)),
        (&["INITIALLY", "IMMEDIATE"], Attribute::InitiallyDeferred(false)),
        (&["NOT", "VALID"], Attribute::NotValid),
        (&["NO", "INHERIT"], Attribute::NoInherit),
        (&["ENFORCED"], Attribute::Enforced(true)),
        (&["NOT", "ENFORCED"], Attribute::Enforced(false)),
    ];
    if let Some((_, attribute)) = FORMS.iter().find(|(words, _)| reader.take_words(words)) {
        return Ok(Some(*attribute));
    }
    if reader.take_word("INITIALLY") {
        return Err(reader.error("DEFERRED or IMMEDIATE"));
    }
    Ok(None)
}

fn kind_words(kind: &ConstraintKind) -> &'static str {
    match kind {
        ConstraintKind::NotNull(_) => "NOT NULL",
        ConstraintKind::Check(_) => "CHECK",
        ConstraintKind::Unique(_) | ConstraintKind::UsingIndex { primary_key: false, .. } => "UNIQUE",
        ConstraintKind::PrimaryKey(_) | ConstraintKind::UsingIndex { primary_key: true, .. } => "PRIMARY KEY",
        ConstraintKind::Exclude { .. } => "EXCLUDE",
        ConstraintKind::ForeignKey(_) => "FOREIGN KEY",
    }
}
