//! Views and sequences.

use super::{Ident, ObjectName, Persistence, Query, StorageOption, TypeName};

#[derive(Debug, Clone, PartialEq)]
pub struct CreateView {
    pub name: ObjectName,
    pub or_replace: bool,
    pub recursive: bool,
    pub temporary: bool,
    pub columns: Vec<Ident>,
    pub query: Query,
    pub options: Vec<StorageOption>,
    pub check_option: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateMaterializedView {
    pub name: ObjectName,
    pub if_not_exists: bool,
    pub columns: Vec<Ident>,
    pub query: Query,
    pub with_no_data: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RefreshMaterializedView {
    pub name: ObjectName,
    pub concurrently: bool,
    pub with_no_data: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateSequence {
    pub name: ObjectName,
    pub if_not_exists: bool,
    pub persistence: Persistence,
    pub options: SequenceOptions,
}

/// ALTER SEQUENCE with its own options; its renames and owners are [`super::AlterTable`].
#[derive(Debug, Clone, PartialEq)]
pub struct AlterSequence {
    pub name: ObjectName,
    pub if_exists: bool,
    pub options: SequenceOptions,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct SequenceOptions {
    pub data_type: Option<TypeName>,
    pub increment: Option<i64>,
    pub min_value: Option<i64>,
    pub max_value: Option<i64>,
    pub start: Option<i64>,
    /// RESTART, with or without a number.
    pub restart: Option<Option<i64>>,
    pub cache: Option<i64>,
    pub cycle: Option<bool>,
    pub owned_by: Option<SequenceOwner>,
    /// SEQUENCE NAME of an identity column.
    pub name: Option<ObjectName>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SequenceOwner {
    None,
    Column { table: ObjectName, column: Ident },
}
