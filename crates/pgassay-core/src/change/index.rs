//! Indexes and statistics, and what keeps tables in shape: REINDEX, CLUSTER, VACUUM, ANALYZE.

use super::{Expression, Ident, IndexElement, Name, ObjectName, StorageOption};

#[derive(Debug, Clone, PartialEq)]
pub struct CreateIndex {
    /// As written; PostgreSQL makes one up otherwise. An index is in its table's schema.
    pub name: Option<Ident>,
    pub table: ObjectName,
    pub only: bool,
    pub unique: bool,
    pub concurrently: bool,
    pub if_not_exists: bool,
    /// `btree` when left out.
    pub method: Name,
    pub elements: Vec<IndexElement>,
    pub include: Vec<Ident>,
    pub nulls_not_distinct: bool,
    pub predicate: Option<Expression>,
    pub storage: Vec<StorageOption>,
    pub tablespace: Option<Ident>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Reindex {
    pub target: ReindexTarget,
    pub concurrently: bool,
    pub tablespace: Option<Ident>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ReindexTarget {
    Index(ObjectName),
    Table(ObjectName),
    Schema(Ident),
    /// Without a name (16+), the current one.
    Database(Option<Ident>),
    System(Option<Ident>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// `None`: every table that was clustered before.
    pub table: Option<ObjectName>,
    pub index: Option<Ident>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Vacuum {
    pub full: bool,
    pub analyze: bool,
    /// Empty: every table of the database.
    pub tables: Vec<ObjectName>,
    /// 18+: `ONLY` written on the table at the same place.
    pub only: Vec<bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Analyze {
    pub tables: Vec<ObjectName>,
    pub only: Vec<bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateStatistics {
    pub name: Option<ObjectName>,
    pub if_not_exists: bool,
    pub kinds: Vec<Name>,
    pub elements: Vec<IndexElement>,
    pub table: Option<ObjectName>,
}
