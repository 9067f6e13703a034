//! Safe steps for the actions of ALTER TABLE.

use crate::change::{
    AlterTable, AlterTableAction, AlterTableActionKind, ColumnDefinition, Constraint, ConstraintKind, Ident, Name,
    ObjectName,
};
use crate::finding::{Advice, FixStep};
use crate::rules::context::StepContext;
use crate::schema::Relation;

pub(super) fn instead_of(context: &StepContext, alter: &AlterTable, action: &AlterTableAction) -> Advice {
    let table = Table::new(context, alter);
    match &action.kind {
        AlterTableActionKind::SetNotNull { column } => set_not_null(&table, column),
        AlterTableActionKind::AddColumn { column, .. } => add_column(context, &table, column),
        AlterTableActionKind::AddConstraint(constraint) => add_constraint(context, &table, constraint),
        AlterTableActionKind::SetDataType { column, data_type, .. } => {
            change_type(&table, column, &data_type.to_string())
        }
        AlterTableActionKind::AttachPartition { partition, .. } => attach(&table, partition),
        AlterTableActionKind::SetExpression { column, .. } => Advice::text(format!(
            "Add a second generated-by-trigger column with the new expression, fill it in batches, and move the readers from {column} to it."
        )),
        AlterTableActionKind::AddIdentity { .. } | AlterTableActionKind::ValidateConstraint { .. } => super::window(),
        _ => super::window(),
    }
}

/// The table of the statement, printed and looked up.
struct Table<'r> {
    name: String,
    base: Name,
    relation: Option<&'r Relation>,
    version: crate::version::PgVersion,
}

impl<'r> Table<'r> {
    fn new(context: &StepContext<'r>, alter: &AlterTable) -> Table<'r> {
        let found = context.step.schema.find_relation(&alter.relation, &context.step.session);
        Table {
            name: context.step.schema.qualify(&alter.relation, &context.step.session).to_string(),
            base: alter.relation.name.clone(),
            relation: found.map(|relation| &**relation),
            version: context.run.version,
        }
    }

    fn is_partitioned(&self) -> bool {
        self.relation.is_some_and(Relation::is_partitioned)
    }

    /// A name made of the table's, a column's and a word.
    fn part(&self, column: &Name, word: &str) -> Name {
        Name::new(&format!("{}_{}_{word}", self.base.as_str(), column.as_str()))
    }

    /// A batch of a backfill: repeated until it changes no row.
    fn batch(&self, column: &Name, value: &str) -> FixStep {
        let key = self.relation.and_then(|relation| {
            let crate::schema::ConstraintKind::PrimaryKey { columns, .. } = &relation.primary_key()?.kind else {
                return None;
            };
            let [only] = columns.as_slice() else { return None };
            relation.column_by_id(*only).map(|column| column.name.clone())
        });
        let Table { name, .. } = self;
        match key {
            Some(key) => FixStep::own(format!(
                "UPDATE {name} SET {column} = {value} WHERE {key} IN (SELECT {key} FROM {name} WHERE {column} IS NULL ORDER BY {key} LIMIT 5000);"
            )),
            None => FixStep::own(format!(
                "UPDATE {name} SET {column} = {value} WHERE ctid IN (SELECT ctid FROM {name} WHERE {column} IS NULL LIMIT 5000);"
            )),
        }
    }
}

fn set_not_null(table: &Table, column: &Ident) -> Advice {
    Advice::steps(
        "Prove it first with a CHECK that is added without a scan and validated while reads and writes go on; SET NOT NULL then takes the proof and reads nothing.",
        not_null_steps(table, &column.name),
    )
}

fn not_null_steps(table: &Table, column: &Name) -> Vec<FixStep> {
    let Table { name, .. } = table;
    let check = table.part(column, "not_null");
    if table.version.at_least(18) {
        return vec![
            FixStep::own(format!("ALTER TABLE {name} ADD CONSTRAINT {check} NOT NULL {column} NOT VALID;")),
            FixStep::own(format!("ALTER TABLE {name} VALIDATE CONSTRAINT {check};")),
        ];
    }
    vec![
        FixStep::own(format!("ALTER TABLE {name} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID;")),
        FixStep::own(format!("ALTER TABLE {name} VALIDATE CONSTRAINT {check};")),
        FixStep::own(format!("ALTER TABLE {name} ALTER COLUMN {column} SET NOT NULL, DROP CONSTRAINT {check};")),
    ]
}

fn add_column(context: &StepContext, table: &Table, column: &ColumnDefinition) -> Advice {
    let Table { name, .. } = table;
    let ColumnDefinition { name: Ident { name: new, .. }, .. } = column;
    let data_type = column.data_type.as_ref();
    let serial = data_type.and_then(|data_type| serial_base(data_type.name.as_str()));
    if serial.is_some() || column.identity.is_some() {
        let base = serial.map_or_else(|| data_type.map(ToString::to_string).unwrap_or_default(), str::to_owned);
        return numbered_column(table, new, &base);
    }
    let written = data_type.map(ToString::to_string).unwrap_or_default();
    if let Some(generated) = &column.generated {
        if table.version.at_least(18) {
            return Advice::steps(
                "A virtual generated column is computed when it is read: it is added in an instant.",
                vec![FixStep::own(format!(
                    "ALTER TABLE {name} ADD COLUMN {new} {written} GENERATED ALWAYS AS ({}) VIRTUAL;",
                    generated.expression.text
                ))],
            );
        }
        return Advice::steps(
            "Add a plain column, keep it filled by a BEFORE INSERT OR UPDATE trigger, and fill the old rows in batches; repeat the UPDATE until it changes no row.",
            vec![
                FixStep::own(format!("ALTER TABLE {name} ADD COLUMN {new} {written};")),
                table.batch(new, &format!("({})", generated.expression.text)),
            ],
        );
    }
    let Some(default) = &column.default else {
        return Advice::text(format!(
            "Adding a column of a domain with constraints rewrites the table. Add {new} with the domain's base type, and the domain's condition as a CHECK that is NOT VALID \
             first and validated afterwards."
        ));
    };
    let mut steps = vec![
        FixStep::own(format!("ALTER TABLE {name} ADD COLUMN {new} {written};")),
        FixStep::own(format!("ALTER TABLE {name} ALTER COLUMN {new} SET DEFAULT {};", default.text)),
        table.batch(new, &default.text),
    ];
    if column.not_null.is_some() {
        steps.extend(not_null_steps(table, new));
    }
    let _ = context;
    Advice::steps(
        "Add the column without the default, set the default for new rows, fill the old rows in batches (repeat the UPDATE until it changes no row), then require a value.",
        steps,
    )
}

fn serial_base(name: &str) -> Option<&'static str> {
    match name {
        "serial2" => Some("smallint"),
        "serial4" => Some("integer"),
        "serial8" => Some("bigint"),
        _ => None,
    }
}

fn numbered_column(table: &Table, column: &Name, base: &str) -> Advice {
    let Table { name, .. } = table;
    let sequence = table.part(column, "seq");
    let mut steps = vec![
        FixStep::own(format!("ALTER TABLE {name} ADD COLUMN {column} {base};")),
        FixStep::any(format!("CREATE SEQUENCE {sequence} AS {base} OWNED BY {name}.{column};")),
        FixStep::own(format!("ALTER TABLE {name} ALTER COLUMN {column} SET DEFAULT nextval('{sequence}');")),
        table.batch(column, &format!("nextval('{sequence}')")),
    ];
    steps.extend(not_null_steps(table, column));
    Advice::steps(
        "Add a plain column and a sequence, number new rows by default and old rows in batches (repeat the UPDATE until it changes no row), then require a value.",
        steps,
    )
}

fn add_constraint(context: &StepContext, table: &Table, constraint: &Constraint) -> Advice {
    let Table { name, .. } = table;
    let given = constraint.name.as_ref().map(|name| name.name.clone());
    match &constraint.kind {
        ConstraintKind::Check(expression) => {
            let constraint_name = given.unwrap_or_else(|| table.part(&Name::from("value"), "check"));
            two_steps(name, &constraint_name, &format!("CHECK ({})", expression.text))
        }
        ConstraintKind::NotNull(column) => set_not_null(table, column),
        ConstraintKind::ForeignKey(key) => {
            let first = key.columns.first().map_or_else(|| Name::from("key"), |column| column.name.clone());
            let constraint_name = given.unwrap_or_else(|| table.part(&first, "fkey"));
            let written = foreign_key_text(context, constraint, &key.columns);
            if table.is_partitioned() && !table.version.at_least(18) {
                return on_each_partition(context, table, &constraint_name, &written);
            }
            two_steps(name, &constraint_name, &written)
        }
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => {
            let primary = matches!(constraint.kind, ConstraintKind::PrimaryKey(_));
            let columns: Vec<Name> = key.columns.iter().map(|column| column.name.clone()).collect();
            let include: Vec<Name> = key.include.iter().map(|column| column.name.clone()).collect();
            unique(table, given, primary, &columns, &include, key.nulls_not_distinct)
        }
        ConstraintKind::UsingIndex { .. } => Advice::text(
            "A primary key needs NOT NULL columns: prove them first with validated CHECKs, so that the table is not read under this lock.",
        ),
        ConstraintKind::Exclude { .. } => Advice::text(
            "An exclusion constraint cannot be built while others write, nor added NOT VALID: plan a maintenance window, or enforce it on a new table that takes over.",
        ),
    }
}

/// Add without a scan, validate while others work.
fn two_steps(table: &str, constraint: &Name, definition: &str) -> Advice {
    Advice::steps(
        "Add it NOT VALID, which checks new rows only and reads nothing, and validate it in a later transaction, while reads and writes go on.",
        vec![
            FixStep::own(format!("ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition} NOT VALID;")),
            FixStep::own(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {constraint};")),
        ],
    )
}

/// `FOREIGN KEY (a) REFERENCES t (b) ON DELETE …`, as written, also when it was written on a column.
fn foreign_key_text(context: &StepContext, constraint: &Constraint, columns: &[Ident]) -> String {
    let text = context.text(constraint.span);
    let upper = text.to_ascii_uppercase();
    let from = upper.find("REFERENCES").unwrap_or(0);
    let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
    let references = text[from..].trim();
    let references = match references.to_ascii_uppercase().rfind("NOT VALID") {
        Some(at) => references[..at].trim_end(),
        None => references,
    };
    format!("FOREIGN KEY ({}) {references}", columns.join(", "))
}

/// Before 18 a partitioned table takes no foreign key NOT VALID; its partitions do, and the parent's then needs no scan of them.
fn on_each_partition(context: &StepContext, table: &Table, constraint: &Name, definition: &str) -> Advice {
    let partitions = table.relation.map(|relation| relation.children.as_slice()).unwrap_or_default();
    let mut steps = Vec::new();
    for partition in partitions.iter().filter_map(|id| context.relation(Some(*id))).take(2) {
        steps.push(FixStep::own(format!(
            "ALTER TABLE {} ADD CONSTRAINT {constraint} {definition} NOT VALID;",
            partition.name
        )));
        steps.push(FixStep::own(format!("ALTER TABLE {} VALIDATE CONSTRAINT {constraint};", partition.name)));
    }
    steps.push(FixStep::own(format!("ALTER TABLE {} ADD CONSTRAINT {constraint} {definition};", table.name)));
    Advice::steps(
        format!(
            "Before PostgreSQL 18 a partitioned table takes no foreign key NOT VALID. Add and validate it on every one of its {} partitions; the parent's \
             constraint then takes theirs over without reading them.",
            partitions.len()
        ),
        steps,
    )
}

fn unique(
    table: &Table,
    given: Option<Name>,
    primary: bool,
    columns: &[Name],
    include: &[Name],
    nulls_not_distinct: bool,
) -> Advice {
    let Table { name, .. } = table;
    let (word, kind) = if primary { ("pkey", "PRIMARY KEY") } else { ("key", "UNIQUE") };
    let list = |columns: &[Name]| columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let joined: Vec<&str> = columns.iter().map(Name::as_str).collect();
    let constraint = given.unwrap_or_else(|| {
        let middle = if primary { String::new() } else { format!("_{}", joined.join("_")) };
        Name::new(&format!("{}{middle}_{word}", table.base.as_str()))
    });
    if table.is_partitioned() {
        return Advice::text(
            "A partitioned table cannot take an index over as a constraint. Create the unique index on the parent with ON ONLY, build it concurrently on every partition \
             and attach each; a unique index serves ON CONFLICT and foreign keys as the constraint would.",
        );
    }
    let include = if include.is_empty() { String::new() } else { format!(" INCLUDE ({})", list(include)) };
    let nulls = if nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
    let mut steps = vec![FixStep::none(format!(
        "CREATE UNIQUE INDEX CONCURRENTLY {constraint} ON {name} ({}){include}{nulls};",
        list(columns)
    ))];
    let nullable: Vec<&Name> = columns
        .iter()
        .filter(|column| {
            primary
                && table
                    .relation
                    .and_then(|relation| relation.column(column))
                    .is_none_or(|column| !column.not_null.enforced())
        })
        .collect();
    for column in nullable {
        steps.extend(not_null_steps(table, column));
    }
    steps
        .push(FixStep::own(format!("ALTER TABLE {name} ADD CONSTRAINT {constraint} {kind} USING INDEX {constraint};")));
    Advice::steps("Build the index concurrently first; the constraint takes it over in an instant.", steps)
}

fn change_type(table: &Table, column: &Ident, data_type: &str) -> Advice {
    let Table { name, .. } = table;
    let new = Name::new(&format!("{}_new", column.name.as_str()));
    let old = Name::new(&format!("{}_old", column.name.as_str()));
    Advice::steps(
        format!(
            "Add a column of the new type, keep it equal with a BEFORE INSERT OR UPDATE trigger, fill the old rows in batches (repeat the UPDATE until it changes no row), build its \
             indexes concurrently, then swap the names; drop {old} when no client needs it."
        ),
        vec![
            FixStep::own(format!("ALTER TABLE {name} ADD COLUMN {new} {data_type};")),
            table.batch(&new, &format!("{column}::{data_type}")),
            FixStep::own(format!("ALTER TABLE {name} RENAME COLUMN {column} TO {old};")),
            FixStep::own(format!("ALTER TABLE {name} RENAME COLUMN {new} TO {column};")),
        ],
    )
}

fn attach(table: &Table, partition: &ObjectName) -> Advice {
    Advice::text(format!(
        "Add a CHECK to {partition} that repeats the bound (and IS NOT NULL for the key's columns) with NOT VALID, validate it, attach the partition to {}, then drop the CHECK: \
         ATTACH PARTITION takes the proof and reads nothing. A default partition is read too, unless a CHECK of its own excludes the new bound.",
        table.name
    ))
}

pub(super) fn value_for_old_rows(context: &StepContext, alter: &AlterTable, action: &AlterTableAction) -> Advice {
    let table = Table::new(context, alter);
    let AlterTableActionKind::AddColumn { column, .. } = &action.kind else {
        return Advice::text("Give the rows that are there a value first.");
    };
    let name = &column.name.name;
    let written = column.data_type.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut steps = vec![FixStep::own(format!("ALTER TABLE {} ADD COLUMN {name} {written};", table.name))];
    steps.extend(not_null_steps(&table, name));
    Advice::steps(
        "Give it a DEFAULT, which fills the old rows without touching them; or add it nullable, deploy the code that writes it, fill the old rows in batches, and then require it:",
        steps,
    )
}
