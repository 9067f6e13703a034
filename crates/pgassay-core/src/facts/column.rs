//! Statistics of columns, as pg_stats shows them.

use serde::{Deserialize, Serialize};

/// Values that stand for "nothing" in many applications. A snapshot without values still has their shares.
pub const SENTINELS: &[&str] = &[
    "",
    " ",
    "0",
    "-1",
    "N/A",
    "n/a",
    "NA",
    "null",
    "NULL",
    "none",
    "None",
    "unknown",
    "Unknown",
    "UNKNOWN",
    "-",
    "{}",
    "[]",
    "1970-01-01",
    "1970-01-01 00:00:00",
    "1970-01-01 00:00:00+00",
    "1900-01-01",
    "0001-01-01",
    "9999-12-31",
    "infinity",
    "-infinity",
];

/// What ANALYZE found out about a column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnFacts {
    /// Share of rows that are NULL.
    pub null_fraction: f32,
    /// Bytes, of the values that are not NULL.
    pub average_width: i32,
    /// As pg_stats has it: above zero a number of values, below zero the negated share of the rows; 0 is unknown.
    pub n_distinct: f32,
    /// Of the order on disk with the order of values, -1 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_common_values: Option<ValueList>,
    /// Shares of rows, in the order of the values; here even where the values are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub most_common_frequencies: Vec<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub histogram: Option<ValueList>,
    /// Those of [`SENTINELS`] that are among the most common values, with their shares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sentinels: Vec<(String, f32)>,
    /// Of arrays and tsvector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elements: Option<Box<ElementFacts>>,
    /// Of ranges; 17 and later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Box<RangeFacts>>,
    /// There are values, and they were not read or not written: nobody asked, or the column may hold personal data.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub values_left_out: bool,
}

/// Statistics of the elements of arrays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ElementFacts {
    pub most_common: Option<ValueList>,
    /// One more share than values for the minimum, one for the maximum, and perhaps one for NULL elements.
    pub frequencies: Vec<f32>,
    pub count_histogram: Vec<f32>,
}

/// Statistics of range types.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RangeFacts {
    pub length_histogram: Option<ValueList>,
    pub empty_fraction: Option<f32>,
    pub bounds_histogram: Option<ValueList>,
}

/// Values as the server prints them: the text of an array, such as `{done,"in work"}`, which `array_in` reads back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ValueList(Box<str>);

/// Which column values to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Values {
    /// None leaves the server; shares and counts do.
    #[default]
    None,
    All,
}

impl ColumnFacts {
    /// Distinct values that are not NULL, in a table of so many rows.
    pub fn distinct(&self, rows: f64) -> Option<f64> {
        match self.n_distinct {
            n if n > 0.0 => Some(f64::from(n)),
            n if n < 0.0 => Some(f64::from(-n) * rows),
            _ => None,
        }
    }

    /// The most common values with their shares; empty where values were left out.
    pub fn common(&self) -> impl Iterator<Item = (String, f32)> {
        let values = self.most_common_values.as_ref().map(ValueList::values).unwrap_or_default();
        values.into_iter().zip(self.most_common_frequencies.iter().copied())
    }
}

impl ValueList {
    /// From the text of an array.
    pub fn new(array: impl Into<Box<str>>) -> ValueList {
        ValueList(array.into())
    }

    /// The text of the array.
    pub fn as_array(&self) -> &str {
        &self.0
    }

    /// The values one by one.
    pub fn values(&self) -> Vec<String> {
        read_array(&self.0)
    }
}

/// Reads the text of an array of one dimension (manual, "Array Input and Output Syntax"). NULL elements are left out.
fn read_array(text: &str) -> Vec<String> {
    // Bounds that are not the usual ones stand before: `[0:2]={a,b,c}`.
    let inner = match text.find('{') {
        Some(start) => text[start + 1..].strip_suffix('}').unwrap_or(&text[start + 1..]),
        None => return Vec::new(),
    };
    let (mut values, mut value) = (Vec::new(), String::new());
    let (mut in_quotes, mut was_quoted) = (false, false);
    let mut characters = inner.chars();
    let mut finish = |value: &mut String, quoted: bool| {
        let value = std::mem::take(value);
        if quoted || !value.eq_ignore_ascii_case("null") {
            values.push(value);
        }
    };
    while let Some(character) = characters.next() {
        match character {
            '\\' => value.extend(characters.next()),
            '"' => {
                in_quotes = !in_quotes;
                was_quoted = true;
            }
            ',' if !in_quotes => finish(&mut value, std::mem::take(&mut was_quoted)),
            other => value.push(other),
        }
    }
    if !inner.is_empty() {
        finish(&mut value, was_quoted);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_read_as_the_server_prints_them() {
        let read = |text: &str| ValueList::new(text).values();
        assert_eq!(read("{done,failed}"), ["done", "failed"]);
        assert_eq!(
            read(r#"{"",a,"b,c","d\"e\\f","{1,2}",NULL,"NULL"}"#),
            ["", "a", "b,c", r#"d"e\f"#, "{1,2}", "NULL"]
        );
        assert_eq!(read("[0:1]={a,b}"), ["a", "b"]);
        assert!(read("{}").is_empty() && read("").is_empty());
        assert_eq!(read(r#"{""}"#), [""]);
        assert_eq!(read(r#"{"2026-01-01 00:00:00+00"}"#), ["2026-01-01 00:00:00+00"]);
    }
}
