//! Types and domains.

use std::sync::Arc;

use super::{Constraint, Expression, Ident, Name, ObjectName, TypeName};
use crate::source::Span;

#[derive(Debug, Clone, PartialEq)]
pub struct CreateType {
    pub name: ObjectName,
    pub definition: TypeDefinition,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TypeDefinition {
    Enum(Vec<(Arc<str>, Span)>),
    Composite(Vec<(Ident, TypeName)>),
    Range {
        subtype: Option<TypeName>,
        multirange: Option<Name>,
    },
    /// With input and output functions.
    Base,
    Shell,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterEnum {
    pub name: ObjectName,
    pub action: AlterEnumAction,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AlterEnumAction {
    AddValue { value: Arc<str>, if_not_exists: bool, neighbour: Option<(Arc<str>, EnumPosition)> },
    RenameValue { from: Arc<str>, to: Arc<str> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnumPosition {
    Before,
    After,
}

/// ALTER TYPE … ADD/DROP/ALTER ATTRIBUTE. RENAME ATTRIBUTE too.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterCompositeType {
    pub name: ObjectName,
    pub actions: Vec<(AttributeAction, Span)>,
    pub cascade: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AttributeAction {
    Add { attribute: Ident, data_type: TypeName },
    Drop { attribute: Ident, if_exists: bool },
    SetDataType { attribute: Ident, data_type: TypeName },
    Rename { attribute: Ident, new_name: Ident },
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateDomain {
    pub name: ObjectName,
    pub base: TypeName,
    pub collation: Option<ObjectName>,
    pub default: Option<Expression>,
    pub not_null: Option<Span>,
    /// CHECK constraints; the value is called VALUE in them.
    pub constraints: Vec<Constraint>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterDomain {
    pub name: ObjectName,
    pub action: AlterDomainAction,
    pub span: Span,
}

/// RENAME TO, SET SCHEMA and OWNER TO are [`AlterObject`](super::AlterObject).
#[derive(Debug, Clone, PartialEq)]
pub enum AlterDomainAction {
    SetDefault(Expression),
    DropDefault,
    SetNotNull,
    DropNotNull,
    AddConstraint(Constraint),
    DropConstraint { constraint: Ident, if_exists: bool, cascade: bool },
    ValidateConstraint { constraint: Ident },
    RenameConstraint { constraint: Ident, new_name: Ident },
}
