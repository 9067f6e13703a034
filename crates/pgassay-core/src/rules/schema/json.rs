//! JSON columns that anything is put into.

use super::ask::queries::{self, UseKind};
use super::ask::{json_sample, keys, steps};
use super::{Discovery, SchemaContext};
use crate::change::QualifiedName;
use crate::contract::Subject;
use crate::facts::{JsonSample, StatementFacts};
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, Relation};
use crate::text::{numbers, plain, words};

pub static RULE: Rule = Rule {
    name: "json-junk-drawer",
    category: Category::Json,
    severity: Severity::Warning,
    summary: "A JSON column has no shape that anybody could rely on",
    explanation: "What is in it is known to the code of the day: no type, no NOT NULL, no foreign key, no statistics for a single key, so the planner guesses 0.5 % for every \
        condition on one. Keys that are always there are columns; the rest stays, with a CHECK that says at least that it is an object. The declared signals are the name (meta, data, extra …), \
        no CHECK, no index, NULL beside an empty object, several such columns in one table: an info. A warning needs contents: audit --sample reads a bounded sample \
        and tells keys, types and sizes, never values. A payload that is stored as it came, on a table of outside events, needs no shape of ours.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL, metadata jsonb DEFAULT '{}');",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL, size jsonb NOT NULL CHECK (jsonb_typeof(size) = 'object' AND size ? 'width'));",
    },
};

/// Names that say nothing of what is inside.
const DRAWERS: &[&str] = &[
    "meta",
    "metadata",
    "data",
    "extra",
    "extras",
    "attributes",
    "attribute",
    "attrs",
    "properties",
    "props",
    "settings",
    "misc",
    "info",
    "options",
    "custom",
    "details",
    "params",
    "context",
    "additional",
    "json",
    "other",
    "config",
    "preferences",
    "fields",
];

/// What somebody else sent, kept as it came.
const RECEIVED: &[&str] = &["payload", "body", "raw", "request", "response", "headers", "event"];

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        let columns: Vec<&Column> = table.columns.iter().filter(|column| context.is_json(column)).collect();
        if columns.is_empty() {
            continue;
        }
        for column in context.changed_columns(table).filter(|column| context.is_json(column)) {
            if let Some(discovery) = judge(context, table, column, &columns) {
                found.push(discovery);
            }
        }
    }
}

fn judge(context: &SchemaContext, table: &Relation, column: &Column, siblings: &[&Column]) -> Option<Discovery> {
    let sample = sample_of(context, table, column);
    let sampled = sample.and_then(|sample| json_sample::verdict(context, table, column, sample));
    // What the contents say outweighs what is declared.
    let speaks = sampled.as_ref().is_some_and(|sampled| sampled.severity > Severity::Info);
    if column.generated.is_some() || keys::has_check(context, table, column.id) && !speaks {
        return None;
    }
    let name = column.name.as_str();
    if words::has_word(name, RECEIVED) && !words::has_word(name, DRAWERS) && !speaks {
        return None;
    }
    let is_indexed = context.indexes(table).any(|(_, index)| index.uses_column(column.id));
    let reasons = reasons(table, column, siblings, is_indexed);
    let measured = measured(context, table, column);
    let is_alone = siblings.len() == 1 || sampled.is_some();
    let type_name = &column.data_type.written;
    let hot = hot_path(context, table, column, is_indexed);
    let mut discovery = context
        .discovery(
            &RULE,
            Subject::Column(table.id, column.id),
            format!("{}.{} holds {type_name} of any shape", table.name, column.name),
        )
        .severity(Severity::Info)
        .confidence(Confidence::Medium)
        .declared(reasons.join("; "));
    if let Some(fact) = measured {
        discovery = discovery.measured(fact);
    }
    // Many documents are the product's own content: until a sample speaks, they are one line for the schema.
    if sampled.is_none() && hot.is_none() {
        discovery.habit = Some("JSON columns hold documents of any shape".to_owned());
    }
    // Where nothing is known of the contents, one finding tells all such columns of a table.
    if !is_alone && hot.is_none() && context.scope.is_none() {
        discovery = discovery.grouped(format!("{} holds documents of any shape in", table.name), name);
    }
    let mut hot_steps = Vec::new();
    let is_map = sampled.as_ref().is_some_and(|sampled| sampled.map);
    if let Some(sampled) = sampled {
        discovery = discovery.severity(sampled.severity).confidence(sampled.confidence).measured(sampled.fact);
        if !sampled.says.is_empty() {
            discovery.finding.message.push_str(&format!(": {}", sampled.says.join("; ")));
        }
        hot_steps.extend(sampled.steps);
    }
    if let Some(hot) = hot {
        discovery = discovery.severity(Severity::Warning).confidence(Confidence::High).measured(hot.fact);
        discovery.finding.message.push_str("; hot queries look into it without an index");
        hot_steps.extend(hot.steps);
    }
    let shapes = shapes(column, sample);
    let mut steps = if is_map { Vec::new() } else { say_shape(context, table, column, &shapes) };
    steps.extend(hot_steps);
    let is_unsampled = context.facts.is_some() && sample.is_none();
    let discovery = discovery.when_new(
        "Make columns of the keys that are always there, and say with a CHECK what the rest is, at least that it is an object.",
    );
    Some(discovery.advice(advice(column, &shapes, is_map, is_unsampled), steps))
}

/// Why nobody can tell what is in it, from what is declared.
fn reasons(table: &Relation, column: &Column, siblings: &[&Column], is_indexed: bool) -> Vec<String> {
    let mut reasons = vec!["no CHECK says what it holds".to_owned()];
    if words::has_word(column.name.as_str(), DRAWERS) {
        reasons.push("its name does not either".to_owned());
    }
    if table.known && !is_indexed {
        reasons.push("no index reaches into it".to_owned());
    }
    let empty = column.default.as_ref().is_some_and(|default| {
        let text = default.text.replace(' ', "");
        text.starts_with("'{}'") || text.starts_with("'[]'")
    });
    reasons.extend(match (column.not_null.enforced(), empty) {
        (false, true) => Some("it can be NULL as well as empty".to_owned()),
        (false, false) => Some("it can be NULL".to_owned()),
        (true, true) => Some("it starts empty".to_owned()),
        (true, false) => None,
    });
    if siblings.len() > 1 {
        reasons.push(format!("{} such columns in the table", siblings.len()));
    }
    reasons
}

/// `is_unsampled`: rows could be looked at, and were not.
fn advice(column: &Column, shapes: &[&str], is_map: bool, is_unsampled: bool) -> String {
    if is_map {
        return "Keep a row for each key in a table of its own: it has statistics, an index, and room for a foreign key. Have the application write both, then this copies the old documents:".to_owned();
    }
    let hint = if is_unsampled { " audit --sample shows which keys those are." } else { "" };
    match shapes {
        [] => format!(
            "See what it holds, then say so: CHECK (jsonb_typeof({}) = 'object'), or 'array'.{hint}",
            column.name
        ),
        ["array"] => format!(
            "Say that it is an array. If its elements are rows of their own, or references, they belong in a table.{hint}"
        ),
        some => format!(
            "Make columns of the keys that are always there, and say what the rest is (here: {}; NULL passes).{hint}",
            some.iter().map(|shape| format!("an {shape}")).collect::<Vec<_>>().join(" or ")
        ),
    }
}

/// The kinds of documents that the column is known to hold: by the sample, and by what it starts as. None is known without either.
fn shapes(column: &Column, sample: Option<&JsonSample>) -> Vec<&'static str> {
    let mut shapes = Vec::new();
    let start = column.default.as_ref().map(|default| default.text.trim_start_matches('\'').trim_start().to_owned());
    let starts_as = |mark: char| start.as_ref().is_some_and(|text| text.starts_with(mark));
    let (objects, arrays, scalars) = sample.map_or((0, 0, 0), |sample| (sample.objects, sample.arrays, sample.scalars));
    // Scalars are of four types, and the sample does not say which.
    if scalars > 0 {
        return shapes;
    }
    if objects > 0 || starts_as('{') {
        shapes.push("object");
    }
    if arrays > 0 || starts_as('[') {
        shapes.push("array");
    }
    shapes
}

/// A CHECK of what is known, or a look at what is there. Rows that a sample did not meet are counted before they stop VALIDATE.
fn say_shape(context: &SchemaContext, table: &Relation, column: &Column, shapes: &[&str]) -> Vec<FixStep> {
    let kind = match context.type_name(column) {
        Some("jsonb") => format!("jsonb_typeof({})", column.name),
        Some("json") => format!("json_typeof({})", column.name),
        _ => return Vec::new(),
    };
    let listed: Vec<String> = shapes.iter().map(|shape| format!("'{shape}'")).collect();
    let (condition, others) = match &listed[..] {
        [] => {
            let look = format!(
                "SELECT {kind}, count(*) FROM (SELECT {0} FROM {1} LIMIT 10000) AS t GROUP BY 1;",
                column.name, table.name
            );
            return if context.facts.is_some() { vec![FixStep::any(look)] } else { Vec::new() };
        }
        [one] => (format!("{kind} = {one}"), format!("{kind} <> {one}")),
        some => (format!("{kind} IN ({})", some.join(", ")), format!("{kind} NOT IN ({})", some.join(", "))),
    };
    let label = if shapes.len() == 1 { shapes[0] } else { "shape" };
    let mut steps = Vec::new();
    if context.facts.is_some() {
        steps.push(FixStep::any(format!("SELECT count(*) FROM {} WHERE {others};", table.name)));
    }
    steps.extend(steps::check_constraint(context, table, &format!("{}_{label}", column.name.as_str()), &condition));
    steps
}

/// Its own sample; for a partitioned table that of the partition that gave most.
fn sample_of<'a>(context: &SchemaContext<'a>, table: &Relation, column: &Column) -> Option<&'a JsonSample> {
    let samples = context.samples?;
    let of = |name: &QualifiedName| samples.columns.get(&(name.clone(), column.name.clone()));
    let partitions = context.schema.children_closure(table.id);
    let partitions = partitions.iter().filter_map(|id| context.schema.relation(*id)).filter_map(|it| of(&it.name));
    of(&table.name).or_else(|| partitions.max_by_key(|sample| sample.objects))
}

/// Conditions of hot queries that reach into the document.
struct HotPath {
    fact: String,
    steps: Vec<FixStep>,
}

/// For @> and ? an index of the whole column; a key's own index needs the key, which pg_stat_statements replaces by `$1`.
fn hot_path(context: &SchemaContext, table: &Relation, column: &Column, is_indexed: bool) -> Option<HotPath> {
    let workload = context.workload.filter(|_| !is_indexed)?;
    let reached = context.uses.iter().filter_map(|one| match &one.kind {
        UseKind::Reached(operator) if one.table == table.id && one.column == column.id => {
            Some((operator, &workload.statements[one.statement]))
        }
        _ => None,
    });
    let blocks = context.facts.and_then(|facts| facts.relation(&table.name)).map_or(0, |facts| facts.pages);
    let is_slow = |statement: &StatementFacts| statement.mean_milliseconds >= 10.0 || reads_all(statement, blocks);
    let hot = reached.filter(|(_, statement)| queries::is_hot(statement, workload) && is_slow(statement));
    let (operator, worst) = hot.max_by(|one, other| one.1.total_milliseconds.total_cmp(&other.1.total_milliseconds))?;
    let fact = format!(
        "{} calls, {:.1} ms on average: {}",
        numbers::count(worst.calls as f64),
        worst.mean_milliseconds,
        plain::shortened(&worst.query)
    );
    let is_binary = context.type_name(column) == Some("jsonb");
    let steps = match operator.as_str() {
        "@>" if is_binary => vec![gin(context, table, column, " jsonb_path_ops")],
        "?" | "?|" | "?&" if is_binary => vec![gin(context, table, column, "")],
        _ => {
            let key = key_in(&worst.query);
            let element = key.map(|key| format!("({} ->> '{key}')", column.name));
            let (_, mut steps) = element
                .map(|element| steps::create_index(context, table, &format!("({element})"), "idx"))
                .unwrap_or_default();
            if !steps.is_empty() {
                steps.push(FixStep::any(format!("ANALYZE {};", table.name)));
            }
            steps
        }
    };
    Some(HotPath { fact, steps })
}

/// Whether a call touches at least half of a table's blocks, of a table of a hundred or more: it is read in full.
fn reads_all(statement: &StatementFacts, blocks: u64) -> bool {
    let touched = statement.shared_blocks_hit + statement.shared_blocks_read;
    blocks >= 100 && touched / statement.calls.max(1) >= blocks / 2
}

fn gin(context: &SchemaContext, table: &Relation, column: &Column, class: &str) -> FixStep {
    let name = context.free_name(table, column.name.as_str(), "gin_idx");
    FixStep::none(format!("CREATE INDEX CONCURRENTLY {name} ON {} USING gin ({}{class});", table.name, column.name))
}

/// The key of `->> 'key'`, where the workload kept it.
fn key_in(query: &str) -> Option<&str> {
    let (_, rest) = query.split_once("->>")?;
    let key = rest.trim_start().strip_prefix('\'')?;
    key.split_once('\'').map(|(key, _)| key)
}

fn measured(context: &SchemaContext, table: &Relation, column: &Column) -> Option<String> {
    let facts = context.column_facts(table, column)?;
    let rows = context.rows(table)?;
    let mut text = format!(
        "{} rows, {} NULL, {} on average",
        numbers::count(rows),
        numbers::percent(f64::from(facts.null_fraction)),
        numbers::bytes(facts.average_width.max(0) as u64)
    );
    if let Some((_, share)) = facts.sentinels.iter().find(|(value, _)| value == "{}" || value == "[]") {
        text.push_str(&format!(", {} empty", numbers::percent(f64::from(*share))));
    }
    Some(text)
}
