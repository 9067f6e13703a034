//! New columns, and NOT NULL, without long work under a strong lock.

use std::ops::ControlFlow;

use sqlparser::ast;

use super::table::Table;
use super::{constraint, required};
use crate::change::{
    AlterTable, ColumnDefinition, Constraint, ConstraintKind, Expression, Generated, Ident, Name, ObjectName, TypeName,
};
use crate::effect::{self, Context, WorkKind};
use crate::expression;
use crate::finding::{Advice, FixStep};
use crate::schema::{self, Column, Domain, ResolvedType, TypeDefinition, rename_column};
use crate::text::quoting::literal;
use crate::walk;

/// ADD COLUMN with the constraints written on it.
pub(super) struct NewColumn<'a> {
    pub table: &'a Table<'a>,
    pub alter: &'a AlterTable,
    pub definition: &'a ColumnDefinition,
    pub constraints: Vec<&'a Constraint>,
}

/// The column, then what is demanded of it.
pub(super) fn add(new: &NewColumn) -> Advice {
    match required::demand(new) {
        Some(demand) => required::later(new, &demand),
        None => with_constraints(new),
    }
}

pub(super) fn with_constraints(new: &NewColumn) -> Advice {
    let mut advice = bare(new);
    if advice.steps.is_empty() {
        return advice;
    }
    for added in &new.constraints {
        let required = new.definition.not_null.is_some()
            || matches!(added.kind, ConstraintKind::PrimaryKey(_)) && numbers(new.definition);
        let next = constraint::add_knowing(new.table, new.alter, added, required.then_some(&new.definition.name.name));
        if next.steps.is_empty() {
            return next;
        }
        if advice.text.is_empty() {
            advice.text = format!("Add the column alone, which takes an instant. {}", next.text);
        }
        advice.steps.extend(next.steps);
    }
    advice
}

/// The column without the constraints written on it. The text is empty where it can be added as it is.
fn bare(new: &NewColumn) -> Advice {
    let NewColumn { table, definition, .. } = new;
    if numbers(definition) {
        return numbered(table, definition);
    }
    if let Some(generated) = &definition.generated {
        return computed(new, generated);
    }
    let Some(written) = &definition.data_type else { return super::window() };
    if let Some(domain) = Checked::of(table, written) {
        return of_domain(table, definition, &domain);
    }
    match &definition.default {
        Some(default) if rewrites(new) => defaulted(table, definition, &written.to_string(), default),
        None if definition.not_null.is_some() && domain_default(table, written).is_none() => {
            required::with_default(table, definition, written)
        }
        _ => Advice::steps(
            "",
            vec![FixStep::own(format!(
                "ALTER TABLE {} ADD COLUMN {};",
                table.name,
                plain(definition, &written.to_string())
            ))],
        ),
    }
}

pub(super) fn numbers(definition: &ColumnDefinition) -> bool {
    definition.identity.is_some() || serial_base(definition).is_some()
}

/// `name type COLLATE c DEFAULT d NOT NULL`.
fn plain(definition: &ColumnDefinition, data_type: &str) -> String {
    let default = definition.default.as_ref().map(|default| format!(" DEFAULT {}", default.text)).unwrap_or_default();
    let not_null = if definition.not_null.is_some() { " NOT NULL" } else { "" };
    format!("{}{default}{not_null}", head(definition, data_type))
}

/// `name type STORAGE s COMPRESSION m COLLATE c`.
pub(super) fn head(definition: &ColumnDefinition, data_type: &str) -> String {
    let storage = definition.storage.as_ref().map(|it| format!(" STORAGE {it}")).unwrap_or_default();
    let compression = definition.compression.as_ref().map(|it| format!(" COMPRESSION {it}")).unwrap_or_default();
    let collation = definition.collation.as_ref().map(|name| format!(" COLLATE {name}")).unwrap_or_default();
    format!("{} {data_type}{storage}{compression}{collation}", definition.name)
}

/// Whether the column itself is written into every row.
fn rewrites(new: &NewColumn) -> bool {
    let context = &new.table.context;
    let first = new.alter.actions.iter().find(|action| action.span.contains(new.definition.span));
    let part = AlterTable { actions: first.cloned().into_iter().collect(), ..new.alter.clone() };
    let world = Context { schema: new.table.schema(), session: &context.step.session, version: context.run.version };
    let prediction = effect::predict(&crate::change::Change::AlterTable(part), world);
    prediction.work.iter().any(|work| work.kind == WorkKind::Rewrite)
}

/// NOT NULL proved by a constraint that is validated while others work. `named` is the name that 18 gives the constraint.
pub(super) fn not_null(table: &Table, column: &Name, named: Option<&Name>) -> Vec<FixStep> {
    let Table { name, .. } = table;
    if table.version.at_least(18) {
        let made = table.after.and_then(|after| {
            let id = after.column(column)?.id;
            let found = after.constraints.iter().find(|it| it.kind == schema::ConstraintKind::NotNull(id))?;
            Some(found.name.clone())
        });
        let constraint = named.cloned().or(made).unwrap_or_else(|| table.free_constraint(column, "not_null"));
        return vec![
            FixStep::own(format!("ALTER TABLE {name} ADD CONSTRAINT {constraint} NOT NULL {column} NOT VALID;")),
            FixStep::own(format!("ALTER TABLE {name} VALIDATE CONSTRAINT {constraint};")),
        ];
    }
    let check = helper_check(table, column);
    vec![
        FixStep::own(format!("ALTER TABLE {name} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID;")),
        FixStep::own(format!("ALTER TABLE {name} VALIDATE CONSTRAINT {check};")),
        FixStep::any(format!("ALTER TABLE {name} ALTER COLUMN {column} SET NOT NULL;")),
        FixStep::own(format!("ALTER TABLE {name} DROP CONSTRAINT {check};")),
    ]
}

/// The model keeps 18's names for every NOT NULL: before 18 they are free.
fn helper_check(table: &Table, column: &Name) -> Name {
    let checks = |name: &Name| {
        [table.relation, table.after].into_iter().flatten().any(|found| {
            found.constraint(name).is_some_and(|it| !matches!(it.kind, schema::ConstraintKind::NotNull(_)))
        })
    };
    let usual = schema::make_object_name(table.base.as_str(), Some(column.as_str()), "not_null");
    if checks(&usual) { table.free_constraint(column, "not_null") } else { usual }
}

fn defaulted(table: &Table, definition: &ColumnDefinition, data_type: &str, default: &Expression) -> Advice {
    let Table { name, .. } = table;
    let column = &definition.name.name;
    let mut steps = vec![
        FixStep::own(format!("ALTER TABLE {name} ADD COLUMN {};", head(definition, data_type))),
        FixStep::own(format!("ALTER TABLE {name} ALTER COLUMN {column} SET DEFAULT {};", default.text)),
        table.batch(column, &default.text, &format!("{column} IS NULL")),
    ];
    if definition.not_null.is_some() {
        steps.extend(not_null(table, column, definition.not_null_name.as_ref().map(|name| &name.name)));
    }
    Advice::steps(
        "Add the column without the default, set the default for new rows, fill the old rows in batches (repeat the UPDATE until it changes no row), then require a value.",
        steps,
    )
}

fn serial_base(definition: &ColumnDefinition) -> Option<&'static str> {
    match definition.data_type.as_ref()?.name.as_str() {
        "serial2" => Some("smallint"),
        "serial4" => Some("integer"),
        "serial8" => Some("bigint"),
        _ => None,
    }
}

/// serial and identity: numbers from a sequence, for new rows by default and for old rows in batches.
fn numbered(table: &Table, definition: &ColumnDefinition) -> Advice {
    let Table { name, .. } = table;
    let column = &definition.name.name;
    let written = definition.data_type.as_ref().map(ToString::to_string).unwrap_or_default();
    let base = serial_base(definition).map_or(written, str::to_owned);
    let sequence = match definition.identity {
        None => made_sequence(table, column).unwrap_or_else(|| table.beside(&table.free_object(column, "seq"))),
        Some(_) => table.beside(&table.free_object(column, "numbers")),
    };
    let owned = if definition.identity.is_some() { String::new() } else { format!(" OWNED BY {name}.{column}") };
    let next = format!("nextval({})", literal(&sequence));
    let mut steps = vec![
        FixStep::own(format!("ALTER TABLE {name} ADD COLUMN {column} {base};")),
        FixStep::any(format!("CREATE SEQUENCE {sequence} AS {base}{owned};")),
        FixStep::own(format!("ALTER TABLE {name} ALTER COLUMN {column} SET DEFAULT {next};")),
        table.batch(column, &next, &format!("{column} IS NULL")),
    ];
    steps.extend(not_null(table, column, definition.not_null_name.as_ref().map(|name| &name.name)));
    if let Some(identity) = &definition.identity {
        steps.push(FixStep::own(format!(
            "ALTER TABLE {name} ALTER COLUMN {column} DROP DEFAULT;\n\
             ALTER TABLE {name} ALTER COLUMN {column} ADD {};\n\
             SELECT setval(pg_get_serial_sequence({}, {}), {next}, false);\n\
             DROP SEQUENCE {sequence};",
            table.context.text(identity.span),
            literal(name),
            literal(column.as_str()),
        )));
    }
    Advice::steps(
        "Add a plain column and a sequence, number new rows by default and old rows in batches (repeat the UPDATE until it changes no row), then require a value.",
        steps,
    )
}

/// The sequence that the statement itself makes.
fn made_sequence(table: &Table, column: &Name) -> Option<String> {
    let id = table.after?.column(column)?.sequence?;
    let found = super::table::schema_after(&table.context).relation(id)?;
    Some(table.beside(&found.name.name))
}

fn computed(new: &NewColumn, generated: &Generated) -> Advice {
    let NewColumn { table, definition, .. } = new;
    let Table { name, .. } = table;
    let column = &definition.name.name;
    let written = definition.data_type.as_ref().map(ToString::to_string).unwrap_or_default();
    let expression = &generated.expression.text;
    let simple = definition.not_null.is_none()
        && new.constraints.is_empty()
        && !calls_user_function(table, &generated.expression);
    if table.version.at_least(18) && simple {
        return Advice::steps(
            "A virtual generated column is computed when it is read: it is added in an instant.",
            vec![FixStep::own(format!(
                "ALTER TABLE {name} ADD COLUMN {} GENERATED ALWAYS AS ({expression}) VIRTUAL;",
                head(definition, &written)
            ))],
        );
    }
    let mut steps = vec![FixStep::own(format!("ALTER TABLE {name} ADD COLUMN {};", head(definition, &written)))];
    steps.extend(keep_equal(table, column, &format!("({expression})")).steps);
    steps.push(table.batch(
        column,
        &format!("({expression})"),
        &format!("{column} IS NULL AND ({expression}) IS NOT NULL"),
    ));
    if definition.not_null.is_some() {
        steps.extend(not_null(table, column, definition.not_null_name.as_ref().map(|name| &name.name)));
    }
    Advice::steps(
        "Add a plain column, keep it filled by a trigger, and fill the old rows in batches; repeat the UPDATE until it changes no row.",
        steps,
    )
}

/// A virtual column may not call functions that users made (18).
fn calls_user_function(table: &Table, expression: &Expression) -> bool {
    let session = &table.context.step.session;
    let found = walk::visit_expressions(&*expression.tree, |node| {
        let ast::Expr::Function(call) = node else { return ControlFlow::Continue(()) };
        let parts: Vec<Name> = call.name.0.iter().filter_map(|part| part.as_ident()).map(Name::of_ident).collect();
        let Some((last, before)) = parts.split_last() else { return ControlFlow::Continue(()) };
        let name = ObjectName { schema: before.last().cloned(), name: last.clone(), span: expression.span };
        let user_made = table.schema().find_routines(&name, session).next().is_some();
        if user_made { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found.is_break()
}

/// The trigger that keeps a column at an expression of the row's other columns.
pub(super) struct Trigger {
    pub function: String,
    pub name: Name,
    pub steps: Vec<FixStep>,
}

/// The trigger that keeps two columns equal while code writes the one or the other: what is written to `new` goes before. A row that does
/// not give it has its default there, which is the old column's.
pub(super) fn keep_both(table: &Table, old: &Column, new: &Name) -> Trigger {
    let default = shared_default(table, old).map(|default| &*default.text);
    let name = table.free_object(new, "sync");
    let function = table.beside(&name);
    let name = table.last_trigger(&name);
    let is_compared = !expression::lacks_equality(&old.data_type, scope(table));
    let old = &old.name;
    let changes = match is_compared {
        true => format!("NEW.{new} IS DISTINCT FROM OLD.{new}"),
        false => format!("NEW.{new}::text IS DISTINCT FROM OLD.{new}::text"),
    };
    let is_given = match default {
        Some(default) => format!("NEW.{new} IS DISTINCT FROM {default}"),
        None => format!("NEW.{new} IS NOT NULL"),
    };
    let trigger = format!(
        "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {function}();",
        table.name
    );
    let begins = match default {
        Some(default) => format!("ALTER TABLE {} ALTER COLUMN {new} SET DEFAULT {default};\n{trigger}", table.name),
        None => trigger,
    };
    let steps = vec![
        FixStep::any(format!(
            "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN\n    \
             IF TG_OP = 'INSERT' THEN\n        \
             IF {is_given} THEN NEW.{old} := NEW.{new}; ELSE NEW.{new} := NEW.{old}; END IF;\n    \
             ELSIF {changes} THEN NEW.{old} := NEW.{new};\n    \
             ELSE NEW.{new} := NEW.{old};\n    \
             END IF;\n    RETURN NEW;\nEND$$;"
        )),
        FixStep::own(begins),
    ];
    Trigger { function, name, steps }
}

/// The default that a column of another name has from the beginning: one whose value a trigger knows again.
pub(super) fn shared_default<'c>(table: &Table, old: &'c Column) -> Option<&'c Expression> {
    let is_known_again = |default: &&Expression| {
        old.sequence.is_none()
            && !is_volatile(table, default)
            && !expression::lacks_equality(&old.data_type, scope(table))
    };
    old.default.as_ref().filter(is_known_again)
}

pub(super) fn keep_equal(table: &Table, column: &Name, expression: &str) -> Trigger {
    let name = table.free_object(column, "sync");
    let function = table.beside(&name);
    let name = table.last_trigger(&name);
    // The row as a table of its own lets the expression name columns as it does in the statement.
    let steps = vec![
        FixStep::any(format!(
            "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN\n    \
             NEW.{column} := (SELECT {expression} FROM (SELECT NEW.*) AS {});\n    RETURN NEW;\nEND$$;",
            table.base
        )),
        FixStep::own(format!(
            "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {function}();",
            table.name
        )),
    ];
    Trigger { function, name, steps }
}

/// A domain with constraints, those of the domains under it included.
struct Checked<'r> {
    base: String,
    not_null: bool,
    default: Option<&'r Expression>,
    checks: Vec<&'r Expression>,
}

impl<'r> Checked<'r> {
    fn of(table: &Table<'r>, written: &TypeName) -> Option<Checked<'r>> {
        if written.array_dimensions > 0 {
            return None;
        }
        let mut id = table.schema().find_type(&written.schema, &written.name, &table.context.step.session)?.id;
        let mut found = Checked { base: String::new(), not_null: false, default: None, checks: Vec::new() };
        for _ in 0..32 {
            let TypeDefinition::Domain(domain) = &table.schema().types.get(&id)?.definition else { return None };
            let Domain { base, default, not_null, constraints, .. } = domain;
            found.not_null |= not_null;
            found.default = found.default.or(default.as_ref());
            found.checks.extend(constraints.iter().map(|constraint| &constraint.expression));
            found.base = base.written.to_string();
            match base.resolved {
                ResolvedType::User(next)
                    if matches!(table.schema().types.get(&next)?.definition, TypeDefinition::Domain(_)) =>
                {
                    id = next
                }
                _ => return (found.not_null || !found.checks.is_empty()).then_some(found),
            }
        }
        None
    }

    /// The domain's conditions as those of the table.
    fn check_steps(&self, table: &Table, column: &Name) -> Vec<FixStep> {
        let mut steps = Vec::new();
        for (number, check) in self.checks.iter().enumerate() {
            let word = if number == 0 { "check".to_owned() } else { format!("check{number}") };
            let check = rename_column(check, &Name::from("value"), column);
            let name = table.free_constraint(column, &word);
            steps.extend(constraint::two_steps(&table.name, &name, &format!("CHECK ({})", check.text), "").steps);
        }
        steps
    }
}

fn domain_default<'r>(table: &Table<'r>, written: &TypeName) -> Option<&'r Expression> {
    let id = table.schema().find_type(&written.schema, &written.name, &table.context.step.session)?.id;
    match &table.schema().types.get(&id)?.definition {
        TypeDefinition::Domain(domain) => domain.default.as_ref(),
        _ => None,
    }
}

/// ALTER COLUMN … TYPE to a domain with constraints: the server has no way to it that leaves the rows alone.
pub(super) fn to_domain(table: &Table, old: &Column, written: &TypeName) -> Option<Advice> {
    let domain = Checked::of(table, written)?;
    let same_base = table.schema().base_type(&old.data_type).written.to_string() == domain.base;
    if !same_base {
        return Some(Advice::text(format!(
            "A column takes a domain with constraints only by a rewrite. Change it to {} first, then make the domain's conditions CHECKs of the table.",
            domain.base
        )));
    }
    let mut steps = domain.check_steps(table, &old.name);
    if domain.not_null && !old.not_null.enforced() {
        steps.extend(not_null(table, &old.name, None));
    }
    Some(Advice::steps(
        "A column takes a domain with constraints only by a rewrite. Leave it the type it has, and make the domain's conditions CHECKs of the table, NOT VALID first and validated afterwards.",
        steps,
    ))
}

fn of_domain(table: &Table, definition: &ColumnDefinition, domain: &Checked) -> Advice {
    let column = &definition.name.name;
    let default = definition.default.as_ref().or(domain.default);
    let required = definition.not_null.is_some() || domain.not_null;
    if required && default.is_none() {
        return Advice::text(format!(
            "The rows that are there have no value for {column}: give it a default, or add it with the type {}, fill it, and require it then.",
            domain.base
        ));
    }
    let not_null = required.then_some(definition.span);
    let plain_column = ColumnDefinition { default: default.cloned(), not_null, ..definition.clone() };
    let mut steps = match default.filter(|default| is_volatile(table, default)) {
        Some(default) => defaulted(table, &plain_column, &domain.base, default).steps,
        None => {
            vec![FixStep::own(format!("ALTER TABLE {} ADD COLUMN {};", table.name, plain(&plain_column, &domain.base)))]
        }
    };
    steps.extend(domain.check_steps(table, column));
    Advice::steps(
        "A column of a domain with constraints rewrites the table. Add it with the domain's base type, and the domain's conditions as CHECKs, NOT VALID first and validated afterwards.",
        steps,
    )
}

fn is_volatile(table: &Table, default: &Expression) -> bool {
    expression::volatility(&default.tree, scope(table)) == crate::catalog::Volatility::Volatile
}

fn scope<'a>(table: &'a Table) -> expression::Scope<'a> {
    let context = &table.context;
    expression::Scope {
        schema: table.schema(),
        session: &context.step.session,
        version: context.run.version,
        relation: table.relation,
        value: None,
    }
}

/// Printed names, joined by commas.
pub(super) fn list<'n>(columns: impl IntoIterator<Item = &'n Ident>) -> String {
    columns.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
