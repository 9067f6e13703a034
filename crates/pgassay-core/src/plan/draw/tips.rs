//! The advice below the tree, each by the number of its node.

use std::io::{self, Write};

use super::super::Tip;
use super::line::{self, BOLD, DIM, GREEN, RED, YELLOW};
use super::{Assayed, Options};
use crate::text::{layout, plain};

/// Columns before the text of a tip.
const INDENT: usize = 5;

pub(super) fn write(assayed: &Assayed, options: Options, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    if assayed.tips.is_empty() {
        return writeln!(out, "{}", line::paint(GREEN, &layout::wrap(nothing(assayed), options.width)));
    }
    for tip in &assayed.tips {
        one(tip, options, out)?;
    }
    Ok(())
}

pub(super) fn nothing(assayed: &Assayed) -> &'static str {
    match (assayed.plan.is_analyzed(), assayed.plan.root().estimate) {
        (true, _) => "Nothing material to improve.",
        (false, Some(_)) => "Nothing material to see in the estimates; EXPLAIN (ANALYZE, BUFFERS) would tell more.",
        (false, None) => "There is nothing to judge without costs and times; EXPLAIN (ANALYZE, BUFFERS) would tell.",
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
