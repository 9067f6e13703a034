//! sqlparser's identifiers and type names in the catalog's spelling.

use sqlparser::ast::{self, DataType, ExactNumberInfo, TimezoneInfo};

use crate::change::{Name, ObjectName, TypeName};
use crate::source::{FileId, Span};

/// Stands where an object comes from a tree that carries no span of ours.
pub(super) const NOWHERE: Span = Span { file: FileId(0), start: 0, end: 0 };

pub(super) fn name(ident: &ast::Ident) -> Name {
    Name::of_ident(ident)
}

/// The last two parts of a name; a leading database name is dropped.
pub(super) fn object_name(object: &ast::ObjectName) -> Option<ObjectName> {
    let mut parts = object.0.iter().rev().filter_map(|part| part.as_ident()).map(name);
    let last = parts.next()?;
    Some(ObjectName { schema: parts.next(), name: last, span: NOWHERE })
}

/// A type of pg_catalog by its catalog name.
pub(super) fn built_in(name: &str) -> TypeName {
    let (name, array_dimensions) = match name.strip_prefix('_') {
        Some(element) => (element, 1),
        None => (name, 0),
    };
    TypeName {
        schema: None,
        name: name.into(),
        modifiers: Vec::new(),
        other_modifiers: Vec::new(),
        array_dimensions,
        set_of: false,
        span: NOWHERE,
    }
}

fn with_modifiers<T: TryInto<i32>>(name: &str, modifiers: impl IntoIterator<Item = T>) -> TypeName {
    TypeName { modifiers: modifiers.into_iter().filter_map(|m| m.try_into().ok()).collect(), ..built_in(name) }
}

/// A type as [`TypeName`] spells it; `None` for types that PostgreSQL does not have.
pub(super) fn type_name(data_type: &DataType) -> Option<TypeName> {
    Some(match data_type {
        DataType::Array(element) => array_type(element)?,
        DataType::Custom(object, modifiers) => custom_type(object, modifiers)?,
        DataType::Character(length) | DataType::Char(length) => {
            with_modifiers("bpchar", [length.as_ref().and_then(character_length).unwrap_or(1)])
        }
        DataType::CharacterVarying(length) | DataType::CharVarying(length) | DataType::Varchar(length) => {
            with_modifiers("varchar", length.as_ref().and_then(character_length))
        }
        DataType::Numeric(info) | DataType::Decimal(info) | DataType::Dec(info) => numeric_type(info),
        DataType::Float(info) | DataType::Double(info) => match info {
            ExactNumberInfo::Precision(precision) if *precision <= 24 => built_in("float4"),
            _ => built_in("float8"),
        },
        DataType::Time(precision, zone) => with_modifiers(if has_zone(zone) { "timetz" } else { "time" }, *precision),
        DataType::Timestamp(precision, zone) => {
            with_modifiers(if has_zone(zone) { "timestamptz" } else { "timestamp" }, *precision)
        }
        DataType::Interval { precision, .. } => with_modifiers("interval", *precision),
        DataType::Bit(length) => with_modifiers("bit", [length.unwrap_or(1)]),
        DataType::BitVarying(length) | DataType::VarBit(length) => with_modifiers("varbit", *length),
        DataType::Bytes(_) => return None,
        other => built_in(plain_type(other)?),
    })
}

fn plain_type(data_type: &DataType) -> Option<&'static str> {
    Some(match data_type {
        DataType::Uuid => "uuid",
        DataType::SmallInt(_) | DataType::Int2(_) => "int2",
        DataType::Int(_) | DataType::Integer(_) | DataType::Int4(_) => "int4",
        DataType::BigInt(_) | DataType::Int8(_) => "int8",
        DataType::Real | DataType::Float4 => "float4",
        DataType::DoublePrecision | DataType::Float8 => "float8",
        DataType::Bool | DataType::Boolean => "bool",
        DataType::Date => "date",
        DataType::JSON => "json",
        DataType::JSONB => "jsonb",
        DataType::Regclass => "regclass",
        DataType::Text => "text",
        DataType::Bytea => "bytea",
        DataType::TsVector => "tsvector",
        DataType::TsQuery => "tsquery",
        DataType::GeometricType(kind) => match kind {
            ast::GeometricTypeKind::Point => "point",
            ast::GeometricTypeKind::Line => "line",
            ast::GeometricTypeKind::LineSegment => "lseg",
            ast::GeometricTypeKind::GeometricBox => "box",
            ast::GeometricTypeKind::GeometricPath => "path",
            ast::GeometricTypeKind::Polygon => "polygon",
            ast::GeometricTypeKind::Circle => "circle",
        },
        _ => return None,
    })
}

fn array_type(element: &ast::ArrayElemTypeDef) -> Option<TypeName> {
    use ast::ArrayElemTypeDef::{AngleBracket, None as Nothing, Parenthesis, Qualified, SquareBracket};
    let element = match element {
        Nothing => return None,
        AngleBracket(element) | Parenthesis(element) | SquareBracket(element, _) | Qualified(element, _) => element,
    };
    let mut array = type_name(element)?;
    array.array_dimensions = array.array_dimensions.saturating_add(1);
    Some(array)
}

fn custom_type(object: &ast::ObjectName, modifiers: &[String]) -> Option<TypeName> {
    let object = object_name(object)?;
    let numbers: Option<Vec<i32>> = modifiers.iter().map(|modifier| modifier.parse().ok()).collect();
    let other = if numbers.is_some() { Vec::new() } else { modifiers.iter().map(|m| m.as_str().into()).collect() };
    Some(TypeName {
        schema: object.schema,
        name: object.name,
        modifiers: numbers.unwrap_or_default(),
        other_modifiers: other,
        array_dimensions: 0,
        set_of: false,
        span: NOWHERE,
    })
}

fn numeric_type(info: &ExactNumberInfo) -> TypeName {
    match info {
        ExactNumberInfo::None => built_in("numeric"),
        ExactNumberInfo::Precision(precision) => with_modifiers("numeric", [*precision as i64, 0]),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => with_modifiers("numeric", [*precision as i64, *scale]),
    }
}

fn character_length(length: &ast::CharacterLength) -> Option<u64> {
    match length {
        ast::CharacterLength::IntegerLength { length, .. } => Some(*length),
        ast::CharacterLength::Max => None,
    }
}

fn has_zone(zone: &TimezoneInfo) -> bool {
    matches!(zone, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz)
}
