//! How often queries name a table: what waits behind a lock on it.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{Facts, Workload};
use crate::change::{Access, Change, ObjectName, QualifiedName, RelationUse};
use crate::schema::{RelationId, Schema, Session};
use crate::source::{FileId, SourceFile};
use crate::sql::read_script;

/// Calls a second of statements that name a relation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Calls {
    pub reads: f64,
    pub writes: f64,
    /// Counted by the tables' own counters, scans and changed rows, because the workload is not known.
    pub from_counters: bool,
}

impl Calls {
    pub fn total(&self) -> f64 {
        self.reads + self.writes
    }
}

/// What was counted for less than a minute counts as a minute's: so short a time gives no rate.
const SHORTEST_SECONDS: f64 = 60.0;

/// Calls of every relation that is named at all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Traffic {
    calls: BTreeMap<QualifiedName, Calls>,
    /// Nothing is known: neither queries nor counters with the time since when they count.
    pub unknown: bool,
}

impl Traffic {
    /// From the workload where there is one, else from the counters.
    pub fn of(workload: &Workload, facts: &Facts, schema: &Schema) -> Traffic {
        match workload.seconds() {
            Some(seconds) if !workload.statements.is_empty() => {
                from_workload(workload, seconds.max(SHORTEST_SECONDS), schema)
            }
            _ => from_counters(facts),
        }
    }

    /// `None` where nothing is known of any relation.
    pub fn calls(&self, relation: &QualifiedName) -> Option<Calls> {
        (!self.unknown).then(|| self.calls.get(relation).copied().unwrap_or_default())
    }
}

fn from_counters(facts: &Facts) -> Traffic {
    let Some(seconds) = facts.counting_seconds() else { return Traffic { unknown: true, ..Traffic::default() } };
    let seconds = seconds.max(SHORTEST_SECONDS);
    let counted = facts.relations.iter().filter_map(|(name, relation)| Some((name, relation.activity.as_ref()?)));
    let calls = counted.map(|(name, activity)| {
        let (reads, writes) = (activity.scans() as f64 / seconds, activity.writes() as f64 / seconds);
        (name.clone(), Calls { reads, writes, from_counters: true })
    });
    Traffic { calls: calls.collect(), unknown: false }
}

fn from_workload(workload: &Workload, seconds: f64, schema: &Schema) -> Traffic {
    let named: Vec<(f64, Vec<(QualifiedName, bool)>)> = workload
        .statements
        .par_iter()
        .map(|statement| (statement.calls as f64 / seconds, relations_of(&statement.query, schema)))
        .collect();
    let mut traffic = Traffic::default();
    for (rate, relations) in named {
        for (name, writes) in relations {
            let calls = traffic.calls.entry(name).or_default();
            if writes { calls.writes += rate } else { calls.reads += rate }
        }
    }
    traffic
}

/// The tables that a query reads or writes, through views too, each once; the second is true for writing.
pub fn relations_of(query: &str, schema: &Schema) -> Vec<(QualifiedName, bool)> {
    let script = read_script(FileId(0), &SourceFile::new("query", query));
    let mut found: BTreeMap<QualifiedName, bool> = BTreeMap::new();
    for change in script.statements.iter().filter_map(|statement| statement.change.as_ref().ok()) {
        let (target, uses): (Option<&ObjectName>, &[RelationUse]) = match change {
            Change::Select(select) => (None, &select.uses),
            Change::Insert(insert) => (Some(&insert.table), &insert.uses),
            Change::Update(update) => (Some(&update.table), &update.uses),
            Change::Delete(delete) => (Some(&delete.table), &delete.uses),
            Change::Merge(merge) => (Some(&merge.table), &merge.uses),
            Change::Copy(copy) => (copy.table.as_ref(), &copy.uses),
            _ => continue,
        };
        let uses = uses.iter().map(|it| (&it.relation, it.access == Access::Write));
        for (name, writes) in uses.chain(target.map(|target| (target, true))) {
            add(name, writes, schema, &mut found);
        }
    }
    found.into_iter().collect()
}

fn add(name: &ObjectName, writes: bool, schema: &Schema, found: &mut BTreeMap<QualifiedName, bool>) {
    let Some(id) = resolve(name, schema) else { return };
    let (mut open, mut seen) = (vec![id], vec![id]);
    while let Some(id) = open.pop() {
        let Some(relation) = schema.relation(id) else { continue };
        *found.entry(relation.name.clone()).or_default() |= writes;
        for (used, _) in relation.as_view().map(|view| view.uses.as_slice()).unwrap_or_default() {
            if !seen.contains(used) {
                seen.push(*used);
                open.push(*used);
            }
        }
    }
}

/// The search_path of the client is not known: public first, then the only schema that has such a relation.
fn resolve(name: &ObjectName, schema: &Schema) -> Option<RelationId> {
    if let Some(found) = schema.find_relation(name, &Session::default()) {
        return Some(found.id);
    }
    if name.schema.is_some() {
        return None;
    }
    let mut candidates = schema.namespaces.keys().filter_map(|namespace| {
        schema.relation_at(&QualifiedName { schema: namespace.clone(), name: name.name.clone() })
    });
    let first = candidates.next()?;
    candidates.next().is_none().then_some(first.id)
}
