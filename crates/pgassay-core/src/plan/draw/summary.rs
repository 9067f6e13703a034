//! The lines above the tree (how long, how much) and those below it (triggers, compilation).

use std::io::{self, Write};

use super::super::{Plan, Trigger, amount};
use super::line::{self, BOLD, DIM};
use super::{Assayed, Options, detail};
use crate::text::{layout, plain};

pub(super) fn write(assayed: &Assayed, options: Options, out: &mut dyn Write) -> io::Result<()> {
    let plan = &assayed.plan;
    if let Some(query) = &plan.query {
        let query = if options.verbose {
            layout::wrap(&plain::visible(query), options.width)
        } else {
            line::cut(&query.split_whitespace().collect::<Vec<_>>().join(" "), options.width)
        };
        writeln!(out, "{}\n", line::paint(DIM, &query))?;
    }
    writeln!(out, "{}", line::paint(BOLD, &layout::wrap(&totals(plan).join(" · "), options.width)))?;
    if let Some(cut) = &plan.cut {
        writeln!(out, "{}", line::paint(super::line::YELLOW, &layout::wrap(&plain::one_line(cut), options.width)))?;
    }
    if !plan.settings.is_empty() {
        let settings: Vec<String> = plan.settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        writeln!(out, "{}", line::paint(DIM, &layout::wrap(&plain::one_line(&settings.join(", ")), options.width)))?;
    }
    writeln!(out)
}

/// `1.24 s`, `planning 0.2 ms`, `25 MB of blocks (24 MB cached, 1 MB read)`.
pub(super) fn totals(plan: &Plan) -> Vec<String> {
    let mut parts = Vec::new();
    match (plan.total_time(), plan.root().estimate) {
        (Some(time), _) => parts.push(amount::time(time)),
        (None, Some(estimate)) => {
            let what = if plan.is_analyzed() { "run without times" } else { "not run" };
            parts.push(format!("{what}: cost {}", amount::count(estimate.total_cost.round())));
        }
        (None, None) => parts.push("costs and times are off".to_owned()),
    }
    if let Some(planning) = plan.planning_time {
        parts.push(format!("planning {}", amount::time(planning)));
    }
    let rows = plan.root().actual_rows();
    if let Some(rows) = rows {
        parts.push(amount::counted(rows, "row", "rows"));
    }
    let buffers = plan.root().counters.buffers;
    if buffers.accessed() > 0.0 {
        let read = if buffers.read() > 0.0 {
            format!("{} of them read", amount::blocks(buffers.read()))
        } else {
            "all cached".to_owned()
        };
        parts.push(format!("{} of blocks, {read}", amount::blocks(buffers.accessed())));
    }
    if buffers.temp() > 0.0 {
        parts.push(format!("{} to temporary files", amount::blocks(buffers.temp_written)));
    }
    parts
}

pub(super) fn write_behind(assayed: &Assayed, options: Options, out: &mut dyn Write) -> io::Result<()> {
    let lines = lines_behind(assayed, options.verbose);
    if !lines.is_empty() {
        writeln!(out)?;
    }
    lines.iter().try_for_each(|text| writeln!(out, "{}", line::cut(text, options.width)))
}

pub(super) fn name_of(trigger: &Trigger) -> String {
    match (&trigger.constraint, &trigger.name) {
        (Some(constraint), _) => format!("constraint {constraint}"),
        (None, name) => format!("trigger {}", name.as_deref().unwrap_or("?")),
    }
}

/// What took time and is in no node, and how the statement was planned.
pub(super) fn lines_behind(assayed: &Assayed, verbose: bool) -> Vec<String> {
    let plan = &assayed.plan;
    let mut lines = Vec::new();
    for trigger in &plan.triggers {
        let name = name_of(trigger);
        let time = trigger.time.map(amount::time).unwrap_or_default();
        let share = trigger.time.zip(plan.total_time()).filter(|(_, total)| *total > 0.0);
        let share = share.map(|(time, total)| format!(" ({})", amount::percent(time / total))).unwrap_or_default();
        lines.push(format!("{name}: {time}{share} in {}", amount::counted(trigger.calls, "call", "calls")));
    }
    if let Some(jit) = &plan.jit {
        let functions = amount::counted(jit.functions, "function", "functions");
        lines.push(match plan.is_analyzed() {
            true => format!("JIT: {functions}, {}", amount::time(jit.total_time)),
            false => format!("JIT: {functions} to compile"),
        });
    }
    if let Some(serialization) = &plan.serialization {
        let time = serialization.time.map(amount::time).unwrap_or_default();
        lines.push(format!(
            "serialization: {} as {}, {time}",
            amount::kilobytes(serialization.kilobytes),
            serialization.format
        ));
    }
    if verbose {
        let planning = detail::blocks(&plan.planning.buffers);
        if !planning.is_empty() {
            lines.push(format!("planning: {planning}"));
        }
        if let Some(memory) = plan.planning.memory_used {
            lines.push(format!("planning: {} of memory", amount::kilobytes(memory)));
        }
        if let Some(identifier) = &plan.identifier {
            lines.push(format!("query identifier {identifier}"));
        }
    }
    lines
}
