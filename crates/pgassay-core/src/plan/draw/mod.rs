//! Plans for people and programs: in the terminal, as Markdown, as JSON.
//!
//! In: plans with their tips. Out: text on a writer; colours as escape sequences, which the caller strips where they are unwanted.

mod columns;
mod comparison;
mod detail;
mod html;
mod json;
mod line;
mod log;
mod markdown;
mod summary;
mod sums;
mod tips;
mod title;
mod tree;

use std::io::{self, Write};

use super::{Comparison, Plan, Shares, Tip, advise};

pub(super) use title::title as node_title;

pub use html::{comparison_html, html};
pub use json::{comparison_json, json};
pub use log::log;
pub use markdown::{comparison_markdown, markdown};
pub use sums::sums;

/// Columns that a drawing needs at least.
pub const NARROWEST: usize = 40;

/// What the bars of a drawing measure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Bars {
    /// Own time, or own cost where there are no times.
    #[default]
    Time,
    /// Rows that came, in all loops, or that are expected.
    Rows,
    /// Blocks that the node itself asked for.
    Buffers,
    /// The wait for blocks (track_io_timing), or else the blocks that came from outside of shared_buffers.
    Io,
    /// How far the estimate of rows is off.
    Error,
}

/// How to draw for a terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Columns; fewer than [`NARROWEST`] count as that.
    pub width: usize,
    /// Whole conditions, output columns, blocks of each node.
    pub verbose: bool,
    pub bars: Bars,
}

/// A plan with all that is said of it.
pub struct Assayed {
    pub plan: Plan,
    pub shares: Shares,
    pub tips: Vec<Tip>,
}

impl Assayed {
    pub fn new(plan: Plan) -> Assayed {
        let shares = Shares::of(&plan);
        let tips = advise(&plan, &shares);
        Assayed { plan, shares, tips }
    }

    /// The tips that are about one node.
    fn tips_of(&self, id: super::NodeId) -> impl Iterator<Item = &Tip> {
        self.tips.iter().filter(move |tip| tip.node == Some(id))
    }
}

/// Draws plans one below the other.
///
/// # Errors
/// Those of the writer.
pub fn text(plans: &[Assayed], options: Options, out: &mut dyn Write) -> io::Result<()> {
    let options = Options { width: options.width.max(NARROWEST), ..options };
    for (at, assayed) in plans.iter().enumerate() {
        if plans.len() > 1 {
            let title = format!(" plan {} of {} ", at + 1, plans.len());
            let rule = "─".repeat(options.width.saturating_sub(title.len() + 2));
            writeln!(out, "{}──{title}{rule}", if at > 0 { "\n" } else { "" })?;
        }
        one(assayed, options, out)?;
    }
    Ok(())
}

fn one(assayed: &Assayed, options: Options, out: &mut dyn Write) -> io::Result<()> {
    summary::write(assayed, options, out)?;
    tree::write(assayed, options, out)?;
    summary::write_behind(assayed, options, out)?;
    tips::write(assayed, options, out)
}

/// Draws what changed between two plans.
///
/// # Errors
/// Those of the writer.
pub fn comparison_text(
    before: &Assayed,
    after: &Assayed,
    comparison: &Comparison,
    options: Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    comparison::write(before, after, comparison, options, out)
}
