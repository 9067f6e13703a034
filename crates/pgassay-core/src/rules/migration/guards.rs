//! What guarded the data and is gone: row security, constraints, triggers, the write-ahead log, replica identities. Like what clients
//! lose, they are told by the difference of the contracts.

use super::breaking::rule;
use super::loss::report;
use super::unseen;
use crate::change::{Change, PrintedName};
use crate::finding::{Advice, Category, Evidence, Finding, Severity};
use crate::rules::context::RunContext;
use crate::rules::{Example, Rule};

const NOTES: &str = "CREATE TABLE notes (id bigint PRIMARY KEY, owner text NOT NULL);\n\
    CREATE POLICY own ON notes USING (owner = current_user);\nALTER TABLE notes ENABLE ROW LEVEL SECURITY;";

pub static EXPOSED_ROWS: Rule = Rule {
    category: Category::Safety,
    ..rule(
        "exposed-rows",
        Severity::Error,
        "Row security is switched off or opened: roles see and write rows that it kept from them",
        "No client fails by it, so nobody notices: every role with a privilege on the table reads all tenants' rows from then on. What has to see everything \
            gets a policy or a role with BYPASSRLS of its own. A policy for further roles or rows is no finding.",
        Example { given: NOTES, migration: "SET lock_timeout = '2s';\nALTER TABLE notes DISABLE ROW LEVEL SECURITY;" },
        Example {
            given: NOTES,
            migration: "SET lock_timeout = '2s';\nCREATE POLICY support ON notes FOR SELECT TO support USING (true);",
        },
    )
};

pub(super) fn exposed_rows(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &EXPOSED_ROWS, findings);
}

const ORDERS: &str = "CREATE TABLE customers (id bigint PRIMARY KEY);\n\
    CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, total numeric NOT NULL CHECK (total >= 0));\n\
    CREATE INDEX ON orders (customer_id);";

pub static LOST_CONSTRAINT: Rule = rule(
    "lost-constraint",
    Severity::Warning,
    "A check or foreign key is dropped, or left unchecked: rows that it refused are accepted from now on",
    "Readers that rely on it meet rows that could not be, and adding it again later means finding and repairing them. Dropping one is an info. Foreign keys that DISABLE TRIGGER ALL \
        leaves unchecked are a warning: the catalog goes on to say that they hold, and the planner believes it. Keys are told by lost-conflict-target.",
    Example {
        given: ORDERS,
        migration: "SET lock_timeout = '2s';\nALTER TABLE orders DISABLE TRIGGER ALL;\nALTER TABLE orders DROP CONSTRAINT orders_total_check;",
    },
    Example {
        given: ORDERS,
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE orders DISABLE TRIGGER ALL;\nALTER TABLE orders ENABLE TRIGGER ALL;\n\
            ALTER TABLE orders DROP CONSTRAINT orders_total_check, ADD CONSTRAINT total_known CHECK (total >= 0 AND total < 1e9) NOT VALID;\nCOMMIT;",
    },
);

pub(super) fn lost_constraint(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &LOST_CONSTRAINT, findings);
    unseen::constraints(context, &LOST_CONSTRAINT, findings);
    unchecked_writes(context, findings);
}

/// Rows that a session in session_replication_role = replica writes: no foreign key is asked (`RI_FKey_check` is a trigger).
fn unchecked_writes(context: &RunContext, findings: &mut Vec<Finding>) {
    for step in context.steps().filter(|step| step.step.session.replica_role) {
        let Some(change) = step.change() else { continue };
        let table = match change {
            Change::Insert(insert) => &insert.table,
            Change::Update(update) => &update.table,
            Change::Delete(delete) => &delete.table,
            Change::Merge(merge) => &merge.table,
            _ => continue,
        };
        let found = step.step.schema.find_relation(table, &step.step.session);
        let Some(found) = found.filter(|found| step.step.is_shared(Some(found.id))) else { continue };
        if found.foreign_keys().next().is_none() && found.referenced_by.is_empty() {
            continue;
        }
        let message = format!(
            "writes {} with session_replication_role = replica: its foreign keys are not checked for these rows, then or later",
            found.name
        );
        let mut finding = LOST_CONSTRAINT.finding(table.span, message);
        finding.object = Some(PrintedName::from(&found.name));
        finding
            .evidence
            .push(Evidence::declared("the triggers that check foreign keys do not fire for a replica's session"));
        finding.advice =
            Advice::text("Write them as any other session does, or look for rows without a parent afterwards.");
        findings.push(finding);
    }
}

const AUDITED: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric NOT NULL);\n\
    CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;\n\
    CREATE TRIGGER orders_audit AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION note_change();";

pub static LOST_TRIGGER: Rule = rule(
    "lost-trigger",
    Severity::Warning,
    "A trigger is dropped, or stays switched off: what it did at every write is not done any more",
    "Audit trails, sums and search documents that a trigger kept are wrong from the first write on, and no statement fails. One that is switched off and never on again is a \
        warning: it looks as if it were there. One that is dropped is an info.",
    Example {
        given: AUDITED,
        migration: "SET lock_timeout = '2s';\nALTER TABLE orders DISABLE TRIGGER orders_audit;\nUPDATE orders SET total = 0 WHERE id = 1;",
    },
    Example {
        given: AUDITED,
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE orders DISABLE TRIGGER orders_audit;\nUPDATE orders SET total = 0 WHERE id = 1;\n\
            ALTER TABLE orders ENABLE TRIGGER orders_audit;\nCOMMIT;",
    },
);

pub(super) fn lost_trigger(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &LOST_TRIGGER, findings);
    unseen::triggers(context, &LOST_TRIGGER, findings);
}

pub static LOST_DURABILITY: Rule = Rule {
    category: Category::DataLoss,
    ..rule(
        "lost-durability",
        Severity::Error,
        "A table becomes unlogged: a crash empties it",
        "What is not in the write-ahead log is emptied when the server starts after a crash, is not on standbys, where a query on it fails, and is not in backups that replay the \
            log. A table that the migration makes unlogged itself is no finding: nothing was promised.",
        Example {
            given: "CREATE TABLE carts (id bigint PRIMARY KEY);",
            migration: "SET lock_timeout = '2s';\nALTER TABLE carts SET UNLOGGED;",
        },
        Example {
            given: "CREATE TABLE carts (id bigint PRIMARY KEY);",
            migration: "CREATE UNLOGGED TABLE cart_cache (id bigint PRIMARY KEY);",
        },
    )
};

pub(super) fn lost_durability(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &LOST_DURABILITY, findings);
}

pub static LOST_REPLICA_IDENTITY: Rule = rule(
    "lost-replica-identity",
    Severity::Error,
    "A published table has no replica identity: UPDATE and DELETE on it fail",
    "Logical replication has to tell the subscriber which row is meant. A table without a primary key that is published, or a published table that loses its key, refuses every UPDATE \
        and DELETE from that moment, on the publisher. It needs a primary key, another unique index named by REPLICA IDENTITY, or REPLICA IDENTITY FULL; or the \
        publication has publish = 'insert'.",
    Example {
        given: "CREATE TABLE events (at timestamptz NOT NULL, what text NOT NULL);",
        migration: "SET lock_timeout = '2s';\nCREATE PUBLICATION all_events FOR TABLE events;",
    },
    Example {
        given: "CREATE TABLE events (id bigint PRIMARY KEY, what text NOT NULL);",
        migration: "SET lock_timeout = '2s';\nCREATE PUBLICATION all_events FOR TABLE events;",
    },
);

pub(super) fn lost_replica_identity(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &LOST_REPLICA_IDENTITY, findings);
    unseen::replica_identity(context, &LOST_REPLICA_IDENTITY, findings);
}
