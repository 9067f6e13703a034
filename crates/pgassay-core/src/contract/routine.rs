//! Functions and procedures: whether the calls of before still find one, and get the same answer.

use imbl::ordmap::DiffItem;

use super::values::{self, Purpose};
use super::witness::{differs, refused};
use super::{Breakage, BreakageKind, Context, Subject, certain, overload, possible};
use crate::catalog;
use crate::catalog::Volatility;
use crate::change::{Argument, ArgumentMode, Expression, IndexTarget, TypeName};
use crate::expression::{self, Scope};
use crate::schema::{ColumnType, ConstraintKind, Relation, ResolvedType, Routine, Schema, Seen, Session};
use crate::text::quoting;

pub(super) fn diff(context: &Context, found: &mut Vec<Breakage>) {
    for item in context.before.routines.diff(&context.after.routines) {
        let old = match item {
            DiffItem::Add(_, new) => {
                found.extend(overload::ambiguous(context, new));
                continue;
            }
            DiffItem::Update { old: (_, old), .. } | DiffItem::Remove(_, old) => old,
        };
        if !is_called_by_clients(old) || context.namespace_is_gone(&old.name.schema) {
            continue;
        }
        // Of one that was only named nothing shows that the one of that name takes other calls.
        if old.seen == Seen::Name && context.after.routines_at(&old.name).next().is_some() {
            continue;
        }
        let now = context.after.routines_at(&old.name);
        let takes_calls = now.filter(|new| new.procedure == old.procedure && accepts(context, old, new));
        // The same types come first, as they do for the server (func_match_argtypes, func_select_candidate).
        let all: Vec<&Routine> = takes_calls.map(|new| &**new).collect();
        match all.iter().find(|new| has_types_of(old, new)).or(all.first()) {
            Some(new) => {
                found.extend(answers(context, old, new));
                found.extend(outdated(context, old, new));
            }
            None => found.push(lost(context, old)),
        }
    }
}

/// Trigger functions are called by their triggers only.
pub(super) fn is_called_by_clients(routine: &Routine) -> bool {
    !routine.returns.as_ref().is_some_and(|it| it.name == "trigger" || it.name == "event_trigger")
}

/// Every call that the old one took, the new one takes: types in the same places that are the same or to which the old ones are cast
/// without being asked, nothing more required.
fn accepts(context: &Context, old: &Routine, new: &Routine) -> bool {
    let before: Vec<&Argument> = old.inputs().collect();
    let after: Vec<&Argument> = new.inputs().collect();
    let required =
        |list: &[&Argument]| list.iter().filter(|it| it.default.is_none() && it.mode != ArgumentMode::Variadic).count();
    after.len() >= before.len()
        && required(&after) <= required(&before)
        && before
            .iter()
            .zip(&after)
            .all(|(a, b)| takes(context, &a.data_type, &b.data_type) && a.mode_of_call() == b.mode_of_call())
}

fn has_types_of(old: &Routine, new: &Routine) -> bool {
    old.inputs().zip(new.inputs()).all(|(a, b)| same_type(&a.data_type, &b.data_type))
}

fn takes(context: &Context, given: &TypeName, wanted: &TypeName) -> bool {
    let session = Session::default();
    let scope =
        Scope { schema: context.after, session: &session, version: context.version, relation: None, value: None };
    let (from, to) = (column_type(context.before, given), column_type(context.after, wanted));
    same_type(given, wanted)
        || is_built_in(&from) && is_built_in(&to) && expression::casts_implicitly(&from, &to, scope)
}

/// Of other types it is not known which casts there are.
fn is_built_in(data_type: &ColumnType) -> bool {
    data_type.resolved == ResolvedType::BuiltIn && catalog::built_in_type(data_type.written.name.as_str()).is_some()
}

trait CallMode {
    fn mode_of_call(&self) -> bool;
}

impl CallMode for Argument {
    /// VARIADIC takes a list, the others one value.
    fn mode_of_call(&self) -> bool {
        self.mode == ArgumentMode::Variadic
    }
}

/// Modifiers do not count in signatures; a schema that was not written is not held against a type.
pub(super) fn same_type(a: &TypeName, b: &TypeName) -> bool {
    a.name == b.name
        && (a.schema == b.schema || a.schema.is_none() || b.schema.is_none())
        && (a.array_dimensions > 0) == (b.array_dimensions > 0)
        && a.set_of == b.set_of
}

/// A call with a typed literal for every argument that has no default.
pub(super) fn call(schema: &Schema, routine: &Routine) -> String {
    let arguments: Vec<String> = needed(routine).map(|it| argument(schema, &it.data_type)).collect();
    let call = format!("{}({})", routine.name, arguments.join(", "));
    if routine.procedure {
        return format!("CALL {call}");
    }
    let is_set = routine.returns.as_ref().is_some_and(|it| it.set_of) || !routine.returns_table.is_empty();
    if is_set { format!("SELECT * FROM {call}") } else { format!("SELECT {call}") }
}

fn needed(routine: &Routine) -> impl Iterator<Item = &Argument> {
    routine.inputs().filter(|it| it.default.is_none())
}

fn column_type(schema: &Schema, name: &TypeName) -> ColumnType {
    let public = crate::change::Name::from("public");
    let qualified =
        crate::change::QualifiedName { schema: name.schema.clone().unwrap_or(public), name: name.name.clone() };
    let resolved = schema.type_at(&qualified).map_or(ResolvedType::BuiltIn, |it| ResolvedType::User(it.id));
    ColumnType { written: name.clone().into(), resolved }
}

pub(super) fn argument(schema: &Schema, name: &TypeName) -> String {
    values::literal(schema, &column_type(schema, name), 0, Purpose::Argument)
}

/// `f(integer, text)` as the server prints a call it cannot resolve.
fn signature(routine: &Routine) -> String {
    let types: Vec<String> = needed(routine).map(|it| bare(&it.data_type)).collect();
    format!("{}.{}({})", routine.name.schema.as_str(), routine.name.name.as_str(), types.join(", "))
}

pub(super) fn bare(name: &TypeName) -> String {
    let mut bare = name.clone();
    bare.modifiers.clear();
    if bare.schema.as_ref().is_some_and(|it| *it == "public") {
        bare.schema = None;
    }
    bare.to_string()
}

pub(super) fn noun(routine: &Routine) -> &'static str {
    if routine.procedure { "procedure" } else { "function" }
}

fn lost(context: &Context, old: &Routine) -> Breakage {
    let subject = Subject::Routine(old.id);
    let name = &old.name;
    let sql = call(context.before, old);
    let witness = refused(sql.clone(), "42883", format!("{} {} does not exist", noun(old), signature(old)));
    if let Some(new) = context.after.routines.get(&old.id).filter(|new| new.name != old.name) {
        let message = format!("{} {name} is now {}: calls by the old name fail", noun(old), new.name);
        return certain(BreakageKind::RoutineRenamed, subject, name, message, witness);
    }
    let mut others = context.after.routines_at(name).filter(|new| is_remade(context, new));
    let Some(new) = others.next() else {
        let message = format!("{} {name} is gone: calls of it fail", noun(old));
        return certain(BreakageKind::RoutineDropped, subject, name, message, witness);
    };
    let subject = Subject::Routine(new.id);
    if new.procedure != old.procedure {
        let (code, answer) = match new.procedure {
            true => ("42809", format!("{} is a procedure", signature(old))),
            false => ("42809", format!("{} is not a procedure", signature(old))),
        };
        let message = format!("{name} is now a {}: calls of the {} fail", noun(new), noun(old));
        return certain(BreakageKind::RoutineChanged, subject, name, message, refused(sql, code, answer));
    }
    let message = format!(
        "{} {name} takes ({}) instead of ({}): calls with the old arguments fail",
        noun(old),
        inputs(new),
        inputs(old)
    );
    certain(BreakageKind::RoutineChanged, subject, name, message, witness)
}

/// Made or changed by the migration: the overload that is meant to take the old one's place.
fn is_remade(context: &Context, new: &Routine) -> bool {
    context.before.routines.get(&new.id).is_none_or(|old| **old != *new)
}

pub(super) fn inputs(routine: &Routine) -> String {
    let one = |it: &Argument| match &it.name {
        Some(name) => format!("{name} {}", it.data_type),
        None => it.data_type.to_string(),
    };
    routine.inputs().map(one).collect::<Vec<_>>().join(", ")
}

/// Calls still resolve: what differs in the answer.
fn answers(context: &Context, old: &Routine, new: &Routine) -> Option<Breakage> {
    let name = &old.name;
    let subject = Subject::Routine(new.id);
    let sql = call(context.before, old);
    let kind = BreakageKind::RoutineChanged;
    let (before, after) = (result(old), result(new));
    if before != after && old.seen == Seen::Whole {
        let message = format!("{} {name} returns {} instead of {}", noun(old), after, before);
        return Some(certain(
            kind,
            subject,
            name,
            message,
            differs(sql, format!("answers {after} instead of {before}")),
        ));
    }
    if let Some((was, now)) = renamed_argument(old, new) {
        let message = format!("argument {was} of {name} is now called {now}: calls that name it ({was} => …) fail");
        let (named, types) = named_call(context, old, &was);
        let printed = format!("{}.{}", name.schema.as_str(), name.name.as_str());
        let answer = format!("{} {printed}({types}) does not exist", noun(old));
        return Some(possible(kind, subject, name, message, refused(named, "42883", answer)));
    }
    if new.volatility > old.volatility {
        let message = format!(
            "{name} is now {} and was {}: it cannot be used in indexes and generated columns, or is called once a row",
            word(new.volatility),
            word(old.volatility)
        );
        let witness = differs(
            format!(
                "SELECT DISTINCT provolatile FROM pg_proc WHERE oid = to_regproc({})",
                quoting::literal(&name.to_string())
            ),
            format!("answers {} instead of {}", code(new.volatility), code(old.volatility)),
        );
        return Some(possible(kind, subject, name, message, witness));
    }
    if new.strict && !old.strict && old.inputs().next().is_some() {
        let message =
            format!("{name} is now STRICT: a call with a NULL answers NULL, and its body does not run for it");
        let witness = differs(
            format!(
                "SELECT bool_or(proisstrict) FROM pg_proc WHERE oid = to_regproc({})",
                quoting::literal(&name.to_string())
            ),
            "answers t instead of f",
        );
        return Some(possible(kind, subject, name, message, witness));
    }
    if old.security_definer && !new.security_definer {
        let message =
            format!("{name} now runs with the rights of its caller: callers without rights on its tables are refused");
        return Some(possible(
            kind,
            subject,
            name,
            message,
            differs(sql, "is refused for roles without rights on what it uses"),
        ));
    }
    None
}

/// Another body, whose answers indexes, checks or generated columns have stored or tested: they are not asked again.
fn outdated(context: &Context, old: &Routine, new: &Routine) -> Option<Breakage> {
    if old.body == new.body || old.seen != Seen::Whole || old.id != new.id {
        return None;
    }
    let session = Session::default();
    let calls = |expression: &Expression, relation: &Relation| {
        let named = expression.text.to_lowercase().contains(&new.name.name.as_str().to_lowercase());
        let scope = Scope {
            schema: context.after,
            session: &session,
            version: context.version,
            relation: Some(relation),
            value: None,
        };
        named && expression::routines(&expression.tree, scope).contains(&new.id)
    };
    let kept = context.before.relations.values().filter(|it| it.is_table() && context.after.relation(it.id).is_some());
    let mut keeps = Vec::new();
    let mut witness = None;
    for table in kept {
        for index in context.after.indexes_of(table.id).filter(|it| context.before.relation(it.id).is_some()) {
            let Some(it) = index.as_index() else { continue };
            let expressions = it.elements.iter().filter_map(|element| match &element.target {
                IndexTarget::Expression(expression) => Some(expression),
                IndexTarget::Column(_) => None,
            });
            if let Some(used) = expressions.chain(&it.predicate).find(|expression| calls(expression, table)) {
                keeps.push(format!("index {}", index.name));
                witness.get_or_insert(format!("SELECT {} FROM {}", used.text, table.name));
            }
        }
        for constraint in table.constraints.iter() {
            match &constraint.kind {
                ConstraintKind::Check { expression, .. } if calls(expression, table) => {
                    keeps.push(format!("check {} of {}", constraint.name, table.name));
                    witness.get_or_insert(format!("SELECT {} FROM {}", expression.text, table.name));
                }
                _ => {}
            }
        }
        for column in table.columns.iter() {
            if let Some(generated) = column.generated.as_ref().filter(|it| it.stored && calls(&it.expression, table)) {
                keeps.push(format!("generated column {}.{}", table.name, column.name));
                witness.get_or_insert(format!("SELECT {} FROM {}", generated.expression.text, table.name));
            }
        }
    }
    let name = &old.name;
    if keeps.is_empty() {
        return asked_by_policy(context, new, &calls);
    }
    Some(possible(
        BreakageKind::StoredAnswersOutdated,
        Subject::Routine(new.id),
        name,
        format!(
            "{} {name} has another body, and {} holds what the old one answered: where the answers differ, queries find other rows by it than without",
            noun(old),
            keeps.join(", ")
        ),
        differs(witness?, "answers other values than are stored, where the bodies differ in them"),
    ))
}

/// Another body of a function that a policy asks which rows a role sees.
fn asked_by_policy(
    context: &Context,
    routine: &Routine,
    calls: &impl Fn(&Expression, &Relation) -> bool,
) -> Option<Breakage> {
    let asks = |table: &Relation| {
        let policies = table.policies.iter().filter(|_| table.row_security);
        let asking =
            policies.filter(|it| it.using.iter().chain(&it.with_check).any(|condition| calls(condition, table)));
        asking.map(|policy| format!("policy {} of {}", policy.name, table.name)).collect::<Vec<_>>()
    };
    let tables: Vec<_> = context.after.relations.values().filter(|it| it.is_table()).collect();
    let policies: Vec<String> = tables.iter().flat_map(|table| asks(table)).collect();
    let first = tables.iter().find(|table| !asks(table).is_empty())?;
    let name = &routine.name;
    Some(possible(
        BreakageKind::PolicyLoosened,
        Subject::Routine(routine.id),
        name,
        format!(
            "{} {name} has another body, and {} asks it: roles may see and write other rows than before",
            noun(routine),
            policies.join(", ")
        ),
        differs(super::witness::select(first, "*"), "answers other rows, where the bodies differ in them"),
    ))
}

fn result(routine: &Routine) -> String {
    let outputs: Vec<String> = routine
        .arguments
        .iter()
        .filter(|it| matches!(it.mode, ArgumentMode::Out | ArgumentMode::InOut))
        .map(|it| format!("{} {}", it.name.as_ref().map(|it| it.to_string()).unwrap_or_default(), bare(&it.data_type)))
        .collect();
    let table: Vec<String> = routine.returns_table.iter().map(|(name, it)| format!("{name} {}", bare(it))).collect();
    match &routine.returns {
        _ if !table.is_empty() => format!("TABLE ({})", table.join(", ")),
        _ if !outputs.is_empty() => format!("({})", outputs.join(", ")),
        Some(returns) => bare(returns),
        None => "nothing".to_owned(),
    }
}

fn renamed_argument(old: &Routine, new: &Routine) -> Option<(String, String)> {
    old.inputs().zip(new.inputs()).find_map(|(a, b)| {
        let before = a.name.as_ref()?;
        let after = b.name.as_ref().map(|it| it.name.to_string()).unwrap_or_else(|| "nothing".to_owned());
        (Some(&before.name) != b.name.as_ref().map(|it| &it.name)).then(|| (before.name.to_string(), after))
    })
}

/// The call with names for its arguments, and their types as the server prints them when it finds no function.
fn named_call(context: &Context, old: &Routine, argument_name: &str) -> (String, String) {
    let is_wanted =
        |it: &&Argument| it.default.is_none() || it.name.as_ref().is_some_and(|name| name.to_string() == argument_name);
    let (values, types): (Vec<String>, Vec<String>) = old
        .inputs()
        .filter(is_wanted)
        .map(|it| {
            let (value, data_type) = (argument(context.before, &it.data_type), bare(&it.data_type));
            match &it.name {
                Some(name) => (format!("{name} => {value}"), format!("{} => {data_type}", name.name.as_str())),
                None => (value, data_type),
            }
        })
        .unzip();
    let head = if old.procedure { "CALL" } else { "SELECT" };
    (format!("{head} {}({})", old.name, values.join(", ")), types.join(", "))
}

/// As pg_proc.provolatile spells it.
fn code(volatility: Volatility) -> char {
    match volatility {
        Volatility::Immutable => 'i',
        Volatility::Stable => 's',
        Volatility::Volatile => 'v',
    }
}

fn word(volatility: Volatility) -> &'static str {
    match volatility {
        Volatility::Immutable => "IMMUTABLE",
        Volatility::Stable => "STABLE",
        Volatility::Volatile => "VOLATILE",
    }
}
