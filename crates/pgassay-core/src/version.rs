//! The PostgreSQL version that a migration will run on.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A supported major version, 14 to 18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PgVersion(u16);

impl PgVersion {
    pub const OLDEST: PgVersion = PgVersion(14);
    pub const NEWEST: PgVersion = PgVersion(18);

    /// `None` outside 14 to 18.
    pub fn new(major: u16) -> Option<PgVersion> {
        (PgVersion::OLDEST.0..=PgVersion::NEWEST.0).contains(&major).then_some(PgVersion(major))
    }

    pub fn major(self) -> u16 {
        self.0
    }

    /// Every supported version, oldest first.
    pub fn all() -> impl Iterator<Item = PgVersion> {
        (PgVersion::OLDEST.0..=PgVersion::NEWEST.0).map(PgVersion)
    }

    /// Whether this server has a feature that came with `major`.
    pub fn at_least(self, major: u16) -> bool {
        self.0 >= major
    }
}

/// The strictest of the supported versions: what works there works on the others.
impl Default for PgVersion {
    fn default() -> PgVersion {
        PgVersion::OLDEST
    }
}

impl fmt::Display for PgVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for PgVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pgassay knows PostgreSQL 14 to 18; {0:?} is none of them")]
pub struct UnsupportedVersion(String);

impl FromStr for PgVersion {
    type Err = UnsupportedVersion;

    /// Reads `15` and `15.4`.
    fn from_str(text: &str) -> Result<PgVersion, UnsupportedVersion> {
        let major = text.trim().split('.').next().and_then(|major| major.parse().ok());
        major.and_then(PgVersion::new).ok_or_else(|| UnsupportedVersion(text.to_owned()))
    }
}
