//! Which migrations run on the same database, so that the later ones meet what the earlier ones left.
//!
//! One history a tool's folder: two services in one repository have nothing to do with each other. Plain files are one history a
//! folder, with the numbered folders in it (`2024/`, `v2/`); what is named on the command line is one history in the order given.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pgassay::migration::{FoundFramework, Framework, Migration};

/// Migrations of one database, in order, and the dumps that say what exists before them.
#[derive(Debug, Default)]
pub struct History {
    pub base: Vec<Migration>,
    pub migrations: Vec<Migration>,
}

/// Sorts migrations into histories, in the order of their first migrations. `paths` are the arguments.
pub fn histories(migrations: Vec<Migration>, frameworks: &[FoundFramework], paths: &[PathBuf]) -> Vec<History> {
    let (dumps, migrations): (Vec<_>, Vec<_>) =
        migrations.into_iter().partition(|migration| migration.framework.is_base());
    let mut found: Vec<(PathBuf, History)> = Vec::new();
    let mut places: HashMap<PathBuf, usize> = HashMap::new();
    for migration in migrations {
        let root = root(&migration, frameworks, paths);
        let at = *places.entry(root.clone()).or_insert(found.len());
        if at == found.len() {
            found.push((root, History::default()));
        }
        found[at].1.migrations.push(migration);
    }
    let only = found.len() == 1;
    for (root, history) in &mut found {
        let before = |dump: &&Migration| only || dump.path.parent().is_some_and(|folder| root.starts_with(folder));
        history.base = dumps.iter().filter(before).cloned().collect();
    }
    found.into_iter().map(|(_, history)| history).collect()
}

/// What names the history: the tool's folder, or the plain folder; empty for plain files that the arguments name.
fn root(migration: &Migration, frameworks: &[FoundFramework], paths: &[PathBuf]) -> PathBuf {
    let parent = migration.path.parent().unwrap_or(Path::new(""));
    if migration.framework != Framework::Plain {
        let folders =
            frameworks.iter().filter(|found| found.framework == migration.framework).map(|found| &found.folder);
        let around = folders.filter(|folder| migration.path.starts_with(folder));
        return around.max_by_key(|folder| folder.components().count()).map_or(parent, |folder| folder).to_owned();
    }
    if paths.contains(&migration.path) {
        return PathBuf::new();
    }
    let mut folder = parent;
    while let Some(above) = folder.parent().filter(|_| is_numbered(folder) && !paths.iter().any(|path| path == folder))
    {
        folder = above;
    }
    if paths.iter().any(|path| path == folder) { PathBuf::new() } else { folder.to_owned() }
}

/// `2024`, `01_users`, `v2`, `V1.3`.
fn is_numbered(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.trim_start_matches(['v', 'V']).starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pgassay::sql::{SourceFile, Sources};

    fn found(files: &[(&str, Framework)], frameworks: &[(&str, Framework)], paths: &[&str]) -> Vec<Vec<String>> {
        let mut sources = Sources::default();
        let migration = |(name, framework): &(&str, Framework)| {
            let file = sources.add(SourceFile::new(*name, ""));
            Migration { framework: *framework, ..Migration::plain(name, file, 0) }
        };
        let migrations = files.iter().map(migration).collect();
        let frameworks: Vec<_> = frameworks
            .iter()
            .map(|(folder, framework)| FoundFramework { framework: *framework, folder: PathBuf::from(folder) })
            .collect();
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        let names = |history: History| {
            history.base.into_iter().chain(history.migrations).map(|migration| migration.name).collect::<Vec<_>>()
        };
        histories(migrations, &frameworks, &paths).into_iter().map(names).collect()
    }

    use Framework::{Dbmate, Plain, StructureSql};

    #[test]
    fn a_tools_folder_is_a_history() {
        let files = [("x/a/1.sql", Dbmate), ("x/b/1.sql", Dbmate), ("x/a/sub/2.sql", Dbmate)];
        let histories = found(&files, &[("x/a", Dbmate), ("x/b", Dbmate)], &["x"]);
        assert_eq!(histories, [vec!["x/a/1.sql", "x/a/sub/2.sql"], vec!["x/b/1.sql"]]);
    }

    #[test]
    fn plain_folders_are_histories_and_numbered_ones_parts() {
        let files = [("x/a/1.sql", Plain), ("x/b/1.sql", Plain), ("x/2023/1.sql", Plain), ("x/v2/1.sql", Plain)];
        let histories = found(&files, &[("x", Plain)], &["x"]);
        assert_eq!(histories, [vec!["x/a/1.sql"], vec!["x/b/1.sql"], vec!["x/2023/1.sql", "x/v2/1.sql"]]);
    }

    #[test]
    fn plain_arguments_are_one_history() {
        let files = [("old/1.sql", Plain), ("new/2.sql", Plain), ("fix.sql", Plain)];
        assert_eq!(found(&files, &[], &["old", "new", "fix.sql"]).len(), 1);
    }

    #[test]
    fn a_dump_is_before_what_is_below_its_folder() {
        let files = [("x/a/db/structure.sql", StructureSql), ("x/a/db/m/1.sql", Plain), ("x/b/1.sql", Plain)];
        let histories = found(&files, &[], &["x"]);
        assert_eq!(histories, [vec!["x/a/db/structure.sql", "x/a/db/m/1.sql"], vec!["x/b/1.sql"]]);
        let one = found(&[("dump/s.sql", StructureSql), ("m/1.sql", Plain)], &[], &["dump", "m"]);
        assert_eq!(one, [vec!["dump/s.sql", "m/1.sql"]]);
    }
}
