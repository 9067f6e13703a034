//! The advisor's short form in an audit: the queries that take most of the time, planned with indexes that they lack.

use pgassay::advisor::{self, Advice, Limits, Outcome, Reason};
use pgassay::db::Reading;
use pgassay::finding::{Evidence, EvidenceKind, Finding, FixStep, Rule, Severity};
use pgassay::plan::Node;
use pgassay::rules::schema::{FOREIGN_KEY_WITHOUT_INDEX, HOT_QUERY_WITHOUT_INDEX};

use super::planners::{Choice, Chosen};
use super::workload::{self, Rank, Statement};
use crate::cli::database::DatabaseArguments;

/// Rules whose findings say that a hot query has no index.
const RULES: &[&Rule] = &[&HOT_QUERY_WITHOUT_INDEX, &FOREIGN_KEY_WITHOUT_INDEX];

/// As many queries are planned; `pgassay queries` plans more.
const QUERIES: usize = 20;

/// What the planner says.
struct Planned {
    planner: &'static str,
    statements: Vec<Statement>,
    advice: Vec<Advice>,
    /// Tables of which a query was planned, and no index that was tried makes it cheaper.
    refused: Vec<String>,
}

/// Whether there is something to prove: a finding that rests on what a query takes.
fn is_provable(finding: &Finding) -> bool {
    let measured = |evidence: &Evidence| evidence.kind == EvidenceKind::Measured;
    finding.rule.is_one_of(RULES) && finding.evidence.iter().any(measured)
}

/// Puts what the planner says of new indexes into the findings of hot queries without one: its costs as evidence, its index as the step.
/// Says on stderr why nothing was planned where that could not be.
///
/// `reading` gives what was read of the database, without its planner's statistics, if those were not read.
pub fn prove<'f>(
    database: &DatabaseArguments,
    findings: impl Iterator<Item = &'f mut Finding>,
    reading: impl FnOnce() -> Reading,
) {
    let mut provable: Vec<&mut Finding> = findings.filter(|it| is_provable(it)).collect();
    if provable.is_empty() || !database.is_given() {
        return;
    }
    match plan(database, reading()) {
        Ok(planned) => provable.iter_mut().for_each(|it| planned.tell(it)),
        Err(error) => say!("note: hot queries were not planned with new indexes: {error:#}"),
    }
}

fn plan(database: &DatabaseArguments, mut reading: Reading) -> anyhow::Result<Planned> {
    if reading.planner.is_none() {
        reading.planner = database.read_planner(&mut reading.facts)?;
    }
    let mut statements = workload::from_statistics(&reading.workload);
    workload::rank(&mut statements, Rank::Total);
    statements.truncate(QUERIES);
    let prepared = statements.iter().map(|it| it.prepared(&reading.facts)).collect();
    let runtime = crate::cli::runtime()?;
    let (mut chosen, tables) = Chosen::open(&runtime, Choice::Auto, database, None, &reading, prepared, false)?;
    let queries: Vec<advisor::Query> = statements.iter().map(|it| it.query.clone()).collect();
    let days = reading.workload.seconds().map(|seconds| seconds / 86_400.0);
    let (advice, _, advised) = advisor::advise(&queries, &tables, chosen.planner(), &Limits::default(), days);
    let unhelped =
        advised.iter().filter(|it| matches!(it.outcome, Outcome::NoIndexHelps(Reason::PlannerPrefers { .. })));
    let refused = unhelped
        .filter_map(|it| it.plan.as_ref().ok())
        .flat_map(|plan| plan.nodes.iter().filter_map(Node::qualified_relation))
        .collect();
    Ok(Planned { planner: chosen.name(), statements, advice, refused })
}

impl Planned {
    fn tell(&self, finding: &mut Finding) {
        let Some(table) = finding.table.clone() else { return };
        let on_table = |advice: &&Advice| advice.definition.table.to_string() == table;
        // What other queries of the table lack is no answer to this one.
        let wanted = leading_column(finding);
        let leads = |advice: &&Advice| {
            advice.definition.keys.first().is_some_and(|key| Some(key.sql.as_str()) == wanted.as_deref())
        };
        let found: Vec<&Advice> = self.advice.iter().filter(on_table).collect();
        let has_others = !found.is_empty();
        let advice: Vec<&Advice> = found.into_iter().filter(leads).collect();
        if advice.is_empty() {
            if !has_others && self.refused.contains(&table) {
                let says = format!("planned by {}: no index that was tried makes the query cheaper", self.planner);
                finding.evidence.push(Evidence::measured(says));
                finding.severity = Severity::Info;
                finding.advice.steps.clear();
                finding.advice.text = "pgassay queries shows the plan, and what else may help.".to_owned();
            }
            return;
        }
        for gain in advice.iter().filter_map(|advice| advice.gains.first()) {
            let query = self.statements.get(gain.query).map(|it| super::words::shortened(&it.query.text, 120));
            finding.evidence.push(Evidence::measured(format!(
                "planned by {} with the index: cost {} → {}{}",
                self.planner,
                super::words::count(gain.cost_before.round()),
                super::words::count(gain.cost_after.round().max(1.0)),
                query.map(|query| format!(" for {query}")).unwrap_or_default()
            )));
        }
        let step = |sql: &String| match sql.contains("CONCURRENTLY") {
            true => FixStep::none(format!("{sql};")),
            false => FixStep::any(format!("{sql};")),
        };
        finding.advice.text =
            "Build the index while others work; pgassay queries shows what it saves and costs:".to_owned();
        finding.advice.steps = advice.iter().flat_map(|advice| advice.statements.iter().map(step)).collect();
    }
}

/// The column that the index of a finding has to begin with: that of its own step, or the one that it is about.
fn leading_column(finding: &Finding) -> Option<String> {
    let of_step = |step: &FixStep| {
        let (before, elements) = step.sql.split_once(" ON ")?.1.split_once('(')?;
        let first = elements.split([',', ')']).next()?.split_whitespace().next()?;
        (!before.contains(';') && step.sql.contains("INDEX")).then(|| first.to_owned())
    };
    let steps = finding.advice.steps.iter().find_map(of_step);
    steps.or_else(|| finding.object.as_deref()?.rsplit('.').next().map(str::to_owned))
}
