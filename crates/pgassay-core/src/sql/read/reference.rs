//! Kinds of objects, and how each kind is named in DROP, COMMENT, ALTER and SECURITY LABEL.

use sqlparser::tokenizer::Token;

use super::ddl::{reference, unqualified};
use super::reader::{Reader, Result};
use super::{routine, sequence};
use crate::change::{ArgumentMode, Ident, Name, ObjectKind, ObjectName, ObjectReference, TypeName, Unreadable};

#[rustfmt::skip]
const KINDS: &[(&[&str], ObjectKind)] = &[
    (&["ACCESS", "METHOD"], ObjectKind::AccessMethod),
    (&["AGGREGATE"], ObjectKind::Aggregate),
    (&["CAST"], ObjectKind::Cast),
    (&["COLLATION"], ObjectKind::Collation),
    (&["COLUMN"], ObjectKind::Column),
    (&["CONSTRAINT"], ObjectKind::Constraint),
    (&["CONVERSION"], ObjectKind::Conversion),
    (&["DATABASE"], ObjectKind::Database),
    (&["DOMAIN"], ObjectKind::Domain),
    (&["EVENT", "TRIGGER"], ObjectKind::EventTrigger),
    (&["EXTENSION"], ObjectKind::Extension),
    (&["FOREIGN", "DATA", "WRAPPER"], ObjectKind::ForeignDataWrapper),
    (&["FOREIGN", "TABLE"], ObjectKind::ForeignTable),
    (&["FUNCTION"], ObjectKind::Function),
    (&["GROUP"], ObjectKind::Role),
    (&["INDEX"], ObjectKind::Index),
    (&["LANGUAGE"], ObjectKind::Language),
    (&["LARGE", "OBJECT"], ObjectKind::LargeObject),
    (&["MATERIALIZED", "VIEW"], ObjectKind::MaterializedView),
    (&["OPERATOR", "CLASS"], ObjectKind::OperatorClass),
    (&["OPERATOR", "FAMILY"], ObjectKind::OperatorFamily),
    (&["OPERATOR"], ObjectKind::Operator),
    (&["POLICY"], ObjectKind::Policy),
    (&["PROCEDURAL", "LANGUAGE"], ObjectKind::Language),
    (&["PROCEDURE"], ObjectKind::Procedure),
    (&["PUBLICATION"], ObjectKind::Publication),
    (&["ROLE"], ObjectKind::Role),
    (&["ROUTINE"], ObjectKind::Routine),
    (&["RULE"], ObjectKind::Rule),
    (&["SCHEMA"], ObjectKind::Schema),
    (&["SEQUENCE"], ObjectKind::Sequence),
    (&["SERVER"], ObjectKind::Server),
    (&["STATISTICS"], ObjectKind::Statistics),
    (&["SUBSCRIPTION"], ObjectKind::Subscription),
    (&["TABLE"], ObjectKind::Table),
    (&["TABLESPACE"], ObjectKind::Tablespace),
    (&["TEXT", "SEARCH", "CONFIGURATION"], ObjectKind::TextSearchConfiguration),
    (&["TEXT", "SEARCH", "DICTIONARY"], ObjectKind::TextSearchDictionary),
    (&["TEXT", "SEARCH", "PARSER"], ObjectKind::TextSearchParser),
    (&["TEXT", "SEARCH", "TEMPLATE"], ObjectKind::TextSearchTemplate),
    (&["TRANSFORM"], ObjectKind::Transform),
    (&["TRIGGER"], ObjectKind::Trigger),
    (&["TYPE"], ObjectKind::Type),
    (&["USER", "MAPPING"], ObjectKind::UserMapping),
    (&["USER"], ObjectKind::Role),
    (&["VIEW"], ObjectKind::View),
];

/// The words that name a kind of object.
pub(super) fn kind(reader: &mut Reader) -> Result<ObjectKind> {
    let found = KINDS.iter().find(|(words, _)| reader.take_words(words));
    found.map(|(_, kind)| *kind).ok_or_else(|| reader.error("a kind of object, such as TABLE"))
}

/// The name of an object of this kind, with all that belongs to it: arguments, the table it is on, the access method.
pub(super) fn object(reader: &mut Reader, kind: ObjectKind) -> Result<ObjectReference> {
    use ObjectKind::*;
    match kind {
        Function | Procedure | Routine => routine::routine_name(reader).map(ObjectReference::from),
        Aggregate => aggregate(reader),
        Operator => operator(reader),
        OperatorClass | OperatorFamily => operator_class(reader),
        Cast => cast(reader),
        Transform => transform(reader),
        Trigger | Rule | Policy => on_table(reader, kind),
        Constraint => constraint(reader),
        Column => column(reader),
        Type | Domain => type_reference(reader),
        LargeObject => large_object(reader),
        UserMapping => user_mapping(reader),
        Role => Ok(reference(unqualified(reader.role()?))),
        AccessMethod | Database | EventTrigger | Extension | ForeignDataWrapper | Language | Publication | Schema
        | Server | Subscription | Tablespace => {
            let name = reader.ident_as(&format!("the name of {}", with_article(kind)))?;
            Ok(reference(unqualified(name)))
        }
        _ => Ok(reference(reader.object_name_as(&format!("the name of {}", with_article(kind)))?)),
    }
}

/// "a table", "an index".
pub(super) fn with_article(kind: ObjectKind) -> String {
    let noun = kind.noun();
    let article = if noun.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {noun}")
}

fn aggregate(reader: &mut Reader) -> Result<ObjectReference> {
    let start = reader.position();
    let name = reader.function_name().map_err(|_| reader.error("the name of an aggregate"))?;
    let arguments = Some(aggregate_arguments(reader)?);
    Ok(ObjectReference { name, arguments, on: None, span: reader.span_from(start) })
}

/// `(*)`, `(types)`, `(types ORDER BY types)`, `(ORDER BY types)`.
pub(super) fn aggregate_arguments(reader: &mut Reader) -> Result<Vec<TypeName>> {
    reader.expect(&Token::LParen)?;
    let mut arguments = Vec::new();
    if !reader.take(&Token::Mul) {
        if !reader.at_words(&["ORDER", "BY"]) {
            arguments = reader.comma_separated(routine::argument)?;
        }
        if reader.take_words(&["ORDER", "BY"]) {
            arguments.extend(reader.comma_separated(routine::argument)?);
        }
    }
    reader.expect(&Token::RParen)?;
    let input = arguments.into_iter().filter(|argument| argument.mode != ArgumentMode::Out);
    Ok(input.map(|argument| argument.data_type).collect())
}

fn operator(reader: &mut Reader) -> Result<ObjectReference> {
    let start = reader.position();
    let name = reader.operator_name()?;
    let arguments = Some(operator_arguments(reader)?);
    Ok(ObjectReference { name, arguments, on: None, span: reader.span_from(start) })
}

/// `(left, right)`, where NONE is no operand.
pub(super) fn operator_arguments(reader: &mut Reader) -> Result<Vec<TypeName>> {
    reader.parenthesized(|reader| {
        let left = operand(reader)?;
        if !reader.take(&Token::Comma) {
            return Err(reader.error("',' and the other operand, which may be NONE"));
        }
        Ok(left.into_iter().chain(operand(reader)?).collect())
    })
}

fn operand(reader: &mut Reader) -> Result<Option<TypeName>> {
    if reader.take_word("NONE") { Ok(None) } else { reader.type_name().map(Some) }
}

fn operator_class(reader: &mut Reader) -> Result<ObjectReference> {
    let start = reader.position();
    let name = reader.object_name_as("the name of an operator class")?;
    reader.expect_word("USING")?;
    reader.ident_as("an access method")?;
    Ok(ObjectReference { name, arguments: None, on: None, span: reader.span_from(start) })
}

/// `(source AS target)`: named by its types, which are the arguments.
pub(super) fn cast(reader: &mut Reader) -> Result<ObjectReference> {
    let start = reader.position();
    let types = reader.parenthesized(|reader| {
        let source = reader.type_name()?;
        reader.expect_word("AS")?;
        Ok([source, reader.type_name()?])
    })?;
    let span = reader.span_from(start);
    let name = Name::new(&format!("{} AS {}", types[0], types[1]));
    Ok(ObjectReference { name: ObjectName { schema: None, name, span }, arguments: Some(types.into()), on: None, span })
}

/// `FOR type LANGUAGE name`: named by its language, the type is the argument.
pub(super) fn transform(reader: &mut Reader) -> Result<ObjectReference> {
    let start = reader.position();
    reader.expect_word("FOR")?;
    let data_type = reader.type_name()?;
    reader.expect_word("LANGUAGE")?;
    let name = unqualified(reader.ident_as("the name of a language")?);
    Ok(ObjectReference { name, arguments: Some(vec![data_type]), on: None, span: reader.span_from(start) })
}

fn on_table(reader: &mut Reader, kind: ObjectKind) -> Result<ObjectReference> {
    let start = reader.position();
    let name = unqualified(reader.ident_as(&format!("the name of {}", with_article(kind)))?);
    reader.expect_word("ON")?;
    let on = Some(reader.object_name_as("the name of a table")?);
    Ok(ObjectReference { name, arguments: None, on, span: reader.span_from(start) })
}

fn constraint(reader: &mut Reader) -> Result<ObjectReference> {
    let start = reader.position();
    let name = unqualified(reader.ident_as("the name of a constraint")?);
    reader.expect_word("ON")?;
    // A table may be called domain.
    if reader.at_word("DOMAIN") && matches!(reader.peek_nth(1), Token::Word(_)) && !reader.at_nth_word(1, "IS") {
        reader.advance();
    }
    let on = Some(reader.object_name_as("the name of a table or DOMAIN")?);
    Ok(ObjectReference { name, arguments: None, on, span: reader.span_from(start) })
}

/// `table.column`.
fn column(reader: &mut Reader) -> Result<ObjectReference> {
    let start = reader.position();
    let (table, column) = sequence::table_and_column(reader)?;
    let span = reader.span_from(start);
    if table.is_none() {
        return Err(Unreadable::invalid("column name must be qualified".to_string(), span));
    }
    Ok(ObjectReference { name: unqualified(column), arguments: None, on: table, span })
}

fn type_reference(reader: &mut Reader) -> Result<ObjectReference> {
    let found = reader.type_name()?;
    Ok(reference(ObjectName { schema: found.schema, name: found.name, span: found.span }))
}

fn large_object(reader: &mut Reader) -> Result<ObjectReference> {
    let start = reader.position();
    let number = reader.number()?;
    let name = Name::new(&format!("{number:.0}"));
    Ok(reference(unqualified(Ident { name, span: reader.span_from(start) })))
}

/// `FOR role SERVER name`: named by its role, on its server.
pub(super) fn user_mapping(reader: &mut Reader) -> Result<ObjectReference> {
    let start = reader.position();
    reader.expect_word("FOR")?;
    let role = if reader.at_word("USER") { reader.ident_or_any_keyword()? } else { reader.role()? };
    reader.expect_word("SERVER")?;
    let on = Some(unqualified(reader.ident_as("the name of a server")?));
    Ok(ObjectReference { name: unqualified(role), arguments: None, on, span: reader.span_from(start) })
}
