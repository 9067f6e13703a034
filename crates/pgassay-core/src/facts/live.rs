//! What is known of the database that migrations will run on.

use super::{Facts, Rates, Traffic, Workload};
use crate::schema::Schema;

/// The schema that is there, what was measured of it, and who uses it.
#[derive(Debug, Clone)]
pub struct Live {
    pub schema: Schema,
    pub facts: Facts,
    pub traffic: Traffic,
    pub rates: Rates,
}

impl Live {
    pub fn new(schema: Schema, facts: Facts, workload: &Workload) -> Live {
        let traffic = Traffic::of(workload, &facts, &schema);
        let rates = Rates::of(&facts);
        Live { schema, facts, traffic, rates }
    }
}
