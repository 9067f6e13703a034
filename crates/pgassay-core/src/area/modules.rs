//! `[modules]`: which tables belong together, and which module may use which.

use super::TablePattern;
use crate::change::QualifiedName;

/// The modules of a schema, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modules {
    pub all: Vec<Module>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    pub name: String,
    /// Tables and views that belong to it; of several modules that match, the first counts.
    pub tables: Vec<TablePattern>,
    /// Names of the modules that it may use.
    pub may_use: Vec<String>,
    /// In the file.
    pub line: u32,
}

impl Modules {
    pub fn of(&self, name: &QualifiedName) -> Option<&Module> {
        self.all.iter().find(|module| module.tables.iter().any(|pattern| pattern.matches(name)))
    }

    /// What the examples of rules have: shipping may not use billing, nor billing shipping.
    pub(crate) fn example() -> Modules {
        let module = |name: &str| Module {
            name: name.to_owned(),
            tables: TablePattern::new(&format!("{name}.*")).into_iter().collect(),
            may_use: Vec::new(),
            line: 1,
        };
        Modules { all: vec![module("shipping"), module("billing")] }
    }
}

impl Module {
    pub fn may_use(&self, other: &Module) -> bool {
        self.name == other.name || self.may_use.contains(&other.name)
    }
}
