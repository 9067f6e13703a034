//! Sums by table, by index and by type of node: what a plan of many nodes spends where.

use std::collections::HashMap;
use std::io::{self, Write};

use super::super::amount;
use super::line::{self, BOLD, DIM};
use super::{Assayed, Options};

/// What all nodes of one kind took for themselves.
#[derive(Default, Clone, Copy)]
struct Sum {
    nodes: usize,
    size: f64,
    share: f64,
    blocks: f64,
}

/// Lines of each table; what is left counts for little.
const MOST: usize = 15;

/// Writes the sums of a plan.
///
/// # Errors
/// Those of the writer.
pub fn sums(assayed: &Assayed, options: Options, out: &mut dyn Write) -> io::Result<()> {
    let plan = &assayed.plan;
    let relation = |at: usize| plan.nodes[at].qualified_relation();
    let index = |at: usize| plan.nodes[at].index.as_deref().map(super::super::node::quote);
    let kind = |at: usize| Some(plan.nodes[at].kind.name().to_owned());
    table("table", grouped(assayed, relation), assayed.shares.timed, options, out)?;
    table("index", grouped(assayed, index), assayed.shares.timed, options, out)?;
    table("node", grouped(assayed, kind), assayed.shares.timed, options, out)?;
    table("besides", besides(assayed), assayed.shares.timed, options, out)
}

/// What took time and is in no node: triggers, planning, what comes before and after the nodes. Compilation is in their times too.
fn besides(assayed: &Assayed) -> Vec<(String, Sum)> {
    let plan = &assayed.plan;
    let Some(total) = plan.total_time().filter(|total| assayed.shares.timed && *total > 0.0) else { return Vec::new() };
    let mut parts: Vec<(String, f64)> = Vec::new();
    let mut in_triggers = 0.0;
    for trigger in &plan.triggers {
        let Some(time) = trigger.time else { continue };
        in_triggers += time;
        parts.push((super::summary::name_of(trigger), time));
    }
    parts.extend(plan.planning_time.map(|time| ("planning".to_owned(), time)));
    let jit = plan.jit.as_ref().map(|jit| jit.total_time).filter(|time| *time > 0.0);
    parts.extend(jit.map(|time| ("compilation (in the nodes' times)".to_owned(), time)));
    let serialization = plan.serialization.as_ref().and_then(|it| it.time);
    parts.extend(serialization.map(|time| ("serialization".to_owned(), time)));
    let root = plan.root().actual.and_then(|actual| actual.total_time).unwrap_or(total);
    let rest = total - root - in_triggers - serialization.unwrap_or(0.0);
    if plan.execution_time.is_some() && rest > 0.0 {
        parts.push(("start and end".to_owned(), rest));
    }
    parts.sort_by(|a, b| b.1.total_cmp(&a.1));
    let sum = |time: f64| Sum { size: time, share: time / total, ..Sum::default() };
    parts.into_iter().map(|(name, time)| (name, sum(time))).collect()
}

fn grouped(assayed: &Assayed, name: impl Fn(usize) -> Option<String>) -> Vec<(String, Sum)> {
    let mut sums: HashMap<String, Sum> = HashMap::new();
    for id in assayed.plan.ids() {
        let Some(name) = name(id.0) else { continue };
        let own = assayed.shares[id];
        let sum = sums.entry(name).or_default();
        sum.nodes += 1;
        sum.size += if assayed.shares.timed { own.own_time.unwrap_or(0.0) } else { own.own_cost };
        sum.share += own.own_share;
        sum.blocks += own.own_buffers.accessed();
    }
    let mut sums: Vec<(String, Sum)> = sums.into_iter().collect();
    sums.sort_by(|a, b| b.1.size.total_cmp(&a.1.size).then_with(|| a.0.cmp(&b.0)));
    sums
}

fn table(title: &str, sums: Vec<(String, Sum)>, timed: bool, options: Options, out: &mut dyn Write) -> io::Result<()> {
    if sums.is_empty() {
        return Ok(());
    }
    let longest = sums.iter().take(MOST).map(|(name, _)| line::columns(name)).max().unwrap_or(0);
    let width = longest.min(options.width.saturating_sub(36)).max(title.len());
    let what = if timed { "own time" } else { "own cost" };
    let nodes = if sums.iter().any(|(_, sum)| sum.nodes > 0) { ("nodes", "blocks") } else { ("", "") };
    let head = format!("{} {:>6} {what:>10} {:>5} {:>8}", line::left(title, width), nodes.0, "", nodes.1);
    writeln!(out, "\n{}", line::paint(DIM, head.trim_end()))?;
    for (name, sum) in sums.iter().take(MOST) {
        let size = if timed { amount::time(sum.size) } else { amount::short(sum.size) };
        let blocks = if sum.blocks > 0.0 { amount::blocks(sum.blocks) } else { String::new() };
        let row = format!(
            "{} {:>6} {} {:>5} {:>8}",
            line::left(name, width),
            if sum.nodes > 0 { sum.nodes.to_string() } else { String::new() },
            line::paint(BOLD, &line::right(&size, 10)),
            amount::percent(sum.share.min(1.0)),
            blocks
        );
        writeln!(out, "{}", row.trim_end())?;
    }
    if sums.len() > MOST {
        writeln!(out, "{}", line::paint(DIM, &format!("and {} more", sums.len() - MOST)))?;
    }
    Ok(())
}
