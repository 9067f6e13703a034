//! Making up rows that satisfy a table's constraints.
//!
//! In: names of tables, how many rows. Out: rows in them and in the tables that they refer to, as far as values can be
//! found by trying: the catalogs of the shadow say the types and constraints, and the server says what it refuses.

use std::collections::BTreeSet;

use super::ProveError;
use super::probe::Probe;
use super::seed_table::Table;
pub(super) use super::seed_table::literal;

/// Refusals after which a table is left empty.
const TRIES: usize = 40;

/// What was made up.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub tables: BTreeSet<String>,
    /// Tables for which no values were found, with the last refusal.
    pub failed: Vec<String>,
}

/// Fills the tables that have no rows, parents first. Rows stay as long as what the probe does.
pub(super) async fn fill(probe: &Probe<'_>, tables: &[String], rows: usize) -> Result<Filled, ProveError> {
    let mut filled = Filled::default();
    let mut visited = BTreeSet::new();
    // A stack instead of recursion: a table is done when it is met again behind its parents.
    let mut stack: Vec<(String, bool)> = tables.iter().rev().map(|name| (name.clone(), false)).collect();
    while let Some((name, parents_done)) = stack.pop() {
        if parents_done {
            fill_one(probe, &name, rows, &mut filled).await?;
            continue;
        }
        if !visited.insert(name.clone()) {
            continue;
        }
        let parents = Table::needed(probe.runner(), &name).await?;
        stack.push((name, true));
        stack.extend(parents.into_iter().map(|parent| (parent, false)));
    }
    Ok(filled)
}

async fn fill_one(probe: &Probe<'_>, name: &str, rows: usize, filled: &mut Filled) -> Result<(), ProveError> {
    let Some(mut table) = Table::read(probe.runner(), name).await? else { return Ok(()) };
    let mut last = String::new();
    let mut as_replica = false;
    for _ in 0..TRIES {
        let insert = table.insert(rows);
        let text = match as_replica {
            true => format!(
                "SET LOCAL session_replication_role = replica; {insert}; SET LOCAL session_replication_role = origin"
            ),
            false => insert,
        };
        match probe.keep(&text).await? {
            None => {
                filled.tables.insert(name.to_owned());
                return Ok(());
            }
            Some(error) => {
                last = error.to_string();
                if table.learn(&error) {
                    continue;
                }
                // A trigger, or a key that refers to nothing yet.
                if as_replica {
                    break;
                }
                as_replica = true;
            }
        }
    }
    filled.failed.push(format!("no rows could be made up for {name}: {last}"));
    Ok(())
}
