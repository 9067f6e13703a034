//! `structure.sql`, the dump that Rails (`db/structure.sql`) and Ecto (`priv/repo/structure.sql`) keep of the whole schema.
//!
//! It is what exists before the next migration, not a migration: [`Framework::is_base`] says so. Both load it with psql.

use super::folder::{File, Folder};
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Framework, TransactionMode};

pub(super) struct StructureSql;

/// Also `animals_structure.sql`, as Rails names the dumps of a second database.
pub(super) fn is_structure(file: &File) -> bool {
    let name = file.name();
    name == "structure.sql" || name.ends_with("_structure.sql")
}

impl Tool for StructureSql {
    fn framework(&self) -> Framework {
        Framework::StructureSql
    }

    /// A folder with nothing but dumps; a dump beside other files is recognised by its name.
    fn detect(&self, folder: &Folder) -> bool {
        folder.own_sql().count() == folder.files.iter().filter(|file| file.is_sql()).count()
            && folder.own_sql().all(is_structure)
            && folder.has_sql()
    }

    fn order(&self, folder: &Folder) -> Order {
        let entry =
            |file: &File| Entry { name: file.name().to_owned(), file: file.clone(), direction: None, listed: None };
        let entries = folder.own_sql().filter(|file| is_structure(file)).map(entry).collect();
        Order { entries, ..Order::default() }
    }

    fn split(&self, input: &Input<'_>) -> Split {
        Split::whole(input, TransactionMode::None)
    }
}
