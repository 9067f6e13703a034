//! Types, routines and the smaller objects of a schema.

use std::sync::Arc;

use super::{ColumnType, Kept, List, Privilege, RelationId};
use crate::catalog::Volatility;
use crate::change::{Argument, Code, Event, Expression, FiringMode, Name, QualifiedName, Statement, TypeName};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoutineId(pub u32);

/// An enum, domain, composite, range or base type.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    pub id: TypeId,
    pub name: QualifiedName,
    pub definition: TypeDefinition,
    /// Not only met by what changes it: the definition is whole.
    pub known: bool,
    pub owner: Option<Name>,
    pub privileges: List<Privilege>,
    pub comment: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TypeDefinition {
    /// Labels in sort order.
    Enum(Vec<Arc<str>>),
    Domain(Domain),
    Composite(Vec<(Name, ColumnType)>),
    Range {
        subtype: Option<TypeName>,
    },
    Base,
    Shell,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Domain {
    pub base: ColumnType,
    pub default: Option<Expression>,
    pub not_null: bool,
    /// What 17 and later call its NOT NULL, where that is known.
    pub not_null_name: Option<Name>,
    pub constraints: Vec<DomainConstraint>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DomainConstraint {
    pub name: Name,
    pub expression: Expression,
    pub validated: bool,
}

/// A function or procedure.
/// What is known of a routine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// A statement or a catalog made it.
    Whole,
    /// A statement named it by the types of its arguments: what it answers is not known.
    Arguments,
    /// A statement named it.
    Name,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Routine {
    pub id: RoutineId,
    pub name: QualifiedName,
    pub seen: Seen,
    pub procedure: bool,
    pub arguments: Vec<Argument>,
    pub returns: Option<TypeName>,
    pub returns_table: Vec<(Name, TypeName)>,
    pub language: Name,
    pub volatility: Volatility,
    pub strict: bool,
    pub security_definer: bool,
    pub settings: Vec<(Arc<str>, Arc<str>)>,
    pub body: Arc<str>,
    /// The body, read without the types of a call's arguments.
    pub code: Kept<Code>,
    /// The text may do more than read and write rows.
    pub may_change_schema: bool,
    /// Statements of a SQL body.
    pub statements: Arc<[Statement]>,
    /// BEGIN ATOMIC or RETURN: the body's dependencies are tracked by the server.
    pub atomic: bool,
    /// What such a body names.
    pub uses: Vec<(super::RelationId, Vec<super::ColumnId>)>,
    pub owner: Option<Name>,
    pub privileges: List<Privilege>,
    pub comment: Option<Arc<str>>,
}

/// A schema in PostgreSQL's sense.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Namespace {
    pub owner: Option<Name>,
    pub privileges: List<Privilege>,
    pub comment: Option<Arc<str>>,
}

/// Objects that are tracked by name only.
#[derive(Debug, Clone, PartialEq)]
pub struct Extension {
    pub schema: Name,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    pub all_tables: bool,
    pub tables: Vec<super::RelationId>,
    pub schemas: Vec<Name>,
    /// Which of UPDATE and DELETE it publishes.
    pub updates: crate::change::Published,
    /// Tables of which it has some columns or some rows.
    pub parts: Vec<PublishedPart>,
}

/// A table in a publication, with a column list or a row filter.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedPart {
    pub table: super::RelationId,
    /// Empty for all.
    pub columns: Vec<super::ColumnId>,
    /// Columns that the WHERE names.
    pub filter: Vec<super::ColumnId>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ExtendedStatistics {
    pub table: Option<super::RelationId>,
    pub columns: Vec<super::ColumnId>,
    /// As written; empty for all.
    pub kinds: Vec<Name>,
    /// Whether an element is an expression.
    pub expressions: bool,
}

// `Eq` lets `Arc` compare pointers first, as for relations.
impl Eq for Type {}
impl Eq for Routine {}
impl Eq for Namespace {}

impl Routine {
    /// Whether a body may do more than read and write rows: a statement that changes the schema, or a text that is put together.
    pub fn text_may_change_schema(body: &str) -> bool {
        const WORDS: [&str; 8] = ["alter", "create", "drop", "execute", "truncate", "rename", "perform", "call"];
        let body = body.to_ascii_lowercase();
        WORDS.iter().any(|word| body.contains(word))
    }

    /// The input arguments: what a call passes.
    pub fn inputs(&self) -> impl Iterator<Item = &Argument> {
        use crate::change::ArgumentMode::*;
        self.arguments.iter().filter(|argument| matches!(argument.mode, In | InOut | Variadic))
    }
}

/// What a dependency leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectId {
    Relation(RelationId),
    Type(TypeId),
    Routine(RoutineId),
}

/// What runs a function at commands of clients and migrations, or when they connect.
#[derive(Debug, Clone, PartialEq)]
pub struct EventTrigger {
    pub event: Event,
    /// The command tags that it fires for, in upper case; empty for all.
    pub tags: Arc<[Arc<str>]>,
    pub function: Option<RoutineId>,
    pub mode: FiringMode,
}
