//! Finding and reading `pgassay.toml`.

use std::path::{Path, PathBuf};

use super::repository;
use crate::config::{Config, ConfigError, FILE_NAME, parse};

/// A file and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// As the user would write it.
    pub path: PathBuf,
    pub config: Config,
}

/// The nearest `pgassay.toml` in the working directory or above it, up to the repository's root. The path is relative.
pub fn find(here: &Path) -> Option<PathBuf> {
    let mut way_up = PathBuf::new();
    for folder in here.ancestors() {
        if folder.join(FILE_NAME).is_file() {
            return Some(way_up.join(FILE_NAME));
        }
        if folder.join(".git").exists() {
            return None;
        }
        way_up.push("..");
    }
    None
}

/// Reads a configuration file; `here` is the working directory, from which `path` counts.
pub fn load(path: &Path, here: &Path) -> Result<Loaded, ConfigError> {
    let unreadable = |message: String| ConfigError::Unreadable { path: path.to_owned(), message };
    if let Some(target) = repository::leaves(&here.join(path)) {
        return Err(unreadable(repository::refusal(&target)));
    }
    let text = std::fs::read_to_string(here.join(path)).map_err(|error| unreadable(error.to_string()))?;
    let mut config = parse(&text).map_err(|problems| ConfigError::Invalid { path: path.to_owned(), text, problems })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for paths in [&mut config.paths, &mut config.base].into_iter().flatten() {
        paths.value = paths.value.iter().map(|path| folder.join(path)).collect();
    }
    if let Some(baseline) = &mut config.baseline {
        baseline.value = folder.join(&baseline.value);
    }
    config.settings.root = here.join(folder);
    config.settings.here = here.to_owned();
    Ok(Loaded { path: path.to_owned(), config })
}
