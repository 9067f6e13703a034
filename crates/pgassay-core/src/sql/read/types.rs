//! CREATE and ALTER of types and domains.

use std::sync::Arc;

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use super::{alter_object, constraint};
use crate::change::{
    AlterCompositeType, AlterDomain, AlterDomainAction, AlterEnum, AlterEnumAction, AttributeAction, Change,
    Constraint, ConstraintKind, CreateDomain, CreateType, EnumPosition, Ident, ObjectKind, TypeDefinition, TypeName,
    Unreadable,
};
use crate::source::Span;

pub(super) fn create_type(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["CREATE", "TYPE"])?;
    let name = reader.object_name_as("the name of a type")?;
    let definition = if reader.at(&Token::LParen) {
        reader.definition()?;
        TypeDefinition::Base
    } else if reader.take_word("AS") {
        type_definition(reader)?
    } else {
        TypeDefinition::Shell
    };
    Ok(Change::CreateType(CreateType { name, definition }))
}

fn type_definition(reader: &mut Reader) -> Result<TypeDefinition> {
    if reader.take_word("ENUM") {
        return Ok(TypeDefinition::Enum(list_or_empty(reader, label)?));
    }
    if reader.take_word("RANGE") {
        return range(reader);
    }
    if !reader.at(&Token::LParen) {
        return Err(reader.error("ENUM, RANGE or '('"));
    }
    Ok(TypeDefinition::Composite(list_or_empty(reader, attribute)?))
}

fn list_or_empty<T>(reader: &mut Reader, read: impl FnMut(&mut Reader) -> Result<T>) -> Result<Vec<T>> {
    reader.expect(&Token::LParen)?;
    if reader.take(&Token::RParen) {
        return Ok(Vec::new());
    }
    let items = reader.comma_separated(read)?;
    reader.expect(&Token::RParen)?;
    Ok(items)
}

/// A value of an enum.
fn label(reader: &mut Reader) -> Result<(Arc<str>, Span)> {
    let start = reader.position();
    let value = reader.string_literal()?;
    Ok((value, reader.span_from(start)))
}

/// `name type [COLLATE collation]`.
fn attribute(reader: &mut Reader) -> Result<(Ident, TypeName)> {
    let name = reader.ident_as("the name of an attribute")?;
    let data_type = reader.type_name()?;
    collation(reader)?;
    Ok((name, data_type))
}

fn collation(reader: &mut Reader) -> Result<()> {
    if reader.take_word("COLLATE") {
        reader.object_name_as("a collation")?;
    }
    Ok(())
}

fn range(reader: &mut Reader) -> Result<TypeDefinition> {
    let (mut subtype, mut multirange) = (None, None);
    let start = reader.position();
    reader.definition()?;
    let end = reader.position();
    reader.restore(start);
    while reader.position() < end {
        let begins = matches!(reader.peek(), Token::LParen | Token::Comma);
        reader.advance();
        if begins && !reader.at_any_word(RANGE_WORDS) && !reader.at(&Token::RParen) {
            let message = format!("type attribute \"{}\" not recognized", reader.peek());
            return Err(Unreadable::invalid(message, reader.span()));
        }
        if begins && reader.take_word("SUBTYPE") && reader.take(&Token::Eq) {
            subtype = Some(reader.type_name()?);
        } else if begins && reader.take_word("MULTIRANGE_TYPE_NAME") && reader.take(&Token::Eq) {
            multirange = Some(reader.object_name()?.name);
        }
    }
    if subtype.is_none() {
        return Err(Unreadable::invalid("type attribute \"subtype\" is required", reader.span_from(start)));
    }
    Ok(TypeDefinition::Range { subtype, multirange })
}

/// What DefineRange (typecmds.c) takes.
const RANGE_WORDS: &[&str] =
    &["SUBTYPE", "SUBTYPE_OPCLASS", "COLLATION", "CANONICAL", "SUBTYPE_DIFF", "MULTIRANGE_TYPE_NAME"];

pub(super) fn alter_type(reader: &mut Reader) -> Result<Change> {
    let start = reader.position();
    reader.expect_words(&["ALTER", "TYPE"])?;
    let name = reader.object_name_as("the name of a type")?;
    let action = reader.position();
    if reader.take_words(&["ADD", "VALUE"]) {
        let action = add_value(reader)?;
        return Ok(Change::AlterEnum(AlterEnum { name, action, span: reader.span_from(start) }));
    }
    if reader.take_words(&["RENAME", "VALUE"]) {
        let from = reader.string_literal()?;
        reader.expect_word("TO")?;
        let action = AlterEnumAction::RenameValue { from, to: reader.string_literal()? };
        return Ok(Change::AlterEnum(AlterEnum { name, action, span: reader.span_from(start) }));
    }
    if reader.take_words(&["RENAME", "ATTRIBUTE"]) {
        let attribute = reader.ident_as("the name of an attribute")?;
        reader.expect_word("TO")?;
        let rename = AttributeAction::Rename { attribute, new_name: reader.ident()? };
        let actions = vec![(rename, reader.span_from(action))];
        return Ok(Change::AlterCompositeType(AlterCompositeType { name, actions, cascade: reader.cascade() }));
    }
    if reader.at_any_word(&["ADD", "DROP", "ALTER"]) {
        let mut cascade = false;
        let actions = reader.comma_separated(|reader| attribute_action(reader, &mut cascade))?;
        return Ok(Change::AlterCompositeType(AlterCompositeType { name, actions, cascade }));
    }
    alter_object::options_or_shared(reader, start, ObjectKind::Type, name)
}

fn add_value(reader: &mut Reader) -> Result<AlterEnumAction> {
    let if_not_exists = reader.if_not_exists();
    let value = reader.string_literal()?;
    let neighbour = match reader.take_any_word(&["BEFORE", "AFTER"]) {
        Some("BEFORE") => Some((reader.string_literal()?, EnumPosition::Before)),
        Some(_) => Some((reader.string_literal()?, EnumPosition::After)),
        None => None,
    };
    Ok(AlterEnumAction::AddValue { value, if_not_exists, neighbour })
}

fn attribute_action(reader: &mut Reader, cascade: &mut bool) -> Result<(AttributeAction, Span)> {
    let start = reader.position();
    let action = match reader.take_any_word(&["ADD", "DROP", "ALTER"]) {
        Some("ADD") => {
            reader.take_word("ATTRIBUTE").then_some(()).ok_or_else(|| reader.error("ATTRIBUTE or VALUE"))?;
            let (attribute, data_type) = attribute(reader)?;
            AttributeAction::Add { attribute, data_type }
        }
        Some("DROP") => {
            reader.expect_word("ATTRIBUTE")?;
            let if_exists = reader.if_exists();
            AttributeAction::Drop { attribute: reader.ident_as("the name of an attribute")?, if_exists }
        }
        Some(_) => {
            reader.expect_word("ATTRIBUTE")?;
            let attribute = reader.ident_as("the name of an attribute")?;
            if reader.take_word("SET") {
                reader.expect_word("DATA")?;
            }
            reader.expect_word("TYPE")?;
            let data_type = reader.type_name()?;
            collation(reader)?;
            AttributeAction::SetDataType { attribute, data_type }
        }
        None => return Err(reader.error("ADD, DROP or ALTER ATTRIBUTE")),
    };
    *cascade |= reader.cascade();
    Ok((action, reader.span_from(start)))
}

pub(super) fn create_domain(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["CREATE", "DOMAIN"])?;
    let name = reader.object_name_as("the name of a domain")?;
    reader.take_word("AS");
    let base = reader.type_name()?;
    let mut domain =
        CreateDomain { name, base, collation: None, default: None, not_null: None, constraints: Vec::new() };
    let mut null = None;
    while domain_property(reader, &mut domain, &mut null)? {}
    if let Some(span) = null.filter(|_| domain.not_null.is_some()) {
        return Err(Unreadable::invalid("conflicting NULL/NOT NULL constraints", span));
    }
    Ok(Change::CreateDomain(domain))
}

/// Reads one COLLATE, DEFAULT or constraint; false when none stands here.
fn domain_property(reader: &mut Reader, domain: &mut CreateDomain, null: &mut Option<Span>) -> Result<bool> {
    let start = reader.position();
    if reader.take_word("COLLATE") {
        domain.collation = Some(reader.object_name_as("a collation")?);
        return Ok(true);
    }
    let name = constraint::constraint_name(reader)?;
    let at_words = reader.position();
    if reader.take_word("NOT") {
        reader.expect_word("NULL")?;
        domain.not_null = Some(reader.span_from(at_words));
    } else if reader.take_word("DEFAULT") {
        let default = reader.b_expression()?;
        if domain.default.replace(default).is_some() {
            return Err(Unreadable::invalid("multiple default expressions", reader.span_from(start)));
        }
    } else if reader.take_word("CHECK") {
        let kind = ConstraintKind::Check(reader.parenthesized(Reader::expression)?);
        if reader.take_words(&["NO", "INHERIT"]) {
            let message = "check constraints for domains cannot be marked NO INHERIT";
            return Err(Unreadable::invalid(message, reader.span_from(start)));
        }
        domain.constraints.push(constraint::plain(reader, start, name, kind));
    } else if reader.take_word("NULL") {
        *null = Some(reader.span_from(at_words));
    } else {
        return if name.is_some() { Err(reader.error("NOT NULL, NULL, DEFAULT or CHECK")) } else { Ok(false) };
    }
    Ok(true)
}

pub(super) fn alter_domain(reader: &mut Reader) -> Result<Change> {
    let start = reader.position();
    reader.expect_words(&["ALTER", "DOMAIN"])?;
    let name = reader.object_name_as("the name of a domain")?;
    let Some(action) = domain_action(reader)? else {
        return alter_object::shared(reader, start, ObjectKind::Domain, super::ddl::reference(name));
    };
    Ok(Change::AlterDomain(AlterDomain { name, action, span: reader.span_from(start) }))
}

/// The domain's own actions; `None`, with nothing read, for those of all objects.
fn domain_action(reader: &mut Reader) -> Result<Option<AlterDomainAction>> {
    use AlterDomainAction::*;
    let action = if reader.take_words(&["SET", "DEFAULT"]) {
        SetDefault(reader.expression()?)
    } else if reader.take_words(&["DROP", "DEFAULT"]) {
        DropDefault
    } else if reader.take_words(&["SET", "NOT", "NULL"]) {
        SetNotNull
    } else if reader.take_words(&["DROP", "NOT", "NULL"]) {
        DropNotNull
    } else if reader.take_word("ADD") {
        add_domain_constraint(reader)?
    } else if reader.take_words(&["DROP", "CONSTRAINT"]) {
        let if_exists = reader.if_exists();
        let constraint = reader.ident_as("the name of a constraint")?;
        DropConstraint { constraint, if_exists, cascade: reader.cascade() }
    } else if reader.take_words(&["VALIDATE", "CONSTRAINT"]) {
        ValidateConstraint { constraint: reader.ident_as("the name of a constraint")? }
    } else if reader.take_words(&["RENAME", "CONSTRAINT"]) {
        let constraint = reader.ident_as("the name of a constraint")?;
        reader.expect_word("TO")?;
        RenameConstraint { constraint, new_name: reader.ident()? }
    } else {
        return Ok(None);
    };
    Ok(Some(action))
}

/// `ADD [CONSTRAINT name] NOT NULL` is SET NOT NULL by another name (17+); its own name is not kept.
fn add_domain_constraint(reader: &mut Reader) -> Result<AlterDomainAction> {
    let start = reader.position();
    let name = constraint::constraint_name(reader)?;
    if reader.take_words(&["NOT", "NULL"]) {
        return Ok(AlterDomainAction::SetNotNull);
    }
    if !reader.take_word("CHECK") {
        return Err(reader.error("CONSTRAINT, CHECK or NOT NULL"));
    }
    let kind = ConstraintKind::Check(reader.parenthesized(Reader::expression)?);
    let mut constraint: Constraint = constraint::plain(reader, start, name, kind);
    constraint::attributes(reader, &mut constraint)?;
    constraint.span = reader.span_from(start);
    Ok(AlterDomainAction::AddConstraint(constraint))
}
