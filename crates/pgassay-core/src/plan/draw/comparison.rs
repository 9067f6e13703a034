//! What changed between two plans, in the terminal.

use std::io::{self, Write};

use super::super::amount;
use super::super::compare::{Comparison, Difference};
use super::line::{self, BOLD, CYAN, DIM, GREEN, RED};
use super::{Assayed, Options, summary};
use crate::text::{layout, plain};

/// Parts below this share of the greater total account for nothing.
const SHOWN: f64 = 0.02;

/// At most so many parts.
const MOST: usize = 10;

pub(super) fn write(
    before: &Assayed,
    after: &Assayed,
    comparison: &Comparison,
    options: Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let width = options.width.max(super::NARROWEST);
    writeln!(out, "{}", line::paint(BOLD, &headline(comparison)))?;
    for (name, assayed) in [("before", before), ("after", after)] {
        writeln!(
            out,
            "{}",
            line::paint(
                DIM,
                &line::cut(&format!("  {name:<6}  {}", summary::totals(&assayed.plan).join(" · ")), width)
            )
        )?;
    }
    writeln!(out)?;
    if comparison.changes.is_empty() {
        writeln!(out, "The plans are of the same shape.")?;
    }
    for change in &comparison.changes {
        let name = format!("{:<14}", change.kind.name());
        let text = layout::wrap(&plain::one_line(&change.text), width.saturating_sub(16));
        for (at, text) in text.lines().enumerate() {
            let name = if at == 0 { name.as_str() } else { "              " };
            writeln!(out, "{}  {text}", line::paint(CYAN, name))?;
        }
    }
    parts(comparison, width, out)
}

/// `1.24 s → 12.3 ms: 100× faster`.
pub(super) fn headline(comparison: &Comparison) -> String {
    let (before, after) = (comparison.before, comparison.after);
    let show = |number: f64| {
        if comparison.timed { amount::time(number) } else { format!("cost {}", amount::count(number.round())) }
    };
    let (better, worse) = if comparison.timed { ("faster", "slower") } else { ("cheaper", "dearer") };
    let factor = after.max(f64::MIN_POSITIVE) / before.max(f64::MIN_POSITIVE);
    let verdict = match factor {
        factor if factor > 1.05 => format!("{} {worse}", amount::factor(factor)),
        factor if factor < 0.95 => format!("{} {better}", amount::factor(1.0 / factor)),
        _ => "about the same".to_owned(),
    };
    format!("{} → {}: {verdict}", show(before), show(after))
}

/// The parts that account for the difference.
pub(super) fn material(comparison: &Comparison) -> impl Iterator<Item = &Difference> {
    let least = SHOWN * comparison.before.max(comparison.after);
    let parts = comparison.differences.iter();
    parts.filter(move |part| (part.own_after - part.own_before).abs() >= least.max(f64::MIN_POSITIVE)).take(MOST)
}

fn parts(comparison: &Comparison, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut parts = material(comparison).peekable();
    if parts.peek().is_none() {
        return Ok(());
    }
    let show = |number: f64| if comparison.timed { amount::time(number) } else { amount::short(number) };
    let what = if comparison.timed { "own time" } else { "own cost" };
    writeln!(
        out,
        "\n{}",
        line::paint(DIM, &format!("{:>9} {:>9}   where it comes from, by {what}", "before", "after"))
    )?;
    for part in parts {
        let (was, is) = (part.own_before, part.own_after);
        let style = if is > was { RED } else { GREEN };
        let numbers =
            [part.before, part.after].map(|id| id.map_or_else(|| "–".to_owned(), |id| id.number().to_string()));
        let place =
            if numbers[0] == numbers[1] { numbers[0].clone() } else { format!("{}→{}", numbers[0], numbers[1]) };
        let text = line::cut(&format!("{place} {}", part.text), width.saturating_sub(22));
        let after = line::paint(style, &line::right(&show(is), 9));
        writeln!(out, "{} {after}   {text}", line::right(&show(was), 9))?;
    }
    Ok(())
}
