//! Liquibase: changelogs in XML, YAML, JSON and formatted SQL.
//!
//! Recognised by a changelog, or by the first line of formatted SQL. The root changelog gives the order of files and of its own changesets;
//! without one the paths do. What a changelog says in its own words is read as the SQL that Liquibase sends for it.

mod change;
mod changelog;
mod choice;
mod data_type;
mod formatted;
mod order;
mod place;
mod translate;
mod tree;
mod values;

use std::sync::Arc;

use changelog::Changelog;
use choice::Choice;
use formatted::{Manner, is_formatted};
use translate::Source;

use super::folder::{File, Folder};
use super::read::ReadError;
use super::tools::{Input, Listed, Order, Split, Tool, Translation};
use super::variables::{Style, Variables};
use super::{Framework, TransactionMode};
use crate::source::SourceFile;

pub(super) use changelog::is_one as is_changelog;
pub(super) use choice::is_for_postgresql;
pub(super) use order::led_to;

pub(super) struct Liquibase;

impl Tool for Liquibase {
    fn framework(&self) -> Framework {
        Framework::Liquibase
    }

    fn detect(&self, folder: &Folder) -> bool {
        let has_list = folder.own().any(File::is_changelog);
        let mut sql = folder.files.iter().filter(|file| file.is_sql() && (file.depth() == 1 || has_list));
        folder.own().any(|file| file.is_changelog() && changelog::is_one(file)) || sql.any(is_formatted)
    }

    fn order(&self, folder: &Folder) -> Order {
        order::order(folder)
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let entry = input.entry;
        match &entry.listed {
            Some(Listed::File(listed)) => {
                let mut unit = listed.manner.unit(&entry.name, input.text);
                unit.conditional = listed.conditional;
                Split { units: vec![unit], ..Split::default() }
            }
            _ if is_formatted(&entry.file) => formatted::split(input.text, &Choice::of(&input.folder.project)),
            _ => Split::whole(input, TransactionMode::WrappedByDriver),
        }
    }

    fn translate(&self, input: &Input<'_>, variables: &Variables) -> Option<Translation> {
        let file = &input.entry.file;
        if file.is_sql() {
            return None;
        }
        let changelog = changelog::read(file.name(), input.text).ok()?;
        let choice = Choice::of(&input.folder.project);
        let source =
            Source { folder: input.folder, file, text: input.text, changelog: &changelog, variables, choice: &choice };
        let run = match input.entry.listed {
            Some(Listed::Run(run)) => Some(run),
            _ => None,
        };
        Some(source.translate(run))
    }

    fn placeholders(&self, _file: &File) -> Style {
        Style::Braces
    }

    /// Properties of the root changelog, which hold for all that it includes, and of the file.
    fn settings(&self, folder: &Folder, file: &File) -> Variables {
        let of = |file: &File| match file.is_sql() {
            true => formatted::properties(file.text()),
            false => first_of_each(changelog::read(file.name(), file.text()).unwrap_or_default()),
        };
        order::roots(folder, &Choice::of(&folder.project))
            .iter()
            .fold(Variables::default(), |all, root| all.or(&of(root)))
            .or(&of(file))
    }
}

/// A property that is set keeps its value.
fn first_of_each(changelog: Changelog) -> Variables {
    changelog.properties.into_iter().rev().collect()
}

/// A file that a changeset names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedFile {
    manner: Manner,
    conditional: bool,
}

/// A changelog that cannot be read, with the place.
fn unreadable(file: &File, error: &tree::TreeError) -> ReadError {
    let text: Arc<str> = file.text.clone().unwrap_or_default();
    let position = SourceFile::new("", text).position(error.at as u32);
    ReadError { path: file.path.clone(), position: Some(position), message: error.message.clone() }
}
