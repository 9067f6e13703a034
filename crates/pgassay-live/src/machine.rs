//! What throwaway servers need of the operating system.
//!
//! On Unix all of it is there. Elsewhere there are no throwaway servers, [`throwaway_servers`] says so before anything is made, and the rest is here
//! only so that everything else compiles and runs: `check`, `plan`, `audit`, and what talks to servers over TCP.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use other::*;
#[cfg(unix)]
pub(crate) use unix::*;

/// Why there are none, where that is so.
pub(crate) fn throwaway_servers() -> Result<(), &'static str> {
    if cfg!(unix) { Ok(()) } else { Err("throwaway servers need Linux, macOS or another Unix") }
}
