//! Roles for which row security does not count: who owns a table, and who has BYPASSRLS.

use std::collections::BTreeSet;

use super::row_security::protected;
use super::{Discovery, SchemaContext};
use crate::change::{Name, PrintedName};
use crate::contract::Subject;
use crate::facts::{Facts, Workload};
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::Relation;

pub static BYPASSED: Rule = Rule {
    name: "row-security-bypassed",
    category: Category::Safety,
    severity: Severity::Warning,
    summary: "The application logs in as a role for which row security does not count",
    explanation: "Policies are not applied to superusers, to roles with BYPASSRLS, and to the owner of the table unless FORCE ROW LEVEL SECURITY is set: if the application is one of these, the policies protect nothing. \
        Who runs the queries is read from pg_stat_statements; a role that could and of which it has no statement is an info. Let the application log in as a role that owns nothing.",
    fires: Example {
        given: "CREATE ROLE app LOGIN;",
        migration: "CREATE TABLE notes (id bigint PRIMARY KEY, owner text NOT NULL);\nALTER TABLE notes OWNER TO app;\nALTER TABLE notes ENABLE ROW LEVEL SECURITY;\nCREATE POLICY own ON notes USING (owner = current_user);\n\
            -- measured: query calls=5000 mean=1 user=app: SELECT id FROM notes WHERE owner = $1",
    },
    quiet: Example {
        given: "CREATE ROLE app LOGIN;",
        migration: "CREATE TABLE notes (id bigint PRIMARY KEY, owner text NOT NULL);\nALTER TABLE notes OWNER TO app;\nALTER TABLE notes ENABLE ROW LEVEL SECURITY;\nALTER TABLE notes FORCE ROW LEVEL SECURITY;\nCREATE POLICY own ON notes USING (owner = current_user);\n\
            -- measured: query calls=5000 mean=1 user=app: SELECT id FROM notes WHERE owner = $1",
    },
};

pub(super) fn bypassed(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let Some(facts) = context.facts else { return };
    let told = match context.workload {
        Some(workload) => by_statements(context, facts, workload, found),
        None => BTreeSet::new(),
    };
    by_privilege(context, facts, &told, found);
}

/// Roles that ran statements, as pg_stat_statements has it; those that were told.
fn by_statements(
    context: &SchemaContext,
    facts: &Facts,
    workload: &Workload,
    found: &mut Vec<Discovery>,
) -> BTreeSet<Name> {
    let mut tables: std::collections::BTreeMap<(Name, &'static str), Vec<&Relation>> = Default::default();
    let users_of = |table: &Relation| -> BTreeSet<&str> {
        let uses = context.uses.iter().filter(|one| one.table == table.id);
        uses.map(|one| workload.statements[one.statement].user.as_str()).filter(|user| !user.is_empty()).collect()
    };
    for table in protected(context).filter(|table| !table.policies.is_empty()) {
        for user in users_of(table) {
            let name = Name::new(user);
            let role = facts.roles.get(&name);
            let owns = table.owner.as_ref() == Some(&name) && !table.force_row_security;
            let why = match role {
                Some(role) if role.superuser => "is a superuser",
                Some(role) if role.bypasses_row_security => "has BYPASSRLS",
                _ if owns => "owns",
                _ => continue,
            };
            // Whoever reads the facts is not the application.
            if user == facts.server.current_user && why != "owns" {
                continue;
            }
            tables.entry((name, why)).or_default().push(table);
        }
    }
    let told = tables.keys().map(|(role, _)| role.clone()).collect();
    for ((role, why), tables) in tables {
        let first = tables[0];
        let names: Vec<String> = tables.iter().take(6).map(|table| table.name.to_string()).collect();
        let more = if tables.len() > 6 { " …" } else { "" };
        let (message, steps) = match why {
            "owns" => (
                format!("role {role} queries {} as its owner: the policies do not count", list(&names, more)),
                tables
                    .iter()
                    .map(|table| FixStep::own(format!("ALTER TABLE {} FORCE ROW LEVEL SECURITY;", table.name)))
                    .collect(),
            ),
            why => {
                (format!("role {role} {why} and queries {}: the policies do not count", list(&names, more)), Vec::new())
            }
        };
        let mut discovery = context
            .discovery(&BYPASSED, Subject::Part(first.id, Name::from(format!("\nrole {role}").as_str())), message)
            .confidence(Confidence::High)
            .measured(format!("statements of {role} in pg_stat_statements read the table"))
            .at(context.places.of(&Subject::Relation(first.id)))
            .advice(
                "Let the application log in as a role that owns nothing and has no BYPASSRLS; FORCE ROW LEVEL SECURITY makes the policies count for the owner too, and shows what would break:",
                steps,
            );
        discovery.finding.object = Some(PrintedName::from(&first.name));
        found.push(discovery);
    }
    told
}

/// Roles that ran no statement which is known: those that may log in, read a table with row security, and see all of it.
fn by_privilege(context: &SchemaContext, facts: &Facts, told: &BTreeSet<Name>, found: &mut Vec<Discovery>) {
    for (name, role) in &facts.roles {
        if !role.login || role.superuser || told.contains(name) || *name == *facts.server.current_user {
            continue;
        }
        let reads = |table: &&Relation| {
            let granted = |it: &crate::schema::Privilege| it.grantee == *name || role.member_of.contains(&it.grantee);
            table.privileges.iter().any(granted)
        };
        let owns = |table: &&Relation| table.owner.as_ref() == Some(name) && !table.force_row_security;
        let policies = || protected(context).filter(|table| !table.policies.is_empty());
        let (tables, why): (Vec<&Relation>, &str) = match role.bypasses_row_security {
            true => (policies().filter(reads).collect(), "may log in, has BYPASSRLS and may read"),
            false => (policies().filter(owns).collect(), "may log in and owns"),
        };
        let Some(first) = tables.first() else { continue };
        let names: Vec<String> = tables.iter().take(6).map(|table| table.name.to_string()).collect();
        let more = if tables.len() > 6 { " …" } else { "" };
        let steps = match role.bypasses_row_security {
            true => Vec::new(),
            false => tables
                .iter()
                .map(|table| FixStep::own(format!("ALTER TABLE {} FORCE ROW LEVEL SECURITY;", table.name)))
                .collect(),
        };
        let mut discovery = context
            .discovery(
                &BYPASSED,
                Subject::Part(first.id, Name::from(format!("\nrole {name}").as_str())),
                format!("role {name} {why} {}: for it the policies do not count", list(&names, more)),
            )
            .severity(Severity::Info)
            .confidence(Confidence::Medium)
            .declared("of roles and their privileges; pg_stat_statements has no statement of it on these tables")
            .at(context.places.of(&Subject::Relation(first.id)))
            .advice(
                "If the application logs in as it, let it log in as a role that owns nothing and has no BYPASSRLS; FORCE ROW LEVEL SECURITY makes the policies count for the owner too:",
                steps,
            );
        discovery.finding.object = Some(PrintedName::from(&first.name));
        found.push(discovery);
    }
}

fn list(names: &[String], more: &str) -> String {
    format!("{}{more}", names.join(", "))
}
