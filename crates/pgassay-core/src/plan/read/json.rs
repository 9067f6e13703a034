//! EXPLAIN (FORMAT JSON) to raw properties.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::build;
use super::raw::{NUMBERS, Properties, RawNode, RawPlan, get};

/// Deeper than any plan; a text that is nested deeper is no plan.
const DEEPEST: usize = 4000;

/// Stack of one level in an unoptimized build, with room to spare.
const STACK_OF_LEVEL: usize = 8 * 1024;

/// What is wrong and where, line and column from 1.
pub(super) struct JsonError {
    pub message: String,
    pub line: usize,
    pub column: usize,
}

/// Every plan of one JSON document: an array of them, as EXPLAIN prints, a lone one, as auto_explain does, or rows of a client with
/// the column `QUERY PLAN`.
pub(super) fn read(text: &str) -> Result<Vec<RawPlan>, JsonError> {
    let depth = depth(text);
    if depth > DEEPEST {
        return Err(JsonError { message: format!("nested {depth} levels deep"), line: 1, column: 1 });
    }
    stacker::maybe_grow(depth * STACK_OF_LEVEL + 256 * 1024, depth * STACK_OF_LEVEL + 512 * 1024, || {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.disable_recursion_limit();
        let mut plans = Vec::new();
        Document { plans: &mut plans }.deserialize(&mut deserializer).map_err(|error| {
            let message = error.to_string();
            let place = format!(" at line {} column {}", error.line(), error.column());
            JsonError {
                message: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
                line: error.line().max(1),
                column: error.column().max(1),
            }
        })?;
        Ok(plans)
    })
}

fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut string, mut escaped) = (0usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if string => escaped = true,
            b'"' => string = !string,
            b'{' | b'[' if !string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// An array of plans, a plan, or a node by itself.
struct Document<'a> {
    plans: &'a mut Vec<RawPlan>,
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a plan: an object with the key \"Plan\"")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Document { plans: self.plans })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut plan = RawPlan::default();
        let mut rows = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                // A node by itself, without the plan around it.
                "Plans" => {
                    if plan.nodes.is_empty() {
                        plan.nodes.push(RawNode::default());
                    }
                    map.next_value_seed(NodesSeed { nodes: &mut plan.nodes, parent: 0 })?;
                }
                "Plan" => {
                    map.next_value_seed(NodeSeed { nodes: &mut plan.nodes, parent: None })?;
                }
                // A statement that cannot be explained has a string here: EXPLAIN of a NOTIFY in a rule.
                "QUERY PLAN" => {
                    rows = true;
                    map.next_value_seed(Document { plans: self.plans })?;
                }
                _ => plan.properties.push((key, map.next_value()?)),
            }
        }
        if get(&plan.properties, "Node Type").is_some() {
            lone_node(&mut plan);
        }
        match plan.nodes.is_empty() {
            false => self.plans.push(plan),
            true if rows => {}
            true => return Err(A::Error::custom("this object is not a plan: it has no key \"Plan\"")),
        }
        Ok(())
    }
}

/// Makes what was read of an object that is a node the root of a plan.
fn lone_node(plan: &mut RawPlan) {
    if plan.nodes.is_empty() {
        plan.nodes.push(RawNode::default());
    }
    for (key, value) in std::mem::take(&mut plan.properties) {
        match value {
            Value::Array(workers) if key == "Workers" => {
                let workers = workers.into_iter().filter_map(|worker| match worker {
                    Value::Object(worker) => Some(worker.into_iter().collect()),
                    _ => None,
                });
                plan.nodes[0].workers = workers.collect();
            }
            value => plan.nodes[0].properties.push((key, value)),
        }
    }
}

struct NodeSeed<'a> {
    nodes: &'a mut Vec<RawNode>,
    parent: Option<usize>,
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a node of a plan")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let at = self.nodes.len();
        self.nodes.push(RawNode { parent: self.parent, ..RawNode::default() });
        let mut named = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "Plans" => map.next_value_seed(NodesSeed { nodes: self.nodes, parent: at })?,
                "Workers" => {
                    let workers: Vec<serde_json::Map<String, Value>> = map.next_value()?;
                    self.nodes[at].workers = workers.into_iter().map(|worker| worker.into_iter().collect()).collect();
                }
                "Node Type" => {
                    named = true;
                    let name: String = map.next_value()?;
                    self.push(at, key, name.into());
                }
                // Anything else there is an error at its place.
                _ if NUMBERS.contains(&key.as_str()) => {
                    let number: f64 = map.next_value()?;
                    self.push(at, key, number.into());
                }
                _ => {
                    let value = map.next_value()?;
                    self.push(at, key, value);
                }
            }
        }
        if !named {
            return Err(A::Error::custom("a node of the plan without \"Node Type\""));
        }
        build::finish(&mut self.nodes[at]);
        Ok(())
    }
}

impl NodeSeed<'_> {
    fn push(&mut self, at: usize, key: String, value: Value) {
        let properties: &mut Properties = &mut self.nodes[at].properties;
        properties.push((key, value));
    }
}

struct NodesSeed<'a> {
    nodes: &'a mut Vec<RawNode>,
    parent: usize,
}

impl<'de> DeserializeSeed<'de> for NodesSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for NodesSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an array of nodes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(NodeSeed { nodes: self.nodes, parent: Some(self.parent) })?.is_some() {}
        Ok(())
    }
}

/// Looks for the end of a JSON value, line by line.
#[derive(Default)]
pub(super) struct Scan {
    depth: usize,
    string: bool,
    escaped: bool,
}

impl Scan {
    /// Whether the value ends on this line.
    pub fn ends(&mut self, line: &str) -> bool {
        self.end(line).is_some()
    }

    fn end(&mut self, text: &str) -> Option<usize> {
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.string => self.escaped = true,
                b'"' => self.string = !self.string,
                b'{' | b'[' if !self.string => self.depth += 1,
                b'}' | b']' if !self.string => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// The end of the JSON value that begins at the start of the text, in bytes; `None` if it does not end.
pub(super) fn value_end(text: &str) -> Option<usize> {
    Scan::default().end(text)
}

/// What a key that only plans as JSON have says is there: a text with it is meant to be a plan.
pub(super) fn looks_like_plan(text: &str) -> bool {
    text.contains("\"Plan\"") || text.contains("\"Node Type\"")
}
