//! Applying a change: what exists afterwards, and why PostgreSQL would refuse.

use super::{RelationId, RoutineId, Schema, Session, TypeId};
use crate::change::Change;
use crate::sql::Span;
use crate::version::PgVersion;

/// What a change made of the schema.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Applied {
    pub created: Vec<ObjectId>,
    /// With everything that CASCADE took along, the named objects first.
    pub dropped: Vec<ObjectId>,
    /// Why the server refuses the statement. The schema is changed as far as it makes sense, so that what follows can be judged.
    pub problems: Vec<Problem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectId {
    Relation(RelationId),
    Type(TypeId),
    Routine(RoutineId),
}

/// A reason for the server to refuse the statement whatever the rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub kind: ProblemKind,
    /// The name or part that is refused.
    pub span: Span,
    /// Printed name of the object.
    pub object: String,
    /// In the server's terms: `relation "public.t" does not exist`.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// Names something that does not exist. Only told of a complete schema, or of a relation whose columns are known.
    Missing,
    /// Makes something that exists.
    Duplicate,
    /// Drops or changes something that others need, without CASCADE.
    Dependent,
    /// Refused for another reason: wrong kind of object, inherited column, a second primary key …
    Invalid,
}

/// Applies one change. Transaction control and settings are not changes of the schema: `history` follows them.
pub fn apply(_schema: &mut Schema, _change: &Change, _session: &Session, _version: PgVersion) -> Applied {
    Applied::default()
}
