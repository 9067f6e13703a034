//! What is made first.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::super::catalog::{Catalog, Identity, Node, Oid};

pub(super) fn by_name(one: &Identity, other: &Identity) -> Ordering {
    (&one.schema, &one.name).cmp(&(&other.schema, &other.name))
}

/// Types, relations and routines so that each comes behind what it needs: otherwise by kind, then by name. What needs itself, by
/// whatever way round, comes where it is first asked for.
pub(super) fn in_order(catalog: &Catalog) -> Vec<Node> {
    let mut visit = Visit { catalog, seen: HashSet::new(), order: Vec::new() };
    for node in roots(catalog) {
        visit.node(node);
    }
    visit.order
}

fn roots(catalog: &Catalog) -> Vec<Node> {
    let mut all: Vec<(u8, &Identity, Node)> = Vec::new();
    all.extend(catalog.types.iter().map(|(oid, it)| (0, &it.identity, Node::Type(*oid))));
    for (oid, relation) in &catalog.relations {
        let rank = match relation.kind {
            'S' => 1,
            'r' | 'p' | 'f' => 2,
            'v' | 'm' => 4,
            // The columns of composite types are with the type.
            _ => continue,
        };
        all.push((rank, &relation.identity, Node::Relation(*oid)));
    }
    all.extend(catalog.routines.iter().map(|(oid, it)| (3, &it.identity, Node::Routine(*oid))));
    all.extend(catalog.aggregates.iter().map(|(oid, it)| (3, &it.identity, Node::Routine(*oid))));
    all.sort_by(|(rank, one, node), (other_rank, other, other_node)| {
        rank.cmp(other_rank).then_with(|| by_name(one, other)).then_with(|| node.cmp(other_node))
    });
    all.into_iter().map(|(_, _, node)| node).collect()
}

struct Visit<'c> {
    catalog: &'c Catalog,
    seen: HashSet<Node>,
    order: Vec<Node>,
}

impl Visit<'_> {
    /// Without recursion: a chain of views can be long.
    fn node(&mut self, start: Node) {
        let mut stack = vec![(start, 0)];
        if !self.seen.insert(start) {
            return;
        }
        while let Some((node, next)) = stack.pop() {
            match self.needed(node, next) {
                Some(needed) => {
                    stack.push((node, next + 1));
                    if self.exists(needed) && self.seen.insert(needed) {
                        stack.push((needed, 0));
                    }
                }
                None => self.order.push(node),
            }
        }
    }

    /// What a node needs, one after the other.
    fn needed(&self, node: Node, at: usize) -> Option<Node> {
        let parents: &[Oid] = match node {
            Node::Relation(oid) => self.catalog.relations.get(&oid).map(|it| it.parents.as_slice()).unwrap_or_default(),
            // The columns of a composite type depend as a relation does.
            Node::Type(_) | Node::Routine(_) => &[],
        };
        if let Some(parent) = parents.get(at) {
            return Some(Node::Relation(*parent));
        }
        let at = at - parents.len();
        let own = self.catalog.dependencies.get(&node).map(Vec::as_slice).unwrap_or_default();
        if let Some(needed) = own.get(at) {
            return Some(*needed);
        }
        let Node::Type(oid) = node else { return None };
        let super::super::catalog::TypeKind::Composite(relation) = self.catalog.types.get(&oid)?.kind else {
            return None;
        };
        self.catalog.dependencies.get(&Node::Relation(relation))?.get(at - own.len()).copied()
    }

    fn exists(&self, node: Node) -> bool {
        match node {
            Node::Type(oid) => self.catalog.types.contains_key(&oid),
            Node::Relation(oid) => self.catalog.relations.get(&oid).is_some_and(|it| it.kind != 'c'),
            Node::Routine(oid) => {
                self.catalog.routines.contains_key(&oid) || self.catalog.aggregates.contains_key(&oid)
            }
        }
    }
}
