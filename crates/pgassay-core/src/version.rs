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

    /// The oldest version that gets fixes on a day, such as `2026-11-30`.
    pub fn oldest_supported(day: &str) -> PgVersion {
        let supported = LAST_DAYS.into_iter().find(|(_, last)| day <= *last);
        supported.and_then(|(major, _)| PgVersion::new(major)).unwrap_or(PgVersion::NEWEST)
    }

    /// What is taken where nothing names a version: the oldest that was supported on the day of the build, which a release says; the
    /// strictest otherwise.
    pub fn assumed() -> PgVersion {
        option_env!("PGASSAY_BUILD_DATE").map_or(PgVersion::OLDEST, PgVersion::oldest_supported)
    }

    /// Whether this server has a feature that came with `major`.
    pub fn at_least(self, major: u16) -> bool {
        self.0 >= major
    }
}

/// The last day on which a version gets fixes (PostgreSQL's versioning policy).
const LAST_DAYS: [(u16, &str); 5] =
    [(14, "2026-11-12"), (15, "2027-11-11"), (16, "2028-11-09"), (17, "2029-11-08"), (18, "2030-11-14")];

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

#[cfg(test)]
mod tests {
    use super::{LAST_DAYS, PgVersion};

    #[test]
    fn a_version_is_supported_to_its_last_day() {
        let on = |day| PgVersion::oldest_supported(day).major();
        assert_eq!((on("2026-11-12"), on("2026-11-13"), on("2028-01-01"), on("2040-01-01")), (14, 15, 16, 18));
        assert!(LAST_DAYS.into_iter().map(|(major, _)| PgVersion::new(major)).eq(PgVersion::all().map(Some)));
    }
}
