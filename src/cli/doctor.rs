//! `pgassay doctor`: what is there to prove migrations with.

use std::path::PathBuf;

use clap::Args;
use pgassay::shadow::{Confinement, Installation, Options, Server, ShadowError, installed};
use pgassay::version::PgVersion;

use super::Outcome;

/// Say which PostgreSQL servers were found for check --prove, whether they start, and what is missing
#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder of a server's initdb and postgres [default: all that are found]
    #[arg(long, value_name = "DIR")]
    pg_bin: Option<PathBuf>,
}

pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let found = match installed(arguments.pg_bin.as_deref()) {
        Ok(found) => found,
        Err(error) => {
            anstream::println!("servers: none\n  {error}");
            return Ok(Outcome::Findings);
        }
    };
    let mut works = false;
    anstream::println!("servers:");
    for installation in &found {
        let supported = PgVersion::new(installation.major()).is_some();
        let state = match supported {
            true => start(installation),
            false => Err("pgassay knows PostgreSQL 14 to 18".to_owned()),
        };
        works |= state.is_ok();
        let (Ok(text) | Err(text)) = &state;
        anstream::println!("  {} in {}: {text}", installation.version(), installation.bin().display());
    }
    let missing: Vec<String> = PgVersion::all()
        .filter(|version| !found.iter().any(|server| server.major() == version.major()))
        .map(|version| version.to_string())
        .collect();
    if !missing.is_empty() {
        anstream::println!(
            "no server of version {}: migrations for it are run on the next newer one, and the report says so",
            missing.join(", ")
        );
    }
    if !works {
        anstream::println!("no server can be used: install one, name its folder with --pg-bin, or use --shadow-url");
    }
    if let Some(newest) = found.last() {
        anstream::println!("{}", confined(newest));
    }
    Ok(if works { Outcome::Clean } else { Outcome::Findings })
}

/// How servers are kept from this machine.
fn confined(installation: &Installation) -> String {
    let (confinement, hindrances) = pgassay::shadow::confinement(installation);
    let how = match confinement {
        Confinement::Namespaces => {
            "servers run in a box of namespaces: no file but the system's programs and their own, no network, no other process"
        }
        Confinement::Landlock => {
            "servers are confined by Landlock: no file but the system's programs and their own, no other program, no TCP"
        }
        Confinement::Nothing => {
            "servers are not kept from this machine: what migrations run on them may do what their user may"
        }
    };
    match hindrances.is_empty() {
        true => how.to_owned(),
        false => format!("{how} ({})", hindrances.join("; ")),
    }
}

/// Starts the server and stops it.
fn start(installation: &Installation) -> Result<String, String> {
    let started = std::time::Instant::now();
    let outcome: Result<Server, ShadowError> = Server::start(installation, &Options::default());
    match outcome {
        Ok(server) => {
            let parent = server.parent().map(|parent| format!(" in {}", parent.display())).unwrap_or_default();
            let user = server.runs_as().map(|user| format!(" as {user}")).unwrap_or_default();
            drop(server);
            let extensions = extensions(installation);
            Ok(format!("starts{parent}{user}, {:.1} s with its end{extensions}", started.elapsed().as_secs_f64()))
        }
        Err(error) => Err(error.to_string().replace('\n', "\n    ")),
    }
}

/// How many extensions are installed beside the server; others have stand-ins.
fn extensions(installation: &Installation) -> String {
    let output = std::process::Command::new(installation.bin().join("pg_config")).arg("--sharedir").output();
    let told =
        output.ok().and_then(|output| String::from_utf8(output.stdout).ok()).map(|text| PathBuf::from(text.trim()));
    // Servers that come without pg_config have it beside their binaries.
    let beside = ["postgresql", "."].map(|name| installation.bin().join("../share").join(name));
    let entries = told.into_iter().chain(beside).find_map(|folder| std::fs::read_dir(folder.join("extension")).ok());
    let is_control = |entry: &std::fs::DirEntry| entry.path().extension().is_some_and(|end| end == "control");
    match entries.map(|entries| entries.flatten().filter(is_control).count()) {
        Some(number) => format!("; {number} extensions, others have stand-ins"),
        None => String::new(),
    }
}
