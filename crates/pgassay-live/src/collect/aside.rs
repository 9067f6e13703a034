//! Which names say that SQL among migrations is rows to try things with, a test, or put away: no runner's migration.
//!
//! Names count only in folders of no known tool: a tool says itself what it runs.

use super::coverage::{LeftOut, Why};
use super::dialect::words;
use super::folder::{File, Folder};
use super::order::leading_digits;

const TRIALS: [&str; 18] = [
    "example", "examples", "fixture", "fixtures", "mock", "mocks", "sample", "samples", "seed", "seeder", "seeders",
    "seeds", "spec", "specs", "test", "testdata", "testing", "tests",
];

const PUT_AWAY: [&str; 7] = ["archive", "archived", "archives", "backup", "backups", "deprecated", "obsolete"];

/// Words that may be beside them and say nothing else.
const GENERAL: [&str; 7] = ["data", "database", "db", "dev", "local", "migrations", "sql"];

/// Why a folder or a file of that name, without its ending, is not part of the history around it.
pub(super) fn why(name: &str) -> Option<Why> {
    let words: Vec<String> = words(name).filter(|word| !GENERAL.contains(&word.as_str())).collect();
    let are_all = |list: &[&str]| !words.is_empty() && words.iter().all(|word| list.contains(&word.as_str()));
    match () {
        () if are_all(&TRIALS) => Some(Why::Trial),
        () if are_all(&PUT_AWAY) => Some(Why::PutAway),
        () => None,
    }
}

/// Takes what is aside of a folder's own files out of them: files without a number among files that have one.
pub(super) fn take(files: &mut Vec<&File>) -> Vec<LeftOut> {
    let why = |file: &File| why(file.stem());
    let rest_is_numbered = files.iter().all(|file| why(file).is_some() || is_numbered(file.name()));
    if !rest_is_numbered || files.iter().all(|file| why(file).is_some()) {
        return Vec::new();
    }
    let left = files.iter().filter_map(|file| Some(LeftOut { path: file.path.clone(), why: why(file)? })).collect();
    files.retain(|file| why(file).is_none());
    left
}

/// Takes the folders that are aside out of those below one.
pub(super) fn take_folders(folders: &mut Vec<Folder>) -> Vec<LeftOut> {
    let why = |folder: &Folder| folder.path.file_name().and_then(|name| why(&name.to_string_lossy()));
    let mut left = Vec::new();
    folders.retain(|folder| {
        let Some(why) = why(folder) else { return true };
        let sql = folder.files.iter().filter(|file| file.is_sql());
        left.extend(sql.map(|file| LeftOut { path: file.path.clone(), why: why.clone() }));
        false
    });
    left
}

fn is_numbered(name: &str) -> bool {
    !leading_digits(name.trim_start_matches(['v', 'V'])).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_by_all_their_words() {
        for name in ["seeds", "test_data", "dev-seeds", "testdata", "Fixtures"] {
            assert_eq!(why(name), Some(Why::Trial), "{name}");
        }
        assert_eq!(why("archive"), Some(Why::PutAway));
        for name in ["seed_people", "002_seed", "test_results", "data", "dev", "backup_jobs", "latest"] {
            assert_eq!(why(name), None, "{name}");
        }
    }
}
