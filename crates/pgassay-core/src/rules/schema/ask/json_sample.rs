//! What a sample of documents says of a JSON column.

use super::keys;
use crate::change::Name;
use crate::facts::{JsonSample, KeySample};
use crate::finding::{Confidence, FixStep, Severity};
use crate::rules::schema::SchemaContext;
use crate::schema::{Column, Relation};
use crate::text::{numbers, words};

/// What to add to the finding on the column.
pub struct Verdict {
    /// Behind the message: "weight has more than one type".
    pub says: Vec<String>,
    pub fact: String,
    pub severity: Severity,
    pub confidence: Confidence,
    pub steps: Vec<FixStep>,
    /// Its keys are data.
    pub map: bool,
}

/// Fewer documents say nothing of what is rare.
const FEWEST: u64 = 100;

/// A key that nearly every object has, with one scalar type.
fn is_promotable(sample: &JsonSample, key: &KeySample) -> bool {
    let scalar = matches!(key.type_name.as_str(), "string" | "number" | "boolean");
    scalar && sample.at_least(sample.presence(key)) >= 0.95 && key.type_share() >= 0.99
}

/// None for too few documents.
pub fn verdict(context: &SchemaContext, table: &Relation, column: &Column, sample: &JsonSample) -> Option<Verdict> {
    let (objects, others) = (sample.objects, sample.arrays + sample.scalars);
    if objects + others < FEWEST {
        return None;
    }
    let mut says = Vec::new();
    let mut severity = Severity::Info;
    if objects < FEWEST {
        says.push(match (objects, sample.scalars) {
            (0, 0) => format!("all {} documents read are arrays", numbers::count(sample.arrays as f64)),
            _ => format!(
                "of {} documents read {} are arrays, {} single values, {objects} objects",
                numbers::count((objects + others) as f64),
                numbers::count(sample.arrays as f64),
                numbers::count(sample.scalars as f64)
            ),
        });
        return Some(Verdict {
            says,
            fact: fact(sample, false),
            severity,
            confidence: Confidence::High,
            steps: Vec::new(),
            map: false,
        });
    }
    let map = is_map(sample);
    if map {
        says.push("its keys are data: it is a table within a column".to_owned());
        severity = Severity::Warning;
    } else {
        severity = severity.max(shape(sample, &mut says));
        references(context, table, sample, &mut says);
    }
    if sample.p95_bytes > 2_000 {
        says.push(format!(
            "one in twenty documents is larger than {}, and every UPDATE of the row that touches it writes all of it",
            numbers::bytes(sample.p95_bytes)
        ));
    }
    if others > 0 {
        says.push(format!(
            "{} of the documents are not objects",
            numbers::percent(others as f64 / (objects + others) as f64)
        ));
    }
    let steps = if context.type_name(column) != Some("jsonb") {
        Vec::new()
    } else if map {
        child_table(context, table, column)
    } else {
        promote(context, table, column, sample)
    };
    Some(Verdict { says, fact: fact(sample, map), severity, confidence: Confidence::High, steps, map })
}

fn shape(sample: &JsonSample, says: &mut Vec<String>) -> Severity {
    let mut severity = Severity::Info;
    let named = |keys: Vec<&KeySample>| keys.iter().take(6).map(|key| key.name.clone()).collect::<Vec<_>>().join(", ");
    let fixed: Vec<&KeySample> = sample.keys.iter().filter(|key| is_promotable(sample, key)).collect();
    if !fixed.is_empty() {
        says.push(format!(
            "{} {} nearly always there{}, with one type: columns",
            named(fixed.clone()),
            if fixed.len() == 1 { "is" } else { "are" },
            if sample.arrays + sample.scalars > 0 { " in the objects" } else { "" }
        ));
    }
    let drifting: Vec<&KeySample> =
        sample.keys.iter().filter(|key| sample.presence(key) >= 0.05 && key.type_share() < 0.98).collect();
    if !drifting.is_empty() {
        let shares: Vec<String> = drifting
            .iter()
            .take(6)
            .map(|key| format!("{} ({} in {})", key.name, key.type_name, numbers::percent(key.type_share())))
            .collect();
        says.push(format!("more than one type in {}", shares.join(", ")));
        severity = Severity::Warning;
    }
    let records = record_types(sample);
    if records >= 3 {
        says.push(format!("{records} kinds of records that share no keys"));
        severity = Severity::Warning;
    }
    if sample.distinct_keys >= 200 || sample.distinct_keys >= 50 && sample.rare_share >= 0.2 {
        says.push(format!(
            "{} different keys, {} of all entries under keys that hardly any document has",
            sample.distinct_keys,
            numbers::percent(sample.rare_share)
        ));
        severity = Severity::Warning;
    }
    severity
}

/// Most keys look like numbers, dates or UUIDs, and there are many.
fn is_map(sample: &JsonSample) -> bool {
    let is_data = |key: &&KeySample| {
        let name = key.name.as_str();
        let hex = |c: char| c.is_ascii_hexdigit();
        let digits = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_digit() || c == '-' || c == ':' || c == 'T' || c == 'Z' || c == '.');
        digits || name.len() == 36 && name.chars().all(|c| hex(c) || c == '-')
    };
    let data = sample.keys.iter().filter(is_data).count();
    sample.distinct_keys >= 20 && data * 5 >= sample.keys.len() * 4
}

/// Sets of keys that have little in common, each with a tenth of the objects.
fn record_types(sample: &JsonSample) -> usize {
    let mut kinds: Vec<(Vec<&str>, u64)> = Vec::new();
    for (names, count) in sample.key_sets.iter().filter(|(names, _)| !names.is_empty()) {
        let alike = |kind: &Vec<&str>| {
            let common = names.iter().filter(|name| kind.contains(&name.as_str())).count();
            common * 5 >= kind.len() + names.len() - common
        };
        match kinds.iter_mut().find(|(kind, _)| alike(kind)) {
            Some((kind, total)) => {
                *total += count;
                for name in names {
                    if !kind.contains(&name.as_str()) {
                        kind.push(name);
                    }
                }
            }
            None => kinds.push((names.iter().map(String::as_str).collect(), *count)),
        }
    }
    kinds.iter().filter(|(_, count)| count * 10 >= sample.objects).count()
}

/// Keys that are named after a table and hold what its key could be.
fn references(context: &SchemaContext, table: &Relation, sample: &JsonSample, says: &mut Vec<String>) {
    for key in sample.keys.iter().filter(|key| key.count * 20 >= sample.objects) {
        let Some(stem) =
            key.name.strip_suffix("_id").or_else(|| key.name.strip_suffix("Id")).filter(|stem| !stem.is_empty())
        else {
            continue;
        };
        let stem = words::words(stem).join("_");
        let target = context.schema.relations_in(&table.name.schema).find(|other| {
            let words = words::words(other.name.name.as_str());
            let singular = words
                .split_last()
                .map(|(last, first)| [first, &[words::singular(last).into_owned()]].concat().join("_"));
            other.is_table() && other.id != table.id && singular.as_deref() == Some(&stem)
        });
        let Some(target) = target else { continue };
        let fits = keys::primary_key(target)
            .first()
            .and_then(|id| target.column_by_id(*id))
            .and_then(|column| context.type_name(column));
        let holds = match fits {
            Some("uuid") => key.uuids == key.type_count,
            Some("int2" | "int4" | "int8") => key.whole_numbers == key.type_count || key.integers == key.type_count,
            _ => false,
        };
        if holds && key.type_count > 0 {
            says.push(format!("{} looks like a reference to {} that nothing checks", key.name, target.name));
        }
    }
}

fn fact(sample: &JsonSample, map: bool) -> String {
    let sure = format!("what is in all of them is in over {} of the rest", numbers::percent(sample.at_least(1.0)));
    let keys = if map {
        format!("{} different keys", sample.distinct_keys)
    } else if sample.objects == 0 {
        "no objects".to_owned()
    } else {
        let listed: Vec<String> = sample
            .keys
            .iter()
            .take(8)
            .map(|key| match key.count == sample.objects {
                true => format!("{} {} in all", key.name, key.type_name),
                false => format!("{} {} {}", key.name, key.type_name, numbers::percent(sample.presence(key))),
            })
            .collect();
        let more = sample.distinct_keys.saturating_sub(listed.len() as u64);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let sure =
            if sample.keys.iter().any(|key| key.count == sample.objects) { format!("; {sure}") } else { String::new() };
        format!("keys: {}{more}{sure}", listed.join(", "))
    };
    let unopened = if sample.unopened > 0 { format!("; {} too large to open", sample.unopened) } else { String::new() };
    format!(
        "sampled {} documents of {} pages at {} places: median {}, 95 % up to {}{unopened}; {keys}",
        numbers::count(sample.rows as f64),
        numbers::count(sample.pages as f64),
        numbers::count(sample.windows as f64),
        numbers::bytes(sample.median_bytes),
        numbers::bytes(sample.p95_bytes)
    )
}

/// A column, kept equal by a trigger and filled in batches, for the keys that are nearly always there.
fn promote(context: &SchemaContext, table: &Relation, column: &Column, sample: &JsonSample) -> Vec<FixStep> {
    let mut steps = Vec::new();
    for key in sample.keys.iter().filter(|key| is_promotable(sample, key)).take(2) {
        let plain = !key.name.is_empty() && key.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let name = Name::folded(&key.name);
        if !plain || table.column(&name).is_some() {
            continue;
        }
        let (target, data_type) = (&table.name, key.column_type());
        let value = format!("({} ->> '{}')::{data_type}", column.name, key.name);
        let label = context.free_name(table, name.as_str(), "sync");
        let function = format!("{}.{label}", table.name.schema);
        steps.extend([
            FixStep::own(format!("ALTER TABLE {target} ADD COLUMN {name} {data_type};")),
            FixStep::any(format!(
                "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN\n    NEW.{name} := (NEW.{} ->> '{}')::{data_type};\n    RETURN NEW;\nEND$$;",
                column.name, key.name
            )),
            FixStep::own(format!("CREATE TRIGGER {label} BEFORE INSERT OR UPDATE ON {target} FOR EACH ROW EXECUTE FUNCTION {function}();")),
            FixStep::batch(format!(
                "UPDATE {target} SET {name} = {value} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {target} WHERE {name} IS NULL AND {} ->> '{}' IS NOT NULL LIMIT 5000));",
                column.name, key.name
            )),
        ]);
    }
    steps
}

/// A row for each key of each document, for a column whose keys are data.
fn child_table(context: &SchemaContext, table: &Relation, column: &Column) -> Vec<FixStep> {
    let [key] = keys::primary_key(table) else { return Vec::new() };
    let Some(key) = table.column_by_id(*key).filter(|_| !table.is_partitioned()) else { return Vec::new() };
    let (parent, name) = (&table.name, context.free_name(table, column.name.as_str(), "entries"));
    let child = format!("{}.{name}", parent.schema);
    vec![
        FixStep::own(format!(
            "CREATE TABLE {child} (owner_{0} {1} NOT NULL REFERENCES {parent} ON DELETE CASCADE, key text NOT NULL, value jsonb NOT NULL, PRIMARY KEY (owner_{0}, key));",
            plain(key.name.as_str()),
            key.data_type.written
        )),
        FixStep::own(format!(
            "INSERT INTO {child} SELECT t.{0}, e.key, e.value FROM {parent} AS t, jsonb_each(CASE WHEN jsonb_typeof(t.{1}) = 'object' THEN t.{1} ELSE '{{}}' END) AS e ON CONFLICT DO NOTHING;",
            key.name, column.name
        )),
    ]
}

/// The letters and digits of a name, to stand in another one.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>().to_ascii_lowercase()
}
