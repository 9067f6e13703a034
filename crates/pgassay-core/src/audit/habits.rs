//! What a schema does everywhere is said once.
//!
//! In: the discoveries of all rules. Out: the same, with those that say the same of more than a few tables put into one: infos, and
//! whatever the rule itself calls a habit. Other warnings stay single: each has its own harm.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Advice, Confidence, Evidence, Severity};
use crate::rules::schema::{Discovery, SchemaContext};
use crate::schema::RelationId;

/// What more tables than this have is a habit.
const HABIT: usize = 5;

/// Objects that the finding of a habit names.
const SHOWN: usize = 6;

/// By the rule, and by what is said without the names.
type Key = (&'static str, String);

pub fn fold(context: &SchemaContext, found: Vec<Discovery>) -> Vec<Discovery> {
    let mut tables: BTreeMap<Key, BTreeSet<RelationId>> = BTreeMap::new();
    for discovery in &found {
        if let (Some(key), Some(table)) = (key(context, discovery), discovery.table) {
            tables.entry(key).or_default().insert(table);
        }
    }
    tables.retain(|_, tables| tables.len() > HABIT);
    if tables.is_empty() {
        return found;
    }
    let mut folded: Vec<Discovery> = Vec::with_capacity(found.len());
    let mut habits: BTreeMap<Key, (usize, Vec<String>)> = BTreeMap::new();
    for discovery in found {
        let Some(key) = key(context, &discovery).filter(|key| tables.contains_key(key)) else {
            folded.push(discovery);
            continue;
        };
        let object = discovery.finding.object.as_deref().unwrap_or_default().to_owned();
        match habits.get_mut(&key) {
            Some((at, objects)) => {
                objects.push(object);
                if objects.len() <= SHOWN {
                    folded[*at].related.push((discovery.subject, String::new()));
                }
            }
            None => {
                habits.insert(key, (folded.len(), vec![object]));
                folded.push(discovery);
            }
        }
    }
    for (key, (at, objects)) in habits {
        let tables = tables.get(&key).map_or(0, BTreeSet::len);
        tell(&mut folded[at], &key.1, &objects, tables);
    }
    folded
}

/// What is said, with an ellipsis for what it is said of; none for what is never put together.
fn key(context: &SchemaContext, discovery: &Discovery) -> Option<Key> {
    let finding = &discovery.finding;
    if discovery.habit.is_none() && (finding.severity != Severity::Info || discovery.group.is_some()) {
        return None;
    }
    let relation = context.schema.relation(discovery.table?)?;
    if context.area(relation).is_some_and(|area| area.is_protected()) {
        return None;
    }
    if let Some(habit) = &discovery.habit {
        return Some((finding.rule.name, habit.clone()));
    }
    let object = finding.object.as_deref()?;
    let mut said = finding.message.clone();
    // Numbers differ from table to table where the reason does not.
    said = said.replace(&relation.name.to_string(), "…");
    // The column stays: a column of one name is declared in one way.
    let part = object.strip_prefix(&relation.name.to_string()).unwrap_or_default().trim_start_matches('.');
    if part.is_empty() {
        said = said.replace(object, "…");
    }
    Some((finding.rule.name, said))
}

fn tell(head: &mut Discovery, said: &str, objects: &[String], tables: usize) {
    let shown = objects.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = if objects.len() > SHOWN { " …" } else { "" };
    let finding = &mut head.finding;
    let rule = finding.rule;
    finding.message = format!("in {tables} tables: {}", said.trim_start_matches("…."));
    finding.evidence.insert(0, Evidence::declared(format!("{shown}{more}")));
    finding.confidence = finding.confidence.map(|confidence| confidence.min(Confidence::Medium));
    finding.object = None;
    let text = std::mem::take(&mut finding.advice.text);
    let text = text.trim_end().trim_end_matches([':', '.']);
    finding.advice = Advice::text(format!("{text}. audit --rule {rule} lists each with its steps."));
    head.table = None;
}
