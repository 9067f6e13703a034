//! Judging a schema as a whole: replay what made it, ask the schema rules, rank what they say.
//!
//! In: migrations, a dump, or the DDL of a live database, with what is measured of it. Out: a [`Report`] whose findings are ranked by
//! impact, those of one table together. Does no I/O; the same input gives the same report.

mod charts;
pub mod fleet;
mod habits;
pub mod modules;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::config::{Accepted, Settings};
use crate::facts::{Facts, Reference, Samples, Workload};
use crate::finding::{Category, Finding, Severity};
use crate::history::{self, Completeness, History, Options, Places, decide_completeness, separate};
use crate::migration::{Direction, Migration};
use crate::report::Report;
use crate::rules::read_suppressions;
use crate::rules::schema as schema_rules;
use crate::rules::schema::SchemaContext;
use crate::rules::schema::ask::queries;
use crate::rules::schema::index_use::WEEK;
use crate::schema::{Relation, RelationId, Schema};
use crate::source::Sources;
use crate::text::numbers;
use crate::version::PgVersion;

/// What to judge.
#[derive(Debug, Clone, Default)]
pub struct AuditJob {
    /// What exists before: read, not judged.
    pub base: Vec<Migration>,
    /// All that made the schema, in order; those of one folder are one history.
    pub migrations: Vec<Migration>,
    /// What the migrations make, where that is known: they are not read again.
    pub made: Option<Made>,
    pub version: PgVersion,
    pub completeness: Completeness,
    pub settings: Settings,
    /// What is measured of the database that the migrations describe.
    pub facts: Option<Facts>,
    pub workload: Option<Workload>,
    /// What a bounded sample of rows says.
    pub samples: Option<Samples>,
    /// Every finding by itself: what many tables have in common is told of each.
    pub single: bool,
}

/// A schema, and where in its text everything is.
#[derive(Debug, Clone)]
pub struct Made {
    pub schema: Schema,
    pub places: Places,
}

/// Takes out of a report what is accepted on this day (`2026-12-31`), and says so; what is over stays, and is said too.
pub fn accept(report: &mut Report, all: &[Accepted], today: &str) {
    let (mut used, mut over) = (vec![0_usize; all.len()], vec![0_usize; all.len()]);
    report.findings.retain(|finding| {
        let Some(at) = all.iter().position(|accepted| accepted.covers(finding)) else { return true };
        let counts = all[at].counts_on(today);
        *(if counts { &mut used[at] } else { &mut over[at] }) += 1;
        !counts
    });
    let told = all.iter().zip(used).zip(over).map(|((accepted, used), over)| accepted.tell(used, over));
    report.accepted.extend(told);
    report.recount();
}

/// Which findings to show.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Names of schemas.
    pub schemas: Vec<String>,
    /// Names of tables, with their schema or without.
    pub tables: Vec<String>,
    /// Names of rules.
    pub rules: Vec<String>,
    pub min_severity: Option<Severity>,
}

/// Columns of a schema that look like references and have no foreign key, for a sample to measure.
pub fn references(schema: &Schema, version: PgVersion, facts: &Facts, settings: &Settings) -> Vec<Reference> {
    let places = Places::default();
    schema_rules::references(&SchemaContext {
        facts: Some(facts),
        ..SchemaContext::of(schema, version, &places, &settings.areas, &settings.options)
    })
}

/// Judges the schema that the migrations leave.
pub fn audit(job: &AuditJob, sources: &Sources) -> Report {
    let mut report = Report::new(job.version);
    let mut judged = Judged::default();
    match &job.made {
        Some(made) => judged = judge_made(job, made),
        None => separate(&job.base, &job.migrations)
            .into_iter()
            .for_each(|history| judged.add(judge_history(job, history, sources))),
    }
    let Judged { mut ranked, tables, headings, names, weights, charts } = judged;
    report.judged = names;
    report.charts = charts;
    report.tables = headings;
    let heaviest = weights.values().copied().fold(1.0, f64::max);
    report.weights = weights.into_iter().map(|(table, weight)| (table, weight / heaviest)).collect();
    let mut findings: Vec<Finding> = Vec::new();
    ranked.sort_by(|(one, _), (other, _)| one.cmp(other));
    findings.extend(ranked.into_iter().map(|(_, finding)| finding));
    job.settings.apply(&mut findings, sources);
    report.findings = findings;
    report.unchecked = job.facts.iter().flat_map(|facts| &facts.unread).map(unread).collect();
    report.unchecked.extend(job.facts.iter().flat_map(|facts| too_young(facts, job.workload.as_ref())));
    let skipped = job.samples.iter().flat_map(|samples| &samples.skipped);
    report.unchecked.extend(skipped.map(|(what, reason)| format!("{what} were not sampled: {reason}")));
    report.count(job.migrations.iter().map(|migration| migration.file));
    report.summary.tables = Some(tables);
    report
}

/// A workload of a shorter time lacks what runs once a day.
const DAY: f64 = 86_400.0;

/// What the counters cannot say yet.
fn too_young(facts: &Facts, workload: Option<&Workload>) -> Vec<String> {
    let mut told = Vec::new();
    let counted = facts.counting_seconds().filter(|_| !facts.indexes.is_empty());
    if let Some(seconds) = counted.filter(|seconds| *seconds < WEEK) {
        let age = numbers::duration(seconds);
        told.push(format!(
            "unused-index: indexes were not judged by their use: the counters are {age} old, and 7 days are needed"
        ));
    }
    let Some(workload) = workload else { return told };
    match workload.seconds() {
        _ if workload.statements.is_empty() && facts.server.in_recovery => {
            told.push("queries were not judged: pg_stat_statements counts on each server separately, and this standby has none".to_owned());
        }
        Some(seconds) if !workload.statements.is_empty() && seconds < DAY => {
            let age = numbers::duration(seconds);
            told.push(format!("queries were counted for {age}: what runs less often is not among them"));
        }
        _ => {}
    }
    told
}

/// What is found in one schema, or in all.
#[derive(Default)]
struct Judged {
    ranked: Vec<(Rank, Finding)>,
    tables: usize,
    /// What is known of the tables that have findings.
    headings: BTreeMap<String, String>,
    charts: Vec<crate::report::charts::Chart>,
    /// Printed names of all tables.
    names: BTreeSet<String>,
    /// How much each of them matters.
    weights: BTreeMap<String, f64>,
}

impl Judged {
    fn add(&mut self, other: Judged) {
        self.ranked.extend(other.ranked);
        self.tables += other.tables;
        self.headings.extend(other.headings);
        self.weights.extend(other.weights);
        self.names.extend(other.names);
        self.charts.extend(other.charts);
    }
}

/// Replays a history, judges what it makes, and hears its allow comments.
fn judge_history(job: &AuditJob, history: History, sources: &Sources) -> Judged {
    let migrations: Vec<Migration> =
        history.migrations.into_iter().filter(|migration| migration.direction == Direction::Up).collect();
    let base = history::read(&history.base, sources, false);
    let units = history::read(&migrations, sources, false);
    let options = Options { version: job.version, one_deploy: false, older_steps: false };
    let mut before = history::replay(&base, Schema::new(true), options, |_| {});
    before.complete = match job.completeness {
        Completeness::Complete => true,
        Completeness::Partial => false,
        Completeness::Auto if !base.is_empty() => before.complete,
        Completeness::Auto => decide_completeness(&units, &before, job.version),
    };
    let mut places = Places::default();
    let mut schema = history::replay(&units, before, options, |run| places = run.places);
    job.facts.iter().flat_map(Facts::invalid_indexes).for_each(|name| schema.mark_invalid_index(name));
    let mut judged = judge_made(job, &Made { schema, places });
    for unit in &units {
        let mut suppressions = read_suppressions(sources, &unit.scripts);
        let (here, rest) = judged.ranked.into_iter().partition(|(_, finding)| finding.span.file == unit.migration.file);
        judged.ranked = rest;
        judged.ranked.extend(suppressions.allow_ranked(here));
    }
    judged
}

fn judge_made(job: &AuditJob, made: &Made) -> Judged {
    let settings = &job.settings;
    let context = SchemaContext {
        facts: job.facts.as_ref(),
        workload: job.workload.as_ref(),
        samples: job.samples.as_ref(),
        ..SchemaContext::of(&made.schema, job.version, &made.places, &settings.areas, &settings.options)
    };
    let uses = job.workload.as_ref().map(|workload| queries::uses(&context, workload)).unwrap_or_default();
    let context = SchemaContext { uses: &uses, ..context };
    let all = made.schema.relations.values().filter(|relation| relation.is_table());
    let names: BTreeSet<String> = all.map(|table| table.name.to_string()).collect();
    let mut judged = Judged { tables: context.any_tables().count(), names, ..Judged::default() };
    judged.charts = charts::charts(&context);
    judge(&context, job.single, &mut judged);
    judged
}

/// The columns that each statement of a workload compares, or asks for in conditions, by printed name.
pub fn columns_compared(schema: &Schema, version: PgVersion, workload: &Workload) -> Vec<BTreeSet<String>> {
    let settings = Settings::default();
    let places = Places::default();
    let context = SchemaContext::of(schema, version, &places, &settings.areas, &settings.options);
    let mut found = vec![BTreeSet::new(); workload.statements.len()];
    for used in queries::uses(&context, workload) {
        let Some(table) = schema.relation(used.table) else { continue };
        let Some(column) = table.column_by_id(used.column) else { continue };
        if used.kind != queries::UseKind::Read {
            found[used.statement].insert(format!("{}.{}", table.name, column.name));
        }
    }
    found
}

fn unread(unread: &crate::facts::Unread) -> String {
    format!("{} not read: {}. Not checked: {}", unread.fact, unread.reason, unread.unchecked)
}

/// Where a finding stands in the list: the worst first. Tables keep their findings together.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
struct Rank {
    /// That of the table: worst severity, protected area, then by weight.
    table: (Reverse<Severity>, Reverse<bool>, f64, String),
    own: (Reverse<Severity>, Reverse<Option<crate::finding::Confidence>>, u32),
}

impl Rank {
    fn cmp(&self, other: &Rank) -> std::cmp::Ordering {
        self.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal)
    }
}

fn judge(context: &SchemaContext, single: bool, judged: &mut Judged) {
    let mut by_table: BTreeMap<Option<RelationId>, Vec<Finding>> = BTreeMap::new();
    // What the steps of an advice lock is predicted for each: most of the work of an audit.
    let mut found = schema_rules::group(schema_rules::discover(context));
    leave_copies(context, &mut found);
    if !single {
        found = habits::fold(context, found);
    }
    let placed: Vec<(Option<RelationId>, Finding)> = found
        .into_par_iter()
        .filter_map(|discovery| Some((discovery.table, schema_rules::place(context, discovery)?)))
        .collect();
    for (table, mut finding) in placed {
        if let Some(relation) = table.and_then(|id| context.schema.relation(id)) {
            finding.area = area(context, relation);
            finding.table = Some(relation.name.to_string());
        }
        by_table.entry(table).or_default().push(finding);
    }
    for (table, findings) in by_table {
        let relation = table.and_then(|id| context.schema.relation(id)).map(|relation| &**relation);
        let worst = findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Info);
        let protected = relation.and_then(|it| area(context, it)).is_some_and(|area| area.is_protected());
        let name = relation.map(|relation| relation.name.to_string()).unwrap_or_default();
        let own_weight = weight(context, relation);
        let weight = own_weight * findings.iter().map(|finding| points(finding.severity)).sum::<f64>();
        if let Some(relation) = relation {
            judged.headings.insert(name.clone(), heading(context, relation));
            judged.weights.insert(name.clone(), own_weight);
        }
        for (number, finding) in findings.into_iter().enumerate() {
            let rank = Rank {
                table: (Reverse(worst), Reverse(protected), -weight, name.clone()),
                own: (Reverse(finding.severity), Reverse(finding.confidence), number as u32),
            };
            judged.ranked.push((rank, finding));
        }
    }
}

/// Of a copy that was left behind only that is told, and what it gives away.
fn leave_copies(context: &SchemaContext, found: &mut Vec<schema_rules::Discovery>) {
    let copies: BTreeSet<RelationId> = context
        .tables()
        .filter(|table| schema_rules::partitions::copy_of(context, table).is_some())
        .map(|it| it.id)
        .collect();
    let kept = [&schema_rules::LEFT_OVER_COPY, &schema_rules::PLAINTEXT_SECRET, &schema_rules::PUBLIC_GRANT];
    found.retain(|it| {
        !it.table.is_some_and(|table| copies.contains(&table))
            || it.finding.rule.is_one_of(&kept)
            || it.finding.category == Category::Operations
    });
}

/// The area of a table, or of what it is a partition of.
fn area(context: &SchemaContext, relation: &Relation) -> Option<crate::area::Area> {
    let parents = context.schema.parents_closure(relation.id);
    let names = parents.iter().filter_map(|id| context.schema.relation(*id)).map(|it| &it.name);
    [&relation.name].into_iter().chain(names).filter_map(|name| context.areas.of(name)).min()
}

fn points(severity: Severity) -> f64 {
    match severity {
        Severity::Error => 30.0,
        Severity::Warning => 10.0,
        Severity::Info => 1.0,
    }
}

/// How much a table matters: tenfold the size, or tenfold the traffic, adds as much as the first row does.
fn weight(context: &SchemaContext, relation: Option<&Relation>) -> f64 {
    let Some(facts) = relation.and_then(|relation| context.table_facts(relation)) else { return 1.0 };
    let log = |number: f64| number.max(1.0).log10();
    let traffic = facts.activity.as_ref().map_or(0.0, |activity| log((activity.scans() + activity.writes()) as f64));
    let bytes = relation.and_then(|relation| bytes(context, relation)).unwrap_or(0);
    1.0 + log(facts.row_estimate().unwrap_or(0.0)) + log(bytes as f64) / 2.0 + traffic
}

/// With indexes and TOAST; of a partitioned table, that of its partitions.
fn bytes(context: &SchemaContext, relation: &Relation) -> Option<u64> {
    let of = |relation: &Relation| context.table_facts(relation)?.total_bytes();
    if !relation.is_partitioned() {
        return of(relation);
    }
    let partitions = context.schema.children_closure(relation.id);
    partitions.iter().filter_map(|id| of(context.schema.relation(*id)?)).reduce(|sum, bytes| sum + bytes)
}

/// What is known of a table beside its name.
fn heading(context: &SchemaContext, relation: &Relation) -> String {
    let mut parts = Vec::new();
    if let Some(facts) = context.table_facts(relation) {
        parts.extend(facts.row_estimate().map(|rows| format!("{} rows", numbers::count(rows))));
        parts.extend(bytes(context, relation).map(numbers::bytes));
        if let Some(seconds) = context.facts.and_then(Facts::counting_seconds)
            && let Some(activity) = &facts.activity
        {
            let day = 86_400.0 / seconds;
            let rate = |number: u64| numbers::count(number as f64 * day);
            // An hour after a restart, or after a load, is no day.
            if seconds >= 86_400.0 {
                parts.push(format!(
                    "{} scans and {} written rows a day",
                    rate(activity.scans()),
                    rate(activity.writes())
                ));
            }
        }
    }
    parts.extend(area(context, relation).map(|area| area.to_string()));
    parts.join(", ")
}

impl Filter {
    /// What names no table or schema of those that were judged: a gate on it would be green for ever.
    pub fn unknown(&self, judged: &BTreeSet<String>) -> Vec<String> {
        let bare = |name: &str| name.trim_matches('"').to_owned();
        let parts = |name: &str| -> (String, String) {
            name.split_once('.').map_or((String::new(), bare(name)), |(schema, table)| (bare(schema), bare(table)))
        };
        let suggestion = |wanted: &str, known: BTreeSet<String>| match crate::rules::nearest_of(
            wanted,
            known.iter().map(String::as_str),
        ) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => "nothing of it was judged".to_owned(),
        };
        let mut errors = Vec::new();
        for wanted in &self.tables {
            let known = judged.iter().any(|name| name == wanted || parts(name).1 == bare(wanted));
            if !known {
                let names = judged.iter().flat_map(|name| [name.clone(), parts(name).1]).collect();
                errors.push(format!("--table {wanted}: there is no such table: {}", suggestion(wanted, names)));
            }
        }
        for wanted in &self.schemas {
            if !judged.iter().any(|name| parts(name).0 == bare(wanted)) {
                let names = judged.iter().map(|name| parts(name).0).collect();
                errors.push(format!("--schema {wanted}: no table is in such a schema: {}", suggestion(wanted, names)));
            }
        }
        errors
    }

    /// Leaves out of the report what is not asked for.
    pub fn apply(&self, report: &mut Report) {
        report.findings.retain(|finding| self.wants(finding));
        report.recount();
    }

    /// Whether a finding of an earlier audit is among those asked for.
    pub fn wants_known(&self, known: &crate::report::since::Known) -> bool {
        let severity = known.severity.parse().unwrap_or(Severity::Info);
        self.fits(&known.rule, known.table.as_deref(), known.object.as_deref(), severity)
    }

    /// Whether a finding is among those asked for.
    pub fn wants(&self, finding: &Finding) -> bool {
        self.fits(finding.rule.name, finding.table.as_deref(), finding.object.as_deref(), finding.severity)
    }

    fn fits(&self, rule: &str, table: Option<&str>, object: Option<&str>, severity: Severity) -> bool {
        let any = |list: &[String], fits: &dyn Fn(&str) -> bool| list.is_empty() || list.iter().any(|it| fits(it));
        let object = table.or(object).unwrap_or_default();
        let table = table.unwrap_or_default();
        let schema = object.split_once('.').map_or(object, |(schema, _)| schema);
        let unqualified = table.split_once('.').map_or(table, |(_, name)| name);
        any(&self.schemas, &|wanted| wanted.trim_matches('"') == schema.trim_matches('"'))
            && any(&self.tables, &|wanted| wanted == table || wanted.trim_matches('"') == unqualified.trim_matches('"'))
            && any(&self.rules, &|wanted| wanted == rule)
            && self.min_severity.is_none_or(|least| severity >= least)
    }
}
