//! Bodies of PL/pgSQL that no longer run: RETURN QUERY whose columns are not those that the function answers, and a new body that names
//! what is not there. The server reads neither before it runs them.

use imbl::ordmap::DiffItem;

use super::body::{self, session_of};
use super::witness::refused;
use super::{Breakage, BreakageKind, Context, Grade, Subject, routine};
use crate::change::{Code, Name, Statement};
use crate::expression::{self, QueryAnalysis, Scope};
use crate::schema::{Routine, Schema};
use crate::source::{FileId, Span};
use crate::sql::{self, Parameter};

/// Functions whose RETURN QUERY fitted: `SELECT *` of a table that has other columns now (`exec_stmt_return_query`, pl_exec.c).
pub(super) fn queries(context: &Context, found: &mut Vec<Breakage>) {
    for new in context.after.routines.values().filter(|it| it.language == "plpgsql") {
        let Some(old) = context.before.routines.get(&new.id).filter(|old| old.body == new.body) else { continue };
        let (Some(before), Some(after)) = (answered(context.before, old), answered(context.after, new)) else {
            continue;
        };
        let code = code_of(new);
        let fits = |schema: &Schema, statement: &Statement, width: usize| {
            let given = analyze(context, schema, new, statement)?.output?.len();
            Some(given == width)
        };
        let stopped = code.returned.iter().filter_map(|index| code.statements.get(*index)).find(|statement| {
            fits(context.before, statement, before) == Some(true)
                && fits(context.after, statement, after) == Some(false)
        });
        let Some(statement) = stopped else { continue };
        let message = format!(
            "function {} answers {after} columns, and its RETURN QUERY has another number now: calls of it fail",
            new.name
        );
        let answer = "structure of query does not match function result type".to_owned();
        found.push(broken(context, new, statement, message, ("42804", answer)));
    }
}

/// How many columns a function that returns a set answers.
fn answered(schema: &Schema, routine: &Routine) -> Option<usize> {
    if !routine.returns_table.is_empty() {
        return Some(routine.returns_table.len());
    }
    let returns = routine.returns.as_ref().filter(|it| it.set_of)?;
    let span = Span::new(FileId(0), 0, 0);
    let name = crate::change::ObjectName { schema: returns.schema.clone(), name: returns.name.clone(), span };
    let table = schema.find_relation(&name, &session_of(routine)).filter(|it| it.known && it.is_queryable())?;
    Some(table.columns.len())
}

/// Functions and procedures with a new body that names columns or relations which do not exist.
pub(super) fn replaced(context: &Context, found: &mut Vec<Breakage>) {
    if !context.after.complete || context.after.is_disturbed() {
        return;
    }
    for item in context.before.routines.diff(&context.after.routines) {
        let DiffItem::Update { old: (_, old), new: (_, new) } = item else { continue };
        let replaced = old.body != new.body && old.language == "plpgsql" && new.language == "plpgsql";
        // What runs as a trigger is told with its table.
        if !replaced || !routine::is_called_by_clients(new) {
            continue;
        }
        let missing = |routine: &Routine, schema: &Schema| {
            let code = code_of(routine);
            let makes = code.statements.iter().any(|it| it.change.as_ref().is_ok_and(makes_names));
            let unknown = !code.dynamic.is_empty() || makes;
            let mut statements = code.statements.into_iter();
            statements
                .find_map(|it| Some((unnamed(&analyze(context, schema, routine, &it)?)?, it)))
                .filter(|_| !unknown)
        };
        let Some(((code, answer, name), statement)) = missing(new, context.after) else { continue };
        if missing(old, context.before).is_some() {
            continue;
        }
        let message = format!(
            "{} {} has a new body, which uses {name}, and that does not exist: calls of it fail{}",
            routine::noun(new),
            new.name,
            if statement.conditional { " where they come to it" } else { "" }
        );
        found.push(broken(context, new, &statement, message, (code, answer)));
    }
}

/// Tables that a body makes are there when it comes to them.
fn makes_names(change: &crate::change::Change) -> bool {
    use crate::change::Change;
    matches!(change, Change::CreateTable(_) | Change::CreateTableAs(_) | Change::AlterTable(_) | Change::CreateView(_))
}

/// What the server says of the first name that means nothing.
fn unnamed(analysis: &QueryAnalysis) -> Option<(&'static str, String, Name)> {
    if let Some(column) = analysis.unknown_columns.first() {
        let name = Name::of_ident(column);
        return Some(("42703", format!("column \"{}\" does not exist", name.as_str()), name));
    }
    let relation = analysis.missing.first()?;
    let shown = match &relation.schema {
        Some(schema) => format!("{}.{}", schema.as_str(), relation.name.as_str()),
        None => relation.name.as_str().to_owned(),
    };
    Some(("42P01", format!("relation \"{shown}\" does not exist"), relation.name.clone()))
}

fn analyze(context: &Context, schema: &Schema, routine: &Routine, statement: &Statement) -> Option<QueryAnalysis> {
    let tree = statement.change.as_ref().ok().and_then(body::tree)?;
    let session = session_of(routine);
    let scope = Scope { schema, session: &session, version: context.version, relation: None, value: None };
    Some(expression::analyze_statement(&tree.0, scope))
}

fn code_of(routine: &Routine) -> Code {
    let named = routine.arguments.iter().filter_map(|it| it.name.as_ref().map(|ident| ident.name.clone()));
    let named = named.chain(routine.returns_table.iter().map(|(name, _)| name.clone()));
    let parameters: Vec<Parameter> = named.map(|name| Parameter { name: Some(name), value: None }).collect();
    let call = Span::new(FileId(0), 0, routine.body.len());
    sql::read_routine_body("plpgsql", &routine.body, &parameters, call).unwrap_or_default()
}

fn broken(
    context: &Context,
    routine: &Routine,
    statement: &Statement,
    message: String,
    (code, answer): (&'static str, String),
) -> Breakage {
    Breakage {
        kind: BreakageKind::RoutineBroken,
        grade: if statement.conditional { Grade::Possible } else { Grade::Certain },
        subject: Subject::Routine(routine.id),
        object: (&routine.name).into(),
        message,
        witness: refused(routine::call(context.after, routine), code, answer),
    }
}
