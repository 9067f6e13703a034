//! Queries from what other tools write: logs of the server, of Rails and of Prisma, exports of statistics, folders of sqlx and sqlc.
//!
//! In: a file or a folder. Out: statements with their calls and times, as far as those are told. Which kind it is is told by its content.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use pgassay::facts::Command;
use pgassay::whatif::{is_plannable, without_constants};
use serde_json::Value;

use super::left_out::Utility;
use super::period::{Window, moment};
use super::placeholders::numbered;
use super::workload::{Statement, from_file};

/// What was found, and the days in which it was called, where a log tells them.
#[derive(Default)]
pub struct Read {
    pub statements: Vec<Statement>,
    pub days: Option<f64>,
    pub utility: Utility,
    /// What was not understood, with its place.
    pub notes: Vec<String>,
    /// What it was taken for.
    pub kind: &'static str,
}

/// Reads a file, or every file of a folder that holds queries.
pub fn read(path: &Path) -> anyhow::Result<Read> {
    if !path.is_dir() {
        let bytes = std::fs::read(path).with_context(|| format!("{} could not be read", path.display()))?;
        let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", path.display()))?;
        return of_text(&text).with_context(|| format!("{} could not be read", path.display()));
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("{} could not be read", path.display()))?;
    let mut files: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "sql" || it == "json") && file.is_file());
    files.sort();
    let mut found = Read { kind: "a folder of .sql and .json files", ..Read::default() };
    for file in &files {
        let read = read(file)?;
        found.statements.extend(read.statements);
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        found.notes.extend(read.notes.into_iter().map(|note| format!("{name}: {note}")));
    }
    Ok(found)
}

fn of_text(text: &str) -> anyhow::Result<Read> {
    let start = text.trim_start();
    if start.starts_with('{') || start.starts_with('[') {
        return json(text);
    }
    let mut logged = Logged::default();
    if let Some(rows) = table(text)? {
        rows.into_iter().for_each(|row| logged.count(row));
        return Ok(logged.statements("CSV"));
    }
    log(text, &mut logged);
    match logged.is_empty() {
        true => Ok(Read { kind: "SQL", ..from_file(text) }),
        false => Ok(logged.statements("a log")),
    }
}

/// A statement as it was found somewhere.
#[derive(Debug, Default)]
struct Found {
    text: String,
    calls: f64,
    milliseconds: Option<f64>,
    rows: Option<f64>,
    /// When it ended, in days.
    at: Option<f64>,
    /// Told by auto_explain, which may tell what log_min_duration_statement tells too.
    explained: bool,
}

/// `.sqlx/query-….json`, statistics as JSON, or the server's jsonlog: one value, a list, or one a line.
fn json(text: &str) -> anyhow::Result<Read> {
    let mut logged = Logged::default();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value.context("not JSON")? {
            Value::Array(values) => values.iter().filter_map(of_value).for_each(|found| logged.count(found)),
            value => of_value(&value).into_iter().for_each(|found| logged.count(found)),
        }
    }
    Ok(logged.statements("JSON"))
}

fn of_value(value: &Value) -> Option<Found> {
    if let Some(message) = value.get("message").and_then(Value::as_str) {
        let at = value.get("timestamp").and_then(Value::as_str).and_then(moment);
        let detail = value.get("detail").and_then(Value::as_str).unwrap_or_default();
        return of_message(message, detail).map(|found| Found { at, ..found });
    }
    let text = QUERY.iter().find_map(|name| value.get(*name)?.as_str())?;
    let number = |names: &[&str]| {
        names.iter().find_map(|name| {
            let value = value.get(*name)?;
            value.as_f64().or_else(|| value.as_str()?.replace(',', "").parse().ok())
        })
    };
    Some(of_counts(text, &number))
}

/// Names of columns in exports of pg_stat_statements, pg_stat_monitor, RDS and Cloud SQL.
const QUERY: &[&str] = &["query", "statement", "normalized_query", "querystring", "db.sql.statement"];
const CALLS: &[&str] = &["calls", "count", "executions", "execution_count"];
const TOTAL: &[&str] = &["total_exec_time", "total_time", "total_latency"];
const MEAN: &[&str] = &["mean_exec_time", "mean_time", "avg_latency", "avg_execution_time"];
const ROWS: &[&str] = &["rows", "rows_retrieved", "avg_rows"];

fn of_counts(text: &str, number: &dyn Fn(&[&str]) -> Option<f64>) -> Found {
    let calls = number(CALLS).unwrap_or(1.0).max(1.0);
    let total = number(TOTAL).or_else(|| number(MEAN).map(|mean| mean * calls));
    Found { text: text.to_owned(), calls, milliseconds: total, rows: number(ROWS), ..Found::default() }
}

/// A CSV table with a column of queries, or the server's csvlog; `None` if it is neither.
fn table(text: &str) -> anyhow::Result<Option<Vec<Found>>> {
    let first = text.lines().next().unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let names: Vec<String> = first.split(',').map(|name| name.trim().trim_matches('"').to_lowercase()).collect();
    let has_query = names.len() > 1 && names.iter().any(|name| QUERY.contains(&name.as_str()));
    // Column 14 of a csvlog is the message (manual, "Using CSV-Format Log Output").
    const MESSAGE: usize = 13;
    let is_log = || first.split(',').count() > MESSAGE && first.starts_with(|c: char| c.is_ascii_digit());
    if !has_query && !is_log() {
        return Ok(None);
    }
    let mut found = Vec::new();
    for (line, record) in reader.records().enumerate() {
        let record = record?;
        if !has_query {
            let at = record.get(0).and_then(moment);
            let detail = record.get(MESSAGE + 1).unwrap_or_default();
            let told = record.get(MESSAGE).and_then(|message| of_message(message, detail));
            found.extend(told.map(|found| Found { at, ..found }));
        } else if line > 0 {
            let of = |wanted: &[&str]| {
                let place = wanted.iter().find_map(|wanted| names.iter().position(|name| name == wanted))?;
                record.get(place)
            };
            let number = |wanted: &[&str]| of(wanted)?.replace(',', "").parse().ok();
            found.extend(of(QUERY).map(|text| of_counts(text, &number)));
        }
    }
    Ok(Some(found))
}

/// The server's log on stderr, with log_min_duration_statement or auto_explain; or what Rails and Prisma write.
fn log(text: &str, logged: &mut Logged) {
    let (mut message, mut detail) = (String::new(), String::new());
    let mut at = None;
    let count = |message: &str, detail: &str, at: Option<f64>, logged: &mut Logged| {
        of_message(message, detail).into_iter().for_each(|found| logged.count(Found { at, ..found }));
    };
    for line in text.lines() {
        // A message of several lines goes on after a tab.
        if let (Some(more), false) = (line.strip_prefix('\t'), message.is_empty()) {
            let part = if detail.is_empty() { &mut message } else { &mut detail };
            part.push('\n');
            part.push_str(more);
            continue;
        }
        if let (Some(place), false) = (line.find("DETAIL:  "), message.is_empty()) {
            detail = line[place + "DETAIL:  ".len()..].to_owned();
            continue;
        }
        count(&std::mem::take(&mut message), &std::mem::take(&mut detail), at, logged);
        match line.find("duration: ").filter(|_| line.contains("LOG:")) {
            Some(place) => {
                at = moment(line);
                message = line[place..].to_owned();
            }
            None => of_framework(line).into_iter().for_each(|found| logged.count(found)),
        }
    }
    count(&message, &detail, at, logged);
}

/// `duration: 12.3 ms  statement: SELECT …`, `duration: 12.3 ms  execute name: SELECT …`, `duration: 12.3 ms  plan:\nQuery Text: SELECT …`. Of EXECUTE the
/// detail has the statement: `prepare: PREPARE name AS SELECT …`.
fn of_message(message: &str, detail: &str) -> Option<Found> {
    let (time, rest) = message.strip_prefix("duration: ")?.split_once(" ms")?;
    let milliseconds = Some(time.trim().parse().ok()?);
    let rest = rest.trim_start();
    let text = match rest.strip_prefix("plan:") {
        Some(plan) => {
            let (_, text) = plan.split_once("Query Text: ")?;
            // The plan begins with its cost.
            let lines: Vec<&str> = text.lines().take_while(|line| !line.contains("(cost=")).collect();
            lines.join("\n")
        }
        None => {
            let text = rest
                .strip_prefix("statement: ")
                .or_else(|| rest.strip_prefix("execute ")?.split_once(": ").map(|(_, text)| text))?;
            detail.strip_prefix("prepare: ").unwrap_or(text).to_owned()
        }
    };
    let text = prepared(&text).map_or(text.clone(), str::to_owned);
    let explained = rest.starts_with("plan:");
    Some(Found { text, calls: 1.0, milliseconds, explained, ..Found::default() })
}

/// What `PREPARE name (types) AS` prepares.
fn prepared(text: &str) -> Option<&str> {
    let verb = text.trim_start().get(..7)?;
    if !verb.eq_ignore_ascii_case("prepare") {
        return None;
    }
    // Types may have parentheses, and no word AS.
    let mut words =
        text.char_indices().filter(|(at, _)| text[..*at].ends_with(|c: char| c.is_whitespace() || c == ')'));
    let (at, _) = words.find(|(at, _)| {
        let rest = &text.as_bytes()[*at..];
        matches!(rest, [b'a' | b'A', b's' | b'S', next, ..] if next.is_ascii_whitespace())
    })?;
    Some(text[at + 2..].trim_start())
}

/// `User Load (1.2ms)  SELECT … [["id", 1]]` of Rails, `prisma:query SELECT …` of Prisma.
fn of_framework(line: &str) -> Option<Found> {
    if let Some((_, text)) = line.split_once("prisma:query ") {
        return Some(Found { text: text.to_owned(), calls: 1.0, ..Found::default() });
    }
    let plain = without_colours(line);
    let (head, rest) = plain.split_once("ms)")?;
    let milliseconds: f64 = head.rsplit_once('(')?.1.trim().parse().ok()?;
    let text = rest.trim();
    let text = text.rfind(" [[").map_or(text, |at| &text[..at]);
    is_plannable(text).then(|| Found {
        text: text.trim().to_owned(),
        calls: 1.0,
        milliseconds: Some(milliseconds),
        ..Found::default()
    })
}

/// Without the sequences that colour a terminal.
fn without_colours(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('\u{1b}') {
        text.push_str(&rest[..at]);
        let end = rest[at..].find(|c: char| c.is_ascii_alphabetic()).map_or(rest.len(), |end| at + end + 1);
        rest = &rest[end..];
    }
    text + rest
}

/// Statements that differ by their constants only are one.
#[derive(Default)]
struct Logged {
    groups: BTreeMap<String, Group>,
    window: Window,
    utility: Utility,
    /// Rows whose text the role that exported them could not read.
    hidden: usize,
}

#[derive(Default)]
struct Group {
    first: String,
    differ: bool,
    /// As log_min_duration_statement tells them and as auto_explain does: both may tell of the same calls.
    counts: [Counts; 2],
}

#[derive(Default)]
struct Counts {
    calls: f64,
    milliseconds: Option<f64>,
    rows: Option<f64>,
}

impl Logged {
    fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.utility.statements == 0
    }

    fn count(&mut self, found: Found) {
        let text = numbered(found.text.trim().trim_end_matches(';'));
        if text == "<insufficient privilege>" {
            self.hidden += 1;
            return;
        }
        if !is_plannable(&text) {
            self.utility.add(&Command::of(&text, found.milliseconds.unwrap_or(0.0)));
            return;
        }
        self.window.add(found.at);
        let group = self.groups.entry(without_constants(&text)).or_default();
        if group.first.is_empty() {
            group.first.clone_from(&text);
        }
        group.differ |= group.first != text;
        let group = &mut group.counts[usize::from(found.explained)];
        group.calls += found.calls;
        let sum = |one: Option<f64>, other: Option<f64>| match (one, other) {
            (Some(one), Some(other)) => Some(one + other),
            (one, other) => one.or(other),
        };
        group.milliseconds = sum(group.milliseconds, found.milliseconds);
        group.rows = sum(group.rows, found.rows);
    }

    fn statements(self, kind: &'static str) -> Read {
        let statement = |(folded, group): (String, Group)| {
            // A constant that is always the same is one of the query's.
            let text = if group.differ { folded } else { group.first };
            let [told, explained] = group.counts;
            let its = if explained.calls > told.calls { explained } else { told };
            let mean = its.milliseconds.map(|all| all / its.calls);
            Statement::of(&text, its.calls, mean, its.rows.map(|all| all / its.calls))
        };
        let hidden = (self.hidden > 0).then(|| {
            format!(
                "{} statements have no text: whoever exported them may not read it (GRANT pg_read_all_stats)",
                self.hidden
            )
        });
        Read {
            days: self.window.days(),
            statements: self.groups.into_iter().map(statement).collect(),
            utility: self.utility,
            notes: hidden.into_iter().collect(),
            kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(String, f64, Option<f64>)> {
        let found = of_text(text).expect("statements").statements;
        found.into_iter().map(|it| (it.query.text, it.query.calls, it.query.mean_milliseconds)).collect()
    }

    #[test]
    fn a_log_of_the_server_is_read_in_every_form() {
        let stderr = "2024-01-01 10:00:00 UTC [7] LOG:  duration: 4.000 ms  statement: SELECT a FROM t\n\tWHERE b = 1;\n\
                      2024-01-01 10:00:01 UTC [7] LOG:  duration: 6.000 ms  execute <unnamed>: SELECT a FROM t WHERE b = 22\n\
                      2024-01-01 10:00:02 UTC [7] LOG:  checkpoint starting: time\n";
        assert_eq!(told(stderr), [("SELECT a FROM t WHERE b = $1".to_owned(), 2.0, Some(5.0))]);
        let json = "{\"message\":\"duration: 3.0 ms  statement: SELECT a FROM t WHERE b = 1\"}\n{\"message\":\"checkpoint complete\"}\n";
        assert_eq!(told(json), [("SELECT a FROM t WHERE b = 1".to_owned(), 1.0, Some(3.0))]);
        let csv = "2024-01-01 10:00:00.000 UTC,\"u\",\"d\",7,\"[local]\",65,1,\"SELECT\",2024-01-01 10:00:00 UTC,3/4,0,LOG,00000,\
                   \"duration: 2.5 ms  statement: SELECT a, \"\"B\"\" FROM t\",,,,,,,,,\"psql\",\"client backend\",,0\n";
        assert_eq!(told(csv), [("SELECT a, \"B\" FROM t".to_owned(), 1.0, Some(2.5))]);
        let plan = "2024 LOG:  duration: 9.0 ms  plan:\n\tQuery Text: SELECT a\n\tFROM t\n\tSeq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n";
        assert_eq!(told(plan), [("SELECT a\nFROM t".to_owned(), 1.0, Some(9.0))]);
    }

    #[test]
    fn a_call_that_is_logged_twice_is_one() {
        let log = "2024 LOG:  duration: 9.0 ms  plan:\n\tQuery Text: SELECT a FROM t WHERE b = 1\n\tSeq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n\
                   2024 LOG:  duration: 9.2 ms  statement: SELECT a FROM t WHERE b = 1\n";
        assert_eq!(told(log), [("SELECT a FROM t WHERE b = 1".to_owned(), 1.0, Some(9.2))]);
    }

    #[test]
    fn prepared_statements_are_what_they_prepare() {
        let log = "2024 LOG:  duration: 4.0 ms  statement: EXECUTE p(1, 'x')\n2024 DETAIL:  prepare: PREPARE p(int, numeric(5,2)) AS SELECT a\n\tFROM t WHERE b = $1\n";
        assert_eq!(told(log), [("SELECT a\nFROM t WHERE b = $1".to_owned(), 1.0, Some(4.0))]);
        let plan = "2024 LOG:  duration: 9.0 ms  plan:\n\tQuery Text: PREPARE p AS SELECT a FROM t\n\tSeq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n";
        assert_eq!(told(plan), [("SELECT a FROM t".to_owned(), 1.0, Some(9.0))]);
    }

    #[test]
    fn what_has_no_plan_is_counted() {
        let read = of_text("query,calls,total_exec_time\n\"COPY t FROM STDIN\",1,500\n<insufficient privilege>,1,9\n\"SELECT a, b FROM t\",1,2\n")
            .expect("statements");
        assert_eq!((read.statements.len(), read.utility.statements, read.notes.len()), (1, 1, 1));
        assert_eq!((read.utility.milliseconds, read.utility.slowest.as_str()), (500.0, "COPY"));
    }

    #[test]
    fn a_log_tells_how_long_its_calls_took_to_come() {
        let line = |time: &str| format!("{time} UTC [7] LOG:  duration: 4.0 ms  statement: SELECT a FROM t\n");
        let days = |text: String| of_text(&text).expect("statements").days;
        assert_eq!(days(line("2024-02-28 12:00:00") + &line("2024-03-01 12:00:00.000")), Some(2.0));
        assert_eq!(days(line("2024-02-28 12:00:00")), None);
        assert_eq!(days("-- calls: 3\nSELECT a FROM t;".to_owned()), None);
    }

    #[test]
    fn what_frameworks_log_is_read() {
        let rails = "  \u{1b}[1m\u{1b}[36mUser Load (1.5ms)\u{1b}[0m  \u{1b}[1m\u{1b}[34mSELECT \"users\".* FROM \"users\" WHERE \"users\".\"id\" = $1 LIMIT $2\u{1b}[0m  [[\"id\", 7], [\"LIMIT\", 1]]\n";
        assert_eq!(
            told(rails),
            [("SELECT \"users\".* FROM \"users\" WHERE \"users\".\"id\" = $1 LIMIT $2".to_owned(), 1.0, Some(1.5))]
        );
        assert_eq!(
            told("prisma:query SELECT 1 FROM \"public\".\"t\" WHERE a = $1\n")[0].0,
            "SELECT 1 FROM \"public\".\"t\" WHERE a = $1"
        );
    }

    #[test]
    fn exports_of_statistics_are_read() {
        let csv = "query,calls,total_exec_time,rows\n\"SELECT a, b FROM t WHERE c = $1\",10,50.5,30\n";
        assert_eq!(told(csv), [("SELECT a, b FROM t WHERE c = $1".to_owned(), 10.0, Some(5.05))]);
        let json = "[{\"query\": \"SELECT a FROM t WHERE c = $1\", \"calls\": 4, \"mean_exec_time\": 2.0}]";
        assert_eq!(told(json), [("SELECT a FROM t WHERE c = $1".to_owned(), 4.0, Some(2.0))]);
        let sqlx = "{\"db_name\": \"PostgreSQL\", \"query\": \"SELECT a FROM t WHERE c = $1\", \"describe\": {}}";
        assert_eq!(told(sqlx), [("SELECT a FROM t WHERE c = $1".to_owned(), 1.0, None)]);
    }

    #[test]
    fn sql_is_read_as_sql() {
        assert_eq!(told("-- calls: 3\nSELECT a FROM t;\nSELECT b, c FROM t;").len(), 2);
    }
}
