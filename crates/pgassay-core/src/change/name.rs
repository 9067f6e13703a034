//! Names of objects, spelled as PostgreSQL stores them.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::source::Span;

/// An identifier as the catalog stores it: folded to lower case unless it was quoted, cut at 63 bytes.
///
/// `Display` writes it as `quote_ident` does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// NAMEDATALEN - 1.
const LONGEST_NAME: usize = 63;

impl Name {
    /// A name that is already as the catalog stores it; cut at 63 bytes on a character boundary, as the server does.
    pub fn new(text: &str) -> Name {
        let mut end = text.len().min(LONGEST_NAME);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Name(text[..end].into())
    }

    /// The name that an identifier of sqlparser's spells.
    pub fn of_ident(ident: &sqlparser::ast::Ident) -> Name {
        if ident.quote_style.is_some() { Name::new(&ident.value) } else { Name::folded(&ident.value) }
    }

    /// An unquoted identifier: ASCII letters are folded to lower case.
    pub fn folded(text: &str) -> Name {
        Name::new(&text.to_ascii_lowercase())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name::new(text)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.0.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && self.0.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && !super::keyword::must_be_quoted(&self.0);
        if plain { f.write_str(&self.0) } else { write!(f, "\"{}\"", self.0.replace('"', "\"\"")) }
    }
}

/// An identifier and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    pub name: Name,
    pub span: Span,
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

/// A possibly qualified name as the statement wrote it; which object it means depends on the search_path.
/// A leading database name is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    pub schema: Option<Name>,
    pub name: Name,
    pub span: Span,
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        self.name.fmt(f)
    }
}

/// A name with its schema known: where an object is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QualifiedName {
    pub schema: Name,
    pub name: Name,
}

impl QualifiedName {
    pub fn new(schema: impl Into<Name>, name: impl Into<Name>) -> QualifiedName {
        QualifiedName { schema: schema.into(), name: name.into() }
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// As the catalog stores it, without quotes.
impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        Ok(Name::new(&String::deserialize(deserializer)?))
    }
}

/// As it is printed, so that it can be the key of a JSON object.
impl Serialize for QualifiedName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for QualifiedName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<QualifiedName, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is not two names with a dot between them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a schema and a name")]
pub struct NotQualified(pub String);

/// Reads what `Display` writes: unquoted parts are taken as the catalog stores them.
impl FromStr for QualifiedName {
    type Err = NotQualified;

    fn from_str(text: &str) -> Result<QualifiedName, NotQualified> {
        let read = || {
            let (schema, rest) = read_part(text)?;
            let (name, rest) = read_part(rest.strip_prefix('.')?)?;
            rest.is_empty().then(|| QualifiedName::new(schema, name))
        };
        read().ok_or_else(|| NotQualified(text.to_owned()))
    }
}

/// One name, quoted or not, and what stands behind it.
fn read_part(text: &str) -> Option<(Name, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find('.').unwrap_or(text.len());
        return (end > 0).then(|| (Name::new(&text[..end]), &text[end..]));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (part, behind) = rest.split_once('"')?;
        name.push_str(part);
        match behind.strip_prefix('"') {
            Some(behind) => {
                name.push('"');
                rest = behind;
            }
            None => return Some((Name::new(&name), behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualified_names_are_read_as_they_are_printed() {
        for (schema, name) in [("public", "orders"), ("a.b", "c\"d"), ("Shop", "select"), ("x", "ümläut \"q\".z")] {
            let name = QualifiedName::new(schema, name);
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        for wrong in ["orders", "", ".", "a.", "\"a.b", "\"a\"b.c", "\"a\".\"b\"c"] {
            assert!(wrong.parse::<QualifiedName>().is_err(), "{wrong}");
        }
    }
}
