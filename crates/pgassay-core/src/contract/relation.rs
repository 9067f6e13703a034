//! Relations whose name is gone, or means something else.

use imbl::ordmap::DiffItem;

use super::pair::Pair;
use super::witness::{differs, refused};
use super::{
    Breakage, BreakageKind, Context, Subject, certain, column, constraint, foreign_key, guard, policy_recursion,
    possible, privilege, row_security, trigger_work, unique, view, view_security,
};
use crate::change::Persistence;
use crate::schema::{Relation, RelationId, RelationKind, Sequence};
use crate::text::quoting;

pub(super) fn diff(context: &Context, found: &mut Vec<Breakage>) {
    let start = found.len();
    for item in context.before.relations.diff(&context.after.relations) {
        let old = match item {
            DiffItem::Add(_, new) => {
                // What took over a name is told of the name.
                if context.before.relation_at(&new.name).is_none() {
                    found.extend(view_security::exposed_by(context, new));
                }
                continue;
            }
            DiffItem::Update { old: (_, old), .. } | DiffItem::Remove(_, old) => old,
        };
        relation(context, old, found);
    }
    forget_inherited(context, start, found);
}

#[deny(clippy::wildcard_enum_match_arm, reason = "a new kind of relation says what clients have of it")]
fn relation(context: &Context, old: &Relation, found: &mut Vec<Breakage>) {
    let temporary = old.persistence == Persistence::Temporary || old.name.schema == "pg_temp";
    if temporary || context.namespace_is_gone(&old.name.schema) {
        return;
    }
    match &old.kind {
        // What an index does for clients is told of its table.
        RelationKind::Index(_) => return,
        RelationKind::Sequence(sequence) => {
            found.extend(lost_sequence(context, old, sequence));
            if let Some(new) = context.after.relation_at(&old.name).filter(|new| new.id == old.id) {
                privilege::of_relation(Pair { context, old, new }, found);
            }
            return;
        }
        RelationKind::Table
        | RelationKind::PartitionedTable(_)
        | RelationKind::ForeignTable
        | RelationKind::View(_)
        | RelationKind::MaterializedView(_) => {}
    }
    match context.after.relation_at(&old.name) {
        Some(new) if new.is_queryable() => same_name(Pair { context, old, new }, found),
        Some(_) | None => found.extend(gone(context, old)),
    }
}

/// The name still leads somewhere: to the same relation, or to one that took its place.
fn same_name(pair: Pair, found: &mut Vec<Breakage>) {
    found.extend(swapped(pair));
    found.extend(view::writes_refused(pair));
    found.extend(view::rows_changed(pair));
    found.extend(view::unpopulated(pair));
    found.extend(view::lost_refresh(pair));
    found.extend(detached(pair));
    found.extend(disinherited(pair));
    found.extend(no_default_partition(pair));
    column::diff(pair, found);
    if pair.new.is_table() && pair.old.is_table() {
        constraint::diff(pair, found);
        unique::diff(pair, found);
        foreign_key::diff(pair, found);
        guard::diff(pair, found);
        trigger_work::diff(pair, found);
        row_security::diff(pair, found);
        found.extend(policy_recursion::begun(pair));
    }
    found.extend(view_security::took_place(pair));
    view_security::diff(pair, found);
    privilege::of_relation(pair, found);
    privilege::of_defaults(pair, found);
}

/// Another table took the name, and the old one lives on: what refers to it goes with it.
fn swapped(pair: Pair) -> Option<Breakage> {
    let Pair { context, old, new } = pair;
    let kept = context.after.relation(old.id).filter(|kept| kept.id != new.id && kept.is_table() && new.is_table())?;
    let reads_old = |view: &Relation| view.as_view().is_some_and(|it| it.uses.iter().any(|(id, _)| *id == old.id));
    let keys = kept.referenced_by.iter().filter(|id| **id != old.id && **id != new.id);
    let keys = keys.filter_map(|id| context.after.relation(*id)).map(|it| format!("foreign keys of {}", it.name));
    let views = context.after.relations.values().filter(|it| reads_old(it));
    let views = views.map(|it| format!("{} {}", it.noun(), it.name));
    let referring: Vec<String> = keys.chain(views).collect();
    // A table that another took the place of keeps what is written until then, unless a trigger writes it to both.
    let before = context.before.relation(new.id);
    let synced = before.is_none_or(|twin| {
        let functions = old.triggers.iter().filter_map(|trigger| context.before.routines.get(&trigger.function?));
        functions.into_iter().any(|routine| trigger_work::may_write(routine, twin))
    });
    let mut stays = Vec::new();
    if !referring.is_empty() {
        stays.push(format!("{} still refer to the old one", referring.join(", ")));
    }
    if !synced {
        stays.push("rows written after they were copied are in the old one only".to_owned());
    }
    if stays.is_empty() {
        return None;
    }
    Some(possible(
        BreakageKind::RelationRenamed,
        Subject::Relation(new.id),
        &old.name,
        format!(
            "{} is another table now, and the old one is called {}: {}",
            old.name,
            kept.name.name,
            stays.join("; ")
        ),
        differs(format!("SELECT * FROM {} LIMIT 1", old.name), "answers rows of the other table"),
    ))
}

fn gone(context: &Context, old: &Relation) -> Option<Breakage> {
    let subject = Subject::Relation(old.id);
    let noun = old.noun();
    let witness = refused(format!("SELECT * FROM {} LIMIT 1", old.name), "42P01", missing(old));
    let Some(new) = context.after.relation(old.id) else { return dropped(context, old) };
    Some(if new.name.schema != old.name.schema {
        certain(
            BreakageKind::RelationMoved,
            subject,
            &old.name,
            format!(
                "{noun} {} is now {}: statements that name the old schema fail, and without a schema it is found only if the \
                 search_path lists {}",
                old.name, new.name, new.name.schema
            ),
            witness,
        )
    } else {
        certain(
            BreakageKind::RelationRenamed,
            subject,
            &old.name,
            format!(
                "{noun} {} is now called {}: every statement that uses the old name fails",
                old.name, new.name.name
            ),
            witness,
        )
    })
}

/// `relation "public.t" does not exist`, as parser/parse_relation.c says it.
fn missing(old: &Relation) -> String {
    format!("relation \"{}.{}\" does not exist", old.name.schema.as_str(), old.name.name.as_str())
}

fn dropped(context: &Context, old: &Relation) -> Option<Breakage> {
    let subject = Subject::Relation(old.id);
    let witness = refused(format!("SELECT * FROM {} LIMIT 1", old.name), "42P01", missing(old));
    let Some(parent) = parent_before(context, old) else {
        let message = format!("{} {} is gone: every statement that uses it fails", old.noun(), old.name);
        return Some(certain(BreakageKind::RelationDropped, subject, &old.name, message, witness));
    };
    // With its parent gone too, the parent's breakage says it.
    let parent = context.after.relation(parent.id)?;
    let message = format!("partition {} is gone: queries on {} no longer find its rows", old.name, parent.name);
    Some(possible(BreakageKind::RelationDropped, subject, &old.name, message, witness))
}

fn parent_before<'a>(context: &'a Context, old: &Relation) -> Option<&'a Relation> {
    old.bound.as_ref()?;
    old.parents.iter().find_map(|id| context.before.relation(*id)).map(|parent| &**parent)
}

fn detached(pair: Pair) -> Option<Breakage> {
    let parent = parent_before(pair.context, pair.old)?;
    let parent = pair.context.after.relation(parent.id)?;
    if pair.new.parents.contains(&parent.id) {
        return None;
    }
    Some(certain(
        BreakageKind::PartitionDetached,
        Subject::Relation(pair.new.id),
        &pair.old.name,
        format!(
            "{} is no longer a partition of {}: queries on {} do not find its rows, and rows for it are refused or go to the default partition",
            pair.old.name, parent.name, parent.name
        ),
        differs(
            format!(
                "SELECT count(*) FROM {} WHERE tableoid = {}::regclass",
                parent.name,
                quoting::literal(&pair.old.name.to_string())
            ),
            format!("answers 0: the rows of {} are not there", pair.old.name),
        ),
    ))
}

/// The default partition took what no other does; it has a bound now, or another parent.
fn no_default_partition(pair: Pair) -> Option<Breakage> {
    let Pair { context, old, new } = pair;
    let default = |relation: &Relation| relation.bounds.as_deref().and_then(|bounds| bounds.default_partition());
    let was = context.before.relation(default(old)?)?;
    // Without its partition, or the parent's bound, the loss of that one is reported.
    let now = context.after.relation(was.id)?;
    if default(new).is_some() || !now.parents.contains(&new.id) {
        return None;
    }
    Some(certain(
        BreakageKind::CheckAdded,
        Subject::Relation(was.id),
        &old.name,
        format!(
            "{} has no default partition any more ({} has a bound now): INSERTs of rows that no partition takes fail",
            old.name, now.name
        ),
        differs(
            format!(
                "SELECT partdefid::regclass FROM pg_partitioned_table WHERE partrelid = {}::regclass",
                quoting::literal(&old.name.to_string())
            ),
            "answers none",
        ),
    ))
}

/// A child by inheritance whose rows its parent does not show any more.
fn disinherited(pair: Pair) -> Option<Breakage> {
    let Pair { context, old, new } = pair;
    if old.bound.is_some() {
        return None;
    }
    let left = |id: &&RelationId| !new.parents.contains(*id) && context.after.relation(**id).is_some();
    let parent = context.before.relation(*old.parents.iter().find(left)?)?;
    Some(certain(
        BreakageKind::PartitionDetached,
        Subject::Relation(new.id),
        &old.name,
        format!(
            "{} no longer inherits from {}: queries on {} do not find its rows, and writes on it pass them by",
            old.name, parent.name, parent.name
        ),
        differs(
            format!(
                "SELECT count(*) FROM {} WHERE tableoid = {}::regclass",
                parent.name,
                quoting::literal(&old.name.to_string())
            ),
            format!("answers 0: the rows of {} are not there", old.name),
        ),
    ))
}

/// A sequence is reached by `nextval('name')`; one that belongs to a column goes with it.
fn lost_sequence(context: &Context, old: &Relation, sequence: &Sequence) -> Option<Breakage> {
    if context.after.relation_at(&old.name).is_some() {
        return None;
    }
    let renamed = context.after.relation(old.id);
    if renamed.is_none() && (sequence.owned_by.is_some() || sequence.identity) {
        return None;
    }
    // That of an identity column moves along with its table.
    if sequence.identity && renamed.is_some_and(|new| new.name.schema != old.name.schema) {
        return None;
    }
    let witness =
        refused(format!("SELECT nextval({})", quoting::literal(&old.name.to_string())), "42P01", missing(old));
    let subject = Subject::Relation(old.id);
    let name = &old.name;
    let Some(new) = renamed else {
        let message = format!("sequence {name} is gone: nextval, currval and setval of it fail");
        return Some(certain(BreakageKind::RelationDropped, subject, name, message, witness));
    };
    let kind =
        if new.name.schema == old.name.schema { BreakageKind::RelationRenamed } else { BreakageKind::RelationMoved };
    let message = format!("sequence {name} is now {}: nextval, currval and setval by the old name fail", new.name);
    let build = if sequence.owned_by.is_some() || sequence.identity { possible } else { certain };
    Some(build(kind, subject, name, message, witness))
}

/// A change of a parent reaches its partitions and children: clients meet it once.
fn forget_inherited(context: &Context, start: usize, found: &mut Vec<Breakage>) {
    let told: Vec<(BreakageKind, Subject)> = found.iter().map(|it| (it.kind, it.subject.clone())).collect();
    let inherited = |breakage: &Breakage| {
        let (id, part) = match &breakage.subject {
            Subject::Column(id, column) => {
                let after = context.after.relation(*id).and_then(|it| it.column_by_id(*column));
                let column = after.or_else(|| context.before.relation(*id).and_then(|it| it.column_by_id(*column)));
                (*id, column.map(|column| column.name.clone()))
            }
            Subject::Part(id, name) => (*id, Some(name.clone())),
            Subject::Relation(_) | Subject::Type(_) | Subject::Routine(_) | Subject::Schema(_) => return false,
        };
        let parents = context.after.relation(id).map(|it| it.parents.clone()).unwrap_or_default();
        parents.iter().any(|parent| {
            told.iter().any(|(kind, subject)| {
                *kind == breakage.kind
                    && part.is_some()
                    && match subject {
                        Subject::Column(id, column) => {
                            id == parent && {
                                let after = context.after.relation(*id).and_then(|it| it.column_by_id(*column));
                                let before = || context.before.relation(*id).and_then(|it| it.column_by_id(*column));
                                after.or_else(before).map(|column| &column.name) == part.as_ref()
                            }
                        }
                        Subject::Part(id, name) => id == parent && Some(name) == part.as_ref(),
                        Subject::Relation(_) | Subject::Type(_) | Subject::Routine(_) | Subject::Schema(_) => false,
                    }
            })
        })
    };
    let keep: Vec<bool> = found.iter().enumerate().map(|(at, it)| at < start || !inherited(it)).collect();
    let mut keep = keep.into_iter();
    found.retain(|_| keep.next().unwrap_or(true));
}
