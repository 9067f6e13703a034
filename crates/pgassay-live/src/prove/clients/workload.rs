//! What becomes of the application's queries along a history.
//!
//! In: the queries, the shadow before the first judged migration and after each. Out: findings for queries that worked and
//! no longer do, what could never be prepared, and the order in which schema and code may go out.

use std::collections::BTreeSet;

use super::cached::Client;
use super::guess;
use super::queries::Query;
use crate::change::{Change, PrintedName};
use crate::contract::BreakageKind;
use crate::finding::{Advice, Evidence, Finding, Severity};
use crate::history::{MigrationRun, Step};
use crate::prove::ProveError;
use crate::prove::run::Runner;
use crate::prove::run::replay::{self, Keys, Working};
use crate::report::{Order, Proof, QueryProblem, Rolling};
use crate::rules::migration::observed::BROKEN_QUERY;
use crate::shadow::ServerError;
use crate::source::{Sources, Span};

/// The queries of one history.
pub(in crate::prove) struct Workload {
    queries: Vec<Query>,
    /// Queries of the running code that work still, by their number.
    working: Vec<(usize, Working)>,
    /// What is wrong with queries of the new code before the first judged migration.
    new_before: Vec<(usize, ServerError)>,
    broken: Vec<QueryProblem>,
    /// A connection of the running code, open since before the first judged migration.
    client: Option<Client>,
    /// As they were before the migration that is tried next.
    keys: Keys,
    begun: bool,
    last: Option<Span>,
}

impl Workload {
    pub fn new(queries: Vec<Query>) -> Workload {
        Workload {
            queries,
            working: Vec::new(),
            new_before: Vec::new(),
            broken: Vec::new(),
            client: None,
            keys: Keys::default(),
            begun: false,
            last: None,
        }
    }

    /// Looks at the schema before the first judged migration.
    pub async fn begin(&mut self, runner: &Runner, proof: &mut Proof) -> Result<(), ProveError> {
        if std::mem::replace(&mut self.begun, true) || self.queries.is_empty() {
            return Ok(());
        }
        let outcomes = replay::learn(runner, &self.queries.iter().collect::<Vec<_>>()).await?;
        self.keys = Keys::read(runner).await?;
        for (at, outcome) in outcomes.into_iter().enumerate() {
            match (outcome, self.queries[at].new) {
                (Ok(working), false) => {
                    proof.queries += 1;
                    proof.executed += usize::from(!working.runs.is_empty());
                    self.working.push((at, working));
                }
                (Err(error), false) => proof.unprepared.push(problem(&self.queries[at], &error)),
                // Prepared, but no values were found with which it runs.
                (Ok(working), true) => self.new_before.extend(working.refused.map(|error| (at, error))),
                (Err(error), true) => self.new_before.push((at, error)),
            }
        }
        // Another connection would not see what is not committed.
        if !runner.is_open() {
            let forms = self.working.iter().map(|(at, working)| (*at, &working.form));
            self.client = Some(Client::open(&runner.access, &runner.database, forms).await?);
        }
        Ok(())
    }

    /// Findings for the queries that the migration broke. A query is told once: by the first migration that breaks it.
    pub async fn after(
        &mut self,
        runner: &Runner,
        run: &MigrationRun<'_>,
        server: &str,
        sources: &Sources,
    ) -> Result<Vec<Finding>, ProveError> {
        let place = Place { run, sources };
        self.last = run.steps.last().map(|step| step.span()).or(self.last);
        if self.working.is_empty() {
            return Ok(Vec::new());
        }
        let working: Vec<&Working> = self.working.iter().map(|(_, working)| working).collect();
        let keys = Keys::read(runner).await?;
        let errors = replay::again(runner, &working, (&self.keys, &keys)).await?;
        self.keys = keys;
        let mut findings = Vec::new();
        let mut still = Vec::new();
        for ((at, working), error) in std::mem::take(&mut self.working).into_iter().zip(errors) {
            match error {
                None => still.push((at, working)),
                Some(error) => {
                    let query = &self.queries[at];
                    findings.extend(finding(place, query, &working, &error, server));
                    if !is_of_made_up_rows(&error) {
                        self.broken.push(problem(query, &error));
                    }
                }
            }
        }
        self.working = still;
        findings.extend(self.stale(runner, place, server).await?);
        Ok(findings)
    }

    /// Findings for queries that work, but not on a connection that prepared them before.
    async fn stale(&mut self, runner: &Runner, place: Place<'_>, server: &str) -> Result<Vec<Finding>, ProveError> {
        let Some(client) = self.client.as_mut().filter(|_| !runner.is_open()) else { return Ok(Vec::new()) };
        let mut findings = Vec::new();
        for (number, error) in client.stale().await? {
            let Some((at, working)) = self.working.iter().find(|(at, _)| *at == number) else { continue };
            findings.extend(stale(place, &self.queries[*at], working, &error, server));
        }
        Ok(findings)
    }

    /// Looks at the queries of the new code on the last schema; those that do not work there have findings.
    pub async fn end(
        &self,
        runner: &Runner,
        server: &str,
        proof: &mut Proof,
        rolling: bool,
    ) -> Result<Vec<Finding>, ProveError> {
        if !self.begun {
            return Ok(Vec::new());
        }
        let new: Vec<(usize, &Query)> = self.queries.iter().enumerate().filter(|(_, query)| query.new).collect();
        let texts: Vec<&Query> = new.iter().map(|(_, query)| *query).collect();
        let outcomes = if new.is_empty() { Vec::new() } else { replay::learn(runner, &texts).await? };
        let mut findings = Vec::new();
        // What does not work after the migrations either says nothing of an order.
        let mut works_after = BTreeSet::new();
        for ((at, query), outcome) in new.iter().zip(outcomes) {
            if outcome.as_ref().is_ok_and(|working| working.refused.is_none()) {
                works_after.insert(*at);
            }
            if let (Err(error), Some(span)) = (outcome, self.last) {
                let mut found = BROKEN_QUERY
                    .finding(span, format!("a query of the new code does not work after the last migration: {error}"));
                found.object = object(query);
                found.evidence.push(Evidence::observed(format!("prepared on {server}: {}", query.text)));
                findings.push(found);
            }
        }
        // Queries of which nothing is known say nothing of an order.
        if rolling && (proof.queries > 0 || !new.is_empty()) {
            let needs_it = self.new_before.iter().filter(|(at, _)| works_after.contains(at));
            let new_on_old: Vec<QueryProblem> =
                needs_it.map(|(at, error)| problem(&self.queries[*at], error)).collect();
            let order = match (self.broken.is_empty(), new_on_old.is_empty()) {
                (true, true) => Order::Either,
                (true, false) => Order::SchemaFirst,
                (false, true) => Order::CodeFirst,
                (false, false) => Order::Neither,
            };
            proof.rolling = Some(Rolling { order, old_on_new: self.broken.clone(), new_on_old });
        }
        Ok(findings)
    }
}

fn problem(query: &Query, error: &ServerError) -> QueryProblem {
    QueryProblem { line: query.line, query: query.text.clone(), calls: query.calls, error: error.to_string() }
}

/// A key that the migration made refuses a row, and both rows are made up: real ones may never meet.
fn is_of_made_up_rows(error: &ServerError) -> bool {
    matches!(error.code.as_str(), "23505" | "23P01")
}

fn finding(place: Place, query: &Query, working: &Working, error: &ServerError, server: &str) -> Option<Finding> {
    let span = place.of(working, error)?;
    let mut found = BROKEN_QUERY.finding(span, format!("breaks a query of the application{}: {error}", told(query)));
    found.object = object(query);
    let how = if working.runs.is_empty() { "prepared" } else { "prepared and run with made-up values" };
    found
        .evidence
        .push(Evidence::observed(format!("{how} on {server} before and after the migration: {}", query.text)));
    found.advice = Advice::text(
        "Deploy code that does not send it before this migration goes out, or keep what it needs until then.",
    );
    if is_of_made_up_rows(error) {
        found.severity = Severity::Warning;
        found.message = format!("may break a query of the application{}: {error}", told(query));
        found.advice = Advice::text(
            "Does the application ever write two rows that are alike in the new key? Here both rows are made up, so this is a question and no proof; \
             it does not count for the order of deployment.",
        );
    }
    Some(found)
}

/// A connection that prepared the query before gets an error; a new one does not.
fn stale(place: Place, query: &Query, working: &Working, error: &ServerError, server: &str) -> Option<Finding> {
    let span = place.of(working, error)?;
    let message = format!("breaks connections that have prepared a query of the application{}: {error}", told(query));
    let mut found = BROKEN_QUERY.finding(span, message);
    found.severity = Severity::Warning;
    found.object = object(query);
    found.evidence.push(Evidence::observed(format!(
        "prepared on {server} on a connection that was open before the migration, and planned again there after it: {}",
        query.text
    )));
    found.advice = Advice::text(
        "Name the columns instead of *, so that a new one changes nothing. Where a type changes, let the application's connections be opened anew after the migration, or let its driver prepare anew after this error; inside a transaction, the transaction has to be repeated.",
    );
    Some(found)
}

/// ` (line 4, called 40 times)`.
fn told(query: &Query) -> String {
    let line = query.line.map(|line| format!("line {line}"));
    let calls = query.calls.map(|calls| format!("called {calls} times"));
    let parts: Vec<String> = line.into_iter().chain(calls).collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

fn object(query: &Query) -> Option<PrintedName> {
    query.line.map(|line| PrintedName::other(format!("line {line}")))
}

/// Where findings of a migration may point to.
#[derive(Clone, Copy)]
struct Place<'r> {
    run: &'r MigrationRun<'r>,
    sources: &'r Sources,
}

impl Place<'_> {
    /// The statement that is nearest to the cause: the one behind a loss that the error names, else the one whose text has the most of
    /// the names in the error, among these the one that locks a table of the query most strongly, else the first.
    fn of(&self, working: &Working, error: &ServerError) -> Option<Span> {
        let run = self.run;
        let top = |index: usize| run.steps[index].block.unwrap_or(index);
        // Of an ON CONFLICT without its index the server names nothing.
        let target = run.breakages.iter().find_map(|(breakage, step)| {
            let is_target = breakage.kind == BreakageKind::ConflictTargetDropped && error.code == "42P10";
            step.filter(|_| {
                is_target && breakage.object.object().is_some_and(|object| working.tables.contains(&object.to_string()))
            })
        });
        let loss = run.breakages.iter().find_map(|(breakage, step)| {
            let name = breakage.object.part_name().or(breakage.object.name())?;
            let name = name.as_str();
            step.filter(|_| {
                error.message.contains(&format!("\"{name}\"")) || error.message.contains(&format!(".{name} "))
            })
        });
        if let Some(step) = target.or(loss) {
            return Some(run.steps[top(step)].span());
        }
        let names = guess::names_in(error);
        let nearness = |index: usize, step: &Step| {
            let only_session = matches!(
                step.change(),
                Some(Change::Set(_) | Change::Reset(_) | Change::Transaction(_) | Change::Nothing(_))
            );
            let text = self.sources.slice(step.span());
            let named = names.iter().filter(|name| text.contains(name.as_str())).count();
            let locks = step.prediction.effect.locks.iter();
            let mode = locks.filter(|(name, _)| working.tables.contains(name)).map(|(_, mode)| *mode).max();
            (!only_session, named, mode, std::cmp::Reverse(index))
        };
        let steps = run.steps.iter().enumerate().map(|(index, step)| nearness(index, step));
        let (.., std::cmp::Reverse(index)) = steps.max()?;
        Some(run.steps[top(index)].span())
    }
}
