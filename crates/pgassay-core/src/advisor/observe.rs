//! What else a hot query's plan tells, besides the indexes that it lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::Planner;
use super::atom::{self, Use};
use super::candidate::table_of;
use super::pace::Cause;
use super::tables::{TableInfo, Tables};
use crate::change::QualifiedName;
use crate::plan::node::{ConditionKind, KnownType};
use crate::plan::{Node, NodeId, Plan};
use crate::text::numbers;

/// Blocks of one call above which a query reads an enormous range: 80 MB.
const MANY_BLOCKS: f64 = 10_000.0;
/// Bytes of a block.
const BLOCK: f64 = 8192.0;
/// Blocks read for each row returned: a report sums up.
const BLOCKS_PER_ROW: f64 = 10.0;
/// Rows that a plan reads to be an enormous range, and the share of the table that they are at least.
const MANY_ROWS: f64 = 100_000.0;
const LARGE_SHARE: f64 = 0.1;
/// Of the most common value: its share of the rows, and how much more common it is than values are on average.
pub(super) const COMMON: f64 = 0.05;
pub(super) const SKEWED: f64 = 5.0;
/// How much the cost has to differ.
pub(super) const OTHER_COST: f64 = 4.0;

/// What was counted of the calls of a query.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counted {
    /// Blocks of one call on average, cached or not.
    pub blocks: Option<f64>,
    /// Rows that a call returns on average.
    pub rows: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Observation {
    /// All partitions are read, because nothing is compared with the partition key.
    PartitionKeyMissing { table: QualifiedName, key: String, partitions: usize },
    /// A call reads a large part of a table to return little.
    LargeRange {
        table: Option<QualifiedName>,
        /// Bytes of one call, where they were counted.
        bytes: Option<f64>,
        /// Rows that the plan reads, and the share of the table that they are; where the bytes were not counted.
        reads: Option<(f64, f64)>,
        /// Rows returned by a call.
        returned: f64,
    },
    /// `value = ANY (column)`: no index on an array serves it, `column @> ARRAY[value]` says the same.
    ElementOfArray { column: String },
    /// A time with a time zone is compared as a date or a part of it, which depends on the session: no index can be on that.
    TimeAsDate { column: String },
    /// A time without a time zone is compared as its date: only an index on that expression serves it.
    DayOfTime { column: String },
    /// A column is compared as another type.
    ColumnCast { column: String, data_type: String, to: String },
    /// Rows are counted off before those that are wanted.
    PageByOffset,
    /// An index would need an extension that the server has and the database has not.
    ExtensionMissing { column: String, extension: String },
    /// The pattern of a LIKE is not known.
    PatternUnknown { column: String },
    /// Its calls take far longer than its cost lets expect.
    SlowerThanCost { milliseconds: f64, times: f64, causes: Vec<Cause> },
    /// Rows are restricted by policies, which do not bind the role that planned.
    RowSecurity { tables: Vec<String> },
    /// The most common value of a column is planned otherwise than values on average.
    Skew { column: String, share: f64, cost: f64, cost_of_most_common: f64, plan: String, plan_of_most_common: String },
}

impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Observation::PartitionKeyMissing { table, key, partitions } => {
                write!(
                    f,
                    "reads all {partitions} partitions of {table}: nothing is compared with its partition key, {key}"
                )
            }
            Observation::LargeRange { table, bytes, reads, returned } => {
                let of = table.as_ref().map(|table| format!(" of {table}")).unwrap_or_default();
                match (bytes, reads) {
                    (Some(bytes), _) => write!(f, "reads {}{of} in each call", numbers::bytes(*bytes as u64))?,
                    (None, Some((rows, share))) => {
                        write!(f, "reads {} rows{of}, {:.0} % of it,", digits(*rows), share * 100.0)?;
                    }
                    (None, None) => write!(f, "reads a large range{of}")?,
                }
                write!(f, " to return {} rows", digits(returned.ceil()))
            }
            Observation::ElementOfArray { column } => {
                write!(f, "looks for an element with = ANY ({column}), which no index on the array serves")
            }
            Observation::TimeAsDate { column } => {
                write!(
                    f,
                    "compares a date or a part of {column}: that depends on the session's time zone, so no index can be on it"
                )
            }
            Observation::DayOfTime { column } => {
                write!(f, "compares the date of {column}, so no index on the column itself serves")
            }
            Observation::ColumnCast { column, data_type, to } => {
                write!(f, "compares {column}, {data_type}, as {to}, so no index on it serves")
            }
            Observation::PageByOffset => write!(f, "counts off the rows of OFFSET in each call, with any index"),
            Observation::ExtensionMissing { column, extension } => {
                write!(
                    f,
                    "searches {column} for a pattern: an index of trigrams would serve, but the extension {extension} is not installed"
                )
            }
            Observation::PatternUnknown { column } => {
                write!(f, "compares {column} with a pattern that is not known here")
            }
            Observation::SlowerThanCost { milliseconds, times, causes } => {
                let causes: Vec<String> = causes.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "takes {milliseconds:.1} ms a call, {} times what its cost lets expect here; it may be {}",
                    digits(*times),
                    causes.join("; or ")
                )
            }
            Observation::RowSecurity { tables } => {
                write!(f, "{} has row security: policies are not in this plan", tables.join(", "))
            }
            Observation::Skew { column, share, cost, cost_of_most_common, plan, plan_of_most_common } => {
                write!(
                    f,
                    "the most common {column} ({:.0} % of the rows) costs {}, values on average {}",
                    share * 100.0,
                    digits(*cost_of_most_common),
                    digits(*cost)
                )?;
                if plan != plan_of_most_common {
                    write!(f, " ({plan_of_most_common} instead of {plan})")?;
                }
                Ok(())
            }
        }
    }
}

impl Observation {
    /// What to do.
    pub fn advice(&self) -> &'static str {
        match self {
            Observation::PartitionKeyMissing { .. } => {
                "add a condition on the partition key where the application knows one, or partition by what queries ask for"
            }
            Observation::LargeRange { .. } => {
                "a report: keep a summary (a table or materialized view that is refreshed), or let it read a replica"
            }
            Observation::ElementOfArray { .. } => {
                "write the array first, column @> ARRAY[value]: it says the same, and a GIN index on the column serves it"
            }
            Observation::TimeAsDate { .. } | Observation::DayOfTime { .. } => {
                "write a range, column >= start AND column < end: an index on the column serves it"
            }
            Observation::ColumnCast { .. } => {
                "cast the value to the column's type instead, or make the column that type"
            }
            Observation::PageByOffset => {
                "ask for what comes after the last row seen: WHERE (sort key, id) > (…) ORDER BY sort key, id LIMIT …"
            }
            Observation::ExtensionMissing { .. } => {
                "CREATE EXTENSION pg_trgm, then run this again: CREATE INDEX … USING gin (column gin_trgm_ops)"
            }
            Observation::PatternUnknown { .. } => {
                "if patterns are beginnings ('abc%'), CREATE INDEX … (column text_pattern_ops) serves calls with constants; else trigrams do. Give \
                 the query with a pattern in a file (--queries) to have it tried"
            }
            Observation::SlowerThanCost { .. } => {
                "run EXPLAIN (ANALYZE, BUFFERS) with values that are slow; no saving is claimed from its cost alone"
            }
            Observation::RowSecurity { .. } => {
                "indexes should begin with the columns that the policies compare; check with EXPLAIN as the role that runs it"
            }
            Observation::Skew { .. } => {
                "a generic plan fits one of them only: where such calls are slow, SET plan_cache_mode = force_custom_plan for them, or ask \
                 for rare values through a partial index that leaves the common one out"
            }
        }
    }
}

/// What one plan tells; `index_helps` leaves out what an index mends.
pub fn observe(plan: &Plan, tables: &Tables, counted: Counted, index_helps: bool) -> Vec<Observation> {
    let mut found = partition_keys(plan, tables);
    found.extend(row_security(plan, tables));
    found.extend(elements(plan, tables));
    if !index_helps {
        found.extend(large_range(plan, tables, counted));
    }
    found
}

pub(super) const SCANS: &[KnownType] =
    &[KnownType::SeqScan, KnownType::IndexScan, KnownType::IndexOnlyScan, KnownType::BitmapHeapScan];

/// An expression over a column of a large table in whose place a parameter is a part: `meta ->> $1`. An index would need to know it.
pub(super) fn expression_with_parameter(plan: &Plan, tables: &Tables) -> Option<String> {
    plan.nodes.iter().filter(|node| node.is_any(SCANS)).find_map(|node| {
        table_of(node, tables).filter(|(_, info)| info.pages >= 100)?;
        let filter = node.conditions.iter().find(|it| it.kind == ConditionKind::Filter)?;
        atom::expression_with_parameter(&filter.text, node.reference()?)
    })
}

/// Arrays of large tables that are searched through row by row.
fn elements(plan: &Plan, tables: &Tables) -> Vec<Observation> {
    let mut found = Vec::new();
    for node in plan.nodes.iter().filter(|node| node.is_any(SCANS)) {
        let Some((table, info)) = table_of(node, tables).filter(|(_, info)| info.pages >= 100) else { continue };
        let alias = node.reference().unwrap_or_default();
        let filters = node.conditions.iter().filter(|it| it.kind == ConditionKind::Filter);
        for column in filters.flat_map(|condition| atom::searched_arrays(&condition.text, alias)) {
            let told = Observation::ElementOfArray { column: format!("{table}.{column}") };
            let is_array = info.columns.get(&column).is_some_and(|it| it.data_type.ends_with("[]"));
            if is_array && !found.contains(&told) {
                found.push(told);
            }
        }
    }
    found
}

fn row_security(plan: &Plan, tables: &Tables) -> Option<Observation> {
    let secured = plan.nodes.iter().filter_map(|node| table_of(node, tables)).filter(|(_, info)| info.row_security);
    let tables: BTreeSet<String> = secured.map(|(name, _)| name.to_string()).collect();
    let tables: Vec<String> = tables.into_iter().collect();
    (!tables.is_empty()).then_some(Observation::RowSecurity { tables })
}

fn partition_keys(plan: &Plan, tables: &Tables) -> Vec<Observation> {
    let mut read: BTreeMap<QualifiedName, BTreeSet<&str>> = BTreeMap::new();
    for node in plan.nodes.iter().filter(|node| node.is_any(SCANS)) {
        if let Some((root, info)) = table_of(node, tables)
            && info.partitioned
        {
            read.entry(root).or_default().extend(node.relation.as_deref());
        }
    }
    let pruned = plan.nodes.iter().any(|node| node.subplans_removed.is_some_and(|removed| removed > 0.0));
    let all = read.into_iter().filter_map(|(root, partitions)| {
        let info = tables.tables.get(&root)?;
        let all = info.partitions.len();
        let key = info.partition_key.clone()?;
        (!pruned && all > 1 && partitions.len() == all).then_some(Observation::PartitionKeyMissing {
            table: root,
            key,
            partitions: all,
        })
    });
    all.collect()
}

fn large_range(plan: &Plan, tables: &Tables, counted: Counted) -> Option<Observation> {
    let writes = plan.nodes.iter().any(|node| node.is(KnownType::ModifyTable));
    let estimated = plan.root().estimate.map_or(0.0, |estimate| estimate.rows);
    let returned = counted.rows.unwrap_or(estimated);
    let largest = plan.ids().filter_map(|id| range(plan, id, tables)).max_by(|a, b| a.rows.total_cmp(&b.rows));
    if writes {
        return None;
    }
    let table = largest.as_ref().map(|range| range.table.clone());
    if let Some(blocks) = counted.blocks {
        let large = blocks >= MANY_BLOCKS && blocks >= returned * BLOCKS_PER_ROW;
        let bytes = Some(blocks * BLOCK);
        return large.then_some(Observation::LargeRange { table, bytes, reads: None, returned });
    }
    let range = largest?;
    let large =
        !range.guessed && range.rows >= MANY_ROWS && range.share >= LARGE_SHARE && returned <= range.rows / 100.0;
    let reads = Some((range.rows, range.share));
    large.then_some(Observation::LargeRange { table, bytes: None, reads, returned })
}

struct Range {
    table: QualifiedName,
    rows: f64,
    share: f64,
    /// A bound is a parameter, of which the planner assumes a third of the rows.
    guessed: bool,
}

fn range(plan: &Plan, id: NodeId, tables: &Tables) -> Option<Range> {
    let node = plan.node(id);
    if !node.is_any(SCANS) {
        return None;
    }
    let (table, info) = table_of(node, tables)?;
    let gathers = plan.ancestors(id).filter_map(|above| plan.node(above).workers_planned);
    let processes = 1.0 + gathers.fold(0.0, f64::max);
    // Right below a LIMIT, as the plan of max(c) has it, no more rows are read than are asked for.
    let limits = plan.ancestors(id).take(1).map(|above| plan.node(above)).filter(|above| above.is(KnownType::Limit));
    let limit = limits.filter_map(|above| above.estimate).map(|it| it.rows).fold(f64::INFINITY, f64::min);
    if node.conditions.iter().all(|it| it.kind != ConditionKind::Filter) && limit < MANY_ROWS {
        return None;
    }
    let rows = (node.estimate?.rows * processes).min(info.rows);
    let guessed = atoms(node, info).any(|atom| atom.usage != Use::Equal && atom.predicate.is_none());
    Some(Range { table, rows, share: rows / info.rows.max(1.0), guessed })
}

pub(super) fn atoms(node: &Node, info: &TableInfo) -> impl Iterator<Item = atom::Atom> {
    let alias = node.reference().unwrap_or_default();
    use ConditionKind::{Filter, Index, Recheck};
    let own = node.conditions.iter().filter(|it| matches!(it.kind, Filter | Index | Recheck));
    own.flat_map(|condition| atom::atoms(&condition.text, alias, info)).collect::<Vec<_>>().into_iter()
}

/// Plans a query once more with the most common value of each skewed column that it compares with a parameter.
pub fn skew(query: usize, plan: &Plan, tables: &Tables, planner: &mut dyn Planner) -> Vec<Observation> {
    let mut found = Vec::new();
    // In 14 to 16 the result of an InitPlan is written as a parameter is.
    if plan.nodes.iter().any(|node| node.subplan_name.as_deref().is_some_and(|name| name.starts_with("InitPlan"))) {
        return found;
    }
    let mut tried = BTreeSet::new();
    for node in plan.nodes.iter().filter(|node| node.is_any(SCANS)) {
        let Some((table, info)) = table_of(node, tables).filter(|(_, info)| info.pages >= 100) else { continue };
        for atom in atoms(node, info).filter(|atom| atom.usage == Use::Equal && !atom.join && !atom.list) {
            let (Some(column), Some(parameter)) = (&atom.column, atom.parameter) else { continue };
            let parameter = parameter.number;
            let Some(known) = info.columns.get(column) else { continue };
            let average = (1.0 - known.null_fraction) / info.distinct(column);
            let Some(value) = &known.most_common_value else { continue };
            let skewed = known.most_common >= COMMON && known.most_common >= SKEWED * average;
            if !skewed || !tried.insert(parameter) {
                continue;
            }
            let values = BTreeMap::from([(parameter, value.clone())]);
            let Ok(other) = planner.plan_with_values(query, &values) else { continue };
            let (cost, common) = (cost(plan), cost(&other));
            if common >= cost * OTHER_COST || cost >= common * OTHER_COST {
                found.push(Observation::Skew {
                    column: format!("{table}.{column}"),
                    share: known.most_common,
                    cost,
                    cost_of_most_common: common,
                    plan: scan_of(plan, &table, tables),
                    plan_of_most_common: scan_of(&other, &table, tables),
                });
            }
        }
    }
    found
}

fn cost(plan: &Plan) -> f64 {
    plan.root().estimate.map_or(0.0, |estimate| estimate.total_cost)
}

fn scan_of(plan: &Plan, table: &QualifiedName, tables: &Tables) -> String {
    super::describe::scans_of(plan, table, tables, &|name| name.to_owned())
}

/// With commas between thousands.
fn digits(number: f64) -> String {
    let digits = format!("{number:.0}");
    let comma = |(place, digit): (usize, char)| {
        let comma = place > 0 && (digits.len() - place).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(comma).collect()
}
