//! What pg_catalog and the usual extensions define: functions, operators, types and casts, as data generated from real servers.
//!
//! In: names. Out: facts with the versions they hold for. Knows nothing of user schemas. The data files are made by
//! `scripts/generate-catalog`; `extensions-by-hand.tsv` is kept by hand.

mod collation;
mod data;
mod extension;
mod lock;
mod operator_class;
mod unmodelled;
mod volatility;

use std::sync::LazyLock;

use crate::version::PgVersion;

pub use collation::may_be_locale;
pub use extension::{ExtensionContents, extension, is_extension_type};
pub use lock::{LockMode, UnknownLockMode};
pub use operator_class::default_operator_class;
pub use unmodelled::{UNMODELLED, Unmodelled, unmodelled};
pub use volatility::Volatility;

/// Oldest and newest major version that has a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Versions(u16, u16);

/// A function, procedure, aggregate or window function of pg_catalog or an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// With a schema in front (`cron.schedule`) where an extension puts it in one of its own, whatever schema the extension is in.
    pub name: &'static str,
    /// Type names as pg_type spells them; `_int4` is an array; pseudo-types stay (`anyelement`).
    pub arguments: &'static [&'static str],
    /// Arguments at the end that may be left out.
    pub defaults: u8,
    pub variadic: bool,
    pub returns: &'static str,
    pub returns_set: bool,
    /// Named OUT and TABLE arguments with their types: the columns of a row that it returns.
    pub columns: &'static [(&'static str, &'static str)],
    pub aggregate: bool,
    pub window: bool,
    pub procedure: bool,
    pub volatility: Volatility,
    pub strict: bool,
    versions: Versions,
}

/// An operator; a prefix operator has no left type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    pub name: &'static str,
    pub left: Option<&'static str>,
    pub right: &'static str,
    pub returns: &'static str,
    pub volatility: Volatility,
    versions: Versions,
}

/// A type of pg_catalog or an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltInType {
    pub name: &'static str,
    /// pg_type.typcategory.
    pub category: char,
    /// pg_type.typtype: `b`ase, `c`omposite, `d`omain, `e`num, `m`ultirange, `p`seudo, `r`ange.
    pub kind: char,
    pub preferred: bool,
    /// Of the function that reads the text form: what a cast from text is at most.
    pub input: Volatility,
    pub output: Volatility,
    /// Element type of an array, subtype of a range or multirange, base type of a domain.
    pub element: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CastMethod {
    /// The stored bytes are the same.
    Binary,
    /// A function of this volatility.
    Function(Volatility),
    /// Through the text form.
    InOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CastContext {
    Explicit,
    Assignment,
    Implicit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cast {
    pub context: CastContext,
    pub method: CastMethod,
}

#[derive(Debug)]
struct CastRow {
    source: &'static str,
    target: &'static str,
    cast: Cast,
}

static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(|| data::functions(include_str!("functions.tsv")));
static OPERATORS: LazyLock<Vec<Operator>> = LazyLock::new(|| data::operators(include_str!("operators.tsv")));
static TYPES: LazyLock<Vec<BuiltInType>> = LazyLock::new(|| data::types(include_str!("types.tsv")));
static CASTS: LazyLock<Vec<CastRow>> = LazyLock::new(|| data::casts(include_str!("casts.tsv")));
static RELATIONS: LazyLock<Vec<&'static str>> = LazyLock::new(|| data::first_column(include_str!("relations.tsv")));

/// The part of a table sorted by name that has this name.
fn named<'a, T>(rows: &'a [T], name: &str, key: impl Fn(&T) -> &str) -> &'a [T] {
    let start = rows.partition_point(|row| key(row) < name);
    // Few rows have the same name.
    let length = rows[start..].iter().take_while(|row| key(row) == name).count();
    &rows[start..start + length]
}

impl Versions {
    fn contain(self, version: PgVersion) -> bool {
        (self.0..=self.1).contains(&version.major())
    }
}

/// All functions of a name in pg_catalog.
pub fn functions(name: &str, version: PgVersion) -> Vec<&'static Function> {
    named(&FUNCTIONS, name, |function| function.name)
        .iter()
        .filter(|function| function.versions.contain(version))
        .collect()
}

/// All operators of a name in pg_catalog.
pub fn operators(name: &str, version: PgVersion) -> impl Iterator<Item = &'static Operator> {
    named(&OPERATORS, name, |operator| operator.name).iter().filter(move |operator| operator.versions.contain(version))
}

/// The names of all types of pg_catalog.
pub fn type_names() -> impl Iterator<Item = &'static str> {
    TYPES.iter().map(|built_in| built_in.name)
}

/// A type of pg_catalog.
pub fn built_in_type(name: &str) -> Option<&'static BuiltInType> {
    named(&TYPES, name, |built_in| built_in.name).first()
}

/// The cast between two types of pg_catalog, by their catalog names (`varchar`, `int4`); array types with a leading underscore.
/// `None` where pg_cast has no row; casts through text are not rows (see the manual, CREATE CAST).
pub fn cast(source: &str, target: &str) -> Option<Cast> {
    find_cast(&CASTS, source, target)
}

fn find_cast(rows: &[CastRow], source: &str, target: &str) -> Option<Cast> {
    let at = rows.binary_search_by(|row| (row.source, row.target).cmp(&(source, target))).ok()?;
    Some(rows[at].cast)
}

/// Tables and views of pg_catalog and information_schema. Without a schema a name is looked up in pg_catalog only, as it is in
/// every search_path and information_schema is not.
pub fn is_system_relation(schema: Option<&str>, name: &str) -> bool {
    // `FROM current_date` calls a function.
    const CALLS: &[&str] = &["current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"];
    if schema.is_none() && CALLS.contains(&name) {
        return true;
    }
    let schema = schema.unwrap_or("pg_catalog");
    schema == "pg_toast" || RELATIONS.binary_search(&format!("{schema}.{name}").as_str()).is_ok()
}

#[cfg(test)]
mod tests;
