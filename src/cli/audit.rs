//! `pgassay audit`: judge a schema as it is.

use std::io::Read;

use anyhow::Context;
use clap::Args;
use pgassay::audit::{AuditJob, Filter, audit};
use pgassay::collect::{CollectOptions, collect};
use pgassay::facts::Values;
use pgassay::finding::Severity;
use pgassay::rules;
use pgassay::source::Sources;

use super::baseline::BaselineFiles;
use super::check::{outcome, read_base, tell_notes};
use super::database::DatabaseArguments;
use super::format::{FormatArguments, show};
use super::in_force::{InForce, Origin, Settable};
use super::{Outcome, output};

/// Judge a schema, of a live database, a snapshot, or migrations: nullability, JSON, keys, indexes, types, money, permissions
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing at or above --fail-on; 1 findings; 2 the run itself failed (bad arguments, unreadable files)."
)]
pub struct Arguments {
    #[command(flatten)]
    settable: Settable,

    #[command(flatten)]
    database: DatabaseArguments,

    /// Read a bounded sample of rows too: keys and types of JSON documents, which columns are NULL together, whether what looks like a reference is one; no values but those of status columns (with --db)
    #[arg(long, requires = "db")]
    sample: bool,

    #[command(flatten)]
    wanted: Wanted,

    #[command(flatten)]
    baseline: BaselineFiles,

    #[command(flatten)]
    format: FormatArguments,
}

/// Which findings to show.
#[derive(Debug, Args)]
struct Wanted {
    /// Only findings on objects of this schema (repeatable)
    #[arg(long, value_name = "NAME")]
    schema: Vec<String>,

    /// Only findings on this table (repeatable)
    #[arg(long, value_name = "NAME")]
    table: Vec<String>,

    /// Only findings of this rule (repeatable)
    #[arg(long, value_name = "NAME", value_parser = rule)]
    rule: Vec<String>,

    /// Leave out findings that weigh less
    #[arg(long, value_name = "SEVERITY")]
    min_severity: Option<Severity>,
}

fn rule(name: &str) -> Result<String, String> {
    match rules::find(name) {
        Some(rule) => Ok(rule.name.to_owned()),
        None => Err(match rules::nearest(name) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => "pgassay rules lists them".to_owned(),
        }),
    }
}

pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let in_force = arguments.settable.resolve(arguments.format.name())?;
    let mut sources = Sources::default();
    let base = read_base(&in_force, &mut sources)?;
    let mut errors = Vec::new();
    let single = arguments.format.verbose() || arguments.wanted.is_narrow();
    let job = match arguments.database.load(Values::All, &mut sources)? {
        Some(database) => {
            if !in_force.paths.value.is_empty() && in_force.paths.origin == Origin::CommandLine {
                anyhow::bail!("a database and paths are two schemas: name one of them");
            }
            let samples = match arguments.sample {
                true => Some(arguments.database.sample(&database, &in_force.settings)?),
                false => None,
            };
            AuditJob { settings: in_force.settings.clone(), samples, single, ..database.audit_job(&sources) }
        }
        None => {
            let collected = collect(&in_force.paths.value, &collect_options(&in_force)?, &mut sources);
            tell_notes(&collected);
            errors.extend(collected.errors.iter().map(ToString::to_string));
            AuditJob {
                base,
                migrations: collected.migrations,
                version: in_force.pg_version.value,
                completeness: in_force.history.value,
                settings: in_force.settings.clone(),
                single,
                ..AuditJob::default()
            }
        }
    };
    let mut report = audit(&job, &sources);
    report.details = arguments.wanted.is_narrow();
    pgassay::sql::hide_secrets(&mut sources);
    report.errors.extend(errors);
    // The output is whole even where the baseline is not.
    let known = in_force.baseline.value.as_deref();
    if let Err(error) = arguments.baseline.apply(known, &mut report, &job.migrations, &sources) {
        report.errors.push(format!("{error:#}"));
    }
    let filter = arguments.wanted.filter();
    report.errors.extend(filter.unknown(&report.judged));
    filter.apply(&mut report);
    let limit = in_force.fail_on.value.severity();
    show(&arguments.format, in_force.format.value, limit, &report, &sources)?;
    let outcome = outcome(limit, &report);
    output::leave((job, report, sources));
    Ok(outcome)
}

fn collect_options(in_force: &InForce) -> anyhow::Result<CollectOptions> {
    let wants_stdin = in_force.paths.value.iter().any(|path| path.as_os_str() == "-");
    let stdin = wants_stdin.then(|| {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes).context("standard input could not be read")
    });
    Ok(CollectOptions {
        framework: in_force.framework.value,
        transaction: in_force.transaction.value,
        variables: in_force.variables(),
        stdin: stdin.transpose()?,
        with_older: true,
        ..CollectOptions::default()
    })
}

impl Wanted {
    /// Some tables or rules are named: they are shown in full.
    fn is_narrow(&self) -> bool {
        !self.table.is_empty() || !self.rule.is_empty()
    }

    fn filter(&self) -> Filter {
        Filter {
            schemas: self.schema.clone(),
            tables: self.table.clone(),
            rules: self.rule.clone(),
            min_severity: self.min_severity,
        }
    }
}
