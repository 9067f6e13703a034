//! The JSON format: stable field names, documented in docs/json.md.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    Difference, DifferenceField, EffectRecord, Proof, ProvedMigration, QueryProblem, Renderer, Report, Rolling,
    StatementPlaces, StatementRecord, Summary, Withdrawn, fingerprints,
};
use crate::area::Area;
use crate::catalog::LockMode;
use crate::change::{Name, PrintedName};
use crate::contract::Witness;
use crate::effect::InTransactionBlock;
use crate::finding::{Category, Cause, Confidence, Evidence, Finding, NumberedStep, Severity, numbered};
use crate::history::TransactionKind;
use crate::migration::Coverage;

use crate::source::{Sources, Span};
use crate::version::PgVersion;

pub struct Json;

#[derive(Serialize)]
struct Document<'r> {
    version: &'static str,
    pg_version: PgVersion,
    statements: Vec<Statement<'r>>,
    findings: Vec<JsonFinding<'r>>,
    /// What could not be read of a database.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unchecked: &'r [String],
    /// What the configuration accepts of a database, and what of it is over.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    accepted: &'r [String],
    /// The difference to an earlier audit.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'r super::since::Since>,
    /// Files that could not be read.
    errors: &'r [String],
    summary: Summary,
    /// What was read and what was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<&'r Coverage>,
    /// What was predicted and went otherwise on the shadow server.
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<Vec<JsonDifference<'r>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<JsonProof<'r>>,
}

#[derive(Serialize)]
struct JsonDifference<'r> {
    file: &'r str,
    line: u32,
    column: u32,
    field: DifferenceField,
    predicted: &'r str,
    observed: &'r str,
    sql: &'r str,
}

#[derive(Serialize)]
struct JsonProof<'r> {
    server: &'r str,
    notes: &'r [String],
    migrations: &'r [ProvedMigration],
    withdrawn: Vec<JsonWithdrawn<'r>>,
    queries: usize,
    executed: usize,
    unprepared: &'r [QueryProblem],
    rolling: Option<&'r Rolling>,
}

#[derive(Serialize)]
struct JsonWithdrawn<'r> {
    rule: &'static str,
    file: &'r str,
    line: u32,
    message: &'r str,
    reason: &'r str,
}

#[derive(Serialize)]
struct JsonObserved<'r> {
    #[serde(flatten)]
    effect: JsonEffect<'r>,
    error: Option<&'r str>,
    milliseconds: u64,
}

#[derive(Serialize)]
struct Statement<'r> {
    file: &'r str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    sql: &'r str,
    migration: &'r str,
    transaction: Option<JsonTransaction>,
    changes: &'r [&'static str],
    conditional: bool,
    effect: JsonEffect<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed: Option<JsonObserved<'r>>,
}

/// A transaction block; statements of one history with one number commit together.
#[derive(Serialize)]
struct JsonTransaction {
    number: u32,
    opened_by: OpenedBy,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum OpenedBy {
    File,
    Tool,
    Server,
}

impl From<TransactionKind> for OpenedBy {
    fn from(kind: TransactionKind) -> OpenedBy {
        match kind {
            TransactionKind::Explicit => OpenedBy::File,
            TransactionKind::Framework => OpenedBy::Tool,
            TransactionKind::Implicit => OpenedBy::Server,
        }
    }
}

#[derive(Serialize)]
struct JsonEffect<'r> {
    locks: Vec<JsonLock<'r>>,
    rewrites: Vec<&'r str>,
    scans: Vec<&'r str>,
    index_builds: Vec<&'r str>,
    in_transaction_block: InTransactionBlock,
}

#[derive(Serialize)]
struct JsonLock<'r> {
    relation: &'r str,
    mode: LockMode,
}

#[derive(Serialize)]
struct JsonFinding<'r> {
    rule: &'static str,
    /// Stays when lines move and SQL is laid out anew.
    fingerprint: String,
    category: Category,
    severity: Severity,
    file: &'r str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    object: Option<&'r str>,
    /// The names that the object's text is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Subject<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'r Cause>,
    /// Which of the statements it is about, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<usize>,
    /// The table that an audit lists it under.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<Confidence>,
    /// Part of the application, where the configuration names one.
    area: Option<Area>,
    message: &'r str,
    evidence: &'r [Evidence],
    witness: Option<&'r str>,
    /// What the server answers to the witness after the migration.
    witness_after: Option<&'r str>,
    advice: &'r str,
    steps: Vec<NumberedStep<'r>>,
    related: Vec<Related<'r>>,
}

#[derive(Serialize)]
struct Subject<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'r str>,
    name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'r str>,
}

#[derive(Serialize)]
struct Related<'r> {
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    message: &'r str,
}

impl Renderer for Json {
    fn render(&self, report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        let named = report.findings.iter().zip(fingerprints(report, sources));
        let places = StatementPlaces::of(report);
        let document = Document {
            version: env!("CARGO_PKG_VERSION"),
            pg_version: report.pg_version,
            statements: report.statements.iter().map(|record| statement(record, sources)).collect(),
            findings: named.map(|(found, name)| finding(found, name, &places, sources)).collect(),
            unchecked: &report.unchecked,
            accepted: &report.accepted,
            since: report.since.as_ref(),
            errors: &report.errors,
            summary: report.summary,
            coverage: report.coverage.as_ref(),
            differences: report.proof.as_ref().map(|proof| differences(proof, sources)),
            proof: report.proof.as_ref().map(|found| proof(found, sources)),
        };
        super::write_json(out, &document)?;
        writeln!(out)
    }
}

fn statement<'r>(record: &'r StatementRecord, sources: &'r Sources) -> Statement<'r> {
    let (start, end) = sources.positions(record.span);
    let effect = &record.effect;
    Statement {
        file: &sources.file(record.span.file).name,
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        sql: sources.slice(record.span),
        migration: &record.migration,
        transaction: record.transaction.map(|(id, kind)| JsonTransaction { number: id.0, opened_by: kind.into() }),
        changes: &record.changes,
        conditional: record.conditional,
        effect: json_effect(effect),
        observed: record.observed.as_ref().map(|observed| JsonObserved {
            effect: json_effect(&observed.effect),
            error: observed.error.as_deref(),
            milliseconds: observed.milliseconds,
        }),
    }
}

fn json_effect(effect: &EffectRecord) -> JsonEffect<'_> {
    fn names(names: &[Box<str>]) -> Vec<&str> {
        names.iter().map(|name| &**name).collect()
    }
    JsonEffect {
        locks: effect.locks.iter().map(|(relation, mode)| JsonLock { relation, mode: *mode }).collect(),
        rewrites: names(&effect.rewrites),
        scans: names(&effect.scans),
        index_builds: names(&effect.index_builds),
        in_transaction_block: effect.in_transaction_block,
    }
}

fn differences<'r>(proof: &'r Proof, sources: &'r Sources) -> Vec<JsonDifference<'r>> {
    let difference = |found: &'r Difference| {
        let start = sources.positions(found.span).0;
        JsonDifference {
            file: &sources.file(found.span.file).name,
            line: start.line,
            column: start.column,
            field: found.field,
            predicted: &found.predicted,
            observed: &found.observed,
            sql: sources.slice(found.span),
        }
    };
    proof.differences.iter().map(difference).collect()
}

fn proof<'r>(proof: &'r Proof, sources: &'r Sources) -> JsonProof<'r> {
    let withdrawn = |found: &'r Withdrawn| JsonWithdrawn {
        rule: found.rule,
        file: &sources.file(found.span.file).name,
        line: sources.positions(found.span).0.line,
        message: &found.message,
        reason: &found.reason,
    };
    JsonProof {
        server: &proof.server,
        notes: &proof.notes,
        migrations: &proof.migrations,
        withdrawn: proof.withdrawn.iter().map(withdrawn).collect(),
        queries: proof.queries,
        executed: proof.executed,
        unprepared: &proof.unprepared,
        rolling: proof.rolling.as_ref(),
    }
}

/// The names that were printed; none of what is known as text only.
fn subject(object: &PrintedName) -> Option<Subject<'_>> {
    let part = object.part_name().map(Name::as_str);
    Some(Subject { schema: object.schema().map(Name::as_str), name: object.name()?.as_str(), part })
}

fn finding<'r>(
    finding: &'r Finding,
    fingerprint: String,
    places: &StatementPlaces,
    sources: &'r Sources,
) -> JsonFinding<'r> {
    let (start, end) = sources.positions(finding.span);
    let witness = finding.witness.as_ref();
    JsonFinding {
        rule: finding.rule.name,
        fingerprint,
        category: finding.category,
        severity: finding.severity,
        file: &sources.file(finding.span.file).name,
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        object: finding.object.as_deref(),
        subject: finding.object.as_ref().and_then(subject),
        cause: finding.cause.as_ref(),
        statement: places.around(finding.span),
        table: finding.table.as_deref(),
        confidence: finding.confidence,
        area: finding.area,
        message: &finding.message,
        evidence: &finding.evidence,
        witness: witness.map(|witness: &Witness| witness.sql.as_str()),
        witness_after: witness.map(|witness| witness.after.as_str()),
        advice: &finding.advice.text,
        steps: numbered(&finding.advice.steps),
        related: finding.related.iter().map(|(span, message)| related(*span, message, sources)).collect(),
    }
}

fn related<'r>(span: Span, message: &'r str, sources: &Sources) -> Related<'r> {
    let (start, end) = sources.positions(span);
    Related { line: start.line, column: start.column, end_line: end.line, end_column: end.column, message }
}
