//! A finding: what the rules say and the renderers show.

mod cause;
mod plan_of_change;
mod rule;

pub use cause::{Cause, FailureWhen, Measured};
pub use plan_of_change::{Deploy, NumberedStep, PlanOfChange, PlannedMigration, numbered};
pub use rule::{Example, Rule};

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::area::Area;
use crate::catalog::LockMode;
use crate::change::PrintedName;
use crate::contract::Witness;
use crate::source::Span;

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
    /// NULL that nobody can tell the meaning of.
    Nullability,
    /// JSON columns without a shape.
    Json,
    /// Keys and constraints that are missing, doubled, or running out.
    Keys,
    /// Indexes that are missing, doubled, broken or idle.
    Indexes,
    /// Column types that are wrong for what they hold.
    Types,
    /// Payments, permissions and personal data.
    Safety,
    /// How the server is set up, watched and kept clean.
    Operations,
}

impl Category {
    pub const ALL: [Category; 12] = [
        Category::Blocking,
        Category::Breaking,
        Category::DataLoss,
        Category::Failing,
        Category::Hygiene,
        Category::Safety,
        Category::Keys,
        Category::Nullability,
        Category::Json,
        Category::Types,
        Category::Indexes,
        Category::Operations,
    ];

    /// One sentence: what its findings have in common.
    pub fn about(self) -> &'static str {
        match self {
            Category::Blocking => "Others wait: for long work, or behind a lock without a timeout.",
            Category::Breaking => "Running clients break.",
            Category::DataLoss => "Rows or values are gone.",
            Category::Failing => "The statement fails when it runs, or may, or could not be judged.",
            Category::Hygiene => "Worth a second thought; never an error.",
            Category::Nullability => "NULL, and nobody can tell what it means.",
            Category::Json => "JSON columns without a shape that anybody could rely on.",
            Category::Keys => "Keys and constraints that are missing, doubled, not checked, or running out.",
            Category::Indexes => "Indexes that are missing, doubled, broken or idle.",
            Category::Types => "Column types that are wrong for what they hold, or regretted later.",
            Category::Safety => "Money, permissions and personal data without a guard.",
            Category::Operations => "How the server is set up, watched and kept clean.",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Category::Blocking => "blocking",
            Category::Breaking => "breaking",
            Category::DataLoss => "data-loss",
            Category::Failing => "failing",
            Category::Hygiene => "hygiene",
            Category::Nullability => "nullability",
            Category::Json => "json",
            Category::Keys => "keys",
            Category::Indexes => "indexes",
            Category::Types => "types",
            Category::Safety => "safety",
            Category::Operations => "operations",
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
            .ok_or_else(|| format!("{text:?} is not a severity: error, warning, info"))
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

    pub fn measured(text: impl Into<String>) -> Evidence {
        Evidence { kind: EvidenceKind::Measured, text: text.into() }
    }

    pub fn observed(text: impl Into<String>) -> Evidence {
        Evidence { kind: EvidenceKind::Observed, text: text.into() }
    }
}

/// How sure a finding is that rests on a heuristic: a name, a share of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        })
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
    /// A batch: run again and again, each time in a transaction of its own, until it changes no row.
    #[serde(skip_serializing_if = "is_false")]
    pub repeat: bool,
    /// The same work walked through in the order of a key, for a script that can keep its place.
    #[serde(skip)]
    pub walk: Option<Walk>,
    /// What the running code must do before this step: a deploy begins with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_before: Option<String>,
    /// The strongest lock it takes on a table that others use, and for what work it holds it; told by audits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<StepCost>,
}

/// How the rows of a batched change are come by: a piece of the key's range after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    pub table: String,
    /// The change of all rows, up to the end of its condition.
    pub change: String,
    /// The columns of the primary key; where there is none, the table's pages are walked.
    pub key: Vec<String>,
    /// What the change calls a row of the table, where other tables stand beside it.
    pub row: Option<String>,
}

/// What a step of the advice does to the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepCost {
    pub lock: LockMode,
    pub relation: String,
    pub work: StepWork,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepWork {
    Instant,
    Scan,
    Index,
    Rewrite,
    /// Reads or writes rows: as long as those take.
    Rows,
}

fn is_false(it: &bool) -> bool {
    !it
}

impl FixStep {
    pub fn own(sql: impl Into<String>) -> FixStep {
        FixStep::new(sql.into(), StepTransaction::Own)
    }

    pub fn any(sql: impl Into<String>) -> FixStep {
        FixStep::new(sql.into(), StepTransaction::Any)
    }

    pub fn none(sql: impl Into<String>) -> FixStep {
        FixStep::new(sql.into(), StepTransaction::None)
    }

    /// Changes a few thousand rows at a time: its condition holds for no row any more that it changed.
    pub fn batch(sql: impl Into<String>) -> FixStep {
        FixStep { repeat: true, ..FixStep::own(sql) }
    }

    /// The step goes out once the running code is so: "no code reads orders.note any more".
    pub fn once(self, code: impl Into<String>) -> FixStep {
        FixStep { code_before: Some(code.into()), ..self }
    }

    fn new(sql: String, transaction: StepTransaction) -> FixStep {
        FixStep { sql, transaction, repeat: false, walk: None, code_before: None, cost: None }
    }
}

/// What to do instead: a sentence, and SQL where there is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advice {
    pub text: String,
    pub steps: Vec<FixStep>,
    /// The statement's change of all rows, walked in the order of a key, for a script that can be stopped and run again.
    pub walk: Option<Box<Walk>>,
}

impl Advice {
    pub fn text(text: impl Into<String>) -> Advice {
        Advice { text: text.into(), ..Advice::default() }
    }

    pub fn steps(text: impl Into<String>, steps: Vec<FixStep>) -> Advice {
        Advice { text: text.into(), steps, walk: None }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub rule: &'static Rule,
    /// The rule's, unless the finding is about another kind of harm.
    pub category: Category,
    pub severity: Severity,
    /// The smallest part of the text that causes it.
    pub span: Span,
    /// Other places that belong to it, each with a few words.
    pub related: Vec<(Span, String)>,
    /// What it is about: `public.accounts.seen_at`.
    pub object: Option<PrintedName>,
    /// Printed name of the table that an audit lists it under.
    pub table: Option<String>,
    /// The part of the application that it touches, where the configuration names one.
    pub area: Option<Area>,
    /// For a heuristic; what the model knows has none.
    pub confidence: Option<Confidence>,
    /// What will happen, to what.
    pub message: String,
    /// What the models say that it reports.
    pub cause: Option<Cause>,
    pub evidence: Vec<Evidence>,
    pub witness: Option<Witness>,
    pub advice: Advice,
}

impl Finding {
    /// Gives back the room that its parts have and do not use: a report keeps thousands of findings to its end.
    pub(crate) fn shrink(&mut self) {
        self.related.shrink_to_fit();
        self.message.shrink_to_fit();
        self.evidence.shrink_to_fit();
        self.advice.text.shrink_to_fit();
        self.advice.steps.shrink_to_fit();
    }
}
