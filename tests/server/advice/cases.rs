//! Reads the files of this folder: SQL, divided by directives, which are comments that start a line.
//!
//! ```sql
//! -- case: set not null                -- a case: its name, unique in the file
//! -- requires: 15..                    -- optional: the major versions it can run on (15, 15.., ..17, 15..17)
//! -- partial                           -- optional: pgassay is not told of `given`, as in a history without its start
//! -- text only                         -- optional: the advice is a sentence; without it a finding must have steps
//! -- differs: t_id_seq                 -- optional, repeatable: catalog lines and tables that hold these words are not compared
//! -- given:                            -- what exists before, with a few rows
//! CREATE TABLE t (c int);
//! -- run:                              -- the migration under test
//! ALTER TABLE t ALTER COLUMN c SET NOT NULL;
//! -- rest:                             -- optional: the part of the migration that no finding replaces; runs before the steps
//! -- meanwhile:                        -- optional: what running clients write after every step; :n is the step's number
//! INSERT INTO t VALUES (:n);
//! -- breaks:                           -- optional: rows on which the migration fails
//! INSERT INTO t VALUES (NULL);
//! ```

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Default)]
pub struct Case {
    /// `file/name`.
    pub name: String,
    pub requires: Option<RangeInclusive<u16>>,
    pub partial: bool,
    pub text_only: bool,
    pub differs: Vec<String>,
    pub given: String,
    pub run: String,
    pub rest: String,
    pub meanwhile: String,
    pub breaks: String,
}

impl Case {
    pub fn runs_on(&self, major: u16) -> bool {
        self.requires.as_ref().is_none_or(|versions| versions.contains(&major))
    }
}

/// All cases of this folder, in the order of the files' names.
pub fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/advice");
    let entries = fs::read_dir(&folder).expect("tests/advice").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|it| it == "sql")).collect();
    paths.sort();
    paths.iter().flat_map(|path| read(path)).collect()
}

fn read(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).expect("a readable file");
    let file = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut cases: Vec<Case> = Vec::new();
    let mut section = "";
    for (number, line) in text.lines().enumerate() {
        let (word, argument) = line.strip_prefix("-- ").map_or(("", ""), |it| it.split_once(':').unwrap_or((it, "")));
        if word == "case" {
            let name = format!("{file}/{}", argument.trim());
            assert!(cases.iter().all(|case| case.name != name), "a second case is called {name}");
            cases.push(Case { name, ..Case::default() });
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        match word {
            "requires" => case.requires = Some(versions(argument.trim())),
            "partial" => case.partial = true,
            "text only" => case.text_only = true,
            "differs" => case.differs.push(argument.trim().to_owned()),
            "given" | "run" | "rest" | "meanwhile" | "breaks" => section = word,
            _ => {
                let target = match section {
                    "given" => &mut case.given,
                    "run" => &mut case.run,
                    "rest" => &mut case.rest,
                    "meanwhile" => &mut case.meanwhile,
                    "breaks" => &mut case.breaks,
                    _ => panic!("{}:{}: outside a section", path.display(), number + 1),
                };
                target.push_str(line);
                target.push('\n');
            }
        }
    }
    cases
}

fn versions(text: &str) -> RangeInclusive<u16> {
    let number = |text: &str, open: u16| if text.is_empty() { open } else { text.parse().expect("a version") };
    match text.split_once("..") {
        Some((first, last)) => number(first, 0)..=number(last, u16::MAX),
        None => number(text, 0)..=number(text, 0),
    }
}
