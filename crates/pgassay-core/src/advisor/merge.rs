//! One index in the place of two.
//!
//! Each query brought its own candidates. Two of them on one table often differ only in what they carry, or one's key is the beginning of the
//! other's: what serves both is tried, and taken where less is lost than the second one costs.

use std::collections::BTreeSet;

use super::choose::{Plans, Work};
use super::definition::{Definition, Method};
use super::size;

/// Columns that a merged index may carry.
const MOST_INCLUDED: usize = 5;
const WIDEST_INCLUDED: f64 = 96.0;

impl Work<'_> {
    /// Puts one index where two are, as long as that pays.
    pub(super) fn merge(&mut self, mut chosen: BTreeSet<usize>, mut plans: Plans) -> (BTreeSet<usize>, Plans) {
        let mut tried: BTreeSet<(usize, usize)> = BTreeSet::new();
        while let Some((one, other)) = self.next_pair(&chosen, &tried) {
            tried.insert((one, other));
            let left = self.left(&plans);
            for instead in self.in_place_of_both(one, other) {
                let mut others = chosen.clone();
                others.remove(&one);
                others.remove(&other);
                others.insert(instead);
                let allowed = self.price(one, left) + self.price(other, left) - self.price(instead, left);
                let Some(change) = self.change(&[one, other], &others, &plans, allowed) else { continue };
                if change.loss <= allowed {
                    chosen = others;
                    plans.extend(change.plans);
                    break;
                }
            }
        }
        (chosen, plans)
    }

    fn next_pair(&self, chosen: &BTreeSet<usize>, tried: &BTreeSet<(usize, usize)>) -> Option<(usize, usize)> {
        let mut pairs = chosen.iter().flat_map(|one| chosen.iter().map(move |other| (*one, *other)));
        pairs.find(|(one, other)| {
            let of = |place: usize| &self.offers[place].definition;
            one < other
                && of(*one).table == of(*other).table
                && of(*one).method == Method::BTree
                && of(*other).method == Method::BTree
                && !tried.contains(&(*one, *other))
        })
    }

    /// Offered indexes that might do for two, the smallest first.
    fn in_place_of_both(&mut self, one: usize, other: usize) -> Vec<usize> {
        let of = |place: usize| self.offers[place].definition.clone();
        let (one_is, other_is) = (of(one), of(other));
        let mut wanted: Vec<Definition> =
            [united(&one_is, &other_is), united(&other_is, &one_is)].into_iter().flatten().collect();
        // Each of them alone, and without its condition.
        wanted.extend([one_is.clone(), other_is.clone()]);
        wanted.extend(
            [one_is, other_is]
                .into_iter()
                .filter(|it| it.predicate.is_some())
                .map(|it| Definition { predicate: None, ..it }),
        );
        wanted.retain(|definition| self.is_narrow(definition));
        let known = |work: &Self, it: &Definition| work.offers.iter().position(|offer| offer.definition == *it);
        let mut new: Vec<Definition> = Vec::new();
        for definition in wanted.iter().filter(|it| known(self, it).is_none()) {
            if !new.contains(definition) {
                new.push(definition.clone());
            }
        }
        let first = self.offers.len();
        let taken = self.offer_more(new);
        let refused = |place: usize| place >= first && !taken.get(place - first).copied().unwrap_or(false);
        let mut found: Vec<usize> = wanted.iter().filter_map(|it| known(self, it)).filter(|it| !refused(*it)).collect();
        found.sort_by(|a, b| self.offers[*a].estimate.bytes.total_cmp(&self.offers[*b].estimate.bytes));
        found.dedup();
        found
    }

    fn is_narrow(&self, definition: &Definition) -> bool {
        let table = self.tables.tables.get(&definition.table);
        let width = |column: &String| {
            table.and_then(|table| table.columns.get(column)).map_or(size::UNKNOWN_WIDTH, |column| column.width)
        };
        let included = &definition.include;
        included.len() <= MOST_INCLUDED && included.iter().map(width).sum::<f64>() <= WIDEST_INCLUDED
    }
}

/// The keys of one with what else both have, carried.
fn united(one: &Definition, other: &Definition) -> Option<Definition> {
    if one.predicate != other.predicate || one.keys.first()?.sql != other.keys.first()?.sql {
        return None;
    }
    // No index-only scan finds a value by its expression.
    let columns: Vec<&String> = other.keys.iter().map(|key| key.column.as_ref()).collect::<Option<_>>()?;
    let keys: Vec<&String> = one.keys.iter().filter_map(|key| key.column.as_ref()).collect();
    let mut include = one.include.clone();
    let others_carry = !other.include.is_empty() || !one.include.is_empty();
    let more = if others_carry { columns } else { Vec::new() };
    for column in more.into_iter().chain(&other.include) {
        if !keys.contains(&column) && !include.contains(column) {
            include.push(column.clone());
        }
    }
    Some(Definition { include, ..one.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::Key;
    use crate::change::QualifiedName;

    fn index(keys: &[&str], include: &[&str]) -> Definition {
        let keys = keys.iter().map(|name| Key::plain(*name, Some((*name).to_owned()))).collect();
        let include = include.iter().map(|name| (*name).to_owned()).collect();
        Definition { include, ..Definition::btree(QualifiedName::new("public", "t"), keys) }
    }

    #[test]
    fn what_two_carry_one_can() {
        let merged = united(&index(&["a"], &["b"]), &index(&["a"], &["c"])).expect("one");
        assert_eq!(merged.body(), "(a) INCLUDE (b, c)");
        let longer = united(&index(&["a", "b"], &[]), &index(&["a"], &["c"])).expect("one");
        assert_eq!(longer.body(), "(a, b) INCLUDE (c)");
    }

    #[test]
    fn indexes_that_begin_with_other_columns_stay_two() {
        assert!(united(&index(&["a"], &["b"]), &index(&["c"], &["b"])).is_none());
    }
}
