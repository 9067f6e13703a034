//! The deploy on a page: who waits, by table and by migration, then the timelines.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::panel;
use crate::facts::rows;
use crate::finding::{Finding, Severity};
use crate::report::timeline::{Panel, Time, Waits, panels};
use crate::report::{Measured, Report};
use crate::source::{FileId, Sources};
use crate::text::numbers::{bytes, per_second};
use crate::text::plain;

/// Timelines on a page; the worst, where there are more.
const MOST_PANELS: usize = 60;

/// Tables and migrations that are listed without a click.
const OPEN_LIST: usize = 30;

pub(super) type ByFile<'r> = BTreeMap<FileId, Vec<&'r Finding>>;

pub(super) fn write(report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    let panels = panels(report);
    if panels.is_empty() {
        return Ok(());
    }
    let mut findings = ByFile::new();
    report.findings.iter().for_each(|finding| findings.entry(finding.span.file).or_default().push(finding));
    let drawn = drawn(&panels);
    writeln!(out, "<h2 id=\"deploy\">The deploy</h2>")?;
    tables(&panels, out)?;
    list(&panels, &drawn, &findings, sources, out)?;
    if drawn.is_empty() {
        return writeln!(out, "<p>No migration makes reads or writes wait.</p>");
    }
    legend(&panels, drawn.len(), out)?;
    let open = drawn.len() <= 12;
    drawn.iter().try_for_each(|at| panel::write(*at, &panels[*at], open, &findings, sources, out))
}

fn makes_wait(panel: &Panel) -> bool {
    panel.worst().is_some_and(|(waits, _)| waits > Waits::Maintenance)
}

/// The migrations that are worth a picture, as indexes in their order.
fn drawn(panels: &[Panel]) -> Vec<usize> {
    let mut all: Vec<usize> = (0..panels.len()).filter(|at| makes_wait(&panels[*at])).collect();
    if all.len() > MOST_PANELS {
        let key = |at: &usize| {
            panels[*at]
                .worst()
                .map(|(waits, time)| (waits, !time.is_instant(), time.more, (time.known.most * 1000.0) as u64))
        };
        all.sort_by_key(|at| std::cmp::Reverse(key(at)));
        all.truncate(MOST_PANELS);
        all.sort_unstable();
    }
    all
}

/// What waits on each table through the whole deploy.
fn tables(panels: &[Panel], out: &mut dyn Write) -> io::Result<()> {
    let mut all: BTreeMap<&str, (Option<&Measured>, BTreeMap<Waits, Time>)> = BTreeMap::new();
    for lane in panels.iter().flat_map(|panel| &panel.lanes) {
        for held in lane.held.iter().filter(|held| Waits::of(held.mode) > Waits::Maintenance) {
            let (table, times) = all.entry(lane.relation).or_default();
            *table = table.or(lane.table);
            let time = times.entry(Waits::of(held.mode)).or_default();
            *time = time.plus(held.time);
        }
    }
    if all.is_empty() {
        return Ok(());
    }
    let is_measured = all.values().any(|(table, _)| table.is_some());
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by(|(_, one), (_, other)| weight(&other.1).total_cmp(&weight(&one.1)));
    let measured = if is_measured { "<th class=\"n\">size</th><th>use</th>" } else { "" };
    let open = if all.len() <= OPEN_LIST { " open" } else { "" };
    writeln!(
        out,
        "<details class=\"list\"{open}><summary>Who waits, by table</summary><div class=\"wide\"><table><tr><th>table</th>{measured}<th>who waits</th><th>how long</th></tr>"
    )?;
    for (name, (table, times)) in all {
        let rows = times.len();
        let size = plain::html(&table.and_then(size).unwrap_or_default());
        let calls = plain::html(&table.and_then(calls).unwrap_or_default());
        let measured = match is_measured {
            true => format!("<td class=\"n\" rowspan=\"{rows}\">{size}</td><td rowspan=\"{rows}\">{calls}</td>"),
            false => String::new(),
        };
        let mut first = format!("<td rowspan=\"{rows}\"><code>{}</code></td>{measured}", plain::html(name));
        for (waits, time) in times.iter().rev() {
            let (class, time) = (class(*waits), plain::html(&time.to_string()));
            writeln!(out, "<tr>{first}<td><span class=\"{class}\">{waits}</span></td><td>{time}</td></tr>")?;
            first.clear();
        }
    }
    writeln!(out, "</table></div></details>")
}

/// Orders tables: by the seconds that somebody waits, and what is not known counts for much.
fn weight(times: &BTreeMap<Waits, Time>) -> f64 {
    let one = |(waits, time): (&Waits, &Time)| {
        let long = time.known.most + if time.more { 1e5 } else { 0.0 };
        (long + 1e-3) * if *waits == Waits::ReadsAndWrites { 2.0 } else { 1.0 }
    };
    times.iter().map(one).sum()
}

pub(super) fn size(table: &Measured) -> Option<String> {
    table.bytes.map(bytes).or_else(|| table.rows.map(|number| format!("{} rows", rows(number))))
}

pub(super) fn calls(table: &Measured) -> Option<String> {
    let calls = table.calls?;
    let (reads, writes) = (per_second(calls.reads), per_second(calls.writes));
    Some(match calls.from_counters {
        true => format!("{reads} scans, {writes} changed rows a second"),
        false => format!("{reads} reads, {writes} writes a second"),
    })
}

fn list(
    panels: &[Panel],
    drawn: &[usize],
    findings: &ByFile,
    sources: &Sources,
    out: &mut dyn Write,
) -> io::Result<()> {
    let open = if panels.len() <= OPEN_LIST { " open" } else { "" };
    writeln!(
        out,
        "<details class=\"list\"{open}><summary>{}, in the order in which they run</summary><div class=\"wide\"><table><tr><th>migration</th><th class=\"n\">statements</th><th>who waits</th><th>longest</th><th>findings</th></tr>",
        plain::counted(panels.len(), "migration")
    )?;
    for (at, panel) in panels.iter().enumerate() {
        let name = plain::html(title(panel, sources));
        let name = if drawn.binary_search(&at).is_ok() { format!("<a href=\"#m{at}\">{name}</a>") } else { name };
        let (waits, time) = match panel.worst().filter(|(waits, _)| *waits > Waits::Maintenance) {
            Some((waits, time)) => (format!("<span class=\"{}\">{waits}</span>", class(waits)), time.to_string()),
            None => ("nobody".to_owned(), String::new()),
        };
        writeln!(
            out,
            "<tr><td>{name}</td><td class=\"n\">{}</td><td>{waits}</td><td>{}</td><td>{}</td></tr>",
            panel.statements.len(),
            plain::html(&time),
            counts(panel, findings)
        )?;
    }
    writeln!(out, "</table></div></details>")
}

/// Findings of a migration by severity, each in its colour.
pub(super) fn counts(panel: &Panel, findings: &ByFile) -> String {
    let Some(own) = findings.get(&panel.file) else { return String::new() };
    let covers = |finding: &&&Finding| panel.statements.iter().any(|record| record.span.contains(finding.span));
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    own.iter().filter(covers).for_each(|finding| *counts.entry(finding.severity).or_default() += 1);
    let part = |(severity, number): (&Severity, &usize)| {
        format!("<span class=\"s {severity}\">{}</span>", plain::counted(*number, severity.name()))
    };
    counts.iter().rev().map(part).collect::<Vec<_>>().join(", ")
}

fn legend(panels: &[Panel], drawn: usize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<h3>Locks over time</h3>")?;
    let key = |waits: Waits| format!("<span><i class=\"{}\"></i>{waits}</span>", class(waits));
    let keys = [Waits::ReadsAndWrites, Waits::Writes, Waits::Rows, Waits::Maintenance].map(key);
    writeln!(
        out,
        "<div class=\"key\">{}<span><i class=\"unknown\"></i>as long as the work takes: no size is known</span></div>",
        keys.concat()
    )?;
    let any_known = panels.iter().flat_map(|panel| &panel.statements).any(|record| record.time().known.most > 0.0);
    writeln!(
        out,
        "<p class=\"dim\">A bar is a lock, from the statement that takes it until its transaction ends. {}{}</p>",
        match any_known {
            true => "Columns are as wide as the work takes at most; what takes an instant has one width.",
            false =>
                "Columns are statements; with <code>--db</code> or <code>--snapshot</code> they are as wide as the work takes.",
        },
        match panels.iter().filter(|panel| makes_wait(panel)).count().saturating_sub(drawn) {
            0 => String::new(),
            more => format!(" The worst {drawn} migrations are drawn; somebody waits in {more} more."),
        }
    )
}

pub(super) fn title<'r>(panel: &Panel<'r>, sources: &'r Sources) -> &'r str {
    // Where the tool's name for it is a number only, its file says more.
    if panel.migration.chars().any(char::is_alphabetic) { panel.migration } else { &sources.file(panel.file).name }
}

pub(super) fn class(waits: Waits) -> &'static str {
    match waits {
        Waits::ReadsAndWrites => "w3",
        Waits::Writes => "w2",
        Waits::Rows => "w1",
        Waits::Maintenance => "w0",
    }
}
