//! What one statement does where it stands: the same model that the rules read, as facts for people and programs.
//!
//! In: a step of a run. Out: an [`Explanation`]. Judges nothing: what is worth a finding is among the findings beside it.

use pgassay::apply::Problem;
use pgassay::catalog::LockMode;
use pgassay::contract::Grade;
use pgassay::effect::{FailsWhen, InTransactionBlock, Work, WorkKind};
use pgassay::facts::{Live, rows};
use pgassay::finding::FixStep;
use pgassay::history::{MigrationRun, Step, TransactionKind};
use pgassay::source::{Sources, Span};
use pgassay::sql::secrets;
use pgassay::text::numbers::bytes;
use serde::Serialize;

/// What one statement does.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    #[serde(skip)]
    pub span: Span,
    pub statement: String,
    /// Why it could not be read: then nothing else is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    pub transaction: &'static str,
    pub allowed_in_transaction_block: bool,
    pub locks: Vec<LockLine>,
    pub work: Vec<WorkLine>,
    pub failures: Vec<FailureLine>,
    /// What is refused whatever the rows are: names that do not exist, types that do not fit.
    pub problems: Vec<String>,
    /// What clients of the schema lose by the whole migration, where this statement takes it.
    pub clients_lose: Vec<Loss>,
    pub findings: Vec<FindingLine>,
    /// What was not looked at, or not known.
    pub not_known: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LockLine {
    pub relation: String,
    pub mode: LockMode,
    /// Made by the same migration: nobody else uses it yet.
    pub new: bool,
    /// The statements of others that wait, in words.
    pub waits: &'static str,
    pub conflicts_with: Vec<LockMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkLine {
    pub kind: &'static str,
    pub relation: String,
    pub under: LockMode,
    pub reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureLine {
    pub when: &'static str,
    pub message: String,
    /// Returns the rows that it fails on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Loss {
    pub object: String,
    pub message: String,
    pub certain: bool,
    pub example: String,
    pub answer: String,
}

/// A finding of the rules, short.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingLine {
    pub rule: &'static str,
    pub severity: pgassay::finding::Severity,
    pub message: String,
    pub instead: String,
    pub steps: Vec<FixStep>,
}

impl FindingLine {
    pub fn of(finding: &pgassay::finding::Finding) -> FindingLine {
        FindingLine {
            rule: finding.rule.name,
            severity: finding.severity,
            message: finding.message.clone(),
            instead: finding.advice.text.clone(),
            steps: finding.advice.steps.clone(),
        }
    }
}

impl Explanation {
    /// Of one step; those of the statements of a DO block, or of what is called, are its own.
    pub fn of(run: &MigrationRun, at: usize, live: Option<&Live>, sources: &Sources) -> Explanation {
        let step = &run.steps[at];
        let parts: Vec<(usize, &Step)> = std::iter::once((at, step))
            .chain(run.steps.iter().enumerate().skip(at + 1).take_while(|(_, part)| part.block.is_some()))
            .collect();
        let locks = locks(&parts, live);
        let work: Vec<WorkLine> =
            parts.iter().flat_map(|(_, part)| &part.prediction.work).map(|work| work_line(work, live)).collect();
        Explanation {
            span: step.span(),
            statement: shown(step.span(), sources),
            unread: step.statement.change.as_ref().err().map(ToString::to_string),
            transaction: transaction(step),
            allowed_in_transaction_block: step.prediction.effect.in_transaction_block == InTransactionBlock::Allowed,
            failures: parts.iter().flat_map(|(_, part)| failures(part)).collect(),
            problems: parts.iter().flat_map(|(_, part)| problems(&part.applied.problems)).collect(),
            clients_lose: parts.iter().flat_map(|(at, _)| losses(run, *at)).collect(),
            findings: Vec::new(),
            not_known: not_known(step, &parts, &locks, live),
            locks,
            work,
        }
    }

    /// The strongest lock on something that others use.
    pub fn strongest(&self) -> Option<&LockLine> {
        let shared = self.locks.iter().filter(|lock| !lock.new);
        shared.fold(None, |best: Option<&LockLine>, lock| match best {
            Some(best) if best.mode >= lock.mode => Some(best),
            _ => Some(lock),
        })
    }
}

/// The text of a statement, with asterisks in the place of passwords.
fn shown(span: Span, sources: &Sources) -> String {
    let file = sources.file(span.file);
    let mut text = file.slice(span).to_owned();
    for secret in secrets(file, span).into_iter().rev().filter(|secret| span.contains(*secret)) {
        let range = (secret.start - span.start) as usize..(secret.end - span.start) as usize;
        if text.get(range.clone()).is_some() {
            text.replace_range(range.clone(), &"*".repeat(range.len()));
        }
    }
    text
}

fn transaction(step: &Step) -> &'static str {
    match step.transaction {
        None => "commits on its own",
        Some((_, TransactionKind::Explicit)) => "in the transaction that the file opens",
        Some((_, TransactionKind::Framework)) => "in the transaction that the migration tool opens",
        Some((_, TransactionKind::Implicit)) => "in one transaction with the statements that are sent with it",
    }
}

fn locks(parts: &[(usize, &Step)], live: Option<&Live>) -> Vec<LockLine> {
    let mut lines: Vec<LockLine> = Vec::new();
    for (_, part) in parts {
        for lock in &part.prediction.locks {
            let new = !part.is_shared(lock.relation);
            match lines.iter_mut().find(|line| *line.relation == *lock.name) {
                Some(line) if line.mode >= lock.mode => {}
                Some(line) => *line = LockLine { size: line.size.take(), ..lock_line(&lock.name, lock.mode, new) },
                None => {
                    let size = live.and_then(|live| size(live, &lock.name));
                    lines.push(LockLine { size, ..lock_line(&lock.name, lock.mode, new) });
                }
            }
        }
    }
    lines.sort_by_key(|line| (line.new, std::cmp::Reverse(line.mode)));
    lines
}

fn lock_line(relation: &str, mode: LockMode, new: bool) -> LockLine {
    let conflicts_with = LockMode::ALL.into_iter().filter(|other| mode.conflicts_with(*other)).collect();
    LockLine { relation: relation.to_owned(), mode, new, waits: waits(mode), conflicts_with, size: None }
}

/// Which usual statements of others wait (manual, "Explicit Locking").
pub fn waits(mode: LockMode) -> &'static str {
    match mode {
        LockMode::AccessShare => "only what takes ACCESS EXCLUSIVE: DROP, TRUNCATE, most ALTER TABLE",
        LockMode::RowShare => "REFRESH MATERIALIZED VIEW CONCURRENTLY, DROP, TRUNCATE, most ALTER TABLE",
        LockMode::RowExclusive => "CREATE INDEX, and most other changes of the schema",
        LockMode::ShareUpdateExclusive => "VACUUM, ANALYZE and changes of the schema; no read and no write",
        LockMode::Share => "INSERT, UPDATE, DELETE, MERGE, and changes of the schema",
        LockMode::ShareRowExclusive => "INSERT, UPDATE, DELETE, MERGE, and changes of the schema",
        LockMode::Exclusive => "everything but plain SELECT",
        LockMode::AccessExclusive => "everything: SELECT, INSERT, UPDATE, DELETE",
    }
}

fn size(live: &Live, relation: &str) -> Option<String> {
    let facts = live.facts.relation(&relation.parse().ok()?)?;
    let size = bytes(facts.table_bytes()?);
    Some(match facts.row_estimate() {
        Some(number) => format!("{size}, about {} rows", rows(number)),
        None => size,
    })
}

fn work_line(work: &Work, live: Option<&Live>) -> WorkLine {
    let known = live.and_then(|live| {
        let relation = live.schema.relation(work.relation?)?;
        Some((live, live.facts.relation(&relation.name)?))
    });
    WorkLine {
        kind: match work.kind {
            WorkKind::Rewrite => "rewrite",
            WorkKind::Scan => "scan",
            WorkKind::IndexBuild => "index build",
        },
        relation: work.name.to_string(),
        under: work.under,
        reason: work.reason.clone(),
        // Of the table: an index has another.
        size: known.filter(|_| work.kind != WorkKind::IndexBuild).and_then(|(_, facts)| facts.table_bytes()).map(bytes),
        duration: known
            .and_then(|(live, facts)| live.rates.duration(work.kind, facts, None))
            .map(|span| span.to_string()),
    }
}

fn failures(step: &Step) -> Vec<FailureLine> {
    let line = |failure: &pgassay::effect::Failure| {
        let (when, query) = match &failure.when {
            FailsWhen::Always => ("always", None),
            FailsWhen::InTransactionBlock => ("in a transaction block", None),
            FailsWhen::OutsideTransactionBlock => ("outside a transaction block", None),
            FailsWhen::AnyRow => ("if the table has a row", None),
            FailsWhen::SomeRow { query } => ("if a row breaks it", Some(query.clone())),
        };
        FailureLine { when, message: failure.message.clone(), query }
    };
    step.prediction.failures.iter().map(line).collect()
}

fn problems(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| problem.message.clone()).collect()
}

fn losses(run: &MigrationRun, at: usize) -> Vec<Loss> {
    let own = run.breakages.iter().filter(|(_, step)| *step == Some(at));
    own.map(|(breakage, _)| Loss {
        object: breakage.object.to_string(),
        message: breakage.message.clone(),
        certain: breakage.grade == Grade::Certain,
        example: breakage.witness.sql.clone(),
        answer: breakage.witness.after.clone(),
    })
    .collect()
}

fn not_known(step: &Step, parts: &[(usize, &Step)], locks: &[LockLine], live: Option<&Live>) -> Vec<String> {
    let mut lines = Vec::new();
    if !step.schema.complete {
        lines.push(
            "the history does not say all that exists: what it never made is taken to be there, as it is named"
                .to_owned(),
        );
    }
    if step.conditional || parts.iter().any(|(_, part)| part.conditional) {
        lines.push("whether it runs: a condition decides".to_owned());
    }
    if parts.iter().any(|(_, part)| !part.dynamic.is_empty()) {
        lines.push("what the statements do whose text is only known when they run".to_owned());
    }
    if live.is_none() && locks.iter().any(|lock| !lock.new) {
        lines.push("sizes and durations: no snapshot of the database is configured".to_owned());
    }
    lines
}
