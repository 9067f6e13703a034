//! What is found while files are read: statements nobody could read, and comments for pgassay that do nothing.

use crate::finding::{Category, Severity};
use crate::rules::{Example, Rule};

pub static UNREADABLE_STATEMENT: Rule = Rule {
    name: "unreadable-statement",
    category: Category::Failing,
    severity: Severity::Warning,
    summary: "A statement could not be read, so nothing is known of what it does",
    explanation: "Either it has a syntax error, and the server refuses it too, or it is a form that pgassay does not know yet. \
        Where the first words say that no version reads it (ALTER TABEL), it is refused-statement, an error. The rest of the file is judged; \
        --strict makes it an error, because a gate cannot vouch for what it has not read.",
    fires: Example { given: "", migration: "ALTER THING accounts ADD COLUMN note text;" },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ADD COLUMN note text;",
    },
};

pub static DYNAMIC_STATEMENT: Rule = Rule {
    name: "dynamic-statement",
    category: Category::Failing,
    severity: Severity::Warning,
    summary: "A DO block builds a statement when it runs, so nothing is known of what it does",
    explanation: "EXECUTE of a literal, of literals put together, and of format() with literals is read and judged like any other statement. What depends on data or on \
        variables is not guessed. From there on an object that pgassay has not seen made may exist. \
        A warning where the text begins with DROP, TRUNCATE or DELETE, an info elsewhere.",
    fires: Example {
        given: "",
        migration: "DO $$ DECLARE t text := current_setting('my.table'); BEGIN EXECUTE 'DROP TABLE ' || t; END $$;",
    },
    quiet: Example {
        given: "",
        migration: "DO $$ BEGIN EXECUTE 'CREATE TABLE notes (id bigint PRIMARY KEY)'; END $$;",
    },
};

pub static UNKNOWN_RULE: Rule = Rule {
    name: "unknown-rule",
    category: Category::Hygiene,
    severity: Severity::Warning,
    summary: "An allow comment names a rule that does not exist",
    explanation: "The comment suppresses nothing. pgassay rules lists the names.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint);",
        migration: "SET lock_timeout = '2s';\n-- pgassay: allow(droped-data) the column was never used\nALTER TABLE accounts DROP COLUMN id;",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint);",
        migration: "SET lock_timeout = '2s';\n-- pgassay: allow(dropped-data) the column was never used\nALTER TABLE accounts DROP COLUMN id;",
    },
};

pub static UNUSED_SUPPRESSION: Rule = Rule {
    name: "unused-suppression",
    category: Category::Hygiene,
    severity: Severity::Warning,
    summary: "An allow comment covers no finding",
    explanation: "Its statement has changed, or the comment is at another statement than intended. Remove it, so that it does not hide a later finding.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint);",
        migration: "SET lock_timeout = '2s';\n-- pgassay: allow(blocking-rewrite) it is small\nALTER TABLE accounts ADD COLUMN note text;",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint);",
        migration: "SET lock_timeout = '2s';\n-- pgassay: allow(blocking-rewrite) it is small\n\
            ALTER TABLE accounts ADD COLUMN token uuid DEFAULT gen_random_uuid();",
    },
};

pub static ALLOW_WITHOUT_REASON: Rule = Rule {
    name: "allow-without-reason",
    category: Category::Hygiene,
    severity: Severity::Warning,
    summary: "An allow comment covers a finding on payments, permissions or personal data, and does not say why",
    explanation: "[areas] in pgassay.toml says which tables these are. There a comment without a reason allows nothing: whoever reads it later has to know \
        who looked at the statement, and what made it safe. Any words after the list of rules are a reason. The examples have billing.* in the area of payments.",
    fires: Example {
        given: "CREATE SCHEMA billing; CREATE TABLE billing.charges (id bigint, note text);",
        migration: "SET lock_timeout = '2s';\n-- pgassay: allow(dropped-data)\nALTER TABLE billing.charges DROP COLUMN note;",
    },
    quiet: Example {
        given: "CREATE SCHEMA billing; CREATE TABLE billing.charges (id bigint, note text);",
        migration: "SET lock_timeout = '2s';\n-- pgassay: allow(dropped-data) never written, checked on 2 May\nALTER TABLE billing.charges DROP COLUMN note;",
    },
};
