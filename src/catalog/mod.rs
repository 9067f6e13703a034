//! What pg_catalog and the usual extensions define: functions, types and casts, as data generated from real servers.
//!
//! In: names. Out: facts with the versions they hold for. Knows nothing of user schemas.

use crate::change::Volatility;
use crate::version::PgVersion;

/// A function, procedure, aggregate or window function of pg_catalog or an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    pub name: &'static str,
    /// Type names as pg_type spells them; `_int4` is an array; pseudo-types stay (`anyelement`).
    pub arguments: &'static [&'static str],
    /// Arguments at the end that may be left out.
    pub defaults: u8,
    pub variadic: bool,
    pub returns: &'static str,
    pub returns_set: bool,
    pub aggregate: bool,
    pub volatility: Volatility,
    pub strict: bool,
}

/// A type of pg_catalog or an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltInType {
    pub name: &'static str,
    /// pg_type.typcategory.
    pub category: char,
    pub preferred: bool,
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

/// All functions of a name in pg_catalog.
pub fn functions(_name: &str, _version: PgVersion) -> Vec<&'static Function> {
    Vec::new()
}

/// A type of pg_catalog.
pub fn built_in_type(_name: &str) -> Option<&'static BuiltInType> {
    None
}

/// The cast between two types of pg_catalog, by their catalog names (`varchar`, `int4`); array types with a leading underscore.
/// `None` where pg_cast has no row; casts through text are not rows (see the manual, CREATE CAST).
pub fn cast(_source: &str, _target: &str) -> Option<Cast> {
    None
}

/// What CREATE EXTENSION brings, for the extensions that PostgreSQL ships and the widely used others.
#[derive(Debug, Clone, Copy)]
pub struct ExtensionContents {
    pub types: &'static [BuiltInType],
    pub functions: &'static [Function],
    /// Tables and views it makes.
    pub relations: &'static [&'static str],
}

/// `None`: an extension of which nothing is known; anything may come from it.
pub fn extension(_name: &str) -> Option<&'static ExtensionContents> {
    None
}

/// Tables and views of pg_catalog and information_schema.
pub fn is_system_relation(_schema: Option<&str>, _name: &str) -> bool {
    false
}
