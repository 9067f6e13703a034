//! Tables: CREATE TABLE, columns, constraints, partition keys, TRUNCATE and LOCK.

use std::sync::Arc;

use super::{Expression, Ident, ObjectName, Query, SequenceOptions, TypeName};
use crate::source::Span;

/// CREATE TABLE, also `… OF type`, `… PARTITION OF parent` and CREATE FOREIGN TABLE.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    pub name: ObjectName,
    pub if_not_exists: bool,
    pub persistence: Persistence,
    /// Set for CREATE FOREIGN TABLE.
    pub foreign_server: Option<Ident>,
    pub columns: Vec<ColumnDefinition>,
    /// Table constraints, and those of columns desugared; in the order of the statement.
    pub constraints: Vec<Constraint>,
    pub like: Vec<LikeClause>,
    pub inherits: Vec<ObjectName>,
    pub of_type: Option<ObjectName>,
    pub partition_of: Option<(ObjectName, PartitionBound)>,
    pub partition_by: Option<PartitionKey>,
    pub access_method: Option<Ident>,
    pub tablespace: Option<Ident>,
    pub options: Vec<StorageOption>,
    /// ON COMMIT DROP.
    pub until_commit: bool,
}

/// CREATE TABLE … AS, and SELECT … INTO.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTableAs {
    pub name: ObjectName,
    pub if_not_exists: bool,
    pub persistence: Persistence,
    pub columns: Vec<Ident>,
    /// `None` for CREATE TABLE … AS EXECUTE.
    pub query: Option<Query>,
    pub with_no_data: bool,
    /// ON COMMIT DROP.
    pub until_commit: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Persistence {
    #[default]
    Permanent,
    Unlogged,
    Temporary,
}

/// A column as CREATE TABLE or ADD COLUMN gives it. UNIQUE, PRIMARY KEY, REFERENCES and CHECK of the column are not here:
/// they are desugared to [`Constraint`]s with `inline` set. NOT NULL stays here.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDefinition {
    pub name: Ident,
    /// `None` in CREATE TABLE … OF and PARTITION OF. `serial` and its kin stay under that name (`serial4`, `serial8`, `serial2`).
    pub data_type: Option<TypeName>,
    pub collation: Option<ObjectName>,
    /// Span of `NOT NULL`; its constraint's name and NO INHERIT are not kept apart from `not_null_name`.
    pub not_null: Option<Span>,
    pub not_null_name: Option<Ident>,
    pub default: Option<Expression>,
    pub identity: Option<Identity>,
    pub generated: Option<Generated>,
    pub storage: Option<Ident>,
    pub compression: Option<Ident>,
    /// Everything from the name to the last column constraint.
    pub span: Span,
}

/// GENERATED … AS IDENTITY.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    pub always: bool,
    pub options: SequenceOptions,
    pub span: Span,
}

/// GENERATED ALWAYS AS (expression). `stored` is false for VIRTUAL, and for neither word (18's default; older servers require STORED).
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    pub expression: Expression,
    pub stored: bool,
    pub span: Span,
}

/// A constraint of a table or domain.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// As written; PostgreSQL makes one up otherwise.
    pub name: Option<Ident>,
    pub kind: ConstraintKind,
    /// Written on a column rather than on the table.
    pub inline: bool,
    pub not_valid: bool,
    pub not_enforced: bool,
    pub no_inherit: bool,
    pub deferrable: bool,
    pub initially_deferred: bool,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ConstraintKind {
    /// 18+: `CONSTRAINT c NOT NULL column` at table level.
    NotNull(Ident),
    Check(Expression),
    Unique(Key),
    PrimaryKey(Key),
    /// UNIQUE or PRIMARY KEY USING INDEX.
    UsingIndex {
        primary_key: bool,
        index: Ident,
    },
    Exclude {
        method: Option<Ident>,
        elements: Vec<(IndexElement, Arc<str>)>,
        include: Vec<Ident>,
        predicate: Option<Expression>,
        storage: Vec<StorageOption>,
        tablespace: Option<Ident>,
    },
    ForeignKey(ForeignKey),
}

/// The columns of a UNIQUE or PRIMARY KEY constraint.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub columns: Vec<Ident>,
    pub include: Vec<Ident>,
    /// NULLS NOT DISTINCT, 15+.
    pub nulls_not_distinct: bool,
    /// WITHOUT OVERLAPS on the last column, 18+.
    pub without_overlaps: bool,
    pub storage: Vec<StorageOption>,
    pub tablespace: Option<Ident>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ForeignKey {
    pub columns: Vec<Ident>,
    pub referenced: ObjectName,
    /// Empty when left out: the primary key is meant.
    pub referenced_columns: Vec<Ident>,
    pub match_full: bool,
    pub on_delete: ReferentialAction,
    pub on_update: ReferentialAction,
    /// ON DELETE SET NULL or SET DEFAULT (columns), 15+; empty where it is all of them.
    pub set_columns: Vec<Ident>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReferentialAction {
    #[default]
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

impl ReferentialAction {
    /// As SQL; none for what is so without a word.
    pub fn words(self) -> Option<&'static str> {
        match self {
            ReferentialAction::NoAction => None,
            ReferentialAction::Restrict => Some("RESTRICT"),
            ReferentialAction::Cascade => Some("CASCADE"),
            ReferentialAction::SetNull => Some("SET NULL"),
            ReferentialAction::SetDefault => Some("SET DEFAULT"),
        }
    }
}

/// LIKE source INCLUDING …
#[derive(Debug, Clone, PartialEq)]
pub struct LikeClause {
    pub source: ObjectName,
    pub including: LikeOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LikeOptions {
    pub comments: bool,
    pub compression: bool,
    pub constraints: bool,
    pub defaults: bool,
    pub generated: bool,
    pub identity: bool,
    pub indexes: bool,
    pub statistics: bool,
    pub storage: bool,
}

/// PARTITION BY.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionKey {
    pub strategy: PartitionStrategy,
    pub elements: Vec<IndexElement>,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionStrategy {
    List,
    Range,
    Hash,
}

/// FOR VALUES …, or DEFAULT.
#[derive(Debug, Clone, PartialEq)]
pub enum PartitionBound {
    Default,
    List(Vec<Expression>),
    /// MINVALUE and MAXVALUE are plain column references in the expressions, as in the server's grammar.
    Range {
        from: Vec<Expression>,
        to: Vec<Expression>,
    },
    Hash {
        modulus: u32,
        remainder: u32,
    },
}

/// A column or expression of an index, an exclusion constraint or a partition key.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexElement {
    pub target: IndexTarget,
    pub collation: Option<ObjectName>,
    pub operator_class: Option<ObjectName>,
    pub descending: bool,
    /// As written; the default is last for ascending and first for descending.
    pub nulls_first: Option<bool>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum IndexTarget {
    Column(Ident),
    Expression(Expression),
}

/// A storage parameter: `fillfactor = 70`, `toast.autovacuum_enabled`, `security_barrier`.
#[derive(Debug, Clone, PartialEq)]
pub struct StorageOption {
    /// Lower case, with `toast.` in front where it was written.
    pub name: Arc<str>,
    pub value: Option<Arc<str>>,
    pub span: Span,
}

impl ConstraintKind {
    pub(super) fn add_name(&self) -> &'static str {
        match self {
            ConstraintKind::NotNull(_) => "add-not-null",
            ConstraintKind::Check(_) => "add-check",
            ConstraintKind::Unique(_) | ConstraintKind::UsingIndex { primary_key: false, .. } => "add-unique",
            ConstraintKind::PrimaryKey(_) | ConstraintKind::UsingIndex { primary_key: true, .. } => "add-primary-key",
            ConstraintKind::Exclude { .. } => "add-exclusion",
            ConstraintKind::ForeignKey(_) => "add-foreign-key",
        }
    }
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
