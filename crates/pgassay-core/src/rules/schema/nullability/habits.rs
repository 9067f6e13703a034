//! Reasons that the workload gives: conditions that leave out NULL without saying so.

use std::collections::BTreeMap;

use super::{Reason, Remedy, declared};
use crate::facts::Workload;
use crate::finding::{Confidence, Evidence, Severity};
use crate::rules::schema::SchemaContext;
use crate::rules::schema::ask::keys;
use crate::rules::schema::ask::queries::{self, Use, UseKind};
use crate::schema::{Column, ColumnId, Relation, RelationId};
use crate::text::{numbers, plain};

/// What the hot queries do with columns.
pub struct Habits<'a> {
    workload: Option<&'a Workload>,
    uses: BTreeMap<(RelationId, ColumnId), Vec<&'a Use>>,
}

/// Leaves out rows, or finds none, without saying so.
fn is_wrong(kind: &UseKind) -> bool {
    matches!(
        kind,
        UseKind::Negated
            | UseKind::NegatedBoolean
            | UseKind::NotInSubquery
            | UseKind::AntiJoin
            | UseKind::EqualsNull
            | UseKind::UndoesOuterJoin
            | UseKind::ConflictTarget
    )
}

impl<'a> Habits<'a> {
    pub fn of(context: &SchemaContext<'a>) -> Habits<'a> {
        let mut uses: BTreeMap<(RelationId, ColumnId), Vec<&'a Use>> = BTreeMap::new();
        if let Some(workload) = context.workload {
            for found in context.uses {
                // A wrong result is wrong at any speed.
                let statement = &workload.statements[found.statement];
                if queries::is_hot(statement, workload) || is_wrong(&found.kind) && statement.calls >= 2 {
                    uses.entry((found.table, found.column)).or_default().push(found);
                }
            }
        }
        Habits { workload: context.workload, uses }
    }

    pub fn reasons(&self, context: &SchemaContext, table: &Relation, reasons: &mut Vec<Reason>) {
        for column in &table.columns {
            let Some(uses) = self.uses.get(&(table.id, column.id)) else { continue };
            let nulls = context.null_share(table, column);
            let nullable = context.is_nullable(column);
            for kind in [
                UseKind::Negated,
                UseKind::NegatedBoolean,
                UseKind::NotInSubquery,
                UseKind::AntiJoin,
                UseKind::DescendingLimit,
                UseKind::EqualsNull,
                UseKind::UndoesOuterJoin,
                UseKind::TestedForNull,
                UseKind::Concatenated,
                UseKind::Calculated,
                UseKind::Counted,
            ] {
                reasons.extend(self.reason(column, uses, &kind, nullable, nulls));
            }
            if nullable {
                reasons.extend(self.coalesced(column, uses, nulls));
                reasons.extend(self.conflicts(context, table, column, uses));
            }
        }
    }

    fn reason(
        &self,
        column: &Column,
        uses: &[&Use],
        kind: &UseKind,
        nullable: bool,
        nulls: Option<f64>,
    ) -> Option<Reason> {
        let worst = uses.iter().filter(|found| found.kind == *kind).max_by_key(|found| self.calls(found))?;
        let share = nulls.unwrap_or(0.0);
        let percent = numbers::percent(share);
        let name = &column.name;
        let (says, severity, confidence, how) = match kind {
            UseKind::Negated if nullable && share >= 0.01 => (
                format!("is compared with <> or NOT IN: the {percent} of the rows where it is NULL are left out"),
                Severity::Warning,
                Confidence::High,
                format!("Write {name} IS DISTINCT FROM … where rows without a value are meant too; or require a value."),
            ),
            UseKind::NegatedBoolean if nullable && share > 0.0 => (
                format!("is asked for as NOT {name}: the {percent} of the rows where it is NULL are left out"),
                Severity::Warning,
                Confidence::High,
                format!("Write {name} IS NOT TRUE where rows without a value are meant too; or require a value."),
            ),
            UseKind::NotInSubquery if nullable => (
                format!("is what NOT IN (SELECT {name} …) returns: one NULL, and the query finds nothing"),
                Severity::Warning,
                Confidence::High,
                "Write NOT EXISTS, which is right with NULLs and is planned as an anti join.".to_owned(),
            ),
            UseKind::AntiJoin if nullable => (
                "is tested with IS NULL after a LEFT JOIN: rows that were found and hold NULL look as if none had been found".to_owned(),
                Severity::Warning,
                Confidence::High,
                "Test the column that joins, or write NOT EXISTS.".to_owned(),
            ),
            UseKind::DescendingLimit if nullable && share >= 0.01 => (
                format!("is sorted by, descending, with LIMIT: the {percent} of the rows where it is NULL come first"),
                Severity::Info,
                Confidence::Medium,
                format!("Write ORDER BY {name} DESC NULLS LAST, with an index that is made so."),
            ),
            UseKind::EqualsNull => (
                "is compared with = NULL, which is never true".to_owned(),
                Severity::Warning,
                Confidence::High,
                format!("Write {name} IS NULL."),
            ),
            UseKind::UndoesOuterJoin => (
                "is compared after a LEFT JOIN: the rows that the join keeps are left out again".to_owned(),
                Severity::Info,
                Confidence::Medium,
                "Write JOIN if they are not wanted; move the condition into ON if they are.".to_owned(),
            ),
            // By what is asked once nobody is misled.
            UseKind::TestedForNull if !nullable && self.calls(worst) >= 100 => (
                "is tested for NULL, which it cannot be".to_owned(),
                Severity::Info,
                Confidence::Low,
                "Leave the test out.".to_owned(),
            ),
            UseKind::Concatenated if nullable && share >= 0.01 => (
                format!("is an operand of ||: the result is NULL for the {percent} of the rows where it is NULL"),
                Severity::Info,
                Confidence::Medium,
                format!("Write concat(…), which skips NULL, or COALESCE({name}, '')."),
            ),
            UseKind::Calculated if nullable && share >= 0.01 => (
                format!("is calculated with: the result is NULL for the {percent} of the rows where it is NULL"),
                Severity::Info,
                Confidence::Low,
                format!("Write COALESCE({name}, 0) where no value counts as nothing."),
            ),
            UseKind::Counted if nullable && share >= 0.01 => (
                format!("is counted: count({name}) leaves out the {percent} of the rows where it is NULL"),
                Severity::Info,
                Confidence::Low,
                "Write count(*) where rows are meant.".to_owned(),
            ),
            _ => return None,
        };
        Some(Reason {
            column: column.id,
            says,
            evidence: self.evidence(worst),
            severity,
            confidence,
            remedy: Remedy::Rewrite { how },
        })
    }

    /// Most readers put the same thing in place of NULL.
    fn coalesced(&self, column: &Column, uses: &[&Use], nulls: Option<f64>) -> Option<Reason> {
        let share = nulls?;
        let statements = |wanted: &dyn Fn(&Use) -> bool| {
            let mut numbers: Vec<usize> =
                uses.iter().filter(|found| wanted(found)).map(|found| found.statement).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers.len()
        };
        let (all, wrapped) = (statements(&|_| true), statements(&|found| found.kind == UseKind::Coalesced));
        let example =
            uses.iter().filter(|found| found.kind == UseKind::Coalesced).max_by_key(|found| self.calls(found))?;
        (wrapped >= 2 && wrapped * 2 >= all).then(|| Reason {
            column: column.id,
            says: format!("is read through COALESCE in {wrapped} of the {all} hot statements that name it"),
            evidence: self.evidence(example),
            severity: Severity::Info,
            confidence: Confidence::Medium,
            // What the readers put there is a constant, and the workload has none.
            remedy: match declared::default_of(column) {
                fill @ Some(_) if share > 0.0 => Remedy::Require { fill },
                None if share > 0.0 => Remedy::Rewrite {
                    how: format!(
                        "Let {0} say itself what every reader puts in its place: make that the default, store it in the rows where {0} is NULL, and require a value.",
                        column.name
                    ),
                },
                _ => Remedy::Require { fill: None },
            },
        })
    }

    /// ON CONFLICT on a column that is NULL: such a row never conflicts, and is stored once more each time.
    fn conflicts(&self, context: &SchemaContext, table: &Relation, column: &Column, uses: &[&Use]) -> Option<Reason> {
        let kind = UseKind::ConflictTarget;
        let worst = uses.iter().filter(|found| found.kind == kind).max_by_key(|found| self.calls(found))?;
        let share = context.null_share(table, column).filter(|share| *share >= 0.001)?;
        let (key, _) = keys::unique_keys(context, table).find(|(_, index)| {
            index.columns.contains(&Some(column.id))
                && !index.nulls_not_distinct
                && !index.mentions.contains(&column.id)
        })?;
        Some(Reason {
            column: column.id,
            says: format!(
                "is a target of ON CONFLICT, and NULL in {} of the rows: those never conflict, and are stored again",
                numbers::percent(share)
            ),
            evidence: self.evidence(worst),
            severity: Severity::Warning,
            confidence: Confidence::High,
            remedy: Remedy::WholeKey { index: key.id },
        })
    }

    fn calls(&self, found: &Use) -> u64 {
        self.workload
            .and_then(|workload| workload.statements.get(found.statement))
            .map_or(0, |statement| statement.calls)
    }

    fn evidence(&self, found: &Use) -> Evidence {
        let Some(statement) = self.workload.and_then(|workload| workload.statements.get(found.statement)) else {
            return Evidence::measured("a query of the workload");
        };
        Evidence::measured(format!(
            "{} calls, {:.1} ms on average: {}",
            numbers::count(statement.calls as f64),
            statement.mean_milliseconds,
            plain::shortened(&statement.query)
        ))
    }
}
