//! What a database and a schema hold, as lines that can be compared.

use std::collections::BTreeSet;

use pgassay::schema::{NotNull, Schema};
use tokio_postgres::{Client, SimpleQueryMessage};

const LINES: &str = "
    SELECT 'relation ' || c.relname || ' ' || c.relkind FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i', 'I')
    UNION ALL
    SELECT 'column ' || c.relname || '.' || a.attname || ' ' || a.attnum
        || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
        || CASE WHEN a.attidentity <> '' THEN ' identity' ELSE '' END
        || CASE WHEN a.attgenerated <> '' THEN ' generated' WHEN a.atthasdef THEN ' default' ELSE '' END
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'constraint ' || c.relname || '.' || k.conname || ' ' || k.contype || CASE WHEN k.convalidated THEN '' ELSE ' not valid' END
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
     WHERE c.relnamespace = 'public'::regnamespace AND k.contype IN ('c', 'f', 'p', 'u')
    UNION ALL
    SELECT 'type ' || t.typname FROM pg_type t
     WHERE t.typnamespace = 'public'::regnamespace AND (t.typtype IN ('e', 'd')
        OR t.typtype = 'c' AND (SELECT relkind FROM pg_class WHERE oid = t.typrelid) = 'c')
    UNION ALL
    SELECT 'function ' || p.proname || ' ' || p.pronargs FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')";

/// The catalog's lines.
pub async fn of_server(client: &Client) -> Result<BTreeSet<String>, tokio_postgres::Error> {
    let messages = client.simple_query(LINES).await?;
    let line = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    Ok(messages.iter().filter_map(line).collect())
}

/// The schema's lines.
pub fn of_schema(schema: &Schema) -> BTreeSet<String> {
    use pgassay::schema::{ConstraintKind, RelationKind};
    let mut lines = BTreeSet::new();
    for relation in schema.relations.values().filter(|it| it.name.schema == "public") {
        let name = relation.name.name.as_str();
        let kind = match &relation.kind {
            RelationKind::Table => "r",
            RelationKind::PartitionedTable(_) => "p",
            RelationKind::View(_) => "v",
            RelationKind::MaterializedView(_) => "m",
            RelationKind::Sequence(_) => "S",
            RelationKind::Index(index) if index.partitioned => "I",
            RelationKind::Index(_) => "i",
            RelationKind::ForeignTable => continue,
        };
        lines.insert(format!("relation {name} {kind}"));
        if !matches!(kind, "r" | "p") {
            continue;
        }
        for column in &relation.columns {
            let not_null = if column.not_null == NotNull::No { "" } else { " not null" };
            let identity = if column.identity.is_some() { " identity" } else { "" };
            let default = match (&column.generated, &column.default) {
                (Some(_), _) => " generated",
                (None, Some(_)) => " default",
                _ => "",
            };
            lines.insert(format!(
                "column {name}.{} {}{not_null}{identity}{default}",
                column.name.as_str(),
                column.id.0
            ));
        }
        for constraint in &relation.constraints {
            let kind = match constraint.kind {
                ConstraintKind::NotNull(_) | ConstraintKind::Exclude { .. } => continue,
                ConstraintKind::Check { .. } => "c",
                ConstraintKind::Unique { .. } => "u",
                ConstraintKind::PrimaryKey { .. } => "p",
                ConstraintKind::ForeignKey(_) => "f",
            };
            let valid = if constraint.validated { "" } else { " not valid" };
            lines.insert(format!("constraint {name}.{} {kind}{valid}", constraint.name.as_str()));
        }
    }
    lines.extend(schema.types.values().map(|it| format!("type {}", it.name.name.as_str())));
    lines.extend(
        schema.routines.values().map(|it| format!("function {} {}", it.name.name.as_str(), it.inputs().count())),
    );
    lines
}
