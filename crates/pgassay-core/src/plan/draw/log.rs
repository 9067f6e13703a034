//! The queries of a log as a table.

use std::io::{self, Write};

use super::super::amount;
use super::super::log::Log;
use super::Options;
use super::line::{self, BOLD, DIM};

/// More lines than this are no summary.
const MOST: usize = 20;

/// Writes what each query of a log took.
///
/// # Errors
/// Those of the writer.
pub fn log(log: &Log, options: Options, out: &mut dyn Write) -> io::Result<()> {
    let queries = log.queries();
    let title = format!(
        "{} of {}",
        amount::counted(log.count as f64, "plan", "plans"),
        amount::counted(queries.len() as f64, "query", "queries")
    );
    writeln!(out, "{}\n", line::paint(BOLD, &title))?;
    let cells = |query: &super::super::log::LoggedQuery| {
        [
            amount::time(query.total),
            amount::count(query.count as f64),
            amount::time(query.total / query.count as f64),
            amount::time(query.worst),
        ]
    };
    let titles = ["total", "plans", "average", "worst"];
    let mut widths = titles.map(str::len);
    for query in queries.iter().take(MOST) {
        for (width, cell) in widths.iter_mut().zip(cells(query)) {
            *width = (*width).max(line::columns(&cell));
        }
    }
    let row = |cells: &[String]| -> String {
        cells.iter().zip(widths).map(|(cell, width)| format!("{}  ", line::right(cell, width))).collect()
    };
    writeln!(out, "{}", line::paint(DIM, row(&titles.map(str::to_owned)).trim_end()))?;
    let room = options.width.saturating_sub(widths.iter().map(|width| width + 2).sum());
    for query in queries.iter().take(MOST) {
        writeln!(out, "{}{}", row(&cells(query)), line::cut(&query.query, room))?;
    }
    if queries.len() > MOST {
        writeln!(
            out,
            "{}",
            line::paint(
                DIM,
                &format!("and {} more", amount::counted((queries.len() - MOST) as f64, "query", "queries"))
            )
        )?;
    }
    writeln!(out)
}
