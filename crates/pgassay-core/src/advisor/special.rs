//! Candidates other than plain B-trees.
//!
//! Which access method and operator class serve an operator is told by the server's catalog (pg_amop), so that extensions count as what is built in.

use super::atom::{Atom, Use};
use super::definition::{Definition, Key, Method};
use super::tables::{ColumnInfo, Operator, TableInfo, Tables};
use crate::change::QualifiedName;

/// A B-tree takes no key above a third of a page (BTMaxItemSize); statistics keep no value above 1 kB, so what is seen near that stands for longer ones.
const LONG: f64 = 512.0;
const LONG_ON_AVERAGE: f64 = 200.0;

/// What is asked of one table.
pub(super) struct Asked<'a> {
    pub table: &'a QualifiedName,
    pub info: &'a TableInfo,
    pub atoms: &'a [Atom],
    /// Distances that rows are ordered by.
    pub distances: &'a [Atom],
}

impl Asked<'_> {
    pub fn candidates(&self, tables: &Tables) -> Vec<Definition> {
        let mut found = Vec::new();
        for atom in self.atoms {
            match atom.usage {
                Use::Prefix => found.extend(self.prefix(atom)),
                Use::Range => found.extend(self.summary(atom)),
                Use::Equal if self.column(atom).is_some_and(is_long) => found.push(self.hash(atom)),
                _ => {}
            }
            if matches!(atom.usage, Use::Operator | Use::Pattern | Use::Prefix) {
                found.extend(self.by_catalog(atom, false, tables));
            }
        }
        for atom in self.distances {
            found.extend(self.by_catalog(atom, true, tables));
        }
        found
    }

    fn column(&self, atom: &Atom) -> Option<&ColumnInfo> {
        self.info.columns.get(atom.column.as_deref()?)
    }

    fn of(&self, method: Method, keys: Vec<Key>) -> Definition {
        Definition { method, ..Definition::btree(self.table.clone(), keys) }
    }

    fn prefix(&self, atom: &Atom) -> Option<Definition> {
        let column = self.column(atom);
        let mut key = Key::plain(atom.key.clone(), atom.column.clone());
        let data_type = column.map(|it| it.data_type.as_str()).unwrap_or_default();
        if !column.is_some_and(|it| it.c_collation) {
            let class = if data_type.starts_with("character varying") { "varchar" } else { "text" };
            key.operator_class = Some(format!("{class}_pattern_ops"));
        }
        Some(self.of(Method::BTree, vec![key]))
    }

    /// A range of what came in order: a summary of the pages is enough.
    fn summary(&self, atom: &Atom) -> Option<Definition> {
        let ordered = self.column(atom).is_some_and(|it| it.correlation.abs() > 0.95) && self.info.pages > 1000;
        ordered.then(|| self.of(Method::Brin, vec![Key::plain(atom.key.clone(), atom.column.clone())]))
    }

    fn hash(&self, atom: &Atom) -> Definition {
        self.of(Method::Hash, vec![Key::plain(atom.key.clone(), atom.column.clone())])
    }

    /// Indexes of every access method whose classes serve the operator; with the scalars beside it that are compared for equality, where the
    /// method has a class for them too (btree_gist, btree_gin).
    fn by_catalog(&self, atom: &Atom, orders: bool, tables: &Tables) -> Vec<Definition> {
        let column = self.column(atom);
        let serving = |it: &&Operator| it.orders == orders && it.is(&atom.operator, atom.commuted, column);
        let serving: Vec<&Operator> = tables.operators.iter().filter(serving).collect();
        let has = |method: &str| serving.iter().any(|it| it.method == method);
        let mut found = Vec::new();
        for operator in &serving {
            let method = match operator.method.as_str() {
                "gin" => Method::Gin,
                // Trigrams of patterns: GIN is smaller and faster, but for distances.
                "gist" if !(atom.usage == Use::Pattern && has("gin")) => Method::Gist,
                "spgist" if !has("gist") && !has("gin") => Method::Spgist,
                _ => continue,
            };
            let class = (!operator.default).then(|| operator.class.clone());
            let key = Key { operator_class: class, ..Key::plain(atom.key.clone(), atom.column.clone()) };
            let scalars = if method == Method::Spgist { Vec::new() } else { self.scalars(method, tables) };
            if !scalars.is_empty() {
                found.push(self.of(method, scalars.into_iter().chain([key.clone()]).collect()));
            }
            found.push(self.of(method, vec![key]));
        }
        found
    }

    /// Columns compared for equality that the method has a class for.
    fn scalars(&self, method: Method, tables: &Tables) -> Vec<Key> {
        let mut keys: Vec<Key> = Vec::new();
        for atom in self.atoms.iter().filter(|atom| atom.usage == Use::Equal && !atom.list) {
            let served = self.column(atom).is_some_and(|column| {
                tables
                    .operators
                    .iter()
                    .any(|it| it.method == method.name() && it.default && it.name == "=" && it.takes(column))
            });
            let key = Key::plain(atom.key.clone(), atom.column.clone());
            if served && !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys.truncate(2);
        keys
    }
}

/// Values that may not fit into a B-tree.
pub(super) fn is_long(column: &ColumnInfo) -> bool {
    column.longest.is_some_and(|longest| longest >= LONG || column.width >= LONG_ON_AVERAGE)
}
