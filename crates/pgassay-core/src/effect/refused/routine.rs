//! Functions that replace others, and bodies in language SQL.

use super::super::predictor::Predictor;
use crate::catalog;
use crate::change::{Argument, ArgumentMode, Change, CreateRoutine, Drop, ObjectKind, ObjectName, TypeName};
use crate::expression::{self, Scope};
use crate::schema::{ResolvedType, Routine, Seen};

impl Predictor<'_> {
    pub(super) fn refuse_routine(&mut self, create: &CreateRoutine) {
        let span = create.name.span;
        let inputs: Vec<&Argument> = inputs(&create.arguments).collect();
        let named = create.arguments.iter().filter_map(|it| it.name.as_ref().map(|name| (it.mode, name)));
        let named: Vec<_> = named.collect();
        for (at, (mode, name)) in named.iter().enumerate() {
            // An OUT argument may have the name of none, an IN and an OUT argument of one name are two.
            let twice = named[..at].iter().any(|(other_mode, other)| {
                other.name == name.name
                    && (is_input(*mode) && is_input(*other_mode) || !is_input(*mode) && !is_input(*other_mode))
            });
            if twice {
                let message = format!("parameter name \"{}\" used more than once", name.name.as_str());
                return self.refused(name.span, &create.name, message);
            }
        }
        let mut defaults = false;
        for argument in &inputs {
            if defaults && argument.default.is_none() && argument.mode != ArgumentMode::Variadic {
                let message = "input parameters after one with a default value must also have defaults";
                return self.refused(span, &create.name, message);
            }
            defaults |= argument.default.is_some();
        }
        if create.or_replace && self.refuse_replacement(create, &inputs) {
            return;
        }
        // The body is read under the function's own settings.
        let own_path = create.settings.iter().any(|(name, _)| &**name == "search_path");
        if self.context.session.check_function_bodies && create.language == "sql" && !own_path {
            let before = self.out.failures.len();
            for statement in &create.statements {
                if let Ok(change) = &statement.change {
                    self.refuse_missing_relations(change, create.body_span);
                    self.refuse_missing_columns(change, create);
                }
                if self.out.failures.len() > before {
                    break;
                }
            }
            if self.out.failures.len() == before {
                self.refuse_answer(create);
            }
        }
    }

    /// The last statement of a body in language SQL gives what the function returns (`check_sql_fn_retval`, functions.c).
    fn refuse_answer(&mut self, create: &CreateRoutine) {
        let Some(returns) = create.returns.as_ref().filter(|_| !create.procedure && create.returns_table.is_empty())
        else {
            return;
        };
        let scope = self.scope(None);
        let wanted = expression::resolve_type(&TypeName { set_of: false, ..returns.clone() }, scope);
        let category = catalog::built_in_type(wanted.written.name.as_str()).map(|it| it.kind);
        let out = create.arguments.iter().any(|it| !is_input(it.mode));
        if out
            || wanted.resolved != ResolvedType::BuiltIn
            || !matches!(category, Some('b' | 'r' | 'm'))
            || is_atomic(create)
        {
            return;
        }
        let fits = match create.statements.last().map(|statement| statement.change.as_ref()) {
            None => create.body.trim().is_empty().then_some(false),
            Some(Ok(Change::Insert(insert))) => answers(&insert.tree.0),
            Some(Ok(Change::Update(update))) => answers(&update.tree.0),
            Some(Ok(Change::Delete(delete))) => answers(&delete.tree.0),
            Some(Ok(Change::Select(select))) => {
                let analysis = expression::analyze_statement(&select.tree.0, scope);
                match analysis.output.as_deref() {
                    // A literal counts as text.
                    Some([(_, Some(of))]) if analysis.unknown_columns.is_empty() => {
                        Some(expression::is_assignable(of, &wanted, scope))
                    }
                    Some([_]) | None => None,
                    Some(_) => Some(false),
                }
            }
            Some(_) => None,
        };
        if fits == Some(false) {
            let of = expression::type_word(&wanted, scope);
            let message = format!("return type mismatch in function declared to return {of}");
            self.refused(create.body_span, &create.name, message);
        }
    }

    /// Names in a body that are neither columns nor arguments.
    fn refuse_missing_columns(&mut self, change: &Change, create: &CreateRoutine) {
        if !self.schema().complete || !self.out.failures.is_empty() {
            return;
        }
        let analysis = match change {
            Change::Select(select) => expression::analyze_statement(&select.tree.0, self.scope(None)),
            Change::Insert(insert) => expression::analyze_statement(&insert.tree.0, self.scope(None)),
            Change::Update(update) => expression::analyze_statement(&update.tree.0, self.scope(None)),
            Change::Delete(delete) => expression::analyze_statement(&delete.tree.0, self.scope(None)),
            _ => return,
        };
        let is_argument = |name: &crate::change::Name| {
            let of_table = create.returns_table.iter().map(|(it, _)| it);
            let mut named = create.arguments.iter().filter_map(|it| it.name.as_ref()).chain(of_table);
            named.any(|it| it.name == *name)
        };
        let unknown = analysis.unknown_columns.iter().map(crate::change::Name::of_ident);
        if let Some(name) = unknown.into_iter().find(|name| !is_argument(name)) {
            self.refused(create.body_span, &create.name, format!("column \"{}\" does not exist", name.as_str()));
        }
    }

    /// What OR REPLACE may not change (ProcedureCreate, pg_proc.c), beyond what `schema` says.
    fn refuse_replacement(&mut self, create: &CreateRoutine, inputs: &[&Argument]) -> bool {
        let name = self.schema().qualify(&create.name, self.context.session);
        let scope = self.scope(None);
        let same = |old: &Routine| {
            let have: Vec<_> = old.inputs().collect();
            have.len() == inputs.len()
                && have.iter().zip(inputs).all(|(one, other)| same_type(&one.data_type, &other.data_type, scope))
        };
        let Some(old) = self.schema().routines_at(&name).find(|it| same(it)).cloned() else { return false };
        if old.procedure != create.procedure {
            return false;
        }
        let renamed = old.inputs().zip(inputs).find_map(|(was, is)| {
            let was = was.name.as_ref()?;
            is.name.as_ref().is_none_or(|is| is.name != was.name).then(|| was.name.clone())
        });
        if let Some(was) = renamed {
            let message = format!("cannot change name of input parameter \"{}\"", was.as_str());
            self.refused(create.name.span, &create.name, message);
            return true;
        }
        let lost = old.inputs().zip(inputs).any(|(was, is)| was.default.is_some() && is.default.is_none());
        if lost {
            self.refused(create.name.span, &create.name, "cannot remove parameter defaults from existing function");
            return true;
        }
        let columns: Vec<_> = create.returns_table.iter().map(|(name, of)| (&name.name, of)).collect();
        let outputs = |arguments: &[Argument]| -> Vec<(Option<crate::change::Name>, TypeName)> {
            let out = arguments.iter().filter(|it| matches!(it.mode, ArgumentMode::Out | ArgumentMode::InOut));
            out.map(|it| (it.name.as_ref().map(|it| it.name.clone()), it.data_type.clone())).collect()
        };
        let same_columns = old.returns_table.len() == columns.len()
            && old
                .returns_table
                .iter()
                .zip(&columns)
                .all(|((was, was_of), (is, of))| was == *is && same_type(was_of, of, scope));
        let (was, is) = (outputs(&old.arguments), outputs(&create.arguments));
        let same_outputs = was.len() == is.len()
            && was.iter().zip(&is).all(|(one, other)| one.0 == other.0 && same_type(&one.1, &other.1, scope));
        let tables = old.returns_table.is_empty() == columns.is_empty();
        if tables && !(same_columns && same_outputs) {
            self.refused(create.name.span, &create.name, "cannot change return type of existing function");
            return true;
        }
        false
    }

    /// DROP FUNCTION of a procedure and the other way round (`LookupFuncWithArgs`, parse_func.c).
    pub(super) fn refuse_drop_of_other_kind(&mut self, drop: &Drop) {
        let procedure = match drop.kind {
            ObjectKind::Function => false,
            ObjectKind::Procedure => true,
            _ => return,
        };
        let noun = drop.kind.noun();
        for reference in &drop.objects {
            let found: Vec<_> = self.schema().find_routines(&reference.name, self.context.session).cloned().collect();
            let [only] = &found[..] else { continue };
            if only.procedure == procedure || only.seen != Seen::Whole {
                continue;
            }
            let name = reference.name.name.as_str();
            let message = match &reference.arguments {
                None if drop.if_exists => continue,
                None => format!("could not find a {noun} named \"{name}\""),
                Some(arguments) if arguments.len() == only.inputs().count() => {
                    let types: Vec<String> = arguments.iter().map(ToString::to_string).collect();
                    format!("{name}({}) is not a {noun}", types.join(", "))
                }
                Some(_) => continue,
            };
            self.refused(reference.span, &reference.name, message);
        }
    }

    /// CALL of a function.
    pub(super) fn refuse_called_function(&mut self, name: &ObjectName) {
        let found: Vec<_> = self.schema().find_routines(name, self.context.session).cloned().collect();
        if self.schema().complete && !found.is_empty() && found.iter().all(|it| !it.procedure && it.seen == Seen::Whole)
        {
            self.refused(name.span, name, format!("{}(…) is not a procedure", name.name.as_str()));
        }
    }
}

/// A write without RETURNING answers nothing; what others answer is left alone.
fn answers(statement: &sqlparser::ast::Statement) -> Option<bool> {
    use sqlparser::ast::Statement;
    let nothing = match statement {
        Statement::Insert(insert) => insert.returning.is_none(),
        Statement::Update(update) => update.returning.is_none(),
        Statement::Delete(delete) => delete.returning.is_none(),
        _ => false,
    };
    nothing.then_some(false)
}

/// BEGIN ATOMIC or RETURN: the parser checks those otherwise.
fn is_atomic(create: &CreateRoutine) -> bool {
    let body = create.body.trim_start().to_ascii_lowercase();
    body.starts_with("return") || body.starts_with("begin atomic")
}

fn is_input(mode: ArgumentMode) -> bool {
    matches!(mode, ArgumentMode::In | ArgumentMode::InOut | ArgumentMode::Variadic)
}

fn inputs(arguments: &[Argument]) -> impl Iterator<Item = &Argument> {
    arguments.iter().filter(|it| is_input(it.mode))
}

/// Whether two written types mean the same; what is not known does.
fn same_type(one: &TypeName, other: &TypeName, scope: Scope) -> bool {
    let percent = |of: &TypeName| of.name.as_str().contains('%');
    if percent(one) || percent(other) {
        return true;
    }
    let (one, other) = (expression::resolve_type(one, scope), expression::resolve_type(other, scope));
    expression::is_same_type(&one, &other)
        || !expression::are_known([&one, &other]) && one.written.name == other.written.name
}
