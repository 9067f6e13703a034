//! SARIF 2.1.0 (OASIS), as GitHub code scanning and editors read it.
//!
//! Files are named relative to `%SRCROOT%`, the repository's root.

mod fix;
mod log;

pub use fix::edit;

use std::io::{self, Write};

use log::*;

use super::fingerprint::{FINGERPRINT_VERSION, Statements};
use super::{Difference, Paths, Renderer, Report, StatementRecord, fingerprints, place, proof_text, prose};
use crate::finding::{Finding, Severity, numbered};
use crate::rules::{self, Example, Rule};
use crate::source::{Sources, Span};

#[derive(Default)]
pub struct Sarif {
    pub paths: Paths,
}

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The name under which SARIF stands for the folder that all other names are relative to.
const SOURCE_ROOT: &str = "%SRCROOT%";

/// The identifier of the notification about a file that could not be read.
const UNREADABLE_FILE: &str = "unreadable-file";

/// The identifier of the notification about a prediction that did not come true.
const NOT_AS_PREDICTED: &str = "not-as-predicted";

impl Renderer for Sarif {
    fn render(&self, report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        let named = report.findings.iter().zip(fingerprints(report, sources));
        let statements = Statements::of(report);
        let run = Run {
            tool: Tool { driver: driver() },
            original_uri_base_ids: [(SOURCE_ROOT, Described { description: text("The root of the repository.") })]
                .into(),
            invocations: [self.invocation(report, sources)],
            column_kind: "unicodeCodePoints",
            results: named
                .map(|(finding, name)| self.result(finding, name, statements.around(finding.span), sources))
                .collect(),
            properties: RunProperties {
                pg_version: report.pg_version,
                summary: report.summary,
                coverage: report.coverage.as_ref(),
                proof: report.proof.as_ref().map(|proof| ProofProperties {
                    server: &proof.server,
                    migrations: &proof.migrations,
                    notes: &proof.notes,
                    rolling: proof.rolling.as_ref(),
                }),
            },
        };
        super::write_json(out, &Log { schema: SCHEMA, version: "2.1.0", runs: [run] })?;
        writeln!(out)
    }
}

impl Sarif {
    fn result<'r>(
        &self,
        finding: &'r Finding,
        fingerprint: String,
        statement: Option<&StatementRecord>,
        sources: &Sources,
    ) -> SarifResult<'r> {
        let related = finding.related.iter().enumerate();
        SarifResult {
            rule_id: finding.rule.name,
            rule_index: rules::ALL.iter().position(|rule| rule.name == finding.rule.name),
            level: level(finding.severity),
            message: text(prose::full_text(finding)),
            locations: [Location { id: None, message: None, physical_location: self.place(finding.span, sources) }],
            related_locations: related
                .map(|(index, (span, message))| Location {
                    id: Some(index + 1),
                    message: Some(text(message.clone())),
                    physical_location: self.place(*span, sources),
                })
                .collect(),
            partial_fingerprints: [(FINGERPRINT_VERSION, fingerprint)].into(),
            fixes: statement
                .and_then(|record| fix::fix(finding, record, sources, |span| self.place(span, sources)))
                .map(|fix| [fix]),
            properties: ResultProperties {
                category: finding.category,
                object: finding.object.as_deref(),
                area: finding.area,
                evidence: &finding.evidence,
                witness: finding.witness.as_ref().map(|witness| Witness { sql: &witness.sql, after: &witness.after }),
                advice: &finding.advice.text,
                steps: numbered(&finding.advice.steps),
            },
        }
    }

    fn invocation(&self, report: &Report, sources: &Sources) -> Invocation {
        let unreadable = |error: &String| ToolNotification {
            descriptor: Reference { id: UNREADABLE_FILE },
            level: "error",
            message: text(error.clone()),
            locations: Vec::new(),
        };
        let difference = |difference: &Difference| ToolNotification {
            descriptor: Reference { id: NOT_AS_PREDICTED },
            level: "note",
            message: text(proof_text::difference(difference)),
            locations: vec![Location {
                id: None,
                message: None,
                physical_location: self.place(difference.span, sources),
            }],
        };
        let differences = report.proof.iter().flat_map(|proof| &proof.differences).map(difference);
        Invocation {
            execution_successful: report.errors.is_empty(),
            tool_execution_notifications: report.errors.iter().map(unreadable).chain(differences).collect(),
        }
    }

    fn place(&self, span: Span, sources: &Sources) -> PhysicalLocation {
        let (start, end) = sources.positions(span);
        let name = self.paths.relative(&sources.file(span.file).name);
        let artifact_location = match name.starts_with('/') {
            true => ArtifactLocation { uri: format!("file://{}", place::uri(&name)), uri_base_id: None },
            false => ArtifactLocation { uri: place::uri(&name), uri_base_id: Some(SOURCE_ROOT) },
        };
        let region =
            Region { start_line: start.line, start_column: start.column, end_line: end.line, end_column: end.column };
        PhysicalLocation { artifact_location, region }
    }
}

fn driver() -> Driver {
    Driver {
        name: "pgassay",
        semantic_version: env!("CARGO_PKG_VERSION"),
        rules: rules::ALL.iter().map(|rule| descriptor(rule)).collect(),
        notifications: [
            Notification { id: UNREADABLE_FILE, short_description: text("A file could not be read") },
            Notification {
                id: NOT_AS_PREDICTED,
                short_description: text("A statement did something else on a shadow server than was predicted"),
            },
        ],
    }
}

fn descriptor(rule: &'static Rule) -> Descriptor {
    Descriptor {
        id: rule.name,
        short_description: text(rule.summary),
        full_description: text(format!("{}. {}", rule.summary, rule.explanation)),
        help_uri: rules::PAGES.map(|pages| rules::page(pages, rule.name)),
        help: Help { text: rule.explanation.to_owned(), markdown: help(rule) },
        default_configuration: Configuration { level: level(rule.severity) },
        properties: RuleProperties { category: rule.category, tags: ["postgresql", rule.category.name()] },
    }
}

/// The explanation with an example that fires and a close one that does not.
fn help(rule: &Rule) -> String {
    format!(
        "{}\n\nFires:\n\n{}\n\nDoes not fire:\n\n{}\n",
        rule.explanation,
        example(&rule.fires),
        example(&rule.quiet)
    )
}

fn example(example: &Example) -> String {
    match example.given.is_empty() {
        true => format!("```sql\n{}\n```", example.migration),
        false => format!("```sql\n-- given\n{}\n\n-- the migration\n{}\n```", example.given, example.migration),
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn text(text: impl Into<String>) -> Message {
    Message { text: text.into() }
}
