//! Indexes that the advice suggests are tried where the plan is from: with hypopg on the database, or in a twin.

use anyhow::anyhow;
use pgassay::advisor::{Planner, Tables, tell_tried, try_tips};
use pgassay::facts::Values;
use pgassay::plan::draw::Assayed;
use pgassay::plan::{Anonymizer, Plan, Query};
use pgassay::whatif::{Prepared, TwinPlanner, read_tables};
use tokio::runtime::Runtime;

use super::Arguments;
use crate::cli::queries::{Choice, Chosen, build_twin};

/// The plans of the database, with the indexes tried that are advised.
pub fn on_database(arguments: &Arguments, runtime: &Runtime, plans: Vec<Plan>) -> anyhow::Result<Vec<Assayed>> {
    plans.into_iter().map(|plan| try_on_database(arguments, runtime, plan)).collect()
}

fn try_on_database(arguments: &Arguments, runtime: &Runtime, plan: Plan) -> anyhow::Result<Assayed> {
    let assayed = Assayed::new(plan);
    let Some(query) = assayed.plan.query.clone().filter(|_| suggests_index(&assayed)) else {
        return Ok(finished(arguments, assayed, |_| Vec::new(), ""));
    };
    let Some(reading) = arguments.database.read_for_plans(Values::None)? else { return Ok(assayed) };
    let prepared = vec![Prepared::new(&query, None)];
    let opened = Chosen::open(
        runtime,
        Choice::Auto,
        &arguments.database,
        arguments.pg_bin.as_deref(),
        &reading,
        prepared,
        arguments.run_functions,
    );
    match opened {
        Ok((mut chosen, tables)) => {
            let tried = tried(&assayed, chosen.planner(), &tables);
            Ok(finished(arguments, assayed, |_| tried, chosen.name()))
        }
        Err(error) => {
            let reason = format!("could not be tried: {error:#}");
            let untried = |assayed: &Assayed| {
                assayed.tips.iter().map(|tip| tip.suggests_index().then(|| Err(reason.clone()))).collect()
            };
            Ok(finished(arguments, assayed, untried, ""))
        }
    }
}

/// The plan that the database of a snapshot would make, and what the indexes would bring there.
pub fn in_twin(arguments: &Arguments, runtime: &Runtime, text: &str) -> anyhow::Result<Vec<Assayed>> {
    let query = Query::read(text)?;
    let Some(reading) = arguments.database.read_for_plans(Values::None)? else { return Ok(Vec::new()) };
    let twin = build_twin(runtime, arguments.pg_bin.as_deref(), &reading, "")?;
    for gap in &twin.gaps {
        say!("note: not as in the database: {}: {}", gap.what, gap.reason);
    }
    let mut planner = TwinPlanner::new(runtime, twin, vec![Prepared::new(&query.sql, None)])?;
    let mut plan = planner.plan(0, &[], &[]).map_err(|message| anyhow!("{message}"))?;
    plan.query = Some(query.sql);
    let assayed = Assayed::new(plan);
    let tried = match suggests_index(&assayed) {
        true => {
            let tables = runtime.block_on(read_tables(&**planner.session(), Some(&reading.facts)))?;
            tried(&assayed, &mut planner, &tables)
        }
        false => Vec::new(),
    };
    Ok(vec![finished(arguments, assayed, |_| tried, "a twin")])
}

type Tried = Vec<Option<Result<pgassay::advisor::Brings, String>>>;

fn suggests_index(assayed: &Assayed) -> bool {
    assayed.tips.iter().any(|tip| tip.suggests_index())
}

fn tried(assayed: &Assayed, planner: &mut dyn Planner, tables: &Tables) -> Tried {
    try_tips(&assayed.tips, &assayed.plan, 0, planner, tables)
}

/// The plan as it is to be shown, with what was found out about its tips, and on standard error which indexes are not given.
fn finished(arguments: &Arguments, assayed: Assayed, tried: impl FnOnce(&Assayed) -> Tried, by: &str) -> Assayed {
    let tried = tried(&assayed);
    let mut assayed = assayed;
    if arguments.anonymize {
        let mut plan = assayed.plan;
        Anonymizer::default().plan(&mut plan);
        // The same advice in the same order, under other names.
        assayed = Assayed::new(plan);
    }
    if tried.is_empty() {
        return assayed;
    }
    for (tip, reason) in tell_tried(&mut assayed.tips, tried, by) {
        let at = tip.node.map(|node| format!(" (node {})", node.0 + 1)).unwrap_or_default();
        match arguments.anonymize {
            true => say!("note: {}{at} is not shown: its index was not found to help", tip.kind),
            false => say!("note: {}{at} is not shown: the index {reason}: {}", tip.kind, tip.sql.join(" ")),
        }
    }
    assayed
}
