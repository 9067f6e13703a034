//! Which migrations share a schema: those of one folder.
//!
//! In: the migrations of a run, and what exists before them. Out: one [`History`] a migrations folder, in the order in which the folders
//! were found.

use std::path::Path;

use crate::migration::Migration;

/// The migrations of one folder, and what exists before them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    pub base: Vec<Migration>,
    pub migrations: Vec<Migration>,
}

/// One history for every migrations folder, and one for all migrations that were given by themselves.
///
/// A base without a folder is every history's. A dump that was found in a folder belongs to the migrations of that folder; else to those
/// of the folders below it; else to those of the closest folder around it; and to the only history where there is but one.
pub fn separate(base: &[Migration], migrations: &[Migration]) -> Vec<History> {
    let mut folders: Vec<Option<&Path>> = Vec::new();
    for migration in migrations {
        let folder = migration.folder.as_deref();
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    let history = |folder: &Option<&Path>| History {
        base: base.iter().filter(|dump| belongs(dump, *folder, &folders)).cloned().collect(),
        migrations: migrations.iter().filter(|migration| migration.folder.as_deref() == *folder).cloned().collect(),
    };
    folders.iter().map(history).collect()
}

fn belongs(dump: &Migration, folder: Option<&Path>, folders: &[Option<&Path>]) -> bool {
    let Some(place) = dump.folder.as_deref() else { return true };
    if folders.len() == 1 {
        return true;
    }
    let Some(folder) = folder else { return false };
    let known = || folders.iter().flatten().copied();
    if known().any(|known| known == place) {
        return folder == place;
    }
    if known().any(|known| known.starts_with(place)) {
        return folder.starts_with(place);
    }
    let around = known().filter(|known| place.starts_with(known)).max_by_key(|known| known.components().count());
    around == Some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn at(name: &str, folder: &str) -> Migration {
        let folder = (folder != "-").then(|| folder.into());
        Migration { folder, ..Migration::plain(name, FileId(0), 0) }
    }

    /// One line a history: the base, then the migrations.
    fn shape(base: &[Migration], migrations: &[Migration]) -> Vec<String> {
        let names = |list: &[Migration]| list.iter().map(|one| one.name.clone()).collect::<Vec<_>>().join(" ");
        let line = |history: History| format!("{}: {}", names(&history.base), names(&history.migrations));
        separate(base, migrations).into_iter().map(line).collect()
    }

    #[test]
    fn one_history_a_folder_in_the_order_found() {
        let migrations = [at("b1", "b"), at("a1", "a"), at("b2", "b"), at("x", "-")];
        assert_eq!(shape(&[], &migrations), [": b1 b2", ": a1", ": x"]);
        assert!(separate(&[], &[]).is_empty());
    }

    #[test]
    fn a_base_without_a_folder_is_everyones_and_a_dump_its_folders() {
        let migrations = [at("a1", "shop/db/migrate"), at("b1", "blog/migrations"), at("c1", "old")];
        let base = [at("told", "-"), at("shop", "shop/db"), at("blog", "blog/migrations"), at("part", "old/parts/x")];
        assert_eq!(shape(&base, &migrations), ["told shop: a1", "told blog: b1", "told part: c1"]);
        assert_eq!(shape(&[at("far", "elsewhere")], &migrations), [": a1", ": b1", ": c1"]);
        assert_eq!(shape(&[at("far", "elsewhere")], &migrations[..1]), ["far: a1"]);
    }
}
