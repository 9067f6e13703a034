//! The result, as text, JSON and Markdown.

use std::io::{self, Write};

use pgassay::advisor::{Advice, Advised, Gain, Outcome, Reason, Unused};
use pgassay::plan::draw::Assayed;
use pgassay::twin::Gap;
use serde_json::{Value, json};

use super::workload::Statement;

#[derive(Default)]
pub struct Report {
    pub database: String,
    pub statements: Vec<Statement>,
    pub advice: Vec<Advice>,
    pub unused: Vec<Unused>,
    pub advised: Vec<Advised>,
    pub gaps: Vec<Gap>,
    /// Milliseconds of all statements, those left out too.
    pub whole: f64,
    pub explained: usize,
    pub seconds: f64,
}

/// Gains shown of an index.
const GAINS: usize = 5;
/// Gaps shown of the twin.
const GAPS: usize = 10;

impl Report {
    pub fn text(&self, width: usize, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}\n", self.summary())?;
        for (number, advice) in self.advice.iter().enumerate() {
            writeln!(out, "{}. {}", number + 1, self.headline(advice))?;
            for statement in &advice.statements {
                writeln!(out, "     {statement};")?;
            }
            for gain in advice.gains.iter().take(GAINS) {
                writeln!(out, "   {}", self.gain(gain))?;
                writeln!(out, "     {}", shortened(&self.statements[gain.query].query.text, width.saturating_sub(5)))?;
                writeln!(out, "     {} → {}", gain.node_before, gain.node_after)?;
            }
            self.more(advice, out)?;
            writeln!(out)?;
        }
        for unused in &self.unused {
            writeln!(out, "Drop {}", self.unused(unused))?;
            writeln!(out, "     {};", unused.statement)?;
        }
        if !self.unused.is_empty() {
            writeln!(out)?;
        }
        let others: Vec<usize> = self.not_helped(verbose);
        if !others.is_empty() {
            writeln!(out, "No index helps")?;
            for query in others {
                writeln!(out, "   {}", shortened(&self.statements[query].query.text, width.saturating_sub(3)))?;
                for line in self.about(query) {
                    writeln!(out, "     {line}")?;
                }
            }
            writeln!(out)?;
        }
        for gap in self.gaps.iter().take(GAPS) {
            writeln!(out, "note: not as in the database: {}: {}", gap.what, gap.reason)?;
        }
        Ok(())
    }

    fn more(&self, advice: &Advice, out: &mut dyn Write) -> io::Result<()> {
        match advice.gains.len().saturating_sub(GAINS) {
            0 => Ok(()),
            more => writeln!(out, "   and {more} more queries"),
        }
    }

    fn summary(&self) -> String {
        let planned = self.advised.iter().filter(|it| it.plan.is_ok()).count();
        let (mut saved, mut total) = (0.0, 0.0);
        for (statement, advised) in self.statements.iter().zip(&self.advised) {
            let Some(mean) = statement.query.mean_milliseconds else { continue };
            total += mean * statement.query.calls;
            if advised.cost_before > 0.0 {
                saved += mean * statement.query.calls * (1.0 - advised.cost_after / advised.cost_before).max(0.0);
            }
        }
        let time = match total > 0.0 {
            true => format!(
                ", {} of their time; the indexes below save about {} of {}",
                percent(total / self.whole.max(total)),
                percent(saved / total),
                duration(total)
            ),
            false => String::new(),
        };
        format!(
            "{}: {} queries, {planned} planned{time} ({} plans made in {:.1} s)",
            self.database,
            self.statements.len(),
            self.explained,
            self.seconds
        )
    }

    fn headline(&self, advice: &Advice) -> String {
        let writes = match advice.writes_a_day {
            Some((entries, milliseconds)) if entries >= 1.0 => {
                format!("; about {} more index entries a day, {} of writing", count(entries), duration(milliseconds))
            }
            Some(_) => "; the table is hardly written".to_owned(),
            None => "; writes are not counted".to_owned(),
        };
        let saved: f64 = advice.gains.iter().filter_map(|gain| gain.milliseconds).sum();
        let saved = if saved > 0.0 { format!(" saves about {}", duration(saved)) } else { String::new() };
        let queries = if advice.gains.len() == 1 { "query" } else { "queries" };
        format!(
            "{}{saved} in {} {queries}, takes about {}{writes}",
            advice.name,
            advice.gains.len(),
            bytes(advice.estimate.bytes)
        )
    }

    fn gain(&self, gain: &Gain) -> String {
        let query = &self.statements[gain.query].query;
        let weight = match query.mean_milliseconds {
            Some(mean) => format!("{} calls of {}", count(query.calls), duration(mean)),
            None => format!("{} calls", count(query.calls)),
        };
        format!("cost {} → {} ({weight})", count(gain.cost_before), count(gain.cost_after))
    }

    fn unused(&self, unused: &Unused) -> String {
        format!(
            "{} on {} ({}): {} serves its queries",
            unused.index,
            unused.table,
            bytes(unused.bytes as f64),
            unused.covered_by
        )
    }

    /// Queries of some cost that no new index helps; all of them with `verbose`.
    fn not_helped(&self, verbose: bool) -> Vec<usize> {
        let relevant = |query: &usize| match &self.advised[*query].outcome {
            Outcome::Helped(_) => false,
            Outcome::NoIndexHelps(Reason::SmallTables) => verbose,
            Outcome::NoIndexHelps(_) => true,
        };
        let found = (0..self.advised.len()).filter(relevant);
        found.take(if verbose { usize::MAX } else { 10 }).collect()
    }

    /// Why no index is advised, and what else is to say of the plan.
    fn about(&self, query: usize) -> Vec<String> {
        let advised = &self.advised[query];
        let reason = match &advised.outcome {
            Outcome::Helped(_) => return Vec::new(),
            Outcome::NoIndexHelps(reason) => reason,
        };
        let mut lines = vec![match (reason, &advised.plan) {
            (_, Err(error)) => format!("cannot be planned: {error}"),
            (Reason::SmallTables, _) => "reads only small tables".to_owned(),
            (Reason::PlannerPrefers { tried, best_saving }, _) => format!(
                "{tried} indexes were tried; the best would save {} of its cost of {}",
                percent(*best_saving),
                count(advised.cost_before)
            ),
            (Reason::NotWorthIt, _) => {
                "an index would help, but less than it costs those who write, or than one that is advised anyway"
                    .to_owned()
            }
            _ => format!(
                "its conditions leave nothing to index beyond what is there (cost {})",
                count(advised.cost_before)
            ),
        }];
        lines.extend(self.tips(query).into_iter().take(1).map(|(message, advice)| format!("{message}: {advice}")));
        lines
    }

    /// What the reader of plans says, but for indexes, which were tried here.
    fn tips(&self, query: usize) -> Vec<(String, String)> {
        let Ok(plan) = &self.advised[query].plan else { return Vec::new() };
        let assayed = Assayed::new(plan.clone());
        let about_index = |sql: &[String]| sql.iter().any(|it| it.contains("CREATE INDEX"));
        let others = assayed.tips.into_iter().filter(|tip| !about_index(&tip.sql));
        others.map(|tip| (tip.message, tip.advice)).collect()
    }

    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let queries: Vec<Value> = (0..self.statements.len()).map(|query| self.query_json(query)).collect();
        let gaps: Vec<Value> = self.gaps.iter().map(|gap| json!({ "what": gap.what, "reason": gap.reason })).collect();
        let whole = json!({
            "database": self.database,
            "indexes": self.advice,
            "drop": self.unused,
            "queries": queries,
            "gaps": gaps,
            "plans_made": self.explained,
            "seconds": self.seconds,
        });
        serde_json::to_writer_pretty(&mut *out, &whole)?;
        writeln!(out)
    }

    fn query_json(&self, query: usize) -> Value {
        let (statement, advised) = (&self.statements[query], &self.advised[query]);
        let tips: Vec<Value> = self
            .tips(query)
            .into_iter()
            .map(|(message, advice)| json!({ "message": message, "advice": advice }))
            .collect();
        json!({
            "query": statement.query.text,
            "query_id": statement.identifier,
            "calls": statement.query.calls,
            "mean_milliseconds": statement.query.mean_milliseconds,
            "rows": statement.rows,
            "cost_before": advised.cost_before,
            "cost_after": advised.cost_after,
            "error": advised.plan.as_ref().err(),
            "outcome": advised.outcome,
            "tips": tips,
        })
    }

    pub fn markdown(&self, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}\n", self.summary())?;
        for advice in &self.advice {
            writeln!(out, "### `{}`\n\n{}.\n\n```sql", advice.name, self.headline(advice))?;
            for statement in &advice.statements {
                writeln!(out, "{statement};")?;
            }
            writeln!(out, "```\n\n| query | cost before | cost after | plan |\n|---|---|---|---|")?;
            for gain in advice.gains.iter().take(GAINS) {
                let text =
                    shortened(&self.statements[gain.query].query.text, 100).replace('|', "\\|").replace('`', "'");
                let change = format!("{} → {}", gain.node_before, gain.node_after);
                writeln!(out, "| `{text}` | {} | {} | {change} |", count(gain.cost_before), count(gain.cost_after))?;
            }
            writeln!(out)?;
        }
        for unused in &self.unused {
            writeln!(out, "Drop {}\n\n```sql\n{};\n```\n", self.unused(unused), unused.statement)?;
        }
        for query in self.not_helped(verbose) {
            let text = shortened(&self.statements[query].query.text, 100).replace('`', "'");
            writeln!(out, "- No index helps `{text}`: {}", self.about(query).join(". "))?;
        }
        for gap in self.gaps.iter().take(GAPS) {
            writeln!(out, "\nNot as in the database: {}: {}.", gap.what, gap.reason)?;
        }
        Ok(())
    }
}

/// On one line, cut.
fn shortened(text: &str, width: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    match line.char_indices().nth(width.max(20)) {
        Some(_) => line.chars().take(width.max(20) - 1).collect::<String>() + "…",
        None => line,
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// `1,234,567`, or with decimals below 10.
fn count(number: f64) -> String {
    if number < 10.0 && number.fract() != 0.0 {
        return format!("{number:.1}");
    }
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn bytes(bytes: f64) -> String {
    const UNITS: &[(f64, &str)] = &[(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match UNITS.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) if bytes / size < 10.0 => format!("{:.1} {unit}", bytes / size),
        Some((size, unit)) => format!("{:.0} {unit}", bytes / size),
        None => format!("{bytes:.0} bytes"),
    }
}

fn duration(milliseconds: f64) -> String {
    match milliseconds {
        it if it < 1.0 => format!("{it:.2} ms"),
        it if it < 1000.0 => format!("{it:.0} ms"),
        it if it < 120_000.0 => format!("{:.1} s", it / 1000.0),
        it if it < 7_200_000.0 => format!("{:.0} min", it / 60_000.0),
        it => format!("{:.0} h", it / 3_600_000.0),
    }
}
