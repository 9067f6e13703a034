//! Column definitions with their column constraints, which are desugared to constraints of the table.

use sqlparser::tokenizer::Token;

use super::constraint::{self, Attribute};
use super::reader::{Reader, Result};
use super::sequence;
use crate::change::{
    ColumnDefinition, Constraint, ConstraintKind, Generated, Ident, Identity, Key, SequenceOptions, Unreadable,
};
use crate::source::Span;

/// A column and the constraints written on it.
#[derive(Debug)]
pub(super) struct Column {
    pub definition: ColumnDefinition,
    pub constraints: Vec<Constraint>,
    /// Where NULL is written.
    null: Option<Span>,
}

/// `name type [STORAGE …] [COMPRESSION …] [OPTIONS (…)] constraints`.
pub(super) fn column(reader: &mut Reader) -> Result<Column> {
    let start = reader.position();
    let name = reader.ident_as("a column name")?;
    let mut column = named(reader, start, name);
    column.definition.data_type = Some(reader.type_name()?);
    if reader.take_word("STORAGE") {
        column.definition.storage = Some(ident_or_default(reader)?);
    }
    if reader.take_word("COMPRESSION") {
        column.definition.compression = Some(ident_or_default(reader)?);
    }
    if reader.at_word("OPTIONS") {
        reader.generic_options()?;
    }
    column_constraints(reader, &mut column)?;
    column.definition.span = reader.span_from(start);
    Ok(column)
}

/// `name [WITH OPTIONS] constraints`, as in tables OF a type and partitions.
pub(super) fn typed_column(reader: &mut Reader) -> Result<Column> {
    let start = reader.position();
    let name = reader.ident_as("a column name")?;
    let mut column = named(reader, start, name);
    if reader.take_word("WITH") {
        reader.expect_word("OPTIONS")?;
    }
    column_constraints(reader, &mut column)?;
    column.definition.span = reader.span_from(start);
    Ok(column)
}

/// A name, or the word DEFAULT, as STORAGE and COMPRESSION take.
pub(super) fn ident_or_default(reader: &mut Reader) -> Result<Ident> {
    if reader.at_word("DEFAULT") { reader.ident_or_any_keyword() } else { reader.ident() }
}

fn named(reader: &Reader, start: usize, name: Ident) -> Column {
    Column {
        definition: ColumnDefinition {
            name,
            data_type: None,
            collation: None,
            not_null: None,
            not_null_name: None,
            default: None,
            identity: None,
            generated: None,
            storage: None,
            compression: None,
            span: reader.span_from(start),
        },
        constraints: Vec::new(),
        null: None,
    }
}

fn column_constraints(reader: &mut Reader, column: &mut Column) -> Result<()> {
    column_parts(reader, column)?;
    let definition = &column.definition;
    let serial = definition.data_type.as_ref().is_some_and(|it| it.name.as_str().starts_with("serial"));
    match column.null {
        Some(null) if definition.not_null.is_some() || definition.identity.is_some() || serial => {
            let name = definition.name.name.as_str();
            Err(Unreadable::invalid(format!("conflicting NULL/NOT NULL declarations for column \"{name}\""), null))
        }
        _ => Ok(()),
    }
}

fn column_parts(reader: &mut Reader, column: &mut Column) -> Result<()> {
    // Attributes belong to the constraint before them (`transformConstraintAttrs` in parse_utilcmd.c).
    let mut last_is_constraint = false;
    loop {
        let start = reader.position();
        if reader.take_word("COLLATE") {
            column.definition.collation = Some(reader.object_name()?);
        } else if let Some(attribute) = column_attribute(reader)? {
            apply_attribute(reader, start, attribute, column, last_is_constraint)?;
            continue;
        } else if let Some(kind) = column_constraint(reader, start, column)? {
            let (name, kind) = kind;
            let mut constraint = constraint::plain(reader, start, name, kind);
            constraint.inline = true;
            constraint.no_inherit =
                matches!(constraint.kind, ConstraintKind::Check(_)) && reader.take_words(&["NO", "INHERIT"]);
            constraint.span = reader.span_from(start);
            column.constraints.push(constraint);
            last_is_constraint = true;
            continue;
        } else if reader.position() == start {
            return Ok(());
        }
        last_is_constraint = false;
    }
}

/// The attributes that columns have: not NOT VALID, and NO INHERIT only as a part of CHECK and NOT NULL.
fn column_attribute(reader: &mut Reader) -> Result<Option<Attribute>> {
    if reader.at_words(&["NO", "INHERIT"]) {
        return Ok(None);
    }
    if reader.at_words(&["NOT", "VALID"]) {
        let message = "a column's own constraint cannot be NOT VALID: a syntax error";
        return Err(Unreadable::invalid(message, reader.span()));
    }
    constraint::attribute(reader)
}

fn apply_attribute(
    reader: &Reader,
    start: usize,
    attribute: Attribute,
    column: &mut Column,
    last_is_constraint: bool,
) -> Result<()> {
    let span = reader.span_from(start);
    match column.constraints.last_mut().filter(|_| last_is_constraint) {
        Some(constraint) if attribute.is_allowed(&constraint.kind) && attribute_fits_column(attribute, constraint) => {
            attribute.apply(constraint);
            constraint.span = constraint.span.to(span);
            Ok(())
        }
        _ => Err(Unreadable::invalid(format!("misplaced {} clause", reader.text_from(start)), span)),
    }
}

/// On a column, even the negative forms need a constraint that may have the positive one.
fn attribute_fits_column(attribute: Attribute, constraint: &Constraint) -> bool {
    match attribute {
        Attribute::Deferrable(_) | Attribute::InitiallyDeferred(_) => {
            Attribute::Deferrable(true).is_allowed(&constraint.kind)
        }
        _ => true,
    }
}

/// Reads one column constraint: what becomes a constraint of the table is returned, the rest is put into the column.
fn column_constraint(
    reader: &mut Reader,
    start: usize,
    column: &mut Column,
) -> Result<Option<(Option<Ident>, ConstraintKind)>> {
    let name = constraint::constraint_name(reader)?;
    let this = || vec![column.definition.name.clone()];
    let kind = if reader.take_word("CHECK") {
        ConstraintKind::Check(reader.parenthesized(Reader::expression)?)
    } else if reader.take_word("UNIQUE") {
        let nulls_not_distinct = constraint::nulls_not_distinct(reader)?;
        ConstraintKind::Unique(Key { nulls_not_distinct, ..inline_key(reader, this())? })
    } else if reader.take_word("PRIMARY") {
        reader.expect_word("KEY")?;
        ConstraintKind::PrimaryKey(inline_key(reader, this())?)
    } else if reader.at_word("REFERENCES") {
        ConstraintKind::ForeignKey(constraint::references(reader, this())?)
    } else if reader.at_word("NULL") {
        column.null = Some(reader.span());
        reader.advance();
        return Ok(None);
    } else if column_property(reader, start, &name, &mut column.definition)? {
        return Ok(None);
    } else if name.is_some() {
        return Err(reader.error("a column constraint"));
    } else {
        return Ok(None);
    };
    Ok(Some((name, kind)))
}

fn inline_key(reader: &mut Reader, columns: Vec<Ident>) -> Result<Key> {
    let (storage, tablespace) = constraint::key_storage(reader)?;
    Ok(Key { columns, include: Vec::new(), nulls_not_distinct: false, without_overlaps: false, storage, tablespace })
}

/// NOT NULL, DEFAULT and GENERATED. Returns whether one of them stood here.
fn column_property(
    reader: &mut Reader,
    start: usize,
    name: &Option<Ident>,
    definition: &mut ColumnDefinition,
) -> Result<bool> {
    let at_property = reader.position();
    if reader.take_word("NOT") {
        reader.expect_word("NULL")?;
        definition.not_null = Some(reader.span_from(at_property));
        definition.not_null_name = name.clone();
        reader.take_words(&["NO", "INHERIT"]);
    } else if reader.take_word("DEFAULT") {
        let default = reader.b_expression()?;
        said_once(reader, start, "default values", &definition.name, definition.default.replace(default).is_none())?;
    } else if reader.at_word("GENERATED") {
        generated(reader, start, definition)?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// What a column may be told once (`transformColumnDefinition`, parse_utilcmd.c).
fn said_once(reader: &Reader, start: usize, what: &str, column: &Ident, first: bool) -> Result<()> {
    let message = || format!("multiple {what} specified for column \"{}\"", column.name.as_str());
    if first { Ok(()) } else { Err(Unreadable::invalid(message(), reader.span_from(start))) }
}

/// `GENERATED ALWAYS | BY DEFAULT`, and whether it says ALWAYS.
pub(super) fn generated_when(reader: &mut Reader) -> Result<bool> {
    reader.expect_word("GENERATED")?;
    if reader.take_word("ALWAYS") {
        return Ok(true);
    }
    if reader.take_words(&["BY", "DEFAULT"]) { Ok(false) } else { Err(reader.error("ALWAYS or BY DEFAULT")) }
}

/// `[(options)]` behind AS IDENTITY.
pub(super) fn identity_options(reader: &mut Reader) -> Result<SequenceOptions> {
    if !reader.at(&Token::LParen) {
        return Ok(SequenceOptions::default());
    }
    reader.parenthesized(sequence::options)
}

fn generated(reader: &mut Reader, start: usize, definition: &mut ColumnDefinition) -> Result<()> {
    let at_when = reader.position();
    let always = generated_when(reader)?;
    reader.expect_word("AS")?;
    if reader.take_word("IDENTITY") {
        let options = identity_options(reader)?;
        let identity = Identity { always, options, span: reader.span_from(start) };
        let first = definition.identity.replace(identity).is_none();
        return said_once(reader, start, "identity specifications", &definition.name, first);
    }
    if !reader.at(&Token::LParen) {
        return Err(reader.error(if always { "IDENTITY or '('" } else { "IDENTITY" }));
    }
    if !always {
        let message = "for a generated column, GENERATED ALWAYS must be specified".to_string();
        return Err(Unreadable::invalid(message, reader.span_from(at_when)));
    }
    let expression = reader.parenthesized(Reader::expression)?;
    let stored = reader.take_word("STORED");
    if !stored {
        reader.take_word("VIRTUAL");
    }
    let generated = Generated { expression, stored, span: reader.span_from(start) };
    let first = definition.generated.replace(generated).is_none();
    said_once(reader, start, "generation clauses", &definition.name, first)
}
