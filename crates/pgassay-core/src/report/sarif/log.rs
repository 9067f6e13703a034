//! The objects of SARIF that are written, by the names that the standard gives them (section 3).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::area::Area;
use crate::finding::{Category, Evidence, NumberedStep};
use crate::migration::Coverage;
use crate::report::{ProvedMigration, Rolling, Summary};
use crate::version::PgVersion;

#[derive(Serialize)]
pub struct Log<'r> {
    #[serde(rename = "$schema")]
    pub schema: &'static str,
    pub version: &'static str,
    pub runs: [Run<'r>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run<'r> {
    pub tool: Tool,
    pub original_uri_base_ids: BTreeMap<&'static str, Described>,
    pub invocations: [Invocation; 1],
    /// What a column counts.
    pub column_kind: &'static str,
    pub results: Vec<SarifResult<'r>>,
    pub properties: RunProperties<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunProperties<'r> {
    pub pg_version: PgVersion,
    pub summary: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<&'r Coverage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofProperties<'r>>,
}

/// What a shadow server showed besides the results.
#[derive(Serialize)]
pub struct ProofProperties<'r> {
    pub server: &'r str,
    pub migrations: &'r [ProvedMigration],
    pub notes: &'r [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolling: Option<&'r Rolling>,
}

#[derive(Serialize)]
pub struct Tool {
    pub driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Driver {
    pub name: &'static str,
    pub semantic_version: &'static str,
    pub rules: Vec<Descriptor>,
    pub notifications: [Notification; 2],
}

/// A rule (reportingDescriptor).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub id: &'static str,
    pub short_description: Message,
    pub full_description: Message,
    /// The rule's page, where a release says where those are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_uri: Option<String>,
    pub help: Help,
    pub default_configuration: Configuration,
    pub properties: RuleProperties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    pub id: &'static str,
    pub short_description: Message,
}

#[derive(Serialize)]
pub struct Help {
    pub text: String,
    pub markdown: String,
}

#[derive(Serialize)]
pub struct Configuration {
    pub level: &'static str,
}

#[derive(Serialize)]
pub struct RuleProperties {
    pub category: Category,
    pub tags: [&'static str; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invocation {
    pub execution_successful: bool,
    pub tool_execution_notifications: Vec<ToolNotification>,
}

#[derive(Serialize)]
pub struct ToolNotification {
    pub descriptor: Reference,
    pub level: &'static str,
    pub message: Message,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
}

#[derive(Serialize)]
pub struct Reference {
    pub id: &'static str,
}

#[derive(Serialize)]
pub struct Described {
    pub description: Message,
}

#[derive(Serialize)]
pub struct Message {
    pub text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SarifResult<'r> {
    pub rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_index: Option<usize>,
    pub level: &'static str,
    pub message: Message,
    pub locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_locations: Vec<Location>,
    pub partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixes: Option<[Fix; 1]>,
    pub properties: ResultProperties<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fix {
    pub description: Message,
    pub artifact_changes: [ArtifactChange; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactChange {
    pub artifact_location: ArtifactLocation,
    pub replacements: [Replacement; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replacement {
    pub deleted_region: Region,
    pub inserted_content: InsertedContent,
}

#[derive(Serialize)]
pub struct InsertedContent {
    pub text: String,
}

#[derive(Serialize)]
pub struct ResultProperties<'r> {
    pub category: Category,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
    pub evidence: &'r [Evidence],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<Witness<'r>>,
    pub advice: &'r str,
    pub steps: Vec<NumberedStep<'r>>,
}

#[derive(Serialize)]
pub struct Witness<'r> {
    pub sql: &'r str,
    /// What the server answers to it after the migration.
    pub after: &'r str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    pub physical_location: PhysicalLocation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PhysicalLocation {
    pub artifact_location: ArtifactLocation,
    pub region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactLocation {
    pub uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri_base_id: Option<&'static str>,
}

/// Lines and columns count from 1; the end is the first column behind it (section 3.30.2).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    pub start_line: u32,
    pub start_column: u32,
    pub end_line: u32,
    pub end_column: u32,
}
