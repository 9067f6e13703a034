//! How the server is set up and watched.

use super::{Discovery, SchemaContext};
use crate::change::{Name, PrintedName};
use crate::contract::Subject;
use crate::facts::{Facts, Role, Topic};
use crate::finding::{Category, FixStep, Severity};
use crate::rules::{Example, Rule};

pub static STATEMENTS: Rule = Rule {
    name: "no-query-statistics",
    category: Category::Operations,
    severity: Severity::Warning,
    summary: "pg_stat_statements is not installed: nobody knows which queries take the time",
    explanation: "It counts calls, time, rows and blocks for every normalised query, at a cost that is hard to measure. Without it pgassay cannot say which tables are hot, \
        which conditions leave out NULL, and which queries want an index. The library is loaded at start, the extension is made in the database.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE t (id bigint PRIMARY KEY);\n-- measured: setting shared_preload_libraries=none",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE t (id bigint PRIMARY KEY);\n-- measured: extension pg_stat_statements\n-- measured: setting shared_preload_libraries=pg_stat_statements",
    },
};

pub static LOGGING: Rule = Rule {
    name: "silent-log",
    category: Category::Operations,
    severity: Severity::Info,
    summary: "The log shows nothing of slow statements, of waiting for locks, or of changes to the schema",
    explanation: "After an incident the log is what is left: which statement took a minute (log_min_duration_statement), who waited for whom (log_lock_waits), who changed the schema (log_statement = ddl), \
        which sort went to disk (log_temp_files). One finding lists what is off.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE t (id bigint PRIMARY KEY);\n-- measured: setting log_min_duration_statement=-1 log_lock_waits=off log_statement=none log_temp_files=-1",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE t (id bigint PRIMARY KEY);\n-- measured: setting log_min_duration_statement=500 log_lock_waits=on log_statement=ddl log_temp_files=10240",
    },
};

pub static TIMEOUTS: Rule = Rule {
    name: "no-timeouts",
    category: Category::Operations,
    severity: Severity::Warning,
    summary: "Nothing ends a transaction that is left open, a statement that runs away, or a wait for a lock",
    explanation: "A session that is idle in a transaction keeps its locks and keeps vacuum from removing rows that died since, in every table, for as long as it likes. A statement without a limit runs after its \
        client has gone. Set them for the roles that applications use (ALTER ROLE … SET), not for the server: dumps and maintenance need longer. No limit on idle transactions is a warning, the others are named with it.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE t (id bigint PRIMARY KEY);\n-- measured: setting idle_in_transaction_session_timeout=0 statement_timeout=0 lock_timeout=0",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE t (id bigint PRIMARY KEY);\n-- measured: setting idle_in_transaction_session_timeout=60000 statement_timeout=30000 lock_timeout=5000",
    },
};

/// A discovery about the database as a whole.
pub(super) fn of_database(context: &SchemaContext, rule: &'static Rule, message: String) -> Discovery {
    let mut discovery = context.discovery(rule, Subject::Schema("public".into()), message).at(context.first_place());
    discovery.finding.object =
        context.facts.map(|facts| PrintedName::other(facts.database.name.as_str())).filter(|name| !name.is_empty());
    discovery
}

/// The value that sessions start with; what our own session set says nothing of others.
pub(super) fn default_of<'a>(facts: &'a Facts, name: &str) -> Option<&'a str> {
    facts.setting(name).filter(|setting| setting.source != "client").map(|setting| setting.value.as_str())
}

pub(super) fn statements(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let Some(facts) = context.facts else { return };
    let installed = facts
        .extensions
        .get(&crate::change::Name::from("pg_stat_statements"))
        .is_some_and(|it| it.installed_version.is_some());
    if installed
        || facts.is_unread(Topic::Settings)
        || context.workload.is_some_and(|workload| !workload.statements.is_empty())
    {
        return;
    }
    let loaded =
        facts.setting("shared_preload_libraries").is_some_and(|setting| setting.value.contains("pg_stat_statements"));
    let mut steps = vec![FixStep::any("CREATE EXTENSION pg_stat_statements;")];
    if !loaded {
        steps.insert(0, FixStep::none("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements';"));
    }
    let text = if loaded {
        "Make the extension:"
    } else {
        "Add it to shared_preload_libraries (keeping what is there) and restart the server, then make the extension:"
    };
    found.push(
        of_database(
            context,
            &STATEMENTS,
            "pg_stat_statements is not installed: which queries take the time is not known".to_owned(),
        )
        .measured(if loaded {
            "the library is loaded, the extension is not made"
        } else {
            "the extension is not made, the library is not loaded"
        })
        .advice(text, steps),
    );
}

pub(super) fn logging(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let Some(facts) = context.facts else { return };
    let is = |name: &str, values: &[&str]| default_of(facts, name).is_some_and(|value| values.contains(&value));
    let mut off = Vec::new();
    let mut steps = Vec::new();
    if is("log_min_duration_statement", &["-1"]) && !is("auto_explain.log_min_duration", &["0"]) {
        off.push("slow statements (log_min_duration_statement)");
        steps.push(FixStep::none("ALTER SYSTEM SET log_min_duration_statement = '500ms';"));
    }
    if is("log_lock_waits", &["off"]) {
        off.push("waiting for locks (log_lock_waits)");
        steps.push(FixStep::none("ALTER SYSTEM SET log_lock_waits = on;"));
    }
    if is("log_statement", &["none"]) {
        off.push("changes of the schema (log_statement)");
        steps.push(FixStep::none("ALTER SYSTEM SET log_statement = 'ddl';"));
    }
    if is("log_temp_files", &["-1"]) {
        off.push("temporary files (log_temp_files)");
        steps.push(FixStep::none("ALTER SYSTEM SET log_temp_files = '10MB';"));
    }
    if off.is_empty() {
        return;
    }
    steps.push(FixStep::any("SELECT pg_reload_conf();"));
    found.push(
        of_database(context, &LOGGING, format!("the log says nothing of {}", off.join(", ")))
            .measured("settings in force")
            .advice("Switch on what an incident will be read from:", steps),
    );
}

pub(super) fn timeouts(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let Some(facts) = context.facts else { return };
    let names = ["idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout"];
    // A role that has its own is as well off as with a server's. What our own role has hides the server's.
    let has = |role: &Role, name: &str| role.settings.iter().any(|it| it.starts_with(&format!("{name}=")));
    let applications = applications(facts);
    let by_role = |name: &str| match applications.len() {
        0 => facts.roles.values().any(|role| role.login && has(role, name)),
        _ => applications.iter().all(|(_, role)| has(role, name)),
    };
    let missing: Vec<&str> =
        names.into_iter().filter(|name| default_of(facts, name) == Some("0") && !by_role(name)).collect();
    if missing.is_empty() {
        return;
    }
    let severity = if missing.contains(&names[0]) { Severity::Warning } else { Severity::Info };
    let values = [("idle_in_transaction_session_timeout", "60s"), ("statement_timeout", "30s"), ("lock_timeout", "5s")];
    let values = values.iter().filter(|(name, _)| missing.contains(name));
    // A few roles are named; of none, or of many, it is the database that can be.
    let (text, steps): (_, Vec<FixStep>) = if (1..=MOST_ROLES).contains(&applications.len()) {
        let of_role = |(name, value): &(&str, &str)| {
            let lacking = applications.iter().filter(|(_, role)| !has(role, name));
            lacking
                .map(|(role, _)| FixStep::any(format!("ALTER ROLE {role} SET {name} = '{value}';")))
                .collect::<Vec<_>>()
        };
        (
            "Set them for the roles that applications log in as; new sessions have them:",
            values.flat_map(of_role).collect(),
        )
    } else {
        let database = Name::new(&facts.database.name);
        let of_database =
            |(name, value): &(&str, &str)| FixStep::any(format!("ALTER DATABASE {database} SET {name} = '{value}';"));
        (
            "Set them for the roles that applications log in as (ALTER ROLE … SET), or for the database; new sessions have them, and pg_dump sets its own:",
            values.map(of_database).collect(),
        )
    };
    found.push(
        of_database(context, &TIMEOUTS, format!("no limit is set for {}", missing.join(", ")))
            .severity(severity)
            .measured(match applications.len() {
                0 => "0 is what sessions start with, and no role that logs in has its own".to_owned(),
                number => format!("0 is what sessions start with; of {number} roles that log in and are not superusers some have none of their own"),
            })
            .advice(text, steps),
    );
}

const MOST_ROLES: usize = 3;

/// Roles that log in, but for superusers and our own.
fn applications(facts: &Facts) -> Vec<(&Name, &Role)> {
    let own = Name::new(&facts.server.current_user);
    facts.roles.iter().filter(|(name, role)| role.login && !role.superuser && **name != own).collect()
}
