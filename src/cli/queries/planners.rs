//! Which planner judges the candidates: hypopg on the database, a twin, or both.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use pgassay::advisor::{Planner, Tables};
use pgassay::change::Name;
use pgassay::db::{Parameters, Reading, Session};
use pgassay::shadow::{Installation, installed};
use pgassay::twin::{Gap, Twin};
use pgassay::whatif::{BothPlanner, HypopgPlanner, Prepared, TwinPlanner, read_tables};
use tokio::runtime::Runtime;

use crate::cli::database::DatabaseArguments;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// hypopg where the database has it, with a twin for what it cannot do; else a twin
    Auto,
    /// The database itself, with hypothetical indexes of the extension hypopg
    Hypopg,
    /// A throwaway server here with the database's schema, statistics and sizes, and no rows
    Twin,
}

/// The planner of a run.
pub enum Chosen<'r> {
    Hypopg(Box<HypopgPlanner<'r>>),
    Twin(Box<TwinPlanner<'r>>),
    Both(Box<BothPlanner<'r>>),
}

impl<'r> Chosen<'r> {
    /// Opens the planner, and reads the tables as it sees them.
    pub fn open(
        runtime: &'r Runtime,
        choice: Choice,
        database: &DatabaseArguments,
        pg_bin: Option<&'r Path>,
        reading: &'r Reading,
        prepared: Vec<Prepared>,
        functions: bool,
    ) -> anyhow::Result<(Chosen<'r>, Tables)> {
        if choice != Choice::Twin
            && let Some(url) = database.url()
        {
            let parameters = Parameters::read(url)?;
            let session = runtime.block_on(Session::open(&parameters, &database.limits()))?;
            let facts = Some(&reading.facts);
            if let Some((hypopg, tables)) = HypopgPlanner::new(runtime, session, facts, prepared.clone(), functions)? {
                return Ok((Chosen::with_hypopg(runtime, choice, hypopg, pg_bin, reading, prepared), tables));
            }
        }
        if choice == Choice::Hypopg {
            let why = match database.url() {
                Some(_) => "the database has no extension hypopg that this role may use, or is behind a pooler",
                None => "a snapshot has no server to ask",
            };
            anyhow::bail!("--planner hypopg: {why}");
        }
        let planner = twin(runtime, pg_bin, reading, prepared)?;
        let tables = runtime.block_on(read_tables(&**planner.session(), Some(&reading.facts)))?;
        Ok((Chosen::Twin(Box::new(planner)), tables))
    }

    fn with_hypopg(
        runtime: &'r Runtime,
        choice: Choice,
        hypopg: HypopgPlanner<'r>,
        pg_bin: Option<&'r Path>,
        reading: &'r Reading,
        prepared: Vec<Prepared>,
    ) -> Chosen<'r> {
        if choice == Choice::Hypopg {
            return Chosen::Hypopg(Box::new(hypopg));
        }
        let make = move || twin(runtime, pg_bin, reading, prepared).map_err(|error| format!("{error:#}"));
        Chosen::Both(Box::new(BothPlanner::new(hypopg, Box::new(make))))
    }

    pub fn planner(&mut self) -> &mut dyn Planner {
        match self {
            Chosen::Hypopg(planner) => &mut **planner,
            Chosen::Twin(planner) => &mut **planner,
            Chosen::Both(planner) => &mut **planner,
        }
    }

    /// EXPLAINs that were run.
    pub fn explained(&self) -> usize {
        match self {
            Chosen::Hypopg(planner) => planner.explained(),
            Chosen::Twin(planner) => planner.explained(),
            Chosen::Both(planner) => planner.explained(),
        }
    }

    /// Who planned, in a few words.
    pub fn name(&self) -> &'static str {
        match self {
            Chosen::Hypopg(_) => "hypopg",
            Chosen::Twin(_) => "a twin",
            Chosen::Both(planner) if planner.built().is_some() => "hypopg and a twin",
            Chosen::Both(_) => "hypopg",
        }
    }

    /// Where plans may be other than the database's.
    pub fn gaps(&self) -> Vec<Gap> {
        let beyond = |reason: &str| Gap {
            what: "GIN and GiST indexes".to_owned(),
            reason: format!("they were not tried: hypopg has none, {reason}"),
        };
        match self {
            Chosen::Hypopg(_) => vec![beyond("and --planner hypopg builds no twin")],
            Chosen::Twin(planner) => planner.twin().gaps.clone(),
            Chosen::Both(planner) => {
                let missing = planner.missing().map(|reason| beyond(&format!("and {reason}")));
                let twin = planner.built().map(|it| it.twin().gaps.clone()).unwrap_or_default();
                missing.into_iter().chain(twin).collect()
            }
        }
    }
}

fn twin<'r>(
    runtime: &'r Runtime,
    pg_bin: Option<&Path>,
    reading: &Reading,
    prepared: Vec<Prepared>,
) -> anyhow::Result<TwinPlanner<'r>> {
    let roles = roles(reading, prepared.iter().filter_map(Prepared::role));
    let twin = build(runtime, pg_bin, reading, &roles)?;
    Ok(TwinPlanner::new(runtime, twin, prepared)?.with_all_partitions())
}

/// SQL that makes these roles and those that were granted to them: policies name them, and owners and privileges too.
fn roles<'n>(reading: &Reading, names: impl Iterator<Item = &'n str>) -> String {
    let known = &reading.facts.roles;
    let mut wanted: Vec<Name> = names.map(Name::new).collect();
    let mut made: BTreeSet<Name> = BTreeSet::new();
    let mut grants = String::new();
    while let Some(name) = wanted.pop() {
        // Predefined roles are everywhere, and not among the facts.
        let Some(role) = known.get(&name).filter(|_| !made.contains(&name)) else { continue };
        for group in &role.member_of {
            grants.push_str(&format!("GRANT {group} TO {name};\n"));
            wanted.push(group.clone());
        }
        made.insert(name);
    }
    let create = |name: &Name| {
        let role = &known[name];
        let inherits = if role.inherits { "" } else { " NOINHERIT" };
        let bypasses = if role.superuser || role.bypasses_row_security { " BYPASSRLS" } else { "" };
        format!("CREATE ROLE {name}{inherits}{bypasses};\n")
    };
    made.iter().map(create).chain([grants]).collect()
}

/// A twin of the database or snapshot, with the server of its version, or the nearest. `first` is run before its schema.
pub fn build(runtime: &Runtime, pg_bin: Option<&Path>, reading: &Reading, first: &str) -> anyhow::Result<Twin> {
    let Some(statistics) = reading.planner.clone() else {
        let unread = reading.facts.unread.iter().find(|it| it.fact == "what the planner looks at");
        match unread {
            Some(unread) => anyhow::bail!("no twin can be made: {}", unread.reason),
            None => anyhow::bail!("the snapshot does not hold what a twin needs: write it again with this pgassay"),
        }
    };
    let installation = installation(pg_bin, reading.facts.server.major())?;
    Ok(runtime.block_on(Twin::build(&installation, &format!("{first}{}", reading.ddl), statistics))?)
}

/// The server of a version, or the nearest.
pub fn installation(pg_bin: Option<&Path>, major: u16) -> anyhow::Result<Installation> {
    let mut found = installed(pg_bin)?;
    found.sort_by_key(|it| it.major().abs_diff(major));
    found.into_iter().next().context("no server is installed here")
}
