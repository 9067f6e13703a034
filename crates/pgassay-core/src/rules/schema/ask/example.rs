//! Statistics in an example: comments of the form `-- measured: table public.orders rows=4000000`.
//!
//! They stand in the example's SQL, so that the documentation shows them where they belong. Kinds: table, column, index, sequence,
//! database, server, setting, activity, query.

use crate::change::{Name, QualifiedName};
use crate::facts::{
    ColumnFacts, Facts, IndexFacts, Prepared, RelationFacts, SequenceFacts, Setting, Slot, StatementFacts, Timestamp,
    Use, ValueList, Workload,
};

/// The moment at which the examples' statistics were read.
const READ_AT: f64 = 1_767_225_600.0;

/// What the comments of an example say is measured; none if there are no such comments.
pub fn measured(sql: &str) -> Option<(Facts, Workload)> {
    let lines: Vec<&str> = sql.lines().filter_map(|line| line.trim().strip_prefix("-- measured: ")).collect();
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
        read(line, &mut facts, &mut workload);
    }
    Some((facts, workload))
}

fn read(line: &str, facts: &mut Facts, workload: &mut Workload) {
    let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
    if kind == "query" {
        let (numbers, query) = rest.split_once(": ").unwrap_or(("", rest));
        let numbers = Pairs::of(numbers);
        let (calls, mean) = (numbers.number("calls").unwrap_or(1.0), numbers.number("mean").unwrap_or(1.0));
        workload.statements.push(StatementFacts {
            query: query.to_owned(),
            calls: calls as u64,
            mean_milliseconds: mean,
            total_milliseconds: calls * mean,
            user: numbers.text("user").unwrap_or_default().to_owned(),
            top_level: true,
            ..StatementFacts::default()
        });
        return;
    }
    let (name, numbers) = rest.split_once(' ').unwrap_or((rest, ""));
    let pairs = Pairs::of(if name.contains('=') { rest } else { numbers });
    match kind {
        "table" => {
            facts.relations.insert(qualified(name), table(&pairs));
        }
        "column" => {
            let Some((table, column)) = name.rsplit_once('.') else { return };
            let relation = facts.relations.entry(qualified(table)).or_default();
            relation.columns.insert(Name::from(column), self::column(&pairs));
        }
        "index" => {
            let mut index = IndexFacts::new(qualified(""));
            index.bytes = pairs.number("bytes").map(|it| it as u64);
            index.scans = pairs.number("scans").map(|it| it as u64);
            index.valid = pairs.text("valid") != Some("no");
            facts.indexes.insert(qualified(name), index);
        }
        "sequence" => {
            let whole = |key| pairs.text(key).and_then(|text| text.parse().ok());
            let sequence = SequenceFacts {
                last_value: whole("last"),
                max_value: whole("max").unwrap_or(i64::MAX),
                start: 1,
                increment: 1,
                ..SequenceFacts::default()
            };
            facts.sequences.insert(qualified(name), sequence);
        }
        "setting" => {
            for (key, value) in &pairs.0 {
                let setting = Setting {
                    value: (*value).to_owned(),
                    source: "configuration file".to_owned(),
                    ..Setting::default()
                };
                facts.settings.insert((*key).to_owned(), setting);
            }
        }
        "database" => facts.database.transaction_id_age = pairs.number("xid-age").map(|it| it as u64),
        "activity" => {
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
        "extension" => {
            let installed =
                crate::facts::ExtensionFacts { installed_version: Some("1.10".to_owned()), ..Default::default() };
            facts.extensions.insert(Name::from(name), installed);
        }
        _ => {}
    }
}

fn table(pairs: &Pairs) -> RelationFacts {
    let whole = |key| pairs.number(key).unwrap_or(0.0) as u64;
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
    let share = |key| pairs.number(key).unwrap_or(0.0) as f32;
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
struct Pairs<'t>(Vec<(&'t str, &'t str)>);

impl<'t> Pairs<'t> {
    fn of(text: &'t str) -> Pairs<'t> {
        Pairs(text.split_whitespace().filter_map(|word| word.split_once('=')).collect())
    }

    fn text(&self, key: &str) -> Option<&'t str> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.text(key)?.parse().ok()
    }
}
