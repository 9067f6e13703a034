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
    table("node", grouped(assayed, kind), assayed.shares.timed, options, out)
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
    let head = format!("{} {:>6} {what:>10} {:>5} {:>8}", line::left(title, width), "nodes", "", "blocks");
    writeln!(out, "\n{}", line::paint(DIM, head.trim_end()))?;
    for (name, sum) in sums.iter().take(MOST) {
        let size = if timed { amount::time(sum.size) } else { amount::short(sum.size) };
        let blocks = if sum.blocks > 0.0 { amount::blocks(sum.blocks) } else { String::new() };
        let row = format!(
            "{} {:>6} {} {:>5} {:>8}",
            line::left(name, width),
            sum.nodes,
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
