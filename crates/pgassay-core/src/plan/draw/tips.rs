//! The advice below the tree, each by the number of its node.

use std::io::{self, Write};

use super::super::{self as plan, Tip, Verdict, amount};
use super::line::{self, BOLD, DIM, GREEN, RED, YELLOW};
use super::{Assayed, Options};
use crate::text::{layout, plain};

/// Columns before the text of a tip.
const INDENT: usize = 5;

pub(super) fn write(assayed: &Assayed, options: Options, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    if assayed.tips.is_empty() {
        let style = match plan::verdict(&assayed.plan, &assayed.shares) {
            Verdict::OneNode(..) | Verdict::Spread => YELLOW,
            _ => GREEN,
        };
        return writeln!(
            out,
            "{}",
            line::paint(style, &layout::wrap(&plain::one_line(&nothing(assayed)), options.width))
        );
    }
    for tip in &assayed.tips {
        one(tip, options, out)?;
    }
    Ok(())
}

pub(super) fn nothing(assayed: &Assayed) -> String {
    let plan = &assayed.plan;
    match plan::verdict(plan, &assayed.shares) {
        Verdict::Fast(time) => format!("Nothing material to improve: it took {}.", amount::time(time)),
        Verdict::OneNode(id, share) => format!(
            "Node {} ({}) takes {} of the time, and no rule knows a remedy for it.",
            id.number(),
            super::node_title(plan.node(id)),
            amount::percent(share)
        ),
        Verdict::Spread => "No rule has a remedy, and no node takes more than half of the time.".to_owned(),
        Verdict::Estimated => {
            "Nothing material to see in the estimates; EXPLAIN (ANALYZE, BUFFERS) would tell more.".to_owned()
        }
        Verdict::Unknown => {
            "There is nothing to judge without costs and times; EXPLAIN (ANALYZE, BUFFERS) would tell.".to_owned()
        }
    }
}

fn one(tip: &Tip, options: Options, out: &mut dyn Write) -> io::Result<()> {
    let number = tip.node.map_or_else(|| "plan".to_owned(), |id| id.number().to_string());
    let style = if tip.share >= 0.3 { RED } else { YELLOW };
    let width = options.width.saturating_sub(INDENT);
    let message = layout::wrap(&format!("{}.", plain::one_line(&tip.message)), width);
    for (at, text) in message.lines().enumerate() {
        let number = if at == 0 { line::right(&number, INDENT - 1) } else { " ".repeat(INDENT - 1) };
        writeln!(out, "{} {}", line::paint(style, &number), line::paint(BOLD, text))?;
    }
    for text in layout::wrap(&plain::one_line(&tip.advice), width).lines() {
        writeln!(out, "{}{text}", " ".repeat(INDENT))?;
    }
    for sql in &tip.sql {
        writeln!(out, "{}  {}", " ".repeat(INDENT), line::paint(GREEN, &plain::one_line(sql)))?;
    }
    let sure = format!("{}, confidence {}", tip.kind, tip.confidence.name());
    for text in layout::wrap(&sure, width).lines() {
        writeln!(out, "{}{}", " ".repeat(INDENT), line::paint(DIM, text))?;
    }
    writeln!(out)
}
