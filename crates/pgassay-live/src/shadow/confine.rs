//! Namespaces of Linux around a throwaway server.
//!
//! In: the user that the server runs as. Out: what its programs are started with, so that they see no network and share no memory with other
//! programs: what a migration may reach is then its own server. Where the kernel does not allow it, nothing, and why.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A user namespace of one's own gives the right to make the others (user_namespaces(7)). Loopback is down in a new network namespace;
/// sockets in folders are reached all the same. The program takes the place of `unshare`, so that signals reach it.
const UNSHARE: &[&str] = &["--user", "--map-current-user", "--net", "--ipc", "--"];

/// The statistics collector talks to its server over loopback, and counts nothing without it (pgstat_init, pgstat.c of 14).
const COLLECTOR_UNTIL: u16 = 14;

/// A command for a program of a server of this major version, in namespaces of its own where they can be made.
pub(super) fn command(program: &std::path::Path, major: u16, ids: Option<(u32, u32)>) -> Command {
    match hindrance(ids) {
        Some(_) => Command::new(program),
        None => {
            let keeps_network = major <= COLLECTOR_UNTIL;
            let mut command = Command::new("unshare");
            command.args(UNSHARE.iter().filter(|flag| !keeps_network || **flag != "--net")).arg(program);
            command
        }
    }
}

/// Why the throwaway servers of a user cannot be cut off from the network.
pub(super) fn hindrance(ids: Option<(u32, u32)>) -> Option<&'static str> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    FOUND.get_or_init(|| attempt(ids)).as_deref()
}

fn attempt(ids: Option<(u32, u32)>) -> Option<String> {
    if !cfg!(target_os = "linux") {
        return Some("only Linux has namespaces".to_owned());
    }
    let mut command = Command::new("unshare");
    command.args(UNSHARE).arg("true").stdin(Stdio::null()).env_clear();
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    if let Some((uid, gid)) = ids {
        command.uid(uid).gid(gid);
    }
    match command.output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Some(said.lines().next().unwrap_or("unshare failed").trim().to_owned())
        }
        Err(error) => Some(format!("unshare could not be run: {error}")),
    }
}
