//! Event triggers, and the commands that fire them.

use std::sync::Arc;

use super::{Change, GrantObjects, Ident, Name, ObjectKind, ObjectName, RelationKeyword};
use crate::version::PgVersion;

/// CREATE EVENT TRIGGER.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateEventTrigger {
    pub name: Ident,
    /// As written: which events there are is a question of the version.
    pub event: Ident,
    /// WHEN TAG IN (…), in upper case; empty for every command.
    pub tags: Vec<Arc<str>>,
    pub function: ObjectName,
}

/// What an event trigger fires on (manual, chapter 38).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// 17+.
    Login,
    CommandStart,
    CommandEnd,
    SqlDrop,
    TableRewrite,
}

impl Event {
    pub fn of(name: &Name, version: PgVersion) -> Option<Event> {
        Some(match name.as_str() {
            "login" if version.major() >= 17 => Event::Login,
            "ddl_command_start" => Event::CommandStart,
            "ddl_command_end" => Event::CommandEnd,
            "sql_drop" => Event::SqlDrop,
            "table_rewrite" => Event::TableRewrite,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Event::Login => "login",
            Event::CommandStart => "ddl_command_start",
            Event::CommandEnd => "ddl_command_end",
            Event::SqlDrop => "sql_drop",
            Event::TableRewrite => "table_rewrite",
        }
    }
}

impl Change {
    /// The command tag that event triggers see; `None` for what fires none (cmdtaglist.h, and `ProcessUtilitySlow` of utility.c: rows,
    /// transactions, settings, and objects of the whole server).
    #[deny(clippy::wildcard_enum_match_arm, reason = "a new form says whether event triggers fire for it")]
    pub fn event_tag(&self, version: PgVersion) -> Option<String> {
        let tag = |words: &str| Some(words.to_owned());
        match self {
            Change::CreateTable(create) if create.foreign_server.is_some() => tag("CREATE FOREIGN TABLE"),
            Change::CreateTable(_) => tag("CREATE TABLE"),
            Change::CreateTableAs(_) => tag("CREATE TABLE AS"),
            Change::AlterTable(alter) => Some(format!("ALTER {}", relation_word(alter.object))),
            Change::CreateIndex(_) => tag("CREATE INDEX"),
            Change::Reindex(_) => (version.major() >= 17).then(|| "REINDEX".to_owned()),
            Change::CreateStatistics(_) => tag("CREATE STATISTICS"),
            Change::CreateView(_) => tag("CREATE VIEW"),
            Change::CreateMaterializedView(_) => tag("CREATE MATERIALIZED VIEW"),
            Change::RefreshMaterializedView(_) => tag("REFRESH MATERIALIZED VIEW"),
            Change::CreateSequence(_) => tag("CREATE SEQUENCE"),
            Change::AlterSequence(_) => tag("ALTER SEQUENCE"),
            Change::CreateType(_) => tag("CREATE TYPE"),
            Change::AlterEnum(_) | Change::AlterCompositeType(_) => tag("ALTER TYPE"),
            Change::CreateDomain(_) => tag("CREATE DOMAIN"),
            Change::AlterDomain(_) => tag("ALTER DOMAIN"),
            Change::CreateRoutine(create) if create.procedure => tag("CREATE PROCEDURE"),
            Change::CreateRoutine(_) => tag("CREATE FUNCTION"),
            Change::AlterRoutine(_) => tag("ALTER FUNCTION"),
            Change::CreateTrigger(_) => tag("CREATE TRIGGER"),
            Change::CreateRule(_) => tag("CREATE RULE"),
            Change::CreatePolicy(_) => tag("CREATE POLICY"),
            Change::AlterPolicy(_) => tag("ALTER POLICY"),
            Change::CreateSchema(_) => tag("CREATE SCHEMA"),
            Change::CreateExtension(_) => tag("CREATE EXTENSION"),
            Change::AlterExtension(_) => tag("ALTER EXTENSION"),
            Change::CreatePublication(_) => tag("CREATE PUBLICATION"),
            Change::AlterPublication(_) => tag("ALTER PUBLICATION"),
            Change::CreateOther(create) => of_kind("CREATE", create.kind),
            Change::Drop(drop) => of_kind("DROP", drop.kind),
            Change::AlterObject(alter) => of_kind("ALTER", alter.kind),
            Change::Comment(comment) => of_kind("COMMENT ON", comment.kind).and_then(|_| tag("COMMENT")),
            Change::AlterDefaultPrivileges(_) => tag("ALTER DEFAULT PRIVILEGES"),
            Change::Grant(grant) => match &grant.objects {
                GrantObjects::Named { kind, .. }
                | GrantObjects::AllInSchema { kind, .. }
                | GrantObjects::Future { kind, .. } => {
                    let word = if grant.revoke { "REVOKE" } else { "GRANT" };
                    of_kind(word, *kind).and_then(|_| tag(word))
                }
                GrantObjects::Membership(_) => None,
            },
            Change::Owned(owned) => tag(if owned.drop { "DROP OWNED" } else { "REASSIGN OWNED" }),
            Change::CreateEventTrigger(_)
            | Change::CreateDatabase(_)
            | Change::Truncate(_)
            | Change::LockTable(_)
            | Change::Cluster(_)
            | Change::Vacuum(_)
            | Change::Analyze(_)
            | Change::Insert(_)
            | Change::Update(_)
            | Change::Delete(_)
            | Change::Merge(_)
            | Change::Select(_)
            | Change::Copy(_)
            | Change::Explain { .. }
            | Change::Do(_)
            | Change::Call(_)
            | Change::Transaction(_)
            | Change::Set(_)
            | Change::Reset(_)
            | Change::Prepare { .. }
            | Change::Execute(_)
            | Change::Deallocate(_)
            | Change::DeclareCursor { .. }
            | Change::Nothing(_) => None,
        }
    }
}

/// Objects of the whole server fire no event trigger of a database, and neither do event triggers.
fn of_kind(command: &str, kind: ObjectKind) -> Option<String> {
    let fires = !matches!(
        kind,
        ObjectKind::Database
            | ObjectKind::Role
            | ObjectKind::Tablespace
            | ObjectKind::Parameter
            | ObjectKind::EventTrigger
    );
    fires.then(|| format!("{command} {}", kind.noun().to_uppercase()))
}

fn relation_word(keyword: RelationKeyword) -> &'static str {
    match keyword {
        RelationKeyword::Table => "TABLE",
        RelationKeyword::ForeignTable => "FOREIGN TABLE",
        RelationKeyword::View => "VIEW",
        RelationKeyword::MaterializedView => "MATERIALIZED VIEW",
        RelationKeyword::Index => "INDEX",
        RelationKeyword::Sequence => "SEQUENCE",
    }
}
