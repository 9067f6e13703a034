//! `pgassay.toml`: what a team tells pgassay about its migrations, its database and its habits.
//!
//! In: the text of the file. Out: a [`Config`], or every mistake in it with its place. What
//! the file says of findings goes to the core as [`Settings`]. [`keys`] lists every key once, for the reader, the JSON schema
//! and the docs.

mod accepted;
pub mod keys;
mod problem;
mod read;
mod schema;
mod settings;
mod value;

pub use crate::source::Located;
pub use accepted::Accepted;
pub use problem::{ConfigError, Problem};
pub use read::parse;
pub use schema::json_schema;
pub use settings::{Level, Levels, Override, Settings};

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::finding::Severity;
use crate::history::Completeness;
use crate::migration::{Framework, TransactionOverride};
use crate::version::PgVersion;

/// The name that is looked for.
pub const FILE_NAME: &str = "pgassay.toml";

/// The value of a rule's option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionValue {
    Boolean(bool),
    Count(usize),
    Words(Vec<&'static str>),
}

/// The least severity that makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    At(Severity),
    Never,
}

impl FailOn {
    pub const ALL: [FailOn; 4] =
        [FailOn::At(Severity::Error), FailOn::At(Severity::Warning), FailOn::At(Severity::Info), FailOn::Never];

    pub fn name(self) -> &'static str {
        match self {
            FailOn::At(severity) => severity.name(),
            FailOn::Never => "never",
        }
    }

    /// `None`: no severity does.
    pub fn severity(self) -> Option<Severity> {
        match self {
            FailOn::At(severity) => Some(severity),
            FailOn::Never => None,
        }
    }
}

/// What a file says; `None` where it says nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    pub pg_version: Option<Located<PgVersion>>,
    /// As written: they count from the file's folder on.
    pub paths: Option<Located<Vec<PathBuf>>>,
    pub base: Option<Located<Vec<PathBuf>>>,
    pub baseline: Option<Located<PathBuf>>,
    /// The command whose statements are recorded.
    pub run: Option<Located<String>>,
    pub framework: Option<Located<Framework>>,
    pub transaction: Option<Located<TransactionOverride>>,
    /// The line that keeps a migration out of a transaction.
    pub no_transaction: Option<Located<String>>,
    pub history: Option<Located<Completeness>>,
    pub strict: Option<Located<bool>>,
    pub fail_on: Option<Located<FailOn>>,
    /// One of [`keys::FORMATS`].
    pub format: Option<Located<&'static str>>,
    pub variables: BTreeMap<String, Located<String>>,
    pub settings: Settings,
}
