//! What a plan is taken to cost where plans are held against each other.
//!
//! The planner's cost leaves out what is the same for all of its plans of one statement: what every call takes, and what writing rows and the entries
//! of existing indexes takes. A share of the measured time can only be told with those in it.

use super::candidate::table_of;
use super::cautious;
use super::choose::{Work, cost};
use super::definition::columns_named;
use crate::plan::node::KnownType;
use crate::plan::{NodeId, Plan};

/// What a call takes whatever its plan, in the planner's units: about 30 µs.
const CALL: f64 = 3.0;
/// A row that is written, and an entry of an index, in the planner's units; see [`write_cost`](super::write_cost).
const ROW: f64 = 0.7;
const ENTRY: f64 = 0.6;

impl Work<'_> {
    /// The cost of a query's plan, [cautiously](cautious), with what the planner leaves out: what indexes are chosen by.
    pub(super) fn weigh(&self, query: usize, plan: &Plan) -> f64 {
        self.with_calls(query, plan) + cautious::of_loops(plan)
    }

    /// The cost as it is likely to be if the rows are as many as the planner expects: what savings are told by.
    pub(super) fn plainly(&self, query: usize, plan: &Plan) -> f64 {
        self.with_calls(query, plan) + cautious::of_fetches(plan)
    }

    fn with_calls(&self, query: usize, plan: &Plan) -> f64 {
        let writes: f64 = plan.ids().map(|id| self.written_by(query, plan, id)).sum();
        cost(plan) + CALL + writes + cautious::of_limits(plan, self.queries[query].rows)
    }

    fn written_by(&self, query: usize, plan: &Plan, id: NodeId) -> f64 {
        let node = plan.node(id);
        if !node.is(KnownType::ModifyTable) {
            return 0.0;
        }
        let known = &self.queries[query];
        let estimated = || plan.children(id).filter_map(|child| child.estimate).map(|it| it.rows).sum();
        let rows: f64 = known.rows.filter(|_| id == NodeId(0)).unwrap_or_else(estimated);
        let indexes = table_of(node, self.tables).map_or(0, |(_, info)| match node.operation.as_deref() {
            Some("Delete") => 0,
            // HOT, unless it sets a column of an index.
            Some("Update") => match self.breaks_hot(query, info) {
                true => info.indexes.len(),
                false => 0,
            },
            _ => info.indexes.len(),
        });
        rows * (ROW + ENTRY * indexes as f64)
    }

    /// Whether an UPDATE sets a column that stands in an existing index.
    pub(super) fn breaks_hot(&self, query: usize, info: &super::TableInfo) -> bool {
        let sets = &self.queries[query].sets;
        let mut definitions = info.indexes.iter().map(|index| columns_named(&index.definition));
        definitions.any(|named| sets.iter().any(|column| named.contains(column)))
    }
}
