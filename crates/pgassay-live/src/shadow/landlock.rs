//! Landlock of Linux around a throwaway server: what an unprivileged process may give up for itself and for all that it starts (landlock(7)).
//!
//! In: a command, and the paths that it may read. Out: the command started so that it reaches nothing else.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

/// The newest that is asked for; an older kernel gives what it has: TCP since 6.7, signals to others since 6.12.
const WANTED: ABI = ABI::V6;

/// Devices without a memory.
const DEVICES: &[&str] = &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Where dynamic loaders are: the kernel runs one with each program.
const LOADERS: &[&str] = &["/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64"];

/// Starts a command from a thread that gave up its rights: what a thread starts has no more than it.
///
/// # Errors
/// If it cannot be started, or the kernel has no Landlock.
pub(super) fn spawn(command: &mut Command, folder: &Path, shown: &[PathBuf], only: Option<&Path>) -> io::Result<Child> {
    let work = || match restrict(folder, shown, only) {
        Ok(RulesetStatus::NotEnforced) => Err(io::Error::other("Landlock is not enforced")),
        Ok(_) => command.spawn(),
        Err(error) => Err(io::Error::other(error)),
    };
    std::thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|_| Err(io::Error::other("a thread failed"))))
}

/// Why this kernel has no Landlock.
pub(super) fn hindrance() -> Option<String> {
    let status = std::thread::scope(|scope| scope.spawn(|| restrict(Path::new("/"), &[], None)).join());
    match status {
        Ok(Ok(RulesetStatus::NotEnforced)) => Some("this kernel does not have it".to_owned()),
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("a thread failed".to_owned()),
    }
}

/// Leaves this thread the files of `shown` to read, those of the folder to write, and no network. With `only`, the folder of the server's
/// programs, it may run `postgres` and nothing else.
fn restrict(folder: &Path, shown: &[PathBuf], only: Option<&Path>) -> Result<RulesetStatus, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let run: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::Execute;
    let programs = match only {
        Some(bin) => loaders().chain([bin.join("postgres")]).collect(),
        None => shown.to_vec(),
    };
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        .handle_access(AccessNet::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))?
        .create()?
        .add_rules(path_beneath_rules(shown, read))?
        .add_rules(path_beneath_rules(programs, run))?
        .add_rules(path_beneath_rules(DEVICES, AccessFs::ReadFile | AccessFs::WriteFile))?
        .add_rules(path_beneath_rules([folder], AccessFs::from_all(WANTED) & !AccessFs::Execute))?;
    Ok(ruleset.restrict_self()?.ruleset)
}

/// The dynamic loaders of this machine; where they are not found by name, what holds them.
fn loaders() -> impl Iterator<Item = PathBuf> {
    let named = LOADERS.iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten()).filter_map(
        |entry| entry.file_name().to_str().is_some_and(|name| name.starts_with("ld-")).then(|| entry.path()),
    );
    named.chain(["/nix/store", "/gnu/store"].map(PathBuf::from))
}
