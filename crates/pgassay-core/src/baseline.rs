//! Findings that are known and accepted: written to a file once, left out of later runs.
//!
//! In: a report. Out: the report without what the baseline holds, and the entries that found nothing any more. The file is JSON with one
//! line a finding, sorted, so that its diff reads as a list; findings are known by their fingerprint, which survives moved lines and
//! reformatting.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::report::{FINGERPRINT_VERSION, Report, fingerprints};
use crate::source::Sources;

/// The accepted findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: Vec<Entry>,
}

/// One accepted finding. All but the fingerprint is for people who read the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    pub file: String,
    pub rule: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    pub fingerprint: String,
    /// Why it is accepted. A finding in a protected area of the configuration is left out only with a reason; `--write-baseline` leaves
    /// it empty there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why a baseline could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    #[error("it is not a baseline: {0}")]
    Syntax(#[from] serde_json::Error),
    #[error("its fingerprints are of {found}, and this pgassay makes those of {FINGERPRINT_VERSION}: write it anew")]
    Version { found: String },
}

#[derive(Deserialize)]
struct Document {
    fingerprints: String,
    findings: Vec<Entry>,
}

impl Baseline {
    /// Every finding of the report.
    pub fn of(report: &Report, sources: &Sources) -> Baseline {
        let entry = |(finding, fingerprint): (&Finding, String)| Entry {
            file: sources.file(finding.span.file).name.replace('\\', "/"),
            rule: finding.rule.name.to_owned(),
            object: finding.object.as_deref().map(str::to_owned),
            fingerprint,
            reason: is_protected(finding).then(String::new),
        };
        let mut entries: Vec<Entry> = report.findings.iter().zip(fingerprints(report, sources)).map(entry).collect();
        entries.sort();
        Baseline { entries }
    }

    pub fn parse(text: &str) -> Result<Baseline, BaselineError> {
        let document: Document = serde_json::from_str(text)?;
        if document.fingerprints != FINGERPRINT_VERSION {
            return Err(BaselineError::Version { found: document.fingerprints });
        }
        Ok(Baseline { entries: document.findings })
    }

    /// Takes over the reasons that an older baseline gives for the same findings.
    pub fn keep_reasons(&mut self, older: &Baseline) {
        let given = older.entries.iter().filter(|entry| entry.has_reason());
        let given: BTreeMap<&str, &Entry> = given.map(|entry| (entry.fingerprint.as_str(), entry)).collect();
        for entry in &mut self.entries {
            if let Some(older) = given.get(entry.fingerprint.as_str()) {
                entry.reason.clone_from(&older.reason);
            }
        }
    }

    /// How many entries still want a reason.
    pub fn without_reason(&self) -> usize {
        self.entries.iter().filter(|entry| entry.reason.is_some() && !entry.has_reason()).count()
    }

    /// The file's text.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text =
            format!("{{\n\"fingerprints\": {},\n\"findings\": [", serde_json::to_string(FINGERPRINT_VERSION)?);
        for (number, entry) in self.entries.iter().enumerate() {
            text.push_str(if number == 0 { "\n" } else { ",\n" });
            text.push_str(&serde_json::to_string(entry)?);
        }
        text.push_str("\n]\n}\n");
        Ok(text)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes the known findings out of the report and counts them in its summary. Returns the entries that no finding matched.
    pub fn apply(&self, report: &mut Report, sources: &Sources) -> Vec<&Entry> {
        let known: BTreeMap<&str, &Entry> =
            self.entries.iter().map(|entry| (entry.fingerprint.as_str(), entry)).collect();
        let mut found: BTreeSet<String> = BTreeSet::new();
        let mut all = fingerprints(report, sources).into_iter();
        let before = report.findings.len();
        report.findings.retain(|finding| {
            let Some(fingerprint) = all.next() else { return true };
            let Some(entry) = known.get(fingerprint.as_str()) else { return true };
            found.insert(fingerprint);
            is_protected(finding) && !entry.has_reason()
        });
        report.recount();
        report.summary.known += before - report.findings.len();
        self.entries.iter().filter(|entry| !found.contains(&entry.fingerprint)).collect()
    }
}

impl Entry {
    fn has_reason(&self) -> bool {
        self.reason.as_ref().is_some_and(|reason| !reason.trim().is_empty())
    }
}

fn is_protected(finding: &Finding) -> bool {
    finding.area.is_some_and(|area| area.is_protected())
}
