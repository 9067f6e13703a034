//! A migration, and single statements, judged against the project.

use std::collections::HashMap;

use anyhow::bail;
use pgassay::catalog::LockMode;
use pgassay::finding::Severity;
use pgassay::text::plain;
use rmcp::schemars;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Desk, MOST, basis, finding, not_looked_at};
use crate::project::{Explanation, Judged, Project};

/// What to judge.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Check {
    /// The SQL of a migration that is not written yet, with the migration tool's own markers.
    sql: Option<String>,
    /// Where it will be written: the file's path from the project's folder on. Its place in the history and the tool's rules follow from it.
    path: Option<String>,
    /// Migration files that exist, to be judged as they are.
    #[serde(default)]
    files: Vec<String>,
    /// The project's folder, if it is not the one that the server was started in.
    project: Option<String>,
}

/// Which statements to explain.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Explain {
    /// One statement or more. They are taken to come after all migrations, in the transaction that the project's tool opens.
    sql: String,
    /// The project's folder, if it is not the one that the server was started in.
    project: Option<String>,
}

pub fn check(desk: &Desk, question: Check) -> anyhow::Result<Value> {
    let Check { sql, path, files, project: folder } = question;
    match (sql, path) {
        (Some(sql), Some(path)) => {
            let path = desk.path(&path)?;
            let texts = HashMap::from([(path.clone(), sql.as_str().into())]);
            let mut project = desk.project(folder.as_deref(), texts)?;
            let judged = project.judge_file(&path);
            let (judged, more) = match judged {
                Some(judged) => (judged, None),
                None => {
                    let why = format!(
                        "{} is not in a folder of migrations that was found: the SQL was judged after all migrations",
                        desk.shown(&path)
                    );
                    (project.judge_text(&desk.shown(&path), &sql), Some(why))
                }
            };
            Ok(answer(desk, &project, &[judged], more))
        }
        (Some(sql), None) => {
            let mut project = desk.project(folder.as_deref(), HashMap::new())?;
            let judged = project.judge_text("<sql>", &sql);
            let why = "without a path the transaction is taken to be the one of most migrations here".to_owned();
            Ok(answer(desk, &project, &[judged], Some(why)))
        }
        (None, _) if files.is_empty() => bail!("give sql, or files"),
        (None, _) => {
            let mut project = desk.project(folder.as_deref(), HashMap::new())?;
            let mut all = Vec::new();
            let mut alone = None;
            for file in &files {
                let path = desk.path(file)?;
                match project.judge_file(&path) {
                    Some(judged) => all.push(judged),
                    None if path.is_file() => {
                        let text = std::fs::read_to_string(&path)?;
                        all.push(project.judge_alone(file, &text));
                        alone = Some(format!("{file} is in no history that was found: it was judged alone"));
                    }
                    None => bail!("{file}: there is no such file"),
                }
            }
            Ok(answer(desk, &project, &all, alone))
        }
    }
}

fn answer(desk: &Desk, project: &Project, all: &[Judged], more: Option<String>) -> Value {
    let findings = || all.iter().flat_map(|judged| &judged.report.findings);
    let explanations = || all.iter().flat_map(|judged| &judged.statements).map(|at| &at.explanation);
    let verdict = match findings().map(|finding| finding.severity).max() {
        Some(Severity::Error) => "error: do not ship it like this",
        Some(Severity::Warning) => "warning: look at what it says first",
        Some(Severity::Info) => "info",
        None => "clean",
    };
    let mut sorted: Vec<_> = findings().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let statements: Vec<Value> = explanations().map(short).collect();
    let unread = explanations().filter(|it| it.unread.is_some()).count();
    let unread = (unread > 0).then(|| format!("{} that could not be read", plain::counted(unread, "statement")));
    let not_known = explanations().flat_map(|it| it.not_known.clone());
    json!({
        "verdict": verdict,
        "findings": sorted.iter().take(MOST).map(|it| finding(it, project, desk)).collect::<Vec<_>>(),
        "findingsLeftOff": sorted.len().saturating_sub(MOST),
        "statements": statements.iter().take(MOST).collect::<Vec<_>>(),
        "statementsLeftOff": statements.len().saturating_sub(MOST),
        "judgedOn": basis(project, desk),
        "notLookedAt": not_looked_at(project, unread.into_iter().chain(not_known).chain(more)),
    })
}

/// What others notice of a statement.
fn short(explanation: &Explanation) -> Value {
    let words: Vec<&str> = explanation.statement.split_whitespace().collect();
    let noticed = explanation.locks.iter().filter(|lock| !lock.new && lock.mode >= LockMode::ShareUpdateExclusive);
    json!({
        "statement": plain::cut(&words.join(" "), 100),
        "transaction": explanation.transaction,
        "locks": noticed.map(|lock| json!({ "relation": lock.relation, "mode": lock.mode, "waits": lock.waits })).collect::<Vec<_>>(),
        "work": explanation.work,
    })
}

pub fn explain(desk: &Desk, question: Explain) -> anyhow::Result<Value> {
    let mut project = desk.project(question.project.as_deref(), HashMap::new())?;
    let judged = project.judge_text("<sql>", &question.sql);
    if judged.statements.is_empty() {
        bail!("there is no statement in the SQL");
    }
    let statements: Vec<&Explanation> = judged.statements.iter().map(|at| &at.explanation).take(MOST).collect();
    Ok(json!({
        "statements": statements,
        "statementsLeftOff": judged.statements.len().saturating_sub(MOST),
        "judgedOn": basis(&project, desk),
        "notLookedAt": not_looked_at(&project, []),
    }))
}
