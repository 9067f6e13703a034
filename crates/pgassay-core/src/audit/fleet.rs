//! Many databases of one kind, or one schema for each tenant: a report by finding instead of by database, and those that drifted from the
//! majority.
//!
//! In: the report and the schema of each database, by its name. Out: [`Fleet`]. Does no I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;

use crate::change::Name;
use crate::finding::{Finding, Severity};
use crate::report::Report;
use crate::schema::{Relation, Schema};
use crate::text::{layout, plain};

/// What many databases have in common.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Fleet {
    /// `databases`, or `schemas` of one database.
    pub members: &'static str,
    /// How many there are.
    pub databases: usize,
    /// Databases that could not be audited, each with the reason.
    pub failed: Vec<(String, String)>,
    pub findings: Vec<Shared>,
    pub drift: Vec<Drift>,
}

/// One finding, wherever it was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shared {
    pub rule: &'static str,
    pub severity: Severity,
    pub object: Option<String>,
    /// As one of the databases has it.
    pub message: String,
    pub databases: BTreeSet<String>,
}

/// A table that some databases have otherwise than most.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    pub table: String,
    /// Databases that have it as most do.
    pub majority: usize,
    /// The others, with what differs first: "lacks column email", "has no such table".
    pub others: BTreeMap<String, String>,
}

/// One database, audited.
pub struct Member {
    pub name: String,
    pub report: Report,
    /// Of each table by its printed name: what is in it, in words.
    pub tables: BTreeMap<String, BTreeSet<String>>,
}

impl Member {
    pub fn new(name: String, report: Report, schema: &Schema) -> Member {
        let tables = schema.relations.values().filter(|it| it.is_table() && !it.is_partition());
        let tables = tables.map(|table| (table.name.to_string(), parts(schema, table))).collect();
        Member { name, report, tables }
    }

    /// Schemas of one database that hold the same tables for a tenant each: what is said of each, without its name. Also how many
    /// findings are about none of them.
    pub fn of_schemas(report: &Report, schema: &Schema, is_tenant: impl Fn(&Name) -> bool) -> (Vec<Member>, usize) {
        let mut members: Vec<Member> = Vec::new();
        let mut left = report.findings.len();
        for name in schema.namespaces.keys().filter(|name| is_tenant(name)) {
            let prefix = format!("{name}.");
            let mut own = Report::new(report.pg_version);
            let is_own = |finding: &&Finding| finding.object.as_ref().is_some_and(|it| it.schema() == Some(name));
            own.findings = report.findings.iter().filter(is_own).map(|finding| without(finding, &prefix)).collect();
            left -= own.findings.len();
            let tables = schema.relations.values().filter(|it| it.is_table() && !it.is_partition());
            let tables = tables.filter(|table| table.name.schema == *name);
            let parts = |table: &Relation| {
                parts(schema, table).into_iter().map(|part| unqualified(&part, &prefix)).collect::<BTreeSet<_>>()
            };
            let tables = tables.map(|table| (table.name.name.to_string(), parts(table))).collect();
            members.push(Member { name: name.to_string(), report: own, tables });
        }
        (members, left)
    }
}

/// What is said of a table of a schema, as it would be of the same table of another one.
fn without(finding: &Finding, prefix: &str) -> Finding {
    let mut finding = finding.clone();
    finding.object = finding.object.map(|object| object.without_schema());
    finding.message = unqualified(&finding.message, prefix);
    finding
}

/// A text whose names lose a schema: `a.` goes from `a.orders`, and stays in `data.orders`.
fn unqualified(text: &str, prefix: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (at, piece) in text.split(prefix).enumerate() {
        let is_end_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '"' | '.');
        if at > 0 && shown.ends_with(is_end_of_name) {
            shown.push_str(prefix);
        }
        shown.push_str(piece);
    }
    shown
}

/// Columns with type and NOT NULL, keys and indexes, so that a difference can be named.
fn parts(schema: &Schema, table: &Relation) -> BTreeSet<String> {
    let mut parts: BTreeSet<String> = table
        .columns
        .iter()
        .map(|column| {
            let required = if column.not_null.enforced() { " NOT NULL" } else { "" };
            format!("column {} {}{required}", column.name, column.data_type.written)
        })
        .collect();
    for relation in schema.indexes_of(table.id) {
        let Some(index) = relation.as_index() else { continue };
        let columns: Vec<String> = index
            .columns
            .iter()
            .map(|column| {
                let column = column.and_then(|id| table.column_by_id(id));
                column.map_or("expression".to_owned(), |column| column.name.to_string())
            })
            .collect();
        let unique = if index.unique { "unique " } else { "" };
        parts.insert(format!("{unique}index on ({})", columns.join(", ")));
    }
    for (_, key) in table.foreign_keys() {
        let names: Vec<String> =
            key.columns.iter().filter_map(|id| Some(table.column_by_id(*id)?.name.to_string())).collect();
        let parent = schema.relation(key.referenced).map(|it| it.name.to_string()).unwrap_or_default();
        parts.insert(format!("foreign key ({}) to {parent}", names.join(", ")));
    }
    parts
}

impl Fleet {
    /// `what` the members are: databases or schemas.
    pub fn of(what: &'static str, members: &[Member], failed: Vec<(String, String)>) -> Fleet {
        let mut shared: BTreeMap<(&'static str, Option<String>, String), Shared> = BTreeMap::new();
        for member in members {
            for finding in &member.report.findings {
                // What has no object is known by what it says.
                let told = if finding.object.is_none() { finding.message.clone() } else { String::new() };
                let object = finding.object.as_deref().filter(|object| *object != member.name).map(str::to_owned);
                let entry = shared.entry((finding.rule.name, object.clone(), told)).or_insert_with(|| Shared {
                    rule: finding.rule.name,
                    severity: finding.severity,
                    object,
                    message: finding.message.clone(),
                    databases: BTreeSet::new(),
                });
                entry.severity = entry.severity.max(finding.severity);
                entry.databases.insert(member.name.clone());
            }
        }
        let mut findings: Vec<Shared> = shared.into_values().collect();
        findings.sort_by(|one, other| {
            let key = |it: &Shared| (std::cmp::Reverse(it.severity), std::cmp::Reverse(it.databases.len()));
            key(one).cmp(&key(other)).then_with(|| (one.rule, &one.object).cmp(&(other.rule, &other.object)))
        });
        Fleet { members: what, databases: members.len(), failed, findings, drift: drift(members) }
    }

    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    pub fn write(&self, width: u16, out: &mut dyn Write) -> io::Result<()> {
        let mut table = layout::table(width);
        table.set_header(["severity", "rule", "found in", "what"]);
        for finding in &self.findings {
            table.add_row([
                finding.severity.to_string(),
                finding.rule.to_owned(),
                finding.found_in(self.databases),
                plain::one_line(&finding.message),
            ]);
        }
        layout::write_table(&table, out)?;
        writeln!(out)?;
        for drift in &self.drift {
            writeln!(out, "{} differs from the other {} in:", plain::one_line(&drift.table), drift.majority)?;
            for (database, what) in &drift.others {
                writeln!(out, "  {}: {}", plain::one_line(database), plain::one_line(what))?;
            }
        }
        for (database, reason) in &self.failed {
            writeln!(out, "error: {}: {}", plain::one_line(database), plain::one_line(reason))?;
        }
        writeln!(
            out,
            "{} {}: {} findings, {} tables that differ, {} not audited",
            self.databases,
            self.members,
            self.findings.len(),
            self.drift.len(),
            self.failed.len()
        )
    }
}

impl Shared {
    /// `all 12`, `3 of 12`.
    fn found_in(&self, databases: usize) -> String {
        match self.databases.len() {
            all if all == databases => format!("all {all}"),
            some => format!("{some} of {databases}"),
        }
    }

    /// Who has it, unless all have.
    fn names(&self, databases: usize) -> String {
        const MOST: usize = 5;
        if self.databases.len() == databases {
            return String::new();
        }
        let mut names: Vec<String> = self.databases.iter().take(MOST).cloned().collect();
        if self.databases.len() > MOST {
            names.push(format!("and {} more", self.databases.len() - MOST));
        }
        names.join(", ")
    }
}

impl Fleet {
    /// For a wiki or an issue.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        let (databases, members) = (self.databases, self.members);
        writeln!(out, "## {databases} {members}\n")?;
        writeln!(
            out,
            "{} findings, {} tables that differ, {} not audited.\n",
            self.findings.len(),
            self.drift.len(),
            self.failed.len()
        )?;
        if !self.findings.is_empty() {
            writeln!(out, "| severity | rule | found in | what | {members} |\n|---|---|---|---|---|")?;
        }
        for finding in &self.findings {
            let cells = [
                finding.severity.to_string(),
                format!("`{}`", finding.rule),
                finding.found_in(databases),
                cell(&finding.message),
                cell(&finding.names(databases)),
            ];
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
        for drift in &self.drift {
            writeln!(out, "\n### `{}` differs from the other {}\n", cell(&drift.table), drift.majority)?;
            for (database, what) in &drift.others {
                writeln!(out, "- {}: {}", cell(database), cell(what))?;
            }
        }
        if !self.failed.is_empty() {
            writeln!(out, "\n### Not audited\n")?;
        }
        for (database, reason) in &self.failed {
            writeln!(out, "- {}: {}", cell(database), cell(reason))?;
        }
        Ok(())
    }
}

/// Text inside of a table or a list of Markdown: on one line, without marks of its own.
fn cell(text: &str) -> String {
    plain::one_line(text)
        .replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('*', "\\*")
        .replace('_', "\\_")
}

/// Tables that more than half of the databases have in one way, and some in another. Without a majority there is nothing to drift from.
fn drift(members: &[Member]) -> Vec<Drift> {
    let names: BTreeSet<&String> = members.iter().flat_map(|member| member.tables.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        let mut kinds: BTreeMap<Option<&BTreeSet<String>>, Vec<&Member>> = BTreeMap::new();
        for member in members {
            kinds.entry(member.tables.get(name)).or_default().push(member);
        }
        if kinds.len() < 2 {
            continue;
        }
        let Some((usual, most)) = kinds.iter().max_by_key(|(_, members)| members.len()) else { continue };
        if most.len() * 2 <= members.len() {
            continue;
        }
        let others = kinds
            .iter()
            .filter(|(kind, _)| *kind != usual)
            .flat_map(|(kind, members)| {
                members.iter().map(move |member| (member.name.clone(), difference(*usual, *kind)))
            })
            .collect();
        found.push(Drift { table: name.clone(), majority: most.len(), others });
    }
    found
}

fn difference(usual: Option<&BTreeSet<String>>, own: Option<&BTreeSet<String>>) -> String {
    match (usual, own) {
        (_, None) => "has no such table".to_owned(),
        (None, Some(_)) => "has the table, which the others have not".to_owned(),
        (Some(usual), Some(own)) => {
            let lacks: Vec<&str> = usual.difference(own).map(String::as_str).take(4).collect();
            let more: Vec<&str> = own.difference(usual).map(String::as_str).take(4).collect();
            let mut parts = Vec::new();
            if !lacks.is_empty() {
                parts.push(format!("lacks {}", lacks.join("; ")));
            }
            if !more.is_empty() {
                parts.push(format!("has {}", more.join("; ")));
            }
            parts.join("; ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::PgVersion;

    #[test]
    fn a_schema_goes_from_names_in_it_only() {
        let text = "a.orders reads a.items (a.id), data.orders and \"a.b\".c";
        assert_eq!(unqualified(text, "a."), "orders reads items (id), data.orders and \"a.b\".c");
    }

    fn member(name: &str, columns: &[&str]) -> Member {
        let parts = columns.iter().map(|it| (*it).to_owned()).collect();
        Member {
            name: name.to_owned(),
            report: Report::new(PgVersion::default()),
            tables: BTreeMap::from([("public.t".to_owned(), parts)]),
        }
    }

    #[test]
    fn who_differs_from_the_majority_is_named() {
        let members =
            [member("a", &["column x text"]), member("b", &["column x text"]), member("c", &["column x integer"])];
        let fleet = Fleet::of("databases", &members, Vec::new());
        assert_eq!(fleet.drift.len(), 1);
        assert_eq!(fleet.drift[0].others["c"], "lacks column x text; has column x integer");
        let mut out = Vec::new();
        fleet.write_markdown(&mut out).expect("written");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.contains("### `public.t` differs from the other 2\n\n- c: lacks column x text"), "{text}");
        let two = [member("a", &["column x text"]), member("b", &["column x integer"])];
        assert!(Fleet::of("databases", &two, Vec::new()).drift.is_empty(), "of two nobody is the majority");
    }
}
