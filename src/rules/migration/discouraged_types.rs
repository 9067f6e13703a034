//! Column types that the manual or experience advises against.

use crate::change::{AlterTableActionKind, Change, ColumnDefinition, ObjectName, TypeName};
use crate::finding::{Advice, Category, Evidence, Finding, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Check, Example, Rule};

pub const RULE: Rule = Rule {
    name: "discouraged-types",
    category: Category::Hygiene,
    severity: Severity::Info,
    summary: "A new column has a type that is regretted later: timestamp without time zone, char(n), money, json, serial, timetz",
    explanation: "timestamp without time zone does not say which moment it means; char(n) pads and compares without trailing spaces; money follows the server's locale; \
        json keeps text and cannot be indexed or compared; serial leaves its sequence with separate privileges; a 32-bit key runs out. Changing the \
        type later rewrites the table. One finding a table lists its columns.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamp NOT NULL);",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL);",
    },
    check: Check::Step(check),
};

fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    let (table, columns): (&ObjectName, Vec<&ColumnDefinition>) = match context.change() {
        Some(Change::CreateTable(create)) => (&create.name, create.columns.iter().collect()),
        Some(Change::AlterTable(alter)) => (
            &alter.relation,
            alter
                .actions
                .iter()
                .filter_map(|action| match &action.kind {
                    AlterTableActionKind::AddColumn { column, .. } => Some(column),
                    _ => None,
                })
                .collect(),
        ),
        _ => return,
    };
    let discouraged: Vec<(&ColumnDefinition, &TypeName, &str)> = columns
        .into_iter()
        .filter_map(|column| {
            let data_type = column.data_type.as_ref()?;
            let (known_as, better) = better(data_type)?;
            let accepted = context.options.accepted_types.contains(&known_as);
            (!accepted).then_some((column, data_type, better))
        })
        .collect();
    let Some((first, data_type, _)) = discouraged.first() else { return };
    let name = context.step.schema.qualify(table, &context.step.session);
    let list: Vec<String> =
        discouraged.iter().map(|(column, data_type, _)| format!("{} {data_type}", column.name)).collect();
    let mut finding = RULE.finding(data_type.span, format!("{name} gets {}", list.join(", ")));
    finding.object = Some(format!("{name}.{}", first.name));
    finding.related = discouraged.iter().skip(1).map(|(_, data_type, _)| (data_type.span, String::new())).collect();
    finding.evidence.push(Evidence::assumed("the type as written"));
    let mut advice: Vec<String> =
        discouraged.iter().map(|(_, data_type, better)| format!("{data_type}: {better}")).collect();
    advice.dedup();
    finding.advice = Advice::text(advice.join("; "));
    findings.push(finding);
}

const SERIAL: &str = "use bigint GENERATED ALWAYS AS IDENTITY; a smaller key runs out";

/// The name that people write, and what to use instead.
fn better(data_type: &TypeName) -> Option<(&'static str, &'static str)> {
    if data_type.schema.is_some() {
        return None;
    }
    match data_type.name.as_str() {
        "timestamp" => Some(("timestamp", "use timestamptz, which stores the moment")),
        "timetz" => Some(("timetz", "use time, or timestamptz for a moment")),
        "bpchar" => Some(("char", "use text, with a CHECK on the length if it matters")),
        "money" => Some(("money", "use numeric with a currency column, or an integer of the smallest unit")),
        "json" => Some(("json", "use jsonb, which can be indexed and compared")),
        "serial4" => Some(("serial", SERIAL)),
        "serial2" => Some(("smallserial", SERIAL)),
        _ => None,
    }
}
