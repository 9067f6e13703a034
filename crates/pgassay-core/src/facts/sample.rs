//! What a bounded sample of rows says: of documents in JSON columns their keys, types and sizes, of columns which are NULL together, of
//! references whether they are met. Never values, but for those of a column that holds a state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::change::{Name, QualifiedName};

/// Samples by table and column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// Documents of JSON columns.
    pub columns: BTreeMap<(QualifiedName, Name), JsonSample>,
    /// Which columns are NULL together, by table.
    pub nulls: BTreeMap<QualifiedName, NullSample>,
    /// Columns that look like references.
    pub references: BTreeMap<(QualifiedName, Name), ReferenceSample>,
    /// What was not sampled, such as "documents of shop.orders.data", each with the reason.
    pub skipped: Vec<(String, String)>,
}

/// Rows of one table by which of some columns are NULL.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NullSample {
    pub columns: Vec<Name>,
    /// A column that holds a state, by which the rows are told apart too.
    pub state: Option<Name>,
    pub patterns: Vec<NullPattern>,
}

/// Rows that are alike.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NullPattern {
    pub state: Option<String>,
    /// For each column of the sample.
    pub is_null: Vec<bool>,
    pub rows: u64,
}

/// Values of a column that looks like a reference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceSample {
    /// That are not NULL.
    pub values: u64,
    /// Those that no row of the other table has.
    pub missing: u64,
}

/// A column that looks like a reference, and what it would reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub table: QualifiedName,
    pub column: Name,
    pub referenced: QualifiedName,
    pub key: Name,
}

/// What was seen in one column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JsonSample {
    /// Rows looked at, and pages that they were taken from.
    pub rows: u64,
    pub pages: u64,
    /// Separate places in the table: rows of one page resemble each other.
    pub windows: u64,
    /// Documents larger than the limit, or behind the budget of bytes: counted, not opened.
    pub unopened: u64,
    /// Opened, by jsonb_typeof; NULLs are in none.
    pub objects: u64,
    pub arrays: u64,
    pub scalars: u64,
    pub median_bytes: u64,
    /// 95 of 100 documents are no larger.
    pub p95_bytes: u64,
    /// Different keys at the top of objects.
    pub distinct_keys: u64,
    /// Share of all occurrences of keys that belong to keys in under a hundredth of the objects.
    pub rare_share: f64,
    /// The most frequent keys, the most frequent first.
    pub keys: Vec<KeySample>,
    /// The most frequent sets of keys, with the objects that have them.
    pub key_sets: Vec<(Vec<String>, u64)>,
}

/// One key at the top of objects.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KeySample {
    pub name: String,
    /// Objects that have it.
    pub count: u64,
    /// Its most frequent type, and how many have that; JSON null counts as a type.
    pub type_name: String,
    pub type_count: u64,
    /// Different values.
    pub distinct: u64,
    /// Strings that read as a UUID, a whole number, a date.
    pub uuids: u64,
    pub integers: u64,
    pub dates: u64,
    /// Numbers that are whole.
    pub whole_numbers: u64,
}

impl JsonSample {
    /// Share of the objects that have a key.
    pub fn presence(&self, key: &KeySample) -> f64 {
        key.count as f64 / self.objects.max(1) as f64
    }

    /// The least share that is sure with 95 % (Wilson), with as many independent rows as there are places, but not fewer than a tenth
    /// of the rows.
    pub fn at_least(&self, share: f64) -> f64 {
        let independent = (self.objects as f64 / 10.0).max(self.windows as f64).min(self.objects as f64).max(1.0);
        let z2 = 1.96_f64 * 1.96;
        let center = share + z2 / (2.0 * independent);
        let spread = 1.96 * (share * (1.0 - share) / independent + z2 / (4.0 * independent * independent)).sqrt();
        ((center - spread) / (1.0 + z2 / independent)).max(0.0)
    }
}

impl KeySample {
    /// Share of the occurrences that have the most frequent type.
    pub fn type_share(&self) -> f64 {
        self.type_count as f64 / self.count.max(1) as f64
    }

    /// The column type that its values would have.
    pub fn column_type(&self) -> &'static str {
        let all = |number: u64| number > 0 && number == self.type_count;
        match self.type_name.as_str() {
            "boolean" => "boolean",
            "number" if all(self.whole_numbers) => "bigint",
            "number" => "numeric",
            "string" if all(self.uuids) => "uuid",
            "string" if all(self.dates) => "timestamptz",
            _ => "text",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_few_rows_is_less_sure() {
        let sample = |objects, windows| JsonSample { objects, windows, ..JsonSample::default() };
        assert!(sample(5000, 5000).at_least(1.0) > 0.999);
        assert!(sample(5000, 100).at_least(1.0) < sample(5000, 5000).at_least(1.0));
        assert!(sample(10, 10).at_least(1.0) < 0.75);
    }
}
