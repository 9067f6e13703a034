//! Types that columns cannot have, lengths that types do not take, and storage that a type has no use for.

use super::super::predictor::Predictor;
use crate::catalog;
use crate::change::{Ident, ObjectName, TypeName};
use crate::expression;
use crate::schema::{ColumnType, Relation, ResolvedType};

/// `MaxAttrSize` (htup_details.h): the longest text that is declared, in characters, and in bits.
const LONGEST: i32 = 10_485_760;
const MOST_BITS: i32 = LONGEST * 8;

/// Types of pg_catalog that take no modifier.
const WITHOUT_MODIFIER: &[&str] = &[
    "text", "bytea", "uuid", "json", "jsonb", "date", "bool", "int2", "int4", "int8", "inet", "cidr", "oid", "name",
    "xml",
];

/// Types of pg_catalog of a fixed length: stored plainly, and never compressed (pg_type.typlen).
const FIXED: &[&str] = &[
    "bool",
    "int2",
    "int4",
    "int8",
    "float4",
    "float8",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "oid",
    "money",
    "point",
    "macaddr",
    "name",
];

impl Predictor<'_> {
    /// The type of a column that stores values (`CheckAttributeType`, heap.c), and its modifiers (anychar_typmodin, numerictypmodin).
    pub(super) fn refuse_column_type(&mut self, column: &Ident, of: &ColumnType, written: &TypeName) -> bool {
        if of.resolved != ResolvedType::BuiltIn {
            return false;
        }
        let name = of.written.name.as_str();
        let found = catalog::built_in_type(name);
        let pseudo = found.is_some_and(|it| it.kind == 'p') && (of.written.array_dimensions == 0 || name == "record");
        let message = if pseudo {
            let array = if of.written.array_dimensions > 0 { "[]" } else { "" };
            Some(format!("column \"{}\" has pseudo-type {name}{array}", column.name.as_str()))
        } else {
            self.wrong_modifier(written)
        };
        let refused = message.is_some();
        message.into_iter().for_each(|message| self.refused(written.span, &column.name, message));
        refused
    }

    pub(super) fn wrong_modifier(&self, written: &TypeName) -> Option<String> {
        let first = *written.modifiers.first()?;
        let length = |name: &str, most: i32| match first {
            ..=0 => Some(format!("length for type {name} must be at least 1")),
            _ if first > most => Some(format!("length for type {name} cannot exceed {most}")),
            _ => None,
        };
        match written.name.as_str() {
            "varchar" => length("varchar", LONGEST),
            "bpchar" => length("char", LONGEST),
            "bit" => length("bit", MOST_BITS),
            "varbit" => length("varbit", MOST_BITS),
            "numeric" if !(1..=1000).contains(&first) => {
                Some(format!("NUMERIC precision {first} must be between 1 and 1000"))
            }
            "numeric" => {
                let scale = *written.modifiers.get(1)?;
                match self.at_least(15) {
                    true if !(-1000..=1000).contains(&scale) => {
                        Some(format!("NUMERIC scale {scale} must be between -1000 and 1000"))
                    }
                    false if !(0..=first).contains(&scale) => {
                        Some(format!("NUMERIC scale {scale} must be between 0 and precision {first}"))
                    }
                    _ => None,
                }
            }
            name if WITHOUT_MODIFIER.contains(&name) => {
                Some(format!("type modifier is not allowed for type \"{name}\""))
            }
            _ => None,
        }
    }

    /// COLLATE of a type without collations (`GetColumnDefCollation`, parse_type.c).
    pub(super) fn refuse_collation(&mut self, collation: &ObjectName, of: &ColumnType) -> bool {
        let known = of.resolved == ResolvedType::BuiltIn;
        let category = catalog::built_in_type(of.written.name.as_str()).map(|it| (it.kind, it.category));
        let refused =
            known && category.is_some_and(|(kind, category)| kind == 'b' && !matches!(category, 'S' | 'Z' | 'U'));
        if refused {
            let message =
                format!("collations are not supported by type {}", expression::type_word(of, self.scope(None)));
            self.refused(collation.span, collation, message);
        }
        refused
    }

    /// SET STORAGE (ATExecSetStorage, tablecmds.c).
    pub(super) fn refuse_storage(&mut self, table: &Relation, column: &Ident, storage: &Ident) {
        let name = storage.name.as_str().to_lowercase();
        let known =
            matches!(&*name, "plain" | "external" | "extended" | "main") || name == "default" && self.at_least(16);
        if !known {
            let message = format!("invalid storage type \"{}\"", storage.name.as_str());
            return self.refused(storage.span, &column.name, message);
        }
        if let Some(of) = fixed(table, column).filter(|_| !matches!(&*name, "plain" | "default")) {
            let of = expression::type_word(&of, self.scope(None));
            self.refused(storage.span, &column.name, format!("column data type {of} can only have storage PLAIN"));
        }
    }

    /// SET COMPRESSION (`GetAttributeCompression`, tablecmds.c).
    pub(super) fn refuse_compression(&mut self, table: &Relation, column: &Ident, method: &Ident) {
        let name = method.name.as_str().to_lowercase();
        if !matches!(&*name, "pglz" | "lz4" | "default") {
            let message = format!("invalid compression method \"{}\"", method.name.as_str());
            return self.refused(method.span, &column.name, message);
        }
        if let Some(of) = fixed(table, column).filter(|_| name != "default") {
            let of = expression::type_word(&of, self.scope(None));
            self.refused(method.span, &column.name, format!("column data type {of} does not support compression"));
        }
    }
}

/// The type of a column, where its values are all of one length.
fn fixed(table: &Relation, column: &Ident) -> Option<ColumnType> {
    let of = &table.column(&column.name)?.data_type;
    let plain = of.resolved == ResolvedType::BuiltIn && of.written.array_dimensions == 0;
    (plain && FIXED.contains(&of.written.name.as_str())).then(|| of.clone())
}
