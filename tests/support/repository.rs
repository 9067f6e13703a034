//! Repositories made up for a test.

use std::path::Path;

use tempfile::TempDir;

/// A repository with these files. Its `.git` keeps searches from what is above it.
pub fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = empty();
    write_all(folder.path(), files);
    folder
}

/// As [`repository`], of files that need not be text.
pub fn repository_of_bytes(files: &[(&str, &[u8])]) -> TempDir {
    let folder = empty();
    files.iter().for_each(|(path, bytes)| write(folder.path(), path, bytes));
    folder
}

/// Writes files below a folder, with the folders that they are in.
pub fn write_all(folder: &Path, files: &[(&str, &str)]) {
    files.iter().for_each(|(path, text)| write(folder, path, text.as_bytes()));
}

fn empty() -> TempDir {
    let folder = tempfile::Builder::new().prefix("shop").tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join(".git")).expect("a folder");
    folder
}

fn write(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, bytes).expect("a file");
}
