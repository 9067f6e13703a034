//! The options of `check` that run the migrations on a shadow server.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use pgassay::check::{Job, check, check_observed};
use pgassay::db::Database;
use pgassay::prove::{Cleanup, Options, Place, PlanWatch, Prover, read_queries};
use pgassay::report::Report;
use pgassay::shadow::installed;
use pgassay::sql::Sources;

#[derive(Debug, Args)]
#[command(next_help_heading = "Proof on a shadow server")]
pub struct Proof {
    /// Run the migrations on a throwaway PostgreSQL server and report what was seen
    #[arg(long, conflicts_with = "down")]
    prove: bool,

    /// The folder of the server's initdb and postgres [default: found, the version nearest to --pg-version]
    #[arg(long, value_name = "DIR", requires = "prove")]
    pg_bin: Option<PathBuf>,

    /// A server where a database can be made and dropped, instead of a throwaway one
    #[arg(
        long,
        value_name = "URL",
        requires = "prove",
        conflicts_with = "pg_bin",
        env = "PGASSAY_SHADOW_URL",
        hide_env_values = true
    )]
    shadow_url: Option<String>,

    /// Make up so many rows in each table that a migration touches
    #[arg(long, value_name = "N", requires = "prove", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    seed: Option<u32>,

    /// The application's queries, tried before and after each migration
    #[arg(long, value_name = "FILE", requires = "prove")]
    queries: Option<PathBuf>,

    /// Say in which order schema and code may go out; --queries marks what only the new code sends with "-- new"
    #[arg(long, requires = "queries")]
    rolling: bool,

    /// Exit with 1 if anything went otherwise than predicted
    #[arg(long, requires = "prove")]
    strict_prove: bool,
}

impl Proof {
    /// Judges the job, on a server if that is asked for.
    /// With what is known of the database's plans, they are compared too.
    pub fn check(&self, job: &Job, sources: &Sources, plans: Option<PlanWatch>) -> anyhow::Result<Report> {
        if !self.prove {
            return Ok(check(job, sources));
        }
        let queries = match &self.queries {
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))?;
                read_queries(&text)
            }
            None => Vec::new(),
        };
        let options = Options {
            place: Place { bin: self.pg_bin.clone(), url: self.shadow_url.clone() },
            version: job.version,
            seed: self.seed.map(|rows| rows as usize),
            queries,
            rolling: self.rolling,
        };
        let mut prover = Prover::start(options)?;
        clean_up_when_told_to_end(prover.cleanup())?;
        let (mut report, notes) = match plans {
            Some(mut watch) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let report = check_observed(job, sources, Some(&mut watch.around(&runtime, &mut prover)));
                (report, watch.notes)
            }
            None => (check_observed(job, sources, Some(&mut prover)), Vec::new()),
        };
        let mut proof = prover.finish().context("the migrations could not be proved")?;
        proof.notes.extend(notes);
        report.proof = Some(proof);
        Ok(report)
    }

    /// Whether the plans of hot queries are compared, if a database says what they are.
    pub fn is_wanted(&self) -> bool {
        self.prove
    }

    /// What is known of the plans of a database.
    pub fn plans(&self, database: &Database, sources: &Sources) -> anyhow::Result<Option<PlanWatch>> {
        if !self.prove || database.planner.is_none() {
            return Ok(None);
        }
        let mut found = installed(self.pg_bin.as_deref())?;
        found.sort_by_key(|it| it.major().abs_diff(database.facts.server.major()));
        let Some(installation) = found.into_iter().next() else { return Ok(None) };
        Ok(PlanWatch::new(database, &sources.file(database.file).text, installation))
    }

    /// Whether the differences alone make the run fail.
    pub fn fails(&self, report: &Report) -> bool {
        self.strict_prove && report.proof.as_ref().is_some_and(|proof| !proof.differences.is_empty())
    }
}

/// Our own server goes with us, however we end. What was made on a server of others has to be dropped before.
fn clean_up_when_told_to_end(cleanup: Cleanup) -> anyhow::Result<()> {
    if !cleanup.is_needed() {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listening = {
        use tokio::signal::unix::{SignalKind, signal};
        let _guard = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    std::thread::spawn(move || {
        let (mut interrupt, mut terminate) = listening;
        runtime.block_on(async {
            let code = tokio::select! {
                _ = interrupt.recv() => 130,
                _ = terminate.recv() => 143,
            };
            cleanup.drop_all().await;
            std::process::exit(code);
        });
    });
    Ok(())
}
