//! Collations, text search configurations, operators, aggregates and the like: objects that are kept by name only, and what needs them.
//!
//! In: a DROP of one. Out: the columns, indexes, constraints and views that name it, taken along or in the way (`pg_depend` has a row for
//! each: recordDependencyOnExpr, dependency.c).

use std::ops::ControlFlow;

use crate::walk::visit_expressions;
use sqlparser::ast::{Expr, Visit};

use super::{Applier, ProblemKind};
use crate::catalog;
use crate::change::{
    Change, Drop, Expression, IndexElement, IndexTarget, Name, ObjectKind, ObjectName, ObjectReference,
};
use crate::schema::{ConstraintKind, Object, Relation, Routine};

/// What takes a text search configuration as its first argument.
const TEXT_SEARCH: &[&str] = &[
    "to_tsvector",
    "to_tsquery",
    "plainto_tsquery",
    "phraseto_tsquery",
    "websearch_to_tsquery",
    "ts_headline",
    "json_to_tsvector",
    "jsonb_to_tsvector",
];

impl Applier<'_> {
    pub(super) fn drop_looked_up(&mut self, drop: &Drop, reference: &ObjectReference) {
        let name = &reference.name.name;
        let printed = reference.name.to_string();
        let known = self.schema.others.contains(&(drop.kind, printed.as_str().into()));
        if !known {
            return self.missing_looked_up(drop, reference);
        }
        let mut found = Vec::new();
        // Of two that share a name it is not known which one is meant.
        let built_in = match drop.kind {
            ObjectKind::Operator => catalog::operators(name.as_str(), self.version).next().is_some(),
            ObjectKind::Aggregate => !catalog::functions(name.as_str(), self.version).is_empty(),
            _ => false,
        };
        if built_in {
            return;
        }
        for relation in self.schema.relations.values() {
            self.needing(relation, drop.kind, name, &mut found);
        }
        for routine in self.schema.routines.values().filter(|it| needs_routine(it, drop.kind, name)) {
            found.push(Object::Routine(routine.id));
        }
        if !drop.cascade
            && let Some(first) = found.first()
        {
            let (what, noun) = (self.schema.describe(first, self.session), drop.kind.noun());
            let message = format!(
                "cannot drop {noun} {printed} because other objects depend on it: {what} depends on {noun} {printed}"
            );
            return self.problem(ProblemKind::Dependent, reference.span, &reference.name, message);
        }
        let named: Vec<_> = found.into_iter().map(|object| (object, reference.span)).collect();
        self.take(&named);
    }

    fn missing_looked_up(&mut self, drop: &Drop, reference: &ObjectReference) {
        if drop.kind == ObjectKind::Collation && !drop.if_exists {
            self.check_collation(&reference.name);
        }
    }

    /// Says that there is no such collation.
    pub(super) fn check_collation(&mut self, name: &ObjectName) {
        if let Some(message) = self.schema.missing_collation(name) {
            self.missing(name.span, name, message);
        }
    }

    fn needing(&self, relation: &Relation, kind: ObjectKind, name: &Name, found: &mut Vec<Object>) {
        let of_collation = kind == ObjectKind::Collation;
        let needs = |it: &Expression| names(&*it.tree, kind, name);
        for column in relation.columns.iter().filter(|_| relation.is_table()) {
            let typed = of_collation && column.collation.as_ref() == Some(name);
            if typed || column.generated.as_ref().is_some_and(|it| needs(&it.expression)) {
                found.push(Object::Column(relation.id, column.id));
            } else if column.default.as_ref().is_some_and(needs) {
                found.push(Object::Default(relation.id, column.id));
            }
        }
        for constraint in &relation.constraints {
            if matches!(&constraint.kind, ConstraintKind::Check { expression, .. } if needs(expression)) {
                found.push(Object::Constraint(relation.id, constraint.name.clone()));
            }
        }
        for policy in &relation.policies {
            if policy.using.iter().chain(&policy.with_check).any(needs) {
                found.push(Object::Policy(relation.id, policy.name.clone()));
            }
        }
        if let Some(index) = relation.as_index() {
            let element = |it: &IndexElement| {
                let collated = of_collation && it.collation.as_ref().is_some_and(|it| it.name == *name);
                collated || matches!(&it.target, IndexTarget::Expression(it) if needs(it))
            };
            let class = |it: &IndexElement| {
                kind == ObjectKind::OperatorClass && it.operator_class.as_ref().is_some_and(|it| it.name == *name)
            };
            let element = |it: &IndexElement| element(it) || class(it);
            if index.constraint.is_none() && (index.elements.iter().any(element) || index.predicate.iter().any(needs)) {
                found.push(Object::Relation(relation.id));
            }
        }
        let of_server = kind == ObjectKind::Server && relation.server.as_ref() == Some(name);
        if of_server || relation.as_view().is_some_and(|view| names(&*view.query.tree, kind, name)) {
            found.push(Object::Relation(relation.id));
        }
    }
}

/// Whether a routine needs the object: its language, or what a body that the server keeps parsed calls.
fn needs_routine(routine: &Routine, kind: ObjectKind, name: &Name) -> bool {
    if kind == ObjectKind::Language {
        return routine.language == *name;
    }
    let body = routine.body.trim_start().to_ascii_lowercase();
    let parsed = body.starts_with("begin atomic") || body.starts_with("return");
    parsed
        && routine.statements.iter().any(|statement| match &statement.change {
            Ok(Change::Select(it)) => names(&*it.tree.0, kind, name),
            Ok(Change::Insert(it)) => names(&*it.tree.0, kind, name),
            Ok(Change::Update(it)) => names(&*it.tree.0, kind, name),
            Ok(Change::Delete(it)) => names(&*it.tree.0, kind, name),
            _ => false,
        })
}

/// Whether an expression or a query names the collation or the configuration.
fn names<V: Visit>(tree: &V, kind: ObjectKind, name: &Name) -> bool {
    let is_it = |text: &str| text.rsplit('.').next() == Some(name.as_str());
    visit_expressions(tree, |part| {
        let found = match part {
            Expr::Collate { collation, .. } if kind == ObjectKind::Collation => {
                let last = collation.0.last().and_then(|it| it.as_ident()).map(Name::of_ident);
                last.is_some_and(|it| it == *name)
            }
            Expr::BinaryOp { op, .. } if kind == ObjectKind::Operator => op.to_string() == name.as_str(),
            // An operator before its operand is read as the call of a function of its name.
            Expr::Function(function) if matches!(kind, ObjectKind::Operator | ObjectKind::Aggregate) => {
                let called = function.name.0.last().and_then(|it| it.as_ident()).map(Name::of_ident);
                called.is_some_and(|it| it == *name)
            }
            Expr::Cast { expr, data_type, .. } if kind == ObjectKind::TextSearchConfiguration => {
                data_type.to_string().eq_ignore_ascii_case("regconfig") && literal(expr).is_some_and(&is_it)
            }
            Expr::Function(function) if kind == ObjectKind::TextSearchConfiguration => {
                let called = function.name.0.last().and_then(|it| it.as_ident()).map(Name::of_ident);
                let searches = called.is_some_and(|it| TEXT_SEARCH.contains(&it.as_str()));
                searches && crate::expression::first_argument(function).and_then(literal).is_some_and(&is_it)
            }
            _ => false,
        };
        if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .is_break()
}

fn literal(expression: &Expr) -> Option<&str> {
    use sqlparser::ast::Value;
    match expression {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}
