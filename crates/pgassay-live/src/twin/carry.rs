//! Statistics of a database for what its tables, columns and indexes have become.
//!
//! A table, column or index that was renamed keeps its own. A table that took the name of another is taken for its copy, as it is
//! when a table is built anew and swapped in. A column of another type keeps its values where every value of the old type is one of
//! the new, else only what is counted of them. An index that is new gets the size that it would have.

use super::after::{Inventory, Item, ItemColumn};
use crate::facts::planner::{ColumnStatistics, KeyColumn, RelationStatistics, Slot, Statistics};

/// The statistics after, from those before and what there was and is.
pub(super) fn carry(statistics: &Statistics, before: &Inventory, after: &Inventory) -> Statistics {
    let carry = Carry { statistics, before, after };
    let mut result = Statistics { relations: Vec::new(), columns: Vec::new(), ..statistics.clone() };
    for item in after.relations.values() {
        let index = item.table.is_some();
        match carry.source(item) {
            Some(source) => {
                result.relations.extend(carry.relation(source, item));
                result.columns.extend(carry.columns(source, item));
            }
            None if index => result.relations.extend(carry.new_index(item)),
            None => {}
        }
    }
    carry.extended(&mut result);
    result
}

struct Carry<'s> {
    statistics: &'s Statistics,
    before: &'s Inventory,
    after: &'s Inventory,
}

impl<'s> Carry<'s> {
    /// What a relation was.
    fn source(&self, item: &Item) -> Option<&'s Item> {
        let own = self.before.relations.get(&item.oid);
        let namesake = || self.before.named(&item.schema, &item.name);
        match item.table {
            // Where it is rebuilt, for a column of another type, it has another OID.
            Some(table) => own
                .or_else(|| namesake().filter(|old| old.keys == item.keys && old.include == item.include))
                .or_else(|| self.same_definition(item, table)),
            None => own.or_else(namesake).or_else(|| self.share_of(item)),
        }
    }

    /// An index that says the same of what its table was: a copy of a table has copies of its indexes, by other names.
    fn same_definition(&self, item: &Item, table: u32) -> Option<&'s Item> {
        let table = self.source(self.after.relations.get(&table)?)?;
        let mut indexes = self.before.relations.values().filter(|old| old.table == Some(table.oid));
        indexes.find(|old| old.definition.is_some() && old.definition == item.definition)
    }

    /// A partition of a table that was not partitioned holds a part of its rows.
    fn share_of(&self, item: &Item) -> Option<&'s Item> {
        let parent = self.after.relations.get(&item.parent?)?;
        self.source(parent).filter(|source| source.kind == "r")
    }

    fn sizes(&self, item: &Item) -> Option<&'s RelationStatistics> {
        self.statistics.relations.iter().find(|it| it.schema == item.schema && it.name == item.name)
    }

    fn relation(&self, source: &'s Item, item: &Item) -> Option<RelationStatistics> {
        let mut result = self.sizes(source)?.clone();
        let named = |oid: u32| self.after.relations.get(&oid).map(|table| table.name.clone());
        result.schema.clone_from(&item.schema);
        result.name.clone_from(&item.name);
        result.kind.clone_from(&item.kind);
        result.table = item.table.and_then(named);
        if item.keys != source.keys {
            result.keys.clone_from(&item.keys);
        }
        if source.kind == "p" && item.kind == "r" {
            let leaves: Vec<_> = self.before.leaves(source).into_iter().filter_map(|leaf| self.sizes(leaf)).collect();
            result.pages = leaves.iter().map(|it| it.pages).sum();
            result.rows = leaves.iter().map(|it| it.rows.max(0.0)).sum();
            result.all_visible_pages = leaves.iter().map(|it| it.all_visible_pages).sum();
            result.blocks = leaves.iter().map(|it| it.blocks).sum();
        }
        if source.kind == "r" && item.kind == "p" {
            (result.pages, result.blocks, result.all_visible_pages) = (-1, 0, 0);
        }
        let parts = self.parts(source, item);
        if parts > 1 {
            result.pages /= parts;
            result.blocks = result.blocks.div_ceil(parts.unsigned_abs());
            result.all_visible_pages /= parts;
            result.rows = (result.rows / parts as f64).round();
        }
        Some(result)
    }

    /// How many share the rows of what a relation comes from.
    fn parts(&self, source: &Item, item: &Item) -> i64 {
        let shares = source.kind == "r" && item.parent.is_some() && !self.before.relations.contains_key(&item.oid);
        let parent = item.parent.filter(|_| shares).and_then(|oid| self.after.relations.get(&oid));
        parent.map_or(1, |parent| i64::try_from(self.after.leaves(parent).len()).unwrap_or(1))
    }

    fn columns(&self, source: &Item, item: &Item) -> Vec<ColumnStatistics> {
        let same = source.oid == item.oid;
        let of_source = |it: &&ColumnStatistics| it.schema == source.schema && it.relation == source.name;
        let mut found = Vec::new();
        for column in self.statistics.columns.iter().filter(of_source) {
            let is = |it: &&ItemColumn| match column.of_index {
                true => it.number == column.number,
                false => it.name == column.column,
            };
            let Some(old) = source.columns.iter().find(is) else { continue };
            let now = item.columns.iter().find(|it| if same { it.number == old.number } else { is(it) });
            let Some(now) = now else { continue };
            let mut result = retyped(column, &old.data_type, now);
            result.schema.clone_from(&item.schema);
            result.relation.clone_from(&item.name);
            result.column.clone_from(&now.name);
            result.number = now.number;
            // A partitioned table has statistics of the tree only, a plain one of its own rows.
            match (source.kind.as_str(), item.kind.as_str()) {
                ("p", "r") if !column.inherited => continue,
                ("p", "r") => result.inherited = false,
                ("r", "p") => result.inherited = true,
                _ => {}
            }
            found.push(result);
        }
        found
    }

    fn new_index(&self, item: &Item) -> Option<RelationStatistics> {
        let table = self.after.relations.get(&item.table?)?;
        let source = self.source(table)?;
        let sizes = self.relation(source, table)?;
        let rows = sizes.rows.max(0.0);
        let keys = item.keys.as_deref().unwrap_or_default();
        let width = |key: &KeyColumn| match (usize::try_from(key.length), &key.column) {
            (Ok(length), _) => length,
            (Err(_), Some(column)) => {
                let is = |it: &&ColumnStatistics| {
                    it.schema == source.schema && it.relation == source.name && it.column == *column
                };
                let known = self.statistics.columns.iter().find(is).map(|it| it.width);
                known.and_then(|width| usize::try_from(width).ok()).unwrap_or(32)
            }
            (Err(_), None) => 32,
        };
        let bytes: usize = keys.iter().chain(item.include.iter().flatten()).map(width).sum();
        // Line pointer and header of a tuple; pages of leaves are filled to 90 %.
        let entry = (4 + 8 + bytes.next_multiple_of(8)) as f64;
        let blocks = match (item.kind.as_str(), item.access_method.as_deref()) {
            ("I", _) => 0.0,
            (_, Some("brin")) => 3.0,
            _ => (rows * entry / 0.9 / super::btree::PAGE as f64).ceil() + 1.0,
        };
        Some(RelationStatistics {
            schema: item.schema.clone(),
            name: item.name.clone(),
            kind: item.kind.clone(),
            access_method: item.access_method.clone(),
            pages: blocks as i64,
            rows,
            blocks: blocks as u64,
            table: Some(table.name.clone()),
            keys: item.keys.clone(),
            ..RelationStatistics::default()
        })
    }

    /// Statistics of several columns: by the new names of the columns; values of several columns have no new type.
    fn extended(&self, result: &mut Statistics) {
        // What the statements dropped is not missed.
        result.extended.retain(|object| {
            let name = (object.schema.clone(), object.name.clone());
            !self.before.extended.contains(&name) || self.after.extended.contains(&name)
        });
        for object in &mut result.extended {
            let has = |item: &&Item| {
                item.table.is_none()
                    && !object.columns.is_empty()
                    && item.schema == object.schema
                    && object.columns.iter().all(|(number, name)| {
                        item.columns.iter().any(|column| column.number == *number && column.name == *name)
                    })
            };
            let Some(old) = self.before.relations.values().find(has) else { continue };
            let Some(now) = self.after.relations.get(&old.oid) else { continue };
            let column = |item: &'s Item, number: i16| item.columns.iter().find(|it| it.number == number);
            for (number, name) in &mut object.columns {
                let (Some(before), Some(after)) = (column(old, *number), column(now, *number)) else { continue };
                name.clone_from(&after.name);
                if before.data_type != after.data_type {
                    object.most_common = None;
                }
            }
        }
    }
}

/// The statistics of a column of another type.
fn retyped(column: &ColumnStatistics, old: &str, now: &ItemColumn) -> ColumnStatistics {
    let mut result = column.clone();
    let new = now.data_type.as_str();
    if old == new {
        return result;
    }
    if now.length > 0 {
        result.width = i32::from(now.length);
    }
    let keeps_values = widens(old, new);
    for slot in &mut result.slots {
        let (from, to) = (operand(old), operand(new));
        let plain = slot.value_type.as_deref().is_none_or(|of| of == old);
        match keeps_values && plain {
            true => {
                slot.operator = slot.operator.replace(&format!("({from},{from})"), &format!("({to},{to})"));
                if slot.value_type.is_some() {
                    slot.value_type = Some(new.to_owned());
                }
            }
            false => *slot = Slot { operator: "0".to_owned(), collation: "-".to_owned(), ..Slot::default() },
        }
    }
    result
}

/// The type that the operators of a type are declared for.
fn operand(data_type: &str) -> &str {
    if data_type == "character varying" { "text" } else { data_type }
}

/// Whether every value of a type, as text, can be read as one of the other, and they sort alike.
fn widens(old: &str, new: &str) -> bool {
    const CHAINS: &[&[&str]] = &[
        &["smallint", "integer", "bigint", "numeric"],
        &["character varying", "text"],
        &["date", "timestamp without time zone"],
        &["date", "timestamp with time zone"],
        // Cut off or moved by the session's time zone, in the same order.
        &["timestamp with time zone", "timestamp without time zone", "date"],
        &["timestamp without time zone", "timestamp with time zone"],
    ];
    let both_texts = [old, new].iter().all(|it| ["text", "character varying"].contains(it));
    let place = |chain: &[&str], name: &str| chain.iter().position(|it| *it == name);
    both_texts
        || CHAINS.iter().any(|chain| matches!((place(chain, old), place(chain, new)), (Some(a), Some(b)) if a < b))
}
