//! `--verify`: what the advised indexes do on a copy, beside what was predicted.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context;
use pgassay::db::{Limits, Parameters, Session};
use pgassay::whatif::{self, Prepared, Verified};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::report::Report;
use super::words::{bytes, count, duration, percent, queries, shortened};
use super::workload::Statement;

/// Where and how to measure.
pub struct Wanted<'a> {
    pub copy: &'a str,
    pub original: Option<&'a str>,
    pub limit: Duration,
    pub writes: bool,
}

/// Makes the indexes on the copy and measures.
pub fn measure(runtime: &Runtime, wanted: &Wanted, report: &Report) -> anyhow::Result<Verified> {
    let copy = Parameters::read(wanted.copy).context("--verify")?;
    if let Some(original) = wanted.original {
        let original = Parameters::read(original)?;
        let (here, there) = (identity(runtime, &original)?, identity(runtime, &copy)?);
        if here == there {
            anyhow::bail!(
                "--verify names the database itself: indexes would be made on it. Name a copy, such as CREATE DATABASE … TEMPLATE or a restored dump"
            );
        }
    }
    eprintln!(
        "making {} on the copy, {}, and running the queries there; they are dropped afterwards",
        if report.advice.len() == 1 { "1 index".to_owned() } else { format!("{} indexes", report.advice.len()) },
        copy.database()
    );
    let run_by = |(query, it): (usize, &Statement)| {
        Prepared::new(&it.query.text, it.rows).run_by(report.planned_as.get(query).cloned().flatten())
    };
    let prepared = report.statements.iter().enumerate().map(run_by).collect();
    Ok(whatif::verify(runtime, &copy, wanted.limit, prepared, &report.advice, wanted.writes)?)
}

/// What tells one database from every other: the cluster, and its number there. Only a member of pg_monitor may see the former everywhere, so the start
/// of the server, the address and the files' folder stand in.
fn identity(runtime: &Runtime, parameters: &Parameters) -> anyhow::Result<Vec<String>> {
    let session = runtime.block_on(Session::open(parameters, &Limits::default()))?;
    let sql = "SELECT pg_catalog.json_build_array(pg_catalog.pg_postmaster_start_time(), d.oid, d.datname)::text
                 FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()";
    Ok(runtime.block_on(session.ask("the identity of the database", sql, &[]))?)
}

/// Milliseconds of all calls before and after, of the queries that were run; and as predicted.
struct Totals {
    before: f64,
    after: f64,
    predicted: f64,
    /// Queries whose time after is within a factor of two of what was predicted, of those that were to change.
    close: usize,
    changed: usize,
}

fn totals(report: &Report, verified: &Verified) -> Totals {
    let mut totals = Totals { before: 0.0, after: 0.0, predicted: 0.0, close: 0, changed: 0 };
    for measured in &verified.queries {
        let calls = report.statements[measured.query].query.calls;
        let share = 1.0 - report.advised[measured.query].saved.clamp(0.0, 1.0);
        totals.before += calls * measured.before;
        totals.after += calls * measured.after;
        totals.predicted += calls * measured.before * share;
        let predicted = (measured.before * share).max(0.05);
        let ratio = measured.after.max(0.05) / predicted;
        if share < 0.9 || measured.after < measured.before * 0.7 {
            totals.changed += 1;
            totals.close += usize::from((0.5..=2.0).contains(&ratio));
        }
    }
    totals
}

/// Whether a query that is to gain from an index was run.
fn was_run(report: &Report, verified: &Verified, index: &str) -> bool {
    let gains = report.advice.iter().filter(|it| it.name == index).flat_map(|it| &it.gains);
    gains.into_iter().any(|gain| verified.queries.iter().any(|it| it.query == gain.query))
}

pub fn lines(report: &Report, verified: &Verified) -> Vec<String> {
    let Totals { before, after, predicted, close, changed } = totals(report, verified);
    let share = |part: f64| percent(1.0 - part / before.max(f64::MIN_POSITIVE));
    let mut lines = vec![format!(
        "Measured on {}: {} run with values from its rows: {} → {} for all calls, {} saved (predicted {}); {close} of {changed} that change are within a factor of two",
        verified.place,
        queries(verified.queries.len()),
        duration(before),
        duration(after),
        share(after),
        share(predicted)
    )];
    for made in &verified.indexes {
        let estimated = report.advice.iter().find(|it| it.name == made.name).map_or(0.0, |it| it.estimate.bytes);
        lines.push(match &made.refused {
            Some(reason) => format!("{}: could not be made: {reason}", made.name),
            None => {
                let of = |(query, without, with): &(usize, f64, f64)| {
                    report.statements[*query].query.calls * (without - with)
                };
                let lost: f64 = made.without.iter().map(of).sum();
                let what = match made.without.len() {
                    0 if !was_run(report, verified, &made.name) => "none of its queries was run".to_owned(),
                    0 => "no query used it".to_owned(),
                    many if lost <= 0.0 => format!("nothing is lost without it ({})", queries(many)),
                    many => format!("without it {} more in {}", duration(lost), queries(many)),
                };
                format!("{}: {what}; {} ({} expected)", made.name, bytes(made.bytes), bytes(estimated))
            }
        });
    }
    let mut slowest: Vec<_> =
        verified.queries.iter().filter(|it| it.before > it.after * 1.3 || it.after > it.before * 1.3).collect();
    let weight = |it: &whatif::Measured| report.statements[it.query].query.calls * (it.before - it.after).abs();
    slowest.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    for it in slowest.iter().take(super::report::FIRST) {
        let least = if it.stopped { "more than " } else { "" };
        lines.push(format!(
            "{least}{} → {} a call, {} → {} blocks: {}",
            duration(it.before),
            duration(it.after),
            count(it.blocks_before.round()),
            count(it.blocks_after.round()),
            shortened(&report.statements[it.query].query.text, 70)
        ));
    }
    let mut reasons: Vec<(String, usize)> = Vec::new();
    for (_, reason) in &verified.left_out {
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, number)) => *number += 1,
            None => reasons.push((reason.clone(), 1)),
        }
    }
    lines.extend(reasons.into_iter().map(|(reason, number)| format!("{} not run: {reason}", queries(number))));
    lines
}

pub fn to_json(report: &Report, verified: &Verified) -> Value {
    let Totals { before, after, predicted, .. } = totals(report, verified);
    let measured = verified.queries.iter().map(|it| {
        json!({
            "query": it.query, "milliseconds_before": it.before, "milliseconds_after": it.after, "blocks_before": it.blocks_before,
            "blocks_after": it.blocks_after, "sets_of_values": it.sets, "stopped_before": it.stopped,
            "saved_share_predicted": report.advised[it.query].saved,
        })
    });
    let indexes = verified.indexes.iter().map(|it| {
        let without: Vec<Value> = it
            .without
            .iter()
            .map(|(query, without, with)| json!({ "query": query, "milliseconds_without": without, "milliseconds_with": with }))
            .collect();
        json!({ "name": it.name, "bytes": it.bytes, "refused": it.refused, "without": without })
    });
    let left_out = verified.left_out.iter().map(|(query, reason)| json!({ "query": query, "reason": reason }));
    json!({
        "place": verified.place,
        "milliseconds_before": before,
        "milliseconds_after": after,
        "milliseconds_after_predicted": predicted,
        "queries": measured.collect::<Vec<_>>(),
        "indexes": indexes.collect::<Vec<_>>(),
        "left_out": left_out.collect::<Vec<_>>(),
    })
}

pub fn markdown(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(verified) = &report.verified else { return Ok(()) };
    writeln!(out, "### Measured\n")?;
    for line in lines(report, verified) {
        writeln!(out, "- {}", super::report::cell(&line))?;
    }
    writeln!(out)
}
