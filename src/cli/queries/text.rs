//! The result for a terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use pgassay::text::layout;

use super::report::{FIRST, GAINS, GAPS, Report};
use super::words::{queries, shortened};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();

/// Statements shown of one index: each partition has two.
const STATEMENTS: usize = 5;

/// Lines of a width, each paragraph behind its indentation.
struct Page<'o> {
    width: usize,
    out: &'o mut dyn Write,
}

impl Page<'_> {
    fn paragraph(&mut self, indent: usize, style: Style, text: &str) -> io::Result<()> {
        for line in layout::wrap(text, self.width.saturating_sub(indent).max(20)).lines() {
            writeln!(self.out, "{:indent$}{style}{line}{style:#}", "")?;
        }
        Ok(())
    }

    /// Not broken: it is there to be copied.
    fn sql(&mut self, indent: usize, text: &str) -> io::Result<()> {
        writeln!(self.out, "{:indent$}{GREEN}{text};{GREEN:#}", "")
    }

    /// On one line.
    fn query(&mut self, indent: usize, text: &str) -> io::Result<()> {
        writeln!(self.out, "{:indent$}{}", "", shortened(text, self.width.saturating_sub(indent)))
    }

    fn gap(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }
}

pub fn write(report: &Report, width: usize, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    let page = &mut Page { width, out };
    page.paragraph(0, BOLD, &report.summary())?;
    for line in std::iter::once(report.window()).chain(report.left_out()) {
        page.paragraph(0, DIM, &line)?;
    }
    page.gap()?;
    first(report, page)?;
    if let Some(verified) = &report.verified {
        for (number, line) in super::verified::lines(report, verified).iter().enumerate() {
            match number {
                0 => page.paragraph(0, BOLD, line)?,
                _ => page.paragraph(3, Style::new(), line)?,
            }
        }
        page.gap()?;
    }
    for (number, advice) in report.advice.iter().enumerate() {
        page.paragraph(0, BOLD, &format!("{}. {}", number + 1, report.headline(advice)))?;
        let shown = if verbose { advice.statements.len() } else { STATEMENTS };
        for statement in advice.statements.iter().take(shown) {
            page.sql(3, statement)?;
        }
        if advice.statements.len() > shown {
            let more = advice.statements.len() - shown;
            page.paragraph(
                3,
                DIM,
                &format!("and {more} more statements, for the other partitions: --verbose lists them"),
            )?;
        }
        for gain in advice.gains.iter().take(GAINS) {
            page.query(3, &report.statements[gain.query].query.text)?;
            page.paragraph(5, DIM, &report.gain(gain))?;
        }
        if advice.gains.len() > GAINS {
            page.paragraph(3, DIM, &format!("and {} more", queries(advice.gains.len() - GAINS)))?;
        }
        page.gap()?;
    }
    for unused in &report.unused {
        page.paragraph(0, BOLD, &format!("Drop {}", report.unused(unused)))?;
        page.sql(3, &unused.statement)?;
        page.gap()?;
    }
    observations(report, page)?;
    list(report, "No index helps", report.not_helped(verbose), page)?;
    list(report, "Not planned", report.not_planned(verbose), page)?;
    for gap in report.gaps.iter().take(GAPS) {
        page.paragraph(0, DIM, &format!("note: not as in the database: {}: {}", gap.what, gap.reason))?;
    }
    Ok(())
}

/// What to do first, in columns.
fn first(report: &Report, page: &mut Page) -> io::Result<()> {
    let lines = report.first();
    if lines.len() < 2 {
        return Ok(());
    }
    page.paragraph(0, BOLD, "What to do first")?;
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (1..5).map(width).collect();
    let rest = widths.iter().map(|width| width + 2).sum::<usize>() + 5;
    let index = page.width.saturating_sub(rest).clamp(30, width(0).max(30));
    for (number, line) in lines.iter().enumerate() {
        let mut text = format!("{:>2}. {:index$}", number + 1, shortened(&line[0], index));
        for (cell, width) in line[1..].iter().zip(&widths) {
            text.push_str(&format!("  {cell:width$}"));
        }
        writeln!(page.out, "{}", text.trim_end())?;
    }
    if report.advice.len() > FIRST {
        page.paragraph(4, DIM, &format!("and {} more", report.advice.len() - FIRST))?;
    }
    page.gap()
}

/// What else the plans and an audit tell of each query.
fn observations(report: &Report, page: &mut Page) -> io::Result<()> {
    let with: Vec<usize> = (0..report.statements.len()).filter(|query| !report.told(*query).is_empty()).collect();
    if with.is_empty() {
        return Ok(());
    }
    page.paragraph(0, BOLD, "Besides indexes")?;
    for query in with {
        page.query(3, &report.statements[query].query.text)?;
        for (message, advice) in report.told(query) {
            page.paragraph(5, YELLOW, &message)?;
            page.paragraph(7, Style::new(), &advice)?;
        }
    }
    page.gap()
}

fn list(report: &Report, title: &str, (shown, more): (Vec<usize>, usize), page: &mut Page) -> io::Result<()> {
    if shown.is_empty() {
        return Ok(());
    }
    page.paragraph(0, BOLD, title)?;
    for query in shown {
        page.query(3, &report.statements[query].query.text)?;
        for line in report.about(query) {
            page.paragraph(5, DIM, &line)?;
        }
    }
    if more > 0 {
        page.paragraph(3, DIM, &format!("and {}: --verbose lists them", queries(more)))?;
    }
    page.gap()
}
