//! Rows of the system catalog written by hand.

use crate::catalog;
use crate::change::{Change, ObjectName, PrintedName};
use crate::finding::{Advice, Category, Evidence, Finding, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule};

pub static RULE: Rule = Rule {
    name: "written-catalog",
    category: Category::DataLoss,
    severity: Severity::Error,
    summary: "A statement writes rows of pg_catalog by hand",
    explanation: "The server does not check what is written there: a length, a name or a type that does not fit what is stored makes rows unreadable, a \
        missing row of pg_depend lets a DROP leave half an object behind. It takes no lock on the table that is meant, other sessions go \
        on with what they have cached, and a role without superuser rights, which is all that a hosted server gives, is refused. ALTER TABLE \
        does nearly all of it, and most of that without a rewrite. UPDATE of pg_settings is SET, and no finding.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email varchar(40));",
        migration: "UPDATE pg_attribute SET atttypmod = 84 WHERE attrelid = 'accounts'::regclass AND attname = 'email';",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email varchar(40));",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ALTER COLUMN email TYPE varchar(80);",
    },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    let Some(table) = target(context).filter(|table| is_catalog(context, table)) else { return };
    let message =
        format!("writes {table} by hand: the server checks nothing of it, and other sessions do not see it at once");
    let mut finding = RULE.finding(table.span, message);
    finding.object = Some(PrintedName::from(table));
    finding.evidence.push(Evidence::declared(format!("{} is a table of the system catalog", table.name)));
    finding.advice = Advice::text(
        "Say it as DDL: ALTER TABLE changes names, types, lengths, statistics and constraints, and leaves the rows alone where it can.",
    );
    findings.push(finding);
}

fn target<'r>(context: &StepContext<'r>) -> Option<&'r ObjectName> {
    match context.change()? {
        Change::Insert(insert) => Some(&insert.table),
        Change::Update(update) => Some(&update.table),
        Change::Delete(delete) => Some(&delete.table),
        Change::Merge(merge) => Some(&merge.table),
        _ => None,
    }
}

/// Whether the name means a table of pg_catalog: one of the schema's own may have it too.
fn is_catalog(context: &StepContext, table: &ObjectName) -> bool {
    let name = table.name.as_str();
    let of_catalog = table.schema.as_ref().is_none_or(|schema| *schema == "pg_catalog");
    let own = context.step.schema.find_relation(table, &context.step.session).is_some();
    of_catalog && !own && name != "pg_settings" && catalog::is_system_relation(Some("pg_catalog"), name)
}
