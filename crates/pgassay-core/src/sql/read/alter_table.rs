//! ALTER TABLE, and ALTER of the other relations, which share its actions.

use sqlparser::tokenizer::Token;

use super::ddl::{reference, unqualified};
use super::reader::{Reader, Result};
use super::{alter_column, column, constraint, partition, sequence};
use crate::change::AlterTableActionKind::*;
use crate::change::{
    AlterObject, AlterObjectAction, AlterTable, AlterTableAction, AlterTableActionKind, Change, FiringMode, ObjectKind,
    RelationKeyword, TriggerSelection,
};

pub(super) fn alter_table(reader: &mut Reader) -> Result<Change> {
    alter(reader, &["ALTER", "TABLE"], RelationKeyword::Table)
}

pub(super) fn alter_foreign_table(reader: &mut Reader) -> Result<Change> {
    alter(reader, &["ALTER", "FOREIGN", "TABLE"], RelationKeyword::ForeignTable)
}

pub(super) fn alter_view(reader: &mut Reader) -> Result<Change> {
    alter(reader, &["ALTER", "VIEW"], RelationKeyword::View)
}

pub(super) fn alter_materialized_view(reader: &mut Reader) -> Result<Change> {
    alter(reader, &["ALTER", "MATERIALIZED", "VIEW"], RelationKeyword::MaterializedView)
}

pub(super) fn alter_index(reader: &mut Reader) -> Result<Change> {
    alter(reader, &["ALTER", "INDEX"], RelationKeyword::Index)
}

/// Its own options make an AlterSequence, the rest it shares with tables.
pub(super) fn alter_sequence(reader: &mut Reader) -> Result<Change> {
    match sequence::alter_options(reader)? {
        Some(change) => Ok(change),
        None => alter(reader, &["ALTER", "SEQUENCE"], RelationKeyword::Sequence),
    }
}

fn alter(reader: &mut Reader, words: &[&str], object: RelationKeyword) -> Result<Change> {
    use RelationKeyword::{ForeignTable, Index, MaterializedView, Table};
    let start = reader.position();
    reader.expect_words(words)?;
    if matches!(object, Table | Index | MaterializedView) && reader.take_words(&["ALL", "IN", "TABLESPACE"]) {
        return move_all(reader, start, object);
    }
    let if_exists = reader.if_exists();
    let (relation, only) = match object {
        Table | ForeignTable => reader.relation()?,
        _ => (reader.object_name_as("a name")?, false),
    };
    let actions = match single_action(reader, object)? {
        Some(action) => vec![action],
        None => actions(reader, object)?,
    };
    Ok(Change::AlterTable(AlterTable { object, relation, if_exists, only, actions }))
}

/// `ALL IN TABLESPACE name [OWNED BY roles] SET TABLESPACE name [NOWAIT]`.
fn move_all(reader: &mut Reader, start: usize, object: RelationKeyword) -> Result<Change> {
    let kind = match object {
        RelationKeyword::Index => ObjectKind::Index,
        RelationKeyword::MaterializedView => ObjectKind::MaterializedView,
        _ => ObjectKind::Table,
    };
    let from = reference(unqualified(reader.ident()?));
    if reader.take_words(&["OWNED", "BY"]) {
        reader.roles()?;
    }
    reader.expect_words(&["SET", "TABLESPACE"])?;
    let tablespace = reader.ident()?;
    let nowait = reader.take_word("NOWAIT");
    let action = AlterObjectAction::MoveAll { tablespace, nowait };
    Ok(Change::AlterObject(AlterObject { kind, object: from, action, span: reader.span_from(start) }))
}

/// The actions that stand alone in their statement: PostgreSQL takes no comma behind them.
fn single_action(reader: &mut Reader, object: RelationKeyword) -> Result<Option<AlterTableAction>> {
    let start = reader.position();
    let kind = if reader.take_word("RENAME") {
        rename(reader, object)?
    } else if reader.take_words(&["SET", "SCHEMA"]) {
        SetSchema { schema: reader.ident()? }
    } else if reader.take_words(&["DEPENDS", "ON", "EXTENSION"]) {
        DependsOnExtension { extension: reader.ident()?, no: false }
    } else if reader.take_words(&["NO", "DEPENDS", "ON", "EXTENSION"]) {
        DependsOnExtension { extension: reader.ident()?, no: true }
    } else if reader.take_words(&["ATTACH", "PARTITION"]) {
        let partition = reader.object_name_as("the name of a partition")?;
        match object {
            RelationKeyword::Index => AttachIndexPartition { index: partition },
            _ => AttachPartition { partition, bound: partition::bound(reader)? },
        }
    } else if object != RelationKeyword::Index && reader.take_words(&["DETACH", "PARTITION"]) {
        let partition = reader.object_name_as("the name of a partition")?;
        let mode = reader.take_any_word(&["CONCURRENTLY", "FINALIZE"]);
        DetachPartition { partition, concurrently: mode == Some("CONCURRENTLY"), finalize: mode == Some("FINALIZE") }
    } else {
        return Ok(None);
    };
    Ok(Some(AlterTableAction { kind, span: reader.span_from(start) }))
}

fn rename(reader: &mut Reader, object: RelationKeyword) -> Result<AlterTableActionKind> {
    let columns = !matches!(object, RelationKeyword::Index | RelationKeyword::Sequence);
    if reader.take_word("TO") {
        return Ok(RenameRelation { new_name: reader.ident()? });
    }
    if object == RelationKeyword::Table && reader.take_word("CONSTRAINT") {
        let constraint = reader.ident()?;
        reader.expect_word("TO")?;
        return Ok(RenameConstraint { constraint, new_name: reader.ident()? });
    }
    if !columns {
        return Err(reader.error("TO"));
    }
    let what = if reader.take_word("COLUMN") { "a column name" } else { "TO, COLUMN, CONSTRAINT or a column name" };
    let column = reader.ident_as(what)?;
    reader.expect_word("TO")?;
    Ok(RenameColumn { column, new_name: reader.ident()? })
}

fn actions(reader: &mut Reader, object: RelationKeyword) -> Result<Vec<AlterTableAction>> {
    let mut actions = Vec::new();
    loop {
        action(reader, object, &mut actions)?;
        if !reader.take(&Token::Comma) {
            return Ok(actions);
        }
    }
}

/// Reads one action; the inline constraints of ADD COLUMN follow it as actions of their own.
fn action(reader: &mut Reader, object: RelationKeyword, actions: &mut Vec<AlterTableAction>) -> Result<()> {
    const WORDS: &[&str] = &[
        "ADD", "DROP", "ALTER", "SET", "RESET", "ENABLE", "DISABLE", "FORCE", "NO", "INHERIT", "OF", "NOT", "OWNER",
        "REPLICA", "CLUSTER", "VALIDATE", "OPTIONS",
    ];
    let start = reader.position();
    let kind = match reader.take_any_word(WORDS) {
        Some("ADD") => return add(reader, start, actions),
        Some("DROP") => drop(reader)?,
        Some("ALTER") => alter_column::alter_column_or_constraint(reader)?,
        Some("SET") => set(reader)?,
        Some("RESET") => ResetOptions { options: reader.storage_options()? },
        Some("ENABLE") => enable(reader)?,
        Some("DISABLE") => disable(reader)?,
        Some("FORCE") => row_level_security(reader, ForceRowSecurity { forced: true })?,
        Some("NO") if reader.take_word("FORCE") => row_level_security(reader, ForceRowSecurity { forced: false })?,
        Some("NO") if reader.take_word("INHERIT") => NoInherit { parent: reader.object_name_as("a table")? },
        Some("NO") => return Err(reader.error("INHERIT or FORCE ROW LEVEL SECURITY")),
        Some("INHERIT") => Inherit { parent: reader.object_name_as("a table")? },
        Some("OF") => OfType { type_name: reader.object_name_as("a type")? },
        Some("NOT") => reader.expect_word("OF").map(|()| NotOf)?,
        Some("OWNER") => {
            reader.expect_word("TO")?;
            OwnerTo { owner: reader.role()? }
        }
        Some("REPLICA") => replica_identity(reader)?,
        Some("CLUSTER") => {
            reader.expect_word("ON")?;
            ClusterOn { index: reader.ident()? }
        }
        Some("VALIDATE") => {
            reader.expect_word("CONSTRAINT")?;
            ValidateConstraint { constraint: reader.ident()? }
        }
        Some(_) => {
            reader.restore(start);
            reader.alter_generic_options()?;
            SetForeignOptions { column: None }
        }
        None => return Err(reader.error(expected_action(object))),
    };
    actions.push(AlterTableAction { kind, span: reader.span_from(start) });
    Ok(())
}

fn expected_action(object: RelationKeyword) -> &'static str {
    match object {
        RelationKeyword::Table | RelationKeyword::ForeignTable => {
            "an action of ALTER TABLE, such as ADD, ALTER or DROP"
        }
        RelationKeyword::View => "an action of ALTER VIEW, such as RENAME TO or SET",
        RelationKeyword::MaterializedView => "an action of ALTER MATERIALIZED VIEW, such as RENAME TO or SET",
        RelationKeyword::Index => "an action of ALTER INDEX, such as RENAME TO or SET",
        RelationKeyword::Sequence => "an action of ALTER SEQUENCE, such as OWNED BY or RENAME TO",
    }
}

fn add(reader: &mut Reader, start: usize, actions: &mut Vec<AlterTableAction>) -> Result<()> {
    if constraint::at_table_constraint(reader) {
        let kind = AddConstraint(constraint::table_constraint(reader)?);
        actions.push(AlterTableAction { kind, span: reader.span_from(start) });
        return Ok(());
    }
    reader.take_word("COLUMN");
    let if_not_exists = reader.if_not_exists();
    let column = column::column(reader)?;
    let kind = AddColumn { column: column.definition, if_not_exists };
    actions.push(AlterTableAction { kind, span: reader.span_from(start) });
    for constraint in column.constraints {
        let span = constraint.span;
        actions.push(AlterTableAction { kind: AddConstraint(constraint), span });
    }
    Ok(())
}

fn drop(reader: &mut Reader) -> Result<AlterTableActionKind> {
    if reader.take_word("CONSTRAINT") {
        let if_exists = reader.if_exists();
        let constraint = reader.ident_as("the name of a constraint")?;
        return Ok(DropConstraint { constraint, if_exists, cascade: reader.cascade() });
    }
    reader.take_word("COLUMN");
    let if_exists = reader.if_exists();
    let column = reader.ident_as("a column name")?;
    Ok(DropColumn { column, if_exists, cascade: reader.cascade() })
}

fn set(reader: &mut Reader) -> Result<AlterTableActionKind> {
    if reader.at(&Token::LParen) {
        return Ok(SetOptions { options: reader.storage_options()? });
    }
    match reader.take_any_word(&["LOGGED", "UNLOGGED", "WITHOUT", "TABLESPACE", "ACCESS"]) {
        Some("LOGGED") => Ok(SetLogged),
        Some("UNLOGGED") => Ok(SetUnlogged),
        Some("WITHOUT") => match reader.take_any_word(&["CLUSTER", "OIDS"]) {
            Some("CLUSTER") => Ok(SetWithoutCluster),
            Some(_) => Ok(SetWithoutOids),
            None => Err(reader.error("CLUSTER or OIDS")),
        },
        Some("TABLESPACE") => Ok(SetTablespace { tablespace: reader.ident()?, nowait: false }),
        Some(_) => {
            reader.expect_word("METHOD")?;
            let method = if reader.take_word("DEFAULT") { None } else { Some(reader.ident()?) };
            Ok(SetAccessMethod { method })
        }
        None => Err(reader.error("'(', LOGGED, UNLOGGED, SCHEMA, TABLESPACE, ACCESS METHOD or WITHOUT")),
    }
}

fn enable(reader: &mut Reader) -> Result<AlterTableActionKind> {
    let mode = match reader.take_any_word(&["ALWAYS", "REPLICA"]) {
        Some("ALWAYS") => FiringMode::Always,
        Some(_) => FiringMode::Replica,
        None if reader.at_word("ROW") => return row_level_security(reader, SetRowSecurity { enabled: true }),
        None => FiringMode::Enabled,
    };
    trigger_or_rule(reader, mode)
}

fn disable(reader: &mut Reader) -> Result<AlterTableActionKind> {
    if reader.at_word("ROW") {
        return row_level_security(reader, SetRowSecurity { enabled: false });
    }
    trigger_or_rule(reader, FiringMode::Disabled)
}

fn trigger_or_rule(reader: &mut Reader, mode: FiringMode) -> Result<AlterTableActionKind> {
    if reader.take_word("RULE") {
        return Ok(SetRule { rule: reader.ident()?, mode });
    }
    if !reader.take_word("TRIGGER") {
        let plain = matches!(mode, FiringMode::Enabled | FiringMode::Disabled);
        return Err(reader.error(if plain { "TRIGGER, RULE or ROW LEVEL SECURITY" } else { "TRIGGER or RULE" }));
    }
    let groups = matches!(mode, FiringMode::Enabled | FiringMode::Disabled);
    let trigger = match reader.take_any_word(if groups { &["ALL", "USER"] } else { &[] }) {
        Some("ALL") => TriggerSelection::All,
        Some(_) => TriggerSelection::User,
        None => TriggerSelection::Named(reader.ident()?),
    };
    Ok(SetTrigger { trigger, mode })
}

fn row_level_security(reader: &mut Reader, kind: AlterTableActionKind) -> Result<AlterTableActionKind> {
    reader.expect_words(&["ROW", "LEVEL", "SECURITY"])?;
    Ok(kind)
}

fn replica_identity(reader: &mut Reader) -> Result<AlterTableActionKind> {
    reader.expect_word("IDENTITY")?;
    let identity = match reader.take_any_word(&["DEFAULT", "FULL", "NOTHING", "USING"]) {
        Some("DEFAULT") => crate::change::ReplicaIdentity::Default,
        Some("FULL") => crate::change::ReplicaIdentity::Full,
        Some("NOTHING") => crate::change::ReplicaIdentity::Nothing,
        Some(_) => {
            reader.expect_word("INDEX")?;
            crate::change::ReplicaIdentity::UsingIndex(reader.ident()?)
        }
        None => return Err(reader.error("DEFAULT, FULL, NOTHING or USING INDEX")),
    };
    Ok(AlterTableActionKind::ReplicaIdentity(identity))
}
