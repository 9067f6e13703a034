//! PostgreSQL's table-level lock modes and which of them conflict (manual, "Explicit Locking", table 13.2).

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A table-level lock mode, ordered from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockMode {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

impl LockMode {
    pub const ALL: [LockMode; 8] = [
        LockMode::AccessShare,
        LockMode::RowShare,
        LockMode::RowExclusive,
        LockMode::ShareUpdateExclusive,
        LockMode::Share,
        LockMode::ShareRowExclusive,
        LockMode::Exclusive,
        LockMode::AccessExclusive,
    ];

    /// The name as the manual spells it, without the word MODE or LOCK.
    pub fn name(self) -> &'static str {
        match self {
            LockMode::AccessShare => "ACCESS SHARE",
            LockMode::RowShare => "ROW SHARE",
            LockMode::RowExclusive => "ROW EXCLUSIVE",
            LockMode::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            LockMode::Share => "SHARE",
            LockMode::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            LockMode::Exclusive => "EXCLUSIVE",
            LockMode::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// Whether a session that asks for `other` waits while this mode is held.
    pub fn conflicts_with(self, other: LockMode) -> bool {
        use LockMode::*;
        let (weak, strong) = if self <= other { (self, other) } else { (other, self) };
        match weak {
            AccessShare => strong == AccessExclusive,
            RowShare => strong >= Exclusive,
            RowExclusive => strong >= Share,
            ShareUpdateExclusive => strong >= ShareUpdateExclusive,
            // SHARE does not conflict with itself.
            Share => strong > Share,
            ShareRowExclusive | Exclusive | AccessExclusive => true,
        }
    }

    /// INSERT, UPDATE and DELETE wait.
    pub fn blocks_writes(self) -> bool {
        self.conflicts_with(LockMode::RowExclusive)
    }

    /// SELECT waits too.
    pub fn blocks_reads(self) -> bool {
        self.conflicts_with(LockMode::AccessShare)
    }

    /// The mode behind a name in `pg_locks.mode`, such as `ShareUpdateExclusiveLock`.
    pub fn from_pg_locks(mode: &str) -> Option<LockMode> {
        let squeezed = mode.strip_suffix("Lock")?;
        LockMode::ALL.into_iter().find(|candidate| candidate.name().replace(' ', "").eq_ignore_ascii_case(squeezed))
    }
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is not the name of a lock mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a table-level lock mode")]
pub struct UnknownLockMode(pub String);

impl FromStr for LockMode {
    type Err = UnknownLockMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        LockMode::ALL
            .into_iter()
            .find(|mode| mode.name().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| UnknownLockMode(text.to_owned()))
    }
}

impl Serialize for LockMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::LockMode::{self, *};

    #[test]
    fn share_and_above_block_writes_and_only_access_exclusive_blocks_reads() {
        for mode in LockMode::ALL {
            assert_eq!(mode.blocks_writes(), mode >= Share, "{mode}");
            assert_eq!(mode.blocks_reads(), mode == AccessExclusive, "{mode}");
        }
    }

    #[test]
    fn self_conflicts_follow_the_manual() {
        let conflicting: Vec<_> = LockMode::ALL.into_iter().filter(|mode| mode.conflicts_with(*mode)).collect();
        assert_eq!(conflicting, [ShareUpdateExclusive, ShareRowExclusive, Exclusive, AccessExclusive]);
    }

    #[test]
    fn names_round_trip() {
        for mode in LockMode::ALL {
            assert_eq!(mode.name().parse(), Ok(mode));
            assert_eq!(LockMode::from_pg_locks(&format!("{}Lock", mode.name().replace(' ', ""))), Some(mode));
        }
    }
}
