//! Where the files are that a changelog names.

use std::path::{Path, PathBuf};

use super::changelog;
use crate::collect::folder::{File, Folder};
use crate::collect::read::read;

/// How far above a changelog the root is looked for that its paths count from.
const LEVELS: usize = 10;

/// A file that a changelog names: from its own place, or from a root that is not known here and is one of the folders above.
pub(super) fn resolve(folder: &Folder, from: &File, path: &str, is_relative: bool) -> Option<File> {
    find(folder, from, path, is_relative, Path::is_file).map(|found| known(folder, found))
}

/// The files of a folder that a changelog includes, in their order: by path, as text (`getStandardChangeLogComparator`).
pub(super) fn all_of(folder: &Folder, from: &File, path: &str, is_relative: bool, depth: usize) -> Option<Vec<File>> {
    let below = find(folder, from, path.trim_end_matches('/'), is_relative, Path::is_dir)?;
    let walk = crate::collect::folder::walk(&below, Some(depth.max(1)), true);
    let files = walk.build().flatten().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    let mut found: Vec<PathBuf> = files.map(ignore::DirEntry::into_path).collect();
    found.sort();
    Some(
        found
            .into_iter()
            .map(|path| known(folder, path))
            .filter(|file| file.is_sql() || changelog::is_one(file))
            .collect(),
    )
}

fn find(folder: &Folder, from: &File, path: &str, is_relative: bool, is_it: fn(&Path) -> bool) -> Option<PathBuf> {
    let path = Path::new(path.trim_start_matches("classpath:").trim_start_matches('/').trim_start_matches("./"));
    let beside = from.path.parent().unwrap_or(Path::new(""));
    let at = |above: &Path| clean(&above.join(path));
    if is_relative {
        return Some(at(beside)).filter(|found| is_it(found));
    }
    let full = if folder.path.as_os_str().is_empty() { Path::new(".") } else { &folder.path };
    let upwards = (1..=LEVELS).scan(full.to_owned(), |above, _| {
        above.push("..");
        Some(above.clone())
    });
    let above = folder.path.ancestors().map(Path::to_owned).chain(upwards);
    let mut places = std::iter::once(beside.to_owned()).chain(above).map(|above| at(&above));
    places.find(|found| is_it(found)).or_else(|| in_another_module(full, path, is_it))
}

/// A classpath is made of the resources of all modules of a build: those beside the module that the folder is in.
fn in_another_module(folder: &Path, path: &Path, is_it: fn(&Path) -> bool) -> Option<PathBuf> {
    let resources = Path::new("src/main/resources");
    let module = folder.ancestors().find(|above| above.ends_with(resources)).and_then(|it| it.ancestors().nth(3))?;
    let here = if module.as_os_str().is_empty() { Path::new(".") } else { module };
    // Without a name of its own there is nothing that is known to be beside it.
    let modules = here.parent().filter(|_| here.file_name().is_some())?;
    let modules = if modules.as_os_str().is_empty() { Path::new(".") } else { modules };
    let mut beside: Vec<PathBuf> = std::fs::read_dir(modules).ok()?.flatten().map(|entry| entry.path()).collect();
    beside.sort();
    beside.iter().map(|module| clean(&module.join(resources).join(path))).find(|found| is_it(found))
}

/// Without `a/../`, as a user would write it.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        let goes_up = matches!(part, std::path::Component::ParentDir);
        let has_name = matches!(cleaned.components().next_back(), Some(std::path::Component::Normal(_)));
        match part {
            std::path::Component::CurDir => {}
            _ if goes_up && has_name => {
                cleaned.pop();
            }
            part => cleaned.push(part),
        }
    }
    cleaned
}

/// The file as the folder has it, with its text.
fn known(folder: &Folder, path: PathBuf) -> File {
    let relative = path.strip_prefix(clean(&folder.path)).unwrap_or(&path).to_owned();
    let here = folder.file(&relative).cloned();
    let mut file = here.unwrap_or_else(|| File::new(relative, path));
    if file.text.is_none() {
        file.text = file_text(&file).map(Into::into);
    }
    file
}

pub(super) fn file_text(file: &File) -> Option<String> {
    file.text.as_deref().map(str::to_owned).or_else(|| Some(read(&file.path).ok()?.text))
}
