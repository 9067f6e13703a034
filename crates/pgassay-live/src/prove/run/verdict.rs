//! What the outcomes say of the findings: borne out, withdrawn, or missing.
//!
//! In: the findings of the rules for one migration, and the outcomes of its statements. Out: the same findings with
//! observed evidence where their claim was watched, without those that did not come true, and with the refusals that
//! nobody predicted.

use super::{Outcome, compare, is_about_rows};
use crate::change::PrintedName;
use crate::finding::{Advice, Category, Cause, Evidence, EvidenceKind, FailureWhen, Finding, Rule, Severity, StepWork};
use crate::history::MigrationRun;
use crate::report::Withdrawn;
use crate::rules::migration::observed::REFUSED_BY_SERVER;
use crate::rules::migration::{
    DEPENDENT_OBJECT, DUPLICATE_OBJECT, ENUM_VALUE_BEFORE_COMMIT, MISSING_LOCK_TIMEOUT, MISSING_OBJECT,
    REFUSED_STATEMENT, TRANSACTION_FORBIDDEN, UNREADABLE_STATEMENT, ended_transaction,
};
use crate::shadow::{ServerError, Watched};
use crate::source::{Sources, Span};

/// What becomes of a finding.
enum Verdict {
    /// Nothing was watched that concerns it.
    Untouched,
    Seen(String),
    Withdrawn(String),
}

pub(in crate::prove) struct Judge<'a> {
    pub run: &'a MigrationRun<'a>,
    pub outcomes: &'a [(usize, Outcome)],
    /// `PostgreSQL 15.10`.
    pub server: &'a str,
    /// An earlier statement that was refused, as `file:line`: what it would have made is missing.
    pub earlier: Option<String>,
    pub sources: &'a Sources,
}

impl Judge<'_> {
    /// Corrects the findings, and returns those that are withdrawn.
    pub fn correct(&self, findings: &mut Vec<Finding>) -> Vec<Withdrawn> {
        let mut withdrawn = Vec::new();
        findings.retain_mut(|finding| match self.verdict(finding) {
            Verdict::Untouched => true,
            Verdict::Seen(text) => {
                bear_out(finding, text);
                true
            }
            Verdict::Withdrawn(reason) => {
                let (rule, span, message) = (finding.rule.name, finding.span, finding.message.clone());
                withdrawn.push(Withdrawn { rule, span, message, reason });
                false
            }
        });
        findings.extend(self.refusals(findings));
        withdrawn
    }

    fn outcome_at(&self, span: Span) -> Option<&Outcome> {
        let at = |(index, _): &&(usize, Outcome)| self.run.steps[*index].span().contains(span);
        self.outcomes.iter().find(at).map(|(_, outcome)| outcome)
    }

    /// Whether the finding's table is one of which the planner may read the index instead.
    fn is_referenced(&self, finding: &Finding) -> bool {
        let mut steps = self.run.steps.iter().filter(|step| step.span().contains(finding.span));
        let object = finding.object.as_deref().unwrap_or_default();
        steps.any(|step| compare::referenced(step, &self.run.after).contains(object))
    }

    fn verdict(&self, finding: &Finding) -> Verdict {
        // What did not run bears nothing out.
        let Some(outcome) = self.outcome_at(finding.span).filter(|outcome| !outcome.not_run) else {
            return Verdict::Untouched;
        };
        match finding.category {
            Category::Failing => self.failing(finding, outcome),
            Category::Blocking => self.blocking(finding, outcome),
            _ => Verdict::Untouched,
        }
    }

    fn failing(&self, finding: &Finding, outcome: &Outcome) -> Verdict {
        let when = match &finding.cause {
            Some(Cause::Failure { when }) => Some(*when),
            _ => None,
        };
        let by_rows = matches!(when, Some(FailureWhen::AnyRow | FailureWhen::SomeRow));
        match &outcome.error {
            // A refusal for something else says nothing of rows, and the other way round.
            Some(error) if by_rows && is_about_rows(error) || speaks_of(finding, error) => {
                let made_up = if outcome.on_rows { ", with made-up rows" } else { "" };
                Verdict::Seen(format!("run on {}{made_up}: {error}", self.server))
            }
            Some(_) => Verdict::Untouched,
            None if by_rows => match (&outcome.watched, when) {
                (Some(watched), Some(FailureWhen::AnyRow)) if has_rows(watched, finding.object.as_ref()) => {
                    Verdict::Withdrawn(format!("{} ran it on a table with rows", self.server))
                }
                _ => Verdict::Untouched,
            },
            None if claims_refusal(finding) => Verdict::Withdrawn(format!("{} ran it", self.server)),
            None => Verdict::Untouched,
        }
    }

    /// The first statement that the server refused for more than made-up rows, as `file:line`.
    pub fn first_refusal(&self) -> Option<String> {
        let refused = |(_, outcome): &&(usize, Outcome)| outcome.error.is_some() && !outcome.on_rows;
        self.outcomes.iter().find(refused).map(|(index, _)| self.place(*index))
    }

    fn place(&self, index: usize) -> String {
        let span = self.run.steps[index].span();
        format!("{}:{}", self.sources.file(span.file).name, self.sources.positions(span).0.line)
    }

    fn blocking(&self, finding: &Finding, outcome: &Outcome) -> Verdict {
        let Some(watched) = outcome.watched.as_ref().filter(|_| outcome.error.is_none() || outcome.on_rows) else {
            return Verdict::Untouched;
        };
        let (effect, object) = (&watched.effect, finding.object.as_deref().unwrap_or_default());
        let under = effect.locks.get(object).map(|mode| format!(" under {mode}")).unwrap_or_default();
        // Without rows a server may skip what it does with them.
        let has_rows = watched.without_rows.is_empty();
        let withdrawn = |what: &str| Verdict::Withdrawn(format!("{} did not {what} {object}", self.server));
        let work = match &finding.cause {
            Some(Cause::Work { work, .. }) => Some(*work),
            _ => None,
        };
        match work {
            Some(StepWork::Rewrite) if effect.rewrites.contains(object) => {
                Verdict::Seen(format!("run on {}: {object} got new storage{under}", self.server))
            }
            Some(StepWork::Rewrite) if effect.locks.contains_key(object) => withdrawn("rewrite"),
            Some(StepWork::Scan) if effect.scans.contains(object) => {
                Verdict::Seen(format!("run on {}: {object} was read in full{under}", self.server))
            }
            Some(StepWork::Scan) if effect.locks.contains_key(object) && has_rows && !self.is_referenced(finding) => {
                withdrawn("read")
            }
            Some(StepWork::Index) if !effect.index_builds.is_empty() => {
                let built: Vec<&str> = effect.index_builds.iter().map(String::as_str).collect();
                Verdict::Seen(format!("run on {}: built {}", self.server, built.join(", ")))
            }
            None if *finding.rule == MISSING_LOCK_TIMEOUT => match effect.strongest() {
                Some((relation, mode)) => Verdict::Seen(format!("run on {}: {mode} on {relation}", self.server)),
                None => Verdict::Untouched,
            },
            _ => Verdict::Untouched,
        }
    }

    /// A finding for every refusal that none of the findings tells.
    fn refusals(&self, findings: &[Finding]) -> Vec<Finding> {
        let mut made = Vec::new();
        let mut earlier = self.earlier.clone();
        for (index, outcome) in self.outcomes {
            let Some(error) = &outcome.error else { continue };
            let span = self.run.steps[*index].span();
            let told = |finding: &&Finding| finding.category == Category::Failing && span.contains(finding.span);
            // A weaker finding is no word for a refusal; what made-up rows bring about is no more than a warning.
            let claims_it = |finding: &Finding| {
                let observed = finding.evidence.iter().any(|one| one.kind == EvidenceKind::Observed);
                observed && (finding.severity == Severity::Error || outcome.on_rows)
            };
            if !findings.iter().filter(told).any(claims_it) {
                let mut finding = self.refusal(span, outcome, &error.to_string(), earlier.as_deref());
                if self.lacks_its_past(error) {
                    finding.advice = Advice::text(format!("{PART}."));
                }
                made.push(finding);
            }
            if !outcome.on_rows {
                earlier.get_or_insert_with(|| self.place(*index));
            }
        }
        made
    }

    /// Whether the server has not what migrations made that are not here.
    fn lacks_its_past(&self, error: &ServerError) -> bool {
        !self.run.before.complete && MISSING.contains(&error.code.as_str())
    }

    /// What to say once of a part of a history that could not run.
    pub fn note_of_part(&self) -> Option<String> {
        let mut errors = self.outcomes.iter().filter_map(|(_, outcome)| outcome.error.as_ref());
        errors.any(|error| self.lacks_its_past(error)).then(|| format!("statements need what is not there: {PART}"))
    }

    fn refusal(&self, span: Span, outcome: &Outcome, error: &str, earlier: Option<&str>) -> Finding {
        let mut finding = REFUSED_BY_SERVER.finding(span, format!("the server refuses it: {error}"));
        let rows = if outcome.on_rows { ", with made-up rows" } else { "" };
        finding.evidence.push(Evidence::observed(format!("run on {}{rows}", self.server)));
        if outcome.on_rows {
            finding.severity = Severity::Warning;
            finding.advice = Advice::text("Look whether production can hold such rows.");
        } else if let Some(earlier) = earlier {
            finding.severity = Severity::Warning;
            finding.evidence.push(Evidence::observed(format!("{earlier} was refused before, which may be why")));
        }
        finding
    }
}

/// undefined_table and its kin.
const MISSING: &[&str] = &["42P01", "42703", "42704", "42883", "3F000", "3B001", "42P10"];

const PART: &str = "only a part of the history is here, and the server has nothing that earlier migrations made; --base gives it \
    them, or a dump of the schema (pg_dump --schema-only)";

/// Whether a finding says that the server refuses the statement, whatever the rows are; others of its category speak of
/// rows, re-runs and the like.
pub(in crate::prove) fn claims_refusal(finding: &Finding) -> bool {
    finding.severity == Severity::Error && finding.cause == Some(Cause::Failure { when: FailureWhen::Always })
}

/// Whether a refusal whatever the rows are is what the finding speaks of.
fn speaks_of(finding: &Finding, error: &ServerError) -> bool {
    let code = error.code.as_str();
    // Those that miss something, duplicate_table and its kin, dependent_objects_still_exist.
    let codes: [(&Rule, &[&str]); 3] = [
        (&MISSING_OBJECT, MISSING),
        (&DUPLICATE_OBJECT, &["42P07", "42701", "42710", "42723", "42P06", "42P16"]),
        (&DEPENDENT_OBJECT, &["2BP01", "0A000"]),
    ];
    let any_code = [&REFUSED_STATEMENT, &TRANSACTION_FORBIDDEN, &ENUM_VALUE_BEFORE_COMMIT, &UNREADABLE_STATEMENT];
    let has_code = codes.iter().any(|(rule, codes)| finding.rule == *rule && codes.contains(&code));
    let ends = *finding.rule == ended_transaction::RULE && finding.severity == Severity::Error && code == "2D000";
    !is_about_rows(error) && (has_code || ends || finding.rule.is_one_of(&any_code))
}

/// Puts what was seen first; what was only assumed is known better now.
pub(in crate::prove) fn bear_out(finding: &mut Finding, text: String) {
    finding.evidence.retain(|evidence| evidence.kind != EvidenceKind::Assumed);
    finding.evidence.insert(0, Evidence::observed(text));
}

/// `None` stands for a table that is not named: then nothing is known.
fn has_rows(watched: &Watched, object: Option<&PrintedName>) -> bool {
    let table = object.and_then(PrintedName::object).map(|table| table.to_string());
    let table = table.filter(|table| watched.effect.locks.contains_key(table));
    table.is_some_and(|table| !watched.without_rows.contains(&table))
}
