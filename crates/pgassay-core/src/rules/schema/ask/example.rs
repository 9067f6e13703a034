//! Statistics in an example: comments of the form `-- measured: table public.orders rows=4000000`.
//!
//! They are in the example's SQL, so that the documentation shows them where they belong. Kinds: table, column, index, sequence,
//! database, setting, activity, extension, query.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::change::{Name, QualifiedName};
use crate::facts::{
    ColumnFacts, ExtensionFacts, Facts, IndexFacts, Prepared, RelationFacts, SequenceFacts, Setting, Slot,
    StatementFacts, Timestamp, Use, ValueList, Workload,
};

/// The moment at which the examples' statistics were read.
const READ_AT: f64 = 1_767_225_600.0;

/// What the comments of an example say is measured; none if there are no such comments.
pub fn measured(sql: &str) -> Option<(Facts, Workload)> {
    let lines = measured_lines(sql);
    if lines.is_empty() {
        return None;
    }
    let mut facts = Facts::default();
    facts.server.read_at = Timestamp(READ_AT);
    facts.server.version_number = 150_000;
    facts.server.monitor = true;
    facts.database.stats_reset = Some(Timestamp(READ_AT - 30.0 * 86_400.0));
    let mut workload = Workload { source: "pg_stat_statements".to_owned(), ..Workload::default() };
    for line in lines {
        // A misspelt line fails the test of the examples.
        let _ = read(line, &mut facts, &mut workload);
    }
    Some((facts, workload))
}

fn measured_lines(sql: &str) -> Vec<&str> {
    sql.lines().filter_map(|line| line.trim().strip_prefix("-- measured:")).map(str::trim_start).collect()
}

/// # Errors
/// An unknown kind, or what of the line means nothing for its kind.
fn read(line: &str, facts: &mut Facts, workload: &mut Workload) -> Result<(), String> {
    let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
    if kind == "query" {
        let (numbers, text) = rest.split_once(": ").unwrap_or(("", rest));
        let numbers = Pairs::of(numbers);
        workload.statements.push(query(text, &numbers));
        return numbers.all_read(line);
    }
    let (name, numbers) = rest.split_once(' ').unwrap_or((rest, ""));
    let pairs = Pairs::of(if name.contains('=') { rest } else { numbers });
    match kind {
        "table" => drop(facts.relations.insert(qualified(name), table(&pairs))),
        "column" => {
            let (table, column) = name.rsplit_once('.').ok_or_else(|| format!("{line}: a column of which table?"))?;
            let relation = facts.relations.entry(qualified(table)).or_default();
            relation.columns.insert(Name::from(column), self::column(&pairs));
        }
        "index" => drop(facts.indexes.insert(qualified(name), index(&pairs))),
        "sequence" => drop(facts.sequences.insert(qualified(name), sequence(&pairs))),
        "setting" => {
            for (key, value) in &pairs.all {
                facts.settings.insert((*key).to_owned(), setting(value));
            }
            return Ok(());
        }
        "database" => facts.database.transaction_id_age = pairs.number("xid-age").map(|it| it as u64),
        "activity" => activity(&pairs, facts),
        "extension" => drop(facts.extensions.insert(Name::from(name), extension())),
        _ => return Err(format!("{line}: unknown kind {kind}")),
    }
    pairs.all_read(line)
}

fn query(text: &str, numbers: &Pairs) -> StatementFacts {
    let (calls, mean) = (numbers.number("calls").unwrap_or(1.0), numbers.number("mean").unwrap_or(1.0));
    StatementFacts {
        query: text.to_owned(),
        calls: calls as u64,
        mean_milliseconds: mean,
        total_milliseconds: calls * mean,
        user: numbers.text("user").unwrap_or_default().to_owned(),
        top_level: true,
        ..StatementFacts::default()
    }
}

fn index(pairs: &Pairs) -> IndexFacts {
    let mut index = IndexFacts::new(qualified(""));
    index.bytes = pairs.number("bytes").map(|it| it as u64);
    index.scans = pairs.number("scans").map(|it| it as u64);
    index.valid = pairs.text("valid") != Some("no");
    index
}

fn sequence(pairs: &Pairs) -> SequenceFacts {
    let whole = |key: &'static str| pairs.text(key).and_then(|text| text.parse().ok());
    SequenceFacts {
        last_value: whole("last"),
        max_value: whole("max").unwrap_or(i64::MAX),
        start: 1,
        increment: 1,
        ..SequenceFacts::default()
    }
}

fn setting(value: &str) -> Setting {
    Setting { value: value.to_owned(), source: "configuration file".to_owned(), ..Setting::default() }
}

fn activity(pairs: &Pairs, facts: &mut Facts) {
    if let Some(name) = pairs.text("slot") {
        facts.activity.slots.push(Slot {
            name: name.to_owned(),
            active: pairs.text("active") == Some("yes"),
            wal_status: pairs.text("wal-status").unwrap_or("reserved").to_owned(),
            retained_bytes: pairs.number("retained").map(|it| it as u64),
            inactive_seconds: pairs.number("inactive"),
        });
    }
    if let Some(identifier) = pairs.text("prepared") {
        facts.activity.prepared.push(Prepared {
            identifier: identifier.to_owned(),
            seconds: pairs.number("age").unwrap_or(0.0),
            ..Prepared::default()
        });
    }
}

fn extension() -> ExtensionFacts {
    ExtensionFacts { installed_version: Some("1.10".to_owned()), ..ExtensionFacts::default() }
}

fn table(pairs: &Pairs) -> RelationFacts {
    let whole = |key: &'static str| pairs.number(key).unwrap_or(0.0) as u64;
    let analyzed = pairs.text("analyzed") != Some("never");
    RelationFacts {
        rows: pairs.number("rows"),
        heap_bytes: pairs.number("bytes").map(|it| it as u64),
        transaction_id_age: pairs.number("xid-age").map(|it| it as u64),
        activity: Some(Use {
            live_rows: whole("rows"),
            dead_rows: whole("dead"),
            inserts: whole("inserts"),
            updates: whole("updates"),
            deletes: whole("deletes"),
            modified_since_analyze: whole("modified"),
            sequential_scans: whole("scans"),
            last_autoanalyze: analyzed.then_some(Timestamp(READ_AT - 3600.0)),
            ..Use::default()
        }),
        ..RelationFacts::default()
    }
}

fn column(pairs: &Pairs) -> ColumnFacts {
    let share = |key: &'static str| pairs.number(key).unwrap_or(0.0) as f32;
    let frequencies: Vec<f32> =
        pairs.text("common").map(|list| list.split(',').filter_map(|it| it.parse().ok()).collect()).unwrap_or_default();
    let sentinels = pairs.text("empty").and_then(|it| it.parse().ok()).map(|share| (String::new(), share));
    let document = pairs.text("empty-object").and_then(|it| it.parse().ok()).map(|share| ("{}".to_owned(), share));
    ColumnFacts {
        null_fraction: share("null"),
        average_width: share("width") as i32,
        n_distinct: share("distinct"),
        most_common_values: pairs.text("values").map(|list| ValueList::new(format!("{{{list}}}"))),
        histogram: pairs.text("bounds").map(|list| ValueList::new(format!("{{{list}}}"))),
        most_common_frequencies: frequencies,
        sentinels: sentinels.into_iter().chain(document).collect(),
        ..ColumnFacts::default()
    }
}

fn qualified(name: &str) -> QualifiedName {
    let (schema, name) = name.split_once('.').unwrap_or(("public", name));
    QualifiedName::new(schema, name)
}

/// `key=value` in a line.
struct Pairs<'t> {
    all: Vec<(&'t str, &'t str)>,
    /// What comes before the first pair.
    others: Vec<&'t str>,
    /// The keys that something asked for.
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'t> Pairs<'t> {
    fn of(text: &'t str) -> Pairs<'t> {
        // A value goes on until the next key: lists have spaces in them.
        let is_key = |word: &&str| word.contains('=');
        let others: Vec<&str> = text.split_whitespace().take_while(|word| !is_key(word)).collect();
        let keys = text.split_whitespace().filter(is_key).map(|word| word.as_ptr() as usize - text.as_ptr() as usize);
        let starts: Vec<usize> = keys.chain([text.len()]).collect();
        let pairs = starts.windows(2).filter_map(|range| text.get(range[0]..range[1]));
        let all = pairs.filter_map(|pair| pair.trim_end().split_once('=')).collect();
        Pairs { all, others, asked: RefCell::default() }
    }

    fn text(&self, key: &'static str) -> Option<&'t str> {
        self.asked.borrow_mut().insert(key);
        self.all.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    fn number(&self, key: &'static str) -> Option<f64> {
        self.text(key)?.parse().ok()
    }

    fn all_read(&self, line: &str) -> Result<(), String> {
        let asked = self.asked.borrow();
        let unread = self.all.iter().map(|(key, _)| *key).filter(|key| !asked.contains(key)).chain(self.others.clone());
        match unread.collect::<Vec<_>>()[..] {
            [] => Ok(()),
            ref unread => Err(format!("{line}: means nothing: {}", unread.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    #[test]
    fn examples_say_nothing_that_is_not_read() {
        let (mut facts, mut workload) = (Facts::default(), Workload::default());
        for rule in rules::ALL {
            for line in [&rule.fires, &rule.quiet].iter().flat_map(|example| measured_lines(example.migration)) {
                assert_eq!(read(line, &mut facts, &mut workload), Ok(()), "{}", rule.name);
            }
        }
        for line in
            ["tabel a rows=1", "table a row=1", "column orders null=1", "query call=1: SELECT 1", "table a 5 rows=1"]
        {
            assert!(read(line, &mut facts, &mut workload).is_err(), "{line}");
        }
    }
}
