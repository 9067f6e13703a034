//! `[areas]`: which tables are payments, permissions or personal data, and which are internal or experiments.
//!
//! In: patterns of table names. Out: the [`Area`] of a table.

mod modules;

pub use modules::{Module, Modules};

use std::fmt;

use glob::Pattern;
use serde::{Serialize, Serializer};

use crate::change::QualifiedName;
use crate::source::Located;

/// A part of the application that weighs more, or less, than the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    Payments,
    Permissions,
    PersonalData,
    Internal,
    Experiment,
}

impl Area {
    /// The protected ones first: of several that a finding touches, the first counts.
    pub const ALL: [Area; 5] =
        [Area::Payments, Area::Permissions, Area::PersonalData, Area::Internal, Area::Experiment];

    pub fn name(self) -> &'static str {
        match self {
            Area::Payments => "payments",
            Area::Permissions => "permissions",
            Area::PersonalData => "personal-data",
            Area::Internal => "internal",
            Area::Experiment => "experiment",
        }
    }

    /// Findings there are never lowered, and never allowed without a reason.
    pub fn is_protected(self) -> bool {
        matches!(self, Area::Payments | Area::Permissions | Area::PersonalData)
    }

    /// What touching it means, for the reader of a finding.
    pub fn meaning(self) -> &'static str {
        if self.is_protected() {
            "never lowered, and allowed only with a reason"
        } else {
            "lowered a step, except data loss and failing statements"
        }
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Area {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A pattern of `schema.table`; both parts may hold `*`, `?` and `[…]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePattern {
    text: String,
    schema: Pattern,
    table: Pattern,
}

impl TablePattern {
    /// The error says what is wrong with the text.
    pub fn new(text: &str) -> Result<TablePattern, String> {
        let parts = text.split_once('.').filter(|(schema, table)| !schema.is_empty() && !table.is_empty());
        let (schema, table) =
            parts.ok_or_else(|| format!("{text:?} has no schema: write public.{text}, or *.{text} for any schema"))?;
        let pattern = |part: &str| Pattern::new(part).map_err(|error| format!("{text:?}: {}", error.msg));
        Ok(TablePattern { text: text.to_owned(), schema: pattern(schema)?, table: pattern(table)? })
    }

    /// As the file has it.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn matches(&self, name: &QualifiedName) -> bool {
        self.schema.matches(name.schema.as_str()) && self.table.matches(name.name.as_str())
    }
}

/// Which tables belong to which area.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Areas {
    pub patterns: Vec<(Area, Located<Vec<TablePattern>>)>,
}

impl Areas {
    /// What the examples of rules have: billing.* are tables of payments.
    pub(crate) fn example() -> Areas {
        let patterns = TablePattern::new("billing.*").into_iter().collect();
        Areas { patterns: vec![(Area::Payments, Located { value: patterns, line: 1 })] }
    }

    /// The area of one table: in a protected and another one, it counts as protected.
    pub fn of(&self, name: &QualifiedName) -> Option<Area> {
        let matching = |(_, patterns): &&(Area, Located<Vec<TablePattern>>)| {
            patterns.value.iter().any(|pattern| pattern.matches(name))
        };
        self.patterns.iter().filter(matching).map(|(area, _)| *area).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_protected_area_of_two() {
        let area = |area, pattern| {
            let patterns = TablePattern::new(pattern).into_iter().collect();
            (area, Located { value: patterns, line: 1 })
        };
        let areas = Areas { patterns: vec![area(Area::Internal, "*.*"), area(Area::PersonalData, "public.user*")] };
        assert_eq!(areas.of(&QualifiedName::new("public", "users")), Some(Area::PersonalData));
        assert_eq!(areas.of(&QualifiedName::new("public", "jobs")), Some(Area::Internal));
    }

    #[test]
    fn refuses_a_pattern_without_a_schema() {
        assert!(TablePattern::new("payment*").unwrap_err().contains("public.payment*"));
        assert!(TablePattern::new("public.[").is_err());
    }
}
