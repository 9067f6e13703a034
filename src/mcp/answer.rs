//! What all answers share: the project, paths below the roots, findings in short.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use pgassay::finding::{Finding, FixStep, NumberedStep, StepTransaction, numbered};
use pgassay::text::plain;
use serde_json::{Value, json};

use super::Opener;
use crate::project::{Project, full};

/// Who answers.
pub struct Desk {
    pub opener: Opener,
    /// Without links; never empty.
    pub roots: Vec<PathBuf>,
}

impl Desk {
    /// A path of the agent's, without links: below one of the roots, or refused.
    pub fn path(&self, path: &str) -> anyhow::Result<PathBuf> {
        let root = self.roots.first().map(PathBuf::as_path).unwrap_or(Path::new("."));
        let written = root.join(path);
        let found = full(&written);
        // What cannot be resolved may still lead out by its own words.
        let leads_out = found.components().any(|part| part == std::path::Component::ParentDir);
        if leads_out || !self.roots.iter().any(|root| found.starts_with(root)) {
            bail!("{path} is not below the folders that this server may read");
        }
        Ok(found)
    }

    /// The project of a folder below the roots, with texts that are not written yet.
    pub fn project(&self, folder: Option<&str>, texts: HashMap<PathBuf, Arc<str>>) -> anyhow::Result<Project> {
        let folder = self.path(folder.unwrap_or("."))?;
        std::env::set_current_dir(&folder).with_context(|| format!("{} could not be entered", folder.display()))?;
        let setup = (self.opener)(&folder)?;
        for path in setup.paths.iter().chain(&setup.base).chain(&setup.baseline) {
            self.below(&full(&folder.join(path)), "the configuration names")?;
        }
        let project = Project::open(setup, &texts);
        // Also by a link in a folder of migrations.
        project.paths().try_for_each(|path| self.below(path, "a folder of migrations leads to"))?;
        Ok(project)
    }

    fn below(&self, path: &Path, why: &str) -> anyhow::Result<()> {
        if !self.roots.iter().any(|root| path.starts_with(root)) {
            bail!(
                "{why} {}, which is not below the folders that this server may read; --root adds one",
                path.display()
            );
        }
        Ok(())
    }

    /// As an agent would write it.
    pub fn shown(&self, path: &Path) -> String {
        let below = self.roots.iter().find_map(|root| path.strip_prefix(root).ok());
        below.unwrap_or(path).display().to_string()
    }
}

/// Findings beyond this many are only counted.
pub const MOST: usize = 30;

pub fn finding(finding: &Finding, project: &Project, desk: &Desk) -> Value {
    let position = project.sources.positions(finding.span).0;
    let mut answer = json!({
        "rule": finding.rule.name,
        "severity": finding.severity,
        "file": desk.shown(&project.path_of(finding.span.file)),
        "line": position.line,
        "column": position.column,
        "message": plain::visible(&finding.message),
    });
    let mut add = |name: &str, value: Value| answer[name] = value;
    if !finding.evidence.is_empty() {
        add("evidence", json!(finding.evidence));
    }
    if let Some(witness) = &finding.witness {
        add("example", json!({ "sql": witness.sql, "after": witness.after }));
    }
    if !finding.advice.text.is_empty() {
        add("instead", json!(finding.advice.text));
    }
    if !finding.advice.steps.is_empty() {
        add("steps", steps(&finding.advice.steps));
    }
    answer
}

pub fn steps(steps: &[FixStep]) -> Value {
    let step = |NumberedStep { step, deploy, migration }: NumberedStep| {
        let transaction = match step.transaction {
            StepTransaction::Own => {
                "in a transaction of its own: a migration of its own, committed before the next step"
            }
            StepTransaction::Any => "in any transaction",
            StepTransaction::None => "outside a transaction: a migration of its own that the tool runs without one",
        };
        let mut answer =
            json!({ "sql": step.sql, "transaction": transaction, "deploy": deploy, "migration": migration });
        if step.repeat {
            answer["repeat"] = json!("until it changes no row");
        }
        if let Some(code) = &step.code_before {
            answer["codeBefore"] = json!(code);
        }
        answer
    };
    numbered(steps).into_iter().map(step).collect()
}

/// On what an answer rests, and what stands in its way.
pub fn basis(project: &Project, desk: &Desk) -> Value {
    let histories: Vec<Value> = project
        .histories()
        .into_iter()
        .map(|(folder, tool, number)| {
            json!({ "folder": desk.shown(&full(&folder)), "tool": tool.name(), "migrations": number })
        })
        .collect();
    json!({ "pgVersion": project.version().major(), "histories": histories, "configuration": project.setup.config })
}

/// What was not looked at, each once.
pub fn not_looked_at(project: &Project, more: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut lines = project.troubles.clone();
    if project.migrations() == 0 {
        lines.push("no migrations were found in this folder: nothing is known of what exists".to_owned());
    }
    for line in project.left_out().into_iter().chain(more) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_roots() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("project");
        std::fs::create_dir_all(root.join("db")).unwrap();
        std::fs::write(folder.path().join("secret.sql"), "").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), root.join("link")).unwrap();
        let desk = Desk { opener: Box::new(|_| bail!("not asked")), roots: vec![root.clone()] };
        assert_eq!(desk.path("db/1.sql").unwrap(), root.join("db/1.sql"));
        assert_eq!(desk.path("db/../db").unwrap(), root.join("db"));
        for path in
            ["..", "../secret.sql", "/etc/passwd", "link/secret.sql", "nowhere/../../secret.sql", "no/../../../x"]
        {
            assert!(desk.path(path).is_err(), "{path}");
        }
    }
}
