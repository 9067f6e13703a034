//! `pgassay plan`: read one plan in the terminal, with what is wrong with it.

mod source;
mod trial;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use pgassay::db::{self, ExplainMode, Parameters};
use pgassay::plan::advice::Confidence;
use pgassay::plan::draw::{self, Assayed, Options};
use pgassay::plan::{self, Anonymizer, Log, Piece, Plan, Query};
use pgassay::report::visible::{Kind, Visible};
use tokio::runtime::Runtime;

use super::database::DatabaseArguments;
use super::{Outcome, output};

/// Read a plan in the terminal: where its time goes, what is wrong with it, what to do
#[derive(Debug, Args)]
#[command(
    after_help = "Reads EXPLAIN's text format, JSON, YAML and XML, with or without ANALYZE, also in psql's output and in logs of auto_explain.\n\
    Exit codes: 0 drawn; 1 with --fail-on or --fail-above; 2 the plan could not be read."
)]
pub struct Arguments {
    /// A plan or SQL in a file, SQL itself, or - for standard input, which is read without an argument
    #[arg(value_name = "SQL|FILE|-", conflicts_with = "compare")]
    plan: Option<String>,

    /// Plan the SQL there; of a snapshot in a twin, with its statistics
    #[command(flatten)]
    database: DatabaseArguments,

    /// Run the statement, in a transaction that is rolled back; refused if it writes
    #[arg(long, requires = "db")]
    analyze: bool,

    /// Run it even if it writes; what sequences and functions did outside of the transaction stays
    #[arg(long, requires = "db")]
    analyze_writes: bool,

    /// Plan it even if it calls functions of the database's own, which planning may run with your role's rights
    #[arg(long, requires = "db")]
    run_functions: bool,

    /// The folder of initdb and postgres, for the twin of a snapshot
    #[arg(long, value_name = "FOLDER")]
    pg_bin: Option<PathBuf>,

    /// What changed between two plans of the same query
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"], conflicts_with_all = ["db", "snapshot"])]
    compare: Option<Vec<PathBuf>>,

    /// Of a log: only the plans of queries that contain this text
    #[arg(long, value_name = "TEXT")]
    query: Option<String>,

    /// Of a log: draw this many of the slowest plans (3 where a log has many)
    #[arg(long, value_name = "N")]
    slowest: Option<usize>,

    /// Below each plan, sums by table, index and type of node
    #[arg(long)]
    summary: bool,

    /// Replace names and constants, to show the plan to others
    #[arg(long)]
    anonymize: bool,

    /// Exit with 1 if a plan has advice of at least this confidence
    #[arg(long, value_enum, value_name = "CONFIDENCE", conflicts_with = "compare")]
    fail_on: Option<FailOn>,

    /// With --compare: exit with 1 if the second plan takes more than this much longer
    #[arg(long, value_name = "PERCENT", requires = "compare", value_parser = percentage)]
    fail_above: Option<f64>,

    /// How to show it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// What the bars measure
    #[arg(long, value_enum, value_name = "MEASURE", default_value_t = BarsBy::Time)]
    bars: BarsBy,

    /// Columns of the drawing, instead of the terminal's
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(40..))]
    width: Option<u16>,

    /// Whole conditions, output columns, blocks and costs of each node
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
    /// One file for a browser, to send
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Low,
    Medium,
    High,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BarsBy {
    /// Own time, or own cost
    Time,
    /// Rows that came or are expected
    Rows,
    /// Blocks that the node itself asked for
    Buffers,
    /// The wait for blocks, or the blocks that were not cached
    Io,
    /// How far the estimate of rows is off
    Error,
}

impl From<BarsBy> for draw::Bars {
    fn from(by: BarsBy) -> draw::Bars {
        match by {
            BarsBy::Time => draw::Bars::Time,
            BarsBy::Rows => draw::Bars::Rows,
            BarsBy::Buffers => draw::Bars::Buffers,
            BarsBy::Io => draw::Bars::Io,
            BarsBy::Error => draw::Bars::Error,
        }
    }
}

/// `20` or `20%`.
fn percentage(text: &str) -> Result<f64, String> {
    let number: f64 =
        text.trim_end_matches('%').trim().parse().map_err(|_| "a percentage such as 20% was expected".to_owned())?;
    if number.is_finite() && number >= 0.0 {
        Ok(number / 100.0)
    } else {
        Err("a percentage of at least 0 was expected".to_owned())
    }
}

/// A log with more plans than this is summed up.
const MANY_PLANS: usize = 10;

/// Of such a log, so many plans are drawn.
const SLOWEST: usize = 3;

pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    // clap leaves `requires` out where what is required conflicts with what is given.
    if arguments.fail_above.is_some() && arguments.compare.is_none() {
        anyhow::bail!("--fail-above compares two plans: give them with --compare BEFORE AFTER");
    }
    match &arguments.compare {
        Some(files) => compare(&arguments, files),
        None => show(&arguments),
    }
}

fn show(arguments: &Arguments) -> anyhow::Result<Outcome> {
    if !arguments.database.is_given() {
        return show_text(arguments, source::Source::open(arguments.plan.as_deref())?);
    }
    let (name, text) = source::Source::open(arguments.plan.as_deref())?.text()?;
    if plan::is_plan(&text) {
        anyhow::bail!("{name} is a plan already: a database or a snapshot is for SQL");
    }
    let runtime = super::runtime()?;
    let plans = match arguments.database.url() {
        Some(url) => trial::on_database(arguments, &runtime, ask(arguments, &runtime, url, &text)?)?,
        None => trial::in_twin(arguments, &runtime, &text)?,
    };
    draw_assayed(arguments, &plans)
}

fn draw(arguments: &Arguments, mut plans: Vec<Plan>) -> anyhow::Result<Outcome> {
    if arguments.anonymize {
        let mut anonymizer = Anonymizer::default();
        plans.iter_mut().for_each(|plan| anonymizer.plan(plan));
    }
    let plans: Vec<Assayed> = plans.into_iter().map(Assayed::new).collect();
    draw_assayed(arguments, &plans)
}

fn draw_assayed(arguments: &Arguments, plans: &[Assayed]) -> anyhow::Result<Outcome> {
    write(arguments, |out| match arguments.format {
        Format::Text => {
            draw::text(plans, arguments.options(), out)?;
            let mut summed = plans.iter().filter(|_| arguments.summary);
            summed.try_for_each(|plan| draw::sums(plan, arguments.options(), out))
        }
        Format::Json => draw::json(plans, out),
        Format::Markdown => draw::markdown(plans, arguments.verbose, out),
        Format::Html => draw::html(plans, out),
    })?;
    let fails = arguments
        .fail_on
        .is_some_and(|least| plans.iter().flat_map(|plan| &plan.tips).any(|tip| tip.confidence >= least.confidence()));
    Ok(if fails { Outcome::Findings } else { Outcome::Clean })
}

/// Draws the plans of a text; of many, a summary and the slowest. A log is read as it comes.
fn show_text(arguments: &Arguments, mut source: source::Source) -> anyhow::Result<Outcome> {
    // What a program reads is whole.
    let many = if arguments.format == Format::Json && arguments.slowest.is_none() { usize::MAX } else { MANY_PLANS };
    let mut log =
        Log::keeping(if arguments.slowest.is_some() { 0 } else { many }, arguments.slowest.unwrap_or(SLOWEST));
    let mut problems = Problems::default();
    let mut others = 0;
    let mut last = Piece::default();
    source.each_piece(|piece| {
        plan::each_of(&piece, |plan| match plan {
            Ok(plan) => match &arguments.query {
                Some(wanted) if !is_of(&plan, wanted) => others += 1,
                _ => log.add(plan),
            },
            Err(problem) => problems.add(problem),
        });
        last = piece;
    })?;
    let name = source.name;
    if log.count == 0 {
        return match (&arguments.query, others, problems.first.first()) {
            (Some(wanted), 1.., _) => {
                anyhow::bail!("none of the {others} plans of {name} is of a query with {wanted:?}")
            }
            _ if last.whole => read_plans(&name, &last.text).and_then(|plans| draw(arguments, plans)),
            (_, _, Some(problem)) => Err(anyhow::Error::new(problem.clone()).context(name)),
            _ => anyhow::bail!("{name}: no plan was found: none of EXPLAIN's formats"),
        };
    }
    problems.tell(&name);
    if let Some(plans) = log.all().filter(|_| arguments.slowest.is_none()) {
        return draw(arguments, plans);
    }
    if arguments.format == Format::Text && !arguments.anonymize {
        write(arguments, |out| draw::log(&log, arguments.options(), out))?;
    }
    draw(arguments, log.into_slowest().into_iter().map(|(_, plan)| plan).collect())
}

/// Whether a plan's query has a text in it, blanks and capitals aside.
fn is_of(plan: &Plan, wanted: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plan.query.as_deref().is_some_and(|query| plain(query).contains(&plain(wanted)))
}

/// What could not be read: the first ones, and how many there are.
#[derive(Default)]
struct Problems {
    first: Vec<plan::ReadError>,
    count: usize,
}

impl Problems {
    const MOST: usize = 10;

    fn add(&mut self, problem: plan::ReadError) {
        self.count += 1;
        if self.first.len() < Self::MOST {
            self.first.push(problem);
        }
    }

    fn tell(&self, name: &str) {
        for problem in &self.first {
            say!("note: left out: {name}: {problem}");
        }
        if self.count > Self::MOST {
            say!("note: and {} more that could not be read", self.count - Self::MOST);
        }
    }
}

impl FailOn {
    fn confidence(self) -> Confidence {
        match self {
            FailOn::Low => Confidence::Low,
            FailOn::Medium => Confidence::Medium,
            FailOn::High => Confidence::High,
        }
    }
}

fn compare(arguments: &Arguments, files: &[PathBuf]) -> anyhow::Result<Outcome> {
    let mut plans = Vec::new();
    let mut anonymizer = Anonymizer::default();
    for file in files {
        let read = if file.as_os_str() == "-" {
            let (name, text) = source::Source::open(Some("-"))?.text()?;
            read_plans(&name, &text)?
        } else {
            read_file(file)?
        };
        let number = read.len();
        let one: [Plan; 1] = read.try_into().map_err(|_| {
            anyhow::anyhow!("{} holds {number} plans; to compare, give files with one plan each", file.display())
        })?;
        plans.extend(one.map(|mut plan| {
            if arguments.anonymize {
                anonymizer.plan(&mut plan);
            }
            Assayed::new(plan)
        }));
    }
    let [before, after] = &plans[..] else { anyhow::bail!("two plans are needed to compare") };
    if before.shares.timed != after.shares.timed {
        say!("note: only one of the plans has times: their costs are compared");
    }
    let comparison = plan::compare(before, after);
    write(arguments, |out| match arguments.format {
        Format::Text => draw::comparison_text(before, after, &comparison, arguments.options(), out),
        Format::Json => draw::comparison_json(before, after, &comparison, out),
        Format::Markdown => draw::comparison_markdown(&comparison, out),
        Format::Html => draw::comparison_html(before, after, &comparison, out),
    })?;
    let fails = arguments.fail_above.is_some_and(|most| comparison.after > comparison.before * (1.0 + most));
    Ok(if fails { Outcome::Findings } else { Outcome::Clean })
}

fn looks_like_sql(text: &str) -> bool {
    Query::read(text).is_ok_and(|query| query.writes.is_none_or(|why| !why.starts_with("could not be read")))
}

/// Has the server plan the SQL, and run it if that was asked for.
fn ask(arguments: &Arguments, runtime: &Runtime, url: &str, text: &str) -> anyhow::Result<Vec<Plan>> {
    let query = Query::read(text)?;
    let mode = match (arguments.analyze_writes, arguments.analyze) {
        (true, _) => ExplainMode::AnalyzeWrites,
        (false, true) => ExplainMode::Analyze,
        (false, false) => ExplainMode::Plan,
    };
    if let (ExplainMode::Analyze, Some(why)) = (mode, &query.writes) {
        anyhow::bail!(
            "the statement was not run, because it {why}; --analyze-writes runs it all the same, and rolls back"
        );
    }
    if mode != ExplainMode::Plan && query.parameters > 0 {
        anyhow::bail!("to be run, the statement needs values in the place of $1 and the like");
    }
    let limits = arguments.database.limits();
    let parameters = Parameters::read(url)?;
    let explain = db::explain(&parameters, &limits, &query, mode, arguments.run_functions);
    let explained = runtime.block_on(explain).map_err(|error| {
        // ambiguous_parameter, indeterminate_datatype, undefined_function, ambiguous_function
        let untyped = query.parameters > 0 && matches!(error.code(), Some("42P08" | "42P18" | "42883" | "42725"));
        let hint = "the type of a parameter may not be clear: write a cast, such as $1::int";
        // read_only_sql_transaction: nothing in the statement's own text writes.
        let writes = "a function that the statement calls writes, which the read-only transaction refused; --analyze-writes runs it all the same, and rolls back";
        match error.code() {
            _ if untyped => anyhow::Error::new(error).context(hint),
            Some("25006") => anyhow::Error::new(error).context(writes),
            _ => error.into(),
        }
    })?;
    if let Some(warning) = db::rights::warning(&parameters.user(), &explained.rights) {
        say!("warning: {}: {warning}", parameters.database());
    }
    if !explained.volatile_functions.is_empty() {
        let names = explained.volatile_functions.join(", ");
        say!(
            "note: the statement ran, and it may call volatile functions ({names}): what they did outside of the transaction was not rolled back"
        );
    }
    let mut plans = plan::read(&explained.text).context("the server's plan was not understood")?;
    plans.iter_mut().for_each(|plan| plan.query = Some(query.sql.clone()));
    Ok(plans)
}

impl Arguments {
    fn options(&self) -> Options {
        let columns = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns: &u16| *columns >= 40);
        let width = self.width.or_else(|| if io::stdout().is_terminal() { None } else { columns() });
        Options { width: width.unwrap_or_else(output::width).into(), verbose: self.verbose, bars: self.bars.into() }
    }
}

fn read_file(file: &Path) -> anyhow::Result<Vec<Plan>> {
    let bytes = std::fs::read(file).with_context(|| format!("{} could not be read", file.display()))?;
    read_plans(&file.display().to_string(), &plan::text_of(&bytes))
}

/// The plans of a text. What could not be read is named, and costs none of the others.
fn read_plans(name: &str, text: &str) -> anyhow::Result<Vec<Plan>> {
    let reading = plan::read_all(text);
    if reading.plans.is_empty() {
        return plan::read(text).map_err(|error| match looks_like_sql(text) {
            true => anyhow::anyhow!("{name} looks like SQL: --db or --snapshot says where to plan it"),
            false => anyhow::Error::new(error).context(name.to_owned()),
        });
    }
    let mut problems = Problems::default();
    reading.problems.into_iter().for_each(|problem| problems.add(problem));
    problems.tell(name);
    Ok(reading.plans)
}

fn write(arguments: &Arguments, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let kind = if arguments.format == Format::Json { Kind::Json } else { Kind::Text { colours: true } };
    let mut out = Visible::new(output::stdout(arguments.format == Format::Text), kind);
    write(&mut out)?;
    out.flush()?;
    Ok(())
}
