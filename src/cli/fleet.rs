//! `pgassay audit --databases FILE` and `--all-databases`: many databases in one run, one report by finding.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use pgassay::audit::fleet::{Fleet, Member};
use pgassay::audit::{AuditJob, Filter, audit};
use pgassay::config::Settings;
use pgassay::db::{Database, Limits, Parameters, Wanted};
use pgassay::facts::Values;
use pgassay::finding::Severity;
use pgassay::source::Sources;

use super::{Outcome, output};

/// Databases that are read at the same time: each takes two connections of its server.
const AT_ONCE: usize = 4;

/// The databases that a file names, one a line; `#` begins a comment.
pub fn read_list(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let list: Vec<String> = lines.map(str::to_owned).collect();
    if list.is_empty() {
        anyhow::bail!("{} names no database", path.display());
    }
    Ok(list)
}

/// Audits each, and shows what they have in common.
pub fn run(
    urls: &[String],
    limits: Limits,
    settings: &Settings,
    filter: &Filter,
    limit: Option<Severity>,
    as_json: bool,
) -> anyhow::Result<Outcome> {
    let (mut members, mut failed) = (Vec::new(), Vec::new());
    for (lot, urls) in urls.chunks(AT_ONCE).enumerate() {
        let results: Vec<anyhow::Result<Member>> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                urls.iter().map(|url| scope.spawn(move || one(url, limits, settings, filter))).collect();
            let broke_off = |_| Err(anyhow::anyhow!("the audit of it broke off"));
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(broke_off)).collect()
        });
        for (at, result) in results.into_iter().enumerate() {
            match result {
                Ok(member) => members.push(member),
                // A connection string may hold a password: its place in the list is told.
                Err(error) => {
                    failed.push((format!("entry {} of the list", lot * AT_ONCE + at + 1), format!("{error:#}")))
                }
            }
        }
    }
    name_apart(&mut members);
    let fleet = Fleet::of(&members, failed);
    let mut out = output::stdout(false);
    match as_json {
        true => {
            serde_json::to_writer_pretty(&mut out, &fleet)?;
            writeln!(out)?;
        }
        false => fleet.write(output::width(), &mut out)?,
    }
    out.flush()?;
    Ok(match (fleet.failed.is_empty(), limit, fleet.worst()) {
        (false, ..) => Outcome::Failed,
        (_, Some(limit), Some(worst)) if worst >= limit => Outcome::Findings,
        _ => Outcome::Clean,
    })
}

/// Databases of one name on several servers are numbered.
fn name_apart(members: &mut [Member]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for member in members {
        let number = seen.entry(member.name.clone()).or_default();
        *number += 1;
        if *number > 1 {
            member.name = format!("{} ({number})", member.name);
        }
    }
}

fn one(url: &str, limits: Limits, settings: &Settings, filter: &Filter) -> anyhow::Result<Member> {
    let mut sources = Sources::default();
    let parameters = Parameters::read(url)?;
    let runtime = super::runtime()?;
    let wanted = Wanted { values: Values::All, limits, planner: false };
    let database = runtime.block_on(Database::read(&parameters, wanted, &mut sources))?;
    let name = database.facts.database.name.clone();
    let schema = database.schema.clone();
    // Numbers differ from database to database: each finding by itself, known by its object.
    let job = AuditJob { settings: settings.clone(), single: true, ..database.audit_job(&sources) };
    let mut report = audit(&job, &sources);
    filter.apply(&mut report);
    Ok(Member::new(name, report, &schema))
}
