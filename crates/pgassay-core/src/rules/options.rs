//! What a team may tell the rules about its database and its habits.

use std::collections::BTreeMap;

use crate::area::Modules;

/// The options of all rules; the default is what `pgassay` assumes of a database it knows nothing of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOptions {
    /// missing-lock-timeout: the role or the connection sets lock_timeout.
    pub assume_lock_timeout: bool,
    /// many-locks-in-transaction: so many tables in one transaction are an info, more the rule's severity.
    pub most_locked_tables: usize,
    /// discouraged-types: those of [`ACCEPTABLE_TYPES`] that are used on purpose.
    pub accepted_types: Vec<&'static str>,
    /// blocking-rewrite, blocking-scan and blocking-index-build, with statistics: work that is over in so many milliseconds weighs less.
    pub brief_milliseconds: BTreeMap<&'static str, usize>,
    /// The same: with no more calls a minute on the table it is an info.
    pub quiet_calls: BTreeMap<&'static str, usize>,
    /// lock-behind-transaction: a transaction that is open for so many seconds.
    pub long_transaction_seconds: usize,
    /// Nobody said on which version the migrations will run: the oldest is assumed, and what only it lacks is no error.
    pub version_assumed: bool,
    /// module-border: which tables belong together, and which module may use which.
    pub modules: Modules,
}

impl Default for RuleOptions {
    fn default() -> RuleOptions {
        RuleOptions {
            assume_lock_timeout: false,
            most_locked_tables: 2,
            accepted_types: Vec::new(),
            brief_milliseconds: BTreeMap::new(),
            quiet_calls: BTreeMap::new(),
            long_transaction_seconds: 10,
            version_assumed: false,
            modules: Modules::default(),
        }
    }
}

impl RuleOptions {
    /// Milliseconds that work of this rule may take and still be brief.
    pub fn brief(&self, rule: &str) -> usize {
        self.brief_milliseconds.get(rule).copied().unwrap_or(500)
    }

    /// Calls a minute on a table that is still quiet.
    pub fn quiet(&self, rule: &str) -> usize {
        self.quiet_calls.get(rule).copied().unwrap_or(60)
    }
}

/// The types that discouraged-types speaks of, by the names that people write.
pub const ACCEPTABLE_TYPES: [&str; 9] =
    ["timestamp", "timetz", "char", "money", "json", "serial", "smallserial", "integer-identity", "uuid-text"];
