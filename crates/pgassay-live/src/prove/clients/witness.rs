//! Running the witness of every breakage before and after the migration.
//!
//! In: the findings that have a witness. Out: observed evidence, and those that are withdrawn because the witness works on.

use std::collections::BTreeSet;

use super::probe::{Answer, Probe};
use crate::change::Name;
use crate::contract::{Breakage, BreakageKind, Subject};
use crate::finding::{Category, Finding};
use crate::history::MigrationRun;
use crate::prove::run::Runner;
use crate::prove::run::verdict::bear_out;
use crate::prove::{ProveError, rows};
use crate::report::Withdrawn;

/// Rows for witnesses that only rows can show.
/// Their keys are not those that witnesses write.
const ROWS: rows::Rows = rows::Rows { first: 7001, count: 3 };

/// What the witnesses of a migration's findings answered before it, by the findings' order.
pub(in crate::prove) struct Before(Vec<Option<Answer>>);

/// Runs the witnesses on the schema before.
pub(in crate::prove) async fn before(
    runner: &Runner,
    run: &MigrationRun<'_>,
    findings: &[Finding],
) -> Result<Before, ProveError> {
    let wanted: Vec<Option<String>> = findings.iter().map(|finding| statement(run, finding)).collect();
    Ok(Before(answers(runner, run, &wanted).await?))
}

/// Runs them again after it, and corrects the findings; none is withdrawn unless all statements ran.
pub(in crate::prove) async fn after(
    runner: &Runner,
    run: &MigrationRun<'_>,
    findings: &mut Vec<Finding>,
    before: Before,
    server: &str,
    all_ran: bool,
) -> Result<Vec<Withdrawn>, ProveError> {
    let works_before: Vec<Option<Vec<String>>> =
        before.0.into_iter().map(|answer| answer.and_then(Result::ok)).collect();
    let wanted: Vec<Option<String>> = findings
        .iter()
        .zip(&works_before)
        .map(|(finding, worked)| worked.as_ref().and_then(|_| statement(run, finding)))
        .collect();
    let after = answers(runner, run, &wanted).await?;
    let mut withdrawn = Vec::new();
    let mut answers = works_before.into_iter().zip(after);
    findings.retain_mut(|finding| {
        let Some((Some(before), Some(after))) = answers.next() else { return true };
        let claimed =
            finding.witness.as_ref().and_then(|witness| Some(witness.after.strip_prefix("ERROR ")?.to_owned()));
        let says_error = claimed.is_some();
        match after {
            // Another refusal than the one that is claimed shows nothing.
            Err(error) if claimed.is_some_and(|claimed| claimed.get(..5) != Some(error.code.as_str())) => {}
            Err(error) => {
                bear_out(finding, format!("the example was run on {server}: it worked before, and then: {error}"))
            }
            Ok(after) if after != before => {
                bear_out(finding, format!("the example was run on {server}: it answers otherwise after the migration"));
            }
            // Another answer may need other rows.
            Ok(_) if !all_ran || !says_error || finding.category != Category::Breaking => {}
            // A DELETE or UPDATE that met no row says nothing.
            Ok(after) if needs_rows(finding) && after.last().is_some_and(|line| line == "0 rows") => {}
            Ok(_) => {
                withdrawn.push(Withdrawn {
                    rule: finding.rule.name,
                    span: finding.span,
                    message: finding.message.clone(),
                    reason: format!("the example works on {server} after the migration as before"),
                });
                return false;
            }
        }
        true
    });
    Ok(withdrawn)
}

/// The witness, as a client meets it: the shadow's superuser passes by row security and privileges.
fn statement(run: &MigrationRun, finding: &Finding) -> Option<String> {
    let witness = finding.witness.as_ref()?;
    let breakage = run.breakages.iter().map(|(breakage, _)| breakage).find(|breakage| breakage.witness == *witness);
    match breakage.map(|breakage| breakage.kind) {
        Some(kind) if kind.is_about_row_security() => as_client(run, breakage?, &witness.sql),
        Some(BreakageKind::PrivilegeRevoked) if !witness.sql.starts_with("SET ROLE") => None,
        _ => Some(witness.sql.clone()),
    }
}

/// Run by a role that has all privileges on the table, and is a member of those that its policies name. The role is undone with the
/// statement.
fn as_client(run: &MigrationRun, breakage: &Breakage, sql: &str) -> Option<String> {
    let (Subject::Relation(id) | Subject::Part(id, _)) = &breakage.subject else { return None };
    let table = run.before.relation(*id)?;
    let after = run.after.relation(*id);
    let of_policies = [Some(table), after].into_iter().flatten().flat_map(|it| &it.policies).flat_map(|it| &it.roles);
    let owners: Vec<&Name> = [Some(table), after].into_iter().flatten().filter_map(|it| it.owner.as_ref()).collect();
    let roles: BTreeSet<String> =
        of_policies.filter(|role| **role != "public" && !owners.contains(role)).map(|role| role.to_string()).collect();
    let grants: String = roles.iter().map(|role| format!("GRANT {role} TO pgassay_client; ")).collect();
    Some(format!(
        "CREATE ROLE pgassay_client; {grants}GRANT USAGE ON SCHEMA {} TO pgassay_client; GRANT ALL ON {} TO pgassay_client; SET LOCAL ROLE pgassay_client; {sql}",
        table.name.schema, table.name
    ))
}

async fn answers(
    runner: &Runner,
    run: &MigrationRun<'_>,
    wanted: &[Option<String>],
) -> Result<Vec<Option<Answer>>, ProveError> {
    if wanted.iter().all(Option::is_none) {
        return Ok(wanted.iter().map(|_| None).collect());
    }
    let probe = Probe::begin(runner).await?;
    rows::fill(&probe, &tables(run), ROWS).await?;
    let mut answers = Vec::new();
    for sql in wanted {
        answers.push(match sql {
            Some(sql) => Some(probe.answer(sql).await?),
            None => None,
        });
    }
    probe.end().await?;
    Ok(answers)
}

/// The tables that the breakages are about, by the names before; a name that is gone by then is not found, and not filled.
fn tables(run: &MigrationRun) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (breakage, _) in &run.breakages {
        let id = match &breakage.subject {
            Subject::Relation(id) | Subject::Column(id, _) | Subject::Part(id, _) => *id,
            Subject::Type(_) | Subject::Routine(_) | Subject::Schema(_) => continue,
        };
        for schema in [&run.before, &run.after] {
            let name = schema.relation_name(id);
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// Whether the example only shows something where it meets a row. An INSERT brings its own.
fn needs_rows(finding: &Finding) -> bool {
    let first = finding.witness.as_ref().and_then(|witness| witness.sql.split_whitespace().next());
    first.is_some_and(|word| ["DELETE", "UPDATE", "MERGE"].iter().any(|name| word.eq_ignore_ascii_case(name)))
}
