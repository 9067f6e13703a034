//! Raw properties to a [`Plan`]: the one place that says what each of EXPLAIN's properties means.

use serde_json::Value;

use super::raw::{Properties, RawNode, RawPlan, get, number, text};
use crate::plan::node::*;
use crate::plan::{Jit, Plan, Planning, Serialization, Trigger};

pub(super) fn plan(mut raw: RawPlan) -> Plan {
    let built = std::mem::take(&mut raw.nodes).into_iter();
    let built = built.map(|mut raw| match raw.built.take() {
        Some(built) => *built,
        None => node(&raw),
    });
    let mut nodes: Vec<Node> = built.collect();
    for at in 0..nodes.len() {
        if let Some(parent) = nodes[at].parent {
            nodes[parent.0].children.push(NodeId(at));
        }
    }
    let get = |key: &str| get(&raw.properties, key);
    let fractional_rows = nodes.iter().filter_map(|node| node.actual).any(|actual| actual.rows.fract() != 0.0);
    let named = raw.properties.iter().filter(|(key, _)| key == "Trigger").map(|(_, value)| trigger(value));
    let listed = get("Triggers").and_then(Value::as_array).into_iter().flatten().map(trigger);
    Plan {
        nodes,
        query: get("Query Text").map(text),
        parameters: get("Query Parameters").map(text),
        identifier: get("Query Identifier").map(text),
        planning_time: get("Planning Time").and_then(number),
        execution_time: get("Execution Time").and_then(number),
        duration: None,
        cut: None,
        fractional_rows,
        planning: get("Planning").map(planning).unwrap_or_default(),
        serialization: get("Serialization").map(serialization),
        triggers: named.chain(listed).collect(),
        jit: get("JIT").map(jit),
        settings: get("Settings")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.clone(), text(v)))
            .collect(),
    }
}

fn object(value: &Value) -> Properties {
    value.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn planning(value: &Value) -> Planning {
    let properties = object(value);
    let get = |key: &str| get(&properties, key).and_then(number);
    Planning {
        buffers: buffers(&properties),
        memory_used: get("Memory Used"),
        memory_allocated: get("Memory Allocated"),
    }
}

fn serialization(value: &Value) -> Serialization {
    let properties = object(value);
    Serialization {
        time: get(&properties, "Time").and_then(number),
        kilobytes: get(&properties, "Output Volume").and_then(number).unwrap_or(0.0),
        format: get(&properties, "Format").map(text).unwrap_or_default().to_lowercase(),
    }
}

fn trigger(value: &Value) -> Trigger {
    let properties = object(value);
    let get = |key: &str| get(&properties, key);
    let constraint = get("Constraint Name").map(text);
    Trigger {
        name: get("Trigger Name").map(text).filter(|_| constraint.is_none()),
        constraint,
        relation: get("Relation").map(text),
        time: get("Time").and_then(number),
        calls: get("Calls").and_then(number).unwrap_or(0.0),
    }
}

fn jit(value: &Value) -> Jit {
    let properties = object(value);
    let timing = get(&properties, "Timing").map(object).unwrap_or_default();
    let time = |key: &str| {
        // 17 tells the time of deforming apart.
        let value = get(&timing, key);
        value.and_then(|value| number(value.get("Total").unwrap_or(value))).unwrap_or(0.0)
    };
    let options = get(&properties, "Options").map(object).unwrap_or_default();
    Jit {
        functions: get(&properties, "Functions").and_then(number).unwrap_or(0.0),
        inlining: get(&options, "Inlining") == Some(&Value::Bool(true)),
        optimization: get(&options, "Optimization") == Some(&Value::Bool(true)),
        generation_time: time("Generation"),
        inlining_time: time("Inlining"),
        optimization_time: time("Optimization"),
        emission_time: time("Emission"),
        total_time: time("Total"),
    }
}

/// Reads all there is of a node, and leaves what it means.
pub(super) fn finish(raw: &mut RawNode) {
    let built = node(raw);
    *raw = RawNode { parent: raw.parent, built: Some(Box::new(built)), ..RawNode::default() };
}

fn node(raw: &RawNode) -> Node {
    let properties = &raw.properties;
    let string = |key: &str| get(properties, key).map(text);
    let count = |key: &str| get(properties, key).and_then(number);
    let flag = |key: &str| get(properties, key).is_some_and(|value| text(value) == "true");
    let list = |key: &str| get(properties, key).map(strings).unwrap_or_default();
    let relation = string("Relation Name");
    let scanned = relation.clone().or_else(|| string("Function Name")).or_else(|| string("CTE Name"));
    Node {
        parent: raw.parent.map(NodeId),
        children: Vec::new(),
        kind: string("Node Type").map(|name| NodeType::named(&name)).unwrap_or_default(),
        relationship: string("Parent Relationship").and_then(|name| relationship(&name)),
        subplan_name: string("Subplan Name"),
        parallel_aware: flag("Parallel Aware"),
        async_capable: flag("Async Capable"),
        join_type: string("Join Type").filter(|join| join != "Inner"),
        strategy: string("Strategy").filter(|strategy| strategy != "Plain"),
        partial_mode: string("Partial Mode").filter(|mode| mode != "Simple"),
        operation: string("Operation").filter(|operation| operation != "Select"),
        set_command: string("Command"),
        custom_provider: string("Custom Plan Provider"),
        backward: string("Scan Direction").as_deref() == Some("Backward"),
        schema: string("Schema"),
        alias: string("Alias").filter(|alias| scanned.as_ref() != Some(alias)),
        relation,
        index: string("Index Name"),
        cte: string("CTE Name"),
        function: string("Function Name").or_else(|| string("Table Function Name")),
        estimate: estimate(properties),
        actual: actual(properties),
        disabled: flag("Disabled"),
        conditions: conditions(properties),
        sort_key: list("Sort Key"),
        presorted_key: list("Presorted Key"),
        group_keys: group_keys(properties),
        cache_key: string("Cache Key"),
        output: list("Output"),
        removed_by_filter: count("Rows Removed by Filter").filter(|rows| *rows > 0.0),
        removed_by_join_filter: count("Rows Removed by Join Filter").filter(|rows| *rows > 0.0),
        removed_by_recheck: count("Rows Removed by Index Recheck").filter(|rows| *rows > 0.0),
        heap_fetches: count("Heap Fetches"),
        index_searches: count("Index Searches"),
        subplans_removed: count("Subplans Removed").filter(|subplans| *subplans > 0.0),
        workers_planned: count("Workers Planned"),
        workers_launched: count("Workers Launched"),
        counters: counters(properties),
        workers: raw.workers.iter().map(worker).collect(),
        other: other(properties),
        siblings: 0,
        partitioned: None,
    }
}

fn relationship(name: &str) -> Option<Relationship> {
    Some(match name {
        "Outer" => Relationship::Outer,
        "Inner" => Relationship::Inner,
        "Member" => Relationship::Member,
        "Subquery" => Relationship::Subquery,
        "InitPlan" => Relationship::InitPlan,
        "SubPlan" => Relationship::SubPlan,
        _ => return None,
    })
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        other => vec![text(other)],
    }
}

fn estimate(properties: &[(String, Value)]) -> Option<Estimate> {
    let get = |key: &str| get(properties, key).and_then(number);
    Some(Estimate {
        startup_cost: get("Startup Cost")?,
        total_cost: get("Total Cost")?,
        rows: get("Plan Rows")?,
        // Left out where a plan was typed.
        width: get("Plan Width").unwrap_or(0.0),
    })
}

fn actual(properties: &[(String, Value)]) -> Option<Actual> {
    let get = |key: &str| get(properties, key).and_then(number);
    let (rows, loops) = (get("Actual Rows")?, get("Actual Loops")?);
    // JSON has times of 0 where a node was never executed.
    let time = |key: &str| get(key).filter(|_| loops > 0.0);
    Some(Actual { startup_time: time("Actual Startup Time"), total_time: time("Actual Total Time"), rows, loops })
}

fn conditions(properties: &[(String, Value)]) -> Vec<Condition> {
    let conditions = properties
        .iter()
        .filter_map(|(key, value)| Some(Condition { kind: ConditionKind::named(key)?, text: text(value) }));
    let mut conditions: Vec<Condition> = conditions.collect();
    conditions.sort_by_key(|condition| condition.kind);
    conditions
}

/// GROUPING SETS stand in JSON as objects with the keys of each set, in the text format as further lines.
fn group_keys(properties: &[(String, Value)]) -> Vec<Vec<String>> {
    let mut sets = Vec::new();
    for (key, value) in properties {
        match (key.as_str(), value) {
            ("Group Key" | "Hash Key", value) => sets.push(strings(value)),
            ("Grouping Sets", Value::Array(groups)) => {
                for group in groups.iter().filter_map(Value::as_object) {
                    let keys = group.get("Group Keys").or_else(|| group.get("Hash Keys")).and_then(Value::as_array);
                    sets.extend(keys.into_iter().flatten().map(strings));
                }
            }
            _ => {}
        }
    }
    sets
}

fn worker(properties: &Properties) -> Worker {
    let number = get(properties, "Worker Number").and_then(number).unwrap_or(0.0);
    Worker { number: number as u32, actual: actual(properties), counters: counters(properties) }
}

fn buffers(properties: &[(String, Value)]) -> Buffers {
    let get = |key: &str| get(properties, key).and_then(number).unwrap_or(0.0);
    Buffers {
        shared_hit: get("Shared Hit Blocks"),
        shared_read: get("Shared Read Blocks"),
        shared_dirtied: get("Shared Dirtied Blocks"),
        shared_written: get("Shared Written Blocks"),
        local_hit: get("Local Hit Blocks"),
        local_read: get("Local Read Blocks"),
        local_dirtied: get("Local Dirtied Blocks"),
        local_written: get("Local Written Blocks"),
        temp_read: get("Temp Read Blocks"),
        temp_written: get("Temp Written Blocks"),
    }
}

fn counters(properties: &[(String, Value)]) -> Counters {
    let of = |key: &str| get(properties, key).and_then(number);
    let get_or_zero = |key: &str| of(key).unwrap_or(0.0);
    Counters {
        buffers: buffers(properties),
        io: IoTimes {
            read: get_or_zero("I/O Read Time")
                + get_or_zero("Shared I/O Read Time")
                + get_or_zero("Local I/O Read Time"),
            write: get_or_zero("I/O Write Time")
                + get_or_zero("Shared I/O Write Time")
                + get_or_zero("Local I/O Write Time"),
            temp_read: get_or_zero("Temp I/O Read Time"),
            temp_write: get_or_zero("Temp I/O Write Time"),
        },
        wal: Wal {
            records: get_or_zero("WAL Records"),
            full_page_images: get_or_zero("WAL FPI"),
            bytes: get_or_zero("WAL Bytes"),
        },
        sort: sort(properties),
        hash: of("Hash Batches").map(|batches| HashUse {
            buckets: get_or_zero("Hash Buckets"),
            batches,
            planned_batches: of("Original Hash Batches").unwrap_or(batches),
            kilobytes: get_or_zero("Peak Memory Usage"),
        }),
        hash_aggregate: of("HashAgg Batches").map(|batches| HashAggregateUse {
            planned_partitions: get_or_zero("Planned Partitions"),
            batches,
            kilobytes: get_or_zero("Peak Memory Usage"),
            disk_kilobytes: get_or_zero("Disk Usage"),
        }),
        memoize: of("Cache Hits").map(|hits| MemoizeUse {
            hits,
            misses: get_or_zero("Cache Misses"),
            evictions: get_or_zero("Cache Evictions"),
            overflows: get_or_zero("Cache Overflows"),
            kilobytes: get_or_zero("Peak Memory Usage"),
        }),
        exact_heap_blocks: get_or_zero("Exact Heap Blocks"),
        lossy_heap_blocks: get_or_zero("Lossy Heap Blocks"),
        storage: get(properties, "Storage").map(|kind| (text(kind), get_or_zero("Maximum Storage"))),
    }
}

fn sort(properties: &[(String, Value)]) -> Option<SortUse> {
    if let Some(method) = get(properties, "Sort Method") {
        return Some(SortUse {
            methods: vec![text(method)],
            kilobytes: get(properties, "Sort Space Used").and_then(number).unwrap_or(0.0),
            on_disk: get(properties, "Sort Space Type").map(text).as_deref() == Some("Disk"),
            groups: None,
        });
    }
    let groups: Vec<&Value> =
        ["Full-sort Groups", "Pre-sorted Groups"].iter().filter_map(|key| get(properties, key)).collect();
    let peak = |group: &&Value, space: &str| {
        group.get(space).and_then(|space| space.get("Peak Sort Space Used")).and_then(number)
    };
    let disk = groups.iter().filter_map(|group| peak(group, "Sort Space Disk")).fold(None, maximum);
    let memory = groups.iter().filter_map(|group| peak(group, "Sort Space Memory")).fold(None, maximum);
    let mut methods: Vec<String> =
        groups.iter().filter_map(|group| group.get("Sort Methods Used")).flat_map(strings).collect();
    methods.sort();
    methods.dedup();
    (!groups.is_empty()).then(|| SortUse {
        methods,
        kilobytes: disk.or(memory).unwrap_or(0.0),
        on_disk: disk.is_some(),
        groups: Some(groups.iter().filter_map(|group| number(group.get("Group Count")?)).sum()),
    })
}

fn maximum(a: Option<f64>, b: f64) -> Option<f64> {
    Some(a.map_or(b, |a| a.max(b)))
}

/// Properties worth showing that have no field of their own.
fn other(properties: &[(String, Value)]) -> Vec<(String, String)> {
    const SHOWN: &[&str] = &[
        "Remote SQL",
        "Relations",
        "Conflict Resolution",
        "Conflict Arbiter Indexes",
        "Window",
        "Task Count",
        "Distributed Query",
        "Foreign File",
        // Citus
        "Tasks Shown",
        "Tuple data received from nodes",
        "Tuple data received from node",
        "Node",
        "Map Task Count",
        "Merge Task Count",
        "Subplan Duration",
        "Intermediate Data Size",
        "Result destination",
        "Distributed Subplan",
        // Timescale
        "Chunks excluded during startup",
        "Chunks excluded during runtime",
        "Chunks excluded",
        "Vectorized Filter",
        "Order",
        "Batch Sorted Merge",
        super::text_node::NOTE,
    ];
    const COUNTED: &[&str] =
        &["Tuples Inserted", "Conflicting Tuples", "Tuples Updated", "Tuples Deleted", "Tuples Skipped"];
    let shown = |key: &str, value: &Value| {
        SHOWN.contains(&key) || COUNTED.contains(&key) && number(value).is_some_and(|count| count > 0.0)
    };
    let properties = properties.iter().filter(|(key, value)| shown(key, value));
    properties.map(|(key, value)| (key.clone(), number(value).map_or_else(|| text(value), |n| n.to_string()))).collect()
}
