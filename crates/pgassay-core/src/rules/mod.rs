//! The rules: what is worth telling of a migration, and what to do instead.
//!
//! In: a [`MigrationRun`] with its predictions and breakages. Out: [`Finding`]s. A rule reads the models and decides; it does not work
//! out locks, scans or transactions itself. One file a rule: its text, its examples and its check; [`ALL`] is the registry.

mod called;
mod context;
mod measured;
pub mod migration;
mod one_cause;
mod options;
pub mod schema;
mod suppression;

pub use context::{RunContext, StepContext};
pub use options::{ACCEPTABLE_TYPES, RuleOptions};
pub use suppression::{Suppressions, nearest, nearest_of, read_suppressions};

use crate::area::Areas;
use crate::facts::Live;
use crate::finding::{Category, Finding, Severity};
use crate::history::MigrationRun;
use crate::source::Sources;

/// A rule, with the text that `pgassay rules` and docs/rules show.
pub struct Rule {
    /// kebab-case; what suppressions and the configuration name.
    pub name: &'static str,
    pub category: Category,
    /// The usual severity; a check may lower it where it knows better.
    pub severity: Severity,
    /// One line: what it finds.
    pub summary: &'static str,
    /// Why it matters and what to do, in a few sentences.
    pub explanation: &'static str,
    /// Makes the rule speak.
    pub fires: Example,
    /// A close twin about which the rule is silent.
    pub quiet: Example,
    pub check: Check,
}

/// A migration on a schema.
pub struct Example {
    /// What exists before; not judged.
    pub given: &'static str,
    pub migration: &'static str,
}

/// When a rule looks.
pub enum Check {
    /// At every statement; blocks are skipped, their statements are not.
    Step(fn(&StepContext, &mut Vec<Finding>)),
    /// Once a migration.
    Migration(fn(&RunContext, &mut Vec<Finding>)),
    /// At a schema: all of one in an audit, and in a migration what it adds.
    Schema(fn(&schema::SchemaContext, &mut Vec<schema::Discovery>), schema::Needs),
    /// Found while files are read, before any rule runs.
    Reading,
    /// Found in what is around the SQL: git, and the other files. The rule's examples are for people: run alone they show nothing.
    Outside,
}

/// Every rule, in the order in which `pgassay rules` lists them.
pub const ALL: &[&Rule] = &together();

const fn together() -> [&'static Rule; migration::ALL.len() + schema::ALL.len()] {
    let mut all = [schema::ALL[0]; migration::ALL.len() + schema::ALL.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < migration::ALL.len() { migration::ALL[at] } else { schema::ALL[at - migration::ALL.len()] };
        at += 1;
    }
    all
}

/// The rule of a name.
pub fn find(name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.name == name)
}

/// What the rules say of one migration, in the order of the text; with what is known of the live database, if anything is.
pub fn check(
    run: &MigrationRun,
    sources: &Sources,
    options: &RuleOptions,
    areas: &Areas,
    live: Option<&Live>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let context = RunContext { run, sources, options, live };
    for rule in ALL {
        match rule.check {
            Check::Step(check) => context.steps().for_each(|step| {
                let first = findings.len();
                check(&step, &mut findings);
                if step.step.is_called() {
                    called::tell_at_call(step.step, &mut findings, first);
                }
            }),
            Check::Migration(check) => check(&context, &mut findings),
            Check::Schema(..) | Check::Reading | Check::Outside => {}
        }
    }
    let mut findings = one_cause::keep_causes(findings, run);
    if let Some(live) = live {
        findings.extend(migration::lock_behind_transaction::check(&context, live));
        measured::tell_tables(&mut findings, live);
    }
    let added = schema::check_added(run, areas, options);
    let news: Vec<Finding> = added.into_iter().filter(|finding| !one_cause::is_told(finding, &findings)).collect();
    findings.extend(news);
    findings.sort_by_key(|finding| (finding.span.file, finding.span.start, std::cmp::Reverse(finding.severity)));
    findings
}

/// Where the pages of the documentation are, as the build of a release says: `https://…/docs`.
pub const PAGES: Option<&str> = option_env!("PGASSAY_PAGES");

/// The page of a rule below that address.
pub fn page(pages: &str, rule: &str) -> String {
    format!("{pages}/rules/{rule}.md")
}

impl Rule {
    /// Looks only at a whole schema, or needs statistics: `check` never tells it.
    pub fn is_audit_only(&self) -> bool {
        matches!(self.check, Check::Schema(_, needs) if needs != schema::Needs::Schema)
    }

    /// Whether the examples can be run: what an outside rule looks for is not in the SQL.
    pub fn runs_examples(&self) -> bool {
        !matches!(self.check, Check::Outside)
    }

    /// A finding of this rule with its usual severity; the caller adds the rest.
    pub fn finding(&self, span: crate::source::Span, message: impl Into<String>) -> Finding {
        Finding {
            rule: self.name,
            category: self.category,
            severity: self.severity,
            span,
            related: Vec::new(),
            object: None,
            table: None,
            area: None,
            confidence: None,
            message: message.into(),
            cause: None,
            evidence: Vec::new(),
            witness: None,
            advice: crate::finding::Advice::default(),
        }
    }
}
