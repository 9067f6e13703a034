//! JSON: stable field names, documented in docs/plan.md.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::super::compare::Comparison;
use super::super::node::Node;
use super::super::{NodeId, Tip};
use super::{Assayed, title};

/// Writes plans as one JSON document.
///
/// # Errors
/// Those of the writer.
pub fn json(plans: &[Assayed], out: &mut dyn Write) -> io::Result<()> {
    write(&document(plans.iter().map(plan).collect()), out)
}

/// Writes what changed between two plans, and both of them, as one JSON document.
///
/// # Errors
/// Those of the writer.
pub fn comparison_json(
    before: &Assayed,
    after: &Assayed,
    comparison: &Comparison,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut document = document(vec![plan(before), plan(after)]);
    document.insert("comparison".to_owned(), Part::Value(rounded(serde_json::to_value(comparison)?)));
    write(&document, out)
}

/// An object of which the nodes are made as they are written: as values, those of a large plan take a gigabyte.
type Object<'a> = BTreeMap<String, Part<'a>>;

enum Part<'a> {
    Value(Value),
    Nodes(&'a Assayed),
    Plans(Vec<Object<'a>>),
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Part::Value(value) => value.serialize(serializer),
            Part::Nodes(assayed) => serializer.collect_seq(assayed.plan.ids().map(|id| rounded(node(assayed, id)))),
            Part::Plans(plans) => plans.serialize(serializer),
        }
    }
}

fn document(plans: Vec<Object>) -> Object {
    let version = Part::Value(env!("CARGO_PKG_VERSION").into());
    BTreeMap::from([("version".to_owned(), version), ("plans".to_owned(), Part::Plans(plans))])
}

fn write(document: &Object, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    writeln!(out)
}

fn rounded(mut value: Value) -> Value {
    round(&mut value);
    value
}

/// Sums and differences of what the server printed with three digits have no more than that, and their shares not many more.
fn round(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(round),
        Value::Object(object) => object.values_mut().for_each(round),
        Value::Number(number) => {
            if let Some(float) = number.as_f64().filter(|float| float.fract() != 0.0) {
                *value = ((float * 1e6).round() / 1e6).into();
            }
        }
        _ => {}
    }
}

fn plan(assayed: &Assayed) -> Object<'_> {
    let plan = &assayed.plan;
    let fields = json!({
        "query": plan.query,
        "query_parameters": plan.parameters,
        "query_identifier": plan.identifier,
        "analyzed": plan.is_analyzed(),
        "cut": plan.cut,
        "shares_of": if assayed.shares.timed { "time" } else { "cost" },
        "total_ms": plan.total_time(),
        "planning_ms": plan.planning_time,
        "execution_ms": plan.execution_time,
        "planning": plan.planning,
        "serialization": plan.serialization,
        "jit": plan.jit,
        "triggers": plan.triggers,
        "settings": plan.settings.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "tips": assayed.tips.iter().map(tip).collect::<Vec<_>>(),
    });
    let Value::Object(fields) = rounded(fields) else { return Object::new() };
    let mut object: Object = fields.into_iter().map(|(key, value)| (key, Part::Value(value))).collect();
    object.insert("nodes".to_owned(), Part::Nodes(assayed));
    object
}

fn node(assayed: &Assayed, id: NodeId) -> Value {
    let (node, own) = (assayed.plan.node(id), assayed.shares[id]);
    json!({
        "node": id,
        "parent": node.parent,
        "name": title::title(node),
        "type": node.kind.name(),
        "relationship": node.relationship,
        "subplan": node.subplan_name,
        "schema": node.schema,
        "relation": node.relation,
        "alias": node.alias,
        "index": node.index,
        "join_type": node.join_type,
        "parallel": node.parallel_aware,
        "processes": own.processes,
        "estimate": node.estimate,
        "actual": node.actual,
        "rows_ratio": assayed.plan.rows_ratio(id),
        "time_ms": own.time,
        "own_time_ms": own.own_time,
        "own_cost": own.own_cost,
        "share": own.share,
        "own_share": own.own_share,
        "buffers": node.counters.buffers,
        "own_buffers": own.own_buffers,
        "io_ms": node.counters.io,
        "wal": node.counters.wal,
        "sort": node.counters.sort,
        "hash": node.counters.hash,
        "hash_aggregate": node.counters.hash_aggregate,
        "memoize": node.counters.memoize,
        "heap_blocks": { "exact": node.counters.exact_heap_blocks, "lossy": node.counters.lossy_heap_blocks },
        "heap_fetches": node.heap_fetches,
        "index_searches": node.index_searches,
        "rows_removed": {
            "filter": node.removed_by_filter,
            "join_filter": node.removed_by_join_filter,
            "recheck": node.removed_by_recheck,
        },
        "conditions": conditions(node),
        "sort_key": node.sort_key,
        "group_keys": node.group_keys,
        "workers": { "planned": node.workers_planned, "launched": node.workers_launched },
        "disabled": node.disabled,
        "other": node.other.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
    })
}

fn conditions(node: &Node) -> Map<String, Value> {
    let conditions = node.conditions.iter();
    conditions
        .map(|condition| {
            let name = condition.kind.name().to_lowercase().replace([' ', '-'], "_");
            (name, condition.text.clone().into())
        })
        .collect()
}

fn tip(tip: &Tip) -> Value {
    json!({
        "kind": tip.kind,
        "node": tip.node,
        "share": tip.share,
        "confidence": tip.confidence,
        "message": tip.message,
        "numbers": tip.numbers.iter().map(|(name, number)| (name.replace('-', "_"), *number)).collect::<std::collections::BTreeMap<_, _>>(),
        "advice": tip.advice,
        "sql": tip.sql,
    })
}
