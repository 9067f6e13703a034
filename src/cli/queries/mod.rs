//! `pgassay queries`: which queries take the time, what their plans do, and which indexes would pay.

mod report;
mod workload;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::{Args, ValueEnum};
use pgassay::advisor::{self, Limits as Choice};
use pgassay::db::{self, Limits, Parameters, Reading, Session, Wanted};
use pgassay::facts::Values;
use pgassay::shadow::{Installation, installed};
use pgassay::twin::{self, Twin};
use pgassay::whatif::{TwinPlanner, read_tables};
use tokio::runtime::Runtime;

use super::{Outcome, output};
use report::Report;
use workload::{Rank, Statement};

/// Find the queries that take the time, read their plans, and prove which indexes would help
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is installed on the database and nothing is run there but SELECTs on catalogs and statistics. Plans are made in a twin: a \
    throwaway server on this machine with the schema, statistics and sizes of the database, and no rows. Exit codes: 0 reported; 2 not."
)]
pub struct Arguments {
    /// The database: a URL, "host=… dbname=…", a database's name, or env:NAME for the value of an environment variable
    #[arg(long, value_name = "URL")]
    db: String,

    /// Read the queries from a file instead of pg_stat_statements: statements, each behind a comment such as `-- calls: 100, mean: 2.5 ms`
    #[arg(long, value_name = "FILE")]
    queries: Option<PathBuf>,

    /// What makes a query hot
    #[arg(long, value_enum, default_value_t = Rank::Total)]
    rank: Rank,

    /// Look at so many queries
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,

    /// Leave out statements that were called less often
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    min_calls: u64,

    /// All new indexes together may take so many megabytes
    #[arg(long, value_name = "MB")]
    size_budget: Option<u64>,

    /// The folder of initdb and postgres, for the twin
    #[arg(long, value_name = "FOLDER")]
    pg_bin: Option<PathBuf>,

    /// How to show it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Every query, also those that no index helps
    #[arg(long, short)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// All there is, with stable field names
    Json,
    /// For a comment or a page
    Markdown,
}

pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let parameters = Parameters::read(&arguments.db)?;
    let (reading, statistics) = runtime.block_on(read(&parameters))?;
    let mut statements = match &arguments.queries {
        Some(file) => {
            let text =
                std::fs::read_to_string(file).with_context(|| format!("{} could not be read", file.display()))?;
            workload::from_file(&text)
        }
        None => workload::from_statistics(&reading.workload, arguments.min_calls),
    };
    if statements.is_empty() {
        let reason = reading.facts.unread.iter().find(|it| it.topic == pgassay::facts::Topic::Workload);
        let reason = reason.map_or("no statement that can be planned was found".to_owned(), |it| it.reason.clone());
        anyhow::bail!("there are no queries to look at: {reason}. Give them in a file with --queries");
    }
    let whole: f64 =
        statements.iter().filter_map(|it| it.query.mean_milliseconds.map(|mean| mean * it.query.calls)).sum();
    workload::rank(&mut statements, arguments.rank);
    statements.truncate(arguments.limit);
    let installation = installation(&arguments, reading.facts.server.major())?;
    let twin = runtime.block_on(Twin::build(&installation, &reading.ddl, statistics))?;
    let gaps = twin.gaps.clone();
    let report = advise(&runtime, &arguments, &reading, statements, twin)?;
    let report = Report { gaps, whole, seconds: started.elapsed().as_secs_f64(), ..report };
    write(&arguments, &report)?;
    Ok(Outcome::Clean)
}

async fn read(parameters: &Parameters) -> anyhow::Result<(Reading, twin::Statistics)> {
    let session = Session::open(parameters, &Limits::default()).await?;
    let reading = db::read_in(&session, Wanted { values: Values::None, ..Wanted::default() }).await?;
    let statistics = twin::capture(&session).await?;
    session.close().await;
    Ok((reading, statistics))
}

/// The server of the database's version, or the nearest.
fn installation(arguments: &Arguments, major: u16) -> anyhow::Result<Installation> {
    let mut found = installed(arguments.pg_bin.as_deref())?;
    found.sort_by_key(|it| it.major().abs_diff(major));
    found.into_iter().next().context("no server is installed here")
}

fn advise(
    runtime: &Runtime,
    arguments: &Arguments,
    reading: &Reading,
    statements: Vec<Statement>,
    twin: Twin,
) -> anyhow::Result<Report> {
    let prepared = statements.iter().map(Statement::prepared).collect();
    let mut planner = TwinPlanner::new(runtime, twin, prepared)?;
    let tables = runtime.block_on(read_tables(&**planner.session(), Some(&reading.facts)))?;
    let queries: Vec<advisor::Query> = statements.iter().map(|it| it.query.clone()).collect();
    let limits =
        Choice { size_budget: arguments.size_budget.map(|megabytes| megabytes * 1_000_000), ..Choice::default() };
    let days = reading.workload.seconds().map(|seconds| seconds / 86_400.0);
    let (advice, unused, advised) = advisor::advise(&queries, &tables, &mut planner, &limits, days);
    Ok(Report {
        database: reading.facts.database.name.clone(),
        statements,
        advice,
        unused,
        advised,
        explained: planner.explained,
        ..Report::default()
    })
}

fn write(arguments: &Arguments, report: &Report) -> anyhow::Result<()> {
    let mut out: Box<dyn Write> = match arguments.format {
        Format::Text => Box::new(BufWriter::new(anstream::stdout())),
        Format::Json | Format::Markdown => Box::new(BufWriter::new(io::stdout())),
    };
    match arguments.format {
        Format::Text => report.text(output::width().into(), arguments.verbose, &mut out)?,
        Format::Json => report.json(&mut out)?,
        Format::Markdown => report.markdown(arguments.verbose, &mut out)?,
    }
    out.flush()?;
    Ok(())
}
