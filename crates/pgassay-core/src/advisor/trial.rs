//! The indexes that the tips for one plan suggest, tried where the plan is from: each shows what it brings, or is not given.

use super::{Definition, Key, Method, Offer, Planner, Tables, entries_and_bytes};
use crate::change::{Change, CreateIndex, IndexElement, IndexTarget, QualifiedName};
use crate::plan::advice::{self, Tip};
use crate::plan::{Plan, amount};
use crate::source::{SourceFile, Sources};
use crate::sql::read_script;

/// What an index has to save of a plan's cost: estimates say no less than that.
const LEAST_GAIN: f64 = 0.1;

/// What an index brings.
#[derive(Debug, Clone, PartialEq)]
pub struct Brings {
    /// The planner's cost without it.
    pub before: f64,
    pub with: f64,
    /// The costs are those of a scan whose condition is written as the tip says, not of the query.
    pub rewritten: bool,
    /// The table that the index is on.
    pub table: Option<QualifiedName>,
}

/// Tries the indexes of each tip for the plan of a query, by its place in the planner. `None` for a tip without an index, `Err` says why
/// an index is not to be given, in words that follow "the index".
pub fn try_tips(
    tips: &[Tip],
    plan: &Plan,
    query: usize,
    planner: &mut dyn Planner,
    tables: &Tables,
) -> Vec<Option<Result<Brings, String>>> {
    let tried = tips
        .iter()
        .enumerate()
        .map(|(number, tip)| tip.suggests_index().then(|| try_tip(tip, number, plan, query, planner, tables)));
    tried.collect()
}

/// Has each tip say what its index brings, and takes those out whose index brings nothing, with the reason. `by` says who planned.
pub fn tell_tried(tips: &mut Vec<Tip>, tried: Vec<Option<Result<Brings, String>>>, by: &str) -> Vec<(Tip, String)> {
    let mut dropped = Vec::new();
    for (mut tip, tried) in std::mem::take(tips).into_iter().zip(tried) {
        match tried {
            Some(Err(reason)) => {
                dropped.push((tip, reason));
                continue;
            }
            Some(Ok(brings)) => brings.tell(&mut tip, by),
            None => {}
        }
        tips.push(tip);
    }
    dropped
}

impl Brings {
    fn tell(&self, tip: &mut Tip, by: &str) {
        let (before, with) = (amount::count(self.before), amount::count(self.with));
        let told = match self.rewritten {
            false => {
                format!("Tried in {by}: the planner uses it, and the cost of the query falls from {before} to {with}.")
            }
            true => format!("Tried in {by}: written so, a scan of the table costs {with} instead of {before}."),
        };
        tip.advice = match tip.advice.contains(advice::PROVE) {
            true => tip.advice.replace(advice::PROVE, &told),
            false => format!("{} {told}", tip.advice),
        };
        tip.numbers.extend([("cost-before", self.before), ("cost-with-index", self.with)]);
        // The plan has no schemas, and the statement may run with another search_path.
        if let Some(table) = self.table.as_ref().filter(|table| table.schema.as_str() != "public") {
            let bare = table.name.to_string();
            for sql in &mut tip.sql {
                for (before, after) in [(" ON ", " "), ("ANALYZE ", ";")] {
                    *sql = sql.replacen(&format!("{before}{bare}{after}"), &format!("{before}{table}{after}"), 1);
                }
            }
        }
    }
}

fn try_tip(
    tip: &Tip,
    number: usize,
    plan: &Plan,
    query: usize,
    planner: &mut dyn Planner,
    tables: &Tables,
) -> Result<Brings, String> {
    let mut offers = Vec::new();
    for (place, sql) in tip.sql.iter().filter(|sql| advice::builds_index(sql)).enumerate() {
        let definition = definition(sql, tables)?;
        let table = &tables.tables[&definition.table];
        let rows = match &definition.predicate {
            Some(predicate) => planner.rows(&definition.table, predicate).unwrap_or(table.rows),
            None => table.rows,
        };
        let estimate = entries_and_bytes(&definition, table, rows);
        offers.push(Offer { name: format!("pgassay_tip_{number}_{place}"), definition, estimate });
    }
    // The first plan is the one without any, and repairs the statement where it has to be.
    let before = planner.plan(query, &[], &[])?;
    for result in planner.offer(&offers) {
        result.map_err(|error| format!("cannot be built: {error}"))?;
    }
    let names: Vec<String> = offers.iter().map(|offer| offer.name.clone()).collect();
    let table = offers.first().map(|offer| offer.definition.table.clone()).ok_or("is none")?;
    let Some(condition) = advice::rewrite_of(plan, tip) else {
        return Ok(Brings { table: Some(table), ..costs(query, &before, &names, planner)? });
    };
    let text = format!("SELECT * FROM {table} WHERE {condition}");
    let query = planner.add(&text).ok_or("could not be tried with the condition as it should be written")?;
    let before = planner.plan(query, &[], &[])?;
    Ok(Brings { rewritten: true, table: Some(table), ..costs(query, &before, &names, planner)? })
}

fn costs(query: usize, before: &Plan, names: &[String], planner: &mut dyn Planner) -> Result<Brings, String> {
    let after = planner.plan(query, names, &[])?;
    let is_own = |index: &String| names.iter().any(|name| name == index || planner.is_part_of(index, name));
    if !after.nodes.iter().filter_map(|node| node.index.as_ref()).any(is_own) {
        return Err("would not be used by the planner".to_owned());
    }
    let cost = |plan: &Plan| plan.root().estimate.map_or(0.0, |estimate| estimate.total_cost);
    let (before, with) = (cost(before), cost(&after));
    if with > before * (1.0 - LEAST_GAIN) {
        let (before, with) = (amount::count(before), amount::count(with));
        return Err(format!("would be used, but the cost of the query only falls from {before} to {with}"));
    }
    Ok(Brings { before, with, rewritten: false, table: None })
}

/// The index that a statement of our own builds, on a table that is known.
fn definition(sql: &str, tables: &Tables) -> Result<Definition, String> {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("tip", sql));
    let script = read_script(file, sources.file(file));
    let Some(Ok(Change::CreateIndex(create))) = script.statements.into_iter().next().map(|statement| statement.change)
    else {
        return Err(format!("cannot be tried, since its statement is not understood: {sql}"));
    };
    let table = table_of(&create, tables)?;
    let method = [Method::BTree, Method::Gin, Method::Gist, Method::Spgist, Method::Brin, Method::Hash]
        .into_iter()
        .find(|method| method.name() == create.method.as_str())
        .ok_or_else(|| format!("is of an access method that cannot be tried ({})", create.method))?;
    Ok(Definition {
        table,
        method,
        keys: create.elements.iter().map(key).collect(),
        include: create.include.iter().map(|column| column.name.as_str().to_owned()).collect(),
        predicate: create.predicate.as_ref().map(|predicate| predicate.text.to_string()),
    })
}

fn key(element: &IndexElement) -> Key {
    let (mut sql, column) = match &element.target {
        IndexTarget::Column(column) => (column.name.to_string(), Some(column.name.as_str().to_owned())),
        IndexTarget::Expression(expression) => (format!("({})", expression.text), None),
    };
    if let Some(collation) = &element.collation {
        sql = format!("{sql} COLLATE {collation}");
    }
    Key {
        sql,
        column,
        operator_class: element.operator_class.as_ref().map(ToString::to_string),
        descending: element.descending,
        nulls_first: element.nulls_first,
    }
}

/// EXPLAIN without VERBOSE prints no schema: then the name has to be that of one table only.
fn table_of(create: &CreateIndex, tables: &Tables) -> Result<QualifiedName, String> {
    let name = &create.table;
    let fits = |known: &&QualifiedName| {
        known.name == name.name && name.schema.as_ref().is_none_or(|schema| *schema == known.schema)
    };
    let found: Vec<&QualifiedName> = tables.tables.keys().filter(fits).collect();
    match &found[..] {
        [one] => Ok((*one).clone()),
        [] => Err(format!("cannot be tried: nothing is known of the table {name}")),
        _ => Err(format!("cannot be tried: several schemas have a table {}", name.name)),
    }
}
