//! What has changed since an earlier audit: new, fixed, worse, unchanged.
//!
//! A finding is known again by its rule and object, and by its number among those that agree in both: neither the file's name nor the
//! numbers in a message count.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Report;
use crate::finding::Severity;

/// The findings of an earlier audit, as far as they are compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Earlier {
    /// Where they come from, for people.
    pub source: String,
    findings: Vec<Known>,
}

/// One finding of an audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub rule: String,
    pub severity: String,
    #[serde(default)]
    pub object: Option<String>,
    #[serde(default)]
    pub table: Option<String>,
    pub message: String,
}

/// The difference between two audits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Since {
    pub source: String,
    pub new: Vec<Known>,
    pub fixed: Vec<Known>,
    /// More severe than they were.
    pub worse: Vec<Known>,
    pub unchanged: usize,
}

#[derive(Deserialize)]
struct Document {
    findings: Vec<Known>,
}

impl Earlier {
    /// Reads the JSON report of an audit.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(source: &str, text: &str) -> Result<Earlier, String> {
        let document: Document =
            serde_json::from_str(text).map_err(|error| format!("this is not a JSON report of pgassay: {error}"))?;
        Ok(Earlier { source: source.to_owned(), findings: document.findings })
    }

    pub fn of(source: &str, report: &Report) -> Earlier {
        Earlier { source: source.to_owned(), findings: known(report) }
    }
}

fn known(report: &Report) -> Vec<Known> {
    let one = |finding: &crate::finding::Finding| Known {
        rule: finding.rule.name.to_owned(),
        severity: finding.severity.to_string(),
        object: finding.object.as_deref().map(str::to_owned),
        table: finding.table.clone(),
        message: finding.message.clone(),
    };
    report.findings.iter().map(one).collect()
}

type Key<'k> = (&'k str, Option<&'k str>, usize);

fn keyed(findings: &[Known]) -> BTreeMap<Key<'_>, &Known> {
    let mut numbers: BTreeMap<(&str, Option<&str>), usize> = BTreeMap::new();
    findings
        .iter()
        .map(|known| {
            let number = numbers.entry((known.rule.as_str(), known.object.as_deref())).or_default();
            *number += 1;
            ((known.rule.as_str(), known.object.as_deref(), *number), known)
        })
        .collect()
}

/// Compares the report with an earlier one; `wants` says which findings count.
pub fn since(report: &Report, earlier: &Earlier, wants: impl Fn(&Known) -> bool) -> Since {
    let now: Vec<Known> = known(report).into_iter().filter(&wants).collect();
    let before: Vec<Known> = earlier.findings.iter().filter(|known| wants(known)).cloned().collect();
    let (now, before) = (keyed(&now), keyed(&before));
    let mut since = Since { source: earlier.source.clone(), ..Since::default() };
    for (key, found) in &now {
        match before.get(key) {
            None => since.new.push((*found).clone()),
            Some(old) if weight(found) > weight(old) => since.worse.push((*found).clone()),
            Some(_) => since.unchanged += 1,
        }
    }
    since.fixed = before.iter().filter(|(key, _)| !now.contains_key(*key)).map(|(_, old)| (*old).clone()).collect();
    since
}

fn weight(known: &Known) -> Option<Severity> {
    known.severity.parse().ok()
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "since {}: {} new, {} fixed, {} worse, {} unchanged",
            self.source,
            self.new.len(),
            self.fixed.len(),
            self.worse.len(),
            self.unchanged
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;
    use crate::source::{FileId, Span};
    use crate::version::PgVersion;

    fn report(findings: &[(&str, &str, Severity)]) -> Report {
        let mut report = Report::new(PgVersion::default());
        for (rule, object, severity) in findings {
            let rule = rules::find(rule).unwrap_or_else(|| panic!("{rule}"));
            let mut finding = rule.finding(Span::new(FileId(0), 0, 0), format!("{object} is wrong"));
            finding.object = Some(crate::change::PrintedName::from(*object));
            finding.severity = *severity;
            report.findings.push(finding);
        }
        report
    }

    #[test]
    fn new_fixed_worse_and_unchanged() {
        let old = report(&[
            ("duplicate-index", "public.a", Severity::Warning),
            ("ambiguous-null", "public.t.c", Severity::Info),
            ("missing-primary-key", "public.t", Severity::Warning),
        ]);
        let new = report(&[
            ("ambiguous-null", "public.t.c", Severity::Warning),
            ("missing-primary-key", "public.t", Severity::Warning),
            ("missing-primary-key", "public.u", Severity::Warning),
        ]);
        let found = since(&new, &Earlier::of("monday.json", &old), |_| true);
        assert_eq!(found.to_string(), "since monday.json: 1 new, 1 fixed, 1 worse, 1 unchanged");
        assert_eq!(
            (found.new[0].object.as_deref(), found.fixed[0].rule.as_str()),
            (Some("public.u"), "duplicate-index")
        );
    }

    #[test]
    fn a_file_that_is_no_report_is_refused() {
        assert!(Earlier::parse("x.json", "{}").is_err());
        assert!(Earlier::parse("x.json", "nonsense").is_err());
    }
}
