//! Markdown: the drawing as a block of code, the advice as a list.

use std::io::{self, Write};

use super::super::compare::Comparison;
use super::super::{Tip, amount};
use super::{Assayed, Options, comparison, summary, tips, tree};
use crate::text::markdown::{block, prose};

/// Columns of the drawing: what the comment of a pull request shows without scrolling.
const WIDTH: usize = 100;

/// Writes plans as Markdown.
///
/// # Errors
/// Those of the writer.
pub fn markdown(plans: &[Assayed], verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    for (at, assayed) in plans.iter().enumerate() {
        if plans.len() > 1 {
            writeln!(out, "{}### Plan {} of {}\n", if at > 0 { "\n" } else { "" }, at + 1, plans.len())?;
        }
        if let Some(query) = &assayed.plan.query {
            writeln!(out, "{}\n", block("sql", query))?;
        }
        writeln!(out, "**{}**\n", prose(&summary::totals(&assayed.plan).join(" · ")))?;
        let options = Options { width: WIDTH, verbose, ..Options::default() };
        let mut drawing = Vec::new();
        tree::write(assayed, options, &mut drawing)?;
        summary::write_behind(assayed, options, &mut drawing)?;
        let drawing = anstream::adapter::strip_bytes(&drawing).into_vec();
        writeln!(out, "{}\n", block("text", String::from_utf8_lossy(&drawing).trim_end()))?;
        if assayed.tips.is_empty() {
            writeln!(out, "{}", prose(&tips::nothing(assayed)))?;
        }
        assayed.tips.iter().try_for_each(|tip| one(tip, out))?;
    }
    Ok(())
}

fn one(tip: &Tip, out: &mut dyn Write) -> io::Result<()> {
    let place = tip.node.map_or_else(|| "plan".to_owned(), |id| format!("node {}", id.number()));
    writeln!(out, "- **{place}** {}. {}", prose(&tip.message), prose(&tip.advice))?;
    if !tip.sql.is_empty() {
        let block = block("sql", &tip.sql.join("\n"));
        writeln!(out, "\n  {}\n", block.replace('\n', "\n  "))?;
    }
    Ok(())
}

/// Writes what changed between two plans as Markdown.
///
/// # Errors
/// Those of the writer.
pub fn comparison_markdown(found: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "**{}**\n", prose(&comparison::headline(found)))?;
    if found.changes.is_empty() {
        writeln!(out, "The plans are of the same shape.")?;
    }
    for change in &found.changes {
        writeln!(out, "- {}: {}", change.kind.name(), prose(&change.text))?;
    }
    let show = |number: f64| if found.timed { amount::time(number) } else { amount::short(number) };
    let mut parts = comparison::material(found).peekable();
    if parts.peek().is_some() {
        writeln!(out, "\n| before | after | where it comes from |\n|--:|--:|---|")?;
    }
    for part in parts {
        writeln!(out, "| {} | {} | {} |", show(part.own_before), show(part.own_after), prose(&part.text))?;
    }
    Ok(())
}
