//! Publications.

use super::{Expression, Ident, ObjectName};

#[derive(Debug, Clone, PartialEq)]
pub struct CreatePublication {
    pub name: Ident,
    pub objects: PublicationObjects,
    /// By default both.
    pub updates: Published,
}

/// Which changes of rows that were there a publication publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    pub update: bool,
    pub delete: bool,
}

impl Published {
    pub const BOTH: Published = Published { update: true, delete: true };

    /// One or the other.
    pub fn any(self) -> bool {
        self.update || self.delete
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum PublicationObjects {
    None,
    AllTables,
    Named { tables: Vec<PublicationTable>, schemas: Vec<Ident> },
}

#[derive(Debug, Clone, PartialEq)]
pub struct PublicationTable {
    pub table: ObjectName,
    pub only: bool,
    pub columns: Vec<Ident>,
    pub filter: Option<Expression>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterPublication {
    pub name: Ident,
    pub action: AlterPublicationAction,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AlterPublicationAction {
    Add(PublicationObjects),
    Set(PublicationObjects),
    Drop(PublicationObjects),
    /// SET (publish = …); which of UPDATE and DELETE is published from then on, where that is said.
    Options {
        updates: Option<Published>,
    },
}
