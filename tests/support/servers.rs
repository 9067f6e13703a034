//! The PostgreSQL servers that the tests run on: one for each major version that is there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pgassay::shadow::{Installation, installed};

/// The installed servers and those that scripts/fetch-servers fetched, oldest first.
///
/// # Panics
/// If there is none: tests that need a server fail, they are never skipped.
pub fn all() -> Vec<Installation> {
    let mut by_major: BTreeMap<u16, Installation> = BTreeMap::new();
    let found = installed(None).unwrap_or_default();
    let fetched = fetched(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".servers"));
    for server in found.into_iter().chain(fetched).chain(self::fetched(Path::new("/var/tmp/pgassay-servers"))) {
        by_major.entry(server.major()).or_insert(server);
    }
    // Targets older than 14 are not supported.
    by_major.retain(|major, _| *major >= 14);
    assert!(!by_major.is_empty(), "these tests need PostgreSQL 14 or later: run scripts/fetch-servers");
    by_major.into_values().collect()
}

/// The servers with these major versions, or all if none is named.
pub fn of_versions(majors: &[u16]) -> Vec<Installation> {
    let mut servers = all();
    if let Some(missing) = majors.iter().find(|major| !servers.iter().any(|server| server.major() == **major)) {
        panic!("PostgreSQL {missing} is not installed: run scripts/fetch-servers");
    }
    servers.retain(|server| majors.is_empty() || majors.contains(&server.major()));
    servers
}

/// The newest server.
pub fn newest() -> Installation {
    all().pop().expect("at least one server")
}

fn fetched(folder: &Path) -> Vec<Installation> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Installation::at(&entry.path().join("native/bin")).ok()).collect()
}
