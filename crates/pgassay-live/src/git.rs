//! What git knows of the files: which were added or changed, and what they held before.
//!
//! Runs the `git` program with `-C` and reads its NUL-separated output: no shell, no other reading of the repository. Knows nothing of
//! migrations.

mod tree;

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tree::Tree;
pub use tree::{Place, Side};

/// Against what a file is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The merge base of this commit and HEAD; everything since then, committed or not.
    Since(String),
    /// The last commit; what is in the index.
    Staged,
}

/// One file that differs. Paths are absolute, and free of symbolic links as far as the folder goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    pub path: PathBuf,
    pub kind: FileChangeKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileChangeKind {
    Added,
    Changed,
    /// Moved, perhaps with a few changes.
    Renamed {
        from: PathBuf,
    },
    Deleted,
}

/// Why git did not answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("the git program was not found, and only git knows what is new")]
    Absent,
    #[error("git could not be started: {0}")]
    Start(std::io::Error),
    #[error("{} is not in a git repository, so that nothing is known of what is new", path.display())]
    NoRepository { path: PathBuf },
    #[error("git knows no commit {reference:?} in {}{}", root.display(), hint)]
    UnknownReference { reference: String, root: PathBuf, hint: String },
    #[error("{reference} and HEAD have no common commit in {}{}", root.display(), shallow_hint(*shallow))]
    NoMergeBase { reference: String, root: PathBuf, shallow: bool },
    #[error("{} has no commit yet", root.display())]
    NoCommit { root: PathBuf },
    #[error("`git {command}` failed in {}: {stderr}", root.display())]
    Failed { command: String, root: PathBuf, stderr: String },
}

fn shallow_hint(shallow: bool) -> &'static str {
    if shallow {
        ": its history is shallow; fetch all of it (git fetch --unshallow, or fetch-depth: 0 for actions/checkout)"
    } else {
        ""
    }
}

/// How alike two files are for one to be the other under a new name. Short migrations resemble each other: git's own 50% is too little.
const SIMILARITY: &str = "-M80%";

const NAMES_AND_STATUS: &[&str] = &["diff", "--name-status", "-z", "--no-ext-diff", "--ignore-submodules=all"];

/// Variables by which git tells a hook where its repository is; they are wrong for any other repository.
const LOCAL_VARIABLES: [&str; 5] =
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"];

/// A working tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    root: PathBuf,
    /// The one that the working directory is in: what git tells a hook is about this one.
    is_own: bool,
}

/// The files that are new, and the commit against which they are.
#[derive(Debug, Clone)]
pub struct Changes {
    repository: Repository,
    /// `None`: nothing was there before.
    pub base: Option<String>,
    pub files: Vec<FileChange>,
    /// In the working tree, but not in the index; only for [`Scope::Staged`].
    pub unstaged: Vec<FileChange>,
    /// Files and folders that git is told to ignore.
    pub ignored: Vec<PathBuf>,
    /// Places in `files`, by path.
    by_path: HashMap<PathBuf, usize>,
    unstaged_paths: HashSet<PathBuf>,
    before: Tree,
    index: Tree,
}

impl Repository {
    /// The working tree that a file or folder is in.
    pub fn around(path: &Path) -> Result<Repository, GitError> {
        let none = || GitError::NoRepository { path: path.to_owned() };
        let root = root_of(path).ok_or_else(none)?;
        let is_own = root_of(Path::new(".")).is_some_and(|own| own == root);
        Ok(Repository { root, is_own })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The files that were added, changed, moved or deleted in these folders, or at these paths, given from the root on. What lies elsewhere
    /// is not looked at: a file that comes in from there is added, and a clone without blobs downloads no others.
    pub fn changes(&self, scope: &Scope, within: &[PathBuf]) -> Result<Changes, GitError> {
        let base = self.base(scope)?;
        let mut arguments = [NAMES_AND_STATUS, &[SIMILARITY]].concat();
        if *scope == Scope::Staged {
            arguments.push("--cached");
        }
        let empty = if base.is_none() { self.empty_tree()? } else { String::new() };
        arguments.push(base.as_deref().unwrap_or(&empty));
        let mut files = self.parse_status(&self.run_within(&arguments, within)?);
        let untracked = self.untracked(within)?;
        let mut unstaged = Vec::new();
        match scope {
            Scope::Since(_) => files.extend(untracked),
            Scope::Staged => {
                let arguments = [NAMES_AND_STATUS, &["--no-renames"]].concat();
                unstaged = self.parse_status(&self.run_within(&arguments, within)?);
                unstaged.extend(untracked);
            }
        }
        let by_path = files.iter().enumerate().map(|(place, change)| (change.path.clone(), place)).collect();
        let unstaged_paths = unstaged.iter().map(|change: &FileChange| change.path.clone()).collect();
        let (before, index) = (Tree::new(Side::Before, base.clone()), Tree::new(Side::Index, None));
        let ignored = self.ignored(within)?;
        Ok(Changes { repository: self.clone(), base, files, unstaged, ignored, by_path, unstaged_paths, before, index })
    }

    /// Files that moved with their content as it was, from anywhere in the repository: old and new paths, from the root on. Compares ids, and
    /// reads no content.
    pub fn moved(&self, scope: &Scope) -> Result<Vec<(PathBuf, PathBuf)>, GitError> {
        let Some(base) = self.base(scope)? else { return Ok(Vec::new()) };
        let mut arguments = [NAMES_AND_STATUS, &["-M100%"]].concat();
        if *scope == Scope::Staged {
            arguments.push("--cached");
        }
        arguments.push(&base);
        let from_root = |path: &Path| path.strip_prefix(&self.root).unwrap_or(path).to_owned();
        let moved = |change: FileChange| match change.kind {
            FileChangeKind::Renamed { from } => Some((from_root(&from), from_root(&change.path))),
            _ => None,
        };
        Ok(self.parse_status(&self.run_within(&arguments, &[])?).into_iter().filter_map(moved).collect())
    }

    /// Whether git knows a path, given from the root on: it is in the index.
    pub fn is_tracked(&self, path: &Path) -> Result<bool, GitError> {
        let arguments: Vec<&OsStr> = ["--literal-pathspecs", "ls-files", "-z", "--"].map(OsStr::new).to_vec();
        Ok(!self.run(&[arguments, vec![path.as_os_str()]].concat())?.is_empty())
    }

    /// Runs a command on some paths; on all where none is given, or one of them is the root.
    fn run_within(&self, arguments: &[&str], within: &[PathBuf]) -> Result<Vec<u8>, GitError> {
        let mut all: Vec<&OsStr> = vec![OsStr::new("--literal-pathspecs")];
        all.extend(arguments.iter().map(OsStr::new));
        all.push(OsStr::new("--"));
        if within.iter().all(|path| !path.as_os_str().is_empty()) {
            all.extend(within.iter().map(|path| path.as_os_str()));
        }
        self.run(&all)
    }

    /// The commit to compare with. In a submodule, the one that the repository around it had recorded there.
    fn base(&self, scope: &Scope) -> Result<Option<String>, GitError> {
        if let Some(around) = self.superproject()? {
            let Some(base) = around.base(scope)? else { return Ok(None) };
            return around.recorded(&base, &self.root);
        }
        match scope {
            Scope::Since(reference) => self.merge_base(reference).map(Some),
            Scope::Staged => self.commit("HEAD"),
        }
    }

    fn superproject(&self) -> Result<Option<Repository>, GitError> {
        // Only a submodule, or a worktree, has a file here.
        if !self.root.join(".git").is_file() {
            return Ok(None);
        }
        let around = self.run(&["rev-parse", "--show-superproject-working-tree"])?;
        let around = without_line_end(&around);
        if around.is_empty() { Ok(None) } else { Repository::around(&path_of(around)).map(Some) }
    }

    /// The commit of a submodule that a commit of this repository records.
    fn recorded(&self, commit: &str, submodule: &Path) -> Result<Option<String>, GitError> {
        let Ok(place) = submodule.strip_prefix(&self.root) else { return Ok(None) };
        let mut arguments: Vec<&OsStr> = ["ls-tree", "-z", commit, "--"].map(OsStr::new).to_vec();
        arguments.push(place.as_os_str());
        let entry = self.run(&arguments)?;
        let mut words = entry.split(|byte| byte.is_ascii_whitespace());
        let is_commit = words.nth(1) == Some(b"commit");
        Ok(words.next().filter(|_| is_commit).map(|id| String::from_utf8_lossy(id).into_owned()))
    }

    fn merge_base(&self, reference: &str) -> Result<String, GitError> {
        let Some(commit) = self.commit(reference)? else { return Err(self.unknown(reference)) };
        let Some(head) = self.commit("HEAD")? else { return Err(GitError::NoCommit { root: self.root.clone() }) };
        let output = self.output(&["merge-base", &commit, &head])?;
        let base = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() && !base.is_empty() {
            return Ok(base);
        }
        let (reference, root) = (reference.to_owned(), self.root.clone());
        Err(GitError::NoMergeBase { reference, root, shallow: self.is_shallow() })
    }

    /// The id of the commit that a reference names, if there is one.
    fn commit(&self, reference: &str) -> Result<Option<String>, GitError> {
        // What looks like an option is no name that git would take.
        if reference.is_empty() || reference.starts_with('-') {
            return Ok(None);
        }
        let output = self.output(&["rev-parse", "--verify", "--quiet", &format!("{reference}^{{commit}}")])?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        if stderr.contains("dubious ownership") || stderr.contains("not a git repository") {
            return Err(self.failed("rev-parse", &output));
        }
        let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Some(id).filter(|id| output.status.success() && !id.is_empty()))
    }

    fn unknown(&self, reference: &str) -> GitError {
        let likely = self.likely(reference).into_iter().find(|likely| matches!(self.commit(likely), Ok(Some(_))));
        let hint = match likely {
            Some(likely) => format!("; did you mean {likely}?"),
            _ if self.is_shallow() => shallow_hint(true).to_owned(),
            _ => "; a branch of a remote must be fetched first".to_owned(),
        };
        GitError::UnknownReference { reference: reference.to_owned(), root: self.root.clone(), hint }
    }

    /// What somebody may have meant by a reference that there is none of: the branch of the remote or the one here, and for what main
    /// branches are called the one that this repository has.
    fn likely(&self, reference: &str) -> Vec<String> {
        let short = reference.strip_prefix("origin/").unwrap_or(reference);
        let mut likely = vec![format!("origin/{reference}")];
        // What a shallow clone lacks is there to be fetched.
        if self.is_shallow() {
            return likely;
        }
        if ["main", "master", "trunk"].contains(&short) {
            likely.extend(self.main_branches());
        }
        likely.push(short.to_owned());
        likely
    }

    /// The branch that others begin from, as `--since` takes it.
    pub fn main_branch(&self) -> Option<String> {
        self.main_branches().into_iter().find(|branch| matches!(self.commit(branch), Ok(Some(_))))
    }

    /// What the remote calls its main branch, then what such branches are usually called.
    fn main_branches(&self) -> Vec<String> {
        let head = self.run(&["rev-parse", "--abbrev-ref", "origin/HEAD"]).ok();
        let head = head.map(|head| String::from_utf8_lossy(&head).trim().to_owned());
        head.into_iter().chain(["origin/main", "origin/master", "main", "master"].map(str::to_owned)).collect()
    }

    fn is_shallow(&self) -> bool {
        let answer = self.run(&["rev-parse", "--is-shallow-repository"]);
        answer.is_ok_and(|answer| without_line_end(&answer) == b"true")
    }

    fn empty_tree(&self) -> Result<String, GitError> {
        let id = self.run(&["hash-object", "-t", "tree", "--stdin"])?;
        Ok(String::from_utf8_lossy(&id).trim().to_owned())
    }

    fn untracked(&self, within: &[PathBuf]) -> Result<Vec<FileChange>, GitError> {
        let names = self.run_within(&["ls-files", "-z", "--others", "--exclude-standard"], within)?;
        let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| FileChange { path: self.path(name), kind: FileChangeKind::Added }).collect())
    }

    /// A folder of which all is ignored stands for what is in it.
    fn ignored(&self, within: &[PathBuf]) -> Result<Vec<PathBuf>, GitError> {
        let arguments = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"];
        let names = self.run_within(&arguments, within)?;
        let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| self.path(name.strip_suffix(b"/").unwrap_or(name))).collect())
    }

    /// `M\0path\0` and `R100\0from\0to\0`, one behind the other.
    fn parse_status(&self, output: &[u8]) -> Vec<FileChange> {
        let mut fields = output.split(|byte| *byte == 0).filter(|field| !field.is_empty());
        let mut changes = Vec::new();
        while let (Some(status), Some(name)) = (fields.next(), fields.next()) {
            let (path, kind) = match status.first() {
                Some(b'R') => {
                    let Some(to) = fields.next() else { break };
                    (self.path(to), FileChangeKind::Renamed { from: self.path(name) })
                }
                Some(b'A') => (self.path(name), FileChangeKind::Added),
                Some(b'D') => (self.path(name), FileChangeKind::Deleted),
                _ => (self.path(name), FileChangeKind::Changed),
            };
            changes.push(FileChange { path, kind });
        }
        changes
    }

    fn path(&self, name: &[u8]) -> PathBuf {
        self.root.join(path_of(name))
    }

    fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Vec<u8>, GitError> {
        let output = self.output(arguments)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let is_option = |argument: &&S| argument.as_ref().to_string_lossy().starts_with('-');
        let command = arguments.iter().find(|argument| !is_option(argument));
        let command = command.map(|name| name.as_ref().to_string_lossy().into_owned()).unwrap_or_default();
        Err(self.failed(&command, &output))
    }

    fn failed(&self, command: &str, output: &Output) -> GitError {
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        GitError::Failed { command: command.to_owned(), root: self.root.clone(), stderr }
    }

    fn output<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Output, GitError> {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.root).args(arguments).stdin(Stdio::null());
        git.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
        if !self.is_own {
            LOCAL_VARIABLES.iter().for_each(|name| {
                git.env_remove(name);
            });
        }
        git.output().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => GitError::Absent,
            _ => GitError::Start(error),
        })
    }
}

impl Changes {
    pub fn root(&self) -> &Path {
        &self.repository.root
    }

    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// What happened to a file, by its full path.
    pub fn of(&self, path: &Path) -> Option<&FileChangeKind> {
        self.by_path.get(path).and_then(|place| self.files.get(*place)).map(|change| &change.kind)
    }

    /// Whether the working tree and the index differ in a file, by its full path.
    pub fn is_unstaged(&self, path: &Path) -> bool {
        self.unstaged_paths.contains(path)
    }

    /// Where a path leads, given from the root on.
    pub fn resolve(&mut self, side: Side, path: &Path) -> Result<Place, GitError> {
        let tree = if side == Side::Before { &mut self.before } else { &mut self.index };
        tree.resolve(&self.repository, path)
    }

    /// The files and links below a folder, both from the root on.
    pub fn below(&mut self, side: Side, folder: &Path) -> Result<Vec<PathBuf>, GitError> {
        let tree = if side == Side::Before { &mut self.before } else { &mut self.index };
        tree.below(&self.repository, folder)
    }

    /// What a file held before.
    pub fn before(&self, path: &Path) -> Result<Vec<u8>, GitError> {
        let name = path.strip_prefix(&self.repository.root).unwrap_or(path);
        let mut object = std::ffi::OsString::from(format!("{}:", self.base.as_deref().unwrap_or_default()));
        object.push(name);
        self.repository.run(&[OsStr::new("cat-file"), OsStr::new("blob"), &object])
    }

    /// What git holds under an id.
    pub fn content(&self, id: &str) -> Result<Vec<u8>, GitError> {
        self.repository.run(&["cat-file", "blob", id])
    }
}

/// The closest folder around a path that holds a repository; a submodule's `.git` is a file.
fn root_of(path: &Path) -> Option<PathBuf> {
    let full = path.canonicalize().ok()?;
    full.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

/// A path may end in white space, and only the line end is git's.
fn without_line_end(output: &[u8]) -> &[u8] {
    output.strip_suffix(b"\n").unwrap_or(output)
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}
