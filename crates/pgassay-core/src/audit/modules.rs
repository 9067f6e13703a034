//! Which tables belong together: a proposal for `[modules]`, and a picture of who uses whom.
//!
//! Foreign keys, first words of names, schemas and queries that name two tables tie tables together; what hangs together more than
//! chance would have it is a module (greedy modularity: Clauset, Newman and Moore 2004). A table that a quarter of the others reference is
//! everybody's, and is left out of the sum.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::area::Modules;
use crate::change::QualifiedName;
use crate::schema::{RelationId, Schema};
use crate::text::words;

/// Tables that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposed {
    pub name: String,
    pub tables: Vec<QualifiedName>,
}

/// A partition of the tables of a schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    pub modules: Vec<Proposed>,
    /// Everybody's tables.
    pub shared: Vec<QualifiedName>,
    /// How much more is tied within the modules than chance would tie: 0 nothing, from 0.3 on something, over 0.6 much.
    pub strength: f64,
    /// Foreign keys by the modules that they start at and lead to.
    pub uses: BTreeMap<(String, String), usize>,
}

/// Everybody's: so many of the others reference it, and not fewer than this.
const SHARED_FROM: usize = 6;

/// `compared` are the columns that each statement of a workload compares, by printed name.
pub fn propose(schema: &Schema, compared: &[BTreeSet<String>]) -> Proposal {
    let tables: Vec<RelationId> = schema
        .relations
        .values()
        .filter(|it| it.is_table() && !it.is_partition() && it.name.schema != "pg_temp")
        .map(|it| it.id)
        .collect();
    let hubs: BTreeSet<RelationId> = tables
        .iter()
        .copied()
        .filter(|id| {
            let by = schema.relation(*id).map_or(0, |it| it.referenced_by.len());
            by >= SHARED_FROM && by * 4 >= tables.len()
        })
        .collect();
    let nodes: Vec<RelationId> = tables.iter().copied().filter(|id| !hubs.contains(id)).collect();
    let edges = edges(schema, compared, &nodes);
    let (community, strength) = cluster(nodes.len(), &edges);
    let mut groups: BTreeMap<usize, Vec<RelationId>> = BTreeMap::new();
    for (node, group) in community.iter().enumerate() {
        groups.entry(*group).or_default().push(nodes[node]);
    }
    let mut modules: Vec<Proposed> = Vec::new();
    let mut alone: Vec<QualifiedName> = Vec::new();
    let mut groups: Vec<Vec<RelationId>> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    for group in groups {
        let names: Vec<QualifiedName> =
            group.iter().filter_map(|id| Some(schema.relation(*id)?.name.clone())).collect();
        if names.len() == 1 {
            alone.extend(names);
            continue;
        }
        let name = name_of(&names, &modules);
        modules.push(Proposed { name, tables: names });
    }
    if !alone.is_empty() {
        modules.push(Proposed { name: "rest".to_owned(), tables: alone });
    }
    modules.iter_mut().for_each(|module| module.tables.sort());
    let shared = hubs.iter().filter_map(|id| Some(schema.relation(*id)?.name.clone())).collect();
    let of = |name: &QualifiedName| {
        modules.iter().find(|module| module.tables.contains(name)).map_or("shared".to_owned(), |it| it.name.clone())
    };
    let uses = uses(schema, of);
    Proposal { modules, shared, strength, uses }
}

fn uses(schema: &Schema, of: impl Fn(&QualifiedName) -> String) -> BTreeMap<(String, String), usize> {
    let mut uses: BTreeMap<(String, String), usize> = BTreeMap::new();
    for table in schema.relations.values().filter(|it| it.is_table() && !it.is_partition()) {
        for (_, key) in table.foreign_keys() {
            let Some(parent) = schema.relation(key.referenced) else { continue };
            *uses.entry((of(&table.name), of(&parent.name))).or_default() += 1;
        }
    }
    uses
}

/// What ties two tables together, by their numbers in the list.
fn edges(schema: &Schema, compared: &[BTreeSet<String>], nodes: &[RelationId]) -> BTreeMap<(usize, usize), f64> {
    let number: BTreeMap<RelationId, usize> = nodes.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let mut edges: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    let mut tie = |one: usize, other: usize, weight: f64| {
        if one != other {
            *edges.entry((one.min(other), one.max(other))).or_default() += weight;
        }
    };
    let mut first_words: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut schemas: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, id) in nodes.iter().enumerate() {
        let Some(table) = schema.relation(*id) else { continue };
        for (_, key) in table.foreign_keys() {
            if let Some(other) = number.get(&key.referenced) {
                tie(at, *other, 2.0);
            }
        }
        let words = words::words(table.name.name.as_str());
        if let Some(first) = words.first() {
            first_words.entry(words::singular(first).into_owned()).or_default().push(at);
        }
        schemas.entry(table.name.schema.to_string()).or_default().push(at);
    }
    let several = schemas.len() > 1;
    let same_word = first_words.into_values().filter(|group| group.len() * 2 <= nodes.len());
    for group in same_word.chain(schemas.into_values().filter(|_| several)) {
        // Each with the next: a chain ties as well as every pair, and costs less.
        group.windows(2).for_each(|pair| tie(pair[0], pair[1], 1.0));
    }
    for columns in compared {
        let tables: BTreeSet<usize> = columns
            .iter()
            .filter_map(|column| column.rsplit_once('.'))
            .filter_map(|(table, _)| table.parse::<QualifiedName>().ok())
            .filter_map(|name| number.get(&schema.relation_at(&name)?.id).copied())
            .collect();
        let tables: Vec<usize> = tables.into_iter().collect();
        tables.windows(2).for_each(|pair| tie(pair[0], pair[1], 0.5));
    }
    edges
}

/// The group of each node, and the modularity of the whole.
fn cluster(nodes: usize, edges: &BTreeMap<(usize, usize), f64>) -> (Vec<usize>, f64) {
    let total: f64 = edges.values().sum();
    let mut group: Vec<usize> = (0..nodes).collect();
    if total == 0.0 {
        return (group, 0.0);
    }
    let mut degree = vec![0.0; nodes];
    let mut between: Vec<BTreeMap<usize, f64>> = vec![BTreeMap::new(); nodes];
    for ((one, other), weight) in edges {
        degree[*one] += weight;
        degree[*other] += weight;
        *between[*one].entry(*other).or_default() += weight;
        *between[*other].entry(*one).or_default() += weight;
    }
    let mut inside = vec![0.0; nodes];
    loop {
        let mut best: Option<(f64, usize, usize)> = None;
        for (one, others) in between.iter().enumerate() {
            for (other, weight) in others.range(one + 1..) {
                let gain = weight / total - degree[one] * degree[*other] / (2.0 * total * total);
                if gain > 1e-9 && best.is_none_or(|(most, ..)| gain > most) {
                    best = Some((gain, one, *other));
                }
            }
        }
        let Some((_, one, other)) = best else { break };
        let moved = std::mem::take(&mut between[other]);
        for (third, weight) in moved {
            if third == one {
                inside[one] += weight;
                between[one].remove(&other);
                continue;
            }
            between[third].remove(&other);
            *between[third].entry(one).or_default() += weight;
            *between[one].entry(third).or_default() += weight;
        }
        inside[one] += inside[other];
        inside[other] = 0.0;
        degree[one] += degree[other];
        degree[other] = 0.0;
        group.iter_mut().filter(|of| **of == other).for_each(|of| *of = one);
    }
    let strength = (0..nodes).map(|at| inside[at] / total - (degree[at] / (2.0 * total)).powi(2)).sum();
    (group, strength)
}

/// The word that most of the names begin with, or the schema; none twice.
fn name_of(tables: &[QualifiedName], taken: &[Proposed]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for table in tables {
        let words = words::words(table.name.as_str());
        if let Some(first) = words.first() {
            *counts.entry(words::singular(first).into_owned()).or_default() += 1;
        }
        if table.schema != "public" {
            *counts.entry(table.schema.to_string()).or_default() += 1;
        }
    }
    let mut names: Vec<(usize, String)> = counts.into_iter().map(|(name, count)| (count, name)).collect();
    names.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
    let free = names.into_iter().map(|(_, name)| name).find(|name| !taken.iter().any(|it| it.name == *name));
    free.unwrap_or_else(|| format!("module{}", taken.len() + 1))
}

impl Proposal {
    /// As pgassay.toml would have it, with what it rests on as comments.
    pub fn to_toml(&self) -> String {
        let tables: usize = self.modules.iter().map(|module| module.tables.len()).sum::<usize>() + self.shared.len();
        let within: usize = self.uses.iter().filter(|((from, to), _)| from == to).map(|(_, number)| number).sum();
        let all: usize = self.uses.values().sum();
        let holds = match self.strength {
            s if s >= 0.6 => "holds strongly: little crosses its borders",
            s if s >= 0.3 => "holds fairly: look at what crosses its borders",
            _ => "hardly holds: the tables hang together as one, and any border is arbitrary",
        };
        let mut text = format!(
            "# A proposal for {tables} tables, by foreign keys, names, schemas and queries. It {holds}\n# (modularity {:.2}; {within} of {all} foreign keys stay within a module).\n",
            self.strength
        );
        let list = |tables: &[QualifiedName]| {
            let names: Vec<String> = tables
                .iter()
                .map(|name| {
                    serde_json::Value::String(format!(
                        "{}.{}",
                        glob::Pattern::escape(name.schema.as_str()),
                        glob::Pattern::escape(name.name.as_str())
                    ))
                    .to_string()
                })
                .collect();
            names.join(", ")
        };
        let may_use = |name: &str| -> String {
            let others: Vec<String> = self
                .uses
                .keys()
                .filter(|(from, to)| from == name && to != name)
                .map(|(_, to)| serde_json::Value::String(to.clone()).to_string())
                .collect();
            others.join(", ")
        };
        let key = |name: &str| match name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            true => name.to_owned(),
            false => serde_json::Value::String(name.to_owned()).to_string(),
        };
        for module in &self.modules {
            _ = write!(
                text,
                "\n[modules.{}]\ntables = [{}]\nmay-use = [{}]\n",
                key(&module.name),
                list(&module.tables),
                may_use(&module.name)
            );
        }
        if !self.shared.is_empty() {
            _ = write!(
                text,
                "\n[modules.shared]\ntables = [{}]\nmay-use = [{}]\n",
                list(&self.shared),
                may_use("shared")
            );
        }
        text
    }
}

/// Who uses whom, by the modules of the configuration: a line for each pair, what is not allowed marked.
pub fn picture(schema: &Schema, modules: &Modules) -> String {
    let of = |name: &QualifiedName| modules.of(name).map_or("(no module)".to_owned(), |module| module.name.clone());
    let uses = uses(schema, of);
    let allowed = |from: &str, to: &str| {
        let find = |name: &str| modules.all.iter().find(|module| module.name == name);
        match (find(from), find(to)) {
            (Some(from), Some(to)) => from.may_use(to),
            _ => true,
        }
    };
    let widest = uses.keys().flat_map(|(from, to)| [from.len(), to.len()]).max().unwrap_or(0);
    let mut text = String::new();
    for ((from, to), number) in &uses {
        let mark = if allowed(from, to) { "" } else { "   not allowed" };
        let keys = if *number == 1 { "foreign key" } else { "foreign keys" };
        _ = writeln!(text, "{from:<widest$} → {to:<widest$} {number:>5} {keys}{mark}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_cliques_with_one_tie_are_two_groups() {
        let mut edges = BTreeMap::new();
        for group in [[0, 1, 2, 3], [4, 5, 6, 7]] {
            for one in group {
                for other in group {
                    if one < other {
                        edges.insert((one, other), 1.0);
                    }
                }
            }
        }
        edges.insert((3, 4), 1.0);
        let (group, strength) = cluster(8, &edges);
        assert!(
            group[..4].iter().all(|it| *it == group[0]) && group[4..].iter().all(|it| *it == group[4]),
            "{group:?}"
        );
        assert!(group[0] != group[4] && (0.4..0.5).contains(&strength), "{strength}");
    }

    #[test]
    fn nothing_that_ties_is_no_module() {
        assert_eq!(cluster(3, &BTreeMap::new()), (vec![0, 1, 2], 0.0));
    }
}
