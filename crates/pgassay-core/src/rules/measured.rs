//! What statistics of the live database change about findings: how long the work takes, who waits, and how much that weighs.
//!
//! In: findings of a run, and what is known of the database. Out: the same findings with sizes, durations and traffic as evidence. A rule
//! that knows only the SQL has to take every table for large and busy; here it is known.

use crate::change::{AlterTableActionKind, Change, Name, QualifiedName};
use crate::effect::{Work, WorkKind};
use crate::facts::{Live, RelationFacts, Span, rows};
use crate::finding::{Category, Evidence, Finding, Severity};

use super::RunContext;
use crate::text::numbers::{bytes, per_second, percent};

/// Adds evidence to the findings of a run, and lowers what is brief.
pub fn measure(findings: &mut [Finding], context: &RunContext, live: &Live) {
    for finding in findings.iter_mut().filter(|finding| finding.category == Category::Failing) {
        tell_rows(finding, context, live);
    }
    for finding in findings.iter_mut().filter(|finding| finding.category == Category::Blocking) {
        let works = works_of(finding, context);
        if works.is_empty() {
            tell_table(finding, live);
        } else {
            weigh(finding, &works, context, live);
        }
    }
}

/// The work that a finding speaks of.
fn works_of<'r>(finding: &Finding, context: &RunContext<'r>) -> Vec<&'r Work> {
    let kind = match finding.rule {
        "blocking-rewrite" => WorkKind::Rewrite,
        "blocking-scan" => WorkKind::Scan,
        "blocking-index-build" => WorkKind::IndexBuild,
        _ => return Vec::new(),
    };
    let of_step = context.run.steps.iter().filter(|step| step.span().contains(finding.span));
    let all = of_step.flat_map(|step| &step.prediction.work);
    all.filter(|work| work.kind == kind && work.span == finding.span).collect()
}

/// The table as it is called in the live database, and what is known of it.
fn measured<'l>(work: &Work, live: &'l Live) -> Option<(&'l QualifiedName, &'l RelationFacts)> {
    let relation = live.schema.relation(work.relation?)?;
    Some((&relation.name, live.facts.relation(&relation.name)?))
}

fn weigh(finding: &mut Finding, works: &[&Work], context: &RunContext, live: &Live) {
    let known: Vec<_> = works.iter().filter_map(|work| Some((*work, measured(work, live)?))).collect();
    let duration =
        |(work, (_, facts)): &(&Work, (&QualifiedName, &RelationFacts))| live.rates.duration(work.kind, facts, None);
    let spans: Option<Vec<Span>> = known.iter().map(duration).collect();
    let Some(spans) = spans.filter(|spans| spans.len() == works.len()) else { return tell_table(finding, live) };
    let span = spans.into_iter().fold(Span::default(), Span::plus);
    let size: u64 = known.iter().filter_map(|(_, (_, facts))| facts.table_bytes()).sum();
    if let [(_, (name, _)), ..] = known.as_slice() {
        // Once behind the name: "rewrites public.orders (41 GB) under …".
        if let Some(end) = end_of_name(&finding.message, &name.to_string()) {
            finding.message.insert_str(end, &format!(" ({})", bytes(size)));
        }
    }
    finding.message.push_str(&format!(", {span}"));
    let rates =
        if live.rates.calibrated { "reads as fast as this server's are, else assumed rates" } else { "assumed rates" };
    for (_, (name, facts)) in &known {
        finding.evidence.push(Evidence::measured(size_of(name, facts)));
    }
    finding.evidence.push(Evidence::assumed(format!("{span} by {rates}")));
    let calls: Option<f64> =
        known.iter().map(|(_, (name, _))| live.traffic.calls(name).map(|calls| calls.total())).sum();
    if let [(_, (name, _)), ..] = known.as_slice() {
        tell_traffic(finding, name, live);
    }
    let brief = span.most * 1000.0 <= context.options.brief(finding.rule) as f64;
    let quiet = calls.is_some_and(|calls| calls * 60.0 <= context.options.quiet(finding.rule) as f64);
    let most = match (brief, quiet) {
        (true, true) => Severity::Info,
        (true, false) => Severity::Warning,
        (false, _) => return,
    };
    finding.severity = finding.severity.min(most);
}

/// Where a name ends in a message, at a place where it is not the beginning of a longer one.
fn end_of_name(message: &str, name: &str) -> Option<usize> {
    let goes_on = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.' | '"'));
    let ends = message.match_indices(name).map(|(at, _)| at + name.len());
    ends.into_iter().find(|end| !message.get(*end..).is_some_and(goes_on))
}

/// What is known of the rows that a statement may fail on: that there are none, or that some are NULL.
fn tell_rows(finding: &mut Finding, context: &RunContext, live: &Live) {
    let Some(step) = context.steps().find(|step| step.step.span().contains(finding.span)) else { return };
    let Some(Change::AlterTable(alter)) = step.change() else { return };
    let Some(relation) = step.step.schema.find_relation(&alter.relation, &step.step.session) else { return };
    let Some(now) = live.schema.relation(relation.id) else { return };
    let Some(facts) = live.facts.relation(&now.name) else { return };
    // What an earlier statement of the migration writes is not in the statistics.
    let earlier = context.steps().take_while(|it| it.index < step.index);
    let written = earlier.filter_map(|it| it.change()).any(|change| {
        matches!(change, Change::Insert(_) | Change::Update(_) | Change::Delete(_) | Change::Merge(_) | Change::Do(_))
    });
    match finding.rule {
        "fails-on-rows" if facts.heap_bytes == Some(0) && !facts.locked && !written => {
            finding.severity = Severity::Info;
            finding.evidence = vec![Evidence::measured(format!("{} has no page, and so no row", now.name))];
        }
        "fails-on-rows" if facts.row_estimate().is_some_and(|rows| rows >= 1.0) => {
            finding.evidence = vec![Evidence::measured(size_of(&now.name, facts))];
        }
        "may-fail-on-rows" => {
            let Some(AlterTableActionKind::SetNotNull { column, .. }) =
                step.action_at(finding.span).map(|action| &action.kind)
            else {
                return;
            };
            let known = relation.column(&column.name).and_then(|column| now.column_by_id(column.id));
            let Some(share) = known.and_then(|column| null_share(facts, &column.name)) else { return };
            let as_of = facts.analyzed_at().map(|at| format!(" as of {at}")).unwrap_or_default();
            let fact = format!("{} of the rows of {} are NULL there{as_of}", percent(share), now.name);
            if share > 0.0 && !written {
                finding.severity = Severity::Error;
                finding.message =
                    finding.message.replacen("fails if a row breaks it", "fails on the rows that are there", 1);
            }
            finding.evidence = vec![Evidence::measured(fact)];
        }
        _ => {}
    }
}

/// The share of NULLs, where ANALYZE looked at all rows but a tenth of those that there are now.
fn null_share(facts: &RelationFacts, column: &Name) -> Option<f64> {
    let rows = facts.rows.filter(|rows| *rows >= 1.0)?;
    let modified = facts.modified_since_analyze() as f64;
    let column = facts.columns.get(column).filter(|_| modified <= rows * 0.1)?;
    Some(f64::from(column.null_fraction))
}

/// For findings that speak of a table but of no work on it: a lock, a batch of rows.
fn tell_table(finding: &mut Finding, live: &Live) {
    let name: Option<QualifiedName> = finding.object.as_ref().and_then(|object| object.parse().ok());
    let Some(name) = name else { return };
    let Some(facts) = live.facts.relation(&name) else { return };
    if facts.heap_bytes.is_some() {
        finding.evidence.push(Evidence::measured(size_of(&name, facts)));
    }
    tell_traffic(finding, &name, live);
}

fn size_of(name: &QualifiedName, facts: &RelationFacts) -> String {
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
    let text = if calls.total() == 0.0 {
        format!("no query names {name}, as far as it was counted")
    } else if calls.from_counters {
        let (reads, writes) = (per_second(calls.reads), per_second(calls.writes));
        format!("{reads} scans and {writes} changed rows a second on {name}, on average since counting began")
    } else {
        let (reads, writes) = (per_second(calls.reads), per_second(calls.writes));
        format!("{reads} reading and {writes} writing statements a second name {name}, on average since counting began")
    };
    finding.evidence.push(Evidence::measured(text));
}

#[cfg(test)]
mod tests {
    use super::end_of_name;

    #[test]
    fn a_size_stands_behind_the_table_and_not_within_the_name_of_its_index() {
        let message = "builds shop.orders_site_idx under SHARE on shop.orders: writes wait";
        assert_eq!(end_of_name(message, "shop.orders").map(|at| &message[at..]), Some(": writes wait"));
        assert_eq!(end_of_name("rewrites shop.\"Orders\"", "shop.orders"), None);
    }
}
