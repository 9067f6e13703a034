//! What the queries of a workload do with columns.
//!
//! In: normalised statements and the schema. Out: [`Use`]s, each of one column by one statement. A name is resolved within its query,
//! then in the query around it; what cannot be resolved is left out, so a use that is told is one that happens.

mod condition;
mod names;
mod nulls;
mod tree;
mod walk;

use std::collections::HashMap;

use crate::change::Name;
use crate::facts::{StatementFacts, Workload};
use crate::rules::schema::SchemaContext;
use crate::schema::{ColumnId, Relation, RelationId};
use crate::source::{FileId, SourceFile};
use crate::sql::read_script;
use walk::Walk;

/// One thing that one statement does with a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    pub table: RelationId,
    pub column: ColumnId,
    pub kind: UseKind,
    /// Index in the workload.
    pub statement: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum UseKind {
    /// `<>`, NOT IN (list), NOT LIKE, `!~`: neither true nor false where the column is NULL.
    Negated,
    /// NOT c, c = false, c <> true.
    NegatedBoolean,
    /// The column that NOT IN (SELECT …) returns.
    NotInSubquery,
    /// Within COALESCE.
    Coalesced,
    /// IS NULL on the far side of a LEFT JOIN, which is not joined by it.
    AntiJoin,
    /// Compared in WHERE, or to join inwards, after a LEFT JOIN: the rows that it kept are left out again.
    UndoesOuterJoin,
    /// IS NULL or IS NOT NULL where no outer join can have made it NULL.
    TestedForNull,
    /// An operand of `||`.
    Concatenated,
    /// An operand of `+`, `-`, `*` or `/`, with another column as the other one.
    Calculated,
    /// `count(c)`.
    Counted,
    /// ORDER BY … DESC with LIMIT, and no NULLS LAST.
    DescendingLimit,
    /// `c = NULL`.
    EqualsNull,
    /// Compared as an argument of a function or cast: `lower(c) = …`. The text of it.
    Wrapped(String),
    /// Compared as it is, with `=` or IN.
    Equal,
    /// Compared as it is with anything else.
    Compared,
    /// `c -> 'k'`, `c ->> 'k'`, `c @> …`, `c ? …` in a condition; the operator.
    Reached(String),
    /// One of the columns of ON CONFLICT (…).
    ConflictTarget,
    /// Anything else.
    Read,
}

/// All that the statements of a workload do with the columns of a schema.
pub fn uses(context: &SchemaContext, workload: &Workload) -> Vec<Use> {
    let mut found = Vec::new();
    let mut names: HashMap<&Name, Vec<&Relation>> = HashMap::new();
    for relation in context.schema.relations.values().filter(|relation| relation.is_table()) {
        names.entry(&relation.name.name).or_default().push(relation);
    }
    let of_clients = workload.statements.iter().enumerate().filter(|(_, statement)| !is_of_server(&statement.query));
    for (number, statement) in of_clients {
        let source = SourceFile::new("query", statement.query.as_str());
        for read in read_script(FileId(0), &source).statements {
            let Ok(change) = read.change else { continue };
            let mut walk = Walk { context, names: &names, statement: number, found: &mut found, scopes: Vec::new() };
            walk.change(&change);
        }
    }
    found
}

/// What the server asks by itself to check foreign keys (ri_triggers.c): nobody can write it in another way.
fn is_of_server(query: &str) -> bool {
    query.contains(" OPERATOR(pg_catalog.")
}

/// Whether a statement matters: a hundredth of the time, or a hundred calls.
pub fn is_hot(statement: &StatementFacts, workload: &Workload) -> bool {
    statement.calls >= 100 || statement.total_milliseconds >= workload.total_milliseconds() * 0.01
}
