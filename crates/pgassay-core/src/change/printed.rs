//! What objects are called in messages, with the names that the text was made of.

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};

use super::{Ident, Name, ObjectName, QualifiedName};

/// The printed name of an object: `public.orders`, `public.orders.note`, `billing.charge(integer)`. It knows its parts, so that no one
/// reads the text back. Two are equal where the text is.
#[derive(Clone)]
pub struct PrintedName {
    text: Box<str>,
    /// None where the statement left it out, and of what has no schema.
    schema: Option<Name>,
    /// None of what is no object of a schema: a role, a file.
    name: Option<Name>,
    /// A column, constraint, trigger, policy or rule of it.
    part: Option<Name>,
}

impl PrintedName {
    /// A column, constraint, trigger, policy or rule of a relation, or an attribute or value of a type.
    pub fn part(of: &QualifiedName, part: &Name) -> PrintedName {
        PrintedName {
            text: format!("{of}.{part}").into(),
            schema: Some(of.schema.clone()),
            name: Some(of.name.clone()),
            part: Some(part.clone()),
        }
    }

    /// An object whose text says more than its name: a routine with its arguments.
    pub fn described(of: &QualifiedName, text: impl Into<Box<str>>) -> PrintedName {
        PrintedName { text: text.into(), schema: Some(of.schema.clone()), name: Some(of.name.clone()), part: None }
    }

    /// What is no object of a schema: a role, a database, a migration.
    pub fn other(text: impl Into<Box<str>>) -> PrintedName {
        PrintedName { text: text.into(), schema: None, name: None, part: None }
    }

    /// The same object without its schema, as it is called in every schema of its kind.
    pub fn without_schema(&self) -> PrintedName {
        let Some(schema) = &self.schema else { return self.clone() };
        let prefix = format!("{schema}.");
        let text = self.text.strip_prefix(prefix.as_str()).unwrap_or(&self.text);
        PrintedName { text: text.into(), schema: None, ..self.clone() }
    }

    /// The object of a schema that it is, or is a part of.
    pub fn object(&self) -> Option<QualifiedName> {
        Some(QualifiedName { schema: self.schema.clone()?, name: self.name.clone()? })
    }

    pub fn schema(&self) -> Option<&Name> {
        self.schema.as_ref()
    }

    /// Without its schema, which a statement may have left out.
    pub fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    pub fn part_name(&self) -> Option<&Name> {
        self.part.as_ref()
    }

    /// Whether it is that object or a part of it; a name without a schema may be of any.
    pub fn is_of(&self, object: &QualifiedName) -> bool {
        self.name.as_ref() == Some(&object.name) && self.schema.as_ref().is_none_or(|schema| *schema == object.schema)
    }

    /// Whether both are one object, or one is a part of the other.
    pub fn belongs_with(&self, other: &PrintedName) -> bool {
        let same_object = self.name.is_some() && (&self.schema, &self.name) == (&other.schema, &other.name);
        self == other || (same_object && (self.part.is_none() || other.part.is_none() || self.part == other.part))
    }
}

impl From<&PrintedName> for PrintedName {
    fn from(name: &PrintedName) -> PrintedName {
        name.clone()
    }
}

impl From<&QualifiedName> for PrintedName {
    fn from(name: &QualifiedName) -> PrintedName {
        PrintedName::described(name, name.to_string())
    }
}

impl From<QualifiedName> for PrintedName {
    fn from(name: QualifiedName) -> PrintedName {
        let text = name.to_string().into();
        PrintedName { text, schema: Some(name.schema), name: Some(name.name), part: None }
    }
}

impl From<&ObjectName> for PrintedName {
    fn from(name: &ObjectName) -> PrintedName {
        PrintedName {
            text: name.to_string().into(),
            schema: name.schema.clone(),
            name: Some(name.name.clone()),
            part: None,
        }
    }
}

impl From<&Name> for PrintedName {
    fn from(name: &Name) -> PrintedName {
        PrintedName { text: name.to_string().into(), schema: None, name: Some(name.clone()), part: None }
    }
}

/// A name that is known as text only, and bare.
impl From<&str> for PrintedName {
    fn from(text: &str) -> PrintedName {
        PrintedName::other(text)
    }
}

impl From<&Ident> for PrintedName {
    fn from(ident: &Ident) -> PrintedName {
        PrintedName::from(&ident.name)
    }
}

impl Deref for PrintedName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for PrintedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for PrintedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl PartialEq for PrintedName {
    fn eq(&self, other: &PrintedName) -> bool {
        self.text == other.text
    }
}

impl Eq for PrintedName {}

impl PartialOrd for PrintedName {
    fn partial_cmp(&self, other: &PrintedName) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PrintedName {
    fn cmp(&self, other: &PrintedName) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl Serialize for PrintedName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_belongs_with_its_object_and_not_with_a_longer_name() {
        let orders = QualifiedName::new("public", "orders");
        let whole = PrintedName::from(&orders);
        let part = PrintedName::part(&orders, &Name::new("note"));
        let longer = PrintedName::from(&QualifiedName::new("public", "orders_old"));
        let dotted = PrintedName::from(&QualifiedName::new("public", "orders.note"));
        assert_eq!((&*part, part.object().as_ref()), ("public.orders.note", Some(&orders)));
        assert!(whole.belongs_with(&part) && part.belongs_with(&whole));
        assert!(!whole.belongs_with(&longer) && !part.belongs_with(&dotted));
    }

    #[test]
    fn a_name_written_without_a_schema_may_be_of_any() {
        let written = PrintedName::from(&Name::new("orders"));
        assert!(written.is_of(&QualifiedName::new("public", "orders")));
        assert!(!PrintedName::other("orders").is_of(&QualifiedName::new("public", "orders")));
    }
}
