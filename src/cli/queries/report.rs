//! The result: what is said of each index and each query, and the result as JSON and Markdown.

use std::io::{self, Write};

use pgassay::advisor::{Advice, Advised, Gain, Observation, Outcome, Reason, Unused, Values};
use pgassay::plan::draw::Assayed;
use pgassay::twin::Gap;
use pgassay::whatif::Verified;
use serde_json::{Value, json};

use super::audited::Audited;
use super::left_out::Utility;
use super::words::{bytes, count, duration, percent, queries, shortened, time};
use super::workload::Statement;

#[derive(Default)]
pub struct Report {
    pub database: String,
    /// Who planned.
    pub planner: &'static str,
    pub statements: Vec<Statement>,
    pub advice: Vec<Advice>,
    pub unused: Vec<Unused>,
    pub advised: Vec<Advised>,
    /// Of each statement, as is what follows.
    pub observations: Vec<Vec<Observation>>,
    /// The role that policies made it plan as.
    pub planned_as: Vec<Option<String>>,
    pub audited: Vec<Vec<Audited>>,
    pub gaps: Vec<Gap>,
    /// Milliseconds of all statements, those left out too.
    pub whole: f64,
    pub explained: usize,
    pub seconds: f64,
    /// Days in which the calls were made; `None` if nothing says so.
    pub days: Option<f64>,
    /// Statements without a plan.
    pub utility: Utility,
    /// What was measured on a copy.
    pub verified: Option<Verified>,
}

/// Lines of what to do first.
pub const FIRST: usize = 10;

/// Gains shown of an index.
pub const GAINS: usize = 5;
/// Gaps shown of the twin.
pub const GAPS: usize = 10;
/// Queries shown that no index helps.
const NOT_HELPED: usize = 10;
/// Queries shown that could not be planned.
const NOT_PLANNED: usize = 5;
/// Findings of an audit shown of one query.
const AUDITED: usize = 3;

impl Report {
    /// Milliseconds of what is looked at.
    fn total(&self) -> f64 {
        self.statements.iter().filter_map(|it| Some(it.query.mean_milliseconds? * it.query.calls)).sum()
    }

    /// The share of that time that all new indexes save together, by cost.
    fn saved_share(&self) -> f64 {
        let of = self.statements.iter().zip(&self.advised);
        let saved = of.filter_map(|(statement, advised)| {
            Some(statement.query.mean_milliseconds? * statement.query.calls * advised.saved.max(0.0))
        });
        saved.sum::<f64>() / self.total().max(f64::MIN_POSITIVE)
    }

    pub fn summary(&self) -> String {
        let planned = self.planned();
        let total = self.total();
        let saved = self.saved_share() * total;
        let share = percent(total / self.whole.max(total));
        let time = match (total > 0.0, self.advice.is_empty()) {
            (false, _) => String::new(),
            (true, true) => format!(", {share} of their time; no new index pays"),
            (true, false) => format!(
                ", {share} of their time; the indexes below save about {} of {}, by cost",
                percent(saved / total),
                duration(total)
            ),
        };
        format!(
            "{}: {}, {planned} planned{time} ({} plans by {} in {:.1} s)",
            self.database,
            queries(self.statements.len()),
            count(self.explained as f64),
            self.planner,
            self.seconds
        )
    }

    /// Queries that were planned.
    pub fn planned(&self) -> usize {
        self.advised.iter().filter(|it| it.plan.is_ok()).count()
    }

    /// Times of the window are shown for a day, if it is longer than one; and what they are of.
    fn per_day(&self) -> (f64, String) {
        match self.days {
            Some(days) if days >= 1.0 => (1.0 / days, "a day".to_owned()),
            Some(days) => (1.0, format!("in {}", time(days))),
            None => (1.0, "over all calls".to_owned()),
        }
    }

    /// Over which time reads and writes were counted.
    pub fn window(&self) -> String {
        let Some(days) = self.days else {
            return "nothing says in which time these calls were made: times below are over all of them, and writes are counted as in a day; \
                    --period tells it, such as --period 7d"
                .to_owned();
        };
        let shown = if days >= 1.0 { "times below are a day's share of it" } else { "times below are of that time" };
        format!("calls and writes as counted in {}; {shown}", time(days))
    }

    /// What to do first, a line for each index: the index, what it saves, what writing it takes, its size, its queries.
    pub fn first(&self) -> Vec<[String; 5]> {
        let (share, unit) = self.per_day();
        let line = |advice: &Advice| {
            let writing = match advice.writes {
                None => "writes not counted".to_owned(),
                Some((entries, _)) if entries < 1.0 => "no writing".to_owned(),
                Some((_, milliseconds)) => format!("writing {}", duration(milliseconds * share)),
            };
            [
                format!("{} {}", advice.definition.table, advice.definition.body()),
                match saved(advice) {
                    Some((_, it)) => format!("saves {} {unit}", duration(it * share)),
                    None => "helps".to_owned(),
                },
                writing,
                bytes(advice.estimate.bytes),
                queries(advice.gains.len()),
            ]
        };
        self.advice.iter().take(FIRST).map(line).collect()
    }

    pub fn headline(&self, advice: &Advice) -> String {
        let (share, unit) = self.per_day();
        let writes = match advice.writes {
            Some((entries, milliseconds)) if entries >= 1.0 => format!(
                "; writing to it takes about {} {unit} ({} entries)",
                duration(milliseconds * share),
                count((entries * share).ceil())
            ),
            Some(_) => "; the table is hardly written".to_owned(),
            None => "; writes are not counted".to_owned(),
        };
        let what = match saved(advice) {
            Some((least, most)) if least < most * 0.9 => format!(
                "saves {} to {} {unit} in",
                if least > 0.0 { duration(least * share) } else { "nothing".to_owned() },
                duration(most * share)
            ),
            Some((_, most)) => format!("saves about {} {unit} in", duration(most * share)),
            None => "helps".to_owned(),
        };
        let takes = bytes(advice.estimate.bytes);
        format!("{} {what} {}, takes about {takes}{writes}", advice.name, queries(advice.gains.len()))
    }

    /// What was not looked at.
    pub fn left_out(&self) -> Option<String> {
        let Utility { statements, milliseconds, slowest, .. } = &self.utility;
        if *statements == 0 {
            return None;
        }
        let share = percent(milliseconds / (self.whole + milliseconds).max(f64::MIN_POSITIVE));
        Some(format!(
            "Not looked at: {} without a plan (COPY, CREATE TABLE AS, cursors, DO and the like), {} ({share} of all time); most in: {}",
            if *statements == 1 {
                "1 statement".to_owned()
            } else {
                format!("{} statements", count(*statements as f64))
            },
            duration(*milliseconds),
            slowest
        ))
    }

    pub fn gain(&self, gain: &Gain) -> String {
        let query = &self.statements[gain.query].query;
        let calls = if query.calls == 1.0 { "1 call".to_owned() } else { format!("{} calls", count(query.calls)) };
        let weight = match query.mean_milliseconds {
            Some(mean) => format!("{calls} of {}", duration(mean)),
            None => calls,
        };
        format!(
            "{weight}, cost{}{} {} → {}: {} → {}",
            gain.foreign_key
                .as_ref()
                .map(|key| format!(" of each search for the foreign key {key}"))
                .unwrap_or_default(),
            values(gain),
            count(gain.cost_before),
            count(gain.cost_after),
            gain.node_before,
            gain.node_after
        )
    }

    pub fn unused(&self, unused: &Unused) -> String {
        format!(
            "{} on {} ({}): {} serves its queries",
            unused.index,
            unused.table,
            bytes(unused.bytes as f64),
            unused.covered_by
        )
    }

    /// Queries of some cost that no new index helps, all of them with `verbose`; and how many are not shown.
    pub fn not_helped(&self, verbose: bool) -> (Vec<usize>, usize) {
        let relevant = |query: &usize| match &self.advised[*query].outcome {
            Outcome::Helped(_) => false,
            Outcome::NoIndexHelps(Reason::NotPlanned) => false,
            Outcome::NoIndexHelps(Reason::SmallTables) => verbose,
            // Looking up one row is as good as it gets.
            Outcome::NoIndexHelps(Reason::NothingToIndex) => verbose || self.advised[*query].cost_before >= 100.0,
            Outcome::NoIndexHelps(_) => true,
        };
        let mut found: Vec<usize> = (0..self.advised.len()).filter(relevant).collect();
        let more = if verbose { 0 } else { found.len().saturating_sub(NOT_HELPED) };
        found.truncate(found.len() - more);
        (found, more)
    }

    /// Queries that could not be planned, all of them with `verbose`; and how many are not shown.
    pub fn not_planned(&self, verbose: bool) -> (Vec<usize>, usize) {
        let mut found: Vec<usize> =
            (0..self.advised.len()).filter(|query| self.advised[*query].plan.is_err()).collect();
        let more = if verbose { 0 } else { found.len().saturating_sub(NOT_PLANNED) };
        found.truncate(found.len() - more);
        (found, more)
    }

    /// Why no index is advised, and what else is to say of the plan.
    pub fn about(&self, query: usize) -> Vec<String> {
        let advised = &self.advised[query];
        let reason = match &advised.outcome {
            Outcome::Helped(_) => return Vec::new(),
            Outcome::NoIndexHelps(reason) => reason,
        };
        let mut lines = vec![match (reason, &advised.plan) {
            (_, Err(error)) => error.clone(),
            (Reason::SmallTables, _) => "reads only small tables".to_owned(),
            (Reason::PlannerPrefers { tried, best_saving }, _) => format!(
                "{} tried; the best would save {} of its cost of {}",
                if *tried == 1 { "1 index was".to_owned() } else { format!("{tried} indexes were") },
                percent(*best_saving),
                count(advised.cost_before)
            ),
            (Reason::ConstantReplaced(expression), _) => format!(
                "an index on {expression} might help, but pg_stat_statements keeps no constants: give the query in a file with --queries"
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
        lines.extend(self.tips(query).into_iter().take(1).map(|(message, advice)| format!("{message}. {advice}")));
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

    /// What there is to say of a query besides indexes, and what to do.
    pub fn told(&self, query: usize) -> Vec<(String, String)> {
        let observed = self.observations.get(query).into_iter().flatten();
        let mut all: Vec<(String, String)> = observed.map(|it| (it.to_string(), it.advice().to_owned())).collect();
        let audited = self.audited.get(query).map(Vec::as_slice).unwrap_or_default();
        // Once, at the hottest query.
        let before = &self.audited[..query.min(self.audited.len())];
        let new = audited.iter().filter(|it| !before.iter().flatten().any(|told| told == *it));
        all.extend(new.take(AUDITED).map(|it| {
            (it.message.clone(), format!("pgassay audit --rule {} --table {} says more", it.rule, it.table()))
        }));
        all
    }

    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let queries: Vec<Value> = (0..self.statements.len()).map(|query| self.query_json(query)).collect();
        let gaps: Vec<Value> = self.gaps.iter().map(|gap| json!({ "what": gap.what, "reason": gap.reason })).collect();
        let whole = json!({
            "version": 1,
            "database": self.database,
            "planner": self.planner,
            "indexes": self.advice,
            "drop": self.unused,
            "queries": queries,
            "gaps": gaps,
            "saved_share": self.saved_share(),
            "days_counted": self.days,
            "utility_statements": { "statements": self.utility.statements, "milliseconds": self.utility.milliseconds.max(0.0) },
            "verified": self.verified.as_ref().map(|verified| super::verified::to_json(self, verified)),
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
            "planned_as": self.planned_as.get(query).cloned().flatten(),
            "cost_before": advised.cost_before,
            "cost_after": advised.cost_after,
            "saved_share": advised.saved,
            "saved_share_between": [advised.saved_between.0, advised.saved_between.1],
            "error": advised.plan.as_ref().err(),
            "times_slower_than_cost": advised.slower,
            "outcome": advised.outcome,
            "tips": tips,
            "observations": self.observations.get(query),
            "audited": self.audited.get(query),
        })
    }

    pub fn markdown(&self, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}\n", self.summary())?;
        for line in std::iter::once(self.window()).chain(self.left_out()) {
            writeln!(out, "{}.\n", cell(&line))?;
        }
        if !self.advice.is_empty() {
            writeln!(out, "| index | saves | writing | size | queries |\n|---|--:|--:|--:|--:|")?;
            for [index, saves, writing, size, queries] in self.first() {
                let bare = |text: &str, word: &str| text.strip_prefix(word).unwrap_or(text).to_owned();
                let (saves, writing) = (bare(&saves, "saves "), bare(&writing, "writing "));
                writeln!(out, "| {} | {saves} | {writing} | {size} | {queries} |", code(&index))?;
            }
            writeln!(out)?;
        }
        super::verified::markdown(self, out)?;
        for advice in &self.advice {
            self.advice_markdown(advice, out)?;
        }
        for unused in &self.unused {
            writeln!(
                out,
                "### Drop `{}`\n\n{}.\n\n```sql\n{};\n```\n",
                unused.index,
                self.unused(unused),
                unused.statement
            )?;
        }
        self.besides_markdown(out)?;
        self.listed_markdown("### No index helps", self.not_helped(verbose), out)?;
        self.listed_markdown("\n### Not planned", self.not_planned(verbose), out)?;
        for gap in self.gaps.iter().take(GAPS) {
            writeln!(out, "\nNot as in the database: {}: {}.", cell(&gap.what), cell(&gap.reason))?;
        }
        Ok(())
    }

    /// An index, with the queries that it helps.
    fn advice_markdown(&self, advice: &Advice, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "### `{}`\n\n{}.\n\n```sql", advice.name, self.headline(advice))?;
        for statement in &advice.statements {
            writeln!(out, "{statement};")?;
        }
        writeln!(out, "```\n\n| query | calls | cost before | cost after | plan |\n|---|--:|--:|--:|---|")?;
        for gain in advice.gains.iter().take(GAINS) {
            let query = &self.statements[gain.query].query;
            let (before, after) = (count(gain.cost_before), count(gain.cost_after));
            let change = cell(&format!("{} → {}", gain.node_before, gain.node_after));
            writeln!(out, "| {} | {} | {before} | {after} | {change} |", code(&query.text), count(query.calls))?;
        }
        if advice.gains.len() > GAINS {
            writeln!(out, "\nAnd {} more.", queries(advice.gains.len() - GAINS))?;
        }
        writeln!(out)
    }

    /// What else there is to say of the queries.
    fn besides_markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        let with: Vec<usize> = (0..self.statements.len()).filter(|query| !self.told(*query).is_empty()).collect();
        if !with.is_empty() {
            writeln!(out, "### Besides indexes\n")?;
            for query in with {
                writeln!(out, "- {}", code(&self.statements[query].query.text))?;
                for (message, advice) in self.told(query) {
                    writeln!(out, "  - {}. {}.", cell(&message), cell(&advice))?;
                }
            }
            writeln!(out)?;
        }
        Ok(())
    }

    /// Queries with what there is to say of each, and how many are left out.
    fn listed_markdown(&self, title: &str, (shown, more): (Vec<usize>, usize), out: &mut dyn Write) -> io::Result<()> {
        if shown.is_empty() {
            return Ok(());
        }
        writeln!(out, "{title}\n")?;
        for query in shown {
            writeln!(out, "- {}: {}", code(&self.statements[query].query.text), cell(&self.about(query).join(". ")))?;
        }
        if more > 0 {
            writeln!(out, "- and {}", queries(more))?;
        }
        Ok(())
    }
}

/// Milliseconds that an index saves, at least and as costs have it; `None` where no time was measured.
fn saved(advice: &Advice) -> Option<(f64, f64)> {
    let of = |time: fn(&Gain) -> Option<f64>| advice.gains.iter().filter_map(time).sum::<f64>();
    let most = of(|gain| gain.milliseconds);
    (most > 0.0).then(|| (of(|gain| gain.least_milliseconds), most))
}

/// Which values the costs are of.
fn values(gain: &Gain) -> &'static str {
    match gain.values {
        None => "",
        Some(Values::Common) => " for a common value or a wide range",
        Some(Values::Rare) => " for a rare value or a narrow range",
    }
}

/// A query as code, in a table or not.
fn code(query: &str) -> String {
    format!("`{}`", shortened(query, 100).replace('|', "\\|").replace('`', "'"))
}

/// A text in a table or a list.
pub fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
