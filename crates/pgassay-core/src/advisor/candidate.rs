//! Candidates: the indexes that a plan could have used.

use std::collections::BTreeSet;

use super::atom::{self, Atom, Side, Use};
use super::definition::{Definition, Key};
use super::needed::{is_alone, needed, qualified};
use super::tables::{TableInfo, Tables};
use super::variant::overlaps;
use super::{redundant, special};
use crate::change::{Name, QualifiedName};
use crate::plan::node::{ConditionKind, KnownType};
use crate::plan::{Node, NodeId, Plan};

/// The most orders of keys that are tried for one scan.
const MOST: usize = 14;

/// A constant is one of the query's, not an example of many, if its column has no more values.
const FEW_VALUES: f64 = 10.0;
/// The share of a column's values that a partial index is restricted to at most: more leave too little out.
const RARE: f64 = 0.34;
/// Of the most common value: with this share of the rows an index is worth having without it.
const MOST_ROWS: f64 = 0.5;

/// Columns that an index may carry for the sake of reading no table.
const MOST_INCLUDED: usize = 3;
const WIDEST_INCLUDED: f64 = 64.0;

/// Candidates for every scan of a plan on a table of so many pages, each once. The plan must be of EXPLAIN VERBOSE.
pub fn candidates(plan: &Plan, tables: &Tables, smallest: u64) -> Vec<Definition> {
    let mut found = Vec::new();
    for id in plan.ids() {
        let Some(scan) = Scan::of(plan, id, tables) else { continue };
        if scan.info.pages < smallest || scan.finds_one_row() {
            continue;
        }
        for definition in scan.candidates(tables) {
            if !found.contains(&definition) {
                found.push(definition);
            }
        }
    }
    found
}

/// The table that a scan reads: of a partition, the table at the top.
pub(super) fn table_of<'t>(node: &Node, tables: &'t Tables) -> Option<(QualifiedName, &'t TableInfo)> {
    let name = QualifiedName::new(Name::new(node.schema.as_deref()?), Name::new(node.relation.as_deref()?));
    let (name, info) = tables.tables.get_key_value(&name)?;
    match info.root.as_ref().and_then(|root| tables.tables.get_key_value(root)) {
        Some((root, info)) => Some((root.clone(), info)),
        None => Some((name.clone(), info)),
    }
}

/// One scan of a table with what is asked of it.
struct Scan<'t> {
    name: QualifiedName,
    info: &'t TableInfo,
    /// Of the table itself, compared with constants and parameters.
    own: Vec<Atom>,
    /// Compared with other tables.
    joins: Vec<Atom>,
    /// Of conditions with OR, what each side asks.
    sides: Vec<Vec<Atom>>,
    sort: Vec<Key>,
    /// Of distances that rows are ordered by.
    distances: Vec<Atom>,
    /// Columns that are read; `None` if all are.
    needed: Option<BTreeSet<String>>,
    /// Run once for each row of a nested loop's outer side.
    nested: bool,
}

impl<'t> Scan<'t> {
    fn of(plan: &Plan, id: NodeId, tables: &'t Tables) -> Option<Scan<'t>> {
        let node = plan.node(id);
        let scans = [KnownType::SeqScan, KnownType::IndexScan, KnownType::IndexOnlyScan, KnownType::BitmapHeapScan];
        if !node.is_any(&scans) {
            return None;
        }
        let (name, info) = table_of(node, tables)?;
        let alias = node.reference()?;
        let (mut own, mut joins) = (Vec::new(), Vec::new());
        let mut take = |atoms: Vec<Atom>| {
            for atom in atoms {
                let into = if atom.join { &mut joins } else { &mut own };
                if !into.contains(&atom) {
                    into.push(atom);
                }
            }
        };
        // Partitions have aliases of their own; what stands above them names the table's.
        let mut aliases = vec![alias.to_owned()];
        if info.partitioned {
            aliases.extend(alias.rsplit_once('_').map(|(above, _)| above.to_owned()));
        }
        use ConditionKind::{Filter, Hash, Index, Join, Merge, Recheck};
        for condition in node.conditions.iter().filter(|it| matches!(it.kind, Filter | Index | Recheck)) {
            take(atom::atoms(&condition.text, alias, info));
        }
        let filters = node.conditions.iter().filter(|it| it.kind == Filter);
        let sides = filters.flat_map(|condition| atom::alternatives(&condition.text, alias, info)).collect();
        let mut sort = Vec::new();
        let mut distances: Vec<Atom> = Vec::new();
        let alone = is_alone(plan);
        for above in plan.ancestors(id) {
            let above = plan.node(above);
            for alias in &aliases {
                for condition in above.conditions.iter().filter(|it| matches!(it.kind, Hash | Merge | Join | Filter)) {
                    take(atom::atoms(&condition.text, alias, info));
                }
                for keys in std::iter::once(&above.sort_key).chain(&above.group_keys) {
                    if sort.is_empty() {
                        sort = sort_keys(keys, alias, info);
                    }
                }
                let first = above.sort_key.first().and_then(|key| atom::distance(key, alias, info));
                distances.extend(first);
                // The first or last entry of an index is the answer.
                if sort.is_empty() && above.is(KnownType::Aggregate) && above.group_keys.is_empty() {
                    let named = |text: &String| if alone { qualified(text, alias, info) } else { text.clone() };
                    let extremes = above.output.iter().filter_map(|text| atom::extreme(&named(text), alias, info));
                    sort = extremes.map(|(sql, column)| Key::plain(sql, column)).take(1).collect();
                }
            }
        }
        if sort.is_empty() {
            sort = delivered(plan, id, tables);
        }
        let needed = needed(plan, id, &aliases, info);
        let needed = needed.filter(|needed| needed.len() < info.columns.len());
        let nested = plan.ancestors(id).any(|above| plan.node(above).is(KnownType::NestedLoop));
        Some(Scan { name, info, own, joins, sides, sort, distances, needed, nested })
    }

    /// A unique key finds the row already, once in a call: no index is felt.
    fn finds_one_row(&self) -> bool {
        let equal = self.own.iter().filter(|atom| atom.usage == Use::Equal && !atom.list);
        let equal: Vec<&str> = equal.map(|atom| atom.key.as_str()).collect();
        !self.nested && redundant::names_one_row(&equal, self.info)
    }

    fn candidates(&self, tables: &Tables) -> Vec<Definition> {
        let mut found: Vec<Definition> = Vec::new();
        let mut add = |definition: Definition| {
            let exists = self.exists(&definition);
            if !definition.keys.is_empty() && !exists && !found.contains(&definition) {
                found.push(definition);
            }
        };
        let equal = self.equal();
        let ranges = self.ranges();
        let mut orders = self.orders(&equal, &ranges);
        orders.truncate(MOST);
        for keys in orders {
            let plain = Definition::btree(self.name.clone(), keys);
            if let Some(include) = self.include(&plain.keys) {
                add(Definition { include, ..plain.clone() });
            }
            add(plain);
        }
        for definition in self.partial(&equal, &ranges) {
            add(definition);
        }
        for definition in self.without_common(&equal, &ranges) {
            add(definition);
        }
        for definition in self.special(&self.own, tables) {
            add(definition);
        }
        for side in &self.sides {
            add(Definition::btree(self.name.clone(), keys_of_side(side)));
            for definition in self.special(side, tables) {
                add(definition);
            }
        }
        found
    }

    fn keys_of(&self, uses: &[Use]) -> Vec<Key> {
        let mut keys: Vec<Key> = Vec::new();
        for atom in self.own.iter().filter(|atom| uses.contains(&atom.usage)) {
            let key = Key::plain(atom.key.clone(), atom.column.clone());
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// Columns compared for equality, those with the most values first.
    fn equal(&self) -> Vec<Key> {
        let mut keys = self.keys_of(&[Use::Equal]);
        let distinct = |key: &Key| key.column.as_deref().map_or(1000.0, |column| self.info.distinct(column));
        keys.sort_by(|a, b| distinct(b).total_cmp(&distinct(a)));
        keys.truncate(3);
        keys
    }

    /// Columns that ranges are asked of. Of intervals about a point that is not known their ends come first: what is asked of times is mostly recent, and
    /// most intervals began before that.
    fn ranges(&self) -> Vec<Key> {
        let mut keys = self.keys_of(&[Use::Range]);
        let is_end = |key: &Key| {
            let its = |atom: &&Atom| atom.usage == Use::Range && atom.key == key.sql;
            let mut own = self.own.iter().filter(its);
            own.all(|atom| atom.side == Some(Side::Above) && atom.predicate.is_none())
        };
        let is_of_interval =
            |key: &Key| key.column.as_deref().is_some_and(|column| overlaps(&self.own, column, self.info));
        keys.sort_by_key(|key| !(is_of_interval(key) && is_end(key)));
        keys.truncate(3);
        keys
    }

    /// Whether a range leads to less of an index than another: the beginning of intervals whose end is asked for too.
    fn is_led(&self, key: &Key, by: &[Key]) -> bool {
        let begins = self.own.iter().any(|atom| {
            atom.usage == Use::Range
                && atom.key == key.sql
                && atom.side == Some(Side::Below)
                && atom.predicate.is_none()
        });
        begins && by.len() > 1 && key.column.as_deref().is_some_and(|column| overlaps(&self.own, column, self.info))
    }

    /// Compared with several values only.
    fn is_list(&self, key: &Key) -> bool {
        self.own.iter().filter(|atom| atom.usage == Use::Equal && atom.key == key.sql).all(|atom| atom.list)
    }

    /// Orders of keys: equality first, then one range or what is sorted by.
    fn orders(&self, equal: &[Key], ranges: &[Key]) -> Vec<Vec<Key>> {
        let joined = |parts: &[&[Key]]| {
            let mut keys: Vec<Key> = Vec::new();
            for key in parts.iter().copied().flatten() {
                if !keys.iter().any(|known| known.sql == key.sql) {
                    keys.push(key.clone());
                }
            }
            keys
        };
        let mut orders = vec![joined(&[equal, &self.sort])];
        // Rows of several values of a key come in no order but that of the values.
        let single: Vec<Key> = equal.iter().filter(|key| !self.is_list(key)).cloned().collect();
        if single.len() < equal.len() && !self.sort.is_empty() {
            orders.push(joined(&[&single, &self.sort]));
        }
        for range in ranges.iter().filter(|range| !self.is_led(range, ranges)) {
            orders.push(joined(&[equal, std::slice::from_ref(range)]));
        }
        // What a second range leaves out is not read from the table.
        for (one, other) in ranges.iter().flat_map(|one| ranges.iter().map(move |other| (one, other))) {
            if one.sql != other.sql && !self.is_led(one, ranges) {
                orders.push(joined(&[equal, std::slice::from_ref(one), std::slice::from_ref(other)]));
            }
        }
        if equal.len() > 1 {
            orders.push(vec![equal[0].clone()]);
        }
        orders.push(equal.to_vec());
        let mut join_keys: Vec<Key> = Vec::new();
        for atom in self.joins.iter().filter(|atom| atom.usage == Use::Equal) {
            let key = Key::plain(atom.key.clone(), atom.column.clone());
            if !join_keys.contains(&key) {
                join_keys.push(key);
            }
        }
        for key in &join_keys {
            let key = std::slice::from_ref(key);
            orders.push(key.to_vec());
            // The latest of each: the first entry for every row of the other side.
            if !self.sort.is_empty() {
                orders.push(joined(&[key, equal, &self.sort]));
            }
            if !equal.is_empty() {
                orders.push(joined(&[key, equal]));
                orders.push(joined(&[equal, key]));
            }
            if let Some(range) = ranges.first() {
                orders.push(joined(&[key, equal, std::slice::from_ref(range)]));
            }
        }
        if join_keys.len() > 1 {
            join_keys.truncate(3);
            orders.push(joined(&[&join_keys]));
        }
        orders.push(self.sort.clone());
        orders.retain(|keys| !keys.is_empty() && keys.len() <= 4);
        orders
    }

    /// Columns to carry, so that the table is not read; `None` if there are none, or too many.
    fn include(&self, keys: &[Key]) -> Option<Vec<String>> {
        // No index-only scan finds a value by its expression: the whole column would have to be carried.
        if keys.iter().any(|key| key.column.is_none()) {
            return None;
        }
        let rest: Vec<String> = self
            .needed
            .as_ref()?
            .iter()
            .filter(|column| !keys.iter().any(|key| key.column.as_ref() == Some(column)))
            .cloned()
            .collect();
        let width: f64 =
            rest.iter().map(|column| self.info.columns.get(column).map_or(WIDEST_INCLUDED, |it| it.width)).sum();
        (!rest.is_empty() && rest.len() <= MOST_INCLUDED && width <= WIDEST_INCLUDED).then_some(rest)
    }

    /// Indexes restricted to a condition that the query spells out.
    fn partial(&self, equal: &[Key], ranges: &[Key]) -> Vec<Definition> {
        let mut found = Vec::new();
        let flags = self.own.iter().filter(|atom| matches!(atom.usage, Use::Flag | Use::Equal | Use::NotNull));
        for atom in flags {
            let Some(predicate) = atom.predicate.clone() else { continue };
            let values = atom.column.as_deref().map_or(f64::INFINITY, |column| self.info.distinct(column));
            if atom.usage == Use::Equal && (values > FEW_VALUES || listed(atom) > values * RARE) {
                continue;
            }
            let mut keys: Vec<Key> = equal.iter().filter(|key| key.sql != atom.key).cloned().collect();
            match (ranges.first(), self.sort.is_empty()) {
                (_, false) => keys.extend(self.sort.iter().cloned()),
                (Some(range), true) => keys.push(range.clone()),
                (None, true) => {}
            }
            if keys.is_empty() {
                keys.push(Key::plain(atom.key.clone(), atom.column.clone()));
            }
            let mut seen = BTreeSet::new();
            keys.retain(|key| seen.insert(key.sql.clone()));
            keys.truncate(4);
            found.push(Definition { predicate: Some(predicate), ..Definition::btree(self.name.clone(), keys) });
        }
        found
    }

    /// Indexes without the value that most rows have: `status = 'pending'` proves `status <> 'done'`.
    fn without_common(&self, equal: &[Key], ranges: &[Key]) -> Vec<Definition> {
        let asked = self.own.iter().filter(|atom| atom.usage == Use::Equal && atom.parameter.is_some());
        let conditions = asked.filter_map(|atom| {
            let column = atom.column.as_deref()?;
            let known = self.info.columns.get(column).filter(|known| known.most_common >= MOST_ROWS)?;
            let value = crate::text::quoting::literal(known.most_common_value.as_ref()?);
            Some(format!("{} <> {value}", Name::new(column)))
        });
        let keys = |further: &[Key]| {
            let mut keys = equal.to_vec();
            keys.extend(further.iter().filter(|key| !equal.iter().any(|known| known.sql == key.sql)).cloned());
            keys.truncate(4);
            keys
        };
        let with = |predicate: String| {
            let orders = [keys(&self.sort), keys(ranges.get(..1).unwrap_or_default()), keys(&[])];
            orders.map(|keys| Definition {
                predicate: Some(predicate.clone()),
                ..Definition::btree(self.name.clone(), keys)
            })
        };
        conditions.flat_map(with).collect()
    }

    /// Other access methods and operator classes.
    fn special(&self, atoms: &[Atom], tables: &Tables) -> Vec<Definition> {
        let asked = special::Asked { table: &self.name, info: self.info, atoms, distances: &self.distances };
        asked.candidates(tables)
    }

    /// An index of the table begins with these keys already, and has what else is wanted.
    fn exists(&self, wanted: &Definition) -> bool {
        let body = wanted.body();
        self.info.indexes.iter().filter(|index| index.valid).any(|index| {
            let have = super::redundant::Parts::of(&index.definition);
            have.is_some_and(|have| have.serves(&body))
        })
    }
}

/// How many values an atom is compared with: `state = ANY ('{1,2,4}'::integer[])`.
fn listed(atom: &Atom) -> f64 {
    let text = atom.predicate.as_deref().filter(|_| atom.list).unwrap_or_default();
    1.0 + text.matches(',').count() as f64
}

/// What one side of an OR compares for equality, then one range.
fn keys_of_side(atoms: &[Atom]) -> Vec<Key> {
    let of = |usage: Use| atoms.iter().filter(move |atom| atom.usage == usage);
    let asked = of(Use::Equal).chain(of(Use::Flag)).take(2).chain(of(Use::Range).take(1));
    asked.map(|atom| Key::plain(atom.key.clone(), atom.column.clone())).collect()
}

/// `o.placed_at DESC NULLS LAST`. Keys up to the first that is not of this relation.
fn sort_keys(keys: &[String], alias: &str, info: &TableInfo) -> Vec<Key> {
    let read = |text: &String| {
        let mut text = text.as_str();
        let mut strip = |suffix: &str| match text.strip_suffix(suffix) {
            Some(rest) => {
                text = rest;
                true
            }
            None => false,
        };
        let (first, last) = (strip(" NULLS FIRST"), strip(" NULLS LAST"));
        let descending = strip(" DESC");
        if let Some((before, _)) = text.split_once(" COLLATE ") {
            text = before;
        }
        let (sql, column) = atom::key(text, alias, info)?;
        let nulls_first = first.then_some(true).or(last.then_some(false));
        Some(Key { descending, nulls_first, ..Key::plain(sql, column) })
    };
    keys.iter().map_while(read).take(3).collect()
}

/// The order in which an index returns rows to a LIMIT, where they are filtered on the way: with what the filter asks in front of it, the first
/// that are found are the answer.
fn delivered(plan: &Plan, id: NodeId, tables: &Tables) -> Vec<Key> {
    let node = plan.node(id);
    let walks = node.is_any(&[KnownType::IndexScan, KnownType::IndexOnlyScan])
        && node.condition(ConditionKind::Filter).is_some();
    if !walks || !plan.ancestors(id).any(|above| plan.node(above).is(KnownType::Limit)) {
        return Vec::new();
    }
    let of = |node: &Node| {
        let name = QualifiedName::new(Name::new(node.schema.as_deref()?), Name::new(node.relation.as_deref()?));
        let info = tables.tables.get(&name)?;
        info.indexes.iter().find(|index| Some(index.name.as_str()) == node.index.as_deref()).map(|index| (info, index))
    };
    let Some((info, index)) = of(node) else { return Vec::new() };
    let key = |text: &String| {
        let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
        let is_it = |column: &&String| {
            let printed = Name::new(column).to_string();
            printed == name
        };
        let column = info.columns.keys().find(is_it)?;
        Some(Key { descending: rest.starts_with("DESC"), ..Key::plain(name, Some(column.clone())) })
    };
    redundant::ordered_keys(&index.definition).iter().map_while(key).take(3).collect()
}
