//! Which PostgreSQL servers are installed on this machine.
//!
//! In: nothing but the machine (and a folder the user named). Out: one [`Installation`] for each server found.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ShadowError;

/// An installed server: the folder of its binaries and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    bin: PathBuf,
    major: u16,
    version: String,
}

impl Installation {
    /// The server whose `initdb` and `postgres` are in this folder.
    ///
    /// # Errors
    /// [`ShadowError::NotAServer`] if they are not there or do not run.
    pub fn at(bin: &Path) -> Result<Installation, ShadowError> {
        let not_a_server = || ShadowError::NotAServer(bin.to_owned());
        // initdb of Debian's and Homebrew's `bin` is often a link: the folder it points to holds all the binaries.
        let initdb = fs::canonicalize(bin.join("initdb")).map_err(|_| not_a_server())?;
        let bin = initdb.parent().ok_or_else(not_a_server)?.to_owned();
        let output = Command::new(bin.join("postgres")).arg("--version").output().map_err(|_| not_a_server())?;
        let text = String::from_utf8_lossy(&output.stdout);
        // "postgres (PostgreSQL) 15.10 (Debian 15.10-0+deb12u1)", or "18beta1" for the number.
        let version = text.split_once("(PostgreSQL)").and_then(|(_, rest)| rest.split_whitespace().next());
        let version = version.ok_or_else(not_a_server)?.to_owned();
        let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
        let major = version[..digits].parse().map_err(|_| not_a_server())?;
        Ok(Installation { bin, major, version })
    }

    /// The folder of `initdb` and `postgres`.
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// The major version, such as 15.
    pub fn major(&self) -> u16 {
        self.major
    }

    /// The full version as the server prints it, such as `15.10`.
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// The servers installed on this machine, oldest first, one for each major version.
///
/// With `explicit` (the `--pg-bin` option) only that folder counts. Otherwise, the first found of a major version wins:
/// the folders under `$PGASSAY_SERVERS`, PATH, `pg_config --bindir`, then where packages put servers.
///
/// # Errors
/// [`ShadowError::NotAServer`] if the explicit folder holds none, [`ShadowError::NoServer`] if nothing is found.
pub fn installed(explicit: Option<&Path>) -> Result<Vec<Installation>, ShadowError> {
    if let Some(bin) = explicit {
        return Ok(vec![Installation::at(bin)?]);
    }
    let mut by_major = BTreeMap::new();
    for installation in candidates().iter().filter_map(|bin| Installation::at(bin).ok()) {
        by_major.entry(installation.major).or_insert(installation);
    }
    if by_major.is_empty() {
        return Err(ShadowError::NoServer);
    }
    Ok(by_major.into_values().collect())
}

/// Folders that may hold a server's binaries, best first.
pub(super) fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(servers) = env::var_os("PGASSAY_SERVERS") {
        let servers = PathBuf::from(servers);
        folders.extend(children(&servers, "", "native/bin"));
        folders.extend(children(&servers, "", "bin"));
    }
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    folders.extend(pg_config_bindir());
    folders.extend(children(Path::new("/usr/lib/postgresql"), "", "bin"));
    folders.extend(children(Path::new("/usr"), "pgsql-", "bin"));
    for homebrew in ["/opt/homebrew/opt", "/usr/local/opt"] {
        folders.extend(children(Path::new(homebrew), "postgresql@", "bin"));
    }
    folders.extend(children(Path::new("/Applications/Postgres.app/Contents/Versions"), "", "bin"));
    folders
}

/// `folder/<prefix>*/below` for each entry that starts with the prefix, in the order of names.
fn children(folder: &Path, prefix: &str, below: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let named = |name: &OsString| name.to_string_lossy().starts_with(prefix);
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).filter(named).collect();
    names.sort();
    names.into_iter().map(|name| folder.join(name).join(below)).collect()
}

fn pg_config_bindir() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim()))
}
