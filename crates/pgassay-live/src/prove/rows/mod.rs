//! Making up rows that satisfy a table's constraints.
//!
//! In: names of tables, how many rows. Out: rows in them and in the tables that they refer to, as far as values can be
//! found by trying: the catalogs of the shadow say the types and constraints, and the server says what it refuses.

mod matching;
mod read;
pub(super) mod table;
pub(super) mod value;

use std::collections::{BTreeMap, BTreeSet};

use super::ProveError;
use super::clients::probe::Probe;
use super::rows::read::{empty_tables, sequences_sql};
use super::rows::table::Table;
use crate::shadow::ServerError;

/// Refusals after which a table is left empty.
const TRIES: usize = 250;

/// Values are looked for with so many rows; only those that work are written for all.
const FEW: usize = 8;

/// Rows to make up, as numbered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    /// The number of the first: keys and names are made of it.
    pub first: usize,
    pub count: usize,
}

impl Rows {
    pub fn from_one(count: usize) -> Rows {
        Rows { first: 1, count }
    }
}

/// What was made up.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub tables: BTreeSet<String>,
    /// Tables for which no values were found, with the last refusal.
    pub failed: Vec<String>,
}

/// How tables were filled before: the same tables are filled before and after every migration.
#[derive(Debug, Default)]
pub(super) struct Memory(BTreeMap<String, Known>);

#[derive(Debug, Clone)]
struct Known {
    /// Of the table, and of its parents being filled or not.
    signature: (u64, Vec<bool>),
    choices: Vec<usize>,
    as_replica: bool,
    /// The refusal where no values were found.
    refused: Option<String>,
}

/// Fills the tables that have no rows, parents first. Rows stay as long as what the probe does.
pub(super) async fn fill(probe: &Probe<'_>, tables: &[String], rows: Rows) -> Result<Filled, ProveError> {
    let mut filled = Filled::default();
    let all = empty_tables(probe.runner(), tables).await?;
    let mut empty: BTreeSet<String> = all.iter().map(|table| table.name.clone()).collect();
    for mut table in all {
        let absent: BTreeSet<String> =
            table.parents().filter(|parent| empty.contains(*parent)).map(str::to_owned).collect();
        let signature = (table.signature(), table.parents().map(|parent| absent.contains(parent)).collect());
        let in_ring = table.goes_before(absent);
        let known = probe.runner().memory.borrow().0.get(&table.name).filter(|it| it.signature == signature).cloned();
        let outcome = match known {
            Some(Known { refused: Some(refused), .. }) => Err(refused),
            known => {
                let mut attempt = Attempt::new(&mut table, rows, known.as_ref());
                attempt.as_replica |= in_ring;
                let outcome = attempt.fill(probe).await?;
                let refused = outcome.as_ref().err().cloned();
                let as_replica = attempt.as_replica;
                let known = Known { signature, choices: table.choices(), as_replica, refused };
                probe.runner().memory.borrow_mut().0.insert(table.name.clone(), known);
                outcome
            }
        };
        match outcome {
            Ok(()) => {
                empty.remove(&table.name);
                filled.tables.insert(table.name);
            }
            // Its rows came with the whole table's; of a partition by hash none can be aimed at.
            Err(_) if table.is_partition => {}
            Err(last) => filled.failed.push(format!("no rows could be made up for {}: {last}", table.name)),
        }
    }
    if !filled.tables.is_empty() {
        probe.keep(&sequences_sql(&filled.tables, rows.count)).await?;
    }
    Ok(filled)
}

/// The search for values of one table.
struct Attempt<'t> {
    table: &'t mut Table,
    rows: Rows,
    /// Without triggers and foreign keys.
    as_replica: bool,
    /// The values worked with a few rows.
    settled: bool,
}

impl Attempt<'_> {
    fn new<'t>(table: &'t mut Table, rows: Rows, known: Option<&Known>) -> Attempt<'t> {
        if let Some(known) = known {
            table.choose(&known.choices);
        }
        let settled = known.is_some() || rows.count <= FEW;
        Attempt { table, rows, as_replica: known.is_some_and(|known| known.as_replica), settled }
    }

    /// The inner error is the last refusal.
    async fn fill(&mut self, probe: &Probe<'_>) -> Result<Result<(), String>, ProveError> {
        let mut last = String::new();
        // Rows of a partition came with the whole table: for its own sake little is tried.
        let tries = if self.table.is_partition { FEW } else { TRIES };
        for _ in 0..tries {
            let text = self.text();
            let refused = if self.settled { probe.keep(&text).await? } else { probe.run(&text).await? };
            match refused {
                None if self.settled => return Ok(Ok(())),
                None => self.settled = true,
                Some(error) => {
                    last = error.to_string();
                    if !self.goes_on(&error) {
                        break;
                    }
                }
            }
        }
        Ok(Err(last))
    }

    fn text(&self) -> String {
        let insert = self.table.insert(Rows { count: if self.settled { self.rows.count } else { FEW }, ..self.rows });
        match self.as_replica {
            true => format!(
                "SET LOCAL session_replication_role = replica; {insert}; SET LOCAL session_replication_role = origin"
            ),
            false => insert,
        }
    }

    /// Chooses what to try next; false if nothing is left.
    fn goes_on(&mut self, error: &ServerError) -> bool {
        // A trigger, or a key that refers to nothing yet.
        self.table.learn(error) || !std::mem::replace(&mut self.as_replica, true)
    }
}
