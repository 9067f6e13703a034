//! A type change that cuts values off.

use sqlparser::ast::{BinaryOperator, Expr};

use crate::change::{AlterTableActionKind, Change, Expression, Name, PrintedName, TypeName};
use crate::finding::{Advice, Category, Finding, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule};

pub static RULE: Rule = Rule {
    name: "narrowed-data",
    category: Category::DataLoss,
    severity: Severity::Error,
    summary: "A type change silently rounds or cuts the values that are there",
    explanation: "Some casts refuse a value that does not fit (integer out of range, varchar(n) too short): those fail and lose nothing. Others round or cut \
        without a word: to a smaller numeric scale, to a lower time precision, float to integer, timestamp to date, timestamptz to \
        timestamp (the zone), text to a shorter type through USING with an explicit cast.",
    fires: Example {
        given: "CREATE TABLE payments (id bigint PRIMARY KEY, amount numeric(12,4) NOT NULL);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE payments ALTER COLUMN amount TYPE numeric(12,2);",
    },
    quiet: Example {
        given: "CREATE TABLE payments (id bigint PRIMARY KEY, amount numeric(10,2) NOT NULL);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE payments ALTER COLUMN amount TYPE numeric(12,2);",
    },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    let Some(Change::AlterTable(alter)) = context.change() else { return };
    let Some(relation) = context.step.schema.find_relation(&alter.relation, &context.step.session) else { return };
    if !context.step.is_shared(Some(relation.id)) {
        return;
    }
    for action in &alter.actions {
        let AlterTableActionKind::SetDataType { column, data_type, using, .. } = &action.kind else { continue };
        let Some(old) = relation.column(&column.name) else { continue };
        let casts = using.as_ref().is_none_or(|using| {
            matches!(&*using.tree, sqlparser::ast::Expr::Cast { expr, .. } if expr.to_string().trim_matches('"') == column.name.as_str())
        });
        let explicit = using.is_some();
        let given = using.as_ref().and_then(|using| replaced(using, &column.name));
        let old = &old.data_type.written;
        let cast = || casts.then(|| loss(old, data_type, explicit)).flatten();
        let Some(loss) = given.or_else(cast) else { continue };
        let message = format!("changes {}.{column} from {old} to {data_type}, which {loss}", relation.name);
        let mut finding = RULE.finding(data_type.span, message);
        finding.object = Some(PrintedName::part(&relation.name, &column.name));
        finding.evidence.push(context.evidence_for(Some(relation.id), format!("the column's type is {old}")));
        if given.is_some() {
            finding.advice = Advice::text(
                "Put the new values into a column of their own, and keep the old one until nobody needs what it holds.",
            );
            findings.push(finding);
            continue;
        }
        finding.advice = Advice::text(format!(
            "Look first whether any value would change: SELECT count(*) FROM {} WHERE {column}::{data_type}::{old} IS DISTINCT FROM {column};",
            relation.name
        ));
        findings.push(finding);
    }
}

/// What USING does with values that it does not take over: it names the column not at all, or takes one field of it.
fn replaced(using: &Expression, column: &Name) -> Option<&'static str> {
    fn bare(expression: &Expr) -> &Expr {
        match expression {
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => bare(inner),
            other => other,
        }
    }
    let is_column = |part: &Expr| match bare(part) {
        Expr::Identifier(name) => Name::of_ident(name) == *column,
        Expr::CompoundIdentifier(path) => path.last().is_some_and(|name| Name::of_ident(name) == *column),
        _ => false,
    };
    let names = crate::walk::visit_expressions(&*using.tree, |part| match is_column(part) {
        true => std::ops::ControlFlow::Break(()),
        false => std::ops::ControlFlow::Continue(()),
    });
    if names.is_continue() {
        return Some("replaces every value: USING does not name the column");
    }
    match bare(&using.tree) {
        Expr::BinaryOp { left, op, .. }
            if is_column(left)
                && matches!(
                    op,
                    BinaryOperator::Arrow
                        | BinaryOperator::LongArrow
                        | BinaryOperator::HashArrow
                        | BinaryOperator::HashLongArrow
                ) =>
        {
            Some("keeps one field of every document, and throws the rest away")
        }
        Expr::CompoundFieldAccess { root, .. } if is_column(root) => {
            Some("keeps one part of every value, and throws the rest away")
        }
        _ => None,
    }
}

/// What a cast does to values without an error, if anything.
fn loss(old: &TypeName, new: &TypeName, explicit: bool) -> Option<&'static str> {
    let (from, to) = (old.name.as_str(), new.name.as_str());
    let scale = |data_type: &TypeName| match data_type.modifiers.as_slice() {
        [] => None,
        [_] => Some(0),
        [_, scale, ..] => Some(*scale),
    };
    let precision = |data_type: &TypeName| data_type.modifiers.first().copied().unwrap_or(6);
    let length = |data_type: &TypeName| data_type.modifiers.first().copied();
    match (from, to) {
        ("numeric", "numeric") => {
            let narrower = scale(new).is_some_and(|new| scale(old).is_none_or(|old| new < old));
            narrower.then_some("rounds values to fewer decimals")
        }
        ("numeric" | "float4" | "float8", "int2" | "int4" | "int8") => Some("rounds values to whole numbers"),
        ("float8" | "numeric", "float4") | ("numeric", "float8") => Some("keeps fewer digits of every value"),
        ("timestamp" | "timestamptz" | "time" | "timetz", _) if from == to && precision(new) < precision(old) => {
            Some("rounds values to a lower precision")
        }
        ("timestamp" | "timestamptz", "date") => Some("cuts the time of day off"),
        ("timestamp" | "timestamptz", "time" | "timetz") => Some("cuts the date off"),
        // Only an explicit cast cuts; an assignment cast refuses.
        ("text" | "varchar" | "bpchar", "varchar" | "bpchar") if explicit => {
            let shorter = length(new).is_some_and(|new| from == "text" || length(old).is_none_or(|old| new < old));
            shorter.then_some("cuts longer values off, because an explicit cast in USING does not refuse them")
        }
        _ => None,
    }
}
