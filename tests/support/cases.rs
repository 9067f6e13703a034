//! Reads the case files in tests/effects.
//!
//! A case file is SQL, divided by directives, which are comments that start a line:
//!
//! ```sql
//! -- setup
//! CREATE TABLE ...;                    -- run once, in a database that is the template of all cases' databases
//!
//! -- case: set not null                -- a case: its name, unique in the file
//! -- requires: 15..17                  -- optional: the major versions it can run on (15, 15.., ..17, 15..17)
//! -- given:                            -- optional: SQL that is committed before, in the same session; when the
//! ALTER TABLE ...;                     --           directive is repeated, each part is a transaction of its own
//! -- run:                              -- the ONE statement under test; may be left out where no `given` comes before
//! ALTER TABLE t ALTER COLUMN c SET NOT NULL;
//! -- differs: scans                    -- optional: a field that no prediction can know; docs/effects.md says why
//! -- transaction: none                 -- optional: watch it outside a transaction block, even if a block is allowed
//! ```
//!
//! Every case starts from the setup: it never sees what another case did. Any other comment is part of the SQL.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone)]
pub struct CaseFile {
    /// The file's name without folder and extension.
    pub name: String,
    pub setup: String,
    pub cases: Vec<Case>,
}

#[derive(Debug, Clone)]
pub struct Case {
    /// `file/name`.
    pub name: String,
    /// The major versions that the case can run on.
    pub requires: RangeInclusive<u16>,
    /// What is committed before; each part on its own.
    pub given: Vec<String>,
    /// The statement under test.
    pub run: String,
    /// Watch the statement outside a transaction block in any case.
    pub outside_block: bool,
    /// Fields of the effect that are not compared: docs/effects.md has the reason.
    pub differs: Vec<String>,
}

/// All case files of tests/effects, in the order of their names.
pub fn all() -> Vec<CaseFile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/effects");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

/// The cases whose name contains one of the parts, in their files; all cases where there are no parts.
pub fn chosen(parts: &[String]) -> Vec<CaseFile> {
    let mut files = all();
    if !parts.is_empty() {
        for file in &mut files {
            file.cases.retain(|case| parts.iter().any(|part| case.name.contains(part.as_str())));
        }
        files.retain(|file| !file.cases.is_empty());
        assert!(!files.is_empty(), "no case is called so: {parts:?}");
    }
    files
}

/// Reads one case file; panics with the place of a mistake.
pub fn read(path: &Path) -> CaseFile {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    parse(&name, &text).unwrap_or_else(|message| panic!("{}: {message}", path.display()))
}

enum Section {
    Setup,
    Given,
    Run,
}

/// Reads the text of a case file. The error names the line.
pub fn parse(file: &str, text: &str) -> Result<CaseFile, String> {
    let mut result = CaseFile { name: file.to_owned(), setup: String::new(), cases: Vec::new() };
    let mut section = Section::Setup;
    for (number, line) in text.lines().enumerate() {
        let at = |message: String| format!("line {}: {message}", number + 1);
        let directive = line.strip_prefix("-- ").unwrap_or_default();
        let (word, argument) = directive.split_once(':').unwrap_or((directive, ""));
        let argument = argument.trim();
        match (word, result.cases.last_mut()) {
            ("setup", None) if argument.is_empty() => section = Section::Setup,
            ("case", _) => {
                result.cases.push(start_case(&result, argument).map_err(at)?);
                section = Section::Run;
            }
            ("requires", Some(case)) => case.requires = versions(argument).map_err(at)?,
            ("given", Some(case)) => {
                case.given.push(String::new());
                section = Section::Given;
            }
            ("differs", Some(case)) => case.differs.extend(argument.split(',').map(|field| field.trim().to_owned())),
            ("run", Some(_)) => section = Section::Run,
            ("transaction", Some(case)) if argument == "none" => case.outside_block = true,
            (_, case) => {
                let target = match (&section, case) {
                    (Section::Run, Some(case)) => &mut case.run,
                    (Section::Given, Some(case)) => case.given.last_mut().ok_or_else(|| at("no given".to_owned()))?,
                    _ => &mut result.setup,
                };
                target.push_str(line);
                target.push('\n');
            }
        }
    }
    for case in &mut result.cases {
        case.run = case.run.trim().to_owned();
        if case.run.is_empty() {
            return Err(format!("{}: nothing to run", case.name));
        }
    }
    Ok(result)
}

fn start_case(file: &CaseFile, name: &str) -> Result<Case, String> {
    let name = format!("{}/{name}", file.name);
    if file.cases.iter().any(|case| case.name == name) {
        return Err(format!("a second case is called {name}"));
    }
    Ok(Case {
        name,
        requires: 0..=u16::MAX,
        given: Vec::new(),
        run: String::new(),
        outside_block: false,
        differs: Vec::new(),
    })
}

/// Reads `15`, `15..`, `..17` or `15..17`; both ends count.
fn versions(text: &str) -> Result<RangeInclusive<u16>, String> {
    let number = |text: &str, open: u16| match text {
        "" => Ok(open),
        _ => text.parse::<u16>().map_err(|_| format!("{text:?} is not a major version")),
    };
    match text.split_once("..") {
        Some((first, last)) => Ok(number(first, 0)?..=number(last, u16::MAX)?),
        None => text.parse().map(|only| only..=only).map_err(|_| format!("{text:?} is not a major version")),
    }
}
