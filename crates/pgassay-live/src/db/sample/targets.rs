//! What is worth sampling.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::change::{Name, QualifiedName};
use crate::facts::{Facts, Reference, RelationFacts};
use crate::schema::{Relation, RelationKind, ResolvedType, Schema, TypeDefinition};
use crate::text::words;

/// Something to look at in a sample of a table's rows.
#[derive(Debug, Clone)]
pub struct Target {
    pub table: QualifiedName,
    pub what: What,
    /// Pages of the table at the moment.
    pub pages: u64,
}

#[derive(Debug, Clone)]
pub enum What {
    /// The documents of a column; json rather than jsonb.
    Documents { column: Name, is_text: bool },
    /// Which of these columns are NULL together, by a column that holds a state.
    Nulls { columns: Vec<Name>, state: Option<Name> },
    /// Whether the values of a column are keys of another table.
    Reference(Reference),
}

/// As in "documents of shop.orders.data were not sampled".
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Documents { column, .. } => write!(f, "documents of {}.{column}", self.table),
            What::Nulls { .. } => write!(f, "NULLs of {}", self.table),
            What::Reference(reference) => write!(f, "references of {}.{}", self.table, reference.column),
        }
    }
}

/// Partitions of one table that are sampled.
const PARTITIONS: usize = 8;

/// Columns of one table whose NULLs are held against each other.
const COLUMNS: usize = 16;

/// Fewer rows follow no rule yet.
const FEWEST_ROWS: f64 = 1000.0;

/// JSON columns, columns that are NULL in some rows, and the references asked for, of the tables that hold rows, those of the largest tables
/// first. Tables that were locked while the facts were read are left out.
pub fn targets(schema: &Schema, facts: &Facts, references: &[Reference]) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    let chosen = chosen_partitions(schema);
    for relation in schema.relations.values().filter(|relation| matches!(relation.kind, RelationKind::Table)) {
        let Some(measured) = facts.relation(&relation.name).filter(|measured| !measured.locked) else { continue };
        if relation.is_partition() && !chosen.contains(&relation.name) {
            continue;
        }
        let block = u64::from(facts.server.block_size.max(1024));
        let pages = measured.heap_bytes.map_or(measured.pages, |bytes| bytes / block);
        let mut add = |what: What| targets.push(Target { table: relation.name.clone(), what, pages });
        for column in &relation.columns {
            let written = &schema.base_type(&column.data_type).written;
            if written.array_dimensions == 0 && matches!(written.name.as_str(), "json" | "jsonb") {
                add(What::Documents { column: column.name.clone(), is_text: written.name == "json" });
            }
        }
        if let Some(what) = nulls(schema, relation, measured).filter(|_| !relation.is_partition()) {
            add(what);
        }
        references.iter().filter(|it| it.table == relation.name).for_each(|it| add(What::Reference(it.clone())));
    }
    targets.sort_by_key(|target| std::cmp::Reverse(target.pages));
    targets
}

/// The first and the last made of each table, and some between: partitions of one table resemble each other.
fn chosen_partitions(schema: &Schema) -> BTreeSet<QualifiedName> {
    let mut leaves: BTreeMap<QualifiedName, Vec<QualifiedName>> = BTreeMap::new();
    for relation in schema.relations.values().filter(|relation| relation.is_partition()) {
        let root = schema
            .parents_closure(relation.id)
            .last()
            .and_then(|id| schema.relation(*id))
            .map(|root| root.name.clone());
        leaves.entry(root.unwrap_or_else(|| relation.name.clone())).or_default().push(relation.name.clone());
    }
    leaves
        .into_values()
        .flat_map(|all| {
            let step = (all.len() - 1).div_ceil(PARTITIONS - 1).max(1);
            let last = all.last().cloned();
            all.into_iter().step_by(step).chain(last)
        })
        .collect()
}

/// Columns that are NULL in some rows and not in others, by the statistics.
fn nulls(schema: &Schema, relation: &Relation, measured: &RelationFacts) -> Option<What> {
    measured.rows.filter(|rows| *rows >= FEWEST_ROWS)?;
    let sometimes =
        |name: &Name| measured.columns.get(name).is_some_and(|column| (0.001..=0.999).contains(&column.null_fraction));
    let columns: Vec<Name> =
        relation.columns.iter().map(|column| column.name.clone()).filter(sometimes).take(COLUMNS).collect();
    let state = state(schema, relation, measured);
    let enough = columns.len() >= 2 || state.is_some() && !columns.is_empty();
    enough.then_some(What::Nulls { columns, state })
}

/// A column of an enum type, or of text with few values and a name that says that it holds a state.
fn state(schema: &Schema, relation: &Relation, measured: &RelationFacts) -> Option<Name> {
    let is_state = |column: &&crate::schema::Column| {
        let Some(facts) = measured.columns.get(&column.name) else { return false };
        let few = (2.0..=12.0).contains(&facts.n_distinct);
        let is_enum = match column.data_type.resolved {
            ResolvedType::User(id) => {
                schema.types.get(&id).is_some_and(|found| matches!(found.definition, TypeDefinition::Enum(_)))
            }
            _ => false,
        };
        let named = words::has_word(column.name.as_str(), &["status", "state", "kind", "type", "stage", "phase"]);
        few && (is_enum || named)
    };
    let states = || relation.columns.iter().filter(is_state);
    let named = states().find(|column| words::ends_with_word(column.name.as_str(), &["status", "state"]));
    named.or_else(|| states().next()).map(|column| column.name.clone())
}
