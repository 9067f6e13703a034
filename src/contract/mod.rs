//! What clients may rely on, and what they lose.
//!
//! In: the schema before and after a migration. Out: [`Breakage`]s, each with a witness: a query or row that worked before and fails
//! after. Whatever statement made the difference: the diff sees only the two schemas.

use crate::schema::{ColumnId, RelationId, RoutineId, Schema, TypeId};
use crate::version::PgVersion;

/// One thing that worked for clients before and does not after.
#[derive(Debug, Clone, PartialEq)]
pub struct Breakage {
    pub kind: BreakageKind,
    /// What it happened to, so that the statement which did it can be found.
    pub subject: Subject,
    /// Printed name before the migration: `public.accounts.email`.
    pub object: String,
    /// One sentence: what stops working.
    pub message: String,
    pub witness: Witness,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    Relation(RelationId),
    Column(RelationId, ColumnId),
    /// Constraint, trigger, policy or rule of a relation, by name.
    Part(RelationId, crate::change::Name),
    Type(TypeId),
    Routine(RoutineId),
    Schema(crate::change::Name),
}

/// A statement that works before the migration and fails, or answers differently, after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Ready to run: names are quoted, values are literals.
    pub sql: String,
    /// What the server answers after the migration: the error, or how the result differs.
    pub after: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreakageKind {
    RelationDropped,
    RelationRenamed,
    RelationMoved,
    ColumnDropped,
    ColumnRenamed,
    ColumnTypeChanged,
    RequiredColumn,
    NotNullAdded,
    NotNullDropped,
    DefaultDropped,
    CheckAdded,
    UniqueAdded,
    ForeignKeyAdded,
    ExclusionAdded,
    ForeignKeyActionChanged,
    ColumnGenerated,
    ConflictTargetDropped,
    EnumValueRemoved,
    TypeDropped,
    TypeRenamed,
    DomainTightened,
    RoutineDropped,
    RoutineChanged,
    ViewColumnsChanged,
    PrivilegeRevoked,
    RowSecurityEnabled,
    PolicyTightened,
    SchemaDropped,
    SchemaRenamed,
}

/// Everything that clients of `before` lose in `after`.
pub fn diff(_before: &Schema, _after: &Schema, _version: PgVersion) -> Vec<Breakage> {
    Vec::new()
}
