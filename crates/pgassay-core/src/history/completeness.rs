//! Whether a history starts from nothing, so that what it does not make does not exist.

use crate::apply::{ProblemKind, apply};
use crate::change::{Change, Statement};
use crate::schema::{ObjectId, Schema, Session};
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

/// Decides for [`Completeness::Auto`]: complete when the first migration that touches relations does not begin with what is not there,
/// and, over all, far fewer relations are missing than are made. A typo in one statement so stays an error, and
/// the tail of a history does not become a list of them.
pub fn decide_completeness(units: &[Unit], base: &Schema, version: PgVersion) -> bool {
    let mut decision = Decision::new(base, version);
    decision.see(units).unwrap_or_else(|| decision.end())
}

/// As [`decide_completeness`], of migrations that come some at a time.
pub struct Decision {
    schema: Schema,
    version: PgVersion,
    tally: Tally,
}

impl Decision {
    pub fn new(base: &Schema, version: PgVersion) -> Decision {
        let mut schema = base.clone();
        schema.complete = true;
        Decision { schema, version, tally: Tally::default() }
    }

    /// Looks at the next migrations; `None` where more of them should be seen.
    pub fn see(&mut self, units: &[Unit]) -> Option<bool> {
        for unit in units {
            let mut session = Session::default();
            let mut here = Tally::default();
            for statement in unit.scripts.iter().flat_map(|script| &script.statements) {
                try_statement(statement, &mut self.schema, &mut session, self.version, &mut here);
            }
            let first = self.tally.made == 0 && self.tally.missing == 0;
            // A table of a type that nothing makes comes after the migration that makes the type.
            if first && (here.types > 0 || here.starts_missing || here.missing > 0 && here.missing >= here.made) {
                return Some(false);
            }
            self.tally.made += here.made;
            self.tally.missing += here.missing;
            if self.tally.made + self.tally.missing >= ENOUGH {
                return Some(self.end());
            }
        }
        None
    }

    /// What the migrations that were seen say.
    pub fn end(&self) -> bool {
        self.tally.made > 0 && self.tally.missing <= (self.tally.made / 4).max(1)
    }
}

/// So many relations show what the history is: the others are not replayed twice.
const ENOUGH: usize = 100;

#[derive(Default)]
struct Tally {
    made: usize,
    missing: usize,
    /// Types among what is missing.
    types: usize,
    /// Something is missing before anything is made: no history starts from nothing with that.
    starts_missing: bool,
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
            for inner in &block.code.statements {
                try_statement(inner, schema, session, version, tally);
            }
        }
        Ok(Change::Set(set)) => session.set(set),
        Ok(change) => {
            let is_first = tally.made == 0;
            let applied = apply(schema, change, session, version);
            tally.made += applied.created.iter().filter(|object| matches!(object, ObjectId::Relation(_))).count();
            tally.types += applied.missing_types;
            let missing = applied.problems.iter().filter(|problem| problem.kind == ProblemKind::Missing).count();
            tally.starts_missing |= missing > 0 && is_first;
            tally.missing += missing;
        }
        Err(_) => {}
    }
}
