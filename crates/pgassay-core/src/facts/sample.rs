//! What a bounded sample of rows says: of documents in JSON columns their keys, types and sizes, of columns which are NULL together, of
//! references whether they are met. Never values, but for those of a column that holds a state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::change::{Name, QualifiedName};

/// Samples by table and column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// Documents of JSON columns.
    #[serde(with = "entries")]
    pub columns: BTreeMap<(QualifiedName, Name), JsonSample>,
    /// Which columns are NULL together, by table.
    pub nulls: BTreeMap<QualifiedName, NullSample>,
    /// Columns that look like references.
    #[serde(with = "entries")]
    pub references: BTreeMap<(QualifiedName, Name), ReferenceSample>,
    /// What was not sampled, such as "documents of shop.orders.data", each with the reason.
    pub skipped: Vec<(String, String)>,
}

/// A map whose keys JSON cannot have, as a list.
mod entries {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer, K: Serialize, V: Serialize>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub fn deserialize<'de, D: Deserializer<'de>, K: Deserialize<'de> + Ord, V: Deserialize<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// A key that fewer of the objects have may be a value: an id, an address.
const KEY_OF_STRUCTURE: f64 = 0.05;

impl Samples {
    /// The same for a file that others read: nothing of tables that are personal, no keys that may be values, and the values of state
    /// columns only where they are to be kept.
    pub fn for_snapshot(
        mut self,
        is_personal: impl Fn(&QualifiedName) -> bool,
        keeps: impl Fn(&QualifiedName, &str) -> bool,
    ) -> Samples {
        self.columns.retain(|(table, _), _| !is_personal(table));
        self.references.retain(|(table, _), _| !is_personal(table));
        self.nulls.retain(|table, _| !is_personal(table));
        self.columns.values_mut().for_each(JsonSample::leave_out_rare_keys);
        for (table, sample) in &mut self.nulls {
            if sample.state.as_ref().is_some_and(|state| !keeps(table, state.as_str())) {
                sample.leave_out_states();
            }
        }
        self
    }
}

impl NullSample {
    fn leave_out_states(&mut self) {
        self.state = None;
        let mut rows: BTreeMap<Vec<bool>, u64> = BTreeMap::new();
        for pattern in self.patterns.drain(..) {
            *rows.entry(pattern.is_null).or_default() += pattern.rows;
        }
        let pattern = |(is_null, rows)| NullPattern { state: None, is_null, rows };
        self.patterns = rows.into_iter().map(pattern).collect();
    }
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
    fn leave_out_rare_keys(&mut self) {
        let objects = self.objects.max(1) as f64;
        self.keys.retain(|key| key.count as f64 / objects >= KEY_OF_STRUCTURE);
        let keys = &self.keys;
        self.key_sets.retain(|(set, _)| set.iter().all(|name| keys.iter().any(|key| key.name == *name)));
    }

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
    fn a_snapshot_has_no_values_and_is_read_back() {
        let table = QualifiedName::new("shop", "orders");
        let key = |name: &str, count| KeySample { name: name.to_owned(), count, ..KeySample::default() };
        let documents = JsonSample {
            objects: 100,
            keys: vec![key("size", 90), key("ann@example.com", 1)],
            key_sets: vec![(vec!["size".to_owned()], 80), (vec!["size".to_owned(), "ann@example.com".to_owned()], 1)],
            ..JsonSample::default()
        };
        let pattern = |state: &str, rows| NullPattern { state: Some(state.to_owned()), is_null: vec![true], rows };
        let nulls = NullSample {
            columns: vec![Name::from("paid_at")],
            state: Some(Name::from("status")),
            patterns: vec![pattern("waiting", 3), pattern("late", 4)],
        };
        let mut samples = Samples::default();
        samples.columns.insert((table.clone(), Name::from("data")), documents);
        samples.nulls.insert(table.clone(), nulls);
        samples.columns.insert((QualifiedName::new("shop", "people"), Name::from("data")), JsonSample::default());
        let kept = samples.for_snapshot(|name| name.name == "people", |_, _| false);
        let text = serde_json::to_string(&kept).unwrap();
        assert!(!text.contains("ann@") && !text.contains("waiting") && !text.contains("people"), "{text}");
        assert_eq!(kept.nulls[&table].patterns.iter().map(|it| it.rows).collect::<Vec<_>>(), [7]);
        assert_eq!(serde_json::from_str::<Samples>(&text).unwrap(), kept);
    }

    #[test]
    fn a_share_of_few_rows_is_less_sure() {
        let sample = |objects, windows| JsonSample { objects, windows, ..JsonSample::default() };
        assert!(sample(5000, 5000).at_least(1.0) > 0.999);
        assert!(sample(5000, 100).at_least(1.0) < sample(5000, 5000).at_least(1.0));
        assert!(sample(10, 10).at_least(1.0) < 0.75);
    }
}
