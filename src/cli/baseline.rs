//! The options that name baselines, and what they do to a report.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::Context;
use clap::Args;
use pgassay::baseline::{Baseline, Entry};
use pgassay::migration::Migration;
use pgassay::report::Report;
use pgassay::source::Sources;

use super::output;

#[derive(Debug, Default, Args)]
pub struct BaselineFiles {
    /// Write all findings to this file, for --baseline in later runs
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
}

impl BaselineFiles {
    /// Writes the baseline, then leaves out what the one in force, if there is one, knows.
    pub fn apply(
        &self,
        baseline: Option<&Path>,
        report: &mut Report,
        migrations: &[Migration],
        sources: &Sources,
    ) -> anyhow::Result<()> {
        // The configuration may name the file that this run is to make.
        let is_there = |path: &&Path| self.write_baseline.is_none() || path.exists();
        let known = baseline.filter(is_there).map(|path| read(path).map(|baseline| (path, baseline)));
        let known = known.transpose()?;
        let written = match &self.write_baseline {
            Some(path) => Some((path, write(path, known.as_ref().map(|(_, known)| known), report, sources)?)),
            None => None,
        };
        if let Some((path, baseline)) = known {
            let judged: BTreeSet<PathBuf> =
                migrations.iter().filter(|one| one.is_judged()).map(|one| clean(&one.path)).collect();
            for entry in baseline.apply(report, sources).into_iter().filter(|entry| is_stale(entry, &judged)) {
                say!("note: {}: {}", path.display(), stale(entry));
            }
        }
        if let Some((path, baseline)) = written {
            say!("note: {}: holds {} findings now", path.display(), baseline.len());
            match baseline.without_reason() {
                0 => {}
                wanting => say!(
                    "note: {}: {wanting} of them touch payments, permissions or personal data: they are left out once their entry says the reason",
                    path.display()
                ),
            }
            baseline.apply(report, sources);
        }
        Ok(())
    }
}

fn read(path: &Path) -> anyhow::Result<Baseline> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} could not be read; --write-baseline makes it", path.display()))?;
    Baseline::parse(&text).with_context(|| format!("{}", path.display()))
}

fn write(path: &Path, older: Option<&Baseline>, report: &Report, sources: &Sources) -> anyhow::Result<Baseline> {
    if let Some(error) = report.errors.first() {
        anyhow::bail!("{} was not written, for it would miss findings: {error}", path.display());
    }
    let mut baseline = Baseline::of(report, sources);
    if let Some(older) = older {
        baseline.keep_reasons(older);
    }
    let text = baseline.to_json()?;
    output::replace_file(path, |out| out.write_all(text.as_bytes()))
        .with_context(|| format!("{} could not be written", path.display()))?;
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
