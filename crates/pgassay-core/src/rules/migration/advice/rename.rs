//! A name changed while code uses both: the new one beside the old, kept equal, until no code uses the old one any more.

use super::table::{Table, print_relation};
use super::type_change;
use crate::change::{AlterTable, AlterTableActionKind, Change, Ident};
use crate::finding::{Advice, FixStep};
use crate::rules::context::StepContext;
use crate::schema::{Relation, RelationKind};

/// What to do instead of a renaming; `None` where the statement is none of a table or of its column, or nothing keeps both names.
pub fn instead_of_rename(context: &StepContext) -> Option<Advice> {
    let Some(Change::AlterTable(alter)) = context.change() else { return None };
    let [only] = alter.actions.as_slice() else { return None };
    if context.step.block.is_some() {
        return None;
    }
    let table = Table::new(context, &alter.relation);
    let relation = table.relation.filter(|relation| relation.known)?;
    let is_table = matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable(_));
    match &only.kind {
        AlterTableActionKind::RenameColumn { column, new_name } if is_table => column_renamed(&table, column, new_name),
        AlterTableActionKind::RenameRelation { new_name } if is_table => {
            table_renamed(&table, alter, relation, new_name)
        }
        _ => None,
    }
}

fn column_renamed(table: &Table, column: &Ident, new: &Ident) -> Option<Advice> {
    match type_change::rename(table, column, new) {
        Ok(way) => {
            let mut steps = way.before;
            let code = format!("all running code reads and writes {new} instead of {column}");
            steps.push(FixStep::own(way.swap.join("\n")).once(code));
            steps.extend(way.after);
            Some(Advice::steps(way.text, steps))
        }
        Err(advice) => (!advice.text.is_empty()).then_some(advice),
    }
}

/// A view of the old name, through which code reads and writes until it uses the new one.
fn table_renamed(table: &Table, alter: &AlterTable, relation: &Relation, new: &Ident) -> Option<Advice> {
    // Before 15 a view reads with the rights of its owner: row security would be that of the owner.
    if alter.if_exists || relation.row_security && !table.version.at_least(15) {
        return None;
    }
    let old = &table.name;
    let renamed = table.beside(&new.name);
    let invoker = if table.version.at_least(15) { " WITH (security_invoker = true)" } else { "" };
    let merge = if table.version.at_least(17) { "" } else { "MERGE, " };
    let not_through = format!(
        "TRUNCATE, COPY, {merge}ON CONFLICT ON CONSTRAINT, GROUP BY the key alone, system columns and new foreign keys need the table's own name."
    );
    let mut sql = format!(
        "-- {not_through}\nALTER TABLE {old} RENAME TO {new};\nCREATE VIEW {old}{invoker} AS SELECT * FROM {renamed};"
    );
    for granted in relation.privileges.iter().filter(|it| it.column.is_none()) {
        let privilege = granted.privilege.as_str().to_uppercase();
        if ["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&privilege.as_str()) {
            let to = super::carried::grantee(&granted.grantee);
            sql.push_str(&format!("\nGRANT {privilege} ON {old} TO {to};"));
        }
    }
    sql.push_str(&column_grants(relation, old));
    Some(Advice::steps(
        format!(
            "Make a view of the old name in the same transaction: code reads and writes through it. {not_through} Drop the view when no client uses it any more."
        ),
        vec![
            FixStep::own(sql),
            FixStep::own(format!("DROP VIEW {old};")).once(format!(
                "all running code uses {} instead of {}",
                new,
                print_relation(&table.context, &alter.relation)
            )),
        ],
    ))
}

/// What was granted on single columns, for the view.
fn column_grants(relation: &Relation, view: &str) -> String {
    let mut grants: Vec<(String, String, Vec<String>)> = Vec::new();
    for granted in &relation.privileges {
        let privilege = granted.privilege.as_str().to_uppercase();
        let column = granted.column.and_then(|id| relation.column_by_id(id));
        let Some(column) = column.filter(|_| ["SELECT", "INSERT", "UPDATE"].contains(&privilege.as_str())) else {
            continue;
        };
        let to = super::carried::grantee(&granted.grantee);
        let name = column.name.to_string();
        match grants.iter_mut().find(|(known, role, _)| *known == privilege && *role == to) {
            Some((.., columns)) => columns.push(name),
            None => grants.push((privilege, to, vec![name])),
        }
    }
    let grant = |(privilege, to, columns): &(String, String, Vec<String>)| {
        format!("\nGRANT {privilege} ({}) ON {view} TO {to};", columns.join(", "))
    };
    grants.iter().map(grant).collect()
}
