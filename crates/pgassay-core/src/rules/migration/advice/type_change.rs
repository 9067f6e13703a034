//! Another type for a column: a second column that a trigger keeps equal, and takes the first one's place.

use super::carried::{Carried, sequence_grants, sequence_options};
use super::column::{keep_both, keep_equal, not_null, shared_default, to_domain};
use super::index;
use super::referencing::{self, referencing};
use super::replaced::Gone;
use super::table::Table;
use crate::change::{Expression, Ident, Name, ObjectName, TypeName};
use crate::finding::{Advice, FixStep};
use crate::schema::{Column, ConstraintKind, ForeignKey, IdentityKind, Relation, make_object_name, rename_column};
use crate::text::quoting::literal;

const TEXT: &str = "Add a column of the new type, keep it equal with a trigger, fill the old rows in batches (repeat the UPDATE until it changes no row), build its \
     indexes concurrently, then let it take the old one's place in one short transaction. Clients that name the columns notice nothing but the type; the column comes last in SELECT *.";

/// The way to another type, in the parts that other changes of the same table fit between.
pub(super) struct Way {
    pub text: String,
    pub before: Vec<FixStep>,
    /// Statements of one transaction.
    pub swap: Vec<String>,
    pub after: Vec<FixStep>,
}

pub(super) fn instead_of(
    table: &Table,
    column: &Ident,
    data_type: &TypeName,
    collation: Option<&ObjectName>,
    using: Option<&Expression>,
) -> Advice {
    match way(table, column, data_type, collation, using, &Gone::default()) {
        Ok(way) => {
            let mut steps = way.before;
            steps.push(FixStep::own(way.swap.join("\n")));
            steps.extend(way.after);
            Advice::steps(way.text, steps)
        }
        Err(advice) => advice,
    }
}

/// `gone` is what the statement itself takes away: it is not made again on the new column.
pub(super) fn way(
    table: &Table,
    column: &Ident,
    data_type: &TypeName,
    collation: Option<&ObjectName>,
    using: Option<&Expression>,
    gone: &Gone,
) -> Result<Way, Advice> {
    let (Some(relation), Some(old)) = (table.relation.filter(|it| it.known), table.column(&column.name)) else {
        return Err(Advice::text(TEXT));
    };
    if let Some(advice) = to_domain(table, old, data_type) {
        return Err(advice);
    }
    let widened = widened_sequence(table, old, data_type);
    let carried = Carried { table, relation, old, name: &old.name };
    if let Some(obstacle) = obstacle(table, relation, old, gone).or_else(|| carried.obstacle()) {
        let sequence = widened.as_ref().map(|alter| format!(" {SEQUENCE_STAYS} {alter}")).unwrap_or_default();
        return Err(Advice::text(format!(
            "{TEXT} Here {obstacle}, so the steps depend on it: plan them by hand, or a maintenance window.{sequence}"
        )));
    }
    let collation = collation.map(|name| format!(" COLLATE {name}")).unwrap_or_default();
    let new = table.free_column(&old.name, "new");
    let remarks = carried.remarks(&new);
    let sequence = widened.as_ref().map(|_| format!(" {SEQUENCE_STAYS} the steps change it.")).unwrap_or_default();
    let value = using.map_or_else(|| old.name.to_string(), |it| format!("({})", it.text));
    let change = TypeChange { table, relation, old, new, value, gone, carried, widened, renames: false };
    Ok(Way { text: format!("{TEXT}{remarks}{sequence}"), ..change.way(&format!("{data_type}{collation}")) })
}

/// Clients that write a referencing table lock it before the one that it references, and a partitioned table before its partitions
/// (DROP TRIGGER and DROP CONSTRAINT begin with the partitions): in another order each would wait for the other.
fn lock_in_order(relation: &Relation, others: &[referencing::Referencing]) -> Option<String> {
    let mut tables: Vec<String> = Vec::new();
    for other in others.iter().map(|other| other.from).filter(|other| other.id != relation.id) {
        let name = other.name.to_string();
        if !tables.contains(&name) {
            tables.push(name);
        }
    }
    if tables.is_empty() && !relation.is_partitioned() {
        return None;
    }
    tables.push(relation.name.to_string());
    Some(format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE;", tables.join(", ")))
}

/// The way to another name: the new column stays what it is called.
pub(super) fn rename(table: &Table, column: &Ident, new: &Ident) -> Result<Way, Advice> {
    let none = || Advice::text("");
    let relation = table.relation.filter(|it| it.known).ok_or_else(none)?;
    let old = table.column(&column.name).ok_or_else(none)?;
    let carried = Carried { table, relation, old, name: &new.name };
    if let Some(obstacle) = obstacle(table, relation, old, &Gone::default()).or_else(|| carried.obstacle()) {
        return Err(Advice::text(format!(
            "{RENAME} Here {obstacle}, so the steps depend on it: plan them by hand, or change code and name in a maintenance window."
        )));
    }
    let remarks = carried.remarks(&new.name);
    let collation = old.collation.as_ref().map(|name| format!(" COLLATE {name}")).unwrap_or_default();
    let data_type = format!("{}{collation}", old.data_type.written);
    let (value, gone) = (old.name.to_string(), Gone::default());
    let change = TypeChange {
        table,
        relation,
        old,
        new: new.name.clone(),
        value,
        gone: &gone,
        carried,
        widened: None,
        renames: true,
    };
    Ok(Way { text: format!("{RENAME}{remarks}"), ..change.way(&data_type) })
}

const RENAME: &str = "Add a column of the new name, keep both equal with a trigger, whichever the code writes, fill the old rows in batches (repeat the UPDATE until it \
     changes no row), move the code, then drop the old column. The new column comes last in SELECT *.";

const SEQUENCE_STAYS: &str = "Its sequence keeps its own type, and would end where that ends:";

/// ALTER SEQUENCE for a serial column whose new type is wider than its sequence (ALTER COLUMN … TYPE changes that of an identity only).
fn widened_sequence(table: &Table, old: &Column, data_type: &TypeName) -> Option<String> {
    let relation = table.schema().relation(old.sequence.filter(|_| old.identity.is_none())?)?;
    let crate::schema::RelationKind::Sequence(sequence) = &relation.kind else { return None };
    let width = |name: &str| ["int2", "int4", "int8"].iter().position(|it| *it == name);
    let wider = width(data_type.name.as_str())? > width(sequence.data_type.as_str())?;
    wider.then(|| format!("ALTER SEQUENCE {} AS {data_type};", relation.name))
}

/// What the steps do not cover.
fn obstacle(table: &Table, relation: &Relation, old: &Column, gone: &Gone) -> Option<String> {
    let others = referencing(table, relation, old.id);
    let loses_key = !others.is_empty()
        && relation.constraints.iter().any(|it| it.kind.index().is_some() && gone.constraints.contains(&&it.name));
    let referenced = others.iter().find_map(|other| other.obstacle());
    referenced
        .or_else(|| loses_key.then(|| "other tables reference a key that goes".to_owned()))
        .or_else(|| obstacle_of_table(table, relation, old).map(str::to_owned))
}

fn obstacle_of_table(table: &Table, relation: &Relation, old: &Column) -> Option<&'static str> {
    let schema = table.schema();
    let excluded = |constraint: &crate::schema::Constraint| {
        matches!(constraint.kind, ConstraintKind::Exclude { .. })
            && constraint.kind.index().is_some_and(|index| {
                schema.relation(index).and_then(|it| it.as_index()).is_some_and(|index| index.uses_column(old.id))
            })
    };
    if old.generated.is_some()
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

pub(super) fn mentions(expression: &Expression, column: &Name) -> bool {
    rename_column(expression, column, &Name::from("_")).text != expression.text
}

struct TypeChange<'a> {
    table: &'a Table<'a>,
    relation: &'a Relation,
    old: &'a Column,
    new: Name,
    /// The new column's value, from the row's other columns.
    value: String,
    gone: &'a Gone<'a>,
    carried: Carried<'a>,
    widened: Option<String>,
    /// The new column is not called as the old one in the end.
    renames: bool,
}

impl TypeChange<'_> {
    fn way(&self, data_type: &str) -> Way {
        let TypeChange { table, relation, old, new, value, .. } = self;
        let name = &table.name;
        let mut swap: Vec<String> = Vec::new();
        let mut before = vec![FixStep::own(format!("ALTER TABLE {name} ADD COLUMN {new} {data_type};"))];
        let trigger = if self.renames { keep_both(table, old, new) } else { keep_equal(table, new, value) };
        before.extend(trigger.steps);
        if self.renames {
            // The code between the deploys uses the new name.
            before.extend(self.carried.grants().into_iter().map(FixStep::any));
        }
        before.push(table.batch(new, value, &format!("{new} IS NULL AND {value} IS NOT NULL")));
        let mut required = Vec::new();
        self.not_null(&mut before, &mut required);
        let mut behind = Vec::new();
        self.indexes(&mut before, &mut behind);
        self.constraints(&mut before, &mut behind);
        let others = referencing(table, relation, old.id);
        swap.extend(lock_in_order(relation, &others));
        for other in others {
            before.extend(other.add(relation, (old, new)));
            swap.push(other.drop());
            behind.extend(other.take_place());
        }
        swap.push(format!("DROP TRIGGER {} ON {name};", trigger.name));
        swap.extend(required);
        self.default(&mut swap, &mut behind);
        swap.push(format!("ALTER TABLE {name} DROP COLUMN {};", old.name));
        if !self.renames {
            swap.push(format!("ALTER TABLE {name} RENAME COLUMN {new} TO {};", old.name));
        }
        swap.extend(behind);
        swap.extend(self.carried.after_rename());
        let mut after = vec![FixStep::any(format!("DROP FUNCTION {}();", trigger.function))];
        after.extend(self.carried.has_statistics().then(|| FixStep::any(format!("ANALYZE {name};"))));
        Way { text: String::new(), before, swap, after }
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
            if index.constraint.as_ref().is_some_and(|name| self.gone.constraints.contains(&name)) {
                continue;
            }
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
            behind.extend(self.carried.of_index(like));
            let constraint = table.schema().constraint_of_index(like.id);
            behind.extend(constraint.and_then(|(_, constraint)| self.carried.of_constraint(constraint)));
        }
    }

    /// CHECKs and foreign keys of the column.
    fn constraints(&self, steps: &mut Vec<FixStep>, behind: &mut Vec<String>) {
        let TypeChange { table, relation, old, new, .. } = self;
        let gone = &self.gone.constraints;
        for constraint in relation.constraints.iter().filter(|it| !gone.contains(&&it.name)) {
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
            steps.extend(referencing::add(&table.name, &name, constraint, &definition));
            behind.push(format!("ALTER TABLE {} RENAME CONSTRAINT {name} TO {};", table.name, constraint.name));
            behind.extend(self.carried.of_constraint(constraint));
        }
    }

    /// A key of the table to itself may hold the column on both sides.
    fn foreign_key(&self, key: &ForeignKey) -> Option<String> {
        let TypeChange { table, relation, old, new, .. } = self;
        let referenced = table.schema().relation(key.referenced)?;
        let renamed = Some((*old, new));
        let other = renamed.filter(|_| referenced.id == relation.id);
        Some(referencing::definition(key, relation, referenced, renamed, other))
    }

    /// ALTER COLUMN … TYPE keeps a literal of the old type and casts it: to read it as one of the new type may be another value.
    fn carried_default(&self, default: &Expression) -> String {
        use sqlparser::ast::{Expr, Value};
        let is_literal = matches!(&*default.tree, Expr::Value(value)
            if matches!(value.value, Value::SingleQuotedString(_) | Value::EscapedStringLiteral(_)));
        if self.renames || !is_literal || self.sets_default() {
            return default.text.to_string();
        }
        let plain =
            TypeName { modifiers: Vec::new(), other_modifiers: Vec::new(), ..(*self.old.data_type.written).clone() };
        format!("{}::{plain}", default.text)
    }

    /// Whether the statement itself gives the column its default, be it the one that it has.
    fn sets_default(&self) -> bool {
        use crate::change::AlterTableActionKind::SetDefault;
        let Some(crate::change::Change::AlterTable(alter)) = self.table.context.change() else { return false };
        alter
            .actions
            .iter()
            .any(|action| matches!(&action.kind, SetDefault { column, .. } if column.name == self.old.name))
    }

    /// The default, a serial's sequence, or the identity.
    fn default(&self, swap: &mut Vec<String>, behind: &mut Vec<String>) {
        let TypeChange { table, old, new, .. } = self;
        if self.renames && shared_default(table, old).is_some() {
            return;
        }
        let name = &table.name;
        let sequence = old.sequence.and_then(|id| table.schema().relation(id));
        if let Some(identity) = old.identity {
            let kind = if identity == IdentityKind::Always { "ALWAYS" } else { "BY DEFAULT" };
            let made = table.free_object(new, "seq");
            let options = match sequence.map(|it| &it.kind) {
                Some(crate::schema::RelationKind::Sequence(sequence)) => sequence_options(sequence),
                _ => String::new(),
            };
            swap.push(format!(
                "ALTER TABLE {name} ALTER COLUMN {new} ADD GENERATED {kind} AS IDENTITY (SEQUENCE NAME {}{});",
                table.beside(&made),
                options
            ));
            swap.push(format!(
                "SELECT setval({}, nextval(pg_get_serial_sequence({}, {})), false);",
                literal(&table.beside(&made)),
                literal(name),
                literal(old.name.as_str())
            ));
            if let Some(sequence) = sequence {
                behind.push(format!("ALTER SEQUENCE {} RENAME TO {};", table.beside(&made), sequence.name.name));
                behind.extend(sequence_grants(table, sequence.id));
            }
            return;
        }
        if let Some(sequence) = sequence {
            swap.push(format!("ALTER SEQUENCE {} OWNED BY {name}.{new};", sequence.name));
            swap.extend(self.widened.clone());
        }
        // The statement may give the column another default, which the old type does not take.
        let set = match table.after.and_then(|after| after.column(&old.name)) {
            Some(after) if old.default.as_ref().map(|it| &it.text) != after.default.as_ref().map(|it| &it.text) => {
                after.default.as_ref().map(|default| default.text.to_string())
            }
            _ => match sequence {
                Some(sequence) => Some(format!("nextval({})", literal(&sequence.name.to_string()))),
                None => old.default.as_ref().map(|default| self.carried_default(default)),
            },
        };
        swap.extend(set.map(|default| format!("ALTER TABLE {name} ALTER COLUMN {new} SET DEFAULT {default};")));
    }
}
