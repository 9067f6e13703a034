//! Indexes built, and materialized views refreshed, while others work.

use super::table::{print_relation, schema_after};
use crate::change::{CreateIndex, IndexElement, IndexTarget, Name, RefreshMaterializedView, Reindex, ReindexTarget};
use crate::finding::{Advice, FixStep};
use crate::rules::context::StepContext;
use crate::schema::{Index, Relation, RelationKind};

const CHECK_VALID: &str = "If the build fails it leaves an invalid index: drop it (DROP INDEX CONCURRENTLY) and build again. lock_timeout and \
     statement_timeout must be off for it.";

pub(super) fn instead_of_create(context: &StepContext, create: &CreateIndex) -> Advice {
    let table = context.step.schema.find_relation(&create.table, &context.step.session);
    match table {
        Some(table) if table.is_partitioned() && create.unique && !holds_partition_key(table, &columns_of(create)) => {
            Advice::text(NO_UNIQUE)
        }
        Some(table) if table.is_partitioned() => on_partitions(context, create, table),
        _ => Advice::steps(
            format!("Build it concurrently, outside a transaction. {CHECK_VALID}"),
            vec![FixStep::none(concurrent_index(context, create))],
        ),
    }
}

pub(super) const NO_UNIQUE: &str = "A partitioned table is unique only over columns that hold its whole partition key: add those columns to the key, or make each partition unique on its own.";

fn columns_of(create: &CreateIndex) -> Vec<&Name> {
    let columns = create.elements.iter().filter_map(|element| match &element.target {
        IndexTarget::Column(column) => Some(&column.name),
        IndexTarget::Expression(_) => None,
    });
    columns.collect()
}

/// What DefineIndex asks of a unique index on a partitioned table.
pub(super) fn holds_partition_key(table: &Relation, columns: &[&Name]) -> bool {
    let RelationKind::PartitionedTable(key) = &table.kind else { return true };
    let mut wanted = key.columns.iter().filter_map(|id| table.column_by_id(*id));
    key.columns.len() == key.elements.len() && wanted.all(|column| columns.contains(&&column.name))
}

/// The statement with CONCURRENTLY, without IF NOT EXISTS, and otherwise as the user wrote it.
pub fn concurrent_index(context: &StepContext, create: &CreateIndex) -> String {
    let unique = if create.unique { "UNIQUE " } else { "" };
    let name = create.name.as_ref().map(|name| format!("{name} ")).unwrap_or_default();
    let only = if create.only { "ONLY " } else { "" };
    let table = print_relation(context, &create.table);
    format!("CREATE {unique}INDEX CONCURRENTLY {name}ON {only}{table} {};", behind_table(context, create))
}

/// The part behind the table's name, as written. A comment at its end would swallow what follows, so it stands on a line of its own.
fn behind_table<'r>(context: &StepContext<'r>, create: &CreateIndex) -> &'r str {
    let statement = context.step.span();
    let rest = context.text(crate::source::Span { start: create.table.span.end, ..statement });
    rest.trim_end_matches([';', ' ', '\n', '\r', '\t']).trim_start()
}

fn on_partitions(context: &StepContext, create: &CreateIndex, table: &Relation) -> Advice {
    let mut builder = OnPartitions { context, create, steps: Vec::new() };
    let made = builder.made(table);
    let name = made.unwrap_or_else(|| usual_name(create, table));
    builder.node(table, &name);
    Advice::steps(
        format!(
            "CONCURRENTLY is refused on a partitioned table. Create the index on the parent only, build one on every partition concurrently, and attach them; \
             the parent's index becomes valid with the last of its {} partitions. {CHECK_VALID}",
            table.children.len()
        ),
        builder.steps,
    )
}

fn usual_name(create: &CreateIndex, table: &Relation) -> Name {
    let written = create.name.as_ref().map(|name| name.name.clone());
    written.unwrap_or_else(|| crate::schema::make_object_name(table.name.name.as_str(), None, "idx"))
}

struct OnPartitions<'a, 'r> {
    context: &'a StepContext<'r>,
    create: &'a CreateIndex,
    steps: Vec<FixStep>,
}

impl OnPartitions<'_, '_> {
    /// The name that the statement's index has on a table.
    fn made(&self, table: &Relation) -> Option<Name> {
        let new = |index: &&std::sync::Arc<Relation>| !table.indexes.contains(&index.id);
        schema_after(self.context).indexes_of(table.id).find(new).map(|index| index.name.name.clone())
    }

    /// The table's index, without work under a lock, and below it those of its partitions.
    fn node(&mut self, table: &Relation, index: &Name) {
        let unique = if self.create.unique { "UNIQUE " } else { "" };
        let rest = behind_table(self.context, self.create);
        if !table.is_partitioned() {
            let sql = format!("CREATE {unique}INDEX CONCURRENTLY {index} ON {} {rest};", table.name);
            return self.steps.push(FixStep::none(sql));
        }
        self.steps.push(FixStep::any(format!("CREATE {unique}INDEX {index} ON ONLY {} {rest};", table.name)));
        for partition in table.children.iter().filter_map(|id| self.context.relation(Some(*id))) {
            let own = self.made(partition).unwrap_or_else(|| usual_name(self.create, partition));
            self.node(partition, &own);
            self.steps.push(FixStep::any(format!(
                "ALTER INDEX {}.{index} ATTACH PARTITION {}.{own};",
                table.name.schema, partition.name.schema
            )));
        }
    }
}

pub(super) fn instead_of_reindex(context: &StepContext, reindex: &Reindex) -> Advice {
    let session = &context.step.session;
    let what = match &reindex.target {
        ReindexTarget::Index(name) => {
            let index = context.step.schema.find_relation(name, session);
            if index.is_some_and(|index| excludes(context, index)) {
                return Advice::text(
                    "The index of an exclusion constraint cannot be rebuilt concurrently: plan a maintenance window.",
                );
            }
            format!("INDEX CONCURRENTLY {}", print_relation(context, name))
        }
        ReindexTarget::Table(name) => format!("TABLE CONCURRENTLY {}", print_relation(context, name)),
        ReindexTarget::Schema(name) => format!("SCHEMA CONCURRENTLY {name}"),
        ReindexTarget::Database(Some(name)) => format!("DATABASE CONCURRENTLY {name}"),
        _ => return Advice::text("System catalogs cannot be reindexed concurrently: plan a maintenance window."),
    };
    Advice::steps(
        format!("Rebuild concurrently, outside a transaction. {CHECK_VALID}"),
        vec![FixStep::none(format!("REINDEX {what};"))],
    )
}

fn excludes(context: &StepContext, index: &Relation) -> bool {
    let constraint = context.step.schema.constraint_of_index(index.id);
    constraint.is_some_and(|(_, constraint)| matches!(constraint.kind, crate::schema::ConstraintKind::Exclude { .. }))
}

pub(super) fn instead_of_refresh(context: &StepContext, refresh: &RefreshMaterializedView) -> Advice {
    let found = context.step.schema.find_relation(&refresh.name, &context.step.session);
    let view = found.filter(|found| found.known);
    let populated = view.is_none_or(|view| view.as_view().is_none_or(|it| it.populated));
    if refresh.with_no_data || !populated {
        return Advice::text(
            "A first refresh cannot run concurrently; nobody can read the view before it, so nobody waits who did not.",
        );
    }
    let name = print_relation(context, &refresh.name);
    let keyed = view.is_some_and(|view| context.step.schema.indexes_of(view.id).any(|index| is_plain_unique(index)));
    if !keyed {
        return Advice::text(format!(
            "REFRESH MATERIALIZED VIEW CONCURRENTLY {name} lets readers go on. It needs a unique index on plain columns without WHERE: create one first (CREATE UNIQUE INDEX CONCURRENTLY), on columns that tell its rows apart."
        ));
    }
    Advice::steps(
        "Refresh it concurrently: readers go on. It takes longer, and compares all rows.",
        vec![FixStep::any(format!("REFRESH MATERIALIZED VIEW CONCURRENTLY {name};"))],
    )
}

/// `is_usable_unique_index` (matview.c).
fn is_plain_unique(relation: &Relation) -> bool {
    let RelationKind::Index(index) = &relation.kind else { return false };
    index.unique && index.valid && index.predicate.is_none() && index.columns.iter().all(Option::is_some)
}

/// CREATE INDEX of an index like one that is there, on another table or other columns.
pub(super) struct Copy<'a> {
    pub like: &'a Relation,
    pub index: &'a Index,
    pub name: Name,
    pub table: String,
    /// INCLUDE columns by name.
    pub include: Vec<Name>,
    /// The column that takes the place of another.
    pub renamed: Option<(&'a Name, &'a Name)>,
}

impl Copy<'_> {
    pub fn sql(&self) -> String {
        let Copy { like, index, name, table, include, .. } = self;
        let unique = if index.unique { "UNIQUE " } else { "" };
        let elements: Vec<String> = index.elements.iter().map(|element| self.element(element)).collect();
        let include: Vec<String> = include.iter().map(|name| self.column(name)).collect();
        let include = if include.is_empty() { String::new() } else { format!(" INCLUDE ({})", include.join(", ")) };
        let nulls = if index.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
        let options: Vec<String> = like
            .options
            .iter()
            .map(|(name, value)| match value {
                Some(value) => format!("{name} = {value}"),
                None => name.to_string(),
            })
            .collect();
        let options = if options.is_empty() { String::new() } else { format!(" WITH ({})", options.join(", ")) };
        let condition =
            index.predicate.as_ref().map(|it| format!(" WHERE {}", self.expression(it))).unwrap_or_default();
        format!(
            "CREATE {unique}INDEX CONCURRENTLY {name} ON {table} USING {} ({}){include}{nulls}{options}{condition};",
            index.method,
            elements.join(", ")
        )
    }

    fn element(&self, element: &IndexElement) -> String {
        let mut text = match &element.target {
            IndexTarget::Column(column) => self.column(&column.name),
            IndexTarget::Expression(expression) => format!("({})", self.expression(expression)),
        };
        if let Some(collation) = &element.collation {
            text.push_str(&format!(" COLLATE {collation}"));
        }
        if let Some(class) = &element.operator_class {
            text.push_str(&format!(" {class}"));
        }
        if element.descending {
            text.push_str(" DESC");
        }
        match element.nulls_first {
            Some(true) => text.push_str(" NULLS FIRST"),
            Some(false) => text.push_str(" NULLS LAST"),
            None => {}
        }
        text
    }

    fn column(&self, name: &Name) -> String {
        match self.renamed {
            Some((old, new)) if old == name => new.to_string(),
            _ => name.to_string(),
        }
    }

    fn expression(&self, expression: &crate::change::Expression) -> String {
        match self.renamed {
            Some((old, new)) => crate::schema::rename_column(expression, old, new).text.to_string(),
            None => expression.text.to_string(),
        }
    }
}
