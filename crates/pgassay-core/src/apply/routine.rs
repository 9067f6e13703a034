//! Functions and procedures.

use super::{Applier, ObjectId};
use crate::change::{
    AlterRoutine, Argument, ArgumentMode, CreateRoutine, ObjectKind, ObjectReference, PrintedName, TypeName,
};
use crate::schema::{Kept, Object, ObjectId as Target, Routine, RoutineId, Schema, Seen};

impl Applier<'_> {
    pub(super) fn create_routine(&mut self, create: &CreateRoutine) {
        self.check_types(create);
        let name = self.new_name(&create.name);
        let inputs: Vec<TypeName> = inputs(&create.arguments).map(|it| it.data_type.clone()).collect();
        let existing = self.schema.overloads_like(&name, &inputs).into_iter().find(|id| self.takes(*id, &inputs, true));
        let mut routine = routine_of(create, RoutineId(0));
        routine.name = name;
        let id = match existing {
            Some(id) if create.or_replace => {
                if self.refuse_replacement(id, &routine, create) {
                    return;
                }
                self.replace_routine(id, routine);
                id
            }
            Some(_) => {
                let types: Vec<String> = inputs.iter().map(|it| it.to_string()).collect();
                let message =
                    format!("function \"{}\" already exists with same argument types", create.name.name.as_str());
                let text = format!("{}({})", routine.name, types.join(", "));
                return self.duplicate(create.name.span, PrintedName::described(&routine.name, text), message);
            }
            None => {
                routine.id = RoutineId(self.schema.next_id());
                routine.owner = self.session.role.clone();
                let id = self.schema.insert_routine(routine);
                self.applied.created.push(ObjectId::Routine(id));
                id
            }
        };
        self.link_routine(id, create);
    }

    /// Types of arguments and of the answer; of `t.v%TYPE` and `t%ROWTYPE` nothing is said.
    fn check_types(&mut self, create: &CreateRoutine) {
        let of_table = create.returns_table.iter().map(|(_, it)| it);
        let arguments = create.arguments.iter().map(|it| &it.data_type);
        for written in arguments.chain(of_table).chain(&create.returns) {
            let plain = !written.name.as_str().contains('%') && written.other_modifiers.is_empty();
            if plain && matches!(create.language.as_str(), "sql" | "plpgsql") {
                self.column_type(written);
            }
        }
    }

    /// OR REPLACE cannot change what callers see (`ProcedureCreate`, pg_proc.c).
    fn refuse_replacement(&mut self, id: RoutineId, new: &Routine, create: &CreateRoutine) -> bool {
        let Some(old) = self.schema.routines.get(&id).cloned() else { return false };
        let object = &old.name;
        if old.procedure != new.procedure {
            self.invalid(create.name.span, object, "cannot change routine kind");
            return true;
        }
        let same = |one: &Option<TypeName>, other: &Option<TypeName>| match (one, other) {
            (Some(one), Some(other)) => one.set_of == other.set_of && self.same_type(one, other),
            // OUT arguments and RETURNS of one type mean the same; that is not judged.
            _ => true,
        };
        let refused = !same(&old.returns, &new.returns);
        if refused {
            self.invalid(create.name.span, object, "cannot change return type of existing function");
        }
        refused
    }

    fn replace_routine(&mut self, id: RoutineId, new: Routine) {
        if let Some(old) = self.schema.routines.get(&id) {
            let (owner, privileges, comment) = (old.owner.clone(), old.privileges.clone(), old.comment.clone());
            self.schema.replace_routine(Routine { id, owner, privileges, comment, ..new });
        }
    }

    /// Edges to the types of the signature, and of a body whose dependencies the server tracks.
    fn link_routine(&mut self, id: RoutineId, create: &CreateRoutine) {
        let signature = create.arguments.iter().map(|it| &it.data_type);
        let signature = signature.chain(&create.returns).chain(create.returns_table.iter().map(|(_, it)| it));
        let mut uses = Vec::new();
        let mut targets: Vec<Target> =
            signature.filter_map(|written| Schema::type_target(&self.resolve_type(written))).collect();
        let defaults = create.arguments.iter().filter_map(|it| it.default.as_ref());
        targets.extend(defaults.flat_map(|it| self.expression_targets(None, it)));
        if is_atomic(create) {
            for statement in &create.statements {
                if let Ok(change) = &statement.change
                    && let Some(tree) = tree_of(change)
                {
                    let analysis = crate::expression::analyze_statement(tree, self.scope(None));
                    targets.extend(super::view::targets(&analysis));
                    uses.extend(analysis.uses);
                }
            }
        }
        if let Some(routine) = self.schema.edit_routine(id).filter(|it| it.uses != uses) {
            routine.uses = uses;
        }
        self.schema.dependencies.set(Object::Routine(id), targets);
    }

    /// Whether a routine's input arguments are of these types; by their number only when `exactly` is false.
    pub(super) fn takes(&self, id: RoutineId, arguments: &[TypeName], exactly: bool) -> bool {
        let Some(routine) = self.schema.routines.get(&id) else { return false };
        // A procedure may be named with its OUT arguments too.
        self.are(routine.inputs(), arguments, exactly) || self.are(routine.arguments.iter(), arguments, exactly)
    }

    /// Whether the argument types are certainly not those of the routine.
    pub(super) fn differs(&self, id: RoutineId, arguments: &[TypeName]) -> bool {
        let Some(routine) = self.schema.routines.get(&id) else { return false };
        let all = routine.arguments.iter().map(|it| &it.data_type).chain(arguments);
        let known = |it: &TypeName| {
            !it.name.as_str().contains('%') && self.resolve_type(it).resolved != crate::schema::ResolvedType::Unknown
        };
        routine.seen == Seen::Whole && all.into_iter().all(known) && !self.takes(id, arguments, true)
    }

    fn are<'r>(&self, have: impl Iterator<Item = &'r Argument>, wanted: &[TypeName], exactly: bool) -> bool {
        let mut wanted = wanted.iter();
        for argument in have {
            let Some(wanted) = wanted.next() else { return false };
            if exactly && !self.same_type(&argument.data_type, wanted) {
                return false;
            }
        }
        wanted.next().is_none()
    }

    /// Whether two written types mean the same, modifiers aside.
    pub(super) fn same_type(&self, one: &TypeName, other: &TypeName) -> bool {
        if (one.array_dimensions > 0) != (other.array_dimensions > 0) {
            return false;
        }
        // `%TYPE` is not followed; a type is found by its name.
        let follows = |name: &TypeName| name.name.as_str().contains('%');
        if one.name != other.name && !follows(one) && !follows(other) {
            return false;
        }
        let (one_is, other_is) = (self.resolve_type(one), self.resolve_type(other));
        match (Schema::type_target(&one_is), Schema::type_target(&other_is)) {
            (Some(one), Some(other)) => one == other,
            _ => one.name == other.name || follows(one) || follows(other),
        }
    }

    pub(super) fn alter_routine(&mut self, alter: &AlterRoutine) {
        let reference = ObjectReference::from(alter.routine.clone());
        let Some(id) = self.routine_named(ObjectKind::Function, &reference) else { return };
        let Some(routine) = self.schema.edit_routine(id) else { return };
        routine.volatility = alter.volatility.unwrap_or(routine.volatility);
        routine.strict = alter.strict.unwrap_or(routine.strict);
        routine.security_definer = alter.security_definer.unwrap_or(routine.security_definer);
        for (name, value) in &alter.settings {
            routine.settings.retain(|(other, _)| other != name);
            routine.settings.extend(value.clone().map(|value| (name.clone(), value)));
        }
    }

    /// The overload a statement means; says so when there is no routine of the name at all.
    pub(super) fn routine_named(&mut self, kind: ObjectKind, reference: &ObjectReference) -> Option<RoutineId> {
        let overloads = self.find_routines(&reference.name);
        let picked = self.pick_routine(&overloads, reference);
        if overloads.is_empty() || self.has_none(&overloads, picked, reference) {
            self.missing_routine(kind, reference);
        }
        picked
    }
}

fn inputs(arguments: &[Argument]) -> impl Iterator<Item = &Argument> {
    arguments.iter().filter(|it| matches!(it.mode, ArgumentMode::In | ArgumentMode::InOut | ArgumentMode::Variadic))
}

fn routine_of(create: &CreateRoutine, id: RoutineId) -> Routine {
    Routine {
        id,
        name: crate::change::QualifiedName::new("", ""),
        seen: Seen::Whole,
        procedure: create.procedure,
        arguments: create.arguments.clone(),
        returns: create.returns.clone(),
        returns_table: create.returns_table.iter().map(|(name, it)| (name.name.clone(), it.clone())).collect(),
        language: create.language.clone(),
        volatility: create.volatility,
        strict: create.strict,
        security_definer: create.security_definer,
        settings: create.settings.clone(),
        may_change_schema: Routine::text_may_change_schema(&create.body),
        body: create.body.clone(),
        code: Kept::default(),
        statements: create.statements.clone().into(),
        atomic: is_atomic(create),
        uses: Vec::new(),
        owner: None,
        privileges: crate::schema::List::default(),
        comment: None,
    }
}

/// BEGIN ATOMIC or RETURN. Such a body is no string: it starts with the word itself.
fn is_atomic(create: &CreateRoutine) -> bool {
    let body = create.body.trim_start().to_ascii_lowercase();
    create.language == "sql"
        && (body.starts_with("return ") || body.starts_with("return(") || body.starts_with("begin atomic"))
}

/// sqlparser's tree of a statement in a SQL body.
pub(super) fn tree_of(change: &crate::change::Change) -> Option<&sqlparser::ast::Statement> {
    use crate::change::Change;
    match change {
        Change::Insert(it) => Some(&it.tree.0),
        Change::Update(it) => Some(&it.tree.0),
        Change::Delete(it) => Some(&it.tree.0),
        Change::Merge(it) => Some(&it.tree.0),
        Change::Select(it) => Some(&it.tree.0),
        _ => None,
    }
}
