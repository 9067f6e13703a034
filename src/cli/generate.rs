//! `pgassay completions` and `pgassay man`: made from the command line's own definition.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use clap_complete::Shell;

use super::Outcome;

/// Print the completion script of a shell
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Write the manual pages: one a command into a folder, or the main one to standard output
#[derive(Debug, Args)]
pub struct Man {
    /// The folder; made if it is not there
    folder: Option<PathBuf>,
}

pub fn completions(arguments: &Completions, mut command: clap::Command) -> anyhow::Result<Outcome> {
    // Into memory first: the generator panics when its output is a closed pipe.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "pgassay", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Outcome::Clean)
}

pub fn man(arguments: &Man, command: clap::Command) -> anyhow::Result<Outcome> {
    match &arguments.folder {
        Some(folder) => {
            let failed = || format!("{} could not be written", folder.display());
            std::fs::create_dir_all(folder).with_context(failed)?;
            clap_mangen::generate_to(command, folder).with_context(failed)?;
        }
        None => clap_mangen::Man::new(command).render(&mut std::io::stdout())?,
    }
    Ok(Outcome::Clean)
}
