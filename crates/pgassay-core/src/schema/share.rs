//! One copy of what the objects of a large schema have in common: `now()` as a default of ten thousand tables is one expression.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use sqlparser::ast;

use super::{Constraint, ConstraintKind, Relation, RelationId, RelationKind, Schema};
use crate::change::{Expression, IndexTarget, Name, TypeName};

/// What was met so far: expressions by their text, types, and names of columns. Places within them are those of the first one; an
/// expression's own stays.
#[derive(Default)]
pub struct Shared {
    trees: HashMap<Arc<str>, Arc<ast::Expr>>,
    types: HashSet<Arc<TypeName>>,
    names: HashSet<Name>,
}

impl Shared {
    /// Lets go of the copies that some relations hold, and of room that their lists do not use.
    pub fn relations(&mut self, schema: &mut Schema, ids: impl IntoIterator<Item = RelationId>) {
        for id in ids {
            if let Some(relation) = schema.relations.get_mut(&id) {
                self.relation(Arc::make_mut(relation));
            }
        }
    }

    fn relation(&mut self, relation: &mut Relation) {
        relation.columns.shrink_to_fit();
        relation.indexes.shrink_to_fit();
        for column in &mut relation.columns {
            share(&mut self.names, &mut column.name);
            share(&mut self.types, &mut column.data_type.written);
            column.default.iter_mut().for_each(|default| self.expression(default));
            column.generated.iter_mut().for_each(|generated| self.expression(&mut generated.expression));
        }
        let is_check = |constraint: &Constraint| matches!(constraint.kind, ConstraintKind::Check { .. });
        relation.constraints.change(is_check, |constraint| {
            if let ConstraintKind::Check { expression, .. } = &mut constraint.kind {
                self.expression(expression);
            }
        });
        if let RelationKind::Index(index) = &mut relation.kind {
            index.predicate.iter_mut().for_each(|predicate| self.expression(predicate));
            index.elements.shrink_to_fit();
            for element in &mut index.elements {
                if let IndexTarget::Expression(expression) = &mut element.target {
                    self.expression(expression);
                }
            }
        }
    }

    fn expression(&mut self, expression: &mut Expression) {
        match self.trees.get_key_value(&expression.text) {
            Some((text, tree)) => {
                expression.text = text.clone();
                expression.tree = tree.clone();
            }
            None => {
                self.trees.insert(expression.text.clone(), expression.tree.clone());
            }
        }
    }
}

/// Puts the one that is there already in the place of an equal one.
fn share<T: Clone + Eq + Hash>(known: &mut HashSet<T>, one: &mut T) {
    match known.get(one) {
        Some(first) => one.clone_from(first),
        None => drop(known.insert(one.clone())),
    }
}
