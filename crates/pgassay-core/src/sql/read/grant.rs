//! GRANT and REVOKE of privileges and memberships, ALTER DEFAULT PRIVILEGES.

use sqlparser::tokenizer::Token;

use super::ddl::{reference, unqualified};
use super::reader::{Reader, Result};
use super::reference;
use crate::change::{Change, Grant, GrantObjects, Ident, Name, ObjectKind, ObjectReference};

pub(super) fn grant(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("GRANT")?;
    let privileges = privileges(reader)?;
    if reader.at_word("TO") {
        return grant_membership(reader, privileges);
    }
    let objects = on_objects(reader)?;
    reader.expect_word("TO")?;
    let grantees = grantees(reader)?;
    let with_option = reader.take_words(&["WITH", "GRANT", "OPTION"]);
    granted_by(reader)?;
    let privileges = listed(privileges);
    let grant = Grant { revoke: false, privileges, objects, option_only: false, with_option, grantees, cascade: false };
    Ok(Change::Grant(grant))
}

pub(super) fn revoke(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("REVOKE")?;
    let option_only = option_for(reader)?;
    let privileges = privileges(reader)?;
    let membership = reader.at_word("FROM");
    let (privileges, objects) = if membership {
        (Vec::new(), GrantObjects::Membership(roles(reader, privileges)?))
    } else {
        (listed(privileges), on_objects(reader)?)
    };
    reader.expect_word("FROM")?;
    let grantees = grantees(reader)?;
    granted_by(reader)?;
    let cascade = reader.cascade();
    Ok(Change::Grant(Grant { revoke: true, privileges, objects, option_only, with_option: false, grantees, cascade }))
}

/// `GRANT OPTION FOR`, `ADMIN OPTION FOR` and the like.
fn option_for(reader: &mut Reader) -> Result<bool> {
    if !reader.at_nth_word(1, "OPTION") || !reader.at_nth_word(2, "FOR") {
        return Ok(false);
    }
    reader.ident_or_any_keyword()?;
    reader.expect_words(&["OPTION", "FOR"])?;
    Ok(true)
}

/// A privilege or, in the other form of GRANT, a role.
struct Privilege {
    ident: Ident,
    columns: Vec<Ident>,
}

/// A list, or `None` for ALL without columns.
fn privileges(reader: &mut Reader) -> Result<Option<Vec<Privilege>>> {
    if reader.at_word("ALL") {
        let ident = reader.ident_or_any_keyword()?;
        reader.take_word("PRIVILEGES");
        if !reader.at(&Token::LParen) {
            return Ok(None);
        }
        return Ok(Some(vec![Privilege { ident, columns: reader.parenthesized_idents()? }]));
    }
    reader.comma_separated(privilege).map(Some)
}

fn privilege(reader: &mut Reader) -> Result<Privilege> {
    let start = reader.position();
    if reader.take_words(&["ALTER", "SYSTEM"]) {
        let ident = Ident { name: Name::new("alter system"), span: reader.span_from(start) };
        return Ok(Privilege { ident, columns: Vec::new() });
    }
    let ident = if reader.at_any_word(&["SELECT", "REFERENCES", "CREATE"]) {
        reader.ident_or_any_keyword()?
    } else {
        reader.role().map_err(|_| reader.error("a privilege or a role"))?
    };
    let columns = if reader.at(&Token::LParen) { reader.parenthesized_idents()? } else { Vec::new() };
    Ok(Privilege { ident, columns })
}

fn listed(privileges: Option<Vec<Privilege>>) -> Vec<(Name, Vec<Ident>)> {
    let privileges = privileges.into_iter().flatten();
    privileges.map(|privilege| (privilege.ident.name, privilege.columns)).collect()
}

fn roles(reader: &Reader, privileges: Option<Vec<Privilege>>) -> Result<Vec<Ident>> {
    let Some(privileges) = privileges else { return Err(reader.error("ON")) };
    if privileges.iter().any(|privilege| !privilege.columns.is_empty()) {
        return Err(reader.error("ON"));
    }
    Ok(privileges.into_iter().map(|privilege| privilege.ident).collect())
}

fn grant_membership(reader: &mut Reader, privileges: Option<Vec<Privilege>>) -> Result<Change> {
    let objects = GrantObjects::Membership(roles(reader, privileges)?);
    reader.expect_word("TO")?;
    let grantees = grantees(reader)?;
    if reader.take_word("WITH") {
        reader.comma_separated(|reader| {
            let option = reader.ident_or_any_keyword()?;
            if !reader.take_word("OPTION") {
                reader.setting_value()?;
            }
            Ok(option)
        })?;
    }
    granted_by(reader)?;
    let privileges = Vec::new();
    Ok(Change::Grant(Grant {
        revoke: false,
        privileges,
        objects,
        option_only: false,
        with_option: false,
        grantees,
        cascade: false,
    }))
}

fn grantees(reader: &mut Reader) -> Result<Vec<Ident>> {
    reader.comma_separated(|reader| {
        reader.take_word("GROUP");
        reader.role()
    })
}

fn granted_by(reader: &mut Reader) -> Result<()> {
    if reader.take_words(&["GRANTED", "BY"]) {
        reader.role()?;
    }
    Ok(())
}

#[rustfmt::skip]
const KINDS: &[(&[&str], ObjectKind)] = &[
    (&["TABLE"], ObjectKind::Table),
    (&["SEQUENCE"], ObjectKind::Sequence),
    (&["FOREIGN", "DATA", "WRAPPER"], ObjectKind::ForeignDataWrapper),
    (&["FOREIGN", "SERVER"], ObjectKind::Server),
    (&["FUNCTION"], ObjectKind::Function),
    (&["PROCEDURE"], ObjectKind::Procedure),
    (&["ROUTINE"], ObjectKind::Routine),
    (&["DATABASE"], ObjectKind::Database),
    (&["DOMAIN"], ObjectKind::Domain),
    (&["LANGUAGE"], ObjectKind::Language),
    (&["LARGE", "OBJECT"], ObjectKind::LargeObject),
    (&["PARAMETER"], ObjectKind::Parameter),
    (&["SCHEMA"], ObjectKind::Schema),
    (&["TABLESPACE"], ObjectKind::Tablespace),
    (&["TYPE"], ObjectKind::Type),
];

/// The kinds in the plural, as ALL … IN SCHEMA and default privileges name them.
#[rustfmt::skip]
const PLURALS: &[(&[&str], ObjectKind)] = &[
    (&["TABLES"], ObjectKind::Table),
    (&["SEQUENCES"], ObjectKind::Sequence),
    (&["FUNCTIONS"], ObjectKind::Function),
    (&["PROCEDURES"], ObjectKind::Procedure),
    (&["ROUTINES"], ObjectKind::Routine),
    (&["TYPES"], ObjectKind::Type),
    (&["SCHEMAS"], ObjectKind::Schema),
    (&["LARGE", "OBJECTS"], ObjectKind::LargeObject),
];

fn on_objects(reader: &mut Reader) -> Result<GrantObjects> {
    reader.expect_word("ON")?;
    if reader.take_word("ALL") {
        return all_in_schema(reader);
    }
    // A table may be called type, schema or language: then no name follows the word.
    let kind = KINDS.iter().find(|(words, _)| {
        reader.at_words(words)
            && (matches!(reader.peek_nth(words.len()), Token::Number(..) | Token::Word(_)))
            && !reader.at_nth_word(words.len(), "TO")
            && !reader.at_nth_word(words.len(), "FROM")
    });
    let kind = match kind {
        Some((words, kind)) => {
            reader.take_words(words);
            *kind
        }
        None => ObjectKind::Table,
    };
    let objects = reader.comma_separated(|reader| object(reader, kind))?;
    Ok(GrantObjects::Named { kind, objects })
}

fn object(reader: &mut Reader, kind: ObjectKind) -> Result<ObjectReference> {
    match kind {
        ObjectKind::Parameter => {
            let span = reader.span();
            let name = super::setting::parameter(reader)?;
            Ok(reference(unqualified(Ident { name: name.as_ref().into(), span })))
        }
        ObjectKind::Type | ObjectKind::Domain => Ok(reference(reader.object_name_as("the name of a type")?)),
        _ => reference::object(reader, kind),
    }
}

fn all_in_schema(reader: &mut Reader) -> Result<GrantObjects> {
    let kind = PLURALS[..5].iter().find(|(words, _)| reader.take_words(words));
    let Some((_, kind)) = kind else {
        return Err(reader.error("TABLES, SEQUENCES, FUNCTIONS, PROCEDURES or ROUTINES"));
    };
    reader.expect_words(&["IN", "SCHEMA"])?;
    Ok(GrantObjects::AllInSchema { kind: *kind, schemas: schemas(reader)? })
}

fn schemas(reader: &mut Reader) -> Result<Vec<Ident>> {
    reader.comma_separated(|reader| reader.ident_as("the name of a schema"))
}

pub(super) fn alter_default_privileges(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["ALTER", "DEFAULT", "PRIVILEGES"])?;
    let mut in_schemas = Vec::new();
    loop {
        if reader.take_words(&["IN", "SCHEMA"]) {
            in_schemas = schemas(reader)?;
        } else if reader.take_words(&["FOR", "ROLE"]) || reader.take_words(&["FOR", "USER"]) {
            reader.roles()?;
        } else {
            break;
        }
    }
    let revoke = match reader.take_any_word(&["GRANT", "REVOKE"]) {
        Some(word) => word == "REVOKE",
        None => return Err(reader.error("GRANT, REVOKE, IN SCHEMA or FOR ROLE")),
    };
    let option_only = revoke && option_for(reader)?;
    let privileges = listed(privileges(reader)?);
    reader.expect_word("ON")?;
    let Some((_, kind)) = PLURALS.iter().find(|(words, _)| reader.take_words(words)) else {
        return Err(reader.error("TABLES, SEQUENCES, FUNCTIONS, TYPES, SCHEMAS or LARGE OBJECTS"));
    };
    let objects = GrantObjects::Future { kind: *kind, schemas: in_schemas };
    reader.expect_word(if revoke { "FROM" } else { "TO" })?;
    let grantees = grantees(reader)?;
    let cascade = if revoke {
        reader.cascade()
    } else {
        reader.take_words(&["WITH", "GRANT", "OPTION"]);
        false
    };
    Ok(Change::AlterDefaultPrivileges(Grant {
        revoke,
        privileges,
        objects,
        option_only,
        with_option: false,
        grantees,
        cascade,
    }))
}
