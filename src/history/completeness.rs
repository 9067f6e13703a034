//! Whether a history starts from nothing, so that what it does not make does not exist.

use crate::change::Change;
use crate::schema::{self, ObjectId, ProblemKind, Schema, Session};
use crate::sql::Statement;
use crate::version::PgVersion;

use super::Unit;

/// What is known of the schema before the first migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Completeness {
    /// Found out from the migrations themselves.
    #[default]
    Auto,
    /// The migrations, with the base, make everything.
    Complete,
    /// Earlier migrations are missing.
    Partial,
}

/// Decides for [`Completeness::Auto`]: complete when the first migration that touches relations needs nothing that is not there,
/// and, over all, far fewer relations are missing than are made. A typo in one statement so stays an error, and
/// the tail of a history does not become a list of them.
pub fn decide_completeness(units: &[Unit], base: &Schema, version: PgVersion) -> bool {
    let mut schema = base.clone();
    schema.complete = true;
    let mut tally = Tally::default();
    for unit in units {
        let mut session = Session::default();
        let mut here = Tally::default();
        for statement in unit.scripts.iter().flat_map(|script| &script.statements) {
            try_statement(statement, &mut schema, &mut session, version, &mut here);
        }
        let first = tally.made == 0 && tally.missing == 0;
        if first && here.missing > 0 && here.missing >= here.made {
            return false;
        }
        tally.made += here.made;
        tally.missing += here.missing;
    }
    tally.made > 0 && tally.missing <= (tally.made / 4).max(1)
}

#[derive(Default)]
struct Tally {
    made: usize,
    missing: usize,
}

fn try_statement(
    statement: &Statement,
    schema: &mut Schema,
    session: &mut Session,
    version: PgVersion,
    tally: &mut Tally,
) {
    match &statement.change {
        Ok(Change::Do(block)) => {
            for inner in &block.statements {
                try_statement(inner, schema, session, version, tally);
            }
        }
        Ok(Change::Set(set)) => session.set(set),
        Ok(change) => {
            let applied = schema::apply(schema, change, session, version);
            tally.made += applied.created.iter().filter(|object| matches!(object, ObjectId::Relation(_))).count();
            tally.missing += applied.problems.iter().filter(|problem| problem.kind == ProblemKind::Missing).count();
        }
        Err(_) => {}
    }
}
