//! Sentences that several formats share: plain text, without markup.

use super::{Report, StatementRecord};
use crate::finding::{
    Category, EvidenceKind, Finding, FixStep, PlanOfChange, PlannedMigration, StepCost, StepTransaction, StepWork,
};
use crate::rules;
use crate::source::{Sources, Span};
use crate::text::plain;

/// One line about the whole run.
pub(super) fn summary(report: &Report) -> String {
    let summary = &report.summary;
    let known = match summary.known {
        0 => String::new(),
        number => format!("; {} left out by the baseline", plain::counted(number, "known finding")),
    };
    let judged = match summary.tables {
        Some(tables) => plain::counted(tables, "table"),
        None => plain::counted(summary.statements, "statement"),
    };
    // The DDL of a database is a file only to us.
    let files = match (summary.tables, summary.files) {
        (Some(_), 1) => String::new(),
        (_, number) => format!(" in {}", plain::counted(number, "file")),
    };
    format!("{judged}{files}, for PostgreSQL {}: {}{known}", report.pg_version, verdict(report),)
}

/// What was not read, a line a kind, and where nothing is new.
pub(super) fn unread(report: &Report) -> Vec<String> {
    let Some(coverage) = &report.coverage else { return Vec::new() };
    coverage.lines().into_iter().chain(coverage.nothing_new.clone()).map(|line| plain::one_line(&line)).collect()
}

/// What was taken for what: tools, folders, the server's version.
pub(super) fn assumed(report: &Report) -> Option<String> {
    let summary = report.coverage.as_ref()?.summary();
    (!summary.is_empty()).then(|| format!("read: {}", plain::one_line(&summary)))
}

/// "1 error, 0 warnings, 2 infos".
pub(super) fn verdict(report: &Report) -> String {
    let summary = &report.summary;
    [(summary.errors, "error"), (summary.warnings, "warning"), (summary.infos, "info")]
        .map(|(number, noun)| plain::counted(number, noun))
        .join(", ")
}

pub(super) fn kind_name(kind: EvidenceKind) -> &'static str {
    match kind {
        EvidenceKind::Assumed => "assumed",
        EvidenceKind::Declared => "declared",
        EvidenceKind::Measured => "measured",
        EvidenceKind::Observed => "observed",
    }
}

/// The steps of a finding's advice. How a server is set up is no migration.
pub(super) fn steps_of(finding: &Finding) -> String {
    if finding.category != Category::Operations {
        return steps(&finding.advice.steps);
    }
    let with_needs = |it: &FixStep| match it.transaction {
        StepTransaction::None => format!("-- outside a transaction\n{}", step(it)),
        _ => step(it),
    };
    finding.advice.steps.iter().map(with_needs).collect::<Vec<_>>().join("\n")
}

/// One step, with what it locks where that is known.
pub(super) fn step(step: &FixStep) -> String {
    let cost = step.cost.as_ref().map(|it| format!("-- {}\n", cost(it))).unwrap_or_default();
    format!("{cost}{}", step.sql.trim_end())
}

/// The steps of an advice as SQL: comments say where a migration and where a deploy begins, and what each step locks.
pub fn steps(steps: &[FixStep]) -> String {
    let plan = PlanOfChange::of(steps);
    let many = plan.migrations().nth(1).is_some();
    let mut lines: Vec<String> = Vec::new();
    let mut number = 0;
    for (at, deploy) in plan.deploys.iter().enumerate() {
        if let Some(code) = deploy.code_before {
            lines.push(if at > 0 { format!("-- deploy {}, once {code}", at + 1) } else { format!("-- once {code}") });
        }
        for migration in &deploy.migrations {
            number += 1;
            lines.extend(border(migration, many.then_some(number)));
            lines.extend(migration.steps.iter().map(|it| step(it)));
        }
    }
    lines.join("\n")
}

/// What a migration needs, in front of its first statement.
fn border(migration: &PlannedMigration<'_>, number: Option<usize>) -> Option<String> {
    let number = number.map(|number| format!("migration {number}"));
    let parts: Vec<String> = number.into_iter().chain(needs(migration).map(str::to_owned)).collect();
    (!parts.is_empty()).then(|| format!("-- {}", parts.join(", ")))
}

/// How a migration has to run.
pub(super) fn needs(migration: &PlannedMigration<'_>) -> impl Iterator<Item = &'static str> {
    let alone = (migration.transaction == StepTransaction::None).then_some("outside a transaction");
    let repeat = migration.repeat.then_some("repeat until it changes no row");
    alone.into_iter().chain(repeat)
}

/// "SHARE UPDATE EXCLUSIVE on public.orders, while it is read".
fn cost(cost: &StepCost) -> String {
    let work = match cost.work {
        StepWork::Instant => "for an instant",
        StepWork::Scan => "while the table is read",
        StepWork::Index => "while the index is built",
        StepWork::Rewrite => "while the table is rewritten",
        StepWork::Rows => "and the rows it changes",
    };
    format!("{} on {} {work}", cost.lock, cost.relation)
}

/// What the advice is: another way than the statement's, or something to add to what the schema is.
pub(super) fn advice_label(finding: &Finding) -> &'static str {
    match finding.rule.check() {
        Some(rules::Check::Schema(..)) => "Fix",
        _ => "Instead",
    }
}

/// The message, how it is known, an example and what to do instead: a paragraph each.
pub(super) fn full_text(finding: &Finding) -> String {
    let mut text = finding.message.clone();
    for evidence in &finding.evidence {
        text.push_str(&format!("\n{}: {}", kind_name(evidence.kind), evidence.text));
    }
    if let Some(confidence) = finding.confidence {
        text.push_str(&format!("\nconfidence: {confidence}"));
    }
    if let Some(area) = finding.area {
        text.push_str(&format!("\narea: {area}: {}", area.meaning()));
    }
    if let Some(witness) = &finding.witness {
        text.push_str(&format!("\nfor example: {}\n    {}", witness.sql, witness.after));
    }
    if !finding.advice.text.is_empty() {
        text.push_str(&format!("\n{}: {}", advice_label(finding).to_lowercase(), finding.advice.text));
    }
    if !finding.advice.steps.is_empty() {
        text.push_str("\n    ");
        text.push_str(&steps_of(finding).replace('\n', "\n    "));
    }
    text
}

const STATEMENT_COLUMNS: usize = 60;

/// The beginning of a statement, on one line.
pub(super) fn first_words(sql: &str) -> String {
    let mut words = String::new();
    for word in sql.split_whitespace() {
        if words.chars().count() + word.chars().count() > STATEMENT_COLUMNS {
            words.push('…');
            break;
        }
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

/// The lines that a span touches, as they are written in the file.
pub(super) fn lines_of(span: Span, sources: &Sources) -> &str {
    let file = sources.file(span.file);
    let (text, range) = (file.original(), file.original_range(span));
    let before = text.get(..range.start).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let behind = text.get(range.end..).unwrap_or_default();
    let end = range.end + behind.find('\n').unwrap_or(behind.len());
    text.get(start..end).unwrap_or_default().trim_end()
}

/// The statement that a finding stands in, as its index.
pub(super) fn statement_of(finding: &Finding, statements: &[&StatementRecord]) -> Option<usize> {
    let behind = statements.partition_point(|record| record.span.start <= finding.span.start);
    let index = behind.checked_sub(1)?;
    statements[index].span.contains(finding.span).then_some(index)
}
