//! An index as it would be created.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::change::{Name, QualifiedName};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    BTree,
    Gin,
    Gist,
    Spgist,
    Brin,
    Hash,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Method::BTree => "btree",
            Method::Gin => "gin",
            Method::Gist => "gist",
            Method::Spgist => "spgist",
            Method::Brin => "brin",
            Method::Hash => "hash",
        }
    }
}

/// A column or an expression with what is written behind it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Key {
    /// A column as SQL, or an expression in parentheses.
    pub sql: String,
    /// The column, where it is one.
    pub column: Option<String>,
    pub operator_class: Option<String>,
    pub descending: bool,
    /// Where it is not the default of the direction.
    pub nulls_first: Option<bool>,
}

impl Key {
    pub fn plain(sql: impl Into<String>, column: Option<String>) -> Key {
        Key { sql: sql.into(), column, operator_class: None, descending: false, nulls_first: None }
    }

    fn write(&self) -> String {
        let mut text = self.sql.clone();
        if let Some(class) = &self.operator_class {
            let _ = write!(text, " {class}");
        }
        if self.descending {
            text.push_str(" DESC");
        }
        match self.nulls_first {
            Some(true) if !self.descending => text.push_str(" NULLS FIRST"),
            Some(false) if self.descending => text.push_str(" NULLS LAST"),
            _ => {}
        }
        text
    }
}

/// An index without a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Definition {
    pub table: QualifiedName,
    pub method: Method,
    pub keys: Vec<Key>,
    pub include: Vec<String>,
    pub predicate: Option<String>,
}

impl Definition {
    pub fn btree(table: QualifiedName, keys: Vec<Key>) -> Definition {
        Definition { table, method: Method::BTree, keys, include: Vec::new(), predicate: None }
    }

    /// `USING btree (a, b DESC) INCLUDE (c) WHERE …`, with the method only where it is not the default.
    pub fn body(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(Key::write).collect();
        let mut text = match self.method {
            Method::BTree => String::new(),
            other => format!("USING {} ", other.name()),
        };
        let _ = write!(text, "({})", keys.join(", "));
        if !self.include.is_empty() {
            let names: Vec<String> = self.include.iter().map(|name| Name::new(name).to_string()).collect();
            let _ = write!(text, " INCLUDE ({})", names.join(", "));
        }
        if let Some(predicate) = &self.predicate {
            let _ = write!(text, " WHERE {predicate}");
        }
        text
    }

    /// `CREATE INDEX name ON table …`
    pub fn create(&self, name: &str, concurrently: bool) -> String {
        let how = if concurrently { "CONCURRENTLY " } else { "" };
        format!("CREATE INDEX {how}{} ON {} {}", Name::new(name), self.table, self.body())
    }

    /// Whether an index on an expression: ANALYZE has to run before its statistics are there.
    pub fn has_expressions(&self) -> bool {
        self.keys.iter().any(|key| key.column.is_none())
    }

    /// Serves whatever `other` serves, with a longer key or more columns.
    pub fn covers(&self, other: &Definition) -> bool {
        self.table == other.table
            && self.method == other.method
            && self.predicate == other.predicate
            && self.method == Method::BTree
            && self.keys.starts_with(&other.keys)
            && other.include.iter().all(|column| {
                self.include.contains(column) || self.keys.iter().any(|key| key.column.as_ref() == Some(column))
            })
    }

    /// Columns that an update must leave alone to be HOT: keys, those that are carried, and whatever expressions and the condition name.
    pub fn named_columns(&self) -> BTreeSet<String> {
        let texts = self.keys.iter().filter(|key| key.column.is_none()).map(|key| &key.sql).chain(&self.predicate);
        let words = texts.flat_map(|text| columns_named(text));
        let keys = self.keys.iter().filter_map(|key| key.column.clone());
        keys.chain(self.include.iter().cloned()).chain(words).collect()
    }

    /// A name in the style of PostgreSQL's own, that is not taken.
    pub fn name(&self, taken: impl Fn(&str) -> bool) -> String {
        let mut parts = vec![self.table.name.as_str().to_owned()];
        parts.extend(self.keys.iter().map(|key| match &key.column {
            Some(column) => column.clone(),
            None => words(&key.sql),
        }));
        let base = parts.join("_");
        let base: String = base.chars().take(50).collect();
        let base = base.trim_end_matches('_').to_owned();
        let candidates = std::iter::once(format!("{base}_idx")).chain((1..).map(|n| format!("{base}_idx{n}")));
        candidates.into_iter().find(|name| !taken(name)).unwrap_or(base)
    }
}

/// Every word of an expression, a condition or the whole text of an index: its columns are among them.
pub(super) fn columns_named(text: &str) -> BTreeSet<String> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize().unwrap_or_default();
    let word = |token| match token {
        Token::Word(word) => Some(word.value),
        _ => None,
    };
    tokens.into_iter().filter_map(word).collect()
}

/// The words of an expression: `((meta ->> 'sku'::text))` is `meta_sku`.
fn words(sql: &str) -> String {
    let lower = sql.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    words.filter(|word| *word != "text").collect::<Vec<_>>().join("_")
}
