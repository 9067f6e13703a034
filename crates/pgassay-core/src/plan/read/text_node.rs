//! The first line of a node in the text format, to the properties that JSON gives it.

use serde_json::Value;

use super::number_line;
use super::raw::Properties;
use crate::plan::node::KnownType;

/// What stands behind the arrow, or `None` if it is no node. `any` accepts names that are not known, as a later version, a fork or an
/// extension has them; without it, nodes without costs and times are refused too.
pub(super) fn read(line: &str, any: bool) -> Option<Properties> {
    let mut properties = Properties::new();
    let (name, numbers) = split_numbers(line)?;
    let note = read_numbers(numbers, &mut properties)?;
    read_name(name.trim_end(), !any, &mut properties)?;
    if !note.is_empty() {
        properties.push((NOTE.to_owned(), note.into()));
    }
    Some(properties)
}

/// What somebody wrote behind a node.
pub(super) const NOTE: &str = "Annotation";

/// A node without costs and times: of a known type, or with an arrow before it.
pub(super) fn read_bare(name: &str, arrow: bool) -> Option<Properties> {
    let name = name.trim();
    let mut properties = Properties::new();
    if read_name(name, true, &mut properties).is_some() {
        // EXPLAIN always says what is scanned: `Index Scan` by itself is prose.
        let scans = ["Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Bitmap Index Scan", "Tid Scan"];
        return (!scans.contains(&name)).then_some(properties);
    }
    let plausible = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.len() <= MOST_OF_NAME
        && !name.contains(['=', ';', '\'', '"', ':', '(']);
    (arrow && plausible).then(|| vec![("Node Type".to_owned(), name.into())])
}

const MOST_OF_NAME: usize = 80;

/// Whether a line begins as a node of a known type does.
pub(super) fn begins_with_known(line: &str) -> bool {
    if let Some((name, _)) = split_numbers(line) {
        return read_name(name.trim_end(), true, &mut Properties::new()).is_some();
    }
    const OTHERS: &[&str] = &[
        "Insert on ",
        "Update on ",
        "Delete on ",
        "Merge on ",
        "GroupAggregate",
        "HashAggregate",
        "MixedAggregate",
        "HashSetOp",
    ];
    if OTHERS.iter().any(|other| line.starts_with(other)) {
        return true;
    }
    let mut name = line;
    while let Some((prefix, ..)) = PREFIXES.iter().find(|(prefix, ..)| name.starts_with(prefix)) {
        name = &name[prefix.len()..];
    }
    KnownType::ALL
        .iter()
        .any(|known| name.strip_prefix(known.name()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')))
}

/// A node whose line was cut in its numbers: what of it can be read.
pub(super) fn read_cut(line: &str, arrow: bool) -> Option<Properties> {
    let mut line = line.trim_end();
    while let Some(at) = line.rfind(" (").filter(|at| !line[*at..].contains(')')) {
        line = line[..at].trim_end();
    }
    read(line, arrow).or_else(|| read_bare(line, arrow))
}

/// Splits `Seq Scan on t  (cost=…) (actual …)` before the first parenthesis of the numbers.
fn split_numbers(line: &str) -> Option<(&str, &str)> {
    let at = number_line::start(line)?;
    Some((&line[..at], line[at..].trim_end()))
}

/// Reads the groups of numbers; gives back what stands behind them.
fn read_numbers<'t>(text: &'t str, properties: &mut Properties) -> Option<&'t str> {
    let mut number = |key: &str, text: &str| -> Option<()> {
        // What was put together wrongly begins or ends with its point.
        if text.starts_with('.') || text.ends_with('.') {
            return None;
        }
        let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
        properties.push((key.to_owned(), number.into()));
        Some(())
    };
    let mut rest = text.trim();
    while let Some(inside) = rest.strip_prefix('(').filter(|_| number_line::start(rest) == Some(0)) {
        let (group, behind) = inside.split_once(')')?;
        rest = behind.trim_start();
        if group == "never executed" {
            number("Actual Rows", "0")?;
            number("Actual Loops", "0")?;
            continue;
        }
        for word in group.split_whitespace().filter(|word| *word != "actual") {
            let (key, value) = word.split_once('=')?;
            match key {
                "cost" | "time" => {
                    let (first, last) = value.split_once("..")?;
                    let keys = if key == "cost" {
                        ("Startup Cost", "Total Cost")
                    } else {
                        ("Actual Startup Time", "Actual Total Time")
                    };
                    number(keys.0, first)?;
                    number(keys.1, last)?;
                }
                "rows" if group.starts_with("cost") => number("Plan Rows", value)?,
                "rows" => number("Actual Rows", value)?,
                "width" => number("Plan Width", value)?,
                "loops" => number("Actual Loops", value)?,
                _ => return None,
            }
        }
    }
    // What somebody wrote behind the numbers, but no numbers that could not be read.
    let numbers = ["cost=", "time=", "rows=", "width=", "loops=", "(actual"].iter().any(|word| rest.contains(word));
    let whole = rest.matches('(').count() == rest.matches(')').count();
    (!numbers && whole).then_some(rest)
}

/// Prefixes that EXPLAIN puts before a node's name, with the property they stand for.
const PREFIXES: &[(&str, &str, Option<&str>)] = &[
    ("Parallel ", "Parallel Aware", None),
    ("Async ", "Async Capable", None),
    ("Partial ", "Partial Mode", Some("Partial")),
    ("Finalize ", "Partial Mode", Some("Finalize")),
];

const JOIN_TYPES: &[&str] = &["Left", "Full", "Right", "Semi", "Anti", "Right Semi", "Right Anti"];

fn read_name(name: &str, must_be_known: bool, properties: &mut Properties) -> Option<()> {
    let mut name = name;
    while let Some((prefix, key, value)) = PREFIXES.iter().find(|(prefix, ..)| name.starts_with(prefix)) {
        properties.push(((*key).to_owned(), value.map_or(Value::Bool(true), Value::from)));
        name = &name[prefix.len()..];
    }
    let mut set = |key: &str, value: &str| properties.push((key.to_owned(), value.into()));
    for operation in ["Insert", "Update", "Delete", "Merge"] {
        if let Some(target) = name.strip_prefix(operation).and_then(|rest| rest.strip_prefix(" on ")) {
            set("Node Type", "ModifyTable");
            set("Operation", operation);
            return target_names("Relation Name", target, properties);
        }
        let foreign = name.strip_prefix("Foreign ").and_then(|rest| rest.strip_prefix(operation));
        if let Some(target) = foreign.and_then(|rest| rest.strip_prefix(" on ")) {
            set("Node Type", "Foreign Scan");
            set("Operation", operation);
            return target_names("Relation Name", target, properties);
        }
    }
    if let Some(kind) = ["Nested Loop", "Hash", "Merge"].iter().find(|kind| name.starts_with(**kind)) {
        let rest = name[kind.len()..].strip_suffix(" Join").map(str::trim);
        if let Some(join_type) = rest.filter(|rest| rest.is_empty() || JOIN_TYPES.contains(rest)) {
            let node = if *kind == "Nested Loop" { "Nested Loop".to_owned() } else { format!("{kind} Join") };
            set("Node Type", &node);
            set("Join Type", if join_type.is_empty() { "Inner" } else { join_type });
            return Some(());
        }
    }
    for (text, node, strategy) in [
        ("GroupAggregate", "Aggregate", "Sorted"),
        ("HashAggregate", "Aggregate", "Hashed"),
        ("MixedAggregate", "Aggregate", "Mixed"),
        ("HashSetOp", "SetOp", "Hashed"),
        ("SetOp", "SetOp", "Sorted"),
    ] {
        let rest = name.strip_prefix(text).filter(|rest| rest.is_empty() || node == "SetOp" && rest.starts_with(' '));
        if let Some(rest) = rest {
            set("Node Type", node);
            set("Strategy", strategy);
            if !rest.is_empty() {
                set("Command", rest.trim());
            }
            return Some(());
        }
    }
    if let Some(provider) = name.strip_prefix("Custom Scan (") {
        let (provider, rest) = provider.split_once(')')?;
        set("Node Type", "Custom Scan");
        set("Custom Plan Provider", provider);
        return match rest.strip_prefix(" on ") {
            Some(target) => target_names("Relation Name", target, properties),
            None => Some(()),
        };
    }
    let known = KnownType::ALL
        .iter()
        .filter(|known| name.strip_prefix(known.name()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')))
        .max_by_key(|known| known.name().len());
    match known {
        Some(known) => {
            set("Node Type", known.name());
            scanned(*known, &name[known.name().len()..], properties)
        }
        None if must_be_known || name.is_empty() => None,
        None => {
            set("Node Type", name);
            Some(())
        }
    }
}

/// Reads ` Backward using i on schema.t alias` behind the name of a scan.
fn scanned(kind: KnownType, rest: &str, properties: &mut Properties) -> Option<()> {
    let mut rest = rest;
    if let Some(behind) = rest.strip_prefix(" Backward") {
        properties.push(("Scan Direction".to_owned(), "Backward".into()));
        rest = behind;
    }
    if let Some(behind) = rest.strip_prefix(" using ") {
        let (index, behind) = identifier(behind)?;
        properties.push(("Index Name".to_owned(), index.into()));
        rest = behind;
    }
    let Some(target) = rest.strip_prefix(" on ") else {
        // `Subquery Scan x` before 9.1.
        if let (KnownType::SubqueryScan, Some((alias, ""))) = (kind, identifier(rest.trim())) {
            properties.push(("Alias".to_owned(), alias.into()));
            return Some(());
        }
        return rest.trim().is_empty().then_some(());
    };
    match kind {
        KnownType::BitmapIndexScan => {
            properties.push(("Index Name".to_owned(), identifier(target)?.0.into()));
            Some(())
        }
        KnownType::FunctionScan => target_names("Function Name", target, properties),
        KnownType::TableFunctionScan => target_names("Table Function Name", target, properties),
        KnownType::CteScan | KnownType::WorkTableScan => target_names("CTE Name", target, properties),
        KnownType::NamedTuplestoreScan => target_names("Tuplestore Name", target, properties),
        KnownType::ValuesScan | KnownType::SubqueryScan => {
            properties.push(("Alias".to_owned(), identifier(target)?.0.into()));
            Some(())
        }
        _ => target_names("Relation Name", target, properties),
    }
}

/// Reads `[schema.]name [alias]`.
fn target_names(key: &str, text: &str, properties: &mut Properties) -> Option<()> {
    let (mut name, mut rest) = identifier(text)?;
    let mut set = |key: &str, value: &str| properties.push((key.to_owned(), value.into()));
    if let Some(behind) = rest.strip_prefix('.') {
        set("Schema", &name);
        (name, rest) = identifier(behind)?;
    }
    set(key, &name);
    let (alias, behind) = match rest.trim_start() {
        "" => (name, ""),
        alias => identifier(alias)?,
    };
    set("Alias", &alias);
    // A name is followed by nothing: else this is prose, or a line that was broken.
    (behind.trim().is_empty() || behind.trim_start().starts_with("[")).then_some(())
}

/// An identifier at the start of the text, without its quotes, and what follows.
fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '.', ',']).unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let at = rest.find('"')?;
        name.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('"') {
            Some(behind) => {
                name.push('"');
                rest = behind;
            }
            None => return Some((name, rest)),
        }
    }
}
