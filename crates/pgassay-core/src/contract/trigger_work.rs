//! What triggers do to the writes of clients that they did not do before: fail, refuse, or drop the row.
//!
//! In: a table's triggers before and after, and the bodies of their functions. Out: writes that worked. What a body does where a condition
//! holds is possible only; what it computes is not compared.

use imbl::ordmap::DiffItem;
use sqlparser::ast;

use super::body::{self, session_of};
use super::pair::Pair;
use super::privilege::{Extent, Held};
use super::witness::{differs, refused};
use super::{Breakage, BreakageKind, Context, Grade, Subject, Witness, routine};
use crate::change::{Change, Code, Flow, Name, ObjectName, PrintedName, Statement, TriggerEvent, TriggerTiming};
use crate::schema::{Relation, Routine, Schema, Trigger};
use crate::source::{FileId, Span};
use crate::sql::{self, SourceTokenKind};
use crate::text::quoting;

/// One trigger of a table, with the function that it runs.
struct Work<'a> {
    table: &'a Relation,
    trigger: &'a Trigger,
    routine: &'a Routine,
}

pub(super) fn diff(pair: Pair, found: &mut Vec<Breakage>) {
    let (before, after) = (pair.context.before, pair.context.after);
    for trigger in pair.new.triggers.iter().filter(|trigger| trigger.mode.fires(false)) {
        let Some(now) = Work::of(after, pair.new, trigger) else { continue };
        let was = pair.old.triggers.iter().find(|old| old.name == trigger.name && old.mode.fires(false));
        let was = was.and_then(|old| Work::of(before, pair.old, old));
        let same_columns = pair.old.columns.iter().map(|it| &it.name).eq(pair.new.columns.iter().map(|it| &it.name));
        let stays = was.as_ref().is_some_and(|was| {
            was.routine.body == now.routine.body
                && was.trigger.events == trigger.events
                && was.trigger.timing == trigger.timing
        });
        let on_other_columns = was.is_some() && !same_columns && pair.old.triggers.contains(trigger);
        if on_other_columns {
            found.extend(now.too_wide(pair));
        }
        // A body that stayed and lost a column is reported with the column.
        if stays || on_other_columns {
            continue;
        }
        found.extend(now.breaks(pair, was.as_ref()));
    }
}

/// Functions with another body, run by triggers of tables that stayed as they were.
pub(super) fn of_changed_routines(context: &Context, found: &mut Vec<Breakage>) {
    for item in context.before.routines.diff(&context.after.routines) {
        let DiffItem::Update { old: (id, old), new: (_, new) } = item else { continue };
        if old.body == new.body || routine::is_called_by_clients(new) {
            continue;
        }
        let runs = |table: &Relation| table.triggers.iter().any(|trigger| trigger.function == Some(*id));
        for new in context.after.relations.values().filter(|table| runs(table)) {
            let Some(old) = context.before.relation(new.id).filter(|old| old == &new) else { continue };
            diff(Pair { context, old, new }, found);
        }
    }
}

impl<'a> Work<'a> {
    fn of(schema: &'a Schema, table: &'a Relation, trigger: &'a Trigger) -> Option<Work<'a>> {
        let routine = schema.routines.get(&trigger.function?)?;
        (routine.language == "plpgsql").then_some(Work { table, trigger, routine })
    }

    fn breaks(&self, pair: Pair, was: Option<&Work>) -> Option<Breakage> {
        if let Some(field) = self.unknown_field() {
            let answer = format!("record \"{}\" has no field \"{}\"", field.0.as_str(), field.1.as_str());
            let what = format!(
                "uses {}.{}, which {} does not have",
                field.0.as_str().to_uppercase(),
                field.1,
                self.table.name
            );
            return Some(self.broken(pair, &what, "42703", answer, field.2));
        }
        let code = self.code();
        if let Some((relation, always)) = self.missing_relation(pair, code) {
            let answer = format!("relation \"{}\" does not exist", plain(relation));
            return Some(self.broken(pair, &format!("uses {relation}, which does not exist"), "42P01", answer, always));
        }
        if let Some((relation, column, always)) = self.missing_target(pair, code) {
            let answer =
                format!("column \"{}\" of relation \"{}\" does not exist", column.as_str(), relation.name.as_str());
            let what = format!("writes {relation}.{column}, which does not exist");
            return Some(self.broken(pair, &what, "42703", answer, always));
        }
        if let Some((role, target, privilege)) = self.not_permitted(pair, code) {
            return Some(self.refused_to(pair, role, target, privilege));
        }
        let raises = raises(&code.flow);
        if let Some(grade) = raises.filter(|now| was.and_then(|was| raises_of(was)).is_none_or(|before| before < *now))
        {
            let where_it = if grade == Grade::Certain { "" } else { " where a condition of it holds" };
            let message = format!("{}: RAISE EXCEPTION refuses them{where_it}", self.does());
            let witness = differs(
                format!(
                    "SELECT prosrc FROM pg_proc WHERE oid = to_regproc({})",
                    quoting::literal(&self.routine.name.to_string())
                ),
                format!("answers a body that refuses the write{where_it}"),
            );
            return Some(self.breakage(pair, BreakageKind::CheckAdded, grade, message, witness));
        }
        if ends_without_return(&code.flow) && !was.is_some_and(|was| ends_without_return(&was.code().flow)) {
            let answer = "control reached end of trigger procedure without RETURN".to_owned();
            return Some(self.broken(pair, "ends without RETURN", "2F005", answer, self.trigger.condition.is_none()));
        }
        let skips = self.skips_rows() && !was.is_some_and(Work::skips_rows);
        skips.then(|| {
            let message = format!("{}: it returns NULL, so no row is written, and no error says so", self.does());
            let witness = differs(format!("{} RETURNING 1", self.write(pair)), "answers no row: none is written");
            self.breakage(pair, BreakageKind::WritesReplaced, Grade::Certain, message, witness)
        })
    }

    /// `trigger t of a runs f at INSERT or UPDATE of a`.
    fn does(&self) -> String {
        let (table, routine) = (&self.table.name, &self.routine.name);
        format!("trigger {} of {table} runs {routine} at {}", self.trigger.name, body::events(self.trigger))
    }

    fn write(&self, pair: Pair) -> String {
        body::write(pair.context.before, pair.old, self.trigger)
    }

    fn breakage(&self, pair: Pair, kind: BreakageKind, grade: Grade, message: String, witness: Witness) -> Breakage {
        let subject = match pair.old.triggers.contains(self.trigger) {
            true => Subject::Routine(self.routine.id),
            false => pair.part_subject(&self.trigger.name),
        };
        let object = PrintedName::part(&self.table.name, &self.trigger.name);
        Breakage { kind, grade, subject, object, message, witness }
    }

    fn broken(&self, pair: Pair, what: &str, code: &str, answer: String, always: bool) -> Breakage {
        let grade = if always { Grade::Certain } else { Grade::Possible };
        let fails = if always { "it fails" } else { "it fails where it comes to that" };
        let message = format!("{}, which {what}: {fails}", self.does());
        self.breakage(pair, BreakageKind::RoutineBroken, grade, message, refused(self.write(pair), code, answer))
    }

    fn refused_to(&self, pair: Pair, role: &Name, target: &Relation, privilege: &str) -> Breakage {
        let message = format!(
            "{}, which needs {} on {}: {role} does not have it, and its writes are refused",
            self.does(),
            privilege.to_uppercase(),
            target.name
        );
        let answer = format!("permission denied for table {}", target.name.name.as_str());
        let witness = refused(format!("SET ROLE {role}; {}", self.write(pair)), "42501", answer);
        // The role may be a member of one that has it, by a grant that no migration made.
        self.breakage(pair, BreakageKind::PrivilegeRevoked, Grade::Possible, message, witness)
    }

    /// A field of NEW or OLD that is no column, and whether every run comes to it. A function of several tables' triggers may ask which
    /// one it runs for.
    fn unknown_field(&self) -> Option<(Name, Name, bool)> {
        if !self.trigger.for_each_row || !self.table.known {
            return None;
        }
        let text = &self.routine.body;
        let tokens = sql::source_tokens(Span::new(FileId(0), 0, text.len()), text);
        let lower = text.to_ascii_lowercase();
        let asks = lower.contains("tg_table_name") || lower.contains("tg_relid");
        let mut branched = false;
        for window in tokens.windows(3) {
            let SourceTokenKind::Word { name: row, quoted } = &window[0].kind else { continue };
            branched |= !quoted && body::BRANCHES.contains(&row.as_str());
            let (SourceTokenKind::Sign(dot), SourceTokenKind::Word { name: field, .. }) =
                (&window[1].kind, &window[2].kind)
            else {
                continue;
            };
            let of_row = matches!(row.as_str(), "new" | "old") && dot == ".";
            let is_system = matches!(field.as_str(), "ctid" | "xmin" | "xmax" | "cmin" | "cmax" | "tableoid");
            if of_row && !is_system && self.table.column(field).is_none() && !(branched && asks) {
                return Some((row.clone(), field.clone(), !branched));
            }
        }
        None
    }

    /// `INSERT INTO copy SELECT NEW.*`, and the row has more columns now than the copy.
    fn too_wide(&self, pair: Pair) -> Option<Breakage> {
        let session = session_of(self.routine);
        let code = self.code();
        let (statement, table) = code.statements.iter().find_map(|statement| {
            let Change::Insert(insert) = statement.change.as_ref().ok()? else { return None };
            let target = |schema: &Schema| {
                let found = schema.find_relation(&insert.table, &session).filter(|it| it.known)?;
                Some(if insert.columns.is_empty() { found.columns.len() } else { insert.columns.len() })
            };
            let (rows, others) = expanded(&insert.tree.0)?;
            let fits = |row: &Relation, target: usize| rows * row.columns.len() + others <= target;
            let fitted = fits(pair.old, target(pair.context.before)?);
            let breaks = fitted && !fits(pair.new, target(pair.context.after)?);
            breaks.then_some((statement, &insert.table))
        })?;
        let what = format!("inserts the whole row into {table}, which has fewer columns");
        let answer = "INSERT has more expressions than target columns";
        let breakage = self.broken(pair, &what, "42601", answer.to_owned(), !statement.conditional);
        // A session that ran the trigger before keeps its plan, and goes on.
        let witness = refused(format!("DISCARD PLANS; {}", self.write(pair)), "42601", answer);
        Some(Breakage { subject: Subject::Relation(pair.new.id), witness, ..breakage })
    }

    fn code(&self) -> &'a Code {
        code_of(self.routine)
    }

    /// A relation that a statement names and nobody made.
    fn missing_relation<'c>(&self, pair: Pair, code: &'c Code) -> Option<(&'c ObjectName, bool)> {
        let schema = pair.context.after;
        let creates = code.statements.iter().any(|it| matches!(it.change, Ok(Change::CreateTable(_))))
            || !code.dynamic.is_empty();
        if !schema.complete || schema.is_disturbed() || creates {
            return None;
        }
        let session = session_of(self.routine);
        let transition = self.routine.body.to_ascii_lowercase();
        code.statements.iter().find_map(|statement| {
            let (target, _) = written(statement.change.as_ref().ok()?)?;
            let known =
                schema.find_relation(target, &session).is_some() || schema.is_doubtful_name(target.name.as_str());
            let built_in = target.schema.as_ref().is_some_and(|it| *it == "pg_catalog" || *it == "information_schema");
            // A name that is built in a variable, or of a transition table.
            let plain = transition.contains(&target.name.as_str().to_lowercase());
            (!known && !built_in && plain).then_some((target, !statement.conditional))
        })
    }

    /// A column that an INSERT or UPDATE of the body writes and its table does not have.
    fn missing_target<'c>(&self, pair: Pair, code: &'c Code) -> Option<(&'c ObjectName, &'c Name, bool)> {
        let session = session_of(self.routine);
        code.statements.iter().find_map(|statement| {
            let (table, columns) = match statement.change.as_ref().ok()? {
                Change::Insert(insert) => (&insert.table, &insert.columns),
                Change::Update(update) => (&update.table, &update.columns),
                _ => return None,
            };
            let found = pair.context.after.find_relation(table, &session).filter(|it| it.known)?;
            let missing = columns.iter().find(|column| found.column(&column.name).is_none())?;
            Some((table, &missing.name, !statement.conditional))
        })
    }

    /// A role that may write the table, and may not do what the body does with the role's rights.
    fn not_permitted<'p>(&self, pair: Pair<'p>, code: &Code) -> Option<(&'p Name, &'p Relation, &'static str)> {
        if self.routine.security_definer {
            return None;
        }
        let schema = pair.context.after;
        let session = session_of(self.routine);
        let fires_for = |privilege: &str| {
            self.trigger.events.iter().any(|event| {
                privilege == "all"
                    || match event {
                        TriggerEvent::Insert => privilege == "insert",
                        TriggerEvent::Update(_) => privilege == "update",
                        TriggerEvent::Delete => privilege == "delete",
                        TriggerEvent::Truncate => privilege == "truncate",
                    }
            })
        };
        let writers: Vec<&Name> = pair
            .old
            .privileges
            .iter()
            .filter(|it| it.grantee != "public" && fires_for(it.privilege.as_str()))
            .map(|it| &it.grantee)
            .collect();
        code.statements.iter().filter(|statement| !statement.conditional).find_map(|statement| {
            let (table, privilege) = written(statement.change.as_ref().ok()?)?;
            let target =
                schema.find_relation(table, &session).filter(|it| it.known && it.is_table() && it.id != pair.new.id)?;
            let held = Held::of_relation(schema, target);
            let role = writers.iter().find(|role| !held.by(role, privilege, Extent::Part))?;
            Some((*role, &**target, privilege))
        })
    }

    /// A BEFORE trigger for each row whose only RETURN is RETURN NULL.
    fn skips_rows(&self) -> bool {
        if self.trigger.timing != TriggerTiming::Before
            || !self.trigger.for_each_row
            || self.trigger.condition.is_some()
        {
            return false;
        }
        let text = &self.routine.body;
        let tokens = sql::source_tokens(Span::new(FileId(0), 0, text.len()), text);
        let word = |at: usize| match tokens.get(at).map(|it| &it.kind) {
            Some(SourceTokenKind::Word { name, quoted: false }) => Some(name.as_str()),
            _ => None,
        };
        let returns: Vec<usize> = (0..tokens.len()).filter(|at| word(*at) == Some("return")).collect();
        // NEW is NULL at DELETE (manual, 41.10.1).
        let deletes = self.trigger.events.iter().all(|event| *event == TriggerEvent::Delete);
        let assigned = (0..tokens.len()).any(|at| word(at) == Some("new") && at > 0 && word(at - 1) != Some("return"));
        let nothing = |at: &usize| match word(at + 1) {
            Some("null") => true,
            Some("new") => deletes && !assigned,
            _ => false,
        };
        !returns.is_empty() && returns.iter().all(nothing)
    }
}

/// How often a SELECT list has `NEW.*` or `OLD.*`, and how many other items.
fn expanded(statement: &ast::Statement) -> Option<(usize, usize)> {
    let ast::Statement::Insert(insert) = statement else { return None };
    let (mut rows, mut others) = (0, 0);
    let select = match &*insert.source.as_ref()?.body {
        ast::SetExpr::Select(select) => select,
        ast::SetExpr::Values(values) => {
            for value in &values.rows.first()?.content {
                match value {
                    ast::Expr::QualifiedWildcard(name, _) if is_row(name) => rows += 1,
                    ast::Expr::QualifiedWildcard(..) | ast::Expr::Wildcard(_) => return None,
                    _ => others += 1,
                }
            }
            return (rows > 0).then_some((rows, others));
        }
        _ => return None,
    };
    for item in &select.projection {
        match item {
            ast::SelectItem::QualifiedWildcard(ast::SelectItemQualifiedWildcardKind::ObjectName(name), _)
                if is_row(name) =>
            {
                rows += 1;
            }
            ast::SelectItem::Wildcard(_) | ast::SelectItem::QualifiedWildcard(..) => return None,
            _ => others += 1,
        }
    }
    (rows > 0).then_some((rows, others))
}

/// NEW or OLD.
fn is_row(name: &ast::ObjectName) -> bool {
    matches!(name.to_string().to_ascii_lowercase().as_str(), "new" | "old")
}

/// As the server prints a name that was written with its schema or without.
fn plain(name: &ObjectName) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", schema.as_str(), name.name.as_str()),
        None => name.name.as_str().to_owned(),
    }
}

/// Whether a trigger's function writes rows of a table, as far as its text says.
pub(super) fn may_write(routine: &Routine, table: &Relation) -> bool {
    let code = code_of(routine);
    let writes = |statement: &Statement| {
        let change = statement.change.as_ref();
        change.ok().and_then(written).is_some_and(|(name, _)| name.name == table.name.name)
    };
    routine.language != "plpgsql" || !code.dynamic.is_empty() || code.statements.iter().any(writes)
}

fn code_of(routine: &Routine) -> &Code {
    let call = Span::new(FileId(0), 0, routine.body.len());
    routine.code.get_or(|| sql::read_routine_body("plpgsql", &routine.body, &[], call).unwrap_or_default())
}

/// The table that a statement writes, and the privilege that it takes.
fn written(change: &Change) -> Option<(&ObjectName, &'static str)> {
    match change {
        Change::Insert(insert) => Some((&insert.table, "insert")),
        Change::Update(update) => Some((&update.table, "update")),
        Change::Delete(delete) => Some((&delete.table, "delete")),
        _ => None,
    }
}

/// Whether no way through the code comes to a RETURN or an exception. Code that could not be read comes to nothing at all.
fn ends_without_return(flow: &[Flow]) -> bool {
    fn leaves(flow: &[Flow]) -> bool {
        flow.iter().any(|step| match step {
            Flow::Return | Flow::Raise => true,
            Flow::Branch(arms) => arms.iter().any(|arm| leaves(&arm.body)),
            Flow::Loop { body, .. } => leaves(body),
            Flow::Block { body, handlers, .. } => leaves(body) || handlers.iter().any(|handler| leaves(&handler.body)),
            Flow::Statement(_) | Flow::Dynamic(_) | Flow::Exit { .. } => false,
        })
    }
    !flow.is_empty() && !leaves(flow)
}

fn raises_of(work: &Work) -> Option<Grade> {
    raises(&work.code().flow)
}

/// Whether RAISE EXCEPTION is on every way through the code, or on one.
fn raises(flow: &[Flow]) -> Option<Grade> {
    let mut found = None;
    // What follows a step that may end the function runs on some ways only.
    let mut always = Grade::Certain;
    for step in flow {
        let raised = match step {
            Flow::Raise => return Some(always),
            Flow::Return | Flow::Exit { .. } => return found,
            Flow::Block { body, handlers, .. } if handlers.is_empty() => raises(body),
            Flow::Branch(arms) => arms.iter().find_map(|arm| raises(&arm.body)).and(Some(Grade::Possible)),
            Flow::Loop { body, .. } => raises(body).and(Some(Grade::Possible)),
            Flow::Block { .. } | Flow::Statement(_) | Flow::Dynamic(_) => None,
        };
        if raised == Some(Grade::Certain) && always == Grade::Certain {
            return raised;
        }
        found = found.or(raised.and(Some(Grade::Possible)));
        if may_leave(step) {
            always = Grade::Possible;
        }
    }
    found
}

/// Whether a way through it ends the function, or what is around it.
fn may_leave(step: &Flow) -> bool {
    let any = |body: &[Flow]| body.iter().any(|it| matches!(it, Flow::Return | Flow::Exit { .. }) || may_leave(it));
    match step {
        Flow::Branch(arms) => arms.iter().any(|arm| any(&arm.body)),
        Flow::Loop { body, .. } | Flow::Block { body, .. } => any(body),
        Flow::Statement(_) | Flow::Dynamic(_) | Flow::Return | Flow::Raise | Flow::Exit { .. } => false,
    }
}
