//! `pgassay audit` of many databases, or of one schema for each tenant: one report by finding.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use glob::Pattern;
use pgassay::audit::fleet::{Fleet, Member};
use pgassay::audit::{AuditJob, Filter, audit};
use pgassay::config::Settings;
use pgassay::db::{self, Database, Limits, Parameters, Wanted};
use pgassay::facts::Values;
use pgassay::finding::Severity;
use pgassay::report::Report;
use pgassay::source::Sources;

use super::{Outcome, output};

/// Databases that are read at the same time: each takes two connections of its server.
const AT_ONCE: usize = 4;

/// Which databases, or which schemas, are alike.
#[derive(Debug, Args)]
pub struct FleetArguments {
    /// Audit every database that this file names, one connection string a line, and report by finding: how many have it, and which schemas differ from the majority
    #[arg(long, value_name = "FILE", conflicts_with_all = ["db", "snapshot"])]
    databases: Option<PathBuf>,

    /// Audit every database of the server that --db names, and report by finding
    #[arg(long, requires = "db", conflicts_with = "snapshot")]
    all_databases: bool,

    /// Schemas whose names match this pattern hold the same tables for a tenant each: report by finding how many of them have it, and which differ from the majority
    #[arg(long, value_name = "PATTERN", value_parser = pattern, conflicts_with_all = ["databases", "all_databases"])]
    pub tenants: Option<Pattern>,
}

fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::new(text).map_err(|error| error.msg.to_owned())
}

/// One of many databases.
pub struct Target {
    /// Stands for it where it cannot be audited. A connection string may hold a password.
    label: String,
    parameters: anyhow::Result<Parameters>,
    limits: Limits,
}

/// How to judge each.
pub struct Judging<'a> {
    pub settings: &'a Settings,
    pub filter: Filter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
    Markdown,
}

impl FleetArguments {
    pub fn is_given(&self) -> bool {
        self.databases.is_some() || self.all_databases || self.tenants.is_some()
    }

    /// The databases of the file, of the server, or those that are named.
    pub fn targets(&self, named: &[String], limits: Limits) -> anyhow::Result<Vec<Target>> {
        if self.all_databases {
            let [url] = named else { anyhow::bail!("--all-databases takes the server from one --db") };
            return of_server(&Parameters::read(url)?, limits);
        }
        let (strings, place) = match &self.databases {
            Some(path) => (read_list(path)?, "entry of the list"),
            None => (named.to_vec(), "--db"),
        };
        let target = |(number, text): (usize, &String)| Target {
            label: format!("{place} {}", number + 1),
            parameters: Parameters::read(text).map_err(Into::into),
            limits,
        };
        Ok(strings.iter().enumerate().map(target).collect())
    }
}

/// The databases that a file names, one a line; `#` begins a comment.
fn read_list(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let list: Vec<String> = lines.map(str::to_owned).collect();
    if list.is_empty() {
        anyhow::bail!("{} names no database", path.display());
    }
    Ok(list)
}

fn of_server(parameters: &Parameters, limits: Limits) -> anyhow::Result<Vec<Target>> {
    let names = super::runtime()?.block_on(db::databases(parameters, &limits))?;
    if names.is_empty() {
        anyhow::bail!("the server has no database but postgres that this role may connect to");
    }
    let target = |name: String| Target {
        parameters: Ok(parameters.with_database(&name)),
        label: format!("database {name}"),
        limits,
    };
    Ok(names.into_iter().map(target).collect())
}

/// Audits each database.
pub fn of_databases(targets: Vec<Target>, judging: &Judging) -> anyhow::Result<Fleet> {
    let (mut members, mut failed) = (Vec::new(), Vec::new());
    for lot in targets.chunks(AT_ONCE) {
        let results: Vec<anyhow::Result<Member>> = std::thread::scope(|scope| {
            let threads: Vec<_> = lot.iter().map(|target| scope.spawn(move || one(target, judging))).collect();
            let broke_off = |_| Err(anyhow::anyhow!("the audit of it broke off"));
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(broke_off)).collect()
        });
        for (target, result) in lot.iter().zip(results) {
            match result {
                Ok(member) => members.push(member),
                Err(error) => failed.push((target.label.clone(), format!("{error:#}"))),
            }
        }
    }
    name_apart(&mut members);
    Ok(Fleet::of("databases", &members, failed))
}

/// Audits one database, and compares its tenants' schemas.
pub fn of_tenants(
    database: Database,
    sources: &Sources,
    judging: &Judging,
    pattern: &Pattern,
) -> anyhow::Result<Fleet> {
    let schema = database.schema.clone();
    let report = judge(database, sources, judging);
    let (members, left) = Member::of_schemas(&report, &schema, |name| pattern.matches(name.as_str()));
    if members.is_empty() {
        anyhow::bail!("no schema matches {pattern}");
    }
    if left > 0 {
        say!("note: {left} findings are about none of these schemas; without --tenants they are shown");
    }
    Ok(Fleet::of("schemas", &members, Vec::new()))
}

/// Shows what they have in common.
pub fn show(fleet: &Fleet, format: Format, limit: Option<Severity>) -> anyhow::Result<Outcome> {
    let mut out = output::stdout(false);
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, fleet)?;
            writeln!(out)?;
        }
        Format::Text => fleet.write(output::width(), &mut out)?,
        Format::Markdown => fleet.write_markdown(&mut out)?,
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

fn one(target: &Target, judging: &Judging) -> anyhow::Result<Member> {
    let mut sources = Sources::default();
    let parameters = target.parameters.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let wanted = Wanted { values: Values::All, limits: target.limits, planner: false };
    let database = super::runtime()?.block_on(Database::read(parameters, wanted, &mut sources))?;
    let (name, schema) = (database.facts.database.name.clone(), database.schema.clone());
    Ok(Member::new(name, judge(database, &sources, judging), &schema))
}

/// Numbers differ from database to database: each finding by itself, known by its object.
fn judge(database: Database, sources: &Sources, judging: &Judging) -> Report {
    let job = AuditJob { settings: judging.settings.clone(), single: true, ..database.audit_job(sources) };
    let mut report = audit(&job, sources);
    judging.filter.apply(&mut report);
    report
}
