//! What EXPLAIN (FORMAT TEXT) prints behind the nodes: planning, triggers, JIT, settings, times.

use serde_json::{Map, Value, json};

use super::raw::Properties;
use super::text::key_and_value;
use super::text_property;

/// Which part of the lines behind the nodes is being read.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Section {
    Nodes,
    Planning,
    Jit,
    Serialization,
    Other,
}

/// Whether a line belongs to the summary behind the nodes.
pub(super) fn is_summary(line: &str) -> bool {
    summary_key(line.trim()).is_some()
}

/// Whether a line says more of what stands in the summary.
pub(super) fn is_detail(content: &str) -> bool {
    const DETAILS: &[&str] = &["Buffers: ", "I/O Timings: ", "Memory: ", "Functions: ", "Options: ", "Timing: "];
    DETAILS.iter().any(|detail| content.starts_with(detail))
}

pub(super) fn summary_key(line: &str) -> Option<(&str, &str)> {
    if let Some(trigger) = line.strip_prefix("Trigger ") {
        return trigger.contains(": ").then_some(("Trigger", trigger));
    }
    let (key, value) = line.split_once(':')?;
    let known = [
        "Planning",
        "Planning Time",
        "Execution Time",
        "Planning time",
        "Execution time",
        "Total runtime",
        "JIT",
        "Settings",
        "Query Identifier",
        "Query Text",
        "Query Parameters",
        "Serialization",
    ];
    known.contains(&key).then(|| (key, value.trim()))
}

/// Reads the first line of a part behind the nodes; which part that is.
pub(super) fn begin(key: &str, value: &str, properties: &mut Properties) -> Section {
    let section = match key {
        "Planning" => Section::Planning,
        "JIT" => Section::Jit,
        "Serialization" => Section::Serialization,
        _ => Section::Other,
    };
    let mut set = |key: &str, value: Value| properties.push((key.to_owned(), value));
    match key {
        "Planning Time" | "Planning time" => set("Planning Time", milliseconds(value)),
        "Execution Time" | "Execution time" | "Total runtime" => set("Execution Time", milliseconds(value)),
        "Planning" | "JIT" => set(key, json!({})),
        "Serialization" => {
            let mut serialization = Map::new();
            let mut words = value.split_whitespace().filter_map(|word| word.split_once('='));
            if let Some((_, time)) = words.clone().find(|(key, _)| *key == "time") {
                serialization.insert("Time".to_owned(), time.into());
            }
            if let Some((_, output)) = words.clone().find(|(key, _)| *key == "output") {
                serialization.insert("Output Volume".to_owned(), output.trim_end_matches("kB").into());
            }
            if let Some((_, format)) = words.find(|(key, _)| *key == "format") {
                serialization.insert("Format".to_owned(), format.into());
            }
            set(key, Value::Object(serialization));
        }
        "Settings" => set(key, settings(value)),
        "Trigger" => set("Trigger", trigger(value)),
        _ => set(key, value.into()),
    }
    section
}

/// A line below `Planning:`, `JIT:` and the like.
pub(super) fn detail(section: Section, content: &str, properties: &mut Properties) {
    let Some((key, value)) = key_and_value(content) else { return };
    let Some((_, Value::Object(object))) = properties.last_mut() else { return };
    match (section, key) {
        (Section::Jit, "Functions") => {
            object.insert(key.to_owned(), value.into());
        }
        (Section::Jit, "Timing") => {
            object.insert(key.to_owned(), Value::Object(jit_timing(value)));
        }
        (Section::Jit, "Options") => {
            let options = value.split(", ").filter_map(|option| option.rsplit_once(' '));
            let options = options.map(|(name, on)| (name.to_owned(), Value::Bool(on == "true")));
            object.insert(key.to_owned(), Value::Object(options.collect()));
        }
        (Section::Planning, "Memory") => {
            for word in value.split_whitespace() {
                if let Some((key, kilobytes)) = word.split_once('=') {
                    let key = if key == "used" { "Memory Used" } else { "Memory Allocated" };
                    object.insert(key.to_owned(), kilobytes.trim_end_matches("kB").into());
                }
            }
        }
        (Section::Planning | Section::Serialization, _) => {
            let mut read = Properties::new();
            text_property::read("", key, value, &mut read);
            object.extend(read);
        }
        _ => {}
    }
}

fn milliseconds(value: &str) -> Value {
    value.split_whitespace().next().unwrap_or_default().into()
}

/// `work_mem = '7MB', random_page_cost = '1.1'`.
fn settings(value: &str) -> Value {
    let pairs = text_property::split_list(value);
    let pairs = pairs.iter().filter_map(|pair| pair.split_once(" = "));
    Value::Object(
        pairs
            .map(|(name, value)| {
                let value = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(value);
                (name.to_owned(), value.replace("''", "'").into())
            })
            .collect(),
    )
}

/// `[name] [for constraint name] [on relation]: time=1.5 calls=3`.
fn trigger(value: &str) -> Value {
    let (names, numbers) = value.rsplit_once(": ").unwrap_or((value, ""));
    let mut trigger = Map::new();
    let (names, relation) = match names.rsplit_once(" on ") {
        Some((names, relation)) => (names, Some(relation)),
        None => (names, None),
    };
    if let Some(relation) = relation {
        trigger.insert("Relation".to_owned(), relation.into());
    }
    match names.split_once("for constraint ") {
        Some((_, constraint)) => trigger.insert("Constraint Name".to_owned(), constraint.into()),
        None => trigger.insert("Trigger Name".to_owned(), names.into()),
    };
    for (key, number) in text_property::pairs(numbers) {
        trigger.insert(if key == "time" { "Time" } else { "Calls" }.to_owned(), number.into());
    }
    Value::Object(trigger)
}

/// `Generation 1.2 ms (Deform 0.3 ms), Inlining 0.0 ms, Total 5.0 ms`.
fn jit_timing(value: &str) -> Map<String, Value> {
    let parts = text_property::split_list(value);
    let parts = parts.iter().filter_map(|part| {
        let mut words = part.split_whitespace();
        let (name, time) = (words.next()?, words.next()?);
        Some((name.to_owned(), time.into()))
    });
    parts.collect()
}
