//! Placeholders: `${name}` as the tools replace it, `:name` as psql does.
//!
//! A replaced text keeps its places: the [`SourceFile`](crate::source::SourceFile) that it becomes maps every offset back to the file as
//! it was written, so a finding inside of a value points at the placeholder. A placeholder without a value stays as it is; the SQL
//! reader reports it where it stands.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::source::Substitution;

/// Values for placeholders, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    values: BTreeMap<String, String>,
}

impl Variables {
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.values.insert(name.into(), value.into());
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The same values and, where a name has none yet, those of `others`.
    pub(super) fn or(&self, others: &Variables) -> Variables {
        let mut values = others.values.clone();
        values.extend(self.values.clone());
        Variables { values }
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Variables {
        Variables { values: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }
}

/// Which placeholders a tool replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// The tool has none.
    None,
    /// `${name}`, also in literals and comments: Flyway, Liquibase.
    Braces,
    /// The same, where `${name:-value}` and `${name-value}` say what holds without one: goose's ENVSUB.
    Defaulted,
    /// `:name`, `:'name'`, `:"name"` outside of literals and comments: psql and what runs it.
    Psql,
    /// Both: the tool is not known.
    Both,
}

/// The placeholders of `text` within `range` that have a value, in order.
pub(super) fn substitutions(text: &str, range: Range<usize>, style: Style, variables: &Variables) -> Vec<Substitution> {
    let has_values = !variables.is_empty() || style == Style::Defaulted;
    if !has_values || style == Style::None {
        return Vec::new();
    }
    let mut found = Vec::new();
    if style != Style::Psql {
        found.extend(braces(text, range.clone(), variables, style == Style::Defaulted));
    }
    if !matches!(style, Style::Braces | Style::Defaulted) {
        found.extend(psql(text, range, variables));
    }
    found.sort_by_key(|substitution| substitution.start);
    found.dedup_by(|later, earlier| later.start < earlier.end);
    found
}

fn braces<'a>(
    text: &'a str,
    range: Range<usize>,
    variables: &'a Variables,
    has_defaults: bool,
) -> impl Iterator<Item = Substitution> + use<'a> {
    text[range.clone()].match_indices("${").filter_map(move |(at, _)| {
        let start = range.start + at;
        let length = text[start..].find('}')?;
        let name = text[start + 2..start + length].trim();
        let (name, default) = match name.split_once('-').filter(|_| has_defaults) {
            Some((name, default)) => (name.strip_suffix(':').unwrap_or(name), Some(default)),
            None => (name, None),
        };
        let value = variables.get(name).or(default)?;
        Some(Substitution { start: start as u32, end: (start + length + 1) as u32, value: value.to_owned() })
    })
}

/// psql's manual, "SQL Interpolation": not in literals, and a quoted form quotes the value.
fn psql<'a>(
    text: &'a str,
    range: Range<usize>,
    variables: &'a Variables,
) -> impl Iterator<Item = Substitution> + use<'a> {
    let tokens = super::scan::colons(text, range);
    tokens.filter_map(move |start| {
        let before = text[..start].chars().next_back();
        if before == Some(':') {
            return None;
        }
        let rest = &text[start + 1..];
        let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
        let name_start = usize::from(quote.is_some());
        let name_length = rest[name_start..].find(|c: char| !(c.is_alphanumeric() || c == '_'));
        let name = &rest[name_start..name_start + name_length.unwrap_or(rest.len() - name_start)];
        let value = variables.get(name)?;
        let after = &rest[name_start + name.len()..];
        if quote.is_some_and(|quote| !after.starts_with(quote)) {
            return None;
        }
        let value = quote.map_or_else(|| value.to_owned(), |quote| in_quotes(value, quote));
        let end = start + 1 + name.len() + 2 * name_start;
        Some(Substitution { start: start as u32, end: end as u32, value })
    })
}

fn in_quotes(value: &str, quote: char) -> String {
    let doubled = String::from_iter([quote, quote]);
    format!("{quote}{}{quote}", value.replace(quote, &doubled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    fn replaced(text: &str, style: Style) -> String {
        let variables = Variables::from_iter([("schema", "shop"), ("note", "it's")]);
        let found = substitutions(text, 0..text.len(), style, &variables);
        SourceFile::substituted("a.sql", text, &found).text.to_string()
    }

    #[test]
    fn braces_are_replaced_everywhere_and_unset_ones_stay() {
        let text = "create table ${schema}.orders (note text default '${note}', x ${other});";
        let expected = "create table shop.orders (note text default 'it's', x ${other});";
        assert_eq!(replaced(text, Style::Braces), expected);
    }

    #[test]
    fn goose_gives_defaults() {
        let text = "alter table ${schema:-app}.${table:-orders} add ${column-c} int; -- ${none}";
        let expected = "alter table shop.orders add c int; -- ${none}";
        assert_eq!(replaced(text, Style::Defaulted), expected);
        assert_eq!(replaced("${table:-orders}", Style::Braces), "${table:-orders}");
    }

    #[test]
    fn psql_leaves_literals_and_casts_alone() {
        let text = "select :'note', :\"schema\".a::schema, ':schema', $$:schema$$ -- :schema\n from :schema.t;";
        let expected = "select 'it''s', \"shop\".a::schema, ':schema', $$:schema$$ -- :schema\n from shop.t;";
        assert_eq!(replaced(text, Style::Psql), expected);
    }
}
