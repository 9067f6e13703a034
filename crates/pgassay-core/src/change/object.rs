//! Objects other than tables: indexes, views, sequences, types, schemas, extensions, publications; dropping, renaming,
//! commenting and granting.

use std::sync::Arc;

use super::{
    Constraint, Expression, Ident, IndexElement, Name, ObjectName, PartitionKey, Persistence, Query, RoutineName,
    StorageOption, TypeName,
};
use crate::source::Span;

#[derive(Debug, Clone, PartialEq)]
pub struct CreateIndex {
    /// As written; PostgreSQL makes one up otherwise. An index is in its table's schema.
    pub name: Option<Ident>,
    pub table: ObjectName,
    pub only: bool,
    pub unique: bool,
    pub concurrently: bool,
    pub if_not_exists: bool,
    /// `btree` when left out.
    pub method: Name,
    pub elements: Vec<IndexElement>,
    pub include: Vec<Ident>,
    pub nulls_not_distinct: bool,
    pub predicate: Option<Expression>,
    pub storage: Vec<StorageOption>,
    pub tablespace: Option<Ident>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Reindex {
    pub target: ReindexTarget,
    pub concurrently: bool,
    pub tablespace: Option<Ident>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ReindexTarget {
    Index(ObjectName),
    Table(ObjectName),
    Schema(Ident),
    /// Without a name (16+), the current one.
    Database(Option<Ident>),
    System(Option<Ident>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// `None`: every table that was clustered before.
    pub table: Option<ObjectName>,
    pub index: Option<Ident>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Vacuum {
    pub full: bool,
    pub analyze: bool,
    /// Empty: every table of the database.
    pub tables: Vec<ObjectName>,
    /// 18+: `ONLY` written on the table at the same place.
    pub only: Vec<bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Analyze {
    pub tables: Vec<ObjectName>,
    pub only: Vec<bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateStatistics {
    pub name: Option<ObjectName>,
    pub if_not_exists: bool,
    pub kinds: Vec<Name>,
    pub elements: Vec<IndexElement>,
    pub table: Option<ObjectName>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateView {
    pub name: ObjectName,
    pub or_replace: bool,
    pub recursive: bool,
    pub temporary: bool,
    pub columns: Vec<Ident>,
    pub query: Query,
    pub options: Vec<StorageOption>,
    pub check_option: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateMaterializedView {
    pub name: ObjectName,
    pub if_not_exists: bool,
    pub columns: Vec<Ident>,
    pub query: Query,
    pub with_no_data: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RefreshMaterializedView {
    pub name: ObjectName,
    pub concurrently: bool,
    pub with_no_data: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateSequence {
    pub name: ObjectName,
    pub if_not_exists: bool,
    pub persistence: Persistence,
    pub options: SequenceOptions,
}

/// ALTER SEQUENCE with its own options; its renames and owners are [`super::AlterTable`].
#[derive(Debug, Clone, PartialEq)]
pub struct AlterSequence {
    pub name: ObjectName,
    pub if_exists: bool,
    pub options: SequenceOptions,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct SequenceOptions {
    pub data_type: Option<TypeName>,
    pub increment: Option<i64>,
    pub min_value: Option<i64>,
    pub max_value: Option<i64>,
    pub start: Option<i64>,
    /// RESTART, with or without a number.
    pub restart: Option<Option<i64>>,
    pub cache: Option<i64>,
    pub cycle: Option<bool>,
    pub owned_by: Option<SequenceOwner>,
    /// SEQUENCE NAME of an identity column.
    pub name: Option<ObjectName>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SequenceOwner {
    None,
    Column { table: ObjectName, column: Ident },
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateType {
    pub name: ObjectName,
    pub definition: TypeDefinition,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TypeDefinition {
    Enum(Vec<(Arc<str>, Span)>),
    Composite(Vec<(Ident, TypeName)>),
    Range {
        subtype: Option<TypeName>,
        multirange: Option<Name>,
    },
    /// With input and output functions.
    Base,
    Shell,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterEnum {
    pub name: ObjectName,
    pub action: AlterEnumAction,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AlterEnumAction {
    AddValue { value: Arc<str>, if_not_exists: bool, neighbour: Option<(Arc<str>, EnumPosition)> },
    RenameValue { from: Arc<str>, to: Arc<str> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnumPosition {
    Before,
    After,
}

/// ALTER TYPE … ADD/DROP/ALTER ATTRIBUTE. RENAME ATTRIBUTE too.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterCompositeType {
    pub name: ObjectName,
    pub actions: Vec<(AttributeAction, Span)>,
    pub cascade: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AttributeAction {
    Add { attribute: Ident, data_type: TypeName },
    Drop { attribute: Ident, if_exists: bool },
    SetDataType { attribute: Ident, data_type: TypeName },
    Rename { attribute: Ident, new_name: Ident },
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateDomain {
    pub name: ObjectName,
    pub base: TypeName,
    pub collation: Option<ObjectName>,
    pub default: Option<Expression>,
    pub not_null: Option<Span>,
    /// CHECK constraints; the value is called VALUE in them.
    pub constraints: Vec<Constraint>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterDomain {
    pub name: ObjectName,
    pub action: AlterDomainAction,
    pub span: Span,
}

/// RENAME TO, SET SCHEMA and OWNER TO are [`AlterObject`].
#[derive(Debug, Clone, PartialEq)]
pub enum AlterDomainAction {
    SetDefault(Expression),
    DropDefault,
    SetNotNull,
    DropNotNull,
    AddConstraint(Constraint),
    DropConstraint { constraint: Ident, if_exists: bool, cascade: bool },
    ValidateConstraint { constraint: Ident },
    RenameConstraint { constraint: Ident, new_name: Ident },
}

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
pub struct CreatePublication {
    pub name: Ident,
    pub objects: PublicationObjects,
    /// By default both.
    pub updates: Published,
}

/// Which changes of rows that were there a publication publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    pub update: bool,
    pub delete: bool,
}

impl Published {
    pub const BOTH: Published = Published { update: true, delete: true };

    /// One or the other.
    pub fn any(self) -> bool {
        self.update || self.delete
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum PublicationObjects {
    None,
    AllTables,
    Named { tables: Vec<PublicationTable>, schemas: Vec<Ident> },
}

#[derive(Debug, Clone, PartialEq)]
pub struct PublicationTable {
    pub table: ObjectName,
    pub only: bool,
    pub columns: Vec<Ident>,
    pub filter: Option<Expression>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterPublication {
    pub name: Ident,
    pub action: AlterPublicationAction,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AlterPublicationAction {
    Add(PublicationObjects),
    Set(PublicationObjects),
    Drop(PublicationObjects),
    /// SET (publish = …); which of UPDATE and DELETE is published from then on, where that is said.
    Options {
        updates: Option<Published>,
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
    /// SET STATISTICS, SET OPTIONS, ENABLE, REFRESH and the like: nothing a schema keeps.
    Options,
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

#[derive(Debug, Clone, PartialEq)]
pub struct Truncate {
    pub tables: Vec<(ObjectName, bool)>,
    pub restart_identity: bool,
    pub cascade: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LockTable {
    /// With whether ONLY was written.
    pub tables: Vec<(ObjectName, bool)>,
    pub mode: crate::catalog::LockMode,
    pub nowait: bool,
}

impl PartitionKey {
    /// The plain columns of the key; an expression has none.
    pub fn columns(&self) -> impl Iterator<Item = &Ident> {
        self.elements.iter().filter_map(|element| match &element.target {
            super::IndexTarget::Column(column) => Some(column),
            super::IndexTarget::Expression(_) => None,
        })
    }
}

/// A routine of ALTER or DROP, seen as an object.
impl From<RoutineName> for ObjectReference {
    fn from(routine: RoutineName) -> ObjectReference {
        ObjectReference { span: routine.name.span, name: routine.name, arguments: routine.arguments, on: None }
    }
}
