//! Bodies of routines that name what is gone: the server does not note what their text needs, and lets it go (manual, 5.15).
//!
//! In: the routines that stayed as they were, and the relations that lost a name. Out: the statement of a body, or the field of NEW, OLD
//! or a row argument, that meant something before and means nothing after.

use imbl::ordmap::DiffItem;

use super::witness::{self, refused};
use super::{Breakage, BreakageKind, Context, Grade, Subject, routine};
use crate::change::{Change, FiringMode, Name, ObjectName, PrintedName, Tree, TriggerEvent};
use crate::expression::{self, QueryAnalysis, Scope};
use crate::schema::{ColumnId, Relation, RelationId, Routine, Schema, Session, Trigger};
use crate::source::{FileId, Span};
use crate::sql::{self, Parameter, SourceTokenKind};

/// SQL functions that answer a table's rows column by column: the list no longer fits (`check_sql_fn_retval`, functions.c).
pub(super) fn row_types(context: &Context, found: &mut Vec<Breakage>) {
    let answers_rows = |routine: &&std::sync::Arc<Routine>| {
        routine.language == "sql" && !routine.atomic && routine.returns_table.is_empty()
    };
    for routine in context.after.routines.values().filter(answers_rows) {
        let Some(returns) = &routine.returns else { continue };
        let table =
            ObjectName { schema: returns.schema.clone(), name: returns.name.clone(), span: Span::new(FileId(0), 0, 0) };
        let session = session_of(routine);
        let Some(old) = context.before.find_relation(&table, &session).filter(|it| it.known) else { continue };
        let Some(new) = context.after.relation(old.id).filter(|new| new.columns != old.columns) else { continue };
        if context.before.routines.get(&routine.id).is_none_or(|old| old.body != routine.body) {
            continue;
        }
        let call = Span::new(FileId(0), 0, routine.body.len());
        let code = sql::read_routine_body("sql", &routine.body, &[], call).unwrap_or_default();
        let Some(tree) = code.statements.last().and_then(|it| it.change.as_ref().ok()).and_then(tree) else { continue };
        let width = |schema| {
            let scope = Scope { schema, session: &session, version: context.version, relation: None, value: None };
            expression::analyze_statement(&tree.0, scope).output.map(|columns| columns.len())
        };
        let fitted = width(context.before) == Some(old.columns.len());
        let fits = width(context.after).is_none_or(|width| width == new.columns.len() || width == 1);
        if !fitted || fits {
            continue;
        }
        let (name, table) = (&routine.name, &old.name);
        found.push(Breakage {
            kind: BreakageKind::RoutineBroken,
            grade: Grade::Certain,
            subject: Subject::Relation(old.id),
            object: name.into(),
            message: format!(
                "function {name} returns rows of {table}, and its query lists the columns of before: calls of it fail"
            ),
            witness: refused(
                routine::call(context.after, routine),
                "42P13",
                format!("return type mismatch in function declared to return {}", returned(&table.name, &table.schema)),
            ),
        });
    }
}

/// As `format_type_be` prints a row type: without a schema that the search_path lists.
fn returned(name: &Name, schema: &Name) -> String {
    if *schema == "public" { name.to_string() } else { format!("{schema}.{name}") }
}

/// What a client can no longer name.
struct Lost<'a> {
    relation: &'a Relation,
    /// A column of it; `None` where the relation itself is gone.
    column: Option<(ColumnId, &'a Name)>,
}

impl Lost<'_> {
    fn name(&self) -> &Name {
        self.column.map_or(&self.relation.name.name, |(_, name)| name)
    }

    fn subject(&self) -> Subject {
        match self.column {
            Some((id, _)) => Subject::Column(self.relation.id, id),
            None => Subject::Relation(self.relation.id),
        }
    }

    fn printed(&self) -> String {
        match self.column {
            Some((_, name)) => format!("{}.{name}", self.relation.name),
            None => self.relation.name.to_string(),
        }
    }

    fn error(&self) -> (&'static str, String) {
        let name = self.name().as_str();
        match self.column {
            Some(_) => ("42703", format!("column \"{name}\" does not exist")),
            None => ("42P01", format!("relation \"{name}\" does not exist")),
        }
    }
}

pub(super) fn diff(context: &Context, found: &mut Vec<Breakage>) {
    let lost = lost(context);
    if lost.is_empty() {
        return;
    }
    for routine in context.after.routines.values() {
        let stayed = context.before.routines.get(&routine.id).is_some_and(|old| old.body == routine.body);
        if !stayed || !matches!(routine.language.as_str(), "sql" | "plpgsql") || routine.atomic {
            continue;
        }
        let text = routine.body.to_lowercase();
        let is_named = |name: &Name| text.contains(&name.as_str().to_lowercase());
        let named: Vec<&Lost> =
            lost.iter().filter(|it| is_named(it.name()) || is_named(&it.relation.name.name)).collect();
        if named.is_empty() {
            continue;
        }
        let triggers = triggers(context.after, routine);
        found.extend(
            match field(context, routine, &triggers, &named).or_else(|| statement(context, routine, &named)) {
                Some(broken) => broken.told(context, routine, &triggers),
                None => Vec::new(),
            },
        );
    }
}

fn lost<'a>(context: &'a Context) -> Vec<Lost<'a>> {
    let mut lost = Vec::new();
    for item in context.before.relations.diff(&context.after.relations) {
        let old = match item {
            DiffItem::Add(..) => continue,
            DiffItem::Update { old: (_, old), .. } | DiffItem::Remove(_, old) => old,
        };
        if !old.is_queryable() || old.name.schema == "pg_temp" {
            continue;
        }
        let Some(new) = context.after.relation_at(&old.name) else {
            lost.push(Lost { relation: old, column: None });
            continue;
        };
        let gone = old.columns.iter().filter(|column| new.known && new.column(&column.name).is_none());
        lost.extend(gone.map(|column| Lost { relation: old, column: Some((column.id, &column.name)) }));
    }
    lost
}

/// The triggers that run a routine, with their tables.
fn triggers<'a>(schema: &'a Schema, routine: &Routine) -> Vec<(&'a Relation, &'a Trigger)> {
    let returns_trigger = routine.returns.as_ref().is_some_and(|it| it.name == "trigger");
    let relations = schema.relations.values().filter(|it| returns_trigger && !it.triggers.is_empty());
    let runs = |trigger: &&Trigger| trigger.function == Some(routine.id) && trigger.mode != FiringMode::Disabled;
    relations.flat_map(|table| table.triggers.iter().filter(runs).map(|it| (&**table, it))).collect()
}

/// What a routine needs and does not find.
struct Broken<'a> {
    lost: &'a Lost<'a>,
    /// The table whose row lost a field; a statement of the body fails whichever table's trigger runs it.
    of_row: Option<RelationId>,
    code: &'static str,
    error: String,
    /// Every run of the routine comes to it.
    always: bool,
}

impl Broken<'_> {
    fn told(&self, context: &Context, routine: &Routine, triggers: &[(&Relation, &Trigger)]) -> Vec<Breakage> {
        let what = match context.after.relation(self.lost.relation.id) {
            Some(now) if self.lost.column.is_none() => format!("now called {}", now.name),
            Some(now) => match self.lost.column.and_then(|(id, _)| now.column_by_id(id)) {
                Some(column) => format!("now called {}", column.name),
                None => "gone".to_owned(),
            },
            None => "gone".to_owned(),
        };
        let grade = if self.always { Grade::Certain } else { Grade::Possible };
        let breakage = |object: PrintedName, message: String, sql: String| Breakage {
            kind: BreakageKind::RoutineBroken,
            grade,
            subject: self.lost.subject(),
            object,
            message,
            witness: refused(sql, self.code, &self.error),
        };
        let name = &routine.name;
        if triggers.is_empty() {
            let noun = if routine.procedure { "procedure" } else { "function" };
            let message = format!(
                "{noun} {name} uses {}, which is {what}: {}",
                self.lost.printed(),
                self.fails("calls of it fail")
            );
            return vec![breakage(name.into(), message, routine::call(context.after, routine))];
        }
        let concerned = triggers.iter().filter(|(table, _)| self.of_row.is_none_or(|row| row == table.id));
        concerned
            .map(|(table, trigger)| {
                let events = events(trigger);
                let message = format!(
                    "trigger {} of {} runs {name}, which uses {}; that is {what}: {}",
                    trigger.name,
                    table.name,
                    self.lost.printed(),
                    self.fails(&format!("{events} of {} fails", table.name))
                );
                breakage(PrintedName::part(&table.name, &trigger.name), message, write(context.after, table, trigger))
            })
            .collect()
    }

    fn fails(&self, what: &str) -> String {
        if self.always { what.to_owned() } else { format!("{what} where it comes to that") }
    }
}

pub(super) fn events(trigger: &Trigger) -> String {
    trigger.events.iter().map(event_name).collect::<Vec<_>>().join(" or ")
}

pub(super) fn event_name(event: &TriggerEvent) -> &'static str {
    match event {
        TriggerEvent::Insert => "INSERT",
        TriggerEvent::Update(_) => "UPDATE",
        TriggerEvent::Delete => "DELETE",
        TriggerEvent::Truncate => "TRUNCATE",
    }
}

/// A write that fires the trigger.
pub(super) fn write(schema: &Schema, table: &Relation, trigger: &Trigger) -> String {
    let name = &table.name;
    let first = |columns: &[crate::change::Ident]| match columns.first() {
        Some(column) => Some(column.name.clone()),
        None => table.columns.iter().find(|it| it.generated.is_none()).map(|it| it.name.clone()),
    };
    let write = trigger.events.iter().find_map(|event| match event {
        TriggerEvent::Insert => Some(witness::insert(schema, table, &[], 1)),
        TriggerEvent::Update(columns) => first(columns).map(|column| format!("UPDATE {name} SET {column} = {column}")),
        TriggerEvent::Delete => Some(format!("DELETE FROM {name}")),
        TriggerEvent::Truncate => Some(format!("TRUNCATE {name}")),
    });
    write.unwrap_or_else(|| format!("SELECT 1 FROM {name}"))
}

/// `NEW.column`, `OLD.column`, and `argument.column` of an argument that is a row.
fn field<'a>(
    context: &Context,
    routine: &Routine,
    triggers: &[(&Relation, &Trigger)],
    named: &[&'a Lost<'a>],
) -> Option<Broken<'a>> {
    let mut rows: Vec<(Name, RelationId)> = Vec::new();
    for (table, _) in triggers {
        rows.extend(["new", "old"].map(|row| (Name::from(row), table.id)));
    }
    for argument in routine.inputs() {
        let Some(name) = argument.name.as_ref().filter(|_| argument.data_type.array_dimensions == 0) else { continue };
        let schema = argument.data_type.schema.clone().unwrap_or_else(|| Name::from("public"));
        let row = crate::change::QualifiedName { schema, name: argument.data_type.name.clone() };
        let found = context.before.relation_at(&row).or_else(|| context.after.relation_at(&row));
        rows.extend(found.map(|found| (name.name.clone(), found.id)));
    }
    let tokens = sql::source_tokens(Span::new(FileId(0), 0, routine.body.len()), &routine.body);
    rows.extend(declared_rows(context, routine, &tokens));
    if rows.is_empty() {
        return None;
    }
    let mut branched = false;
    for (at, token) in tokens.iter().enumerate() {
        let SourceTokenKind::Word { name: row, quoted } = &token.kind else { continue };
        branched |= !quoted && BRANCHES.contains(&row.as_str());
        let after = (tokens.get(at + 1).map(|it| &it.kind), tokens.get(at + 2).map(|it| &it.kind));
        let (Some(SourceTokenKind::Sign(dot)), Some(SourceTokenKind::Word { name: field, .. })) = after else {
            continue;
        };
        if dot != "." {
            continue;
        }
        let of_row = |it: &&&Lost| {
            let now = context.after.relation(it.relation.id);
            let gone = now.is_none_or(|now| now.column(field).is_none());
            let named = it.column.is_some_and(|(_, name)| name == field);
            named && gone && rows.iter().any(|(name, id)| name == row && *id == it.relation.id)
        };
        if let Some(lost) = named.iter().find(of_row) {
            let of_trigger = !triggers.is_empty();
            let argument = routine.inputs().any(|it| it.name.as_ref().is_some_and(|name| name.name == *row));
            let error = match of_trigger || !argument {
                true => format!("record \"{}\" has no field \"{}\"", row.as_str(), field.as_str()),
                false => format!("column {}.{} does not exist", row.as_str(), field.as_str()),
            };
            let of_row = of_trigger.then_some(lost.relation.id);
            return Some(Broken { lost, of_row, code: "42703", error, always: !branched });
        }
    }
    None
}

/// Variables of a table's row type: `r users%ROWTYPE`.
fn declared_rows(context: &Context, routine: &Routine, tokens: &[sql::SourceToken]) -> Vec<(Name, RelationId)> {
    let session = session_of(routine);
    let declared = tokens.windows(4).filter_map(|window| {
        let [variable, table, sign, word] = window else { return None };
        let (SourceTokenKind::Word { name: variable, .. }, SourceTokenKind::Word { name: table, .. }) =
            (&variable.kind, &table.kind)
        else {
            return None;
        };
        let is_row = matches!(&sign.kind, SourceTokenKind::Sign(sign) if sign == "%")
            && matches!(&word.kind, SourceTokenKind::Word { name, .. } if *name == "rowtype");
        let name = ObjectName { schema: None, name: table.clone(), span: Span::new(FileId(0), 0, 0) };
        let found = context.before.find_relation(&name, &session).filter(|_| is_row)?;
        Some((variable.clone(), found.id))
    });
    declared.collect()
}

/// What stands after one of these may not run.
pub(super) const BRANCHES: &[&str] = &["if", "case", "loop", "exception", "return", "exit", "when"];

/// A statement of the body that means nothing any more.
fn statement<'a>(context: &Context, routine: &Routine, named: &[&'a Lost<'a>]) -> Option<Broken<'a>> {
    let inputs = routine.inputs().map(|it| it.name.as_ref().map(|ident| ident.name.clone()));
    let outputs = routine.arguments.iter().filter_map(|it| it.name.as_ref().map(|ident| ident.name.clone()));
    let outputs = outputs.chain(routine.returns_table.iter().map(|(name, _)| name.clone())).map(Some);
    let parameters: Vec<Parameter> = inputs.chain(outputs).map(|name| Parameter { name, value: None }).collect();
    let call = Span::new(FileId(0), 0, routine.body.len());
    let code = sql::read_routine_body(routine.language.as_str(), &routine.body, &parameters, call)?;
    let session = session_of(routine);
    for found in &code.statements {
        let Some(tree) = found.change.as_ref().ok().and_then(tree) else { continue };
        let meaning = |schema| {
            let scope = Scope { schema, session: &session, version: context.version, relation: None, value: None };
            match &found.change {
                // Only what is refused tells of a list of values that no longer fits.
                Ok(Change::Insert(_)) => expression::judge_statement(&tree.0, scope),
                _ => expression::analyze_statement(&tree.0, scope),
            }
        };
        let after = meaning(context.after);
        let missing: Vec<&&Lost> = named.iter().filter(|lost| lost.missing(&after)).collect();
        let listed = !matches!(&found.change, Ok(Change::Insert(insert)) if insert.columns.is_empty());
        if missing.is_empty() && listed {
            continue;
        }
        let before = meaning(context.before);
        if let Some(lost) = missing.into_iter().find(|lost| !lost.missing(&before)) {
            let (code, error) = lost.error();
            return Some(Broken { lost, of_row: None, code, error, always: !found.conditional });
        }
        // Values in the order of the columns, of which there are fewer now.
        let many =
            |it: &QueryAnalysis| it.refusals.iter().map(|it| &it.message).find(|it| it.starts_with(MANY)).cloned();
        let read = |lost: &&&Lost| lost.column.is_some() && before.uses.iter().any(|(id, _)| *id == lost.relation.id);
        if let (None, Some(error), Some(lost)) = (many(&before), many(&after), named.iter().find(read)) {
            return Some(Broken { lost, of_row: None, code: "42601", error, always: !found.conditional });
        }
    }
    None
}

const MANY: &str = "INSERT has more expressions";

impl Lost<'_> {
    /// Whether a statement names it in vain.
    fn missing(&self, analysis: &QueryAnalysis) -> bool {
        match self.column {
            Some((_, name)) => analysis.unknown_columns.iter().any(|ident| Name::of_ident(ident) == *name),
            None => analysis.missing.iter().any(|it| {
                it.name == self.relation.name.name
                    && it.schema.as_ref().is_none_or(|schema| *schema == self.relation.name.schema)
            }),
        }
    }
}

pub(super) fn session_of(routine: &Routine) -> Session {
    let mut session = Session::default();
    for (parameter, value) in routine.settings.iter().filter(|(parameter, _)| &**parameter == "search_path") {
        let values = value.split(',').map(|part| part.trim().trim_matches(['"', '\'']).into()).collect();
        session.set(&crate::change::Set {
            parameter: parameter.clone(),
            values,
            local: false,
            span: Span::new(FileId(0), 0, 0),
        });
    }
    session
}

pub(super) fn tree(change: &Change) -> Option<&Tree> {
    match change {
        Change::Insert(insert) => Some(&insert.tree),
        Change::Update(update) => Some(&update.tree),
        Change::Delete(delete) => Some(&delete.tree),
        Change::Merge(merge) => Some(&merge.tree),
        Change::Select(select) => Some(&select.tree),
        _ => None,
    }
}
