//! Extended statistics (CREATE STATISTICS).

use serde::{Deserialize, Serialize};

use crate::change::QualifiedName;

/// What ANALYZE found out for one statistics object. The values are those of pg_statistic_ext_data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExtendedStatisticsFacts {
    pub table: QualifiedName,
    /// `CREATE STATISTICS …` as the server writes it.
    pub definition: String,
    /// `None`: the role may not read it, or ANALYZE has not run.
    pub data: Option<ExtendedStatisticsData>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExtendedStatisticsData {
    /// Of the table with its children.
    pub inherited: bool,
    /// As text: `{"1, 2": 11}`.
    pub n_distinct: Option<String>,
    /// As text: `{"1 => 2": 1.000000}`.
    pub dependencies: Option<String>,
    /// The bytes of pg_mcv_list, in hexadecimal; holds values.
    pub most_common: Option<String>,
    /// The bytes of the other two, in hexadecimal: what can be put into another server's catalog.
    pub n_distinct_bytes: Option<String>,
    pub dependencies_bytes: Option<String>,
    /// The text of the array of pg_statistic rows, for expressions; holds values.
    pub expressions: Option<String>,
}
