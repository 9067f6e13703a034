//! Tables, columns, schemas and databases dropped with their rows.

use crate::change::{
    AlterCompositeType, AlterTable, AlterTableAction, AlterTableActionKind, AttributeAction, Change, Drop, Ident, Name,
    ObjectKind, ObjectName, PrintedName,
};
use crate::contract::{BreakageKind, Subject};
use crate::finding::{Advice, Category, Evidence, Finding, FixStep, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule};
use crate::schema::{ColumnId, Object, ObjectId, Relation, RelationId, RelationKind, Schema, Session, TypeDefinition};
use crate::source::Span;

pub static RULE: Rule = Rule {
    name: "dropped-data",
    category: Category::DataLoss,
    severity: Severity::Error,
    summary: "A statement drops a table, column, schema or database, and the data in it",
    explanation: "What is dropped is gone once the transaction commits: only a backup brings it back. Clients that still name it fail from that moment. \
        First deploy code that does not use it, then rename or keep it for a while, then drop it; with a backup of the data. \
        With CASCADE the finding names everything else that goes. Where another column that was there takes the name of the dropped one, \
        clients miss nothing that it has, and the finding is a warning. Views, functions and other things that hold no rows are \
        told by dropped-object.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts DROP COLUMN email;",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ADD COLUMN scratch text;\nALTER TABLE accounts DROP COLUMN scratch;",
    },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    let before = findings.len();
    match context.change() {
        Some(Change::AlterTable(alter)) => {
            for action in &alter.actions {
                if let AlterTableActionKind::DropColumn { column, .. } = &action.kind {
                    column_dropped(context, alter, column, findings);
                }
            }
        }
        Some(Change::Drop(drop)) => match drop.kind {
            ObjectKind::Table => {
                drop.objects.iter().for_each(|object| table_dropped(context, drop, &object.name, findings));
            }
            ObjectKind::Schema | ObjectKind::Database => {
                for object in &drop.objects {
                    holder_dropped(context, drop.kind, &object.name, findings);
                }
            }
            _ => {}
        },
        Some(Change::AlterCompositeType(alter)) => attributes_dropped(context, alter, findings),
        Some(Change::Owned(owned)) if owned.drop => owned_dropped(context, owned.span, findings),
        _ => {}
    }
    let is_first = findings.len() == before;
    findings.extend(cascaded(context, is_first));
}

/// Columns and tables that go along with what the statement names; `is_first` where no finding lists yet what goes along.
fn cascaded(context: &StepContext, is_first: bool) -> Option<Finding> {
    let taken = taken_data(context);
    let refused = !context.step.applied.problems.is_empty();
    let (_, first) = taken.first().filter(|_| !refused)?;
    let names: Vec<&str> = taken.iter().map(|(_, name)| &**name).collect();
    let it = if names.len() == 1 { "it" } else { "them" };
    let message = format!("drops {} and every value in {it}: CASCADE takes {it} along", few(&names));
    let span = match context.change() {
        Some(Change::Drop(Drop { objects, .. })) if objects.len() == 1 => objects[0].span,
        _ => context.step.span(),
    };
    let mut finding = RULE.finding(span, message);
    finding.object = Some(first.clone());
    finding.evidence.push(Evidence::declared("the schema before the statement says what depends on what it drops"));
    if is_first {
        tell_cascade(context, &mut finding);
    }
    finding.advice = Advice::text(
        "Write RESTRICT, or nothing: the server then refuses, and names what is in the way. Drop those columns and tables by name, after the \
         code that uses them, or give them another type first.",
    );
    Some(finding)
}

/// Columns and tables with rows that CASCADE takes: those that others may use, and that are gone when the migration ends.
fn taken_data(context: &StepContext) -> Vec<(Subject, PrintedName)> {
    let schemas: Vec<&Name> = match context.change() {
        Some(Change::Drop(drop)) if drop.kind == ObjectKind::Schema => {
            drop.objects.iter().map(|object| &object.name.name).collect()
        }
        Some(Change::Owned(_)) => return Vec::new(),
        _ => Vec::new(),
    };
    let lasting = |id: RelationId| {
        let relation = context.relation(Some(id)).filter(|it| it.is_table() && context.step.is_shared(Some(id)))?;
        (!schemas.contains(&&relation.name.schema)).then_some(relation)
    };
    let taken = context.step.applied.taken.iter().filter_map(|object| match object {
        Object::Relation(id) if context.run.after.relation(*id).is_none() => {
            Some((Subject::Relation(*id), PrintedName::from(&lasting(*id)?.name)))
        }
        Object::Column(id, column) if existed(context, *id, *column) => {
            let (relation, after) = (lasting(*id)?, context.run.after.relation(*id));
            let stays = after.is_some_and(|it| it.column_by_id(*column).is_some());
            let name = &relation.column_by_id(*column)?.name;
            (!stays).then(|| (Subject::Column(*id, *column), PrintedName::part(&relation.name, name)))
        }
        _ => None,
    });
    taken.collect()
}

/// A list that does not run over.
fn few(names: &[&str]) -> String {
    const MOST: usize = 12;
    let more = names.len().saturating_sub(MOST);
    let shown = names[..names.len() - more].join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// DROP OWNED BY: what the role owns goes, whatever it is.
fn owned_dropped(context: &StepContext, span: Span, findings: &mut Vec<Finding>) {
    let tables: Vec<PrintedName> = context
        .step
        .applied
        .dropped
        .iter()
        .filter_map(|object| match object {
            ObjectId::Relation(id) if context.step.is_shared(Some(*id)) => context.relation(Some(*id)),
            _ => None,
        })
        .filter(|relation| relation.is_table())
        .map(|relation| PrintedName::from(&relation.name))
        .collect();
    let names: Vec<&str> = tables.iter().map(|name| &**name).collect();
    let message = match tables.len() {
        0 => "drops whatever the role owns in this database, tables with their rows included".to_owned(),
        _ => format!("drops what the role owns, with every row in it: {}", names.join(", ")),
    };
    let mut finding = RULE.finding(span, message);
    finding.object = tables.first().cloned();
    finding.evidence.push(match tables.is_empty() {
        true => Evidence::assumed("which objects the role owns is not known here"),
        false => Evidence::declared("the tables were made as that role"),
    });
    if tables.is_empty() {
        finding.severity = Severity::Warning;
    }
    finding.advice = Advice::text(
        "Name what is to go in DROP statements of its own, or give it to another role first (REASSIGN OWNED).",
    );
    findings.push(finding);
}

fn column_dropped(context: &StepContext, alter: &AlterTable, column: &Ident, findings: &mut Vec<Finding>) {
    let table = &alter.relation;
    let relation = context.step.schema.find_relation(table, &context.step.session);
    let known = relation.map(|relation| (relation.id, relation.column(&column.name).map(|column| column.id)));
    match known {
        // Made by this migration, or not there at all: no one's data.
        Some((id, _)) if !context.step.is_shared(Some(id)) => return,
        Some((_, None)) if relation.is_some_and(|relation| relation.known) => return,
        // There is no such table, and the server passes it over.
        None if alter.if_exists && context.step.schema.complete => return,
        Some((id, Some(column_id))) if !existed(context, id, column_id) => return,
        // A ROLLBACK took the DROP back.
        Some((id, Some(column_id)))
            if context.run.after.relation(id).is_some_and(|it| it.column_by_id(column_id).is_some()) =>
        {
            return;
        }
        _ => {}
    }
    let name = context.step.schema.qualify(table, &context.step.session);
    let message =
        format!("drops {name}.{column} and every value in it; queries that name the column fail from then on");
    let mut finding = RULE.finding(column.span, message);
    finding.object = Some(PrintedName::part(&name, &column.name));
    finding.evidence.push(context.evidence_for(known.map(|(id, _)| id), "the column existed before this migration"));
    tell_cascade(context, &mut finding);
    let subject = known.and_then(|(id, column)| column.map(|column| Subject::Column(id, column)));
    if let Some(successor) = known.and_then(|(id, dropped)| successor(context, id, dropped?, &column.name)) {
        return findings.push(replaced(finding, &name.to_string(), column, &successor));
    }
    finding.witness = witness(context, subject, BreakageKind::ColumnDropped);
    finding.advice = Advice::steps(
        if alter.actions.iter().any(|it| is_required(relation.map(|relation| &**relation), it)) {
            "Deploy code that no longer reads or writes the column first, and keep a copy of the values. A NOT NULL column without default \
             has to become nullable before that code runs:"
        } else {
            "Deploy code that no longer reads or writes the column first, and keep a copy of the values."
        },
        steps_to_drop(context, alter, relation.map(|relation| &**relation), &name.to_string()),
    );
    findings.push(finding);
}

/// The name that a column has when this one is dropped which goes by its name when the migration has ended.
fn successor(context: &StepContext, table: RelationId, dropped: ColumnId, name: &Name) -> Option<Name> {
    let after = context.run.after.relation(table)?.column(name).filter(|column| column.id != dropped)?;
    context.relation(Some(table))?.column_by_id(after.id).map(|column| column.name.clone())
}

/// Another column takes its place: clients miss nothing, if that has the values.
fn replaced(mut finding: Finding, table: &str, column: &crate::change::Ident, successor: &Name) -> Finding {
    finding.severity = Severity::Warning;
    finding.message =
        format!("drops {table}.{column} and every value in it that {successor} does not have, which takes its name");
    finding.evidence.push(Evidence::declared(format!("{successor} is renamed to {column} in the same migration")));
    finding.advice = Advice::steps(
        "Look before the migration runs that every value was carried over; this returns a row where it was not:",
        vec![FixStep::any(format!("SELECT * FROM {table} WHERE {column} IS NOT NULL AND {successor} IS NULL LIMIT 1"))],
    );
    finding
}

/// Writers that stop naming a required column fail until it is nullable.
fn is_required(relation: Option<&Relation>, action: &AlterTableAction) -> bool {
    let AlterTableActionKind::DropColumn { column, .. } = &action.kind else { return false };
    let Some(found) = relation.and_then(|relation| relation.column(&column.name)) else { return false };
    let primary = relation.and_then(Relation::primary_key).is_some_and(|key| match &key.kind {
        crate::schema::ConstraintKind::PrimaryKey { columns, .. } => columns.contains(&found.id),
        _ => false,
    });
    found.not_null.enforced()
        && found.default.is_none()
        && found.identity.is_none()
        && found.generated.is_none()
        && !primary
}

/// The whole statement: what else it does first, then the columns that no code uses any more.
fn steps_to_drop(context: &StepContext, alter: &AlterTable, relation: Option<&Relation>, table: &str) -> Vec<FixStep> {
    let (drops, others): (Vec<&AlterTableAction>, Vec<&AlterTableAction>) =
        alter.actions.iter().partition(|action| matches!(action.kind, AlterTableActionKind::DropColumn { .. }));
    // What follows on a drop, or takes long, is a plan of its own.
    let adds = |name: &Name| {
        drops
            .iter()
            .any(|drop| matches!(&drop.kind, AlterTableActionKind::DropColumn { column, .. } if column.name == *name))
    };
    let again = others.iter().any(
        |action| matches!(&action.kind, AlterTableActionKind::AddColumn { column, .. } if adds(&column.name.name)),
    );
    let refused = !context.step.applied.problems.is_empty();
    if again || refused || context.shared_work().next().is_some() || context.step.block.is_some() {
        return Vec::new();
    }
    let only = if alter.only { "ONLY " } else { "" };
    let mut steps = Vec::new();
    if !others.is_empty() {
        // An inline constraint is written with its column.
        let written = others
            .iter()
            .filter(|action| !matches!(&action.kind, AlterTableActionKind::AddConstraint(it) if it.inline));
        let texts: Vec<&str> = written.map(|action| context.text(action.span)).collect();
        steps.push(FixStep::own(format!("ALTER TABLE {only}{table} {};", texts.join(", "))));
    }
    steps.extend(drop_last(context, &drops, relation, &format!("{only}{table}")));
    steps
}

/// The columns of a statement that no code uses any more; until then rows may come without those that are required.
pub(super) fn drop_last(
    context: &StepContext,
    drops: &[&AlterTableAction],
    relation: Option<&Relation>,
    table: &str,
) -> Vec<FixStep> {
    let columns: Vec<(&AlterTableAction, String)> = drops
        .iter()
        .filter_map(|action| match &action.kind {
            AlterTableActionKind::DropColumn { column, .. } => Some((*action, column.to_string())),
            _ => None,
        })
        .collect();
    let required: Vec<String> = columns
        .iter()
        .filter(|(action, _)| is_required(relation, action))
        .map(|(_, column)| format!("ALTER COLUMN {column} DROP NOT NULL"))
        .collect();
    let mut steps = Vec::new();
    if !required.is_empty() {
        steps.push(FixStep::own(format!("ALTER TABLE {table} {};", required.join(", "))));
    }
    let texts: Vec<&str> = columns.iter().map(|(action, _)| context.text(action.span)).collect();
    let names: Vec<String> = columns.into_iter().map(|(_, column)| column).collect();
    steps.push(
        FixStep::own(format!("ALTER TABLE {table} {};", texts.join(", ")))
            .once(format!("no running code reads or writes {}", names.join(", "))),
    );
    steps
}

/// An attribute of a composite type goes from every row that is stored of it.
fn attributes_dropped(context: &StepContext, alter: &AlterCompositeType, findings: &mut Vec<Finding>) {
    let of = |schema: &'_ Schema| {
        schema.find_type(&alter.name.schema, &alter.name.name, &context.step.session).map(|found| found.id)
    };
    let Some(id) = of(&context.step.schema).filter(|_| context.step.applied.problems.is_empty()) else { return };
    let has = |schema: &Schema, attribute: &Name| match schema.types.get(&id).map(|it| &it.definition) {
        Some(TypeDefinition::Composite(attributes)) => attributes.iter().any(|(name, _)| name == attribute),
        _ => false,
    };
    for (action, _) in &alter.actions {
        let AttributeAction::Drop { attribute, .. } = action else { continue };
        let gone = has(&context.run.before, &attribute.name) && !has(&context.run.after, &attribute.name);
        let stored = context.step.schema.columns_of(id).filter(|(table, _)| context.step.is_shared(Some(table.id)));
        let stored: Vec<String> = stored.map(|(table, column)| format!("{}.{}", table.name, column.name)).collect();
        let typed = context.step.schema.relations.values();
        let typed = typed.filter(|table| table.of_type == Some(id) && context.step.is_shared(Some(table.id)));
        let typed = typed.map(|table| format!("{}.{attribute}", table.name));
        let places: Vec<String> = stored.into_iter().chain(typed).collect();
        if !gone || places.is_empty() {
            continue;
        }
        let names: Vec<&str> = places.iter().map(String::as_str).collect();
        let name = context.step.schema.qualify(&alter.name, &context.step.session);
        let message = format!("drops attribute {attribute} of {name}, and every value of it in {}", few(&names));
        let mut finding = RULE.finding(attribute.span, message);
        finding.object = Some(PrintedName::part(&name, &attribute.name));
        finding.evidence.push(Evidence::declared("the schema says which columns store rows of the type"));
        finding.advice = Advice::text(
            "Deploy code that no longer reads or writes the attribute first, and keep a copy of its values: (column).attribute.",
        );
        findings.push(finding);
    }
}

fn table_dropped(context: &StepContext, drop: &Drop, table: &ObjectName, findings: &mut Vec<Finding>) {
    let relation = context.step.schema.find_relation(table, &context.step.session);
    match relation {
        Some(relation) if !context.step.is_shared(Some(relation.id)) => return,
        // A ROLLBACK took the DROP back.
        Some(relation) if context.run.after.relation(relation.id).is_some() => return,
        Some(relation) if !matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable(_)) => return,
        // Nothing to drop in a complete schema; in a partial one IF EXISTS is the habit of a script that makes the table.
        None if drop.if_exists || context.step.schema.complete => return,
        _ => {}
    }
    let id = relation.map(|relation| relation.id);
    let name = context.step.schema.qualify(table, &context.step.session);
    let mut finding =
        RULE.finding(table.span, format!("drops {name} and every row in it; queries that name it fail from then on"));
    finding.object = Some(PrintedName::from(&name));
    finding.evidence.push(context.evidence_for(id, "the table existed before this migration"));
    tell_cascade(context, &mut finding);
    finding.witness = witness(context, id.map(Subject::Relation), BreakageKind::RelationDropped);
    finding.advice = Advice::steps(
        "Deploy code that no longer uses the table first. Keep a dump of it (pg_dump --table), or rename it and drop it some releases later.",
        later(context, drop),
    );
    findings.push(finding);
}

/// The statement itself, once no code needs what it drops. One that the server refuses is no step.
fn later(context: &StepContext, drop: &Drop) -> Vec<FixStep> {
    if !context.step.applied.problems.is_empty() || context.step.block.is_some() {
        return Vec::new();
    }
    let names: Vec<String> = drop
        .objects
        .iter()
        .map(|object| context.step.schema.qualify(&object.name, &context.step.session).to_string())
        .collect();
    let statement = context.text(context.step.span()).trim_end_matches([';', ' ', '\n', '\r', '\t']);
    vec![FixStep::own(format!("{statement};")).once(format!("no running code uses {}", names.join(", ")))]
}

fn holder_dropped(context: &StepContext, kind: ObjectKind, name: &ObjectName, findings: &mut Vec<Finding>) {
    let tables = context.step.applied.dropped.iter().filter(|object| match object {
        ObjectId::Relation(id) => {
            context.step.is_shared(Some(*id)) && context.relation(Some(*id)).is_some_and(Relation::is_table)
        }
        _ => false,
    });
    let tables = tables.count();
    // An empty schema holds nothing.
    if kind == ObjectKind::Schema && tables == 0 && context.step.schema.complete {
        return;
    }
    let what = match tables {
        0 => "everything in it".to_owned(),
        1 => "a table with its rows".to_owned(),
        many => format!("{many} tables with their rows"),
    };
    let mut finding = RULE.finding(name.span, format!("drops the {} {} and {what}", kind.noun(), name.name));
    finding.object = Some(PrintedName::from(&name.name));
    finding.evidence.push(Evidence::declared("what is in it goes with it"));
    tell_cascade(context, &mut finding);
    finding.advice = Advice::text("Keep a dump of it, and deploy code that no longer uses it first.");
    findings.push(finding);
}

/// Names everything that goes along without being named.
pub(super) fn tell_cascade(context: &StepContext, finding: &mut Finding) {
    // With their schemas, wherever the session looks.
    let nowhere = Session::default().with_path(Vec::new());
    let described = |object: &Object| context.step.schema.describe(object, &nowhere);
    let names: Vec<String> = context.step.applied.taken.iter().map(described).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if !names.is_empty() {
        finding.evidence.push(Evidence::declared(format!("it takes along: {}", few(&names))));
    }
}

/// Whether the column was there before the migration began.
fn existed(context: &StepContext, relation: crate::schema::RelationId, column: crate::schema::ColumnId) -> bool {
    match context.run.before.relation(relation) {
        Some(before) => before.column_by_id(column).is_some(),
        None => true,
    }
}

/// The witness of the loss that the contract diff found for this.
fn witness(context: &StepContext, subject: Option<Subject>, kind: BreakageKind) -> Option<crate::contract::Witness> {
    let subject = subject?;
    let lost = context.run.breakages.iter().find(|(breakage, _)| breakage.kind == kind && breakage.subject == subject);
    lost.map(|(breakage, _)| breakage.witness.clone())
}

/// Whether a net loss is told by this rule, so that dropped-object need not.
pub(super) fn tells(context: &StepContext, subject: &Subject, findings: &[Finding]) -> bool {
    if taken_data(context).iter().any(|(taken, _)| taken == subject) {
        return true;
    }
    let own = |finding: &&Finding| *finding.rule == RULE && context.step.span().contains(finding.span);
    let mut own = findings.iter().filter(own).peekable();
    let drops_schema = matches!(context.change(), Some(Change::Drop(drop)) if drop.kind == ObjectKind::Schema);
    if drops_schema && own.peek().is_some() {
        return true;
    }
    let object = match subject {
        Subject::Relation(id) => context.run.before.relation(*id).map(|it| PrintedName::from(&it.name)),
        Subject::Column(id, column) => context.run.before.relation(*id).and_then(|relation| {
            relation.column_by_id(*column).map(|column| PrintedName::part(&relation.name, &column.name))
        }),
        Subject::Schema(name) => Some(PrintedName::from(name)),
        _ => None,
    };
    own.any(|finding| finding.object == object)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Severity;
    use crate::rules::Example;

    fn severity(migration: &'static str) -> Option<Severity> {
        let given = "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int);";
        let (report, _) = RULE.judge(&Example { given, migration });
        report.findings.iter().find(|finding| *finding.rule == RULE).map(|finding| finding.severity)
    }

    #[test]
    fn a_column_that_another_takes_the_place_of() {
        let swap = "BEGIN; ALTER TABLE t DROP COLUMN a; ALTER TABLE t RENAME COLUMN b TO a; COMMIT;";
        assert_eq!(severity(swap), Some(Severity::Warning));
        let anew = "ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD COLUMN a text;";
        assert_eq!(severity(anew), Some(Severity::Error));
        let other = "ALTER TABLE t DROP COLUMN a; ALTER TABLE t RENAME COLUMN b TO c;";
        assert_eq!(severity(other), Some(Severity::Error));
    }
}
