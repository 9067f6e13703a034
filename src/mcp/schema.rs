//! The schema that the migrations make, an audit of a part of it, plans, and the rules.

use std::collections::HashMap;

use anyhow::{Context, bail};
use pgassay::audit::{AuditJob, Filter, audit as run_audit};
use pgassay::contract::Subject;
use pgassay::db::{Database, snapshot};
use pgassay::history::Places;
use pgassay::plan::draw::Assayed;
use pgassay::plan::{self, Tip};
use pgassay::rules::{self, Rule};
use pgassay::schema::{Column, Constraint, ConstraintKind, Relation, Schema};
use pgassay::sql::hide_secrets;
use rmcp::schemars;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Desk, MOST, basis, finding, not_looked_at};
use crate::project::Project;

/// Which part of the schema.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct SchemaAt {
    /// One table or view, with all there is of it; without it, the list of all.
    table: Option<String>,
    /// A migration file: the schema as it is after it, not after the last one.
    after_file: Option<String>,
    /// The project's folder, if it is not the one that the server was started in.
    project: Option<String>,
}

/// Which table.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Audit {
    /// The table, with or without its schema.
    table: String,
    /// The project's folder, if it is not the one that the server was started in.
    project: Option<String>,
}

/// A plan.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct ReadPlan {
    /// The output of EXPLAIN, best of EXPLAIN (ANALYZE, BUFFERS), in text or JSON.
    plan: String,
}

/// Which rule.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Rules {
    /// The name of one rule, to explain it.
    rule: Option<String>,
}

/// Relations beyond this many are only counted.
const MOST_RELATIONS: usize = 300;

pub fn schema_at(desk: &Desk, question: SchemaAt) -> anyhow::Result<Value> {
    let mut project = desk.project(question.project.as_deref(), HashMap::new())?;
    let after = question.after_file.as_deref().map(|file| desk.path(file)).transpose()?;
    let schemas = project.schemas(after.as_deref());
    if let (Some(file), []) = (&question.after_file, schemas.as_slice()) {
        bail!("{file} is in no history that was found");
    }
    let complete = schemas.iter().all(|(schema, _)| schema.complete);
    let partial = (!complete).then(|| "what the history never made: it is not complete".to_owned());
    let mut answer = json!({
        "judgedOn": basis(&project, desk),
        "notLookedAt": not_looked_at(&project, partial),
    });
    match question.table {
        None => {
            let all =
                || schemas.iter().flat_map(|(schema, _)| schema.relations.values()).filter(|it| it.is_queryable());
            answer["relations"] = all()
                .take(MOST_RELATIONS)
                .map(|it| json!({ "name": it.name.to_string(), "kind": it.noun(), "columns": it.columns.len() }))
                .collect();
            answer["relationsLeftOff"] = json!(all().count().saturating_sub(MOST_RELATIONS));
        }
        Some(table) => {
            let found: Vec<Value> = schemas
                .iter()
                .flat_map(|(schema, places)| {
                    let all = schema.relations.values().filter(|it| it.is_queryable() && is_called(it, &table));
                    all.map(|it| described(it, schema, places, &project, desk)).collect::<Vec<_>>()
                })
                .collect();
            if found.is_empty() {
                bail!("no table or view is called {table}{}", nearest(&table, &schemas));
            }
            answer["tables"] = json!(found);
        }
    }
    Ok(answer)
}

fn is_called(relation: &Relation, name: &str) -> bool {
    let plain = |text: &str| text.replace('"', "").to_lowercase();
    plain(&relation.name.to_string()) == plain(name) || plain(relation.name.name.as_str()) == plain(name)
}

fn nearest(name: &str, schemas: &[(Schema, Places)]) -> String {
    let all = || schemas.iter().flat_map(|(schema, _)| schema.relations.values()).filter(|it| it.is_queryable());
    let plain = name.rsplit('.').next().unwrap_or(name);
    match rules::nearest_of(plain, all().map(|it| it.name.name.as_str())) {
        Some(nearest) => format!("; did you mean {nearest}?"),
        None => String::new(),
    }
}

fn described(relation: &Relation, schema: &Schema, places: &Places, project: &Project, desk: &Desk) -> Value {
    let place = |subject: &Subject| {
        let span = places.of(subject)?;
        let line = project.sources.positions(span).0.line;
        Some(format!("{}:{line}", desk.shown(&project.path_of(span.file))))
    };
    let columns: Vec<Value> =
        relation.columns.iter().map(|it| column(it, place(&Subject::Column(relation.id, it.id)))).collect();
    let constraints = relation.constraints.iter().filter(|it| !matches!(it.kind, ConstraintKind::NotNull(_)));
    let indexes = relation.indexes.iter().filter_map(|id| schema.relation(*id));
    json!({
        "name": relation.name.to_string(),
        "kind": relation.noun(),
        "definedAt": place(&Subject::Relation(relation.id)),
        "known": relation.known,
        "columns": columns,
        "constraints": constraints.map(|it| constraint(it, relation, schema)).collect::<Vec<_>>(),
        "indexes": indexes.map(|it| index(it, relation)).collect::<Vec<_>>(),
        "referencedBy": relation.referenced_by.iter().map(|id| schema.relation_name(*id)).collect::<Vec<_>>(),
    })
}

fn column(column: &Column, place: Option<String>) -> Value {
    json!({
        "name": column.name.as_str(),
        "type": column.data_type.written.to_string(),
        "notNull": column.not_null.enforced(),
        "default": column.default.as_ref().map(|it| it.text.to_string()),
        "identity": column.identity.is_some(),
        "generated": column.generated.as_ref().map(|it| it.expression.text.to_string()),
        "definedAt": place,
    })
}

fn names(columns: &[pgassay::schema::ColumnId], relation: &Relation) -> Vec<String> {
    columns.iter().filter_map(|id| Some(relation.column_by_id(*id)?.name.as_str().to_owned())).collect()
}

fn constraint(constraint: &Constraint, relation: &Relation, schema: &Schema) -> Value {
    let (kind, more) = match &constraint.kind {
        ConstraintKind::NotNull(_) => ("not null", Value::Null),
        ConstraintKind::Check { expression, .. } => ("check", json!({ "condition": &*expression.text })),
        ConstraintKind::Unique { columns, .. } => ("unique", json!({ "columns": names(columns, relation) })),
        ConstraintKind::PrimaryKey { columns, .. } => ("primary key", json!({ "columns": names(columns, relation) })),
        ConstraintKind::Exclude { .. } => ("exclude", Value::Null),
        ConstraintKind::ForeignKey(key) => {
            let referenced = schema.relation(key.referenced);
            let target = referenced.map(|it| names(&key.referenced_columns, it)).unwrap_or_default();
            let columns = names(&key.columns, relation);
            let references = schema.relation_name(key.referenced);
            ("foreign key", json!({ "columns": columns, "references": references, "referencedColumns": target }))
        }
    };
    json!({ "name": constraint.name.as_str(), "kind": kind, "validated": constraint.validated, "of": more })
}

fn index(index: &Relation, table: &Relation) -> Value {
    let Some(definition) = index.as_index() else { return Value::Null };
    let part = |(at, id): (usize, &Option<pgassay::schema::ColumnId>)| match id {
        Some(id) => names(&[*id], table).join(""),
        None => match definition.elements.get(at).map(|element| &element.target) {
            Some(pgassay::change::IndexTarget::Expression(expression)) => format!("({})", expression.text),
            _ => String::new(),
        },
    };
    json!({
        "name": index.name.name.as_str(),
        "unique": definition.unique,
        "method": definition.method.as_str(),
        "columns": definition.columns.iter().enumerate().map(part).collect::<Vec<_>>(),
        "where": definition.predicate.as_ref().map(|it| it.text.to_string()),
        "valid": definition.valid,
    })
}

pub fn audit(desk: &Desk, question: Audit) -> anyhow::Result<Value> {
    let mut project = desk.project(question.project.as_deref(), HashMap::new())?;
    let schemas = project.schemas(None);
    let job = match &project.setup.snapshot {
        Some(path) => {
            let database = Database::new(snapshot::read(path)?, &mut project.sources);
            AuditJob { settings: project.setup.settings.clone(), ..database.audit_job(&project.sources) }
        }
        None => project.audit_job(),
    };
    let known = |schema: &Schema| schema.relations.values().any(|it| it.is_table() && is_called(it, &question.table));
    let is_there =
        schemas.iter().any(|(schema, _)| known(schema)) || job.made.as_ref().is_some_and(|it| known(&it.schema));
    if !is_there {
        bail!("no table is called {}{}", question.table, nearest(&question.table, &schemas));
    }
    let measured = job.facts.is_some();
    let mut report = run_audit(&job, &project.sources);
    hide_secrets(&mut project.sources);
    Filter { tables: vec![question.table.clone()], ..Filter::default() }.apply(&mut report);
    let nothing_measured =
        (!measured).then(|| "rows, sizes and use: no snapshot of the database is configured".to_owned());
    Ok(json!({
        "table": question.table,
        "findings": report.findings.iter().take(MOST).map(|it| finding(it, &project, desk)).collect::<Vec<_>>(),
        "findingsLeftOff": report.findings.len().saturating_sub(MOST),
        "judgedOn": basis(&project, desk),
        "notLookedAt": not_looked_at(&project, report.unchecked.into_iter().chain(nothing_measured)),
    }))
}

pub fn read_plan(question: &ReadPlan) -> anyhow::Result<Value> {
    let plans = plan::read(&plan::text_of(question.plan.as_bytes())).context("the plan could not be read")?;
    let plans: Vec<Assayed> = plans.into_iter().map(Assayed::new).collect();
    let one = |assayed: &Assayed| {
        json!({
            "totalMilliseconds": assayed.plan.total_time(),
            "analyzed": assayed.plan.is_analyzed(),
            "buffers": assayed.plan.has_buffers(),
            "tips": assayed.tips.iter().take(MOST).map(tip).collect::<Vec<_>>(),
        })
    };
    let estimated = plans.iter().any(|assayed| !assayed.plan.is_analyzed());
    let without_buffers = plans.iter().any(|assayed| !assayed.plan.has_buffers());
    let mut missing = Vec::new();
    if estimated {
        missing.push("times and real rows: the plan is of EXPLAIN without ANALYZE");
    }
    if without_buffers {
        missing.push("pages read: the plan is without BUFFERS");
    }
    Ok(json!({ "plans": plans.iter().map(one).collect::<Vec<_>>(), "notLookedAt": missing }))
}

fn tip(tip: &Tip) -> Value {
    json!({
        "kind": tip.kind,
        "share": (tip.share * 100.0).round() / 100.0,
        "confidence": tip.confidence,
        "message": tip.message,
        "advice": tip.advice,
        "sql": tip.sql,
    })
}

pub fn rules(question: &Rules) -> anyhow::Result<Value> {
    let line = |rule: &&'static Rule| json!({ "rule": rule.name, "category": rule.category, "severity": rule.severity, "finds": rule.summary });
    let Some(name) = &question.rule else {
        return Ok(json!({ "rules": rules::ALL.iter().map(line).collect::<Vec<_>>() }));
    };
    let Some(rule) = rules::find(name) else {
        let hint = rules::nearest(name).map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default();
        bail!("there is no rule {name:?}{hint}");
    };
    let mut answer = line(&rule);
    answer["explanation"] = json!(rule.explanation);
    answer["fires"] = json!({ "existsBefore": rule.fires.given, "migration": rule.fires.migration });
    answer["doesNotFire"] = json!({ "existsBefore": rule.quiet.given, "migration": rule.quiet.migration });
    Ok(answer)
}
