//! EXPLAIN (FORMAT YAML) and (FORMAT XML) to raw properties, by readers of those formats.

use serde_json::{Map, Value};

use super::raw::{RawNode, RawPlan};

/// Deeper than any plan that is printed so.
const DEEPEST: usize = 1000;

/// What is wrong, and the line of the document from 1.
pub(super) struct MarkupError {
    pub message: String,
    pub line: usize,
}

/// The plans of a YAML document.
pub(super) fn yaml(text: &str) -> Result<Vec<RawPlan>, MarkupError> {
    let value: Value = serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map_or(1, |place| place.line() as usize);
        MarkupError {
            message: format!("this YAML cannot be read: {}", error.to_string().lines().next().unwrap_or_default()),
            line,
        }
    })?;
    plans(&value)
}

/// The plans of an XML document.
pub(super) fn xml(text: &str) -> Result<Vec<RawPlan>, MarkupError> {
    let document = roxmltree::Document::parse(text).map_err(|error| MarkupError {
        message: format!("this XML cannot be read: {error}"),
        line: error.pos().row as usize,
    })?;
    plans(&element(document.root_element(), 0)?)
}

fn plans(value: &Value) -> Result<Vec<RawPlan>, MarkupError> {
    let mut found = Vec::new();
    collect(value, &mut found);
    match found.is_empty() {
        true => Err(MarkupError { message: "there is no plan in it".to_owned(), line: 1 }),
        false => Ok(found),
    }
}

fn collect(value: &Value, found: &mut Vec<RawPlan>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(object) => match object.get("Plan") {
            Some(Value::Object(root)) => {
                let mut plan = RawPlan::default();
                node(root, None, &mut plan);
                let rest = object.iter().filter(|(key, _)| *key != "Plan");
                plan.properties.extend(rest.map(|(key, value)| (key.clone(), value.clone())));
                found.push(plan);
            }
            _ => object.values().for_each(|value| collect(value, found)),
        },
        _ => {}
    }
}

fn node(object: &Map<String, Value>, parent: Option<usize>, plan: &mut RawPlan) {
    let at = plan.nodes.len();
    plan.nodes.push(RawNode { parent, ..RawNode::default() });
    for (key, value) in object.iter().filter(|(key, _)| *key != "Plans") {
        match value {
            Value::Array(workers) if key == "Workers" => {
                let workers = workers.iter().filter_map(Value::as_object);
                plan.nodes[at].workers = workers
                    .map(|worker| worker.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
                    .collect();
            }
            value => plan.nodes[at].properties.push((key.clone(), value.clone())),
        }
    }
    for child in object.get("Plans").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object) {
        node(child, Some(at), plan);
    }
}

/// Elements that hold a list, by what the list is of.
const LISTS: &[&str] = &["Item", "Plan", "Worker", "Trigger", "Query", "Group"];

/// Keys with a hyphen of their own; XML has one for each blank too (`ExplainXMLTag`, explain.c).
const HYPHENS: &[&str] = &["Full-sort Groups", "Pre-sorted Groups", "One-Time Filter"];

fn key(tag: &str) -> String {
    let plain = tag.replace('-', " ");
    let known = HYPHENS.iter().find(|known| known.replace('-', " ") == plain);
    known.map_or_else(|| plain.replace("I O ", "I/O "), |known| (*known).to_owned())
}

fn element(element: roxmltree::Node, depth: usize) -> Result<Value, MarkupError> {
    if depth > DEEPEST {
        return Err(MarkupError { message: format!("nested more than {DEEPEST} levels deep"), line: 1 });
    }
    let children: Vec<_> = element.children().filter(roxmltree::Node::is_element).collect();
    let Some(first) = children.first() else {
        let text = element.text().unwrap_or_default();
        return Ok(match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text => text.into(),
        });
    };
    let name = first.tag_name().name();
    let is_list = LISTS.contains(&name) && children.iter().all(|child| child.tag_name().name() == name);
    // A query has one plan, which is no list.
    if is_list && !(name == "Plan" && element.tag_name().name() != "Plans") {
        let items: Result<Vec<Value>, _> = children.iter().map(|child| self::element(*child, depth + 1)).collect();
        return Ok(Value::Array(items?));
    }
    let mut object = Map::new();
    for child in children {
        object.insert(key(child.tag_name().name()), self::element(child, depth + 1)?);
    }
    Ok(Value::Object(object))
}
