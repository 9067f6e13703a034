//! The command that runs migrations that are code: from which folder, and through which package manager.

use std::path::Path;

use super::code::{CodeTool, Language};

/// Python's package managers that run a program in the project's environment, by the file that each locks with.
const PYTHON: [(&str, &str); 3] =
    [("uv.lock", "uv run "), ("poetry.lock", "poetry run "), ("Pipfile.lock", "pipenv run ")];

/// What runs the migrations of `folder` from the working directory.
pub(super) fn command(folder: &Path, language: Language, tool: &CodeTool) -> String {
    let home = home(folder, Some(tool));
    let command = format!("{}{}", runner(language, home), tool.command);
    if home.as_os_str().is_empty() {
        command
    } else {
        format!("cd {} && {command}", quoted(&home.display().to_string()))
    }
}

/// For a sentence, where no tool is known.
pub(super) fn command_or_yours(command: Option<String>) -> String {
    command.unwrap_or_else(|| "your migrate command".to_owned())
}

/// The folder that a tool is run in: the nearest above the migrations that has the tool's own file.
pub(super) fn home<'a>(folder: &'a Path, tool: Option<&CodeTool>) -> &'a Path {
    let beside = tool.map_or("", |tool| tool.beside);
    let is_home = |above: &&Path| !beside.is_empty() && above.join(beside).exists();
    folder.ancestors().find(is_home).unwrap_or(Path::new(""))
}

fn runner(language: Language, home: &Path) -> &'static str {
    let locked = |(file, _): &&(&str, &str)| home.ancestors().any(|above| above.join(file).exists());
    let found = if language.name == "Python" { PYTHON.iter().find(locked) } else { None };
    found.map_or("", |(_, runner)| runner)
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let is_plain = path.chars().all(|letter| letter.is_alphanumeric() || "/._-+@".contains(letter));
    if is_plain { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn paths_are_quoted_for_the_shell() {
        assert_eq!(quoted("apps/web-api"), "apps/web-api");
        assert_eq!(quoted("it's here"), "'it'\\''s here'");
    }
}
