//! Names and literals in a changelog's changes, as Liquibase writes them for PostgreSQL.

use super::data_type::Kind;
use super::tree::Element;
use crate::change::Name;
use crate::collect::variables::{Style, Variables, substitutions};
use crate::source::SourceFile;
use crate::text::quoting;

/// Which names are put in quotes (`objectQuotingStrategy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Quoting {
    /// Names in both cases, and words that are reserved.
    #[default]
    Legacy,
    All,
    /// Reserved words; the server folds the others.
    OnlyReserved,
}

/// What the values of a changeset are read with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a> {
    pub variables: &'a Variables,
    pub quoting: Quoting,
}

/// A change lacks what Liquibase needs to run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing(pub String);

impl Values<'_> {
    /// A text with its placeholders replaced.
    pub fn expand(&self, text: &str) -> String {
        let found = substitutions(text, 0..text.len(), Style::Braces, self.variables);
        SourceFile::substituted("", text, &found).text.to_string()
    }

    pub fn get(&self, of: &Element, name: &str) -> Option<String> {
        of.value(name).map(|value| self.expand(value))
    }

    /// A value with the blanks around it, which count in a row.
    pub fn whole(&self, of: &Element, name: &str) -> Option<String> {
        of.child(name)?.text.as_ref().map(|text| self.expand(&text.value))
    }

    /// As [`Values::get`], of what a change cannot do without.
    pub fn need(&self, of: &Element, name: &str) -> Result<String, Missing> {
        self.get(of, name).ok_or_else(|| Missing(format!("has no {name}")))
    }

    pub fn says(&self, of: &Element, name: &str) -> Option<bool> {
        match self.get(of, name)?.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    pub fn is(&self, of: &Element, name: &str) -> bool {
        self.says(of, name) == Some(true)
    }

    /// `AbstractPostgresDatabase.escapeObjectName`: a name in one case is not quoted, so the server folds it.
    pub fn name(&self, name: &str) -> String {
        let name = name.trim();
        let is_mixed = name.chars().any(char::is_uppercase) && name.chars().any(char::is_lowercase);
        let folds = match self.quoting {
            Quoting::All => false,
            Quoting::Legacy => !is_mixed,
            Quoting::OnlyReserved => true,
        };
        let plain = name.chars().all(|character| character.is_alphanumeric() || character == '_');
        Name::new(if folds && plain { name.to_lowercase() } else { name.to_owned() }.as_str()).to_string()
    }

    /// Names with commas in between.
    pub fn names(&self, list: &str) -> String {
        let names: Vec<String> = list.split(',').map(|name| self.name(name)).collect();
        names.join(", ")
    }

    /// A name with the schema in front that the change gives it.
    pub fn qualified(&self, schema: Option<&str>, name: &str) -> String {
        match schema {
            Some(schema) => format!("{}.{}", self.name(schema), self.name(name)),
            None => self.name(name),
        }
    }

    /// The object that an attribute names, in the schema that another one names.
    pub fn object(&self, of: &Element, name: &str, schema: &str) -> Result<String, Missing> {
        Ok(self.qualified(self.get(of, schema).as_deref(), &self.need(of, name)?))
    }

    pub fn table(&self, of: &Element) -> Result<String, Missing> {
        self.object(of, "tableName", "schemaName")
    }

    /// A column's name; what has parentheses is an expression and stays as it is.
    pub fn column_or_expression(&self, of: &Element) -> Result<String, Missing> {
        let name = self.need(of, "name")?;
        let is_expression = self.is(of, "computed") || name.contains(['(', ' ']);
        Ok(if is_expression { name } else { self.name(&name) })
    }

    /// The default that a column's attributes give: `defaultValue` and its kin.
    pub fn default(&self, of: &Element, kind: Kind) -> Option<String> {
        let sequence = self.get(of, "defaultValueSequenceNext");
        sequence
            .map(|name| next_value(&name))
            .or_else(|| self.get(of, "defaultValueComputed").map(now))
            .or_else(|| self.get(of, "defaultValueNumeric"))
            .or_else(|| self.get(of, "defaultValueBoolean").map(|value| boolean(&value)))
            .or_else(|| self.get(of, "defaultValueDate").map(|value| literal(&value, Kind::Time)))
            .or_else(|| self.whole(of, "defaultValue").map(|value| literal(&value, kind)))
    }

    /// The value that a column's attributes give it in a row: `value` and its kin.
    pub fn value(&self, of: &Element) -> Option<String> {
        let sequence = self.get(of, "valueSequenceNext");
        sequence
            .map(|name| next_value(&name))
            .or_else(|| self.get(of, "valueComputed").map(now))
            .or_else(|| self.get(of, "valueNumeric"))
            .or_else(|| self.get(of, "valueBoolean").map(|value| boolean(&value)))
            .or_else(|| self.get(of, "valueDate").map(|value| literal(&value, Kind::Time)))
            .or_else(|| self.whole(of, "value").map(|value| literal(&value, Kind::Other)))
    }
}

/// Liquibase's own word for the time that it is.
fn now(computed: String) -> String {
    if computed.eq_ignore_ascii_case("current_datetime") { "NOW()".to_owned() } else { computed }
}

fn next_value(sequence: &str) -> String {
    format!("nextval({})", quoting::literal(sequence))
}

fn boolean(value: &str) -> String {
    match value.trim_matches('\'').to_ascii_lowercase().as_str() {
        "true" | "1" | "t" | "b'1" => "TRUE".to_owned(),
        "false" | "0" | "f" | "b'0" => "FALSE".to_owned(),
        _ => value.to_owned(),
    }
}

fn literal(value: &str, kind: Kind) -> String {
    if value.eq_ignore_ascii_case("null") {
        return "NULL".to_owned();
    }
    let names_function = value.ends_with(')') || value.to_ascii_lowercase().starts_with("current_");
    match kind {
        Kind::Boolean => boolean(value),
        Kind::Number => value.trim_matches('\'').to_owned(),
        Kind::Time if names_function => value.to_owned(),
        _ if value.len() > 1 && value.starts_with('\'') && value.ends_with('\'') => value.to_owned(),
        _ => quoting::literal(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_as_liquibase_quotes_them() {
        let variables = Variables::default();
        let names = |quoting: Quoting, names: [&str; 5]| {
            let values = Values { variables: &variables, quoting };
            names.map(|name| values.name(name))
        };
        let all = ["people", "PEOPLE", "PeopleOfIt", "order", "a-b"];
        assert_eq!(names(Quoting::Legacy, all), ["people", "people", "\"PeopleOfIt\"", "\"order\"", "\"a-b\""]);
        assert_eq!(names(Quoting::All, all), ["people", "\"PEOPLE\"", "\"PeopleOfIt\"", "\"order\"", "\"a-b\""]);
        assert_eq!(names(Quoting::OnlyReserved, all), ["people", "people", "peopleofit", "\"order\"", "\"a-b\""]);
    }

    #[test]
    fn literals_go_by_the_type() {
        assert_eq!(literal("now()", Kind::Time), "now()");
        assert_eq!(literal("2024-01-01", Kind::Time), "'2024-01-01'");
        assert_eq!(literal("it's", Kind::Other), "'it''s'");
        assert_eq!(literal("'x'", Kind::Other), "'x'");
        assert_eq!(literal("0", Kind::Boolean), "FALSE");
        assert_eq!(literal("null", Kind::Other), "NULL");
    }
}
