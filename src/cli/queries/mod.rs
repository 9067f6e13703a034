//! `pgassay queries`: which queries take the time, what their plans do, and which indexes would pay.

mod audited;
mod left_out;
mod period;
mod placeholders;
mod planners;
mod report;
mod restored;
pub mod short;
mod sources;
mod text;
mod verified;
mod words;
mod workload;

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use pgassay::advisor::{self, Limits, Observation, Outcome as Advised, Tables};
use pgassay::db::Reading;
use pgassay::facts::{Facts, Topic, Values};
use pgassay::plan::Plan;
use pgassay::report::visible::{Kind, Visible};

use super::database::{self, DatabaseArguments};
use super::{Outcome, output};
use left_out::Utility;
pub use planners::{Choice, Chosen, build as build_twin};
use report::Report;
use sources::Read;
use workload::{Rank, Statement};

/// Find the queries that take the time, read their plans, and prove which indexes would help
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is installed on the database and nothing is written there: SELECTs on catalogs and statistics, and EXPLAIN with hypothetical \
    indexes where the database has the extension hypopg. A twin is a throwaway server on this machine with the schema, statistics and sizes of the \
    database, and no rows. Exit codes: 0 reported; 2 not, also if no query could be planned."
)]
pub struct Arguments {
    #[command(flatten)]
    database: DatabaseArguments,

    /// Read the queries from a file or folder instead of pg_stat_statements: a log of the server (stderr, csv, json), of Rails or Prisma, an export of
    /// statistics (CSV, JSON), a .sqlx folder, a folder of .sql files; or statements, each after a comment such as `-- calls: 100, mean: 2.5 ms`;
    /// parameters as `$1`, `:name`, `%s`, `?`, `@name` or `$name`
    #[arg(long, value_name = "PATH")]
    queries: Option<PathBuf>,

    /// The time in which the calls of --queries were made: `7d`, `24h`, `90min`. A log tells it by its own times. Without it, savings are over all
    /// calls, and writes are counted as in a day
    #[arg(long, value_name = "TIME", requires = "queries", value_parser = period::days)]
    period: Option<f64>,

    /// What makes a query hot
    #[arg(long, value_enum, default_value_t = Rank::Total)]
    rank: Rank,

    /// Look at up to this many queries
    #[arg(long, value_name = "NUMBER", default_value = "100")]
    limit: std::num::NonZeroUsize,

    /// Leave out statements that were called less often
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    min_calls: u64,

    /// All new indexes together may take up to this many megabytes
    #[arg(long, value_name = "MB")]
    size_budget: Option<u64>,

    /// Who judges the indexes
    #[arg(long, value_enum, default_value_t = Choice::Auto)]
    planner: Choice,

    /// Plan queries on the database even if they call functions of its own, which planning may run with your role's rights; without this, they
    /// are planned in a twin or left out
    #[arg(long, requires = "db")]
    run_functions: bool,

    /// Make the advised indexes on this copy of the database, run the queries there with and without them, and drop them again. Values come from
    /// the copy's rows. A file or folder of pg_dump is restored on a throwaway server for that
    #[arg(long, value_name = "URL|DUMP")]
    verify: Option<String>,

    /// With --verify: run statements that write too, in transactions that are rolled back
    #[arg(long, requires = "verify")]
    verify_writes: bool,

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

/// Notes of a file of queries that are shown.
const NOTES: usize = 5;

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
    database::tell(&without_workload(&reading.facts, arguments.queries.is_some()));
    let Read { mut statements, days, utility, .. } = statements(&arguments, &reading)?;
    let whole: f64 =
        statements.iter().filter_map(|it| it.query.mean_milliseconds.map(|mean| mean * it.query.calls)).sum();
    workload::rank(&mut statements, arguments.rank);
    statements.truncate(arguments.limit.get());
    let report = advise(&arguments, &reading, statements, days)?;
    let mut report = Report { whole, utility, seconds: started.elapsed().as_secs_f64(), ..report };
    if let Some(copy) = &arguments.verify {
        restored::refuse_missing(copy)?;
        let runtime = super::runtime()?;
        let restored = match restored::is_dump(copy) {
            true => Some(restore(&runtime, &arguments, &reading, copy)?),
            false => None,
        };
        let url = restored.as_ref().map(restored::Restored::url);
        let wanted = verified::Wanted {
            copy: url.as_deref().unwrap_or(copy),
            original: arguments.database.url(),
            limit: arguments.database.limits().statement,
            writes: arguments.verify_writes,
        };
        report.verified = Some(verified::measure(&runtime, &wanted, &report)?);
    }
    write(&arguments, &report)?;
    if report.planned() > 0 {
        return Ok(Outcome::Clean);
    }
    eprintln!("error: none of the {} could be planned: {}", words::queries(report.statements.len()), remedy(&report));
    Ok(Outcome::Failed)
}

fn restore(
    runtime: &tokio::runtime::Runtime,
    arguments: &Arguments,
    reading: &Reading,
    dump: &str,
) -> anyhow::Result<restored::Restored> {
    let installation = planners::installation(arguments.pg_bin.as_deref(), reading.facts.server.major())?;
    restored::Restored::from_dump(runtime, &installation, std::path::Path::new(dump), reading)
}

/// What the first refusal asks for.
fn remedy(report: &Report) -> String {
    let refusal = report.advised.iter().find_map(|it| it.plan.as_ref().err()).cloned().unwrap_or_default();
    let hint = match refusal.as_str() {
        it if it.contains("does not exist") && it.contains("relation") => {
            "name the schema of tables, or set search_path for the role or the database"
        }
        it if it.contains("syntax error") => "write $1 in the place of a parameter",
        it if it.contains("permission") => "grant the role what it lacks, or use --planner twin",
        _ => "see above",
    };
    format!("{refusal}; {hint}")
}

/// Facts of which nothing is missing that is not asked for: with a file, the statistics of statements.
fn without_workload(facts: &Facts, file: bool) -> Facts {
    let mut facts = facts.clone();
    facts.unread.retain(|it| !file || it.topic != Topic::Workload);
    facts
}

/// The statements, the days in which they were called, if that is known, and what is left out.
fn statements(arguments: &Arguments, reading: &Reading) -> anyhow::Result<Read> {
    let mut read = match &arguments.queries {
        Some(path) => {
            let read = sources::read(path)?;
            let shown = read.notes.iter().take(NOTES);
            shown.for_each(|note| eprintln!("note: {}: {note}", path.display()));
            if read.notes.len() > NOTES {
                eprintln!("note: {}: and {} more", path.display(), read.notes.len() - NOTES);
            }
            Read { days: arguments.period.or(read.days), ..read }
        }
        None => Read {
            statements: workload::from_statistics(&reading.workload),
            days: reading.workload.seconds().map(|seconds| seconds / 86_400.0),
            utility: Utility::of(&reading.workload),
            ..Read::default()
        },
    };
    let found = read.statements.len();
    read.statements.retain(|it| it.query.calls >= arguments.min_calls as f64);
    if !read.statements.is_empty() {
        return Ok(read);
    }
    if found > 0 {
        anyhow::bail!(
            "none of the {} was called {} times or more (--min-calls)",
            words::queries(found),
            arguments.min_calls
        );
    }
    if let Some(path) = &arguments.queries {
        anyhow::bail!(
            "no query was found in {}, read as {}. What is understood: SQL with a semicolon after each statement, logs of the server (stderr, csv, json), \
             of Rails and Prisma, CSV with commas or JSON with a column query, .sqlx folders, folders of .sql files",
            path.display(),
            read.kind
        );
    }
    let reason = reading.facts.unread.iter().find(|it| it.topic == Topic::Workload);
    let reason = reason.map_or("no statement that can be planned was found".to_owned(), |it| it.reason.clone());
    anyhow::bail!("there are no queries to look at: {reason}. Give them in a file with --queries")
}

fn advise(
    arguments: &Arguments,
    reading: &Reading,
    statements: Vec<Statement>,
    days: Option<f64>,
) -> anyhow::Result<Report> {
    let runtime = super::runtime()?;
    let prepared = statements.iter().map(|it| it.prepared(&reading.facts)).collect();
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
    let limits = Limits::within(arguments.size_budget.map(|megabytes| megabytes * 1_000_000));
    let (advice, unused, advised) = advisor::advise(&queries, &tables, chosen.planner(), &limits, days);
    let (mut observations, mut planned_as) = (Vec::new(), Vec::new());
    for (query, (statement, advised)) in statements.iter().zip(&advised).enumerate() {
        let Ok(plan) = &advised.plan else {
            observations.push(Vec::new());
            planned_as.push(None);
            continue;
        };
        let helped = matches!(advised.outcome, Advised::Helped(_));
        let role = chosen.planner().planned_as(query).map(str::to_owned);
        let mut found = advisor::observe(plan, &tables, statement.counted(), helped);
        found.retain(|it| role.is_none() || !matches!(it, Observation::RowSecurity { .. }));
        planned_as.push(role);
        found.extend(slower_than_cost(statement, advised.slower, plan, &tables));
        found.extend(advisor::rewrites(
            &statement.query.text,
            plan,
            &tables,
            statement.query.mean_milliseconds,
            helped,
        ));
        found.extend(advisor::skew(query, plan, &tables, chosen.planner()));
        observations.push(found);
    }
    Ok(Report {
        database: reading.facts.database.name.clone(),
        planner: chosen.name(),
        audited: audited::findings(reading, &statements),
        observations,
        planned_as,
        statements,
        advice,
        unused,
        advised,
        explained: chosen.explained(),
        days,
        gaps: chosen.gaps(),
        ..Report::default()
    })
}

fn slower_than_cost(statement: &Statement, slower: Option<f64>, plan: &Plan, tables: &Tables) -> Option<Observation> {
    let (times, milliseconds) = slower.zip(statement.query.mean_milliseconds)?;
    Some(Observation::SlowerThanCost { milliseconds, times, causes: advisor::causes(plan, tables) })
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
