//! The options of `check` that run the migrations on a shadow server.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use pgassay::check::{Job, check, check_observed};
use pgassay::db::Database;
use pgassay::facts::Workload;
use pgassay::prove::{Cleanup, Options, Place, PlanWatch, Prover, Query, counted_queries, read_queries};
use pgassay::report::Report;
use pgassay::shadow::installed;
use pgassay::source::{FileId, Sources};

#[derive(Debug, Args)]
#[command(next_help_heading = "Proof on a shadow server")]
pub struct Proof {
    /// Run the migrations on a throwaway PostgreSQL server and report what was seen
    #[arg(long, conflicts_with = "down")]
    prove: bool,

    /// The folder of the server's initdb and postgres [default: found, the version nearest to --pg-version]
    #[arg(long, value_name = "DIR")]
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

    /// Let the role of --shadow-url be a superuser: whoever writes the migrations can then do anything on that server
    #[arg(long, requires = "shadow_url")]
    allow_superuser_shadow: bool,

    /// Make up this many rows in each table that a migration touches
    #[arg(long, value_name = "N", requires = "prove", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    seed: Option<u32>,

    /// The application's queries, tried before and after each migration [default: those that pg_stat_statements counted, of --db or --snapshot]
    #[arg(long, value_name = "FILE", requires = "prove")]
    queries: Option<PathBuf>,

    /// Say in which order schema and code may go out; --queries marks what only the new code sends with "-- new"
    #[arg(long, requires = "prove")]
    rolling: bool,

    /// Exit with 1 if anything went otherwise than predicted
    #[arg(long, requires = "prove")]
    strict_prove: bool,
}

/// Of counted queries, no more are tried than these, the most called.
const MOST_QUERIES: usize = 1000;

/// What a proof needs of the database that the migrations will run on.
pub struct Target {
    /// Its DDL.
    file: FileId,
    workload: Workload,
    /// What is known of its plans.
    plans: Option<PlanWatch>,
}

impl Proof {
    /// As if it had been asked for.
    pub fn prove_too(&mut self) {
        self.prove = true;
    }

    /// The folder of the server's programs, where one is named.
    pub fn bin(&self) -> Option<&std::path::Path> {
        self.pg_bin.as_deref()
    }

    pub fn is_wanted(&self) -> bool {
        self.prove
    }

    /// What the proof takes from a database; nothing where no proof is asked for.
    pub fn target(&self, database: &Database, sources: &Sources) -> anyhow::Result<Option<Target>> {
        if !self.prove {
            return Ok(None);
        }
        let plans = self.plans(database, sources)?;
        Ok(Some(Target { file: database.file, workload: database.workload.clone(), plans }))
    }

    /// The application's queries: those of the file, else those that the database counted.
    fn queries(&self, target: Option<&Target>) -> anyhow::Result<Vec<Query>> {
        let queries = match (&self.queries, target) {
            (Some(path), _) => {
                let text =
                    std::fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))?;
                read_queries(&text)
            }
            (None, Some(target)) => counted_queries(&target.workload, MOST_QUERIES),
            (None, None) => Vec::new(),
        };
        if self.rolling && self.queries.is_none() && queries.is_empty() {
            anyhow::bail!("--rolling needs queries: give --queries, or a database with pg_stat_statements");
        }
        Ok(queries)
    }

    /// Judges the job, on a server if that is asked for.
    pub fn check(&self, job: &Job, target: Option<Target>, sources: &Sources) -> anyhow::Result<Report> {
        if !self.prove {
            return Ok(check(job, sources));
        }
        let options = Options {
            place: Place {
                bin: self.pg_bin.clone(),
                url: self.shadow_url.clone(),
                superuser: self.allow_superuser_shadow,
                guard: std::env::current_exe().ok(),
            },
            version: job.version,
            seed: self.seed.map(|rows| rows as usize),
            schema: target.as_ref().map(|target| target.file),
            queries: self.queries(target.as_ref())?,
            rolling: self.rolling,
            describe: false,
        };
        let mut prover = Prover::start(options)?;
        clean_up_when_told_to_end(prover.cleanup())?;
        let (mut report, notes) = match target.and_then(|target| target.plans) {
            Some(mut watch) => {
                let runtime = super::runtime()?;
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

    /// What is known of the plans of a database.
    fn plans(&self, database: &Database, sources: &Sources) -> anyhow::Result<Option<PlanWatch>> {
        if database.planner.is_none() {
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

/// Ends with the exit code that the shell expects of whoever is told to end.
#[cfg(unix)]
fn told_to_end() -> anyhow::Result<impl Future<Output = i32> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
        }
    })
}

#[cfg(not(unix))]
fn told_to_end() -> anyhow::Result<impl Future<Output = i32> + Send> {
    Ok(async {
        // Without Ctrl-C nobody tells.
        match tokio::signal::ctrl_c().await {
            Ok(()) => 130,
            Err(_) => std::future::pending().await,
        }
    })
}

/// Our own server goes with us, however we end. What was made on a server of others has to be dropped before.
fn clean_up_when_told_to_end(cleanup: Cleanup) -> anyhow::Result<()> {
    if !cleanup.is_needed() {
        return Ok(());
    }
    let runtime = super::runtime()?;
    let told_to_end = {
        let _guard = runtime.enter();
        told_to_end()?
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            let code = told_to_end.await;
            cleanup.stop_others();
            if let Err(left) = cleanup.drop_all().await {
                say!("error: left behind on the server of --shadow-url: {left}");
            }
            std::process::exit(code);
        });
    });
    Ok(())
}
