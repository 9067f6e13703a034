//! Whether dead rows, old transaction ids and old statistics are cleaned up in time.

use super::operations::{default_of, of_database};
use super::{Discovery, SchemaContext};
use crate::change::PrintedName;
use crate::contract::Subject;
use crate::facts::{Prepared, RelationFacts, Slot, Transaction};
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::Relation;
use crate::text::numbers;
use crate::text::quoting::literal;

pub static VACUUM_OFF: Rule = Rule {
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
};

pub static VACUUM_BEHIND: Rule = Rule {
    name: "autovacuum-behind",
    category: Category::Operations,
    severity: Severity::Warning,
    summary: "A large part of a table is dead rows",
    explanation: "Every scan reads them, and every index points to them, until vacuum has removed them. Reported from a fifth of the rows and 100,000 of them on, a warning from two fifths. Either vacuum does not come \
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
};

pub static AGE: Rule = Rule {
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
};

pub static HELD_BACK: Rule = Rule {
    name: "vacuum-held-back",
    category: Category::Operations,
    severity: Severity::Warning,
    summary: "An old transaction or an unused replication slot keeps dead rows, or WAL, from being removed",
    explanation: "Vacuum may not remove what some transaction could still see; a slot that nobody reads keeps WAL until the disk is full. Reported for transactions of an hour and longer, of prepared ones of ten minutes and longer, of slots that nobody reads, with the WAL that they keep, and of readers that are more than 10 GB behind.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE t (id bigint PRIMARY KEY);\n-- measured: activity slot=old_replica retained=48000000000 inactive=950000",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE t (id bigint PRIMARY KEY);\n-- measured: activity slot=replica active=yes retained=16000000",
    },
};

pub static STALE: Rule = Rule {
    name: "stale-statistics",
    category: Category::Operations,
    severity: Severity::Warning,
    summary: "A table was never analysed, or has changed by half since",
    explanation: "The planner works with the statistics that ANALYZE left: without them it guesses, with old ones it plans for another table. Reported for tables with 1,000 rows and more; \
        a table that was never analysed is a warning from 100,000 rows on.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE orders (id bigint PRIMARY KEY);\n-- measured: table public.orders rows=4000000 bytes=400000000 inserts=4000000 analyzed=never",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE orders (id bigint PRIMARY KEY);\n-- measured: table public.orders rows=4000000 bytes=400000000 inserts=4000000 modified=100000",
    },
};

pub(super) fn vacuum_off(context: &SchemaContext, found: &mut Vec<Discovery>) {
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
        discovery.finding.object = Some(PrintedName::from(&table.name));
        found.push(discovery.at(context.scope.and_then(|_| context.places.last_change(table.id))));
    }
}

pub(super) fn vacuum_behind(context: &SchemaContext, found: &mut Vec<Discovery>) {
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

pub(super) fn age(context: &SchemaContext, found: &mut Vec<Discovery>) {
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

/// Seconds that an open transaction, and one that is prepared, may take before it is told.
const LONG_TRANSACTION: f64 = 3600.0;
const LONG_PREPARED: f64 = 600.0;
/// A reader that restarts is back in this time, and has little to catch up with.
const SHORT_ABSENCE: f64 = 600.0;
const LITTLE_WAL: u64 = 64 << 20;
const MUCH_WAL: u64 = 10 << 30;

/// Something that keeps vacuum, or the removal of WAL, back.
struct Cause {
    says: String,
    severity: Severity,
    step: Option<FixStep>,
}

pub(super) fn held_back(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let Some(facts) = context.facts else { return };
    let activity = &facts.activity;
    let oldest = activity.transactions.iter().find(|it| it.seconds >= LONG_TRANSACTION).map(open_transaction);
    let prepared = activity.prepared.iter().filter(|it| it.seconds >= LONG_PREPARED).map(prepared_transaction);
    let slots = activity.slots.iter().filter_map(slot);
    let causes: Vec<Cause> = oldest.into_iter().chain(prepared).chain(slots).collect();
    let Some(severity) = causes.iter().map(|cause| cause.severity).max() else { return };
    let says: Vec<&str> = causes.iter().map(|cause| cause.says.as_str()).collect();
    let mut advice = "End the transaction if nobody needs it (pg_terminate_backend), finish the prepared ones, and drop slots whose reader is gone for good".to_owned();
    if !activity.slots.is_empty() && default_of(facts, "max_slot_wal_keep_size") == Some("-1") {
        advice.push_str("; max_slot_wal_keep_size = -1 sets no bound to what a slot keeps, up to a full disk");
    }
    let steps: Vec<FixStep> = causes.iter().filter_map(|cause| cause.step.clone()).collect();
    advice.push(if steps.is_empty() { '.' } else { ':' });
    found.push(
        of_database(context, &HELD_BACK, says.join("; "))
            .severity(severity)
            .confidence(Confidence::Medium)
            .measured("at the moment of reading")
            .advice(advice, steps),
    );
}

fn open_transaction(transaction: &Transaction) -> Cause {
    let state = if transaction.state.is_empty() { "open" } else { &transaction.state };
    let (process, time) = (transaction.process_id, numbers::duration(transaction.seconds));
    Cause {
        says: format!("process {process} has a transaction {state} for {time}"),
        severity: Severity::Warning,
        step: None,
    }
}

fn prepared_transaction(transaction: &Prepared) -> Cause {
    let (name, time) = (literal(&transaction.identifier), numbers::duration(transaction.seconds));
    Cause {
        says: format!("the prepared transaction {name} has waited for COMMIT PREPARED for {time}"),
        severity: if transaction.seconds >= LONG_TRANSACTION { Severity::Warning } else { Severity::Info },
        step: Some(FixStep::none(format!("ROLLBACK PREPARED {name};"))),
    }
}

/// A slot that nobody reads, whose reader is far behind, or that is lost.
fn slot(slot: &Slot) -> Option<Cause> {
    let name = &slot.name;
    let kept = slot.retained_bytes.unwrap_or(0);
    let keeps =
        slot.retained_bytes.map(|kept| format!(" and keeps {} of WAL", numbers::bytes(kept))).unwrap_or_default();
    let drop = FixStep::any(format!("SELECT pg_drop_replication_slot({});", literal(name)));
    let cause = |says: String, severity| Some(Cause { says, severity, step: Some(drop.clone()) });
    if slot.wal_status == "lost" {
        let says = format!(
            "replication slot {name} is lost: WAL that its reader needs is gone, and the reader has to be built again"
        );
        return cause(says, Severity::Warning);
    }
    if slot.active {
        // Its reader is there: dropping the slot is no remedy.
        let says = format!("the reader of replication slot {name} is behind{keeps}");
        return (kept >= MUCH_WAL).then_some(Cause { says, severity: Severity::Warning, step: None });
    }
    let absent =
        slot.inactive_seconds.map(|seconds| format!(" for {}", numbers::duration(seconds))).unwrap_or_default();
    let is_brief = slot.inactive_seconds.is_some_and(|seconds| seconds < SHORT_ABSENCE);
    if is_brief && kept < LITTLE_WAL {
        return None;
    }
    let harmless = kept < LITTLE_WAL && slot.inactive_seconds.is_none_or(|seconds| seconds < 86_400.0);
    let severity = if harmless && slot.wal_status != "unreserved" { Severity::Info } else { Severity::Warning };
    cause(format!("nobody has read replication slot {name}{absent}{keeps}"), severity)
}

pub(super) fn stale(context: &SchemaContext, found: &mut Vec<Discovery>) {
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
