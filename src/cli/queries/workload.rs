//! The statements to look at, from pg_stat_statements or from a file.

use clap::ValueEnum;
use pgassay::advisor::{Counted, Query};
use pgassay::change::Name;
use pgassay::facts::{Facts, StatementFacts, Workload};
use pgassay::source::{SourceFile, Sources};
use pgassay::sql::read_script;
use pgassay::whatif::{Prepared, is_plannable, reads_catalogs, set_columns};

use super::placeholders::numbered;
use super::sources::Read;
use super::words::shortened;

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

/// Statements of the same text by several users are one.
pub fn from_statistics(workload: &Workload) -> Vec<Statement> {
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

/// Statements of a file. `-- calls: 100, mean: 2.5 ms` before one tells its weight; `total: 4 s` does instead of the mean.
pub fn from_file(text: &str) -> Read {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("queries", text.to_owned()));
    let script = read_script(file, sources.file(file));
    let mut found = Read::default();
    let mut end = 0;
    for statement in &script.statements {
        let range = statement.span.range();
        let before = text.get(end..range.start).unwrap_or_default();
        let line = text.get(..range.start).unwrap_or_default().matches('\n').count() + 1;
        end = range.end;
        let sql = numbered(text.get(range).unwrap_or_default());
        if !is_plannable(&sql) {
            found.notes.push(format!("line {line}: not looked at, it is no query: {}", shortened(&sql, 60)));
            continue;
        }
        let sql = sql.as_str();
        let mut told = |label: &str, unit: Unit| {
            read_label(before, label, unit).unwrap_or_else(|text| {
                found.notes.push(format!("line {line}: not understood: {label} {text}"));
                None
            })
        };
        let calls = told("calls:", Unit::None).unwrap_or(1.0);
        let total = told("total:", Unit::Milliseconds).map(|total| total / calls.max(1.0));
        let (mean, rows) = (told("mean:", Unit::Milliseconds).or(total), told("rows:", Unit::None));
        let role = before.split_once("role:").map(|(_, rest)| rest.trim_start());
        let end = |rest: &str| rest.find([',', '\n']).unwrap_or(rest.len());
        let role = role.map(|rest| rest[..end(rest)].trim().to_owned()).filter(|name| !name.is_empty());
        let statement = Statement::of(sql, calls, mean, rows);
        found.statements.push(Statement { role, ..statement });
    }
    found
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    None,
    Milliseconds,
}

/// The number after a label, in milliseconds if it is a time; `Err` has what is there instead of one above zero.
fn read_label(comment: &str, label: &str, unit: Unit) -> Result<Option<f64>, String> {
    let Some((_, rest)) = comment.split_once(label) else { return Ok(None) };
    let rest = rest.trim_start();
    let told = || rest.lines().next().unwrap_or_default().split(", ").next().unwrap_or_default().trim().to_owned();
    let number = read_number(rest).filter(|number| *number >= 0.0).ok_or_else(told)?;
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit() || ".,_".contains(c)).trim_start_matches(' ');
    let word: String = after.chars().take_while(|c| c.is_alphabetic()).collect();
    let factor = match (unit, word.as_str()) {
        // `calls: 1e3`.
        (Unit::None, "e" | "E") => return Err(told()),
        (Unit::None, _) | (Unit::Milliseconds, "" | "ms" | "millisecond" | "milliseconds") => 1.0,
        (Unit::Milliseconds, "us" | "µs" | "μs" | "microseconds") => 0.001,
        (Unit::Milliseconds, "s" | "sec" | "second" | "seconds") => 1000.0,
        (Unit::Milliseconds, "m" | "min" | "minute" | "minutes") => 60_000.0,
        (Unit::Milliseconds, "h" | "hour" | "hours") => 3_600_000.0,
        (Unit::Milliseconds, label) if after[word.len()..].starts_with(':') && !label.is_empty() => 1.0,
        (Unit::Milliseconds, _) => return Err(told()),
    };
    Ok(Some(number * factor))
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
    fn times_have_units_and_what_is_no_number_is_said() {
        let one = |comment: &str| {
            let read = from_file(&format!("-- {comment}\nSELECT 1;"));
            let query = &read.statements[0].query;
            (query.calls, query.mean_milliseconds, read.notes.len())
        };
        assert_eq!(one("calls: 40, mean: 4 s"), (40.0, Some(4000.0), 0));
        assert_eq!(one("mean: 2 min, calls: 3"), (3.0, Some(120_000.0), 0));
        assert_eq!(one("mean: 800 µs"), (1.0, Some(0.8), 0));
        assert_eq!(one("mean: 12,5 ms"), (1.0, Some(12.5), 0));
        assert_eq!(one("mean: 7, rows: 3"), (1.0, Some(7.0), 0));
        assert_eq!(one("calls: 10, total: 9,000 ms"), (10.0, Some(900.0), 0));
        assert_eq!(one("calls: many, mean: 3 fortnights"), (1.0, None, 2));
        assert_eq!(one("calls: -5"), (1.0, None, 1));
        assert_eq!(one("calls: 1e3"), (1.0, None, 1));
    }

    #[test]
    fn what_is_no_query_is_said_with_its_line() {
        let read = from_file("SELECT 1;\nSELEC broken;\nVACUUM t;");
        assert_eq!(read.statements.len(), 1);
        assert_eq!(read.notes.len(), 2);
        assert!(read.notes[0].starts_with("line 2: ") && read.notes[0].contains("SELEC broken"), "{}", read.notes[0]);
    }

    #[test]
    fn a_comment_before_a_statement_tells_its_weight() {
        let found = from_file("-- calls: 1,200, mean: 2.5 ms\nSELECT a FROM t WHERE b = :b AND c = :c;").statements;
        assert_eq!((found[0].query.calls, found[0].query.mean_milliseconds), (1200.0, Some(2.5)));
        assert_eq!(found[0].query.text, "SELECT a FROM t WHERE b = $1 AND c = $2");
    }
}
