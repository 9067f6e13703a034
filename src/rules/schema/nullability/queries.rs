//! Reasons that the workload gives: conditions that leave out NULL without saying so.

use super::Reason;
use crate::rules::schema::SchemaContext;
use crate::schema::Relation;

/// What the queries do with nullable columns.
pub struct Habits;

impl Habits {
    pub fn of(_context: &SchemaContext) -> Habits {
        Habits
    }

    pub fn reasons(&self, _context: &SchemaContext, _table: &Relation, _reasons: &mut Vec<Reason>) {}
}
