//! Whether CHECK constraints prove a partition bound: the bound as the server writes it (`get_qual_from_partbound`, partbounds.c), held
//! against the facts of the checks the way `predicate_implied_by` (predtest.c) does it.

use std::cmp::Ordering;

use sqlparser::ast::{Expr, UnaryOperator, Value};

use super::comparison::Comparison;
use super::proof::{self, Fact};
use super::{Scope, names};
use crate::catalog;
use crate::change::{Expression, IndexTarget, PartitionBound};
use crate::schema::{ColumnType, PartitionKey, Relation, RelationKind, ResolvedType};

/// A partitioned table may itself be a partition; deeper than this nothing is proved.
const DEEPEST_TREE: u8 = 16;

/// An element of the partition key.
struct Element {
    subject: String,
    data_type: Option<ColumnType>,
    /// Text in the database's collation, which is deterministic: values of another spelling are other values.
    is_text: bool,
}

pub(super) fn proves(
    checks: &[&Expr],
    child: &Relation,
    parent: &Relation,
    key: &PartitionKey,
    bound: &PartitionBound,
    scope: Scope,
) -> bool {
    proves_level(&known(checks, child), parent, key, bound, scope, 0)
}

/// What holds for every row of a table.
fn known<'a>(checks: &[&'a Expr], table: &Relation) -> Fact<'a> {
    let mut facts: Vec<Fact> = checks.iter().map(|check| proof::fact(check, true)).collect();
    let not_null = table.columns.iter().filter(|column| column.not_null == crate::schema::NotNull::Yes);
    facts.extend(not_null.map(|column| Fact::NotNull(proof::column_subject(&column.name))));
    Fact::And(facts)
}

/// Whether the checks of a default partition prove NOT of a new partition's bound, so that the server need not look for rows of it
/// there (`check_default_partition_contents`, partbounds.c).
pub(super) fn excludes(
    checks: &[&Expr],
    default: &Relation,
    parent: &Relation,
    key: &PartitionKey,
    bound: &PartitionBound,
) -> bool {
    let Some(elements) = elements(parent, key) else { return false };
    let written = written(&elements, bound);
    written.is_some_and(|written| implies(&known(checks, default), &negated(written), &elements))
}

/// A bound that stands for itself: not the default one.
fn written<'a>(elements: &[Element], bound: &'a PartitionBound) -> Option<Fact<'a>> {
    match bound {
        PartitionBound::List(values) => list(elements, values),
        PartitionBound::Range { from, to } => range(elements, from, to),
        PartitionBound::Default | PartitionBound::Hash { .. } => None,
    }
}

/// NOT of a fact, pushed down as `negate_clause` (clauses.c) does it.
fn negated(fact: Fact) -> Fact {
    match fact {
        Fact::And(parts) => Fact::Or(parts.into_iter().map(negated).collect()),
        Fact::Or(parts) => Fact::And(parts.into_iter().map(negated).collect()),
        Fact::NotNull(subject) => Fact::Null(subject),
        Fact::Null(subject) => Fact::NotNull(subject),
        Fact::Compare(subject, comparison, value) => Fact::Compare(subject, comparison.negated(), value),
        Fact::Never | Fact::Other => Fact::Other,
    }
}

/// The default partition takes the rows that no other one takes.
fn proves_default(fact: &Fact, parent: &Relation, elements: &[Element], scope: Scope) -> bool {
    let others = parent.children.iter().map(|id| scope.schema.relation(*id).and_then(|child| child.bound.as_ref()));
    parent.known
        && others.into_iter().all(|bound| match bound {
            Some(PartitionBound::Default) => true,
            Some(bound) => written(elements, bound).is_some_and(|written| implies(fact, &negated(written), elements)),
            None => false,
        })
}

/// The bound of this level, and those that the parent itself is under.
fn proves_level(
    fact: &Fact,
    parent: &Relation,
    key: &PartitionKey,
    bound: &PartitionBound,
    scope: Scope,
    depth: u8,
) -> bool {
    let Some(elements) = elements(parent, key) else { return false };
    let proved = match bound {
        PartitionBound::Default => proves_default(fact, parent, &elements, scope),
        bound => written(&elements, bound).is_some_and(|wanted| implies(fact, &wanted, &elements)),
    };
    proved && depth < DEEPEST_TREE && proves_ancestors(fact, parent, scope, depth)
}

fn proves_ancestors(fact: &Fact, parent: &Relation, scope: Scope, depth: u8) -> bool {
    let Some(bound) = &parent.bound else { return parent.known || parent.parents.is_empty() };
    let above = parent.parents.first().and_then(|id| scope.schema.relation(*id));
    match above.map(|above| (above, &above.kind)) {
        Some((above, RelationKind::PartitionedTable(key))) => proves_level(fact, above, key, bound, scope, depth + 1),
        _ => false,
    }
}

/// `None` when an element has an operator class or collation of its own: what compares equal is not known then.
fn elements(parent: &Relation, key: &PartitionKey) -> Option<Vec<Element>> {
    let element = |element: &crate::change::IndexElement| {
        let plain = element.operator_class.is_none() && element.collation.is_none();
        plain.then(|| match &element.target {
            IndexTarget::Column(column) => {
                let subject = proof::column_subject(&column.name);
                let found = parent.column(&column.name);
                let is_text = found.is_some_and(|column| {
                    let of = &column.data_type;
                    let plain = of.resolved == ResolvedType::BuiltIn && of.written.array_dimensions == 0;
                    column.collation.is_none() && plain && matches!(of.written.name.as_str(), "text" | "varchar")
                });
                Element { subject, data_type: found.map(|column| column.data_type.clone()), is_text }
            }
            IndexTarget::Expression(expression) => {
                Element { subject: proof::subject(&expression.tree), data_type: None, is_text: false }
            }
        })
    };
    key.elements.iter().map(element).collect()
}

/// `get_qual_for_list`.
fn list<'a>(elements: &[Element], values: &'a [Expression]) -> Option<Fact<'a>> {
    let [element] = elements else { return None };
    let (nulls, values): (Vec<&Expression>, Vec<&Expression>) = values.iter().partition(|value| is_null(&value.tree));
    let equal = values.iter().map(|value| Fact::Compare(element.subject.clone(), Comparison::Equal, &value.tree));
    let equal = Fact::Or(equal.collect());
    Some(match (nulls.is_empty(), values.is_empty()) {
        (true, _) => Fact::And(vec![Fact::NotNull(element.subject.clone()), equal]),
        (false, true) => Fact::Null(element.subject.clone()),
        (false, false) => Fact::Or(vec![Fact::Null(element.subject.clone()), equal]),
    })
}

/// `get_qual_for_range`: no NULLs, equal leading values, then the lower and the upper limit arm by arm.
fn range<'a>(elements: &[Element], from: &'a [Expression], to: &'a [Expression]) -> Option<Fact<'a>> {
    if from.len() != elements.len() || to.len() != elements.len() {
        return None;
    }
    let mut parts: Vec<Fact> = elements.iter().map(|element| Fact::NotNull(element.subject.clone())).collect();
    let same = |at: usize| {
        at + 1 < elements.len()
            && infinity(&from[at].tree).is_none()
            && infinity(&to[at].tree).is_none()
            && compare(&from[at].tree, &to[at].tree, &elements[at]) == Some(Ordering::Equal)
    };
    let start = (0..elements.len()).take_while(|at| same(*at)).count();
    for at in 0..start {
        parts.push(Fact::Compare(elements[at].subject.clone(), Comparison::Equal, &from[at].tree));
    }
    parts.extend(limit(elements, from, start, Infinity::Minimum));
    parts.extend(limit(elements, to, start, Infinity::Maximum));
    Some(Fact::And(parts))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Infinity {
    Minimum,
    Maximum,
}

/// One side of the range; `open` is the infinity that leaves that side open. `None` when it is open.
fn limit<'a>(elements: &[Element], values: &'a [Expression], start: usize, open: Infinity) -> Option<Fact<'a>> {
    match infinity(&values.get(start)?.tree) {
        Some(infinity) if infinity == open => return None,
        // No row fits, and nothing proves that.
        Some(_) => return Some(Fact::Other),
        None => {}
    }
    let lower = open == Infinity::Minimum;
    let strict = if lower { Comparison::Greater } else { Comparison::Less };
    let inclusive = if lower { Comparison::GreaterOrEqual } else { Comparison::LessOrEqual };
    let mut arms = Vec::new();
    for at in start..elements.len() {
        let next = values.get(at + 1).map(|value| infinity(&value.tree));
        let comparison = match next {
            // The last column: the lower limit belongs to the partition, the upper does not.
            None => {
                if lower {
                    inclusive
                } else {
                    strict
                }
            }
            // Behind the open infinity come all rows with this value, behind the other none.
            Some(Some(next)) => {
                if next == open {
                    inclusive
                } else {
                    strict
                }
            }
            Some(None) => strict,
        };
        let subject = |at: usize| elements[at].subject.clone();
        let equal = (start..at).map(|at| Fact::Compare(subject(at), Comparison::Equal, &values[at].tree));
        let mut arm: Vec<Fact> = equal.collect();
        arm.push(Fact::Compare(subject(at), comparison, &values[at].tree));
        arms.push(Fact::And(arm));
        if matches!(next, Some(Some(_))) {
            break;
        }
    }
    Some(Fact::Or(arms))
}

fn infinity(value: &Expr) -> Option<Infinity> {
    match value {
        Expr::Identifier(ident) if names::name(ident) == "minvalue" => Some(Infinity::Minimum),
        Expr::Identifier(ident) if names::name(ident) == "maxvalue" => Some(Infinity::Maximum),
        _ => None,
    }
}

fn is_null(value: &Expr) -> bool {
    matches!(value, Expr::Value(value) if value.value == Value::Null)
}

/// `predicate_implied_by_recurse`: an AND is proved part by part, an OR must be proved by every one of its own parts.
fn implies(fact: &Fact, wanted: &Fact, elements: &[Element]) -> bool {
    match (fact, wanted) {
        (_, Fact::And(parts)) => parts.iter().all(|part| implies(fact, part, elements)),
        (Fact::And(facts), Fact::Or(parts)) => {
            parts.iter().any(|part| implies(fact, part, elements))
                || facts.iter().any(|fact| implies(fact, wanted, elements))
        }
        (Fact::And(facts), _) => facts.iter().any(|fact| implies(fact, wanted, elements)),
        (Fact::Or(facts), _) => !facts.is_empty() && facts.iter().all(|fact| implies(fact, wanted, elements)),
        (_, Fact::Or(parts)) => parts.iter().any(|part| implies(fact, part, elements)),
        _ => implies_simple(fact, wanted, elements),
    }
}

fn implies_simple(fact: &Fact, wanted: &Fact, elements: &[Element]) -> bool {
    match (fact, wanted) {
        (Fact::Never, _) => true,
        (Fact::NotNull(a), Fact::NotNull(b)) | (Fact::Null(a), Fact::Null(b)) => a == b,
        (Fact::Compare(a, known, value), Fact::Compare(b, wanted, limit)) if a == b => {
            let element = elements.iter().find(|element| element.subject == *a);
            if (*known, *wanted) == (Comparison::Equal, Comparison::NotEqual)
                && element.is_some_and(|element| element.is_text && differ(value, limit, element))
            {
                return true;
            }
            let order = element.and_then(|element| compare(value, limit, element));
            order.is_some_and(|order| known.implies(*wanted, order))
        }
        _ => false,
    }
}

/// The order of two constants as values of the element's type; `None` where it cannot be told for sure: text in an unknown collation
/// is only ever equal.
fn compare(a: &Expr, b: &Expr, element: &Element) -> Option<Ordering> {
    let of_type = element
        .data_type
        .as_ref()
        .filter(|of| of.resolved == ResolvedType::BuiltIn && of.written.array_dimensions == 0);
    let type_name = of_type.map(|of| of.written.name.as_str());
    let (a, b) = (constant(a, type_name)?, constant(b, type_name)?);
    let equal = (a == b).then_some(Ordering::Equal);
    match type_name {
        Some("int2" | "int4" | "int8" | "numeric") => Some(a.parse::<i64>().ok()?.cmp(&b.parse::<i64>().ok()?)),
        Some("date" | "timestamp" | "timestamptz") if has_zone(&a) == has_zone(&b) => {
            Some(instant(&a)?.cmp(&instant(&b)?)).or(equal)
        }
        // A key that is not a plain column, or of another type: only the same spelling is surely the same value.
        _ => equal,
    }
}

fn differ(a: &Expr, b: &Expr, element: &Element) -> bool {
    let type_name = element.data_type.as_ref().map(|of| of.written.name.as_str());
    matches!((constant(a, type_name), constant(b, type_name)), (Some(a), Some(b)) if a != b)
}

/// A constant's text, the sign included; a cast must be to the key's own type, or between whole numbers.
fn constant(value: &Expr, type_name: Option<&str>) -> Option<String> {
    match value {
        Expr::Nested(inner) => constant(inner, type_name),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Some(format!("-{}", constant(expr, type_name)?)),
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => Some(number.clone()),
            Value::Boolean(truth) => Some(truth.to_string()),
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        Expr::TypedString(typed) => {
            let same = names::type_name(&typed.data_type)?;
            let Value::SingleQuotedString(text) = &typed.value.value else { return None };
            (Some(same.name.as_str()) == type_name && same.modifiers.is_empty()).then(|| text.clone())
        }
        Expr::Cast { expr, data_type, .. } => {
            let target = names::type_name(data_type)?;
            let whole = |name: &str| matches!(name, "int2" | "int4" | "int8");
            let text = |name: &str| matches!(name, "text" | "varchar");
            let target_name = target.name.as_str();
            let fits = type_name.is_none_or(|own| {
                own == target_name || (whole(own) && whole(target_name)) || (text(own) && text(target_name))
            });
            let plain = target.modifiers.is_empty()
                && target.array_dimensions == 0
                && catalog::built_in_type(target_name).is_some();
            if fits && plain { constant(expr, type_name) } else { None }
        }
        _ => None,
    }
}

/// Without a zone a time is read in the session's.
fn has_zone(text: &str) -> bool {
    text.ends_with("+00") || text.ends_with('Z')
}

/// A date or time in ISO form as digits that sort as the instants do, where both are spelled alike: `2020-01-31`, `2020-01-31 10:00:00`.
/// A zone other than none or UTC is not read.
fn instant(text: &str) -> Option<String> {
    let text = text.strip_suffix("+00").or_else(|| text.strip_suffix('Z')).unwrap_or(text);
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts[..] else { return None };
    let iso = year.len() == 4 && month.len() == 2 && day.len() == 2 && [year, month, day].into_iter().all(digits);
    let clock = time.is_empty() || (time.len() == 8 && time.split(':').all(|part| part.len() == 2 && digits(part)));
    let time = if time.is_empty() { "00:00:00" } else { time };
    (iso && clock).then(|| format!("{date} {time}"))
}
