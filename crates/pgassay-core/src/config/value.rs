//! One value of the file at a time: of the right kind, or a mistake at its place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Located;
use super::problem::{Problem, position};
use crate::rules::nearest_of;
use crate::version::PgVersion;

pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// Reads values and keeps the mistakes.
pub(super) struct Reader<'t> {
    text: &'t str,
    pub problems: Vec<Problem>,
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t str) -> Reader<'t> {
        Reader { text, problems: Vec::new() }
    }

    pub fn refuse(&mut self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        self.problems.push(Problem { span, message: message.into(), help });
    }

    pub fn locate<T>(&self, value: T, span: &Range<usize>) -> Located<T> {
        Located { value, line: position(self.text, span.start).0 }
    }

    /// A key that nothing knows: with the nearest that is known, or all.
    pub fn unknown<'n>(
        &mut self,
        noun: &str,
        name: &str,
        span: Range<usize>,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let known: Vec<&str> = known.into_iter().collect();
        let help = match nearest_of(name, known.iter().copied()) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None if known.len() > MOST_NAMES => "pgassay rules lists them".to_owned(),
            None => format!("known are {}", known.join(", ")),
        };
        self.refuse(span, format!("unknown {noun} {name:?}"), Some(help));
    }

    fn wrong(&mut self, value: &Value, wanted: &str) {
        self.refuse(value.span(), format!("expected {wanted}, found {}", found(value.get_ref())), None);
    }

    pub fn boolean(&mut self, value: &Value) -> Option<bool> {
        let read = value.get_ref().as_bool();
        if read.is_none() {
            self.wrong(value, "true or false");
        }
        read
    }

    pub fn text(&mut self, value: &Value) -> Option<String> {
        let read = value.get_ref().as_str().map(str::to_owned);
        if read.is_none() {
            self.wrong(value, "a string");
        }
        read
    }

    /// A line of a file, which is not empty.
    pub fn marker(&mut self, value: &Value) -> Option<String> {
        let read = value.get_ref().as_str().map(str::trim).filter(|line| !line.is_empty() && !line.contains('\n'));
        if read.is_none() {
            self.wrong(value, "one line of text, such as \"-- NO TRANSACTION\"");
        }
        read.map(str::to_owned)
    }

    /// 1 or more.
    pub fn count(&mut self, value: &Value) -> Option<usize> {
        let read = value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
        let read = read.filter(|number| *number > 0);
        if read.is_none() {
            self.wrong(value, "a whole number, 1 or more");
        }
        read
    }

    pub fn version(&mut self, value: &Value) -> Option<PgVersion> {
        let number = value.get_ref().as_integer().map(|number| number.as_str().to_owned());
        let Some(text) = number.or_else(|| value.get_ref().as_str().map(str::to_owned)) else {
            self.wrong(value, "a major version of PostgreSQL");
            return None;
        };
        let read = text.parse();
        read.map_err(|_| self.refuse(value.span(), format!("pgassay knows PostgreSQL 14 to 18, not {text}"), None)).ok()
    }

    /// One of some words.
    pub fn word(&mut self, value: &Value, words: &[&'static str]) -> Option<&'static str> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(value, &format!("one of {}", words.join(", ")));
            return None;
        };
        let read = words.iter().copied().find(|word| *word == text);
        if read.is_none() {
            self.unknown("value", text, value.span(), words.iter().copied());
        }
        read
    }

    /// Every value of a list, each read by `item`; `None` if one of them could not be.
    pub fn list<T>(
        &mut self,
        value: &Value,
        wanted: &str,
        mut item: impl FnMut(&mut Self, &Value) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(values) = value.get_ref().as_array() else {
            self.wrong(value, wanted);
            return None;
        };
        let read: Vec<Option<T>> = values.iter().map(|value| item(self, value)).collect();
        read.into_iter().collect()
    }

    pub fn table<'v, 'i>(&mut self, value: &'v Value<'i>, wanted: &str) -> Option<&'v DeTable<'i>> {
        let read = value.get_ref().as_table();
        if read.is_none() {
            self.wrong(value, wanted);
        }
        read
    }
}

/// More names than this are not listed in a message.
const MOST_NAMES: usize = 20;

fn found(value: &DeValue) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(moment) => moment.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
