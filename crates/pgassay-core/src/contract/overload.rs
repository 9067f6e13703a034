//! Overloads that come in beside a function: calls that meant the one fit both, and the server refuses them.

use super::routine::{argument, bare, inputs, is_called_by_clients, noun, same_type};
use super::witness::{differs, refused};
use super::{Breakage, BreakageKind, Context, Subject, certain, possible};
use crate::change::Argument;
use crate::expression::{self, Scope};
use crate::schema::{Routine, Seen, Session};

/// Calls of before that a new routine takes as well as the one that they meant.
pub(super) fn ambiguous(context: &Context, new: &Routine) -> Option<Breakage> {
    if !is_called_by_clients(new) {
        return None;
    }
    let before = context.before.routines_at(&new.name);
    let stayed = before.filter(|old| old.seen == Seen::Whole && old.procedure == new.procedure);
    let stayed: Vec<&Routine> = stayed
        .filter_map(|old| context.after.routines.get(&old.id))
        .filter(|it| it.name == new.name)
        .map(|it| &**it)
        .collect();
    let fits_both = stayed.iter().find_map(|old| count_of_both(old, new).map(|given| typed(context, old, new, given)));
    fits_both.or_else(|| stayed.iter().find_map(|old| untyped(context, old, new)))
}

/// How many arguments a call may have that both take by the same types, where a default stands in for the others of one of them
/// (`FuncnameGetCandidates`, namespace.c).
fn count_of_both(old: &Routine, new: &Routine) -> Option<usize> {
    let (before, after): (Vec<&Argument>, Vec<&Argument>) = (old.inputs().collect(), new.inputs().collect());
    if before.iter().chain(&after).any(|it| it.mode == crate::change::ArgumentMode::Variadic) {
        return None;
    }
    let required = |list: &[&Argument]| list.iter().filter(|it| it.default.is_none()).count();
    let least = required(&before).max(required(&after));
    let most = before.len().min(after.len());
    let alike =
        |given: usize| before.iter().zip(&after).take(given).all(|(a, b)| same_type(&a.data_type, &b.data_type));
    (least..=most).find(|given| alike(*given))
}

fn typed(context: &Context, old: &Routine, new: &Routine, given: usize) -> Breakage {
    let name = &new.name;
    let arguments: Vec<&Argument> = old.inputs().take(given).collect();
    let values: Vec<String> = arguments.iter().map(|it| argument(context.before, &it.data_type)).collect();
    let types: Vec<String> = arguments.iter().map(|it| bare(&it.data_type)).collect();
    let types = types.join(", ");
    let message = format!(
        "calls {name}({types}) fit ({}) and the new ({}) alike, by its defaults: they fail as not unique",
        inputs(old),
        inputs(new)
    );
    let sql = call(old, &values);
    let printed = format!("{}.{}", name.schema.as_str(), name.name.as_str());
    let witness = refused(sql, "42725", format!("{} {printed}({types}) is not unique", noun(old)));
    certain(BreakageKind::RoutineChanged, Subject::Routine(new.id), name, message, witness)
}

fn call(routine: &Routine, values: &[String]) -> String {
    let verb = if routine.procedure { "CALL" } else { "SELECT" };
    format!("{verb} {}({})", routine.name, values.join(", "))
}

/// A call with literals that have no type of their own, or with parameters that a driver sends without one.
fn untyped(context: &Context, old: &Routine, new: &Routine) -> Option<Breakage> {
    let given = old.inputs().count();
    let session = Session::default();
    let meant = |schema| {
        let scope = Scope { schema, session: &session, version: context.version, relation: None, value: None };
        expression::called_with_literals(&new.name, given, scope)
    };
    if given == 0 || meant(context.before) != [old.id] {
        return None;
    }
    let now = meant(context.after);
    if now == [old.id] || !now.contains(&new.id) {
        return None;
    }
    let name = &new.name;
    let unknown = vec!["unknown"; given].join(", ");
    let values: Vec<String> = old.inputs().map(|_| "NULL".to_owned()).collect();
    let printed = format!("{}.{}", name.schema.as_str(), name.name.as_str());
    let message = format!(
        "calls of {name} with literals or parameters that have no type fit the new ({}) as well as ({}): they fail as not unique, or go \
         to the new one",
        inputs(new),
        inputs(old)
    );
    let witness = match now.len() {
        1 => differs(call(old, &values), "calls the new one"),
        _ => refused(call(old, &values), "42725", format!("{} {printed}({unknown}) is not unique", noun(old))),
    };
    Some(possible(BreakageKind::RoutineChanged, Subject::Routine(new.id), name, message, witness))
}
