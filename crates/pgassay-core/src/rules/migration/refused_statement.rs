//! Statements that the server refuses whatever the rows are.

use crate::apply::ProblemKind;
use crate::change::{Change, Form, Name, Newer};
use crate::effect::{FailsWhen, Failure};
use crate::finding::{Advice, Category, Cause, Evidence, FailureWhen, Finding, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule, nearest_of};

pub static MISSING_OBJECT: Rule = Rule {
    name: "missing-object",
    category: Category::Failing,
    severity: Severity::Error,
    summary: "A statement names something that does not exist at that point of the history",
    explanation: "The schema is known to be complete (the history starts from nothing, or a base is given), and no earlier statement makes what this one names. \
        Often a typo, a wrong schema, or an object that an earlier migration dropped or renamed.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE acounts ADD COLUMN note text;",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE IF EXISTS acounts ADD COLUMN note text;",
    },
};

pub(super) fn missing_object(context: &StepContext, findings: &mut Vec<Finding>) {
    problems(context, ProblemKind::Missing, &MISSING_OBJECT, findings);
}

pub static DUPLICATE_OBJECT: Rule = Rule {
    name: "duplicate-object",
    category: Category::Failing,
    severity: Severity::Error,
    summary: "A statement makes something that already exists at that point of the history",
    explanation: "An earlier statement made an object of this name in the same place, and nothing dropped it since.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY);",
        migration: "CREATE TABLE accounts (id bigint PRIMARY KEY);",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY);",
        migration: "CREATE TABLE IF NOT EXISTS accounts (id bigint PRIMARY KEY);",
    },
};

pub(super) fn duplicate_object(context: &StepContext, findings: &mut Vec<Finding>) {
    problems(context, ProblemKind::Duplicate, &DUPLICATE_OBJECT, findings);
}

pub static DEPENDENT_OBJECT: Rule = Rule {
    name: "dependent-object",
    category: Category::Failing,
    severity: Severity::Error,
    summary: "A statement drops or changes something that other objects depend on",
    explanation: "PostgreSQL refuses to drop what a view, foreign key, default or function needs unless CASCADE is written, and to change the type of a column \
        that a view uses. Drop and recreate the dependent objects in the same transaction, rather than write CASCADE.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);\nCREATE VIEW emails AS SELECT email FROM accounts;",
        migration: "SET lock_timeout = '2s';\nDROP TABLE accounts;",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);\nCREATE VIEW emails AS SELECT email FROM accounts;",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ADD COLUMN note text;",
    },
};

pub(super) fn dependent_object(context: &StepContext, findings: &mut Vec<Finding>) {
    problems(context, ProblemKind::Dependent, &DEPENDENT_OBJECT, findings);
}

pub static REFUSED_STATEMENT: Rule = Rule {
    name: "refused-statement",
    category: Category::Failing,
    severity: Severity::Error,
    summary: "The server refuses the statement on this schema, or on this version",
    explanation: "The statement can be read, but not run: it needs a newer server, the wrong kind of object is named, a table already has a primary key, an \
        option is not allowed there.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text NOT NULL);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ADD PRIMARY KEY (email);",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint, email text NOT NULL);",
        migration: "SET lock_timeout = '2s';\nCREATE TABLE copies (id bigint PRIMARY KEY);",
    },
};

pub(super) fn refused_statement(context: &StepContext, findings: &mut Vec<Finding>) {
    if too_new(context, findings) {
        return;
    }
    problems(context, ProblemKind::Invalid, &REFUSED_STATEMENT, findings);
    always_failing(context, findings);
}

/// Forms that the target's grammar does not have: of several the newest, which says what server it takes.
fn too_new(context: &StepContext, findings: &mut Vec<Finding>) -> bool {
    let version = context.run.version;
    let refused = |newer: &&Newer| !version.at_least(newer.form.since) && version.at_least(newer.form.refused_from);
    let inner = match context.change() {
        Some(Change::CreateRoutine(create)) if context.step.session.check_function_bodies => &create.statements[..],
        _ => &[],
    };
    let all = std::iter::once(&*context.step.statement).chain(inner).flat_map(|statement| &statement.newer);
    let Some(newest) = all.filter(refused).max_by_key(|newer| newer.form.since) else { return false };
    if context.step.conditional {
        return true;
    }
    let Form { name, since, refused_from, before } = newest.form;
    let gone = *since == Form::NEVER;
    let assumed = context.options.version_assumed && !gone;
    let message = match assumed {
        _ if gone => format!("fails: PostgreSQL refuses {name} from {refused_from} on"),
        true => format!("fails before PostgreSQL {since}: {name} came with it"),
        false => format!("fails: {name} came with PostgreSQL {since}, and the target is {version}"),
    };
    let mut finding = REFUSED_STATEMENT.finding(newest.span, message);
    finding.cause = Some(Cause::Failure { when: FailureWhen::Always });
    finding.evidence.push(match assumed {
        true => Evidence::assumed(format!("no --pg-version is given, so {version}, the oldest, is assumed")),
        false => Evidence::declared(format!("the grammar of PostgreSQL {version} has no such form")),
    });
    if assumed {
        finding.severity = Severity::Warning;
        finding.advice = Advice::text(format!("Give --pg-version if every server has {since}. {before}"));
    } else {
        finding.advice = Advice::text(*before);
    }
    findings.push(finding);
    true
}

fn problems(context: &StepContext, kind: ProblemKind, rule: &'static Rule, findings: &mut Vec<Finding>) {
    // Under IF or EXCEPTION the author has thought of it.
    if context.step.conditional {
        return;
    }
    for problem in context.step.applied.problems.iter().filter(|problem| problem.kind == kind) {
        let mut finding = rule.finding(problem.span, format!("fails: {}", problem.message));
        finding.object = Some(problem.object.clone()).filter(|object| !object.is_empty());
        finding.cause = Some(Cause::Failure { when: FailureWhen::Always });
        finding.evidence.push(Evidence::declared("the migrations before it, applied in order, say what exists"));
        finding.evidence.extend(session_of_another(context).filter(|_| kind == ProblemKind::Missing));
        finding.advice = match similar(context, &problem.object).filter(|_| kind == ProblemKind::Missing) {
            Some(similar) => Advice::text(format!("Is {similar} meant? Else an earlier migration has to make it.")),
            None => Advice::text(advice(kind)),
        };
        findings.push(finding);
    }
}

/// The search_path that the tool's session keeps from another migration.
fn session_of_another(context: &StepContext) -> Option<Evidence> {
    let from = context.run.search_path_from.as_ref()?;
    let path: Vec<String> =
        context.step.session.search_path.iter().filter(|it| **it != "pg_temp").map(Name::to_string).collect();
    let path = if path.is_empty() { "empty".to_owned() } else { path.join(", ") };
    let tool = context.run.migration.framework;
    Some(Evidence::declared(format!(
        "the search_path is {path} since {from} set it: {tool} runs all migrations of one run in one session; RESET search_path at its end puts it back"
    )))
}

/// What exists and is spelt nearly the same: a column of the relation that the name is qualified with, or a relation or type.
fn similar(context: &StepContext, missing: &str) -> Option<String> {
    let schema = &context.step.schema;
    let (path, name) = missing.rsplit_once('.').unwrap_or(("", missing));
    let relation = schema.relations.values().find(|relation| relation.name.to_string() == path);
    let names: Vec<&str> = match relation {
        Some(relation) => relation.columns.iter().map(|column| column.name.as_str()).collect(),
        None => {
            let relations = schema.relations.values().filter(|relation| relation.is_queryable());
            let types = schema.types.values().map(|found| found.name.name.as_str());
            relations.map(|relation| relation.name.name.as_str()).chain(types).collect()
        }
    };
    nearest_of(name, names.into_iter().filter(|known| *known != name)).map(str::to_owned)
}

fn advice(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Missing => "Check the spelling and the schema, and that an earlier migration makes it.",
        ProblemKind::Duplicate => "Use another name, or drop the old object first if it is meant to be replaced.",
        ProblemKind::Dependent => {
            "Drop what depends on it first and make it again afterwards, in the same transaction."
        }
        ProblemKind::Invalid => "Change the statement so that the server accepts it.",
    }
}

fn always_failing(context: &StepContext, findings: &mut Vec<Finding>) {
    if context.step.conditional
        || context.step.applied.problems.iter().any(|problem| problem.kind == ProblemKind::Dependent)
    {
        return;
    }
    let refused = |failure: &&Failure| match failure.when {
        FailsWhen::Always => true,
        FailsWhen::OutsideTransactionBlock => context.step.transaction.is_none(),
        _ => false,
    };
    for failure in context.failures().iter().filter(refused) {
        let told = findings
            .iter()
            .any(|finding| context.step.span().contains(finding.span) && *finding.rule == REFUSED_STATEMENT);
        if told {
            continue;
        }
        let mut finding = REFUSED_STATEMENT.finding(failure.span, format!("fails: {}", failure.message));
        finding.object = Some(failure.object.clone());
        finding.cause = Some(Cause::Failure { when: FailureWhen::Always });
        finding.evidence.push(Evidence::declared(format!("PostgreSQL {} refuses it", context.run.version)));
        let is_nowhere = context.step.session.search_path.iter().all(|schema| *schema == "pg_temp");
        finding.evidence.extend(session_of_another(context).filter(|_| is_nowhere));
        finding.advice = Advice::text(advice(ProblemKind::Invalid));
        findings.push(finding);
    }
}
