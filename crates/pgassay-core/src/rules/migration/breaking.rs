//! What clients lose: one rule for every kind of loss, all fed by the difference of the contracts.

use super::loss::report;
use super::unseen;
use crate::finding::{Category, Finding, Severity};
use crate::rules::context::RunContext;
use crate::rules::{Example, Rule};

/// A rule about what running clients lose.
pub(super) const fn rule(
    name: &'static str,
    severity: Severity,
    summary: &'static str,
    explanation: &'static str,
    fires: Example,
    quiet: Example,
) -> Rule {
    Rule { name, category: Category::Breaking, severity, summary, explanation, fires, quiet }
}

const ACCOUNTS: &str = "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);";

pub static DROPPED_OBJECT: Rule = rule(
    "dropped-object",
    Severity::Error,
    "A view, function, type, enum label, extension or publication that clients may use is dropped",
    "Statements that name it fail as soon as the migration commits, while the old code still runs. Deploy code that does not use it first. Tables and columns are reported by dropped-data.",
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);\nCREATE VIEW emails AS SELECT email FROM accounts;",
        migration: "SET lock_timeout = '2s';\nDROP VIEW emails;",
    },
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);\nCREATE VIEW emails AS SELECT email FROM accounts;",
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nDROP VIEW emails;\nCREATE VIEW emails AS SELECT email FROM accounts WHERE id > 0;\nCOMMIT;",
    },
);

pub(super) fn dropped_object(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &DROPPED_OBJECT, findings);
    unseen::dropped_objects(context, &DROPPED_OBJECT, findings);
    unseen::taken_along(context, &DROPPED_OBJECT, findings);
}

pub static RENAMED_OBJECT: Rule = rule(
    "renamed-object",
    Severity::Error,
    "A table, column, type, schema or function is renamed or moved, and no compatible object keeps the old name",
    "Old code and new code cannot both work: one of them uses the wrong name until all servers run the new code. Keep both names for a time: a view of the old \
        name over the renamed table, or a new column kept equal by a trigger.",
    Example {
        given: ACCOUNTS,
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts RENAME COLUMN email TO mail;",
    },
    Example {
        given: ACCOUNTS,
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE accounts RENAME TO users;\nCREATE VIEW accounts AS SELECT * FROM users;\nCOMMIT;",
    },
);

pub(super) fn renamed_object(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &RENAMED_OBJECT, findings);
}

pub static CHANGED_TYPE: Rule = rule(
    "changed-type",
    Severity::Error,
    "A column's type changes so that old values, parameters or readers no longer fit",
    "Statements that clients prepared for the old type fail or get answers they cannot decode. Add a column of the new type, keep both in step with a trigger, move the \
        readers, then the writers, and drop the old one.",
    Example {
        given: ACCOUNTS,
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ALTER COLUMN email TYPE int USING length(email);",
    },
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email varchar(40));",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ALTER COLUMN email TYPE varchar(80);",
    },
);

pub(super) fn changed_type(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &CHANGED_TYPE, findings);
}

pub static REQUIRED_COLUMN: Rule = rule(
    "required-column",
    Severity::Error,
    "INSERTs of running code fail, because they do not give a value that is now required",
    "Running code does not know the new column, so its INSERTs leave it out and fail. Give the column a default, or add it nullable, deploy the code that fills it, and \
        require it afterwards.",
    Example {
        given: ACCOUNTS,
        migration: "SET lock_timeout = '2s';\nTRUNCATE accounts;\nALTER TABLE accounts ADD COLUMN plan text NOT NULL;",
    },
    Example {
        given: ACCOUNTS,
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ADD COLUMN plan text NOT NULL DEFAULT 'free';",
    },
);

pub(super) fn required_column(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &REQUIRED_COLUMN, findings);
}

pub static TIGHTENED_CONSTRAINT: Rule = rule(
    "tightened-constraint",
    Severity::Warning,
    "Rows that running code may write are refused from now on",
    "A new NOT NULL, CHECK, UNIQUE, foreign key, exclusion or domain constraint is enforced for every new row at once, also when it is added NOT VALID. Make sure that the \
        code which runs already obeys it before the migration goes out.",
    Example {
        given: ACCOUNTS,
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ADD CONSTRAINT has_at CHECK (email LIKE '%@%') NOT VALID;",
    },
    Example {
        given: ACCOUNTS,
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ADD COLUMN age int;\nALTER TABLE accounts ADD CONSTRAINT grown CHECK (age > 17) NOT VALID;",
    },
);

pub(super) fn tightened_constraint(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &TIGHTENED_CONSTRAINT, findings);
}

pub static LOST_DEFAULT: Rule = rule(
    "lost-default",
    Severity::Error,
    "A default or identity that INSERTs relied on is gone, or a column can no longer be written",
    "INSERTs that leave the column out fail, or store NULL where there was a value; into a generated column no value can be written at all.",
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, plan text NOT NULL DEFAULT 'free');",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ALTER COLUMN plan DROP DEFAULT;",
    },
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, plan text NOT NULL DEFAULT 'free');",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ALTER COLUMN plan SET DEFAULT 'paid';",
    },
);

pub(super) fn lost_default(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &LOST_DEFAULT, findings);
}

pub static NULLABLE_AGAIN: Rule = rule(
    "nullable-again",
    Severity::Info,
    "A column may be NULL from now on, and readers that relied on a value may not expect it",
    "Code that decodes the column into a type without NULL fails when it meets the first one. Deploy readers that expect NULL before any writer stores it.",
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text NOT NULL);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ALTER COLUMN email DROP NOT NULL;",
    },
    Example {
        given: ACCOUNTS,
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ALTER COLUMN email DROP NOT NULL;",
    },
);

pub(super) fn nullable_again(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &NULLABLE_AGAIN, findings);
}

pub static LOST_CONFLICT_TARGET: Rule = rule(
    "lost-conflict-target",
    Severity::Warning,
    "A unique index or constraint that INSERT ... ON CONFLICT needs is dropped",
    "ON CONFLICT (columns) needs a unique index on exactly these columns; without it the INSERT fails to plan, whether there is a conflict or not. Duplicates are \
        accepted from then on, too.",
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text UNIQUE);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts DROP CONSTRAINT accounts_email_key;",
    },
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text UNIQUE);\nCREATE UNIQUE INDEX accounts_email_idx ON accounts (email);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts DROP CONSTRAINT accounts_email_key;",
    },
);

pub(super) fn lost_conflict_target(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &LOST_CONFLICT_TARGET, findings);
}

pub static CHANGED_FOREIGN_KEY_ACTION: Rule = rule(
    "changed-foreign-key-action",
    Severity::Warning,
    "Deleting or updating a referenced row does something else than before",
    "Code that deletes a parent row relied on its children going with it, or on being refused. Deploy code that works with both first.",
    Example {
        given: "CREATE TABLE a (id bigint PRIMARY KEY);\nCREATE TABLE b (a_id bigint, CONSTRAINT b_a_fk FOREIGN KEY (a_id) REFERENCES a ON DELETE CASCADE);",
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE b DROP CONSTRAINT b_a_fk, ADD CONSTRAINT b_a_fk FOREIGN KEY (a_id) REFERENCES a NOT VALID;\nCOMMIT;",
    },
    Example {
        given: "CREATE TABLE a (id bigint PRIMARY KEY);\nCREATE TABLE b (a_id bigint, CONSTRAINT b_a_fk FOREIGN KEY (a_id) REFERENCES a);",
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE b DROP CONSTRAINT b_a_fk, ADD CONSTRAINT b_a_fk FOREIGN KEY (a_id) REFERENCES a NOT VALID;\nCOMMIT;",
    },
);

pub(super) fn changed_foreign_key_action(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &CHANGED_FOREIGN_KEY_ACTION, findings);
}

pub static CHANGED_ROUTINE: Rule = rule(
    "changed-routine",
    Severity::Error,
    "A function can no longer be called as before, or returns something else",
    "Calls with the old arguments find no function, or get columns they do not expect. Make a function of another name or signature, move the callers, then drop the old one.",
    Example {
        given: "CREATE FUNCTION tax(amount numeric) RETURNS numeric LANGUAGE sql AS 'SELECT amount * 0.2';",
        migration: "BEGIN;\nDROP FUNCTION tax(numeric);\nCREATE FUNCTION tax(amount numeric, country text) RETURNS numeric LANGUAGE sql AS 'SELECT amount * 0.2';\nCOMMIT;",
    },
    Example {
        given: "CREATE FUNCTION tax(amount numeric) RETURNS numeric LANGUAGE sql AS 'SELECT amount * 0.2';",
        migration: "BEGIN;\nDROP FUNCTION tax(numeric);\nCREATE FUNCTION tax(amount numeric, country text DEFAULT 'de') RETURNS numeric LANGUAGE sql AS 'SELECT amount * 0.2';\nCOMMIT;",
    },
);

pub(super) fn changed_routine(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &CHANGED_ROUTINE, findings);
}

pub static CHANGED_VIEW: Rule = rule(
    "changed-view",
    Severity::Error,
    "A view returns other columns or rows than before",
    "Readers that name a column the view lost fail; those that count on the order of SELECT * read the wrong one. Add columns at the end, and drop old ones after the readers. \
        Another condition takes rows away from readers, or shows them rows that it hid, and no statement fails by it: a warning.",
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);\nCREATE VIEW people AS SELECT id, email FROM accounts;",
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nDROP VIEW people;\nCREATE VIEW people AS SELECT id FROM accounts;\nCOMMIT;",
    },
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);\nCREATE VIEW people AS SELECT id FROM accounts;",
        migration: "SET lock_timeout = '2s';\nCREATE OR REPLACE VIEW people AS SELECT id, email FROM accounts;",
    },
);

pub(super) fn changed_view(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &CHANGED_VIEW, findings);
}

pub static REVOKED_PRIVILEGE: Rule = rule(
    "revoked-privilege",
    Severity::Warning,
    "A privilege that a role had is revoked",
    "Statements of that role fail with \"permission denied\". If that is the point, allow the finding with the reason.",
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY);\nGRANT SELECT ON accounts TO reporting;",
        migration: "REVOKE SELECT ON accounts FROM reporting;",
    },
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY);",
        migration: "GRANT SELECT ON accounts TO reporting;",
    },
);

pub(super) fn revoked_privilege(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &REVOKED_PRIVILEGE, findings);
}

pub static ROW_SECURITY: Rule = rule(
    "row-security",
    Severity::Error,
    "Row security hides rows that clients saw",
    "With row security enabled and no policy that passes, every role but the owner sees no row and can write none. Make the policies in the same transaction, before or after \
        ENABLE ROW LEVEL SECURITY.",
    Example { given: ACCOUNTS, migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ENABLE ROW LEVEL SECURITY;" },
    Example {
        given: ACCOUNTS,
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nCREATE POLICY everyone ON accounts USING (true);\nALTER TABLE accounts ENABLE ROW LEVEL SECURITY;\nCOMMIT;",
    },
);

pub(super) fn row_security(context: &RunContext, findings: &mut Vec<Finding>) {
    report(context, &ROW_SECURITY, findings);
}
