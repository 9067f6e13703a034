//! Whether a path leads out of the repository that it is in.
//!
//! A pull request may add a link to any file of the machine that judges it. In: a path. Out: where a link takes it, if that is outside. Looks
//! at names and links only.

use std::path::{Component, Path, PathBuf};

/// Where links on the way take a path that is named as one inside of a repository, if that is outside of it. A path that is named as one
/// outside is nobody's secret: whoever runs pgassay named it.
pub fn leaves(path: &Path) -> Option<PathBuf> {
    let named = without_dots(&std::path::absolute(path).ok()?);
    let root = root(&named)?;
    let target = named.canonicalize().ok()?;
    // The repository itself may be reached by a link.
    (!target.starts_with(root.canonicalize().ok()?)).then_some(target)
}

/// The repository that a configuration file is in, if a path that it names is outside of that: whoever opens a pull request may write the
/// file, and would have any other of the machine shown in a comment.
pub fn outside(path: &Path, configuration: &Path) -> Option<PathBuf> {
    let root = root(configuration)?;
    let named = without_dots(&std::path::absolute(path).ok()?);
    (!named.starts_with(&root)).then_some(root)
}

/// The top of the repository that a path is named in.
pub(super) fn root(path: &Path) -> Option<PathBuf> {
    let named = without_dots(&std::path::absolute(path).ok()?);
    named.parent()?.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

/// `..` by its name: what a link before it makes of it is what is asked.
pub(super) fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}

/// What to say of such a path.
pub fn refusal(target: &Path) -> String {
    format!("is a link out of the repository, to {}, and is not followed", target.display())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_what_leads_out_of_a_repository_is_refused() {
        let outside = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::write(outside.path().join("secret"), "x").unwrap();
        std::fs::create_dir_all(root.join("db/old")).unwrap();
        std::fs::write(root.join("db/old/1.sql"), "x").unwrap();
        symlink(outside.path(), root.join("db/out")).unwrap();
        symlink(outside.path().join("secret"), root.join("db/2.sql")).unwrap();
        symlink("old/1.sql", root.join("db/3.sql")).unwrap();
        // Outside of a repository there is nothing to leave.
        assert_eq!(leaves(&root.join("db/2.sql")), None);
        std::fs::create_dir(root.join(".git")).unwrap();
        assert!(leaves(&root.join("db/2.sql")).is_some());
        assert!(leaves(&root.join("db/out/secret")).is_some());
        assert!(leaves(&root.join("db/old/../out/secret")).is_some());
        assert_eq!(leaves(&root.join("db/3.sql")), None);
        assert_eq!(leaves(&root.join("db/old/1.sql")), None);
        assert_eq!(leaves(&outside.path().join("secret")), None);
        // The whole repository by a link.
        let link = outside.path().join("link");
        symlink(root, &link).unwrap();
        assert_eq!(leaves(&link.join("db/3.sql")), None);
        assert!(leaves(&link.join("db/2.sql")).is_some());
    }
}
