//! What a rule says of itself.
//!
//! How it looks at migrations and schemas is not known here: the registry of [`crate::rules`] gives each its check.

use std::fmt;

use super::{Advice, Category, Finding, Severity};
use crate::source::Span;

/// A rule, with the text that `pgassay rules` and docs/rules show. Two of one name are the same.
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
}

/// A migration on a schema.
pub struct Example {
    /// What exists before; not judged.
    pub given: &'static str,
    pub migration: &'static str,
}

impl Rule {
    /// A finding of this rule with its usual severity; the caller adds the rest.
    pub fn finding(&'static self, span: Span, message: impl Into<String>) -> Finding {
        Finding {
            rule: self,
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
            advice: Advice::default(),
        }
    }

    pub fn is_one_of(&self, rules: &[&Rule]) -> bool {
        rules.contains(&self)
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Rule) -> bool {
        self.name == other.name
    }
}

impl Eq for Rule {}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.name, f)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}
