//! What is measured of tables, as far as the advisor needs it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::change::QualifiedName;

/// Tables of a database by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tables {
    pub tables: BTreeMap<QualifiedName, TableInfo>,
    /// What indexes other than B-trees serve, by the catalog: extensions and types of users are in it.
    #[serde(default)]
    pub operators: Vec<Operator>,
    /// Extensions that the server has and the database has not.
    #[serde(default)]
    pub available: Vec<String>,
    /// Major version of the server.
    #[serde(default)]
    pub major: u16,
}

/// An operator that an operator class of an access method serves (pg_amop).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Operator {
    pub name: String,
    /// The operator that says the same with its sides changed over.
    pub commutator: Option<String>,
    pub method: String,
    /// With its schema, where that has to be written.
    pub class: String,
    /// The class is taken where none is written.
    pub default: bool,
    /// The index returns rows in the order of the operator's result.
    pub orders: bool,
    /// The type that the class is for, as format_type prints it.
    pub data_type: String,
    /// `a` for any array, `r` for any range, `e` for any enum; else the type itself.
    pub any: Option<String>,
}

impl Operator {
    /// Whether it is the operator of an atom over a column of this type; over an expression, whose type is not known, the name alone counts.
    pub(super) fn is(&self, name: &str, commuted: bool, column: Option<&ColumnInfo>) -> bool {
        let own = if commuted { self.commutator.as_deref() == Some(name) } else { self.name == name };
        own && column.is_none_or(|column| self.takes(column))
    }

    /// Whether the class is for the type of a column.
    pub(super) fn takes(&self, column: &ColumnInfo) -> bool {
        let of = column.data_type.as_str();
        match self.any.as_deref() {
            Some("a") => of.ends_with("[]"),
            Some(kind) => column.kind.as_deref() == Some(kind),
            None => {
                let plain = of.split_once('(').map_or(of, |(name, _)| name);
                // The text types share their operators.
                let plain = if plain == "character varying" { "text" } else { plain };
                plain == self.data_type
            }
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TableInfo {
    pub rows: f64,
    pub pages: u64,
    pub partitioned: bool,
    /// `RANGE (at)`, of a partitioned table.
    #[serde(default)]
    pub partition_key: Option<String>,
    /// The table that it is a partition of, at the top of the tree.
    pub root: Option<QualifiedName>,
    /// Partitions that hold rows.
    pub partitions: Vec<QualifiedName>,
    pub columns: BTreeMap<String, ColumnInfo>,
    pub indexes: Vec<IndexInfo>,
    /// Foreign keys of other tables that refer to this one.
    #[serde(default)]
    pub referenced_by: Vec<Reference>,
    /// Policies restrict which rows a role sees.
    #[serde(default)]
    pub row_security: bool,
    /// Days in which writes were counted.
    #[serde(default)]
    pub counted_days: Option<f64>,
    /// Writes a day; `None` where not counted.
    pub inserts: Option<f64>,
    pub updates: Option<f64>,
    pub hot_updates: Option<f64>,
    /// The table was filled while writes were counted, so that `inserts` are no rate.
    #[serde(default)]
    pub loaded: bool,
}

/// A foreign key that refers to a table: a row of it can be deleted, or its key changed, only after its columns were searched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    pub schema: String,
    pub table: String,
    pub columns: Vec<String>,
    /// The columns that it refers to.
    pub referenced: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnInfo {
    /// As format_type prints it, of the base type of a domain.
    pub data_type: String,
    /// As pg_type.typtype: `r` for ranges, `e` for enums.
    #[serde(default)]
    pub kind: Option<String>,
    /// Bytes of the longest value in the statistics, of a type that has no limit; `None` if the type has one.
    #[serde(default)]
    pub longest: Option<f64>,
    /// Bytes on average.
    pub width: f64,
    /// As pg_stats has it; 0 is unknown.
    pub n_distinct: f64,
    pub correlation: f64,
    pub null_fraction: f64,
    /// The share of the most common value.
    pub most_common: f64,
    /// Elements of an array, words of a document, on average; `None` where statistics do not tell.
    #[serde(default)]
    pub elements: Option<f64>,
    /// The most common value as text, where statistics have it. It is as private as the rows.
    #[serde(default, skip_serializing)]
    pub most_common_value: Option<String>,
    /// A value as common as those are that are in no list of the most common ones, or the last of the list. As private.
    #[serde(default, skip_serializing)]
    pub rare_value: Option<String>,
    /// Values above 5, 50 and 95 % of those in the histogram. As private.
    #[serde(default, skip_serializing)]
    pub quantiles: Option<[String; 3]>,
    /// Texts of this column are compared as bytes, so that a plain index serves LIKE 'abc%'.
    pub c_collation: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IndexInfo {
    pub name: String,
    /// As pg_get_indexdef writes it.
    pub definition: String,
    pub unique: bool,
    /// Of a primary key, unique or exclusion constraint, or the replica identity.
    pub needed: bool,
    pub valid: bool,
    pub bytes: u64,
}

impl TableInfo {
    /// Distinct values of a column; a tenth of the rows where unknown, as the planner assumes at most 200.
    pub fn distinct(&self, column: &str) -> f64 {
        let rows = self.rows.max(1.0);
        match self.columns.get(column).map(|it| it.n_distinct) {
            Some(n) if n > 0.0 => n.min(rows),
            Some(n) if n < 0.0 => (-n * rows).max(1.0),
            _ => rows.min(200.0),
        }
    }
}
