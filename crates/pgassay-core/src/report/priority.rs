//! What to do first, and how each area of an audit does.
//!
//! Worked out of the findings that a report shows, so that every format says the same of what is in it.

use std::collections::BTreeMap;
use std::fmt;

use super::Report;
use crate::area::Area;
use crate::finding::{Category, Confidence, Finding, Rule, Severity, StepWork};
use crate::rules::schema::{
    DISCOURAGED_TYPES, DUPLICATE_CONSTRAINT, ENUM_IN_TEXT, HOT_QUERY_WITHOUT_INDEX, INDEX_DEFEATED, KEY_RUNS_OUT,
    LEFT_OVER_COPY, LOW_VALUE_INDEX, MISSING_FOREIGN_KEY, MONEY_IN_FLOAT, PERSONAL_DATA_WITHOUT_AREA, PLAINTEXT_SECRET,
    PREFIX_INDEX, PUBLIC_GRANT, SEQUENCE_BEHIND_ROWS, SILENCED_TRIGGER, SILENT_LOG, SOFT_DELETE_UNIQUENESS,
    TRANSACTION_ID_AGE, UNGUARDED_AMOUNT, UNLOGGED_MONEY, VACUUM_HELD_BACK,
};

/// A finding in the list of what to do first.
#[derive(Debug, Clone, Copy)]
pub struct Priority<'r> {
    /// In [`Report::findings`].
    pub number: usize,
    pub finding: &'r Finding,
    pub score: f64,
    pub effort: Effort,
}

/// What it takes to do what the advice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// A statement or two that hold their locks for an instant.
    Minutes,
    /// Rows are read, an index is built, or the steps are many.
    Hours,
    /// Rows are written, or the table is.
    Days,
    /// Somebody has to decide, or to change code.
    Decision,
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Effort::Minutes => "minutes",
            Effort::Hours => "hours",
            Effort::Days => "days",
            Effort::Decision => "needs a decision",
        })
    }
}

/// Lines of the list.
pub const FIRST: usize = 10;

/// The findings to begin with: by harm, certainty and traffic. A second kind of harm is worth more than the fourth of a kind.
pub fn first(report: &Report) -> Vec<Priority<'_>> {
    let mut all = rated(report);
    all.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.number.cmp(&other.number)));
    few_of_a_kind(all, 3)
}

/// The findings of a check to begin with: the worst, the latest of them first, and few of a kind.
pub fn first_of_check(report: &Report) -> Vec<Priority<'_>> {
    let mut all = rated(report);
    all.sort_by(|one, other| other.score.total_cmp(&one.score).then(other.number.cmp(&one.number)));
    few_of_a_kind(all, 2)
}

fn rated(report: &Report) -> Vec<Priority<'_>> {
    report.findings.iter().enumerate().map(|(number, it)| rate(report, number, it)).collect()
}

/// The beginning of a list, with no more than `most` of one rule.
fn few_of_a_kind(mut all: Vec<Priority<'_>>, most: usize) -> Vec<Priority<'_>> {
    let mut of_rule: BTreeMap<&str, usize> = BTreeMap::new();
    all.retain(|priority| {
        let number = of_rule.entry(priority.finding.rule.name).or_default();
        *number += 1;
        *number <= most
    });
    all.truncate(FIRST);
    all
}

fn rate<'r>(report: &Report, number: usize, finding: &'r Finding) -> Priority<'r> {
    let weight = finding.table.as_ref().and_then(|table| report.weights.get(table)).copied().unwrap_or(0.5);
    let protected = match finding.area {
        Some(Area::Payments) => 1.4,
        Some(area) if area.is_protected() => 1.2,
        _ => 1.0,
    };
    let score = harm(finding) * certainty(finding) * protected * (0.5 + 0.5 * weight);
    Priority { number, finding, score, effort: effort(finding) }
}

/// What the rules whose category does not say it are worth.
static HARM: [(&[&Rule], f64); 8] = [
    (&[&KEY_RUNS_OUT, &SEQUENCE_BEHIND_ROWS, &TRANSACTION_ID_AGE, &UNLOGGED_MONEY], 12.0),
    (&[&PLAINTEXT_SECRET, &PUBLIC_GRANT, &SILENCED_TRIGGER, &VACUUM_HELD_BACK], 10.0),
    (&[&MONEY_IN_FLOAT], 8.0),
    (&[&UNGUARDED_AMOUNT, &MISSING_FOREIGN_KEY, &SOFT_DELETE_UNIQUENESS], 6.0),
    (&[&HOT_QUERY_WITHOUT_INDEX, &INDEX_DEFEATED], 6.0),
    (&[&PERSONAL_DATA_WITHOUT_AREA], 3.0),
    (&[&PREFIX_INDEX, &DUPLICATE_CONSTRAINT, &LOW_VALUE_INDEX, &SILENT_LOG, &LEFT_OVER_COPY], 2.0),
    (&[&DISCOURAGED_TYPES, &ENUM_IN_TEXT], 1.5),
];

/// Money, permissions, secrets, wrong results and an outage first; then speed; then style.
fn harm(finding: &Finding) -> f64 {
    if let Some((_, harm)) = HARM.iter().find(|(rules, _)| finding.rule.is_one_of(rules)) {
        return *harm;
    }
    match finding.category {
        Category::Safety => 9.0,
        Category::Nullability if finding.severity > Severity::Info => 7.0,
        Category::Keys | Category::Operations => 5.0,
        Category::Indexes | Category::Nullability => 4.0,
        Category::Json | Category::Types => 3.0,
        Category::Blocking | Category::Breaking | Category::DataLoss | Category::Failing => 8.0,
        Category::Hygiene => 1.0,
    }
}

fn certainty(finding: &Finding) -> f64 {
    let severity = match finding.severity {
        Severity::Error => 1.0,
        Severity::Warning => 0.75,
        Severity::Info => 0.3,
    };
    severity
        * match finding.confidence {
            None | Some(Confidence::High) => 1.0,
            Some(Confidence::Medium) => 0.8,
            Some(Confidence::Low) => 0.5,
        }
}

/// What it takes, by the steps of the advice.
pub fn effort(finding: &Finding) -> Effort {
    let steps = &finding.advice.steps;
    if steps.is_empty() {
        return Effort::Decision;
    }
    let work =
        |wanted: &[StepWork]| steps.iter().any(|step| step.cost.as_ref().is_some_and(|it| wanted.contains(&it.work)));
    if work(&[StepWork::Rewrite, StepWork::Rows]) {
        Effort::Days
    } else if work(&[StepWork::Index, StepWork::Scan]) || steps.len() > 4 {
        Effort::Hours
    } else {
        Effort::Minutes
    }
}

/// How an area does.
#[derive(Debug, Clone, PartialEq)]
pub struct Grade {
    pub category: Category,
    /// A to F.
    pub letter: char,
    /// Errors, warnings, infos.
    pub counts: [usize; 3],
    /// The rules that cost most, with their findings.
    pub moved_by: Vec<(&'static str, usize)>,
}

/// The areas that have findings, in their order, each with its grade: 100 points less 25 an error, 10 a warning and 1 an info, in a schema
/// of up to 20 tables; in a larger one the same share of tables costs the same. With an error nothing is better than C.
pub fn grades(report: &Report) -> Vec<Grade> {
    let scale = (report.summary.tables.unwrap_or(0) as f64 / 20.0).max(1.0);
    let of = |category: Category| {
        let mut counts = [0; 3];
        let mut costs: BTreeMap<&'static str, (f64, usize)> = BTreeMap::new();
        for finding in report.findings.iter().filter(|finding| finding.category == category) {
            counts[Severity::Error as usize - finding.severity as usize] += 1;
            let cost = match finding.severity {
                Severity::Error => 25.0,
                Severity::Warning => 10.0,
                Severity::Info => 1.0,
            };
            let entry = costs.entry(finding.rule.name).or_default();
            entry.0 += cost;
            entry.1 += 1;
        }
        let lost: f64 = costs.values().map(|(cost, _)| cost).sum::<f64>() / scale;
        let mut moved_by: Vec<_> = costs.into_iter().map(|(rule, (cost, number))| (cost, rule, number)).collect();
        moved_by.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
        let letter = match 100.0 - lost {
            p if p >= 90.0 => 'A',
            p if p >= 75.0 => 'B',
            p if p >= 55.0 => 'C',
            p if p >= 35.0 => 'D',
            _ => 'F',
        };
        let letter = if counts[0] > 0 { letter.max('C') } else { letter };
        let moved_by = moved_by.into_iter().take(3).map(|(_, rule, number)| (rule, number)).collect();
        Grade { category, letter, counts, moved_by }
    };
    Category::ALL.into_iter().map(of).filter(|grade| grade.counts.iter().any(|number| *number > 0)).collect()
}

/// Findings of each rule: errors, warnings, infos; the most harm first.
pub fn by_rule(report: &Report) -> Vec<(&'static str, [usize; 3])> {
    let mut rules: BTreeMap<&'static str, [usize; 3]> = BTreeMap::new();
    for finding in &report.findings {
        rules.entry(finding.rule.name).or_default()[Severity::Error as usize - finding.severity as usize] += 1;
    }
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::FixStep;
    use crate::rules;
    use crate::source::{FileId, Span};
    use crate::version::PgVersion;

    fn finding(rule: &str, severity: Severity, message: &str) -> Finding {
        let rule = rules::find(rule).unwrap_or_else(|| panic!("{rule}"));
        let mut finding = rule.finding(Span::new(FileId(0), 0, 0), message);
        finding.severity = severity;
        finding
    }

    #[test]
    fn secrets_come_before_speed_and_speed_before_style() {
        let mut report = Report::new(PgVersion::default());
        report.findings = vec![
            finding("discouraged-types", Severity::Info, "style"),
            finding("foreign-key-without-index", Severity::Warning, "speed"),
            finding("plaintext-secret", Severity::Warning, "secret"),
            finding("key-runs-out", Severity::Error, "outage"),
        ];
        let order: Vec<&str> = first(&report).iter().map(|it| it.finding.message.as_str()).collect();
        assert_eq!(order, ["outage", "secret", "speed", "style"]);
    }

    #[test]
    fn one_rule_does_not_fill_the_list() {
        let mut report = Report::new(PgVersion::default());
        report.findings = (0..20).map(|_| finding("plaintext-secret", Severity::Warning, "secret")).collect();
        report.findings.push(finding("prefix-index", Severity::Info, "prefix"));
        let list = first(&report);
        assert_eq!((list.len(), list.last().map(|it| it.finding.rule.name)), (4, Some("prefix-index")));
    }

    #[test]
    fn grades_fall_with_the_share_of_tables() {
        let mut report = Report::new(PgVersion::default());
        report.findings = (0..3).map(|_| finding("foreign-key-without-index", Severity::Warning, "")).collect();
        report.summary.tables = Some(10);
        assert_eq!(grades(&report)[0].letter, 'C');
        report.summary.tables = Some(1000);
        assert_eq!(grades(&report)[0].letter, 'A');
        report.findings.push(finding("invalid-index", Severity::Error, ""));
        assert_eq!((grades(&report)[0].letter, grades(&report)[0].counts), ('C', [1, 3, 0]));
    }

    #[test]
    fn effort_is_read_from_the_steps() {
        let mut one = finding("public-grant", Severity::Warning, "");
        assert_eq!(effort(&one), Effort::Decision);
        one.advice.steps = vec![FixStep::any("REVOKE INSERT ON t FROM PUBLIC;")];
        assert_eq!(effort(&one), Effort::Minutes);
    }
}
