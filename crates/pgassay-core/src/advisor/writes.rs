//! How much is written to the table of an index, over the time in which the workload's calls were counted.

use super::choose::Work;
use super::definition::{Definition, Method};
use super::write_cost::{self, Writes};
use super::{Offer, Query, TableInfo};

/// Calls that are no traffic.
const FEW_CALLS: f64 = 2.0;

impl Work<'_> {
    /// Entries and the milliseconds that they take; `None` where writes are not counted.
    pub(super) fn writes(&self, place: usize) -> Option<(f64, f64)> {
        let Offer { definition, estimate, .. } = &self.offers[place];
        let table = self.tables.tables.get(&definition.table)?;
        let share = if table.rows > 0.0 { (estimate.entries / table.rows).min(1.0) } else { 1.0 };
        Some(write_cost::of(definition, table, share, self.written_to(definition, table)?))
    }

    /// Two counts of the same: rows of the workload's statements, which were counted together with the reads but leave out what triggers, functions
    /// and COPY write; and the counters of the table, which have another beginning. The larger counts.
    fn written_to(&self, definition: &Definition, table: &TableInfo) -> Option<Writes> {
        let by_statements = self.by_statements(definition, table);
        let Some((inserts, updates, hot)) = self.by_counters(table) else {
            return by_statements.told.then_some(by_statements.writes());
        };
        let inserts = if table.loaded { by_statements.inserts } else { inserts.max(by_statements.inserts) };
        // What filled the table may have updated its rows too.
        let (updates, hot) = if table.loaded { (0.0, 0.0) } else { (updates, hot) };
        let (updates, hot) = match updates >= by_statements.updates || updates <= 0.0 {
            true => (updates, hot),
            // As many of them are HOT as were counted to be.
            false => (by_statements.updates, by_statements.updates * hot / updates),
        };
        let (updates, hot) = if updates > 0.0 { (updates, hot) } else { (by_statements.updates, by_statements.hot) };
        let setting = by_statements.setting / by_statements.updates.max(1.0);
        // An index of summaries keeps no update from being HOT from 16 on.
        let summarizes = definition.method == Method::Brin && self.tables.major >= 16;
        let broken = if summarizes { 0.0 } else { hot * setting.min(1.0) };
        Some(Writes { inserts, updates: (updates - hot).max(0.0), broken })
    }

    /// Inserts, updates, and those that were HOT, from the counters of the table, for the time of the workload.
    fn by_counters(&self, table: &TableInfo) -> Option<(f64, f64, f64)> {
        // Where nobody knows how long the calls took to come, writes are those of a day; what was counted for less than one is taken for it.
        let days = self.days.unwrap_or_else(|| table.counted_days.unwrap_or(1.0).min(1.0));
        Some((table.inserts? * days, table.updates? * days, table.hot_updates? * days))
    }

    fn by_statements(&self, definition: &Definition, table: &TableInfo) -> Statements {
        let named = definition.named_columns();
        let mut found = Statements::default();
        for (query, its) in self.queries.iter().enumerate() {
            let rows = its.calls * its.rows.unwrap_or(1.0);
            for (_, operation) in self.written[query].iter().filter(|(table, _)| *table == definition.table) {
                found.told = true;
                if is_load(its, table) {
                    continue;
                }
                match operation.as_str() {
                    "Insert" => found.inserts += rows,
                    "Update" | "Merge" => {
                        found.updates += rows;
                        found.hot += if self.breaks_hot(query, table) { 0.0 } else { rows };
                        found.setting += if its.sets.iter().any(|column| named.contains(column)) { rows } else { 0.0 };
                    }
                    _ => {}
                }
            }
        }
        found
    }
}

/// A call or two that wrote half of the table: it was filled or mended, which is not what goes on.
fn is_load(query: &Query, table: &TableInfo) -> bool {
    query.calls <= FEW_CALLS && query.rows.is_some_and(|rows| table.rows > 0.0 && rows >= table.rows / 2.0)
}

/// Rows that the statements of the workload write to a table.
#[derive(Default)]
struct Statements {
    inserts: f64,
    updates: f64,
    /// Of the updates, those that can be HOT as things are.
    hot: f64,
    /// Of the updates, those that set a column of the index.
    setting: f64,
    /// A statement writes to the table.
    told: bool,
}

impl Statements {
    fn writes(&self) -> Writes {
        let broken = self.hot.min(self.setting);
        Writes { inserts: self.inserts, updates: self.updates - self.hot, broken }
    }
}
