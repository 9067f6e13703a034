//! The files that `pgassay init` writes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use pgassay::config::FILE_NAME;

use super::project::{Project, slashes};
use super::setup::Setup;

/// A file to write.
#[derive(Debug)]
pub struct Planned {
    pub path: PathBuf,
    pub text: String,
    /// A script.
    executable: bool,
    /// Holds other tools' things too: never overwritten, not even with --force.
    shared: bool,
}

/// What became of it.
pub enum Written {
    New,
    /// It is there already.
    Kept,
    /// It is there already, with things of others.
    Shared,
}

impl Planned {
    fn new(path: impl Into<PathBuf>, text: String) -> Planned {
        Planned { path: path.into(), text, executable: false, shared: false }
    }

    pub fn write(&self, force: bool) -> anyhow::Result<Written> {
        let is_there = self.path.symlink_metadata().is_ok();
        if is_there && self.shared {
            return Ok(Written::Shared);
        }
        if is_there && !force {
            return Ok(Written::Kept);
        }
        let failed = || format!("{} could not be written", self.path.display());
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).with_context(failed)?;
        }
        std::fs::write(&self.path, &self.text).with_context(failed)?;
        if self.executable {
            make_executable(&self.path).with_context(failed)?;
        }
        Ok(Written::New)
    }
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub fn config(project: &Project) -> Planned {
    let list = |paths: &[PathBuf]| {
        let quoted: Vec<String> = paths.iter().map(|path| toml_string(&slashes(path))).collect();
        format!("[{}]", quoted.join(", "))
    };
    let mut found = String::new();
    if let Some(framework) = project.framework {
        found.push_str(&format!("framework = \"{framework}\"\n"));
    }
    if !project.paths.is_empty() {
        found.push_str(&format!("paths = {}\n", list(&project.paths)));
    }
    if !project.base.is_empty() {
        found.push_str(&format!("base = {}\n", list(&project.base)));
    }
    if let Some(code) = &project.code {
        let command = toml_string(&code.command);
        found.push_str(&format!(
            "# Runs the migrations on a throwaway server; what it sends is judged.\nrun = {command}\n"
        ));
    }
    let text = include_str!("../templates/pgassay.toml").replace("{found}", &found);
    Planned::new(FILE_NAME, text.replace("{example}", &project.example()))
}

/// A basic string; JSON's escapes are TOML's.
fn toml_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub fn github(project: &Project) -> Planned {
    let text = fill(include_str!("../templates/github.yml"), project, "      - ");
    Planned::new(".github/workflows/pgassay.yml", text)
}

/// The job in a file of its own, and the line that takes it into the pipeline.
pub fn gitlab(project: &Project) -> [Planned; 2] {
    let job = fill(include_str!("../templates/gitlab.yml"), project, "        - ");
    let include = Planned::new(".gitlab-ci.yml", include_str!("../templates/gitlab-include.yml").to_owned());
    [Planned::new(".gitlab/pgassay.yml", job), Planned { shared: true, ..include }]
}

/// The patterns of files, the version, and what migrations that are code need, in a CI file.
fn fill(template: &str, project: &Project, indent: &str) -> String {
    let patterns = project.triggers().into_iter().chain([FILE_NAME.to_owned()]);
    // JSON's strings are YAML's.
    let lines: Vec<String> = patterns.map(|pattern| format!("{indent}{}", toml_string(&pattern))).collect();
    let setup = project.code.as_ref().map(Setup::of);
    let steps = |lines: Option<Vec<String>>, indent: &str| -> String {
        lines.into_iter().flatten().map(|line| format!("{indent}{line}\n")).collect()
    };
    template
        .replace("{triggers}", &lines.join("\n"))
        .replace("{steps}\n", &steps(setup.as_ref().map(Setup::github), "      "))
        .replace("{installs}\n", &steps(setup.as_ref().map(Setup::gitlab), "    "))
        .replace("{image}", setup.as_ref().map_or("node:22-slim", Setup::image))
        .replace("{packages}", &setup.as_ref().map(|setup| format!(" {}", setup.packages())).unwrap_or_default())
        .replace("{version}", VERSION)
}

pub fn pre_commit(project: &Project) -> Planned {
    let starts: Vec<String> = project.folders().map(|path| slashes(path)).filter(|path| path != ".").collect();
    let pattern = match starts.as_slice() {
        [] => "\\.sql$".to_owned(),
        folders => format!("^({})", folders.iter().map(|path| escaped(path)).collect::<Vec<_>>().join("|")),
    };
    let text = include_str!("../templates/pre-commit.yaml")
        .replace("{files}", &toml_string(&pattern))
        .replace("{version}", VERSION);
    Planned { shared: true, ..Planned::new(".pre-commit-config.yaml", text) }
}

/// Text as a regular expression that matches it.
fn escaped(text: &str) -> String {
    let special = |letter: char| "\\.+*?()[]{}|^$".contains(letter);
    text.chars().flat_map(|letter| special(letter).then_some('\\').into_iter().chain([letter])).collect()
}

/// What tells coding agents to ask first.
pub fn agents() -> Planned {
    let text = include_str!("../templates/agents.md").to_owned();
    Planned { shared: true, ..Planned::new("AGENTS.md", text) }
}

/// The script goes where git looks for hooks (core.hooksPath and worktrees are git's to know). A hook that another tool or a person
/// wrote is never overwritten: the line to add to it is printed instead.
pub fn hook() -> anyhow::Result<Planned> {
    let git =
        Command::new("git").args(["rev-parse", "--git-path", "hooks"]).output().context("git could not be run")?;
    if !git.status.success() {
        bail!("this isn't a git repository, so there is nowhere to put a hook");
    }
    let folder = PathBuf::from(String::from_utf8_lossy(&git.stdout).trim());
    // Husky points git at a folder that it writes itself; people's hooks are in the one above.
    let folder =
        if folder.ends_with(".husky/_") { folder.parent().map(Path::to_owned).unwrap_or(folder) } else { folder };
    let path = folder.join("pre-commit");
    let text = include_str!("../templates/hook.sh");
    match std::fs::read_to_string(&path) {
        Ok(there) if !there.contains(HOOK_MARK) => {
            Ok(Planned { shared: true, ..Planned::new(path, "    pgassay check --staged\n".to_owned()) })
        }
        _ => Ok(Planned { executable: true, ..Planned::new(path, text.to_owned()) }),
    }
}

/// What tells our own hook from another's.
const HOOK_MARK: &str = "pgassay check --staged";
