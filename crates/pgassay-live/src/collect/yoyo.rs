//! yoyo: `<name>.sql`, with the way back in `<name>.rollback.sql`, beside migrations in Python.
//!
//! Recognised by `yoyo.ini` around it (in it, where that names several sources: they are one history), or by a comment `-- depends:` or `-- transactional:` at the top of a file. A file's statements are
//! sent one by one in a transaction, unless it says `-- transactional: false`. What a file depends on runs before it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::folder::{File, Folder};
use super::line::lines;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Yoyo;

/// A directive among the comments at the top: `-- depends: a b`.
fn directive<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let comments =
        lines(text).map(|line| line.text.trim()).take_while(|line| line.is_empty() || line.starts_with("--"));
    comments
        .filter_map(|line| line.strip_prefix("--")?.trim_start().strip_prefix(name)?.trim_start().strip_prefix(':'))
        .next()
}

/// The folders that `yoyo.ini` names, where they are several below the one it is in.
fn sources(folder: &Folder) -> Vec<PathBuf> {
    let Some(ini) = folder.file("yoyo.ini") else { return Vec::new() };
    let setting = |line: &str| {
        let (key, value) = line.split_once(['=', ':'])?;
        (key.trim() == "sources").then(|| value.trim().to_owned())
    };
    let written = ini.text().lines().find_map(setting).unwrap_or_default();
    let path =
        |word: &str| PathBuf::from(word.trim_start_matches("%(here)s/").trim_start_matches("./").trim_end_matches('/'));
    let named: Vec<PathBuf> = written.split_whitespace().map(path).collect();
    let has_sql = |source: &PathBuf| folder.files.iter().any(|file| is_in(file, source));
    if named.len() > 1 && named.iter().any(has_sql) { named } else { Vec::new() }
}

fn is_in(file: &File, source: &Path) -> bool {
    file.is_sql() && file.relative.parent() == Some(source)
}

/// Runs after all others, each time.
fn is_hook(file: &File) -> bool {
    file.stem().starts_with("post-apply")
}

fn is_back(file: &File) -> bool {
    file.stem().ends_with(".rollback")
}

impl Tool for Yoyo {
    fn framework(&self) -> Framework {
        Framework::Yoyo
    }

    fn detect(&self, folder: &Folder) -> bool {
        let has_directive = |file: &File| {
            let text = file.text();
            ["depends", "transactional"].iter().any(|name| directive(text, name).is_some())
        };
        let has_sql = folder.own_sql().next().is_some();
        !sources(folder).is_empty()
            || has_sql && (folder.project.has("yoyo.ini") || folder.own_sql().any(has_directive))
    }

    /// Source by source, each by name (`read_migrations`), and then by what they depend on.
    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        let sources = sources(folder);
        let files: Vec<&File> = match sources.as_slice() {
            [] => folder.own_sql().collect(),
            named => {
                named.iter().flat_map(|source| folder.files.iter().filter(move |file| is_in(file, source))).collect()
            }
        };
        order.known = sources.iter().map(|source| folder.path.join(source)).collect();
        let place = |file: &File| sources.iter().position(|source| is_in(file, source));
        let mut ups: Vec<&File> = files.iter().copied().filter(|file| !is_back(file)).collect();
        ups.sort_by_key(|file| (is_hook(file), place(file), file.stem().to_owned()));
        let mut all: BTreeMap<&str, &File> = BTreeMap::new();
        for file in &ups {
            if let Some(twin) = all.insert(file.stem(), file) {
                let message = format!("yoyo stops: it has the name of {}", twin.path.display());
                order.notes.push((file.path.clone(), message));
            }
        }
        let mut done: BTreeSet<&str> = BTreeSet::new();
        for file in &ups {
            push(file.stem(), &all, &mut done, &mut order);
        }
        for file in files.into_iter().filter(|file| is_back(file)) {
            let name = file.stem().trim_end_matches(".rollback");
            order.entries.push(Entry { direction: Some(Direction::Down), ..Entry::new(name, file) });
        }
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let is_off =
            directive(input.text, "transactional").is_some_and(|value| value.trim().eq_ignore_ascii_case("false"));
        let transaction = if is_off { TransactionMode::None } else { TransactionMode::Wrapped };
        Split::whole(input, transaction)
    }
}

/// A file after those that it depends on; a circle is cut where it is met.
fn push<'f>(name: &'f str, all: &BTreeMap<&'f str, &'f File>, done: &mut BTreeSet<&'f str>, order: &mut Order) {
    let mut waiting = vec![(name, false)];
    while let Some((name, are_before)) = waiting.pop() {
        let Some((name, file)) = all.get_key_value(name) else { continue };
        if are_before {
            order.entries.push(Entry { direction: Some(Direction::Up), ..Entry::new(name, file) });
        } else if done.insert(name) {
            waiting.push((name, true));
            let before = directive(file.text(), "depends").unwrap_or_default().split_whitespace();
            waiting.extend(before.map(|name| (name.trim_matches(','), false)));
        }
    }
}
