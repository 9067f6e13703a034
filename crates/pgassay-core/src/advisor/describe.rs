//! An index and what it does to a plan, in words and SQL.

use std::collections::BTreeSet;

use super::candidate::table_of;
use super::definition::Definition;
use super::tables::{TableInfo, Tables};
use crate::change::QualifiedName;
use crate::plan::Plan;
use crate::plan::node::KnownType;

/// How a plan reads a table: `Seq Scan on orders`, `Index Scan using orders_customer_idx`.
pub(super) fn scans_of(
    plan: &Plan,
    table: &QualifiedName,
    tables: &Tables,
    renamed: &dyn Fn(&str) -> String,
) -> String {
    let mut found: Vec<String> = Vec::new();
    for (at, node) in plan.nodes.iter().enumerate() {
        if table_of(node, tables).is_none_or(|(name, _)| name != *table) || node.is(KnownType::ModifyTable) {
            continue;
        }
        // The indexes of a bitmap are read below it.
        let below = plan.ids().filter(|id| plan.ancestors(*id).any(|above| above.0 == at));
        let index = node.index.as_deref().map(renamed).or_else(|| {
            let names = below.filter_map(|id| plan.node(id).index.clone());
            let names: BTreeSet<String> = names.map(|name| renamed(&name)).collect();
            node.is(KnownType::BitmapHeapScan).then(|| names.into_iter().collect::<Vec<_>>().join(", "))
        });
        let text = match index {
            Some(index) => format!("{} using {index}", node.kind.name()),
            None => format!("{} on {}", node.kind.name(), node.relation.as_deref().unwrap_or_default()),
        };
        if !found.contains(&text) {
            found.push(text);
        }
    }
    let more = found.len().saturating_sub(2);
    found.truncate(2);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    found.join("; ") + &rest
}

/// What creates an index without stopping writers. A partitioned table takes no CONCURRENTLY: each partition does, and is attached.
pub(super) fn statements(definition: &Definition, name: &str, table: Option<&TableInfo>) -> Vec<String> {
    let mut statements = Vec::new();
    let schema = &definition.table.schema;
    match table.filter(|table| table.partitioned) {
        Some(table) => {
            let parent = crate::change::Name::new(name);
            statements.push(format!("CREATE INDEX {parent} ON ONLY {} {}", definition.table, definition.body()));
            for partition in &table.partitions {
                let part = Definition { table: partition.clone(), ..definition.clone() };
                let own = part.name(|_| false);
                statements.push(part.create(&own, true));
                let own = crate::change::Name::new(&own);
                statements.push(format!("ALTER INDEX {schema}.{parent} ATTACH PARTITION {}.{own}", partition.schema));
            }
        }
        None => statements.push(definition.create(name, true)),
    }
    if definition.has_expressions() {
        statements.push(format!("ANALYZE {}", definition.table));
    }
    statements
}
