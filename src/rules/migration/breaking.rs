//! What clients lose: one rule for every kind of loss, all fed by the difference of the contracts.

use crate::change::{AlterTableActionKind, Change};
use crate::contract::{Breakage, BreakageKind, Grade, Subject};
use crate::finding::{Advice, Category, Evidence, Finding, Severity};
use crate::rules::context::{RunContext, StepContext};
use crate::rules::{Check, Example, Rule};
use crate::sql::Span;

use super::dropped_data;

const fn rule(
    name: &'static str,
    severity: Severity,
    summary: &'static str,
    explanation: &'static str,
    fires: Example,
    quiet: Example,
    check: fn(&RunContext, &mut Vec<Finding>),
) -> Rule {
    Rule {
        name,
        category: Category::Breaking,
        severity,
        summary,
        explanation,
        fires,
        quiet,
        check: Check::Migration(check),
    }
}

const ACCOUNTS: &str = "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);";

pub const DROPPED_OBJECT: Rule = rule(
    "dropped-object",
    Severity::Error,
    "A view, function, type or enum label that clients may use is dropped",
    "Statements that name it fail as soon as the migration commits, while the old code still runs. Deploy code that does not use it first. Tables and \
        columns are told by dropped-data.",
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);\nCREATE VIEW emails AS SELECT email FROM accounts;",
        migration: "SET lock_timeout = '2s';\nDROP VIEW emails;",
    },
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);\nCREATE VIEW emails AS SELECT email FROM accounts;",
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nDROP VIEW emails;\nCREATE VIEW emails AS SELECT email FROM accounts WHERE id > 0;\nCOMMIT;",
    },
    |context, findings| report(context, &DROPPED_OBJECT, findings),
);

pub const RENAMED_OBJECT: Rule = rule(
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
    |context, findings| report(context, &RENAMED_OBJECT, findings),
);

pub const CHANGED_TYPE: Rule = rule(
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
    |context, findings| report(context, &CHANGED_TYPE, findings),
);

pub const REQUIRED_COLUMN: Rule = rule(
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
    |context, findings| report(context, &REQUIRED_COLUMN, findings),
);

pub const TIGHTENED_CONSTRAINT: Rule = rule(
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
    |context, findings| report(context, &TIGHTENED_CONSTRAINT, findings),
);

pub const LOST_DEFAULT: Rule = rule(
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
    |context, findings| report(context, &LOST_DEFAULT, findings),
);

pub const NULLABLE_AGAIN: Rule = rule(
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
    |context, findings| report(context, &NULLABLE_AGAIN, findings),
);

pub const LOST_CONFLICT_TARGET: Rule = rule(
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
    |context, findings| report(context, &LOST_CONFLICT_TARGET, findings),
);

pub const CHANGED_FOREIGN_KEY_ACTION: Rule = rule(
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
    |context, findings| report(context, &CHANGED_FOREIGN_KEY_ACTION, findings),
);

pub const CHANGED_ROUTINE: Rule = rule(
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
    |context, findings| report(context, &CHANGED_ROUTINE, findings),
);

pub const CHANGED_VIEW: Rule = rule(
    "changed-view",
    Severity::Error,
    "A view returns other columns than before",
    "Readers that name a column the view lost fail; those that count on the order of SELECT * read the wrong one. Add columns at the end, and drop old ones after the readers.",
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);\nCREATE VIEW people AS SELECT id, email FROM accounts;",
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nDROP VIEW people;\nCREATE VIEW people AS SELECT id FROM accounts;\nCOMMIT;",
    },
    Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);\nCREATE VIEW people AS SELECT id FROM accounts;",
        migration: "SET lock_timeout = '2s';\nCREATE OR REPLACE VIEW people AS SELECT id, email FROM accounts;",
    },
    |context, findings| report(context, &CHANGED_VIEW, findings),
);

pub const REVOKED_PRIVILEGE: Rule = rule(
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
    |context, findings| report(context, &REVOKED_PRIVILEGE, findings),
);

pub const ROW_SECURITY: Rule = rule(
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
    |context, findings| report(context, &ROW_SECURITY, findings),
);

/// The rule that tells of a kind of loss.
fn rule_of(kind: BreakageKind) -> &'static Rule {
    use BreakageKind::*;
    match kind {
        RelationDropped | ColumnDropped | EnumValueRemoved | TypeDropped | SchemaDropped | RoutineDropped
        | PartitionDetached => &DROPPED_OBJECT,
        RelationRenamed | RelationMoved | ColumnRenamed | EnumValueRenamed | TypeRenamed | RoutineRenamed
        | SchemaRenamed => &RENAMED_OBJECT,
        ColumnTypeChanged | CompositeChanged => &CHANGED_TYPE,
        RequiredColumn => &REQUIRED_COLUMN,
        NotNullAdded | CheckAdded | UniqueAdded | ForeignKeyAdded | ExclusionAdded | DomainTightened => {
            &TIGHTENED_CONSTRAINT
        }
        DefaultDropped | ColumnGenerated | IdentityAlways => &LOST_DEFAULT,
        NotNullDropped => &NULLABLE_AGAIN,
        ConflictTargetDropped => &LOST_CONFLICT_TARGET,
        ForeignKeyActionChanged => &CHANGED_FOREIGN_KEY_ACTION,
        RoutineChanged => &CHANGED_ROUTINE,
        ViewColumnsChanged | WritesRefused => &CHANGED_VIEW,
        PrivilegeRevoked => &REVOKED_PRIVILEGE,
        RowSecurityEnabled | PolicyTightened => &ROW_SECURITY,
    }
}

fn report(context: &RunContext, rule: &Rule, findings: &mut Vec<Finding>) {
    for (breakage, step) in &context.run.breakages {
        if rule_of(breakage.kind).name != rule.name {
            continue;
        }
        let step = step.and_then(|index| context.step(index));
        if step.is_some_and(|step| dropped_data::tells(&step, &breakage.subject)) {
            continue;
        }
        let Some(span) = step.map(|step| place(&step, &breakage.subject)).or_else(|| first_span(context)) else {
            continue;
        };
        match findings.iter_mut().find(|told| told.rule == rule.name && told.span == span) {
            Some(told) => add(told, finding(context, rule, breakage, span)),
            None => findings.push(finding(context, rule, breakage, span)),
        }
    }
}

fn is_known(context: &RunContext, subject: &Subject) -> bool {
    let before = &context.run.before;
    match subject {
        Subject::Relation(id) | Subject::Column(id, _) | Subject::Part(id, _) => {
            before.relation(*id).is_none_or(|relation| relation.known)
        }
        Subject::Type(_) | Subject::Routine(_) | Subject::Schema(_) => before.complete,
    }
}

/// One cause, one finding: what else the same words take away is told in the first one's evidence.
fn add(told: &mut Finding, other: Finding) {
    told.severity = told.severity.max(other.severity);
    told.evidence.push(Evidence::declared(format!("as well: {}", other.message)));
}

fn finding(context: &RunContext, rule: &Rule, breakage: &Breakage, span: Span) -> Finding {
    let mut finding = rule.finding(span, breakage.message.clone());
    if breakage.grade == Grade::Possible {
        finding.severity = lowered(finding.severity);
    }
    finding.object = Some(breakage.object.clone());
    finding.evidence.push(match is_known(context, &breakage.subject) {
        true => Evidence::declared("the schema before the migration, compared with the schema after it"),
        false => Evidence::assumed("the statement says that it was there; what made it is not among the migrations"),
    });
    finding.witness = Some(breakage.witness.clone());
    finding.advice = Advice::text(advice(breakage.kind));
    finding
}

/// What only some clients notice weighs a step less.
fn lowered(severity: Severity) -> Severity {
    match severity {
        Severity::Error => Severity::Warning,
        Severity::Warning | Severity::Info => Severity::Info,
    }
}

fn advice(kind: BreakageKind) -> &'static str {
    use BreakageKind::*;
    match kind {
        RelationRenamed | RelationMoved => {
            "Make a view of the old name in the same transaction, and drop it when no client uses it any more."
        }
        ColumnRenamed => {
            "Add a column of the new name, keep both equal with a trigger, move the clients, then drop the old one."
        }
        ColumnTypeChanged | CompositeChanged => {
            "Add a column of the new type, keep both in step with a trigger, move the clients, then drop the old one."
        }
        RequiredColumn => {
            "Give it a default, or add it nullable and require it after the code that fills it is deployed."
        }
        NotNullAdded | CheckAdded | UniqueAdded | ForeignKeyAdded | ExclusionAdded | DomainTightened => {
            "Deploy code that obeys the constraint before this migration."
        }
        DefaultDropped | ColumnGenerated | IdentityAlways => {
            "Deploy code that no longer relies on it before this migration."
        }
        NotNullDropped => "Deploy readers that expect NULL before any writer stores it.",
        ConflictTargetDropped => {
            "Make the replacing unique index first, and drop this one after the code that names it is gone."
        }
        ForeignKeyActionChanged => "Deploy code that works with both before this migration.",
        RoutineChanged | RoutineRenamed => "Keep the old signature beside the new one until no client calls it.",
        WritesRefused => "Move the writers to the table before this migration.",
        PartitionDetached => "Deploy code that no longer needs these rows in the parent first.",
        EnumValueRenamed => "Add the new label, move the writers and the rows to it, and leave the old one unused.",
        ViewColumnsChanged => "Add columns at the end, and drop old ones after their readers.",
        PrivilegeRevoked => "Check that no running client of the role needs it.",
        RowSecurityEnabled | PolicyTightened => "Create the policies in the same transaction.",
        RelationDropped | ColumnDropped | EnumValueRemoved | TypeDropped | SchemaDropped | SchemaRenamed
        | RoutineDropped | TypeRenamed => "Deploy code that no longer uses it before this migration.",
    }
}

/// The smallest part of the statement that speaks of the subject.
fn place(step: &StepContext, subject: &Subject) -> Span {
    let whole = step.step.span();
    match (step.change(), subject) {
        (Some(Change::AlterTable(alter)), Subject::Column(id, column)) => {
            let after = step.run.after.relation(*id).and_then(|relation| relation.column_by_id(*column));
            let before = step.run.before.relation(*id).and_then(|relation| relation.column_by_id(*column));
            let named = |name: &crate::change::Ident| {
                before.is_some_and(|column| column.name == name.name)
                    || after.is_some_and(|column| column.name == name.name)
            };
            alter.actions.iter().find_map(|action| column_span(&action.kind, &named)).unwrap_or(alter.relation.span)
        }
        (Some(Change::AlterTable(alter)), Subject::Part(_, name)) => alter
            .actions
            .iter()
            .find_map(|action| match &action.kind {
                AlterTableActionKind::AddConstraint(constraint)
                    if constraint.name.as_ref().is_none_or(|written| written.name == *name) =>
                {
                    Some(constraint.span)
                }
                AlterTableActionKind::DropConstraint { constraint, .. } if constraint.name == *name => {
                    Some(constraint.span)
                }
                _ => None,
            })
            .unwrap_or_else(|| alter.actions.first().map_or(whole, |action| action.span)),
        (Some(Change::AlterTable(alter)), _) => match alter.actions.as_slice() {
            [only] => only.span,
            _ => alter.relation.span,
        },
        (Some(Change::Drop(drop)), _) => match drop.objects.as_slice() {
            [only] => only.span,
            many => many
                .iter()
                .find(|object| subject_name(step, subject).is_some_and(|name| name == object.name.name))
                .map_or(whole, |object| object.span),
        },
        (Some(Change::CreateIndex(create)), _) => create.name.as_ref().map_or(create.table.span, |name| name.span),
        (Some(Change::CreateView(create)), _) => create.name.span,
        (Some(Change::CreateMaterializedView(create)), _) => create.name.span,
        (Some(Change::CreateTable(create)), _) => create.name.span,
        (Some(Change::CreateTableAs(create)), _) => create.name.span,
        (Some(Change::CreateRoutine(create)), _) => create.name.span,
        _ => whole,
    }
}

fn column_span(action: &AlterTableActionKind, named: &impl Fn(&crate::change::Ident) -> bool) -> Option<Span> {
    use AlterTableActionKind::*;
    let column = match action {
        AddColumn { column, .. } => return named(&column.name).then(|| column.not_null.unwrap_or(column.name.span)),
        SetDataType { column, data_type, .. } => return named(column).then_some(data_type.span),
        RenameColumn { column, new_name } => return (named(column) || named(new_name)).then_some(column.span),
        DropColumn { column, .. }
        | SetDefault { column, .. }
        | DropDefault { column }
        | SetNotNull { column }
        | DropNotNull { column }
        | SetExpression { column, .. }
        | DropExpression { column, .. }
        | AddIdentity { column, .. }
        | SetIdentity { column, .. }
        | DropIdentity { column, .. } => column,
        _ => return None,
    };
    named(column).then_some(column.span)
}

fn subject_name(step: &StepContext, subject: &Subject) -> Option<crate::change::Name> {
    let before = &step.run.before;
    match subject {
        Subject::Relation(id) | Subject::Column(id, _) | Subject::Part(id, _) => {
            before.relation(*id).map(|found| found.name.name.clone())
        }
        Subject::Type(id) => before.types.get(id).map(|found| found.name.name.clone()),
        Subject::Routine(id) => before.routines.get(id).map(|found| found.name.name.clone()),
        Subject::Schema(name) => Some(name.clone()),
    }
}

fn first_span(context: &RunContext) -> Option<Span> {
    context.run.steps.first().map(|step| step.span())
}
