//! `pgassay init`: writes pgassay.toml for the migrations found here, and what runs pgassay on every change.

mod files;
mod project;
mod setup;

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;
use pgassay::migration::Framework;

use self::files::{Planned, Written};
use self::project::Project;
use super::Outcome;

/// Write pgassay.toml for the migrations found here, and what runs pgassay on every change
///
/// On a terminal it asks for what the flags do not say. What is there already is kept.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The migrations [default: those found in the project]
    paths: Vec<PathBuf>,

    /// The migration tool [default: recognised by its files]
    #[arg(long, value_name = "NAME", value_parser = super::in_force::framework)]
    framework: Option<Framework>,

    /// A GitHub workflow, .github/workflows/pgassay.yml
    #[arg(long)]
    github: bool,

    /// A GitLab job, .gitlab/pgassay.yml
    #[arg(long)]
    gitlab: bool,

    /// An entry in .pre-commit-config.yaml
    #[arg(long)]
    pre_commit: bool,

    /// A git hook that runs before every commit
    #[arg(long)]
    hook: bool,

    /// Print the SQL of a role for --db that can look and do nothing else, and write nothing
    #[arg(long, exclusive = true)]
    role: bool,

    /// A part of AGENTS.md that tells coding agents to ask pgassay first
    #[arg(long)]
    agents: bool,

    /// Overwrite files that are there
    #[arg(long)]
    force: bool,

    /// Print the files instead of writing them
    #[arg(long)]
    dry_run: bool,
}

pub fn run(mut arguments: Arguments) -> anyhow::Result<Outcome> {
    if arguments.role {
        write!(anstream::stdout(), "{}", pgassay::db::rights::ROLE)?;
        return Ok(Outcome::Clean);
    }
    let project = Project::find(&arguments.paths, arguments.framework)?;
    let mut out = anstream::stdout();
    writeln!(out, "{}", project.summary())?;
    let told = arguments.github || arguments.gitlab || arguments.pre_commit || arguments.hook || arguments.agents;
    if !told && !arguments.dry_run && std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        ask(&mut arguments, &mut out)?;
    }
    let planned = plan(&arguments, &project)?;
    if arguments.dry_run {
        for file in &planned {
            writeln!(out, "\n--- {}\n{}", file.path.display(), file.text.trim_end())?;
        }
        return Ok(Outcome::Clean);
    }
    for file in &planned {
        let path = file.path.display();
        match file.write(arguments.force)? {
            Written::New => writeln!(out, "wrote {path}")?,
            Written::Kept => writeln!(out, "kept {path}, which is there already; --force overwrites it")?,
            Written::Shared => writeln!(out, "kept {path}, which has other things in it; add:\n\n{}", file.text)?,
        }
    }
    Ok(Outcome::Clean)
}

fn plan(arguments: &Arguments, project: &Project) -> anyhow::Result<Vec<Planned>> {
    let mut planned = vec![files::config(project)];
    if arguments.github {
        planned.push(files::github(project));
    }
    if arguments.gitlab {
        planned.extend(files::gitlab(project));
    }
    if arguments.pre_commit {
        planned.push(files::pre_commit(project));
    }
    if arguments.hook {
        planned.push(files::hook()?);
    }
    if arguments.agents {
        planned.push(files::agents());
    }
    Ok(planned)
}

fn ask(arguments: &mut Arguments, out: &mut dyn Write) -> anyhow::Result<()> {
    let questions = [
        ("Write a GitHub workflow that checks every pull request", &mut arguments.github),
        ("Write a GitLab job that checks every merge request", &mut arguments.gitlab),
        ("Add an entry for the pre-commit tool", &mut arguments.pre_commit),
        ("Install a git hook that checks every commit", &mut arguments.hook),
        ("Tell coding agents, in AGENTS.md, to ask pgassay first", &mut arguments.agents),
    ];
    for (question, answer) in questions {
        write!(out, "{question}? [y/N] ")?;
        out.flush()?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        *answer = matches!(line.trim(), "y" | "Y" | "yes");
    }
    Ok(())
}
