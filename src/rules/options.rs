//! What a team may tell the rules about its database and its habits.

/// The options of all rules; the default is what `pgassay` assumes of a database it knows nothing of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOptions {
    /// missing-lock-timeout: the role or the connection sets lock_timeout.
    pub assume_lock_timeout: bool,
    /// many-locks-in-transaction: so many tables in one transaction are an info, more the rule's severity.
    pub most_locked_tables: usize,
    /// discouraged-types: those of [`ACCEPTABLE_TYPES`] that are used on purpose.
    pub accepted_types: Vec<&'static str>,
}

impl Default for RuleOptions {
    fn default() -> RuleOptions {
        RuleOptions { assume_lock_timeout: false, most_locked_tables: 2, accepted_types: Vec::new() }
    }
}

/// The types that discouraged-types speaks of, by the names that people write.
pub const ACCEPTABLE_TYPES: [&str; 8] =
    ["timestamp", "timetz", "char", "money", "json", "serial", "smallserial", "uuid-text"];
