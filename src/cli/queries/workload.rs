//! The statements to look at, from pg_stat_statements or from a file.

use clap::ValueEnum;
use pgassay::advisor::{Counted, Query};
use pgassay::change::Name;
use pgassay::facts::{Facts, StatementFacts, Workload};
use pgassay::source::{SourceFile, Sources};
use pgassay::sql::read_script;
use pgassay::whatif::{Prepared, is_plannable, reads_catalogs, set_columns};

use super::placeholders::numbered;

/// A statement with what was counted of it.
#[derive(Debug, Clone)]
pub struct Statement {
    pub query: Query,
    /// As pg_stat_statements has it.
    pub identifier: Option<i64>,
    /// The role that runs it; of several, the one whose calls take most time.
    pub role: Option<String>,
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
    /// A statement of which no more is known than its text, calls, milliseconds and rows of one call.
    pub fn of(text: &str, calls: f64, mean_milliseconds: Option<f64>, rows: Option<f64>) -> Statement {
        let sets = set_columns(text);
        Statement {
            query: Query { text: text.to_owned(), calls, mean_milliseconds, sets, rows },
            identifier: None,
            role: None,
            rows,
            blocks_read: 0.0,
            blocks: None,
            temp_blocks: 0.0,
        }
    }

    /// To be planned as the role that runs it, if that is one whom policies can bind.
    pub fn prepared(&self, facts: &Facts) -> Prepared {
        let bound = |name: &&String| {
            let role = facts.roles.get(&Name::new(name));
            role.is_some_and(|role| !role.superuser && !role.bypasses_row_security)
        };
        Prepared::new(&self.query.text, self.rows).run_by(self.role.as_ref().filter(bound).cloned())
    }

    /// Of one call.
    pub fn counted(&self) -> Counted {
        let blocks = self.blocks.map(|blocks| blocks / self.query.calls.max(1.0));
        Counted { blocks, rows: self.rows }
    }
}

/// Statements that have no plan, and what they take.
#[derive(Debug, Clone, Default)]
pub struct Utility {
    pub statements: usize,
    pub milliseconds: f64,
    /// The one that takes most.
    pub slowest: String,
}

/// COPY, CREATE TABLE AS, cursors, DO and the like: none of them is looked at.
pub fn utility(workload: &Workload) -> Utility {
    let others = workload.statements.iter().filter(|it| it.calls > 0 && !is_plannable(&it.query));
    let others: Vec<&StatementFacts> = others.filter(|it| !is_of_transactions(&it.query)).collect();
    let slowest = others.iter().max_by(|a, b| a.total_milliseconds.total_cmp(&b.total_milliseconds));
    Utility {
        statements: others.len(),
        milliseconds: others.iter().map(|it| it.total_milliseconds).sum(),
        slowest: slowest.map(|it| it.query.clone()).unwrap_or_default(),
    }
}

fn is_of_transactions(text: &str) -> bool {
    const VERBS: &[&str] = &[
        "begin",
        "start",
        "commit",
        "end",
        "rollback",
        "abort",
        "savepoint",
        "release",
        "set",
        "reset",
        "show",
        "discard",
        "deallocate",
    ];
    let word: String = text.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
    VERBS.iter().any(|verb| word.eq_ignore_ascii_case(verb))
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
            role: Some(facts.user.clone()).filter(|name| !name.is_empty()),
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
        let sql = numbered(text.get(range).unwrap_or_default());
        if !is_plannable(&sql) {
            continue;
        }
        let sql = sql.as_str();
        let calls = number(before, "calls:").unwrap_or(1.0);
        let role = before.split_once("role:").map(|(_, rest)| rest.trim_start());
        let end = |rest: &str| rest.find([',', '\n']).unwrap_or(rest.len());
        let role = role.map(|rest| rest[..end(rest)].trim().to_owned()).filter(|name| !name.is_empty());
        let statement = Statement::of(sql, calls, number(before, "mean:"), number(before, "rows:"));
        found.push(Statement { role, ..statement });
    }
    found
}

fn number(comment: &str, label: &str) -> Option<f64> {
    let (_, rest) = comment.split_once(label)?;
    read_number(rest.trim_start())
}

/// `1200`, `3.5`, and as it is printed here: `1,200`. A comma before other than three digits is one of decimals.
fn read_number(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',' && c != '_').unwrap_or(text.len());
    let digits = text[..end].trim_end_matches([',', '.']).replace('_', "");
    let groups: Vec<&str> = digits.split(',').collect();
    let thousands = groups.len() > 1
        && groups[1..].iter().all(|group| group.split('.').next().is_some_and(|whole| whole.len() == 3));
    match groups[..] {
        _ if thousands => digits.replace(',', "").parse().ok(),
        [whole, decimals] => format!("{whole}.{decimals}").parse().ok(),
        _ => digits.parse().ok(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(read_number("1200, mean: 3"), Some(1200.0));
        assert_eq!(read_number("1,200, mean: 3"), Some(1200.0));
        assert_eq!(read_number("12,345,678"), Some(12_345_678.0));
        assert_eq!(read_number("3,5 ms"), Some(3.5));
        assert_eq!(read_number("3.5 ms"), Some(3.5));
        assert_eq!(read_number("1,234.5 ms"), Some(1234.5));
        assert_eq!(read_number("many"), None);
    }

    #[test]
    fn a_comment_before_a_statement_tells_its_weight() {
        let found = from_file("-- calls: 1,200, mean: 2.5 ms\nSELECT a FROM t WHERE b = :b AND c = :c;");
        assert_eq!((found[0].query.calls, found[0].query.mean_milliseconds), (1200.0, Some(2.5)));
        assert_eq!(found[0].query.text, "SELECT a FROM t WHERE b = $1 AND c = $2");
    }
}
