//! A finding: what the rules say and the renderers show.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::config::Area;
use crate::contract::Witness;
use crate::sql::Span;

/// What kind of harm a finding speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Others wait: for long work, or behind a lock without a timeout.
    Blocking,
    /// Running clients break.
    Breaking,
    /// Rows or values are gone.
    DataLoss,
    /// The statement fails when it runs, or may.
    Failing,
    /// Not re-runnable; types and names worth a second thought.
    Hygiene,
}

impl Category {
    pub fn name(self) -> &'static str {
        match self {
            Category::Blocking => "blocking",
            Category::Breaking => "breaking",
            Category::DataLoss => "data-loss",
            Category::Failing => "failing",
            Category::Hygiene => "hygiene",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Category {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Info,
    Warning,
    Error,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Severity, String> {
        [Severity::Info, Severity::Warning, Severity::Error]
            .into_iter()
            .find(|severity| severity.name() == text)
            .ok_or_else(|| format!("{text:?} is no severity: error, warning, info"))
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// How a finding is known, from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceKind {
    /// The SQL alone.
    Assumed,
    /// The catalog, or the migration history, says so.
    Declared,
    /// Statistics of the live database.
    Measured,
    /// It was run on a real server and watched.
    Observed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    pub kind: EvidenceKind,
    pub text: String,
}

impl Evidence {
    pub fn assumed(text: impl Into<String>) -> Evidence {
        Evidence { kind: EvidenceKind::Assumed, text: text.into() }
    }

    pub fn declared(text: impl Into<String>) -> Evidence {
        Evidence { kind: EvidenceKind::Declared, text: text.into() }
    }

    pub fn observed(text: impl Into<String>) -> Evidence {
        Evidence { kind: EvidenceKind::Observed, text: text.into() }
    }
}

/// What a statement of the advice needs of its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepTransaction {
    /// A transaction of its own, committed before the next step.
    Own,
    /// Any.
    Any,
    /// None: the server refuses it in a transaction block.
    None,
}

/// One step of the way to do it instead: a statement, or a few that have to commit together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FixStep {
    pub sql: String,
    pub transaction: StepTransaction,
}

impl FixStep {
    pub fn own(sql: impl Into<String>) -> FixStep {
        FixStep { sql: sql.into(), transaction: StepTransaction::Own }
    }

    pub fn any(sql: impl Into<String>) -> FixStep {
        FixStep { sql: sql.into(), transaction: StepTransaction::Any }
    }

    pub fn none(sql: impl Into<String>) -> FixStep {
        FixStep { sql: sql.into(), transaction: StepTransaction::None }
    }
}

/// What to do instead: a sentence, and SQL where there is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advice {
    pub text: String,
    pub steps: Vec<FixStep>,
}

impl Advice {
    pub fn text(text: impl Into<String>) -> Advice {
        Advice { text: text.into(), steps: Vec::new() }
    }

    pub fn steps(text: impl Into<String>, steps: Vec<FixStep>) -> Advice {
        Advice { text: text.into(), steps }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Name of the rule, as `pgassay rules` lists it.
    pub rule: &'static str,
    pub category: Category,
    pub severity: Severity,
    /// The smallest part of the text that causes it.
    pub span: Span,
    /// Other places that belong to it, each with a few words.
    pub related: Vec<(Span, String)>,
    /// Printed name of what it is about: `public.accounts.seen_at`.
    pub object: Option<String>,
    /// The part of the application that it touches, where the configuration names one.
    pub area: Option<Area>,
    /// What will happen, to what.
    pub message: String,
    pub evidence: Vec<Evidence>,
    pub witness: Option<Witness>,
    pub advice: Advice,
}
