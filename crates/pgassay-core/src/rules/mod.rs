//! The rules: what is worth telling of a migration, and what to do instead.
//!
//! In: a [`MigrationRun`] with its predictions and breakages. Out: [`Finding`]s. A rule reads the models and decides; it does not work
//! out locks, scans or transactions itself. One file per concern: what its rules say of themselves, their examples and their checks; [`REGISTRY`] puts
//! each rule together with its check.

mod called;
mod context;
mod measured;
pub mod migration;
mod one_cause;
mod options;
pub mod schema;
mod suppression;

pub use crate::finding::{Example, Rule};
pub use context::{RunContext, StepContext};
pub use options::{ACCEPTABLE_TYPES, RuleOptions};
pub use suppression::{Suppressions, nearest, nearest_of, read_suppressions};

use crate::area::Areas;
use crate::facts::Live;
use crate::finding::Finding;
use crate::history::MigrationRun;
use crate::source::Sources;

/// When a rule looks.
#[derive(Clone, Copy)]
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

/// A line of the registry: a rule with its check.
#[derive(Clone, Copy)]
pub struct Entry {
    pub rule: &'static Rule,
    pub check: Check,
}

impl Entry {
    const fn step(rule: &'static Rule, check: fn(&StepContext, &mut Vec<Finding>)) -> Entry {
        Entry { rule, check: Check::Step(check) }
    }

    const fn migration(rule: &'static Rule, check: fn(&RunContext, &mut Vec<Finding>)) -> Entry {
        Entry { rule, check: Check::Migration(check) }
    }

    const fn schema(
        rule: &'static Rule,
        needs: schema::Needs,
        check: fn(&schema::SchemaContext, &mut Vec<schema::Discovery>),
    ) -> Entry {
        Entry { rule, check: Check::Schema(check, needs) }
    }

    const fn reading(rule: &'static Rule) -> Entry {
        Entry { rule, check: Check::Reading }
    }

    const fn outside(rule: &'static Rule) -> Entry {
        Entry { rule, check: Check::Outside }
    }
}

const RULES: usize = migration::ALL.len() + schema::ALL.len();

/// The registry, in the order in which `pgassay rules` lists the rules.
pub static REGISTRY: [Entry; RULES] = {
    let mut all = [schema::ALL[0]; RULES];
    let mut at = 0;
    while at < RULES {
        all[at] = if at < migration::ALL.len() { migration::ALL[at] } else { schema::ALL[at - migration::ALL.len()] };
        at += 1;
    }
    all
};

/// Every rule, in the same order.
pub static ALL: &[&Rule] = &{
    let mut all = [REGISTRY[0].rule; RULES];
    let mut at = 0;
    while at < RULES {
        all[at] = REGISTRY[at].rule;
        at += 1;
    }
    all
};

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
    for entry in &REGISTRY {
        match entry.check {
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
    /// When it looks: none for a rule that is not in the registry.
    pub fn check(&self) -> Option<&'static Check> {
        REGISTRY.iter().find(|entry| entry.rule == self).map(|entry| &entry.check)
    }

    /// Looks only at a whole schema, or needs statistics: `check` never reports it.
    pub fn is_audit_only(&self) -> bool {
        matches!(self.check(), Some(Check::Schema(_, needs)) if *needs != schema::Needs::Schema)
    }

    /// Whether the examples can be run: what an outside rule looks for is not in the SQL.
    pub fn runs_examples(&self) -> bool {
        !matches!(self.check(), Some(Check::Outside))
    }
}
