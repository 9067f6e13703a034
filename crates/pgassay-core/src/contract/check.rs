//! What a CHECK says: its AND-ed parts in a form that does not depend on spelling, which of them follow from others, and values
//! that pass or break them.
//!
//! `pg_get_constraintdef` and a migration spell the same check differently (`(x > (0)::numeric)` and `x > 0`,
//! `= ANY (ARRAY[…])` and `IN (…)`): the form takes that out.

use std::ops::ControlFlow;

use sqlparser::ast::{self, BinaryOperator, Expr, UnaryOperator, Value};

use super::values;
use crate::change::Name;
use crate::expression::Comparison;
use crate::schema::{Column, ConstraintKind, Relation, ResolvedType, Schema, TypeDefinition};
use crate::walk;

/// One AND-ed part of a check.
#[derive(Debug, Clone)]
pub(super) struct Conjunct {
    text: String,
    test: Option<Test>,
}

/// A part that speaks of one column in a way that can be reasoned about.
#[derive(Debug, Clone)]
struct Test {
    column: Name,
    kind: TestKind,
}

#[derive(Debug, Clone)]
enum TestKind {
    Compare(Comparison, String),
    Length(Comparison, i64),
    In(Vec<String>),
    NotIn(Vec<String>),
    NotNull,
}

/// The AND-ed parts. `rename` maps the columns' names, so that checks of two schemas can be compared.
pub(super) fn conjuncts(expression: &Expr, rename: &dyn Fn(&str) -> Option<Name>) -> Vec<Conjunct> {
    let mut tree = expression.clone();
    let _: ControlFlow<()> = walk::visit_expressions_mut(&mut tree, |node| {
        canonical(node, rename);
        ControlFlow::Continue(())
    });
    let mut parts = Vec::new();
    split(&tree, &mut parts);
    parts
}

/// A spelling-free text of any expression, for comparing index expressions and predicates.
pub(super) fn normal_text(expression: &Expr, rename: &dyn Fn(&str) -> Option<Name>) -> String {
    let mut texts: Vec<String> = conjuncts(expression, rename).into_iter().map(|part| part.text).collect();
    texts.sort();
    texts.join(" AND ")
}

/// Whether the old parts guarantee the new one.
pub(super) fn implied(new: &Conjunct, old: &[Conjunct]) -> bool {
    old.iter().any(|old| {
        old.text == new.text
            || match (&old.test, &new.test) {
                (Some(old), Some(new)) => old.column == new.column && follows(&old.kind, &new.kind),
                _ => false,
            }
    })
}

/// `column IS NOT NULL` is among the parts.
pub(super) fn says_not_null(parts: &[Conjunct], column: &Name) -> bool {
    parts
        .iter()
        .filter_map(|part| part.test.as_ref())
        .any(|test| test.column == *column && matches!(test.kind, TestKind::NotNull))
}

impl Conjunct {
    /// Whether it is a test that a NULL in the column does not pass where it has to be true.
    pub fn tests(&self, column: &Name) -> bool {
        self.test.as_ref().is_some_and(|test| test.column == *column)
    }

    /// The column, where the part is `column IS NOT NULL`.
    pub fn not_null_column(&self) -> Option<&Name> {
        self.test.as_ref().filter(|test| matches!(test.kind, TestKind::NotNull)).map(|test| &test.column)
    }
}

/// A column and a literal for it that break the part and pass the others, where one can be told.
pub(super) fn violation(
    schema: &Schema,
    relation: &Relation,
    part: &Conjunct,
    pass: &[Conjunct],
) -> Option<(Name, String)> {
    let test = part.test.as_ref()?;
    // VALUE of a domain is no column: the domain's own code calls `violating_value`.
    let column = relation.column(&test.column)?;
    if matches!(test.kind, TestKind::NotNull) {
        return (!column.not_null.enforced()).then(|| (test.column.clone(), "NULL".to_owned()));
    }
    let value = violating_value(schema, &column.data_type, part, pass)?;
    Some((test.column.clone(), value))
}

/// Of so many other tests of a column values are made up.
const MOST_TESTS: usize = 50;

/// A literal of the type that breaks the part and passes the others that speak of the same column.
pub(super) fn violating_value(
    schema: &Schema,
    data_type: &crate::schema::ColumnType,
    part: &Conjunct,
    pass: &[Conjunct],
) -> Option<String> {
    let test = part.test.as_ref()?;
    let others = tests_of(pass, &test.column);
    // Where there are hundreds, a value that the first ones suggest is enough to try.
    let all = others.iter().copied().take(MOST_TESTS).chain([test]);
    let mut candidates = candidates(schema, data_type, all);
    candidates.retain(|value| !holds(&test.kind, value) && others.iter().all(|other| holds(&other.kind, value)));
    candidates.into_iter().next().map(|value| values::quote_for(schema, data_type, &value))
}

/// A literal for the column that passes the simple ones of the checks; `None` where none speaks of it.
pub(super) fn accepted(schema: &Schema, parts: &[Conjunct], column: &Column, number: usize) -> Option<String> {
    let tests = tests_of(parts, &column.name);
    if tests.is_empty() {
        return None;
    }
    let mut fitting = candidates(schema, &column.data_type, tests.iter().copied());
    fitting.retain(|value| tests.iter().all(|test| holds(&test.kind, value)));
    let pick = number % fitting.len().max(1);
    fitting.into_iter().nth(pick).map(|value| values::quote_for(schema, &column.data_type, &value))
}

/// The parts of all checks of a table that refuse new rows, in its own names.
pub(super) fn of_table(relation: &Relation) -> Vec<Conjunct> {
    enforced(relation, &|name| Some(Name::from(name)))
}

/// The parts of all checks that refuse new rows, validated or not.
pub(super) fn enforced(relation: &Relation, rename: &dyn Fn(&str) -> Option<Name>) -> Vec<Conjunct> {
    relation
        .constraints
        .iter()
        .filter(|constraint| constraint.enforced)
        .filter_map(|constraint| match &constraint.kind {
            ConstraintKind::Check { expression, .. } => Some(conjuncts(&expression.tree, rename)),
            _ => None,
        })
        .flatten()
        .collect()
}

fn tests_of<'a>(parts: &'a [Conjunct], column: &Name) -> Vec<&'a Test> {
    parts.iter().filter_map(|part| part.test.as_ref()).filter(|test| test.column == *column).collect()
}

fn split(expression: &Expr, parts: &mut Vec<Conjunct>) {
    match expression {
        Expr::Nested(inner) => split(inner, parts),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            split(left, parts);
            split(right, parts);
        }
        other => parts.push(Conjunct { text: other.to_string(), test: test(other) }),
    }
}

/// One node in the common form; its children are already in it.
fn canonical(node: &mut Expr, rename: &dyn Fn(&str) -> Option<Name>) {
    let old = std::mem::replace(node, Expr::Value(Value::Null.into()));
    *node = match old {
        Expr::Nested(inner) => *inner,
        Expr::Identifier(ident) => identifier(&ident, rename),
        Expr::CompoundIdentifier(mut idents) => match idents.pop() {
            Some(last) => identifier(&last, rename),
            None => Expr::CompoundIdentifier(idents),
        },
        Expr::Cast { expr, .. } if is_plain(&expr) => *expr,
        Expr::Between { expr, negated: false, low, high } => nested(
            nested(*expr.clone(), BinaryOperator::GtEq, *low),
            BinaryOperator::And,
            nested(*expr, BinaryOperator::LtEq, *high),
        ),
        Expr::InList { expr, mut list, negated } => {
            list.sort_by_key(Expr::to_string);
            Expr::InList { expr, list, negated }
        }
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => membership(left, right, false),
        Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => membership(left, right, true),
        Expr::Function(mut function) => {
            let name = function.name.to_string().to_lowercase();
            let name = name.trim_start_matches("pg_catalog.");
            let name = if matches!(name, "char_length" | "character_length") { "length" } else { name };
            function.name = ast::ObjectName::from(vec![ast::Ident::new(name)]);
            Expr::Function(function)
        }
        Expr::BinaryOp { left, op, right } => binary(*left, op, *right),
        other => other,
    };
}

/// `x = ANY (ARRAY[a, b])` as `x IN (a, b)`: the server prints the latter as the former.
fn membership(left: Box<Expr>, right: Box<Expr>, negated: bool) -> Expr {
    match *right {
        Expr::Array(array) => {
            let mut list = array.elem;
            list.sort_by_key(Expr::to_string);
            Expr::InList { expr: left, list, negated }
        }
        right if negated => Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right: right.into() },
        right => Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right: right.into(), is_some: false },
    }
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    match (&op, Comparison::of(&op)) {
        (BinaryOperator::PGLikeMatch, _) => {
            Expr::Like { negated: false, any: false, expr: left.into(), pattern: right.into(), escape_char: None }
        }
        (_, Some(comparison)) if constant(&left).is_some() && constant(&right).is_none() => {
            nested(right, comparison.commuted().operator(), left)
        }
        _ => nested(left, op, right),
    }
}

fn nested(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::Nested(Box::new(Expr::BinaryOp { left: left.into(), op, right: right.into() }))
}

fn identifier(ident: &ast::Ident, rename: &dyn Fn(&str) -> Option<Name>) -> Expr {
    let name = Name::of_ident(ident);
    let name = rename(name.as_str()).unwrap_or(name);
    Expr::Identifier(ast::Ident::with_quote('"', name.as_str()))
}

/// Casts of these change nothing that matters here.
fn is_plain(expression: &Expr) -> bool {
    matches!(expression, Expr::Identifier(_) | Expr::Array(_)) || constant(expression).is_some()
}

fn constant(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) | Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => constant(expr).map(|text| format!("-{text}")),
        Expr::Nested(inner) => constant(inner),
        _ => None,
    }
}

fn column(expression: &Expr) -> Option<Name> {
    match expression {
        Expr::Identifier(ident) => Some(Name::new(&ident.value)),
        Expr::Nested(inner) => column(inner),
        _ => None,
    }
}

fn test(expression: &Expr) -> Option<Test> {
    let constants = |list: &[Expr]| list.iter().map(constant).collect::<Option<Vec<_>>>();
    match expression {
        Expr::IsNotNull(inner) => Some(Test { column: column(inner)?, kind: TestKind::NotNull }),
        Expr::InList { expr, list, negated: false } => {
            Some(Test { column: column(expr)?, kind: TestKind::In(constants(list)?) })
        }
        Expr::InList { expr, list, negated: true } => {
            Some(Test { column: column(expr)?, kind: TestKind::NotIn(constants(list)?) })
        }
        Expr::BinaryOp { left, op, right } => {
            let comparison = Comparison::of(op)?;
            let value = constant(right)?;
            match column(left) {
                Some(column) => Some(Test { column, kind: TestKind::Compare(comparison, value) }),
                None => {
                    let kind = TestKind::Length(comparison, value.parse().ok()?);
                    Some(Test { column: length_argument(left)?, kind })
                }
            }
        }
        _ => None,
    }
}

fn length_argument(expression: &Expr) -> Option<Name> {
    match expression {
        Expr::Function(function) if function.name.to_string() == "length" => match &function.args {
            ast::FunctionArguments::List(list) => match &list.args[..] {
                [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(argument))] => column(argument),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// Numbers as numbers, everything else as text.
fn order(left: &str, right: &str) -> std::cmp::Ordering {
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) => left.total_cmp(&right),
        _ => left.cmp(right),
    }
}

fn holds(test: &TestKind, value: &str) -> bool {
    match test {
        TestKind::Compare(comparison, bound) => comparison.holds(order(value, bound)),
        TestKind::Length(comparison, bound) => comparison.holds((value.chars().count() as i64).cmp(bound)),
        TestKind::In(list) => list.iter().any(|item| order(item, value).is_eq()),
        TestKind::NotIn(list) => !list.iter().any(|item| order(item, value).is_eq()),
        TestKind::NotNull => true,
    }
}

/// Every value that passes the old test passes the new one.
fn follows(old: &TestKind, new: &TestKind) -> bool {
    match (old, new) {
        (TestKind::In(list), new) => list.iter().all(|item| holds(new, item)),
        (TestKind::Compare(Comparison::Equal, value), new) => holds(new, value),
        (TestKind::Compare(old, a), TestKind::Compare(new, b)) => {
            // Which texts come before another is the collation's to say.
            let is_ordered = *new != Comparison::NotEqual || [a, b].iter().all(|it| it.parse::<f64>().is_ok());
            is_ordered && old.implies(*new, order(a, b))
        }
        (TestKind::Length(old, a), TestKind::Length(new, b)) => old.implies(*new, a.cmp(b)),
        (TestKind::NotIn(old), TestKind::NotIn(new)) => new.iter().all(|item| old.contains(item)),
        _ => false,
    }
}

/// Values near the constants of the tests; only for types whose literals and order are plain.
fn candidates<'a>(
    schema: &Schema,
    data_type: &crate::schema::ColumnType,
    tests: impl Iterator<Item = &'a Test>,
) -> Vec<String> {
    let base = values::base_type(schema, data_type);
    if base.written.array_dimensions > 0 {
        return Vec::new();
    }
    if let ResolvedType::User(id) = base.resolved {
        return match schema.types.get(&id).map(|found| &found.definition) {
            Some(TypeDefinition::Enum(labels)) => labels.iter().map(|label| label.to_string()).collect(),
            _ => Vec::new(),
        };
    }
    match base.written.name.as_str() {
        "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" => near_numbers(tests),
        "text" | "varchar" | "citext" => near_texts(tests, base.written.modifiers.first().copied()),
        _ => Vec::new(),
    }
}

fn near_numbers<'a>(tests: impl Iterator<Item = &'a Test>) -> Vec<String> {
    let mut found: Vec<i64> = vec![1, 0, -1];
    let mut push = |text: &str| {
        if let Ok(number) = text.parse::<f64>() {
            let number = number as i64;
            found.extend([number, number.saturating_add(1), number.saturating_sub(1)]);
        }
    };
    for test in tests {
        match &test.kind {
            TestKind::Compare(_, bound) => push(bound),
            TestKind::In(list) | TestKind::NotIn(list) => list.iter().for_each(|item| push(item)),
            TestKind::Length(..) | TestKind::NotNull => {}
        }
    }
    found.iter().map(i64::to_string).collect()
}

fn near_texts<'a>(tests: impl Iterator<Item = &'a Test>, length: Option<i32>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for test in tests {
        match &test.kind {
            TestKind::Compare(_, bound) => found.extend([bound.clone(), format!("{bound}x"), String::new()]),
            TestKind::In(list) | TestKind::NotIn(list) => found.extend(list.iter().cloned()),
            TestKind::Length(_, bound) if (0..200).contains(bound) => {
                let bound = *bound as usize;
                found.extend([bound, bound + 1, bound.saturating_sub(1)].map(|length| "x".repeat(length)));
            }
            TestKind::Length(..) | TestKind::NotNull => {}
        }
    }
    found.extend(["example".to_owned(), "x".to_owned()]);
    found.retain(|text| length.is_none_or(|length| text.chars().count() as i64 <= i64::from(length)));
    found
}
