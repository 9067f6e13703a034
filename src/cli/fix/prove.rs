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
    /// Sequences that the new form makes wider on purpose: ALTER COLUMN … TYPE leaves that of a serial column as it is.
    widened: Vec<String>,
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
        if !self.widened.is_empty() {
            write!(f, ", and {} is as wide as its column now", self.widened.join(", "))?;
        }
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
    let proved = pairs.map(|(old, new)| {
        let (widened, differences) = differences(old, new);
        Proved {
            server: fixed.server.clone(),
            differences,
            refused: refused.clone(),
            blocks: blocks.clone(),
            widened,
            lines: old.len(),
        }
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

/// The sequences that are wider, and the lines that differ otherwise.
fn differences(old: &BTreeSet<String>, new: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
    let gone: Vec<&String> = old.difference(new).collect();
    let more: Vec<&String> = new.difference(old).collect();
    let pairs = gone.iter().filter_map(|before| {
        let after = more.iter().find(|after| is_wider(before, after))?;
        Some((*before, *after))
    });
    let pairs: Vec<(&String, &String)> = pairs.collect();
    let is_known = |line: &String| pairs.iter().any(|(before, after)| line == *before || line == *after);
    let gone = gone.iter().filter(|line| !is_known(line)).map(|line| format!("- {line}"));
    let more = more.iter().filter(|line| !is_known(line)).map(|line| format!("+ {line}"));
    let named = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    (pairs.iter().map(|(before, _)| named(before)).collect(), gone.chain(more).collect())
}

/// Whether two lines are of one sequence, alike but for a wider type and the most that it counts to.
fn is_wider(before: &str, after: &str) -> bool {
    const TYPE: usize = 2;
    const MOST: usize = 6;
    let (before, after): (Vec<&str>, Vec<&str>) = (before.split(' ').collect(), after.split(' ').collect());
    let width = |line: &[&str]| ["smallint", "integer", "bigint"].iter().position(|it| line.get(TYPE) == Some(it));
    let same = |at: usize| at == TYPE || at == MOST || before.get(at) == after.get(at);
    before.first() == Some(&"sequence")
        && before.len() == after.len()
        && (0..before.len()).all(same)
        && width(&before).is_some_and(|old| width(&after).is_some_and(|new| old < new))
}
