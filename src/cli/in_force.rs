//! What is in force: the command line over the file over the default, each with where it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use pgassay::collect::config_file::{self, Loaded};
use pgassay::collect::{repository, server_version};
use pgassay::config::{Config, FailOn, Level, Located, Settings};
use pgassay::finding::Severity;
use pgassay::history::Completeness;
use pgassay::migration::{Framework, TransactionOverride};
use pgassay::rules;
use pgassay::version::{PgVersion, UnsupportedVersion};

use crate::project::Setup;

/// Which configuration file to read.
#[derive(Debug, Default, Args)]
pub struct ConfigFile {
    /// The configuration file [default: pgassay.toml here or above, up to the repository's root]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Read no configuration file
    #[arg(long, conflicts_with = "config")]
    no_config: bool,
}

/// A version; one that is not out yet is taken as the newest that is known, and that is said.
fn wanted_version(text: &str) -> Result<PgVersion, UnsupportedVersion> {
    let newest = PgVersion::NEWEST;
    match text.parse() {
        Err(_) if text.trim().split('.').next() == Some("19") => {
            eprintln!("note: PostgreSQL 19 is not known yet: {newest} is taken in its place");
            Ok(newest)
        }
        read => read,
    }
}

/// What the command line and the configuration file can both say. None of it has a default here: that would hide the file's.
#[derive(Debug, Default, Args)]
pub struct Settable {
    /// Files and folders of migrations, or - for standard input [default: those found in the project]
    pub paths: Vec<PathBuf>,

    /// Major version of the server the migrations will run on, 14 to 18 [default: what the project's files say,
    /// else the oldest that was supported when pgassay was built]
    #[arg(long, value_name = "VERSION", value_parser = wanted_version)]
    pg_version: Option<PgVersion>,

    /// What exists before: a pg_dump --schema-only file, or earlier migrations; read, not judged (repeatable)
    #[arg(long, value_name = "PATH")]
    base: Vec<PathBuf>,

    /// Whether the migrations, with the base, make everything that exists [default: auto]
    #[arg(long, value_name = "KIND", value_enum)]
    history: Option<History>,

    /// Which transaction the statements run in [default: auto]
    #[arg(long, value_name = "MODE", value_enum)]
    transaction: Option<Transaction>,

    /// Leave out the findings that this file holds
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Run this on a throwaway server, and judge what it sends: "bin/rails db:migrate". It is told the server by DATABASE_URL and PG*,
    /// and by {url}, {host}, {port}, {dbname}, {user}, {password} in the command
    #[arg(long, value_name = "COMMAND")]
    run: Option<String>,

    /// The migration tool [default: recognised by its files]
    #[arg(long, value_name = "NAME", value_parser = framework)]
    framework: Option<Framework>,

    /// Value of a placeholder such as ${schema} or :schema (repeatable)
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,

    /// Fail on statements that could not be read
    #[arg(long)]
    strict: bool,

    /// The least severity that makes the exit code 1 [default: error]
    #[arg(long, value_name = "SEVERITY", value_enum)]
    fail_on: Option<Limit>,

    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum History {
    /// Found out from the migrations
    Auto,
    /// They start from an empty database, or from the base
    Complete,
    /// Earlier ones are missing
    Partial,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Transaction {
    /// As the migration tool does; plain files commit statement by statement
    Auto,
    /// One around each file
    PerFile,
    /// None but those that the files open
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Limit {
    Error,
    Warning,
    Info,
    Never,
}

pub fn framework(name: &str) -> Result<Framework, String> {
    name.parse().map_err(|_| {
        let names: Vec<&str> = Framework::ALL.iter().map(|framework| framework.name()).collect();
        format!("known are {}", names.join(", "))
    })
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if name.is_empty() { Err("the name is empty".to_owned()) } else { Ok((name.to_owned(), value.to_owned())) }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    CommandLine,
    File {
        path: PathBuf,
        line: u32,
    },
    /// What another file of the project says.
    Project {
        path: PathBuf,
        text: String,
    },
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::CommandLine => f.write_str("command line"),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Project { path, text } => write!(f, "{}: {text}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// A value in force.
#[derive(Debug, Clone)]
pub struct Resolved<T> {
    pub value: T,
    pub origin: Origin,
}

/// Every setting, decided.
#[derive(Debug)]
pub struct InForce {
    /// The configuration file that was read.
    pub file: Option<PathBuf>,
    pub pg_version: Resolved<PgVersion>,
    pub paths: Resolved<Vec<PathBuf>>,
    pub base: Resolved<Vec<PathBuf>>,
    pub baseline: Resolved<Option<PathBuf>>,
    pub run: Resolved<Option<String>>,
    /// `None`: recognised by its files.
    pub framework: Resolved<Option<Framework>>,
    pub transaction: Resolved<TransactionOverride>,
    /// The line that keeps a migration out of a transaction.
    pub no_transaction: Resolved<Option<String>>,
    pub history: Resolved<Completeness>,
    pub strict: Resolved<bool>,
    pub fail_on: Resolved<FailOn>,
    /// One of [`config::keys::FORMATS`].
    pub format: Resolved<&'static str>,
    pub variables: BTreeMap<String, Resolved<String>>,
    pub settings: Settings,
}

impl<T> Resolved<T> {
    /// Whether the user says it, to pgassay.
    pub fn is_named(&self) -> bool {
        matches!(self.origin, Origin::CommandLine | Origin::File { .. })
    }
}

impl ConfigFile {
    /// The file that is named, or found; none if there is none.
    pub fn load(&self) -> anyhow::Result<Option<Loaded>> {
        if self.no_config {
            return Ok(None);
        }
        let here = std::env::current_dir()?;
        let path = self.config.clone().or_else(|| config_file::find(&here));
        Ok(path.map(|path| config_file::load(&path, &here)).transpose()?)
    }
}

/// Picks the stronger source of each value.
struct Sources<'l> {
    file: Option<&'l Loaded>,
}

impl<'l> Sources<'l> {
    fn pick<T: Clone + 'l>(
        &self,
        command_line: Option<T>,
        file: impl Fn(&'l Config) -> Option<&'l Located<T>>,
        default: T,
    ) -> Resolved<T> {
        if let Some(value) = command_line {
            return Resolved { value, origin: Origin::CommandLine };
        }
        match self.file.and_then(|loaded| file(&loaded.config).map(|located| (loaded, located))) {
            Some((loaded, located)) => {
                let origin = Origin::File { path: loaded.path.clone(), line: located.line };
                Resolved { value: located.value.clone(), origin }
            }
            None => Resolved { value: default, origin: Origin::Default },
        }
    }
}

impl Settable {
    /// Decides every setting. `format` is what the command line says of it.
    pub fn resolve(&self, format: Option<&'static str>) -> anyhow::Result<InForce> {
        let loaded = self.file.load()?;
        let sources = Sources { file: loaded.as_ref() };
        let some = |list: &Vec<PathBuf>| (!list.is_empty()).then(|| list.clone());
        let framework = sources.pick(self.framework, |config| config.framework.as_ref(), Framework::Plain);
        let baseline = sources.pick(self.baseline.clone(), |config| config.baseline.as_ref(), PathBuf::new());
        let mut run = sources.pick(self.run.clone(), |config| config.run.as_ref(), String::new());
        if self.run.is_none() && !self.paths.is_empty() {
            // Whoever names files wants those judged.
            run = Resolved { value: String::new(), origin: Origin::Default };
        }
        let paths = sources.pick(some(&self.paths), |config| config.paths.as_ref(), Vec::new());
        let base = sources.pick(some(&self.base), |config| config.base.as_ref(), Vec::new());
        let marker = sources.pick(None, |config| config.no_transaction.as_ref(), String::new());
        stay_inside(&paths)?;
        stay_inside(&base)?;
        let version = sources.pick(self.pg_version, |config| config.pg_version.as_ref(), PgVersion::assumed());
        let version = if version.origin == Origin::Default { projects_version(&paths.value, version) } else { version };
        Ok(InForce {
            pg_version: version,
            paths,
            base,
            baseline: Resolved {
                value: Some(baseline.value).filter(|_| baseline.origin != Origin::Default),
                origin: baseline.origin,
            },
            run: Resolved { value: Some(run.value).filter(|_| run.origin != Origin::Default), origin: run.origin },
            framework: Resolved {
                value: Some(framework.value).filter(|_| framework.origin != Origin::Default),
                origin: framework.origin,
            },
            transaction: sources.pick(
                self.transaction.map(Transaction::mode),
                |config| config.transaction.as_ref(),
                TransactionOverride::Auto,
            ),
            no_transaction: Resolved {
                value: Some(marker.value).filter(|_| marker.origin != Origin::Default),
                origin: marker.origin,
            },
            history: sources.pick(
                self.history.map(History::completeness),
                |config| config.history.as_ref(),
                Completeness::Auto,
            ),
            strict: sources.pick(self.strict.then_some(true), |config| config.strict.as_ref(), false),
            fail_on: sources.pick(
                self.fail_on.map(Limit::fail_on),
                |config| config.fail_on.as_ref(),
                FailOn::At(Severity::Error),
            ),
            format: sources.pick(format, |config| config.format.as_ref(), "text"),
            variables: self.variables(&sources),
            settings: loaded.as_ref().map(|loaded| loaded.config.settings.clone()).unwrap_or_default(),
            file: loaded.as_ref().map(|loaded| loaded.path.clone()),
        })
    }

    /// One by one: the command line may replace some of the file's.
    fn variables(&self, sources: &Sources) -> BTreeMap<String, Resolved<String>> {
        let mut variables = BTreeMap::new();
        if let Some(loaded) = sources.file {
            variables.extend(loaded.config.variables.iter().map(|(name, located)| {
                let origin = Origin::File { path: loaded.path.clone(), line: located.line };
                (name.clone(), Resolved { value: located.value.clone(), origin })
            }));
        }
        variables.extend(
            self.variables
                .iter()
                .map(|(name, value)| (name.clone(), Resolved { value: value.clone(), origin: Origin::CommandLine })),
        );
        variables
    }
}

/// What the files around the migrations say of the server.
fn projects_version(paths: &[PathBuf], default: Resolved<PgVersion>) -> Resolved<PgVersion> {
    let place = paths.iter().find(|path| path.as_os_str() != "-").map_or(Path::new("."), PathBuf::as_path);
    let Some(found) = server_version::find(place) else { return default };
    let taken =
        if found.major == found.version.major() { String::new() } else { format!(", taken as {}", found.version) };
    let origin = Origin::Project { path: found.file, text: format!("{}{taken}", found.text) };
    Resolved { value: found.version, origin }
}

/// Refuses files outside of the repository that a configuration in it names.
fn stay_inside(paths: &Resolved<Vec<PathBuf>>) -> anyhow::Result<()> {
    let Origin::File { path: file, line } = &paths.origin else { return Ok(()) };
    for path in &paths.value {
        if let Some(root) = repository::outside(path, file) {
            anyhow::bail!(
                "{}:{line}: {} is outside of the repository {}, and is not read: a configuration names files of its repository. \
                 Name it on the command line instead",
                file.display(),
                path.display(),
                root.display()
            );
        }
    }
    Ok(())
}

impl InForce {
    /// The same for what judges again and again: editors and agents.
    pub fn setup(&self, root: &Path) -> Setup {
        Setup {
            root: root.to_owned(),
            config: self.file.clone(),
            version: Some(self.pg_version.value).filter(|_| self.pg_version.origin != Origin::Default),
            paths: self.paths.value.clone(),
            base: self.base.value.clone(),
            baseline: self.baseline.value.clone(),
            framework: self.framework.value,
            transaction: self.transaction.value,
            no_transaction: self.no_transaction.value.clone(),
            completeness: self.history.value,
            strict: self.strict.value,
            variables: self.variables(),
            settings: self.settings.clone(),
            records: self.run.value.is_some(),
            snapshot: None,
        }
    }

    /// The values of the placeholders.
    pub fn variables(&self) -> pgassay::collect::Variables {
        self.variables.iter().map(|(name, resolved)| (name.clone(), resolved.value.clone())).collect()
    }

    /// Where a line of the configuration file is.
    pub fn place(&self, line: u32) -> Origin {
        self.file.clone().map_or(Origin::Default, |path| Origin::File { path, line })
    }

    /// The severity of every rule, in the order of `pgassay rules`.
    pub fn levels(&self) -> impl Iterator<Item = (&'static str, Resolved<Level>)> {
        rules::ALL.iter().map(|rule| match self.settings.levels.get(rule.name) {
            Some(located) => (rule.name, Resolved { value: located.value, origin: self.place(located.line) }),
            None => (rule.name, Resolved { value: Level::At(rule.severity), origin: Origin::Default }),
        })
    }
}

impl History {
    fn completeness(self) -> Completeness {
        match self {
            History::Auto => Completeness::Auto,
            History::Complete => Completeness::Complete,
            History::Partial => Completeness::Partial,
        }
    }
}

impl Transaction {
    fn mode(self) -> TransactionOverride {
        match self {
            Transaction::Auto => TransactionOverride::Auto,
            Transaction::PerFile => TransactionOverride::PerFile,
            Transaction::None => TransactionOverride::None,
        }
    }
}

impl Limit {
    fn fail_on(self) -> FailOn {
        match self {
            Limit::Error => FailOn::At(Severity::Error),
            Limit::Warning => FailOn::At(Severity::Warning),
            Limit::Info => FailOn::At(Severity::Info),
            Limit::Never => FailOn::Never,
        }
    }
}
