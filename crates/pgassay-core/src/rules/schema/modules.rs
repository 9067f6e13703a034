//! Borders between the modules that the configuration names.

use std::collections::{BTreeMap, BTreeSet};

use super::{Discovery, SchemaContext, hot};
use crate::change::{Name, PrintedName};
use crate::contract::Subject;
use crate::finding::{Category, Confidence, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{RelationId, RelationKind};

pub static RULE: Rule = Rule {
    name: "module-border",
    category: Category::Safety,
    severity: Severity::Warning,
    summary: "A foreign key, a view or a hot query crosses a border between modules without leave",
    explanation: "A database in which everything references everything can be changed by nobody alone. [modules] in pgassay.toml says which tables belong together and which module may use which; what crosses a border that the file does not open is reported: foreign keys and views by their definition, queries by the workload. Keep the number of the other module's row without a foreign key, ask that module for what is needed, or open the border with may-use. \
        Without [modules] nothing is told; audit --modules proposes some. Bodies of functions are not read for it. The examples have the modules shipping and billing.",
    fires: Example {
        given: "CREATE SCHEMA billing; CREATE SCHEMA shipping; CREATE TABLE billing.invoices (id bigint PRIMARY KEY);",
        migration: "CREATE TABLE shipping.parcels (id bigint PRIMARY KEY, invoice_id bigint NOT NULL REFERENCES billing.invoices);\nCREATE INDEX ON shipping.parcels (invoice_id);",
    },
    quiet: Example {
        given: "CREATE SCHEMA billing; CREATE SCHEMA shipping; CREATE TABLE shipping.routes (id bigint PRIMARY KEY);",
        migration: "CREATE TABLE shipping.parcels (id bigint PRIMARY KEY, route_id bigint NOT NULL REFERENCES shipping.routes);\nCREATE INDEX ON shipping.parcels (route_id);",
    },
};

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    if context.options.modules.all.is_empty() {
        return;
    }
    foreign_keys(context, found);
    if context.scope.is_none() {
        views(context, found);
        queries(context, found);
    }
}

fn foreign_keys(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let modules = &context.options.modules;
    for table in context.any_tables() {
        let Some(from) = modules.of(&table.name) else { continue };
        for (constraint, key) in table.foreign_keys().filter(|(constraint, _)| constraint.local) {
            let Some(parent) = context.schema.relation(key.referenced) else { continue };
            let Some(to) = modules.of(&parent.name).filter(|to| !from.may_use(to)) else { continue };
            found.push(
                context
                    .discovery(
                        &RULE,
                        Subject::Part(table.id, constraint.name.clone()),
                        format!(
                            "foreign key {} of {} crosses from module {} into {} ({})",
                            constraint.name, table.name, from.name, to.name, parent.name
                        ),
                    )
                    .confidence(Confidence::High)
                    .declared(format!("[modules.{}] in the configuration has no may-use for {}", from.name, to.name))
                    .related(Subject::Relation(parent.id), "the table of the other module")
                    .advice(
                        format!(
                            "Keep the number without a foreign key and let {} say when its row goes; or open the border: may-use = [\"{}\"] in [modules.{}].",
                            to.name, to.name, from.name
                        ),
                        Vec::new(),
                    ),
            );
        }
    }
}

fn views(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let modules = &context.options.modules;
    for view in context.schema.relations.values() {
        let (RelationKind::View(of) | RelationKind::MaterializedView(of)) = &view.kind else { continue };
        let Some(from) = modules.of(&view.name) else { continue };
        let used: BTreeSet<RelationId> = of.uses.iter().map(|(id, _)| *id).collect();
        for table in used.into_iter().filter_map(|id| context.schema.relation(id)) {
            let Some(to) = modules.of(&table.name).filter(|to| !from.may_use(to)) else { continue };
            found.push(
                context
                    .discovery(
                        &RULE,
                        Subject::Relation(view.id),
                        format!(
                            "view {} crosses from module {} into {} ({})",
                            view.name, from.name, to.name, table.name
                        ),
                    )
                    .confidence(Confidence::High)
                    .declared(format!(
                        "its query reads {}; [modules.{}] has no may-use for {}",
                        table.name, from.name, to.name
                    ))
                    .advice(
                        format!("Read what {} offers for others, or open the border with may-use.", to.name),
                        Vec::new(),
                    ),
            );
        }
    }
}

/// Statements that read or write tables of two modules of which neither may use the other: the one that costs most for each pair.
fn queries(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let Some(workload) = context.workload else { return };
    let modules = &context.options.modules;
    let mut tables: BTreeMap<usize, BTreeSet<RelationId>> = BTreeMap::new();
    for one in context.uses {
        tables.entry(one.statement).or_default().insert(one.table);
    }
    let mut pairs: BTreeMap<(String, String), (usize, RelationId)> = BTreeMap::new();
    for (statement, tables) in tables {
        let tables: Vec<_> = tables.into_iter().filter_map(|id| context.schema.relation(id)).collect();
        for (at, one) in tables.iter().enumerate() {
            for other in &tables[at + 1..] {
                let (Some(from), Some(to)) = (modules.of(&one.name), modules.of(&other.name)) else { continue };
                if from.may_use(to) || to.may_use(from) {
                    continue;
                }
                let mut names = [from.name.clone(), to.name.clone()];
                names.sort();
                let [first, second] = names;
                let cost = |number: usize| workload.statements[number].total_milliseconds;
                let worst = pairs.entry((first, second)).or_insert((statement, one.id));
                if cost(statement) > cost(worst.0) {
                    *worst = (statement, one.id);
                }
            }
        }
    }
    for ((one, other), (statement, table)) in pairs {
        let Some(table) = context.schema.relation(table) else { continue };
        let mut discovery = context
            .discovery(
                &RULE,
                Subject::Part(table.id, Name::from(format!("\nmodules {one} and {other}").as_str())),
                format!("a query joins tables of the modules {one} and {other}, and neither may use the other"),
            )
            .confidence(Confidence::Medium)
            .measured(hot::told(&workload.statements[statement], workload))
            .at(context.places.of(&Subject::Relation(table.id)))
            .advice(format!("Ask {other} for what {one} needs of it, or open the border with may-use."), Vec::new());
        discovery.finding.object = Some(PrintedName::from(&table.name));
        found.push(discovery);
    }
}
