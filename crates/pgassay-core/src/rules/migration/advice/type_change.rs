//! Another type for a column: a second column that a trigger keeps equal, and takes the first one's place.

use super::column::{keep_equal, literal, not_null, to_domain};
use super::index;
use super::table::Table;
use crate::change::{Expression, Ident, Name, ObjectName, TypeName};
use crate::finding::{Advice, FixStep};
use crate::schema::{Column, ConstraintKind, ForeignKey, IdentityKind, Relation, make_object_name, rename_column};

pub(super) fn instead_of(
    table: &Table,
    column: &Ident,
    data_type: &TypeName,
    collation: Option<&ObjectName>,
    using: Option<&Expression>,
) -> Advice {
    let text = "Add a column of the new type, keep it equal with a trigger, fill the old rows in batches (repeat the UPDATE until it changes no row), build its \
         indexes concurrently, then let it take the old one's place in one short transaction. Clients that name the columns notice nothing but the type; the column comes last in SELECT *.";
    let (Some(relation), Some(old)) = (table.relation.filter(|it| it.known), table.column(&column.name)) else {
        return Advice::text(text);
    };
    if let Some(advice) = to_domain(table, old, data_type) {
        return advice;
    }
    if let Some(obstacle) = obstacle(table, relation, old) {
        return Advice::text(format!(
            "{text} Here {obstacle}, so the steps depend on it: plan them by hand, or a maintenance window."
        ));
    }
    let collation = collation.map(|name| format!(" COLLATE {name}")).unwrap_or_default();
    let new = table.free_column(&old.name, "new");
    let change = TypeChange {
        table,
        relation,
        old,
        new,
        value: using.map_or_else(|| old.name.to_string(), |it| format!("({})", it.text)),
    };
    Advice::steps(text, change.steps(&format!("{data_type}{collation}")))
}

/// What the steps do not cover.
fn obstacle(table: &Table, relation: &Relation, old: &Column) -> Option<&'static str> {
    let schema = table.schema();
    let referenced = schema.foreign_keys_to(relation.id).any(|(_, constraint)| match &constraint.kind {
        ConstraintKind::ForeignKey(key) => key.referenced_columns.contains(&old.id),
        _ => false,
    });
    let excluded = |constraint: &crate::schema::Constraint| {
        matches!(constraint.kind, ConstraintKind::Exclude { .. })
            && constraint.kind.index().is_some_and(|index| {
                schema.relation(index).and_then(|it| it.as_index()).is_some_and(|index| index.uses_column(old.id))
            })
    };
    if referenced {
        Some("other tables reference the column")
    } else if old.generated.is_some()
        || relation
            .columns
            .iter()
            .any(|it| it.generated.as_ref().is_some_and(|generated| mentions(&generated.expression, &old.name)))
    {
        Some("a generated column is concerned")
    } else if !relation.parents.is_empty() || (!relation.children.is_empty() && !relation.is_partitioned()) {
        Some("the table inherits or is inherited from")
    } else if relation.is_partitioned()
        && schema.indexes_of(relation.id).any(|it| it.as_index().is_some_and(|index| index.uses_column(old.id)))
    {
        Some("the partitions have indexes on the column")
    } else if relation.constraints.iter().any(excluded) {
        Some("an exclusion constraint holds the column")
    } else if relation.triggers.iter().any(|trigger| trigger.uses_column(relation, old.id))
        || !schema.views_using(relation.id, Some(old.id)).is_empty()
    {
        Some("a view or trigger names the column")
    } else if relation
        .policies
        .iter()
        .any(|policy| policy.uses.iter().any(|(id, columns)| *id == relation.id && columns.contains(&old.id)))
    {
        Some("a policy names the column")
    } else {
        None
    }
}

fn mentions(expression: &Expression, column: &Name) -> bool {
    rename_column(expression, column, &Name::from("_")).text != expression.text
}

struct TypeChange<'a> {
    table: &'a Table<'a>,
    relation: &'a Relation,
    old: &'a Column,
    new: Name,
    /// The new column's value, from the row's other columns.
    value: String,
}

impl TypeChange<'_> {
    fn steps(&self, data_type: &str) -> Vec<FixStep> {
        let TypeChange { table, old, new, value, .. } = self;
        let name = &table.name;
        let mut swap: Vec<String> = Vec::new();
        let mut steps = vec![FixStep::own(format!("ALTER TABLE {name} ADD COLUMN {new} {data_type};"))];
        let trigger = keep_equal(table, new, value);
        steps.extend(trigger.steps);
        steps.push(table.batch(new, value, &format!("{new} IS NULL AND {value} IS NOT NULL")));
        swap.push(format!("DROP TRIGGER {} ON {name};", trigger.name));
        self.not_null(&mut steps, &mut swap);
        let mut behind = Vec::new();
        self.indexes(&mut steps, &mut behind);
        self.constraints(&mut steps, &mut behind);
        self.default(&mut swap, &mut behind);
        swap.push(format!("ALTER TABLE {name} DROP COLUMN {};", old.name));
        swap.push(format!("ALTER TABLE {name} RENAME COLUMN {new} TO {};", old.name));
        swap.extend(behind);
        steps.push(FixStep::own(swap.join("\n")));
        steps.push(FixStep::any(format!("DROP FUNCTION {}();", trigger.function)));
        steps
    }

    fn not_null(&self, steps: &mut Vec<FixStep>, swap: &mut Vec<String>) {
        let TypeChange { table, relation, old, new, .. } = self;
        if !old.not_null.enforced() {
            return;
        }
        if !table.version.at_least(18) {
            return steps.extend(not_null(table, new, None));
        }
        let helper = table.free_constraint(new, "not_null");
        steps.extend(not_null(table, new, Some(&helper)));
        let named = relation.constraints.iter().find(|it| it.kind == ConstraintKind::NotNull(old.id));
        if let Some(named) = named {
            // The old column's constraint has the name until the column is dropped.
            swap.push(format!(
                "ALTER TABLE {} RENAME CONSTRAINT {} TO {};",
                table.name,
                named.name,
                table.free_constraint(&old.name, "old")
            ));
            swap.push(format!("ALTER TABLE {} RENAME CONSTRAINT {helper} TO {};", table.name, named.name));
        }
    }

    /// Indexes of the new column, built while others work; they take the old ones' names after the swap.
    fn indexes(&self, steps: &mut Vec<FixStep>, behind: &mut Vec<String>) {
        let TypeChange { table, relation, old, new, .. } = self;
        for like in table.schema().indexes_of(relation.id) {
            let Some(index) = like.as_index().filter(|index| index.uses_column(old.id)) else { continue };
            let name = make_object_name(like.name.name.as_str(), None, "new");
            let include = index.include.iter().filter_map(|id| relation.column_by_id(*id)).map(|it| it.name.clone());
            let copy = index::Copy {
                like,
                index,
                name: name.clone(),
                table: table.name.clone(),
                include: include.collect(),
                renamed: Some((&old.name, new)),
            };
            steps.push(FixStep::none(copy.sql()));
            match table.schema().constraint_of_index(like.id) {
                Some((_, constraint)) => {
                    let kind = if index.primary { "PRIMARY KEY" } else { "UNIQUE" };
                    let deferral = match (constraint.deferrable, constraint.initially_deferred) {
                        (_, true) => " DEFERRABLE INITIALLY DEFERRED",
                        (true, false) => " DEFERRABLE",
                        (false, false) => "",
                    };
                    behind.push(format!(
                        "ALTER TABLE {} ADD CONSTRAINT {} {kind} USING INDEX {name}{deferral};",
                        table.name, constraint.name
                    ));
                }
                None => behind.push(format!("ALTER INDEX {} RENAME TO {};", table.beside(&name), like.name.name)),
            }
        }
    }

    /// CHECKs and foreign keys of the column.
    fn constraints(&self, steps: &mut Vec<FixStep>, behind: &mut Vec<String>) {
        let TypeChange { table, relation, old, new, .. } = self;
        for constraint in &relation.constraints {
            let definition = match &constraint.kind {
                ConstraintKind::Check { expression, columns } if columns.contains(&old.id) => {
                    format!("CHECK ({})", rename_column(expression, &old.name, new).text)
                }
                ConstraintKind::ForeignKey(key) if key.columns.contains(&old.id) => match self.foreign_key(key) {
                    Some(written) => written,
                    None => continue,
                },
                _ => continue,
            };
            let name = table.free_constraint(&constraint.name, "new");
            let words = match (constraint.no_inherit, constraint.deferrable, constraint.initially_deferred) {
                (true, _, _) => " NO INHERIT",
                (_, _, true) => " DEFERRABLE INITIALLY DEFERRED",
                (_, true, false) => " DEFERRABLE",
                _ => "",
            };
            steps.push(FixStep::own(format!(
                "ALTER TABLE {} ADD CONSTRAINT {name} {definition}{words} NOT VALID;",
                table.name
            )));
            if constraint.validated {
                steps.push(FixStep::own(format!("ALTER TABLE {} VALIDATE CONSTRAINT {name};", table.name)));
            }
            behind.push(format!("ALTER TABLE {} RENAME CONSTRAINT {name} TO {};", table.name, constraint.name));
        }
    }

    fn foreign_key(&self, key: &ForeignKey) -> Option<String> {
        let TypeChange { table, relation, old, new, .. } = self;
        let referenced = table.schema().relation(key.referenced)?;
        let own = key.columns.iter().filter_map(|id| relation.column_by_id(*id));
        let own: Vec<String> =
            own.map(|it| if it.id == old.id { new.to_string() } else { it.name.to_string() }).collect();
        let other: Vec<String> = key
            .referenced_columns
            .iter()
            .filter_map(|id| referenced.column_by_id(*id))
            .map(|it| it.name.to_string())
            .collect();
        let other = if other.is_empty() { String::new() } else { format!(" ({})", other.join(", ")) };
        let full = if key.match_full { " MATCH FULL" } else { "" };
        Some(format!(
            "FOREIGN KEY ({}) REFERENCES {}{other}{full}{}{}",
            own.join(", "),
            referenced.name,
            action(" ON DELETE", key.on_delete),
            action(" ON UPDATE", key.on_update)
        ))
    }

    /// The default, a serial's sequence, or the identity.
    fn default(&self, swap: &mut Vec<String>, behind: &mut Vec<String>) {
        let TypeChange { table, old, new, .. } = self;
        let name = &table.name;
        let sequence = old.sequence.and_then(|id| table.schema().relation(id));
        if let Some(identity) = old.identity {
            let kind = if identity == IdentityKind::Always { "ALWAYS" } else { "BY DEFAULT" };
            let made = table.free_object(new, "seq");
            swap.push(format!(
                "ALTER TABLE {name} ALTER COLUMN {new} ADD GENERATED {kind} AS IDENTITY (SEQUENCE NAME {});",
                table.beside(&made)
            ));
            swap.push(format!(
                "SELECT setval({}, nextval(pg_get_serial_sequence({}, {})), false);",
                literal(&table.beside(&made)),
                literal(name),
                literal(old.name.as_str())
            ));
            if let Some(sequence) = sequence {
                behind.push(format!("ALTER SEQUENCE {} RENAME TO {};", table.beside(&made), sequence.name.name));
            }
            return;
        }
        if let Some(sequence) = sequence {
            swap.push(format!("ALTER SEQUENCE {} OWNED BY {name}.{new};", sequence.name));
            swap.push(format!(
                "ALTER TABLE {name} ALTER COLUMN {new} SET DEFAULT nextval({});",
                literal(&sequence.name.to_string())
            ));
        } else if let Some(default) = &old.default {
            swap.push(format!("ALTER TABLE {name} ALTER COLUMN {new} SET DEFAULT {};", default.text));
        }
    }
}

fn action(words: &str, action: crate::change::ReferentialAction) -> String {
    action.words().map(|action| format!("{words} {action}")).unwrap_or_default()
}
