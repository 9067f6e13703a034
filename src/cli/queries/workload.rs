//! The statements to look at, from pg_stat_statements or from a file.

use clap::ValueEnum;
use pgassay::advisor::{Counted, Query};
use pgassay::facts::{StatementFacts, Workload};
use pgassay::source::{SourceFile, Sources};
use pgassay::sql::read_script;
use pgassay::whatif::{Prepared, is_plannable, reads_catalogs, set_columns};

/// A statement with what was counted of it.
#[derive(Debug, Clone)]
pub struct Statement {
    pub query: Query,
    /// As pg_stat_statements has it.
    pub identifier: Option<i64>,
    /// Rows that a call returns or changes; `None` if not counted.
    pub rows: Option<f64>,
    /// Blocks over all calls.
    pub blocks_read: f64,
    /// Blocks that were in the cache too; `None` if not counted.
    pub blocks: Option<f64>,
    pub temp_blocks: f64,
}

/// What makes a query hot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rank {
    /// Time of all calls
    Total,
    /// Time of one call
    Mean,
    /// Number of calls
    Calls,
    /// Rows of all calls
    Rows,
    /// Blocks read into the cache
    Io,
    /// Blocks of temporary files
    Temp,
}

impl Statement {
    pub fn prepared(&self) -> Prepared {
        Prepared::new(&self.query.text, self.rows)
    }

    /// Of one call.
    pub fn counted(&self) -> Counted {
        let blocks = self.blocks.map(|blocks| blocks / self.query.calls.max(1.0));
        Counted { blocks, rows: self.rows }
    }
}

/// Statements of the same text by several users are one.
pub fn from_statistics(workload: &Workload, min_calls: u64) -> Vec<Statement> {
    let mut found: Vec<Statement> = Vec::new();
    let mut places = std::collections::HashMap::new();
    let wanted = |it: &&StatementFacts| it.calls > 0 && is_plannable(&it.query) && !reads_catalogs(&it.query);
    for facts in workload.statements.iter().filter(wanted) {
        let calls = facts.calls as f64;
        let statement = Statement {
            query: Query {
                text: facts.query.clone(),
                calls,
                mean_milliseconds: Some(facts.total_milliseconds / calls),
                sets: Vec::new(),
                rows: Some(facts.rows as f64 / calls),
            },
            identifier: Some(facts.query_id),
            rows: Some(facts.rows as f64 / calls),
            blocks_read: facts.shared_blocks_read as f64,
            blocks: Some((facts.shared_blocks_read + facts.shared_blocks_hit) as f64),
            temp_blocks: (facts.temp_blocks_read + facts.temp_blocks_written) as f64,
        };
        match places.get(&facts.query).and_then(|place: &usize| found.get_mut(*place)) {
            Some(known) => known.add(&statement),
            None => {
                places.insert(facts.query.clone(), found.len());
                found.push(statement);
            }
        }
    }
    found.retain(|it| it.query.calls >= min_calls as f64);
    for statement in &mut found {
        statement.query.sets = set_columns(&statement.query.text);
    }
    found
}

impl Statement {
    fn add(&mut self, other: &Statement) {
        let calls = self.query.calls + other.query.calls;
        let mean =
            |own: Option<f64>, its: Option<f64>| Some((own? * self.query.calls + its? * other.query.calls) / calls);
        self.query.mean_milliseconds = mean(self.query.mean_milliseconds, other.query.mean_milliseconds);
        self.rows = mean(self.rows, other.rows);
        self.query.rows = self.rows;
        self.query.calls = calls;
        self.blocks_read += other.blocks_read;
        self.blocks = self.blocks.zip(other.blocks).map(|(own, its)| own + its);
        self.temp_blocks += other.temp_blocks;
    }

    fn total(&self) -> f64 {
        self.query.mean_milliseconds.unwrap_or(0.0) * self.query.calls
    }
}

/// Statements of a file. `-- calls: 100, mean: 2.5 ms` before one tells its weight.
pub fn from_file(text: &str) -> Vec<Statement> {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("queries", text.to_owned()));
    let script = read_script(file, sources.file(file));
    let mut found = Vec::new();
    let mut end = 0;
    for statement in &script.statements {
        let range = statement.span.range();
        let before = text.get(end..range.start).unwrap_or_default();
        end = range.end;
        let sql = text.get(range).unwrap_or_default();
        if !is_plannable(sql) {
            continue;
        }
        found.push(Statement {
            query: Query {
                text: sql.to_owned(),
                calls: number(before, "calls:").unwrap_or(1.0),
                mean_milliseconds: number(before, "mean:"),
                sets: set_columns(sql),
                rows: number(before, "rows:"),
            },
            identifier: None,
            rows: number(before, "rows:"),
            blocks_read: 0.0,
            blocks: None,
            temp_blocks: 0.0,
        });
    }
    found
}

fn number(comment: &str, label: &str) -> Option<f64> {
    let (_, rest) = comment.split_once(label)?;
    let digits: String = rest.trim_start().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    digits.parse().ok()
}

/// The hottest first.
pub fn rank(statements: &mut [Statement], by: Rank) {
    let size = |it: &Statement| match by {
        Rank::Total => it.total(),
        Rank::Mean => it.query.mean_milliseconds.unwrap_or(0.0),
        Rank::Calls => it.query.calls,
        Rank::Rows => it.rows.unwrap_or(0.0) * it.query.calls,
        Rank::Io => it.blocks_read,
        Rank::Temp => it.temp_blocks,
    };
    statements.sort_by(|a, b| size(b).total_cmp(&size(a)));
}
