//! What is not in any node: compilation, planning, triggers, workers that never came.

use super::{Confidence, Context, Tip, amount};
use crate::plan::NodeId;
use crate::plan::node::{KnownType, Node};

/// JIT: of the execution, and milliseconds.
const JIT: (f64, f64) = (0.25, 50.0);

/// Without ANALYZE: a cost of so many times jit_above_cost is just above it.
const JIT_JUST_ABOVE: f64 = 1.5;

/// Scans below one Append.
const MANY_PARTITIONS: usize = 100;

/// Planning: of planning and execution, and milliseconds.
const PLANNING: (f64, f64) = (0.5, 10.0);

/// A constraint's trigger: of the execution.
const TRIGGER: f64 = 0.2;

/// Turning the result into text: of the execution, and milliseconds.
const SERIALIZATION: (f64, f64) = (0.25, 50.0);

pub(super) fn tips(context: &Context) -> Vec<Tip> {
    let mut tips = Vec::new();
    tips.extend(jit(context));
    tips.extend(planning(context));
    tips.extend(partitions(context));
    tips.extend(serialization(context));
    tips.extend(triggers(context));
    tips.extend(elsewhere(context));
    tips.extend(workers(context));
    tips.extend(disabled(context));
    tips
}

fn whole(kind: &'static str, share: f64, message: String, numbers: Vec<(&'static str, f64)>, advice: &str) -> Tip {
    Tip {
        kind,
        node: None,
        share,
        confidence: Confidence::High,
        message,
        numbers,
        advice: advice.to_owned(),
        sql: Vec::new(),
    }
}

fn jit(context: &Context) -> Option<Tip> {
    let jit = context.plan.jit.as_ref()?;
    if !context.plan.is_analyzed() {
        return jit_expected(context, jit.functions);
    }
    let share = jit.total_time / context.plan.total_time()?;
    if share < JIT.0 || jit.total_time < JIT.1 {
        return None;
    }
    let message = format!(
        "Compiling {} functions took {}, {} of the time",
        amount::count(jit.functions),
        amount::time(jit.total_time),
        amount::percent(share)
    );
    let numbers = vec![("milliseconds", jit.total_time), ("functions", jit.functions)];
    let advice = "JIT compilation costs more than it saves here. Raise jit_above_cost (and jit_inline_above_cost, jit_optimize_above_cost), or switch jit off for this role.";
    let mut tip = whole("jit", share.min(1.0), message, numbers, advice);
    tip.sql = vec!["SET jit = off;".to_owned()];
    Some(tip)
}

/// Without ANALYZE: a cost just above the threshold means a query that is short, and functions that are compiled for it all the same.
fn jit_expected(context: &Context, functions: f64) -> Option<Tip> {
    let cost = context.plan.root().estimate?.total_cost;
    let threshold: f64 = context.plan.setting("jit_above_cost").and_then(|it| it.parse().ok()).unwrap_or(100_000.0);
    if functions < 1.0 || cost > threshold * JIT_JUST_ABOVE {
        return None;
    }
    let message = format!(
        "{} functions will be compiled: the cost of {} is just above jit_above_cost ({})",
        amount::count(functions),
        amount::count(cost),
        amount::count(threshold)
    );
    let numbers = vec![("functions", functions), ("cost", cost), ("jit-above-cost", threshold)];
    let advice = "Compiling may take longer than it saves: EXPLAIN (ANALYZE) shows. Raise jit_above_cost, or switch jit off for this role.";
    Some(Tip { confidence: Confidence::Low, ..whole("jit", 1.0, message, numbers, advice) })
}

/// A scan of each partition.
fn partitions(context: &Context) -> Option<Tip> {
    let appends = context.nodes().filter(|(_, node)| node.is_any(&[KnownType::Append, KnownType::MergeAppend]));
    let scans =
        |node: &Node| node.children.iter().map(|child| context.plan.node(*child).siblings.max(1)).sum::<usize>();
    let (number, id) = appends.map(|(id, node)| (scans(node), id)).max()?;
    if number < MANY_PARTITIONS {
        return None;
    }
    let share = context.use_of(id).share;
    Some(Tip {
        kind: "many-partitions",
        node: Some(id),
        share,
        confidence: Confidence::Low,
        message: format!("{number} tables or partitions are read, {}", context.share_text(share)),
        numbers: vec![("scans", number as f64)],
        advice: "Each is planned, locked and opened on its own. Compare the partition key with something, or make partitions larger.".to_owned(),
        sql: Vec::new(),
    })
}

fn planning(context: &Context) -> Option<Tip> {
    let (planning, execution) = (context.plan.planning_time?, context.plan.total_time()?);
    let share = planning / (planning + execution);
    let numbers = vec![("planning-milliseconds", planning), ("execution-milliseconds", execution)];
    let message =
        format!("Planning took {}, {} of planning and execution", amount::time(planning), amount::percent(share));
    let advice = "Prepare the statement, so that the plan is kept. Many partitions that the condition does not name, many indexes and many joined tables make planning slow.";
    (share >= PLANNING.0 && planning >= PLANNING.1).then(|| whole("planning-time", share, message, numbers, advice))
}

fn serialization(context: &Context) -> Option<Tip> {
    let serialization = context.plan.serialization.as_ref()?;
    let (time, total) = (serialization.time?, context.plan.total_time()?);
    let share = time / total;
    let message = format!(
        "Turning {} of result into {} took {}, {} of the time",
        amount::kilobytes(serialization.kilobytes),
        serialization.format,
        amount::time(time),
        amount::percent(share)
    );
    let numbers = vec![("milliseconds", time), ("kilobytes", serialization.kilobytes)];
    let advice = "Return fewer columns: wide values are fetched from TOAST and decompressed only for this.";
    (share >= SERIALIZATION.0 && time >= SERIALIZATION.1)
        .then(|| whole("wide-result", share.min(1.0), message, numbers, advice))
}

fn triggers(context: &Context) -> Vec<Tip> {
    let Some(total) = context.plan.total_time().filter(|total| *total > 0.0) else { return Vec::new() };
    let slow = context.plan.triggers.iter().filter_map(|trigger| Some((trigger, trigger.time?)));
    slow.filter(|(_, time)| *time >= TRIGGER * total && *time >= super::MATERIAL_TIME)
        .map(|(trigger, time)| {
            let share = (time / total).min(1.0);
            let (name, advice) = match (&trigger.constraint, &trigger.name) {
                (Some(constraint), _) if is_looked_up(context, time / trigger.calls.max(1.0)) => (
                    format!("The check of constraint {constraint}"),
                    "Each check finds its row by an index, and there are that many checks. Where all rows are loaded at once, drop the foreign key before and add it after (NOT VALID, then VALIDATE CONSTRAINT): it is then checked by one join.",
                ),
                (Some(constraint), _) => (
                    format!("The check of constraint {constraint}"),
                    "If it is a foreign key that points at this table, the referencing column has no index: each deleted or updated key makes a scan of that table. Index the referencing column; pgassay audit names it.",
                ),
                (None, name) => (
                    format!("Trigger {}", name.as_deref().unwrap_or("?")),
                    "It runs once for each row: look at the plans of its own statements (auto_explain.log_nested_statements), or make it a statement trigger with transition tables.",
                ),
            };
            let message = format!(
                "{name} took {} in {}, {} of the time",
                amount::time(time),
                amount::counted(trigger.calls, "call", "calls"),
                amount::percent(share)
            );
            whole("trigger-time", share, message, vec![("milliseconds", time), ("calls", trigger.calls)], advice)
        })
        .collect()
}

/// What a statement that writes took besides its nodes: of the whole, and milliseconds.
const ELSEWHERE: (f64, f64) = (0.3, 5.0);

/// Triggers that a log does not name.
fn elsewhere(context: &Context) -> Option<Tip> {
    let plan = context.plan;
    let (total, nodes) = (plan.total_time()?, plan.root().actual?.total_time? * plan.root().loops());
    let outside = total - nodes;
    let silent = plan.triggers.is_empty() && plan.cut.is_none() && plan.root().is(KnownType::ModifyTable);
    let counts = outside >= ELSEWHERE.0 * total && outside >= ELSEWHERE.1;
    (silent && counts && plan.serialization.is_none()).then(|| {
        let message = format!(
            "{} of {} were in none of the nodes, {} of the time: triggers, or checks of foreign keys",
            amount::time(outside),
            amount::time(total),
            amount::percent(outside / total)
        );
        let numbers = vec![("milliseconds", outside)];
        let advice = "EXPLAIN (ANALYZE) of the statement names them with their times; in a log auto_explain.log_triggers = on does.";
        Tip { confidence: Confidence::Medium, ..whole("trigger-time", outside / total, message, numbers, advice) }
    })
}

/// Whether a check of a foreign key finds its row by an index: of rows that are inserted the key that they refer to is looked up, which
/// always has one; another lookup that takes no longer than this has one too, or a table of few rows.
fn is_looked_up(context: &Context, time_of_call: f64) -> bool {
    const LOOKUP: f64 = 0.1;
    let writes = context.nodes().filter(|(_, node)| node.is(KnownType::ModifyTable));
    let mut operations = writes.map(|(_, node)| node.operation.as_deref());
    time_of_call < LOOKUP || operations.all(|operation| operation == Some("Insert"))
}

fn workers(context: &Context) -> Vec<Tip> {
    let gathers = context
        .nodes()
        .filter(|(id, node)| node.is_any(&[KnownType::Gather, KnownType::GatherMerge]) && context.is_material(*id));
    gathers
        .filter_map(|(id, node)| {
            let (planned, launched) = (node.workers_planned?, node.workers_launched?);
            // Per run of the Gather; a loop may have got them and the next not.
            (launched < planned * node.loops().max(1.0) && launched < planned && node.loops() > 0.0).then(|| Tip {
                kind: "workers-not-launched",
                node: Some(id),
                share: context.use_of(id).share,
                confidence: Confidence::High,
                message: format!("{} of {} planned parallel workers were launched", amount::count(launched), amount::count(planned)),
                numbers: vec![("workers-planned", planned), ("workers-launched", launched)],
                advice: "The server's pool was empty, or too small: max_parallel_workers and max_worker_processes bound it. A plan made for workers is slower without them than one made for none.".to_owned(),
                sql: Vec::new(),
            })
        })
        .collect()
}

fn disabled(context: &Context) -> Option<Tip> {
    let (id, node) =
        context.nodes().find(|(id, node)| (node.disabled || is_dear(context, *id)) && context.is_material(*id))?;
    let share = context.use_of(id).share;
    Some(Tip {
        kind: "disabled-node",
        node: Some(id),
        share,
        confidence: Confidence::Low,
        message: format!(
            "{} is used although a setting (enable_…) tells the planner not to: it found no other way",
            node.kind.name()
        ),
        numbers: Vec::new(),
        advice: "Such settings are for experiments; RESET what this session, role or database sets.".to_owned(),
        sql: Vec::new(),
    })
}

/// Before 18, a node that is disabled costs this much more (`disable_cost`, costsize.c), and with it all above.
fn is_dear(context: &Context, id: NodeId) -> bool {
    let dear =
        |node: &Node| node.estimate.is_some_and(|estimate| estimate.total_cost >= crate::plan::own::DISABLE_COST);
    dear(context.plan.node(id)) && !context.plan.children(id).any(dear)
}
