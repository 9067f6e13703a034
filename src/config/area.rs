//! `[areas]`: which tables are payments, permissions or personal data, and which are internal or experiments.
//!
//! In: patterns of table names, findings and the run they come from. Out: the findings, each with the [`Area`] it touches.

use std::fmt;

use glob::Pattern;
use serde::{Serialize, Serializer};

use super::Located;
use crate::change::QualifiedName;
use crate::effect::LockMode;
use crate::finding::Finding;
use crate::history::{MigrationRun, Step};
use crate::schema::RelationId;

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
#[derive(Debug, Clone, PartialEq)]
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

    /// Says of every finding of a run which area it touches.
    pub fn mark(&self, findings: &mut [Finding], run: &MigrationRun) {
        if self.patterns.is_empty() {
            return;
        }
        for finding in findings {
            finding.area = self.of_all(&touched(finding, run));
        }
    }

    /// A protected one wins. A finding that also touches a table of no area is not an internal affair.
    fn of_all(&self, tables: &[Table]) -> Option<Area> {
        let area = |table: &Table| table.iter().filter_map(|name| self.of(name)).min();
        let areas: Vec<Option<Area>> = tables.iter().map(area).collect();
        let protected = areas.iter().flatten().filter(|area| area.is_protected()).min();
        let all_known = || areas.iter().copied().collect::<Option<Vec<Area>>>()?.into_iter().min();
        protected.copied().or_else(all_known)
    }
}

/// The names by which a table is known: its own, the one that it had before the migration, those of its parents.
type Table = Vec<QualifiedName>;

/// What a finding is about: its object, and the tables locked where its related places stand. Without an object, the
/// tables that its statement locks.
fn touched(finding: &Finding, run: &MigrationRun) -> Vec<Table> {
    let step = step_at(finding, run);
    let mut names: Vec<QualifiedName> = finding.object.as_deref().and_then(qualified).into_iter().collect();
    let locks = || run.steps.iter().flat_map(|step| &step.prediction.locks);
    let related = |span| finding.related.iter().any(|(related, _)| *related == span);
    names.extend(locks().filter(|lock| related(lock.span)).filter_map(|lock| qualified(&lock.name)));
    if names.is_empty() {
        let own = step.into_iter().flat_map(|step| &step.prediction.locks);
        let changing = own.filter(|lock| lock.mode >= LockMode::RowExclusive);
        names.extend(changing.filter_map(|lock| qualified(&lock.name)));
    }
    names.into_iter().map(|name| table_of(name, step, run)).collect()
}

/// The innermost statement around a finding: those of a DO block follow the block.
fn step_at<'r, 's>(finding: &Finding, run: &'r MigrationRun<'s>) -> Option<&'r Step<'s>> {
    run.steps.iter().rfind(|step| step.span().contains(finding.span))
}

/// An index stands for its table, a partition also for the partitioned table.
fn table_of(name: QualifiedName, step: Option<&Step>, run: &MigrationRun) -> Table {
    let mut schemas = step.map(|step| &step.schema).into_iter().chain([&run.before, &run.after]);
    let found = schemas.find_map(|schema| schema.relation_at(&name).map(|relation| (schema, relation)));
    let Some((schema, relation)) = found else { return vec![name] };
    let id = relation.as_index().map_or(relation.id, |index| index.table);
    let all = [id].into_iter().chain(schema.parents_closure(id));
    let names = |id: RelationId| {
        let relations = [schema.relation(id), run.before.relation(id)];
        relations.into_iter().flatten().map(|relation| relation.name.clone()).collect::<Vec<_>>()
    };
    all.flat_map(names).collect()
}

/// The first two parts of a printed name: `public."Payments".note` is about `public.Payments`.
fn qualified(printed: &str) -> Option<QualifiedName> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut quoted = false;
    for letter in printed.chars() {
        match letter {
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(std::mem::take(&mut part)),
            '(' | ' ' if !quoted => break,
            other => part.push(other),
        }
    }
    parts.push(part);
    match parts.as_slice() {
        [schema, name, ..] => Some(QualifiedName::new(schema.as_str(), name.as_str())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn areas(list: &[(Area, &[&str])]) -> Areas {
        let patterns = list.iter().map(|(area, patterns)| {
            let patterns = patterns.iter().map(|text| TablePattern::new(text).unwrap()).collect();
            (*area, Located { value: patterns, line: 1 })
        });
        Areas { patterns: patterns.collect() }
    }

    fn name(text: &str) -> QualifiedName {
        qualified(text).unwrap()
    }

    #[test]
    fn reads_printed_names() {
        assert_eq!(name("public.payments.amount"), QualifiedName::new("public", "payments"));
        assert_eq!(name("\"My.App\".\"Pay ments\""), QualifiedName::new("My.App", "Pay ments"));
        assert_eq!(name("billing.charge(integer)"), QualifiedName::new("billing", "charge"));
        assert_eq!(qualified("payments"), None);
    }

    #[test]
    fn takes_the_protected_area_of_two() {
        let areas = areas(&[(Area::Internal, &["*.*"]), (Area::PersonalData, &["public.user*"])]);
        assert_eq!(areas.of(&name("public.users")), Some(Area::PersonalData));
        assert_eq!(areas.of(&name("public.jobs")), Some(Area::Internal));
    }

    #[test]
    fn a_table_of_no_area_keeps_a_finding_from_being_internal() {
        let areas = areas(&[(Area::Internal, &["ops.*"]), (Area::Payments, &["billing.*"])]);
        assert_eq!(areas.of_all(&[vec![name("ops.jobs")]]), Some(Area::Internal));
        assert_eq!(areas.of_all(&[vec![name("ops.jobs")], vec![name("public.orders")]]), None);
        assert_eq!(areas.of_all(&[vec![name("ops.jobs")], vec![name("billing.charges")]]), Some(Area::Payments));
        assert_eq!(areas.of_all(&[]), None);
    }

    #[test]
    fn refuses_a_pattern_without_a_schema() {
        assert!(TablePattern::new("payment*").unwrap_err().contains("public.payment*"));
        assert!(TablePattern::new("public.[").is_err());
    }
}
