//! One migration on a page: a timeline of its locks, the same in words, and its statements.

use std::io::{self, Write};

use super::deploy::{ByFile, calls, class, counts, size, title};
use crate::finding::Finding;
use crate::report::statement::{strongest_lock, verdict, work};
use crate::report::timeline::{Held, Lane, Panel, Time, Waits};
use crate::report::{StatementRecord, prose};
use crate::rules::migration::LockWait;
use crate::source::Sources;
use crate::text::plain;

/// Columns of a timeline; what comes after is in its table.
const MOST_COLUMNS: usize = 80;

pub(super) fn write(
    number: usize,
    panel: &Panel,
    open: bool,
    findings: &ByFile,
    sources: &Sources,
    out: &mut dyn Write,
) -> io::Result<()> {
    let open = if open { " open" } else { "" };
    writeln!(
        out,
        "<details class=\"migration\" id=\"m{number}\"{open}><summary><b>{}</b> {}</summary><div class=\"in\">",
        plain::html(title(panel, sources)),
        counts(panel, findings)
    )?;
    sentences(panel, sources, out)?;
    picture(panel, sources, out)?;
    let empty = Vec::new();
    statements(panel, findings.get(&panel.file).unwrap_or(&empty), sources, out)?;
    writeln!(out, "</div></details>")
}

/// The same in words: nothing is only in the picture.
fn sentences(panel: &Panel, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<ul class=\"waits\">")?;
    for lane in &panel.lanes {
        for held in lane.held.iter().filter(|held| Waits::of(held.mode) > Waits::Maintenance) {
            writeln!(out, "<li>{}</li>", sentence(lane, held, panel, sources))?;
        }
    }
    let strong = panel.statements.iter().filter_map(|record| record.impact.lock_wait);
    match strong.clone().find(|wait| *wait == LockWait::ForEver).or(strong.clone().next()) {
        Some(LockWait::ForEver) => writeln!(
            out,
            "<li>Before it gets its lock it may wait for the longest transaction on the table, and whoever comes later queues behind it: no lock_timeout is set.</li>"
        )?,
        Some(LockWait::Milliseconds(limit)) => writeln!(
            out,
            "<li>It waits for a lock up to {}; meanwhile whoever comes later queues behind it.</li>",
            milliseconds(limit)
        )?,
        Some(LockWait::SetElsewhere) | None => {}
    }
    writeln!(out, "</ul>")
}

fn milliseconds(number: u64) -> String {
    if number.is_multiple_of(1000) { format!("{} s", number / 1000) } else { format!("{number} ms") }
}

fn sentence(lane: &Lane, held: &Held, panel: &Panel, sources: &Sources) -> String {
    let known: Vec<String> = lane.table.into_iter().flat_map(|table| [size(table), calls(table)]).flatten().collect();
    let known = if known.is_empty() { String::new() } else { format!(" ({})", plain::html(&known.join("; "))) };
    let line = |at: usize| line(panel.statements[at], sources);
    let when = match (held.goes_on, held.from == held.to) {
        (true, _) => format!("from line {} on, into the next migration", line(held.from)),
        (false, true) => format!("during the statement in line {}", line(held.from)),
        (false, false) => format!("from line {} to line {}", line(held.from), line(held.to)),
    };
    let waits = Waits::of(held.mode);
    let time = if held.time.is_instant() { "for an instant".to_owned() } else { plain::html(&held.time.to_string()) };
    format!(
        "<code>{}</code>{known}: <span class=\"{}\">{waits}</span> {when} ({}): {time}",
        plain::html(lane.relation),
        class(waits),
        held.mode
    )
}

fn line(record: &StatementRecord, sources: &Sources) -> u32 {
    sources.positions(record.span).0.line
}

/// Statements that share a column.
struct Column {
    from: usize,
    to: usize,
    time: Time,
}

/// A column for each statement that takes a lock or works, and one for those in between.
fn columns(panel: &Panel) -> Vec<Column> {
    let number = panel.statements.len();
    let mut begins = vec![false; number + 1];
    let mut own = vec![false; number];
    for (at, record) in panel.statements.iter().enumerate() {
        own[at] = !record.impact.locks.is_empty() || !record.impact.work.is_empty();
        let other = |other: &&StatementRecord| record.transaction.is_none() || other.transaction != record.transaction;
        let before = at.checked_sub(1).map(|before| panel.statements[before]);
        begins[at] |= own[at] || before.as_ref().is_none_or(other) && record.transaction.is_some();
        begins[at] |= at == 0 || own[at - 1];
    }
    for held in panel.lanes.iter().flat_map(|lane| &lane.held) {
        begins[held.from] = true;
        begins[held.to + 1] = true;
    }
    let starts: Vec<usize> = (0..number).filter(|at| begins[*at]).collect();
    let ends = starts.iter().skip(1).copied().chain([number]);
    let column = |(from, end): (usize, usize)| {
        let time = panel.statements[from..end].iter().map(|record| record.time()).fold(Time::default(), Time::plus);
        Column { from, to: end - 1, time }
    };
    starts.iter().copied().zip(ends).map(column).collect()
}

fn picture(panel: &Panel, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    let mut columns = columns(panel);
    let all = columns.len();
    columns.truncate(MOST_COLUMNS);
    let longest = columns.iter().map(|column| column.time.known.most).fold(0.0, f64::max);
    let width = |column: &Column| match (column.time.more, column.time.known.most) {
        (true, _) => "minmax(120px,30fr)".to_owned(),
        (false, most) if most > 0.0 => format!("minmax(44px,{:.0}fr)", (most / longest * 100.0).max(1.0)),
        _ => "34px".to_owned(),
    };
    let widths: Vec<String> = columns.iter().map(width).collect();
    writeln!(out, "<div class=\"wide\"><div class=\"time\" style=\"--c:{}\">", widths.join(" "))?;
    let cells: String = columns.iter().map(|column| head(column, panel, sources)).collect();
    writeln!(
        out,
        "<div class=\"lane head\"><span class=\"name\">line</span><span class=\"cells\">{cells}</span></div>"
    )?;
    transactions(&columns, panel, out)?;
    for lane in &panel.lanes {
        let bars: String = lane.held.iter().filter_map(|held| bar(held, lane, &columns)).collect();
        if !bars.is_empty() {
            let name = plain::html(lane.relation);
            writeln!(
                out,
                "<div class=\"lane\"><span class=\"name\" title=\"{name}\">{name}</span><span class=\"cells\">{bars}</span></div>"
            )?;
        }
    }
    let time = |column: &Column| match column.time {
        time if time.is_instant() => "<em></em>".to_owned(),
        time if time.more && time.known.most == 0.0 => "<em>grows with the table</em>".to_owned(),
        time if time.more => format!("<em>{} and more</em>", plain::html(&time.known.to_string())),
        time => format!("<em>{}</em>", plain::html(&time.known.to_string())),
    };
    if columns.iter().any(|column| !column.time.is_instant()) {
        let cells: String = columns.iter().map(time).collect();
        writeln!(
            out,
            "<div class=\"lane foot\"><span class=\"name\">time</span><span class=\"cells\">{cells}</span></div>"
        )?;
    }
    writeln!(out, "</div></div>")?;
    match all - columns.len() {
        0 => Ok(()),
        more => writeln!(
            out,
            "<p class=\"dim\">{more} more columns are not drawn; the sentences above and the table have them.</p>"
        ),
    }
}

fn head(column: &Column, panel: &Panel, sources: &Sources) -> String {
    let (first, last) = (line(panel.statements[column.from], sources), line(panel.statements[column.to], sources));
    match column.from == column.to {
        true => format!("<em title=\"{}\">{first}</em>", plain::html(&words(panel.statements[column.from], sources))),
        false => format!("<em title=\"lines {first} to {last}\">…</em>"),
    }
}

fn words(record: &StatementRecord, sources: &Sources) -> String {
    prose::first_words(&plain::one_line(sources.slice(record.span)))
}

/// Which columns commit together.
fn transactions(columns: &[Column], panel: &Panel, out: &mut dyn Write) -> io::Result<()> {
    let of = |column: &Column| panel.statements[column.from].transaction.map(|(number, _)| number);
    let mut cells = String::new();
    let mut at = 0;
    for group in columns.chunk_by(|one, other| of(one).is_some() && of(one) == of(other)) {
        if of(&group[0]).is_some() && panel.statements.len() > 1 {
            cells.push_str(&format!(
                "<i class=\"tx\" style=\"grid-column:{}/{}\" title=\"one transaction\"></i>",
                at + 1,
                at + 1 + group.len()
            ));
        }
        at += group.len();
    }
    if cells.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<div class=\"lane\"><span class=\"name dim\">transaction</span><span class=\"cells\">{cells}</span></div>"
    )
}

fn bar(held: &Held, lane: &Lane, columns: &[Column]) -> Option<String> {
    let first = columns.iter().position(|column| column.from <= held.from && held.from <= column.to)?;
    let last =
        columns.iter().position(|column| column.from <= held.to && held.to <= column.to).unwrap_or(columns.len() - 1);
    let waits = Waits::of(held.mode);
    let unknown = if held.time.more { " unknown" } else { "" };
    let text = format!("{} on {}: {waits}, {}", held.mode, lane.relation, held.time);
    Some(format!(
        "<i class=\"{}{unknown}\" style=\"grid-column:{}/{}\" title=\"{}\"><b>{}</b></i>",
        class(waits),
        first + 1,
        last + 2,
        plain::html(&text),
        held.mode
    ))
}

fn statements(panel: &Panel, findings: &[&Finding], sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<details class=\"more\"><summary>{}</summary><div class=\"wide\"><table><tr><th class=\"n\">line</th><th>statement</th><th>strongest lock</th><th>work</th><th>time</th><th>verdict</th></tr>",
        plain::counted(panel.statements.len(), "statement")
    )?;
    for record in &panel.statements {
        let time = record.time();
        let time = if time.is_instant() { String::new() } else { time.to_string() };
        writeln!(
            out,
            "<tr><td class=\"n\">{}</td><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            line(record, sources),
            plain::html(&words(record, sources)),
            plain::html(&strongest_lock(record)),
            plain::html(&work(record)),
            plain::html(&time),
            plain::html(&verdict(record, findings))
        )?;
    }
    writeln!(out, "</table></div></details>")
}
