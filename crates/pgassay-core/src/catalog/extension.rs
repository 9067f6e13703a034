//! What CREATE EXTENSION brings.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::data::{self, Row};
use super::{BuiltInType, Cast, CastRow, Function, Operator, find_cast, named};

/// The contents of an extension in any of the supported versions.
#[derive(Debug, Clone, Copy)]
pub struct ExtensionContents {
    /// Whether that is all of it. When not, an object that is not listed may still come from it.
    pub complete: bool,
    /// The schema it is always put in, where its control file fixes one.
    pub schema: Option<&'static str>,
    pub types: &'static [BuiltInType],
    pub functions: &'static [Function],
    pub operators: &'static [Operator],
    /// Tables and views it makes. With a schema in front (`cron.job`) where it is one of its own, whatever schema the extension is in.
    pub relations: &'static [&'static str],
    casts: &'static [CastRow],
    classes: &'static [(&'static str, &'static str, &'static str)],
}

impl ExtensionContents {
    /// All functions of a name; the name of one in a schema of its own includes that.
    pub fn functions_named(&self, name: &str) -> &'static [Function] {
        named(self.functions, name, |function| function.name)
    }

    pub fn type_named(&self, name: &str) -> Option<&'static BuiltInType> {
        self.types.iter().find(|built_in| built_in.name == name)
    }

    /// All casts, as (source, target, cast).
    pub fn casts(&self) -> impl Iterator<Item = (&'static str, &'static str, Cast)> {
        self.casts.iter().map(|row| (row.source, row.target, row.cast))
    }

    /// The cast between two types, by their catalog names.
    pub fn cast(&self, source: &str, target: &str) -> Option<Cast> {
        find_cast(self.casts, source, target)
    }

    /// Whether it brings an operator class of the name: one that is the default of a type, or one that is written out.
    pub fn has_operator_class(&self, name: &str) -> bool {
        self.classes.iter().any(|class| class.2 == name)
            || WRITTEN_CLASSES
                .iter()
                .any(|(class, function)| *class == name && !self.functions_named(function).is_empty())
    }

    /// The default operator class for one of its types.
    pub fn default_operator_class(&self, method: &str, type_name: &str) -> Option<&'static str> {
        self.classes.iter().find(|class| class.0 == method && class.1 == type_name).map(|class| class.2)
    }
}

/// Operator classes that are no type's default, each with a function that tells its extension.
const WRITTEN_CLASSES: &[(&str, &str)] = &[
    ("gin_trgm_ops", "similarity"),
    ("gist_trgm_ops", "similarity"),
    ("gin__int_ops", "icount"),
    ("gist__int_ops", "icount"),
    ("gist__intbig_ops", "icount"),
    ("vector_cosine_ops", "cosine_distance"),
    ("vector_ip_ops", "inner_product"),
    ("vector_l2_ops", "l2_distance"),
];

/// An extension while its rows are read.
#[derive(Default)]
struct Contents {
    complete: bool,
    schema: Option<&'static str>,
    types: Vec<BuiltInType>,
    functions: Vec<Function>,
    operators: Vec<Operator>,
    relations: Vec<&'static str>,
    casts: Vec<CastRow>,
    classes: Vec<(&'static str, &'static str, &'static str)>,
}

static EXTENSIONS: LazyLock<BTreeMap<&'static str, ExtensionContents>> = LazyLock::new(|| {
    let mut extensions: Vec<(&'static str, Contents)> = Vec::new();
    let generated = include_str!("extensions.tsv").lines();
    for line in generated.chain(include_str!("extensions-by-hand.tsv").lines()) {
        let mut row = Row::new(line);
        match (row.next(), extensions.last_mut()) {
            ("extension", _) => extensions.push(head(row)),
            (kind, Some((_, contents))) => contents.add(kind, row),
            _ => {}
        }
    }
    extensions.into_iter().map(|(name, contents)| (name, contents.keep())).collect()
});

fn head(mut row: Row) -> (&'static str, Contents) {
    let name = row.next();
    let complete = row.next() == "complete";
    let schema = Some(row.next()).filter(|schema| !schema.is_empty());
    (name, Contents { complete, schema, ..Contents::default() })
}

impl Contents {
    fn add(&mut self, kind: &str, mut row: Row) {
        match kind {
            "type" => self.types.push(data::built_in_type(row)),
            "function" => self.functions.push(data::function(row)),
            "operator" => self.operators.push(data::operator(row)),
            "cast" => self.casts.push(data::cast(row)),
            "class" => self.classes.push((row.next(), row.next(), row.next())),
            "relation" => self.relations.push(row.next()),
            _ => {}
        }
    }

    /// Leaked: kept as long as the process runs.
    fn keep(mut self) -> ExtensionContents {
        self.functions.sort_by_key(|function| function.name);
        self.casts.sort_by_key(|row| (row.source, row.target));
        ExtensionContents {
            complete: self.complete,
            schema: self.schema,
            types: self.types.leak(),
            functions: self.functions.leak(),
            operators: self.operators.leak(),
            relations: self.relations.leak(),
            casts: self.casts.leak(),
            classes: self.classes.leak(),
        }
    }
}

/// `None`: an extension of which nothing is known; anything may come from it.
pub fn extension(name: &str) -> Option<&'static ExtensionContents> {
    EXTENSIONS.get(name)
}

/// Whether some known extension has a type of this name.
pub fn is_extension_type(name: &str) -> bool {
    EXTENSIONS.values().any(|contents| contents.type_named(name).is_some())
}
