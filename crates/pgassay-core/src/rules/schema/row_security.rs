//! Row security that is on and does not do what it seems to.

use std::collections::BTreeSet;

use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::{Discovery, SchemaContext};
use crate::change::{Expression, RuleEvent};
use crate::contract::Subject;
use crate::expression::{AnyRow, truth};
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Policy, Relation, RelationKind};
use crate::walk;

pub static NO_POLICY: Rule = Rule {
    name: "row-security-without-policy",
    category: Category::Safety,
    severity: Severity::Warning,
    summary: "A table has row security enabled and no policy: nobody but its owner sees a row",
    explanation: "Without a policy everything is refused (manual, Row Security Policies): queries find nothing, without an error. Either the policies were forgotten, or the \
        application reads the table as its owner, for whom row security does not count.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE documents (id bigint PRIMARY KEY, company text NOT NULL);\n\
            ALTER TABLE documents ENABLE ROW LEVEL SECURITY;",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE documents (id bigint PRIMARY KEY, company text NOT NULL);\n\
            ALTER TABLE documents ENABLE ROW LEVEL SECURITY;\nCREATE POLICY own ON documents USING (company = (SELECT current_setting('app.company')));",
    },
};

pub static ALWAYS_TRUE: Rule = Rule {
    name: "policy-allows-everything",
    category: Category::Safety,
    severity: Severity::Warning,
    summary: "A policy is always true: whoever it is for may change every row",
    explanation: "Permissive policies are joined by OR, so one that is always true makes the others meaningless. To read everything may be meant (an info); to change everything rarely is. \
        Where a role is meant to see all rows, name the role in the policy.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE notes (id bigint PRIMARY KEY, owner text NOT NULL); ALTER TABLE notes ENABLE ROW LEVEL SECURITY;\n\
            CREATE POLICY everything ON notes USING (true);",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE notes (id bigint PRIMARY KEY, owner text NOT NULL); ALTER TABLE notes ENABLE ROW LEVEL SECURITY; CREATE ROLE backoffice;\n\
            CREATE POLICY everything ON notes TO backoffice USING (true);\nCREATE POLICY own ON notes USING (owner = current_user);",
    },
};

pub static OWN_TABLE: Rule = Rule {
    name: "policy-reads-own-table",
    category: Category::Safety,
    severity: Severity::Error,
    summary: "A policy reads the table that it protects: every query of the table fails",
    explanation: "To read the table the server applies its policies, which read the table: it ends with \"infinite recursion detected in policy for relation\" (rewriteHandler.c) for every role but the owner \
        and those that bypass row security. Ask a SECURITY DEFINER function with a search_path of its own instead, or keep who may see what in another table.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE members (team bigint NOT NULL, person text NOT NULL, PRIMARY KEY (team, person)); ALTER TABLE members ENABLE ROW LEVEL SECURITY;\n\
            CREATE POLICY teammates ON members USING (team IN (SELECT m.team FROM members m WHERE m.person = current_user));",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE members (team bigint NOT NULL, person text NOT NULL, PRIMARY KEY (team, person)); ALTER TABLE members ENABLE ROW LEVEL SECURITY;\n\
            CREATE TABLE teams_of (person text NOT NULL, team bigint NOT NULL, PRIMARY KEY (person, team));\n\
            CREATE POLICY teammates ON members USING (team IN (SELECT t.team FROM teams_of t WHERE t.person = current_user));",
    },
};

pub static VIEW: Rule = Rule {
    name: "view-around-row-security",
    category: Category::Safety,
    severity: Severity::Warning,
    summary: "A view shows the rows of a table past its row security",
    explanation: "A view reads with the rights of its owner, whose rows no policy hides: whoever may read the view sees them all. security_invoker (15 and later) lets it read as the caller; \
        before 15, and for materialized views, the view itself has to leave out what the caller may not see.",
    fires: Example {
        given: "CREATE TABLE notes (id bigint PRIMARY KEY, owner text NOT NULL, body text NOT NULL); ALTER TABLE notes ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON notes USING (owner = current_user);",
        migration: "CREATE VIEW all_notes AS SELECT id, body FROM notes;",
    },
    quiet: Example {
        given: "CREATE TABLE notes (id bigint PRIMARY KEY, owner text NOT NULL, body text NOT NULL); ALTER TABLE notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY own ON notes USING (owner = current_user);",
        migration: "CREATE VIEW all_notes AS SELECT id, body FROM notes;",
    },
};

pub static PER_ROW: Rule = Rule {
    name: "policy-called-per-row",
    category: Category::Indexes,
    severity: Severity::Warning,
    summary: "A policy calls a function for every row that a query looks at",
    explanation: "A condition such as company = current_setting('app.company') calls the function once a row wherever no index answers it. Within a sub-select, (SELECT current_setting('app.company')), it is called once a query. \
        Policies are part of every query of the table.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE notes (id bigint PRIMARY KEY, company text NOT NULL); ALTER TABLE notes ENABLE ROW LEVEL SECURITY;\n\
            CREATE POLICY own ON notes USING (company = current_setting('app.company'));",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE notes (id bigint PRIMARY KEY, company text NOT NULL); ALTER TABLE notes ENABLE ROW LEVEL SECURITY;\n\
            CREATE POLICY own ON notes USING (company = (SELECT current_setting('app.company')));",
    },
};

pub(super) fn protected<'a>(context: &SchemaContext<'a>) -> impl Iterator<Item = &'a Relation> + use<'a> {
    context.any_tables().filter(|table| table.row_security)
}

pub(super) fn no_policy(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in protected(context).filter(|table| table.known && table.policies.is_empty()) {
        found.push(
            context
                .discovery(
                    &NO_POLICY,
                    Subject::Relation(table.id),
                    format!("{} has row security enabled and no policy: only its owner sees its rows", table.name),
                )
                .declared("ENABLE ROW LEVEL SECURITY, and no CREATE POLICY")
                .advice(
                    "Write the policies that say who sees what, or, if nobody is meant to be kept out, switch row security off (ALTER TABLE … DISABLE ROW LEVEL SECURITY).",
                    Vec::new(),
                ),
        );
    }
}

/// Whether every row passes a policy's conditions, whatever it has in its columns.
fn is_true(policy: &Policy, table: &Relation) -> bool {
    let always = |condition: &Expression| truth(&condition.tree, &AnyRow(Some(table))) == Some(true);
    let reads = policy.using.as_ref().is_none_or(always);
    let writes = policy.with_check.as_ref().is_none_or(always);
    reads && writes && (policy.using.is_some() || policy.with_check.is_some())
}

pub(super) fn always_true(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in protected(context) {
        for policy in table.policies.iter().filter(|policy| !policy.restrictive && is_true(policy, table)) {
            let for_all = policy.roles.is_empty() || policy.roles.iter().any(|role| *role == "public");
            let reads_only = policy.command == Some(RuleEvent::Select);
            if !for_all {
                continue;
            }
            let does = match policy.command {
                None => "see and change every row",
                Some(RuleEvent::Select) => "see every row",
                Some(RuleEvent::Insert) => "insert any row",
                Some(RuleEvent::Update) => "change every row",
                Some(RuleEvent::Delete) => "delete every row",
            };
            let others = table.policies.len() - 1;
            let useless = match others {
                0 => String::new(),
                1 => "; the other policy decides nothing for it".to_owned(),
                many => format!("; the other {many} policies decide nothing for it"),
            };
            found.push(
                context
                    .discovery(
                        &ALWAYS_TRUE,
                        Subject::Part(table.id, policy.name.clone()),
                        format!("policy {} of {} lets every role {does}{useless}", policy.name, table.name),
                    )
                    .severity(if reads_only { Severity::Info } else { Severity::Warning })
                    .declared("permissive, for PUBLIC, and its condition is always true")
                    .advice(
                        "Say in the condition whose rows they are, or name the roles that may do it to all (TO role).",
                        Vec::new(),
                    ),
            );
        }
    }
}

pub(super) fn own_table(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in protected(context) {
        let reads_itself = |policy: &&Policy| {
            policy.uses.iter().any(|(relation, _)| *relation == table.id) && has_query_of(policy, table)
        };
        for policy in table.policies.iter().filter(reads_itself) {
            found.push(
                context
                    .discovery(
                        &OWN_TABLE,
                        Subject::Part(table.id, policy.name.clone()),
                        format!(
                            "policy {} of {} reads {} itself: queries fail with \"infinite recursion detected in policy\"",
                            policy.name, table.name, table.name
                        ),
                    )
                    .confidence(Confidence::High)
                    .declared("a sub-select of its condition names the table")
                    .advice(
                        "Ask a SECURITY DEFINER function that sets its search_path, owned by a role for which row security does not count; or keep memberships in a table of their own.",
                        Vec::new(),
                    ),
            );
        }
    }
}

/// Whether a sub-select of the condition reads the table: the columns of the row itself are uses of it as well.
fn has_query_of(policy: &Policy, table: &Relation) -> bool {
    let name = table.name.name.as_str();
    let reads = |expression: &crate::change::Expression| {
        let mut reads = false;
        let _: std::ops::ControlFlow<()> = walk::visit_relations(&*expression.tree, |relation| {
            let last = relation.0.last().and_then(|part| part.as_ident());
            reads |= last.is_some_and(|ident| ident.value.eq_ignore_ascii_case(name));
            std::ops::ControlFlow::Continue(())
        });
        reads
    };
    policy.using.iter().chain(&policy.with_check).any(reads)
}

pub(super) fn views(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for view in context.schema.relations.values().filter(|it| context.scope.is_none_or(|scope| scope.contains(&it.id)))
    {
        let (of, materialized) = match &view.kind {
            RelationKind::View(of) => (of, false),
            RelationKind::MaterializedView(of) => (of, true),
            _ => continue,
        };
        if !materialized && invokes(view) {
            continue;
        }
        let used: BTreeSet<_> = of.uses.iter().map(|(id, _)| *id).collect();
        let secured = used.into_iter().filter_map(|id| context.schema.relation(id)).find(|table| table.row_security);
        let Some(table) = secured else { continue };
        // What the owner may not see either is not shown.
        if table.force_row_security || view.owner.is_some() && table.owner.is_some() && view.owner != table.owner {
            continue;
        }
        let kind = if materialized { "materialized view" } else { "view" };
        let steps = match materialized || !context.version.at_least(15) {
            true => Vec::new(),
            false => vec![FixStep::own(format!("ALTER VIEW {} SET (security_invoker = true);", view.name))],
        };
        let mut discovery = context
            .discovery(
                &VIEW,
                Subject::Relation(view.id),
                format!("{kind} {} shows rows of {} that its policies hide", view.name, table.name),
            )
            .confidence(Confidence::Medium)
            .declared(match materialized {
                true => "its rows were read by its owner, and have no policies",
                false => "it reads with its owner's rights: security_invoker is not set",
            })
            .related(Subject::Relation(table.id), "the table with row security")
            .advice(
                match steps.is_empty() {
                    true => "Revoke SELECT on it from the roles that the policies are for, or leave out in its query what they may not see.",
                    false => "Let it read with the rights of whoever asks, once these have SELECT on the table:",
                },
                steps,
            );
        discovery.table = Some(table.id);
        found.push(discovery);
    }
}

/// WITH (security_invoker), alone or with a value that is true.
fn invokes(view: &Relation) -> bool {
    view.options.get("security_invoker").is_some_and(|value| {
        value
            .as_ref()
            .is_none_or(|value| matches!(&*value.to_ascii_lowercase(), "true" | "on" | "yes" | "1" | "'true'"))
    })
}

pub(super) fn per_row(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in protected(context) {
        let calls = |policy: &&Policy| policy.using.iter().any(|condition| calls_outside_query(&condition.tree));
        let policies: Vec<&Policy> = table.policies.iter().filter(calls).collect();
        let Some(first) = policies.first() else { continue };
        let names: Vec<String> = policies.iter().map(|policy| policy.name.to_string()).collect();
        let rows = context.rows(table);
        let mut discovery = context
            .discovery(
                &PER_ROW,
                Subject::Part(table.id, first.name.clone()),
                format!("policies of {} ({}) call a function for every row that is looked at", table.name, names.join(", ")),
            )
            .severity(Severity::Info)
            .confidence(Confidence::Medium)
            .declared("a function that is not immutable is called outside a sub-select")
            .advice(
                "Put the call into a sub-select, which is run once a query: ALTER POLICY … USING (column = (SELECT current_setting('…'))). An index on the column then serves every query.",
                Vec::new(),
            );
        if let Some(rows) = rows {
            discovery = discovery.measured(format!("{} rows", crate::text::numbers::count(rows)));
        }
        match rows.is_some_and(|rows| rows >= 1_000_000.0) {
            true => discovery = discovery.severity(Severity::Warning),
            false => discovery.habit = Some("policies call a function for every row that is looked at".to_owned()),
        }
        found.push(discovery);
    }
}

/// `current_setting(…)`, or a function of a schema of its own such as `auth.uid()`, that no sub-select is around.
fn calls_outside_query(expr: &Expr) -> bool {
    match expr {
        Expr::Function(function) => is_session_call(function) || arguments(function).any(calls_outside_query),
        Expr::BinaryOp { left, right, .. } => calls_outside_query(left) || calls_outside_query(right),
        Expr::Nested(inner)
        | Expr::UnaryOp { expr: inner, .. }
        | Expr::Cast { expr: inner, .. }
        | Expr::IsNull(inner)
        | Expr::IsNotNull(inner)
        | Expr::IsTrue(inner)
        | Expr::IsNotTrue(inner) => calls_outside_query(inner),
        Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => {
            calls_outside_query(left) || calls_outside_query(right)
        }
        Expr::InList { expr, list, .. } => calls_outside_query(expr) || list.iter().any(calls_outside_query),
        _ => false,
    }
}

fn is_session_call(function: &Function) -> bool {
    let parts: Vec<&str> = function.name.0.iter().filter_map(|part| Some(part.as_ident()?.value.as_str())).collect();
    match parts[..] {
        [name] => name.eq_ignore_ascii_case("current_setting"),
        [schema, name] => {
            schema.eq_ignore_ascii_case("auth")
                && ["uid", "jwt", "role", "email"].iter().any(|it| name.eq_ignore_ascii_case(it))
                || schema.eq_ignore_ascii_case("pg_catalog") && name.eq_ignore_ascii_case("current_setting")
        }
        _ => false,
    }
}

fn arguments(function: &Function) -> impl Iterator<Item = &Expr> {
    let list = match &function.args {
        FunctionArguments::List(list) => list.args.as_slice(),
        _ => &[],
    };
    list.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. } => Some(expr),
        _ => None,
    })
}
