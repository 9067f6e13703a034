//! The rows that a partition takes, as a condition in SQL.

use super::{PartitionKey, Relation, RelationKind};
use crate::change::{Expression, IndexTarget, PartitionBound};

/// The bound as the server writes it (`get_qual_from_partbound`, partbounds.c). `None` where it cannot be written out.
pub fn bound_condition(parent: &Relation, bound: &PartitionBound) -> Option<String> {
    let RelationKind::PartitionedTable(key) = &parent.kind else { return None };
    let elements = elements(key);
    match bound {
        PartitionBound::List(values) => list(elements.first()?, values),
        PartitionBound::Range { from, to } => range(&elements, from, to),
        PartitionBound::Default | PartitionBound::Hash { .. } => None,
    }
}

fn elements(key: &PartitionKey) -> Vec<String> {
    let text = |element: &crate::change::IndexElement| match &element.target {
        IndexTarget::Column(column) => column.to_string(),
        IndexTarget::Expression(expression) => format!("({})", expression.text),
    };
    key.elements.iter().map(text).collect()
}

fn list(element: &str, values: &[Expression]) -> Option<String> {
    let (nulls, values): (Vec<&Expression>, Vec<&Expression>) =
        values.iter().partition(|value| value.text.eq_ignore_ascii_case("null"));
    let texts: Vec<&str> = values.iter().map(|value| &*value.text).collect();
    let equal = match texts.as_slice() {
        [] => return Some(format!("{element} IS NULL")),
        [one] => format!("{element} = {one}"),
        many => format!("{element} IN ({})", many.join(", ")),
    };
    Some(if nulls.is_empty() {
        format!("{element} IS NOT NULL AND {equal}")
    } else {
        format!("{element} IS NULL OR {equal}")
    })
}

fn range(elements: &[String], from: &[Expression], to: &[Expression]) -> Option<String> {
    if elements.len() != from.len() || elements.len() != to.len() {
        return None;
    }
    let mut parts: Vec<String> = elements.iter().map(|element| format!("{element} IS NOT NULL")).collect();
    let start = (0..elements.len().saturating_sub(1))
        .take_while(|at| from[*at].text == to[*at].text && !is_open(&from[*at]))
        .count();
    parts.extend((0..start).map(|at| format!("{} = {}", elements[at], from[at].text)));
    parts.extend(limit(elements, from, start, true));
    parts.extend(limit(elements, to, start, false));
    Some(parts.join(" AND "))
}

fn is_open(value: &Expression) -> bool {
    ["minvalue", "maxvalue"].iter().any(|word| value.text.eq_ignore_ascii_case(word))
}

/// One side of a range: `(a > 1 OR (a = 1 AND b >= 5))`. `None` where it is open.
fn limit(elements: &[String], values: &[Expression], start: usize, lower: bool) -> Option<String> {
    if is_open(values.get(start)?) {
        return None;
    }
    let open = if lower { "minvalue" } else { "maxvalue" };
    let mut arms: Vec<String> = Vec::new();
    for at in start..elements.len() {
        let next = values.get(at + 1);
        let inclusive = match next {
            None => lower,
            Some(next) => next.text.eq_ignore_ascii_case(open),
        };
        let operator = match (lower, inclusive) {
            (true, true) => ">=",
            (true, false) => ">",
            (false, true) => "<=",
            (false, false) => "<",
        };
        let mut arm: Vec<String> = (start..at).map(|at| format!("{} = {}", elements[at], values[at].text)).collect();
        arm.push(format!("{} {operator} {}", elements[at], values[at].text));
        arms.push(if arm.len() > 1 { format!("({})", arm.join(" AND ")) } else { arm.concat() });
        if next.is_some_and(is_open) {
            break;
        }
    }
    Some(if arms.len() > 1 { format!("({})", arms.join(" OR ")) } else { arms.concat() })
}
