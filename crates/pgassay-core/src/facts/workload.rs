//! The queries a database runs.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Normalised statements of one database.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Where it comes from: `pg_stat_statements 1.10`.
    pub source: String,
    /// When counting began; `None` if not known.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Times that the least used statements were thrown out for want of room, where known: what was rare is not here.
    pub deallocations: Option<u64>,
    /// The most time first.
    pub statements: Vec<StatementFacts>,
    /// Statements whose text the role may not read; they are not in `statements`.
    pub hidden: u64,
    /// Statements without a plan, which may keep their constants: by their command alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Command>,
}

/// Statements of one command: `COPY`, `CREATE TABLE`, `DO`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Command {
    pub name: String,
    pub statements: usize,
    /// Of all calls.
    pub milliseconds: f64,
}

impl Command {
    /// Of one statement; comments before it are no part of it.
    pub fn of(text: &str, milliseconds: f64) -> Command {
        const OF_TWO: &[&str] = &["CREATE", "ALTER", "DROP", "REFRESH"];
        let mut words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
        let first = words.next().unwrap_or_default().to_ascii_uppercase();
        let name = match words.next().filter(|_| OF_TWO.contains(&first.as_str())) {
            Some(second) => format!("{first} {}", second.to_ascii_uppercase()),
            None => first,
        };
        Command { name, statements: 1, milliseconds }
    }
}

/// One normalised statement of one user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StatementFacts {
    pub query_id: i64,
    /// With `$1`, `$2` … for constants.
    pub query: String,
    pub user: String,
    /// Run by a client, not from within a function.
    pub top_level: bool,
    pub calls: u64,
    /// Milliseconds of execution over all calls.
    pub total_milliseconds: f64,
    pub mean_milliseconds: f64,
    pub max_milliseconds: f64,
    /// Milliseconds; zero unless planning is tracked.
    pub plan_milliseconds: f64,
    pub rows: u64,
    pub shared_blocks_hit: u64,
    pub shared_blocks_read: u64,
    pub shared_blocks_dirtied: u64,
    pub temp_blocks_read: u64,
    pub temp_blocks_written: u64,
    /// Bytes.
    pub wal_bytes: u64,
    /// When counting of this statement began; 17 and later.
    pub since: Option<Timestamp>,
}

impl Workload {
    /// Counts a statement without a plan.
    pub fn count_command(&mut self, text: &str, milliseconds: f64) {
        let command = Command::of(text, milliseconds);
        match self.commands.iter_mut().find(|known| known.name == command.name) {
            Some(known) => {
                known.statements += 1;
                known.milliseconds += milliseconds;
            }
            None => self.commands.push(command),
        }
    }

    /// Seconds that the counts cover.
    pub fn seconds(&self) -> Option<f64> {
        Some(self.until?.seconds_since(self.since?)).filter(|seconds| *seconds > 0.0)
    }

    /// Execution time of all statements, in milliseconds.
    pub fn total_milliseconds(&self) -> f64 {
        self.statements.iter().map(|statement| statement.total_milliseconds).sum()
    }
}
