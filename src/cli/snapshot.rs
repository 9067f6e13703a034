//! `pgassay snapshot`: a database in a file.

use std::path::PathBuf;

use clap::Args;
use pgassay::db::{Database, Wanted, snapshot};
use pgassay::facts::Values;
use pgassay::source::Sources;

use super::Outcome;
use super::database::{self, DatabaseArguments, LimitArguments};
use super::in_force::ConfigFile;

/// Write a database's schema, statistics and workload to a file, for runs without a login
#[derive(Debug, Args)]
#[command(
    after_help = "The file has no rows. It has the texts of queries as pg_stat_statements keeps them, with constants taken out. Exit codes: 0 written; 2 not."
)]
pub struct Arguments {
    /// Connect to this database, read-only: a URL, "host=… dbname=…", a database's name, or env:NAME for the value of an environment variable
    #[arg(long, value_name = "URL")]
    db: String,

    /// The file to write; one that is there is replaced
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,

    /// Write column values from statistics too, but for columns that may hold personal data
    #[arg(long)]
    with_values: bool,

    /// Write what a bounded sample of rows says too, as audit --sample takes it: keys and types of JSON documents, which columns are NULL together, whether what looks like a reference is one
    #[arg(long)]
    sample: bool,

    #[command(flatten)]
    limits: LimitArguments,

    #[command(flatten)]
    file: ConfigFile,
}

pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let settings = arguments.file.load()?.map(|loaded| loaded.config.settings).unwrap_or_default();
    let values = if arguments.with_values { Values::All } else { Values::None };
    let wanted = Wanted { values, limits: arguments.limits.limits(), planner: true };
    let mut reading = database::read(&arguments.db, wanted)?;
    if arguments.sample {
        let database = Database::new(reading.clone(), &mut Sources::default());
        let named = DatabaseArguments::new(Some(arguments.db.clone()), None, arguments.limits);
        reading.samples = Some(named.sample(&database, &settings)?);
    }
    database::tell(&reading.facts);
    for what in reading.planner.iter().flat_map(|planner| &planner.unread) {
        say!("note: {}: not read for plans: {what}", reading.facts.database.name);
    }
    let (relations, indexes) = (reading.facts.relations.len(), reading.facts.indexes.len());
    let statements = reading.workload.statements.len();
    snapshot::write(&arguments.output, reading, arguments.with_values, &settings.areas)?;
    say!(
        "note: {}: holds {} relations, {} indexes, {} statements{}{}",
        arguments.output.display(),
        relations,
        indexes,
        statements,
        if arguments.with_values { ", with column values" } else { ", without column values" },
        if arguments.sample { ", with a sample's counts" } else { "" },
    );
    Ok(Outcome::Clean)
}
