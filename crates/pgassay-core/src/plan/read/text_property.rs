//! One property line of the text format, to the properties that JSON gives it.

use serde_json::{Map, Value, json};

use super::raw::Properties;

/// Keys whose value is a list in JSON.
const LISTS: &[&str] = &["Sort Key", "Presorted Key", "Output", "Conflict Arbiter Indexes"];

/// Reads what stands behind `Key: ` of a node or a worker of the given type.
pub(super) fn read(node_type: &str, key: &str, value: &str, properties: &mut Properties) {
    let mut set = |key: &str, value: Value| properties.push((key.to_owned(), value));
    match key {
        "Buffers" => buffers(value, &mut set),
        "I/O Timings" => io_timings(value, &mut set),
        "WAL" => {
            for (key, number) in pairs(value) {
                let known = [("records", "WAL Records"), ("fpi", "WAL FPI"), ("bytes", "WAL Bytes")];
                if let Some((_, name)) = known.iter().find(|(short, _)| *short == key) {
                    set(name, number.into());
                }
            }
        }
        "Heap Blocks" => {
            for (key, number) in pairs(value) {
                set(if key == "lossy" { "Lossy Heap Blocks" } else { "Exact Heap Blocks" }, number.into());
            }
        }
        "Tuples" => {
            for (key, number) in pairs(value) {
                let mut name = key.to_owned();
                name[..1].make_ascii_uppercase();
                set(&format!("Tuples {name}"), number.into());
            }
        }
        "Full-sort Groups" | "Pre-sorted Groups" => set(key, groups(value)),
        "Sort Method" => sort(value, &mut set),
        "Buckets" | "Batches" | "Planned Partitions" | "Hits" | "Storage" => {
            for (key, value) in fields(&format!("{key}: {value}")) {
                measured(node_type, key, value, &mut set);
            }
        }
        "Group Key" | "Hash Key" => {
            let list = if value == "()" { Vec::new() } else { split_list(value) };
            set(key, json!(list));
        }
        _ if LISTS.contains(&key) => set(key, json!(split_list(value))),
        _ => set(key, value.into()),
    }
}

/// `shared hit=1 read=2, temp written=3`.
fn buffers(value: &str, set: &mut impl FnMut(&str, Value)) {
    for part in value.split(", ") {
        let Some((place, counts)) = part.split_once(' ') else { continue };
        for (what, number) in pairs(counts) {
            set(&format!("{} {} Blocks", capital(place), capital(what)), number.into());
        }
    }
}

/// `read=1.5` (14), `shared/local read=1.5, temp write=2` (15, 16), `shared read=1.5, local read=1` (17+).
fn io_timings(value: &str, set: &mut impl FnMut(&str, Value)) {
    for part in value.split(", ") {
        let (place, times) = match part.split_once(' ') {
            Some((place, times)) if !place.contains('=') => (place, times),
            _ => ("", part),
        };
        let place = match place {
            "" | "shared/local" => String::new(),
            place => format!("{} ", capital(place)),
        };
        for (what, number) in pairs(times) {
            set(&format!("{place}I/O {} Time", capital(what)), number.into());
        }
    }
}

/// `external merge  Disk: 11888kB`.
fn sort(value: &str, set: &mut impl FnMut(&str, Value)) {
    // The blanks before the space may have been run together.
    let at = [" Disk: ", " Memory: "].iter().filter_map(|space| value.find(space)).min();
    let (method, space) = value.split_at(at.unwrap_or(value.len()));
    set("Sort Method", method.trim().into());
    if let Some((kind, used)) = space.split_once(": ") {
        set("Sort Space Type", kind.trim().into());
        set("Sort Space Used", used.trim_end_matches("kB").into());
    }
}

/// `32  Sort Methods: quicksort, top-N heapsort  Average Memory: 27kB  Peak Memory: 27kB`.
fn groups(value: &str) -> Value {
    let mut groups = Map::new();
    for (key, value) in fields(&format!("Group Count: {value}")) {
        let space = |key: &str| json!({ key: value.trim_end_matches("kB") });
        match key {
            "Sort Method" | "Sort Methods" => {
                groups.insert("Sort Methods Used".to_owned(), json!(value.split(", ").collect::<Vec<_>>()));
            }
            "Peak Memory" => {
                groups.insert("Sort Space Memory".to_owned(), space("Peak Sort Space Used"));
            }
            "Peak Disk" => {
                groups.insert("Sort Space Disk".to_owned(), space("Peak Sort Space Used"));
            }
            _ => {
                groups.insert(key.to_owned(), value.into());
            }
        }
    }
    Value::Object(groups)
}

/// A field of a line that has several, such as `Buckets: 1024 (originally 512)  Batches: 1  Memory Usage: 9kB`.
fn measured(node_type: &str, key: &str, value: &str, set: &mut impl FnMut(&str, Value)) {
    let (value, original) = match value.split_once(" (originally ") {
        Some((value, original)) => (value, original.trim_end_matches(')')),
        None => (value, value),
    };
    match (key, node_type) {
        ("Buckets", _) => set("Hash Buckets", value.into()),
        ("Batches", "Hash") => {
            set("Hash Batches", value.into());
            set("Original Hash Batches", original.into());
        }
        ("Batches", _) => set("HashAgg Batches", value.into()),
        ("Memory Usage", _) => set("Peak Memory Usage", value.trim_end_matches("kB").into()),
        ("Disk Usage", _) => set("Disk Usage", value.trim_end_matches("kB").into()),
        ("Hits" | "Misses" | "Evictions" | "Overflows", _) => set(&format!("Cache {key}"), value.into()),
        ("Maximum Storage", _) => set(key, value.trim_end_matches("kB").into()),
        _ => set(key, value.into()),
    }
}

/// `a=1 b=2.5`; words without a number are left out.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (&str, f64)> {
    text.split_whitespace().filter_map(|word| {
        let (key, value) = word.split_once('=')?;
        Some((key, value.parse().ok()?))
    })
}

/// Keys of lines that have several.
const FIELDS: &[&str] = &[
    "Buckets",
    "Batches",
    "Memory Usage",
    "Disk Usage",
    "Planned Partitions",
    "Hits",
    "Misses",
    "Evictions",
    "Overflows",
    "Storage",
    "Maximum Storage",
    "Group Count",
    "Sort Method",
    "Sort Methods",
    "Average Memory",
    "Peak Memory",
    "Average Disk",
    "Peak Disk",
];

/// `A: x  B: y` to its fields, also where the blanks between them were run together.
pub(super) fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let keys: Vec<(usize, &str)> = text
        .match_indices(": ")
        .filter_map(|(end, _)| {
            let before = &text[..end];
            let known = FIELDS
                .iter()
                .filter(|key| before.strip_suffix(**key).is_some_and(|rest| rest.is_empty() || rest.ends_with(' ')));
            known.max_by_key(|key| key.len()).map(|key| (end - key.len(), &text[end - key.len()..end]))
        })
        .collect();
    let ends: Vec<usize> = keys.iter().skip(1).map(|(start, _)| *start).chain([text.len()]).collect();
    keys.into_iter().zip(ends).map(|((start, key), end)| (key, text[start + key.len() + 2..end].trim()))
}

fn capital(word: &str) -> String {
    let mut word = word.to_owned();
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    word
}

/// The expressions of a list: split at commas outside of parentheses and quotes.
pub(super) fn split_list(text: &str) -> Vec<&str> {
    let (mut items, mut start, mut depth, mut quote) = (Vec::new(), 0, 0usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                items.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(text[start..].trim());
    items
}
