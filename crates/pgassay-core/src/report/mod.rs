//! The result of a run, and the ways to show it.
//!
//! In: a [`Report`] and the files it speaks of. Out: text. One renderer a file, all behind [`Renderer`].

pub mod charts;
mod fingerprint;
mod gcc;
mod github;
mod gitlab;
mod html;
mod json;
mod junit;
pub(crate) mod markdown;
mod place;
pub mod priority;
mod proof;
mod proof_text;
pub(crate) mod prose;
mod record;
mod sarif;
pub mod since;
mod statement;
mod text;
pub mod timeline;
pub mod visible;
mod window;

pub use fingerprint::{FINGERPRINT_VERSION, fingerprints};
pub use gcc::Gcc;
pub use github::Github;
pub use gitlab::Gitlab;
pub use html::Html;
pub use json::Json;
pub use junit::Junit;
pub use markdown::{LONGEST_COMMENT, Markdown};
pub use place::Paths;
pub use proof::*;
pub use prose::steps;
use record::StatementPlaces;
pub use record::{EffectRecord, Impact, Measured, SharedLock, SharedWork, StatementRecord};
pub use sarif::{Sarif, edit};
pub use text::{Text, View};

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, IntoInnerError, Write};

use serde::Serialize;

use crate::finding::{Finding, Severity};
use crate::migration::Coverage;
use crate::source::{FileId, Sources, Span};
use crate::version::PgVersion;

/// Writes a value as JSON; what takes the bytes is asked once for many.
fn write_json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut kept = BufWriter::with_capacity(64 * 1024, out);
    serde_json::to_writer_pretty(&mut kept, value)?;
    kept.into_inner().map(drop).map_err(IntoInnerError::into_error)
}

/// Everything a run found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub pg_version: PgVersion,
    /// Every statement of the judged migrations, history by history, in the order in which they run.
    pub statements: Vec<StatementRecord>,
    /// How many of the statements each history has.
    pub histories: Vec<usize>,
    /// By file and place.
    pub findings: Vec<Finding>,
    /// The findings of migrations most of which could not be read, by their places.
    pub mostly_unread: Vec<Span>,
    /// Files and folders that could not be read: a sentence each, with the place.
    pub errors: Vec<String>,
    /// What is known of the tables of an audit, by printed name; its findings are grouped by table.
    pub tables: BTreeMap<String, String>,
    /// What has changed since an earlier audit, where one was named.
    pub since: Option<since::Since>,
    /// What the configuration accepts, and what of it is over: a sentence each.
    pub accepted: Vec<String>,
    /// Bars of what is measured, for a page.
    pub charts: Vec<charts::Chart>,
    /// Printed names of the tables that an audit judged, with findings or without.
    pub judged: BTreeSet<String>,
    /// Somebody asked for some findings only: each is shown with all there is to it.
    pub details: bool,
    /// How much each of them matters by its size and traffic, 0 to 1.
    pub weights: BTreeMap<String, f64>,
    /// What could not be read of a database, and what that leaves unchecked: a sentence each.
    pub unchecked: Vec<String>,
    pub summary: Summary,
    /// What a shadow server showed, where there was one.
    pub proof: Option<Proof>,
    /// What was read and what was not; of a check.
    pub coverage: Option<Coverage>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub files: usize,
    pub statements: usize,
    /// Of an audit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tables: Option<usize>,
    pub errors: usize,
    pub warnings: usize,
    pub infos: usize,
    /// Findings that a baseline knows: they are not among the others.
    #[serde(skip_serializing_if = "is_zero")]
    pub known: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Report {
    pub fn new(pg_version: PgVersion) -> Report {
        Report {
            pg_version,
            statements: Vec::new(),
            histories: Vec::new(),
            findings: Vec::new(),
            mostly_unread: Vec::new(),
            errors: Vec::new(),
            tables: BTreeMap::new(),
            since: None,
            accepted: Vec::new(),
            charts: Vec::new(),
            judged: BTreeSet::new(),
            details: false,
            weights: BTreeMap::new(),
            unchecked: Vec::new(),
            summary: Summary::default(),
            proof: None,
            coverage: None,
        }
    }

    /// Fills the summary; `files` are those that were judged.
    pub fn count(&mut self, files: impl Iterator<Item = FileId>) {
        self.summary.files = files.collect::<BTreeSet<_>>().len();
        self.summary.statements = self.statements.len();
        self.recount();
    }

    /// Counts the findings again, after some were left out or changed.
    pub fn recount(&mut self) {
        let number = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        let (errors, warnings, infos) = (number(Severity::Error), number(Severity::Warning), number(Severity::Info));
        self.summary = Summary { errors, warnings, infos, ..self.summary };
    }

    /// Takes in what was found in another history; no file is in two.
    pub fn absorb(&mut self, other: Report) {
        self.histories.push(other.statements.len());
        self.statements.extend(other.statements);
        self.findings.extend(other.findings);
        self.mostly_unread.extend(other.mostly_unread);
        self.errors.extend(other.errors);
        self.summary.files += other.summary.files;
        self.summary.statements += other.summary.statements;
        self.summary.errors += other.summary.errors;
        self.summary.warnings += other.summary.warnings;
        self.summary.infos += other.summary.infos;
    }

    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

/// A way to show a report.
pub trait Renderer {
    /// Writes the whole report. Fails only when `out` does.
    fn render(&self, report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()>;
}
