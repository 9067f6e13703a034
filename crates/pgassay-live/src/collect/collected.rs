//! What is asked of [`collect`](super::collect), and what it finds.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::coverage::LeftOut;
use super::read::ReadError;
use super::reread::Reader;
use super::variables::Variables;
use super::{Framework, Migration, TransactionOverride};
use crate::source::Span;

/// How to read migrations.
#[derive(Debug, Clone, Default)]
pub struct CollectOptions {
    /// The tool that runs them; recognised where not given.
    pub framework: Option<Framework>,
    pub transaction: TransactionOverride,
    /// A line of this text in a migration keeps it out of a transaction, whatever `transaction` says.
    pub no_transaction: Option<String>,
    /// Also the down parts: behind all up parts, the last one first.
    pub down: bool,
    /// Values for placeholders; they go before those of the tool's own settings.
    pub variables: Variables,
    /// A file that was named is read with the migrations of its folder that come before it; those are [`Age::Old`](super::Age::Old).
    pub with_older: bool,
    /// What to read in place of what is on the disk, by full path; files of a folder that are not on the disk yet too.
    pub contents: HashMap<PathBuf, Arc<str>>,
    /// Remember who reads each file, for [`Collected::reread`].
    pub remembers: bool,
    /// What stands on standard input, for the path `-`.
    pub stdin: Option<Vec<u8>>,
}

/// What [`collect`](super::collect) found.
#[derive(Debug, Clone, Default)]
pub struct Collected {
    /// In the order in which they run.
    pub migrations: Vec<Migration>,
    /// What could not be read; everything else was.
    pub errors: Vec<ReadError>,
    pub frameworks: Vec<FoundFramework>,
    /// What a user should know, and that stops nothing.
    pub notes: Vec<Note>,
    /// What stands among the migrations and is not read.
    pub left_out: Vec<LeftOut>,
    /// Paths that were given and have nothing to judge, with what was found instead.
    pub empty: Vec<(PathBuf, String)>,
    pub(super) readers: HashMap<PathBuf, Reader>,
}

/// A tool's migrations folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFramework {
    pub framework: Framework,
    pub folder: PathBuf,
}

/// Something to know about a file or folder: two of one version, a file that the tool ignores, a folder without migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub path: PathBuf,
    /// The place that it is about; of the whole file or folder otherwise.
    pub span: Option<Span>,
    pub message: String,
}
