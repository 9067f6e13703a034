//! The original and the new form of migrations, run on a server and compared.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::Context;
use pgassay::check::{Job, check_observed};
use pgassay::finding::{Category, Evidence, EvidenceKind, Finding, Severity};
use pgassay::fix::{Rewrites, Rewritten, replaced};
use pgassay::prove::{Options, Place, Prover};
use pgassay::report::Report;
use pgassay::source::Sources;

/// What a server showed of one history.
pub struct Proved {
    server: String,
    /// In the words of the catalog; `-` only the original leaves, `+` only the new form.
    differences: Vec<String>,
    /// What the server refused of the new form, and of the original not.
    refused: Vec<String>,
    /// Long work under a lock that blocks, as it was seen.
    blocks: Vec<String>,
    lines: usize,
}

impl Proved {
    pub fn is_same(&self) -> bool {
        self.differences.is_empty() && self.refused.is_empty()
    }
}

impl fmt::Display for Proved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_same() {
            write!(f, "not proved on {}:", self.server)?;
            let refused = self.refused.iter().map(|it| format!("refused: {it}"));
            return refused.chain(self.differences.iter().cloned()).try_for_each(|line| write!(f, "\n    {line}"));
        }
        write!(
            f,
            "proved on {}: the original and the new form, with all its deploys, leave the same {} definitions",
            self.server, self.lines
        )?;
        match self.blocks.len() {
            0 => write!(f, "; nothing of it works long under a lock that blocks"),
            _ => self.blocks.iter().try_for_each(|line| write!(f, "\n    still blocks: {line}")),
        }
    }
}

/// Runs both, each history in a database of its own.
pub fn same(place: &Place, job: &Job, rewrites: &Rewrites, sources: &Sources) -> anyhow::Result<Vec<Proved>> {
    let whole: Vec<Rewritten> = rewrites.rewritten.iter().map(with_all_deploys).collect();
    if whole.is_empty() {
        return Ok(Vec::new());
    }
    let chosen: Vec<&Rewritten> = whole.iter().collect();
    let (new, texts) = replaced(job, &chosen, sources);
    let original = run(place, job, sources).context("the original migrations could not be run")?;
    let fixed = run(place, &new, &texts).context("the new form could not be run")?;
    let refused: Vec<String> = bad(&fixed.report, Category::Failing)
        .filter(|it| !bad(&original.report, Category::Failing).any(|old| old.message == it.message))
        .map(|it| it.message.clone())
        .collect();
    let blocks: Vec<String> = bad(&fixed.report, Category::Blocking).map(|it| it.message.clone()).collect();
    let pairs = original.catalogs.iter().zip(&fixed.catalogs);
    let proved = pairs.map(|(old, new)| Proved {
        server: fixed.server.clone(),
        differences: differences(old, new),
        refused: refused.clone(),
        blocks: blocks.clone(),
        lines: old.len(),
    });
    Ok(proved.collect())
}

fn with_all_deploys(own: &Rewritten) -> Rewritten {
    let mut own = own.clone();
    own.pieces.extend(own.later.drain(..).flat_map(|later| later.pieces));
    own
}

struct Run {
    report: Report,
    catalogs: Vec<BTreeSet<String>>,
    server: String,
}

fn run(place: &Place, job: &Job, sources: &Sources) -> anyhow::Result<Run> {
    let options = Options { place: place.clone(), version: job.version, describe: true, ..Options::default() };
    let mut prover = Prover::start(options)?;
    let report = check_observed(job, sources, Some(&mut prover));
    let catalogs = prover.catalogs();
    let proof = prover.finish()?;
    Ok(Run { report, catalogs, server: proof.server })
}

/// Errors that were seen, not only predicted.
fn bad(report: &Report, category: Category) -> impl Iterator<Item = &Finding> {
    report.findings.iter().filter(move |finding| {
        let seen = |evidence: &Evidence| evidence.kind == EvidenceKind::Observed;
        finding.severity == Severity::Error && finding.category == category && finding.evidence.iter().any(seen)
    })
}

fn differences(old: &BTreeSet<String>, new: &BTreeSet<String>) -> Vec<String> {
    let gone = old.difference(new).map(|line| format!("- {line}"));
    let more = new.difference(old).map(|line| format!("+ {line}"));
    gone.chain(more).collect()
}
