//! CREATE TYPE, CREATE DOMAIN, CREATE FUNCTION, CREATE AGGREGATE.

use std::fmt::Write;

use super::super::catalog::{Oid, TypeKind};
use super::{Writer, comma, literal, quoted};

impl Writer<'_> {
    pub(super) fn data_type(&mut self, oid: Oid) {
        let Some(found) = self.catalog.types.get(&oid) else { return };
        let name = found.identity.printed();
        match &found.kind {
            TypeKind::Enum(labels) => {
                let labels: Vec<String> = labels.iter().map(|label| literal(label)).collect();
                self.statement(&format!("CREATE TYPE {name} AS ENUM ({})", labels.join(", ")));
            }
            TypeKind::Range(definition) => self.statement(&format!("CREATE TYPE {name} AS RANGE ({definition})")),
            TypeKind::Composite(relation) => {
                let mut text = format!("CREATE TYPE {name} AS (");
                let mut first = true;
                for column in self.catalog.columns.get(relation).into_iter().flatten() {
                    comma(&mut text, &mut first, ", ");
                    _ = write!(text, "{} {}", quoted(&column.name), column.data_type);
                    if let Some(collation) = &column.collation {
                        _ = write!(text, " COLLATE {collation}");
                    }
                }
                text.push(')');
                self.statement(&text);
            }
            TypeKind::Domain(domain) => {
                let mut text = format!("CREATE DOMAIN {name} AS {}", domain.base);
                if let Some(collation) = &domain.collation {
                    _ = write!(text, " COLLATE {collation}");
                }
                if let Some(default) = &domain.default {
                    _ = write!(text, " DEFAULT {default}");
                }
                if domain.not_null {
                    text.push_str(" NOT NULL");
                }
                let (late, inline): (Vec<_>, Vec<_>) =
                    domain.constraints.iter().partition(|(_, definition)| definition.ends_with(" NOT VALID"));
                for (name, definition) in inline {
                    _ = write!(text, " CONSTRAINT {} {definition}", quoted(name));
                }
                self.statement(&text);
                for (constraint, definition) in late {
                    let constraint = quoted(constraint);
                    self.statement(&format!("ALTER DOMAIN {name} ADD CONSTRAINT {constraint} {definition}"));
                }
            }
        }
    }

    pub(super) fn routine(&mut self, oid: Oid) {
        if let Some(routine) = self.catalog.routines.get(&oid) {
            let definition = routine.definition.replacen("CREATE OR REPLACE ", "CREATE ", 1);
            self.statement(&definition);
        }
        if let Some(aggregate) = self.catalog.aggregates.get(&oid) {
            let (name, options) = (aggregate.identity.printed(), &aggregate.options);
            let arguments = if aggregate.arguments.is_empty() { "*" } else { &aggregate.arguments };
            self.statement(&format!("CREATE AGGREGATE {name}({arguments}) ({options})"));
        }
    }
}
