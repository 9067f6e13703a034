//! What statistics of the live database change about findings: how long the work takes, who waits, and how much that weighs.
//!
//! A rule that knows only the SQL has to take every table for large and busy; here it is known.

use crate::change::{Change, QualifiedName};
use crate::effect::{Work, WorkKind};
use crate::facts::{Live, RelationFacts, Span, rows};
use crate::finding::{Category, Cause, Evidence, Finding, Measured, Severity, StepWork};

use super::{Rule, StepContext};
use crate::text::numbers::{bytes, per_second};

/// How much there is to work on and how long that takes; nothing where no live database is at hand, or it does not know a table.
pub struct Weight<'r> {
    live: Option<&'r Live>,
    tables: Vec<(&'r QualifiedName, &'r RelationFacts)>,
    measured: Option<(u64, Span)>,
}

impl<'r> Weight<'r> {
    pub fn of(context: &StepContext<'r>, works: &[&Work]) -> Weight<'r> {
        let of_work = |live: &'r Live, work: &Work| {
            let relation = live.schema.relation(work.relation?)?;
            let facts = live.facts.relation(&relation.name)?;
            let duration = live.rates.duration(work.kind, facts, None)?;
            Some(((&relation.name, facts), duration))
        };
        let known =
            context.live.and_then(|live| works.iter().map(|work| of_work(live, work)).collect::<Option<Vec<_>>>());
        let Some(known) = known.filter(|known| !known.is_empty()) else {
            return Weight { live: context.live, tables: Vec::new(), measured: None };
        };
        let duration = known.iter().fold(Span::default(), |sum, (_, duration)| sum.plus(*duration));
        let tables: Vec<_> = known.into_iter().map(|(table, _)| table).collect();
        let size = tables.iter().filter_map(|(_, facts)| facts.table_bytes()).sum();
        Weight { live: context.live, tables, measured: Some((size, duration)) }
    }

    /// ` (41 GB)`: it follows the name of the table.
    pub fn size(&self) -> String {
        self.measured.map(|(size, _)| format!(" ({})", bytes(size))).unwrap_or_default()
    }

    /// `, 40 s to 5 min`: it ends the sentence.
    pub fn duration(&self) -> String {
        self.measured.map(|(_, duration)| format!(", {duration}")).unwrap_or_default()
    }

    /// Gives a finding its evidence, and lowers what is brief.
    pub fn put_on(&self, finding: &mut Finding, rule: &Rule, context: &StepContext) {
        let (Some(live), Some((size, duration))) = (self.live, self.measured) else { return };
        if let Some(Cause::Work { measured, .. }) = &mut finding.cause {
            *measured = Some(Measured { bytes: size, least_seconds: duration.least, most_seconds: duration.most });
        }
        let rates = if live.rates.calibrated {
            "reads as fast as this server's are, else assumed rates"
        } else {
            "assumed rates"
        };
        for (name, facts) in &self.tables {
            finding.evidence.push(Evidence::measured(size_of(name, facts)));
        }
        finding.evidence.push(Evidence::assumed(format!("{duration} by {rates}")));
        if let Some((name, _)) = self.tables.first() {
            tell_traffic(finding, name, live);
        }
        let calls = self.tables.iter().map(|(name, _)| live.traffic.calls(name).map(|calls| calls.total()));
        let calls: Option<f64> = calls.sum();
        let brief = duration.most * 1000.0 <= context.options.brief(rule.name) as f64;
        let quiet = calls.is_some_and(|calls| calls * 60.0 <= context.options.quiet(rule.name) as f64);
        let most = match (brief, quiet) {
            (true, true) => Severity::Info,
            (true, false) => Severity::Warning,
            (false, _) => return,
        };
        finding.severity = finding.severity.min(most);
    }
}

/// The cause of a finding about work.
pub fn cause(work: &Work) -> Cause {
    Cause::Work {
        work: match work.kind {
            WorkKind::Rewrite => StepWork::Rewrite,
            WorkKind::Scan => StepWork::Scan,
            WorkKind::IndexBuild => StepWork::Index,
        },
        relation: work.name.clone(),
        lock: work.under,
        measured: None,
    }
}

/// The table of an ALTER TABLE as it is in the live database now, with its facts.
pub fn altered<'r>(context: &StepContext<'r>) -> Option<(&'r crate::schema::Relation, &'r RelationFacts)> {
    let live = context.live?;
    let Some(Change::AlterTable(alter)) = context.change() else { return None };
    let relation = context.step.schema.find_relation(&alter.relation, &context.step.session)?;
    let now = live.schema.relation(relation.id)?;
    Some((now, live.facts.relation(&now.name)?))
}

/// Whether an earlier statement of the migration writes rows: that is not in the statistics.
pub fn written_before(context: &StepContext) -> bool {
    let earlier = context.run.steps.iter().take(context.index).filter(|step| !step.is_block());
    earlier.filter_map(|step| step.change()).any(|change| {
        matches!(change, Change::Insert(_) | Change::Update(_) | Change::Delete(_) | Change::Merge(_) | Change::Do(_))
    })
}

/// Findings that name a table without a word of its size: a lock, a batch of rows.
pub fn tell_tables(findings: &mut [Finding], live: &Live) {
    for finding in findings.iter_mut().filter(|finding| finding.category == Category::Blocking) {
        if matches!(finding.cause, Some(Cause::Work { measured: Some(_), .. })) {
            continue;
        }
        let Some(name) = finding.object.as_ref().and_then(|object| object.object()) else { continue };
        let Some(facts) = live.facts.relation(&name) else { continue };
        if facts.heap_bytes.is_some() {
            finding.evidence.push(Evidence::measured(size_of(&name, facts)));
        }
        tell_traffic(finding, &name, live);
    }
}

pub fn size_of(name: &QualifiedName, facts: &RelationFacts) -> String {
    let mut text = format!("{name}: ");
    match facts.row_estimate() {
        Some(number) => text.push_str(&format!("about {} rows, ", rows(number))),
        None => text.push_str("never analysed, "),
    }
    text.push_str(&bytes(facts.table_bytes().unwrap_or_default()));
    if let Some(indexes) = facts.index_bytes.filter(|indexes| *indexes > 0) {
        text.push_str(&format!(" and {} of indexes", bytes(indexes)));
    }
    if facts.bytes_estimated {
        text.push_str(" at the last VACUUM or ANALYZE");
    }
    text
}

fn tell_traffic(finding: &mut Finding, name: &QualifiedName, live: &Live) {
    let Some(calls) = live.traffic.calls(name) else { return };
    let (reads, writes) = (per_second(calls.reads), per_second(calls.writes));
    let text = if calls.total() == 0.0 {
        format!("no query names {name}, as far as it was counted")
    } else if calls.from_counters {
        format!("{reads} scans and {writes} changed rows a second on {name}, on average since counting began")
    } else {
        format!("{reads} reading and {writes} writing statements a second name {name}, on average since counting began")
    };
    finding.evidence.push(Evidence::measured(text));
}
