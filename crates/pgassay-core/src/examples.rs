//! The examples of rules, run: what `check` and `audit` say of them.
//!
//! In: a rule and one of its examples. Out: a [`Report`]. The command `pgassay rules`, the documentation and the tests show it.

use crate::area::{Areas, Modules};
use crate::audit::{self, AuditJob};
use crate::check::{self, Job};
use crate::config::Settings;
use crate::history::Completeness;
use crate::migration::Migration;
use crate::report::Report;
use crate::rules::schema::measured;
use crate::rules::{Example, Rule, RuleOptions};
use crate::source::{SourceFile, Sources};
use crate::sql::hide_secrets;

impl Example {
    /// The example as a run of its own: the given schema is the base, and complete; billing.* are tables of payments.
    pub fn job(&self) -> (Job, Sources) {
        let mut sources = Sources::default();
        let mut plain = |name: &str, text: &str| {
            let file = sources.add(SourceFile::new(name, text));
            Migration::plain(name, file, text.len())
        };
        let base = vec![plain("given.sql", self.given)];
        let migrations = vec![plain("migration.sql", self.migration)];
        let options = RuleOptions { modules: Modules::example(), ..RuleOptions::default() };
        let settings = Settings { areas: Areas::example(), options, ..Settings::default() };
        let job = Job { base, migrations, completeness: Completeness::Complete, settings, ..Job::default() };
        (job, sources)
    }

    /// What pgassay says of it, and the files as they may be shown.
    fn judge(&self, as_audit: bool) -> (Report, Sources) {
        let (job, mut sources) = self.job();
        if !as_audit {
            let report = check::check(&job, &sources);
            hide_secrets(&mut sources);
            return (report, sources);
        }
        let (facts, workload) = measured(self.migration).unzip();
        let audit = AuditJob {
            facts,
            workload,
            base: job.base,
            migrations: job.migrations,
            version: job.version,
            completeness: job.completeness,
            settings: job.settings,
            ..AuditJob::default()
        };
        let report = audit::audit(&audit, &sources);
        hide_secrets(&mut sources);
        (report, sources)
    }
}

impl Rule {
    /// What pgassay says of one of the rule's examples: `check`, or `audit` where only that has the rule.
    pub fn judge(&self, example: &Example) -> (Report, Sources) {
        example.judge(self.is_audit_only())
    }
}
