//! What stands under a path in a commit or in the index, with links followed as they are recorded there.
//!
//! In: paths from the repository's root on. Out: the file that a path leads to. Names and links are read, contents are not, so that a clone
//! without blobs downloads none.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use super::{GitError, Repository, path_of};

/// Which of git's trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The commit to compare with.
    Before,
    Index,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    File {
        /// From the root on, without links.
        path: PathBuf,
        id: String,
    },
    /// On into a submodule: its folder, and the rest of the path.
    Beyond { submodule: PathBuf, rest: PathBuf },
    /// No file, or out of the repository.
    Nowhere,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Link,
    Submodule,
}

#[derive(Debug, Clone)]
struct Entry {
    kind: Kind,
    id: String,
}

/// The entries of a tree, as far as they were asked for.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    side: Side,
    /// None: there is no such commit, and the tree is empty.
    commit: Option<String>,
    /// Paths below which all is known.
    loaded: Vec<PathBuf>,
    entries: BTreeMap<PathBuf, Entry>,
    /// The links' targets, by the link.
    targets: HashMap<PathBuf, PathBuf>,
}

/// As many links as the system follows on the way to one file.
const MOST_LINKS: usize = 40;

impl Tree {
    pub fn new(side: Side, commit: Option<String>) -> Tree {
        Tree { side, commit, loaded: Vec::new(), entries: BTreeMap::new(), targets: HashMap::new() }
    }

    /// Every file and link below a folder.
    pub fn below(&mut self, repository: &Repository, folder: &Path) -> Result<Vec<PathBuf>, GitError> {
        self.load(repository, folder)?;
        let from = self.entries.range(folder.to_owned()..);
        Ok(from.take_while(|(path, _)| path.starts_with(folder)).map(|(path, _)| path.clone()).collect())
    }

    pub fn resolve(&mut self, repository: &Repository, path: &Path) -> Result<Place, GitError> {
        let mut rest: VecDeque<OsString> = parts(path);
        let (mut at, mut links) = (PathBuf::new(), 0);
        while let Some(part) = rest.pop_front() {
            if part == ".." {
                if !at.pop() {
                    return Ok(Place::Nowhere);
                }
                continue;
            }
            at.push(part);
            match self.entry(repository, &at)? {
                // A folder, or nothing: then there is nothing below it either.
                None => {}
                Some(Entry { kind: Kind::File, id }) => {
                    let place = Place::File { path: at, id };
                    return Ok(if rest.is_empty() { place } else { Place::Nowhere });
                }
                Some(Entry { kind: Kind::Submodule, .. }) => {
                    return Ok(Place::Beyond { submodule: at, rest: rest.into_iter().collect() });
                }
                Some(Entry { kind: Kind::Link, id }) => {
                    links += 1;
                    let target = self.target(repository, &at, &id)?;
                    let target = match target.strip_prefix(&repository.root) {
                        Ok(inside) => {
                            at.clear();
                            inside.to_owned()
                        }
                        Err(_) if target.is_absolute() => return Ok(Place::Nowhere),
                        Err(_) => {
                            at.pop();
                            target
                        }
                    };
                    if links > MOST_LINKS {
                        return Ok(Place::Nowhere);
                    }
                    for part in parts(&target).into_iter().rev() {
                        rest.push_front(part);
                    }
                }
            }
        }
        Ok(Place::Nowhere)
    }

    fn target(&mut self, repository: &Repository, link: &Path, id: &str) -> Result<PathBuf, GitError> {
        if let Some(known) = self.targets.get(link) {
            return Ok(known.clone());
        }
        let target = path_of(&repository.run(&["cat-file", "blob", id])?);
        self.targets.insert(link.to_owned(), target.clone());
        Ok(target)
    }

    fn entry(&mut self, repository: &Repository, path: &Path) -> Result<Option<Entry>, GitError> {
        let is_known = self.loaded.iter().any(|loaded| path.starts_with(loaded));
        if !is_known {
            // What has something below it is a folder.
            let below = self.entries.range(path.to_owned()..).next();
            if below.is_some_and(|(first, _)| first != path && first.starts_with(path)) {
                return Ok(None);
            }
            self.load(repository, path)?;
        }
        Ok(self.entries.get(path).cloned())
    }

    pub fn load(&mut self, repository: &Repository, path: &Path) -> Result<(), GitError> {
        if self.loaded.iter().any(|loaded| path.starts_with(loaded)) {
            return Ok(());
        }
        self.loaded.push(path.to_owned());
        let mut arguments: Vec<&OsStr> = ["--literal-pathspecs"].map(OsStr::new).to_vec();
        match (self.side, &self.commit) {
            (Side::Index, _) => arguments.extend(["ls-files", "-s", "-z", "--"].map(OsStr::new)),
            (Side::Before, Some(commit)) => {
                arguments.extend(["ls-tree", "-r", "-z", "--full-tree", commit, "--"].map(OsStr::new));
            }
            (Side::Before, None) => return Ok(()),
        }
        if !path.as_os_str().is_empty() {
            arguments.push(path.as_os_str());
        }
        let listing = repository.run(&arguments)?;
        for line in listing.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            self.entries.extend(self.line(line));
        }
        Ok(())
    }

    /// `mode type id\tpath` of a commit, `mode id stage\tpath` of the index.
    fn line(&self, line: &[u8]) -> Option<(PathBuf, Entry)> {
        let tab = line.iter().position(|byte| *byte == b'\t')?;
        let head = String::from_utf8_lossy(&line[..tab]).into_owned();
        let words: Vec<&str> = head.split(' ').collect();
        let kind = match *words.first()? {
            "120000" => Kind::Link,
            "160000" => Kind::Submodule,
            _ => Kind::File,
        };
        let id = (*words.get(if self.side == Side::Before { 2 } else { 1 })?).to_owned();
        Some((path_of(&line[tab + 1..]), Entry { kind, id }))
    }
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let part = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().filter_map(part).collect()
}
