//! How the server is set up, watched and kept clean.

use super::{Discovery, Needs, SchemaContext};
use crate::change::Name;
use crate::contract::Subject;
use crate::facts::{Facts, RelationFacts, Role, Topic};
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Check, Example, Rule};
use crate::schema::Relation;
use crate::text::numbers;

pub const STATEMENTS: Rule = Rule {
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
    check: Check::Schema(statements, Needs::Facts),
};

pub const LOGGING: Rule = Rule {
    name: "silent-log",
    category: Category::Operations,
    severity: Severity::Info,
    summary: "The log tells nothing of slow statements, of waiting for locks, or of changes to the schema",
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
    check: Check::Schema(logging, Needs::Facts),
};

pub const TIMEOUTS: Rule = Rule {
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
    check: Check::Schema(timeouts, Needs::Facts),
};

pub const VACUUM_OFF: Rule = Rule {
    name: "autovacuum-off",
    category: Category::Operations,
    severity: Severity::Error,
    summary: "Autovacuum is switched off, for the server or for a table",
    explanation: "Dead rows pile up, statistics go stale, and in the end the server stops taking writes to protect itself from transaction id wraparound. For one table it is a warning: somebody may vacuum it by hand. \
        Where autovacuum is too slow or too eager, change its scale factors and cost limits for that table.",
    fires: Example {
        given: "CREATE TABLE jobs (id bigint PRIMARY KEY);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE jobs SET (autovacuum_enabled = false);",
    },
    quiet: Example {
        given: "CREATE TABLE jobs (id bigint PRIMARY KEY);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.01);",
    },
    check: Check::Schema(vacuum_off, Needs::Schema),
};

pub const VACUUM_BEHIND: Rule = Rule {
    name: "autovacuum-behind",
    category: Category::Operations,
    severity: Severity::Warning,
    summary: "A large part of a table is dead rows",
    explanation: "Every scan reads them, and every index points to them, until vacuum has removed them. Told from a fifth of the rows and 100,000 of them on, a warning from two fifths. Either vacuum does not come \
        often enough (its scale factor is a fifth of the table: give large tables a smaller one), is too slow (its cost limit), or must not remove them: an old transaction, \
        a replication slot or a prepared transaction still sees them.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE carts (id bigint PRIMARY KEY);\n-- measured: table public.carts rows=3000000 bytes=2000000000 dead=2600000 updates=90000000",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE carts (id bigint PRIMARY KEY);\n-- measured: table public.carts rows=3000000 bytes=2000000000 dead=160000 updates=90000000",
    },
    check: Check::Schema(vacuum_behind, Needs::Facts),
};

pub const AGE: Rule = Rule {
    name: "transaction-id-age",
    category: Category::Operations,
    severity: Severity::Error,
    summary: "Old transaction ids are not frozen in time",
    explanation: "At an age of 2^31 the server stops giving out transaction ids. Autovacuum freezes tables from 200 million on (autovacuum_freeze_max_age), so an age of 500 million says that it does not get through: \
        something holds it back, or it is cancelled again and again. A warning from 500 million on, an error from a billion on.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE t (id bigint PRIMARY KEY);\n-- measured: database shop xid-age=1200000000\n-- measured: table public.t rows=1000 xid-age=1200000000",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE t (id bigint PRIMARY KEY);\n-- measured: database shop xid-age=190000000\n-- measured: table public.t rows=1000 xid-age=190000000",
    },
    check: Check::Schema(age, Needs::Facts),
};

pub const HELD_BACK: Rule = Rule {
    name: "vacuum-held-back",
    category: Category::Operations,
    severity: Severity::Warning,
    summary: "An old transaction or an unused replication slot keeps dead rows, or WAL, from being removed",
    explanation: "Vacuum may not remove what some transaction could still see; a slot that nobody reads keeps WAL until the disk is full. Told of transactions of an hour and longer, of prepared ones, and of inactive slots.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE t (id bigint PRIMARY KEY);\n-- measured: activity inactive-slot=old_replica",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE t (id bigint PRIMARY KEY);\n-- measured: database shop xid-age=1000",
    },
    check: Check::Schema(held_back, Needs::Facts),
};

pub const STALE: Rule = Rule {
    name: "stale-statistics",
    category: Category::Operations,
    severity: Severity::Warning,
    summary: "A table was never analysed, or has changed by half since",
    explanation: "The planner works with the statistics that ANALYZE left: without them it guesses, with old ones it plans for another table. Told of tables with 1,000 rows and more; \
        a table that was never analysed is a warning from 100,000 rows on.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE orders (id bigint PRIMARY KEY);\n-- measured: table public.orders rows=4000000 bytes=400000000 inserts=4000000 analyzed=never",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE orders (id bigint PRIMARY KEY);\n-- measured: table public.orders rows=4000000 bytes=400000000 inserts=4000000 modified=100000",
    },
    check: Check::Schema(stale, Needs::Facts),
};

/// A discovery about the database as a whole.
fn of_database(context: &SchemaContext, rule: &'static Rule, message: String) -> Discovery {
    let mut discovery = context.discovery(rule, Subject::Schema("public".into()), message).at(context.first_place());
    discovery.finding.object = context.facts.map(|facts| facts.database.name.clone()).filter(|name| !name.is_empty());
    discovery
}

/// The value that sessions start with; what our own session set says nothing of others.
fn default_of<'a>(facts: &'a Facts, name: &str) -> Option<&'a str> {
    facts.setting(name).filter(|setting| setting.source != "client").map(|setting| setting.value.as_str())
}

fn statements(context: &SchemaContext, found: &mut Vec<Discovery>) {
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

fn logging(context: &SchemaContext, found: &mut Vec<Discovery>) {
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

fn timeouts(context: &SchemaContext, found: &mut Vec<Discovery>) {
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
                number => format!("0 is what sessions start with; of {number} roles that log in and are no superusers some have none of their own"),
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

fn vacuum_off(context: &SchemaContext, found: &mut Vec<Discovery>) {
    if let Some(facts) = context.facts {
        for (name, harm) in
            [("autovacuum", "dead rows are not removed"), ("track_counts", "autovacuum does not know when to come")]
        {
            if default_of(facts, name) == Some("off") {
                found.push(
                    of_database(context, &VACUUM_OFF, format!("{name} is off: {harm}"))
                        .measured(format!("{name} = off"))
                        .advice(
                            "Switch it on:",
                            vec![
                                FixStep::none(format!("ALTER SYSTEM SET {name} = on;")),
                                FixStep::any("SELECT pg_reload_conf();"),
                            ],
                        ),
                );
            }
        }
    }
    for table in context.any_tables() {
        let off = |name: &str| {
            table
                .options
                .get(name)
                .and_then(|value| value.as_deref())
                .is_some_and(|value| ["false", "off", "no", "0"].contains(&value.to_ascii_lowercase().as_str()))
        };
        if !off("autovacuum_enabled") {
            continue;
        }
        let mut discovery = context
            .discovery(
                &VACUUM_OFF,
                Subject::Part(table.id, "\nautovacuum".into()),
                format!("autovacuum is off for {}: its dead rows stay, its statistics go stale", table.name),
            )
            .severity(Severity::Warning)
            .declared("autovacuum_enabled = false")
            .advice(
                "Switch it on again, and give it other limits where it came too often or too rarely:",
                vec![FixStep::own(format!("ALTER TABLE {} RESET (autovacuum_enabled);", table.name))],
            );
        discovery.finding.object = Some(table.name.to_string());
        found.push(discovery.at(context.scope.and_then(|_| context.places.last_change(table.id))));
    }
}

fn vacuum_behind(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for (table, facts) in measured_tables(context) {
        let Some(activity) = &facts.activity else { continue };
        let (dead, live) = (activity.dead_rows as f64, activity.live_rows as f64);
        let share = dead / (dead + live).max(1.0);
        if dead < 100_000.0 || share < 0.2 {
            continue;
        }
        let last = match activity.last_autovacuum {
            Some(at) => format!("last vacuumed by autovacuum at {at}"),
            None => "autovacuum has not been there since the counters were reset".to_owned(),
        };
        found.push(
            context
                .discovery(&VACUUM_BEHIND, Subject::Relation(table.id), format!("{} of the rows of {} are dead", numbers::percent(share), table.name))
                .severity(if share >= 0.4 { Severity::Warning } else { Severity::Info })
                .measured(format!("{} dead beside {} live rows; {last}", numbers::count(dead), numbers::count(live)))
                .advice(
                    "See whether something holds vacuum back (vacuum-held-back), remove what is dead now, and let autovacuum come earlier:",
                    vec![
                        FixStep::none(format!("VACUUM (ANALYZE) {};", table.name)),
                        FixStep::own(format!("ALTER TABLE {} SET (autovacuum_vacuum_scale_factor = 0.02);", table.name)),
                    ],
                ),
        );
    }
}

/// Tables with storage of their own, partitions among them.
fn measured_tables<'a>(context: &SchemaContext<'a>) -> impl Iterator<Item = (&'a Relation, &'a RelationFacts)> {
    let facts = context.facts;
    context
        .schema
        .relations
        .values()
        .map(|relation| &**relation)
        .filter(|relation| matches!(relation.kind, crate::schema::RelationKind::Table))
        .filter_map(move |relation| Some((relation, facts?.relation(&relation.name)?)))
}

const FIRST_AGE: u64 = 500_000_000;
const LAST_AGE: u64 = 1_000_000_000;

fn age(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let Some(facts) = context.facts else { return };
    let of =
        [("transaction ids", facts.database.transaction_id_age), ("multixact ids", facts.database.multixact_id_age)];
    for (what, age) in of {
        let Some(age) = age.filter(|age| *age >= FIRST_AGE) else { continue };
        let mut oldest: Vec<(u64, String)> = measured_tables(context)
            .filter_map(|(table, facts)| Some((facts.transaction_id_age?, table.name.to_string())))
            .filter(|(age, _)| *age >= FIRST_AGE)
            .collect();
        oldest.sort_by(|one, other| other.cmp(one));
        let names: Vec<&str> = oldest.iter().take(5).map(|(_, name)| name.as_str()).collect();
        let steps = names.iter().map(|name| FixStep::none(format!("VACUUM (FREEZE) {name};"))).collect();
        found.push(
            of_database(
                context,
                &AGE,
                format!(
                    "{what} are {} old: at 2,147 million the server stops taking writes",
                    numbers::count(age as f64)
                ),
            )
            .severity(if age >= LAST_AGE { Severity::Error } else { Severity::Warning })
            .measured(format!(
                "age {}; the oldest tables: {}",
                numbers::count(age as f64),
                if names.is_empty() { "not those of this schema".to_owned() } else { names.join(", ") }
            ))
            .advice("See what holds vacuum back (vacuum-held-back), then freeze the oldest tables:", steps),
        );
    }
}

fn held_back(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let Some(facts) = context.facts else { return };
    let mut causes = Vec::new();
    if let Some(oldest) = facts.activity.transactions.iter().find(|transaction| transaction.seconds >= 3600.0) {
        let state = if oldest.state.is_empty() { "open" } else { &oldest.state };
        causes.push(format!(
            "process {} has a transaction {state} for {}",
            oldest.process_id,
            numbers::duration(oldest.seconds)
        ));
    }
    if let Some(number) = facts.activity.prepared_transactions.filter(|number| *number > 0) {
        causes.push(format!("{number} prepared transactions wait for COMMIT PREPARED"));
    }
    if !facts.activity.inactive_slots.is_empty() {
        causes.push(format!("nobody reads the replication slots {}", facts.activity.inactive_slots.join(", ")));
    }
    if causes.is_empty() {
        return;
    }
    let steps = facts
        .activity
        .inactive_slots
        .iter()
        .map(|slot| FixStep::any(format!("SELECT pg_drop_replication_slot('{}');", slot.replace('\'', "''"))))
        .collect();
    found.push(
        of_database(context, &HELD_BACK, causes.join("; "))
            .confidence(Confidence::Medium)
            .measured("at the moment of reading")
            .advice("End the transaction if nobody needs it (pg_terminate_backend), finish the prepared ones, and drop slots whose reader is gone for good:", steps),
    );
}

fn stale(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for (table, facts) in measured_tables(context) {
        if facts.activity.is_none() {
            continue;
        }
        let Some(rows) = facts.row_estimate().filter(|rows| *rows >= 1000.0) else { continue };
        let modified = facts.modified_since_analyze() as f64;
        let changed = modified / rows;
        let (message, fact, severity) =
            if facts.analyzed_at().is_none() && facts.columns.is_empty() && !facts.columns_hidden {
                let severity = if rows >= 100_000.0 { Severity::Warning } else { Severity::Info };
                (
                    format!("{} was never analysed: the planner guesses", table.name),
                    format!("{} rows, no statistics", numbers::count(rows)),
                    severity,
                )
            } else if changed > 0.5 {
                let severity = if changed > 2.0 && rows >= 100_000.0 { Severity::Warning } else { Severity::Info };
                (
                    format!("{} has changed by {} since it was analysed", table.name, numbers::percent(changed)),
                    format!("{} of {} rows changed", numbers::count(modified), numbers::count(rows)),
                    severity,
                )
            } else {
                continue;
            };
        found.push(
            context.discovery(&STALE, Subject::Relation(table.id), message).severity(severity).measured(fact).advice(
                "Analyse it; if autovacuum does not get to it in time, lower its threshold for this table:",
                vec![FixStep::any(format!("ANALYZE {};", table.name))],
            ),
        );
    }
}
