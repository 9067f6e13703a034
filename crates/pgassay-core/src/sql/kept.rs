//! What sqlparser's tree has no place for, and where in the tree it is kept instead.
//!
//! In: trees that were read from tokens which [`super::repair`] rewrote. Out: the expressions in them. A name that begins with [`MARK`] is
//! none that a text can have without quotes: it is a call inside a name, and its arguments are what was written.

use sqlparser::ast::{
    ConflictTarget, Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart, OnConflict,
};

const MARK: char = '\u{1}';

/// Between the names of columns that SEARCH and CYCLE add: in `Cte::from`, which PostgreSQL has no use for.
pub(crate) const ADDED_COLUMNS: char = MARK;

/// `SET a[i] = …` is `SET a.⟨element⟩(i) = …`.
pub(crate) const ELEMENT: &str = "\u{1}element";

/// `SET a[i:j] = …` is `SET a.⟨slice⟩(i, j) = …`, and so is what assigns to a field of an element.
pub(crate) const SLICE: &str = "\u{1}slice";

/// `ON CONFLICT (lower(a), b) WHERE c` is `ON CONFLICT ON CONSTRAINT ⟨inference⟩(lower(a), b).⟨predicate⟩(c)`.
pub(crate) const INFERENCE: &str = "\u{1}inference";

pub(crate) const PREDICATE: &str = "\u{1}predicate";

/// Whether a call follows this part of a name.
pub(super) fn calls(ident: &Ident) -> bool {
    ident.quote_style.is_none() && ident.value.starts_with(MARK)
}

/// The arguments of the calls of this name inside a name.
fn arguments<'a>(name: &'a ObjectName, of: &[&str]) -> Vec<&'a Expr> {
    let mut found = Vec::new();
    for part in &name.0 {
        let ObjectNamePart::Function(call) = part else { continue };
        let values = call.args.iter().filter(|_| of.contains(&call.name.value.as_str()));
        found.extend(values.filter_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
            _ => None,
        }));
    }
    found
}

/// The subscripts of the column that a statement assigns to a part of.
pub(crate) fn subscripts(assigned: &ObjectName) -> Vec<&Expr> {
    arguments(assigned, &[ELEMENT, SLICE])
}

/// Whether one element of an array is assigned: no slice, and no field of an element.
pub(crate) fn is_element(assigned: &ObjectName) -> bool {
    match &assigned.0[..] {
        [ObjectNamePart::Identifier(_), ObjectNamePart::Function(call)] => call.name.value == ELEMENT,
        _ => false,
    }
}

/// The columns and expressions by which ON CONFLICT finds its unique indexes, and the condition of partial ones.
#[derive(Debug, Default)]
pub(crate) struct Inference<'a> {
    /// An operator class makes a [`Expr::Named`] of an expression.
    pub elements: Vec<&'a Expr>,
    pub predicate: Option<&'a Expr>,
}

/// What ON CONFLICT infers an index from, where it says more than a list of columns.
pub(crate) fn inference(conflict: &OnConflict) -> Option<Inference<'_>> {
    let Some(ConflictTarget::OnConstraint(name)) = &conflict.conflict_target else { return None };
    let elements = arguments(name, &[INFERENCE]);
    let predicate = arguments(name, &[PREDICATE]).first().copied();
    (!elements.is_empty()).then_some(Inference { elements, predicate })
}
