//! What both formats are read into: EXPLAIN's properties under the names that its JSON gives them.

use serde_json::Value;

use crate::plan::node::Node;

/// Numbers of a node that every reader relies on.
pub(super) const NUMBERS: &[&str] = &[
    "Startup Cost",
    "Total Cost",
    "Plan Rows",
    "Plan Width",
    "Actual Startup Time",
    "Actual Total Time",
    "Actual Rows",
    "Actual Loops",
];

pub(super) type Properties = Vec<(String, Value)>;

#[derive(Debug, Default)]
pub(super) struct RawNode {
    pub parent: Option<usize>,
    pub properties: Properties,
    /// The properties of each worker.
    pub workers: Vec<Properties>,
    /// What they mean, once all are here; then they are gone, so that a large plan is not held twice.
    pub built: Option<Box<Node>>,
}

/// Nodes in the order of the plan, and what is said of the plan as a whole.
#[derive(Debug, Default)]
pub(super) struct RawPlan {
    pub nodes: Vec<RawNode>,
    pub properties: Properties,
}

pub(super) fn get<'p>(properties: &'p [(String, Value)], key: &str) -> Option<&'p Value> {
    properties.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

/// A number, also where the text format left it as a string.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// A value as one line of text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
