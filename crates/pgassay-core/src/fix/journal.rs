//! Files in which a tool keeps account of its migrations: Atlas's sums, Drizzle's journal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::files::Folder;
use super::sums;
use crate::migration::Framework;

/// The sums of a folder whose files change.
pub(super) fn add_sums(
    framework: Framework,
    folder: &Path,
    texts: &Folder,
    changes: &mut BTreeMap<PathBuf, Option<String>>,
) {
    let sum = folder.join("atlas.sum");
    if framework != Framework::Atlas || !texts.contains_key(&sum) {
        return;
    }
    let mut all: BTreeMap<&Path, &str> = texts.iter().map(|(path, text)| (path.as_path(), text.as_str())).collect();
    for (path, new) in changes.iter() {
        match new {
            Some(text) => all.insert(path, text),
            None => all.remove(path.as_path()),
        };
    }
    let is_own = |path: &Path| path.parent() == Some(folder) && path.extension().is_some_and(|it| it == "sql");
    let text = sums::atlas(all.into_iter().filter(|(path, _)| is_own(path)).collect());
    changes.insert(sum, Some(text));
}

/// The journal names every migration that Drizzle runs, each later than the one before it.
pub(super) fn add_to_journal(
    around: &Path,
    paths: &[PathBuf],
    folder: &Folder,
    changes: &mut BTreeMap<PathBuf, Option<String>>,
) -> Result<(), String> {
    let path = around.join("meta/_journal.json");
    let wrong = || format!("{}: it has no list of entries to add to", path.display());
    let text = folder.get(&path).ok_or_else(wrong)?;
    let mut journal: serde_json::Value = serde_json::from_str(text).map_err(|_| wrong())?;
    let entries = journal.get_mut("entries").and_then(|entries| entries.as_array_mut()).ok_or_else(wrong)?;
    for tag in paths.iter().filter_map(|path| path.file_stem()?.to_str()) {
        let mut entry = entries.last().cloned().ok_or_else(wrong)?;
        let number = |name: &str| entry.get(name).and_then(serde_json::Value::as_i64);
        let (idx, when) = (number("idx").ok_or_else(wrong)? + 1, number("when").ok_or_else(wrong)? + 1);
        entry["idx"] = idx.into();
        entry["when"] = when.into();
        entry["tag"] = tag.into();
        entries.push(entry);
    }
    let text = serde_json::to_string_pretty(&journal).map_err(|error| error.to_string())?;
    changes.insert(path, Some(format!("{text}\n")));
    Ok(())
}
