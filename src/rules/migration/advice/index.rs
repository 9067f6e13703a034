//! Indexes built while writers go on.

use crate::change::{CreateIndex, Name, QualifiedName, Reindex, ReindexTarget};
use crate::finding::{Advice, FixStep};
use crate::rules::context::StepContext;
use crate::schema::Relation;

const CHECK_VALID: &str = "If the build fails it leaves an invalid index: drop it (DROP INDEX CONCURRENTLY) and build again. lock_timeout and \
     statement_timeout must be off for it.";

pub(super) fn instead_of_create(context: &StepContext, create: &CreateIndex) -> Advice {
    let table = context.step.schema.find_relation(&create.table, &context.step.session);
    match table {
        Some(table) if table.is_partitioned() => on_partitions(context, create, table),
        _ => Advice::steps(
            format!("Build it concurrently, outside a transaction. {CHECK_VALID}"),
            vec![FixStep::none(concurrent_index(context, create))],
        ),
    }
}

/// The statement with CONCURRENTLY, without IF NOT EXISTS, and otherwise as the user wrote it.
pub fn concurrent_index(context: &StepContext, create: &CreateIndex) -> String {
    let unique = if create.unique { "UNIQUE " } else { "" };
    let name = create.name.as_ref().map(|name| format!("{name} ")).unwrap_or_default();
    format!("CREATE {unique}INDEX CONCURRENTLY {name}ON {};", definition(context, create))
}

/// From the table's name to the end, as written.
fn definition<'r>(context: &StepContext<'r>, create: &CreateIndex) -> &'r str {
    let statement = context.step.span();
    context.text(crate::sql::Span { start: create.table.span.start, ..statement }).trim_end_matches([';', ' ', '\n'])
}

/// The part behind the table's name.
fn behind_table<'r>(context: &StepContext<'r>, create: &CreateIndex) -> &'r str {
    let statement = context.step.span();
    context
        .text(crate::sql::Span { start: create.table.span.end, ..statement })
        .trim_end_matches([';', ' ', '\n'])
        .trim_start()
}

fn on_partitions(context: &StepContext, create: &CreateIndex, table: &Relation) -> Advice {
    let unique = if create.unique { "UNIQUE " } else { "" };
    let rest = behind_table(context, create);
    let index = create
        .name
        .as_ref()
        .map_or_else(|| Name::new(&format!("{}_idx", table.name.name.as_str())), |name| name.name.clone());
    let parent = QualifiedName { schema: table.name.schema.clone(), name: index.clone() };
    let mut steps = vec![FixStep::any(format!("CREATE {unique}INDEX {index} ON ONLY {} {rest};", table.name))];
    let partitions = table.children.iter().filter_map(|id| context.relation(Some(*id)));
    for (number, partition) in partitions.enumerate() {
        if number == 2 {
            break;
        }
        let own = Name::new(&format!("{}_{}", partition.name.name.as_str(), index.as_str()));
        let qualified = QualifiedName { schema: partition.name.schema.clone(), name: own.clone() };
        steps.push(FixStep::none(format!("CREATE {unique}INDEX CONCURRENTLY {own} ON {} {rest};", partition.name)));
        steps.push(FixStep::any(format!("ALTER INDEX {parent} ATTACH PARTITION {qualified};")));
    }
    Advice::steps(
        format!(
            "CONCURRENTLY is refused on a partitioned table. Create the index on the parent only, build one on every partition concurrently, and attach them; \
             the parent's index becomes valid with the last of its {} partitions. {CHECK_VALID}",
            table.children.len()
        ),
        steps,
    )
}

pub(super) fn instead_of_reindex(context: &StepContext, reindex: &Reindex) -> Advice {
    let what = match &reindex.target {
        ReindexTarget::Index(name) => format!("INDEX CONCURRENTLY {name}"),
        ReindexTarget::Table(name) => format!("TABLE CONCURRENTLY {name}"),
        ReindexTarget::Schema(name) => format!("SCHEMA CONCURRENTLY {name}"),
        ReindexTarget::Database(Some(name)) => format!("DATABASE CONCURRENTLY {name}"),
        _ => return Advice::text("System catalogs cannot be reindexed concurrently: plan a maintenance window."),
    };
    let _ = context;
    Advice::steps(
        format!("Rebuild concurrently, outside a transaction. {CHECK_VALID}"),
        vec![FixStep::none(format!("REINDEX {what};"))],
    )
}
