//! The options that name baselines, and what they do to a report.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::Context;
use clap::Args;
use pgassay::baseline::{Baseline, Entry};
use pgassay::migration::{Age, Migration};
use pgassay::report::Report;
use pgassay::sql::Sources;

#[derive(Debug, Args)]
pub struct BaselineFiles {
    /// Leave out the findings that this file holds
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Write all findings to this file, for --baseline in later runs
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
}

impl BaselineFiles {
    /// Writes the baseline, then leaves out what the other one knows.
    pub fn apply(&self, report: &mut Report, migrations: &[Migration], sources: &Sources) -> anyhow::Result<()> {
        let written = match &self.write_baseline {
            Some(path) => Some((path, write(path, report, sources)?)),
            None => None,
        };
        if let Some(path) = &self.baseline {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("{} could not be read; --write-baseline makes it", path.display()))?;
            let baseline = Baseline::parse(&text).with_context(|| format!("{}", path.display()))?;
            let judged: BTreeSet<PathBuf> =
                migrations.iter().filter(|one| one.age != Age::Old).map(|one| clean(&one.path)).collect();
            for entry in baseline.apply(report, sources).into_iter().filter(|entry| is_stale(entry, &judged)) {
                anstream::eprintln!("note: {}: {}", path.display(), stale(entry));
            }
        }
        if let Some((path, baseline)) = written {
            anstream::eprintln!("note: {}: holds {} findings now", path.display(), baseline.len());
            baseline.apply(report, sources);
        }
        Ok(())
    }
}

fn write(path: &Path, report: &Report, sources: &Sources) -> anyhow::Result<Baseline> {
    if let Some(error) = report.errors.first() {
        anyhow::bail!("{} was not written, for it would miss findings: {error}", path.display());
    }
    let baseline = Baseline::of(report, sources);
    std::fs::write(path, baseline.to_json()?).with_context(|| format!("{} could not be written", path.display()))?;
    Ok(baseline)
}

/// Without `./`.
fn clean(path: &Path) -> PathBuf {
    path.components().filter(|component| *component != Component::CurDir).collect()
}

/// An entry of a file that this run did not judge says nothing.
fn is_stale(entry: &Entry, judged: &BTreeSet<PathBuf>) -> bool {
    let file = Path::new(&entry.file);
    judged.contains(&clean(file)) || !file.exists()
}

fn stale(entry: &Entry) -> String {
    let object = entry.object.as_ref().map(|object| format!(" for {object}")).unwrap_or_default();
    format!("{}{object} in {} is found no more; the entry can go", entry.rule, entry.file)
}
