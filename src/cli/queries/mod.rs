//! `pgassay queries`: which queries take the time, what their plans do, and which indexes would pay.

mod audited;
mod planners;
mod report;
mod text;
mod words;
mod workload;

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::{Args, ValueEnum};
use pgassay::advisor::{self, Limits, Outcome as Advised};
use pgassay::db::Reading;
use pgassay::facts::Values;
use pgassay::report::visible::{Kind, Visible};

use super::database::{self, DatabaseArguments};
use super::{Outcome, output};
pub use planners::build as build_twin;
use planners::{Choice, Chosen};
use report::Report;
use workload::{Rank, Statement};

/// Find the queries that take the time, read their plans, and prove which indexes would help
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is installed on the database and nothing is written there: SELECTs on catalogs and statistics, and EXPLAIN with hypothetical \
    indexes where the database has the extension hypopg. A twin is a throwaway server on this machine with the schema, statistics and sizes of the \
    database, and no rows. Exit codes: 0 reported; 2 not."
)]
pub struct Arguments {
    #[command(flatten)]
    database: DatabaseArguments,

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

    /// Who judges the indexes
    #[arg(long, value_enum, default_value_t = Choice::Auto)]
    planner: Choice,

    /// Plan queries on the database even if they call functions of its own, which planning may run with your role's rights; without this, they
    /// are planned in a twin or left out
    #[arg(long, requires = "db")]
    run_functions: bool,

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
    let Some(reading) = arguments.database.read_for_plans(Values::All)? else {
        anyhow::bail!("name a database with --db, or a snapshot of one with --snapshot");
    };
    database::tell(&reading.facts);
    let mut statements = statements(&arguments, &reading)?;
    let whole: f64 =
        statements.iter().filter_map(|it| it.query.mean_milliseconds.map(|mean| mean * it.query.calls)).sum();
    workload::rank(&mut statements, arguments.rank);
    statements.truncate(arguments.limit);
    let report = advise(&arguments, &reading, statements)?;
    let report = Report { whole, seconds: started.elapsed().as_secs_f64(), ..report };
    write(&arguments, &report)?;
    Ok(Outcome::Clean)
}

fn statements(arguments: &Arguments, reading: &Reading) -> anyhow::Result<Vec<Statement>> {
    let statements = match &arguments.queries {
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
    Ok(statements)
}

fn advise(arguments: &Arguments, reading: &Reading, statements: Vec<Statement>) -> anyhow::Result<Report> {
    let runtime = super::runtime()?;
    let prepared = statements.iter().map(Statement::prepared).collect();
    let pg_bin = arguments.pg_bin.as_deref();
    let (mut chosen, tables) = Chosen::open(
        &runtime,
        arguments.planner,
        &arguments.database,
        pg_bin,
        reading,
        prepared,
        arguments.run_functions,
    )?;
    let queries: Vec<advisor::Query> = statements.iter().map(|it| it.query.clone()).collect();
    let limits =
        Limits { size_budget: arguments.size_budget.map(|megabytes| megabytes * 1_000_000), ..Limits::default() };
    // The calls of a file are those of a day.
    let counted = arguments.queries.is_none().then(|| reading.workload.seconds()).flatten();
    let days = counted.map(|seconds| seconds / 86_400.0);
    let (advice, unused, advised) = advisor::advise(&queries, &tables, chosen.planner(), &limits, days);
    let mut observations = Vec::new();
    for (query, (statement, advised)) in statements.iter().zip(&advised).enumerate() {
        let Ok(plan) = &advised.plan else {
            observations.push(Vec::new());
            continue;
        };
        let helped = matches!(advised.outcome, Advised::Helped(_));
        let mut found = advisor::observe(plan, &tables, statement.counted(), helped);
        found.extend(advisor::skew(query, plan, &tables, chosen.planner()));
        observations.push(found);
    }
    Ok(Report {
        database: reading.facts.database.name.clone(),
        planner: chosen.name(),
        audited: audited::findings(reading, &statements),
        observations,
        statements,
        advice,
        unused,
        advised,
        explained: chosen.explained(),
        gaps: chosen.gaps(),
        ..Report::default()
    })
}

fn write(arguments: &Arguments, report: &Report) -> anyhow::Result<()> {
    let kind = if arguments.format == Format::Json { Kind::Json } else { Kind::Text { colours: true } };
    let mut out = Visible::new(output::stdout(arguments.format == Format::Text), kind);
    match arguments.format {
        Format::Text => text::write(report, output::width().into(), arguments.verbose, &mut out)?,
        Format::Json => report.json(&mut out)?,
        Format::Markdown => report.markdown(arguments.verbose, &mut out)?,
    }
    out.flush()?;
    Ok(())
}
