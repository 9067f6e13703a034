//! One cause, one finding: what a rule says that another one has said already, or that cannot come to pass.

use crate::finding::{Category, Finding, Rule, Severity};
use crate::history::MigrationRun;
use crate::rules::migration::breaking::CHANGED_TYPE;
use crate::rules::migration::fails_on_rows::{FAILS_ON_ROWS, MAY_FAIL_ON_ROWS};
use crate::rules::migration::guards::EXPOSED_ROWS;
use crate::rules::migration::refused_statement::{DEPENDENT_OBJECT, DUPLICATE_OBJECT, REFUSED_STATEMENT};
use crate::rules::migration::{narrowed_data, transaction_forbidden};
use crate::rules::schema::permissions;
use crate::source::Span;

/// Leaves out what follows from another finding of the same migration.
pub(super) fn keep_causes(findings: Vec<Finding>, run: &MigrationRun) -> Vec<Finding> {
    let refused = refused_statements(&findings, run);
    let told = |rule: &Rule, finding: &Finding| {
        findings.iter().any(|other| other.rule == rule && (other.span == finding.span) && same_table(other, finding))
    };
    let follows = |finding: &Finding| {
        let is_moot =
            matches!(finding.category, Category::Blocking | Category::Breaking) || *finding.rule == MAY_FAIL_ON_ROWS;
        // The statement is refused before it works on any row, or at the first row that it meets.
        (is_moot && !is_about_many(finding) && refused.iter().any(|statement| statement.contains(finding.span)))
            || (finding.category == Category::Blocking && told(&FAILS_ON_ROWS, finding))
            // Both say what becomes of the values; the one that says that they are lost is the stronger.
            || (*finding.rule == CHANGED_TYPE && told(&narrowed_data::RULE, finding))
    };
    let keep: Vec<bool> = findings.iter().map(|finding| !follows(finding)).collect();
    findings.into_iter().zip(keep).filter_map(|(finding, keep)| keep.then_some(finding)).collect()
}

/// What a rule about the schema says that the loss says already: the policies of a table do nothing because the migration has just
/// switched row security off.
pub(super) fn is_told(finding: &Finding, losses: &[Finding]) -> bool {
    *finding.rule == permissions::ROW_SECURITY
        && losses.iter().any(|loss| *loss.rule == EXPOSED_ROWS && loss.object == finding.object)
}

/// Statements that the server refuses for certain. Something missing may have been made elsewhere: what else such a statement does
/// is told.
fn refused_statements(findings: &[Finding], run: &MigrationRun) -> Vec<Span> {
    let rules = [&DUPLICATE_OBJECT, &DEPENDENT_OBJECT, &REFUSED_STATEMENT, &transaction_forbidden::RULE];
    let refused: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.rule.is_one_of(&rules) && finding.severity == Severity::Error)
        .collect();
    let statements = run.steps.iter().filter(|step| !step.is_block()).map(|step| step.span());
    statements.filter(|span| refused.iter().any(|finding| span.contains(finding.span))).collect()
}

/// A finding that lists statements of the migration stands at the first of them only to stand somewhere.
fn is_about_many(finding: &Finding) -> bool {
    !finding.related.is_empty()
}

/// Whether the objects are one, or one is the other's column.
fn same_table(a: &Finding, b: &Finding) -> bool {
    a.object.as_ref().zip(b.object.as_ref()).is_some_and(|(a, b)| a.belongs_with(b))
}
