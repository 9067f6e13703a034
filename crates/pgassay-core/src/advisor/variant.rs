//! Plans with values from the statistics, where a generic plan misleads.
//!
//! A generic plan takes a value on average for `status = $1` and a third of the rows for `at > $1`. Clients that write constants, and
//! prepared statements until a generic plan turns out to be no dearer, get plans for their values instead. Where those cost much more or
//! less, some of a query's calls count with them. Rows that calls return tell which values they ask for.

use std::collections::BTreeMap;

use serde::Serialize;

use super::atom::{self, Atom, Parameter, Side, Use};
use super::candidate::table_of;
use super::choose::{Advised, Part, Work, cost, reads_whole};
use super::observe::{COMMON, OTHER_COST, SCANS, SKEWED, atoms};
use super::tables::{ColumnInfo, TableInfo, Tables};
use crate::change::QualifiedName;
use crate::plan::node::KnownType;
use crate::plan::{NodeId, Plan};

/// Which values stand in the place of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Values {
    /// The most common value, the largest range.
    Common,
    /// A value as common as most are, a range of a twentieth.
    Rare,
}

/// The share of the calls that ask for rare values and narrow ranges, if nothing tells more, and the share of those that the number of
/// rows returned points at. Whoever compares a skewed column mostly wants what is rare: what is to be done, not all that was.
const RARE: f64 = 0.6;
const BY_ROWS: f64 = 0.8;
/// The same if all that is rare is a range with one bound over something that is no time: what is asked of times is mostly recent, of other values
/// nobody knows.
const RARE_BOUND: f64 = 0.2;
/// Characters of a pattern that stands for one.
const PREFIX: usize = 3;
/// Rows that a scan returns are others if they differ so much.
const OTHER_ROWS: f64 = 4.0;

impl Work<'_> {
    /// Parts with values for those queries that cost much more or less with them.
    pub(super) fn add_variants(&mut self, advised: &[Advised]) {
        for (query, result) in advised.iter().enumerate() {
            let Ok(plan) = &result.plan else { continue };
            let mut parts = vec![(query, plan.clone())];
            for which in [Values::Common, Values::Rare] {
                let values = values(plan, self.tables, which);
                let Some(part) = (!values.is_empty()).then(|| self.planner.with_values(query, &values)).flatten()
                else {
                    continue;
                };
                let planned = self.planner.plan(part, &[], &[]);
                let its = planned.as_ref().map_or(0.0, cost);
                let weighed = planned.as_ref().map_or(0.0, |plan| self.weigh(query, plan));
                let plain = planned.as_ref().map_or(0.0, |plan| self.plainly(query, plan));
                let reads_whole = planned.as_ref().is_ok_and(reads_whole);
                let (cost, weight, values) = (weighed, 0.0, Some(which));
                self.parts_at(part, Part { query, values, foreign_key: None, cost, plain, weight, reads_whole });
                if let Ok(planned) = planned
                    && !self.is_beyond(query, its)
                    && (differ(its, result.cost_before, OTHER_COST)
                        || differ(scanned(&planned), scanned(plan), OTHER_ROWS))
                {
                    parts.push((part, planned));
                }
            }
            let rare = if only_bounds(plan, self.tables) { RARE_BOUND } else { RARE };
            let shares = shares(&parts, (self.queries[query].rows, rare), |part| self.parts[part].values);
            self.share_out(query, &parts, &shares);
        }
    }

    /// The planner numbers what it plans; parts have the same numbers.
    fn parts_at(&mut self, place: usize, part: Part) {
        debug_assert_eq!(place, self.parts.len(), "the planner knows as many queries as there are parts");
        self.parts.push(part);
    }

    /// Gives each part its calls, and the time that these take by their cost.
    fn share_out(&mut self, query: usize, parts: &[(usize, Plan)], shares: &[f64]) {
        let whole = self.parts[query].weight;
        let costs: f64 = parts.iter().zip(shares).map(|((_, plan), share)| share * cost(plan)).sum();
        for ((part, plan), share) in parts.iter().zip(shares) {
            self.parts[*part].weight = if costs > 0.0 { whole * share * cost(plan) / costs } else { whole * share };
        }
    }
}

fn differ(one: f64, other: f64, factor: f64) -> bool {
    one.max(1.0) >= other.max(1.0) * factor || other.max(1.0) >= one.max(1.0) * factor
}

/// Rows that all scans of a plan are expected to return.
fn scanned(plan: &Plan) -> f64 {
    let scans = plan.nodes.iter().filter(|node| node.is_any(SCANS));
    scans.filter_map(|node| node.estimate).map(|estimate| estimate.rows).sum()
}

/// How many of the calls each plan stands for. If the plans return different numbers of rows, the one that comes closest has most.
fn shares(
    parts: &[(usize, Plan)],
    (returned, if_rare): (Option<f64>, f64),
    values: impl Fn(usize) -> Option<Values>,
) -> Vec<f64> {
    let rows = |plan: &Plan| plan.root().estimate.map_or(1.0, |estimate| estimate.rows.max(1.0));
    let others = (parts.len() - 1).max(1) as f64;
    let differ = parts.iter().any(|(_, plan)| {
        let ratio = rows(plan) / rows(&parts[0].1);
        !(0.5..2.0).contains(&ratio)
    });
    let distance = |plan: &Plan, returned: f64| (rows(plan) / returned.max(1.0)).ln().abs();
    let closest = returned.filter(|_| differ).and_then(|returned| {
        (0..parts.len()).min_by(|a, b| distance(&parts[*a].1, returned).total_cmp(&distance(&parts[*b].1, returned)))
    });
    let rare = (0..parts.len()).find(|place| values(parts[*place].0) == Some(Values::Rare));
    let (most, its) = match closest {
        Some(closest) => (Some(closest), BY_ROWS),
        None => (rare, if_rare),
    };
    let share = |place: usize| match most {
        _ if parts.len() == 1 => 1.0,
        Some(most) if most == place => its,
        Some(_) => (1.0 - its) / others,
        None => 1.0 / parts.len() as f64,
    };
    (0..parts.len()).map(share).collect()
}

/// Values for the parameters that skewed columns and ranges are compared with, by number.
fn values(plan: &Plan, tables: &Tables, which: Values) -> BTreeMap<usize, String> {
    let mut found = BTreeMap::new();
    // In 14 to 16 the result of an InitPlan is written as a parameter is.
    if plan.nodes.iter().any(|node| node.subplan_name.as_deref().is_some_and(|name| name.starts_with("InitPlan"))) {
        return found;
    }
    for node in plan.nodes.iter().filter(|node| node.is_any(SCANS) && !node.is(KnownType::ModifyTable)) {
        let Some((_, info)) = table_of(node, tables).filter(|(_, info)| info.pages >= 100) else { continue };
        let atoms: Vec<Atom> = atoms(node, info).filter(|atom| !atom.join).collect();
        for atom in &atoms {
            let (Some(column), Some(parameter)) = (&atom.column, atom.parameter) else { continue };
            let Some(known) = info.columns.get(column) else { continue };
            let value = match atom.usage {
                Use::Equal if !atom.list => equal(known, info, column, which),
                Use::Range if overlaps(&atoms, column, info) => point(known, which),
                Use::Range => bound(known, parameter, both_bounds(&atoms, column), which),
                _ => None,
            };
            if let Some(value) = value {
                found.entry(parameter.number).or_insert(value);
            }
        }
    }
    found
}

/// A parameter with the column that it is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    pub table: QualifiedName,
    pub column: String,
    pub number: usize,
    /// The value is a list of one.
    pub list: bool,
    /// The value is the beginning of a pattern.
    pub pattern: bool,
}

/// What the parameters of a query are compared with, where it is a column.
pub fn compared(plan: &Plan, tables: &Tables) -> Vec<Compared> {
    let mut found: Vec<Compared> = Vec::new();
    for (at, node) in plan.nodes.iter().enumerate().filter(|(_, node)| node.is_any(SCANS)) {
        let Some((table, info)) = table_of(node, tables) else { continue };
        let alias = node.reference().unwrap_or_default();
        let sorted = plan.ancestors(NodeId(at)).flat_map(|above| &plan.node(above).sort_key);
        let distances = sorted.filter_map(|key| atom::distance(key, alias, info));
        for atom in atoms(node, info).filter(|atom| !atom.join).chain(distances) {
            let (Some(column), Some(parameter)) = (atom.column.clone(), atom.parameter) else { continue };
            let (number, pattern) = (parameter.number, atom.usage == Use::Pattern);
            if found.iter().all(|known| known.number != number) {
                found.push(Compared { table: table.clone(), column, number, list: atom.list, pattern });
            }
        }
    }
    found
}

/// A list of one value, as text.
pub fn array_of(value: &str) -> String {
    format!("{{\"{}\"}}", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Values as most calls might have them, by the number of the parameter: of every column of which the statistics have some.
pub fn typical_values(plan: &Plan, tables: &Tables) -> BTreeMap<usize, String> {
    let mut found = values(plan, tables, Values::Rare);
    if plan.nodes.iter().any(|node| node.subplan_name.as_deref().is_some_and(|name| name.starts_with("InitPlan"))) {
        return found;
    }
    for node in plan.nodes.iter().filter(|node| node.is_any(SCANS)) {
        let Some((_, info)) = table_of(node, tables) else { continue };
        for atom in atoms(node, info).filter(|atom| !atom.join) {
            let (Some(column), Some(parameter)) = (&atom.column, atom.parameter) else { continue };
            let Some(known) = info.columns.get(column) else { continue };
            let middle = known.quantiles.as_ref().map(|[_, middle, _]| middle);
            let Some(value) = middle.or(known.rare_value.as_ref()).or(known.most_common_value.as_ref()) else {
                continue;
            };
            let value = match atom.usage {
                Use::Equal if atom.list => array_of(value),
                Use::Equal => value.clone(),
                // The beginning of one.
                Use::Pattern => {
                    format!("{}%", value.chars().take(PREFIX).filter(|c| !"%_\\".contains(*c)).collect::<String>())
                }
                _ => continue,
            };
            found.entry(parameter.number).or_insert(value);
        }
    }
    found
}

/// Whether ranges with one bound over what is no time are all that values are tried for.
fn only_bounds(plan: &Plan, tables: &Tables) -> bool {
    let mut bounds = 0;
    for node in plan.nodes.iter().filter(|node| node.is_any(SCANS)) {
        let Some((_, info)) = table_of(node, tables) else { continue };
        let atoms: Vec<Atom> = atoms(node, info).filter(|atom| !atom.join).collect();
        for atom in &atoms {
            let (Some(column), Some(_)) = (&atom.column, atom.parameter) else { continue };
            let Some(known) = info.columns.get(column) else { continue };
            let is_time = ["timestamp", "date", "time"].iter().any(|name| known.data_type.starts_with(name));
            match atom.usage {
                Use::Range if !is_time && !both_bounds(&atoms, column) => bounds += 1,
                Use::Range => return false,
                Use::Equal if is_skewed(known, info, column) => return false,
                _ => {}
            }
        }
    }
    bounds > 0
}

fn both_bounds(atoms: &[Atom], column: &str) -> bool {
    let on = |side: Side| {
        let its = |atom: &&Atom| atom.column.as_deref() == Some(column);
        atoms.iter().filter(its).any(|atom| atom.parameter.is_some_and(|it| it.side == side))
    };
    on(Side::Above) && on(Side::Below)
}

/// `starts_at < $1 AND ends_at > $2`: what lies about a point, or a short while. Both columns are compared with much the same value.
pub(super) fn overlaps(atoms: &[Atom], column: &str, table: &TableInfo) -> bool {
    let type_of = |column: &str| table.columns.get(column).map(|it| it.data_type.as_str());
    let side = |wanted: &str| {
        let its = |atom: &&Atom| atom.usage == Use::Range && atom.column.as_deref() == Some(wanted);
        let sides: Vec<Side> = atoms.iter().filter(its).filter_map(|atom| atom.side).collect();
        if let [side] = sides[..] { Some(side) } else { None }
    };
    let Some(own) = side(column) else { return false };
    let others = atoms.iter().filter_map(|atom| atom.column.as_deref()).filter(|other| *other != column);
    others.into_iter().any(|other| type_of(other) == type_of(column) && side(other).is_some_and(|it| it != own))
}

/// A point that intervals lie about: late, as is asked of times, or in the middle.
fn point(known: &ColumnInfo, which: Values) -> Option<String> {
    let [_, middle, high] = known.quantiles.as_ref()?;
    Some(if which == Values::Rare { high.clone() } else { middle.clone() })
}

fn equal(known: &ColumnInfo, table: &TableInfo, column: &str, which: Values) -> Option<String> {
    if !is_skewed(known, table, column) {
        return None;
    }
    match which {
        Values::Common => known.most_common_value.clone(),
        Values::Rare => known.rare_value.clone(),
    }
}

/// One value is much more common than values are on average.
pub(super) fn is_skewed(known: &ColumnInfo, table: &TableInfo, column: &str) -> bool {
    let average = (1.0 - known.null_fraction) / table.distinct(column);
    known.most_common >= COMMON && known.most_common >= SKEWED * average
}

/// The bound that leaves a twentieth of the rows, or that takes all but a twentieth.
fn bound(known: &ColumnInfo, parameter: Parameter, both: bool, which: Values) -> Option<String> {
    let [low, middle, high] = known.quantiles.as_ref()?;
    let value = match (which, parameter.side, both) {
        (Values::Common, Side::Above, _) | (Values::Rare, Side::Below, false) => low,
        (Values::Common, Side::Below, _) | (Values::Rare, Side::Above, false) => high,
        // Both bounds: a single value is the narrowest range.
        (Values::Rare, Side::Above | Side::Below, true) => middle,
        (_, Side::Equal, _) => return None,
    };
    Some(value.clone())
}
