//! graphile-migrate: `committed/<digits>….sql`, which nobody edits, and `current.sql` or `current/`, which is at work.
//!
//! Recognised by the lines `--! Previous:` and `--! Hash:` that a committed file begins with. Each file is one string, in a transaction
//! unless its head, or the first line below that, says `--! no-transaction`. `--!include` puts a file of `fixtures/` in its place.

use std::ops::Range;
use std::path::Path;

use super::folder::{File, Folder};
use super::line::lines;
use super::order::leading_digits;
use super::project::read_json;
use super::read::read;
use super::tools::{Entry, Input, Order, Part, Split, Tool, Translation};
use super::variables::{Style, Variables, substitutions};
use super::{Direction, Framework, TransactionMode};
use crate::source::{SourceFile, Substitution};

pub(super) struct GraphileMigrate;

fn is_committed(file: &File) -> bool {
    file.relative.starts_with("committed") && leading_digits(file.name()).len() >= 6
}

fn is_current(file: &File) -> bool {
    file.relative.as_os_str() == "current.sql" || file.relative.starts_with("current")
}

/// How deep files include others.
const DEEPEST: usize = 16;

/// `--!include functions/a.sql`, a line of its own: the file is below `fixtures` (`compileIncludes`, src/migration.ts).
fn included(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("--!")?.trim_start_matches([' ', '\t']);
    let path = rest.strip_prefix("include")?.strip_prefix([' ', '\t'])?.trim();
    path.ends_with(".sql").then_some(path)
}

/// The lines that include files, with what is in those, and why some are not there.
fn includes(folder: &Folder, text: &str, depth: usize) -> (Vec<Substitution>, Vec<(Range<usize>, String)>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for line in lines(text) {
        let Some(path) = included(line.text) else { continue };
        let range = line.start..line.start + line.text.len();
        let fixture = folder.file(Path::new("fixtures").join(path)).filter(|_| depth < DEEPEST);
        let Some(fixture) = fixture.filter(|file| file.text.is_some()) else {
            missing.push((range, format!("graphile-migrate stops: there is no fixtures/{path} to include")));
            continue;
        };
        let (inner, more) = includes(folder, fixture.text(), depth + 1);
        missing.extend(more.into_iter().map(|(_, message)| (range.clone(), message)));
        let value = SourceFile::substituted("fixture", fixture.text(), &inner).text.to_string();
        found.push(Substitution { start: range.start as u32, end: range.end as u32, value });
    }
    (found, missing)
}

impl Tool for GraphileMigrate {
    fn framework(&self) -> Framework {
        Framework::GraphileMigrate
    }

    fn detect(&self, folder: &Folder) -> bool {
        folder.files.iter().any(|file| file.is_sql() && is_committed(file) && file.text().starts_with("--! Previous: "))
    }

    /// What is committed by name; what is at work runs last.
    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        let sql = || folder.files.iter().filter(|file| file.is_sql());
        let mut committed: Vec<&File> = sql().filter(|file| is_committed(file)).collect();
        committed.sort_by(|a, b| a.name().cmp(b.name()));
        for file in committed.into_iter().chain(sql().filter(|file| is_current(file))) {
            order.entries.push(Entry {
                name: file.stem().to_owned(),
                file: file.clone(),
                direction: None,
                listed: None,
            });
        }
        order.note_ignored("graphile-migrate", "it is neither committed nor current", folder.own_sql());
        order.known = vec![folder.path.join("committed"), folder.path.join("current"), folder.path.join("fixtures")];
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let text = input.text;
        let mut head = lines(text).take_while(|line| line.text.starts_with("--!") || line.text.trim().is_empty());
        let alone = head.any(|line| {
            let words = line.text.strip_prefix("--!").map(str::trim_start);
            words.is_some_and(|words| {
                words.strip_prefix("no-transaction").is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
            })
        });
        let transaction = if alone { TransactionMode::OneString } else { TransactionMode::WrappedString };
        Split::default().with(Direction::Up, vec![Part { range: 0..text.len(), transaction }])
    }

    /// What is included is sent in the place of the line that includes it, with its placeholders.
    fn translate(&self, input: &Input<'_>, variables: &Variables) -> Option<Translation> {
        // What is committed has them written out.
        if !is_current(&input.entry.file) {
            return None;
        }
        let (included, missing) = includes(input.folder, input.text, 0);
        if included.is_empty() && missing.is_empty() {
            return None;
        }
        let within = |text: &str| {
            let found = substitutions(text, 0..text.len(), Style::Psql, variables);
            SourceFile::substituted("fixture", text, &found).text.to_string()
        };
        let mut found = substitutions(input.text, 0..input.text.len(), Style::Psql, variables);
        found.extend(included.into_iter().map(|it| Substitution { value: within(&it.value), ..it }));
        found.sort_by_key(|it| it.start);
        let source = SourceFile::substituted("file", input.text, &found);
        let mut split = self.split(&Input { text: &source.text, ..*input });
        split.notes.extend(missing.into_iter().map(|(_, message)| (0..0, message)));
        Some(Translation { substitutions: found, split })
    }

    /// `:NAME`, whose values `.gmrc` mostly takes from the environment.
    fn placeholders(&self, _file: &File) -> Style {
        Style::Psql
    }

    /// The two that it always sets (`src/settings.ts`), under names of their own: their values are the database's.
    fn settings(&self, folder: &Folder, _file: &File) -> Variables {
        let own = Variables::from_iter([("DATABASE_OWNER", "database_owner"), ("DATABASE_NAME", "database_name")]);
        let settings = folder.path.ancestors().skip(1).take(2).find_map(|above| read(&above.join(".gmrc")).ok());
        let settings = settings.and_then(|read| read_json(&read.text));
        let placeholders = settings.as_ref().and_then(|tree| tree.get("placeholders")?.as_object());
        let value = |(name, value): (&String, &serde_json::Value)| {
            // `!ENV` takes the value from the environment.
            let value = value.as_str().filter(|value| *value != "!ENV")?;
            Some((name.strip_prefix(':')?.to_owned(), value.to_owned()))
        };
        let written: Variables = placeholders.into_iter().flatten().filter_map(value).collect();
        written.or(&own)
    }
}
