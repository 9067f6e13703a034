//! Schemas, extensions and objects of which only the name is kept; dropping, renaming, commenting and granting.

use std::sync::Arc;

use super::{FiringMode, Ident, Name, ObjectName, RoutineName, TypeName};
use crate::source::Span;

#[derive(Debug, Clone, PartialEq)]
pub struct CreateSchema {
    /// `None` for CREATE SCHEMA AUTHORIZATION role: the role's name is meant.
    pub name: Option<Ident>,
    pub if_not_exists: bool,
    pub authorization: Option<Ident>,
    /// The CREATE and GRANT statements written inside it.
    pub elements: Vec<super::Change>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateExtension {
    pub name: Ident,
    pub if_not_exists: bool,
    pub schema: Option<Ident>,
    pub version: Option<Arc<str>>,
    pub cascade: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterExtension {
    pub name: Ident,
    pub action: AlterExtensionAction,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AlterExtensionAction {
    Update,
    SetSchema(Ident),
    /// ADD or DROP of a member.
    Member {
        kind: ObjectKind,
        object: ObjectReference,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateDatabase {
    pub name: Ident,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateOther {
    pub kind: ObjectKind,
    pub name: Option<ObjectName>,
    pub if_not_exists: bool,
    pub or_replace: bool,
    /// Whether the server refuses it in a transaction block (CREATE TABLESPACE; CREATE SUBSCRIPTION that makes a slot).
    pub forbidden_in_transaction: bool,
}

/// Every kind of object that DROP, COMMENT, ALTER … RENAME or GRANT can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    AccessMethod,
    Aggregate,
    Cast,
    Collation,
    Column,
    Constraint,
    Conversion,
    Database,
    Domain,
    EventTrigger,
    Extension,
    ForeignDataWrapper,
    ForeignTable,
    Function,
    Index,
    Language,
    LargeObject,
    MaterializedView,
    Operator,
    OperatorClass,
    OperatorFamily,
    Parameter,
    Policy,
    Procedure,
    Publication,
    Role,
    Routine,
    Rule,
    Schema,
    Sequence,
    Server,
    Statistics,
    Subscription,
    Table,
    Tablespace,
    TextSearchConfiguration,
    TextSearchDictionary,
    TextSearchParser,
    TextSearchTemplate,
    Transform,
    Trigger,
    Type,
    UserMapping,
    View,
}

impl ObjectKind {
    /// As messages call it.
    pub fn noun(self) -> &'static str {
        match self {
            ObjectKind::AccessMethod => "access method",
            ObjectKind::Aggregate => "aggregate",
            ObjectKind::Cast => "cast",
            ObjectKind::Collation => "collation",
            ObjectKind::Column => "column",
            ObjectKind::Constraint => "constraint",
            ObjectKind::Conversion => "conversion",
            ObjectKind::Database => "database",
            ObjectKind::Domain => "domain",
            ObjectKind::EventTrigger => "event trigger",
            ObjectKind::Extension => "extension",
            ObjectKind::ForeignDataWrapper => "foreign-data wrapper",
            ObjectKind::ForeignTable => "foreign table",
            ObjectKind::Function => "function",
            ObjectKind::Index => "index",
            ObjectKind::Language => "language",
            ObjectKind::LargeObject => "large object",
            ObjectKind::MaterializedView => "materialized view",
            ObjectKind::Operator => "operator",
            ObjectKind::OperatorClass => "operator class",
            ObjectKind::OperatorFamily => "operator family",
            ObjectKind::Parameter => "parameter",
            ObjectKind::Policy => "policy",
            ObjectKind::Procedure => "procedure",
            ObjectKind::Publication => "publication",
            ObjectKind::Role => "role",
            ObjectKind::Routine => "routine",
            ObjectKind::Rule => "rule",
            ObjectKind::Schema => "schema",
            ObjectKind::Sequence => "sequence",
            ObjectKind::Server => "server",
            ObjectKind::Statistics => "statistics object",
            ObjectKind::Subscription => "subscription",
            ObjectKind::Table => "table",
            ObjectKind::Tablespace => "tablespace",
            ObjectKind::TextSearchConfiguration => "text search configuration",
            ObjectKind::TextSearchDictionary => "text search dictionary",
            ObjectKind::TextSearchParser => "text search parser",
            ObjectKind::TextSearchTemplate => "text search template",
            ObjectKind::Transform => "transform",
            ObjectKind::Trigger => "trigger",
            ObjectKind::Type => "type",
            ObjectKind::UserMapping => "user mapping",
            ObjectKind::View => "view",
        }
    }

    pub fn drop_name(self) -> &'static str {
        match self {
            ObjectKind::Table | ObjectKind::ForeignTable => "drop-table",
            ObjectKind::Index => "drop-index",
            ObjectKind::View => "drop-view",
            ObjectKind::MaterializedView => "drop-materialized-view",
            ObjectKind::Sequence => "drop-sequence",
            ObjectKind::Type => "drop-type",
            ObjectKind::Domain => "drop-domain",
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
                "drop-routine"
            }
            ObjectKind::Trigger => "drop-trigger",
            ObjectKind::Rule => "drop-rule",
            ObjectKind::Policy => "drop-policy",
            ObjectKind::Schema => "drop-schema",
            ObjectKind::Extension => "drop-extension",
            ObjectKind::Statistics => "drop-statistics",
            ObjectKind::Publication => "drop-publication",
            ObjectKind::Database => "drop-database",
            _ => "drop-other",
        }
    }
}

/// One object that a statement names.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectReference {
    pub name: ObjectName,
    /// Argument types of a routine or aggregate; `None` when no list was written.
    pub arguments: Option<Vec<TypeName>>,
    /// The table of a trigger, rule, policy, column or constraint; the domain of a domain constraint.
    pub on: Option<ObjectName>,
    pub span: Span,
}

/// DROP of one or more objects of a kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Drop {
    pub kind: ObjectKind,
    pub objects: Vec<ObjectReference>,
    pub if_exists: bool,
    pub cascade: bool,
    pub concurrently: bool,
}

/// ALTER kind name RENAME TO | SET SCHEMA | OWNER TO …, for everything that is not a relation; rename of triggers, rules
/// and policies too.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterObject {
    pub kind: ObjectKind,
    pub object: ObjectReference,
    pub action: AlterObjectAction,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AlterObjectAction {
    Rename(Ident),
    SetSchema(Ident),
    Owner(Ident),
    /// `[NO] DEPENDS ON EXTENSION`.
    DependsOnExtension,
    /// SET STATISTICS, SET OPTIONS, REFRESH and the like: nothing a schema keeps.
    Options,
    /// ENABLE and DISABLE of an event trigger.
    Fires(FiringMode),
    /// What sessions of a database, or of a role, start with; no parameter is RESET ALL, no value RESET.
    Setting {
        parameter: Option<Arc<str>>,
        value: Option<Arc<str>>,
    },
    /// Options that a transaction block refuses (ALTER DATABASE SET TABLESPACE, ALTER SYSTEM, some ALTER SUBSCRIPTION).
    OptionsOutsideTransaction,
    /// ALTER TABLE | INDEX | MATERIALIZED VIEW ALL IN TABLESPACE: every relation of the kind that is in the tablespace
    /// `object` is copied to this one.
    MoveAll {
        tablespace: Ident,
        nowait: bool,
    },
}

impl AlterObjectAction {
    pub fn name(&self) -> &'static str {
        match self {
            AlterObjectAction::Rename(_) => "rename-object",
            AlterObjectAction::SetSchema(_) => "set-schema",
            AlterObjectAction::Owner(_) => "set-owner",
            AlterObjectAction::Options
            | AlterObjectAction::Fires(_)
            | AlterObjectAction::Setting { .. }
            | AlterObjectAction::DependsOnExtension
            | AlterObjectAction::OptionsOutsideTransaction => "alter-object",
            AlterObjectAction::MoveAll { .. } => "set-tablespace",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    pub kind: ObjectKind,
    pub object: ObjectReference,
    /// The column of COMMENT ON COLUMN.
    pub column: Option<Ident>,
    /// `None` for IS NULL.
    pub text: Option<Arc<str>>,
}

/// GRANT and REVOKE.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    pub revoke: bool,
    /// Lower case; empty for ALL, and for the membership form.
    pub privileges: Vec<(Name, Vec<Ident>)>,
    pub objects: GrantObjects,
    /// REVOKE GRANT OPTION FOR, ADMIN OPTION FOR …: the privilege or membership itself stays.
    pub option_only: bool,
    /// GRANT … WITH GRANT OPTION.
    pub with_option: bool,
    /// `public` is PUBLIC.
    pub grantees: Vec<Ident>,
    pub cascade: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum GrantObjects {
    Named {
        kind: ObjectKind,
        objects: Vec<ObjectReference>,
    },
    AllInSchema {
        kind: ObjectKind,
        schemas: Vec<Ident>,
    },
    /// ALTER DEFAULT PRIVILEGES … ON kind.
    Future {
        kind: ObjectKind,
        schemas: Vec<Ident>,
    },
    /// GRANT role TO role.
    Membership(Vec<Ident>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Owned {
    /// DROP OWNED rather than REASSIGN OWNED.
    pub drop: bool,
    pub roles: Vec<Ident>,
    pub new_owner: Option<Ident>,
    pub cascade: bool,
    pub span: Span,
}

/// A routine of ALTER or DROP, seen as an object.
impl From<RoutineName> for ObjectReference {
    fn from(routine: RoutineName) -> ObjectReference {
        ObjectReference { span: routine.name.span, name: routine.name, arguments: routine.arguments, on: None }
    }
}
