//! What is said behind the tables: indexes, partitions, foreign keys, settings, triggers, policies.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::super::catalog::{Index, Oid};
use super::tables::constraint;
use super::{Writer, quoted};

impl Writer<'_> {
    /// Indexes that belong to no constraint. `early`: those that must be there before partitions are attached, so that the server
    /// finds out which part belongs to which.
    pub(super) fn indexes(&mut self, early: bool) {
        for table in self.relations("rpm") {
            let partitioned = self.catalog.relations.get(&table).is_some_and(|relation| relation.kind == 'p');
            for index in self.catalog.indexes.get(&table).into_iter().flatten() {
                let is_late = partitioned && !index.valid;
                if index.constraint || is_late == early {
                    continue;
                }
                let definition = if is_late { index.definition.to_string() } else { on_all(&index.definition) };
                self.statement(&definition);
                self.index_settings(table, index);
            }
        }
    }

    fn index_settings(&mut self, table: Oid, index: &Index) {
        let schema = self.catalog.relations.get(&table).map(|it| quoted(&it.identity.schema)).unwrap_or_default();
        for setting in &index.settings {
            self.statement(&format!("ALTER INDEX {schema}.{} ALTER COLUMN {setting}", quoted(&index.name)));
        }
    }

    /// ATTACH PARTITION and INHERIT.
    pub(super) fn attachments(&mut self) {
        for child in self.relations("rpf") {
            let Some(relation) = self.catalog.relations.get(&child) else { continue };
            for parent in self.joined_later(child).to_vec() {
                let (parent, child) = (self.name(parent), self.name(child));
                if parent.is_empty() {
                    continue;
                }
                match &relation.bound {
                    Some(bound) => {
                        self.statement(&format!("ALTER TABLE ONLY {parent} ATTACH PARTITION {child} {bound}"))
                    }
                    None if relation.is_partition => {
                        self.line(&format!("-- {child}: the bound of this partition of {parent} could not be read"))
                    }
                    None => self.statement(&format!("ALTER TABLE ONLY {child} INHERIT {parent}")),
                }
            }
        }
    }

    /// Foreign keys, what is not valid, and keys that CREATE TABLE would take for one.
    pub(super) fn late_constraints(&mut self) {
        for table in self.relations("rpf") {
            let name = self.name(table);
            let partitioned = self.catalog.relations.get(&table).is_some_and(|relation| relation.kind == 'p');
            for found in self.catalog.constraints.get(&table).into_iter().flatten() {
                let late = match found.kind {
                    'f' => true,
                    'c' | 'n' => !found.validated && (found.local || !found.inherited),
                    'u' => self.is_repeated(table, found),
                    _ => false,
                };
                if late {
                    // A partitioned table's foreign key goes to its partitions too.
                    let only = if partitioned { "" } else { "ONLY " };
                    self.statement(&format!("ALTER TABLE {only}{name} ADD {}", constraint(found)));
                }
            }
        }
    }

    /// Column settings, replica identity, CLUSTER ON, row security: one ALTER TABLE.
    pub(super) fn table_settings(&mut self) {
        for table in self.relations("rpfmv") {
            let Some(relation) = self.catalog.relations.get(&table) else { continue };
            let mut actions = Vec::new();
            for column in self.catalog.columns.get(&table).into_iter().flatten() {
                let name = quoted(&column.name);
                actions.extend(column.settings.iter().map(|setting| format!("ALTER COLUMN {name} {setting}")));
                if let (Some(default), 'v') = (&column.default, relation.kind) {
                    actions.push(format!("ALTER COLUMN {name} SET DEFAULT {default}"));
                }
            }
            let indexes = self.catalog.indexes.get(&table).map(Vec::as_slice).unwrap_or_default();
            match relation.replica_identity {
                'n' if relation.kind != 'v' && relation.kind != 'f' => {
                    actions.push("REPLICA IDENTITY NOTHING".to_owned())
                }
                'f' => actions.push("REPLICA IDENTITY FULL".to_owned()),
                'i' => {
                    let index = indexes.iter().find(|index| index.replica_identity);
                    actions.extend(index.map(|it| format!("REPLICA IDENTITY USING INDEX {}", quoted(&it.name))));
                }
                _ => {}
            }
            let clustered = indexes.iter().find(|index| index.clustered);
            actions.extend(clustered.map(|index| format!("CLUSTER ON {}", quoted(&index.name))));
            if relation.row_security {
                actions.push("ENABLE ROW LEVEL SECURITY".to_owned());
            }
            if relation.force_row_security {
                actions.push("FORCE ROW LEVEL SECURITY".to_owned());
            }
            if actions.is_empty() {
                continue;
            }
            let kind = match relation.kind {
                'v' => "VIEW",
                'm' => "MATERIALIZED VIEW",
                'f' => "FOREIGN TABLE ONLY",
                _ => "TABLE ONLY",
            };
            let name = self.name(table);
            if relation.kind == 'v' {
                for action in actions {
                    self.statement(&format!("ALTER {kind} {name} {action}"));
                }
            } else {
                self.statement(&format!("ALTER {kind} {name}\n    {}", actions.join(",\n    ")));
            }
        }
    }

    pub(super) fn rules_and_triggers(&mut self) {
        let catalog = self.catalog;
        // Before there are others to switch off.
        let silenced = catalog.relations.iter().filter(|(_, relation)| relation.system_triggers_off);
        for table in silenced.map(|(oid, _)| *oid).collect::<BTreeSet<Oid>>() {
            self.statement(&format!("ALTER TABLE ONLY {} DISABLE TRIGGER ALL", self.name(table)));
        }
        for rule in &catalog.rules {
            self.statement(&rule.part.definition);
            self.firing(rule.part.table, "RULE", &rule.part.name, rule.mode);
        }
        for trigger in &catalog.triggers {
            self.statement(&trigger.part.definition);
            self.firing(trigger.part.table, "TRIGGER", &trigger.part.name, trigger.mode);
        }
    }

    /// When a trigger or rule fires, where it is not the usual.
    fn firing(&mut self, table: Oid, kind: &str, name: &str, mode: char) {
        let action = match mode {
            'D' => "DISABLE",
            'R' => "ENABLE REPLICA",
            'A' => "ENABLE ALWAYS",
            _ => return,
        };
        let table = self.name(table);
        self.statement(&format!("ALTER TABLE {table} {action} {kind} {}", quoted(name)));
    }

    pub(super) fn policies(&mut self) {
        for policy in &self.catalog.policies {
            let mut text = format!("CREATE POLICY {} ON {}", quoted(&policy.name), self.name(policy.table));
            if !policy.permissive {
                text.push_str(" AS RESTRICTIVE");
            }
            if policy.command != "ALL" {
                _ = write!(text, " FOR {}", policy.command);
            }
            if policy.roles != ["PUBLIC"] {
                _ = write!(text, " TO {}", policy.roles.join(", "));
            }
            if let Some(using) = &policy.using {
                _ = write!(text, " USING ({using})");
            }
            if let Some(check) = &policy.with_check {
                _ = write!(text, " WITH CHECK ({check})");
            }
            self.statement(&text);
        }
    }

    pub(super) fn statistics(&mut self) {
        let mut all: Vec<_> = self.catalog.statistics.values().collect();
        all.sort_by_key(|it| (&it.schema, &it.part.name));
        for statistics in all {
            self.statement(&statistics.part.definition);
            let name = format!("{}.{}", quoted(&statistics.schema), quoted(&statistics.part.name));
            self.statement(&format!("ALTER STATISTICS {name} OWNER TO {}", quoted(&statistics.owner)));
        }
    }
}

/// `CREATE INDEX i ON ONLY t` of a partitioned table, without ONLY: while it has no partitions, that makes a valid index.
fn on_all(definition: &str) -> String {
    match definition.find(" ON ONLY ") {
        // A name could hold these words, in quotes.
        Some(at) if definition[..at].matches('"').count().is_multiple_of(2) => {
            definition.replacen(" ON ONLY ", " ON ", 1)
        }
        _ => definition.to_owned(),
    }
}
