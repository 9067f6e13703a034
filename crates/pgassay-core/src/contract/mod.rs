//! What clients may rely on, and what they lose.
//!
//! In: the schema before and after a migration. Out: [`Breakage`]s, each with a witness: a query or row that worked before and fails
//! after. Whatever statement made the difference: the diff sees only the two schemas.
//!
//! Objects are compared as a client meets them: by name. Identity (the ids, which survive renames) decides what is said when a name
//! is gone: renamed, moved, or dropped. Only objects that differ are visited.

mod answer;
mod body;
mod built_in_change;
mod check;
mod column;
mod constraint;
mod fill;
mod foreign_key;
mod guard;
mod namespace;
mod overload;
mod pair;
mod policy_recursion;
mod privilege;
mod relation;
mod replication;
mod routine;
mod row_security;
mod trigger_work;
mod type_change;
mod types;
mod unique;
mod values;
mod view;
mod view_security;
mod witness;

use serde::Serialize;

use crate::change::PrintedName;
use crate::schema::{ColumnId, RelationId, RoutineId, Schema, TypeId};
use crate::version::PgVersion;

/// One thing that worked for clients before and does not after.
#[derive(Debug, Clone, PartialEq)]
pub struct Breakage {
    pub kind: BreakageKind,
    pub grade: Grade,
    /// What it happened to, so that the statement which did it can be found.
    pub subject: Subject,
    /// Printed name before the migration: `public.accounts.email`.
    pub object: PrintedName,
    /// One sentence: what stops working.
    pub message: String,
    pub witness: Witness,
}

/// How sure a client that does what the witness does is to be hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Some clients notice: the answer differs, or only some rows, values, roles or drivers are concerned.
    Possible,
    /// The server refuses what it took before, or what was there is gone.
    Certain,
}

/// An id of the schema before. Where another object took over the name (dropped and made anew, or a view in place of a renamed
/// table), the id of that one: its CREATE says what is missing. A column or part that is new has its id or name of the schema after.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    Relation(RelationId),
    Column(RelationId, ColumnId),
    /// Constraint, unique index, trigger, policy or rule of a relation, by name.
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
    /// What the server answers after the migration: the error (`ERROR 42703: column "email" does not exist`), or how the result differs.
    pub after: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakageKind {
    RelationDropped,
    RelationRenamed,
    RelationMoved,
    /// The partition's rows are no longer among those of its parent.
    PartitionDetached,
    /// A view that took INSERT, UPDATE and DELETE no longer does, or stands in for a table without taking them.
    WritesRefused,
    ColumnDropped,
    ColumnRenamed,
    ColumnTypeChanged,
    RequiredColumn,
    NotNullAdded,
    NotNullDropped,
    DefaultDropped,
    /// GENERATED ALWAYS AS IDENTITY: explicit values are refused.
    IdentityAlways,
    /// An INSTEAD rule does something else than the write that a client asked for.
    WritesReplaced,
    CheckAdded,
    UniqueAdded,
    ForeignKeyAdded,
    ExclusionAdded,
    ForeignKeyActionChanged,
    /// A check, exclusion constraint or foreign key is gone: what it refused is accepted.
    CheckDropped,
    ExclusionDropped,
    ForeignKeyDropped,
    /// DISABLE TRIGGER ALL left the triggers off that check foreign keys.
    ForeignKeysSilenced,
    TriggerDropped,
    TriggerDisabled,
    /// The table is not in the write-ahead log any more.
    Unlogged,
    /// A publication does not have the table any more.
    Unpublished,
    /// A published table without a replica identity: UPDATE and DELETE fail.
    ReplicaIdentityLost,
    ColumnGenerated,
    ConflictTargetDropped,
    EnumValueRemoved,
    EnumValueRenamed,
    TypeDropped,
    TypeRenamed,
    /// A composite type lost, renamed or retyped an attribute.
    CompositeChanged,
    DomainTightened,
    RoutineDropped,
    RoutineRenamed,
    RoutineChanged,
    /// Made anew, without the REVOKE that kept PUBLIC from calling it.
    RoutineOpened,
    /// Indexes, checks or generated columns hold what the old body answered.
    StoredAnswersOutdated,
    /// The body names what is gone: it fails when it comes to that.
    RoutineBroken,
    ViewColumnsChanged,
    /// A view shows other rows than before, or stands in for a table with some of its rows.
    ViewRowsChanged,
    /// A materialized view without its rows: reading it fails.
    ViewUnpopulated,
    PrivilegeRevoked,
    RowSecurityEnabled,
    PolicyTightened,
    /// Roles see and write rows that row security kept from them.
    RowSecurityDisabled,
    PolicyLoosened,
    SchemaDropped,
    SchemaRenamed,
}

impl BreakageKind {
    /// Whether its witness has to be run by a role that policies hold for: not by a superuser.
    pub fn is_about_row_security(self) -> bool {
        use BreakageKind::*;
        matches!(self, RowSecurityEnabled | PolicyTightened | RowSecurityDisabled | PolicyLoosened)
    }
}

/// Everything that clients of `before` lose in `after`: schemas, relations, types, routines, each in the order of their making.
/// The messages are those of the version.
pub fn diff(before: &Schema, after: &Schema, version: PgVersion) -> Vec<Breakage> {
    let context = Context { before, after, version };
    let mut found = objects(&context);
    body::diff(&context, &mut found);
    body::row_types(&context, &mut found);
    answer::queries(&context, &mut found);
    answer::replaced(&context, &mut found);
    trigger_work::of_changed_routines(&context, &mut found);
    privilege::diff(&context, &mut found);
    found
}

/// What [`diff`] finds without reading the bodies of routines that stayed: what these lose is gone with the object that they name.
pub fn losses(before: &Schema, after: &Schema, version: PgVersion) -> Vec<Breakage> {
    let context = Context { before, after, version };
    let mut found = objects(&context);
    trigger_work::of_changed_routines(&context, &mut found);
    privilege::diff(&context, &mut found);
    found
}

fn objects(context: &Context) -> Vec<Breakage> {
    let mut found = Vec::new();
    namespace::diff(context, &mut found);
    relation::diff(context, &mut found);
    replication::diff(context, &mut found);
    types::diff(context, &mut found);
    routine::diff(context, &mut found);
    found
}

/// The two schemas that are compared.
struct Context<'a> {
    before: &'a Schema,
    after: &'a Schema,
    version: PgVersion,
}

impl Context<'_> {
    /// The schema itself is dropped or renamed: that is told once, not for every object in it.
    fn namespace_is_gone(&self, schema: &crate::change::Name) -> bool {
        self.before.namespaces.contains_key(schema) && !self.after.namespaces.contains_key(schema)
    }
}

/// A breakage of the grade that most kinds have.
fn certain(
    kind: BreakageKind,
    subject: Subject,
    object: impl Into<PrintedName>,
    message: String,
    witness: Witness,
) -> Breakage {
    Breakage { kind, grade: Grade::Certain, subject, object: object.into(), message, witness }
}

fn possible(
    kind: BreakageKind,
    subject: Subject,
    object: impl Into<PrintedName>,
    message: String,
    witness: Witness,
) -> Breakage {
    Breakage { kind, grade: Grade::Possible, subject, object: object.into(), message, witness }
}
