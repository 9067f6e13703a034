//! What a server tells: `check --prove` makes these findings, and nothing else does, but of bodies that name what is gone.

use super::loss::report;
use crate::finding::{Category, Finding, Severity};
use crate::rules::context::RunContext;
use crate::rules::{Example, Rule};

pub static REFUSED_BY_SERVER: Rule = Rule {
    name: "refused-by-server",
    category: Category::Failing,
    severity: Severity::Error,
    summary: "The shadow server refused a statement that was expected to run (--prove)",
    explanation: "The migrations were run on a real server, and it refused this statement; the finding has its message. Where rows were made up for it (--seed), \
        the refusal may be theirs: look whether production can hold such rows.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);",
        migration: "ALTER TABLE accounts SET (autovacuum_vacuum_scale_factor = 200);",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);",
        migration: "ALTER TABLE accounts SET (autovacuum_vacuum_scale_factor = 0.02);",
    },
};

pub static BROKEN_QUERY: Rule = Rule {
    name: "broken-query",
    category: Category::Breaking,
    severity: Severity::Error,
    summary: "A query of the application worked before the migration and does not after it (--prove --queries)",
    explanation: "The query was prepared, and where it could be run with made-up values, run, on the schema before and after the migration. Deploy code that does not \
        send it before the migration goes out, or keep the old schema usable for it.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);\n-- query: SELECT email FROM accounts WHERE id = $1",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts DROP COLUMN email;",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);\n-- query: SELECT email FROM accounts WHERE id = $1",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ADD COLUMN name text;",
    },
};

pub static BROKEN_ROUTINE: Rule = Rule {
    name: "broken-routine",
    category: Category::Breaking,
    severity: Severity::Error,
    summary: "A function or trigger that worked before the migration does not after it",
    explanation: "PostgreSQL does not note what the text of a function needs, so it lets a table or column go that a function reads, and every write of a table whose trigger \
        runs it fails. Bodies in SQL and PL/pgSQL are read with the schema before and after; what they put together as text is not seen. With --prove they are \
        checked on the shadow server too. Change the function in the same transaction.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);\nCREATE FUNCTION mail(bigint) RETURNS text LANGUAGE sql AS 'SELECT email FROM accounts WHERE id = $1';",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts RENAME COLUMN email TO mail;",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);\nCREATE FUNCTION mail(bigint) RETURNS text LANGUAGE sql AS 'SELECT email FROM accounts WHERE id = $1';",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ADD COLUMN name text;",
    },
};

pub(super) fn broken_routine(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &BROKEN_ROUTINE, findings);
}

pub static SLOWER_PLAN: Rule = Rule {
    name: "slower-plan",
    category: Category::Indexes,
    severity: Severity::Error,
    summary: "A hot query's plan costs far more after the migration (--prove with a database or snapshot)",
    explanation: "The queries of pg_stat_statements were planned with the statistics of the database, before the new migrations and after all of them, and a plan now costs \
        at least twice as much, and 100 more: an index is gone, a type no longer matches, partitions are no longer left out. Both plans are in the finding. It is a \
        warning below ten times, or where the queries would take less than a hundredth of the time all the same. Create what serves the query before the migration takes away what did.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL);\nCREATE INDEX orders_customer_id ON orders (customer_id);\n-- hot query: SELECT * FROM orders WHERE customer_id = $1",
        migration: "SET lock_timeout = '2s';\nDROP INDEX orders_customer_id;",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL);\nCREATE INDEX orders_customer_id ON orders (customer_id);\n-- hot query: SELECT * FROM orders WHERE customer_id = $1",
        migration: "CREATE INDEX CONCURRENTLY orders_customer_id_id ON orders (customer_id, id);\nDROP INDEX CONCURRENTLY orders_customer_id;",
    },
};
