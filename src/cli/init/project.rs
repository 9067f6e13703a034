//! Which migrations a project has, and of which tool.

use std::path::{Path, PathBuf};

use anyhow::bail;
use pgassay::collect::{CollectOptions, FindError, collect, find};
use pgassay::migration::Framework;
use pgassay::source::Sources;

/// What was found.
#[derive(Debug, Default)]
pub struct Project {
    /// Folders and files of migrations, from the working directory on.
    pub paths: Vec<PathBuf>,
    /// `None`: several, or none.
    pub framework: Option<Framework>,
    /// Dumps of the schema: what exists before.
    pub base: Vec<PathBuf>,
    /// Migrations that are code, and the command that runs them.
    pub code: Option<Code>,
    migrations: usize,
}

/// Migrations that are code.
#[derive(Debug)]
pub struct Code {
    pub command: String,
    pub language: &'static str,
    /// The folder that the tool is run in, from the working directory on.
    pub home: PathBuf,
    folders: Vec<PathBuf>,
    described: String,
}

/// Where Rails and Ecto keep the dump of the schema.
const DUMPS: [&str; 2] = ["db/structure.sql", "priv/repo/structure.sql"];

impl Project {
    pub fn find(paths: &[PathBuf], framework: Option<Framework>) -> anyhow::Result<Project> {
        let base: Vec<PathBuf> = DUMPS.iter().map(PathBuf::from).filter(|dump| dump.is_file()).collect();
        let places = match paths {
            [] => match find(Path::new("")) {
                Ok(found) => found.folders,
                Err(FindError::OnlyDump(..)) => Vec::new(),
                Err(error) => match Code::of(&error) {
                    Some(code) => return Ok(Project { code: Some(code), base, ..Project::default() }),
                    None => bail!("{error}"),
                },
            },
            named => named.to_vec(),
        };
        if let Some(missing) = places.iter().find(|path| !path.exists()) {
            bail!("{}: there is no such file or folder", missing.display());
        }
        if places.is_empty() {
            return Ok(Project { base, ..Project::default() });
        }
        Ok(Project::read(&places, framework, base))
    }

    /// Reads the migrations as `pgassay check` does.
    fn read(places: &[PathBuf], framework: Option<Framework>, base: Vec<PathBuf>) -> Project {
        let options = CollectOptions { framework, ..CollectOptions::default() };
        let collected = collect(places, &options, &mut Sources::default());
        let migrations = collected.migrations.iter().filter(|migration| !migration.framework.is_base()).count();
        let tools = || collected.frameworks.iter().map(|found| found.framework).filter(|tool| !tool.is_base());
        let first = framework.or_else(|| tools().next());
        let one = first.filter(|first| framework.is_some() || tools().all(|tool| tool == *first));
        let folders = collected.frameworks.iter().map(|found| found.folder.clone());
        // One tool: the folder that it is pointed at. Otherwise each folder says by itself whose it is.
        let paths = match (one, collected.frameworks.as_slice()) {
            (Some(_), [_]) => folders.collect(),
            _ => places.to_vec(),
        };
        Project { paths, framework: one, base, code: None, migrations }
    }

    pub fn summary(&self) -> String {
        if let Some(code) = &self.code {
            return format!("found {}; `{}` runs them", code.described, code.command);
        }
        let paths: Vec<String> = self.paths.iter().map(|path| path.display().to_string()).collect();
        let tool = self.framework.filter(|tool| *tool != Framework::Plain).map(|tool| format!(" of {tool}"));
        match self.migrations {
            0 if self.paths.is_empty() => "found a dump of the schema, and no SQL migrations".to_owned(),
            1 => format!("found 1 migration{} in {}", tool.unwrap_or_default(), paths.join(", ")),
            many => format!("found {many} migrations{} in {}", tool.unwrap_or_default(), paths.join(", ")),
        }
    }

    /// The first folder, or what stands for one in examples.
    pub fn example(&self) -> String {
        self.paths.first().map_or_else(|| "migrations".to_owned(), |path| slashes(path))
    }

    /// Patterns of the files whose change matters.
    pub fn triggers(&self) -> Vec<String> {
        let below = |path: &PathBuf| match slashes(path) {
            here if here == "." => "**/*.sql".to_owned(),
            file if path.is_file() => file,
            folder => format!("{folder}/**"),
        };
        self.folders().map(below).chain(self.base.iter().map(|path| slashes(path))).collect()
    }

    /// Where migrations are, in SQL or in code.
    pub fn folders(&self) -> impl Iterator<Item = &PathBuf> {
        self.paths.iter().chain(self.code.iter().flat_map(|code| &code.folders))
    }
}

impl Code {
    /// Of the tool that has most of the files; none where no tool is known.
    fn of(error: &FindError) -> Option<Code> {
        let FindError::OnlyCode(found, _) = error else { return None };
        let most = found.iter().filter(|folder| folder.tool.is_some()).max_by_key(|folder| folder.files.len())?;
        let own: Vec<_> = found.iter().filter(|folder| folder.tool == most.tool).collect();
        let described: Vec<String> = own.iter().map(|folder| folder.describe()).collect();
        Some(Code {
            command: most.command()?,
            language: most.language.name,
            home: most.home(),
            folders: own.iter().map(|folder| folder.folder.clone()).collect(),
            described: described.join(", "),
        })
    }
}

/// A path as TOML and YAML files have it on every system; `.` for the working directory.
pub fn slashes(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).filter(|part| part != ".").collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/").replace("//", "/") }
}
