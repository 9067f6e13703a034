//! `pgassay audit`: judge a schema as it is.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use pgassay::audit::{AuditJob, Filter, accept, audit, modules};
use pgassay::collect::{CollectOptions, collect};
use pgassay::db::{Database, Reading, snapshot};
use pgassay::facts::{Timestamp, Values};
use pgassay::finding::Severity;
use pgassay::report::since::{self, Earlier};
use pgassay::report::{Report, View};
use pgassay::rules;
use pgassay::source::{SourceFile, Sources};

use super::baseline::BaselineFiles;
use super::check::{outcome, read_base, tell_notes};
use super::database::{DatabaseArguments, LimitArguments};
use super::fleet::{self, FleetArguments};
use super::format::{FormatArguments, show, show_failure};
use super::in_force::{InForce, Origin, Settable};
use super::{Outcome, output, queries};

/// Judge a schema, of a live database, a snapshot, or migrations: nullability, JSON, keys, indexes, types, money, permissions
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing at or above --fail-on; 1 findings; 2 the run itself failed (bad arguments, unreadable files)."
)]
pub struct Arguments {
    #[command(flatten)]
    settable: Settable,

    /// Connect to this database, read-only: a URL, "host=… dbname=…", a database's name, or env:NAME for the value of an environment variable; several are audited in one run (repeatable)
    #[arg(long, value_name = "URL", conflicts_with = "snapshot")]
    db: Vec<String>,

    /// Read this snapshot instead of connecting: pgassay snapshot writes it
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,

    #[command(flatten)]
    limits: LimitArguments,

    #[command(flatten)]
    fleet: FleetArguments,

    /// Read a bounded sample of rows too: keys and types of JSON documents, which columns are NULL together, whether what looks like a reference is one; no values but those of status columns (with --db)
    #[arg(long, requires = "db")]
    sample: bool,

    #[command(flatten)]
    wanted: Wanted,

    #[command(flatten)]
    baseline: BaselineFiles,

    /// Say what is new, fixed and worse since an earlier audit: its JSON report, or a snapshot, which is audited in the same way
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,

    /// Say which modules use which; without [modules] in the configuration, propose some
    #[arg(long)]
    modules: bool,

    /// Write the DDL of the database to a file, and let findings point into it
    #[arg(long, value_name = "FILE")]
    write_ddl: Option<PathBuf>,

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
    let in_force = match arguments.settable.resolve(arguments.format.name()) {
        Ok(in_force) => in_force,
        // The format that the configuration names is not known then.
        Err(error) => {
            show_failure(&arguments.format, arguments.format.name().unwrap_or("text"), &error)?;
            return Err(error);
        }
    };
    if arguments.is_about_many() {
        return audit_many(&arguments, &in_force);
    }
    if arguments.modules {
        return tell_modules(&arguments, &in_force);
    }
    let mut sources = Sources::default();
    let (job, report) = match audited(&arguments, &in_force, &mut sources) {
        Ok(audited) => audited,
        Err(error) => {
            show_failure(&arguments.format, in_force.format.value, &error)?;
            return Err(error);
        }
    };
    let limit = in_force.fail_on.value.severity();
    show(&arguments.format, in_force.format.value, View::Auto, limit, &report, &sources)?;
    let outcome = outcome(limit, &report);
    output::leave((job, report, sources));
    Ok(outcome)
}

/// Many databases or tenants, reported by finding.
fn audit_many(arguments: &Arguments, in_force: &InForce) -> anyhow::Result<Outcome> {
    let one_only = [
        ("--sample", arguments.sample),
        ("--since", arguments.since.is_some()),
        ("--modules", arguments.modules),
        ("--write-ddl", arguments.write_ddl.is_some()),
    ];
    if let Some((option, _)) = one_only.iter().find(|(_, given)| *given) {
        anyhow::bail!("{option} is about one database: name one with --db");
    }
    let format = match in_force.format.value {
        "text" => fleet::Format::Text,
        "json" => fleet::Format::Json,
        "markdown" => fleet::Format::Markdown,
        other => anyhow::bail!("many databases are reported as text, json or markdown, not as {other}"),
    };
    let judging = fleet::Judging { settings: &in_force.settings, filter: arguments.wanted.filter() };
    let fleet = match &arguments.fleet.tenants {
        Some(pattern) => {
            let mut sources = Sources::default();
            let Some(database) = arguments.database().load(Values::All, &mut sources)? else {
                anyhow::bail!("--tenants reads a database: name one with --db or --snapshot");
            };
            fleet::of_tenants(database, &sources, &judging, pattern)?
        }
        None => fleet::of_databases(arguments.fleet.targets(&arguments.db, arguments.limits.limits())?, &judging)?,
    };
    fleet::show(&fleet, format, in_force.fail_on.value.severity())
}

fn audited(arguments: &Arguments, in_force: &InForce, sources: &mut Sources) -> anyhow::Result<(AuditJob, Report)> {
    let base = read_base(in_force, sources)?;
    let mut errors = Vec::new();
    let single = arguments.format.verbose() || arguments.wanted.is_narrow();
    let filter = arguments.wanted.filter();
    let mut planner = None;
    let job = match arguments.database().load(Values::All, sources)? {
        Some(database) => {
            if !in_force.paths.value.is_empty() && in_force.paths.origin == Origin::CommandLine {
                anyhow::bail!("a database and paths are two schemas: name one of them");
            }
            let mut database = database;
            if arguments.sample {
                database.samples = Some(arguments.database().sample(&database, &in_force.settings)?);
            }
            planner = database.planner.take();
            AuditJob { settings: in_force.settings.clone(), single, ..database.audit_job(sources) }
        }
        None if arguments.write_ddl.is_some() => {
            anyhow::bail!("--write-ddl reads a database: name one with --db or --snapshot");
        }
        None => {
            let collected = collect(&in_force.paths.value, &collect_options(in_force)?, sources);
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
    let mut report = audit(&job, sources);
    report.details = arguments.wanted.is_narrow();
    let wanted = report.findings.iter_mut().filter(|finding| filter.wants(finding));
    queries::short::prove(&arguments.database(), wanted, || Reading {
        ddl: job.migrations.first().map(|it| sources.file(it.file).text.to_string()).unwrap_or_default(),
        facts: job.facts.clone().unwrap_or_default(),
        workload: job.workload.clone().unwrap_or_default(),
        applied: Vec::new(),
        planner,
        samples: None,
    });
    pgassay::sql::hide_secrets(sources);
    report.errors.extend(errors);
    if let Some(path) = &arguments.since {
        let earlier = earlier(path, in_force, single)?;
        report.since = Some(since::since(&report, &earlier, |known| filter.wants_known(known)));
    }
    accept(&mut report, &in_force.settings.accepted, &today());
    // The output is whole even where the baseline is not.
    let known = in_force.baseline.value.as_deref();
    if let Err(error) = arguments.baseline.apply(known, &mut report, &job.migrations, sources) {
        report.errors.push(format!("{error:#}"));
    }
    report.errors.extend(filter.unknown(&report.judged));
    filter.apply(&mut report);
    if let Some(path) = &arguments.write_ddl {
        write_ddl(path, &job, sources)?;
    }
    Ok((job, report))
}

/// What an earlier audit said: its JSON report, or what a snapshot of then says now.
fn earlier(path: &Path, in_force: &InForce, single: bool) -> anyhow::Result<Earlier> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| format!("{name} could not be read"))?;
    // A snapshot is gzipped (RFC 1952), a report begins with a brace.
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut sources = Sources::default();
        let database = Database::new(snapshot::read(path)?, &mut sources);
        let job = AuditJob { settings: in_force.settings.clone(), single, ..database.audit_job(&sources) };
        return Ok(Earlier::of(&name, &audit(&job, &sources)));
    }
    Earlier::parse(&name, &String::from_utf8_lossy(&bytes)).map_err(|error| anyhow::anyhow!("{name}: {error}"))
}

/// `2026-12-31`, in UTC.
fn today() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp(now.as_secs_f64()).to_string();
    now.split(' ').next().unwrap_or_default().to_owned()
}

/// Shows the modules that the configuration names, or proposes some.
fn tell_modules(arguments: &Arguments, in_force: &InForce) -> anyhow::Result<Outcome> {
    let Some(database) = arguments.database().load(Values::All, &mut Sources::default())? else {
        anyhow::bail!("--modules reads a database: name one with --db or --snapshot");
    };
    let modules = &in_force.settings.options.modules;
    let text = match modules.all.is_empty() {
        true => modules::propose(&database.schema, &database.columns_compared()).to_toml(),
        false => modules::picture(&database.schema, modules),
    };
    anstream::print!("{text}");
    Ok(Outcome::Clean)
}

/// The text that findings point into, as a file.
fn write_ddl(path: &Path, job: &AuditJob, sources: &mut Sources) -> anyhow::Result<()> {
    let Some(id) = job.made.as_ref().and(job.migrations.first()).map(|migration| migration.file) else { return Ok(()) };
    let text = sources.file(id).text.to_string();
    std::fs::write(path, &text).with_context(|| format!("{} could not be written", path.display()))?;
    sources.fill(id, SourceFile::new(path.display().to_string(), text));
    Ok(())
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

impl Arguments {
    fn is_about_many(&self) -> bool {
        self.db.len() > 1 || self.fleet.is_given()
    }

    /// The one database that is named.
    fn database(&self) -> DatabaseArguments {
        DatabaseArguments::new(self.db.first().cloned(), self.snapshot.clone(), self.limits)
    }
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
